//! What the size of frames, zstd's level and the order of lines cost and give: `frames FILE.ndjson` prints a table.
//!
//! The numbers behind the choice in `docs/file-format.md`. The file should be some hundred MB of a service's own lines.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use sonde::store::logs::fields;
use std::time::Instant;

const LEVELS: [i32; 4] = [1, 3, 7, 12];
const FRAMES_KIB: [usize; 4] = [64, 256, 1_024, 4_096];

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "/dev/stdin".into());
    let text = std::fs::read(path)?;
    let lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    let mut by_component = lines.clone();
    by_component.sort_by_cached_key(|line| component(line));
    println!("{} lines, {:.0} MB", lines.len(), text.len() as f64 / 1e6);
    println!("order         frame KiB  level  bytes a line  share   pack MB/s  unpack MB/s");
    for (order, lines) in [("as they came", &lines), ("by component", &by_component)] {
        for frame in FRAMES_KIB {
            for level in LEVELS {
                row(order, lines, frame, level)?;
            }
        }
    }
    Ok(())
}

fn component(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    fields::read(line).map_or_else(|_| String::new(), |fields| fields.component().to_owned())
}

fn row(order: &str, lines: &[&[u8]], frame_kib: usize, level: i32) -> std::io::Result<()> {
    let mut frames: Vec<Vec<u8>> = vec![Vec::new()];
    for line in lines {
        if frames.last().is_some_and(|frame| frame.len() + line.len() > frame_kib << 10) {
            frames.push(Vec::new());
        }
        if let Some(frame) = frames.last_mut() {
            frame.extend_from_slice(line);
        }
    }
    let text: usize = frames.iter().map(Vec::len).sum();
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    let begin = Instant::now();
    let packed = frames.iter().map(|frame| compressor.compress(frame)).collect::<Result<Vec<_>, _>>()?;
    let packing = begin.elapsed().as_secs_f64();
    let mut decompressor = zstd::bulk::Decompressor::new()?;
    let begin = Instant::now();
    for (packed, frame) in packed.iter().zip(&frames) {
        let unpacked = decompressor.decompress(packed, frame.len())?;
        assert!(unpacked == *frame, "what was packed comes back");
    }
    let unpacking = begin.elapsed().as_secs_f64();
    let bytes: usize = packed.iter().map(Vec::len).sum();
    println!(
        "{order}  {frame_kib:>9}  {level:>5}  {:>12.1}  {:.4}  {:>9.0}  {:>11.0}",
        bytes as f64 / lines.len() as f64,
        bytes as f64 / text as f64,
        text as f64 / 1e6 / packing,
        text as f64 / 1e6 / unpacking,
    );
    Ok(())
}

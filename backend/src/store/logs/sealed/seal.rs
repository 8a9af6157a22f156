//! Writes a finished segment in its sealed form.

use super::cache::FrameCache;
use super::layout::{Footer, Frame, SKIPPABLE_HEAD, encode_order, skippable};
use super::text::SealedText;
use crate::store::logs::block::{self, NewNames, SummaryTally};
use crate::store::logs::dictionary::NameList;
use crate::store::logs::rows::is_near;
use crate::store::logs::segment::{Paths, Segment};
use crate::store::logs::text::TextReader;
use crate::store::{StoreError, files};
use sonde_shared::log::Level;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most text of a frame, unless a single line is longer.
const FRAME_BYTES: usize = 64 << 10;
/// A group of lines with so much text begins a frame of its own; smaller ones share.
const OWN_FRAME_BYTES: u64 = 32 << 10;
/// Lines are clustered within stretches of so much text: whoever asks for all components has the frames of one or two stretches
/// to decode at a time, however many components there are, and whoever asks for a rare one has a frame a stretch.
const STRETCH_BYTES: u64 = 16 << 20;
/// zstd's level; `docs/file-format.md` tells what others cost and give.
const LEVEL: i32 = 1;

/// A line on its way to its new place: errors and worse lie together, behind all others, so that who asks for them alone
/// decodes little else.
#[derive(Clone, Copy)]
struct Line {
    is_error: bool,
    stretch: u16,
    component: u16,
    arrival: u32,
    pos: u32,
    len: u32,
}

impl Line {
    /// Lines of one group lie together.
    fn group(&self) -> (bool, u16, u16) {
        (self.is_error, self.stretch, self.component)
    }
}

/// A sealed file that is whole and waits beside its place, and its index.
pub(in crate::store::logs) struct Prepared {
    beside: PathBuf,
    index: Vec<u8>,
}

impl Prepared {
    /// Removes the file again: its segment has no place any more.
    pub(in crate::store::logs) fn give_up(&self) -> Result<(), StoreError> {
        match std::fs::remove_file(&self.beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", &self.beside)(error))
            }
            _ => Ok(()),
        }
    }
}

/// Where a sealed file is written before it has its name.
pub(in crate::store::logs) fn beside(sealed: &Path) -> PathBuf {
    sealed.with_extension("tmp")
}

/// Writes a finished segment's sealed form beside its text.
pub(in crate::store::logs) fn prepare(
    paths: &Paths,
    segment: &Segment,
    stop: &AtomicBool,
) -> Result<Prepared, StoreError> {
    let published = segment.published();
    let mut lines = Vec::with_capacity(published.rows as usize);
    let mut are_near = true;
    for block in (0..published.blocks.len()).map(|number| segment.block(number, &published)) {
        let columns = segment.columns(&block, &published);
        for block::Row { ts, component, level, arrival, pos, len, .. } in
            (0..columns.len()).map(|row| columns.row(row))
        {
            are_near &= is_near(ts, segment.day());
            lines.push(Line { is_error: level >= Level::Error, stretch: 0, component, arrival, pos, len });
        }
    }
    let text_end = published.blocks.metas().last().map_or(0, |meta| meta.text.end);
    // The text is not taken away because of an index that says something else.
    if !(are_near && covers(&mut lines, text_end)) {
        return Err(not_of_its_text(&paths.index));
    }
    part_into_stretches(&mut lines);
    lines.sort_unstable_by_key(|line| (line.group(), line.arrival));
    let beside = beside(&paths.sealed);
    let written = write_file(&beside, segment, &lines, stop);
    let print = written.inspect_err(|_failed| {
        // What could not be written is not wanted; the text is still there.
        drop(files::remove(&beside));
    })?;
    Ok(Prepared { beside, index: encode_index(segment, &lines, print) })
}

/// Numbers the stretches of lines that are in order of arrival, those of errors apart.
fn part_into_stretches(lines: &mut [Line]) {
    let mut bytes = [0; 2];
    for line in lines {
        let before = &mut bytes[usize::from(line.is_error)];
        line.stretch = (*before / STRETCH_BYTES) as u16;
        *before += u64::from(line.len) + 1;
    }
}

/// Whether the lines are all of the text, each once.
fn covers(lines: &mut [Line], text_end: u64) -> bool {
    lines.sort_unstable_by_key(|line| line.arrival);
    let follows = |end: &mut u64, (arrival, line): (u32, &Line)| {
        let is_next = line.arrival == arrival && u64::from(line.pos) == *end;
        *end += u64::from(line.len) + 1;
        is_next
    };
    let mut end = 0;
    let all_follow = (0..).zip(&*lines).all(|line| follows(&mut end, line));
    all_follow && end == text_end
}

fn not_of_its_text(index: &Path) -> StoreError {
    let why = "it is not that of its text; once it is removed, it is made again at the next start".into();
    StoreError::Damaged { path: index.to_owned(), why }
}

/// Puts a sealed file in its place, then its index, then removes the text. Whatever happens on the way, each line is there
/// once: the sealed file counts as soon as it has its name. Nobody may open the segment meanwhile.
pub(in crate::store::logs) fn install(paths: &Paths, prepared: &Prepared) -> Result<(), StoreError> {
    files::rename(&prepared.beside, &paths.sealed)?;
    files::write_atomically(&paths.index, &prepared.index)?;
    remove_open_form(paths)
}

/// Removes the text and the commit records of a segment that is sealed, once the sealed file's name is surely on disk.
pub(in crate::store::logs) fn remove_open_form(paths: &Paths) -> Result<(), StoreError> {
    files::sync_parent(&paths.sealed)?;
    files::remove(&paths.text)?;
    files::remove(&paths.commits)?;
    files::sync_parent(&paths.text)
}

/// Writes and checks a sealed file; its footer's checksum.
fn write_file(path: &Path, segment: &Segment, lines: &[Line], stop: &AtomicBool) -> Result<u32, StoreError> {
    let error = |source| StoreError::io("write", path)(source);
    let file = files::create(path)?;
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(error)?;
    compressor.include_checksum(true).map_err(error)?;
    compressor.include_contentsize(true).map_err(error)?;
    let mut reader = TextReader::default();
    let (mut frames, mut checksums) = (Vec::new(), Vec::new());
    let (mut text, mut text_end) = (Vec::with_capacity(FRAME_BYTES), 0);
    for frame in cut_frames(lines) {
        read_frame(&mut reader, segment, frame, &mut text)?;
        if stop.load(Ordering::Relaxed) {
            return Err(error(std::io::ErrorKind::Interrupted.into()));
        }
        checksums.push(crc32fast::hash(&text));
        let packed = compressor.compress(&text).map_err(error)?;
        frames.push(Frame { packed: packed.len() as u32, text: text.len() as u32 });
        files::write_at(&file, path, &packed, text_end)?;
        text_end += packed.len() as u64;
    }
    let order: Vec<u32> = lines.iter().map(|line| line.arrival).collect();
    let order = encode_order(&order).map_err(error)?;
    let mut end = skippable(&order);
    let footer = Footer {
        lines: lines.len() as u32,
        watermark: segment.watermark().as_nanos(),
        order_at: text_end + SKIPPABLE_HEAD,
        order_len: order.len() as u32,
        order_crc: crc32fast::hash(&order),
        frames,
    };
    let (footer, print) = footer.encode();
    end.extend_from_slice(&footer);
    files::write_at(&file, path, &end, text_end)?;
    files::sync(&file, path)?;
    check(path, &checksums)?;
    Ok(print)
}

/// The text of a frame's lines, each of which must be one.
fn read_frame(
    reader: &mut TextReader,
    segment: &Segment,
    frame: &[Line],
    text: &mut Vec<u8>,
) -> Result<(), StoreError> {
    text.clear();
    let mut is_right = true;
    for line in frame {
        reader.copy(segment, line.pos as usize..line.pos as usize + line.len as usize + 1, text)?;
        is_right &= text.last() == Some(&b'\n');
    }
    let is_right = is_right && memchr::memchr_iter(b'\n', text).count() == frame.len();
    if is_right { Ok(()) } else { Err(not_of_its_text(&segment.index_name())) }
}

/// Reads the file as a query would, before the only other copy of its lines goes.
fn check(path: &Path, checksums: &[u32]) -> Result<(), StoreError> {
    let sealed = SealedText::open(path, 0, Arc::new(FrameCache::new(0)))?;
    let damaged =
        || StoreError::Damaged { path: path.to_owned(), why: "it does not hold what was written".into() };
    if sealed.print.is_none()
        || sealed.text.order().is_none()
        || sealed.text.frames() as usize != checksums.len()
    {
        return Err(damaged());
    }
    for (frame, checksum) in (0..).zip(checksums) {
        if crc32fast::hash(&sealed.text.decode(frame)?) != *checksum {
            return Err(damaged());
        }
    }
    Ok(())
}

/// The lines of each frame.
fn cut_frames(lines: &[Line]) -> Vec<&[Line]> {
    let mut frames = Vec::new();
    let (mut start, mut bytes) = (0, 0_usize);
    let mut at = 0;
    for group in lines.chunk_by(|a, b| a.group() == b.group()) {
        let text: u64 = group.iter().map(|line| u64::from(line.len) + 1).sum();
        if text >= OWN_FRAME_BYTES && bytes > 0 {
            frames.push(&lines[start..at]);
            (start, bytes) = (at, 0);
        }
        for line in group {
            let len = line.len as usize + 1;
            if bytes > 0 && bytes + len > FRAME_BYTES {
                frames.push(&lines[start..at]);
                (start, bytes) = (at, 0);
            }
            bytes += len;
            at += 1;
        }
        if text >= OWN_FRAME_BYTES {
            frames.push(&lines[start..at]);
            (start, bytes) = (at, 0);
        }
    }
    if start < at {
        frames.push(&lines[start..at]);
    }
    frames
}

/// The segment's index, with each line's new place.
fn encode_index(segment: &Segment, lines: &[Line], print: u32) -> Vec<u8> {
    let published = segment.published();
    let mut places = vec![0_u32; lines.len()];
    let mut pos = 0;
    for line in lines {
        places[line.arrival as usize] = pos;
        pos += line.len + 1;
    }
    let mut out = block::sealed_head(print);
    let lists = [&published.components, &published.hosts, &published.patterns];
    let owned = |names: &NameList| names.iter().map(str::to_owned).collect();
    let [components, hosts, patterns] = lists.map(owned);
    let mut names = NewNames { components, hosts, patterns };
    let mut summary = SummaryTally::default();
    for block in (0..published.blocks.len()).map(|number| segment.block(number, &published)) {
        let columns = segment.columns(&block, &published);
        let rows = (0..columns.len()).map(|row| columns.row(row));
        let rows: Vec<_> = rows.map(|row| block::Row { pos: places[row.arrival as usize], ..row }).collect();
        let encoded = block::encode(rows.clone(), 0..0, &std::mem::take(&mut names));
        summary.add(out.len(), &encoded, &rows);
        out.extend_from_slice(&encoded.bytes);
    }
    out.extend(summary.encode(&lists.map(|names| names.iter().collect())).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_clustered_by_component_within_stretches_of_time() {
        const LEN: u32 = (1 << 20) - 1;
        let line = |arrival: u32| Line {
            is_error: arrival % 8 == 3,
            stretch: 0,
            component: (arrival % 3) as u16,
            arrival,
            pos: 0,
            len: LEN,
        };
        let mut lines: Vec<Line> = (0..150).map(line).collect();
        part_into_stretches(&mut lines);
        lines.sort_unstable_by_key(|line| (line.group(), line.arrival));
        let stretches: Vec<&[Line]> =
            lines.chunk_by(|a, b| (a.is_error, a.stretch) == (b.is_error, b.stretch)).collect();
        let lens: Vec<usize> = stretches.iter().map(|lines| lines.len()).collect();
        assert_eq!(
            lens,
            [16, 16, 16, 16, 16, 16, 16, 16, 3, 16, 3],
            "eight stretches and a rest, then errors"
        );
        for pair in stretches.windows(2).filter(|pair| pair[0][0].is_error == pair[1][0].is_error) {
            let last = pair[0].iter().map(|line| line.arrival).max();
            assert!(pair[1].iter().all(|line| Some(line.arrival) > last), "they follow on one another");
        }
        for stretch in stretches {
            assert!(stretch.is_sorted_by_key(|line| (line.component, line.arrival)));
        }
    }
}

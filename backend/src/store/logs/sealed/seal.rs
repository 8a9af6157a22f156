//! Writes a finished segment in its sealed form.
//!
//! Its blocks are read several times over, so that besides the lines of one stretch little is in hand, however long the segment
//! is: once to see that they are of its text, for the text, for the index, and for the summary that ends it.

use super::cache::FrameCache;
use super::layout::{Footer, Frame, OrderWriter, SKIPPABLE_HEAD, skippable};
use super::stretches::{FRAME_BYTES, Line, Places, cut_frames, lines_of, stretches};
use super::text::SealedText;
use crate::store::file_view::Reading;
use crate::store::logs::block::{self, NewNames, Row};
use crate::store::logs::check::{changed_text, told};
use crate::store::logs::dictionary::NameList;
use crate::store::logs::recovery::records;
use crate::store::logs::rows::is_near;
use crate::store::logs::segment::{Paths, Published, Segment};
use crate::store::logs::text::TextReader;
use crate::store::{StoreError, files};
use sonde_shared::log::Level;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// zstd's level; `docs/file-format.md` tells what others cost and give.
const LEVEL: i32 = 1;

/// A sealed file that is whole and waits beside its place, and so does its index.
pub(in crate::store::logs) struct Prepared {
    beside: [PathBuf; 2],
}

impl Prepared {
    /// Removes the files again: their segment has no place any more.
    pub(in crate::store::logs) fn give_up(&self) -> Result<(), StoreError> {
        let remove = |path: &PathBuf| match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", path)(error))
            }
            _ => Ok(()),
        };
        self.beside.iter().map(remove).fold(Ok(()), Result::and)
    }
}

/// Where a sealed file and its index are written before they have their names.
pub(in crate::store::logs) fn beside(paths: &Paths) -> [PathBuf; 2] {
    [paths.sealed.with_extension("tmp"), paths.index.with_extension("idx.tmp")]
}

/// Writes a finished segment's sealed form beside its text.
pub(in crate::store::logs) fn prepare(
    paths: &Paths,
    segment: &Segment,
    stop: &AtomicBool,
) -> Result<Prepared, StoreError> {
    let published = segment.published();
    // The text is not taken away because of an index that says something else.
    if !is_of_its_text(segment, &published) {
        return Err(not_of_its_text(&paths.index));
    }
    check_text(paths, segment, &published)?;
    let beside = beside(paths);
    let written = Written::write(&beside[0], segment, &published, stop)
        .and_then(|written| write_index(&beside[1], segment, &published, &written));
    written.inspect_err(|_failed| {
        // What could not be written is not wanted; the text is still there.
        drop(beside.each_ref().map(|path| files::remove(path)));
    })?;
    Ok(Prepared { beside })
}

/// Whether the lines are all of the text, each once, and near to their day.
fn is_of_its_text(segment: &Segment, published: &Published) -> bool {
    let (mut arrival, mut end) = (0, 0);
    let mut follows = |line: &Line| {
        let is_next = line.arrival == arrival && u64::from(line.pos) == end;
        (arrival, end) = (arrival + 1, end + u64::from(line.len) + 1);
        is_next
    };
    let mut blocks = (0..published.blocks.len()).map(|number| segment.block(number, published));
    let all_follow = blocks.all(|block| {
        let columns = segment.columns(&block, published);
        (0..columns.len()).all(|row| is_near(columns.ts(row), segment.day()))
            && lines_of(&block, segment, published).iter().all(&mut follows)
    });
    all_follow && end == published.blocks.text_end()
}

/// The sealed form has checksums of its own, so what has changed since it was committed would pass for what was sent.
fn check_text(paths: &Paths, segment: &Segment, published: &Published) -> Result<(), StoreError> {
    match changed_text(&records(paths)?, segment, published)?.as_slice() {
        [] => Ok(()),
        [first, ..] => {
            let why = format!("{}; it is not sealed", told(first));
            Err(StoreError::Damaged { path: paths.text.clone(), why })
        }
    }
}

fn not_of_its_text(index: &Path) -> StoreError {
    let why = "it is not that of its text; once it is removed, it is made again at the next start".into();
    StoreError::Damaged { path: index.to_owned(), why }
}

/// Puts a sealed file in its place, then its index, then removes the text. Whatever happens on the way, each line is there
/// once: the sealed file counts as soon as it has its name. Nobody may open the segment meanwhile.
pub(in crate::store::logs) fn install(paths: &Paths, prepared: &Prepared) -> Result<(), StoreError> {
    files::rename(&prepared.beside[0], &paths.sealed)?;
    files::rename(&prepared.beside[1], &paths.index)?;
    remove_open_form(paths)
}

/// Removes the text and the commit records of a segment that is sealed, once the sealed file's name is surely on disk.
pub(in crate::store::logs) fn remove_open_form(paths: &Paths) -> Result<(), StoreError> {
    files::sync_parent(&paths.sealed)?;
    files::remove(&paths.text)?;
    files::remove(&paths.commits)?;
    // A crash may have left the index that was to come with the sealed file.
    let [_, index] = beside(paths);
    if index.exists() {
        files::remove(&index)?;
    }
    files::sync_parent(&paths.text)
}

/// A sealed file on its way, and what the rest of it takes.
struct Written<'a> {
    path: &'a Path,
    file: File,
    /// Where the next frame lies.
    end: u64,
    frames: Vec<Frame>,
    checksums: Vec<u32>,
    order: OrderWriter,
    /// The text of all lines but errors.
    errors_at: u64,
    /// The footer's checksum.
    print: u32,
}

impl<'a> Written<'a> {
    /// Writes and checks a sealed file.
    fn write(
        path: &'a Path,
        segment: &Segment,
        published: &Published,
        stop: &AtomicBool,
    ) -> Result<Self, StoreError> {
        let error = |source| StoreError::io("write", path)(source);
        let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(error)?;
        compressor.include_checksum(true).map_err(error)?;
        compressor.include_contentsize(true).map_err(error)?;
        let mut this = Self {
            path,
            file: files::create(path)?,
            end: 0,
            frames: Vec::new(),
            checksums: Vec::new(),
            order: OrderWriter::new().map_err(error)?,
            errors_at: 0,
            print: 0,
        };
        for is_error in [false, true] {
            this.errors_at = this.frames.iter().map(|frame| u64::from(frame.text)).sum();
            for stretch in stretches(segment, published, is_error) {
                this.add_stretch(segment, &stretch, &mut compressor, stop)?;
            }
        }
        this.end(segment, published.rows)
    }

    fn add_stretch(
        &mut self,
        segment: &Segment,
        lines: &[Line],
        compressor: &mut zstd::bulk::Compressor<'_>,
        stop: &AtomicBool,
    ) -> Result<(), StoreError> {
        let error = |source| StoreError::io("write", self.path)(source);
        let mut text = Vec::with_capacity(FRAME_BYTES);
        for frame in cut_frames(lines) {
            read_frame(segment, frame, &mut text)?;
            if stop.load(Ordering::Relaxed) {
                return Err(error(std::io::ErrorKind::Interrupted.into()));
            }
            self.checksums.push(crc32fast::hash(&text));
            let packed = compressor.compress(&text).map_err(error)?;
            self.frames.push(Frame { packed: packed.len() as u32, text: text.len() as u32 });
            files::write_at(&self.file, self.path, &packed, self.end)?;
            self.end += packed.len() as u64;
        }
        lines.iter().try_for_each(|line| self.order.add(line.arrival)).map_err(error)
    }

    /// Writes what follows the text, and checks all of it.
    fn end(mut self, segment: &Segment, lines: u32) -> Result<Self, StoreError> {
        let (order, order_crc) = self.order.take().map_err(StoreError::io("write", self.path))?;
        let mut rest = skippable(&order);
        let footer = Footer {
            lines,
            watermark: segment.watermark().as_nanos(),
            order_at: self.end + SKIPPABLE_HEAD,
            order_len: order.len() as u32,
            order_crc: crc32fast::hash(&order),
            frames: std::mem::take(&mut self.frames),
        };
        let (footer, print) = footer.encode();
        rest.extend_from_slice(&footer);
        files::write_at(&self.file, self.path, &rest, self.end)?;
        files::sync(&self.file, self.path)?;
        check(self.path, segment.form().reading(), &self.checksums, order_crc)?;
        Ok(Self { print, ..self })
    }
}

/// The text of a frame's lines, each of which must be one.
fn read_frame(segment: &Segment, frame: &[Line], text: &mut Vec<u8>) -> Result<(), StoreError> {
    text.clear();
    let (mut reader, mut is_right) = (TextReader::default(), true);
    for line in frame {
        reader.copy(segment, line.pos as usize..line.pos as usize + line.len as usize + 1, text)?;
        is_right &= text.last() == Some(&b'\n');
    }
    let is_right = is_right && memchr::memchr_iter(b'\n', text).count() == frame.len();
    if is_right { Ok(()) } else { Err(not_of_its_text(&segment.index_name())) }
}

/// Reads the file as a query would, before the only other copy of its lines goes.
fn check(path: &Path, reading: Reading, checksums: &[u32], order_crc: u32) -> Result<(), StoreError> {
    let sealed = SealedText::open(path, 0, Arc::new(FrameCache::new(0)), reading)?;
    let damaged =
        || StoreError::Damaged { path: path.to_owned(), why: "it does not hold what was written".into() };
    if sealed.print.is_none()
        || !sealed.text.has_order(order_crc)?
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

/// Writes the segment's index, with each line's new place.
fn write_index(
    path: &Path,
    segment: &Segment,
    published: &Published,
    written: &Written<'_>,
) -> Result<(), StoreError> {
    let file = files::create(path)?;
    let head = block::sealed_head(written.print);
    files::write_at(&file, path, &head, 0)?;
    let mut end = head.len() as u64;
    let lists = [&published.components, &published.hosts, &published.patterns];
    let owned = |names: &NameList| names.iter().map(str::to_owned).collect();
    let [components, hosts, patterns] = lists.map(owned);
    let mut names = NewNames { components, hosts, patterns };
    let mut others = Places::new(stretches(segment, published, false), 0);
    let mut errors = Places::new(stretches(segment, published, true), written.errors_at);
    for block in (0..published.blocks.len()).map(|number| segment.block(number, published)) {
        let columns = segment.columns(&block, published);
        let mut rows: Vec<Row> = (0..columns.len()).map(|row| columns.row(row)).collect();
        rows.sort_unstable_by_key(|row| row.arrival);
        for row in &mut rows {
            let place =
                if row.level >= Level::Error { errors.next(row.arrival) } else { others.next(row.arrival) };
            row.pos = place.ok_or_else(|| not_of_its_text(&segment.index_name()))?;
        }
        let encoded = block::encode(rows, 0..0, &std::mem::take(&mut names));
        files::write_at(&file, path, &encoded.bytes, end)?;
        end += encoded.bytes.len() as u64;
    }
    let blocks = segment.form().reading().whole(path)?;
    let names = lists.map(|names| names.iter().collect());
    let summary = block::summarize(&blocks.read(0..blocks.len())?, head.len(), &names);
    files::write_at(&file, path, &summary.unwrap_or_default(), end)?;
    files::sync(&file, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocations;
    use crate::store::batch::{Durability, LineBatch};
    use crate::store::logs::LogStore;
    use sonde_shared::time::TimeRange;

    /// Of each seventh line the level is error; their text is more than two stretches.
    fn store_long_lines(dir: &Path, lines: usize) -> Arc<Segment> {
        let store = LogStore::open_as(dir, false).unwrap();
        let padding = "x".repeat(1_000);
        for first in (0..lines).step_by(4_000) {
            let mut batch = LineBatch::default();
            for number in first..(first + 4_000).min(lines) {
                let level = if number % 7 == 0 { "error" } else { "info" };
                let (second, component) = (number / 1_000, number * 31 % 997);
                let line = format!(
                    r#"{{"ts":{},"component":"c{component}","level":"{level}","msg":"m","pad":"{padding}"}}"#,
                    1_741_608_000 + second
                );
                batch.push_line(line.as_bytes()).unwrap();
            }
            futures::executor::block_on(store.append(batch, Durability::Acknowledged)).unwrap();
        }
        drop(store);
        let store = LogStore::open_as(dir, false).unwrap();
        store.snapshot(TimeRange::all()).unwrap().days[0].1[0].segment.clone()
    }

    #[test]
    fn sealing_has_little_more_than_a_stretch_in_hand() {
        let dir = tempfile::tempdir().unwrap();
        let segment = store_long_lines(dir.path(), 48_000);
        let paths = Paths::new(&dir.path().join(segment.day().to_string()), segment.number());
        allocations::begin();
        prepare(&paths, &segment, &AtomicBool::new(false)).unwrap();
        // A stretch has some 16,000 lines of 16 bytes, in a list with room for as many again.
        assert!(allocations::most_bytes() <= 2 * 16 * 17_000, "{} bytes", allocations::most_bytes());
    }

    #[test]
    fn an_index_that_a_crash_has_left_beside_its_place_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let segment = store_long_lines(dir.path(), 20);
        let day = dir.path().join(segment.day().to_string());
        let paths = Paths::new(&day, segment.number());
        let prepared = prepare(&paths, &segment, &AtomicBool::new(false)).unwrap();
        // The sealed file has its name and the index has not.
        files::rename(&prepared.beside[0], &paths.sealed).unwrap();
        drop(segment);
        let store = LogStore::open_as(dir.path(), false).unwrap();
        store.seal_finished().unwrap();
        let files = std::fs::read_dir(&day).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["logs-0001.idx", "logs-0001.ndjson.zst"]);
        assert_eq!(store.snapshot(TimeRange::all()).unwrap().days[0].1[0].published.rows, 20);
    }
}

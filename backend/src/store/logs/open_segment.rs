//! The segment of a day that is being written: its files, and its newest lines' columns in memory.

use super::block::{self, Block, NewNames, Row, SoFarTally};
use super::commits::{Commit, encode_head, encode_note};
use super::dictionary::Dictionaries;
use super::rows::is_late;
use super::segment::{BLOCK_ROWS, INDEX_MAGIC, Paths, Published, Segment, create, remove_begun};
use super::share::Part;
use super::unwritten::Unwritten;
use crate::store::ages::Lane;
use crate::store::batch::LineRow;
use crate::store::file_view::{FileView, Reading};
use crate::store::layout::day_dir;
use crate::store::source::Note;
use crate::store::{StoreError, files};
use sonde_shared::time::{Day, Timestamp};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Address space for the index of a segment: the shortest lines there can be have this many rows.
const INDEX_CAPACITY: usize = 1 << 29;

/// Text and records, each with its path.
pub(super) type ToSync<'a> = [(Arc<File>, &'a Path); 2];

/// A run of lines whose columns are in memory only.
#[derive(Debug)]
struct TailRun {
    rows: Vec<Row>,
    text: Range<u64>,
    block: Option<Arc<Block>>,
}

/// Lines whose text is written and that do not count yet.
#[derive(Debug)]
struct Staged {
    run: TailRun,
    text_crc: u32,
    /// The time of the day's latest line up to here.
    watermark: Timestamp,
    note: Option<Note>,
}

#[derive(Debug)]
pub(super) struct OpenSegment {
    segment: Arc<Segment>,
    /// What notes of its lines are marked with.
    lane: Lane,
    reading: Reading,
    paths: Paths,
    text: Arc<File>,
    unwritten: Unwritten,
    commits: Arc<File>,
    index: File,
    /// Text and lines that are committed; staged ones lie behind.
    end: u64,
    rows: u32,
    /// Bytes of commit records, their notes included: those that count, and with those of what is staged.
    records_len: u64,
    written_len: u64,
    staged: Vec<Staged>,
    /// How many of them belong to requests that are staged as a whole.
    settled: usize,
    index_len: usize,
    index_view: Option<FileView>,
    in_file: Vec<Arc<Block>>,
    so_far: SoFarTally,
    tail: Vec<TailRun>,
    names: Dictionaries,
    /// The time of the day's latest line that counts.
    watermark: Timestamp,
    is_dirty: bool,
    opened: Instant,
    last_append: Instant,
}

impl OpenSegment {
    /// Begins a segment; `watermark` is the time of the latest line of the day's earlier ones.
    pub(super) fn create(
        data: &Path,
        day: Day,
        number: u32,
        watermark: Timestamp,
        lane: Lane,
        reading: Reading,
    ) -> Result<Self, StoreError> {
        let (paths, [text, commits, index]) = create(&day_dir(data, day), day, number)?;
        let capacity = super::SEGMENT_BYTES as usize + crate::store::batch::MAX_LINE_BYTES + 1;
        let begun = files::write_at(&index, &paths.index, INDEX_MAGIC, 0)
            .and_then(|()| reading.growing(&text, capacity, &paths.text));
        let view = begun.inspect_err(|_failed| remove_begun(&paths))?;
        let now = Instant::now();
        Ok(Self {
            segment: Arc::new(Segment::begun(day, number, watermark, view)),
            lane,
            reading,
            paths,
            text: Arc::new(text),
            unwritten: Unwritten::default(),
            commits: Arc::new(commits),
            index,
            end: 0,
            rows: 0,
            records_len: 0,
            written_len: 0,
            staged: Vec::new(),
            index_len: INDEX_MAGIC.len(),
            index_view: None,
            in_file: Vec::new(),
            so_far: SoFarTally::new(day),
            tail: Vec::new(),
            names: Dictionaries::default(),
            watermark,
            settled: 0,
            is_dirty: false,
            opened: now,
            last_append: now,
        })
    }

    pub(super) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Whether it holds lines that are not synced.
    pub(super) fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    pub(super) fn idle(&self) -> Duration {
        self.last_append.elapsed()
    }

    /// Whether so much more text fits into a segment of a size.
    pub(super) fn has_room(&self, bytes: u64, segment_bytes: u64) -> bool {
        self.staged_end().0 + bytes <= segment_bytes
    }

    fn staged_end(&self) -> (u64, u32) {
        // Asked for with every part, of which a batch in no order of time has one a line: nothing is added up.
        let last = self.staged.last().and_then(|staged| Some((staged.run.text.end, staged.run.rows.last()?)));
        last.map_or((self.end, self.rows), |(end, row)| (end, row.arrival + 1))
    }

    fn staged_rows(&self) -> usize {
        (self.staged_end().1 - self.rows) as usize
    }

    /// Takes a part's text behind what is there; it is written with its record at the latest, and counts from then on.
    pub(super) fn append(&mut self, part: &Part<'_>) -> Result<(), StoreError> {
        let (start, first_row) = self.staged_end();
        let text = part.text();
        self.unwritten.add(text, start, &self.text, &self.paths.text)?;
        self.is_dirty = true;
        self.last_append = Instant::now();
        let mut watermark = self.staged.last().map_or(self.watermark, |staged| staged.watermark);
        let rows = self.number_rows(part, start, first_row, &mut watermark);
        let run = TailRun { rows, text: start..start + text.len() as u64, block: None };
        let note = part.note(self.segment.day(), self.lane);
        self.staged.push(Staged { run, text_crc: crc32fast::hash(text), watermark, note });
        Ok(())
    }

    /// Ends a request: what was staged for it stays, or is forgotten.
    pub(super) fn settle(&mut self, keep: bool) {
        if keep {
            self.settled = self.staged.len();
        } else {
            self.staged.truncate(self.settled);
            self.unwritten.cut(self.staged_end().0);
        }
    }

    fn number_rows(
        &mut self,
        part: &Part<'_>,
        start: u64,
        first_row: u32,
        watermark: &mut Timestamp,
    ) -> Vec<Row> {
        let batch = part.batch;
        let mut components = vec![None; batch.components.list().len()];
        let mut hosts = vec![None; batch.hosts.list().len()];
        let mut patterns = vec![None; batch.patterns.list().len()];
        let first_pos = part.rows.first().map_or(0, |row| row.pos);
        let names = &mut self.names;
        let row_of = |(i, row): (usize, &LineRow)| {
            let [component, host, pattern] = [row.component, row.host, row.pattern].map(|n| n as usize);
            let number = || names.components.number(&batch.components.list()[component]);
            let component = *components[component].get_or_insert_with(number);
            let number = || names.hosts.number(&batch.hosts.list()[host]);
            let host = *hosts[host].get_or_insert_with(number);
            let number = || names.patterns.number(&batch.patterns.list()[pattern]);
            let pattern = *patterns[pattern].get_or_insert_with(number);
            let pos = start as u32 + (row.pos - first_pos);
            let is_late = is_late(row.ts, watermark);
            let (ts, len, level) = (row.ts, row.len, row.level);
            Row { ts, arrival: first_row + i as u32, pos, len, component, host, pattern, level, is_late }
        };
        part.rows.iter().enumerate().map(row_of).collect()
    }

    /// Forgets what is staged, and takes back records of it that may have been written: else a restart would find them
    /// behind those of a later commit. Its text is written over by the next part; nothing names it.
    pub(super) fn abandon(&mut self) -> Result<(), StoreError> {
        if self.staged.is_empty() {
            return Ok(());
        }
        self.staged.clear();
        self.unwritten.cut(self.end);
        self.settled = 0;
        files::cut(&self.commits, &self.paths.commits, self.records_len)
    }

    /// Writes what is left of the text that is staged, and its commit records.
    pub(super) fn write_staged(&mut self) -> Result<(), StoreError> {
        self.unwritten.write(&self.text, &self.paths.text)?;
        let mut bytes = Vec::new();
        let mut rows = self.rows;
        // The day's first segment goes on from nothing.
        if self.records_len == 0 && !self.staged.is_empty() && self.segment.number() > 1 {
            bytes.extend_from_slice(&encode_head(self.segment.watermark()));
        }
        for Staged { run, text_crc, note, .. } in &self.staged {
            rows += run.rows.len() as u32;
            bytes.extend(note.iter().flat_map(encode_note));
            bytes.extend_from_slice(&Commit { end: run.text.end, rows, text_crc: *text_crc }.encode());
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.written_len = self.records_len + bytes.len() as u64;
        files::write_at(&self.commits, &self.paths.commits, &bytes, self.records_len)
    }

    /// The files that are to be synced, where some are.
    pub(super) fn unsynced(&self) -> Result<Option<ToSync<'_>>, StoreError> {
        if !self.is_dirty {
            return Ok(None);
        }
        // Whoever deletes the day's folder takes the file's name away; nothing may be acknowledged into it then.
        let links = self.text.metadata().map_err(StoreError::io("read", &self.paths.text))?.nlink();
        if links == 0 {
            let gone = std::io::Error::new(std::io::ErrorKind::NotFound, "the file was deleted");
            return Err(StoreError::io("sync", &self.paths.text)(gone));
        }
        Ok(Some([(self.text.clone(), &self.paths.text), (self.commits.clone(), &self.paths.commits)]))
    }

    /// Notes that text and records are on disk.
    pub(super) fn note_synced(&mut self) {
        self.is_dirty = false;
    }

    /// Text and records are on disk when this returns.
    fn sync(&mut self) -> Result<(), StoreError> {
        for (file, path) in self.unsynced()?.iter().flatten() {
            files::sync(file, path)?;
        }
        self.note_synced();
        Ok(())
    }

    /// Whether a block is full with what is staged: it goes to the file once its text is synced.
    pub(super) fn has_full_block(&self) -> bool {
        self.tail_rows() + self.staged_rows() >= BLOCK_ROWS
    }

    fn tail_rows(&self) -> usize {
        self.tail.iter().map(|run| run.rows.len()).sum()
    }

    /// Shows readers what was staged, and moves full blocks to the file. Returns what that settles of bodies.
    pub(super) fn publish(&mut self) -> Vec<Note> {
        if self.staged.is_empty() {
            return Vec::new();
        }
        self.settled = 0;
        self.records_len = self.written_len;
        let notes = self.staged.iter().filter_map(|staged| staged.note).collect();
        for Staged { run, watermark, .. } in std::mem::take(&mut self.staged) {
            self.watermark = watermark;
            self.end = run.text.end;
            self.rows += run.rows.len() as u32;
            self.tail.push(run);
        }
        if self.tail_rows() >= BLOCK_ROWS
            && !self.is_dirty
            && let Err(error) = self.move_tail_to_file(BLOCK_ROWS)
        {
            // The lines are safe and their columns stay in memory; the next commit tries again.
            tracing::warn!(error = &error as &dyn std::error::Error, "an index could not be written");
        }
        self.merge_tail();
        self.show();
        notes
    }

    /// Joins neighbouring runs of like size, so that there are never more than a few.
    fn merge_tail(&mut self) {
        let mut merged: Vec<TailRun> = Vec::with_capacity(self.tail.len());
        for mut run in std::mem::take(&mut self.tail) {
            while merged.last().is_some_and(|last| {
                last.rows.len() <= 2 * run.rows.len() && last.rows.len() + run.rows.len() <= BLOCK_ROWS
            }) {
                let mut last = merged.pop().expect("the loop's condition has seen it");
                last.rows.append(&mut run.rows);
                run = TailRun { rows: last.rows, text: last.text.start..run.text.end, block: None };
            }
            merged.push(run);
        }
        for run in &mut merged {
            run.block.get_or_insert_with(|| {
                let encoded = block::encode(run.rows.clone(), run.text.clone(), &NewNames::default());
                Arc::new(Block::in_memory(&encoded))
            });
        }
        self.tail = merged;
    }

    /// Writes blocks of at least `least` rows to the index. The text is synced before: a block vouches for it.
    fn move_tail_to_file(&mut self, least: usize) -> Result<(), StoreError> {
        let mut rows: Vec<Row> = self.tail.drain(..).flat_map(|run| run.rows).collect();
        let mut outcome = Ok(());
        while outcome.is_ok() && !rows.is_empty() && rows.len() >= least {
            let rest = rows.split_off(rows.len().min(BLOCK_ROWS));
            outcome = self.write_block(&rows);
            if outcome.is_ok() {
                rows = rest;
            } else {
                rows.extend(rest);
            }
        }
        for chunk in rows.chunks(BLOCK_ROWS) {
            self.tail.push(TailRun { rows: chunk.to_vec(), text: text_of(chunk), block: None });
        }
        outcome
    }

    fn write_block(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        let encoded = block::encode(rows.to_vec(), text_of(rows), &self.names.new_names());
        let view = self.index_view()?;
        files::write_at(&self.index, &self.paths.index, &encoded.bytes, self.index_len as u64)?;
        self.so_far.add(&Block::in_memory(&encoded));
        let found = encoded.in_file(self.index_len);
        self.index_len = found.body.end;
        self.names.note_in_file();
        self.in_file.push(Arc::new(Block::in_file(found, view)));
        Ok(())
    }

    fn index_view(&mut self) -> Result<FileView, StoreError> {
        if self.index_view.is_none() {
            self.index_view = Some(self.reading.growing(&self.index, INDEX_CAPACITY, &self.paths.index)?);
        }
        Ok(self.index_view.clone().expect("it was made above"))
    }

    fn show(&self) {
        let tail = self.tail.iter().filter_map(|run| run.block.clone());
        let blocks = self.in_file.iter().cloned().chain(tail).collect();
        let published = Published::new(self.rows, blocks, &self.names);
        self.segment.publish(published.with_sums(self.so_far.shown()));
    }

    /// Finishes the index and lets the files go.
    pub(super) fn close(mut self) -> Result<(), StoreError> {
        self.sync()?;
        let ended = self.move_tail_to_file(1).and_then(|()| self.end_index());
        if !matches!(ended, Ok(true)) {
            self.merge_tail();
            self.show();
        }
        ended.map(|_is_shown| ())
    }

    /// Writes the summary behind the last block and lets readers use it; whether there is one.
    fn end_index(&mut self) -> Result<bool, StoreError> {
        let index = self.index_view()?;
        let blocks = index.read(0..self.index_len)?;
        let summary = block::summarize(&blocks, INDEX_MAGIC.len(), &self.names.lists());
        let Some(summary) = summary else { return Ok(false) };
        files::write_at(&self.index, &self.paths.index, &summary, self.index_len as u64)?;
        let whole_len = self.index_len + summary.len();
        let index = self.reading.growing(&self.index, whole_len, &self.paths.index)?;
        let published = Published::in_file(index, INDEX_MAGIC.len())?;
        Ok(published.map(|published| self.segment.publish(published)).is_some())
    }
}

/// The text of neighbouring rows.
fn text_of(rows: &[Row]) -> Range<u64> {
    let start = rows.first().map_or(0, |row| u64::from(row.pos));
    start..rows.last().map_or(start, |row| u64::from(row.pos) + u64::from(row.len) + 1)
}

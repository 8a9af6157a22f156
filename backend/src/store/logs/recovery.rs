//! Opens a segment in its open form: what its index lacks is made from the text, up to the last whole commit.

use super::block::{self, Block, Found};
use super::commits::{Commit, last_whole, noted_end, read_commits};
use super::dictionary::Dictionaries;
use super::rows::RowReader;
use super::segment::{
    BLOCK_ROWS, Effort, INDEX_MAGIC, INDEX_MAGIC_BEFORE, NewIndex, Opening, Paths, Published, tell_unsaved,
};
use crate::store::StoreError;
use crate::store::file_view::{FileView, Reading, caught, or_end};
use sonde_shared::time::{Day, Timestamp};
use std::path::Path;
use std::sync::Arc;

/// So much text is read at first for a block.
const FIRST_CHUNK: usize = 1 << 20;

/// A segment's text, what of it counts, and whether all of that is surely on disk.
pub(super) struct Recovered {
    pub(super) text: FileView,
    pub(super) published: Published,
    pub(super) is_synced: bool,
    /// What the index should be, for the folder's owner.
    pub(super) index: Option<NewIndex>,
}

/// Opens the text and its index; `None` where making what the index lacks takes more than the effort allows.
pub(super) fn open(
    paths: &Paths,
    day: Day,
    watermark: Timestamp,
    opening: &Opening,
    effort: Effort<'_>,
) -> Result<Option<Recovered>, StoreError> {
    let (is_owner, reading) = (opening.is_owner, opening.reading);
    let text = view_text(paths, reading)?;
    if let Some(published) = whole_index(paths, &text, reading)? {
        return Ok(Some(Recovered { text, published, is_synced: true, index: None }));
    }
    let mut recovery = Recovery::from_index(&paths.index, text.len() as u64, is_owner, reading)?;
    let is_tail = || lines_noted(paths).is_some_and(|lines| lines < recovery.rows + BLOCK_ROWS as u32);
    if effort.is_below_tail(text.len() as u64 - recovery.end, is_tail) {
        return Ok(None);
    }
    let commit = last_commit(paths, (recovery.end, recovery.rows), &text)?;
    tell_missing(paths, recovery.known_end.max(noted_end(&records(paths)?)).saturating_sub(commit.end));
    if !recovery.index_rest(&text, commit, RowReader::new(day, recovery.latest(watermark)), effort)? {
        return Ok(None);
    }
    let published = recovery.publish();
    if !(is_owner && recovery.needs_saving()) {
        return Ok(Some(Recovered { text, published, is_synced: true, index: None }));
    }
    // A killed process leaves what it wrote, not what it synced. A block vouches for its text, which no start reads again.
    let synced = paths.sync_left();
    let is_synced = synced.is_ok();
    if let Err(error) = &synced {
        tell_unsaved(error);
    }
    let bytes = recovery.file()?;
    let index = is_synced.then_some(NewIndex { bytes, head_len: INDEX_MAGIC.len() });
    Ok(Some(Recovered { text, published, is_synced, index }))
}

fn view_text(paths: &Paths, reading: Reading) -> Result<FileView, StoreError> {
    let text = reading.whole(&paths.text)?;
    if u32::try_from(text.len()).is_err() {
        let why = "a segment holds less than 4 GiB of text; split the file".into();
        return Err(StoreError::Damaged { path: paths.text.clone(), why });
    }
    Ok(text)
}

/// Lines that were acknowledged may be among these; what a loss of power leaves of others looks the same.
fn tell_missing(paths: &Paths, bytes: u64) {
    if bytes > 0 {
        let file = paths.text.display();
        tracing::warn!(%file, bytes, "text that was committed is missing or changed: what counts ends before it");
    }
}

/// The commit records of a segment; none where a text was copied here alone.
pub(super) fn records(paths: &Paths) -> Result<Vec<u8>, StoreError> {
    match std::fs::read(&paths.commits) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(StoreError::io("read", &paths.commits)),
    }
}

/// The end of the text that the blocks of an index are of, however much of it there is.
pub(super) fn indexed_end(paths: &Paths, reading: Reading) -> Result<u64, StoreError> {
    Ok(Recovery::from_index(&paths.index, u64::MAX, false, reading)?.end)
}

/// How many lines a segment has by its records, whose text is not looked at; `None` without any.
fn lines_noted(paths: &Paths) -> Option<u32> {
    read_commits(&records(paths).ok()?).map(|(commit, _)| commit.rows).max()
}

/// How many lines of a segment count, told from its records and what holds of its index. Its text is not indexed for that.
pub(super) fn count_lines(paths: &Paths) -> Result<u32, StoreError> {
    let text = view_text(paths, Reading::Pread)?;
    let known = Recovery::from_index(&paths.index, text.len() as u64, false, Reading::Pread)?;
    Ok(last_commit(paths, (known.end, known.rows), &text)?.rows)
}

/// What the index says, where it ends with a summary and lacks nothing. No block of it is read.
fn whole_index(paths: &Paths, text: &FileView, reading: Reading) -> Result<Option<Published>, StoreError> {
    if !paths.index.exists() {
        return Ok(None);
    }
    let view = reading.whole(&paths.index)?;
    if view.len() < INDEX_MAGIC.len() || *view.read(0..INDEX_MAGIC.len())? != *INDEX_MAGIC {
        return Ok(None);
    }
    let Some(published) = Published::in_file(view, INDEX_MAGIC.len())? else { return Ok(None) };
    let end = published.blocks.text_end();
    // A line has a line feed at least, so that lines and text stay countable together.
    let is_of_text =
        published.blocks.metas().all(|meta| u64::from(meta.rows) <= meta.text.end - meta.text.start);
    let is_whole =
        is_of_text && end <= text.len() as u64 && last_commit(paths, (end, published.rows), text)?.end <= end;
    Ok(is_whole.then_some(published))
}

/// The last commit, beyond what the index covers: the end of its text, and its lines.
fn last_commit(paths: &Paths, known: (u64, u32), text: &FileView) -> Result<Commit, StoreError> {
    let known = Commit { end: known.0, rows: known.1, text_crc: 0 };
    if !paths.commits.exists() {
        // A text that was copied here alone: every line that ends is whole.
        return Ok(Commit { end: end_of_lines(text)?.max(known.end), ..known });
    }
    // Not mapped: the server that writes them may take back the last ones.
    let records = std::fs::read(&paths.commits).map_err(StoreError::io("read", &paths.commits))?;
    let read = |from: u64, until: u64| {
        (until <= text.len() as u64).then(|| or_end(text.read(from as usize..until as usize)))
    };
    caught(|| last_whole(&records, known, read))
}

/// The place behind the last line that has its end.
fn end_of_lines(text: &FileView) -> Result<u64, StoreError> {
    const STEP: usize = 1 << 20;
    let mut end = text.len();
    while end > 0 {
        let start = end.saturating_sub(STEP);
        if let Some(at) = memchr::memrchr(b'\n', &text.read(start..end)?) {
            return Ok((start + at) as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// A segment's index while it is made whole: blocks from the file, then those made from the text.
struct Recovery {
    blocks: Vec<Arc<Block>>,
    names: Dictionaries,
    /// Whether the file is to be made whole: the folder is ours.
    is_owner: bool,
    /// How much text and how many lines the blocks cover.
    end: u64,
    rows: u32,
    /// How much text the blocks were of that follow on one another, whether or not it is there.
    known_end: u64,
    /// The whole part of the file, then new blocks.
    file: Vec<u8>,
    view: Option<FileView>,
    whole_len: usize,
    is_changed: bool,
}

impl Recovery {
    /// Takes the blocks of the file that follow on one another without a gap, up to the first that is damaged.
    fn from_index(path: &Path, text_len: u64, is_owner: bool, reading: Reading) -> Result<Self, StoreError> {
        let mut this = Self {
            blocks: Vec::new(),
            names: Dictionaries::default(),
            is_owner,
            end: 0,
            rows: 0,
            known_end: 0,
            file: Vec::new(),
            view: None,
            whole_len: INDEX_MAGIC.len(),
            is_changed: true,
        };
        if !path.exists() {
            return Ok(this);
        }
        let view = reading.whole(path)?;
        let bytes = view.read(0..view.len())?;
        if !(bytes.starts_with(INDEX_MAGIC) || bytes.starts_with(INDEX_MAGIC_BEFORE)) {
            return Ok(this);
        }
        while let Some(found) = block::find(&bytes, this.whole_len) {
            this.known_end = found.meta.text.end;
            let follows = found.meta.first_row == this.rows
                && found.meta.text.start == this.end
                && found.meta.text.end <= text_len
                // A line has a line feed at least, so that lines and text stay countable together.
                && u64::from(found.meta.rows) <= found.meta.text.end - found.meta.text.start;
            if !follows || !this.take(found, &view) {
                break;
            }
        }
        this.is_changed = this.whole_len != view.len();
        this.view = Some(view);
        Ok(this)
    }

    /// Adds a block of the file; false where it is damaged.
    fn take(&mut self, mut found: Found, view: &FileView) -> bool {
        let names = std::mem::take(&mut found.names);
        let behind = found.body.end;
        let block = Arc::new(Block::in_file(found, view.clone()));
        // Columns that are to be summed up are looked at now; else when they are used.
        if self.is_owner && !block.for_reader().holds() || !self.names.add_from_file(names) {
            return false;
        }
        self.rows += block.meta().rows;
        self.end = block.meta().text.end;
        self.whole_len = behind;
        self.blocks.push(block);
        true
    }

    /// Whether the file is not what it should be: it lacks blocks, or its summary.
    fn needs_saving(&self) -> bool {
        self.is_changed || self.rows > 0
    }

    /// The time of the latest line up to where the index ends.
    fn latest(&self, watermark: Timestamp) -> Timestamp {
        let known = self.blocks.iter().map(|block| block.meta().max_ts);
        known.fold(watermark, Timestamp::max)
    }

    /// Makes the blocks of the text between what the index covers and the last commit; false when it was stopped.
    fn index_rest(
        &mut self,
        text: &FileView,
        commit: Commit,
        mut reader: RowReader,
        effort: Effort<'_>,
    ) -> Result<bool, StoreError> {
        let (mut at, end) = (self.end as usize, commit.end.max(self.end) as usize);
        let mut about = FIRST_CHUNK;
        while at < end {
            if effort.is_stopped() {
                return Ok(false);
            }
            let lines = text.lines(at..end, about)?;
            let last = memchr::memchr_iter(b'\n', &lines).nth(BLOCK_ROWS - 1);
            if last.is_none() && lines.len() < end - at {
                about = lines.len().saturating_mul(2);
                continue;
            }
            let chunk_len = last.map_or(lines.len(), |last| last + 1);
            // What is beyond a block is read again with the next one, so not much more is asked for.
            about = chunk_len + chunk_len / 8;
            self.index_chunk(&lines[..chunk_len], &mut reader);
            at += chunk_len;
        }
        Ok(true)
    }

    fn index_chunk(&mut self, chunk: &[u8], reader: &mut RowReader) {
        let names = &mut self.names;
        let rows = reader.read(chunk, self.end as u32, self.rows, |kind, name| names.number(kind, name));
        if rows.is_empty() {
            return;
        }
        let text = self.end..self.end + chunk.len() as u64;
        self.rows += rows.len() as u32;
        self.end = text.end;
        let encoded = block::encode(rows, text, &self.names.new_names());
        self.names.note_in_file();
        self.file.extend_from_slice(&encoded.bytes);
        self.blocks.push(Arc::new(Block::in_memory(&encoded)));
        self.is_changed = true;
    }

    /// What the file should be.
    fn file(&self) -> Result<Vec<u8>, StoreError> {
        let mut bytes = INDEX_MAGIC.to_vec();
        if let Some(view) = &self.view
            && view.len() > INDEX_MAGIC.len()
        {
            view.read_into(INDEX_MAGIC.len()..self.whole_len, &mut bytes)?;
        }
        bytes.extend_from_slice(&self.file);
        let summary = block::summarize(&bytes, INDEX_MAGIC.len(), &self.names.lists());
        bytes.extend(summary.unwrap_or_default());
        Ok(bytes)
    }

    fn publish(&self) -> Published {
        Published::new(self.rows, self.blocks.clone(), &self.names)
    }
}

//! Opens a segment in its open form: what its index lacks is made from the text, up to the last whole commit.

use super::block::{self, Block, Found};
use super::commits::{Commit, last_whole, read_commits};
use super::dictionary::Dictionaries;
use super::mapped::Mapped;
use super::rows::RowReader;
use super::segment::{
    BLOCK_ROWS, Effort, INDEX_MAGIC, INDEX_MAGIC_BEFORE, NewIndex, Paths, Published, tell_unsaved,
};
use crate::store::StoreError;
use sonde_shared::time::{Day, Timestamp};
use std::path::Path;
use std::sync::Arc;

/// A segment's text, what of it counts, and whether all of that is surely on disk.
pub(super) struct Recovered {
    pub(super) text: Mapped,
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
    is_owner: bool,
    effort: Effort<'_>,
) -> Result<Option<Recovered>, StoreError> {
    let text = map_text(paths)?;
    if let Some(published) = whole_index(paths, &text)? {
        return Ok(Some(Recovered { text, published, is_synced: true, index: None }));
    }
    let mut recovery = Recovery::from_index(&paths.index, text.len() as u64, is_owner)?;
    let is_tail = || lines_noted(paths).is_some_and(|lines| lines < recovery.rows + BLOCK_ROWS as u32);
    if effort.is_below_tail(text.len() as u64 - recovery.end, is_tail) {
        return Ok(None);
    }
    let commit = last_commit(paths, (recovery.end, recovery.rows), &text)?;
    if !recovery.index_rest(&text, commit, RowReader::new(day, recovery.latest(watermark)), effort) {
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
    let index = is_synced.then(|| NewIndex { bytes: recovery.file(), head_len: INDEX_MAGIC.len() });
    Ok(Some(Recovered { text, published, is_synced, index }))
}

fn map_text(paths: &Paths) -> Result<Mapped, StoreError> {
    let text = Mapped::whole(&paths.text)?;
    if u32::try_from(text.len()).is_err() {
        let why = "a segment holds less than 4 GiB of text; split the file".into();
        return Err(StoreError::Damaged { path: paths.text.clone(), why });
    }
    Ok(text)
}

/// How many lines a segment has by its records, whose text is not looked at; `None` without any.
fn lines_noted(paths: &Paths) -> Option<u32> {
    let records = std::fs::read(&paths.commits).ok()?;
    read_commits(&records).map(|(commit, _)| commit.rows).max()
}

/// How many lines of a segment count, told from its records and what holds of its index. Its text is not indexed for that.
pub(super) fn count_lines(paths: &Paths) -> Result<u32, StoreError> {
    let text = map_text(paths)?;
    let known = Recovery::from_index(&paths.index, text.len() as u64, false)?;
    Ok(last_commit(paths, (known.end, known.rows), &text)?.rows)
}

/// What the index says, where it ends with a summary and lacks nothing. No block of it is read.
fn whole_index(paths: &Paths, text: &Mapped) -> Result<Option<Published>, StoreError> {
    if !paths.index.exists() {
        return Ok(None);
    }
    let map = Mapped::whole(&paths.index)?;
    if map.get(0..INDEX_MAGIC.len()) != Some(INDEX_MAGIC) {
        return Ok(None);
    }
    let Some(published) = Published::in_file(map, INDEX_MAGIC.len()) else { return Ok(None) };
    let end = published.blocks.metas().last().map_or(0, |meta| meta.text.end);
    // A line has a line feed at least, so that lines and text stay countable together.
    let is_of_text =
        published.blocks.metas().all(|meta| u64::from(meta.rows) <= meta.text.end - meta.text.start);
    let is_whole =
        is_of_text && end <= text.len() as u64 && last_commit(paths, (end, published.rows), text)?.end <= end;
    Ok(is_whole.then_some(published))
}

/// The last commit, beyond what the index covers: the end of its text, and its lines.
fn last_commit(paths: &Paths, known: (u64, u32), text: &Mapped) -> Result<Commit, StoreError> {
    let known = Commit { end: known.0, rows: known.1, text_crc: 0 };
    if !paths.commits.exists() {
        // A text that was copied here alone: every line that ends is whole.
        let end = memchr::memrchr(b'\n', text.slice(0..text.len())).map_or(0, |at| at as u64 + 1);
        return Ok(Commit { end: end.max(known.end), ..known });
    }
    // Not mapped: the server that writes them may take back the last ones.
    let records = std::fs::read(&paths.commits).map_err(StoreError::io("read", &paths.commits))?;
    let read = |from: u64, until: u64| {
        (until <= text.len() as u64).then(|| text.slice(from as usize..until as usize))
    };
    Ok(last_whole(&records, known, read))
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
    /// The whole part of the file, then new blocks.
    file: Vec<u8>,
    map: Option<Mapped>,
    whole_len: usize,
    is_changed: bool,
}

impl Recovery {
    /// Takes the blocks of the file that follow on one another without a gap, up to the first that is damaged.
    fn from_index(path: &Path, text_len: u64, is_owner: bool) -> Result<Self, StoreError> {
        let mut this = Self {
            blocks: Vec::new(),
            names: Dictionaries::default(),
            is_owner,
            end: 0,
            rows: 0,
            file: Vec::new(),
            map: None,
            whole_len: INDEX_MAGIC.len(),
            is_changed: true,
        };
        if !path.exists() {
            return Ok(this);
        }
        let map = Mapped::whole(path)?;
        let bytes = map.slice(0..map.len());
        if !(bytes.starts_with(INDEX_MAGIC) || bytes.starts_with(INDEX_MAGIC_BEFORE)) {
            return Ok(this);
        }
        while let Some(found) = block::find(bytes, this.whole_len) {
            let follows = found.meta.first_row == this.rows
                && found.meta.text.start == this.end
                && found.meta.text.end <= text_len
                // A line has a line feed at least, so that lines and text stay countable together.
                && u64::from(found.meta.rows) <= found.meta.text.end - found.meta.text.start;
            if !follows || !this.take(found, &map) {
                break;
            }
        }
        this.is_changed = this.whole_len != map.len();
        this.map = Some(map);
        Ok(this)
    }

    /// Adds a block of the file; false where it is damaged.
    fn take(&mut self, mut found: Found, map: &Mapped) -> bool {
        let names = std::mem::take(&mut found.names);
        let behind = found.body.end;
        let block = Block::mapped(found, map.clone());
        // Columns that are to be summed up are looked at now; else when they are used.
        if self.is_owner && !block.holds() || !self.names.add_from_file(names) {
            return false;
        }
        self.rows += block.meta().rows;
        self.end = block.meta().text.end;
        self.whole_len = behind;
        self.blocks.push(Arc::new(block));
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
        text: &Mapped,
        commit: Commit,
        mut reader: RowReader,
        effort: Effort<'_>,
    ) -> bool {
        let mut lines = text.slice(self.end as usize..commit.end.max(self.end) as usize);
        while !lines.is_empty() {
            if effort.is_stopped() {
                return false;
            }
            let chunk_len =
                memchr::memchr_iter(b'\n', lines).nth(BLOCK_ROWS - 1).map_or(lines.len(), |at| at + 1);
            let (chunk, rest) = lines.split_at(chunk_len);
            self.index_chunk(chunk, &mut reader);
            lines = rest;
        }
        true
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
    fn file(&self) -> Vec<u8> {
        let mut bytes = INDEX_MAGIC.to_vec();
        if let Some(map) = &self.map
            && map.len() > INDEX_MAGIC.len()
        {
            bytes.extend_from_slice(map.slice(INDEX_MAGIC.len()..self.whole_len));
        }
        bytes.extend_from_slice(&self.file);
        let summary = block::summarize(&bytes, INDEX_MAGIC.len(), &self.names.lists());
        bytes.extend(summary.unwrap_or_default());
        bytes
    }

    fn publish(&self) -> Published {
        Published::new(self.rows, self.blocks.clone(), &self.names)
    }
}

//! A segment as its readers see it: the mapped text, the index' blocks and how far both are whole.
//!
//! Readers take a [`Published`] and work on it for as long as they like; the writer publishes a new one and never
//! touches an old one. What a crash left behind the last whole commit is not part of a segment.

use super::block::{self, Block, Columns, Row};
use super::commits::{Commit, last_whole};
use super::dictionary::{Dictionaries, NameList, OTHER};
use super::fields;
use super::mapped::Mapped;
use crate::patterns::Masker;
use crate::store::files::write_atomically;
use crate::store::layout::numbered;
use crate::store::{StoreError, files};
use sonde_shared::log::Level;
use sonde_shared::time::{Day, NANOS_PER_SEC, Timestamp};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// The prefix of all files of lines.
pub const PREFIX: &str = "logs";
/// How many rows a block of the file's index holds; only a segment's last one holds fewer.
pub const BLOCK_ROWS: usize = 8_192;
/// The first bytes of an index file: its kind and version.
pub const INDEX_MAGIC: &[u8; 8] = b"SNDIDX02";
/// A line that is so much older than the day's latest before it is late, in nanoseconds.
pub const LATE_NANOS: i64 = 60 * NANOS_PER_SEC;

/// The files of a segment.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The lines.
    pub text: PathBuf,
    /// The commit records.
    pub commits: PathBuf,
    /// The index.
    pub index: PathBuf,
}

impl Paths {
    /// The files of segment `number` in a day's folder.
    pub fn new(dir: &Path, number: u32) -> Self {
        let path = |suffix| numbered(dir, PREFIX, number, suffix);
        Self { text: path("ndjson"), commits: path("commits"), index: path("idx") }
    }
}

/// A moment of a segment: all of it is whole and stays as it is.
#[derive(Clone, Debug)]
pub struct Published {
    /// Lines.
    pub rows: u32,
    /// The index, by arrival.
    pub blocks: Arc<[Arc<Block>]>,
    /// Component names by number.
    pub components: NameList,
    /// Host names by number; the empty one means none.
    pub hosts: NameList,
    /// Patterns of messages by number.
    pub patterns: NameList,
}

impl Default for Published {
    fn default() -> Self {
        let none = || NameList::from([]);
        Self { rows: 0, blocks: Arc::new([]), components: none(), hosts: none(), patterns: none() }
    }
}

/// One segment of one day.
#[derive(Debug)]
pub struct Segment {
    day: Day,
    number: u32,
    /// The time of the latest line of the day's earlier segments.
    watermark: Timestamp,
    text: Mapped,
    published: RwLock<Published>,
}

impl Segment {
    /// A segment that the writer has just begun.
    pub(super) fn begun(day: Day, number: u32, watermark: Timestamp, text: Mapped) -> Self {
        Self { day, number, watermark, text, published: RwLock::default() }
    }

    /// The day its lines are of.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Its number in the day.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What is whole now.
    pub fn published(&self) -> Published {
        self.published.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(super) fn publish(&self, published: Published) {
        *self.published.write().unwrap_or_else(std::sync::PoisonError::into_inner) = published;
    }

    /// The text of a line that a block of this segment names, with its line feed.
    pub fn line_with_feed(&self, row: &Row) -> &[u8] {
        let start = row.pos as usize;
        self.text.slice(start..start + row.len as usize + 1)
    }

    /// Text that blocks of this segment name.
    pub fn text(&self, range: std::ops::Range<usize>) -> &[u8] {
        self.text.slice(range)
    }

    /// A block's columns. Columns on disk are checked once; damaged ones are made again from the text.
    pub fn columns<'a>(&'a self, block: &'a Block, published: &Published) -> Columns<'a> {
        block.columns(|| self.rebuild(block, published))
    }

    fn rebuild(&self, block: &Block, published: &Published) -> Vec<Row> {
        let path = Paths::new(Path::new(&self.day.to_string()), self.number).index;
        tracing::warn!(index = %path.display(), row = block.meta().first_row, "a damaged block is made again from its text");
        let numbers = KnownNumbers::of(published);
        let meta = block.meta();
        let before = published.blocks.iter().filter(|other| other.meta().first_row < meta.first_row);
        let watermark = before.map(|other| other.meta().max_ts).fold(self.watermark, Timestamp::max);
        let text = self.text.slice(meta.text.start as usize..meta.text.end as usize);
        let mut reader = RowReader::new(self.day, watermark);
        reader.read(text, meta.text.start as u32, meta.first_row, |kind, name| numbers.find(kind, name))
    }

    /// Opens a finished segment. What its index lacks is made from the text and, for the folder's owner, written down.
    /// `watermark` is the time of the latest line of the day's earlier segments.
    pub fn open(dir: &Path, day: Day, number: u32, watermark: Timestamp) -> Result<Self, StoreError> {
        let paths = Paths::new(dir, number);
        let text = Mapped::whole(&paths.text)?;
        if u32::try_from(text.len()).is_err() {
            let why = "a segment holds less than 4 GiB of text; split the file".into();
            return Err(StoreError::Damaged { path: paths.text, why });
        }
        let mut recovery = Recovery::from_index(&paths.index, text.len() as u64)?;
        let commit = last_commit(&paths, &recovery, &text)?;
        recovery.index_rest(&text, commit, day, watermark);
        if recovery.is_changed {
            match recovery.save(&paths.index) {
                Ok(()) => recovery = Recovery::from_index(&paths.index, text.len() as u64)?,
                // The blocks in memory answer as well; the next start tries again.
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "an index stays in memory");
                }
            }
        }
        let published = recovery.publish();
        Ok(Self { day, number, watermark, text, published: RwLock::new(published) })
    }
}

fn last_commit(paths: &Paths, recovery: &Recovery, text: &Mapped) -> Result<Commit, StoreError> {
    let known = Commit { end: recovery.end, rows: recovery.rows, text_crc: 0 };
    if !paths.commits.exists() {
        // A text that was copied here alone: every line that ends is whole.
        let end = memchr::memrchr(b'\n', text.slice(0..text.len())).map_or(0, |at| at as u64 + 1);
        return Ok(Commit { end: end.max(known.end), ..known });
    }
    let records = Mapped::whole(&paths.commits)?;
    let read = |from: u64, until: u64| {
        (until <= text.len() as u64).then(|| text.slice(from as usize..until as usize))
    };
    Ok(last_whole(records.slice(0..records.len()), known, read))
}

/// Which of the dictionaries a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Components.
    Component,
    /// Hosts.
    Host,
    /// Patterns of messages.
    Pattern,
}

/// The numbers of a segment's names, for blocks that are made again.
struct KnownNumbers {
    by_kind: [HashMap<Arc<str>, u16>; 3],
}

impl KnownNumbers {
    fn of(published: &Published) -> Self {
        let numbers = |names: &NameList| {
            names.iter().enumerate().map(|(number, name)| (name.clone(), number as u16)).collect()
        };
        Self { by_kind: [&published.components, &published.hosts, &published.patterns].map(numbers) }
    }

    fn find(&self, kind: NameKind, name: &str) -> u16 {
        let numbers = &self.by_kind[kind as usize];
        numbers.get(name).or_else(|| numbers.get(OTHER)).copied().unwrap_or(0)
    }
}

/// Whether a line comes late, and the time of the latest line with it.
pub(super) fn is_late(ts: Timestamp, watermark: &mut Timestamp) -> bool {
    let is_late = ts.plus_nanos(LATE_NANOS) < *watermark;
    *watermark = ts.max(*watermark);
    is_late
}

/// Reads the rows of whole lines, in order of arrival.
struct RowReader {
    day: Day,
    watermark: Timestamp,
    masker: Masker,
}

impl RowReader {
    fn new(day: Day, watermark: Timestamp) -> Self {
        Self { day, watermark, masker: Masker::default() }
    }

    /// `number` gives each name its number.
    fn read(
        &mut self,
        text: &[u8],
        text_start: u32,
        first_row: u32,
        mut number: impl FnMut(NameKind, &str) -> u16,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            let line = &text[start..end];
            let fields = fields::read(line);
            let (ts, component, host, level, message) = fields.as_ref().map_or_else(
                |_unreadable| (self.day.start(), fields::UNKNOWN_COMPONENT, "", Level::Info, ""),
                |fields| (fields.ts, fields.component(), fields.host(), fields.level, fields.message),
            );
            rows.push(Row {
                ts,
                arrival: first_row + rows.len() as u32,
                pos: text_start + start as u32,
                len: line.len() as u32,
                component: number(NameKind::Component, component),
                host: number(NameKind::Host, host),
                pattern: number(NameKind::Pattern, self.masker.template(message)),
                level,
                is_late: is_late(ts, &mut self.watermark),
            });
            start = end + 1;
        }
        rows
    }
}

/// A segment's index while it is opened: blocks from the file, then those made from the text.
struct Recovery {
    blocks: Vec<Arc<Block>>,
    names: Dictionaries,
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
    /// Takes the blocks of the file that follow on one another without a gap, up to the first damaged head.
    fn from_index(path: &Path, text_len: u64) -> Result<Self, StoreError> {
        let mut this = Self {
            blocks: Vec::new(),
            names: Dictionaries::default(),
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
        if !bytes.starts_with(INDEX_MAGIC) {
            return Ok(this);
        }
        while let Some(found) = block::find(bytes, this.whole_len) {
            let follows = found.meta.first_row == this.rows
                && found.meta.text.start == this.end
                && found.meta.text.end <= text_len;
            if !follows || !this.names.add_from_file(found.names) {
                break;
            }
            this.rows += found.meta.rows;
            this.end = found.meta.text.end;
            this.whole_len = found.columns.end;
            this.blocks.push(Arc::new(Block::mapped(found.meta, map.clone(), found.columns)));
        }
        this.is_changed = this.whole_len != map.len();
        this.map = Some(map);
        Ok(this)
    }

    /// Makes the blocks of the text between what the index covers and the last commit.
    fn index_rest(&mut self, text: &Mapped, commit: Commit, day: Day, watermark: Timestamp) {
        let known = self.blocks.iter().map(|block| block.meta().max_ts);
        let mut reader = RowReader::new(day, known.fold(watermark, Timestamp::max));
        let mut lines = text.slice(self.end as usize..commit.end.max(self.end) as usize);
        while !lines.is_empty() {
            let chunk_len =
                memchr::memchr_iter(b'\n', lines).nth(BLOCK_ROWS - 1).map_or(lines.len(), |at| at + 1);
            let (chunk, rest) = lines.split_at(chunk_len);
            self.index_chunk(chunk, &mut reader);
            lines = rest;
        }
    }

    fn index_chunk(&mut self, chunk: &[u8], reader: &mut RowReader) {
        let names = &mut self.names;
        let rows = reader.read(chunk, self.end as u32, self.rows, |kind, name| match kind {
            NameKind::Component => names.components.number(name),
            NameKind::Host => names.hosts.number(name),
            NameKind::Pattern => names.patterns.number(name),
        });
        if rows.is_empty() {
            return;
        }
        let text = self.end..self.end + chunk.len() as u64;
        self.rows += rows.len() as u32;
        self.end = text.end;
        let (meta, bytes) = block::encode(rows, text, &self.names.new_names());
        self.names.note_in_file();
        self.file.extend_from_slice(&bytes);
        self.blocks.push(Arc::new(Block::in_memory(meta, &bytes)));
        self.is_changed = true;
    }

    fn save(&self, path: &Path) -> Result<(), StoreError> {
        let mut bytes = INDEX_MAGIC.to_vec();
        if let Some(map) = &self.map
            && map.len() > INDEX_MAGIC.len()
        {
            bytes.extend_from_slice(map.slice(INDEX_MAGIC.len()..self.whole_len));
        }
        bytes.extend_from_slice(&self.file);
        write_atomically(path, &bytes)
    }

    fn publish(self) -> Published {
        Published {
            rows: self.rows,
            blocks: self.blocks.into(),
            components: self.names.components.published(),
            hosts: self.names.hosts.published(),
            patterns: self.names.patterns.published(),
        }
    }
}

/// The segments of a day's folder, oldest first.
pub fn open_all(dir: &Path, day: Day) -> Result<Vec<Arc<Segment>>, StoreError> {
    let numbers = crate::store::layout::list_numbers(dir, PREFIX, "ndjson")?;
    let mut segments: Vec<Arc<Segment>> = Vec::new();
    for number in numbers {
        segments.push(Arc::new(Segment::open(dir, day, number, watermark_of(&segments))?));
    }
    Ok(segments)
}

/// The time of the latest line of segments; [`Timestamp::MIN`] when they have none.
pub(super) fn watermark_of(segments: &[Arc<Segment>]) -> Timestamp {
    let latest = |segment: &Arc<Segment>| segment.published().blocks.iter().map(|b| b.meta().max_ts).max();
    segments.iter().filter_map(latest).max().unwrap_or(Timestamp::MIN)
}

/// Creates the files of a new segment.
pub(super) fn create(dir: &Path, day: Day, number: u32) -> Result<(Paths, [std::fs::File; 3]), StoreError> {
    files::create_dir(dir)?;
    let paths = Paths::new(dir, number);
    let text = files::create_new(&paths.text)?;
    let others =
        files::create_new(&paths.commits).and_then(|commits| Ok([commits, files::create_new(&paths.index)?]));
    let [commits, index] = others.inspect_err(|_failed| remove_begun(&paths))?;
    tracing::debug!(%day, number, "a segment was opened");
    Ok((paths, [text, commits, index]))
}

/// Removes the files of a segment that could not be begun, so that a full disk is not filled with empty ones.
pub(super) fn remove_begun(paths: &Paths) {
    for path in [&paths.index, &paths.commits, &paths.text] {
        if let Err(error) = std::fs::remove_file(path) {
            tracing::debug!(path = %path.display(), %error, "a file that was just begun could not be removed");
        }
    }
}

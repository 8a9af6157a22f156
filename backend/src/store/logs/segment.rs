//! A segment as its readers see it: the text, the index' blocks and how far both are whole.
//!
//! Readers take a [`Published`] and work on it for as long as they like; the writer publishes a new one and never
//! touches an old one. What a crash left behind the last whole commit is not part of a segment.

use super::block::{Block, BlockList, BlockMeta, Columns, Row, SoFar};
use super::commits;
use super::dictionary::{Dictionaries, NameList};
use super::foreign::{self, ForeignText};
use super::recovery;
use super::rows::{KnownNumbers, RowReader};
use super::sealed::{self, FrameCache, Rebuilt};
use super::text::Text;
use super::unread;
use crate::store::file_view::{FileView, Reading, caught, or_end};
use crate::store::layout::{list_numbers, numbered};
use crate::store::{StoreError, files};
use sonde_shared::time::{Day, Timestamp};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

/// The prefix of all files of lines.
pub const PREFIX: &str = "logs";
const SEALED_SUFFIX: &str = "ndjson.zst";
/// How many rows a block of the file's index holds; only a segment's last one holds fewer.
pub const BLOCK_ROWS: usize = 8_192;
/// The first bytes of an index file: its kind and version.
pub const INDEX_MAGIC: &[u8; 8] = b"SNDIDX04";
/// Those of the version before, which has the same blocks and no summary behind them.
pub const INDEX_MAGIC_BEFORE: &[u8; 8] = b"SNDIDX03";

/// The files of a segment.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The lines of a segment that is not sealed.
    pub text: PathBuf,
    /// The lines of a sealed one.
    pub sealed: PathBuf,
    /// The commit records.
    pub commits: PathBuf,
    /// The index.
    pub index: PathBuf,
}

impl Paths {
    /// The files of segment `number` in a day's folder.
    pub fn new(dir: &Path, number: u32) -> Self {
        let path = |suffix| numbered(dir, PREFIX, number, suffix);
        Self {
            text: path("ndjson"),
            sealed: path(SEALED_SUFFIX),
            commits: path("commits"),
            index: path("idx"),
        }
    }

    /// The form of the segment that counts, and what it says of the time of the latest line that the day had when the segment
    /// was begun, where it says so.
    pub(super) fn form(&self) -> (Form, Option<Timestamp>) {
        let sealed = sealed::watermark(&self.sealed);
        // A sealed file whose end is damaged counts only where there is no other.
        let is_sealed = sealed.is_some() || !self.text.exists();
        (if is_sealed { Form::Sealed } else { Form::Open }, sealed.or_else(|| self.watermark()))
    }

    /// The file that has the lines of a form.
    pub(super) fn of(&self, form: Form) -> &Path {
        match form {
            Form::Open => &self.text,
            Form::Sealed => &self.sealed,
        }
    }

    fn watermark(&self) -> Option<Timestamp> {
        let mut head = [0; commits::RECORD_BYTES];
        std::fs::File::open(&self.commits).and_then(|mut file| file.read_exact(&mut head)).ok()?;
        commits::decode_head(&head)
    }

    /// Syncs text and commit records that an earlier run has left.
    pub(super) fn sync_left(&self) -> Result<(), StoreError> {
        files::sync_left(&self.text)?;
        if self.commits.exists() { files::sync_left(&self.commits) } else { Ok(()) }
    }
}

/// Which of its two forms a segment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text and commit records.
    Open,
    /// The compressed one.
    Sealed,
}

/// A moment of a segment: all of it is whole and stays as it is.
#[derive(Clone, Debug)]
pub struct Published {
    /// Lines.
    pub rows: u32,
    /// The index, by arrival.
    pub blocks: BlockList,
    /// Component names by number.
    pub components: NameList,
    /// Host names by number; the empty one means none.
    pub hosts: NameList,
    /// Patterns of messages by number.
    pub patterns: NameList,
}

impl Published {
    pub(super) fn new(rows: u32, blocks: Vec<Arc<Block>>, names: &Dictionaries) -> Self {
        Self {
            rows,
            blocks: BlockList::Kept(blocks.into(), None),
            components: names.components.published(),
            hosts: names.hosts.published(),
            patterns: names.patterns.published(),
        }
    }

    /// The same with what the first of its blocks count together.
    pub(super) fn with_sums(mut self, sums: Option<Arc<SoFar>>) -> Self {
        if let BlockList::Kept(_, so_far) = &mut self.blocks {
            *so_far = sums;
        }
        self
    }

    /// What an index says that ends with a summary; `None` where there is none that is whole. Its blocks begin at
    /// `head_len`.
    pub(super) fn in_file(view: FileView, head_len: usize) -> Result<Option<Self>, StoreError> {
        let found = caught(|| BlockList::in_file(view, head_len))?;
        Ok(found.map(|(blocks, names)| {
            let [components, hosts, patterns] = names.map(NameList::from);
            Self { rows: blocks.rows(), blocks, components, hosts, patterns }
        }))
    }

    /// The earliest and the latest line.
    pub fn times(&self) -> Option<(Timestamp, Timestamp)> {
        self.blocks.times()
    }
}

impl Default for Published {
    fn default() -> Self {
        let none = NameList::none;
        let blocks = BlockList::Kept(Arc::new([]), None);
        Self { rows: 0, blocks, components: none(), hosts: none(), patterns: none() }
    }
}

/// How segments are opened.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    /// Where decoded frames are kept.
    pub(super) frames: Arc<FrameCache>,
    /// Whether what is made again may be written down: the folder is ours.
    pub(super) is_owner: bool,
    pub(super) reading: Reading,
}

impl Opening {
    pub(super) fn new(is_owner: bool, reading: Reading) -> Self {
        Self { frames: Arc::new(FrameCache::new(sealed::BUDGET_BYTES)), is_owner, reading }
    }
}

/// How far to go for a segment whose index lacks something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort<'a> {
    /// The most text that is read.
    pub(super) text_bytes: u64,
    /// The most where it has fewer lines than a block: so much a crash leaves of any segment that was being written.
    pub(super) tail_bytes: u64,
    /// Reading ends when this is set.
    pub(super) stop: &'a AtomicBool,
}

impl Effort<'static> {
    /// As far as it takes.
    pub(super) const ALL: Self = Self::up_to(u64::MAX, u64::MAX);

    /// No more than so much text, and so much in a tail.
    pub(super) const fn up_to(text_bytes: u64, tail_bytes: u64) -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Self { text_bytes, tail_bytes, stop: &NEVER }
    }
}

impl Effort<'_> {
    /// Whether it is too little for so much text.
    pub(super) fn is_below(self, text_bytes: u64) -> bool {
        self.is_stopped() || text_bytes > self.text_bytes
    }

    /// The same where fewer lines than a block may be left.
    pub(super) fn is_below_tail(self, text_bytes: u64, is_tail: impl FnOnce() -> bool) -> bool {
        self.is_below(text_bytes) && (self.is_stopped() || text_bytes > self.tail_bytes || !is_tail())
    }

    pub(super) fn is_stopped(self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What the index of a segment should be, and is not yet on disk.
#[derive(Debug)]
pub(super) struct NewIndex {
    pub(super) bytes: Vec<u8>,
    /// Where its blocks begin.
    pub(super) head_len: usize,
}

impl NewIndex {
    /// What readers find in the file, once these bytes are in it.
    pub(super) fn in_file(&self, path: &Path, reading: Reading) -> Result<Option<Published>, StoreError> {
        Published::in_file(reading.whole(path)?, self.head_len)
    }
}

/// One segment of one day.
#[derive(Debug)]
pub struct Segment {
    id: u64,
    day: Day,
    number: u32,
    /// The time of the latest line of the day's earlier segments.
    watermark: Timestamp,
    text: Text,
    published: RwLock<Published>,
    /// Whether nothing will be written to it any more.
    is_finished: AtomicBool,
    /// Whether what an earlier run has left of it is surely on disk.
    is_synced: bool,
    /// What was read again of a sealed one whose index is damaged.
    rebuilt: Rebuilt,
}

impl Segment {
    /// A segment that the writer has just begun.
    pub(super) fn begun(day: Day, number: u32, watermark: Timestamp, text: FileView) -> Self {
        Self::growing(day, number, watermark, Text::Open(text))
    }

    /// A day's lines in a stretch of a foreign file.
    pub(super) fn foreign(day: Day, number: u32, watermark: Timestamp, text: Arc<ForeignText>) -> Self {
        Self::growing(day, number, watermark, Text::Foreign(text))
    }

    /// One without lines yet.
    fn growing(day: Day, number: u32, watermark: Timestamp, text: Text) -> Self {
        Self {
            id: next_id(),
            day,
            number,
            watermark,
            text,
            published: RwLock::default(),
            is_finished: AtomicBool::new(false),
            is_synced: true,
            rebuilt: Rebuilt::default(),
        }
    }

    /// Opens a finished segment, in its sealed form where there is one, and writes down what its index lacked. `watermark` is
    /// the time of the latest line of the day's earlier segments. `None` where that takes more than the effort allows.
    pub(super) fn open(
        dir: &Path,
        day: Day,
        number: u32,
        watermark: Timestamp,
        opening: &Opening,
        effort: Effort<'_>,
    ) -> Result<Option<Self>, StoreError> {
        let Some((segment, index)) = Self::read(dir, day, number, watermark, opening, effort)? else {
            return Ok(None);
        };
        if let Some(index) = index {
            let path = Paths::new(dir, number).index;
            match files::write_atomically(&path, &index.bytes) {
                Ok(()) => {
                    if let Some(published) = index.in_file(&path, opening.reading)? {
                        segment.publish(published);
                    }
                }
                Err(error) => tell_unsaved(&error),
            }
        }
        Ok(Some(segment))
    }

    /// The same; what its index lacked is in memory, and told.
    pub(super) fn read(
        dir: &Path,
        day: Day,
        number: u32,
        watermark: Timestamp,
        opening: &Opening,
        effort: Effort<'_>,
    ) -> Result<Option<(Self, Option<NewIndex>)>, StoreError> {
        let (id, paths) = (next_id(), Paths::new(dir, number));
        let (form, own) = paths.form();
        // What the segment says itself outweighs what is left of the day's others.
        let watermark = own.unwrap_or(watermark);
        // Whoever opens a segment may be the writer, whom no file that cannot be read may end.
        let found = caught(|| match form {
            Form::Sealed => {
                let found = sealed::open(&paths, day, watermark, id, opening, effort)?;
                Ok(found.map(|(text, published, index)| (Text::Sealed(text), published, index, true)))
            }
            Form::Open => {
                let found = recovery::open(&paths, day, watermark, opening, effort)?;
                let parts = |found: recovery::Recovered| {
                    (Text::Open(found.text), found.published, found.index, found.is_synced)
                };
                Ok(found.map(parts))
            }
        });
        let Some((text, published, index, is_synced)) = found.flatten()? else { return Ok(None) };
        let (published, is_finished) = (RwLock::new(published), AtomicBool::new(true));
        let rebuilt = Rebuilt::default();
        let segment = Self { id, day, number, watermark, text, published, is_finished, is_synced, rebuilt };
        Ok(Some((segment, index)))
    }

    /// The same lines in their sealed form, which has taken the place of this one's files.
    pub(super) fn reopened(&self, dir: &Path, opening: &Opening) -> Result<Self, StoreError> {
        let all = Effort::ALL;
        let sealed = Self::open(dir, self.day, self.number, self.watermark, opening, all)?;
        let gone = || StoreError::io("read", dir)(std::io::ErrorKind::Interrupted.into());
        Ok(Self { id: self.id, ..sealed.ok_or_else(gone)? })
    }

    /// Tells it from all other segments of this process; its sealed form has the same.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The day its lines are of.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Its number in the day.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether it has its final, compressed form.
    pub fn is_sealed(&self) -> bool {
        matches!(self.text, Text::Sealed(_))
    }

    /// Whether nothing will be written to it any more.
    pub fn is_finished(&self) -> bool {
        self.is_finished.load(Ordering::Acquire)
    }

    pub(super) fn note_finished(&self) {
        self.is_finished.store(true, Ordering::Release);
    }

    pub(super) fn is_synced(&self) -> bool {
        self.is_synced
    }

    pub(super) fn watermark(&self) -> Timestamp {
        self.watermark
    }

    pub(super) fn form(&self) -> &Text {
        &self.text
    }

    /// What is whole now.
    pub fn published(&self) -> Published {
        self.published.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(super) fn publish(&self, published: Published) {
        *self.published.write().unwrap_or_else(std::sync::PoisonError::into_inner) = published;
    }

    /// A block's columns. Columns on disk are checked once; damaged ones are made again from the text.
    pub fn columns<'a>(&'a self, block: &'a Block, published: &Published) -> Columns<'a> {
        block.columns(|| self.rebuild(block.meta(), published))
    }

    /// The file that has the text of a block in one piece, and where; `None` where it does not lie so.
    pub fn text_of(&self, block: &Block) -> Option<(&FileView, Range<usize>)> {
        let range = block.meta().text.start as usize..block.meta().text.end as usize;
        match &self.text {
            Text::Open(view) => {
                (range.start <= range.end && range.end <= view.len()).then_some((view, range))
            }
            Text::Sealed(_) | Text::Foreign(_) => None,
        }
    }

    /// Its index, for messages.
    pub(super) fn index_name(&self) -> PathBuf {
        match &self.text {
            Text::Foreign(text) => text.path(),
            _ => Paths::new(Path::new(&self.day.to_string()), self.number).index,
        }
    }

    /// A block, by its number. One whose head is damaged is made again from the text.
    pub fn block(&self, number: usize, published: &Published) -> Arc<Block> {
        published.blocks.get(number, |meta| self.rebuild(meta, published))
    }

    fn rebuild(&self, meta: &BlockMeta, published: &Published) -> Vec<Row> {
        let path = self.index_name();
        tracing::warn!(index = %path.display(), row = meta.first_row, "a damaged block is made again from its text");
        let numbers = KnownNumbers::of(published);
        let number = |kind, name: &str| numbers.find(kind, name);
        let before = published.blocks.metas().filter(|other| other.first_row < meta.first_row);
        let watermark = before.map(|other| other.max_ts).fold(self.watermark, Timestamp::max);
        match &self.text {
            Text::Open(view) => {
                let text = or_end(view.read(meta.text.start as usize..meta.text.end as usize));
                let mut reader = RowReader::new(self.day, watermark);
                reader.read(&text, meta.text.start as u32, meta.first_row, number)
            }
            Text::Sealed(text) => self.rebuilt.rows(text, self.day, self.watermark, meta, number),
            Text::Foreign(text) => foreign::rebuild(text, self.day, watermark, meta, number),
        }
    }
}

/// Whoever reads the segment now reads it from memory; whoever opens it next tries again.
pub(super) fn tell_unsaved(error: &StoreError) {
    tracing::warn!(error = error as &dyn std::error::Error, "an index stays in memory");
}

pub(super) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The numbers of a day's segments that are not sealed.
pub(super) fn open_numbers(dir: &Path) -> Result<Vec<u32>, StoreError> {
    list_numbers(dir, PREFIX, "ndjson")
}

/// The numbers of a day's segments in either form, in order.
pub(super) fn all_numbers(dir: &Path) -> Result<Vec<u32>, StoreError> {
    let mut numbers = open_numbers(dir)?;
    numbers.extend(list_numbers(dir, PREFIX, SEALED_SUFFIX)?);
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// The last number that a segment of a day has or has had; 0 without any. Of one that was deleted its index' name may be left.
pub(super) fn last_taken(dir: &Path) -> Result<u32, StoreError> {
    let last = |numbers: Vec<u32>| numbers.last().copied().unwrap_or(0);
    Ok(last(all_numbers(dir)?).max(last(list_numbers(dir, PREFIX, "idx")?)))
}

/// The segments of a day's folder, oldest first.
pub(super) fn open_all(dir: &Path, day: Day, opening: &Opening) -> Result<Vec<Arc<Segment>>, StoreError> {
    Ok(unread::find_all(dir, day, opening, Effort::ALL)?.0)
}

/// The time of the latest line of segments; [`Timestamp::MIN`] when they have none.
pub(super) fn watermark_of(segments: &[Arc<Segment>]) -> Timestamp {
    let latest = |segment: &Arc<Segment>| Some(segment.published().times()?.1);
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
        if let Err(error) = files::remove(path) {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "a file that was just begun could not be removed");
        }
    }
}

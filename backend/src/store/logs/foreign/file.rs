//! A foreign file that is followed: what of it was read, whether it is still the same, and what has come.
//!
//! A file is told from others by its inode and its first line. It may only grow: when it is shorter than what was read, or its
//! first or last frame is not what it was, all that was read of it is forgotten and it is read anew.

use super::index::{self, Head, IndexFile, LoadedIndex, Seen};
use super::source::Source;
use super::stretch::{OpenStretch, Taken, Watermarks};
use super::text::ForeignText;
use crate::patterns::Masker;
use crate::store::batch::MAX_LINE_BYTES;
use crate::store::file_view::Reading;
use crate::store::logs::segment::Segment;
use crate::store::{StoreError, files};
use sha2::{Digest, Sha256};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Numbers of segments from here on are those of foreign files.
pub(super) const FIRST_NUMBER: u32 = 1 << 31;
/// A file has so many stretches at most, as a power of two.
const STRETCHES: u32 = 10;
/// A stretch takes no line that begins so far behind its start.
pub(super) const STRETCH_BYTES: u64 = 256 << 20;
/// A file is read so far in one turn.
const TURN_BYTES: u64 = 4 << 20;
/// What is read at once: more than the longest line.
pub(super) const BUFFER_BYTES: usize = MAX_LINE_BYTES + (64 << 10);
/// So much of the first line tells files apart.
const KEY_BYTES: usize = 1 << 10;
/// What came last is written to the index when a file has been quiet for so long; each time that this comes early, it takes
/// twice as long.
const QUIET: Duration = Duration::from_secs(10);
/// So little is not worth a checkpoint at the end.
const LITTLE_BYTES: u64 = 64 << 10;

/// A file of which so much was read is not read again as a whole on a mere doubt.
const FRESH_BYTES: u64 = 64 << 20;

/// What a turn came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// All that is there was read.
    Done,
    /// There is more.
    More,
    /// The file is another than it was.
    Changed,
}

/// The hash of a file's first line and its inode; `None` while the line is not whole.
fn key_of(source: &Source) -> Result<Option<u64>, StoreError> {
    let mut first = [0; KEY_BYTES];
    let len = source.read(&mut first, 0)?;
    let line = memchr::memchr(b'\n', &first[..len]).map_or(len, |at| at + 1);
    if line == 0 || (first[line - 1] != b'\n' && len < KEY_BYTES) {
        return Ok(None);
    }
    let hash =
        Sha256::new().chain_update(source.id().ino.to_le_bytes()).chain_update(&first[..line]).finalize();
    Ok(hash.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)))
}

/// What all files share while they are read.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) buffer: Vec<u8>,
    pub(super) masker: Masker,
    /// The most text of a stretch.
    pub(super) stretch_bytes: u64,
    /// How indexes are read; the files themselves are never mapped.
    reading: Reading,
    stop: Arc<AtomicBool>,
}

impl Work {
    pub(super) fn new(stop: Arc<AtomicBool>, reading: Reading) -> Self {
        let buffer = vec![0; BUFFER_BYTES];
        Self { buffer, masker: Masker::default(), stretch_bytes: STRETCH_BYTES, reading, stop }
    }
}

/// A file and how far it was read.
#[derive(Debug)]
pub(super) struct ForeignFile {
    source: Arc<Source>,
    folder: PathBuf,
    key: u64,
    /// Its number among all foreign files.
    slot: u32,
    reading: Reading,
    finished: Vec<Arc<ForeignText>>,
    open: Option<OpenStretch>,
    watermarks: Watermarks,
    /// All before this place was read; behind it lies a line without its end, or nothing.
    at: u64,
    /// Whether that place lies in a line that is too long.
    is_skipping: bool,
    seen: Seen,
    /// Whether all that was there was read.
    is_at_end: bool,
    /// Whether it was changed so short a time before it was seen that another change may have the same time.
    is_fresh: bool,
    changed: Instant,
    /// What has come since it was last asked for.
    news: Taken,
}

impl ForeignFile {
    /// Takes up a file where its index ends; `None` while its first line is not whole. `slot` gives it a number that no other
    /// file has, near the one that is given.
    pub(super) fn open(
        source: Arc<Source>,
        folder: &Path,
        slot: impl FnOnce(u32) -> u32,
        work: &Work,
    ) -> Result<Option<Self>, StoreError> {
        let Some(key) = key_of(&source)? else { return Ok(None) };
        let slot = slot(key as u32 & ((FIRST_NUMBER >> STRETCHES) - 1));
        let mut this = Self::new(source.clone(), folder, (key, slot), work.reading);
        this.load()?;
        let seen = Seen::of(&source.metadata().map_err(StoreError::io("read", &source.path()))?);
        if seen.size < this.at || !this.is_unchanged(seen, work)? {
            this.remove_index(0)?;
            this = Self::new(source, folder, (key, slot), work.reading);
        }
        this.seen = seen;
        Ok(Some(this))
    }

    fn new(source: Arc<Source>, folder: &Path, (key, slot): (u64, u32), reading: Reading) -> Self {
        Self {
            source,
            folder: folder.to_owned(),
            key,
            slot,
            reading,
            finished: Vec::new(),
            open: None,
            watermarks: Watermarks::new(),
            at: 0,
            is_skipping: false,
            seen: Seen::default(),
            is_at_end: false,
            is_fresh: false,
            changed: Instant::now(),
            news: Taken::default(),
        }
    }

    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    pub(super) fn slot(&self) -> u32 {
        self.slot
    }

    /// The bytes that are there and were not read.
    pub(super) fn behind_bytes(&self) -> u64 {
        self.seen.size.saturating_sub(self.at)
    }

    /// What has come since this was last asked.
    pub(super) fn take_news(&mut self) -> Taken {
        std::mem::take(&mut self.news)
    }

    fn note(&mut self, taken: Taken) {
        self.news.lines += taken.lines;
        self.news.bad += taken.bad;
        self.news.begun.extend(taken.begun);
        if self.news.first_bad.is_none() {
            self.news.first_bad = taken.first_bad;
        }
    }

    /// Takes up the stretches that the index knows, as far as they follow on one another.
    fn load(&mut self) -> Result<(), StoreError> {
        loop {
            let number = self.stretches();
            let Some(loaded) = index::load(&self.index_path(number), self.reading)? else { break };
            if loaded.head != self.head(loaded.head.base) || !self.load_stretch(loaded) {
                break;
            }
        }
        // A damaged one is made again, and those behind it may begin elsewhere then.
        self.remove_index(self.stretches())
    }

    fn load_stretch(&mut self, loaded: LoadedIndex) -> bool {
        let Some(last) = loaded.checkpoints.last() else { return false };
        let (seen, base) = (last.seen, loaded.head.base);
        let frames = loaded.checkpoints.iter().flat_map(|found| &found.frames).copied().collect();
        let text = Arc::new(ForeignText::new(self.source.clone(), base, frames));
        // The one before has ended where this begins.
        let watermarks = self.watermarks_with_open();
        let Some((open, taken)) = OpenStretch::load(text, loaded, &watermarks) else { return false };
        self.finish_open();
        self.at = open.end();
        self.seen = seen;
        self.open = Some(open);
        self.note(taken);
        true
    }

    fn watermarks_with_open(&self) -> Watermarks {
        let mut watermarks = self.watermarks.clone();
        if let Some(open) = &self.open {
            open.note_watermarks(&mut watermarks);
        }
        watermarks
    }

    fn finish_open(&mut self) {
        if let Some(open) = self.open.take() {
            open.note_watermarks(&mut self.watermarks);
            self.finished.push(open.text().clone());
        }
    }

    /// How many stretches there are.
    fn stretches(&self) -> usize {
        self.finished.len() + usize::from(self.open.is_some())
    }

    fn index_path(&self, stretch: usize) -> PathBuf {
        self.folder.join(format!("{}{stretch:04}.idx", self.index_prefix()))
    }

    /// What the names of its indexes begin with.
    pub(super) fn index_prefix(&self) -> String {
        format!("{:06x}-{:016x}-", self.slot, self.key)
    }

    /// The head of the next stretch.
    fn head(&self, base: u64) -> Head {
        let number = FIRST_NUMBER | self.slot << STRETCHES | self.stretches() as u32;
        Head { key: self.key, number, base, previous_end: self.open.as_ref().map_or(0, OpenStretch::end) }
    }

    /// Takes the index away, from a stretch on.
    pub(super) fn remove_index(&self, first: usize) -> Result<(), StoreError> {
        let numbers = first..1 << STRETCHES;
        let paths = numbers.map(|number| self.index_path(number));
        paths.take_while(|path| path.exists()).try_for_each(|path| files::remove(&path))
    }

    /// Whether the file still begins and ends as it was read; all of it is looked at when it was changed and has not grown.
    fn is_unchanged(&self, now: Seen, work: &Work) -> Result<bool, StoreError> {
        if now == self.seen && !self.is_fresh {
            return Ok(true);
        }
        if key_of(&self.source)? != Some(self.key) {
            return Ok(false);
        }
        if now.size == self.seen.size && (now != self.seen || self.at < FRESH_BYTES) {
            return self.holds_all(work);
        }
        let texts = || self.finished.iter().chain(self.open.as_ref().map(OpenStretch::text));
        let first = texts().next().map_or(Ok(true), |text| text.holds(0));
        let last =
            texts().next_back().map_or(Ok(true), |text| text.holds(text.frame_count().saturating_sub(1)));
        Ok(first? && last?)
    }

    fn holds_all(&self, work: &Work) -> Result<bool, StoreError> {
        for text in self.finished.iter().chain(self.open.as_ref().map(OpenStretch::text)) {
            for number in 0..text.frame_count() {
                if work.stop.load(Ordering::Relaxed) {
                    // What was not looked at is looked at after the next start.
                    return Err(StoreError::io("read", &text.path())(ErrorKind::Interrupted.into()));
                }
                if !text.holds(number)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Looks whether something has come, by how the file is `now`, and reads some of it.
    pub(super) fn turn(&mut self, now: Seen, work: &mut Work) -> Result<Turn, StoreError> {
        let is_suspect = self.source.take_suspicion();
        if now == self.seen && self.is_at_end && !is_suspect && !self.is_fresh {
            self.rest()?;
            return Ok(Turn::Done);
        }
        if now.size < self.at || !self.is_unchanged(now, work)? || (is_suspect && !self.holds_all(work)?) {
            return Ok(Turn::Changed);
        }
        if now != self.seen {
            (self.seen, self.changed) = (now, Instant::now());
        }
        self.source.hold()?;
        self.is_at_end = false;
        self.is_fresh = now.is_fresh();
        let outcome = self.read_on(work);
        if let Some(open) = &mut self.open {
            open.show();
        }
        self.is_at_end = outcome?;
        Ok(if self.is_at_end { Turn::Done } else { Turn::More })
    }

    /// Reads whole lines, for one turn; whether all that was seen was read.
    fn read_on(&mut self, work: &mut Work) -> Result<bool, StoreError> {
        // What could not be written before is written first, so that it does not pile up in memory.
        self.write_full_checkpoint()?;
        let turn_end = self.at.saturating_add(TURN_BYTES);
        let mut buffer = std::mem::take(&mut work.buffer);
        let mut outcome = Ok(true);
        while self.at < self.seen.size {
            if self.at >= turn_end {
                outcome = Ok(false);
                break;
            }
            let most = (self.seen.size - self.at).min(buffer.len() as u64) as usize;
            match self
                .source
                .read(&mut buffer[..most], self.at)
                .and_then(|len| self.take(&buffer[..len], work))
            {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        work.buffer = buffer;
        outcome
    }

    /// Takes in what was read at the place; `false` when that holds no end of a line yet.
    fn take(&mut self, read: &[u8], work: &mut Work) -> Result<bool, StoreError> {
        if self.is_skipping {
            let end = memchr::memchr(b'\n', read);
            self.is_skipping = end.is_none();
            self.at += end.map_or(read.len(), |at| at + 1) as u64;
            return Ok(!read.is_empty());
        }
        let whole = memchr::memrchr(b'\n', read).map_or(0, |at| at + 1);
        if whole == 0 && read.len() > MAX_LINE_BYTES {
            self.news.bad += 1;
            self.is_skipping = true;
            self.at += read.len() as u64;
            return Ok(true);
        }
        let mut rest = &read[..whole];
        while !rest.is_empty() {
            rest = self.take_into_stretch(rest, work)?;
        }
        Ok(whole > 0)
    }

    /// Takes in the lines that belong to the same stretch; returns the others.
    fn take_into_stretch<'a>(&mut self, text: &'a [u8], work: &mut Work) -> Result<&'a [u8], StoreError> {
        let is_full = |open: &OpenStretch, at: u64| at - open.text().base() >= work.stretch_bytes;
        if self.open.as_ref().is_some_and(|open| is_full(open, self.at)) {
            self.write_checkpoint()?;
            if self.stretches() == 1 << STRETCHES {
                let why = format!(
                    "what lies behind {} GiB of a file is not read",
                    STRETCH_BYTES >> (30 - STRETCHES)
                );
                return Err(StoreError::Damaged { path: self.source.path(), why });
            }
        }
        let at = self.at;
        let open = self.open_at(work.stretch_bytes);
        let room = (open.text().base() + work.stretch_bytes - at) as usize;
        let behind = text.get(room - 1..).and_then(|rest| memchr::memchr(b'\n', rest)).map(|end| room + end);
        let (text, rest) = text.split_at(behind.unwrap_or(text.len()));
        let watermarks = std::mem::take(&mut self.watermarks);
        let open = self.open.as_mut().expect("it was opened above");
        let taken = open.take(at, text, &mut work.masker, &watermarks);
        self.watermarks = watermarks;
        self.at += text.len() as u64;
        self.note(taken);
        self.write_full_checkpoint()?;
        Ok(rest)
    }

    /// The stretch that takes a line at the place.
    fn open_at(&mut self, stretch_bytes: u64) -> &mut OpenStretch {
        let is_full = |open: &OpenStretch| self.at - open.text().base() >= stretch_bytes;
        if self.open.as_ref().is_none_or(is_full) {
            let (head, path) = (self.head(self.at), self.index_path(self.stretches()));
            self.finish_open();
            let text = Arc::new(ForeignText::new(self.source.clone(), self.at, Vec::new()));
            self.open = Some(OpenStretch::begin(text, head, IndexFile::new(path, head, self.reading)));
        }
        self.open.as_mut().expect("it was opened above")
    }

    fn write_full_checkpoint(&mut self) -> Result<(), StoreError> {
        let is_full = self.open.as_ref().is_some_and(OpenStretch::wants_checkpoint);
        if is_full { self.write_checkpoint() } else { Ok(()) }
    }

    /// Writes down what is in memory only, unless it is so little that it can as well be read again.
    pub(super) fn write_down(&mut self) -> Result<(), StoreError> {
        let is_little = self.open.as_ref().is_none_or(|open| open.unwritten_bytes() < LITTLE_BYTES);
        if is_little { Ok(()) } else { self.write_checkpoint() }
    }

    pub(super) fn write_checkpoint(&mut self) -> Result<(), StoreError> {
        let seen = self.seen;
        self.open.as_mut().map_or(Ok(()), |open| open.write_checkpoint(seen))
    }

    /// A file that is quiet goes to disk, and is not held open.
    fn rest(&mut self) -> Result<(), StoreError> {
        let Some(open) = self.open.as_ref().filter(|open| open.unwritten_bytes() > 0) else { return Ok(()) };
        let patience = QUIET * 2_u32.saturating_pow(open.small_checkpoints().min(16));
        if self.changed.elapsed() < patience {
            return Ok(());
        }
        self.changed = Instant::now();
        self.write_checkpoint()
    }

    /// When it was changed last, unix nanoseconds.
    pub(super) fn mtime(&self) -> i64 {
        self.seen.mtime
    }

    /// Its segments' numbers lie in this range.
    pub(super) fn has_segment(&self, segment: &Segment) -> bool {
        (segment.number() & !FIRST_NUMBER) >> STRETCHES == self.slot
    }
}

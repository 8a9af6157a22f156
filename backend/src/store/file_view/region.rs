//! A file that is not mapped, at its places in memory, as far as it was looked at.
//!
//! Address space as long as the file takes memory page by page, as pages are read in. What was read stays where it is until
//! all of it goes, so it can be lent out while more is read in beside it.

use super::PAGE;
use super::unwind::or_end;
use crate::store::StoreError;
use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A file that is open, and its name for messages.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) handle: File,
    pub(super) path: PathBuf,
}

impl Source {
    pub(super) fn read(&self, bytes: &mut [u8], at: usize) -> Result<(), StoreError> {
        self.handle.read_exact_at(bytes, at as u64).map_err(StoreError::io("read", &self.path))
    }

    /// Reads as much as there is.
    pub(super) fn read_some(&self, bytes: &mut [u8], at: usize) -> Result<usize, StoreError> {
        loop {
            match self.handle.read_at(bytes, at as u64) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read.map_err(StoreError::io("read", &self.path)),
            }
        }
    }
}

/// A file's bytes at their places, as far as they were looked at.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) source: Arc<Source>,
    len: usize,
    /// Made at the first look.
    room: OnceLock<Room>,
}

/// Address space as long as the file.
#[derive(Debug)]
struct Room {
    bytes: MmapRaw,
    /// How much of each page was read, from its start on: a file that grows is read on behind that.
    filled: Box<[AtomicU32]>,
    /// The bytes of all pages of which something was read.
    kept: AtomicUsize,
    /// Held by who reads.
    filling: Mutex<()>,
}

impl Region {
    /// A file that may have so many bytes; none was looked at.
    pub(super) fn new(source: Arc<Source>, len: usize) -> Self {
        Self { source, len, room: OnceLock::new() }
    }

    /// The same file, of which nothing was looked at.
    pub(super) fn anew(&self) -> Self {
        Self::new(self.source.clone(), self.len)
    }

    /// How much memory it takes.
    pub(super) fn kept_bytes(&self) -> usize {
        self.room.get().map_or(0, |room| room.kept.load(Ordering::Relaxed))
    }

    /// Some of the bytes, which are inside the file; it unwinds where they cannot be read.
    #[expect(unsafe_code, reason = "bytes are lent out while others are still to be read in beside them")]
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        if range.is_empty() {
            return &[];
        }
        let room = self.room.get_or_init(|| or_end(Room::new(self.len, &self.source.path)));
        or_end(room.fill(&self.source, &range));
        // SAFETY: the range lies inside the room, which lives as long as the region, and `fill` has seen that all of it was
        // read. What was read is never written again: `fill` writes only behind it.
        unsafe { std::slice::from_raw_parts(room.bytes.as_mut_ptr().add(range.start), range.len()) }
    }
}

impl Room {
    fn new(len: usize, path: &Path) -> Result<Self, StoreError> {
        let failed = StoreError::io("take memory for", path);
        let bytes = MmapOptions::new().len(len).no_reserve_swap().map_anon().map_err(failed)?;
        let filled = (0..len.div_ceil(PAGE)).map(|_| AtomicU32::new(0)).collect();
        Ok(Self { bytes: bytes.into(), filled, kept: AtomicUsize::new(0), filling: Mutex::default() })
    }

    fn filled(&self, page: usize) -> usize {
        self.filled[page].load(Ordering::Acquire) as usize
    }

    /// Whether a page has all that is asked for.
    fn has(&self, page: usize, end: usize) -> bool {
        self.filled(page) >= PAGE.min(end - page * PAGE)
    }

    /// Reads what is missing of a range, which is inside the file and not empty.
    fn fill(&self, source: &Source, range: &Range<usize>) -> Result<(), StoreError> {
        let pages = range.start / PAGE..range.end.div_ceil(PAGE);
        if pages.clone().all(|page| self.has(page, range.end)) {
            return Ok(());
        }
        let _alone = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = pages.start;
        while page < pages.end {
            if self.has(page, range.end) {
                page += 1;
                continue;
            }
            let first = page;
            page += 1;
            while page < pages.end && self.filled(page) == 0 {
                page += 1;
            }
            self.read(source, first..page)?;
            if !self.has(page - 1, range.end) {
                return Err(StoreError::io("read", &source.path)(ErrorKind::UnexpectedEof.into()));
            }
        }
        Ok(())
    }

    /// Reads neighbouring pages, of which only the first may have been read in part, as far as the file goes. The caller holds
    /// the lock.
    #[expect(unsafe_code, reason = "bytes are read in beside others that are lent out")]
    fn read(&self, source: &Source, pages: Range<usize>) -> Result<(), StoreError> {
        let start = pages.start * PAGE + self.filled(pages.start);
        let end = (pages.end * PAGE).min(self.bytes.len());
        let mut at = start;
        while at < end {
            // SAFETY: these bytes lie inside the room and behind all that was read of their pages, so nobody has borrowed them,
            // and nobody else writes them: the lock is held.
            let room = unsafe { std::slice::from_raw_parts_mut(self.bytes.as_mut_ptr().add(at), end - at) };
            match source.read_some(room, at)? {
                0 => break,
                len => at += len,
            }
        }
        for page in pages {
            let filled = at.saturating_sub(page * PAGE).min(PAGE);
            if self.filled[page].fetch_max(filled as u32, Ordering::AcqRel) == 0 && filled > 0 {
                self.kept.fetch_add(PAGE, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

//! What tells one part from another without reading it: a few bytes of its end.

use super::part::{ENTRY_BYTES, FOOTER_BYTES, MAGIC, MAGIC_BEFORE, le_u64};
use super::wal::le_u32;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A part as the catalog notes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// The number in its name.
    pub(super) number: u32,
    pub(super) series: u32,
    /// The file's length.
    pub(super) bytes: u64,
    /// That of its names and directory.
    pub(super) checksum: u32,
}

impl Note {
    /// From a part's last bytes, and its length.
    pub(super) fn of(footer: &[u8], number: u32, bytes: u64) -> Self {
        Self { number, series: le_u32(&footer[16..]), bytes, checksum: le_u32(&footer[44..]) }
    }

    /// Reads it off a file, and whether that has rollups; `None` where it is no part of a version that is known.
    pub(super) fn read(path: &Path, number: u32) -> io::Result<Option<(Self, bool)>> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut footer = [0; FOOTER_BYTES];
        let Some(at) = bytes.checked_sub(FOOTER_BYTES as u64) else { return Ok(None) };
        file.read_exact_at(&mut footer, at)?;
        let is_current = footer.ends_with(MAGIC);
        if !is_current && !footer.ends_with(MAGIC_BEFORE) {
            return Ok(None);
        }
        let note = Self::of(&footer, number, bytes);
        let mut entry = [0; ENTRY_BYTES];
        let has_rollups = is_current
            && note.series > 0
            && file.read_exact_at(&mut entry, le_u64(&footer[8..])).is_ok()
            && le_u32(&entry[36..]) > 0;
        Ok(Some((note, has_rollups)))
    }
}

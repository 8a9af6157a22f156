//! Files mapped for reading: only our own, append-only or finished, in a folder that one process owns.

use crate::store::StoreError;
use memmap2::{Mmap, MmapOptions};
use std::fs::{File, Metadata};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// A mapping that is cheap to share. An empty file has none.
#[derive(Clone, Debug)]
pub struct Mapped {
    map: Option<Arc<Mmap>>,
    len: usize,
    file: FileId,
}

/// Which file it is, whatever its name. No other one has the same as long as this one is mapped.
type FileId = (u64, u64);

impl Mapped {
    /// Maps a finished file as long as it is.
    pub fn whole(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let found = file.metadata().map_err(StoreError::io("read", path))?;
        Self::map(&file, found.len() as usize, id_of(&found), path)
    }

    /// Maps a file that will grow up to `capacity` bytes: address space, not memory. The caller reads only what has been
    /// written.
    pub fn growing(file: &File, capacity: usize, path: &Path) -> Result<Self, StoreError> {
        let found = file.metadata().map_err(StoreError::io("read", path))?;
        Self::map(file, capacity, id_of(&found), path)
    }

    #[expect(unsafe_code, reason = "mapping a file has no safe form; this is the one place")]
    fn map(handle: &File, len: usize, file: FileId, path: &Path) -> Result<Self, StoreError> {
        if len == 0 {
            return Ok(Self { map: None, len, file });
        }
        // SAFETY: the file is ours, append-only or never written again, in a folder that one process locks; it is never
        // cut short while it is mapped and never written through a map, and no byte is read that was not written before.
        let map = unsafe { MmapOptions::new().len(len).map(handle) }.map_err(StoreError::io("map", path))?;
        Ok(Self { map: Some(Arc::new(map)), len, file })
    }

    /// Whether this is the file that has the name now. An empty one is not mapped and never is.
    pub fn is_at(&self, path: &Path) -> bool {
        self.map.is_some() && std::fs::metadata(path).is_ok_and(|found| id_of(&found) == self.file)
    }

    /// Whether the name is surely another file's or nobody's, and not merely out of reach.
    pub fn has_left(&self, path: &Path) -> bool {
        match std::fs::metadata(path) {
            Ok(found) => id_of(&found) != self.file,
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// How many bytes are mapped.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Some of the bytes; `None` when the range is not inside the mapping.
    pub fn get(&self, range: Range<usize>) -> Option<&[u8]> {
        self.map.as_ref()?.get(range)
    }

    /// Some of the bytes; nothing where nothing is mapped.
    ///
    /// # Panics
    /// When the range is not inside the mapping.
    pub fn slice(&self, range: Range<usize>) -> &[u8] {
        self.map.as_ref().map_or(&[], |map| &map[range])
    }
}

fn id_of(found: &Metadata) -> FileId {
    (found.dev(), found.ino())
}

//! Files mapped for reading: only our own, append-only or finished, in a folder that one process owns.

use crate::store::StoreError;
use memmap2::{Mmap, MmapOptions};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// A mapping that is cheap to share. An empty file has none.
#[derive(Clone, Debug)]
pub struct Mapped {
    map: Option<Arc<Mmap>>,
    len: usize,
}

impl Mapped {
    /// Maps a finished file as long as it is.
    pub fn whole(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let len = file.metadata().map_err(StoreError::io("read", path))?.len() as usize;
        Self::map(&file, len, path)
    }

    /// Maps a file that will grow up to `capacity` bytes: address space, not memory. The caller reads only what has been
    /// written.
    pub fn growing(file: &File, capacity: usize, path: &Path) -> Result<Self, StoreError> {
        Self::map(file, capacity, path)
    }

    #[expect(unsafe_code, reason = "mapping a file has no safe form; this is the one place")]
    fn map(file: &File, len: usize, path: &Path) -> Result<Self, StoreError> {
        if len == 0 {
            return Ok(Self { map: None, len });
        }
        // SAFETY: the file is ours, append-only or never written again, in a folder that one process locks; it is never
        // cut short while it is mapped and never written through a map, and no byte is read that was not written before.
        let map = unsafe { MmapOptions::new().len(len).map(file) }.map_err(StoreError::io("map", path))?;
        Ok(Self { map: Some(Arc::new(map)), len })
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

//! Text on its way to a segment's file. What is short is gathered, so that the requests of a group cost one write together.

use crate::store::{StoreError, files};
use std::fs::File;
use std::path::Path;

/// No more than this is gathered; longer text is written from where it lies.
const MOST_BYTES: usize = 128 << 10;

/// Neighbouring text that is not in the file yet.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    /// Where it is to lie.
    at: u64,
    text: Vec<u8>,
}

impl Unwritten {
    /// Takes text for a place that is the end of what was taken before. After an error it is not taken.
    pub(super) fn add(&mut self, text: &[u8], at: u64, file: &File, path: &Path) -> Result<(), StoreError> {
        if self.text.len() + text.len() > MOST_BYTES {
            self.write(file, path)?;
        }
        if text.len() > MOST_BYTES {
            return files::write_at(file, path, text, at);
        }
        if self.text.is_empty() {
            self.at = at;
        }
        debug_assert_eq!(self.at + self.text.len() as u64, at, "text follows on text");
        self.text.extend_from_slice(text);
        Ok(())
    }

    /// Writes what was taken. After an error it is there still.
    pub(super) fn write(&mut self, file: &File, path: &Path) -> Result<(), StoreError> {
        if !self.text.is_empty() {
            files::write_at(file, path, &self.text, self.at)?;
            self.text.clear();
        }
        Ok(())
    }

    /// Forgets what would lie behind a place.
    pub(super) fn cut(&mut self, end: u64) {
        self.text.truncate(end.saturating_sub(self.at) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_is_in_the_file_once_it_is_written_but_for_what_was_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text");
        let file = files::create_new(&path).unwrap();
        let in_file = || std::fs::read(&path).unwrap();
        let mut unwritten = Unwritten::default();
        unwritten.add(b"one\n", 0, &file, &path).unwrap();
        unwritten.add(b"two\n", 4, &file, &path).unwrap();
        assert!(in_file().is_empty());
        unwritten.cut(4);
        unwritten.add(b"three\n", 4, &file, &path).unwrap();
        unwritten.write(&file, &path).unwrap();
        assert_eq!(in_file(), b"one\nthree\n");
        unwritten.cut(4);
        unwritten.add(b"four\n", 4, &file, &path).unwrap();
        unwritten.add(&vec![b'x'; MOST_BYTES + 1], 9, &file, &path).unwrap();
        assert!(in_file().starts_with(b"one\nfour\nxx") && in_file().len() == 9 + MOST_BYTES + 1);
        unwritten.add(b"five\n", 4, &file, &path).unwrap();
        unwritten.cut(2);
        unwritten.write(&file, &path).unwrap();
        assert!(in_file().starts_with(b"one\nfour\nxx"), "nothing is left of it");
    }
}

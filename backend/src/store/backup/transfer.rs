//! How one file gets from a data folder into a copy of it.

use crate::store::StoreError;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// What a copy is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Days.
    pub days: u64,
    /// Files that share their bytes with the original.
    pub linked_files: u64,
    /// Files that were copied, because they still grow or because links were not to be had.
    pub copied_files: u64,
    /// The bytes of these.
    pub copied_bytes: u64,
    /// Why finished files were copied too, as the system said it; `None` where they were linked.
    pub no_links: Option<String>,
}

/// Moves files into a copy and counts them. Each is on disk when its method returns; its name is once the folder is synced.
#[derive(Debug, Default)]
pub struct Transfer {
    pub(super) report: Report,
}

impl Transfer {
    /// Takes a file that is never written again: by a hard link, or by a copy where the file system has none for us. False
    /// when the file is not there (any more).
    pub fn finished(&mut self, from: &Path, to: &Path) -> Result<bool, StoreError> {
        if self.report.no_links.is_none() {
            match fs::hard_link(from, to) {
                Ok(()) => {
                    self.report.linked_files += 1;
                    sync(to)?;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(error) => self.report.no_links = Some(error.to_string()),
            }
        }
        let Some(file) = open(from)? else { return Ok(false) };
        self.copy(&file, u64::MAX, to)?;
        Ok(true)
    }

    /// Copies a file that may be growing, up to what it has now. False when it is not there (any more).
    pub fn growing(&mut self, from: &Path, to: &Path) -> Result<bool, StoreError> {
        let Some(file) = open(from)? else { return Ok(false) };
        let len = file.metadata().map_err(StoreError::io("read", from))?.len();
        self.copy(&file, len, to)?;
        Ok(true)
    }

    /// Copies the first bytes of a stream, `len` of them or as many as there are.
    pub fn copy(&mut self, from: impl Read, len: u64, to: &Path) -> Result<(), StoreError> {
        let mut out = File::create_new(to).map_err(StoreError::io("create", to))?;
        let bytes = io::copy(&mut from.take(len), &mut out).map_err(StoreError::io("write", to))?;
        out.sync_all().map_err(StoreError::io("sync", to))?;
        self.report.copied_files += 1;
        self.report.copied_bytes += bytes;
        Ok(())
    }

    /// What was taken so far, for [`Self::undo`].
    pub fn so_far(&self) -> Report {
        self.report.clone()
    }

    /// Gives up files that were taken since, so that they can be taken in another form.
    pub fn undo<'a>(
        &mut self,
        so_far: &Report,
        taken: impl IntoIterator<Item = &'a Path>,
    ) -> Result<(), StoreError> {
        for path in taken {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", path)(error));
                }
                _ => {}
            }
        }
        self.report = Report { no_links: self.report.no_links.take(), ..so_far.clone() };
        Ok(())
    }
}

/// Opens a file for reading; `None` when it is not there.
pub fn open(path: &Path) -> Result<Option<File>, StoreError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("open", path)(error)),
    }
}

/// An index is not synced when it is written, since it can be made again; in the copy it is.
fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(StoreError::io("sync", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_links_finished_files_are_copied_and_it_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let [from, linked, copied] = ["a", "b", "c"].map(|name| dir.path().join(name));
        fs::write(&from, "text").unwrap();
        let mut transfer = Transfer::default();
        assert!(transfer.finished(&from, &linked).unwrap());
        // A name that is taken is one of the reasons for which no link can be made.
        fs::write(&copied, "").unwrap();
        transfer.finished(&from, &copied).unwrap_err();
        fs::remove_file(&copied).unwrap();
        assert!(transfer.finished(&from, &copied).unwrap());
        assert_eq!(fs::read(&copied).unwrap(), b"text");
        let report = transfer.so_far();
        assert_eq!((report.linked_files, report.copied_files, report.copied_bytes), (1, 1, 4));
        assert!(report.no_links.is_some());
        assert!(!transfer.finished(&dir.path().join("none"), &dir.path().join("d")).unwrap());
    }
}

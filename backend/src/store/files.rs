//! Changes of a data folder, made so that files and folders are there after a power loss.
//!
//! The store of lines makes every change of the disk here and nowhere else, so that tests can write down what a run has
//! done, in order, and let any of it fail.

mod sync_threads;

pub use sync_threads::SyncThreads;

use super::StoreError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// One change, of the path that it comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change<'a> {
    CreateDir,
    Create,
    Write { at: u64, bytes: &'a [u8] },
    Cut { len: u64 },
    Sync,
    SyncDir,
    Rename { to: &'a Path },
    Remove,
}

impl Change<'_> {
    fn action(self) -> &'static str {
        match self {
            Self::CreateDir | Self::Create => "create",
            Self::Write { .. } => "write",
            Self::Cut { .. } => "cut",
            Self::Sync | Self::SyncDir => "sync",
            Self::Rename { .. } => "rename",
            Self::Remove => "remove",
        }
    }

    fn make<T>(self, path: &Path, make: impl FnOnce() -> io::Result<T>) -> Result<T, StoreError> {
        #[cfg(test)]
        let make = || watch::pass(self, path, make);
        make().map_err(StoreError::io(self.action(), path))
    }
}

/// Makes a folder, and those above it that are missing. It is there after a power loss, also when it was made by a run
/// that was killed before it could sync.
pub fn create_dir(path: &Path) -> Result<(), StoreError> {
    let parent = parent_of(path);
    if path.is_dir() {
        return match sync_dir(parent) {
            // Where no name can be synced, none of ours was made: as around a folder that is mounted there.
            Err(StoreError::Io { source, .. }) if cannot_be_ours(source.kind()) => Ok(()),
            outcome => outcome,
        };
    }
    if !parent.is_dir() {
        create_dir(parent)?;
    }
    match Change::CreateDir.make(path, || fs::create_dir(path)) {
        Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        outcome => outcome?,
    }
    sync_dir(parent)
}

fn cannot_be_ours(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::ReadOnlyFilesystem)
}

/// Creates a file that must not be there yet, readable and writable, and syncs its folder.
pub fn create_new(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    let file = Change::Create.make(path, || options.read(true).write(true).create_new(true).open(path))?;
    sync_parent(path).inspect_err(|_failed| {
        // Nobody will write to it; should it stay, it is an empty file whose number is not taken again.
        drop(remove(path));
    })?;
    Ok(file)
}

/// Creates a file, in the place of what has its name. Its name is not synced: the file is to be renamed.
pub fn create(path: &Path) -> Result<File, StoreError> {
    Change::Create.make(path, || File::create(path))
}

/// Writes bytes at a place of a file.
pub fn write_at(file: &File, path: &Path, bytes: &[u8], at: u64) -> Result<(), StoreError> {
    Change::Write { at, bytes }.make(path, || file.write_all_at(bytes, at))
}

/// Gives a file another length.
pub fn cut(file: &File, path: &Path, len: u64) -> Result<(), StoreError> {
    Change::Cut { len }.make(path, || file.set_len(len))
}

/// What was written to a file is on disk when this returns, and so is its length.
pub fn sync(file: &File, path: &Path) -> Result<(), StoreError> {
    Change::Sync.make(path, || file.sync_data())
}

/// The same for a file that an earlier run has left: a killed process leaves what it wrote, not what it synced.
pub fn sync_left(path: &Path) -> Result<(), StoreError> {
    Change::Sync.make(path, || File::open(path)?.sync_data())
}

/// Gives a file another name in its folder, where it takes the place of what had it.
pub fn rename(path: &Path, to: &Path) -> Result<(), StoreError> {
    Change::Rename { to }.make(path, || fs::rename(path, to))
}

/// Takes a file's name away; fine where there is none.
pub fn remove(path: &Path) -> Result<(), StoreError> {
    match Change::Remove.make(path, || fs::remove_file(path)) {
        Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Puts a whole file in place under its name, or nothing: written beside, synced, renamed, folder synced.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let beside = write_beside(path, bytes)?;
    rename(&beside, path).inspect_err(|_failed| drop(remove(&beside)))?;
    sync_parent(path)
}

/// Writes and syncs a whole file beside the place that it is for; its path. It is to be renamed or removed.
pub fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf, StoreError> {
    let beside = path.with_extension("tmp");
    let file = create(&beside)?;
    let written = write_at(&file, &beside, bytes, 0).and_then(|()| sync(&file, &beside));
    written.inspect_err(|_failed| {
        // The next attempt begins with a file of its own: what a failed sync has left of this one nobody knows.
        drop(remove(&beside));
    })?;
    Ok(beside)
}

/// Makes the names in a file's folder durable.
pub fn sync_parent(path: &Path) -> Result<(), StoreError> {
    sync_dir(parent_of(path))
}

fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    Change::SyncDir.make(dir, || File::open(dir)?.sync_all())
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
pub(super) mod watch;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_with_those_above_them_and_others_are_left_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        for _ in 0..2 {
            create_dir(&deep).unwrap();
        }
        assert!(deep.is_dir());
        create_dir(Path::new("/proc/self/fd")).expect("no name there is ours");
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(create_dir(&dir.path().join("file")).is_err());
    }
}

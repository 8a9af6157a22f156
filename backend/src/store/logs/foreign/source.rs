//! A file that somebody else writes: which one it is, and its bytes. It is never written, locked or mapped: whoever writes it may
//! cut it short at any moment, and a read then comes back short where a map would end the process.

use crate::store::StoreError;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FileId {
    /// The device.
    pub(super) dev: u64,
    /// The inode.
    pub(super) ino: u64,
}

impl FileId {
    pub(super) fn of(found: &Metadata) -> Self {
        Self { dev: found.dev(), ino: found.ino() }
    }
}

/// A file that is read as long as it is the same one.
#[derive(Debug)]
pub(super) struct Source {
    id: FileId,
    place: Mutex<Place>,
    /// Whether a read has found other bytes than were there before.
    is_suspect: AtomicBool,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// Held open, so that the file can be read under any name and without one.
    held: Option<Arc<File>>,
}

impl Source {
    /// The file that has the name now. It is opened for each read until somebody holds it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let found = file.metadata().map_err(StoreError::io("read", path))?;
        if !found.is_file() {
            return Err(StoreError::io("read", path)(ErrorKind::InvalidInput.into()));
        }
        let place = Place { path: path.to_owned(), held: None };
        Ok(Self { id: FileId::of(&found), place: Mutex::new(place), is_suspect: AtomicBool::new(false) })
    }

    pub(super) fn id(&self) -> FileId {
        self.id
    }

    /// Its name, as far as is known.
    pub(super) fn path(&self) -> PathBuf {
        self.lock().path.clone()
    }

    /// Notes that it has another name.
    pub(super) fn rename(&self, path: &Path) {
        path.clone_into(&mut self.lock().path);
    }

    /// Holds it open from now on.
    pub(super) fn hold(&self) -> Result<(), StoreError> {
        let file = self.file().map_err(|error| StoreError::io("open", &self.path())(error))?;
        self.lock().held = Some(file);
        Ok(())
    }

    /// Opens it for each read again, so that of many files only some are held open.
    pub(super) fn let_go(&self) {
        self.lock().held = None;
    }

    /// Whether it has no name any more; false where that is not known.
    pub(super) fn is_nameless(&self) -> bool {
        let held = self.lock().held.clone();
        held.is_some_and(|file| file.metadata().is_ok_and(|found| found.nlink() == 0))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open file; an error when its name leads to another one.
    fn file(&self) -> io::Result<Arc<File>> {
        let path = {
            let place = self.lock();
            if let Some(file) = &place.held {
                return Ok(file.clone());
            }
            place.path.clone()
        };
        let file = File::open(path)?;
        if FileId::of(&file.metadata()?) != self.id {
            return Err(io::Error::new(ErrorKind::NotFound, "another file has its name"));
        }
        Ok(Arc::new(file))
    }

    /// What the system knows of it now.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file()?.metadata()
    }

    /// Fills a buffer as far as the file goes; returns how many bytes there are.
    pub(super) fn read(&self, buffer: &mut [u8], at: u64) -> Result<usize, StoreError> {
        let mut read = || -> io::Result<usize> {
            let file = self.file()?;
            let mut len = 0;
            while len < buffer.len() {
                match file.read_at(&mut buffer[len..], at + len as u64) {
                    Ok(0) => break,
                    Ok(more) => len += more,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(len)
        };
        read().map_err(|error| StoreError::io("read", &self.path())(error))
    }

    /// Says that the file does not hold what it held.
    pub(super) fn suspect(&self) -> StoreError {
        self.is_suspect.store(true, Ordering::Relaxed);
        StoreError::Changed { path: self.path() }
    }

    /// Whether that was said since this was last asked.
    pub(super) fn take_suspicion(&self) -> bool {
        self.is_suspect.swap(false, Ordering::Relaxed)
    }
}

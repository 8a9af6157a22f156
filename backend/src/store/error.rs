//! What can go wrong in the store, and on what.

use std::io;
use std::path::{Path, PathBuf};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder could not be read, written or synced.
    #[error("could not {action} {}", path.display())]
    Io {
        /// What was tried, as a verb: `open`, `write`, `sync`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another server holds the folder.
    #[error("{} is in use by another sonde", path.display())]
    Locked {
        /// The data folder.
        path: PathBuf,
    },
    /// A file is not what its name says.
    #[error("{} is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        why: String,
    },
    /// A file that another program writes does not hold what it held.
    #[error("{} was cut short, written anew or removed while it was read; ask again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The store takes no more writes: the disk failed or is full. Reading goes on.
    #[error("the store takes no writes: {why}")]
    ReadOnly {
        /// What happened.
        why: String,
    },
}

impl StoreError {
    /// Wraps what the system said about a file, for `map_err`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// The message with that of its source behind it, for a log or for whoever waits for the outcome.
    pub fn with_source(&self) -> String {
        std::error::Error::source(self).map_or_else(|| self.to_string(), |source| format!("{self}: {source}"))
    }
}

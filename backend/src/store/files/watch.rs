//! In tests: the changes under a folder are written down in their order, and may be made to fail.

use super::Change;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// A change that was made, or a mark of the test's own. Paths are relative to the watched folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Step {
    CreateDir(PathBuf),
    Create(PathBuf),
    Write {
        path: PathBuf,
        at: u64,
        bytes: Vec<u8>,
    },
    Cut {
        path: PathBuf,
        len: u64,
    },
    Sync(PathBuf),
    SyncDir(PathBuf),
    Rename {
        path: PathBuf,
        to: PathBuf,
    },
    Remove(PathBuf),
    /// A sync that failed: nobody knows what it has left.
    FailedSync(PathBuf),
    /// From here on these lines, by their numbers, may be on disk.
    Sent(Vec<u32>),
    /// From here on they must be.
    Acknowledged(Vec<u32>),
}

/// How one change fails.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Fault {
    /// Which change, counted from the first that is made.
    pub(in crate::store) at: usize,
    /// Whether it stays so until [`Watch::heal`], as on a full disk, where files can still be cut and removed.
    pub(in crate::store) stays: bool,
}

#[derive(Debug, Default)]
struct State {
    steps: Vec<Step>,
    changes: usize,
    fault: Option<Fault>,
    /// Files whose every sync fails.
    unsynced: Vec<PathBuf>,
}

/// A folder that is watched until this is dropped.
#[derive(Debug)]
pub(in crate::store) struct Watch {
    dir: PathBuf,
    state: Mutex<State>,
}

static WATCHED: RwLock<Vec<Arc<Watch>>> = RwLock::new(Vec::new());

/// Ends a watch.
pub(in crate::store) struct Watching(pub(in crate::store) Arc<Watch>);

impl Watch {
    /// Watches a folder; one change may be made to fail.
    pub(in crate::store) fn begin(dir: &Path, fault: Option<Fault>) -> Watching {
        let state = Mutex::new(State { fault, ..State::default() });
        let watch = Arc::new(Self { dir: dir.to_owned(), state });
        WATCHED.write().unwrap_or_else(PoisonError::into_inner).push(watch.clone());
        Watching(watch)
    }

    /// Adds a mark of the test's own.
    pub(in crate::store) fn mark(&self, step: Step) {
        self.lock().steps.push(step);
    }

    /// From now on no sync of these files, named by their paths in the folder, succeeds.
    pub(in crate::store) fn fail_syncs_of(&self, files: &[&str]) {
        self.lock().unsynced = files.iter().map(PathBuf::from).collect();
    }

    /// From now on nothing fails.
    pub(in crate::store) fn heal(&self) {
        self.lock().fault = None;
    }

    /// How many changes were made or have failed.
    pub(in crate::store) fn changes(&self) -> usize {
        self.lock().changes
    }

    pub(in crate::store) fn steps(&self) -> Vec<Step> {
        self.lock().steps.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        WATCHED.write().unwrap_or_else(PoisonError::into_inner).retain(|other| !Arc::ptr_eq(other, &self.0));
    }
}

impl State {
    /// Why the next change fails, if it does.
    fn next_fails(&mut self, change: Change<'_>, path: &Path) -> Option<io::ErrorKind> {
        let at = self.changes;
        self.changes += 1;
        if change == Change::Sync && self.unsynced.iter().any(|other| other == path) {
            return Some(io::ErrorKind::Other);
        }
        let fault = self.fault?;
        let frees = matches!(change, Change::Cut { .. } | Change::Remove);
        if fault.stays {
            return (at >= fault.at && !frees).then_some(io::ErrorKind::StorageFull);
        }
        (at == fault.at).then_some(io::ErrorKind::Other)
    }
}

/// Makes a change and writes it down, where the folder is watched.
pub(super) fn pass<T>(
    change: Change<'_>,
    path: &Path,
    make: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let watched = WATCHED.read().unwrap_or_else(PoisonError::into_inner);
    let Some(watch) = watched.iter().find(|watch| path.starts_with(&watch.dir)).cloned() else {
        return make();
    };
    drop(watched);
    // Held over the change itself, so that the record has the order in which changes were made.
    let mut state = watch.lock();
    let path = path.strip_prefix(&watch.dir).expect("the watch was found by it");
    if let Some(kind) = state.next_fails(change, path) {
        state.steps.extend(make_in_part(change, path, &watch.dir)?);
        return Err(kind.into());
    }
    let outcome = make()?;
    state.steps.push(step_of(change, path, &watch.dir));
    Ok(outcome)
}

fn step_of(change: Change<'_>, path: &Path, dir: &Path) -> Step {
    let path = path.to_owned();
    match change {
        Change::CreateDir => Step::CreateDir(path),
        Change::Create => Step::Create(path),
        Change::Write { at, bytes } => Step::Write { path, at, bytes: bytes.to_vec() },
        Change::Cut { len } => Step::Cut { path, len },
        Change::Sync => Step::Sync(path),
        Change::SyncDir => Step::SyncDir(path),
        Change::Rename { to } => {
            Step::Rename { path, to: to.strip_prefix(dir).expect("it stays in its folder").to_owned() }
        }
        Change::Remove => Step::Remove(path),
    }
}

/// What a change that fails does all the same: half of what was to be written reaches the file, as when a disk runs full.
fn make_in_part(change: Change<'_>, path: &Path, dir: &Path) -> io::Result<Option<Step>> {
    Ok(match change {
        Change::Write { at, bytes } => {
            let bytes = &bytes[..bytes.len() / 2];
            File::options().write(true).open(dir.join(path))?.write_all_at(bytes, at)?;
            Some(step_of(Change::Write { at, bytes }, path, dir))
        }
        Change::Sync => Some(Step::FailedSync(path.to_owned())),
        _ => None,
    })
}

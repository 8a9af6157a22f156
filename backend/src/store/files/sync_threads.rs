//! Threads that sync files at the same time as the one that has them.
//!
//! The disk takes what is synced together with one of its own writes. The threads wait from one sync to the next, for beginning a
//! thread takes as long as a quick disk takes to sync.

use super::{Change, StoreError, sync};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

/// There are no more than this; further files wait for one another.
const MOST: usize = 8;

/// Begun as they are needed; they end when this is dropped.
#[derive(Debug, Default)]
pub struct SyncThreads(Vec<SyncThread>);

#[derive(Debug)]
struct SyncThread {
    files: Sender<Arc<File>>,
    outcomes: Receiver<io::Result<()>>,
}

impl SyncThreads {
    /// What was written to the files is on disk when this returns, and so is their length. What came of each, in order.
    pub fn sync(&mut self, files: &[(Arc<File>, &Path)]) -> Vec<Result<(), StoreError>> {
        let Some(((first, first_path), others)) = files.split_first() else { return Vec::new() };
        let begun: Vec<Option<usize>> =
            (0..).zip(others).map(|(number, (file, _))| self.begin(number % MOST, file)).collect();
        let mut outcomes = vec![sync(first, first_path)];
        for (thread, (file, path)) in begun.into_iter().zip(others) {
            let by_thread = thread.and_then(|number| self.0[number].outcomes.recv().ok());
            // Where no thread could be had this one does it.
            outcomes.push(Change::Sync.make(path, || by_thread.unwrap_or_else(|| file.sync_data())));
        }
        outcomes
    }

    /// Has a file synced by a thread; which, if there is one.
    fn begin(&mut self, number: usize, file: &Arc<File>) -> Option<usize> {
        if number == self.0.len() {
            self.0.push(SyncThread::start().ok()?);
        }
        self.0.get(number)?.files.send(file.clone()).ok().map(|()| number)
    }
}

impl SyncThread {
    fn start() -> io::Result<Self> {
        let (files, to_sync) = mpsc::channel::<Arc<File>>();
        let (synced, outcomes) = mpsc::channel();
        let work = move || {
            for file in to_sync {
                let outcome = file.sync_data();
                drop(file);
                if synced.send(outcome).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("log-sync".to_owned()).spawn(work)?;
        Ok(Self { files, outcomes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn what_came_of_each_file_is_told_in_order_however_many_there_are() {
        let dir = tempfile::tempdir().unwrap();
        let mut threads = SyncThreads::default();
        for count in [0, 1, 2, MOST + 1, 3 * MOST, 2] {
            let paths: Vec<PathBuf> = (0..count).map(|number| dir.path().join(number.to_string())).collect();
            // A pipe cannot be synced.
            let is_bad = |number: usize| number % 3 == 1;
            let file = |number: usize| {
                if is_bad(number) {
                    File::from(std::os::fd::OwnedFd::from(std::io::pipe().unwrap().1))
                } else {
                    File::create(&paths[number]).unwrap()
                }
            };
            let files: Vec<(Arc<File>, &Path)> =
                (0..count).map(|number| (Arc::new(file(number)), paths[number].as_path())).collect();
            let outcomes = threads.sync(&files);
            let failed: Vec<bool> = outcomes.iter().map(Result::is_err).collect();
            assert_eq!(failed, (0..count).map(is_bad).collect::<Vec<_>>());
            assert!(threads.0.len() <= MOST && threads.0.len() + 1 >= count.min(MOST + 1));
        }
    }
}

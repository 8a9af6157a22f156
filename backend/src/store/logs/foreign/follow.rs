//! The thread that follows foreign files.

use super::file::{ForeignFile, Turn, Work};
use super::index::Seen;
use super::names::Listing;
use super::source::{FileId, Source};
use crate::store::logs::Shared;
use crate::store::{StoreError, files, layout};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked whether something has come; less often where a look takes long.
const INTERVAL: Duration = Duration::from_millis(250);
/// A look takes at most one part in so many of the time.
const SHARE: u32 = 20;
/// A start waits so long for what is known already.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// So many files, those that have grown last, are held open: they can be read while they are renamed.
const HELD_FILES: usize = 256;

/// Folders that are followed, until this is dropped.
#[derive(Debug)]
pub(in crate::store::logs) struct Following {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Following {
    /// Takes up what the index knows, and goes on in the background.
    pub(in crate::store::logs) fn start(shared: Arc<Shared>, dirs: Vec<PathBuf>) -> Result<Self, StoreError> {
        let dir = shared.dir.clone();
        let folder = layout::foreign_dir(&dir);
        files::create_dir(&folder)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (looked, first_look) = mpsc::channel();
        let mut follower = Follower::new(shared, dirs, folder, stop.clone());
        let run = move || {
            follower.look();
            if looked.send(()).is_err() {
                tracing::info!("foreign files were found; their lines are read now");
            }
            follower.run();
        };
        let thread = std::thread::Builder::new().name("foreign-files".to_owned()).spawn(run);
        let thread = Some(thread.map_err(StoreError::io("start a thread for", &dir))?);
        if first_look.recv_timeout(START_PATIENCE).is_err() {
            tracing::warn!("foreign files take long to be found; their lines come later");
        }
        Ok(Self { stop, thread })
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the thread that follows foreign files has panicked");
            }
        }
    }
}

/// A file that is there.
#[derive(Debug)]
struct Followed {
    /// How it was at the last look; `None` when it was not found.
    now: Option<Seen>,
    /// `None` while its first line is not whole, or it cannot be read.
    file: Option<ForeignFile>,
    lines: u64,
    bad: u64,
    /// In how many looks it was not found.
    misses: u32,
}

/// What could not be read the last time, and is not told again.
#[derive(Debug, Default)]
struct Failed(BTreeSet<PathBuf>);

impl Failed {
    /// Tells of errors that there were not before.
    fn tell(&mut self, errors: Vec<(PathBuf, StoreError)>) {
        let before = std::mem::take(&mut self.0);
        for (path, error) in errors {
            if !before.contains(&path) {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a foreign folder or file cannot be read; it is tried again");
            }
            self.0.insert(path);
        }
    }
}

pub(super) struct Follower {
    shared: Arc<Shared>,
    dirs: Vec<PathBuf>,
    /// Where the indexes lie.
    folder: PathBuf,
    data: Option<FileId>,
    files: BTreeMap<FileId, Followed>,
    slots: BTreeSet<u32>,
    /// What could not be found at the last look, and what could not be read behind it.
    unfound: Failed,
    unread: Failed,
    /// Whether the indexes of files that are gone were removed.
    has_swept: bool,
    work: Work,
    stop: Arc<AtomicBool>,
}

impl Follower {
    pub(super) fn new(
        shared: Arc<Shared>,
        dirs: Vec<PathBuf>,
        folder: PathBuf,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let data = std::fs::metadata(&shared.dir).ok().map(|found| FileId::of(&found));
        let (unfound, unread) = (Failed::default(), Failed::default());
        let work = Work::new(stop.clone(), shared.opening.reading);
        Self {
            shared,
            dirs,
            folder,
            data,
            files: BTreeMap::new(),
            slots: BTreeSet::new(),
            unfound,
            unread,
            has_swept: false,
            work,
            stop,
        }
    }

    /// Writes down all of it, however little.
    #[cfg(test)]
    pub(super) fn write_down_all(&mut self) {
        for file in self.files.values_mut().filter_map(|followed| followed.file.as_mut()) {
            file.write_checkpoint().unwrap();
        }
    }

    #[cfg(test)]
    pub(super) fn with_stretches_of(mut self, bytes: u64) -> Self {
        self.work.stretch_bytes = bytes;
        self
    }

    fn run(&mut self) {
        while !self.is_stopped() {
            let begun = Instant::now();
            self.look();
            let looked = begun.elapsed();
            if !self.read() && !self.is_stopped() {
                std::thread::park_timeout(INTERVAL.max(looked * SHARE));
            }
        }
        self.write_down();
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Looks which files there are, and takes up those that are new.
    pub(super) fn look(&mut self) {
        let Listing { files, failed } = Listing::of(&self.dirs, self.data);
        let mut errors: Vec<(PathBuf, StoreError)> = Vec::new();
        for (path, error) in failed {
            let told = StoreError::io("read", &path)(error);
            errors.push((path, told));
        }
        // A folder that cannot be read, or is empty, may be one that is not mounted.
        let is_whole = errors.is_empty() && !files.is_empty();
        let unread: Vec<&Path> = errors.iter().map(|(path, _)| &**path).collect();
        self.forget_gone(&files, &unread, is_whole);
        for (id, (path, found)) in files {
            if self.is_stopped() {
                return;
            }
            if let Err(error) = self.take_up(id, &path, &found) {
                errors.push((path, error));
            }
        }
        if is_whole && errors.is_empty() && !std::mem::replace(&mut self.has_swept, true) {
            errors.extend(self.sweep().err().map(|error| (self.folder.clone(), error)));
        }
        self.unfound.tell(errors);
        self.let_go();
        self.count();
    }

    /// Removes the indexes of files that are gone since an earlier run.
    fn sweep(&self) -> Result<(), StoreError> {
        let live = self.files.values().filter_map(|followed| followed.file.as_ref());
        let live: Vec<String> = live.map(ForeignFile::index_prefix).collect();
        let read = StoreError::io("read", &self.folder);
        let entries = std::fs::read_dir(&self.folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in entries.map_err(read)? {
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            let is_index = name.strip_suffix(".idx").is_some();
            if is_index && !live.iter().any(|prefix| name.starts_with(prefix)) {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Forgets files that are in no folder any more. What lies in one that could not be read is not gone for that.
    fn forget_gone(
        &mut self,
        files: &BTreeMap<FileId, (PathBuf, Metadata)>,
        unread: &[&Path],
        is_whole: bool,
    ) {
        let mut gone = Vec::new();
        for (id, followed) in &mut self.files {
            followed.now = files.get(id).map(|(_, found)| Seen::of(found));
            let path = followed.file.as_ref().map(|file| file.source().path());
            let is_unknown = path.is_some_and(|path| unread.iter().any(|folder| path.starts_with(folder)));
            followed.misses = if followed.now.is_some() || is_unknown { 0 } else { followed.misses + 1 };
            // A name may be missed while it changes: it takes two looks to believe that there is none.
            let is_nameless = |file: &ForeignFile| file.source().is_nameless();
            let is_gone = match followed.misses {
                0 => false,
                1 => followed.file.as_ref().is_some_and(is_nameless),
                _ => true,
            };
            if is_gone {
                gone.push(*id);
            }
        }
        for id in gone {
            self.forget(id, is_whole);
        }
    }

    fn forget(&mut self, id: FileId, with_index: bool) {
        let Some(Followed { file: Some(file), .. }) = self.files.remove(&id) else { return };
        self.shared.foreign.remove(|segment| file.has_segment(segment));
        self.slots.remove(&file.slot());
        self.shared.note_growth();
        if with_index && let Err(error) = file.remove_index(0) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the index of a file that is gone stays"
            );
        }
    }

    fn take_up(&mut self, id: FileId, path: &Path, found: &Metadata) -> Result<(), StoreError> {
        if let Some(Followed { file: Some(file), .. }) = self.files.get(&id) {
            if file.source().path() != path {
                file.source().rename(path);
            }
            return Ok(());
        }
        let followed = Followed { now: Some(Seen::of(found)), file: None, lines: 0, bad: 0, misses: 0 };
        self.files.entry(id).or_insert(followed);
        if found.len() == 0 {
            return Ok(());
        }
        let source = Arc::new(Source::open(path)?);
        if source.id() != id {
            return Ok(());
        }
        let slots = &self.slots;
        let free = |wanted: u32| {
            let mut near = (wanted..).chain(0..).filter(|slot| !slots.contains(slot));
            near.next().unwrap_or(wanted)
        };
        if let Some(file) = ForeignFile::open(source, &self.folder, free, &self.work)? {
            self.slots.insert(file.slot());
            if let Some(followed) = self.files.get_mut(&id) {
                followed.file = Some(file);
            }
            self.publish(id);
        }
        Ok(())
    }

    /// Reads some of what has come in each file; whether there is more.
    pub(super) fn read(&mut self) -> bool {
        let ids: Vec<FileId> = self.files.keys().copied().collect();
        let mut has_more = false;
        let mut errors = Vec::new();
        for (number, id) in ids.into_iter().enumerate() {
            if self.is_stopped() {
                return false;
            }
            let Some(Followed { file: Some(file), now: Some(now), .. }) = self.files.get_mut(&id) else {
                continue;
            };
            let turn = file.turn(*now, &mut self.work);
            let path = file.source().path();
            if number % HELD_FILES == HELD_FILES - 1 {
                self.let_go();
            }
            let lines = self.publish(id);
            add(&self.shared.foreign.counters.read_lines, lines);
            match turn {
                Ok(Turn::Done) => {}
                Ok(Turn::More) => has_more = true,
                Ok(Turn::Changed) => {
                    tracing::info!(file = %path.display(), "a foreign file was cut short or written anew; it is read from its start");
                    add(&self.shared.foreign.counters.changed_files, 1);
                    self.forget(id, true);
                    has_more = true;
                }
                Err(error) => errors.push((path, error)),
            }
        }
        self.unread.tell(errors);
        self.count();
        has_more
    }

    /// Shows what has come in a file; returns how many lines.
    fn publish(&mut self, id: FileId) -> u64 {
        let Some(followed) = self.files.get_mut(&id) else { return 0 };
        let Some(file) = &mut followed.file else { return 0 };
        let news = file.take_news();
        if let (0, Some((at, why))) = (followed.bad, &news.first_bad) {
            let path = file.source().path();
            tracing::warn!(file = %path.display(), at, why, "a bad line is passed over; further ones are only counted");
        }
        followed.lines += news.lines;
        followed.bad += news.bad;
        self.shared.foreign.add(&news.begun);
        if news.lines > 0 {
            self.shared.note_growth();
        }
        news.lines
    }

    /// Holds only some files open.
    fn let_go(&self) {
        let mut held: Vec<&ForeignFile> = self.files.values().filter_map(|f| f.file.as_ref()).collect();
        held.sort_unstable_by_key(|file| Reverse(file.mtime()));
        for file in held.into_iter().skip(HELD_FILES) {
            file.source().let_go();
        }
    }

    fn count(&self) {
        let counters = &self.shared.foreign.counters;
        let set = |counter: &AtomicU64, value: u64| counter.store(value, Ordering::Relaxed);
        let sum = |of: fn(&Followed) -> u64| self.files.values().map(of).sum();
        set(&counters.files, self.files.len() as u64);
        set(&counters.lines, sum(|followed| followed.lines));
        set(&counters.bad_lines, sum(|followed| followed.bad));
        set(&counters.behind_bytes, sum(|f| f.file.as_ref().map_or(0, ForeignFile::behind_bytes)));
        set(&counters.unreadable, (self.unfound.0.len() + self.unread.0.len()) as u64);
    }

    /// Writes down what is in memory only, so that the next start need not read it again.
    pub(super) fn write_down(&mut self) {
        for file in self.files.values_mut().filter_map(|followed| followed.file.as_mut()) {
            if let Err(error) = file.write_down() {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what was read last of a foreign file will be read again");
            }
        }
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

//! One day's points: its parts and heads in order of arrival, and how a folder becomes these.

use super::day_names::DayNames;
use super::head::Head;
use super::order::Run;
use super::part::Part;
use super::points::{DAY_SECS, DayPoints};
use super::wal;
use crate::store::file_view::Reading;
use crate::store::{StoreError, layout};
use sonde_shared::time::Day;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

pub(super) const PREFIX: &str = "metrics";

/// The path of a write-ahead log.
pub(super) fn wal_path(dir: &Path, number: u32) -> PathBuf {
    layout::numbered(dir, PREFIX, number, "wal")
}

/// The path of a part.
pub(super) fn part_path(dir: &Path, number: u32) -> PathBuf {
    layout::numbered(dir, PREFIX, number, "part")
}

/// Points of one day, in a file or in memory.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Part(Arc<Part>),
    Head(Arc<Head>),
}

impl Source {
    /// The same for somebody who gives back what he has looked at.
    fn for_reader(&self) -> Self {
        match self {
            Self::Part(part) => Self::Part(part.for_reader()),
            Self::Head(head) => Self::Head(head.clone()),
        }
    }

    /// Sources of higher numbers arrived later.
    pub(super) fn number(&self) -> u32 {
        match self {
            Self::Part(part) => part.last,
            Self::Head(head) => head.number,
        }
    }

    /// The first and the last second of the day that a series has a point in.
    pub(super) fn span(&self, name: &str) -> Option<(u32, u32)> {
        match self {
            Self::Part(part) => part.find(name).and_then(|at| part.span(at)),
            Self::Head(head) => head.span(name),
        }
    }

    /// Adds a series' points with `low <= time < high` to `out`.
    pub(super) fn read(
        &self,
        name: &str,
        low: u32,
        high: u32,
        out: &mut DayPoints,
    ) -> Result<(), StoreError> {
        match self {
            Self::Part(part) => part.find(name).map_or(Ok(()), |at| part.read(at, low, high, out)),
            Self::Head(head) => {
                head.read(name, low, high, out);
                Ok(())
            }
        }
    }
}

/// One day.
#[derive(Debug)]
pub(super) struct DayState {
    pub(super) day: Day,
    pub(super) dir: PathBuf,
    pub(super) reading: Reading,
    sources: RwLock<Vec<Source>>,
    /// Those of its heads and of parts that were made of some.
    pub(super) names: DayNames,
    /// Held by who makes one part of several.
    merging: Mutex<()>,
    /// How many hold the day only to seal it.
    sealers: Arc<AtomicUsize>,
    /// Whether every file could be read. Parts are merged only then, since a merged part replaces all of its numbers.
    pub(super) is_whole: bool,
}

/// A day that is to be sealed.
#[derive(Debug)]
pub(super) struct ToSeal {
    day: Option<Arc<DayState>>,
    sealers: Arc<AtomicUsize>,
}

impl ToSeal {
    /// The day.
    pub(super) fn day(&self) -> Option<&DayState> {
        self.day.as_deref()
    }
}

impl Drop for ToSeal {
    fn drop(&mut self) {
        // In this order the day never seems to be in use for something else.
        self.day = None;
        self.sealers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What loading a day's folder found.
pub(super) struct Loaded {
    pub(super) state: Arc<DayState>,
    /// Heads read back from write-ahead logs; they wait to become parts.
    pub(super) unflushed: Vec<Arc<Head>>,
    /// Files that could not be read; they are left where they are.
    pub(super) damaged: u64,
}

impl DayState {
    /// Reads a day's folder: opens its parts and replays the write-ahead logs that no part replaces.
    pub(super) fn load(data: &Path, day: Day, reading: Reading) -> Result<Loaded, StoreError> {
        let dir = layout::day_dir(data, day);
        if layout::lines_only(&dir).exists() {
            let state = Arc::new(Self::of(day, dir, reading, Vec::new(), true));
            return Ok(Loaded { state, unflushed: Vec::new(), damaged: 0 });
        }
        for number in layout::list_numbers(&dir, PREFIX, "tmp")? {
            remove(&layout::numbered(&dir, PREFIX, number, "tmp"));
        }
        let mut sources = Vec::new();
        let mut damaged = load_parts(&dir, reading, &mut sources)?;
        let mut unflushed = Vec::new();
        for number in layout::list_numbers(&dir, PREFIX, "wal")? {
            let path = wal_path(&dir, number);
            if is_replaced(&sources, number) {
                remove(&path);
                continue;
            }
            match wal::replay(&path, number) {
                Ok((head, _)) if head.point_count() == 0 => remove(&path),
                Ok((head, _)) => unflushed.push(Arc::new(head)),
                Err(error) => damaged += report(&dir, &error),
            }
        }
        sources.extend(unflushed.iter().cloned().map(Source::Head));
        if !dir.is_dir() || layout::lines_only(&dir).exists() {
            // It was deleted while it was read, or is yet to be made: half a day is none.
            (sources, unflushed) = (Vec::new(), Vec::new());
        }
        sources.sort_by_key(Source::number);
        let state = Arc::new(Self::of(day, dir, reading, sources, damaged == 0));
        Ok(Loaded { state, unflushed, damaged })
    }

    fn of(day: Day, dir: PathBuf, reading: Reading, sources: Vec<Source>, is_whole: bool) -> Self {
        Self {
            day,
            dir,
            reading,
            sources: RwLock::new(sources),
            names: DayNames::default(),
            merging: Mutex::default(),
            sealers: Arc::default(),
            is_whole,
        }
    }

    /// The day for somebody who will seal it. That does not keep a day whose folder is gone.
    pub(super) fn to_seal(self: &Arc<Self>) -> ToSeal {
        self.sealers.fetch_add(1, Ordering::SeqCst);
        ToSeal { day: Some(Arc::clone(self)), sealers: Arc::clone(&self.sealers) }
    }

    /// Whether somebody writes to the day or makes parts of what is in memory, beside the list of days.
    pub(super) fn is_in_use(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1 + self.sealers.load(Ordering::SeqCst)
    }

    /// Waits until nobody else merges parts of the day, and keeps others from it.
    pub(super) fn merging(&self) -> MutexGuard<'_, ()> {
        self.merging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same without waiting; `None` while somebody else merges.
    pub(super) fn try_merging(&self) -> Option<MutexGuard<'_, ()>> {
        match self.merging.try_lock() {
            Ok(alone) => Some(alone),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The sources in order of arrival, for a reader.
    pub(super) fn sources(&self) -> Vec<Source> {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        sources.iter().map(Source::for_reader).collect()
    }

    /// A number that no file of the day has had while this program ran, and none in the folder has.
    pub(super) fn next_number(&self) -> Result<u32, StoreError> {
        let wals = layout::list_numbers(&self.dir, PREFIX, "wal")?;
        let parts = layout::list_numbers(&self.dir, PREFIX, "part")?;
        let known = self.sources().last().map_or(0, Source::number);
        Ok(wals.into_iter().chain(parts).max().unwrap_or(0).max(known) + 1)
    }

    /// Adds the newest head.
    pub(super) fn add_head(&self, head: Arc<Head>) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(Source::Head(head));
    }

    /// All names of the day: the list of those that have come to it, and the parts with others.
    pub(super) fn lists(&self) -> (Vec<Arc<Run>>, Vec<Arc<Part>>) {
        let sources = self.sources();
        let heads = sources.iter().filter_map(|source| match source {
            Source::Head(head) => Some(head),
            Source::Part(_) => None,
        });
        let (epoch, runs) = self.names.with(heads);
        // The parts are looked at behind the list: names that leave it meanwhile are in one of another epoch by then.
        let parts = self.parts().into_iter().filter(|part| part.epoch != epoch);
        (runs, parts.collect())
    }

    /// Takes a head away that never got a point or whose part is there.
    pub(super) fn remove_head(&self, number: u32) {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|source| !matches!(source, Source::Head(head) if head.number == number));
    }

    /// Puts a part in the place of all sources that it replaces, in one step for readers.
    pub(super) fn replace(&self, part: Arc<Part>) {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|source| !(part.first..=part.last).contains(&source.number()));
        let at = sources.partition_point(|source| source.number() < part.first);
        sources.insert(at, Source::Part(part));
    }

    /// The unix second of the latest point.
    pub(super) fn last_point(&self) -> Option<i64> {
        let latest = |source: &Source| match source {
            Source::Part(part) => Some(part.max_time),
            Source::Head(head) => head.max_time(),
        };
        let latest = self.sources().iter().filter_map(latest).max();
        latest.map(|time| self.day.number() * DAY_SECS + i64::from(time))
    }

    /// The parts in order of arrival.
    pub(super) fn parts(&self) -> Vec<Arc<Part>> {
        let part = |source| if let Source::Part(part) = source { Some(part) } else { None };
        self.sources().into_iter().filter_map(part).collect()
    }
}

/// Opens the parts of a folder, newest first, leaving out those that a newer one replaces. Returns how many are damaged.
fn load_parts(dir: &Path, reading: Reading, sources: &mut Vec<Source>) -> Result<u64, StoreError> {
    let mut damaged = 0;
    for number in layout::list_numbers(dir, PREFIX, "part")?.into_iter().rev() {
        let path = part_path(dir, number);
        if is_replaced(sources, number) {
            remove(&path);
            continue;
        }
        let with_wal = wal_path(dir, number).exists();
        match Part::open(&path, reading)
            .and_then(|part| if with_wal { part.verify().map(|()| part) } else { Ok(part) })
        {
            Ok(part) => sources.push(Source::Part(Arc::new(part))),
            Err(error) => damaged += report(dir, &error),
        }
    }
    Ok(damaged)
}

fn is_replaced(sources: &[Source], number: u32) -> bool {
    sources
        .iter()
        .any(|source| matches!(source, Source::Part(part) if (part.first..=part.last).contains(&number)))
}

/// Logs a file that is left out; counts as one. In a folder that was deleted meanwhile nothing is amiss.
fn report(dir: &Path, error: &StoreError) -> u64 {
    if !dir.is_dir() {
        return 0;
    }
    tracing::error!(error = error as &dyn std::error::Error, "a file of points is left out");
    1
}

/// Deletes a file that is no longer needed. Should it stay, it is found obsolete again at the next start.
pub(super) fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "could not delete an obsolete file");
    }
}

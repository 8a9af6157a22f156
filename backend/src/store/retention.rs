//! How long days are kept: by age and by the room they take. Where some components have an age of their own, `by_class`
//! deletes within a day.
//!
//! A day goes in two steps. Its writers let go of it and its folder gets a name that is no day's: from then on nobody finds it,
//! and whoever reads it goes on with the files that are open. Then the files are removed, one by one. What a crash or a stop
//! leaves of that is removed the next time. No step needs room on the disk.

mod by_class;

use super::ages::{self, Age, Ages, RuleError, first_day};
use super::{Store, StoreError, files, layout, logs};
use sonde_shared::time::{Day, Timestamp};
use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use by_class::finish_days;

/// How often it is tried to find a day that nobody is just opening.
const ATTEMPTS: usize = 1_000;

/// What is kept. By default everything is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Days that ended so many nanoseconds ago, or longer, go.
    pub age_nanos: Option<i64>,
    /// The oldest days go while all days together take more than so many bytes of the disk; today never.
    pub bytes: Option<u64>,
}

impl Limits {
    /// The first day that is young enough.
    fn first_day(self, now: Timestamp) -> Option<Day> {
        first_day(self.age_nanos, now)
    }
}

/// What was deleted since the folder was opened.
#[derive(Debug, Default)]
pub struct Deleted {
    /// Days.
    pub days: AtomicU64,
    /// Segments of lines, with their days or alone.
    pub segments: AtomicU64,
    /// The bytes that all this took on the disk.
    pub bytes: AtomicU64,
}

/// The limits in force and what they came to.
#[derive(Debug)]
pub(super) struct Retention {
    limits: Limits,
    ages: Arc<Ages>,
    /// The number of the first day after those that went for want of room.
    first_with_room: AtomicI64,
    /// The number of the first day after those of which all but the lines that are kept longer went.
    first_general: AtomicI64,
    /// How long finished segments are kept, as far as it was asked: their lines stay the same.
    known_ages: Mutex<HashMap<(Day, u32), Age>>,
    deleted: Deleted,
    /// One deletes at a time.
    at_work: Mutex<()>,
}

impl Retention {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            ages: Arc::new(Ages::of_all(limits.age_nanos)),
            first_with_room: AtomicI64::new(i64::MIN),
            first_general: AtomicI64::new(i64::MIN),
            known_ages: Mutex::default(),
            deleted: Deleted::default(),
            at_work: Mutex::default(),
        }
    }
}

/// The earliest instants of which lines are kept, by component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarliestLines {
    ages: Arc<Ages>,
    with_room: Timestamp,
    /// That of what is not kept longer than the rest.
    general: Timestamp,
}

impl EarliestLines {
    /// That of a component.
    pub fn of(&self, component: &str, now: Timestamp) -> Timestamp {
        let age = self.ages.of(component);
        let is_longer = ages::order(age) > ages::order(self.ages.general());
        let deleted = if is_longer { self.with_room } else { self.with_room.max(self.general) };
        first_day(age, now).map_or(Timestamp::MIN, Day::start).max(deleted)
    }
}

impl Store {
    /// The same folder, of which no more is kept than that once [`Store::delete_surplus`] is called.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.retention = Retention::new(limits);
        self
    }

    /// The same; lines of some components and of what lies below them are kept for other ages. To be called before anything
    /// is stored.
    pub fn with_ages_for(mut self, rules: &[(String, Age)]) -> Result<Self, RuleError> {
        let ages = Arc::new(Ages::with_rules(self.retention.limits.age_nanos, rules)?);
        self.logs.set_ages(ages.clone());
        self.retention.ages = ages;
        Ok(self)
    }

    /// The earliest instant that is kept of what has no age of its own, the start of a day; [`Timestamp::MIN`] where all are.
    /// What is older would be deleted at once, or stand for a whole day of which the rest was deleted, and is to be refused.
    pub fn earliest(&self, now: Timestamp) -> Timestamp {
        let young = self.retention.limits.first_day(now).map_or(Timestamp::MIN, Day::start);
        self.first_with_room().max(self.first_general()).max(young)
    }

    /// The same for the lines of some components, where ages are different.
    pub fn earliest_of_lines(&self) -> Option<EarliestLines> {
        let ages = self.retention.ages.has_classes().then(|| self.retention.ages.clone())?;
        Some(EarliestLines { ages, with_room: self.first_with_room(), general: self.first_general() })
    }

    fn first_general(&self) -> Timestamp {
        Day::from_number(self.retention.first_general.load(Ordering::Relaxed)).start()
    }

    fn first_with_room(&self) -> Timestamp {
        Day::from_number(self.retention.first_with_room.load(Ordering::Relaxed)).start()
    }

    /// What was deleted so far.
    pub fn deleted(&self) -> &Deleted {
        &self.retention.deleted
    }

    /// Deletes the days that are beyond the limits, and what earlier attempts have left. What cannot be deleted now is logged
    /// and tried again with the next call. Returns early once `is_stopped`. Blocks for the disk.
    pub fn delete_surplus(&self, now: Timestamp, is_stopped: &dyn Fn() -> bool) {
        let (limits, has_classes) = (self.retention.limits, self.retention.ages.has_classes());
        if limits == Limits::default() && !has_classes {
            return;
        }
        let _one_at_a_time = self.retention.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        // What an earlier run has left would be in the way of the same day's other name.
        let steps: [&dyn Fn() -> Result<(), StoreError>; 4] = [
            &|| self.sweep(is_stopped),
            &|| match limits.first_day(now) {
                _ if has_classes => self.delete_by_class(now, is_stopped),
                Some(first) => self.delete_old(first, is_stopped),
                None => Ok(()),
            },
            &|| limits.bytes.map_or(Ok(()), |bytes| self.delete_for_room(bytes, now.day(), is_stopped)),
            &|| self.sweep(is_stopped),
        ];
        for error in steps.into_iter().filter_map(|step| step().err()) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "what is beyond the retention could not all be deleted yet");
        }
    }

    /// Deletes the days before this one. One that cannot be deleted does not keep the others; the first error is returned.
    fn delete_old(&self, first: Day, is_stopped: &dyn Fn() -> bool) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for day in self.days_with_folder()?.into_iter().filter(|day| *day < first) {
            if is_stopped() {
                break;
            }
            outcome = outcome.and(self.delete_day(day, "its age", None));
        }
        outcome
    }

    /// Deletes the oldest days before today while all together take too much; what is kept longer than the rest goes only when
    /// there is nothing else. When one cannot be deleted, no younger one goes in its place.
    fn delete_for_room(
        &self,
        limit: u64,
        today: Day,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), StoreError> {
        let mut days = Vec::new();
        for day in self.days_with_folder()? {
            if is_stopped() {
                return Ok(());
            }
            let dir = layout::day_dir(&self.dir, day);
            days.push((day, size_on_disk(&dir).map_err(StoreError::io("read", &dir))?));
        }
        self.thin_for_room(&mut days, limit, today, is_stopped)?;
        for (day, _) in days.iter().take(surplus(&days, limit, today)) {
            if is_stopped() {
                break;
            }
            // First, so that nothing more is taken for the day.
            self.retention.first_with_room.fetch_max(day.next().number(), Ordering::Relaxed);
            self.delete_day(*day, "want of room", None)?;
        }
        Ok(())
    }

    /// The days whose folders are real ones. A link that stands for a day was made by a person, and is left alone.
    fn days_with_folder(&self) -> Result<Vec<Day>, StoreError> {
        let mut days = layout::list_days(&self.dir)?;
        days.retain(|day| {
            fs::symlink_metadata(layout::day_dir(&self.dir, *day)).is_ok_and(|found| found.is_dir())
        });
        Ok(days)
    }

    /// Takes a day away from everybody; [`Store::sweep`] then removes its files. Not if it has other segments than some, where
    /// these are named.
    fn delete_day(&self, day: Day, why: &str, only: Option<&[u32]>) -> Result<(), StoreError> {
        let dir = layout::day_dir(&self.dir, day);
        let segments = logs::segment_numbers(&dir)?.len() as u64;
        let bytes = size_on_disk(&dir).map_err(StoreError::io("read", &dir))?;
        if !self.set_aside(day, &dir, only)? {
            return Ok(());
        }
        let Deleted { days, segments: all_segments, bytes: all_bytes } = &self.retention.deleted;
        self.known_ages().retain(|(of, _), _| *of != day);
        days.fetch_add(1, Ordering::Relaxed);
        all_segments.fetch_add(segments, Ordering::Relaxed);
        all_bytes.fetch_add(bytes, Ordering::Relaxed);
        tracing::info!(%day, segments, bytes, "a day is deleted for {why}");
        Ok(())
    }

    /// Gives a day's folder its other name while no writer has a file of it open; whether it was to go.
    fn set_aside(&self, day: Day, dir: &Path, only: Option<&[u32]>) -> Result<bool, StoreError> {
        for _ in 0..ATTEMPTS {
            self.logs.wait_for_openers(day);
            let work = || self.events.without(day, || self.logs.set_aside(day, only));
            match self.metrics.without(day, work)?? {
                logs::Aside::Done => return Ok(true),
                logs::Aside::HasMore => return Ok(false),
                logs::Aside::IsBusy => {}
            }
        }
        Err(StoreError::io("rename", dir)(ErrorKind::ResourceBusy.into()))
    }

    /// Removes the files of days that were taken away.
    fn sweep(&self, is_stopped: &dyn Fn() -> bool) -> Result<(), StoreError> {
        let folders = layout::list_deleted(&self.dir)?;
        if let Some(folder) = folders.first() {
            // After a power loss a day is there as a whole or not at all: the names are on disk before the first file goes.
            files::sync_parent(folder)?;
        }
        let mut outcome = Ok(());
        for folder in folders {
            outcome = outcome.and(remove(&folder, is_stopped));
        }
        outcome
    }
}

/// Removes a folder, file by file, so that a stop need not wait for all of them.
fn remove(folder: &Path, is_stopped: &dyn Fn() -> bool) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(StoreError::io("read", folder))? {
        if is_stopped() {
            return Ok(());
        }
        let entry = entry.map_err(StoreError::io("read", folder))?;
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::remove_file(entry.path()).map_err(StoreError::io("remove", &entry.path()))?;
        }
    }
    fs::remove_dir_all(folder).map_err(StoreError::io("remove", folder))
}

/// How many of the oldest days go so that the rest takes at most `limit` bytes; only days before today.
fn surplus(days: &[(Day, u64)], limit: u64, today: Day) -> usize {
    let mut all: u64 = days.iter().map(|(_, bytes)| bytes).sum();
    let goes = |(day, bytes): &&(Day, u64)| {
        let is_too_much = all > limit && *day < today;
        all -= bytes;
        is_too_much
    };
    days.iter().take_while(goes).count()
}

/// What a folder takes on the disk, as `du` counts it. What is removed meanwhile takes nothing.
fn size_on_disk(dir: &Path) -> io::Result<u64> {
    /// The unit of `st_blocks`, whatever the file system's own blocks are.
    const BLOCK_BYTES: u64 = 512;
    let found = match fs::symlink_metadata(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        found => found?,
    };
    let mut bytes = found.blocks() * BLOCK_BYTES;
    if found.is_dir() {
        for entry in fs::read_dir(dir)? {
            bytes += size_on_disk(&entry?.path())?;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;

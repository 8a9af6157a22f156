//! Within a day: segments of lines go when nothing in them is to be kept, and what else the day has goes at its own time.
//!
//! How long a segment is kept is asked of the components that it holds, by the rules of now: it goes with the age of that
//! one which is kept longest. So a segment from before a rule was set, with lines of all kinds, stays until the last of them
//! may go. Nothing about ages is in any file.

use super::{Retention, size_on_disk};
use crate::store::ages::{self, Age, first_day};
use crate::store::logs::dictionary::OTHER;
use crate::store::{Store, StoreError, files, layout, logs};
use sonde_shared::time::{Day, Timestamp};
use std::fs;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// A segment and how long it is kept.
struct Judged {
    number: u32,
    age: Age,
    is_finished: bool,
}

impl Store {
    /// Deletes what is beyond its age of each day. A day that cannot be looked through does not keep the others.
    pub(super) fn delete_by_class(
        &self,
        now: Timestamp,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), StoreError> {
        let (_, shortest) = self.retention.ages.extremes();
        let Some(first) = first_day(shortest, now) else { return Ok(()) };
        let mut outcome = Ok(());
        for day in self.days_with_folder()?.into_iter().filter(|day| *day < first) {
            if is_stopped() {
                break;
            }
            outcome = outcome.and(self.delete_of_day(day, now));
        }
        outcome
    }

    fn delete_of_day(&self, day: Day, now: Timestamp) -> Result<(), StoreError> {
        let ages = &self.retention.ages;
        let is_old = |age: Age| first_day(age, now).is_some_and(|first| day < first);
        let dir = layout::day_dir(&self.dir, day);
        if is_old(ages.extremes().0) {
            return self.delete_day(day, "its age");
        }
        let (old, kept): (Vec<_>, Vec<_>) =
            self.judge(day, &dir)?.into_iter().partition(|one| is_old(one.age));
        let is_rest_old = is_old(ages.general());
        if kept.is_empty() && is_rest_old {
            return self.delete_day(day, "its age");
        }
        if old.iter().any(|one| !one.is_finished) {
            self.logs.close_day(day)?;
        }
        self.delete_segments(day, &dir, &old)?;
        logs::sweep(&dir)?;
        if is_rest_old { self.leave_lines_only(day, &dir) } else { Ok(()) }
    }

    /// How long each segment of a day is kept. One whose time is known is not opened again for that.
    fn judge(&self, day: Day, dir: &Path) -> Result<Vec<Judged>, StoreError> {
        let numbers = logs::segment_numbers(dir)?;
        let mut known = self.retention.known_ages.lock().unwrap_or_else(PoisonError::into_inner);
        if numbers.iter().all(|number| known.contains_key(&(day, *number))) {
            let judged =
                |number: &u32| Judged { number: *number, age: known[&(day, *number)], is_finished: true };
            return Ok(numbers.iter().map(judged).collect());
        }
        let mut judged = Vec::new();
        for segment in self.logs.segments_of(day)? {
            // First: what is finished has all its names.
            let is_finished = segment.is_finished();
            let names = segment.published().components;
            let age = age_of(&self.retention, names.iter().map(|name| &**name));
            if is_finished {
                known.insert((day, segment.number()), age);
            }
            judged.push(Judged { number: segment.number(), age, is_finished });
        }
        Ok(judged)
    }

    fn delete_segments(&self, day: Day, dir: &Path, old: &[Judged]) -> Result<(), StoreError> {
        let (mut segments, mut bytes, mut outcome) = (0, 0, Ok(()));
        for one in old {
            let size = |path: &std::path::PathBuf| size_on_disk(path).unwrap_or(0);
            let found: u64 = logs::segment_files(dir, one.number).iter().map(size).sum();
            let deleted = self.logs.delete_segment(day, one.number);
            let is_left = logs::segment_numbers(dir)?.contains(&one.number);
            if deleted.is_ok() && !is_left {
                (segments, bytes) = (segments + 1, bytes + found);
                self.retention
                    .known_ages
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&(day, one.number));
            }
            outcome = outcome.and(deleted);
        }
        if segments > 0 {
            self.retention.deleted.segments.fetch_add(segments, Ordering::Relaxed);
            self.retention.deleted.bytes.fetch_add(bytes, Ordering::Relaxed);
            tracing::info!(%day, segments, bytes, "segments of lines are deleted for the age of their components");
        }
        outcome
    }

    /// Deletes the points and events of a day whose lines are kept longer, all at once for whoever reads them.
    fn leave_lines_only(&self, day: Day, dir: &Path) -> Result<(), StoreError> {
        let marker = layout::lines_only(dir);
        let rest = layout::list_all_but_lines(dir)?;
        if rest.is_empty() && !marker.exists() {
            return Ok(());
        }
        let size = |path: &std::path::PathBuf| size_on_disk(path).unwrap_or(0);
        let bytes: u64 = rest.iter().map(size).sum();
        // First, so that nothing more is taken for the day.
        self.retention.first_general.fetch_max(day.next().number(), Ordering::Relaxed);
        let mark = || files::write_atomically(&marker, &[]);
        self.metrics.without(day, || self.events.without(day, mark))??;
        remove_rest(dir)?;
        self.retention.deleted.bytes.fetch_add(bytes, Ordering::Relaxed);
        tracing::info!(%day, bytes, "points and events of a day are deleted for their age");
        Ok(())
    }
}

/// The longest age of some components. Names beyond a segment's numbers share one, so that may be any.
fn age_of<'a>(retention: &Retention, names: impl Iterator<Item = &'a str>) -> Age {
    let of = |name| if name == OTHER { retention.ages.extremes().0 } else { retention.ages.of(name) };
    // One without lines goes with what goes first.
    names.map(of).max_by_key(|age| ages::order(*age)).unwrap_or(retention.ages.extremes().1)
}

/// Removes the points and events of a day of which lines alone are kept, then the file that says so.
fn remove_rest(dir: &Path) -> Result<(), StoreError> {
    for path in layout::list_all_but_lines(dir)? {
        files::remove(&path)?;
    }
    let marker = layout::lines_only(dir);
    files::sync_parent(&marker)?;
    files::remove(&marker)
}

/// Ends what a crash has left of that, before anything is stored: it would be removed with the rest.
pub(in crate::store) fn finish_days(data: &Path) -> Result<(), StoreError> {
    for day in layout::list_days(data)? {
        let dir = layout::day_dir(data, day);
        if fs::exists(layout::lines_only(&dir)).unwrap_or(false) {
            remove_rest(&dir)?;
        }
    }
    Ok(())
}

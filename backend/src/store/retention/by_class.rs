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
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

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
        let is_old = |age: Age| first_day(age, now).is_some_and(|first| day < first);
        if is_old(self.retention.ages.extremes().0) {
            return self.delete_day(day, "its age", None);
        }
        self.thin_day(day, &is_old, "its age")
    }

    /// Deletes the oldest days before today while all together take too much, but for what is kept longer than the general age.
    /// The sizes are then those of what is left.
    pub(super) fn thin_for_room(
        &self,
        days: &mut Vec<(Day, u64)>,
        limit: u64,
        today: Day,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), StoreError> {
        let ages = &self.retention.ages;
        let goes = |age: Age| ages::order(age) <= ages::order(ages.general());
        let mut all: u64 = days.iter().map(|(_, bytes)| bytes).sum();
        let is_any_kept = !goes(ages.extremes().0);
        for (day, bytes) in days.iter_mut().take_while(|(day, _)| is_any_kept && *day < today) {
            if all <= limit || is_stopped() {
                break;
            }
            // First, so that nothing more is taken for the day.
            self.retention.first_general.fetch_max(day.next().number(), Ordering::Relaxed);
            self.thin_day(*day, &goes, "want of room")?;
            let dir = layout::day_dir(&self.dir, *day);
            let left = size_on_disk(&dir).map_err(StoreError::io("read", &dir))?;
            all = all.saturating_sub(*bytes - left.min(*bytes));
            *bytes = left;
        }
        days.retain(|(_, bytes)| *bytes > 0);
        Ok(())
    }

    /// Deletes of a day the segments whose age is one that goes; if the general age is, its points and events too, or all of
    /// it where no lines are left.
    fn thin_day(&self, day: Day, goes: &dyn Fn(Age) -> bool, why: &str) -> Result<(), StoreError> {
        let dir = layout::day_dir(&self.dir, day);
        let mut judged = self.judge(day, &dir)?;
        if judged.iter().any(|one| goes(one.age)) {
            if judged.iter().any(|one| goes(one.age) && !one.is_finished) {
                self.logs.close_day(day)?;
            }
            // Before anything goes they are asked again: lines may have come to an open one, or another file to a place.
            self.known_ages().retain(|(of, _), _| *of != day);
            judged = self.judge(day, &dir)?;
        }
        let (old, kept): (Vec<_>, Vec<_>) = judged.into_iter().partition(|one| goes(one.age));
        let goes_rest = goes(self.retention.ages.general());
        if kept.is_empty() && goes_rest {
            // A line that is kept longer may come at any moment.
            let numbers: Vec<u32> = old.iter().map(|one| one.number).collect();
            return self.delete_day(day, why, Some(&numbers));
        }
        self.delete_segments(day, &dir, &old, why)?;
        logs::sweep(&dir)?;
        if goes_rest { self.leave_lines_only(day, &dir, why) } else { Ok(()) }
    }

    pub(super) fn known_ages(&self) -> MutexGuard<'_, HashMap<(Day, u32), Age>> {
        self.retention.known_ages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long each segment of a day is kept. One whose time is known is not opened again for that.
    fn judge(&self, day: Day, dir: &Path) -> Result<Vec<Judged>, StoreError> {
        let numbers = logs::segment_numbers(dir)?;
        let mut known = self.known_ages();
        if numbers.iter().all(|number| known.contains_key(&(day, *number))) {
            let judged =
                |number: &u32| Judged { number: *number, age: known[&(day, *number)], is_finished: true };
            return Ok(numbers.iter().map(judged).collect());
        }
        let mut judged = Vec::new();
        let (segments, unread) = self.logs.segments_of(day)?;
        // What nobody has read yet may be of any component.
        let age = self.retention.ages.extremes().0;
        judged.extend(unread.into_iter().map(|number| Judged { number, age, is_finished: true }));
        for segment in segments {
            // First: what is finished has all its names.
            let is_finished = segment.is_finished();
            let published = segment.published();
            let age = if published.rows == 0 && has_text(dir, segment.number()) {
                // What cannot be read may be of any component, and may yet be mended.
                self.retention.ages.extremes().0
            } else {
                age_of(&self.retention, published.components.iter())
            };
            if is_finished {
                known.insert((day, segment.number()), age);
            }
            judged.push(Judged { number: segment.number(), age, is_finished });
        }
        Ok(judged)
    }

    fn delete_segments(&self, day: Day, dir: &Path, old: &[Judged], why: &str) -> Result<(), StoreError> {
        let (mut segments, mut bytes, mut outcome) = (0, 0, Ok(()));
        for one in old {
            let size = |path: &std::path::PathBuf| size_on_disk(path).unwrap_or(0);
            let found: u64 = logs::segment_files(dir, one.number).iter().map(size).sum();
            let deleted = self.logs.delete_segment(day, one.number);
            let is_left = logs::segment_numbers(dir)?.contains(&one.number);
            if deleted.is_ok() && !is_left {
                (segments, bytes) = (segments + 1, bytes + found);
                self.known_ages().remove(&(day, one.number));
            }
            outcome = outcome.and(deleted);
        }
        if segments > 0 {
            self.retention.deleted.segments.fetch_add(segments, Ordering::Relaxed);
            self.retention.deleted.bytes.fetch_add(bytes, Ordering::Relaxed);
            tracing::info!(%day, segments, bytes, "segments of a day's lines are deleted for {why}");
        }
        outcome
    }

    /// Deletes the points and events of a day whose lines are kept longer, all at once for whoever reads them.
    fn leave_lines_only(&self, day: Day, dir: &Path, why: &str) -> Result<(), StoreError> {
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
        tracing::info!(%day, bytes, "a day's points and events are deleted for {why}");
        Ok(())
    }
}

/// Whether a segment has something in its files of lines.
fn has_text(dir: &Path, number: u32) -> bool {
    let [text, sealed, ..] = logs::segment_files(dir, number);
    [text, sealed].iter().any(|path| path.metadata().is_ok_and(|found| found.len() > 0))
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

//! From heads to parts, on a thread of its own, so that taking points in never waits for it unless it falls far behind.
//!
//! A head becomes the part of its number; then its write-ahead log goes. Parts are merged like the digits of a counter: once
//! [`MERGED`] neighbours are of one size. So a day has few parts, and a point is written again only a few times. What a
//! finished day has is made one part by `seal`.

use super::day::{DayState, ToSeal, part_path, remove, wal_path};
use super::day_names::NO_EPOCH;
use super::head::Head;
use super::part::{Part, PartWriter};
use super::points::DayPoints;
use super::seal::Task;
use super::walk::NameList;
use crate::store::StoreError;
use crate::store::file_view::caught;
use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long to wait after a flush failed, for space or a disk to come back.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A head with less than this part of the day's names is sorted by itself.
const FEW: usize = 16;
/// So many parts of one size become one.
const MERGED: usize = 4;

/// What the flushing thread is told.
pub(super) enum Message {
    /// This head takes no more points.
    Flush(Arc<DayState>, Arc<Head>),
    /// Nothing is written to this day for the time being: it may be sealed once the heads before are parts.
    Idle(ToSeal),
    /// Who has the other end waits until this is dropped: then the heads before are parts.
    Tell(Sender<()>),
    /// Finish what is queued, then end.
    Close,
}

/// How much waits to become parts.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    state: Mutex<BacklogState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct BacklogState {
    points: u64,
    failing: Option<String>,
    closing: bool,
}

impl Backlog {
    fn state(&self) -> MutexGuard<'_, BacklogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a head that was queued.
    pub(super) fn add(&self, points: u64) {
        self.state().points += points;
    }

    /// Waits until at most `limit` points wait. Fails with the reason when flushing is stuck instead.
    pub(super) fn wait_for_room(&self, limit: u64) -> Result<(), String> {
        let mut state = self.state();
        while state.points > limit {
            if let Some(why) = &state.failing {
                return Err(why.clone());
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Why flushing is stuck, if it is.
    pub(super) fn failing(&self) -> Option<String> {
        self.state().failing.clone()
    }

    /// A flush that fails from now on is not tried again; its write-ahead log stays.
    pub(super) fn close(&self) {
        self.state().closing = true;
        self.changed.notify_all();
    }

    fn done(&self, points: u64) {
        let mut state = self.state();
        state.points -= points;
        state.failing = None;
        self.changed.notify_all();
    }

    /// Notes a failure and waits. Returns false when it is not worth trying again.
    fn wait_after(&self, error: &StoreError) -> bool {
        let mut state = self.state();
        state.failing = Some(error.to_string());
        self.changed.notify_all();
        if !state.closing {
            let (woken, _timeout) =
                self.changed.wait_timeout(state, RETRY_AFTER).unwrap_or_else(PoisonError::into_inner);
            state = woken;
        }
        !state.closing
    }
}

/// The thread's loop. Days to be sealed are told to another thread, since that takes long.
pub(super) fn run(messages: &Receiver<Message>, to_seal: &Sender<Task>, backlog: &Backlog) {
    while let Ok(message) = messages.recv() {
        match message {
            Message::Flush(day, head) => {
                flush_until_done(&day, &head, backlog);
                backlog.done(head.point_count());
                if let Err(error) = caught(|| merge(&day)).flatten() {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "could not merge parts; they stay as they are"
                    );
                }
            }
            // The other thread goes when the store does.
            Message::Idle(day) => drop(to_seal.send(Task::Seal(day))),
            Message::Tell(waiting) => drop(waiting),
            Message::Close => return,
        }
    }
}

fn flush_until_done(day: &DayState, head: &Head, backlog: &Backlog) {
    while let Err(error) = flush(day, head) {
        if !day.dir.is_dir() {
            tracing::warn!(dir = %day.dir.display(), "the day's folder was deleted; its points in memory are forgotten");
            day.remove_head(head.number);
            day.names.renew();
            return;
        }
        tracing::error!(error = &error as &dyn std::error::Error, "could not write a part of points");
        if !backlog.wait_after(&error) {
            return;
        }
    }
}

/// Writes a head as the part of its number and puts that in its place.
pub(super) fn flush(day: &DayState, head: &Head) -> Result<(), StoreError> {
    let mut writer = PartWriter::create(&part_path(&day.dir, head.number), false, day.reading)?;
    let (epoch, names) = day.names.whole_with(head);
    if head.series_count() > names.len() / FEW {
        write_series(head, names.iter(), &mut writer)?;
    } else {
        write_series(head, head.names().iter().map(|name| &**name), &mut writer)?;
    }
    day.replace(Arc::new(writer.finish(head.number, head.number)?.with_epoch(epoch)));
    let wal = wal_path(&day.dir, head.number);
    if wal.exists() {
        remove(&wal);
    }
    Ok(())
}

/// Writes those of the names that the head has.
fn write_series<'a>(
    head: &Head,
    names: impl Iterator<Item = &'a str>,
    writer: &mut PartWriter,
) -> Result<(), StoreError> {
    let mut points = DayPoints::default();
    for name in names {
        points.clear();
        head.read(name, 0, u32::MAX, &mut points);
        points.settle();
        // A name without points is left out.
        writer.push(name, &points)?;
    }
    Ok(())
}

/// Merges neighbouring parts of a day as long as some are of one size.
fn merge(day: &DayState) -> Result<(), StoreError> {
    if !day.is_whole {
        return Ok(());
    }
    loop {
        // While a day is sealed all of its parts become one anyway.
        let Some(_alone) = day.try_merging() else { return Ok(()) };
        let parts = day.parts();
        let count = merge_count(&parts.iter().map(|part| part.points).collect::<Vec<_>>());
        if count < 2 {
            return Ok(());
        }
        merge_parts(day, &parts[parts.len() - count..], false, || false)?;
    }
}

/// Makes one part of neighbouring ones; whether it was not given up.
pub(super) fn merge_parts(
    day: &DayState,
    parts: &[Arc<Part>],
    with_rollups: bool,
    gives_up: impl Fn() -> bool,
) -> Result<bool, StoreError> {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Ok(true) };
    let Some(merged) = write_merged(day, parts, first.first..=last.last, with_rollups, gives_up)? else {
        return Ok(false);
    };
    let epoch = parts.iter().map(|part| part.epoch).min().unwrap_or(NO_EPOCH);
    let is_one = parts.iter().all(|part| part.epoch == epoch);
    day.replace(Arc::new(merged.with_epoch(if is_one { epoch } else { NO_EPOCH })));
    for part in &parts[..parts.len() - 1] {
        remove(&part_path(&day.dir, part.last));
    }
    Ok(true)
}

/// How many of the newest parts to merge, from the points of each, oldest first: those that are at most twice as large as
/// the newest, where these are enough.
fn merge_count(points: &[u64]) -> usize {
    let newest = points.last().copied().unwrap_or(0);
    let count = points.iter().rev().take_while(|points| **points <= 2 * newest).count();
    if count >= MERGED { count } else { 0 }
}

/// Writes the merged part under the newest one's number; its name and the file behind it change in one step. `None` when it
/// was given up.
fn write_merged(
    day: &DayState,
    parts: &[Arc<Part>],
    numbers: RangeInclusive<u32>,
    with_rollups: bool,
    gives_up: impl Fn() -> bool,
) -> Result<Option<Part>, StoreError> {
    let mut writer = PartWriter::create(&part_path(&day.dir, *numbers.end()), with_rollups, day.reading)?;
    let mut places = vec![0; parts.len()];
    while let Some(name) = least_name(parts, &places) {
        if gives_up() {
            writer.give_up();
            return Ok(None);
        }
        let mut points = DayPoints::default();
        for (part, place) in parts.iter().zip(&mut places) {
            if *place < part.series_count() && part.name(*place) == name {
                part.read(*place, 0, u32::MAX, &mut points)?;
                *place += 1;
            }
        }
        points.settle();
        writer.push(&name, &points)?;
    }
    writer.finish(*numbers.start(), *numbers.end()).map(Some)
}

fn least_name(parts: &[Arc<Part>], places: &[usize]) -> Option<String> {
    let here = parts.iter().zip(places).filter(|(part, place)| **place < part.series_count());
    here.map(|(part, place)| part.name(*place)).min().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_size_are_merged_and_large_old_ones_left_alone() {
        let check = |points: &[u64], expected: usize| assert_eq!(merge_count(points), expected, "{points:?}");
        check(&[], 0);
        check(&[7], 0);
        check(&[1, 1, 1], 0);
        check(&[1, 1, 1, 1], 4);
        check(&[100, 2, 2, 1, 1], 4);
        check(&[5, 5, 5, 4, 3], 5);
        check(&[9, 5, 5, 1], 0);
    }

    #[test]
    fn equal_flushes_leave_few_parts_and_rewrite_little() {
        let (mut parts, mut written): (Vec<u64>, u64) = (Vec::new(), 0);
        for _ in 0..1_000 {
            parts.push(1);
            while let count @ 1.. = merge_count(&parts) {
                let tail = parts.split_off(parts.len() - count);
                parts.push(tail.iter().sum());
                written += parts.last().unwrap();
            }
            assert!(parts.len() <= 16, "{parts:?}");
        }
        assert!(written < 5_000, "{written}");
    }
}

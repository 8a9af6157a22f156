//! From heads to parts, on a thread of its own, so that taking points in never waits for it unless it falls far behind.
//!
//! A head becomes the part of its number; then its write-ahead log goes. Parts are merged like the digits of a counter: the
//! newest ones, as long as the next older is at most twice as large as all of these. So a day has few parts, and a
//! point is written again only a few times.

use super::day::{DayState, part_path, remove, wal_path};
use super::head::Head;
use super::part::{Part, PartWriter};
use super::points::DayPoints;
use crate::store::StoreError;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long to wait after a flush failed, for space or a disk to come back.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What the flushing thread is told.
pub(super) enum Message {
    /// This head takes no more points.
    Flush(Arc<DayState>, Arc<Head>),
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

/// The thread's loop.
pub(super) fn run(messages: &Receiver<Message>, backlog: &Backlog) {
    while let Ok(Message::Flush(day, head)) = messages.recv() {
        flush_until_done(&day, &head, backlog);
        backlog.done(head.point_count());
        if let Err(error) = merge(&day) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "could not merge parts; they stay as they are"
            );
        }
    }
}

fn flush_until_done(day: &DayState, head: &Head, backlog: &Backlog) {
    while let Err(error) = flush(day, head) {
        if !day.dir.is_dir() {
            tracing::warn!(dir = %day.dir.display(), "the day's folder was deleted; its points in memory are forgotten");
            day.remove_head(head.number);
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
    let mut series = head.series();
    series.sort_by(|a, b| a.name.cmp(&b.name));
    let mut writer = PartWriter::create(&part_path(&day.dir, head.number))?;
    for one in series {
        let mut points = one.points().clone();
        points.settle();
        writer.push(&one.name, &points)?;
    }
    day.replace(Arc::new(writer.finish(head.number, head.number)?));
    let wal = wal_path(&day.dir, head.number);
    if wal.exists() {
        remove(&wal);
    }
    Ok(())
}

/// Merges the newest parts of a day where that is due.
fn merge(day: &DayState) -> Result<(), StoreError> {
    let parts = day.parts();
    let newest =
        &parts[parts.len() - merge_count(&parts.iter().map(|part| part.points).collect::<Vec<_>>())..];
    let (Some(first), Some(last)) = (newest.first(), newest.last()) else {
        return Ok(());
    };
    if newest.len() < 2 || !day.is_whole {
        return Ok(());
    }
    let merged = write_merged(day, newest, first.first, last.last)?;
    day.replace(Arc::new(merged));
    for part in &newest[..newest.len() - 1] {
        remove(&part_path(&day.dir, part.last));
    }
    Ok(())
}

/// How many of the newest parts to merge, from the points of each, oldest first.
fn merge_count(points: &[u64]) -> usize {
    let mut sum = 0;
    points
        .iter()
        .rev()
        .take_while(|points| {
            let take = sum == 0 || **points <= 2 * sum;
            sum += **points;
            take
        })
        .count()
}

/// Writes the merged part under the newest one's number; its name and the file behind it change in one step.
fn write_merged(day: &DayState, parts: &[Arc<Part>], first: u32, last: u32) -> Result<Part, StoreError> {
    let mut writer = PartWriter::create(&part_path(&day.dir, last))?;
    let mut places = vec![0; parts.len()];
    while let Some(name) = least_name(parts, &places) {
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
    writer.finish(first, last)
}

fn least_name(parts: &[Arc<Part>], places: &[usize]) -> Option<String> {
    let here = parts.iter().zip(places).filter(|(part, place)| **place < part.series_count());
    here.map(|(part, place)| part.name(*place)).min().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_new_parts_are_merged_and_large_old_ones_left_alone() {
        let check = |points: &[u64], expected: usize| assert_eq!(merge_count(points), expected, "{points:?}");
        check(&[], 0);
        check(&[7], 1);
        check(&[1, 1], 2);
        check(&[3, 1], 1);
        check(&[100, 3, 2, 1], 3);
    }

    #[test]
    fn equal_flushes_leave_few_parts_and_rewrite_little() {
        let (mut parts, mut written): (Vec<u64>, u64) = (Vec::new(), 0);
        for _ in 0..1_000 {
            parts.push(1);
            let tail = parts.split_off(parts.len() - merge_count(&parts));
            parts.push(tail.iter().sum());
            written += parts.last().unwrap();
            assert!(parts.len() <= 10, "{parts:?}");
        }
        assert!(written < 12_000, "{written}");
    }
}

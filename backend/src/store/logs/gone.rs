//! What was deleted while somebody followed: so that who had not yet got all of it is told.
//!
//! Whoever follows goes from snapshot to snapshot, and what a snapshot holds can be read after it was deleted. Lines that came
//! and went between two snapshots are in neither. So each deletion is noted before it is made, with a number that snapshots
//! take down; of the numbers between two snapshots it is known what neither of them had.

use super::Snapshot;
use super::segment::Segment;
use sonde_shared::time::{Day, TimeRange, Timestamp};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many deletions are remembered; who is further behind is told so without a number of lines.
const MAX_ENTRIES: usize = 4_096;
/// Of a segment with more components than that any may have been meant.
const MAX_NAMES: usize = 256;

/// Lines that were deleted before a follower got them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// When they were, about: none was outside of it.
    pub range: TimeRange,
    /// How many at most; `None` where that is not known.
    pub lines: Option<u64>,
    /// Their components, and perhaps others; `None` for any.
    pub components: Option<Vec<Arc<str>>>,
}

/// A segment that was deleted.
#[derive(Debug)]
struct Entry {
    number: u64,
    id: u64,
    /// `None` where nobody has read it.
    rows: Option<u32>,
    range: TimeRange,
    components: Option<Vec<Arc<str>>>,
}

/// The deletions of late.
#[derive(Debug, Default)]
pub(super) struct Gone {
    count: AtomicU64,
    entries: Mutex<VecDeque<Entry>>,
}

impl Gone {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many deletions there were.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Notes that a segment is about to be deleted.
    pub(super) fn note(&self, segment: &Segment, has_followers: bool) {
        let published = segment.published();
        let (from, last) = published.blocks.times().unwrap_or((Timestamp::MIN, Timestamp::MAX));
        let range = TimeRange { from, until: last.plus_nanos(1) };
        let names = &published.components;
        let components = (names.len() <= MAX_NAMES).then(|| names.iter().map(Arc::from).collect());
        let (id, rows) = (segment.id(), Some(published.rows));
        self.push(Entry { number: 0, id, rows, range, components }, has_followers);
    }

    /// The same of one whose lines nobody has read yet, and so nobody has got.
    pub(super) fn note_unread(&self, day: Day, id: u64, has_followers: bool) {
        let entry = Entry { number: 0, id, rows: None, range: day.range(), components: None };
        self.push(entry, has_followers);
    }

    fn push(&self, entry: Entry, has_followers: bool) {
        let mut entries = self.lock();
        if !has_followers {
            entries.clear();
        }
        if has_followers && entry.rows != Some(0) {
            entries.push_back(Entry { number: self.count() + 1, ..entry });
        }
        if entries.len() > MAX_ENTRIES {
            entries.pop_front();
        }
        // Under the lock, so that each number is its entry's.
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes back what was noted of a segment that could not be deleted.
    pub(super) fn take_back(&self, id: u64) {
        self.lock().retain(|entry| entry.id != id);
    }

    /// What was deleted between two snapshots and is in neither.
    pub(super) fn between(&self, earlier: &Snapshot, later: &Snapshot) -> Vec<Missed> {
        if earlier.deletions == later.deletions {
            return Vec::new();
        }
        let entries = self.lock();
        let known =
            |id: u64| [earlier, later].map(|snapshot| rows_of(snapshot, id)).into_iter().max().unwrap_or(0);
        let of_between =
            entries.iter().filter(|entry| (earlier.deletions + 1..=later.deletions).contains(&entry.number));
        let mut missed: Vec<Missed> = of_between
            .filter_map(|entry| {
                let lines = entry.rows.map(|rows| u64::from(rows.saturating_sub(known(entry.id))));
                let components = entry.components.clone();
                (lines != Some(0)).then_some(Missed { range: entry.range, lines, components })
            })
            .collect();
        if entries.len() == MAX_ENTRIES && entries[0].number > earlier.deletions + 1 {
            missed.push(Missed { range: TimeRange::all(), lines: None, components: None });
        }
        missed
    }
}

/// The lines of a segment that a snapshot has.
fn rows_of(snapshot: &Snapshot, id: u64) -> u32 {
    let mut views = snapshot.days.iter().flat_map(|(_, views)| views);
    views.find(|view| view.segment.id() == id).map_or(0, |view| view.published.rows)
}

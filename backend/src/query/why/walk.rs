//! Walks the lines of several stretches of time, one after the other, with one tally.

use super::plan::Stretch;
use crate::query::budget::Budget;
use crate::query::logs::{BlockWalk, LineFilter};
use crate::query::tally::{Count, Tally};
use crate::store::StoreError;
use crate::store::logs::block::Columns;
use crate::store::logs::{Counters, Snapshot};
use sonde_shared::time::TimeRange;
use std::ops::Range;
use std::sync::Arc;

/// Stretches, each with what is stored of it.
pub(super) type StoredLines = Arc<[(Snapshot, Stretch)]>;

/// What is counted by stretches.
pub(super) trait StretchTally: Tally + Default {
    /// From now on lines of this stretch, which is the n-th, are counted.
    fn begin(&mut self, stretch: Stretch, number: usize);

    /// Whether no further stretch is to be begun.
    fn is_full(&self) -> bool {
        false
    }
}

/// A walk on its way.
#[derive(Debug)]
pub(super) struct StretchWalk<T> {
    stretches: StoredLines,
    /// The first ones are walked in any case …
    needed: usize,
    /// … and so many at most.
    end: usize,
    next: usize,
    count: Option<Count<T>>,
    tally: T,
    walks: Vec<BlockWalk>,
    failure: Option<StoreError>,
}

impl<T: StretchTally> StretchWalk<T> {
    /// A walk over the first stretches that has not begun.
    pub(super) fn new(stretches: StoredLines, needed: usize, end: usize, tally: T) -> Self {
        Self { stretches, needed, end, next: 0, count: None, tally, walks: Vec::new(), failure: None }
    }

    /// Goes on; whether it is done. Reads mapped files: not for async threads.
    pub(super) fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        while self.failure.is_none() && !budget.is_spent() {
            let Some(count) = &mut self.count else {
                let is_wanted = self.next < self.needed || !self.tally.is_full();
                let Some((snapshot, stretch)) =
                    self.stretches.get(self.next).filter(|_| self.next < self.end && is_wanted)
                else {
                    return true;
                };
                let mut tally = std::mem::take(&mut self.tally);
                tally.begin(*stretch, self.next);
                self.count = Some(Count::new(snapshot, LineFilter::all(stretch.range()), tally));
                continue;
            };
            if count.step(budget, counters)
                && let Some(count) = self.count.take()
            {
                self.next += 1;
                match count.finish() {
                    Ok((walk, tally)) => {
                        self.walks.push(walk);
                        self.tally = tally;
                    }
                    Err(error) => self.failure = Some(error),
                }
            }
        }
        self.failure.is_some()
    }

    /// The tally, the walks and the stretches that were left out, when the last step is done.
    pub(super) fn finish(self) -> Result<(T, Vec<BlockWalk>, Vec<Stretch>), StoreError> {
        let left = self.stretches[self.next.min(self.end)..self.end].iter().map(|(_, stretch)| *stretch);
        let left = left.collect();
        self.failure.map_or(Ok((self.tally, self.walks, left)), Err)
    }
}

/// Calls with each bucket of a stretch that has rows of a block, which are sorted by time, and with these; how many rows there were.
pub(super) fn each_bucket(
    stretch: Stretch,
    columns: &Columns<'_>,
    range: TimeRange,
    mut take: impl FnMut(usize, Range<usize>),
) -> u64 {
    let rows = columns.rows_in(range);
    let (seen, mut start) = (rows.len() as u64, rows.start);
    while start < rows.end {
        let bucket = stretch.bucket_of(columns.ts(start));
        let end = columns.first_from(stretch.end_of(bucket), start).clamp(start + 1, rows.end);
        take(bucket, start..end);
        start = end;
    }
    seen
}

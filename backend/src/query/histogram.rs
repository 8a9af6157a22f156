//! Counts of lines by level and step, from columns; only a text filter reads text.

use super::budget::Budget;
use super::logs::{BlockAt, BlockWalk, Cursor, Found, LineFilter};
use crate::store::StoreError;
use crate::store::logs::text::TextReader;
use crate::store::logs::{Counters, Snapshot};
use memchr::memmem::Finder;
use sonde_shared::api::Histogram;
use sonde_shared::log::Level;
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};
use sonde_shared::view::Order;
use std::sync::atomic::Ordering;

/// The most buckets of an answer.
pub const MAX_BUCKETS: i64 = 20_000;

/// Buckets of equal width, the first starting at a multiple of it.
#[derive(Debug)]
struct Buckets {
    from: Timestamp,
    step_nanos: i64,
    counts: [Vec<u64>; Level::COUNT],
}

impl Buckets {
    fn new(range: TimeRange, step_nanos: i64) -> Self {
        // Wide enough for ranges and steps that reach the ends of what a timestamp can tell.
        let step = i128::from(step_nanos);
        let from = i128::from(range.from.as_nanos()).div_euclid(step) * step;
        let from = i64::try_from(from).unwrap_or(i64::MIN);
        let count = (i128::from(range.until.as_nanos()) - i128::from(from) + step - 1) / step;
        Self {
            from: Timestamp::from_nanos(from),
            step_nanos,
            counts: std::array::from_fn(|_| vec![0; count.max(0) as usize]),
        }
    }

    fn index(&self, at: Timestamp) -> usize {
        (at.nanos_since(self.from) / self.step_nanos) as usize
    }

    fn add(&mut self, bucket: usize, level: Level, lines: u64) {
        self.counts[level as usize][bucket] += lines;
    }

    fn finish(self) -> Histogram {
        let mut answer = Histogram {
            from_ms: self.from.as_millis(),
            step_ms: self.step_nanos / NANOS_PER_MS,
            ..Histogram::default()
        };
        for (level, counts) in Level::ALL.into_iter().zip(self.counts) {
            let lines: u64 = counts.iter().sum();
            answer.total += lines;
            if lines > 0 {
                *answer.levels.get_mut(level) = counts;
            }
        }
        answer
    }
}

/// Counts the matches in a bounded range, step by step.
#[derive(Debug)]
pub struct HistogramCounts {
    buckets: Buckets,
    walk: Walk,
}

#[derive(Debug)]
enum Walk {
    Columns(BlockWalk),
    Text(Box<Cursor>, Finder<'static>),
    Failed(StoreError),
}

impl HistogramCounts {
    /// A count that has not begun; the caller has checked that there are at most [`MAX_BUCKETS`] buckets of
    /// `step_nanos`, whole milliseconds.
    pub fn new(snapshot: Snapshot, filter: LineFilter, step_nanos: i64) -> Self {
        let buckets = Buckets::new(filter.range, step_nanos);
        let walk = match filter.contains.clone() {
            None => Walk::Columns(BlockWalk::new(&snapshot, filter)),
            Some(needle) => Walk::Text(Box::new(Cursor::new(snapshot, filter, Order::Ascending)), needle),
        };
        Self { buckets, walk }
    }

    /// Goes on counting; whether it is done. Reads mapped files: not for async threads.
    pub fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        match &mut self.walk {
            Walk::Columns(blocks) => {
                let range = blocks.filter().range;
                while let Some(at) = blocks.next(budget) {
                    let rows = self.buckets.add_block(&at, range);
                    budget.spend(rows);
                    counters.rows_scanned.fetch_add(rows, Ordering::Relaxed);
                }
                blocks.is_at_end()
            }
            Walk::Text(cursor, needle) => {
                let added = self.buckets.add_by_text(cursor, needle, budget, counters);
                counters.rows_scanned.fetch_add(cursor.take_rows_scanned(), Ordering::Relaxed);
                added.unwrap_or_else(|error| {
                    self.walk = Walk::Failed(error);
                    true
                })
            }
            Walk::Failed(_) => true,
        }
    }

    /// The answer, when the last step is done.
    pub fn finish(self) -> Result<Histogram, StoreError> {
        match self.walk {
            Walk::Failed(error) => Err(error),
            _ => Ok(self.buckets.finish()),
        }
    }
}

impl Buckets {
    /// Adds a block's matches; returns how many rows it looked at one by one.
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64 {
        let meta = at.block.meta();
        let known = at.filter.known_counts(at.block);
        if let Some(known) = known.filter(|_| self.index(meta.min_ts) == self.index(meta.max_ts)) {
            let bucket = self.index(meta.min_ts);
            for level in Level::ALL {
                self.add(bucket, level, known[level as usize]);
            }
            return 0;
        }
        let columns = at.view.segment.columns(at.block, &at.view.published);
        let rows = columns.rows_in(range);
        let seen = rows.len() as u64;
        for row in rows.filter(|row| at.filter.matches(&columns, *row)) {
            self.add(self.index(columns.ts(row)), columns.level(row), 1);
        }
        seen
    }

    /// Adds lines that contain the text until the walk or the budget is at its end; whether the walk is.
    fn add_by_text(
        &mut self,
        cursor: &mut Cursor,
        needle: &Finder<'_>,
        budget: &mut Budget,
        counters: &Counters,
    ) -> Result<bool, StoreError> {
        let mut reader = TextReader::default();
        loop {
            let hit = match cursor.next_hit(budget) {
                Found::Hit(hit) => hit,
                Found::Spent => return Ok(false),
                Found::End => return Ok(true),
            };
            let line = reader.line(&cursor.view(&hit).segment, &hit.row)?;
            budget.spend_text(line.len());
            counters.text_bytes_read.fetch_add(line.len() as u64, Ordering::Relaxed);
            if needle.find(&line[..line.len() - 1]).is_some() {
                self.add(self.index(hit.row.ts), hit.row.level, 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_start_at_multiples_of_the_step_even_at_the_ends_of_time() {
        let check = |from: i64, until: i64, step: i64, first: i64, count: usize| {
            let range = TimeRange { from: Timestamp::from_nanos(from), until: Timestamp::from_nanos(until) };
            let buckets = Buckets::new(range, step);
            assert_eq!((buckets.from.as_nanos(), buckets.counts[0].len()), (first, count));
            assert!(buckets.index(Timestamp::from_nanos(until - 1)) < count);
        };
        check(15, 25, 10, 10, 2);
        check(-5, 1, 10, -10, 2);
        check(i64::MIN, i64::MIN + 3, 1_000_000, i64::MIN, 1);
        check(i64::MAX - 3, i64::MAX, i64::MAX / 2, i64::MAX / 2, 2);
    }
}

//! Counts of lines by level and step, from columns; only a text filter reads text.

use super::logs::{Cursor, LineFilter};
use crate::store::logs::{Counters, Snapshot};
use sonde_shared::api::Histogram;
use sonde_shared::log::Level;
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};
use sonde_shared::view::Order;
use std::sync::atomic::Ordering;

/// The most buckets of an answer.
pub const MAX_BUCKETS: i64 = 20_000;

/// Buckets of equal width, the first starting at a multiple of it.
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

/// Counts the matches in a bounded range; the caller has checked that there are at most [`MAX_BUCKETS`] buckets of
/// `step_nanos`, whole milliseconds. Reads mapped files: not for async threads.
pub fn histogram(
    snapshot: &Snapshot,
    filter: &LineFilter,
    step_nanos: i64,
    counters: &Counters,
) -> Histogram {
    let mut buckets = Buckets::new(filter.range, step_nanos);
    if filter.contains.is_some() {
        count_by_text(snapshot, filter, &mut buckets, counters);
    } else {
        count_by_columns(snapshot, filter, &mut buckets, counters);
    }
    buckets.finish()
}

fn count_by_columns(snapshot: &Snapshot, filter: &LineFilter, buckets: &mut Buckets, counters: &Counters) {
    for view in snapshot.days.iter().flat_map(|(_, views)| views) {
        let in_segment = filter.in_segment(view);
        if in_segment.is_empty() {
            continue;
        }
        for block in view.published.blocks.iter().filter(|block| in_segment.may_match(block)) {
            let meta = block.meta();
            let known = in_segment
                .known_counts(block)
                .filter(|_| buckets.index(meta.min_ts) == buckets.index(meta.max_ts));
            if let Some(known) = known {
                let bucket = buckets.index(meta.min_ts);
                for level in Level::ALL {
                    buckets.add(bucket, level, known[level as usize]);
                }
                continue;
            }
            let columns = view.segment.columns(block, &view.published);
            let rows = columns.rows_in(filter.range);
            counters.rows_scanned.fetch_add(rows.len() as u64, Ordering::Relaxed);
            for row in rows.filter(|row| in_segment.matches(&columns, *row)) {
                buckets.add(buckets.index(columns.ts(row)), columns.level(row), 1);
            }
        }
    }
}

fn count_by_text(snapshot: &Snapshot, filter: &LineFilter, buckets: &mut Buckets, counters: &Counters) {
    let Some(needle) = filter.contains.clone() else { return };
    let mut cursor = Cursor::new(snapshot.clone(), filter.clone(), Order::Ascending);
    while let Some(hit) = cursor.next_hit() {
        let line = snapshot.days[hit.day].1[hit.segment].segment.line_with_feed(&hit.row);
        counters.text_bytes_read.fetch_add(line.len() as u64, Ordering::Relaxed);
        if needle.find(&line[..line.len() - 1]).is_some() {
            buckets.add(buckets.index(hit.row.ts), hit.row.level, 1);
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

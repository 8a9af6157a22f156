//! Counts of lines by level and step, from columns; only a text filter reads text.

use super::budget::Budget;
use super::logs::{BlockAt, LineFilter, SegmentAt, SegmentFilter, Taken};
use super::tally::{Count, Tally};
use crate::store::StoreError;
use crate::store::logs::block::{Columns, Counts};
use crate::store::logs::{Counters, Snapshot};
use sonde_shared::api::Histogram;
use sonde_shared::log::Level;
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};
use std::ops::Range;

/// The most buckets of an answer.
pub const MAX_BUCKETS: i64 = 20_000;
/// A segment that spans more slots is not added up by its summary.
const MAX_SLOTS: i64 = 10_000;
/// Stretches of fewer rows a bucket are counted row by row: a boundary takes about as many looks at times.
const LEAST_STRETCH: usize = 32;

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
        // Times that are not in order, in a file that somebody has changed, may lie outside of the range.
        if let Some(count) = self.counts[level as usize].get_mut(bucket) {
            *count += lines;
        }
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
pub struct HistogramCounts(Count<Buckets>);

impl HistogramCounts {
    /// A count that has not begun; the caller has checked that there are at most [`MAX_BUCKETS`] buckets of
    /// `step_nanos`, whole milliseconds.
    pub fn new(snapshot: &Snapshot, filter: LineFilter, step_nanos: i64) -> Self {
        let buckets = Buckets::new(filter.range, step_nanos);
        Self(Count::new(snapshot, filter, buckets))
    }

    /// Goes on counting; whether it is done. Reads mapped files: not for async threads.
    pub fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        self.0.step(budget, counters)
    }

    /// The answer, when the last step is done.
    pub fn finish(self) -> Result<Histogram, StoreError> {
        let (_, buckets) = self.0.finish()?;
        Ok(buckets.finish())
    }
}

impl Buckets {
    /// Whether neighbouring rows fall into so few buckets that it is cheaper to look for the boundaries.
    fn has_long_stretches(&self, columns: &Columns<'_>, rows: &Range<usize>) -> bool {
        let Some(last) = rows.end.checked_sub(1).filter(|last| rows.start <= *last) else { return false };
        let buckets = self.index(columns.ts(last)).saturating_sub(self.index(columns.ts(rows.start)));
        buckets.saturating_add(1).saturating_mul(LEAST_STRETCH) <= rows.len()
    }

    /// Whether every slot of some counts lies in one bucket.
    fn has_whole(&self, counts: &Counts<'_>) -> bool {
        let slot = counts.slot_nanos();
        self.step_nanos % slot == 0 && self.from.as_nanos() % slot == 0
    }

    /// Adds rows bucket by bucket: the boundary is found in the sorted times, so that a row's own time is not looked at.
    fn add_stretches(&mut self, filter: &SegmentFilter, columns: &Columns<'_>, rows: Range<usize>) {
        let mut start = rows.start;
        while start < rows.end {
            let bucket = self.index(columns.ts(start));
            let end =
                self.end_of(bucket).map_or(rows.end, |end| columns.first_from(end, start).min(rows.end));
            let mut levels = [0; Level::COUNT];
            for row in (start..end).filter(|row| filter.matches(columns, *row)) {
                levels[columns.level(row) as usize] += 1;
            }
            for level in Level::ALL {
                self.add(bucket, level, levels[level as usize]);
            }
            start = end;
        }
    }

    fn add_rows(&mut self, filter: &SegmentFilter, columns: &Columns<'_>, rows: Range<usize>) {
        for row in rows.filter(|row| filter.matches(columns, *row)) {
            self.add(self.index(columns.ts(row)), columns.level(row), 1);
        }
    }

    /// The first instant behind a bucket; `None` where no timestamp can tell it.
    fn end_of(&self, bucket: usize) -> Option<Timestamp> {
        let nanos = (bucket as i128 + 1) * i128::from(self.step_nanos) + i128::from(self.from.as_nanos());
        i64::try_from(nanos).ok().map(Timestamp::from_nanos)
    }
}

impl Buckets {
    /// Adds a block's counts, of which every slot lies in one bucket and in the range or outside of it.
    fn add_cells(&mut self, at: &BlockAt<'_>, counts: &Counts<'_>, range: TimeRange) {
        let (meta, width) = (at.block.meta(), counts.slot_nanos());
        let is_inside = |from: Timestamp| meta.lies_within(range) || range.contains(from);
        let [first, last] = [meta.min_ts, meta.max_ts].map(|ts| ts.as_nanos().div_euclid(width));
        let slots = last.saturating_sub(first).saturating_add(1);
        if slots > MAX_SLOTS {
            let cells = at.filter.cells(counts).filter(|cell| is_inside(cell.from));
            cells.for_each(|cell| self.add(self.index(cell.from), cell.level, u64::from(cell.lines)));
            return;
        }
        // There are many cells of few slots: a bucket is looked up once for each slot.
        let mut sums = vec![[0; Level::COUNT]; slots as usize];
        at.filter.add_by_slot(counts, first, &mut sums);
        for (slot, levels) in (first..).zip(sums) {
            let from = Timestamp::from_nanos(slot.wrapping_mul(width));
            if is_inside(from) {
                let bucket = self.index(from);
                for level in Level::ALL {
                    self.add(bucket, level, levels[level as usize]);
                }
            }
        }
    }
}

/// What is to be done with the lines of a slot of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// None of them is asked for.
    Outside,
    /// All of them are of this bucket.
    Bucket(usize),
    /// Only the lines themselves tell.
    Cut(TimeRange),
}

/// The slots of a segment, from the first one's number on.
struct Slots {
    first: i64,
    slots: Vec<Slot>,
}

impl Slots {
    fn is_none_cut(&self) -> bool {
        !self.slots.iter().any(|slot| matches!(slot, Slot::Cut(_)))
    }

    /// Whether at least half of the slots must be looked into: then summing up the rest saves little.
    fn are_mostly_cut(&self) -> bool {
        let cut = self.slots.iter().filter(|slot| matches!(slot, Slot::Cut(_))).count();
        2 * cut > self.slots.len()
    }

    /// The stretches whose lines are to be looked at, neighbours joined.
    fn cut(&self) -> Vec<TimeRange> {
        let mut stretches: Vec<TimeRange> = Vec::new();
        for slot in &self.slots {
            let Slot::Cut(range) = *slot else { continue };
            match stretches.last_mut().filter(|last| last.until == range.from) {
                Some(last) => last.until = range.until,
                None => stretches.push(range),
            }
        }
        stretches
    }
}

impl Buckets {
    /// What is to be done with the slots of a segment with lines at these times; `None` where there are too many slots.
    fn slots(&self, range: TimeRange, (min, max): (Timestamp, Timestamp), width: i64) -> Option<Slots> {
        let (low, high) = (min.max(range.from), max.min(range.until.plus_nanos(-1)));
        let [first, last] = [low, high].map(|ts| ts.as_nanos().div_euclid(width));
        if last.checked_sub(first)? >= MAX_SLOTS {
            return None;
        }
        let slot = |number: i64| {
            let start = number.saturating_mul(width);
            let end = start.saturating_add(width);
            let is_cut_off = start < range.from.as_nanos() && min < range.from
                || range.until.as_nanos() < end && range.until <= max;
            let from = low.max(Timestamp::from_nanos(start));
            let until = high.plus_nanos(1).min(Timestamp::from_nanos(end));
            match self.index(from) {
                _ if until <= from => Slot::Outside,
                bucket if !is_cut_off && bucket == self.index(until.plus_nanos(-1)) => Slot::Bucket(bucket),
                _ => Slot::Cut(TimeRange { from, until }),
            }
        };
        Some(Slots { first, slots: (first..=last).map(slot).collect() })
    }

    /// Of several counts of a segment's lines those that are to be added up, and what is to be done with their slots: the
    /// widest ones of which no bucket and no end of the range cuts a slot, else the narrowest.
    fn choose<'a>(&self, at: &SegmentAt<'_>, counts: &'a [Counts<'a>]) -> Option<(&'a Counts<'a>, Slots)> {
        let (range, times) = (at.filter.range(), at.view.published.times()?);
        let slots = |counts: &'a Counts<'a>| Some((counts, self.slots(range, times, counts.slot_nanos())?));
        let whole = counts.iter().rev().filter_map(slots).find(|(_, slots)| slots.is_none_cut());
        whole.or_else(|| slots(counts.first()?)).filter(|(_, slots)| !slots.are_mostly_cut())
    }
}

/// Whether a range holds each slot of some counts whole or not at all.
fn is_of_slots(range: TimeRange, counts: &Counts<'_>) -> bool {
    [range.from, range.until].iter().all(|end| end.as_nanos() % counts.slot_nanos() == 0)
}

impl Tally for Buckets {
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64 {
        let meta = at.block.meta();
        let counts = at.block.counts();
        if at.filter.is_of_cells()
            && self.has_whole(&counts)
            && (meta.lies_within(range) || is_of_slots(range, &counts))
        {
            self.add_cells(at, &counts, range);
            return 0;
        }
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
        if self.has_long_stretches(&columns, &rows) {
            self.add_stretches(at.filter, &columns, rows);
        } else {
            self.add_rows(at.filter, &columns, rows);
        }
        seen
    }

    fn add_segment(&mut self, at: &SegmentAt<'_>) -> Taken {
        if !at.filter.is_of_cells() {
            return Taken::Nothing;
        }
        let all = std::slice::from_ref(at.summary.all());
        let counts = if at.filter.is_of_components() { at.summary.by_component() } else { all };
        let Some((counts, slots)) = self.choose(at, counts) else { return Taken::Nothing };
        let cut = slots.cut();
        if visits(at, &cut) > at.view.published.blocks.len() {
            // Where lines are in no order, each stretch touches most blocks.
            return Taken::Nothing;
        }
        // Summed up by slot first: there are few, and a bucket is looked up once for each.
        let mut sums = vec![[0; Level::COUNT]; slots.slots.len()];
        at.filter.add_by_slot(counts, slots.first, &mut sums);
        for (slot, levels) in slots.slots.iter().zip(sums) {
            if let Slot::Bucket(bucket) = *slot {
                for level in Level::ALL {
                    self.add(bucket, level, levels[level as usize]);
                }
            }
        }
        Taken::AllBut(cut, (counts.cell_count() + slots.slots.len()) as u64)
    }

    fn add_line(&mut self, _at: &BlockAt<'_>, columns: &Columns<'_>, row: usize, _line: &[u8]) {
        self.add(self.index(columns.ts(row)), columns.level(row), 1);
    }
}

/// How often blocks are looked at when stretches of time are walked one by one; more than there are blocks says enough.
fn visits(at: &SegmentAt<'_>, stretches: &[TimeRange]) -> usize {
    let blocks = &at.view.published.blocks;
    let mut visits = 0;
    for stretch in stretches {
        visits += blocks.numbers_in(*stretch).len();
        if visits > blocks.len() {
            break;
        }
    }
    visits
}

#[cfg(test)]
mod tests {
    use super::super::logs::tests::{any_filter, line, store_all};
    use super::super::logs::{BlockWalk, TextFilter};
    use super::*;
    use proptest::prelude::*;

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

    /// Counts by what blocks tell, by stretches and by rows.
    fn counted(store: &crate::store::Store, filter: &LineFilter, step_nanos: i64) -> [Buckets; 3] {
        let range = filter.range;
        let empty = || Buckets::new(range, step_nanos);
        let (mut whole, mut by_stretch, mut by_row) = (empty(), empty(), empty());
        let mut walk = BlockWalk::new(&store.logs().snapshot(range).unwrap(), filter.clone());
        while let Some(at) = walk.next(&mut Budget::STEP.clone()) {
            let columns = at.view.segment.columns(at.block, &at.view.published);
            by_stretch.add_stretches(at.filter, &columns, columns.rows_in(range));
            by_row.add_rows(at.filter, &columns, columns.rows_in(range));
            whole.add_block(&at, range);
        }
        [whole, by_stretch, by_row]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn stretches_and_blocks_are_counted_as_rows_are(
            lines in prop::collection::vec((0_i64..400, 0_usize..5, 0_usize..3, 0_u8..6), 1..120),
            filter in any_filter(),
            bounds in (-2_i64..8, -2_i64..8),
            shift_secs in prop::sample::select(vec![0_i64, 0, 7]),
            step_ms in prop_oneof![1_i64..12_000, (1_i64..4).prop_map(|minutes| minutes * 60_000)],
        ) {
            let dir = tempfile::tempdir().unwrap();
            let lines: Vec<_> = lines.into_iter().enumerate().map(|(number, row)| line(number, row)).collect();
            let store = store_all(dir.path(), &lines, 60);
            let minute = line(0, (10, 0, 0, 2)).ts;
            let at = |minutes: i64| minute.plus_nanos((minutes * 60 + shift_secs) * 1_000 * NANOS_PER_MS);
            let range = TimeRange::between(at(bounds.0), at(bounds.1));
            let filter = LineFilter { range, text: TextFilter::default(), ..filter };
            let [whole, by_stretch, by_row] = counted(&store, &filter, step_ms * NANOS_PER_MS);
            prop_assert_eq!(&by_stretch.counts, &by_row.counts);
            prop_assert_eq!(&whole.counts, &by_row.counts);
        }
    }

    #[test]
    fn steps_of_whole_minutes_look_at_no_row() {
        let lines: Vec<_> =
            (0..500).map(|number| line(number, (number as i64 / 2, number % 5, 1, 2))).collect();
        let dir = tempfile::tempdir().unwrap();
        let store = store_all(dir.path(), &lines, 500);
        let range = TimeRange::between(lines[0].ts.plus_nanos(-1), lines[499].ts.plus_nanos(1));
        let snapshot = store.logs().snapshot(range).unwrap();
        let mut count = HistogramCounts::new(&snapshot, LineFilter::all(range), 60_000 * NANOS_PER_MS);
        while !count.step(&mut Budget::STEP.clone(), store.logs().counters()) {}
        assert_eq!(count.finish().unwrap().total, 500);
        assert_eq!(store.logs().counters().rows_scanned.load(std::sync::atomic::Ordering::Relaxed), 0);
    }
}

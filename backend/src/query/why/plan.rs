//! Which stretches of time are looked at, and in how wide buckets: the selection, its baseline, time before that, and the
//! same hours of earlier days.
//!
//! Pure. How much of the time before is taken depends on what it would cost to read; selection and baseline are always
//! looked at. A baseline that lies far away, or is very long, lies in stretches of its own, spread over it: evenly, or, of days, at the
//! selection's time of day.

use crate::why::observed::{Grid, PAST_LENGTHS, SELECTION_BUCKETS, Trial};
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};
use std::ops::Range;

/// The same hours of so many days ago are looked at too, where there are lines or points.
pub(super) const EARLIER_DAYS: [i64; 4] = [1, 2, 3, 7];
const DAY_MS: i64 = 86_400_000;
/// Of a baseline of more than twice as many lengths of the selection, so many are looked at together, the last ones, and so
/// many spread over the rest.
const BASELINE_STRETCHES: usize = 8;
/// A stretch of it has at least so many buckets.
const LEAST_BASELINE_STRETCH: usize = 15;
/// … at the selection's time of day where it has so many days.
const SAME_HOURS_DAYS: i64 = 2;
/// Of a gap between baseline and selection no more lengths of the selection are looked at.
const LONGEST_GAP: usize = 5;
/// Memory for the values of all series.
const VALUE_BYTES: usize = 96 << 20;
/// In how many buckets a selection may lie, the more the better; how many lengths of time before are wanted at least.
const TRIED: [(usize, usize); 6] =
    [(SELECTION_BUCKETS, 8), (40, 8), (30, 8), (20, 8), (12, 4), (LEAST_BUCKETS, 1)];
const LEAST_BUCKETS: usize = 3;
/// The part of the buckets that is given up so that the others end with the selection: one in so many.
const FEWER: i64 = 5;

/// Buckets that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The number of its first bucket.
    pub(super) first: usize,
    /// How many there are.
    pub(super) count: usize,
    /// Where it begins, unix milliseconds.
    pub(super) from_ms: i64,
    /// How long a bucket is.
    pub(super) step_ms: i64,
}

impl Stretch {
    /// Its time.
    pub(super) fn range(&self) -> TimeRange {
        let at = |bucket: usize| Timestamp::from_millis(self.from_ms + bucket as i64 * self.step_ms);
        TimeRange { from: at(0), until: at(self.count) }
    }

    /// The numbers of its buckets.
    pub(super) fn buckets(&self) -> Range<usize> {
        self.first..self.first + self.count
    }

    /// The bucket of an instant that lies in it.
    pub(super) fn bucket_of(&self, at: Timestamp) -> usize {
        let steps = (at.as_nanos() - self.from_ms * NANOS_PER_MS) / (self.step_ms * NANOS_PER_MS);
        self.first + (steps.max(0) as usize).min(self.count.saturating_sub(1))
    }

    /// Where a bucket ends.
    pub(super) fn end_of(&self, bucket: usize) -> Timestamp {
        Timestamp::from_millis(self.from_ms + (bucket + 1 - self.first) as i64 * self.step_ms)
    }
}

/// The buckets, and the stretches that they lie in: what is asked about first, then what happened before.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// The buckets.
    pub(super) grid: Grid,
    /// Each bucket is in one of them.
    pub(super) stretches: Vec<Stretch>,
    /// How many of the first stretches are selection and baseline.
    pub(super) asked: usize,
}

/// Selection and baseline in whole buckets.
#[derive(Clone, Debug)]
struct Asked {
    step_ms: i64,
    selection_ms: i64,
    selection: usize,
    /// Start and number of buckets of each stretch of the baseline, in order.
    baseline: Vec<(i64, usize)>,
    /// Buckets between the baseline and the selection, where these are near each other.
    gap: Option<usize>,
}

/// How wide buckets are: at most so many in the selection, which they fill to its end, and no shorter than the series' spacing where
/// it holds at least two.
pub(super) fn step_ms(selection: TimeRange, spacing_ms: Option<i64>, most: usize) -> i64 {
    let length = (selection.nanos() / NANOS_PER_MS).max(1);
    let unit = spacing_ms.unwrap_or(1_000).max(1_000);
    let least = if length < 2 * unit {
        ((length / LEAST_BUCKETS as i64 / 1_000).max(1) * 1_000).min(length)
    } else {
        (length + most as i64 * unit - 1) / (most as i64 * unit) * unit
    };
    let count = length / least;
    // A few buckets less, where these end with the selection to the millisecond.
    let fewer = (count - count / FEWER..=count).rev().find(|count| length % count == 0);
    length / count.min(fewer.unwrap_or(count))
}

/// The widest selection that the memory for all series' values allows, in buckets.
pub(super) fn most_buckets(series: usize) -> usize {
    let room = VALUE_BYTES / size_of::<f32>() / series.max(1);
    let fits = |(buckets, past): &&(usize, usize)| (buckets * (past + LONGEST_GAP + 1)) <= room;
    TRIED.iter().find(fits).map_or(LEAST_BUCKETS, |(buckets, _)| *buckets)
}

/// Whether so many series' values of all these buckets may be in memory.
pub(super) fn has_room(series: usize, buckets: usize) -> bool {
    series.saturating_mul(buckets) <= VALUE_BYTES / size_of::<f32>()
}

/// How many lengths of the selection before the baseline the same memory allows.
pub(super) fn most_past(series: usize, buckets: usize) -> usize {
    let room = VALUE_BYTES / size_of::<f32>() / series.max(1);
    (room / buckets.max(1)).saturating_sub(LONGEST_GAP + 1).min(PAST_LENGTHS)
}

impl Asked {
    fn new(selection: TimeRange, baseline: TimeRange, step_ms: i64) -> Self {
        let selection_ms = selection.from.as_millis();
        let count = |range: TimeRange| ((range.nanos() / NANOS_PER_MS / step_ms) as usize).max(1);
        let (selected, compared) = (count(selection), count(baseline));
        let mut until_ms = baseline.until.as_millis();
        // Near ones lie on one grid without a break.
        let between = (selection_ms - until_ms + step_ms - 1).div_euclid(step_ms);
        let is_near = (0..=(LONGEST_GAP * selected) as i64).contains(&between);
        if is_near {
            until_ms = selection_ms - between * step_ms;
        }
        if baseline.from >= selection.until {
            // One that is shorter than a bucket would begin in the selection.
            until_ms = until_ms.max(baseline.from.as_millis() + step_ms);
        }
        let stretch = selected.max(LEAST_BASELINE_STRETCH);
        let is_long = compared > 2 * stretch * BASELINE_STRETCHES;
        let place = |at: usize| until_ms - (compared - at) as i64 * step_ms;
        let baseline = if is_long {
            let room = compared - stretch * BASELINE_STRETCHES;
            let spread = (0..BASELINE_STRETCHES).map(|number| place(room * number / BASELINE_STRETCHES));
            let earlier =
                at_the_same_hours(spread, selection_ms, place(0)..place(room), stretch as i64 * step_ms);
            let last = (place(room), stretch * BASELINE_STRETCHES);
            earlier.into_iter().map(|start| (start, stretch)).chain([last]).collect()
        } else {
            vec![(place(0), compared)]
        };
        let gap = (is_near && !is_long).then_some(between as usize);
        Self { step_ms, selection_ms, selection: selected, baseline, gap }
    }

    fn baseline_start(&self) -> i64 {
        self.baseline.first().map_or(self.selection_ms, |(start, _)| *start)
    }

    /// From the baseline's start to the selection's end, in buckets, where they are near.
    fn whole(&self) -> Option<usize> {
        self.gap.map(|gap| self.baseline[0].1 + gap + self.selection)
    }
}

/// Where stretches of a long baseline begin: of days at the selection's time of day, so that a daily curve is no news. They ascend, and each is
/// so long and within `room`.
fn at_the_same_hours(
    starts_ms: impl Iterator<Item = i64>,
    selection_ms: i64,
    room: Range<i64>,
    length_ms: i64,
) -> Vec<i64> {
    if room.end - room.start < SAME_HOURS_DAYS * DAY_MS {
        return starts_ms.collect();
    }
    let moved = starts_ms.map(|start| start + (selection_ms - start).rem_euclid(DAY_MS));
    let mut kept: Vec<i64> = Vec::new();
    for start in moved.filter(|start| start + length_ms <= room.end) {
        if kept.last().is_none_or(|last| last + length_ms <= start) {
            kept.push(start);
        }
    }
    kept
}

/// A stretch that has no number yet.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from_ms: i64,
    count: usize,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Selection, baseline and the gap between them, or one of them.
    Asked,
    Past,
    EarlierDay,
}

impl Plan {
    /// The buckets for a selection and its baseline, which do not overlap; so many lengths of time before, and the same
    /// hours of so many days ago as do not overlap with these.
    pub(super) fn new(
        selection: TimeRange,
        baseline: TimeRange,
        step_ms: i64,
        past: usize,
        days: &[i64],
    ) -> Self {
        let asked = Asked::new(selection, baseline, step_ms);
        let mut pieces = asked.pieces(past);
        let first = pieces.iter().map(|piece| piece.from_ms).min().unwrap_or_default();
        if let Some(whole) = asked.whole() {
            let shifted = days.iter().map(|day| (asked.baseline_start() - day * DAY_MS, whole));
            let mut before = first;
            for (from_ms, count) in shifted {
                if from_ms + count as i64 * step_ms <= before {
                    pieces.push(Piece { from_ms, count, what: What::EarlierDay });
                    before = from_ms;
                }
            }
        }
        Self::of_pieces(&asked, pieces)
    }

    fn of_pieces(asked: &Asked, mut pieces: Vec<Piece>) -> Self {
        pieces.sort_by_key(|piece| piece.from_ms);
        let (mut starts_ms, mut stretches) = (Vec::new(), Vec::new());
        for piece in &pieces {
            let first = starts_ms.len();
            starts_ms.extend((0..piece.count as i64).map(|at| piece.from_ms + at * asked.step_ms));
            let stretch =
                Stretch { first, count: piece.count, from_ms: piece.from_ms, step_ms: asked.step_ms };
            stretches.push((piece.what, stretch));
        }
        // Later days first: they say more.
        stretches.sort_by_key(|(what, stretch)| {
            (*what != What::Asked, *what == What::EarlierDay, std::cmp::Reverse(stretch.from_ms))
        });
        let grid = asked.grid(starts_ms, &stretches);
        let is_asked = stretches.iter().filter(|(what, _)| *what == What::Asked).count();
        Self { grid, stretches: stretches.into_iter().map(|(_, stretch)| stretch).collect(), asked: is_asked }
    }
}

impl Asked {
    fn pieces(&self, past: usize) -> Vec<Piece> {
        let asked = |from_ms, count| Piece { from_ms, count, what: What::Asked };
        let mut pieces = match self.whole() {
            Some(whole) => vec![asked(self.baseline_start(), whole)],
            None => self.baseline.iter().map(|(from_ms, count)| asked(*from_ms, *count)).collect(),
        };
        if self.gap.is_none() {
            pieces.push(asked(self.selection_ms, self.selection));
        }
        let count = past * self.selection;
        let is_before = self.baseline_start() <= self.selection_ms;
        // What lies before the first of several stretches does not lead up to the others, nor does the selection to what lies behind it.
        if count > 0 && is_before && self.baseline.len() == 1 {
            let from_ms = self.baseline_start() - count as i64 * self.step_ms;
            pieces.push(Piece { from_ms, count, what: What::Past });
        }
        pieces
    }

    fn grid(&self, starts_ms: Vec<i64>, stretches: &[(What, Stretch)]) -> Grid {
        let place = |at_ms: i64| starts_ms.partition_point(|start| *start < at_ms);
        let now = Trial {
            selection: place(self.selection_ms)..place(self.selection_ms) + self.selection,
            baseline: self.baseline_places(&starts_ms),
        };
        let days = stretches.iter().filter(|(what, _)| *what == What::EarlierDay);
        let trial = |(_, stretch): &(What, Stretch)| Trial {
            selection: stretch.first + stretch.count - self.selection..stretch.first + stretch.count,
            baseline: stretch.first..stretch.first + self.baseline[0].1,
        };
        let earlier_days = days.map(trial).collect();
        Grid { starts_ms, step_ms: self.step_ms, now, earlier_days }
    }

    fn baseline_places(&self, starts_ms: &[i64]) -> Range<usize> {
        let place = |at_ms: i64| starts_ms.partition_point(|start| *start < at_ms);
        let last = self.baseline.last().map_or(0, |(start, count)| place(*start) + count);
        place(self.baseline_start())..last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sonde_shared::baseline::default_baseline;

    fn secs(from: i64, until: i64) -> TimeRange {
        TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(until) }
    }

    #[test]
    fn a_short_selection_has_buckets_of_the_spacing_and_a_long_one_sixty() {
        let check = |length: i64, spacing: Option<i64>, expected: i64| {
            assert_eq!(step_ms(secs(0, length), spacing.map(|secs| secs * 1_000), 60), expected);
        };
        check(120, Some(10), 10_000);
        check(120, Some(60), 60_000);
        check(120, None, 2_000);
        check(108, Some(10), 10_800);
        check(27, Some(10), 13_500);
        check(3_600, Some(10), 60_000);
        check(3_700, Some(10), 74_000);
        check(60, Some(60), 20_000);
        check(5, Some(10), 1_000);
        check(1, Some(10), 1_000);
        check(86_400, Some(10), 1_440_000);
    }

    #[test]
    fn a_default_baseline_lies_on_one_grid_with_its_selection() {
        let selection = secs(1_000_000, 1_000_120);
        let plan = Plan::new(selection, default_baseline(selection), 10_000, 8, &[1, 2]);
        let now = &plan.grid.now;
        assert_eq!((now.selection.len(), now.baseline.len()), (12, 48));
        assert_eq!(now.selection.start - now.baseline.end, 2);
        assert_eq!(plan.grid.starts_ms[now.selection.start], 1_000_000_000);
        assert_eq!(plan.grid.earlier_days.len(), 2);
        assert_eq!(plan.grid.len(), 62 + 96 + 2 * 62);
        assert_eq!(plan.asked, 1);
        let day = &plan.grid.earlier_days[0];
        assert_eq!(plan.grid.starts_ms[day.selection.start], 1_000_000_000 - DAY_MS);
    }

    #[test]
    fn a_baseline_of_weeks_ago_or_of_a_day_is_looked_at_in_stretches_of_its_own() {
        let selection = secs(10_000_000, 10_000_060);
        let far = Plan::new(selection, secs(8_000_000, 8_000_240), 10_000, 2, &[1]);
        assert_eq!((far.grid.now.baseline.len(), far.asked, far.grid.earlier_days.len()), (24, 2, 0));
        let long = Plan::new(selection, secs(9_900_000, 9_986_400), 10_000, 2, &[1]);
        assert_eq!(long.grid.now.baseline.len(), 16 * LEAST_BASELINE_STRETCH);
        assert_eq!((long.asked, long.stretches[1].count), (10, 8 * LEAST_BASELINE_STRETCH));
        let after = Plan::new(selection, secs(10_000_500, 10_000_740), 10_000, 0, &[]);
        assert_eq!((after.grid.now.selection.clone(), after.grid.now.baseline.clone()), (0..6, 6..30));
        let short = Plan::new(selection, secs(10_000_063, 10_000_064), 10_000, 0, &[]);
        assert_eq!(short.grid.starts_ms[5..], [10_000_050_000, 10_000_063_000]);
    }

    #[test]
    fn of_a_baseline_of_days_the_selections_time_of_day_is_looked_at() {
        let day = DAY_MS / 1_000;
        let selection = secs(30 * day + 43_210, 30 * day + 43_810);
        let starts = |days: i64| -> Vec<i64> {
            let plan = Plan::new(selection, secs(9 * day, (9 + days) * day), 10_000, 8, &EARLIER_DAYS);
            let stretches =
                plan.stretches.iter().filter(|stretch| stretch.count == 60 && stretch.from_ms < 20 * DAY_MS);
            let mut starts: Vec<i64> = stretches.map(|stretch| stretch.from_ms / 1_000 - 9 * day).collect();
            starts.sort_unstable();
            starts
        };
        let noon = |days: &[i64]| -> Vec<i64> { days.iter().map(|at| at * day + 43_210).collect() };
        assert_eq!(starts(7), noon(&[0, 1, 2, 3, 4, 5, 6]));
        assert_eq!(starts(10), noon(&[0, 1, 2, 4, 5, 6, 7, 9]));
        // A shorter one has too few of these.
        assert!(starts(2).windows(2).all(|pair| pair[1] - pair[0] == 21_000), "{:?}", starts(2));
    }

    proptest! {
        #[test]
        fn every_bucket_is_in_one_stretch_and_selection_and_baseline_are_whole(
            start in 1_000_000_000_i64..2_000_000_000,
            length in 1_i64..200_000,
            moved in prop::option::of((-3_000_000_i64..-1, 1_i64..500_000)),
            is_behind in any::<bool>(),
            spacing in prop::option::of(prop::sample::select(vec![1_i64, 10, 60, 300])),
            series in 1_usize..1_000_000,
            past in 0_usize..9,
        ) {
            let selection = secs(start, start + length);
            let baseline = moved.map_or(default_baseline(selection), |(by, long)| {
                let from = if is_behind { start + length - by } else { start + by - long };
                secs(from, from + long)
            });
            let step = step_ms(selection, spacing.map(|secs| secs * 1_000), most_buckets(series));
            let plan = Plan::new(selection, baseline, step, past, &EARLIER_DAYS);
            let grid = &plan.grid;
            prop_assert!(grid.starts_ms.windows(2).all(|pair| pair[0] + step <= pair[1]), "{grid:?}");
            let mut buckets: Vec<usize> = plan.stretches.iter().flat_map(Stretch::buckets).collect();
            buckets.sort_unstable();
            prop_assert_eq!(buckets, (0..grid.len()).collect::<Vec<_>>());
            for stretch in &plan.stretches {
                for bucket in stretch.buckets() {
                    let start = Timestamp::from_millis(grid.starts_ms[bucket]);
                    prop_assert_eq!(stretch.bucket_of(start), bucket);
                    prop_assert_eq!(stretch.bucket_of(stretch.end_of(bucket).plus_nanos(-1)), bucket);
                }
            }
            let Trial { selection: selected, baseline: compared } = &grid.now;
            prop_assert_eq!(grid.starts_ms[selected.start], selection.from.as_millis());
            let left_ms = selection.until.as_millis() - (grid.starts_ms[selected.end - 1] + step);
            prop_assert!((0..selected.len() as i64).contains(&left_ms), "{left_ms}");
            prop_assert!(!compared.is_empty());
            prop_assert!(compared.end <= selected.start || (moved.is_some() && is_behind && selected.end <= compared.start));
            let is_later = baseline.from >= selection.until;
            // One shorter than a bucket is widened away from the selection.
            let least = if is_later { baseline.from.plus_nanos(step * NANOS_PER_MS) } else { selection.from };
            prop_assert!(Timestamp::from_millis(grid.starts_ms[compared.end - 1] + step) <= baseline.until.max(least));
            prop_assert!(grid.len() < usize::from(u16::MAX));
            let usual = Plan::new(selection, default_baseline(selection), step, most_past(series, selected.len()), &[]);
            prop_assert!(series > 100_000 || has_room(series, usual.grid.len()), "{}", usual.grid.len());
            for day in &grid.earlier_days {
                prop_assert_eq!((day.selection.len(), day.baseline.len()), (selected.len(), compared.len()));
            }
        }
    }
}

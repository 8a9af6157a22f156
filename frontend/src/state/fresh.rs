//! What comes is joined to what is there: points to columns, buckets to a histogram. And how long what is there may be kept so,
//! before it is asked for as a whole, with what came too late to be told.

use sonde_shared::api::{Columns, Histogram};
use sonde_shared::live::LiveSeries;
use sonde_shared::log::Level;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange};

/// Points further apart than so many steps have a gap between them, as in the server's columns.
const GAP_STEPS: f64 = 3.0;

/// Joins new points of a series to its columns, in whatever order they come, and lets go of those before the one that the line
/// from the left edge begins at. False where there is no such series, so that all are to be asked for.
pub fn join_points(columns: &mut [Columns], new: &LiveSeries, from_ms: f64) -> bool {
    let Some(known) = columns.iter_mut().find(|series| series.name == new.name) else { return false };
    for (at_ms, value) in &new.points {
        join_point(known, *at_ms, *value, new.step_ms);
    }
    let gone = known.times_ms.partition_point(|at| *at < from_ms).saturating_sub(1);
    known.times_ms.drain(..gone);
    known.values.drain(..gone);
    true
}

fn join_point(known: &mut Columns, at_ms: f64, value: f64, step_ms: f64) {
    let place = known.times_ms.partition_point(|at| *at < at_ms);
    if known.times_ms.get(place) == Some(&at_ms) {
        known.values[place] = value;
        return;
    }
    let is_last = place == known.times_ms.len();
    let before = place.checked_sub(1).map(|last| (known.times_ms[last], known.values[last]));
    known.times_ms.insert(place, at_ms);
    known.values.insert(place, value);
    if let Some((before_ms, value)) = before
        && is_last
        && !value.is_nan()
        && at_ms - before_ms > GAP_STEPS * step_ms
    {
        known.times_ms.insert(place, before_ms + step_ms);
        known.values.insert(place, f64::NAN);
    }
}

/// Puts counts that were made anew in the place of those that are known, and lets go of buckets before an instant. False
/// where they do not fit, so that all are to be asked for.
pub fn join_counts(known: &mut Histogram, new: &Histogram, from_ms: i64) -> bool {
    let step = known.step_ms;
    let offset = new.from_ms - known.from_ms;
    if step <= 0 || step != new.step_ms || offset % step != 0 {
        return false;
    }
    let first = (offset / step).max(0) as usize;
    let before = (-offset / step).max(0) as usize;
    let gone = (from_ms.saturating_sub(known.from_ms) / step).max(0);
    for level in Level::ALL {
        let (counts, newer) = (known.levels.get_mut(level), new.levels.get(level));
        if !counts.is_empty() || !newer.is_empty() {
            counts.resize(first, 0);
            counts.extend(newer.iter().skip(before));
        }
        counts.drain(..counts.len().min(gone as usize));
    }
    // A level without lines has no list, and its buckets count all the same.
    let longest = Level::ALL.iter().map(|level| known.levels.get(*level).len()).max().unwrap_or(0);
    for level in Level::ALL {
        let counts = known.levels.get_mut(level);
        if !counts.is_empty() {
            counts.resize(longest, 0);
        }
    }
    known.from_ms += gone * step;
    known.total = Level::ALL.iter().flat_map(|level| known.levels.get(*level)).sum();
    true
}

/// Whether what was asked for one range may stand for another, with what has come since.
pub fn may_stand(asked: TimeRange, shown: TimeRange) -> bool {
    let moved = shown.from.nanos_since(asked.from);
    shown.nanos() == asked.nanos() && (0..refresh_nanos(shown.nanos())).contains(&moved)
}

/// A sixtieth of the range, for what came too late to be told.
fn refresh_nanos(range_nanos: i64) -> i64 {
    (range_nanos / 60).clamp(10 * NANOS_PER_SEC, 300 * NANOS_PER_SEC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::Timestamp;

    fn columns(points: &[(f64, f64)]) -> Columns {
        let (times_ms, values) = points.iter().copied().unzip();
        Columns { name: "depth".to_owned(), times_ms, values }
    }

    #[test]
    fn points_are_joined_in_order_and_a_gap_is_one() {
        let check = |known: &[(f64, f64)], new: &[(f64, f64)], expected: &[(f64, f64)]| {
            let mut all = [columns(known)];
            let new = LiveSeries { name: "depth".to_owned(), step_ms: 10.0, points: new.to_vec() };
            assert!(join_points(&mut all, &new, 100.0));
            let times = expected.iter().map(|(at, _)| *at).collect::<Vec<_>>();
            assert_eq!(all[0].times_ms, times);
            let told = |value: &f64| if value.is_nan() { -1.0 } else { *value };
            let values: Vec<f64> = all[0].values.iter().map(told).collect();
            assert_eq!(values, expected.iter().map(|(_, value)| *value).collect::<Vec<_>>());
        };
        check(&[(100.0, 1.0)], &[(110.0, 2.0), (120.0, 3.0)], &[(100.0, 1.0), (110.0, 2.0), (120.0, 3.0)]);
        check(&[(100.0, 1.0), (120.0, 3.0)], &[(110.0, 2.0)], &[(100.0, 1.0), (110.0, 2.0), (120.0, 3.0)]);
        check(&[(100.0, 1.0), (110.0, 3.0)], &[(110.0, 2.0)], &[(100.0, 1.0), (110.0, 2.0)]);
        check(&[(100.0, 1.0)], &[(131.0, 2.0)], &[(100.0, 1.0), (110.0, -1.0), (131.0, 2.0)]);
        check(&[(80.0, 0.0), (90.0, 1.0)], &[(110.0, 2.0)], &[(90.0, 1.0), (110.0, 2.0)]);
        check(&[], &[(110.0, 2.0)], &[(110.0, 2.0)]);
    }

    #[test]
    fn a_series_that_is_new_is_to_be_asked_for() {
        let new = LiveSeries { name: "other".to_owned(), step_ms: 10.0, points: vec![(1.0, 1.0)] };
        assert!(!join_points(&mut [columns(&[])], &new, 0.0));
    }

    fn histogram(from_ms: i64, info: &[u64], warn: &[u64]) -> Histogram {
        let mut counts = Histogram { from_ms, step_ms: 10, ..Histogram::default() };
        *counts.levels.get_mut(Level::Info) = info.to_vec();
        *counts.levels.get_mut(Level::Warn) = warn.to_vec();
        counts.total = info.iter().chain(warn).sum();
        counts
    }

    #[test]
    fn buckets_take_the_place_of_those_that_are_known() {
        let check = |new: Histogram, from_ms: i64, expected: Option<Histogram>| {
            let mut known = histogram(100, &[1, 2, 3], &[]);
            let joins = join_counts(&mut known, &new, from_ms);
            assert_eq!(joins.then_some(known), expected);
        };
        check(histogram(120, &[4, 5], &[]), 100, Some(histogram(100, &[1, 2, 4, 5], &[])));
        check(histogram(120, &[4, 5], &[]), 115, Some(histogram(110, &[2, 4, 5], &[])));
        check(histogram(120, &[], &[7, 8]), 0, Some(histogram(100, &[1, 2, 0, 0], &[0, 0, 7, 8])));
        check(histogram(150, &[4], &[]), 100, Some(histogram(100, &[1, 2, 3, 0, 0, 4], &[])));
        check(histogram(90, &[9, 4], &[]), 100, Some(histogram(100, &[4], &[])));
        check(Histogram { step_ms: 20, ..histogram(120, &[4], &[]) }, 100, None);
        check(histogram(125, &[4], &[]), 100, None);
        check(histogram(120, &[4], &[]), 900, Some(histogram(900, &[], &[])));
        assert!(!join_counts(&mut Histogram::default(), &histogram(120, &[4], &[]), 0));
    }

    #[test]
    fn what_is_there_stands_until_the_range_has_moved_far() {
        let range = |from: i64, length: i64| TimeRange {
            from: Timestamp::from_secs(from),
            until: Timestamp::from_secs(from + length),
        };
        let check = |length: i64, moved: i64, expected: bool| {
            assert_eq!(may_stand(range(1_000, length), range(1_000 + moved, length)), expected);
        };
        check(3_600, 59, true);
        check(3_600, 60, false);
        check(3_600, -1, false);
        check(60, 9, true);
        check(60, 10, false);
        check(86_400, 299, true);
        check(86_400, 300, false);
        assert!(!may_stand(range(0, 60), range(0, 61)));
    }
}

//! Up to when a chart is complete: what has not come yet is not taken for what is not there. Pure.

use sonde_shared::api::Columns;
use sonde_shared::time::{TimeRange, Timestamp};

/// A series so far behind the others, or by so many of its own steps, has ended; and a range that ended so long ago waits for
/// nothing.
const LATE_MS: f64 = 300_000.0;
const LATE_STEPS: f64 = 3.0;

/// The end of a range from which on points are still to come: from the last instant that each series that goes on has a point
/// for, up to `now` or the range's end. None where the range is behind and no series owes it a point, or there are no points.
pub fn unfinished(series: &[Columns], range: TimeRange, now: Timestamp) -> Option<TimeRange> {
    let end = range.until.min(now);
    let (now_ms, end_ms) = (now.as_millis_f64(), end.as_millis_f64());
    if now_ms - end_ms > LATE_MS {
        return None;
    }
    let mut ends: Vec<(f64, f64)> = series.iter().filter_map(|one| last_and_step(one, end_ms)).collect();
    let newest = ends.iter().map(|(last, _)| *last).reduce(f64::max)?;
    ends.retain(|(last, step)| newest - last <= LATE_MS.max(step * LATE_STEPS));
    let is_owed = ends.iter().any(|(last, step)| last + step < end_ms);
    if end < now && !is_owed {
        return None;
    }
    let complete_ms = ends.iter().map(|(last, _)| *last).fold(newest, f64::min);
    let from = Timestamp::from_millis(complete_ms as i64);
    Some(TimeRange { from, until: end.max(from) })
}

/// When a series has its last value up to an instant, and how long after the one before.
fn last_and_step(one: &Columns, until_ms: f64) -> Option<(f64, f64)> {
    let points = one.times_ms.iter().zip(&one.values).rev();
    let mut known = points.filter(|(at, value)| **at <= until_ms && value.is_finite()).map(|(at, _)| *at);
    let last = known.next()?;
    Some((last, known.next().map_or(0.0, |before| last - before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_complete_up_to_where_all_series_that_go_on_have_points() {
        let at = Timestamp::from_secs;
        let series = |points: &[(i64, f64)]| Columns {
            name: String::new(),
            times_ms: points.iter().map(|(at, _)| *at as f64 * 1e3).collect(),
            values: points.iter().map(|(_, value)| *value).collect(),
        };
        let hour = TimeRange { from: at(0), until: at(3_600) };
        let tail = |all: &[&[(i64, f64)]], now: i64| {
            let all: Vec<Columns> = all.iter().map(|points| series(points)).collect();
            unfinished(&all, hour, at(now)).map(|tail| (tail.from.as_secs(), tail.until.as_secs()))
        };
        assert_eq!(tail(&[&[(10, 1.0), (3_590, 1.0)], &[(3_580, 1.0)]], 3_600), Some((3_580, 3_600)));
        assert_eq!(tail(&[&[(3_590, 1.0)], &[(900, 1.0)]], 3_600), Some((3_590, 3_600)), "one has ended");
        assert_eq!(tail(&[&[(900, 1.0)], &[(890, 1.0)]], 3_600), Some((890, 3_600)), "all are silent");
        assert_eq!(tail(&[&[(3_580, 1.0), (3_590, f64::NAN)]], 3_600), Some((3_580, 3_600)));
        assert_eq!(tail(&[&[(1_000, 1.0)]], 1_007), Some((1_000, 1_007)), "what lies ahead is not missing");
        assert_eq!(tail(&[&[(3_590, 1.0)]], 4_000), None, "what lies behind is as complete as it will be");
        let slow: &[(i64, f64)] = &[(1_000, 1.0), (1_900, 1.0), (2_800, 1.0)];
        assert_eq!(
            tail(&[slow, &[(3_590, 1.0)]], 3_600),
            Some((2_800, 3_600)),
            "it comes every quarter of an hour"
        );
        let tens = |last: i64| [(last - 10, 1.0), (last, 1.0)];
        assert_eq!(tail(&[&tens(3_590)], 3_601), None, "the next one is beyond the range");
        assert_eq!(tail(&[&tens(3_580)], 3_601), Some((3_580, 3_600)), "one is missing");
        assert_eq!(tail(&[&[(3_600, 1.0)]], 3_600), Some((3_600, 3_600)));
        assert_eq!(tail(&[&[]], 3_600), None);
        assert_eq!(tail(&[], 3_600), None);
    }
}

//! Where in the lines of a range an instant is, told by counts that are there, so that a hairline can follow the pointer.

use sonde_shared::api::Histogram;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};

/// The share of a range's lines that come before an instant, from 0 to 1; `None` where there are none, or the counts do not
/// reach that far. Within a bucket lines are taken to lie evenly.
pub fn share_before(histogram: &Histogram, range: TimeRange, at: Timestamp) -> Option<f64> {
    let step = histogram.step_ms.max(1) as f64;
    let start = histogram.from_ms as f64;
    let (from, until, at) = (range.from.as_millis_f64(), range.until.as_millis_f64(), at.as_millis_f64());
    if at < from || at > until || from < start {
        return None;
    }
    let (mut before, mut all) = (0.0, 0.0);
    let mut lines_of = |counts: &[u64]| {
        for (bucket, lines) in counts.iter().enumerate().filter(|(_, lines)| **lines > 0) {
            let left = start + bucket as f64 * step;
            let inside =
                |until: f64| ((until.min(left + step) - from.max(left)) / step).max(0.0) * *lines as f64;
            before += inside(at);
            all += inside(until);
        }
    };
    for level in Level::ALL {
        lines_of(histogram.levels.get(level));
    }
    (all > 0.0).then(|| (before / all).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_before_an_instant_are_counted_by_what_is_there() {
        let mut histogram = Histogram { from_ms: 10_000, step_ms: 1_000, total: 10, ..Histogram::default() };
        *histogram.levels.get_mut(Level::Info) = vec![2, 0, 6, 0];
        *histogram.levels.get_mut(Level::Error) = vec![0, 0, 2];
        let at = Timestamp::from_millis;
        let range = TimeRange::between(at(10_000), at(14_000));
        let check =
            |ms: i64, expected: Option<f64>| assert_eq!(share_before(&histogram, range, at(ms)), expected);
        check(10_000, Some(0.0));
        check(10_500, Some(0.1));
        check(11_900, Some(0.2));
        check(12_500, Some(0.6));
        check(14_000, Some(1.0));
        check(9_000, None);
        check(15_000, None);
        let selection = TimeRange::between(at(12_000), at(13_000));
        assert_eq!(share_before(&histogram, selection, at(12_250)), Some(0.25));
        let silent = TimeRange::between(at(13_000), at(14_000));
        assert_eq!(share_before(&histogram, silent, at(13_500)), None);
        let wider = TimeRange::between(at(0), at(14_000));
        assert_eq!(share_before(&histogram, wider, at(13_500)), None);
    }
}

//! What stands between two lines of the list: the day where one begins, a silence where nothing was logged.
//!
//! A mark has a thin row of its own above the line that it is about, so it covers no text and takes part in the scrolling.

use sonde_shared::time::{NANOS_PER_SEC, Timestamp, ZoneClock};

/// The height of a mark.
pub const MARK_PX: f64 = 16.0;
/// A silence is at least this long …
const SILENCE_NANOS: i64 = 10 * NANOS_PER_SEC;
/// … and this many times as long as lines are apart on average.
const SILENCE_TIMES: i64 = 10;

/// A thin row above a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whether the line is the first of its day.
    pub is_day: bool,
    /// The nanoseconds between the line and the one before it, where they are a silence.
    pub silence: Option<i64>,
}

impl Mark {
    /// The mark between two neighbouring lines; days are those that the zone's calendar shows.
    pub fn between(
        before: Timestamp,
        at: Timestamp,
        silence_nanos: i64,
        zone: ZoneClock<'_>,
    ) -> Option<Self> {
        let apart = at.nanos_since(before).saturating_abs();
        let is_day = zone.day(before) != zone.day(at);
        let silence = (apart >= silence_nanos).then_some(apart);
        (is_day || silence.is_some()).then_some(Self { is_day, silence })
    }
}

/// How long a silence is worth a mark among so many lines in so much time.
pub fn silence_nanos(range_nanos: i64, lines: u64) -> i64 {
    (range_nanos / lines.max(1) as i64).saturating_mul(SILENCE_TIMES).max(SILENCE_NANOS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_silence_are_marked_and_nothing_else() {
        let at = Timestamp::from_secs;
        let check = |before: i64, after: i64, offset: i32, expected: Option<(bool, Option<i64>)>| {
            let offsets = [(Timestamp::MIN, offset)];
            let found = Mark::between(at(before), at(after), 41 * NANOS_PER_SEC, ZoneClock::new(&offsets));
            let secs = |mark: Mark| (mark.is_day, mark.silence.map(|nanos| nanos / NANOS_PER_SEC));
            assert_eq!(found.map(secs), expected);
        };
        check(1_000, 1_040, 0, None);
        check(1_000, 1_041, 0, Some((false, Some(41))));
        check(1_041, 1_000, 0, Some((false, Some(41))));
        check(86_399, 86_400, 0, Some((true, None)));
        check(86_399, 86_460, 0, Some((true, Some(61))));
        check(86_399, 86_400, 60, None);
        check(86_400 - 3_601, 86_400 - 3_600, 60, Some((true, None)));
    }

    #[test]
    fn a_silence_is_ten_times_the_usual_distance_and_at_least_ten_seconds() {
        assert_eq!(silence_nanos(3_600 * NANOS_PER_SEC, 100), 360 * NANOS_PER_SEC);
        assert_eq!(silence_nanos(3_600 * NANOS_PER_SEC, 1_000_000), 10 * NANOS_PER_SEC);
        assert_eq!(silence_nanos(i64::MAX, 0), i64::MAX);
    }
}

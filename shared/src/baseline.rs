//! What a selection is compared with when nobody has said otherwise.

use crate::time::{NANOS_PER_SEC, TimeRange};

/// So many times as long as the selection.
const LENGTHS: i64 = 4;
/// The gap to the selection is this part of its length …
const GAP_PART: i64 = 10;
/// … but at least 5 s: what was brushed begins seldom exactly where things began …
const MIN_GAP_NANOS: i64 = 5 * NANOS_PER_SEC;
/// … and at most 5 min: a baseline of long ago is another time of day.
const MAX_GAP_NANOS: i64 = 300 * NANOS_PER_SEC;

/// The time before a selection that it is compared with: four times as long, ending a tenth of the selection (at least 5 s,
/// at most 5 min) before it. At the beginning of what can be told it is shorter.
pub fn default_baseline(selection: TimeRange) -> TimeRange {
    let length = selection.nanos();
    let gap = (length / GAP_PART).clamp(MIN_GAP_NANOS, MAX_GAP_NANOS);
    let until = selection.from.plus_nanos(-gap);
    TimeRange { from: until.plus_nanos(length.saturating_mul(-LENGTHS)), until }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn a_baseline_ends_a_gap_before_the_selection() {
        let check = |selection: (i64, i64), expected: (i64, i64)| {
            let range = |(from, until): (i64, i64)| {
                TimeRange::between(Timestamp::from_secs(from), Timestamp::from_secs(until))
            };
            assert_eq!(default_baseline(range(selection)), range(expected));
        };
        check((10_000, 10_120), (9_508, 9_988));
        check((10_000, 10_010), (9_955, 9_995));
        check((1_000_000, 1_007_200), (970_900, 999_700));
    }

    proptest! {
        #[test]
        fn wherever_the_selection_lies_its_baseline_is_before_it(a in any::<i64>(), b in any::<i64>()) {
            let selection = TimeRange::between(Timestamp::from_nanos(a), Timestamp::from_nanos(b));
            let baseline = default_baseline(selection);
            prop_assert!(baseline.from <= baseline.until && baseline.until <= selection.from);
            if baseline.from > Timestamp::MIN && selection.nanos() < i64::MAX / LENGTHS {
                prop_assert_eq!(baseline.nanos(), selection.nanos() * LENGTHS);
            }
        }
    }
}

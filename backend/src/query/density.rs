//! Buckets of time for strips of a few pixels: how the lines of each component lie over a range.
//!
//! The width is chosen here, not by who asks: one of the usual ones, so that buckets begin at round instants and of longer
//! ranges are made of whole minutes, which summaries and heads of blocks tell without a look at rows.

use crate::store::logs::block::Counts;
use sonde_shared::api::DensityBuckets;
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};

/// No answer has more of them: each is a number for each component.
pub const MAX_DENSITY_BUCKETS: usize = 60;

const DAY_MS: i64 = 86_400_000;
const STEPS_MS: [i64; 27] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000,
    300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, DAY_MS,
];

/// Buckets of equal width, the first one beginning at a multiple of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Density {
    from: i128,
    step_nanos: i128,
    count: usize,
}

impl Density {
    /// The narrowest usual buckets of which `most` cover a range.
    pub fn over(range: TimeRange, most: usize) -> Self {
        let usual = STEPS_MS.into_iter().map(|step| Self::of_width(range, step));
        usual.into_iter().find(|density| density.count <= most).unwrap_or_else(|| {
            let nanos = i128::from(range.until.as_nanos()) - i128::from(range.from.as_nanos());
            let days = nanos / (most.max(2) as i128 - 1) / i128::from(DAY_MS * NANOS_PER_MS) + 1;
            Self::of_width(range, DAY_MS.saturating_mul(days as i64))
        })
    }

    fn of_width(range: TimeRange, step_ms: i64) -> Self {
        // Wide enough for ranges that reach the ends of what a timestamp can tell.
        let step_nanos = i128::from(step_ms) * i128::from(NANOS_PER_MS);
        let from = i128::from(range.from.as_nanos()).div_euclid(step_nanos) * step_nanos;
        let count = (i128::from(range.until.as_nanos()) - from + step_nanos - 1) / step_nanos;
        Self { from, step_nanos, count: usize::try_from(count).unwrap_or_default() }
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The bucket of an instant; one outside of the range, as a damaged file may tell, has none.
    pub fn bucket(&self, at: Timestamp) -> Option<usize> {
        let past = i128::from(at.as_nanos()) - self.from;
        usize::try_from(past.div_euclid(self.step_nanos)).ok().filter(|bucket| *bucket < self.count)
    }

    /// Whether every slot of some counts lies in one bucket.
    pub fn has_whole(&self, counts: &Counts<'_>) -> bool {
        let slot = i128::from(counts.slot_nanos());
        self.step_nanos % slot == 0 && self.from % slot == 0
    }

    /// Where the buckets lie, for the answer.
    pub fn told(&self) -> DensityBuckets {
        let ms = |nanos: i128| (nanos / i128::from(NANOS_PER_MS)) as i64;
        DensityBuckets { from_ms: ms(self.from), step_ms: ms(self.step_nanos), count: self.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_are_of_usual_widths_and_begin_at_their_multiples() {
        let check = |from: i64, until: i64, most: usize, expected: (i64, i64, usize)| {
            let range = TimeRange::between(Timestamp::from_millis(from), Timestamp::from_millis(until));
            let DensityBuckets { from_ms, step_ms, count } = Density::over(range, most).told();
            assert_eq!((from_ms, step_ms, count), expected);
        };
        check(0, 3_600_000, 24, (0, 300_000, 12));
        check(30_000, 3_630_000, 24, (0, 300_000, 13));
        check(0, 86_400_000, 24, (0, 3_600_000, 24));
        check(1, 86_400_001, 24, (0, 7_200_000, 13));
        check(7, 9, 24, (7, 1, 2));
        check(-5, 0, 24, (-5, 1, 5));
        check(0, 400 * DAY_MS, 24, (0, 18 * DAY_MS, 23));
        check(0, 2 * DAY_MS, 1, (0, 3 * DAY_MS, 1));
    }

    proptest! {
        #[test]
        fn every_instant_of_a_range_has_a_bucket(from: i64, length in 1_i64.., part in 0.0_f64..1.0, most in 2_usize..60) {
            let from = Timestamp::from_nanos(from);
            let range = TimeRange { from, until: from.plus_nanos(length) };
            prop_assume!(!range.is_empty());
            let density = Density::over(range, most);
            prop_assert!((1..=most).contains(&density.count()), "{density:?}");
            let at = from.plus_nanos((range.nanos().saturating_sub(1) as f64 * part) as i64).min(range.until.plus_nanos(-1));
            prop_assert!(density.bucket(at).is_some(), "{density:?}");
            prop_assert_eq!(density.bucket(range.from), Some(0));
        }
    }
}

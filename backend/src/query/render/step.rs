//! The spacing of a series' points, found from the points themselves.
//!
//! Mostly one difference of neighbouring points is that of the majority. Where there is none, either points are missing, and what is
//! there stands in a raster; or senders are not punctual, and the differences lie around a common one.

use super::Selection;
use crate::store::StoreError;
use crate::store::metrics::{Even, Times};
use sonde_shared::time::TimeRange;
use std::collections::BTreeMap;

/// Taken where a series has too few points to tell: Graphite's default.
const DEFAULT_STEP_SECS: i64 = 60;
/// A raster is no accident where so many differences fit into it, each a multiple of so many seconds.
const RASTER_FROM: (u64, i64) = (12, 5);
/// What senders are set to, in seconds.
const USUAL_STEPS: [i64; 20] = [
    1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
];

/// How often each difference of neighbouring points occurs, in seconds.
#[derive(Debug, Default)]
struct Spacing {
    counts: BTreeMap<i64, u64>,
    last: Option<i64>,
}

impl Spacing {
    fn push(&mut self, time: i64) {
        if let Some(last) = self.last.replace(time) {
            *self.counts.entry(time - last).or_default() += 1;
        }
    }

    /// So many points, each as long behind the one before.
    fn push_even(&mut self, even: Even) {
        self.push(even.first);
        if even.count > 1 {
            *self.counts.entry(even.step).or_default() += even.count as u64 - 1;
            self.last = Some(even.first + (even.count as i64 - 1) * even.step);
        }
    }

    fn step(&self) -> Option<i64> {
        let total: u64 = self.counts.values().sum();
        let most = *self.counts.values().max()?;
        let (usual, _) = self.counts.iter().find(|(_, count)| **count == most)?;
        if most * 2 > total {
            return Some(*usual);
        }
        let raster = self.raster(total);
        let raster_seen = raster.filter(|step| self.counts.contains_key(step));
        Some(raster_seen.or_else(|| self.beat(total)).or(raster).unwrap_or(*usual))
    }

    /// The longest step of which nearly all differences are multiples, if they are so many that it is no accident.
    fn raster(&self, total: u64) -> Option<i64> {
        let mut by_count: Vec<(u64, i64)> =
            self.counts.iter().filter(|(step, _)| **step > 0).map(|(step, count)| (*count, *step)).collect();
        by_count.sort_unstable_by(|one, other| other.cmp(one));
        let (mut step, mut seen) = (0, 0);
        for (count, difference) in by_count {
            if seen * 20 >= total * 19 {
                break;
            }
            (step, seen) = (common_divisor(step, difference), seen + count);
        }
        (total >= RASTER_FROM.0 && step >= RASTER_FROM.1).then_some(step)
    }

    /// What the differences lie around, four of five at most half of it away: the one in the middle, or a usual step near it.
    fn beat(&self, total: u64) -> Option<i64> {
        let mut seen = 0;
        let (middle, _) = self.counts.iter().find(|(_, count)| {
            seen += **count;
            seen * 2 >= total
        })?;
        let is_near = |step: &&i64| (**step - middle).abs() * 10 <= **step;
        let step =
            *USUAL_STEPS.iter().filter(is_near).min_by_key(|step| (**step - middle).abs()).unwrap_or(middle);
        let near = self.counts.range((step + 1) / 2..=step + step / 2).map(|(_, count)| count).sum::<u64>();
        (step > 0 && near * 5 >= total * 4).then_some(step)
    }
}

fn common_divisor(mut one: i64, mut other: i64) -> i64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// A series' step: from its points on the days of the range, else from those around them, else a minute. Whole days, so that
/// the step of a short range with a few gaps is right, and the same as before when the range moves.
pub(super) fn detect(selection: &Selection, name: &str) -> Result<i64, StoreError> {
    let TimeRange { from, until } = selection.range;
    let days = TimeRange { from: from.day().start(), until: until.day().next().start() };
    for range in [days, TimeRange::all()] {
        let mut spacing = Spacing::default();
        for times in selection.days.times(name, range) {
            for times in times? {
                match times {
                    Times::Even(even) => spacing.push_even(even),
                    Times::Each(times) => times.iter().for_each(|time| spacing.push(*time)),
                }
            }
        }
        if let Some(step) = spacing.step() {
            return Ok(step);
        }
    }
    Ok(DEFAULT_STEP_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_is_the_most_frequent_spacing() {
        let check = |times: &[i64], expected: Option<i64>| {
            let mut spacing = Spacing::default();
            for time in times {
                spacing.push(*time);
            }
            assert_eq!(spacing.step(), expected, "{times:?}");
        };
        check(&[], None);
        check(&[5], None);
        check(&[0, 10, 20, 50, 60], Some(10));
        check(&[0, 10, 30], Some(10));
        check(&[0, 9, 20, 30, 40], Some(10));
    }

    #[test]
    fn where_most_points_are_missing_the_step_is_their_raster() {
        let mut spacing = Spacing::default();
        // Three of ten slots of ten seconds.
        (0..400_i64).filter(|at| at * at % 10 > 5 || at % 7 == 0).for_each(|at| spacing.push(at * 10));
        assert_eq!(spacing.step(), Some(10));
        // Every seventh to ninth minute: no two are neighbours.
        let mut rare = Spacing::default();
        (0..40_i64).for_each(|at| rare.push(at * 480 + at * at % 3 * 60));
        assert_eq!(rare.step(), Some(480));
        // A stray point changes nothing.
        spacing.push(5_003);
        assert_eq!(spacing.step(), Some(10));
    }

    #[test]
    fn senders_need_not_be_punctual() {
        let check = |step: i64, late: i64, expected: i64| {
            let mut spacing = Spacing::default();
            (0..300_i64).for_each(|at| spacing.push(at * step + at * at * 7_919 % 101 * late / 101));
            assert_eq!(spacing.step(), Some(expected), "{step} {late}");
        };
        check(60, 25, 60);
        check(60, 3, 60);
        check(10, 5, 10);
        check(300, 40, 300);
        check(45, 9, 45);
    }

    #[test]
    fn even_points_count_as_if_each_was_told() {
        let (mut each, mut even) = (Spacing::default(), Spacing::default());
        for (first, step, count) in [(5, 0, 1), (10, 10, 4), (100, 7, 2), (300, 10, 1)] {
            even.push_even(Even { first, step, count });
            (0..count as i64).for_each(|at| each.push(first + at * step));
        }
        assert_eq!((each.counts, each.last), (even.counts, even.last));
    }
}

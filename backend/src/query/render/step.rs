//! The spacing of a series' points, found from the points themselves.

use super::Selection;
use crate::store::StoreError;
use crate::store::metrics::{Even, Times};
use sonde_shared::time::TimeRange;
use std::collections::BTreeMap;

/// Taken where a series has too few points to tell: Graphite's default.
const DEFAULT_STEP_SECS: i64 = 60;

/// The most frequent difference of neighbouring points in seconds; of equally frequent ones the least.
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
        let most = *self.counts.values().max()?;
        self.counts.iter().find(|(_, count)| **count == most).map(|(step, _)| *step)
    }
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
    fn even_points_count_as_if_each_was_told() {
        let (mut each, mut even) = (Spacing::default(), Spacing::default());
        for (first, step, count) in [(5, 0, 1), (10, 10, 4), (100, 7, 2), (300, 10, 1)] {
            even.push_even(Even { first, step, count });
            (0..count as i64).for_each(|at| each.push(first + at * step));
        }
        assert_eq!((each.counts, each.last), (even.counts, even.last));
    }
}

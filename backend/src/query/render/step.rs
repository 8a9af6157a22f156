//! The spacing of a series' points, found from the points themselves.

use super::Selection;
use crate::store::StoreError;
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
        for points in selection.days.days(name, range) {
            points?.times.iter().for_each(|time| spacing.push(*time));
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
}

//! How often a series has a point.

use super::counts;
use std::ops::Range;

/// How often a series has a point: in each bucket, or in each so-many-th.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cadence {
    pub(super) every: usize,
    first: usize,
}

impl Cadence {
    pub(super) fn of(values: &[f32], baseline: &Range<usize>, alive: &[bool]) -> Self {
        let has = |bucket: &usize| values[*bucket].is_finite();
        // What is new tells by itself how often it has a point.
        let begins = (0..values.len()).find(has).filter(|_| !baseline.clone().any(|bucket| has(&bucket)));
        let known = begins
            .map_or(baseline.clone(), |first| first..(first..values.len()).rfind(has).unwrap_or(first) + 1);
        let points = known.clone().filter(has).count();
        let every = (counts::size_of(&known, alive) / points.max(1) as f64).round().max(1.0) as usize;
        Self { every, first: known.clone().find(has).unwrap_or(known.start) % every }
    }

    /// How many points a window has when none is missing but where nothing was received at all.
    pub(super) fn expected(self, window: &Range<usize>, alive: &[bool]) -> f64 {
        let due = |bucket: &usize| bucket % self.every == self.first && alive[*bucket];
        window.clone().filter(due).count() as f64
    }
}

//! How far two samples of a series lie apart as distributions: Kolmogorov and Smirnov's distance.
//!
//! Many windows of one series are compared, so its values are put into a few bins once, at quantiles of all of them, and
//! each comparison only counts. The distance is then at most what it would be without bins, and less by at most one bin's part.

use std::ops::Range;

const BINS: usize = 32;
/// So many values are sorted to find the quantiles.
const SORTED: usize = 256;
const NOTHING: u8 = u8::MAX;

/// A series' values as numbers of bins.
#[derive(Debug, Default)]
pub(super) struct Binned(Vec<u8>);

impl Binned {
    /// Puts values into bins; NaN is none. `room` is memory to use again.
    pub(super) fn fill(&mut self, values: &[f32], room: &mut Vec<f32>) {
        room.clear();
        let stride = values.len().div_ceil(SORTED).max(1);
        room.extend(values.iter().step_by(stride).filter(|value| value.is_finite()));
        room.sort_unstable_by(f32::total_cmp);
        let mut edges = [f32::INFINITY; BINS - 1];
        for (number, edge) in edges.iter_mut().enumerate() {
            *edge = room.get((number + 1) * room.len() / BINS).copied().unwrap_or(f32::INFINITY);
        }
        let bin = |value: &f32| {
            if value.is_finite() { edges.partition_point(|edge| edge < value) as u8 } else { NOTHING }
        };
        self.0.clear();
        self.0.extend(values.iter().map(bin));
    }

    /// The distance of two windows times the root of their effective size, Smirnov's statistic; 0 where one is empty.
    pub(super) fn distance(&self, one: &Range<usize>, other: &Range<usize>) -> f32 {
        let (one, ones) = self.count(one);
        let (other, others) = self.count(other);
        if ones == 0 || others == 0 {
            return 0.0;
        }
        let (mut below, mut other_below, mut most) = (0, 0, 0.0_f32);
        for bin in 0..BINS {
            below += one[bin];
            other_below += other[bin];
            most = most.max((below as f32 / ones as f32 - other_below as f32 / others as f32).abs());
        }
        most * ((ones * others) as f32 / (ones + others) as f32).sqrt()
    }

    fn count(&self, window: &Range<usize>) -> ([u32; BINS], u32) {
        let mut counts = [0; BINS];
        let mut all = 0;
        for bin in &self.0[window.clone()] {
            if let Some(count) = counts.get_mut(usize::from(*bin)) {
                *count += 1;
                all += 1;
            }
        }
        (counts, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance of differences, as the golden values are given.
    fn distance(one: &[f32], other: &[f32]) -> f32 {
        let all: Vec<f32> = one.iter().chain(other).copied().collect();
        let mut binned = Binned::default();
        binned.fill(&all, &mut Vec::new());
        let scale = ((one.len() * other.len()) as f32 / all.len() as f32).sqrt();
        binned.distance(&(0..one.len()), &(one.len()..all.len())) / scale
    }

    #[test]
    fn small_samples_have_the_distance_that_scipy_finds() {
        for case in super::super::golden::cases("ks") {
            let (found, expected) =
                (distance(&case.floats("a"), &case.floats("b")), case.number("statistic"));
            // Ties within a bin of many values cost less than a bin's part.
            let slack = if case.floats("a").len() + case.floats("b").len() <= BINS { 1e-6 } else { 0.05 };
            assert!((f64::from(found) - expected).abs() <= slack, "{found} is not {expected}: {case:?}");
        }
    }

    #[test]
    fn missing_values_are_no_values() {
        let nan = f32::NAN;
        assert!((distance(&[1.0, nan, 2.0], &[nan, 5.0, 6.0]) - 1.0).abs() < 1.0);
        assert!((distance(&[nan, nan], &[1.0]) - 0.0).abs() < 1e-9);
    }
}

//! What a series' changes are measured in, so that those of different series can be compared.
//!
//! The noise of what lies outside of a window, and of the selection. A window that had a part in its own measure could differ by so many
//! units only, however far it is off, and what fell back a little and what rose a hundredfold would look the same.

use super::series::{deviation_of, median};
use std::ops::Range;

/// A change below this part of the level is none, however still the series was.
pub(super) const LEAST_CHANGE: f64 = 0.01;
/// Two points may lie as near to each other as they like.
const LEAST_KNOWN: f64 = 3.0;
/// From a median absolute deviation to a standard deviation of normal noise.
pub(super) const MAD_TO_SD: f64 = 1.482_602_218_505_602;

/// The unit of a series: a robust standard deviation, never 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Unit {
    /// The median of all.
    pub(super) centre: f64,
    /// Of all, from the median deviation, which a few values do not change. A series that mostly stands still and jumps now and then has 0.
    pub(super) spread: f64,
    /// What it is at least.
    pub(super) least: f64,
    /// The smallest step between two values.
    pub(super) quantum: f64,
    /// All but the selection, and where it may have begun.
    others: Sums,
    unusual: Range<usize>,
}

impl Unit {
    /// `differences` are the steps into each value; `sorted` is memory to use again.
    pub(super) fn of(
        values: &[f32],
        differences: &[f32],
        unusual: &Range<usize>,
        sorted: &mut Vec<f32>,
    ) -> Self {
        let centre = median(values, sorted);
        // What stood still at some value has no step of its own until something happens; of what was nothing only that step is known.
        let outside = differences[..unusual.start].iter().chain(differences.iter().skip(unusual.end + 1));
        let mut quantum = smallest(outside);
        if quantum <= 0.0 && centre.abs() <= 0.0 {
            quantum = smallest(differences.iter());
        }
        let others =
            Sums::of(&values[..unusual.start], centre).and(1.0, &Sums::of(&values[unusual.end..], centre));
        Self {
            centre,
            spread: MAD_TO_SD * deviation_of(values, centre, sorted),
            least: (LEAST_CHANGE * centre.abs()).max(quantum * 0.1).max(1e-30),
            quantum,
            others,
            unusual: unusual.clone(),
        }
    }

    /// Whether enough points are known outside of the selection to say how far apart they lie.
    pub(super) fn is_known(&self) -> bool {
        self.others.points >= LEAST_KNOWN
    }

    /// The unit for a window: the selection, or a past one.
    pub(super) fn outside(&self, values: &[f32], window: &Range<usize>) -> f64 {
        let others = if window.start >= self.unusual.start && window.end <= self.unusual.end {
            self.others
        } else {
            self.others.and(-1.0, &Sums::of(&values[window.clone()], self.centre))
        };
        self.spread.max(0.25 * others.deviation()).max(self.least)
    }
}

/// The smallest step that is one; 0 where there is none.
fn smallest<'a>(steps: impl Iterator<Item = &'a f32>) -> f64 {
    let steps = steps.map(|step| step.abs()).filter(|step| *step > 0.0 && step.is_finite());
    let smallest = f64::from(steps.fold(f32::INFINITY, f32::min));
    if smallest.is_finite() { smallest } else { 0.0 }
}

/// Sums of values and of their squares, from an origin.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    points: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn of(values: &[f32], origin: f64) -> Self {
        let finite = values.iter().filter(|value| value.is_finite()).map(|value| f64::from(*value) - origin);
        finite.fold(Self::default(), |sums, value| Self {
            points: sums.points + 1.0,
            sum: sums.sum + value,
            squares: sums.squares + value * value,
        })
    }

    /// These and so many times others.
    fn and(&self, times: f64, others: &Self) -> Self {
        Self {
            points: self.points + times * others.points,
            sum: self.sum + times * others.sum,
            squares: self.squares + times * others.squares,
        }
    }

    fn deviation(&self) -> f64 {
        if self.points < 2.0 {
            return 0.0;
        }
        ((self.squares - self.sum * self.sum / self.points).max(0.0) / (self.points - 1.0)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(at: usize) -> f32 {
        (at as f32 * 2.4).sin()
    }

    fn unit(values: &[f32]) -> Unit {
        let steps: Vec<f32> = (0..values.len()).map(|at| values[at] - values[at.max(1) - 1]).collect();
        Unit::of(values, &steps, &(48..60), &mut Vec::new())
    }

    #[test]
    fn neither_a_window_nor_the_selection_is_measured_by_itself() {
        let values: Vec<f32> = (0..60).map(|at| wave(at) + if at >= 36 { 90.0 } else { 0.0 }).collect();
        let unit = unit(&values);
        assert!(unit.outside(&values, &(36..48)) < 2.0 * unit.spread.max(1.0));
        assert!(unit.outside(&values, &(24..36)) > 9.0);
    }

    #[test]
    fn what_stood_still_has_no_step_of_its_own_unless_it_was_nothing() {
        let step = |before: f32, after: f32| {
            let values: Vec<f32> = (0..60).map(|at| if at < 48 { before } else { after }).collect();
            unit(&values).outside(&values, &(48..60))
        };
        assert!((step(4.0, 400.0) - 0.04).abs() < 1e-6);
        assert!((step(0.0, 60.0) - 6.0).abs() < 1e-6);
    }
}

//! What a series was in the baseline and is in the selection, for words and sizes.

use super::candidate::By;
use super::observed::{Nature, Restart};
use super::series::{EXTREME_PART, LEAST_OF_SPREAD, kept_of};

/// A series in the selection and its baseline.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Move {
    /// Medians.
    pub(super) median: Sides,
    /// Means: of the selection without its extremes, but of a counter with them, for these add up to what it counted.
    pub(super) mean: Sides,
    /// The selection with its extremes.
    pub(super) all: All,
    /// Standard deviations.
    pub(super) deviation: Sides,
    /// Points.
    pub(super) points: Sides,
    /// How many units a level is uncertain by at least: by a part of itself, and by one smallest step in one point.
    pub(super) floor: f64,
    /// The baseline's standard deviation, never 0.
    pub(super) usual: f64,
    /// Whether single points lie far off, now and then.
    pub(super) jumps: Jumps,
    /// Whether it has a point less often than there are buckets.
    pub(super) seldom: bool,
    /// The smallest step between two values.
    pub(super) quantum: f64,
    /// The part of the selection's points that lie beyond the baseline's middle, in the direction of the change.
    pub(super) beyond: f64,
    /// Whether most of the selection's points are one value at the edge of all that was seen.
    pub(super) at_limit: bool,
    /// When a counter began again first in the selection.
    pub(super) restarted: Option<Restart>,
}

impl Move {
    /// The same in a unit that is so many times smaller.
    pub(super) fn times(&self, times: f64) -> Self {
        let scaled = |sides: Sides| Sides { before: times * sides.before, after: times * sides.after };
        let [median, mean, deviation] = [self.median, self.mean, self.deviation].map(scaled);
        let all = All { mean: times * self.all.mean, peak: times * self.all.peak };
        Self { median, mean, all, deviation, ..*self }
    }

    /// The same told by most, or by all that the selection has.
    pub(super) fn by(&self, by: By) -> Self {
        match by {
            By::Most => *self,
            By::All => Self { mean: Sides { after: self.all.mean, ..self.mean }, ..*self },
        }
    }

    /// Whether the selection's points are enough to say how they swing.
    pub(super) fn has_spread(&self) -> bool {
        kept_of(self.points.after as usize, EXTREME_PART) as f64 >= LEAST_OF_SPREAD
    }
}

/// What all points of the selection are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct All {
    pub(super) mean: f64,
    /// What lies furthest from the baseline's middle.
    pub(super) peak: f64,
}

impl All {
    pub(super) fn of(values: &[f32], middle: f64) -> Self {
        let known = || values.iter().filter(|value| value.is_finite()).map(|value| f64::from(*value));
        let further =
            |peak: f64, value: f64| if (value - middle).abs() > (peak - middle).abs() { value } else { peak };
        Self {
            mean: known().sum::<f64>() / (known().count() as f64).max(1.0),
            peak: known().fold(middle, further),
        }
    }
}

/// Whether single points lie far off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Jumps {
    #[default]
    Never,
    /// What a level does in one point is an accident.
    ByAccident,
    /// What a counter counts comes seldom, and together.
    Counted,
}

impl Jumps {
    /// Of what does, or does not.
    pub(super) fn of(jumps: bool, nature: Nature) -> Self {
        match nature {
            _ if !jumps => Self::Never,
            Nature::Rate => Self::Counted,
            Nature::Level | Nature::Unclear(_) => Self::ByAccident,
        }
    }
}

/// Before and after: in the baseline and in the selection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sides {
    pub(super) before: f64,
    pub(super) after: f64,
}

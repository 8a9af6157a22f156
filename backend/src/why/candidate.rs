//! Something that may be a finding, whatever it is of: what all kinds are compared by.

use super::null::Combined;
use super::observed::Grid;
use sonde_shared::why::{Change, Course, FindingKind, Place};

/// A relative change of more counts no further: a hundredfold is as blatant as a thousandfold.
pub(super) const MOST_CHANGE: f64 = 100.0;
/// Candidates whose like comes by chance more often than this are dropped at once.
pub(super) const PROMISING: f64 = 0.05;
/// What changed by less than this part is not worth a row, however sure it is …
const LEAST_CHANGE: f64 = 0.05;
/// … and of lines, which come and go, by less than this.
const LEAST_CHANGE_OF_LINES: f64 = 0.25;
/// A small chart has at most so many values.
const COURSE_VALUES: usize = 120;

/// Something that may be a finding.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) kind: FindingKind,
    pub(super) subject: String,
    pub(super) change: Change,
    /// How often the like of it comes by chance.
    pub(super) p: f64,
    /// How large: by which part of what was before it changed, at most [`MOST_CHANGE`].
    pub(super) relative: f64,
    /// How large beside its noise: in standard deviations, or the root of G.
    pub(super) noise: f64,
    /// The part of the selection in which it is different.
    pub(super) specific: f64,
    /// The logarithm of after to before.
    pub(super) effect: f64,
    pub(super) summary: String,
    pub(super) at: Place,
    /// The component, host or branch of the tree that it belongs to.
    pub(super) owner: String,
    /// The hosts that it concerns.
    pub(super) hosts: Vec<String>,
    /// Values by bucket from the baseline's start to the selection's end.
    pub(super) course: Vec<f32>,
    /// The bucket in which it began.
    pub(super) onset: Option<usize>,
    /// What is like this and equal in a sense of its kind, such as a value; the same twice is a duplicate.
    pub(super) twin: Option<String>,
}

/// All that was tested of a kind.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// What is promising.
    pub(super) candidates: Vec<Candidate>,
    /// How often the like of each comes by chance, promising or not.
    pub(super) combined: Combined,
    /// Whose each is.
    pub(super) owners: Vec<String>,
}

impl Candidate {
    /// Whether it is large enough to be told.
    pub(super) fn matters(&self) -> bool {
        let least = match self.kind {
            FindingKind::Metric | FindingKind::Event => LEAST_CHANGE,
            FindingKind::Field => 2.0 * LEAST_CHANGE,
            FindingKind::Pattern | FindingKind::Component | FindingKind::Host => LEAST_CHANGE_OF_LINES,
        };
        self.relative >= least
    }
}

/// A course as it is sent: in at most [`COURSE_VALUES`] values, means of neighbours.
pub(super) fn course_of(grid: &Grid, values: &[f32]) -> Option<Course> {
    let shown = shown(grid);
    let from_ms = *grid.starts_ms.get(shown.start)?;
    let joined = values.len().div_ceil(COURSE_VALUES).max(1);
    let mean = |part: &[f32]| {
        let finite = part.iter().filter(|value| value.is_finite());
        let (sum, count) =
            finite.fold((0.0, 0.0), |(sum, count), value| (sum + f64::from(*value), count + 1.0));
        (count > 0.0).then(|| sum / count)
    };
    let values = values.chunks(joined).map(mean).collect();
    Some(Course { from_ms, step_ms: grid.step_ms * joined as i64, values })
}

/// The buckets of a small chart: baseline to selection where they hang together, else the selection.
pub(super) fn shown(grid: &Grid) -> std::ops::Range<usize> {
    let (from, until) = (grid.now.baseline.start, grid.now.selection.end);
    let time = |bucket: usize| grid.starts_ms.get(bucket).copied().unwrap_or_default();
    let buckets = until.saturating_sub(from) as i64;
    let hangs = until > from && time(until - 1) - time(from) <= (buckets + buckets / 4 + 10) * grid.step_ms;
    if hangs { from..until } else { grid.now.selection.clone() }
}

/// The bucket in which a course first is nearer to what it became than to what it was, and the next one too.
pub(super) fn onset(grid: &Grid, values: &[f32], before: f64, after: f64) -> Option<usize> {
    let shown = shown(grid);
    let half = f64::midpoint(before, after);
    let is_past = |value: f32| if after > before { f64::from(value) > half } else { f64::from(value) < half };
    let earliest = grid.now.baseline.end.saturating_sub(grid.now.baseline.len() / 8).max(shown.start);
    let present: Vec<(usize, f32)> = values
        .iter()
        .enumerate()
        .map(|(at, value)| (shown.start + at, *value))
        .filter(|(bucket, value)| *bucket >= earliest && value.is_finite())
        .collect();
    let holds = |at: usize| is_past(present[at].1) && present.get(at + 1).is_none_or(|next| is_past(next.1));
    (0..present.len()).find(|at| holds(*at)).map(|at| present[at].0)
}

#[cfg(test)]
mod tests {
    use super::super::observed::Trial;
    use super::*;

    #[test]
    fn a_change_begins_where_it_is_half_way_and_stays() {
        let grid = Grid::unbroken(0, 10_000, Trial { selection: 10..16, baseline: 0..8 });
        let values = [1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 1.0, 7.0, 9.0, 9.0, 9.0, 9.0_f32];
        assert_eq!(onset(&grid, &values, 1.0, 9.0), Some(11));
        assert_eq!(onset(&grid, &values, 1.0, 90.0), None);
    }

    #[test]
    fn a_course_is_thinned_and_says_where_it_lies() {
        let grid = Grid::unbroken(1_000, 10_000, Trial { selection: 300..400, baseline: 0..290 });
        let course = course_of(&grid, &vec![2.0; 400]).unwrap();
        assert_eq!((course.from_ms, course.step_ms, course.values.len()), (1_000, 40_000, 100));
        assert_eq!(course.values[7], Some(2.0));
    }
}

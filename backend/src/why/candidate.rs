//! Something that may be a finding, whatever it is of: what all kinds are compared by.

use super::discovery::by_chance;
use super::null::Combined;
use super::observed::Grid;
use sonde_shared::why::{Change, Course, FindingKind, Place};

/// A relative change of more counts no further: a hundredfold is as blatant as a thousandfold.
pub(super) const MOST_CHANGE: f64 = 100.0;
/// What comes by chance more often than this is no finding …
pub(super) const PROMISING: f64 = 0.05;
/// … but where fewer of a kind come less often, so many are put in an order all the same, for who knows from elsewhere that something happened.
const LEAST_OF_A_KIND: usize = 40;
/// What changed by less than this part is not worth a row, however sure it is …
const LEAST_CHANGE: f64 = 0.05;
/// … and of lines, which come and go, by less than this.
const LEAST_CHANGE_OF_LINES: f64 = 0.25;
/// What is this part of the way from what it was to what it became has set out.
const SET_OUT: f64 = 0.1;
/// What is nearer to what it became is looked at so many times.
const NEARER_STEPS: usize = 3;
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

/// By which of its values something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// What a single point does is an accident.
    Most,
    /// As good as any other where nothing is sure.
    All,
}

/// One of what was tested, to be put into words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its place.
    pub(super) at: usize,
    /// How often the like of it comes by chance.
    pub(super) p: f64,
    /// Which of its statistics speaks loudest.
    pub(super) loudest: u8,
    /// By most of what it does; by all of it where chance may have done it anyway.
    pub(super) by: By,
}

/// All that was tested of a kind.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// What is promising, and large enough to be told.
    pub(super) candidates: Vec<Candidate>,
    /// The least likely of the others, where few are promising, as far as they are large enough.
    pub(super) others: Vec<Candidate>,
    /// How often the like of each comes by chance, promising or not.
    pub(super) combined: Combined,
    /// Whose each is.
    pub(super) owners: Vec<String>,
}

impl Judged {
    /// Items by how often the like of them comes by chance. `tell` puts one into words.
    pub(super) fn of(
        combined: Combined,
        owners: Vec<String>,
        tell: impl Fn(&Item) -> Option<Candidate>,
    ) -> Self {
        let p = &combined.p;
        let order = by_chance(p);
        let promising = order.partition_point(|item| p[*item] <= PROMISING);
        let (mut candidates, mut others) = (Vec::new(), Vec::new());
        for (place, at) in order.into_iter().enumerate().take(promising.max(LEAST_OF_A_KIND)) {
            let item = |by| Item { at, p: p[at], loudest: combined.loudest[at], by };
            let told = |by| tell(&item(by)).filter(Candidate::matters);
            match (place < promising).then(|| told(By::Most)).flatten() {
                Some(candidate) => candidates.push(candidate),
                None => others.extend(told(By::All)),
            }
        }
        Self { candidates, others, combined, owners }
    }
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

/// A course as it is sent: in at most [`COURSE_VALUES`] values, means of neighbours, or for counts as many as a step of that length has.
pub(super) fn course_of(grid: &Grid, kind: FindingKind, values: &[f32]) -> Option<Course> {
    let shown = shown(grid);
    let from_ms = *grid.starts_ms.get(shown.start)?;
    let joined = values.len().div_ceil(COURSE_VALUES).max(1);
    let are_counts = matches!(kind, FindingKind::Pattern | FindingKind::Component | FindingKind::Host);
    let steps = if are_counts { joined as f64 } else { 1.0 };
    let mean = |part: &[f32]| {
        let finite = part.iter().filter(|value| value.is_finite());
        let (sum, count) =
            finite.fold((0.0, 0.0), |(sum, count), value| (sum + f64::from(*value), count + 1.0));
        (count > 0.0).then(|| steps * sum / count)
    };
    let means: Vec<Option<f64>> = values.chunks(joined).map(mean).collect();
    Some(Course { from_ms, step_ms: grid.step_ms * joined as i64, values: in_few_digits(&means) })
}

/// Values rounded to a power of ten that is at most a thousandth of how far they lie apart: a small chart shows no more, and digits
/// beyond that are most of what is sent.
fn in_few_digits(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let known = || values.iter().flatten().copied();
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let decimals = 3.0 - (most - least).log10().floor();
    // One value, or none, has no extent; and so large or small ones are written with their power of ten anyway.
    if decimals.is_nan() || decimals.abs() > 15.0 {
        return values.to_vec();
    }
    // Negative powers of ten are no doubles: a division by one is exact where a multiplication is not.
    let round = |value: f64| match 10_f64.powi(decimals.abs() as i32) {
        scale if decimals < 0.0 => (value / scale).round() * scale,
        scale => (value * scale).round() / scale,
    };
    values.iter().map(|value| value.map(round)).collect()
}

/// The buckets of a small chart: baseline to selection where they hang together, else the selection.
pub(super) fn shown(grid: &Grid) -> std::ops::Range<usize> {
    let (from, until) = (grid.now.baseline.start, grid.now.selection.end);
    let time = |bucket: usize| grid.starts_ms.get(bucket).copied().unwrap_or_default();
    let buckets = until.saturating_sub(from) as i64;
    let hangs = until > from && time(until - 1) - time(from) <= (buckets + buckets / 4 + 10) * grid.step_ms;
    if hangs { from..until } else { grid.now.selection.clone() }
}

/// What became of it: the mean of what lies nearer to that than to what was before, if that is further off. What happens in a part of the
/// selection alone makes less of the whole's mean, and noise would be half of the way there.
fn became(selected: &[f32], before: f64, mean: f64) -> f64 {
    let mut after = mean;
    for _ in 0..NEARER_STEPS {
        let is_nearer = |value: &f64| (value - before) / (after - before) > 0.5;
        let nearer = selected.iter().map(|value| f64::from(*value)).filter(is_nearer);
        let (sum, count) = nearer.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        if count > 0.0 && (sum / count - before).abs() > (after - before).abs() {
            after = sum / count;
        }
    }
    after
}

/// The bucket in which a change began: the start of the stretch that is nearer to what it became than to what it was by most, all of it
/// added up, so that a bucket or two by chance are no beginning; and of a rise that takes its time, back to where it set out.
pub(super) fn onset(grid: &Grid, values: &[f32], before: f64, after: f64) -> Option<usize> {
    let shown = shown(grid);
    let selection = grid.now.selection.start.saturating_sub(shown.start)..;
    let after = became(values.get(selection).unwrap_or_default(), before, after);
    let earliest = grid.now.baseline.end.saturating_sub(grid.now.baseline.len() / 8).max(shown.start);
    // How far each is on the way, from 0 to 1; a single peak counts for no more than twice the change.
    let way = |value: f32| ((f64::from(value) - before) / (after - before)).clamp(-1.0, 2.0);
    let ways: Vec<(usize, f64)> = values
        .iter()
        .enumerate()
        .map(|(at, value)| (shown.start + at, way(*value)))
        .filter(|(bucket, way)| *bucket >= earliest && way.is_finite())
        .collect();
    let (mut start, mut sum, mut best, mut found) = (0, 0.0, 0.0, None);
    for (at, (_, way)) in ways.iter().enumerate() {
        if sum <= 0.0 {
            (start, sum) = (at, 0.0);
        }
        sum += way - 0.5;
        if sum > best {
            (best, found) = (sum, Some(start));
        }
    }
    let found = found?;
    let set_out = ways[..found].iter().rev().take_while(|(_, way)| *way > SET_OUT).count();
    Some(ways[found - set_out].0)
}

#[cfg(test)]
mod tests {
    use super::super::observed::Trial;
    use super::*;

    #[test]
    fn a_change_begins_where_it_sets_out_for_what_it_became() {
        let grid = Grid::unbroken(0, 10_000, Trial { selection: 10..16, baseline: 0..8 });
        let values = [1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 1.0, 7.0, 9.0, 9.0, 9.0, 9.0_f32];
        assert_eq!(onset(&grid, &values, 1.0, 9.0), Some(11));
        assert_eq!(onset(&grid, &values, 1.0, 90.0), None);
        // Two by chance are no beginning, and a slow rise begins where it sets out.
        let by_chance = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 6.0, 6.0, 1.0, 1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0_f32];
        assert_eq!(onset(&grid, &by_chance, 1.0, 9.0), Some(10));
        let slowly = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0_f32];
        assert_eq!(onset(&grid, &slowly, 1.0, 9.0), Some(10));
        // What happens in a part of a long selection begins there, whatever noise does before.
        let grid = Grid::unbroken(0, 10_000, Trial { selection: 10..30, baseline: 0..8 });
        let late: Vec<f32> =
            (0..30).map(|at| if at < 26 { [9.0, 10.0, 11.0, 13.0][at * 7 % 4] } else { 50.0 }).collect();
        assert_eq!(onset(&grid, &late, 10.0, 19.0), Some(26));
        let grid = Grid::unbroken(0, 10_000, Trial { selection: 10..16, baseline: 0..8 });
        // What is over within the selection began all the same.
        let peak = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 99.0, 99.0, 1.0, 1.0, 1.0_f32];
        assert_eq!(onset(&grid, &peak, 1.0, 34.0), Some(11));
    }

    #[test]
    fn a_course_is_thinned_and_says_where_it_lies() {
        let grid = Grid::unbroken(1_000, 10_000, Trial { selection: 300..400, baseline: 0..290 });
        let counts = course_of(&grid, FindingKind::Pattern, &vec![2.0; 400]).unwrap();
        assert_eq!(counts.values, vec![Some(8.0); 100]);
        let course = course_of(&grid, FindingKind::Metric, &vec![2.0; 400]).unwrap();
        assert_eq!((course.from_ms, course.step_ms, course.values.len()), (1_000, 40_000, 100));
        assert_eq!(course.values[7], Some(2.0));
    }

    #[test]
    fn a_course_has_no_more_digits_than_are_seen() {
        let rounded =
            |values: [f64; 3]| in_few_digits(&values.map(Some)).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(rounded([0.0, 52.684_597, 100.0]), [0.0, 52.7, 100.0]);
        assert_eq!(rounded([1e6, 1e6 + 0.123_456, 1e6 + 1.0]), [1e6, 1_000_000.123, 1e6 + 1.0]);
        assert_eq!(rounded([0.0, 12_345_678.0, 98_765_432.0]), [0.0, 12_350_000.0, 98_770_000.0]);
        assert_eq!(rounded([0.000_012_345, 0.0, 0.000_067_89]), [0.000_012_35, 0.0, 0.000_067_89]);
        assert_eq!(rounded([0.1 + 0.2; 3]), [0.1 + 0.2; 3]);
        assert_eq!(in_few_digits(&[None, Some(0.1 + 0.2)]), [None, Some(0.1 + 0.2)]);
    }
}

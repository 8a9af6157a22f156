//! Everything is tested but the fields of lines: what stays the same when these come, which is last.

use super::candidate::{Candidate, Judged};
use super::null::Combined;
use super::observed::{Observed, Series};
use super::together::{self, Places};
use super::tree::Tree;
use super::trials::Trials;
use super::{levels, lines};
use std::ops::Range;

/// p-values of past windows, where nothing was selected: by kind, for looking at whether they are uniform.
#[derive(Clone, Debug, Default)]
pub struct UnderNull {
    /// Of series.
    pub series: Vec<f32>,
    /// Of patterns.
    pub patterns: Vec<f32>,
    /// Of components and hosts.
    pub components: Vec<f32>,
    /// Of fields.
    pub fields: Vec<f32>,
    /// Of what the members of one place say together.
    pub together: Vec<f32>,
}

/// Series, patterns, components and hosts, each with how often the like of it comes by chance.
#[derive(Debug, Default)]
pub struct Judgements {
    series: Judged,
    patterns: Judged,
    of_places: Judged,
    /// What the members of each place say together …
    pub(super) places: Places,
    /// … and what they said in past windows.
    together: Vec<f32>,
    /// Whether past windows are shorter than the selection, so that what is usual is hardly known.
    pub(super) is_doubtful: bool,
}

impl Judgements {
    /// Tests all that is known but fields; nothing where nothing can be compared.
    pub fn of(observed: &Observed) -> Self {
        if unusable(observed).is_some() {
            return Self::default();
        }
        let tree = Tree::of(observed);
        let (series_alive, lines_alive) = alive(observed);
        let known: Vec<bool> =
            series_alive.iter().zip(&lines_alive).map(|(points, lines)| *points || *lines).collect();
        let trials = Trials::of(&observed.grid, &known);
        let series = levels::find(observed, &trials, &series_alive, &tree);
        let patterns = lines::find_patterns(observed, &trials, &lines_alive, &tree);
        let of_places = lines::find_places(observed, &trials, &lines_alive, &tree);
        let (places, together) = together::find(&[&series, &patterns], &trials);
        Self { series, patterns, of_places, places, together, is_doubtful: trials.stretch() > 1.0 }
    }

    /// How many were tested of each kind.
    pub(super) fn tests(&self, fields: &Judged) -> [usize; 4] {
        [&self.series, &self.patterns, &self.of_places, fields].map(|judged| judged.combined.p.len())
    }

    /// What is promising, with fields, and the others.
    pub(super) fn candidates(&self, fields: &Judged) -> (Vec<Candidate>, Vec<Candidate>) {
        let all = [&self.series, &self.patterns, &self.of_places, fields];
        let of = |part: fn(&Judged) -> &Vec<Candidate>| all.into_iter().flat_map(part).cloned().collect();
        (of(|judged| &judged.candidates), of(|judged| &judged.others))
    }

    /// The p-values of past windows.
    pub(super) fn under_null(&self, fields: &Combined) -> UnderNull {
        let known = |past: &[f32]| past.iter().copied().filter(|p| !p.is_nan()).collect();
        UnderNull {
            series: known(&self.series.combined.past),
            patterns: known(&self.patterns.combined.past),
            components: known(&self.of_places.combined.past),
            fields: known(&fields.past),
            together: known(&self.together),
        }
    }
}

/// Why nothing can be compared.
pub(super) fn unusable(observed: &Observed) -> Option<String> {
    let grid = &observed.grid;
    let is_range = |range: &Range<usize>| !range.is_empty() && range.end <= grid.len();
    if !is_range(&grid.now.selection) || !is_range(&grid.now.baseline) {
        return Some("There is nothing to compare: selection or baseline has no data.".to_owned());
    }
    let is_whole = |series: &Series| series.values.len() == grid.len();
    debug_assert!(observed.series.iter().all(is_whole), "a series has a value for each bucket");
    (!observed.series.iter().all(is_whole)).then(|| "The series are not on one grid.".to_owned())
}

/// Whether anything at all was received in the selection.
pub(super) fn is_received(observed: &Observed) -> bool {
    let selection = &observed.grid.now.selection;
    let has_points = |series: &Series| series.values[selection.clone()].iter().any(|value| value.is_finite());
    observed.series.iter().any(has_points)
        || observed.volumes.iter().any(|volume| volume.lines.sum(selection) > 0)
}

/// The buckets in which series, and lines, were received at all: where nothing came from anywhere, nothing fell silent, and nothing is known
/// from before anything came.
fn alive(observed: &Observed) -> (Vec<bool>, Vec<bool>) {
    let buckets = observed.grid.len();
    let mut points = vec![0_u32; buckets];
    for series in &observed.series {
        for (count, value) in points.iter_mut().zip(&series.values) {
            *count += u32::from(value.is_finite());
        }
    }
    let mut lines = vec![0_u32; buckets];
    for (bucket, count) in observed.volumes.iter().flat_map(|volume| volume.lines.iter()) {
        if let Some(sum) = lines.get_mut(bucket) {
            *sum = sum.saturating_add(count);
        }
    }
    // Nothing is known from before the first of all.
    let first = (0..buckets).find(|bucket| points[*bucket] > 0 || lines[*bucket] > 0).unwrap_or(0);
    let since = |counts: &[u32]| [vec![false; first], well_filled(&counts[first..])].concat();
    let (mut series_alive, mut lines_alive) = (since(&points), since(&lines));
    // Where points came as ever, lines could have.
    for (lines, was_heard) in lines_alive.iter_mut().zip(heard(&points)) {
        *lines |= was_heard;
    }
    // Where one of them says that nothing came, and of the other nothing did, that too is no silence.
    for bucket in 0..buckets {
        let is_dead = !series_alive[bucket] || !lines_alive[bucket];
        series_alive[bucket] &= !is_dead || points[bucket] > 0;
        lines_alive[bucket] &= !is_dead || lines[bucket] > 0;
    }
    (series_alive, lines_alive)
}

/// Buckets with points, and those between two of them that are no further apart than usual.
fn heard(points: &[u32]) -> Vec<bool> {
    let with: Vec<usize> = (0..points.len()).filter(|bucket| points[*bucket] > 0).collect();
    let mut heard: Vec<bool> = points.iter().map(|count| *count > 0).collect();
    let Some((first, last)) = with.first().zip(with.last()) else { return heard };
    let usual = (last - first).div_ceil(with.len().saturating_sub(1).max(1));
    for pair in with.windows(2).filter(|pair| pair[1] - pair[0] <= usual) {
        heard[pair[0]..pair[1]].fill(true);
    }
    heard
}

/// Buckets that have anything, where almost all have much; all buckets otherwise.
fn well_filled(counts: &[u32]) -> Vec<bool> {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let usual = sorted.get(sorted.len() / 4).copied().unwrap_or(0);
    counts.iter().map(|count| *count > 0 || usual < 20).collect()
}

#[cfg(test)]
mod tests {
    use super::super::observed::{Counts, Grid, Trial, Volume};
    use super::*;

    /// So many series and lines in each of six buckets, and which of them are alive.
    fn alive_of(series: [usize; 6], lines: [u32; 6]) -> (String, String) {
        let of = |number: usize| {
            let value = |count: &usize| if *count > number { 1.0 } else { f32::NAN };
            Series {
                path: format!("s{number}"),
                values: series.iter().map(value).collect(),
                ..Series::default()
            }
        };
        let observed = Observed {
            grid: Grid::unbroken(0, 10_000, Trial { selection: 4..6, baseline: 0..4 }),
            series: (0..40).map(of).collect(),
            volumes: vec![Volume { lines: Counts::of_all(&lines), ..Volume::default() }],
            ..Observed::default()
        };
        let (series, lines) = alive(&observed);
        let drawn = |alive: Vec<bool>| alive.iter().map(|alive| if *alive { '+' } else { '-' }).collect();
        (drawn(series), drawn(lines))
    }

    #[test]
    fn where_nothing_was_received_nothing_is_missing() {
        let check = |series, lines, of_series: &str, of_lines: &str| {
            assert_eq!(alive_of(series, lines), (of_series.to_owned(), of_lines.to_owned()));
        };
        check([40, 40, 0, 40, 40, 40], [90, 90, 0, 90, 90, 90], "++-+++", "++-+++");
        // Few lines, or few series, may pause; but not where the others tell that nothing came at all.
        check([40, 40, 0, 40, 40, 40], [1, 0, 0, 1, 1, 1], "++-+++", "++-+++");
        check([2, 0, 0, 2, 2, 2], [90, 90, 0, 90, 90, 90], "++-+++", "++-+++");
        // What came nevertheless was received.
        check([40, 40, 0, 40, 40, 40], [1, 0, 1, 1, 1, 1], "++-+++", "++++++");
        // So are many lines where points go on to come, each bucket or each second one.
        check([40, 40, 40, 40, 40, 40], [90, 90, 90, 90, 0, 0], "++++++", "++++++");
        check([40, 0, 40, 0, 40, 0], [90, 90, 90, 0, 90, 90], "++++++", "++++++");
        check([40, 0, 40, 0, 40, 0], [90, 90, 90, 90, 90, 0], "+++++-", "+++++-");
        // All that fell silent while the other goes on is silent.
        check([40, 40, 40, 40, 40, 40], [9, 9, 9, 9, 0, 0], "++++++", "++++++");
    }
}

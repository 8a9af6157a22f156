//! Windows of the past in which nothing was selected, each with a baseline of its own.
//!
//! Points next to one another resemble each other, and every kind of series has its own way of wandering, so no formula
//! tells how far a window of this length drifts from the time before it by chance. Past windows do: each is compared with what lay
//! before it exactly as the selection is with its baseline. Where the past is short, windows inside the baseline serve,
//! also with what lies after them.

use super::observed::{Grid, Trial};
use std::ops::Range;

/// How many past windows are looked at; more would cost time and tell little.
const MOST_WINDOWS: usize = 12;

/// With fewer lengths of the selection before it, all of them are needed to say what is usual.
const LEAST_LENGTHS: usize = 8;

/// What is compared: the selection with its baseline, and windows in which nothing was selected with theirs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Trials {
    /// The question itself first, then past windows, then the same hours of earlier days.
    pub(super) all: Vec<Trial>,
    /// The question as it is measured: whole, or in pieces as long as past windows where all of these are shorter. A longer stretch
    /// wanders further and shows more of whatever it shows; what the middle piece says can be compared.
    pub(super) pieces: Vec<Trial>,
    /// How many of the last are of earlier days.
    pub(super) days: usize,
    /// The selection, and of its baseline the end, in which what happened may have begun: neither says what is usual.
    pub(super) unusual: Range<usize>,
}

impl Trials {
    /// `known` are the buckets in which anything was received; all of them where it is empty. What lies before the first is no past.
    pub(super) fn of(grid: &Grid, known: &[bool]) -> Self {
        let run = usual(grid, known);
        let mut all = vec![grid.now.clone()];
        all.extend(past_windows(grid, &run));
        all.extend(grid.earlier_days.iter().cloned());
        let selection = &grid.now.selection;
        let start = if follows_on(grid) { run.end.min(selection.start) } else { selection.start };
        let pieces = pieces(&all);
        Self { all, pieces, days: grid.earlier_days.len(), unusual: start..selection.end }
    }

    /// Of each past window, which past windows hold a part of it, in their selection or their baseline; as bits. A change that stays is
    /// seen by all of these.
    pub(super) fn touched(&self) -> Vec<u64> {
        let meet = |one: &Range<usize>, other: &Range<usize>| one.start < other.end && other.start < one.end;
        let past = &self.all[1.min(self.all.len())..];
        let bits = |window: &Trial| {
            let holds = |other: &Trial| {
                meet(&window.selection, &other.selection) || meet(&window.selection, &other.baseline)
            };
            past.iter()
                .enumerate()
                .filter(|(_, other)| holds(other))
                .fold(0_u64, |bits, (at, _)| bits | 1 << at)
        };
        past.iter().map(bits).collect()
    }

    /// How many times as long as the longest past window the selection is: once where enough is known from before it.
    pub(super) fn stretch(&self) -> f64 {
        stretch(&self.all)
    }

    /// The middle of what the pieces of the question say, each statistic for itself; NaN where none says anything.
    pub(super) fn middle<const N: usize>(&self, mut measure: impl FnMut(&Trial) -> [f32; N]) -> [f32; N] {
        let said: Vec<[f32; N]> = self.pieces.iter().map(&mut measure).collect();
        std::array::from_fn(|statistic| {
            let mut values: Vec<f32> =
                said.iter().map(|piece| piece[statistic]).filter(|value| !value.is_nan()).collect();
            values.sort_unstable_by(f32::total_cmp);
            let count = values.len();
            if count == 0 { f32::NAN } else { f32::midpoint(values[(count - 1) / 2], values[count / 2]) }
        })
    }

    /// How many windows there are in which nothing was selected.
    pub(super) fn null_count(&self) -> usize {
        self.all.len().saturating_sub(1)
    }
}

/// How many times as long as the longest of the others the first one is.
fn stretch(all: &[Trial]) -> f64 {
    let mut lengths = all.iter().map(|trial| trial.selection.len());
    let asked = lengths.next().unwrap_or_default();
    lengths.max().map_or(1.0, |longest| asked as f64 / longest.max(1) as f64)
}

/// The first one in as many pieces as the longest of the others fits into it.
fn pieces(all: &[Trial]) -> Vec<Trial> {
    let Some(Trial { selection, baseline }) = all.first() else { return Vec::new() };
    let count = (stretch(all) as usize).max(1);
    let start = |piece: usize| selection.start + selection.len() * piece / count;
    (0..count)
        .map(|piece| Trial { selection: start(piece)..start(piece + 1), baseline: baseline.clone() })
        .collect()
}

/// The baseline and what lies before it, without the end where the selection follows: what is noticed began before, and as long as
/// the selection. A window there, which changed likewise, would make every change a usual one.
fn usual(grid: &Grid, known: &[bool]) -> Range<usize> {
    let run = run_before(grid);
    let is_known = |bucket: &usize| known.get(*bucket).copied().unwrap_or(true);
    let run = run.clone().find(is_known).unwrap_or(run.start)..run.end;
    let length = grid.now.selection.len();
    if follows_on(grid) && run.len() >= LEAST_LENGTHS * length { run.start..run.end - length } else { run }
}

/// Windows of a run before the selection.
fn past_windows(grid: &Grid, run: &Range<usize>) -> Vec<Trial> {
    let asked = &grid.now;
    let length = asked.selection.len().min(run.len() / 3).max(1);
    let is_near = follows_on(grid);
    let baseline = |window: Range<usize>| {
        if is_near {
            with_baseline(window, run, asked.selection.start - asked.baseline.end, asked.baseline.len())
        } else {
            with_far_baseline(window, run, asked.baseline.len())
        }
    };
    let windows_of = |part: Range<usize>| {
        (1..=part.len() / length)
            .map(move |number| part.end - number * length..part.end - (number - 1) * length)
    };
    let parts = unbroken(grid, run).into_iter().rev();
    let mut windows: Vec<Trial> = parts.flat_map(windows_of).filter_map(baseline).collect();
    let found = windows.len();
    if found > MOST_WINDOWS {
        windows = (0..MOST_WINDOWS).map(|number| windows[number * found / MOST_WINDOWS].clone()).collect();
    }
    windows
}

/// The parts of a run that have no break: a long baseline is looked at in stretches.
fn unbroken(grid: &Grid, run: &Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = run.start;
    for end in run.start + 1..=run.end {
        if end == run.end || !is_next(grid, end - 1) {
            parts.push(start..end);
            start = end;
        }
    }
    parts
}

/// The baseline and what lies before it without a break, but not the selection.
fn run_before(grid: &Grid) -> Range<usize> {
    let Trial { selection, baseline } = &grid.now;
    let days_end = grid.earlier_days.iter().map(|day| day.selection.end.max(day.baseline.end)).max();
    let selected = if selection.end <= baseline.start { selection.end } else { 0 };
    let floor = days_end.unwrap_or(0).max(selected).min(baseline.start);
    let mut start = baseline.start;
    while start > floor && is_next(grid, start - 1) {
        start -= 1;
    }
    start..baseline.end
}

/// Whether the selection follows on its baseline without a break but the gap.
fn follows_on(grid: &Grid) -> bool {
    let Trial { selection, baseline } = &grid.now;
    baseline.end <= selection.start && (baseline.end.max(1) - 1..selection.start).all(|at| is_next(grid, at))
}

/// Whether the bucket after this one follows at once, or after a few that are missing.
fn is_next(grid: &Grid, bucket: usize) -> bool {
    let starts = &grid.starts_ms;
    starts.get(bucket + 1).is_some_and(|next| next - starts[bucket] <= grid.step_ms * 10)
}

/// A window with the time before it, or with the time after it where there is too little before; none where both are short.
fn with_baseline(window: Range<usize>, run: &Range<usize>, gap: usize, length: usize) -> Option<Trial> {
    let before = window.start.saturating_sub(gap);
    let before = before.saturating_sub(length).max(run.start)..before.max(run.start);
    let after = (window.end + gap).min(run.end);
    let after = after..(after + length).min(run.end);
    let enough = length.min(2 * window.len()).max(1);
    let least = enough.min(window.len().saturating_sub(gap)).max(1);
    let baseline = if before.len() >= enough || before.len() >= after.len() { before } else { after };
    (baseline.len() >= least).then_some(Trial { selection: window, baseline })
}

/// A window with what lies furthest from it in time, as a far baseline lies from the selection: over hours and days more wanders off
/// than from one minute to the next.
fn with_far_baseline(window: Range<usize>, run: &Range<usize>, length: usize) -> Option<Trial> {
    let baseline = if window.start - run.start >= run.end - window.end {
        run.start..(run.start + length).min(window.start)
    } else {
        run.end.saturating_sub(length).max(window.end)..run.end
    };
    (baseline.len() >= window.len()).then_some(Trial { selection: window, baseline })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(baseline: Range<usize>, selection: Range<usize>) -> Grid {
        Grid::unbroken(0, 10_000, Trial { selection, baseline })
    }

    fn windows_of(grid: &Grid) -> Vec<Trial> {
        past_windows(grid, &usual(grid, &[]))
    }

    #[test]
    fn what_lies_before_all_that_is_known_is_no_past() {
        let grid = grid(96..108, 109..121);
        let since =
            |first: usize| Trials::of(&grid, &(0..121).map(|bucket| bucket >= first).collect::<Vec<_>>());
        assert_eq!(since(0), Trials::of(&grid, &[]));
        assert!((since(0).stretch() - 1.0).abs() < 1e-9);
        // Thirds of the baseline are all that is left, each with what is known beside it.
        let few = since(96);
        let windows: Vec<_> = few.all[1..].iter().map(|trial| trial.selection.clone()).collect();
        assert_eq!(windows, [104..108, 100..104, 96..100]);
        assert!(few.all[1..].iter().all(|trial| trial.baseline.start >= 96 && trial.baseline.end <= 108));
        assert!((few.stretch() - 3.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_longer_than_all_that_is_known_is_measured_in_pieces_as_long_as_that() {
        let check = |baseline: Range<usize>, selection: Range<usize>, expected: &[(usize, usize)]| {
            let trials = Trials::of(&grid(baseline, selection), &[]);
            let pieces = trials.pieces.iter().map(|piece| (piece.selection.start, piece.selection.end));
            assert_eq!(pieces.collect::<Vec<_>>(), expected);
        };
        check(0..12, 13..25, &[(13, 17), (17, 21), (21, 25)]);
        check(0..12, 13..24, &[(13, 18), (18, 24)]);
        check(0..12, 13..18, &[(13, 18)]);
        check(0..48, 49..61, &[(49, 61)]);
    }

    #[test]
    fn what_pieces_say_is_what_the_middle_one_says() {
        let trials = Trials::of(&grid(0..12, 13..25), &[]);
        let said = trials.middle(|piece| {
            let start = piece.selection.start as f32;
            [start, if start > 13.0 { start } else { f32::NAN }, f32::NAN]
        });
        assert_eq!(said[..2], [17.0, 19.0]);
        assert!(said[2].is_nan());
    }

    #[test]
    fn with_a_long_past_each_window_has_a_whole_baseline() {
        let windows = windows_of(&grid(80..120, 121..131));
        assert!(windows.len() >= 7, "{}", windows.len());
        // What happens may have begun in the newest.
        assert_eq!(windows[0], Trial { selection: 100..110, baseline: 59..99 });
        assert_eq!(Trials::of(&grid(80..120, 121..131), &[]).unusual, 110..131);
        assert!(windows.iter().all(|window| window.baseline.len() >= 20));
    }

    #[test]
    fn the_selection_is_in_no_window_where_the_baseline_lies_behind_it() {
        let windows = windows_of(&grid(12..84, 0..12));
        assert_eq!(windows.len(), 6);
        assert!(windows.iter().all(|window| window.selection.start >= 12 && window.baseline.start >= 12));
    }

    #[test]
    fn windows_of_a_far_baseline_are_compared_with_what_is_far_from_them() {
        let mut grid = grid(0..48, 48..60);
        for start in &mut grid.starts_ms[48..] {
            *start += 14 * 86_400_000;
        }
        let windows = windows_of(&grid);
        assert_eq!(windows[0], Trial { selection: 36..48, baseline: 0..36 });
        assert_eq!(windows[3], Trial { selection: 0..12, baseline: 12..48 });
        // Of more than a baseline's length, those furthest away.
        grid.now.baseline = 24..48;
        assert_eq!(windows_of(&grid)[0], Trial { selection: 36..48, baseline: 0..24 });
    }

    #[test]
    fn no_window_lies_on_both_sides_of_a_break() {
        let mut grid = grid(0..75, 75..85);
        for (bucket, start) in grid.starts_ms.iter_mut().enumerate() {
            *start += (bucket / 15 * 7_200_000) as i64;
        }
        let windows = windows_of(&grid);
        assert_eq!(windows.len(), 5);
        let first = |window: &Trial| window.selection.start / 15;
        assert!(windows.iter().all(|window| (window.selection.end - 1) / 15 == first(window)), "{windows:?}");
    }

    #[test]
    fn a_window_touches_those_that_have_it_in_their_baseline() {
        let trials = Trials::of(&grid(80..120, 121..131), &[]);
        let touched = trials.touched();
        // The newest is in no other's baseline, the next one in the newest's.
        assert_eq!((touched[0], touched[1] & 0b11), (0b1, 0b11));
        assert_eq!(touched.len(), trials.null_count());
    }

    #[test]
    fn without_a_past_the_baseline_is_its_own() {
        let windows = windows_of(&grid(0..12, 13..16));
        assert_eq!(windows.len(), 4);
        assert!(windows.iter().all(|window| window.baseline.len() >= 3 && window.baseline.end <= 12));
    }

    #[test]
    fn windows_lie_on_this_side_of_a_break_and_of_earlier_days() {
        let mut grid = grid(80..120, 121..131);
        for start in &mut grid.starts_ms[60..] {
            *start += 86_400_000;
        }
        assert!(
            windows_of(&grid).iter().all(|window| window.baseline.start.min(window.selection.start) >= 60)
        );
        grid.earlier_days = vec![Trial { baseline: 0..40, selection: 41..51 }];
        let trials = Trials::of(&grid, &[]);
        assert_eq!((trials.all.last(), trials.days), (grid.earlier_days.first(), 1));
    }

    #[test]
    fn the_shortest_ranges_have_windows_or_none_but_never_fail() {
        for baseline in 0..8 {
            for selection in 1..8 {
                for window in windows_of(&grid(0..baseline, baseline + 1..baseline + 1 + selection)) {
                    assert!(!window.baseline.is_empty() && !window.selection.is_empty());
                }
            }
        }
    }
}

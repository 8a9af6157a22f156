//! What of a series is seen: clipped at the plot's edges, parted at gaps, reduced to what its pixels show.

use super::bounds::Bounds;
use super::reduce::m4_with;
use super::scale::TimeScale;
use crate::api::Columns;

/// One unbroken stretch of a series: places in px from the left beside values.
pub(super) type Run = Vec<(f64, f64)>;

/// The stretches of a series that are seen, left to right, where a screen has `columns` device pixels over the plot. As steps
/// they keep a value until the next one. The bounds are those of the series' values, as far as they are known.
#[inline(never)]
pub(super) fn visible_runs(
    series: &Columns,
    known: &Bounds,
    scale: &TimeScale,
    columns: usize,
    as_steps: bool,
) -> Vec<Run> {
    let count = series.times_ms.len().min(series.values.len());
    let (times, values) = (&series.times_ms[..count], &series.values[..count]);
    let range = scale.range();
    let from_ms = range.from.as_millis_f64();
    let until_ms = range.until.as_millis_f64();
    // The neighbours outside give the line its direction at the plot's edges.
    let start = times.partition_point(|time| *time < from_ms);
    let end = times.partition_point(|time| *time < until_ms).max(start);
    let before = start.checked_sub(1).map(|index| (times[index], values[index]));
    let after = (end < count).then(|| (times[end], values[end]));
    let (inside_times, inside_values) = m4_with(known, times, values, from_ms, until_ms, columns);
    let inside = inside_times.into_iter().zip(inside_values);
    let points = before.into_iter().chain(inside).chain(after);
    let placed = points.map(|(time, value)| (scale.x_from_ms(time), value));
    part_at_gaps(placed)
        .into_iter()
        .map(|run| if as_steps { steps(&run) } else { run })
        .map(|run| clip(&run, scale.left(), scale.right()))
        .filter(|r| !r.is_empty())
        .collect()
}

fn part_at_gaps(points: impl Iterator<Item = (f64, f64)>) -> Vec<Run> {
    let mut runs = vec![Run::new()];
    for (x, value) in points {
        if value.is_finite() {
            runs.last_mut().into_iter().for_each(|run| run.push((x, value)));
        } else {
            runs.push(Run::new());
        }
    }
    runs
}

/// A run that is level from each point to the next.
fn steps(run: &[(f64, f64)]) -> Run {
    let mut stepped = Run::with_capacity(2 * run.len());
    for (index, point) in run.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).map(|index| run[index]) {
            stepped.push((point.0, before.1));
        }
        stepped.push(*point);
    }
    stepped
}

/// A run with a point wherever it crosses one of two values.
pub(super) fn crossed(run: &[(f64, f64)], low: f64, high: f64) -> Run {
    let mut with_crossings = Run::with_capacity(run.len());
    for (index, point) in run.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).map(|index| run[index]) {
            let levels = if before.1 < point.1 { [low, high] } else { [high, low] };
            with_crossings
                .extend(levels.into_iter().filter_map(|level| crossing_of_level(before, *point, level)));
        }
        with_crossings.push(*point);
    }
    with_crossings
}

/// Where the line between two points crosses a value strictly between theirs.
fn crossing_of_level(a: (f64, f64), b: (f64, f64), level: f64) -> Option<(f64, f64)> {
    let (a, b) = ((a.1, a.0), (b.1, b.0));
    let found = if a.0 < b.0 { crossing(a, b, level) } else { crossing(b, a, level) };
    found.map(|(level, x)| (x, level))
}

/// The parts of a run whose values lie between two.
pub(super) fn parts_between(run: &[(f64, f64)], low: f64, high: f64) -> Vec<Run> {
    let is_inside = |(_, value): &(f64, f64)| (low..=high).contains(value);
    if run.iter().all(is_inside) {
        return vec![run.to_vec()];
    }
    let with_crossings = crossed(run, low, high);
    with_crossings
        .split(|point| !is_inside(point))
        .filter(|part| !part.is_empty())
        .map(<[_]>::to_vec)
        .collect()
}

/// The part of a run between two places; where it crosses one of them it gets a point there.
pub(super) fn clip(run: &[(f64, f64)], left: f64, right: f64) -> Run {
    let mut clipped = Run::new();
    for (index, point) in run.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).map(|index| run[index]) {
            clipped.extend([left, right].into_iter().filter_map(|edge| crossing(before, *point, edge)));
        }
        if (left..=right).contains(&point.0) {
            clipped.push(*point);
        }
    }
    clipped
}

/// Where the line between two points crosses a place strictly between them.
fn crossing(a: (f64, f64), b: (f64, f64), x: f64) -> Option<(f64, f64)> {
    (a.0 < x && x < b.0).then(|| {
        let part = (x - a.0) / (b.0 - a.0);
        (x, a.1 * (1.0 - part) + b.1 * part)
    })
}

/// The lowest and the highest value of all runs.
pub(super) fn extent<'a>(runs: impl Iterator<Item = &'a Run>) -> Option<(f64, f64)> {
    runs.flatten().map(|(_, value)| *value).fold(None, |extent, value| match extent {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// What a path covers of one column of pixels, in px from the left and from above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slice {
    /// The column's left edge.
    pub(super) left: f64,
    /// The highest place.
    pub(super) top: f64,
    /// The lowest place.
    pub(super) bottom: f64,
}

impl Slice {
    /// The slice that also covers this height.
    pub(super) fn with(self, y: f64) -> Self {
        Self { top: self.top.min(y), bottom: self.bottom.max(y), ..self }
    }
}

/// A screen's columns of pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pixels {
    /// The left edge of the first, in px.
    pub(super) left: f64,
    /// The width of one, in px.
    pub(super) width: f64,
    /// How many there are.
    pub(super) count: usize,
}

/// So many points in a column hide the line between them, and so many turns: what is seen is how far it goes up and down.
const DENSE: f64 = 2.0;
const TURNING: f64 = 1.0;

impl Pixels {
    /// Whether a path has so many points, or goes to and fro so often, that nothing but its slices is seen.
    pub(super) fn hide(self, path: &[(f64, f64)]) -> bool {
        let (left, right) = span(path.iter().map(|point| point.0));
        let columns = (right - left) / self.width + 1.0;
        let turns = |at: &[(f64, f64)]| (at[1].1 - at[0].1) * (at[2].1 - at[1].1) < 0.0;
        path.len() as f64 > DENSE * columns
            || path.windows(3).filter(|at| turns(at)).count() as f64 > TURNING * columns
    }

    /// The columns that a path runs through from left to right. Where it passes from one into the next, both have that height.
    pub(super) fn slices(self, path: &[(f64, f64)]) -> Vec<Slice> {
        let column = |x: f64| (((x - self.left) / self.width).max(0.0) as usize).min(self.count.max(1) - 1);
        let edge = |column: usize| self.left + column as f64 * self.width;
        let Some(first) = path.first() else { return Vec::new() };
        let mut at = column(first.0);
        let mut slices = Vec::with_capacity(self.count.saturating_sub(at).min(path.len()));
        let mut slice = Slice { left: edge(at), top: first.1, bottom: first.1 };
        let mut before = *first;
        for point in path {
            while at < column(point.0) {
                at += 1;
                let y = crossing(before, *point, edge(at)).map_or(point.1, |(_, y)| y);
                slices.push(slice.with(y));
                slice = Slice { left: edge(at), top: y, bottom: y };
            }
            slice = slice.with(point.1);
            before = *point;
        }
        slices.push(slice);
        slices
    }
}

/// The middle of a path that is nowhere as long as `size_px`.
pub(super) fn speck(path: &[(f64, f64)], size_px: f64) -> Option<(f64, f64)> {
    let (left, right) = span(path.iter().map(|point| point.0));
    let (top, bottom) = span(path.iter().map(|point| point.1));
    let is_small = right - left < size_px && bottom - top < size_px;
    is_small.then(|| (f64::midpoint(left, right), f64::midpoint(top, bottom)))
}

fn span(places: impl Iterator<Item = f64>) -> (f64, f64) {
    places.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), at| (least.min(at), most.max(at)))
}

/// A path as dashes: pieces `on` px long with `off` px between them.
pub(super) fn dashes(path: &[(f64, f64)], (on, off): (f64, f64)) -> Vec<Run> {
    let mut pieces: Vec<Run> = Vec::new();
    let mut left = on;
    let mut is_on = true;
    for pair in path.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut done = 0.0;
        if is_on {
            continue_piece(&mut pieces, from);
        }
        while length - done > left {
            done += left;
            let part = done / length;
            let at = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            if is_on {
                pieces.last_mut().into_iter().for_each(|piece| piece.push(at));
            } else {
                pieces.push(vec![at]);
            }
            is_on = !is_on;
            left = if is_on { on } else { off };
        }
        left -= length - done;
        if is_on {
            pieces.last_mut().into_iter().for_each(|piece| piece.push(to));
        }
    }
    pieces
}

/// Starts the first piece; a later one goes on from where the last segment ended.
fn continue_piece(pieces: &mut Vec<Run>, from: (f64, f64)) {
    if pieces.is_empty() {
        pieces.push(vec![from]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{TimeRange, Timestamp};
    use proptest::prelude::*;

    fn check(points: &[(f64, f64)], expected: &[&[(f64, f64)]]) {
        let range = TimeRange::between(Timestamp::from_millis(0), Timestamp::from_millis(100));
        let (times_ms, values) = points.iter().copied().unzip();
        let series = Columns { name: String::new(), times_ms, values };
        let runs = visible_runs(&series, &Bounds::default(), &TimeScale::new(range, 0.0, 100.0), 100, false);
        assert_eq!(runs, expected, "{points:?}");
    }

    #[test]
    fn a_line_goes_on_to_the_edges_of_the_plot() {
        check(&[(-50.0, 0.0), (50.0, 10.0), (150.0, 0.0)], &[&[(0.0, 5.0), (50.0, 10.0), (100.0, 5.0)]]);
        check(&[(-100.0, 0.0), (200.0, 30.0)], &[&[(0.0, 10.0), (100.0, 20.0)]]);
        check(&[(-20.0, 1.0), (-10.0, 2.0)], &[]);
        check(&[(0.0, 1.0), (100.0, 2.0)], &[&[(0.0, 1.0), (100.0, 2.0)]]);
        check(&[], &[]);
    }

    #[test]
    fn a_gap_parts_the_line_also_at_the_edges() {
        let gap = f64::NAN;
        check(&[(10.0, 1.0), (20.0, gap), (30.0, 3.0)], &[&[(10.0, 1.0)], &[(30.0, 3.0)]]);
        check(&[(-10.0, 1.0), (-5.0, gap), (30.0, 3.0)], &[&[(30.0, 3.0)]]);
        check(&[(30.0, 3.0), (120.0, f64::INFINITY)], &[&[(30.0, 3.0)]]);
    }

    #[test]
    fn a_value_is_kept_until_the_next_one_also_over_the_plots_edge() {
        let range = TimeRange::between(Timestamp::from_millis(0), Timestamp::from_millis(100));
        let (times_ms, values) = (vec![-50.0, 50.0, 150.0], vec![1.0, 2.0, 9.0]);
        let series = Columns { name: String::new(), times_ms, values };
        let runs = visible_runs(&series, &Bounds::default(), &TimeScale::new(range, 0.0, 100.0), 100, true);
        assert_eq!(runs, [[(0.0, 1.0), (50.0, 1.0), (50.0, 2.0), (100.0, 2.0)]]);
    }

    #[test]
    fn what_is_beyond_two_values_is_cut_off_where_the_line_crosses_them() {
        let run = [(0.0, 0.0), (10.0, 10.0), (20.0, 0.0)];
        let parts: [&[(f64, f64)]; 2] = [&[(0.0, 0.0), (5.0, 5.0)], &[(15.0, 5.0), (20.0, 0.0)]];
        assert_eq!(parts_between(&run, 0.0, 5.0), parts);
        assert_eq!(parts_between(&run, 2.0, 5.0), [[(2.0, 2.0), (5.0, 5.0)], [(15.0, 5.0), (18.0, 2.0)]]);
        assert_eq!(parts_between(&run, 0.0, 10.0), [run]);
        assert!(parts_between(&run, 20.0, 30.0).is_empty());
        let through = [(0.0, 0.0), (10.0, 10.0)];
        assert_eq!(crossed(&through, 2.0, 4.0), [(0.0, 0.0), (2.0, 2.0), (4.0, 4.0), (10.0, 10.0)]);
    }

    #[test]
    fn a_line_is_hidden_by_many_points_or_by_going_to_and_fro() {
        let pixels = Pixels { left: 0.0, width: 1.0, count: 100 };
        let hides = |points_a_column: f64, points_a_turn: usize| {
            let points = (points_a_column * 100.0) as usize;
            let place = |at: usize| (at as f64 / points_a_column, (at / points_a_turn % 2 * at) as f64);
            pixels.hide(&(0..points).map(place).collect::<Vec<_>>())
        };
        assert!(hides(2.2, 1_000), "many points");
        assert!(!hides(1.8, 1_000), "not so many");
        assert!(hides(1.8, 1), "to and fro");
        assert!(hides(1.1, 1), "to and fro in each column");
        assert!(!hides(0.9, 1), "each way is seen");
    }

    #[test]
    fn a_slice_reaches_to_where_the_line_leaves_and_enters_it() {
        let pixels = Pixels { left: 10.0, width: 1.0, count: 4 };
        let check = |path: &[(f64, f64)], expected: &[(f64, f64, f64)]| {
            let slices = pixels.slices(path).into_iter().map(|slice| (slice.left, slice.top, slice.bottom));
            assert_eq!(slices.collect::<Vec<_>>(), expected, "{path:?}");
        };
        check(&[], &[]);
        check(&[(11.5, 3.0)], &[(11.0, 3.0, 3.0)]);
        check(&[(10.5, 0.0), (11.5, 4.0)], &[(10.0, 0.0, 2.0), (11.0, 2.0, 4.0)]);
        check(
            &[(10.0, 8.0), (14.0, 0.0)],
            &[(10.0, 6.0, 8.0), (11.0, 4.0, 6.0), (12.0, 2.0, 4.0), (13.0, 0.0, 2.0)],
        );
        check(&[(10.2, 5.0), (10.2, 1.0), (10.3, 9.0), (11.0, 9.0)], &[(10.0, 1.0, 9.0), (11.0, 9.0, 9.0)]);
    }

    proptest! {
        /// At any zoom: each value that is in view is in the slice of its column, and each slice ends at a value or where
        /// the line comes from or goes to, so that nothing is drawn that is not there.
        #[test]
        fn slices_hold_every_value_and_nothing_else(
            values in prop::collection::vec(-1e3..1e3, 2..800),
            from in 0.0..0.9_f64,
            length in 0.001..1.0_f64,
            columns in 1_usize..80,
        ) {
            let times_ms: Vec<f64> = (0..values.len()).map(|at| at as f64 * 1e6 / values.len() as f64).collect();
            let from_ms = (from * 1e6_f64).floor();
            let until_ms = (from_ms + length * 1e6).ceil();
            let instant = |ms: f64| Timestamp::from_millis(ms as i64);
            let scale = TimeScale::new(TimeRange::between(instant(from_ms), instant(until_ms)), 10.0, 400.0);
            let pixels = Pixels { left: 10.0, width: 400.0 / columns as f64, count: columns };
            let series = Columns { name: String::new(), times_ms, values };
            for run in visible_runs(&series, &Bounds::default(), &scale, columns, false) {
                let slices = pixels.slices(&run);
                let mut held = vec![(f64::INFINITY, f64::NEG_INFINITY); slices.len()];
                // The whole line, by every point and every place where it passes from one column into the next.
                let whole = whole_line(&series, &scale, pixels);
                for (x, y) in whole {
                    let near = |slice: &Slice| x >= slice.left - 1e-6 && x <= slice.left + pixels.width + 1e-6;
                    for (slice, held) in slices.iter().zip(&mut held).filter(|(slice, _)| near(slice)) {
                        *held = (held.0.min(y), held.1.max(y));
                        let is_inside = |x: f64| x > slice.left + 1e-6 && x < slice.left + pixels.width - 1e-6;
                        prop_assert!(!is_inside(x) || (slice.top - 1e-6..=slice.bottom + 1e-6).contains(&y), "{y} at {x} is not in {slice:?}");
                    }
                }
                for (slice, held) in slices.iter().zip(held) {
                    prop_assert!(slice.top >= held.0 - 1e-6 && slice.bottom <= held.1 + 1e-6, "{slice:?} but {held:?}");
                }
            }
        }
    }

    fn whole_line(series: &Columns, scale: &TimeScale, pixels: Pixels) -> Vec<(f64, f64)> {
        let points =
            series.times_ms.iter().zip(&series.values).map(|(time, value)| (scale.x_from_ms(*time), *value));
        let points: Vec<(f64, f64)> = points.collect();
        let edges = (0..=pixels.count).map(|column| pixels.left + column as f64 * pixels.width);
        let edges: Vec<f64> = edges.collect();
        let crossings =
            points.windows(2).flat_map(|pair| edges.iter().filter_map(|x| crossing(pair[0], pair[1], *x)));
        let inside = points.iter().copied().filter(|point| (scale.left()..=scale.right()).contains(&point.0));
        inside.chain(crossings).collect()
    }

    #[test]
    fn dashes_go_round_corners() {
        let path = [(0.0, 0.0), (4.0, 0.0), (4.0, 8.0)];
        assert_eq!(
            dashes(&path, (6.0, 3.0)),
            [vec![(0.0, 0.0), (4.0, 0.0), (4.0, 2.0)], vec![(4.0, 5.0), (4.0, 8.0)],]
        );
        assert!(dashes(&[(1.0, 1.0)], (6.0, 3.0)).is_empty());
    }
}

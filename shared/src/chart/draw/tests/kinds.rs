//! Kinds of drawing and the two axes: that each shows all there is to see, at any zoom.

use super::super::*;
use super::{chart, lines, series, theme};
use crate::chart::stack::stacked;
use crate::chart::style::{STACK_ALPHA, styles_of_panel};
use crate::dashboard::Draw;
use proptest::prelude::*;

const KINDS: [Draw; 5] = [Draw::Line, Draw::Area, Draw::Stacked, Draw::Points, Draw::Staircase];

/// The pairs of numbers in an attribute of all elements of a kind.
fn points(svg: &str, element: &str) -> Vec<Vec<(f64, f64)>> {
    let of = |line: &str| {
        let inside = line.split_once("points=\"").map_or("", |(_, rest)| rest).split('"').next().unwrap();
        let pairs = inside.split_whitespace().map(|pair| pair.split_once(',').unwrap());
        pairs.map(|(x, y)| (x.parse::<f64>().unwrap(), y.parse::<f64>().unwrap())).collect()
    };
    svg.lines().filter(|line| line.starts_with(&format!("<{element}"))).map(of).collect()
}

fn is_same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits()
}

#[test]
fn a_staircase_has_a_corner_at_each_change_and_a_line_none() {
    let jump = [series("a", |i| if i < 30.0 { 1.0 } else { 5.0 })];
    let drawn = |draw: Draw| {
        let styles = styles_of_panel(draw, &[false]);
        let all = points(&chart(&Lines { styles: &styles, ..lines(&jump, "") }), "polyline");
        all.into_iter().max_by_key(Vec::len).unwrap()
    };
    let is_square =
        |pairs: &[(f64, f64)]| pairs.windows(2).all(|p| is_same(p[0].0, p[1].0) || is_same(p[0].1, p[1].1));
    assert!(is_square(&drawn(Draw::Staircase)));
    assert!(!is_square(&drawn(Draw::Line)));
}

#[test]
fn points_are_dots_and_no_line() {
    let one = [series("a", |i| i)];
    let svg = chart(&Lines { styles: &styles_of_panel(Draw::Points, &[false]), ..lines(&one, "") });
    // One every ten seconds of ten minutes, and the neighbours at the edges.
    assert_eq!(svg.matches("<circle").count(), 61);
    assert!(points(&svg, "polyline").iter().all(|line| line.len() <= 2), "only the mesh has lines");
}

#[test]
fn an_area_stands_on_zero_also_where_its_values_are_far_from_it() {
    let flat = [series("a", |i| 1_000.0 + i)];
    let labels = |draw: Draw| {
        let svg = chart(&Lines { styles: &styles_of_panel(draw, &[false]), ..lines(&flat, "") });
        svg.contains("\n0 k\n") || svg.contains(">\n0\n")
    };
    assert!(labels(Draw::Area) && !labels(Draw::Line));
}

#[test]
fn two_lines_have_light_areas_and_three_have_none() {
    let check = |count: usize, expected: usize| {
        let all: Vec<_> = (0..count).map(|n| series(&n.to_string(), move |i| i + n as f64)).collect();
        let styles = styles_of_panel(Draw::Line, &vec![false; count]);
        let svg = chart(&Lines { styles: &styles, ..lines(&all, "") });
        assert_eq!(points(&svg, "polygon").iter().filter(|area| area.len() > 3).count(), expected);
    };
    check(1, 1);
    check(2, 2);
    check(3, 0);
}

#[test]
fn stacked_areas_share_their_edges() {
    let two = [series("a", |_| 7.0), series("b", |_| 21.0)];
    let sums = stacked(&two.iter().collect::<Vec<_>>());
    let styles = styles_of_panel(Draw::Stacked, &[false, false]);
    let svg = chart(&Lines { styles: &styles, sums: &sums, ..lines(&two, "") });
    assert!(svg.contains(&format!("opacity=\"{STACK_ALPHA}\"")));
    let heights = |area: &[(f64, f64)]| {
        let mut heights: Vec<f64> = area.iter().map(|(_, y)| *y).collect();
        heights.sort_by(f64::total_cmp);
        heights.dedup();
        heights
    };
    let areas: Vec<Vec<f64>> =
        points(&svg, "polygon").iter().filter(|area| area.len() > 3).map(|a| heights(a)).collect();
    let [lower, upper] = areas.as_slice() else { panic!("{areas:?}") };
    assert!(is_same(lower[0], upper[1]), "the top of one is the ground of the other");
    let (a, b) = (lower[1] - lower[0], upper[1] - upper[0]);
    assert!((b / a - 3.0).abs() < 0.05, "{a} {b}");
    assert!(svg.contains("\n21\n") && !svg.contains("\n28\n"), "the last value is the series' own");
}

#[test]
fn a_series_of_the_right_axis_fills_the_plot_by_its_own_scale() {
    let two = [series("a", |i| i), series("b", |i| 1e6 * i)];
    let styles = styles_of_panel(Draw::Line, &[false, true]);
    let right = Side { unit: "bytes", ..Side::default() };
    let svg = chart(&Lines { styles: &styles, right, ..lines(&two, "ms") });
    assert!(svg.contains("MiB") && svg.contains("60 ms"), "{svg}");
    let series: Vec<Vec<(f64, f64)>> =
        points(&svg, "polyline").into_iter().filter(|line| line.len() > 2).collect();
    let highest = |line: &[(f64, f64)]| line.iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
    assert_eq!(series.len(), 2);
    assert!((highest(&series[0]) - highest(&series[1])).abs() < UNITS_PER_PX);
}

/// The lowest and the highest value that is drawn between two places.
fn envelope(runs: &[Vec<(f64, f64)>], left: f64, right: f64) -> Option<(f64, f64)> {
    let near = |run: &Vec<(f64, f64)>| -> Vec<f64> {
        let inside = run.iter().filter(|(x, _)| (left..=right).contains(x)).map(|(_, value)| *value);
        inside.collect()
    };
    runs.iter().flat_map(near).fold(None, |extent, value| match extent {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![6 => -1e3..1e3, 1 => Just(f64::NAN), 1 => Just(1e6)];
    prop::collection::vec(value, 300)
}

proptest! {
    #[test]
    fn at_any_zoom_no_value_lies_outside_of_what_is_drawn(
        values in prop::collection::vec(values(), 1..4),
        kind in 0usize..5, width_px in 160.0f64..500.0, from in 0i64..200, length in 1i64..300,
    ) {
        let draw = KINDS[kind];
        let one = |(number, values): (usize, &Vec<f64>)| {
            // Each a little later than the one before.
            let times_ms = (0..300).map(|at| f64::from(at) * 1_000.0 + number as f64 * 300.0).collect();
            Columns { name: number.to_string(), times_ms, values: values.clone() }
        };
        let all: Vec<Columns> = values.iter().enumerate().map(one).collect();
        let sums = if draw == Draw::Stacked { stacked(&all.iter().collect::<Vec<_>>()) } else { Vec::new() };
        let range = TimeRange::between(Timestamp::from_secs(from), Timestamp::from_secs(from + length));
        let theme = theme();
        let frame = Frame {
            width_px, height_px: 168.0, layout: Layout::PAGE, pixel_ratio: 1.0, range, events: &[], theme: &theme,
        };
        let styles = styles_of_panel(draw, &vec![false; all.len()]);
        let lines = Lines { series: &all, sums: &sums, styles: &styles, ..Lines::default() };
        let time = frame.time_scale();
        let drawn = plotted(&frame, &lines, &time);
        let (axis, _) = axes(&lines, &drawn);
        // A column is a pixel wide, of dots two; the last one is wider, for they are whole in number.
        let column = 3.0;
        for (index, shown) in drawn.iter().enumerate() {
            let outline = sums.get(index).unwrap_or(&all[index]);
            for (ms, value) in outline.times_ms.iter().zip(&outline.values) {
                let x = time.x_from_ms(*ms);
                if value.is_finite() && (time.left()..time.right()).contains(&x) {
                    let envelope = envelope(&shown.runs, x - column, x + column);
                    let is_held = envelope.is_some_and(|(low, high)| (low..=high).contains(value));
                    prop_assert!(is_held, "{} of {} at {} in {:?} of {:?}", value, index, x, envelope, draw);
                    prop_assert!((axis.low..=axis.high).contains(value), "{} in {:?}", value, axis);
                }
            }
        }
    }
}

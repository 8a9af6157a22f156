//! The crosshair: the instant under the pointer on all charts, and the pinned one, with a point on each series there. A canvas
//! over the chart's, as narrow as its points allow and moved as a whole, so that a move paints next to nothing.

use super::ChartContext;
use super::canvas::CanvasBackend;
use super::readings::{is_right, nearest_point, outlines, parted};
use super::surface::Surface;
use crate::boxed::{effect, memo};
use crate::size::px;
use leptos::html;
use leptos::prelude::*;
use plotters_backend::{BackendColor, DrawingBackend};
use sonde_shared::api::Columns;
use sonde_shared::chart::draw::{GUTTER_PX, UNITS_PER_PX, ValueScales};
use sonde_shared::chart::scale::TimeScale;
use sonde_shared::chart::theme::{Rgb, Theme};
use sonde_shared::dashboard::Draw;
use sonde_shared::time::Timestamp;
use web_sys::HtmlCanvasElement;

/// A point's radius, and that of what is in it of its series' colour: on an area of that colour the rim is seen.
const RADIUS_PX: f64 = 4.0;
const INNER_PX: f64 = 3.0;
/// How far beside the line a canvas reaches at least, so that a point on it is whole.
const BESIDE_PX: f64 = 5.0;
/// With more series points would cover what they mark.
const MOST_POINTS: usize = 24;

/// Where a series' value lies on a chart, in CSS px from its corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    /// The colour's.
    pub(super) slot: usize,
}

/// Where the values lie that a chart reads at an instant: of each series the nearest point, as far as it is in view.
pub(super) fn points_at(
    all: &[Columns],
    draw: Draw,
    slots: &[usize],
    (time, values): (&TimeScale, &ValueScales),
    (at_ms, reach_ms): (f64, f64),
) -> Vec<Point> {
    let (series, outlines) = (parted(all, draw).0, outlines(all, draw));
    if series.len() > MOST_POINTS {
        return Vec::new();
    }
    let point = |(index, (one, outline)): (usize, (&Columns, &Columns))| {
        let nearest = nearest_point(one, at_ms, reach_ms)?;
        let scale = if is_right(one) { values.right } else { values.left };
        let value = *outline.values.get(nearest)?;
        let x = time.x_from_ms(one.times_ms[nearest]);
        let is_seen = (time.left()..=time.right()).contains(&x) && scale.holds(value);
        let slot = slots.get(index).copied().unwrap_or(index);
        is_seen.then(|| Point { x, y: scale.y_from_value(value), slot })
    };
    series.iter().zip(outlines).enumerate().filter_map(point).collect()
}

/// What is painted of an instant: how far the canvas reaches to either side of it, and the points, by their places from its left.
#[derive(Clone, Debug, PartialEq)]
struct Strip {
    beside_px: f64,
    points: Vec<Point>,
}

impl Strip {
    /// For the line at `x` in the chart.
    fn of(x: f64, mut points: Vec<Point>) -> Self {
        let farthest = points.iter().map(|point| (point.x - x).abs()).fold(0.0, f64::max);
        let beside_px = farthest.ceil() + BESIDE_PX;
        for point in &mut points {
            point.x += beside_px - x;
        }
        Self { beside_px, points }
    }

    fn width_px(&self) -> f64 {
        2.0 * self.beside_px + 1.0
    }

    fn paint(&self, canvas: &HtmlCanvasElement, height_px: f64, pixel_ratio: f64, theme: &Theme) {
        let Some(mut backend) = CanvasBackend::of(canvas, (self.width_px(), height_px), pixel_ratio) else {
            return;
        };
        let units = |px: f64| (px * UNITS_PER_PX).round() as i32;
        let mut dot = |point: &Point, radius_px: f64, Rgb(red, green, blue): Rgb| {
            let colour = BackendColor { alpha: 1.0, rgb: (red, green, blue) };
            let place = (units(point.x), units(point.y));
            // A canvas cannot fail.
            drop(backend.draw_circle(place, units(radius_px).unsigned_abs(), &colour, true));
        };
        for point in &self.points {
            dot(point, RADIUS_PX, theme.text);
            dot(point, INNER_PX, theme.slot(point.slot));
        }
    }
}

/// Both lines of a chart.
#[component]
pub(super) fn Crosshair(
    surface: Surface,
    points: Callback<Timestamp, Vec<Point>>,
    pixel_ratio: RwSignal<f64>,
) -> impl IntoView {
    let ctx = surface.ctx;
    let hovered = memo(move || ctx.hover.get().map(|hover| hover.at));
    view! {
        <Line surface points pixel_ratio at=ctx.pinned.into() class="crossline pinned" />
        <Line surface points pixel_ratio at=hovered.into() class="crossline" />
    }
}

#[component]
fn Line(
    surface: Surface,
    points: Callback<Timestamp, Vec<Point>>,
    pixel_ratio: RwSignal<f64>,
    at: Signal<Option<Timestamp>>,
    class: &'static str,
) -> impl IntoView {
    let ctx: ChartContext = surface.ctx;
    // While a band is dragged its edges are read, and nothing else is to move.
    let at = memo(move || at.get().filter(|_| ctx.draft.with(Option::is_none)));
    let x = memo(move || surface.x_in_view(at.get()?).map(f64::floor));
    // None until it is shown first. A line that goes stays as it was: painting twelve for nothing, as a drag begins, would take half of its
    // first frame.
    let strip = Memo::new(move |former: Option<&Option<Strip>>| match (at.get(), x.get()) {
        (Some(at), Some(x)) => Some(Strip::of(x + GUTTER_PX, points.run(at))),
        _ => former.cloned().flatten(),
    });
    let node = NodeRef::<html::Canvas>::new();
    effect(move || {
        let Some(canvas) = node.get() else { return };
        let (height_px, pixel_ratio) = (surface.height.get(), pixel_ratio.get());
        let paint =
            |strip: &Strip| ctx.theme.with(|theme| strip.paint(&canvas, height_px, pixel_ratio, theme));
        strip.with(|strip| strip.as_ref().map(paint));
    });
    let of_strip =
        move |px: fn(&Strip) -> f64| strip.with(|strip| strip.as_ref().map(px).unwrap_or_default());
    view! {
        <canvas
            node_ref=node
            class=class
            class:crosshair=move || x.with(Option::is_some)
            aria-hidden="true"
            style:transform=move || format!("translateX({}px)", x.get().unwrap_or_default() - of_strip(|strip| strip.beside_px))
            style:width=move || px(of_strip(Strip::width_px))
        ></canvas>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::chart::scale::ValueScale;
    use sonde_shared::time::TimeRange;

    fn series(name: &str, points: &[(f64, f64)]) -> Columns {
        let (times_ms, values) = points.iter().copied().unzip();
        Columns { name: name.into(), times_ms, values }
    }

    #[test]
    fn points_lie_where_the_values_are_that_are_read() {
        let range = TimeRange::between(Timestamp::from_secs(0), Timestamp::from_secs(100));
        let time = TimeScale::new(range, 10.0, 100.0);
        let scale = ValueScale::new(0.0, 10.0, 0.0, 100.0);
        let values = ValueScales { left: scale, right: ValueScale::new(0.0, 100.0, 0.0, 100.0) };
        let at = |all: &[Columns], draw: Draw, secs: f64| {
            let found = points_at(all, draw, &[4], (&time, &values), (secs * 1e3, 5_000.0));
            found.into_iter().map(|point| (point.x, point.y, point.slot)).collect::<Vec<_>>()
        };
        let line = series("a", &[(20_000.0, 5.0), (40_000.0, 7.5), (60_000.0, f64::NAN), (80_000.0, 99.0)]);
        let lines = [line, series("secondYAxis(b)", &[(40_000.0, 25.0)])];
        assert_eq!(at(&lines, Draw::Line, 38.0), [(50.0, 25.0, 4), (50.0, 75.0, 1)]);
        assert_eq!(at(&lines, Draw::Line, 22.0), [(30.0, 50.0, 4)]);
        assert_eq!(at(&lines, Draw::Line, 61.0), []);
        assert_eq!(at(&lines, Draw::Line, 82.0), [], "what is beyond the axis is not drawn either");
        let own = [series("a", &[(50_000.0, 2.0)]), series("b", &[(50_000.0, 3.0)])];
        let sums = [series("a", &[(50_000.0, 2.0)]), series("b", &[(50_000.0, 5.0)])];
        let stack: Vec<Columns> = own.into_iter().chain(sums).collect();
        assert_eq!(at(&stack, Draw::Stacked, 50.0), [(60.0, 80.0, 4), (60.0, 50.0, 1)]);
        let many: Vec<Columns> = (0..=MOST_POINTS).map(|_| series("a", &[(50_000.0, 2.0)])).collect();
        assert_eq!(at(&many, Draw::Line, 50.0), []);
    }

    #[test]
    fn a_canvas_is_as_wide_as_its_points_lie_apart() {
        let point = |x: f64| Point { x, y: 1.0, slot: 0 };
        assert_eq!(Strip::of(50.0, Vec::new()), Strip { beside_px: BESIDE_PX, points: Vec::new() });
        let strip = Strip::of(50.0, vec![point(50.5), point(30.0)]);
        assert_eq!(strip, Strip { beside_px: 25.0, points: vec![point(25.5), point(5.0)] });
        assert!((strip.width_px() - 51.0).abs() < f64::EPSILON);
    }
}

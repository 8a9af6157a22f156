//! The charts: what a page mounts.
//!
//! A [`Chart`] is one panel's plot, a [`LogHistogram`] the lines by level under it. They and the time axis have one
//! plot area: the same gutter on the left, the same end on the right, so that an instant has the same x on each. All
//! of them take part in the brush, the crosshair, zoom and pan by themselves and tell what was meant through
//! [`ChartContext::on_gesture`]. A canvas is painted only when data, range, size or colours change; hover and brush
//! move elements over it.

use super::ChartContext;
use super::axis::data_range;
use super::canvas::{Canvas, paint};
use super::crosshair::Point;
use super::legend::{Legend, Picked};
use super::model::{ChartModel, Means};
use super::overlay::Overlay;
use super::readings::{Reading, Units, counts_at};
use super::size::watch_pixel_ratio;
use super::surface::{Kind, Surface};
use super::theme::read_text_px;
use crate::boxed::{effect, memo};
use crate::size::px;
use leptos::prelude::*;
use sonde_shared::api::{Columns, Histogram};
use sonde_shared::chart::draw::{Frame, GUTTER_PX, Layout, Lines, Side, draw_histogram};
use sonde_shared::dashboard::{Draw, Threshold};
use sonde_shared::time::{TimeRange, Timestamp};
use std::sync::Arc;

/// The height of the histogram of lines.
const HISTOGRAM_PX: f64 = 48.0;

/// One panel's chart: canvas, brush, crosshair, values and a legend of one line below the plot.
///
/// It takes the width of its parent. Its height is `height_px` for the plot, 20 px for the legend and what its table takes. The page draws
/// the panel's frame and header around it.
#[component]
pub fn Chart(
    /// What all charts of the page share.
    ctx: ChartContext,
    /// The panel's id: `data-panel`, and the `panel` of its gestures.
    #[prop(into)]
    panel: String,
    /// The panel's title, for its accessible name: `TITLE chart, …`.
    #[prop(into)]
    title: String,
    /// The series, `None` while nothing was loaded yet. They may cover more or less than the visible range. Where they are stacked,
    /// their sums come behind them.
    #[prop(into)]
    data: Signal<Option<Arc<Vec<Columns>>>>,
    /// The values' unit, as in [`sonde_shared::dashboard::Panel::unit`].
    #[prop(into, optional)]
    unit: String,
    /// Values from which on things are bad.
    #[prop(optional)]
    thresholds: Vec<Threshold>,
    /// The lowest value of the axis at most; data below it widens the axis.
    #[prop(default = None)]
    min: Option<f64>,
    /// The highest value of the axis at least; data above it widens the axis.
    #[prop(default = None)]
    max: Option<f64>,
    /// How the series are drawn.
    #[prop(default = Draw::Line)]
    draw: Draw,
    /// The unit of the axis at the right.
    #[prop(into, optional)]
    right_unit: String,
    /// The plot's height in CSS px: 168, 112 compact, 128 on a phone, whatever is free when maximized.
    #[prop(into, default = Signal::stored(168.0))]
    height_px: Signal<f64>,
    /// Whether the legend's table of all series is open.
    details: RwSignal<bool>,
    /// The mean of each series over the visible range by its name, as far as it is known.
    #[prop(into)]
    means: Signal<Option<Arc<Means>>>,
    /// The end of the range whose points have not come yet, hatched.
    #[prop(into)]
    tail: Signal<Option<TimeRange>>,
) -> impl IntoView {
    let (surface, picked) = (Surface::new(ctx, panel, Kind::Chart), Picked::new(ctx.looked_at));
    let units = Units { left: unit, right: right_unit, spread: f64::INFINITY };
    let model = ChartModel::of(surface, data, draw, units, picked);
    let paint = move |canvas: &Canvas, frame: &Frame| {
        let left = Side { min, max, ..Side::default() };
        model.paint(canvas, frame, Lines { left, thresholds: &thresholds, ..Lines::default() });
    };
    let rows = memo(move || means.with(|means| model.rows(means.as_deref(), details.get())));
    view! {
        <div class="chart">
            <Plot
                surface
                title
                height_px
                draw=paint
                readings=move |at| model.readings(at)
                is_high=move |range| model.is_high(range)
                points=move |at| model.points(at)
                tail
                is_there=Signal::derive(move || model.is_there())
            />
            <Legend rows picked width=surface.width details />
        </div>
    }
}

/// The lines in the visible range by level, 48 px high, its plot aligned with the charts'. Its panel id is
/// `histogram`.
#[component]
pub fn LogHistogram(
    /// What all charts of the page share.
    ctx: ChartContext,
    /// The counts, `None` while nothing was loaded yet.
    #[prop(into)]
    data: Signal<Option<Arc<Histogram>>>,
    /// Whether they are of other lines than those that are asked for now: they stand back until these are counted.
    #[prop(into)]
    is_former: Signal<bool>,
) -> impl IntoView {
    let surface = Surface::new(ctx, "histogram".to_owned(), Kind::Histogram);
    let draw = move |canvas: &Canvas, frame: &Frame| {
        if let Some(histogram) = data.get_untracked() {
            drop(draw_histogram(canvas, frame, &histogram));
        }
    };
    let readings = move |at: Timestamp| {
        data.get().map(|histogram| counts_at(&histogram, at.as_millis_f64())).unwrap_or_default()
    };
    let height_px = Signal::stored(HISTOGRAM_PX);
    let title = "Lines by level".to_owned();
    view! {
        <div class="chart" class:former=move || is_former.get()>
            <Plot surface title height_px draw readings is_high=|_| false points=|_| Vec::new() tail=Signal::stored(None) is_there=Signal::derive(move || data.with(Option::is_some)) />
        </div>
    }
}

/// The element that takes a chart's events, with its canvas and all that lies over it.
#[component]
fn Plot(
    surface: Surface,
    title: String,
    height_px: Signal<f64>,
    draw: impl Fn(&Canvas, &Frame) + 'static,
    #[prop(into)] readings: Callback<Timestamp, Vec<Reading>>,
    /// Whether what is seen of a range reaches into the upper half.
    #[prop(into)]
    is_high: Callback<TimeRange, bool>,
    #[prop(into)] points: Callback<Timestamp, Vec<Point>>,
    tail: Signal<Option<TimeRange>>,
    /// Whether there is something to draw; tells of each change of it.
    is_there: Signal<bool>,
) -> impl IntoView {
    let ctx = surface.ctx;
    let pixel_ratio = watch_pixel_ratio();
    let canvas = paint_on_change(surface, height_px, pixel_ratio, is_there, draw);
    view! {
        <div
            class="plot"
            node_ref=surface.node
            role="group"
            tabindex="0"
            aria-label=format!("{title} chart, arrow keys move the cursor, Shift with them selects, Enter commits")
            data-panel=surface.panel()
            data-range=move || data_range(ctx.range.get())
            data-plot-left=GUTTER_PX
            data-plot-width=move || surface.laid_out_width()
            style:height=move || px(height_px.get())
            style:cursor=move || surface.cursor.get()
            on:pointerdown=move |event| surface.pointer_down(&event)
            on:pointermove=move |event| surface.pointer_move(&event)
            on:pointerup=move |event| surface.pointer_up(&event)
            on:pointercancel=move |event| surface.pointer_lost(&event)
            on:lostpointercapture=move |event| surface.pointer_lost(&event)
            on:pointerleave=move |_| surface.pointer_leave()
            on:mousedown=|event: web_sys::MouseEvent| if event.button() == 1 { event.prevent_default() }
            on:dblclick=move |event| surface.double_click(&event)
            on:wheel=move |event| surface.wheel(&event)
            on:keydown=move |event| surface.key_down(&event, readings)
            on:blur=move |_| surface.blur()
        >
            <canvas node_ref=canvas aria-hidden="true"></canvas>
            <Overlay surface readings is_high points tail pixel_ratio />
            <span class="unseen" role="status">{move || surface.announcement.get()}</span>
        </div>
    }
}

/// Paints a canvas once a frame when something it shows has changed. Hover and brush are not among that.
fn paint_on_change(
    surface: Surface,
    height_px: Signal<f64>,
    pixel_ratio: RwSignal<f64>,
    is_there: Signal<bool>,
    draw: impl Fn(&Canvas, &Frame) + 'static,
) -> NodeRef<leptos::html::Canvas> {
    let (ctx, node) = (surface.ctx, NodeRef::<leptos::html::Canvas>::new());
    let (is_asked, was_painted) = (StoredValue::new(false), StoredValue::new(false));
    let paint_now = std::rc::Rc::new(move || {
        let Some(element) = node.try_get_untracked().flatten() else { return };
        let is_empty = !is_there.get_untracked() && !was_painted.get_value();
        if is_empty || surface.width.get_untracked() <= 0.0 {
            return;
        }
        was_painted.set_value(true);
        let (theme, events) = (ctx.theme.get_untracked(), ctx.events.get_untracked());
        let frame = Frame {
            width_px: surface.width.get_untracked(),
            height_px: height_px.get_untracked(),
            layout: Layout { text_px: read_text_px(&element), ..Layout::PAGE },
            pixel_ratio: pixel_ratio.get_untracked(),
            range: ctx.range.get_untracked(),
            events: &events,
            theme: &theme,
        };
        paint(&element, &frame, |canvas| draw(canvas, &frame));
    });
    effect(move || {
        is_there.track();
        ctx.events.track();
        height_px.track();
        pixel_ratio.track();
        ctx.range.track();
        ctx.theme.track();
        surface.width.track();
        node.track();
        if is_asked.get_value() {
            return;
        }
        is_asked.set_value(true);
        let paint_now = paint_now.clone();
        request_animation_frame(move || {
            // The chart may be gone by then.
            if is_asked.try_set_value(false).is_none() {
                paint_now();
            }
        });
    });
    node
}

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
use super::crosshair::{Point, points_at};
use super::legend::{Legend, Picked, Row};
use super::overlay::Overlay;
use super::readings::{
    Reading, Units, counts_at, extent_of, highest_share, last_readings, outlines, parted, readings_at,
    stats_of, styles, with_one_in_front,
};
use super::size::watch_pixel_ratio;
use super::slots::PanelSlots;
use super::surface::{Kind, Surface};
use super::theme::read_text_px;
use crate::boxed::{effect, memo};
use leptos::prelude::*;
use sonde_shared::api::{Columns, Histogram};
use sonde_shared::chart::bounds::Bounds;
use sonde_shared::chart::draw::{
    Frame, GUTTER_PX, Layout, Lines, Side, ValueScales, draw_chart, draw_histogram,
};
use sonde_shared::chart::scale::TimeScale;
use sonde_shared::dashboard::{Draw, Threshold};
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Mean values by series.
pub type Means = BTreeMap<String, f64>;

/// The height of the histogram of lines.
const HISTOGRAM_PX: f64 = 48.0;
/// A value is read up to so many px beyond a series' first and last point.
const REACH_PX: f64 = 12.0;

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
    let slots_of = PanelSlots::of(ctx.slots, panel.clone());
    let surface = Surface::new(ctx, panel, Kind::Chart);
    let (all, picked) = (data, Picked::new(ctx.looked_at));
    let is_shown = memo(move || {
        let names = |all: &Arc<Vec<Columns>>| picked.shown(parted(all, draw).0.iter().map(|one| &one.name));
        all.with(|all| all.as_ref().map(names)).unwrap_or_default()
    });
    // Kept, for it is read at each move of the pointer; and another one each time, for comparing costs more than drawing.
    let data = Memo::new_with_compare(move |_| Some(kept(all.get()?, &is_shown.get(), draw)), |_, _| true);
    // What is taken out of a stack stands by itself.
    let how = memo(move || {
        let is_whole = is_shown.with(|shown| shown.iter().all(|is| *is));
        if is_whole || draw != Draw::Stacked { draw } else { Draw::Area }
    });
    let all_slots = memo(move || {
        all.with(|all| all.as_ref().map(|all| slots_of.assign(parted(all, draw).0))).unwrap_or_default()
    });
    let slots = memo(move || {
        let (slots, shown) = (all_slots.get(), is_shown.get());
        slots.into_iter().zip(shown).filter(|(_, is)| *is).map(|(slot, _)| slot).collect::<Vec<_>>()
    });
    // Charts that do not have it stay as they are.
    let in_front = memo(move || {
        let name = ctx.looked_at.get()?;
        all.with(|all| all.as_ref().is_some_and(|all| all.iter().any(|one| one.name == name))).then_some(name)
    });
    // Looked at again at each move of the pointer: the extremes of all points are not.
    let extent =
        memo(move || data.with(|data| data.as_ref().and_then(|all| extent_of(outlines(all, how.get())))));
    let units = StoredValue::new(Units { left: unit, right: right_unit, spread: f64::INFINITY });
    let among = move || {
        let spread = extent.get().map_or(f64::INFINITY, |(low, high)| high - low);
        Units { spread, ..units.get_value() }
    };
    let bounds = Memo::new_with_compare(
        move |_| data.with(|data| data.as_ref().map(|all| bounds_of(all, how.get()))).unwrap_or_default(),
        |_: Option<&Vec<Bounds>>, _| true,
    );
    let drawn = RwSignal::new(None);
    let paint = move |canvas: &Canvas, frame: &Frame| {
        let (slots, units) = (slots.get_untracked(), units.get_value());
        let left = Side { unit: &units.left, min, max, is_held: false };
        let right = Side { unit: &units.right, ..Side::default() };
        let lines = Lines { slots: &slots, left, right, thresholds: &thresholds, ..Lines::default() };
        let looked_at = in_front.get_untracked();
        let Some(all) = data.get_untracked() else { return };
        let scales = bounds.with_untracked(|bounds| {
            let lines = Lines { bounds, ..lines };
            paint_series(canvas, frame, &all, how.get_untracked(), looked_at.as_deref(), lines)
        });
        if drawn.get_untracked() != scales {
            drawn.set(scales);
        }
    };
    let readings = move |at: Timestamp| {
        let (data, slots) = (data.get(), slots.get());
        let (at_ms, reach_ms) = (at.as_millis_f64(), reach_ms(&surface.scale()));
        data.map(|all| readings_at(parted(&all, how.get()).0, &slots, &among(), at_ms, reach_ms))
            .unwrap_or_default()
    };
    let points = move |at: Timestamp| {
        let (Some(all), Some(values)) = (data.get(), drawn.get()) else { return Vec::new() };
        let time = surface.scale();
        let place = (at.as_millis_f64(), reach_ms(&time));
        slots.with(|slots| points_at(&all, how.get(), slots, (&time, &values), place))
    };
    let is_high = move |range: TimeRange| {
        let is_high = |all: &Arc<Vec<Columns>>| reaches_high(outlines(all, how.get()), range, extent.get());
        data.with(|data| data.as_ref().is_some_and(is_high))
    };
    let rows = memo(move || {
        let (Some(all), range) = (all.get(), ctx.range.get()) else { return Vec::new() };
        let series = parted(&all, draw).0;
        let (units, means) = (among(), means.get());
        let last = last_readings(series, &all_slots.get(), &units, range);
        // They are looked for in all that is seen, at each step of a pan, and the table alone shows them.
        let mean = |one: &Columns| means.as_ref().and_then(|means| means.get(&one.name)).copied();
        let stats = |one: &Columns| details.get().then(|| stats_of(one, &units, range, mean(one)));
        let row = |((one, last), is_shown): ((&Columns, Reading), bool)| Row {
            name: one.name.clone(),
            last,
            stats: stats(one).unwrap_or_default(),
            is_shown,
        };
        series.iter().zip(last).zip(is_shown.get()).map(row).collect()
    });
    view! {
        <div class="chart">
            <Plot
                surface
                title
                height_px
                draw=paint
                readings
                is_high
                points
                tail
                is_there=Signal::derive(move || {
                    in_front.track();
                    data.with(Option::is_some)
                })
            />
            <Legend rows picked width=surface.width details />
        </div>
    }
}

/// Whether what is seen of a range reaches into the upper half.
fn reaches_high(outlines: &[Columns], range: TimeRange, extent: Option<(f64, f64)>) -> bool {
    let share =
        |extent| highest_share(outlines, range.from.as_millis_f64(), range.until.as_millis_f64(), extent);
    extent.and_then(share).is_some_and(|share| share > 0.5)
}

fn bounds_of(all: &[Columns], draw: Draw) -> Vec<Bounds> {
    outlines(all, draw).iter().map(|one| Bounds::of_long(&one.values)).collect()
}

/// How far beyond a series' ends its value is read.
fn reach_ms(time: &TimeScale) -> f64 {
    time.nanos_per_px() * REACH_PX / NANOS_PER_MS as f64
}

/// The series that are shown; without sums of a stack where not all are.
fn kept(all: Arc<Vec<Columns>>, shown: &[bool], draw: Draw) -> Arc<Vec<Columns>> {
    if shown.iter().all(|is| *is) {
        return all;
    }
    let series = parted(&all, draw).0.iter().zip(shown);
    Arc::new(series.filter(|(_, is)| **is).map(|(one, _)| one.clone()).collect())
}

/// Paints an answer's series on what a panel shows besides, and says where it put values.
fn paint_series(
    canvas: &Canvas,
    frame: &Frame,
    all: &[Columns],
    draw: Draw,
    looked_at: Option<&str>,
    lines: Lines,
) -> Option<ValueScales> {
    let (series, sums) = parted(all, draw);
    let styles = with_one_in_front(styles(series, draw), series, looked_at);
    // A canvas cannot fail; an error would leave the plot empty until the next change.
    draw_chart(canvas, frame, &Lines { series, sums, styles: &styles, ..lines }).ok()
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
            style:height=move || format!("{}px", height_px.get())
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

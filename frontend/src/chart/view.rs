//! The chart's components: what a page mounts.
//!
//! A [`Chart`] is one panel's plot, a [`LogHistogram`] the lines by level under it, the [`TimeAxis`] the one axis
//! all of them share. They have one plot area: the same gutter on the left, the same end on the right, so that an
//! instant has the same x on each. All of them take part in the brush, the crosshair, zoom and pan by themselves and
//! tell what was meant through [`ChartContext::on_gesture`].

use super::ChartContext;
use leptos::prelude::*;
use sonde_shared::api::{Columns, Event, Histogram};
use sonde_shared::dashboard::Threshold;
use std::sync::Arc;

/// One panel's chart: canvas, brush, crosshair, values and a legend of one line below the plot.
///
/// It takes the width of its parent. Its height is `height_px` for the plot and 20 px for the legend. The page draws
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
    /// The series, `None` while nothing was loaded yet. They may cover more or less than the visible range.
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
    /// Notes on the time axis.
    #[prop(into, optional)]
    events: Signal<Arc<Vec<Event>>>,
    /// The plot's height in CSS px: 168, 112 compact, 128 on a phone, whatever is free when maximized.
    #[prop(into, default = Signal::stored(168.0))]
    height_px: Signal<f64>,
) -> impl IntoView {
    let _ = (ctx, data, unit, thresholds, min, max, events);
    view! {
        <div
            class="chart"
            data-panel=panel
            role="group"
            aria-label=format!("{title} chart")
            style:height=move || format!("{}px", height_px.get())
        ></div>
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
    /// Notes on the time axis.
    #[prop(into, optional)]
    events: Signal<Arc<Vec<Event>>>,
) -> impl IntoView {
    let _ = (ctx, data, events);
    view! { <div class="chart histogram" data-panel="histogram"></div> }
}

/// The shared time axis, 24 px high. It is sticky: the page places it above or below the charts in the same
/// scrolling box. Dragging it pans, the wheel over it zooms.
#[component]
pub fn TimeAxis(
    /// What all charts of the page share.
    ctx: ChartContext,
) -> impl IntoView {
    let _ = ctx;
    view! { <div class="time-axis"></div> }
}

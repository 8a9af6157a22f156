//! The charts' real drawing as a module of its own, so that the benchmark can time it beside another library on one page.
//!
//! It calls what the product's page calls: the same canvas backend, reduction and theme. Only the time axis is added, which
//! the product has once for all charts, as elements: what is compared draws its own on the canvas.

use sonde_frontend::chart::{paint, read_theme};
use sonde_shared::api::{Columns, decode_columns};
use sonde_shared::chart::bounds::Bounds;
use sonde_shared::chart::draw::{Frame, Layout, Lines, draw_chart};
use sonde_shared::chart::theme::{Rgb, Theme};
use sonde_shared::chart::ticks::time_ticks;
use sonde_shared::time::{TimeRange, Timestamp, ZoneClock};
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// Ticks of the time axis: as many as the compared library draws on this width.
const MOST_TICKS: usize = 24;

thread_local! {
    static SERIES: RefCell<Vec<Columns>> = RefCell::default();
    static BOUNDS: RefCell<Vec<Bounds>> = RefCell::default();
}

/// Takes series over one column of times (unix ms); their values come one series after the other.
#[wasm_bindgen]
pub fn prepare(times_ms: &[f64], values: &[f64]) {
    let column = |(index, values): (usize, &[f64])| Columns {
        name: format!("series.{index}"),
        times_ms: times_ms.to_vec(),
        values: values.to_vec(),
    };
    let series = values.chunks_exact(times_ms.len().max(1)).enumerate().map(column).collect();
    take(series);
}

fn take(series: Vec<Columns>) {
    SERIES.set(series);
    forget();
}

/// Forgets what was noted of the series, so that the next draw is the first.
#[wasm_bindgen]
pub fn forget() {
    BOUNDS.take();
}

/// Notes what the page notes of series once they come.
#[wasm_bindgen]
pub fn note() {
    let bounds = SERIES.with_borrow(|series| series.iter().map(|one| Bounds::of_long(&one.values)).collect());
    BOUNDS.set(bounds);
}

/// Takes the body of a `/render` answer in columns, and returns how many points it has; none where it is broken.
#[wasm_bindgen]
pub fn decode(body: &[u8]) -> usize {
    let series = decode_columns(body).unwrap_or_default();
    let points = series.iter().map(|one| one.times_ms.len()).sum();
    take(series);
    points
}

/// Draws what was taken on a canvas of this size in CSS px, from one instant to another (unix ms).
#[wasm_bindgen]
pub fn draw(canvas: &HtmlCanvasElement, width_px: f64, height_px: f64, from_ms: f64, until_ms: f64) {
    let theme = read_theme(canvas);
    let instant = |ms: f64| Timestamp::from_millis(ms as i64);
    let range = TimeRange::between(instant(from_ms), instant(until_ms));
    let layout = Layout::PAGE;
    let frame = Frame { width_px, height_px, layout, pixel_ratio: 1.0, range, events: &[], theme: &theme };
    if BOUNDS.with_borrow(Vec::is_empty) {
        note();
    }
    SERIES.with_borrow(|series| {
        BOUNDS.with_borrow(|bounds| {
            let lines = Lines { series, bounds, ..Lines::default() };
            // The canvas backend has no error to end in.
            paint(canvas, &frame, |area| drop(draw_chart(area, &frame, &lines)));
        });
    });
    draw_time_axis(canvas, &frame, &theme);
}

fn draw_time_axis(canvas: &HtmlCanvasElement, frame: &Frame, theme: &Theme) {
    let context = canvas.get_context("2d").ok().flatten();
    let Some(context) = context.and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok())
    else {
        return;
    };
    let css = |Rgb(red, green, blue): Rgb| format!("rgb({red} {green} {blue})");
    context.set_font(&format!("11px {}", theme.font));
    context.set_text_align("center");
    let scale = frame.time_scale();
    for tick in time_ticks(frame.range, ZoneClock::UTC, MOST_TICKS) {
        let x = scale.x_from_time(tick.at).round();
        context.set_fill_style_str(&css(theme.line));
        context.fill_rect(x, 0.0, 1.0, frame.height_px);
        context.set_fill_style_str(&css(theme.muted));
        // A label that cannot be drawn is no reason to lose the rest.
        drop(context.fill_text(&tick.label, x, frame.height_px - 2.0));
    }
}

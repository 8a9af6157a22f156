//! What lies over the canvas: bands, crosshair, tooltip and value chips. Elements of their own, so that moving one paints no chart.

use super::axis::data_range;
use super::brush::{NARROW_PX, TOUCH_NARROW_PX};
use super::crosshair::{Crosshair, Point};
use super::readings::{COLUMN_ROWS, Reading, band_size, events_at};
use super::surface::Surface;
use super::{ChartContext, Hover};
use crate::boxed::memo;
use crate::size::px;
use leptos::prelude::*;
use sonde_shared::chart::draw::{GUTTER_PX, RIGHT_PX, plot_width};
use sonde_shared::time::{TimeRange, Timestamp};

/// As wide is each column of a tooltip that has several.
const COLUMN_PX: f64 = 180.0;
/// As high is a value in it, and what stands around them.
const ROW_PX: f64 = 16.0;
const AROUND_PX: f64 = 26.0;
/// So much of a panel lies below a tooltip that is as high as its plot.
const BELOW_PX: f64 = 18.0;
/// So many rows a note takes mostly.
const NOTE_ROWS: f64 = 2.0;
/// A panel's head, above its plot.
const PANEL_HEAD_PX: f64 = 32.0;
/// An event is told up to so many px beside its line.
const NOTE_PX: f64 = 6.0;
/// About as wide are a chart's chips.
const CHIPS_PX: f64 = 120.0;
/// So many values are read out.
const MOST_SPOKEN: usize = 5;
/// Chips on the other charts show so many.
const MOST_CHIPS: usize = 3;

/// A time of day to the second, with its date where that is not clear.
fn clock(ctx: ChartContext, at: Timestamp) -> String {
    ctx.instant(at, 1e9)
}

/// What a screen reader is told after a key: the band with its lines, or where the cursor is, with what is noted and read there.
pub(super) fn spoken(
    surface: Surface,
    whose: Option<&str>,
    read: Callback<Timestamp, Vec<Reading>>,
) -> String {
    let ctx = surface.ctx;
    if let Some(band) = ctx.draft.get_untracked() {
        let size = band_size(band, ctx.count_lines.run(band), whose);
        let what = if ctx.drafts_baseline.get_untracked() { "baseline " } else { "" };
        return format!("{what}{} to {}, {size}", clock(ctx, band.from), clock(ctx, band.until));
    }
    let Some(Hover { at, .. }) = ctx.hover.get_untracked() else { return String::new() };
    let (notes, mut rows) = untrack(|| (notes(surface, at), read.run(at)));
    rows.retain(Reading::is_there);
    let more = rows.len().saturating_sub(MOST_SPOKEN);
    let rows = rows.into_iter().take(MOST_SPOKEN).map(|row| [&row.name, " ", &row.value].concat());
    let more = (more > 0).then(|| format!("{more} more"));
    [clock(ctx, at)].into_iter().chain(notes).chain(rows).chain(more).collect::<Vec<_>>().join(", ")
}

/// All of a chart's overlay. `readings` tells its values at an instant; an axis has none.
#[component]
pub(super) fn Overlay(
    surface: Surface,
    #[prop(into)] readings: Callback<Timestamp, Vec<Reading>>,
    #[prop(into)] is_high: Callback<TimeRange, bool>,
    points: Callback<Timestamp, Vec<Point>>,
    /// What is still to come.
    tail: Signal<Option<TimeRange>>,
    pixel_ratio: RwSignal<f64>,
) -> impl IntoView {
    let is_named = surface.names_values();
    view! {
        <div class="plot-overlay" style:left=px(GUTTER_PX) style:right=px(RIGHT_PX)>
            <Tail surface tail />
            <Band surface is_baseline=true />
            <Band surface is_baseline=false />
            <Crosshair surface points pixel_ratio />
            {(!is_named).then(|| view! { <Chips surface readings is_high /> })}
        </div>
        {is_named.then(|| view! { <ChipsAside surface readings /> })}
        <DragLabel surface />
        <ArmedLabel surface />
        <Tooltip surface readings is_high />
    }
}

/// Where a band lies on the plot: its left edge and its width.
fn band_place(surface: Surface, band: TimeRange) -> Option<(f64, f64)> {
    let scale = surface.scale();
    // An element as wide as a far zoom would make it is more than browsers place rightly.
    let (first, last) = (-50.0, scale.right() - scale.left() + 50.0);
    let x = |at: Timestamp| (scale.x_from_time(at) - GUTTER_PX).clamp(first, last);
    let (left, right) = (x(band.from), x(band.until));
    (right >= 0.0 && left <= last - 50.0).then_some((left, (right - left).max(2.0)))
}

/// The end of the range whose points have not come yet.
#[component]
fn Tail(surface: Surface, tail: Signal<Option<TimeRange>>) -> impl IntoView {
    let tail = memo(move || tail.get().filter(|tail| !tail.is_empty()));
    let place = memo(move || band_place(surface, tail.get()?));
    view! {
        <Show when=move || place.with(Option::is_some)>
            <div
                class="tail"
                data-tail=move || tail.get().map(data_range)
                style:left=move || px(place.get().unwrap_or_default().0)
                style:width=move || px(place.get().unwrap_or_default().1)
            ></div>
        </Show>
    }
}

/// A band: what is being dragged anywhere, else the selection, or what it is compared with.
#[component]
fn Band(surface: Surface, is_baseline: bool) -> impl IntoView {
    let ctx = surface.ctx;
    let draft = memo(move || ctx.draft.get().filter(|_| ctx.drafts_baseline.get() == is_baseline));
    let committed = if is_baseline { ctx.baseline } else { ctx.selection };
    let band = memo(move || draft.get().or_else(|| committed.get()));
    let data = move |of_baseline: bool| band.get().filter(|_| of_baseline == is_baseline).map(data_range);
    let place = memo(move || band_place(surface, band.get()?));
    let is_narrower = move |px: f64| place.get().is_some_and(|(_, width)| width < px);
    view! {
        <Show when=move || place.with(Option::is_some)>
            <div
                class=if is_baseline { "baseline-band" } else { "band" }
                class:draft=move || draft.with(Option::is_some)
                class:narrow=move || is_narrower(NARROW_PX)
                class:touch-narrow=move || is_narrower(TOUCH_NARROW_PX)
                data-selection=move || data(false)
                data-baseline=move || data(true)
                style:left=move || px(place.get().unwrap_or_default().0)
                style:width=move || px(place.get().unwrap_or_default().1)
            >
                <i class="grip"></i>
                <i class="grip"></i>
            </div>
        </Show>
    }
}

/// The instant whose values are shown, and whether this chart has the tooltip for it: the chart under the pointer, or
/// the active one for a pinned instant. The others have chips. While a band is dragged its ends are read, and no values.
pub(super) fn shown_instant(surface: Surface) -> Option<(Timestamp, bool)> {
    let ctx = surface.ctx;
    if ctx.draft.with(Option::is_some) {
        return None;
    }
    match ctx.hover.get() {
        Some(Hover { source, at }) => Some((at, source == surface.panel())),
        None => ctx.pinned.get().map(|at| (at, ctx.active.get() == Some(surface.panel()))),
    }
}

/// The instant that another chart shows the values of.
fn instant_elsewhere(surface: Surface) -> Memo<Option<Timestamp>> {
    memo(move || shown_instant(surface).filter(|(_, is_here)| !is_here).map(|(at, _)| at))
}

/// The values at an instant that another chart shows.
#[component]
fn Chips(
    surface: Surface,
    readings: Callback<Timestamp, Vec<Reading>>,
    is_high: Callback<TimeRange, bool>,
) -> impl IntoView {
    let at = instant_elsewhere(surface);
    let chips = move || {
        let at = at.get()?;
        let x = surface.x_in_view(at)?;
        let width = plot_width(surface.width.get());
        let rows: Vec<_> = readings.run(at).into_iter().filter(Reading::is_there).collect();
        let is_right = x > width / 2.0;
        let shown = chips_that_fit(&rows, if is_right { x } else { width - x });
        let rows: Vec<_> = rows.into_iter().take(shown).map(|row| chip(row.colour, row.value)).collect();
        let transform = format!("translateX({x:.0}px) {}", if is_right { "translateX(-100%)" } else { "" });
        // About what the chips cover.
        let (scale, beside) = (surface.scale(), if is_right { -CHIPS_PX } else { CHIPS_PX });
        let under = TimeRange::between(at, scale.time_from_x(x + GUTTER_PX + beside));
        let is_low = is_high.run(under);
        Some(view! { <div class="chips" class:low=is_low style:transform=transform>{rows}</div> })
    };
    view! { {move || chips()} }
}

/// The same beside a plot that is too low for chips over it; its values have names.
#[component]
fn ChipsAside(surface: Surface, readings: Callback<Timestamp, Vec<Reading>>) -> impl IntoView {
    let at = instant_elsewhere(surface);
    let chips = move || {
        let at = at.get()?;
        surface.x_in_view(at)?;
        let rows = readings.run(at).into_iter().take(MOST_CHIPS);
        let rows: Vec<_> = rows.map(|row| chip(row.colour, format!("{} {}", row.name, row.value))).collect();
        Some(view! { <div class="chips aside" style:width=px(RIGHT_PX)>{rows}</div> })
    };
    view! { {move || chips()} }
}

fn chip(colour: String, text: String) -> impl IntoView {
    view! {
        <span class="chip">
            <i class="swatch" style:background=colour></i>
            {text}
        </span>
    }
}

/// How many chips have room in so many pixels; a chip that is cut off says something else.
fn chips_that_fit(rows: &[Reading], width_px: f64) -> usize {
    const CHAR_PX: f64 = 6.7;
    const AROUND_PX: f64 = 28.0;
    let mut used = 12.0;
    let fits = |row: &&Reading| {
        used += row.value.chars().count() as f64 * CHAR_PX + AROUND_PX;
        used <= width_px
    };
    rows.iter().take(MOST_CHIPS).take_while(fits).count()
}

#[component]
fn Tooltip(
    surface: Surface,
    readings: Callback<Timestamp, Vec<Reading>>,
    is_high: Callback<TimeRange, bool>,
) -> impl IntoView {
    let ctx = surface.ctx;
    let at = memo(move || {
        shown_instant(surface).filter(|(_, is_here)| *is_here && !ctx.armed.get()).map(|(at, _)| at)
    });
    let tooltip = move || {
        let at = at.get()?;
        let x = surface.x_in_view(at)?;
        let scale = surface.scale();
        let time = ctx.instant(at, scale.nanos_per_px());
        let (mut rows, width, height) = (readings.run(at), surface.width.get(), surface.height.get());
        let notes = notes(surface, at);
        let notes_px = notes.len() as f64 * NOTE_ROWS * ROW_PX;
        // One that stands above its plot is cut off by nothing.
        let room_px =
            if surface.names_values() { COLUMN_ROWS as f64 * ROW_PX } else { height + BELOW_PX - AROUND_PX };
        let columns = TooltipColumns::of(rows.len(), width, room_px - notes_px);
        let more = rows.len().saturating_sub(columns.shown());
        rows.truncate(columns.shown());
        let place = TooltipPlace::of(x + GUTTER_PX, width, columns.columns);
        let under = |px: f64| scale.time_from_x(px);
        // What is higher than the panel would be cut off above it.
        let high_px = columns.rows as f64 * ROW_PX + notes_px + AROUND_PX;
        let is_low = high_px <= height + PANEL_HEAD_PX
            && is_high.run(TimeRange { from: under(place.from_px), until: under(place.until_px) });
        Some(view! {
            <div
                class="tooltip"
                class:low=is_low
                style:transform=place.transform
                style:max-width=px(place.widest_px.round())
            >
                <div class="tooltip-time">{time}</div>
                {notes.into_iter().map(|note| view! { <div class="tooltip-note">{note}</div> }).collect_view()}
                <div class="tooltip-rows" style:grid-template-rows=format!("repeat({}, auto)", columns.rows)>
                    {rows.into_iter().map(tooltip_row).collect_view()}
                </div>
                {(more > 0).then(|| view! { <div class="tooltip-more">{format!("+{more}")}</div> })}
            </div>
        })
    };
    view! { {move || tooltip()} }
}

/// What is noted at an instant.
fn notes(surface: Surface, at: Timestamp) -> Vec<String> {
    let reach_ms = surface.scale().nanos_per_px() * NOTE_PX / 1e6;
    surface.ctx.events.with(|events| events_at(events, at.as_millis_f64(), reach_ms))
}

/// How the values of a tooltip are laid out.
#[derive(Debug, PartialEq)]
struct TooltipColumns {
    columns: usize,
    /// Of each column.
    rows: usize,
}

impl TooltipColumns {
    /// For so many values in this room: as many columns as they need, or as fit.
    fn of(values: usize, width: f64, height: f64) -> Self {
        let most = ((height / ROW_PX) as usize).max(1);
        let fit = ((width / COLUMN_PX) as usize).max(1);
        let columns = values.div_ceil(most).clamp(1, fit);
        Self { columns, rows: values.div_ceil(columns).clamp(1, most) }
    }

    const fn shown(&self) -> usize {
        self.columns * self.rows
    }
}

/// Where a tooltip stands.
#[derive(Debug, PartialEq)]
struct TooltipPlace {
    transform: String,
    /// It is no wider.
    widest_px: f64,
    /// What it could cover of the plot, the crosshair's own place included.
    from_px: f64,
    until_px: f64,
}

impl TooltipPlace {
    /// For the crosshair at `x` in a chart of `width`: right of it, what came before stays in view; left where there is no room
    /// on the right; at the edge where there is none on either side.
    fn of(x: f64, width: f64, columns: usize) -> Self {
        const GAP_PX: f64 = 16.0;
        let widest =
            if columns > 1 { (columns as f64 * COLUMN_PX).min(width) } else { (width * 0.6).min(360.0) };
        let (transform, from_px, until_px) = if x + GAP_PX + widest <= width {
            (format!("translateX({:.0}px)", x + GAP_PX), x, x + GAP_PX + widest)
        } else if x >= GAP_PX + widest {
            (format!("translateX({:.0}px) translateX(-100%)", x - GAP_PX), x - GAP_PX - widest, x)
        } else {
            let left = (width - widest).max(0.0);
            (format!("translateX({left:.0}px)"), left.min(x), width.max(x))
        };
        Self { transform, widest_px: widest, from_px, until_px }
    }
}

fn tooltip_row(row: Reading) -> impl IntoView {
    view! {
        <div class="tooltip-row">
            <i class="swatch" style:background=row.colour></i>
            <span class="tooltip-name">{row.name}</span>
            <span class="tooltip-value">{row.value}</span>
        </div>
    }
}

/// A label over the plot, its middle at `x` and held inside by half of its usual width.
fn drag_label(surface: Surface, x: f64, text: String) -> impl IntoView {
    let half = (text.chars().count() as f64 * 3.5 + 8.0).min(surface.width.get() / 2.0);
    let x = x.clamp(half, (surface.width.get() - half).max(half));
    view! { <div class="drag-label" style:left=px(x.round())>{text}</div> }
}

/// Start, end, duration and lines of the band while it is dragged, on the chart where it is.
#[component]
fn DragLabel(surface: Surface) -> impl IntoView {
    let ctx = surface.ctx;
    // Once a drag, not at each of its moves.
    let instead =
        memo(move || surface.is_source.get().then(|| ctx.counted_instead.run(surface.panel())).flatten());
    let label = move || {
        let band = ctx.draft.get().filter(|_| surface.is_source.get())?;
        let scale = surface.scale();
        let middle = f64::midpoint(scale.x_from_time(band.from), scale.x_from_time(band.until));
        let what = if ctx.drafts_baseline.get() { "Baseline " } else { "" };
        let snaps = if ctx.snaps.get() { " · snaps" } else { "" };
        let whose = instead.get().filter(|_| surface.makes_band() && !ctx.drafts_baseline.get());
        let text = drag_text(ctx, band, scale.nanos_per_px(), whose.as_deref());
        let text = format!("{what}{text}{snaps}");
        Some(drag_label(surface, middle, text))
    };
    view! { {move || label()} }
}

/// Says what the next drag does, where the pointer is, while that is not what a drag does otherwise.
#[component]
fn ArmedLabel(surface: Surface) -> impl IntoView {
    let ctx = surface.ctx;
    let label = move || {
        let is_waiting = ctx.armed.get() && ctx.draft.with(Option::is_none);
        let hover = ctx.hover.get().filter(|hover| is_waiting && hover.source == surface.panel())?;
        let x = surface.x_in_view(hover.at)? + GUTTER_PX;
        Some(drag_label(surface, x, "Drag over the baseline · Esc".to_owned()))
    };
    view! { {move || label()} }
}

fn drag_text(ctx: ChartContext, band: TimeRange, nanos_per_px: f64, whose: Option<&str>) -> String {
    let time = |at: Timestamp| ctx.instant(at, nanos_per_px);
    let size = band_size(band, ctx.count_lines.run(band), whose);
    format!("{} – {} · {size}", time(band.from), time(band.until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_are_whole_or_not_there() {
        let row = |value: &str| Reading {
            colour: String::new(),
            name: String::new(),
            value: value.to_owned(),
            is_right: false,
        };
        let rows = [row("3.82 GiB"), row("3.77 GiB"), row("1 GiB"), row("2 GiB")];
        assert_eq!(chips_that_fit(&rows, 1_000.0), MOST_CHIPS);
        assert_eq!(chips_that_fit(&rows, 180.0), 2);
        assert_eq!(chips_that_fit(&rows, 90.0), 0);
    }

    #[test]
    fn a_tooltip_stays_inside_its_chart() {
        let check = |x: f64, width: f64, transform: &str, under: (f64, f64)| {
            let place = TooltipPlace::of(x, width, 1);
            assert_eq!((place.transform.as_str(), (place.from_px, place.until_px)), (transform, under));
        };
        check(100.0, 1_000.0, "translateX(116px)", (100.0, 476.0));
        check(624.0, 1_000.0, "translateX(640px)", (624.0, 1_000.0));
        check(625.0, 1_000.0, "translateX(609px) translateX(-100%)", (249.0, 625.0));
        check(150.0, 300.0, "translateX(120px)", (120.0, 300.0));
        assert_eq!(TooltipPlace::of(500.0, 1_000.0, 4).transform, "translateX(280px)");
    }

    #[test]
    fn a_tooltip_has_the_columns_that_its_values_need_or_as_many_as_fit() {
        let check = |values: usize, width: f64, height: f64, columns: usize, rows: usize| {
            assert_eq!(TooltipColumns::of(values, width, height), TooltipColumns { columns, rows });
        };
        check(0, 900.0, 168.0, 1, 1);
        check(10, 900.0, 160.0, 1, 10);
        check(15, 900.0, 160.0, 2, 8);
        check(41, 900.0, 160.0, 5, 9);
        check(90, 900.0, 160.0, 5, 10);
        check(15, 320.0, 120.0, 1, 7);
        check(15, 320.0, -20.0, 1, 1);
        check(15, 320.0, 600.0, 1, 15);
    }
}

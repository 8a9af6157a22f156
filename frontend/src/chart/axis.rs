//! The time axis that all charts share.

use super::brush::most_ticks;
use super::overlay::shown_instant;
use super::surface::{Kind, Surface};
use super::{ChartContext, Gesture};
use crate::boxed::memo;
use crate::size::px;
use leptos::prelude::*;
use sonde_shared::chart::draw::GUTTER_PX;
use sonde_shared::chart::ticks::{format_instant, time_ticks};
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};

/// The shared time axis, 24 px high, `data-panel="axis"`. It is sticky: the page places it above or below the charts
/// in the same scrolling box. Dragging it pans, the wheel over it zooms. A selection that is out of view leaves a
/// button at the edge behind which it is.
#[component]
pub fn TimeAxis(
    /// What all charts of the page share.
    ctx: ChartContext,
) -> impl IntoView {
    let surface = Surface::new(ctx, "axis".to_owned(), Kind::Axis);
    let ticks = memo(move || {
        let scale = surface.scale();
        let ticks = time_ticks(scale.range(), ctx.zone.get(), most_ticks(&scale));
        ticks
            .into_iter()
            .map(|tick| (scale.x_from_time(tick.at), tick.label, tick.is_date))
            .collect::<Vec<_>>()
    });
    let chip = memo(move || {
        let (at, x) = shown_at(surface)?;
        Some((x, ctx.instant(at, surface.scale().nanos_per_px())))
    });
    let labels = move || {
        ticks
            .get()
            .into_iter()
            .map(|(x, label, is_date)| {
                let chars = label.chars().count();
                let is_under = move || {
                    chip.with(|chip| {
                        chip.as_ref().is_some_and(|(at, text)| {
                            (at - x).abs()
                                < CHIP_MARGIN_PX + (chars + text.chars().count()) as f64 * CHAR_PX / 2.0
                        })
                    })
                };
                view! {
                    <span class="tick" class:date=is_date class:under=is_under style:left=px(x)>
                        {label}
                    </span>
                }
            })
            .collect_view()
    };
    view! {
        <div
            class="time-axis"
            node_ref=surface.node
            data-panel="axis"
            data-range=move || data_range(ctx.range.get())
            data-plot-left=GUTTER_PX
            data-plot-width=move || surface.laid_out_width()
            style:cursor=move || surface.cursor.get()
            on:pointerdown=move |event| surface.pointer_down(&event)
            on:pointermove=move |event| surface.pointer_move(&event)
            on:pointerup=move |event| surface.pointer_up(&event)
            on:pointercancel=move |event| surface.pointer_lost(&event)
            on:lostpointercapture=move |event| surface.pointer_lost(&event)
            on:wheel=move |event| surface.wheel(&event)
        >
            {labels}
            {move || chip.get().map(|(x, text)| view! { <span class="time-chip" style:left=px(x.round())>{text}</span> })}
            <EdgeChip ctx />
        </div>
    }
}

/// A range as attributes tell it: `FROM_MS..UNTIL_MS`.
pub(super) fn data_range(range: TimeRange) -> String {
    format!("{}..{}", range.from.as_millis(), range.until.as_millis())
}

/// The margin of the crosshair's time, and a character: a label that is half covered is none.
const CHIP_MARGIN_PX: f64 = 12.0;
const CHAR_PX: f64 = 6.6;

/// The instant under the crosshair and its place on the axis; while a band is dragged, its label tells the times.
fn shown_at(surface: Surface) -> Option<(Timestamp, f64)> {
    let (at, _) = shown_instant(surface)?;
    Some((at, surface.x_in_view(at)? + GUTTER_PX))
}

/// Leads back to a selection that is out of view.
#[component]
fn EdgeChip(ctx: ChartContext) -> impl IntoView {
    let away = memo(move || {
        let (selection, visible) = (ctx.selection.get()?, ctx.range.get());
        (!selection.overlaps(visible)).then_some((selection, selection.until <= visible.from))
    });
    let chip = move || {
        let (selection, is_left) = away.get()?;
        // The second day is written where it is another one.
        let (zone, from) = (ctx.zone.get(), selection.from);
        let until = format_instant(selection.until, zone, TimeRange { from, until: from }, 1e9);
        let span = format!("{}–{until}", ctx.instant(from, 1e9));
        let text = if is_left { format!("‹ {span}") } else { format!("{span} ›") };
        let back = move |_| ctx.on_gesture.run(Gesture::Show(around(selection, ctx.range.get_untracked())));
        Some(view! {
            <button
                class="edge-chip"
                class:left=is_left
                aria-label=format!("Back to the selection {span}")
                on:pointerdown=|event: web_sys::PointerEvent| event.stop_propagation()
                on:click=back
            >
                {text}
            </button>
        })
    };
    view! { {move || chip()} }
}

/// A range as long as the visible one with the selection in its middle, or longer where the selection needs it.
fn around(selection: TimeRange, visible: TimeRange) -> TimeRange {
    let length = visible.nanos().max(selection.nanos() / 4 * 5).max(NANOS_PER_MS);
    let middle = selection.from.plus_nanos(selection.nanos() / 2);
    let from = middle.plus_nanos(-length / 2);
    TimeRange { from, until: from.plus_nanos(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_keeps_the_zoom_where_the_selection_fits() {
        let range = |from: i64, until: i64| {
            TimeRange::between(Timestamp::from_secs(from), Timestamp::from_secs(until))
        };
        assert_eq!(around(range(100, 110), range(1_000, 1_100)), range(55, 155));
        assert_eq!(around(range(0, 400), range(1_000, 1_100)), range(-50, 450));
    }
}

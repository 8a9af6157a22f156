//! The list's own scrollbar. It maps positions, not pixels, so it works the same for ten lines and a hundred million.

use super::log_list::LIST_ID;
use super::tie::Hairline;
use crate::feeds::LineFeed;
use crate::size::px;
use leptos::html;
use leptos::prelude::*;

/// The thumb is never smaller than this.
const MIN_THUMB_PX: f64 = 24.0;

/// The scrollbar.
#[component]
pub(super) fn Scrollbar() -> impl IntoView {
    let feed: LineFeed = expect_context();
    let track = NodeRef::<html::Div>::new();
    // How far below the thumb's upper edge it was taken.
    let grip = RwSignal::new(None::<f64>);
    let height = move || feed.viewport_px.get();
    let thumb = move || (feed.extent().share_in_sight() * height()).max(MIN_THUMB_PX).min(height());
    let share = move || feed.extent().share_of(feed.position.get());
    let top = move || share() * (height() - thumb());
    let pointer = move |event: &web_sys::PointerEvent| {
        let bounds = track.get_untracked().map(|track| track.get_bounding_client_rect());
        f64::from(event.client_y()) - bounds.map_or(0.0, |bounds| bounds.top())
    };
    let press = move |event: web_sys::PointerEvent| {
        event.prevent_default();
        let (at, edge, size) = untrack(|| (pointer(&event), top(), thumb()));
        if at < edge || at > edge + size {
            let direction = if at < edge { -1.0 } else { 1.0 };
            feed.go(|extent, position| {
                extent.moved(position, direction * (extent.viewport_px - extent.row_px))
            });
        } else if let Some(track) = track.get_untracked() {
            grip.set(track.set_pointer_capture(event.pointer_id()).is_ok().then_some(at - edge));
        }
    };
    let drag = move |event: web_sys::PointerEvent| {
        let Some(grip) = grip.get_untracked() else { return };
        let way = untrack(|| height() - thumb());
        if way > 0.0 {
            let share = (pointer(&event) - grip) / way;
            feed.go(|extent, _| extent.position_at(share));
        }
    };
    view! {
        <div
            class="scrollbar"
            class:idle=move || { feed.extent().share_in_sight() >= 1.0 }
            node_ref=track
            role="scrollbar"
            aria-controls=LIST_ID
            aria-label="Position in the lines"
            aria-orientation="vertical"
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || format!("{:.0}", share() * 100.0)
            on:pointerdown=press
            on:pointermove=drag
            on:pointerup=move |_| grip.set(None)
            on:pointercancel=move |_| grip.set(None)
        >
            <div
                class="thumb"
                style:height=move || px(thumb())
                style:transform=move || format!("translateY({}px)", top())
            ></div>
            <Hairline />
        </div>
    }
}

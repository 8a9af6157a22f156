//! The handle between charts and lines; the split is kept in this browser.

use crate::prefs;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::decimal::parse_decimal;

const SMALLEST: f64 = 20.0;
const LARGEST: f64 = 80.0;
const STEP: f64 = 2.0;

/// The share of the height that charts take, in percent, as it was left.
pub fn stored_split() -> f64 {
    prefs::read("split")
        .and_then(|text| parse_decimal(&text))
        .map_or(55.0, |split: f64| split.clamp(SMALLEST, LARGEST))
}

/// The handle.
#[component]
pub fn Splitter(split: RwSignal<f64>) -> impl IntoView {
    let handle = NodeRef::<html::Div>::new();
    let dragging = RwSignal::new(false);
    let set = move |percent: f64| {
        let percent = percent.clamp(SMALLEST, LARGEST);
        split.set(percent);
        prefs::write("split", &format!("{percent:.1}"));
    };
    let press = move |event: web_sys::PointerEvent| {
        if let Some(handle) = handle.get_untracked() {
            dragging.set(handle.set_pointer_capture(event.pointer_id()).is_ok());
        }
    };
    let drag = move |event: web_sys::PointerEvent| {
        let parent = handle.get_untracked().and_then(|handle| handle.parent_element());
        let Some(parent) = parent.filter(|_| dragging.get_untracked()) else { return };
        let bounds = parent.get_bounding_client_rect();
        set((f64::from(event.client_y()) - bounds.top()) / bounds.height().max(1.0) * 100.0);
    };
    let key = move |event: web_sys::KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowUp" => -STEP,
            "ArrowDown" => STEP,
            _ => return,
        };
        event.prevent_default();
        set(split.get_untracked() + by);
    };
    view! {
        <div
            class="splitter"
            node_ref=handle
            role="separator"
            aria-orientation="horizontal"
            aria-label="Height of charts and lines"
            aria-valuenow=move || format!("{:.0}", split.get())
            tabindex="0"
            on:pointerdown=press
            on:pointermove=drag
            on:pointerup=move |_| dragging.set(false)
            on:pointercancel=move |_| dragging.set(false)
            on:keydown=key
        ></div>
    }
}

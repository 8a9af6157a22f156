//! A popover that opens under its button: Escape and a click elsewhere close it, and the focus goes back to the button.

use super::focus::{focus_in, has_focus};
use super::icons::{Glyph, Icon};
use crate::size::{is_phone, px};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// What is left free below, and how high it is at least.
const ROOM_PX: f64 = 12.0;
const LEAST_PX: i32 = 120;

/// A button and what it opens.
#[component]
pub(super) fn Choice(
    /// The button's accessible name.
    #[prop(into)]
    name: String,
    /// What the button shows.
    #[prop(into, optional)]
    label: Signal<String>,
    /// What the button shows in place of a label.
    #[prop(default = None, into)]
    icon: Option<Icon>,
    /// Whether it is open; the content may close it.
    open: RwSignal<bool>,
    /// What is opened.
    children: ChildrenFn,
) -> impl IntoView {
    let root = NodeRef::<html::Div>::new();
    view! {
        <div class="choice" node_ref=root on:keydown=move |event| close_on_escape(&event, open)>
            <button
                class="control"
                class:icon-only=icon.is_some()
                aria-label=name.clone()
                aria-expanded=move || open.get().to_string()
                aria-haspopup="dialog"
                on:click=move |_| open.update(|open| *open = !*open)
            >
                {match icon {
                    Some(icon) => view! { <Glyph icon /> }.into_any(),
                    None => {
                        view! {
                            <span class="choice-label">{move || label.get()}</span>
                            <Glyph icon=Icon::Chevron />
                        }
                            .into_any()
                    }
                }}
            </button>
            <Popover root open name=name.clone() children />
        </div>
    }
}

/// What opens in the element of a button, which is the first one there.
#[component]
pub(super) fn Popover(
    root: NodeRef<html::Div>,
    open: RwSignal<bool>,
    name: String,
    #[prop(default = "popover")] class: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    close_outside(root, open);
    view! {
        <Show when=move || open.get()>
            {on_cleanup(move || give_focus_back(root))}
            // Who clicks on what is no button stays in here, and Escape still means this.
            <div class=class role="dialog" tabindex="-1" aria-label=name.clone() style:max-height=room_below(root)>{children()}</div>
        </Show>
    }
}

/// How high it may be: what does not fit in the window is scrolled. A phone's style says so itself.
fn room_below(root: NodeRef<html::Div>) -> String {
    let height = window().inner_height().ok().and_then(|height| height.as_f64());
    let root = root.get_untracked().filter(|_| !is_phone());
    let free =
        height.zip(root).map(|(height, root)| height - root.get_bounding_client_rect().bottom() - ROOM_PX);
    free.map(|free| px(f64::from((free as i32).max(LEAST_PX)))).unwrap_or_default()
}

/// The focus would go with what closes. A press elsewhere takes it there afterwards.
fn give_focus_back(root: NodeRef<html::Div>) {
    let Some(root) = root.try_get_untracked().flatten() else { return };
    if has_focus(&root) {
        focus_in(&root, "button");
    }
}

/// A press elsewhere closes what is open.
fn close_outside(root: NodeRef<html::Div>, open: RwSignal<bool>) {
    let outside = window_event_listener(leptos::ev::pointerdown, move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let inside = root.get_untracked().is_some_and(|root| root.contains(target.as_ref()));
        if !inside && open.get_untracked() {
            open.set(false);
        }
    });
    on_cleanup(move || outside.remove());
}

/// Escape closes what is open, and nothing behind it.
pub(super) fn close_on_escape(event: &web_sys::KeyboardEvent, open: RwSignal<bool>) {
    if event.key() == "Escape" && open.get_untracked() {
        event.stop_propagation();
        open.set(false);
    }
}

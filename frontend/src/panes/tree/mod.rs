//! The side of the page: components with their volumes, and metrics, as trees. On narrower pages a rail that it opens from.

mod components;
mod drag;
mod metrics;
mod rows;
mod strip;

use super::choice::close_on_escape;
use super::focus::focus;
use super::icons::{Glyph, Icon};
use crate::feeds::Loaded;
use crate::size::is_phone;
use components::ComponentRows;
pub use drag::{AddMetric, MetricDrag};
use leptos::html;
use leptos::prelude::*;
use metrics::MetricRows;
use sonde_shared::api::Components;

/// Which of the two trees shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shown {
    #[default]
    Components,
    Metrics,
}

/// Both trees, or the rail they open from.
#[component]
pub fn SideTree(components: Loaded<Components>, open: RwSignal<bool>) -> impl IntoView {
    let shown = RwSignal::new(Shown::default());
    let root = NodeRef::<html::Aside>::new();
    focus_what_opens(root, open);
    view! {
        <aside
            class="tree"
            class:open=move || open.get()
            node_ref=root
            aria-label="Components and metrics"
            on:keydown=move |event| close_on_escape(&event, open)
        >
            <button
                class="control icon-only rail-button"
                aria-label="Components"
                title="Components and metrics"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <Glyph icon=Icon::Components />
            </button>
            <div class="tree-body">
                <div class="tree-tabs" role="group" aria-label="What the tree shows">
                    <Tab name="Components" of=Shown::Components shown />
                    <Tab name="Metrics" of=Shown::Metrics shown />
                </div>
                {move || match shown.get() {
                    Shown::Components => view! { <ComponentRows components open /> }.into_any(),
                    Shown::Metrics => view! { <MetricRows open /> }.into_any(),
                }}
            </div>
        </aside>
    }
}

#[component]
fn Tab(name: &'static str, of: Shown, shown: RwSignal<Shown>) -> impl IntoView {
    view! {
        <button class="tree-tab" aria-pressed=move || (shown.get() == of).to_string() on:click=move |_| shown.set(of)>
            {name}
        </button>
    }
}

/// Who opens the trees goes on in them; who closes them is back at their button, which on a phone is the tab at the bottom.
fn focus_what_opens(root: NodeRef<html::Aside>, open: RwSignal<bool>) {
    Effect::new(move |before: Option<bool>| {
        let open = open.get();
        let selector = match open {
            true => ".tree-rows, .tree-filter",
            false if is_phone() => ".sheet-tabs .tab:last-child",
            false => ".rail-button",
        };
        if before.is_some_and(|before| before != open) {
            request_animation_frame(move || focus_in(root, selector));
        }
        open
    });
}

/// Closing by a press elsewhere leaves the focus there.
fn focus_in(root: NodeRef<html::Aside>, selector: &str) {
    let Some(root) = root.try_get_untracked().flatten() else { return };
    let focused = document().active_element();
    let is_elsewhere =
        focused.is_some_and(|element| element.tag_name() != "BODY" && !root.contains(Some(&element)));
    if !is_elsewhere {
        focus(selector);
    }
}

//! The list of keys, and of what pointer and fingers do, by what it is done to.

use super::icons::{Glyph, Icon};
use crate::boxed::effect;
use crate::chart::ChartContext;
use crate::keys::KeyChoice;
use leptos::html;
use leptos::prelude::*;

/// What keys, pointer and fingers do, by what they do it to.
const GROUPS: [(&str, &[(&str, &str)]); 5] = [
    (
        "Select",
        &[
            ("drag", "on a chart: select a range and see its lines"),
            ("Shift + ← →", "on a chart: extend a selection"),
            ("Enter", "on a chart: take the selection over"),
            ("[ ]", "on a chart: pick an edge of the selection"),
            ("s", "edges snap to ticks and events, also during a drag"),
            ("b", "the next band is what the selection is compared with"),
        ],
    ),
    (
        "Move and zoom",
        &[
            ("Shift + drag", "move along the time axis"),
            ("Ctrl + wheel", "zoom about the pointer; over the time axis the wheel alone"),
            ("two fingers", "on a chart: move and zoom"),
            ("double-click", "zoom to the selection; outside of it, back"),
            ("+ −", "on a chart: zoom"),
            ("PageUp PageDown", "on a chart: move by half of what is seen"),
            ("z Backspace", "on a chart: zoom to the selection; back one zoom"),
        ],
    ),
    (
        "Charts",
        &[
            ("← →", "move the crosshair"),
            ("Ctrl + ← →", "to the next tick"),
            ("Home End", "the crosshair to the start or end of the range"),
            ("m", "the active chart alone, or all again"),
            ("f", "the lines follow the crosshair, or stay"),
        ],
    ),
    (
        "Lines",
        &[
            ("↑ ↓, k j", "next line"),
            ("PageUp PageDown", "a page"),
            ("Home End, g G", "first and last line"),
            ("Enter", "show the line's fields, or close them"),
            ("n N", "next and previous match of the text"),
            ("e E", "next and previous error"),
            ("w W", "next and previous warning or worse"),
            ("s S", "where they come slower"),
            ("] [", "next and previous silence"),
        ],
    ),
    (
        "Page",
        &[
            ("/", "filter the lines by text"),
            ("l", "follow the clock, or stop"),
            (
                "Esc",
                "undo one layer: drag, what lies over the page, expanded line, maximized chart, crosshair, baseline, selection",
            ),
            ("?", "this list"),
        ],
    ),
];

/// The dialog.
#[component]
pub fn HelpDialog(open: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    effect(move || {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let charts: ChartContext = expect_context();
    let KeyChoice(letters) = expect_context();
    view! {
        <dialog class="help" node_ref=dialog aria-label="Keys" on:close=move |_| open.set(false)>
            <header>
                <h2>"Keys"</h2>
                <button class="control icon-only" aria-label="Close" on:click=move |_| open.set(false)>
                    <Glyph icon=Icon::Close />
                </button>
            </header>
            <div class="help-groups">{GROUPS.map(group)}</div>
            <div class="help-choices">
                <Switch name="Edges snap to ticks and events (s)" on=charts.snaps />
                <Switch name="Single letters act as keys" on=letters />
            </div>
        </dialog>
    }
}

fn group((name, keys): (&'static str, &'static [(&'static str, &'static str)])) -> impl IntoView {
    let key =
        |(key, what): &(&'static str, &'static str)| view! { <dt><kbd>{*key}</kbd></dt><dd>{*what}</dd> };
    view! {
        <section>
            <h3>{name}</h3>
            <dl>{keys.iter().map(key).collect_view()}</dl>
        </section>
    }
}

/// A choice that is kept in this browser.
#[component]
fn Switch(name: &'static str, on: RwSignal<bool>) -> impl IntoView {
    view! {
        <label class="switch">
            <input type="checkbox" prop:checked=on on:change=move |event| on.set(event_target_checked(&event)) />
            {name}
        </label>
    }
}

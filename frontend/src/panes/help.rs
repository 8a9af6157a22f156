//! The list of keys.

use super::icons::{Glyph, Icon};
use crate::boxed::{effect, handler};
use crate::chart::ChartContext;
use crate::keys::KeyChoice;
use leptos::html;
use leptos::prelude::*;

const KEYS: [(&str, &str); 29] = [
    ("drag", "select a range and see its lines"),
    ("Shift + drag", "move along the time axis"),
    ("Ctrl + wheel", "zoom about the pointer; over the time axis the wheel alone"),
    ("double-click", "zoom to the selection; outside of it, back"),
    ("s", "edges snap to ticks and events, also during a drag"),
    ("b", "the next band is what the selection is compared with"),
    ("f", "the lines follow the crosshair on a chart, or stay"),
    ("m", "the active chart alone, or all again"),
    ("two fingers", "on a chart: move and zoom"),
    ("← →", "on a chart: move the crosshair"),
    ("Home End", "on a chart: the crosshair to the start or end of the range"),
    ("Ctrl + ← →", "on a chart: to the next tick"),
    ("Shift + ← →", "on a chart: extend a selection"),
    ("Enter", "on a chart: select; on a line: show its fields"),
    ("[ ]", "on a chart: pick an edge of the selection"),
    ("+ −", "on a chart: zoom"),
    ("Backspace", "on a chart: back one zoom"),
    ("↑ ↓, k j", "in the lines: next line"),
    ("PageUp PageDown", "in the lines: a page"),
    ("Home End, g G", "in the lines: first and last line"),
    ("n N", "in the lines: next and previous match of the text"),
    ("e E", "in the lines: next and previous error"),
    ("w W", "in the lines: next and previous warning or worse"),
    ("s S", "in the lines: where they come slower"),
    ("] [", "in the lines: next and previous silence"),
    ("/", "filter the lines by text"),
    ("l", "follow the clock, or stop"),
    ("Esc", "undo one layer: drag, what lies over the page, maximized chart, crosshair, baseline, selection"),
    ("?", "this list"),
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
        <dialog class="help" node_ref=dialog aria-label="Keys" on:close=handler(move |_| open.set(false))>
            <header>
                <h2>"Keys"</h2>
                <button class="control icon-only" aria-label="Close" on:click=handler(move |_| open.set(false))>
                    <Glyph icon=Icon::Close />
                </button>
            </header>
            <dl>
                {KEYS
                    .into_iter()
                    .map(|(key, what)| view! { <dt><kbd>{key}</kbd></dt><dd>{what}</dd> })
                    .collect_view()}
            </dl>
            <Switch name="Edges snap to ticks and events (s)" on=charts.snaps />
            <Switch name="Single letters act as keys" on=letters />
        </dialog>
    }
}

/// A choice that is kept in this browser.
#[component]
fn Switch(name: &'static str, on: RwSignal<bool>) -> impl IntoView {
    view! {
        <label class="switch">
            <input type="checkbox" prop:checked=on on:change=handler(move |event| on.set(event_target_checked(&event))) />
            {name}
        </label>
    }
}

//! The list of keys.

use super::icons::{Glyph, Icon};
use leptos::html;
use leptos::prelude::*;

const KEYS: [(&str, &str); 16] = [
    ("drag", "select a range and see its lines"),
    ("Shift + drag", "move along the time axis"),
    ("Ctrl + wheel", "zoom about the pointer"),
    ("double-click", "zoom to the selection; outside of it, back"),
    ("← →", "on a chart: move the crosshair"),
    ("Shift + ← →", "on a chart: extend a selection"),
    ("Enter", "on a chart: select; on a line: show its fields"),
    ("[ ]", "on a chart: pick an edge of the selection"),
    ("+ −", "on a chart: zoom"),
    ("↑ ↓", "in the lines: next line"),
    ("PageUp PageDown", "in the lines: a page"),
    ("Home End", "in the lines: first and last line"),
    ("/", "filter the lines by text"),
    ("l", "follow the clock, or stop"),
    ("Esc", "close, or undo the selection"),
    ("?", "this list"),
];

/// The dialog.
#[component]
pub fn HelpDialog(open: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    view! {
        <dialog class="help" node_ref=dialog aria-label="Keys" on:close=move |_| open.set(false)>
            <header>
                <h2>"Keys"</h2>
                <button class="control icon-only" aria-label="Close" on:click=move |_| open.set(false)>
                    <Glyph icon=Icon::Close />
                </button>
            </header>
            <dl>
                {KEYS
                    .into_iter()
                    .map(|(key, what)| view! { <dt><kbd>{key}</kbd></dt><dd>{what}</dd> })
                    .collect_view()}
            </dl>
        </dialog>
    }
}

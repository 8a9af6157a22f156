//! The keys that act everywhere: single letters, which can be switched off, and Escape, which undoes one layer at a time.

use crate::chart::ChartContext;
use crate::panes::WhyPlace;
use crate::prefs;
use crate::session::Session;
use crate::state::{Command, EditStep};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Whether single letters act; kept in this browser. Who speaks to the computer sets off letters by the way.
#[derive(Clone, Copy)]
pub struct KeyChoice(pub RwSignal<bool>);

/// What the keys act on.
#[derive(Clone, Copy)]
pub struct KeyTargets {
    /// The page's state.
    pub session: Session,
    /// What the charts share.
    pub charts: ChartContext,
    /// Whether single letters act.
    pub letters: KeyChoice,
    /// Whether the lines follow the crosshair.
    pub follows: RwSignal<bool>,
    /// The list of keys.
    pub help: RwSignal<bool>,
    /// The components, where they are folded away.
    pub tree_open: RwSignal<bool>,
    /// What changed, where it lies over the page.
    pub why: WhyPlace,
}

/// Reads the choice and offers it to the list of keys.
pub fn provide_key_choice() -> KeyChoice {
    let choice = KeyChoice(prefs::switch("letters", true));
    provide_context(choice);
    choice
}

/// Letters act everywhere but in inputs.
pub fn listen_to_keys(on: KeyTargets) {
    let listener = window_event_listener(leptos::ev::keydown, move |event| {
        let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
        if modified || event.default_prevented() || is_in_input(&event) || on.help.get_untracked() {
            return;
        }
        if act(&event.key(), on) {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
}

/// Whether the key means something.
fn act(key: &str, on: KeyTargets) -> bool {
    let KeyTargets { session, charts, letters, help, follows, .. } = on;
    if session.now_part(|state| state.view.wall) {
        // A wall has no keys but the one that leaves it.
        let leaves = key == "Escape";
        if leaves {
            session.send(Command::SetWall(false));
        }
        return leaves;
    }
    match key {
        "Escape" => undo_a_layer(on),
        _ if !letters.0.get_untracked() => return false,
        "?" => help.set(true),
        "l" => session.send(Command::ToggleLive),
        "s" => charts.snaps.update(|on| *on = !*on),
        "m" => toggle_maximized(session),
        "f" => follows.update(|on| *on = !*on),
        "b" => charts.arm(!charts.armed.get_untracked()),
        "/" => session.text_filter_focus.update(|count| *count += 1),
        _ => return false,
    }
    true
}

/// The active panel alone, else the first; or all of them again.
fn toggle_maximized(session: Session) {
    let next = session.now_part(|state| {
        let first = || state.panels().next().map(|panel| panel.id.clone());
        if state.maximized().is_some() { None } else { state.view.panel.clone().or_else(first) }
    });
    session.send(Command::Maximize(next));
}

/// A drag, then what is open, the maximized panel, the pinned crosshair, the baseline, the selection.
fn undo_a_layer(on: KeyTargets) {
    let KeyTargets { session, charts, tree_open, why, .. } = on;
    if charts.held.get_untracked() || charts.draft.with_untracked(Option::is_some) {
        charts.drop_drag.update(|count| *count += 1);
    } else if charts.armed.get_untracked() {
        charts.arm(false);
    } else if tree_open.get_untracked() {
        tree_open.set(false);
    } else if session.now_part(|state| state.editor.is_some()) {
        session.send(Command::Edit(EditStep::Close));
    } else if why.lies_over() {
        why.uncover();
    } else if session.now_part(|state| state.view.line.is_some()) {
        session.send(Command::PinLine(None));
    } else if session.now_part(|state| state.maximized().is_some()) {
        session.send(Command::Maximize(None));
    } else if charts.pinned.with_untracked(Option::is_some) {
        charts.pinned.set(None);
    } else if session.now_part(|state| state.view.baseline.is_some()) {
        session.send(Command::SetBaseline(None));
    } else {
        session.send(Command::ClearSelection);
    }
}

fn is_in_input(event: &web_sys::KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

//! The editor of a panel: beside the charts, which show each value as it is typed. What is saved is the dashboard's file; until
//! then the address has what was edited, so that closing the editor loses nothing.

mod actions;
mod field;
mod target_field;
mod targets;
mod thresholds;

use super::focus::focus;
use super::icons::{Glyph, Icon};
use crate::feeds::Completion;
use crate::session::{Session, use_session};
use crate::state::{Command, EditStep};
use actions::Actions;
use field::TextField;
use leptos::prelude::*;
use sonde_shared::dashboard::{Draw, Panel, slug};
use sonde_shared::decimal::parse_decimal;
use targets::Targets;
use thresholds::Thresholds;
use wasm_bindgen::JsCast;

pub(super) use actions::SaveProblem;

/// Units that the axis knows how to write; any other text may be typed.
const UNITS: [&str; 7] = ["ms", "s", "%", "bytes", "bytes/s", "bits/s", "none"];

/// The editor, while a panel is edited.
#[component]
pub fn PanelEditor() -> impl IntoView {
    let session = use_session();
    let completion = Completion::new();
    provide_context(completion);
    let edited = session.part(|state| state.editor.as_ref().map(|editor| editor.renewed));
    move || {
        edited.get().map(|_| {
            completion.start();
            view! { <Editor /> }
        })
    }
}

#[component]
fn Editor() -> impl IntoView {
    let session = use_session();
    let panel = session.now_part(|state| state.edited_panel().cloned());
    let close_on_escape = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            close(session);
        }
    };
    view! {
        <aside class="editor" aria-label="Edit the chart" on:keydown=close_on_escape>
            <header class="editor-head">
                <h2>"Edit the chart"</h2>
                <button
                    class="control icon-only small"
                    aria-label="Close the editor (Esc)"
                    title="Close; what was edited stays (Esc)"
                    on:click=move |_| close(session)
                >
                    <Glyph icon=Icon::Close />
                </button>
            </header>
            {match panel {
                Some(panel) => view! { <Fields panel /> }.into_any(),
                None => view! { <p class="state muted">"The last chart was removed."</p> }.into_any(),
            }}
            <Actions />
        </aside>
    }
}

/// Closes the editor; the field with the focus is left first, so that its text is taken over. The focus goes back to what opened it.
fn close(session: Session) {
    let focused =
        document().active_element().and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(focused) = focused {
        drop(focused.blur());
    }
    let panel = session.now_part(|state| state.editor.as_ref().map(|editor| editor.panel.clone()));
    session.send(Command::Edit(EditStep::Close));
    let Some(panel) = panel else { return };
    request_animation_frame(move || focus(&["[data-edit=\"", &panel, "\"]"].concat()));
}

/// Changes the edited panel as it is now.
fn change(session: Session, with: impl FnOnce(&mut Panel)) {
    if let Some(mut panel) = session.now_part(|state| state.edited_panel().cloned()) {
        with(&mut panel);
        session.send(Command::Edit(EditStep::Change(Box::new(panel))));
    }
}

/// The unit of an axis.
#[component]
fn UnitField(label: &'static str, value: String, of: fn(&mut Panel) -> &mut String) -> impl IntoView {
    let session = use_session();
    let options = UNITS.map(str::to_owned).to_vec();
    let on_change = move |text: String| {
        change(session, |panel| text.trim().clone_into(of(panel)));
        None
    };
    view! { <TextField label value options on_change /> }
}

#[component]
fn Fields(panel: Panel) -> impl IntoView {
    let session = use_session();
    // The name of a chart that is not saved follows its title.
    let id =
        session.part(|state| state.editor.as_ref().map(|editor| editor.panel.clone()).unwrap_or_default());
    let Panel { title, targets, unit, logs, min, max, draw, right, right_unit, thresholds, .. } = panel;
    let more = !right.is_empty() || !thresholds.is_empty();
    view! {
        <div class="editor-fields">
            <TextField label="Title" value=title on_change=move |text: String| set_title(session, text) />
            <Targets label="Targets" targets on_change=move |targets| change(session, |panel| panel.targets = targets) />
            <div class="editor-pair">
                <DrawnAs draw />
                <UnitField label="Unit" value=unit of=|panel| &mut panel.unit />
            </div>
            <TextField
                label="Component of its lines"
                hint="found from the metrics"
                value=logs.unwrap_or_default()
                options=session.now_part(|state| {
                    state.components.iter().flat_map(|all| &all.components).map(|one| one.path.clone()).collect()
                })
                on_change=move |text: String| {
                    let text = text.trim().to_owned();
                    change(session, |panel| panel.logs = (!text.is_empty()).then_some(text));
                    None
                }
            />
            <AxisEnds min max />
            <details class="editor-more" open=more>
                <summary>"Thresholds, right axis, name in addresses"</summary>
                <Thresholds thresholds />
                <Targets
                    label="Targets of the right axis"
                    targets=right
                    on_change=move |targets| change(session, |panel| panel.right = targets)
                />
                <UnitField label="Unit of the right axis" value=right_unit of=|panel| &mut panel.right_unit />
                <TextField label="Name in addresses" value=id at_end=true on_change=move |text: String| rename(session, &text) />
            </details>
        </div>
    }
}

#[component]
fn DrawnAs(draw: Draw) -> impl IntoView {
    let session = use_session();
    view! {
        <label class="editor-field">
            <span>"Drawn as"</span>
            <select
                class="field"
                on:change=move |event| {
                    let drawn = Draw::parse(&event_target_value(&event));
                    change(session, |panel| panel.draw = drawn.unwrap_or_default());
                }
            >
                {Draw::ALL.map(|kind| view! { <option selected=kind == draw>{kind.name()}</option> }).collect_view()}
            </select>
        </label>
    }
}

#[component]
fn AxisEnds(min: Option<f64>, max: Option<f64>) -> impl IntoView {
    let session = use_session();
    let written = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    view! {
        <div class="editor-pair">
            <TextField
                label="Axis begins at"
                hint="the data"
                value=written(min)
                on_change=move |text: String| set_number(&text, |number| change(session, |panel| panel.min = number))
            />
            <TextField
                label="and ends at"
                hint="the data"
                value=written(max)
                on_change=move |text: String| set_number(&text, |number| change(session, |panel| panel.max = number))
            />
        </div>
    }
}

fn set_title(session: Session, text: String) -> Option<String> {
    if text.trim().is_empty() {
        return Some("A chart needs a title.".to_owned());
    }
    change(session, |panel| panel.title = text);
    None
}

/// Takes a number over, or none for an empty text; else what is wrong.
fn set_number(text: &str, set: impl FnOnce(Option<f64>)) -> Option<String> {
    let text = text.trim();
    let number = parse_decimal(text).filter(|number| number.is_finite());
    if number.is_none() && !text.is_empty() {
        return Some("This is no number.".to_owned());
    }
    set(number);
    None
}

/// Gives the panel another id; what has another's says so.
fn rename(session: Session, text: &str) -> Option<String> {
    let id = slug(text);
    let taken = session.now_part(|state| {
        let own = state.editor.as_ref().map(|editor| editor.panel.as_str());
        state.panels().any(|panel| panel.id == id && Some(panel.id.as_str()) != own)
    });
    if taken {
        return Some("Another chart has this name.".to_owned());
    }
    session.send(Command::Edit(EditStep::Rename(id)));
    None
}

//! The editor of a panel: beside the charts, which show each value once its field is left. What is saved is the dashboard's file.

use super::icons::{Glyph, Icon};
use crate::feeds::{Completion, PageFeed, Saving, save_dashboard};
use crate::session::{Session, use_session};
use crate::state::{Command, EditStep};
use leptos::prelude::*;
use sonde_shared::dashboard::{Draw, Panel};
use target_field::TargetField;

mod target_field;

/// Units that the axis knows how to write; any other text may be typed.
const UNITS: [&str; 6] = ["ms", "s", "%", "bytes", "bytes/s", "bits/s"];

/// How a panel may be drawn.
const DRAWN: [(&str, Draw); 5] = [
    ("line", Draw::Line),
    ("area", Draw::Area),
    ("stacked", Draw::Stacked),
    ("points", Draw::Points),
    ("staircase", Draw::Staircase),
];

/// The editor, while a dashboard is edited.
#[component]
pub fn PanelEditor() -> impl IntoView {
    let session = use_session();
    let completion = Completion::new();
    provide_context(completion);
    let edited = session.part(|state| state.edit.as_ref().map(|edit| (edit.panel.clone(), edit.added)));
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
    let cancel_on_escape = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            session.send(Command::Edit(EditStep::Cancel));
        }
    };
    view! {
        <aside class="editor" aria-label="Edit the chart" on:keydown=cancel_on_escape>
            <header class="editor-head">
                <h2>"Edit the chart"</h2>
                <button
                    class="control icon-only small"
                    aria-label="Close without saving"
                    on:click=move |_| session.send(Command::Edit(EditStep::Cancel))
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

/// Changes the edited panel as it is now.
fn change(session: Session, with: impl FnOnce(&mut Panel)) {
    if let Some(mut panel) = session.now_part(|state| state.edited_panel().cloned()) {
        with(&mut panel);
        session.send(Command::Edit(EditStep::Change(Box::new(panel))));
    }
}

#[component]
fn Fields(panel: Panel) -> impl IntoView {
    let session = use_session();
    let Panel { title, targets, unit, logs, min, max, draw, .. } = panel;
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let read = |text: String| text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
    view! {
        <div class="editor-fields">
            <TextField label="Title" value=title on_change=move |text| change(session, |panel| panel.title = text) />
            <Targets targets />
            <label class="editor-field">
                <span>"Drawn as"</span>
                <select
                    class="field"
                    on:change=move |event| {
                        let name = event_target_value(&event);
                        let drawn = DRAWN.iter().find(|(of_kind, _)| *of_kind == name).map(|(_, draw)| *draw);
                        change(session, |panel| panel.draw = drawn.unwrap_or_default());
                    }
                >
                    {DRAWN.into_iter().map(|(name, kind)| view! { <option selected=kind == draw>{name}</option> }).collect_view()}
                </select>
            </label>
            <TextField
                label="Unit"
                value=unit
                options=UNITS.map(str::to_owned).to_vec()
                on_change=move |text: String| change(session, |panel| text.trim().clone_into(&mut panel.unit))
            />
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
                }
            />
            <div class="editor-pair">
                <TextField
                    label="Axis begins at"
                    hint="the data"
                    value=number(min)
                    on_change=move |text| change(session, |panel| panel.min = read(text))
                />
                <TextField
                    label="and ends at"
                    hint="the data"
                    value=number(max)
                    on_change=move |text| change(session, |panel| panel.max = read(text))
                />
            </div>
        </div>
    }
}

/// One value, taken over when the field is left or Enter pressed.
#[component]
fn TextField(
    label: &'static str,
    #[prop(optional)] hint: &'static str,
    value: String,
    #[prop(optional)] options: Vec<String>,
    #[prop(into)] on_change: Callback<String>,
) -> impl IntoView {
    let list = format!("options-{}", label.replace(' ', "-"));
    let options = options.into_iter().map(|value| view! { <option value=value></option> }).collect_view();
    view! {
        <label class="editor-field">
            <span>{label}</span>
            <input
                class="field"
                type="text"
                placeholder=hint
                list=list.clone()
                prop:value=value
                on:change=move |event| on_change.run(event_target_value(&event))
            />
            <datalist id=list>{options}</datalist>
        </label>
    }
}

/// The targets, one field each.
#[component]
fn Targets(targets: Vec<String>) -> impl IntoView {
    let session = use_session();
    let rows = RwSignal::new(
        targets.into_iter().chain(std::iter::once(String::new())).map(RwSignal::new).collect::<Vec<_>>(),
    );
    let commit = move |()| {
        let texts =
            rows.with_untracked(|rows| rows.iter().map(|row| row.get_untracked()).collect::<Vec<_>>());
        let is_full = texts.last().is_none_or(|last| !last.trim().is_empty());
        let targets: Vec<String> =
            texts.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect();
        if is_full {
            rows.update(|rows| rows.push(RwSignal::new(String::new())));
        }
        change(session, |panel| panel.targets = targets);
    };
    view! {
        <div class="editor-field" role="group" aria-label="Targets">
            <span>"Targets"</span>
            <For
                each=move || rows.get().into_iter().enumerate()
                key=|(place, _)| *place
                children=move |(place, text)| view! { <TargetField place text on_commit=commit /> }
            />
            <p class="faint">"A metric, a glob, or functions of them: movingAverage(shop.*.ms, \"5min\")"</p>
        </div>
    }
}

/// What is done with the panel and with all changes.
#[component]
fn Actions() -> impl IntoView {
    let session = use_session();
    let feed: PageFeed = expect_context();
    let saving = RwSignal::new(Saving::Idle);
    let step = move |step: EditStep| session.send(Command::Edit(step));
    let missing = session.part(|state| {
        let panels = state.edit.iter().flat_map(|edit| &edit.board.panels);
        panels.filter(|panel| panel.asked().is_empty()).map(|panel| panel.title.clone()).next()
    });
    let is_made = session.part(|state| state.view.dashboard.as_deref() == Some("default"));
    view! {
        <div class="editor-actions">
            <div class="editor-row">
                <button class="control" on:click=move |_| step(EditStep::Move(-1))>"Up"</button>
                <button class="control" on:click=move |_| step(EditStep::Move(1))>"Down"</button>
                <span class="spring"></span>
                <button class="control danger" on:click=move |_| step(EditStep::Remove)>"Remove"</button>
            </div>
            {move || missing.get().map(|title| view! { <p class="problem" role="status">{format!("“{title}” has no targets yet.")}</p> })}
            <Show when=move || is_made.get()>
                <p class="faint">"This dashboard is made from the metrics there are. Saved, it is yours and stays as it is."</p>
            </Show>
            {move || match saving.get() {
                Saving::Refused(why) => Some(view! { <p class="problem" role="alert">{why}</p> }),
                Saving::Idle | Saving::Busy => None,
            }}
            <div class="editor-row">
                <button class="control" on:click=move |_| step(EditStep::Cancel)>"Cancel"</button>
                <span class="spring"></span>
                <button
                    class="control primary"
                    disabled=move || saving.get() == Saving::Busy || missing.get().is_some()
                    on:click=move |_| save_dashboard(session, feed, saving)
                >
                    {move || if saving.get() == Saving::Busy { "Saving…" } else { "Save the dashboard" }}
                </button>
            </div>
        </div>
    }
}

//! The values from which on things are bad.

use super::change;
use super::field::TYPING;
use crate::panes::icons::{Glyph, Icon};
use crate::rest::Rest;
use crate::session::use_session;
use leptos::prelude::*;
use sonde_shared::dashboard::Threshold;
use sonde_shared::decimal::parse_decimal;
use sonde_shared::log::Level;

/// One as it is typed.
#[derive(Clone, Copy)]
struct Row {
    key: usize,
    at: RwSignal<String>,
    level: RwSignal<Level>,
}

impl Row {
    fn number(self) -> Option<f64> {
        let at = self.at.with_untracked(|at| parse_decimal(at.trim()));
        at.filter(|at| at.is_finite())
    }
}

/// A row each, and a button for the next.
#[component]
pub(super) fn Thresholds(thresholds: Vec<Threshold>) -> impl IntoView {
    let session = use_session();
    let made = StoredValue::new(thresholds.len());
    let row = |(key, one): (usize, Threshold)| Row {
        key,
        at: RwSignal::new(one.at.to_string()),
        level: RwSignal::new(one.level),
    };
    let rows = RwSignal::new(thresholds.into_iter().enumerate().map(row).collect::<Vec<_>>());
    let commit = move || {
        let read = |row: &Row| Some(Threshold { at: row.number()?, level: row.level.get_untracked() });
        let all = rows.with_untracked(|rows| rows.iter().filter_map(read).collect());
        change(session, |panel| panel.thresholds = all);
    };
    let add = move |_| {
        made.update_value(|made| *made += 1);
        let row = Row {
            key: made.get_value(),
            at: RwSignal::new(String::new()),
            level: RwSignal::new(Level::Warn),
        };
        rows.update(|rows| rows.push(row));
    };
    let remove = move |key: usize| {
        rows.update(|rows| rows.retain(|row| row.key != key));
        commit();
    };
    view! {
        <div class="editor-field" role="group" aria-label="Thresholds">
            <span>"Thresholds"</span>
            <Each
                each=move || rows.get()
                key=|row| row.key
                children=move |row| view! { <ThresholdRow row on_change=move |()| commit() on_remove=move |()| remove(row.key) /> }
            />
            <button class="control small add-row" on:click=add>
                <Glyph icon=Icon::Add />
                "Add a threshold"
            </button>
        </div>
    }
}

#[component]
fn ThresholdRow(
    row: Row,
    #[prop(into)] on_change: Callback<()>,
    #[prop(into)] on_remove: Callback<()>,
) -> impl IntoView {
    let rest = Rest::new();
    let is_wrong = move || {
        row.at.with(|at| !at.trim().is_empty()) && {
            row.at.track();
            row.number().is_none()
        }
    };
    let take = move || {
        rest.stop();
        on_change.run(());
    };
    let option = move |level: Level| {
        view! { <option value=level.name() selected=level == row.level.get_untracked()>{level.name()}</option> }
    };
    view! {
        <div class="threshold-row">
            <select
                class="field"
                aria-label="Level"
                on:change=move |event| {
                    row.level.set(Level::parse(&event_target_value(&event)).unwrap_or(Level::Warn));
                    take();
                }
            >
                {[Level::Warn, Level::Error].map(option).collect_view()}
            </select>
            <input
                class="field mono"
                type="text"
                inputmode="decimal"
                autocomplete="off"
                aria-label="From which value on"
                placeholder="from which value on"
                prop:value=row.at
                aria-invalid=move || is_wrong().to_string()
                on:input=move |event| {
                    row.at.set(event_target_value(&event));
                    rest.after(TYPING, take);
                }
                on:change=move |_| take()
            />
            <button class="control icon-only small" aria-label="Remove this threshold" on:click=move |_| on_remove.run(())>
                <Glyph icon=Icon::Close />
            </button>
            <Show when=is_wrong>
                <span class="problem" role="status">"This is no number."</span>
            </Show>
        </div>
    }
}

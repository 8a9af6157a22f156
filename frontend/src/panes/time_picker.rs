//! Which range is shown: presets that follow the clock, or any range as it is typed.

use super::choice::Choice;
use crate::session::{Session, use_session};
use crate::state::{Command, TypedAgainst, parse_typed_range};
use crate::text;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::time::{NANOS_PER_SEC, TimeError};
use sonde_shared::view::{RangeSpec, Zone};

const MINUTE: i64 = 60 * NANOS_PER_SEC;
const PRESETS: [(&str, i64); 8] = [
    ("Last 15 min", 15 * MINUTE),
    ("Last 1 h", 60 * MINUTE),
    ("Last 3 h", 180 * MINUTE),
    ("Last 6 h", 360 * MINUTE),
    ("Last 12 h", 720 * MINUTE),
    ("Last 24 h", 1_440 * MINUTE),
    ("Last 7 d", 7 * 1_440 * MINUTE),
    ("Last 30 d", 30 * 1_440 * MINUTE),
];

/// The range's button and popover.
#[component]
pub(super) fn TimePicker() -> impl IntoView {
    let session = use_session();
    let open = RwSignal::new(false);
    let label = Memo::new(move |_| {
        let offset = session.offset_minutes.get();
        let now = session.server_now();
        let resolved = session.range.get();
        match session.view.with(|view| view.range) {
            Some(spec) if spec.is_relative() => text::range_label(spec, now, offset),
            _ => text::range(resolved, now, offset),
        }
    });
    view! {
        <Choice name="Time range" label=label open>
            <div class="time-picker">
                <ul class="presets">
                    {PRESETS
                        .into_iter()
                        .map(|(name, nanos)| {
                            let spec = RangeSpec::last(nanos);
                            let current = move || session.view.with(|view| view.range == Some(spec)).to_string();
                            let pick = move |_| {
                                session.send(Command::SetRange(spec));
                                open.set(false);
                            };
                            view! { <li><button class="item" aria-pressed=current on:click=pick>{name}</button></li> }
                        })
                        .collect_view()}
                </ul>
                <TypedRange open />
            </div>
        </Choice>
    }
}

/// The range as text; under it what it means, or what is wrong with it.
#[component]
fn TypedRange(open: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let input = NodeRef::<html::Input>::new();
    let typed = RwSignal::new(String::new());
    let problem = RwSignal::new(None::<String>);
    let apply = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let text = input.get_untracked().map(|input| input.value()).unwrap_or_default();
        match read(session, &text) {
            Ok(spec) => {
                session.send(Command::SetRange(spec));
                open.set(false);
            }
            Err(error) => problem.set(Some(error.to_string())),
        }
    };
    let on_input = move |event| {
        problem.set(None);
        typed.set(event_target_value(&event));
    };
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            input.select();
            drop(input.focus());
        }
    });
    view! {
        <form class="typed-range" on:submit=apply>
            <label for="typed-range">"From..until"</label>
            <input
                id="typed-range"
                node_ref=input
                class="field mono"
                spellcheck="false"
                autocomplete="off"
                value=untrack(|| written(session))
                aria-invalid=move || problem.with(Option::is_some).to_string()
                aria-describedby="typed-range-note"
                on:input=on_input
            />
            <p id="typed-range-note" class:problem=move || problem.with(Option::is_some)>
                {move || problem.get().or_else(|| meaning(session, &typed.get())).unwrap_or_else(|| hint(session))}
            </p>
            <button class="control primary" type="submit">"Show"</button>
        </form>
    }
}

/// Reads what was typed against what is in view.
fn read(session: Session, text: &str) -> Result<RangeSpec, TimeError> {
    let against = TypedAgainst {
        now: session.server_now(),
        shown: session.range.get_untracked(),
        offset_minutes: session.offset_minutes.get_untracked(),
    };
    parse_typed_range(text, against)
}

/// The range that the text means, with its date, as soon as it means one.
fn meaning(session: Session, text: &str) -> Option<String> {
    let spec = read(session, text).ok()?;
    let offset = session.offset_minutes.get_untracked();
    Some(text::dated_range(spec.resolve(session.server_now()), offset))
}

fn hint(session: Session) -> String {
    let zone = session.view.with(|view| view.zone.unwrap_or_default());
    let zone = if zone == Zone::Local { "your own zone" } else { "UTC" };
    format!(
        "09:30..10:15 on the day in view, yesterday, 2026-11-20 09:30..10:15, -90min or -2h..-1h; in {zone}"
    )
}

/// The range as it could be typed.
fn written(session: Session) -> String {
    let offset = session.offset_minutes.get();
    let range = session.range.get();
    match session.view.with(|view| view.range) {
        Some(spec) if spec.is_relative() => spec.to_string(),
        _ => format!("{}..{}", text::date_clock(range.from, offset), text::date_clock(range.until, offset)),
    }
}

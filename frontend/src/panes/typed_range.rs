//! A range as it is typed; under it what it means, or what is wrong with it.

use crate::boxed::effect;
use crate::session::{Session, use_session};
use crate::state::{TypedAgainst, TypedError, parse_typed_range};
use crate::text;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::view::{RangeSpec, Zone};

/// The field, which takes the focus, and its button.
#[component]
pub(super) fn TypedRange(
    /// What it holds at first.
    value: String,
    /// Takes what was typed once it is a range.
    #[prop(into)]
    apply: Callback<RangeSpec>,
    /// What the button is called.
    #[prop(default = "Show")]
    action: &'static str,
) -> impl IntoView {
    let session = use_session();
    let input = NodeRef::<html::Input>::new();
    let typed = RwSignal::new(String::new());
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let text = input.get_untracked().map(|input| input.value()).unwrap_or_default();
        match read(session, &text) {
            Ok(spec) => apply.run(spec),
            Err(error) => problem.set(Some(text::capitalized(&error.to_string()))),
        }
    };
    let on_input = move |event| {
        problem.set(None);
        typed.set(event_target_value(&event));
    };
    effect(move || {
        if let Some(input) = input.get() {
            input.select();
            drop(input.focus());
        }
    });
    view! {
        <form class="typed-range" on:submit=submit>
            <label for="typed-range">"From..until"</label>
            <input
                id="typed-range"
                node_ref=input
                class="field mono"
                spellcheck="false"
                autocomplete="off"
                value=value
                aria-invalid=move || problem.with(Option::is_some).to_string()
                aria-describedby="typed-range-note"
                on:input=on_input
            />
            <p id="typed-range-note" class:problem=move || problem.with(Option::is_some)>
                {move || problem.get().or_else(|| meaning(session, &typed.get())).unwrap_or_else(|| hint(session))}
            </p>
            <button class="control primary" type="submit">{action}</button>
        </form>
    }
}

/// Reads what was typed against what is in view.
fn read(session: Session, text: &str) -> Result<RangeSpec, TypedError> {
    let against = TypedAgainst {
        now: session.server_now(),
        shown: session.range.get_untracked(),
        zone: session.zone.get_untracked(),
    };
    parse_typed_range(text, against)
}

/// The range that the text means, with its date, as soon as it means one.
fn meaning(session: Session, text: &str) -> Option<String> {
    let spec = read(session, text).ok()?;
    Some(text::dated_range(spec.resolve(session.server_now()), session.zone.get_untracked()))
}

fn hint(session: Session) -> String {
    let zone = session.view.with(|view| view.zone.unwrap_or_default());
    let zone = if zone == Zone::Local { "your own zone" } else { "UTC" };
    format!(
        "09:30..10:15 on the day in view, yesterday 14:00..15:00, 2026-11-20 09:30..10:15, 3h or -2h..-1h; in {zone}"
    )
}

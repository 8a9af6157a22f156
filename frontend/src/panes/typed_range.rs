//! A range as it is typed; under it what it means, or what is wrong with it.

use crate::boxed::effect;
use crate::session::{Session, use_session};
use crate::state::{TypedAgainst, TypedError, parse_typed_range};
use crate::text;
use leptos::html;
use leptos::prelude::*;
use sonde_shared::time::TimeRange;
use sonde_shared::view::{RangeSpec, Zone};

/// The field and its button.
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
    /// What the field is called.
    #[prop(default = "From..until")]
    label: &'static str,
    /// The field's own name in the page.
    #[prop(default = "typed-range")]
    id: &'static str,
    /// The range that is changed, if it is one that has a length of its own.
    #[prop(default = None)]
    edited: Option<TimeRange>,
    /// Whether it takes the focus, and says what can be typed.
    #[prop(default = true)]
    is_first: bool,
) -> impl IntoView {
    let session = use_session();
    let read = move |text: &str| read(session, text, edited);
    let note = format!("{id}-note");
    let input = NodeRef::<html::Input>::new();
    let typed = RwSignal::new(String::new());
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let text = input.get_untracked().map(|input| input.value()).unwrap_or_default();
        match read(&text) {
            Ok(spec) => apply.run(spec),
            Err(error) => problem.set(Some(text::capitalized(&error.to_string()))),
        }
    };
    let on_input = move |event| {
        problem.set(None);
        typed.set(event_target_value(&event));
    };
    effect(move || {
        if let Some(input) = input.get().filter(|_| is_first) {
            input.select();
            drop(input.focus());
        }
    });
    view! {
        <form class="typed-range" on:submit=submit>
            <label for=id>{label}</label>
            <input
                id=id
                node_ref=input
                class="field mono"
                spellcheck="false"
                autocomplete="off"
                value=value
                aria-invalid=move || problem.with(Option::is_some).to_string()
                aria-describedby=note.clone()
                on:input=on_input
            />
            <p id=note class:problem=move || problem.with(Option::is_some)>
                {move || {
                    let said = problem.get().or_else(|| Some(meaning(session, read(&typed.get()).ok()?)));
                    said.or_else(|| is_first.then(|| hint(session, edited.is_some())))
                }}
            </p>
            <button class="control primary" type="submit">{action}</button>
        </form>
    }
}

/// Reads what was typed against what is in view.
fn read(session: Session, text: &str, edited: Option<TimeRange>) -> Result<RangeSpec, TypedError> {
    let against = TypedAgainst {
        now: session.server_now(),
        shown: session.range.get_untracked(),
        zone: session.zone.get_untracked(),
        edited,
    };
    parse_typed_range(text, against)
}

/// The range that the text means, with its date.
fn meaning(session: Session, spec: RangeSpec) -> String {
    text::dated_range(spec.resolve(session.server_now()), session.zone.get_untracked())
}

fn hint(session: Session, has_length: bool) -> String {
    let length = if has_length { "10m from its start" } else { "3h or -2h..-1h" };
    let zone = session.view.with(|view| view.zone.unwrap_or_default());
    let zone = if zone == Zone::Local { "your own zone" } else { "UTC" };
    format!(
        "09:30..10:15 on the day in view, yesterday 14:00..15:00, 2026-11-20 09:30..10:15, {length}; in {zone}"
    )
}

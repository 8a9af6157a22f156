//! The text filter: it applies as it is typed, as text or as a regular expression.

use super::icons::{Glyph, Icon};
use crate::boxed::{effect, memo};
use crate::feeds::{LineFeed, Phase};
use crate::rest::Rest;
use crate::session::use_session;
use crate::state::Command;
use crate::text;
use leptos::html;
use leptos::prelude::*;
use std::time::Duration;

/// How long a pause in typing counts as done.
const TYPING: Duration = Duration::from_millis(200);

/// What a reader who finds nothing may have missed.
pub(super) const CASE_COUNTS: &str = "Upper and lower case count";
const CASE_COUNTS_UNLESS: &str = "Upper and lower case count, unless it begins with (?i)";

/// The field, the switch for expressions, and what is wrong with one.
#[component]
pub(super) fn TextFilter() -> impl IntoView {
    let session = use_session();
    let feed: LineFeed = expect_context();
    let contains = session.part(|state| state.view.contains.clone());
    let is_on = memo(move || contains.with(|text| !text.is_empty()));
    let is_regex = session.part(|state| state.view.is_regex);
    let input = NodeRef::<html::Input>::new();
    let rest = Rest::new();
    let apply = move || {
        rest.stop();
        if let Some(input) = input.get_untracked() {
            session.send(Command::SetContains(input.value()));
        }
    };
    let clear = move || {
        rest.stop();
        feed.sought_text.set(None);
        session.send(Command::SetContains(String::new()));
    };
    effect(move || {
        if session.text_filter_focus.get() > 0
            && let Some(input) = input.get()
        {
            input.select();
            drop(input.focus());
        }
    });
    let key = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Enter" => apply(),
        "Escape" => {
            event.stop_propagation();
            // The text and the field are one layer.
            if let Some(input) = input.get_untracked() {
                input.set_value("");
                drop(input.blur());
            }
            clear();
        }
        _ => {}
    };
    let why = memo(move || feed.phase.with(wrong_expression));
    view! {
        <div class="text-filter" class:on=move || is_on.get() class:wrong=move || why.with(Option::is_some)>
            <Glyph icon=Icon::Search />
            <input
                node_ref=input
                class="field"
                type="text"
                aria-label="Text in the line"
                aria-invalid=move || why.with(Option::is_some).to_string()
                aria-describedby="text-filter-problem"
                placeholder=move || if is_regex.get() { "Expression in the line  /" } else { "Text in the line  /" }
                title=move || if is_regex.get() { CASE_COUNTS_UNLESS } else { CASE_COUNTS }
                spellcheck="false"
                autocomplete="off"
                prop:value=move || contains.get()
                on:input=move |_| rest.after(TYPING, apply)
                on:change=move |_| apply()
                on:keydown=key
            />
            <Show when=move || is_on.get()>
                <button class="control small icon-only clear" aria-label="Clear the text filter" on:click=move |_| clear()>
                    <Glyph icon=Icon::Close />
                </button>
            </Show>
            <button
                class="control small icon-only regex mono"
                aria-label="Regular expression"
                title="The text is a regular expression"
                aria-pressed=move || is_regex.get().to_string()
                on:click=move |_| session.send(Command::SetRegex(!is_regex.get_untracked()))
            >
                ".*"
            </button>
            <div id="text-filter-problem" role="alert">
                {move || why.get().map(|why| view! { <p class="popover problem mono">{why}</p> })}
            </div>
        </div>
    }
}

/// What the server says of the expression, where it cannot read it.
pub(super) fn wrong_expression(phase: &Phase) -> Option<String> {
    match phase {
        Phase::Failed(error) if error.parameter.as_deref() == Some("regex") => {
            Some(text::capitalized(&error.sentence))
        }
        _ => None,
    }
}

//! What could not be read in the address.

use super::icons::{Glyph, Icon};
use crate::session::use_session;
use crate::state::Command;
use crate::text;
use leptos::prelude::*;

/// The note, while there is one.
#[component]
pub fn Notes() -> impl IntoView {
    let session = use_session();
    let problems = session.part(|state| state.problems.clone());
    view! {
        <Show when=move || problems.with(|problems| !problems.is_empty())>
            <div class="note" role="alert">
                <Glyph icon=Icon::Warning />
                <span>{move || sentence(&problems.get())}</span>
                <button
                    class="control icon-only"
                    aria-label="Dismiss"
                    on:click=move |_| session.send(Command::DismissProblems)
                >
                    <Glyph icon=Icon::Close />
                </button>
            </div>
        </Show>
    }
}

fn sentence(problems: &[String]) -> String {
    format!("{}. The rest of the link is shown.", text::capitalized(&problems.join("; ")))
}

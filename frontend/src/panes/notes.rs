//! What could not be read in the address, and what was deleted just now.

use super::icons::{Glyph, Icon};
use crate::feeds::Boards;
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
        <Deleted />
    }
}

/// The dashboard that was deleted last, and the way back.
#[component]
fn Deleted() -> impl IntoView {
    let boards: Boards = expect_context();
    view! {
        <Show when=move || boards.deleted.with(Option::is_some)>
            <div class="note" role="status">
                <span>
                    {move || boards.deleted.get().map(|(_, title)| ["“", &title, "” was deleted."].concat())}
                    {move || boards.saving.get().refusal().map(|why| view! { <span class="problem">" " {why}</span> })}
                </span>
                <button class="control" on:click=move |_| boards.undo()>"Undo"</button>
                <button class="control icon-only" aria-label="Dismiss" on:click=move |_| boards.deleted.set(None)>
                    <Glyph icon=Icon::Close />
                </button>
            </div>
        </Show>
    }
}

fn sentence(problems: &[String]) -> String {
    format!("{}. The rest of the link is shown.", text::capitalized(&problems.join("; ")))
}

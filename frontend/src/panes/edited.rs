//! What was edited and is not saved, said where it is seen: in the head of its chart, and above the charts what no chart tells.

use super::editor::SaveProblem;
use crate::feeds::{BoardSaving, PageFeed, Saving, save_dashboard};
use crate::session::use_session;
use crate::state::{Command, EditStep};
use leptos::prelude::*;

/// In a chart's head.
#[component]
pub(super) fn EditedMark(id: String, is_open: Memo<bool>) -> impl IntoView {
    let session = use_session();
    let own = id.clone();
    let is_edited = session.part(move |state| state.view.edits.has(&own));
    view! {
        <Show when=move || is_edited.get()>
            <span class="edited-mark" role="status">"Edited, not saved"</span>
            {
                let id = id.clone();
                move || {
                    let id = id.clone();
                    (!is_open.get()).then(|| view! {
                        <SaveButton />
                        <button
                            class="control small"
                            on:click=move |_| session.send(Command::Edit(EditStep::Revert(id.clone())))
                        >
                            "Discard"
                        </button>
                    })
                }
            }
        </Show>
    }
}

/// Above the charts: that some are gone or have other places; and why saving failed while no editor says it.
#[component]
pub(super) fn EditedNote() -> impl IntoView {
    let session = use_session();
    let rearranged = session.part(|state| if state.editor.is_some() { None } else { state.rearranged() });
    let is_closed = session.part(|state| state.editor.is_none());
    view! {
        <Show when=move || rearranged.with(Option::is_some)>
            <div class="edited-note" role="status">
                <span>{rearranged} ", not saved"</span>
                <SaveButton />
                <button class="control small" on:click=move |_| session.send(Command::Edit(EditStep::Discard))>
                    "Discard all edits"
                </button>
            </div>
        </Show>
        <Show when=move || is_closed.get()>
            <div class="edited-problem"><SaveProblem /></div>
        </Show>
    }
}

#[component]
fn SaveButton() -> impl IntoView {
    let session = use_session();
    let feed: PageFeed = expect_context();
    let BoardSaving(saving) = expect_context();
    view! {
        <button
            class="control small"
            title="Save the dashboard with all its edits"
            disabled=move || saving.get() == Saving::Busy
            on:click=move |_| save_dashboard(session, feed, saving)
        >
            "Save"
        </button>
    }
}

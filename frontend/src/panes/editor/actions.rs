//! What is done with the edited panel and with all edits.

use super::close;
use crate::feeds::{BoardSaving, PageFeed, Saving, save_dashboard, take_theirs};
use crate::session::use_session;
use crate::state::{AppState, Command, EditStep};
use leptos::prelude::*;

/// The buttons at the editor's foot.
#[component]
pub(super) fn Actions() -> impl IntoView {
    let session = use_session();
    let feed: PageFeed = expect_context();
    let BoardSaving(saving) = expect_context();
    let step = move |step: EditStep| session.send(Command::Edit(step));
    let missing = session.part(first_without_targets);
    let is_edited = session.part(|state| state.draft.is_some());
    let is_made = Signal::derive(move || feed.has_no_file());
    let discard = move |_| {
        saving.set(Saving::Idle);
        step(EditStep::Discard);
        close(session);
    };
    view! {
        <div class="editor-actions">
            <div class="editor-row">
                <button class="control" on:click=move |_| step(EditStep::Move(-1))>"Up"</button>
                <button class="control" on:click=move |_| step(EditStep::Move(1))>"Down"</button>
                <span class="spring"></span>
                <button class="control danger" on:click=move |_| step(EditStep::Remove)>"Remove"</button>
            </div>
            {move || missing.get().map(|title| view! { <p class="problem" role="status">"“" {title} "” has no targets yet."</p> })}
            <Show when=move || is_made.get()>
                <p class="faint">"This dashboard is made from the metrics there are. Saved, it is yours and stays as it is."</p>
            </Show>
            <SaveProblem />
            <div class="editor-row">
                <button class="control" disabled=move || !is_edited.get() on:click=discard>"Discard"</button>
                <span class="spring"></span>
                <button
                    class="control primary"
                    disabled=move || saving.get() == Saving::Busy || missing.get().is_some() || !is_edited.get()
                    on:click=move |_| save_dashboard(session, feed, saving)
                >
                    {move || if saving.get() == Saving::Busy { "Saving…" } else { "Save the dashboard" }}
                </button>
            </div>
        </div>
    }
}

/// A chart that could not be saved as it is.
fn first_without_targets(state: &AppState) -> Option<String> {
    let panels = state.draft.iter().flat_map(|board| &board.panels);
    panels.filter(|panel| panel.asked().is_empty()).map(|panel| panel.title.clone()).next()
}

/// Why the dashboard was not saved.
#[component]
pub(in crate::panes) fn SaveProblem() -> impl IntoView {
    let feed: PageFeed = expect_context();
    let BoardSaving(saving) = expect_context();
    move || match saving.get() {
        Saving::Refused(why) => view! { <p class="problem" role="alert">{why}</p> }.into_any(),
        Saving::Overtaken(why) => view! {
            <p class="problem" role="alert">{why}</p>
            <button class="control small" on:click=move |_| take_theirs(feed, saving)>
                "Load theirs, keep my edits"
            </button>
        }
        .into_any(),
        Saving::Idle | Saving::Busy => ().into_any(),
    }
}

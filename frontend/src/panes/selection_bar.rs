//! What can be done with the selection, at the bottom of the page, where fingers point: they have neither keys nor edges that
//! are easy to catch. Other pointers have these elsewhere and do not see it.

use super::choice::Choice;
use super::typed_range::TypedRange;
use crate::chart::{ChartContext, with_margin};
use crate::session::{Session, use_session};
use crate::state::Command;
use crate::text;
use leptos::prelude::*;
use sonde_shared::view::RangeSpec;

/// The bar, while there is a selection.
#[component]
pub fn SelectionBar() -> impl IntoView {
    let session = use_session();
    let charts: ChartContext = expect_context();
    let zoom = move |_| {
        if let Some(selection) = session.selection.get_untracked() {
            // At once in the address: a button is no burst, and who goes back soon comes from here.
            session.send(Command::SetRange(RangeSpec::absolute(with_margin(selection))));
        }
    };
    view! {
        <Show when=move || session.selection.get().is_some()>
            <div class="selection-bar" role="toolbar" aria-label="Selection">
                <p class="selection-when">{move || spans(session)}</p>
                <div class="selection-actions">
                    <Edit />
                    <button class="control" on:click=zoom>"Zoom"</button>
                    <button
                        class="control"
                        aria-pressed=move || charts.armed.get().to_string()
                        on:click=move |_| charts.arm(!charts.armed.get_untracked())
                    >
                        "Baseline"
                    </button>
                    <button class="control" on:click=move |_| session.send(Command::ClearSelection)>
                        "Clear"
                    </button>
                </div>
            </div>
        </Show>
    }
}

/// The selection and what it is compared with.
fn spans(session: Session) -> String {
    let zone = session.zone.get();
    let Some(selection) = session.selection.get() else { return String::new() };
    let shown = text::range(selection, session.server_now(), zone);
    // The day of the selection is not said twice.
    match session.baseline.get().map(|range| text::range(range, selection.from, zone)) {
        Some(baseline) => format!("{shown} against {baseline}"),
        None => shown,
    }
}

/// The selection as text.
#[component]
fn Edit() -> impl IntoView {
    let session = use_session();
    let open = RwSignal::new(false);
    let apply = move |spec: RangeSpec| {
        session.send(Command::Adjust(spec.resolve(session.server_now())));
        open.set(false);
    };
    let written = move || {
        let typed = |range| text::typed(range, session.zone.get_untracked());
        session.selection.get_untracked().map(typed).unwrap_or_default()
    };
    view! {
        <Choice name="Edit the selection" label=Signal::stored("Edit".to_owned()) open>
            <TypedRange value=written() apply action="Select" />
        </Choice>
    }
}

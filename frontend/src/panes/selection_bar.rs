//! What can be done with the selection, at the bottom of the page, where fingers point: they have neither keys nor edges that
//! are easy to catch. Other pointers have these elsewhere and do not see it; what is typed of the selection they share.

use super::choice::Choice;
use super::icons::Icon;
use super::typed_range::TypedRange;
use crate::chart::{ChartContext, with_margin};
use crate::session::{Session, use_session};
use crate::state::{AppState, Command};
use crate::text;
use leptos::prelude::*;
use sonde_shared::time::TimeRange;
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
                    <EditSelection />
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

/// The selection and what it is compared with, as text: their starts, ends and lengths.
#[component]
pub(super) fn EditSelection(#[prop(default = None)] icon: Option<Icon>) -> impl IntoView {
    let session = use_session();
    let open = RwSignal::new(false);
    let fields = move || {
        let baseline = session.now_part(AppState::compared);
        view! {
            <div class="selection-edit">
                <TypedSpan
                    label="Selection"
                    id="typed-range"
                    is_first=true
                    range=session.selection.get_untracked()
                    command=Command::Adjust
                    action="Select"
                    open
                />
                <TypedSpan
                    label="Baseline"
                    id="typed-baseline"
                    is_first=false
                    range=baseline
                    command=|range| Command::SetBaseline(Some(range))
                    action="Compare"
                    open
                />
            </div>
        }
    };
    view! {
        <Choice name="Edit the selection" label=Signal::stored("Edit".to_owned()) icon open>
            {fields()}
        </Choice>
    }
}

/// One of the two.
#[component]
fn TypedSpan(
    label: &'static str,
    id: &'static str,
    is_first: bool,
    range: Option<TimeRange>,
    command: fn(TimeRange) -> Command,
    action: &'static str,
    open: RwSignal<bool>,
) -> impl IntoView {
    let session = use_session();
    let apply = move |spec: RangeSpec| {
        session.send(command(spec.resolve(session.server_now())));
        open.set(false);
    };
    let value = range.map(|range| text::typed(range, session.zone.get_untracked())).unwrap_or_default();
    view! { <TypedRange value apply action label id edited=range is_first /> }
}

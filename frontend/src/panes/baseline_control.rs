//! What the selection is compared with: marks it, says it, takes it back.

use super::icons::{Glyph, Icon};
use super::selection_bar::EditSelection;
use crate::boxed::memo;
use crate::chart::ChartContext;
use crate::feeds::{LineFeed, count_baseline};
use crate::session::{Session, use_session};
use crate::state::{AppState, Command};
use crate::text;
use leptos::prelude::*;

/// The controls beside the selection in the pane's head; what both are is edited at the first.
#[component]
pub(super) fn BaselineControl() -> impl IntoView {
    let session = use_session();
    let marked = move || session.baseline.get().is_some();
    view! {
        <span class="selection-choice"><EditSelection icon=Some(Icon::Edit) /></span>
        <span class="baseline-control" class:chip=marked>
            <BaselineButton />
            <Show when=marked>
                <button
                    class="control small icon-only"
                    aria-label="Clear the baseline"
                    title="Clear the baseline (Esc)"
                    on:click=move |_| session.send(Command::SetBaseline(None))
                >
                    <Glyph icon=Icon::Close />
                </button>
            </Show>
        </span>
    }
}

/// Arms one drag that marks the baseline. Once there is one it says when that is.
#[component]
fn BaselineButton() -> impl IntoView {
    let session = use_session();
    let charts: ChartContext = expect_context();
    let lines = baseline_lines(session);
    let overlaps = session.part(AppState::overlaps_baseline);
    let overlap = move || overlaps.get().then(|| "overlaps the selection".to_owned());
    let label = move || {
        let zone = session.zone.get();
        match session.baseline.get() {
            _ if charts.armed.get() => "Drag over the baseline".to_owned(),
            Some(range) => {
                // The day of the selection beside it is not said twice.
                let day = session.selection.get().map_or(range.from, |selection| selection.from);
                let said =
                    [Some(format!("Baseline {}", text::range(range, day, zone))), overlap(), lines.get()];
                said.into_iter().flatten().collect::<Vec<_>>().join(" · ")
            }
            None => "Baseline".to_owned(),
        }
    };
    view! {
        <button
            class="control small framed"
            title="Mark what the selection is compared with: the next drag (b)"
            aria-pressed=move || charts.armed.get().to_string()
            on:click=move |_| charts.arm(!charts.armed.get_untracked())
        >
            {move || label()}
        </button>
    }
}

/// `412 lines · now 10× as many an hour`, once they are counted.
fn baseline_lines(session: Session) -> Memo<Option<String>> {
    let feed: LineFeed = expect_context();
    let count = count_baseline(session);
    memo(move || {
        let (before, range) = (count.get()?, session.baseline.get()?);
        let selection = session.selection.get()?;
        let rate = feed
            .total
            .get()
            .known()
            .and_then(|now| text::times_as_many((now, selection.nanos()), (before, range.nanos())));
        let lines = text::lines(before);
        Some(rate.map_or_else(|| lines.clone(), |rate| format!("{lines} · {rate}")))
    })
}

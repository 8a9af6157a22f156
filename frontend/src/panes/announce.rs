//! What a screen reader is told, once things are at rest: the selection and how many lines it has, and what the charts show beside it.

use crate::boxed::effect;
use crate::chart::ChartContext;
use crate::feeds::{LineFeed, Phase};
use crate::lines::Total;
use crate::rest::Rest;
use crate::session::use_session;
use crate::text;
use leptos::prelude::*;
use std::time::Duration;

const REST: Duration = Duration::from_millis(700);

/// The live region.
#[component]
pub fn Announcer() -> impl IntoView {
    let session = use_session();
    let feed: LineFeed = expect_context();
    let said = RwSignal::new(String::new());
    let rest = Rest::new();
    let last = StoredValue::new([String::new(), String::new()]);
    effect(move || {
        let (query, total, phase) = (session.query.get(), feed.total.get(), feed.phase.get());
        let live = session.view.with(|view| view.live);
        let zone = session.zone.get();
        rest.stop();
        // A view that follows the clock would talk without end.
        if live || matches!(phase, Phase::Loading | Phase::Streaming) {
            return;
        }
        let sentence = match (phase, total) {
            (Phase::Failed(error), _) => error.sentence,
            (_, Total::Known(lines)) => text::lines(lines),
            (_, total) => format!("at least {}", text::lines(total.rows())),
        };
        let today = session.server_now();
        let when = text::spoken(query.range, today, zone);
        let against = session.baseline.get().map(|range| text::spoken(range, query.range.from, zone));
        let against = against.map(|range| [", against ", &range].concat()).unwrap_or_default();
        let lines = [&when, ", ", &sentence, &against].concat();
        let shown = text::spoken(session.range.get(), today, zone);
        // Without one the lines are of what is shown.
        let has_selection = session.selection.get().is_some();
        rest.after(REST, move || {
            let [was_shown, were_lines] = last.get_value();
            let is_new = lines != were_lines;
            let mut text = String::new();
            if has_selection && shown != was_shown {
                text = ["Showing ", &shown, if is_new { "; " } else { "" }].concat();
            }
            if is_new {
                text.push_str(&lines);
            }
            last.set_value([shown, lines]);
            if !text.is_empty() {
                said.set(text);
            }
        });
    });
    let charts: ChartContext = expect_context();
    say_on_change(said, charts.snaps.into(), ["Edges snap no longer", "Edges snap to ticks and events"]);
    say_on_change(said, charts.armed.into(), ["", "The next band is the baseline"]);
    view! { <div class="unseen" role="status" aria-live="polite">{move || said.get()}</div> }
}

/// Says what was switched off or on; at the start nothing was.
fn say_on_change(said: RwSignal<String>, switch: Signal<bool>, words: [&'static str; 2]) {
    Effect::new(move |before: Option<bool>| {
        let on = switch.get();
        let word = words[usize::from(on)];
        if before.is_some_and(|before| before != on) && !word.is_empty() {
            said.set(word.to_owned());
        }
        on
    });
}

//! What a screen reader is told: the selection and how many lines it has, once things are at rest.

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
        let (from, until) = (text::clock(query.range.from, zone), text::clock(query.range.until, zone));
        let against = session.baseline.get().map(|range| {
            format!(", against {} to {}", text::clock(range.from, zone), text::clock(range.until, zone))
        });
        let say = move || said.set(format!("{from} to {until}, {sentence}{}", against.unwrap_or_default()));
        rest.after(REST, say);
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

//! What a screen reader is told: the selection and how many lines it has, once things are at rest.

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
    Effect::new(move |_| {
        let (query, total, phase) = (session.query.get(), feed.total.get(), feed.phase.get());
        let live = session.view.with(|view| view.live);
        let offset = session.offset_minutes.get();
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
        let (from, until) = (text::clock(query.range.from, offset), text::clock(query.range.until, offset));
        let say = move || said.set(format!("{from} to {until}, {sentence}"));
        rest.after(REST, say);
    });
    view! { <div class="unseen" role="status" aria-live="polite">{move || said.get()}</div> }
}

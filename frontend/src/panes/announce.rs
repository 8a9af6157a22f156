//! What a screen reader is told, once things are at rest: the selection and how many lines it has, and what the charts show beside it.

use crate::boxed::effect;
use crate::chart::ChartContext;
use crate::feeds::{LineFeed, Phase};
use crate::lines::Total;
use crate::rest::Rest;
use crate::session::{Session, use_session};
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
    let speak = move || {
        let [was_shown, were_lines] = last.get_value();
        let (shown, lines) = (spoken_range(session), spoken_lines(session, feed));
        let is_new = lines != were_lines;
        let mut text = String::new();
        // Without a selection the lines are of what is shown.
        if session.selection.with_untracked(Option::is_some) && shown != was_shown {
            text = ["Showing ", &shown, if is_new { "; " } else { "" }].concat();
        }
        if is_new {
            text.push_str(&lines);
        }
        last.set_value([shown, lines]);
        if !text.is_empty() {
            said.set(text);
        }
    };
    effect(move || {
        session.query.track();
        session.range.track();
        session.selection.track();
        session.baseline.track();
        session.zone.track();
        feed.total.track();
        let is_coming = feed.phase.with(|phase| matches!(phase, Phase::Loading | Phase::Streaming));
        // A view that follows the clock would talk without end.
        if session.view.with(|view| view.live) || is_coming {
            rest.stop();
        } else {
            rest.after(REST, speak);
        }
    });
    let charts: ChartContext = expect_context();
    say_on_change(said, charts.snaps.into(), ["Edges snap no longer", "Edges snap to ticks and events"]);
    say_on_change(said, charts.armed.into(), ["", "The next band is the baseline"]);
    view! { <div class="unseen" role="status" aria-live="polite">{move || said.get()}</div> }
}

/// `14:05:00 to 14:07:00`: what the charts show.
fn spoken_range(session: Session) -> String {
    text::spoken(session.range.get_untracked(), session.server_now(), session.zone.get_untracked())
}

/// `14:05:00 to 14:07:00, 412 lines, against 13:57:00 to 14:05:00`.
fn spoken_lines(session: Session, feed: LineFeed) -> String {
    let (range, zone) = (session.query.with_untracked(|query| query.range), session.zone.get_untracked());
    let lines = match (feed.phase.get_untracked(), feed.total.get_untracked()) {
        (Phase::Failed(error), _) => error.sentence,
        (_, Total::Known(lines)) => text::lines(lines),
        (_, total) => format!("at least {}", text::lines(total.rows())),
    };
    let when = text::spoken(range, session.server_now(), zone);
    let against =
        session.baseline.get_untracked().map(|range_before| text::spoken(range_before, range.from, zone));
    let against = against.map(|spoken| [", against ", &spoken].concat()).unwrap_or_default();
    [&when, ", ", &lines, &against].concat()
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

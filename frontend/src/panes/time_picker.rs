//! Which range is shown: presets that follow the clock, or any range as it is typed.

use super::choice::Choice;
use super::typed_range::TypedRange;
use crate::boxed::memo;
use crate::session::{Session, use_session};
use crate::state::Command;
use crate::text;
use leptos::prelude::*;
use sonde_shared::time::NANOS_PER_SEC;
use sonde_shared::view::RangeSpec;

const MINUTE: i64 = 60 * NANOS_PER_SEC;
const PRESETS: [(&str, i64); 8] = [
    ("Last 15 min", 15 * MINUTE),
    ("Last 1 h", 60 * MINUTE),
    ("Last 3 h", 180 * MINUTE),
    ("Last 6 h", 360 * MINUTE),
    ("Last 12 h", 720 * MINUTE),
    ("Last 24 h", 1_440 * MINUTE),
    ("Last 7 d", 7 * 1_440 * MINUTE),
    ("Last 30 d", 30 * 1_440 * MINUTE),
];

/// The range's button and popover.
#[component]
pub(super) fn TimePicker() -> impl IntoView {
    let session = use_session();
    let open = RwSignal::new(false);
    let label = memo(move || {
        let zone = session.zone.get();
        let now = session.server_now();
        let resolved = session.range.get();
        match session.view.with(|view| view.range) {
            Some(spec) if spec.is_relative() => text::range_label(spec, now, zone),
            _ => unbroken(&text::range(resolved, now, zone)),
        }
    });
    view! {
        <Choice name="Time range" label=label open>
            <div class="time-picker">
                <ul class="presets">
                    {PRESETS
                        .into_iter()
                        .map(|(name, nanos)| {
                            let spec = RangeSpec::last(nanos);
                            let current = move || session.view.with(|view| view.range == Some(spec)).to_string();
                            let pick = move |_| {
                                session.send(Command::SetRange(spec));
                                open.set(false);
                            };
                            view! { <li><button class="item" aria-pressed=current on:click=pick>{name}</button></li> }
                        })
                        .collect_view()}
                </ul>
                <TypedVisible open />
            </div>
        </Choice>
    }
}

/// Where a range takes two lines its clock times stay together, and so does how long it is.
fn unbroken(range: &str) -> String {
    let (times, length) = range.split_at(range.rfind(" (").map_or(range.len(), |at| at + 1));
    times.replace('–', "–\u{2060}") + &length.replace(' ', "\u{a0}")
}

/// The visible range as text.
#[component]
fn TypedVisible(open: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let apply = move |spec| {
        session.send(Command::SetRange(spec));
        open.set(false);
    };
    view! { <TypedRange value=untrack(|| written(session)) apply /> }
}

/// The range as it could be typed.
fn written(session: Session) -> String {
    let range = session.range.get();
    match session.view.with(|view| view.range) {
        Some(spec) if spec.is_relative() => spec.to_string(),
        _ => text::typed(range, session.zone.get()),
    }
}

//! Whether the server answers. While it does not, a live page says so and its clock stands still: it has nothing new to show.

use super::{LineFeed, Phase};
use crate::api::{Abort, ApiError, client};
use crate::boxed::effect;
use crate::session::{Session, use_session};
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::time::Timestamp;
use std::time::Duration;

/// How often a server that is gone is asked for.
const KNOCK: Duration = Duration::from_secs(2);
/// A page that is told nothing asks so often whether the server is there, and waits so long for the answer.
const LOOK_MS: f64 = 15_000.0;
const PATIENCE_MS: f64 = 10_000.0;

/// Follows what the page asks anyway, and looks after the server now and then where nothing is told; once that fails it knocks until
/// the server answers.
pub fn watch_contact(session: Session, lines: LineFeed) {
    effect(move || {
        if lines.phase.with(|phase| matches!(phase, Phase::Failed(error) if is_silence(error))) {
            session.lost.set(true);
        }
    });
    let request = StoredValue::new_local(None::<Abort>);
    let asked_ms = StoredValue::new(js_sys::Date::now());
    let knock = move || {
        let waited_ms = js_sys::Date::now() - asked_ms.get_value();
        let is_asking = request.with_value(Option::is_some);
        if !session.lost.get_untracked() {
            if is_asking && waited_ms > PATIENCE_MS {
                session.lost.set(true);
            } else if is_asking || waited_ms < LOOK_MS || session.fed.get_untracked() {
                return;
            }
        }
        if document().hidden() {
            return;
        }
        asked_ms.set_value(js_sys::Date::now());
        let abort = Abort::new();
        let signal = abort.signal();
        let answer = client::page_info(abort.signal());
        request.set_value(Some(abort));
        spawn_local(async move {
            let answer = answer.await;
            if signal.aborted() {
                return;
            }
            request.try_set_value(None);
            match answer {
                Ok(page) => {
                    session.set_clock(Timestamp::from_millis(page.now_ms));
                    let was_lost = session.lost.get_untracked();
                    session.lost.try_set(false);
                    if was_lost && lines.phase.with_untracked(|phase| matches!(phase, Phase::Failed(_))) {
                        lines.retry();
                    }
                }
                Err(error) if is_silence(&error) => drop(session.lost.try_set(true)),
                Err(_) => {}
            }
        });
    };
    if let Ok(handle) = set_interval_with_handle(knock, KNOCK) {
        on_cleanup(move || handle.clear());
    }
}

/// What fails because the server is gone says so, and is asked for again when the server is there again.
pub(super) fn ask_again_after_silence(error: RwSignal<Option<ApiError>>, retries: RwSignal<u32>) {
    let session = use_session();
    let was_lost = StoredValue::new(false);
    effect(move || {
        let is_lost = session.lost.get();
        let was_lost = was_lost.try_update_value(|was| std::mem::replace(was, is_lost)).unwrap_or_default();
        if !is_lost && error.with(|error| error.as_ref().is_some_and(is_silence)) {
            if was_lost {
                retries.update(|count| *count += 1);
            } else {
                session.lost.set(true);
            }
        }
    });
}

/// No answer, or that of a proxy whose server is gone. What the server itself refuses is no silence.
pub(super) fn is_silence(error: &ApiError) -> bool {
    !error.aborted && error.status.is_none_or(|status| matches!(status, 502..=504))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_answer() {
        let check = |error: ApiError, expected: bool| assert_eq!(is_silence(&error), expected, "{error:?}");
        check(ApiError::network(), true);
        check(ApiError::cut_off(), true);
        check(ApiError::from_answer(502, "<html>"), true);
        check(ApiError::from_answer(400, "{}"), false);
        check(ApiError::from_answer(500, "{}"), false);
        check(ApiError::aborted(), false);
    }
}

//! Whether the server answers. While it does not, a live page says so and its clock stands still: it has nothing new to show.

use super::{LineFeed, Loaded, Phase};
use crate::api::{Abort, ApiError, client};
use crate::boxed::effect;
use crate::session::Session;
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::api::Histogram;
use sonde_shared::time::Timestamp;
use std::time::Duration;

/// How often a server that is gone is asked for.
const KNOCK: Duration = Duration::from_secs(2);

/// Follows what the page asks anyway; once that fails it knocks until the server answers, and asks again for what failed.
pub fn watch_contact(session: Session, lines: LineFeed, histogram: Loaded<Histogram>) {
    effect(move || {
        let lines_fail = lines.phase.with(|phase| matches!(phase, Phase::Failed(error) if is_silence(error)));
        let counts_fail = histogram.error.with(|error| error.as_ref().is_some_and(is_silence));
        if lines_fail || counts_fail {
            session.lost.set(true);
        }
    });
    let request = StoredValue::new_local(None::<Abort>);
    let knock = move || {
        if !session.lost.get_untracked() || document().hidden() {
            return;
        }
        let abort = Abort::new();
        let answer = client::page_info(abort.signal());
        request.set_value(Some(abort));
        spawn_local(async move {
            if let Ok(page) = answer.await {
                session.set_clock(Timestamp::from_millis(page.now_ms));
                if session.lost.try_set(false).is_none() {
                    histogram.retry();
                    if lines.phase.with_untracked(|phase| matches!(phase, Phase::Failed(_))) {
                        lines.retry();
                    }
                }
            }
        });
    };
    if let Ok(handle) = set_interval_with_handle(knock, KNOCK) {
        on_cleanup(move || handle.clear());
    }
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

//! How many lines came since live was paused.

use crate::api::{Abort, client};
use crate::session::Session;
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::time::TimeRange;
use std::time::Duration;

const POLL: Duration = Duration::from_secs(5);

/// The lines of the pane's filters since live was paused in this session; `None` while it is not.
pub fn count_since_paused(session: Session) -> RwSignal<Option<u64>> {
    let count = RwSignal::new(None);
    let request = StoredValue::new_local(None::<Abort>);
    let paused_at = session.part(|state| state.paused_at);
    let ask = move || {
        let Some(since) = paused_at.get_untracked().filter(|_| !document().hidden()) else { return };
        let range = TimeRange::between(since, session.server_now());
        let step_ms = (range.nanos() / 1_000_000).max(1_000);
        let abort = Abort::new();
        let answer = client::histogram(session.query.get_untracked(), range, step_ms, abort.signal());
        request.set_value(Some(abort));
        spawn_local(async move {
            // A failed count is no matter: the next poll asks again.
            if let Ok(histogram) = answer.await {
                count.try_set(Some(histogram.total));
            }
        });
    };
    Effect::new(move |_| {
        let paused = paused_at.get().is_some();
        if !paused {
            request.set_value(None);
        }
        count.set(paused.then_some(0));
    });
    if let Ok(handle) = set_interval_with_handle(ask, POLL) {
        on_cleanup(move || handle.clear());
    }
    count
}

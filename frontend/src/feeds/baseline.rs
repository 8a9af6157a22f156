//! How many lines the baseline has, by the pane's filters.

use super::lines::count_lines;
use crate::api::Abort;
use crate::boxed::{effect, memo};
use crate::session::Session;
use crate::state::LogQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// The lines of the marked baseline; `None` while there is none or they are not counted yet.
pub fn count_baseline(session: Session) -> RwSignal<Option<u64>> {
    let count = RwSignal::new(None);
    let request = StoredValue::new_local(None::<Abort>);
    let asked = memo(move || {
        let range = session.baseline.get()?;
        Some(LogQuery { range, ..session.query.get() })
    });
    effect(move || {
        count.set(None);
        request.set_value(None);
        let Some(query) = asked.get() else { return };
        let abort = Abort::new();
        let signal = abort.signal();
        let answer = count_lines(query, &abort);
        request.set_value(Some(abort));
        spawn_local(async move {
            if let (Ok(lines), false) = (answer.await, signal.aborted()) {
                count.try_set(Some(lines));
            }
        });
    });
    count
}

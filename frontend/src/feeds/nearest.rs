//! The line nearest to a range without lines: of the same component, host and level, so that it leads to what was asked for.

use crate::api::client::{self, LineRequest};
use crate::api::{Abort, ApiError};
use crate::session::Session;
use crate::state::LogQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_shared::view::Order;
use web_sys::AbortSignal;

/// As far as RFC 3339 and a timestamp both reach.
const FIRST: Timestamp = Timestamp::from_secs(-9_000_000_000);
const LAST: Timestamp = Timestamp::from_secs(9_000_000_000);

/// When the last line before the pane's range was, else the first one after it; `None` while it is not known, where there is
/// none, and with a text filter, which would read all text there is.
pub fn nearest_line(session: Session) -> RwSignal<Option<Timestamp>> {
    let nearest = RwSignal::new(None);
    let request = StoredValue::new_local(None::<Abort>);
    Effect::new(move |former: Option<LogQuery>| {
        let query = session.query.get();
        if former.is_some_and(|former| !former.same_filters(&query)) {
            nearest.set(None);
        }
        request.set_value(None);
        if !query.reads_text() {
            let abort = Abort::new();
            let signal = abort.signal();
            request.set_value(Some(abort));
            spawn_local(look(query.clone(), signal, nearest));
        }
        query
    });
    nearest
}

async fn look(query: LogQuery, signal: AbortSignal, nearest: RwSignal<Option<Timestamp>>) {
    for (range, order) in beside(query.range) {
        // A failed search leads nowhere, which is no worse than no search.
        let Ok(found) = first_of(query.clone(), range, order, signal.clone()).await else { return };
        if found.is_some() {
            nearest.try_set(found);
            return;
        }
    }
}

/// The time before a range from its end on, then the time after it from its start on: what is far in the future, by a wrong
/// clock, is nearest only where nothing else is.
fn beside(range: TimeRange) -> [(TimeRange, Order); 2] {
    let before = TimeRange { from: FIRST.min(range.from), until: range.from };
    let after = TimeRange { from: range.until, until: LAST.max(range.until) };
    [(before, Order::Descending), (after, Order::Ascending)]
}

async fn first_of(
    query: LogQuery,
    range: TimeRange,
    order: Order,
    signal: AbortSignal,
) -> Result<Option<Timestamp>, ApiError> {
    let found = StoredValue::new_local(None);
    let request = LineRequest { query: LogQuery { range, ..query }, order, offset: 0, limit: 1 };
    let on_rows = move |rows: Vec<crate::lines::Row>| {
        if let Some(row) = rows.first() {
            found.set_value(Some(row.at));
        }
    };
    client::stream_lines(request, signal, |_| {}, on_rows).await?;
    Ok(found.try_get_value().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_is_looked_at_first_and_from_its_end() {
        let range = TimeRange::between(Timestamp::from_secs(100), Timestamp::from_secs(200));
        let [(before, back), (after, forth)] = beside(range);
        assert_eq!((before.until, back), (range.from, Order::Descending));
        assert_eq!((after.from, forth), (range.until, Order::Ascending));
        assert!(before.from < before.until && after.from < after.until);
    }
}

//! Finds where in an answer a pinned line stands, for a link that names it.

use crate::api::client::LineRequest;
use crate::api::{Abort, client};
use crate::state::LogQuery;
use leptos::prelude::*;
use std::cell::Cell;
use std::rc::Rc;

/// How many lines are looked at before the search is given up.
const MOST_LINES: u64 = 100_000;

/// The position of the line with this id, if it is among the first lines of the answer.
pub(super) async fn position_of(
    query: LogQuery,
    id: String,
    abort: StoredValue<Option<Abort>, LocalStorage>,
) -> Option<u64> {
    let search = Abort::new();
    let signal = search.signal();
    abort.set_value(Some(search));
    let found = Rc::new(Cell::new(None));
    let mut seen = 0;
    let on_rows = {
        let found = Rc::clone(&found);
        move |rows: Vec<crate::lines::Row>| {
            if let Some(at) = rows.iter().position(|row| row.id == id) {
                found.set(Some(seen + at as u64));
                // The rest of the answer is of no use.
                abort.set_value(None);
            }
            seen += rows.len() as u64;
        }
    };
    let request = LineRequest { order: query.order, query, offset: 0, limit: MOST_LINES };
    // Found or not, how the stream ended says no more.
    drop(client::stream_lines(request, signal, |_| {}, on_rows).await);
    found.get()
}

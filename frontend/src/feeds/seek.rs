//! Finds where in an answer a line stands.

use crate::api::client::{AnswerHead, LineRequest, Start};
use crate::api::{Abort, ApiError, client};
use crate::lines::Row;
use crate::state::LogQuery;
use leptos::prelude::*;
use std::cell::Cell;
use std::rc::Rc;

/// How many lines of one instant are looked at before the search is given up.
const MOST_LINES: u64 = 100_000;

/// The position of the line with this id; none where it is not in the answer. The server finds its instant, however far that is.
pub(super) async fn position_of(
    query: LogQuery,
    id: String,
    abort: StoredValue<Option<Abort>, LocalStorage>,
) -> Result<Option<u64>, ApiError> {
    let search = Abort::new();
    let signal = search.signal();
    abort.set_value(Some(search));
    let (found, before) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(0)));
    let is_over = Rc::new(Cell::new(false));
    let on_head = {
        let before = Rc::clone(&before);
        move |head: AnswerHead| before.set(head.offset.unwrap_or(0))
    };
    let request =
        LineRequest { order: query.order, query, start: Start::Line(id.clone()), limit: MOST_LINES };
    let on_rows = {
        let (found, is_over) = (Rc::clone(&found), Rc::clone(&is_over));
        let mut instant = None;
        move |rows: Vec<Row>| {
            let at = rows.iter().position(|row| row.id == id);
            let first = *instant.get_or_insert_with(|| rows.first().map(|row| row.at));
            if let Some(at) = at {
                found.set(Some(before.get() + at as u64));
            }
            before.set(before.get() + rows.len() as u64);
            if at.is_some() || rows.last().is_some_and(|row| Some(row.at) != first) {
                // The rest of the answer is of no use.
                is_over.set(true);
                abort.set_value(None);
            }
        }
    };
    match client::stream_lines(request, signal, on_head, on_rows).await {
        // So the server says that there is no such line.
        Err(error) if error.parameter.as_deref() == Some("at") => Ok(None),
        Err(error) if !is_over.get() => Err(error),
        _ => Ok(found.get()),
    }
}

//! The line nearest to a range without lines: of the same component, host and level, so that it leads to what was asked for.
//!
//! A live pane has another range at every tick. The nearest line stays the nearest while the range moves on over what is
//! known to be empty, so it is looked for once, and the search is given up as soon as the first line is there.

use crate::api::Abort;
use crate::api::client::{self, LineRequest, Start};
use crate::lines::Row;
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
    let search =
        Search { nearest, step: StoredValue::new(Step::Unasked), request: StoredValue::new_local(None) };
    Effect::new(move |former: Option<LogQuery>| {
        let query = session.query.get();
        let step = search.step.get_value();
        if !former.as_ref().is_some_and(|former| step.holds_for(former, &query)) {
            search.restart(former.as_ref(), &query);
        }
        query
    });
    nearest
}

/// How far the search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing is asked, or the answer was lost.
    Unasked,
    UnderWay,
    Ended(Option<Timestamp>),
}

impl Step {
    /// Whether what was found, or will be, is as right for `query` as it was for `former`, whose range has no lines.
    fn holds_for(self, former: &LogQuery, query: &LogQuery) -> bool {
        // Between ranges that do not touch there may be lines nearer than those of before.
        let goes_on = query.range.from <= former.range.until && query.range.until >= former.range.from;
        former.same_filters(query)
            && goes_on
            && match self {
                Self::Unasked => false,
                Self::UnderWay | Self::Ended(None) => true,
                // Ranges that touch do not pass over a line without having it.
                Self::Ended(Some(at)) => !query.range.contains(at),
            }
    }
}

/// The one search under way.
#[derive(Clone, Copy)]
struct Search {
    nearest: RwSignal<Option<Timestamp>>,
    step: StoredValue<Step>,
    request: StoredValue<Option<Abort>, LocalStorage>,
}

impl Search {
    fn restart(self, former: Option<&LogQuery>, query: &LogQuery) {
        if former.is_some_and(|former| !former.same_filters(query)) {
            self.nearest.set(None);
        }
        self.request.set_value(None);
        self.step.set_value(Step::Unasked);
        if !query.reads_text() {
            let abort = Abort::new();
            let signal = abort.signal();
            self.request.set_value(Some(abort));
            self.step.set_value(Step::UnderWay);
            spawn_local(self.look(query.clone(), signal));
        }
    }

    async fn look(self, query: LogQuery, signal: AbortSignal) {
        for (range, order) in beside(query.range) {
            let query = LogQuery { range, ..query.clone() };
            let request = LineRequest { query, order, start: Start::Offset(0), limit: 1 };
            let heard = signal.clone();
            let on_rows = move |rows: Vec<Row>| {
                if let Some(row) = rows.first().filter(|_| !heard.aborted()) {
                    // The rest of the answer, for which all matches are counted, is of no use.
                    self.end(Step::Ended(Some(row.at)));
                }
            };
            let ended = client::stream_lines(request, signal.clone(), |_| {}, on_rows).await;
            if signal.aborted() {
                // It found a line, or gave way to another search.
                return;
            }
            if ended.is_err() {
                // A failed search leads nowhere, which is no worse than no search.
                return self.end(Step::Unasked);
            }
        }
        self.end(Step::Ended(None));
    }

    fn end(self, step: Step) {
        self.request.set_value(None);
        self.step.set_value(step);
        if let Step::Ended(found) = step {
            self.nearest.try_set(found);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn query(from: i64, until: i64) -> LogQuery {
        LogQuery::all(TimeRange::between(Timestamp::from_secs(from), Timestamp::from_secs(until)))
    }

    fn found(at: i64) -> Step {
        Step::Ended(Some(Timestamp::from_secs(at)))
    }

    #[test]
    fn a_live_pane_asks_once_while_its_range_moves_on() {
        for step in [Step::UnderWay, Step::Ended(None), found(50), found(300)] {
            assert!(step.holds_for(&query(100, 200), &query(101, 201)), "{step:?}");
            assert!(step.holds_for(&query(100, 200), &query(100, 200)), "{step:?}");
            assert!(step.holds_for(&query(100, 200), &query(200, 300)), "{step:?}");
        }
        assert!(!Step::Unasked.holds_for(&query(100, 200), &query(101, 201)));
    }

    #[test]
    fn other_filters_are_another_question() {
        let other = LogQuery { host: Some("web-1".to_owned()), ..query(101, 201) };
        for step in [Step::UnderWay, Step::Ended(None), found(50)] {
            assert!(!step.holds_for(&query(100, 200), &other), "{step:?}");
        }
    }

    #[test]
    fn a_range_that_jumps_or_reaches_the_line_is_asked_for_anew() {
        for step in [Step::UnderWay, Step::Ended(None), found(50)] {
            assert!(!step.holds_for(&query(100, 200), &query(201, 301)), "{step:?}");
            assert!(!step.holds_for(&query(100, 200), &query(0, 40)), "{step:?}");
        }
        assert!(!found(50).holds_for(&query(100, 200), &query(50, 150)), "the line is in the range");
        assert!(!found(250).holds_for(&query(100, 200), &query(150, 251)));
        assert!(!found(50).holds_for(&query(100, 200), &query(0, 300)), "so it is in a wider one");
    }

    #[test]
    fn what_came_before_is_looked_at_first_and_from_its_end() {
        let range = TimeRange::between(Timestamp::from_secs(100), Timestamp::from_secs(200));
        let [(before, back), (after, forth)] = beside(range);
        assert_eq!((before.until, back), (range.from, Order::Descending));
        assert_eq!((after.from, forth), (range.until, Order::Ascending));
        assert!(before.from < before.until && after.from < after.until);
    }
}

//! From one line to the next that is an error, has the text, or comes after a silence: found by the server, however far away.
//!
//! The next line is looked for from the row at the cursor, or where that is out of sight from the first or last row in sight, in the
//! order that is shown, among all lines of the pane's query and not only among those at hand.

use super::LineFeed;
use crate::api::client::{self, LineRequest, Start};
use crate::api::{Abort, ApiError};
use crate::feeds::seek;
use crate::lines::{Row, WINDOW_ROWS, ends_of_silence, silence_nanos, slow_downs};
use crate::state::LogQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::api::Histogram;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_shared::view::Order;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use web_sys::AbortSignal;

/// How long it is said that there is nothing to jump to.
const SAID_FOR: Duration = Duration::from_secs(3);
/// Steps of counts that are asked for at once; the server takes twice as many.
const STEPS: i64 = 10_000;
/// Into how many steps the range is cut where the rate of lines is looked at.
const RATE_STEPS: i64 = 240;
/// How often counts are asked for before a search is given up.
const MOST_PARTS: usize = 64;

/// What is jumped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// A line with the text that is looked for.
    Match,
    /// A line of this level and worse.
    Level(Level),
    /// The line after a silence.
    Gap,
    /// Where lines begin to come slower.
    SlowDown,
}

impl Sought {
    const fn none(self) -> &'static str {
        match self {
            Self::Match => "No further match",
            Self::Level(Level::Error) => "No further error",
            Self::Level(_) => "No further warning",
            Self::Gap => "No further silence",
            Self::SlowDown => "No further slow-down",
        }
    }
}

impl LineFeed {
    /// Goes to the next one in the list, or the one before.
    pub fn jump(self, sought: Sought, forward: bool) {
        let (index, is_cursor) = self.jump_start(forward);
        let query = self.session.query.get_untracked();
        if sought == Sought::Match && !query.contains.is_empty() {
            // Every line of the pane matches.
            return self.jump_by_one(index, is_cursor, forward);
        }
        if sought == Sought::Match && self.sought_text.with_untracked(Option::is_none) {
            return self.say("There is no text to find: / filters by one");
        }
        let order =
            if forward == (query.order == Order::Ascending) { Order::Ascending } else { Order::Descending };
        let number = self.run.with_value(|run| run.number);
        let search = Abort::new();
        let signal = search.signal();
        self.search.set_value(Some(search));
        spawn_local(async move {
            let found = match self.row_to_be(index, &query, &signal).await {
                Some(from) => {
                    let from = Origin { row: from, counts: !is_cursor, order };
                    self.next(sought, &query, &from, &signal).await
                }
                None => None,
            };
            if !signal.aborted() && self.is_current(number) {
                self.end_jump(number, query, found, sought).await;
            }
        });
    }

    /// The row that a jump starts from, and whether it is the one at the cursor.
    fn jump_start(self, forward: bool) -> (u64, bool) {
        let shown = untrack(|| self.extent().visible(self.position.get()));
        match self.cursor.get_untracked().filter(|row| shown.contains(row)) {
            Some(row) => (row, true),
            None if forward => (shown.start, false),
            None => (shown.end.saturating_sub(1), false),
        }
    }

    fn jump_by_one(self, from: u64, is_cursor: bool, forward: bool) {
        let total = self.total.get_untracked();
        let by = if forward { 1 } else { -1 };
        let next = from.saturating_add_signed(by).min(total.rows().saturating_sub(1));
        match is_cursor {
            true if next == from && total.known().is_some() => self.say(Sought::Match.none()),
            true => self.show_cursor(next),
            false => self.show_cursor(from),
        }
    }

    /// The row at a position, which may be yet to come where the reader has just gone there.
    async fn row_to_be(self, index: u64, query: &LogQuery, signal: &AbortSignal) -> Option<Arc<Row>> {
        let row = self.row(index);
        if row.is_some() {
            return row;
        }
        let (query, order) = (self.up_to_now(query.clone()), query.order);
        let request = LineRequest { query, order, start: Start::Offset(index), limit: 1 };
        rows_of(request, signal).await.ok()?.0.pop().map(Arc::new)
    }

    async fn next(
        self,
        sought: Sought,
        query: &LogQuery,
        from: &Origin,
        signal: &AbortSignal,
    ) -> Option<Arc<Row>> {
        match sought {
            Sought::Match => {
                let find = self.sought_text.get_untracked()?;
                let query = LogQuery { contains: find.text, is_regex: find.is_regex, ..query.clone() };
                next_line(query, from, signal).await
            }
            Sought::Level(level) => {
                let least = query.level.map_or(level, |own| own.max(level));
                next_line(LogQuery { level: Some(least), ..query.clone() }, from, signal).await
            }
            Sought::Gap | Sought::SlowDown => self.next_turn(sought, query, from, signal).await,
        }
    }

    async fn end_jump(self, number: u64, query: LogQuery, found: Option<Arc<Row>>, sought: Sought) {
        let place = match found {
            Some(row) => seek::position_of(query, row.id.clone(), self.search).await.ok().flatten(),
            None => None,
        };
        match place {
            Some(place) if self.is_current(number) => self.lead_to(place),
            Some(_) => {}
            None => self.say(sought.none()),
        }
    }

    /// Says something for a moment.
    pub(super) fn say(self, text: &'static str) {
        self.said.set(Some(text));
        self.quiet.after(SAID_FOR, move || _ = self.said.try_set(None));
    }

    /// What was said is over.
    pub fn hush(self) {
        self.said.set(None);
    }

    /// Moves the cursor by rows, from the first on show where it is out of sight.
    pub fn step_cursor(self, by: i64) {
        let shown = untrack(|| self.extent().visible(self.position.get()));
        let last = self.total.get_untracked().rows().saturating_sub(1);
        let next = match self.cursor.get_untracked() {
            Some(row) if row + 1 >= shown.start && row <= shown.end => {
                row.saturating_add_signed(by).min(last)
            }
            _ => shown.start,
        };
        self.show_cursor(next);
    }

    fn show_cursor(self, row: u64) {
        self.cursor.set(Some(row));
        self.go(|extent, at| extent.showing(at, row));
    }

    /// The next line after a silence, or where lines come slower.
    async fn next_turn(
        self,
        sought: Sought,
        query: &LogQuery,
        from: &Origin,
        signal: &AbortSignal,
    ) -> Option<Arc<Row>> {
        let Origin { row: from, order, .. } = from;
        let order = *order;
        let silence = silence_nanos(query.range.nanos(), self.total.get_untracked().rows());
        let step = match sought {
            // A silence has an empty step of half its length, wherever it begins.
            Sought::Gap => silence / 2,
            _ => query.range.nanos() / RATE_STEPS,
        };
        let step_ms = (step / 1_000_000).max(1);
        for part in parts_of(query.range, from.at, order, step_ms).take(MOST_PARTS) {
            let counts = client::histogram(query.clone(), part, step_ms, signal.clone()).await.ok()?;
            for at in turns(&counts, sought, from.at, order) {
                let row = if sought == Sought::Gap {
                    after_silence(query, at, silence, order == query.order, signal).await
                } else {
                    first_from(query, Start::At(at), signal).await.ok().flatten().map(|(row, _)| row)
                };
                if let Some(row) = row.filter(|row| row.id != from.id) {
                    return Some(row);
                }
            }
        }
        None
    }
}

/// Where a jump starts, and which way it goes.
struct Origin {
    row: Arc<Row>,
    /// Whether the row itself may be what is sought.
    counts: bool,
    /// The order of time.
    order: Order,
}

/// The first line behind a row in an order, or that one.
async fn next_line(query: LogQuery, from: &Origin, signal: &AbortSignal) -> Option<Arc<Row>> {
    let Origin { row: from, counts, order } = from;
    let (counts, order) = (*counts, *order);
    let range = match order {
        Order::Ascending => TimeRange { from: from.at.max(query.range.from), ..query.range },
        Order::Descending => TimeRange { until: from.at.plus_nanos(1).min(query.range.until), ..query.range },
    };
    let query = LogQuery { range, ..query };
    let (here, mut offset) = (place_of(from), 0);
    let ahead = if order == Order::Ascending { Ordering::Greater } else { Ordering::Less };
    loop {
        let request =
            LineRequest { query: query.clone(), order, start: Start::Offset(offset), limit: WINDOW_ROWS };
        let rows = rows_of(request, signal).await.ok()?.0;
        let is_behind = |row: &Row| {
            let place = place_of(row).cmp(&here);
            place == ahead || (counts && place.is_eq())
        };
        let count = rows.len() as u64;
        if let Some(row) = rows.into_iter().find(is_behind) {
            return Some(Arc::new(row));
        }
        if count < WINDOW_ROWS {
            return None;
        }
        offset += count;
    }
}

/// What lines are sorted by: time, then arrival.
fn place_of(row: &Row) -> (Timestamp, u64, u64) {
    let mut numbers = row.id.rsplit('~').map(|part| part.parse().unwrap_or(0));
    let (arrival, segment) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (row.at, segment, arrival)
}

/// Parts of a range of which counts can be asked for at once, from an instant on in an order. Each begins with the last step of
/// the one before, so that nothing falls between two.
fn parts_of(
    range: TimeRange,
    from: Timestamp,
    order: Order,
    step_ms: i64,
) -> impl Iterator<Item = TimeRange> {
    let step = step_ms * 1_000_000;
    let length = step * STEPS;
    // What comes slower is told by the steps before.
    let margin = step * 8;
    let mut next = Some(from);
    std::iter::from_fn(move || {
        let at = next?;
        let part = match order {
            Order::Ascending => TimeRange { from: at.plus_nanos(-margin), until: at.plus_nanos(length) },
            Order::Descending => TimeRange { from: at.plus_nanos(-length), until: at.plus_nanos(margin) },
        };
        let part = TimeRange { from: part.from.max(range.from), until: part.until.min(range.until) };
        next = match order {
            Order::Ascending => (part.until < range.until).then(|| part.until.plus_nanos(-margin)),
            Order::Descending => (part.from > range.from).then(|| part.from.plus_nanos(margin)),
        };
        Some(part)
    })
}

/// The instants at which something is to be looked at, in an order from an instant on.
fn turns(counts: &Histogram, sought: Sought, from: Timestamp, order: Order) -> Vec<Timestamp> {
    let sums = sums_of(counts);
    let found = if sought == Sought::Gap { ends_of_silence(&sums) } else { slow_downs(&sums) };
    let at = |step: usize| Timestamp::from_millis(counts.from_ms + step as i64 * counts.step_ms);
    let mut found: Vec<Timestamp> = found.into_iter().map(at).collect();
    match order {
        Order::Ascending => found.retain(|at| *at > from),
        Order::Descending => {
            found.retain(|at| *at < from);
            found.reverse();
        }
    }
    found
}

fn sums_of(counts: &Histogram) -> Vec<u64> {
    let steps = Level::ALL.iter().map(|level| counts.levels.get(*level).len()).max().unwrap_or(0);
    let sum = |step: usize| Level::ALL.iter().filter_map(|level| counts.levels.get(*level).get(step)).sum();
    (0..steps).map(sum).collect()
}

/// The line below the mark of a silence that ends about an instant, if it is long enough: the later one, or where the newest
/// comes first the earlier one.
async fn after_silence(
    query: &LogQuery,
    at: Timestamp,
    silence: i64,
    is_rising: bool,
    signal: &AbortSignal,
) -> Option<Arc<Row>> {
    let (later, offset) = first_from(query, Start::At(at), signal).await.ok()??;
    let before = Start::Offset(offset.checked_sub(1)?);
    let (earlier, _) = first_from(query, before, signal).await.ok()??;
    let is_silence = later.at.nanos_since(earlier.at) >= silence;
    let shows_later = is_rising == (query.order == Order::Ascending) || query.order == Order::Ascending;
    is_silence.then_some(if shows_later { later } else { earlier })
}

/// The first line from somewhere on in rising order, and how many come before.
async fn first_from(
    query: &LogQuery,
    start: Start,
    signal: &AbortSignal,
) -> Result<Option<(Arc<Row>, u64)>, ApiError> {
    let request = LineRequest { query: query.clone(), order: Order::Ascending, start, limit: 1 };
    let (rows, offset) = rows_of(request, signal).await?;
    Ok(rows.into_iter().next().map(|row| (Arc::new(row), offset)))
}

/// All rows of a small window, and how many lines come before it.
async fn rows_of(request: LineRequest, signal: &AbortSignal) -> Result<(Vec<Row>, u64), ApiError> {
    let rows = Rc::new(RefCell::new((Vec::new(), 0)));
    let (taken, head) = (Rc::clone(&rows), Rc::clone(&rows));
    let on_head = move |said: client::AnswerHead| head.borrow_mut().1 = said.offset.unwrap_or(0);
    let on_rows = move |more: Vec<Row>| taken.borrow_mut().0.extend(more);
    client::stream_lines(request, signal.clone(), on_head, on_rows).await?;
    Ok(rows.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(from: i64, until: i64) -> TimeRange {
        TimeRange::between(Timestamp::from_secs(from), Timestamp::from_secs(until))
    }

    #[test]
    fn parts_of_a_range_overlap_and_reach_its_end() {
        let at = Timestamp::from_secs(50_000);
        let parts: Vec<TimeRange> = parts_of(secs(0, 60_000), at, Order::Ascending, 500).collect();
        assert_eq!(parts, [secs(49_996, 55_000), secs(54_992, 59_996), secs(59_988, 60_000)]);
        let parts: Vec<TimeRange> = parts_of(secs(46_000, 60_000), at, Order::Descending, 500).collect();
        assert_eq!(parts, [secs(46_000, 50_004)]);
    }

    #[test]
    fn turns_are_looked_at_from_the_cursor_on() {
        let mut counts = Histogram { from_ms: 0, step_ms: 1_000, ..Histogram::default() };
        *counts.levels.get_mut(Level::Warn) = vec![1, 0, 1, 0, 0, 1];
        *counts.levels.get_mut(Level::Info) = vec![0, 0, 0, 0, 0, 0, 0, 2];
        let found = |from: i64, order| -> Vec<i64> {
            turns(&counts, Sought::Gap, Timestamp::from_secs(from), order)
                .iter()
                .map(|at| at.as_secs())
                .collect()
        };
        assert_eq!(found(2, Order::Ascending), [5, 7]);
        assert_eq!(found(5, Order::Descending), [2]);
        assert_eq!(found(9, Order::Descending), [7, 5, 2]);
    }
}

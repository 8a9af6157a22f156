//! Lines as they are stored: they are put behind those that are there, if the reader is at the newest; else they are counted.

use super::LineFeed;
use crate::lines::Row;
use crate::session::AHEAD_NANOS;
use crate::state::LogQuery;
use leptos::prelude::*;
use sonde_shared::time::{NANOS_PER_SEC, Timestamp};
use sonde_shared::view::Order;
use std::time::Duration;

/// How long the newest lines wait to be asked for again.
const AGAIN: Duration = Duration::from_secs(1);

impl LineFeed {
    /// Takes up lines that have been stored just now.
    pub fn arrive(self, rows: Vec<Row>) {
        if rows.is_empty() || !self.run.with_value(|run| run.live) {
            return;
        }
        if !untrack(|| self.is_at_newest()) {
            self.newer.update(|count| *count = count.map(|count| count + rows.len() as u64));
            return self.held.set(true);
        }
        let mut rows = Some(rows);
        self.run.update_value(|run| {
            if let Some(pending) = &mut run.pending {
                pending.extend(rows.take().unwrap_or_default());
            }
        });
        if let Some(rows) = rows {
            self.append(rows);
        }
    }

    /// Asks for the newest lines anew, where they are followed.
    pub fn refresh(self) {
        if !self.run.with_value(|run| run.live) {
            return;
        }
        if !untrack(|| self.is_at_newest()) {
            self.hold_uncounted();
        } else if self.run.with_value(|run| run.pending.is_some()) {
            // To give up an answer that is slow to come would mean none at all.
            self.refresh_soon(AGAIN);
        } else {
            self.open(self.session.query.get_untracked());
        }
    }

    /// The same, saying why.
    pub fn refresh_as(self, why: &'static str) {
        self.say(why);
        self.refresh_soon(AGAIN);
    }

    fn refresh_soon(self, wait: Duration) {
        self.turn.within(wait, move || self.refresh());
    }

    /// There are newer lines than the reader looks at, nobody knows how many.
    pub(super) fn hold_uncounted(self) {
        self.newer.set(None);
        self.held.set(true);
    }

    /// Whether the rows that are there are followed by those that come, so that a range that has moved on a little need not be
    /// asked for.
    pub(super) fn is_fed(self, query: &LogQuery) -> bool {
        self.session.fed.get_untracked() && self.has_hardly_moved(query)
    }

    /// Whether the range is that of the rows that are there, but for a little.
    pub(super) fn has_hardly_moved(self, query: &LogQuery) -> bool {
        let moved_since = |run: &super::Run| {
            let former = run.query.as_ref().filter(|_| run.landed || run.pending.is_some())?;
            Some(query.range.from.nanos_since(former.range.from))
        };
        let patience = (query.range.nanos() / 100).clamp(3 * NANOS_PER_SEC, 30 * NANOS_PER_SEC);
        let moved = self.run.with_value(moved_since);
        moved.is_some_and(|moved| (0..patience).contains(&moved))
    }

    /// Puts rows behind those that are there, as far as they belong there.
    pub(super) fn append(self, mut rows: Vec<Row>) {
        let Some(query) = self.run.with_value(|run| run.query.clone()) else { return };
        let until = self.session.server_now().plus_nanos(AHEAD_NANOS);
        let is_later = rows.iter().any(|row| row.at > until);
        rows.retain(|row| row.at >= query.range.from && row.at <= until);
        self.cache.with_value(|cache| rows.retain(|row| cache.position_of(&row.id).is_none()));
        let end = self.total.get_untracked().rows();
        let follows =
            end.checked_sub(1).is_none_or(|last| self.row(last).is_some_and(|row| is_behind(row.at, &rows)));
        if query.order == Order::Descending || !follows {
            if !rows.is_empty() {
                self.refresh_soon(AGAIN);
            }
            return;
        }
        if is_later {
            // Their time is yet to come.
            self.refresh_soon(AGAIN * 5);
        }
        if rows.is_empty() {
            return;
        }
        self.total.set(crate::lines::Total::Known(end + rows.len() as u64));
        self.cache.update_value(|cache| {
            for (index, row) in (end..).zip(rows) {
                cache.put(index, row);
            }
        });
        self.revision.update(|count| *count += 1);
        self.go(|extent, _| extent.end());
        self.settle();
    }
}

/// Whether rows come behind the last one that is there.
fn is_behind(last: Timestamp, rows: &[Row]) -> bool {
    rows.first().is_none_or(|first| first.at >= last)
}

//! The newest lines of a live run: fetched whole, and swapped in for those on show if the reader is still with the newest.

use super::{LineFeed, count_lines};
use crate::api::client::{self, AnswerHead, LineRequest, Start};
use crate::api::{Abort, ApiError};
use crate::feeds::phase::Phase;
use crate::lines::{Row, WINDOW_ROWS};
use crate::session::AHEAD_NANOS;
use crate::state::LogQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::time::TimeRange;
use sonde_shared::view::Order;
use std::cell::Cell;

impl LineFeed {
    pub(super) fn ask_newest(self, number: u64, query: LogQuery) {
        // Those that came since the clock's last tick are among them, where what comes next is put behind them.
        let query = if self.session.fed.get_untracked() { self.up_to_now(query) } else { query };
        self.run.update_value(|run| run.pending = Some(Vec::new()));
        let abort = Abort::new();
        let signal = abort.signal();
        let count = count_lines(query.clone(), &abort);
        self.run.update_value(|run| run.other = Some(abort));
        let order = query.order;
        let request =
            LineRequest { query, order: Order::Descending, start: Start::Offset(0), limit: WINDOW_ROWS };
        spawn_local(async move {
            let (header, mut newest) = (Cell::new(None), Vec::new());
            let on_rows = |rows| newest.extend(rows);
            let on_head = |head: AnswerHead| {
                header.set(head.total);
                self.hear(number, head.indexed_to);
            };
            let ended = client::stream_lines(request, signal, on_head, on_rows).await;
            let total = match header.get() {
                None if ended.is_ok() => count.await.ok(),
                total => total,
            };
            if self.is_current(number) {
                self.take_newest(total, newest, order, ended);
            }
        });
    }

    /// The range stands still: what has left it since it was asked for goes, and the reader stays where he is.
    pub(super) fn pause(self, query: LogQuery) {
        let at = self.position.get_untracked();
        let is_at_newest = untrack(|| self.is_at_newest());
        let extent = untrack(|| self.extent());
        let cursor = self.cursor.get_untracked().filter(|row| extent.visible(at).contains(row));
        let stays = cursor.unwrap_or(at.row);
        let line = self.row(stays).map(|row| row.id.clone());
        self.open_at(query, is_at_newest);
        if !is_at_newest {
            self.kept_px.set_value(extent.top_of(at, stays));
            self.back_to.set_value(line);
        }
    }

    fn take_newest(self, total: Option<u64>, rows: Vec<Row>, order: Order, ended: Result<(), ApiError>) {
        let pending = self.run.try_update_value(|run| run.pending.take()).flatten().unwrap_or_default();
        match ended {
            Err(error) if error.aborted => return,
            Err(error) => return self.phase.set(Phase::Failed(error)),
            Ok(()) => {}
        }
        if !untrack(|| self.is_at_newest())
            && let Some(shown) = self.run.try_update_value(|run| run.shown.take()).flatten()
        {
            return self.keep_shown(shown);
        }
        let total = total.unwrap_or(0).max(rows.len() as u64);
        self.land(Some(total));
        self.cache.update_value(|cache| {
            for (back, row) in (0..).zip(rows) {
                cache.put(if order == Order::Descending { back } else { total - 1 - back }, row);
            }
        });
        // The marks of the new rows move the end.
        self.revision.update(|count| *count += 1);
        if order == Order::Ascending {
            self.go(|extent, _| extent.end());
        }
        self.settle();
        self.append(pending);
        self.seek_pinned_line(self.run.with_value(|run| run.number));
    }

    /// The reader has gone elsewhere meanwhile: what is read stays, and its places count as before.
    fn keep_shown(self, shown: LogQuery) {
        self.run.update_value(|run| {
            run.query = Some(shown);
            run.landed = true;
            run.other = None;
        });
        self.hold_uncounted();
        self.settle();
        self.want_shown();
    }

    /// The query of a live run's window. Lines have been put behind those that its first answer had: one that ended where
    /// that did would say that there are no such lines.
    pub(super) fn up_to_now(self, query: LogQuery) -> LogQuery {
        if !self.run.with_value(|run| run.live) {
            return query;
        }
        let TimeRange { from, until } = query.range;
        let until = until.max(self.session.server_now()).plus_nanos(AHEAD_NANOS);
        LogQuery { range: TimeRange { from, until }, ..query }
    }
}

//! Where the reader is among the lines: moved by the reader, led to a line that a link names, held there while rows come.

use super::LineFeed;
use crate::boxed::effect;
use crate::feeds::seek;
use crate::leaving::leaving;
use crate::lines::{Extent, Find, Kept, Position};
use crate::state::{Command, LogQuery};
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::view::Order;

impl LineFeed {
    /// What there is to scroll in.
    pub fn extent(self) -> Extent {
        Extent {
            rows: self.total.get().rows(),
            row_px: self.row_px.get(),
            expanded: self.expanded.get(),
            marks: self.marks.get(),
            wrapped: self.wrapped.get(),
            viewport_px: self.viewport_px.get(),
        }
    }

    /// Moves the reader. Who has come to the end stays there when marks come.
    pub fn go(self, to: impl FnOnce(Extent, Position) -> Position) {
        let extent = untrack(|| self.extent());
        let at = extent.clamped(to(extent.clone(), self.position.get_untracked()));
        self.stand(at, Kept::at(&extent, at));
    }

    /// Follows what changes the place of rows: the pane's size, marks, and fields below a line.
    pub(super) fn keep_place(self) {
        effect(move || {
            self.viewport_px.track();
            self.row_px.track();
            self.hold_position();
        });
        effect(move || {
            self.marks.track();
            self.wrapped.track();
            self.expanded.track();
            self.hold_kept();
        });
        let line = self.session.part(|state| (state.view.line.clone(), state.is_folded));
        effect(move || {
            // Whoever opens a line looks at that one from now on, and is to see its fields.
            let opened = line.get().0.and_then(|line| self.place_of_seen(&line));
            self.kept.set_value(opened.map_or(Kept::Nothing, Kept::Row));
            self.expanded.set(None);
        });
    }

    pub(super) fn stand(self, at: Position, kept: Kept) {
        let former = self.kept.try_update_value(|value| std::mem::replace(value, kept));
        // Who leaves a line where it stands may be at the newest one by that.
        let leaves = matches!(former, Some(Kept::Row(_))) && !matches!(kept, Kept::Row(_));
        if leaves || at != self.position.get_untracked() {
            self.position.set(at);
        }
    }

    /// The pane changed its size: a live one stays at its newest line, no other shows what lies beyond the end.
    fn hold_position(self) {
        let ascending = self.session.query.with_untracked(|query| query.order == Order::Ascending);
        let follows = self.session.view.with_untracked(|view| view.live) && !self.held.get_untracked();
        if follows && ascending {
            self.go(|extent, _| extent.end());
        } else {
            self.hold_kept();
        }
    }

    /// Rows became higher or the pane less high: what the reader was led to stays in sight.
    fn hold_kept(self) {
        let kept = self.kept.get_value();
        let at = untrack(|| self.extent()).keeping(self.position.get_untracked(), kept);
        self.stand(at, kept);
    }

    pub(super) fn is_at_newest(self) -> bool {
        let position = self.position.get();
        if self.session.query.with(|query| query.order == Order::Descending) {
            return position == Position::default();
        }
        // Who reads the fields of the last line is not to be moved on by the next.
        let is_reading = |(row, _)| self.kept.get_value() == Kept::Row(row);
        !self.expanded.get().is_some_and(is_reading) && self.extent().is_at_end(position)
    }

    /// Where a line is, if it is at hand; then it has been seen.
    fn place_of_seen(self, line: &str) -> Option<u64> {
        let place = self.cache.with_value(|cache| cache.position_of(line))?;
        self.see(line);
        Some(place)
    }

    fn see(self, line: &str) {
        self.seen_line.set_value(Some(line.to_owned()));
    }

    /// A link may name a line that is not in sight: the reader is led to it, or back to where he was. One that is not there is told,
    /// unless it was: then the reader has narrowed the lines.
    pub(super) fn seek_pinned_line(self, number: u64) {
        let (pinned, is_live) = self.session.now_part(|state| (state.view.line.clone(), state.view.live));
        let back_to = self.back_to.try_update_value(Option::take).flatten();
        let (Some(line), Some(query)) = (back_to.or(pinned), self.run.with_value(|run| run.query.clone()))
        else {
            return;
        };
        let lead_to = move |row| {
            if !is_live {
                self.lead_to(row);
            }
        };
        if let Some(row) = self.place_of_seen(&line) {
            return lead_to(row);
        }
        let is_seen = self.seen_line.with_value(|seen| seen.as_ref() == Some(&line));
        if is_live && is_seen {
            return;
        }
        spawn_local(async move {
            let found = seek::position_of(query, line.clone(), self.search).await;
            match found.ok().filter(|_| self.is_current(number)) {
                Some(Some(row)) => {
                    self.see(&line);
                    lead_to(row);
                }
                Some(None) if !is_seen && self.session.indexed_to.get_untracked().is_none() => {
                    self.session.send(Command::LineMissing(line));
                }
                _ => {}
            }
        });
    }

    pub(super) fn lead_to(self, row: u64) {
        let extent = untrack(|| self.extent());
        let kept_px = self.kept_px.try_update_value(Option::take).flatten();
        let at = match kept_px {
            // What was on show stays where it was.
            Some(px) => extent.moved(Position { row, px: 0.0 }, -px),
            None => extent.leading_to(self.position.get_untracked(), row),
        };
        self.cursor.set(Some(row));
        self.stand(at, Kept::Row(row));
    }

    /// Shows all lines around one, which stays where it is in the pane but for room for some above and below it.
    pub fn show_context(self, id: String) {
        let extent = untrack(|| self.extent());
        let row = self.cache.with_value(|cache| cache.position_of(&id));
        let top = row.and_then(|row| extent.top_of(self.position.get_untracked(), row));
        self.kept_px.set_value(top.map(|px| extent.among_others(px)));
        self.sought_text.set(self.find_now());
        let query = self.session.query.get_untracked();
        self.session.send(Command::ShowContext(id));
        // Where all lines were shown already nothing comes that would lead to it.
        let stays = self.session.query.with_untracked(|now| *now == query);
        if let Some(row) = row.filter(|_| stays) {
            // Its fields go: they need no room.
            self.expanded.set(None);
            self.lead_to(row);
        }
    }

    /// What is looked for: the text filter, else what was one before the context of a line was asked for.
    pub fn find(self) -> Option<Find> {
        leaving(self.session.query).with(find_of).or_else(|| leaving(self.sought_text).get())
    }

    fn find_now(self) -> Option<Find> {
        untrack(|| self.find())
    }
}

/// What a query's text filter looks for.
fn find_of(query: &LogQuery) -> Option<Find> {
    let find = || Find { text: query.contains.clone(), is_regex: query.is_regex };
    (!query.contains.is_empty()).then(find)
}

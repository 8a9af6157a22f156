//! Lines that are still to be indexed: the pane says up to where none is missing, looks again every two seconds, and asks anew
//! when there are more. Who had scrolled is led back to the line that was at the top.

use super::LineFeed;
use crate::api::Abort;
use crate::api::client::{self, AnswerHead, LineRequest, Start};
use crate::lines::Position;
use crate::state::LogQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::time::Timestamp;
use std::time::Duration;

const AGAIN: Duration = Duration::from_secs(2);

impl LineFeed {
    /// Takes up what an answer of a run says.
    pub(super) fn hear(self, number: u64, indexed_to: Option<Timestamp>) {
        if !self.is_current(number) {
            return;
        }
        let is_news = self.session.indexed_to.get_untracked() != indexed_to;
        if is_news {
            self.session.indexed_to.set(indexed_to);
        }
        if is_news && self.run.with_value(|run| run.landed && !run.live) {
            // What is on show is of before.
            return self.ask_anew();
        }
        self.wait_for_more(number);
    }

    fn wait_for_more(self, number: u64) {
        if self.session.indexed_to.get_untracked().is_some() {
            self.again.after(AGAIN, move || self.look_again(number));
        } else {
            self.again.stop();
        }
    }

    /// Asks for a single line, without what reads text, for what its answer says.
    fn look_again(self, number: u64) {
        let query = self.run.try_with_value(|run| run.query.clone()).flatten();
        let Some(query) = query.filter(|_| self.is_current(number)) else { return };
        let query = LogQuery { contains: String::new(), fields: Vec::new(), ..query };
        let request = LineRequest { order: query.order, query, start: Start::Offset(0), limit: 1 };
        let abort = Abort::new();
        let signal = abort.signal();
        self.look.set_value(Some(abort));
        spawn_local(async move {
            let mut head = None;
            let on_head = |said: AnswerHead| head = Some(said);
            // A look that failed is no matter: there is another one.
            drop(client::stream_lines(request, signal, on_head, |_| {}).await);
            if self.is_current(number) {
                self.take_look(number, head);
            }
        });
    }

    fn take_look(self, number: u64, said: Option<AnswerHead>) {
        match said.filter(|said| said.indexed_to != self.session.indexed_to.get_untracked()) {
            Some(said) => {
                self.session.indexed_to.set(said.indexed_to);
                self.ask_anew();
            }
            None => self.wait_for_more(number),
        }
    }

    /// The same query has more lines. A live reader who is elsewhere is told so and stays.
    fn ask_anew(self) {
        let Some(query) = self.run.with_value(|run| run.query.clone()) else { return };
        let (number, live) = self.run.with_value(|run| (run.number, run.live));
        if live && !untrack(|| self.is_at_newest()) {
            self.held.set(true);
            return self.wait_for_more(number);
        }
        let at = self.position.get_untracked();
        let top = self.row(at.row).filter(|_| at != Position::default()).map(|row| row.id.clone());
        self.open(query);
        self.back_to.set_value(top);
    }
}

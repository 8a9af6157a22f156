//! Dashboards as wholes: a new one, another title, a copy, one less, and that one back.

use super::edit::follow;
use super::{PageFeed, Saving};
use crate::api::client;
use crate::session::Session;
use crate::state::{Command, free_name};
use leptos::prelude::*;
use sonde_shared::dashboard::Dashboard;

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardChange {
    /// An empty one with this title.
    New(String),
    /// The open one has this title.
    Rename(String),
    /// What is shown of the open one, under this title.
    Copy(String),
    /// The open one goes.
    Delete,
}

/// Name and title of a dashboard.
type Named = (String, String);

/// The changes, and how the last one went.
#[derive(Clone, Copy)]
pub struct Boards {
    session: Session,
    feed: PageFeed,
    /// How it goes.
    pub saving: RwSignal<Saving>,
    /// The one that was deleted last, as long as that can be undone with a click.
    pub deleted: RwSignal<Option<Named>>,
}

impl Boards {
    /// Nothing is under way.
    pub fn new(session: Session, feed: PageFeed) -> Self {
        Self { session, feed, saving: RwSignal::new(Saving::Idle), deleted: RwSignal::new(None) }
    }

    /// Asks for a change; `then` comes once it is made.
    pub fn change(self, change: BoardChange, then: impl FnOnce() + 'static) {
        match change {
            BoardChange::New(title) => {
                self.create(Dashboard { title, ..Dashboard::default() }, None, then);
            }
            BoardChange::Copy(title) => {
                let board = self.session.now_part(|state| state.shown_board().cloned()).unwrap_or_default();
                self.create(Dashboard { title, ..board }, self.open_name(), then);
            }
            BoardChange::Rename(title) => self.rename(title, then),
            BoardChange::Delete => self.delete(then),
        }
    }

    fn open_name(self) -> Option<String> {
        self.session.now_part(|state| state.view.dashboard.clone())
    }

    fn create(self, board: Dashboard, copy_of: Option<String>, then: impl FnOnce() + 'static) {
        let name = self.session.now_part(|state| free_name(state.page.as_ref(), &board.title));
        let opened = name.clone();
        let ask = move |signal| client::create_dashboard(name, copy_of, board, signal);
        follow(self.saving, ask, move |_| self.open(opened, then));
    }

    fn open(self, name: String, then: impl FnOnce()) {
        self.session.send(Command::OpenDashboard(name));
        self.feed.info.retry();
        then();
    }

    /// Edits of its charts are not saved with it.
    fn rename(self, title: String, then: impl FnOnce() + 'static) {
        let (Some(name), Some(read)) = (self.open_name(), self.feed.dashboard.value.get_untracked()) else {
            return;
        };
        let board = Dashboard { title, ..read.dashboard.clone() };
        let ask = move |signal| client::save_dashboard(name, read.tag.clone(), board, signal);
        follow(self.saving, ask, move |saved| {
            self.feed.take_saved(self.session, saved);
            then();
        });
    }

    fn delete(self, then: impl FnOnce() + 'static) {
        let Some(name) = self.open_name() else { return };
        let read = self.feed.dashboard.value.get_untracked();
        // One that cannot be read has no tag.
        let tag = read.as_ref().map_or_else(|| "*".to_owned(), |read| read.tag.clone());
        let title = read.map_or_else(|| name.clone(), |read| read.dashboard.title.clone());
        let next = self.session.now_part(|state| {
            let boards = state.page.iter().flat_map(|page| &page.dashboards);
            boards
                .filter(|board| board.name != name && board.error.is_none())
                .map(|one| one.name.clone())
                .next()
        });
        let asked = name.clone();
        follow(
            self.saving,
            move |signal| client::delete_dashboard(asked, tag, signal),
            move |()| {
                self.deleted.set(Some((name, title)));
                self.open(next.unwrap_or_else(|| "default".to_owned()), then);
            },
        );
    }

    /// Brings back what was deleted last.
    pub fn undo(self) {
        let Some((name, _)) = self.deleted.get_untracked() else { return };
        let asked = name.clone();
        follow(
            self.saving,
            move |signal| client::restore_dashboard(asked, signal),
            move |()| {
                self.deleted.set(None);
                self.open(name, || {});
            },
        );
    }
}

//! What the page asks first: the server's name card, then the dashboard.

use super::Loaded;
use crate::api::client::{self, TaggedDashboard};
use crate::boxed::effect;
use crate::session::Session;
use crate::state::{AppState, Command};
use leptos::prelude::*;
use sonde_shared::api::PageInfo;
use sonde_shared::dashboard::NO_TEXT;
use sonde_shared::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// How often an empty server is asked whether something has come.
const EMPTY_POLL: Duration = Duration::from_secs(5);

/// The name card and the dashboard.
#[derive(Clone, Copy)]
pub struct PageFeed {
    /// What the server has.
    pub info: Loaded<PageInfo>,
    /// The open dashboard.
    pub dashboard: Loaded<TaggedDashboard>,
}

impl PageFeed {
    /// Whether the open dashboard is made from the metrics there are.
    pub fn has_no_file(self) -> bool {
        let is_made = |read: &Arc<TaggedDashboard>| read.tag.trim_matches('"') == NO_TEXT;
        self.dashboard.value.with(|read| read.as_ref().is_some_and(is_made))
    }

    /// What was saved is what there is now.
    pub(super) fn take_saved(self, session: Session, saved: TaggedDashboard) {
        session.send(Command::DashboardLoaded(saved.dashboard.clone()));
        self.dashboard.value.try_set(Some(Arc::new(saved)));
        self.info.retry();
    }

    /// Starts asking.
    pub fn start(session: Session) -> Self {
        let feed = Self { info: Loaded::new(), dashboard: Loaded::new() };
        feed.ask_info(session);
        feed.ask_dashboard(session);
        feed.poll_while_empty();
        feed.ask_again_when_panels_are_due(session);
        feed
    }

    fn ask_info(self, session: Session) {
        effect(move || {
            self.info.track_retries();
            self.info.load(client::page_info, move |page| {
                session.set_clock(Timestamp::from_millis(page.now_ms));
                session.send(Command::PageLoaded(page.clone()));
                if page.dashboards.is_empty() {
                    session.send(Command::NoDashboard);
                }
            });
        });
        effect(move || {
            if self.info.error.with(Option::is_some) {
                session.send(Command::NoDashboard);
            }
        });
    }

    fn ask_dashboard(self, session: Session) {
        let name = session.part(|state| state.view.dashboard.clone());
        effect(move || {
            self.dashboard.track_retries();
            let Some(name) = name.get() else { return };
            self.dashboard.clear();
            self.dashboard.load(
                move |signal| client::dashboard(name, signal),
                move |loaded| session.send(Command::DashboardLoaded(loaded.dashboard.clone())),
            );
        });
        effect(move || {
            if self.dashboard.error.with(Option::is_some) {
                session.send(Command::NoDashboard);
            }
        });
    }

    /// The dashboard that is made from the metrics that exist has its panels once there are some.
    fn ask_again_when_panels_are_due(self, session: Session) {
        let due = session.part(AppState::panels_are_due);
        effect(move || {
            if due.get() {
                self.dashboard.retry();
            }
        });
    }

    /// The first line or point to arrive brings an empty page to life.
    fn poll_while_empty(self) {
        let poll = move || {
            let empty = self.info.value.with_untracked(|info| {
                info.as_ref().is_some_and(|info| info.last_line_ms.is_none() || info.last_point_ms.is_none())
            });
            if empty && !document().hidden() {
                self.info.retry();
            }
        };
        if let Ok(handle) = set_interval_with_handle(poll, EMPTY_POLL) {
            on_cleanup(move || handle.clear());
        }
    }
}

//! What the editor of a panel asks the server: what may be typed, and to save.

use super::{Loaded, PageFeed};
use crate::api::client::{self, Mistake};
use crate::api::{Abort, ApiError};
use crate::session::Session;
use crate::state::{Command, EditStep, FunctionName, Suggestion, functions_like, texts_like};
use leptos::prelude::*;
use leptos::task::spawn_local;
use sonde_shared::component::with_all_above;
use sonde_shared::links::LinkRule;
use sonde_shared::log::Level;
use std::collections::BTreeSet;
use std::future::Future;
use web_sys::AbortSignal;

/// No list is longer.
const MOST_SUGGESTIONS: usize = 40;

/// What may stand in the place of a word of a target.
#[derive(Clone, Copy)]
pub struct Completion {
    functions: Loaded<Vec<FunctionName>>,
    metrics: Loaded<Vec<Suggestion>>,
}

impl Completion {
    /// Nothing is asked for yet. It lives as long as the page: what an editor makes goes with it.
    pub fn new() -> Self {
        Self { functions: Loaded::new(), metrics: Loaded::new() }
    }

    /// Asks for the functions, unless they are there.
    pub fn start(self) {
        if self.functions.value.with_untracked(Option::is_none) {
            self.functions.load(client::functions, |_| {});
        }
    }

    /// Asks for metrics that begin with a word.
    pub fn ask(self, word: String) {
        self.metrics.load(move |signal| client::metrics_like(word, signal), |_| {});
    }

    /// Metrics, then functions; tracked.
    pub fn names(self, word: &str) -> Vec<Suggestion> {
        let metrics = self.metrics.value.get().unwrap_or_default();
        // An answer to the word of before is of use as far as it fits.
        let fits = |one: &&Suggestion| one.insert().starts_with(word) || word.contains(['*', '{', '[', '?']);
        let functions = self.functions.value.get().unwrap_or_default();
        let functions = functions_like(&functions, word).into_iter().cloned().map(Suggestion::Function);
        metrics.iter().filter(fits).cloned().chain(functions).take(MOST_SUGGESTIONS).collect()
    }

    /// Components with lines in the visible range, and those that they are below.
    pub fn components(self, session: Session, word: &str) -> Vec<Suggestion> {
        session.now_part(|state| {
            let all = state.components.iter().flat_map(|all| &all.components);
            let all: BTreeSet<&str> = all.flat_map(|one| with_all_above(&one.path)).collect();
            let mut found = texts_like(all.iter().copied(), word);
            found.truncate(MOST_SUGGESTIONS);
            found
        })
    }

    /// Levels.
    pub fn levels(self, word: &str) -> Vec<Suggestion> {
        texts_like(Level::ALL.iter().map(|level| level.name()), word)
    }
}

impl Default for Completion {
    fn default() -> Self {
        Self::new()
    }
}

/// What is wrong with targets, the latest ones that were asked about.
#[derive(Clone, Copy)]
pub struct TargetCheck(Loaded<Vec<Option<Mistake>>>);

impl TargetCheck {
    /// Nothing was asked yet.
    pub fn new() -> Self {
        Self(Loaded::new())
    }

    /// Asks about targets; `then` has the first mistake of each, if it has one.
    pub fn ask(self, targets: Vec<String>, then: impl FnOnce(&Vec<Option<Mistake>>) + 'static) {
        self.0.load(move |signal| client::check_targets(targets, signal), then);
    }
}

impl Default for TargetCheck {
    fn default() -> Self {
        Self::new()
    }
}

/// How saving went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Saving {
    /// Nothing is being saved.
    #[default]
    Idle,
    /// The answer is awaited.
    Busy,
    /// It was refused, with this reason.
    Refused(String),
    /// Somebody else has saved meanwhile.
    Overtaken(String),
}

impl Saving {
    /// Why it was refused, if it was.
    pub fn refusal(self) -> Option<String> {
        match self {
            Self::Refused(why) | Self::Overtaken(why) => Some(why),
            Self::Idle | Self::Busy => None,
        }
    }
}

/// How saving the dashboard goes, wherever it was begun.
#[derive(Clone, Copy)]
pub struct BoardSaving(pub RwSignal<Saving>);

/// Saves the dashboard as it is edited, over what was read.
pub fn save_dashboard(session: Session, feed: PageFeed, saving: RwSignal<Saving>) {
    let board = session.now_part(|state| state.shown_board().cloned());
    let name = session.now_part(|state| state.view.dashboard.clone());
    let read = feed.dashboard.value.get_untracked();
    let (Some(board), Some(name), Some(read)) = (board, name, read) else { return };
    let ask = move |signal| client::save_dashboard(name, read.tag.clone(), board, signal);
    follow(saving, ask, move |saved| {
        // What was changed while it was saved stays edited.
        feed.take_saved(session, saved);
        session.send(Command::Edit(EditStep::Close));
    });
}

/// Lays the edits over what somebody else has saved.
pub fn take_theirs(feed: PageFeed, saving: RwSignal<Saving>) {
    saving.set(Saving::Idle);
    feed.dashboard.retry();
}

/// Makes the lines of a component those of a metric, for everybody.
pub fn add_link(feed: PageFeed, rule: LinkRule, saving: RwSignal<Saving>) {
    follow(saving, move |signal| client::add_link(rule, signal), move |_| feed.info.retry());
}

/// Asks, and says how that goes.
pub(super) fn follow<T, F>(
    saving: RwSignal<Saving>,
    ask: impl FnOnce(AbortSignal) -> F + 'static,
    then: impl FnOnce(T) + 'static,
) where
    F: Future<Output = Result<T, ApiError>>,
{
    saving.set(Saving::Busy);
    spawn_local(async move {
        let abort = Abort::new();
        match ask(abort.signal()).await {
            Ok(answer) => {
                saving.try_set(Saving::Idle);
                then(answer);
            }
            Err(error) if error.status == Some(412) => {
                saving.try_set(Saving::Overtaken(error.sentence));
            }
            Err(error) => drop(saving.try_set(Saving::Refused(error.sentence))),
        }
    });
}

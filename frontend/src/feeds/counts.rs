//! What the pane's lines have in common, counted by the server while somebody looks: facets, patterns, and what stands in the
//! variable parts of a pattern.

use super::Loaded;
use crate::api::client;
use crate::boxed::{effect, memo};
use crate::json::{Raw, RawText};
use crate::lines::Row;
use crate::session::Session;
use crate::state::LogQuery;
use leptos::prelude::*;
use sonde_shared::api::{Envelope, Facets, PatternCount, PatternValues, Patterns};
use sonde_shared::baseline::default_baseline;
use sonde_shared::time::TimeRange;
use std::sync::Arc;

/// By what lines are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facet {
    /// By component.
    Component,
    /// By host.
    Host,
    /// By level.
    Level,
}

/// The values of a facet among the pane's lines, while `open`; as if the facet's own filter were not there, so that others can be
/// chosen.
pub fn load_facets(session: Session, facet: Facet, open: RwSignal<bool>) -> Loaded<Facets> {
    let loaded = Loaded::new();
    effect(move || {
        loaded.track_retries();
        if !open.get() {
            return loaded.clear();
        }
        let mut query = session.query.get();
        match facet {
            Facet::Component => query.components.clear(),
            Facet::Host => query.host = None,
            Facet::Level => query.level = None,
        }
        loaded.load(move |signal| client::facets(query, signal), |_| {});
    });
    loaded
}

/// A pattern among the pane's lines.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternRow {
    /// Its id.
    pub id: String,
    /// The message with `<*>` for what varies.
    pub template: String,
    /// Its lines.
    pub count: u64,
    /// Its lines in the baseline, where there is one.
    pub before: Option<u64>,
    /// One of its lines.
    pub example: Arc<Row>,
}

/// The patterns of some lines.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternList {
    /// The lines of all patterns.
    pub total: u64,
    /// Those of the baseline.
    pub before: Option<u64>,
    /// The most frequent first.
    pub rows: Vec<PatternRow>,
    /// How many further patterns there are, and their lines.
    pub left_out: (u64, u64),
}

impl PatternList {
    fn of(answer: Patterns<RawText>) -> Self {
        let row = |one: PatternCount<RawText>| {
            let Envelope { t, c, h, l, p, id, line } = one.example;
            PatternRow {
                id: one.id,
                template: one.pattern,
                count: one.count,
                before: one.baseline_count,
                example: Arc::new(Row::of(Envelope { t, c, h, l, p, id, line: Raw(&line.0) })),
            }
        };
        Self {
            total: answer.total,
            before: answer.baseline_total,
            rows: answer.patterns.into_iter().map(row).collect(),
            left_out: (answer.left_out.patterns, answer.left_out.lines),
        }
    }
}

/// What the patterns tab shows.
#[derive(Clone, Copy)]
pub struct PatternFeed {
    /// The patterns of the pane's lines.
    pub patterns: Loaded<PatternList>,
    /// Those of the baseline, beside the pane's; to tell which are gone.
    pub gone: Loaded<PatternList>,
    /// What the selection is compared with; none without a selection.
    pub baseline: Memo<Option<TimeRange>>,
}

impl PatternFeed {
    /// Loads them as long as its owner is there.
    pub fn start(session: Session) -> Self {
        let baseline = memo(move || {
            let selection = session.selection.get()?;
            Some(session.baseline.get().unwrap_or_else(|| default_baseline(selection)))
        });
        let feed = Self { patterns: Loaded::new(), gone: Loaded::new(), baseline };
        effect(move || {
            feed.patterns.track_retries();
            session.indexed_to.track();
            if !session.ready.get() {
                return;
            }
            let (query, baseline) = (session.query.get(), baseline.get());
            load(feed.patterns, query.clone(), baseline);
            match baseline {
                Some(before) => {
                    load(feed.gone, LogQuery { range: before, ..query.clone() }, Some(query.range));
                }
                None => feed.gone.clear(),
            }
        });
        feed
    }
}

fn load(into: Loaded<PatternList>, query: LogQuery, baseline: Option<TimeRange>) {
    let ask =
        move |signal| async move { client::patterns(query, baseline, signal).await.map(PatternList::of) };
    into.load(ask, |_| {});
}

/// What stands in the variable parts of a pattern's lines.
pub fn load_values(session: Session, id: String, baseline: Memo<Option<TimeRange>>) -> Loaded<PatternValues> {
    let loaded = Loaded::new();
    effect(move || {
        loaded.track_retries();
        let (id, query, baseline) = (id.clone(), session.query.get(), baseline.get());
        loaded.load(move |signal| client::pattern_values(id, query, baseline, signal), |_| {});
    });
    loaded
}

/// What a pattern is like of which only the id is known, where the visible range has lines of it.
pub fn load_template(session: Session, id: String) -> Signal<Option<String>> {
    let loaded = Loaded::new();
    let range = session.range.get_untracked();
    let query = LogQuery { pattern: Some(id), ..LogQuery::all(range) };
    load(loaded, query, None);
    Signal::derive(move || {
        let found = loaded.value.get()?;
        found.rows.first().map(|row| row.template.clone())
    })
}

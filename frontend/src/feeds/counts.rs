//! What the pane's lines have in common, counted by the server while somebody looks: facets, patterns, and what stands in the
//! variable parts of a pattern.

use super::Loaded;
use crate::api::{Awaited, client};
use crate::boxed::{effect, memo};
use crate::json::{Raw, RawText};
use crate::lines::Row;
use crate::session::Session;
use crate::state::{AppState, LogQuery};
use leptos::prelude::*;
use sonde_shared::api::{Envelope, FacetCount, Facets, PatternCount, PatternValues, Patterns};
use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;
use sonde_shared::view::PatternSort;
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
    /// The worst level of its lines; that of the example where no more is told.
    pub level: Level,
    /// Its lines by level, the worst first, where that is told.
    pub levels: Arc<[FacetCount]>,
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

impl PatternRow {
    /// How many times as many lines an hour as before, where it is compared: of ranges of these lengths in nanoseconds, its own and
    /// the baseline's. Infinite where there were none.
    pub fn change(&self, (nanos, nanos_before): (i64, i64)) -> Option<f64> {
        let rate = |lines: u64, nanos: i64| lines as f64 / nanos.max(1) as f64;
        self.before.map(|before| rate(self.count, nanos) / rate(before, nanos_before))
    }
}

/// Puts patterns, which come by falling count, into another order; those that are equal in it stay by count.
pub fn sort_patterns(rows: &mut [PatternRow], sort: PatternSort, nanos: (i64, i64)) {
    match sort {
        PatternSort::Count => {}
        PatternSort::Change => {
            let change = |row: &PatternRow| row.change(nanos).unwrap_or_default();
            rows.sort_by(|a, b| change(b).total_cmp(&change(a)));
        }
        PatternSort::Level => rows.sort_by_key(|row| std::cmp::Reverse(row.level)),
        PatternSort::Text => rows.sort_by(|a, b| a.template.cmp(&b.template)),
    }
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
                level: one.levels.first().and_then(|worst| Level::parse(&worst.value)).unwrap_or(l),
                levels: one.levels.into(),
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
    /// What the patterns are in order by.
    pub sort: Memo<PatternSort>,
    /// How many of them are shown.
    pub shown: RwSignal<usize>,
}

/// So many patterns are shown at first, and so many more each time.
const SHOWN: usize = 100;
/// As many as the server sends.
pub const MOST_PATTERNS: usize = 1_000;

impl PatternFeed {
    /// Loads them as long as its owner is there.
    pub fn start(session: Session) -> Self {
        let baseline = session.part(AppState::compared);
        let wanted = session.part(|state| state.view.sort);
        // Without a baseline nothing has changed.
        let sort = memo(move || match wanted.get() {
            PatternSort::Change if baseline.get().is_none() => PatternSort::Count,
            sort => sort,
        });
        let (shown, query) = (RwSignal::new(SHOWN), session.query);
        let feed = Self { patterns: Loaded::new(), gone: Loaded::new(), baseline, sort, shown };
        // The server sends the most frequent ones: what is first in another order may be anywhere among them.
        let asked = memo(move || if sort.get() == PatternSort::Count { shown.get() } else { MOST_PATTERNS });
        effect(move || {
            feed.patterns.track_retries();
            session.indexed_to.track();
            if !session.ready.get() {
                return;
            }
            let (query, baseline) = (query.get(), baseline.get());
            load(feed.patterns, query.clone(), baseline, asked.get());
            match baseline {
                Some(before) => {
                    load(feed.gone, LogQuery { range: before, ..query.clone() }, Some(query.range), SHOWN);
                }
                None => feed.gone.clear(),
            }
        });
        feed
    }
}

impl PatternFeed {
    /// Shows more of the patterns.
    pub fn show_more(self) {
        self.shown.update(|shown| *shown = (*shown + SHOWN).min(MOST_PATTERNS));
    }
}

fn load(into: Loaded<PatternList>, query: LogQuery, baseline: Option<TimeRange>, limit: usize) {
    let ask = move |signal| -> Awaited<PatternList> {
        let patterns = client::patterns(query, baseline, limit, signal);
        Box::pin(async move { patterns.await.map(PatternList::of) })
    };
    into.load(ask, |_| {});
}

/// What stands in the variable parts of a pattern's lines, beside those of the baseline; of one that is `gone`, in the baseline's alone.
pub fn load_values(
    session: Session,
    id: String,
    baseline: Memo<Option<TimeRange>>,
    gone: bool,
) -> Loaded<PatternValues> {
    let loaded = Loaded::new();
    effect(move || {
        loaded.track_retries();
        let (id, mut query, mut baseline) = (id.clone(), session.query.get(), baseline.get());
        if let Some(before) = baseline.take_if(|_| gone) {
            query.range = before;
        }
        loaded.load(move |signal| client::pattern_values(id, query, baseline, signal), |_| {});
    });
    loaded
}

/// What stands in a field of the pane's lines, while `open`; as if no value of it were asked for, so that others can be chosen.
pub fn load_field_values(session: Session, name: String, open: Signal<bool>) -> Loaded<PatternValues> {
    let (loaded, baseline) = (Loaded::new(), session.part(AppState::compared));
    effect(move || {
        loaded.track_retries();
        if !open.get() {
            return loaded.clear();
        }
        let (name, mut query, baseline) = (name.clone(), session.query.get(), baseline.get());
        query.fields.retain(|field| field.excluded || field.name != name);
        loaded.load(move |signal| client::field_values(name, query, baseline, signal), |_| {});
    });
    loaded
}

/// What a pattern is like of which only the id is known, where the visible range has lines of it.
pub fn load_template(session: Session, id: String) -> Signal<Option<String>> {
    let loaded = Loaded::new();
    let range = session.range.get_untracked();
    let query = LogQuery { pattern: Some(id), ..LogQuery::all(range) };
    load(loaded, query, None, 1);
    Signal::derive(move || {
        let found = loaded.value.get()?;
        found.rows.first().map(|row| row.template.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_in_the_order_that_is_asked_for_and_else_by_count() {
        let row = |template: &str, level: &str, count: u64, before: u64| {
            let line = r#"{"t":1,"c":"a","h":"","l":"info","p":"0","id":"x","line":{"msg":"m"}}"#;
            let example = Arc::new(Row::parse(line.as_bytes()).expect("it is an envelope"));
            let (id, template) = (template.to_owned(), template.to_owned());
            // What a pattern's latest line is says nothing of its worst.
            let level = Level::parse(level).expect("it is a level");
            PatternRow { id, template, count, before: Some(before), level, levels: Arc::default(), example }
        };
        let rows = [
            row("turn", "info", 64, 512),
            row("halt", "error", 50, 0),
            row("slow", "warn", 40, 10),
            row("broken", "error", 3, 0),
        ];
        let check = |sort: PatternSort, expected: [&str; 4]| {
            let mut rows = rows.clone();
            sort_patterns(&mut rows, sort, (1_024, 4_096));
            assert_eq!(rows.each_ref().map(|row| row.template.as_str()), expected, "{sort:?}");
        };
        check(PatternSort::Count, ["turn", "halt", "slow", "broken"]);
        check(PatternSort::Change, ["halt", "broken", "slow", "turn"]);
        check(PatternSort::Level, ["halt", "broken", "slow", "turn"]);
        check(PatternSort::Text, ["broken", "halt", "slow", "turn"]);
        let [turn, ..] = rows;
        assert_eq!(turn.change((1_024, 4_096)), Some(0.5));
    }
}

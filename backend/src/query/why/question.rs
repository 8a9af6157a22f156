//! What is asked, and what of the store is looked at for it.
//!
//! How much of the time before selection and baseline is looked at depends on what there is: no more lines and points are
//! read of it than take about as long as the answer may.

use super::plan::{self, EARLIER_DAYS, Plan, Stretch};
use super::series::{self, Stored};
use super::walk::StoredLines;
use crate::store::logs::Snapshot;
use crate::store::metrics::{MetricStore, OWN_FIGURES};
use crate::store::{Store, StoreError};
use crate::why::observed::{Context, Event, Series};
use sonde_shared::component::Selector;
use sonde_shared::glob::Glob;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};

/// The most series that are compared.
const MOST_SERIES: usize = 100_000;
/// So many lines of the time before are counted at most.
const PAST_LINES: u64 = 20_000_000;
/// So many points of the time before are read at most.
const PAST_POINTS: i64 = 40_000_000;
/// Where rollups are read, points are as far apart as this.
const ROLLUP_MS: i64 = 600_000;
/// From buckets of this length on rollups are read.
const ROLLED_STEP_MS: i64 = 6 * ROLLUP_MS;
/// Spacings are told from no longer a time.
const LONGEST_LOOK_NANOS: i64 = 6 * 3_600 * NANOS_PER_SEC;
/// Events take no more bytes than this.
const EVENT_BYTES: u64 = 4 << 20;
/// So many of Sonde's own figures tell when it ran.
const OWN_SERIES: usize = 4;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is looked into.
    pub selection: TimeRange,
    /// What it is compared with; it does not overlap the selection.
    pub baseline: TimeRange,
    /// The selected components: findings near them count more.
    pub components: Vec<Selector>,
    /// The selected host.
    pub host: Option<String>,
    /// The paths of the charted series.
    pub charted: Vec<Glob>,
    /// When it is asked: of the time just before, points may be on their way.
    pub now: Timestamp,
}

impl Question {
    /// Whether a component is one of those asked for.
    pub(super) fn asks_for(&self, component: &str) -> bool {
        self.components.iter().any(|selector| selector.matches(component))
    }

    fn has_charted(&self, path: &str) -> bool {
        self.charted.iter().any(|glob| glob.matches(path))
    }

    /// What the question was asked from, by the places of these series.
    pub(super) fn context(&self, series: &[Series]) -> Context {
        let is_charted =
            |one: &Series| [&one.path].into_iter().chain(&one.former).any(|name| self.has_charted(name));
        let charted = series.iter().zip(0..).filter(|(one, _)| is_charted(one));
        Context {
            charted: charted.map(|(_, at)| at).collect(),
            components: self.components.iter().map(|selector| selector.as_str().to_owned()).collect(),
            host: self.host.clone(),
        }
    }

    /// Whether Sonde's own figures are asked about. Else they are no findings: they tell of what came in, and of questions like
    /// this one.
    fn is_about_sonde(&self) -> bool {
        let own = OWN_FIGURES.trim_end_matches('.');
        self.charted.iter().any(|glob| glob.as_str().starts_with(OWN_FIGURES)) || self.asks_for(own)
    }
}

/// What is looked at.
pub(super) struct Begun {
    pub(super) plan: Plan,
    pub(super) lines: StoredLines,
    pub(super) points: Stored,
    pub(super) names: Vec<String>,
    pub(super) own: Vec<bool>,
    pub(super) events: Vec<Event>,
    pub(super) notes: Vec<String>,
}

/// Looks at what there is, and decides.
pub(super) fn begin(store: &Store, question: &Question) -> Result<Begun, StoreError> {
    let mut notes = Vec::new();
    let (names, own_names) = series_names(store.metrics(), question, &mut notes)?;
    let spacing_ms = series::spacing_ms(store.metrics(), &names, recent(question))?;
    let most = plan::most_buckets(names.len());
    let step_ms = plan::step_ms(question.selection, spacing_ms, most);
    let cost = Cost { series: names.len() as i64, spacing_ms: spacing_ms.unwrap_or(i64::MAX) };
    let plan = affordable(store, question, step_ms, &cost)?;
    let lines = line_snapshots(store, &plan)?;
    let points = series::snapshots(store.metrics(), &plan)?;
    let own = own_buckets(&plan, &points, &own_names)?;
    let events = read_events(store, &plan, question, &mut notes)?;
    Ok(Begun { plan, lines, points, names, own, events, notes })
}

/// The time of selection and baseline, of a long one the last hours.
fn recent(question: &Question) -> TimeRange {
    let TimeRange { from, until } = question.selection;
    let earliest = until.plus_nanos(-LONGEST_LOOK_NANOS);
    TimeRange { from: from.plus_nanos(-4 * question.selection.nanos()).max(earliest), until }
}

/// The names of the series that are compared, and some of Sonde's own.
fn series_names(
    store: &MetricStore,
    question: &Question,
    notes: &mut Vec<String>,
) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let mut all: Vec<String> = Vec::new();
    for range in [question.selection, question.baseline] {
        let listing = store.listing(range)?;
        all.extend(listing.take(MOST_SERIES + 1 + OWN_SERIES));
    }
    all.sort_unstable();
    all.dedup();
    let own = all.iter().filter(|name| name.starts_with(OWN_FIGURES)).take(OWN_SERIES).cloned().collect();
    if !question.is_about_sonde() {
        all.retain(|name| !name.starts_with(OWN_FIGURES));
    }
    if all.len() > MOST_SERIES {
        notes.push(format!("Only {MOST_SERIES} series are compared, the first by name"));
        all.truncate(MOST_SERIES);
    }
    Ok((all, own))
}

/// What series cost to read.
struct Cost {
    series: i64,
    spacing_ms: i64,
}

impl Cost {
    /// How many points of a stretch are read, about.
    fn points(&self, stretch: &Stretch) -> i64 {
        let spacing = if stretch.step_ms >= ROLLED_STEP_MS { ROLLUP_MS } else { self.spacing_ms };
        self.series.saturating_mul(stretch.count as i64 * stretch.step_ms / spacing.max(1))
    }
}

/// The plan with as much of the time before as may be read, the nearest first; what there is nothing of is left out.
fn affordable(store: &Store, question: &Question, step_ms: i64, cost: &Cost) -> Result<Plan, StoreError> {
    let plan = |past, days: &[i64]| Plan::new(question.selection, question.baseline, step_ms, past, days);
    let mut room = Room { lines: PAST_LINES, points: PAST_POINTS };
    let buckets = plan(0, &[]).grid.now.selection.len();
    let most = plan::most_past(cost.series as usize, buckets);
    let mut past = 0;
    for lengths in (0..4).map(|halved| most >> halved).filter(|lengths| *lengths > 0) {
        let with_past = plan(lengths, &[]);
        if room.take(store, with_past.stretches.last(), cost)? {
            past = lengths;
            break;
        }
    }
    let mut days = Vec::new();
    for day in EARLIER_DAYS {
        let with_day = plan(past, &[day]);
        let stretch = with_day.stretches.last().filter(|_| !with_day.grid.earlier_days.is_empty());
        days.push(day);
        let has_room = plan::has_room(cost.series as usize, plan(past, &days).grid.len());
        if !has_room || !room.take(store, stretch, cost)? {
            days.pop();
        }
    }
    Ok(plan(past, &days))
}

/// What may still be read of the time before.
struct Room {
    lines: u64,
    points: i64,
}

impl Room {
    /// Takes what a stretch needs; whether there is something and enough is left.
    fn take(&mut self, store: &Store, stretch: Option<&Stretch>, cost: &Cost) -> Result<bool, StoreError> {
        let Some(stretch) = stretch else { return Ok(false) };
        let (range, points) = (stretch.range(), cost.points(stretch));
        if points > self.points {
            return Ok(false);
        }
        let lines = rows(&store.logs().snapshot(range)?, range);
        let is_empty = lines == 0 && store.metrics().snapshot(range)?.day_count() == 0;
        if is_empty || lines > self.lines {
            return Ok(false);
        }
        (self.lines, self.points) = (self.lines - lines, self.points - points);
        Ok(true)
    }
}

/// Takes a snapshot of the lines of each stretch.
fn line_snapshots(store: &Store, plan: &Plan) -> Result<StoredLines, StoreError> {
    let each = plan.stretches.iter().map(|stretch| Ok((store.logs().snapshot(stretch.range())?, *stretch)));
    each.collect()
}

/// How many lines lie in a range, about.
fn rows(snapshot: &Snapshot, range: TimeRange) -> u64 {
    let views = snapshot.days.iter().flat_map(|(_, views)| views);
    let inside = views.filter_map(|view| {
        let (min, max) = view.published.times()?;
        let all = TimeRange { from: min, until: max.plus_nanos(1) };
        let shared = all.intersection(range)?;
        Some(f64::from(view.published.rows) * shared.nanos() as f64 / all.nanos().max(1) as f64)
    });
    inside.sum::<f64>() as u64
}

/// In which buckets Sonde told its own figures.
fn own_buckets(plan: &Plan, points: &Stored, names: &[String]) -> Result<Vec<bool>, StoreError> {
    let mut own = vec![false; plan.grid.len()];
    for (days, stretch) in &**points {
        for name in names {
            for found in days.days(name, stretch.range()) {
                for (secs, _) in found?.iter() {
                    own[stretch.bucket_of(Timestamp::from_secs(secs))] = true;
                }
            }
        }
    }
    Ok(own)
}

/// The events from the baseline on; of too many none.
fn read_events(
    store: &Store,
    plan: &Plan,
    question: &Question,
    notes: &mut Vec<String>,
) -> Result<Vec<Event>, StoreError> {
    let from_ms = plan.grid.starts_ms.get(plan.grid.now.baseline.start).copied().unwrap_or_default();
    let from = Timestamp::from_millis(from_ms).min(question.baseline.from).as_secs();
    let Some(events) = store.events().read(from, question.selection.until.as_secs(), EVENT_BYTES)? else {
        notes.push("There are too many events to look at".to_owned());
        return Ok(Vec::new());
    };
    let event = |event: sonde_shared::api::Event| Event {
        at_ms: event.when * 1_000,
        what: event.what,
        tags: event.tags,
    };
    Ok(events.into_iter().map(event).collect())
}

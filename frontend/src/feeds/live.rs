//! What comes, as it comes: one connection for all panels in sight, the histogram and the lines, while the page is live. While it
//! is paused the same counts what waits. A tab that is not seen has none.
//!
//! Without the connection, because there are too many or a proxy does not let it through, the page asks at each tick of its
//! clock. Nothing here is relied upon for what has been: after each connection the newest lines are asked for, and all is asked
//! for anew now and then.

mod panels;

use super::contact::is_silence;
use super::range::{bucket_ms, lasting_filters};
use super::{LineFeed, Loaded};
use crate::api::{Abort, ApiError, LiveEvent, follow_live};
use crate::boxed::{effect, memo};
use crate::lines::Row;
use crate::rest::Rest;
use crate::session::Session;
use crate::state::{ChartsState, Command, LogQuery, join_counts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use panels::FedPanels;
use sonde_shared::api::{Components, Histogram};
use sonde_shared::live::LiveClock;
use sonde_shared::query_string::QueryString;
use sonde_shared::time::{NANOS_PER_SEC, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A burst of changes of what is wanted, while panels come into sight for one, makes one connection.
const REST: Duration = Duration::from_millis(200);
/// When a refused connection is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// The server says something every five seconds. Who hears nothing for so long has lost it.
const SILENCE_MS: f64 = 15_000.0;
const LOOK: Duration = Duration::from_secs(5);
/// How soon components that are new are asked for.
const MEET: Duration = Duration::from_secs(2);
const MOST_MET: usize = 1_000;
/// Points may come so much later than others of their time.
const LATE_NANOS: i64 = 60 * NANOS_PER_SEC;
/// Counts of what waits need no finer buckets.
const DAY_MS: i64 = 86_400_000;

/// The connection.
#[derive(Clone, Copy)]
pub struct LiveFeed {
    session: Session,
    lines: LineFeed,
    histogram: Loaded<Histogram>,
    components: Loaded<Components>,
    components_rest: Rest,
    /// Components that were asked for because of a line: where there are too many to be told of each, that is once.
    met: StoredValue<BTreeSet<String>>,
    panels: FedPanels,
    request: StoredValue<Option<Abort>, LocalStorage>,
    attempts: RwSignal<u32>,
    rest: Rest,
    heard_ms: StoredValue<f64>,
    /// Lines of the look that is being told.
    rows: StoredValue<Vec<Row>, LocalStorage>,
    has_news: StoredValue<bool>,
    counted: StoredValue<Histogram>,
    /// The lines that came since live was paused in this session; `None` while it is not.
    pub since_paused: RwSignal<Option<u64>>,
}

/// What is followed. A change of it makes another connection.
#[derive(Clone, PartialEq)]
struct Wanted {
    filters: QueryString,
    step_ms: i64,
    /// The targets; none while the page is paused.
    targets: Vec<(u32, String)>,
    paused_at: Option<Timestamp>,
}

impl LiveFeed {
    /// Follows what the session shows. `width_px` is that of the plots.
    pub fn start(
        session: Session,
        lines: LineFeed,
        histogram: Loaded<Histogram>,
        components: Loaded<Components>,
        width_px: Signal<f64>,
    ) -> Self {
        let feed = Self {
            session,
            lines,
            histogram,
            components,
            components_rest: Rest::new(),
            met: StoredValue::new(BTreeSet::new()),
            panels: FedPanels::new(),
            request: StoredValue::new_local(None),
            attempts: RwSignal::new(0),
            rest: Rest::new(),
            heard_ms: StoredValue::new(0.0),
            rows: StoredValue::new_local(Vec::new()),
            has_news: StoredValue::new(false),
            counted: StoredValue::new(Histogram::default()),
            since_paused: RwSignal::new(None),
        };
        feed.count_while_paused();
        let wanted = feed.wanted(width_px);
        effect(move || {
            feed.attempts.track();
            match wanted.get() {
                Some(wanted) => feed.rest.after(REST, move || feed.connect(wanted)),
                None => feed.end(),
            }
        });
        feed.watch_silence();
        feed
    }

    fn count_while_paused(self) {
        let paused_at = self.session.part(|state| state.paused_at);
        effect(move || {
            let is_paused = paused_at.get().is_some();
            self.since_paused.set(is_paused.then_some(0));
        });
    }

    /// What is to be followed now; `None` while nothing is.
    fn wanted(self, width_px: Signal<f64>) -> Memo<Option<Wanted>> {
        let session = self.session;
        let filters = lasting_filters(session);
        let is_hidden = RwSignal::new(document().hidden());
        let look = move |_| is_hidden.set(document().hidden());
        drop(window_event_listener_untyped("visibilitychange", look));
        let paused_at = session.part(|state| state.paused_at);
        let live = session.part(|state| state.view.live);
        // Before the panels are there, and the charts have a width, another connection would soon take the place of the first. A wall
        // has no histogram, so it has no such width.
        let is_laid_out = session.part(|state| state.charts() != ChartsState::Waiting);
        let is_wall = session.part(|state| state.view.wall);
        let length = memo(move || session.range.get().nanos());
        memo(move || {
            let (live, paused_at) = (live.get(), paused_at.get());
            let follows = live || paused_at.is_some();
            if !follows || !session.ready.get() || session.lost.get() || is_hidden.get() {
                return None;
            }
            if !is_laid_out.get() || (width_px.get() <= 1.0 && !is_wall.get()) {
                return None;
            }
            let filters = filters.with(LogQuery::filters);
            if !live {
                return Some(Wanted { filters, step_ms: DAY_MS, targets: Vec::new(), paused_at });
            }
            length.track();
            let step_ms = bucket_ms(session.range.get_untracked(), width_px.get());
            Some(Wanted { filters, step_ms, targets: self.panels.targets(), paused_at: None })
        })
    }

    fn end(self) {
        self.rest.stop();
        self.request.set_value(None);
        self.session.fed.set(false);
    }

    fn connect(self, wanted: Wanted) {
        let asked = self.session.asked.get_untracked();
        let from = wanted.paused_at.unwrap_or(asked.from);
        let Wanted { filters, step_ms, targets, paused_at } = wanted;
        let since = asked.until.plus_nanos(-LATE_NANOS);
        let mut query = filters;
        query.push("from", &from.to_string());
        query.push("since", &since.to_string());
        query.push("step", &format!("{step_ms}ms"));
        query.push_some("lines", paused_at.is_none().then_some("1"));
        query.push_all("target", targets.iter().map(|(_, target)| target));
        let panels: Vec<u32> = targets.into_iter().map(|(panel, _)| panel).collect();
        self.counted.set_value(Histogram::default());
        self.rows.set_value(Vec::new());
        let abort = Abort::new();
        let signal = abort.signal();
        self.request.set_value(Some(abort));
        self.hear();
        spawn_local(async move {
            let of_events = signal.clone();
            let on_event = move |event| {
                // What was on its way when it was given up is of another view.
                if !of_events.aborted() {
                    self.take(event, &panels, paused_at.is_some());
                }
            };
            let ended = follow_live(query.into_text(), signal.clone(), on_event).await;
            if !signal.aborted() {
                self.lose(ended);
            }
        });
    }

    fn hear(self) {
        self.heard_ms.set_value(js_sys::Date::now());
    }

    /// The server ended it, or refused it, or is gone.
    fn lose(self, ended: Result<(), ApiError>) {
        if self.request.try_set_value(None).is_some() {
            // The page is gone too.
            return;
        }
        self.session.fed.set(false);
        if ended.as_ref().err().is_none_or(is_silence) {
            self.session.lost.set(true);
        } else {
            self.rest.after(AGAIN, move || self.attempts.update(|count| *count += 1));
        }
    }

    fn watch_silence(self) {
        let look = move || {
            let is_connected = self.request.with_value(Option::is_some);
            if is_connected && js_sys::Date::now() - self.heard_ms.get_value() > SILENCE_MS {
                self.lose(Ok(()));
            }
        };
        if let Ok(handle) = set_interval_with_handle(look, LOOK) {
            on_cleanup(move || handle.clear());
        }
    }

    fn take(self, event: LiveEvent, panels: &[u32], is_paused: bool) {
        self.hear();
        match event {
            LiveEvent::Hello(clock) => {
                self.set_clock(clock);
                if !is_paused {
                    self.session.fed.set(true);
                    self.lines.refresh();
                }
            }
            LiveEvent::Points(points) => {
                self.has_news.set_value(true);
                let from_ms = self.session.asked.get_untracked().from.as_millis() as f64;
                self.panels.take_points(panels.get(points.target).copied(), points, from_ms);
            }
            LiveEvent::Changed(target) => {
                self.has_news.set_value(true);
                self.panels.note_change(panels.get(target).copied());
            }
            LiveEvent::Counts(counts) if is_paused => self.count(&counts),
            LiveEvent::Counts(counts) => self.take_counts(&counts),
            LiveEvent::Line(row) => self.rows.update_value(|rows| rows.push(row)),
            LiveEvent::Skipped => {
                self.has_news.set_value(true);
                self.lines.refresh_as("Lines come too fast to be followed; the newest are shown");
            }
            LiveEvent::Gap => self.lines.refresh_as("Lines were deleted before they were shown"),
            LiveEvent::Clock(clock) => self.end_look(clock),
        }
    }

    fn set_clock(self, clock: LiveClock) {
        self.session.set_clock(Timestamp::from_millis(clock.now_ms));
    }

    fn count(self, counts: &Histogram) {
        let total = self.counted.try_update_value(|known| {
            if !join_counts(known, counts, i64::MIN) {
                *known = counts.clone();
            }
            known.total
        });
        self.since_paused.set(total);
    }

    fn take_counts(self, counts: &Histogram) {
        let from_ms = self.session.range.get_untracked().from.as_millis();
        let mut joins = true;
        self.histogram.value.update(|known| {
            if let Some(known) = known {
                joins = join_counts(Arc::make_mut(known), counts, from_ms);
            }
        });
        if !joins {
            self.histogram.retry();
        }
    }

    /// All that came has been told: the axis moves on to show it.
    fn end_look(self, clock: LiveClock) {
        self.set_clock(clock);
        let rows = self.rows.try_update_value(std::mem::take).unwrap_or_default();
        let has_news = self.has_news.try_update_value(std::mem::take).unwrap_or(false);
        if has_news || !rows.is_empty() {
            // The second that has begun is shown to its end.
            let now = self.session.server_now().plus_nanos(NANOS_PER_SEC);
            if now > self.session.now_part(|state| state.now) {
                self.session.send(Command::Tick(now));
            }
        }
        self.meet(&rows);
        self.lines.arrive(rows);
        self.panels.ask_changed();
    }

    /// A line of a component that the tree does not have yet has them asked for, soon but once for a crowd of them.
    fn meet(self, rows: &[Row]) {
        let is_new = |row: &&Row| !self.session.now_part(|state| state.knows(&row.component));
        let ask = self.met.try_update_value(|met| {
            if met.len() > MOST_MET {
                met.clear();
            }
            let new = rows.iter().filter(is_new).filter(|row| met.insert(row.component.clone()));
            new.count() > 0
        });
        if ask == Some(true) {
            self.components_rest.within(MEET, move || self.components.retry());
        }
    }
}

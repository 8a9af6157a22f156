//! The task behind a connection: it looks twice a second for what is new, and says it.

use super::{Counted, Lines, LiveRequest};
use crate::query::budget::Budget;
use crate::query::histogram::HistogramCounts;
use crate::query::render::{Followed, Fresh, FreshSeries};
use crate::query::threads::Unfinished;
use crate::state::AppState;
use crate::store::StoreError;
use axum::body::Bytes;
use serde::Serialize;
use sonde_shared::api::Histogram;
use sonde_shared::live::{LiveClock, LivePoints, LiveSeries, LiveTarget};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How long what comes may wait to be seen.
const LOOK: Duration = Duration::from_millis(500);
/// Who hears nothing for three times as long may take the server for gone.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Who takes nothing for so long is cut off.
const PATIENCE: Duration = Duration::from_secs(30);

/// When a look has found so much, it is told of further targets only that they have something new.
const MOST_BYTES: usize = 256 << 10;

/// What one connection follows, and how far it has told of it.
pub(super) struct Feed {
    state: AppState,
    found: Followings,
    commits: watch::Receiver<u64>,
    points_stored: u64,
    is_new: bool,
    patience: Duration,
}

/// What goes to a thread that may read files, and comes back with what it found.
struct Followings {
    targets: Vec<Followed>,
    counted: Option<Counted>,
    lines: Option<Lines>,
}

/// Events, and what is still to be counted.
type Seen = (Vec<u8>, Option<HistogramCounts>);

/// Which of the store's parts have something new.
#[derive(Clone, Copy)]
struct News {
    points: bool,
    lines: bool,
}

impl Feed {
    /// What is stored from now on, and what the request has not seen yet, will be told.
    pub(super) async fn begin(state: AppState, request: LiveRequest) -> Result<Self, super::ApiError> {
        let mut commits = state.store.logs().commits();
        commits.mark_unchanged();
        let LiveRequest { targets, since, filter, lines, step_nanos } = request;
        let counted = step_nanos.map(|step| Counted::new(filter.clone(), step));
        let lines = if lines {
            let of_thread = state.clone();
            let begin = move || Lines::begin(&of_thread, &filter);
            Some(state.queries.run(begin).await??)
        } else {
            None
        };
        let targets = targets.iter().map(|target| Followed::new(target, since)).collect();
        let found = Followings { targets, counted, lines };
        Ok(Self { state, found, commits, points_stored: 0, is_new: true, patience: PATIENCE })
    }

    /// The same, with another patience.
    #[cfg(test)]
    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Tells until the reader is gone, takes nothing, or the server stops.
    pub(super) async fn run(mut self, frames: mpsc::Sender<Bytes>) {
        let mut stop = self.state.stop.clone();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = event("hello", &clock());
        let mut last = Instant::now();
        loop {
            if !told.is_empty() {
                last = Instant::now();
                if !matches!(timeout(self.patience, frames.send(told.into())).await, Ok(Ok(()))) {
                    return;
                }
            }
            tokio::select! {
                biased;
                // An error means that the sender is gone, which is a stop too.
                _stopped = stop.wait_for(|stop| *stop) => return,
                () = frames.closed() => return,
                _tick = look.tick() => {}
            }
            told = match self.look().await {
                Ok(told) => told,
                Err(Broken::Query(Unfinished::Stopping)) => return,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a live answer is cut off");
                    return;
                }
            };
            if !told.is_empty() || last.elapsed() >= HEARTBEAT {
                told.extend(event("clock", &clock()));
            }
        }
    }

    /// The events of what is new.
    async fn look(&mut self) -> Result<Vec<u8>, Broken> {
        let stored = self.state.store.metrics().points_stored();
        let news = News {
            points: self.is_new || stored != self.points_stored,
            lines: self.is_new || self.commits.has_changed().unwrap_or(false),
        };
        if !news.points && !news.lines {
            return Ok(Vec::new());
        }
        self.commits.borrow_and_update();
        self.points_stored = stored;
        let is_first = std::mem::replace(&mut self.is_new, false);
        let nothing = Followings { targets: Vec::new(), counted: None, lines: None };
        let mut found = std::mem::replace(&mut self.found, nothing);
        let state = self.state.clone();
        let work = move || (found.look(&state, news, is_first), found);
        let (seen, found) = self.state.queries.run(work).await?;
        self.found = found;
        let (mut told, counts) = seen?;
        if let Some(counts) = counts {
            told.extend(event("counts", &self.count(counts).await?));
        }
        Ok(told)
    }

    async fn count(&self, counts: HistogramCounts) -> Result<Histogram, Broken> {
        let store = self.state.store.clone();
        let step = move |counts: &mut HistogramCounts, budget: &mut Budget| {
            counts.step(budget, store.logs().counters())
        };
        Ok(self.state.queries.run_steps(counts, step).await?.finish()?)
    }
}

/// Why a connection ends before its reader does.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Query(#[from] Unfinished),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Followings {
    /// The events of points and lines, and a count that has not begun.
    fn look(&mut self, state: &AppState, news: News, is_first: bool) -> Result<Seen, StoreError> {
        let now = AppState::now();
        let mut told = Vec::new();
        for (place, target) in self.targets.iter_mut().enumerate() {
            if news.points && target.follows_points() {
                let fresh = target.look(state.store.metrics(), now)?;
                let is_much = told.len() > MOST_BYTES && fresh != Fresh::Points(Vec::new());
                told.extend(tell(place, if is_much { Fresh::Changed } else { fresh }));
            } else if news.lines && !is_first && target.counts_lines() {
                told.extend(event("changed", &LiveTarget { target: place }));
            }
        }
        if let Some(lines) = self.lines.as_mut().filter(|_| news.lines) {
            let new = lines.look(state)?;
            if let Some(gap) = &new.gap {
                told.extend(event_of_lines("gap", gap));
            }
            told.extend(event_of_lines("lines", &new.envelopes));
            if new.has_skipped {
                told.extend_from_slice(
                    b"event: skipped\ndata: {\"why\":\"more lines came than are sent at once\"}\n\n",
                );
            }
        }
        let counted = self.counted.as_mut().filter(|_| news.lines);
        let counts = counted.map(|counted| counted.begin_look(state, now)).transpose()?.flatten();
        Ok((told, counts))
    }
}

/// The event of what a target has new.
fn tell(target: usize, fresh: Fresh) -> Vec<u8> {
    match fresh {
        Fresh::Points(series) if series.is_empty() => Vec::new(),
        // JSON has no infinite numbers.
        Fresh::Points(series) if series.iter().all(is_finite) => {
            event("points", &LivePoints { target, series: series.into_iter().map(live_series).collect() })
        }
        Fresh::Points(_) | Fresh::Changed => event("changed", &LiveTarget { target }),
    }
}

fn is_finite(series: &FreshSeries) -> bool {
    series.points.values.iter().all(|value| value.is_finite())
}

fn live_series(series: FreshSeries) -> LiveSeries {
    let points = series.points.iter().map(|(secs, value)| ((secs * 1_000) as f64, value)).collect();
    LiveSeries { name: series.name, step_ms: (series.step_secs * 1_000) as f64, points }
}

fn clock() -> LiveClock {
    LiveClock { now_ms: AppState::now().as_millis() }
}

fn event(name: &str, data: &impl Serialize) -> Vec<u8> {
    let mut out = format!("event: {name}\ndata: ").into_bytes();
    serde_json::to_writer(&mut out, data)
        .expect("a Vec takes all that is written, and all data has a form in JSON");
    out.extend_from_slice(b"\n\n");
    out
}

/// An event whose data are lines of JSON; none of none. A carriage return ends a line of the stream; in JSON it stands between
/// values alone, where a blank says the same.
pub(super) fn event_of_lines(name: &str, lines: &[u8]) -> Vec<u8> {
    if lines.is_empty() {
        return Vec::new();
    }
    let mut out = format!("event: {name}\n").into_bytes();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        out.extend_from_slice(b"data: ");
        out.extend(line.iter().map(|byte| if *byte == b'\r' { b' ' } else { *byte }));
        out.push(b'\n');
    }
    out.push(b'\n');
    out
}

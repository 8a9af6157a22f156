//! `/api/logs`, `/api/logs/histogram`, `/api/components`: lines and their volumes.

use super::indexed_to::IndexedTo;
use super::line_filter::{check_known, read_filter};
use super::params::clip;
use super::{ApiError, line_body, params::Params};
use crate::query::budget::Budget;
use crate::query::components::ComponentCounts;
use crate::query::density::{Density, MAX_DENSITY_BUCKETS};
use crate::query::histogram::{HistogramCounts, MAX_BUCKETS};
use crate::query::logs::{Cursor, LineFilter, LineStream, Reached, StreamOptions, count_until};
use crate::query::position::{LineId, LineTally, count_before, split};
use crate::query::tally::Count;
use crate::state::AppState;
use crate::store::logs::{Counters, LogStore, Snapshot};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sonde_shared::api::{Components, Histogram};
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp, parse_duration_ns};
use sonde_shared::view::Order;
use std::time::{Duration, Instant};

/// The header or trailer that counts the matches of the snapshot.
pub const LINES_HEADER: &str = "sonde-lines";
/// The header that tells the position of the first line where an instant was asked for.
const OFFSET_HEADER: &str = "sonde-offset";
/// How long an answer may wait for that count to come as a header.
const COUNT_PATIENCE: Duration = Duration::from_millis(2);
/// The first buffer is small, so that the first lines are on their way at once: of a sealed file they may each want a frame.
const FIRST_BUFFER_BYTES: usize = 8 << 10;

/// `GET /api/logs`: matching lines as NDJSON, streamed to the end.
pub async fn stream_logs(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = LogsRequest::read(&Params::parse(&query.unwrap_or_default()))?;
    let commits = state.store.logs().commits();
    let follow = request.follow.then_some(commits);
    let begun = begin(&state, request).await?;
    let (lines, position) = (begun.lines, begun.position);
    let indexed_to = IndexedTo::of(begun.stream.cursor().snapshot());
    let body = line_body::body(state, begun.stream, begun.first, begun.reached, follow);
    let mut response = (indexed_to, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(position) = position {
        headers.insert(OFFSET_HEADER, HeaderValue::from(position));
    }
    match lines {
        Some(lines) => headers.insert(LINES_HEADER, HeaderValue::from(lines)),
        None => headers.insert(header::TRAILER, HeaderValue::from_static(LINES_HEADER)),
    };
    Ok(response)
}

/// The parameters of `/api/logs`.
#[derive(Debug)]
pub struct LogsRequest {
    /// Which lines.
    pub filter: LineFilter,
    /// Oldest or newest first.
    pub order: Order,
    /// Which of them are passed over, and how many are sent.
    pub options: StreamOptions,
    /// Whether it goes on with lines as they are stored.
    pub follow: bool,
    /// The window begins at the first line that is not before this.
    at: Option<Start>,
}

/// Where a window begins.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// At an instant.
    Instant(Timestamp),
    /// At the instant of a line.
    Line(LineId),
}

impl LogsRequest {
    /// Reads them; what is none, or wrong, is told by its name.
    pub fn read(params: &Params) -> Result<Self, ApiError> {
        check_known(params, &["order", "limit", "offset", "at", "follow", "envelope"])?;
        let order = match params.get("order") {
            None | Some("asc") => Order::Ascending,
            Some("desc") => Order::Descending,
            Some(other) => {
                let detail = format!(
                    "`{}` is no order; lines come oldest first (asc) or newest first (desc)",
                    clip(other)
                );
                return Err(ApiError::parameter("order", detail, "desc"));
            }
        };
        let follow = params.flag("follow")?;
        if follow && order == Order::Descending {
            let detail = "what is still to come can only be followed in rising order";
            return Err(ApiError::parameter("follow", detail, "follow=true&order=asc"));
        }
        let line = params.get("at").and_then(LineId::parse).map(Start::Line);
        let instant = || Ok(params.time("at", AppState::now())?.map(Start::Instant));
        let at = line.map_or_else(instant, |line| Ok::<_, ApiError>(Some(line)))?;
        if at.is_some() && params.get("offset").is_some() {
            let detail = "a window begins at an instant or at an offset, not at both";
            return Err(ApiError::parameter("at", detail, "at=09:30&limit=100"));
        }
        let options = StreamOptions {
            offset: params.number("offset")?.unwrap_or(0),
            limit: params.number("limit")?,
            envelope: params.flag("envelope")?,
            ..StreamOptions::default()
        };
        Ok(Self { filter: read_filter(params)?, order, options, follow, at })
    }
}

/// The start of an answer: the first buffer and, where it is known by now, the number of matches.
struct Begun {
    stream: LineStream,
    first: Vec<u8>,
    reached: Reached,
    lines: Option<u64>,
    /// How many matches come before the instant that is asked for.
    position: Option<u64>,
}

/// Takes a snapshot and looks for the first lines, step by step.
async fn begin(state: &AppState, request: LogsRequest) -> Result<Begun, ApiError> {
    let position = match request.at {
        Some(at) => Some(find_position(state, &request, at).await?),
        None => None,
    };
    let store = state.store.clone();
    let first_step = move || -> Result<(Begun, bool), ApiError> {
        let mut begun = Begun::new(store.logs(), request, position)?;
        let has_lines = begun.step(&mut Budget::FIRST.clone(), store.logs().counters());
        Ok((begun, has_lines))
    };
    let (begun, has_lines) = state.queries.run(first_step).await??;
    if has_lines {
        return begun.checked();
    }
    let store = state.store.clone();
    let step = move |begun: &mut Begun, budget: &mut Budget| begun.step(budget, store.logs().counters());
    state.queries.run_steps(begun, step).await?.checked()
}

/// Where an instant lies in a snapshot.
struct Position {
    snapshot: Snapshot,
    at: Timestamp,
    before: u64,
}

impl Start {
    /// The instant, wherever it lies. Reads of the index of the line's segment: not for async threads.
    fn time(self, logs: &LogStore) -> Result<Timestamp, ApiError> {
        match self {
            Self::Instant(at) => Ok(at),
            Self::Line(id) => id.time_in(&logs.snapshot(id.range())?).ok_or_else(|| {
                let detail = "there is no such line; it may have been deleted with its day";
                ApiError::parameter("at", detail, "2026-11-20~0003~17")
            }),
        }
    }
}

/// Counts what comes before an instant, step by step.
async fn find_position(state: &AppState, request: &LogsRequest, start: Start) -> Result<Position, ApiError> {
    let (store, filter, order) = (state.store.clone(), request.filter.clone(), request.order);
    let begin = move || -> Result<_, ApiError> {
        let snapshot = store.logs().snapshot(filter.range)?;
        let at = start.time(store.logs())?;
        Ok((count_before(&snapshot, &filter, order, at), snapshot, at))
    };
    let (count, snapshot, at) = state.queries.run(begin).await??;
    let store = state.store.clone();
    let step =
        move |count: &mut Count<LineTally>, budget: &mut Budget| count.step(budget, store.logs().counters());
    let before = state.queries.run_steps(count, step).await?.lines()?;
    Ok(Position { snapshot, at, before })
}

impl Begun {
    fn new(logs: &LogStore, request: LogsRequest, position: Option<Position>) -> Result<Self, ApiError> {
        let LogsRequest { mut filter, order, options, .. } = request;
        let (snapshot, at) = match position {
            Some(found) => (found.snapshot, Some((found.at, found.before))),
            None => (logs.snapshot(filter.range)?, None),
        };
        let lines = count_until(&snapshot, &filter, Instant::now() + COUNT_PATIENCE);
        let stream = match at {
            Some((at, before)) => {
                (_, filter.range) = split(filter.range, order, at);
                LineStream::from_position(Cursor::new(snapshot, filter, order), options, before)
            }
            None => LineStream::new(Cursor::new(snapshot, filter, order), options),
        };
        Ok(Self {
            stream,
            position: at.map(|(_, before)| before),
            first: Vec::with_capacity(FIRST_BUFFER_BYTES + 4_096),
            reached: Reached::Pause,
            lines,
        })
    }

    fn checked(mut self) -> Result<Self, ApiError> {
        self.stream.take_failure().map_or(Ok(self), |error| Err(error.into()))
    }

    /// Looks for lines; whether there are some, or none to come.
    fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        self.reached = self.stream.fill(&mut self.first, FIRST_BUFFER_BYTES, budget, counters);
        if self.reached == Reached::End && !self.stream.is_limited() {
            self.lines = Some(self.stream.matched());
        }
        self.reached != Reached::Pause || !self.first.is_empty()
    }
}

/// `GET /api/logs/histogram`: counts by level and step.
pub async fn count_logs(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<(IndexedTo, Json<Histogram>), ApiError> {
    let params = Params::parse(&query.unwrap_or_default());
    check_known(&params, &["step"])?;
    let filter = read_filter(&params)?;
    let step = params.get("step").map(read_step).transpose()?;
    let store = state.store.clone();
    let begin = move || -> Result<(HistogramCounts, IndexedTo), ApiError> {
        let snapshot = store.logs().snapshot(filter.range)?;
        let range = bounded(filter.range, &snapshot);
        let step = step.unwrap_or_else(|| default_step(range));
        let nanos = i128::from(range.until.as_nanos()) - i128::from(range.from.as_nanos());
        if nanos / i128::from(step) >= i128::from(MAX_BUCKETS) {
            let detail =
                format!("that step makes more than {MAX_BUCKETS} buckets of the range; take a longer one");
            return Err(ApiError::parameter(
                "step",
                detail,
                &format!("{}s", default_step(range) / 1_000_000_000 + 1),
            ));
        }
        let counts = HistogramCounts::new(&snapshot, LineFilter { range, ..filter }, step);
        Ok((counts, IndexedTo::of(&snapshot)))
    };
    let (counts, indexed_to) = state.queries.run(begin).await??;
    let store = state.store.clone();
    let step =
        move |counts: &mut HistogramCounts, budget: &mut Budget| counts.step(budget, store.logs().counters());
    Ok((indexed_to, Json(state.queries.run_steps(counts, step).await?.finish()?)))
}

pub(super) fn read_step(text: &str) -> Result<i64, ApiError> {
    let step = parse_duration_ns(text).filter(|nanos| *nanos > 0 && nanos % NANOS_PER_MS == 0);
    step.ok_or_else(|| {
        let detail =
            format!("`{}` is no step; write a number of whole milliseconds with its unit", clip(text));
        ApiError::parameter("step", detail, "10s")
    })
}

/// An open end ends where the lines do.
fn bounded(range: TimeRange, snapshot: &Snapshot) -> TimeRange {
    let views = || snapshot.days.iter().flat_map(|(_, views)| views);
    let times = || views().filter_map(|view| view.published.times());
    let first = times().map(|(min, _)| min).min().unwrap_or_default();
    let last = times().map(|(_, max)| max).max().unwrap_or_default();
    let from = if range.from == Timestamp::MIN { first.min(range.until) } else { range.from };
    let until = if range.until == Timestamp::MAX { last.plus_nanos(1).max(from) } else { range.until };
    TimeRange { from, until }
}

/// The shortest of the usual steps that makes at most some 200 buckets.
fn default_step(range: TimeRange) -> i64 {
    const STEPS_SECS: [i64; 12] = [1, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 6 * 3_600, 86_400];
    let wanted = range.nanos() / 200;
    let step = STEPS_SECS.iter().map(|secs| secs * 1_000 * NANOS_PER_MS).find(|step| *step >= wanted);
    step.unwrap_or_else(|| (wanted / NANOS_PER_MS + 1) * NANOS_PER_MS)
}

fn read_buckets(text: &str) -> Result<usize, ApiError> {
    let most = text.parse().ok().filter(|most| (2..=MAX_DENSITY_BUCKETS).contains(most));
    most.ok_or_else(|| {
        let detail = format!("`{}` is no number from 2 to {MAX_DENSITY_BUCKETS}", clip(text));
        ApiError::parameter("buckets", detail, "24")
    })
}

/// `GET /api/components`: every component and host with lines in the range.
pub async fn list_components(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<(IndexedTo, Json<Components>), ApiError> {
    let params = Params::parse(&query.unwrap_or_default());
    params.only(&["from", "until", "buckets"])?;
    let range = params.range()?;
    let buckets = params.get("buckets").map(read_buckets).transpose()?;
    let store = state.store.clone();
    let begin = move || -> Result<_, ApiError> {
        let snapshot = store.logs().snapshot(range)?;
        let density = buckets.map(|most| Density::over(bounded(range, &snapshot), most));
        Ok((ComponentCounts::new(&snapshot, range, density), IndexedTo::of(&snapshot)))
    };
    let (counts, indexed_to) = state.queries.run(begin).await??;
    let store = state.store.clone();
    let step =
        move |counts: &mut ComponentCounts, budget: &mut Budget| counts.step(budget, store.logs().counters());
    Ok((indexed_to, Json(state.queries.run_steps(counts, step).await?.finish())))
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;

    #[tokio::test]
    async fn a_window_that_begins_at_an_instant_tells_its_position() {
        let world = World::new();
        let line = |second: u32| format!(r#"{{"ts":"2026-11-20T09:30:{second:02}Z","msg":"{second}"}}"#);
        let lines: Vec<String> = (0..10).map(|number| line(number * 2)).collect();
        world.post("/api/ingest/logs", &lines.join("\n")).await;
        let check = async |query: &str, position: &str, first: u32| {
            let path = format!("/api/logs?at=2026-11-20T09:30:05Z&limit=1&{query}");
            let (headers, body) = world.headers(&path).await;
            let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(
                (value("sonde-offset").as_deref(), value("sonde-lines").as_deref()),
                (Some(position), Some("10"))
            );
            assert_eq!(String::from_utf8(body).unwrap(), line(first) + "\n");
        };
        check("order=asc", "3", 6).await;
        check("order=desc", "7", 4).await;
        let (headers, _) = world.headers("/api/logs?contains=msg%22%3A%221&at=2026-11-20T09:30:11Z").await;
        assert_eq!(headers["sonde-offset"], "1");
        let (parameter, _) = World::refusal(world.get("/api/logs?at=now&offset=3").await);
        assert_eq!(parameter, "at");
    }

    #[tokio::test]
    async fn a_window_begins_at_the_instant_of_a_line_that_is_named() {
        let world = World::new();
        let line = |second: u32, level: &str| {
            format!(r#"{{"ts":"2026-11-20T09:30:{second:02}Z","level":"{level}","msg":"{second}"}}"#)
        };
        // The row is the number of arrival, not of time.
        let lines: Vec<String> = (0..10).rev().map(|number| line(number * 2, "info")).collect();
        world.post("/api/ingest/logs", &lines.join("\n")).await;
        world.post("/api/ingest/logs", &line(7, "warn")).await;
        let check = async |query: &str, position: &str, first: &str| {
            let path = format!("/api/logs?limit=1&{query}");
            let (headers, body) = world.headers(&path).await;
            let offset = headers.get("sonde-offset").map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(
                (offset.as_deref(), String::from_utf8(body).unwrap()),
                (Some(position), format!("{first}\n"))
            );
        };
        check("at=2026-11-20~0001~9", "0", &line(0, "info")).await;
        check("at=2026-11-20~0001~6", "3", &line(6, "info")).await;
        check("at=2026-11-20~0001~10&order=desc", "6", &line(7, "warn")).await;
        check("at=2026-11-20~0001~6&level=warn", "0", &line(7, "warn")).await;
        for wrong in ["2026-11-20~0001~11", "2026-11-20~0002~1", "2026-11-21~0001~1", "2026-11-20~1~1~1"] {
            assert_eq!(World::refusal(world.get(&format!("/api/logs?at={wrong}")).await).0, "at", "{wrong}");
        }
        let (headers, body) =
            world.headers("/api/logs?at=2026-11-20~0001~6&until=2026-11-20T09:30:05Z").await;
        assert_eq!(
            (headers["sonde-offset"].to_str().unwrap(), body.len()),
            ("3", 0),
            "it is not in the range"
        );
    }
}

//! `/api/logs`, `/api/logs/histogram`, `/api/components`: lines and their volumes.

use super::params::clip;
use super::{ApiError, line_body, params::Params};
use crate::query::components::components;
use crate::query::histogram::{MAX_BUCKETS, histogram};
use crate::query::logs::{Cursor, LineFilter, LineStream, Reached, StreamOptions, count};
use crate::state::AppState;
use crate::store::logs::Snapshot;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use memchr::memmem::Finder;
use sonde_shared::api::{Components, Histogram};
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp, parse_duration_ns};
use sonde_shared::view::Order;
use std::time::{Duration, Instant};

/// The header or trailer that counts the matches of the snapshot.
pub const LINES_HEADER: &str = "sonde-lines";
/// How long an answer may wait for that count to come as a header.
const COUNT_PATIENCE: Duration = Duration::from_millis(5);
/// The first buffer is small, so that the first lines are on their way at once.
const FIRST_BUFFER_BYTES: usize = 32 << 10;

const FILTER_PARAMS: [&str; 6] = ["component", "host", "level", "contains", "from", "until"];

/// `GET /api/logs`: matching lines as NDJSON, streamed to the end.
pub async fn stream_logs(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = LogsRequest::read(&Params::parse(&query.unwrap_or_default()))?;
    let commits = state.store.logs().commits();
    let follow = request.follow.then_some(commits);
    let working_state = state.clone();
    let begun = tokio::task::spawn_blocking(move || begin(&working_state, request))
        .await
        .map_err(worker_failed)??;
    let lines = begun.lines;
    let body = line_body::body(state, begun.stream, begun.first, begun.reached, follow);
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match lines {
        Some(lines) => headers.insert(LINES_HEADER, HeaderValue::from(lines)),
        None => headers.insert(header::TRAILER, HeaderValue::from_static(LINES_HEADER)),
    };
    Ok(response)
}

/// The parameters of `/api/logs`.
struct LogsRequest {
    filter: LineFilter,
    order: Order,
    options: StreamOptions,
    follow: bool,
}

impl LogsRequest {
    fn read(params: &Params) -> Result<Self, ApiError> {
        params.only(&[&FILTER_PARAMS[..], &["order", "limit", "offset", "follow", "envelope"]].concat())?;
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
        let options = StreamOptions {
            offset: params.number("offset")?.unwrap_or(0),
            limit: params.number("limit")?,
            envelope: params.flag("envelope")?,
        };
        Ok(Self { filter: read_filter(params)?, order, options, follow })
    }
}

fn read_filter(params: &Params) -> Result<LineFilter, ApiError> {
    Ok(LineFilter {
        range: params.range()?,
        components: params.components()?,
        hosts: params.all("host").map(str::to_owned).collect(),
        level: params.level()?,
        contains: params.get("contains").map(|text| Finder::new(text).into_owned()),
    })
}

/// The start of an answer: the first buffer and, where it is known by now, the number of matches.
struct Begun {
    stream: LineStream,
    first: Vec<u8>,
    reached: Reached,
    lines: Option<u64>,
}

fn begin(state: &AppState, request: LogsRequest) -> Result<Begun, ApiError> {
    let logs = state.store.logs();
    let snapshot = logs.snapshot(request.filter.range)?;
    let deadline = Instant::now() + COUNT_PATIENCE;
    let mut lines = count(&snapshot, &request.filter, Some(deadline));
    let mut stream = LineStream::new(Cursor::new(snapshot, request.filter, request.order), request.options);
    let mut first = Vec::with_capacity(FIRST_BUFFER_BYTES + 4_096);
    let reached = stream.fill(&mut first, FIRST_BUFFER_BYTES, logs.counters());
    if reached == Reached::End && !stream.is_limited() {
        lines = Some(stream.matched());
    }
    Ok(Begun { stream, first, reached, lines })
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn worker_failed(error: tokio::task::JoinError) -> ApiError {
    ApiError::Internal(error.to_string())
}

/// `GET /api/logs/histogram`: counts by level and step.
pub async fn count_logs(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<Json<Histogram>, ApiError> {
    let params = Params::parse(&query.unwrap_or_default());
    params.only(&[&FILTER_PARAMS[..], &["step"]].concat())?;
    let filter = read_filter(&params)?;
    let step = params.get("step").map(read_step).transpose()?;
    let work = move || -> Result<Histogram, ApiError> {
        let snapshot = state.store.logs().snapshot(filter.range)?;
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
        Ok(histogram(&snapshot, &LineFilter { range, ..filter }, step, state.store.logs().counters()))
    };
    tokio::task::spawn_blocking(work).await.map_err(worker_failed)?.map(Json)
}

fn read_step(text: &str) -> Result<i64, ApiError> {
    let step = parse_duration_ns(text).filter(|nanos| *nanos > 0 && nanos % NANOS_PER_MS == 0);
    step.ok_or_else(|| {
        let detail =
            format!("`{}` is no step; write a number of whole milliseconds with its unit", clip(text));
        ApiError::parameter("step", detail, "10s")
    })
}

/// An open end ends where the lines do.
fn bounded(range: TimeRange, snapshot: &Snapshot) -> TimeRange {
    let metas = || {
        snapshot
            .days
            .iter()
            .flat_map(|(_, views)| views)
            .flat_map(|view| view.published.blocks.iter().map(|b| b.meta()))
    };
    let first = metas().map(|meta| meta.min_ts).min().unwrap_or_default();
    let last = metas().map(|meta| meta.max_ts).max().unwrap_or_default();
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

/// `GET /api/components`: every component and host with lines in the range.
pub async fn list_components(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<Json<Components>, ApiError> {
    let params = Params::parse(&query.unwrap_or_default());
    params.only(&["from", "until"])?;
    let range = params.range()?;
    let work = move || -> Result<Components, ApiError> {
        let snapshot = state.store.logs().snapshot(range)?;
        Ok(components(&snapshot, range))
    };
    tokio::task::spawn_blocking(work).await.map_err(worker_failed)?.map(Json)
}

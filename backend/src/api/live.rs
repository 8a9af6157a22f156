//! `GET /api/live`: server-sent events with the points, counts and lines that come, for whoever has asked for what was there.
//!
//! One connection carries all that a page shows, since a browser has only six for a server. Nothing waits in memory for a slow
//! reader: the next look is made when it has taken what the last one found, and then tells all that came meanwhile, or that
//! it was too much to be told. Who takes nothing for long is cut off.

mod counts;
mod feed;
mod lines;

use super::line_filter::{check_known, read_filter};
use super::params::Params;
use super::render::parse_target;
use super::{ApiError, logs::read_step};
use crate::functions::parse::Expression;
use crate::query::logs::LineFilter;
use crate::state::AppState;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use counts::Counted;
use feed::Feed;
use futures::stream;
use lines::Lines;
use sonde_shared::time::{TimeRange, Timestamp};
use std::convert::Infallible;
use tokio::sync::mpsc;

/// The most targets of a connection.
const MAX_TARGETS: usize = 500;
/// When to come again where no place is free.
const RETRY_SECS: u64 = 10;

/// Begins to tell what comes.
pub async fn stream_live(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = LiveRequest::read(&Params::parse(&query.unwrap_or_default()))?;
    let Some(place) = state.followers.take() else {
        let detail = "as many connections follow what comes as may; close one, or ask again later".to_owned();
        return Err(ApiError::Later { detail, after_secs: RETRY_SECS });
    };
    let feed = Feed::begin(state, request).await?;
    let (frames, taken) = mpsc::channel(1);
    tokio::spawn(async move {
        feed.run(frames).await;
        drop(place);
    });
    let body = stream::unfold(taken, |mut taken: mpsc::Receiver<Bytes>| async move {
        taken.recv().await.map(|frame| (Ok::<_, Infallible>(frame), taken))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Asks proxies that gather answers not to gather this one.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The parameters of `/api/live`.
struct LiveRequest {
    targets: Vec<Expression>,
    /// Points that are newer are told.
    since: Timestamp,
    filter: LineFilter,
    /// Whether lines are sent.
    lines: bool,
    /// The width of the buckets that lines are counted in; without it they are not.
    step_nanos: Option<i64>,
}

impl LiveRequest {
    fn read(params: &Params) -> Result<Self, ApiError> {
        check_known(params, &["target", "since", "lines", "step"])?;
        let targets = params.all("target").map(parse_target).collect::<Result<Vec<_>, _>>()?;
        if targets.len() > MAX_TARGETS {
            let detail = format!("at most {MAX_TARGETS} targets can be followed at once");
            return Err(ApiError::parameter("target", detail, "shop.checkout.*"));
        }
        let now = AppState::now();
        let mut filter = read_filter(params)?;
        if filter.range.from == Timestamp::MIN {
            filter.range.from = now;
        }
        let step_nanos = params.get("step").map(read_step).transpose()?;
        let since = params.time("since", now)?.unwrap_or(now);
        check_step(filter.range.from, now, step_nanos)?;
        Ok(Self { targets, since, filter, lines: params.flag("lines")?, step_nanos })
    }
}

fn check_step(from: Timestamp, now: Timestamp, step_nanos: Option<i64>) -> Result<(), ApiError> {
    let range = TimeRange { from, until: now.max(from) };
    if step_nanos.is_some_and(|step| range.nanos() / step >= crate::query::histogram::MAX_BUCKETS) {
        let detail = "that step makes too many buckets from `from` until now; take a longer one";
        return Err(ApiError::parameter("step", detail, "10s"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! The requests, one function each. Every one can be given up: dropping its [`Abort`] does.

use super::send::{Awaited, failure, get_json, next_chunk, read_json, send, send_alone, send_json};
use super::{ApiError, ndjson::Splitter};
use crate::json::{self, RawText};
use crate::lines::Row;
use crate::state::{FunctionName, LogQuery, Suggestion, WhyQuery};
use gloo_net::http::{Request, Response};
use serde::Deserialize;
use sonde_shared::api::{
    Columns, Components, Event, Facets, Histogram, PageInfo, PatternValues, Patterns, decode_columns,
};
use sonde_shared::dashboard::Dashboard;
use sonde_shared::links::LinkRule;
use sonde_shared::query_string::{QueryString, encode};
use sonde_shared::time::{TimeRange, Timestamp, parse_rfc3339};
use sonde_shared::view::Order;
use sonde_shared::why::Why;
use std::collections::BTreeMap;
use wasm_bindgen::JsCast;
use web_sys::{AbortController, AbortSignal, ReadableStreamDefaultReader};

/// Keeps requests alive; when it is dropped they are given up.
#[derive(Debug)]
pub struct Abort {
    controller: AbortController,
}

impl Abort {
    /// A fresh one.
    ///
    /// # Panics
    /// In a browser without `AbortController`, which is too old for this page.
    pub fn new() -> Self {
        Self {
            controller: AbortController::new()
                .expect("every browser that runs this page has AbortController"),
        }
    }

    /// What requests listen to.
    pub fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }
}

impl Default for Abort {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// What the server has: its version, dashboards, latest data.
pub fn page_info(signal: AbortSignal) -> Awaited<PageInfo> {
    get_json("/api/page", &signal)
}

/// A dashboard, and the tag of what it can be changed over.
#[derive(Clone, Debug, PartialEq)]
pub struct TaggedDashboard {
    /// The dashboard.
    pub dashboard: Dashboard,
    /// The `ETag`.
    pub tag: String,
}

/// One dashboard.
pub fn dashboard(name: String, signal: AbortSignal) -> Awaited<TaggedDashboard> {
    Box::pin(async move {
        let response = send(&dashboard_url(&name), &signal).await?;
        tagged(response, &signal).await
    })
}

/// Saves a dashboard over the one with this tag.
pub async fn save_dashboard(
    name: String,
    over: String,
    dashboard: Dashboard,
    signal: AbortSignal,
) -> Result<TaggedDashboard, ApiError> {
    let request = Request::put(&dashboard_url(&name)).header("If-Match", &over);
    tagged(send_json(request, &dashboard, &signal).await?, &signal).await
}

/// Saves a dashboard under a name that is free; a copy has the comments of what it is a copy of.
pub async fn create_dashboard(
    name: String,
    copy_of: Option<String>,
    dashboard: Dashboard,
    signal: AbortSignal,
) -> Result<TaggedDashboard, ApiError> {
    let copy_of = copy_of.map(|other| ["?copy_of=", &encode(&other)].concat()).unwrap_or_default();
    let request = Request::put(&[dashboard_url(&name), copy_of].concat()).header("If-None-Match", "*");
    tagged(send_json(request, &dashboard, &signal).await?, &signal).await
}

/// Deletes the dashboard with this tag.
pub async fn delete_dashboard(name: String, tag: String, signal: AbortSignal) -> Result<(), ApiError> {
    let request = Request::delete(&dashboard_url(&name)).header("If-Match", &tag);
    send_alone(request, &signal).await.map(drop)
}

/// Brings a deleted dashboard back.
pub async fn restore_dashboard(name: String, signal: AbortSignal) -> Result<(), ApiError> {
    send_alone(Request::post(&[&dashboard_url(&name), "/restore"].concat()), &signal).await.map(drop)
}

/// A mistake in a target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mistake {
    /// What is wrong.
    pub why: String,
    /// Where, in characters.
    pub at: usize,
}

/// The first mistake of each target, if it has one.
pub fn check_targets(targets: Vec<String>, signal: AbortSignal) -> Awaited<Vec<Option<Mistake>>> {
    let mut query = QueryString::default();
    query.push_all("target", &targets);
    get_json(&["/api/targets/check?", &query.into_text()].concat(), &signal)
}

fn dashboard_url(name: &str) -> String {
    format!("/api/dashboards/{}", encode(name))
}

async fn tagged(response: Response, signal: &AbortSignal) -> Result<TaggedDashboard, ApiError> {
    let tag = response.headers().get("ETag").unwrap_or_default();
    Ok(TaggedDashboard { dashboard: read_json(response, signal).await?, tag })
}

/// Adds a rule to those that say whose lines belong to which metrics; answers all of them.
pub async fn add_link(rule: LinkRule, signal: AbortSignal) -> Result<Vec<LinkRule>, ApiError> {
    let response = send_json(Request::post("/api/links"), &rule, &signal).await?;
    read_json(response, &signal).await
}

/// What metrics there are that begin with a word, node by node.
pub fn metrics_like(word: String, signal: AbortSignal) -> Awaited<Vec<Suggestion>> {
    Box::pin(async move {
        #[derive(Deserialize)]
        struct Completed {
            metrics: Vec<Node>,
        }
        #[derive(Deserialize)]
        struct Node {
            path: String,
            is_leaf: String,
        }
        let url = format!("/metrics/find?format=completer&query={}", encode(&word));
        let found: Completed = get_json(&url, &signal).await?;
        let suggestion = |node: Node| {
            if node.is_leaf == "1" { Suggestion::Metric(node.path) } else { Suggestion::Branch(node.path) }
        };
        Ok(found.metrics.into_iter().map(suggestion).collect())
    })
}

/// The functions that a target may call, by name.
pub fn functions(signal: AbortSignal) -> Awaited<Vec<FunctionName>> {
    Box::pin(async move {
        #[derive(Deserialize)]
        struct Described {
            function: String,
            description: String,
        }
        let all: BTreeMap<String, Described> = get_json("/functions", &signal).await?;
        let name = |(name, Described { function, description }): (String, Described)| FunctionName {
            name,
            signature: function,
            about: description,
        };
        Ok(all.into_iter().map(name).collect())
    })
}

/// The components and hosts with lines in a range, and how the lines of each lie over some buckets of it.
pub fn components(range: TimeRange, buckets: u32, signal: AbortSignal) -> Awaited<Components> {
    let (from, until) = (range.from, range.until);
    get_json(&format!("/api/components?from={from}&until={until}&buckets={buckets}"), &signal)
}

/// The notes on the time axis in a range.
pub fn events(range: TimeRange, signal: AbortSignal) -> Awaited<Vec<Event>> {
    // Whole seconds, rounded outwards.
    let until = range.until.as_secs().saturating_add(1);
    get_json(&format!("/events/get_data?from={}&until={until}", range.from.as_secs()), &signal)
}

/// The counts of a query's lines by level and step over a range.
pub fn histogram(query: LogQuery, range: TimeRange, step_ms: i64, signal: AbortSignal) -> Awaited<Histogram> {
    let url = format!("/api/logs/histogram?{}&step={step_ms}ms", query.parameters(range));
    get_json(&url, &signal)
}

/// Which components, hosts and levels a query's lines have.
pub fn facets(query: LogQuery, signal: AbortSignal) -> Awaited<Facets> {
    get_json(&["/api/logs/facets?", &query.parameters(query.range)].concat(), &signal)
}

/// What a query's lines say, at most so many patterns of them, beside a baseline where one is given.
pub fn patterns(
    query: LogQuery,
    baseline: Option<TimeRange>,
    limit: usize,
    signal: AbortSignal,
) -> Awaited<Patterns<RawText>> {
    let path = ["/api/logs/patterns?limit=", &limit.to_string(), "&"].concat();
    get_json(&beside(&path, &query, baseline), &signal)
}

/// What stands in the variable parts of a pattern.
pub fn pattern_values(
    id: String,
    query: LogQuery,
    baseline: Option<TimeRange>,
    signal: AbortSignal,
) -> Awaited<PatternValues> {
    let path = ["/api/logs/patterns/", &id, "/values?limit=8&"].concat();
    get_json(&beside(&path, &query, baseline), &signal)
}

/// What stands in a field of a query's lines.
pub fn field_values(
    name: String,
    query: LogQuery,
    baseline: Option<TimeRange>,
    signal: AbortSignal,
) -> Awaited<PatternValues> {
    let path = ["/api/logs/fields/", &encode_name(&name), "/values?limit=12&"].concat();
    get_json(&beside(&path, &query, baseline), &signal)
}

/// A name as one step of a path: slashes and dots in it are no steps.
fn encode_name(name: &str) -> String {
    encode(name).replace('/', "%2F").replace('.', "%2E")
}

fn beside(path: &str, query: &LogQuery, baseline: Option<TimeRange>) -> String {
    let mut parameters = query.asked(query.range);
    if let Some(baseline) = baseline {
        parameters.push_range(["baseline_from", "baseline_until"], baseline);
    }
    [path, &parameters.into_text()].concat()
}

/// The series of some targets, thinned to the extremes of each of `width` pixel columns; where they are to be `stacked`, their sums
/// behind them.
pub fn columns(
    targets: Vec<String>,
    range: TimeRange,
    width: u32,
    stacked: bool,
    signal: AbortSignal,
) -> Awaited<Vec<Columns>> {
    Box::pin(async move {
        let parameters = rendered(&targets, range);
        let stack = if stacked { "&stack=all" } else { "" };
        let url = format!("/render?{parameters}&format=columns&downsample=m4&width={width}{stack}");
        let response = send(&url, &signal).await?;
        let bytes = response.binary().await.map_err(|error| failure(&error, &signal))?;
        decode_columns(&bytes).ok_or_else(ApiError::unreadable)
    })
}

/// The mean of each series of some targets over a range, by name; series without points have none.
pub fn means(targets: Vec<String>, range: TimeRange, signal: AbortSignal) -> Awaited<BTreeMap<String, f64>> {
    Box::pin(async move {
        #[derive(Deserialize)]
        struct Rendered {
            target: String,
            datapoints: Vec<(Option<f64>, i64)>,
        }
        // One point is what Graphite makes of all points: their average.
        let url = ["/render?", &rendered(&targets, range), "&format=json&maxDataPoints=1"].concat();
        let rendered: Vec<Rendered> = get_json(&url, &signal).await?;
        let mean = |one: Rendered| Some((one.target, one.datapoints.first()?.0?));
        Ok(rendered.into_iter().filter_map(mean).collect())
    })
}

/// The parameters for some targets over a range.
fn rendered(targets: &[String], range: TimeRange) -> String {
    let mut query = QueryString::default();
    query.push_all("target", targets);
    query.push("from", &range.from.as_millis().to_string());
    query.push("until", &range.until.as_millis().to_string());
    query.into_text()
}

/// Some lines of a query, by their position in the answer.
#[derive(Clone, Debug)]
pub struct LineRequest {
    /// The query.
    pub query: LogQuery,
    /// The order to count in; not always the one that is shown.
    pub order: Order,
    /// Where to begin.
    pub start: Start,
    /// How many at most.
    pub limit: u64,
}

/// Where a window of lines begins.
#[derive(Clone, Debug)]
pub enum Start {
    /// At a position.
    Offset(u64),
    /// At the instant of a line, by its id.
    Line(String),
    /// At an instant.
    At(Timestamp),
}

impl Start {
    fn parameter(&self) -> String {
        match self {
            Self::Offset(rows) => ["&offset=", &rows.to_string()].concat(),
            Self::Line(id) => ["&at=", &encode(id)].concat(),
            Self::At(at) => ["&at=", &at.to_string()].concat(),
        }
    }
}

/// What an answer says before its first line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerHead {
    /// How many lines match, where the server knows it.
    pub total: Option<u64>,
    /// How many of them come before the instant that was asked for.
    pub offset: Option<u64>,
    /// Where lines are still to be indexed: the instant before which none is missing.
    pub indexed_to: Option<Timestamp>,
}

impl AnswerHead {
    fn read(header: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| header(name).and_then(|count| count.trim().parse().ok());
        Self {
            total: number("Sonde-Lines"),
            offset: number("Sonde-Offset"),
            indexed_to: header("Sonde-Indexed-To").and_then(|at| parse_rfc3339(at.trim().as_bytes())),
        }
    }
}

/// At which position of a query's answer the lines from an instant on begin.
pub async fn position_at(
    query: LogQuery,
    at: Timestamp,
    signal: AbortSignal,
) -> Result<Option<u64>, ApiError> {
    let (filters, order) = (query.parameters(query.range), order_name(query.order));
    let url = format!("/api/logs?{filters}&order={order}&at={at}&limit=1");
    let response = send(&url, &signal).await?;
    Ok(response.headers().get("Sonde-Offset").and_then(|place| place.trim().parse().ok()))
}

const fn order_name(order: Order) -> &'static str {
    match order {
        Order::Ascending => "asc",
        Order::Descending => "desc",
    }
}

/// Streams lines: first what the answer says of itself, then rows as they arrive.
pub async fn stream_lines(
    request: LineRequest,
    signal: AbortSignal,
    on_head: impl FnOnce(AnswerHead),
    mut on_rows: impl FnMut(Vec<Row>),
) -> Result<(), ApiError> {
    let LineRequest { query, order, start, limit } = request;
    let order = order_name(order);
    let filters = query.parameters(query.range);
    let start = start.parameter();
    let url = format!("/api/logs?{filters}&order={order}{start}&limit={limit}&envelope=1");
    let response = send(&url, &signal).await?;
    let headers = response.headers();
    on_head(AnswerHead::read(|name| headers.get(name)));
    let Some(body) = response.body() else { return Ok(()) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut splitter = Splitter::default();
    let mut readable = true;
    while let Some(chunk) = next_chunk(&reader, &signal).await? {
        let mut rows = Vec::new();
        splitter.push(&chunk, |line| match Row::parse(line) {
            Some(row) => rows.push(row),
            None => readable = false,
        });
        on_rows(rows);
    }
    match (readable, splitter.is_at_line_end()) {
        (true, true) => Ok(()),
        (false, _) => Err(ApiError::unreadable()),
        (true, false) => Err(ApiError::cut_off()),
    }
}

/// What differs in a selection: parts as the server finds them, at last the whole.
pub async fn why(query: WhyQuery, signal: AbortSignal, on_part: impl Fn(Why)) -> Result<Why, ApiError> {
    let response = send(&format!("/api/why?{}&stream=1", query.parameters()), &signal).await?;
    let body = response.body().ok_or_else(ApiError::cut_off)?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let (mut splitter, mut last) = (Splitter::default(), None);
    while let Some(chunk) = next_chunk(&reader, &signal).await? {
        splitter.push(&chunk, |line| last = Some(json::read_bytes::<Why>(line)));
        if let Some(Ok(part)) = last.as_ref().filter(|part| part.as_ref().is_ok_and(|part| !part.done)) {
            on_part(part.clone());
        }
    }
    match last {
        Some(Ok(whole)) if whole.done => Ok(whole),
        Some(Err(_)) => Err(ApiError::unreadable()),
        Some(Ok(_)) | None => Err(ApiError::cut_off()),
    }
}

/// The browser's clock.
pub fn browser_now() -> Timestamp {
    Timestamp::from_nanos((js_sys::Date::now() * 1e6) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_how_many_lines_and_up_to_where() {
        let check = |headers: &[(&str, &str)], expected: (Option<u64>, Option<i64>)| {
            let header = |name: &str| {
                headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            let AnswerHead { total, indexed_to, .. } = AnswerHead::read(header);
            assert_eq!((total, indexed_to.map(Timestamp::as_secs)), expected, "{headers:?}");
        };
        check(&[], (None, None));
        check(&[("Sonde-Lines", "1284")], (Some(1_284), None));
        check(&[("Sonde-Indexed-To", "1970-01-01T00:01:00.5Z")], (None, Some(60)));
        check(&[("Sonde-Lines", "many"), ("Sonde-Indexed-To", "soon")], (None, None));
    }
}

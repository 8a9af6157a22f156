//! `GET|POST /render`: points, as Graphite answers them, as columns for drawing, or drawn.

use super::{ApiError, params::Params, params::clip};
use super::{picture, pieces};
use crate::functions::parse::{Expression, parse};
use crate::functions::series::Series;
use crate::functions::{FunctionError, MAX_SECS, example};
use crate::graphite_time::GraphiteClock;
use crate::picture::{Form, Settings, draw};
use crate::query::render::{
    ColumnPieces, EvaluatedJson, Evaluation, JsonPieces, JsonQuery, Pieces, Selection, Target, csv,
    evaluated_columns, half_open, known_until, msgpack, pickle, raw, stacked_columns,
};
use crate::query::render::{dygraph, rickshaw};
use crate::state::AppState;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use sonde_shared::dashboard::calls_function;
use sonde_shared::time::{NANOS_PER_DAY, TimeRange, Timestamp};
use std::time::{Duration, Instant};

/// The widest chart that points are reduced for, in pixels.
const MAX_WIDTH: u64 = 20_000;
const DEFAULT_WIDTH: u64 = 1_000;

const JSON: &str = "application/json";
pub(super) const MSGPACK: &str = "application/x-msgpack";
pub(super) const PICKLE: &str = "application/pickle";
const COLUMNS: &str = "application/octet-stream";

/// Answers `/render`. Parameters of the address and of a form body are joined; the body's count.
pub async fn render(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<Response, ApiError> {
    let mut params = Params::parse(query.0.as_deref().unwrap_or_default());
    params.extend(Params::parse(&form));
    let clock = params.graphite_clock()?;
    let range = range(&params, &clock)?;
    let targets = targets(&params)?;
    let format = Format::read(&params, range, &clock)?;
    let (kind, body) = match (paths(&targets), format) {
        (Some(paths), Format::Json(query)) => {
            let known_until = known_until(range, clock.now());
            let (selection, rules) = (select(&state, paths, range, known_until).await?, state.rules);
            let begin = move || Ok(JsonPieces::new(selection, query, &rules)?);
            (JSON, pieces::body(state.queries, begin).await?)
        }
        (Some(paths), Format::Columns(width, Stack::None)) => {
            let selection = select(&state, paths, range, range.until).await?;
            let begin = move || Ok(ColumnPieces::new(selection, width));
            (COLUMNS, pieces::body(state.queries, begin).await?)
        }
        (_, format) => evaluated(state, targets, range, clock, &params, format).await?,
    };
    Ok(answer(kind, body))
}

/// The targets as paths; `None` where one calls a function.
fn paths(targets: &[Expression]) -> Option<Vec<&str>> {
    targets
        .iter()
        .map(|target| if let Expression::Path(path) = target { Some(path.as_str()) } else { None })
        .collect()
}

/// What an answer that is made as its reader takes it is made of.
async fn select(
    state: &AppState,
    paths: Vec<&str>,
    range: TimeRange,
    known_until: Timestamp,
) -> Result<Selection, ApiError> {
    let parsed = paths.into_iter().map(Target::parse).collect::<Result<Vec<_>, _>>();
    let targets = parsed.map_err(|error| wrong_target(error.to_string()))?;
    let store = state.store.clone();
    let select = move || Selection::of(store.metrics(), &targets, range, known_until).map_err(ApiError::from);
    let selection = pieces::query(&state.queries, select).await?;
    selection.map_err(|error| wrong_target(error.to_string()))
}

/// An answer that calls functions, or in a form that needs all of a series: evaluated as a whole, and JSON written as it is read.
async fn evaluated(
    state: AppState,
    targets: Vec<Expression>,
    asked: TimeRange,
    clock: GraphiteClock,
    params: &Params,
    format: Format,
) -> Result<(&'static str, Body), ApiError> {
    let (range, known_until) = match format {
        Format::Columns(..) => (half_open(asked), asked.until),
        _ => (asked, known_until(asked, clock.now())),
    };
    let x_files_factor = params.get("xFilesFactor").and_then(|text| text.parse().ok());
    let templates = templates(params);
    let (store, rules) = (state.store, state.rules);
    let evaluate = move || {
        let evaluation = Evaluation {
            store: store.metrics(),
            events: store.events(),
            logs: store.logs(),
            rules: &rules,
            range,
            known_until,
            clock,
            x_files_factor,
            templates,
            deadline: Instant::now() + Duration::from_secs(MAX_SECS),
        };
        let series = evaluation.series(&targets).map_err(|error| wrong_call(&error))?;
        Ok::<_, ApiError>((series, evaluation.clock))
    };
    if let Format::Json(query) = format {
        let begin = move || Ok(EvaluatedJson::new(evaluate()?.0, query));
        return Ok((JSON, pieces::body(state.queries, begin).await?));
    }
    let write = move || {
        let (series, clock) = evaluate()?;
        written(series, format, asked, &clock)
    };
    let (kind, body) = pieces::query(&state.queries, write).await?;
    Ok((kind, Body::from(body)))
}

/// Series in a form that is written as a whole, and its media type.
fn written(
    series: Vec<Series>,
    format: Format,
    asked: TimeRange,
    clock: &GraphiteClock,
) -> Result<(&'static str, Vec<u8>), ApiError> {
    Ok(match format {
        Format::Json(query) => (JSON, EvaluatedJson::new(series, query).whole()?),
        Format::Columns(width, Stack::None) => (COLUMNS, evaluated_columns(&series, asked, width)),
        Format::Columns(width, Stack::All) => {
            let stacked = stacked_columns(&series, asked, width);
            (COLUMNS, stacked.map_err(|error| wrong_call(&error))?)
        }
        Format::Plotted(form) => (JSON, form(&series)),
        Format::Raw => ("text/plain; charset=utf-8", raw(&series)),
        Format::Csv => ("text/csv; charset=utf-8", csv(&series, clock)),
        Format::MsgPack => {
            (MSGPACK, msgpack(&series).map_err(|error| ApiError::Internal(error.to_string()))?)
        }
        Format::Pickle => (PICKLE, pickle(&series)),
        Format::Picture(form, settings) => {
            let kind = if form == Form::Svg { "image/svg+xml" } else { "image/png" };
            (kind, draw(&series, &settings, form).map_err(picture::refusal)?)
        }
    })
}

pub(super) fn wrong_call(error: &FunctionError) -> ApiError {
    ApiError::parameter("target", error.to_string(), &example(error))
}

fn wrong_target(why: String) -> ApiError {
    ApiError::parameter("target", why, "shop.checkout.*")
}

/// What stands for the variables of `template` in targets: `template[host]=web-1`.
fn templates(params: &Params) -> Vec<(String, String)> {
    let named =
        params.beginning_with("template[").filter_map(|(name, value)| Some((name.strip_suffix(']')?, value)));
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn answer(kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn range(params: &Params, clock: &GraphiteClock) -> Result<TimeRange, ApiError> {
    let from = params.graphite_time("from", clock)?;
    let from = from.unwrap_or_else(|| clock.now().plus_nanos(-NANOS_PER_DAY));
    let until = params.graphite_time("until", clock)?.unwrap_or(clock.now());
    if from == until {
        return Err(ApiError::parameter(
            "until",
            format!("the time range {from} to {until} is empty"),
            "now",
        ));
    }
    Ok(TimeRange::between(from, until))
}

fn targets(params: &Params) -> Result<Vec<Expression>, ApiError> {
    let texts = params.all("target").chain(params.all("target[]")).filter(|text| !text.trim().is_empty());
    let targets = texts.map(parse_target).collect::<Result<Vec<_>, _>>()?;
    if targets.is_empty() {
        return Err(wrong_target("at least one target is needed".to_owned()));
    }
    Ok(targets)
}

pub(super) fn parse_target(text: &str) -> Result<Expression, ApiError> {
    // What stands behind `;` are tags, which hold characters freely: such a name is taken as it is.
    if text.contains(';') && !calls_function(text) {
        return Ok(Expression::Path(text.to_owned()));
    }
    parse(text).map_err(|error| wrong_call(&error))
}

/// Which sums are answered beside the series themselves.
enum Stack {
    None,
    All,
}

enum Format {
    Json(JsonQuery),
    /// Reduced for so many pixels, or all points.
    Columns(Option<usize>, Stack),
    /// As a library that draws in a page takes it.
    Plotted(fn(&[Series]) -> Vec<u8>),
    /// A line a series.
    Raw,
    /// A line a point.
    Csv,
    /// For graphite-web, of whose cluster this is a member.
    MsgPack,
    /// The same where it is not told otherwise, and for scripts in Python.
    Pickle,
    /// Drawn.
    Picture(Form, Box<Settings>),
}

impl Format {
    fn read(params: &Params, range: TimeRange, clock: &GraphiteClock) -> Result<Self, ApiError> {
        if params.get("jsonp").is_some() {
            return Err(ApiError::parameter(
                "jsonp",
                "answers are never wrapped into a script",
                "format=json",
            ));
        }
        let drawn = |form: Form| Ok(Self::Picture(form, Box::new(picture::settings(params, range, clock)?)));
        // Graphite's words from before there was `format`; the presence counts.
        let unsaid = ["rawData", "pickle"].into_iter().find(|word| params.has(word)).unwrap_or("png");
        match params.get("format").unwrap_or(unsaid) {
            "png" => drawn(Form::Png),
            "svg" => drawn(Form::Svg),
            "json" => Ok(Self::Json(JsonQuery {
                max_data_points: at_least_one(params, "maxDataPoints")?,
                // Graphite takes the parameter's presence for yes, whatever its value.
                no_null_points: params.get("noNullPoints").is_some(),
                now: clock.now(),
            })),
            "columns" => Ok(Self::Columns(width(params)?, stack(params)?)),
            "dygraph" => Ok(Self::Plotted(dygraph)),
            "rickshaw" => Ok(Self::Plotted(rickshaw)),
            "raw" | "rawData" => Ok(Self::Raw),
            "csv" => Ok(Self::Csv),
            "msgpack" => Ok(Self::MsgPack),
            "pickle" => Ok(Self::Pickle),
            other => {
                let detail = format!(
                    "there is no format `{}`; there are png, svg, json, csv, raw, msgpack, pickle, dygraph, rickshaw and columns",
                    clip(other)
                );
                Err(ApiError::parameter("format", detail, "json"))
            }
        }
    }
}

fn width(params: &Params) -> Result<Option<usize>, ApiError> {
    match params.get("downsample") {
        None => Ok(None),
        Some("m4") => match at_least_one(params, "width")?.unwrap_or(DEFAULT_WIDTH) {
            width if width <= MAX_WIDTH => Ok(Some(width as usize)),
            _ => Err(ApiError::parameter(
                "width",
                format!("at most {MAX_WIDTH} pixels can be asked for"),
                "1200",
            )),
        },
        Some(other) => {
            let detail = format!("there is no way `{}` to reduce points; there is m4", clip(other));
            Err(ApiError::parameter("downsample", detail, "m4"))
        }
    }
}

fn stack(params: &Params) -> Result<Stack, ApiError> {
    match params.get("stack") {
        None => Ok(Stack::None),
        Some("all") => Ok(Stack::All),
        Some(other) => {
            let detail = format!("there is no stack `{}`; there is all", clip(other));
            Err(ApiError::parameter("stack", detail, "all"))
        }
    }
}

fn at_least_one(params: &Params, key: &str) -> Result<Option<u64>, ApiError> {
    match params.number(key)? {
        Some(0) => Err(ApiError::parameter(key, "it must be at least 1", "1000")),
        number => Ok(number),
    }
}

#[cfg(test)]
mod tests;

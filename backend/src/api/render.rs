//! `GET|POST /render`: points, as Graphite answers them or as columns for drawing.

use super::pieces;
use super::{ApiError, params::Params, params::clip};
use crate::query::render::{ColumnsQuery, JsonQuery, Selection, Target, write_columns, write_json};
use crate::state::AppState;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use sonde_shared::time::{NANOS_PER_DAY, TimeRange, Timestamp};

/// The widest chart that points are reduced for, in pixels.
const MAX_WIDTH: u64 = 20_000;
const DEFAULT_WIDTH: u64 = 1_000;

/// Answers `/render`. Parameters of the address and of a form body are joined; the body's count.
pub async fn render(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<Response, ApiError> {
    let mut params = Params::parse(query.0.as_deref().unwrap_or_default());
    params.extend(Params::parse(&form));
    let now = params.time("now", AppState::now())?.unwrap_or_else(AppState::now);
    let range = range(&params, now)?;
    let targets = targets(&params)?;
    let format = Format::read(&params, now)?;
    let store = state.store;
    let select = move || Selection::of(store.metrics(), &targets, range).map_err(ApiError::from);
    let selection = pieces::blocking(select).await?;
    let selection =
        selection.map_err(|error| ApiError::parameter("target", error.to_string(), "shop.checkout.*"))?;
    let (kind, body) = match format {
        Format::Json(query) => {
            ("application/json", pieces::body(move |emit| write_json(&selection, query, emit)).await?)
        }
        Format::Columns(query) => (
            "application/octet-stream",
            pieces::body(move |emit| write_columns(&selection, query, emit)).await?,
        ),
    };
    Ok(answer(kind, body))
}

fn answer(kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn range(params: &Params, now: Timestamp) -> Result<TimeRange, ApiError> {
    let from = params.time("from", now)?.unwrap_or_else(|| now.plus_nanos(-NANOS_PER_DAY));
    let until = params.time("until", now)?.unwrap_or(now);
    if from == until {
        return Err(ApiError::parameter(
            "until",
            format!("the time range {from} to {until} is empty"),
            "now",
        ));
    }
    Ok(TimeRange::between(from, until))
}

fn targets(params: &Params) -> Result<Vec<Target>, ApiError> {
    let wrong = |why: String| ApiError::parameter("target", why, "shop.checkout.*");
    let texts = params.all("target").chain(params.all("target[]"));
    let targets =
        texts.map(Target::parse).collect::<Result<Vec<_>, _>>().map_err(|error| wrong(error.to_string()))?;
    if targets.is_empty() {
        return Err(wrong("at least one target is needed".to_owned()));
    }
    Ok(targets)
}

enum Format {
    Json(JsonQuery),
    Columns(ColumnsQuery),
}

impl Format {
    fn read(params: &Params, now: Timestamp) -> Result<Self, ApiError> {
        if params.get("jsonp").is_some() {
            return Err(ApiError::parameter(
                "jsonp",
                "answers are never wrapped into a script",
                "format=json",
            ));
        }
        match params.get("format").unwrap_or("json") {
            "json" => Ok(Self::Json(JsonQuery {
                max_data_points: at_least_one(params, "maxDataPoints")?,
                // Graphite takes the parameter's presence for yes, whatever its value.
                no_null_points: params.get("noNullPoints").is_some(),
                now,
            })),
            "columns" => Ok(Self::Columns(ColumnsQuery { width: width(params)? })),
            other => {
                let detail = format!("there is no format `{}`; there are json and columns", clip(other));
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

fn at_least_one(params: &Params, key: &str) -> Result<Option<u64>, ApiError> {
    match params.number(key)? {
        Some(0) => Err(ApiError::parameter(key, "it must be at least 1", "1000")),
        number => Ok(number),
    }
}

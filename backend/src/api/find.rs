//! `/metrics/find`, `/metrics/expand` and `/metrics/index.json`: the tree of names, as Graphite answers it.

use super::pieces::blocking;
use super::{ApiError, params::Params, params::clip};
use crate::query::find;
use crate::state::AppState;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use sonde_shared::glob::Glob;
use sonde_shared::time::TimeRange;

const NO_CACHE: [(header::HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-cache"), (header::PRAGMA, "no-cache")];

/// Answers `/metrics/find`.
pub async fn find_metrics(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<impl IntoResponse, ApiError> {
    let request = FindRequest::read(&params(&query, &form))?;
    let find = move || {
        let found = state.store.metrics().snapshot(request.range)?.find(&request.glob);
        Ok(match request.format {
            Format::Tree => json!(find::tree(&found, &request.query, request.with_wildcard)),
            Format::Completer => find::completions(&found, request.with_wildcard),
            Format::Json => find::intervals(&found),
            Format::NodeList(position) => find::nodes_at(&found, position),
        })
    };
    Ok((NO_CACHE, Json(blocking(find).await?)))
}

/// Answers `/metrics/expand`.
pub async fn expand_metrics(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<impl IntoResponse, ApiError> {
    let params = params(&query, &form);
    let queries: Vec<String> = params.all("query").map(str::to_owned).collect();
    if queries.is_empty() {
        return Err(ApiError::parameter("query", "at least one query is needed", "shop.*"));
    }
    let globs = queries.iter().map(|query| glob(query)).collect::<Result<Vec<_>, _>>()?;
    let (by_query, leaves_only) = (params.flag("groupByExpr")?, params.flag("leavesOnly")?);
    let expand = move || {
        let snapshot = state.store.metrics().snapshot(TimeRange::all())?;
        if !by_query {
            return Ok(json!(find::expand(&snapshot, &globs, leaves_only)));
        }
        let each = queries.into_iter().zip(&globs);
        let each = each.map(|(query, glob)| {
            (query, json!(find::expand(&snapshot, std::slice::from_ref(glob), leaves_only)))
        });
        Ok(Value::Object(each.collect()))
    };
    Ok((NO_CACHE, Json(json!({ "results": blocking(expand).await? }))))
}

/// Answers `/metrics/index.json`: every series' name.
pub async fn list_metrics(State(state): State<AppState>) -> Result<Json<Vec<String>>, ApiError> {
    let list = move || Ok(state.store.metrics().snapshot(TimeRange::all())?.names());
    Ok(Json(blocking(list).await?))
}

fn params(query: &RawQuery, form: &str) -> Params {
    let mut params = Params::parse(query.0.as_deref().unwrap_or_default());
    params.extend(Params::parse(form));
    params
}

enum Format {
    Tree,
    Completer,
    Json,
    NodeList(i64),
}

struct FindRequest {
    query: String,
    glob: Glob,
    format: Format,
    with_wildcard: bool,
    range: TimeRange,
}

impl FindRequest {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let missing = || ApiError::parameter("query", "a query is needed", "shop.*");
        let format = format(params)?;
        let query = match (params.get("query"), &format) {
            (query, Format::Completer) => find::completer_query(query.unwrap_or_default()),
            (Some(query), _) => query.to_owned(),
            (None, _) => return Err(missing()),
        };
        let (glob, range) = (glob(&query)?, params.range()?);
        Ok(Self { query, glob, format, with_wildcard: params.flag("wildcards")?, range })
    }
}

fn format(params: &Params) -> Result<Format, ApiError> {
    let position = || {
        let text = params.get("position").unwrap_or("-1");
        text.parse().map_err(|_error: std::num::ParseIntError| {
            ApiError::parameter("position", format!("`{}` is not a whole number", clip(text)), "-1")
        })
    };
    match params.get("format").unwrap_or("treejson") {
        "treejson" => Ok(Format::Tree),
        "completer" => Ok(Format::Completer),
        "json" => Ok(Format::Json),
        "nodelist" => Ok(Format::NodeList(position()?)),
        other => {
            let detail = format!(
                "there is no format `{}`; there are treejson, completer, json and nodelist",
                clip(other)
            );
            Err(ApiError::parameter("format", detail, "treejson"))
        }
    }
}

fn glob(query: &str) -> Result<Glob, ApiError> {
    Glob::parse(query)
        .map_err(|why| ApiError::parameter("query", format!("`{}` is no path: {why}", clip(query)), "shop.*"))
}

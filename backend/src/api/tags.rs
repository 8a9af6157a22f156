//! `/tags`: which tags, values and series there are, as Graphite answers it.
//!
//! Tags stand in the names of series, so there is nothing to be told about them and nothing to be kept: who announces a series
//! is told its name in normal form, and who wants one gone is refused.

use super::answer::{json, no_cache, params};
use super::params::{Params, PathPart, clip};
use super::{ApiError, pieces};
use crate::ingest::series_path::normal_form;
use crate::query::find::ListingPieces;
use crate::query::tags::{TagError, parse_all, parse_filter};
use crate::state::AppState;
use crate::store::metrics::{TagLookup, TagMatch};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

/// How many suggestions there are where no number is asked for.
const SUGGESTIONS: usize = 100;

/// Answers `GET /tags`: the tags there are.
pub async fn list_tags(State(state): State<AppState>, query: RawQuery) -> Result<Response, ApiError> {
    let params = params(&query, "")?;
    let (takes, most) = (filter(&params)?, limit(&params)?.unwrap_or(usize::MAX));
    let tags = look_up(&state, &params, move |lookup| lookup.tags(&[], &takes, most)).await?;
    json(&params, &tags.into_iter().map(|tag| json!({ "tag": tag })).collect::<Vec<_>>())
}

/// Answers `GET /tags/TAG`: its values, each with its number of series; `null` where there is no such tag.
pub async fn get_tag(
    State(state): State<AppState>,
    PathPart(tag): PathPart,
    query: RawQuery,
) -> Result<Response, ApiError> {
    let params = params(&query, "")?;
    let (takes, most) = (filter(&params)?, limit(&params)?.unwrap_or(usize::MAX));
    let asked = tag.clone();
    let count = move |lookup: &TagLookup| {
        let is_there = !lookup.values(&asked, &[], &|_| true, 1).is_empty();
        is_there.then(|| lookup.counts(&asked, &takes, most))
    };
    let counts = look_up(&state, &params, count).await?;
    let value = |(value, count): (String, u64)| json!({ "value": value, "count": count });
    let values = |counts: Vec<_>| counts.into_iter().map(value).collect::<Vec<_>>();
    json(&params, &counts.map(|counts| json!({ "tag": tag, "values": values(counts) })))
}

/// Answers `/tags/findSeries`: the names of the series that all expressions take.
pub async fn find_series(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<Response, ApiError> {
    let params = params(&query, &form)?;
    let matches = expressions(&params)?;
    if matches.is_empty() {
        return Err(wrong_expression(TagError::Count(0).to_string()));
    }
    let range = params.range()?;
    if params.get("pretty").is_some() {
        let find = move |lookup: TagLookup| lookup.series(&matches).collect::<Vec<String>>();
        let store = state.store;
        let find = move || Ok(find(store.metrics().tagged(range)?));
        return json(&params, &pieces::query(&state.queries, find).await?);
    }
    let store = state.store;
    let begin = move || Ok(ListingPieces::of(store.metrics().tagged(range)?.series(&matches)));
    Ok(names(pieces::body(state.queries, begin).await?))
}

/// An answer that is a list of names, made as it is read.
pub(super) fn names(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    no_cache(&mut response);
    response
}

/// Answers `/tags/autoComplete/tags`: the tags of the series that the expressions take, those of the expressions left out.
pub async fn suggest_tags(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<Response, ApiError> {
    let params = params(&query, &form)?;
    let (matches, most) = (expressions(&params)?, limit(&params)?.unwrap_or(SUGGESTIONS));
    let prefix = params.get("tagPrefix").unwrap_or_default().to_owned();
    let suggest = move |lookup: &TagLookup| {
        let is_asked = |tag: &str| matches.iter().any(|one| one.tag() == tag);
        lookup.tags(&matches, &|tag| tag.starts_with(&prefix) && !is_asked(tag), most)
    };
    json(&params, &look_up(&state, &params, suggest).await?)
}

/// Answers `/tags/autoComplete/values`: the values that `tag` has in the series that the expressions take.
pub async fn suggest_values(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<Response, ApiError> {
    let params = params(&query, &form)?;
    let missing = || ApiError::parameter("tag", "a tag is needed", "host");
    let tag = params.get("tag").ok_or_else(missing)?.to_owned();
    let most = limit(&params)?.unwrap_or(SUGGESTIONS);
    // Only series that have the tag count, which makes any expression one of several that need a value.
    let needed =
        (params.all("expr").chain(params.all("expr[]")).next().is_some()).then(|| format!("{tag}!="));
    let matches = read(expression_texts(&params).into_iter().chain(needed.as_deref()))?;
    let prefix = params.get("valuePrefix").unwrap_or_default().to_owned();
    let suggest =
        move |lookup: &TagLookup| lookup.values(&tag, &matches, &|value| value.starts_with(&prefix), most);
    json(&params, &look_up(&state, &params, suggest).await?)
}

/// Answers `POST /tags/tagSeries` with the name in normal form. A series is found by its tags when it has a point.
pub async fn tag_series(query: RawQuery, form: String) -> Result<Response, ApiError> {
    let params = params(&query, &form)?;
    let path = params.get("path").ok_or_else(|| wrong_path("a path is needed"))?;
    json(&params, &normal(path)?)
}

/// Answers `POST /tags/tagMultiSeries` with the names in normal form.
pub async fn tag_several(query: RawQuery, form: String) -> Result<Response, ApiError> {
    let params = params(&query, &form)?;
    let paths = ["path", "path[]"].map(|key| params.all(key).collect::<Vec<_>>());
    let paths = paths.into_iter().find(|paths| !paths.is_empty());
    let paths = paths.ok_or_else(|| wrong_path("at least one path is needed"))?;
    json(&params, &paths.into_iter().map(normal).collect::<Result<Vec<_>, _>>()?)
}

/// Refuses `POST /tags/delSeries`.
pub async fn delete_series() -> ApiError {
    let why = "series are found by the tags in their names for as long as they have points; these go with their days, see --retention";
    ApiError::refused(StatusCode::FORBIDDEN, why)
}

fn normal(path: &str) -> Result<String, ApiError> {
    let wrong = |error: crate::ingest::refused::Refused| wrong_path(&format!("`{}`: {error}", clip(path)));
    Ok(normal_form(path).map_err(wrong)?.into_owned())
}

fn wrong_path(why: &str) -> ApiError {
    ApiError::parameter("path", why, "disk.used;host=web-1")
}

fn wrong_expression(why: String) -> ApiError {
    ApiError::parameter("expr", why, "name=cpu.load")
}

async fn look_up<T: Send + 'static>(
    state: &AppState,
    params: &Params,
    ask: impl FnOnce(&TagLookup) -> T + Send + 'static,
) -> Result<T, ApiError> {
    let (store, range) = (state.store.clone(), params.range()?);
    pieces::query(&state.queries, move || Ok(ask(&store.metrics().tagged(range)?))).await
}

fn expression_texts(params: &Params) -> Vec<&str> {
    let named = ["expr", "expr[]"].map(|key| params.all(key).collect::<Vec<_>>());
    named.into_iter().find(|texts| !texts.is_empty()).unwrap_or_default()
}

/// The expressions; none where none are given.
fn expressions(params: &Params) -> Result<Vec<TagMatch>, ApiError> {
    read(expression_texts(params).into_iter())
}

fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<TagMatch>, ApiError> {
    let mut texts = texts.peekable();
    if texts.peek().is_none() {
        return Ok(Vec::new());
    }
    parse_all(texts).map_err(|error| wrong_expression(error.to_string()))
}

fn filter(params: &Params) -> Result<impl Fn(&str) -> bool + Send + 'static, ApiError> {
    let wrong = |error: TagError| ApiError::parameter("filter", error.to_string(), "dc");
    let filter = params.get("filter").map(parse_filter).transpose().map_err(wrong)?;
    Ok(move |text: &str| filter.as_ref().is_none_or(|takes| takes(text)))
}

fn limit(params: &Params) -> Result<Option<usize>, ApiError> {
    Ok(params.number("limit")?.map(|limit| limit as usize))
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;

    const DAY: i64 = 86_400;

    async fn world() -> World {
        let world = World::new();
        let rows = [
            ("cpu;dc=ams;host=a", 60, 1.0),
            ("cpu;dc=ams;host=b", 60, 1.0),
            ("cpu;dc=fra;host=a", 3 * DAY, 1.0),
            ("cpu", 60, 1.0),
        ];
        world.append(&rows).await;
        world
    }

    #[tokio::test]
    async fn a_range_chooses_the_days_whose_series_are_asked() {
        let world = world().await;
        let check = async |path: &str, expected: serde_json::Value| {
            assert_eq!(world.get(path).await, (StatusCode::OK, expected), "{path}");
        };
        let all = json!(["cpu;dc=ams;host=a", "cpu;dc=ams;host=b", "cpu;dc=fra;host=a"]);
        check("/tags/findSeries?expr=name%3Dcpu", all).await;
        check("/tags/findSeries?expr=name%3Dcpu&from=172800", json!(["cpu;dc=fra;host=a"])).await;
        check("/tags/autoComplete/values?tag=dc&until=86400", json!(["ams"])).await;
        check("/tags?from=86400&until=172800", json!([])).await;
        check("/tags/dc?from=86400&until=172800", json!(null)).await;
        let hosts =
            json!({"tag": "host", "values": [{"value": "a", "count": 2}, {"value": "b", "count": 1}]});
        check("/tags/host", hosts).await;
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_and_nothing_is_deleted() {
        let world = world().await;
        let check = async |path: &str, parameter: &str, part: &str| {
            let (named, detail) = World::refusal(world.get(path).await);
            assert!(named == parameter && detail.contains(part), "{path}: {named}: {detail}");
        };
        check("/tags/findSeries", "expr", "from 1 to 64").await;
        check("/tags/findSeries?expr=dc!%3Dams", "expr", "must need a value").await;
        check("/tags/autoComplete/values?expr=a%3Db", "tag", "a tag is needed").await;
        check("/tags?filter=(", "filter", "no regular expression").await;
        check("/tags?limit=-1", "limit", "whole number").await;
        check("/tags?jsonp=f", "jsonp", "never wrapped").await;
        let (status, problem) = world.post("/tags/delSeries", "path=cpu;dc=ams;host=a").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("--retention"), "{problem}");
        assert_eq!(world.get("/tags/findSeries?expr=host%3Db").await.1, json!(["cpu;dc=ams;host=b"]));
    }

    #[tokio::test]
    async fn an_answer_may_be_indented() {
        let (_, body) = world().await.ask("/tags/findSeries?expr=host%3Db&pretty=1", None).await;
        assert_eq!(String::from_utf8(body).unwrap(), "[\n  \"cpu;dc=ams;host=b\"\n]");
    }
}

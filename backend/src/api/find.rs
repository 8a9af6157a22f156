//! `/metrics/find`, `/metrics/expand` and `/metrics/index.json`: the tree of names, as Graphite answers it.

use super::answer::{json, no_cache, params};
use super::render::{MSGPACK, PICKLE};
use super::tags::names;
use super::{ApiError, params::Params, params::clip, pieces};
use crate::query::find::{self, ListingPieces};
use crate::state::AppState;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};
use sonde_shared::glob::Glob;
use sonde_shared::time::TimeRange;

/// Answers `/metrics/find`.
pub async fn find_metrics(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<Response, ApiError> {
    let params = params(&query, &form)?;
    let request = FindRequest::read(&params)?;
    let store = state.store;
    let find = move || {
        let mut found = store.metrics().find(request.range, &request.glob)?;
        if request.leaves_only {
            found.retain(|one| one.is_series);
            for one in &mut found {
                one.has_children = false;
            }
        }
        let spanned = || find::spanned(store.metrics(), request.range, &found);
        Ok(Answer::Json(match request.format {
            Format::Tree => json!(find::tree(&found, &request.query, request.with_wildcard)),
            Format::Completer => find::completions(&found, request.with_wildcard),
            Format::Json => find::intervals(&spanned()?, false),
            Format::NodeList(position) => find::nodes_at(&found, position),
            Format::MsgPack => {
                return Ok(Answer::Packed(MSGPACK, packed(&find::intervals(&spanned()?, true))?));
            }
            Format::Pickle => return Ok(Answer::Packed(PICKLE, find::pickled(&spanned()?))),
        }))
    };
    match pieces::query(&state.queries, find).await? {
        Answer::Json(answer) => json(&params, &answer),
        Answer::Packed(kind, bytes) => {
            let mut response = Response::new(bytes.into());
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            no_cache(&mut response);
            Ok(response)
        }
    }
}

/// What is answered: for people's programs, or for graphite-web with its media type.
enum Answer {
    Json(Value),
    Packed(&'static str, Vec<u8>),
}

fn packed(answer: &Value) -> Result<Vec<u8>, ApiError> {
    rmp_serde::to_vec_named(answer).map_err(|error| ApiError::Internal(error.to_string()))
}

/// Answers `/metrics/expand`.
pub async fn expand_metrics(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<Response, ApiError> {
    let params = params(&query, &form)?;
    let queries: Vec<String> = params.all("query").map(str::to_owned).collect();
    if queries.is_empty() {
        return Err(ApiError::parameter("query", "at least one query is needed", "shop.*"));
    }
    let globs = queries.iter().map(|query| glob(query)).collect::<Result<Vec<_>, _>>()?;
    let (by_query, leaves_only) = (params.flag("groupByExpr")?, params.flag("leavesOnly")?);
    let store = state.store;
    let expand = move || {
        if !by_query {
            return Ok(json!(find::expand(store.metrics(), &globs, leaves_only)?));
        }
        let mut each = serde_json::Map::new();
        for (query, glob) in queries.into_iter().zip(&globs) {
            let paths = find::expand(store.metrics(), std::slice::from_ref(glob), leaves_only)?;
            each.insert(query, json!(paths));
        }
        Ok(Value::Object(each))
    };
    json(&params, &json!({ "results": pieces::query(&state.queries, expand).await? }))
}

/// Answers `/metrics/index.json`: every series' name, made as it is read.
pub async fn list_metrics(
    State(state): State<AppState>,
    query: RawQuery,
    form: String,
) -> Result<Response, ApiError> {
    params(&query, &form)?;
    let store = state.store;
    let begin = move || Ok(ListingPieces::of(store.metrics().listing(TimeRange::all())?));
    Ok(names(pieces::body(state.queries, begin).await?))
}

enum Format {
    Tree,
    Completer,
    Json,
    MsgPack,
    Pickle,
    NodeList(i64),
}

struct FindRequest {
    query: String,
    glob: Glob,
    format: Format,
    with_wildcard: bool,
    leaves_only: bool,
    range: TimeRange,
}

impl FindRequest {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let missing = || ApiError::parameter("query", "a query is needed", "shop.*");
        let format = format(params)?;
        let query = match (params.get("query"), &format) {
            (query, Format::Completer) => {
                let query = find::completer_query(query.unwrap_or_default());
                if params.flag("automatic_variants")? { find::with_variants(&query) } else { query }
            }
            (Some(query), _) => query.to_owned(),
            (None, _) => return Err(missing()),
        };
        let (glob, range) = (glob(&query)?, params.graphite_range()?);
        let (with_wildcard, leaves_only) = (params.flag("wildcards")?, params.flag("leavesOnly")?);
        Ok(Self { query, glob, format, with_wildcard, leaves_only, range })
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
        "msgpack" => Ok(Format::MsgPack),
        "pickle" => Ok(Format::Pickle),
        "nodelist" => Ok(Format::NodeList(position()?)),
        other => {
            let detail = format!(
                "there is no format `{}`; there are treejson, completer, json, msgpack, pickle and nodelist",
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

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use axum::http::StatusCode;
    use serde_json::{Value, json};

    const DAY: i64 = 86_400;

    async fn world() -> World {
        let world = World::new();
        world
            .append(&[
                ("web.git.ms", 60, 1.0),
                ("web.git", 70, 1.0),
                ("web.up", 80, 1.0),
                ("old.x", 3 * DAY, 1.0),
            ])
            .await;
        world
    }

    async fn get(world: &World, path: &str) -> Value {
        let (status, body) = world.get(path).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    #[tokio::test]
    async fn the_tree_lists_branches_first() {
        let world = world().await;
        let node = |text: &str, id: &str, leaf: u8, below: u8| json!({"text": text, "id": id, "leaf": leaf, "expandable": below, "allowChildren": below});
        let expected = json!([node("git", "web.git", 1, 1), node("up", "web.up", 1, 0)]);
        assert_eq!(get(&world, "/metrics/find?query=web.*").await, expected);
        assert_eq!(world.post("/metrics/find/", "query=web.*&format=treejson").await.1, expected);
        let expected = json!([node("ms", "*.git.ms", 1, 0)]);
        assert_eq!(get(&world, "/metrics/find?query=*.git.*").await, expected);
        let expected = json!([node("*", "*", 0, 1), node("old", "old", 0, 1), node("web", "web", 0, 1)]);
        assert_eq!(get(&world, "/metrics/find?query=*&wildcards=1").await, expected);
    }

    #[tokio::test]
    async fn from_and_until_choose_the_days() {
        let world = world().await;
        let texts = async |query: &str| -> Vec<String> {
            let body = get(&world, &format!("/metrics/find?query=*&{query}")).await;
            body.as_array().unwrap().iter().map(|node| node["text"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(texts("").await, ["old", "web"]);
        assert_eq!(texts("from=0&until=86400").await, ["web"]);
        assert_eq!(texts("from=172800").await, ["old"]);
        assert_eq!(texts("from=-1&until=-1").await, ["old", "web"]);
        assert_eq!(texts("from=midnight&until=noon&now=12pm_01/01/1970%2B3d").await, ["old"]);
        // In Kolkata the fifth begins on the evening of the fourth.
        assert_eq!(texts("from=00:00_19700105&until=now&now=345600&tz=Asia/Kolkata").await, ["old"]);
    }

    #[tokio::test]
    async fn the_other_formats_are_graphites() {
        let world = world().await;
        let completer = json!({"metrics": [
            {"path": "web.git.", "name": "git", "is_leaf": "0"},
            {"path": "web.git", "name": "git", "is_leaf": "1"},
            {"path": "web.up", "name": "up", "is_leaf": "1"},
        ]});
        assert_eq!(get(&world, "/metrics/find?format=completer&query=web.").await, completer);
        let intervals = json!([
            {"path": "web.git", "is_leaf": false},
            {"path": "web.git", "is_leaf": true, "intervals": [{"start": 70, "end": 70}]},
            {"path": "web.up", "is_leaf": true, "intervals": [{"start": 80, "end": 80}]},
        ]);
        assert_eq!(get(&world, "/metrics/find?format=json&query=web.*").await, intervals);
        let nodes = get(&world, "/metrics/find?format=nodelist&query=*.*&position=0").await;
        assert_eq!(nodes, json!({"nodes": ["old", "web"]}));
    }

    #[tokio::test]
    async fn graphite_web_is_answered_in_its_own_form() {
        let world = world().await;
        let (status, body) = world.ask("/metrics/find/?local=1&format=msgpack&query=web.git", None).await;
        assert_eq!(status, StatusCode::OK);
        let nodes: Value = rmp_serde::from_slice(&body).unwrap();
        let expected = json!([
            {"path": "web.git", "is_leaf": false},
            {"path": "web.git", "is_leaf": true, "intervals": [[70, 70]]},
        ]);
        assert_eq!(nodes, expected);
        let path = "/render/?format=msgpack&local=1&noCache=1&from=1&until=100&target=web.up&now=100";
        let (_, body) = world.ask(path, None).await;
        let series: Value = rmp_serde::from_slice(&body).unwrap();
        let expected = json!([{
            "name": "web.up", "start": 60, "end": 120, "step": 60, "values": [1.0], "pathExpression": "web.up",
            "valuesPerPoint": 1, "consolidationFunc": "average", "xFilesFactor": 0.0,
        }]);
        assert_eq!(series, expected);
    }

    #[tokio::test]
    async fn expand_and_index_list_paths() {
        let world = world().await;
        let expanded = get(&world, "/metrics/expand?query=web.*&query=*.git").await;
        assert_eq!(expanded, json!({"results": ["web.git", "web.up"]}));
        let by_query = get(&world, "/metrics/expand?query=*&query=*.x&groupByExpr=1&leavesOnly=1").await;
        assert_eq!(by_query, json!({"results": {"*": [], "*.x": ["old.x"]}}));
        let all = json!(["old.x", "web.git", "web.git.ms", "web.up"]);
        assert_eq!(get(&world, "/metrics/index.json").await, all);
    }

    #[tokio::test]
    async fn a_list_of_many_pieces_is_whole() {
        let world = World::new();
        let names: Vec<String> = (0..4_000).map(|at| format!("some.long.name.of.a.series.{at:04}")).collect();
        world.append(&names.iter().map(|name| (name.as_str(), 60, 1.0)).collect::<Vec<_>>()).await;
        assert_eq!(get(&world, "/metrics/index.json").await, json!(names));
        assert_eq!(get(&World::new(), "/metrics/index.json").await, json!([]));
    }

    #[tokio::test]
    async fn what_is_wrong_is_said() {
        let world = world().await;
        let check = async |path: &str, parameter: &str| {
            assert_eq!(World::refusal(world.get(path).await).0, parameter, "{path}");
        };
        check("/metrics/find", "query").await;
        check("/metrics/find?query=a.{b", "query").await;
        check("/metrics/find?query=a&format=pdf", "format").await;
        check("/metrics/find?query=a&format=nodelist&position=x", "position").await;
        check("/metrics/expand", "query").await;
    }
}

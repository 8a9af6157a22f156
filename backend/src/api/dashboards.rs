//! `/api/dashboards`: the list, and each by its name.

use super::ApiError;
use super::params::{Params, PathPart, clip};
use super::targets::check_target;
use crate::dashboards::{DEFAULT_NAME, SaveError, from_metrics};
use crate::state::AppState;
use crate::store::Store;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use sonde_shared::api::DashboardName;
use sonde_shared::dashboard::{Dashboard, NO_TEXT};
use sonde_shared::time::{NANOS_PER_DAY, TimeRange};
use tokio::task::{JoinError, spawn_blocking};

/// Answers names and titles, the one to open first first.
pub async fn list_dashboards(State(state): State<AppState>) -> Result<Json<Vec<DashboardName>>, ApiError> {
    let dashboards = state.dashboards;
    spawn_blocking(move || dashboards.list()).await.map(Json).map_err(|error| died(&error))
}

/// Answers a dashboard and as `ETag` what it can be changed over: 404 with the names there are when there is no such one, 422 when its file is broken.
pub async fn get_dashboard(
    State(state): State<AppState>,
    PathPart(name): PathPart,
) -> Result<impl IntoResponse, ApiError> {
    let find = move || {
        let (read, tag) = state.dashboards.get_tagged(&name);
        Ok::<_, ApiError>(tagged(found(read, &state, &name)?, &tag))
    };
    spawn_blocking(find).await.map_err(|error| died(&error))?
}

/// Saves a dashboard over the one that `If-Match` names by its tag, or as a new one with `If-None-Match: *`. Answers what is
/// there now. Comments of its file stay; a new one has those of the dashboard that `copy_of` names.
pub async fn put_dashboard(
    State(state): State<AppState>,
    PathPart(name): PathPart,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, ApiError> {
    let over = over(&headers)?;
    let wanted: Dashboard = serde_json::from_slice(&body)
        .map_err(|error| ApiError::parameter("body", format!("this is no dashboard: {error}"), EXAMPLE))?;
    for target in wanted.panels.iter().flat_map(|panel| panel.targets.iter().chain(&panel.right)) {
        check_target(target)?;
    }
    let params = Params::parse(query.as_deref().unwrap_or_default());
    let copy_of = params.get("copy_of").map(str::to_owned);
    let save = move || state.dashboards.save_copy(&name, &wanted, &over, copy_of.as_deref());
    let (saved, tag) =
        spawn_blocking(save).await.map_err(|error| died(&error))?.map_err(|error| not_saved(&error))?;
    Ok(tagged(saved, &tag))
}

/// Deletes the dashboard that `If-Match` names by its tag; `*` whatever it is by now. Its file is kept aside.
pub async fn delete_dashboard(
    State(state): State<AppState>,
    PathPart(name): PathPart,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let over = over(&headers)?;
    change(move || state.dashboards.delete(&name, &over)).await
}

/// Brings the dashboard back that was deleted last under this name.
pub async fn restore_dashboard(
    State(state): State<AppState>,
    PathPart(name): PathPart,
) -> Result<StatusCode, ApiError> {
    change(move || state.dashboards.restore(&name)).await
}

async fn change(
    act: impl FnOnce() -> Result<(), SaveError> + Send + 'static,
) -> Result<StatusCode, ApiError> {
    spawn_blocking(act).await.map_err(|error| died(&error))?.map_err(|error| not_saved(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

const EXAMPLE: &str = r#"{"title":"Shop","panel":[{"title":"Orders","targets":["shop.orders"]}]}"#;

fn tagged(dashboard: Dashboard, tag: &str) -> impl IntoResponse + use<> {
    ([(header::ETAG, format!("\"{tag}\""))], Json(dashboard))
}

/// The tag of what a dashboard is to be saved over.
fn over(headers: &HeaderMap) -> Result<String, ApiError> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_NONE_MATCH) == Some("*") {
        return Ok(NO_TEXT.to_owned());
    }
    let tag = text(header::IF_MATCH).map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned());
    tag.ok_or_else(|| {
        let detail = "say what is changed: `If-Match` with the `ETag` of what was read, or `If-None-Match: *` for a new dashboard";
        ApiError::refused(StatusCode::PRECONDITION_REQUIRED, detail)
    })
}

fn not_saved(error: &SaveError) -> ApiError {
    match error {
        SaveError::Name => ApiError::parameter("name", error.to_string(), "shop"),
        SaveError::Changed | SaveError::Taken => {
            ApiError::refused(StatusCode::PRECONDITION_FAILED, error.to_string())
        }
        SaveError::Missing => ApiError::refused(StatusCode::NOT_FOUND, error.to_string()),
        SaveError::NoFile => ApiError::refused(StatusCode::CONFLICT, error.to_string()),
        SaveError::Wrong(_) => ApiError::parameter("body", error.to_string(), EXAMPLE),
        SaveError::NoFolder | SaveError::ReadOnly { .. } => {
            ApiError::refused(StatusCode::FORBIDDEN, error.to_string())
        }
    }
}

fn found(
    read: Option<Result<Dashboard, String>>,
    state: &AppState,
    name: &str,
) -> Result<Dashboard, ApiError> {
    match read {
        Some(read) => read.map_err(|why| {
            // What is wrong may be a drawing of several lines that points at a place.
            let detail = format!("the dashboard `{}` cannot be read:\n{why}", clip(name));
            ApiError::refused(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }),
        None if name == DEFAULT_NAME => Ok(from_metrics(recent_names(&state.store)?)),
        None => Err(no_such(name, &state.dashboards.list())),
    }
}

/// The metrics of the day up to the latest point: what no longer reports makes no panel, and old days stay closed.
fn recent_names(store: &Store) -> Result<Vec<String>, ApiError> {
    let Some(last) = store.metrics().last_point()? else { return Ok(Vec::new()) };
    let recent = TimeRange { from: last.plus_nanos(-NANOS_PER_DAY), until: last.plus_nanos(1) };
    Ok(store.metrics().listing(recent)?.collect())
}

fn no_such(name: &str, list: &[DashboardName]) -> ApiError {
    let names: Vec<&str> = list.iter().map(|one| one.name.as_str()).collect();
    let detail = format!("there is no dashboard `{}`; there are {}", clip(name), names.join(", "));
    ApiError::refused(StatusCode::NOT_FOUND, detail)
}

fn died(error: &JoinError) -> ApiError {
    ApiError::Internal(format!("reading the dashboards failed: {error}"))
}

#[cfg(test)]
mod tests {
    use crate::api::testing::open_state;
    use crate::dashboards::{BuiltIn, Dashboards};
    use crate::router::router;
    use crate::state::AppState;
    use crate::store::batch::{Durability, LineBatch, PointBatch};
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use serde_json::{Value, json};
    use std::fs;
    use tower::ServiceExt;

    const BUILT_IN: [BuiltIn; 1] = [BuiltIn { name: "own", toml: "title = \"Own\"" }];

    struct World {
        dir: tempfile::TempDir,
        state: AppState,
    }

    impl World {
        fn with_files(files: &[(&str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let boards = dir.path().join("boards");
            fs::create_dir(&boards).unwrap();
            for (name, text) in files {
                fs::write(boards.join(name), text).unwrap();
            }
            let dashboards = Dashboards::open(Some(boards), &BUILT_IN).unwrap();
            let state = open_state(&dir.path().join("data"), dashboards);
            Self { dir, state }
        }

        async fn get(&self, path: &str) -> (StatusCode, Value) {
            let request = Request::get(path).header("host", "127.0.0.1").body(Body::empty()).unwrap();
            let response = router(self.state.clone()).oneshot(request).await.unwrap();
            let status = response.status();
            let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            (status, serde_json::from_slice(&body).unwrap())
        }
    }

    #[tokio::test]
    async fn the_list_and_each_dashboard_are_answered() {
        let world = World::with_files(&[(
            "a b.toml",
            "title = \"A\"\n[[panel]]\ntitle = \"P q\"\ntargets = [\"x.y\"]\n",
        )]);
        let names = json!([
            {"name": "a b", "title": "A"}, {"name": "own", "title": "Own"}, {"name": "default", "title": "All metrics"}
        ]);
        assert_eq!(world.get("/api/dashboards").await, (StatusCode::OK, names));
        let panel = json!({"id": "p-q", "title": "P q", "targets": ["x.y"], "unit": ""});
        let board = json!({"title": "A", "panel": [panel]});
        assert_eq!(world.get("/api/dashboards/a%20b").await, (StatusCode::OK, board));
    }

    #[tokio::test]
    async fn a_change_is_saved_over_what_was_read_and_refused_over_anything_else() {
        let world = World::with_files(&[("a.toml", "# mine\ntitle = \"A\"\n")]);
        let put = async |condition: Option<(&str, &str)>, body: Value| {
            let mut request = Request::put("/api/dashboards/a").header("host", "127.0.0.1");
            if let Some((name, value)) = condition {
                request = request.header(name, value);
            }
            let request = request.body(Body::from(body.to_string())).unwrap();
            router(world.state.clone()).oneshot(request).await.unwrap()
        };
        let read = Request::get("/api/dashboards/a").header("host", "127.0.0.1").body(Body::empty()).unwrap();
        let read = router(world.state.clone()).oneshot(read).await.unwrap();
        let tag = read.headers()["etag"].to_str().unwrap().to_owned();
        let panel = json!({"title": "P", "targets": ["x"]});
        let wanted = json!({"title": "B", "panel": [panel]});
        let saved = put(Some(("if-match", &tag)), wanted.clone()).await;
        assert_eq!(saved.status(), StatusCode::OK);
        assert_ne!(saved.headers()["etag"].to_str().unwrap(), tag);
        let board = json!({"title": "B", "panel": [{"id": "p", "title": "P", "targets": ["x"], "unit": ""}]});
        assert_eq!(world.get("/api/dashboards/a").await, (StatusCode::OK, board));
        for (condition, body, status) in [
            (Some(("if-match", tag.as_str())), wanted.clone(), StatusCode::PRECONDITION_FAILED),
            (Some(("if-none-match", "*")), wanted.clone(), StatusCode::PRECONDITION_FAILED),
            (None, wanted, StatusCode::PRECONDITION_REQUIRED),
            (
                Some(("if-match", "\"x\"")),
                json!({"title": "T", "panel": [{"title": "P", "targets": ["sum(a"]}]}),
                StatusCode::BAD_REQUEST,
            ),
            (Some(("if-match", "\"x\"")), json!({"title": 3}), StatusCode::BAD_REQUEST),
        ] {
            assert_eq!(put(condition, body).await.status(), status, "{condition:?}");
        }
    }

    #[tokio::test]
    async fn a_function_that_is_not_there_is_told_and_not_saved() {
        let world = World::with_files(&[]);
        let body = json!({"title": "T", "panel": [{"title": "P", "targets": ["a", "movingAvrage(a, 5)"]}]});
        let request = Request::put("/api/dashboards/a").header("host", "127.0.0.1");
        let request = request.header("if-none-match", "*").body(Body::from(body.to_string())).unwrap();
        let response = router(world.state.clone()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let problem: Value =
            serde_json::from_slice(&to_bytes(response.into_body(), 1 << 16).await.unwrap()).unwrap();
        assert_eq!(problem["detail"], "there is no function `movingAvrage`; did you mean `movingAverage`?");
        assert_eq!(world.get("/api/dashboards/a").await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn dashboards_are_copied_deleted_and_brought_back() {
        let world = World::with_files(&[("a.toml", "# mine\ntitle = \"A\"\n")]);
        let ask = async |method: &str, path: &str, condition: Option<(&str, &str)>| {
            let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1");
            if let Some((name, value)) = condition {
                request = request.header(name, value);
            }
            let request = request.body(Body::from(json!({"title": "B", "panel": []}).to_string())).unwrap();
            router(world.state.clone()).oneshot(request).await.unwrap().status()
        };
        let new = Some(("if-none-match", "*"));
        let (a, copy) = ("/api/dashboards/a", "/api/dashboards/b?copy_of=a");
        assert_eq!(ask("PUT", copy, new).await, StatusCode::OK);
        assert_eq!(ask("PUT", copy, new).await, StatusCode::PRECONDITION_FAILED);
        let text = std::fs::read_to_string(world.dir.path().join("boards/b.toml")).unwrap();
        assert_eq!(text, "# mine\ntitle = \"B\"\n");
        assert_eq!(ask("DELETE", a, None).await, StatusCode::PRECONDITION_REQUIRED);
        assert_eq!(ask("DELETE", a, Some(("if-match", "\"x\""))).await, StatusCode::PRECONDITION_FAILED);
        assert_eq!(ask("DELETE", a, Some(("if-match", "*"))).await, StatusCode::NO_CONTENT);
        assert_eq!(world.get(a).await.0, StatusCode::NOT_FOUND);
        assert_eq!(ask("POST", "/api/dashboards/a/restore", None).await, StatusCode::NO_CONTENT);
        assert_eq!(ask("POST", "/api/dashboards/a/restore", None).await, StatusCode::NOT_FOUND);
        assert_eq!(world.get(a).await.1["title"], "A");
        assert_eq!(ask("DELETE", "/api/dashboards/own", Some(("if-match", "*"))).await, StatusCode::CONFLICT);
        let foreign = Request::delete(a).header("host", "127.0.0.1").header("origin", "http://evil.example");
        let foreign = foreign.header("if-match", "*").body(Body::empty()).unwrap();
        let refused = router(world.state.clone()).oneshot(foreign).await.unwrap().status();
        assert_eq!(refused, StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn rules_of_links_are_added_and_told_with_the_page() {
        let world = World::with_files(&[]);
        let post = async |body: Value| {
            let request = Request::post("/api/links").header("host", "127.0.0.1");
            let request = request.body(Body::from(body.to_string())).unwrap();
            router(world.state.clone()).oneshot(request).await.unwrap().status()
        };
        let rule = json!({"metric": "stats.git.*", "component": "shop.git"});
        assert_eq!(post(rule.clone()).await, StatusCode::OK);
        assert_eq!(post(json!({"metric": "a", "component": "b..c"})).await, StatusCode::BAD_REQUEST);
        assert_eq!(world.get("/api/links").await, (StatusCode::OK, json!([rule])));
        assert_eq!(world.get("/api/page").await.1["links"], json!([rule]));
    }

    #[tokio::test]
    async fn a_name_that_is_not_there_is_told_with_those_that_are() {
        let world = World::with_files(&[("bad.toml", "title = 3")]);
        for path in ["/api/dashboards/nope", "/api/dashboards/..%2Fdata", "/api/dashboards/..%2Fboards%2Fbad"]
        {
            let (status, problem) = world.get(path).await;
            assert_eq!(status, StatusCode::NOT_FOUND);
            assert!(
                problem["detail"].as_str().unwrap().ends_with("there are own, default, bad"),
                "{problem}"
            );
        }
        let (status, problem) = world.get("/api/dashboards/bad").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(problem["detail"].as_str().unwrap().contains("line 1"), "{problem}");
    }

    #[tokio::test]
    async fn the_default_shows_the_metrics_of_the_last_day() {
        let world = World::with_files(&[]);
        assert_eq!(world.get("/api/dashboards/default").await.1["panel"], json!([]));
        let mut points = PointBatch::default();
        points.push("old.gone", 1_740_000_000, 1.0);
        for path in ["well.pump.bar", "depth", "well.pump", "well.pump.valve.two;side=a.b"] {
            points.push(path, 1_740_711_600, 1.0);
        }
        world.state.store.append_points(points, Durability::Acknowledged).await.unwrap();
        let board = world.get("/api/dashboards/default").await.1;
        let targets: Vec<_> =
            board["panel"].as_array().unwrap().iter().map(|panel| &panel["targets"]).collect();
        let expected = [
            json!(["depth"]),
            json!(["well.pump"]),
            json!(["well.pump.bar"]),
            json!(["well.pump.valve.two;side=a.b"]),
        ];
        assert_eq!(targets, expected.iter().collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn figures_of_its_own_hide_no_older_metrics_and_are_no_data_to_begin_with() {
        let world = World::with_files(&[]);
        let mut own = PointBatch::default();
        own.push("sonde.a", 1_767_000_000, 1.0);
        own.push("sonde.z.z", 1_767_000_000, 1.0);
        world.state.store.append_points(own, Durability::Acknowledged).await.unwrap();
        assert_eq!(world.get("/api/page").await.1["last_point_ms"], Value::Null);
        let mut points = PointBatch::default();
        points.push("sondes.b", 1_740_711_600, 1.0);
        world.state.store.append_points(points, Durability::Acknowledged).await.unwrap();
        assert_eq!(world.get("/api/page").await.1["last_point_ms"], 1_740_711_600_000_i64);
        let board = world.get("/api/dashboards/default").await.1;
        assert_eq!(board["panel"][0]["targets"], json!(["sondes.b"]));
    }

    #[tokio::test]
    async fn the_page_learns_what_there_is_and_how_fresh() {
        let world = World::with_files(&[]);
        let (_, page) = world.get("/api/page").await;
        assert_eq!((&page["last_line_ms"], &page["last_point_ms"]), (&Value::Null, &Value::Null));
        assert_eq!(page["dashboards"][0]["name"], "own");
        assert!(page["now_ms"].as_i64().unwrap() > 1_700_000_000_000);
        let mut points = PointBatch::default();
        points.push("a.b", 1_740_711_600, 1.0);
        world.state.store.append_points(points, Durability::Acknowledged).await.unwrap();
        let mut lines = LineBatch::default();
        lines.push_line(br#"{"ts":1740711700,"component":"a","msg":"m"}"#).unwrap();
        world.state.store.append_lines(lines, Durability::Acknowledged).await.unwrap();
        let (_, page) = world.get("/api/page").await;
        assert_eq!(page["last_line_ms"], 1_740_711_700_000_i64);
        assert_eq!(page["last_point_ms"], 1_740_711_600_000_i64);
    }
}

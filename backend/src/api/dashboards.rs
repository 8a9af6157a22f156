//! `/api/dashboards`: the list, and each by its name.

use super::ApiError;
use super::params::clip;
use crate::dashboards::{DEFAULT_NAME, Dashboards, from_metrics};
use crate::state::AppState;
use crate::store::Store;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use sonde_shared::api::DashboardName;
use sonde_shared::dashboard::Dashboard;
use sonde_shared::glob::Glob;
use sonde_shared::time::{NANOS_PER_DAY, TimeRange};
use tokio::task::{JoinError, spawn_blocking};

/// Answers names and titles, the one to open first first.
pub async fn list_dashboards(State(state): State<AppState>) -> Result<Json<Vec<DashboardName>>, ApiError> {
    let dashboards = state.dashboards;
    spawn_blocking(move || dashboards.list()).await.map(Json).map_err(|error| died(&error))
}

/// Answers a dashboard: 404 with the names there are when there is no such one, 422 when its file is broken.
pub async fn get_dashboard(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<Json<Dashboard>, ApiError> {
    let find = move || find(&state.dashboards, &state.store, &name);
    spawn_blocking(find).await.map_err(|error| died(&error))?.map(Json)
}

fn find(dashboards: &Dashboards, store: &Store, name: &str) -> Result<Dashboard, ApiError> {
    match dashboards.get(name) {
        Some(read) => read.map_err(|why| {
            // What is wrong may be a drawing of several lines that points at a place.
            let detail = format!("the dashboard `{}` cannot be read:\n{why}", clip(name));
            ApiError::refused(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }),
        None if name == DEFAULT_NAME => Ok(from_metrics(recent_names(store)?)),
        None => Err(no_such(name, &dashboards.list())),
    }
}

/// The metrics of the day up to the latest point: what no longer reports makes no panel, and old days stay closed.
fn recent_names(store: &Store) -> Result<Vec<String>, ApiError> {
    let Some(last) = store.metrics().last_point() else { return Ok(Vec::new()) };
    let recent = TimeRange { from: last.plus_nanos(-NANOS_PER_DAY), until: last.plus_nanos(1) };
    let (mut names, mut pattern) = (Vec::new(), "*".to_owned());
    // Node by node, as the lists of names are made for.
    loop {
        let glob = Glob::parse(&pattern).expect("stars are a pattern");
        let found = store.metrics().find(recent, &glob)?;
        let go_deeper = found.iter().any(|one| one.has_children);
        names.extend(found.into_iter().filter(|one| one.is_series).map(|one| one.path));
        if !go_deeper {
            return Ok(names);
        }
        pattern += ".*";
    }
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
        _dir: tempfile::TempDir,
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
            Self { _dir: dir, state }
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

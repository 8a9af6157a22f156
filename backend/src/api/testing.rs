//! A store in a temporary folder and the routes over it, for tests of handlers.

use crate::config::Config;
use crate::dashboards::Dashboards;
use crate::query::storage_rules::StorageRules;
use crate::router::router;
use crate::state::AppState;
use crate::store::Store;
use crate::store::batch::{Durability, PointBatch};
use crate::store::file_view::Reading;
use crate::store::retention::Limits;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use serde_json::Value;
use sonde_shared::time::NANOS_PER_DAY;
use std::path::Path;
use tokio::sync::watch;
use tower::ServiceExt;

/// A state over a folder, of a server that never stops.
pub(super) fn open_state(data: &Path, dashboards: Dashboards) -> AppState {
    let (_, stop) = watch::channel(false);
    let config = Config { data: data.to_owned(), ..Config::default() };
    AppState::new(Store::open(data).unwrap(), config, dashboards, stop).unwrap()
}

/// A state and the folder that it lives in.
pub(super) struct World {
    _dir: tempfile::TempDir,
    state: AppState,
    /// Without it the server counts as about to stop, and nothing is followed.
    keeps_going: Option<watch::Sender<bool>>,
}

impl World {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = open_state(&dir.path().join("data"), Dashboards::open(None, &[]).unwrap());
        Self { _dir: dir, state, keeps_going: None }
    }

    /// One that counts as running until it is stopped.
    pub(super) fn running() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (keeps_going, stop) = watch::channel(false);
        let store = Store::open(&dir.path().join("data")).unwrap();
        let state =
            AppState::new(store, Config::default(), Dashboards::open(None, &[]).unwrap(), stop).unwrap();
        Self { _dir: dir, state, keeps_going: Some(keeps_going) }
    }

    /// Stops it.
    pub(super) fn stop(&mut self) {
        self.keeps_going = None;
    }

    /// One that keeps days for so long only, once it is asked to delete what is older.
    pub(super) fn keeping(days: i64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { age_nanos: Some(days * NANOS_PER_DAY), bytes: None };
        let store = Store::open(&dir.path().join("data")).unwrap().with_limits(limits);
        let (keeps_going, stop) = watch::channel(false);
        let state =
            AppState::new(store, Config::default(), Dashboards::open(None, &[]).unwrap(), stop).unwrap();
        Self { _dir: dir, state, keeps_going: Some(keeps_going) }
    }

    /// One over a folder that is there, as a server opens it; nothing is indexed in the background yet.
    pub(super) fn serving(dir: tempfile::TempDir) -> Self {
        let store = Store::serve(&dir.path().join("data"), false, Reading::Mapped).unwrap();
        store.logs().hold_indexing(true);
        let (keeps_going, stop) = watch::channel(false);
        let state =
            AppState::new(store, Config::default(), Dashboards::open(None, &[]).unwrap(), stop).unwrap();
        Self { _dir: dir, state, keeps_going: Some(keeps_going) }
    }

    /// The same, with what `storage-schemas.conf` and `storage-aggregation.conf` say.
    pub(super) fn with_rules(self, schemas: &str, aggregations: &str) -> Self {
        let mut rules = StorageRules::default();
        rules.add_schemas(schemas).unwrap();
        rules.add_aggregations(aggregations).unwrap();
        Self { state: self.state.with_rules(rules), ..self }
    }

    /// What handlers share.
    pub(super) fn state(&self) -> AppState {
        self.state.clone()
    }

    /// What it stores in.
    pub(super) fn store(&self) -> &Store {
        &self.state.store
    }

    /// Stores points: name, unix seconds, value.
    pub(super) async fn append(&self, rows: &[(&str, i64, f64)]) {
        let mut batch = PointBatch::default();
        for (name, time, value) in rows {
            batch.push(name, *time, *value);
        }
        self.state.store.append_points(batch, Durability::Acknowledged).await.unwrap();
    }

    /// The answer to a request.
    pub(super) async fn send(&self, method: Method, path: &str, body: &str) -> Response {
        let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1");
        let request = request.body(Body::from(body.to_owned())).unwrap();
        router(self.state.clone()).oneshot(request).await.unwrap()
    }

    /// Headers and body of an answer.
    pub(super) async fn headers(&self, path: &str) -> (HeaderMap, Vec<u8>) {
        let (parts, body) = self.send(Method::GET, path, "").await.into_parts();
        (parts.headers, to_bytes(body, 1 << 24).await.unwrap().to_vec())
    }

    /// Status and body of a request; one with a body is a POST.
    pub(super) async fn ask(&self, path: &str, body: Option<&str>) -> (StatusCode, Vec<u8>) {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let response = self.send(method, path, body.unwrap_or_default()).await;
        let status = response.status();
        (status, to_bytes(response.into_body(), 1 << 24).await.unwrap().to_vec())
    }

    pub(super) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, body) = self.ask(path, None).await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> (StatusCode, Value) {
        let (status, body) = self.ask(path, Some(body)).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// The `parameter` and `detail` of a refusal.
    #[track_caller]
    pub(super) fn refusal((status, problem): (StatusCode, Value)) -> (String, String) {
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        assert!(!text("example").is_empty(), "{problem}");
        (text("parameter"), text("detail"))
    }
}

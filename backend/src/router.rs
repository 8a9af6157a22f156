//! The one table of routes.

use crate::api::health::health;
use crate::api::ingest::{post_logs, post_metrics};
use crate::state::AppState;
use axum::Router;
use axum::routing::{get, post};

/// All routes over a state.
pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/api/ingest/logs", post(post_logs))
        .route("/api/ingest/metrics", post(post_metrics))
        .with_state(state)
}

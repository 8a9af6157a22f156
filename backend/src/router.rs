//! The one table of routes.

use crate::api::assets::serve_page;
use crate::api::guard::{AllowedHosts, guard};
use crate::api::health::health;
use crate::api::ingest::{post_logs, post_metrics};
use crate::state::AppState;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

/// All routes over a state.
pub fn router(state: AppState) -> Router {
    let allowed_hosts = AllowedHosts::new(&state.config.allowed_hosts);
    Router::new()
        .route("/health", get(health))
        .route("/api/ingest/logs", post(post_logs))
        .route("/api/ingest/metrics", post(post_metrics))
        .fallback(serve_page)
        .layer(from_fn_with_state(allowed_hosts, guard))
        .with_state(state)
}

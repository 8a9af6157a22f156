//! The one table of routes.

use crate::api::health::health;
use crate::state::AppState;
use axum::Router;
use axum::routing::get;

/// All routes over a state.
pub fn router(state: AppState) -> Router {
    Router::new().route("/health", get(health)).with_state(state)
}

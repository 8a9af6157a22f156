//! `/api/page`: what the page asks first.

use super::ApiError;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use sonde_shared::api::PageInfo;
use sonde_shared::time::Timestamp;
use tokio::task::spawn_blocking;

/// Answers the version, the clock, the dashboards and how fresh the data is.
pub async fn page_info(State(state): State<AppState>) -> Result<Json<PageInfo>, ApiError> {
    let gathered = spawn_blocking(move || gather(&state)).await;
    gathered.map_err(|error| ApiError::Internal(format!("gathering failed: {error}")))?.map(Json)
}

fn gather(state: &AppState) -> Result<PageInfo, ApiError> {
    Ok(PageInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now_ms: AppState::now().as_millis(),
        dashboards: state.dashboards.list(),
        last_line_ms: state.store.logs().last_time()?.map(Timestamp::as_millis),
        last_point_ms: state.store.metrics().last_point()?.map(Timestamp::as_millis),
        // A broken file is told where rules are asked for; the page can do without.
        links: state.links.read().unwrap_or_default(),
        carbon_port: state.config.carbon.0.map(|address| address.port()),
        syslog_port: state.config.syslog.0.map(|address| address.port()),
    })
}

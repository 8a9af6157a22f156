//! `/api/links`: the rules that say whose lines belong to which metrics.

use super::ApiError;
use super::pieces::blocking;
use crate::links::LinksError;
use crate::state::AppState;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use sonde_shared::links::LinkRule;

/// Answers the rules that say whose lines belong to which metrics.
pub async fn list_links(State(state): State<AppState>) -> Result<Json<Vec<LinkRule>>, ApiError> {
    blocking(move || state.links.read().map(Json).map_err(|error| refusal(&error))).await
}

/// Adds a rule and answers all of them.
pub async fn post_link(State(state): State<AppState>, body: Bytes) -> Result<Json<Vec<LinkRule>>, ApiError> {
    let rule: LinkRule = serde_json::from_slice(&body)
        .map_err(|error| ApiError::parameter("body", format!("this is no rule: {error}"), EXAMPLE))?;
    blocking(move || state.links.add(&rule).map(Json).map_err(|error| refusal(&error))).await
}

const EXAMPLE: &str = r#"{"metric":"stats.timers.git.*","component":"shop.git"}"#;

fn refusal(error: &LinksError) -> ApiError {
    match error {
        LinksError::Wrong(why) => ApiError::parameter("body", why.clone(), EXAMPLE),
        LinksError::Io { .. } => ApiError::refused(StatusCode::FORBIDDEN, error.to_string()),
    }
}

//! `/health`: the server is up.

/// Answers `ok` as soon as the server listens.
pub async fn health() -> &'static str {
    "ok\n"
}

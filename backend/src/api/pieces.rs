//! Answers made piece by piece on threads that may read files, one piece when the reader has taken the one before.

use super::ApiError;
use crate::query::render::Pieces;
use axum::body::Body;
use futures::stream;
use tokio::task::spawn_blocking;

/// Runs work that may read files.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(ApiError::Internal(error.to_string())))
}

/// A body of pieces. A failure before the first piece is an error answer; a later one cuts the body off, so that it cannot
/// pass for a whole one.
pub(super) async fn body<P: Pieces>(
    begin: impl FnOnce() -> Result<P, ApiError> + Send + 'static,
) -> Result<Body, ApiError> {
    let first = move || {
        let mut pieces = begin()?;
        let first = pieces.next_piece()?.unwrap_or_default();
        Ok((first, pieces))
    };
    let (first, pieces) = blocking(first).await?;
    Ok(Body::from_stream(stream::try_unfold((Some(first), pieces), next)))
}

async fn next<P: Pieces>(
    (first, mut pieces): (Option<Vec<u8>>, P),
) -> Result<Option<(Vec<u8>, (Option<Vec<u8>>, P))>, ApiError> {
    if let Some(first) = first {
        return Ok(Some((first, (None, pieces))));
    }
    let (piece, pieces) =
        blocking(move || Ok((pieces.next_piece()?, pieces))).await.inspect_err(|error| {
            tracing::error!(error = error as &dyn std::error::Error, "an answer is cut off");
        })?;
    Ok(piece.map(|piece| (piece, (None, pieces))))
}

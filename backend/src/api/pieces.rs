//! Answers made piece by piece on threads that may read files, one piece when the reader has taken the one before.

use super::ApiError;
use crate::query::render::Pieces;
use crate::query::threads::QueryThreads;
use axum::body::Body;
use futures::stream;
use tokio::task::spawn_blocking;

/// Runs work that may wait for files and is no query.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(ApiError::Internal(error.to_string())))
}

/// Runs a query that is one step.
pub(super) async fn query<T: Send + 'static>(
    queries: &QueryThreads,
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    queries.run(work).await?
}

/// A body of pieces. A failure before the first piece is an error answer; a later one cuts the body off, so that it cannot
/// pass for a whole one.
pub(super) async fn body<P: Pieces>(
    queries: QueryThreads,
    begin: impl FnOnce() -> Result<P, ApiError> + Send + 'static,
) -> Result<Body, ApiError> {
    let first = move || {
        let mut pieces = begin()?;
        let first = pieces.next_piece()?.unwrap_or_default();
        Ok((first, pieces))
    };
    let (first, pieces) = query(&queries, first).await?;
    let rest = Rest { first: Some(first), pieces, queries };
    Ok(Body::from_stream(stream::try_unfold(rest, Rest::next)))
}

struct Rest<P> {
    /// The first piece, made already.
    first: Option<Vec<u8>>,
    pieces: P,
    queries: QueryThreads,
}

impl<P: Pieces> Rest<P> {
    async fn next(self) -> Result<Option<(Vec<u8>, Self)>, ApiError> {
        let Self { first, mut pieces, queries } = self;
        if let Some(first) = first {
            return Ok(Some((first, Self { first: None, pieces, queries })));
        }
        let made = query(&queries, move || Ok((pieces.next_piece()?, pieces))).await;
        let (piece, pieces) = made.inspect_err(|error| {
            tracing::error!(error = error as &dyn std::error::Error, "an answer is cut off");
        })?;
        Ok(piece.map(|piece| (piece, Self { first: None, pieces, queries })))
    }
}

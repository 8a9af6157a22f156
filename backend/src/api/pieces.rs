//! Answers that a thread writes piece by piece, so that reading files never holds up the async threads.

use super::ApiError;
use crate::store::StoreError;
use axum::body::{Body, Bytes};
use futures::stream;
use std::ops::ControlFlow;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// Pieces written ahead of a slow reader.
const PIECES_AHEAD: usize = 4;

/// Runs work that may read files.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(ApiError::Internal(error.to_string())))
}

/// A body written by a function on a thread that may block. A failure before the first piece is an error answer; a
/// later one cuts the body off, so that it cannot pass for a whole one. Writing ends when the reader is gone.
pub(super) async fn body(
    write: impl FnOnce(&mut dyn FnMut(Vec<u8>) -> ControlFlow<()>) -> Result<(), StoreError> + Send + 'static,
) -> Result<Body, ApiError> {
    let (sender, mut pieces) = mpsc::channel::<Result<Bytes, StoreError>>(PIECES_AHEAD);
    spawn_blocking(move || {
        let mut emit = |piece: Vec<u8>| match sender.blocking_send(Ok(piece.into())) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_gone) => ControlFlow::Break(()),
        };
        if let Err(error) = write(&mut emit) {
            tracing::error!(error = &error as &dyn std::error::Error, "an answer failed");
            // Whoever is gone needs no error.
            drop(sender.blocking_send(Err(error)));
        }
    });
    let first = match pieces.recv().await {
        Some(Err(error)) => return Err(error.into()),
        Some(Ok(first)) => first,
        None => return Err(ApiError::Internal("an answer was never written".to_owned())),
    };
    let rest =
        |mut pieces: mpsc::Receiver<_>| async move { pieces.recv().await.map(|piece| (piece, pieces)) };
    let rest = stream::unfold(pieces, rest);
    Ok(Body::from_stream(futures::StreamExt::chain(stream::iter([Ok(first)]), rest)))
}

//! The body of a line answer: one buffer at a time, made when the client has taken the one before.
//!
//! A client that stops reading holds a cursor and a buffer, and no thread. A stream that fails half-way is cut off, so that
//! an incomplete answer cannot pass for a whole one.

use super::logs::LINES_HEADER;
use crate::query::budget::Budget;
use crate::query::logs::{Cursor, LineCount, LineStream, Reached, StreamOptions};
use crate::state::AppState;
use crate::store::StoreError;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue};
use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use sonde_shared::view::Order;
use std::time::Duration;
use tokio::sync::watch;

/// The size of the buffers after the first.
const BUFFER_BYTES: usize = 256 << 10;
/// New lines are gathered for so long before they are sent on.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(25);

type BodyError = Box<dyn std::error::Error + Send + Sync>;
type NextFrame = Result<Option<(Frame<Bytes>, Sender)>, BodyError>;

struct Sender {
    state: AppState,
    stream: LineStream,
    stage: Stage,
    follow: Option<watch::Receiver<u64>>,
}

enum Stage {
    /// The first buffer, filled already.
    First(Vec<u8>, Reached),
    Lines,
    Trailer,
    Following,
    Done,
}

/// A body that begins with `first` and goes on with what the stream gives; with `follow` it goes on until the server
/// stops.
pub(super) fn body(
    state: AppState,
    stream: LineStream,
    first: Vec<u8>,
    reached: Reached,
    follow: Option<watch::Receiver<u64>>,
) -> Body {
    let sender = Sender { state, stream, stage: Stage::First(first, reached), follow };
    Body::new(StreamBody::new(stream::try_unfold(sender, Sender::next)))
}

impl Sender {
    async fn next(mut self) -> NextFrame {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Done) {
                Stage::First(buffer, reached) => {
                    self.stage = self.after(reached);
                    if !buffer.is_empty() {
                        return Ok(Some((Frame::data(buffer.into()), self)));
                    }
                }
                Stage::Lines => {
                    let (buffer, reached) = self.fill().await?;
                    self.stage = self.after(reached);
                    if !buffer.is_empty() {
                        return Ok(Some((Frame::data(buffer.into()), self)));
                    }
                }
                Stage::Trailer => {
                    if let Some(trailer) = self.count_lines().await? {
                        return Ok(Some((Frame::trailers(trailer), self)));
                    }
                }
                Stage::Following => {
                    if !self.wait_for_more().await? {
                        return Ok(None);
                    }
                    self.stage = Stage::Lines;
                }
                Stage::Done => return Ok(None),
            }
        }
    }

    fn after(&self, reached: Reached) -> Stage {
        match reached {
            Reached::Pause => Stage::Lines,
            Reached::End if self.follow.is_some() && !self.stream.is_limited() => Stage::Following,
            Reached::End => Stage::Trailer,
            // What failed was told before; nothing can follow it.
            Reached::Failed => Stage::Done,
        }
    }

    async fn fill(&mut self) -> Result<(Vec<u8>, Reached), BodyError> {
        self.on_query_thread(|state, stream| {
            let mut buffer = Vec::with_capacity(BUFFER_BYTES + 16_384);
            let counters = state.store.logs().counters();
            let reached = stream.fill(&mut buffer, BUFFER_BYTES, &mut Budget::STEP.clone(), counters);
            stream.take_failure().map_or(Ok((buffer, reached)), Err)
        })
        .await
    }

    /// The number of matches: what was sent, or the columns' count where a limit ended the stream. A limited search of texts
    /// does not know it.
    async fn count_lines(&mut self) -> Result<Option<HeaderMap>, BodyError> {
        let lines = if self.stream.is_limited() {
            let cursor = self.stream.cursor();
            let Some(count) = LineCount::new(cursor.snapshot(), cursor.filter()) else { return Ok(None) };
            self.stream.before() + self.state.queries.run_steps(count, LineCount::step).await?.lines()
        } else {
            self.stream.matched()
        };
        let name = LINES_HEADER.parse().expect("a header's name");
        Ok(Some(HeaderMap::from_iter([(name, HeaderValue::from(lines))])))
    }

    /// Waits for a commit and takes up what it brought; `false` when the server stops.
    async fn wait_for_more(&mut self) -> Result<bool, BodyError> {
        let Some(commits) = &mut self.follow else { return Ok(false) };
        let stop = &mut self.state.stop;
        tokio::select! {
            biased;
            // An error means that the sender is gone, which is a stop too.
            _stopped = stop.wait_for(|stop| *stop) => return Ok(false),
            changed = commits.changed() => if changed.is_err() { return Ok(false) },
        }
        tokio::time::sleep(FOLLOW_INTERVAL).await;
        commits.borrow_and_update();
        self.on_query_thread(|state, stream| {
            let cursor = stream.cursor();
            let snapshot = state.store.logs().snapshot(cursor.filter().range)?;
            let beyond = Cursor::beyond(cursor.snapshot(), snapshot, cursor.filter().clone());
            stream.go_on_with(beyond);
            Ok(true)
        })
        .await
    }

    /// Runs work that may wait for a page of a file. The stream comes back with the result.
    async fn on_query_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&AppState, &mut LineStream) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, BodyError> {
        let state = self.state.clone();
        let placeholder = LineStream::new(Cursor::empty(Order::Ascending), StreamOptions::default());
        let mut stream = std::mem::replace(&mut self.stream, placeholder);
        let work = move || {
            let result = work(&state, &mut stream);
            (result, stream)
        };
        let (result, stream) = self.state.queries.run(work).await?;
        self.stream = stream;
        Ok(result?)
    }
}

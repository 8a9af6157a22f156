//! The body of a line answer: one buffer at a time, made when the client has taken the one before.
//!
//! A client that stops reading holds a cursor and a buffer, and no thread. A stream that fails half-way is cut off, so that
//! an incomplete answer cannot pass for a whole one. Who follows, and reads so late that lines were deleted before they were
//! sent, is told so in their place.

use super::gap;
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
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;

/// The size of the buffers after the first.
const BUFFER_BYTES: usize = 192 << 10;
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
    /// What is to be sent before the lines that have come.
    Notice(Vec<u8>),
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
                    let Some(notice) = self.wait_for_more().await? else { return Ok(None) };
                    self.stage = notice.map_or(Stage::Lines, Stage::Notice);
                }
                Stage::Notice(line) => {
                    self.stage = Stage::Lines;
                    return Ok(Some((Frame::data(line.into()), self)));
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

    /// Waits for a commit and takes up what it brought, with a notice if lines have come and gone meanwhile; `None` when the
    /// server stops.
    async fn wait_for_more(&mut self) -> Result<Option<Option<Vec<u8>>>, BodyError> {
        let Some(commits) = &mut self.follow else { return Ok(None) };
        let stop = &mut self.state.stop;
        tokio::select! {
            biased;
            // An error means that the sender is gone, which is a stop too.
            _stopped = stop.wait_for(|stop| *stop) => return Ok(None),
            changed = commits.changed() => if changed.is_err() { return Ok(None) },
        }
        tokio::time::sleep(FOLLOW_INTERVAL).await;
        commits.borrow_and_update();
        self.on_query_thread(|state, stream| {
            let (cursor, logs) = (stream.cursor(), state.store.logs());
            let snapshot = logs.snapshot(cursor.filter().range)?;
            let notice = gap::notice(logs.missed_between(cursor.snapshot(), &snapshot), cursor.filter());
            logs.counters().follow_gaps.fetch_add(u64::from(notice.is_some()), Ordering::Relaxed);
            let beyond = Cursor::beyond(cursor.snapshot(), snapshot, cursor.filter().clone());
            stream.go_on_with(beyond);
            Ok(Some(notice))
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

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::store::batch::{Durability, LineBatch};
    use axum::http::Method;
    use http_body_util::BodyExt;
    use sonde_shared::time::{Day, NANOS_PER_DAY};

    const TODAY: Day = Day::from_number(20_000);
    const OLD: Day = Day::from_number(19_990);

    /// Stores a line a number.
    async fn store(world: &World, day: Day, component: &str, numbers: std::ops::Range<u32>) -> String {
        let mut batch = LineBatch::default();
        for number in numbers {
            let line = format!(r#"{{"ts":"{}","component":"{component}","msg":"{number}"}}"#, day.start());
            batch.push_line(line.as_bytes()).unwrap();
        }
        let text = String::from_utf8(batch.text.clone()).unwrap();
        world.store().append_lines(batch, Durability::Acknowledged).await.unwrap();
        text
    }

    async fn follow(world: &World, query: &str) -> Body {
        let answer = world.send(Method::GET, &format!("/api/logs?follow=true{query}"), "").await;
        answer.into_body()
    }

    /// So many bytes of what comes, in whole pieces.
    async fn read(body: &mut Body, bytes: usize) -> String {
        let mut text = String::new();
        while text.len() < bytes {
            let frame = tokio::time::timeout(Duration::from_secs(30), body.frame()).await.expect("it comes");
            text.push_str(std::str::from_utf8(&frame.unwrap().unwrap().into_data().unwrap()).unwrap());
        }
        text
    }

    fn delete_old(world: &World) {
        let now = TODAY.start().plus_nanos(NANOS_PER_DAY / 2);
        tokio::task::block_in_place(|| world.store().delete_surplus(now, &|| false));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_follows_is_told_of_lines_that_were_deleted_before_they_were_sent() {
        let world = World::keeping(3);
        let first = store(&world, OLD, "shop", 0..3).await;
        let mut late = follow(&world, "").await;
        let mut enveloped = follow(&world, "&envelope=1&component=shop").await;
        let mut elsewhere = follow(&world, "&component=db").await;
        let mut later = follow(&world, &format!("&from={}", TODAY.start())).await;
        let mut prompt = follow(&world, "").await;
        assert_eq!(read(&mut late, first.len()).await, first);
        assert_eq!(read(&mut prompt, first.len()).await, first);
        assert_eq!(read(&mut enveloped, first.len()).await.lines().count(), 3);
        let second = store(&world, OLD, "shop", 3..5).await;
        assert_eq!(read(&mut prompt, second.len()).await, second);
        delete_old(&world);
        let third = [store(&world, TODAY, "shop", 5..6).await, store(&world, TODAY, "db", 6..7).await];
        let notice = format!(
            "{{\"sonde_gap\":{{\"from\":\"{}\",\"until\":\"{}\",\"lines_at_most\":2,\"why\":\"they were deleted before they were sent\"}}}}\n",
            OLD.start(),
            OLD.start().plus_nanos(1)
        );
        let all = third.concat();
        assert_eq!(read(&mut late, notice.len() + all.len()).await, notice.clone() + &all);
        assert!(read(&mut enveloped, notice.len() + 1).await.starts_with(&notice));
        assert_eq!(read(&mut prompt, all.len()).await, all, "nothing was missed");
        assert_eq!(read(&mut later, all.len()).await, all, "what went is not of its range");
        assert_eq!(read(&mut elsewhere, third[1].len()).await, third[1], "nor of its components");
        assert_eq!(world.store().logs().counters().follow_gaps.load(Ordering::Relaxed), 2);
        // It is told once.
        let fourth = store(&world, TODAY, "shop", 7..8).await;
        assert_eq!(read(&mut late, fourth.len()).await, fourth);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_follower_has_begun_to_read_it_gets_whole_although_it_was_deleted() {
        let world = World::keeping(3);
        let first = store(&world, OLD, "shop", 0..20_000).await;
        let mut body = follow(&world, "").await;
        let beginning = read(&mut body, 1).await;
        assert!(beginning.len() < first.len());
        delete_old(&world);
        let more = store(&world, TODAY, "shop", 0..1).await;
        let all = first + &more;
        assert!(beginning.clone() + &read(&mut body, all.len() - beginning.len()).await == all);
    }
}

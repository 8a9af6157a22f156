//! `POST /api/ingest/logs` and `/api/ingest/metrics`: a body of lines goes to disk while it arrives.
//!
//! The body is decoded, cut and parsed chunk by chunk and committed in batches, so that its length costs no memory.
//! While one batch is being synced the next one is read. What was committed stays when the body breaks off later.

use super::ApiError;
use super::resend::{Turn, other_body, read_key};
use crate::ingest::Clock;
use crate::ingest::carbon::Plaintext;
use crate::ingest::counters::Protocol;
use crate::ingest::decode::{Decoder, ENCODINGS};
use crate::ingest::intake::{Intake, LineParser};
use crate::ingest::ndjson::Ndjson;
use crate::ingest::threads::IngestThreads;
use crate::state::AppState;
use crate::store::StoreError;
use crate::store::batch::{Durability, LineBatch};
use crate::store::source::Source;
use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use sonde_shared::api::IngestReport;
use std::io;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A batch goes to the store when it has about this size,
const BATCH_BYTES: usize = 1 << 20;
/// or a smaller one, where so many long bodies come at once that all their batches would be larger than this together: a body has
/// its batch in hand, the rows of it, and the batch before, which is being written.
const ALL_BATCHES_BYTES: usize = 16 << 20;
const LEAST_BATCH_BYTES: usize = 64 << 10;
/// Bodies of this size are read where they arrive.
const SHORT_BYTES: u64 = 64 << 10;
/// A body that trickles is committed after this much silence.
const SILENCE: Duration = Duration::from_secs(1);
/// Of a body that is refused so much is read on, and for so long: a sender that is still sending when the connection
/// closes may never see why.
const REST_BYTES: usize = 64 << 20;
const REST_PATIENCE: Duration = Duration::from_secs(5);

/// Takes NDJSON lines.
pub async fn post_logs(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    let threads = (!is_short(&headers)).then(|| state.ingest.clone());
    apart(threads, take_logs(state, headers, body)).await
}

/// Takes Graphite plaintext lines.
pub async fn post_metrics(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    let threads = (!is_short(&headers)).then(|| state.ingest.clone());
    apart(threads, take_metrics(state, headers, body)).await
}

/// Whether a body is read sooner than it is handed to another thread. None is longer than it says.
fn is_short(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    length.is_some_and(|length: u64| length <= SHORT_BYTES) && !headers.contains_key(header::CONTENT_ENCODING)
}

async fn apart(
    threads: Option<IngestThreads>,
    answer: impl Future<Output = Response> + Send + 'static,
) -> Response {
    let Some(threads) = threads else { return answer.await };
    let answered = threads.run(answer).await;
    answered.unwrap_or_else(|| ApiError::Internal("a body was not read to its end".into()).into_response())
}

async fn take_logs(state: AppState, headers: HeaderMap, body: Body) -> Response {
    let empty =
        "the body has no lines; send one JSON object a line: {\"ts\":\"2026-11-20T09:30:00Z\",\"msg\":\"…\"}";
    let mut chunks = body.into_data_stream();
    let received = receive_logs(state, &headers, &mut chunks).await;
    answer(received, chunks, empty).await
}

async fn take_metrics(state: AppState, headers: HeaderMap, body: Body) -> Response {
    let empty = "the body has no lines; send one point a line: shop.requests 12.5 1763647500";
    let mut chunks = body.into_data_stream();
    // A point that comes again takes its own place, so a key has nothing to keep apart.
    let received = match read_key(&headers) {
        Ok(_) => {
            let reception = Reception::<Plaintext>::new(state, Protocol::CarbonHttp);
            receive(reception, &headers, &mut chunks).await
        }
        Err(error) => Err(error),
    };
    answer(received, chunks, empty).await
}

async fn answer(
    received: Result<(IngestReport, u64), ApiError>,
    mut chunks: BodyDataStream,
    empty: &str,
) -> Response {
    match received {
        Ok((_, 0)) => ApiError::refused(StatusCode::BAD_REQUEST, empty).into_response(),
        Ok((report, _)) if report.stored == 0 => (StatusCode::BAD_REQUEST, Json(report)).into_response(),
        Ok((report, _)) => Json(report).into_response(),
        Err(error) => {
            let mut response = error.into_response();
            if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
                response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(ENCODINGS));
            }
            if timeout(REST_PATIENCE, pass_over(&mut chunks)).await != Ok(true) {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }
}

/// Reads what is left of a body, up to a limit; whether that was all.
async fn pass_over(chunks: &mut BodyDataStream) -> bool {
    let mut left = REST_BYTES;
    while let Some(Ok(chunk)) = chunks.next().await {
        let Some(less) = left.checked_sub(chunk.len()) else { return false };
        left = less;
    }
    true
}

/// Takes NDJSON lines, those of a body with a key once.
async fn receive_logs(
    state: AppState,
    headers: &HeaderMap,
    chunks: &mut BodyDataStream,
) -> Result<(IngestReport, u64), ApiError> {
    let key = read_key(headers)?;
    let mut reception = Reception::<Ndjson>::new(state, Protocol::NdjsonHttp);
    if let Some(key) = key {
        let (turn, source) = Turn::take(&reception.state, key).await?;
        reception.turn = Some(turn);
        reception.intake =
            Intake::from_batch(LineBatch { source: Some(Box::new(source)), ..LineBatch::default() });
    }
    receive(reception, headers, chunks).await
}

/// The report, and how many lines there were.
async fn receive<P: LineParser + 'static>(
    mut reception: Reception<P>,
    headers: &HeaderMap,
    chunks: &mut BodyDataStream,
) -> Result<(IngestReport, u64), ApiError> {
    let mut decoder = decoder_of(headers)?;
    loop {
        let next = tokio::select! {
            biased;
            outrun = outrun(reception.turn.as_mut()) => return Err(outrun),
            next = timeout(SILENCE, chunks.next()) => next,
        };
        match next {
            Err(_silence) => reception.commit().await?,
            Ok(Some(Ok(chunk))) => reception.take(&mut decoder, &chunk).await?,
            Ok(Some(Err(error))) => return Err(reception.broken(&format!("the body broke off: {error}"))),
            Ok(None) => break,
        }
    }
    reception.finish(&mut decoder).await
}

/// Returns once a newer request brings the same body; never for a body without a key.
async fn outrun(turn: Option<&mut Turn>) -> ApiError {
    match turn {
        Some(turn) => turn.outrun().await,
        None => std::future::pending().await,
    }
}

fn decoder_of(headers: &HeaderMap) -> Result<Decoder, ApiError> {
    let refuse = |why: String| ApiError::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    let mut given = headers.get_all(header::CONTENT_ENCODING).iter();
    let name = given.next().map_or(Ok(""), HeaderValue::to_str).unwrap_or("?");
    if given.next().is_some() || name.contains(',') {
        return Err(refuse(format!("several content encodings at once; send one of {ENCODINGS}, or none")));
    }
    let unknown =
        || refuse(format!("the content encoding `{name}` is not known; send one of {ENCODINGS}, or none"));
    Decoder::for_encoding(name).ok_or_else(unknown)?.map_err(|error| ApiError::Internal(error.to_string()))
}

/// The size of a batch while so many long bodies are read.
fn batch_bytes(bodies: usize) -> usize {
    (ALL_BATCHES_BYTES / bodies.max(1)).clamp(LEAST_BATCH_BYTES, BATCH_BYTES)
}

/// One body on its way to the store.
struct Reception<P: LineParser> {
    state: AppState,
    protocol: Protocol,
    intake: Intake<P>,
    report: IngestReport,
    decoded: Vec<u8>,
    in_flight: Option<InFlight>,
    turn: Option<Turn>,
}

/// A batch that the store is writing, and its rows.
struct InFlight {
    task: JoinHandle<Result<(), StoreError>>,
    rows: u64,
}

impl<P: LineParser + 'static> Reception<P> {
    fn new(state: AppState, protocol: Protocol) -> Self {
        let (intake, report) = (Intake::default(), IngestReport::default());
        Self { state, protocol, intake, report, decoded: Vec::new(), in_flight: None, turn: None }
    }

    async fn take(&mut self, decoder: &mut Decoder, mut chunk: &[u8]) -> Result<(), ApiError> {
        if decoder.is_identity() {
            self.parse(chunk);
            return self.commit_if_full().await;
        }
        let mut more = true;
        while more {
            let stepped = decoder.step(&mut chunk, &mut self.decoded);
            more = stepped.map_err(|error| self.broken_encoding(&error))?;
            self.parse_decoded();
            self.commit_if_full().await?;
            if more {
                // Unpacking much of little input must not keep other tasks from running.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn finish(mut self, decoder: &mut Decoder) -> Result<(IngestReport, u64), ApiError> {
        decoder.finish(&mut self.decoded).map_err(|error| self.broken_encoding(&error))?;
        self.parse_decoded();
        let clock = self.clock();
        let Self { intake, report, state, protocol, .. } = &mut self;
        intake.finish(clock, |number, why, _| {
            state.counters.refused(*protocol, &why);
            report.refuse(number, why.to_string());
        });
        self.intake.source().map(Source::finish);
        self.commit_last().await?;
        if let (Some(turn), Some(source)) = (&self.turn, self.intake.source()) {
            turn.finish(&self.state, source);
            self.report.stored += source.repeated();
        }
        Ok((std::mem::take(&mut self.report), self.intake.lines()))
    }

    /// The clock by which lines are judged: the first try's, where a body is sent again.
    fn clock(&mut self) -> Clock {
        let now = self.intake.source().map_or_else(AppState::now, |source| source.begun());
        Clock::of(&self.state.store, now)
    }

    fn parse_decoded(&mut self) {
        let mut decoded = std::mem::take(&mut self.decoded);
        self.parse(&decoded);
        decoded.clear();
        self.decoded = decoded;
    }

    fn parse(&mut self, text: &[u8]) {
        let clock = self.clock();
        let Self { intake, report, state, protocol, .. } = self;
        intake.feed(text, clock, |number, why, _| {
            state.counters.refused(*protocol, &why);
            report.refuse(number, why.to_string());
        });
    }

    async fn commit_if_full(&mut self) -> Result<(), ApiError> {
        let is_full = self.intake.batch_bytes() >= batch_bytes(self.state.ingest.running());
        if is_full { self.commit().await } else { Ok(()) }
    }

    /// Sends the batch off and returns once the one before it is on disk.
    async fn commit(&mut self) -> Result<(), ApiError> {
        let Some((batch, rows)) = self.next_batch().await? else { return Ok(()) };
        let (store, turn) = (self.state.store.clone(), self.turn.clone());
        let task = tokio::spawn(async move {
            let appended = P::append(&store, batch, Durability::Acknowledged).await;
            // Also when nobody waits any more: the next try begins where this ends.
            drop(turn);
            appended
        });
        self.in_flight = Some(InFlight { task, rows });
        Ok(())
    }

    /// Returns once all that was taken in is on disk. A body that has no key goes on here, for nothing is left to be read beside
    /// it, and of most bodies this is the only batch: a task of its own would cost more than the lines.
    async fn commit_last(&mut self) -> Result<(), ApiError> {
        if self.turn.is_some() {
            self.commit().await?;
            return self.settle().await;
        }
        let Some((batch, rows)) = self.next_batch().await? else { return Ok(()) };
        let appended = P::append(&self.state.store, batch, Durability::Acknowledged).await;
        self.count(rows, appended)
    }

    /// The batch so far and its rows, once the one before it is on disk; `None` where there is nothing to be stored.
    async fn next_batch(&mut self) -> Result<Option<(P::Batch, u64)>, ApiError> {
        self.settle().await?;
        match self.intake.source() {
            Some(source) if source.is_other() => return Err(other_body()),
            Some(source) if !source.is_compared() => return Ok(None),
            _ => {}
        }
        Ok(Some(self.intake.take_batch()).filter(|(_, rows)| *rows > 0))
    }

    async fn settle(&mut self) -> Result<(), ApiError> {
        let Some(InFlight { task, rows }) = self.in_flight.take() else { return Ok(()) };
        let appended = task.await.map_err(|error| ApiError::Internal(error.to_string()))?;
        self.count(rows, appended)
    }

    fn count(&mut self, rows: u64, appended: Result<(), StoreError>) -> Result<(), ApiError> {
        self.state.counters.settled(self.protocol, rows, appended.is_ok());
        appended?;
        self.report.stored += rows;
        Ok(())
    }

    fn broken_encoding(&mut self, error: &io::Error) -> ApiError {
        self.broken(&format!("the body could not be unpacked: {error}"))
    }

    fn broken(&mut self, why: &str) -> ApiError {
        let stored = self.report.stored + self.intake.source().map_or(0, |source| source.repeated());
        let detail = format!("{why}; at least {stored} lines before that are stored and stay");
        ApiError::refused(StatusCode::BAD_REQUEST, detail)
    }
}

impl<P: LineParser> Drop for Reception<P> {
    /// Counts what arrived, also when the client went away in the middle.
    fn drop(&mut self) {
        self.state.counters.received(self.protocol, self.intake.lines());
        let repeated = self.intake.source().map_or(0, |source| source.repeated());
        self.state.counters.repeated(self.protocol, repeated);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_bodies_come_at_once_the_smaller_are_their_batches() {
        assert_eq!([0, 1, 16].map(batch_bytes), [BATCH_BYTES; 3]);
        assert_eq!([32, 64].map(batch_bytes), [512 << 10, 256 << 10]);
        assert_eq!([256, 100_000].map(batch_bytes), [LEAST_BATCH_BYTES; 2]);
    }
    use crate::api::testing::open_state;
    use crate::dashboards::Dashboards;
    use crate::router::router;
    use axum::body::{Bytes, to_bytes};
    use axum::http::Request;
    use serde_json::Value;
    use std::io::Write;
    use tower::ServiceExt;

    struct Site {
        state: AppState,
        _dir: tempfile::TempDir,
    }

    impl Site {
        fn open() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let state = open_state(dir.path(), Dashboards::open(None, &[]).unwrap());
            Self { state, _dir: dir }
        }

        async fn post(&self, path: &str, encoding: &str, body: impl Into<Body>) -> (u16, Value) {
            let request =
                Request::post(path).header("host", "127.0.0.1").header("content-encoding", encoding);
            let response =
                router(self.state.clone()).oneshot(request.body(body.into()).unwrap()).await.unwrap();
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            (status, serde_json::from_slice(&body).unwrap())
        }

        /// Posts lines and compares the status, how many were stored and how many refused.
        async fn check(
            &self,
            path: &str,
            encoding: &str,
            body: impl Into<Body>,
            expected: (u16, u64, u64),
        ) -> Value {
            let (status, report) = self.post(path, encoding, body).await;
            let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("{key} in {report}"));
            assert_eq!((status, number("stored"), number("refused_total")), expected, "{report}");
            report
        }

        /// The stored lines in order of their times.
        async fn lines(&self) -> Vec<u8> {
            let request = Request::get("/api/logs").header("host", "127.0.0.1").body(Body::empty()).unwrap();
            let response = router(self.state.clone()).oneshot(request).await.unwrap();
            to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
        }
    }

    const LOGS: &str = "/api/ingest/logs";
    const METRICS: &str = "/api/ingest/metrics";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn lines_are_stored_and_the_rest_is_told_by_its_number() {
        let site = Site::open();
        let body = "{\"ts\":1,\"msg\":\"a\"}\r\n\n{\"ts\":2}\nx\n {\"ts\":3, \"msg\":\"b\"}";
        let report = site.check(LOGS, "identity", body, (200, 2, 2)).await;
        assert_eq!((&report["refused"][0]["line"], &report["refused"][1]["line"]), (&3.into(), &4.into()));
        assert_eq!(report["refused"][0]["why"], "there is no msg; write \"msg\":\"what happened\"");
        assert_eq!(site.lines().await, b"{\"ts\":1,\"msg\":\"a\"}\n {\"ts\":3, \"msg\":\"b\"}\n");
        site.check(METRICS, "", "a.b 1 5\na 1\nc nan 5\nd 2 -1", (200, 2, 2)).await;
    }

    #[tokio::test]
    async fn a_body_without_a_line_that_can_be_stored_is_an_error() {
        let site = Site::open();
        site.check(LOGS, "", "x\ny\n", (400, 0, 2)).await;
        site.check(METRICS, "", "x", (400, 0, 1)).await;
        for body in ["", "\n \r\n"] {
            let (status, problem) = site.post(LOGS, "", body).await;
            assert_eq!(status, 400);
            assert!(
                problem["detail"].as_str().unwrap().starts_with("the body has no lines; send"),
                "{problem}"
            );
        }
    }

    #[tokio::test]
    async fn packed_bodies_are_unpacked_and_others_refused() {
        let site = Site::open();
        let text = b"{\"ts\":1,\"msg\":\"a\"}\n{\"ts\":2,\"msg\":\"b\"}";
        site.check(LOGS, "gzip", gzip(text), (200, 2, 0)).await;
        site.check(LOGS, "zstd", zstd::stream::encode_all(&text[..], 3).unwrap(), (200, 2, 0)).await;
        for encoding in ["br", "gzip, gzip", "gzip,zstd"] {
            assert_eq!(site.post(LOGS, encoding, &text[..]).await.0, 415, "{encoding}");
        }
        let packed = gzip(text);
        for body in [&packed[..packed.len() - 3], b"not gzip"] {
            let (status, problem) = site.post(LOGS, "gzip", body.to_vec()).await;
            assert_eq!(status, 400);
            assert!(
                problem["detail"].as_str().unwrap().starts_with("the body could not be unpacked"),
                "{problem}"
            );
        }
    }

    #[tokio::test]
    async fn a_long_body_is_committed_while_it_arrives_and_what_was_committed_stays() {
        let site = Site::open();
        let line = |n: u32| format!("{{\"ts\":{n},\"msg\":\"{}\"}}\n", "x".repeat(200)).into_bytes();
        let lines: Vec<u8> = (0..60_000).flat_map(line).collect();
        let chunks: Vec<io::Result<Bytes>> =
            lines.chunks(60_001).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let broken = chunks.into_iter().chain([Err(io::Error::other("gone"))]);
        let (status, problem) = site.post(LOGS, "", Body::from_stream(futures::stream::iter(broken))).await;
        assert_eq!(status, 400);
        assert!(problem["detail"].as_str().unwrap().contains("the body broke off"), "{problem}");
        let stored = site.lines().await;
        assert!(stored.len() >= 2 * BATCH_BYTES / 2 && lines.starts_with(&stored), "{}", stored.len());
        site.check(LOGS, "", lines.clone(), (200, 60_000, 0)).await;
    }
}

//! `POST /api/ingest/logs` and `/api/ingest/metrics`: a body of lines goes to disk while it arrives.
//!
//! The body is decoded, cut and parsed chunk by chunk and committed in batches, so that its length costs no memory.
//! While one batch is being synced the next one is read. What was committed stays when the body breaks off later.

mod reception;

use self::reception::Reception;
use super::ApiError;
use super::resend::{Turn, read_key};
use crate::ingest::carbon::Plaintext;
use crate::ingest::counters::Protocol;
use crate::ingest::decode::{Decoder, ENCODINGS};
use crate::ingest::intake::{Intake, LineParser};
use crate::ingest::ndjson::Ndjson;
use crate::ingest::threads::IngestThreads;
use crate::state::AppState;
use crate::store::batch::LineBatch;
use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use sonde_shared::api::IngestReport;
use std::time::Duration;
use tokio::time::timeout;

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
            let reception = Reception::<Plaintext>::new(state, Protocol::CarbonHttp, !is_short(&headers));
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
    let may_spread = !is_short(headers) && key.is_none();
    let mut reception = Reception::<Ndjson>::new(state, Protocol::NdjsonHttp, may_spread);
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

#[cfg(test)]
mod tests {
    use super::*;

    use crate::api::testing::open_state;
    use crate::dashboards::Dashboards;
    use crate::router::router;
    use axum::body::{Bytes, to_bytes};
    use axum::http::Request;
    use serde_json::Value;
    use std::io::{self, Write};
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
        assert!(stored.len() >= 1 << 20 && lines.starts_with(&stored), "{}", stored.len());
        site.check(LOGS, "", lines.clone(), (200, 60_000, 0)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn lines_of_a_long_body_keep_their_order_and_refused_ones_are_told_by_their_numbers() {
        let site = Site::open();
        let line = |number: u32| match number {
            _ if number % 9_000 == 7 => "no line\n".to_owned(),
            _ if number % 9_000 == 8 => "\n".to_owned(),
            25_000 => format!("{}\n", "x".repeat(3 << 20)),
            _ => format!(
                "{{\"ts\":5,\"component\":\"c{}\",\"msg\":\"{number} {}\"}}\n",
                number % 3,
                "y".repeat(100)
            ),
        };
        let lines: Vec<String> = (1..=50_000).map(line).collect();
        let body = lines.concat();
        let bytes = body.trim_end().to_owned();
        let chunks = bytes
            .into_bytes()
            .chunks(50_000)
            .map(|chunk| io::Result::Ok(Bytes::copy_from_slice(chunk)))
            .collect::<Vec<_>>();
        let report =
            site.check(LOGS, "", Body::from_stream(futures::stream::iter(chunks)), (200, 49_987, 7)).await;
        let refused: Vec<u64> =
            report["refused"].as_array().unwrap().iter().map(|one| one["line"].as_u64().unwrap()).collect();
        assert_eq!(refused, [7, 9_007, 18_007, 25_000, 27_007, 36_007, 45_007]);
        let kept: Vec<&str> = lines.iter().map(String::as_str).filter(|line| line.starts_with('{')).collect();
        assert!(site.lines().await == kept.concat().as_bytes());
    }
}

//! `Sonde-Batch: KEY`: a body that its sender may send again, and whose turn it is.
//!
//! A sender that sends a body again has given up the request before, whether or not the server knows that yet. So the newest
//! request takes over: it waits for what the one before has handed to the store, a moment, and goes on from there. Making it
//! wait for the end of the other could last for ever where that one's connection is dead; refusing it with 409 would make
//! shippers drop the batch (Vector and Fluent Bit repeat 5xx and 429 but no other 4xx).

use super::ApiError;
use crate::state::AppState;
use crate::store::logs::remembered::{REMEMBERED, Taking};
use crate::store::source::{BatchKey, Source};
use axum::http::{HeaderMap, StatusCode};
use std::sync::Arc;
use tokio::sync::watch;

/// The header that names a body.
const HEADER: &str = "sonde-batch";
const MAX_KEY_BYTES: usize = 128;
/// When a sender that was outrun may ask what became of its body.
const LATER_SECS: u64 = 5;

/// The body's key, if it has one.
pub(super) fn read_key(headers: &HeaderMap) -> Result<Option<BatchKey>, ApiError> {
    let mut given = headers.get_all(HEADER).iter().map(axum::http::HeaderValue::as_bytes);
    let Some(key) = given.next() else { return Ok(None) };
    let is_right = (1..=MAX_KEY_BYTES).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if is_right && given.next().is_none() {
        return Ok(Some(BatchKey::of(key)));
    }
    let detail = format!(
        "a key is 1 to {MAX_KEY_BYTES} visible ASCII characters without blanks, given once; a UUID does well"
    );
    Err(ApiError::parameter("Sonde-Batch", detail, "0c6f1a3e-5b1d-4c0e-9f5a-2d1c7b8e9a10"))
}

/// The right to take a body. Held on until the store is done with all of it that was handed over.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    taking: Arc<Taking>,
    newest: watch::Receiver<u64>,
}

impl Turn {
    /// Takes over the body, and says how far it is settled.
    pub(super) async fn take(state: &AppState, key: BatchKey) -> Result<(Self, Source), ApiError> {
        let (remembered, now) = (state.store.logs().remembered(), AppState::now());
        let taking = remembered.begin(key, now).take().await.ok_or_else(outrun)?;
        let mut newest = taking.newest();
        newest.mark_unchanged();
        let ages = state.store.logs().ages();
        let source = Source::new(key, now, remembered.settled(key)).with_ages(ages);
        Ok((Self { taking: Arc::new(taking), newest }, source))
    }

    /// Returns once a newer request brings the same body.
    pub(super) async fn outrun(&mut self) -> ApiError {
        // The sender lives as long as the turn.
        drop(self.newest.changed().await);
        outrun()
    }

    /// Remembers that the body has ended.
    pub(super) fn finish(&self, state: &AppState, source: &Source) {
        state.store.logs().remembered().finish(self.taking.key(), source.place());
    }
}

fn outrun() -> ApiError {
    let detail =
        "a newer request with the same Sonde-Batch has taken over; sent again, this answers what was stored";
    ApiError::Later { detail: detail.to_owned(), after_secs: LATER_SECS }
}

/// The refusal of another body under a key that is taken.
pub(super) fn other_body() -> ApiError {
    let minutes = REMEMBERED.as_secs() / 60;
    let detail = format!(
        "another body was stored under this Sonde-Batch in the last {minutes} minutes, and nothing of this one is; a key is for \
         one body and for sending exactly that again"
    );
    ApiError::refused(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::open_state;
    use crate::dashboards::Dashboards;
    use crate::router::router;
    use axum::body::{Body, Bytes, to_bytes};
    use axum::http::Request;
    use futures::StreamExt;
    use serde_json::Value;
    use std::io::Write;
    use std::path::Path;
    use tower::ServiceExt;

    struct Site {
        state: AppState,
        dir: tempfile::TempDir,
    }

    type Chunk = std::io::Result<Bytes>;

    impl Site {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            Self { state: open(dir.path()), dir }
        }

        /// The server stops and starts again.
        async fn restart(self) -> Self {
            let Self { state, dir } = self;
            // What was handed to the store is written, though nobody waits for it.
            while Arc::strong_count(&state.store) > 1 {
                tokio::task::yield_now().await;
            }
            drop(state);
            Self { state: open(dir.path()), dir }
        }

        async fn send(
            &self,
            path: &str,
            headers: &[(&str, &str)],
            body: impl Into<Body>,
        ) -> (HeaderMap, u16, Value) {
            let mut request = Request::post(path).header("host", "127.0.0.1");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response =
                router(self.state.clone()).oneshot(request.body(body.into()).unwrap()).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap();
            (parts.headers, parts.status.as_u16(), serde_json::from_slice(&body).unwrap())
        }

        async fn post(&self, key: &str, body: impl Into<Body>) -> (u16, Value) {
            let (_, status, answer) = self.send("/api/ingest/logs", &[("sonde-batch", key)], body).await;
            (status, answer)
        }

        /// The numbers of all stored lines, sorted.
        async fn stored(&self) -> Vec<u64> {
            let request = Request::get("/api/logs").header("host", "127.0.0.1").body(Body::empty()).unwrap();
            let response = router(self.state.clone()).oneshot(request).await.unwrap();
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let number = |line: &str| serde_json::from_str::<Value>(line).unwrap()["n"].as_u64().unwrap();
            let mut numbers: Vec<u64> = std::str::from_utf8(&body).unwrap().lines().map(number).collect();
            numbers.sort_unstable();
            numbers
        }

        /// Each line is stored once.
        async fn check_stored(&self, lines: u64) {
            let stored = self.stored().await;
            assert!(stored == (0..lines).collect::<Vec<_>>(), "{} lines", stored.len());
        }

        async fn metric(&self, name: &str) -> u64 {
            let request = Request::get("/metrics").header("host", "127.0.0.1").body(Body::empty()).unwrap();
            let response = router(self.state.clone()).oneshot(request).await.unwrap();
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let text = String::from_utf8(body.to_vec()).unwrap();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        }
    }

    fn open(data: &Path) -> AppState {
        open_state(data, Dashboards::open(None, &[]).unwrap())
    }

    /// Lines of three days in turn, each with its number and so much text.
    fn lines(numbers: std::ops::Range<u64>, bytes: usize) -> String {
        let text = "x".repeat(bytes);
        let line = |n: u64| {
            format!("{{\"ts\":\"2026-11-{}T09:30:00Z\",\"msg\":\"{text}\",\"n\":{n}}}\n", 10 + n % 3)
        };
        numbers.map(line).collect()
    }

    fn chunks(text: &str) -> Vec<Chunk> {
        text.as_bytes().chunks(60_001).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect()
    }

    /// A body whose connection breaks at its end.
    fn broken(text: &str) -> Body {
        Body::from_stream(futures::stream::iter(
            chunks(text).into_iter().chain([Err(std::io::Error::other("gone"))]),
        ))
    }

    #[tokio::test]
    async fn a_body_that_is_sent_again_is_answered_the_same_and_stored_once() {
        let site = Site::new();
        let ahead = AppState::now().plus_nanos(2 * 86_400_000_000_000);
        let body = format!("{}x\n\n{{\"ts\":\"{ahead}\",\"msg\":\"ahead\"}}\n", lines(0..10, 5));
        let first = site.post("a", body.clone()).await;
        assert_eq!((first.0, &first.1["stored"], &first.1["refused_total"]), (200, &10.into(), &2.into()));
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(body.as_bytes()).unwrap();
        assert_eq!(site.post("a", body.clone()).await, first);
        let headers = [("sonde-batch", "a"), ("content-encoding", "gzip")];
        let (_, status, answer) = site.send("/api/ingest/logs", &headers, packed.finish().unwrap()).await;
        assert_eq!((status, answer), first);
        assert_eq!(site.stored().await, (0..10).collect::<Vec<_>>());
        assert_eq!(site.metric("sonde_ingest_repeated_total").await, 20);
        assert_eq!(site.metric("sonde_batches ").await, 1);
        site.post("b", body).await;
        assert_eq!(site.stored().await.len(), 20, "another key is another body");
    }

    #[tokio::test]
    async fn a_body_that_broke_off_goes_on_where_its_stored_part_ends() {
        let site = Site::new();
        let body = lines(0..20_000, 400);
        for share in [3, 2] {
            assert_eq!(site.post("a", broken(&body[..body.len() - body.len() / share])).await.0, 400);
        }
        let before = site.stored().await.len() as u64;
        assert!((8_000..20_000).contains(&before), "{before}");
        let (status, answer) = site.post("a", body).await;
        assert_eq!((status, &answer["stored"]), (200, &20_000.into()));
        site.check_stored(20_000).await;
    }

    #[tokio::test]
    async fn what_is_stored_is_known_after_a_restart_and_when_it_is_sealed() {
        let mut site = Site::new();
        let body = lines(0..20_000, 400);
        assert_eq!(site.post("a", broken(&body[..body.len() / 2])).await.0, 400);
        site = site.restart().await;
        site.state.store.logs().seal_finished().unwrap();
        assert_eq!(site.post("a", broken(&body[..body.len() / 4 * 3])).await.0, 400);
        site = site.restart().await;
        site.state.store.logs().seal_finished().unwrap();
        site = site.restart().await;
        assert_eq!(site.post("a", body.clone()).await.1["stored"], 20_000);
        site = site.restart().await;
        assert_eq!(site.post("a", body).await.1["stored"], 20_000);
        site.check_stored(20_000).await;
    }

    #[tokio::test]
    async fn another_body_under_a_taken_key_is_refused_and_nothing_of_it_stored() {
        let site = Site::new();
        site.post("a", lines(0..10, 5)).await;
        let others = [
            lines(1..11, 5),
            lines(0..9, 5),
            lines(0..11, 5),
            lines(0..9, 5) + &lines(10..11, 5),
            String::new(),
        ];
        for other in others {
            let (status, problem) = site.post("a", other).await;
            assert_eq!(status, 422);
            assert!(problem["detail"].as_str().unwrap().contains("another body"), "{problem}");
        }
        site.post("b", broken(&lines(10..20_000, 400))).await;
        let mut stored = 0;
        for _ in 0..2 {
            assert_eq!(site.post("b", lines(11..20_000, 400)).await.0, 422);
            let before = std::mem::replace(&mut stored, site.stored().await.len());
            assert!(before == 0 || before == stored, "{before} {stored}");
        }
    }

    #[tokio::test]
    async fn a_key_is_checked() {
        let site = Site::new();
        let (long, right) = ("k".repeat(129), "k".repeat(128));
        for path in ["/api/ingest/logs", "/api/ingest/metrics"] {
            for key in ["", "a b", "\u{e9}", &long] {
                let (_, status, problem) = site.send(path, &[("sonde-batch", key)], lines(0..1, 1)).await;
                assert_eq!((status, problem["parameter"].as_str()), (400, Some("Sonde-Batch")), "{key}");
            }
            let twice = [("sonde-batch", "a"), ("sonde-batch", "b")];
            assert_eq!(site.send(path, &twice, lines(0..1, 1)).await.1, 400);
        }
        assert!(site.stored().await.is_empty());
        assert_eq!(site.post(&right, lines(0..1, 1)).await.0, 200);
        let headers = [("sonde-batch", "a")];
        assert_eq!(site.send("/api/ingest/metrics", &headers, "a.b 1 5").await.1, 200);
    }

    #[tokio::test]
    async fn a_body_of_which_nothing_was_stored_is_not_remembered() {
        let site = Site::new();
        let day = site.dir.path().join("2026-11-10");
        std::fs::write(&day, "a file where a folder should be").unwrap();
        assert_eq!(site.post("a", lines(0..1, 5)).await.0, 503);
        assert_eq!(site.post("b", "no line\n").await.0, 400);
        assert_eq!(site.metric("sonde_batches ").await, 0);
        std::fs::remove_file(&day).unwrap();
        assert_eq!(site.post("a", lines(0..1, 5)).await.1["stored"], 1);
        assert_eq!(site.post("b", lines(1..2, 5)).await.1["stored"], 1);
        assert_eq!(site.stored().await, [0, 1]);
    }

    #[tokio::test]
    async fn days_that_failed_alone_are_stored_by_the_next_try() {
        let site = Site::new();
        // More days than may be open at once, so that a part counts before the bad one is reached.
        let line = |n: u64| format!("{{\"ts\":{},\"msg\":\"m\",\"n\":{n}}}\n", 86_400 * (1 + n % 40));
        let body: String = (0..200).map(line).collect();
        let bad = site.dir.path().join("1970-02-10");
        std::fs::write(&bad, "a file where a folder should be").unwrap();
        assert_eq!(site.post("a", body.clone()).await.0, 503);
        assert_eq!(site.metric("sonde_batches ").await, 1, "a part is stored");
        std::fs::remove_file(&bad).unwrap();
        assert_eq!(site.post("a", body).await.1["stored"], 200);
        assert_eq!(site.stored().await, (0..200).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn the_newest_request_takes_over_from_one_that_stalls() {
        let site = Site::new();
        let body = lines(0..20_000, 400);
        let half = futures::stream::iter(chunks(&body[..body.len() / 2])).chain(futures::stream::pending());
        let stalled = site.post("a", Body::from_stream(half));
        let again = async {
            // Once part of the first is stored.
            while site.state.store.logs().remembered().counts().bodies == 0 {
                tokio::task::yield_now().await;
            }
            site.post("a", body.clone()).await
        };
        let ((status, problem), (again, answer)) = tokio::join!(stalled, again);
        assert_eq!((status, again), (503, 200), "{problem}");
        assert_eq!(answer["stored"], 20_000);
        site.check_stored(20_000).await;
        let (headers, ..) = {
            // A body is read once its request has its turn; only then is the other one newer.
            let (reads, is_read) = tokio::sync::oneshot::channel();
            let pending = futures::stream::once(async {
                reads.send(()).unwrap();
                std::future::pending::<Chunk>().await
            });
            let outrun = site.send("/api/ingest/logs", &[("sonde-batch", "b")], Body::from_stream(pending));
            let newer = async {
                is_read.await.unwrap();
                site.post("b", lines(0..1, 1)).await
            };
            tokio::join!(outrun, newer).0
        };
        assert_eq!(headers["retry-after"], "5");
    }
}

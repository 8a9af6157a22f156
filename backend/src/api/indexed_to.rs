//! The header that tells of segments which are still to be indexed: an answer without them must not pass for a whole one.

use crate::store::logs::Snapshot;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use sonde_shared::time::Timestamp;
use std::convert::Infallible;

/// The header's name.
pub const INDEXED_TO_HEADER: &str = "sonde-indexed-to";

/// The instant before which an answer has all lines but such as came late; none where it has all lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct IndexedTo(Option<Timestamp>);

impl IndexedTo {
    /// That of an answer from a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self(snapshot.indexed_to)
    }

    /// That of an answer from this and another snapshot.
    pub fn and(self, other: Self) -> Self {
        Self(self.0.into_iter().chain(other.0).min())
    }
}

impl IntoResponseParts for IndexedTo {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Some(value) = self.0.and_then(|at| HeaderValue::try_from(at.to_string()).ok()) {
            parts.headers_mut().insert(HeaderName::from_static(INDEXED_TO_HEADER), value);
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::INDEXED_TO_HEADER;
    use crate::store::Store;
    use crate::store::batch::{Durability, LineBatch};
    use axum::body::Body;
    use axum::http::Method;
    use http_body_util::BodyExt;
    use sonde_shared::time::TimeRange;
    use std::path::Path;
    use std::time::{Duration, Instant};

    const LINES: usize = 10_000;
    const DAY: &str = "2026-11-20";

    fn line(number: usize) -> String {
        let (minute, pad) = (number / 200, "x".repeat(500));
        format!(r#"{{"ts":"{DAY}T09:{minute:02}:30Z","component":"shop","msg":"took {number} ms {pad}"}}"#)
    }

    async fn store(data: &Path, lines: &[String]) {
        let store = Store::open_as(data, false).unwrap();
        let mut batch = LineBatch::default();
        for line in lines {
            batch.push_line(line.as_bytes()).unwrap();
        }
        store.append_lines(batch, Durability::Acknowledged).await.unwrap();
    }

    /// A folder with two segments of a day; the index of the second, with too much text to be read at once, is missing.
    async fn folder() -> (tempfile::TempDir, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let lines: Vec<String> = (0..LINES).map(line).collect();
        store(&data, &lines[..600]).await;
        store(&data, &lines[600..]).await;
        std::fs::remove_file(data.join(DAY).join("logs-0002.idx")).unwrap();
        (dir, lines)
    }

    async fn wait_until_whole(world: &World) {
        world.store().logs().hold_indexing(false);
        let begun = Instant::now();
        while world.store().logs().unindexed().0 > 0 {
            assert!(begun.elapsed() < Duration::from_mins(1), "it is indexed in the end");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    const PATTERN: &str = "030232ce39646f66";

    #[tokio::test]
    async fn every_answer_says_up_to_where_lines_are_indexed_until_they_all_are() {
        let (dir, _) = folder().await;
        let world = World::serving(dir);
        let baseline = format!("from=-1m&baseline_from={DAY}T09:00:00Z&baseline_until={DAY}T10:00:00Z");
        let paths = [
            "/api/logs?limit=1".to_owned(),
            "/api/logs/histogram".to_owned(),
            "/api/logs/facets".to_owned(),
            "/api/logs/patterns".to_owned(),
            format!("/api/logs/patterns?{baseline}"),
            format!("/api/logs/patterns/{PATTERN}/values"),
            format!("/api/logs/patterns/{PATTERN}/values?{baseline}"),
            "/api/components".to_owned(),
            format!("/api/why?from={DAY}T10:05:00Z&until={DAY}T10:06:00Z&{baseline}")
                .replace("from=-1m&", ""),
        ];
        for path in &paths {
            let (headers, _) = world.headers(path).await;
            let value = headers.get(INDEXED_TO_HEADER).map(|value| value.to_str().unwrap());
            assert_eq!(value, Some("2026-11-20T09:01:30Z"), "{path}: a minute before the segment was begun");
            let other = path.replace('?', "?until=2026-11-20&");
            if other != *path && !path.contains("baseline") {
                let (headers, _) = world.headers(&other).await;
                assert!(!headers.contains_key(INDEXED_TO_HEADER), "{other}: of another day");
            }
        }
        let text = async |path: &str| String::from_utf8(world.ask(path, None).await.1).unwrap();
        assert!(text("/health").await.starts_with("ok\nsegments of lines that are still to be indexed: 1;"));
        assert!(text("/metrics").await.contains("\nsonde_unindexed_segments 1\n"));
        wait_until_whole(&world).await;
        for path in &paths {
            assert!(!world.headers(path).await.0.contains_key(INDEXED_TO_HEADER), "{path}");
        }
        assert_eq!(text("/health").await, "ok\n");
        assert!(text("/metrics").await.contains("\nsonde_unindexed_segments 0\n"));
    }

    /// All that comes up to a line, which is the last that is stored.
    async fn read_to(body: &mut Body, last: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(&format!("{last}\n")) {
            let frame = tokio::time::timeout(Duration::from_secs(30), body.frame()).await.expect("it comes");
            text.push_str(std::str::from_utf8(&frame.unwrap().unwrap().into_data().unwrap()).unwrap());
        }
        text
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_follows_gets_the_lines_of_a_segment_that_is_indexed_later_once() {
        let (dir, lines) = folder().await;
        let world = World::serving(dir);
        let answer = world.send(Method::GET, "/api/logs?follow=true", "").await;
        let mut body = answer.into_body();
        assert_eq!(read_to(&mut body, &lines[599]).await, lines[..600].join("\n") + "\n");
        let between = line(LINES + 100);
        world.post("/api/ingest/logs", &between).await;
        assert_eq!(read_to(&mut body, &between).await, between.clone() + "\n");
        world.store().logs().hold_indexing(false);
        assert_eq!(read_to(&mut body, &lines[LINES - 1]).await, lines[600..].join("\n") + "\n");
        let last = line(LINES + 200);
        world.post("/api/ingest/logs", &last).await;
        assert_eq!(read_to(&mut body, &last).await, last + "\n", "nothing comes twice");
        let snapshot = world.store().logs().snapshot(TimeRange::all()).unwrap();
        assert_eq!(snapshot.days[0].1.len(), 3);
    }
}

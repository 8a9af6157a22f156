//! What is told, as a reader hears it.

use super::super::testing::World;
use super::LiveRequest;
use super::feed::{Feed, event_of_lines};
use crate::api::params::Params;
use crate::state::AppState;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sonde_shared::time::Timestamp;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// Events as they come.
struct Events {
    body: Body,
    text: String,
}

impl Events {
    async fn of(world: &World, query: &str) -> Self {
        let response = world.send(Method::GET, &format!("/api/live?{query}"), "").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut events = Self { body: response.into_body(), text: String::new() };
        assert_eq!(events.next().await.unwrap().0, "hello");
        events
    }

    /// The next event with the data of its lines; `None` at the end.
    async fn next(&mut self) -> Option<(String, Vec<Value>)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().filter_map(|line| line.strip_prefix("data: "));
                let data = data.map(|line| serde_json::from_str(line).unwrap()).collect();
                let name = event.strip_prefix("event: ").unwrap().lines().next().unwrap().to_owned();
                self.text = rest.to_owned();
                return Some((name, data));
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.expect("an event comes")?;
            self.text += std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap();
        }
    }

    /// The next event of a name.
    async fn await_event(&mut self, wanted: &str) -> Vec<Value> {
        loop {
            let (name, data) = self.next().await.expect("the stream goes on");
            if name == wanted {
                return data;
            }
        }
    }
}

fn now() -> Timestamp {
    AppState::now()
}

fn line(seconds_ago: i64, level: &str, message: &str) -> String {
    let at = now().plus_nanos(-seconds_ago * 1_000_000_000);
    format!(r#"{{"ts":"{at}","component":"well.pump","level":"{level}","msg":"{message}"}}"#)
}

#[tokio::test]
async fn points_and_calls_are_told_as_they_come() {
    let world = World::running();
    let secs = now().as_secs();
    world.append(&[("well.depth", secs - 40, 1.0)]).await;
    let since = secs - 30;
    let query = format!("target=well.*&target=sumSeries(well.*)&target=other&since={since}");
    let mut events = Events::of(&world, &query).await;
    world.append(&[("well.depth", secs - 20, 1.5), ("well.depth", secs - 10, 2.0)]).await;
    let points = events.await_event("points").await;
    let ms = |secs: i64| secs as f64 * 1_000.0;
    let expected = json!([{
        "target": 0,
        "series": [{"name": "well.depth", "step_ms": 10_000.0,
            "points": [[ms(secs - 20), 1.5], [ms(secs - 10), 2.0]]}],
    }]);
    assert_eq!(json!(points), expected);
    world.append(&[("well.depth", secs, f64::INFINITY)]).await;
    // The call may have been told of the points before.
    while events.await_event("changed").await != [json!({"target": 0})] {}
    assert_eq!(events.await_event("changed").await, [json!({"target": 1})]);
}

#[tokio::test]
async fn lines_and_their_counts_are_told_as_they_come() {
    let world = World::running();
    world.post("/api/ingest/logs", &line(20, "warn", "before")).await;
    let query = "component=well&level=warn&step=1d&lines=1&from=-1h&target=logs('well')";
    let mut events = Events::of(&world, query).await;
    assert_eq!(events.await_event("counts").await[0]["total"], 1);
    let sent = [line(2, "error", "slow"), line(1, "info", "not asked for"), line(1, "warn", "slower")];
    world.post("/api/ingest/logs", &sent.join("\n")).await;
    assert_eq!(events.await_event("changed").await, [json!({"target": 0})]);
    let lines = events.await_event("lines").await;
    let messages: Vec<_> = lines.iter().map(|line| line["line"]["msg"].clone()).collect();
    assert_eq!(messages, ["slow", "slower"]);
    assert_eq!(lines[0]["c"], "well.pump");
    let counts = &events.await_event("counts").await[0];
    let sum = |level: &str| {
        counts["levels"][level].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((sum("error"), sum("warn")), (1, 2));
}

#[tokio::test]
async fn more_lines_than_are_sent_at_once_are_told_as_skipped() {
    let world = World::running();
    let mut events = Events::of(&world, "lines=1&from=-1h").await;
    let many: Vec<String> = (0..600).map(|_| line(1, "info", &"x".repeat(400))).collect();
    world.post("/api/ingest/logs", &many.join("\n")).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|name| name != "skipped") {
        heard.push(events.next().await.unwrap().0);
    }
    assert!(!heard.iter().any(|name| name == "lines"), "{heard:?}");
    world.post("/api/ingest/logs", &line(0, "info", "one more")).await;
    assert_eq!(events.await_event("lines").await[0]["line"]["msg"], "one more");
}

#[tokio::test]
async fn a_stop_ends_what_is_followed() {
    let mut world = World::running();
    let mut events = Events::of(&world, "target=a").await;
    world.stop();
    while events.next().await.is_some() {}
}

#[tokio::test]
async fn who_takes_nothing_is_cut_off() {
    let world = World::running();
    world.append(&[("well.depth", now().as_secs(), 1.0)]).await;
    let request = LiveRequest::read(&Params::parse("target=well.depth&since=-1h")).unwrap();
    let feed = Feed::begin(world.state(), request).await.unwrap();
    let (frames, mut taken) = mpsc::channel(1);
    // `hello` has a place to wait in, the point has none.
    timeout(PATIENCE, feed.with_patience(Duration::from_millis(1)).run(frames)).await.unwrap();
    assert!(taken.recv().await.unwrap().starts_with(b"event: hello\n"));
    assert_eq!(taken.recv().await, None);
}

#[tokio::test]
async fn places_are_counted_and_free_again() {
    let world = World::running();
    let mut all = Vec::new();
    loop {
        let response = world.send(Method::GET, "/api/live", "").await;
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(response.headers()["retry-after"], "10");
            break;
        }
        all.push(response.into_body());
    }
    let (_, metrics) = world.ask("/metrics", None).await;
    let gauge = format!("\nsonde_live_connections {}\n", all.len());
    assert!(String::from_utf8(metrics).unwrap().contains(&gauge), "{gauge}");
    drop(all);
    let is_free = async || {
        while world.send(Method::GET, "/api/live", "").await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, is_free()).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_told_by_its_name() {
    let world = World::running();
    for (query, expected) in [
        ("target=sumSeries(", "target"),
        ("step=0s&from=-1h", "step"),
        ("step=1ms&from=-1d", "step"),
        ("since=never", "since"),
        ("wait=1", "wait"),
        ("lines=maybe", "lines"),
    ] {
        let (parameter, _) = World::refusal(world.get(&format!("/api/live?{query}")).await);
        assert_eq!(parameter, expected, "{query}");
    }
}

#[test]
fn a_carriage_return_of_a_line_does_not_end_it() {
    let check = |lines: &str, expected: &str| {
        assert_eq!(String::from_utf8(event_of_lines("lines", lines.as_bytes())).unwrap(), expected);
    };
    check("", "");
    check("{}\n{\"a\":\r1}\n", "event: lines\ndata: {}\ndata: {\"a\": 1}\n\n");
}

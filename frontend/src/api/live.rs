//! What comes, as it comes: the server-sent events of `/api/live`. Read from an ordinary request, which can be given up and whose
//! failures say what they are, unlike those of the browser's `EventSource`.

use super::ApiError;
use super::ndjson::Splitter;
use super::send::{next_chunk, send};
use crate::json;
use crate::lines::Row;
use serde::de::DeserializeOwned;
use sonde_shared::api::Histogram;
use sonde_shared::live::{LiveClock, LivePoints, LiveTarget};
use wasm_bindgen::JsCast;
use web_sys::{AbortSignal, ReadableStreamDefaultReader};

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub enum LiveEvent {
    /// The connection stands.
    Hello(LiveClock),
    /// All that came has been told, or nothing has come.
    Clock(LiveClock),
    /// New points of a target.
    Points(LivePoints),
    /// A target is to be asked for as a whole.
    Changed(usize),
    /// Buckets of lines.
    Counts(Histogram),
    /// A line.
    Line(Row),
    /// More lines came than are sent.
    Skipped,
    /// Lines were deleted before they were sent.
    Gap,
}

/// Reads events until the server ends them.
pub async fn follow(
    query: String,
    signal: AbortSignal,
    mut on_event: impl FnMut(LiveEvent),
) -> Result<(), ApiError> {
    let response = send(&format!("/api/live?{query}"), &signal).await?;
    let Some(body) = response.body() else { return Ok(()) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let (mut splitter, mut events) = (Splitter::default(), Events::default());
    while let Some(chunk) = next_chunk(&reader, &signal).await? {
        splitter.push(&chunk, |line| {
            if let Some(event) = events.read(line) {
                on_event(event);
            }
        });
    }
    Ok(())
}

/// Events out of lines. Each line of data is whole by itself here, so where an event ends need not be known.
#[derive(Default)]
struct Events {
    name: String,
}

impl Events {
    fn read(&mut self, line: &[u8]) -> Option<LiveEvent> {
        if let Some(name) = line.strip_prefix(b"event: ") {
            self.name = String::from_utf8_lossy(name).into_owned();
            return None;
        }
        let data = line.strip_prefix(b"data: ")?;
        match self.name.as_str() {
            "hello" => parse(data).map(LiveEvent::Hello),
            "clock" => parse(data).map(LiveEvent::Clock),
            "points" => parse(data).map(LiveEvent::Points),
            "changed" => parse(data).map(|LiveTarget { target }| LiveEvent::Changed(target)),
            "counts" => parse(data).map(LiveEvent::Counts),
            "lines" => Row::parse(data).map(LiveEvent::Line),
            "skipped" => Some(LiveEvent::Skipped),
            "gap" => Some(LiveEvent::Gap),
            // Of a server that is newer than this page.
            _ => None,
        }
    }
}

fn parse<T: DeserializeOwned>(data: &[u8]) -> Option<T> {
    json::read_bytes(data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_line_by_line() {
        let mut events = Events::default();
        let mut check = |line: &str, expected: Option<LiveEvent>| {
            assert_eq!(events.read(line.as_bytes()), expected, "{line}");
        };
        check("event: hello", None);
        check(r#"data: {"now_ms":5}"#, Some(LiveEvent::Hello(LiveClock { now_ms: 5 })));
        check("event: changed", None);
        check(r#"data: {"target":3}"#, Some(LiveEvent::Changed(3)));
        check("event: skipped", None);
        check(r#"data: {"why":"too many"}"#, Some(LiveEvent::Skipped));
        check(": a comment", None);
        check("event: of the future", None);
        check("data: {}", None);
        check("event: points", None);
        check("data: torn", None);
        let series = r#"{"name":"a","step_ms":10000.0,"points":[[1000.0,0.5]]}"#;
        let expected = serde_json::from_str(&format!(r#"{{"target":0,"series":[{series}]}}"#)).unwrap();
        check(&format!(r#"data: {{"target":0,"series":[{series}]}}"#), Some(LiveEvent::Points(expected)));
    }
}

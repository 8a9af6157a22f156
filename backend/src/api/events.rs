//! `/events`: notes on the time axis in and out, as Graphite takes and answers them.

use super::pieces::{blocking, query};
use super::{ApiError, params::Params, params::clip};
use crate::graphite_time::GraphiteClock;
use crate::ingest::Clock;
use crate::state::AppState;
use crate::store::events::NewEvent;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use serde_json::{Map, Value};
use sonde_shared::api::Event;
use sonde_shared::time::{NANOS_PER_DAY, Timestamp};

/// The longest title, in bytes.
const MAX_WHAT_BYTES: usize = 1_024;
/// The longest text, in bytes.
const MAX_DATA_BYTES: usize = 64 * 1_024;
/// The most tags of an event.
const MAX_TAGS: usize = 64;
/// The longest tag, in bytes.
const MAX_TAG_BYTES: usize = 255;
/// One answer holds at most so many bytes of events.
const MAX_ANSWER_BYTES: u64 = 32 << 20;

/// Stores an event. Answers 200 with an empty body once it is on disk.
pub async fn post_event(State(state): State<AppState>, body: Bytes) -> Result<StatusCode, ApiError> {
    let event = read_event(&body, Clock::of(&state.store, AppState::now()))?;
    blocking(move || Ok(state.store.append_event(event)?)).await?;
    Ok(StatusCode::OK)
}

/// Answers the events of a range, both ends included, by time.
pub async fn list_events(
    State(state): State<AppState>,
    RawQuery(text): RawQuery,
) -> Result<Json<Vec<Event>>, ApiError> {
    let params = Params::parse(text.as_deref().unwrap_or_default());
    // graphite-web knows neither `now` nor `tz` here.
    let clock = GraphiteClock::utc(AppState::now());
    let from = params.graphite_time("from", &clock)?.unwrap_or_default().as_secs();
    let until = params.graphite_time("until", &clock)?.unwrap_or(clock.now()).as_secs();
    let filter = TagFilter::read(&params)?;
    let store = state.store;
    let read = move || Ok(store.events().read(from, until, MAX_ANSWER_BYTES)?);
    let events = query(&state.queries, read).await?;
    let too_many = || {
        ApiError::parameter("from", "the range holds more than 32 MB of events; ask for a shorter one", "-1d")
    };
    let mut events = events.ok_or_else(too_many)?;
    events.retain(|event| filter.takes(event));
    Ok(Json(events))
}

/// Which tags an event must have.
struct TagFilter {
    tags: Vec<String>,
    is_any_enough: bool,
}

impl TagFilter {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let tags = params.get("tags").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let is_any_enough = match params.get("set") {
            None | Some("intersection") => false,
            Some("union") => true,
            Some(other) => {
                let detail = format!("`{}` is neither union nor intersection", clip(other));
                return Err(ApiError::parameter("set", detail, "union"));
            }
        };
        Ok(Self { tags, is_any_enough })
    }

    fn takes(&self, event: &Event) -> bool {
        let mut wanted = self.tags.iter();
        let has = |tag: &String| event.tags.contains(tag);
        self.tags.is_empty() || if self.is_any_enough { wanted.any(has) } else { wanted.all(has) }
    }
}

fn wrong(detail: impl Into<String>) -> ApiError {
    let example = r#"{"what":"deploy 1.4","tags":["deploy"],"when":1763647500,"data":"by ci"}"#;
    ApiError::parameter("body", detail, example)
}

fn read_event(body: &[u8], clock: Clock) -> Result<NewEvent, ApiError> {
    let fields: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| wrong(format!("the body is no JSON object: {error}")))?;
    let what = text(&fields, "what", MAX_WHAT_BYTES)?;
    if what.is_empty() {
        return Err(wrong("`what`, the title, is needed"));
    }
    let data = text(&fields, "data", MAX_DATA_BYTES)?;
    Ok(NewEvent { what, when: when(&fields, clock)?, tags: tags(&fields)?, data })
}

fn text(fields: &Map<String, Value>, key: &str, max_bytes: usize) -> Result<String, ApiError> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) if text.len() <= max_bytes => Ok(text.clone()),
        Some(Value::String(_)) => Err(wrong(format!("`{key}` is longer than {max_bytes} bytes"))),
        Some(_) => Err(wrong(format!("`{key}` must be text"))),
    }
}

/// Unix seconds, whole or not, from 1970 or what is kept until a day from now.
fn when(fields: &Map<String, Value>, Clock { now, earliest, .. }: Clock) -> Result<i64, ApiError> {
    let secs = match fields.get("when") {
        None | Some(Value::Null) => return Ok(now.as_secs()),
        Some(when) => when.as_f64().ok_or_else(|| wrong("`when` must be a number, unix seconds"))?.floor(),
    };
    let latest = now.plus_nanos(NANOS_PER_DAY).as_secs();
    if secs < earliest.as_secs() as f64 && earliest > Timestamp::default() {
        return Err(wrong(format!("`when` lies before {earliest}, the earliest time that is kept")));
    }
    if (0.0..=latest as f64).contains(&secs) {
        return Ok(secs as i64);
    }
    Err(wrong(format!("`when` must lie between 0 (1970) and {latest}, a day from now, in unix seconds")))
}

/// A list of texts or one text; both are split at blanks, as Graphite does.
fn tags(fields: &Map<String, Value>) -> Result<Vec<String>, ApiError> {
    let not_tags = || wrong("`tags` must be a list of texts or one text with blanks between tags");
    let texts = match fields.get("tags") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(list)) => {
            list.iter().map(|tag| tag.as_str().ok_or_else(not_tags)).collect::<Result<Vec<_>, _>>()?
        }
        Some(_) => return Err(not_tags()),
    };
    let tags: Vec<String> = texts.into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect();
    if tags.len() > MAX_TAGS || tags.iter().any(|tag| tag.len() > MAX_TAG_BYTES) {
        return Err(wrong(format!("an event has at most {MAX_TAGS} tags of at most {MAX_TAG_BYTES} bytes")));
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use axum::http::StatusCode;
    use serde_json::json;

    async fn whats(world: &World, query: &str) -> Vec<String> {
        let (status, body) = world.get(&format!("/events/get_data?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body.as_array().unwrap().iter().map(|event| event["what"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn an_event_comes_back_as_graphite_sends_it() {
        let world = World::new();
        let body = json!({"what": "deploy", "tags": "web  prod", "when": 1_000.7, "data": "1.4"}).to_string();
        assert_eq!(world.ask("/events/", Some(&body)).await, (StatusCode::OK, vec![]));
        let (_, events) = world.get("/events/get_data?from=1000&until=1000").await;
        let id = events[0]["id"].clone();
        assert!(id.is_u64());
        assert_eq!(
            events,
            json!([{"id": id, "what": "deploy", "when": 1_000, "tags": ["web", "prod"], "data": "1.4"}])
        );
        assert_eq!(world.get("/events").await.1, events);
    }

    #[tokio::test]
    async fn tags_and_ranges_choose_events() {
        let world = World::new();
        for (what, tags, when) in
            [("a", json!(["x", "y"]), 10), ("b", json!("x"), 90_000), ("c", json!(null), 20)]
        {
            let body = json!({"what": what, "tags": tags, "when": when}).to_string();
            assert_eq!(world.post("/events/", &body).await.0, StatusCode::OK);
        }
        assert_eq!(whats(&world, "").await, ["a", "c", "b"]);
        assert_eq!(whats(&world, "tags=x").await, ["a", "b"]);
        assert_eq!(whats(&world, "tags=x+y").await, ["a"]);
        assert_eq!(whats(&world, "tags=z+y&set=union").await, ["a"]);
        assert_eq!(whats(&world, "from=20&until=90000").await, ["c", "b"]);
        assert_eq!(whats(&world, "from=12pm_19700102&until=12am_19700102").await, ["b"]);
        assert_eq!(whats(&world, "until=noon_19700101").await, ["a", "c"]);
        let reversed = World::refusal(world.get("/events/get_data?set=most").await);
        assert_eq!(reversed.0, "set");
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_and_not_stored() {
        let world = World::new();
        let late = AppState::now().as_secs() + 90_000;
        let check = async |body: String, part: &str| {
            let (parameter, detail) = World::refusal(world.post("/events/", &body).await);
            assert!(parameter == "body" && detail.contains(part), "{body}: {detail}");
        };
        check("deploy".into(), "no JSON object").await;
        check("[]".into(), "no JSON object").await;
        check("{}".into(), "`what`").await;
        check(json!({"what": 1}).to_string(), "must be text").await;
        check(json!({"what": "a".repeat(1_025)}).to_string(), "longer than 1024").await;
        check(json!({"what": "a", "data": "a".repeat(65_537)}).to_string(), "longer than").await;
        check(json!({"what": "a", "tags": 5}).to_string(), "`tags`").await;
        check(json!({"what": "a", "tags": ["a", 5]}).to_string(), "`tags`").await;
        check(json!({"what": "a", "tags": "a ".repeat(65)}).to_string(), "at most 64 tags").await;
        check(json!({"what": "a", "when": "now"}).to_string(), "must be a number").await;
        check(json!({"what": "a", "when": late}).to_string(), "a day from now").await;
        check(json!({"what": "a", "when": -5}).to_string(), "1970").await;
        assert_eq!(whats(&world, "").await, Vec::<String>::new());
        let deleted = world.ask("/events/get_data", Some("{}")).await;
        assert_eq!(deleted.0, StatusCode::METHOD_NOT_ALLOWED);
    }
}

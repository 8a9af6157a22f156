//! `/api/why`: what is different in a selection, ranked across series, patterns, fields, components and events.
//!
//! The answer is one document; with `stream=1` it is several, one a line, each the whole answer as far as it is known, so
//! that first findings are seen while the rest is read. Who goes away is worked for no longer than a step.

use super::indexed_to::IndexedTo;
use super::targets::check_target;
use super::{ApiError, params::Params, params::clip};
use crate::query::budget::Budget;
use crate::query::threads::QueryThreads;
use crate::query::why::{Gathering, Question, SeriesReader};
use crate::state::AppState;
use crate::store::Store;
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::future::try_join_all;
use futures::stream;
use sonde_shared::baseline::default_baseline;
use sonde_shared::dashboard::{calls_function, metrics_in};
use sonde_shared::glob::Glob;
use sonde_shared::time::{NANOS_PER_DAY, NANOS_PER_SEC, TimeRange};
use sonde_shared::why::Why;
use std::sync::Arc;

/// A shorter selection holds no points to speak of.
const LEAST_NANOS: i64 = NANOS_PER_SEC;
/// A longer one is no longer about one thing.
const MOST_NANOS: i64 = 31 * NANOS_PER_DAY;
/// How many findings are sent unless another number is asked for.
const DEFAULT_LIMIT: u64 = 50;
/// At most so many parts of the series are read at once.
const PARTS: usize = 2;
const KNOWN: [&str; 9] =
    ["from", "until", "baseline_from", "baseline_until", "component", "target", "host", "limit", "stream"];

/// `GET /api/why`: what differs in the selection, best first.
pub async fn explain(State(state): State<AppState>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let params = Params::parse(&query.unwrap_or_default());
    params.only(&KNOWN)?;
    let question = read_question(&params)?;
    let limit = params.number("limit")?.unwrap_or(DEFAULT_LIMIT) as usize;
    let is_streamed = params.flag("stream")?;
    let store = state.store.clone();
    let begun = state.queries.run(move || Gathering::begin(&store, question).map(Box::new)).await??;
    let indexed_to = begun.snapshots().map(IndexedTo::of).reduce(IndexedTo::and).unwrap_or_default();
    let work = Work { store: state.store, queries: state.queries, limit };
    if is_streamed {
        let body = Body::from_stream(stream::try_unfold(Some((work, Stage::Lines(begun))), next_line));
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        return Ok((indexed_to, [kind], body).into_response());
    }
    let mut todo = Stage::Lines(begun);
    loop {
        let why;
        (why, todo) = work.go_on(todo, false).await?;
        if let Stage::Done = todo {
            return Ok((indexed_to, Json(why)).into_response());
        }
    }
}

/// An answer on its way; `None` behind its last line.
type Going = Option<(Work, Stage)>;

/// The next line of a streamed answer. A failure cuts it off, so that it cannot pass for a whole one.
async fn next_line(going: Going) -> Result<Option<(Vec<u8>, Going)>, ApiError> {
    let Some((work, todo)) = going else { return Ok(None) };
    let (why, next) = work.go_on(todo, true).await.inspect_err(|error| {
        tracing::error!(error = error as &dyn std::error::Error, "an answer is cut off");
    })?;
    let mut line = serde_json::to_vec(&why).map_err(|error| ApiError::Internal(error.to_string()))?;
    line.push(b'\n');
    let rest = if let Stage::Done = next { None } else { Some((work, next)) };
    Ok(Some((line, rest)))
}

/// What is to be done next.
enum Stage {
    /// Lines are counted.
    Lines(Box<Gathering>),
    /// Series are read.
    Series(Box<Gathering>),
    /// A sample of lines is read.
    Sample(Box<Gathering>),
    /// The answer is whole.
    Done,
}

/// What it takes to go on.
struct Work {
    store: Arc<Store>,
    queries: QueryThreads,
    limit: usize,
}

impl Work {
    /// Does a stage: what is known behind it, if that is wanted before all is, and what comes next.
    async fn go_on(&self, stage: Stage, is_wanted: bool) -> Result<(Why, Stage), ApiError> {
        let (mut why, next) = match stage {
            Stage::Lines(gathering) => self.count_lines(gathering, is_wanted).await?,
            Stage::Series(gathering) => self.read_series(gathering, is_wanted).await?,
            Stage::Sample(gathering) => (self.read_sample(gathering).await?, Stage::Done),
            Stage::Done => (Why::default(), Stage::Done),
        };
        why.findings.truncate(self.limit);
        why.weaker.truncate(self.limit);
        Ok((why, next))
    }

    async fn count_lines(
        &self,
        gathering: Box<Gathering>,
        is_wanted: bool,
    ) -> Result<(Why, Stage), ApiError> {
        let store = self.store.clone();
        let step = move |gathering: &mut Box<Gathering>, budget: &mut Budget| {
            gathering.count_lines(budget, store.logs().counters())
        };
        let mut gathering = self.queries.run_steps(gathering, step).await?;
        let rank = move || {
            gathering.end_lines()?;
            let why = if is_wanted { gathering.rank_lines() } else { Why::default() };
            Ok::<_, ApiError>((why, Stage::Series(gathering)))
        };
        self.queries.run(rank).await?
    }

    async fn read_series(
        &self,
        mut gathering: Box<Gathering>,
        is_wanted: bool,
    ) -> Result<(Why, Stage), ApiError> {
        let step = |reader: &mut SeriesReader, budget: &mut Budget| reader.step(budget);
        let read_all = |readers: Vec<SeriesReader>| {
            try_join_all(readers.into_iter().map(|reader| self.queries.run_steps(reader, step)))
        };
        let read = read_all(gathering.series_readers(PARTS)).await?;
        let take = move || {
            let readers = gathering.take_series(read, PARTS);
            (gathering, readers)
        };
        let (mut gathering, readers) = self.queries.run(take).await?;
        let read = read_all(readers).await?;
        let rank = move || {
            gathering.end_series(read);
            let why = if is_wanted { gathering.rank_all(false) } else { Why::default() };
            gathering.begin_sample();
            (why, Stage::Sample(gathering))
        };
        Ok(self.queries.run(rank).await?)
    }

    async fn read_sample(&self, gathering: Box<Gathering>) -> Result<Why, ApiError> {
        let store = self.store.clone();
        let step = move |gathering: &mut Box<Gathering>, budget: &mut Budget| {
            gathering.sample(budget, store.logs().counters())
        };
        let mut gathering = self.queries.run_steps(gathering, step).await?;
        let rank = move || {
            gathering.end_sample()?;
            Ok::<_, ApiError>(gathering.rank_all(true))
        };
        self.queries.run(rank).await?
    }
}

fn read_question(params: &Params) -> Result<Question, ApiError> {
    let selection = read_selection(params)?;
    let mut charted = Vec::new();
    for target in params.all("target") {
        // A path alone may be one that no expression could name.
        if calls_function(target) {
            check_target(target)?;
        }
        for path in metrics_in(target) {
            let wrong = |why| {
                let detail = format!("`{}` names no series: {why}", clip(path));
                ApiError::parameter("target", detail, "shop.cart.p95_ms")
            };
            charted.push(Glob::parse(path).map_err(wrong)?);
        }
    }
    Ok(Question {
        selection,
        baseline: read_baseline(params, selection)?,
        components: params.components()?,
        host: params.get("host").map(str::to_owned),
        charted,
        now: AppState::now(),
    })
}

/// The selection, which has both ends and ends now at the latest.
fn read_selection(params: &Params) -> Result<TimeRange, ApiError> {
    let now = AppState::now();
    for key in ["from", "until"] {
        if params.get(key).is_none() {
            let detail = "a selection has both ends: `from` and `until`";
            return Err(ApiError::parameter(key, detail, "2026-11-20T09:30:00Z"));
        }
    }
    let given = params.range()?;
    let selection = TimeRange { from: given.from, until: given.until.min(now) };
    let wrong = |detail: String| Err(ApiError::parameter("from", detail, "from=09:30&until=09:45"));
    if given.until > now && given.from >= now {
        return wrong(format!("the selection begins at {}, which is yet to come", given.from));
    }
    if selection.nanos() < LEAST_NANOS {
        return wrong("the selection is shorter than a second".to_owned());
    }
    if selection.nanos() > MOST_NANOS {
        return wrong("the selection is longer than 31 days; select less".to_owned());
    }
    Ok(selection)
}

/// What is given to compare with, else the usual time before.
fn read_baseline(params: &Params, selection: TimeRange) -> Result<TimeRange, ApiError> {
    let Some(baseline) = params.baseline()? else { return Ok(default_baseline(selection)) };
    let example = "2026-11-20T08:30:00Z";
    if baseline.overlaps(selection) {
        let detail = "the baseline overlaps the selection; let it end before, or begin behind it";
        return Err(ApiError::parameter("baseline_until", detail, example));
    }
    if baseline.nanos() < LEAST_NANOS {
        let detail = "the baseline is shorter than a second";
        return Err(ApiError::parameter("baseline_from", detail, example));
    }
    Ok(baseline)
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use axum::http::StatusCode;
    use serde_json::{Value, json};
    use sonde_shared::time::Timestamp;

    fn question(query: &str) -> Question {
        read_question(&Params::parse(query)).unwrap()
    }

    fn secs(from: i64, until: i64) -> TimeRange {
        TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(until) }
    }

    #[test]
    fn a_question_has_the_usual_baseline_unless_it_names_one() {
        let usual = question("from=10000&until=10120");
        assert_eq!((usual.selection, usual.baseline), (secs(10_000, 10_120), secs(9_508, 9_988)));
        assert!(usual.components.is_empty() && usual.charted.is_empty() && usual.host.is_none());
        let named = question(
            "from=10000&until=10120&baseline_from=1000&baseline_until=2000&component=shop&component=db.*&host=n1\
             &target=scale(a.*.b,2)&target=c.d",
        );
        assert_eq!(named.baseline, secs(1_000, 2_000));
        let charted: Vec<&str> = named.charted.iter().map(Glob::as_str).collect();
        assert_eq!((charted, named.components.len()), (vec!["a.*.b", "c.d"], 2));
        assert_eq!(named.host.as_deref(), Some("n1"));
        assert_eq!(question("from=10000&until=10120&target=a b.c").charted.len(), 1);
        // Lines that are counted are no series.
        assert!(question("from=10000&until=10120&target=logs('shop','warn')").charted.is_empty());
        for wrong in ["sum(", "nofunc(a.b)", "a.{b"] {
            let error = read_question(&Params::parse(&format!("from=10000&until=10120&target={wrong}")));
            let ApiError::Parameter { parameter, .. } = error.unwrap_err() else { panic!("{wrong}") };
            assert_eq!(parameter, "target", "{wrong}");
        }
    }

    #[test]
    fn what_is_yet_to_come_is_cut_off_a_selection() {
        let before = AppState::now();
        let selection = question("from=-1h&until=2200-01-01T00:00:00Z").selection;
        assert!(before <= selection.until && selection.until <= AppState::now());
        let error = read_question(&Params::parse("from=2200-01-01T00:00:00Z&until=2200-01-02T00:00:00Z"));
        assert!(error.unwrap_err().to_string().contains("yet to come"));
    }

    #[tokio::test]
    async fn an_answer_tells_what_was_compared_and_a_streamed_one_grows() {
        let world = World::new();
        let line = |second: u32| {
            let ts = format!("2026-11-20T09:{:02}:{:02}Z", second / 60, second % 60);
            format!(
                r#"{{"ts":"{ts}","component":"shop.cart","host":"n1","msg":"took {second} ms","user":"ann"}}"#
            )
        };
        let lines: Vec<String> = (0..1_200).step_by(2).map(line).collect();
        world.post("/api/ingest/logs", &lines.join("\n")).await;
        let start = 1_795_165_200;
        let points: Vec<(&str, i64, f64)> = (0..120).map(|at| ("shop.load", start + 10 * at, 1.0)).collect();
        world.append(&points).await;
        let path = "/api/why?from=2026-11-20T09:10:00Z&until=2026-11-20T09:12:00Z";
        let (_, answer) = world.get(path).await;
        assert_eq!(answer["baseline_ms"], json!([1_795_165_308_000_i64, 1_795_165_788_000_i64]), "{answer}");
        let tested = &answer["tested"];
        assert_eq!((&tested["series"], &tested["sampled_lines"]), (&json!(1), &json!(300)), "{answer}");
        assert_eq!((&answer["findings"], &answer["done"]), (&json!([]), &json!(true)));
        let (headers, body) = world.headers(&format!("{path}&stream=1")).await;
        assert_eq!(headers["content-type"], "application/x-ndjson");
        let lines = body.split_inclusive(|byte| *byte == b'\n');
        let lines: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
        let compared = |at: usize| (lines[at]["tested"]["series"].clone(), lines[at]["done"].clone());
        assert_eq!([compared(0), compared(1)], [(json!(0), json!(false)), (json!(1), json!(false))]);
        // That nothing was found is said at the end.
        let notes = lines.iter().map(|line| line["note"].is_string()).collect::<Vec<_>>();
        assert_eq!(notes, [false, false, true], "{lines:?}");
        assert_eq!((lines.len(), &lines[2]), (3, &answer));
    }

    /// A mail server that rings twice a second and stops for two minutes; who looks back compares with the time behind.
    #[tokio::test]
    async fn a_baseline_may_lie_behind_the_selection() {
        let world = World::new();
        let is_silent = |second: u32| (600..720).contains(&second);
        let line = |second: u32| {
            let ts = format!("2026-11-20T09:{:02}:{:02}Z", second / 60, second % 60);
            let steady = format!(r#"{{"ts":"{ts}","component":"shop.cart","msg":"took {second} ms"}}"#);
            let bell = format!(r#"{{"ts":"{ts}","component":"mail","msg":"the bell rings"}}"#);
            if is_silent(second) { steady } else { [steady.as_str(), &bell, &bell].join("\n") }
        };
        let lines: Vec<String> = (0..1_500).map(line).collect();
        world.post("/api/ingest/logs", &lines.join("\n")).await;
        let start = 1_795_165_200;
        let load = |at: i64| if (60..72).contains(&at) { 90.0 } else { (at % 3) as f64 };
        let points: Vec<(&str, i64, f64)> =
            (0..150).map(|at| ("shop.load", start + 10 * at, load(at))).collect();
        world.append(&points).await;
        let selection = "from=2026-11-20T09:10:00Z&until=2026-11-20T09:12:00Z";
        for baseline in
            ["09:12:00Z&baseline_until=2026-11-20T09:24:00Z", "09:14:03Z&baseline_until=2026-11-20T09:20:10Z"]
        {
            let path = format!("/api/why?{selection}&baseline_from=2026-11-20T{baseline}");
            let (status, answer) = world.get(&path).await;
            assert_eq!((status, &answer["done"]), (StatusCode::OK, &json!(true)), "{baseline}: {answer}");
            let subjects: Vec<String> =
                answer["findings"].as_array().unwrap().iter().map(|one| one["subject"].to_string()).collect();
            let has = |part: &str| subjects.iter().any(|subject| subject.contains(part));
            assert!(has("shop.load") && (has("mail") || has("bell")), "{baseline}: {answer}");
        }
    }
}

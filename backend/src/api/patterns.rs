//! `/api/logs/patterns`: what the matching lines say, how often, and how often before; and what values their variable parts and
//! fields have.

use super::ApiError;
use super::indexed_to::IndexedTo;
use super::line_filter::{check_known, read_filter, read_pattern};
use super::params::{Params, PathPart};
use crate::query::budget::Budget;
use crate::query::logs::LineFilter;
use crate::query::patterns::PatternCounts;
use crate::query::values::{ValueCounts, ValueLimits, ValuesOf};
use crate::state::AppState;
use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::value::RawValue;
use sonde_shared::api::{PatternValues, Patterns};

/// How many patterns are sent unless another number is asked for.
const DEFAULT_LIMIT: u64 = 100;
/// How many values of a variable part are sent unless another number is asked for.
const DEFAULT_VALUES: u64 = 20;
/// A line is read for each pattern that is sent, all in one step.
const MAX_LIMIT: u64 = 1_000;

/// `GET /api/logs/patterns`: patterns with their counts, the most frequent first, and a line of each.
pub async fn list_patterns(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<(IndexedTo, Json<Patterns<Box<RawValue>>>), ApiError> {
    let params = Params::parse(&query.unwrap_or_default());
    check_known(&params, &["baseline_from", "baseline_until", "group", "limit"])?;
    let filter = read_filter(&params)?;
    let baseline = read_baseline(&params, &filter)?;
    let is_grouped = params.flag("group")?;
    let limit = read_limit(&params, DEFAULT_LIMIT)?;
    let store = state.store.clone();
    let begin = move || -> Result<_, ApiError> {
        let snapshot = |filter: &LineFilter| store.logs().snapshot(filter.range);
        let other = baseline.map(|filter| snapshot(&filter).map(|taken| (taken, filter))).transpose()?;
        let other = other.as_ref().map(|(taken, filter)| (taken, filter.clone()));
        let taken = snapshot(&filter)?;
        let indexed_to = other.as_ref().map_or_else(IndexedTo::default, |(other, _)| IndexedTo::of(other));
        Ok((PatternCounts::new((&taken, filter), other), indexed_to.and(IndexedTo::of(&taken))))
    };
    let (counts, indexed_to) = state.queries.run(begin).await??;
    let store = state.store.clone();
    let step =
        move |counts: &mut PatternCounts, budget: &mut Budget| counts.step(budget, store.logs().counters());
    let counts = state.queries.run_steps(counts, step).await?;
    let store = state.store.clone();
    let finish = move || counts.finish(is_grouped, limit, store.logs().counters());
    Ok((indexed_to, Json(state.queries.run(finish).await??)))
}

/// The same filter over the range to compare with, where one is given.
fn read_baseline(params: &Params, filter: &LineFilter) -> Result<Option<LineFilter>, ApiError> {
    Ok(params.baseline()?.map(|range| LineFilter { range, ..filter.clone() }))
}

fn read_limit(params: &Params, default: u64) -> Result<usize, ApiError> {
    let limit = params.number("limit")?.unwrap_or(default);
    if limit > MAX_LIMIT {
        let detail = format!("at most {MAX_LIMIT} are sent; narrow the filter instead");
        return Err(ApiError::parameter("limit", detail, "1000"));
    }
    Ok(limit as usize)
}

/// `GET /api/logs/patterns/{id}/values`: what stands in the variable parts, the most frequent first.
pub async fn list_values(
    State(state): State<AppState>,
    PathPart(id): PathPart,
    RawQuery(query): RawQuery,
) -> Result<(IndexedTo, Json<PatternValues>), ApiError> {
    let params = Params::parse(&query.unwrap_or_default());
    check_known(&params, &["baseline_from", "baseline_until", "slot", "limit"])?;
    let id = read_pattern("id", &id)?;
    let slot = params.number("slot")?.map(|slot| slot as usize);
    let answer = count_values(&state, &params, ValuesOf::Pattern(id, slot)).await?;
    // Whoever reads a line of the pattern sees whether it has such a part.
    if let Some(slot) = slot
        && answer.1.slots.is_empty()
        && answer.1.lines.matched > 0
    {
        let detail = format!("the pattern has no variable part {slot}; they are counted from 0");
        return Err(ApiError::parameter("slot", detail, "0"));
    }
    Ok(answer)
}

/// `GET /api/logs/fields/{name}/values`: what stands in a field, the most frequent first.
pub async fn list_field_values(
    State(state): State<AppState>,
    PathPart(name): PathPart,
    RawQuery(query): RawQuery,
) -> Result<(IndexedTo, Json<PatternValues>), ApiError> {
    let params = Params::parse(&query.unwrap_or_default());
    check_known(&params, &["baseline_from", "baseline_until", "limit"])?;
    count_values(&state, &params, ValuesOf::Field(name)).await
}

async fn count_values(
    state: &AppState,
    params: &Params,
    of: ValuesOf,
) -> Result<(IndexedTo, Json<PatternValues>), ApiError> {
    let filter = read_filter(params)?;
    let baseline = read_baseline(params, &filter)?;
    let limit = read_limit(params, DEFAULT_VALUES)?;
    let store = state.store.clone();
    let begin = move || -> Result<_, ApiError> {
        let side = |filter: LineFilter| Ok::<_, ApiError>((store.logs().snapshot(filter.range)?, filter));
        let (baseline, main) = (baseline.map(side).transpose()?, side(filter)?);
        let indexed_to = baseline.as_ref().map_or_else(IndexedTo::default, |(other, _)| IndexedTo::of(other));
        let indexed_to = indexed_to.and(IndexedTo::of(&main.0));
        Ok((ValueCounts::new(&of, ValueLimits::USUAL, main, baseline), indexed_to))
    };
    let (counts, indexed_to) = state.queries.run(begin).await??;
    let store = state.store.clone();
    let step =
        move |counts: &mut ValueCounts, budget: &mut Budget| counts.step(budget, store.logs().counters());
    Ok((indexed_to, Json(Box::pin(state.queries.run_steps(counts, step)).await?.finish(limit)?)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use serde_json::json;

    #[tokio::test]
    async fn patterns_come_with_a_line_as_it_is_stored_and_a_baseline() {
        let world = World::new();
        let lines = [
            r#"{"ts":"2026-11-20T09:29:00Z","component":"shop","msg":"took 1 ms"}"#,
            r#"{"ts":"2026-11-20T09:30:00Z","component":"shop","msg":"took 2 ms"}"#,
            r#"{"ts":"2026-11-20T09:31:00Z", "component":"shop","host":"n1","msg":"stopped","n":1e0}"#,
            r#"{"ts":"2026-11-20T09:31:01Z","component":"shop","msg":"took 3 ms"}"#,
        ];
        world.post("/api/ingest/logs", &lines.join("\n")).await;
        let path = "/api/logs/patterns?from=2026-11-20T09:30:00Z&until=2026-11-20T10:00:00Z";
        let baseline = "&baseline_from=2026-11-20T09:00:00Z&baseline_until=2026-11-20T09:30:00Z";
        let (_, body) = world.ask(&format!("{path}{baseline}"), None).await;
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(&format!(r#""line":{}}}"#, lines[2])), "{body}");
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&answer["total"], &answer["baseline_total"]), (&json!(3), &json!(1)));
        let counts = |at: usize| {
            let one = &answer["patterns"][at];
            [&one["pattern"], &one["count"], &one["baseline_count"]].map(Clone::clone)
        };
        assert_eq!(counts(0), [json!("took <*> ms"), json!(2), json!(1)]);
        assert_eq!(counts(1), [json!("stopped"), json!(1), json!(0)]);
        assert_eq!(answer["patterns"][1]["example"]["h"], json!("n1"));
        for (query, wrong) in [
            ("?baseline_from=now", "baseline_until"),
            ("?baseline_until=now", "baseline_from"),
            ("?baseline_from=now&baseline_until=-1h", "baseline_from"),
            ("?limit=1001", "limit"),
            ("?grup=true", "grup"),
        ] {
            let (parameter, _) = World::refusal(world.get(&format!("/api/logs/patterns{query}")).await);
            assert_eq!(parameter, wrong);
        }
    }

    #[tokio::test]
    async fn values_of_a_pattern_come_with_what_was_read() {
        let world = World::new();
        let line = |second: u32, millis: u32| {
            let ts = format!("2026-11-20T09:30:{second:02}Z");
            format!(r#"{{"ts":"{ts}","component":"shop","msg":"GET /a/b took {millis} ms"}}"#)
        };
        let lines = [line(1, 5), line(2, 7), line(3, 7), line(4, 9)];
        world.post("/api/ingest/logs", &lines.join("\n")).await;
        let path = "/api/logs/patterns/030232ce39646f66/values";
        let (_, mut answer) = world.get(&format!("{path}?slot=1&limit=1&contains=took")).await;
        let numbers = answer["slots"][0].as_object_mut().and_then(|slot| slot.remove("numbers"));
        let quartiles = numbers.map(|numbers| numbers["quartiles"].clone());
        assert_eq!(quartiles, Some(json!([5.0, 5.0, 7.0, 7.0, 9.0])));
        let expected = json!({
            "lines": {"total": 4, "scanned": 4, "matched": 4},
            "slots": [{"slot": 1, "lines": 4, "distinct": 3, "rest": 0, "values": [{"value": "7", "count": 2}]}],
        });
        assert_eq!(answer, expected);
        let (parameter, _) = World::refusal(world.get(&format!("{path}?slot=9")).await);
        assert_eq!(parameter, "slot");
        let (parameter, _) = World::refusal(world.get(&format!("{path}?limit=1001")).await);
        assert_eq!(parameter, "limit");
        let (parameter, _) = World::refusal(world.get("/api/logs/patterns/12/values").await);
        assert_eq!(parameter, "id");
    }

    #[tokio::test]
    async fn values_of_a_field_come_beside_those_of_a_baseline() {
        let world = World::new();
        let line = |minute: u32, rest: &str| {
            format!(r#"{{"ts":"2026-11-20T09:{minute}:00Z","component":"shop","msg":"m"{rest}}}"#)
        };
        let user = |name: &str| format!(r#","a/b c":"{name}""#);
        let lines =
            [line(20, &user("ann")), line(31, &user("ann")), line(32, &user("bob")), line(33, &user("bob"))];
        world.post("/api/ingest/logs", &[&lines[..], &[line(34, "")]].concat().join("\n")).await;
        let range = "from=2026-11-20T09:30:00Z&until=2026-11-20T10:00:00Z";
        let baseline = "baseline_from=2026-11-20T09:00:00Z&baseline_until=2026-11-20T09:30:00Z";
        let (_, answer) = world.get(&format!("/api/logs/fields/a%2Fb%20c/values?{range}&{baseline}")).await;
        let value = |value: &str, count: u64, before: u64| json!({"value": value, "count": count, "baseline_count": before});
        let expected = json!({
            "lines": {"total": 4, "scanned": 4, "matched": 4},
            "baseline": {"total": 1, "scanned": 1, "matched": 1},
            "slots": [{"slot": 0, "lines": 3, "distinct": 2, "rest": 0, "baseline_rest": 0,
                "values": [value("bob", 2, 0), value("ann", 1, 1)]}],
        });
        assert_eq!(answer, expected);
        let (_, some) = world.get(&format!("/api/logs/fields/a%2Fb%20c/values?{range}&contains=ann")).await;
        assert_eq!(some["lines"], json!({"total": 4, "scanned": 4, "matched": 1}));
        let (_, none) = world.get(&format!("/api/logs/fields/gone/values?{range}")).await;
        assert_eq!(none, json!({"lines": {"total": 4, "scanned": 4, "matched": 4}, "slots": []}));
        let (parameter, _) = World::refusal(world.get("/api/logs/fields/a/values?slot=1").await);
        assert_eq!(parameter, "slot");
        let (parameter, _) = World::refusal(world.get("/api/logs/fields/%FF/values").await);
        assert_eq!(parameter, "path");
    }
}

//! `/api/logs/facets`: which components, hosts and levels the matching lines have.

use super::indexed_to::IndexedTo;
use super::line_filter::{check_known, read_filter};
use super::{ApiError, params::Params};
use crate::query::budget::Budget;
use crate::query::facets::{FacetTally, count_facets};
use crate::query::tally::Count;
use crate::state::AppState;
use axum::Json;
use axum::extract::{RawQuery, State};
use sonde_shared::api::Facets;

/// How many values a list has unless another number is asked for.
const DEFAULT_LIMIT: u64 = 100;

/// `GET /api/logs/facets`: values with their counts, the most frequent first.
pub async fn list_facets(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<(IndexedTo, Json<Facets>), ApiError> {
    let params = Params::parse(&query.unwrap_or_default());
    check_known(&params, &["limit"])?;
    let filter = read_filter(&params)?;
    let limit = params.number("limit")?.unwrap_or(DEFAULT_LIMIT) as usize;
    let store = state.store.clone();
    let begin = move || -> Result<_, ApiError> {
        let snapshot = store.logs().snapshot(filter.range)?;
        Ok((count_facets(&snapshot, filter), IndexedTo::of(&snapshot)))
    };
    let (count, indexed_to) = state.queries.run(begin).await??;
    let store = state.store.clone();
    let step =
        move |count: &mut Count<FacetTally>, budget: &mut Budget| count.step(budget, store.logs().counters());
    Ok((indexed_to, Json(state.queries.run_steps(count, step).await?.facets(limit)?)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;

    #[tokio::test]
    async fn lists_are_by_falling_count_then_name_and_say_what_they_leave_out() {
        let world = World::new();
        let line = |second: u32, component: &str, host: &str, level: &str| {
            format!(
                r#"{{"ts":"2026-11-20T09:30:{second:02}Z","component":"{component}","host":"{host}","level":"{level}","msg":"m"}}"#
            )
        };
        let lines = [
            line(1, "shop.b", "n1", "info"),
            line(2, "shop.a", "", "error"),
            line(3, "shop.c", "n2", "info"),
            line(4, "shop.c", "n2", "info"),
            line(5, "other", "n3", "info"),
        ];
        world.post("/api/ingest/logs", &lines.join("\n")).await;
        let (_, facets) = world.get("/api/logs/facets?component=shop&limit=2").await;
        let expected = serde_json::json!({
            "total": 4,
            "components": [{"value": "shop.c", "count": 2}, {"value": "shop.a", "count": 1}],
            "hosts": [{"value": "n2", "count": 2}, {"value": "n1", "count": 1}],
            "levels": [{"value": "info", "count": 3}, {"value": "error", "count": 1}],
            "left_out": {"components": 1, "hosts": 0},
        });
        assert_eq!(facets, expected);
        let (_, facets) = world.get("/api/logs/facets?contains=%3A04Z").await;
        assert_eq!(facets["components"], serde_json::json!([{"value": "shop.c", "count": 1}]));
        let (parameter, _) = World::refusal(world.get("/api/logs/facets?limit=few").await);
        assert_eq!(parameter, "limit");
    }
}

//! The parameters that say which lines are meant: the same for every question about lines.

use super::ApiError;
use super::params::{Params, clip};
use crate::patterns::PatternId;
use crate::query::logs::{LineFilter, TextFilter};
use std::collections::BTreeSet;

const FILTER_PARAMS: [&str; 7] = ["component", "host", "level", "pattern", "contains", "from", "until"];

/// Refuses parameters that are neither a filter nor among `others`.
pub(super) fn check_known(params: &Params, others: &[&str]) -> Result<(), ApiError> {
    params.only(&[&FILTER_PARAMS[..], others].concat())
}

/// Which lines are asked for.
pub(super) fn read_filter(params: &Params) -> Result<LineFilter, ApiError> {
    Ok(LineFilter {
        range: params.range()?,
        components: params.components()?,
        hosts: params.all("host").map(str::to_owned).collect(),
        level: params.level()?,
        patterns: read_patterns(params)?,
        text: params.get("contains").map(TextFilter::containing).unwrap_or_default(),
    })
}

fn read_patterns(params: &Params) -> Result<BTreeSet<PatternId>, ApiError> {
    params.all("pattern").map(|text| read_pattern("pattern", text)).collect()
}

/// A pattern's id, as answers have it.
pub(super) fn read_pattern(parameter: &str, text: &str) -> Result<PatternId, ApiError> {
    let is_id = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = u64::from_str_radix(text, 16).ok().filter(|_| is_id).map(PatternId);
    id.ok_or_else(|| {
        let detail = format!("`{}` is no pattern; an id has 16 hexadecimal digits", clip(text));
        ApiError::parameter(parameter, detail, "030232ce39646f66")
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use serde_json::json;

    async fn world() -> World {
        let world = World::new();
        let line = |second: u32, message: &str, rest: &str| {
            format!(r#"{{"ts":"2026-11-20T09:30:{second:02}Z","component":"shop","msg":"{message}"{rest}}}"#)
        };
        let lines = [
            line(1, "GET /a/b took 12 ms", r#","status":500,"user":"a\u006en","ok":true"#),
            line(2, "GET /c/d took 9 ms", r#","status":200,"user":"bob","ok":false"#),
            line(3, "stopped", r#","nested":{"status":500}"#),
        ];
        world.post("/api/ingest/logs", &lines.join("\n")).await;
        world
    }

    /// How many lines a filter finds, the same whichever way it is asked.
    async fn found(world: &World, filter: &str) -> u64 {
        let (_, facets) = world.get(&format!("/api/logs/facets?{filter}")).await;
        let (_, histogram) = world.get(&format!("/api/logs/histogram?step=1s&{filter}")).await;
        let (_, lines) = world.ask(&format!("/api/logs?{filter}"), None).await;
        let lines = memchr::memchr_iter(b'\n', &lines).count();
        assert_eq!((json!(lines), json!(lines)), (facets["total"].clone(), histogram["total"].clone()));
        lines as u64
    }

    #[tokio::test]
    async fn patterns_are_asked_for_by_their_ids() {
        let world = world().await;
        assert_eq!(found(&world, "pattern=030232ce39646f66").await, 2);
        assert_eq!(found(&world, "pattern=030232ce39646f66&pattern=0000000000000001").await, 2);
        assert_eq!(found(&world, "pattern=0000000000000001").await, 0);
        for wrong in ["30232ce39646f66", "+30232ce39646f66", "x30232ce39646f66"] {
            let (parameter, _) = World::refusal(world.get(&format!("/api/logs?pattern={wrong}")).await);
            assert_eq!(parameter, "pattern");
        }
    }
}

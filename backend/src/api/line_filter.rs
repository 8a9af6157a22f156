//! The parameters that say which lines are meant: the same for every question about lines.

use super::ApiError;
use super::params::{Params, clip};
use crate::patterns::PatternId;
use crate::query::logs::{FieldFilter, LineFilter, TextFilter, Without, read_regex};
use memchr::memmem::Finder;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use std::collections::BTreeSet;

/// What the name of a field stands behind.
const FIELD: &str = "field.";
/// What the name of that stands behind of which lines are left out.
const NOT: &str = "not.";
/// Names behind [`NOT`] that mean what the columns tell and not a field of the line.
const COLUMNS: [&str; 4] = ["component", "host", "level", "pattern"];
const FILTER_PARAMS: [&str; 10] =
    ["component", "host", "level", "pattern", "contains", "regex", "from", "until", "field.NAME", "not.NAME"];

/// Refuses parameters that are neither a filter nor among `others`.
pub(super) fn check_known(params: &Params, others: &[&str]) -> Result<(), ApiError> {
    let named = |prefix| params.beginning_with(prefix).map(move |(name, _)| format!("{prefix}{name}"));
    let fields: Vec<String> = named(FIELD).chain(named(NOT)).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    params.only(&[&FILTER_PARAMS[..], others, &fields].concat())
}

/// Which lines are asked for.
pub(super) fn read_filter(params: &Params) -> Result<LineFilter, ApiError> {
    Ok(LineFilter {
        range: params.range()?,
        components: params.components()?,
        hosts: params.all("host").map(str::to_owned).collect(),
        level: params.level()?,
        patterns: read_patterns("pattern", params)?,
        without: read_without(params)?,
        text: read_text(params)?,
    })
}

/// What is left out by the columns.
fn read_without(params: &Params) -> Result<Without, ApiError> {
    let component = |text: &str| {
        Selector::parse(text)
            .map_err(|e| ApiError::parameter("not.component", e.to_string(), "shop.checkout"))
    };
    let level = |text: &str| {
        let detail = || format!("`{}` is not a level; exactly that one is left out", clip(text));
        Level::parse(text).ok_or_else(|| ApiError::parameter("not.level", detail(), "debug"))
    };
    Ok(Without {
        components: params.all("not.component").map(component).collect::<Result<_, _>>()?,
        hosts: params.all("not.host").map(str::to_owned).collect(),
        levels: params.all("not.level").map(level).collect::<Result<_, _>>()?,
        patterns: read_patterns("not.pattern", params)?,
    })
}

/// Fields and their values; those of one name in one filter.
fn read_fields<'a>(named: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<FieldFilter> {
    let mut fields: Vec<FieldFilter> = Vec::new();
    for (name, value) in named {
        match fields.iter_mut().find(|field| field.name == name) {
            Some(field) => field.values.push(value.to_owned()),
            None => fields.push(FieldFilter { name: name.to_owned(), values: vec![value.to_owned()] }),
        }
    }
    fields
}

fn read_text(params: &Params) -> Result<TextFilter, ApiError> {
    let not = params.beginning_with(NOT).filter(|(name, _)| !COLUMNS.contains(name));
    let wrong = |error: regex::Error| ApiError::parameter("regex", error.to_string(), r"timeout|took \d+ ms");
    Ok(TextFilter {
        contains: params.get("contains").map(|text| Finder::new(text).into_owned()),
        regex: params.get("regex").map(read_regex).transpose().map_err(wrong)?,
        fields: read_fields(params.beginning_with(FIELD)),
        without: read_fields(not),
    })
}

fn read_patterns(parameter: &str, params: &Params) -> Result<BTreeSet<PatternId>, ApiError> {
    params.all(parameter).map(|text| read_pattern(parameter, text)).collect()
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

    #[tokio::test]
    async fn lines_are_left_out_by_fields_and_by_columns() {
        let world = world().await;
        let check = async |filter: &str, expected: u64| {
            assert_eq!(found(&world, filter).await, expected, "{filter}");
        };
        check("not.status=500", 2).await;
        check("not.status=500&not.status=200", 1).await;
        check("not.status=500&field.ok=false", 1).await;
        check("not.nothing=500", 3).await;
        check("not.pattern=030232ce39646f66", 1).await;
        check("pattern=030232ce39646f66&not.pattern=030232ce39646f66", 0).await;
        check("not.component=shop", 0).await;
        check("not.component=*.cart&component=shop", 3).await;
        check("not.host=n1", 3).await;
        check("not.level=info", 0).await;
        check("not.level=WARNING&not.level=debug", 3).await;
        for wrong in ["not.level=loud", "not.component=a..b", "not.pattern=1", "not.=1"] {
            let (parameter, _) = World::refusal(world.get(&format!("/api/logs?{wrong}")).await);
            assert_eq!(Some(&*parameter), wrong.split('=').next());
        }
    }

    #[tokio::test]
    async fn text_is_asked_for_by_expressions_and_fields() {
        let world = world().await;
        assert_eq!(found(&world, "regex=took%20%5Cd%7B2%7D%20ms").await, 1);
        assert_eq!(found(&world, "regex=GET|stop").await, 3);
        assert_eq!(found(&world, "field.status=500").await, 1);
        assert_eq!(found(&world, "field.status=500&field.status=200").await, 2);
        assert_eq!(found(&world, "field.status=500&field.ok=false").await, 0);
        assert_eq!(found(&world, "field.user=ann&regex=GET&contains=12").await, 1);
        let (parameter, detail) = World::refusal(world.get("/api/logs?regex=a(b").await);
        assert_eq!(parameter, "regex");
        assert!(detail.contains("a(b") && detail.contains("unclosed group"), "{detail}");
        let huge = "/api/logs?regex=%5Cw%7B1000%7D%7B1000%7D";
        assert!(World::refusal(world.get(huge).await).1.contains("size limit"));
        assert_eq!(World::refusal(world.get("/api/logs?field.=1").await).0, "field.");
    }
}

//! Lines and filters that tests are made of, and which lines a filter takes, found by looking at each.

use crate::patterns::pattern_id;
use crate::query::budget::Budget;
use crate::query::logs::{FieldFilter, LineFilter, TextFilter, Without, read_regex};
use crate::store::Store;
use crate::store::batch::{Durability, LineBatch};
use memchr::memmem::Finder;
use proptest::prelude::*;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::path::Path;

#[derive(Clone, Debug)]
pub(in crate::query) struct TestLine {
    pub(in crate::query) ts: Timestamp,
    pub(in crate::query) component: &'static str,
    pub(in crate::query) host: &'static str,
    pub(in crate::query) level: Level,
    pub(in crate::query) pattern: &'static str,
    pub(in crate::query) text: String,
}

/// Steps so short that every answer takes many.
pub(in crate::query) const SHORT: Budget = Budget::of_rows(5);

const COMPONENTS: [&str; 5] = ["app.git", "app.git.gc", "app.gitter", "app", "db"];
const PATTERNS: [&str; 4] = ["line <*> ü", "opened line <*> ü", "line <*> ü", "line <*> ü closed by <*>"];
const HOSTS: [&str; 3] = ["", "n1", "n2"];

pub(in crate::query) fn line(
    number: usize,
    (secs, component, host, level): (i64, usize, usize, u8),
) -> TestLine {
    // Few different instants around a midnight, so that equal times and two days are common.
    let ts = Timestamp::from_secs(1_764_979_190 + secs);
    let (component, host, level) = (COMPONENTS[component], HOSTS[host], Level::from_number(level));
    let pattern = PATTERNS[number % PATTERNS.len()];
    let host_field = if host.is_empty() { String::new() } else { format!(r#","host":"{host}""#) };
    let text = format!(
        r#"{{"ts":"{ts}","component":"{component}"{host_field},"level":"{}","msg":"{}"}}"#,
        level.name(),
        pattern.replace("<*>", &number.to_string())
    );
    TestLine { ts, component, host, level, pattern, text }
}

pub(in crate::query) fn store_all(dir: &Path, lines: &[TestLine], batch_lines: usize) -> Store {
    let store = Store::open(dir).unwrap();
    for chunk in lines.chunks(batch_lines.max(1)) {
        let mut batch = LineBatch::default();
        for line in chunk {
            batch.push_line(line.text.as_bytes()).unwrap();
        }
        futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
    }
    store
}

fn field(name: &str, values: &[&str]) -> FieldFilter {
    FieldFilter { name: name.to_owned(), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

fn has_text(filter: &LineFilter, line: &str) -> bool {
    let text = |needle: &[u8]| String::from_utf8(needle.to_vec()).unwrap();
    let is_like = |expression: &str| match expression {
        "clos|7 ü" => line.contains("clos") || line.contains("7 ü"),
        "^.*\"app\"" => line.contains("\"app\""),
        other => unreachable!("{other}"),
    };
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let has = |field: &FieldFilter| field.values.iter().any(|text| value[&field.name] == text.as_str());
    filter.text.contains.as_ref().is_none_or(|finder| line.contains(&text(finder.needle())))
        && filter.text.regex.as_ref().is_none_or(|regex| is_like(regex.as_str()))
        && filter.text.fields.iter().all(has)
        && !filter.text.without.iter().any(has)
}

/// The lines that match, found by looking at each.
pub(in crate::query) fn matching<'a>(lines: &'a [TestLine], filter: &LineFilter) -> Vec<&'a TestLine> {
    let wanted = |line: &&TestLine| {
        filter.range.contains(line.ts)
            && (filter.components.is_empty() || filter.components.iter().any(|s| s.matches(line.component)))
            && (filter.hosts.is_empty() || filter.hosts.contains(line.host))
            && filter.level.is_none_or(|level| line.level >= level)
            && (filter.patterns.is_empty() || filter.patterns.contains(&pattern_id(line.pattern.as_bytes())))
            && !is_left_out(line, &filter.without)
            && has_text(filter, &line.text)
    };
    lines.iter().filter(wanted).collect()
}

fn is_left_out(line: &TestLine, without: &Without) -> bool {
    without.components.iter().any(|selector| selector.matches(line.component))
        || without.hosts.contains(line.host)
        || without.levels.contains(&line.level)
        || without.patterns.contains(&pattern_id(line.pattern.as_bytes()))
}

prop_compose! {
    pub(in crate::query) fn any_lines()(rows in prop::collection::vec((0_i64..20, 0_usize..5, 0_usize..3, 0_u8..6), 1..120)) -> Vec<TestLine> {
        rows.into_iter().enumerate().map(|(number, row)| line(number, row)).collect()
    }
}

prop_compose! {
    fn any_without()(
        component in prop::option::weighted(0.2, prop::sample::select(vec!["app.git", "*.gc", "db", "none"])),
        host in prop::option::weighted(0.2, prop::sample::select(vec!["n1", "n3"])),
        levels in prop::collection::btree_set((0_u8..6).prop_map(Level::from_number), 0..2),
        pattern in prop::option::weighted(0.2, prop::sample::select(PATTERNS.as_slice())),
    ) -> Without {
        Without {
            components: component.iter().map(|text| Selector::parse(text).unwrap()).collect(),
            hosts: host.into_iter().map(str::to_owned).collect(),
            levels,
            patterns: pattern.iter().map(|template| pattern_id(template.as_bytes())).collect(),
        }
    }
}

prop_compose! {
    pub(in crate::query) fn any_filter()(
        range in prop::option::of((0_i64..20, 0_i64..20)),
        component in prop::option::of(prop::sample::select(vec!["app.git", "app", "db", "app.*", "none"])),
        host in prop::option::of(prop::sample::select(vec!["n1", "n2", "n3"])),
        level in prop::option::of(0_u8..6),
        patterns in prop::collection::vec(prop::sample::select(PATTERNS.as_slice()), 0..3),
        fields in prop::option::weighted(0.2, prop::sample::select(vec![
            field("host", &["n1"]), field("level", &["error", "info"]), field("none", &["n1"]),
        ])),
        without in prop::option::weighted(0.4, any_without()),
        not in prop::option::weighted(0.1, prop::sample::select(vec![
            field("host", &["n1"]), field("level", &["error", "info"]), field("none", &["n1"]),
        ])),
        regex in prop::option::weighted(0.2, prop::sample::select(vec!["clos|7 ü", "^.*\"app\""])),
        contains in prop::option::of(prop::sample::select(vec!["1", "line 7 ü", "zzz"])),
    ) -> LineFilter {
        let at = |secs| Timestamp::from_secs(1_764_979_190 + secs);
        LineFilter {
            range: range.map_or(TimeRange::all(), |(a, b)| TimeRange::between(at(a), at(b))),
            components: component.iter().map(|text| Selector::parse(text).unwrap()).collect(),
            hosts: host.into_iter().map(str::to_owned).collect(),
            level: level.map(Level::from_number),
            patterns: patterns.iter().map(|template| pattern_id(template.as_bytes())).collect(),
            without: without.unwrap_or_default(),
            text: TextFilter {
                without: not.into_iter().collect(),
                contains: contains.map(Finder::new),
                regex: regex.map(|expression| read_regex(expression).unwrap()),
                fields: fields.into_iter().collect(),
            },
        }
    }
}

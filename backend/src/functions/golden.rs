//! What graphite-web answers: `tests/golden/ask_graphite.py` has asked it, and the same series are made here.

use super::parse::parse;
use super::registry::find;
use super::series::Series;
use super::{Context, Fetch, FunctionError};
use crate::functions::parse::Expression;
use crate::graphite_time::GraphiteClock;
use serde_json::Value;
use sonde_shared::glob::Glob;
use sonde_shared::time::Timestamp;
use std::collections::BTreeMap;

pub(crate) const NOW: i64 = 1_600_001_220;

/// Name, kind, seed and step of each series.
const SERIES: [(&str, &str, i64, i64); 26] = [
    ("big.a", "big", 22, 60),
    ("cnt.a", "counter", 14, 60),
    ("cnt.b", "counter_gaps", 15, 60),
    ("cnt.up", "rising", 16, 60),
    ("fast.x", "wave", 10, 10),
    ("fast.y", "gaps", 11, 10),
    ("few.a", "sparse", 23, 60),
    ("few.b", "sparse", 24, 60),
    ("neg.a", "neg", 20, 60),
    ("neg.b", "neg", 21, 60),
    ("same.five", "five", 18, 60),
    ("same.zero", "zero", 19, 60),
    ("slow.x", "wave", 12, 300),
    ("slow.y", "gaps", 13, 300),
    ("stats.timers.db-1.p95", "wave", 25, 60),
    ("stats.timers.db-2.p95", "int", 26, 60),
    ("void.at_all", "none", 17, 60),
    ("web.h1.cpu.system", "wave", 2, 60),
    ("web.h1.cpu.user", "wave", 1, 60),
    ("web.h1.mem.used", "int", 3, 60),
    ("web.h2.cpu.system", "wave", 5, 60),
    ("web.h2.cpu.user", "gaps", 4, 60),
    ("web.h2.mem.used", "int", 6, 60),
    ("web.h3.cpu.system", "gaps", 8, 60),
    ("web.h3.cpu.user", "wave", 7, 60),
    ("web.h3.mem.used", "gaps", 9, 60),
];

/// When and with which tags the events are.
const EVENTS: [(i64, &[&str]); 5] = [
    (NOW - 5_000, &["deploy"]),
    (NOW - 1_200, &["deploy", "web"]),
    (NOW - 900, &["deploy", "db"]),
    (NOW - 900, &["deploy", "web"]),
    (NOW - 61, &["a-b", "web"]),
];

/// The value of the i-th step since 1970, as the script has it.
pub(crate) fn value(kind: &str, seed: i64, i: i64) -> f64 {
    let mut h = ((i.wrapping_mul(2_654_435_761).wrapping_add(seed * 97)) ^ (i >> 3)) as u64 & 0xffff_ffff;
    h ^= h >> 15;
    h = (h * 2_246_822_519) & 0xffff_ffff;
    h ^= h >> 13;
    let wave = ((i % 48 - 24).abs() * 100 + (h % 500) as i64) as f64 / 100.0;
    let is_gap = h.is_multiple_of(7) || (20..26).contains(&(i % 60));
    let unless_gap = |value: f64| if is_gap { f64::NAN } else { value };
    let counter = (i % 17 * 10 + (h % 10) as i64) as f64;
    match kind {
        "wave" => wave,
        "gaps" => unless_gap(wave),
        "int" => (h % 100) as f64,
        "counter" => counter,
        "counter_gaps" => unless_gap(counter),
        "rising" => (i - 26_000_000) as f64 * 3.0 + (h % 3) as f64,
        "five" => 5.0,
        "zero" => 0.0,
        "neg" => wave - 15.0,
        "big" => h as f64 * 1_000_000.0,
        "sparse" if i % 5 == 0 => wave,
        "none" | "sparse" => f64::NAN,
        other => panic!("no kind {other}"),
    }
}

/// Targets to which Sonde has another answer on purpose, and why.
const OTHERWISE_HERE: [(&str, &str); 9] = [
    (
        "scale(web.h1.cpu.user,.5)",
        "graphite-web reads no number in `.5`, passes over all of it and answers with nothing",
    ),
    ("scale(seriesList=web.h1.cpu.user,factor=3)", "graphite-web fetches no series that are given by name"),
    (
        "transformNull(slow.*,3,cnt.b)",
        "graphite-web loses known values of a series that is shorter than the reference",
    ),
    ("transformNull(group(fast.x,slow.x),3,cnt.b)", "as above"),
    (
        "movingAverage(group(fast.x,slow.x),3)",
        "graphite-web looks back by the coarsest step, and shows the windows of finer series at later times than theirs",
    ),
    ("exponentialMovingAverage(group(fast.x,slow.x),3)", "as above"),
    (
        "web.*.cpu.user|aliasByNode(1)|movingAverage(\"5min\")",
        "graphite-web forgets a piped call when it evaluates an argument for the second time",
    ),
    (
        "verticalLine(\"12:30 20200913\")",
        "graphite-web's line has no name, null; here it is the name that its tags have, `None`",
    ),
    ("events('deploy','nope')", "graphite-web passes over tags that no event has, though all are asked for"),
];

/// The series that the script has.
pub(crate) struct Made;

impl Fetch for Made {
    fn fetch(&self, path: &str, from: i64, until: i64) -> Result<Vec<Series>, FunctionError> {
        let glob = Glob::parse(path).map_err(|why| FunctionError::Fetch(why.to_owned()))?;
        let fits = |name: &str| {
            let nodes: Vec<&str> = name.split('.').collect();
            nodes.len() == glob.nodes().len()
                && glob.nodes().iter().zip(nodes).all(|(node, name)| node.matches(name))
        };
        let one = |(name, kind, seed, step): (&str, &str, i64, i64)| {
            let slot = |time: i64| time.div_euclid(step) * step + step;
            let (first, last) = (slot(from), slot(until));
            let last = if last == first { last + step } else { last };
            let values =
                (first..last).step_by(step as usize).map(|time| value(kind, seed, time / step)).collect();
            Series::new(name, first, step, values)
        };
        Ok(SERIES.into_iter().filter(|(name, ..)| fits(name)).map(one).collect())
    }

    fn events(&self, tags: &[String], from: i64, until: i64) -> Result<Vec<i64>, FunctionError> {
        let has_all = |has: &[&str]| tags.iter().all(|tag| has.contains(&tag.as_str()));
        let fits = |(when, has): &(i64, &[&str])| (from..=until).contains(when) && has_all(has);
        Ok(EVENTS.into_iter().filter(fits).map(|(when, _)| when).collect())
    }
}

/// Calls of functions that are not there.
fn unknown(expression: &Expression, found: &mut Vec<String>) {
    match expression {
        Expression::Call(call) => {
            if find(&call.name).is_none() {
                found.push(call.name.clone());
            }
            call.arguments.iter().for_each(|one| unknown(one, found));
            call.named.iter().for_each(|(_, one)| unknown(one, found));
        }
        Expression::Template(inner, _) => unknown(inner, found),
        _ => {}
    }
}

/// What differs between the answers, in words.
fn difference(row: &Value, answer: &Result<Vec<Series>, FunctionError>) -> Option<String> {
    if row.get("status").is_some() {
        return answer.as_ref().ok().map(|series| format!("{} series instead of a refusal", series.len()));
    }
    let expected = row["series"].as_array()?;
    let found = match answer {
        Ok(found) => found,
        Err(error) => return Some(format!("refused: {error}")),
    };
    // Without a value in any of them JSON tells none.
    let found = if found.iter().all(|one| one.values.is_empty()) { &[] } else { &found[..] };
    if expected.len() != found.len() {
        let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
        return Some(format!("{} series instead of {}: {names:?}", found.len(), expected.len()));
    }
    expected.iter().zip(found).find_map(|(expected, found)| difference_of(expected, found))
}

fn difference_of(expected: &Value, found: &Series) -> Option<String> {
    if expected["target"] != found.name.as_str() {
        return Some(format!("name {:?} instead of {}", found.name, expected["target"]));
    }
    let tags: BTreeMap<String, String> = serde_json::from_value(expected["tags"].clone()).ok()?;
    if tags != found.tags {
        return Some(format!("tags {:?} instead of {tags:?} of {}", found.tags, found.name));
    }
    let times: Vec<i64> = serde_json::from_value(expected["times"].clone()).ok()?;
    let values: Vec<Option<f64>> = serde_json::from_value(expected["values"].clone()).ok()?;
    // None is told behind a series' end.
    let told = found.values.len().min(((found.end - found.start) / found.step + 1).max(0) as usize);
    if values.len() != told {
        return Some(format!("{told} values instead of {} of {}", values.len(), found.name));
    }
    if times.first().is_some_and(|start| *start != found.start)
        || (values.len() > 2 && times[1] != found.step)
    {
        return Some(format!(
            "start {} and step {} instead of {times:?} of {}",
            found.start, found.step, found.name
        ));
    }
    let at = values.iter().zip(&*found.values).position(|(expected, found)| !is_near(*expected, *found))?;
    Some(format!("value {at} is {} instead of {:?} of {}", found.values[at], values[at], found.name))
}

/// Sums may be added up in another order.
pub(crate) fn is_near(expected: Option<f64>, found: f64) -> bool {
    match expected {
        None => found.is_nan(),
        Some(expected) => {
            expected.to_bits() == found.to_bits()
                || (expected - found).abs() <= 1e-9 * expected.abs().max(found.abs())
        }
    }
}

/// Whether all functions of a target are there.
pub(crate) fn is_complete(target: &Expression) -> bool {
    let mut missing = Vec::new();
    unknown(target, &mut missing);
    missing.is_empty()
}

/// The queries and graphite-web's answers.
pub(crate) fn rows() -> impl Iterator<Item = Value> {
    let rows = include_str!("../../../tests/golden/render.ndjson");
    // JSON has no infinity.
    rows.lines().map(|row| serde_json::from_str(&row.replace("1e9999", "1.7976931348623157e308")).unwrap())
}

#[test]
fn answers_are_those_of_graphite_web() {
    let (mut compared, mut wrong, mut missing) = (0, Vec::new(), BTreeMap::<String, usize>::new());
    for row in rows() {
        let query = &row["query"];
        let number = |key: &str| query[key].as_i64().unwrap();
        // These are not about functions but about the answer's form.
        if query.get("maxDataPoints").is_some() || query.get("noNullPoints").is_some() {
            continue;
        }
        let target = query["target"].as_str().unwrap();
        let parsed = parse(target);
        let mut unknown_here = Vec::new();
        if let Ok(expression) = &parsed {
            unknown(expression, &mut unknown_here);
        }
        if unknown_here.iter().any(|name| name != "nope") {
            for name in unknown_here {
                *missing.entry(name).or_default() += 1;
            }
            continue;
        }
        let mut context = Context::new(&Made, number("from"), number("until"), NOW);
        if let Some(zone) = query["tz"].as_str() {
            context.clock = GraphiteClock::of_place(Timestamp::from_secs(NOW), zone);
        }
        context.x_files_factor = query["xFilesFactor"].as_str().and_then(|text| text.parse().ok());
        let answer = parsed.and_then(|expression| super::evaluate(&expression, &context));
        compared += 1;
        if OTHERWISE_HERE.iter().any(|(other, _)| *other == target) {
            assert!(
                answer.is_ok() && difference(&row, &answer).is_some(),
                "{target} is as graphite-web has it"
            );
            continue;
        }
        if let Some(difference) = difference(&row, &answer) {
            wrong.push(format!("{target} [{}..{}]: {difference}", number("from"), number("until")));
        }
    }
    let shown = wrong.iter().take(60).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(
        wrong.is_empty(),
        "{} of {compared} are not graphite-web's:\n{shown}\nnot there yet: {missing:?}",
        wrong.len()
    );
}

/// What is said of the golden answers.
const README: &str = include_str!("../../../tests/golden/README.md");

#[test]
fn each_exception_is_listed_for_readers() {
    for (target, _) in OTHERWISE_HERE {
        // A pipe is escaped in a table.
        assert!(README.contains(&target.replace('|', "\\|")), "{target}");
    }
}

#[test]
fn a_window_is_the_same_beside_a_coarser_series() {
    let context = Context::new(&Made, NOW - 1_200, NOW, NOW);
    let first = |target: &str| super::evaluate(&parse(target).unwrap(), &context).unwrap().remove(0);
    let (beside, alone) =
        (first("movingAverage(group(fast.x,slow.x),3)"), first("movingAverage(group(fast.x),3)"));
    assert_eq!((beside.start, beside.step), (alone.start, alone.step));
    let are_near = beside.values.iter().zip(&*alone.values).all(|(a, b)| is_near(Some(*a), *b));
    assert!(are_near && beside.values.len() == alone.values.len(), "{beside:?} {alone:?}");
}

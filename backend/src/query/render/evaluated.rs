//! Answers to targets that call functions: they are evaluated as a whole, then written in the form that was asked for; JSON piece by
//! piece, in [`EvaluatedJson`](super::EvaluatedJson).
//!
//! Series are read as [`JsonPieces`](super::JsonPieces) reads them, so a path answers the same inside a function and alone.

use super::evaluated_json::Points;
use super::line_counts::line_counts;
use super::plan::{Plan, plans};
use super::slots::{Slot, Slots};
use super::{MAX_ARGUMENTS, Selection, Target, TooManySeries};
use crate::functions::parse::Expression;
use crate::functions::series::Series;
use crate::functions::{Context, Fetch, FunctionError, MAX_VALUES, evaluate};
use crate::graphite_time::GraphiteClock;
use crate::query::storage_rules::StorageRules;
use crate::query::tags::{TagError, parse_all};
use crate::store::StoreError;
use crate::store::events::EventStore;
use crate::store::logs::LogStore;
use crate::store::metrics::MetricStore;
use sonde_shared::api::{Columns, Event, encode_columns};
use sonde_shared::chart::reduce::m4;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::io::Write;
use std::time::Instant;

/// A function reads at most so many bytes of events.
const MAX_EVENT_BYTES: u64 = 32 << 20;

/// A request's targets and what they are evaluated in.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// Where points are.
    pub store: &'a MetricStore,
    /// Graphite's storage rules.
    pub rules: &'a StorageRules,
    /// The range that was asked for.
    pub range: TimeRange,
    /// Until when a series may begin for it to be there at all; nothing if the range's end is later.
    pub known_until: Timestamp,
    /// Where events are.
    pub events: &'a EventStore,
    /// Where lines are.
    pub logs: &'a LogStore,
    /// The server's clock, or another instant that was asked for, with the zone that was.
    pub clock: GraphiteClock,
    /// How large a part of values must be known, where the request says so.
    pub x_files_factor: Option<f64>,
    /// What the request puts for the variables of `template`.
    pub templates: Vec<(String, String)>,
    /// When it is given up, if it is not done.
    pub deadline: Instant,
}

impl Evaluation<'_> {
    /// The series of all targets, in their order. Reads files.
    pub fn series(&self, targets: &[Expression]) -> Result<Vec<Series>, FunctionError> {
        let seconds = |at: Timestamp| at.as_secs();
        let (from, until) = (seconds(self.range.from), seconds(self.range.until));
        let mut context = Context::new(self, from, until, seconds(self.clock.now()));
        context.clock = self.clock.clone();
        context.x_files_factor = self.x_files_factor;
        context.replace(&self.templates);
        let mut all = Vec::new();
        for target in targets {
            all.append(&mut evaluate(target, &context)?);
        }
        Ok(all)
    }
}

fn failed(error: &dyn std::error::Error) -> FunctionError {
    FunctionError::Fetch(error.to_string())
}

impl Fetch for Evaluation<'_> {
    fn fetch(&self, path: &str, from: i64, until: i64) -> Result<Vec<Series>, FunctionError> {
        let target = Target::parse(path).map_err(|error| failed(&error))?;
        let select = |known, range| Selection::known(self.store, &[target], known, range, MAX_ARGUMENTS);
        self.read(path, from, until, select)
    }

    fn fetch_tagged(
        &self,
        expressions: &[&str],
        from: i64,
        until: i64,
    ) -> Result<Vec<Series>, FunctionError> {
        let wrong =
            |error: TagError| FunctionError::Argument { function: String::new(), why: error.to_string() };
        let matches = parse_all(expressions.iter().copied()).map_err(wrong)?;
        let select = |known, range| Selection::tagged(self.store, &matches, known, range, MAX_ARGUMENTS);
        self.read(&expressions.join(","), from, until, select)
    }

    fn lines(
        &self,
        component: &Selector,
        level: Option<Level>,
        range: TimeRange,
        step_secs: i64,
    ) -> Result<Vec<u64>, FunctionError> {
        line_counts(self, component, level, range, step_secs)
    }

    fn has_time(&self) -> bool {
        Instant::now() < self.deadline
    }

    fn events(&self, tags: &[String], from: i64, until: i64) -> Result<Vec<i64>, FunctionError> {
        let events = self.events.read(from, until, MAX_EVENT_BYTES);
        let events = events.map_err(|error| FunctionError::Fetch(error.to_string()))?.ok_or_else(|| {
            FunctionError::Fetch(
                "the range holds more than 32 MB of events; ask for a shorter one".to_owned(),
            )
        })?;
        let has_all = |event: &Event| tags.iter().all(|tag| event.tags.contains(tag));
        Ok(events.iter().filter(|event| has_all(event)).map(|event| event.when).collect())
    }
}

impl Evaluation<'_> {
    /// The values of series in their slots of a range, by name.
    fn read(
        &self,
        what: &str,
        from: i64,
        until: i64,
        select: impl FnOnce(TimeRange, TimeRange) -> Result<Result<Selection, TooManySeries>, StoreError>,
    ) -> Result<Vec<Series>, FunctionError> {
        let range = TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(until) };
        // A series is there at all times that a function looks at, or lists of it would not fit each other.
        let known = TimeRange {
            from: range.from.min(self.range.from),
            until: range.until.max(self.range.until).max(self.known_until),
        };
        let selection = select(known, range).map_err(|error| failed(&error))?;
        let selection = selection.map_err(|_too_many| {
            FunctionError::Fetch(format!("`{what}` names more than {MAX_ARGUMENTS} series; ask for fewer"))
        })?;
        let plans = plans(&selection, self.clock.now(), self.rules).map_err(|error| failed(&error))?;
        let values: i64 = plans.iter().map(Plan::slots).sum();
        if values > MAX_VALUES as i64 {
            return Err(FunctionError::Fetch(format!(
                "`{what}` has {values} values in this range, more than {MAX_VALUES}; ask for fewer series or a shorter range"
            )));
        }
        let one = |plan: &Plan| series_of(plan, &selection).map_err(|error| failed(&error));
        // Who asked refuses what is cut off here.
        let in_time = plans.iter().take_while(|_| self.has_time());
        let mut found = in_time.map(one).collect::<Result<Vec<_>, _>>()?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }
}

fn series_of(plan: &Plan, selection: &Selection) -> Result<Series, StoreError> {
    let mut values = Vec::with_capacity(plan.slots() as usize);
    let mut slots = Slots::of(plan);
    while let Slot::Value(value) = slots.next(plan, selection)? {
        values.push(value.unwrap_or(f64::NAN));
    }
    let mut series = Series::new(plan.name.as_str(), plan.start, plan.step, values);
    let tags = super::json::tags(&plan.name);
    series.tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Ok(series)
}

/// `raw`: a line a series, `name,start,end,step|value,value,None`.
pub fn raw(series: &[Series]) -> Vec<u8> {
    let mut text = Vec::new();
    for Series { name, start, end, step, values, .. } in series {
        write!(text, "{name},{start},{end},{step}|").expect("a Vec takes every write");
        for (number, value) in values.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let value = if value.is_nan() { "None".to_owned() } else { format!("{value:?}") };
            write!(text, "{comma}{value}").expect("a Vec takes every write");
        }
        text.push(b'\n');
    }
    text
}

/// `csv`: a line a point, `name,YYYY-MM-DD HH:MM:SS,value`, in the clock's zone.
pub fn csv(series: &[Series], clock: &GraphiteClock) -> Vec<u8> {
    let mut text = Vec::new();
    for one in series {
        let name = if one.name.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", one.name.replace('"', "\"\""))
        } else {
            one.name.clone()
        };
        for (time, value) in Points::of(one, None, 0).all() {
            let shown = clock.shown(Timestamp::from_secs(time));
            let value = if value.is_nan() { String::new() } else { format!("{value:?}") };
            write!(text, "{name},{} {},{value}\r\n", shown.date(), shown.time())
                .expect("a Vec takes every write");
        }
    }
    text
}

/// The range whose slots are those that begin in a half-open one: Graphite's ranges leave out a slot at their beginning and have one at
/// their end, which would draw lines that begin a slot late.
pub fn half_open(range: TimeRange) -> TimeRange {
    let before = |at: Timestamp| at.plus_nanos(-1).as_secs();
    let (from, until) = (before(range.from), before(range.until));
    TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(until.max(from + 1)) }
}

/// Columns for drawing; where a value is not known the line has a gap.
pub fn columns(series: &[Series], range: TimeRange, width: Option<usize>) -> Vec<u8> {
    encode_columns(&series.iter().map(|one| column(one, range, width)).collect::<Vec<_>>())
}

/// One of them.
pub(super) fn column(series: &Series, range: TimeRange, width: Option<usize>) -> Columns {
    let values = series.told().to_vec();
    let at = |number: i64| ((series.start + number * series.step) * 1_000) as f64;
    let times_ms = (0..values.len() as i64).map(at).collect();
    reduced(Columns { name: series.name.clone(), times_ms, values }, range, width)
}

/// A column with what a chart so many pixels wide shows of it.
pub(super) fn reduced(column: Columns, range: TimeRange, width: Option<usize>) -> Columns {
    let (from_ms, until_ms) = (range.from.as_nanos() as f64 / 1e6, range.until.as_nanos() as f64 / 1e6);
    match width {
        Some(width) if column.times_ms.len() > 4 * width => {
            let (times_ms, values) = m4(&column.times_ms, &column.values, from_ms, until_ms, width);
            Columns { name: column.name, times_ms, values }
        }
        _ => column,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::MAX_SECS;
    use crate::functions::golden::{Made, NOW, is_complete, is_near, rows};
    use crate::functions::parse::parse;
    use crate::query::render::{EvaluatedJson, JsonQuery, Pieces};
    use crate::store::batch::{Durability, PointBatch};
    use serde_json::Value;
    use std::time::Duration;

    fn json(series: &[Series], query: JsonQuery) -> Vec<u8> {
        EvaluatedJson::new(series.to_vec(), query).whole().unwrap()
    }

    fn series(row: &Value, target: &Expression) -> Vec<Series> {
        let number = |key: &str| row["query"][key].as_i64().unwrap();
        evaluate(target, &Context::new(&Made, number("from"), number("until"), NOW)).unwrap()
    }

    #[test]
    fn answers_of_few_points_are_those_of_graphite_web() {
        let mut compared = 0;
        for row in rows() {
            let most = row["query"].get("maxDataPoints").and_then(Value::as_u64);
            let no_null_points = row["query"].get("noNullPoints").is_some();
            let target = parse(row["query"]["target"].as_str().unwrap()).ok().filter(is_complete);
            let Some(target) = target.filter(|_| most.is_some() || no_null_points) else { continue };
            let query = JsonQuery { max_data_points: most, no_null_points, ..JsonQuery::default() };
            check(&row, &serde_json::from_slice(&json(&series(&row, &target), query)).unwrap());
            compared += 1;
        }
        assert!(compared > 150, "{compared} compared");
    }

    fn check(row: &Value, found: &Value) {
        let (expected, found) = (row["series"].as_array().unwrap(), found.as_array().unwrap());
        assert_eq!(expected.len(), found.len(), "{row}");
        for (expected, found) in expected.iter().zip(found) {
            let values: Vec<Option<f64>> = serde_json::from_value(expected["values"].clone()).unwrap();
            let points: Vec<(Option<f64>, i64)> =
                serde_json::from_value(found["datapoints"].clone()).unwrap();
            assert_eq!(expected["target"], found["target"]);
            assert_eq!(values.len(), points.len(), "{} {}", row["query"], found["datapoints"]);
            for (value, (point, _)) in values.iter().zip(&points) {
                assert!(is_near(*value, point.unwrap_or(f64::NAN)), "{} {points:?}", row["query"]);
            }
            let times: Vec<i64> = serde_json::from_value(expected["times"].clone()).unwrap();
            assert_eq!(times.first(), points.first().map(|(_, time)| time), "{}", row["query"]);
            if points.len() > 2 && row["query"].get("noNullPoints").is_none() {
                assert_eq!(times[1], points[1].1 - points[0].1, "{}", row["query"]);
            }
        }
    }

    #[tokio::test]
    async fn functions_look_before_the_first_day_and_find_what_is_younger() {
        let dir = tempfile::tempdir().unwrap();
        let store = MetricStore::open_as(dir.path(), false).unwrap();
        let day = 20_000 * 86_400;
        let mut batch = PointBatch::default();
        for at in 0..360 {
            batch.push("a.young", day + at * 10, at as f64);
        }
        store.append(batch, Durability::Acknowledged).await.unwrap();
        let (from, until) = (Timestamp::from_secs(day + 1_000), Timestamp::from_secs(day + 2_000));
        let rules = StorageRules::default();
        let range = TimeRange { from, until };
        let (clock, events) = (GraphiteClock::utc(until), EventStore::open(dir.path()).unwrap());
        let events = &events;
        let logs = &LogStore::open(dir.path()).unwrap();
        let evaluation = Evaluation {
            store: &store,
            events,
            logs,
            rules: &rules,
            range,
            known_until: until,
            clock,
            x_files_factor: None,
            templates: Vec::new(),
            deadline: Instant::now() + Duration::from_secs(MAX_SECS),
        };
        let one = |target: &str| {
            let mut series = evaluation.series(&[parse(target).unwrap()]).unwrap();
            assert_eq!(series.len(), 1, "{target}");
            series.remove(0)
        };
        // All points there are lie in the window.
        let smooth = one("movingAverage(a.young,'7d')");
        assert_eq!((smooth.values.len(), smooth.values[0], smooth.step), (100, 50.5, 10));
        let shifted = one("timeShift(a.*,'7d')");
        assert!(shifted.values.len() == 100 && shifted.values.iter().all(|value| value.is_nan()));
        let share = one("asPercent(a.young,timeShift(a.young,'7d'))");
        assert_eq!(share.name, "asPercent(a.young,timeShift(a.young, \"-7d\"))");
        let late = Evaluation { deadline: Instant::now(), clock: GraphiteClock::utc(until), ..evaluation };
        for target in ["a.young", "sumSeries(a.*)"] {
            let told = late.series(&[parse(target).unwrap()]).unwrap_err().to_string();
            assert!(told.contains("longer than 30 s"), "{told}");
        }
        let evaluation = Evaluation { deadline: Instant::now() + Duration::from_secs(MAX_SECS), ..late };
        let endless = Evaluation { range: TimeRange { from: Timestamp::from_secs(0), until }, ..evaluation };
        assert!(endless.series(&[parse("sumSeries(a.*)").unwrap()]).unwrap()[0].values.len() < 10_000);
    }

    #[test]
    fn series_without_values_are_told_beside_others_alone() {
        let empty = Series::new("a", 60, 60, Vec::new());
        let text = |series: &[Series]| String::from_utf8(json(series, JsonQuery::default())).unwrap();
        assert_eq!(text(std::slice::from_ref(&empty)), "[]");
        let both = text(&[empty, Series::new("b", 60, 60, vec![1.0])]);
        assert!(both.starts_with(r#"[{"target":"a","tags":{"name":"a"},"datapoints":[]}"#), "{both}");
    }

    #[test]
    fn other_forms_have_a_line_a_series_or_a_point() {
        let one = Series::new("a,b", 60, 60, vec![1.0, f64::NAN]);
        assert_eq!(String::from_utf8(raw(std::slice::from_ref(&one))).unwrap(), "a,b,60,180,60|1.0,None\n");
        let expected = "\"a,b\",1970-01-01 00:01:00,1.0\r\n\"a,b\",1970-01-01 00:02:00,\r\n";
        let csv = |place: &str| {
            let clock = GraphiteClock::of_place(Timestamp::default(), place);
            String::from_utf8(csv(std::slice::from_ref(&one), &clock)).unwrap()
        };
        assert_eq!(csv("UTC"), expected);
        assert_eq!(csv("Asia/Kolkata"), expected.replace(" 00:0", " 05:3"));
    }
}

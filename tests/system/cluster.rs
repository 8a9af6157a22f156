//! The real graphite-web with Sonde as the one member of its cluster: what it renders through Sonde is what Sonde renders
//! itself.

use serde_json::{Value, json};
use sonde_shared::api::IngestReport;
use sonde_tests::graphite::{GraphiteWeb, run_python};
use sonde_tests::server::TestServer;
use std::fmt::Write as _;

/// 2025-03-10T14:05:00Z, a multiple of five minutes.
const START: i64 = 1_741_615_500;
const HOURS: i64 = 2;
const NOW: i64 = START + HOURS * 3_600;

/// A value with no pattern that a mean would hide.
fn value(seed: i64, at: i64) -> f64 {
    ((at * 7_919 + seed * 104_729) % 1_000) as f64 / 8.0
}

/// Whether a point, by its number, is missing.
type IsMissing = fn(i64) -> bool;

/// Names, their steps in seconds, and which of their points are missing.
const SERIES: [(&str, i64, IsMissing); 14] = [
    ("web.h1.cpu.user", 60, |_| false),
    ("web.h2.cpu.user", 60, |at| at % 7 == 0),
    ("web.h3.cpu.user", 60, |at| (20..50).contains(&at)),
    ("web.h1.cpu.system", 60, |_| false),
    ("web.h2.cpu.system", 60, |at| at % 5 < 2),
    ("fast.x", 10, |_| false),
    ("fast.y", 10, |at| at % 11 == 3),
    ("slow.x", 300, |_| false),
    ("late.x", 60, |at| at < 60),
    ("gone.x", 60, |at| at > 30),
    ("cpu.load;dc=ams;host=web-1", 60, |_| false),
    ("cpu.load;dc=ams;host=web-2", 60, |at| at % 3 == 0),
    ("cpu.load;dc=fra;host=db-1", 60, |_| false),
    ("disk.used;fs=/var/log;host=web-1", 300, |_| false),
];

const TARGETS: [&str; 44] = [
    "web.h1.cpu.user",
    "web.*.cpu.user",
    "web.{h1,h3}.cpu.*",
    "web.h[12].cpu.user",
    "*.x",
    "no.such",
    "web.*.nothing.*",
    "fast.x",
    "slow.x",
    "late.x",
    "gone.x",
    "sumSeries(web.*.cpu.user)",
    "averageSeries(web.*.*.*)",
    "sumSeries(fast.x,slow.x)",
    "sumSeries(no.such)",
    "asPercent(web.*.cpu.user)",
    "asPercent(web.h1.cpu.user,web.h2.cpu.user)",
    "groupByNode(web.*.cpu.*,1,'sum')",
    "aliasByNode(web.*.cpu.user,1)",
    "alias(scale(fast.x,0.5),'half')",
    "movingAverage(web.h1.cpu.user,5)",
    "movingAverage(fast.x,'10min')",
    "movingMedian(web.*.cpu.user,'5min')",
    "timeShift(web.h1.cpu.user,'30min')",
    "summarize(fast.*,'5min','max')",
    "derivative(web.h1.cpu.user)",
    "nonNegativeDerivative(web.*.cpu.user)",
    "perSecond(fast.x)",
    "keepLastValue(web.h2.cpu.user)",
    "transformNull(web.h3.cpu.user,-1)",
    "highestAverage(web.*.*.*,2)",
    "removeEmptySeries(*.x)",
    "divideSeries(web.h1.cpu.user,web.h1.cpu.system)",
    "integral(slow.x)",
    "consolidateBy(fast.x,'max')",
    "web.*.cpu.user|averageSeries()|alias('mean')",
    "constantLine(5)",
    "cpu.load;dc=ams;host=web-1",
    "seriesByTag('name=cpu.load')",
    "seriesByTag('name=cpu.load', 'dc=ams')",
    "seriesByTag('host=~web','fs!=')",
    "seriesByTag('name=none')",
    "sumSeries(seriesByTag('name=cpu.load','host=~web'))",
    "seriesByTag('name=cpu.load')|groupByTags('sum','dc')",
];

fn points() -> String {
    let mut lines = String::new();
    for (seed, (name, step, is_missing)) in (1..).zip(SERIES) {
        for at in (0..=HOURS * 3_600 / step).filter(|at| !is_missing(*at)) {
            writeln!(lines, "{name} {} {}", value(seed, at), START + at * step).expect("a String takes all");
        }
    }
    lines
}

fn server() -> TestServer {
    let server = TestServer::start();
    let report: IngestReport = server.http().post("/api/ingest/metrics", points().as_bytes()).ok().json();
    assert_eq!(report.refused_total, 0);
    server
}

fn same(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

/// A value and its time.
type Point = (Option<f64>, i64);

/// What differs between two answers of `/render`, but for the last digits.
fn difference(through: &Value, own: &Value) -> Option<String> {
    let (through, own) = (through.as_array()?, own.as_array()?);
    let names = |series: &[Value]| series.iter().map(|one| one["target"].clone()).collect::<Vec<_>>();
    if names(through) != names(own) {
        return Some(format!("{:?} instead of {:?}", names(through), names(own)));
    }
    through.iter().zip(own).find_map(|(through, own)| {
        let points = |one: &Value| -> Vec<Point> {
            serde_json::from_value(one["datapoints"].clone()).expect("points are values and times")
        };
        let is_other = |(one, other): (&Point, &Point)| {
            one.1 != other.1
                || match (one.0, other.0) {
                    (Some(one), Some(other)) => !same(one, other),
                    (one, other) => one.is_some() || other.is_some(),
                }
        };
        let (one, other) = (points(through), points(own));
        let differs = one.len() != other.len()
            || one.iter().zip(&other).any(is_other)
            || through["tags"] != own["tags"];
        differs.then(|| format!("{through} instead of {own}"))
    })
}

#[test]
fn graphite_web_renders_through_sonde_what_sonde_renders_itself() {
    renders_the_same_through("msgpack");
}

/// Pickles are what it speaks to its members in where its settings name no format.
#[test]
fn graphite_web_renders_through_sonde_by_pickles_too() {
    renders_the_same_through("pickle");
}

fn renders_the_same_through(form: &str) {
    let server = server();
    let mut graphite = GraphiteWeb::over(server.listener("http"), form);
    let ranges =
        [(NOW - 3_600, NOW), (NOW - 3_607, NOW - 13), (START - 1_800, START + 600), (NOW - 600, NOW - 590)];
    let mut wrong = Vec::new();
    for target in TARGETS {
        for (number, (from, until)) in ranges.into_iter().enumerate() {
            let most = [None, Some(20), Some(7), None][number];
            let mut params = vec![
                ("target", target.to_owned()),
                ("from", from.to_string()),
                ("until", until.to_string()),
                ("now", NOW.to_string()),
                ("format", "json".to_owned()),
            ];
            params.extend(most.map(|most: u32| ("maxDataPoints", most.to_string())));
            let through = graphite.ask("/render", &params);
            let own = server.http().ask("/render", &params).ok().json();
            if let Some(difference) = difference(&through, &own) {
                wrong.push(format!("{target} over {from}..{until}, at most {most:?}: {difference}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Nodes of the same name come in no order from graphite-web.
fn by_path(mut answer: Value) -> Value {
    if let Some(nodes) = answer.get_mut("metrics").and_then(Value::as_array_mut) {
        nodes.sort_by_key(|node| node["path"].to_string());
    }
    answer
}

#[test]
fn graphite_web_finds_through_sonde_what_there_is() {
    let server = server();
    for form in ["msgpack", "pickle"] {
        let mut graphite = GraphiteWeb::over(server.listener("http"), form);
        finds_the_same_through(&server, &mut graphite);
    }
}

fn finds_the_same_through(server: &TestServer, graphite: &mut GraphiteWeb) {
    for query in ["*", "web.*", "web.h1.*", "*.x", "web.{h1,h2}.cpu.*", "no.such", "fast.x", "web.h?.cpu"] {
        for format in ["treejson", "completer", "nodelist"] {
            let params = [("query", query.to_owned()), ("format", format.to_owned())];
            let through = by_path(graphite.ask("/metrics/find", &params));
            let own: Value = server.http().ask("/metrics/find", &params).ok().json();
            assert_eq!(through, by_path(own), "{query} as {format}");
        }
    }
    for (path, params) in [
        ("/metrics/expand", vec![("query", "web.*.cpu.*".to_owned())]),
        ("/metrics/index.json", vec![]),
        ("/tags/autoComplete/tags", vec![("expr", "name=cpu.load".to_owned())]),
        ("/tags/autoComplete/values", vec![("tag", "host".to_owned()), ("expr", "dc=ams".to_owned())]),
        ("/tags/autoComplete/values", vec![("tag", "name".to_owned())]),
    ] {
        let own: Value = server.http().ask(path, &params).ok().json();
        assert_ne!(own, json!([]), "{path} {params:?}");
        assert_eq!(graphite.ask(path, &params), own, "{path} {params:?}");
    }
}

/// How Python reads a pickle of series, or of nodes, as JSON: no value is another than in the answers of other forms.
const UNPICKLED: &str = "
import json, pickle, sys
def plain(value):
    return value.tuple if hasattr(value, 'tuple') else list(value)
print(json.dumps(pickle.loads(sys.stdin.buffer.read()), default=plain))
";

#[test]
fn pythons_own_pickle_reads_what_other_forms_say() {
    let server = server();
    let range = [("from", (NOW - 900).to_string()), ("until", NOW.to_string()), ("now", NOW.to_string())];
    let ask = |path: &str, form: &str, key: &'static str, text: &str| {
        let mut params = vec![("format", form.to_owned()), (key, text.to_owned())];
        params.extend(range.clone());
        server.http().ask(path, &params).ok()
    };
    for target in ["web.*.cpu.user", "sumSeries(fast.x,slow.x)", "alias(gone.x,'\u{fc} \"q\"')", "no.such"] {
        let pickled = run_python(UNPICKLED, &ask("/render", "pickle", "target", target).body);
        let own: Value = ask("/render", "json", "target", target).json();
        let (pickled, own) = (pickled.as_array().expect("a list"), own.as_array().expect("a list"));
        assert_eq!(pickled.len(), own.len(), "{target}");
        for (series, own) in pickled.iter().zip(own) {
            let points: Vec<Point> = serde_json::from_value(own["datapoints"].clone()).expect("points");
            let values: Vec<Option<f64>> = serde_json::from_value(series["values"].clone()).expect("values");
            assert_eq!(series["name"], own["target"]);
            assert_eq!(values, points.iter().map(|(value, _)| *value).collect::<Vec<_>>(), "{target}");
            let step = series["step"].as_i64().expect("a step");
            assert_eq!(series["start"], points[0].1);
            assert_eq!(series["end"], points[0].1 + step * points.len() as i64, "{target}");
        }
    }
    let pickled = run_python(UNPICKLED, &ask("/metrics/find", "pickle", "query", "*.x").body);
    let own: Value = ask("/metrics/find", "json", "query", "*.x").json();
    let own: Vec<Value> = own.as_array().expect("a list").iter().map(with_pairs).collect();
    assert_eq!(pickled, Value::from(own));
}

/// A node of the tree with its intervals as pairs, as Python shows them.
fn with_pairs(node: &Value) -> Value {
    let mut node = node.clone();
    if let Some(intervals) = node.get_mut("intervals").and_then(Value::as_array_mut) {
        for one in intervals {
            *one = json!([one["start"], one["end"]]);
        }
    }
    node
}

//! Grafana's Graphite data source: the requests that it makes, in the form in which it makes them, and what it reads of the answers.
//!
//! Grafana itself is in no Debian and not here; its requests are those of its source (`public/app/plugins/datasource/graphite`).

use serde_json::{Value, json};
use sonde_shared::api::IngestReport;
use sonde_tests::http::Answer;
use sonde_tests::server::TestServer;
use std::fmt::Write as _;

/// 2025-03-10T14:00:00Z.
const NOW: i64 = 1_741_615_200;
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// An hour of points each ten seconds, and an event.
fn server() -> TestServer {
    let server = TestServer::start();
    let mut lines = String::new();
    for (number, name) in
        ["web.h1.cpu", "web.h2.cpu", "web.h1.mem", "load;dc=ams;host=h1", "load;dc=fra;host=h2"]
            .iter()
            .enumerate()
    {
        for at in (NOW - 3_600..=NOW).step_by(10) {
            writeln!(lines, "{name} {} {at}", at % 70 + number as i64).expect("a String takes all");
        }
    }
    let report: IngestReport = server.http().post("/api/ingest/metrics", lines.as_bytes()).ok().json();
    assert_eq!(report.refused_total, 0);
    let event = json!({"what": "deploy 1.4", "tags": ["web", "prod"], "when": NOW - 600, "data": "by ci"});
    let noted = server.http().post("/events/", event.to_string().as_bytes());
    assert_eq!(noted.status, 200, "{}", noted.text());
    server
}

fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
}

fn post(server: &TestServer, path: &str, pairs: &[(&str, &str)]) -> Answer {
    server.http().post_with(path, &form(pairs), &[FORM])
}

/// As `buildGraphiteParams` does: each target in `aliasSub`, which puts the query's letter behind the name.
fn query(server: &TestServer, targets: &[(&str, &str)], from: i64) -> Value {
    let wrapped: Vec<String> = targets
        .iter()
        .map(|(letter, target)| format!("aliasSub({target}, \"(^.*$)\", \"\\1 {letter}\")"))
        .collect();
    let (from, until) = (from.to_string(), NOW.to_string());
    let mut pairs: Vec<(&str, &str)> = wrapped.iter().map(|target| ("target", target.as_str())).collect();
    pairs.extend([
        ("from", from.as_str()),
        ("until", until.as_str()),
        ("format", "json"),
        ("maxDataPoints", "60"),
    ]);
    post(server, "/render", &pairs).ok().json()
}

#[test]
fn a_panels_queries_come_back_by_their_letters() {
    let server = server();
    let answer =
        query(&server, &[("A", "web.*.cpu"), ("B", "sumSeries(web.*.cpu)"), ("C", "no.such")], NOW - 1_800);
    let series = answer.as_array().expect("a list of series");
    let names: Vec<&Value> = series.iter().map(|one| &one["target"]).collect();
    assert_eq!(names, ["web.h1.cpu A", "web.h2.cpu A", "sumSeries(web.*.cpu) B"]);
    for one in series {
        let points: Vec<(Option<f64>, i64)> =
            serde_json::from_value(one["datapoints"].clone()).expect("points");
        assert_eq!(points.len(), 60, "{one}");
        assert!(points.iter().all(|(value, time)| value.is_some() && time % 30 == 0), "{one}");
        assert!(one["tags"]["name"].is_string(), "{one}");
    }
    // What its test of a data source asks.
    let line = query(&server, &[("A", "constantLine(100)")], NOW - 3_600);
    assert_eq!((&line[0]["target"], &line[0]["datapoints"][0][0]), (&json!("100.0 A"), &json!(100.0)));
    // The letters of other queries are put in before it asks; intervals of its own units become Graphite's.
    let nested =
        query(&server, &[("A", "movingAverage(seriesByTag('name=load', 'dc=~.*'), '5min')")], NOW - 600);
    assert_eq!(nested.as_array().map(Vec::len), Some(2));
}

#[test]
fn relative_ranges_and_its_own_parameters_are_taken() {
    let server = server();
    let pairs = [
        ("target", "web.h1.cpu"),
        ("from", "-6h"),
        ("until", "now"),
        ("format", "json"),
        ("maxDataPoints", "1000"),
        ("cacheTimeout", "60"),
        ("meta", "true"),
    ];
    let answer = server.http().post_with(
        "/render",
        &form(&pairs),
        &[FORM, ("X-Panel-Id", "3"), ("X-Dashboard-Id", "7")],
    );
    assert!(answer.ok().json::<Value>().is_array());
}

#[test]
fn variables_are_filled_by_find_expand_and_tags() {
    let server = server();
    // The range in the address, the query in the body, not encoded.
    let path = format!("/metrics/find?from={}&until={NOW}", NOW - 3_600);
    let nodes: Value = server.http().post_with(&path, b"query=web.{h1,h2}", &[FORM]).ok().json();
    let shown: Vec<(&Value, bool)> = nodes
        .as_array()
        .expect("a list of nodes")
        .iter()
        .map(|node| (&node["text"], node["expandable"] == 1))
        .collect();
    assert_eq!(shown, [(&json!("h1"), true), (&json!("h2"), true)]);
    let range = [("from", (NOW - 3_600).to_string()), ("until", NOW.to_string())];
    let ask = |path: &str, pairs: &[(&str, &str)]| -> Value {
        let mut params: Vec<(&str, String)> =
            pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        params.extend(range.clone());
        server.http().ask(path, &params).ok().json()
    };
    assert_eq!(
        ask("/metrics/expand", &[("query", "web.*.cpu")])["results"],
        json!(["web.h1.cpu", "web.h2.cpu"])
    );
    let tags = ask("/tags/autoComplete/tags", &[("expr", "name=load"), ("limit", "10000")]);
    assert_eq!(tags, json!(["dc", "host"]));
    let values = ask(
        "/tags/autoComplete/values",
        &[("expr", "name=load"), ("expr", "dc=fra"), ("tag", "host"), ("limit", "10000")],
    );
    assert_eq!(values, json!(["h2"]));
    let begun =
        ask("/tags/autoComplete/values", &[("tag", "host"), ("valuePrefix", "h"), ("expr", "dc=~.*")]);
    assert_eq!(begun, json!(["h1", "h2"]));
}

#[test]
fn its_editor_knows_the_version_and_the_functions() {
    let server = server();
    assert_eq!(server.http().get("/version").ok().text(), "1.1.10");
    let text = server.http().get("/functions").ok().text();
    // It mends graphite-web's bare `Infinity` by itself; here the JSON is JSON.
    let functions: Value = serde_json::from_str(&text).expect("JSON");
    let all = functions.as_object().expect("functions by their names");
    assert!(all.len() > 150, "{}", all.len());
    for (name, function) in all {
        assert_eq!(function["name"], name.as_str());
        assert!(
            ["description", "group", "function"].iter().all(|key| function[key].is_string()),
            "{function}"
        );
        for param in function["params"].as_array().expect("a list of parameters") {
            assert!(param["name"].is_string() && param["type"].is_string(), "{name}: {param}");
        }
    }
}

#[test]
fn events_are_annotations() {
    let server = server();
    let ask = |tags: &str| -> Value {
        let path = format!("/events/get_data?from={}&until={NOW}{tags}", NOW - 3_600);
        server.http().get(&path).ok().json()
    };
    for tags in ["", "&tags=web", "&tags=web%20prod"] {
        let events = ask(tags);
        let event = &events[0];
        let read = (&event["when"], &event["what"], &event["tags"], &event["data"]);
        assert_eq!(
            read,
            (&json!(NOW - 600), &json!("deploy 1.4"), &json!(["web", "prod"]), &json!("by ci")),
            "{tags}"
        );
    }
    assert_eq!(ask("&tags=nope"), json!([]));
}

//! What queries answer, compared with a plain scan of the same lines.

use serde_json::Value;
use sonde_shared::api::{Components, Facets, Histogram, IngestReport, Patterns, PatternsLeftOut};
use sonde_shared::log::Level;
use sonde_tests::corpus::{Corpus, Names, Recipe, Row, Style, range};
use sonde_tests::grep::grep_and_sort;
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::process::MemoryWatch;
use sonde_tests::server::{Setup, TestServer};
use std::collections::BTreeMap;

/// Over midnight, so that two days are asked at once.
fn mixed_lines() -> Corpus {
    let range = range("2025-03-09T22:00:00Z", "2025-03-10T02:00:00Z");
    Corpus::make(Recipe { seed: 11, lines: 40_000, range, style: Style::Mixed, names: Names::Few })
}

fn server_with(corpus: &Corpus) -> TestServer {
    let server = TestServer::start();
    corpus.batches(3_000).for_each(|batch| server.store_logs(batch));
    server
}

#[track_caller]
fn check(server: &TestServer, corpus: &Corpus, query: &Query) {
    let parameters = query.parameters();
    let expected = query.body(corpus);
    assert!(!expected.is_empty(), "the query `{parameters}` finds nothing, so it proves nothing");
    assert_same_lines(&server.logs(&parameters), &expected, &parameters);
}

#[test]
fn every_filter_answers_what_a_plain_scan_finds() {
    let corpus = mixed_lines();
    let server = server_with(&corpus);
    let minutes = range("2025-03-09T23:58:00Z", "2025-03-10T00:02:00Z");
    let queries = [
        Query::all(),
        Query::all().component("webapp.backend.git"),
        Query::all().component("webapp.backend.gitaly").range(minutes),
        Query::all().component("büro"),
        Query::all().host("node1"),
        Query::all().host("knoten-ä").level(Level::Error),
        Query::all().level(Level::Warn).range(minutes),
        Query::all().contains("203.0.113.7").component("webapp"),
        Query::all().contains("日本語 🚧"),
        Query::all().range(minutes).descending(),
        Query::all().component("webapp.backend.git").limit(10),
        Query::all().component("webapp.backend.git").descending().limit(10),
        Query::all().component("webapp").offset(20_000).limit(100),
        Query::all().component("webapp").host("node3").level(Level::Info).descending().offset(777).limit(333),
        Query::all().component("webapp").contains("mail").offset(50).limit(20),
    ];
    for query in &queries {
        check(&server, &corpus, query);
    }
}

#[test]
fn a_range_takes_its_first_instant_and_not_its_last() {
    let server = TestServer::start();
    let line = |nanos: u32| {
        format!("{{\"ts\":\"2025-03-10T14:05:00.{nanos:09}Z\",\"component\":\"a.b\",\"msg\":\"{nanos}\"}}\n")
    };
    let lines = [99, 100, 150, 199, 200].map(line);
    server.store_logs(lines.concat().as_bytes());
    let found = server.logs("from=2025-03-10T14:05:00.000000100Z&until=2025-03-10T14:05:00.000000200Z");
    assert_same_lines(&found, lines[1..4].concat().as_bytes(), "the range");
}

#[test]
fn several_components_and_globs_are_taken_together_in_one_order() {
    let corpus = mixed_lines();
    let server = server_with(&corpus);
    let expect = |wanted: fn(&Row) -> bool| {
        let mut rows: Vec<&Row> = corpus.rows.iter().filter(|row| wanted(row)).collect();
        rows.sort_by_key(|row| row.ts);
        rows.iter().flat_map(|row| [corpus.line(row), b"\n"].concat()).collect::<Vec<u8>>()
    };
    let found = server.logs("component=webapp.backend.mail&component=webapp.frontend");
    let both = expect(|row| matches!(row.component, "webapp.backend.mail" | "webapp.frontend"));
    assert_same_lines(&found, &both, "two components");
    let found = server.logs("component=*.backend.git");
    let git =
        ["webapp.backend.git", "webapp.backend.git.gc", "webapp.backend.git.pack.idx", "webapp2.backend.git"];
    assert!(git.iter().all(|name| corpus.rows.iter().any(|row| row.component == *name)));
    let glob = expect(|row| {
        row.component.contains(".backend.git")
            && !row.component.ends_with("aly")
            && !row.component.ends_with("mirror")
    });
    assert_same_lines(&found, &glob, "a glob");
}

#[test]
fn histograms_and_component_counts_add_up_to_the_lines() {
    let corpus = mixed_lines();
    let server = server_with(&corpus);
    let query = Query::all()
        .component("webapp.backend")
        .range(range("2025-03-09T23:00:07Z", "2025-03-10T01:00:00.5Z"));
    let histogram: Histogram =
        server.get(&format!("/api/logs/histogram?{}&step=30s", query.filters())).ok().json();
    let rows = query.rows(&corpus);
    assert_eq!((histogram.total, histogram.step_ms), (rows.len() as u64, 30_000));
    for level in Level::ALL {
        let mut expected = BTreeMap::<i64, u64>::new();
        for row in rows.iter().filter(|row| row.level == level) {
            *expected.entry(row.ts.as_millis().div_euclid(30_000) * 30_000).or_default() += 1;
        }
        let buckets = (0..).map(|index| histogram.from_ms + index * 30_000).zip(histogram.levels.get(level));
        let found: BTreeMap<i64, u64> =
            buckets.filter(|(_, count)| **count > 0).map(|(at, count)| (at, *count)).collect();
        assert_eq!(found, expected, "{level:?}");
    }
    let hour = Query::all().range(range("2025-03-09T23:00:07Z", "2025-03-10T01:00:00.5Z"));
    let components: Components = server.get(&format!("/api/components?{}", hour.filters())).ok().json();
    let mut expected = BTreeMap::<&str, (u64, u64)>::new();
    let mut hosts = BTreeMap::<&str, u64>::new();
    for row in hour.rows(&corpus) {
        let count = expected.entry(row.component).or_default();
        count.0 += 1;
        count.1 += u64::from(row.level >= Level::Error);
        *hosts.entry(row.host).or_default() += 1;
    }
    let found: BTreeMap<&str, (u64, u64)> = components
        .components
        .iter()
        .map(|count| (count.path.as_str(), (count.lines, count.errors)))
        .collect();
    assert_eq!(found, expected);
    let found: BTreeMap<&str, u64> =
        components.hosts.iter().map(|host| (host.name.as_str(), host.lines)).collect();
    assert_eq!(found, hosts);
}

#[test]
fn facets_add_up_to_the_lines() {
    let corpus = mixed_lines();
    let server = server_with(&corpus);
    let minutes = range("2025-03-09T23:30:00Z", "2025-03-10T00:30:00Z");
    let query = Query::all().component("webapp").level(Level::Info).range(minutes);
    let facets: Facets = server.get(&format!("/api/logs/facets?{}&limit=1000", query.filters())).ok().json();
    let rows = query.rows(&corpus);
    let mut expected = [BTreeMap::new(), BTreeMap::new(), BTreeMap::new()];
    for row in &rows {
        for (counts, value) in expected.iter_mut().zip([row.component, row.host, row.level.name()]) {
            *counts.entry(value).or_insert(0_u64) += 1;
        }
    }
    assert_eq!(facets.total, rows.len() as u64);
    for (list, expected) in [&facets.components, &facets.hosts, &facets.levels].into_iter().zip(expected) {
        let found: BTreeMap<&str, u64> =
            list.iter().map(|facet| (facet.value.as_str(), facet.count)).collect();
        assert_eq!(found, expected);
        assert!(list.is_sorted_by(|a, b| (b.count, &a.value) <= (a.count, &b.value)), "{list:?}");
    }
}

#[test]
fn patterns_add_up_to_the_lines_and_each_finds_its_own() {
    let corpus = mixed_lines();
    let server = server_with(&corpus);
    let minutes = range("2025-03-09T23:30:00Z", "2025-03-10T00:30:00Z");
    let query = Query::all().component("webapp.backend").range(minutes);
    let ask = |more: &str| -> Patterns<serde_json::Value> {
        server.get(&format!("/api/logs/patterns?{}{more}", query.filters())).ok().json()
    };
    let total = query.rows(&corpus).len() as u64;
    let patterns = ask("&limit=1000");
    assert_eq!((patterns.total, patterns.left_out), (total, PatternsLeftOut::default()));
    assert_eq!(patterns.patterns.iter().map(|one| one.count).sum::<u64>(), total);
    let grouped = ask("&limit=3&group=true");
    let shown: u64 = grouped.patterns.iter().map(|one| one.count).sum();
    assert_eq!((grouped.total, shown + grouped.left_out.lines), (total, total));
    for one in patterns.patterns.iter().take(5) {
        let lines = server.logs(&format!("{}&pattern={}", query.filters(), one.id));
        let lines = sonde_tests::http::split_lines(&lines);
        assert_eq!(lines.len() as u64, one.count, "{}", one.pattern);
        let is_example = |line: &&[u8]| {
            serde_json::from_slice::<serde_json::Value>(line).is_ok_and(|line| line == one.example.line)
        };
        assert!(lines.iter().any(is_example), "{}", one.pattern);
    }
}

#[test]
fn the_count_of_lines_comes_with_the_answer() {
    let corpus = mixed_lines();
    let server = server_with(&corpus);
    let query = Query::all().component("webapp.backend.git");
    let answer = server.get(&format!("/api/logs?{}", query.parameters())).ok();
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("sonde-lines"), Some(query.rows(&corpus).len().to_string().as_str()));
}

#[test]
fn an_envelope_holds_the_line_and_what_was_resolved() {
    let corpus = mixed_lines();
    let server = server_with(&corpus);
    let query = Query::all().component("webapp.backend").limit(2_000);
    let body = server.logs(&format!("{}&envelope=1", query.parameters()));
    let rows = query.rows(&corpus);
    let envelopes = sonde_tests::http::split_lines(&body);
    assert_eq!(envelopes.len(), rows.len());
    let mut ids = std::collections::BTreeSet::new();
    for (envelope, row) in envelopes.iter().zip(rows) {
        let value: serde_json::Value = serde_json::from_slice(envelope).expect("an envelope is JSON");
        let expected = (row.ts.as_nanos(), row.component, row.host, row.level.name());
        let found = (value["t"].as_i64(), value["c"].as_str(), value["h"].as_str(), value["l"].as_str());
        assert_eq!(
            found,
            (Some(expected.0), Some(expected.1), Some(expected.2), Some(expected.3)),
            "{value}"
        );
        let line = String::from_utf8_lossy(corpus.line(row)).into_owned();
        assert!(
            String::from_utf8_lossy(envelope).contains(line.trim()),
            "the line is not parsed and rewritten: {value}"
        );
        assert!(ids.insert(value["id"].as_str().expect("an id").to_owned()), "an id occurs once");
    }
}

#[test]
fn a_followed_query_sends_what_there_is_and_then_what_comes() {
    let server = TestServer::start();
    let line = |component: &str, number: u32| {
        format!(
            "{{\"ts\":\"2025-03-10T14:05:{number:02}Z\",\"component\":\"{component}\",\"msg\":\"line {number}\"}}\n"
        )
    };
    server.store_logs([line("a.b", 1), line("a.c", 2), line("a.b", 3)].concat().as_bytes());
    let stream = server.http().follow("/api/logs?component=a.b&follow=true");
    assert_eq!([stream.next_line(), stream.next_line()], [line("a.b", 1), line("a.b", 3)]);
    for number in 4..40 {
        server.store_logs(line("a.c", number).as_bytes());
        server.store_logs(line("a.b", number).as_bytes());
        assert_eq!(stream.next_line(), line("a.b", number));
    }
}

#[test]
fn a_small_component_is_answered_without_reading_the_lines_of_others() {
    let corpus = mixed_lines();
    let server = server_with(&corpus);
    let read = || server.counter("sonde_query_text_bytes_total");
    for query in [
        Query::all().component("webapp2.backend.git"),
        Query::all()
            .component("webapp.backend.git")
            .range(range("2025-03-10T00:10:00Z", "2025-03-10T00:12:00Z")),
        Query::all().host("node3").level(Level::Error),
    ] {
        let before = read();
        let body = server.logs(&query.parameters());
        assert_same_lines(&body, &query.body(&corpus), "the answer");
        let bytes = read() - before;
        let own = body.len() as f64;
        assert!(
            own > 0.0 && bytes > 0.0 && bytes <= own,
            "{}: {bytes} bytes read for {own}",
            query.parameters()
        );
    }
    let before = read();
    let counted: Histogram = server.get("/api/logs/histogram?component=webapp&step=1min").ok().json();
    assert!(counted.total > 0);
    assert!((read() - before).abs() < 1.0, "a histogram reads no text");
}

#[test]
fn a_million_lines_are_answered_as_grep_and_sort_do() {
    let range = range("2025-03-10T00:00:00Z", "2025-03-11T00:00:00Z");
    let corpus = Corpus::make(Recipe {
        seed: 1_000_000,
        lines: 1_000_000,
        range,
        style: Style::Plain,
        names: Names::Few,
    });
    let server = TestServer::start();
    let memory = MemoryWatch::of(server.pid());
    corpus.batches(20_000).for_each(|batch| server.store_logs(batch));
    let minutes = sonde_tests::corpus::range("2025-03-10T14:05:00Z", "2025-03-10T14:07:00Z");
    let brushed = Query::all().component("webapp.backend.git").range(minutes);
    check(&server, &corpus, &brushed);
    let found = server.logs(&brushed.parameters());
    let expected = grep_and_sort(&corpus.text, "webapp.backend.git", "2025-03-10T14:0[56]:");
    assert_same_lines(&found, &expected, "grep and sort of two minutes");
    let day =
        server.logs("component=webapp.backend.git&from=2025-03-10T00:00:00Z&until=2025-03-11T00:00:00Z");
    let expected = grep_and_sort(&corpus.text, "webapp.backend.git", "2025-03-10T");
    assert_same_lines(&day, &expected, "grep and sort of a day");
    let peak = memory.peak_bytes();
    assert!(peak < 300_000_000, "{peak} bytes of anonymous memory");
}

#[test]
fn an_existing_graphites_rules_decide_the_step_and_the_method() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    };
    let schemas = file("schemas.conf", "[all]\npattern = .*\nretentions = 60s:1h,5m:30d\n");
    let sums =
        file("aggregation.conf", "[sum]\npattern = \\.count$\nxFilesFactor = 0\naggregationMethod = sum\n");
    let setup = Setup::default().arg("--storage-schemas").arg(schemas).arg("--storage-aggregation").arg(sums);
    let server = setup.start();
    let start = 1_741_615_500;
    let minute = |at: u64| format!("shop.cart.count 2 {at}\nshop.cart.ms 2 {at}\n");
    let lines: Vec<String> = (0..10).map(|at| minute(start + 60 * at)).collect();
    let report: IngestReport =
        server.http().post("/api/ingest/metrics", lines.concat().as_bytes()).ok().json();
    assert_eq!(report.stored, 20);
    let answer = |target: &str, now: u64| -> Value {
        let until = start + 599;
        server
            .get(&format!("/render?format=json&target={target}&from={}&until={until}&now={now}", start - 1))
            .ok()
            .json()
    };
    assert_eq!(answer("shop.cart.count", start + 600)[0]["datapoints"].as_array().map(Vec::len), Some(10));
    let coarse = |value: f64| serde_json::json!([[value, start], [value, start + 300]]);
    assert_eq!(answer("shop.cart.count", start + 7_200)[0]["datapoints"], coarse(10.0));
    assert_eq!(answer("shop.cart.ms", start + 7_200)[0]["datapoints"], coarse(2.0));
    assert_eq!(answer("shop.cart.ms", start + 31 * 86_400), serde_json::json!([]));
}

//! With `--no-mmap` nothing of the folder is mapped, and everything is answered as ever.

use sonde_shared::api::IngestReport;
use sonde_shared::log::Level;
use sonde_tests::corpus::{Corpus, Names, Recipe, Row, Style, range};
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::process::MemoryWatch;
use sonde_tests::server::{Setup, TestServer, binary};
use sonde_tests::wait;
use std::path::Path;
use std::process::Command;

const MIDNIGHT: i64 = 1_741_564_800;
/// The most anonymous memory of a server that reads a lot without maps.
const MOST_BYTES: u64 = 200_000_000;

/// Over midnight, so that two days are asked at once; some come late.
fn mixed_lines() -> Corpus {
    let range = range("2025-03-09T22:00:00Z", "2025-03-10T02:00:00Z");
    let recipe = Recipe { seed: 12, lines: 60_000, range, style: Style::Mixed, names: Names::Few };
    Corpus::make(recipe).out_of_order(20, 3_000)
}

fn setup(data: &Path, is_mapped: bool) -> Setup {
    let setup = Setup::on(data).arg("--seal").arg("off").arg("--own-metrics").arg("off");
    if is_mapped { setup } else { setup.arg("--no-mmap") }
}

/// What is mapped of a folder, by its names in there.
fn mapped(server: &TestServer, data: &Path) -> Vec<String> {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", server.pid())).expect("the server runs");
    let data = data.canonicalize().expect("the folder is there").display().to_string();
    maps.lines().filter_map(|line| Some(line.split_once(&data)?.1.to_owned())).collect()
}

fn store_points(server: &TestServer, seconds: std::ops::Range<i64>) {
    let line = |second: i64| {
        let at = MIDNIGHT + second;
        format!("mill.wheel.turns {} {at}\nmill.stone.heat;side=left {} {at}\n", second % 97, second % 31)
    };
    let text: String = seconds.step_by(10).map(line).collect();
    let report: IngestReport = server.http().post("/api/ingest/metrics", text.as_bytes()).ok().json();
    assert_eq!(report.stored, text.lines().count() as u64);
}

/// What is asked besides lines.
const COUNTS: [&str; 16] = [
    "/api/logs?component=webapp&envelope=1",
    "/api/logs?component=webapp.backend&order=desc&limit=2000&envelope=1",
    "/api/logs?regex=took%20%5B0-9%5D%2B&limit=300",
    "/api/logs?field.host=node1&limit=300",
    "/api/logs/histogram?from=2025-03-09&until=2025-03-11&step=60s",
    "/api/logs/histogram?from=2025-03-09T23:58:03Z&until=2025-03-10T00:11:00Z&step=7s&component=webapp",
    "/api/logs/histogram?from=2025-03-09&until=2025-03-11&step=1h&contains=mail",
    "/api/logs/facets?from=2025-03-09T23:00:00Z",
    "/api/logs/facets?component=webapp&level=warn",
    "/api/logs/patterns?component=webapp",
    "/api/components?from=2025-03-09&until=2025-03-11&buckets=40",
    "/render?target=mill.*.*&target=sumSeries(mill.wheel.*)&format=json&from=1741557600&until=1741572000",
    "/render?target=mill.wheel.turns&format=json&from=1741478400&until=1741651200&maxDataPoints=50",
    "/metrics/find?query=mill.*&from=1741478400&until=1741651200",
    "/metrics/index.json?from=1741478400&until=1741651200",
    "/tags/findSeries?expr=side=left&from=1741478400&until=1741651200",
];

fn answers(server: &TestServer) -> Vec<Vec<u8>> {
    COUNTS.iter().map(|path| server.get(path).ok().body).collect()
}

fn check_lines(server: &TestServer, corpus: &Corpus) {
    let minutes = range("2025-03-09T23:58:00Z", "2025-03-10T00:02:00Z");
    let queries = [
        Query::all(),
        Query::all().descending(),
        Query::all().component("webapp.backend.git"),
        Query::all().host("knoten-ä").level(Level::Error),
        Query::all().level(Level::Warn).range(minutes),
        Query::all().contains("203.0.113.7").component("webapp"),
        Query::all().contains("日本語 🚧").descending(),
        Query::all().component("webapp").offset(20_000).limit(100),
        Query::all().component("webapp").contains("mail").offset(50).limit(20),
    ];
    for query in &queries {
        let (parameters, expected) = (query.parameters(), query.body(corpus));
        assert!(!expected.is_empty(), "the query `{parameters}` finds nothing, so it proves nothing");
        assert_same_lines(&server.logs(&parameters), &expected, &parameters);
    }
}

/// The same answers from a server that maps and from one that does not; the latter maps nothing.
fn check_both(data: &Path, corpus: &Corpus) {
    let server = setup(data, true).start();
    let expected = answers(&server);
    assert!(!mapped(&server, data).is_empty(), "else nothing is proven of the other one");
    server.stop();
    let server = setup(data, false).start();
    check_lines(&server, corpus);
    for ((path, found), expected) in COUNTS.iter().zip(answers(&server)).zip(expected) {
        assert!(expected.len() > 25, "{path} finds nothing, so it proves nothing");
        assert_same_lines(&found, &expected, path);
    }
    assert_eq!(mapped(&server, data), [""; 0]);
    server.stop();
}

#[track_caller]
fn run(args: &[&str], data: &Path) -> Vec<u8> {
    let output = Command::new(binary()).args(args).arg("--data").arg(data).output();
    let output = output.expect("the binary can be started");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn without_maps_every_answer_is_the_same_and_nothing_is_mapped() {
    let temp = tempfile::tempdir().expect("a temporary folder can be made");
    let (data, corpus) = (temp.path(), mixed_lines());
    // Half of the lines come to a server that maps, half to one that does not.
    let batches: Vec<&[u8]> = corpus.batches(3_000).collect();
    for (is_mapped, part) in [true, false].into_iter().zip(batches.chunks(batches.len().div_ceil(2))) {
        let server = setup(data, is_mapped).start();
        for batch in part {
            server.store_logs(batch);
        }
        store_points(&server, if is_mapped { -7_200..0 } else { 0..7_200 });
        if !is_mapped {
            check_lines(&server, &corpus);
            answers(&server);
            assert_eq!(mapped(&server, data), [""; 0], "of files that are written to");
        }
        server.stop();
    }
    check_both(data, &corpus);
    run(&["seal", "--no-mmap"], data);
    check_both(data, &corpus);
    for command in ["logs", "export", "check"] {
        let expected = run(&[command], data);
        assert!(!expected.is_empty());
        assert_same_lines(&run(&[command, "--no-mmap"], data), &expected, command);
    }
}

#[test]
fn without_maps_what_comes_is_followed_also_past_the_end_of_a_segment() {
    let temp = tempfile::tempdir().expect("a temporary folder can be made");
    let corpus = mixed_lines();
    let mut server = setup(temp.path(), false).start();
    let follower = server.http().follow("/api/logs?follow=true&component=webapp&contains=mail");
    let matches = |row: &&Row| {
        let is_of_it = row.component == "webapp" || row.component.starts_with("webapp.");
        is_of_it && String::from_utf8_lossy(corpus.line(row)).contains("mail")
    };
    let mut seen = 0;
    for (batch, rows) in corpus.batches(500).zip(corpus.rows.chunks(500)).take(30) {
        server.store_logs(batch);
        let mut expected: Vec<&[u8]> = rows.iter().filter(matches).map(|row| corpus.line(row)).collect();
        let mut found: Vec<String> = expected.iter().map(|_| follower.next_line()).collect();
        expected.sort_unstable();
        found.sort_unstable();
        let expected: Vec<u8> = expected.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
        assert_same_lines(found.concat().as_bytes(), &expected, "what was followed");
        seen += found.len();
    }
    assert!(seen > 50, "{seen}");
    drop(follower);
    server.kill();
    // After a crash the same lines are there.
    let server = setup(temp.path(), false).start();
    let stored = corpus.batches(500).take(30).map(<[u8]>::len).sum::<usize>();
    wait::until("all lines to be indexed", || wait::same(server.logs("").len(), &stored));
    assert_eq!(mapped(&server, temp.path()), [""; 0]);
}

/// A file that is cut short stands for a disk that fails: what is asked for cannot be read. A program that maps it would be
/// killed.
#[test]
fn without_maps_what_cannot_be_read_ends_its_answer_and_not_the_server() {
    let temp = tempfile::tempdir().expect("a temporary folder can be made");
    let corpus = mixed_lines();
    let server = setup(temp.path(), false).start();
    corpus.batches(3_000).for_each(|batch| server.store_logs(batch));
    server.stop();
    let server = setup(temp.path(), false).start();
    let before = server.logs("until=2025-03-10");
    let counts = "/api/logs/histogram?from=2025-03-10T00:00:00Z&until=2025-03-10T00:20:00Z&step=7s";
    assert_eq!(server.get(counts).status, 200);
    for (name, len) in [("logs-0001.ndjson", 5_000), ("logs-0001.idx", 300)] {
        let file = std::fs::File::options().write(true).open(temp.path().join("2025-03-10").join(name));
        file.and_then(|file| file.set_len(len)).expect("the file can be cut");
    }
    let problem = server.get(counts).problem();
    assert_eq!(problem.status, 500);
    assert!(!problem.detail.contains(".idx"), "{problem:?}");
    let lines = server.http().try_get("/api/logs?from=2025-03-10");
    assert!(lines.is_err() || lines.is_ok_and(|lines| lines.status >= 500), "half an answer is none");
    assert!(server.log().contains("could not read"), "{}", server.log());
    assert_same_lines(&server.logs("until=2025-03-10"), &before, "the other day");
    server.store_logs(br#"{"ts":"2025-03-11T00:00:00Z","msg":"it goes on"}"#);
}

#[test]
fn without_maps_a_large_day_streams_in_bounded_memory() {
    let temp = tempfile::tempdir().expect("a temporary folder can be made");
    let range = range("2025-03-10T00:00:00Z", "2025-03-11T00:00:00Z");
    let recipe = Recipe { seed: 5, lines: 1_000_000, range, style: Style::Plain, names: Names::Few };
    let corpus = Corpus::make(recipe);
    let server = setup(temp.path(), false).start();
    let memory = MemoryWatch::of(server.pid());
    corpus.batches(20_000).for_each(|batch| server.store_logs(batch));
    let all = || {
        let (mut bytes, mut sum) = (0, 0_u64);
        server.http().read("/api/logs?from=2025-03-09&until=2025-03-11", |piece| {
            bytes += piece.len();
            sum = piece.iter().fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        });
        (bytes, sum)
    };
    let whole = all();
    assert_eq!(whole.0, corpus.text.len());
    assert!(whole.0 as u64 > MOST_BYTES / 2, "{} bytes are no large day", whole.0);
    let backwards = server.logs("contains=no+such+text&order=desc");
    assert!(backwards.is_empty());
    assert_eq!(all(), whole);
    assert!(!server.logs("from=2025-03-10T14:05:00Z&until=2025-03-10T14:06:00Z").is_empty());
    let peak = memory.peak_bytes();
    assert!(peak < MOST_BYTES, "{peak} bytes of anonymous memory for {} of text", whole.0);
}

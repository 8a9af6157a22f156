//! Five thousand components, and a fifth of the lines out of order, against two hundred and none.

use crate::report::{Report, megabytes, micros_each, millis, times_in_turn};
use sonde_tests::corpus::{Corpus, Names, Recipe, Style, range};
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::process::{MemoryWatch, cpu_time};
use sonde_tests::server::TestServer;
use std::collections::BTreeMap;

const LINES: usize = 2_000_000;
/// Lines of a body.
const BODY: usize = 20_000;
/// A line out of its place lies at most so many lines further.
const REACH: usize = 50_000;
const ROUNDS: usize = 15;
/// How much longer the harder one may take.
const GOAL: &str = "1.33";

/// One of the two, fed.
struct Fed {
    server: TestServer,
    watch: MemoryWatch,
    ingest_cpu: f64,
    paths: Vec<String>,
}

/// Feeds and asks both, and compares.
pub(crate) fn compare(report: &mut Report) {
    println!("feeding and asking {LINES} lines of 200 components in order, then of 5,000 out of order");
    let easy = feed(&corpus(Names::Many));
    let hard = feed(&corpus(Names::Thousands).out_of_order(20, REACH));
    let mut row = |what: &str, hard: String, easy: String, ratio: f64| {
        report.row(
            format!("5,000 components, a fifth out of order: {what}"),
            hard,
            easy,
            format!("{ratio:.2}"),
            GOAL,
        );
    };
    let a_line = |cpu: f64| micros_each(cpu, LINES as f64);
    row(
        "CPU a line taken in",
        a_line(hard.ingest_cpu),
        a_line(easy.ingest_cpu),
        hard.ingest_cpu / easy.ingest_cpu,
    );
    for (at, what) in WHAT.into_iter().enumerate() {
        let asked = [&hard, &easy].map(|fed| (&fed.server, fed.paths[at].as_str()));
        let asked = times_in_turn(&asked, ROUNDS);
        let (hard, easy) = (asked[0].seconds, asked[1].seconds);
        row(what, millis(hard), millis(easy), hard / easy);
    }
    let (hard, easy) = (hard.watch.peak_bytes(), easy.watch.peak_bytes());
    row("anonymous memory", megabytes(hard), megabytes(easy), hard as f64 / easy as f64);
}

/// What is asked.
const WHAT: [&str; 6] = [
    "everything, two minutes",
    "everything, an hour",
    "a component, the day",
    "histogram by minute",
    "facets, a hundred names",
    "facets, all names",
];

fn corpus(names: Names) -> Corpus {
    let range = range("2025-03-10T12:00:00Z", "2025-03-10T18:00:00Z");
    Corpus::make(Recipe { seed: 5, lines: LINES, range, style: Style::Plain, names })
}

fn feed(corpus: &Corpus) -> Fed {
    let server = TestServer::start();
    let (watch, before) = (MemoryWatch::of(server.pid()), cpu_time(server.pid()));
    corpus.batches(BODY).for_each(|batch| server.store_logs(batch));
    let ingest_cpu = cpu_time(server.pid()).saturating_sub(before).as_secs_f64();
    let lines = [
        Query::all().range(range("2025-03-10T14:05:00Z", "2025-03-10T14:07:00Z")),
        Query::all().range(range("2025-03-10T14:00:00Z", "2025-03-10T15:00:00Z")),
        Query::all().component(of_lines(corpus, LINES / 100)),
    ];
    let mut paths: Vec<String> =
        lines.iter().map(|query| format!("/api/logs?{}", query.parameters())).collect();
    for (query, path) in lines.iter().zip(&paths) {
        assert_same_lines(&server.get(path).ok().body, &query.body(corpus), path);
    }
    paths.push("/api/logs/histogram?step=1min".to_owned());
    paths.push("/api/logs/facets?limit=100".to_owned());
    paths.push("/api/logs/facets?limit=10000".to_owned());
    Fed { server, watch, ingest_cpu, paths }
}

/// The component that has nearly so many lines, so that both answers are of one size.
fn of_lines(corpus: &Corpus, wanted: usize) -> &'static str {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for row in &corpus.rows {
        *counts.entry(row.component).or_default() += 1;
    }
    let nearest = counts.into_iter().min_by_key(|(_, lines)| lines.abs_diff(wanted));
    nearest.expect("there are lines").0
}

//! Answers of one size from days of several sizes: what an answer takes must not hang on what else its day holds.

use crate::report::{Report, millis, times_in_turn};
use sonde_shared::time::{NANOS_PER_SEC, TimeRange};
use sonde_tests::big_day;
use sonde_tests::http::split_lines;
use sonde_tests::many_days::Extent;
use sonde_tests::oracle::{Found, Query, assert_same_lines};
use sonde_tests::process::MemoryWatch;
use sonde_tests::server::{Setup, TestServer};
use std::path::Path;

/// Lines of a body.
const BODY: usize = 20_000;
const ROUNDS: usize = 101;
/// How much the slowest may be above the fastest.
const GOAL: &str = "± 20 %";
/// A day of so many lines is asked for two minutes, one of ten times as many for a tenth of that.
const USUAL: i64 = 10_000_000;

/// What is asked, and how long the range is in a day of the usual size.
const ASKED: [(&str, &str, i64); 3] = [
    ("a component", "webapp.backend.git", 120),
    ("a subtree", "webapp", 10),
    ("a rare component", "network.service183", 3_600),
];

/// Feeds a day of each size, asks them in turn, and compares. `is_sealed` says in which form the days are asked.
pub(crate) fn compare(report: &mut Report, sizes: &[usize], is_sealed: bool) {
    let days: Vec<Day> = sizes.iter().map(|lines| Day::feed(*lines, is_sealed)).collect();
    let form = if is_sealed { "sealed" } else { "open" };
    for (at, (what, ..)) in ASKED.iter().enumerate() {
        let asked: Vec<_> = days.iter().map(|day| (&day.server, day.asked[at].path.as_str())).collect();
        let asked = times_in_turn(&asked, ROUNDS);
        let fastest = asked.iter().map(|asked| asked.seconds).fold(f64::INFINITY, f64::min);
        for ((lines, day), asked) in sizes.iter().zip(&days).zip(asked) {
            let (sonde, ratio) = (asked.to_string(), format!("{:.2}", asked.seconds / fastest));
            let what = format!("{form}: {what}, {} lines of a day of {lines}", day.asked[at].lines);
            report.row(what, sonde, millis(fastest), ratio, GOAL);
        }
    }
}

/// A day that is served.
struct Day {
    server: TestServer,
    asked: Vec<Question>,
    _folder: tempfile::TempDir,
}

/// A query whose answer was compared.
struct Question {
    path: String,
    /// Lines of the answer.
    lines: usize,
}

impl Day {
    fn feed(lines: usize, is_sealed: bool) -> Self {
        let (extent, folder) = (Extent { days: 1, lines }, big_day::folder_beside("sizes"));
        let truth = feed(extent, folder.path(), is_sealed);
        if is_sealed {
            big_day::seal(folder.path());
        }
        let server = Setup::on(folder.path()).arg("--seal=off").start();
        let asked = queries(extent)
            .iter()
            .zip(truth)
            .map(|(query, truth)| Question::of(&server, query, &truth.body()))
            .collect();
        Self { server, asked, _folder: folder }
    }
}

impl Question {
    fn of(server: &TestServer, query: &Query, truth: &[u8]) -> Self {
        let path = format!("/api/logs?{}", query.parameters());
        assert_same_lines(&server.get(&path).ok().body, truth, &path);
        Self { path, lines: split_lines(truth).len() }
    }
}

fn queries(extent: Extent) -> [Query; ASKED.len()] {
    let from = extent.day(0).start().plus_nanos((14 * 60 + 5) * 60 * NANOS_PER_SEC);
    ASKED.map(|(_, component, seconds)| {
        let nanos = seconds * NANOS_PER_SEC / 1_000 * (USUAL * 1_000 / extent.lines as i64);
        // The part of a long range that lies before the middle keeps it within the day.
        let from = from.plus_nanos(-nanos / 2);
        Query::all().component(component).range(TimeRange { from, until: from.plus_nanos(nanos) })
    })
}

/// Feeds the day and returns the answers to expect.
fn feed(extent: Extent, folder: &Path, seals: bool) -> [Found; ASKED.len()] {
    let seal = if seals { "--seal=on" } else { "--seal=off" };
    let server = Setup::on(folder).arg(seal).start();
    let watch = MemoryWatch::of(server.pid());
    let queries = queries(extent);
    let mut found = queries.each_ref().map(|_| Found::default());
    for (hour, corpus) in extent.hours().enumerate() {
        println!("feeding hour {} of 24 of a day of {} lines", hour + 1, extent.lines);
        corpus.batches(BODY).for_each(|batch| server.store_logs(batch));
        for row in &corpus.rows {
            let asked = queries.iter().zip(&mut found).filter(|(query, _)| query.takes(&corpus, row));
            asked.for_each(|(_, found)| found.add(&corpus, row));
        }
    }
    println!("fed with at most {} MB of anonymous memory", watch.peak_bytes() / 1_000_000);
    server.stop();
    found
}

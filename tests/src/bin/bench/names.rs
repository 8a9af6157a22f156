//! Very many series: how soon they are found, and what it takes to find some of them, from memory, from a day's file, and
//! over a year of days.

use crate::report::{Report, megabytes, millis, time_of, timed};
use sonde_tests::big_day;
use sonde_tests::corpus::at;
use sonde_tests::points::{PER_SERVER, Sender, name};
use sonde_tests::process::{MemoryWatch, anonymous_bytes};
use sonde_tests::server::{Setup, TestServer};
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Connections that points come over.
const SENDERS: usize = 4;
const ROUNDS: usize = 31;
const LIMIT: Duration = Duration::from_mins(15);
/// The metric of each server that is asked for.
const METRIC: usize = 32;
const DAY_SECS: i64 = 86_400;

/// How many series, and on how many days.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) series: usize,
    pub(crate) days: usize,
}

fn start() -> i64 {
    at("2025-03-10T00:00:00Z").as_secs()
}

/// The folder of a day, by its number.
fn day(number: usize) -> String {
    let start = at("2025-03-10T00:00:00Z").plus_nanos(number as i64 * DAY_SECS * 1_000_000_000);
    start.to_string()[..10].to_owned()
}

/// Sends one point of each series, then asks for them.
pub(crate) fn compare(report: &mut Report, extent: Extent) {
    let folder = big_day::folder_beside("names");
    let label = format!("{} series", extent.series);
    let server = Setup::on(folder.path()).arg("--own-metrics=off").start();
    let watch = MemoryWatch::of(server.pid());
    send(report, extent, &label, &server);
    ask(report, extent, &format!("{label}, in memory"), &server, "");
    tell_memory(report, extent, &label, &watch, anonymous_bytes(server.pid()));
    server.stop();
    let took = timed(|| big_day::seal(folder.path()));
    report.row(format!("{label}: sealing"), millis(took.as_secs_f64()), "", "", "");
    let server = Setup::on(folder.path()).arg("--own-metrics=off").start();
    ask(report, extent, &format!("{label}, sealed"), &server, "");
    server.stop();
    over_days(report, extent, folder.path());
}

fn send(report: &mut Report, extent: Extent, label: &str, server: &TestServer) {
    let share = extent.series.div_ceil(SENDERS);
    let ranges: Vec<_> = (0..SENDERS).map(|n| n * share..((n + 1) * share).min(extent.series)).collect();
    let texts = ranges.iter().map(|range| {
        let mut text = Vec::new();
        Sender::of(range.clone()).step(start() + 7, &mut text);
        text
    });
    let texts: Vec<Vec<u8>> = texts.collect();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for text in &texts {
            let mut to = TcpStream::connect(server.listener("carbon")).expect("it listens");
            scope.spawn(move || to.write_all(text).expect("all is taken"));
        }
    });
    let sent = begun.elapsed();
    for range in ranges {
        let path = format!("/metrics/expand?query={}", name(range.end - 1));
        while expand(server, &path).is_empty() {
            assert!(begun.elapsed() < LIMIT, "{path} is never found");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let found = begun.elapsed();
    report.row(format!("{label}: sent over TCP in"), millis(sent.as_secs_f64()), "", "", "");
    report.row(
        format!("{label}: the last found, since the first byte"),
        millis(found.as_secs_f64()),
        "",
        "",
        "8 s",
    );
    let all = expand(server, "/metrics/expand?query=servers.*.*.*.*");
    assert_eq!(all.len(), extent.series, "all are found");
}

fn tell_memory(report: &mut Report, extent: Extent, label: &str, watch: &MemoryWatch, now: u64) {
    for (what, bytes) in [("at most", watch.peak_bytes()), ("now", now)] {
        let each = format!("{:.0} MB, {} bytes each", bytes as f64 / 1e6, bytes / extent.series as u64);
        report.row(format!("{label}: anonymous memory, {what}"), each, "", "", "1,024 bytes each");
    }
}

fn expand(server: &TestServer, path: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Expanded {
        results: Vec<String>,
    }
    server.get(path).ok().json::<Expanded>().results
}

/// Two questions, their answers compared with what the series are made of; the first time they are asked and the median.
fn ask(report: &mut Report, extent: Extent, label: &str, server: &TestServer, range: &str) {
    let servers = (0..extent.series).step_by(PER_SERVER).filter(|first| first + METRIC < extent.series);
    let expected: Vec<String> = servers.map(|first| name(first + METRIC)).collect();
    let many = "/metrics/expand?query=servers.*.disk.sda.await_ms".to_owned();
    let goal = "40 ms for 12,500";
    time(report, &format!("{label}: one metric of {} servers", expected.len()), server, &many, goal);
    assert_eq!(expand(server, &many), expected, "{many}");
    let one = extent.series / PER_SERVER / 2;
    let few = format!("/metrics/find?format=completer&query=servers.web{one:05}.disk.sda.{range}");
    time(report, &format!("{label}: four names"), server, &few, "2 ms");
    let found: serde_json::Value = server.get(&few).ok().json();
    let mut paths: Vec<String> = (METRIC..METRIC + 4).map(|at| name(one * PER_SERVER + at)).collect();
    paths.sort();
    let found: Vec<&str> = found["metrics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|node| node["path"].as_str().expect("a path"))
        .collect();
    assert_eq!(found, paths, "{few}");
}

fn time(report: &mut Report, label: &str, server: &TestServer, path: &str, goal: &str) {
    let first = timed(|| drop(server.get(path).ok()));
    let row = format!(
        "{}, at first {}",
        millis(time_of(server, path, ROUNDS).seconds),
        millis(first.as_secs_f64())
    );
    report.row(label, row, "", "", goal);
}

/// The same day under many dates: its files are linked, for a part does not say of which day it is.
fn over_days(report: &mut Report, extent: Extent, folder: &Path) {
    let first = folder.join(day(0));
    for number in 1..extent.days {
        let other = folder.join(day(number));
        std::fs::create_dir(&other).expect("a folder can be made");
        for file in std::fs::read_dir(&first).expect("a folder") {
            let file = file.expect("a file");
            std::fs::hard_link(file.path(), other.join(file.file_name())).expect("a file can be linked");
        }
    }
    let label = format!("{} series, {} days", extent.series, extent.days);
    let catalog = folder.join("catalog");
    assert!(!catalog.exists(), "one day needs none");
    let server = Setup::on(folder).arg("--own-metrics=off").start();
    ask_once_without_catalog(report, &label, &server);
    let begun = Instant::now();
    while !catalog.exists() {
        assert!(begun.elapsed() < LIMIT, "there is never a catalog");
        std::thread::sleep(Duration::from_millis(100));
    }
    let took = millis(begun.elapsed().as_secs_f64());
    report.row(format!("{label}: the catalog is there after"), took, "", "", "");
    let size = catalog.metadata().expect("it is there").len() as f64 / 1e6;
    report.row(format!("{label}: the catalog"), format!("{size:.0} MB"), "", "", "");
    server.stop();
    let begun = Instant::now();
    let server = Setup::on(folder).arg("--own-metrics=off").start();
    report.row(format!("{label}: start"), millis(begun.elapsed().as_secs_f64()), "", "", "");
    ask(report, extent, &label, &server, "");
    let (from, until) = (start() + 2 * DAY_SECS, start() + extent.days as i64 * DAY_SECS / 2);
    ask(report, extent, &format!("{label}, the first half"), &server, &format!("&from={from}&until={until}"));
    check_intervals(extent, &server);
    let now = anonymous_bytes(server.pid());
    report.row(format!("{label}: anonymous memory"), megabytes(now), "", "", "");
}

fn ask_once_without_catalog(report: &mut Report, label: &str, server: &TestServer) {
    let path = format!("/metrics/expand?query={}", name(0));
    let took = timed(|| assert_eq!(expand(server, &path), [name(0)]));
    report.row(format!("{label}: one name without a catalog"), millis(took.as_secs_f64()), "", "", "");
}

/// Each series has a point in the eighth second of each day.
fn check_intervals(extent: Extent, server: &TestServer) {
    let path = format!("/metrics/find?format=json&query={}", name(METRIC));
    let found: serde_json::Value = server.get(&path).ok().json();
    let end = start() + 7 + (extent.days as i64 - 1) * DAY_SECS;
    let interval = serde_json::json!([{"start": start() + 7, "end": end}]);
    assert_eq!(found[0]["intervals"], interval, "{path}");
}

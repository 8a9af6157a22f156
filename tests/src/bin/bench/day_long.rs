//! A day's load, hour by hour of the lines' own clock, while followers and readers come and go: memory must stay flat.

use crate::report::{Report, megabytes};
use sonde_shared::time::{NANOS_PER_SEC, TimeRange};
use sonde_tests::big_day;
use sonde_tests::http::split_lines;
use sonde_tests::many_days::Extent;
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::process::{MemoryWatch, anonymous_bytes, open_files, threads};
use sonde_tests::server::{Setup, TestServer};

/// Lines of a body.
const BODY: usize = 20_000;
/// How often each question is asked after each hour.
const ROUNDS: usize = 20;

/// Feeds a day of so many lines and asks after each of its hours.
pub(crate) fn compare(report: &mut Report, lines: usize) {
    let (extent, folder) = (Extent { days: 1, lines }, big_day::folder_beside("day-long"));
    let server = Setup::on(folder.path()).start();
    let watch = MemoryWatch::of(server.pid());
    let (mut seen, mut stored) = (Vec::new(), 0);
    for (hour, corpus) in extent.hours().enumerate() {
        println!("hour {} of 24 of a day of {lines} lines", hour + 1);
        corpus.batches(BODY).for_each(|batch| server.store_logs(batch));
        stored += corpus.rows.len();
        let from = extent.day(0).start().plus_nanos((hour as i64 * 3_600 + 1_800) * NANOS_PER_SEC);
        let query = Query::all()
            .component("webapp.backend.git")
            .range(TimeRange { from, until: from.plus_nanos(120 * NANOS_PER_SEC) });
        let path = format!("/api/logs?{}", query.parameters());
        assert_same_lines(&server.get(&path).ok().body, &query.body(&corpus), &path);
        (0..ROUNDS).for_each(|_| ask(&server, extent, &path));
        seen.push((anonymous_bytes(server.pid()), open_files(server.pid()), threads(server.pid())));
    }
    let all = server.logs("component=network.service183");
    println!("{stored} lines stored, {} of one component at the end", split_lines(&all).len());
    for hour in [2, 6, 12, 18, 24] {
        let (bytes, files, threads) = seen[hour - 1];
        let memory = format!("{:.0} MB, {files} files open, {threads} threads", bytes as f64 / 1e6);
        report.row(format!("a day's load, after {hour} of its 24 hours"), memory, "", "", "flat");
    }
    let peak = megabytes(watch.peak_bytes());
    report.row("a day's load: anonymous memory at most", peak, "", "", "200 MB");
}

/// All kinds of questions, of the hour and of the day so far.
fn ask(server: &TestServer, extent: Extent, lines: &str) {
    let day = format!("from={}&until={}", extent.range().from, extent.range().until);
    for path in [
        lines.to_owned(),
        format!("/api/logs/histogram?step=1min&{day}"),
        format!("/api/logs/facets?{day}"),
        format!("/api/logs/patterns?component=webapp&{day}"),
        format!("/api/components?{day}"),
        format!("/api/logs?component=webapp&contains=took%2042&limit=200&{day}"),
    ] {
        drop(server.get(&path).ok());
    }
}

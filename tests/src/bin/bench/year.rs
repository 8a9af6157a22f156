//! One series over a year: drawn from rollups, with every spike in it.

use crate::report::{Report, time_of};
use sonde_shared::api::decode_columns;
use sonde_tests::big_day;
use sonde_tests::corpus::at;
use sonde_tests::points::{Walk, name};
use sonde_tests::process::MemoryWatch;
use sonde_tests::server::{Setup, TestServer};
use std::io::{BufWriter, Write};
use std::net::TcpStream;
use std::time::Duration;

const DAYS: i64 = 365;
const STEP_SECS: i64 = 60;
const ROUNDS: usize = 21;
/// The series that is asked for, and the point of it that is a spike.
const ASKED: usize = 1;
const SPIKE: (i64, f64) = (200 * 86_400 + 12_360, 1e6);

fn start() -> i64 {
    at("2025-01-01T00:00:00Z").as_secs()
}

/// Feeds a year of so many series at a minute and asks for one.
pub(crate) fn compare(report: &mut Report, series: usize) {
    let folder = big_day::folder_beside("year");
    feed(&Setup::on(folder.path()).start(), series);
    println!("sealing");
    big_day::seal(folder.path());
    let server = TestServer::on(folder.path());
    let watch = MemoryWatch::of(server.pid());
    let range = format!("from={}&until={}", start(), start() + DAYS * 86_400);
    let path = format!("/render?target={}&{range}&format=columns&downsample=m4&width=1000", name(ASKED));
    check(&server, &path);
    let label = format!("a year of {series} series at a minute");
    time(report, &server, &format!("{label}: one, drawn at 1,000 pixels"), &path, "20 ms");
    let path = format!("/render?target={}&{range}&format=json&maxDataPoints=1000", name(ASKED));
    time(report, &server, &format!("{label}: one, the means of all its points"), &path, "");
    let peak = format!("{:.0} MB", watch.peak_bytes() as f64 / 1e6);
    report.row(format!("{label}: anonymous memory while asked"), peak, "", "", "400 MB");
}

fn feed(server: &TestServer, series: usize) {
    let to = TcpStream::connect(server.listener("carbon")).expect("it listens");
    let mut to = BufWriter::with_capacity(1 << 18, to);
    let mut walks: Vec<(String, Walk)> = (0..series).map(|number| (name(number), Walk::of(number))).collect();
    for step in 0..DAYS * 86_400 / STEP_SECS {
        let since = step * STEP_SECS;
        if since % (30 * 86_400) == 0 {
            println!("feeding day {} of {DAYS}", since / 86_400);
        }
        for (number, (name, walk)) in walks.iter_mut().enumerate() {
            let value = walk.next_value();
            let value = if (number, since) == (ASKED, SPIKE.0) { SPIKE.1 } else { value };
            writeln!(to, "{name} {value} {}", start() + since).expect("it is taken");
        }
    }
    to.flush().expect("it is taken");
    drop(to);
    let points = (series as i64 * DAYS * 86_400 / STEP_SECS) as f64;
    while server.counter("sonde_metrics_stored_points_total") < points {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The extremes are those of all points.
fn check(server: &TestServer, path: &str) {
    let columns = decode_columns(&server.get(path).ok().body).expect("columns");
    let mut walk = Walk::of(ASKED);
    let values = (0..DAYS * 86_400 / STEP_SECS).map(|step| {
        let value = walk.next_value();
        if step * STEP_SECS == SPIKE.0 { SPIKE.1 } else { value }
    });
    let extremes = |values: &mut dyn Iterator<Item = f64>| {
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let expected = extremes(&mut values.into_iter());
    let drawn = extremes(&mut columns[0].values.iter().copied().filter(|value| !value.is_nan()));
    assert_eq!((drawn, expected.1), (expected, SPIKE.1), "{path}");
    let pixel = DAYS as f64 * 86_400.0;
    let at = columns[0].values.iter().position(|value| *value >= SPIKE.1).expect("the spike is drawn");
    let off = (columns[0].times_ms[at] - (start() + SPIKE.0) as f64 * 1_000.0).abs();
    assert!(off < pixel / 2.0, "the spike is drawn {off} ms off");
}

fn time(report: &mut Report, server: &TestServer, what: &str, path: &str, goal: &str) {
    report.row(what, time_of(server, path, ROUNDS).to_string(), "", "", goal);
}

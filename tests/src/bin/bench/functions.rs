//! Graphite's functions over HTTP: what they make of many series, each answer compared with one that is computed here from the same points.

use crate::report::{Report, median, millis, timed};
use sonde_shared::api::IngestReport;
use sonde_tests::big_day;
use sonde_tests::corpus::at;
use sonde_tests::points::{STEP_SECS, Walk};
use sonde_tests::process::{MemoryWatch, cpu_time};
use sonde_tests::server::TestServer;
use std::fmt::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const HOSTS: usize = 100;
const METRICS: usize = 10;
const ROUNDS: usize = 31;
/// Points of an hour.
pub(crate) const HOUR: usize = 360;
/// Steps that are sent in one body.
const STEPS_A_BODY: usize = 90;
/// Points of a window of `movingAverage`.
const WINDOW: usize = 30;

/// What was sent: each series' values, those of a host together.
pub(crate) struct Sent {
    series: Vec<Vec<f64>>,
    hours: usize,
}

/// A series of an answer.
#[derive(serde::Deserialize)]
struct Rendered {
    target: String,
    datapoints: Vec<(Option<f64>, i64)>,
}

/// A series as it has to be, from its first moment on.
pub(crate) struct Expected {
    target: String,
    first: usize,
    pub(crate) values: Vec<f64>,
}

fn name(series: usize) -> String {
    format!("app.host{:02}.metric{}", series / METRICS, series % METRICS)
}

pub(crate) fn path(target: &str, range: &str) -> String {
    format!("/render?format=json&{range}&target={}", target.replace('\'', "%27"))
}

fn start() -> i64 {
    at("2025-03-10T00:00:00Z").as_secs()
}

/// The second of a moment, by its number.
pub(crate) fn time_of(moment: usize) -> i64 {
    start() + moment as i64 * STEP_SECS
}

/// Asks for so many hours of a thousand series, of which sums and shares take the last one.
pub(crate) fn compare(report: &mut Report, hours: usize) {
    let sent = Sent::of(hours);
    let folder = big_day::folder_beside("functions");
    let server = TestServer::on(folder.path());
    println!("sending {} hours of {} series", hours, sent.series.len());
    sent.send_to(&server);
    sent.ask(report, "as it came", &server);
    server.stop();
    big_day::seal(folder.path());
    let server = TestServer::on(folder.path());
    let watch = MemoryWatch::of(server.pid());
    sent.ask(report, "sealed", &server);
    let peak = format!("{:.0} MB", watch.peak_bytes() as f64 / 1e6);
    report.row("functions, sealed: anonymous memory", peak, "", "", "400 MB");
}

impl Sent {
    pub(crate) fn of(hours: usize) -> Self {
        let values = |series: usize| {
            let mut walk = Walk::of(series);
            (0..hours * HOUR).map(|_| walk.next_value()).collect()
        };
        Self { series: (0..HOSTS * METRICS).map(values).collect(), hours }
    }

    /// How many points there are.
    pub(crate) fn points(&self) -> usize {
        self.series.len() * self.hours * HOUR
    }

    /// The number of the first moment of the last hour.
    pub(crate) fn first_of_last_hour(&self) -> usize {
        (self.hours - 1) * HOUR
    }

    /// Graphite's lines, body by body.
    fn bodies(&self, mut take: impl FnMut(&[u8])) {
        let mut body = String::new();
        for first in (0..self.hours * HOUR).step_by(STEPS_A_BODY) {
            body.clear();
            for step in first..(first + STEPS_A_BODY).min(self.hours * HOUR) {
                for (number, values) in self.series.iter().enumerate() {
                    writeln!(body, "{} {} {}", name(number), values[step], time_of(step))
                        .expect("a text takes every write");
                }
            }
            take(body.as_bytes());
        }
    }

    pub(crate) fn send_to(&self, server: &TestServer) {
        self.bodies(|body| {
            let report: IngestReport = server.http().post("/api/ingest/metrics", body).ok().json();
            assert_eq!(report.refused_total, 0, "{:?}", report.refused.first());
        });
    }

    /// Sends them over TCP.
    pub(crate) fn send_over(&self, address: SocketAddr) {
        let mut to = TcpStream::connect(address).expect("it listens");
        self.bodies(|body| std::io::Write::write_all(&mut to, body).expect("all is taken"));
    }

    fn ask(&self, report: &mut Report, form: &str, server: &TestServer) {
        let end = start() + (self.hours * HOUR) as i64 * STEP_SECS;
        let hour = format!("from={}&until={}", end - 3_601, end - 1);
        let all = format!("from={}&until={}", start() - 1, end - 1);
        let hours = self.hours;
        let mut row = |target: &str, range: &str, goal: &str, of: &str, expected: Vec<Expected>| {
            let path = path(target, range);
            check(server, &path, &expected);
            report.row(format!("{target}, {of}, {form}"), took(server, &path), "", "", goal);
        };
        row("sumSeries(app.*.*)", &hour, "20 ms", "1,000 series, an hour", self.sum());
        row("asPercent(app.*.*)", &hour, "", "1,000 series, an hour", self.shares());
        row("groupByNode(app.*.*,1,'sum')", &hour, "", "1,000 series, an hour", self.groups());
        let target = "movingAverage(app.*.metric0,'5min')";
        row(target, &all, "", &format!("100 series, {hours} h"), self.means());
        // What asks for no more points than its chart is wide.
        let path = path(target, &format!("{all}&maxDataPoints=1000"));
        let what = format!("{target}, 1,000 points each of {hours} h, {form}");
        report.row(what, took(server, &path), "", "", "");
    }

    /// The last hour of a series.
    fn hour(&self, series: usize) -> &[f64] {
        &self.series[series][self.first_of_last_hour()..]
    }

    /// Some series' last hour, added up.
    fn added(&self, series: impl Iterator<Item = usize>) -> Vec<f64> {
        series.fold(vec![0.0; HOUR], |sums, one| {
            sums.iter().zip(self.hour(one)).map(|(sum, value)| sum + value).collect()
        })
    }

    pub(crate) fn sum(&self) -> Vec<Expected> {
        let values = self.added(0..self.series.len());
        vec![Expected { target: "sumSeries(app.*.*)".to_owned(), first: self.first_of_last_hour(), values }]
    }

    pub(crate) fn shares(&self) -> Vec<Expected> {
        let (total, first) = (self.added(0..self.series.len()), self.first_of_last_hour());
        let share = |(value, total): (&f64, &f64)| 100.0 * value / total;
        let one = |series: usize| Expected {
            target: format!("asPercent({0},sumSeries(app.*.*))", name(series)),
            first,
            values: self.hour(series).iter().zip(&total).map(share).collect(),
        };
        (0..self.series.len()).map(one).collect()
    }

    pub(crate) fn groups(&self) -> Vec<Expected> {
        let one = |host: usize| Expected {
            target: format!("host{host:02}"),
            first: self.first_of_last_hour(),
            values: self.added(host * METRICS..(host + 1) * METRICS),
        };
        (0..HOSTS).map(one).collect()
    }

    /// Each moment with those before it that are in its window, fewer at the beginning.
    pub(crate) fn means(&self) -> Vec<Expected> {
        let one = |host: usize| {
            let values = &self.series[host * METRICS];
            let window = |last: usize| &values[(last + 1).saturating_sub(WINDOW)..=last];
            let mean = |window: &[f64]| window.iter().sum::<f64>() / window.len() as f64;
            let target = format!("movingAverage({},\"5min\")", name(host * METRICS));
            Expected { target, first: 0, values: (0..values.len()).map(|last| mean(window(last))).collect() }
        };
        (0..HOSTS).map(one).collect()
    }
}

/// How long an answer takes, and how much of a core, which is the same however busy the machine is.
fn took(server: &TestServer, path: &str) -> String {
    let before = cpu_time(server.pid());
    let times: Vec<Duration> = (0..ROUNDS).map(|_| timed(|| drop(server.get(path).ok()))).collect();
    let cpu = cpu_time(server.pid()).saturating_sub(before).as_secs_f64() / ROUNDS as f64;
    format!("{} ({} CPU)", millis(median(times)), millis(cpu))
}

/// The whole answer, value by value.
pub(crate) fn check(server: &TestServer, path: &str, expected: &[Expected]) {
    let rendered: Vec<Rendered> = server.get(path).ok().json();
    assert_eq!(rendered.len(), expected.len(), "series of {path}");
    for (found, expected) in rendered.iter().zip(expected) {
        assert_eq!(found.target, expected.target, "{path}");
        assert_eq!(found.datapoints.len(), expected.values.len(), "points of {} of {path}", found.target);
        for (number, ((value, time), expected_value)) in
            found.datapoints.iter().zip(&expected.values).enumerate()
        {
            let expected_time = time_of(expected.first + number);
            let is_near = value
                .is_some_and(|value| (value - expected_value).abs() <= 1e-9 * expected_value.abs().max(1.0));
            assert!(
                is_near && *time == expected_time,
                "{value:?} at {time} instead of {expected_value} at {expected_time}: {path}"
            );
        }
    }
}

//! Points: taking them in over TCP, what they take on disk, and the answers from them.

use crate::report::{Report, megabytes, micros_each, millis, time_of, timed};
use sonde_tests::big_day;
use sonde_tests::corpus::at;
use sonde_tests::points::{PER_SERVER, STEP_SECS, Sender, Walk, name};
use sonde_tests::process::{MemoryWatch, cpu_time};
use sonde_tests::server::{Setup, TestServer};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Connections that points come over.
const SENDERS: usize = 4;
const ROUNDS: usize = 31;

/// How many series, and how many points each has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) series: usize,
    pub(crate) steps: usize,
}

impl Extent {
    pub(crate) fn points(self) -> u64 {
        self.series as u64 * self.steps as u64
    }

    fn end(self) -> i64 {
        start() + self.steps as i64 * STEP_SECS
    }

    /// What each sender writes, in files that are made once.
    pub(crate) fn texts(self) -> Vec<PathBuf> {
        let share = self.series.div_ceil(SENDERS);
        let ranges = (0..SENDERS).map(|n| n * share..((n + 1) * share).min(self.series));
        let folder = big_day::beside(&format!("points-1-{}-{}", self.series, self.steps));
        let paths: Vec<PathBuf> = (0..SENDERS).map(|n| folder.join(format!("sender-{n}"))).collect();
        if folder.join("done").exists() {
            return paths;
        }
        println!("writing what {} series send in {} steps", self.series, self.steps);
        std::fs::create_dir_all(&folder).expect("the target folder can be written");
        std::thread::scope(|scope| {
            for (range, path) in ranges.zip(&paths) {
                scope.spawn(move || self.write(Sender::of(range), path));
            }
        });
        File::create(folder.join("done")).expect("a file can be made");
        paths
    }

    fn write(self, mut sender: Sender, path: &Path) {
        let mut file = BufWriter::new(File::create(path).expect("a file can be made"));
        let mut text = Vec::new();
        for step in 0..self.steps {
            text.clear();
            sender.step(start() + step as i64 * STEP_SECS, &mut text);
            file.write_all(&text).expect("a file can be written");
        }
        file.flush().expect("a file can be written");
    }
}

fn start() -> i64 {
    at("2025-03-10T00:00:00Z").as_secs()
}

/// Feeds a server, then asks it.
pub(crate) fn compare(report: &mut Report, extent: Extent) {
    let folder = big_day::folder_beside("points");
    let label = format!("{} series, {:.1} M points", extent.series, extent.points() as f64 / 1e6);
    feed(report, extent, &label, folder.path());
    let each = || format!("{:.3} bytes", points_bytes(folder.path()) as f64 / extent.points() as f64);
    report.row(format!("{label}: on disk at first, a point"), each(), "", "", "");
    let took = timed(|| big_day::seal(folder.path()));
    report.row(format!("{label}: sealing"), millis(took.as_secs_f64()), "", "", "");
    report.row(format!("{label}: on disk sealed, a point"), each(), "", "", "1.1 with rollups");
    let server = TestServer::on(folder.path());
    let watch = MemoryWatch::of(server.pid());
    ask(report, &label, extent, &server);
    let peak = megabytes(watch.peak_bytes());
    report.row(format!("{label}: anonymous memory while asked"), peak, "", "", "400 MB");
}

fn feed(report: &mut Report, extent: Extent, label: &str, folder: &Path) {
    let texts = extent.texts();
    let server = Setup::on(folder).start();
    let watch = MemoryWatch::of(server.pid());
    let (before, begun) = (cpu_time(server.pid()), Instant::now());
    send(&texts, server.listener("carbon"));
    let stored = || server.counter("sonde_metrics_stored_points_total");
    while stored() < extent.points() as f64 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = begun.elapsed().as_secs_f64();
    let cpu = cpu_time(server.pid()).saturating_sub(before).as_secs_f64();
    let rate = format!("{:.2} M/s", extent.points() as f64 / 1e6 / took);
    report.row(format!("{label}: taken in over TCP"), rate, "", "", "2 M/s; 3 M/s into 10,000");
    let each = micros_each(cpu, extent.points() as f64);
    report.row(format!("{label}: the same, server CPU a point"), each, "", "", "");
    let peak = megabytes(watch.peak_bytes());
    report.row(format!("{label}: the same, anonymous memory"), peak, "", "", "400 MB");
    let stopping = timed(|| server.stop());
    report.row(format!("{label}: stop, all in files"), millis(stopping.as_secs_f64()), "", "", "");
}

/// Sends each text over a connection of its own, all at once.
pub(crate) fn send(texts: &[PathBuf], address: SocketAddr) {
    std::thread::scope(|scope| {
        for path in texts {
            let mut to = TcpStream::connect(address).expect("it listens");
            scope.spawn(move || {
                let mut text = File::open(path).expect("it was written");
                std::io::copy(&mut text, &mut to).expect("all is taken");
            });
        }
    });
}

fn points_bytes(folder: &Path) -> u64 {
    let entries =
        |path: &Path| std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry"));
    let days = entries(folder).filter(|entry| entry.path().is_dir());
    let files = days.flat_map(|day| entries(&day.path()).collect::<Vec<_>>());
    let points = files.filter(|file| file.file_name().to_string_lossy().starts_with("metrics-"));
    points.map(|file| file.metadata().expect("a file").len()).sum()
}

fn ask(report: &mut Report, label: &str, extent: Extent, server: &TestServer) {
    let range = format!("from={}&until={}", start() - 1, extent.end() - 1);
    let time = |path: &str| millis(time_of(server, path, ROUNDS).seconds);
    let one = extent.series / 2;
    let path = format!("/render?target={}&{range}&format=json", name(one));
    check_series(server, &path, extent, one);
    report.row(format!("{label}: one series, all of it"), time(&path), "", "", "1.5 ms");
    let server_name = |series: usize| format!("servers.web{:05}", series / PER_SERVER);
    let path = format!(
        "/render?target=servers.web0000{{0,1}}.{{cpu,disk,net}}.*.*&{range}&format=json&maxDataPoints=1000"
    );
    let rendered: Vec<serde::de::IgnoredAny> = server.get(&path).ok().json();
    assert_eq!(rendered.len(), 104, "{path}");
    report.row(format!("{label}: 104 series, 1,000 points each"), time(&path), "", "", "20 ms for 100");
    let hour = format!("from={}&until={}", start() - 1, start() + 3_599.min(extent.end() - start()));
    let path = format!("/render?target=sumSeries(servers.web000{{0?,10,11,12}}.*.*.*)&{hour}&format=json");
    check_sum(server, &path, extent);
    report.row(format!("{label}: the sum of 1,040 series, an hour"), time(&path), "", "", "20 ms for 1,000");
    let path = "/metrics/expand?query=servers.*.disk.sda.await_ms";
    let found: BTreeMap<String, Vec<String>> = server.get(path).ok().json();
    let servers = (0..extent.series).step_by(PER_SERVER).filter(|first| first + 32 < extent.series);
    let expected: Vec<String> = servers.map(|first| name(first + 32)).collect();
    assert_eq!(found["results"], expected, "{path}");
    report.row(
        format!("{label}: one metric of {} servers found", expected.len()),
        time(path),
        "",
        "",
        "40 ms for 12,500",
    );
    let path = format!("/metrics/find?query={}.disk.sda.*", server_name(one));
    report.row(format!("{label}: four names found"), time(&path), "", "", "2 ms");
}

/// The whole series, value by value.
fn check_series(server: &TestServer, path: &str, extent: Extent, series: usize) {
    #[derive(serde::Deserialize)]
    struct Rendered {
        target: String,
        datapoints: Vec<(Option<f64>, i64)>,
    }
    let rendered: Vec<Rendered> = server.get(path).ok().json();
    let mut walk = Walk::of(series);
    assert_eq!((rendered.len(), rendered[0].target.as_str()), (1, name(series).as_str()));
    assert_eq!(rendered[0].datapoints.len(), extent.steps, "{path}");
    for (number, (value, time)) in rendered[0].datapoints.iter().enumerate() {
        let expected = (Some(walk.next_value()), start() + number as i64 * STEP_SECS);
        assert_eq!((*value, *time), expected, "point {number} of {path}");
    }
}

/// The first point of the sum of thirteen servers' series.
fn check_sum(server: &TestServer, path: &str, extent: Extent) {
    let rendered: Vec<BTreeMap<String, serde_json::Value>> = server.get(path).ok().json();
    let numbers = 0..(13 * PER_SERVER).min(extent.series);
    let expected: f64 = numbers.map(|number| Walk::of(number).next_value()).sum();
    let found = rendered[0]["datapoints"][0][0].as_f64().expect("a sum");
    assert!((found - expected).abs() < 1e-6 * expected.abs(), "{found} instead of {expected}");
}

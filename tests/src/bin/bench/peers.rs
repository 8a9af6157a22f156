//! Points and functions beside VictoriaMetrics, in turn on one machine: the same lines over TCP, the same questions in its own
//! language, whose answers are compared before anything is timed. carbonapi is in no Debian, and not compared.

use crate::functions::{self, Expected, Sent};
use crate::points::{Extent, send};
use crate::report::{Report, megabytes, micros_each, millis, timed};
use crate::victoria::Victoria;
use sonde_tests::big_day;
use sonde_tests::points::STEP_SECS;
use sonde_tests::process::{MemoryWatch, cpu_time};
use sonde_tests::server::{Setup, TestServer};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const INGEST: Extent = Extent { series: 100_000, steps: 100 };
const INGEST_ROUNDS: usize = 3;
const ROUNDS: usize = 15;
/// All series that functions are asked about, and a tenth of them.
const ALL: &str = r#"{__name__=~"app\\..*"}"#;
const TENTH: &str = r#"{__name__=~"app\\..*\\.metric0"}"#;

pub(crate) fn compare(report: &mut Report, hours: usize) {
    take_in(report);
    ask(report, hours);
}

/// What a round of taking points in has cost.
#[derive(Clone, Copy)]
struct Round {
    seconds: f64,
    cpu: f64,
    peak_bytes: u64,
}

/// The middle round by a measure.
fn middle<T: Copy + PartialOrd>(rounds: &[Round], of: impl Fn(&Round) -> T) -> T {
    let mut all: Vec<T> = rounds.iter().map(of).collect();
    all.sort_by(|one, other| one.partial_cmp(other).expect("measures are numbers"));
    all[all.len() / 2]
}

fn take_in(report: &mut Report) {
    let texts = INGEST.texts();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=INGEST_ROUNDS {
        println!("round {round} of {INGEST_ROUNDS}: {} points over TCP", INGEST.points());
        let folder = big_day::folder_beside("peers");
        let server = Setup::on(folder.path()).start();
        let stored = || server.counter("sonde_metrics_stored_points_total");
        ours.push(round_of(&texts, server.listener("carbon"), server.pid(), stored));
        server.stop();
        let victoria = Victoria::start();
        theirs.push(round_of(&texts, victoria.carbon, victoria.pid(), || victoria.stored()));
    }
    let points = INGEST.points() as f64;
    let label =
        format!("{} series, {:.0} M points over TCP, median of {INGEST_ROUNDS}", INGEST.series, points / 1e6);
    let mut row = |what: &str, of: &dyn Fn(&Round) -> f64, shown: &dyn Fn(f64) -> String| {
        let (ours, theirs) = (middle(&ours, of), middle(&theirs, of));
        let ratio = format!("{:.2}", ours / theirs);
        report.row(format!("{label}: {what}"), shown(ours), shown(theirs), ratio, "");
    };
    row("a second", &|one| points / one.seconds / 1e6, &|rate| format!("{rate:.2} M"));
    row("CPU a point", &|one| one.cpu, &|cpu| micros_each(cpu, points));
    row("anonymous memory", &|one| one.peak_bytes as f64, &|bytes| megabytes(bytes as u64));
}

fn round_of(texts: &[PathBuf], to: SocketAddr, pid: u32, stored: impl Fn() -> f64) -> Round {
    let watch = MemoryWatch::of(pid);
    let (before, begun) = (cpu_time(pid), Instant::now());
    send(texts, to);
    while stored() < INGEST.points() as f64 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let cpu = cpu_time(pid).saturating_sub(before).as_secs_f64();
    Round { seconds: begun.elapsed().as_secs_f64(), cpu, peak_bytes: watch.peak_bytes() }
}

/// A question: as Graphite's target, in the other's language, from which moment on, and its answer.
struct Question {
    what: &'static str,
    target: &'static str,
    query: String,
    first: usize,
    expected: Vec<Expected>,
}

fn questions(sent: &Sent) -> Vec<Question> {
    let hour = sent.first_of_last_hour();
    let one =
        |what, target, query: String, first, expected| Question { what, target, query, first, expected };
    vec![
        one(
            "the sum of 1,000 series, an hour",
            "sumSeries(app.*.*)",
            format!("sum({ALL})"),
            hour,
            sent.sum(),
        ),
        one(
            "the share of each of 1,000, an hour",
            "asPercent(app.*.*)",
            format!(r#"100 * label_copy({ALL}, "__name__", "metric") / on() group_left() sum({ALL})"#),
            hour,
            sent.shares(),
        ),
        one(
            "100 sums of 10 series, an hour",
            "groupByNode(app.*.*,1,'sum')",
            format!("sum(label_graphite_group({ALL}, 1)) by (__name__)"),
            hour,
            sent.groups(),
        ),
        one(
            "moving means of 100 series, all hours",
            "movingAverage(app.*.metric0,'5min')",
            format!("avg_over_time({TENTH}[5m]) keep_metric_names"),
            0,
            sent.means(),
        ),
    ]
}

fn ask(report: &mut Report, hours: usize) {
    let sent = Sent::of(hours);
    let folder = big_day::folder_beside("peers");
    let (server, victoria) = (TestServer::on(folder.path()), Victoria::start());
    println!("sending {hours} hours of 1,000 series to both");
    sent.send_to(&server);
    sent.send_over(victoria.carbon);
    while victoria.stored() < sent.points() as f64 {
        std::thread::sleep(Duration::from_millis(20));
    }
    victoria.flush();
    for Question { what, target, query, first, expected } in questions(&sent) {
        let (from, until) =
            (functions::time_of(first), functions::time_of(hours * functions::HOUR) - STEP_SECS);
        let ours = functions::path(target, &format!("from={}&until={until}", from - 1));
        let theirs = Victoria::path(&query, from, until, STEP_SECS);
        functions::check(&server, &ours, &expected);
        check_totals(what, &victoria.totals(&theirs), &expected);
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            times[0].push(timed(|| drop(server.get(&ours).ok())));
            times[1].push(timed(|| drop(victoria.client.get(&theirs).ok())));
        }
        let [ours, theirs] = times.map(crate::report::median);
        let goal = if first > 0 && expected.len() == 1 { "20 ms; below the peer" } else { "below the peer" };
        report.row(
            format!("{what} ({hours} h)"),
            millis(ours),
            millis(theirs),
            format!("{:.2}", ours / theirs),
            goal,
        );
    }
}

/// Each series' total is told, in whatever order and under whatever names.
fn check_totals(what: &str, found: &[(usize, f64)], expected: &[Expected]) {
    let mut found = found.to_vec();
    let mut expected: Vec<(usize, f64)> =
        expected.iter().map(|one| (one.values.len(), one.values.iter().sum())).collect();
    assert_eq!(found.len(), expected.len(), "{what}: series of VictoriaMetrics");
    found.sort_by(|one, other| one.1.total_cmp(&other.1));
    expected.sort_by(|one, other| one.1.total_cmp(&other.1));
    for ((count, total), (expected_count, expected_total)) in found.iter().zip(&expected) {
        let is_near = (total - expected_total).abs() <= 1e-9 * expected_total.abs().max(1.0);
        assert!(
            is_near && count == expected_count,
            "{what}: {count} values of {total}, not {expected_count} of {expected_total}"
        );
    }
}

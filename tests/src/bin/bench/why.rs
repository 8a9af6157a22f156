//! What changed in two minutes: of many series and of a day of ten million lines, how soon the first findings are there and
//! how soon the whole answer is, and what memory that takes.

use crate::report::{Report, median, megabytes, millis, timed};
use sonde_shared::api::{Histogram, IngestReport};
use sonde_shared::why::Why;
use sonde_tests::big_day;
use sonde_tests::corpus::at;
use sonde_tests::points::{STEP_SECS, Sender};
use sonde_tests::process::{MemoryWatch, cpu_time};
use sonde_tests::server::{Setup, TestServer};
use std::path::Path;
use std::time::{Duration, Instant};

const ROUNDS: usize = 11;
/// Points of an hour.
const HOUR: i64 = 360;
/// Steps that are sent in one body.
const STEPS_A_BODY: i64 = 12;
/// The selection; the points are of the hour that it lies in, with time before it and behind.
const FROM: &str = "2025-03-10T14:05:00Z";
const UNTIL: &str = "2025-03-10T14:07:00Z";
/// When the baseline begins and ends.
const BASELINE: [&str; 2] = ["2025-03-10T13:56:48Z", "2025-03-10T14:04:48Z"];

/// Asks about the day as it came and sealed, with an hour of points of so many series.
pub(crate) fn compare(report: &mut Report, series: usize) {
    let day = big_day::ready(&mut |what| println!("{what}"));
    let (sealed, _) = big_day::sealed(&day);
    let open = big_day::linked(&day);
    for (form, folder) in [("as it came", open.path()), ("sealed", sealed.path())] {
        println!("sending an hour of {series} series");
        send(folder, series);
        ask(report, series, form, folder);
    }
}

fn send(folder: &Path, series: usize) {
    let server = Setup::on(folder).arg("--seal=off").start();
    let mut sender = Sender::of(0..series);
    let begin = at(FROM).as_secs() - 50 * 60;
    for first in (0..HOUR).step_by(STEPS_A_BODY as usize) {
        let mut body = Vec::new();
        (first..first + STEPS_A_BODY).for_each(|step| sender.step(begin + step * STEP_SECS, &mut body));
        let report: IngestReport = server.http().post("/api/ingest/metrics", &body).ok().json();
        assert_eq!(report.refused_total, 0, "{:?}", report.refused.first());
    }
    server.stop();
}

/// How long it took until the first line of the answer was there, and all of it; and the last line.
fn answer(server: &TestServer, path: &str) -> (Duration, Duration, Why) {
    let (begun, mut first, mut text) = (Instant::now(), None, Vec::new());
    server.http().read(path, |piece| {
        text.extend_from_slice(piece);
        if text.contains(&b'\n') {
            first.get_or_insert_with(|| begun.elapsed());
        }
    });
    let whole = begun.elapsed();
    let last = text.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let why = serde_json::from_slice(last).expect("each line is a whole answer");
    (first.expect("there is a line"), whole, why)
}

fn ask(report: &mut Report, series: usize, form: &str, folder: &Path) {
    let server = Setup::on(folder).arg("--seal=off").start();
    let watch = MemoryWatch::of(server.pid());
    let path = format!("/api/why?from={FROM}&until={UNTIL}&target=servers.web00000.cpu.0.user");
    check(&server, &path, series);
    let before = cpu_time(server.pid());
    let answers: Vec<_> = (0..ROUNDS).map(|_| answer(&server, &format!("{path}&stream=1"))).collect();
    let cpu = cpu_time(server.pid()).saturating_sub(before).as_secs_f64() / ROUNDS as f64;
    let (first, whole) = (answers.iter().map(|one| one.0), answers.iter().map(|one| one.1));
    let label = format!("why, {series} series × 1 h, 10 M lines in the day, {form}");
    report.row(format!("{label}: first findings"), millis(median(first.collect())), "", "", "");
    let took = format!("{} ({} CPU)", millis(median(whole.collect())), millis(cpu));
    report.row(format!("{label}: all"), took, "", "", "under 1 s");
    let long = format!("/api/why?from=2025-03-10T12:00:00Z&until={UNTIL}");
    let took = millis(timed(|| drop(server.get(&long).ok())).as_secs_f64());
    report.row(format!("{label}: two hours selected"), took, "", "", "");
    let peak = megabytes(watch.peak_bytes());
    report.row(format!("{label}: anonymous memory"), peak, "", "", "400 MB");
}

/// All series were compared, and as many lines as there are.
fn check(server: &TestServer, path: &str, series: usize) {
    let why: Why = server.get(path).ok().json();
    let lines = |from: &str, until: &str| {
        let path = format!("/api/logs/histogram?from={from}&until={until}&step=1h");
        server.get(&path).ok().json::<Histogram>().total
    };
    let [from, until] = BASELINE;
    assert_eq!(why.baseline_ms, [at(from).as_millis(), at(until).as_millis()]);
    // The baseline lies on the selection's grid of ten seconds.
    let compared = lines("2025-03-10T13:56:40Z", "2025-03-10T14:04:40Z");
    assert_eq!(why.tested.lines, lines(FROM, UNTIL) + compared);
    assert_eq!(why.tested.series, series as u64);
    assert!(why.done && why.tested.sampled_lines > 0, "{:?}", why.tested);
}

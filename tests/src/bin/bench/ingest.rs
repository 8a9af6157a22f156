//! Taking lines in: many at a time, few at a time from many senders, and while others ask.

use crate::queries::Truth;
use crate::report::{Report, median, megabytes, megabytes_a_second, micros_each, millis, quantile, timed};
use sonde_tests::big_day;
use sonde_tests::corpus::Corpus;
use sonde_tests::process::{MemoryWatch, cpu_time};
use sonde_tests::server::TestServer;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
/// Lines of a body.
const BODY: usize = 20_000;

/// A million lines in large bodies, against `write` and `fdatasync` of the same bodies; the seconds it took.
pub(crate) fn alone(report: &mut Report) -> f64 {
    println!("posting lines, and writing the same bytes plainly");
    let corpus = big_day::part(0);
    let (mut posted, mut written, mut cpu, mut memory) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let server = TestServer::start();
        let (watch, before) = (MemoryWatch::of(server.pid()), cpu_time(server.pid()));
        posted.push(timed(|| corpus.batches(BODY).for_each(|batch| server.store_logs(batch))));
        cpu.push(cpu_time(server.pid()).saturating_sub(before));
        written.push(timed(|| write_plainly(&corpus)));
        memory = memory.max(watch.peak_bytes());
    }
    let lines = corpus.rows.len() as f64;
    let (posted, written) = (median(posted), median(written));
    let rate = |seconds: f64| megabytes_a_second(corpus.text.len(), seconds);
    let ratio = format!("{:.2}", written / posted);
    report.row("ingest of NDJSON over HTTP, durable", rate(posted), rate(written), ratio, "0.80");
    report.row("the same in lines", format!("{:.0} /s", lines / posted), "", "", "");
    let a_line = micros_each(median(cpu), lines);
    report.row("the same, server CPU a line", a_line, "", "", "1.8 µs");
    report.row("the same, anonymous memory", megabytes(memory), "", "", "200 MB");
    posted
}

fn write_plainly(corpus: &Corpus) {
    // Beside the folders of the servers, so on the same disk.
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    for batch in corpus.batches(BODY) {
        file.write_all(batch).and_then(|()| file.sync_data()).expect("the disk takes the bytes");
    }
}

/// Sixty-four senders with ten lines a request, against one `fdatasync` of as many bytes.
pub(crate) fn small_requests(report: &mut Report) {
    const SENDERS: usize = 64;
    println!("{SENDERS} senders post ten lines a request");
    let (corpus, server) = (big_day::part(0), TestServer::start());
    let bodies: Vec<&[u8]> = corpus.batches(10).collect();
    let client = server.http();
    let send = |bodies: &[&[u8]]| {
        let times = bodies.iter().map(|body| timed(|| drop(client.post("/api/ingest/logs", body).ok())));
        times.collect::<Vec<_>>()
    };
    let times = thread::scope(|scope| {
        let senders: Vec<_> = bodies.chunks(200).take(SENDERS).map(|own| scope.spawn(|| send(own))).collect();
        senders.into_iter().flat_map(|sender| sender.join().expect("a sender ends")).collect::<Vec<_>>()
    });
    let stored = server.counter("sonde_ingest_lines_total{protocol=\"ndjson_http\"}");
    assert!(stored >= (times.len() * 10) as f64, "{stored} lines are stored");
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    let sync = |body: &&[u8]| timed(|| file.write_all(body).and_then(|()| file.sync_data()).expect("room"));
    let syncs: Vec<Duration> = bodies[..1_000].iter().map(sync).collect();
    let (half, most, sync) = (median(times.clone()), quantile(times, 0.99), median(syncs));
    let what = format!("{SENDERS} senders × 10 lines: acknowledged, half of all");
    report.row(what, millis(half), millis(sync), format!("{:.1}", half / sync), "");
    let what = format!("{SENDERS} senders × 10 lines: acknowledged, 99 of 100");
    report.row(what, millis(most), millis(sync), format!("{:.1}", most / sync), "3");
}

/// Thirty-two readers who ask for two minutes of a component twice a second, each at a moment of its own, while lines are
/// posted as fast as they are taken.
pub(crate) fn beside_queries(report: &mut Report, truth: &Truth, alone: f64) {
    const READERS: usize = 32;
    println!("posting lines while {READERS} readers ask");
    let (corpus, server) = (big_day::part(big_day::part_at(truth.two_minutes.from)), TestServer::start());
    corpus.batches(BODY).for_each(|batch| server.store_logs(batch));
    let (client, url, expected) = (server.http(), truth.two_minutes_url(), &truth.two_minutes.body);
    let ended = AtomicBool::new(false);
    let ask = |reader: usize| {
        thread::sleep(Duration::from_millis(500) * reader as u32 / READERS as u32);
        let mut times = Vec::new();
        while !ended.load(Ordering::Relaxed) {
            let start = Instant::now();
            assert_eq!(client.get(&url).body.len(), expected.len());
            times.push(start.elapsed());
            thread::sleep(Duration::from_millis(500).saturating_sub(start.elapsed()));
        }
        times
    };
    let (other, ask) = (big_day::part(0), &ask);
    let (posted, times) = thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|reader| scope.spawn(move || ask(reader))).collect();
        let posted: Vec<Duration> = (0..ROUNDS)
            .map(|_| timed(|| other.batches(BODY).for_each(|batch| server.store_logs(batch))))
            .collect();
        ended.store(true, Ordering::Relaxed);
        let times = readers.into_iter().flat_map(|reader| reader.join().expect("a reader ends"));
        (median(posted), times.collect::<Vec<_>>())
    });
    let what = format!("two minutes of a component during ingest, {READERS} readers, 99 of 100");
    report.row(what, millis(quantile(times, 0.99)), "", "", "20 ms");
    let rate = |seconds: f64| megabytes_a_second(other.text.len(), seconds);
    report.row(
        "… and ingest meanwhile",
        rate(posted),
        format!("{} alone", rate(alone)),
        format!("{:.2}", alone / posted),
        "0.7",
    );
}

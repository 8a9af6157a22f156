//! Taking lines in: many at a time, few at a time from many senders, and while others ask.

use crate::queries::Truth;
use crate::report::{Report, median, megabytes, megabytes_a_second, micros_each, millis, quantile, timed};
use sonde_tests::big_day;
use sonde_tests::corpus::Corpus;
use sonde_tests::poster::Poster;
use sonde_tests::process::{MemoryWatch, cpu_time};
use sonde_tests::server::TestServer;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
/// Lines of a body.
const BODY: usize = 20_000;
const PATH: &str = "/api/ingest/logs";

/// A million lines in large bodies, against `write` and `fdatasync` of the same bodies.
pub(crate) fn alone(report: &mut Report) {
    println!("posting lines, and writing the same bytes plainly");
    let corpus = big_day::part(0);
    let (mut posted, mut by_two, mut written, mut cpu, mut memory) = (vec![], vec![], vec![], vec![], 0);
    for _ in 0..ROUNDS {
        let server = TestServer::start();
        let (watch, before) = (MemoryWatch::of(server.pid()), cpu_time(server.pid()));
        posted.push(timed(|| post_all(&server, &corpus, 1)));
        cpu.push(cpu_time(server.pid()).saturating_sub(before));
        check_stored(&server, corpus.rows.len());
        memory = memory.max(watch.peak_bytes());
        let server = TestServer::start();
        by_two.push(timed(|| post_all(&server, &corpus, 2)));
        check_stored(&server, corpus.rows.len());
        written.push(timed(|| write_plainly(&corpus)));
    }
    let lines = corpus.rows.len() as f64;
    let (posted, by_two, written) = (median(posted), median(by_two), median(written));
    let rate = |seconds: f64| megabytes_a_second(corpus.text.len(), seconds);
    let ratio = |seconds: f64| format!("{:.2}", written / seconds);
    report.row("ingest of NDJSON over HTTP, durable", rate(posted), rate(written), ratio(posted), "0.80");
    report.row("the same from two senders at once", rate(by_two), rate(written), ratio(by_two), "0.80");
    report.row("the same in lines", format!("{:.0} /s", lines / posted), "", "", "");
    let a_line = micros_each(median(cpu), lines);
    report.row("the same, server CPU a line", a_line, "", "", "1.8 µs");
    report.row("the same, anonymous memory", megabytes(memory), "", "", "200 MB");
}

/// Posts all lines from so many senders, each of which waits for its answer before it sends more.
fn post_all(server: &TestServer, corpus: &Corpus, senders: usize) {
    let address = server.http().address();
    let send = |sender: usize| {
        let mut poster = Poster::to(address, PATH);
        corpus.batches(BODY).skip(sender).step_by(senders).for_each(|body| post(&mut poster, body));
    };
    thread::scope(|scope| (0..senders).for_each(|sender| drop(scope.spawn(move || send(sender)))));
}

fn post(poster: &mut Poster, body: &[u8]) {
    assert_eq!(poster.post(body).expect("the server answers"), 200);
}

fn check_stored(server: &TestServer, expected: usize) {
    let stored = server.counter("sonde_ingest_lines_total{protocol=\"ndjson_http\"}");
    assert!(stored >= expected as f64, "{stored} of {expected} lines are stored");
}

fn write_plainly(corpus: &Corpus) {
    // Beside the folders of the servers, so on the same disk.
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    for batch in corpus.batches(BODY) {
        file.write_all(batch).and_then(|()| file.sync_data()).expect("the disk takes the bytes");
    }
}

/// How many send ten lines a request, and how many requests each of them sends.
const SENDERS: usize = 64;
const REQUESTS: usize = 400;
/// How often those send who do not send all the time.
const PACE: Duration = Duration::from_millis(100);

/// Sixty-four senders with ten lines a request, against one `fdatasync` of as many bytes: all of them as fast as they are
/// answered, which takes all there is of the cores, and each ten times a second.
pub(crate) fn small_requests(report: &mut Report) {
    println!("{SENDERS} senders post ten lines a request");
    let corpus = big_day::part(0);
    let bodies: Vec<&[u8]> = corpus.batches(10).collect();
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    let sync = |body: &&[u8]| timed(|| file.write_all(body).and_then(|()| file.sync_data()).expect("room"));
    let sync = median(bodies[..1_000].iter().map(sync).collect());
    for (how, pace) in [("", Duration::ZERO), (", ten times a second each", PACE)] {
        let times = post_small(&bodies, pace);
        for (which, part, goal) in [("half of all", 0.5, ""), ("99 of 100", 0.99, "3")] {
            let (what, took) = (
                format!("{SENDERS} senders × 10 lines{how}: acknowledged, {which}"),
                quantile(times.clone(), part),
            );
            report.row(what, millis(took), millis(sync), format!("{:.1}", took / sync), goal);
        }
    }
}

/// How long each acknowledgement takes. A sender with a pace begins at a moment of its own.
fn post_small(bodies: &[&[u8]], pace: Duration) -> Vec<Duration> {
    let server = TestServer::start();
    let address = server.http().address();
    let send = |number: usize, bodies: &[&[u8]]| {
        let mut poster = Poster::to(address, PATH);
        thread::sleep(pace * number as u32 / SENDERS as u32);
        let times = bodies.iter().map(|body| {
            let took = timed(|| post(&mut poster, body));
            thread::sleep(pace.saturating_sub(took));
            took
        });
        times.collect::<Vec<_>>()
    };
    let requests = if pace.is_zero() { REQUESTS } else { REQUESTS / 8 };
    let times = thread::scope(|scope| {
        let senders: Vec<_> = (0..)
            .zip(bodies.chunks(requests).take(SENDERS))
            .map(|(number, own)| scope.spawn(move || send(number, own)))
            .collect();
        senders.into_iter().flat_map(|sender| sender.join().expect("a sender ends")).collect::<Vec<_>>()
    });
    check_stored(&server, times.len() * 10);
    times
}

/// Thirty-two readers who ask for two minutes of a component twice a second, each at a moment of its own, while lines are
/// posted as fast as they are taken; against the same without readers. Segments fill and are sealed behind both.
pub(crate) fn beside_queries(report: &mut Report, truth: &Truth) {
    const READERS: usize = 32;
    println!("posting lines alone, and while {READERS} readers ask");
    let (asked, other) = (big_day::part(big_day::part_at(truth.two_minutes.from)), big_day::part(0));
    let serve = || {
        let server = TestServer::start();
        post_all(&server, &asked, 1);
        server
    };
    let post = |server: &TestServer| {
        median((0..ROUNDS).map(|_| timed(|| post_all(server, &other, 1))).collect::<Vec<_>>())
    };
    let alone = post(&serve());
    let server = serve();
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
    let ask = &ask;
    let (posted, times) = thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|reader| scope.spawn(move || ask(reader))).collect();
        let posted = post(&server);
        ended.store(true, Ordering::Relaxed);
        let times = readers.into_iter().flat_map(|reader| reader.join().expect("a reader ends"));
        (posted, times.collect::<Vec<_>>())
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

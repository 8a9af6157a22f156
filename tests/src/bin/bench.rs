//! How fast, beside the plainest program that does as much: writing and syncing the same bytes, serving the same bytes from
//! a file. Paired rounds in one run on one machine; answers are compared before anything is timed.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use sonde_shared::api::Histogram;
use sonde_tests::corpus::{Corpus, range};
use sonde_tests::http::{Client, split_lines};
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::process::cpu_time;
use sonde_tests::server::TestServer;
use sonde_tests::table::Table;
use sonde_tests::{big_day, static_server};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("static-server") {
        let folder = args.next().expect("static-server FOLDER");
        static_server::serve(Path::new(&folder), |address| println!("{address}")).expect("a port is free");
    } else {
        compare_all();
    }
}

fn compare_all() {
    let mut table = Table::new(["what", "sonde", "peer", "sonde / peer", "to reach"]);
    ingest(&mut table);
    let folder = big_day::ready(&mut |step| println!("{step}"));
    let open = big_day::open_server(&folder);
    let whole = open.logs(&whole_day().parameters());
    queries(&mut table, &open, &OPEN, &whole);
    open.stop();
    println!("sealing the day");
    let (sealed, took) = big_day::sealed(&folder);
    let (before, after) = (big_day::bytes(&folder), big_day::bytes(sealed.path()));
    let rate = format!("{:.0} MB/s", before as f64 / 1e6 / took.as_secs_f64());
    table.row(["sealing the day".into(), rate, String::new(), String::new(), String::new()]);
    let size = format!("{:.0} MB", after as f64 / 1e6);
    let open_size = format!("{:.0} MB as it came", before as f64 / 1e6);
    table.row([
        "its size sealed".into(),
        size,
        open_size,
        format!("{:.3}", after as f64 / before as f64),
        String::new(),
    ]);
    queries(&mut table, &TestServer::on(sealed.path()), &SEALED, &whole);
    println!("\n{table}");
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// A million lines in bodies of 20,000, against `write` and `fdatasync` of the same bodies.
fn ingest(table: &mut Table<5>) {
    println!("posting lines, and writing the same bytes plainly");
    let corpus = big_day::part(0);
    let (mut posted, mut written, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let server = TestServer::start();
        let before = cpu_time(server.pid());
        posted.push(timed(|| corpus.batches(20_000).for_each(|batch| server.store_logs(batch))));
        cpu.push(cpu_time(server.pid()).saturating_sub(before));
        written.push(timed(|| write_plainly(&corpus)));
    }
    let (lines, megabytes) = (corpus.rows.len() as f64, corpus.text.len() as f64 / 1e6);
    let (posted, written) = (median(posted), median(written));
    let rate = |seconds: f64| format!("{:.0} MB/s", megabytes / seconds);
    let ratio = format!("{:.2}", written / posted);
    table.row([
        "ingest of NDJSON over HTTP, durable".into(),
        rate(posted),
        rate(written),
        ratio,
        "0.80".into(),
    ]);
    table.row([
        "the same in lines".into(),
        format!("{:.0} /s", lines / posted),
        String::new(),
        String::new(),
        String::new(),
    ]);
    let a_line = format!("{:.2} µs", median(cpu) / lines * 1e6);
    table.row(["the same, server CPU a line".into(), a_line, String::new(), String::new(), "1.8 µs".into()]);
}

fn write_plainly(corpus: &Corpus) {
    // Beside the folders of the servers, so on the same disk.
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    for batch in corpus.batches(20_000) {
        file.write_all(batch).and_then(|()| file.sync_data()).expect("the disk takes the bytes");
    }
}

/// A file server with the expected answers as files.
struct Peer {
    child: Child,
    client: Client,
    folder: tempfile::TempDir,
}

impl Peer {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let program = std::env::current_exe().expect("a program knows itself");
        let mut child = Command::new(program)
            .arg("static-server")
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the file server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("standard output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the file server tells its address");
        let client = Client::new(line.trim().parse().expect("an address"));
        Self { child, client, folder }
    }

    fn add(&self, name: &str, bytes: &[u8]) {
        let mut file = File::create(self.folder.path().join(name)).expect("a file can be made");
        file.write_all(bytes).expect("a file can be written");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What is promised of a day in one of its forms, against the file server.
struct Form {
    name: &'static str,
    /// So many times as long, and twice as many half milliseconds.
    times: f64,
    rate: &'static str,
}

const OPEN: Form = Form { name: "open", times: 1.0, rate: "0.5" };
const SEALED: Form = Form { name: "sealed", times: 2.0, rate: "0.33" };

fn whole_day() -> Query {
    Query::all().component("webapp.backend.git").range(range("2025-03-10T00:00:00Z", "2025-03-11T00:00:00Z"))
}

fn queries(table: &mut Table<5>, server: &TestServer, form: &Form, whole: &[u8]) {
    println!("asking a day of {} lines, and a file server for the same bytes", big_day::LINES);
    let peer = Peer::start();
    let minutes = range("2025-03-10T14:05:00Z", "2025-03-10T14:07:00Z");
    let two_minutes = Query::all().component("webapp.backend.git").range(minutes);
    let expected = two_minutes.body(&big_day::part(big_day::part_at(minutes.from)));
    assert_same_lines(&server.logs(&two_minutes.parameters()), &expected, "two minutes");
    let what = format!(
        "{}: two minutes of a component ({} lines, {} kB)",
        form.name,
        split_lines(&expected).len(),
        expected.len() / 1000
    );
    let (sonde, file) = pair(server, &peer, &two_minutes, &expected, 300);
    let limit = format!("{:.2} ms", (file * 3e3 + 0.5) * form.times);
    table.row([what, millis(sonde), millis(file), format!("{:.1}", sonde / file), limit]);

    let day = whole_day();
    let (sonde, file) = pair(server, &peer, &day, whole, 5);
    let rate = |seconds: f64| format!("{:.0} MB/s", whole.len() as f64 / 1e6 / seconds);
    let what = format!("{}: a component's whole day ({} MB)", form.name, whole.len() / 1_000_000);
    table.row([what, rate(sonde), rate(file), format!("{:.2}", file / sonde), form.rate.into()]);

    let histogram = || server.get("/api/logs/histogram?step=1min").ok().json::<Histogram>();
    assert_eq!(histogram().total, big_day::LINES as u64);
    let time = median((0..20).map(|_| timed(|| drop(histogram()))).collect());
    table.row([
        format!("{}: histogram by level of the day", form.name),
        millis(time),
        String::new(),
        String::new(),
        "50 ms".into(),
    ]);
}

fn millis(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1e3)
}

/// Median times of both for the same answer, asked for in turns.
fn pair(server: &TestServer, peer: &Peer, query: &Query, expected: &[u8], rounds: usize) -> (f64, f64) {
    let name = "answer.ndjson";
    peer.add(name, expected);
    let (own, other) = (format!("/api/logs?{}", query.parameters()), format!("/{name}"));
    assert_same_lines(&server.get(&own).body, expected, "Sonde's answer");
    assert_same_lines(&peer.client.get(&other).body, expected, "the file server's answer");
    let (mut sonde, mut file) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        sonde.push(timed(|| assert_eq!(server.get(&own).body.len(), expected.len())));
        file.push(timed(|| assert_eq!(peer.client.get(&other).body.len(), expected.len())));
    }
    (median(sonde), median(file))
}

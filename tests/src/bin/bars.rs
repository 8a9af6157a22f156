//! The promises about start, memory and stalled readers, measured on this machine. Prints a table and fails on a miss.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use sonde_shared::time::TimeRange;
use sonde_tests::big_day;
use sonde_tests::corpus::{Corpus, Names, Recipe, Style, range};
use sonde_tests::grep::grep_and_sort;
use sonde_tests::http::split_lines;
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::process::{MemoryWatch, anonymous_bytes};
use sonde_tests::server::TestServer;
use sonde_tests::table::Table;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const MIB: f64 = 1_048_576.0;

struct Bars {
    table: Table<4>,
    missed: bool,
    peak_bytes: u64,
}

impl Bars {
    fn at_most(&mut self, bar: &str, limit: f64, measured: f64, unit: &str) {
        let ok = measured <= limit;
        self.missed |= !ok;
        let verdict = if ok { "yes" } else { "NO" };
        self.table.row([
            bar.to_owned(),
            format!("{limit} {unit}"),
            format!("{measured:.2} {unit}"),
            verdict.to_owned(),
        ]);
    }
}

fn main() -> ExitCode {
    let mut bars =
        Bars { table: Table::new(["bar", "limit", "measured", "ok"]), missed: false, peak_bytes: 0 };
    million_lines(&mut bars);
    let folder = big_day::ready(&mut |step| println!("{step}"));
    let server = start(&mut bars, &folder);
    stalled_reader(&mut bars, &server);
    let peak = bars.peak_bytes as f64 / MIB;
    bars.at_most("anonymous memory, at most during all of it", 300.0, peak, "MiB");
    println!("\n{}", bars.table);
    if bars.missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Posts a million lines and compares what a query answers with what `grep` and a stable `sort` find in the same input.
fn million_lines(bars: &mut Bars) {
    println!("posting 1,000,000 lines and comparing with grep and sort");
    let day = range("2025-03-10T00:00:00Z", "2025-03-11T00:00:00Z");
    let corpus = Corpus::make(Recipe {
        seed: 1,
        lines: 1_000_000,
        range: day,
        style: Style::Plain,
        names: Names::Few,
    });
    let server = TestServer::start();
    let watch = MemoryWatch::of(server.pid());
    let start = Instant::now();
    corpus.batches(20_000).for_each(|batch| server.store_logs(batch));
    println!("posted in {:.1} s", start.elapsed().as_secs_f64());
    let ask = |range: TimeRange| {
        server.logs(&Query::all().component("webapp.backend.git").range(range).parameters())
    };
    let minutes = ask(range("2025-03-10T14:05:00Z", "2025-03-10T14:07:00Z"));
    assert_same_lines(
        &minutes,
        &grep_and_sort(&corpus.text, "webapp.backend.git", "2025-03-10T14:0[56]:"),
        "two minutes",
    );
    let whole = ask(day);
    assert_same_lines(&whole, &grep_and_sort(&corpus.text, "webapp.backend.git", "2025-03-10T"), "the day");
    let (few, many) = (split_lines(&minutes).len(), split_lines(&whole).len());
    let found = format!("{few} and {many} lines equal");
    bars.table.row([
        "1,000,000 lines posted, then grep and sort".into(),
        "byte for byte".into(),
        found,
        "yes".into(),
    ]);
    bars.peak_bytes = bars.peak_bytes.max(watch.peak_bytes());
}

/// From the start of the process to the first answer.
fn start(bars: &mut Bars, folder: &Path) -> TestServer {
    let mut slowest = 0.0_f64;
    for _ in 0..3 {
        let begin = Instant::now();
        let mut server = big_day::open_server(folder);
        assert_eq!(server.get("/health").status, 200);
        slowest = slowest.max(begin.elapsed().as_secs_f64());
        server.kill();
    }
    bars.at_most("/health after the start, 10,000,000 lines on disk, slowest of 3", 1.0, slowest, "s");
    big_day::open_server(folder)
}

/// Somebody asks for half the day and stops reading for a minute; others ask and post meanwhile.
fn stalled_reader(bars: &mut Bars, server: &TestServer) {
    println!("a reader stalls for 60 s");
    let watch = MemoryWatch::of(server.pid());
    let minutes = range("2025-03-10T14:05:00Z", "2025-03-10T14:07:00Z");
    let query = Query::all().component("webapp.backend.git").range(minutes);
    let expected = query.body(&big_day::part(big_day::part_at(minutes.from)));
    // What the others cost is paid before: their threads and buffers are there when the reader comes.
    for _ in 0..300 {
        assert_same_lines(&server.logs(&query.parameters()), &expected, "before");
    }
    let before = anonymous_bytes(server.pid());
    let mut stalled = TcpStream::connect(server.http().address()).expect("the server takes connections");
    let request =
        format!("GET /api/logs?component=webapp HTTP/1.0\r\nHost: {}\r\n\r\n", server.http().address());
    stalled.write_all(request.as_bytes()).expect("the server reads the request");
    stalled.read_exact(&mut [0; 1_000]).expect("the answer begins");
    let (mut slowest, mut grown) = (0.0_f64, 0);
    let end = Instant::now() + Duration::from_mins(1);
    while Instant::now() < end {
        let begin = Instant::now();
        assert_same_lines(&server.logs(&query.parameters()), &expected, "while another reader stalls");
        slowest = slowest.max(begin.elapsed().as_secs_f64());
        grown = anonymous_bytes(server.pid()).saturating_sub(before);
        std::thread::sleep(Duration::from_millis(100));
    }
    let rest = std::io::copy(&mut stalled, &mut std::io::sink()).expect("the rest arrives");
    println!("the stalled reader then read the other {:.0} MiB", rest as f64 / MIB);
    bars.at_most("a reader stalled for 60 s: slowest answer to others", 1.0, slowest, "s");
    bars.at_most("a reader stalled for 60 s: its cost in anonymous memory", 2.0, grown as f64 / MIB, "MiB");
    bars.peak_bytes = bars.peak_bytes.max(watch.peak_bytes());
}

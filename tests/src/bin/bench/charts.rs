//! The charts' drawing beside uPlot's, in one browser, of the same data, in paired rounds; then what of the way from the
//! server to the screen is the wire, what decoding and what drawing.
//!
//! Each draw ends with reading a pixel back, which forces the painting: without it only the recording would be timed. A
//! draw counts only if a lone spike is seen in the picture.

use crate::peer::Peer;
use crate::report::Report;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sonde_tests::big_day;
use sonde_tests::browser::{Browser, Settings, wait_for};
use sonde_tests::corpus::at;
use sonde_tests::points::Walk;
use sonde_tests::server::TestServer;
use sonde_tests::table::Table;
use std::fmt::Write as _;

/// Points in all, rounds, and the most of uPlot's time that the same drawing may take.
const SIZES: [(usize, usize, f64); 2] = [(1_000_000, 15, 0.5), (10_000_000, 9, 0.125)];
/// Device pixels that a spike rises at least where it is drawn.
const LEAST_RISE_PX: f64 = 50.0;

const SERIES: usize = 4;
const POINTS_OF_EACH: usize = 250_000;
const WIRE_ROUNDS: usize = 7;

/// A browser on the page that `scripts/page.sh bench` makes. Its requests may go to any server.
fn open(peer: &Peer) -> Browser {
    let switches = &["--disable-web-security"];
    let browser = Browser::with(&Settings { width: 1_700, height: 1_100, switches, ..Settings::default() });
    browser.goto(&peer.client.url("/drawing.html"));
    wait_for(&browser, "the drawing's module", "return window.bench !== undefined", &json!(true));
    browser
}

fn peer() -> Peer {
    let folder = big_day::beside("bench-page");
    assert!(folder.join("drawing.html").is_file(), "`scripts/page.sh bench` makes the page");
    Peer::on(&folder)
}

fn ask<T: DeserializeOwned>(browser: &Browser, script: &str, args: &[Value]) -> T {
    serde_json::from_value(browser.look(script, args)).expect("the page answers so")
}

/// Draws with both.
pub(crate) fn compare(report: &mut Report) {
    let peer = peer();
    for (points, rounds, bar) in SIZES {
        // A fresh one each: what one size leaves behind is no burden to the next.
        let browser = open(&peer);
        browser.look("bench.prepare(arguments[0])", &[json!(points)]);
        let rises: (f64, f64) = ask(&browser, "return bench.rises()", &[]);
        assert!(rises.0 > LEAST_RISE_PX && rises.1 > LEAST_RISE_PX, "the spike rises by {rises:?} pixels");
        let pairs: Vec<(f64, f64)> = ask(&browser, "return bench.pairs(arguments[0])", &[json!(rounds)]);
        browser.assert_no_errors();
        browser.screenshot(&format!("bench-charts-{points}"));
        let (sonde, plot): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let ratios = pairs.iter().map(|(sonde, plot)| sonde / plot).collect();
        report.row(
            format!("drawing {:.0} M points, {rounds} pairs, beside uPlot", points as f64 / 1e6),
            format!("{:.1} ms", median(sonde)),
            format!("{:.1} ms", median(plot)),
            format!("{:.3}", median(ratios)),
            format!("{bar}"),
        );
        report.row(
            "    the spike rises in the picture by",
            format!("{:.0} px", rises.0),
            format!("{:.0} px", rises.1),
            "",
            "seen in both",
        );
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A million points from a running server, all of them and as the page asks for them.
pub(crate) fn measure_the_wire() {
    let server = TestServer::start();
    let start = at("2025-03-10T00:00:00Z");
    fill(&server, start.as_secs());
    let end = start.plus_nanos(POINTS_OF_EACH as i64 * 1_000_000_000);
    let peer = peer();
    let browser = open(&peer);
    let mut table = Table::new(["from a running server", "bytes", "points", "wire", "decode", "draw"]);
    for (what, more, points) in [
        ("every point", "", Some(SERIES * POINTS_OF_EACH)),
        ("as the page asks", "&downsample=m4&width=1448", None),
    ] {
        let (from, until) = (start.as_millis(), end.as_millis());
        let path = format!("/render?format=columns&target=bench.walk.*&from={from}&until={until}{more}");
        let args = [json!(server.http().url(&path)), json!(from), json!(until), json!(WIRE_ROUNDS)];
        let script = "return bench.wire(...arguments)";
        let (bytes, got, wire, decode, draw): (u64, usize, f64, f64, f64) = ask(&browser, script, &args);
        assert!(points.is_none_or(|points| points == got), "{got} points came");
        let ms = |time: f64| format!("{time:.1} ms");
        let size = format!("{:.1} MB", bytes as f64 / 1e6);
        table.row([what.to_owned(), size, got.to_string(), ms(wire), ms(decode), ms(draw)]);
    }
    browser.assert_no_errors();
    println!("\n{table}");
}

fn fill(server: &TestServer, start_secs: i64) {
    for series in 0..SERIES {
        let mut walk = Walk::of(series * 6);
        let mut text = String::new();
        for second in 0..POINTS_OF_EACH as i64 {
            writeln!(text, "bench.walk.{series} {} {}", walk.next_value(), start_secs + second)
                .expect("a text takes every write");
        }
        drop(server.http().post("/api/ingest/metrics", text.as_bytes()).ok());
    }
}

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
/// Rounds of first draws, frames of zooming and panning, and how long a frame may take at 60 a second.
const FIRSTS: usize = 5;
const FRAMES: usize = 200;
const FRAMES_AT_ONCE: usize = 20;
const FRAME_MS: f64 = 16.6;
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
        let firsts: Vec<(f64, f64)> = ask(&browser, "return bench.firsts(arguments[0])", &[json!(FIRSTS)]);
        let noted: f64 = ask(&browser, "return bench.notes(arguments[0])", &[json!(FIRSTS)]);
        let frames = frames(&browser);
        browser.assert_no_errors();
        browser.screenshot(&format!("bench-charts-{points}"));
        report.row(
            format!("drawing {:.0} M points, {rounds} pairs, beside uPlot", points as f64 / 1e6),
            format!("{:.1} ms", median(first_of(&pairs))),
            format!("{:.1} ms", median(second_of(&pairs))),
            format!("{:.3}", median(ratios_of(&pairs))),
            format!("{bar}"),
        );
        report.row(
            "    the first draw, with the bounds of blocks noted",
            format!("{:.1} ms, noting {noted:.1} ms of it", median(first_of(&firsts))),
            format!("{:.1} ms", median(second_of(&firsts))),
            format!("{:.3}", median(ratios_of(&firsts))),
            "",
        );
        report.row(
            "    the spike rises in the picture by",
            format!("{:.0} px", rises.0),
            format!("{:.0} px", rises.1),
            "",
            "seen in both",
        );
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            report.row(
                format!("    {FRAMES} frames of zooming and panning, {name} of a frame"),
                format!("{:.1} ms", quantile(first_of(&frames), share)),
                format!("{:.1} ms", quantile(second_of(&frames), share)),
                "",
                format!("{FRAME_MS} ms"),
            );
        }
    }
}

/// Zooms and pans, some frames at a time.
fn frames(browser: &Browser) -> Vec<(f64, f64)> {
    let some = |begin: usize| {
        let args = [json!(FRAMES), json!(begin), json!(begin + FRAMES_AT_ONCE)];
        ask::<Vec<(f64, f64)>>(browser, "return bench.frames(...arguments)", &args)
    };
    (0..FRAMES).step_by(FRAMES_AT_ONCE).flat_map(some).collect()
}

fn first_of(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|pair| pair.0).collect()
}

fn second_of(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|pair| pair.1).collect()
}

fn ratios_of(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(sonde, plot)| sonde / plot).collect()
}

/// The one in the middle.
pub(crate) fn median(numbers: Vec<f64>) -> f64 {
    quantile(numbers, 0.5)
}

fn quantile(mut numbers: Vec<f64>, share: f64) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[((numbers.len() - 1) as f64 * share).ceil() as usize]
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

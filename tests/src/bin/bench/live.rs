//! An hour of live updates in a tenth of its time: what twelve charts at ten seconds and fifty lines a second bring in an hour
//! comes at a second and at five hundred lines a second, into a view that is a tenth as long. What the page holds then is
//! compared with what it held after the first minute.

use sonde_tests::browser::{Browser, Settings};
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use sonde_tests::table::Table;
use sonde_tests::wait;
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime};

const PANELS: usize = 12;
const SERIES_OF_A_PANEL: usize = 4;
const LINES_A_SECOND: usize = 50;
/// So much faster is everything.
const SPEED: usize = 10;
/// A minute of what is simulated, in seconds.
const MINUTE: u64 = 60 / SPEED as u64;
/// All charts in sight: charts out of sight are told nothing.
const TALL: Settings = Settings {
    width: 1_280,
    height: 4_000,
    zone: "UTC",
    dark: true,
    touch: false,
    pixel_ratio: 1.0,
    switches: &[],
};

/// Keeps the page's memory at hand, which grows and never shrinks.
const WATCH: &str = "
    const keep = result => { window.wasmMemory = (result.instance ?? result).exports.memory; return result; };
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const begin = WebAssembly[name];
        WebAssembly[name] = (...all) => begin.apply(WebAssembly, all).then(keep);
    }";

/// What a page holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    heap_bytes: f64,
    wasm_bytes: f64,
    nodes: f64,
    listeners: f64,
}

impl Held {
    fn of(browser: &Browser) -> Self {
        browser.collect_garbage();
        let wasm = browser.look("return wasmMemory.buffer.byteLength", &[]);
        Self {
            heap_bytes: browser.measure("JSHeapUsedSize"),
            wasm_bytes: wasm.as_f64().unwrap_or(f64::NAN),
            nodes: browser.measure("Nodes"),
            listeners: browser.measure("JSEventListeners"),
        }
    }
}

/// Measures so many minutes of it and prints a table.
pub(crate) fn measure(minutes: u64) {
    let server = TestServer::start();
    fill(&server);
    let browser = Browser::with(&TALL);
    browser.before_pages(WATCH);
    let page = Page::open(&browser, &server.http().url("/d/live?v=1&t=-6min..now&live=1"));
    page.wait_until_fed();
    let begun = Instant::now();
    let mut second = 0;
    let mut after = |until: u64| {
        while second < until {
            wait_for_second(begun, second);
            send(&server, now_secs(), second);
            second += 1;
        }
        Held::of(&browser)
    };
    let first = after(MINUTE);
    println!("after a minute: {first:?}");
    let mut last = first;
    for tenth in 1..=10 {
        last = after((minutes * MINUTE * tenth / 10).max(MINUTE));
        println!("after {} minutes: {last:?}", minutes * tenth / 10);
    }
    browser.assert_no_errors();
    check_it_followed(&page);
    browser.screenshot("bench-live");
    print_table(minutes, first, last);
}

fn print_table(minutes: u64, first: Held, last: Held) {
    let mut table =
        Table::new(["what a live page holds", "after a minute", "at the end", "ratio", "to reach"]);
    let mut row = |what: &str, read: fn(&Held) -> f64, unit: f64, bar: &str| {
        let (first, last) = (read(&first), read(&last));
        let text = |value: f64| format!("{:.2}", value / unit);
        table.row([what.to_owned(), text(first), text(last), format!("{:.3}", last / first), bar.to_owned()]);
    };
    let what = format!("JavaScript's heap and WebAssembly's memory, MB, {minutes} minutes");
    row(&what, |held| held.heap_bytes + held.wasm_bytes, 1e6, "1.05");
    row("of that JavaScript's heap, MB", |held| held.heap_bytes, 1e6, "");
    row("of that WebAssembly's memory, MB", |held| held.wasm_bytes, 1e6, "");
    row("nodes of the document", |held| held.nodes, 1.0, "1.05");
    row("listeners", |held| held.listeners, 1.0, "1.05");
    println!("\n{table}");
}

/// What was sent last is on the screen.
fn check_it_followed(page: &Page) {
    wait::until("the last lines", || {
        let rows = page.pane().map(|pane| pane.rows).unwrap_or_default();
        let last = rows.last().map(|row| row.text.clone()).unwrap_or_default();
        if last.contains(" of 499.") { Ok(()) } else { Err(last) }
    });
}

fn now_secs() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
    i64::try_from(since.as_secs()).expect("it is before the end of time")
}

fn wait_for_second(begun: Instant, second: u64) {
    let at = begun + Duration::from_secs(second);
    std::thread::sleep(at.saturating_duration_since(Instant::now()));
}

/// An hour before, and a dashboard.
fn fill(server: &TestServer) {
    let mut toml = "title = \"Live\"\n".to_owned();
    for panel in 0..PANELS {
        writeln!(toml, "[[panel]]\ntitle = \"Panel {panel}\"\ntargets = [\"bench.p{panel:02}.*\"]")
            .expect("a text takes it");
    }
    let folder = server.data().join("dashboards");
    std::fs::create_dir_all(&folder).expect("the data folder can be written");
    std::fs::write(folder.join("live.toml"), toml).expect("a dashboard can be written");
    let now = now_secs();
    for ago in (1..=60 * MINUTE as i64 + 30).rev() {
        send(server, now - ago, ago.unsigned_abs());
    }
}

/// What comes in a second.
fn send(server: &TestServer, at_secs: i64, number: u64) {
    let mut points = String::new();
    for panel in 0..PANELS {
        for series in 0..SERIES_OF_A_PANEL {
            let value = (number as usize * (series + 3) + panel * 7) % 97;
            writeln!(points, "bench.p{panel:02}.s{series} {value} {at_secs}").expect("a text takes it");
        }
    }
    drop(server.http().post("/api/ingest/metrics", points.as_bytes()).ok());
    let mut lines = String::new();
    for line in 0..LINES_A_SECOND * SPEED {
        writeln!(
            lines,
            r#"{{"ts":{at_secs}.{line:03},"component":"bench.c{}","msg":"{number}: {line} of {}."}}"#,
            line % 5,
            LINES_A_SECOND * SPEED - 1
        )
        .expect("a text takes it");
    }
    server.store_logs(lines.as_bytes());
}

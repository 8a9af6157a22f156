//! The product's own page on a running server: brushing beside many charts, from data to picture, from a released band to
//! its lines, how large the page is and how soon it can be used.

use crate::charts::median;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sonde_shared::time::TimeRange;
use sonde_tests::browser::{Browser, Settings};
use sonde_tests::corpus::at;
use sonde_tests::page::{Page, Plot};
use sonde_tests::points::Walk;
use sonde_tests::server::TestServer;
use sonde_tests::table::Table;
use sonde_tests::wait;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

const PANELS: usize = 24;
const SERIES_OF_A_PANEL: usize = 4;
const STEP_SECS: i64 = 10;
const LINES: i64 = 86_400;
/// All charts in sight: charts out of sight ask for nothing and draw nothing.
const TALL: Settings = Settings {
    width: 1_280,
    height: 7_000,
    zone: "UTC",
    dark: true,
    touch: false,
    pixel_ratio: 1.0,
    switches: &[],
};
const ROUNDS: usize = 5;
const MOVES: usize = 120;
/// A frame that came so long after the one before means that one was dropped.
const LATE_MS: f64 = 25.0;

/// Notes when the charts' canvases were painted, not those of the crosshair: each begins with clearing it. A message sent in a frame's callbacks comes after the
/// frame was painted.
const WATCH: &str = "
    window.seen = {painted: 0, cleared: 0, usable: 0};
    const {port1, port2} = new MessageChannel();
    let after = [];
    port1.onmessage = () => after.splice(0).forEach(then => then());
    window.afterPainting = then => requestAnimationFrame(() => { after.push(then); port2.postMessage(0); });
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...box) {
        if (this.canvas.parentElement?.dataset.panel) {
            seen.cleared++;
            after.push(() => seen.painted = performance.now());
            port2.postMessage(0);
        }
        return clear.apply(this, box);
    };
    new MutationObserver((_, observer) => {
        if (!document.querySelector('[data-total]') || !document.querySelector('.plot[data-plot-width]')) return;
        observer.disconnect();
        afterPainting(() => seen.usable = performance.now());
    }).observe(document, {childList: true, subtree: true, attributes: true});";

/// Measures all of it and prints a table.
pub(crate) fn measure() {
    let server = TestServer::start();
    fill(&server);
    let mut table = Table::new(["the page", "measured", "to reach"]);
    let mut row = |what: &str, measured: String, bar: &str| {
        println!("{what}: {measured}");
        table.row([what.to_owned(), measured, bar.to_owned()]);
    };
    measure_start(&server, &mut row);
    measure_size(&server, &mut row);
    measure_many(&server, &mut row);
    for (height, charts) in [(3_600, 12), (1_080, 2)] {
        measure_brush(&server, height, charts, &mut row);
    }
    println!("\n{table}");
}

fn day() -> TimeRange {
    TimeRange::between(at("2025-03-10T00:00:00Z"), at("2025-03-11T00:00:00Z"))
}

/// A day of lines and of points, and dashboards of 12 and of 24 charts.
fn fill(server: &TestServer) {
    let start = day().from.as_secs();
    for panel in 0..PANELS {
        let mut text = String::new();
        for series in 0..SERIES_OF_A_PANEL {
            let mut walk = Walk::of(panel * SERIES_OF_A_PANEL + series);
            for step in 0..86_400 / STEP_SECS {
                let (value, ts) = (walk.next_value(), start + step * STEP_SECS);
                writeln!(text, "bench.p{panel:02}.s{series} {value} {ts}").expect("a text takes every write");
            }
        }
        drop(server.http().post("/api/ingest/metrics", text.as_bytes()).ok());
    }
    let mut lines = String::new();
    for second in 0..LINES {
        let ts = start + second;
        writeln!(lines, r#"{{"ts":{ts},"component":"bench","msg":"line {second}"}}"#)
            .expect("a text takes it");
    }
    server.store_logs(lines.as_bytes());
    let folder = server.data().join("dashboards");
    std::fs::create_dir_all(&folder).expect("the data folder can be written");
    for (name, panels) in [("twelve", 12), ("many", PANELS)] {
        let mut toml = format!("title = \"{name}\"\n");
        for panel in 0..panels {
            writeln!(
                toml,
                "[[panel]]\ntitle = \"Panel {panel}\"\ntargets = [\"bench.p{panel:02}.*\"]\nlogs = \"bench\""
            )
            .expect("a text takes every write");
        }
        std::fs::write(folder.join(format!("{name}.toml")), toml).expect("a dashboard can be written");
    }
}

fn address(server: &TestServer, dashboard: &str) -> String {
    let range = "2025-03-10T00:00:00Z..2025-03-11T00:00:00Z";
    server.http().url(&format!("/d/{dashboard}?v=1&t={range}"))
}

fn ask<T: DeserializeOwned>(browser: &Browser, script: &str, args: &[Value]) -> T {
    serde_json::from_value(browser.look(script, args)).expect("the page answers so")
}

fn ms(time: f64) -> String {
    format!("{time:.1} ms")
}

/// From the first byte to charts and pane painted, in browsers that never saw the page.
fn measure_start(server: &TestServer, row: &mut impl FnMut(&str, String, &str)) {
    let usable = || {
        let browser = Browser::open();
        browser.before_pages(WATCH);
        browser.goto(&address(server, "twelve"));
        wait::until("a usable page", || match ask::<f64>(&browser, "return seen.usable", &[]) {
            0.0 => Err("not yet"),
            at => Ok(at
                - ask::<f64>(
                    &browser,
                    "return performance.getEntriesByType('navigation')[0].responseStart",
                    &[],
                )),
        })
    };
    let times = (0..ROUNDS).map(|_| usable()).collect();
    row(
        "from the first byte to charts and pane on the screen, never seen before",
        ms(median(times)),
        "1000 ms",
    );
}

/// All that the page loads of its own, compressed.
fn measure_size(server: &TestServer, row: &mut impl FnMut(&str, String, &str)) {
    let browser = Browser::open();
    Page::open(&browser, &address(server, "twelve"));
    let script = "return performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname)\
        .filter(path => /\\.(js|wasm|css|woff2)$/.test(path))";
    let mut paths: Vec<String> = ask(&browser, script, &[]);
    paths.sort();
    paths.dedup();
    let sizes = paths.iter().map(|path| brotli_size(&server.get(path).ok().body));
    let total: u64 = sizes.sum();
    let what = format!("{} files of WASM, JS, CSS and fonts, brotli", paths.len());
    row(&what, format!("{:.1} KB", total as f64 / 1e3), "400 KB");
}

fn brotli_size(body: &[u8]) -> u64 {
    let script = "process.stdout.write(String(require('zlib').brotliCompressSync(require('fs').readFileSync(0)).length))";
    let node = Command::new("node").args(["-e", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut node = node.expect("node is installed");
    node.stdin.take().expect("it is piped").write_all(body).expect("node reads all");
    let output = node.wait_with_output().expect("node ends");
    String::from_utf8_lossy(&output.stdout).parse().expect("node prints a number")
}

#[derive(Debug, Deserialize, PartialEq)]
struct Charts {
    canvases: usize,
    cleared: usize,
    answers: usize,
    first: f64,
    last: f64,
    painted: f64,
}

/// When the answers were there and when the last canvas was painted.
const PAINTED: &str = "const answers = performance.getEntriesByType('resource')\
    .filter(entry => new URL(entry.name).pathname === '/render').map(entry => entry.responseEnd);\
    return {canvases: document.querySelectorAll('.panel .plot > canvas').length, cleared: seen.cleared, answers: answers.length,\
            first: Math.min(...answers, 1e9), last: Math.max(...answers, 0), painted: seen.painted}";

/// Waits until all charts have their data and nothing was painted between two looks.
fn all_painted(browser: &Browser, charts: usize) -> Charts {
    let mut before = None;
    wait::until("all charts", || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        let now: Charts = ask(browser, PAINTED, &[]);
        let is_done = now.answers >= charts && now.painted > now.last && before.as_ref() == Some(&now);
        if is_done { Ok(now) } else { Err(before.replace(now)) }
    })
}

/// 24 charts of four series over a day.
fn measure_many(server: &TestServer, row: &mut impl FnMut(&str, String, &str)) {
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let browser = Browser::with(&TALL);
        browser.before_pages(WATCH);
        browser.goto(&address(server, "many"));
        let painted = all_painted(&browser, PANELS);
        println!("{painted:?}");
        times.0.push(painted.painted - painted.last);
        times.1.push(painted.painted - painted.first);
        browser.screenshot("bench-24-charts");
    }
    row(
        "24 charts: from the last answer's last byte to the last chart painted",
        ms(median(times.0)),
        "300 ms",
    );
    row("24 charts: from the first answer's last byte to the last chart painted", ms(median(times.1)), "");
}

/// Notes every frame until it is told to end.
const WATCH_FRAMES: &str = "
    window.frames = [];
    window.framesEnded = false;
    const frame = at => { frames.push(at); if (!framesEnded) requestAnimationFrame(frame); };
    requestAnimationFrame(frame);";

/// Notes when the first line that was not there before is on the screen after letting go.
const WATCH_LINES: &str = "
    window.framesEnded = true;
    window.drag = {released: 0, line: 0};
    window.addEventListener('pointerup', event => {
        drag.released = event.timeStamp;
        const ids = () => [...document.querySelectorAll('[data-line]')].map(row => row.dataset.line);
        const before = new Set(ids());
        new MutationObserver((_, observer) => {
            if (!ids().some(id => !before.has(id))) return;
            observer.disconnect();
            afterPainting(() => drag.line = performance.now());
        }).observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ['data-line']});
    }, {capture: true, once: true});";

#[derive(Deserialize)]
struct Released {
    released: f64,
    line: f64,
}

/// Frames over some time.
#[derive(Clone, Copy, Default)]
struct Frames {
    all: usize,
    late: usize,
    canvases: usize,
    script_ms: f64,
}

/// What happens to frames during some work.
fn frames_during(browser: &Browser, work: impl FnOnce()) -> Frames {
    let cleared = || ask::<usize>(browser, "return seen.cleared", &[]);
    let before = (browser.measure("ScriptDuration"), cleared());
    browser.look(WATCH_FRAMES, &[]);
    work();
    let script_ms = (browser.measure("ScriptDuration") - before.0) * 1e3;
    let frames: Vec<f64> = ask(browser, "framesEnded = true; return frames", &[]);
    let gaps = frames.windows(2).map(|pair| pair[1] - pair[0]).enumerate();
    let late: Vec<_> =
        gaps.filter(|(_, gap)| *gap > LATE_MS).map(|(at, gap)| format!("{at}: {}", ms(gap))).collect();
    println!("late frames, of {}: {late:?}", frames.len());
    Frames { all: frames.len(), late: late.len(), canvases: cleared() - before.1, script_ms }
}

impl std::ops::Add for Frames {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            all: self.all + other.all,
            late: self.late + other.late,
            canvases: self.canvases + other.canvases,
            script_ms: self.script_ms + other.script_ms,
        }
    }
}

/// Long drags over one of twelve charts, of which at least so many are in sight, as long a rest for comparison, and the lines of the
/// bands.
fn measure_brush(server: &TestServer, height: u32, charts: usize, row: &mut impl FnMut(&str, String, &str)) {
    let browser = Browser::with(&Settings { height, ..TALL });
    browser.before_pages(WATCH);
    browser.goto(&address(server, "twelve"));
    all_painted(&browser, charts);
    let page = Page { browser: &browser };
    let (mut drags, mut rests, mut lines) = (Frames::default(), Frames::default(), Vec::new());
    for round in 0..ROUNDS {
        let plot = page.plot("panel-0").expect("there is a first panel");
        rests = rests + frames_during(&browser, || std::thread::sleep(std::time::Duration::from_secs(4)));
        drags = drags + frames_during(&browser, || browser.press_and_move(&path(&plot, round)));
        browser.look(WATCH_LINES, &[]);
        browser.let_go();
        let drag = wait::until("lines of the band", || {
            let drag: Released = ask(&browser, "return drag", &[]);
            if drag.line > 0.0 { Ok(drag) } else { Err(drag.released) }
        });
        lines.push(drag.line - drag.released);
    }
    browser.assert_no_errors();
    assert_eq!(drags.canvases, 0, "brushing paints no chart anew");
    let (moves, frames) = ((MOVES * ROUNDS) as f64, drags.all as f64);
    let script = format!("{} a move, {} a frame", ms(drags.script_ms / moves), ms(drags.script_ms / frames));
    let mut row =
        |what: &str, measured: String, bar: &str| row(&format!("{height} px high, {what}"), measured, bar);
    row("brushing beside 12 charts: script", script, "2 ms a frame");
    let late = format!("{} of {}; at rest {} of {}", drags.late, drags.all, rests.late, rests.all);
    row("brushing beside 12 charts: frames later than 25 ms", late, "0");
    row("from letting go to the first new line on the screen", ms(median(lines)), "100 ms");
}

fn path(plot: &Plot, round: usize) -> Vec<(f64, f64)> {
    let part = |part: f64| plot.left + plot.width * part;
    let (from, until) = (part(0.1 + 0.05 * round as f64), part(0.6 + 0.05 * round as f64));
    let point = |step: usize| {
        let x = from + (until - from) * step as f64 / MOVES as f64;
        (x.round(), plot.middle.round())
    };
    (0..=MOVES).map(point).collect()
}

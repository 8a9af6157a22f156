//! Reading very many lines in the page: how soon the last one is there, how soon the right lines stand where the scrollbar was let
//! rest, how long a task is while one scrolls, what memory it takes, and whether a fast tail lets one read.

use crate::script::{self, Frame};
use serde::Deserialize;
use serde_json::json;
use sonde_tests::browser::{Browser, Key};
use sonde_tests::http::Client;
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use sonde_tests::table::Table;
use sonde_tests::wait;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const START_MS: u64 = 1_741_608_000_000;
/// One of so many lines is of the component that is scrolled from end to end.
const SHARE: u64 = 10;
const ROUNDS: usize = 5;
/// Where the scrollbar is let rest, as shares of its way.
const PLACES: [f64; 8] = [0.3, 0.8, 0.1, 0.55, 0.95, 0.42, 0.67, 0.21];
const SCROLLBAR: &str = "[data-total] [aria-label='Position in the lines']";
/// How many lines a second the tail has.
const RATE: u64 = 2_000;

/// Notes the last input, when the rows in sight were all there after it, and the memory of WASM.
const WATCH: &str = "
    window.seen = {input: 0, whole: 0, memory: null};
    for (const kind of ['keydown', 'pointermove', 'wheel'])
        addEventListener(kind, event => { seen.input = event.timeStamp; seen.whole = 0; }, {capture: true});
    const look = () => {
        const rows = [...document.querySelectorAll('.log-list .row')];
        const isWhole = rows.length > 3 && rows.every(row => row.dataset.line);
        if (isWhole && !seen.whole && performance.now() - seen.input > 1) seen.whole = performance.now();
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const build = WebAssembly[name];
        WebAssembly[name] = async (...args) => {
            const built = await build.apply(WebAssembly, args);
            seen.memory = (built.instance ?? built).exports.memory;
            return built;
        };
    }";

/// Some milliseconds of work that is always the same, in a task of its own: what it takes longer than else is the machine's
/// doing, which has other work on its cores.
const SAME_WORK: &str = "
    setTimeout(function sameWork() {
        let sum = 0;
        for (let n = 0; n < 1e6; n++) sum = (sum + n * 31) % 65521;
        seen.sum = sum;
    });";

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// How many lines the range has.
    pub(crate) lines: u64,
    /// How long lines are followed.
    pub(crate) tail_secs: u64,
}

/// Measures all of it and prints a table.
pub(crate) fn measure(extent: Extent) {
    let server = TestServer::start();
    fill(&server, extent.lines);
    let mut table = Table::new(["reading in the page", "measured", "to reach"]);
    let mut row = |what: &str, measured: String, bar: &str| {
        println!("{what}: {measured}");
        table.row([what.to_owned(), measured, bar.to_owned()]);
    };
    measure_end(&server, extent.lines, &mut row);
    measure_drag(&server, extent.lines, &mut row);
    measure_scrolling(&server, extent.lines / SHARE, &mut row);
    measure_tail(&server, extent.tail_secs, &mut row);
    println!("\n{table}");
}

/// Lines of an hour that tell their number.
fn fill(server: &TestServer, lines: u64) {
    for start in (0..lines).step_by(50_000) {
        let mut body = String::with_capacity(6_000_000);
        for number in start..lines.min(start + 50_000) {
            let ts = START_MS * 1_000
                + u64::try_from(u128::from(number) * 3_600_000_000 / u128::from(lines)).unwrap_or(0);
            let name = if number % SHARE == 0 { "gate" } else { "wheel" };
            writeln!(body, r#"{{"ts":{ts},"component":"mill.{name}","host":"n{}","msg":"turn {number} of the wheel","rpm":{}}}"#, number % 3, number % 17)
                .expect("a text takes every write");
        }
        server.store_logs(body.as_bytes());
    }
}

fn open<'a>(browser: &'a Browser, server: &TestServer, component: &str, lines: u64) -> Page<'a> {
    browser.before_pages(WATCH);
    let address = format!("/?v=1&t=2025-03-10T12:00:00Z..13:00:00Z&c={component}&chosen=1");
    let page = Page::open(browser, &server.http().url(&address));
    page.wait_for_total(lines);
    browser.click(page.center(".log-list .row .level-bar"));
    browser.key(Key::Escape);
    page
}

#[derive(Debug, Deserialize)]
struct Seen {
    input: f64,
    whole: f64,
}

/// From the last input to the rows that were to come, once all of them are there and are the right ones.
fn settled(browser: &Browser, what: &str, is_right: impl Fn(u64, u64) -> bool) -> f64 {
    let script = "const rows = [...document.querySelectorAll('.log-list .row')];\
        const number = row => row.dataset.line ? Number(/turn (\\d+)/.exec(row.innerText)?.[1]) : -1;\
        return [rows.map(row => [Number(row.getAttribute('aria-rowindex')) - 1, number(row)]), {input: seen.input, whole: seen.whole}]";
    wait::until(what, || {
        let (rows, seen): (Vec<(u64, i64)>, Seen) =
            serde_json::from_value(browser.look(script, &[])).expect("the page answers so");
        let right = seen.whole > 0.0
            && rows
                .iter()
                .all(|(index, number)| u64::try_from(*number).is_ok_and(|number| is_right(*index, number)));
        if right { Ok(seen.whole - seen.input) } else { Err((rows, seen.whole)) }
    })
}

fn ms(times: &[f64]) -> String {
    let (most, sum) = times.iter().fold((0.0_f64, 0.0), |(most, sum), time| (most.max(*time), sum + time));
    format!("{:.0} ms, at most {most:.0} ms", sum / times.len() as f64)
}

fn measure_end(server: &TestServer, lines: u64, row: &mut impl FnMut(&str, String, &str)) {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let browser = Browser::open();
        open(&browser, server, "mill", lines);
        browser.key(Key::End);
        times.push(settled(&browser, "the last line", |index, number| index == number && index + 60 > lines));
    }
    row(&format!("the last of {lines} lines, from the key End"), ms(&times), "200 ms");
}

fn measure_drag(server: &TestServer, lines: u64, row: &mut impl FnMut(&str, String, &str)) {
    let browser = Browser::open();
    let page = open(&browser, server, "mill", lines);
    let [left, top, width, height] = page.rect(SCROLLBAR);
    let x = left + width / 2.0;
    let mut times = Vec::new();
    let mut at = top + 4.0;
    browser.press_and_move(&[(x, at), (x, at + 2.0)]);
    for place in PLACES {
        let next = top + 4.0 + place * (height - 30.0);
        let steps = [0.3, 0.6, 0.9, 1.0].map(|part| (x, (next - at).mul_add(part, at)));
        browser.press_and_move(&steps);
        at = next;
        let wanted = place * lines as f64;
        times.push(settled(&browser, "the lines there", |index, number| {
            index == number && (index as f64 - wanted).abs() < lines as f64 * 0.05
        }));
    }
    browser.let_go();
    row("the lines where the scrollbar rests, from its last move", ms(&times), "100 ms");
}

/// A million lines from end to end, twice.
fn measure_scrolling(server: &TestServer, lines: u64, row: &mut impl FnMut(&str, String, &str)) {
    let traced = script::browser();
    let browser = traced.browser();
    let page = open(browser, server, "mill.gate", lines);
    let point = page.point_in_rows();
    script::watch(browser);
    let step = (lines / 1_500 * 20).max(200) as i64;
    let mut wheels = 0_u32;
    for direction in [1, -1, 1, -1] {
        let wanted = if direction > 0 { lines } else { 1 };
        wait::until_within(Duration::from_mins(10), "the other end", || {
            browser.wheel(point, direction * step);
            wheels += 1;
            browser.look(SAME_WORK, &[]);
            let seen = "return [...document.querySelectorAll('.row')].some(row => row.getAttribute('aria-rowindex') === arguments[0])";
            if browser.look(seen, &[json!(wanted.to_string())]) == json!(true) { Ok(()) } else { Err(wheels) }
        });
    }
    script::watched(browser);
    let wasm = browser
        .look("return seen.memory ? seen.memory.buffer.byteLength : 0", &[])
        .as_f64()
        .unwrap_or(f64::NAN);
    let heap = browser.measure("JSHeapUsedSize");
    let script::Watched { frames, same_work } = script::all_watched(traced, &server.http().url("/"));
    let what = format!("{lines} lines from end to end, twice, in {wheels} turns of the wheel");
    row(&format!("{what}: script of a frame"), told(&frames), "16 ms");
    row("for scale: some work that is always the same, between the turns", told(&same_work), "");
    let [longest, rare, _] = most(&frames, |frame| frame.whole);
    row(
        "a frame meanwhile: script, layout and painting",
        format!("at most {longest:.1} ms, one in 1,000 {rare:.1} ms"),
        "",
    );
    row("JS heap and WASM memory after it", format!("{:.0} + {:.0} MB", heap / 1e6, wasm / 1e6), "150 MB");
}

/// How long frames are by the processor and by the clock.
fn told(frames: &[Frame]) -> String {
    let [longest, rare, half] = most(frames, |frame| frame.processor);
    let [longest_clock, rare_clock, _] = most(frames, |frame| frame.clock);
    let late = frames.iter().filter(|frame| frame.processor > 16.0).count();
    format!(
        "at most {longest:.1} ms of the processor ({late} of {} over 16 ms), one in 1,000 {rare:.1}, one in 2 {half:.1}; by the clock at most {longest_clock:.1} ms, one in 1,000 {rare_clock:.1}",
        frames.len(),
    )
}

/// The longest one, that which one in 1,000 is longer than, and the middle one.
fn most(frames: &[Frame], part: impl Fn(&Frame) -> f64) -> [f64; 3] {
    let mut times: Vec<f64> = frames.iter().map(part).collect();
    times.sort_by(|one, other| other.total_cmp(one));
    [0, times.len() / 1_000, times.len() / 2].map(|place| times.get(place).copied().unwrap_or_default())
}

/// Sends lines at a rate until it is told to end; counts them.
fn send(http: &Client, sent: &AtomicU64, ends: &AtomicBool) {
    let begun = Instant::now();
    while !ends.load(Ordering::Relaxed) {
        let due = begun.elapsed().as_millis() as u64 * RATE / 1_000;
        let mut body = String::new();
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("the clock is right").as_micros();
        for number in sent.load(Ordering::Relaxed)..due {
            writeln!(body, r#"{{"ts":{now},"component":"tail","msg":"tick {number}"}}"#)
                .expect("a text takes every write");
        }
        if !body.is_empty() {
            drop(http.post("/api/ingest/logs", body.as_bytes()).ok());
            sent.store(due, Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// While lines come fast, one reads those of before.
fn measure_tail(server: &TestServer, secs: u64, row: &mut impl FnMut(&str, String, &str)) {
    let (sent, ends) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let http = Client::new(server.http().address());
        let (counter, end) = (&sent, &ends);
        scope.spawn(move || send(&http, counter, end));
        let browser = Browser::open();
        let page = Page::open(&browser, &server.http().url("/?v=1&t=-1h..now&live=1&c=tail&chosen=1"));
        wait::until("some lines", || {
            page.pane().and_then(|pane| pane.total).filter(|lines| *lines > 10_000).ok_or(())
        });
        browser.wheel(page.point_in_rows(), -4_000);
        let newer = "return /newer line/i.test(document.querySelector('.log-head').innerText)";
        page.wait_for("the reader to be told of newer lines", newer, &json!(true));
        let rows = || -> Vec<String> {
            page.pane().map(|pane| pane.rows.into_iter().map(|row| row.id).collect()).unwrap_or_default()
        };
        let read = wait::until("rows to read", || {
            let rows = rows();
            if rows.len() > 5 && rows.iter().all(|id| !id.is_empty()) { Ok(rows) } else { Err(rows) }
        });
        let begun = Instant::now();
        let mut moved = 0_u32;
        while begun.elapsed() < Duration::from_secs(secs) {
            std::thread::sleep(Duration::from_millis(500));
            moved += u32::from(rows() != read);
        }
        ends.store(true, Ordering::Relaxed);
        row(
            &format!(
                "looks, of {}, at which a read line had moved while {RATE} lines a second came",
                secs * 2
            ),
            moved.to_string(),
            "0",
        );
        browser.click(page.center(".log-list .level-bar"));
        browser.key(Key::End);
        browser.key(Key::End);
        let all = sent.load(Ordering::Relaxed);
        let last = format!("tick {}", all - 1);
        wait::until_within(Duration::from_mins(1), "the last line", || {
            let shown = page.pane();
            browser.key(Key::End);
            let is_there =
                shown.is_some_and(|pane| pane.rows.last().is_some_and(|row| row.text.contains(&last)));
            if is_there { Ok(()) } else { Err(last.clone()) }
        });
        let stored = server.http().get("/api/logs/facets?component=tail");
        let stored = stored.json::<serde_json::Value>()["total"].clone();
        row("lines that were sent, and lines in the pane's query", format!("{all}, {stored}"), "the same");
    });
}

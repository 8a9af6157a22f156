//! Charts and lines tied together: a line marks its instant on every chart, the crosshair leads the lines where that is wanted.

use serde_json::{Value, json};
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_tests::browser::{Browser, Key};
use sonde_tests::corpus::range;
use sonde_tests::page::{Page, Plot};
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::fmt::Write as _;

const ADDRESS: &str = "/?v=1&t=2025-02-28T03:00:00Z..03:10:00Z";

fn visible() -> TimeRange {
    range("2025-02-28T03:00:00Z", "2025-02-28T03:10:00Z")
}

/// Ten minutes of two metrics a second and of five lines a second, each of which says its number.
fn bells() -> TestServer {
    let server = TestServer::start();
    let (mut lines, mut points) = (String::new(), String::new());
    for tick in 0..3_000_u64 {
        let ms = 1_740_711_600_000 + tick * 200;
        let level = if tick == 1_500 { "error" } else { "info" };
        writeln!(lines, r#"{{"ts":{ms},"component":"tower.bell","level":"{level}","msg":"stroke {tick}."}}"#)
            .expect("a String takes it");
    }
    for second in 0..600_u64 {
        let ts = 1_740_711_600 + second;
        writeln!(points, "tower.bell.swing {second} {ts}\nharbour.tide 4 {ts}").expect("a String takes it");
    }
    server.store_logs(lines.as_bytes());
    assert_eq!(server.http().post("/api/ingest/metrics", points.as_bytes()).status, 200);
    server
}

fn open<'a>(browser: &'a Browser, server: &TestServer) -> (Page<'a>, Plot) {
    open_at(browser, server, "")
}

fn open_at<'a>(browser: &'a Browser, server: &TestServer, more: &str) -> (Page<'a>, Plot) {
    let page = Page::open(browser, &server.http().url(&format!("{ADDRESS}{more}")));
    page.wait_for_total(3_000);
    let first = page.first_chart();
    let plot = page.plot_of(&first, visible());
    (page, plot)
}

/// Where the crosshair, the middle of its canvas, is on each chart and the histogram, in pixels from the plot's left.
const CROSSHAIRS: &str = "return [...document.querySelectorAll('.plot[data-panel]')].map(plot => {\
    const line = plot.querySelector('.crosshair'); if (!line) return null;\
    const {left, width} = line.getBoundingClientRect();\
    return Math.round(left + (width - 1) / 2 - plot.getBoundingClientRect().left - Number(plot.dataset.plotLeft)) })";

/// All crosshairs stand at an instant, but for a pixel.
#[track_caller]
fn crosshairs_at(browser: &Browser, plot: &Plot, at: Timestamp) {
    let x = plot.x_of(at) - plot.left;
    wait::until("the instant on every chart", || {
        let seen = browser.look(CROSSHAIRS, &[]);
        let all = seen.as_array().cloned().unwrap_or_default();
        let is_there = |one: &Value| one.as_f64().is_some_and(|seen| (seen - x).abs() <= 1.5);
        if all.len() >= 3 && all.iter().all(is_there) { Ok(()) } else { Err((x, seen)) }
    });
}

fn instant_of(tick: i64) -> Timestamp {
    visible().from.plus_nanos(tick * 200_000_000)
}

/// The number of a row's stroke.
fn tick_of(text: &str) -> i64 {
    let (_, rest) = text.split_once("stroke ").expect("a stroke");
    rest.split('.').next().and_then(|number| number.parse().ok()).expect("a number")
}

fn hover(browser: &Browser, plot: &Plot, tick: i64) {
    browser.hover((plot.x_of(instant_of(tick)).round(), plot.middle));
}

/// The crosshair leads the pane to the line of its instant, which is marked.
#[track_caller]
fn follows(page: &Page, plot: &Plot, tick: i64) {
    hover(page.browser, plot, tick);
    is_led_to(page, plot, tick);
}

/// The line nearest to the crosshair is marked and shown.
#[track_caller]
fn is_led_to(page: &Page, plot: &Plot, tick: i64) {
    let script = "return document.querySelector('.row.nearest')?.innerText ?? null";
    wait::until("the line nearest to the crosshair", || {
        let seen = page.browser.look(script, &[]).as_str().map(tick_of);
        let apart = plot.pixel_ms() / 200 + 1;
        if seen.is_some_and(|seen| (seen - tick).abs() <= apart) { Ok(()) } else { Err((seen, tick)) }
    });
    wait::until("it in sight", || {
        let shown = shown(page);
        if shown.iter().any(|seen| (seen - tick).abs() <= 2) { Ok(()) } else { Err(shown) }
    });
}

fn shown(page: &Page) -> Vec<i64> {
    page.pane().map(|pane| pane.rows.iter().map(|row| tick_of(&row.text)).collect()).unwrap_or_default()
}

#[test]
fn a_line_under_the_pointer_or_the_keys_marks_its_instant_on_every_chart() {
    let server = bells();
    let browser = Browser::open();
    let (page, plot) = open(&browser, &server);
    // The first lines are at the plot's edge: some way into them.
    for _ in 0..8 {
        browser.wheel(page.center("#log-list"), 2_000);
    }
    wait::until("other lines", || {
        shown(&page).first().filter(|first| **first > 500).map(drop).ok_or("the first ones")
    });
    let at = page.center("#log-list");
    let row = wait::until("a row that stands", || {
        let script = "const row = document.elementFromPoint(arguments[0], arguments[1]).closest('[data-line]'); return row?.innerText ?? null";
        browser.look(script, &[json!(at.0), json!(at.1)]).as_str().map(tick_of).ok_or("none")
    });
    browser.hover((at.0 + 1.0, at.1));
    crosshairs_at(&browser, &plot, instant_of(row));
    browser.hover((at.0, 5.0));
    page.wait_for("no crosshair", "return document.querySelectorAll('.crosshair').length", &json!(0));
    browser.click(at);
    browser.hover((at.0, 5.0));
    browser.key(Key::Down);
    browser.key(Key::Down);
    let cursor = "return document.querySelector('.row.cursor')?.innerText ?? null";
    let by_keys = wait::until("the cursor", || {
        browser.look(cursor, &[]).as_str().map(tick_of).filter(|tick| *tick > row).ok_or("none")
    });
    crosshairs_at(&browser, &plot, instant_of(by_keys));
    // Lines that are yet to come mark theirs when they are there.
    for (key, tick) in [('G', 2_999), ('k', 2_998), ('E', 1_500), ('g', 0)] {
        browser.key(key);
        let at_cursor = || browser.look(cursor, &[]).as_str().map(tick_of).ok_or("none");
        wait::until("the cursor", || {
            at_cursor().and_then(|at| (at == tick).then_some(()).ok_or("elsewhere"))
        });
        crosshairs_at(&browser, &plot, instant_of(tick));
    }
    browser.assert_no_errors();
}

#[test]
fn the_crosshair_leads_the_lines_once_that_is_switched_on_and_not_while_the_reader_is_at_work() {
    let server = bells();
    let browser = Browser::open();
    let (page, plot) = open(&browser, &server);
    let hover = |tick: i64| hover(&browser, &plot, tick);
    let pressed = "return document.querySelector('[aria-label=\"Follow the crosshair\"]').ariaPressed";
    assert_eq!(browser.look(pressed, &[]), json!("false"), "off at first");
    // A hairline tells where the line would be: two thirds of the way.
    hover(2_000);
    wait::until("the hairline", || {
        let script = "const h = document.querySelector('.hairline'), s = h?.parentElement.getBoundingClientRect();\
            return h ? (h.getBoundingClientRect().top - s.top) / s.height : null";
        let share = browser.look(script, &[]).as_f64().unwrap_or(-1.0);
        if (share - 2.0 / 3.0).abs() < 0.01 { Ok(()) } else { Err(share) }
    });
    assert!(shown(&page).contains(&0), "the lines stay");
    browser.key('f');
    page.wait_for("a visible state", pressed, &json!("true"));
    let follows = |tick: i64| follows(&page, &plot, tick);
    follows(1_000);
    follows(2_700);
    // The reader's own wheel: the lines are the reader's for two seconds.
    browser.wheel(page.center("#log-list"), -400);
    let own = wait::until("the reader's place", || {
        let rows = shown(&page);
        rows.first().copied().filter(|first| *first < 2_690).ok_or(rows)
    });
    let start = "window.ownAt = performance.now(); return true";
    browser.look(start, &[]);
    hover(300);
    page.wait_for("half a second", "return performance.now() - window.ownAt > 500", &json!(true));
    assert_eq!(shown(&page).first().copied(), Some(own), "while the reader is at work the lines stay");
    // Then they come to where the crosshair has been all the while.
    is_led_to(&page, &plot, 300);
    let waited = browser.look("return performance.now() - window.ownAt", &[]).as_f64().unwrap_or_default();
    assert!(waited > 1_500.0, "{waited}");
    follows(500);
    browser.screenshot("follow");
    // The choice stays in this browser.
    browser.reload();
    page.wait_for(
        "the same state",
        "return document.querySelector('[aria-label=\"Follow the crosshair\"]')?.ariaPressed ?? null",
        &json!("true"),
    );
    browser.assert_no_errors();
}

#[test]
fn the_crosshair_leads_the_lines_also_where_the_newest_is_the_first() {
    let server = bells();
    let browser = Browser::open();
    let (page, plot) = open_at(&browser, &server, "&order=desc");
    browser.key('f');
    for tick in [1_000, 2_700, 200] {
        follows(&page, &plot, tick);
    }
    browser.assert_no_errors();
}

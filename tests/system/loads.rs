//! What the page asks and draws when it is opened: each thing once.

use serde_json::json;
use sonde_shared::time::Timestamp;
use sonde_tests::browser::Browser;
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::SystemTime;

/// Notes requests by what they ask for, and how often each chart's canvas was cleared, which every drawing begins with.
const WATCH: &str = "
    window.asked = {}; window.drawn = {}; window.lastAsked = Infinity;
    const ask = window.fetch;
    window.fetch = (input, init) => {
        const url = new URL(input.url ?? input, location);
        const what = url.pathname === '/render' ? 'render ' + url.searchParams.getAll('target') : url.pathname;
        if (!what.endsWith('.wasm')) { asked[what] = (asked[what] ?? 0) + 1; lastAsked = performance.now(); }
        return ask(input, init);
    };
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...all) {
        const chart = this.canvas.parentElement?.dataset.panel;
        if (chart) drawn[chart] = (drawn[chart] ?? 0) + 1;
        return clear.apply(this, all);
    };";

fn now() -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
    Timestamp::from_nanos(since.as_nanos() as i64)
}

/// Two charts and some lines, up to an instant.
fn fill(server: &TestServer, until_secs: i64) {
    let mut text = String::new();
    for ts in (until_secs - 600..until_secs).step_by(10) {
        writeln!(text, "well.depth {} {ts}\nmill.turns 7 {ts}", ts % 90).expect("a text takes it");
    }
    drop(server.http().post("/api/ingest/metrics", text.as_bytes()).ok());
    let ts = Timestamp::from_secs(until_secs - 60);
    let line = |n: usize| format!("{{\"ts\":\"{ts}\",\"component\":\"mill\",\"msg\":\"sack {n}.\"}}\n");
    server.store_logs((0..3).map(line).collect::<String>().as_bytes());
}

/// A page that has all and asks for nothing any more.
fn open<'a>(browser: &'a Browser, server: &TestServer, address: &str) -> Page<'a> {
    browser.before_pages(WATCH);
    let page = Page::open(browser, &server.http().url(address));
    page.wait_for_total(3);
    let legends = "return document.querySelectorAll('.legend li').length";
    page.wait_for("both charts", legends, &json!(2));
    page.wait_for("the histogram", "return !!drawn.histogram", &json!(true));
    page
}

fn wait_for_rest(page: &Page) {
    page.wait_for("a second of rest", "return performance.now() - lastAsked > 1000", &json!(true));
}

fn counts(browser: &Browser, of: &str) -> BTreeMap<String, u64> {
    serde_json::from_value(browser.look(&format!("return {of}"), &[])).expect("counts by name")
}

/// What was asked for, without what shows only that there are more things than charts and lines.
fn asked(browser: &Browser) -> BTreeMap<String, u64> {
    let mut asked = counts(browser, "asked");
    asked.retain(|what, _| !what.starts_with("/api/dashboards/") && what != "/api/page");
    asked
}

fn once(names: &[&str]) -> BTreeMap<String, u64> {
    names.iter().map(|name| ((*name).to_owned(), 1)).collect()
}

const CHARTS: [&str; 3] = ["/events/get_data", "/api/components", "/api/logs/histogram"];

#[test]
fn a_page_asks_for_each_thing_once_and_draws_each_chart_once() {
    let server = TestServer::start();
    fill(&server, 1_740_712_200);
    let browser = Browser::open();
    let page = open(&browser, &server, "/?v=1&t=2025-02-28T03:00:00Z..03:10:00Z");
    wait_for_rest(&page);
    let expected =
        once(&[CHARTS.as_slice(), &["/api/logs", "render well.depth", "render mill.turns"]].concat());
    assert_eq!(asked(&browser), expected);
    let drawn = counts(&browser, "drawn");
    assert_eq!(drawn.len(), 3, "{drawn:?}");
    assert!(drawn.values().all(|count| *count == 1), "{drawn:?}");
    browser.assert_no_errors();
}

#[test]
fn a_live_page_asks_once_too_but_for_the_lines_that_came_before_it_is_told_them() {
    let server = TestServer::start();
    fill(&server, now().as_secs());
    let browser = Browser::open();
    // A day moves on so slowly that no tick falls into the start.
    let page = open(&browser, &server, "/?v=1&t=-24h..now&live=1");
    page.wait_until_fed();
    wait_for_rest(&page);
    let mut expected =
        once(&[CHARTS.as_slice(), &["/api/live", "render well.depth", "render mill.turns"]].concat());
    expected.insert("/api/logs".to_owned(), 2);
    assert_eq!(asked(&browser), expected);
    browser.assert_no_errors();
}

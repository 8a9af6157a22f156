//! A chart by keys alone: where the crosshair goes, that a band has a width, and how time is moved.

use serde_json::{Value, json};
use sonde_tests::browser::{Browser, Key};
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use sonde_tests::wait;

const ADDRESS: &str = "/?v=1&t=2025-02-28T03:00:00Z..03:10:00Z&target=mill.heat";

/// A chart with the focus.
fn open<'a>(browser: &'a Browser, server: &TestServer, address: &str) -> Page<'a> {
    let points = (0..600).map(|second| format!("mill.heat 7 {}", 1_740_711_600 + second));
    let text = points.collect::<Vec<_>>().join("\n");
    assert_eq!(server.http().post("/api/ingest/metrics", text.as_bytes()).status, 200);
    let page = Page::open(browser, &server.http().url(address));
    let focus =
        "const plot = document.querySelector('.plot[data-panel=\"~targets\"]'); plot?.focus(); return !!plot";
    page.wait_for("the chart", focus, &json!(true));
    page
}

#[test]
fn keys_pan_and_zoom_to_the_selection_and_back() {
    let server = TestServer::start();
    let browser = Browser::open();
    open(&browser, &server, &format!("{ADDRESS}&s=2025-02-28T03:02:00Z..03:04:00Z"));
    let shows = |range: &str| {
        wait::until(range, || {
            Some(browser.url()).filter(|url| url.contains(range)).ok_or_else(|| browser.url())
        })
    };
    // Each is told by the address, so that the next one is no part of its burst.
    browser.key(Key::PageDown);
    shows("t=2025-02-28T03:05:00Z..03:15:00Z");
    browser.key(Key::PageUp);
    shows("t=2025-02-28T03:00:00Z..03:10:00Z");
    browser.key(Key::PageUp);
    shows("t=2025-02-28T02:55:00Z..03:05:00Z");
    browser.key('z');
    shows("t=2025-02-28T03:01:48Z..03:04:12Z");
    browser.key(Key::Backspace);
    let url = shows("t=2025-02-28T02:55:00Z..03:05:00Z");
    assert!(url.contains("s=2025-02-28T03:02:00Z..03:04:00Z"), "the selection stays: {url}");
    browser.assert_no_errors();
}

#[test]
fn what_is_read_out_has_values_events_dates_and_what_is_shown() {
    let server = TestServer::start();
    let event = json!({"what": "deploy", "when": 1_740_711_960, "tags": ["web"]});
    assert!(server.http().post("/events/", event.to_string().as_bytes()).status < 300);
    let browser = Browser::open();
    let page = open(&browser, &server, &format!("{ADDRESS}&s=2025-02-28T03:02:00Z..03:04:00Z"));
    let of_page = "return document.querySelector('.unseen[aria-live]').textContent";
    let first = "Showing 2025-02-28 03:00:00 to 03:10:00; 2025-02-28 03:02:00 to 03:04:00, 0 lines";
    page.wait_for("the range and the selection", of_page, &json!(first));
    let of_chart = "return document.querySelector('[data-panel=\"~targets\"] [role=status]').textContent";
    browser.chord(&[Key::Control], Key::Right);
    page.wait_for("an event and a value", of_chart, &json!("03:06:00, deploy web, mill.heat 7"));
    browser.key('+');
    page.wait_for("the range alone", of_page, &json!("Showing 2025-02-28 03:03:00 to 03:08:00"));
    let days = "/?v=1&t=2025-02-28T03:00:00Z..2025-03-02T03:00:00Z&target=mill.heat";
    let page = open(&browser, &server, days);
    let both = "2025-02-28 03:00:00 to 2025-03-02 03:00:00, 0 lines";
    page.wait_for("both days", of_page, &json!(both));
    browser.key(Key::End);
    page.wait_for("the day", of_chart, &json!("Mar 2 03:00:00"));
    browser.assert_no_errors();
}

#[test]
fn home_and_end_lead_to_the_ends_and_a_band_past_the_end_is_none() {
    let server = TestServer::start();
    let browser = Browser::open();
    let page = open(&browser, &server, ADDRESS);
    let said = "return document.querySelector('[data-panel=\"~targets\"] [role=status]').textContent";
    let bands = "return document.querySelectorAll('.band').length";
    browser.key(Key::End);
    page.wait_for("the end", said, &json!("03:10:00, mill.heat 7"));
    browser.chord(&[Key::Shift], Key::Right);
    browser.chord(&[Key::Shift], Key::Right);
    // What is read out comes once the keys rest; the key after it tells that these were taken.
    browser.key(Key::Home);
    page.wait_for("the start", said, &json!("03:00:00, mill.heat 7"));
    browser.key(Key::End);
    browser.chord(&[Key::Shift], Key::Right);
    assert_eq!(browser.look(bands, &[]), json!(0), "a band past the end");
    browser.chord(&[Key::Shift], Key::Home);
    page.wait_for("the whole range", bands, &json!(page_charts(&page)));
    browser.key(Key::Enter);
    let selected = "return document.querySelector('.page').dataset.selection";
    page.wait_for("it selected", selected, &json!("1740711600000..1740712200000"));
    browser.assert_no_errors();
}

/// How many charts show a band.
fn page_charts(page: &Page) -> Value {
    page.browser.look("return document.querySelectorAll('.plot-overlay').length", &[])
}

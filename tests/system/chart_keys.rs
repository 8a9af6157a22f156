//! A chart by keys alone: where the crosshair goes, and that a band has a width.

use serde_json::{Value, json};
use sonde_tests::browser::{Browser, Key};
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;

const ADDRESS: &str = "/?v=1&t=2025-02-28T03:00:00Z..03:10:00Z&target=mill.heat";

#[test]
fn home_and_end_lead_to_the_ends_and_a_band_past_the_end_is_none() {
    let server = TestServer::start();
    let points = (0..600).map(|second| format!("mill.heat 7 {}", 1_740_711_600 + second));
    let text = points.collect::<Vec<_>>().join("\n");
    assert_eq!(server.http().post("/api/ingest/metrics", text.as_bytes()).status, 200);
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    let focus =
        "const plot = document.querySelector('.plot[data-panel=\"~targets\"]'); plot?.focus(); return !!plot";
    page.wait_for("the chart", focus, &json!(true));
    let said = "return document.querySelector('[data-panel=\"~targets\"] [role=status]').textContent";
    let bands = "return document.querySelectorAll('.band').length";
    browser.key(Key::End);
    page.wait_for("the end", said, &json!("03:10:00"));
    browser.chord(&[Key::Shift], Key::Right);
    browser.chord(&[Key::Shift], Key::Right);
    // What is read out comes once the keys rest; the key after it tells that these were taken.
    browser.key(Key::Home);
    page.wait_for("the start", said, &json!("03:00:00"));
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

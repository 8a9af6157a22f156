//! The tools these tests stand on. A harness that sees nothing would let everything pass.

use serde_json::json;
use sonde_tests::browser::{Browser, Key, Settings, wait_for};
use sonde_tests::corpus::{Corpus, Names, Recipe, Style, range};
use sonde_tests::{oracle, static_server, wait};
use std::sync::mpsc::channel;

/// Serves one page to browsers until the tests end.
fn serve_page(html: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder can be made").keep();
    std::fs::write(folder.join("index.html"), html).expect("a page can be written");
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        static_server::serve(&folder, |address| sender.send(address).expect("the test waits"))
    });
    format!("http://{}/", receiver.recv().expect("the file server starts"))
}

#[test]
fn drags_and_keys_reach_a_page_as_a_persons_do() {
    let url = serve_page(
        "<!doctype html><link rel=icon href=data:,><body style='height:100vh;margin:0'><script>seen=[];\
         for (const kind of ['pointerdown','pointermove','pointerup','keydown','wheel'])\
         addEventListener(kind, e => e.isTrusted && seen.push(kind + ' ' + Math.round(e.clientX || 0) + (e.key || '')))</script>",
    );
    let browser = Browser::open();
    browser.goto(&url);
    browser.drag(&[(100.0, 50.0), (110.0, 50.0), (300.0, 60.0)]);
    browser.key(Key::End);
    browser.wheel((200.0, 50.0), 120);
    let moves = "return seen.filter(s => s.startsWith('pointermove')).length >= 2";
    wait_for(&browser, "the moves", moves, &json!(true));
    let rest = "return seen.filter(s => !s.startsWith('pointermove'))";
    let expected = json!(["pointerdown 100", "pointerup 300", "keydown 0End", "wheel 200"]);
    wait_for(&browser, "the other events", rest, &expected);
    browser.assert_no_errors();
}

#[test]
fn an_error_on_a_page_is_noticed() {
    let url = serve_page(
        "<!doctype html><link rel=icon href=data:,><script>setTimeout(() => { throw new Error('oh no') })</script>",
    );
    let browser = Browser::open();
    browser.goto(&url);
    wait::until("the error", || {
        browser.errors().iter().any(|error| error.contains("oh no")).then_some(()).ok_or("none")
    });
}

#[test]
fn a_browser_has_the_zone_and_the_colours_it_is_told() {
    let url = serve_page("<!doctype html><link rel=icon href=data:,>");
    let browser = Browser::with(&Settings { zone: "Asia/Kolkata", dark: false, ..Settings::default() });
    browser.goto(&url);
    let script =
        "return [new Date(0).getHours(), matchMedia('(prefers-color-scheme: dark)').matches, innerWidth]";
    wait_for(&browser, "zone, colours and width", script, &json!([5, false, 1280]));
    browser.prefer_dark(true);
    wait_for(&browser, "dark colours", script, &json!([5, true, 1280]));
}

#[test]
fn the_made_up_lines_are_json_and_hold_what_is_known_about_them() {
    let range = range("2025-03-09T22:00:00Z", "2025-03-10T02:00:00Z");
    let corpus =
        Corpus::make(Recipe { seed: 7, lines: 2_000, range, style: Style::Mixed, names: Names::Few });
    for row in &corpus.rows {
        let line: serde_json::Value = serde_json::from_slice(corpus.line(row)).expect("a line is JSON");
        let fields = ["component", "logger", "service"].map(|name| line[name].as_str());
        assert!(fields.contains(&Some(row.component)), "{line}");
    }
    let all = oracle::Query::all().rows(&corpus);
    assert_eq!(all.len(), 2_000);
    assert!(all.is_sorted_by_key(|row| row.ts) && !corpus.rows.is_sorted_by_key(|row| row.ts));
}

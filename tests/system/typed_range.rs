//! A range as text, with real keys: its start, its end, its length; and what is no range.

use serde_json::{Value, json};
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use sonde_tests::wait;

const ADDRESS: &str = "/d/default?v=1&t=2025-02-28T03:00:00Z..03:10:00Z";
const NOTE: &str = "const note = document.getElementById('typed-range-note'); return note?.className === 'problem' ? note.innerText : null";
const FIELD: &str =
    "return document.activeElement.id === 'typed-range' ? document.activeElement.value : null";

fn server() -> TestServer {
    let server = TestServer::start();
    server.store_logs(br#"{"ts":1740711700,"component":"mill","msg":"the wheel turns"}"#);
    server
}

#[track_caller]
fn shows(browser: &Browser, part: &str) {
    wait::until(part, || {
        let url = browser.url();
        if url.contains(part) { Ok(()) } else { Err(url) }
    });
}

/// Opens the field, which holds the range and has the focus with all of it selected.
#[track_caller]
fn open(page: &Page, button: &str, holds: &str) {
    page.press(button);
    page.wait_for("the field", FIELD, &json!(holds));
}

#[test]
fn start_end_and_length_of_the_visible_range_are_typed() {
    let server = server();
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    // The start: from the beginning of the field, five characters of the clock are written over.
    open(&page, "Time range", "2025-02-28 03:00:00..03:10:00");
    browser.key(Key::Home);
    "2025-02-28 ".chars().for_each(|_| browser.key(Key::Right));
    "03:00".chars().for_each(|_| browser.key(Key::Delete));
    browser.type_text("02:30");
    browser.key(Key::Enter);
    shows(&browser, "t=2025-02-28T02:30:00Z..03:10:00Z");
    // The end, from the end of the field; what is no time of day is refused.
    open(&page, "Time range", "2025-02-28 02:30:00..03:10:00");
    browser.key(Key::End);
    "03:10:00".chars().for_each(|_| browser.key(Key::Backspace));
    browser.type_text("25:15");
    browser.key(Key::Enter);
    page.wait_for("a refusal", &NOTE.replace("note.innerText", "'refused'"), &json!("refused"));
    shows(&browser, "t=2025-02-28T02:30:00Z..03:10:00Z");
    "25:15".chars().for_each(|_| browser.key(Key::Backspace));
    page.wait_for("no refusal while it is mended", NOTE, &Value::Null);
    browser.type_text("02:50");
    browser.key(Key::Enter);
    shows(&browser, "t=2025-02-28T02:30:00Z..02:50:00Z");
    // Nonsense says what would be right, and nothing changes.
    open(&page, "Time range", "2025-02-28 02:30:00..02:50:00");
    browser.chord(&[Key::Control], 'a');
    browser.type_text("soon..later");
    browser.key(Key::Enter);
    let names_it = NOTE.replace("note.innerText", "note.innerText.includes('soon')");
    page.wait_for("a reason", &names_it, &json!(true));
    browser.screenshot("typed-nonsense");
    shows(&browser, "t=2025-02-28T02:30:00Z..02:50:00Z");
    // A length follows the clock.
    browser.chord(&[Key::Control], 'a');
    browser.type_text("2h30m");
    browser.key(Key::Enter);
    shows(&browser, "t=-150min..now");
    // Each was an entry of its own.
    browser.back();
    shows(&browser, "t=2025-02-28T02:30:00Z..02:50:00Z");
    browser.assert_no_errors();
}

#[test]
fn a_selection_its_length_and_its_baseline_are_typed_beside_the_lines() {
    let server = server();
    let browser = Browser::open();
    let selection = format!("{ADDRESS}&s=2025-02-28T03:01:00Z..03:03:00Z");
    let page = Page::open(&browser, &server.http().url(&selection));
    let edit = "Edit the selection";
    open(&page, edit, "2025-02-28 03:01:00..03:03:00");
    browser.type_text("5m");
    let meaning = "return document.getElementById('typed-range-note').innerText";
    page.wait_for("what it means", meaning, &json!("2025-02-28 03:01:00–03:06:00 (5 m)"));
    browser.screenshot("typed-selection");
    browser.key(Key::Enter);
    shows(&browser, "s=2025-02-28T03:01:00Z..03:06:00Z");
    // From the selection's field by its button to the baseline's, which holds what it is compared with.
    let open_baseline = |holds: &str| {
        open(&page, edit, "2025-02-28 03:01:00..03:06:00");
        browser.key(Key::Tab);
        browser.key(Key::Tab);
        page.wait_for("the baseline", &FIELD.replace("typed-range", "typed-baseline"), &json!(holds));
    };
    open_baseline("2025-02-28 02:40:30..03:00:30");
    browser.type_text("02:30..02:40");
    browser.key(Key::Enter);
    shows(&browser, "b=2025-02-28T02:30:00Z..02:40:00Z");
    open_baseline("2025-02-28 02:30:00..02:40:00");
    browser.type_text("15m");
    browser.key(Key::Enter);
    shows(&browser, "b=2025-02-28T02:30:00Z..02:45:00Z");
    shows(&browser, "s=2025-02-28T03:01:00Z..03:06:00Z");
    browser.assert_no_errors();
}

#[test]
fn a_selection_is_typed_where_fingers_point() {
    let server = server();
    let browser = Browser::with(&Settings { width: 390, height: 844, touch: true, ..Settings::default() });
    let selection = format!("{ADDRESS}&s=2025-02-28T03:01:00Z..03:03:00Z");
    let page = Page::open(&browser, &server.http().url(&selection));
    page.wait_for(
        "the bar",
        "return !!document.querySelector('.selection-bar [aria-label=\"Edit the selection\"]')",
        &json!(true),
    );
    let edit = ".selection-bar [aria-label='Edit the selection']";
    browser.fingers(&[&[page.center(edit)]]);
    page.wait_for("the field", FIELD, &json!("2025-02-28 03:01:00..03:03:00"));
    browser.key(Key::End);
    "03:00".chars().for_each(|_| browser.key(Key::Backspace));
    browser.type_text("04:30");
    browser.key(Key::Enter);
    shows(&browser, "s=2025-02-28T03:01:00Z..03:04:30Z");
    browser.fingers(&[&[page.center(edit)]]);
    page.wait_for("the field", FIELD, &json!("2025-02-28 03:01:00..03:04:30"));
    browser.chord(&[Key::Control], 'a');
    browser.type_text("nonsense");
    browser.key(Key::Enter);
    page.wait_for("a reason", &NOTE.replace("note.innerText", "'refused'"), &json!("refused"));
    shows(&browser, "s=2025-02-28T03:01:00Z..03:04:30Z");
    browser.assert_no_errors();
}

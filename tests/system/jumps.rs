//! Jumps among lines by keys: where one starts, where it leads, what is said where there is nothing to lead to.

use crate::reading::{LINES, cursor_on_second_row, mill, open, wait_for_cursor, wait_for_text};
use serde_json::json;
use sonde_shared::time::NANOS_PER_SEC;
use sonde_tests::browser::{Browser, Key};
use sonde_tests::corpus::at;
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::fmt::Write as _;

#[test]
fn keys_lead_to_the_next_error_warning_and_silence_wherever_they_are() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(LINES);
    cursor_on_second_row(&page);
    for (key, number, part) in [
        ('e', 500, "broken"),
        ('j', 501, "turn 501"),
        ('e', 1_500, "broken"),
        ('k', 1_499, "turn 1499"),
        ('w', 1_500, "broken"),
        ('w', 1_507, "slow turn 1507"),
        ('W', 1_500, "broken"),
        ('E', 500, "broken"),
        ('g', 0, "turn 0"),
        (']', 10_000, "turn 10000"),
        ('k', 9_999, "turn 9999"),
        ('G', 19_999, "turn 19999"),
        ('[', 10_000, "turn 10000"),
    ] {
        browser.key(key);
        wait_for_cursor(&page, number, part);
    }
    browser.key(']');
    wait_for_text(&page, ".said", "No further silence");
    browser.key('G');
    browser.key('w');
    wait_for_text(&page, ".said", "No further warning");
    browser.assert_no_errors();
}

#[test]
fn a_jump_starts_from_what_is_in_sight() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(LINES);
    cursor_on_second_row(&page);
    // The cursor stays behind, some thousand lines above.
    scroll_to(&page, 5_200);
    browser.key('e');
    wait_for_cursor(&page, 5_500, "broken");
    scroll_to(&page, 7_700);
    browser.key('E');
    wait_for_cursor(&page, 7_500, "broken");
    browser.key(Key::End);
    wait_for_cursor(&page, LINES - 1, "turn 19999");
    scroll_to(&page, 9_700);
    browser.key(']');
    wait_for_cursor(&page, 10_000, "turn 10000");
    browser.assert_no_errors();
    // The first line in sight may be what is sought, and where all lines match the text it is.
    for (more, total, key) in [("&level=warn", 220, 'w'), ("&q=slow", 200, 'n')] {
        let page = open(&browser, &server, more);
        page.wait_for_total(total);
        cursor_on_second_row(&page);
        scroll_to(&page, 100);
        browser.key(key);
        wait_for_cursor(&page, 100, "");
        browser.key(key.to_ascii_uppercase());
        wait_for_cursor(&page, 99, "");
    }
    browser.assert_no_errors();
}

/// Scrolls by the wheel until a line, of all in their order, is at the top, and waits for the lines in sight.
#[track_caller]
fn scroll_to(page: &Page, number: u64) {
    let script = "const list = document.querySelector('.log-list').getBoundingClientRect();\
        const rows = [...document.querySelectorAll('.log-list .row')].map(e => [Number(e.ariaRowIndex) - 1, e.getBoundingClientRect().top - list.top]);\
        return [rows[0][0], rows[0][1], document.querySelector('.log-pane').dataset.state]";
    wait::until(&format!("line {number} at the top"), || {
        let found = page.browser.look(script, &[]);
        let (row, px) = (found[0].as_u64().unwrap_or(0), found[1].as_f64().unwrap_or(0.0));
        if row == number && px.abs() < 1.0 && found[2] == json!("done") {
            return Ok(());
        }
        let by = (number as f64 - row as f64) * 20.0 + px;
        page.browser.wheel(page.center(".log-list"), (by.abs().ceil() * by.signum()) as i64);
        Err(found)
    });
}

#[test]
fn what_a_jump_has_said_goes_with_the_next_key_and_with_the_query() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(LINES);
    cursor_on_second_row(&page);
    browser.key('n');
    wait_for_text(&page, ".said", "There is no text to find");
    let said = "return document.querySelector('.said').innerText";
    browser.key('j');
    wait_for_cursor(&page, 2, "turn 2");
    assert_eq!(browser.look(said, &[]), json!(""), "it was of the key before");
    browser.key('E');
    wait_for_text(&page, ".said", "No further error");
    page.press("Regular expression");
    browser.type_text("x");
    assert_eq!(browser.look(said, &[]), json!(""), "it was of another query");
    browser.assert_no_errors();
}

#[test]
fn keys_lead_to_where_lines_come_slower_and_back() {
    let server = TestServer::start();
    let start = at("2025-03-10T12:00:00Z");
    let (mut body, mut number) = (String::new(), 0);
    // From the 20th minute on, and from the 50th, a line comes in five seconds instead of in each.
    for second in 0..3_600 {
        let is_slow = matches!(second / 600, 2 | 3 | 5);
        if !is_slow || second % 5 == 0 {
            let ts = start.plus_nanos(second * NANOS_PER_SEC);
            writeln!(body, r#"{{"ts":"{ts}","component":"mill.kiln","msg":"brick {number}"}}"#)
                .expect("a String takes it");
            number += 1;
        }
    }
    server.store_logs(body.as_bytes());
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(number);
    cursor_on_second_row(&page);
    for (key, number) in [('s', 1_200), ('s', 2_040), ('S', 1_200), ('g', 0), ('G', 2_159), ('S', 2_040)] {
        browser.key(key);
        wait_for_cursor(&page, number, &format!("brick {number}"));
    }
    browser.key('s');
    wait_for_text(&page, ".said", "No further slow-down");
    browser.assert_no_errors();
}

//! Rows are elements that show one line after the other: what one sees of a line never hangs on what stood there before.

use serde_json::{Value, json};
use sonde_shared::time::{NANOS_PER_SEC, Timestamp};
use sonde_tests::browser::{Browser, Key};
use sonde_tests::corpus::at;
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use std::fmt::Write as _;
use std::time::SystemTime;

/// How many lines the loom has.
const LINES: u64 = 3_000;
/// The rows as they stand in the page, but for where they are scrolled to.
const ROWS: &str = "return document.querySelector('.log-list > .rows').innerHTML";

/// Six hours of a loom: all levels, silences, traces, lines with and without a host and further fields.
fn loom() -> TestServer {
    let server = TestServer::start();
    let start = at("2025-05-04T21:00:00Z");
    let mut body = String::new();
    for number in 0..LINES {
        let silence = number as i64 / 11 * 40 * NANOS_PER_SEC;
        let ts = start.plus_nanos(number as i64 * 3_600_000_000 + silence);
        let level = ["info", "warn", "debug", "error", "fatal"][number as usize % 5];
        let host = if number % 3 == 0 { String::new() } else { format!(r#""host":"n{}","#, number % 4) };
        let rest = match number % 4 {
            0 => r#""weft":"wool","stack":"a\n b\n c""#.to_owned(),
            1 => format!(r#""weft":"silk","pick":{number}"#),
            2 => format!(r#""pick":{number}"#),
            _ => r#""ok":true"#.to_owned(),
        };
        let component = if number % 2 == 0 { "loom.shed.heddle" } else { "loom" };
        writeln!(
            body,
            r#"{{"ts":"{ts}","component":"{component}",{host}"level":"{level}","msg":"pick {number} thrown",{rest}}}"#
        )
        .expect("a String takes it");
    }
    server.store_logs(body.as_bytes());
    server
}

/// Waits until all rows on show have their lines.
fn rows_are_there(page: &Page) {
    let script = "const rows = [...document.querySelectorAll('.log-list .row')]; return rows.length > 3 && rows.every(row => row.dataset.line)";
    page.wait_for("the lines of all rows", script, &json!(true));
}

fn assert_rows_are_as_new(page: &Page, when: &str) {
    rows_are_there(page);
    let used = page.browser.look(ROWS, &[]);
    page.browser.click(page.center(".tabs .tab:nth-child(2)"));
    page.wait_for("the list gone", "return document.querySelector('.log-list') === null", &json!(true));
    page.browser.click(page.center(".tabs .tab:nth-child(1)"));
    page.wait_for("the list again", "return document.querySelector('.log-list') !== null", &json!(true));
    rows_are_there(page);
    assert_eq!(used, page.browser.look(ROWS, &[]), "{when}");
}

#[test]
fn a_row_that_showed_other_lines_before_is_as_one_that_is_new() {
    let server = loom();
    let browser = Browser::open();
    let address = "/?v=1&t=2025-05-04T21:00:00Z..2025-05-05T03:30:00Z&col=weft";
    let page = Page::open(&browser, &server.http().url(address));
    page.wait_for_total(LINES);
    let scroll = |px: i64| {
        browser.wheel(page.point_in_rows(), px);
        rows_are_there(&page);
    };
    for px in [20, 45, -20, 200, 9_000, 20_000, -60] {
        scroll(px);
    }
    assert_rows_are_as_new(&page, "scrolled down");
    browser.click(page.center(".log-list .row:nth-child(3) .level-bar"));
    page.wait_for("its fields", "return document.querySelectorAll('.row .fields').length", &json!(1));
    scroll(40);
    scroll(-40);
    let open = "return [...document.querySelectorAll('.row.open')].map(row => [row.getAttribute('aria-expanded'), row.querySelectorAll('.fields').length])";
    page.wait_for("one open line", open, &json!([["true", 1]]));
    for px in [5_000, -20_000, -2_000, 700] {
        scroll(px);
    }
    page.wait_for("no open line here", open, &json!([]));
    assert_rows_are_as_new(&page, "scrolled away from an open line");
    // A text that is looked for is marked, and what is found is where the keys are.
    browser.key('/');
    browser.type_text("pick 24");
    page.wait_for(
        "the lines with it",
        "return document.querySelectorAll('.row mark').length > 3",
        &json!(true),
    );
    assert_rows_are_as_new(&page, "with a text marked");
    browser.key('/');
    browser.key(Key::Escape);
    page.wait_for("no marks", "return document.querySelectorAll('.row mark').length", &json!(0));
    page.wait_for_total(LINES);
    scroll(3_000);
    assert_rows_are_as_new(&page, "after it");
    browser.assert_no_errors();
}

#[test]
fn the_text_that_one_has_selected_stays_selected_while_newer_lines_move_it_on() {
    let server = TestServer::start();
    let store = |numbers: std::ops::Range<u64>| {
        let since = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
        let now = Timestamp::from_nanos(since.as_nanos() as i64);
        let line = |n| format!("{{\"ts\":\"{now}\",\"component\":\"loom\",\"msg\":\"pick {n}.\"}}\n");
        server.store_logs(numbers.map(line).collect::<String>().as_bytes());
    };
    store(0..8);
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url("/?v=1&t=-15min..now&live=1&order=desc"));
    page.wait_for_total(8);
    rows_are_there(&page);
    page.wait_until_fed();
    let select = "const row = [...document.querySelectorAll('.row .message')].find(e => e.innerText.startsWith('pick 3.'));\
        getSelection().selectAllChildren(row)";
    browser.look(select, &[]);
    store(8..11);
    page.wait_for_total(11);
    let row = "const row = getSelection().focusNode?.parentElement?.closest('.row');\
        return row ? [getSelection().toString().trim(), row.querySelector('.message').innerText.trim(), row.getAttribute('aria-rowindex')] : null";
    let expected: Value = json!(["pick 3.", "pick 3.", "8"]);
    page.wait_for("the selection", row, &expected);
    browser.assert_no_errors();
}

//! The log pane beside the main job: what stands between lines, an empty pane, a server that goes away.

use serde_json::json;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use sonde_tests::browser::{Browser, Key};
use sonde_tests::corpus::at;
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::fmt::Write as _;

fn line(ts: Timestamp, component: &str, text: &str) -> String {
    format!("{{\"ts\":\"{ts}\",\"component\":\"{component}\",\"msg\":\"{text}\"}}\n")
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("the clock is right");
    Timestamp::from_secs(since.as_secs() as i64)
}

/// Two hours about a midnight: a line every ten seconds but for silences of twenty minutes.
fn two_days() -> (TestServer, u64) {
    let server = TestServer::start();
    let (mut body, mut count) = (String::new(), 0);
    for step in (0..720).filter(|step| step % 180 < 60) {
        let ts = at("2025-03-09T23:00:00Z").plus_nanos(step * 10 * NANOS_PER_SEC);
        body.write_str(&line(ts, "quay.light", &format!("blink {step}"))).expect("a String takes it");
        count += 1;
    }
    server.store_logs(body.as_bytes());
    (server, count)
}

#[test]
fn days_and_silences_cover_no_text_and_a_line_says_its_day() {
    let (server, lines) = two_days();
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url("/?v=1&t=2025-03-09T23:00:00Z..2025-03-10T01:00:00Z"));
    page.wait_for_total(lines);
    browser.click(page.point_in_rows());
    browser.key(Key::Escape);
    // Rows and marks lie one under the other without a gap, so none covers another.
    let apart = "const boxes = [...document.querySelectorAll('.log-list .cells, .log-list .mark')]\
        .map(e => e.getBoundingClientRect()).sort((a, b) => a.top - b.top);\
        return boxes.slice(1).every((box, i) => Math.abs(box.top - boxes[i].bottom) < 0.6)";
    let marks = "return [...document.querySelectorAll('.log-list .mark')].map(e => e.innerText)";
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        page.wait_for("rows and marks that do not overlap", apart, &json!(true));
        let shown: Vec<String> = serde_json::from_value(browser.look(marks, &[])).unwrap_or_default();
        seen.extend(shown);
        browser.wheel(page.point_in_rows(), 120);
    }
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(seen, ["20 m 10 s silence", "2025-03-10 · 20 m 10 s silence"]);
    let rows = page.pane().expect("the pane is there").rows;
    assert!(rows.last().is_some_and(|row| row.text.contains("03-10 00:")), "{rows:?}");
    browser.key(Key::Escape);
    browser.assert_no_errors();
}

#[test]
fn a_link_to_a_line_shows_it_with_room_for_its_fields_wherever_it_stands() {
    let (server, _) = two_days();
    let browser = Browser::open();
    for row in [3, 40, 90, 110] {
        let address =
            format!("/?v=1&t=2025-03-09T23:00:00Z..2025-03-10T00:00:00Z&line=2025-03-09~0001~{row}");
        let page = Page::open(&browser, &server.http().url(&address));
        page.wait_for_total(120);
        let is_shown = format!(
            "const row = document.querySelector('[data-line=\"2025-03-09~0001~{row}\"]');\
             const list = document.querySelector('.log-list').getBoundingClientRect();\
             if (!row) return 'no row';\
             const top = row.getBoundingClientRect().top - list.top;\
             return top > -1 && top < list.height * 0.6 ? 'shown' : `at ${{top}} of ${{list.height}}`"
        );
        page.wait_for("the line that the link names", &is_shown, &json!("shown"));
        assert!(
            browser.look("return document.body.innerText", &[]).to_string().contains("Copy line"),
            "its fields"
        );
    }
    browser.assert_no_errors();
}

#[test]
fn a_link_to_the_last_line_and_a_click_on_it_show_its_fields() {
    let (server, _) = two_days();
    let browser = Browser::open();
    let hour = "/?v=1&t=2025-03-09T23:00:00Z..2025-03-10T00:00:00Z";
    let in_sight = "const list = document.querySelector('.log-list').getBoundingClientRect();\
        const row = document.querySelector('.row.open');\
        if (!row || !row.querySelector('.fields')) return 'no fields';\
        const box = row.getBoundingClientRect();\
        return box.top > list.top - 1 && box.bottom < list.bottom + 1 ? row.ariaRowIndex : `${box.top}..${box.bottom} of ${list.top}..${list.bottom}`";
    let page = Page::open(&browser, &server.http().url(&format!("{hour}&line=2025-03-09~0001~119")));
    page.wait_for_total(120);
    page.wait_for("the fields of the line that the link names", in_sight, &json!("120"));
    browser.goto(&server.http().url(hour));
    page.wait_for_total(120);
    browser.click(page.point_in_rows());
    browser.key('G');
    browser.key(Key::Enter);
    page.wait_for("the fields of the last line", in_sight, &json!("120"));
    browser.assert_no_errors();
}

#[test]
fn a_link_to_a_line_that_is_not_there_says_so_and_shows_the_rest() {
    let (server, _) = two_days();
    let browser = Browser::open();
    let hour = "/?v=1&t=2025-03-09T23:00:00Z..2025-03-10T00:00:00Z";
    let note =
        "return [document.querySelector('.note')?.innerText.trim() ?? '', location.search.includes('line=')]";
    for (line, said) in [
        ("2025-03-09~0001~9999", "The line `2025-03-09~0001~9999` in the address is not among these lines"),
        // There is one, but not within the hour.
        ("2025-03-10~0001~0", "The line `2025-03-10~0001~0` in the address is not among these lines"),
        ("7", "The line `7` in the address could not be read"),
    ] {
        let page = Page::open(&browser, &server.http().url(&format!("{hour}&line={line}")));
        page.wait_for_total(120);
        page.wait_for("the note", note, &json!([format!("{said}. The rest of the link is shown."), false]));
    }
    // Who narrows the lines to others than the one that is open has no need to be told.
    let page = Page::open(&browser, &server.http().url(&format!("{hour}&line=2025-03-09~0001~3")));
    page.wait_for_total(120);
    page.wait_for("the line", "return !!document.querySelector('.row.open')", &json!(true));
    browser.key('/');
    browser.type_text("blink 7");
    page.wait_for_total(1);
    browser.key(Key::Escape);
    page.wait_for_total(120);
    page.wait_for("the line", "return !!document.querySelector('.row.open')", &json!(true));
    assert_eq!(browser.look(note, &[]), json!(["", true]));
}

#[test]
fn the_focus_comes_back_to_the_lines_and_to_what_opened_a_popup() {
    let (server, _) = two_days();
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url("/?v=1&t=-15min..now"));
    let open = |hour: &str| {
        let page = Page::open(&browser, &server.http().url(hour));
        page.wait_for_total(120);
        page
    };
    let focused = "const e = document.activeElement; return e.ariaLabel ?? e.tagName";
    let popup = "return document.querySelector('.popover')?.contains(document.activeElement) ?? null";
    for name in ["Time range", "Level", "Host", "How lines are shown", "Share: copy the link"] {
        page.press(name);
        page.wait_for("what opens", "return !!document.querySelector('.popover button')", &json!(true));
        if name != "Time range" {
            browser.key(Key::Tab);
        }
        page.wait_for("the focus in it", popup, &json!(true));
        browser.key(Key::Escape);
        page.wait_for("what was open gone", popup, &serde_json::Value::Null);
        assert_eq!(browser.look(focused, &[]), json!(name));
    }
    // So it is when something was picked, and a click on what is no button does not leave the popup.
    page.press("Time range");
    page.press("Last 1 h");
    page.wait_for("what was open gone", popup, &serde_json::Value::Null);
    assert_eq!(browser.look(focused, &[]), json!("Time range"));
    page.press("How lines are shown");
    browser.click(page.center(".popover h3"));
    page.wait_for("the focus in it", popup, &json!(true));
    browser.key(Key::Escape);
    page.wait_for("what was open gone", popup, &serde_json::Value::Null);
    assert_eq!(browser.look(focused, &[]), json!("How lines are shown"));
    page.press("More");
    browser.click(page.center(".more-menu li:last-child .item"));
    page.wait_for("the list of keys", "return document.querySelector('dialog.help').open", &json!(true));
    browser.key(Key::Escape);
    page.wait_for("the focus", focused, &json!("More"));
    let page = open("/?v=1&t=2025-03-09T23:00:00Z..2025-03-10T00:00:00Z");
    browser.click(page.center(".log-list .row:nth-child(3) .cells"));
    browser.click(page.center(".fields-head .control"));
    page.wait_for("the focus", focused, &json!("Copy line"));
    browser.key(Key::Escape);
    page.wait_for("no fields", "return document.querySelectorAll('.fields').length", &json!(0));
    assert_eq!(browser.look(focused, &[]), json!("Lines"));
    browser.key(Key::Down);
    page.wait_for("the next line", "return document.querySelector('.row.cursor')?.ariaRowIndex", &json!("4"));
    // Scrolled away, too.
    browser.key(Key::Enter);
    browser.click(page.center(".fields-head .control"));
    page.wait_for("the focus", focused, &json!("Copy line"));
    browser.wheel(page.point_in_rows(), 2_000);
    page.wait_for("no fields", "return document.querySelectorAll('.fields').length", &json!(0));
    assert_eq!(browser.look(focused, &[]), json!("Lines"));
    browser.assert_no_errors();
}

#[test]
fn an_empty_pane_leads_to_the_nearest_line_of_what_was_asked_for() {
    let server = TestServer::start();
    let ahead = now().plus_nanos(12 * 3_600 * NANOS_PER_SEC);
    let lines = [
        line(at("2025-03-09T10:00:00Z"), "quay.light", "the last blink"),
        line(at("2025-03-09T11:30:00Z"), "quay.crane", "another component"),
        line(at("2025-03-10T08:00:00Z"), "quay.light", "after the range"),
        line(ahead, "quay.light", "a clock that is wrong"),
    ];
    server.store_logs(lines.concat().as_bytes());
    let browser = Browser::open();
    let address = "/?v=1&t=2025-03-09T12:00:00Z..13:00:00Z&c=quay.light&chosen=1&q=blink";
    let page = Page::open(&browser, &server.http().url(address));
    let buttons = "return [...document.querySelectorAll('.log-body .state button')].map(e => e.innerText)";
    page.wait_for("the text goes first", buttons, &json!(["Clear the text filter"]));
    browser.click(page.center(".log-body .state button"));
    page.wait_for("the way", buttons, &json!(["Last line 2025-03-09 10:00:00 · jump"]));
    browser.click(page.center(".log-body .state button"));
    let shown = page.wait_for_total(1);
    assert!(shown.rows[0].text.contains("the last blink"), "{shown:?}");
    browser.assert_no_errors();
    browser.goto(&server.http().url("/?v=1&t=2024-01-01T00:00:00Z..01:00:00Z&c=quay.light&chosen=1"));
    page.wait_for("the first line after", buttons, &json!(["Next line 2025-03-09 10:00:00 · jump"]));
}

#[test]
fn a_live_page_says_that_its_server_is_gone_and_stands_still() {
    let mut server = TestServer::start();
    server.store_logs(line(now().plus_nanos(-5 * NANOS_PER_SEC), "quay.light", "blink").as_bytes());
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url("/?v=1&t=-15min..now&live=1"));
    page.wait_for_total(1);
    let label = "return document.querySelector('.live-label').innerText";
    page.wait_for("live", label, &json!("Live"));
    server.kill();
    page.wait_for("what is wrong", label, &json!("Reconnecting…"));
    let range = || -> TimeRange {
        let text = browser.look("return document.querySelector('.page').dataset.range", &[]);
        let text = text.as_str().expect("the page has a range").to_owned();
        let ends = text.split_once("..").expect("two ends");
        let at = |text: &str| Timestamp::from_millis(text.parse().expect("milliseconds"));
        TimeRange { from: at(ends.0), until: at(ends.1) }
    };
    let stopped = range();
    // While it knocks four times, the clock of such a view would take two steps.
    let knocks = || {
        let script = "return performance.getEntriesByType('resource').filter(e => e.name.endsWith('/api/page')).length";
        browser.look(script, &[]).as_u64().unwrap_or_default()
    };
    let before = knocks();
    wait::until("four more knocks", || {
        let more = knocks() - before;
        if more >= 4 { Ok(()) } else { Err(more) }
    });
    assert_eq!(range(), stopped, "a page without a server does not pretend to move");
}

#[test]
fn escape_clears_the_text_filter_and_leaves_it() {
    let (server, lines) = two_days();
    let browser = Browser::open();
    let address = "/?v=1&t=2025-03-09T23:00:00Z..2025-03-10T01:00:00Z&s=2025-03-09T23:00:00Z..23:10:00Z";
    let page = Page::open(&browser, &server.http().url(address));
    page.wait_for_total(60);
    browser.key('/');
    browser.type_text("blink 7");
    page.wait_for("the text in the address", "return location.search.includes('q=blink')", &json!(true));
    browser.key(Key::Escape);
    let left = "return [document.activeElement.tagName, document.querySelector('.text-filter input').value,\
        location.search.includes('q=')]";
    page.wait_for("no text and no focus in the field", left, &json!(["BODY", "", false]));
    assert!(page.selection_in_url().is_some(), "one layer at a time");
    browser.key(Key::Escape);
    page.wait_for_total(lines);
    browser.assert_no_errors();
}

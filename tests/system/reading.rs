//! Reading lines: what narrows them, what they have in common, how they are shown. A test says what the reader learns.

use serde_json::{Value, json};
use sonde_shared::time::NANOS_PER_SEC;
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::corpus::at;
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::fmt::Write as _;

/// How many lines [`mill`] has.
pub(crate) const LINES: u64 = 20_000;

/// An hour of a mill: a line every 180 ms; every hundredth a warning, every thousandth an error with a stack trace; six minutes of
/// silence from the middle on; of two hosts, `n2` with a tenth.
pub(crate) fn mill() -> TestServer {
    let server = TestServer::start();
    let start = at("2025-03-10T12:00:00Z");
    let mut body = String::new();
    for number in 0..LINES {
        let silence = if number < LINES / 2 { 0 } else { 360 * NANOS_PER_SEC };
        let ts = start.plus_nanos(number as i64 * 160_000_000 + silence);
        let (component, host) = (
            if number % 4 == 0 { "mill.gate" } else { "mill.wheel" },
            if number % 10 == 3 { "n2" } else { "n1" },
        );
        let rest = match number % 1_000 {
            500 => r#""level":"error","msg":"broken","stack":"E: tooth\n  at gear\n  at shaft""#.to_owned(),
            n if n % 100 == 7 => format!(r#""level":"warn","msg":"slow turn {number}","grain":"rye""#),
            _ => format!(
                r#""msg":"turn {number}","grain":"{}","rpm":{}"#,
                if number % 2 == 0 { "oat" } else { "rye" },
                number % 7
            ),
        };
        writeln!(body, r#"{{"ts":"{ts}","component":"{component}","host":"{host}",{rest}}}"#)
            .expect("a String takes it");
    }
    server.store_logs(body.as_bytes());
    server
}

const RANGE: &str = "/?v=1&t=2025-03-10T12:00:00Z..13:00:00Z";

pub(crate) fn open<'a>(browser: &'a Browser, server: &TestServer, more: &str) -> Page<'a> {
    Page::open(browser, &server.http().url(&[RANGE, more].concat()))
}

/// What an element says, once it does.
#[track_caller]
pub(crate) fn wait_for_text(page: &Page, selector: &str, part: &str) {
    wait::until(&format!("{selector} to say {part}"), || {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText.replace(/\\s+/g, ' ')).join(' | ')";
        let text = page.browser.look(script, &[json!(selector)]).as_str().unwrap_or_default().to_owned();
        if text.contains(part) { Ok(()) } else { Err(text) }
    });
}

/// Puts the cursor on the second row in sight, whose fields stay closed; the list has the focus.
#[track_caller]
pub(crate) fn cursor_on_second_row(page: &Page) {
    page.browser.click(page.center(".log-list .row:nth-child(2) .level-bar"));
    page.browser.key(Key::Escape);
}

/// Waits until the cursor is at the line with this number, of all lines in their order.
#[track_caller]
pub(crate) fn wait_for_cursor(page: &Page, number: u64, part: &str) {
    let script = "const row = document.querySelector('.row.cursor'); return row ? [Number(row.getAttribute('aria-rowindex')), row.innerText] : null";
    wait::until(&format!("the cursor at line {number}"), || {
        let found = page.browser.look(script, &[]);
        let is_there =
            found[0] == json!(number + 1) && found[1].as_str().is_some_and(|text| text.contains(part));
        if is_there { Ok(()) } else { Err(found) }
    });
}

#[test]
fn a_value_narrows_the_lines_or_leaves_them_out_by_a_click() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(LINES);
    let grid = page.center(".log-list .row:nth-child(2) .cells");
    browser.click(grid);
    page.press("Only lines with grain = rye");
    let rye = server.count_logs("field.grain=rye");
    page.wait_for_total(rye);
    wait_for_text(&page, ".filter-chip", "grain = rye");
    page.press("Without host = n1");
    page.wait_for_total(server.count_logs("field.grain=rye&not.host=n1"));
    assert!(browser.url().contains("field.grain=rye&not.host=n1"), "{}", browser.url());
    // Each chip takes its own away; a step back brings it again.
    page.press("Take away: host ≠ n1");
    page.wait_for_total(rye);
    browser.back();
    page.wait_for_total(server.count_logs("field.grain=rye&not.host=n1"));
    browser.reload();
    page.wait_for_total(server.count_logs("field.grain=rye&not.host=n1"));
    browser.assert_no_errors();
}

#[test]
fn facets_count_what_the_lines_have_and_narrow_to_one() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "&level=warn");
    let warned = server.count_logs("level=warn");
    page.wait_for_total(warned);
    page.press("Component");
    let gates = server.count_logs("level=warn&component=mill.gate");
    assert!(gates > 0 && gates < warned);
    wait_for_text(&page, ".facets", &format!("mill.gate {gates}"));
    page.press("Without component = mill.gate");
    page.wait_for_total(warned - gates);
    // Levels are counted as if none was asked for.
    page.press("Level");
    wait_for_text(&page, ".facets", "warn and worse 200");
    wait_for_text(&page, ".facets", "info and worse");
    browser.assert_no_errors();
}

#[test]
fn an_expression_marks_its_matches_and_a_wrong_one_is_told_at_the_field() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(LINES);
    page.press("Regular expression");
    browser.click(page.center("[aria-label='Text in the line']"));
    browser.type_text("turn 12[0-3]\\d\\b");
    let wanted = server.count_logs("regex=turn%2012%5B0-3%5D%5Cd%5Cb");
    assert!(wanted > 10);
    page.wait_for_total(wanted);
    let marks = "return [...document.querySelectorAll('.row')].every(row => /^turn 12[0-3]\\d$/.test(row.querySelector('mark')?.innerText))";
    page.wait_for("the matches marked", marks, &json!(true));
    browser.assert_no_errors();
    browser.type_text("(");
    wait_for_text(&page, "#text-filter-problem", "unclosed group");
    page.wait_for(
        "the state",
        "return document.querySelector('[aria-label=\"Text in the line\"]').ariaInvalid",
        &json!("true"),
    );
    // The bars are still those of the last expression that could be read: they stand back.
    let former =
        "return document.querySelector('.chart:has([data-panel=histogram])').classList.contains('former')";
    page.wait_for("former bars", former, &json!(true));
    browser.key(Key::Escape);
    page.wait_for_total(LINES);
    page.wait_for("bars of all lines", former, &json!(false));
}

#[test]
fn patterns_add_up_to_the_lines_and_lead_to_theirs() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "&s=2025-03-10T12:20:00Z..12:22:00Z&c=mill.wheel&chosen=1");
    let range = "component=mill.wheel&from=2025-03-10T12:20:00Z&until=2025-03-10T12:22:00Z";
    let total = server.count_logs(range);
    page.wait_for_total(total);
    let tools = "return ['.follow-toggle', '[title=\"Order of the lines\"]', '[aria-label=\"How lines are shown\"]', '[download]'].map(name => !!document.querySelector(`.log-tools ${name}`))";
    page.wait_for("what lines are shown by", tools, &json!([true, true, true, true]));
    browser.click(page.center(".tabs .tab:nth-child(2)"));
    wait_for_text(&page, ".patterns .sum", "patterns · ");
    page.wait_for("what means something to patterns", tools, &json!([false, false, false, true]));
    let counts = "return [...document.querySelectorAll('[data-pattern] .number:not(.muted)')].reduce((sum, e) => sum + Number(e.innerText.replace(/\\D/g, '')), 0)";
    page.wait_for("the sum of the counts", counts, &json!(total));
    wait_for_text(&page, ".patterns .sum", "all of them");
    wait_for_text(&page, ".patterns .sum", "compared with 2025-03-10 12:11:48–12:19:48");
    // How its numbers are spread.
    page.press("Values and an example");
    wait_for_text(&page, ".slots", "median 7874, before 5922");
    page.click_element(
        "[...document.querySelectorAll('.template')].find(e => e.innerText.startsWith('slow turn'))",
    );
    let shown = page.wait_for_total(server.count_logs(&format!("{range}&contains=slow%20turn")));
    assert!(shown.rows.iter().all(|row| row.text.contains("slow turn")), "{shown:?}");
    page.wait_for("what lines are shown by", tools, &json!([true, true, true, true]));
    wait_for_text(&page, ".filter-chip", "slow turn <*>");
    browser.assert_no_errors();
}

#[test]
fn the_context_of_a_line_keeps_it_in_place_and_back_returns() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "&c=mill.gate&chosen=1&level=error&q=broken");
    let broken = server.count_logs("component=mill.gate&level=error&contains=broken");
    page.wait_for_total(broken);
    browser.click(page.center(".log-list .row:nth-child(4) .cells"));
    page.press("Copy link to this line");
    let link = browser.clipboard();
    let top = "return document.querySelector('.row.open')?.getBoundingClientRect().top ?? null";
    let before = wait::until("an open line", || browser.look(top, &[]).as_f64().ok_or(()));
    let id = browser.look("return document.querySelector('.row.open').dataset.line", &[]);
    browser.click(page.center(".fields-head .control:nth-child(3)"));
    page.wait_for_total(LINES);
    page.wait_for("no fields in the way", "return document.querySelectorAll('.fields').length", &json!(0));
    let place = format!(
        "const row = document.querySelector('.row.open'); return row && row.dataset.line === {id} && Math.abs(row.getBoundingClientRect().top - {before}) < 2"
    );
    page.wait_for("the line in its place among all lines", &place, &json!(true));
    let around = page.pane().expect("the pane is there").rows;
    assert!(around.iter().any(|row| row.text.contains("wheel")), "all components are there: {around:?}");
    // What was looked for is found further on, among lines that do not have it.
    browser.key('n');
    wait_for_cursor(&page, 4_500, "broken");
    browser.back();
    page.wait_for_total(broken);
    page.wait_for("the fields", "return document.querySelectorAll('.row.open .fields').length", &json!(1));
    browser.assert_no_errors();
    // The link leads a colleague to the same line, far down.
    assert!(link.contains("line=2025-03-10"), "{link}");
    browser.goto(&link.replace("&c=mill.gate&chosen=1&level=error&q=broken", ""));
    page.wait_for(
        "the line",
        &format!("return document.querySelector('.row.open')?.dataset.line === {id}"),
        &json!(true),
    );
    browser.assert_no_errors();
}

#[test]
fn the_pane_is_not_done_while_a_line_in_sight_is_yet_to_come() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(LINES);
    let state = "const waiting = document.querySelectorAll('.row.waiting').length > 0;\
        return [waiting, document.querySelector('.log-pane').dataset.state, document.querySelector('.log-list').ariaBusy]";
    page.wait_for("the lines", state, &json!([false, "done", "false"]));
    server.stand_still(true);
    browser.wheel(page.point_in_rows(), 100_000);
    page.wait_for("the wait", state, &json!([true, "loading", "true"]));
    browser.wheel(page.center(".log-list"), -100_000);
    page.wait_for("lines that are there", state, &json!([false, "done", "false"]));
    browser.wheel(page.point_in_rows(), 200_000);
    page.wait_for("the wait", state, &json!([true, "loading", "true"]));
    server.stand_still(false);
    page.wait_for("the lines", state, &json!([false, "done", "false"]));
    browser.assert_no_errors();
}

#[test]
fn a_stack_trace_is_part_of_its_line_and_shown_whole() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "&level=error");
    page.wait_for_total(server.count_logs("level=error"));
    wait_for_text(&page, ".row .message", "broken +3 lines");
    let heights: Value =
        browser.look("return [...document.querySelectorAll('.row')].map(e => e.offsetHeight)", &[]);
    assert!(heights.as_array().is_some_and(|all| all.iter().all(|height| height == &json!(20))), "{heights}");
    browser.click(page.center(".row .cells"));
    wait_for_text(&page, ".fields .value", "E: tooth at gear at shaft");
    browser.assert_no_errors();
}

#[test]
fn how_many_lines_follow_is_seen_however_long_the_first_is() {
    let server = TestServer::start();
    let (long, trace) = ("a very long sentence ".repeat(40), "\\n  at gear".repeat(38));
    let line = format!(
        r#"{{"ts":"2025-03-10T12:30:00Z","component":"mill.wheel","level":"error","msg":"{long}{trace}","rpm":7}}"#
    );
    server.store_logs(line.as_bytes());
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(1);
    let seen = "const e = document.querySelector('.more-lines'), b = e.getBoundingClientRect(), y = (b.top + b.bottom) / 2;\
        const is = x => e.contains(document.elementFromPoint(x, y));\
        return [e.innerText, is(b.left + 2) && is(b.right - 2), document.querySelector('.row').offsetHeight]";
    page.wait_for("the mark", seen, &json!(["+38 lines", true, 20]));
    browser.screenshot("more-lines");
    browser.assert_no_errors();
}

/// Whether an element is wholly within the list, as far as it is not higher than that.
const IN_LIST: &str = "const list = document.querySelector('.log-list').getBoundingClientRect();\
    const is = e => { const b = e.getBoundingClientRect(); return b.top > list.top - 1 && (b.bottom < list.bottom + 1 || b.height > list.height); };";

#[test]
fn the_values_of_a_field_at_the_foot_of_the_pane_come_into_sight() {
    let server = mill();
    let browser = Browser::with(&Settings { height: 700, ..Settings::default() });
    let page = open(&browser, &server, "");
    page.wait_for_total(LINES);
    browser.click(page.center(".log-list .row:nth-child(3) .cells"));
    page.press("Values of rpm");
    let seen =
        format!("{IN_LIST} const e = document.querySelector('.field-values .facets'); return !!e && is(e)");
    page.wait_for("the values", &seen, &json!(true));
    browser.screenshot("values-at-the-foot");
    // From then on the reader scrolls.
    browser.wheel(page.center(".log-list"), -2_000);
    let top = "return document.querySelector('.row')?.ariaRowIndex";
    page.wait_for("the first line", top, &json!("1"));
    browser.assert_no_errors();
}

#[test]
fn in_a_small_pane_the_context_of_a_line_is_seen_about_it() {
    let server = mill();
    let browser = Browser::with(&Settings { height: 560, ..Settings::default() });
    let page = open(&browser, &server, "&level=warn");
    page.wait_for_total(220);
    browser.click(page.center(".log-list .row:nth-child(3) .cells"));
    browser.click(page.center(".fields-head .control:nth-child(3)"));
    page.wait_for_total(LINES);
    let about = format!(
        "{IN_LIST} const row = document.querySelector('.row.open.cursor'); if (!row) return 'no line';\
         return [row.previousElementSibling, row, row.nextElementSibling].map(e => !!e?.dataset.line && is(e))"
    );
    page.wait_for("the line among its neighbours", &about, &json!([true, true, true]));
    page.wait_for("the focus", "return document.activeElement.id", &json!("log-list"));
    browser.key(Key::Enter);
    page.wait_for("its fields", "return !!document.querySelector('.row.open .fields')", &json!(true));
    // So is one at the upper edge where nothing was narrowed, and so nothing comes anew.
    let page = open(&browser, &server, "");
    page.wait_for_total(LINES);
    browser.wheel(page.center("#log-list"), 2_000);
    let top = "const box = document.querySelector('#log-list').getBoundingClientRect(); return [box.left + 300, box.top + 8]";
    page.wait_for(
        "the hundredth line",
        "return document.querySelector('.row').getAttribute('aria-rowindex') > 90",
        &json!(true),
    );
    browser.click(serde_json::from_value(browser.look(top, &[])).expect("a place"));
    browser.click(page.center(".fields-head .control:nth-child(3)"));
    page.wait_for("the line among its neighbours", &about, &json!([true, true, true]));
    browser.assert_no_errors();
}

#[test]
fn columns_and_the_way_of_showing_lines_are_chosen_and_kept() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "&c=mill.wheel&chosen=1");
    page.wait_for_total(server.count_logs("component=mill.wheel"));
    page.press("How lines are shown");
    let choose = |name: &str| {
        page.click_element(&format!(
            "[...document.querySelectorAll('.log-head .item')].find(e => e.innerText === '{name}')"
        ));
    };
    choose("rpm");
    choose("Since the start");
    choose("Comfortable rows");
    choose("Wrap long lines");
    browser.key(Key::Escape);
    wait_for_text(&page, ".heads", "rpm");
    wait_for_text(&page, ".row:nth-child(1) .column", "1");
    wait_for_text(&page, ".row:nth-child(1) .time", "+0.160");
    page.wait_for("more room", "return document.querySelector('.row').offsetHeight", &json!(24));
    assert!(browser.url().contains("&col=rpm"), "{}", browser.url());
    browser.reload();
    wait_for_text(&page, ".row:nth-child(1) .time", "+0.160");
    page.wait_for("more room", "return document.querySelector('.row').offsetHeight", &json!(24));
    browser.assert_no_errors();
}

#[test]
fn wrapped_lines_lie_one_below_the_other_and_the_last_is_reached() {
    let server = TestServer::start();
    let mut body = String::new();
    for number in 0..500_u32 {
        let words = "grain ".repeat((number * 7 % 90) as usize);
        writeln!(
            body,
            r#"{{"ts":{},"component":"mill","msg":"turn {number}: {words}"}}"#,
            1_741_608_000 + number
        )
        .expect("a String takes it");
    }
    server.store_logs(body.as_bytes());
    let browser = Browser::open();
    browser.before_pages("localStorage.setItem('sonde.wrap', 'on')");
    let page = open(&browser, &server, "");
    page.wait_for_total(500);
    let apart = "const boxes = [...document.querySelectorAll('.log-list .cells')].map(e => e.getBoundingClientRect()).sort((a, b) => a.top - b.top);\
        return boxes.length > 2 && boxes.some(box => box.height > 40) && boxes.slice(1).every((box, i) => Math.abs(box.top - boxes[i].bottom) < 0.6)";
    for _ in 0..20 {
        page.wait_for("rows that do not overlap", apart, &json!(true));
        browser.wheel(page.point_in_rows(), 130);
    }
    cursor_on_second_row(&page);
    browser.key('G');
    let whole = "const list = document.querySelector('.log-list').getBoundingClientRect(); const last = [...document.querySelectorAll('.row')].at(-1);\
        return last.getAttribute('aria-rowindex') === '500' && !!last.dataset.line && Math.abs(last.getBoundingClientRect().bottom - list.bottom) < 1.5";
    page.wait_for("the whole last line at the bottom", whole, &json!(true));
    browser.assert_no_errors();
}

#[test]
fn the_lines_of_the_pane_are_downloaded_as_they_were_sent() {
    let server = mill();
    let browser = Browser::open();
    let page = open(&browser, &server, "&level=warn&not.level=error");
    page.wait_for_total(server.count_logs("level=warn&not.level=error"));
    let link = browser.look(
        "const a = document.querySelector('a[download]'); return [a.getAttribute('href'), a.download]",
        &[],
    );
    let [href, name]: [String; 2] = serde_json::from_value(link).expect("there is a link");
    assert_eq!(name, "lines_2025-03-10T120000Z.ndjson");
    let body = server.http().get(&href).body;
    assert_eq!(
        body,
        server.logs("level=warn&not.level=error&from=2025-03-10T12:00:00Z&until=2025-03-10T13:00:00Z")
    );
    browser.assert_no_errors();
}

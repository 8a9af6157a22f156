//! What the lines have in common: their patterns in an order that is asked for, the values of a field. And the way back from a line.

use serde_json::{Value, json};
use sonde_shared::time::NANOS_PER_SEC;
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::corpus::at;
use sonde_tests::page::{Page, SeenRow};
use sonde_tests::server::TestServer;
use std::fmt::Write as _;

/// An hour of a quay: a line a second; from half past on some of a pattern that was not there before, and more of another.
fn quay() -> TestServer {
    let server = TestServer::start();
    let start = at("2025-03-10T12:00:00Z");
    let mut body = String::new();
    for second in 0..3_600 {
        let ts = start.plus_nanos(second * NANOS_PER_SEC);
        let is_late = second >= 1_800;
        let rest = match second % 10 {
            0 if is_late && second % 20 == 0 => {
                r#""level":"warn","msg":"rope slack","pier":"west/2""#.to_owned()
            }
            1 if is_late || second % 20 == 1 => format!(r#""msg":"winch {second} turned","pier":"east""#),
            // The latest line of a pattern need not be its worst.
            n @ (2 | 3) => {
                let level = if n == 2 { "error" } else { "info" };
                format!(r#""level":"{level}","msg":"berth {second} full","pier":"north","net":null"#)
            }
            n => {
                format!(r#""msg":"crate {second} lifted","pier":"{}""#, if n < 6 { "east" } else { "south" })
            }
        };
        writeln!(body, r#"{{"ts":"{ts}","component":"quay.crane",{rest}}}"#).expect("a String takes it");
    }
    for second in 0..4 {
        let ts = start.plus_nanos(second * NANOS_PER_SEC + 500_000_000);
        writeln!(body, r#"{{"ts":"{ts}","component":"quay.gate","msg":"no pier {second} here"}}"#)
            .expect("a String takes it");
    }
    server.store_logs(body.as_bytes());
    server
}

const RANGE: &str = "/?v=1&t=2025-03-10T12:00:00Z..13:00:00Z";

fn open<'a>(browser: &'a Browser, server: &TestServer, more: &str) -> Page<'a> {
    Page::open(browser, &server.http().url(&[RANGE, more].concat()))
}

const TEMPLATES: &str =
    "return [...document.querySelectorAll('[data-pattern] .template')].map(e => e.innerText.split(' ')[0])";
const IS_OPEN: &str = "return !!document.querySelector('.row.open .fields')";

#[test]
fn patterns_are_put_in_order_by_pointer_and_keys_and_the_address_keeps_it() {
    let server = quay();
    let browser = Browser::open();
    let page = open(
        &browser,
        &server,
        "&s=2025-03-10T12:40:00Z..12:50:00Z&b=2025-03-10T12:00:00Z..12:30:00Z&tab=patterns",
    );
    page.wait_for("by count", TEMPLATES, &json!(["crate", "berth", "winch", "rope"]));
    page.press("change");
    page.wait_for("what is new first", TEMPLATES, &json!(["rope", "winch", "berth", "crate"]));
    // The head keeps the focus, and the next one is a Tab away.
    browser.key(Key::Tab);
    browser.key(Key::Enter);
    page.wait_for("the worst first", TEMPLATES, &json!(["berth", "rope", "crate", "winch"]));
    let pressed = "return document.querySelector('.sort[aria-pressed=true]').innerText";
    page.wait_for("what is pressed", pressed, &json!("lvl"));
    assert!(browser.url().contains("&sort=level"), "{}", browser.url());
    browser.reload();
    page.wait_for("the same after a reload", TEMPLATES, &json!(["berth", "rope", "crate", "winch"]));
    let told = "const row = document.querySelector('[data-pattern]');
        return [row.querySelector('.tag').innerText, row.querySelector('.tag').title,
            [...row.querySelectorAll('.bar span')].map(e => [e.className, e.style.width])]";
    let levels = json!(["ERR", "60 error, 60 info", [["level-error", "50%"], ["level-info", "50%"]]]);
    page.wait_for("its worst level, and all", told, &levels);
    page.press("Values and an example");
    let shares = "return document.querySelector('[data-pattern] .slots dd')?.innerText.split('\\n')";
    page.wait_for("the levels' shares", shares, &json!(["error 50 %", "info 50 %"]));
    // 120 seconds between 2402 and 2993, and before 360 between 2 and 1793: no value comes twice.
    let spread = "return document.querySelector('[data-pattern] .spread')?.innerText.split('\\n')";
    let told = json!(["median 2693, before 893", "half of them 2543 to 2843, all 2402 to 2993"]);
    page.wait_for("how the numbers are spread", spread, &told);
    // What was before lies at the left, what is shown at the right.
    let bars = "return [...document.querySelectorAll('[data-pattern] .spread path')]
        .map(path => path.getAttribute('d').match(/M\\d+/g).map(text => Number(text.slice(1))))";
    let drawn: [Vec<u32>; 2] = serde_json::from_value(browser.look(bars, &[])).expect("bins of two paths");
    assert!(drawn[0].iter().max() < drawn[1].iter().min() && drawn[0].len() > 10, "{drawn:?}");
    // What is listed is in the address; the step back closes it, and the next takes the order back.
    browser.reload();
    page.wait_for("the values again", shares, &json!(["error 50 %", "info 50 %"]));
    browser.back();
    page.wait_for("no values", "return document.querySelectorAll('[data-pattern] .slots').length", &json!(0));
    browser.back();
    page.wait_for("the order before", TEMPLATES, &json!(["rope", "winch", "berth", "crate"]));
    look_at_what_is_gone(&page);
    browser.back();
    page.wait_for("the patterns again", TEMPLATES, &json!(["rope", "winch", "berth", "crate"]));
    // Without a selection there is nothing to compare with, the order is that of the counts, and the lines are all that are in view.
    page.press("Clear the selection");
    page.wait_for("by count", TEMPLATES, &json!(["crate", "berth", "winch", "rope", "no"]));
    page.wait_for("what is pressed", pressed, &json!("lines"));
    browser.assert_no_errors();
}

/// What only the baseline has shows what stood in it, and leads to its lines of then, where this ends.
#[track_caller]
fn look_at_what_is_gone(page: &Page) {
    let browser = page.browser;
    page.click_element("document.querySelector('.pattern.gone .unfold')");
    let stood = "return document.querySelector('.pattern.gone .slots')?.innerText.split('\\n')";
    let values = json!(["no pier <*>", "0 25 %", "1 25 %", "2 25 %", "1 other 25 %"]);
    page.wait_for("its values of then", stood, &values);
    browser.back();
    page.click_element("document.querySelector('.pattern.gone .template')");
    let shown = page.wait_for_total(4);
    let is_of_then = |(number, row): (usize, &SeenRow)| row.text.contains(&format!("no pier {number} here"));
    assert!(shown.rows.iter().enumerate().all(is_of_then), "{shown:?}");
    // Its patterns are those of the selection still, which has none; so are the lines of the head.
    page.press("Patterns");
    page.wait_for("no pattern of it now", TEMPLATES, &json!([]));
    page.wait_for_total(0);
    browser.back();
    page.wait_for_total(4);
    page.press("Take away: the time before");
    page.wait_for_total(0);
    browser.back();
    page.wait_for_total(4);
}

#[test]
fn a_fields_values_are_counted_in_its_line_and_at_the_head_of_its_column() {
    let server = quay();
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(3_604);
    browser.click(page.center(".log-list .row:nth-child(3) .cells"));
    page.press("Values of pier");
    let listed = |place: &str| {
        format!(
            "return [...document.querySelectorAll('{place} .facet .item')].map(e => e.innerText.split('\\n').slice(0, 2))"
        )
    };
    let count = |value: &str| server.count_logs(&format!("field.pier={value}")).to_string();
    let grouped = |value: &str| {
        let count = count(value);
        if count.len() > 3 { [&count[..1], "\u{202f}", &count[1..]].concat() } else { count }
    };
    let mut expected = ["east", "south", "north", "west/2"].map(|value| json!([value, grouped(value)]));
    expected.sort_by_key(|pair| {
        std::cmp::Reverse(count(pair[0].as_str().unwrap_or_default()).parse::<u64>().unwrap_or(0))
    });
    page.wait_for("the values with their counts", &listed(".field-values"), &json!(expected));
    let note = "return document.querySelector('.field-values .remark').innerText";
    page.wait_for("what has none", note, &json!("0.1 % without it · of 3\u{202f}604 lines"));
    page.press("Without pier = north");
    page.wait_for_total(server.count_logs("not.pier=north"));
    // Until the other values are there, what stands below them moves.
    let others: Vec<&Value> = expected.iter().filter(|pair| pair[0] != "north").collect();
    page.wait_for("the values without it", &listed(".field-values"), &json!(others));
    page.press("Column of pier");
    // Escape closes the values, then the line.
    let open = "return [document.querySelectorAll('.field-values').length, document.querySelectorAll('.fields').length, document.activeElement.ariaLabel]";
    browser.key(Key::Escape);
    page.wait_for("the line without the values", open, &json!([0, 1, "Values of pier"]));
    browser.key(Key::Escape);
    page.wait_for("no fields", "return document.querySelectorAll('.fields').length", &json!(0));
    page.press("Values of pier");
    page.wait_for(
        "the values of the column",
        "return document.querySelectorAll('.heads .facet').length",
        &json!(3),
    );
    page.click_element(
        "[...document.querySelectorAll('.heads .facet .item')].find(e => e.innerText.startsWith('west'))",
    );
    page.wait_for_total(server.count_logs("field.pier=west/2"));
    // The others are there still, to be chosen instead.
    page.wait_for("all of them", "return document.querySelectorAll('.heads .facet').length", &json!(3));
    browser.assert_no_errors();
}

#[test]
fn back_closes_a_line_and_keeps_the_filter_it_was_found_by() {
    let server = quay();
    let browser = Browser::open();
    let page = open(&browser, &server, "");
    page.wait_for_total(3_604);
    page.press("Any level");
    page.click_element(
        "[...document.querySelectorAll('.facets .item')].find(e => e.innerText.includes('error'))",
    );
    let errors = server.count_logs("level=error");
    page.wait_for_total(errors);
    let row = |number: u32| page.center(&format!(".log-list .row:nth-child({number}) .cells"));
    browser.click(row(2));
    page.wait_for("the line", IS_OPEN, &json!(true));
    browser.back();
    page.wait_for("the line closed", IS_OPEN, &json!(false));
    page.wait_for_total(errors);
    browser.forward();
    page.wait_for("the line again", IS_OPEN, &json!(true));
    browser.back();
    page.wait_for("the line closed", IS_OPEN, &json!(false));
    // From line to line, and closed by hand: all that is one step, which is gone then.
    for number in [2, 4] {
        browser.click(row(number));
        page.wait_for("the line", IS_OPEN, &json!(true));
    }
    browser.key(Key::Escape);
    page.wait_for("the line closed", IS_OPEN, &json!(false));
    page.wait_for_total(errors);
    browser.back();
    page.wait_for_total(3_604);
    browser.assert_no_errors();
}

#[test]
fn however_long_a_value_is_its_count_and_what_leaves_it_out_are_in_sight() {
    let server = TestServer::start();
    let long = ["pier-with-a-name-that-goes-on"; 8].join(".");
    let line = format!(
        r#"{{"ts":"2025-03-10T12:10:00Z","component":"{long}.end","msg":"m","note":"{}"}}"#,
        "x".repeat(900)
    );
    server.store_logs([line.as_bytes(), b"\n"].concat().as_slice());
    for width in [390, 1_280] {
        let browser =
            Browser::with(&Settings { width, height: 800, touch: width < 600, ..Settings::default() });
        let page = open(&browser, &server, "&col=note");
        page.wait_for_total(1);
        if width < 600 {
            browser.look("document.querySelector('.sheet-tabs .tab').click()", &[]);
        }
        let in_sight = "const out = [...document.querySelectorAll('.facet *')].filter(e => e.getBoundingClientRect().right > innerWidth);\
            return document.querySelector('.facet') ? out.map(e => e.className) : 'none'";
        page.press("Component");
        page.wait_for("the component's count", in_sight, &json!([]));
        let end = "return document.querySelector('.facet .path').getBoundingClientRect().right\
            <= document.querySelector('.facet .grow').getBoundingClientRect().right + 1";
        page.wait_for("the end of its name", end, &json!(true));
        browser.key(Key::Escape);
        if width > 600 {
            page.press("Values of note");
            page.wait_for("the value's count", in_sight, &json!([]));
        }
        browser.assert_no_errors();
    }
}

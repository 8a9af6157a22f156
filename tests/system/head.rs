//! The head of the lines: it says whose lines these are, at any width, and nothing in it covers or cuts anything else.

use serde_json::json;
use sonde_tests::browser::{Browser, Settings};
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;

/// A selection with a baseline that was marked, of a component that was chosen, with a field that narrows: all that the head can say.
const ADDRESS: &str = "/?v=1&t=2025-03-09T09:00:00Z..11:00:00Z&s=2025-03-09T10:00:00Z..10:30:00Z&b=2025-03-09T09:00:00Z..09:45:00Z\
    &c=harbour.crane.lift.engine&chosen=1&field.load=heavy";
/// What is wrong with the last name of the path, and which two controls overlap.
const FLAWS: &str = "const pane = document.querySelector('.log-pane').getBoundingClientRect();\
    const path = [...document.querySelectorAll('.breadcrumb .step')].map(e => e.innerText.trim()).join('.');\
    const last = [...document.querySelectorAll('.breadcrumb .step')].pop();\
    const box = last.getBoundingClientRect(), y = (box.top + box.bottom) / 2;\
    const is = x => last.contains(document.elementFromPoint(x, y));\
    const whole = box.left >= pane.left && box.right <= pane.right && last.scrollWidth <= last.clientWidth\
        && is(box.left + 2) && is(box.right - 2);\
    const controls = [...document.querySelectorAll('.log-head :is(button, a, h2, .when), .filters > *')]\
        .map(e => [e, e.getBoundingClientRect()]).filter(([, b]) => b.width > 0);\
    const flaws = whole ? [] : [`${path} is cut off`];\
    controls.forEach(([e, b], i) => {\
        if (b.left < pane.left - 1 || b.right > pane.right + 1) flaws.push(`${e.innerText} sticks out`);\
        controls.slice(i + 1).forEach(([other, c]) => {\
            const apart = b.right <= c.left + 0.6 || c.right <= b.left + 0.6 || b.bottom <= c.top + 0.6 || c.bottom <= b.top + 0.6;\
            if (!apart && !e.contains(other)) flaws.push(`${e.innerText} covers ${other.innerText}`);\
        });\
    });\
    return [path, flaws]";

fn harbour() -> TestServer {
    let server = TestServer::start();
    let line = |minute: u32| {
        let (hour, minute) = (9 + minute / 60, minute % 60);
        format!(
            "{{\"ts\":\"2025-03-09T{hour:02}:{minute:02}:00Z\",\"component\":\"harbour.crane.lift.engine\",\"load\":\"heavy\",\"msg\":\"up\"}}\n"
        )
    };
    server.store_logs((0..120).map(line).collect::<String>().as_bytes());
    server
}

fn has_no_flaw(page: &Page) {
    let path = "harbour.crane.lift.engine";
    page.wait_for("a head that says all and covers nothing", FLAWS, &json!([path, []]));
}

#[test]
fn at_1280_the_head_shows_the_whole_component_and_covers_nothing() {
    let server = harbour();
    let browser = Browser::with(&Settings { width: 1280, height: 800, ..Settings::default() });
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    page.wait_for_total(30);
    let compared =
        "return document.querySelector('.baseline-control')?.innerText.includes('45 lines') ?? false";
    page.wait_for("the lines of the baseline", compared, &json!(true));
    has_no_flaw(&page);
    browser.click(page.point_in_rows());
    browser.key('e');
    let said = "return document.querySelector('.said').innerText";
    page.wait_for("what the jump has found", said, &json!("No further error"));
    has_no_flaw(&page);
    browser.screenshot("head-1280");
    browser.assert_no_errors();
}

#[test]
fn on_a_phone_the_head_shows_the_whole_component_and_covers_nothing() {
    let server = harbour();
    let browser = Browser::with(&Settings { width: 390, height: 844, touch: true, ..Settings::default() });
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    browser.fingers(&[&[page.center(".sheet-tabs .tab:first-child")]]);
    page.wait_for_total(30);
    has_no_flaw(&page);
    // The acts on an expanded line do not cover one another, either.
    browser.fingers(&[&[page.center(".log-list .row .cells .message")]]);
    let apart = "const boxes = [...document.querySelectorAll('.fields-head > *')].map(e => [e, e.getBoundingClientRect()]);\
        if (!boxes.length) return 'no fields';\
        const over = boxes.filter(([e, b], i) => e.scrollWidth > e.clientWidth + 1 || boxes.slice(i + 1).some(([, c]) =>\
            b.right > c.left + 0.6 && c.right > b.left + 0.6 && b.bottom > c.top + 0.6 && c.bottom > b.top + 0.6));\
        return over.map(([e]) => e.innerText)";
    page.wait_for("acts that do not overlap", apart, &json!([]));
    browser.screenshot("head-390");
    browser.assert_no_errors();
}

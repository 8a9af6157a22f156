//! A million lines in the pane: the last one is a key or a drag away, and the page stays small.

use serde_json::json;
use sonde_tests::browser::{Browser, Key};
use sonde_tests::page::{Page, Pane};
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::fmt::Write as _;

const LINES: u64 = 1_000_000;
const SCROLLBAR: &str = "[data-total] [aria-label='Position in the lines']";
const START_MS: u64 = 1_741_608_000_000;

/// A million lines of one component within an hour, and a metric for a chart above them.
fn server_with_a_million_lines() -> TestServer {
    let server = TestServer::start();
    for start in (0..LINES).step_by(50_000) {
        let mut body = String::with_capacity(5_000_000);
        for number in start..start + 50_000 {
            let ts = START_MS + number * 3_600 / 1_000;
            writeln!(body, r#"{{"ts":{ts},"component":"mill.wheel","msg":"turn {}"}}"#, number + 1)
                .expect("a String takes it");
        }
        server.store_logs(body.as_bytes());
    }
    let point = |n: u64| format!("mill.wheel.speed {} {}\n", n % 7, START_MS / 1_000 + n * 10);
    let points: String = (0..360).map(point).collect();
    assert_eq!(server.http().post("/api/ingest/metrics", points.as_bytes()).status, 200);
    server
}

fn open_all<'a>(browser: &'a Browser, server: &TestServer) -> Page<'a> {
    let address = "/?v=1&t=2025-03-10T12:00:00Z..13:00:00Z&c=mill.wheel&chosen=1";
    let page = Page::open(browser, &server.http().url(address));
    let shown = page.wait_for_total(LINES);
    check(&shown);
    page
}

/// Only rows that can be seen, and some around them, exist.
#[track_caller]
fn check(shown: &Pane) {
    assert!(shown.rows.len() < 400, "{} rows exist", shown.rows.len());
}

#[track_caller]
fn wait_for_last_line(page: &Page, last: &str) {
    wait::until(last, || {
        let shown = page.pane().ok_or_else(|| "no pane".to_owned())?;
        check(&shown);
        let text = shown.rows.last().map_or_else(String::new, |row| row.text.clone());
        let wanted = text.lines().any(|line| line.trim_end().ends_with(last));
        if wanted { Ok(()) } else { Err(text) }
    });
}

#[test]
fn line_one_million_is_reached_by_end_and_by_dragging_the_scrollbar() {
    let server = server_with_a_million_lines();
    let browser = Browser::open();
    let page = open_all(&browser, &server);
    let last = String::from_utf8(server.logs("component=mill&order=desc&limit=1")).expect("a line is text");
    assert!(last.contains("turn 1000000"), "{last}");
    assert!(page.pane().is_some_and(|pane| pane.rows[0].text.contains("turn 1")));
    browser.click(page.point_in_rows());
    browser.key(Key::End);
    wait_for_last_line(&page, "turn 1000000");
    browser.screenshot("a-million-lines-end");
    browser.key(Key::Home);
    wait::until("the first line", || {
        let shown = page.pane().ok_or("no pane")?;
        if shown.rows.iter().any(|row| row.text.trim_end().ends_with("turn 1")) {
            Ok(())
        } else {
            Err("another")
        }
    });
    let [left, top, width, height] = page.rect(SCROLLBAR);
    let x = left + width / 2.0;
    browser.drag(&[
        (x, top + 4.0),
        (x, top + height * 0.3),
        (x, top + height * 0.7),
        (x, top + height - 2.0),
    ]);
    wait_for_last_line(&page, "turn 1000000");
    browser.assert_no_errors();
}

#[test]
fn dragging_half_way_shows_the_middle_and_the_wheel_goes_on_line_by_line() {
    let server = server_with_a_million_lines();
    let browser = Browser::open();
    let page = open_all(&browser, &server);
    let [left, top, width, height] = page.rect(SCROLLBAR);
    let x = left + width / 2.0;
    browser.drag(&[(x, top + 4.0), (x, top + height * 0.3), (x, top + height * 0.5)]);
    let number =
        |text: &str| text.rsplit("turn ").next().and_then(|number| number.trim().parse::<u64>().ok());
    let numbers = || -> Vec<u64> {
        let rows = page.pane().map(|pane| pane.rows).unwrap_or_default();
        rows.iter().filter_map(|row| number(&row.text)).collect()
    };
    let middle = wait::until("lines of the middle", || {
        let numbers = numbers();
        let good = numbers.len() > 5 && numbers.iter().all(|number| (400_000..600_000).contains(number));
        if good { Ok(numbers) } else { Err(numbers) }
    });
    assert!(middle.is_sorted_by(|a, b| a + 1 == *b), "lines without a gap: {middle:?}");
    browser.wheel(page.point_in_rows(), 100);
    wait::until("the lines after them", || {
        let after = numbers();
        let moved = after.first() > middle.first()
            && after.first() <= middle.last()
            && after.is_sorted_by(|a, b| a + 1 == *b);
        if moved { Ok(()) } else { Err(after) }
    });
    check(&page.pane().expect("the pane is there"));
    page.wait_for(
        "a document of sane height",
        "return document.documentElement.scrollHeight < 20000",
        &json!(true),
    );
    browser.assert_no_errors();
}

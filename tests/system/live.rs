//! What comes is seen as it comes, without being asked for; what waits is counted; and who takes nothing costs nothing.

use serde_json::json;
use sonde_shared::time::{NANOS_PER_SEC, Timestamp};
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::http::Client;
use sonde_tests::page::Page;
use sonde_tests::process::anonymous_bytes;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

const ADDRESS: &str = "/?v=1&t=-15min..now&live=1";
const LABEL: &str = "return document.querySelector('.live-label').innerText";

fn now() -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
    Timestamp::from_nanos(since.as_nanos() as i64)
}

/// Lines of this moment, told apart by their numbers.
fn store_lines(server: &TestServer, numbers: Range<usize>) {
    server.store_logs(blinks(numbers).as_bytes());
}

fn blinks(numbers: Range<usize>) -> String {
    let ts = now();
    let line = |n| format!("{{\"ts\":\"{ts}\",\"component\":\"quay.light\",\"msg\":\"blink {n}.\"}}\n");
    numbers.map(line).collect()
}

fn store_points(server: &TestServer, text: &str) {
    drop(server.http().post("/api/ingest/metrics", text.as_bytes()).ok());
}

/// Some minutes of a lamp, and so many lines.
fn quay(server: &TestServer, lines: usize) {
    let mut text = String::new();
    for ago in (0..30).rev() {
        writeln!(text, "quay.light.lux {} {}", ago % 7, now().as_secs() - 5 - 10 * ago)
            .expect("a text takes it");
    }
    store_points(server, &text);
    store_lines(server, 0..lines);
}

/// A live page that is told what comes.
fn open<'a>(browser: &'a Browser, server: &TestServer, lines: u64) -> Page<'a> {
    open_at(browser, server, ADDRESS, lines)
}

fn open_at<'a>(browser: &'a Browser, server: &TestServer, address: &str, lines: u64) -> Page<'a> {
    let page = Page::open(browser, &server.http().url(address));
    page.wait_for_total(lines);
    page.wait_until_fed();
    page.wait_for("a chart", "return !!document.querySelector('.legend')", &json!(true));
    page
}

/// How often the page has asked for an address.
fn asked(browser: &Browser, path: &str) -> u64 {
    let script = "return performance.getEntriesByType('resource').filter(e => new URL(e.name).pathname === arguments[0]).length";
    browser.look(script, &[json!(path)]).as_u64().expect("a number")
}

fn wait_for_legend(page: &Page, value: &str) {
    let script = format!("return document.querySelector('.legend')?.innerText.includes('{value}') ?? false");
    page.wait_for("the point", &script, &json!(true));
}

fn wait_for_last_row(page: &Page, text: &str) {
    wait::until("the line", || {
        let last =
            page.pane().and_then(|pane| pane.rows.last().map(|row| row.text.clone())).unwrap_or_default();
        if last.contains(text) { Ok(()) } else { Err(last) }
    });
}

#[test]
fn a_point_and_a_line_are_seen_as_they_come_and_are_not_asked_for() {
    let server = TestServer::start();
    quay(&server, 3);
    let browser = Browser::open();
    let page = open(&browser, &server, 3);
    let quiet = "return performance.getEntriesByType('resource')\
        .every(e => e.responseEnd > 0 && e.responseEnd < performance.now() - 1000)";
    page.wait_for("what was asked for at the start", quiet, &json!(true));
    let before = (asked(&browser, "/render"), asked(&browser, "/api/logs"));
    store_points(&server, &format!("quay.light.lux 777 {}", now().as_secs()));
    store_lines(&server, 3..5);
    wait_for_legend(&page, "777");
    wait_for_last_row(&page, "blink 4.");
    page.wait_for_total(5);
    assert_eq!((asked(&browser, "/render"), asked(&browser, "/api/logs")), before);
    let bars = "return document.querySelector('.plot[data-panel=histogram]') !== null";
    page.wait_for("the histogram", bars, &json!(true));
    browser.assert_no_errors();
}

#[test]
fn a_chart_says_up_to_when_it_is_complete() {
    let server = TestServer::start();
    let last = now().as_secs() - 90;
    for ago in 0..30 {
        store_points(&server, &format!("quay.light.lux 5 {}", last - 10 * ago));
    }
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    let clock = |secs: i64| Timestamp::from_secs(secs).to_string()[11..19].to_owned();
    let told = "return document.querySelector('.panel-note.complete')?.innerText ?? null";
    let tail = "return document.querySelector('.plot .tail')?.dataset.tail?.split('..').map(Number) ?? null";
    let awaited_from = |secs: i64| {
        wait::until("what is still to come", || {
            let told = browser.look(told, &[]);
            let ends: Option<[i64; 2]> = serde_json::from_value(browser.look(tail, &[])).unwrap_or_default();
            let is_told = told == json!(format!("complete to {}", clock(secs)));
            match ends {
                Some([from, until]) if is_told && from == secs * 1_000 && until > from => Ok(()),
                ends => Err((told, ends)),
            }
        });
    };
    awaited_from(last);
    browser.screenshot("tail");
    page.wait_until_fed();
    let next = now().as_secs() - 20;
    store_points(&server, &format!("quay.light.lux 7 {next}"));
    awaited_from(next);
    browser.click(page.center(".panel .plot"));
    page.wait_for("what holds time", LABEL, &json!("Live · held by the crosshair (Esc)"));
    browser.key(Key::Escape);
    page.wait_for("time to go on", LABEL, &json!("Live"));
    // Of what lies behind nothing is awaited.
    let past = server.http().url(&format!("/?v=1&t={}..{}", last - 4_000, last - 1_000));
    browser.goto(&past);
    page.wait_for(
        "the chart",
        "return document.querySelector('.plot[data-plot-width]') !== null",
        &json!(true),
    );
    let none = "return document.querySelectorAll('.panel-note.complete, .tail').length";
    page.wait_for("nothing awaited", none, &json!(0));
    browser.assert_no_errors();
}

/// A server on a folder, where the one before was to be reached.
fn start_again(data: &Path, address: SocketAddr) -> TestServer {
    Setup::on(data).without("--listen").arg("--listen").arg(address.to_string()).start()
}

#[test]
fn a_server_that_comes_back_is_followed_again() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut server = TestServer::on(folder.path());
    quay(&server, 3);
    let browser = Browser::open();
    let page = open(&browser, &server, 3);
    let address = server.http().address();
    server.kill();
    page.wait_for("what is wrong", LABEL, &json!("Reconnecting…"));
    // Once, not on each chart.
    let on_charts = "return document.querySelectorAll('.panel .problem').length";
    page.wait_for("no more words", on_charts, &json!(0));
    let server = start_again(folder.path(), address);
    // These came while nobody listened.
    store_lines(&server, 3..6);
    page.wait_for("the server", LABEL, &json!("Live"));
    page.wait_until_fed();
    page.wait_for_total(6);
    store_points(&server, &format!("quay.light.lux 888 {}", now().as_secs()));
    store_lines(&server, 6..7);
    wait_for_legend(&page, "888");
    wait_for_last_row(&page, "blink 6.");
}

#[test]
fn a_page_of_a_fixed_range_says_that_its_server_hangs_and_asks_again_for_all_that_failed() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut server = TestServer::on(folder.path());
    quay(&server, 3);
    let browser = Browser::open();
    let (from, until) = (now().plus_nanos(-900 * NANOS_PER_SEC), now().plus_nanos(60 * NANOS_PER_SEC));
    let address = format!("/?v=1&t={from}..{until}");
    let page = Page::open(&browser, &server.http().url(&address));
    page.wait_for_total(3);
    page.wait_for("a chart", "return !!document.querySelector('.legend')", &json!(true));
    let label = "return document.querySelector('.live-label').innerText";
    server.stand_still(true);
    page.wait_for("what is wrong", label, &json!("Reconnecting…"));
    server.stand_still(false);
    page.wait_for("the server", label, &json!("Go live"));
    let address = server.http().address();
    server.kill();
    page.wait_for("what is wrong", label, &json!("Reconnecting…"));
    // What is asked for now fails.
    let bigger = "return document.querySelector('.page').dataset.range";
    let before = browser.look(bigger, &[]);
    browser.hover(page.center(".time-axis"));
    browser.wheel(page.center(".time-axis"), 200);
    wait::until("another range", || {
        let range = browser.look(bigger, &[]);
        if range == before { Err(range) } else { Ok(()) }
    });
    let server = start_again(folder.path(), address);
    page.wait_for("the server", label, &json!("Go live"));
    page.wait_for_total(3);
    let asked = "return performance.getEntriesByType('resource').filter(e => e.name.includes('/render') && e.responseStatus === 200).length > 1";
    page.wait_for("the chart of that range", asked, &json!(true));
    let left = "return [...document.querySelectorAll('.problem')].map(e => e.innerText)";
    page.wait_for("nothing that failed is left", left, &json!([]));
    drop(server);
}

#[test]
fn pausing_keeps_what_is_read_and_counts_what_waits() {
    let server = TestServer::start();
    quay(&server, 3);
    let browser = Browser::open();
    let page = open(&browser, &server, 3);
    browser.key('l');
    page.wait_for("the word", LABEL, &json!("Paused · Resume (l)"));
    let paused = page.wait_for_total(3);
    // The second in which it was paused is shown to its end.
    let end = "return Number(document.querySelector('.page').dataset.range.split('..')[1])";
    let end = browser.look(end, &[]).as_i64().expect("the range has an end");
    wait::until("the end of that second", || if now().as_millis() >= end { Ok(()) } else { Err(()) });
    store_lines(&server, 3..4);
    page.wait_for("the count", LABEL, &json!("Paused · 1 new line · Resume (l)"));
    store_lines(&server, 4..17);
    page.wait_for("the count", LABEL, &json!("Paused · 14 new lines · Resume (l)"));
    assert_eq!(page.wait_for_total(3).rows, paused.rows);
    browser.key('l');
    page.wait_for_total(17);
    wait_for_last_row(&page, "blink 16.");
    browser.assert_no_errors();
}

#[test]
fn a_paused_page_counts_the_lines_of_its_range_and_stays_at_the_newest() {
    let server = TestServer::start();
    quay(&server, 100);
    let browser = Browser::open();
    let page = open(&browser, &server, 100);
    // Five lines that leave the quarter of an hour within seconds, before it is asked for anew.
    let leaving = now().plus_nanos(-896_000_000_000);
    let old = format!("{{\"ts\":\"{leaving}\",\"component\":\"quay.light\",\"msg\":\"old\"}}\n");
    server.store_logs(old.repeat(5).as_bytes());
    page.wait_for_total(105);
    let range = || {
        let text = browser.look("return document.querySelector('.page').dataset.range", &[]);
        let ends: Vec<i64> = text
            .as_str()
            .unwrap_or_default()
            .split("..")
            .map(|end| end.parse().expect("milliseconds"))
            .collect();
        (ends[0], ends[1])
    };
    let mut next = 100;
    wait::until("the old lines to leave the range", || {
        store_lines(&server, next..next + 1);
        next += 1;
        let from = range().0;
        if from > leaving.as_millis() { Ok(()) } else { Err(from) }
    });
    wait_for_last_row(&page, &format!("blink {}.", next - 1));
    browser.key('l');
    page.wait_for("the word", LABEL, &json!("Paused · Resume (l)"));
    let (from, until) = range();
    page.wait_for_total(server.count_logs(&format!("from={from}&until={until}")));
    wait_for_last_row(&page, &format!("blink {}.", next - 1));
    browser.assert_no_errors();
}

#[test]
fn on_a_phone_the_button_that_follows_the_clock_says_what_it_does() {
    let server = TestServer::start();
    quay(&server, 3);
    let browser = Browser::with(&Settings { width: 390, height: 844, touch: true, ..Settings::default() });
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    page.wait_until_fed();
    let said = "const e = document.querySelector('.live'), b = e.getBoundingClientRect();\
        const times = document.querySelector('.spring + .choice .choice-label');\
        const whole = times.scrollWidth <= times.clientWidth && e.scrollWidth <= e.clientWidth && b.left >= 0 && b.right <= 390 && document.documentElement.scrollWidth <= 390;\
        return [document.querySelector('.live-label').innerText, e.ariaLabel, whole]";
    page.wait_for("the word", said, &json!(["Live", "Live", true]));
    browser.screenshot("live-390");
    browser.fingers(&[&[page.center(".live")]]);
    page.wait_for("the word", said, &json!(["Paused", "Paused · Resume (l)", true]));
    browser.screenshot("paused-390");
    browser.goto(&server.http().url("/?v=1&t=-15min..now"));
    page.wait_for("the word", said, &json!(["Go live", "Go live", true]));
    browser.assert_no_errors();
}

#[test]
fn what_came_during_a_pause_is_there_at_once_when_the_page_goes_on() {
    // Less than the range has to move on by before all is asked for anew.
    const AT_ONCE: Duration = Duration::from_secs(15);
    let server = TestServer::start();
    quay(&server, 3);
    let browser = Browser::open();
    let page = open_at(&browser, &server, "/?v=1&t=-24h..now&live=1", 3);
    browser.key('l');
    page.wait_for("the word", LABEL, &json!("Paused · Resume (l)"));
    let end = "return Number(document.querySelector('.page').dataset.range.split('..')[1])";
    let end = browser.look(end, &[]).as_i64().expect("the range has an end");
    // What is asked for is a little ahead of the range's end.
    let later = || if now().as_millis() >= end + 3_000 { Ok(()) } else { Err(()) };
    wait::until("three seconds of the pause", later);
    store_lines(&server, 3..6);
    page.wait_for("the count", LABEL, &json!("Paused · 3 new lines · Resume (l)"));
    browser.key('l');
    wait::until_within(AT_ONCE, "the lines of the pause", || {
        let total = page.pane().and_then(|pane| pane.total);
        if total == Some(6) { Ok(()) } else { Err(total) }
    });
    wait_for_last_row(&page, "blink 5.");
    browser.assert_no_errors();
}

#[test]
fn who_reads_elsewhere_stays_there_and_is_told_how_many_lines_are_newer() {
    let server = TestServer::start();
    quay(&server, 150);
    let browser = Browser::open();
    let page = open(&browser, &server, 150);
    wait_for_last_row(&page, "blink 149.");
    browser.wheel(page.point_in_rows(), -1_000);
    let top = wait::until("other rows", || {
        let rows = page.pane().map(|pane| pane.rows).unwrap_or_default();
        if rows.last().is_some_and(|row| !row.text.contains("blink 149.")) {
            Ok(rows)
        } else {
            Err(rows.len())
        }
    });
    let newer = "return document.querySelector('.log-head button.small:not([aria-label])')?.innerText ?? ''";
    store_lines(&server, 150..152);
    page.wait_for("the count", newer, &json!("2 newer lines"));
    store_lines(&server, 152..153);
    page.wait_for("the count", newer, &json!("3 newer lines"));
    assert_eq!(page.pane().map(|pane| pane.rows), Some(top));
    browser.click(page.center(".log-head button.small:not([aria-label])"));
    page.wait_for_total(153);
    wait_for_last_row(&page, "blink 152.");
    browser.assert_no_errors();
}

/// Stores 2,000 lines a second until it is told to end; counts them.
fn flood(server: &Client, sent: &AtomicUsize, ends: &AtomicBool) {
    let begun = Instant::now();
    while !ends.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
        let due = begun.elapsed().as_millis() as usize * 2;
        let lines = blinks(sent.load(Ordering::Relaxed)..due);
        drop(server.post("/api/ingest/logs", lines.as_bytes()).ok());
        sent.store(due, Ordering::Relaxed);
    }
}

/// The number that the pane's last line tells.
fn last_number(page: &Page) -> Option<usize> {
    let rows = page.pane()?.rows;
    rows.last()?.text.split_once("blink ")?.1.split_once('.')?.0.parse().ok()
}

fn wait_for_number(page: &Page, at_least: usize) {
    wait::until("a later line at the end", || {
        let number = last_number(page);
        if number.is_some_and(|number| number >= at_least) { Ok(()) } else { Err(number) }
    });
}

fn wait_for_sent(sent: &AtomicUsize, at_least: usize) {
    wait::until("more lines", || {
        let sent = sent.load(Ordering::Relaxed);
        if sent >= at_least { Ok(()) } else { Err(sent) }
    });
}

#[test]
fn of_a_flood_the_newest_lines_are_followed_and_those_that_one_reads_stay() {
    let server = TestServer::start();
    let (sent, ends) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (client, counter, end) = (Client::new(server.http().address()), &sent, &ends);
        let sender = scope.spawn(move || flood(&client, counter, end));
        // Whatever fails here must not leave the thread running.
        let _ends = Ends(&ends);
        let browser = Browser::open();
        wait_for_sent(&sent, 2_000);
        let page = Page::open(&browser, &server.http().url("/?v=1&t=-1h..now&live=1"));
        page.wait_until_fed();
        for _ in 0..3 {
            wait_for_number(&page, sent.load(Ordering::Relaxed));
        }
        browser.wheel(page.point_in_rows(), -6_000);
        let read = wait::until("rows to read", || {
            let rows = page.pane().map(|pane| pane.rows).unwrap_or_default();
            if rows.len() > 3 && rows.iter().all(|row| row.text.contains("blink")) {
                Ok(rows)
            } else {
                Err(rows.len())
            }
        });
        for _ in 0..3 {
            wait_for_sent(&sent, sent.load(Ordering::Relaxed) + 2_000);
            assert_eq!(page.pane().map(|pane| pane.rows).as_ref(), Some(&read));
        }
        let newer =
            "return document.querySelector('.log-head button.small:not([aria-label])')?.innerText ?? ''";
        page.wait_for("that there are newer ones", newer, &json!("Newer lines"));
        ends.store(true, Ordering::Relaxed);
        sender.join().expect("the lines were stored");
        browser.click(page.center(".log-head button.small:not([aria-label])"));
        wait_for_number(&page, sent.load(Ordering::Relaxed) - 1);
        page.wait_for_total(sent.load(Ordering::Relaxed) as u64);
        browser.assert_no_errors();
    });
}

/// Ends the flood when it goes.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How much of a look there is, so that some looks fill the buffers of a connection.
const SERIES: usize = 10;
const POINTS: i64 = 1_000;

/// Follows all series and reads nothing but the first bytes.
fn stalled(server: &TestServer, since: i64) -> TcpStream {
    let mut stream = TcpStream::connect(server.http().address()).expect("the server takes connections");
    let targets: Vec<String> = (0..SERIES).map(|series| format!("&target=tide.s{series}")).collect();
    let targets = targets.concat();
    let host = server.http().address();
    let request = format!("GET /api/live?since={since}{targets} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads the request");
    stream.read_exact(&mut [0; 15]).expect("the answer begins");
    stream
}

#[test]
fn readers_that_take_nothing_cost_no_memory() {
    const READERS: usize = 8;
    const ROUNDS: i64 = 40;
    let server = TestServer::start();
    let start = now().as_secs() - ROUNDS * POINTS - 60;
    let heard = server.http().follow(&format!("/api/live?since={start}&target=tide.s0"));
    let readers: Vec<TcpStream> = (0..READERS).map(|_| stalled(&server, start)).collect();
    let mut before = 0;
    for round in 0..ROUNDS {
        let mut text = String::new();
        let first = start + 1 + round * POINTS;
        for series in 0..SERIES {
            for ts in first..first + POINTS {
                writeln!(text, "tide.s{series} {} {ts}", ts % 100_000).expect("a text takes it");
            }
        }
        store_points(&server, &text);
        // Each round is one look, of all of them.
        while !heard.next_line().contains(&format!("{}000", first + POINTS - 1)) {}
        if round == 2 {
            before = anonymous_bytes(server.pid());
        }
    }
    let grown = anonymous_bytes(server.pid()).saturating_sub(before);
    assert!(grown < READERS as u64 * (3 << 20), "{READERS} readers that take nothing cost {grown} bytes");
    drop(readers);
}

#[test]
fn a_component_that_is_new_is_in_the_tree_with_its_first_line() {
    let server = TestServer::start();
    quay(&server, 3);
    let browser = Browser::with(&Settings { width: 1920, height: 1000, ..Settings::default() });
    let address = ADDRESS.replace("-15min", "-1d");
    let page = open_at(&browser, &server, &address, 3);
    let tree = "return [...document.querySelectorAll('[role=treeitem]')].map(e => e.dataset.path).filter(path => path)";
    page.wait_for("the tree", tree, &json!(["quay", "quay.light"]));
    let before = asked(&browser, "/api/components");
    let line = format!("{{\"ts\":\"{}\",\"component\":\"quay.horn\",\"msg\":\"hoot\"}}\n", now());
    server.store_logs(line.as_bytes());
    page.wait_for("the new component", tree, &json!(["quay", "quay.horn", "quay.light"]));
    assert!(asked(&browser, "/api/components") <= before + 2);
    browser.assert_no_errors();
}

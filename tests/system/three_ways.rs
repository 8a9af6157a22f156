//! One investigation by mouse, by fingers and by keys: whatever the hands are, the address is the same.

use serde_json::json;
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::corpus::range;
use sonde_tests::page::{Page, Plot};
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::fmt::Write as _;

const ADDRESS: &str = "/d/default?v=1&t=2025-02-28T03:00:00Z..03:10:00Z";

fn visible() -> TimeRange {
    range("2025-02-28T03:00:00Z", "2025-02-28T03:10:00Z")
}

fn minute(minute: i64) -> Timestamp {
    visible().from.plus_nanos(minute * 60_000_000_000)
}

fn mill() -> TestServer {
    let server = TestServer::start();
    let mut text = String::new();
    for second in 0..600_u64 {
        writeln!(text, "mill.turns {} {}", second % 7, 1_740_711_600 + second).expect("a String takes it");
    }
    assert_eq!(server.http().post("/api/ingest/metrics", text.as_bytes()).status, 200);
    let line = |second: u64| {
        format!("{{\"ts\":{},\"component\":\"mill\",\"msg\":\"turns\"}}\n", 1_740_711_600 + second)
    };
    server.store_logs((0..600).step_by(10).map(line).collect::<String>().as_bytes());
    server
}

/// Hands that brush, move an edge, mark a baseline, zoom, go back and copy the link.
struct Hands<'a> {
    browser: &'a Browser,
    page: Page<'a>,
    plot: Plot,
}

impl<'a> Hands<'a> {
    fn on(browser: &'a Browser, server: &TestServer) -> Self {
        let page = Page::open(browser, &server.http().url(ADDRESS));
        // As anybody can switch it on in the list of keys: edges then end on ticks, with whatever hand. With the column of what changed
        // closed there is a tick a minute.
        browser.look("localStorage.setItem('sonde.snap', 'on'); localStorage.setItem('sonde.why', 'off'); location.reload(); return true", &[]);
        let plot = wait::until("the chart again", || {
            let is_loaded = browser.look(
                "return document.readyState === 'complete' && localStorage.getItem('sonde.snap') === 'on'",
                &[],
            );
            page.plot("mill.turns")
                .filter(|plot| is_loaded == json!(true) && plot.range == visible())
                .ok_or("none")
        });
        Self { browser, page, plot }
    }

    fn at(&self, minutes: i64) -> (f64, f64) {
        (self.plot.x_of(minute(minutes)), self.plot.middle)
    }

    /// Waits until the address holds this, and says it.
    #[track_caller]
    fn wait_for(&self, part: &str, is_there: bool) -> String {
        wait::until(part, || {
            let url = self.browser.url();
            if url.contains(part) == is_there { Ok(url) } else { Err(url) }
        })
    }

    #[track_caller]
    fn wait_for_zoom(&self, is_zoomed: bool) {
        wait::until("a zoom, or none", || {
            let plot = self.page.plot("mill.turns").ok_or_else(|| "no chart".to_owned())?;
            if (plot.range == visible()) == is_zoomed { Err(format!("{}", plot.range)) } else { Ok(()) }
        });
    }

    /// The link that was copied, which is the address as it is.
    #[track_caller]
    fn copied(&self) -> String {
        let label = "return document.querySelector('.share-label').textContent";
        self.page.wait_for("the link to be copied", label, &json!("Copied"));
        let copied = self.browser.clipboard();
        assert_eq!(copied, self.browser.url());
        let (_, path) = copied.split_once("/d/").expect("the address has a dashboard");
        path.to_owned()
    }

    fn press(&self, label: &str) -> (f64, f64) {
        let script = "const places = [document.querySelector('.selection-bar'), document].filter(e => e?.offsetHeight !== 0);\
            const e = places.flatMap(e => [...e?.querySelectorAll('button') ?? []]).find(e => e.offsetParent && (e.ariaLabel === arguments[0] || e.innerText.trim() === arguments[0]));\
            if (!e) return null; const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]";
        wait::until(&format!("the button {label}"), || {
            let found = self.browser.look(script, &[json!(label)]);
            serde_json::from_value::<(f64, f64)>(found).ok().ok_or("none")
        })
    }
}

fn by_mouse(server: &TestServer) -> String {
    let browser = Browser::open();
    let hands = Hands::on(&browser, server);
    browser.drag(&[hands.at(3), hands.at(4), hands.at(5)]);
    hands.wait_for("&s=2025-02-28T03:03:00Z..03:05:00Z", true);
    browser.drag(&[hands.at(5), (hands.at(5).0 + 9.0, hands.plot.middle), hands.at(6)]);
    hands.wait_for("&s=2025-02-28T03:03:00Z..03:06:00Z", true);
    browser.key('b');
    browser.drag(&[hands.at(1), (hands.at(1).0 + 9.0, hands.plot.middle), hands.at(2)]);
    hands.wait_for("&b=2025-02-28T03:01:00Z..03:02:00Z", true);
    browser.double_click(hands.at(4));
    hands.wait_for_zoom(true);
    let zoomed = hands.page.plot("mill.turns").expect("the chart is there");
    browser.double_click((zoomed.left + 4.0, zoomed.middle));
    hands.wait_for_zoom(false);
    browser.click(hands.press("Share: copy the link"));
    let copied = hands.copied();
    browser.screenshot("three-ways-mouse");
    browser.assert_no_errors();
    copied
}

fn by_fingers(server: &TestServer) -> String {
    let browser = Browser::with(&Settings { touch: true, ..Settings::default() });
    let hands = Hands::on(&browser, server);
    let tap = |at: (f64, f64)| browser.fingers(&[&[at]]);
    browser.fingers(&[&[hands.at(3)], &[hands.at(4)], &[hands.at(5)]]);
    hands.wait_for("&s=2025-02-28T03:03:00Z..03:05:00Z", true);
    browser.fingers(&[&[hands.at(5)], &[(hands.at(5).0 + 20.0, hands.plot.middle)], &[hands.at(6)]]);
    hands.wait_for("&s=2025-02-28T03:03:00Z..03:06:00Z", true);
    tap(hands.press("Baseline"));
    let armed = "return document.querySelector('.selection-bar [aria-pressed]').ariaPressed";
    hands.page.wait_for("the next band to be the baseline", armed, &json!("true"));
    browser.fingers(&[&[hands.at(1)], &[(hands.at(1).0 + 20.0, hands.plot.middle)], &[hands.at(2)]]);
    hands.wait_for("&b=2025-02-28T03:01:00Z..03:02:00Z", true);
    tap(hands.press("Zoom"));
    hands.wait_for_zoom(true);
    browser.back();
    hands.wait_for_zoom(false);
    tap(hands.press("Share: copy the link"));
    let copied = hands.copied();
    browser.screenshot("three-ways-fingers");
    browser.assert_no_errors();
    copied
}

fn by_keys(server: &TestServer) -> String {
    let browser = Browser::open();
    let hands = Hands::on(&browser, server);
    let tab_to = |what: &str, is_there: &str| {
        let found = (0..60).any(|_| {
            browser.key(Key::Tab);
            browser.look(&format!("return !!document.activeElement?.matches('{is_there}')"), &[])
                == json!(true)
        });
        assert!(found, "Tab does not lead to {what}");
    };
    let ticks = |key: Key, count: usize| (0..count).for_each(|_| browser.chord(&[Key::Control], key));
    let extend =
        |count: usize| (0..count).for_each(|_| browser.chord(&[Key::Control, Key::Shift], Key::Right));
    tab_to("the chart", "[data-panel=\"mill.turns\"]");
    // The cursor begins in the middle, at 03:05.
    ticks(Key::Left, 2);
    extend(2);
    browser.key(Key::Enter);
    hands.wait_for("&s=2025-02-28T03:03:00Z..03:05:00Z", true);
    browser.key(']');
    ticks(Key::Right, 1);
    browser.key(Key::Enter);
    hands.wait_for("&s=2025-02-28T03:03:00Z..03:06:00Z", true);
    browser.key('b');
    ticks(Key::Left, 5);
    extend(1);
    browser.key(Key::Enter);
    hands.wait_for("&b=2025-02-28T03:01:00Z..03:02:00Z", true);
    let said =
        "return document.querySelector('[data-panel=\"mill.turns\"] [role=status]').textContent.length > 0";
    hands.page.wait_for("something to be read out", said, &json!(true));
    browser.key('+');
    hands.wait_for_zoom(true);
    browser.key(Key::Backspace);
    hands.wait_for_zoom(false);
    tab_to("the button", "[aria-label=\"Share: copy the link\"]");
    browser.key(Key::Enter);
    let copied = hands.copied();
    browser.assert_no_errors();
    copied
}

#[test]
fn mouse_fingers_and_keys_end_in_the_same_address() {
    let server = mill();
    let expected = "default?v=1&t=2025-02-28T03:00:00Z..03:10:00Z&s=2025-02-28T03:03:00Z..03:06:00Z\
                    &b=2025-02-28T03:01:00Z..03:02:00Z&c=mill&panel=mill.turns";
    assert_eq!(by_mouse(&server), expected);
    assert_eq!(by_fingers(&server), expected);
    assert_eq!(by_keys(&server), expected);
}

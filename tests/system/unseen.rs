//! A world that the demo does not know: other names, hours, dashboards and zones.

use serde_json::json;
use sonde_shared::time::TimeRange;
use sonde_tests::browser::{Browser, Settings};
use sonde_tests::corpus::range;
use sonde_tests::page::Page;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fmt::Write as _;

const DASHBOARD: &str = r#"
title = "The shop"
[[panel]]
id = "checkout"
title = "Checkout"
targets = ["shop.cart.checkout.seconds"]
unit = "s"
[[panel]]
id = "stock"
title = "Stock"
targets = ["warehouse.*.items"]
logs = "warehouse"
"#;

/// An hour of a February night, with lines of a component, of one below it and of a sibling whose name begins alike.
fn shop(dashboards: &std::path::Path) -> TestServer {
    std::fs::write(dashboards.join("night-shop.toml"), DASHBOARD).expect("a dashboard can be written");
    let server = Setup::default().arg("--dashboards").arg(dashboards).start();
    let (mut lines, mut points) = (String::new(), String::new());
    for second in 0..3_600_u64 {
        let ts = 1_740_711_600 + second;
        for component in ["shop.cart", "shop.cart.tax", "shop.cartography", "warehouse.north"] {
            writeln!(
                lines,
                r#"{{"ts":{ts},"component":"{component}","msg":"{component} at second {second}"}}"#
            )
            .expect("a String takes it");
        }
        writeln!(
            points,
            "shop.cart.checkout.seconds {} {ts}\nwarehouse.north.items {second} {ts}",
            second % 13
        )
        .expect("a String takes it");
    }
    server.store_logs(lines.as_bytes());
    assert_eq!(server.http().post("/api/ingest/metrics", points.as_bytes()).status, 200);
    server
}

fn check_brush(
    page: &Page,
    server: &TestServer,
    panel: &str,
    visible: TimeRange,
    brushed: TimeRange,
    component: &str,
) {
    let plot = page.plot_of(panel, visible);
    let before = page.selection_in_url();
    page.brush(panel, &plot, brushed);
    let selection = wait::until("another selection", || {
        page.selection_in_url().filter(|now| Some(*now) != before).ok_or("none")
    });
    assert!(
        selection.from.as_millis().abs_diff(brushed.from.as_millis()) as i64 <= 2 * plot.pixel_ms(),
        "{selection}"
    );
    let lines =
        server.logs(&format!("component={component}&from={}&until={}", selection.from, selection.until));
    let count = sonde_tests::http::split_lines(&lines).len() as u64;
    assert!(count > 50, "{count} lines");
    let shown = page.wait_for_total(count);
    assert!(
        shown.rows.iter().all(|row| row.text.contains(component) && !row.text.contains("cartography")),
        "{shown:?}"
    );
    let url = page.browser.url();
    assert!(url.contains(&format!("c={component}")), "{url}");
}

#[test]
fn brushing_works_on_a_dashboard_and_in_a_zone_that_nobody_thought_of() {
    let dashboards = tempfile::tempdir().expect("a temporary folder can be made");
    let server = shop(dashboards.path());
    let browser = Browser::with(&Settings { zone: "Asia/Kathmandu", width: 1920, ..Settings::default() });
    let address = "/d/night-shop?v=1&t=2025-02-28T03:00:00Z..04:00:00Z";
    let page = Page::open(&browser, &server.http().url(address));
    let visible = range("2025-02-28T03:00:00Z", "2025-02-28T04:00:00Z");
    let night = range("2025-02-28T03:20:00Z", "2025-02-28T03:22:00Z");
    check_brush(&page, &server, "checkout", visible, night, "shop.cart");
    let later = range("2025-02-28T03:40:00Z", "2025-02-28T03:41:00Z");
    check_brush(&page, &server, "stock", visible, later, "warehouse");
    browser.screenshot("unseen-shop");
    browser.assert_no_errors();
}

#[test]
fn times_are_those_of_the_clock_on_the_wall_before_and_after_it_is_put_back() {
    let server = TestServer::start();
    let mut body = String::new();
    // Berlin, 2026-10-25: at 3:00 it is 2:00 again.
    for (ts, msg) in [
        ("2026-10-24T22:30:00Z", "half past midnight"),
        ("2026-10-25T00:30:00Z", "half past two"),
        ("2026-10-25T01:30:00Z", "half past two again"),
        ("2026-10-25T03:30:00Z", "half past four"),
        ("2026-10-25T22:30:00Z", "the last hour"),
        ("2026-10-25T23:30:00Z", "the next day"),
    ] {
        writeln!(body, r#"{{"ts":"{ts}","component":"bell","msg":"{msg}"}}"#).expect("a String takes it");
    }
    server.store_logs(body.as_bytes());
    let browser = Browser::with(&Settings { zone: "Europe/Berlin", ..Settings::default() });
    let open = |range: &str| {
        Page::open(&browser, &server.http().url(&format!("/?v=1&t={range}&zone=local&order=asc")))
    };
    let page = open("2026-10-24T22:00:00Z..2026-10-25T04:00:00Z");
    page.wait_for_total(4);
    let times = "return [...document.querySelectorAll('.log-list .row .time')].filter(e => e.innerText)\
        .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).map(e => e.innerText)";
    let expected = json!(["00:30:00.000", "02:30:00.000", "02:30:00.000", "04:30:00.000"]);
    page.wait_for("the times of the lines", times, &expected);
    let ticks = "return [...document.querySelectorAll('.time-axis .tick')].map(e => e.innerText)";
    let hours = json!(["Oct 25", "01:00", "02:00", "02:00", "03:00", "04:00"]);
    page.wait_for("the hour that comes twice", ticks, &hours);
    let page = open("2026-10-24T22:00:00Z..2026-10-25T23:00:00Z");
    page.wait_for_total(5);
    let range = "return document.querySelector('[aria-label^=\"Time range\"]').innerText.replace(/\\u2060/g, '').replace(/\\s+/g, ' ')";
    page.wait_for("one day of 25 hours", range, &json!("2026-10-25 00:00:00–00:00:00 (1 d 1 h)"));
    browser.screenshot("clock-put-back");
    browser.assert_no_errors();
}

#[test]
fn without_any_dashboard_the_metrics_that_exist_make_one() {
    let server = TestServer::start();
    let mut text = String::new();
    for second in 0..600_u64 {
        writeln!(text, "well.pump.bar {} {}", second % 5, 1_740_711_600 + second).expect("a String takes it");
    }
    assert_eq!(server.http().post("/api/ingest/metrics", text.as_bytes()).status, 200);
    server.store_logs(br#"{"ts":1740711700,"component":"well.pump","msg":"the pump coughs"}"#);
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url("/?v=1&t=2025-02-28T03:00:00Z..03:10:00Z"));
    let script =
        "return [...document.querySelectorAll('[data-panel][data-range]')].map(e => e.dataset.panel)";
    let panels = wait::until("a panel", || {
        let panels: Vec<String> = serde_json::from_value(browser.look(script, &[])).unwrap_or_default();
        let charts: Vec<String> = panels.into_iter().filter(|panel| panel != "histogram").collect();
        if charts.is_empty() { Err("none") } else { Ok(charts) }
    });
    let visible = range("2025-02-28T03:00:00Z", "2025-02-28T03:10:00Z");
    let plot = page.plot_of(&panels[0], visible);
    page.brush(&panels[0], &plot, range("2025-02-28T03:01:00Z", "2025-02-28T03:03:00Z"));
    let shown = page.wait_for_total(1);
    assert!(shown.rows[0].text.contains("the pump coughs"), "{shown:?}");
    browser.assert_no_errors();
}

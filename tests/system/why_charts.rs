//! What changed and the charts that there are: a finding's chart is not made twice, its series stands in front, and the way back
//! leads to where the charts were.

use super::why_pane::{FROM, SELECTION, START, UNTIL, VISIBLE, fill, open, whole, with_the_well};
use serde_json::{Value, json};
use sonde_tests::browser::{Browser, Settings};
use sonde_tests::page::Page;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fmt::Write as _;
use std::path::Path;

/// The stone's chart comes last of eight, so that it is out of sight at first; the wheel's turns are drawn with it.
fn with_the_stone_below(boards: &Path, targets: &str) -> TestServer {
    let well = |at: usize| format!("[[panel]]\ntitle = \"Well {at}\"\ntargets = [\"well.depth\"]\n");
    let mill = format!("[[panel]]\ntitle = \"Mill\"\ntargets = [{targets}]\n");
    let board = (0..7).map(well).chain([mill]).collect::<String>();
    let board = format!("title = \"Mill\"\n{board}");
    std::fs::write(boards.join("mill.toml"), board).expect("a dashboard can be written");
    let server = Setup::default().arg("--dashboards").arg(boards).start();
    fill(&server);
    server
}

fn scrolled(page: &Page) -> f64 {
    page.browser.look("return document.querySelector('.charts').scrollTop", &[]).as_f64().expect("a number")
}

/// Whether a panel is wholly between the charts' upper edge and the axis.
fn in_sight(panel: &str) -> String {
    format!(
        "const p = document.querySelector('[data-panel=\"{panel}\"]')?.closest('.panel')?.getBoundingClientRect();\
        const upper = document.querySelector('.charts').getBoundingClientRect().top;\
        const lower = document.querySelector('.axis').getBoundingClientRect().top;\
        return !!p && p.top >= upper - 1 && p.bottom <= lower + 1"
    )
}

/// What is drawn in a panel.
fn picture(page: &Page, panel: &str) -> Value {
    let script =
        "return document.querySelector(`[data-panel=\"${arguments[0]}\"] canvas`)?.toDataURL() ?? null";
    page.browser.look(script, &[json!(panel)])
}

#[test]
fn a_finding_whose_chart_is_there_leads_to_it_and_its_series_stands_in_front() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let server = with_the_stone_below(boards.path(), "\"mill.*.*\"");
    let browser = Browser::with(&Settings { width: 1_920, height: 1_080, ..Settings::default() });
    let page = Page::open(&browser, &server.http().url(&format!("/d/mill?v=1&{VISIBLE}&{SELECTION}")));
    whole(&page);
    let before = browser.url();
    page.wait_for("the mill out of sight", &in_sight("mill"), &json!(false));
    open(&page, "metric", "mill.stone.heat");
    page.wait_for("the mill in sight", &in_sight("mill"), &json!(true));
    let own = "return document.querySelector('[data-panel=\"~targets\"]')";
    page.wait_for("no chart besides", own, &Value::Null);
    assert_eq!(browser.url(), before);
    // The finding has the focus: its series is in front until that goes elsewhere.
    let both = "return document.querySelectorAll('[data-panel=\"mill\"] .legend-item, .panel:has([data-panel=\"mill\"]) .legend-item').length";
    page.wait_for("both series", both, &json!(2));
    let in_front = settled(&page);
    browser.look("document.activeElement.blur()", &[]);
    browser.hover(page.center(".why-head h2"));
    let beside = wait::until("another picture", || {
        let picture = picture(&page, "mill");
        if picture == in_front { Err("the same") } else { Ok(picture) }
    });
    browser.hover(page.center(".finding[data-kind=metric] .finding-open"));
    wait::until(
        "the picture of before",
        || if picture(&page, "mill") == in_front { Ok(()) } else { Err(()) },
    );
    assert_ne!(in_front, beside);
    browser.screenshot("why-in-front");
    // The way back leads to where the charts were, with the selection that they are compared in.
    browser.back();
    page.wait_for("the mill out of sight again", &in_sight("mill"), &json!(false));
    assert_eq!((browser.url(), scrolled(&page)), (before.clone(), 0.0));
    // Each finding is a step, and each step back leads to the one before.
    open(&page, "metric", "mill.stone.heat");
    page.wait_for("the mill in sight", &in_sight("mill"), &json!(true));
    let shown = scrolled(&page);
    open(&page, "pattern", "the stone is hot");
    wait::until("its lines", || if browser.url() == before { Err(()) } else { Ok(()) });
    browser.back();
    wait::until(
        "the address of before",
        || if browser.url() == before { Ok(()) } else { Err(browser.url()) },
    );
    page.wait_for("the mill still in sight", &in_sight("mill"), &json!(true));
    assert!((scrolled(&page) - shown).abs() < 1.0);
    browser.back();
    page.wait_for("the mill out of sight again", &in_sight("mill"), &json!(false));
    assert_eq!((browser.url(), scrolled(&page)), (before, 0.0));
    browser.assert_no_errors();
}

/// The picture once it stays the same for two frames.
fn settled(page: &Page) -> Value {
    let mut last = Value::Null;
    wait::until("a picture that stays", || {
        page.browser.look_later("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))", &[]);
        let now = picture(page, "mill");
        let is_same = !now.is_null() && now == last;
        last = now;
        if is_same { Ok(last.clone()) } else { Err(()) }
    })
}

#[test]
fn back_from_a_findings_own_chart_leads_to_where_the_charts_were() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let server = with_the_stone_below(boards.path(), "\"well.depth\"");
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url(&format!("/d/mill?v=1&{VISIBLE}&{SELECTION}")));
    whole(&page);
    page.wait_for("charts", &in_sight("well-0"), &json!(true));
    browser.look("document.querySelector('.charts').scrollTop = 90", &[]);
    open(&page, "metric", "mill.stone.heat");
    page.wait_for(
        "its chart in sight",
        "return !!document.querySelector('[data-panel=\"~targets\"]')",
        &json!(true),
    );
    wait::until("the charts further down", || {
        if scrolled(&page) > 300.0 { Ok(()) } else { Err(scrolled(&page)) }
    });
    browser.back();
    wait::until("where they were", || {
        let at = scrolled(&page);
        if (at - 90.0).abs() < 1.0 { Ok(()) } else { Err(at) }
    });
    browser.assert_no_errors();
}

#[test]
fn of_a_counter_a_finding_says_how_fast_it_grows_and_so_does_its_chart() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let server = with_the_well(boards.path());
    let (mut points, mut sacks) = (String::new(), 1_000_000);
    for ts in (START..START + 1_800).step_by(5) {
        sacks += if (FROM..UNTIL).contains(&ts) { 200 } else { 20 + ts / 5 * 7 % 5 };
        writeln!(points, "mill.sacks;host=a {sacks} {ts}").expect("a String takes it");
    }
    assert_eq!(server.http().post("/api/ingest/metrics", points.as_bytes()).status, 200);
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url(&format!("/d/well?v=1&{VISIBLE}&{SELECTION}")));
    let listed = whole(&page);
    let summary = "return [...document.querySelectorAll('.finding')]\
        .find(e => e.dataset.subject === 'mill.sacks;host=a')?.innerText.includes('4.4 → 40 a second')";
    page.wait_for("how fast it grows", summary, &json!(true));
    open(&page, "metric", "mill.sacks");
    let title = "return document.querySelector('[data-panel=\"~targets\"]')?.closest('.panel').querySelector('h2').innerText";
    page.wait_for("a chart of that", title, &json!("perSecond(mill.sacks;host=a)"));
    // The list is the same when it is asked for from that chart.
    browser.reload();
    assert_eq!(whole(&page), listed);
    browser.back();
    page.wait_for(
        "no chart of its own",
        "return document.querySelector('[data-panel=\"~targets\"]')",
        &Value::Null,
    );
    browser.assert_no_errors();
}

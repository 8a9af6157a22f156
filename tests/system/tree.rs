//! The trees at the side: what components say of themselves, choosing one or several, metrics on their way to a chart.

use serde_json::{Value, json};
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::fmt::Write as _;

const ADDRESS: &str = "/?v=1&t=2025-02-28T03:00:00Z..03:10:00Z";

/// Ten minutes: the mill's wheel speaks once a second, with an error in ten of a hundred lines; its stones in the last minute alone; the
/// well twice. Points of three metrics.
fn mill() -> TestServer {
    let server = TestServer::start();
    let (mut lines, mut points) = (String::new(), String::new());
    for second in 0..600_u64 {
        let ts = 1_740_711_600 + second;
        let level = if second % 10 == 0 { "error" } else { "info" };
        writeln!(lines, r#"{{"ts":{ts},"component":"mill.wheel","level":"{level}","msg":"turn {second}"}}"#)
            .expect("a String takes it");
        if second >= 540 {
            writeln!(lines, r#"{{"ts":{ts},"component":"mill.stones","msg":"grind {second}"}}"#)
                .expect("a String takes it");
        }
        writeln!(points, "mill.wheel.turns {second} {ts}\nmill.wheel.heat 7 {ts}\nwell.level 3 {ts}")
            .expect("a String takes it");
    }
    for second in [1, 2] {
        writeln!(lines, r#"{{"ts":{},"component":"well","msg":"drip"}}"#, 1_740_711_600 + second)
            .expect("a String takes it");
    }
    server.store_logs(lines.as_bytes());
    assert_eq!(server.http().post("/api/ingest/metrics", points.as_bytes()).status, 200);
    server
}

fn wide() -> Browser {
    Browser::with(&Settings { width: 1920, height: 1000, ..Settings::default() })
}

/// What each row says, in the order of the screen.
const ROWS: &str = "return [...document.querySelectorAll('.tree-row')].sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)\
    .map(e => e.ariaLabel + (e.ariaSelected === 'true' ? ' *' : ''))";

fn row(path: &str) -> String {
    format!(".tree-row[data-path=\"{path}\"]")
}

fn click_with(page: &Page, held: Key, path: &str) {
    page.browser.click_with(held, page.center(&row(path)));
}

#[track_caller]
fn chosen(page: &Page, expected: &[&str]) {
    let script = "return new URLSearchParams(location.search).getAll('c')";
    page.wait_for("the choice in the address", script, &json!(expected));
}

#[test]
fn components_say_how_many_lines_they_have_when_and_how_many_are_errors() {
    let server = mill();
    let browser = wide();
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    let rows = json!([
        "mill, 660 lines, 60 errors",
        "mill.stones, 60 lines, 0 errors",
        "mill.wheel, 600 lines, 60 errors",
        "well, 2 lines, 0 errors",
    ]);
    page.wait_for("components with their numbers", ROWS, &rows);
    let seen = |path: &str| {
        let script = "const e = document.querySelector(arguments[0]); return [e.querySelector('.tree-count').innerText, e.querySelector('.tree-share').innerText]";
        browser.look(script, &[json!(row(path))])
    };
    assert_eq!(seen("mill"), json!(["660", "9%"]));
    assert_eq!(seen("well"), json!(["2", ""]));
    let level =
        |path| browser.look("return document.querySelector(arguments[0]).ariaLevel", &[json!(row(path))]);
    assert_eq!([level("mill"), level("mill.stones")], [json!("1"), json!("2")]);
    // The stones' bars stand in the last tenth of the strip, the wheel's all over it.
    let strip = |path: &str| {
        let script = "const e = document.querySelector(arguments[0] + ' .tree-strip path'), s = e.ownerSVGElement.getBoundingClientRect(),\
            b = e.getBoundingClientRect(); return [Math.round((b.left - s.left) / s.width * 10), Math.round((b.right - s.left) / s.width * 10)]";
        browser.look(script, &[json!(row(path))])
    };
    assert_eq!(strip("mill.stones"), json!([9, 10]));
    assert_eq!(strip("mill.wheel"), json!([0, 10]));
    assert_eq!(strip("well"), json!([0, 0]));
    browser.assert_no_errors();
}

#[test]
fn one_component_or_several_narrow_charts_and_lines_by_mouse_and_by_keys() {
    let server = mill();
    let browser = wide();
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    page.wait_for_total(662);
    browser.click(page.center(&row("mill.stones")));
    chosen(&page, &["mill.stones"]);
    page.wait_for_total(60);
    let dimmed = "return [...document.querySelectorAll('.panel.outside')].map(e => e.ariaLabel.split('.')[0]).sort().join()";
    page.wait_for(
        "other charts are dimmed",
        "return document.querySelectorAll('.panel.outside').length > 0",
        &json!(true),
    );
    assert!(browser.look(dimmed, &[]).to_string().contains("well"), "{}", browser.look(dimmed, &[]));
    click_with(&page, Key::Control, "well");
    chosen(&page, &["mill.stones", "well"]);
    page.wait_for_total(62);
    click_with(&page, Key::Control, "mill.stones");
    chosen(&page, &["well"]);
    // From the row that was clicked last.
    click_with(&page, Key::Shift, "mill.wheel");
    chosen(&page, &["mill.stones", "mill.wheel"]);
    page.wait_for_total(660);
    // The same by keys: the cursor is on the row that was clicked last.
    browser.key(Key::Up);
    browser.key(' ');
    chosen(&page, &["mill.stones"]);
    browser.chord(&[Key::Shift], Key::Down);
    chosen(&page, &["mill.stones", "mill.wheel"]);
    page.wait_for_total(660);
    browser.key(Key::Home);
    browser.key(Key::Left);
    page.wait_for("a folded tree", ROWS, &json!(["mill, 660 lines, 60 errors", "well, 2 lines, 0 errors"]));
    browser.key(Key::Enter);
    chosen(&page, &["mill"]);
    browser.key(Key::Enter);
    chosen(&page, &[]);
    page.wait_for_total(662);
    browser.back();
    chosen(&page, &["mill"]);
    browser.assert_no_errors();
}

#[test]
fn of_five_thousand_components_only_those_in_sight_are_rows_and_one_is_found_by_its_name() {
    let server = TestServer::start();
    let line = |number: usize| {
        let (street, house) = (number / 100, number % 100);
        format!(
            "{{\"ts\":1740711{:03},\"component\":\"town.street{street}.house{house}\",\"msg\":\"hello\"}}\n",
            600 + number % 400
        )
    };
    server.store_logs((0..5_000).map(line).collect::<String>().as_bytes());
    let browser = wide();
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    page.wait_for_total(5_000);
    page.wait_for("the first level alone", ROWS, &json!(["town, 5\u{202f}000 lines, 0 errors"]));
    browser.click(page.center(&row("town")));
    browser.key(Key::Right);
    page.wait_for("its streets", "return document.querySelectorAll('.tree-row').length > 30", &json!(true));
    browser.key(Key::End);
    page.wait_for(
        "the last one",
        "return [...document.querySelectorAll('.tree-row')].some(e => e.dataset.path === 'town.street9')",
        &json!(true),
    );
    // With the houses of that street the tree is many times as long as the page is high.
    browser.key(Key::Right);
    browser.key(Key::End);
    page.wait_for(
        "its last house",
        "return [...document.querySelectorAll('.tree-row')].some(e => e.dataset.path === 'town.street9.house99')",
        &json!(true),
    );
    let script = "return document.querySelectorAll('.tree-row').length < 80";
    assert_eq!(browser.look(script, &[]), json!(true), "only rows in sight exist");
    browser.click(page.center("[aria-label='Find a component']"));
    browser.type_text("street7.house42");
    let found = json!(["town", "town.street7", "town.street7.house42"]);
    let paths = "return [...document.querySelectorAll('.tree-row')].map(e => e.dataset.path)";
    page.wait_for("what has it and what is above", paths, &found);
    browser.click(page.center(&row("town.street7.house42")));
    page.wait_for_total(1);
    browser.assert_no_errors();
}

/// The targets that a chart asked for, as its legend has them.
#[track_caller]
fn legend(page: &Page, panel: &str, expected: &Value) {
    let script = format!(
        "return [...document.querySelectorAll('.panel:has([data-panel=\"{panel}\"]) .legend-name')].map(e => e.innerText)"
    );
    page.wait_for("the chart's series", &script, expected);
}

fn open_metrics(page: &Page) {
    page.browser.click(page.center(".tree-tab:nth-child(2)"));
    page.wait_for(
        "metrics",
        "return document.querySelectorAll('[role=tree][aria-label=Metrics] .tree-row').length > 0",
        &json!(true),
    );
}

#[test]
fn a_metric_is_dragged_onto_a_chart_and_onto_the_empty_place() {
    let server = mill();
    let browser = wide();
    let page =
        Page::open(&browser, &server.http().url(&format!("/d/default{}&target=well.level", &ADDRESS[1..])));
    page.wait_for("the chart", "return !!document.querySelector('[data-panel=\"~targets\"]')", &json!(true));
    open_metrics(&page);
    browser.click(page.center(&row("mill")));
    page.wait_for("its node", "return !!document.querySelector('[data-path=\"mill.wheel\"]')", &json!(true));
    browser.click(page.center(&row("mill.wheel")));
    page.wait_for(
        "its metrics",
        "return !!document.querySelector('[data-path=\"mill.wheel.turns\"]')",
        &json!(true),
    );
    let from = page.center(&row("mill.wheel.turns"));
    page.browser.look(
        "document.querySelector('[data-panel=\"~targets\"]').scrollIntoView({block: 'center'}); return true",
        &[],
    );
    let to = page.center("[data-panel=\"~targets\"]");
    browser.press_and_move(&[from, (from.0 + 20.0, from.1), to]);
    page.wait_for(
        "what letting go does",
        "return document.querySelector('.dragged')?.innerText.split('\\n')[1] ?? null",
        &json!("Add to well.level"),
    );
    browser.screenshot("drag-metric");
    browser.let_go();
    page.wait_for(
        "both targets in the address",
        "return new URLSearchParams(location.search).getAll('target')",
        &json!(["well.level", "mill.wheel.turns"]),
    );
    legend(&page, "~targets", &json!(["well.level", "mill.wheel.turns"]));
    // Escape gives the drag up.
    browser.press_and_move(&[from, (from.0 + 20.0, from.1), to]);
    browser.key(Key::Escape);
    browser.let_go();
    assert_eq!(browser.look("return document.querySelector('.dragged')", &[]), Value::Null);
    // Onto a chart of the dashboard: its editor has the target.
    let panel = browser.look("return document.querySelector('.plot[data-panel]').dataset.panel", &[]);
    let panel = panel.as_str().expect("a panel").to_owned();
    let plot = format!("[data-panel=\"{panel}\"]");
    browser.look(
        "document.querySelector(arguments[0]).scrollIntoView({block: 'center'}); return true",
        &[json!(plot)],
    );
    let from = page.center(&row("mill.wheel.heat"));
    browser.drag(&[from, (from.0 + 20.0, from.1), page.center(&plot)]);
    let targets = "return [...document.querySelectorAll('.editor [aria-label^=\"Target \"]')].map(e => e.value).filter(v => v)";
    wait::until("the target in the editor", || {
        let found = browser.look(targets, &[]);
        let has = found.as_array().is_some_and(|all| all.iter().any(|one| one == "mill.wheel.heat"));
        if has { Ok(()) } else { Err(found) }
    });
    browser.assert_no_errors();
}

#[test]
fn fingers_and_keys_add_a_metric_by_the_menu() {
    let server = mill();
    let browser = wide();
    let page = Page::open(&browser, &server.http().url(&format!("{ADDRESS}&c=mill.wheel&chosen=1")));
    page.wait_for_total(600);
    open_metrics(&page);
    let paths = "return [...document.querySelectorAll('[role=tree][aria-label=Metrics] .tree-row')].map(e => e.dataset.path)";
    page.wait_for("those of the component", paths, &json!(["mill.wheel.heat", "mill.wheel.turns"]));
    browser.click(page.center(&row("mill.wheel.turns")));
    let menu = "return document.querySelector('dialog.add-menu')?.ariaLabel ?? null";
    page.wait_for("the menu", menu, &json!("Add mill.wheel.turns to"));
    browser.key(Key::Escape);
    page.wait_for("no menu", menu, &Value::Null);
    browser.key(Key::Up);
    browser.key(Key::Enter);
    page.wait_for("the menu", menu, &json!("Add mill.wheel.heat to"));
    // The first entry has the focus.
    browser.key(Key::Enter);
    page.wait_for(
        "the target in the address",
        "return new URLSearchParams(location.search).getAll('target')",
        &json!(["mill.wheel.heat"]),
    );
    legend(&page, "~targets", &json!(["mill.wheel.heat"]));
    browser.assert_no_errors();
}

#[test]
fn on_a_phone_a_finger_that_stays_takes_one_more_component() {
    let server = mill();
    let browser = Browser::with(&Settings { width: 390, height: 844, touch: true, ..Settings::default() });
    let page = Page::open(&browser, &server.http().url(ADDRESS));
    page.wait_for(
        "the sheet's tab",
        "return !!document.querySelector('.sheet-tabs .tab:last-child')",
        &json!(true),
    );
    browser.fingers(&[&[page.center(".sheet-tabs .tab:last-child")]]);
    page.wait_for("the tree", "return document.querySelectorAll('.tree-row').length", &json!(4));
    let script = "const [first, second] = [...document.querySelectorAll('.tree-row')].map(e => e.getBoundingClientRect().top).sort((a, b) => a - b);\
        return second - first >= 44 && document.documentElement.scrollWidth <= innerWidth";
    page.wait_for("rows for fingers, and no scrolling sideways", script, &json!(true));
    browser.finger_stays(page.center(&row("well")));
    chosen(&page, &["well"]);
    browser.finger_stays(page.center(&row("mill.stones")));
    chosen(&page, &["well", "mill.stones"]);
    browser.assert_no_errors();
}

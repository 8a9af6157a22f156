//! What is done with charts beside brushing: series and charts alone, links made for Graphite, editing, rules to components.

use serde_json::json;
use sonde_shared::time::TimeRange;
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::corpus::range;
use sonde_tests::page::Page;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fmt::Write as _;
use std::fs;
use std::time::SystemTime;

const ADDRESS: &str = "/?v=1&t=2025-02-28T03:00:00Z..03:10:00Z";

fn visible() -> TimeRange {
    range("2025-02-28T03:00:00Z", "2025-02-28T03:10:00Z")
}

/// Ten minutes of two pumps: one at 2, the other rising from 0 to 599; and a wheel elsewhere.
fn fill(server: &TestServer) {
    let mut text = String::new();
    for second in 0..600_u64 {
        let ts = 1_740_711_600 + second;
        writeln!(text, "well.flat {} {ts}\nwell.rising {second} {ts}\nmill.turns 7 {ts}", 2)
            .expect("a String takes it");
    }
    assert_eq!(server.http().post("/api/ingest/metrics", text.as_bytes()).status, 200);
    server.store_logs(br#"{"ts":1740711700,"component":"village.miller","msg":"the wheel turns"}"#);
}

fn page_of<'a>(browser: &'a Browser, server: &TestServer, address: &str) -> Page<'a> {
    Page::open(browser, &server.http().url(address))
}

/// The panel whose title holds this.
fn panel(page: &Page, title: &str) -> String {
    let script = "return [...document.querySelectorAll('.panel')].find(p => p.ariaLabel.includes(arguments[0]))\
        ?.querySelector('.plot')?.dataset.panel ?? null";
    wait::until("the panel", || {
        page.browser.look(script, &[json!(title)]).as_str().map(str::to_owned).ok_or("none")
    })
}

/// Clicks an element, which is scrolled into sight first.
#[track_caller]
fn click_on(page: &Page, selector: &str) {
    let script = "document.querySelector(arguments[0])?.scrollIntoView({block: 'center'}); return true";
    page.browser.look(script, &[json!(selector)]);
    page.browser.click(page.center(selector));
}

const LEGEND: &str = "return [...document.querySelectorAll('.panel:has([data-panel=\"' + arguments[0] + '\"]) .legend-item')]\
    .map(e => [e.innerText.trim().replace(/\\s+/g, ' '), e.ariaPressed])";

#[test]
fn one_series_alone_then_all_and_one_chart_alone_until_escape() {
    let server = TestServer::start();
    fill(&server);
    let browser = Browser::open();
    let page = page_of(&browser, &server, ADDRESS);
    let wells = panel(&page, "well");
    page.plot_of(&wells, visible());
    let legend = |what: &str, expected: serde_json::Value| {
        let script = LEGEND.replace("arguments[0]", &format!("'{wells}'"));
        page.wait_for(what, &script, &expected);
    };
    legend("both series", json!([["flat 2", "true"], ["rising 599", "true"]]));
    let of_wells = |selector: &str| format!(".panel:has([data-panel=\"{wells}\"]) {selector}");
    click_on(&page, &of_wells(".legend li:nth-child(1) .legend-item"));
    legend("one alone", json!([["flat 2", "true"], ["rising 599", "false"]]));
    let plot = page.plot_of(&wells, visible());
    browser.hover((plot.x_of(visible().from.plus_nanos(60_000_000_000)), plot.middle));
    let tooltip =
        "return [...document.querySelectorAll('.tooltip-row')].map(e => e.innerText.replace(/\\s+/g, ' '))";
    page.wait_for("one value at the crosshair", tooltip, &json!(["well.flat 2"]));
    click_on(&page, &of_wells(".legend li:nth-child(1) .legend-item"));
    legend("all again", json!([["flat 2", "true"], ["rising 599", "true"]]));
    click_on(&page, &of_wells(".legend-more"));
    let table = "return [...document.querySelectorAll('.legend-table tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))";
    let rows = json!([["flat", "2", "2", "2", "2"], ["rising", "599", "0", "599", "300"]]);
    page.wait_for("extremes and means", table, &rows);
    let small = page.rect(&format!("[data-panel=\"{wells}\"]"))[3];
    let title = wait::until("the title", || {
        let script =
            "return document.querySelector('.panel:has([data-panel=\"' + arguments[0] + '\"])')?.ariaLabel";
        browser.look(script, &[json!(wells)]).as_str().map(str::to_owned).ok_or("none")
    });
    page.press(&format!("{title}: show this chart alone (m)"));
    let alone = "return [...document.querySelectorAll('.panel')].filter(p => p.offsetHeight > 0).length";
    page.wait_for("one chart", alone, &json!(1));
    assert!(browser.url().contains("&max="), "{}", browser.url());
    let script = format!("return document.querySelector('[data-panel=\"{wells}\"]').offsetHeight > {small}");
    page.wait_for("a higher chart", &script, &json!(true));
    let plot = page.plot_of(&wells, visible());
    browser.wheel((plot.left + plot.width / 2.0, plot.middle), -100);
    wait::until("a plain wheel to zoom", || {
        page.plot(&wells).filter(|plot| plot.range.nanos() < visible().nanos()).ok_or("the same")
    });
    browser.screenshot("alone");
    browser.key(Key::Escape);
    page.wait_for("both charts", alone, &json!(2));
    assert!(!browser.url().contains("max="), "{}", browser.url());
    browser.assert_no_errors();
}

/// Where a crosshair's points are, from the top of their chart, each with its colour.
const POINTS: &str = "const canvas = document.querySelector('[data-panel=\"' + arguments[0] + '\"] canvas.crosshair');\
    if (!canvas) return null;\
    const {width, height} = canvas, image = canvas.getContext('2d').getImageData(0, 0, width, height).data;\
    const points = []; let run = [];\
    for (let y = 0; y <= height; y++) {\
        const at = 4 * (y * width + (width - 1) / 2);\
        if (y < height && image[at + 3] === 255) run.push([y, `#${[0, 1, 2].map(i => image[at + i].toString(16).padStart(2, '0')).join('')}`]);\
        else if (run.length) { points.push([run[run.length >> 1][0], run[run.length >> 1][1]]); run = []; }\
    }\
    return points";

#[test]
fn the_crosshair_has_a_point_on_each_series_at_its_value() {
    let server = TestServer::start();
    fill(&server);
    let browser = Browser::open();
    let page = page_of(&browser, &server, ADDRESS);
    let wells = panel(&page, "well");
    let plot = page.plot_of(&wells, visible());
    let points_at = |second: i64, count: usize| -> Vec<(f64, String)> {
        browser.hover((plot.x_of(visible().from.plus_nanos(second * 1_000_000_000)).round(), plot.middle));
        wait::until("points", || {
            let seen = browser.look(POINTS, &[json!(wells)]);
            let points: Vec<(f64, String)> = serde_json::from_value(seen.clone()).unwrap_or_default();
            if points.len() == count { Ok(points) } else { Err(seen) }
        })
    };
    let colours: Vec<String> = serde_json::from_value(browser.look(
        "const style = getComputedStyle(document.documentElement);\
         return [1, 2].map(n => style.getPropertyValue('--series-' + n).trim())",
        &[],
    ))
    .expect("two colours");
    let (quarter, three) = (points_at(150, 2), points_at(450, 2));
    // The lower one is on the series that stays at 2.
    for points in [&quarter, &three] {
        assert_eq!([&points[0].1, &points[1].1], [&colours[1], &colours[0]], "{points:?}");
    }
    assert!((quarter[1].0 - three[1].0).abs() <= 1.0, "{quarter:?} {three:?}");
    // A straight line from 0 to 599: at three quarters of the time it is about three times as high.
    let high = |points: &[(f64, String)]| points[1].0 - points[0].0;
    assert!((high(&three) / high(&quarter) - 3.0).abs() < 0.15, "{quarter:?} {three:?}");
    browser.screenshot("points");
    browser.assert_no_errors();
}

/// Whether the screen is finer than CSS pixels; of the row of pixels between the plot's edges, a little above its bottom, how many
/// colours there are, and whether all of it is painted; whether the canvas is as large as its bitmap.
const LOW_ROW: &str = "const plot = document.querySelector('.plot');\
    const canvas = plot.querySelector('canvas'), ratio = canvas.width / canvas.clientWidth, gutter = Math.ceil(78 * ratio);\
    const y = Math.round(canvas.height - 12 * ratio), width = canvas.width - 2 * gutter;\
    const row = canvas.getContext('2d').getImageData(gutter, y, width, 1).data;\
    const colours = new Set(Array.from({length: width}, (_, x) => row.slice(4 * x, 4 * x + 4).join()));\
    const {width: css, height: high} = canvas.getBoundingClientRect();\
    const fits = Math.max(Math.abs(css * devicePixelRatio - canvas.width), Math.abs(high * devicePixelRatio - canvas.height)) < 0.1;\
    return [canvas.width > canvas.clientWidth, colours.size, ![...colours].some(colour => colour.endsWith(',0')), fits]";

#[test]
fn the_area_below_a_dense_line_has_no_seams_and_a_canvas_its_pixels_on_any_screen() {
    let server = TestServer::start();
    let mut text = String::new();
    for second in 0..3_600_u64 {
        writeln!(text, "mill.load {} {}", 60 + second * 7_919 % 31, 1_740_708_000 + second)
            .expect("a String takes it");
    }
    assert_eq!(server.http().post("/api/ingest/metrics", text.as_bytes()).status, 200);
    for pixel_ratio in [1.0, 1.1, 1.75] {
        let browser = Browser::with(&Settings { pixel_ratio, ..Settings::default() });
        let page = page_of(&browser, &server, "/?v=1&t=2025-02-28T02:00:00Z..03:00:00Z");
        page.wait_for("one colour", LOW_ROW, &json!([pixel_ratio > 1.0, 1, true, true]));
        browser.assert_no_errors();
    }
}

#[test]
fn a_tooltip_has_all_values_and_the_whole_text_of_an_event() {
    const WHAT: &str =
        "Deploy web 4.2.3000 to production with a migration of the orders that takes some minutes";
    let server = TestServer::start();
    let mut text = String::new();
    for second in 0..600_u64 {
        let ts = 1_740_711_600 + second;
        (0..15)
            .for_each(|number| writeln!(text, "many.s{number:02} {number} {ts}").expect("a String takes it"));
    }
    assert_eq!(server.http().post("/api/ingest/metrics", text.as_bytes()).status, 200);
    let event = json!({"what": WHAT, "when": 1_740_711_900, "tags": ["web", "v4"]});
    assert!(server.http().post("/events/", event.to_string().as_bytes()).status < 300);
    let browser = Browser::open();
    let page = page_of(&browser, &server, &format!("{ADDRESS}&target=many.*"));
    let many = panel(&page, "many");
    let plot = page.plot_of(&many, visible());
    browser.hover((plot.x_of(visible().from.plus_nanos(300_000_000_000)).round(), plot.middle));
    let rows =
        "return [...document.querySelectorAll('.tooltip-row')].map(e => e.innerText.replace(/\\s+/g, ' '))";
    let largest_first: Vec<_> = (0..15).rev().map(|number| format!("s{number:02} {number}")).collect();
    page.wait_for("all values", rows, &json!(largest_first));
    let note = "const note = document.querySelector('.tooltip-note'); return note && \
        [note.innerText, note.scrollWidth <= note.clientWidth, note.clientHeight > 20]";
    page.wait_for("all of the event", note, &json!([format!("{WHAT} web v4"), true, true]));
    let whole = "const box = document.querySelector('.tooltip').getBoundingClientRect(); \
        return [...document.querySelectorAll('.tooltip-row')].every(row => { \
            const r = row.getBoundingClientRect(); return r.right <= box.right && r.bottom <= box.bottom }) && \
            [...document.querySelectorAll('.tooltip-name')].every(name => name.scrollWidth <= name.clientWidth)";
    page.wait_for("none cut off", whole, &json!(true));
    browser.screenshot("many-values");
    browser.assert_no_errors();
}

#[test]
fn a_link_made_for_graphite_shows_its_chart_over_its_range() {
    let server = TestServer::start();
    fill(&server);
    let browser = Browser::open();
    let address = "/?target=sumSeries(well.*)&from=03:00_20250228&until=03:10_20250228&width=800&height=600";
    let page = page_of(&browser, &server, address);
    page.plot_of("~targets", visible());
    let names = "return [...document.querySelectorAll('.legend-name')].map(e => e.innerText)";
    page.wait_for("its series", names, &json!(["sumSeries(well.*)"]));
    page.press("Close this chart");
    wait::until("a dashboard", || browser.url().contains("/d/").then_some(()).ok_or_else(|| browser.url()));
    browser.assert_no_errors();
}

const BOARD: &str = "# The mill's own.\ntitle = \"Mill\"\n\n# How fast.\n[[panel]]\ntitle = \"Turns\"\ntargets = [\n  \"mill.turns\", # a minute\n]\n";

#[test]
fn a_chart_is_edited_with_completion_and_saved_with_the_comments_of_its_file() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let file = boards.path().join("mill.toml");
    fs::write(&file, BOARD).expect("a file can be written");
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let server = Setup::on(data.path()).arg("--dashboards").arg(boards.path()).start();
    fill(&server);
    let browser = Browser::open();
    let page = page_of(&browser, &server, "/d/mill?v=1&t=2025-02-28T03:00:00Z..03:10:00Z");
    page.plot_of("turns", visible());
    page.press("Turns: edit this chart");
    page.press("Target 2");
    browser.type_text("well.r");
    let options = "return [...document.querySelectorAll('[role=option] .mono')].map(e => e.innerText)";
    page.wait_for("its completion", options, &json!(["well.rising"]));
    browser.key(Key::Down);
    browser.key(Key::Enter);
    let names = "return [...document.querySelectorAll('.legend-name')].map(e => e.innerText)";
    page.wait_for("the chart as it will be", names, &json!(["mill.turns", "well.rising"]));
    assert_eq!(fs::read_to_string(&file).ok().as_deref(), Some(BOARD), "not saved yet");
    browser.screenshot("editor");
    page.press("Save the dashboard");
    let expected = BOARD.replace("# a minute\n", "# a minute\n  \"well.rising\",\n");
    wait::until("the file", || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        if text == expected { Ok(()) } else { Err(text) }
    });
    page.wait_for("the editor to close", "return !document.querySelector('.editor')", &json!(true));
    // Somebody else saves; the next change is refused and says why.
    fs::write(&file, expected.replace("Mill", "Our mill")).expect("a file can be written");
    page.press("Turns: edit this chart");
    // What completes was not lost with the first editor.
    page.press("Target 3");
    browser.type_text("well.f");
    page.wait_for("completion again", options, &json!(["well.flat"]));
    browser.key(Key::Escape);
    page.press("Remove");
    page.press("Save the dashboard");
    let refusal = "return document.querySelector('.editor [role=alert]')?.innerText.includes('changed by somebody else') ?? false";
    page.wait_for("a refusal", refusal, &json!(true));
    assert!(fs::read_to_string(&file).is_ok_and(|text| text.contains("Our mill") && text.contains("Turns")));
    browser.key(Key::Escape);
    page.wait_for("the editor to close", "return !document.querySelector('.editor')", &json!(true));
}

#[test]
fn a_component_chosen_by_hand_becomes_that_of_the_charts_metrics_for_everybody() {
    let server = TestServer::start();
    fill(&server);
    let browser = Browser::open();
    let page = page_of(&browser, &server, &format!("{ADDRESS}&c=village.miller&chosen=1&panel=mill.turns"));
    page.press("Always for mill.turns");
    wait::until("the rule", || {
        let rules: serde_json::Value = server.get("/api/links").json();
        if rules == json!([{"metric": "mill.turns", "component": "village.miller"}]) {
            Ok(())
        } else {
            Err(rules)
        }
    });
    let other = Browser::open();
    let page = page_of(&other, &server, ADDRESS);
    let mill = panel(&page, "mill");
    let plot = page.plot_of(&mill, visible());
    other.click((plot.left + plot.width / 2.0, plot.middle));
    wait::until("its component", || {
        other.url().contains("c=village.miller").then_some(()).ok_or_else(|| other.url())
    });
    page.wait_for_total(1);
    other.assert_no_errors();
    browser.assert_no_errors();
}

/// As a selection's does, for which the page was paused.
#[test]
fn a_range_that_has_just_ended_gets_its_last_points() {
    let server = TestServer::start();
    let end = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970").as_secs() / 10 * 10;
    let store = |range: std::ops::Range<u64>| {
        let points: Vec<String> = range.step_by(10).map(|ts| format!("well.flat 2 {ts}\n")).collect();
        assert_eq!(server.http().post("/api/ingest/metrics", points.concat().as_bytes()).status, 200);
    };
    store(end - 600..end - 20);
    let browser = Browser::open();
    let page = page_of(&browser, &server, &format!("/?v=1&t={}..{end}", end - 600));
    let awaited = "return document.querySelectorAll('.panel-note.complete, .plot .tail').length";
    page.wait_for("what is still to come", awaited, &json!(2));
    store(end - 20..end);
    page.wait_for("nothing to come", awaited, &json!(0));
    browser.assert_no_errors();
}

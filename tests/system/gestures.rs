//! What else hands do on a chart: edges that snap, a baseline, two fingers, one layer at a time back.

use serde_json::json;
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_shared::view::ViewState;
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::corpus::range;
use sonde_tests::page::{Page, Plot};
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::fmt::Write as _;

const ADDRESS: &str = "/?v=1&t=2025-02-28T03:00:00Z..03:10:00Z";

fn visible() -> TimeRange {
    range("2025-02-28T03:00:00Z", "2025-02-28T03:10:00Z")
}

fn minutes(from: i64, until: i64) -> TimeRange {
    let start = visible().from;
    let at = |minute: i64| start.plus_nanos(minute * 60_000_000_000);
    TimeRange { from: at(from), until: at(until) }
}

/// Ten minutes of two pumps.
fn pumps() -> TestServer {
    let server = TestServer::start();
    let mut text = String::new();
    for second in 0..600_u64 {
        let ts = 1_740_711_600 + second;
        writeln!(text, "well.pump.bar {} {ts}\nmill.wheel.turns {second} {ts}", second % 5)
            .expect("a String takes it");
    }
    assert_eq!(server.http().post("/api/ingest/metrics", text.as_bytes()).status, 200);
    server.store_logs(br#"{"ts":1740711700,"component":"well.pump","msg":"the pump coughs"}"#);
    server
}

/// The page with its first chart.
fn open<'a>(browser: &'a Browser, server: &TestServer) -> (Page<'a>, String, Plot) {
    let page = Page::open(browser, &server.http().url(ADDRESS));
    let first = page.first_chart();
    let plot = page.plot_of(&first, visible());
    (page, first, plot)
}

fn view(browser: &Browser) -> ViewState {
    let url = browser.url();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    ViewState::from_url("/", query, Timestamp::from_secs(0)).0
}

fn wait_for_view<T: PartialEq + std::fmt::Debug>(
    browser: &Browser,
    what: &str,
    read: fn(ViewState) -> T,
    wanted: &T,
) {
    wait::until(what, || wait::same(read(view(browser)), wanted));
}

/// Drags from one instant to another, some pixels beside both.
fn points(plot: &Plot, over: TimeRange, beside_px: f64) -> [(f64, f64); 4] {
    let (from, until) = (plot.x_of(over.from) + beside_px, plot.x_of(over.until) + beside_px);
    [0.0, 0.2, 0.6, 1.0].map(|part| (((until - from) * part + from).round(), plot.middle))
}

#[test]
fn edges_snap_to_ticks_once_s_is_pressed_even_in_the_midst_of_a_drag() {
    let server = pumps();
    let browser = Browser::open();
    let (page, panel, plot) = open(&browser, &server);
    browser.drag_with_key(&points(&plot, minutes(2, 4), 4.0), 's');
    wait_for_view(
        &browser,
        "ticks, which are two minutes apart",
        |view| view.selection,
        &Some(minutes(2, 4)),
    );
    browser.reload();
    let plot = page.plot_of(&panel, visible());
    browser.drag(&points(&plot, minutes(6, 8), -5.0));
    wait_for_view(&browser, "it is kept", |view| view.selection, &Some(minutes(6, 8)));
    browser.key('s');
    browser.drag(&points(&plot, minutes(2, 4), 4.0));
    let off = wait::until("another selection", || {
        view(&browser).selection.filter(|band| *band != minutes(6, 8)).ok_or("the same")
    });
    assert_ne!(off, minutes(2, 4), "without snapping an edge stands where it was put");
    browser.assert_no_errors();
}

#[test]
fn a_baseline_is_on_every_chart_and_in_the_address_until_escape_takes_it_back() {
    let server = pumps();
    let browser = Browser::open();
    let (page, panel, plot) = open(&browser, &server);
    browser.key('b');
    page.brush(&panel, &plot, minutes(6, 8));
    wait_for_view(
        &browser,
        "a selection, for there is nothing to compare",
        |view| view.selection.is_some(),
        &true,
    );
    assert_eq!(view(&browser).baseline, None);
    let selection = view(&browser).selection;
    browser.key('b');
    page.brush(&panel, &plot, minutes(1, 4));
    wait_for_view(&browser, "a baseline", |view| view.baseline.is_some(), &true);
    assert_eq!(view(&browser).selection, selection);
    let bands = "return document.querySelectorAll('.baseline-band[data-baseline]').length\
        === document.querySelectorAll('.plot').length";
    page.wait_for("a hatched band on every chart", bands, &json!(true));
    browser.reload();
    page.wait_for("the bands after a reload", bands, &json!(true));
    browser.back();
    page.wait_for(
        "none after going back",
        "return document.querySelectorAll('.baseline-band').length",
        &json!(0),
    );
    browser.forward();
    page.wait_for("the bands after going forward", bands, &json!(true));
    let text =
        "return document.querySelector('.baseline-control')?.innerText.startsWith('Baseline ') ?? false";
    page.wait_for("its range in words", text, &json!(true));
    browser.key(Key::Escape);
    wait_for_view(
        &browser,
        "the selection alone",
        |view| (view.baseline, view.selection.is_some()),
        &(None, true),
    );
    browser.key(Key::Escape);
    wait_for_view(&browser, "nothing", |view| view.selection, &None);
    browser.assert_no_errors();
}

#[test]
fn the_baseline_is_moved_and_resized_by_its_own_band() {
    let server = pumps();
    let browser = Browser::open();
    let both = format!("{ADDRESS}&s=2025-02-28T03:06:00Z..03:08:00Z&b=2025-02-28T03:01:00Z..03:03:00Z");
    let page = Page::open(&browser, &server.http().url(&both));
    let panel = page.first_chart();
    let plot = page.plot_of(&panel, visible());
    let x = |minute: i64| plot.x_of(minutes(minute, 9).from).round();
    let cursor = |at: f64, wanted: &str| {
        browser.hover((at, plot.middle));
        let script = format!("return document.querySelector('[data-panel=\"{panel}\"]').style.cursor");
        page.wait_for("the cursor", &script, &json!(wanted));
    };
    cursor(x(2), "move");
    cursor(x(3), "ew-resize");
    cursor(x(5), "crosshair");
    let drag = |from: i64, to: i64| {
        let steps =
            [0.0, 0.3, 1.0].map(|part| ((x(to) - x(from)).mul_add(part, x(from)).round(), plot.middle));
        browser.press_and_move(&steps);
    };
    let second = plot.pixel_ms() * 2;
    let is_about = |wanted: TimeRange| {
        let off = |found: Timestamp, wanted: Timestamp| found.as_millis().abs_diff(wanted.as_millis()) as i64;
        wait::until(&format!("the baseline at {wanted}"), || match view(&browser).baseline {
            Some(band) if off(band.from, wanted.from).max(off(band.until, wanted.until)) <= second => Ok(()),
            other => Err(other),
        });
    };
    // While it is dragged it is the baseline's band that moves, and the selection stays.
    drag(2, 4);
    let label = "return document.querySelector('.drag-label')?.innerText.startsWith('Baseline ') ?? false";
    page.wait_for("whose band it is", label, &json!(true));
    let bands = "return [document.querySelectorAll('.band.draft').length, \
        document.querySelectorAll('.baseline-band.draft').length > 1]";
    page.wait_for("the baseline's band on every chart", bands, &json!([0, true]));
    browser.let_go();
    is_about(minutes(3, 5));
    drag(3, 2);
    browser.let_go();
    is_about(minutes(2, 5));
    assert_eq!(view(&browser).selection, Some(minutes(6, 8)));
    // Over the selection it is compared with itself, and one press undoes that.
    drag(5, 7);
    browser.let_go();
    is_about(minutes(2, 7));
    let clear = "document.querySelector('.why-answer button')";
    page.wait_for("a way out", &format!("return {clear}?.innerText ?? null"), &json!("Clear the baseline"));
    browser.screenshot("overlapping-baseline");
    page.click_element(clear);
    wait_for_view(&browser, "no baseline", |view| view.baseline, &None);
    assert_eq!(view(&browser).selection, Some(minutes(6, 8)));
    browser.assert_no_errors();
}

#[test]
fn fingers_brush_pan_zoom_and_tap() {
    let server = pumps();
    let browser = Browser::with(&Settings { width: 390, height: 844, touch: true, ..Settings::default() });
    let (page, panel, plot) = open(&browser, &server);
    let x = |minute: i64| plot.x_of(minutes(minute, 9).from);
    let y = plot.middle;
    browser.fingers(&[&[(x(3), y)], &[(x(4), y)], &[(x(5), y)], &[(x(6), y)]]);
    wait_for_view(&browser, "a selection", |view| view.selection.is_some(), &true);
    let selection = view(&browser).selection;
    let bar = "return [...document.querySelectorAll('.selection-actions > * ')].map(e => e.innerText.trim())";
    page.wait_for("the bar", bar, &json!(["Edit", "Zoom", "Baseline", "Clear"]));
    let [_, top, _, height] = page.rect(".selection-bar");
    assert!(top + height <= 844.0 && height >= 44.0, "at the bottom: {top} {height}");
    browser.fingers(&[&[(x(1), y)]]);
    page.wait_for("a pinned crosshair", "return !!document.querySelector('.crosshair.pinned')", &json!(true));
    // Twice as far apart as before: half as long a time, about the same middle.
    browser.fingers(&[&[(x(4), y), (x(6), y)], &[(x(3) + 1.0, y), (x(7) - 1.0, y)], &[(x(3), y), (x(7), y)]]);
    let half = wait::until("another range in the address", || {
        page.plot(&panel).map(|plot| plot.range).filter(|range| *range != visible()).ok_or("the same")
    });
    let off = (half.nanos() - visible().nanos() / 2).abs();
    assert!(off < visible().nanos() / 20 && half.contains(minutes(5, 9).from), "{half}");
    assert_eq!(view(&browser).selection, selection, "a zoom changes no selection");
    let scrolled = "return document.querySelector('.charts').scrollTop > 20";
    browser.fingers(&[&[(x(5), y)], &[(x(5), y - 20.0)], &[(x(5), y - 40.0)], &[(x(5), y - 80.0)]]);
    page.wait_for("the page scrolled", scrolled, &json!(true));
    assert_eq!(view(&browser).selection, selection, "a finger that scrolls brushes nothing");
    let fits = "return document.documentElement.scrollWidth <= 390";
    page.wait_for("no scrolling sideways", fits, &json!(true));
    browser.screenshot("fingers");
    browser.assert_no_errors();
}

#[test]
fn escape_gives_up_a_drag_of_the_axis_and_the_address_never_saw_it() {
    let server = pumps();
    let browser = Browser::open();
    let (page, panel, plot) = open(&browser, &server);
    let before = browser.url();
    let axis = page.plot("axis").expect("there is an axis");
    let across =
        |from: f64, to: f64| [(from, axis.middle), (from.midpoint(to), axis.middle), (to, axis.middle)];
    browser.drag_with_key(&across(plot.left + 400.0, plot.left + 200.0), Key::Escape);
    page.plot_of(&panel, visible());
    assert_eq!(browser.url(), before);
    browser.drag(&across(plot.left + 400.0, plot.left + 200.0));
    wait::until("the dragged range in the address", || {
        (browser.url() != before).then_some(()).ok_or("the same")
    });
    browser.assert_no_errors();
}

#[test]
fn the_list_of_keys_is_seen_whole() {
    let server = TestServer::start();
    let browser = Browser::with(&Settings { width: 1_280, height: 720, ..Settings::default() });
    let page = Page::open(&browser, &server.http().url("/"));
    browser.key('?');
    let whole = "const help = document.querySelector('dialog.help'); if (!help.open) return 'closed';\
        const box = help.getBoundingClientRect(); const groups = [...help.querySelectorAll('section h3')];\
        return [help.scrollHeight <= help.clientHeight && box.top >= 0 && box.bottom <= innerHeight,\
            groups.map(e => e.innerText)]";
    let groups = ["Select", "Move and zoom", "Charts", "Lines", "Page"];
    page.wait_for("the whole list", whole, &json!([true, groups]));
    browser.screenshot("keys");
    browser.key(Key::Escape);
    page.wait_for("it closed", whole, &json!("closed"));
    browser.assert_no_errors();
}

//! The main job, as a person does it: brush a spike on a chart, read its lines, pass the address on.

use serde_json::json;
use sonde_shared::api::{Envelope, PageInfo};
use sonde_shared::dashboard::Dashboard;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_tests::browser::{Browser, Settings};
use sonde_tests::corpus::at;
use sonde_tests::http::split_lines;
use sonde_tests::page::{Page, Plot, SeenRow};
use sonde_tests::server::TestServer;
use sonde_tests::wait;

const METRIC: &str = "webapp.backend.git.tree.render_ms";
const COMPONENT: &str = "webapp.backend.git";
const CLIENT: &str = "203.0.113.7";

/// The demo with its incident: where the chart is and when it happened.
struct Incident {
    server: TestServer,
    dashboard: String,
    panel: String,
    visible: TimeRange,
    spike: TimeRange,
}

impl Incident {
    fn start() -> Self {
        let (server, _link) = TestServer::demo();
        let (dashboard, panel) = panel_of(&server, METRIC);
        let last =
            server.logs(&format!("component={COMPONENT}&contains={CLIENT}&order=desc&limit=1&envelope=1"));
        let last: Envelope<serde_json::Value> =
            serde_json::from_slice(&last).expect("the incident has lines");
        let day = Timestamp::from_nanos(last.t).day();
        let time = |clock: &str| at(&format!("{day}T{clock}Z"));
        let visible = TimeRange::between(time("14:00:00"), time("14:12:00"));
        Self {
            server,
            dashboard,
            panel,
            visible,
            spike: TimeRange::between(time("14:05:00"), time("14:07:00")),
        }
    }

    /// The dashboard with twelve minutes about the incident, nothing selected.
    fn address(&self) -> String {
        let range = sonde_shared::view::RangeSpec::absolute(self.visible);
        self.server.http().url(&format!(
            "/d/{}?v=1&t={}",
            self.dashboard,
            sonde_shared::query_string::encode(&range.to_string())
        ))
    }

    fn open<'a>(&self, browser: &'a Browser) -> (Page<'a>, Plot) {
        let page = Page::open(browser, &self.address());
        let plot = page.plot_of(&self.panel, self.visible);
        (page, plot)
    }

    /// Brushes the spike and returns what was selected, to the pixel.
    fn brush(&self, page: &Page, plot: &Plot) -> TimeRange {
        page.brush(&self.panel, plot, self.spike);
        let selection = wait::until("a selection in the address", || page.selection_in_url().ok_or("none"));
        let off = |found: Timestamp, wanted: Timestamp| found.as_millis().abs_diff(wanted.as_millis()) as i64;
        let (from, until) = (off(selection.from, self.spike.from), off(selection.until, self.spike.until));
        assert!(
            from <= 2 * plot.pixel_ms() && until <= 2 * plot.pixel_ms(),
            "{selection} is not the brushed range"
        );
        selection
    }
}

/// A range as the page's attributes tell it.
fn in_millis(range: TimeRange) -> TimeRange {
    let whole = |at: Timestamp| Timestamp::from_millis(at.as_millis());
    TimeRange { from: whole(range.from), until: whole(range.until) }
}

/// The dashboard and panel that show a metric.
fn panel_of(server: &TestServer, metric: &str) -> (String, String) {
    let info: PageInfo = server.get("/api/page").ok().json();
    for name in info.dashboards.iter().map(|dashboard| &dashboard.name) {
        let dashboard: Dashboard = server.get(&format!("/api/dashboards/{name}")).ok().json();
        let panel = dashboard
            .with_ids()
            .panels
            .into_iter()
            .find(|panel| panel.targets.iter().any(|target| target == metric));
        if let Some(panel) = panel {
            return (name.clone(), panel.id);
        }
    }
    panic!("no dashboard shows {metric}");
}

/// What a row of the pane is to show.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    id: String,
    component: String,
    level: Level,
    message: String,
    at: Timestamp,
}

fn expected_lines(server: &TestServer, component: &str, range: TimeRange) -> Vec<Expected> {
    let body =
        server.logs(&format!("component={component}&from={}&until={}&envelope=1", range.from, range.until));
    let envelopes = split_lines(&body).into_iter().map(|line| {
        let envelope: Envelope<serde_json::Value> = serde_json::from_slice(line).expect("an envelope");
        let message = envelope.line["msg"].as_str().expect("a message").to_owned();
        Expected {
            id: envelope.id,
            component: envelope.c,
            level: envelope.l,
            message,
            at: Timestamp::from_nanos(envelope.t),
        }
    });
    envelopes.collect()
}

#[track_caller]
fn check_rows(rows: &[SeenRow], expected: &[Expected]) {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let wanted: Vec<&str> = expected.iter().take(rows.len()).map(|line| line.id.as_str()).collect();
    assert_eq!(ids, wanted, "the rows, in order");
    for (row, line) in rows.iter().zip(expected) {
        let clock = &line.at.to_string()[11..19];
        let parts = [clock, line.level.tag(), line.message.as_str()];
        assert!(parts.iter().all(|part| row.text.contains(part)), "{parts:?} not in {:?}", row.text);
    }
}

#[test]
fn brushing_a_spike_shows_exactly_its_lines_and_the_address_shows_them_to_others() {
    let incident = Incident::start();
    let browser = Browser::open();
    let (page, plot) = incident.open(&browser);
    browser.screenshot("demo-before-the-brush");
    let selection = incident.brush(&page, &plot);
    let expected = expected_lines(&incident.server, COMPONENT, selection);
    assert!(expected.len() > 100, "the incident has hundreds of lines");
    assert!(expected.iter().all(|line| selection.contains(line.at)
        && (line.component == COMPONENT || line.component.starts_with("webapp.backend.git."))));
    let first = page.wait_for_total(expected.len() as u64);
    check_rows(&first.rows, &expected);
    assert_eq!(page.band(), Some(in_millis(selection)));
    browser.screenshot("demo-after-the-brush");
    let rows = page.read_to_the_end(expected.len() as u64);
    check_rows(&rows, &expected);
    let from_client = rows.iter().filter(|row| row.text.contains(CLIENT)).count();
    assert!(from_client * 2 > rows.len(), "{from_client} of {} rows show {CLIENT}", rows.len());
    browser.assert_no_errors();

    let other = Browser::open();
    let same = Page::open(&other, &browser.url());
    let shown = same.wait_for_total(expected.len() as u64);
    check_rows(&shown.rows, &expected);
    assert_eq!(same.band(), Some(in_millis(selection)));
    assert_eq!(same.selection_in_url(), Some(selection));
    other.screenshot("demo-in-another-browser");
    other.assert_no_errors();
}

#[test]
fn reload_back_and_forward_keep_and_bring_back_the_selection() {
    let incident = Incident::start();
    let browser = Browser::open();
    let (page, plot) = incident.open(&browser);
    let selection = incident.brush(&page, &plot);
    let total = expected_lines(&incident.server, COMPONENT, selection).len() as u64;
    page.wait_for_total(total);
    let address = browser.url();
    browser.reload();
    wait::until("the band after a reload", || wait::same(page.band(), &Some(in_millis(selection))));
    page.wait_for_total(total);
    assert_eq!(browser.url(), address);
    browser.back();
    wait::until("no band after going back", || wait::same(page.band(), &None));
    assert_eq!(page.selection_in_url(), None);
    // Not the page before the first: the dashboard is still there.
    assert!(browser.url().starts_with(&incident.server.http().url("/d/")), "{}", browser.url());
    browser.forward();
    wait::until("the band after going forward", || wait::same(page.band(), &Some(in_millis(selection))));
    page.wait_for_total(total);
    assert_eq!(browser.url(), address);
    browser.assert_no_errors();
}

#[test]
fn a_live_page_shows_new_lines_and_a_brush_pauses_it() {
    let incident = Incident::start();
    let browser = Browser::open();
    let live = format!("/d/{}?v=1&t=-15min..now&live=1", incident.dashboard);
    let page = Page::open(&browser, &incident.server.http().url(&live));
    let newest = || page.pane().and_then(|pane| pane.rows.last().map(|row| row.id.clone()));
    let before = wait::until("lines", || newest().ok_or("none"));
    wait::until("a newer line", || newest().filter(|id| *id != before).ok_or("none"));
    let plot = wait::until("the chart", || page.plot(&incident.panel).ok_or("none"));
    let end = plot.range.from.plus_nanos(plot.range.nanos() / 2);
    let range = TimeRange::between(plot.range.from.plus_nanos(plot.range.nanos() / 4), end);
    page.brush(&incident.panel, &plot, range);
    let selection = wait::until("a selection", || page.selection_in_url().ok_or("none"));
    let paused = expected_lines(&incident.server, COMPONENT, selection).len() as u64;
    page.wait_for_total(paused);
    let url = browser.url();
    assert!(!url.contains("live=1") && !url.contains("now"), "a view with a selection is absolute: {url}");
    page.wait_for("the word", "return /Paused/.test(document.body.innerText)", &json!(true));
    browser.assert_no_errors();
}

#[test]
fn the_page_is_light_or_dark_as_the_system_asks() {
    let incident = Incident::start();
    let browser = Browser::with(&Settings { dark: true, ..Settings::default() });
    let (page, _plot) = incident.open(&browser);
    let background = "return getComputedStyle(document.body).backgroundColor";
    page.wait_for("the dark background", background, &json!("rgb(14, 17, 22)"));
    browser.prefer_dark(false);
    page.wait_for("the light background", background, &json!("rgb(246, 247, 249)"));
    browser.screenshot("demo-light");
    browser.assert_no_errors();
}

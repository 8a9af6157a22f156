//! At any zoom, what is drawn of a series is what its points are: nothing lies outside of what they cover, and no spike is
//! missing. The canvas tells what was drawn on it: its calls are noted, and the labels of the axis give the scale.

use serde::Deserialize;
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_tests::browser::{Browser, Settings};
use sonde_tests::corpus::at;
use sonde_tests::page::{Page, Plot};
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

const PANEL: &str = "~targets";
const POINTS: i64 = 20_000;
/// How far something drawn may lie from where it belongs, in px: lines are wider than points, and labels stand on whole pixels.
const NEAR: f64 = 2.0;

/// Notes what is drawn of the first series since its canvas was last cleared.
const WATCH: &str = "
    window.asking = 0;
    const ask = window.fetch;
    window.fetch = (...all) => {
        const is_meant = new URL(all[0].url ?? all[0], location).pathname === '/render';
        asking += is_meant;
        return ask(...all).finally(() => asking -= is_meant);
    };
    window.drawn = {at: 0, paths: [], labels: []};
    const colour = () => getComputedStyle(document.documentElement).getPropertyValue('--series-1').trim();
    const is_meant = canvas => canvas.closest?.('[data-panel]')?.dataset.panel === '~targets' && !canvas.closest('.overlay');
    const context = CanvasRenderingContext2D.prototype;
    const note = (name, act) => {
        const call = context[name];
        context[name] = function (...all) { act.call(this, ...all); return call.apply(this, all); };
    };
    note('clearRect', function () { if (is_meant(this.canvas)) drawn = {at: performance.now(), paths: [], labels: []}; });
    note('beginPath', function () { this.path = []; });
    note('moveTo', function (x, y) { this.path.push([x, y]); });
    note('lineTo', function (x, y) { this.path.push([x, y]); });
    const keep = style => function () {
        if (is_meant(this.canvas) && this[style] === colour()) drawn.paths.push(this.path);
    };
    note('stroke', keep('strokeStyle'));
    note('fill', keep('fillStyle'));
    note('fillText', function (text, x, y) { if (is_meant(this.canvas)) drawn.labels.push([text, x, y]); });";

#[derive(Clone, Debug, Deserialize)]
struct Drawn {
    /// When the canvas was cleared for it.
    at: f64,
    /// Lines and outlines of fills.
    paths: Vec<Vec<(f64, f64)>>,
    labels: Vec<(String, f64, f64)>,
    /// When the last answer was there.
    answered: f64,
    /// How many answers are awaited.
    asking: u32,
    now: f64,
    /// The canvas' left edge in the window.
    left: f64,
}

const DRAWN: &str = "
    const asked = performance.getEntriesByType('resource').filter(e => new URL(e.name).pathname === '/render');
    const canvas = document.querySelector('.plot[data-panel=\"~targets\"] canvas');
    if (!canvas || asked.length === 0) return null;
    return {...drawn, asking, answered: Math.max(...asked.map(e => e.responseEnd)), now: performance.now(),
            left: canvas.getBoundingClientRect().left}";

/// Numbers that are the same in each run of a seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: i64) -> i64 {
        (self.next() % end.unsigned_abs()) as i64
    }
}

fn start() -> Timestamp {
    at("2025-03-10T00:00:00Z")
}

/// Points of a series: noise with spikes, few points with gaps, or a line with lone spikes.
fn points(kind: usize, chance: &mut Chance) -> Vec<(i64, f64)> {
    let mut secs = start().as_secs();
    let mut level = 200;
    let mut all = Vec::new();
    for _ in 0..POINTS {
        let step = if kind == 1 && chance.below(3) == 0 { 5 + chance.below(8) } else { 5 };
        let silence = if kind == 1 && chance.below(400) == 0 { 600 } else { 0 };
        secs += step + silence;
        level = (level + chance.below(7) - 3).clamp(120, 280);
        let spike = match chance.below(500) {
            0 => 100 + chance.below(20),
            1 => -100 - chance.below(20),
            _ => 0,
        };
        all.push((secs, if kind == 2 { 200 + spike } else { level + spike } as f64));
    }
    all
}

/// The canvas once it has been at rest with all that was asked for.
fn at_rest(browser: &Browser, page: &Page, range: TimeRange) -> (Plot, Drawn) {
    let plot = page.plot_of(PANEL, range);
    let drawn = wait::until("the chart to be drawn", || {
        let drawn: Option<Drawn> = serde_json::from_value(browser.look(DRAWN, &[])).expect("it is told so");
        let drawn = drawn.ok_or(0.0)?;
        let is_done = drawn.asking == 0
            && drawn.at > drawn.answered
            && drawn.now > drawn.at.max(drawn.answered) + 300.0;
        if is_done { Ok(drawn) } else { Err(drawn.at) }
    });
    (plot, drawn)
}

/// From values to places: by the two labels of the axis that are furthest apart.
fn scale(drawn: &Drawn, plot_left: f64) -> impl Fn(f64) -> f64 {
    let labels = drawn.labels.iter().filter(|(_, x, _)| *x < plot_left);
    let mut known: Vec<(f64, f64)> =
        labels.filter_map(|(text, _, y)| Some((text.trim().replace('−', "-").parse().ok()?, *y))).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (low, high) = (known[0], known[known.len() - 1]);
    assert!(high.0 > low.0, "the axis has two labels: {known:?}");
    move |value| low.1 + (value - low.0) / (high.0 - low.0) * (high.1 - low.1)
}

/// What the points cover of some px, in px: of each stretch between two points that belong together what lies there.
fn covered(placed: &[(f64, f64)], gap_px: f64, over: &RangeInclusive<f64>) -> Option<(f64, f64)> {
    let (from, until) = (*over.start(), *over.end());
    let first = placed.partition_point(|(x, _)| *x < from).saturating_sub(1);
    let mut found: Option<(f64, f64)> = None;
    let mut add = |y: f64| found = Some(found.map_or((y, y), |(low, high)| (low.min(y), high.max(y))));
    for (index, (x, y)) in placed.iter().enumerate().skip(first) {
        if over.contains(x) {
            add(*y);
        }
        let Some((next_x, next_y)) = placed.get(index + 1) else { break };
        if next_x - x <= gap_px && *next_x >= from && *x <= until && next_x > x {
            let y_at = |at: f64| y + (next_y - y) * (at - x) / (next_x - x);
            add(y_at(from.clamp(*x, *next_x)));
            add(y_at(until.clamp(*x, *next_x)));
        }
        if *x > until {
            break;
        }
    }
    found
}

/// The corners of a path, and what lies on its way from one to the next.
fn along(path: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut all = Vec::new();
    for (index, (x, y)) in path.iter().enumerate() {
        all.push((*x, *y));
        let Some((next_x, next_y)) = path.get(index + 1) else { break };
        let steps = ((next_x - x).abs() * 2.0).ceil() as usize;
        let part = |step: usize| step as f64 / steps as f64;
        all.extend((1..steps).map(|step| (x + (next_x - x) * part(step), y + (next_y - y) * part(step))));
    }
    all
}

fn check(points: &[(i64, f64)], gap_secs: f64, (plot, drawn): &(Plot, Drawn)) {
    let left = plot.left - drawn.left;
    let y_of = scale(drawn, left);
    let x_of = |secs: i64| plot.x_of(Timestamp::from_secs(secs)) - drawn.left;
    let placed: Vec<(f64, f64)> = points.iter().map(|(secs, value)| (x_of(*secs), y_of(*value))).collect();
    let px_a_second = plot.width / plot.range.nanos() as f64 * 1e9;
    let gap_px = gap_secs * px_a_second;
    let inside = left..=left + plot.width;
    let mut all: Vec<(f64, f64)> = drawn.paths.iter().flat_map(|path| along(path)).collect();
    all.retain(|(x, _)| inside.contains(x));
    assert!(!all.is_empty(), "something is drawn in {}", plot.range);
    for (x, y) in &all {
        let covered = covered(&placed, gap_px, &(x - NEAR..=x + NEAR));
        let is_inside = covered.is_some_and(|(low, high)| (low - NEAR..=high + NEAR).contains(y));
        assert!(is_inside, "{x}, {y} of {} is drawn where the points cover {covered:?}", plot.range);
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (x, y) in placed.iter().filter(|(x, _)| inside.contains(x)) {
        let near = &all[all.partition_point(|(other, _)| *other < x - NEAR)..];
        let near = near.iter().take_while(|(other, _)| *other <= x + NEAR);
        let (low, high) = near.fold((f64::MAX, f64::MIN), |(low, high), (_, y)| (low.min(*y), high.max(*y)));
        let is_drawn = (low - NEAR..=high + NEAR).contains(y);
        assert!(is_drawn, "{x}, {y} of {} is missing: {low}..{high} is drawn there", plot.range);
    }
}

fn ranges(points: &[(i64, f64)], chance: &mut Chance) -> Vec<TimeRange> {
    let (first, last) = (points[0].0, points[points.len() - 1].0);
    let mut some =
        vec![TimeRange { from: Timestamp::from_secs(first), until: Timestamp::from_secs(last + 60) }];
    for shorter in 1..5 {
        let length = ((last - first) >> (2 * shorter)).max(60);
        let from = first + chance.below(last - first - length) + 1;
        some.push(TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(from + length) });
    }
    some
}

#[test]
fn at_any_zoom_nothing_is_drawn_outside_of_the_points_and_no_spike_is_missing() {
    let seed = std::env::var("ZOOM_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let mut chance = Chance(seed);
    let server = TestServer::start();
    let settings = Settings { width: 1_100, ..Settings::default() };
    let browser = Browser::with(&settings);
    browser.before_pages(WATCH);
    for kind in 0..3 {
        let points = points(kind, &mut chance);
        let mut text = String::new();
        for (secs, value) in &points {
            writeln!(text, "noise.k{kind} {value} {secs}").expect("a text takes it");
        }
        drop(server.http().post("/api/ingest/metrics", text.as_bytes()).ok());
        let gap_secs = 60.0;
        for range in ranges(&points, &mut chance) {
            let url = format!("/?v=1&max=~targets&target=noise.k{kind}&t={}..{}", range.from, range.until);
            let page = Page::open(&browser, &server.http().url(&url));
            check(&points, gap_secs, &at_rest(&browser, &page, range));
            // From there on as a person zooms, with the wheel.
            let panel = format!(".plot[data-panel=\"{PANEL}\"] canvas");
            let (x, y) = page.center(&panel);
            browser.wheel((x + 40.0, y), -400);
            let zoomed = wait::until("a shorter range", || match page.plot(PANEL) {
                Some(plot) if plot.range.nanos() < range.nanos() => in_address(&browser, plot.range),
                other => Err(other.map(|plot| plot.range)),
            });
            check(&points, gap_secs, &at_rest(&browser, &page, zoomed));
        }
    }
    browser.screenshot("zooms");
}

/// The range once the burst is over, when it is written into the address.
fn in_address(browser: &Browser, shown: TimeRange) -> Result<TimeRange, Option<TimeRange>> {
    let url = browser.url();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let view = sonde_shared::view::ViewState::from_url("/", query, start()).0;
    match view.range.map(|range| range.resolve(start())) {
        Some(range) if range == shown => Ok(range),
        other => Err(other),
    }
}

//! Charts drawn into SVG text and compared with `shared/src/chart/golden/*.svg`; a person has looked at each.
//! `SONDE_UPDATE_GOLDEN=1 cargo test -p sonde-shared golden` writes them anew.

mod kinds;

use super::*;
use crate::api::LevelCounts;
use crate::chart::theme::Rgb;
use crate::chart::units::LABEL_CHARS;
use crate::log::Level;
use plotters::prelude::{IntoDrawingArea, SVGBackend};
use std::path::Path;

impl ChartBackend for SVGBackend<'_> {}

/// Colours that are told apart in the files; they are nobody's design.
fn theme() -> Theme {
    Theme {
        line: Rgb(200, 200, 200),
        text: Rgb(0, 0, 0),
        muted: Rgb(100, 100, 100),
        faint: Rgb(150, 150, 150),
        series: [
            Rgb(0, 0, 255),
            Rgb(200, 100, 0),
            Rgb(0, 150, 0),
            Rgb(200, 0, 200),
            Rgb(0, 180, 180),
            Rgb(90, 60, 0),
        ],
        levels: [1, 2, 3, 4, 5, 6].map(|n| Rgb(n * 40, 255 - n * 40, 60)),
        font: "monospace".to_owned(),
    }
}

fn events() -> Vec<Event> {
    let event = |when| Event { id: 1, what: "deploy".into(), when, tags: Vec::new(), data: String::new() };
    vec![event(1_000_300), event(5)]
}

fn svg(height_px: f64, draw: impl Fn(&DrawingArea<SVGBackend, Shift>, &Frame)) -> String {
    let mut text = String::new();
    let (theme, events) = (theme(), events());
    let range = TimeRange::between(Timestamp::from_secs(1_000_000), Timestamp::from_secs(1_000_600));
    let frame = Frame {
        width_px: 480.0,
        height_px,
        layout: Layout::PAGE,
        pixel_ratio: 1.0,
        range,
        events: &events,
        theme: &theme,
    };
    let size = ((frame.width_px * UNITS_PER_PX) as u32, (frame.height_px * UNITS_PER_PX) as u32);
    let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
    draw(&area, &frame);
    area.present().unwrap();
    drop(area);
    text
}

fn chart(lines: &Lines) -> String {
    svg(168.0, |area, frame| {
        draw_chart(area, frame, lines).unwrap();
    })
}

fn check(name: &str, svg: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/chart/golden").join(name);
    if std::env::var_os("SONDE_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, svg).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == svg, "{name} is drawn differently; look at it with SONDE_UPDATE_GOLDEN=1");
}

/// A series with a point every ten seconds, also before and after the range.
fn series(name: &str, value: impl Fn(f64) -> f64) -> Columns {
    let times_ms: Vec<f64> = (-5..65).map(|i| 1_000_000_000.0 + f64::from(i) * 10_000.0).collect();
    let values = (-5..65).map(|i| value(f64::from(i))).collect();
    Columns { name: name.into(), times_ms, values }
}

fn lines<'a>(series: &'a [Columns], unit: &'a str) -> Lines<'a> {
    Lines { series, left: Side { unit, ..Side::default() }, ..Lines::default() }
}

#[test]
fn golden_a_spike_with_thresholds_and_an_event() {
    let spike = [series("render", |i| if (30.0..36.0).contains(&i) { 900.0 } else { 80.0 + i % 3.0 })];
    let thresholds =
        [Threshold { at: 500.0, level: Level::Warn }, Threshold { at: 800.0, level: Level::Error }];
    check("spike.svg", &chart(&Lines { thresholds: &thresholds, ..lines(&spike, "ms") }));
}

#[test]
fn golden_gaps_lone_points_and_dashes() {
    let gap = |i: f64| {
        if (10.0..20.0).contains(&i) || (25.0 - i).abs() < 0.1 || (27.0 - i).abs() < 0.1 {
            f64::NAN
        } else {
            i
        }
    };
    let two = [series("a", gap), series("b", |i| -20.0 + i / 4.0)];
    check("gaps.svg", &chart(&Lines { slots: &[0, 7], ..lines(&two, "") }));
}

/// The dots of a chart of these points, by time in seconds into the range.
fn dots(points: &[(f64, f64)]) -> Vec<String> {
    let times_ms = points.iter().map(|(secs, _)| 1_000_000_000.0 + secs * 1_000.0).collect();
    let values = points.iter().map(|(_, value)| *value).collect();
    let svg = chart(&lines(&[Columns { name: "a".into(), times_ms, values }], ""));
    svg.lines().filter(|line| line.starts_with("<circle")).map(str::to_owned).collect()
}

#[test]
fn a_lone_point_is_a_dot_of_four_pixels() {
    let radius = format!("r=\"{}\"", series::DOT_PX / 2.0 * UNITS_PER_PX);
    let gap = f64::NAN;
    for points in
        [&[(300.0, 5.0)][..], &[(100.0, gap), (300.0, 5.0), (500.0, gap)], &[(300.0, 5.0), (301.0, 5.0)]]
    {
        let dots = dots(points);
        assert!(dots.len() == 1 && dots[0].contains(&radius), "{points:?}: {dots:?}");
    }
    assert_eq!(dots(&[(0.0, 1.0), (300.0, 5.0)]), Vec::<String>::new());
}

#[test]
fn golden_an_empty_panel_has_its_mesh() {
    check(
        "empty.svg",
        &chart(&Lines { left: Side { unit: "%", max: Some(100.0), ..Side::default() }, ..Lines::default() }),
    );
}

#[test]
fn golden_the_histogram_stacks_levels() {
    let info: Vec<u64> = (0..60).map(|i| 20 + i % 7).collect();
    let error: Vec<u64> = (0..60).map(|i| if (30..36).contains(&i) { 30 } else { 0 }).collect();
    let levels = LevelCounts { error, info, ..LevelCounts::default() };
    let histogram = Histogram { from_ms: 1_000_000_000, step_ms: 10_000, total: 0, levels };
    check("histogram.svg", &svg(48.0, |area, frame| draw_histogram(area, frame, &histogram).unwrap()));
}

#[test]
fn hostile_data_and_sizes_are_drawn_without_a_panic() {
    let wild = [
        series("huge", |i| if i > 30.0 { f64::MAX } else { f64::MIN }),
        series("infinite", |_| f64::INFINITY),
        Columns { name: "unsorted".into(), times_ms: vec![9e9, -9e9, f64::NAN, 1e300], values: vec![1.0; 4] },
        Columns { name: "short".into(), times_ms: vec![1.0, 2.0], values: vec![1.0] },
    ];
    for height in [0.0, 5.0, 168.0] {
        let thresholds = [Threshold { at: f64::NAN, level: Level::Warn }];
        svg(height, |area, frame| {
            let left = Side { unit: "ms", min: Some(f64::INFINITY), ..Side::default() };
            let lines = Lines { left, thresholds: &thresholds, ..lines(&wild, "ms") };
            for width_px in [0.0, 50.0, 480.0] {
                draw_chart(area, &Frame { width_px, ..*frame }, &lines).unwrap();
            }
        });
    }
}

#[test]
fn labels_at_the_right_edge_do_not_overlap() {
    let mut labels = [(10.0, 0, 1.0), (12.0, 1, 1.0), (150.0, 2, 1.0), (155.0, 3, 1.0)];
    push_apart(&mut labels, 8.0, 160.0);
    assert!(labels.windows(2).all(|pair| pair[1].0 - pair[0].0 >= LABEL_SPACING_PX));
    assert!(labels.iter().all(|label| (8.0..=160.0).contains(&label.0)));
}

#[test]
fn the_longest_labels_fit_both_gutters() {
    // The characters of a fixed-width font are six tenths as wide as it is high.
    let widest = LABEL_CHARS as f64 * LABEL_PX * 0.6;
    for room in [GUTTER_PX - LABEL_MARGIN_PX, RIGHT_PX - LAST_VALUE_PX] {
        assert!(widest <= room, "{widest} px do not fit {room} px");
    }
}

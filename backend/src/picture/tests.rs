//! Pictures, read again: what is where in their SVG.

use super::*;
use crate::functions::series::{Look, Role, Series};
use crate::graphite_time::GraphiteClock;
use proptest::prelude::*;
use roxmltree::{Document, Node};
use sonde_shared::time::Timestamp;

const FROM: i64 = 1_000_000;

fn settings() -> Settings {
    let range = TimeRange::between(Timestamp::from_secs(FROM), Timestamp::from_secs(FROM + 3_600));
    Settings {
        width: 400,
        height: 300,
        range,
        zone: Zone::of(&GraphiteClock::utc(Timestamp::default())),
        title: String::new(),
        side_titles: [String::new(), String::new()],
        sides: [SideLook::default(), SideLook::default()],
        unit: String::new(),
        template: None,
        background: None,
        foreground: None,
        mesh: None,
        colours: ["ff0000", "00ff00", "0000ff"].map(|text| Paint::parse(text).unwrap()).to_vec(),
        text_px: 11.0,
        margin_px: 0.0,
        area_mode: AreaMode::None,
        area_alpha: None,
        line_mode: LineMode::Slope,
        line_width: None,
        null_is_zero: false,
        has_legend: false,
        is_legend_unique: false,
        hides_empty: false,
        has_time_axis: false,
        has_value_axis: false,
        has_mesh: false,
    }
}

/// Nothing but the plot, whose heights are values: 0 at the bottom, 300 at the top.
fn bare() -> Settings {
    let side = SideLook { min: Some(0.0), max: Some(300.0), ..SideLook::default() };
    Settings { sides: [side.clone(), side], ..settings() }
}

/// A series of a value every ten seconds over the range.
fn series(name: &str, value: impl Fn(i64) -> f64) -> Series {
    Series::new(name, FROM, 10, (0..=360).map(value).collect())
}

fn drawn(series: &[Series], settings: &Settings) -> String {
    String::from_utf8(draw(series, settings, Form::Svg).unwrap()).unwrap()
}

/// The points of all shapes of a kind that have this colour in an attribute.
fn shapes(svg: &str, kind: &str, paint: &str, colour: &str) -> Vec<Vec<(f64, f64)>> {
    let document = Document::parse(svg).unwrap();
    let is_meant = |node: &Node| node.has_tag_name(kind) && node.attribute(paint) == Some(colour);
    let points = |text: &str| {
        let pairs = text.split(' ').map(|pair| pair.split_once(',').unwrap());
        pairs.map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).collect()
    };
    let parts = |node: Node| -> Vec<Vec<(f64, f64)>> {
        let text = node.attribute("points").or(node.attribute("d")).unwrap();
        text.split('M').filter(|part| !part.is_empty()).map(points).collect()
    };
    document.descendants().filter(is_meant).flat_map(parts).collect()
}

fn lines(svg: &str, colour: &str) -> Vec<Vec<(f64, f64)>> {
    shapes(svg, "path", "stroke", colour)
}

fn areas(svg: &str, colour: &str) -> Vec<Vec<(f64, f64)>> {
    shapes(svg, "polygon", "fill", colour)
}

fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

#[track_caller]
fn is_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 0.2, "{found} is not near {expected}");
}

fn look(series: Series, change: impl FnOnce(&mut Look)) -> Series {
    series.looking(change)
}

#[test]
fn a_spike_of_one_point_stands_at_its_time_and_height() {
    let day: Vec<f64> = (0..86_400).map(|at| if at == 54_321 { 250.0 } else { 10.0 }).collect();
    let svg = drawn(&[Series::new("a", FROM, 1, day)], &{
        let range = TimeRange { until: Timestamp::from_secs(FROM + 86_400), ..bare().range };
        Settings { range, ..bare() }
    });
    let line = lines(&svg, "#ff0000").remove(0);
    assert!(line.len() < 8 * 400, "{} points", line.len());
    let highest = line.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    is_near(highest.1, 50.0);
    is_near(highest.0, 400.0 * 54_321.0 / 86_400.0);
    assert_eq!(line.iter().filter(|(_, y)| *y < 200.0).count(), 1);
}

#[test]
fn a_stack_is_as_high_as_its_sum_also_where_no_part_is_at_its_highest() {
    // 90 + 90 in one second; each alone is 100 in another.
    let part = |own: usize| {
        let value = move |at: usize| match at {
            40_000 => 90.0,
            at if at == 40_010 + own => 100.0,
            _ => 5.0,
        };
        Series::new("s", FROM, 1, (0..86_400).map(value).collect())
    };
    let range = TimeRange { until: Timestamp::from_secs(FROM + 86_400), ..bare().range };
    let settings = Settings { range, area_mode: AreaMode::Stacked, has_legend: true, ..bare() };
    let svg = drawn(&[part(0), part(1)], &settings);
    let highest = |colour: &str| {
        lines(&svg, colour).into_iter().flatten().map(|(_, y)| y).fold(f64::INFINITY, f64::min)
    };
    let bottom = areas(&svg, "#ff0000").remove(0).last().unwrap().1;
    is_near((bottom - highest("#00ff00")) / (bottom - highest("#ff0000")), 1.8);
    assert!(texts(&svg).contains(&"100".to_owned()), "the legend has each one's own greatest value");
    assert!(!texts(&svg).contains(&"180".to_owned()));
}

#[test]
fn in_a_stack_each_area_lies_between_its_sum_and_the_one_below() {
    let settings = Settings { area_mode: AreaMode::Stacked, ..bare() };
    let svg = drawn(&[series("a", |_| 50.0), series("b", |_| 100.0), series("c", |_| 70.0)], &settings);
    let heights = |colour: &str| {
        let mut heights: Vec<f64> = areas(&svg, colour).concat().iter().map(|(_, y)| 300.0 - y).collect();
        heights.sort_by(f64::total_cmp);
        heights.dedup();
        heights
    };
    assert_eq!(heights("#ff0000"), [0.0, 50.0]);
    assert_eq!(heights("#00ff00"), [50.0, 150.0]);
    assert_eq!(heights("#0000ff"), [150.0, 220.0]);
}

#[test]
fn areas_reach_down_to_zero_where_they_are_asked_for() {
    let all = [series("a", |_| 50.0), series("b", |_| 100.0)];
    let filled = |area_mode: AreaMode, area_alpha: Option<f64>| {
        let svg = drawn(&all, &Settings { area_mode, area_alpha, ..bare() });
        let of = |colour: &str| areas(&svg, colour).concat().iter().any(|(_, y)| *y >= 300.0);
        (of("#ff0000"), of("#00ff00"), svg.contains(r#"fill-opacity="0.7""#))
    };
    assert_eq!(filled(AreaMode::None, None), (false, false, false));
    assert_eq!(filled(AreaMode::First, None), (true, false, false));
    assert_eq!(filled(AreaMode::All, Some(0.7)), (true, true, true));
    assert_eq!(filled(AreaMode::Unsaid, None), (true, true, false));
    let many: Vec<Series> = (0..4).map(|_| series("a", |_| 1.0)).collect();
    let svg = drawn(&many, &Settings { area_mode: AreaMode::Unsaid, ..bare() });
    assert!(!svg.contains("<polygon"), "many areas would muddy each other");
}

#[test]
fn what_lies_beyond_a_held_axis_is_cut_off_and_not_laid_along_its_edge() {
    let svg = drawn(&[series("a", |at| if (100..200).contains(&at) { 900.0 } else { 100.0 })], &bare());
    let parts = lines(&svg, "#ff0000");
    assert_eq!(parts.len(), 2, "{parts:?}");
    assert!(parts.concat().iter().all(|(_, y)| (0.0..=300.0).contains(y)));
    is_near(parts[0].last().unwrap().1, 0.0);
    is_near(parts[1][0].0, 400.0 * 199.75 / 360.0);
    let settings = Settings { area_mode: AreaMode::All, ..bare() };
    let svg = drawn(&[series("a", |at| if (100..200).contains(&at) { 900.0 } else { 100.0 })], &settings);
    let area = areas(&svg, "#ff0000").concat();
    assert!(area.iter().all(|(_, y)| (0.0..=300.0).contains(y)) && area.iter().any(|(_, y)| *y <= 0.0));
}

#[test]
fn a_gap_parts_a_line_unless_it_is_to_be_drawn_over() {
    let gap = series("a", |at| if (100..110).contains(&at) { f64::NAN } else { 100.0 });
    let drawn = |settings: Settings| lines(&drawn(std::slice::from_ref(&gap), &settings), "#ff0000");
    assert_eq!(drawn(bare()).len(), 2);
    let connected = |most: usize| Settings { line_mode: LineMode::Connected(most), ..bare() };
    assert_eq!(drawn(connected(usize::MAX)).len(), 1);
    assert_eq!(drawn(connected(10)).len(), 1);
    assert_eq!(drawn(connected(9)).len(), 2);
    let zero = drawn(Settings { null_is_zero: true, ..bare() });
    assert_eq!((zero.len(), zero[0].iter().filter(|(_, y)| *y >= 300.0).count()), (1, 10));
}

#[test]
fn a_staircase_keeps_each_value_until_the_next() {
    let settings = Settings { line_mode: LineMode::Staircase, ..bare() };
    let line =
        lines(&drawn(&[Series::new("a", FROM, 1_800, vec![100.0, 200.0, 50.0])], &settings), "#ff0000");
    assert_eq!(line, [[(0.0, 200.0), (200.0, 200.0), (200.0, 100.0), (400.0, 100.0), (400.0, 250.0)]]);
}

#[test]
fn functions_say_how_a_series_looks() {
    let all = [
        look(series("a", |_| 10.0), |look| look.colour = Some("112233".into())),
        look(series("b", |_| 20.0), |look| (look.line_width, look.alpha) = (Some(7.0), Some(0.5))),
        look(series("c", |_| 30.0), |look| look.dash = Some(20.0)),
        look(series("d", |at| f64::from(u8::from(at == 180))), |look| look.role = Role::Infinite),
    ];
    let svg = drawn(&all, &bare());
    assert_eq!(lines(&svg, "#112233").len(), 1);
    assert!(svg.contains(r##"stroke="#ff0000" stroke-opacity="0.5" stroke-width="7""##));
    assert_eq!(lines(&svg, "#00ff00").len(), 10, "dashes of 20 px on 400 px");
    assert_eq!(lines(&svg, "#0000ff"), [[(200.0, 0.0), (200.0, 300.0)]], "an upright line over all");
}

#[test]
fn the_area_between_two_series_is_theirs_alone() {
    let all = [
        look(series("a", |_| 100.0), |look| look.role = Role::LowerEdge),
        look(series("a", |_| 150.0), |look| look.role = Role::UpperEdge),
    ];
    let svg = drawn(&all, &Settings { has_legend: true, ..bare() });
    let area = areas(&svg, "#00ff00");
    assert_eq!(area.len(), 1);
    assert_eq!(texts(&svg).iter().filter(|text| *text == "a").count(), 1, "one row for both");
}

#[test]
fn the_right_axis_has_its_own_scale_and_labels() {
    let all = [series("a", |_| 3.0), look(series("b", |at| 1e6 * at as f64), |look| look.is_right = true)];
    let svg = drawn(&all, &Settings { has_value_axis: true, ..settings() });
    let texts = texts(&svg);
    assert!(texts.contains(&"3".to_owned()) && texts.contains(&"200 M".to_owned()), "{texts:?}");
    let highest = lines(&svg, "#00ff00").concat().iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
    assert!(highest < 40.0, "{highest}");
    let document = Document::parse(&svg).unwrap();
    let x_of = |label: &str| {
        let node = document.descendants().find(|node| node.text() == Some(label)).unwrap();
        node.parent().unwrap().attribute("x").or(node.attribute("x")).unwrap().parse::<f64>().unwrap()
    };
    assert!(x_of("3") < 40.0 && x_of("200 M") > 340.0);
}

#[test]
fn a_legend_has_the_figures_and_says_how_many_it_leaves_out() {
    let many: Vec<Series> = (0..40).map(|at| series(&format!("s{at}"), move |_| f64::from(at))).collect();
    let all = texts(&drawn(&many, &Settings { has_legend: true, ..settings() }));
    let shown = all.iter().filter(|text| text.starts_with('s')).count();
    assert!(shown > 3 && all.contains(&format!("+{} more", 40 - shown)), "{all:?}");
    let one = [series("requests", |at| if at == 7 { 91.0 } else { 40.0 })];
    let texts = texts(&drawn(&one, &Settings { has_legend: true, ..settings() }));
    assert_eq!(texts, ["last", "min", "max", "avg", "requests", "40", "40", "91", "40.1"]);
}

#[test]
fn names_are_listed_once_and_empty_ones_not_at_all_where_that_is_asked_for() {
    let all = [series("a", |_| 1.0), series("a", |_| 2.0), series("b", |_| f64::NAN)];
    let listed = |is_legend_unique: bool, hides_empty: bool| {
        let settings = Settings { has_legend: true, is_legend_unique, hides_empty, ..settings() };
        let texts = texts(&drawn(&all, &settings));
        texts.into_iter().filter(|text| text == "a" || text == "b").collect::<Vec<_>>().concat()
    };
    assert_eq!(listed(false, false), "aab");
    assert_eq!(listed(true, false), "ab");
    assert_eq!(listed(true, true), "a");
}

#[test]
fn hours_of_a_day_on_which_the_clock_is_moved_are_those_of_the_wall() {
    let range = TimeRange {
        from: sonde_shared::time::parse_rfc3339(b"2026-03-28T23:00:00Z").unwrap(),
        until: sonde_shared::time::parse_rfc3339(b"2026-03-29T10:00:00Z").unwrap(),
    };
    let zone = Zone::of(&GraphiteClock::of_place(Timestamp::default(), "Europe/Berlin"));
    let settings =
        Settings { has_time_axis: true, has_value_axis: true, width: 1_600, range, zone, ..settings() };
    let one = Series::new("a", range.from.as_secs(), 60, vec![1.0; 660]);
    let texts = texts(&drawn(&[one], &settings));
    let hours: Vec<&str> = texts.iter().map(String::as_str).filter(|text| text.contains(':')).collect();
    let expected = ["01:00", "03:00", "04:00", "05:00", "06:00", "07:00", "08:00", "09:00", "10:00", "11:00"];
    assert_eq!(hours, expected, "there is no 2:00");
    assert!(texts.contains(&"Mar 29".to_owned()) && texts.contains(&"CEST".to_owned()), "{texts:?}");
}

#[test]
fn colours_that_are_asked_for_win_over_the_themes() {
    let with = |change: &dyn Fn(&mut Settings)| {
        let mut settings = Settings { has_value_axis: true, colours: Vec::new(), ..settings() };
        change(&mut settings);
        drawn(&[series("a", |_| 1.0)], &settings)
    };
    let paint = Paint::parse;
    assert!(with(&|_| {}).contains(r##"height="300" fill="#ffffff""##), "white unless told otherwise");
    assert!(with(&|settings| settings.template = Some(Template::Dark)).contains(r##"fill="#151a21""##));
    let dark = with(&|settings| settings.background = paint("000000"));
    assert!(
        dark.contains(r##"height="300" fill="#000000""##) && dark.contains("#35bcf7"),
        "its series are read on it"
    );
    assert!(with(&|settings| settings.foreground = paint("123456")).contains("#36526f"));
    let clear = with(&|settings| settings.background = paint("ffffff00"));
    assert!(clear.contains(r##"height="300" fill="#ffffff" fill-opacity="0""##));
}

#[test]
fn names_of_any_kind_are_text() {
    let hostile =
        ["<script>alert(1)</script>", "a\u{0}b\u{1b}[31m", "日本語の名前", "&amp;\"'", "\u{202e}abc"];
    let all: Vec<Series> = hostile.iter().map(|name| series(name, |_| 1.0)).collect();
    let settings = Settings { has_legend: true, title: hostile.concat(), height: 1_000, ..settings() };
    let svg = drawn(&all, &settings);
    assert!(!svg.contains("<script") && Document::parse(&svg).is_ok());
    assert!(texts(&svg).contains(&"日本語の名前".to_owned()));
    assert!(!draw(&all, &settings, Form::Png).unwrap().is_empty());
}

#[test]
fn every_size_is_drawn() {
    let all =
        [series("a", |at| at as f64), series("b", |_| f64::NAN), Series::new("c", FROM, 60, Vec::new())];
    for (width, height) in [(1, 1), (1, 4_096), (4_096, 1), (30, 20), (330, 250)] {
        for text_px in [6.0, 48.0] {
            let settings = Settings {
                width,
                height,
                text_px,
                title: "title".into(),
                side_titles: ["left".into(), "right".into()],
                has_legend: true,
                has_time_axis: true,
                has_value_axis: true,
                has_mesh: true,
                margin_px: 500.0,
                ..settings()
            };
            let png = draw(&all, &settings, Form::Png).unwrap();
            let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
            assert_eq!((pixels.width(), pixels.height()), (width, height));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn wild_values_are_drawn(
        values in prop::collection::vec(prop_oneof![any::<f64>(), Just(f64::NAN), -9.0..9.0], 0..50),
        stacked in any::<bool>(), staircase in any::<bool>(), min in any::<Option<f64>>(), is_right in any::<bool>(),
        step in 1i64..1_000_000_000,
    ) {
        let all = [
            Series::new("a", FROM, step, values.clone()),
            look(Series::new("b", FROM - 1_000, 77, values), |look| look.is_right = is_right),
        ];
        let mut settings = Settings { has_legend: true, has_time_axis: true, has_value_axis: true, ..settings() };
        settings.sides[0].min = min;
        settings.area_mode = if stacked { AreaMode::Stacked } else { AreaMode::All };
        settings.line_mode = if staircase { LineMode::Staircase } else { LineMode::Slope };
        let svg = drawn(&all, &settings);
        prop_assert!(Document::parse(&svg).is_ok());
        prop_assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", svg);
    }
}

//! What a chart says at an instant, in words and numbers. Pure.

use crate::plain::isolated;
use crate::text;
use sonde_shared::api::{Columns, Event, Histogram};
use sonde_shared::chart::reduce::last_value;
use sonde_shared::chart::style::{Fill, Style, styles_of_panel};
use sonde_shared::chart::units::format_among;
use sonde_shared::dashboard::{Draw, right_axis_name};
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, format_duration};

/// How many lines lie in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineCount {
    /// So many.
    pub lines: u64,
    /// Whether those and no others; else they are reckoned of the histogram's bars that the range cuts.
    pub is_exact: bool,
}

/// One row of a tooltip, a chip or a legend.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reading {
    /// The CSS variable of its colour.
    pub(super) colour: String,
    /// Whose value it is.
    pub(super) name: String,
    /// The value with its unit.
    pub(super) value: String,
    /// Whether the axis at the right is its own, while others have that at the left.
    pub(super) is_right: bool,
}

impl Reading {
    /// Whether there is a value.
    pub(super) fn is_there(&self) -> bool {
        self.value != MISSING
    }
}

/// What stands for a value that is not there.
const MISSING: &str = "–";

/// The lowest, highest and mean value of a series, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stats {
    pub(super) min: String,
    pub(super) max: String,
    pub(super) mean: String,
}

/// What of a series lies in the range. What is drawn keeps the extremes of all points but not their mean, which is asked for.
pub(super) fn stats_of(one: &Columns, units: &Units, range: TimeRange, mean: Option<f64>) -> Stats {
    let (from_ms, until_ms) = (range.from.as_millis_f64(), range.until.as_millis_f64());
    let first = one.times_ms.partition_point(|time| *time < from_ms);
    let end = one.times_ms.partition_point(|time| *time < until_ms).max(first);
    let inside = one.values.get(first..end).unwrap_or_default().iter().copied().filter(|v| v.is_finite());
    let text = |value: Option<f64>| value.map_or_else(|| MISSING.to_owned(), |v| units.text(one, v));
    Stats { min: text(inside.clone().reduce(f64::min)), max: text(inside.reduce(f64::max)), mean: text(mean) }
}

/// The units of a panel's two axes, and how far its values lie apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Units {
    pub(super) left: String,
    pub(super) right: String,
    pub(super) spread: f64,
}

impl Units {
    /// A value of a series, as fine as its panel shows it.
    fn text(&self, series: &Columns, value: f64) -> String {
        format_among(value, if is_right(series) { &self.right } else { &self.left }, self.spread)
    }
}

pub(super) fn is_right(series: &Columns) -> bool {
    right_axis_name(&series.name).is_some()
}

/// The series of an answer, and their sums where they are stacked: these come behind them.
pub(super) fn parted(all: &[Columns], draw: Draw) -> (&[Columns], &[Columns]) {
    if draw == Draw::Stacked { all.split_at(all.len() / 2) } else { (all, &[]) }
}

/// What reaches how high: the sums where there are some.
pub(super) fn outlines(all: &[Columns], draw: Draw) -> &[Columns] {
    let (series, sums) = parted(all, draw);
    if sums.is_empty() { series } else { sums }
}

/// How the series of a panel are drawn.
pub(super) fn styles(series: &[Columns], draw: Draw) -> Vec<Style> {
    styles_of_panel(draw, &series.iter().map(is_right).collect::<Vec<_>>())
}

/// The same with one series in front: the others stand back. A name that no series has puts none in front.
pub(super) fn with_one_in_front(
    mut styles: Vec<Style>,
    series: &[Columns],
    name: Option<&str>,
) -> Vec<Style> {
    let is_it = |one: &Columns| Some(one.name.as_str()) == name;
    if series.iter().any(is_it) {
        for (style, one) in styles.iter_mut().zip(series) {
            let is_it = is_it(one);
            style.alpha *= if is_it { 1.0 } else { STOOD_BACK };
            style.width_px = if is_it { Some(IN_FRONT_PX) } else { style.width_px };
            // What stands on others keeps its place.
            style.fill =
                if is_it || matches!(style.fill, Fill::DownTo(..)) { style.fill } else { Fill::None };
        }
    }
    styles
}

/// The opacity of what stands back, and the line of what is in front.
const STOOD_BACK: f64 = 0.25;
const IN_FRONT_PX: f64 = 2.0;

/// The variable with the colour of a slot.
fn slot_colour(slot: usize) -> String {
    format!("var(--series-{})", slot % 6 + 1)
}

/// The variable with the colour of a level.
pub(super) fn level_variable(level: Level) -> &'static str {
    match level {
        Level::Fatal => "--fatal",
        Level::Error => "--error",
        Level::Warn => "--warn",
        Level::Info => "--info",
        Level::Debug | Level::Trace => "--debug",
    }
}

/// A tooltip's column holds so many values.
pub(super) const COLUMN_ROWS: usize = 10;

/// Each series' value at an instant, the largest first where they are more than a column. A value counts up to `reach_ms` beyond the first and the last point.
pub(super) fn readings_at(
    series: &[Columns],
    slots: &[usize],
    units: &Units,
    at_ms: f64,
    reach_ms: f64,
) -> Vec<Reading> {
    let mut values: Vec<Option<f64>> = series.iter().map(|one| value_at(one, at_ms, reach_ms)).collect();
    let text = |(one, value): (&Columns, &Option<f64>)| {
        value.map_or_else(|| MISSING.to_owned(), |v| units.text(one, v))
    };
    let mut texts = series.iter().zip(&values).map(text);
    let mut rows = rows(series, slots, |_| texts.next().unwrap_or_default());
    if rows.len() > COLUMN_ROWS {
        largest_first(&mut rows, &mut values);
    }
    rows
}

/// Brings the largest values to the front, as many of them as a tooltip could show.
fn largest_first(rows: &mut [Reading], values: &mut [Option<f64>]) {
    const MOST: usize = 100;
    for place in 0..rows.len().min(MOST) {
        let larger = |best: usize, at: usize| if values[at] > values[best] { at } else { best };
        let at = (place..rows.len()).fold(place, larger);
        rows.swap(place, at);
        values.swap(place, at);
    }
}

/// Each series' last value in the range.
pub(super) fn last_readings(
    series: &[Columns],
    slots: &[usize],
    units: &Units,
    range: TimeRange,
) -> Vec<Reading> {
    let until_ms = range.until.as_millis_f64();
    let from_ms = range.from.as_millis_f64();
    let last = |one: &Columns| {
        let found = last_value(&one.times_ms, &one.values, from_ms, until_ms);
        found.map_or_else(|| MISSING.to_owned(), |value| units.text(one, value))
    };
    rows(series, slots, last)
}

fn rows(series: &[Columns], slots: &[usize], mut value: impl FnMut(&Columns) -> String) -> Vec<Reading> {
    let names = short_names(series);
    let slot = |index: usize| slots.get(index).copied().unwrap_or(index);
    let has_left = series.iter().any(|one| !is_right(one));
    let row = |(index, name): (usize, String)| Reading {
        colour: slot_colour(slot(index)),
        name,
        value: value(&series[index]),
        is_right: has_left && is_right(&series[index]),
    };
    names.into_iter().enumerate().map(row).collect()
}

/// The notes that stand within `reach_ms` of an instant.
pub(super) fn events_at(events: &[Event], at_ms: f64, reach_ms: f64) -> Vec<String> {
    let near = events.iter().filter(|event| (event.when as f64 * 1e3 - at_ms).abs() <= reach_ms);
    let text = |event: &Event| [&event.what, " ", &event.tags.join(" ")].concat();
    near.map(|event| isolated(text(event).trim_end())).collect()
}

/// The value of the point nearest to an instant; none in a gap.
fn value_at(one: &Columns, at_ms: f64, reach_ms: f64) -> Option<f64> {
    nearest_point(one, at_ms, reach_ms).map(|index| one.values[index])
}

/// Which point is nearest to an instant; none farther than `reach_ms` where a line has its end: before the first point, after the last, in
/// a gap.
pub(super) fn nearest_point(one: &Columns, at_ms: f64, reach_ms: f64) -> Option<usize> {
    let count = one.times_ms.len().min(one.values.len());
    let after = one.times_ms[..count].partition_point(|time| *time < at_ms);
    let is_there = |index: &usize| *index < count && one.values[*index].is_finite();
    let (before, after) = (after.checked_sub(1).filter(is_there), Some(after).filter(is_there));
    let distance = |index: usize| (one.times_ms[index] - at_ms).abs();
    match (before, after) {
        (Some(before), Some(after)) => Some(if distance(before) <= distance(after) { before } else { after }),
        (lone, None) | (None, lone) => lone.filter(|index| distance(*index) <= reach_ms),
    }
}

/// The lowest and the highest value, with the zero where the axis has it, too: a line far from zero is drawn without.
pub(super) fn extent_of(series: &[Columns]) -> Option<(f64, f64)> {
    let values = series.iter().flat_map(|one| &one.values).copied().filter(|value| value.is_finite());
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let is_flat = high - low < 0.1 * low.abs().max(high.abs());
    (low <= high).then(|| if is_flat { (low, high) } else { (low.min(0.0), high.max(0.0)) })
}

/// How high the series reach between two instants, as a share of the extent; the neighbours of the two count as well.
pub(super) fn highest_share(
    series: &[Columns],
    from_ms: f64,
    until_ms: f64,
    (low, high): (f64, f64),
) -> Option<f64> {
    let near = series.iter().flat_map(|one| {
        let count = one.times_ms.len().min(one.values.len());
        let start = one.times_ms[..count].partition_point(|time| *time < from_ms).saturating_sub(1);
        let end = one.times_ms[..count].partition_point(|time| *time <= until_ms) + 1;
        one.values[start.min(count)..end.clamp(start, count)].iter().copied()
    });
    let most = near.filter(|value| value.is_finite()).fold(f64::NEG_INFINITY, f64::max);
    (most.is_finite() && high > low).then(|| (most - low) / (high - low))
}

/// The names without the dotted prefix that all of them share, and without what closes the parentheses that were opened in it.
fn short_names(series: &[Columns]) -> Vec<String> {
    let names: Vec<&str> = series.iter().map(|one| right_axis_name(&one.name).unwrap_or(&one.name)).collect();
    let shared = match names.as_slice() {
        [first, rest @ ..] if !rest.is_empty() => {
            let is_shared = |end: &usize| rest.iter().all(|name| name.get(..=*end) == first.get(..=*end));
            first.match_indices('.').map(|(at, _)| at).take_while(is_shared).last().map_or(0, |at| at + 1)
        }
        _ => 0,
    };
    let is_opened = names.first().is_some_and(|name| name[..shared].contains('('));
    let short = |name: &str| {
        let rest = &name[shared..];
        if is_opened { rest.trim_end_matches(')') } else { rest }.to_owned()
    };
    names.into_iter().map(short).collect()
}

/// The lines by level in the bucket of an instant, worst first.
pub(super) fn counts_at(histogram: &Histogram, at_ms: f64) -> Vec<Reading> {
    let bucket = (at_ms - histogram.from_ms as f64) / histogram.step_ms.max(1) as f64;
    if bucket < 0.0 {
        return Vec::new();
    }
    let row = |level: Level| {
        let count = histogram.levels.get(level).get(bucket as usize).copied().filter(|count| *count > 0)?;
        let colour = format!("var({})", level_variable(level));
        Some(Reading { colour, name: level.tag().to_owned(), value: text::count(count), is_right: false })
    };
    Level::ALL.into_iter().rev().filter_map(row).collect()
}

/// How long a band is and how many lines it holds: `2 m · 412 lines`, `2 m · about 412 lines`; `whose` they are where that is not
/// what the band will show.
pub(super) fn band_size(band: TimeRange, lines: Option<LineCount>, whose: Option<&str>) -> String {
    let duration = format_duration(band.nanos());
    let Some(LineCount { lines, is_exact }) = lines else { return duration };
    let about = if is_exact || lines == 0 { "" } else { "about " };
    let noun = if lines == 1 { "line" } else { "lines" };
    let of = whose.map(|whose| format!(" of {whose}")).unwrap_or_default();
    format!("{duration} · {about}{} {noun}{of}", text::count(lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::api::LevelCounts;
    use sonde_shared::time::Timestamp;

    #[test]
    fn one_series_is_in_front_of_the_others() {
        let both = [series("a", &[]), series("b", &[])];
        let plain = styles(&both, Draw::Line);
        let alphas = |name: Option<&str>| {
            let styles = with_one_in_front(plain.clone(), &both, name);
            styles.iter().map(|style| style.alpha).collect::<Vec<_>>()
        };
        assert_eq!(alphas(Some("b")), [STOOD_BACK, 1.0]);
        assert_eq!(alphas(Some("gone")), [1.0, 1.0]);
        assert_eq!(alphas(None), [1.0, 1.0]);
    }

    #[test]
    fn only_what_lies_in_the_range_counts() {
        let one =
            series("a", &[(0.0, 9.0), (1_000.0, 2.0), (2_000.0, f64::NAN), (3_000.0, 5.0), (4_000.0, -9.0)]);
        let range = TimeRange::between(Timestamp::from_secs(1), Timestamp::from_secs(4));
        let stats = |mean| stats_of(&one, &units("ms", ""), range, mean);
        let row = |min: &str, max: &str, mean: &str| Stats {
            min: min.to_owned(),
            max: max.to_owned(),
            mean: mean.to_owned(),
        };
        assert_eq!(stats(Some(3.5)), row("2 ms", "5 ms", "3.5 ms"));
        let none = TimeRange::between(Timestamp::from_secs(8), Timestamp::from_secs(9));
        assert_eq!(stats_of(&one, &units("ms", ""), none, None), row("–", "–", "–"));
    }

    fn series(name: &str, points: &[(f64, f64)]) -> Columns {
        let (times_ms, values) = points.iter().copied().unzip();
        Columns { name: name.into(), times_ms, values }
    }

    fn units(left: &str, right: &str) -> Units {
        Units { left: left.to_owned(), right: right.to_owned(), spread: f64::INFINITY }
    }

    #[test]
    fn a_stack_is_read_by_each_series_own_value() {
        let of = |value: f64| [(10.0, value), (20.0, value)];
        let all =
            [series("a", &of(1.0)), series("b", &of(2.0)), series("a", &of(1.0)), series("b", &of(3.0))];
        let (own, sums) = parted(&all, Draw::Stacked);
        let read = readings_at(own, &[], &units("ms", ""), 10.0, 5.0);
        let values: Vec<&str> = read.iter().map(|row| row.value.as_str()).collect();
        assert_eq!((values, sums[1].values[0]), (vec!["1 ms", "2 ms"], 3.0));
        assert_eq!(extent_of(outlines(&all, Draw::Stacked)), Some((0.0, 3.0)));
        assert_eq!(parted(&all, Draw::Area).0.len(), 4);
        assert_eq!(outlines(&all[..2], Draw::Points).len(), 2);
    }

    #[test]
    fn series_of_the_right_axis_have_its_unit_and_their_own_names() {
        let points = [(10.0, 1.0)];
        let all = [series("a.x", &points), series("secondYAxis(a.y)", &points)];
        let read = readings_at(&all, &[], &units("ms", "%"), 10.0, 5.0);
        let rows: Vec<(&str, &str)> =
            read.iter().map(|row| (row.name.as_str(), row.value.as_str())).collect();
        assert_eq!(rows, [("x", "1 ms"), ("y", "1 %")]);
        let right: Vec<bool> = styles(&all, Draw::Line).iter().map(|style| style.is_right).collect();
        assert_eq!(right, [false, true]);
        // It is marked where there are two axes to tell apart.
        let marked = |all: &[Columns]| {
            let rows = readings_at(all, &[], &units("ms", "%"), 10.0, 5.0);
            rows.iter().map(|row| row.is_right).collect::<Vec<_>>()
        };
        assert_eq!((marked(&all), marked(&all[1..])), (vec![false, true], vec![false]));
    }

    #[test]
    fn the_largest_of_many_values_come_first() {
        let of = |index: usize| series(&index.to_string(), &[(10.0, ((index * 7) % 11) as f64)]);
        let names = |count: usize| {
            let read = readings_at(&(0..count).map(of).collect::<Vec<_>>(), &[], &units("", ""), 10.0, 5.0);
            read.into_iter().map(|row| row.name).collect::<Vec<_>>().concat()
        };
        assert_eq!((names(3).as_str(), names(11).as_str()), ("012", "369147102580"));
    }

    #[test]
    fn the_nearest_point_is_read_and_a_gap_is_none() {
        let one = series("a", &[(10.0, 1.0), (20.0, 2.0), (30.0, f64::NAN), (40.0, 4.0)]);
        let check = |at: f64, expected: Option<f64>| assert_eq!(value_at(&one, at, 5.0), expected, "at {at}");
        check(14.0, Some(1.0));
        check(16.0, Some(2.0));
        check(31.0, None);
        check(44.0, Some(4.0));
        check(46.0, None);
        check(4.0, None);
        assert_eq!(value_at(&series("b", &[]), 1.0, 5.0), None);
        // However long a gap is, its second half is no more of the point behind it.
        let long = series("c", &[(10.0, 1.0), (20.0, f64::NAN), (100.0, 4.0)]);
        assert_eq!([80.0, 96.0].map(|at| value_at(&long, at, 5.0)), [None, Some(4.0)]);
    }

    #[test]
    fn a_spike_is_high_where_it_is_and_beside_it() {
        let one = [series("a", &[(10.0, 1.0), (20.0, 9.0), (30.0, 1.0), (40.0, f64::NAN), (50.0, 2.0)])];
        let extent = extent_of(&one).unwrap();
        assert_eq!(extent, (0.0, 9.0));
        let check = |from: f64, until: f64, is_high: bool| {
            assert_eq!(highest_share(&one, from, until, extent).is_some_and(|share| share > 0.5), is_high);
        };
        check(15.0, 16.0, true);
        check(20.0, 20.0, true);
        check(21.0, 25.0, true);
        check(31.0, 60.0, false);
        check(90.0, 99.0, false);
        assert_eq!(extent_of(&[series("b", &[(1.0, f64::NAN)])]), None);
        assert_eq!(extent_of(&[series("b", &[(1.0, 100.0), (2.0, 101.0)])]), Some((100.0, 101.0)));
    }

    #[test]
    fn names_lose_what_all_of_them_share() {
        let check = |names: &[&str], expected: &[&str]| {
            let all: Vec<Columns> = names.iter().map(|name| series(name, &[])).collect();
            assert_eq!(short_names(&all), expected);
        };
        check(&["node1.io.wait", "node1.io.read"], &["wait", "read"]);
        check(&["node1.io.wait"], &["node1.io.wait"]);
        check(&["node1.a", "node2.a"], &["node1.a", "node2.a"]);
        check(&["a.b", "a.b.c"], &["b", "b.c"]);
        check(&["a.ü", "a.ö"], &["ü", "ö"]);
        check(&["sum(a.x.cpu)", "sum(a.y.cpu)"], &["x.cpu", "y.cpu"]);
        check(&["abs(a)", "abs(b)"], &["abs(a)", "abs(b)"]);
        check(&[], &[]);
    }

    #[test]
    fn counts_and_sizes_read_as_people_write_them() {
        let band = TimeRange { from: Timestamp::from_secs(0), until: Timestamp::from_secs(120) };
        let lines = |lines, is_exact| Some(LineCount { lines, is_exact });
        assert_eq!(band_size(band, lines(1, true), None), "2 m · 1 line");
        assert_eq!(band_size(band, lines(0, false), None), "2 m · 0 lines");
        assert_eq!(band_size(band, lines(1_009, false), None), "2 m · about 1\u{202f}009 lines");
        assert_eq!(
            band_size(band, lines(9, true), Some("all components")),
            "2 m · 9 lines of all components"
        );
        assert_eq!(band_size(band, None, Some("all components")), "2 m");
    }

    #[test]
    fn the_last_value_is_that_of_the_range() {
        let one = [series("a", &[(1_000.0, 1.0), (2_000.0, 2.0), (3_000.0, f64::NAN), (9_000.0, 9.0)])];
        let last = |from: i64, until: i64| {
            let range =
                TimeRange { from: Timestamp::from_millis(from), until: Timestamp::from_millis(until) };
            last_readings(&one, &[0], &units("ms", ""), range)[0].value.clone()
        };
        assert_eq!(last(0, 5_000), "2 ms");
        assert_eq!(last(2_500, 5_000), "–");
    }

    #[test]
    fn a_note_is_read_near_its_line() {
        let deploy = Event {
            id: 1,
            what: "deploy".into(),
            when: 60,
            tags: vec!["web".into(), "v2".into()],
            data: String::new(),
        };
        let read = |at_ms: f64| events_at(std::slice::from_ref(&deploy), at_ms, 100.0);
        assert_eq!((read(59_950.0), read(60_100.0)[0].as_str()), (read(60_000.0), "deploy web v2"));
        assert!(read(60_101.0).is_empty());
    }

    #[test]
    fn a_bucket_lists_its_levels_worst_first() {
        let levels = LevelCounts { error: vec![0, 2], info: vec![1, 1_500], ..LevelCounts::default() };
        let histogram = Histogram { from_ms: 1_000, step_ms: 500, total: 0, levels };
        let names = |at: f64| {
            counts_at(&histogram, at).into_iter().map(|row| row.name + " " + &row.value).collect::<Vec<_>>()
        };
        assert_eq!(names(1_600.0), ["ERR 2", "INF 1\u{202f}500"]);
        assert!(names(0.0).is_empty() && names(9e9).is_empty());
    }
}

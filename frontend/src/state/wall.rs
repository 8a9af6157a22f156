//! What a wall shows of a panel: which value, how it is to be judged, and whether it is of now at all.

use sonde_shared::api::Columns;
use sonde_shared::chart::reduce::last_point;
use sonde_shared::chart::units::format_value;
use sonde_shared::dashboard::{Draw, Panel, Threshold, metrics_in, right_axis_name};
use sonde_shared::glob::Glob;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};

/// A wall has so many places at most.
pub const MOST_PANELS: usize = 9;
/// A value is of now for so long, however often it comes.
const LEAST_AGE_MS: i64 = 30_000;
/// Or for so many times as long as two values lie apart.
const MISSED: i64 = 3;
/// So many of the last values tell how far apart they come.
const RECENT: usize = 8;

/// Columns and rows of the grid for so many panels.
pub const fn grid(panels: usize) -> (usize, usize) {
    match panels {
        0 | 1 => (1, 1),
        2 => (2, 1),
        3 | 4 => (2, 2),
        5 | 6 => (3, 2),
        _ => (3, 3),
    }
}

/// The worst threshold that a value has reached; among equally bad ones the highest.
pub fn reached(value: f64, thresholds: &[Threshold]) -> Option<&Threshold> {
    let reached = thresholds.iter().filter(|threshold| value >= threshold.at);
    reached.max_by(|one, other| {
        (one.level as u8, one.at)
            .partial_cmp(&(other.level as u8, other.at))
            .unwrap_or(std::cmp::Ordering::Equal)
    })
}

/// What a value is called, in words: the colour of its frame is not the only sign.
pub fn verdict(value: f64, thresholds: &[Threshold], unit: &str) -> Option<(Level, String)> {
    if thresholds.is_empty() {
        return None;
    }
    Some(match reached(value, thresholds) {
        Some(threshold) => {
            let word = if threshold.level >= Level::Error { "Bad" } else { "Warning" };
            (threshold.level, format!("{word} · from {}", format_value(threshold.at, unit)))
        }
        None => (Level::Info, "Good".to_owned()),
    })
}

/// The value that a wall shows of a panel, and when it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastValue {
    /// The last value of the series that is highest.
    pub value: Option<f64>,
    /// Whose it is, where there are several.
    pub of: String,
    /// Whether it is of the right axis: it has that one's unit, and no thresholds.
    pub is_right: bool,
    /// For how long nothing has come, where that is too long.
    pub stale_secs: Option<i64>,
    /// When it was, where that is not now.
    pub at: Option<Timestamp>,
}

impl LastValue {
    /// That of a panel's answer: of the series of the left axis, which is the one with the thresholds, or of the right one's where
    /// the panel has no others. `sources` are the metrics that its functions are made of. `now` is of a wall that follows the
    /// clock.
    pub fn of(
        panel: &Panel,
        all: &[Columns],
        sources: &[Columns],
        range: TimeRange,
        now: Option<Timestamp>,
    ) -> Self {
        let is_right = |name: &str| right_axis_name(name).is_some();
        let has_left = panel.targets.iter().any(|target| !is_right(target));
        let count = if panel.draw == Draw::Stacked { all.len() / 2 } else { all.len() };
        // The sums of a stack are behind its series: how high it reaches is what the thresholds are for.
        let (series, outlines) = all.split_at(count);
        let outlines = if outlines.is_empty() { series } else { outlines };
        let shown: Vec<&Columns> = outlines.iter().filter(|one| is_right(&one.name) != has_left).collect();
        let (from, until) = (range.from.as_millis() as f64, now.unwrap_or(range.until).max(range.until));
        let points = shown.iter().filter_map(|one| {
            Some((*one, last_point(&one.times_ms, &one.values, from, until.as_millis() as f64)?))
        });
        let highest = points.max_by(|(_, (_, one)), (_, (_, other))| one.total_cmp(other));
        let is_right = !has_left;
        let Some((one, (at_ms, value))) = highest else { return Self { is_right, ..Self::default() } };
        let name = right_axis_name(&one.name).unwrap_or(&one.name);
        let of = match shown.len() {
            1 if series.len() == 1 => String::new(),
            1 => name.to_owned(),
            several if is_right || panel.draw != Draw::Stacked => format!("highest of {several}: {name}"),
            several => format!("{several} together"),
        };
        // Who still sends is no sign that the others do; the one whose value is shown counts.
        let stale_secs = now.map(Timestamp::as_millis).and_then(|now_ms| {
            stale_source_secs(panel, name, sources, now_ms).or_else(|| stale_secs(one, now_ms))
        });
        let at = now.is_none().then(|| Timestamp::from_millis(at_ms as i64));
        Self { value: Some(value), of, is_right, stale_secs, at }
    }
}

/// Functions that say of a time without values what it means, or have others than those of now: their own answers count.
const OF_SILENCE: [&str; 3] = ["transformNull(", "timeShift(", "logs("];

/// For how many seconds none of the metrics has come that a function's series is made of: a moving average goes on for as long
/// as its window is. `None` where one still comes, or where nothing is known of them.
fn stale_source_secs(panel: &Panel, name: &str, sources: &[Columns], now_ms: i64) -> Option<i64> {
    let named: Vec<Glob> = metrics_in(name).into_iter().filter_map(|path| Glob::parse(path).ok()).collect();
    let is_named = |source: &&Columns| named.iter().any(|glob| glob.matches(&source.name));
    // Where the name does not tell, it is made of all of them.
    let is_told = sources.iter().any(|source| is_named(&source));
    let is_of_silence = |target: &str| OF_SILENCE.iter().any(|function| target.contains(function));
    let mut targets = panel.targets.iter().chain(&panel.right);
    if is_of_silence(name) || (!is_told && targets.any(|target| is_of_silence(target))) {
        return None;
    }
    let made_of = sources.iter().filter(|source| !is_told || is_named(source));
    let ages = made_of.filter(|source| source.values.iter().any(|value| value.is_finite()));
    ages.map(|source| stale_secs(source, now_ms)).min().flatten()
}

/// For how many seconds no value has come, where that is longer than values usually lie apart. A function's answer goes on to
/// the end of the range with nulls, which are no values.
fn stale_secs(one: &Columns, now_ms: i64) -> Option<i64> {
    let count = one.times_ms.len().min(one.values.len());
    let is_there = |at: &usize| one.values[*at].is_finite();
    let recent: Vec<usize> = (0..count).rev().filter(is_there).take(RECENT).collect();
    let time = |at: usize| one.times_ms[at] as i64;
    let last = time(*recent.first()?);
    let apart = recent.windows(2).map(|pair| (time(pair[0]) - time(pair[1]), pair[0] - pair[1] == 1));
    // Thinned points lie closer together than they came; the widest of the last gaps does not. A silence between two values is
    // no way to come; where nulls are between all of them, that is how they come.
    let (usual, any): (Vec<_>, Vec<_>) = apart.partition(|(_, is_next)| *is_next);
    let widest = |gaps: &[(i64, bool)]| gaps.iter().map(|(gap, _)| *gap).max();
    let apart = widest(&usual).or_else(|| widest(&any)).unwrap_or_default();
    let age = now_ms - last;
    (age > LEAST_AGE_MS.max(apart * MISSED)).then_some(age / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(at: f64, level: Level) -> Threshold {
        Threshold { at, level }
    }

    #[test]
    fn the_worst_threshold_that_is_reached_is_told_in_words() {
        let thresholds = [threshold(500.0, Level::Error), threshold(100.0, Level::Warn)];
        let check = |value: f64, expected: (Level, &str)| {
            assert_eq!(verdict(value, &thresholds, "ms"), Some((expected.0, expected.1.to_owned())));
        };
        check(99.9, (Level::Info, "Good"));
        check(100.0, (Level::Warn, "Warning · from 100 ms"));
        check(9_000.0, (Level::Error, "Bad · from 500 ms"));
        assert_eq!(verdict(1.0, &[], "ms"), None, "nothing to judge by");
        assert!(reached(f64::NAN, &thresholds).is_none());
    }

    fn columns(name: &str, points: &[(i64, f64)]) -> Columns {
        let (times_ms, values) = points.iter().map(|(secs, value)| (*secs as f64 * 1e3, *value)).unzip();
        Columns { name: name.to_owned(), times_ms, values }
    }

    #[test]
    fn a_value_is_stale_once_more_than_one_is_missing() {
        let every = |step: i64| (0..20).map(|number| (number * step, 1.0)).collect::<Vec<_>>();
        let check = |step: i64, now_ms: i64, expected: Option<i64>| {
            assert_eq!(stale_secs(&columns("a", &every(step)), now_ms), expected, "{step} {now_ms}");
        };
        check(1, 19_000 + 30_000, None);
        check(1, 19_000 + 40_500, Some(40));
        check(60, 19 * 60_000 + 180_000, None);
        check(60, 19 * 60_000 + 181_000, Some(181));
        check(1, 0, None);
        assert_eq!(stale_secs(&columns("a", &[]), 5), None);
        assert_eq!(stale_secs(&columns("a", &[(1, 1.0)]), 32_000), Some(31));
    }

    #[test]
    fn nulls_are_no_values_and_a_silence_is_no_way_to_come() {
        let check = |points: &[(i64, f64)], now_secs: i64, expected: Option<i64>| {
            assert_eq!(
                stale_secs(&columns("a", points), now_secs * 1_000),
                expected,
                "{points:?} {now_secs}"
            );
        };
        let (value, null) = (1.0, f64::NAN);
        let ended = [(0, value), (10, value), (20, null), (100, null), (430, null)];
        check(&ended, 440, Some(430));
        check(&ended, 40, None);
        let after_silence = [(0, value), (10, value), (20, null), (900, value), (910, value)];
        check(&after_silence, 950, Some(40));
        let sparse = [(0, value), (1, null), (60, value), (61, null), (120, value), (121, null)];
        check(&sparse, 299, None);
        check(&sparse, 301, Some(181));
        check(&[(0, null)], 500, None);
    }

    fn seconds(until: i64) -> (TimeRange, Option<Timestamp>) {
        let until = Timestamp::from_secs(until);
        (TimeRange { from: Timestamp::from_secs(0), until }, Some(until))
    }

    #[test]
    fn the_left_axis_is_shown_and_judged_and_the_right_one_where_it_is_alone() {
        let panel = |targets: &[&str], right: &[&str]| Panel {
            targets: targets.iter().map(|target| (*target).to_owned()).collect(),
            right: right.iter().map(|target| (*target).to_owned()).collect(),
            ..Panel::default()
        };
        let left = columns("db1.latency", &[(90, 12.0)]);
        let right = columns("secondYAxis(sumSeries(web*.requests))", &[(90, 664.0)]);
        let (range, now) = seconds(100);
        let shown = |panel: &Panel, all: &[&Columns]| {
            let all: Vec<Columns> = all.iter().copied().cloned().collect();
            let last = LastValue::of(panel, &all, &[], range, now);
            (last.value, last.of, last.is_right)
        };
        let both = panel(&["db*.latency"], &["sumSeries(web*.requests)"]);
        assert_eq!(shown(&both, &[&left, &right]), (Some(12.0), "db1.latency".to_owned(), false));
        assert_eq!(shown(&both, &[&right]), (None, String::new(), false), "it stands for nothing else");
        let alone = panel(&[], &["sumSeries(web*.requests)"]);
        assert_eq!(shown(&alone, &[&right]), (Some(664.0), String::new(), true));
        let other = columns("secondYAxis(a.b)", &[(90, 1.0)]);
        let name = "highest of 2: sumSeries(web*.requests)".to_owned();
        assert_eq!(shown(&alone, &[&right, &other]), (Some(664.0), name, true));
        let stacked = Panel { draw: Draw::Stacked, ..panel(&["a.*"], &["c"]) };
        let (a, b, sum) =
            (columns("a.x", &[(90, 1.0)]), columns("a.y", &[(90, 2.0)]), columns("a.y", &[(90, 3.0)]));
        let together = (Some(3.0), "2 together".to_owned(), false);
        assert_eq!(shown(&stacked, &[&a, &b, &right, &a, &sum, &right]), together);
    }

    #[test]
    fn the_series_that_is_shown_tells_whether_it_is_of_now() {
        let panel = Panel { targets: vec!["db3.latency".into(), "logs('*')".into()], ..Panel::default() };
        let dead = columns("db3.latency", &[(0, 40.0), (10, 42.0), (20, f64::NAN), (500, f64::NAN)]);
        let lives = columns("logs('*')", &[(480, 0.0), (490, 0.0), (500, 0.0)]);
        let (range, now) = seconds(500);
        let last = LastValue::of(&panel, &[dead, lives], &[], range, now);
        assert_eq!((last.value, last.stale_secs), (Some(42.0), Some(490)));
    }
    #[test]
    fn a_functions_series_is_as_old_as_what_it_is_made_of() {
        let panel = |target: &str| Panel { targets: vec![target.to_owned()], ..Panel::default() };
        let (range, now) = seconds(500);
        let dead = columns("old.a", &[(0, 1.0), (10, 1.0)]);
        let lives = columns("new.a", &[(480, 1.0), (490, 1.0)]);
        let sources = [dead, lives];
        let check = |target: &str, name: &str, expected: Option<i64>| {
            let all = [columns(name, &[(480, 7.0), (490, 7.0), (500, 7.0)])];
            let last = LastValue::of(&panel(target), &all, &sources, range, now);
            assert_eq!(last.stale_secs, expected, "{target} {name}");
        };
        check("movingAverage(*.a,'1h')", "movingAverage(old.a,\"1h\")", Some(490));
        check("movingAverage(*.a,'1h')", "movingAverage(new.a,\"1h\")", None);
        check("sumSeries(*.a)", "sumSeries(*.a)", None);
        check("keepLastValue(old.*)", "keepLastValue(old.a)", Some(490));
        check("alias(keepLastValue(*.a),'All')", "All", None);
        check("transformNull(old.a,0)", "transformNull(old.a,0)", None);
        check("alias(transformNull(old.*,0),'All')", "All", None);
    }
}

//! The size of a change in words that need no statistics.

use super::candidate::MOST_CHANGE;
use super::moved::Move;
use super::observed::{Nature, Series};
use sonde_shared::chart::units::format_value;
use sonde_shared::time::Timestamp;
use sonde_shared::why::{AGAIN, Change, SILENT};

const BYTES: &str = "B";

/// Endings of names that leave no doubt what the numbers are of.
const UNITS: [(&str, &str); 12] = [
    ("ms", "ms"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("us", "µs"),
    ("secs", "s"),
    ("seconds", "s"),
    ("sec", "s"),
    ("bytes", BYTES),
    ("percent", "%"),
    ("pct", "%"),
    ("celsius", "°C"),
    ("rpm", "rpm"),
];

/// `80 → 912 ms`, `44 → 22 a second`.
pub(super) fn series(series: &Series, moved: &Move, change: Change) -> String {
    if change == Change::Gone && moved.points.after >= 1.0 {
        return "fewer values than before".to_owned();
    }
    let (times, each) = each_time(series, moved);
    let limit = if moved.at_limit && change == Change::Up && series.nature != Nature::Rate {
        ", at its limit"
    } else {
        ""
    };
    [&amount(&moved.times(times), change, unit_of(&series.path)), each, limit].concat()
}

fn amount(moved: &Move, change: Change, unit: &str) -> String {
    match change {
        Change::New => format!("new: {}", with_unit(moved.median.after, unit)),
        Change::Gone => format!("no values; before {}", with_unit(moved.median.before, unit)),
        Change::Shape => shape(moved, unit),
        Change::Up | Change::Down | Change::Before => {
            let sides = if says_the_step(moved) { moved.median } else { moved.mean };
            from_to(sides.before, sides.after, unit)
        }
    }
}

/// The time in which a counter's growth is a number that a person would say: so many seconds, and how it is called. A level has none.
fn each_time(series: &Series, moved: &Move) -> (f64, &'static str) {
    if series.nature != Nature::Rate {
        return (1.0, "");
    }
    let sides = [moved.mean, moved.median].map(|sides| sides.before.abs().max(sides.after.abs()));
    match sides[0].max(sides[1]) {
        least if least >= 1.0 => (1.0, " a second"),
        least if least * 60.0 >= 1.0 => (60.0, " a minute"),
        _ => (3_600.0, " an hour"),
    }
}

/// Whether the medians tell the change; of a few spikes they do not.
fn says_the_step(moved: &Move) -> bool {
    let (medians, means) = (moved.median.after - moved.median.before, moved.mean.after - moved.mean.before);
    medians * means > 0.0 && medians.abs() >= means.abs() / 2.0
}

fn shape(moved: &Move, unit: &str) -> String {
    let (before, after) = (moved.deviation.before, moved.deviation.after);
    if !moved.has_spread() {
        return format!("moves otherwise around {}", with_unit(moved.median.after, unit));
    }
    let swings = format!("±{}", from_to(before, after, unit).replace("→ ", "→ ±"));
    if after > before * 1.25 {
        return format!("swings more: {swings}");
    }
    if after < before / 1.25 {
        return format!("swings less: {swings}");
    }
    format!("moves otherwise around {}", with_unit(moved.median.after, unit))
}

/// `80 → 912 ms`, `2.64 MiB → 688 MiB`, `0.709 → 16 s`.
pub(super) fn from_to(before: f64, after: f64, unit: &str) -> String {
    let (scale, unit) = readable_unit(before.abs().max(after.abs()), unit);
    let (before, after) = (before / scale, after / scale);
    // Each side of bytes has a prefix of its own.
    let first = if unit == BYTES { with_unit(before, unit) } else { number(before) };
    format!("{first} → {}", with_unit(after, unit))
}

/// What numbers up to a size are divided by, and their unit then: many milliseconds are seconds, many seconds minutes or hours,
/// few seconds milliseconds.
fn readable_unit(largest: f64, unit: &str) -> (f64, &str) {
    match unit {
        "ms" if largest >= 10_000.0 => (1_000.0, "s"),
        "µs" if largest >= 10_000.0 => (1_000.0, "ms"),
        "s" if largest >= 7_200.0 => (3_600.0, "h"),
        "s" if largest >= 600.0 => (60.0, "min"),
        "s" if largest < 0.001 && largest > 0.0 => (1e-6, "µs"),
        "s" if largest < 1.0 && largest > 0.0 => (0.001, "ms"),
        unit => (1.0, unit),
    }
}

/// `11× more often`; `ratio` is after to before.
pub(super) fn more_often(ratio: f64) -> String {
    let (size, word) = if ratio >= 1.0 { (ratio, "more") } else { (1.0 / ratio, "less") };
    if size > MOST_CHANGE {
        format!("more than 100× {word} often")
    } else {
        format!("{}× {word} often", times(size))
    }
}

fn times(size: f64) -> String {
    if size < 10.0 { format!("{size:.1}").trim_end_matches(".0").to_owned() } else { format!("{size:.0}") }
}

/// `84 %`.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "under 0.1 %".to_owned()
    } else if percent < 10.0 && percent.fract() > 0.05 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// `silent since 14:05:20`.
pub(super) fn silent_since(at_ms: i64) -> String {
    [SILENT, &clock(at_ms)].concat()
}

/// `up to 300 ms; before 80 ms`.
pub(super) fn peak(series: &Series, moved: &Move, change: Change) -> String {
    let (times, each) = each_time(series, moved);
    let value = |value: f64| with_unit(times * value, unit_of(&series.path));
    let way = if change == Change::Up { "up" } else { "down" };
    format!("{way} to {}{each}; before {}{each}", value(moved.all.peak), value(moved.median.before))
}

/// `silent since 14:05:20; before 80 ms`, `…; before 44 a second`.
pub(super) fn silent_series(series: &Series, moved: &Move, at_ms: i64) -> String {
    let (times, each) = each_time(series, moved);
    let before = with_unit(times * moved.median.before, unit_of(&series.path));
    format!("{}; before {before}{each}", silent_since(at_ms))
}

/// `counts from 0 again since 14:05:20`.
pub(super) fn again_since(at_ms: i64) -> String {
    [AGAIN, &clock(at_ms)].concat()
}

/// The time of day, UTC.
pub(super) fn clock(at_ms: i64) -> String {
    let text = Timestamp::from_millis(at_ms).to_string();
    text.get(11..19).unwrap_or(&text).to_owned()
}

/// `12.5 a minute`.
pub(super) fn rate(count: f64, buckets: f64, step_ms: i64) -> String {
    let minutes = (buckets * step_ms as f64 / 60_000.0).max(1e-9);
    let rate = count / minutes;
    if rate >= 1.0 || rate <= 0.0 {
        format!("{} a minute", number(rate))
    } else {
        format!("{} an hour", number(rate * 60.0))
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    let (scale, unit) = readable_unit(value.abs(), unit);
    let value = value / scale;
    match unit {
        "" => number(value),
        // As its chart writes them, which stands beside it.
        BYTES => format_value(value, "bytes"),
        unit => format!("{} {unit}", number(value)),
    }
}

/// A smaller number has its power of ten beside it.
const TINY: f64 = 1e-5;

/// Three digits that count, thousands and more as k, M, G, T.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && size < TINY {
        return format_value(value, "none");
    }
    let scales = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")];
    if let Some((scale, letter)) = scales.into_iter().find(|(scale, _)| size >= *scale) {
        let scale = if letter == "k" { 1e3 } else { scale };
        return format!("{} {letter}", digits(value / scale));
    }
    digits(value)
}

fn digits(value: f64) -> String {
    let size = value.abs();
    let places = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else {
        (2 - size.log10().floor() as i64).clamp(2, 6) as usize
    };
    let text = format!("{value:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The unit that a name ends in, where it ends in one; in front of what only says which of many values it is (`latency_ms.p95`).
pub(super) fn unit_of(path: &str) -> &'static str {
    let mut words = path.split(';').next().unwrap_or(path).rsplit(['.', '_', '-']);
    let end = words.find(|word| !picks_one(word)).unwrap_or_default();
    UNITS.iter().find(|(ending, _)| *ending == end).map_or("", |(_, unit)| unit)
}

/// `p95`, `max`, `upper`, `90`: of the same unit as what it is taken from.
fn picks_one(word: &str) -> bool {
    const PICKED: [&str; 11] =
        ["max", "min", "total", "mean", "avg", "average", "median", "upper", "lower", "last", "value"];
    let digits = word.strip_prefix('p').unwrap_or(word);
    PICKED.contains(&word) || (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The unit behind a pattern's hole: the word that follows it at once, where it is a unit.
pub(super) fn unit_after(template: &str, hole: usize) -> &'static str {
    let Some(rest) = template.split("<*>").nth(hole + 1) else { return "" };
    let word: String = rest
        .trim_start_matches(' ')
        .chars()
        .take_while(|letter| letter.is_alphabetic() || *letter == '%')
        .collect();
    match word.as_str() {
        "%" => "%",
        "s" => "s",
        "B" => "B",
        word => UNITS.iter().find(|(ending, _)| *ending == word).map_or("", |(_, unit)| unit),
    }
}

#[cfg(test)]
mod tests {
    use super::super::moved::Sides;
    use super::*;

    #[test]
    fn few_points_have_no_spread() {
        let moved = |points: f64| Move {
            points: Sides { before: 30.0, after: points },
            deviation: Sides { before: 4.0, after: 0.0 },
            ..Move::default()
        };
        let of = |points| series(&Series::default(), &moved(points), Change::Shape);
        assert_eq!([of(3.0), of(4.0)], ["moves otherwise around 0", "swings less: ±4 → ±0"]);
        let bytes = Series { path: "net.bytes".into(), nature: Nature::Rate, ..Series::default() };
        let deviation = Sides { before: 239.0, after: 4_380.0 };
        let moved = Move { deviation, mean: Sides { before: 2e4, after: 2e4 }, ..moved(4.0) };
        assert_eq!(series(&bytes, &moved, Change::Shape), "swings more: ±239 B → ±4.28 KiB a second");
    }

    #[test]
    fn a_counter_is_told_by_how_much_it_grows_in_some_time() {
        let told = |path: &str, before: f64, after: f64, at_limit: bool| {
            let sides = Sides { before, after };
            let moved = Move { median: sides, mean: sides, at_limit, ..Move::default() };
            let one = Series { path: path.into(), nature: Nature::Rate, ..Series::default() };
            [Change::Up, Change::Gone, Change::New].map(|change| series(&one, &moved, change))
        };
        let new = |each: &str| format!("new: {each}");
        assert_eq!(
            told("requests", 44.0, 22.0, false),
            ["44 → 22 a second", "no values; before 44 a second", &new("22 a second")]
        );
        assert_eq!(told("requests", 0.0, 0.05, false)[0], "0 → 3 a minute");
        assert_eq!(told("requests", 0.002, 0.0, false)[0], "7.2 → 0 an hour");
        assert_eq!(told("net_bytes_total", 1_048_576.0, 125e6, true)[0], "1 MiB → 119 MiB a second");
    }

    #[test]
    fn sizes_read_as_a_person_says_them() {
        assert_eq!(from_to(80.2, 912.4, "ms"), "80.2 → 912 ms");
        assert_eq!(from_to(2.33e-10, 0.0, ""), "2.33e−10 → 0");
        assert_eq!(from_to(1.6e6, 0.72e9, "B"), "1.53 MiB → 687 MiB");
        assert_eq!(from_to(12.0, 900.0, "B"), "12 B → 900 B");
        assert_eq!(from_to(709.0, 16_120.0, "ms"), "0.709 → 16.1 s");
        assert_eq!(from_to(0.012, 0.94, "s"), "12 → 940 ms");
        assert_eq!(from_to(0.000_02, 0.000_5, "s"), "20 → 500 µs");
        assert_eq!(from_to(0.5, 63.0, "s"), "0.5 → 63 s");
        assert_eq!(from_to(141.0, 5_520.0, "s"), "2.35 → 92 min");
        assert_eq!(from_to(7_200.0, 90_000.0, "s"), "2 → 25 h");
        assert_eq!(from_to(0.0, 0.001_23, ""), "0 → 0.00123");
        assert_eq!(more_often(11.2), "11× more often");
        assert_eq!(more_often(0.25), "4× less often");
        assert_eq!(more_often(400.0), "more than 100× more often");
        assert_eq!([0.84, 0.084, 0.000_2].map(percent), ["84 %", "8.4 %", "under 0.1 %"]);
        assert_eq!(silent_since(50_720_000), "silent since 14:05:20");
        assert_eq!(rate(60.0, 6.0, 10_000), "60 a minute");
        assert_eq!(rate(1.0, 180.0, 10_000), "2 an hour");
    }

    #[test]
    fn a_unit_is_said_only_where_the_name_or_the_text_leaves_no_doubt() {
        assert_eq!(unit_of("shop.cart.add.p95_ms"), "ms");
        assert_eq!(unit_of("shop.forms"), "");
        assert_eq!(unit_of("shop.cart.latency_ms.p95"), "ms");
        assert_eq!(unit_of("stats.timers.cart.ms.upper_90"), "ms");
        assert_eq!(unit_of("shop.cart.ms.count"), "");
        assert_eq!(unit_of("p95"), "");
        assert_eq!(unit_of("disk.used_bytes;host=a"), "B");
        assert_eq!(unit_after("GET <*> took <*> ms", 1), "ms");
        assert_eq!(unit_after("GET <*> took <*> ms", 0), "");
        assert_eq!(unit_after("used <*>%", 0), "%");
    }
}

//! Values as people read them: `1.5 GiB`, `900 ms`, `12.4 k`.
//!
//! A unit is what a panel names: `ms`, `s`, `%`, `bytes`, `bytes/s`, `bits/s`, empty for counts, `binary` for counts in powers of
//! 1,024, `none` for bare numbers, or any other text, which is written behind the number as it is.

/// A longer unit of a panel's own is left out on the axis, where the gutter has one width.
const AXIS_UNIT_CHARS: usize = 4;

/// One size of a unit: the value it stands for and its name.
pub(super) type Step = (f64, &'static str);

const TIME_MS: [Step; 7] = [
    (1e-6, " ns"),
    (1e-3, " µs"),
    (1.0, " ms"),
    (1e3, " s"),
    (60e3, " min"),
    (3_600e3, " h"),
    (86_400e3, " d"),
];
const TIME_S: [Step; 7] = [
    (1e-9, " ns"),
    (1e-6, " µs"),
    (1e-3, " ms"),
    (1.0, " s"),
    (60.0, " min"),
    (3_600.0, " h"),
    (86_400.0, " d"),
];
const COUNTS: [Step; 5] = [(1.0, ""), (1e3, " k"), (1e6, " M"), (1e9, " G"), (1e12, " T")];
const BITS: [Step; 5] = [(1.0, " b/s"), (1e3, " kb/s"), (1e6, " Mb/s"), (1e9, " Gb/s"), (1e12, " Tb/s")];
const KIB: f64 = 1_024.0;
const MIB: f64 = KIB * KIB;
const GIB: f64 = KIB * MIB;
const TIB: f64 = KIB * GIB;
const BYTES: [Step; 5] = [(1.0, " B"), (KIB, " KiB"), (MIB, " MiB"), (GIB, " GiB"), (TIB, " TiB")];
const BYTE_RATES: [Step; 5] =
    [(1.0, " B/s"), (KIB, " KiB/s"), (MIB, " MiB/s"), (GIB, " GiB/s"), (TIB, " TiB/s")];
const BINARY: [Step; 5] = [(1.0, ""), (KIB, " Ki"), (MIB, " Mi"), (GIB, " Gi"), (TIB, " Ti")];
const PLAIN: [Step; 1] = [(1.0, "")];
const PERCENT: [Step; 1] = [(1.0, " %")];

fn steps_of(unit: &str) -> &'static [Step] {
    match unit {
        "ms" => &TIME_MS,
        "s" => &TIME_S,
        "%" => &PERCENT,
        "bytes" => &BYTES,
        "bytes/s" => &BYTE_RATES,
        "bits/s" => &BITS,
        "binary" => &BINARY,
        "none" => &PLAIN,
        _ => &COUNTS,
    }
}

/// Whether a unit's sizes are bare prefixes: of nothing there are no thousands.
fn is_count(unit: &str) -> bool {
    steps_of(unit).iter().any(|(_, name)| name.is_empty())
}

/// What stands behind the number's own prefix: the panel's text where the unit is not one of ours.
fn own_text(unit: &str) -> &str {
    match unit {
        "ms" | "s" | "%" | "bytes" | "bytes/s" | "bits/s" | "binary" | "none" => "",
        other => other,
    }
}

fn short_text(unit: &str) -> &str {
    Some(own_text(unit)).filter(|own| own.chars().count() <= AXIS_UNIT_CHARS).unwrap_or_default()
}

/// The largest size that is not above the magnitude; the smallest where all are.
fn step_for(unit: &str, magnitude: f64) -> Step {
    let steps = steps_of(unit);
    let natural = if magnitude == 0.0 { 1.0 } else { magnitude };
    // A hair of slack: 1000 ms that came out of a sum as 999.9999999 are a second.
    steps.iter().rev().find(|(size, _)| natural >= size * (1.0 - 1e-9)).copied().unwrap_or(steps[0])
}

/// The sizes in which an axis of this magnitude may count, the natural one first, then the finer ones: a narrow part of a
/// large range needs more digits than the natural one leaves room for.
pub(super) fn sizes_at(unit: &str, magnitude: f64) -> impl Iterator<Item = Step> {
    let natural = step_for(unit, magnitude);
    let finer = steps_of(unit).iter().rev().copied().filter(move |(size, _)| *size < natural.0);
    std::iter::once(natural).chain(finer)
}

/// A value with its unit, to three digits or all before the point: `812 ms`, `1.25 s`, `60 %`.
pub fn format_value(value: f64, unit: &str) -> String {
    format_among(value, unit, f64::INFINITY)
}

/// The same among values that lie so far apart, to a hundredth of that: `99.991 %` where all lie between 99.9 and 100.
pub fn format_among(value: f64, unit: &str, spread: f64) -> String {
    format_with(value, unit, own_text(unit), spread)
}

/// The same where room is short, at most [`LABEL_CHARS`]: without a panel's own unit when that is long, and to fewer digits.
pub(super) fn format_short(value: f64, unit: &str, spread: f64) -> String {
    let ways = [(short_text(unit), spread), ("", spread), (short_text(unit), f64::INFINITY)];
    let texts = ways.into_iter().map(|(own, spread)| format_with(value, unit, own, spread));
    texts
        .into_iter()
        .find(|text| fits(text))
        .unwrap_or_else(|| format_with(value, unit, "", f64::INFINITY).trim_end_matches("/s").to_owned())
}

fn format_with(value: f64, unit: &str, own: &str, spread: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let (size, name) = step_for(unit, value.abs());
    let number = value / size;
    let finer = (spread / 100.0 / size).log10().floor();
    let finer = if finer < 0.0 && finer.is_finite() { (-finer) as usize } else { 0 };
    let decimals = match number.abs() {
        // What is not a hundred yet is not told to be.
        n if (99.95..100.0).contains(&n) => 2,
        n if n >= 99.95 => 0,
        n if n >= 9.995 => 1,
        n if n >= 0.01 || n == 0.0 => 2,
        _ => return with_unit(&format!("{number:.2e}"), name, own),
    };
    let decimals = decimals.max(finer.min(MOST_DECIMALS));
    with_unit(&trim_zeros(format!("{number:.decimals$}")), name, own)
}

/// So many characters of a label fit the gutters: 11 px of a font whose characters are six tenths as wide as high.
pub(super) const LABEL_CHARS: usize = 10;

fn fits(label: &str) -> bool {
    label.chars().count() <= LABEL_CHARS
}

/// The labels of an axis whose ticks are `step` apart, counted in one size: all with as many decimals as the step needs. `None`
/// where that is more than the gutter holds.
pub(super) fn format_ticks(values: &[f64], step: f64, size: Step, unit: &str) -> Option<Vec<String>> {
    let (size, name) = size;
    let most = values.iter().fold(0.0f64, |most, value| most.max(value.abs())) / size;
    // No "-0": a tick a rounding error beside zero is zero.
    let is_zero = |value: f64| value.abs() < step / 2.0;
    // Beyond all sizes of the unit: the bare numbers.
    let is_beyond = most >= 1e10 || (most >= 1e6 && size > 1.0) || most < 1e-4;
    let decimals = decimals_of(step / size);
    if decimals > MOST_DECIMALS && !is_beyond {
        return None;
    }
    let label = |value: f64, name: &str, own: &str| match value {
        value if is_zero(value) => with_unit("0", if is_beyond || is_count(unit) { "" } else { name }, own),
        value if is_beyond => with_unit(&scientific(value, step), "", ""),
        value => with_unit(&format!("{:.decimals$}", value / size), name, own),
    };
    let labels = |(name, own): (&str, &str)| -> Vec<String> {
        values.iter().map(|value| label(*value, name, own)).collect()
    };
    // Many digits leave room for the prefix alone: the panel's head has the unit.
    let prefix = name.trim_end_matches("b/s").trim_end_matches("/s").trim_end_matches('B');
    [(name, short_text(unit)), (name, ""), (prefix, "")]
        .into_iter()
        .map(labels)
        .find(|labels| labels.iter().all(|label| fits(label)))
}

/// A number by its power of ten, with as many digits as a step needs: `1.25e12`.
fn scientific(value: f64, step: f64) -> String {
    let power = |number: f64| number.abs().log10().floor();
    let digits = power(value) - power(step) + decimals_of(step / 10f64.powf(power(step))) as f64;
    format!("{value:.*e}", digits.clamp(0.0, 17.0) as usize)
}

/// More decimals than this are not written.
const MOST_DECIMALS: usize = 8;

/// How many decimals a number above zero needs to be told exactly; one more than are written where those are not enough.
fn decimals_of(number: f64) -> usize {
    let is_exact = |decimals: &usize| {
        let scaled = number * 10f64.powi(*decimals as i32);
        scaled.round() >= 1.0 && (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    (0..=MOST_DECIMALS).find(is_exact).unwrap_or(MOST_DECIMALS + 1)
}

fn with_unit(number: &str, name: &str, own: &str) -> String {
    let separator = if own.is_empty() { "" } else { " " };
    format!("{number}{name}{separator}{own}").replace('-', "−")
}

fn trim_zeros(number: String) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        let check = |value: f64, unit: &str, text: &str| {
            assert_eq!(format_value(value, unit), text, "{value} {unit}");
        };
        check(812.0, "ms", "812 ms");
        check(1_250.0, "ms", "1.25 s");
        check(0.0, "ms", "0 ms");
        check(0.25, "ms", "250 µs");
        check(0.25, "s", "250 ms");
        check(7_200.0, "s", "2 h");
        check(60.0, "%", "60 %");
        check(2.7432, "%", "2.74 %");
        check(1_536.0, "bytes", "1.5 KiB");
        check(1e6, "bits/s", "1 Mb/s");
        check(1_234_567.0, "", "1.23 M");
        check(-1_500.0, "", "−1.5 k");
        check(42.0, "requests", "42 requests");
        check(4_200.0, "req", "4.2 k req");
        check(0.000_012, "", "1.20e−5");
        check(f64::NAN, "ms", "–");
        check(99.97, "%", "99.97 %");
        check(100.4, "%", "100 %");
        assert_eq!(format_short(-12.4 * GIB, "bytes/s", f64::INFINITY), "−12.4 GiB");
        check(f64::INFINITY, "", "–");
        check(2_048.0, "binary", "2 Ki");
        check(123_456.0, "none", "123456");
        check(999.999_999_999_9, "ms", "1 s");
    }

    #[test]
    fn values_that_lie_close_together_are_told_apart() {
        let check = |value: f64, unit: &str, spread: f64, text: &str| {
            assert_eq!(format_among(value, unit, spread), text, "{value} {unit} among {spread}");
        };
        check(99.991_2, "%", 0.08, "99.9912 %");
        check(99.991_2, "%", 80.0, "99.99 %");
        check(12_099_950.0, "", 200.0, "12.09995 M");
        check(12_099_950.0, "", 2e6, "12.1 M");
        check(12_099_950.0, "", 0.0, "12.1 M");
        check(1_250.0, "ms", 1e-300, "1.25 s");
        assert_eq!(format_short(12_099_950.0, "", 200.0), "12.09995 M");
        assert_eq!(format_short(12_099_950.25, "req", 0.5), "12.1 M req");
    }

    #[test]
    fn an_axis_has_one_size_and_as_many_decimals_as_its_step() {
        let check = |values: &[f64], step: f64, unit: &str, labels: &[&str]| {
            let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
            let most = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
            let found = format_ticks(values, step, step_for(unit, most), unit);
            assert_eq!(found, Some(labels));
        };
        check(&[0.0, 500.0, 1_000.0], 500.0, "ms", &["0 s", "0.5 s", "1.0 s"]);
        check(&[0.0, 25.0], 25.0, "%", &["0 %", "25 %"]);
        check(&[0.0, 0.25, 0.5], 0.25, "", &["0", "0.25", "0.50"]);
        check(&[0.0, 1_000.0], 1_000.0, "requests per second", &["0", "1 k"]);
        check(&[-1e-17, 10.0], 10.0, "", &["0", "10"]);
        check(&[0.0, MIB], MIB, "bytes/s", &["0 MiB/s", "1 MiB/s"]);
        check(&[3.8 * GIB, 3.85 * GIB], 0.05 * GIB, "bytes", &["3.80 GiB", "3.85 GiB"]);
        check(&[1e18, 1.5e18], 0.5e18, "", &["1.0e18", "1.5e18"]);
        check(&[0.0, 2e-9, 4e-9], 2e-9, "", &["0", "2e−9", "4e−9"]);
        check(&[0.0, 2.5e-9], 2.5e-9, "", &["0", "2.5e−9"]);
    }
}

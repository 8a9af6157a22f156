//! How numbers stand in the names of series: as Python writes them.

/// Widths and precisions that texts ask for may be so large.
const MAX_WIDTH: usize = 99;

/// A float as `%g` writes it: six digits, no zeros at the end, an exponent where it is far from 1.
pub(super) fn general(value: f64) -> String {
    general_to(value, 6)
}

/// The same with other than six digits.
fn general_to(value: f64, digits: usize) -> String {
    let digits = digits.max(1);
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let text = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = with_exponent(&text);
    let trim = |text: &str| {
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        text.to_owned()
    };
    if (-4..digits as i32).contains(&exponent) {
        return trim(&format!("{value:.*}", (digits as i32 - 1 - exponent) as usize));
    }
    scientific(&trim(mantissa), exponent)
}

/// What Rust writes by `e`, in two.
fn with_exponent(text: &str) -> (&str, i32) {
    let (mantissa, exponent) = text.split_once('e').expect("the format has an exponent");
    (mantissa, exponent.parse().expect("the format's exponent is a number"))
}

/// The same as Python writes it: with a sign and two digits.
fn scientific(mantissa: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// A float as `str` writes it: the shortest text that reads back as the same.
pub(super) fn plain(value: f64) -> String {
    if value.is_nan() || value.is_infinite() {
        return general(value);
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = with_exponent(&text);
        return scientific(mantissa, exponent);
    }
    format!("{value:?}")
}

/// Letters of large numbers, with the size of each.
pub(super) type Units = &'static [(&'static str, f64)];
/// Powers of 1000.
pub(super) const SI: Units = &[("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)];
/// Powers of 1024.
pub(super) const BINARY: Units = &[
    ("Pi", 1_125_899_906_842_624.0),
    ("Ti", 1_099_511_627_776.0),
    ("Gi", 1_073_741_824.0),
    ("Mi", 1_048_576.0),
    ("Ki", 1024.0),
];
/// Lengths of time in seconds.
pub(super) const SECONDS: Units =
    &[("Y", 31_536_000.0), ("M", 2_592_000.0), ("D", 86_400.0), ("H", 3_600.0), ("m", 60.0)];
/// Lengths of time in milliseconds.
pub(super) const MILLISECONDS: Units = &[
    ("Y", 31_536_000_000.0),
    ("M", 2_592_000_000.0),
    ("D", 86_400_000.0),
    ("H", 3_600_000.0),
    ("m", 60_000.0),
    ("s", 1_000.0),
];

/// A value with two digits behind the point, shortened by the letter of its size.
pub(super) fn with_unit(value: f64, units: Units) -> String {
    let (number, letter) = shortened(value, units);
    format!("{number:.2}{letter}")
}

/// A value divided by the largest size that it reaches, and that size's letter.
pub(super) fn shortened(value: f64, units: Units) -> (f64, &'static str) {
    let found = units.iter().find(|(_, size)| value.abs() >= *size);
    let (letter, size) = found.copied().unwrap_or(("", 1.0));
    (value / size, letter)
}

/// A text in which the one `%d`, `%g`, `%.2f`, `%s` … stands for a number, as Python prints it; `None` where it has not
/// exactly one.
pub(super) fn printed(form: &str, value: f64) -> Option<String> {
    let (mut out, mut rest, mut is_printed) = (String::new(), form, false);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        if is_printed {
            return None;
        }
        is_printed = true;
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        out.push_str(&one_printed(&rest[..end], rest[end..].chars().next()?, value)?);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    is_printed.then_some(out)
}

/// What a letter prints, with the flags, width and precision before it.
fn one_printed(options: &str, letter: char, value: f64) -> Option<String> {
    let size = options.trim_start_matches(['-', '+', ' ', '0']);
    let flags = &options[..options.len() - size.len()];
    let (width, precision) = size.split_once('.').map_or((size, None), |(width, rest)| (width, Some(rest)));
    let number =
        |text: &str| if text.is_empty() { Some(0) } else { text.parse().ok().filter(|n| *n <= MAX_WIDTH) };
    let width = number(width)?;
    let precision = precision.map(number).map_or(Some(None), |given| given.map(Some))?;
    let text = match letter {
        'd' | 'i' | 'u' if value.is_finite() => format!("{:.0}", value.trunc() + 0.0),
        'f' | 'F' => format!("{value:.*}", precision.unwrap_or(6)),
        'g' | 'G' => general_to(value, precision.unwrap_or(6)),
        'e' | 'E' if value.is_finite() => {
            let text = format!("{value:.*e}", precision.unwrap_or(6));
            let (mantissa, exponent) = with_exponent(&text);
            scientific(mantissa, exponent)
        }
        's' | 'r' => plain(value),
        _ => return None,
    };
    let text = match (flags.contains('+'), flags.contains(' ')) {
        _ if text.starts_with('-') || matches!(letter, 's' | 'r') => text,
        (true, _) => format!("+{text}"),
        (_, true) => format!(" {text}"),
        _ => text,
    };
    Some(match (flags.contains('-'), flags.contains('0')) {
        (true, _) => format!("{text:<width$}"),
        (_, true) if !matches!(letter, 's' | 'r') => {
            let sign = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
            format!("{}{:0>width$}", &text[..sign], &text[sign..], width = width.saturating_sub(sign))
        }
        _ => format!("{text:>width$}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let check = |value: f64, by_g: &str, by_str: &str| {
            assert_eq!((general(value).as_str(), plain(value).as_str()), (by_g, by_str), "{value}");
        };
        check(2.0, "2", "2.0");
        check(-0.5, "-0.5", "-0.5");
        check(1e3, "1000", "1000.0");
        check(1_234_567.0, "1.23457e+06", "1234567.0");
        check(100_000.0, "100000", "100000.0");
        check(1e-5, "1e-05", "1e-05");
        check(0.000_123_456_7, "0.000123457", "0.0001234567");
        check(1e16, "1e+16", "1e+16");
        check(1.0 / 3.0, "0.333333", "0.3333333333333333");
        check(0.0, "0", "0.0");
        check(f64::INFINITY, "inf", "inf");
        check(999_999.9, "1e+06", "999999.9");
    }

    #[test]
    fn a_text_prints_one_number() {
        let check = |form: &str, value: f64, expected: Option<&str>| {
            assert_eq!(printed(form, value).as_deref(), expected, "{form}");
        };
        check("%d req/s", -2.9, Some("-2 req/s"));
        check("100%% of %.1f", 2.25, Some("100% of 2.2"));
        check("[%+08.2f]", 2.5, Some("[+0002.50]"));
        check("[%-6g]", 0.5, Some("[0.5   ]"));
        check("%.2e", 12_345.0, Some("1.23e+04"));
        check("%s", 5.0, Some("5.0"));
        check("%6s", 5.0, Some("   5.0"));
        check("no number", 5.0, None);
        check("%d %d", 5.0, None);
        check("%d", f64::INFINITY, None);
        check("%x", 5.0, None);
        check("%", 5.0, None);
        check("%999999999d", 5.0, None);
        check("%.999999999f", 5.0, None);
        check("%é", 5.0, None);
    }
}

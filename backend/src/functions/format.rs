//! How numbers stand in the names of series: as Python writes them.

/// A float as `%g` writes it: six digits, no zeros at the end, an exponent where it is far from 1.
pub(super) fn general(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{value:.5e}");
    let (digits, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the format's exponent is a number");
    let trim = |text: &str| {
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        text.to_owned()
    };
    if (-4..6).contains(&exponent) {
        return trim(&format!("{value:.*}", (5 - exponent) as usize));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim(digits), exponent.abs())
}

/// A float as `str` writes it: the shortest text that reads back as the same.
pub(super) fn plain(value: f64) -> String {
    if value.is_nan() || value.is_infinite() {
        return general(value);
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').expect("the format has an exponent");
        let exponent: i32 = exponent.parse().expect("the format's exponent is a number");
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    format!("{value:?}")
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
}

//! Decimal numbers as they are typed and sent, each as the nearest `f64`.
//!
//! In the page the browser does it: the standard library's table of powers, ten kilobytes that no compression makes smaller, would
//! be a fortieth of it.

/// The number that a text is, with a sign, a point and an exponent where it has them; `None` where it is something else, also
/// for `inf` and `nan`. What is too large is infinite.
pub fn parse_decimal(text: &str) -> Option<f64> {
    is_decimal(text.as_bytes()).then(|| nearest(text))
}

fn is_decimal(text: &[u8]) -> bool {
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, part) = match unsigned(mantissa).split(|byte| *byte == b'.').collect::<Vec<_>>()[..] {
        [whole] => (whole, &[][..]),
        [whole, part] => (whole, part),
        _ => return false,
    };
    let are_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let is_exponent = |text: &[u8]| !text.is_empty() && are_digits(text);
    !(whole.is_empty() && part.is_empty())
        && are_digits(whole)
        && are_digits(part)
        && exponent.is_none_or(|text| is_exponent(unsigned(text)))
}

fn unsigned(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text)
}

#[cfg(not(target_arch = "wasm32"))]
fn nearest(decimal: &str) -> f64 {
    decimal.parse().unwrap_or(f64::NAN)
}

/// `parseFloat` of ECMAScript, which rounds as IEEE 754 has it; a call of it takes longer than most numbers need.
#[cfg(target_arch = "wasm32")]
fn nearest(decimal: &str) -> f64 {
    of_few_digits(decimal).unwrap_or_else(|| js_sys::Number::parse_float(decimal))
}

/// A decimal number without an exponent whose digits and whose power of ten are exact as `f64`, so that one division rounds it right
/// (Clinger, "How to read floating point numbers accurately", 1990).
#[cfg(any(target_arch = "wasm32", test))]
fn of_few_digits(decimal: &str) -> Option<f64> {
    let (mut digits, mut is_fraction, mut power) = (0_u64, false, 1.0);
    for byte in unsigned(decimal.as_bytes()) {
        match byte {
            b'.' => is_fraction = true,
            b'0'..=b'9' => {
                digits = 10 * digits + u64::from(byte - b'0');
                power = if is_fraction { 10.0 * power } else { power };
            }
            _ => return None,
        }
        if digits > 1 << 53 || power > 1e22 {
            return None;
        }
    }
    let number = digits as f64 / power;
    Some(if decimal.starts_with('-') { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The standard library takes the same, but for what is no number at all.
    fn check(text: &str) {
        let expected = text.parse::<f64>().ok().filter(|_| !text.contains(['i', 'n', 'I', 'N']));
        assert_eq!(parse_decimal(text).map(f64::to_bits), expected.map(f64::to_bits), "{text}");
        if let (Some(expected), Some(number)) = (expected, of_few_digits(text)) {
            assert_eq!(number.to_bits(), expected.to_bits(), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_told_from_what_is_one() {
        [
            "0",
            "-0",
            "+1",
            "1.",
            ".5",
            "1e3",
            "1E+3",
            "1e-3",
            "007",
            "9007199254740993",
            "5e-324",
            "1e400",
            "0e99999999999999999999",
        ]
        .into_iter()
        .for_each(check);
        [
            "", "-", ".", "e1", "1e", "1e+", "1x", "1 ", " 1", "1..2", "1e1.5", "--1", "0x10", "1_000",
            "inf", "nan", "infinity",
        ]
        .into_iter()
        .for_each(check);
        assert_eq!(["inf", "nan", "1e400"].map(parse_decimal), [None, None, Some(f64::INFINITY)]);
    }

    #[test]
    fn few_digits_are_read_without_the_browser() {
        assert_eq!(
            ["-0.5", "1234.5678", "9007199254740992"].map(of_few_digits),
            [Some(-0.5), Some(1234.5678), Some(9_007_199_254_740_992.0)]
        );
        assert_eq!(["1e3", "9007199254740993", "0.00000000000000000000001"].map(of_few_digits), [None; 3]);
    }

    proptest! {
        #[test]
        fn numbers_of_few_digits_are_the_nearest(digits: u32, decimals in 0..20_u32) {
            check(&format!("{:.*}", decimals as usize, f64::from(digits) / 10_f64.powi(decimals as i32)));
        }

        #[test]
        fn what_is_written_comes_back(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            check(&format!("{number}"));
            check(&format!("{number:e}"));
        }

        #[test]
        fn digits_in_any_order_are_taken_alike(text in "[-+]?[0-9.]{0,4}[eE]?[-+]?[0-9.]{0,3}") {
            check(&text);
        }
    }
}

//! Decimal numbers as they are typed and sent, each as the nearest `f64`.
//!
//! The standard library does the same quicker, by a table of ten kilobytes that no compression makes smaller: a fortieth of the
//! page. Here most numbers take a multiplication, and the few that are long a division by hand.

use std::cmp::Ordering;

/// The most digits that can matter: no number halfway between two `f64` has more.
const MAX_DIGITS: usize = 800;

/// The number that a text is, with a sign, a point and an exponent where it has them; `None` where it is something else, also
/// for `inf` and `nan`. What is too large is infinite.
pub fn parse_decimal(text: &str) -> Option<f64> {
    let (is_negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let decimal = Decimal::read(unsigned)?;
    let number = decimal.quickly().unwrap_or_else(|| decimal.nearest());
    Some(if is_negative { -number } else { number })
}

/// `digits` as a whole number times ten to the `exponent`.
struct Decimal {
    /// From 0 to 9, the first of them none that is 0.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn read(text: &[u8]) -> Option<Self> {
        let mut decimal = Self { digits: Vec::new(), exponent: 0 };
        let (mut has_digits, mut point, mut at) = (false, false, 0);
        while let Some(byte) = text.get(at) {
            match byte {
                b'0'..=b'9' => {
                    has_digits = true;
                    decimal.push(byte - b'0', point);
                }
                b'.' if !point => point = true,
                _ => break,
            }
            at += 1;
        }
        match text.get(at) {
            None => {}
            Some(b'e' | b'E') => {
                decimal.exponent = decimal.exponent.saturating_add(exponent(&text[at + 1..])?);
            }
            Some(_) => return None,
        }
        has_digits.then_some(decimal)
    }

    fn push(&mut self, digit: u8, is_behind_point: bool) {
        let is_leading = self.digits.is_empty() && digit == 0;
        let is_kept = self.digits.len() < MAX_DIGITS;
        if is_kept && !is_leading {
            self.digits.push(digit);
        } else if !is_kept && digit > 0 {
            // That there is more, which is all that can matter.
            self.digits[MAX_DIGITS - 1] |= 1;
        }
        self.exponent += i64::from(!is_kept) - i64::from(is_behind_point);
    }

    /// Where number and power of ten are both exact, their product or quotient is rounded once, so rightly.
    fn quickly(&self) -> Option<f64> {
        let power = self.exponent.unsigned_abs();
        if self.digits.len() > 15 || power > 22 {
            return None;
        }
        let whole = self.digits.iter().fold(0, |whole: u64, digit| whole * 10 + u64::from(*digit)) as f64;
        let power = (0..power).fold(1.0, |power, _| power * 10.0);
        Some(if self.exponent < 0 { whole / power } else { whole * power })
    }

    fn nearest(&self) -> f64 {
        let magnitude = self.exponent.saturating_add(self.digits.len() as i64);
        if self.digits.is_empty() || magnitude < -330 {
            return 0.0;
        }
        if magnitude > 310 {
            return f64::INFINITY;
        }
        let (mut above, mut below) = (Big(Vec::new()), Big(vec![1]));
        self.digits.iter().for_each(|digit| above.multiply_and_add(10, u32::from(*digit)));
        let scaled = if self.exponent < 0 { &mut below } else { &mut above };
        (0..self.exponent.unsigned_abs()).for_each(|_| scaled.multiply_and_add(10, 0));
        quotient(&above, &below)
    }
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        all => (1, all),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Beyond a million all is infinite or nothing, unless there are as many digits.
    let add = |sum: i64, digit: &u8| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    Some(sign * digits.iter().fold(0, add))
}

/// The `f64` nearest to `above / below`; of two as near, the even one.
fn quotient(above: &Big, below: &Big) -> f64 {
    let guess = above.bits() - below.bits() - 53;
    let divide = |scale: i64| {
        let (mut above, mut below) = (above.clone(), below.clone());
        if scale < 0 {
            above.shift_left(-scale);
        } else {
            below.shift_left(scale);
        }
        let whole = above.divide(&below);
        above.shift_left(1);
        (whole, above.compare(&below))
    };
    let mut scale = guess.max(-1_074);
    let (mut whole, mut rest) = divide(scale);
    if whole >> 53 > 0 {
        scale += 1;
        (whole, rest) = divide(scale);
    }
    let is_up = rest == Ordering::Greater || (rest == Ordering::Equal && whole % 2 == 1);
    (whole + u64::from(is_up)) as f64 * power_of_two(scale)
}

fn power_of_two(power: i64) -> f64 {
    match power {
        1_024.. => f64::INFINITY,
        -1_022.. => f64::from_bits(((power + 1_023) as u64) << 52),
        _ => f64::from_bits(1 << (power + 1_074)),
    }
}

/// A whole number of any size, its lowest 32 bits first, without zeros at its end.
#[derive(Clone)]
struct Big(Vec<u32>);

impl Big {
    fn multiply_and_add(&mut self, factor: u32, summand: u32) {
        let mut carried = u64::from(summand);
        for part in &mut self.0 {
            carried += u64::from(*part) * u64::from(factor);
            *part = carried as u32;
            carried >>= 32;
        }
        if carried > 0 {
            self.0.push(carried as u32);
        }
    }

    fn shift_left(&mut self, bits: i64) {
        self.multiply_and_add(1 << (bits % 32), 0);
        self.0.splice(0..0, std::iter::repeat_n(0, (bits / 32) as usize));
    }

    fn bits(&self) -> i64 {
        let top = self.0.last().map_or(32, |top| i64::from(top.leading_zeros()));
        (self.0.len() as i64 * 32 - top).max(0)
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn subtract(&mut self, other: &Self) {
        let mut borrowed = false;
        for (at, part) in self.0.iter_mut().enumerate() {
            let (less, first) = part.overflowing_sub(other.0.get(at).copied().unwrap_or(0));
            let (least, second) = less.overflowing_sub(u32::from(borrowed));
            (*part, borrowed) = (least, first || second);
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// Divides by another, bit by bit, and keeps the rest; what comes out has at most 54 bits.
    fn divide(&mut self, other: &Self) -> u64 {
        (0..54).rev().fold(0, |whole, bit| {
            let mut part = other.clone();
            part.shift_left(bit);
            let fits = self.compare(&part) != Ordering::Less;
            if fits {
                self.subtract(&part);
            }
            whole << 1 | u64::from(fits)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The standard library says the same.
    fn check(text: &str) {
        let expected = text.parse::<f64>().ok().map(f64::to_bits);
        assert_eq!(parse_decimal(text).map(f64::to_bits), expected, "{text}");
    }

    #[test]
    fn numbers_are_rounded_as_the_standard_library_does() {
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
            "0.1",
            "123456789012345678",
            "1e22",
            "1e23",
            "9007199254740993",
            "9007199254740992.5",
            "9007199254740993.00000000000000000000000000000000001",
            "5e-324",
            "2e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.2250738585072011e-308",
            "1.7976931348623157e308",
            "1.7976931348623159e308",
            "1e400",
            "1e-400",
            "0e999999999999999999999",
            "1e99999999999999999999",
            "",
            "-",
            ".",
            "e1",
            "1e",
            "1e+",
            "1x",
            "1 ",
            " 1",
            "1..2",
            "1e1.5",
            "--1",
            "0x10",
            "1_000",
        ]
        .into_iter()
        .for_each(check);
        assert_eq!(["inf", "nan", "infinity"].map(parse_decimal), [None; 3]);
    }

    #[test]
    fn long_numbers_are_rounded_by_their_last_digit() {
        let half = format!("{:.1100}", f64::from_bits(1) / 2.0 + f64::from_bits(1));
        let (zeros, nines) = ("0".repeat(1_000), "9".repeat(1_000));
        for text in [
            format!("9007199254740992.5{zeros}"),
            format!("9007199254740993{zeros}1e-1001"),
            format!("9007199254740993.{zeros}1"),
            format!("0.{zeros}1e1000"),
            format!("{nines}e-990"),
            format!("{nines}e-1400"),
            half,
        ] {
            check(&text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            check(&format!("{number}"));
            check(&format!("{number:e}"));
        }

        #[test]
        fn digits_in_any_number_are_read_alike(text in "-?[0-9]{0,40}\\.?[0-9]{0,40}(e-?[0-9]{1,3})?") {
            check(&text);
        }

        #[test]
        fn halves_go_to_the_even_neighbour(whole in 1_u64 << 52..1_u64 << 53, power in 0_u32..40) {
            let half = (u128::from(whole) * 2 + 1) << power;
            (half - 1..=half + 1).for_each(|number| check(&number.to_string()));
        }
    }
}

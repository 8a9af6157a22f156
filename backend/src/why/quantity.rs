//! Numbers as lines write them: plain, or with the unit of a time, of a size or of hundredths behind them.

/// What a number is of; numbers of one kind can be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// Nothing says what of.
    #[default]
    Plain,
    /// Seconds.
    Time,
    /// Bytes.
    Size,
    /// Hundredths.
    Percent,
}

impl Measure {
    /// The unit of its numbers in [`read_quantity`]'s answers.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Time => "s",
            Self::Size => "B",
            Self::Percent => "%",
        }
    }
}

/// Whether a number can be counted with others, whose measure the first of them tells; nothing needs no unit.
pub fn is_alike(known: &mut Option<Measure>, number: f32, measure: Measure) -> bool {
    let is_zero = number == 0.0 && measure == Measure::Plain;
    is_zero || *known.get_or_insert(measure) == measure
}

/// Units as programs write them: how many seconds or bytes. Of sizes both kinds of prefixes are powers of 1,024, as most who write
/// them mean; letters alone may be of anything.
const UNITS: [(&str, Measure, f64); 30] = [
    ("ns", Measure::Time, 1e-9),
    ("us", Measure::Time, 1e-6),
    ("µs", Measure::Time, 1e-6),
    ("μs", Measure::Time, 1e-6),
    ("ms", Measure::Time, 1e-3),
    ("msec", Measure::Time, 1e-3),
    ("s", Measure::Time, 1.0),
    ("sec", Measure::Time, 1.0),
    ("secs", Measure::Time, 1.0),
    ("m", Measure::Time, 60.0),
    ("min", Measure::Time, 60.0),
    ("h", Measure::Time, 3_600.0),
    ("hr", Measure::Time, 3_600.0),
    ("d", Measure::Time, 86_400.0),
    ("B", Measure::Size, 1.0),
    ("bytes", Measure::Size, 1.0),
    ("kB", Measure::Size, 1_024.0),
    ("KB", Measure::Size, 1_024.0),
    ("KiB", Measure::Size, 1_024.0),
    ("MB", Measure::Size, 1_048_576.0),
    ("MiB", Measure::Size, 1_048_576.0),
    ("GB", Measure::Size, 1_073_741_824.0),
    ("GiB", Measure::Size, 1_073_741_824.0),
    ("TB", Measure::Size, 1_099_511_627_776.0),
    ("TiB", Measure::Size, 1_099_511_627_776.0),
    ("k", Measure::Plain, 1e3),
    ("K", Measure::Plain, 1e3),
    ("M", Measure::Plain, 1e6),
    ("G", Measure::Plain, 1e9),
    ("%", Measure::Percent, 1.0),
];

/// Digits that a double tells apart.
const MOST_DIGITS: usize = f64::DIGITS as usize;

/// A value that is a number, with its unit if it has one: `912`, `-4.5`, `1e3`, `12ms`, `1.5 MiB`, `84%`, and times of several parts
/// (`1m3.2s`). Nothing else is: no address, no version, no date.
pub fn read_quantity(text: &str) -> Option<(f32, Measure)> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let (mut sum, mut measure) = (0.0, None);
    while !rest.is_empty() {
        let (number, behind) = split_number(rest)?;
        let unit_end = behind.find(|letter: char| letter.is_ascii_digit()).unwrap_or(behind.len());
        let (of, scale) = unit(behind[..unit_end].trim_start_matches(' '))?;
        // Only times are written in parts.
        if measure.is_some_and(|known| known != Measure::Time || of != Measure::Time) {
            return None;
        }
        (sum, measure) = (sum + number * scale, Some(of));
        rest = &behind[unit_end..];
    }
    let number = (sign * sum) as f32;
    measure.filter(|_| number.is_finite()).map(|measure| (number, measure))
}

fn unit(text: &str) -> Option<(Measure, f64)> {
    if text.is_empty() {
        return Some((Measure::Plain, 1.0));
    }
    UNITS.iter().find(|(name, ..)| *name == text).map(|(_, measure, scale)| (*measure, *scale))
}

/// A decimal number at the start, and what comes behind it. One of more digits than a double tells apart is a name.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    if end == 0 || bytes[..end].iter().skip_while(|digit| **digit == b'0').count() > MOST_DIGITS {
        return None;
    }
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if signed < bytes.len() && digits(signed) > signed {
            end = digits(signed);
        }
    }
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_units_and_nothing_else_is() {
        let check = |text: &str, expected: Option<(f32, Measure)>| {
            assert_eq!(read_quantity(text), expected, "{text}");
        };
        let plain = |number| Some((number, Measure::Plain));
        let seconds = |number| Some((number, Measure::Time));
        let bytes = |number| Some((number, Measure::Size));
        check("912", plain(912.0));
        check("-4.5", plain(-4.5));
        check("1e3", plain(1_000.0));
        check("2E-2", plain(0.02));
        check("12ms", seconds(0.012));
        check("0.653s", seconds(0.653));
        check("820µs", seconds(0.000_82));
        check("1m3.5s", seconds(63.5));
        check("2h45m0s", seconds(9_900.0));
        check("1.5 MiB", bytes(1_572_864.0));
        check("4K", plain(4_000.0));
        check("00000000000000000007", plain(7.0));
        check("84%", Some((84.0, Measure::Percent)));
        for other in [
            "",
            "-",
            "ms",
            ".5",
            "inf",
            "nan",
            "1e99",
            "1e",
            "203.0.113.7",
            "1.2.3",
            "2026-11-20",
            "14:05:20",
            "12ms3",
            "4K2K",
            "3%4%",
            "12 ms ago",
            "7x",
            "0x1f",
            "1,284",
            "5e",
            "1764979190123456789",
            "1m3",
            "12µ",
        ] {
            check(other, None);
        }
    }
}

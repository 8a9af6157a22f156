//! The ways people and programs write an instant.
//!
//! RFC 3339; unix numbers in s, ms, us or ns, told apart by size; and Graphite's `from`/`until` forms
//! (`-1h`, `now`, `14:05_20111130`, `noon_yesterday`) after its `render_api` documentation, with the traps
//! mended: `12am` is midnight, and seconds parse.

use super::{Civil, Day, NANOS_PER_DAY, NANOS_PER_SEC, Timestamp};
use crate::decimal::parse_decimal;

/// Why a text is no instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time; write 2026-11-20T14:05:00Z, 1763647500, 14:05, 14:05_20261120, now or -1h")]
pub struct TimeError {
    /// What was given, shortened to 64 characters.
    pub text: String,
}

/// A time as it was written: fixed, or moving with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSpec {
    /// An instant.
    Absolute(Timestamp),
    /// So many nanoseconds after now; negative for the past.
    Relative(i64),
}

impl TimeSpec {
    /// Reads a written time. What names a clock or a day (`14:05`, `yesterday`) is fixed against `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, TimeError> {
        let text = text.trim();
        let error = || TimeError { text: text.chars().take(64).collect() };
        parse_absolute(text).map(Self::Absolute).or_else(|| parse_graphite(text, now)).ok_or_else(error)
    }

    /// The instant this means at `now`.
    pub fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Absolute(at) => at,
            Self::Relative(offset) => now.plus_nanos(offset),
        }
    }
}

/// The instant that a written time means at `now`.
pub fn parse_time(text: &str, now: Timestamp) -> Result<Timestamp, TimeError> {
    TimeSpec::parse(text, now).map(|spec| spec.resolve(now))
}

fn parse_absolute(text: &str) -> Option<Timestamp> {
    if let Some(at) = parse_rfc3339(text.as_bytes()) {
        return Some(at);
    }
    let looks_like_date = text.len() == 8 && Day::parse(&dashed(text)?).is_some();
    if looks_like_date { None } else { parse_unix_number(text) }.or_else(|| parse_zoneless(text))
}

/// `YYYYMMDD` as `YYYY-MM-DD`; other texts get dashes too and are then no dates.
fn dashed(text: &str) -> Option<String> {
    match text.len() {
        8 => Some(format!("{}-{}-{}", text.get(..4)?, text.get(4..6)?, text.get(6..)?)),
        _ => Some(String::new()),
    }
}

/// `2026-11-20`, `2026-11-20T14:05` or `2026-11-20 14:05:30.5`, taken as UTC.
fn parse_zoneless(text: &str) -> Option<Timestamp> {
    let day = Day::parse(text.get(..10)?)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(day.start());
    }
    let in_day = parse_clock(rest.strip_prefix(['T', 't', ' ', '_'])?)?;
    Some(day.start().plus_nanos(in_day))
}

/// Reads RFC 3339 from bytes without allocating. A lower-case `t` or `z`, a space for the `T` and any number
/// of fraction digits are taken; digits past the ninth are dropped.
pub fn parse_rfc3339(text: &[u8]) -> Option<Timestamp> {
    let number = |from: usize, to: usize| digits(text.get(from..to)?);
    let sep = |at: usize, allowed: &[u8]| text.get(at).is_some_and(|b| allowed.contains(b));
    if !(sep(4, b"-") && sep(7, b"-") && sep(10, b"Tt ") && sep(13, b":") && sep(16, b":")) {
        return None;
    }
    let (nanos, used) = fraction(&text[19.min(text.len())..])?;
    let local = Civil {
        year: number(0, 4)? as i32,
        month: number(5, 7)?,
        day: number(8, 10)?,
        hour: number(11, 13)?,
        minute: number(14, 16)?,
        second: number(17, 19)?,
        nanos,
    }
    .timestamp()?;
    let offset_secs = zone_offset(&text[19 + used..])?;
    local.as_nanos().checked_sub(offset_secs * NANOS_PER_SEC).map(Timestamp::from_nanos)
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0_u32, |sum, b| {
        b.is_ascii_digit().then(|| sum.checked_mul(10)?.checked_add(u32::from(b - b'0'))).flatten()
    })
}

/// Nanoseconds of a leading `.123` and the bytes it takes; no dot is zero.
fn fraction(text: &[u8]) -> Option<(u32, usize)> {
    if text.first() != Some(&b'.') {
        return Some((0, 0));
    }
    let count = text[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let kept = digits(&text[1..=count.min(9)])?;
    Some((kept * 10_u32.pow(9 - count.min(9) as u32), count + 1))
}

fn zone_offset(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, minutes) = match rest {
                [_, _, b':', _, _] => (digits(&rest[..2])?, digits(&rest[3..])?),
                [_, _, _, _] => (digits(&rest[..2])?, digits(&rest[2..])?),
                _ => return None,
            };
            let secs = i64::from(hours * 3_600 + minutes * 60);
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -secs } else { secs })
        }
        _ => None,
    }
}

/// Reads a unix number, whole or with a fraction, in seconds, ms, us or ns: the unit is the coarsest that keeps
/// the instant before the year 5138 (below 1e11 s, 1e14 ms, 1e17 us).
pub fn parse_unix_number(text: &str) -> Option<Timestamp> {
    let (sign, body) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, frac) = body.split_once('.').unwrap_or((body, ""));
    let plain = !whole.is_empty() && whole.len() <= 19;
    if !plain || !whole.bytes().chain(frac.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i64 = whole.parse().ok()?;
    // A short negative number is an offset that lacks its unit, not an instant of 1969.
    if sign < 0 && value < 100_000_000 {
        return None;
    }
    let unit = match value {
        0..100_000_000_000 => NANOS_PER_SEC,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    let part = if frac.is_empty() { 0.0 } else { parse_decimal(&["0.", frac].concat())? * unit as f64 };
    let nanos = value.checked_mul(unit)?.checked_add(part.round() as i64)?;
    Some(Timestamp::from_nanos(sign * nanos))
}

/// Graphite's `reference[+-offset…]`.
fn parse_graphite(text: &str, now: Timestamp) -> Option<TimeSpec> {
    if !text.is_ascii() {
        return None;
    }
    let text: String = text.to_ascii_lowercase().chars().filter(|c| !matches!(c, '_' | ',' | ' ')).collect();
    let split = text.find('+').or_else(|| text.find('-')).unwrap_or(text.len());
    let (reference, offset) = text.split_at(split);
    let offset = if offset.is_empty() { 0 } else { parse_offset(offset)? };
    match reference {
        "" if split == text.len() => None,
        "" | "now" => Some(TimeSpec::Relative(offset)),
        _ => Some(TimeSpec::Absolute(parse_reference(reference, now)?.plus_nanos(offset))),
    }
}

fn parse_offset(text: &str) -> Option<i64> {
    let magnitude = parse_duration_ns(&text[1..])?;
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// Reads a length of time, `90s`, `1h30min`, `2d`, as nanoseconds. Units by prefix: `ms`, `s`, `m` or `min`, `h`,
/// `d`, `w`, `mon` (30 days), `y` (365 days). At least one pair; a number without a unit is an error.
pub fn parse_duration_ns(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits_len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: i64 = rest.get(..digits_len)?.parse().ok()?;
        rest = &rest[digits_len..];
        let unit_len = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        total = total.checked_add(count.checked_mul(unit_nanos(&rest[..unit_len])?)?)?;
        rest = &rest[unit_len..];
    }
    (!text.is_empty()).then_some(total)
}

fn unit_nanos(unit: &str) -> Option<i64> {
    let secs = match unit {
        "ms" => return Some(1_000_000),
        "m" => 60,
        _ if unit.starts_with("mon") => 30 * 86_400,
        _ if unit.starts_with("min") => 60,
        _ if unit.starts_with('s') => 1,
        _ if unit.starts_with('h') => 3_600,
        _ if unit.starts_with('d') => 86_400,
        _ if unit.starts_with('w') => 7 * 86_400,
        _ if unit.starts_with('y') => 365 * 86_400,
        _ => return None,
    };
    Some(secs * NANOS_PER_SEC)
}

/// `[clock][day]`: a day without a clock is its midnight, a clock without a day is today's, neither is now.
fn parse_reference(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (clock, day_text) = split_clock(text);
    let in_day = match clock {
        "" if day_text.is_empty() => now.as_nanos().rem_euclid(NANOS_PER_DAY),
        "" => 0,
        _ => parse_clock(clock)?,
    };
    Some(parse_day(day_text, now.day())?.start().plus_nanos(in_day))
}

fn split_clock(text: &str) -> (&str, &str) {
    for word in ["noon", "midnight", "teatime"] {
        if text.starts_with(word) {
            return text.split_at(word.len());
        }
    }
    if let Some(colon) = text.find(':').filter(|at| *at <= 2) {
        return text.split_at(clock_end(text, colon));
    }
    for half in ["am", "pm"] {
        if let Some(at) = text.find(half).filter(|at| (1..=2).contains(at)) {
            return text.split_at(at + half.len());
        }
    }
    ("", text)
}

/// Where `14:05`, `2:05pm` or `14:05:30.25` ends; fields have two digits, so that a date may follow at once.
fn clock_end(text: &str, colon: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = (colon + 3).min(text.len());
    if bytes.get(end) == Some(&b':') {
        end = (end + 3).min(text.len());
        if bytes.get(end) == Some(&b'.') {
            end += 1 + bytes[end + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        }
    }
    if text.get(end..end + 2).is_some_and(|half| half == "am" || half == "pm") { end + 2 } else { end }
}

/// Nanoseconds into the day of `14:05`, `14:05:30.25`, `2:05pm`, `6pm`, `noon`, `midnight`, `teatime`.
fn parse_clock(text: &str) -> Option<i64> {
    match text {
        "noon" => return Some(12 * 3_600 * NANOS_PER_SEC),
        "midnight" => return Some(0),
        "teatime" => return Some(16 * 3_600 * NANOS_PER_SEC),
        _ => {}
    }
    let (body, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(body), _) => (body, Some(0)),
        (_, Some(body)) => (body, Some(12)),
        _ => (text, None),
    };
    let mut parts = body.splitn(3, ':');
    let hour = digits(non_empty(parts.next()?)?.as_bytes())?;
    let minute = parts.next().map_or(Some(0), |part| digits(non_empty(part)?.as_bytes()))?;
    let (second, nanos) = parts.next().map_or(Some((0, 0)), parse_second)?;
    let hour = match half {
        Some(add) if (1..=12).contains(&hour) => hour % 12 + add,
        Some(_) => return None,
        None => hour,
    };
    let fits = hour < 24 && minute < 60 && second < 60;
    fits.then(|| i64::from(hour * 3_600 + minute * 60 + second) * NANOS_PER_SEC + i64::from(nanos))
}

fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn parse_second(text: &str) -> Option<(u32, u32)> {
    let whole = text.get(..2)?;
    let (nanos, used) = fraction(&text.as_bytes()[2..])?;
    (used + 2 == text.len()).then_some((digits(whole.as_bytes())?, nanos))
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn parse_day(text: &str, today: Day) -> Option<Day> {
    match text {
        "" | "today" => return Some(today),
        "yesterday" => return Some(Day::from_number(today.number() - 1)),
        "tomorrow" => return Some(today.next()),
        _ => {}
    }
    if let Some(day) = dashed(text).and_then(|dashed| Day::parse(&dashed)).or_else(|| Day::parse(text)) {
        return Some(day);
    }
    if text.contains('/') {
        return parse_american_date(text);
    }
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (word, number) = text.split_at(letters);
    if number.is_empty() {
        let weekday = WEEKDAYS.iter().position(|name| word.len() >= 3 && word.starts_with(name))? as i64;
        let back = (i64::from(today.weekday()) - weekday).rem_euclid(7);
        return Some(Day::from_number(today.number() - back));
    }
    let month = MONTHS.iter().position(|name| word.len() >= 3 && word.starts_with(name))?;
    Day::from_date(Civil::of(today.start()).year, month as u32 + 1, digits(number.as_bytes())?)
}

/// `MM/DD/YY` or `MM/DD/YYYY`; two digits mean 19xx from 70 on.
fn parse_american_date(text: &str) -> Option<Day> {
    let mut parts = text.split('/').map(|part| digits(non_empty(part)?.as_bytes()));
    let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
    let year = match year {
        0..70 => 2000 + year,
        70..100 => 1900 + year,
        _ => year,
    };
    if parts.next().is_some() { None } else { Day::from_date(year as i32, month, day) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: &str = "2026-11-23T10:30:00Z"; // a Monday

    fn now() -> Timestamp {
        parse_rfc3339(NOW.as_bytes()).unwrap()
    }

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(parse_time(input, now()).map(|at| at.to_string()).as_deref(), Ok(expected), "{input}");
    }

    #[test]
    fn rfc3339_in_all_its_forms() {
        check("2026-11-20T14:05:00Z", "2026-11-20T14:05:00Z");
        check("2026-11-20 14:05:00.25z", "2026-11-20T14:05:00.250Z");
        check("2026-11-20T14:05:00.1234567891+01:00", "2026-11-20T13:05:00.123456789Z");
        check("2026-11-20T14:05:00-0530", "2026-11-20T19:35:00Z");
        check("2026-11-20T14:05", "2026-11-20T14:05:00Z");
        check("2026-11-20 14:05:07", "2026-11-20T14:05:07Z");
        check("2026-11-20", "2026-11-20T00:00:00Z");
    }

    #[test]
    fn unix_numbers_by_their_size() {
        check("1763647500", "2025-11-20T14:05:00Z");
        check("1763647500.5", "2025-11-20T14:05:00.500Z");
        check("1763647500000", "2025-11-20T14:05:00Z");
        check("1763647500000000", "2025-11-20T14:05:00Z");
        check("1763647500000000001", "2025-11-20T14:05:00.000000001Z");
    }

    #[test]
    fn the_forms_of_graphite() {
        check("now", NOW);
        check("-1h", "2026-11-23T09:30:00Z");
        check("-1h30min", "2026-11-23T09:00:00Z");
        check("now-5m", "2026-11-23T10:25:00Z");
        check("14:05", "2026-11-23T14:05:00Z");
        check("14:05:30", "2026-11-23T14:05:30Z");
        check("14:05_20111130", "2011-11-30T14:05:00Z");
        check("14:05:30_20111130", "2011-11-30T14:05:30Z");
        check("20111130", "2011-11-30T00:00:00Z");
        check("today", "2026-11-23T00:00:00Z");
        check("yesterday-1h", "2026-11-21T23:00:00Z");
        check("noon_yesterday", "2026-11-22T12:00:00Z");
        check("noonyesterday", "2026-11-22T12:00:00Z");
        check("6pm_today-2h", "2026-11-23T16:00:00Z");
        check("12am", "2026-11-23T00:00:00Z");
        check("12pm", "2026-11-23T12:00:00Z");
        check("2:05pm", "2026-11-23T14:05:00Z");
        check("january1", "2026-01-01T00:00:00Z");
        check("midnight_monday", "2026-11-23T00:00:00Z");
        check("midnight_tuesday", "2026-11-17T00:00:00Z");
        check("midnight 11/30/11", "2011-11-30T00:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yestermorrow",
            "14:99",
            "-1x",
            "-5",
            "25:00",
            "2026-13-01",
            "13pm",
            "+",
            "14:05:",
            "\u{e9}\u{e9}:05",
            ":\u{ffe8}",
        ] {
            assert!(parse_time(text, now()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(nanos in -6_000_000_000_000_000_000_i64..9_000_000_000_000_000_000) {
            let at = Timestamp::from_nanos(nanos);
            prop_assert_eq!(parse_rfc3339(at.to_string().as_bytes()), Some(at));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,24}") {
            std::hint::black_box((parse_time(&text, now()).ok(), parse_rfc3339(text.as_bytes())));
        }
    }
}

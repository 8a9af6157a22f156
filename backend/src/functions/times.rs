//! Lengths of time and instants, as they stand in arguments: `5min`, `-1h30min`, `00:10 20200913`.
//!
//! The grammar is that of the whole program (`sonde_shared::time`), which knows Graphite's. Two things are added as graphite-web has
//! them: a length may have a sign, and a day without a clock is its midnight. Seconds are the finest that functions know.

use super::FunctionError;
use super::call::Call;
use sonde_shared::time::{NANOS_PER_SEC, Timestamp, parse_duration_ns, parse_time};

/// Seconds of a length with or without a sign, as `-1h`. `None` where it is none, or no whole number of seconds.
fn parse_offset(text: &str) -> Option<i64> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let nanos = parse_duration_ns(length)?;
    (nanos % NANOS_PER_SEC == 0).then_some(sign * (nanos / NANOS_PER_SEC))
}

/// Seconds of a length that an argument has, below zero where it says so.
pub(super) fn offset(call: &Call<'_>, text: &str) -> Result<i64, FunctionError> {
    parse_offset(text)
        .ok_or_else(|| call.wrong(format!("`{text}` is no length of time; write 10s, 5min, 1h30min or -1d")))
}

/// Seconds of a length that must be longer than nothing.
pub(super) fn interval(call: &Call<'_>, text: &str) -> Result<i64, FunctionError> {
    match offset(call, text)? {
        seconds if seconds > 0 => Ok(seconds),
        _ => Err(call.wrong(format!("`{text}` must be longer than nothing"))),
    }
}

/// The unix second of an instant that an argument has, at the context's now.
pub(super) fn instant(call: &Call<'_>, text: &str) -> Result<i64, FunctionError> {
    let now = Timestamp::from_secs(call.context.now);
    let at = parse_midnight(text, now).map_or_else(|| parse_time(text, now), Ok);
    at.map(Timestamp::as_secs).map_err(|error| call.wrong(error.to_string()))
}

/// A day without a clock, as `yesterday-1h`.
fn parse_midnight(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    let names_a_day = !text.is_empty() && !text.starts_with(['+', '-']) && !text.starts_with("now");
    names_a_day.then(|| parse_time(&format!("midnight {text}"), now).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_signs_and_units() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(parse_offset(text), expected, "{text}");
        check("5min", Some(300));
        check("-1h30min", Some(-5_400));
        check("+2d", Some(172_800));
        check("1mon", Some(30 * 86_400));
        check("1y", Some(365 * 86_400));
        check("90", None);
        check("", None);
        check("-", None);
        check("--1h", None);
        check("5ms", None);
        check("1x", None);
        check("99999999999y", None);
    }

    #[test]
    fn a_day_without_a_clock_is_its_midnight() {
        let now = Timestamp::from_secs(1_600_001_220); // 2020-09-13T12:47:00Z, a Sunday
        let check = |text: &str, expected: i64| {
            let at = parse_midnight(text, now).map_or_else(|| parse_time(text, now), Ok);
            assert_eq!(at.map(Timestamp::as_secs), Ok(expected), "{text}");
        };
        check("yesterday", 1_599_868_800);
        check("20200913", 1_599_955_200);
        check("today+1h", 1_599_958_800);
        check("sunday", 1_599_955_200);
        check("00:10 20200913", 1_599_955_800);
        check("00:10_20200913", 1_599_955_800);
        check("now", 1_600_001_220);
        check("-15min", 1_600_000_320);
        check("1600000000", 1_600_000_000);
        check("noon_yesterday", 1_599_912_000);
    }
}

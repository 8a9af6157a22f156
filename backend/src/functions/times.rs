//! Lengths of time and instants, as they stand in arguments: `5min`, `-1h30min`, `00:10 20200913`.
//!
//! Instants are read as `from` and `until` are ([`GraphiteClock`]). A length may have a sign. Seconds are the finest that functions know.
//!
//! [`GraphiteClock`]: crate::graphite_time::GraphiteClock

use super::FunctionError;
use super::call::Call;
use crate::graphite_time::GraphiteClock;
use sonde_shared::time::{NANOS_PER_SEC, Timestamp, parse_duration_ns};

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

/// The unix second of an instant that an argument has, its days and hours those of a clock.
pub(super) fn instant(call: &Call<'_>, clock: &GraphiteClock, text: &str) -> Result<i64, FunctionError> {
    clock.read(text).map(Timestamp::as_secs).map_err(|error| call.wrong(error.to_string()))
}

/// The same in UTC, whatever zone was asked for: most of graphite-web's functions know no other.
pub(super) fn utc_instant(call: &Call<'_>, text: &str) -> Result<i64, FunctionError> {
    instant(call, &GraphiteClock::utc(call.context.clock.now()), text)
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
}

//! Ranges as people type them.

use sonde_shared::time::{NANOS_PER_SEC, TimeError, TimeSpec, Timestamp};
use sonde_shared::view::RangeSpec;

/// Reads a typed range: `14:05..14:07`, `-2h..-1h`, `2026-11-20 14:05 to 15:00`, or `-90min` alone for "until now".
/// Clocks and dates without a zone are meant in the zone that is shown, `offset_minutes` east of UTC.
pub fn parse_typed_range(text: &str, now: Timestamp, offset_minutes: i32) -> Result<RangeSpec, TimeError> {
    let text = text.trim();
    let split = ["..", " to ", " – ", "–", " - "].iter().find_map(|separator| text.split_once(separator));
    let (from, until) = split.unwrap_or((text, "now"));
    let shift = i64::from(offset_minutes) * 60 * NANOS_PER_SEC;
    let from_spec = parse_typed_time(from.trim(), now, shift)?;
    let until_spec = match from_spec {
        TimeSpec::Absolute(at) => on_the_day_of(at, until.trim(), shift),
        TimeSpec::Relative(_) => None,
    }
    .map_or_else(|| parse_typed_time(until.trim(), now, shift), Ok)?;
    let spec = RangeSpec { from: from_spec, until: until_spec };
    let rising = spec.from.resolve(now) < spec.until.resolve(now);
    if rising { Ok(spec) } else { Err(TimeError { text: text.chars().take(64).collect() }) }
}

fn parse_typed_time(text: &str, now: Timestamp, shift: i64) -> Result<TimeSpec, TimeError> {
    let here = if has_zone(text) { 0 } else { shift };
    match TimeSpec::parse(text, now.plus_nanos(here))? {
        TimeSpec::Absolute(at) => Ok(TimeSpec::Absolute(at.plus_nanos(-here))),
        relative @ TimeSpec::Relative(_) => Ok(relative),
    }
}

/// A clock time on the day, as it is shown, of the range's start.
fn on_the_day_of(start: Timestamp, text: &str, shift: i64) -> Option<TimeSpec> {
    let is_clock = text.as_bytes().get(2) == Some(&b':') && text.len() <= 18;
    let day = start.plus_nanos(shift).day();
    let spec = is_clock
        .then(|| TimeSpec::parse(&format!("{day} {}", text.trim_end_matches(['Z', 'z'])), start).ok());
    match spec.flatten()? {
        TimeSpec::Absolute(at) if text.ends_with(['Z', 'z']) => Some(TimeSpec::Absolute(at)),
        TimeSpec::Absolute(at) => Some(TimeSpec::Absolute(at.plus_nanos(-shift))),
        TimeSpec::Relative(_) => None,
    }
}

/// Whether the text itself says its zone: RFC 3339 with `Z` or an offset, or a unix number.
fn has_zone(text: &str) -> bool {
    let is_number =
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.len() != 8;
    is_number || sonde_shared::time::parse_rfc3339(text.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::parse_rfc3339;

    #[track_caller]
    fn check(text: &str, offset_minutes: i32, expected: &str) {
        let now = parse_rfc3339(b"2026-11-23T10:00:00Z").unwrap();
        let found = parse_typed_range(text, now, offset_minutes)
            .map_or_else(|_| "error".to_owned(), |spec| format!("{spec} {}", spec.resolve(now)));
        assert_eq!(found.split(' ').next_back().unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn ranges_are_read_as_they_are_typed() {
        check("-90min", 0, "2026-11-23T08:30:00Z..2026-11-23T10:00:00Z");
        check("14:05_20261120..14:07_20261120", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
        check("2026-11-20 14:05 – 14:07", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
        check("2026-11-20T14:05:00Z..14:07:00Z", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
        check("08:00 to 09:30", 0, "2026-11-23T08:00:00Z..2026-11-23T09:30:00Z");
        check("09:30..08:00", 0, "error");
        check("soon", 0, "error");
        check("", 0, "error");
    }

    #[test]
    fn clocks_are_meant_in_the_zone_that_is_shown() {
        check("08:00..09:30", 60, "2026-11-23T07:00:00Z..2026-11-23T08:30:00Z");
        check("2026-11-20 00:10..00:20", 60, "2026-11-19T23:10:00Z..2026-11-19T23:20:00Z");
        check("2026-11-20T00:10:00Z..2026-11-20T00:20:00Z", 60, "2026-11-20T00:10:00Z..2026-11-20T00:20:00Z");
    }
}

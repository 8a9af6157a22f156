//! Instants, half-open ranges, and the ways people write them.
//!
//! A [`Timestamp`] is whole nanoseconds since the unix epoch, so the order of lines is the order of their
//! stamps, to the last digit that was sent. The calendar is the proleptic Gregorian one, always UTC.

mod calendar;
mod parse;
mod zone;

pub use calendar::{Civil, Day};
pub use parse::{TimeError, TimeSpec, parse_duration_ns, parse_rfc3339, parse_time, parse_unix_number};
pub use zone::{Offset, ZoneClock, find_offsets};

use serde::{Deserialize, Serialize};
use std::fmt;

/// Nanoseconds in a second.
pub const NANOS_PER_SEC: i64 = 1_000_000_000;
/// Nanoseconds in a millisecond.
pub const NANOS_PER_MS: i64 = 1_000_000;
/// Nanoseconds in a UTC day; unix time has no leap seconds.
pub const NANOS_PER_DAY: i64 = 86_400 * NANOS_PER_SEC;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z. Reaches from 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant there is.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant there is.
    pub const MAX: Self = Self(i64::MAX);

    /// An instant from unix nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// An instant from unix milliseconds, held at the ends of what can be told.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MS))
    }

    /// An instant from unix seconds, held at the ends of what can be told.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// Unix nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Unix milliseconds, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(NANOS_PER_MS)
    }

    /// Unix milliseconds with what is finer than one, as the times of [`crate::api::Columns`] are counted.
    pub const fn as_millis_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_MS as f64
    }

    /// Unix seconds, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SEC)
    }

    /// The UTC day this instant falls in.
    pub const fn day(self) -> Day {
        Day::from_number(self.0.div_euclid(NANOS_PER_DAY))
    }

    /// This instant moved by so many nanoseconds, held at the ends.
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Nanoseconds from `earlier` to this instant, held at the ends.
    pub const fn nanos_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with as many fraction digits as are needed: none, 3, 6 or 9.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second, nanos } = Civil::of(*self);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match nanos {
            0 => {}
            n if n % 1_000_000 == 0 => write!(f, ".{:03}", n / 1_000_000)?,
            n if n % 1_000 == 0 => write!(f, ".{:06}", n / 1_000)?,
            n => write!(f, ".{n:09}")?,
        }
        f.write_str("Z")
    }
}

/// A half-open span of time, `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeRange {
    /// The first instant inside.
    pub from: Timestamp,
    /// The first instant after.
    pub until: Timestamp,
}

impl TimeRange {
    /// The range between two instants, in whichever order they come.
    pub fn between(a: Timestamp, b: Timestamp) -> Self {
        Self { from: a.min(b), until: a.max(b) }
    }

    /// All of time.
    pub const fn all() -> Self {
        Self { from: Timestamp::MIN, until: Timestamp::MAX }
    }

    /// Whether the instant lies inside.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether the two ranges share an instant.
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    /// The shared part, if there is one.
    pub fn intersection(self, other: Self) -> Option<Self> {
        self.overlaps(other)
            .then(|| Self { from: self.from.max(other.from), until: self.until.min(other.until) })
    }

    /// Whether no instant lies inside.
    pub fn is_empty(self) -> bool {
        self.from >= self.until
    }

    /// The length in nanoseconds, at least zero.
    pub fn nanos(self) -> i64 {
        self.until.nanos_since(self.from).max(0)
    }

    /// The length in seconds.
    pub fn secs_f64(self) -> f64 {
        self.nanos() as f64 / NANOS_PER_SEC as f64
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.until)
    }
}

/// A length of time for people: `2 m`, `1 h 30 m`, `450 ms`. At most two units, rounded down.
pub fn format_duration(nanos: i64) -> String {
    const UNITS: [(&str, i64); 5] = [
        ("d", NANOS_PER_DAY),
        ("h", 3_600 * NANOS_PER_SEC),
        ("m", 60 * NANOS_PER_SEC),
        ("s", NANOS_PER_SEC),
        ("ms", NANOS_PER_MS),
    ];
    let Some(first) = UNITS.iter().position(|(_, size)| nanos >= *size) else {
        return "0 ms".to_owned();
    };
    let (name, size) = UNITS[first];
    let rest = nanos % size;
    match UNITS.get(first + 1) {
        Some((small, small_size)) if rest >= *small_size => {
            format!("{} {name} {} {small}", nanos / size, rest / small_size)
        }
        _ => format!("{} {name}", nanos / size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_only_the_digits_it_has() {
        let check = |nanos: i64, text: &str| assert_eq!(Timestamp::from_nanos(nanos).to_string(), text);
        check(0, "1970-01-01T00:00:00Z");
        check(1, "1970-01-01T00:00:00.000000001Z");
        check(-1_000, "1969-12-31T23:59:59.999999Z");
        check(1_700_000_000_120_000_000, "2023-11-14T22:13:20.120Z");
    }

    #[test]
    fn a_range_is_half_open() {
        let range = TimeRange::between(Timestamp::from_secs(20), Timestamp::from_secs(10));
        assert!(range.contains(Timestamp::from_secs(10)));
        assert!(!range.contains(Timestamp::from_secs(20)));
        let next = TimeRange { from: Timestamp::from_secs(20), until: Timestamp::from_secs(30) };
        assert!(!range.overlaps(next));
        assert_eq!(range.intersection(next), None);
    }

    #[test]
    fn durations_read_as_people_write_them() {
        let check = |nanos: i64, text: &str| assert_eq!(format_duration(nanos), text);
        check(120 * NANOS_PER_SEC, "2 m");
        check(5_400 * NANOS_PER_SEC, "1 h 30 m");
        check(1_500 * NANOS_PER_MS, "1 s 500 ms");
        check(3 * NANOS_PER_DAY, "3 d");
        check(10, "0 ms");
    }
}

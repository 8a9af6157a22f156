//! The zone of stamps that do not name one: a fixed offset, or a place whose summer time the system knows.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sonde_shared::time::{Civil, NANOS_PER_SEC, Timestamp};

/// A zone to read local times in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    /// So many seconds east of Greenwich.
    Fixed(i64),
    /// A place of the system's zone files, `Europe/Berlin`.
    Named(TimeZone),
}

/// Why a text is no zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time zone: {why}; write UTC, +01:00 or Europe/Berlin")]
pub struct ZoneError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl Default for Zone {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

impl Zone {
    /// Reads `UTC`, `+01:00`, `-0530` or a name of the system's zone files.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let error = |why: String| ZoneError { text: text.chars().take(64).collect(), why };
        if text.eq_ignore_ascii_case("utc")
            || text.eq_ignore_ascii_case("gmt")
            || text.eq_ignore_ascii_case("z")
        {
            return Ok(Self::Fixed(0));
        }
        if text.starts_with(['+', '-']) {
            return offset_secs(text)
                .map(Self::Fixed)
                .ok_or_else(|| error("the offset is not ±HH:MM".to_owned()));
        }
        TimeZone::get(text).map(Self::Named).map_err(|source| error(source.to_string()))
    }

    /// The instant that a clock in this zone showed as these fields. An hour that the clock skipped counts as if it
    /// had not been skipped; of one that it showed twice the first is meant. `None` when there is no such date or time.
    pub fn instant(&self, local: Civil) -> Option<Timestamp> {
        let as_utc = local.timestamp()?;
        match self {
            Self::Fixed(secs) => {
                as_utc.as_nanos().checked_sub(secs * NANOS_PER_SEC).map(Timestamp::from_nanos)
            }
            Self::Named(zone) => {
                // A leap second was already moved on to the next minute.
                let at = Civil::of(as_utc);
                let fields = [at.month, at.day, at.hour, at.minute, at.second].map(|field| field as i8);
                let [month, day, hour, minute, second] = fields;
                let year = i16::try_from(at.year).ok()?;
                let clock = DateTime::new(year, month, day, hour, minute, second, at.nanos as i32).ok()?;
                let instant = zone.to_ambiguous_timestamp(clock).compatible().ok()?;
                i64::try_from(instant.as_nanosecond()).ok().map(Timestamp::from_nanos)
            }
        }
    }
}

fn offset_secs(text: &str) -> Option<i64> {
    // Any date does: RFC 3339's own reader knows the forms of an offset.
    let at = sonde_shared::time::parse_rfc3339(format!("2000-01-01T00:00:00{text}").as_bytes())?;
    Some(
        Civil { year: 2000, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanos: 0 }
            .timestamp()?
            .as_secs()
            - at.as_secs(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: &str, local: (u32, u32, u32, u32), expected: &str) {
        let (month, day, hour, minute) = local;
        let local = Civil { year: 2026, month, day, hour, minute, second: 0, nanos: 5_000_000 };
        let got = Zone::parse(zone).unwrap().instant(local).map(|at| at.to_string());
        assert_eq!(got.as_deref(), Some(expected), "{zone}");
    }

    #[test]
    fn offsets_and_places() {
        check("UTC", (11, 20, 14, 5), "2026-11-20T14:05:00.005Z");
        check("+01:00", (11, 20, 14, 5), "2026-11-20T13:05:00.005Z");
        check("-0530", (11, 20, 14, 5), "2026-11-20T19:35:00.005Z");
        check("Europe/Berlin", (11, 20, 14, 5), "2026-11-20T13:05:00.005Z");
        check("Europe/Berlin", (7, 20, 14, 5), "2026-07-20T12:05:00.005Z");
        // 02:30 was skipped on 29 March and shown twice on 25 October.
        check("Europe/Berlin", (3, 29, 2, 30), "2026-03-29T01:30:00.005Z");
        check("Europe/Berlin", (10, 25, 2, 30), "2026-10-25T00:30:00.005Z");
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in ["", "Nowhere/Land", "+1", "+25:00", "CEST+1"] {
            assert!(Zone::parse(text).is_err(), "{text}");
        }
    }
}

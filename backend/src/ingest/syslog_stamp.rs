//! The stamps of syslog messages: RFC 3339 and its near misses, and `Mmm dd hh:mm:ss` with what vendors add.

use super::zone::Zone;
use sonde_shared::time::{Civil, NANOS_PER_DAY, TimeRange, Timestamp, parse_rfc3339};
use std::borrow::Cow;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads an ISO 8601 stamp; one without a zone is taken in the listener's.
pub fn read_iso(text: &str, zone: &Zone) -> Option<Timestamp> {
    let text = if text.contains(',') { Cow::Owned(text.replacen(',', ".", 1)) } else { Cow::Borrowed(text) };
    parse_rfc3339(text.as_bytes()).or_else(|| {
        let local = parse_rfc3339(format!("{text}Z").as_bytes())?;
        zone.instant(Civil::of(local))
    })
}

/// An ISO 8601 stamp at the start of a text, its date and time joined by `T` or a space, and the bytes it takes.
pub fn iso_at_start(text: &str, zone: &Zone) -> Option<(Timestamp, usize)> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let ends = text.match_indices(' ').map(|(at, _)| at).chain([text.len()]).take(2);
    ends.filter_map(|end| text.get(..end).map(|stamp| stamp.trim_end_matches(':')))
        .find_map(|stamp| read_iso(stamp, zone).map(|at| (at, stamp.len())))
}

/// A stamp as RFC 3164 has it at the start of a text, and the bytes it takes.
///
/// Beyond the RFC: a day padded by a zero or not at all, a year before the month or after the day, fractions of a
/// second, and Cisco's zone name. Without a year it is the one that puts the stamp nearest to now.
pub fn bsd_at_start(text: &str, now: Timestamp, zone: &Zone) -> Option<(Timestamp, usize)> {
    let mut scan = Scan { rest: text };
    let year_before = scan.year();
    let month = scan.month()?;
    let day = scan.number(2)?;
    scan.spaces();
    let year = year_before.or_else(|| scan.year());
    let hour = scan.number(2)?;
    scan.literal(":")?;
    let minute = scan.number(2)?;
    scan.literal(":")?;
    let second = scan.number(2)?;
    let nanos = scan.fraction();
    let utc = Zone::default();
    let zone = if scan.zone_name() { &utc } else { zone };
    if !scan.rest.is_empty() && !scan.rest.starts_with([' ', ':']) {
        return None;
    }
    let local = Civil { year: year.unwrap_or(0) as i32, month, day, hour, minute, second, nanos };
    let at = match year {
        Some(_) => zone.instant(local)?,
        None => nearest_year(local, now, zone)?,
    };
    Some((at, text.len() - scan.rest.len()))
}

/// The instant of a date without a year. Four years either way always hold a 29 February, but around 1900 and 2100.
fn nearest_year(local: Civil, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
    let this_year = Civil::of(now).year;
    let instants = (this_year - 8..=this_year + 8).filter_map(|year| zone.instant(Civil { year, ..local }));
    instants.min_by_key(|at| at.nanos_since(now).unsigned_abs())
}

/// Whether a stamp can be stored: a clock that runs more than a day ahead is not believed, nor one that is older than all
/// that is kept.
pub fn is_believable(at: Timestamp, now: Timestamp, accepts: TimeRange) -> bool {
    accepts.contains(at) && at.nanos_since(now) <= NANOS_PER_DAY
}

struct Scan<'a> {
    rest: &'a str,
}

impl Scan<'_> {
    fn literal(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn digits(&self) -> usize {
        self.rest.bytes().take_while(u8::is_ascii_digit).count()
    }

    fn number(&mut self, max_digits: usize) -> Option<u32> {
        let len = self.digits();
        let number = (1..=max_digits).contains(&len).then(|| self.rest[..len].parse().ok())??;
        self.rest = &self.rest[len..];
        Some(number)
    }

    /// Four digits and a space.
    fn year(&mut self) -> Option<u32> {
        let year = self.rest.get(..4).filter(|_| self.digits() == 4 && self.rest[4..].starts_with(' '))?;
        self.rest = self.rest[4..].trim_start_matches(' ');
        year.parse().ok()
    }

    fn month(&mut self) -> Option<u32> {
        let name = self.rest.get(..3)?;
        let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
        self.rest = &self.rest[3..];
        self.literal(" ")?;
        self.spaces();
        Some(month as u32 + 1)
    }

    /// Nanoseconds of `.123` or `,123`; digits past the ninth are dropped.
    fn fraction(&mut self) -> u32 {
        let Some(after) = self.rest.strip_prefix(['.', ',']) else { return 0 };
        let digits: Vec<u32> = after.chars().map_while(|c| c.to_digit(10)).collect();
        self.rest = &after[digits.len()..];
        digits.into_iter().chain(std::iter::repeat(0)).take(9).fold(0, |sum, digit| sum * 10 + digit)
    }

    /// Passes over a zone name: `UTC` or `GMT`, or other capitals before a colon. Whether it was UTC.
    fn zone_name(&mut self) -> bool {
        let Some(after) = self.rest.strip_prefix(' ') else { return false };
        let len = after.bytes().take_while(u8::is_ascii_uppercase).count();
        let (name, behind) = after.split_at(len);
        let is_utc = matches!(name, "UTC" | "GMT");
        let ends = behind.starts_with(':') || (is_utc && behind.starts_with(' '));
        if ends && (2..=5).contains(&len) {
            self.rest = behind;
        }
        ends && is_utc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_rfc3339(text.as_bytes()).unwrap()
    }

    #[track_caller]
    fn check(text: &str, now: &str, expected: Option<(&str, &str)>) {
        let zone = Zone::parse("+01:00").unwrap();
        let got = bsd_at_start(text, at(now), &zone).or_else(|| iso_at_start(text, &zone));
        let got = got.map(|(at, used)| (at.to_string(), text[used..].to_owned()));
        assert_eq!(got, expected.map(|(at, rest)| (at.to_owned(), rest.to_owned())), "{text}");
    }

    const NOW: &str = "2026-11-23T10:00:00Z";

    #[test]
    fn bsd_stamps_and_what_vendors_make_of_them() {
        check("Nov 20 14:05:00 h", NOW, Some(("2026-11-20T13:05:00Z", " h")));
        check("Nov  2 14:05:00 h", NOW, Some(("2026-11-02T13:05:00Z", " h")));
        check("Nov 02 14:05:00 h", NOW, Some(("2026-11-02T13:05:00Z", " h")));
        check("Nov 2 14:05:00", NOW, Some(("2026-11-02T13:05:00Z", "")));
        check("Mar  1 2021 18:46:11.123: %S", NOW, Some(("2021-03-01T17:46:11.123Z", ": %S")));
        check("2013 Jun 20 10:14:59 UTC: x", NOW, Some(("2013-06-20T10:14:59Z", ": x")));
        check("Nov 20 14:05:00.5 CET: x", NOW, Some(("2026-11-20T13:05:00.500Z", ": x")));
        check("Nov 20 14:05:00 UTC x", NOW, Some(("2026-11-20T14:05:00Z", " x")));
        check("Nov 20 14:05:60 h", NOW, Some(("2026-11-20T13:06:00Z", " h")));
    }

    #[test]
    fn iso_stamps_stand_in_their_place() {
        check("2026-11-20T14:05:00.123456+02:00 h", NOW, Some(("2026-11-20T12:05:00.123456Z", " h")));
        check("2026-11-20T14:05:00 h", NOW, Some(("2026-11-20T13:05:00Z", " h")));
        check("2026-11-20 14:05:00,5: h", NOW, Some(("2026-11-20T13:05:00.500Z", ": h")));
    }

    #[test]
    fn the_year_is_the_one_nearest_to_now() {
        check("Dec 31 23:59:59 h", "2027-01-01T00:00:05Z", Some(("2026-12-31T22:59:59Z", " h")));
        check("Jan  1 01:00:01 h", "2026-12-31T23:59:58Z", Some(("2027-01-01T00:00:01Z", " h")));
        check("Feb 29 12:00:00 h", "2026-11-23T10:00:00Z", Some(("2028-02-29T11:00:00Z", " h")));
    }

    #[test]
    fn what_is_no_stamp_is_left_alone() {
        for text in [
            "",
            "Nov",
            "Nov 31 14:05:00 h",
            "Nov 20 25:05:00 h",
            "Nov 20 14:05 h",
            "Nov20 14:05:00",
            "12345 h",
            "Nov 20 14:05:00x",
            "\u{e9}\u{e9} 2",
        ] {
            check(text, NOW, None);
        }
    }
}

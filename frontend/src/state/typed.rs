//! Ranges as people type them.

use sonde_shared::time::{Day, NANOS_PER_SEC, TimeRange, TimeSpec, Timestamp, parse_duration_ns};
use sonde_shared::view::RangeSpec;

/// What a typed range is read against.
#[derive(Clone, Copy, Debug)]
pub struct TypedAgainst {
    /// The clock.
    pub now: Timestamp,
    /// The visible range: a time of day without a date means the day that is in view.
    pub shown: TimeRange,
    /// The zone that is shown, in minutes east of UTC: what names no zone is meant in it.
    pub offset_minutes: i32,
}

/// Why a typed text is no range to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    /// Nothing was typed.
    #[error("nothing is typed yet; write 09:30..10:15, 3h, -2h..-1h or yesterday")]
    Missing,
    /// It cannot be read.
    #[error("`{0}` is no range; write 09:30..10:15, 2026-11-20 09:30..10:15, 3h, -2h..-1h or yesterday")]
    Unreadable(String),
    /// A number that could be a time of day or an instant of 1970.
    #[error("`{number}` is a bare number; a time of day is written {hint}")]
    BareNumber {
        /// What was typed.
        number: String,
        /// The time of day that it looks like.
        hint: String,
    },
    /// The start lies behind the end.
    #[error("`{0}`: the start lies behind the end")]
    Backwards(String),
    /// The start is the end.
    #[error("`{0}` is empty: it ends where it starts")]
    Empty(String),
}

/// Reads a typed range: `14:05..14:07`, `-2h..-1h`, `2026-11-20 14:05 to 15:00`; a length before now, `3h` or `last 3 hours`;
/// or its start alone. A day alone (`yesterday`, `2026-11-20`, `monday`) is all of that day, a time of day that lies on an
/// earlier day goes on to that day's end, anything else until now. What the page itself writes of a range is read, too.
pub fn parse_typed_range(text: &str, against: TypedAgainst) -> Result<RangeSpec, TypedError> {
    let text = plain(text);
    if text.is_empty() {
        return Err(TypedError::Missing);
    }
    let clipped = || text.chars().take(64).collect::<String>();
    let unreadable = |refused: Refused| refused.unwrap_or_else(|| TypedError::Unreadable(clipped()));
    let spec = against.range(&text).map_err(unreadable)?;
    let (from, until) = (spec.from.resolve(against.now), spec.until.resolve(against.now));
    match from.cmp(&until) {
        std::cmp::Ordering::Less => Ok(spec),
        std::cmp::Ordering::Equal => Err(TypedError::Empty(clipped())),
        std::cmp::Ordering::Greater => Err(TypedError::Backwards(clipped())),
    }
}

/// The text with ordinary blanks and minus signs, and without the length that labels have at their end: `… (6 h)`.
fn plain(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !matches!(c, '\u{2060}' | '\u{200b}' | '`'))
        .map(|c| match c {
            '\u{2212}' => '-',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect();
    let text = text.trim();
    let without =
        text.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')).map(|(range, _)| range.trim());
    without.filter(|range| !range.is_empty()).unwrap_or(text).to_owned()
}

/// A length of time: `3h`, `2h30m`, `90 min`, `last 3 hours`, `last hour`.
fn length(text: &str) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    let (named, last) = text.strip_prefix("last ").map_or((text.as_str(), false), |rest| (rest.trim(), true));
    let compact: String = named.chars().filter(|c| *c != ' ').collect();
    // The last `mon` is rather a Monday than a month.
    let is_one = last && compact != "mon" && compact.bytes().all(|b| b.is_ascii_alphabetic());
    let counted = if is_one { format!("1{compact}") } else { compact };
    names_units(&counted).then(|| parse_duration_ns(&counted)).flatten()
}

/// Whether every word is a unit written out or shortened as people do; a unit's first letter alone would make 12 seconds of
/// `12 sep` and a month of `last monday`.
fn names_units(text: &str) -> bool {
    let words = text.split(|c: char| c.is_ascii_digit()).filter(|word| !word.is_empty());
    words.into_iter().all(|word| {
        matches!(
            word,
            "ms" | "s"
                | "sec"
                | "secs"
                | "second"
                | "seconds"
                | "m"
                | "min"
                | "mins"
                | "minute"
                | "minutes"
                | "h"
                | "hr"
                | "hrs"
                | "hour"
                | "hours"
                | "d"
                | "day"
                | "days"
                | "w"
                | "week"
                | "weeks"
                | "mon"
                | "month"
                | "months"
                | "y"
                | "yr"
                | "year"
                | "years"
        )
    })
}

/// The times of day that a bare number looks like: `0030` is `00:30`.
fn refuse_bare(text: &str) -> Result<(), TypedError> {
    let whole = text.split('.').next().unwrap_or_default();
    let is_number = !whole.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let is_date =
        text.len() == 8 && TimeSpec::parse(&format!("midnight {text}"), Timestamp::default()).is_ok();
    if !is_number || whole.len() >= 9 || is_date {
        return Ok(());
    }
    let clock = match whole.len() {
        1 | 2 => Some(format!("{whole:0>2}:00")),
        3 | 4 => Some(format!("{:0>2}:{}", &whole[..whole.len() - 2], &whole[whole.len() - 2..])),
        _ => None,
    };
    let hint = clock.filter(|clock| clock_on(Timestamp::default().day(), clock).is_some());
    let hint = hint.unwrap_or_else(|| "00:30".to_owned());
    Err(TypedError::BareNumber { number: text.to_owned(), hint })
}

/// A refusal that says why, or `None` where the text is just not what was looked for.
type Refused = Option<TypedError>;

impl TypedAgainst {
    fn shift(self) -> i64 {
        i64::from(self.offset_minutes) * 60 * NANOS_PER_SEC
    }

    /// The day, as it is shown, that an instant falls on.
    fn day_of(self, at: Timestamp) -> Day {
        at.plus_nanos(self.shift()).day()
    }

    fn start_of(self, day: Day) -> Timestamp {
        day.start().plus_nanos(-self.shift())
    }

    fn range(self, text: &str) -> Result<RangeSpec, Refused> {
        let separators = ["..", " to ", " – ", "–", " — ", "—", " - "];
        let split = separators.iter().find_map(|separator| text.split_once(separator));
        if let Some((from, until)) = split {
            return self.between(from.trim(), until.trim());
        }
        if let Some(nanos) = length(text) {
            return Ok(RangeSpec::last(nanos));
        }
        if let Some((from, until)) = clocks_apart(text) {
            return self.between(from, until);
        }
        match self.alone(text) {
            Err(None) => self.dashed(text),
            read => read,
        }
    }

    /// `00:30-01:30`: a dash that is neither a date's nor that of a length.
    fn dashed(self, text: &str) -> Result<RangeSpec, Refused> {
        let ends = text.match_indices('-').map(|(at, _)| (text[..at].trim(), text[at + 1..].trim()));
        let mut ranges = ends
            .filter(|(from, until)| !from.is_empty() && until.contains(':'))
            .filter_map(|(from, until)| self.between(from, until).ok());
        ranges.next().ok_or(None)
    }

    fn alone(self, text: &str) -> Result<RangeSpec, Refused> {
        let from = self.time(text)?;
        let has_clock = self.clock(text).is_some() || self.clock_of_day(text).is_some();
        let day = match from {
            TimeSpec::Absolute(at) if self.day(text).is_some() || has_clock => Some(self.day_of(at)),
            _ => None,
        };
        let until = match day {
            Some(day) if day != self.day_of(self.now) => TimeSpec::Absolute(self.start_of(day.next())),
            _ => TimeSpec::Relative(0),
        };
        Ok(RangeSpec { from, until })
    }

    fn between(self, from: &str, until: &str) -> Result<RangeSpec, Refused> {
        let from = self.time(from)?;
        let until = match from {
            TimeSpec::Absolute(at) => self.clock_after(at, until).map(TimeSpec::Absolute),
            TimeSpec::Relative(_) => None,
        }
        .map_or_else(|| self.time(until), Ok)?;
        Ok(RangeSpec { from, until })
    }

    fn time(self, text: &str) -> Result<TimeSpec, Refused> {
        refuse_bare(text).map_err(Some)?;
        let day = self.day(text).map(|day| self.start_of(day));
        if let Some(at) = day.or_else(|| self.clock(text)).or_else(|| self.clock_of_day(text)) {
            return Ok(TimeSpec::Absolute(at));
        }
        let here = if has_zone(text) { 0 } else { self.shift() };
        match TimeSpec::parse(text, self.now.plus_nanos(here)) {
            Ok(TimeSpec::Absolute(at)) => Ok(TimeSpec::Absolute(at.plus_nanos(-here))),
            Ok(relative @ TimeSpec::Relative(_)) => Ok(relative),
            Err(_) => Err(None),
        }
    }

    /// A day and then its time: `yesterday 14:00`, as people say it.
    fn clock_of_day(self, text: &str) -> Option<Timestamp> {
        let (day, clock) = text.rsplit_once(' ')?;
        let (clock, shift) = self.zone_of_clock(clock);
        let day = self.day(day.trim())?;
        clock_on(day, clock).map(|at| at.plus_nanos(-shift))
    }

    /// The day that a text names, if it names nothing else: a date, `yesterday`, `monday`.
    fn day(self, text: &str) -> Option<Day> {
        if text.is_empty() || text.contains(['+', '-']) {
            return Day::parse(text);
        }
        match TimeSpec::parse(&format!("midnight {text}"), self.now.plus_nanos(self.shift())) {
            Ok(TimeSpec::Absolute(at)) => Some(at.day()),
            _ => None,
        }
    }

    /// A time of day without a date: on the last day in view, or on the one before if only then it is in view.
    fn clock(self, text: &str) -> Option<Timestamp> {
        let (text, shift) = self.zone_of_clock(text);
        let last = self.shown.until.plus_nanos(shift - 1).day();
        let on = |day: Day| clock_on(day, text).map(|at| at.plus_nanos(-shift));
        let (late, early) = (on(last)?, on(Day::from_number(last.number() - 1))?);
        Some(if !self.shown.contains(late) && self.shown.contains(early) { early } else { late })
    }

    /// A time of day at the end of a range: on the day of its start, or past the midnight that is over by now.
    fn clock_after(self, start: Timestamp, text: &str) -> Option<Timestamp> {
        let (text, shift) = self.zone_of_clock(text);
        let day = start.plus_nanos(shift).day();
        let on = |day: Day| clock_on(day, text).map(|at| at.plus_nanos(-shift));
        let (same, next) = (on(day)?, on(day.next())?);
        Some(if same < start && next <= self.now { next } else { same })
    }

    /// A time of day may say that it is in UTC: `14:05Z`.
    fn zone_of_clock(self, text: &str) -> (&str, i64) {
        text.strip_suffix(['Z', 'z']).map_or((text, self.shift()), |clock| (clock, 0))
    }
}

/// `14:05`, `6pm` or `noon` on a day, in the day's own zone; `None` for what is no time of day alone.
fn clock_on(day: Day, text: &str) -> Option<Timestamp> {
    if text.is_empty() {
        return None;
    }
    match TimeSpec::parse(&format!("{text} today"), day.start()) {
        Ok(TimeSpec::Absolute(at)) if at.day() == day => Some(at),
        _ => None,
    }
}

/// The ends of `2026-11-20 14:05:00-14:07`, which RFC 3339 could mean as one instant far west of here: with a blank before
/// the clock it is people's writing, and theirs is a second time of day.
fn clocks_apart(text: &str) -> Option<(&str, &str)> {
    let (from, until) = text.rsplit_once('-')?;
    let is_blank = from.as_bytes().get(10) == Some(&b' ');
    let is_both =
        is_blank && until.contains(':') && sonde_shared::time::parse_rfc3339(text.as_bytes()).is_some();
    is_both.then_some((from, until))
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

    fn at(text: &str) -> Timestamp {
        parse_rfc3339(text.as_bytes()).unwrap()
    }

    /// Typed on 2026-11-23 at 10:00 UTC while a range is in view.
    #[track_caller]
    fn check_in(shown: (&str, &str), text: &str, offset_minutes: i32, expected: &str) {
        let now = at("2026-11-23T10:00:00Z");
        let shown = TimeRange::between(at(shown.0), at(shown.1));
        let found = parse_typed_range(text, TypedAgainst { now, shown, offset_minutes })
            .map_or_else(|_| "error".to_owned(), |spec| spec.resolve(now).to_string());
        assert_eq!(found, expected, "{text}");
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let shown = TimeRange::between(at("2026-11-23T09:00:00Z"), at("2026-11-23T10:00:00Z"));
        let against = TypedAgainst { now: at("2026-11-23T10:00:00Z"), shown, offset_minutes: 0 };
        let error = parse_typed_range(text, against).map_err(|error| error.to_string());
        let error = error.expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    }

    #[track_caller]
    fn check(text: &str, offset_minutes: i32, expected: &str) {
        check_in(("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"), text, offset_minutes, expected);
    }

    #[test]
    fn ranges_are_read_as_they_are_typed() {
        check("-90min", 0, "2026-11-23T08:30:00Z..2026-11-23T10:00:00Z");
        check("14:05_20261120..14:07_20261120", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
        check("2026-11-20 14:05 – 14:07", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
        check("2026-11-20T14:05:00Z..14:07:00Z", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
        check("08:00 to 09:30", 0, "2026-11-23T08:00:00Z..2026-11-23T09:30:00Z");
        check("8am..noon", 0, "2026-11-23T08:00:00Z..2026-11-23T12:00:00Z");
        check("08:00", 0, "2026-11-23T08:00:00Z..2026-11-23T10:00:00Z");
        check("09:30..08:00", 0, "error");
        check("soon", 0, "error");
        check("", 0, "error");
    }

    #[test]
    fn a_refusal_says_what_is_wrong_and_shows_ranges() {
        check_refused("01:30..00:30", "the start lies behind the end");
        check_refused("now..-1h", "the start lies behind the end");
        check_refused("09:30..09:30", "is empty");
        check_refused("2026-11-20 14:05..14:05", "is empty");
        check_refused("0h", "is empty");
        check_refused("  ", "nothing is typed");
        check_refused("soon", "`soon` is no range; write 09:30..10:15,");
        check_refused("soon..later", "no range");
        check_refused("0030..0130", "`0030` is a bare number; a time of day is written 00:30");
        check_refused("930", "written 09:30");
        check_refused("14", "written 14:00");
        check_refused("00:30..0130", "`0130`");
        check_refused("12345678", "written 00:30");
        check_refused("9999", "written 00:30");
    }

    #[test]
    fn a_dash_without_blanks_parts_two_times() {
        check("08:30-09:30", 0, "2026-11-23T08:30:00Z..2026-11-23T09:30:00Z");
        check("08:30–09:30", 0, "2026-11-23T08:30:00Z..2026-11-23T09:30:00Z");
        check("2026-11-20 08:30-09:30", 0, "2026-11-20T08:30:00Z..2026-11-20T09:30:00Z");
        check("2026-11-20 23:30-2026-11-21 00:30", 0, "2026-11-20T23:30:00Z..2026-11-21T00:30:00Z");
        check("2026-11-20 14:05:00-14:07", 0, "2026-11-20T14:05:00Z..2026-11-20T14:07:00Z");
        check("2026-11-20 14:05:00.5-14:07", 60, "2026-11-20T13:05:00.500Z..2026-11-20T13:07:00Z");
        check("2026-11-23 09:05:00-08:00", 0, "error");
        check("2026-11-20T14:05:00-01:00", 0, "2026-11-20T15:05:00Z..2026-11-23T10:00:00Z");
        check("2026-11-20 14:05:00-0100", 0, "2026-11-20T15:05:00Z..2026-11-23T10:00:00Z");
        check("09:30-15min", 0, "2026-11-23T09:15:00Z..2026-11-23T10:00:00Z");
    }

    #[test]
    fn a_day_may_stand_before_its_time() {
        check("yesterday 14:00..15:00", 0, "2026-11-22T14:00:00Z..2026-11-22T15:00:00Z");
        check("yesterday 14:00..15:00", 60, "2026-11-22T13:00:00Z..2026-11-22T14:00:00Z");
        check("friday 14:00 to 15:00", 0, "2026-11-20T14:00:00Z..2026-11-20T15:00:00Z");
        check("yesterday 14:00", 0, "2026-11-22T14:00:00Z..2026-11-23T00:00:00Z");
    }

    #[test]
    fn a_length_is_the_time_before_now() {
        for text in ["3h", "last 3 hours", "Last 3 h", "180 min", "last 2h60m"] {
            check(text, 0, "2026-11-23T07:00:00Z..2026-11-23T10:00:00Z");
        }
        check("2h30m", 0, "2026-11-23T07:30:00Z..2026-11-23T10:00:00Z");
        check("last hour", 60, "2026-11-23T09:00:00Z..2026-11-23T10:00:00Z");
        check("Last 7 d", 0, "2026-11-16T10:00:00Z..2026-11-23T10:00:00Z");
    }

    #[test]
    fn a_length_has_units_and_no_words_that_begin_like_them() {
        for text in
            ["last monday", "last mon", "last saturday", "last wednesday", "last yesterday", "last sep"]
        {
            check(text, 0, "error");
        }
        for text in ["12 sep", "5 dec", "5 mondays", "3 hats", "last 3 moons", "last", "last 3", "3h soon"] {
            check(text, 0, "error");
        }
        for text in ["1 day", "24 hrs", "last day", "1440mins", "last 86400 secs", "86400000ms"] {
            check(text, 0, "2026-11-22T10:00:00Z..2026-11-23T10:00:00Z");
        }
        for text in ["last month", "1mon", "30 days", "last 1 month"] {
            check(text, 0, "2026-10-24T10:00:00Z..2026-11-23T10:00:00Z");
        }
        for text in ["last yr", "1y", "52 weeks 1 day"] {
            check(text, 0, "2025-11-23T10:00:00Z..2026-11-23T10:00:00Z");
        }
    }

    #[test]
    fn what_the_page_writes_of_a_range_is_read() {
        for (from, until) in [
            ("2026-11-23T08:00:00Z", "2026-11-23T09:30:00Z"),
            ("2026-11-20T08:00:00Z", "2026-11-20T09:30:00.500Z"),
            ("2026-11-19T23:00:00Z", "2026-11-20T05:00:00Z"),
        ] {
            let range = TimeRange::between(at(from), at(until));
            for label in [
                crate::text::range(range, at("2026-11-23T10:00:00Z"), 60),
                crate::text::dated_range(range, 60),
                crate::text::typed(range, 60),
            ] {
                check(&label, 60, &range.to_string());
            }
        }
    }

    #[test]
    fn clocks_are_meant_in_the_zone_that_is_shown() {
        check("08:00..09:30", 60, "2026-11-23T07:00:00Z..2026-11-23T08:30:00Z");
        check("08:00Z..09:30Z", 60, "2026-11-23T08:00:00Z..2026-11-23T09:30:00Z");
        check("2026-11-20 00:10..00:20", 60, "2026-11-19T23:10:00Z..2026-11-19T23:20:00Z");
        check("2026-11-20T00:10:00Z..2026-11-20T00:20:00Z", 60, "2026-11-20T00:10:00Z..2026-11-20T00:20:00Z");
    }

    #[test]
    fn a_clock_means_the_day_that_is_in_view() {
        let friday = ("2026-11-20T13:00:00Z", "2026-11-20T15:00:00Z");
        check_in(friday, "13:50..14:10", 0, "2026-11-20T13:50:00Z..2026-11-20T14:10:00Z");
        check_in(friday, "14:05", 0, "2026-11-20T14:05:00Z..2026-11-21T00:00:00Z");
        check_in(friday, "09:00..now", 0, "2026-11-20T09:00:00Z..2026-11-23T10:00:00Z");
        check_in(friday, "23:50..00:10", 0, "2026-11-20T23:50:00Z..2026-11-21T00:10:00Z");
        // In Kathmandu the view lies on the evening of the 20th, in Auckland on the 21st.
        check_in(friday, "20:00..20:30", 345, "2026-11-20T14:15:00Z..2026-11-20T14:45:00Z");
        check_in(friday, "02:30..03:00", 780, "2026-11-20T13:30:00Z..2026-11-20T14:00:00Z");
    }

    #[test]
    fn of_two_days_in_view_a_clock_means_the_one_that_shows_it() {
        let last_day = ("2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z");
        check_in(last_day, "13:50..14:10", 0, "2026-11-22T13:50:00Z..2026-11-22T14:10:00Z");
        check_in(last_day, "08:00..08:10", 0, "2026-11-23T08:00:00Z..2026-11-23T08:10:00Z");
        check_in(last_day, "23:50..00:10", 0, "2026-11-22T23:50:00Z..2026-11-23T00:10:00Z");
    }

    #[test]
    fn a_day_alone_is_that_day_from_midnight_to_midnight_as_it_is_shown() {
        check("yesterday", 0, "2026-11-22T00:00:00Z..2026-11-23T00:00:00Z");
        check("Yesterday", 60, "2026-11-21T23:00:00Z..2026-11-22T23:00:00Z");
        // At 10:00 UTC it is the 24th in a zone fourteen hours ahead.
        check("yesterday", 840, "2026-11-22T10:00:00Z..2026-11-23T10:00:00Z");
        check("today", 0, "2026-11-23T00:00:00Z..2026-11-23T10:00:00Z");
        check("2026-11-20", 60, "2026-11-19T23:00:00Z..2026-11-20T23:00:00Z");
        check("20261120", 0, "2026-11-20T00:00:00Z..2026-11-21T00:00:00Z");
        check("friday", 0, "2026-11-20T00:00:00Z..2026-11-21T00:00:00Z");
        check("yesterday..now", 0, "2026-11-22T00:00:00Z..2026-11-23T10:00:00Z");
        check("midnight friday..6am", 0, "2026-11-20T00:00:00Z..2026-11-20T06:00:00Z");
        check("noon yesterday..1pm", 0, "2026-11-22T12:00:00Z..2026-11-22T13:00:00Z");
        check("2026-11-19..2026-11-21", 0, "2026-11-19T00:00:00Z..2026-11-21T00:00:00Z");
    }
}

//! Ranges as people type them.

use sonde_shared::time::{Day, TimeRange, TimeSpec, Timestamp, ZoneClock, parse_duration_ns};
use sonde_shared::view::RangeSpec;

/// A time of day may say that it is in UTC: `14:05Z`.
const UTC: [char; 2] = ['Z', 'z'];

/// What a typed range is read against.
#[derive(Clone, Copy)]
pub struct TypedAgainst<'a> {
    /// The clock.
    pub now: Timestamp,
    /// The visible range: a time of day without a date means the day that is in view.
    pub shown: TimeRange,
    /// The zone that is shown: what names no zone is meant in it.
    pub zone: ZoneClock<'a>,
    /// The range that is changed by what is typed: a length alone is its length from its start.
    pub edited: Option<TimeRange>,
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
pub fn parse_typed_range(text: &str, against: TypedAgainst<'_>) -> Result<RangeSpec, TypedError> {
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

impl TypedAgainst<'_> {
    /// The day, as it is shown, that an instant falls on.
    fn day_of(self, at: Timestamp) -> Day {
        self.zone.day(at)
    }

    fn start_of(self, day: Day) -> Timestamp {
        self.zone.instant(day.start())
    }

    fn range(self, text: &str) -> Result<RangeSpec, Refused> {
        let separators = ["..", " to ", " – ", "–", " — ", "—", " - "];
        let split = separators.iter().find_map(|separator| text.split_once(separator));
        if let Some((from, until)) = split {
            return self.between(from.trim(), until.trim());
        }
        if let Some(nanos) = length(text) {
            let edited = self.edited.filter(|_| !text.to_ascii_lowercase().starts_with("last"));
            return Ok(edited.map_or(RangeSpec::last(nanos), |TimeRange { from, .. }| {
                RangeSpec::absolute(TimeRange { from, until: from.plus_nanos(nanos) })
            }));
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
        let is_utc = has_zone(text);
        match TimeSpec::parse(text, if is_utc { self.now } else { self.zone.wall(self.now) }) {
            Ok(TimeSpec::Absolute(at)) => {
                Ok(TimeSpec::Absolute(if is_utc { at } else { self.zone.instant(at) }))
            }
            Ok(relative @ TimeSpec::Relative(_)) => Ok(relative),
            Err(_) => Err(None),
        }
    }

    /// A day and then its time: `yesterday 14:00`, as people say it.
    fn clock_of_day(self, text: &str) -> Option<Timestamp> {
        let (day, clock) = text.rsplit_once(' ')?;
        let day = self.day(day.trim())?;
        self.clock_on(day, clock)
    }

    /// The day that a text names, if it names nothing else: a date, `yesterday`, `monday`.
    fn day(self, text: &str) -> Option<Day> {
        if text.is_empty() || text.contains(['+', '-']) {
            return Day::parse(text);
        }
        match TimeSpec::parse(&format!("midnight {text}"), self.zone.wall(self.now)) {
            Ok(TimeSpec::Absolute(at)) => Some(at.day()),
            _ => None,
        }
    }

    /// A time of day without a date: on the last day in view, or on the one before if only then it is in view.
    fn clock(self, text: &str) -> Option<Timestamp> {
        let last = self.day_of_clock(self.shown.until.plus_nanos(-1), text);
        let early = Day::from_number(last.number() - 1);
        let (late, early) = (self.clock_on(last, text)?, self.clock_on(early, text)?);
        Some(if !self.shown.contains(late) && self.shown.contains(early) { early } else { late })
    }

    /// A time of day at the end of a range: on the day of its start, or past the midnight that is over by now.
    fn clock_after(self, start: Timestamp, text: &str) -> Option<Timestamp> {
        let day = self.day_of_clock(start, text);
        let (same, next) = (self.clock_on(day, text)?, self.clock_on(day.next(), text)?);
        Some(if same < start && next <= self.now { next } else { same })
    }

    /// A time of day on a day of the zone that it is in.
    fn clock_on(self, day: Day, text: &str) -> Option<Timestamp> {
        match text.strip_suffix(UTC) {
            Some(clock) => clock_on(day, clock),
            None => clock_on(day, text).map(|wall| self.zone.instant(wall)),
        }
    }

    /// The day of an instant in the zone that a time of day is in.
    fn day_of_clock(self, at: Timestamp, text: &str) -> Day {
        if text.ends_with(UTC) { at.day() } else { self.day_of(at) }
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
mod tests;

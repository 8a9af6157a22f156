//! Times as graphite-web 1.1.10 reads them, oddities included: `6pm_yesterday-2h`, `00:00_20261120`, `12pm` for midnight.
//!
//! Graphite's addresses and functions read times so, because whoever moves from Graphite must see the same ranges. All else of the
//! program reads them as people mean them (`sonde_shared::time`), and what graphite-web refuses is read that way here too
//! ([`GraphiteClock::read`]). `tests/golden/times.ndjson` has graphite-web's own answers. The page, which needs no zones, knows nothing of this.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use sonde_shared::time::{NANOS_PER_SEC, TimeError, TimeSpec, Timestamp, parse_rfc3339, parse_unix_number};

/// The first second of the year 1 and the last of the year 9999, which its times reach from and to.
const REACH: std::ops::RangeInclusive<i128> = -62_135_596_800..=253_402_300_799;
/// The longest offset, a thousand million days, as Python's.
const LONGEST_SECS: i128 = 1_000_000_000 * 86_400;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What times are read by: now, and a zone for days and hours.
#[derive(Clone, Debug)]
pub struct GraphiteClock {
    now: Timestamp,
    zone: TimeZone,
}

impl GraphiteClock {
    /// A clock that shows UTC.
    pub fn utc(now: Timestamp) -> Self {
        Self { now, zone: TimeZone::UTC }
    }

    /// One of a place, `Europe/Berlin`; UTC where the system's zone files know none of that name, as in graphite-web.
    pub fn of_place(now: Timestamp, place: &str) -> Self {
        Self { now, zone: TimeZone::get(place).unwrap_or(TimeZone::UTC) }
    }

    /// What it shows.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The same zone at another instant.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { now, zone: self.zone.clone() }
    }

    /// The zone that it is in.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// How many seconds it is before UTC at an instant, below zero where it is behind.
    pub fn offset_secs(&self, at: Timestamp) -> i64 {
        self.offset_at(at).map_or(0, |info| i64::from(info.offset().seconds()))
    }

    /// Whether it is put forward at an instant, for summer.
    pub fn is_summer_time(&self, at: Timestamp) -> bool {
        self.offset_at(at).is_some_and(|info| info.dst().is_dst())
    }

    fn offset_at(&self, at: Timestamp) -> Option<jiff::tz::TimeZoneOffsetInfo<'_>> {
        Some(self.zone.to_offset_info(jiff::Timestamp::from_second(at.as_secs()).ok()?))
    }

    /// The date and time of day that it would show at an instant.
    pub fn shown(&self, at: Timestamp) -> DateTime {
        // Every instant of a `Timestamp` is one of the calendar's.
        jiff::Timestamp::from_nanosecond(i128::from(at.as_nanos()))
            .map_or(DateTime::ZERO, |at| self.zone.to_datetime(at))
    }

    /// A time as graphite-web reads it; what it refuses is read as the rest of the program does, days and hours in this zone.
    pub fn read(&self, text: &str) -> Result<Timestamp, TimeError> {
        match self.graphite(text) {
            Some(at) => Ok(at),
            None => self.ours(text),
        }
    }

    /// A time as graphite-web reads it; `None` where it fails. What lies beyond a [`Timestamp`] is held at its ends.
    pub fn graphite(&self, text: &str) -> Option<Timestamp> {
        let without = |c: &char| !matches!(c, '_' | ',' | ' ');
        let text: Vec<char> = text.trim().to_lowercase().chars().filter(without).collect();
        if is_number(&text) && !is_day_number(&text) {
            let secs = i128::from(int(&text)?);
            return REACH.contains(&secs).then(|| Timestamp::from_secs(secs as i64));
        }
        let sign = |sign: char| text.iter().position(|c| *c == sign);
        let split = sign('+').or_else(|| sign('-')).unwrap_or(text.len());
        let secs_off = offset(&text[split..])?;
        let nanos = self.reference(&text[..split])? + secs_off * i128::from(NANOS_PER_SEC);
        if !REACH.contains(&nanos.div_euclid(i128::from(NANOS_PER_SEC))) {
            return None;
        }
        let held = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Some(Timestamp::from_nanos(held as i64))
    }

    /// What graphite-web refuses: RFC 3339, ms, seconds in a clock's time, `-5m`. Eight digits that are no day are none of these.
    fn ours(&self, text: &str) -> Result<Timestamp, TimeError> {
        let text = text.trim();
        let refused = || TimeError { text: text.chars().take(64).collect() };
        if text.len() == 8 && text.bytes().all(|c| c.is_ascii_digit()) {
            return Err(refused());
        }
        if let Some(at) = parse_rfc3339(text.as_bytes()).or_else(|| parse_unix_number(text)) {
            return Ok(at);
        }
        let wall = self.shown(self.now).to_zoned(TimeZone::UTC).ok();
        let wall = wall.and_then(|at| i64::try_from(at.timestamp().as_nanosecond()).ok());
        match TimeSpec::parse(text, Timestamp::from_nanos(wall.ok_or_else(refused)?))? {
            TimeSpec::Relative(nanos) => Ok(self.now.plus_nanos(nanos)),
            TimeSpec::Absolute(shown) => {
                let shown = Self::utc(shown).shown(shown);
                let at = self.instant(shown).and_then(|nanos| i64::try_from(nanos).ok());
                at.map(Timestamp::from_nanos).ok_or_else(refused)
            }
        }
    }

    /// Nanoseconds of `[clock][day]`; nothing is now, a day without a clock its midnight.
    fn reference(&self, text: &[char]) -> Option<i128> {
        if text.is_empty() || is(text, "now") {
            return Some(i128::from(self.now.as_nanos()));
        }
        let (hour, minute, day) = clock(text)?;
        let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
        let date = day_of(day, self.shown(self.now).date())?;
        self.instant(date.to_datetime(time))
    }

    /// Nanoseconds of the instant at which it shows this. Of an hour that is shown twice the one without summer time is meant, else the
    /// later one; an hour that is left out counts on from before it.
    fn instant(&self, shown: DateTime) -> Option<i128> {
        let at = |offset: Offset| offset.to_timestamp(shown).ok();
        let is_summer = |at: jiff::Timestamp| self.zone.to_offset_info(at).dst().is_dst();
        let at = match self.zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset)?,
            AmbiguousOffset::Gap { before, .. } => at(before)?,
            AmbiguousOffset::Fold { before, after } => {
                let (first, second) = (at(before)?, at(after)?);
                if is_summer(second) && !is_summer(first) { first } else { second }
            }
        };
        Some(at.as_nanosecond())
    }
}

fn is(text: &[char], word: &str) -> bool {
    text.iter().copied().eq(word.chars())
}

fn begins(text: &[char], word: &str) -> bool {
    text.len() >= word.len() && is(&text[..word.len()], word)
}

fn is_number(text: &[char]) -> bool {
    !text.is_empty() && text.iter().all(char::is_ascii_digit)
}

/// Whether eight digits are a day rather than seconds, `20261120`.
fn is_day_number(text: &[char]) -> bool {
    let part = |from: usize, to: usize| int(&text[from..to]).unwrap_or(0);
    text.len() == 8 && part(0, 4) > 1_900 && part(4, 6) < 13 && part(6, 8) < 32
}

/// A whole number as Python's `int` reads it: with a sign, with blanks around it.
fn int(text: &[char]) -> Option<i64> {
    let text: String = text.iter().collect();
    text.trim().parse().ok()
}

/// Seconds of `+1h30min` or `-2d`, units told by how they begin; nothing is no time at all.
fn offset(text: &[char]) -> Option<i128> {
    let Some((sign, mut rest)) = text.split_first() else { return Some(0) };
    let mut secs = 0_i128;
    while !rest.is_empty() {
        let number = rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let letters = rest[number..].iter().take_while(|c| c.is_alphabetic()).count();
        let count = i128::from(int(&rest[..number])?);
        secs += count * unit_secs(&rest[number..number + letters])?;
        if secs > LONGEST_SECS {
            return None;
        }
        rest = &rest[number + letters..];
    }
    Some(if *sign == '-' { -secs } else { secs })
}

fn unit_secs(unit: &[char]) -> Option<i128> {
    const UNITS: [(&str, i128); 7] = [
        ("s", 1),
        ("min", 60),
        ("h", 3_600),
        ("d", 86_400),
        ("w", 7 * 86_400),
        ("mon", 30 * 86_400),
        ("y", 365 * 86_400),
    ];
    UNITS.iter().find(|(name, _)| begins(unit, name)).map(|(_, secs)| *secs)
}

/// Where a word stands for the first time, if one or two characters stand before it.
fn behind_an_hour(text: &[char], word: &str) -> Option<usize> {
    let at = (0..text.len()).find(|at| begins(&text[*at..], word))?;
    (1..3).contains(&at).then_some(at)
}

/// Hour, minute and what follows. Each form may stand behind the others and changes what they said: `5:30 6am` is 06:30.
fn clock(text: &[char]) -> Option<(i64, i64, &[char])> {
    let (mut hour, mut minute, mut rest) = (0, 0, text);
    let afternoon = |hour: i64| hour.wrapping_add(12).rem_euclid(24);
    if let Some(at) = behind_an_hour(rest, ":") {
        let end = rest.len().min(at + 3);
        (hour, minute) = (int(&rest[..at])?, int(&rest[at + 1..end])?);
        rest = &rest[end..];
        if begins(rest, "pm") {
            hour = afternoon(hour);
        }
        if begins(rest, "am") || begins(rest, "pm") {
            rest = &rest[2..];
        }
    }
    if let Some(at) = behind_an_hour(rest, "am") {
        (hour, rest) = (int(&rest[..at])?, &rest[at + 2..]);
    }
    if let Some(at) = behind_an_hour(rest, "pm") {
        (hour, rest) = (afternoon(int(&rest[..at])?), &rest[at + 2..]);
    }
    let words = [("noon", 12), ("midnight", 0), ("teatime", 16)];
    if let Some((word, named)) = words.into_iter().find(|(word, _)| begins(rest, word)) {
        (hour, minute, rest) = (named, 0, &rest[word.len()..]);
    }
    Some((hour, minute, rest))
}

/// The day that a text names, seen from today.
fn day_of(text: &[char], today: Date) -> Option<Date> {
    let word: String = text.iter().collect();
    let head: String = text.iter().take(3).collect();
    match word.as_str() {
        "" | "today" => return Some(today),
        "yesterday" => return today.yesterday().ok(),
        "tomorrow" => return today.tomorrow().ok(),
        _ => {}
    }
    if text.iter().filter(|c| **c == '/').count() == 2 {
        return american_date(&word);
    }
    if text.len() == 8 && is_number(text) {
        return date(int(&text[..4])?, int(&text[4..6])?, int(&text[6..])?);
    }
    if let Some(month) = MONTHS.iter().position(|name| *name == head) {
        let digits = text.iter().rev().take(2).take_while(|c| c.is_ascii_digit()).count();
        let day = int(&text[text.len() - digits..])?;
        return date(i64::from(today.year()), month as i64 + 1, day);
    }
    let weekday = WEEKDAYS.iter().position(|name| *name == head)?;
    let back = (i64::from(today.weekday().to_monday_zero_offset()) - weekday as i64).rem_euclid(7);
    today.checked_sub(jiff::Span::new().days(back)).ok()
}

/// `MM/DD/YY` or `MM/DD/YYYY`, from 1970 on.
fn american_date(text: &str) -> Option<Date> {
    let mut parts = text.split('/').map(|part| part.trim().parse::<i64>().ok());
    let (month, day, mut year) = (parts.next()??, parts.next()??, parts.next()??);
    if year < 1_900 {
        year = year.checked_add(1_900)?;
    }
    if year < 1_970 {
        year += 100;
    }
    date(year, month, day)
}

fn date(year: i64, month: i64, day: i64) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| *year > 0)?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests;

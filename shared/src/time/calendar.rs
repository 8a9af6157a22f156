//! Days and clock fields of the proleptic Gregorian calendar in UTC.
//!
//! The conversions follow Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".

use super::{NANOS_PER_DAY, NANOS_PER_SEC, TimeRange, Timestamp};
use std::fmt;

/// A UTC day, counted from 1970-01-01. Prints and parses as `YYYY-MM-DD`, the name of its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day with this number; 0 is 1970-01-01.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Days since 1970-01-01.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The day of a calendar date; `None` when there is no such date.
    pub fn from_date(year: i32, month: u32, day: u32) -> Option<Self> {
        let fits = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
        fits.then(|| Self(days_from_civil(year, month, day)))
    }

    /// Reads `YYYY-MM-DD`, exactly.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let number = |from: usize, to: usize| {
            let part = &text.get(from..to)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten()
        };
        Self::from_date(number(0, 4)? as i32, number(5, 7)?, number(8, 10)?)
    }

    /// The first instant of the day.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_nanos(self.0.saturating_mul(NANOS_PER_DAY))
    }

    /// The whole day, `[00:00, 24:00)`.
    pub const fn range(self) -> TimeRange {
        TimeRange { from: self.start(), until: self.next().start() }
    }

    /// The day after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// 0 for Monday … 6 for Sunday.
    pub const fn weekday(self) -> u32 {
        (self.0 + 3).rem_euclid(7) as u32
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// An instant taken apart into calendar and clock fields, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the calendar's own words")]
pub struct Civil {
    pub year: i32,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub nanos: u32,
}

impl Civil {
    /// The fields of an instant.
    pub fn of(at: Timestamp) -> Self {
        let (year, month, day) = civil_from_days(at.day().number());
        let in_day = at.as_nanos().rem_euclid(NANOS_PER_DAY);
        let secs = (in_day / NANOS_PER_SEC) as u32;
        Self {
            year,
            month,
            day,
            hour: secs / 3_600,
            minute: secs / 60 % 60,
            second: secs % 60,
            nanos: (in_day % NANOS_PER_SEC) as u32,
        }
    }

    /// The instant of these fields; `None` when a field is out of its range or the instant cannot be told.
    /// A second of 60 (a leap second) counts as the first of the next minute.
    pub fn timestamp(self) -> Option<Timestamp> {
        let day = Day::from_date(self.year, self.month, self.day)?;
        if self.hour > 23 || self.minute > 59 || self.second > 60 || self.nanos > 999_999_999 {
            return None;
        }
        let secs = i64::from(self.hour * 3_600 + self.minute * 60 + self.second);
        let in_day = secs * NANOS_PER_SEC + i64::from(self.nanos);
        day.number().checked_mul(NANOS_PER_DAY)?.checked_add(in_day).map(Timestamp::from_nanos)
    }
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i32, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    ((year_of_era + era * 400 + i64::from(month <= 2)) as i32, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days_have_their_names() {
        let check = |number: i64, name: &str, weekday: u32| {
            let day = Day::from_number(number);
            assert_eq!(day.to_string(), name);
            assert_eq!(Day::parse(name), Some(day));
            assert_eq!(day.weekday(), weekday);
        };
        check(0, "1970-01-01", 3);
        check(11_016, "2000-02-29", 1);
        check(-1, "1969-12-31", 2);
        check(20_780, "2026-11-23", 0);
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for name in
            ["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-01", "lost+found", "2026-11-2x", "+026-11-20"]
        {
            assert_eq!(Day::parse(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn fields_and_instant_agree(nanos in any::<i64>()) {
            let at = Timestamp::from_nanos(nanos);
            prop_assume!(at.day().number() > -106_751);
            prop_assert_eq!(Civil::of(at).timestamp(), Some(at));
        }
    }
}

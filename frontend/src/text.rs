//! Times and counts as people read them.

use sonde_shared::api::FacetCount;
use sonde_shared::time::{NANOS_PER_DAY, NANOS_PER_SEC, TimeRange, Timestamp, ZoneClock, format_duration};

/// A narrow no-break space: between thousands, so that a number is never broken across lines.
const THIN: char = '\u{202f}';

/// `1 284`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(digit);
    }
    out
}

/// `84`, `1.3k`, `12k`, `4.1M`: for places of a few characters.
pub fn short_count(number: u64) -> String {
    const UNITS: [(u64, char); 3] = [(1_000_000_000, 'G'), (1_000_000, 'M'), (1_000, 'k')];
    let Some((size, unit)) = UNITS.into_iter().find(|(size, _)| number >= *size) else {
        return number.to_string();
    };
    let tenths = number / (size / 10);
    if tenths < 100 {
        format!("{}.{}{unit}", tenths / 10, tenths % 10)
    } else {
        format!("{}{unit}", tenths / 10)
    }
}

/// `1 line`, `1 284 lines`.
pub fn lines(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "line" } else { "lines" })
}

/// `12 error, 1 284 info`.
pub fn levels(counts: &[FacetCount]) -> String {
    let told: Vec<String> = counts.iter().map(|one| [&count(one.count), " ", &one.value].concat()).collect();
    told.join(", ")
}

/// How many lines there are now, an hour, against before: `now 10× as many an hour`. Both are counts with the nanoseconds they
/// are of; nothing is said where there were none before.
pub fn times_as_many(now: (u64, i64), before: (u64, i64)) -> Option<String> {
    let rate = |(lines, nanos): (u64, i64)| lines as f64 / nanos.max(1) as f64;
    let times = rate(now) / rate(before);
    if !times.is_finite() {
        return None;
    }
    Some(match times {
        0.0 => "now none".to_owned(),
        0.95..1.05 => "now as many an hour".to_owned(),
        _ => ["now ", &self::times(times), " as many an hour"].concat(),
    })
}

/// `21×`, `1.5×`, `0.07×`, `under 0.01×`.
pub fn times(times: f64) -> String {
    let hundredths = (times * 100.0).round() as u64;
    let number = match times {
        9.95.. => count(times.round() as u64),
        0.95.. => decimal((times * 10.0).round() as u64 * 10),
        0.01.. => decimal(hundredths),
        _ => "under 0.01".to_owned(),
    };
    number + "×"
}

/// `1.5` of 150 hundredths.
fn decimal(hundredths: u64) -> String {
    let text = [
        &(hundredths / 100).to_string(),
        ".",
        &(hundredths / 10 % 10).to_string(),
        &(hundredths % 10).to_string(),
    ]
    .concat();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `84 %`, `0.3 %`, `under 0.1 %` of a whole, `over 99 %` of what is not all of it.
pub fn percent(part: u64, whole: u64) -> String {
    let share = part as f64 / whole.max(1) as f64;
    let thousandths = (share * 1_000.0).round() as u64;
    let number = match thousandths {
        0 if part > 0 => "under 0.1".to_owned(),
        ..100 => decimal(thousandths * 10),
        995.. if part < whole => "over 99".to_owned(),
        _ => ((share * 100.0).round() as u64).to_string(),
    };
    number + " %"
}

/// By which ports else data may come; nothing where none is open.
pub fn other_ways(carbon_port: Option<u16>, syslog_port: Option<u16>) -> Option<String> {
    let way = |name: &str, port: Option<u16>| match port? {
        // Whichever was free.
        0 => Some(name.to_owned()),
        port => Some(format!("{name} on port {port}")),
    };
    let ways = [way("Graphite plaintext", carbon_port), way("syslog", syslog_port)];
    let ways: Vec<String> = ways.into_iter().flatten().collect();
    let verb = if ways.len() == 1 { "is" } else { "are" };
    (!ways.is_empty()).then(|| capitalized(&format!("{} {verb} listened to as well.", ways.join(" and "))))
}

/// A message of the server as a sentence begins.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

/// `14:05:00.120`.
pub fn clock_ms(at: Timestamp, zone: ZoneClock<'_>) -> String {
    let time = zone.civil(at);
    format!("{:02}:{:02}:{:02}.{:03}", time.hour, time.minute, time.second, time.nanos / 1_000_000)
}

/// How much of its date a line's time needs among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// All lie on one day: `14:05:00.120`.
    Clock,
    /// They lie on several days: `11-20 14:05:00.120`.
    Day,
    /// And in several years: `2026-11-20 14:05:00.120`.
    Year,
    /// How long after an instant: `+1:02.120`.
    Since(Timestamp),
}

impl Stamp {
    /// What the lines of a range need.
    pub fn of(range: TimeRange, zone: ZoneClock<'_>) -> Self {
        let last = range.until.plus_nanos(-1).max(range.from);
        let (from, until) = (date(range.from, zone), date(last, zone));
        match (from == until, from.get(..4) == until.get(..4)) {
            (true, _) => Self::Clock,
            (_, true) => Self::Day,
            (_, false) => Self::Year,
        }
    }

    /// A line's time.
    pub fn write(self, at: Timestamp, zone: ZoneClock<'_>) -> String {
        let (day, clock) = (date(at, zone), clock_ms(at, zone));
        match self {
            Self::Clock => clock,
            Self::Day => format!("{} {clock}", day.get(5..).unwrap_or(&day)),
            Self::Year => format!("{day} {clock}"),
            Self::Since(start) => since(at.nanos_since(start)),
        }
    }
}

/// `+0.120`, `+1:02.120`, `−3:00:00.000`.
fn since(nanos: i64) -> String {
    let two = |number: u64| [if number < 10 { "0" } else { "" }, &number.to_string()].concat();
    let (sign, millis) = (if nanos < 0 { "−" } else { "+" }, nanos.unsigned_abs() / 1_000_000);
    let (secs, minutes, hours) = (millis / 1_000 % 60, millis / 60_000 % 60, millis / 3_600_000);
    let clock = match (hours, minutes) {
        (0, 0) => secs.to_string(),
        (0, minutes) => [&minutes.to_string(), ":", &two(secs)].concat(),
        (hours, minutes) => [&hours.to_string(), ":", &two(minutes), ":", &two(secs)].concat(),
    };
    let rest = millis % 1_000;
    [sign, &clock, ".", if rest < 100 { "0" } else { "" }, &two(rest)].concat()
}

/// `14:05:00`, with milliseconds only where there are some.
pub fn clock(at: Timestamp, zone: ZoneClock<'_>) -> String {
    let text = clock_ms(at, zone);
    text.strip_suffix(".000").map_or_else(|| text.clone(), str::to_owned)
}

/// `2026-11-20`.
pub fn date(at: Timestamp, zone: ZoneClock<'_>) -> String {
    zone.day(at).to_string()
}

/// `2026-11-20 14:05:00`.
pub fn date_clock(at: Timestamp, zone: ZoneClock<'_>) -> String {
    format!("{} {}", date(at, zone), clock(at, zone))
}

/// `14:05:00`; with the date where it is not that of `today`.
fn clock_on(today: Timestamp, at: Timestamp, zone: ZoneClock<'_>) -> String {
    let is_today = date(at, zone) == date(today, zone);
    if is_today { clock(at, zone) } else { date_clock(at, zone) }
}

/// `at 14:05:00`; with the date where it is not that of `today`.
pub fn at(at: Timestamp, today: Timestamp, zone: ZoneClock<'_>) -> String {
    ["at ", &clock_on(today, at, zone)].concat()
}

/// `complete to 14:05:00`, likewise.
pub fn complete_to(at: Timestamp, today: Timestamp, zone: ZoneClock<'_>) -> String {
    ["complete to ", &clock_on(today, at, zone)].concat()
}

/// `indexed to 09:12`; with the date where it is not that of `today`.
pub fn indexed_to(at: Timestamp, today: Timestamp, zone: ZoneClock<'_>) -> String {
    let text = clock_ms(at, zone);
    let minute = text.get(..5).unwrap_or(&text);
    match date(at, zone) {
        day if day == date(today, zone) => format!("indexed to {minute}"),
        day => format!("indexed to {day} {minute}"),
    }
}

/// `14:05:00–14:07:00 (2 m)`; with the date where it is not that of `today`, with both where the range spans days.
pub fn range(range: TimeRange, today: Timestamp, zone: ZoneClock<'_>) -> String {
    let day = |at| date(at, zone);
    let (from, until) = (range.from, range.until);
    let text = if day(from) != day(until.plus_nanos(-1)) {
        format!("{} – {}", date_clock(from, zone), date_clock(until, zone))
    } else if day(from) == day(today) {
        format!("{}–{}", clock(from, zone), clock(until, zone))
    } else {
        format!("{}–{}", date_clock(from, zone), clock(until, zone))
    };
    format!("{text} ({})", format_duration(range.nanos()))
}

/// `2026-11-20 14:05:00–14:07:00 (2 m)`: a range always with its date.
pub fn dated_range(range: TimeRange, zone: ZoneClock<'_>) -> String {
    let (from, until, is_one_day) = ends(range, zone);
    let dash = if is_one_day { "–" } else { " – " };
    format!("{from}{dash}{until} ({})", format_duration(range.nanos()))
}

/// `14:05:00 to 14:07:00`: a range read out; with its dates where they are not that of `today`.
pub fn spoken(range: TimeRange, today: Timestamp, zone: ZoneClock<'_>) -> String {
    let (dated, until, is_one_day) = ends(range, zone);
    let is_today = is_one_day && date(range.from, zone) == date(today, zone);
    let from = if is_today { clock(range.from, zone) } else { dated };
    [&from, " to ", &until].concat()
}

/// `2026-11-20 14:05:00..14:07:00`: a range as it could be typed.
pub fn typed(range: TimeRange, zone: ZoneClock<'_>) -> String {
    let (from, until, _) = ends(range, zone);
    format!("{from}..{until}")
}

/// Both ends, the day only once where it is one day, and whether it is.
fn ends(range: TimeRange, zone: ZoneClock<'_>) -> (String, String, bool) {
    let (from, until) = (range.from, range.until);
    let is_one_day = date(from, zone) == date(until, zone);
    let end = if is_one_day { clock(until, zone) } else { date_clock(until, zone) };
    (date_clock(from, zone), end, is_one_day)
}

/// `41 s silence`, where two neighbouring lines lie apart.
pub fn silence(nanos: i64) -> String {
    format!("{} silence", format_duration(nanos / NANOS_PER_SEC * NANOS_PER_SEC))
}

/// `Last 1 h`, or the range itself.
pub fn range_label(spec: sonde_shared::view::RangeSpec, now: Timestamp, zone: ZoneClock<'_>) -> String {
    use sonde_shared::time::TimeSpec::Relative;
    match (spec.from, spec.until) {
        (Relative(back), Relative(0)) if back < 0 => format!("Last {}", relative_length(-back)),
        _ => range(spec.resolve(now), now, zone),
    }
}

fn relative_length(nanos: i64) -> String {
    match nanos / NANOS_PER_DAY {
        // As it is offered, and as long where a day has other than 24 hours.
        1 if nanos == NANOS_PER_DAY => "24 h".to_owned(),
        days if days > 0 && nanos % NANOS_PER_DAY == 0 => format!("{days} d"),
        _ => format_duration(nanos),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::parse_rfc3339;

    fn at(text: &str) -> Timestamp {
        parse_rfc3339(text.as_bytes()).unwrap()
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            [count(7), count(1_284), count(1_000_000)],
            ["7", "1\u{202f}284", "1\u{202f}000\u{202f}000"]
        );
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        let check = |number: u64, text: &str| assert_eq!(count(number).replace(THIN, " "), text);
        check(7, "7");
        check(1_284, "1 284");
        check(1_000_000, "1 000 000");
        assert_eq!(lines(1), "1 line");
        assert_eq!(lines(12).as_str(), "12 lines");
    }

    #[test]
    fn a_moving_range_is_called_as_it_was_chosen() {
        let hour = 3_600 * NANOS_PER_SEC;
        let check = |hours: i64, text: &str| {
            let spec = sonde_shared::view::RangeSpec::last(hours * hour);
            assert_eq!(range_label(spec, at("2026-11-20T20:00:00Z"), ZoneClock::UTC), text);
        };
        check(6, "Last 6 h");
        check(24, "Last 24 h");
        check(48, "Last 2 d");
    }

    #[test]
    fn short_counts_fit_a_rail() {
        let check = |number: u64, text: &str| assert_eq!(short_count(number), text);
        check(999, "999");
        check(1_290, "1.2k");
        check(12_900, "12k");
        check(4_150_000, "4.1M");
    }

    #[test]
    fn a_range_says_its_date_where_it_is_not_today() {
        let day = |from: &str, until: &str| {
            range(TimeRange::between(at(from), at(until)), at("2026-11-20T20:00:00Z"), ZoneClock::UTC)
        };
        assert_eq!(day("2026-11-20T14:05:00Z", "2026-11-20T14:07:00Z"), "14:05:00–14:07:00 (2 m)");
        assert_eq!(
            day("2026-11-19T14:05:00Z", "2026-11-19T14:07:00.5Z"),
            "2026-11-19 14:05:00–14:07:00.500 (2 m)"
        );
        assert_eq!(
            day("2026-11-19T23:00:00Z", "2026-11-20T01:00:00Z"),
            "2026-11-19 23:00:00 – 2026-11-20 01:00:00 (2 h)"
        );
    }

    #[test]
    fn what_is_indexed_ends_at_a_whole_minute() {
        let check = |text: &str, offset: i32, expected: &str| {
            let offsets = [(Timestamp::MIN, offset)];
            let found = indexed_to(at(text), at("2026-11-20T20:00:00Z"), ZoneClock::new(&offsets));
            assert_eq!(found, expected);
        };
        check("2026-11-20T09:12:59.9Z", 0, "indexed to 09:12");
        check("2026-11-20T09:12:00Z", 60, "indexed to 10:12");
        check("2026-11-19T00:00:00Z", 0, "indexed to 2026-11-19 00:00");
    }

    #[test]
    fn a_dated_range_names_its_day_even_today() {
        let check = |until: &str, expected: &str| {
            let range = TimeRange::between(at("2026-11-20T14:05:00Z"), at(until));
            assert_eq!(dated_range(range, ZoneClock::UTC), expected);
        };
        check("2026-11-20T14:07:00Z", "2026-11-20 14:05:00–14:07:00 (2 m)");
        check("2026-11-21T00:00:00Z", "2026-11-20 14:05:00 – 2026-11-21 00:00:00 (9 h 55 m)");
    }

    #[test]
    fn a_range_is_read_out_with_the_days_that_are_not_today() {
        let check = |from: &str, until: &str, expected: &str| {
            let range = TimeRange::between(at(from), at(until));
            assert_eq!(spoken(range, at("2026-11-20T20:00:00Z"), ZoneClock::UTC), expected);
        };
        check("2026-11-20T14:05:00Z", "2026-11-20T14:07:00Z", "14:05:00 to 14:07:00");
        check("2026-11-19T14:05:00Z", "2026-11-19T14:07:00Z", "2026-11-19 14:05:00 to 14:07:00");
        check("2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-19 00:00:00 to 2026-11-20 00:00:00");
    }

    #[test]
    fn a_typed_range_names_a_day_once() {
        let check = |until: &str, expected: &str| {
            assert_eq!(
                typed(TimeRange::between(at("2026-11-20T14:05:00Z"), at(until)), ZoneClock::UTC),
                expected
            );
        };
        check("2026-11-20T14:07:00Z", "2026-11-20 14:05:00..14:07:00");
        check("2026-11-21T00:00:00Z", "2026-11-20 14:05:00..2026-11-21 00:00:00");
    }

    #[test]
    fn only_open_ports_are_named() {
        let check = |carbon, syslog, expected: Option<&str>| {
            assert_eq!(other_ways(carbon, syslog).as_deref(), expected);
        };
        check(
            Some(2_003),
            Some(0),
            Some("Graphite plaintext on port 2003 and syslog are listened to as well."),
        );
        check(None, Some(514), Some("Syslog on port 514 is listened to as well."));
        check(None, None, None);
    }

    #[test]
    fn rates_are_compared_in_words() {
        let check = |now: (u64, i64), before: (u64, i64), expected: Option<&str>| {
            assert_eq!(times_as_many(now, before).as_deref(), expected, "{now:?} {before:?}");
        };
        check((720, 2), (412, 24), Some("now 21× as many an hour"));
        check((30, 10), (20, 10), Some("now 1.5× as many an hour"));
        check((20, 10), (10, 10), Some("now 2× as many an hour"));
        check((10, 10), (20, 10), Some("now 0.5× as many an hour"));
        check((99, 100), (10, 100), Some("now 9.9× as many an hour"));
        check((100, 10), (101, 10), Some("now as many an hour"));
        check((1, 1_000), (9, 1), Some("now under 0.01× as many an hour"));
        check((0, 10), (20, 10), Some("now none"));
        check((5, 10), (0, 10), None);
        check((0, 0), (0, 0), None);
    }

    #[test]
    fn a_line_says_its_day_where_the_range_has_several() {
        let check = |from: &str, until: &str, offset: i32, expected: &str| {
            let offsets = [(Timestamp::MIN, offset)];
            let zone = ZoneClock::new(&offsets);
            let stamp = Stamp::of(TimeRange::between(at(from), at(until)), zone);
            assert_eq!(stamp.write(at("2026-11-20T14:05:00.120Z"), zone), expected);
        };
        check("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", 0, "14:05:00.120");
        check("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", 60, "11-20 15:05:00.120");
        check("2026-11-19T23:00:00Z", "2026-11-20T15:00:00Z", 60, "15:05:00.120");
        check("2026-11-20T00:00:00Z", "2027-01-01T00:00:00.001Z", 0, "2026-11-20 14:05:00.120");
    }

    #[test]
    fn shares_and_ratios_are_short() {
        let check = |part: u64, whole: u64, expected: &str| assert_eq!(percent(part, whole), expected);
        check(84, 100, "84 %");
        check(39_717, 200_000, "20 %");
        check(99, 1_000, "9.9 %");
        check(9_996, 100_000, "10 %");
        check(994, 1_000, "99 %");
        check(19_999, 20_000, "over 99 %");
        check(3, 1_000, "0.3 %");
        check(1, 1_000_000, "under 0.1 %");
        check(0, 10, "0 %");
        check(0, 0, "0 %");
        check(7, 7, "100 %");
        for (value, expected) in
            [(21.0, "21×"), (1.5, "1.5×"), (2.0, "2×"), (0.07, "0.07×"), (0.001, "under 0.01×")]
        {
            assert_eq!(times(value), expected);
        }
    }

    #[test]
    fn a_time_may_be_told_since_a_start() {
        let start = at("2026-11-20T14:05:00Z");
        let check = |text: &str, expected: &str| {
            assert_eq!(Stamp::Since(start).write(at(text), ZoneClock::UTC), expected);
        };
        check("2026-11-20T14:05:00.120Z", "+0.120");
        check("2026-11-20T14:06:02.007Z", "+1:02.007");
        check("2026-11-20T16:05:09.050Z", "+2:00:09.050");
        check("2026-11-20T14:04:59.500Z", "−0.500");
    }

    #[test]
    fn clocks_follow_the_zone() {
        let zone = ZoneClock::new(&[(Timestamp::MIN, 60)]);
        assert_eq!(clock_ms(at("2026-11-20T23:30:00.120Z"), zone), "00:30:00.120");
        assert_eq!(date(at("2026-11-20T23:30:00Z"), zone), "2026-11-21");
    }
}

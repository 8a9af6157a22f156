//! What the clocks of a zone show, also where they are put forward and back.

use super::{Civil, Day, NANOS_PER_DAY, NANOS_PER_SEC, TimeRange, Timestamp};

/// From an instant on a zone is so many minutes east of UTC.
pub type Offset = (Timestamp, i32);

/// The clock of a zone: its offsets in order, of which the first holds before its instant too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneClock<'a>(&'a [Offset]);

impl<'a> ZoneClock<'a> {
    /// The clock that is never moved.
    pub const UTC: ZoneClock<'static> = ZoneClock(&[(Timestamp::MIN, 0)]);

    /// A clock from the offsets of its zone, none of which is a day or more.
    pub const fn new(offsets: &'a [Offset]) -> Self {
        Self(offsets)
    }

    /// Minutes east of UTC at an instant.
    pub fn minutes(self, at: Timestamp) -> i32 {
        let after = self.0.partition_point(|(from, _)| *from <= at);
        self.0.get(after.saturating_sub(1)).map_or(0, |(_, minutes)| *minutes)
    }

    /// What the clock on the wall shows at an instant, as if it were UTC.
    pub fn wall(self, at: Timestamp) -> Timestamp {
        at.plus_nanos(nanos(self.minutes(at)))
    }

    /// The date that the calendar on the wall shows at an instant, and the time of day.
    pub fn civil(self, at: Timestamp) -> Civil {
        Civil::of(self.wall(at))
    }

    /// The day that the calendar on the wall shows at an instant.
    pub fn day(self, at: Timestamp) -> Day {
        self.wall(at).day()
    }

    /// When the clock on the wall shows this: the first time where it is put back and shows it twice. A time that it leaves
    /// out where it is put forward is read as if it had been put forward before.
    pub fn instant(self, wall: Timestamp) -> Timestamp {
        // No zone is a day away from UTC, and none turns its clock twice in two days.
        let offset_near = |days: i64| nanos(self.minutes(wall.plus_nanos(days * NANOS_PER_DAY)));
        let (before, after) = (offset_near(-1), offset_near(1));
        let early = wall.plus_nanos(-before);
        if nanos(self.minutes(early)) == before { early } else { wall.plus_nanos(-after) }
    }

    /// The parts of a range within which the clock is not moved, each with its minutes east of UTC.
    pub fn parts(self, range: TimeRange) -> impl Iterator<Item = (TimeRange, i32)> {
        let first = self.0.partition_point(|(from, _)| *from <= range.from).saturating_sub(1);
        self.0.iter().enumerate().skip(first).map_while(move |(index, (from, minutes))| {
            let end = self.0.get(index + 1).map_or(range.until, |(next, _)| (*next).min(range.until));
            let from = if index == first { range.from } else { *from };
            (from < range.until).then_some((TimeRange { from, until: end }, *minutes))
        })
    }
}

/// All moves of a zone's clock within a range, found by asking for its minutes east of UTC at single instants: to the minute,
/// where none is undone within two weeks.
pub fn find_offsets(range: TimeRange, minutes_at: impl Fn(Timestamp) -> i32) -> Vec<Offset> {
    const STRIDE: i64 = 14 * NANOS_PER_DAY;
    const MINUTE: i64 = 60 * NANOS_PER_SEC;
    let mut offsets = vec![(range.from, minutes_at(range.from))];
    let mut low = range.from;
    while low < range.until {
        let next = low.plus_nanos(STRIDE).min(range.until);
        let (before, after) = (offsets.last().map_or(0, |(_, minutes)| *minutes), minutes_at(next));
        let mut high = next;
        while before != after && high.nanos_since(low) >= 2 * MINUTE {
            let middle = low.plus_nanos(high.nanos_since(low) / 2 / MINUTE * MINUTE);
            if minutes_at(middle) == before { low = middle } else { high = middle }
        }
        if before != after {
            offsets.push((high, after));
        }
        low = next;
    }
    offsets
}

fn nanos(minutes: i32) -> i64 {
    i64::from(minutes) * 60 * NANOS_PER_SEC
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_rfc3339;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        parse_rfc3339(text.as_bytes()).unwrap()
    }

    fn berlin() -> [Offset; 3] {
        [
            (at("2026-01-01T00:00:00Z"), 60),
            (at("2026-03-29T01:00:00Z"), 120),
            (at("2026-10-25T01:00:00Z"), 60),
        ]
    }

    #[test]
    fn clocks_are_read_before_and_after_they_are_moved() {
        let offsets = berlin();
        let zone = ZoneClock::new(&offsets);
        let check = |text: &str, hour: u32| assert_eq!(zone.civil(at(text)).hour, hour, "{text}");
        check("1999-07-01T12:00:00Z", 13);
        check("2026-03-29T00:59:59Z", 1);
        check("2026-03-29T01:00:00Z", 3);
        check("2026-10-25T00:59:59Z", 2);
        check("2026-10-25T01:00:00Z", 2);
        check("2027-07-01T12:00:00Z", 13);
        assert_eq!(zone.day(at("2026-10-25T23:00:00Z")), at("2026-10-26T00:00:00Z").day());
        assert_eq!(ZoneClock::UTC.wall(Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn the_parts_of_a_range_are_all_of_it() {
        let offsets = berlin();
        let zone = ZoneClock::new(&offsets);
        let parts = |from: &str, until: &str| -> Vec<(String, i32)> {
            let range = TimeRange { from: at(from), until: at(until) };
            zone.parts(range).map(|(part, minutes)| (part.to_string(), minutes)).collect()
        };
        let pair = |range: &str, minutes: i32| (range.to_owned(), minutes);
        assert_eq!(
            parts("2025-12-01T00:00:00Z", "2026-10-26T00:00:00Z"),
            [
                pair("2025-12-01T00:00:00Z..2026-03-29T01:00:00Z", 60),
                pair("2026-03-29T01:00:00Z..2026-10-25T01:00:00Z", 120),
                pair("2026-10-25T01:00:00Z..2026-10-26T00:00:00Z", 60),
            ]
        );
        assert_eq!(
            parts("2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"),
            [pair("2026-03-29T01:00:00Z..2026-10-25T01:00:00Z", 120)]
        );
        assert_eq!(parts("2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"), []);
    }

    #[test]
    fn moves_are_found_by_asking_for_single_instants() {
        let offsets = berlin();
        let until = at("2027-01-01T00:00:30Z");
        let range = TimeRange { from: offsets[0].0, until };
        assert_eq!(find_offsets(range, |at| ZoneClock::new(&offsets).minutes(at)), offsets);
        assert_eq!(find_offsets(range, |_| 330), [(range.from, 330)]);
    }

    proptest! {
        #[test]
        fn what_the_wall_shows_leads_back(minute in 0i64..525_600, second in 0i64..60) {
            let offsets = berlin();
            let zone = ZoneClock::new(&offsets);
            let instant = offsets[0].0.plus_nanos((minute * 60 + second) * NANOS_PER_SEC);
            let back = zone.instant(zone.wall(instant));
            // Of an hour that is shown twice, the first is meant.
            let apart = instant.nanos_since(back);
            prop_assert!(apart == 0 || apart == 3_600 * NANOS_PER_SEC);
            prop_assert_eq!(zone.wall(back), zone.wall(instant));
        }
    }
}

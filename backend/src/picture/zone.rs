//! The zone whose clock a picture's times are read from.

use crate::graphite_time::GraphiteClock;
use jiff::tz::TimeZone;
use sonde_shared::time::{NANOS_PER_SEC, Offset, TimeRange, Timestamp};

/// A zone of the system's own list.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

/// More changes of the clock than a range of some centuries has.
const MOST_CHANGES: usize = 2_000;

impl Zone {
    /// The zone that a clock is in.
    pub fn of(clock: &GraphiteClock) -> Self {
        Self(clock.zone().clone())
    }

    /// From when on how far it is from UTC, within a range.
    pub fn offsets(&self, range: TimeRange) -> Vec<Offset> {
        let minutes = |offset: jiff::tz::Offset| offset.seconds().div_euclid(60);
        let start = instant(range.from);
        let mut offsets = vec![(range.from, minutes(self.0.to_offset(start)))];
        let changes = self.0.following(start).take(MOST_CHANGES);
        let inside = changes.take_while(|change| change.timestamp() < instant(range.until));
        offsets.extend(inside.map(|change| {
            let at = change.timestamp().as_second().saturating_mul(NANOS_PER_SEC);
            (Timestamp::from_nanos(at), minutes(change.offset()))
        }));
        offsets
    }

    /// What its time is called at the end of a range: `UTC`, `CET`.
    pub fn short_name(&self, range: TimeRange) -> String {
        let name = self.0.to_offset_info(instant(range.until)).abbreviation().to_owned();
        // Zones without a name of their own are called by their offset.
        if name.starts_with(['+', '-']) { format!("UTC{name}") } else { name }
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    let seconds = jiff::Timestamp::from_second(at.as_secs());
    seconds.unwrap_or(if at.as_secs() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::parse_rfc3339;

    fn zone(place: &str) -> Zone {
        Zone::of(&GraphiteClock::of_place(Timestamp::default(), place))
    }

    fn at(text: &str) -> Timestamp {
        parse_rfc3339(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_zone_tells_each_change_of_its_clock() {
        let berlin = zone("Europe/Berlin");
        let year = TimeRange { from: at("2026-01-01T00:00:00Z"), until: at("2026-12-31T00:00:00Z") };
        let changes = [(year.from, 60), (at("2026-03-29T01:00:00Z"), 120), (at("2026-10-25T01:00:00Z"), 60)];
        assert_eq!(berlin.offsets(year), changes);
        assert_eq!(berlin.short_name(year), "CET");
        let utc = zone("Nowhere/Land");
        assert_eq!((utc.offsets(year), utc.short_name(year).as_str()), (vec![(year.from, 0)], "UTC"));
        assert_eq!(zone("UTC").short_name(year), "UTC");
        let kolkata = zone("Asia/Kolkata");
        assert_eq!(kolkata.offsets(year), [(year.from, 330)]);
        berlin.offsets(TimeRange::all());
    }
}

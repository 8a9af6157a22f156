//! Where an edge of a band comes to stand: on a tick or an event near it while snapping is on, else on a round instant.
//! What is shown while dragging is what is committed.

use sonde_shared::api::Event;
use sonde_shared::chart::scale::{TimeScale, readable};
use sonde_shared::chart::ticks::time_ticks;
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp, ZoneClock};

/// About so many pixels lie between two ticks, so that labels with a date do not touch.
const TICK_PX: f64 = 96.0;
/// An edge this near to a stop goes there: far enough to be caught with a finger, near enough to pass between.
const SNAP_PX: f64 = 10.0;

/// At most how many ticks the axis has.
pub(crate) fn most_ticks(scale: &TimeScale) -> usize {
    ((scale.right() - scale.left()) / TICK_PX).max(1.0) as usize
}

/// The instants that edges snap to; none while snapping is off.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stops(Vec<Timestamp>);

impl Stops {
    /// The ticks that the axis shows, and the events in view.
    pub(crate) fn new(scale: &TimeScale, zone: ZoneClock<'_>, events: &[Event]) -> Self {
        let ticks = time_ticks(scale.range(), zone, most_ticks(scale));
        let events = events.iter().map(|event| Timestamp::from_secs(event.when));
        let seen = events.filter(|at| scale.range().contains(*at));
        Self(ticks.into_iter().map(|tick| tick.at).chain(seen).collect())
    }

    /// The stop nearest to an instant, if one is near.
    fn near(&self, at: Timestamp, scale: &TimeScale) -> Option<Timestamp> {
        let reach = (scale.nanos_per_px() * SNAP_PX) as u64;
        let distance = |stop: &Timestamp| stop.as_nanos().abs_diff(at.as_nanos());
        self.0.iter().copied().filter(|stop| distance(stop) <= reach).min_by_key(distance)
    }

    /// Where an edge that is dragged to an instant stands.
    pub(super) fn place(&self, at: Timestamp, scale: &TimeScale) -> Timestamp {
        self.near(at, scale).unwrap_or_else(|| rounded_time(at, scale))
    }

    /// Where a band that is moved to a range stands: the end that is nearer to a stop goes there, the length stays.
    pub(super) fn place_band(&self, band: TimeRange, by_nanos: f64, scale: &TimeScale) -> TimeRange {
        let by =
            |nanos: i64| TimeRange { from: band.from.plus_nanos(nanos), until: band.until.plus_nanos(nanos) };
        let moved = by(by_nanos.round() as i64);
        let shift_of = |end: Timestamp| self.near(end, scale).map(|stop| stop.nanos_since(end));
        let shifts = [shift_of(moved.from), shift_of(moved.until)].into_iter().flatten();
        shifts.min_by_key(|shift| shift.unsigned_abs()).map_or_else(
            || by(readable(by(rounded(by_nanos, scale))).from.nanos_since(band.from)),
            |shift| by((by_nanos.round() as i64).saturating_add(shift)),
        )
    }
}

/// Rounded to as much as a pixel can tell apart: an address is read by people.
fn rounded(nanos: f64, scale: &TimeScale) -> i64 {
    const GRAINS_MS: [i64; 8] = [3_600_000, 600_000, 60_000, 10_000, 1_000, 100, 10, 1];
    let grain = GRAINS_MS.map(|ms| (ms * NANOS_PER_MS) as f64);
    let grain = grain.into_iter().find(|grain| *grain <= scale.nanos_per_px()).unwrap_or(1.0);
    ((nanos / grain).round() * grain) as i64
}

/// An instant as round as the screen allows.
pub(super) fn rounded_time(at: Timestamp, scale: &TimeScale) -> Timestamp {
    const HOUR_SECS: i64 = 3_600;
    // From the whole hour on: an f64 cannot hold the nanoseconds of our century.
    let hour = Timestamp::from_secs(at.as_secs().div_euclid(HOUR_SECS) * HOUR_SECS);
    hour.plus_nanos(rounded(at.nanos_since(hour) as f64, scale))
}

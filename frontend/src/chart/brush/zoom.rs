//! Ranges that a wheel, a pan or a zoom lead to.

use sonde_shared::chart::scale::{TimeScale, readable};
use sonde_shared::time::{NANOS_PER_MS, NANOS_PER_SEC, TimeRange, Timestamp};

/// Nothing shorter is shown: axes have no finer ticks.
const SHORTEST_NANOS: f64 = 10.0 * NANOS_PER_MS as f64;
/// Nothing longer is shown.
const LONGEST_NANOS: f64 = 100.0 * 366.0 * 86_400.0 * NANOS_PER_SEC as f64;
/// How much one notch of a wheel (100 px) zooms, as an exponent.
const ZOOM_A_PX: f64 = 0.002;
/// One event zooms at most so far: a fling must not lose the place.
const MOST_ZOOM_PX: f64 = 400.0;

/// A turn of the wheel, in px.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Wheel {
    /// To the right.
    pub(crate) delta_x: f64,
    /// Downwards.
    pub(crate) delta_y: f64,
    /// Whether turning means zooming: Ctrl or ⌘ is held, a trackpad pinches, or the wheel is over an axis.
    pub(crate) zooms: bool,
}

impl Wheel {
    /// The range to show; `None` leaves the turn to the page, which scrolls.
    pub(crate) fn range(self, x: f64, scale: &TimeScale) -> Option<TimeRange> {
        if self.zooms && self.delta_y != 0.0 {
            let factor = (self.delta_y.clamp(-MOST_ZOOM_PX, MOST_ZOOM_PX) * ZOOM_A_PX).exp();
            return Some(zoomed(scale.range(), scale.time_from_x(scale.clamp_x(x)), factor));
        }
        (self.delta_x.abs() > self.delta_y.abs()).then(|| panned(scale.range(), self.delta_x, scale))
    }
}

/// The range moved by so many pixels of this scale, its length kept.
pub(crate) fn panned(range: TimeRange, by_px: f64, scale: &TimeScale) -> TimeRange {
    let nanos = (by_px * scale.nanos_per_px()).round() as i64;
    let (from, until) = (range.from.plus_nanos(nanos), range.until.plus_nanos(nanos));
    // At the ends of time both would be held, and the length lost.
    let keeps_length = until.nanos_since(from) == range.until.nanos_since(range.from);
    if keeps_length { TimeRange { from, until } } else { range }
}

/// The range `factor` times as long, with `about` at the same place.
pub(crate) fn zoomed(range: TimeRange, about: Timestamp, factor: f64) -> TimeRange {
    let nanos = range.nanos().max(1) as f64;
    let wanted = (nanos * factor).clamp(SHORTEST_NANOS.min(nanos), LONGEST_NANOS.max(nanos));
    let part = about.nanos_since(range.from) as f64 / nanos;
    let from = about.plus_nanos(-((wanted * part).round() as i64));
    let until = from.plus_nanos(wanted.round() as i64);
    if from < until { TimeRange { from, until } } else { range }
}

/// The range with about a tenth of its length on each side.
pub fn with_margin(range: TimeRange) -> TimeRange {
    let margin = (range.nanos() / 10).max(SHORTEST_NANOS as i64 / 2);
    readable(TimeRange { from: range.from.plus_nanos(-margin), until: range.until.plus_nanos(margin) })
}

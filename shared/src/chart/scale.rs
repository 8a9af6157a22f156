//! Time to pixel, value to pixel, and back.
//!
//! Pixels are CSS pixels as `f64`, so positions are finer than any screen. Both scales are total: whatever comes in,
//! something finite comes out.

use crate::time::{NANOS_PER_MS, TimeRange, Timestamp};

/// Farther from the plot than this nothing is told apart.
const FAR: f64 = 1e15;

/// Maps a range of time onto the plot's width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeScale {
    range: TimeRange,
    left: f64,
    width: f64,
}

impl TimeScale {
    /// The scale on which `range` fills `width` pixels from `left` on.
    pub fn new(range: TimeRange, left: f64, width: f64) -> Self {
        Self { range, left, width: width.max(1.0) }
    }

    /// The range that fills the plot.
    pub const fn range(&self) -> TimeRange {
        self.range
    }

    /// The plot's left edge.
    pub const fn left(&self) -> f64 {
        self.left
    }

    /// The plot's right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// How much time one pixel is.
    pub fn nanos_per_px(&self) -> f64 {
        self.range.nanos().max(1) as f64 / self.width
    }

    /// Where an instant lies, also when it is left or right of the plot.
    pub fn x_from_time(&self, at: Timestamp) -> f64 {
        self.left + at.nanos_since(self.range.from) as f64 / self.nanos_per_px()
    }

    /// Where an instant in unix ms lies.
    pub fn x_from_ms(&self, at_ms: f64) -> f64 {
        let from_ms = self.range.from.as_millis_f64();
        let x = self.left + (at_ms - from_ms) * NANOS_PER_MS as f64 / self.nanos_per_px();
        x.clamp(-FAR, FAR)
    }

    /// The instant at a place, also left or right of the plot.
    pub fn time_from_x(&self, x: f64) -> Timestamp {
        self.range.from.plus_nanos(((x - self.left) * self.nanos_per_px()).round() as i64)
    }

    /// The place held within the plot.
    pub fn clamp_x(&self, x: f64) -> f64 {
        x.clamp(self.left, self.right())
    }
}

/// The range with ends that read well: whole seconds where it is a minute or longer, and so finer where it is shorter. Its length
/// is rounded by itself, so that one that was round stays the same however far the range was moved.
#[must_use]
pub fn readable(range: TimeRange) -> TimeRange {
    rounded_to(range, grain(range.nanos(), 60))
}

/// The end that is dragged, so rounded, of a range whose other end stays where it is.
#[must_use]
pub fn readable_end(moved: Timestamp, fixed: Timestamp) -> Timestamp {
    let grain = grain(TimeRange::between(moved, fixed).nanos(), 60);
    rounded_to(TimeRange { from: moved, until: moved }, grain).from
}

/// The same, but only as far as a screen does not show it: what moves once a frame must not jump.
#[must_use]
pub fn smooth(range: TimeRange) -> TimeRange {
    /// More pixels than a plot has.
    const PX: i64 = 4_000;
    rounded_to(range, grain(range.nanos(), PX))
}

/// The largest of a second, 100, 10 and 1 ms that is this part of the length.
fn grain(nanos: i64, part: i64) -> i64 {
    let grains = [1_000, 100, 10, 1].map(|ms| ms * NANOS_PER_MS);
    // By the rounded length, or a range that was rounded up would be rounded again.
    grains.into_iter().find(|grain| nanos.saturating_add(grain / 2) / grain >= part).unwrap_or(NANOS_PER_MS)
}

fn rounded_to(range: TimeRange, grain: i64) -> TimeRange {
    let round = |nanos: i64| nanos.saturating_add(grain / 2).div_euclid(grain).saturating_mul(grain);
    let from = Timestamp::from_nanos(round(range.from.as_nanos()));
    TimeRange { from, until: from.plus_nanos(round(range.nanos())) }
}

/// Maps values onto the plot's height; the low end is at the bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueScale {
    low: f64,
    high: f64,
    top: f64,
    height: f64,
}

impl ValueScale {
    /// The scale on which `low` lies at the bottom of `height` pixels below `top`.
    pub fn new(low: f64, high: f64, top: f64, height: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, top, height: height.max(1.0) }
    }

    /// The value at the lower edge.
    pub const fn low(&self) -> f64 {
        self.low
    }

    /// The value at the upper edge.
    pub const fn high(&self) -> f64 {
        self.high
    }

    /// Whether a value lies in the plot.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The plot's upper edge.
    pub const fn top(&self) -> f64 {
        self.top
    }

    /// The plot's lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Where a value lies. Halved first, so that the span of the two ends of `f64` is still finite.
    pub fn y_from_value(&self, value: f64) -> f64 {
        let part = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        self.bottom() - part * self.height
    }

    /// The value at a place.
    pub fn value_from_y(&self, y: f64) -> f64 {
        let part = (self.bottom() - y) / self.height;
        self.low + part * (self.high - self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_end_on_instants_that_read_well() {
        let check = |from_ms: i64, length_ms: i64, expected: (i64, i64)| {
            let from = Timestamp::from_millis(from_ms);
            let range = TimeRange { from, until: from.plus_nanos(length_ms * NANOS_PER_MS) };
            let found = readable(range);
            assert_eq!((found.from.as_millis(), found.nanos() / NANOS_PER_MS), expected, "{range}");
            assert_eq!(readable(found), found);
        };
        check(2_030_074, 10_800_001, (2_030_000, 10_800_000));
        check(2_030_500, 60_000, (2_031_000, 60_000));
        check(2_030_540, 59_960, (2_031_000, 60_000));
        check(2_030_540, 59_440, (2_030_500, 59_400));
        check(2_030_546, 1_234, (2_030_550, 1_230));
        check(2_030_546, 77, (2_030_546, 77));
        check(-1_501, 60_000, (-2_000, 60_000));
        assert_eq!(readable(TimeRange::all()).from, Timestamp::MIN);
    }

    #[test]
    fn an_end_that_stays_keeps_its_odd_milliseconds() {
        let check = |moved_ms: i64, fixed_ms: i64, expected: i64| {
            let found = readable_end(Timestamp::from_millis(moved_ms), Timestamp::from_millis(fixed_ms));
            assert_eq!(found.as_millis(), expected);
        };
        check(130_412, 123, 130_000);
        check(123, 130_412, 0);
        check(10_449, 123, 10_400);
        check(700, 123, 700);
    }

    #[test]
    fn what_moves_is_rounded_by_less_than_a_pixel() {
        let from = Timestamp::from_millis(2_030_546);
        let smoothed =
            |secs: i64| smooth(TimeRange { from, until: from.plus_nanos(secs * 1_000_000_000) }).from;
        assert_eq!(smoothed(60).as_millis(), 2_030_550);
        assert_eq!(smoothed(7_200).as_millis(), 2_031_000);
    }

    #[test]
    fn the_ends_of_a_range_are_the_ends_of_the_plot() {
        let range = TimeRange::between(Timestamp::from_secs(1_000), Timestamp::from_secs(1_100));
        let scale = TimeScale::new(range, 64.0, 1_000.0);
        assert!((scale.x_from_time(range.from) - 64.0).abs() < 1e-9);
        assert!((scale.x_from_time(range.until) - 1_064.0).abs() < 1e-9);
        assert!((scale.x_from_ms(1_050_000.0) - 564.0).abs() < 1e-9);
        assert_eq!(scale.time_from_x(564.0), Timestamp::from_secs(1_050));
        assert_eq!(scale.time_from_x(-36.0), Timestamp::from_secs(990));
    }

    #[test]
    fn odd_ranges_and_sizes_stay_finite() {
        for range in [TimeRange::all(), TimeRange::between(Timestamp::MAX, Timestamp::MAX)] {
            for width in [0.0, -5.0, 1_000.0] {
                let scale = TimeScale::new(range, 0.0, width);
                assert!(scale.x_from_time(Timestamp::MAX).is_finite());
                assert!(scale.x_from_ms(1e300).is_finite());
                scale.time_from_x(f64::NAN);
            }
        }
        assert!(ValueScale::new(1.0, 1.0, 0.0, 100.0).y_from_value(1.0).is_finite());
        assert!(ValueScale::new(f64::MIN, f64::MAX, 0.0, 100.0).y_from_value(0.0).is_finite());
    }

    #[test]
    fn low_values_are_at_the_bottom() {
        let scale = ValueScale::new(0.0, 10.0, 8.0, 100.0);
        assert!((scale.y_from_value(0.0) - 108.0).abs() < 1e-9);
        assert!((scale.y_from_value(10.0) - 8.0).abs() < 1e-9);
        assert!((scale.value_from_y(58.0) - 5.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn a_pixel_comes_back_from_its_time(
            from in -4_000_000_000_000_000_000i64..4_000_000_000_000_000_000,
            span in 1_000_000i64..1_000_000_000_000_000_000,
            x in -100.0f64..2_000.0,
        ) {
            let from = Timestamp::from_nanos(from);
            let scale = TimeScale::new(TimeRange { from, until: from.plus_nanos(span) }, 64.0, 1_280.0);
            let back = scale.x_from_time(scale.time_from_x(x));
            prop_assert!((back - x).abs() < 0.001, "{} came back as {}", x, back);
        }
    }
}

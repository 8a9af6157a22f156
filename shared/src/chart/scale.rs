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
        let from_ms = self.range.from.as_nanos() as f64 / NANOS_PER_MS as f64;
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

//! How a component's lines lie over the visible range, in forty pixels: a bar a bucket, the tallest as high as the strip. Pure.

use sonde_shared::api::DensityBuckets;
use sonde_shared::time::TimeRange;

/// The strip's own units: whole numbers, which the page writes without the code that floats take.
pub(super) const WIDTH: i64 = 400;
/// The same from top to bottom.
pub(super) const HEIGHT: i64 = 100;
/// A bucket with a single line is seen beside one with a thousand.
const LEAST_HEIGHT: i64 = 12;
/// Between two bars.
const GAP: i64 = 4;

/// The bars as an SVG path.
pub(super) fn bars(density: &[u64], buckets: DensityBuckets, range: TimeRange) -> String {
    let highest = density.iter().copied().max().unwrap_or_default();
    let (from, length) = (range.from.as_millis(), (range.nanos() / 1_000_000).max(1));
    let x = |at_ms: i64| {
        ((i128::from(at_ms - from) * i128::from(WIDTH)) / i128::from(length)).clamp(0, i128::from(WIDTH))
            as i64
    };
    let mut path = String::new();
    for (bucket, lines) in (0..).zip(density).filter(|(_, lines)| **lines > 0) {
        let start = buckets.from_ms + bucket * buckets.step_ms;
        let (left, right) = (x(start), x(start + buckets.step_ms));
        let height = (i128::from(*lines) * i128::from(HEIGHT) / i128::from(highest)) as i64;
        let parts = [left, HEIGHT, HEIGHT - height.max(LEAST_HEIGHT), (right - GAP).max(left + GAP), HEIGHT];
        let letters = ["M", " ", "V", "H", "V"];
        letters.iter().zip(parts).for_each(|(letter, part)| {
            path.push_str(letter);
            path.push_str(&part.to_string());
        });
        path.push('Z');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::Timestamp;

    #[test]
    fn bars_stand_where_their_lines_are() {
        let range = TimeRange::between(Timestamp::from_millis(1_000), Timestamp::from_millis(5_000));
        let buckets = DensityBuckets { from_ms: 0, step_ms: 2_000, count: 3 };
        let check = |density: &[u64], expected: &str| assert_eq!(bars(density, buckets, range), expected);
        check(&[0, 0, 0], "");
        check(&[], "");
        check(&[1, 0, 0], "M0 100V0H96V100Z");
        check(&[0, 100, 1], "M100 100V0H296V100ZM300 100V88H396V100Z");
        check(&[0, u64::MAX, 0], "M100 100V0H296V100Z");
    }
}

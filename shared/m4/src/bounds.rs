//! From where to where the blocks of a long series reach, so that drawing it again looks at few of its points.
//!
//! A column of a chart of ten million points has some thousand of them. With the bounds of each block at hand, only the blocks
//! that the column's edges cut are read. They take 18 bytes for 128 points, whose times and values
//! take 2,048, and making them reads all values once, as drawing without them does: they pay from the second drawing on. A
//! pyramid of several levels was tried before; the levels above the first save less than they cost.

use std::ops::Range;

/// So many values have their bounds noted together.
const BLOCK: usize = 128;
/// A shorter series is drawn as fast without.
const LONG: usize = 65_536;

/// The lowest and the highest number of each whole block of a series' values, and where they are; of none where the series is short.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    values: Vec<(f64, f64)>,
    /// Counted from the block's first value. Apart from the others, beside which they would take eight times their room.
    places: Vec<[u8; 2]>,
}

impl Bounds {
    /// Those of these values. They hold as long as no value of a whole block changes.
    pub fn of_long(values: &[f64]) -> Self {
        if values.len() < LONG { Self::default() } else { Self::of_all(values) }
    }

    pub(super) fn of_all(values: &[f64]) -> Self {
        let blocks = values.as_chunks::<BLOCK>().0;
        let found = blocks.iter().map(|block| {
            let (low, high) = bounds(block);
            let places = [place_of(block, |value| value <= low), place_of(block, |value| value >= high)];
            ((low, high), places.map(|place| place as u8))
        });
        let (values, places) = found.unzip();
        Self { values, places }
    }

    /// Those of a block, where it is a whole one and they are known.
    pub(super) fn of(&self, block: &Range<usize>) -> Option<(f64, f64)> {
        let is_whole = block.len() == BLOCK && block.start.is_multiple_of(BLOCK);
        is_whole.then(|| self.values.get(block.start / BLOCK).copied()).flatten()
    }

    /// The place of the first value of a block that is its lowest (0) or highest (1), where that is known.
    pub(super) fn place(&self, block: &Range<usize>, which: usize) -> Option<usize> {
        self.of(block)?;
        Some(block.start + usize::from(self.places[block.start / BLOCK][which]))
    }
}

/// The place of the first value that is it; 0 where none is.
pub(super) fn place_of(values: &[f64], is_it: impl Fn(f64) -> bool) -> usize {
    values.iter().position(|value| is_it(*value)).unwrap_or(0)
}

/// The parts of a range that lie in one block each.
pub(super) fn blocks_of(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let first = range.start / BLOCK;
    let end = range.end.div_ceil(BLOCK);
    (first..end).map(move |block| (block * BLOCK).max(range.start)..((block + 1) * BLOCK).min(range.end))
}

/// The lowest and the highest number; the infinities the wrong way round where there is none.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn bounds(values: &[f64]) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    values.iter().fold(none, |(low, high), value| {
        (if *value < low { *value } else { low }, if *value > high { *value } else { high })
    })
}

/// As the other, eight numbers at a time, two an instruction: the compiler does not find them by itself. A NaN never wins,
/// for `pmin(a, b)` is `if b < a { b } else { a }`.
#[cfg(target_arch = "wasm32")]
#[target_feature(enable = "simd128")]
pub(super) fn bounds(values: &[f64]) -> (f64, f64) {
    use core::arch::wasm32::{f64x2, f64x2_extract_lane, f64x2_pmax, f64x2_pmin, f64x2_splat};
    let (fours, _) = values.as_chunks::<2>().0.as_chunks::<4>();
    // Four of each, since the next comparison with the same one has to wait for the last.
    let (mut low, mut high) = ([f64x2_splat(f64::INFINITY); 4], [f64x2_splat(f64::NEG_INFINITY); 4]);
    for four in fours {
        let pairs = four.map(|[left, right]| f64x2(left, right));
        low = [0, 1, 2, 3].map(|at| f64x2_pmin(low[at], pairs[at]));
        high = [0, 1, 2, 3].map(|at| f64x2_pmax(high[at], pairs[at]));
    }
    for value in &values[8 * fours.len()..] {
        low[0] = f64x2_pmin(low[0], f64x2_splat(*value));
        high[0] = f64x2_pmax(high[0], f64x2_splat(*value));
    }
    let low = f64x2_pmin(f64x2_pmin(low[0], low[1]), f64x2_pmin(low[2], low[3]));
    let high = f64x2_pmax(f64x2_pmax(high[0], high[1]), f64x2_pmax(high[2], high[3]));
    let both = |pair| (f64x2_extract_lane::<0>(pair), f64x2_extract_lane::<1>(pair));
    let (low, high) = (both(low), both(high));
    (low.0.min(low.1), high.0.max(high.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_parted_where_blocks_meet() {
        let check = |range: Range<usize>, expected: &[(usize, usize)]| {
            let parts: Vec<_> = blocks_of(range.clone()).map(|part| (part.start, part.end)).collect();
            assert_eq!(parts, expected, "{range:?}");
        };
        check(0..0, &[]);
        check(5..6, &[(5, 6)]);
        check(0..128, &[(0, 128)]);
        check(127..129, &[(127, 128), (128, 129)]);
        check(100..300, &[(100, 128), (128, 256), (256, 300)]);
    }

    #[test]
    fn only_whole_blocks_of_long_series_are_noted() {
        let values: Vec<f64> = (0..300).map(f64::from).collect();
        assert_eq!(Bounds::of_long(&values), Bounds::default());
        let known = Bounds::of_all(&values);
        assert_eq!(known.of(&(128..256)), Some((128.0, 255.0)));
        assert_eq!(known.of(&(128..255)), None);
        assert_eq!(known.of(&(1..129)), None);
        assert_eq!(known.of(&(256..300)), None);
        assert_ne!(Bounds::of_long(&vec![1.0; LONG]), Bounds::default());
    }
}

//! How a series usually swings within a stretch as long as the selection.

use super::series::{Shape, median};
use std::ops::Range;

/// Into so many pieces of a selection's length a baseline is cut at most, and at least, to tell how it swings, …
const MOST_PIECES: usize = 8;
const LEAST_PIECES: usize = 3;
/// … each of so many points at least.
const LEAST_OF_PIECE: f64 = 4.0;

/// Pieces of a series, by where they begin: windows that lie whole lengths apart share most of theirs.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    known: Vec<Option<Piece>>,
}

/// One that was looked at.
#[derive(Clone, Copy, Debug)]
struct Piece {
    length: usize,
    /// Those that count.
    points: f64,
    deviation: f64,
}

impl Piece {
    fn of(values: &[f32], part: usize, room: &mut Vec<f32>) -> Self {
        let centre = median(values, room);
        let shape = Shape::without_extremes(values, centre, part, room);
        Self { length: values.len(), points: shape.points, deviation: shape.deviation }
    }
}

impl Pieces {
    /// Nothing is known yet of a series of so many buckets.
    pub(super) fn begin(&mut self, buckets: usize) {
        self.known.clear();
        self.known.resize(buckets, None);
    }

    /// The usual deviation within pieces of some length, the middle one's: a single step between two levels makes the whole swing,
    /// but only one of its pieces. `None` where there are too few pieces, or too short ones, to tell.
    pub(super) fn deviation(
        &mut self,
        values: &[f32],
        range: &Range<usize>,
        length: usize,
        part: usize,
        room: &mut Vec<f32>,
    ) -> Option<f64> {
        let length = length.max(1);
        let (mut deviations, mut count) = ([0.0_f64; MOST_PIECES], 0);
        for number in 1..=(range.len() / length).min(MOST_PIECES) {
            let start = range.end - number * length;
            let known = self.known[start].filter(|piece| piece.length == length);
            let piece = known.unwrap_or_else(|| Piece::of(&values[start..start + length], part, room));
            self.known[start] = Some(piece);
            if piece.points >= LEAST_OF_PIECE {
                deviations[count] = piece.deviation;
                count += 1;
            }
        }
        let found = &mut deviations[..count];
        found.sort_unstable_by(f64::total_cmp);
        (count >= LEAST_PIECES).then(|| f64::midpoint(found[(count - 1) / 2], found[count / 2]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::series::EXTREME_PART;
    use super::*;

    #[test]
    fn a_step_between_two_levels_is_no_swing() {
        let values: Vec<f32> = (0..80)
            .map(|at| if at < 30 { 100.0 } else { 60.0 } + if at % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let room = &mut Vec::new();
        let mut within = |length: usize| {
            let mut pieces = Pieces::default();
            pieces.begin(values.len());
            pieces.deviation(&values, &(0..values.len()), length, EXTREME_PART, room)
        };
        assert_eq!(within(40), None, "too few pieces");
        assert_eq!(within(3), None, "too short ones");
        assert_eq!(within(0), None, "of nothing");
        let within = within(20).unwrap();
        assert!((0.9..1.1).contains(&within), "{within}");
        assert!(Shape::of(&values).deviation > 15.0);
    }
}

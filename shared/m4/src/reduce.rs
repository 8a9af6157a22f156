//! M4 reduction: what one pixel column must keep so that no spike vanishes.
//!
//! Of all points that fall into one pixel column a line chart shows only the first, the lowest, the highest and
//! the last: drawn through those four, each column's pixels are the same as with every point (Jugel et al., "M4: A
//! Visualization-Oriented Time Series Data Aggregation", VLDB 2014). The points keep their own times and values;
//! nothing is averaged. A NaN is a gap and never an extreme; a gap that reaches a column's edge stays one, a gap
//! within a column is narrower than a pixel and is dropped.

use super::bounds::{Bounds, blocks_of, bounds, place_of};
use std::ops::Range;

/// Reduces points (times in unix ms, rising, one value a time) to the first, lowest, highest and last of each of
/// `columns` equal parts of `[from_ms, until_ms)`. Points outside the range are left out.
///
/// The answer is sorted by time, holds at most six points a column (four values and a gap on each side) and
/// reducing it once more with the same range and columns changes nothing.
pub fn m4(
    times_ms: &[f64],
    values: &[f64],
    from_ms: f64,
    until_ms: f64,
    columns: usize,
) -> (Vec<f64>, Vec<f64>) {
    m4_with(&Bounds::default(), times_ms, values, from_ms, until_ms, columns)
}

/// The same, and faster where the bounds of the values are known.
#[inline(never)]
pub fn m4_with(
    known: &Bounds,
    times_ms: &[f64],
    values: &[f64],
    from_ms: f64,
    until_ms: f64,
    columns: usize,
) -> (Vec<f64>, Vec<f64>) {
    let count = times_ms.len().min(values.len());
    let (times_ms, values) = (&times_ms[..count], &values[..count]);
    let start = times_ms.partition_point(|time| *time < from_ms);
    let end = start + times_ms[start..].partition_point(|time| *time < until_ms);
    let mut out = (Vec::new(), Vec::new());
    if start >= end {
        return out;
    }
    let columns = Columns { from_ms, until_ms, count: columns.max(1) as f64 };
    let room = (end - start).min(6 * columns.count as usize);
    out.0.reserve(room);
    out.1.reserve(room);
    let mut next = start;
    let mut before = 0;
    while next < end {
        let edge = columns.end_of(times_ms[next]);
        before = gallop(&times_ms[next + 1..end], edge, before);
        let stop = next + 1 + before;
        keep_of_column(known, times_ms, values, next..stop, &mut out);
        next = stop;
    }
    out
}

/// The last value in `[from_ms, until_ms)` that is a number.
pub fn last_value(times_ms: &[f64], values: &[f64], from_ms: f64, until_ms: f64) -> Option<f64> {
    last_point(times_ms, values, from_ms, until_ms).map(|(_, value)| value)
}

/// The same with its time.
pub fn last_point(times_ms: &[f64], values: &[f64], from_ms: f64, until_ms: f64) -> Option<(f64, f64)> {
    let end = times_ms.partition_point(|time| *time < until_ms).min(values.len());
    let newest_first = times_ms.iter().copied().zip(values.iter().copied()).take(end).rev();
    let mut inside = newest_first.take_while(|(time, _)| *time >= from_ms);
    inside.find(|(_, value)| value.is_finite())
}

/// Equal parts of a span of time.
struct Columns {
    from_ms: f64,
    until_ms: f64,
    count: f64,
}

impl Columns {
    /// The first instant after the column that `time_ms` falls into.
    fn end_of(&self, time_ms: f64) -> f64 {
        let column = ((time_ms - self.from_ms) * self.count / (self.until_ms - self.from_ms)).floor();
        // Rounding may name the column beside the right one: the edges decide.
        let column = if self.edge(column) > time_ms { column - 1.0 } else { column };
        let edge = self.edge(column + 1.0);
        if edge > time_ms { edge } else { self.edge(column + 2.0) }
    }

    fn edge(&self, column: f64) -> f64 {
        if column >= self.count {
            return self.until_ms;
        }
        self.from_ms + (self.until_ms - self.from_ms) * column / self.count
    }
}

/// How many of the times come before `edge`. Columns mostly hold about as many as the one before: doubling steps lead away
/// from that guess, for each look at a place far off waits for the memory.
fn gallop(times_ms: &[f64], edge: f64, guess: usize) -> usize {
    let guess = guess.min(times_ms.len());
    let (early, late) = times_ms.split_at(guess);
    let mut step = 1;
    if early.last().is_some_and(|time| *time >= edge) {
        while step < guess && early[guess - step] >= edge {
            step *= 2;
        }
        let low = guess.saturating_sub(step);
        return low + early[low..guess].partition_point(|time| *time < edge);
    }
    while step < late.len() && late[step] < edge {
        step *= 2;
    }
    let (low, high) = (step / 2, late.len().min(step + 1));
    guess + low + late[low..high].partition_point(|time| *time < edge)
}

/// Appends what one column keeps of `range`, which is not empty.
fn keep_of_column(
    known: &Bounds,
    times_ms: &[f64],
    values: &[f64],
    range: Range<usize>,
    out: &mut (Vec<f64>, Vec<f64>),
) {
    let last = range.end - 1;
    let [first, lowest, highest, last_value] =
        extremes(known, values, range.clone()).unwrap_or([range.start; 4]);
    let mut kept = [range.start, first, lowest, highest, last_value, last];
    kept.sort_unstable();
    let mut before = None;
    for index in kept {
        // A column of gaps only needs one of them; the same point may be first, lowest and last at once.
        let is_repeated_gap =
            values[index].is_nan() && before.is_some_and(|other: usize| values[other].is_nan());
        if before == Some(index) || is_repeated_gap {
            continue;
        }
        out.0.push(times_ms[index]);
        out.1.push(values[index]);
        before = Some(index);
    }
}

/// The places of the first, lowest, highest and last value that is not a gap. Of equal ones the first is the lowest or highest.
#[inline(never)]
fn extremes(known: &Bounds, values: &[f64], range: Range<usize>) -> Option<[usize; 4]> {
    // Each extreme with the block that has it; blocks between the first and the last with a number may be all gap.
    let (mut lowest, mut highest) = ((f64::INFINITY, 0..0), (f64::NEG_INFINITY, 0..0));
    let mut with_numbers: Option<Range<usize>> = None;
    for block in blocks_of(range) {
        let (low, high) = known.of(&block).unwrap_or_else(|| bounds(&values[block.clone()]));
        if low > high {
            continue;
        }
        let first = with_numbers.as_ref().map_or(block.start, |found| found.start);
        if first == block.start || low < lowest.0 {
            lowest = (low, block.clone());
        }
        if first == block.start || high > highest.0 {
            highest = (high, block.clone());
        }
        with_numbers = Some(first..block.end);
    }
    let Range { start, end } = with_numbers?;
    let first = values[start..end].iter().position(|value| !value.is_nan())?;
    let last = values[start..end].iter().rposition(|value| !value.is_nan())?;
    let (low, block) = lowest;
    let in_block = || place_of(&values[block.clone()], |value| value <= low);
    let low_at = known.place(&block, 0).unwrap_or_else(|| block.start + in_block());
    let (high, block) = highest;
    let in_block = || place_of(&values[block.clone()], |value| value >= high);
    let high_at = known.place(&block, 1).unwrap_or_else(|| block.start + in_block());
    Some([start + first, low_at, high_at, start + last])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(points: &[(f64, f64)], columns: usize, expected: &[(f64, f64)]) {
        let (times, values): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let (times, values) = m4(&times, &values, 0.0, 100.0, columns);
        let got: Vec<(f64, f64)> = times.into_iter().zip(values).collect();
        assert_eq!(format!("{got:?}"), format!("{expected:?}"), "{points:?} in {columns} columns");
    }

    #[test]
    fn a_column_keeps_its_first_least_greatest_and_last() {
        check(&[], 10, &[]);
        check(&[(5.0, 1.0)], 10, &[(5.0, 1.0)]);
        let many = [(0.0, 1.0), (1.0, 9.0), (2.0, 2.0), (3.0, 3.0), (4.0, 0.0), (5.0, 2.0), (6.0, 2.0)];
        check(&many, 1, &[(0.0, 1.0), (1.0, 9.0), (4.0, 0.0), (6.0, 2.0)]);
        check(&[(49.0, 1.0), (50.0, 2.0), (99.0, 3.0)], 2, &[(49.0, 1.0), (50.0, 2.0), (99.0, 3.0)]);
        check(&[(1.0, 1.0)], 0, &[(1.0, 1.0)]);
    }

    #[test]
    fn the_range_is_half_open() {
        check(&[(-1.0, 1.0), (0.0, 2.0), (99.9, 3.0), (100.0, 4.0)], 4, &[(0.0, 2.0), (99.9, 3.0)]);
    }

    #[test]
    fn a_gap_that_reaches_a_columns_edge_stays_and_is_never_an_extreme() {
        let gap = f64::NAN;
        check(&[(1.0, gap), (2.0, gap), (3.0, gap)], 1, &[(1.0, gap)]);
        check(&[(1.0, 1.0), (2.0, gap), (3.0, 2.0)], 1, &[(1.0, 1.0), (3.0, 2.0)]);
        check(&[(1.0, gap), (2.0, 5.0), (3.0, gap)], 1, &[(1.0, gap), (2.0, 5.0), (3.0, gap)]);
        check(&[(1.0, 1.0), (60.0, gap), (80.0, 2.0)], 2, &[(1.0, 1.0), (60.0, gap), (80.0, 2.0)]);
    }

    #[test]
    fn the_last_value_is_the_last_number_of_the_range() {
        let (times, values) = ([1.0, 2.0, 3.0, 9.0], [1.0, 2.0, f64::NAN, 9.0]);
        let check = |from: f64, until: f64, expected: Option<f64>| {
            assert_eq!(last_value(&times, &values, from, until), expected, "{from}..{until}");
        };
        check(0.0, 9.0, Some(2.0));
        check(0.0, 9.1, Some(9.0));
        check(2.5, 9.0, None);
        check(10.0, 20.0, None);
        assert_eq!(last_value(&times, &values[..1], 0.0, 20.0), Some(1.0), "columns of two lengths");
    }

    #[test]
    fn odd_input_is_survived() {
        assert!(m4(&[1.0, 2.0], &[1.0, 2.0], 10.0, 0.0, 5).0.is_empty());
        assert!(m4(&[1.0, 2.0], &[1.0, 2.0], 0.0, 0.0, 5).0.is_empty());
        assert_eq!(m4(&[1.0, 2.0], &[1.0], 0.0, 10.0, 5), (vec![1.0], vec![1.0]), "columns of two lengths");
        assert_eq!(m4(&[1.0, 1.0, 1.0], &[1.0, 7.0, 2.0], 0.0, 10.0, 3).1, [1.0, 7.0, 2.0], "equal times");
        m4(&[5.0, 1.0, 3.0, 0.0], &[1.0; 4], 0.0, 10.0, 3);
    }

    /// Points at rising times, some on the range's and the columns' edges, some gaps.
    fn points() -> impl Strategy<Value = Vec<(f64, f64)>> {
        let value = prop_oneof![4 => -1e6..1e6, 1 => Just(f64::NAN), 1 => (-3i32..3).prop_map(f64::from)];
        let time = prop_oneof![-50.0..1_050.0, (-5i32..105).prop_map(|tenth| f64::from(tenth) * 10.0)];
        prop::collection::vec((time, value), 0..400).prop_map(|mut points| {
            points.sort_by(|a: &(f64, f64), b| a.0.total_cmp(&b.0));
            points
        })
    }

    /// Values of a long series: numbers, level stretches, infinities, and gaps that are longer than blocks.
    fn long_values() -> impl Strategy<Value = Vec<f64>> {
        let stretch = prop_oneof![
            3 => prop::collection::vec(-9.0..9.0_f64, 1..300),
            2 => (1usize..300, -2i32..2).prop_map(|(length, level)| vec![f64::from(level); length]),
            2 => (1usize..500).prop_map(|length| vec![f64::NAN; length]),
            1 => Just(vec![f64::INFINITY]),
            1 => Just(vec![f64::NEG_INFINITY, f64::NEG_INFINITY]),
            1 => Just(vec![0.0, -0.0]),
        ];
        prop::collection::vec(stretch, 0..12).prop_map(|stretches| stretches.concat())
    }

    /// By looking at one value after the other.
    fn plain_extremes(values: &[f64], range: Range<usize>) -> Option<[usize; 4]> {
        let numbers: Vec<usize> = range.filter(|index| !values[*index].is_nan()).collect();
        let least = |best: usize, index: usize| if values[index] < values[best] { index } else { best };
        let most = |best: usize, index: usize| if values[index] > values[best] { index } else { best };
        let lowest = numbers.iter().copied().reduce(least)?;
        let highest = numbers.iter().copied().reduce(most)?;
        Some([*numbers.first()?, lowest, highest, *numbers.last()?])
    }

    /// What a column shows: first, lowest, highest and last value. Found by asking each point for its column.
    fn shown(times: &[f64], values: &[f64], column: usize, columns: usize) -> Vec<f64> {
        let edge = |column: usize| 1_000.0 * column as f64 / columns as f64;
        let inside: Vec<f64> = times
            .iter()
            .zip(values)
            .filter(|(time, value)| edge(column) <= **time && **time < edge(column + 1) && !value.is_nan())
            .map(|(_, value)| *value)
            .collect();
        let (Some(first), Some(end)) = (inside.first(), inside.last()) else { return Vec::new() };
        let lowest = inside.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = inside.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        vec![*first, lowest, highest, *end]
    }

    proptest! {
        /// Also where points came since the bounds were made.
        #[test]
        fn known_bounds_change_nothing(
            values in long_values(),
            noted in 0.0..=1.0_f64,
            from in -0.2..1.0_f64,
            length in 0.0..1.2_f64,
            columns in 1usize..40,
        ) {
            let noted = (values.len() as f64 * noted) as usize;
            let known = Bounds::of_all(&values[..noted]);
            let times: Vec<f64> = (0..values.len()).map(|index| index as f64).collect();
            let from = from * times.len() as f64;
            let until = from + length * times.len() as f64;
            let plain = m4(&times, &values, from, until, columns);
            let quick = m4_with(&known, &times, &values, from, until, columns);
            prop_assert_eq!(format!("{quick:?}"), format!("{plain:?}"));
            let start = times.partition_point(|time| *time < from);
            let end = times.partition_point(|time| *time < until).max(start);
            prop_assert_eq!(extremes(&known, &values, start..end), plain_extremes(&values, start..end));
            prop_assert_eq!(extremes(&Bounds::default(), &values, start..end), plain_extremes(&values, start..end));
        }

        #[test]
        fn every_column_shows_what_all_points_would(points in points(), columns in 1usize..60) {
            let (times, values): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
            let reduced = m4(&times, &values, 0.0, 1_000.0, columns);
            for column in 0..columns {
                prop_assert_eq!(
                    shown(&reduced.0, &reduced.1, column, columns),
                    shown(&times, &values, column, columns),
                    "column {}", column
                );
            }
            prop_assert!(reduced.0.is_sorted());
            prop_assert!(reduced.0.iter().all(|time| (0.0..1_000.0).contains(time)));
            prop_assert!(reduced.0.len() <= 6 * columns);
            let pairs: Vec<_> = points.iter().map(|(t, v)| (t.to_bits(), v.to_bits())).collect();
            prop_assert!(reduced.0.iter().zip(&reduced.1).all(|(t, v)| pairs.contains(&(t.to_bits(), v.to_bits()))));
            let again = m4(&reduced.0, &reduced.1, 0.0, 1_000.0, columns);
            prop_assert_eq!(format!("{again:?}"), format!("{reduced:?}"));
        }
    }
}

//! How numbers are spread: counted by their leading bits, so that memory is bounded whatever they are.

use crate::why::quantity::{Measure, is_alike, read_quantity};
use sonde_shared::spread::NumberSpread;
use std::collections::BTreeMap;

/// Bits of a number that are left out at first: ten of its mantissa stay, a thousandth of itself.
const LEFT_OUT: u32 = 13;
/// With more different numbers another bit is left out.
const MOST_KEYS: usize = 8_192;
/// Into how many bins they are counted.
const BINS: usize = 24;
/// The part at either end that bins need not reach.
const BEYOND: f64 = 0.01;
/// Where the largest is so many times the smallest, bins are even in ratios, not in differences.
const WIDE: f64 = 50.0;

/// Numbers of some lines.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    /// How many, by their leading bits, in the order of numbers.
    counts: BTreeMap<i32, u64>,
    left_out: u32,
    measure: Option<Measure>,
    lines: u64,
    min: f32,
    max: f32,
}

impl Default for Numbers {
    fn default() -> Self {
        let (min, max) = (f32::INFINITY, f32::NEG_INFINITY);
        Self { counts: BTreeMap::new(), left_out: LEFT_OUT, measure: None, lines: 0, min, max }
    }
}

impl Numbers {
    /// Counts a value, if it is a number of the same measure as those before.
    pub(super) fn add(&mut self, value: &[u8]) {
        let Some((number, measure)) = std::str::from_utf8(value).ok().and_then(read_quantity) else { return };
        if !is_alike(&mut self.measure, number, measure) {
            return;
        }
        self.lines += 1;
        (self.min, self.max) = (self.min.min(number), self.max.max(number));
        *self.counts.entry(ordered(number) >> self.left_out).or_default() += 1;
        if self.counts.len() > MOST_KEYS {
            self.left_out += 1;
            let finer = std::mem::take(&mut self.counts);
            for (key, count) in finer {
                *self.counts.entry(key >> 1).or_default() += count;
            }
        }
    }

    /// Lines with such a number.
    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }

    /// Each number that was counted, nearly, and how often; ascending.
    fn each(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let middle = (1 << self.left_out) >> 1;
        let number = move |key: i32| {
            // Numbers of few bits, such as small whole ones, are told as they are.
            let first = number_of(key << self.left_out);
            let is_whole =
                first.fract().abs() < f32::EPSILON && first.abs() < f32::from(1_u16 << (23 - LEFT_OUT));
            if is_whole { first } else { number_of((key << self.left_out) + middle) }
        };
        self.counts
            .iter()
            .map(move |(key, count)| (f64::from(number(*key).clamp(self.min, self.max)), *count))
    }

    /// The number that so large a part of all are at most; the lower of two.
    fn quantile(&self, part: f64) -> f64 {
        self.nth(((self.lines.saturating_sub(1)) as f64 * part) as u64)
    }

    /// The number at a place of the ascending order.
    fn nth(&self, wanted: u64) -> f64 {
        let mut passed = 0;
        let reached = self.each().find(|(_, count)| {
            passed += count;
            passed > wanted
        });
        reached.map_or(0.0, |(number, _)| number)
    }

    fn quartiles(&self) -> Vec<f64> {
        let [p25, median, p75] = [0.25, 0.5, 0.75].map(|part| self.quantile(part));
        vec![f64::from(self.min), p25, median, p75, f64::from(self.max)]
    }
}

/// How the numbers of a selection are spread, beside those of a baseline; `None` where the selection has none.
pub(super) fn spread(selection: &Numbers, baseline: Option<&Numbers>) -> Option<NumberSpread> {
    if selection.lines == 0 {
        return None;
    }
    let is_comparable =
        |one: &&Numbers| one.lines > 0 && (one.measure.is_none() || one.measure == selection.measure);
    let baseline = baseline.filter(is_comparable);
    let scale = Scale::of(&[Some(selection), baseline]);
    Some(NumberSpread {
        unit: selection.measure.unwrap_or_default().unit().to_owned(),
        quartiles: selection.quartiles(),
        bounds: scale.bounds(),
        counts: scale.count(selection),
        baseline_quartiles: baseline.map(Numbers::quartiles).unwrap_or_default(),
        baseline_counts: baseline.map(|numbers| scale.count(numbers)).unwrap_or_default(),
    })
}

/// Where bins lie.
#[derive(Debug)]
struct Scale {
    low: f64,
    high: f64,
    /// Whether they are even in ratios.
    is_wide: bool,
}

impl Scale {
    /// Reaches over all sides but what lies far out.
    fn of(sides: &[Option<&Numbers>]) -> Self {
        let sides = || sides.iter().flatten();
        let beyond = |side: &Numbers| (side.lines as f64 * BEYOND) as u64;
        let low = sides().map(|side| side.nth(beyond(side))).fold(f64::INFINITY, f64::min);
        let high =
            sides().map(|side| side.nth(side.lines - 1 - beyond(side))).fold(f64::NEG_INFINITY, f64::max);
        Self { low, high, is_wide: low > 0.0 && high / low >= WIDE }
    }

    /// Where nothing differs there is one bin.
    fn bins(&self) -> usize {
        if self.low < self.high { BINS } else { 1 }
    }

    fn bounds(&self) -> Vec<f64> {
        let bins = self.bins();
        let bound = |part: f64| {
            if self.is_wide {
                self.low * (self.high / self.low).powf(part)
            } else {
                (self.high - self.low).mul_add(part, self.low)
            }
        };
        (0..=bins).map(|at| bound(at as f64 / bins as f64)).collect()
    }

    fn count(&self, numbers: &Numbers) -> Vec<u64> {
        let bins = self.bins();
        let mut counts = vec![0; bins];
        for (number, lines) in numbers.each() {
            let part = if self.is_wide {
                (number / self.low).ln() / (self.high / self.low).ln()
            } else {
                (number - self.low) / (self.high - self.low)
            };
            // What lies below, or is no number where nothing differs, is in the first.
            counts[((part * bins as f64).max(0.0) as usize).min(bins - 1)] += lines;
        }
        counts
    }
}

/// A number's bits as a whole number that has the same order.
fn ordered(number: f32) -> i32 {
    // Minus zero is zero.
    let bits = (number + 0.0).to_bits() as i32;
    bits ^ ((bits >> 31) & i32::MAX)
}

fn number_of(ordered: i32) -> f32 {
    f32::from_bits((ordered ^ ((ordered >> 31) & i32::MAX)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers<'a>(values: impl IntoIterator<Item = &'a str>) -> Numbers {
        let mut numbers = Numbers::default();
        values.into_iter().for_each(|value| numbers.add(value.as_bytes()));
        numbers
    }

    proptest! {
        #[test]
        fn quartiles_are_those_of_the_sorted_numbers_nearly(mut values in prop::collection::vec(-1e6_f32..1e6, 1..300)) {
            let texts: Vec<String> = values.iter().map(f32::to_string).collect();
            let found = spread(&numbers(texts.iter().map(String::as_str)), None).unwrap();
            values.sort_by(f32::total_cmp);
            prop_assert_eq!(found.counts.iter().sum::<u64>(), values.len() as u64);
            for (found, part) in found.quartiles.into_iter().zip([0.0, 0.25, 0.5, 0.75, 1.0]) {
                let exact = f64::from(values[((values.len() - 1) as f64 * part) as usize]);
                let off = if part.fract() > 0.0 { 0.001 } else { 0.0 };
                prop_assert!((found - exact).abs() <= off * exact.abs(), "{} {}", found, exact);
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_quartiles_lose_little() {
        let number = |at: i32| 1.000_4_f64.powi(at);
        let texts: Vec<String> = (0..=50_000).map(|at| number(at).to_string()).collect();
        let many = numbers(texts.iter().map(String::as_str));
        assert!(many.counts.len() <= MOST_KEYS && many.left_out > LEFT_OUT, "{}", many.counts.len());
        assert!((many.quantile(0.5) / number(25_000) - 1.0).abs() < 0.005, "{}", many.quantile(0.5));
    }

    #[test]
    fn numbers_of_another_measure_and_what_is_none_are_left_out() {
        let found = spread(&numbers(["12ms", "0", "4KiB", "x", "18ms"]), None).unwrap();
        assert_eq!((found.unit.as_str(), found.counts.iter().sum::<u64>()), ("s", 3));
        assert_eq!((found.quartiles[0], found.quartiles[4]), (0.0, f64::from(0.018_f32)));
        assert_eq!(spread(&numbers(["x", ""]), Some(&numbers(["7"]))), None);
        // A baseline of another measure is none, nor is one without numbers.
        for before in ["7KiB", "x"] {
            let found = spread(&numbers(["12ms"]), Some(&numbers([before]))).unwrap();
            assert_eq!((found.baseline_quartiles, found.baseline_counts), (Vec::new(), Vec::new()));
        }
    }

    #[test]
    fn bins_hold_all_lines_of_both_sides_and_are_even_in_ratios_where_numbers_are_far_apart() {
        let texts = |numbers: std::ops::Range<u32>, by: u32| {
            numbers.map(|at| (at * by).to_string()).collect::<Vec<_>>()
        };
        let (now, before) = (texts(1..101, 1), texts(1..201, 1));
        let found = |now: &[String], before: &[String]| {
            let of = |texts: &[String]| numbers(texts.iter().map(String::as_str));
            spread(&of(now), Some(&of(before))).unwrap()
        };
        let near = found(&now, &before);
        let sum = |counts: &[u64]| counts.iter().sum::<u64>();
        assert_eq!((near.bounds.len(), near.counts.len()), (BINS + 1, BINS));
        assert_eq!((sum(&near.counts), sum(&near.baseline_counts)), (100, 200));
        let far = found(&texts(1..101, 100), &now);
        let ratio = |at: usize| far.bounds[at + 1] / far.bounds[at];
        assert!((ratio(0) - ratio(BINS - 1)).abs() < 1e-9, "{:?}", far.bounds);
        assert_eq!(sum(&far.counts), 100);
        // The same number over and over is one bin.
        let same = found(&["7".to_owned(), "7".to_owned()], &["7".to_owned()]);
        assert_eq!((same.bounds, same.counts, same.baseline_counts), (vec![7.0; 2], vec![2], vec![1]));
    }
}

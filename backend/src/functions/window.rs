//! Windows that move over a column of values: each window's values put together, in a time that does not grow with its width.
//!
//! Nothing is ever taken away from a sum, so that nothing is lost to rounding and an infinite value leaves with its window: the column is
//! cut into blocks as wide as a window, each window is the end of one block and the beginning of the next (van Herk 1992).

use super::aggregate::Aggregate;

/// Sums of windows of at most so many values are added up in the values' order, as graphite-web does: what comes out has its last digits, of
/// which functions that round or compare can make a difference that is seen.
const IN_ORDER: usize = 128;
/// So many windows are added up side by side, which fits into the nearest memory.
const SIDE_BY_SIDE: usize = 1_024;

/// Whether enough values are known.
pub(super) fn is_share(known: usize, total: f64, x_files_factor: f64) -> bool {
    known > 0 && known as f64 / total >= x_files_factor
}

/// One value for each window of so many values, nulls left out; null where too few are known. None where there are fewer values.
pub(super) fn moving(values: &[f64], width: usize, by: Aggregate, x_files_factor: f64) -> Vec<f64> {
    if width == 0 || values.len() < width {
        return Vec::new();
    }
    let known: Vec<u32> = values.iter().map(|value| u32::from(!value.is_nan())).collect();
    let known = sliding(&known, width, |a, b| a + b);
    let mut moved = unless_null(values, width, by, &known);
    for (value, known) in moved.iter_mut().zip(&known) {
        if !is_share(*known as usize, width as f64, x_files_factor) {
            *value = f64::NAN;
        }
    }
    moved
}

/// The same, of what is known however little.
fn unless_null(values: &[f64], width: usize, by: Aggregate, known: &[u32]) -> Vec<f64> {
    let slide = |join: fn(f64, f64) -> f64| sliding(values, width, join);
    match by {
        Aggregate::Sum => sums(values, width),
        Aggregate::Average | Aggregate::AvgZero => {
            sums(values, width).into_iter().zip(known).map(|(sum, count)| sum / f64::from(*count)).collect()
        }
        Aggregate::Multiply => slide(|a, b| either(a, b, |a, b| a * b)),
        Aggregate::Min => slide(f64::min),
        Aggregate::Max => slide(f64::max),
        Aggregate::Last => slide(|a, b| if b.is_nan() { a } else { b }),
        Aggregate::Count => known.iter().map(|count| f64::from(*count)).collect(),
        Aggregate::Range => {
            slide(f64::max).into_iter().zip(slide(f64::min)).map(|(max, min)| max - min).collect()
        }
        Aggregate::Diff => {
            let items: Vec<(f64, f64)> = values.iter().map(|value| (*value, 0.0)).collect();
            let diffs = sliding(&items, width, |a, b| {
                if a.0.is_nan() { b } else { (a.0, a.1 + b.1 + if b.0.is_nan() { 0.0 } else { b.0 }) }
            });
            diffs.into_iter().map(|(first, others)| first - others).collect()
        }
        Aggregate::StdDev => {
            let items: Vec<Moments> = values.iter().copied().map(Moments::of).collect();
            sliding(&items, width, Moments::join).into_iter().map(Moments::deviation).collect()
        }
        Aggregate::Median => medians(values, width),
    }
}

fn sums(values: &[f64], width: usize) -> Vec<f64> {
    if width > IN_ORDER {
        return sliding(values, width, added);
    }
    let known: Vec<f64> = values.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect();
    let mut sums = vec![0.0; values.len() + 1 - width];
    for (number, sums) in sums.chunks_mut(SIDE_BY_SIDE).enumerate() {
        for at in 0..width {
            let values = &known[number * SIDE_BY_SIDE + at..];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
    sums
}

fn added(a: f64, b: f64) -> f64 {
    either(a, b, |a, b| a + b)
}

/// Two values put together, or the one of them that is known.
fn either(a: f64, b: f64, join: impl Fn(f64, f64) -> f64) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, _) => b,
        (_, true) => a,
        _ => join(a, b),
    }
}

/// What each window of so many items comes to.
fn sliding<T: Copy>(items: &[T], width: usize, join: impl Fn(T, T) -> T) -> Vec<T> {
    // From each item to the end of its block, and from the beginning of its block to each item.
    let (mut behind, mut before) = (items.to_vec(), items.to_vec());
    for at in (0..items.len().saturating_sub(1)).rev().filter(|at| !(at + 1).is_multiple_of(width)) {
        behind[at] = join(items[at], behind[at + 1]);
    }
    for at in (1..items.len()).filter(|at| !at.is_multiple_of(width)) {
        before[at] = join(before[at - 1], items[at]);
    }
    let window = |first: usize| {
        let last = first + width - 1;
        if first.is_multiple_of(width) { before[last] } else { join(behind[first], before[last]) }
    };
    (0..=items.len() - width).map(window).collect()
}

/// How many values there are, their mean, and the sum of their squared distances from it (Chan and others 1979).
#[derive(Clone, Copy)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of(value: f64) -> Self {
        let is_known = !value.is_nan();
        Self { count: f64::from(u8::from(is_known)), mean: if is_known { value } else { 0.0 }, squares: 0.0 }
    }

    fn join(self, other: Self) -> Self {
        let count = self.count + other.count;
        if self.count == 0.0 || other.count == 0.0 {
            return if self.count == 0.0 { other } else { self };
        }
        let distance = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + distance * other.count / count,
            squares: self.squares + other.squares + distance * distance * self.count * other.count / count,
        }
    }

    fn deviation(self) -> f64 {
        (self.squares / self.count).sqrt()
    }
}

/// The median of each window, whose values are kept in order.
fn medians(values: &[f64], width: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = Vec::with_capacity(width);
    let place = |sorted: &[f64], value: f64| sorted.partition_point(|one| one.total_cmp(&value).is_lt());
    let mut one = |(at, value): (usize, &f64)| {
        if let Some(old) = at.checked_sub(width).map(|old| values[old]).filter(|old| !old.is_nan()) {
            sorted.remove(place(&sorted, old));
        }
        if !value.is_nan() {
            sorted.insert(place(&sorted, *value), *value);
        }
        (at + 1 >= width).then(|| middle(&sorted))
    };
    values.iter().enumerate().filter_map(&mut one).collect()
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Aggregate; 12] = [
        Aggregate::Average,
        Aggregate::AvgZero,
        Aggregate::Median,
        Aggregate::Sum,
        Aggregate::Min,
        Aggregate::Max,
        Aggregate::Diff,
        Aggregate::StdDev,
        Aggregate::Count,
        Aggregate::Range,
        Aggregate::Multiply,
        Aggregate::Last,
    ];

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![3 => -100.0_f64..100.0, 1 => Just(f64::NAN)];
        proptest::collection::vec(value, 0..60)
    }

    proptest! {
        #[test]
        fn windows_are_what_their_values_come_to(values in values(), width in 1_usize..12, least in 0.0_f64..1.0) {
            for by in ALL {
                let moved = moving(&values, width, by, least);
                prop_assert_eq!(moved.len(), (values.len() + 1).saturating_sub(width));
                for (window, found) in values.windows(width).zip(moved) {
                    let known: Vec<f64> = window.iter().copied().filter(|value| !value.is_nan()).collect();
                    let is_enough = is_share(known.len(), width as f64, least);
                    let expected = if is_enough { by.apply(&known) } else { f64::NAN };
                    let is_near = (expected - found).abs() <= 1e-9 * expected.abs().max(1.0);
                    prop_assert!(is_near || expected.is_nan() && found.is_nan(), "{by:?} {window:?}: {found}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn short_windows_are_added_up_in_order_to_the_last_digit() {
        let values: Vec<f64> = (0..3_000).map(|at| f64::from(at * 7_919 % 1_000) / 1_000.0).collect();
        let moved = moving(&values, 10, Aggregate::Average, 0.0);
        let expected = |window: &[f64]| window.iter().fold(0.0, |sum, value| sum + value) / 10.0;
        assert!(values.windows(10).map(expected).eq(moved));
    }

    #[test]
    fn an_infinite_value_leaves_with_its_window() {
        let moved = moving(&[1.0, f64::INFINITY, 2.0, 3.0, 4.0], 2, Aggregate::Sum, 0.0);
        assert_eq!(moved, [f64::INFINITY, f64::INFINITY, 5.0, 7.0]);
    }
}

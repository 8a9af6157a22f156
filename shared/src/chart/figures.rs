//! A series in four numbers.

use crate::api::Columns;
use crate::time::TimeRange;

/// What a legend tells of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The last value.
    pub last: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean of the values, each counting as much.
    pub mean: f64,
}

impl Figures {
    /// Those of the values that a series has in a range, gaps left out.
    pub fn of(series: &Columns, range: TimeRange) -> Option<Self> {
        let count = series.times_ms.len().min(series.values.len());
        let start = series.times_ms[..count].partition_point(|time| *time < range.from.as_millis_f64());
        let end =
            series.times_ms[..count].partition_point(|time| *time < range.until.as_millis_f64()).max(start);
        let mut values = series.values[start..end].iter().copied().filter(|value| value.is_finite());
        let first = values.next()?;
        let mut figures = Self { last: first, min: first, max: first, mean: first };
        for (number, value) in (2u32..).zip(values) {
            figures.last = value;
            figures.min = figures.min.min(value);
            figures.max = figures.max.max(value);
            // Parts first: the difference of two huge values may not be finite.
            figures.mean += value / f64::from(number) - figures.mean / f64::from(number);
        }
        Some(figures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn figures_are_of_the_values_in_the_range() {
        let values = vec![99.0, 2.0, f64::NAN, 6.0, 1.0, 99.0];
        let times_ms = vec![0.0, 1_000.0, 2_000.0, 3_000.0, 4_000.0, 5_000.0];
        let series = Columns { name: String::new(), times_ms, values };
        let of = |from: i64, until: i64| {
            Figures::of(
                &series,
                TimeRange::between(Timestamp::from_millis(from), Timestamp::from_millis(until)),
            )
        };
        assert_eq!(of(1_000, 5_000), Some(Figures { last: 1.0, min: 1.0, max: 6.0, mean: 3.0 }));
        assert_eq!(of(2_000, 3_000), None);
        let huge = Columns { values: vec![f64::MAX, f64::MIN], ..series.clone() };
        let range = TimeRange::between(Timestamp::from_millis(0), Timestamp::from_millis(9_000));
        assert!(Figures::of(&huge, range).unwrap().mean.abs() < f64::MAX);
    }
}

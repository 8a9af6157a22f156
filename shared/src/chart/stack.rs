//! Series on top of each other: at each moment the sum of a series and all below it.
//!
//! Sums are made of all points, before any are left out for drawing: what is highest of a sum need not be highest of any of
//! its parts.

use crate::api::Columns;

/// The sums of each series and those before it, over the times of all of them. Between two points a series is on the line
/// between them; where it has a gap it adds nothing, and where all have one the sums have it, too.
pub fn stacked(series: &[&Columns]) -> Vec<Columns> {
    let times_ms = all_times(series);
    let mut is_known = vec![false; times_ms.len()];
    let mut height = vec![0.0; times_ms.len()];
    let mut sums = Vec::with_capacity(series.len());
    for one in series {
        let mut reader = Reader { one, at: 0 };
        for (index, time) in times_ms.iter().enumerate() {
            let value = reader.value_at(*time);
            if value.is_finite() {
                height[index] += value;
                is_known[index] = true;
            }
        }
        sums.push(Columns { name: one.name.clone(), times_ms: times_ms.clone(), values: height.clone() });
    }
    for sum in &mut sums {
        let unknown = is_known.iter().zip(&mut sum.values).filter(|(is_known, _)| !**is_known);
        unknown.for_each(|(_, value)| *value = f64::NAN);
    }
    sums
}

/// How many numbers [`stacked`] makes at most.
pub fn most_values(series: &[&Columns]) -> usize {
    all_times(series).len().saturating_mul(series.len())
}

/// The times of all series, each once, rising.
fn all_times(series: &[&Columns]) -> Vec<f64> {
    let mut all: Vec<f64> = Vec::new();
    for one in series {
        if all != one.times_ms {
            all.extend(one.times_ms.iter().filter(|time| !time.is_nan()));
            all.sort_by(f64::total_cmp);
            all.dedup();
        }
    }
    all
}

/// Reads a series at rising times.
struct Reader<'a> {
    one: &'a Columns,
    at: usize,
}

impl Reader<'_> {
    fn value_at(&mut self, time: f64) -> f64 {
        let (times, values) = (&self.one.times_ms, &self.one.values);
        let count = times.len().min(values.len());
        while self.at < count && times[self.at] < time {
            self.at += 1;
        }
        match self.at {
            at if at == count => f64::NAN,
            at if times[at] <= time => values[at],
            0 => f64::NAN,
            at => {
                let part = (time - times[at - 1]) / (times[at] - times[at - 1]);
                values[at - 1] * (1.0 - part) + values[at] * part
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn series(points: &[(f64, f64)]) -> Columns {
        let (times_ms, values) = points.iter().copied().unzip();
        Columns { name: "a".into(), times_ms, values }
    }

    fn check(series: &[Columns], expected: &[&[(f64, f64)]]) {
        let sums = stacked(&series.iter().collect::<Vec<_>>());
        let found: Vec<Vec<(f64, f64)>> =
            sums.into_iter().map(|sum| sum.times_ms.into_iter().zip(sum.values).collect()).collect();
        assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    }

    #[test]
    fn series_of_one_clock_are_added_point_by_point() {
        let (a, b) = (series(&[(0.0, 1.0), (10.0, 2.0)]), series(&[(0.0, 5.0), (10.0, -1.0)]));
        check(&[a, b], &[&[(0.0, 1.0), (10.0, 2.0)], &[(0.0, 6.0), (10.0, 1.0)]]);
        check(&[], &[]);
    }

    #[test]
    fn between_its_points_a_series_is_on_its_line_and_beyond_them_it_is_nothing() {
        let (a, b) = (series(&[(0.0, 0.0), (10.0, 10.0)]), series(&[(5.0, 1.0), (15.0, 1.0)]));
        let lower = [(0.0, 0.0), (5.0, 5.0), (10.0, 10.0), (15.0, 0.0)];
        check(&[a, b], &[&lower, &[(0.0, 0.0), (5.0, 6.0), (10.0, 11.0), (15.0, 1.0)]]);
    }

    #[test]
    fn only_where_all_have_a_gap_the_stack_has_one() {
        let gap = f64::NAN;
        let (a, b) =
            (series(&[(0.0, 1.0), (1.0, gap), (2.0, gap)]), series(&[(0.0, 1.0), (1.0, 2.0), (2.0, gap)]));
        check(&[a, b], &[&[(0.0, 1.0), (1.0, 0.0), (2.0, gap)], &[(0.0, 2.0), (1.0, 2.0), (2.0, gap)]]);
    }

    proptest! {
        #[test]
        fn a_sum_is_what_adding_at_each_time_gives(
            values in prop::collection::vec(prop::collection::vec(-9i32..9, 30), 1..5),
            missing in prop::collection::vec(prop::collection::vec(any::<bool>(), 30), 5),
        ) {
            let value = |one: usize, at: usize| {
                if missing[one][at] { f64::NAN } else { f64::from(values[one][at]) }
            };
            let all: Vec<Columns> = (0..values.len())
                .map(|one| series(&(0..30).map(|at| (at as f64, value(one, at))).collect::<Vec<_>>()))
                .collect();
            let sums = stacked(&all.iter().collect::<Vec<_>>());
            for at in 0..30 {
                let is_gap = (0..all.len()).all(|one| value(one, at).is_nan());
                for (one, sum) in sums.iter().enumerate() {
                    let expected: f64 = (0..=one).map(|k| value(k, at)).filter(|v| !v.is_nan()).sum();
                    let found = sum.values[at];
                    let is_right = if is_gap { found.is_nan() } else { (found - expected).abs() < 1e-9 };
                    prop_assert!(is_right, "{} of {}", found, expected);
                }
            }
        }
    }
}

//! Series put on one step and range, so that their values can be looked at moment by moment.

use super::series::Series;
use std::borrow::Cow;

/// When a series begins and ends, and how far its slots are apart.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) step: i64,
}

impl Span {
    /// That of a series.
    pub(super) fn of(series: &Series) -> Self {
        Self { start: series.start, end: series.end, step: series.step }
    }

    /// So many values graphite-web tells of it at most: one more than fit into it.
    pub(super) fn len(self) -> usize {
        ((self.end - self.start) / self.step + 1).max(0) as usize
    }
}

/// Series on a common step. The columns begin where each series does: graphite-web does not shift them.
pub(super) struct Aligned<'a> {
    /// The earliest start.
    pub(super) start: i64,
    /// The latest end, cut to whole steps.
    pub(super) end: i64,
    /// The least common multiple of the steps.
    pub(super) step: i64,
    columns: Vec<Cow<'a, [f64]>>,
}

impl<'a> Aligned<'a> {
    /// Puts series on one step; `None` of no series.
    pub(super) fn of(series: impl IntoIterator<Item = &'a Series>) -> Option<Self> {
        let series: Vec<&Series> = series.into_iter().collect();
        let all = || series.iter();
        let step = all().map(|one| one.step).reduce(least_common_multiple)?;
        let (start, end) = (all().map(|one| one.start).min()?, all().map(|one| one.end).max()?);
        let columns = series.iter().map(|one| one.consolidated((step / one.step) as usize)).collect();
        Some(Self { start, end: end - (end - start).rem_euclid(step), step, columns })
    }

    /// The common range and step.
    pub(super) fn span(&self) -> Span {
        Span { start: self.start, end: self.end, step: self.step }
    }

    /// The columns, one a series.
    pub(super) fn columns(&self) -> &[Cow<'a, [f64]>] {
        &self.columns
    }

    /// One value of each moment, of all series' values then; where a series is over its value is null.
    pub(super) fn each_moment(&self, mut value: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
        let len = self.columns.iter().map(|column| column.len()).max().unwrap_or(0);
        let mut row = vec![0.0; self.columns.len()];
        let mut at = |moment: usize| {
            for (value, column) in row.iter_mut().zip(&self.columns) {
                *value = column.get(moment).copied().unwrap_or(f64::NAN);
            }
            value(&row)
        };
        (0..len).map(&mut at).collect()
    }
}

/// Of two steps, the shortest that both divide.
pub(super) fn least_common_multiple(a: i64, b: i64) -> i64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

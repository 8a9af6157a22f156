//! Putting values of one moment or of one bucket together, nulls among them.

use super::FunctionError;
use super::call::Call;

/// A way to put values together, by the name that Graphite gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Average,
    AvgZero,
    Median,
    Sum,
    Min,
    Max,
    Diff,
    StdDev,
    Count,
    Range,
    Multiply,
    Last,
}

impl Aggregate {
    /// By name; `sumSeries` is `sum` too where functions say so.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "average" | "avg" => Self::Average,
            "avg_zero" => Self::AvgZero,
            "median" => Self::Median,
            "sum" | "total" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "diff" => Self::Diff,
            "stddev" => Self::StdDev,
            "count" => Self::Count,
            "range" | "rangeOf" => Self::Range,
            "multiply" => Self::Multiply,
            "last" | "current" => Self::Last,
            _ => return None,
        })
    }

    /// The one that a call names, refused by its name where there is none.
    pub(super) fn of(call: &Call<'_>, name: &str) -> Result<Self, FunctionError> {
        Self::parse(name)
            .ok_or_else(|| call.wrong(format!("there is no way `{name}` to put values together")))
    }

    /// One value of some; NaN is null on both sides.
    pub(super) fn apply(self, values: &[f64]) -> f64 {
        let known = || values.iter().copied().filter(|value| !value.is_nan());
        let count = known().count();
        if count == 0 {
            return f64::NAN;
        }
        let (sum, n) = (|| known().sum::<f64>(), count as f64);
        match self {
            Self::Average => sum() / n,
            Self::AvgZero => sum() / values.len() as f64,
            Self::Median => median(known().collect()),
            Self::Sum => sum(),
            Self::Min => known().fold(f64::INFINITY, f64::min),
            Self::Max => known().fold(f64::NEG_INFINITY, f64::max),
            Self::Diff => {
                // Nulls count as nothing, the first one too.
                let first = known().next().unwrap_or(f64::NAN);
                known().skip(1).fold(first, |rest, value| rest - value)
            }
            Self::StdDev => {
                let mean = sum() / n;
                (known().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt()
            }
            Self::Count => n,
            Self::Range => Self::Max.apply(values) - Self::Min.apply(values),
            // One that is not known makes the product unknown.
            Self::Multiply if count < values.len() => f64::NAN,
            Self::Multiply => known().product(),
            Self::Last => known().next_back().unwrap_or(f64::NAN),
        }
    }

    /// One value of a whole series, where to know none is an answer too: they are 0, and 0 when each counts as 0.
    pub(super) fn of_column(self, values: &[f64]) -> f64 {
        let is_zero = matches!(self, Self::Count) || (self == Self::AvgZero && !values.is_empty());
        let value = self.apply(values);
        if value.is_nan() && is_zero { 0.0 } else { value }
    }
}

/// The value that so many percent of the known ones are not above; between two of them if it is to be interpolated.
pub(super) fn percentile(values: &[f64], percent: f64, interpolate: bool) -> f64 {
    let mut known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    let Some(last) = known.len().checked_sub(1) else { return f64::NAN };
    let exact = percent / 100.0 * (known.len() + 1) as f64;
    let rank = if interpolate { exact.trunc() } else { exact.ceil() } as usize;
    let value = known[rank.saturating_sub(1).min(last)];
    // What is behind the last one is the last one.
    match known.get(rank) {
        Some(next) if interpolate => value + exact.fract() * (next - value),
        _ => value,
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

/// Whether enough of the values are known.
pub(super) fn is_enough(values: &[f64], x_files_factor: f64) -> bool {
    let known = values.iter().filter(|value| !value.is_nan()).count();
    known > 0 && known as f64 / values.len() as f64 >= x_files_factor
}

//! Lines as the values of a series: a histogram without its levels.

use super::Evaluation;
use crate::functions::{Fetch, FunctionError};
use crate::query::budget::Budget;
use crate::query::histogram::{HistogramCounts, MAX_BUCKETS};
use crate::query::logs::LineFilter;
use sonde_shared::api::Histogram;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange};

/// How many lines there are in each slot of a range that begins and ends at multiples of the step.
pub(super) fn line_counts(
    evaluation: &Evaluation<'_>,
    component: &Selector,
    level: Option<Level>,
    range: TimeRange,
    step_secs: i64,
) -> Result<Vec<u64>, FunctionError> {
    let slots = (range.until.as_secs() - range.from.as_secs()) / step_secs;
    if slots > MAX_BUCKETS {
        let why = format!(
            "lines of {slots} steps are asked for; at most {MAX_BUCKETS} are counted: take a longer step"
        );
        return Err(FunctionError::Fetch(why));
    }
    let failed = |error: crate::store::StoreError| FunctionError::Fetch(error.to_string());
    let snapshot = evaluation.logs.snapshot(range).map_err(failed)?;
    let filter = LineFilter { components: vec![component.clone()], level, ..LineFilter::all(range) };
    let mut counts = HistogramCounts::new(&snapshot, filter, step_secs * NANOS_PER_SEC);
    while !counts.step(&mut Budget::STEP.clone(), evaluation.logs.counters()) {
        if !evaluation.has_time() {
            return Err(FunctionError::Fetch(
                "counting its lines takes too long; ask for a shorter range".to_owned(),
            ));
        }
    }
    Ok(summed(&counts.finish().map_err(failed)?, slots as usize))
}

/// The lines of all levels.
fn summed(histogram: &Histogram, slots: usize) -> Vec<u64> {
    let mut sums = vec![0; slots];
    for level in Level::ALL {
        sums.iter_mut().zip(histogram.levels.get(level)).for_each(|(sum, count)| *sum += count);
    }
    sums
}

//! Series that are counters: what was counted in each bucket is added up, and read as the server reads it.

use crate::hash;
use crate::system::System;
use sonde::why::Observed;
use sonde::why::buckets::Buckets;
use sonde::why::counters::settle;

/// Makes counters of the series that are some, when all that happens has happened; then all are read.
pub(crate) fn add_up(system: &System, observed: &mut Observed) {
    if !system.series.iter().any(|plan| plan.is_counter) {
        return;
    }
    let grid = &observed.grid;
    let mut buckets = Buckets::default();
    for (plan, series) in system.series.iter().zip(&mut observed.series) {
        buckets.clear(grid.len());
        let known = || series.values.iter().filter(|value| value.is_finite());
        let usual = f64::from(known().sum::<f32>()) / known().count().max(1) as f64;
        // Some have run for an hour, some for a year.
        let mut sum = (usual * 10_f64.powf((hash::of(&plan.path) % 5) as f64 + 2.0)).round();
        for (bucket, value) in series.values.iter().enumerate() {
            let before = grid.starts_ms[bucket.saturating_sub(1)];
            let steps = (grid.starts_ms[bucket] - before) / grid.step_ms;
            if steps > 1 {
                // What is not looked at between two stretches.
                sum += (usual * (steps - 1) as f64).round();
                buckets.pause();
            }
            if value.is_finite() {
                sum += f64::from(*value);
                let value = if plan.is_counter { sum } else { f64::from(*value) };
                buckets.add(bucket, grid.starts_ms[bucket] / 1_000, value);
            }
        }
        *series = buckets.series(std::mem::take(&mut series.path), &grid.now);
    }
    settle(&mut observed.series, buckets.seldom(), grid);
}

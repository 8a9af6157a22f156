//! From what was observed to the answer.

use super::observed::{Grid, Observed};
use sonde_shared::why::{Tested, Why};
use std::ops::Range;

/// Ranks what differs in the selection, best first; nothing where nothing stands out.
pub fn rank(observed: &Observed) -> Why {
    Why {
        findings: Vec::new(),
        tested: tested(observed),
        range_ms: range_ms(&observed.grid, &observed.grid.now.selection),
        baseline_ms: range_ms(&observed.grid, &observed.grid.now.baseline),
        note: None,
        done: true,
    }
}

fn tested(observed: &Observed) -> Tested {
    Tested {
        series: observed.series.len() as u64,
        patterns: observed.patterns.len() as u64,
        fields: observed.fields.len() as u64,
        components: observed.components.len() as u64,
        events: observed.events.len() as u64,
        sampled_lines: observed.sampled_lines,
        lines: observed.lines,
    }
}

fn range_ms(grid: &Grid, buckets: &Range<usize>) -> [i64; 2] {
    let start = |bucket: usize| grid.starts_ms.get(bucket).copied();
    let from = start(buckets.start).unwrap_or_default();
    let until = buckets.end.checked_sub(1).and_then(start).map_or(from, |last| last + grid.step_ms);
    [from, until]
}

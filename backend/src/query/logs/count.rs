//! How many lines match, by columns alone.

use super::{BlockWalk, LineFilter};
use crate::query::budget::Budget;
use crate::store::logs::Snapshot;
use std::time::Instant;

/// Counts the matches of a snapshot, step by step.
#[derive(Debug)]
pub struct LineCount {
    blocks: BlockWalk,
    lines: u64,
}

impl LineCount {
    /// A count that has not begun; `None` when the text would have to be read.
    pub fn new(snapshot: &Snapshot, filter: &LineFilter) -> Option<Self> {
        let by_columns = filter.text.is_empty();
        by_columns.then(|| Self { blocks: BlockWalk::new(snapshot, filter.clone()), lines: 0 })
    }

    /// Goes on counting; whether it is done. Reads mapped files: not for async threads.
    pub fn step(&mut self, budget: &mut Budget) -> bool {
        let range = self.blocks.filter().range;
        while let Some(at) = self.blocks.next(budget) {
            if let Some(counts) = at.filter.known_counts(at.block) {
                self.lines += counts.iter().sum::<u64>();
                continue;
            }
            let columns = at.view.segment.columns(at.block, &at.view.published);
            let rows = columns.rows_in(range);
            budget.spend(rows.len() as u64);
            self.lines += rows.filter(|row| at.filter.matches(&columns, *row)).count() as u64;
        }
        self.blocks.is_at_end()
    }

    /// The matches so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

/// Counts the matches of a snapshot; `None` when the text would have to be read, or it is not done by `deadline`.
pub fn count_until(snapshot: &Snapshot, filter: &LineFilter, deadline: Instant) -> Option<u64> {
    let mut count = LineCount::new(snapshot, filter)?;
    while !count.step(&mut Budget::TICK.clone()) {
        if Instant::now() > deadline {
            return None;
        }
    }
    Some(count.lines())
}

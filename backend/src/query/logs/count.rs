//! How many lines match, by columns alone.

use super::{BlockAt, BlockWalk, LineFilter, SegmentAt, Taken};
use crate::query::budget::Budget;
use crate::store::logs::Snapshot;
use sonde_shared::time::TimeRange;
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
        let lines = &mut self.lines;
        while let Some(at) = self.blocks.next_but(budget, |at| take_lines(at, lines)) {
            let (found, seen) = lines_in(&at, range);
            budget.spend(seen);
            *lines += found;
        }
        self.blocks.is_at_end()
    }

    /// The matches so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

/// Adds the matches of a segment that lies in the range.
pub fn take_lines(at: &SegmentAt<'_>, lines: &mut u64) -> Taken {
    let known = at.filter.holds_all_of(at.view).then(|| at.filter.known_of_all(at.summary)).flatten();
    known.map_or(Taken::Nothing, |(known, seen)| {
        *lines += known;
        Taken::All(seen)
    })
}

/// How many lines of a block match, and how many rows were looked at one by one.
pub fn lines_in(at: &BlockAt<'_>, range: TimeRange) -> (u64, u64) {
    if let Some(counts) = at.filter.known_counts(at.block) {
        return (counts.iter().sum(), 0);
    }
    let columns = at.view.segment.columns(at.block, &at.view.published);
    let rows = columns.rows_in(range);
    let seen = rows.len() as u64;
    (rows.filter(|row| at.filter.matches(&columns, *row)).count() as u64, seen)
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

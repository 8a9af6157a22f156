//! Counts over matching lines, whatever is counted: one walk over blocks, in steps.
//!
//! Where columns decide, a tally takes a block at a time, by its head where that says enough. Where text decides, or is
//! what is counted, lines are read one by one, and a step may end in the middle of a block.

use super::budget::Budget;
use super::logs::{BlockAt, BlockWalk, Candidates, LineFilter, SegmentAt, Taken, TextFilter};
use crate::store::StoreError;
use crate::store::logs::block::Columns;
use crate::store::logs::text::TextReader;
use crate::store::logs::{Counters, Snapshot};
use sonde_shared::time::TimeRange;
use std::sync::atomic::Ordering;

/// What is counted.
pub trait Tally {
    /// Whether the text of lines is counted, and not only their columns.
    const READS_TEXT: bool = false;

    /// Adds the lines of a block that match by columns and lie in the range; how many rows it looked at one by one.
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64;

    /// Adds what a summary of blocks tells of their lines that match by columns and lie in the range.
    fn add_segment(&mut self, _at: &SegmentAt<'_>) -> Taken {
        Taken::Nothing
    }

    /// Whether the next line that matches by columns is to be read.
    fn wants_next(&mut self) -> bool {
        true
    }

    /// Adds a line whose text matches too; `line` has no line feed.
    fn add_line(&mut self, at: &BlockAt<'_>, columns: &Columns<'_>, row: usize, line: &[u8]);
}

/// A tally on its way over a snapshot.
#[derive(Debug)]
pub struct Count<T> {
    blocks: BlockWalk,
    text: TextFilter,
    /// Where a step has ended in the middle of a block.
    row: Option<usize>,
    /// What a search of that block has found.
    candidates: Option<Candidates>,
    tally: T,
    failure: Option<StoreError>,
}

impl<T: Tally> Count<T> {
    /// A count that has not begun.
    pub fn new(snapshot: &Snapshot, filter: LineFilter, tally: T) -> Self {
        let text = filter.text.clone();
        Self {
            blocks: BlockWalk::new(snapshot, filter),
            text,
            row: None,
            candidates: None,
            tally,
            failure: None,
        }
    }

    /// Goes on counting; whether it is done. Reads mapped files: not for async threads.
    pub fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        if self.failure.is_some() {
            return true;
        }
        let mut reader = TextReader::default();
        self.count(&mut reader, budget, counters).unwrap_or_else(|error| {
            self.failure = Some(error);
            true
        })
    }

    /// The walk and what was counted, when the last step is done.
    pub fn finish(self) -> Result<(BlockWalk, T), StoreError> {
        self.failure.map_or(Ok((self.blocks, self.tally)), Err)
    }

    fn count(
        &mut self,
        reader: &mut TextReader,
        budget: &mut Budget,
        counters: &Counters,
    ) -> Result<bool, StoreError> {
        let by_columns = self.text.is_empty() && !T::READS_TEXT;
        let take = |tally: &mut T, at: &SegmentAt<'_>| {
            if by_columns { tally.add_segment(at) } else { Taken::Nothing }
        };
        while let Some(at) = self.blocks.next_but(budget, |at| take(&mut self.tally, at)) {
            let range = at.filter.range();
            if by_columns {
                let rows = self.tally.add_block(&at, range);
                budget.spend(rows);
                counters.rows_scanned.fetch_add(rows, Ordering::Relaxed);
                continue;
            }
            let mut lines =
                Lines { text: &self.text, candidates: &mut self.candidates, reader, budget, counters };
            self.row = lines.read(&at, range, self.row, &mut self.tally)?;
            if self.row.is_some() {
                self.blocks.again();
                return Ok(false);
            }
        }
        Ok(self.blocks.is_at_end())
    }
}

/// Reads lines of blocks.
struct Lines<'a> {
    text: &'a TextFilter,
    candidates: &'a mut Option<Candidates>,
    reader: &'a mut TextReader,
    budget: &'a mut Budget,
    counters: &'a Counters,
}

impl Lines<'_> {
    /// Adds a block's matches from row `start` on, where it was begun before. Where to go on when the budget is spent; `None` at
    /// the end of the block. However small the budget, it comes further.
    fn read<T: Tally>(
        &mut self,
        at: &BlockAt<'_>,
        range: TimeRange,
        start: Option<usize>,
        tally: &mut T,
    ) -> Result<Option<usize>, StoreError> {
        let columns = at.view.segment.columns(at.block, &at.view.published);
        let rows = columns.rows_in(range);
        if start.is_none() {
            *self.candidates = Candidates::begin(&at.view.segment, at.block, &rows, at.filter, self.text);
        }
        let start = start.unwrap_or(rows.start);
        if !self.search(at) {
            return Ok(Some(start));
        }
        for row in start..rows.end {
            self.budget.spend(1);
            self.counters.rows_scanned.fetch_add(1, Ordering::Relaxed);
            if at.filter.matches(&columns, row) && tally.wants_next() && self.may_match(&columns, row) {
                self.read_line(at, &columns, row, tally)?;
            }
            if self.budget.is_spent() {
                return Ok(Some(row + 1));
            }
        }
        Ok(None)
    }

    /// Searches a block as a whole, where that is worth it; whether that was all of it.
    fn search(&mut self, at: &BlockAt<'_>) -> bool {
        let Some(candidates) = self.candidates.as_mut() else { return true };
        let before = candidates.searched_bytes();
        let is_done = candidates.go_on(&at.view.segment, at.block, self.text, self.budget);
        let searched = candidates.searched_bytes() - before;
        self.counters.text_bytes_read.fetch_add(searched, Ordering::Relaxed);
        is_done
    }

    /// Whether the text of a row may match.
    fn may_match(&self, columns: &Columns<'_>, row: usize) -> bool {
        self.candidates.as_ref().is_none_or(|candidates| candidates.has(columns, row))
    }

    fn read_line<T: Tally>(
        &mut self,
        at: &BlockAt<'_>,
        columns: &Columns<'_>,
        row: usize,
        tally: &mut T,
    ) -> Result<(), StoreError> {
        let line = self.reader.line(&at.view.segment, &columns.row(row))?;
        self.budget.spend_text(line.len());
        self.counters.text_bytes_read.fetch_add(line.len() as u64, Ordering::Relaxed);
        let line = &line[..line.len() - 1];
        if self.text.matches(line) {
            tally.add_line(at, columns, row, line);
        }
        self.budget.spend_frames(self.reader.take_read_bytes());
        Ok(())
    }
}

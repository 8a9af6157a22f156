//! A segment's newest rows, which are in memory only: runs of blocks, joined as they grow.

use crate::store::logs::block::{self, Block, NewNames, Row};
use crate::store::logs::segment::BLOCK_ROWS;
use std::ops::Range;
use std::sync::Arc;

#[derive(Debug)]
struct Run {
    rows: Vec<Row>,
    block: Option<Arc<Block>>,
}

/// Rows that no block of the file has yet.
#[derive(Debug, Default)]
pub(super) struct Tail {
    runs: Vec<Run>,
}

impl Tail {
    /// Adds rows behind those that are there, and joins neighbouring runs of like size, so that there are never more than a few.
    pub(super) fn push(&mut self, rows: Vec<Row>) {
        if rows.is_empty() {
            return;
        }
        self.runs.push(Run { rows, block: None });
        while let [.., before, last] = &mut self.runs[..]
            && before.rows.len() <= 2 * last.rows.len()
            && before.rows.len() + last.rows.len() <= BLOCK_ROWS
        {
            before.rows.append(&mut last.rows);
            before.block = None;
            self.runs.pop();
        }
    }

    /// Its rows as blocks in memory.
    pub(super) fn blocks(&mut self) -> impl Iterator<Item = Arc<Block>> {
        self.runs.iter_mut().map(|run| {
            let encode = || {
                let encoded = block::encode(run.rows.clone(), text_of(&run.rows), &NewNames::default());
                Arc::new(Block::in_memory(&encoded))
            };
            run.block.get_or_insert_with(encode).clone()
        })
    }

    /// Takes all rows out.
    pub(super) fn take(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.runs).into_iter().flat_map(|run| run.rows).collect()
    }
}

/// The text from the first to the last of some rows.
pub(super) fn text_of(rows: &[Row]) -> Range<u64> {
    let start = rows.first().map_or(0, |row| u64::from(row.pos));
    start..rows.last().map_or(start, |row| u64::from(row.pos) + u64::from(row.len) + 1)
}

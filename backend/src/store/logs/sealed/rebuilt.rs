//! The rows of a sealed segment whose index is damaged in places.
//!
//! Neighbouring lines lie in frames all over the file, so to make one block again means to read all of it. That is done once;
//! what was read is kept as columns, for the blocks that turn out damaged later.

use super::open::read_rows;
use super::text::SealedText;
use crate::store::StoreError;
use crate::store::logs::block::{self, Block, BlockMeta, NewNames, Row};
use crate::store::logs::dictionary::NameKind;
use crate::store::logs::segment::{BLOCK_ROWS, Effort};
use sonde_shared::time::{Day, Timestamp};
use std::sync::{Mutex, PoisonError};

/// All rows of a segment, once one of its blocks was found damaged.
#[derive(Debug, Default)]
pub(in crate::store::logs) struct Rebuilt {
    blocks: Mutex<Option<Vec<Block>>>,
}

impl Rebuilt {
    /// The rows of a block whose columns are damaged; none where the text is damaged too. Who comes while they are read waits.
    pub(in crate::store::logs) fn rows(
        &self,
        text: &SealedText,
        day: Day,
        watermark: Timestamp,
        meta: &BlockMeta,
        number: impl FnMut(NameKind, &str) -> u16,
    ) -> Vec<Row> {
        let mut known = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            match read_all(text, day, watermark, number) {
                Ok(blocks) => *known = Some(blocks),
                // Not kept: the next one tries again.
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "lines cannot be read again");
                }
            }
        }
        let wanted = meta.first_row..meta.first_row + meta.rows;
        let overlaps = |block: &&Block| {
            let BlockMeta { first_row, rows, .. } = *block.meta();
            first_row < wanted.end && wanted.start < first_row + rows
        };
        let blocks = known.iter().flatten().filter(overlaps);
        let rows_of = |block: &Block| {
            // Columns in memory are as they were made.
            let columns = block.columns(Vec::new);
            (0..columns.len()).map(|row| columns.row(row)).collect::<Vec<_>>()
        };
        blocks.flat_map(rows_of).filter(|row| wanted.contains(&row.arrival)).collect()
    }
}

fn read_all(
    text: &SealedText,
    day: Day,
    watermark: Timestamp,
    number: impl FnMut(NameKind, &str) -> u16,
) -> Result<Vec<Block>, StoreError> {
    let rows = read_rows(&text.reopen()?, day, watermark, number, Effort::ALL)?.unwrap_or_default();
    let encoded = |chunk: &[Row]| block::encode(chunk.to_vec(), 0..0, &NewNames::default());
    Ok(rows.chunks(BLOCK_ROWS).map(|chunk| Block::in_memory(&encoded(chunk))).collect())
}

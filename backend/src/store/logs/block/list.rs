//! The blocks of a segment: kept, as those of one that is being written, or read from the file each time one is looked at.

use super::summary::{Places, Summary, Table};
use super::{Block, BlockMeta, Encoded, FiledNames, HEAD_BYTES, Head, NewNames, Parts, Row, SoFar, encode};
use crate::store::file_view::{FileView, Piece, or_end};
use rustc_hash::FxHashMap;
use sonde_shared::time::{TimeRange, Timestamp};
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What is known of a block of a file, each including what comes before it: nothing; its head holds; its columns were
/// looked at, and either hold or were mended.
const NEW: u8 = 0;
const HEAD_HOLDS: u8 = 1;
const HOLDS: u8 = 2;
const MENDED: u8 = 3;

/// The blocks of a segment, by arrival.
#[derive(Clone, Debug)]
pub enum BlockList {
    /// All of them at hand, and perhaps what the first of them count together.
    Kept(Arc<[Arc<Block>]>, Option<Arc<SoFar>>),
    /// In a file that ends with a summary.
    Filed(Arc<Filed>),
}

impl BlockList {
    /// The blocks of an index file that ends with a summary, and the segment's names: components, hosts, patterns. `None`
    /// where there is no whole summary. Blocks begin at `head_len`.
    pub fn in_file(view: FileView, head_len: usize) -> Option<(Self, [FiledNames; 3])> {
        let places = Places::find(&view, head_len)?;
        let states = (0..places.blocks).map(|_| AtomicU8::new(NEW)).collect();
        let names = places.names.clone();
        let (table, mended) = Default::default();
        Some((Self::Filed(Arc::new(Filed { view, places, table, states, mended })), names))
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Kept(blocks, _) => blocks.len(),
            Self::Filed(filed) => filed.places.blocks,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lines of all blocks.
    pub fn rows(&self) -> u32 {
        match self {
            Self::Kept(blocks, _) => blocks.iter().map(|block| block.meta().rows).sum(),
            Self::Filed(filed) => filed.places.rows,
        }
    }

    /// Where the text of the lines ends.
    pub fn text_end(&self) -> u64 {
        self.metas().last().map_or(0, |meta| meta.text.end)
    }

    /// Which lines each block holds.
    pub fn metas(&self) -> impl Iterator<Item = BlockMeta> {
        let (kept, table) = match self {
            Self::Kept(blocks, _) => (Some(blocks), None),
            Self::Filed(filed) => (None, Some(filed.table())),
        };
        let kept = kept.into_iter().flat_map(|blocks| blocks.iter().map(|block| block.meta().clone()));
        let filed = table.into_iter().flat_map(|table| (0..self.len()).map(move |number| table.meta(number)));
        kept.chain(filed)
    }

    /// The earliest and the latest line.
    pub fn times(&self) -> Option<(Timestamp, Timestamp)> {
        match self {
            Self::Filed(filed) => (filed.places.blocks > 0).then_some(filed.places.times),
            Self::Kept(blocks, _) => {
                let min = blocks.iter().map(|block| block.meta().min_ts).min()?;
                Some((min, blocks.iter().map(|block| block.meta().max_ts).max()?))
            }
        }
    }

    /// The numbers of the blocks that may have lines in a range.
    pub fn numbers_in(&self, range: TimeRange) -> Vec<usize> {
        let overlaps = |(min, max): (Timestamp, Timestamp)| min < range.until && range.from <= max;
        if !self.times().is_some_and(overlaps) {
            return Vec::new();
        }
        match self {
            Self::Kept(blocks, _) => {
                (0..blocks.len()).filter(|number| blocks[*number].meta().overlaps(range)).collect()
            }
            Self::Filed(filed) => {
                let table = filed.table();
                (0..filed.places.blocks).filter(|number| overlaps(table.times(*number))).collect()
            }
        }
    }

    /// A block. One whose head is damaged is made of the rows that `rebuild` reads from the text.
    pub fn get(&self, number: usize, rebuild: impl FnOnce(&BlockMeta) -> Vec<Row>) -> Arc<Block> {
        match self {
            Self::Kept(blocks, _) => blocks[number].for_reader(),
            Self::Filed(filed) => filed.block(number, rebuild),
        }
    }

    /// Whether a block's head is what was written.
    pub fn head_holds(&self, number: usize) -> bool {
        match self {
            Self::Kept(..) => true,
            Self::Filed(filed) => filed.head(number, true).is_some(),
        }
    }

    /// What is said of the first blocks together, if anything is.
    pub fn sums(&self) -> Option<Sums> {
        match self {
            Self::Kept(_, so_far) => so_far.clone().map(Sums::Kept),
            Self::Filed(filed) => Some(Sums::Filed(filed.clone(), OnceLock::new())),
        }
    }
}

/// What is said of blocks together, for as long as somebody looks at it.
#[derive(Debug)]
pub enum Sums {
    /// Of the first ones of a segment that is written to.
    Kept(Arc<SoFar>),
    /// Of all.
    Filed(Arc<Filed>, OnceLock<Piece>),
}

impl Sums {
    /// The sums, and of how many blocks: of all, where the segment is finished.
    pub fn summary(&self) -> Option<(Summary<'_>, usize)> {
        match self {
            Self::Kept(sums) => Some((sums.summary()?, sums.blocks())),
            Self::Filed(filed, kept) => Some((filed.places.summary(&filed.view, kept), filed.places.blocks)),
        }
    }
}

/// An index file, and what had to be made again of it.
#[derive(Debug)]
pub struct Filed {
    view: FileView,
    places: Places,
    /// Where its blocks are, some thirty bytes for each, once it was looked at; of a mapped file it is not kept.
    table: OnceLock<Piece>,
    states: Box<[AtomicU8]>,
    mended: Mutex<FxHashMap<usize, Mended>>,
}

#[derive(Debug)]
enum Mended {
    Columns(Arc<[u8]>),
    Block(Arc<Block>),
}

impl Filed {
    fn table(&self) -> Table<'_> {
        self.places.table(&self.view, &self.table)
    }

    fn state(&self, number: usize) -> u8 {
        self.states[number].load(Ordering::Acquire)
    }

    fn note(&self, number: usize, state: u8) {
        self.states[number].fetch_max(state, Ordering::AcqRel);
    }

    fn mended(&self) -> MutexGuard<'_, FxHashMap<usize, Mended>> {
        self.mended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a block's head says, checked if asked for: the block without its names, and where counts and columns are.
    fn head(&self, number: usize, is_checked: bool) -> Option<(BlockMeta, Parts, Range<usize>)> {
        let table = self.table();
        let (at, end) = (table.place(number), self.view.len());
        let until = |len: usize| at.checked_add(len).filter(|until| *until <= end);
        let fixed = or_end(self.view.read(at..until(HEAD_BYTES)?));
        let bytes = if is_checked { or_end(self.view.read(at..until(Head::len(&fixed)?)?)) } else { fixed };
        let head = Head::of(&bytes, at, end)?;
        (!is_checked || head.holds() && head.meta == table.meta(number))
            .then_some((head.meta, head.parts, head.body))
    }

    fn block(self: &Arc<Self>, number: usize, rebuild: impl FnOnce(&BlockMeta) -> Vec<Row>) -> Arc<Block> {
        if self.state(number) == MENDED
            && let Some(Mended::Block(block)) = self.mended().get(&number)
        {
            return block.clone();
        }
        let Some((meta, parts, body)) = self.head(number, self.state(number) == NEW) else {
            let meta = self.table().meta(number);
            let encoded = made_of(&meta, rebuild(&meta));
            let block = Arc::new(Block::in_memory(&encoded));
            self.mended().insert(number, Mended::Block(block.clone()));
            self.note(number, MENDED);
            return block;
        };
        self.note(number, HEAD_HOLDS);
        let notes = Some((self.clone(), number));
        Arc::new(Block::noted(meta, parts, self.view.clone(), body, notes))
    }

    /// The columns that take the place of the file's; `None` where these hold. Each block is looked at once.
    pub(super) fn mended_columns(
        &self,
        number: usize,
        holds: impl FnOnce() -> bool,
        mend: impl FnOnce() -> Arc<[u8]>,
    ) -> Option<Arc<[u8]>> {
        match self.state(number) {
            HOLDS => return None,
            MENDED => {
                if let Some(Mended::Columns(columns)) = self.mended().get(&number) {
                    return Some(columns.clone());
                }
            }
            _ => {}
        }
        if holds() {
            self.note(number, HOLDS);
            return None;
        }
        let columns = mend();
        self.mended().insert(number, Mended::Columns(columns.clone()));
        self.note(number, MENDED);
        Some(columns)
    }
}

/// A block of rows that were read again.
fn made_of(meta: &BlockMeta, rows: Vec<Row>) -> Encoded {
    encode(meta.completed(rows), meta.text.clone(), &NewNames::default())
}

//! What the blocks of a segment that is being written count together, so far.
//!
//! A finished segment has its summary; of one that grows each block would have to be added up for every question. These sums
//! answer what most ask for, all lines by time and level and all components, hosts and patterns, in the form in which a summary
//! does. They are bounded by the names of a segment and the minutes of a day: 1.5 MB where there are 20,000 names of each kind.

use super::all_tally::AllTally;
use super::counts::{self, CellKey, Counts};
use super::summary::Summary;
use super::{Block, SLOT_NANOS};
use sonde_shared::log::Level;
use sonde_shared::time::{Day, Timestamp};
use std::sync::Arc;

/// Sums are written down anew after so many blocks, or as many as a sixty-fourth of all: what follows is counted by its blocks.
const EVERY: usize = 4;
/// By component lines are counted in slots of a day.
const DAY_NANOS: i64 = 1_440 * SLOT_NANOS;

/// Sums on their way.
#[derive(Debug)]
pub(in crate::store::logs) struct SoFarTally {
    /// The day that all lines are of, counted from 1970.
    day: i64,
    is_of_day: bool,
    blocks: usize,
    rows: u32,
    all: AllTally,
    /// By number.
    components: Vec<[u32; Level::COUNT]>,
    shown: Option<Arc<SoFar>>,
}

impl SoFarTally {
    /// No block yet of a segment of a day.
    pub(in crate::store::logs) fn new(day: Day) -> Self {
        let day = day.start().as_nanos().div_euclid(DAY_NANOS);
        let (all, components) = (AllTally::default(), Vec::new());
        Self { day, is_of_day: true, blocks: 0, rows: 0, all, components, shown: None }
    }

    /// Adds the segment's next block.
    pub(in crate::store::logs) fn add(&mut self, block: &Block) {
        let (counts, meta) = (block.counts(), block.meta());
        let is_of_day = |ts: Timestamp| ts.as_nanos().div_euclid(DAY_NANOS) == self.day;
        self.is_of_day &= is_of_day(meta.min_ts) && is_of_day(meta.max_ts);
        if !self.is_of_day {
            self.shown = None;
            return;
        }
        self.blocks += 1;
        self.rows += meta.rows;
        self.all.add(&counts);
        counts.each_component(|component, levels| {
            let at = usize::from(component);
            if at >= self.components.len() {
                self.components.resize(at + 1, [0; Level::COUNT]);
            }
            self.components[at].iter_mut().zip(levels).for_each(|(sum, lines)| *sum += lines as u32);
        });
        let shown = self.shown.as_ref().map_or(0, |shown| shown.blocks);
        if self.blocks - shown >= EVERY.max(self.blocks / 64) {
            self.shown = Some(Arc::new(self.encode()));
        }
    }

    /// The sums of the first blocks.
    pub(in crate::store::logs) fn shown(&self) -> Option<Arc<SoFar>> {
        self.shown.clone()
    }

    fn encode(&self) -> SoFar {
        let mut bytes = Vec::new();
        self.all.encode(&mut bytes);
        let by_level = |(component, levels): (u16, &[u32; Level::COUNT])| {
            let key = |level: Level| CellKey::new(component, self.day, level);
            Level::ALL.map(|level| (key(level), levels[level as usize]))
        };
        let cells = (0..).zip(&self.components).flat_map(by_level);
        let cells: Vec<_> = cells.filter(|(_, lines)| *lines > 0).collect();
        counts::encode(DAY_NANOS, &cells, [&[], &[]], &mut bytes);
        SoFar { blocks: self.blocks, rows: self.rows, bytes: bytes.into() }
    }
}

/// What the first blocks of a segment count together.
#[derive(Debug)]
pub struct SoFar {
    blocks: usize,
    rows: u32,
    bytes: Box<[u8]>,
}

impl SoFar {
    /// How many blocks.
    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The sums; kinds are not among them.
    pub(super) fn summary(&self) -> Option<Summary<'_>> {
        let (all, rest) = Counts::split(&self.bytes, self.rows)?;
        Some(Summary::so_far(&all, &Counts::split(rest, self.rows)?.0))
    }
}

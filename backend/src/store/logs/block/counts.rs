//! How many lines there are of what, read in place: by component, stretch of time and level; by host; by pattern.
//!
//! Blocks and whole segments have such counts, in stretches ("slots") of their own width, so that what asks for no more than
//! they tell looks at no line's columns.

use super::packed::{Packed, READ_AT_ONCE, pack};
use super::{BlockMeta, Row, SLOT_NANOS};
use sonde_shared::log::Level;
use sonde_shared::time::Timestamp;
use std::ops::Range;

/// Width of a slot (8), then how many components, cells, hosts and patterns there are (4 each).
const HEAD_BYTES: usize = 24;

/// Lines of one component, slot and level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Where the slot begins; a multiple of [`Counts::slot_nanos`].
    pub from: Timestamp,
    /// The level.
    pub level: Level,
    /// How many; not 0.
    pub lines: u32,
}

/// A component's number and where its cells are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentCells {
    /// The component's number.
    pub component: u16,
    /// Its cells, by slot and level.
    pub cells: Range<usize>,
}

/// A view of counts.
#[derive(Clone, Copy, Debug)]
pub struct Counts<'a> {
    slot_nanos: i64,
    component_count: usize,
    cell_count: usize,
    host_count: usize,
    pattern_count: usize,
    components: Packed<'a>,
    ends: Packed<'a>,
    slots: Packed<'a>,
    levels: Packed<'a>,
    lines: Packed<'a>,
    hosts: [Packed<'a>; 2],
    patterns: [Packed<'a>; 2],
}

impl<'a> Counts<'a> {
    /// Lays the view over counts of at most `rows` lines, and gives back the bytes behind them; `None` where these cannot
    /// be such counts.
    pub(in crate::store::logs) fn split(bytes: &'a [u8], rows: u32) -> Option<(Self, &'a [u8])> {
        let (head, mut rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let slot_nanos = i64::from_le_bytes(*head.first_chunk()?);
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let counts = [8, 12, 16, 20].map(number);
        if slot_nanos <= 0 || counts.iter().any(|count| *count > rows) {
            return None;
        }
        let [component_count, cell_count, host_count, pattern_count] = counts.map(|count| count as usize);
        let mut next = |rows| {
            let (column, behind) = Packed::split(rest, rows)?;
            rest = behind;
            Some(column)
        };
        let view = Self {
            slot_nanos,
            component_count,
            cell_count,
            host_count,
            pattern_count,
            components: next(component_count)?,
            ends: next(component_count)?,
            slots: next(cell_count)?,
            levels: next(cell_count)?,
            lines: next(cell_count)?,
            hosts: [next(host_count)?, next(host_count)?],
            patterns: [next(pattern_count)?, next(pattern_count)?],
        };
        Some((view, rest))
    }

    /// Whether they can be those of a block: every line is counted once as one of a component, host and pattern, in a slot
    /// that has to do with the block's times. So sums stay small and slots near, whatever a file says.
    pub(super) fn holds(&self, meta: &BlockMeta) -> bool {
        let [min, max] = [meta.min_ts, meta.max_ts].map(|ts| ts.as_nanos().div_euclid(self.slot_nanos));
        let is_cell = |at| (min..=max).contains(&self.slots.get(at));
        let ends: Vec<i64> = (0..self.component_count).map(|at| self.ends.get(at)).collect();
        let sums = |lines: Packed<'_>, count: usize| {
            let mut lines = (0..count).map(|at| lines.get(at));
            let rows = i64::from(meta.rows);
            lines.try_fold(0, |sum, lines| (1..=rows - sum).contains(&lines).then_some(sum + lines))
                == Some(rows)
        };
        ends.is_sorted()
            && ends.last().is_some_and(|end| *end == self.cell_count as i64)
            && (0..self.cell_count).all(is_cell)
            && sums(self.lines, self.cell_count)
            && sums(self.hosts[1], self.host_count)
            && sums(self.patterns[1], self.pattern_count)
    }

    /// How many cells there are.
    pub fn cell_count(&self) -> usize {
        self.cell_count
    }

    /// How wide slots are.
    pub fn slot_nanos(&self) -> i64 {
        self.slot_nanos
    }

    /// How many components have lines.
    pub fn component_count(&self) -> usize {
        self.component_count
    }

    /// The components with lines, by number.
    pub fn components(&self) -> impl Iterator<Item = ComponentCells> {
        let (numbers, ends, cells) = (self.components, self.ends, self.cell_count);
        let mut start = 0;
        (0..self.component_count).map(move |at| {
            let end = (ends.get(at) as usize).min(cells);
            ComponentCells {
                component: numbers.get(at) as u16,
                cells: std::mem::replace(&mut start, end)..end,
            }
        })
    }

    /// A cell, by its place in [`ComponentCells::cells`].
    #[inline]
    pub fn cell(&self, at: usize) -> Cell {
        Cell {
            from: Timestamp::from_nanos(self.slots.get(at).wrapping_mul(self.slot_nanos)),
            level: self.level(at),
            lines: self.lines.get(at) as u32,
        }
    }

    #[inline]
    fn level(&self, at: usize) -> Level {
        Level::from_number(self.levels.get(at) as u8)
    }

    /// Adds lines of some cells, of a level and worse, to sums by slot, the first of which has this number. Cells of other
    /// slots are passed over.
    pub fn add_by_slot(
        &self,
        cells: Range<usize>,
        least: Level,
        first: i64,
        sums: &mut [[u64; Level::COUNT]],
    ) {
        let (mut slots, mut levels, mut lines) = ([0; READ_AT_ONCE], [0; READ_AT_ONCE], [0; READ_AT_ONCE]);
        let mut start = cells.start;
        while start < cells.end {
            let count = READ_AT_ONCE.min(cells.end - start);
            self.slots.read(start, &mut slots[..count]);
            self.levels.read(start, &mut levels[..count]);
            self.lines.read(start, &mut lines[..count]);
            for ((slot, level), lines) in slots.iter().zip(&levels).zip(&lines).take(count) {
                let level = Level::from_number(*level as u8);
                let sums = sums.get_mut(slot.wrapping_sub(first) as usize).filter(|_| level >= least);
                if let Some(sums) = sums {
                    sums[level as usize] += u64::from(*lines as u32);
                }
            }
            start += count;
        }
    }

    /// Its key and its lines; slots are as wide as those of these counts.
    #[inline]
    pub(super) fn keyed(&self, component: u16, at: usize) -> (CellKey, u32) {
        (CellKey::new(component, self.slots.get(at), self.level(at)), self.lines.get(at) as u32)
    }

    /// Whether one of the cells has lines of a level or worse.
    pub fn has_level(&self, mut cells: Range<usize>, level: Level) -> bool {
        if level == Level::Trace { !cells.is_empty() } else { cells.any(|at| self.level(at) >= level) }
    }

    /// Lines of some cells, by level.
    pub fn by_level(&self, cells: Range<usize>) -> [u64; Level::COUNT] {
        let mut levels = [0; Level::COUNT];
        cells.for_each(|at| levels[self.level(at) as usize] += u64::from(self.lines.get(at) as u32));
        levels
    }

    /// Calls with each component that has lines and how many, in order. Looks at all cells, many at a time.
    pub fn lines_by_component(&self, mut each: impl FnMut(u16, u64)) {
        let (mut lines, mut loaded) = ([0; READ_AT_ONCE], 0..0);
        for ComponentCells { component, cells } in self.components() {
            let (mut at, mut sum) = (cells.start, 0);
            while at < cells.end {
                if !loaded.contains(&at) {
                    loaded = at..self.cell_count.min(at + READ_AT_ONCE);
                    self.lines.read(at, &mut lines[..loaded.len()]);
                }
                let end = cells.end.min(loaded.end);
                let of_component = &lines[at - loaded.start..end - loaded.start];
                sum += of_component.iter().map(|lines| u64::from(*lines as u32)).sum::<u64>();
                at = end;
            }
            each(component, sum);
        }
    }

    /// Calls with each component that has lines and these by level, in order. Looks at all cells, many at a time.
    pub fn each_component(&self, mut each: impl FnMut(u16, [u64; Level::COUNT])) {
        let (mut levels, mut lines) = ([0; READ_AT_ONCE], [0; READ_AT_ONCE]);
        let mut components = self.components();
        let (mut component, mut sums) = (components.next(), [0; Level::COUNT]);
        for start in (0..self.cell_count).step_by(READ_AT_ONCE) {
            let count = READ_AT_ONCE.min(self.cell_count - start);
            self.levels.read(start, &mut levels[..count]);
            self.lines.read(start, &mut lines[..count]);
            for (at, (level, lines)) in (start..start + count).zip(levels.iter().zip(&lines)) {
                while let Some(ended) = component.take_if(|component| component.cells.end <= at) {
                    each(ended.component, std::mem::take(&mut sums));
                    component = components.next();
                }
                sums[Level::from_number(*level as u8) as usize] += u64::from(*lines as u32);
            }
        }
        if let Some(last) = component {
            each(last.component, sums);
        }
    }

    /// Hosts with lines, by number, and how many.
    pub fn hosts(&self) -> impl Iterator<Item = (u16, u64)> {
        pairs(self.hosts, self.host_count)
    }

    /// Patterns with lines, by number, and how many.
    pub fn patterns(&self) -> impl Iterator<Item = (u16, u64)> {
        pairs(self.patterns, self.pattern_count)
    }
}

fn pairs([numbers, lines]: [Packed<'_>; 2], count: usize) -> impl Iterator<Item = (u16, u64)> {
    (0..count).map(move |at| (numbers.get(at) as u16, u64::from(lines.get(at) as u32)))
}

/// A component, slot and level as one number, in whose order cells lie. Slots are of a millisecond or more.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CellKey(u64);

/// Bits of the level, and with those of the slot.
const LEVEL_BITS: u32 = 4;
const SLOT_BITS: u32 = 44;
/// Slots before 1970 have numbers below 0.
const FIRST_SLOT: i64 = -(1 << (SLOT_BITS - 1));

impl CellKey {
    pub(super) fn new(component: u16, slot: i64, level: Level) -> Self {
        let slot = slot.wrapping_sub(FIRST_SLOT) as u64 & ((1 << SLOT_BITS) - 1);
        Self(u64::from(component) << (SLOT_BITS + LEVEL_BITS) | slot << LEVEL_BITS | level as u64)
    }

    pub(super) fn component(self) -> u16 {
        (self.0 >> (SLOT_BITS + LEVEL_BITS)) as u16
    }

    fn slot(self) -> i64 {
        (self.0 >> LEVEL_BITS & ((1 << SLOT_BITS) - 1)) as i64 + FIRST_SLOT
    }

    fn level(self) -> Level {
        Level::from_number((self.0 & ((1 << LEVEL_BITS) - 1)) as u8)
    }

    /// The same in slots that are so many times as wide.
    pub(super) fn widened(self, times: i64) -> Self {
        Self::new(self.component(), self.slot().div_euclid(times), self.level())
    }
}

/// Appends the counts of a block's rows, in slots of [`SLOT_NANOS`].
pub(super) fn encode_rows(rows: &[Row], out: &mut Vec<u8>) {
    let slot = |row: &Row| row.ts.as_nanos().div_euclid(SLOT_NANOS);
    let mut cells: Vec<_> =
        rows.iter().map(|row| (CellKey::new(row.component, slot(row), row.level), 1)).collect();
    let mut hosts: Vec<_> = rows.iter().map(|row| (row.host, 1)).collect();
    let mut patterns: Vec<_> = rows.iter().map(|row| (row.pattern, 1)).collect();
    join(&mut cells, 0);
    join(&mut hosts, 0);
    join(&mut patterns, 0);
    encode(SLOT_NANOS, &cells, [&hosts, &patterns], out);
}

/// Appends counts: of sorted cells, then of sorted hosts and patterns.
pub(super) fn encode(
    slot_nanos: i64,
    cells: &[(CellKey, u32)],
    pairs: [&[(u16, u32)]; 2],
    out: &mut Vec<u8>,
) {
    let by_component = || cells.chunk_by(|a, b| a.0.component() == b.0.component());
    let counts = [by_component().count(), cells.len(), pairs[0].len(), pairs[1].len()];
    out.extend_from_slice(&slot_nanos.to_le_bytes());
    out.extend(counts.iter().flat_map(|count| (*count as u32).to_le_bytes()));
    pack(&by_component().map(|cells| i64::from(cells[0].0.component())), &[], out);
    let end = |end: &mut usize, cells: &[_]| {
        *end += cells.len();
        Some(*end as i64)
    };
    let ends: Vec<i64> = by_component().scan(0, end).collect();
    pack(&ends.into_iter(), &[], out);
    pack(&cells.iter().map(|(key, _)| key.slot()), &[], out);
    pack(&cells.iter().map(|(key, _)| key.level() as i64), &[], out);
    pack(&cells.iter().map(|(_, lines)| i64::from(*lines)), &[], out);
    for pairs in pairs {
        pack(&pairs.iter().map(|(number, _)| i64::from(*number)), &[], out);
        pack(&pairs.iter().map(|(_, lines)| i64::from(*lines)), &[], out);
    }
}

/// Sorts pairs, from one on, and adds up those of one key.
pub(super) fn join<K: Ord + Copy>(pairs: &mut Vec<(K, u32)>, start: usize) {
    let tail = &mut pairs[start..];
    tail.sort_unstable_by_key(|(key, _)| *key);
    let mut kept = 0;
    for at in 1..tail.len() {
        if tail[at].0 == tail[kept].0 {
            tail[kept].1 += tail[at].1;
        } else {
            kept += 1;
            tail[kept] = tail[at];
        }
    }
    let len = if tail.is_empty() { start } else { start + kept + 1 };
    pairs.truncate(len);
}

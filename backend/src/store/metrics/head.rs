//! What is in memory: the points of one write-ahead log, by series.
//!
//! Points lie in small blocks, those of a series in a chain, so that a point costs two writes wherever it goes, and a series
//! that has few costs little. The writer appends while readers read: the lock is held for some thousands of points, or while
//! one series is copied out, and never over a disk access.

use super::points::DayPoints;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

/// A point on its way into a head: series, second of the day, value.
pub(super) type Staged = (u32, u32, f64);

/// So many points are added before readers get a turn.
const TURN: usize = 8_192;
/// Points of a block: with them it fills two lines of the processor's cache.
const BLOCK_POINTS: usize = 10;
/// Blocks that are made at a time.
const STRETCH: usize = 4_096;
const NONE: u32 = u32::MAX;

/// The points of the write-ahead log of the same number.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) number: u32,
    table: RwLock<Table>,
    told: Mutex<Told>,
    points: AtomicU64,
}

/// Which names the list of an epoch was told.
#[derive(Debug, Default)]
struct Told {
    epoch: u64,
    /// Those of lower numbers, but for some.
    upto: usize,
    /// Series that had no point yet when they were looked at.
    waiting: Vec<u32>,
}

#[derive(Debug, Default)]
struct Table {
    by_name: HashMap<Arc<str>, u32, RandomState>,
    names: Vec<Arc<str>>,
    chains: Vec<Chain>,
    stretches: Vec<Box<[Block]>>,
    block_count: usize,
}

/// A series' first and last block, and its first and last second of the day.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
    min_time: u32,
    max_time: u32,
}

impl Chain {
    const EMPTY: Self = Self { first: NONE, last: NONE, min_time: u32::MAX, max_time: 0 };

    fn span(self) -> Option<(u32, u32)> {
        (self.first != NONE).then_some((self.min_time, self.max_time))
    }
}

#[derive(Clone, Debug)]
#[repr(align(64))]
struct Block {
    next: u32,
    len: u32,
    times: [u32; BLOCK_POINTS],
    values: [f64; BLOCK_POINTS],
}

impl Block {
    const EMPTY: Self = Self { next: NONE, len: 0, times: [0; BLOCK_POINTS], values: [0.0; BLOCK_POINTS] };
}

impl Table {
    fn block(&self, at: u32) -> &Block {
        &self.stretches[at as usize / STRETCH][at as usize % STRETCH]
    }

    fn block_mut(&mut self, at: u32) -> &mut Block {
        &mut self.stretches[at as usize / STRETCH][at as usize % STRETCH]
    }

    fn new_block(&mut self) -> u32 {
        if self.block_count == self.stretches.len() * STRETCH {
            self.stretches.push(vec![Block::EMPTY; STRETCH].into());
        }
        self.block_count += 1;
        self.block_count as u32 - 1
    }

    fn push(&mut self, (series, time, value): Staged) {
        let mut last = self.chains[series as usize].last;
        if last == NONE || self.block(last).len as usize == BLOCK_POINTS {
            let next = self.new_block();
            if last == NONE {
                self.chains[series as usize].first = next;
            } else {
                self.block_mut(last).next = next;
            }
            self.chains[series as usize].last = next;
            last = next;
        }
        let chain = &mut self.chains[series as usize];
        (chain.min_time, chain.max_time) = (chain.min_time.min(time), chain.max_time.max(time));
        let block = self.block_mut(last);
        let at = block.len as usize;
        (block.times[at], block.values[at]) = (time, value);
        block.len += 1;
    }

    fn blocks(&self, chain: Chain) -> impl Iterator<Item = &Block> {
        let there = |at: u32| (at != NONE).then(|| self.block(at));
        std::iter::successors(there(chain.first), move |block| there(block.next))
    }

    /// A series' points in order of arrival.
    fn points(&self, chain: Chain) -> impl Iterator<Item = (u32, f64)> {
        self.blocks(chain).flat_map(|block| {
            let len = block.len as usize;
            block.times[..len].iter().copied().zip(block.values[..len].iter().copied())
        })
    }
}

impl Head {
    pub(super) fn new(number: u32) -> Self {
        Self { number, table: RwLock::default(), told: Mutex::default(), points: AtomicU64::new(0) }
    }

    fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The series' number here, and whether it got it now. A new series is not seen by readers before it has a point.
    pub(super) fn intern(&self, name: &Arc<str>) -> (u32, bool) {
        if let Some(number) = self.table().by_name.get(name) {
            return (*number, false);
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let number = table.names.len() as u32;
        table.by_name.insert(Arc::clone(name), number);
        table.names.push(Arc::clone(name));
        table.chains.push(Chain::EMPTY);
        (number, true)
    }

    /// Makes committed points visible.
    pub(super) fn apply(&self, staged: &[Staged]) {
        for turn in staged.chunks(TURN) {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            for point in turn {
                table.push(*point);
            }
        }
        self.points.fetch_add(staged.len() as u64, Ordering::Relaxed);
    }

    /// How many points there are, repeated seconds counted each.
    pub(super) fn point_count(&self) -> u64 {
        self.points.load(Ordering::Relaxed)
    }

    /// Whether a series has points.
    pub(super) fn has(&self, name: &str) -> bool {
        let table = self.table();
        table.by_name.get(name).is_some_and(|number| table.chains[*number as usize].first != NONE)
    }

    /// Adds a series' points with `low <= time < high` to `out`, in order of arrival.
    pub(super) fn read(&self, name: &str, low: u32, high: u32, out: &mut DayPoints) {
        let table = self.table();
        let Some(number) = table.by_name.get(name) else { return };
        let inside =
            table.points(table.chains[*number as usize]).filter(|(time, _)| (low..high).contains(time));
        inside.for_each(|(time, value)| out.push(time, value));
    }

    /// The names of series that have points, and that the list of this epoch was not told yet.
    pub(super) fn take_new(&self, epoch: u64) -> Vec<Arc<str>> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.epoch != epoch {
            *told = Told { epoch, ..Told::default() };
        }
        let (mut names, mut candidates) = (Vec::new(), std::mem::take(&mut told.waiting));
        loop {
            // The writer gets a turn between two of these.
            let table = self.table();
            let end = table.names.len().min(told.upto + TURN);
            candidates.extend(told.upto as u32..end as u32);
            told.upto = end;
            for number in candidates.drain(..) {
                if table.chains[number as usize].first == NONE {
                    told.waiting.push(number);
                } else {
                    names.push(Arc::clone(&table.names[number as usize]));
                }
            }
            if end == table.names.len() {
                return names;
            }
        }
    }

    /// The names of all series that have points, in order.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let table = self.table();
        let with_points = table.names.iter().zip(&table.chains).filter(|(_, chain)| chain.first != NONE);
        let mut names: Vec<Arc<str>> = with_points.map(|(name, _)| Arc::clone(name)).collect();
        drop(table);
        names.sort_unstable();
        names
    }

    /// The first and the last second of the day that a series has a point in.
    pub(super) fn span(&self, name: &str) -> Option<(u32, u32)> {
        let table = self.table();
        table.chains[*table.by_name.get(name)? as usize].span()
    }

    /// The latest second of the day that has a point.
    pub(super) fn max_time(&self) -> Option<u32> {
        self.table().chains.iter().filter_map(|chain| chain.span()).map(|(_, last)| last).max()
    }

    /// How many series there are.
    pub(super) fn series_count(&self) -> usize {
        self.table().names.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_many_series_come_back_in_order_of_arrival() {
        let head = Head::new(1);
        let names: Vec<Arc<str>> = (0..700).map(|number| format!("s{number}").into()).collect();
        for (number, name) in (0..).zip(&names) {
            assert_eq!(head.intern(name), (number, true));
        }
        assert_eq!(head.intern(&names[9]), (9, false));
        assert!(head.names().is_empty() && !head.has("s1") && head.max_time().is_none());
        let staged: Vec<Staged> =
            (0..70_000_u32).map(|at| (at * 7 % 700, 70_000 - at, f64::from(at))).collect();
        assert!(head.take_new(1).is_empty());
        head.apply(&staged[..30]);
        let mut told = head.take_new(1);
        assert_eq!((told.len(), head.take_new(1).len()), (30, 0));
        head.apply(&staged[30..40_000]);
        head.apply(&staged[40_000..]);
        told.extend(head.take_new(1));
        told.sort();
        assert_eq!((told, head.take_new(2).len()), (head.names(), 100));
        for (number, name) in (0..).zip(&names) {
            let expected: Vec<Staged> =
                staged.iter().copied().filter(|(series, ..)| *series == number).collect();
            let mut found = DayPoints::default();
            head.read(name, 0, u32::MAX, &mut found);
            assert_eq!(found.times, expected.iter().map(|(_, time, _)| *time).collect::<Vec<_>>());
            assert_eq!(found.values, expected.iter().map(|(.., value)| *value).collect::<Vec<_>>());
            let times = || found.times.iter().copied();
            assert_eq!(head.span(name), times().min().zip(times().max()));
        }
        assert_eq!((head.point_count(), head.max_time(), head.span("none")), (70_000, Some(70_000), None));
    }
}

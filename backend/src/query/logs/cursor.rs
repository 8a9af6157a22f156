//! Walks the matching lines of a snapshot in order: a merge of blocks, each sorted by (time, arrival).
//!
//! Blocks are opened when the walk reaches their first instant and dropped behind their last line, so lines that came
//! roughly in order need one or two open blocks, and lines in any order need a few words a block.

use super::{Candidates, LineFilter, SegmentFilter};
use crate::query::budget::Budget;
use crate::store::logs::block::{Block, Row};
use crate::store::logs::segment::Segment;
use crate::store::logs::{SegmentView, Snapshot};
use sonde_shared::time::{Day, TimeRange, Timestamp};
use sonde_shared::view::Order;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::ops::Range;
use std::sync::Arc;

/// So many matching rows of an open block are read at a time.
const ROWS_READ: usize = 64;

/// Where a line stands among all lines; smaller comes first in the order that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    ts: i64,
    segment: u32,
    arrival: u32,
}

impl Key {
    /// Turning every bit over turns the order around.
    fn new(order: Order, ts: Timestamp, segment: u32, arrival: u32) -> Self {
        let key = Self { ts: ts.as_nanos(), segment, arrival };
        match order {
            Order::Ascending => key,
            Order::Descending => Self { ts: !key.ts, segment: !key.segment, arrival: !key.arrival },
        }
    }
}

/// A matching line.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// The day, as an index of the snapshot's days.
    pub day: usize,
    /// The segment, as an index of the day's segments.
    pub segment: usize,
    /// The line.
    pub row: Row,
}

/// What [`Cursor::next_hit`] came to.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// A matching line.
    Hit(Hit),
    /// The end of the step: there may be more.
    Spent,
    /// The end of the walk.
    End,
}

/// A block that waits to be opened.
#[derive(Debug)]
struct Waiting {
    /// Nothing in the block comes before this.
    least: Key,
    /// Nothing in it comes after this instant.
    last_ts: i64,
    segment: usize,
    block: Arc<Block>,
    /// What a search of its text, once begun, has found so far.
    candidates: Option<Candidates>,
}

/// A block that is being walked.
#[derive(Debug)]
struct Open {
    segment: usize,
    number: u32,
    block: Arc<Block>,
    /// Its next matching rows.
    ready: VecDeque<Row>,
    /// Rows still to be seen, in block order whichever way they are walked.
    rest: Range<usize>,
    /// Where its lines may have the text that is asked for; `None` where they must all be looked at.
    candidates: Option<Candidates>,
}

impl Open {
    /// Where its next matching row stands.
    fn key(&self, order: Order) -> Option<Key> {
        self.ready.front().map(|row| Key::new(order, row.ts, self.number, row.arrival))
    }

    /// Reads its next matching rows that have this arrival number at least; returns how many rows were looked at.
    fn read_on(&mut self, view: &SegmentView, filter: &SegmentFilter, order: Order, since: u32) -> u64 {
        let columns = view.segment.columns(&self.block, &view.published);
        let before = self.rest.len();
        while self.ready.len() < ROWS_READ
            && let Some(row) = filter.next_match(&columns, &mut self.rest, order)
        {
            let may_match = self.candidates.as_ref().is_none_or(|candidates| candidates.has(&columns, row));
            if may_match && (since == 0 || columns.arrival(row) >= since) {
                self.ready.push_back(columns.row(row));
            }
        }
        (before - self.rest.len()) as u64
    }
}

/// The matching lines of a snapshot, one by one.
#[derive(Debug)]
pub struct Cursor {
    snapshot: Snapshot,
    filter: LineFilter,
    order: Order,
    /// Only lines that an earlier snapshot did not hold.
    since: Option<Snapshot>,
    next_day: usize,
    day: usize,
    filters: Vec<SegmentFilter>,
    /// The first arrival number to send of each of the day's segments.
    first_rows: Vec<u32>,
    waiting: VecDeque<Waiting>,
    open: Vec<Option<Open>>,
    /// The next matching row of each open block, and the block's slot.
    heap: BinaryHeap<Reverse<(Key, usize)>>,
    rows_scanned: u64,
    text_bytes_searched: u64,
}

impl Cursor {
    /// A walk over the whole snapshot.
    pub fn new(snapshot: Snapshot, filter: LineFilter, order: Order) -> Self {
        Self {
            snapshot,
            filter,
            order,
            since: None,
            next_day: 0,
            day: 0,
            filters: Vec::new(),
            first_rows: Vec::new(),
            waiting: VecDeque::new(),
            open: Vec::new(),
            heap: BinaryHeap::new(),
            rows_scanned: 0,
            text_bytes_searched: 0,
        }
    }

    /// A walk over nothing.
    pub fn empty(order: Order) -> Self {
        Self::new(Snapshot::default(), LineFilter::all(TimeRange::all()), order)
    }

    /// A walk over what `snapshot` holds beyond `earlier`.
    pub fn beyond(earlier: &Snapshot, snapshot: Snapshot, filter: LineFilter) -> Self {
        Self { since: Some(earlier.clone()), ..Self::new(snapshot, filter, Order::Ascending) }
    }

    /// What the walk is over.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What the walk asks for.
    pub fn filter(&self) -> &LineFilter {
        &self.filter
    }

    /// Rows looked at since this was last asked.
    pub fn take_rows_scanned(&mut self) -> u64 {
        std::mem::take(&mut self.rows_scanned)
    }

    /// Bytes of text that were searched, block by block, since this was last asked.
    pub fn take_text_bytes_searched(&mut self) -> u64 {
        std::mem::take(&mut self.text_bytes_searched)
    }

    /// The segment that a line lies in.
    pub fn view(&self, hit: &Hit) -> &SegmentView {
        &self.snapshot.days[hit.day].1[hit.segment]
    }

    /// The next line that matches by its columns; its text is not looked at.
    pub fn next_hit(&mut self, budget: &mut Budget) -> Found {
        loop {
            if budget.is_spent() || !self.open_reached(budget) {
                return Found::Spent;
            }
            if let Some(hit) = self.take(budget) {
                return Found::Hit(hit);
            }
            if !self.enter_next_day(budget) {
                return Found::End;
            }
        }
    }

    /// The nearest row of the open blocks; its block is left at its next matching row, or closed.
    fn take(&mut self, budget: &mut Budget) -> Option<Hit> {
        let mut nearest = self.heap.peek_mut()?;
        let slot = nearest.0.1;
        let open = self.open[slot].as_mut()?;
        let hit = Hit { day: self.day, segment: open.segment, row: open.ready.pop_front()? };
        budget.spend(1);
        if open.ready.is_empty() {
            let view = &self.snapshot.days[self.day].1[hit.segment];
            let since = self.first_rows[hit.segment];
            let seen = open.read_on(view, &self.filters[hit.segment], self.order, since);
            self.rows_scanned += seen;
            budget.spend(seen);
        }
        if let Some(key) = open.key(self.order) {
            nearest.0.0 = key;
        } else {
            self.open[slot] = None;
            PeekMut::pop(nearest);
        }
        Some(hit)
    }

    /// Passes over up to `count` lines; returns how many. Fewer than `count` are the last ones, or the budget is spent.
    /// Blocks that nothing overlaps are passed over whole.
    pub fn skip(&mut self, count: u64, budget: &mut Budget) -> u64 {
        let mut skipped = 0;
        while skipped < count && !budget.is_spent() {
            match self.skip_block(count - skipped, budget) {
                Some(lines) => skipped += lines,
                None if matches!(self.next_hit(budget), Found::Hit(_)) => skipped += 1,
                None => break,
            }
        }
        skipped
    }

    /// Passes over the next block when it is not begun, overlaps no other and its matches are known to be at most `most`.
    fn skip_block(&mut self, most: u64, budget: &mut Budget) -> Option<u64> {
        if !self.heap.is_empty() || self.since.is_some() || !self.filter.text.is_empty() {
            return None;
        }
        while self.waiting.is_empty() {
            if budget.is_spent() || !self.enter_next_day(budget) {
                return None;
            }
        }
        let next = self.waiting.front()?;
        if self.waiting.get(1).is_some_and(|second| second.least.ts <= next.last_ts) {
            return None;
        }
        let lines = self.filters[next.segment].known_counts(&next.block)?.iter().sum();
        if lines > most {
            return None;
        }
        // Only what was passed over is paid for, so that each step, however short, comes further.
        budget.spend(1 + next.block.counts().component_count() as u64);
        self.waiting.pop_front();
        Some(lines)
    }

    fn enter_next_day(&mut self, budget: &mut Budget) -> bool {
        let days = self.snapshot.days.len();
        if self.next_day >= days {
            return false;
        }
        if self.next_day > 0 {
            self.snapshot.days[self.day].1.iter_mut().for_each(SegmentView::give_back);
        }
        self.day = match self.order {
            Order::Ascending => self.next_day,
            Order::Descending => days - 1 - self.next_day,
        };
        self.next_day += 1;
        let (day, views) = &self.snapshot.days[self.day];
        self.first_rows = views.iter().map(|view| self.since_row(*day, &view.segment)).collect();
        self.filters = views.iter().map(|view| self.filter.in_segment(view)).collect();
        let mut waiting = Vec::new();
        for (segment, view) in
            views.iter().enumerate().filter(|(segment, _)| !self.filters[*segment].is_empty())
        {
            let since = self.first_rows[segment];
            let wanted = |block: &Arc<Block>| {
                block.meta().first_row + block.meta().rows > since && self.filters[segment].may_match(block)
            };
            let blocks = view.blocks_in(self.filter.range).filter(wanted);
            // One that waits takes no memory for what was looked at.
            waiting.extend(blocks.map(|block| self.waiting_block(segment, block.for_reader())));
        }
        waiting.sort_unstable_by_key(|waiting| waiting.least);
        budget.spend(1 + waiting.len() as u64);
        self.waiting = waiting.into();
        self.open.clear();
        true
    }

    fn waiting_block(&self, segment: usize, block: Arc<Block>) -> Waiting {
        let meta = block.meta();
        let number = self.snapshot.days[self.day].1[segment].segment.number();
        let (least, last_ts) = match self.order {
            Order::Ascending => {
                (Key::new(self.order, meta.min_ts, number, meta.first_row), meta.max_ts.as_nanos())
            }
            Order::Descending => {
                let last_row = meta.first_row + meta.rows - 1;
                (Key::new(self.order, meta.max_ts, number, last_row), !meta.min_ts.as_nanos())
            }
        };
        Waiting { least, last_ts, segment, block, candidates: None }
    }

    /// The first row of a segment that is to be sent. A day that was deleted and begun anew has segments with the same
    /// numbers, so a segment is known by itself, its sealed form by the same id.
    fn since_row(&self, day: Day, segment: &Arc<Segment>) -> u32 {
        let days = self.since.as_ref().map_or(&[][..], |since| &since.days);
        let Ok(at) = days.binary_search_by_key(&day, |(day, _)| *day) else { return 0 };
        let known = days[at].1.iter().find(|view| view.segment.id() == segment.id());
        known.map_or(0, |view| view.published.rows)
    }

    /// Opens every block that may hold a line before the nearest one of the open blocks; `false` when the budget was spent
    /// on some of them.
    fn open_reached(&mut self, budget: &mut Budget) -> bool {
        while let Some(next) = self.waiting.front() {
            if self.heap.peek().is_some_and(|Reverse((key, _))| *key < next.least) {
                break;
            }
            if budget.is_spent() {
                return false;
            }
            let Some(next) = self.waiting.pop_front() else { break };
            if let Some(unfinished) = self.open_block(next, budget) {
                self.waiting.push_front(unfinished);
                return false;
            }
        }
        true
    }

    /// Opens a block at its first matching row, if it has one. Gives it back when the budget was spent on a search of its text.
    fn open_block(&mut self, mut next: Waiting, budget: &mut Budget) -> Option<Waiting> {
        let view = &self.snapshot.days[self.day].1[next.segment];
        let rest = view.segment.columns(&next.block, &view.published).rows_in(self.filter.range);
        let is_searched = self.search(&mut next, &rest, budget);
        if !is_searched {
            return Some(next);
        }
        let Waiting { segment, block, candidates, .. } = next;
        if candidates.as_ref().is_some_and(Candidates::is_empty) {
            return None;
        }
        let view = &self.snapshot.days[self.day].1[segment];
        let number = view.segment.number();
        let mut open = Open { segment, number, block, ready: VecDeque::new(), rest, candidates };
        let seen = open.read_on(view, &self.filters[segment], self.order, self.first_rows[segment]);
        self.rows_scanned += seen;
        budget.spend(1 + seen);
        let key = open.key(self.order)?;
        let slot = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if slot == self.open.len() {
            self.open.push(None);
        }
        self.open[slot] = Some(open);
        self.heap.push(Reverse((key, slot)));
        None
    }

    /// Searches the text of a block as a whole, where that is worth it; whether that was all of it.
    fn search(&mut self, next: &mut Waiting, rows: &Range<usize>, budget: &mut Budget) -> bool {
        let (text, segment) = (&self.filter.text, &self.snapshot.days[self.day].1[next.segment].segment);
        let begin = || Candidates::begin(segment, &next.block, rows, &self.filters[next.segment], text);
        let Some(mut candidates) = next.candidates.take().or_else(begin) else { return true };
        let before = candidates.searched_bytes();
        let is_done = candidates.go_on(segment, &next.block, text, budget);
        self.text_bytes_searched += candidates.searched_bytes() - before;
        next.candidates = Some(candidates);
        is_done
    }
}

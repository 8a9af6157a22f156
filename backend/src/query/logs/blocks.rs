//! Walks what may hold matching lines, for counts: segments, then their blocks in order of arrival, without a merge.
//!
//! A finished segment is first offered whole, with the summary that ends its index, and of one that is written to most blocks
//! together. Who can count by that, or by it and a few stretches of time, has the walk pass over all other blocks.

use super::{LineFilter, SegmentFilter};
use crate::query::budget::Budget;
use crate::store::logs::block::{Block, Summary, Sums};
use crate::store::logs::{SegmentView, Snapshot};
use sonde_shared::time::TimeRange;
use std::ops::Range;
use std::sync::Arc;

/// A block and what it takes to read it.
#[derive(Clone, Copy, Debug)]
pub struct BlockAt<'a> {
    /// The segment, counted over all days of the snapshot.
    pub segment: usize,
    /// The segment's view.
    pub view: &'a SegmentView,
    /// What is asked for, in the numbers of the segment.
    pub filter: &'a SegmentFilter,
    /// The block's number in the segment.
    pub number: usize,
    /// The block.
    pub block: &'a Block,
}

/// A segment and what it says of its first blocks: of all, where it is finished.
#[derive(Clone, Copy, Debug)]
pub struct SegmentAt<'a> {
    /// The segment, counted over all days of the snapshot.
    pub segment: usize,
    /// The segment's view.
    pub view: &'a SegmentView,
    /// What is asked for, in the numbers of the segment.
    pub filter: &'a SegmentFilter,
    /// How many lines these blocks have of what.
    pub summary: &'a Summary<'a>,
}

/// What was counted of the blocks that were offered together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing: they are to be walked.
    Nothing,
    /// All that matches. So many numbers were looked at.
    All(u64),
    /// All that matches but for these stretches, in order, none touching another; and how many numbers were looked at.
    AllBut(Vec<TimeRange>, u64),
}

/// How many names tell which numbers a filter asks for.
fn names_to_look_at(filter: &LineFilter, view: &SegmentView) -> u64 {
    let patterns = if filter.patterns.is_empty() { 0 } else { view.published.patterns.len() };
    (view.published.components.len() + patterns) as u64
}

/// A segment that is being walked.
#[derive(Debug)]
struct Inside {
    filter: SegmentFilter,
    /// The stretches of time that are still to be walked, and in which blocks, the last one first; the filter's is that of the
    /// blocks at hand.
    stretches: Vec<(TimeRange, Range<usize>)>,
    /// Blocks that may have lines of the stretch at hand, and the next of them.
    numbers: Vec<usize>,
    next: usize,
    /// The block that was given last.
    block: Option<Arc<Block>>,
}

impl Inside {
    /// The number of the next block that may have matching lines; `None` where there is none or the budget is spent.
    fn find(&mut self, view: &SegmentView, budget: &mut Budget) -> Option<usize> {
        while !budget.is_spent() {
            let Some(number) = self.numbers.get(self.next).copied() else {
                let (stretch, blocks) = self.stretches.pop()?;
                self.filter.narrow(stretch);
                self.numbers = view.published.blocks.numbers_in(stretch);
                self.numbers.retain(|number| blocks.contains(number));
                self.next = 0;
                budget.spend(1 + view.published.blocks.len() as u64 / 8);
                continue;
            };
            self.next += 1;
            let block = view.block(number);
            budget.spend(1 + block.counts().component_count() as u64);
            if self.filter.may_match(&block) {
                self.block = Some(block);
                return Some(number);
            }
        }
        None
    }

    fn is_at_end(&self) -> bool {
        self.next >= self.numbers.len() && self.stretches.is_empty()
    }
}

/// The blocks of a snapshot that may hold matching lines. Keeps its place between two steps.
#[derive(Debug)]
pub struct BlockWalk {
    views: Vec<SegmentView>,
    filter: LineFilter,
    segment: usize,
    inside: Option<Inside>,
}

impl BlockWalk {
    /// A walk over a snapshot.
    pub fn new(snapshot: &Snapshot, filter: LineFilter) -> Self {
        let views = snapshot.days.iter().flat_map(|(_, views)| views).cloned().collect();
        Self { views, filter, segment: 0, inside: None }
    }

    /// What is asked for.
    pub fn filter(&self) -> &LineFilter {
        &self.filter
    }

    /// Whether every block was walked.
    pub fn is_at_end(&self) -> bool {
        self.segment >= self.views.len()
    }

    /// The next block; `None` at the end, or when the budget is spent.
    pub fn next(&mut self, budget: &mut Budget) -> Option<BlockAt<'_>> {
        self.next_but(budget, |_| Taken::Nothing)
    }

    /// The same, but for what `take` counts of segments' first blocks, which it is offered together before.
    pub fn next_but(
        &mut self,
        budget: &mut Budget,
        mut take: impl FnMut(&SegmentAt<'_>) -> Taken,
    ) -> Option<BlockAt<'_>> {
        let number = loop {
            if budget.is_spent() {
                return None;
            }
            let view = self.views.get(self.segment)?;
            if self.inside.is_none() {
                self.inside = Some(enter(&self.filter, view, self.segment, budget, &mut take));
            }
            let inside = self.inside.as_mut()?;
            if let Some(number) = inside.find(view, budget) {
                break number;
            }
            if inside.is_at_end() {
                self.segment += 1;
                self.inside = None;
            }
        };
        let (view, inside) = (&self.views[self.segment], self.inside.as_ref()?);
        let block = inside.block.as_deref()?;
        Some(BlockAt { segment: self.segment, view, filter: &inside.filter, number, block })
    }

    /// Lets [`BlockWalk::next`] give the last block once more.
    pub fn again(&mut self) {
        if let Some(inside) = &mut self.inside {
            inside.next = inside.next.saturating_sub(1);
        }
    }

    /// The view of a segment, by its number in [`BlockAt`].
    pub fn view(&self, segment: usize) -> &SegmentView {
        &self.views[segment]
    }
}

/// Begins a segment: what `take` leaves of it is to be walked.
fn enter(
    filter: &LineFilter,
    view: &SegmentView,
    segment: usize,
    budget: &mut Budget,
    take: &mut impl FnMut(&SegmentAt<'_>) -> Taken,
) -> Inside {
    let range = filter.range;
    budget.spend(1 + names_to_look_at(filter, view));
    let filter = filter.in_segment(view);
    let mut stretches = Vec::new();
    if !filter.is_empty() {
        let blocks = view.published.blocks.len();
        let sums = view.published.blocks.sums();
        let summary = sums.as_ref().and_then(Sums::summary);
        let (taken, summed) = summary.as_ref().map_or((Taken::Nothing, 0), |(summary, summed)| {
            (take(&SegmentAt { segment, view, filter: &filter, summary }), *summed)
        });
        if taken == Taken::Nothing {
            stretches.push((range, 0..blocks));
        } else if summed < blocks {
            stretches.push((range, summed..blocks));
        }
        match taken {
            Taken::Nothing => {}
            Taken::All(seen) => budget.spend(seen),
            Taken::AllBut(rest, seen) => {
                budget.spend(seen);
                stretches.extend(rest.into_iter().rev().map(|stretch| (stretch, 0..summed)));
            }
        }
    }
    Inside { filter, stretches, numbers: Vec::new(), next: 0, block: None }
}

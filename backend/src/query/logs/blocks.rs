//! Walks the blocks that may hold matching lines, for counts: in order of arrival, without a merge.

use super::{LineFilter, SegmentFilter};
use crate::query::budget::Budget;
use crate::store::logs::block::Block;
use crate::store::logs::{SegmentView, Snapshot};

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

/// How many names tell which numbers a filter asks for.
fn names_to_look_at(filter: &LineFilter, view: &SegmentView) -> u64 {
    let patterns = if filter.patterns.is_empty() { 0 } else { view.published.patterns.len() };
    (view.published.components.len() + patterns) as u64
}

/// The blocks of a snapshot that may hold matching lines. Keeps its place between two steps.
#[derive(Debug)]
pub struct BlockWalk {
    views: Vec<SegmentView>,
    filter: LineFilter,
    segment: usize,
    /// The segment's filter, and its next block.
    inside: Option<(SegmentFilter, usize)>,
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
        let at = self.find(budget)?;
        let (filter, _) = self.inside.as_ref()?;
        let view = &self.views[self.segment];
        Some(BlockAt { segment: self.segment, view, filter, number: at, block: &view.published.blocks[at] })
    }

    /// Lets [`BlockWalk::next`] give the last block once more.
    pub fn again(&mut self) {
        if let Some((_, next)) = &mut self.inside {
            *next = next.saturating_sub(1);
        }
    }

    /// The view of a segment, by its number in [`BlockAt`].
    pub fn view(&self, segment: usize) -> &SegmentView {
        &self.views[segment]
    }

    /// The number of the next block in the segment that it is in.
    fn find(&mut self, budget: &mut Budget) -> Option<usize> {
        while !budget.is_spent() {
            let view = self.views.get(self.segment)?;
            let (filter, next) = self.inside.get_or_insert_with(|| {
                budget.spend(names_to_look_at(&self.filter, view));
                (self.filter.in_segment(view), 0)
            });
            let Some(block) = view.published.blocks.get(*next).filter(|_| !filter.is_empty()) else {
                self.segment += 1;
                self.inside = None;
                continue;
            };
            *next += 1;
            budget.spend(1);
            if !block.meta().overlaps(self.filter.range) {
                continue;
            }
            budget.spend(block.counts().component_count() as u64);
            if filter.may_match(block) {
                return Some(*next - 1);
            }
        }
        None
    }
}

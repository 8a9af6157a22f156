//! The components and hosts that have lines in a range, with their volumes.

use super::budget::Budget;
use super::logs::{BlockAt, BlockWalk, LineFilter, SegmentAt, Taken};
use crate::store::logs::block::Counts;
use crate::store::logs::dictionary::NameList;
use crate::store::logs::{Counters, SegmentView, Snapshot};
use sonde_shared::api::{ComponentCount, Components, HostCount};
use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Counts the lines of each component and host, step by step.
#[derive(Debug)]
pub struct ComponentCounts {
    blocks: BlockWalk,
    sums: Sums,
}

/// The counts of the segments before, by name, and those of the segment at hand.
#[derive(Debug, Default)]
struct Sums {
    segment: Option<SegmentTally>,
    /// Lines, and those of them that are errors.
    components: BTreeMap<String, (u64, u64)>,
    hosts: BTreeMap<String, u64>,
}

/// The counts of one segment, by its numbers.
#[derive(Debug)]
struct SegmentTally {
    segment: usize,
    names: (NameList, NameList),
    components: Vec<(u64, u64)>,
    hosts: Vec<u64>,
}

impl ComponentCounts {
    /// A count over a range that has not begun.
    pub fn new(snapshot: &Snapshot, range: TimeRange) -> Self {
        Self { blocks: BlockWalk::new(snapshot, LineFilter::all(range)), sums: Sums::default() }
    }

    /// Goes on counting; whether it is done. Reads mapped files: not for async threads.
    pub fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        let range = self.blocks.filter().range;
        let sums = &mut self.sums;
        while let Some(at) = self.blocks.next_but(budget, |at| sums.add_segment(at)) {
            let rows = sums.enter(at.segment, at.view).add_block(&at, range);
            budget.spend(rows);
            counters.rows_scanned.fetch_add(rows, Ordering::Relaxed);
        }
        self.blocks.is_at_end()
    }

    /// The answer, when the last step is done.
    pub fn finish(self) -> Components {
        let mut sums = self.sums;
        sums.leave();
        let component =
            |(path, (lines, errors)): (String, (u64, u64))| ComponentCount { path, lines, errors };
        Components {
            components: sums.components.into_iter().map(component).collect(),
            hosts: sums.hosts.into_iter().map(|(name, lines)| HostCount { name, lines }).collect(),
        }
    }
}

impl Sums {
    fn leave(&mut self) {
        if let Some(before) = self.segment.take() {
            before.add_to(&mut self.components, &mut self.hosts);
        }
    }

    fn enter(&mut self, segment: usize, view: &SegmentView) -> &mut SegmentTally {
        if self.segment.as_ref().is_none_or(|tally| tally.segment != segment) {
            self.leave();
        }
        self.segment.get_or_insert_with(|| SegmentTally::new(segment, view))
    }

    fn add_segment(&mut self, at: &SegmentAt<'_>) -> Taken {
        if !at.filter.holds_all_of(at.view) {
            return Taken::Nothing;
        }
        let tally = self.enter(at.segment, at.view);
        tally.add_components(at.summary.components());
        at.summary.all().hosts().for_each(|(host, lines)| tally.add_host(host, lines));
        Taken::All(at.summary.components().cell_count() as u64)
    }
}

impl SegmentTally {
    fn new(segment: usize, view: &SegmentView) -> Self {
        let names = (view.published.components.clone(), view.published.hosts.clone());
        let (components, hosts) = (vec![(0, 0); names.0.len()], vec![0; names.1.len()]);
        Self { segment, names, components, hosts }
    }

    /// Adds a block's lines; returns how many rows it looked at one by one.
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64 {
        if at.block.meta().lies_within(range) {
            self.add_whole(&at.block.counts());
            return 0;
        }
        let columns = at.view.segment.columns(at.block, &at.view.published);
        let rows = columns.rows_in(range);
        let seen = rows.len() as u64;
        for row in rows.filter(|row| at.filter.matches(&columns, *row)) {
            let errors = u64::from(columns.level(row) >= Level::Error);
            self.add_component(columns.component(row), 1, errors);
            self.add_host(columns.host(row), 1);
        }
        seen
    }

    fn add_whole(&mut self, counts: &Counts<'_>) {
        self.add_components(counts);
        counts.hosts().for_each(|(host, lines)| self.add_host(host, lines));
    }

    fn add_components(&mut self, counts: &Counts<'_>) {
        counts.each_component(|component, levels| {
            let errors = levels[Level::Error as usize..].iter().sum();
            self.add_component(component, levels.iter().sum(), errors);
        });
    }

    fn add_component(&mut self, number: u16, lines: u64, errors: u64) {
        if let Some(count) = self.components.get_mut(usize::from(number)) {
            *count = (count.0 + lines, count.1 + errors);
        }
    }

    fn add_host(&mut self, number: u16, lines: u64) {
        if let Some(count) = self.hosts.get_mut(usize::from(number)) {
            *count += lines;
        }
    }

    fn add_to(self, components: &mut BTreeMap<String, (u64, u64)>, hosts: &mut BTreeMap<String, u64>) {
        let counted = self.names.0.iter().zip(self.components).filter(|(_, count)| count.0 > 0);
        for (name, count) in counted {
            match components.get_mut(name) {
                Some(sum) => *sum = (sum.0 + count.0, sum.1 + count.1),
                None => drop(components.insert(name.to_owned(), count)),
            }
        }
        let counted = self.names.1.iter().zip(self.hosts);
        for (name, lines) in counted.filter(|(name, lines)| *lines > 0 && !name.is_empty()) {
            *hosts.entry(name.to_owned()).or_default() += lines;
        }
    }
}

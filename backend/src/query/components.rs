//! The components and hosts that have lines in a range, with their volumes.

use super::budget::Budget;
use super::density::Density;
use super::logs::{BlockAt, BlockWalk, LineFilter, SegmentAt, Taken};
use crate::store::logs::block::{ComponentCells, Counts};
use crate::store::logs::dictionary::NameList;
use crate::store::logs::{Counters, SegmentView, Snapshot};
use sonde_shared::api::{ComponentCount, Components, HostCount};
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Counts the lines of each component and host, step by step; where it is asked for, those of each component by bucket of time too.
#[derive(Debug)]
pub struct ComponentCounts {
    blocks: BlockWalk,
    sums: Sums,
}

/// The counts of the segments before, by name, and those of the segment at hand.
#[derive(Debug, Default)]
struct Sums {
    segment: Option<SegmentTally>,
    density: Option<Density>,
    components: BTreeMap<String, Volume>,
    hosts: BTreeMap<String, u64>,
}

/// Lines, those of them that are errors, and lines by bucket where these are asked for.
#[derive(Clone, Debug, Default)]
struct Volume {
    lines: u64,
    errors: u64,
    density: Vec<u64>,
}

/// The counts of one segment, by its numbers.
#[derive(Debug)]
struct SegmentTally {
    segment: usize,
    names: (NameList, NameList),
    components: Vec<(u64, u64)>,
    density: Option<Density>,
    /// Lines by component and bucket, all of one component together.
    by_bucket: Vec<u32>,
    hosts: Vec<u64>,
}

impl ComponentCounts {
    /// A count over a range that has not begun.
    pub fn new(snapshot: &Snapshot, range: TimeRange, density: Option<Density>) -> Self {
        let sums = Sums { density, ..Sums::default() };
        Self { blocks: BlockWalk::new(snapshot, LineFilter::all(range)), sums }
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
        let component = |(path, volume): (String, Volume)| {
            let Volume { lines, errors, density } = volume;
            ComponentCount { path, lines, errors, density }
        };
        Components {
            components: sums.components.into_iter().map(component).collect(),
            buckets: sums.density.map(|density| density.told()),
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
        let density = self.density;
        self.segment.get_or_insert_with(|| SegmentTally::new(segment, view, density))
    }

    fn add_segment(&mut self, at: &SegmentAt<'_>) -> Taken {
        if !at.filter.holds_all_of(at.view) {
            return Taken::Nothing;
        }
        let counts = match self.density {
            None => Some(at.summary.components()),
            // The widest slots that lie in one bucket each: they are the fewest.
            Some(density) => at.summary.by_component().iter().rev().find(|counts| density.has_whole(counts)),
        };
        let Some(counts) = counts else { return Taken::Nothing };
        let tally = self.enter(at.segment, at.view);
        tally.add_components(counts);
        at.summary.all().hosts().for_each(|(host, lines)| tally.add_host(host, lines));
        Taken::All(counts.cell_count() as u64)
    }
}

impl SegmentTally {
    fn new(segment: usize, view: &SegmentView, density: Option<Density>) -> Self {
        let names = (view.published.components.clone(), view.published.hosts.clone());
        let (components, hosts) = (vec![(0, 0); names.0.len()], vec![0; names.1.len()]);
        let by_bucket = vec![0; names.0.len() * density.map_or(0, |density| density.count())];
        Self { segment, names, components, density, by_bucket, hosts }
    }

    /// Adds a block's lines; returns how many rows it looked at one by one.
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64 {
        let counts = at.block.counts();
        let is_told = self.density.is_none_or(|density| density.has_whole(&counts));
        if is_told && at.block.meta().lies_within(range) {
            self.add_components(&counts);
            counts.hosts().for_each(|(host, lines)| self.add_host(host, lines));
            return 0;
        }
        let columns = at.view.segment.columns(at.block, &at.view.published);
        let rows = columns.rows_in(range);
        let seen = rows.len() as u64;
        for row in rows.filter(|row| at.filter.matches(&columns, *row)) {
            let errors = u64::from(columns.level(row) >= Level::Error);
            self.add_component(columns.component(row), 1, errors);
            self.add_to_bucket(columns.component(row), columns.ts(row), 1);
            self.add_host(columns.host(row), 1);
        }
        seen
    }

    /// Adds counts, of which every slot lies in one bucket.
    fn add_components(&mut self, counts: &Counts<'_>) {
        counts.each_component(|component, levels| {
            let errors = levels[Level::Error as usize..].iter().sum();
            self.add_component(component, levels.iter().sum(), errors);
        });
        if self.density.is_some() {
            for ComponentCells { component, cells } in counts.components() {
                for cell in cells.map(|at| counts.cell(at)) {
                    self.add_to_bucket(component, cell.from, cell.lines);
                }
            }
        }
    }

    fn add_to_bucket(&mut self, number: u16, at: Timestamp, lines: u32) {
        let Some(density) = self.density else { return };
        let Some(bucket) = density.bucket(at) else { return };
        if let Some(sum) = self.by_bucket.get_mut(usize::from(number) * density.count() + bucket) {
            *sum = sum.saturating_add(lines);
        }
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

    fn add_to(self, components: &mut BTreeMap<String, Volume>, hosts: &mut BTreeMap<String, u64>) {
        let buckets = self.density.map_or(0, |density| density.count());
        let counted = self.names.0.iter().zip(self.components).enumerate();
        for (number, (name, (lines, errors))) in counted.filter(|(_, (_, count))| count.0 > 0) {
            // A name is copied once, not for each segment.
            if !components.contains_key(name) {
                let volume = Volume { density: vec![0; buckets], ..Volume::default() };
                components.insert(name.to_owned(), volume);
            }
            let Some(sum) = components.get_mut(name) else { continue };
            sum.lines += lines;
            sum.errors += errors;
            let of_name = &self.by_bucket[number * buckets..(number + 1) * buckets];
            sum.density.iter_mut().zip(of_name).for_each(|(sum, lines)| *sum += u64::from(*lines));
        }
        let counted = self.names.1.iter().zip(self.hosts);
        for (name, lines) in counted.filter(|(name, lines)| *lines > 0 && !name.is_empty()) {
            *hosts.entry(name.to_owned()).or_default() += lines;
        }
    }
}

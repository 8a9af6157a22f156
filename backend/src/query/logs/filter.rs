//! Which lines a query asks for, and the same in the numbers of one segment.

use super::TextFilter;
use crate::patterns::{PatternId, pattern_id};
use crate::store::logs::SegmentView;
use crate::store::logs::block::{Block, Cell, Columns, Counts, Kind, Summary};
use crate::store::logs::dictionary::NameList;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_shared::view::Order;
use std::collections::BTreeSet;
use std::ops::Range;

/// What a query asks for. Every part must hold; a list holds when one of its entries does, an empty one always.
#[derive(Clone, Debug)]
pub struct LineFilter {
    /// When.
    pub range: TimeRange,
    /// Components, each with all below it.
    pub components: Vec<Selector>,
    /// Hosts, by their exact names.
    pub hosts: BTreeSet<String>,
    /// This level and worse.
    pub level: Option<Level>,
    /// Patterns of messages.
    pub patterns: BTreeSet<PatternId>,
    /// Lines that are left out, although they match otherwise.
    pub without: Without,
    /// What the text must be like; the only part that reads it.
    pub text: TextFilter,
}

/// Lines that are not wanted; one match is enough to be left out.
#[derive(Clone, Debug, Default)]
pub struct Without {
    /// Those of these components and all below them.
    pub components: Vec<Selector>,
    /// Those of these hosts.
    pub hosts: BTreeSet<String>,
    /// Those of exactly these levels.
    pub levels: BTreeSet<Level>,
    /// Those of these patterns.
    pub patterns: BTreeSet<PatternId>,
}

impl LineFilter {
    /// All lines of a range.
    pub fn all(range: TimeRange) -> Self {
        Self {
            range,
            components: Vec::new(),
            hosts: BTreeSet::new(),
            level: None,
            patterns: BTreeSet::new(),
            without: Without::default(),
            text: TextFilter::default(),
        }
    }

    /// The same, in the numbers of a segment. Of one that holds nothing of the range the names are not looked at.
    pub fn in_segment(&self, view: &SegmentView) -> SegmentFilter {
        let published = &view.published;
        let overlaps = |(min, max): (Timestamp, Timestamp)| min < self.range.until && self.range.from <= max;
        if !published.times().is_some_and(overlaps) {
            let components = Some(NumberSet { bits: Box::default() });
            return SegmentFilter {
                range: self.range,
                components,
                hosts: None,
                patterns: None,
                level: Level::Trace,
                without_levels: 0,
            };
        }
        let Without { levels, .. } = &self.without;
        SegmentFilter {
            range: self.range,
            components: self.component_numbers(&published.components),
            hosts: self.host_numbers(&published.hosts),
            patterns: self.pattern_numbers(&published.patterns),
            level: self.level.unwrap_or(Level::Trace),
            without_levels: levels.iter().fold(0, |bits, level| bits | 1 << *level as u8),
        }
    }

    fn component_numbers(&self, names: &NameList) -> Option<NumberSet> {
        let (wanted, not) = (&self.components, &self.without.components);
        let is_of =
            |selectors: &[Selector], name: &str| selectors.iter().any(|selector| selector.matches(name));
        let takes = |name: &str| (wanted.is_empty() || is_of(wanted, name)) && !is_of(not, name);
        (!wanted.is_empty() || !not.is_empty()).then(|| NumberSet::of(&names.clone(), takes))
    }

    fn host_numbers(&self, names: &NameList) -> Option<NumberSet> {
        let (wanted, not) = (&self.hosts, &self.without.hosts);
        let takes = |name: &str| (wanted.is_empty() || wanted.contains(name)) && !not.contains(name);
        (!wanted.is_empty() || !not.is_empty()).then(|| NumberSet::of(&names.clone(), takes))
    }

    fn pattern_numbers(&self, templates: &NameList) -> Option<NumberSet> {
        let (wanted, not) = (&self.patterns, &self.without.patterns);
        let takes = |template: &str| {
            let id = pattern_id(template.as_bytes());
            (wanted.is_empty() || wanted.contains(&id)) && !not.contains(&id)
        };
        (!wanted.is_empty() || !not.is_empty()).then(|| NumberSet::of(&templates.clone(), takes))
    }
}

/// Numbers of a dictionary, as bits.
#[derive(Clone, Debug)]
struct NumberSet {
    bits: Box<[u64]>,
}

impl NumberSet {
    /// The names are the caller's own, who gives them back.
    fn of(names: &NameList, wanted: impl Fn(&str) -> bool) -> Self {
        let mut bits = vec![0_u64; names.len().div_ceil(64)];
        for (number, name) in names.iter().enumerate() {
            if wanted(name) {
                bits[number / 64] |= 1 << (number % 64);
            }
        }
        Self { bits: bits.into() }
    }

    fn has(&self, number: u16) -> bool {
        let number = usize::from(number);
        self.bits.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Whether one of the numbers that lines are counted for is in the set.
    fn has_some(&self, mut counts: impl Iterator<Item = (u16, u64)>) -> bool {
        counts.any(|(number, _)| self.has(number))
    }

    /// Whether all of them are.
    fn has_all(&self, mut counts: impl Iterator<Item = (u16, u64)>) -> bool {
        counts.all(|(number, _)| self.has(number))
    }

    fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }
}

/// A filter whose names are numbers: it holds or not by columns alone.
#[derive(Clone, Debug)]
pub struct SegmentFilter {
    range: TimeRange,
    components: Option<NumberSet>,
    hosts: Option<NumberSet>,
    patterns: Option<NumberSet>,
    level: Level,
    /// A bit for each level that is left out.
    without_levels: u8,
}

impl SegmentFilter {
    /// Whether no line of the segment can match.
    pub fn is_empty(&self) -> bool {
        self.components.as_ref().is_some_and(NumberSet::is_empty)
            || self.hosts.as_ref().is_some_and(NumberSet::is_empty)
            || self.patterns.as_ref().is_some_and(NumberSet::is_empty)
    }

    /// From now on asks for a part of its range alone.
    pub(super) fn narrow(&mut self, part: TimeRange) {
        self.range = part;
    }

    /// What its lines' times are asked to be.
    pub fn range(&self) -> TimeRange {
        self.range
    }

    /// Whether the whole segment lies in the range.
    pub fn holds_all_of(&self, view: &SegmentView) -> bool {
        view.published.times().is_none_or(|(min, max)| self.range.from <= min && max < self.range.until)
    }

    /// Whether components are asked for.
    pub fn is_of_components(&self) -> bool {
        self.components.is_some()
    }

    /// Whether it asks for nothing but a time.
    pub fn is_of_times(&self) -> bool {
        self.is_of_cells() && self.components.is_none() && self.level == Level::Trace
    }

    /// Kinds of lines that tell apart what is asked for, and hosts or patterns where these are to be counted.
    pub fn kinds(
        &self,
        summary: &Summary<'_>,
        by_host: bool,
        by_pattern: bool,
    ) -> Option<impl ExactSizeIterator<Item = Kind>> {
        summary.kinds(by_host || self.hosts.is_some(), by_pattern || self.patterns.is_some())
    }

    /// Whether lines of a kind match.
    pub fn takes(&self, kind: &Kind) -> bool {
        self.takes_level(kind.level)
            && self.wants(kind.component)
            && self.hosts.as_ref().is_none_or(|set| set.has(kind.host))
            && self.patterns.as_ref().is_none_or(|set| set.has(kind.pattern))
    }

    /// Whether a row that lies in the range matches.
    pub fn matches(&self, columns: &Columns<'_>, row: usize) -> bool {
        (self.takes_all_levels() || self.takes_level(columns.level(row))) && self.matches_names(columns, row)
    }

    fn takes_all_levels(&self) -> bool {
        self.level == Level::Trace && self.without_levels == 0
    }

    fn takes_level(&self, level: Level) -> bool {
        level >= self.level && self.without_levels >> (level as u8) & 1 == 0
    }

    /// Takes rows away up to the first that matches, or the last where they are walked backwards.
    pub fn next_match(&self, columns: &Columns<'_>, rows: &mut Range<usize>, order: Order) -> Option<usize> {
        if order == Order::Descending {
            return rows.rfind(|row| self.matches(columns, *row));
        }
        let found = self.first_match(columns, rows.clone());
        rows.start = found.map_or(rows.end, |row| row + 1);
        found
    }

    /// The first of some rows that matches. Levels, which leave out most, are looked at first.
    fn first_match(&self, columns: &Columns<'_>, mut rows: Range<usize>) -> Option<usize> {
        if self.level == Level::Trace || self.without_levels != 0 {
            return rows.find(|row| self.matches(columns, *row));
        }
        loop {
            let row = columns.first_of_level(rows.clone(), self.level)?;
            if self.matches_names(columns, row) {
                return Some(row);
            }
            rows.start = row + 1;
        }
    }

    #[inline]
    fn matches_names(&self, columns: &Columns<'_>, row: usize) -> bool {
        self.components.as_ref().is_none_or(|set| set.has(columns.component(row)))
            && self.hosts.as_ref().is_none_or(|set| set.has(columns.host(row)))
            && self.patterns.as_ref().is_none_or(|set| set.has(columns.pattern(row)))
    }

    /// Whether the block may hold a matching line, by what is known without its columns.
    pub fn may_match(&self, block: &Block) -> bool {
        if !block.meta().overlaps(self.range) {
            return false;
        }
        // Of a day there are a thousand blocks, and what they count need not be looked at.
        if self.is_of_times() {
            return true;
        }
        let counts = block.counts();
        self.wanted_cells(&counts).any(|cells| counts.has_level(cells, self.level))
            && self.hosts.as_ref().is_none_or(|set| set.has_some(counts.hosts()))
            && self.patterns.as_ref().is_none_or(|set| set.has_some(counts.patterns()))
    }

    /// Whether every line of the block matches, as far as that is known without its columns.
    pub fn takes_all(&self, block: &Block) -> bool {
        if !block.meta().lies_within(self.range) {
            return false;
        }
        if self.is_of_times() {
            return true;
        }
        let counts = block.counts();
        let is_level = |cells: Range<usize>| {
            self.takes_all_levels() || cells.into_iter().all(|at| self.takes_level(counts.cell(at).level))
        };
        counts.components().all(|lines| self.wants(lines.component) && is_level(lines.cells))
            && self.hosts.as_ref().is_none_or(|set| set.has_all(counts.hosts()))
            && self.patterns.as_ref().is_none_or(|set| set.has_all(counts.patterns()))
    }

    /// Matching lines by level, where that is known without columns: the block lies in the range, and the cells of its counts
    /// tell what matches.
    pub fn known_counts(&self, block: &Block) -> Option<[u64; Level::COUNT]> {
        if !self.is_of_cells() || !block.meta().lies_within(self.range) {
            return None;
        }
        let (counts, mut sums) = (block.counts(), [0; Level::COUNT]);
        for cells in self.wanted_cells(&counts) {
            let asked = sums.iter_mut().zip(counts.by_level(cells)).skip(self.level as usize);
            asked.for_each(|(sum, lines)| *sum += lines);
        }
        Some(sums)
    }

    /// Whether cells of counts tell what matches: neither hosts nor patterns are asked for, and no single level is left out.
    pub fn is_of_cells(&self) -> bool {
        self.hosts.is_none() && self.patterns.is_none() && self.without_levels == 0
    }

    /// The cells whose lines match by component and level, whatever their hosts, patterns and times.
    pub fn cells<'a>(&'a self, counts: &'a Counts<'_>) -> impl Iterator<Item = Cell> {
        let cells = self.wanted_cells(counts).flatten().map(|at| counts.cell(at));
        cells.filter(|cell| cell.level >= self.level)
    }

    /// Adds the lines that match by component and level to sums by slot and level, the first slot's first.
    pub fn add_by_slot(&self, counts: &Counts<'_>, first: i64, sums: &mut [[u64; Level::COUNT]]) {
        if self.components.is_none() {
            return counts.add_by_slot(0..counts.cell_count(), self.level, first, sums);
        }
        for cells in self.wanted_cells(counts) {
            counts.add_by_slot(cells, self.level, first, sums);
        }
    }

    /// How many lines of a segment match that lies in the range, as far as that is known without its blocks; and how many
    /// numbers were looked at.
    pub fn known_of_all(&self, summary: &Summary<'_>) -> Option<(u64, u64)> {
        if self.is_of_cells() {
            let counts = if self.components.is_none() { summary.all() } else { summary.components() };
            let lines = self.cells(counts).map(|cell| u64::from(cell.lines)).sum();
            return Some((lines, counts.cell_count() as u64));
        }
        let kinds = self.kinds(summary, false, false)?;
        let seen = kinds.len() as u64;
        Some((kinds.filter(|kind| self.takes(kind)).map(|kind| kind.lines).sum(), seen))
    }

    fn wanted_cells(&self, counts: &Counts<'_>) -> impl Iterator<Item = Range<usize>> {
        counts.components().filter(|lines| self.wants(lines.component)).map(|lines| lines.cells)
    }

    fn wants(&self, component: u16) -> bool {
        self.components.as_ref().is_none_or(|set| set.has(component))
    }
}

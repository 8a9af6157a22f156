//! Which components, hosts and levels the matching lines have, and how often.

use super::logs::{BlockAt, LineFilter, SegmentAt, Taken};
use super::names::NameCounts;
use super::tally::{Count, Tally};
use crate::store::StoreError;
use crate::store::logs::block::{Columns, Counts, Kind};
use crate::store::logs::{SegmentView, Snapshot};
use sonde_shared::api::{FacetCount, Facets, FacetsLeftOut};
use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;

/// Counts of a query's matches by component, host and level.
#[derive(Debug, Default)]
pub struct FacetTally {
    segment: Option<usize>,
    components: NameCounts,
    hosts: NameCounts,
    levels: [u64; Level::COUNT],
}

/// A count of facets that has not begun.
pub fn count_facets(snapshot: &Snapshot, filter: LineFilter) -> Count<FacetTally> {
    Count::new(snapshot, filter, FacetTally::default())
}

impl Tally for FacetTally {
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64 {
        self.enter(at.segment, at.view);
        if at.filter.takes_all(at.block) {
            self.add_whole(&at.block.counts());
            return 0;
        }
        let columns = at.view.segment.columns(at.block, &at.view.published);
        let rows = columns.rows_in(range);
        let seen = rows.len() as u64;
        rows.filter(|row| at.filter.matches(&columns, *row)).for_each(|row| self.add_row(&columns, row));
        seen
    }

    fn add_segment(&mut self, at: &SegmentAt<'_>) -> Taken {
        if !at.filter.holds_all_of(at.view) {
            return Taken::Nothing;
        }
        if at.filter.is_of_times() {
            self.enter(at.segment, at.view);
            let components = at.summary.components();
            components.lines_by_component(|component, lines| self.components.add(component, lines));
            // Of all components together there are few counts.
            self.add_levels(at.summary.all().by_level(0..at.summary.all().cell_count()));
            at.summary.all().hosts().for_each(|(host, lines)| self.hosts.add(host, lines));
            return Taken::All(components.cell_count() as u64);
        }
        let Some(kinds) = at.filter.kinds(at.summary, true, false) else { return Taken::Nothing };
        self.enter(at.segment, at.view);
        let seen = kinds.len() as u64;
        kinds.filter(|kind| at.filter.takes(kind)).for_each(|kind| self.add_kind(&kind));
        Taken::All(seen)
    }

    fn add_line(&mut self, at: &BlockAt<'_>, columns: &Columns<'_>, row: usize, _line: &[u8]) {
        self.enter(at.segment, at.view);
        self.add_row(columns, row);
    }
}

impl FacetTally {
    fn enter(&mut self, segment: usize, view: &SegmentView) {
        if self.segment.replace(segment) != Some(segment) {
            self.components.enter(&view.published.components);
            self.hosts.enter(&view.published.hosts);
        }
    }

    fn add_kind(&mut self, kind: &Kind) {
        self.components.add(kind.component, kind.lines);
        self.hosts.add(kind.host, kind.lines);
        self.levels[kind.level as usize] += kind.lines;
    }

    fn add_levels(&mut self, levels: [u64; Level::COUNT]) {
        self.levels.iter_mut().zip(levels).for_each(|(sum, lines)| *sum += lines);
    }

    fn add_whole(&mut self, counts: &Counts<'_>) {
        counts.each_component(|component, levels| {
            self.components.add(component, levels.iter().sum());
            self.add_levels(levels);
        });
        counts.hosts().for_each(|(host, lines)| self.hosts.add(host, lines));
    }

    fn add_row(&mut self, columns: &Columns<'_>, row: usize) {
        self.components.add(columns.component(row), 1);
        self.hosts.add(columns.host(row), 1);
        self.levels[columns.level(row) as usize] += 1;
    }
}

/// The most frequent names, those of equal counts in order, and how many others there are. Lines without a name are in
/// no list.
fn ranked(mut counts: Vec<(&[u8], u64)>, limit: usize) -> (Vec<FacetCount>, u64) {
    counts.retain(|(name, count)| !name.is_empty() && *count > 0);
    let by_rank = |a: &(&[u8], u64), b: &(&[u8], u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
    let left_out = counts.len().saturating_sub(limit) as u64;
    if left_out > 0 {
        // What is left out need not be in order.
        counts.select_nth_unstable_by(limit, by_rank);
        counts.truncate(limit);
    }
    counts.sort_unstable_by(by_rank);
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let facet = |(name, count): (&[u8], u64)| FacetCount { value: text(name), count };
    (counts.into_iter().map(facet).collect(), left_out)
}

impl Count<FacetTally> {
    /// The answer, with at most `limit` values a list, when the last step is done.
    pub fn facets(self, limit: usize) -> Result<Facets, StoreError> {
        let (_, mut tally) = self.finish()?;
        let levels = Level::ALL.map(|level| (level.name().as_bytes(), tally.levels[level as usize]));
        let (components, components_left) = ranked(tally.components.counted(), limit);
        let (hosts, hosts_left) = ranked(tally.hosts.counted(), limit);
        let (levels, _) = ranked(levels.into(), Level::COUNT);
        Ok(Facets {
            total: tally.levels.iter().sum(),
            components,
            hosts,
            levels,
            left_out: FacetsLeftOut { components: components_left, hosts: hosts_left },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::logs::tests::{SHORT, any_filter, any_lines, line, matching, store_all};
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::Ordering;

    fn facets(store: &crate::store::Store, filter: &LineFilter, budget: Budget) -> Facets {
        let snapshot = store.logs().snapshot(filter.range).unwrap();
        let mut count = count_facets(&snapshot, filter.clone());
        while !count.step(&mut budget.clone(), store.logs().counters()) {}
        count.facets(100).unwrap()
    }

    /// Counts of values, sorted as an answer's are.
    fn naive<'a>(values: impl Iterator<Item = &'a str>) -> Vec<FacetCount> {
        let mut list: Vec<FacetCount> = Vec::new();
        for value in values.filter(|value| !value.is_empty()) {
            match list.iter_mut().find(|known| known.value == value) {
                Some(known) => known.count += 1,
                None => list.push(FacetCount { value: value.to_owned(), count: 1 }),
            }
        }
        list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        list
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn facets_are_those_of_a_naive_scan(
            lines in any_lines(),
            filters in prop::collection::vec(any_filter(), 4),
            batch_lines in 1_usize..50,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let store = store_all(dir.path(), &lines, batch_lines);
            for filter in filters.iter().chain([&LineFilter::all(TimeRange::all())]) {
                let found = matching(&lines, filter);
                let answer = facets(&store, filter, SHORT);
                prop_assert_eq!(answer.total, found.len() as u64);
                prop_assert_eq!(answer.components, naive(found.iter().map(|line| line.component)));
                prop_assert_eq!(answer.hosts, naive(found.iter().map(|line| line.host)));
                prop_assert_eq!(answer.levels, naive(found.iter().map(|line| line.level.name())));
            }
        }
    }

    #[test]
    fn blocks_that_match_whole_are_counted_by_their_heads() {
        let lines: Vec<_> = (0..500).map(|number| line(number, (3, number % 5, 1, 2))).collect();
        let dir = tempfile::tempdir().unwrap();
        let store = store_all(dir.path(), &lines, 500);
        let filter = LineFilter {
            level: Some(Level::Info),
            hosts: ["n1".to_owned()].into(),
            ..LineFilter::all(TimeRange::all())
        };
        assert_eq!(facets(&store, &filter, Budget::STEP).total, 500);
        assert_eq!(store.logs().counters().rows_scanned.load(Ordering::Relaxed), 0);
    }
}

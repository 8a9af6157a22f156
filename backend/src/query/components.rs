//! The components and hosts that have lines in a range, with their volumes.

use super::logs::LineFilter;
use crate::store::logs::block::ComponentLines;
use crate::store::logs::{SegmentView, Snapshot};
use sonde_shared::api::{ComponentCount, Components, HostCount};
use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;
use std::collections::BTreeMap;

#[derive(Default)]
struct Tally {
    components: BTreeMap<String, (u64, u64)>,
    hosts: BTreeMap<String, u64>,
}

/// Counts the lines of each component and host. Reads mapped files: not for async threads.
pub fn components(snapshot: &Snapshot, range: TimeRange) -> Components {
    let filter = LineFilter::all(range);
    let mut tally = Tally::default();
    for view in snapshot.days.iter().flat_map(|(_, views)| views) {
        tally.add_segment(view, &filter);
    }
    Components {
        components: tally
            .components
            .into_iter()
            .map(|(path, (lines, errors))| ComponentCount { path, lines, errors })
            .collect(),
        hosts: tally.hosts.into_iter().map(|(name, lines)| HostCount { name, lines }).collect(),
    }
}

impl Tally {
    fn add_segment(&mut self, view: &SegmentView, filter: &LineFilter) {
        let published = &view.published;
        let in_segment = filter.in_segment(view);
        let mut components = vec![(0_u64, 0_u64); published.components.len()];
        let mut hosts = vec![0_u64; published.hosts.len()];
        for block in published.blocks.iter().filter(|block| in_segment.may_match(block)) {
            if block.meta().lies_within(filter.range) {
                block.meta().components.iter().for_each(|lines| add(&mut components, lines));
                block
                    .meta()
                    .hosts
                    .iter()
                    .for_each(|(host, lines)| hosts[usize::from(*host)] += u64::from(*lines));
                continue;
            }
            let columns = view.segment.columns(block, published);
            for row in columns.rows_in(filter.range).filter(|row| in_segment.matches(&columns, *row)) {
                let count = &mut components[usize::from(columns.component(row))];
                count.0 += 1;
                count.1 += u64::from(columns.level(row) >= Level::Error);
                hosts[usize::from(columns.host(row))] += 1;
            }
        }
        for (name, count) in published.components.iter().zip(components).filter(|(_, count)| count.0 > 0) {
            let sum = self.components.entry(name.to_string()).or_default();
            *sum = (sum.0 + count.0, sum.1 + count.1);
        }
        for (name, lines) in
            published.hosts.iter().zip(hosts).filter(|(name, lines)| *lines > 0 && !name.is_empty())
        {
            *self.hosts.entry(name.to_string()).or_default() += lines;
        }
    }
}

fn add(components: &mut [(u64, u64)], lines: &ComponentLines) {
    let count = &mut components[usize::from(lines.component)];
    count.0 += lines.at_least(Level::Trace);
    count.1 += lines.at_least(Level::Error);
}

//! How many lines match, by columns alone.

use super::LineFilter;
use crate::store::logs::Snapshot;
use std::time::Instant;

/// Counts the matches of a snapshot; `None` when the text would have to be read, or it is not done by `deadline`.
pub fn count(snapshot: &Snapshot, filter: &LineFilter, deadline: Option<Instant>) -> Option<u64> {
    if filter.contains.is_some() {
        return None;
    }
    let mut total = 0;
    for view in snapshot.days.iter().flat_map(|(_, views)| views) {
        let segment_filter = filter.in_segment(view);
        if segment_filter.is_empty() {
            continue;
        }
        for block in view.published.blocks.iter().filter(|block| segment_filter.may_match(block)) {
            if let Some(counts) = segment_filter.known_counts(block) {
                total += counts.iter().sum::<u64>();
                continue;
            }
            let columns = view.segment.columns(block, &view.published);
            total +=
                columns.rows_in(filter.range).filter(|row| segment_filter.matches(&columns, *row)).count()
                    as u64;
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return None;
            }
        }
    }
    Some(total)
}

//! Where an instant lies among matching lines: how many come before it in the order that is asked for.

use super::logs::{BlockAt, LineFilter, SegmentAt, Taken, lines_in, take_lines};
use super::tally::{Count, Tally};
use crate::store::StoreError;
use crate::store::logs::SegmentView;
use crate::store::logs::Snapshot;
use crate::store::logs::block::Columns;
use sonde_shared::time::{Day, NANOS_PER_DAY, TimeRange, Timestamp};
use sonde_shared::view::Order;

/// Which line, as answers name it: `day~segment~row`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineId {
    day: Day,
    segment: u32,
    arrival: u32,
}

impl LineId {
    /// Reads `2026-11-20~0003~17`; `None` where a text is no such name.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('~');
        let (day, segment, arrival) = (parts.next()?, parts.next()?, parts.next()?);
        let id =
            Self { day: Day::parse(day)?, segment: segment.parse().ok()?, arrival: arrival.parse().ok()? };
        parts.next().is_none().then_some(id)
    }

    /// The day that has the line.
    pub fn range(self) -> TimeRange {
        let from = self.day.start();
        TimeRange { from, until: from.plus_nanos(NANOS_PER_DAY) }
    }

    /// When the line was, if it is in the snapshot. Reads a column of its segment: not for async threads.
    pub fn time_in(self, snapshot: &Snapshot) -> Option<Timestamp> {
        let views = snapshot.days.iter().flat_map(|(_, views)| views);
        let is_of =
            |view: &&SegmentView| view.segment.day() == self.day && view.segment.number() == self.segment;
        let view = views.into_iter().find(is_of)?;
        (0..view.published.blocks.len()).find_map(|number| {
            let block = view.block(number);
            let columns = view.segment.columns(&block, &view.published);
            let row = (0..columns.len()).find(|row| columns.arrival(*row) == self.arrival)?;
            Some(columns.ts(row))
        })
    }
}

/// Counts lines.
#[derive(Debug, Default)]
pub struct LineTally(u64);

impl Tally for LineTally {
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64 {
        let (lines, seen) = lines_in(at, range);
        self.0 += lines;
        seen
    }

    fn add_segment(&mut self, at: &SegmentAt<'_>) -> Taken {
        take_lines(at, &mut self.0)
    }

    fn add_line(&mut self, _at: &BlockAt<'_>, _columns: &Columns<'_>, _row: usize, _line: &[u8]) {
        self.0 += 1;
    }
}

impl Count<LineTally> {
    /// How many lines there are, when the last step is done.
    pub fn lines(self) -> Result<u64, StoreError> {
        Ok(self.finish()?.1.0)
    }
}

/// A count of the matches that come before an instant, which has not begun.
pub fn count_before(
    snapshot: &Snapshot,
    filter: &LineFilter,
    order: Order,
    at: Timestamp,
) -> Count<LineTally> {
    let (range, _) = split(filter.range, order, at);
    Count::new(snapshot, LineFilter { range, ..filter.clone() }, LineTally::default())
}

/// A range in two: what comes before an instant in an order, and the rest, which begins with the instant itself.
pub fn split(range: TimeRange, order: Order, at: Timestamp) -> (TimeRange, TimeRange) {
    let cut = match order {
        Order::Ascending => at,
        Order::Descending => at.plus_nanos(1),
    };
    let cut = cut.clamp(range.from, range.until);
    let (early, late) =
        (TimeRange { from: range.from, until: cut }, TimeRange { from: cut, until: range.until });
    match order {
        Order::Ascending => (early, late),
        Order::Descending => (late, early),
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::logs::tests::{SHORT, any_filter, any_lines, line, matching, store_all};
    use super::super::logs::{Cursor, LineStream, Reached, StreamOptions};
    use super::*;
    use crate::store::Store;
    use proptest::prelude::*;

    /// How many lines come before an instant, the lines from there on, and how many the stream has counted.
    fn ask(store: &Store, filter: &LineFilter, order: Order, at: Timestamp) -> (u64, Vec<String>, u64) {
        let logs = store.logs();
        let snapshot = logs.snapshot(filter.range).unwrap();
        let mut count = count_before(&snapshot, filter, order, at);
        while !count.step(&mut SHORT.clone(), logs.counters()) {}
        let before = count.lines().unwrap();
        let (_, range) = split(filter.range, order, at);
        let cursor = Cursor::new(snapshot, LineFilter { range, ..filter.clone() }, order);
        let mut stream = LineStream::from_position(cursor, StreamOptions::default(), before);
        let mut out = Vec::new();
        while stream.fill(&mut out, 1 << 20, &mut Budget::STEP.clone(), logs.counters()) != Reached::End {}
        let lines = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
        (before, lines, stream.matched())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_window_begins_at_the_first_line_that_is_not_before_the_instant(
            lines in any_lines(),
            filter in any_filter(),
            secs in -1_i64..21,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let store = store_all(dir.path(), &lines, 20);
            let at = line(0, (secs, 0, 0, 2)).ts;
            let mut found = matching(&lines, &filter);
            found.sort_by_key(|line| line.ts);
            for order in [Order::Ascending, Order::Descending] {
                let first = found.iter().position(|line| match order {
                    Order::Ascending => line.ts >= at,
                    Order::Descending => line.ts <= at,
                });
                let first = first.unwrap_or(found.len());
                let rest: Vec<String> = found[first..].iter().map(|line| line.text.clone()).collect();
                prop_assert_eq!(ask(&store, &filter, order, at), (first as u64, rest, found.len() as u64));
                found.reverse();
            }
        }
    }
}

//! How many lines came: the buckets of the last minute are counted anew at each look, so that lines that are a little late count.

use crate::query::histogram::HistogramCounts;
use crate::query::logs::LineFilter;
use crate::state::AppState;
use crate::store::StoreError;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};

/// Lines may be so late to be in the counts of the next look. Those that are later are in those that are asked for.
const LATE_NANOS: i64 = 60 * NANOS_PER_SEC;

/// What has been counted.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    filter: LineFilter,
    step_nanos: i64,
    until: Timestamp,
}

impl Counted {
    /// Nothing yet.
    pub(super) fn new(filter: LineFilter, step_nanos: i64) -> Self {
        Self { until: filter.range.from, filter, step_nanos }
    }

    /// A count, not begun, of the buckets that may have changed: for the first look all of them; `None` of none. May read files.
    pub(super) fn begin_look(
        &mut self,
        state: &AppState,
        now: Timestamp,
    ) -> Result<Option<HistogramCounts>, StoreError> {
        let range = self.range(now);
        if range.is_empty() {
            return Ok(None);
        }
        self.until = range.until;
        let snapshot = state.store.logs().snapshot(range)?;
        let filter = LineFilter { range, ..self.filter.clone() };
        Ok(Some(HistogramCounts::new(&snapshot, filter, self.step_nanos)))
    }

    fn range(&self, now: Timestamp) -> TimeRange {
        let first = self.until.plus_nanos(-LATE_NANOS).as_nanos().div_euclid(self.step_nanos);
        let from = Timestamp::from_nanos(first.saturating_mul(self.step_nanos));
        let TimeRange { from: least, until: most } = self.filter.range;
        // The second that has begun is counted: its lines have come.
        let until = now.plus_nanos(NANOS_PER_SEC).min(most);
        TimeRange { from: from.max(least).min(until), until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buckets_of_the_last_minute_are_counted_anew() {
        let at = Timestamp::from_secs;
        let filter = LineFilter::all(TimeRange { from: at(1_000), until: at(2_000) });
        let check = |until: i64, now: i64, expected: (i64, i64)| {
            let mut counted = Counted::new(filter.clone(), 30 * NANOS_PER_SEC);
            counted.until = at(until);
            let range = counted.range(at(now));
            assert_eq!((range.from.as_secs(), range.until.as_secs()), expected);
        };
        check(1_000, 1_000, (1_000, 1_001));
        check(1_000, 1_500, (1_000, 1_501));
        check(1_500, 1_510, (1_440, 1_511));
        check(1_999, 3_000, (1_920, 2_000));
        check(1_000, 500, (501, 501));
    }
}

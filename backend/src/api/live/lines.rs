//! The lines that come, in envelopes, as they are stored.

use crate::api::gap;
use crate::query::budget::Budget;
use crate::query::logs::{Cursor, LineFilter, LineStream, Reached, StreamOptions};
use crate::state::AppState;
use crate::store::StoreError;
use std::sync::atomic::Ordering;

/// Lines of more bytes, or that take longer to be found, are not sent at one look.
const MOST_BYTES: usize = 64 << 10;
const MOST_STEPS: usize = 4;

/// What a look has found.
#[derive(Debug, Default)]
pub(super) struct NewLines {
    /// Envelopes, a line each.
    pub(super) envelopes: Vec<u8>,
    /// A notice that lines were deleted before they were sent.
    pub(super) gap: Option<Vec<u8>>,
    /// Whether there were more than are sent.
    pub(super) has_skipped: bool,
}

/// A follower of lines, which begins with those that are stored after it was made.
#[derive(Debug)]
pub(super) struct Lines(LineStream);

impl Lines {
    /// Reads the names of days that nobody has asked for yet: not for async threads.
    pub(super) fn begin(state: &AppState, filter: &LineFilter) -> Result<Self, StoreError> {
        let snapshot = state.store.logs().snapshot(filter.range)?;
        let nothing_yet = Cursor::beyond(&snapshot.clone(), snapshot, filter.clone());
        let options = StreamOptions { envelope: true, ..StreamOptions::default() };
        Ok(Self(LineStream::new(nothing_yet, options)))
    }

    /// What was stored since the last look. Where that is too much, the rest of it is skipped.
    pub(super) fn look(&mut self, state: &AppState) -> Result<NewLines, StoreError> {
        let (cursor, logs) = (self.0.cursor(), state.store.logs());
        let snapshot = logs.snapshot(cursor.filter().range)?;
        let gap = gap::notice(logs.missed_between(cursor.snapshot(), &snapshot), cursor.filter());
        logs.counters().follow_gaps.fetch_add(u64::from(gap.is_some()), Ordering::Relaxed);
        let beyond = Cursor::beyond(cursor.snapshot(), snapshot, cursor.filter().clone());
        self.0.go_on_with(beyond);
        let mut envelopes = Vec::new();
        for _ in 0..MOST_STEPS {
            match self.0.fill(&mut envelopes, MOST_BYTES, &mut Budget::STEP.clone(), logs.counters()) {
                Reached::End => return Ok(NewLines { envelopes, gap, has_skipped: false }),
                Reached::Pause if envelopes.len() < MOST_BYTES => {}
                Reached::Pause => break,
                Reached::Failed => {
                    return self.0.take_failure().map_or_else(|| Ok(NewLines::default()), Err);
                }
            }
        }
        // Where not all can be sent none are: whoever shows them asks for the newest anyway.
        Ok(NewLines { envelopes: Vec::new(), gap, has_skipped: true })
    }
}

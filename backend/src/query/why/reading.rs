//! Reads the fields of a sample of lines: first which lines, by columns, then their text.

use super::fields::FieldCounts;
use super::lines::Counted;
use super::sample::{Pick, PickTally, Shares};
use super::walk::{StoredLines, StretchWalk};
use crate::patterns::PatternId;
use crate::query::budget::Budget;
use crate::query::logs::BlockWalk;
use crate::store::StoreError;
use crate::store::logs::Counters;
use crate::store::logs::text::TextReader;
use crate::why::observed::Field;
use std::sync::atomic::Ordering;

/// A sample on its way.
#[derive(Debug)]
pub(super) enum Sampling {
    /// Which lines are read is yet to be found.
    Picking(Box<StretchWalk<PickTally>>),
    /// Lines are read.
    Reading(Box<Reading>),
    /// It could not go on.
    Failed(StoreError),
    /// It has not begun.
    Idle,
}

/// Lines that are read one after the other.
#[derive(Debug)]
pub(super) struct Reading {
    walks: Vec<BlockWalk>,
    picks: Vec<Pick>,
    next: usize,
    counted: Counted,
    lines: u64,
    counts: FieldCounts,
    damaged: u64,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    pub(super) counted: Counted,
    pub(super) fields: Vec<Field>,
    /// How many lines were read …
    pub(super) read: u64,
    /// … of how many.
    pub(super) lines: u64,
    /// How many could not be read.
    pub(super) damaged: u64,
}

impl Sampling {
    /// Will look at the first stretches.
    pub(super) fn new(stretches: StoredLines, asked: usize, shares: Shares, counted: Counted) -> Self {
        let tally = PickTally::new(shares, counted);
        Self::Picking(Box::new(StretchWalk::new(stretches, asked, asked, tally)))
    }

    /// Goes on; whether it is done. Reads mapped files: not for async threads.
    pub(super) fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        match self {
            Self::Picking(walk) => {
                if walk.step(budget, counters)
                    && let Self::Picking(walk) = std::mem::replace(self, Self::Idle)
                {
                    *self = match walk.finish() {
                        Ok((tally, walks, _)) => Self::Reading(Box::new(Reading::new(tally, walks))),
                        Err(error) => Self::Failed(error),
                    };
                }
                false
            }
            Self::Reading(reading) => reading.step(budget, counters),
            Self::Failed(_) | Self::Idle => true,
        }
    }

    /// What was read, when the last step is done.
    pub(super) fn finish(self) -> Result<Sampled, StoreError> {
        match self {
            Self::Reading(reading) => Ok(reading.finish()),
            Self::Failed(error) => Err(error),
            Self::Picking(_) | Self::Idle => Ok(Sampled::default()),
        }
    }
}

impl Reading {
    fn new(tally: PickTally, walks: Vec<BlockWalk>) -> Self {
        let (picks, shares, counted) = tally.finish();
        let counts = FieldCounts::new(shares.slices.len());
        Self { walks, picks, next: 0, counted, lines: shares.lines, counts, damaged: 0 }
    }

    fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        let mut reader = TextReader::default();
        while !budget.is_spent()
            && let Some(pick) = self.picks.get(self.next)
        {
            self.next += 1;
            let view = self.walks[usize::from(pick.walk)].view(pick.segment as usize);
            let line = match reader.line(&view.segment, &pick.row) {
                Ok(line) => line.strip_suffix(b"\n").unwrap_or(line),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a line is not in the sample");
                    self.damaged += 1;
                    continue;
                }
            };
            // To take a line apart costs several times as much as to send it.
            budget.spend_text(8 * line.len());
            counters.text_bytes_read.fetch_add(line.len() as u64, Ordering::Relaxed);
            let (counted, component) = (&self.counted, pick.component);
            self.counts
                .add(component, pick.slice, line, |pattern| counted.place(component, PatternId(pattern)));
            budget.spend_frames(reader.take_read_bytes());
        }
        self.next >= self.picks.len()
    }

    fn finish(self) -> Sampled {
        Sampled {
            fields: self.counts.finish(),
            read: self.picks.len() as u64 - self.damaged,
            lines: self.lines,
            damaged: self.damaged,
            counted: self.counted,
        }
    }
}

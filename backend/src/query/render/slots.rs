//! The slots of a series' plan, one value after the other.

use super::Selection;
use super::fold::Fold;
use super::plan::Plan;
use super::reader::Reader;
use crate::store::StoreError;

/// What comes next in a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Slot {
    Value(Option<f64>),
    End,
}

/// How far a series is read.
#[derive(Debug)]
pub(super) struct Slots {
    /// The slot to be filled.
    slot: i64,
    fold: Fold,
    reader: Reader,
}

impl Slots {
    /// At the first slot of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let fold = Fold::new(&plan.finer, plan.step, plan.aggregation);
        Self { slot: plan.start, fold, reader: Reader::new(plan.reads()) }
    }

    /// The next slot's value.
    pub(super) fn next(&mut self, plan: &Plan, selection: &Selection) -> Result<Slot, StoreError> {
        loop {
            // Slots begin at multiples of the step.
            match self.reader.current(selection, &plan.name)? {
                Some(point) if point.time < self.slot + plan.step => {
                    if point.time >= self.slot {
                        self.fold.push(point);
                    }
                    self.reader.advance(selection, &plan.name)?;
                }
                _ if self.slot < plan.end => break,
                _ => return Ok(Slot::End),
            }
        }
        self.slot += plan.step;
        Ok(Slot::Value(self.fold.take()))
    }
}

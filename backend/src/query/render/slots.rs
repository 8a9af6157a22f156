//! The slots of a series' plan, one value after the other.

use super::Selection;
use super::fold::Fold;
use super::plan::Plan;
use super::reader::Reader;
use crate::store::StoreError;
use crate::store::metrics::Points;

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
    made: Made,
}

/// What slots are made of.
#[derive(Debug)]
enum Made {
    /// Of points, the last one of each.
    OfPoints { points: Points, at: usize, day_at: usize },
    /// Of finer slots.
    OfFiner(Box<(Fold, Reader)>),
}

impl Slots {
    /// At the first slot of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let made = if plan.finer.is_empty() {
            Made::OfPoints { points: Points::default(), at: 0, day_at: 0 }
        } else {
            let fold = Fold::new(&plan.finer, plan.step, plan.aggregation);
            Made::OfFiner(Box::new((fold, Reader::new(plan.reads()))))
        };
        Self { slot: plan.start, made }
    }

    /// The next slot's value. Slots begin at multiples of the step.
    pub(super) fn next(&mut self, plan: &Plan, selection: &Selection) -> Result<Slot, StoreError> {
        let (slot, end) = (self.slot, self.slot + plan.step);
        if slot >= plan.end {
            return Ok(Slot::End);
        }
        let value = match &mut self.made {
            Made::OfPoints { points, at, day_at } => {
                let mut last = None;
                loop {
                    let before = points.times[*at..].iter().take_while(|time| **time < end).count();
                    *at += before;
                    last = if before > 0 { Some(points.values[*at - 1]) } else { last };
                    if *at < points.len() || *day_at == selection.days.day_count() {
                        break;
                    }
                    *points = selection.days.read_day(*day_at, &plan.name, plan.reads())?;
                    (*at, *day_at) = (0, *day_at + 1);
                }
                last
            }
            Made::OfFiner(finer) => {
                let (fold, reader) = &mut **finer;
                while let Some(point) =
                    reader.current(selection, &plan.name)?.filter(|point| point.time < end)
                {
                    if point.time >= slot {
                        fold.push(point);
                    }
                    reader.advance(selection, &plan.name)?;
                }
                fold.take()
            }
        };
        self.slot = end;
        Ok(Slot::Value(value))
    }
}

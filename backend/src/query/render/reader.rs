//! A series' points one after the other, each with where its neighbours are, read a day at a time.

use super::Selection;
use crate::store::StoreError;
use crate::store::metrics::Points;
use sonde_shared::time::TimeRange;

/// A point and where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stand {
    /// Unix seconds.
    pub(super) time: i64,
    pub(super) value: f64,
    /// When the two points before it are, the nearer one first.
    pub(super) before: [Option<i64>; 2],
    /// When the next one is.
    pub(super) after: Option<i64>,
}

/// How far a series is read.
#[derive(Debug)]
pub(super) struct Reader {
    range: TimeRange,
    points: Points,
    point_at: usize,
    day_at: usize,
    before: [Option<i64>; 2],
    current: Option<(i64, f64)>,
    after: Option<(i64, f64)>,
    has_begun: bool,
}

impl Reader {
    /// Will read what lies in a range.
    pub(super) fn new(range: TimeRange) -> Self {
        let points = Points::default();
        let (before, current, after) = ([None; 2], None, None);
        Self { range, points, point_at: 0, day_at: 0, before, current, after, has_begun: false }
    }

    /// The point that is next.
    pub(super) fn current(&mut self, selection: &Selection, name: &str) -> Result<Option<Stand>, StoreError> {
        if !self.has_begun {
            self.has_begun = true;
            self.after = self.read(selection, name)?;
            self.advance(selection, name)?;
        }
        let after = self.after.map(|(time, _)| time);
        Ok(self.current.map(|(time, value)| Stand { time, value, before: self.before, after }))
    }

    /// Goes on to the point behind that.
    pub(super) fn advance(&mut self, selection: &Selection, name: &str) -> Result<(), StoreError> {
        self.before = [self.current.map(|(time, _)| time), self.before[0]];
        self.current = self.after;
        self.after = self.read(selection, name)?;
        Ok(())
    }

    fn read(&mut self, selection: &Selection, name: &str) -> Result<Option<(i64, f64)>, StoreError> {
        loop {
            if let (Some(time), Some(value)) =
                (self.points.times.get(self.point_at), self.points.values.get(self.point_at))
            {
                self.point_at += 1;
                return Ok(Some((*time, *value)));
            }
            if self.day_at == selection.days.day_count() {
                return Ok(None);
            }
            self.points = selection.days.read_day(self.day_at, name, self.range)?;
            (self.point_at, self.day_at) = (0, self.day_at + 1);
        }
    }
}

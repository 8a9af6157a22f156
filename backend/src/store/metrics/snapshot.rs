//! What a query reads: parts and heads of some days, as they were when it began.

use super::day::{DayState, Source};
use super::part::Part;
use super::points::{DAY_SECS, DayPoints, Even, Points, Times};
use super::rollup::Rollup;
use crate::store::StoreError;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use std::sync::Arc;

/// The points of some days. Nothing that is written later changes it, but that points may be added to the newest heads.
#[derive(Debug)]
pub struct Snapshot {
    days: Vec<DaySources>,
}

#[derive(Debug)]
struct DaySources {
    /// The day's first second.
    start: i64,
    sources: Vec<Source>,
}

impl Snapshot {
    pub(super) fn of(days: &[Arc<DayState>]) -> Self {
        let sources = |state: &Arc<DayState>| DaySources {
            start: state.day.number() * DAY_SECS,
            sources: state.sources(),
        };
        Self { days: days.iter().map(sources).collect() }
    }

    /// How many days there are.
    pub fn day_count(&self) -> usize {
        self.days.len()
    }

    /// A series' points inside a range on one of the days, told by its place.
    pub fn read_day(&self, at: usize, name: &str, range: TimeRange) -> Result<Points, StoreError> {
        let mut points = Points::default();
        self.days[at].read(name, seconds(range), &mut points).map(|()| points)
    }

    /// The same, added to what is there.
    pub fn read_into(
        &self,
        at: usize,
        name: &str,
        range: TimeRange,
        out: &mut Points,
    ) -> Result<(), StoreError> {
        self.days[at].read(name, seconds(range), out)
    }

    /// A series' points inside a range, a day at a time, so that a long range is never in memory as a whole.
    pub fn days(&self, name: &str, range: TimeRange) -> impl Iterator<Item = Result<Points, StoreError>> {
        (0..self.days.len()).map(move |at| self.read_day(at, name, range))
    }

    /// The second at which one of the days begins, told by its place.
    pub fn day_start(&self, at: usize) -> i64 {
        self.days[at].start
    }

    /// The rollup of a series on one of the days, told by its place, in buckets of one of the lengths there are; `None` where
    /// that day has none that is of all its points.
    pub fn rollup(&self, at: usize, name: &str, step: u32) -> Result<Option<Rollup>, StoreError> {
        self.days[at].only_part(name).map_or(Ok(None), |(part, place)| part.rollup(place, step))
    }

    /// When a series has points inside a range, a day at a time, in order. Those of a whole day are not read where they are even.
    pub fn times(
        &self,
        name: &str,
        range: TimeRange,
    ) -> impl Iterator<Item = Result<Vec<Times>, StoreError>> {
        self.days.iter().map(move |day| day.times(name, seconds(range)))
    }

    /// From the first day's start to the last day's end; `None` where there is no day.
    pub fn span(&self) -> Option<TimeRange> {
        let from = Timestamp::from_secs(self.days.first()?.start);
        Some(TimeRange { from, until: Timestamp::from_secs(self.days.last()?.start + DAY_SECS) })
    }

    /// The latest point before an instant.
    pub fn point_before(&self, name: &str, at: Timestamp) -> Result<Option<(i64, f64)>, StoreError> {
        for day in self.days.iter().rev() {
            let mut points = Points::default();
            day.read(name, (i64::MIN, seconds(TimeRange { from: at, until: at }).0), &mut points)?;
            if let Some(point) = points.iter().next_back() {
                return Ok(Some(point));
            }
        }
        Ok(None)
    }

    /// The earliest point at or after an instant.
    pub fn point_after(&self, name: &str, at: Timestamp) -> Result<Option<(i64, f64)>, StoreError> {
        for day in &self.days {
            let mut points = Points::default();
            day.read(name, (seconds(TimeRange { from: at, until: at }).0, i64::MAX), &mut points)?;
            if let Some(point) = points.iter().next() {
                return Ok(Some(point));
            }
        }
        Ok(None)
    }

    /// Whether a series of exactly this name has points on these days.
    pub fn has(&self, name: &str) -> bool {
        self.days.iter().flat_map(|day| &day.sources).any(|source| match source {
            Source::Part(part) => part.find(name).is_some(),
            Source::Head(head) => head.has(name),
        })
    }

    /// Every series' name, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for source in self.days.iter().flat_map(|day| &day.sources) {
            match source {
                Source::Part(part) => {
                    names.extend((0..part.series_count()).map(|at| part.name(at).to_owned()));
                }
                Source::Head(head) => {
                    names.extend(head.names().iter().map(ToString::to_string));
                }
            }
            names.sort_unstable();
            names.dedup();
        }
        names
    }
}

impl DaySources {
    /// The seconds of a series' points with `from <= second < until`.
    fn times(&self, name: &str, (from, until): (i64, i64)) -> Result<Vec<Times>, StoreError> {
        if from <= self.start
            && until >= self.start + DAY_SECS
            && let Some(times) = self.one_after_another(name)?
        {
            return Ok(times);
        }
        let mut points = Points::default();
        self.read(name, (from, until), &mut points)?;
        Ok(vec![Times::Each(points.times)])
    }

    /// The times of a series' points as each part or head has them, in order; `None` where these reach into each other.
    fn one_after_another(&self, name: &str) -> Result<Option<Vec<Times>>, StoreError> {
        let mut each: Vec<Times> = Vec::new();
        for source in &self.sources {
            each.extend(self.times_of(source, name)?);
        }
        each.sort_by_key(|times| times.span().map(|(first, _)| first));
        let is_apart = |pair: &[Times]| {
            let (before, behind) = (pair[0].span(), pair[1].span());
            before.zip(behind).is_some_and(|((_, last), (first, _))| last < first)
        };
        Ok(each.windows(2).all(is_apart).then_some(each))
    }

    /// The times of a series' points in one part or head; `None` where it has none.
    fn times_of(&self, source: &Source, name: &str) -> Result<Option<Times>, StoreError> {
        if let Source::Part(part) = source
            && let Some(at) = part.find(name)
            && let Some((first, step, count)) = part.even(at)?
        {
            let (first, step) = (self.start + i64::from(first), i64::from(step));
            return Ok((count > 0).then_some(Times::Even(Even { first, step, count })));
        }
        let mut points = DayPoints::default();
        source.read(name, 0, DAY_SECS as u32, &mut points)?;
        points.settle();
        let times: Vec<i64> = points.times.iter().map(|time| self.start + i64::from(*time)).collect();
        Ok((!times.is_empty()).then_some(Times::Each(times)))
    }

    /// The part that has all of a series' points, and the place of the series in it.
    fn only_part(&self, name: &str) -> Option<(&Part, usize)> {
        let mut found = None;
        for source in &self.sources {
            match source {
                Source::Part(part) => {
                    let Some(at) = part.find(name) else { continue };
                    if found.replace((&**part, at)).is_some() {
                        return None;
                    }
                }
                Source::Head(head) if head.has(name) => return None,
                Source::Head(_) => {}
            }
        }
        found
    }

    /// Adds a series' points with `from <= second < until`.
    fn read(&self, name: &str, (from, until): (i64, i64), out: &mut Points) -> Result<(), StoreError> {
        let in_day = |secs: i64| secs.saturating_sub(self.start).clamp(0, DAY_SECS) as u32;
        let (low, high) = (in_day(from), in_day(until));
        if low >= high {
            return Ok(());
        }
        let mut points = DayPoints::default();
        for source in &self.sources {
            source.read(name, low, high, &mut points)?;
        }
        points.settle();
        out.times.extend(points.times.iter().map(|time| self.start + i64::from(*time)));
        out.values.extend(points.values);
        Ok(())
    }
}

/// The whole seconds inside a range, half-open.
fn seconds(range: TimeRange) -> (i64, i64) {
    let up = |at: Timestamp| match at {
        Timestamp::MIN => i64::MIN,
        Timestamp::MAX => i64::MAX,
        _ => at.as_nanos().div_euclid(NANOS_PER_SEC) + i64::from(at.as_nanos().rem_euclid(NANOS_PER_SEC) > 0),
    };
    (up(range.from), up(range.until))
}

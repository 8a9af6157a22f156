//! Series on the buckets, read series by series.
//!
//! Nothing is kept of a series but one number a bucket. Where buckets are hours long, rollups are read instead of points,
//! where a day has them. Series that have no point in selection or baseline are left out.

use super::plan::{Plan, Stretch};
use crate::query::budget::Budget;
use crate::store::StoreError;
use crate::store::metrics::{MetricStore, Points, ROLLUP_STEPS, Snapshot};
use crate::why::buckets::Buckets;
use crate::why::counters::Seldom;
use crate::why::observed::{Grid, Series, Trial};
use sonde_shared::time::{NANOS_PER_MS, TimeRange, Timestamp};
use std::ops::Range;
use std::sync::Arc;

/// A bucket has at least so many of a rollup's, or points are read.
const LEAST_ROLLUPS: i64 = 6;
/// To look a series up costs as much as so many rows.
const SERIES_COST: u64 = 64;
/// From so many series it is told how far apart points are.
const ASKED_FOR_SPACING: usize = 32;
/// So long before a stretch a counter's value is known at least, also of one that is sent each minute.
const LOOK_BACK_MS: i64 = 90_000;
/// Points further apart than an hour tell of a pause.
const LONGEST_SPACING_SECS: i64 = 3_600;

/// What is stored of the stretches that are looked at.
pub(super) type Stored = Arc<[(Snapshot, Stretch)]>;

/// Takes a snapshot of each stretch that has days with points, the earliest first.
pub(super) fn snapshots(store: &MetricStore, plan: &Plan) -> Result<Stored, StoreError> {
    let each = plan.stretches.iter().map(|stretch| Ok((store.snapshot(stretch.range())?, *stretch)));
    let mut taken: Vec<_> = each.collect::<Result<_, StoreError>>()?;
    taken.sort_by_key(|(_, stretch)| stretch.from_ms);
    Ok(taken.into_iter().filter(|(snapshot, _)| snapshot.day_count() > 0).collect())
}

/// The usual distance between two points of a series, in milliseconds; `None` where there are no series with two of them.
pub(super) fn spacing_ms(
    store: &MetricStore,
    names: &[String],
    range: TimeRange,
) -> Result<Option<i64>, StoreError> {
    let days = store.snapshot(range)?;
    let stride = names.len().div_ceil(ASKED_FOR_SPACING).max(1);
    let mut spacings = Vec::new();
    for name in names.iter().step_by(stride) {
        let mut points = Points::default();
        for day in 0..days.day_count() {
            // What cannot be read says nothing here; it is told of where it is read to be compared.
            days.read_into(day, name, range, &mut points).unwrap_or_default();
        }
        spacings.extend(median(points.times.windows(2).map(|pair| pair[1] - pair[0]).collect()));
    }
    spacings.retain(|secs| *secs <= LONGEST_SPACING_SECS);
    Ok(median(spacings).map(|secs| secs * 1_000))
}

fn median(mut numbers: Vec<i64>) -> Option<i64> {
    let middle = numbers.len() / 2;
    (!numbers.is_empty()).then(|| *numbers.select_nth_unstable(middle).1)
}

/// What a series is called.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) path: String,
    /// What it was called before, the earliest first.
    pub(super) former: Vec<String>,
}

/// Reads some of the series, step by step.
#[derive(Debug)]
pub struct SeriesReader {
    names: Arc<[Called]>,
    next: usize,
    end: usize,
    stored: Stored,
    step_ms: i64,
    now: Trial,
    buckets: Buckets,
    points: Points,
    /// Those that were read.
    found: Vec<Series>,
    /// How many of them have points in each bucket.
    present: Vec<u32>,
    damaged: u64,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct ReadSeries {
    pub(super) series: Vec<Series>,
    /// How many of them have points in each bucket.
    pub(super) present: Vec<u32>,
    /// How many could not be read.
    pub(super) damaged: u64,
    /// What they say of those that hardly ever change.
    pub(super) seldom: Seldom,
}

impl SeriesReader {
    /// Will read those of the names with these places.
    pub(super) fn new(names: Arc<[Called]>, places: Range<usize>, stored: Stored, grid: &Grid) -> Self {
        Self {
            names,
            next: places.start,
            end: places.end,
            stored,
            step_ms: grid.step_ms,
            now: grid.now.clone(),
            buckets: Buckets::default(),
            points: Points::default(),
            found: Vec::new(),
            present: vec![0; grid.len()],
            damaged: 0,
        }
    }

    /// Goes on reading; whether it is done. Reads mapped files: not for async threads.
    pub fn step(&mut self, budget: &mut Budget) -> bool {
        while self.next < self.end && !budget.is_spent() {
            let at = self.next;
            self.next += 1;
            let points = self.read(at).unwrap_or_else(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, "a series is not compared");
                self.damaged += 1;
                0
            });
            budget.spend(SERIES_COST * self.stored.len() as u64 + points);
        }
        self.next >= self.end
    }

    /// What was read, when the last step is done.
    pub(super) fn finish(self) -> ReadSeries {
        ReadSeries {
            series: self.found,
            present: self.present,
            damaged: self.damaged,
            seldom: self.buckets.seldom(),
        }
    }

    /// Reads a series; how many points it has.
    fn read(&mut self, at: usize) -> Result<u64, StoreError> {
        self.buckets.clear(self.present.len());
        let (names, stored) = (self.names.clone(), self.stored.clone());
        let mut points = 0;
        for (days, stretch) in &*stored {
            for name in names[at].former.iter().chain([&names[at].path]) {
                if names[at].former.is_empty() {
                    self.buckets.pause();
                } else {
                    self.buckets.begin_anew();
                }
                for day in 0..days.day_count() {
                    points += self.read_day(days, day, stretch, name)?;
                }
            }
        }
        let has_any =
            |buckets: &Range<usize>| self.buckets.counts()[buckets.clone()].iter().any(|count| *count > 0);
        if has_any(&self.now.selection) || has_any(&self.now.baseline) {
            let Called { path, former } = names[at].clone();
            let series = self.buckets.series(path, &self.now);
            self.found.push(Series { former, ..series });
            let counts = self.buckets.counts();
            self.present.iter_mut().zip(counts).for_each(|(sum, count)| *sum += u32::from(*count > 0));
        }
        Ok(points)
    }

    /// Adds what a series has on a day. How much a counter grew up to the first bucket tells what it had before.
    fn read_day(
        &mut self,
        days: &Snapshot,
        day: usize,
        stretch: &Stretch,
        name: &str,
    ) -> Result<u64, StoreError> {
        let range = stretch.range();
        let look_back_ms = stretch.step_ms.max(LOOK_BACK_MS);
        let range = TimeRange { from: range.from.plus_nanos(-look_back_ms * NANOS_PER_MS), ..range };
        if let Some(step) = self.rollup_step()
            && let Some(rollup) = days.rollup(day, name, step)?
        {
            for (at, start) in rollup.starts.iter().enumerate() {
                let secs = days.day_start(day) + i64::from(*start);
                if range.contains(Timestamp::from_secs(secs)) {
                    self.add(stretch, secs, rollup.last[at], (rollup.sums[at], rollup.counts[at]));
                }
            }
            return Ok(rollup.starts.len() as u64);
        }
        let mut points = std::mem::take(&mut self.points);
        points.times.clear();
        points.values.clear();
        let read = days.read_into(day, name, range, &mut points);
        for (secs, value) in points.iter() {
            self.add(stretch, secs, value, (value, 1));
        }
        self.points = points;
        read.map(|()| self.points.len() as u64)
    }

    fn add(&mut self, stretch: &Stretch, secs: i64, last: f64, sum: (f64, u32)) {
        let at = Timestamp::from_secs(secs);
        if stretch.range().contains(at) {
            self.buckets.add_many(stretch.bucket_of(at), secs, last, sum);
        } else {
            self.buckets.precede(secs, last);
        }
    }

    /// The widest rollup of which each bucket has several.
    fn rollup_step(&self) -> Option<u32> {
        let fits = |step: &u32| self.step_ms >= i64::from(*step) * 1_000 * LEAST_ROLLUPS;
        ROLLUP_STEPS.into_iter().rev().find(fits)
    }
}

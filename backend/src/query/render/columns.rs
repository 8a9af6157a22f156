//! Columns for drawing: every point with its own time, reduced so that no spike vanishes.
//!
//! Where a pixel is much wider than the buckets of a rollup, the extremes of each bucket stand for its points: they are in the
//! same pixel or at its edge.
//!
//! A series comes with the one point before and the one after the range, so that lines run to the edges. Where two
//! points are further apart than [`GAP_STEPS`] of the series' steps, a NaN between them makes the gap show as one.

use super::{PIECE_BYTES, Pieces, Selection, step};
use crate::store::StoreError;
use crate::store::metrics::{ROLLUP_STEPS, Rollup};
use sonde_shared::api::{COLUMNS_MAGIC, Columns, encode_columns};
use sonde_shared::chart::reduce::m4;
use sonde_shared::time::{NANOS_PER_MS, NANOS_PER_SEC, TimeRange, Timestamp};
use std::collections::HashSet;

/// Points further apart than so many steps have a gap between them.
const GAP_STEPS: i64 = 3;
/// So many buckets of a rollup must fit into a pixel for it to be used.
const BUCKETS_A_PIXEL: i64 = 4;

/// Every series of a selection once, in the targets' order.
#[derive(Debug)]
pub struct ColumnPieces {
    selection: Selection,
    width: Option<usize>,
    /// The next series' place, after the body's first bytes.
    next: Option<usize>,
}

impl ColumnPieces {
    /// Begins an answer: reduced for so many pixels, or all points.
    pub fn new(mut selection: Selection, width: Option<usize>) -> Self {
        let mut seen = HashSet::new();
        selection.names.retain(|name| seen.insert(name.clone()));
        Self { selection, width, next: None }
    }

    /// What a body starts with.
    fn start(&self) -> Vec<u8> {
        [COLUMNS_MAGIC.as_slice(), &(self.selection.names.len() as u32).to_le_bytes()].concat()
    }
}

impl Pieces for ColumnPieces {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut piece = if self.next.is_none() { self.start() } else { Vec::new() };
        let mut next = self.next.unwrap_or_default();
        while piece.len() < PIECE_BYTES
            && let Some(name) = self.selection.names.get(next)
        {
            let columns = read_columns(&self.selection, name, self.width)?;
            // A body of one series starts as any body does; what follows is the series.
            piece.extend_from_slice(&encode_columns(&[columns])[COLUMNS_MAGIC.len() + 4..]);
            next += 1;
        }
        self.next = Some(next);
        Ok((!piece.is_empty()).then_some(piece))
    }
}

fn read_columns(selection: &Selection, name: &str, width: Option<usize>) -> Result<Columns, StoreError> {
    let step = step::detect(selection, name)?;
    let range = selection.range;
    let mut inside = Gathered::new(selection, step, width);
    let bucket = width.and_then(|width| bucket_secs(range, width));
    for day in 0..selection.days.day_count() {
        let rollup = bucket.map(|secs| whole_day(selection, day, name, secs)).transpose()?.flatten();
        if let (Some((start, rollup)), Some(secs)) = (rollup, bucket) {
            inside.push_rollup(start, &rollup, secs);
        } else {
            let points = selection.days.read_day(day, name, range)?;
            points.iter().for_each(|(time, value)| inside.push(time, value));
        }
        inside.reduce_if_over(12);
    }
    inside.reduce_if_over(4);
    // The neighbours are joined on afterwards: reducing leaves out what lies outside the range.
    let before = selection.days.point_before(name, range.from)?;
    let after = selection.days.point_after(name, range.until)?;
    let mut whole = Gathered::new(selection, step, None);
    if let Some((time, value)) = before {
        whole.push(time, value);
    }
    whole.append(inside);
    if let Some((time, value)) = after {
        whole.push(time, value);
    }
    Ok(Columns { name: name.to_owned(), times_ms: whole.times_ms, values: whole.values })
}

/// The longest buckets of which enough fit into a pixel.
fn bucket_secs(range: TimeRange, width: usize) -> Option<u32> {
    let pixel = range.nanos() / NANOS_PER_SEC / width.max(1) as i64;
    ROLLUP_STEPS.into_iter().rev().find(|secs| pixel >= BUCKETS_A_PIXEL * i64::from(*secs))
}

/// The start of one of the days and a series' rollup of it, where the day lies within the range and has one.
fn whole_day(
    selection: &Selection,
    day: usize,
    name: &str,
    secs: u32,
) -> Result<Option<(i64, Rollup)>, StoreError> {
    let start = selection.days.day_start(day);
    let day_range = Timestamp::from_secs(start).day().range();
    if day_range.from < selection.range.from || day_range.until > selection.range.until {
        return Ok(None);
    }
    Ok(selection.days.rollup(day, name, secs)?.map(|rollup| (start, rollup)))
}

fn ms(secs: i64) -> f64 {
    (secs * 1_000) as f64
}

/// A series' points as far as they were read, gaps marked.
struct Gathered {
    times_ms: Vec<f64>,
    values: Vec<f64>,
    step: i64,
    /// The seconds of the first and of the last point that came in.
    first: Option<i64>,
    last: Option<i64>,
    width: Option<usize>,
    from_ms: f64,
    until_ms: f64,
    /// Whether so many points came in that they are to be reduced, however many are left.
    is_reduced: bool,
}

impl Gathered {
    fn new(selection: &Selection, step: i64, width: Option<usize>) -> Self {
        let ms = |nanos: i64| nanos as f64 / NANOS_PER_MS as f64;
        Self {
            times_ms: Vec::new(),
            values: Vec::new(),
            step,
            first: None,
            last: None,
            width,
            from_ms: ms(selection.range.from.as_nanos()),
            until_ms: ms(selection.range.until.as_nanos()),
            is_reduced: false,
        }
    }

    fn push(&mut self, time: i64, value: f64) {
        self.mark_gap(time);
        self.first.get_or_insert(time);
        self.last = Some(time);
        self.times_ms.push(ms(time));
        self.values.push(value);
    }

    /// The extremes and the last value of each bucket, in order and within it.
    fn push_rollup(&mut self, day_start: i64, rollup: &Rollup, secs: u32) {
        let (step, secs) = (self.step, i64::from(secs));
        for (at, start) in rollup.starts.iter().enumerate() {
            let start = day_start + i64::from(*start);
            // Less than a bucket without points is less than a pixel, and may be no gap at all.
            self.step = step.max(secs);
            if rollup.counts[at] > 1 {
                self.push(start, rollup.least[at]);
                self.push(start + secs / 3, rollup.greatest[at]);
            }
            self.push(start + secs * 2 / 3, rollup.last[at]);
        }
        self.step = step;
    }

    /// Marks a gap where the next point is far from the last one.
    fn mark_gap(&mut self, next: i64) {
        let Some(last) = self.last else { return };
        if next - last > GAP_STEPS * self.step {
            self.times_ms.push(ms(last + self.step));
            self.values.push(f64::NAN);
        }
    }

    fn append(&mut self, mut later: Self) {
        let Some(first) = later.first else { return };
        self.mark_gap(first);
        self.last = later.last;
        self.times_ms.append(&mut later.times_ms);
        self.values.append(&mut later.values);
    }

    /// Reduces what was gathered when there are more than so many points a pixel. Reducing in parts and again as a
    /// whole comes to the same as once, since the first, least, greatest and last of a column are among its parts'.
    fn reduce_if_over(&mut self, points_per_column: usize) {
        let Some(width) = self.width else { return };
        if self.is_reduced || self.times_ms.len() > points_per_column * width {
            self.is_reduced = true;
            (self.times_ms, self.values) =
                m4(&self.times_ms, &self.values, self.from_ms, self.until_ms, width);
        }
    }
}

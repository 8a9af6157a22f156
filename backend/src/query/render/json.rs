//! Graphite's JSON: every series snapped to its step, slots without a point null.
//!
//! Edges are those of whisper's fetch: a series starts at the first multiple of its step after `from` and its last slot
//! is the last multiple of the step that is not after `until`. A slot holds the points from its time up to the next
//! slot's; of several the last counts, unless a rule makes coarser slots of finer ones. `maxDataPoints` follows graphite-web's `renderViewJson`, its quirk included that
//! the first bucket begins one slot early.

use super::plan::{Plan, plans};
use super::slots::{Slot, Slots};
use super::{PIECE_BYTES, Pieces, Selection};
use crate::query::storage_rules::StorageRules;
use crate::store::StoreError;
use sonde_shared::time::Timestamp;
use std::io::Write;

/// How the answer is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonQuery {
    /// At most so many points a series, averaged.
    pub max_data_points: Option<u64>,
    /// Leave out nulls, and series with nothing else.
    pub no_null_points: bool,
    /// The server's clock: no slot lies after it unless there is a later point.
    pub now: Timestamp,
}

/// The series of a selection, one after the other.
#[derive(Debug)]
pub struct JsonPieces {
    selection: Selection,
    no_nulls: bool,
    max_data_points: Option<u64>,
    plans: Vec<Plan>,
    /// The plan of the series being written.
    at: usize,
    series: Option<Series>,
    text: Vec<u8>,
    wrote_series: bool,
    is_done: bool,
}

/// How far a series is written.
#[derive(Debug)]
struct Series {
    buckets: Buckets,
    slots: Slots,
    wrote_point: bool,
}

impl JsonPieces {
    /// Begins an answer. Reads files.
    pub fn new(selection: Selection, query: JsonQuery, rules: &StorageRules) -> Result<Self, StoreError> {
        let plans = plans(&selection, query.now, rules)?;
        Ok(Self {
            selection,
            no_nulls: query.no_null_points,
            max_data_points: query.max_data_points,
            plans,
            at: 0,
            series: None,
            text: b"[".to_vec(),
            wrote_series: false,
            is_done: false,
        })
    }

    fn begin(&mut self) -> Series {
        if !self.no_nulls {
            self.begin_text();
        }
        let first = self.plans.iter().map(|plan| plan.start).min().unwrap_or_default();
        let last = self.plans.iter().map(|plan| plan.end).max().unwrap_or_default();
        let plan = &self.plans[self.at];
        Series {
            buckets: Buckets::of(plan, self.max_data_points, last - first),
            slots: Slots::of(plan),
            wrote_point: false,
        }
    }

    /// Writes on until a piece is full or the series ends; returns whether it ended.
    fn write(&mut self, series: &mut Series) -> Result<bool, StoreError> {
        while self.text.len() < PIECE_BYTES {
            let plan = &self.plans[self.at];
            let slot = series.slots.next(plan, &self.selection)?;
            let point = match slot {
                Slot::Value(value) => series.buckets.push(value),
                Slot::End => series.buckets.finish(plan.end),
            };
            if let Some(point) = point {
                self.point(series, point);
            }
            if slot == Slot::End {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn begin_text(&mut self) {
        let name = &self.plans[self.at].name;
        let tags: serde_json::Map<_, _> =
            tags(name).map(|(key, value)| (key.to_owned(), value.into())).collect();
        let (target, tags) = (serde_json::Value::from(name.as_str()), serde_json::Value::Object(tags));
        let comma = if self.wrote_series { "," } else { "" };
        write!(self.text, r#"{comma}{{"target":{target},"tags":{tags},"datapoints":["#)
            .expect("a Vec takes every write");
        self.wrote_series = true;
    }

    fn point(&mut self, series: &mut Series, (time, value): (i64, Option<f64>)) {
        let value = value.filter(|value| !value.is_nan());
        if self.no_nulls && value.is_none() {
            return;
        }
        // Without nulls a series is only told of once it has a point.
        if self.no_nulls && !series.wrote_point {
            self.begin_text();
        }
        let comma = if series.wrote_point { "," } else { "" };
        series.wrote_point = true;
        self.text.extend_from_slice(comma.as_bytes());
        self.text.push(b'[');
        write_number(&mut self.text, value.unwrap_or(f64::NAN));
        self.text.push(b',');
        self.text.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
        self.text.push(b']');
    }
}

impl Pieces for JsonPieces {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while self.at < self.plans.len() && self.text.len() < PIECE_BYTES {
            let mut series = self.series.take().unwrap_or_else(|| self.begin());
            if self.write(&mut series)? {
                if !self.no_nulls || series.wrote_point {
                    self.text.extend_from_slice(b"]}");
                }
                self.at += 1;
            } else {
                self.series = Some(series);
            }
        }
        if self.at == self.plans.len() && !self.is_done {
            self.is_done = true;
            self.text.push(b']');
        }
        let text = std::mem::take(&mut self.text);
        Ok((!text.is_empty()).then_some(text))
    }
}

/// Slots gathered into points of the answer.
#[derive(Debug)]
struct Buckets {
    /// Slots that are dropped at the start.
    skip: i64,
    slots_per_point: i64,
    secs_per_point: i64,
    time: i64,
    gathered: i64,
    sum: f64,
    count: u32,
}

impl Buckets {
    fn of(plan: &Plan, max_data_points: Option<u64>, answer_secs: i64) -> Self {
        let Plan { step, start, end, .. } = *plan;
        let (per_point, nudge) = match max_data_points {
            Some(1) => ((end - start) / step, 0),
            Some(max) => bucket_of(start, step, answer_secs, max).unwrap_or((1, 0)),
            None => (1, 0),
        };
        Self {
            skip: (nudge / step - 1).max(0),
            slots_per_point: per_point,
            secs_per_point: per_point * step,
            time: start + nudge,
            gathered: 0,
            sum: 0.0,
            count: 0,
        }
    }

    fn push(&mut self, value: Option<f64>) -> Option<(i64, Option<f64>)> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.gathered += 1;
        self.sum += value.unwrap_or(0.0);
        self.count += u32::from(value.is_some());
        (self.gathered == self.slots_per_point).then(|| self.take())
    }

    fn finish(&mut self, end: i64) -> Option<(i64, Option<f64>)> {
        (self.gathered > 0 && self.time <= end).then(|| self.take())
    }

    fn take(&mut self) -> (i64, Option<f64>) {
        let value = (self.count > 0).then(|| self.sum / f64::from(self.count));
        let point = (self.time, value);
        self.time += self.secs_per_point;
        (self.gathered, self.sum, self.count) = (0, 0.0, 0);
        point
    }
}

/// How many slots make a point of an answer of at most so many, and how many seconds lie before its first one; `None` where each
/// slot is a point.
pub(super) fn bucket_of(start: i64, step: i64, answer_secs: i64, most: u64) -> Option<(i64, i64)> {
    // Not whole where series have other steps.
    let slots = answer_secs as f64 / step as f64;
    let per_point = ((most as f64) < slots).then(|| (slots / most as f64).ceil() as i64)?;
    let secs = per_point * step;
    Some((per_point, secs + start.rem_euclid(step) - start.rem_euclid(secs)))
}

/// A value as Graphite's JSON has it; NaN is null.
pub(super) fn write_number(text: &mut Vec<u8>, value: f64) {
    let mut number = zmij::Buffer::new();
    text.extend_from_slice(match value {
        f64::INFINITY => b"1e9999",
        f64::NEG_INFINITY => b"-1e9999",
        value if value.is_nan() => b"null",
        value => number.format_finite(value).as_bytes(),
    });
}

/// The tags of a series: its name, and what stands behind `;`.
pub(super) fn tags(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let (name, rest) = path.split_once(';').unwrap_or((path, ""));
    std::iter::once(("name", name)).chain(rest.split(';').filter_map(|tag| tag.split_once('=')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bucketed(slots: &[Option<f64>], plan: &Plan, max: u64) -> Vec<(i64, Option<f64>)> {
        let mut buckets = Buckets::of(plan, Some(max), plan.end - plan.start);
        let mut points: Vec<_> = slots.iter().filter_map(|slot| buckets.push(*slot)).collect();
        points.extend(buckets.finish(plan.end));
        points
    }

    /// The rule as graphite-web's documentation and behaviour give it, over whole lists.
    fn by_lists(slots: &[Option<f64>], plan: &Plan, max: u64) -> Vec<(i64, Option<f64>)> {
        let mean = |chunk: &[Option<f64>]| {
            let known: Vec<f64> = chunk.iter().flatten().copied().collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        let count = slots.len() as u64;
        if max == 1 {
            return vec![(plan.start, mean(slots))];
        }
        if max >= count {
            return slots
                .iter()
                .enumerate()
                .map(|(at, slot)| (plan.start + at as i64 * plan.step, *slot))
                .collect();
        }
        let per_point = count.div_ceil(max);
        let secs = per_point as i64 * plan.step;
        let nudge = secs + plan.start % plan.step - plan.start % secs;
        let rest = &slots[(nudge / plan.step - 1).max(0) as usize..];
        let points = rest.chunks(per_point as usize).enumerate();
        let points = points.map(|(at, chunk)| (plan.start + nudge + at as i64 * secs, mean(chunk)));
        points.filter(|(time, _)| *time <= plan.end).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn buckets_are_those_of_the_rule_over_lists(
            slots in prop::collection::vec(prop::option::of(-5..5_i32), 1..200),
            first in 0..1_000_i64,
            step in 1..90_i64,
            max in 1..210_u64,
        ) {
            let slots: Vec<_> = slots.into_iter().map(|slot| slot.map(f64::from)).collect();
            let start = first * step;
            let end = start + slots.len() as i64 * step;
            let plan = Plan { step, start, end, ..Plan::default() };
            prop_assert_eq!(bucketed(&slots, &plan, max), by_lists(&slots, &plan, max));
        }
    }

    #[test]
    fn buckets_do_not_move_when_the_range_does() {
        for first in 100..130 {
            let plan = Plan { step: 10, start: first * 10, end: first * 10 + 1_000, ..Plan::default() };
            let points = bucketed(&[Some(1.0); 100], &plan, 10);
            assert!(points.len() <= 10 && points.iter().all(|(time, _)| time % 100 == 0), "{points:?}");
        }
    }
}

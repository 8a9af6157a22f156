//! Graphite's JSON of evaluated series, made piece by piece as its reader takes it, as `renderViewJson` of graphite-web has it.
//!
//! The text takes several times the room of the values; a series goes once it is written.

use super::Pieces;
use super::json::{JsonQuery, bucket_of, write_number};
use crate::functions::series::Series;
use crate::store::StoreError;
use std::sync::Arc;

/// Pieces are about this long: larger than those that are read from files, since nothing but writing is done for them.
const PIECE_BYTES: usize = 256 * 1024;

/// The answer in the making.
#[derive(Debug)]
pub struct EvaluatedJson {
    rest: std::vec::IntoIter<Series>,
    query: JsonQuery,
    /// From the first series' start to the last one's end, which is what buckets go by.
    answer_secs: i64,
    series: Option<Writing>,
    text: Vec<u8>,
    wrote_series: bool,
    is_done: bool,
}

/// How far a series is written.
#[derive(Debug)]
struct Writing {
    /// Its name and tags.
    head: String,
    points: Points,
    next: usize,
    wrote_point: bool,
}

impl EvaluatedJson {
    /// Begins an answer, each series with at most so many points where that is asked for.
    pub fn new(mut series: Vec<Series>, query: JsonQuery) -> Self {
        // Without a value in any of them there are none, as there.
        if series.iter().all(|one| one.values.is_empty()) {
            series.clear();
        }
        let start = series.iter().map(|one| one.start).min().unwrap_or(0);
        let end = series.iter().map(|one| one.end).max().unwrap_or(0);
        Self {
            rest: series.into_iter(),
            query,
            answer_secs: end - start,
            series: None,
            text: b"[".to_vec(),
            wrote_series: false,
            is_done: false,
        }
    }

    fn begin(&mut self) -> Option<Writing> {
        let series = self.rest.next()?;
        let points = Points::of(&series, self.query.max_data_points, self.answer_secs);
        let (target, tags) = (serde_json::Value::from(series.name.as_str()), serde_json::json!(series.tags));
        let head = format!(r#"{{"target":{target},"tags":{tags},"datapoints":["#);
        Some(Writing { head, points, next: 0, wrote_point: false })
    }

    fn write_head(&mut self, series: &Writing) {
        if self.wrote_series {
            self.text.push(b',');
        }
        self.wrote_series = true;
        self.text.extend_from_slice(series.head.as_bytes());
    }

    /// Writes on until a piece is full or the series ends; returns whether it ended.
    fn write(&mut self, series: &mut Writing) -> bool {
        let (no_nulls, mut digits) = (self.query.no_null_points, itoa::Buffer::new());
        if series.next == 0 && !no_nulls {
            self.write_head(series);
        }
        while let Some((time, value)) = series.points.get(series.next) {
            if self.text.len() >= PIECE_BYTES {
                return false;
            }
            series.next += 1;
            if no_nulls && value.is_nan() {
                continue;
            }
            // Without nulls a series is only told of once it has a point.
            if no_nulls && !series.wrote_point {
                self.write_head(series);
            }
            self.text.extend_from_slice(if series.wrote_point { b",[" } else { b"[" });
            series.wrote_point = true;
            write_number(&mut self.text, value);
            self.text.push(b',');
            self.text.extend_from_slice(digits.format(time).as_bytes());
            self.text.push(b']');
        }
        if !no_nulls || series.wrote_point {
            self.text.extend_from_slice(b"]}");
        }
        true
    }
}

impl Pieces for EvaluatedJson {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while self.text.len() < PIECE_BYTES && !self.is_done {
            if let Some(mut series) = self.series.take().or_else(|| self.begin()) {
                let has_ended = self.write(&mut series);
                self.series = (!has_ended).then_some(series);
            } else {
                self.text.push(b']');
                self.is_done = true;
            }
        }
        let text = std::mem::take(&mut self.text);
        Ok((!text.is_empty()).then_some(text))
    }
}

/// A series' values as they are told, and when each is.
#[derive(Debug)]
pub(super) struct Points {
    values: Arc<Vec<f64>>,
    start: i64,
    step: i64,
    /// No point is told behind it.
    end: i64,
}

impl Points {
    pub(super) fn of(series: &Series, most: Option<u64>, answer_secs: i64) -> Self {
        let (start, step, end) = (series.start, series.step, series.end);
        if most == Some(1) {
            let values = series.consolidated(series.values.len()).into_owned();
            return Self { values: Arc::new(values), start, step, end: start };
        }
        let Some((per_point, nudge)) = most.and_then(|most| bucket_of(start, step, answer_secs, most)) else {
            return Self { values: Arc::clone(&series.values), start, step, end };
        };
        let skipped = ((nudge / step - 1).max(0) as usize).min(series.values.len());
        let values = series.consolidated_behind(skipped, per_point as usize);
        Self { values: Arc::new(values), start: start + nudge, step: per_point * step, end }
    }

    fn get(&self, at: usize) -> Option<(i64, f64)> {
        let time = self.start + at as i64 * self.step;
        self.values.get(at).filter(|_| time <= self.end).map(|value| (time, *value))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (i64, f64)> + '_ {
        (0..).map_while(|at| self.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_many_pieces_is_the_same_as_one() {
        let values = |seed: usize| (0..30_000).map(|at| ((at * 7_919 + seed) % 1_000) as f64 / 8.0).collect();
        let series: Vec<Series> =
            (0..3).map(|seed| Series::new(format!("s.{seed}"), 60, 60, values(seed))).collect();
        for (most, no_null_points) in [(None, false), (None, true), (Some(8_000), false)] {
            let query = JsonQuery { max_data_points: most, no_null_points, ..JsonQuery::default() };
            let mut pieces = EvaluatedJson::new(series.clone(), query);
            let pieces: Vec<Vec<u8>> = std::iter::from_fn(|| pieces.next_piece().unwrap()).collect();
            assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() < PIECE_BYTES + 200));
            let read: serde_json::Value = serde_json::from_slice(&pieces.concat()).unwrap();
            let names: Vec<_> = read.as_array().unwrap().iter().map(|one| one["target"].clone()).collect();
            assert_eq!(names, ["s.0", "s.1", "s.2"]);
            for (one, series) in read.as_array().unwrap().iter().zip(&series) {
                let points = Points::of(series, most, 30_000 * 60);
                let told: Vec<(f64, i64)> = serde_json::from_value(one["datapoints"].clone()).unwrap();
                assert!(told.into_iter().map(|(value, time)| (time, value)).eq(points.all()));
            }
        }
    }
}

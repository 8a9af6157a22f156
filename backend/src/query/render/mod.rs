//! `/render`: points of the series that targets name, as Graphite's JSON or as columns for drawing.
//!
//! An answer is made piece by piece as its reader takes it, each series read a day at a time, so that memory does not grow
//! with the range and a slow reader holds no thread. A target is a path, with wildcards or without; where one calls functions, all of
//! a request's are evaluated as a whole.

mod columns;
mod evaluated;
mod evaluated_json;
mod fold;
mod fresh;
mod json;
mod line_counts;
mod member;
mod plan;
mod plotted;
mod reader;
mod slots;
mod stacked;
mod step;

pub use columns::ColumnPieces;
pub use evaluated::{Evaluation, columns as evaluated_columns, csv, half_open, raw};
pub use evaluated_json::EvaluatedJson;
pub use fresh::{Followed, Fresh, FreshSeries};
pub use json::{JsonPieces, JsonQuery};
pub use member::{msgpack, pickle};
pub use plotted::{dygraph, rickshaw};
pub use stacked::stacked_columns;

use crate::store::StoreError;
use crate::store::metrics::{MetricStore, Snapshot, TagMatch};
use sonde_shared::dashboard::calls_function;
use sonde_shared::glob::Glob;
use sonde_shared::time::{NANOS_PER_DAY, TimeRange, Timestamp};
use std::collections::BTreeMap;

/// The most series of one answer.
pub const MAX_SERIES: usize = 1_000;
/// The most series that a path may name inside a function.
pub const MAX_ARGUMENTS: usize = 50_000;
/// How far before and after a range the neighbouring points are looked for.
const NEIGHBOURS_NANOS: i64 = 2 * NANOS_PER_DAY;
/// Pieces of an answer are about this long.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// Until when a series may begin that is told of in a range, with nulls: to Graphite a series is there once it has a file. So far the
/// neighbours of the range's points are looked for anyway.
pub fn known_until(range: TimeRange, now: Timestamp) -> Timestamp {
    range.until.plus_nanos(NEIGHBOURS_NANOS).min(now).max(range.until)
}

/// An answer in the making.
pub trait Pieces: Send + 'static {
    /// The next bytes; `None` at the end. Reads files.
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, StoreError>;

    /// All that is to come.
    fn whole(mut self) -> Result<Vec<u8>, StoreError>
    where
        Self: Sized,
    {
        let mut whole = Vec::new();
        while let Some(mut piece) = self.next_piece()? {
            whole.append(&mut piece);
        }
        Ok(whole)
    }
}

/// A path with or without wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    text: String,
    glob: Option<Glob>,
}

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Its wildcards do not parse.
    #[error("`{0}` is no path: {1}")]
    Path(String, &'static str),
}

impl Target {
    /// Reads a target.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        let shown = || text.chars().take(80).collect();
        if calls_function(text) {
            return Err(TargetError::Path(shown(), "it has a character that no path has"));
        }
        // What stands behind `;` are tags, which hold dots and other characters freely: such a name is taken as it is.
        if text.contains(';') && !text.contains(['*', '?', '{']) {
            return Ok(Self { text: with_sorted_tags(text), glob: None });
        }
        let glob = Glob::parse(text).map_err(|why| TargetError::Path(shown(), why))?;
        Ok(Self { text: text.to_owned(), glob: (!glob.is_literal()).then_some(glob) })
    }
}

/// A name with its tags as the store has them: in order, and of one that is given twice the last.
fn with_sorted_tags(text: &str) -> String {
    let mut parts = text.split(';');
    let name = parts.next().unwrap_or_default();
    let by_key: BTreeMap<&str, &str> =
        parts.map(|tag| (tag.split_once('=').map_or(tag, |(key, _)| key), tag)).collect();
    let mut tags: Vec<&str> =
        by_key.into_iter().filter(|(key, _)| *key != "name").map(|(_, tag)| tag).collect();
    tags.sort_unstable();
    [&[name][..], &tags].concat().join(";")
}

/// More series than an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the targets name more than {MAX_SERIES} series; ask for fewer")]
pub struct TooManySeries;

/// What one request reads: the series by name, and the days around the range.
#[derive(Debug)]
pub struct Selection {
    names: Vec<String>,
    range: TimeRange,
    /// The days of the range and of its neighbours.
    days: Snapshot,
}

impl Selection {
    /// Looks up the series that targets name on the days of a range and until a later instant: in the targets' order, each
    /// target's by name.
    pub fn of(
        store: &MetricStore,
        targets: &[Target],
        range: TimeRange,
        known_until: Timestamp,
    ) -> Result<Result<Self, TooManySeries>, StoreError> {
        let known = TimeRange { from: range.from, until: range.until.max(known_until) };
        Self::known(store, targets, known, range, MAX_SERIES)
    }

    /// The same, at most so many, of series that have points on the days of a range that holds the one to be read.
    fn known(
        store: &MetricStore,
        targets: &[Target],
        known: TimeRange,
        range: TimeRange,
        most: usize,
    ) -> Result<Result<Self, TooManySeries>, StoreError> {
        let inside = store.snapshot(known)?;
        let mut names: Vec<String> = Vec::new();
        for target in targets {
            match &target.glob {
                Some(glob) => {
                    let found = store.find(known, glob)?.into_iter().filter(|found| found.is_series);
                    names.extend(found.map(|found| found.path));
                }
                None if inside.has(&target.text) => names.push(target.text.clone()),
                None => {}
            }
            if names.len() > most {
                return Ok(Err(TooManySeries));
            }
        }
        Self::around(store, names, known, range).map(Ok)
    }

    /// The same of the series that have all of these tags.
    fn tagged(
        store: &MetricStore,
        matches: &[TagMatch],
        known: TimeRange,
        range: TimeRange,
        most: usize,
    ) -> Result<Result<Self, TooManySeries>, StoreError> {
        let names: Vec<String> = store.tagged(known)?.series(matches).take(most + 1).collect();
        if names.len() > most {
            return Ok(Err(TooManySeries));
        }
        Self::around(store, names, known, range).map(Ok)
    }

    fn around(
        store: &MetricStore,
        names: Vec<String>,
        known: TimeRange,
        range: TimeRange,
    ) -> Result<Self, StoreError> {
        let from = known.from.plus_nanos(-NEIGHBOURS_NANOS);
        let days = store.snapshot(TimeRange { from, until: known.until.plus_nanos(NEIGHBOURS_NANOS) })?;
        Ok(Self { names, range, days })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_calls_are_told_from_paths() {
        let check = |text: &str, expected: bool| assert_eq!(Target::parse(text).is_ok(), expected, "{text}");
        check("a.b", true);
        check("a.*.{b,c}[0-9]", true);
        check("disk.used;host=a.b;x=[1", true);
        check("sumSeries(a.*)", false);
        check("a.b|scale(2)", false);
        check("a..b", false);
        check("a.{b", false);
        check("", false);
    }

    #[test]
    fn tags_are_in_the_stores_order() {
        let check = |text: &str, expected: &str| assert_eq!(Target::parse(text).unwrap().text, expected);
        check("a.b;z=1;b=2", "a.b;b=2;z=1");
        check("m;a=1;a-b=1", "m;a-b=1;a=1");
        check("m;a=1;b=x;a=2", "m;a=2;b=x");
        check("m;b=x=y;name=z;a=q", "m;a=q;b=x=y");
        check(" m;b;a= ", "m;a=;b");
    }
}

//! Which slots a series is answered in: how long, from when to when, and what makes their values.
//!
//! Where a section of `storage-schemas.conf` matches, as whisper decides: the finest archive that reaches back to `from` as seen
//! from now, and nothing from before the last one. Else the step comes from the points, and a series reaches back as far as is asked.
//! As with whisper no slot is in the future, whatever is asked and stored.

use super::{Selection, step};
use crate::query::storage_rules::{Aggregation, Archive, StorageRules};
use crate::store::StoreError;
use sonde_shared::time::{TimeRange, Timestamp};

/// The most nulls before the first stored day.
const MAX_NULLS: i64 = 1_000_000;

/// One series as it will be sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) name: String,
    /// Seconds of a slot.
    pub(super) step: i64,
    /// The finer precisions that slots are made of, the finest first.
    pub(super) finer: Vec<i64>,
    pub(super) aggregation: Aggregation,
    /// The first slot.
    pub(super) start: i64,
    /// One step behind the last slot.
    pub(super) end: i64,
}

impl Plan {
    /// What is to be read for it: where slots are made of finer ones, with the neighbours of their first and last points.
    pub(super) fn reads(&self) -> TimeRange {
        let margin = if self.finer.is_empty() { 0 } else { self.step };
        TimeRange {
            from: Timestamp::from_secs(self.start - 2 * margin),
            until: Timestamp::from_secs(self.end + margin),
        }
    }

    /// How many slots there are.
    pub(super) fn slots(&self) -> i64 {
        (self.end - self.start) / self.step
    }
}

/// The plan of each series that has one: nothing is answered of a series whose rule keeps nothing so old, and of no series where
/// all of the range is yet to come.
pub(super) fn plans(
    selection: &Selection,
    now: Timestamp,
    rules: &StorageRules,
) -> Result<Vec<Plan>, StoreError> {
    if selection.range.from > now {
        return Ok(Vec::new());
    }
    let plan = |name: &String| plan(selection, name, now, rules).transpose();
    selection.names.iter().filter_map(plan).collect()
}

fn plan(
    selection: &Selection,
    name: &str,
    now: Timestamp,
    rules: &StorageRules,
) -> Result<Option<Plan>, StoreError> {
    let TimeRange { mut from, until } = selection.range;
    let (mut finer, step) = match rules.archives(name) {
        None => (Vec::new(), step::detect(selection, name)?),
        Some(archives) => {
            let Some(chosen) = choose(archives, selection.range, now) else { return Ok(None) };
            from = from.max(chosen.oldest);
            (chosen.finer, chosen.step)
        }
    };
    finer.retain(|secs| *secs < step);
    let until = until.min(now);
    let (start, end) = (first_slot(selection, from, until, step), next_slot(until.as_secs(), step));
    let end = if end == start { end + step } else { end };
    let aggregation = rules.aggregation(name);
    Ok(Some(Plan { name: name.to_owned(), step, finer, aggregation, start, end }))
}

/// The slot behind an instant; where that lies too long before the first stored day, the one at that day's beginning.
fn first_slot(selection: &Selection, from: Timestamp, until: Timestamp, step: i64) -> i64 {
    let first = next_slot(from.as_secs(), step);
    let stored = selection.days.span().map_or(from, |days| from.max(days.from.plus_nanos(-1)).min(until));
    let there = next_slot(stored.as_secs(), step);
    if (there - first) / step <= MAX_NULLS { first } else { there }
}

/// The first slot that begins behind an instant.
fn next_slot(at_secs: i64, step: i64) -> i64 {
    at_secs.div_euclid(step) * step + step
}

/// An archive that answers a range.
#[derive(Debug, PartialEq)]
struct Chosen {
    finer: Vec<i64>,
    step: i64,
    /// Nothing before it is answered.
    oldest: Timestamp,
}

/// Whisper's choice (`file_fetch` in `whisper.py`); none where the range ends before all that is kept.
fn choose(archives: &[Archive], range: TimeRange, now: Timestamp) -> Option<Chosen> {
    let now = now.as_secs();
    let oldest = now - archives.last()?.retention_secs();
    if range.until.as_secs() < oldest {
        return None;
    }
    let age = now - range.from.as_secs().max(oldest);
    let at =
        archives.iter().position(|archive| archive.retention_secs() >= age).unwrap_or(archives.len() - 1);
    let finer = archives[..at].iter().map(|archive| archive.secs).collect();
    Some(Chosen { finer, step: archives[at].secs, oldest: Timestamp::from_secs(oldest) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_archive_that_reaches_back_is_chosen() {
        let archives = [
            Archive { secs: 60, points: 60 },
            Archive { secs: 300, points: 288 },
            Archive { secs: 3_600, points: 168 },
        ];
        let now = 1_000_000;
        let check = |from: i64, until: i64, expected: Option<(i64, usize)>| {
            let range = TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(until) };
            let chosen = choose(&archives, range, Timestamp::from_secs(now));
            assert_eq!(chosen.map(|chosen| (chosen.step, chosen.finer.len())), expected, "{from} {until}");
        };
        check(now - 3_600, now, Some((60, 0)));
        check(now - 3_601, now, Some((300, 1)));
        check(now - 3_601, now - 3_600, Some((300, 1)));
        check(now - 86_400, now, Some((300, 1)));
        check(now - 86_401, now, Some((3_600, 2)));
        check(0, now, Some((3_600, 2)));
        check(0, now - 604_800, Some((3_600, 2)));
        check(0, now - 604_801, None);
        check(now + 60, now + 120, Some((60, 0)));
    }
}

//! What stands in the variable parts of a pattern, or in a field of lines: values and how often, in a selection and in a baseline.
//!
//! Values are read from the text. Of more lines than a bound only every n-th is read, so that what was read lies evenly
//! over the selection; the answer says how many were.

use super::budget::Budget;
use super::logs::{BlockAt, LineCount, LineFilter, TextFilter, value_in};
use super::spread::{Numbers, spread};
use super::tally::{Count, Tally};
use crate::patterns::{Masker, PatternId};
use crate::store::StoreError;
use crate::store::logs::block::Columns;
use crate::store::logs::{Counters, Snapshot, fields};
use sonde_shared::api::{PatternValues, ScannedLines, SlotValues, ValueCount};
use sonde_shared::time::TimeRange;
use std::collections::{BTreeMap, HashMap};

/// What a count of values may take.
#[derive(Clone, Copy, Debug)]
pub struct ValueLimits {
    /// The most lines that are read.
    pub lines: u64,
    /// The most different values of a variable part that are kept.
    pub distinct: usize,
    /// The most bytes of values that are kept.
    pub bytes: usize,
}

impl ValueLimits {
    /// What a request may take.
    pub const USUAL: Self = Self { lines: 200_000, distinct: 10_000, bytes: 16 << 20 };
}

/// Whose values are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValuesOf {
    /// Those of one variable part of a pattern's lines, or of all.
    Pattern(PatternId, Option<usize>),
    /// Those of a field, of lines of whatever pattern.
    Field(String),
}

/// A field's value that is longer is counted and not kept: nobody looks for lines by it.
const MAX_FIELD_BYTES: usize = 1_000;

/// Values of one variable part, or of a field.
#[derive(Debug, Default)]
struct Slot {
    counts: HashMap<Box<[u8]>, u64>,
    rest: u64,
    numbers: Numbers,
}

/// Counts values of lines.
#[derive(Debug)]
struct ValueTally {
    of: ValuesOf,
    limits: ValueLimits,
    /// Each so many-th line is read.
    stride: u64,
    passed: u64,
    scanned: u64,
    matched: u64,
    bytes: usize,
    masker: Masker,
    slots: BTreeMap<usize, Slot>,
}

impl Tally for ValueTally {
    const READS_TEXT: bool = true;

    fn add_block(&mut self, _at: &BlockAt<'_>, _range: TimeRange) -> u64 {
        0
    }

    fn wants_next(&mut self) -> bool {
        let is_wanted = self.passed.is_multiple_of(self.stride);
        self.passed += 1;
        self.scanned += u64::from(is_wanted);
        is_wanted
    }

    fn add_line(&mut self, _at: &BlockAt<'_>, _columns: &Columns<'_>, _row: usize, line: &[u8]) {
        self.matched += 1;
        match &self.of {
            ValuesOf::Pattern(pattern, slot) => {
                let (pattern, slot) = (*pattern, *slot);
                self.add_variables(pattern, slot, line);
            }
            ValuesOf::Field(name) => {
                let Some(value) = value_in(line, name) else { return };
                let values = self.slots.entry(0).or_default();
                if value.len() > MAX_FIELD_BYTES {
                    values.rest += 1;
                } else {
                    values.add(value.as_bytes(), &self.limits, &mut self.bytes);
                }
            }
        }
    }
}

impl Slot {
    fn add(&mut self, value: &[u8], limits: &ValueLimits, bytes: &mut usize) {
        self.numbers.add(value);
        if let Some(count) = self.counts.get_mut(value) {
            *count += 1;
        } else if self.counts.len() < limits.distinct && *bytes + value.len() <= limits.bytes {
            *bytes += value.len();
            self.counts.insert(value.into(), 1);
        } else {
            self.rest += 1;
        }
    }
}

/// The lines of one range: first how many there are, then their values.
#[derive(Debug)]
struct Side {
    snapshot: Snapshot,
    filter: LineFilter,
    lines: LineCount,
    tally: Option<ValueTally>,
    values: Option<Count<ValueTally>>,
}

impl Side {
    fn new(snapshot: Snapshot, filter: LineFilter, tally: ValueTally) -> Option<Self> {
        let by_columns = LineFilter { text: TextFilter::default(), ..filter.clone() };
        let lines = LineCount::new(&snapshot, &by_columns)?;
        Some(Self { snapshot, filter, lines, tally: Some(tally), values: None })
    }

    fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        if let Some(mut tally) = self.tally.take_if(|_| self.lines.step(budget)) {
            tally.stride = self.lines.lines().div_ceil(tally.limits.lines.max(1)).max(1);
            self.values = Some(Count::new(&self.snapshot, self.filter.clone(), tally));
        }
        self.values.as_mut().is_some_and(|values| values.step(budget, counters))
    }

    fn finish(self) -> Result<(ScannedLines, BTreeMap<usize, Slot>), StoreError> {
        let tally = self.values.map(Count::finish).transpose()?.map(|(_, tally)| tally);
        let (scanned, matched, slots) =
            tally.map_or_else(Default::default, |tally| (tally.scanned, tally.matched, tally.slots));
        Ok((ScannedLines { total: self.lines.lines(), scanned, matched }, slots))
    }
}

/// Counts values, step by step.
#[derive(Debug)]
pub struct ValueCounts {
    selection: Option<Side>,
    baseline: Option<Side>,
}

impl ValueCounts {
    /// A count that has not begun. Each range has a snapshot and a filter, which need not ask for the pattern.
    pub fn new(
        of: &ValuesOf,
        limits: ValueLimits,
        selection: (Snapshot, LineFilter),
        baseline: Option<(Snapshot, LineFilter)>,
    ) -> Self {
        let side = |(snapshot, mut filter): (Snapshot, LineFilter)| {
            if let ValuesOf::Pattern(pattern, _) = of {
                filter.patterns = [*pattern].into();
            }
            Side::new(snapshot, filter, ValueTally::new(of.clone(), limits))
        };
        Self { selection: side(selection), baseline: baseline.and_then(side) }
    }

    /// Goes on counting; whether it is done. Reads mapped files: not for async threads.
    pub fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        let mut step = |side: &mut Side| side.step(budget, counters);
        self.selection.as_mut().is_none_or(&mut step) && self.baseline.as_mut().is_none_or(&mut step)
    }

    /// The answer with at most `limit` values a part, or of the field, when the last step is done.
    pub fn finish(self, limit: usize) -> Result<PatternValues, StoreError> {
        let (lines, slots) = self.selection.map(Side::finish).transpose()?.unwrap_or_default();
        let baseline = self.baseline.map(Side::finish).transpose()?;
        let before = baseline.as_ref().map(|(_, slots)| slots);
        Ok(PatternValues {
            lines,
            baseline: baseline.as_ref().map(|(lines, _)| *lines),
            slots: slots
                .into_iter()
                .map(|(slot, values)| most_frequent(slot, values, before, limit))
                .collect(),
        })
    }
}

impl ValueTally {
    fn new(of: ValuesOf, limits: ValueLimits) -> Self {
        let (masker, slots) = (Masker::default(), BTreeMap::new());
        Self { of, limits, stride: 1, passed: 0, scanned: 0, matched: 0, bytes: 0, masker, slots }
    }

    fn add_variables(&mut self, pattern: PatternId, slot: Option<usize>, line: &[u8]) {
        let Ok(fields) = fields::read(line) else { return };
        let message = fields.message;
        let inside = message.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(message);
        let masked = self.masker.mask(message);
        // Lines of all the patterns that a segment has no number for are counted as one pattern.
        if masked.id() != pattern {
            return;
        }
        let text = masked.text(inside.as_bytes());
        for (number, range) in masked.variables().filter(|(number, _)| slot.is_none_or(|one| one == *number))
        {
            let values = self.slots.entry(number).or_default();
            values.add(&text[range], &self.limits, &mut self.bytes);
        }
    }
}

fn most_frequent(
    slot: usize,
    values: Slot,
    baseline: Option<&BTreeMap<usize, Slot>>,
    limit: usize,
) -> SlotValues {
    let before = baseline.map(|slots| slots.get(&slot));
    let distinct = values.counts.len() as u64;
    let lines = values.counts.values().sum::<u64>() + values.rest;
    let none = Numbers::default();
    let numbers_before = before.map(|slot| slot.map_or(&none, |slot| &slot.numbers));
    let is_of_numbers = 2 * values.numbers.lines() > lines;
    let numbers = is_of_numbers.then(|| spread(&values.numbers, numbers_before)).flatten();
    let mut list: Vec<(Box<[u8]>, u64)> = values.counts.into_iter().collect();
    list.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list.truncate(limit);
    let earlier = |value: &[u8]| before.map(|slot| slot.and_then(|slot| slot.counts.get(value)).copied());
    let shown = list.into_iter().map(|(value, count)| ValueCount {
        baseline_count: earlier(&value).map(Option::unwrap_or_default),
        value: String::from_utf8_lossy(&value).into_owned(),
        count,
    });
    SlotValues {
        slot,
        lines,
        distinct,
        rest: values.rest,
        baseline_rest: before.map(|slot| slot.map_or(0, |slot| slot.rest)),
        values: shown.collect(),
        numbers,
    }
}

#[cfg(test)]
mod tests {
    use super::super::logs::tests::{SHORT, TestLine, line, store_all};
    use super::*;
    use crate::patterns::pattern_id;
    use crate::store::Store;
    use proptest::prelude::*;
    use sonde_shared::time::Timestamp;

    /// A line whose message has two variable parts, the first in a string with escapes.
    fn valued(number: usize, (secs, user, millis): (i64, u8, u8)) -> TestLine {
        let plain = line(number, (secs, 0, 0, 2));
        let text = format!(
            r#"{{"ts":"{}","component":"app.git","msg":"user \"u{user}\" took {millis} ms"}}"#,
            plain.ts
        );
        TestLine { text, ..plain }
    }

    fn values(store: &Store, slot: Option<usize>, limits: ValueLimits, split: Timestamp) -> PatternValues {
        let logs = store.logs();
        let side = |from, until| {
            let range = TimeRange { from, until };
            (logs.snapshot(range).unwrap(), LineFilter::all(range))
        };
        let id = pattern_id(br#"user "<*>" took <*> ms"#);
        let baseline = Some(side(Timestamp::MIN, split));
        let of = ValuesOf::Pattern(id, slot);
        let mut counts = ValueCounts::new(&of, limits, side(split, Timestamp::MAX), baseline);
        while !counts.step(&mut SHORT.clone(), logs.counters()) {}
        counts.finish(1_000).unwrap()
    }

    /// Values with their counts from and before an instant, in the order of an answer.
    fn naive(rows: &[(i64, String)], split: i64) -> Vec<ValueCount> {
        let mut counts = BTreeMap::<&str, (u64, u64)>::new();
        for (secs, value) in rows {
            let count = counts.entry(value).or_default();
            if *secs >= split { count.0 += 1 } else { count.1 += 1 }
        }
        let mut list: Vec<ValueCount> = counts
            .into_iter()
            .filter(|(_, (count, _))| *count > 0)
            .map(|(value, (count, before))| ValueCount {
                value: value.to_owned(),
                count,
                baseline_count: Some(before),
            })
            .collect();
        list.sort_by_key(|value| std::cmp::Reverse(value.count));
        list
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn values_are_counted_as_a_naive_scan_counts_them(
            rows in prop::collection::vec((0_i64..20, 0_u8..6, 0_u8..30), 1..100),
            split in 0_i64..20,
            batch_lines in 1_usize..40,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let lines: Vec<TestLine> = rows.iter().enumerate().map(|(at, row)| valued(at, *row)).collect();
            let others: Vec<TestLine> = (0..10).map(|number| line(number, (5, 0, 0, 2))).collect();
            let store = store_all(dir.path(), &[lines, others].concat(), batch_lines);
            let at = line(0, (split, 0, 0, 2)).ts;
            let answer = values(&store, None, ValueLimits::USUAL, at);
            let inside = rows.iter().filter(|(secs, ..)| *secs >= split).count() as u64;
            prop_assert_eq!(answer.lines, ScannedLines { total: inside, scanned: inside, matched: inside });
            if inside > 0 {
                let users: Vec<_> = rows.iter().map(|(secs, user, _)| (*secs, format!("u{user}"))).collect();
                let times: Vec<_> = rows.iter().map(|(secs, _, ms)| (*secs, ms.to_string())).collect();
                prop_assert_eq!(&answer.slots[0].values, &naive(&users, split));
                prop_assert_eq!(&answer.slots[1].values, &naive(&times, split));
                let one = values(&store, Some(1), ValueLimits::USUAL, at);
                prop_assert_eq!(&one.slots[..], &answer.slots[1..]);
            }
        }
    }

    #[test]
    fn numbers_are_told_by_their_spread_whatever_is_kept_of_values() {
        let lines: Vec<TestLine> =
            (0..200).map(|at| valued(at, ((at / 100) as i64, 3, (at % 100) as u8))).collect();
        let dir = tempfile::tempdir().unwrap();
        let store = store_all(dir.path(), &lines, 30);
        let limits = ValueLimits { distinct: 2, ..ValueLimits::USUAL };
        let answer = values(&store, None, limits, line(0, (1, 0, 0, 2)).ts);
        assert_eq!(answer.slots[0].numbers, None, "users have names");
        let took = answer.slots[1].numbers.as_ref().unwrap();
        assert_eq!(took.quartiles, [0.0, 24.0, 49.0, 74.0, 99.0]);
        assert_eq!(took.counts.iter().sum::<u64>(), 100);
        assert_eq!((&took.baseline_quartiles, &took.baseline_counts), (&took.quartiles, &took.counts));
    }

    #[test]
    fn what_is_too_much_is_counted_and_not_kept() {
        let lines: Vec<TestLine> = (0..100).map(|at| valued(at, (3, at as u8, 7))).collect();
        let dir = tempfile::tempdir().unwrap();
        let store = store_all(dir.path(), &lines, 30);
        let check = |limits: ValueLimits, scanned: u64, distinct: u64| {
            let answer = values(&store, None, limits, Timestamp::MIN);
            assert_eq!(answer.lines, ScannedLines { total: 100, scanned, matched: scanned });
            assert_eq!((answer.slots[0].distinct, answer.slots[0].rest), (distinct, scanned - distinct));
        };
        let usual = ValueLimits::USUAL;
        check(usual, 100, 100);
        check(ValueLimits { distinct: 8, ..usual }, 100, 8);
        check(ValueLimits { bytes: 11, ..usual }, 100, 5);
        check(ValueLimits { lines: 30, ..usual }, 25, 25);
    }

    #[test]
    fn a_fields_values_are_counted_whatever_lines_say_and_long_ones_are_not_kept() {
        let fielded = |number: usize, rest: &str| {
            let plain = line(number, (3, 0, 0, 2));
            let text = format!(r#"{{"ts":"{}","component":"app","msg":"m{number}"{rest}}}"#, plain.ts);
            TestLine { text, ..plain }
        };
        let long = format!(r#","grain":"{}""#, "x".repeat(MAX_FIELD_BYTES + 1));
        let rests = [
            r#","grain":"rye""#,
            r#","grain":"r\u0079e","grain":"oat""#,
            r#","grain":7"#,
            r#","grain":{"a":1}"#,
            r#","deep":{"grain":"rye"}"#,
            &long,
            "",
        ];
        let lines: Vec<TestLine> = rests.iter().enumerate().map(|(at, rest)| fielded(at, rest)).collect();
        let dir = tempfile::tempdir().unwrap();
        let store = store_all(dir.path(), &lines, 2);
        let logs = store.logs();
        let side = (logs.snapshot(TimeRange::all()).unwrap(), LineFilter::all(TimeRange::all()));
        let of = ValuesOf::Field("grain".to_owned());
        let mut counts = ValueCounts::new(&of, ValueLimits::USUAL, side, None);
        while !counts.step(&mut SHORT.clone(), logs.counters()) {}
        let answer = counts.finish(10).unwrap();
        assert_eq!(answer.lines, ScannedLines { total: 7, scanned: 7, matched: 7 });
        let slot = &answer.slots[0];
        assert_eq!((slot.lines, slot.distinct, slot.rest), (4, 2, 1));
        let values: Vec<_> = slot.values.iter().map(|one| (one.value.as_str(), one.count)).collect();
        assert_eq!(values, [("rye", 2), ("7", 1)]);
    }
}

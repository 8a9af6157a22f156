//! What the matching lines say: their patterns, how often each occurs, and a line of each.
//!
//! Patterns are numbers of a column, so counting reads no text. Which line is an example is found, and its text read,
//! only for patterns that are sent.

use super::budget::Budget;
use super::logs::{BlockAt, BlockWalk, LineFilter, SegmentAt, SegmentFilter, Taken};
use super::tally::{Count, Tally};
use crate::patterns::{Counted, Group, PatternId, group, pattern_id};
use crate::store::StoreError;
use crate::store::logs::block::{Block, Columns, Row};
use crate::store::logs::dictionary::NameList;
use crate::store::logs::text::TextReader;
use crate::store::logs::{Counters, SegmentView, Snapshot};
use foldhash::fast::RandomState;
use serde_json::value::RawValue;
use sonde_shared::api::{Envelope, FacetCount, PatternCount, Patterns, PatternsLeftOut};
use sonde_shared::log::Level;
use sonde_shared::time::TimeRange;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;

/// Where a line of a pattern is.
#[derive(Clone, Copy, Debug)]
struct Place {
    segment: usize,
    /// The pattern's number in the segment.
    pattern: u16,
    /// The last block with a match where none is named.
    block: Option<usize>,
    /// The pattern's match in the block that was stored last where none is named.
    row: Option<usize>,
}

/// Lines of one pattern, and where one of them is.
#[derive(Clone, Copy, Debug)]
struct Lines {
    count: u64,
    /// Those of them whose level is told, by level.
    levels: [u64; Level::COUNT],
    last: Place,
}

/// Counts lines by pattern.
#[derive(Debug, Default)]
struct PatternTally {
    segment: Option<usize>,
    templates: Option<NameList>,
    by_number: Vec<Option<Lines>>,
    /// Seeded, since senders choose what templates are of.
    by_template: HashMap<Box<str>, Lines, RandomState>,
}

impl Tally for PatternTally {
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64 {
        self.enter(at.segment, at.view);
        let columns = at.view.segment.columns(at.block, &at.view.published);
        if at.filter.takes_all(at.block) {
            let place = |pattern| Place { segment: at.segment, pattern, block: Some(at.number), row: None };
            columns.each_pattern(|pattern, level| self.add(1, Some(level), place(pattern)));
            return columns.len() as u64;
        }
        let rows = columns.rows_in(range);
        let seen = rows.len() as u64;
        for row in rows.filter(|row| at.filter.matches(&columns, *row)) {
            self.add_row(at, &columns, row);
        }
        seen
    }

    fn add_segment(&mut self, at: &SegmentAt<'_>) -> Taken {
        if !at.filter.holds_all_of(at.view) {
            return Taken::Nothing;
        }
        let place = |pattern| Place { segment: at.segment, pattern, block: None, row: None };
        if let Some(kinds) = at.filter.kinds(at.summary, false, true) {
            self.enter(at.segment, at.view);
            let seen = kinds.len() as u64;
            let found = kinds.filter(|kind| at.filter.takes(kind));
            found.for_each(|kind| self.add(kind.lines, Some(kind.level), place(kind.pattern)));
            return Taken::All(seen);
        }
        if !at.filter.is_of_times() || at.summary.is_so_far() {
            return Taken::Nothing;
        }
        // There are too many kinds of lines to tell levels apart.
        self.enter(at.segment, at.view);
        let patterns = at.summary.all().patterns();
        patterns.for_each(|(number, lines)| self.add(lines, None, place(number)));
        Taken::All(at.view.published.patterns.len() as u64)
    }

    fn add_line(&mut self, at: &BlockAt<'_>, columns: &Columns<'_>, row: usize, _line: &[u8]) {
        self.enter(at.segment, at.view);
        self.add_row(at, columns, row);
    }
}

impl PatternTally {
    fn enter(&mut self, segment: usize, view: &SegmentView) {
        if self.segment.replace(segment) != Some(segment) {
            self.leave();
            self.by_number.resize(view.published.patterns.len(), None);
            self.templates = Some(view.published.patterns.clone());
        }
    }

    fn add_row(&mut self, at: &BlockAt<'_>, columns: &Columns<'_>, row: usize) {
        let pattern = columns.pattern(row);
        let place = |row| Place { segment: at.segment, pattern, block: Some(at.number), row: Some(row) };
        let known = self.by_number.get(usize::from(pattern)).copied().flatten().map(|lines| lines.last);
        let is_here = |known: &Place| (known.segment, known.block) == (at.segment, Some(at.number));
        let latest = known.filter(is_here).and_then(|known| known.row).into_iter().chain([row]);
        let latest = latest.max_by_key(|row| columns.arrival(*row)).unwrap_or(row);
        self.add(1, Some(columns.level(row)), place(latest));
    }

    /// Adds lines of a pattern, all of them of one level if it is told.
    fn add(&mut self, lines: u64, level: Option<Level>, last: Place) {
        let Some(known) = self.by_number.get_mut(usize::from(last.pattern)) else { return };
        let known = known.get_or_insert(Lines { count: 0, levels: [0; Level::COUNT], last });
        known.last = last;
        known.count += lines;
        if let Some(level) = level {
            known.levels[level as usize] += lines;
        }
    }

    fn leave(&mut self) {
        let templates = self.templates.take();
        let counted = templates.iter().flat_map(NameList::iter).zip(self.by_number.drain(..));
        for (template, lines) in counted.filter_map(|(template, lines)| Some((template, lines?))) {
            // A pattern is kept once, however many segments have it.
            match self.by_template.get_mut(template) {
                Some(known) => *known = known.and(lines),
                None => drop(self.by_template.insert(template.into(), lines)),
            }
        }
    }

    fn finish(mut self) -> BTreeMap<Box<str>, Lines> {
        self.leave();
        self.by_template.into_iter().collect()
    }
}

impl Lines {
    /// These and those of a later segment, or of another pattern.
    fn and(mut self, later: Self) -> Self {
        self.levels.iter_mut().zip(later.levels).for_each(|(sum, lines)| *sum += lines);
        Self { count: self.count + later.count, levels: self.levels, last: later.last }
    }

    /// Lines of each level, the worst first; nothing where not all lines' levels are told.
    fn told_levels(&self) -> Vec<FacetCount> {
        if self.levels.iter().sum::<u64>() < self.count {
            return Vec::new();
        }
        let told = Level::ALL.into_iter().rev().map(|level| (level.name(), self.levels[level as usize]));
        let told = told.filter(|(_, lines)| *lines > 0);
        told.map(|(level, count)| FacetCount { value: level.to_owned(), count }).collect()
    }
}

/// Counts a query's matches by pattern, step by step, and those of a baseline beside them.
#[derive(Debug)]
pub struct PatternCounts {
    selection: Count<PatternTally>,
    baseline: Option<Count<PatternTally>>,
}

impl PatternCounts {
    /// A count that has not begun. The baseline is another snapshot with a filter of its own.
    pub fn new(selection: (&Snapshot, LineFilter), baseline: Option<(&Snapshot, LineFilter)>) -> Self {
        let count = |(snapshot, filter): (&Snapshot, LineFilter)| {
            Count::new(snapshot, filter, PatternTally::default())
        };
        Self { selection: count(selection), baseline: baseline.map(count) }
    }

    /// Goes on counting; whether it is done. Reads mapped files: not for async threads.
    pub fn step(&mut self, budget: &mut Budget, counters: &Counters) -> bool {
        self.selection.step(budget, counters)
            && self.baseline.as_mut().is_none_or(|baseline| baseline.step(budget, counters))
    }

    /// The answer, when the last step is done: at most `limit` patterns, joined into groups when asked for. Reads mapped
    /// files: not for async threads.
    pub fn finish(
        self,
        is_grouped: bool,
        limit: usize,
        counters: &Counters,
    ) -> Result<Patterns<Box<RawValue>>, StoreError> {
        let (blocks, tally) = self.selection.finish()?;
        let baseline = match self.baseline {
            Some(count) => Some(Baseline::of(count.finish()?.1)),
            None => None,
        };
        let lines = tally.finish();
        let mut groups = groups(&lines, is_grouped);
        let total = groups.iter().map(|group| group.count).sum();
        let rest = groups.split_off(limit.min(groups.len()));
        let by_id = lines.iter().map(|(template, lines)| (pattern_id(template.as_bytes()), *lines));
        let mut examples = Examples {
            blocks: &blocks,
            lines: by_id.collect(),
            reader: TextReader::default(),
            filter: None,
            counters,
        };
        let shown = groups.into_iter().map(|group| {
            Ok(PatternCount {
                id: group.members[0].to_string(),
                example: examples.read(group.members[0])?,
                count: group.count,
                levels: examples.levels(&group.members),
                baseline_count: baseline.as_ref().map(|baseline| baseline.lines(&group.members)),
                pattern: group.template,
                members: group.members.iter().filter(|_| is_grouped).map(ToString::to_string).collect(),
            })
        });
        Ok(Patterns {
            total,
            baseline_total: baseline.as_ref().map(|baseline| baseline.total),
            patterns: shown.collect::<Result<_, StoreError>>()?,
            left_out: PatternsLeftOut {
                patterns: rest.len() as u64,
                lines: rest.iter().map(|group| group.count).sum(),
            },
        })
    }
}

/// Patterns by falling count, each alone or with its like.
fn groups(lines: &BTreeMap<Box<str>, Lines>, is_grouped: bool) -> Vec<Group> {
    let counted = lines.iter().map(|(template, lines)| Counted {
        id: pattern_id(template.as_bytes()),
        template,
        count: lines.count,
    });
    if is_grouped {
        return group(&counted.collect::<Vec<_>>());
    }
    let alone = |one: Counted<'_>| Group {
        template: one.template.to_owned(),
        count: one.count,
        members: vec![one.id],
    };
    let mut groups: Vec<Group> = counted.map(alone).collect();
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.members.cmp(&b.members)));
    groups
}

/// The lines that a selection is compared with.
struct Baseline {
    total: u64,
    by_pattern: HashMap<PatternId, u64>,
}

impl Baseline {
    fn of(tally: PatternTally) -> Self {
        let lines = tally.finish();
        let by_pattern = lines.iter().map(|(text, lines)| (pattern_id(text.as_bytes()), lines.count));
        Self { total: lines.values().map(|lines| lines.count).sum(), by_pattern: by_pattern.collect() }
    }

    fn lines(&self, members: &[PatternId]) -> u64 {
        members.iter().filter_map(|id| self.by_pattern.get(id)).sum()
    }
}

/// What is told of each pattern that is sent: its levels and a line, which is read.
struct Examples<'a> {
    blocks: &'a BlockWalk,
    lines: HashMap<PatternId, Lines>,
    reader: TextReader,
    /// The filter in the numbers of the segment that an example was in last.
    filter: Option<(usize, SegmentFilter)>,
    counters: &'a Counters,
}

impl Examples<'_> {
    fn levels(&self, members: &[PatternId]) -> Vec<FacetCount> {
        let lines = members.iter().filter_map(|id| self.lines.get(id)).copied().reduce(Lines::and);
        lines.map_or_else(Vec::new, |lines| lines.told_levels())
    }

    fn read(&mut self, id: PatternId) -> Result<Envelope<Box<RawValue>>, StoreError> {
        let damaged = |why: String| StoreError::Damaged { path: "the index of patterns".into(), why };
        let place = self
            .lines
            .get(&id)
            .map(|lines| lines.last)
            .ok_or_else(|| damaged(format!("no line has pattern {id}")))?;
        let view = self.blocks.view(place.segment);
        let known = self.filter.take().filter(|(segment, _)| *segment == place.segment);
        let (_, filter) = self
            .filter
            .insert(known.unwrap_or_else(|| (place.segment, self.blocks.filter().in_segment(view))));
        let row = row_at(view, filter, place).ok_or_else(|| damaged(format!("no row has pattern {id}")))?;
        let line = self.reader.line(&view.segment, &row)?;
        self.counters.text_bytes_read.fetch_add(line.len() as u64, Ordering::Relaxed);
        let text = String::from_utf8_lossy(&line[..line.len() - 1]).into_owned();
        let line = RawValue::from_string(text).map_err(|error| damaged(error.to_string()))?;
        Ok(envelope(view, &row, line))
    }
}

/// The row that a place means: the one it names, or the match in the block that was stored last, or in the last block that has
/// one. So it is the same line wherever blocks end, which in an open segment hangs on how its lines came.
fn row_at(view: &SegmentView, filter: &SegmentFilter, place: Place) -> Option<Row> {
    let Some(number) = place.block else {
        let mut numbers = (0..view.published.blocks.len()).rev();
        return numbers.find_map(|number| row_in(view, filter, &view.block(number), place.pattern));
    };
    let block = view.block(number);
    let columns = view.segment.columns(&block, &view.published);
    let latest = || {
        let rows = (0..columns.len()).filter(|row| columns.pattern(*row) == place.pattern);
        rows.max_by_key(|row| columns.arrival(*row))
    };
    place.row.or_else(latest).map(|row| columns.row(row))
}

/// The match of a pattern in a block that was stored last: the same row that counting the block by itself would have named.
fn row_in(view: &SegmentView, filter: &SegmentFilter, block: &Block, pattern: u16) -> Option<Row> {
    if !filter.may_match(block) || !block.counts().patterns().any(|(number, _)| number == pattern) {
        return None;
    }
    let columns = view.segment.columns(block, &view.published);
    let is_meant = |row: &usize| columns.pattern(*row) == pattern;
    let takes_all = filter.takes_all(block);
    let rows = if takes_all { 0..columns.len() } else { columns.rows_in(filter.range()) };
    let is_match = |row: &usize| is_meant(row) && (takes_all || filter.matches(&columns, *row));
    let row = rows.filter(is_match).max_by_key(|row| columns.arrival(*row));
    row.map(|row| columns.row(row))
}

fn envelope(view: &SegmentView, row: &Row, line: Box<RawValue>) -> Envelope<Box<RawValue>> {
    let name =
        |names: &NameList, number: u16| names.get(usize::from(number)).map(str::to_owned).unwrap_or_default();
    Envelope {
        t: row.ts.as_nanos(),
        c: name(&view.published.components, row.component),
        h: name(&view.published.hosts, row.host),
        l: row.level,
        p: pattern_id(name(&view.published.patterns, row.pattern).as_bytes()).to_string(),
        id: format!("{}~{:04}~{}", view.segment.day(), view.segment.number(), row.arrival),
        line,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::logs::tests::{SHORT, TestLine, any_filter, any_lines, matching, store_all};
    use super::*;
    use crate::store::Store;
    use proptest::prelude::*;

    pub(in super::super) fn patterns(
        store: &Store,
        filter: &LineFilter,
        baseline: Option<&LineFilter>,
        is_grouped: bool,
        limit: usize,
    ) -> Patterns<Box<RawValue>> {
        let logs = store.logs();
        let snapshot = |filter: &LineFilter| logs.snapshot(filter.range).unwrap();
        let other = baseline.map(|filter| (snapshot(filter), filter.clone()));
        let other = other.as_ref().map(|(snapshot, filter)| (snapshot, filter.clone()));
        let mut counts = PatternCounts::new((&snapshot(filter), filter.clone()), other);
        while !counts.step(&mut SHORT.clone(), logs.counters()) {}
        counts.finish(is_grouped, limit, logs.counters()).unwrap()
    }

    fn naive(found: &[&TestLine]) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for line in found {
            *counts.entry(line.pattern.to_owned()).or_default() += 1;
        }
        counts
    }

    fn check(store: &Store, lines: &[TestLine], filter: &LineFilter, baseline: &LineFilter) {
        let (found, before) = (matching(lines, filter), naive(&matching(lines, baseline)));
        let answer = patterns(store, filter, Some(baseline), false, 100);
        let counts: BTreeMap<String, u64> =
            answer.patterns.iter().map(|one| (one.pattern.clone(), one.count)).collect();
        assert_eq!(counts, naive(&found));
        assert_eq!((answer.total, answer.baseline_total), (found.len() as u64, Some(before.values().sum())));
        assert!(answer.patterns.is_sorted_by_key(|one| std::cmp::Reverse(one.count)));
        for one in &answer.patterns {
            assert_eq!(one.id, pattern_id(one.pattern.as_bytes()).to_string());
            assert_eq!(one.baseline_count, Some(before.get(&one.pattern).copied().unwrap_or(0)));
            let mut candidates = found.iter().filter(|line| line.pattern == one.pattern);
            let of_level =
                |level: Level| candidates.clone().filter(|line| line.level == level).count() as u64;
            let levels = Level::ALL.into_iter().rev().map(|level| (level.name(), of_level(level)));
            let levels: Vec<_> = levels.filter(|(_, lines)| *lines > 0).collect();
            let told: Vec<_> = one.levels.iter().map(|one| (one.value.as_str(), one.count)).collect();
            assert_eq!(told, levels, "{}", one.pattern);
            let example = &one.example;
            let line =
                candidates.find(|line| line.text == example.line.get()).expect("a line of the selection");
            let told = (example.t, example.c.as_str(), example.h.as_str(), example.l);
            assert_eq!(told, (line.ts.as_nanos(), line.component, line.host, line.level));
        }
        let cut = patterns(store, filter, None, false, 1);
        assert_eq!(cut.patterns.iter().map(|one| one.count).sum::<u64>() + cut.left_out.lines, answer.total);
        assert_eq!(cut.patterns.len() as u64 + cut.left_out.patterns, answer.patterns.len() as u64);
        let grouped = patterns(store, filter, Some(baseline), true, 100);
        assert_eq!(grouped.patterns.iter().map(|one| one.count).sum::<u64>(), answer.total);
        let members = grouped.patterns.iter().flat_map(|one| &one.members);
        let mut members: Vec<&str> = members.map(String::as_str).collect();
        let mut ids: Vec<&str> = answer.patterns.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((members.sort_unstable(), members), (ids.sort_unstable(), ids));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn patterns_are_counted_as_a_naive_scan_counts_them(
            lines in any_lines(),
            filters in prop::collection::vec((any_filter(), any_filter()), 3),
            batch_lines in 1_usize..50,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let store = store_all(dir.path(), &lines, batch_lines);
            for (filter, baseline) in &filters {
                check(&store, &lines, filter, baseline);
            }
            let all = LineFilter::all(TimeRange::all());
            check(&store, &lines, &all, &all);
        }
    }

    #[test]
    fn levels_are_told_of_all_lines_or_not_at_all() {
        let mut levels = [0; Level::COUNT];
        levels[Level::Info as usize] = 7;
        levels[Level::Error as usize] = 2;
        let last = Place { segment: 0, pattern: 0, block: None, row: None };
        let told = |count: u64| Lines { count, levels, last }.told_levels();
        let nine: Vec<_> = told(9).into_iter().map(|one| (one.value, one.count)).collect();
        assert_eq!(nine, [("error".to_owned(), 2), ("info".to_owned(), 7)]);
        assert!(told(10).is_empty());
    }

    #[test]
    fn text_is_read_for_the_examples_alone() {
        let rows = (0..400).map(|number| super::super::logs::tests::line(number, (3, 0, 0, 2)));
        let lines: Vec<TestLine> = rows.collect();
        let dir = tempfile::tempdir().unwrap();
        let store = store_all(dir.path(), &lines, 100);
        let answer = patterns(&store, &LineFilter::all(TimeRange::all()), None, false, 2);
        let sent: u64 = answer.patterns.iter().map(|one| one.example.line.get().len() as u64 + 1).sum();
        assert_eq!((answer.patterns.len(), answer.left_out.patterns), (2, 1));
        assert_eq!(store.logs().counters().text_bytes_read.load(Ordering::Relaxed), sent);
    }
}

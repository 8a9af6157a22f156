//! Counts over finished segments, whatever became of their files, against a plain count of the same lines.

use super::components::ComponentCounts;
use super::density::Density;
use super::facets::count_facets;
use super::histogram::HistogramCounts;
use super::logs::tests::{SHORT, TestLine, any_filter, line, matching};
use super::logs::{Cursor, LineCount, LineFilter, LineStream, Reached, StreamOptions, TextFilter};
use super::patterns::tests::patterns;
use super::position::count_before;
use crate::store::Store;
use crate::store::batch::{Durability, LineBatch};
use crate::store::file_view::Reading;
use proptest::prelude::*;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use sonde_shared::view::Order;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What has become of a folder's files since its lines were stored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// The last segment is still written to.
    Written,
    /// The server was started again.
    Restarted,
    /// Each index was lost.
    Lost,
    /// Each summary has a wrong byte.
    SummaryDamaged,
    /// All heads of blocks are damaged.
    HeadsDamaged,
    /// The columns of all blocks are damaged.
    ColumnsDamaged,
    /// The version before has written them.
    FormerVersion,
}

pub(super) const FATES: [Fate; 7] = [
    Fate::Written,
    Fate::Restarted,
    Fate::Lost,
    Fate::SummaryDamaged,
    Fate::HeadsDamaged,
    Fate::ColumnsDamaged,
    Fate::FormerVersion,
];

/// What ends an index behind its summary: length, checksum, kind and version.
const TAIL_BYTES: usize = 12;
const BLOCK_HEAD_BYTES: usize = 76;

fn indexes(dir: &Path) -> Vec<PathBuf> {
    let days =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = days.flat_map(|day| std::fs::read_dir(day).unwrap().map(|entry| entry.unwrap().path()));
    files.filter(|path| path.extension().is_some_and(|kind| kind == "idx")).collect()
}

fn summary_at(index: &[u8]) -> usize {
    let tail = index.len() - TAIL_BYTES;
    tail - u32::from_le_bytes(*index[tail..].first_chunk().unwrap()) as usize
}

/// Where each block begins and where its columns do.
fn blocks(index: &[u8]) -> Vec<(usize, usize)> {
    let number = |at: usize| u32::from_le_bytes(*index[at..].first_chunk().unwrap()) as usize;
    let (mut at, mut found) = (if index.starts_with(b"SNDIDS") { 12 } else { 8 }, Vec::new());
    while at < summary_at(index) {
        let columns = at + BLOCK_HEAD_BYTES + number(at + 12) + number(at + 60);
        found.push((at, columns));
        at = columns + number(at + 64);
    }
    found
}

fn befall(fate: Fate, index: &mut Vec<u8>) {
    match fate {
        Fate::Written | Fate::Restarted | Fate::Lost => {}
        Fate::SummaryDamaged => {
            let at = summary_at(index).midpoint(index.len());
            index[at] ^= 4;
        }
        Fate::HeadsDamaged => blocks(index).into_iter().for_each(|(head, _)| index[head + 36] ^= 4),
        Fate::ColumnsDamaged => blocks(index).into_iter().for_each(|(_, columns)| index[columns] ^= 4),
        Fate::FormerVersion => {
            index.truncate(summary_at(index));
            index[7] = b'3';
        }
    }
}

/// Stores lines, each part of them in a segment of each day it is of; then what is to become of their files does.
pub(super) fn store(dir: &Path, parts: &[&[TestLine]], is_sealed: bool, fate: Fate) -> Store {
    store_read(dir, parts, is_sealed, fate, Reading::Mapped)
}

fn store_read(dir: &Path, parts: &[&[TestLine]], is_sealed: bool, fate: Fate, reading: Reading) -> Store {
    let open = || Store::open_reading(dir, false, reading).unwrap();
    let mut store = open();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            drop(store);
            store = open();
        }
        for chunk in part.chunks(20) {
            let mut batch = LineBatch::default();
            for line in chunk {
                batch.push_line(line.text.as_bytes()).unwrap();
            }
            futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
        }
    }
    let is_written = matches!(fate, Fate::Written);
    if !is_written {
        drop(store);
        store = open();
    }
    if is_sealed {
        store.logs().seal_finished().unwrap();
    }
    if is_written {
        return store;
    }
    drop(store);
    for path in indexes(dir) {
        let mut index = std::fs::read(&path).unwrap();
        befall(fate, &mut index);
        std::fs::remove_file(&path).unwrap();
        if !matches!(fate, Fate::Lost) {
            std::fs::write(path, index).unwrap();
        }
    }
    open()
}

fn check_histogram(store: &Store, found: &[&TestLine], filter: &LineFilter, step_nanos: i64) {
    let snapshot = store.logs().snapshot(filter.range).unwrap();
    let mut counts = HistogramCounts::new(&snapshot, filter.clone(), step_nanos);
    while !counts.step(&mut SHORT.clone(), store.logs().counters()) {}
    let answer = counts.finish().unwrap();
    assert_eq!(answer.total, found.len() as u64);
    let from = Timestamp::from_millis(answer.from_ms);
    for level in Level::ALL {
        let mut expected: BTreeMap<i64, u64> = BTreeMap::new();
        for line in found.iter().filter(|line| line.level == level) {
            *expected.entry(line.ts.nanos_since(from) / step_nanos).or_default() += 1;
        }
        let told = (0..).zip(answer.levels.get(level).iter().copied()).filter(|(_, lines)| *lines > 0);
        assert_eq!(told.collect::<BTreeMap<i64, u64>>(), expected, "{level:?}");
    }
}

fn counted<'a>(values: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    values
        .filter(|value| !value.is_empty())
        .for_each(|value| *counts.entry(value.to_owned()).or_default() += 1);
    counts
}

fn check_names(store: &Store, found: &[&TestLine], filter: &LineFilter) {
    let (logs, snapshot) = (store.logs(), store.logs().snapshot(filter.range).unwrap());
    let mut facets = count_facets(&snapshot, filter.clone());
    while !facets.step(&mut SHORT.clone(), logs.counters()) {}
    let facets = facets.facets(100).unwrap();
    let told = |list: Vec<sonde_shared::api::FacetCount>| -> BTreeMap<String, u64> {
        list.into_iter().map(|one| (one.value, one.count)).collect()
    };
    assert_eq!(facets.total, found.len() as u64);
    assert_eq!(told(facets.components), counted(found.iter().map(|line| line.component)));
    assert_eq!(told(facets.hosts), counted(found.iter().map(|line| line.host)));
    assert_eq!(told(facets.levels), counted(found.iter().map(|line| line.level.name())));
    let mut count = LineCount::new(&snapshot, filter).unwrap();
    while !count.step(&mut SHORT.clone()) {}
    assert_eq!(count.lines(), found.len() as u64);
}

fn check_components(store: &Store, lines: &[TestLine], range: TimeRange) {
    check_components_by(store, lines, range, None);
    // Of these ranges the first has buckets narrower than any slot, the others ones that are several slots wide.
    for most in [60, 24, 2] {
        check_components_by(store, lines, range, Some(Density::over(range, most)));
    }
}

fn check_components_by(store: &Store, lines: &[TestLine], range: TimeRange, density: Option<Density>) {
    let snapshot = store.logs().snapshot(range).unwrap();
    let mut counts = ComponentCounts::new(&snapshot, range, density);
    while !counts.step(&mut SHORT.clone(), store.logs().counters()) {}
    let answer = counts.finish();
    let found = matching(lines, &LineFilter::all(range));
    let errors = found.iter().filter(|line| line.level >= Level::Error);
    let errors = counted(errors.map(|line| line.component));
    let told = |count: fn(&sonde_shared::api::ComponentCount) -> u64| -> BTreeMap<String, u64> {
        let all = answer.components.iter().map(|one| (one.path.clone(), count(one)));
        all.filter(|(_, lines)| *lines > 0).collect()
    };
    assert_eq!(told(|one| one.lines), counted(found.iter().map(|line| line.component)));
    assert_eq!(told(|one| one.errors), errors);
    for one in &answer.components {
        let mut expected = vec![0; density.map_or(0, |density| density.count())];
        for line in found.iter().filter(|line| line.component == one.path) {
            density.and_then(|density| density.bucket(line.ts)).into_iter().for_each(|at| expected[at] += 1);
        }
        assert_eq!(one.density, expected, "{} {density:?}", one.path);
    }
    let hosts = answer.hosts.iter().map(|one| (one.name.clone(), one.lines)).collect::<BTreeMap<_, _>>();
    assert_eq!(hosts, counted(found.iter().map(|line| line.host)));
}

fn check_patterns(store: &Store, found: &[&TestLine], filter: &LineFilter) {
    let answer = patterns(store, filter, None, false, 100);
    let counts: BTreeMap<String, u64> =
        answer.patterns.iter().map(|one| (one.pattern.clone(), one.count)).collect();
    assert_eq!(counts, counted(found.iter().map(|line| line.pattern)));
    for one in &answer.patterns {
        let is_it = |line: &&TestLine| line.pattern == one.pattern && line.text == one.example.line.get();
        assert!(found.iter().any(is_it), "{}", one.example.line);
    }
    let told = answer.patterns.iter().flat_map(|one| {
        one.levels.iter().map(|level| ((one.pattern.as_str(), level.value.as_str()), level.count))
    });
    let mut expected = BTreeMap::new();
    for line in found {
        *expected.entry((line.pattern, line.level.name())).or_default() += 1_u64;
    }
    assert_eq!(told.collect::<BTreeMap<_, _>>(), expected);
}

fn check_stream(store: &Store, found: &[&TestLine], filter: &LineFilter) {
    let cursor = Cursor::new(store.logs().snapshot(filter.range).unwrap(), filter.clone(), Order::Ascending);
    let (mut stream, mut out) = (LineStream::new(cursor, StreamOptions::default()), Vec::new());
    while stream.fill(&mut out, usize::MAX, &mut SHORT.clone(), store.logs().counters()) != Reached::End {}
    let mut expected = found.to_vec();
    expected.sort_by_key(|line| line.ts);
    let expected: Vec<&str> = expected.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(), expected);
}

fn check(store: &Store, lines: &[TestLine], filter: &LineFilter, step_nanos: i64) {
    let found = matching(lines, filter);
    check_stream(store, &found, filter);
    check_histogram(store, &found, filter, step_nanos);
    check_names(store, &found, filter);
    check_patterns(store, &found, filter);
    check_components(store, lines, filter.range);
    let at = filter.range.from.plus_nanos(filter.range.nanos() / 2);
    let snapshot = store.logs().snapshot(filter.range).unwrap();
    let mut before = count_before(&snapshot, filter, Order::Ascending, at);
    while !before.step(&mut SHORT.clone(), store.logs().counters()) {}
    assert_eq!(before.lines().unwrap(), found.iter().filter(|line| line.ts < at).count() as u64);
}

/// Lines of some hours around a midnight, in no order.
fn any_row() -> impl Strategy<Value = (i64, usize, usize, u8)> {
    (prop_oneof![0_i64..200, -9_000_i64..9_000], 0_usize..5, 0_usize..3, 0_u8..6)
}

fn any_step() -> impl Strategy<Value = i64> {
    let ms = prop_oneof![
        900_i64..100_000,
        (1_i64..9).prop_map(|minutes| minutes * 60_000),
        (1_i64..9).prop_map(|tens| tens * 600_000),
        (1_i64..5).prop_map(|hours| hours * 3_600_000),
        60_001_i64..9_000_000,
    ];
    ms.prop_map(|ms| ms * 1_000_000)
}

prop_compose! {
    /// A filter without text, over a range with an end at a minute, at an hour or anywhere.
    fn any_question()(
        filter in any_filter(),
        ends in (-9_500_i64..9_500, -9_500_i64..9_500),
        grain in prop::sample::select(vec![1_i64, 60, 600, 3_600]),
        nanos in prop::sample::select(vec![0_i64, 0, 1, 999_999_999]),
        step in any_step(),
    ) -> (LineFilter, i64) {
        let origin = line(0, (10, 0, 0, 0)).ts;
        let at = |secs: i64| origin.plus_nanos(secs / grain * grain * NANOS_PER_SEC + nanos);
        let range = TimeRange::between(at(ends.0), at(ends.1));
        (LineFilter { range, text: TextFilter::default(), ..filter }, step)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn summaries_count_as_a_plain_count_does(
        rows in prop::collection::vec(any_row(), 1..150),
        questions in prop::collection::vec(any_question(), 1..5),
        parts in 1_usize..4,
        is_sealed in any::<bool>(),
        fate in prop::sample::select(FATES.as_slice()),
        reading in prop::sample::select(vec![Reading::Mapped, Reading::Pread]),
    ) {
        let lines: Vec<TestLine> = rows.into_iter().enumerate().map(|(number, row)| line(number, row)).collect();
        let parts: Vec<&[TestLine]> = lines.chunks(lines.len().div_ceil(parts)).collect();
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_none| tempfile::tempdir()).unwrap();
        let store = store_read(dir.path(), &parts, is_sealed, fate, reading);
        let first = lines.iter().map(|line| line.ts).min().unwrap();
        let last = lines.iter().map(|line| line.ts).max().unwrap();
        let all = LineFilter::all(TimeRange { from: first, until: last.plus_nanos(1) });
        for (filter, step) in questions.iter().chain([&(all, 3_600 * NANOS_PER_SEC)]) {
            check(&store, &lines, filter, *step);
        }
    }
}

/// Neither blocks nor text can be read any more, and nobody misses them.
#[test]
fn whole_segments_are_counted_by_their_summaries_alone() {
    let lines: Vec<TestLine> = (0..3_000)
        .map(|number| line(number, (number as i64 * 5 - 7_000, number % 5, number % 3, (number % 6) as u8)))
        .collect();
    for is_sealed in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        drop(store(dir.path(), &[&lines], is_sealed, Fate::Restarted));
        for path in indexes(dir.path()) {
            let mut index = std::fs::read(&path).unwrap();
            let (start, end) = (blocks(&index)[0].0, summary_at(&index));
            index[start..end].fill(0);
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, index).unwrap();
            let text = path.with_extension(if is_sealed { "ndjson.zst" } else { "ndjson" });
            let mut bytes = std::fs::read(&text).unwrap();
            let frames = if is_sealed { bytes.len() / 2 } else { bytes.len() };
            bytes[..frames].fill(b'x');
            std::fs::remove_file(&text).unwrap();
            std::fs::write(&text, bytes).unwrap();
        }
        let store = Store::open_as(dir.path(), false).unwrap();
        let range = TimeRange { from: lines[0].ts, until: lines[2_999].ts.plus_nanos(1) };
        let filter = LineFilter { level: Some(Level::Warn), ..LineFilter::all(range) };
        let found = matching(&lines, &filter);
        check_histogram(&store, &found, &filter, 3_600 * NANOS_PER_SEC);
        check_histogram(&store, &found, &filter, 60 * NANOS_PER_SEC);
        check_components(&store, &lines, range);
        assert_eq!(patterns(&store, &filter, None, false, 0).left_out.lines, found.len() as u64);
    }
}

/// Blocks that were made again are looked up like others, and a check tells which ones they are.
#[test]
fn damaged_heads_of_blocks_are_told_by_a_check() {
    let lines: Vec<TestLine> =
        (0..100).map(|number| line(number, (number as i64 % 9, number % 5, 0, 2))).collect();
    for (fate, problem) in [
        (Fate::HeadsDamaged, "index' block"),
        (Fate::ColumnsDamaged, "index' columns"),
        (Fate::Restarted, ""),
    ] {
        for is_sealed in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let day = lines[0].ts.day();
            drop(store(dir.path(), &[&lines], is_sealed, fate));
            let reports = crate::store::logs::check_day(dir.path(), day, Reading::Mapped).unwrap();
            let told = reports[0].problems.join(", ");
            assert!(told.contains(problem) && told.is_empty() == problem.is_empty(), "{fate:?}: {told}");
        }
    }
}

/// It would be written again at each start.
#[test]
fn an_index_of_the_version_before_becomes_the_one_of_this_version() {
    let lines: Vec<TestLine> = (0..20_000)
        .map(|number| {
            line(number, (number as i64 % 9_000 - 4_000, number % 5, number % 3, (number % 6) as u8))
        })
        .collect();
    for is_sealed in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        drop(store(dir.path(), &[&lines[..9_000], &lines[9_000..]], is_sealed, Fate::Restarted));
        let read = || indexes(dir.path()).iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>();
        let expected = read();
        for path in indexes(dir.path()) {
            let mut index = std::fs::read(&path).unwrap();
            befall(Fate::FormerVersion, &mut index);
            std::fs::write(path, index).unwrap();
        }
        let opened = Store::open_as(dir.path(), false).unwrap();
        check(
            &opened,
            &lines,
            &LineFilter::all(TimeRange {
                from: lines[0].ts.plus_nanos(-1),
                until: Timestamp::from_secs(1_764_999_999),
            }),
            600 * NANOS_PER_SEC,
        );
        assert!(read() == expected, "sealed: {is_sealed}");
    }
}

/// Of a segment that is written to all full blocks but the last few are counted by their sums.
#[test]
fn a_segment_that_is_written_to_is_counted_by_what_its_blocks_sum_up_to() {
    let lines: Vec<TestLine> = (0..60_000)
        .map(|number| {
            line(number, (10 + number as i64 * 7 % 3_600, number % 5, number % 3, (number % 6) as u8))
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_as(dir.path(), false).unwrap();
    for chunk in lines.chunks(6_000) {
        let mut batch = LineBatch::default();
        for line in chunk {
            batch.push_line(line.text.as_bytes()).unwrap();
        }
        futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
    }
    let range = TimeRange {
        from: lines.iter().map(|line| line.ts).min().unwrap(),
        until: lines.iter().map(|line| line.ts).max().unwrap().plus_nanos(1),
    };
    let snapshot = store.logs().snapshot(range).unwrap();
    let blocks = &snapshot.days[0].1[0].published.blocks;
    let summed = blocks.sums().unwrap().summary().unwrap().1;
    assert!(summed >= 4 && summed < blocks.len(), "{summed} of {}", blocks.len());
    let all = LineFilter::all(range);
    let part = TimeRange { from: range.from.plus_nanos(5), until: range.until.plus_nanos(-1_000_000) };
    let filters = [
        all.clone(),
        LineFilter { range: part, ..all.clone() },
        LineFilter { level: Some(Level::Error), ..all.clone() },
        LineFilter { components: vec![Selector::parse(lines[1].component).unwrap()], ..all.clone() },
        LineFilter { hosts: [lines[1].host.to_owned()].into(), ..all.clone() },
    ];
    for filter in &filters {
        for step_secs in [1, 60, 90, 86_400, 40 * 86_400] {
            check(&store, &lines, filter, step_secs * NANOS_PER_SEC);
        }
    }
    let before = store.logs().counters().rows_scanned.load(std::sync::atomic::Ordering::Relaxed);
    check_histogram(&store, &matching(&lines, &all), &all, 60 * NANOS_PER_SEC);
    check_components(&store, &lines, range);
    assert_eq!(store.logs().counters().rows_scanned.load(std::sync::atomic::Ordering::Relaxed), before);
}

//! Files of a day that were changed by chance or by hand, also with every checksum made right again: whatever is asked of
//! them, the answer is right or an error. Nothing panics, goes on for ever or takes memory without bound.
//!
//! `MUTATIONS` sets how many changed files are tried, `MUTATION_SEED` which ones.

mod mutate;

use super::budget::Budget;
use super::components::ComponentCounts;
use super::density::Density;
use super::facets::count_facets;
use super::histogram::HistogramCounts;
use super::logs::tests::{TestLine, line};
use super::logs::{Cursor, LineFilter, LineStream, Reached, StreamOptions, TextFilter};
use super::patterns::PatternCounts;
use super::position::count_before;
use crate::allocations;
use crate::store::StoreError;
use crate::store::batch::{Durability, LineBatch};
use crate::store::logs::{LogStore, Snapshot, check_day};
use mutate::Mutator;
use sonde_shared::component::Selector;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange};
use sonde_shared::view::Order;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// No answer over these few lines takes so many steps.
const MOST_STEPS: usize = 20_000;
/// Nothing asks for so much memory at once: a frame's text is bounded by 2 MiB.
const MOST_BYTES: usize = 8 << 20;

fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |value| value.parse().unwrap())
}

fn lines() -> Vec<TestLine> {
    (0..240)
        .map(|number| line(number, ((number as i64 * 7) % 9, number % 5, number % 3, (number % 6) as u8)))
        .collect()
}

/// Takes steps until an answer is there.
fn finish(mut step: impl FnMut() -> bool) {
    for _ in 0..MOST_STEPS {
        if step() {
            return;
        }
    }
    panic!("it goes on and on");
}

fn stream(
    store: &LogStore,
    snapshot: &Snapshot,
    filter: &LineFilter,
    order: Order,
    options: StreamOptions,
) -> Result<Vec<u8>, StoreError> {
    let mut stream = LineStream::new(Cursor::new(snapshot.clone(), filter.clone(), order), options);
    let (mut out, mut failure) = (Vec::new(), None);
    finish(|| match stream.fill(&mut out, usize::MAX, &mut Budget::of_rows(200), store.counters()) {
        Reached::Pause => false,
        Reached::End => true,
        Reached::Failed => {
            failure = stream.take_failure();
            true
        }
    });
    failure.map_or(Ok(out), Err)
}

fn filters(lines: &[TestLine]) -> [LineFilter; 4] {
    let at = |line: &TestLine| line.ts;
    let first = lines.iter().map(at).min().unwrap();
    let range = TimeRange { from: first, until: first.plus_nanos(9 * NANOS_PER_SEC) };
    let part =
        TimeRange { from: first.plus_nanos(2 * NANOS_PER_SEC), until: first.plus_nanos(6 * NANOS_PER_SEC) };
    [
        LineFilter::all(range),
        LineFilter::all(part),
        LineFilter { components: vec![Selector::parse("app.git").unwrap()], ..LineFilter::all(range) },
        LineFilter {
            text: TextFilter::containing("7"),
            hosts: ["n1".to_owned()].into(),
            ..LineFilter::all(range)
        },
    ]
}

/// Asks everything of a snapshot. What cannot be read may fail.
fn ask(store: &LogStore, snapshot: &Snapshot, filter: &LineFilter) -> Result<Vec<u8>, StoreError> {
    let counters = store.counters();
    let step = || Budget::of_rows(200);
    let all = stream(store, snapshot, filter, Order::Ascending, StreamOptions::default());
    let envelopes = StreamOptions { envelope: true, offset: 3, ..StreamOptions::default() };
    drop(stream(store, snapshot, filter, Order::Descending, envelopes));
    for step_nanos in [NANOS_PER_SEC, 60 * NANOS_PER_SEC] {
        let mut counts = HistogramCounts::new(snapshot, filter.clone(), step_nanos);
        finish(|| counts.step(&mut step(), counters));
        drop(counts.finish());
    }
    let mut facets = count_facets(snapshot, filter.clone());
    finish(|| facets.step(&mut step(), counters));
    drop(facets.finish());
    let mut patterns = PatternCounts::new((snapshot, filter.clone()), Some((snapshot, filter.clone())));
    finish(|| patterns.step(&mut step(), counters));
    drop(patterns.finish(true, 50, counters));
    let mut components = ComponentCounts::new(snapshot, filter.range, Some(Density::over(filter.range, 24)));
    finish(|| components.step(&mut step(), counters));
    drop(components.finish());
    let mut before =
        count_before(snapshot, filter, Order::Descending, filter.range.from.plus_nanos(NANOS_PER_SEC));
    finish(|| before.step(&mut step(), counters));
    drop(before.lines());
    all
}

/// Opens a folder, asks, seals, stores one more line and asks again.
fn use_folder(dir: &Path, lines: &[TestLine]) -> Vec<Result<Vec<u8>, StoreError>> {
    let Ok(store) = LogStore::open_as(dir, false) else { return Vec::new() };
    let mut answers = Vec::new();
    let mut ask_all = |store: &LogStore| {
        let Ok(snapshot) = store.snapshot(TimeRange::all()) else { return };
        answers.extend(filters(lines).iter().map(|filter| ask(store, &snapshot, filter)));
    };
    ask_all(&store);
    drop(check_day(dir, lines[0].ts.day(), crate::store::file_view::Reading::Mapped));
    drop(store.seal_finished());
    ask_all(&store);
    let mut batch = LineBatch::default();
    batch.push_line(lines[0].text.as_bytes()).unwrap();
    // A day that cannot be opened takes nothing.
    drop(futures::executor::block_on(store.append(batch, Durability::Acknowledged)));
    ask_all(&store);
    answers
}

/// Without its indexes a folder has all lines, sealed or not, and the one that was added.
fn check_text(dir: &Path, lines: &[TestLine], what: &str) {
    for (name, _) in read_files(dir).iter().filter(|(name, _)| name.ends_with("idx")) {
        std::fs::remove_file(day_dir(dir).join(name)).unwrap();
    }
    let store = LogStore::open_as(dir, false).unwrap();
    let all = LineFilter::all(TimeRange::all());
    let snapshot = store.snapshot(all.range).unwrap();
    let found = stream(&store, &snapshot, &all, Order::Ascending, StreamOptions::default()).unwrap();
    let mut found: Vec<&str> = std::str::from_utf8(&found).unwrap().lines().collect();
    let mut expected: Vec<&str> = lines.iter().chain(&lines[..1]).map(|line| line.text.as_str()).collect();
    assert_eq!((found.sort_unstable(), found), (expected.sort_unstable(), expected), "{what}");
}

fn day_dir(dir: &Path) -> PathBuf {
    dir.join(lines()[0].ts.day().to_string())
}

fn read_files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(day_dir(dir))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// A day with a segment, sealed or not.
fn original(is_sealed: bool) -> Vec<(String, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let store = LogStore::open_as(dir.path(), false).unwrap();
    for chunk in lines().chunks(30) {
        let mut batch = LineBatch::default();
        for line in chunk {
            batch.push_line(line.text.as_bytes()).unwrap();
        }
        futures::executor::block_on(store.append(batch, Durability::Acknowledged)).unwrap();
    }
    drop(store);
    if is_sealed {
        LogStore::open_as(dir.path(), false).unwrap().seal_finished().unwrap();
    }
    read_files(dir.path())
}

fn check(is_sealed: bool, kinds: &[&str]) {
    let (lines, files) = (lines(), original(is_sealed));
    let rights: HashSet<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let (count, mut mutator) = (setting("MUTATIONS", 300), Mutator::new(setting("MUTATION_SEED", 1) as u64));
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_none| tempfile::tempdir()).unwrap();
    for number in 0..count {
        let (changed, what) = mutator.change(&files, kinds[number % kinds.len()]);
        let data = dir.path().join(number.to_string());
        std::fs::create_dir_all(day_dir(&data)).unwrap();
        for (name, bytes) in &changed {
            std::fs::write(day_dir(&data).join(name), bytes).unwrap();
        }
        allocations::begin();
        let outcome = catch_unwind(AssertUnwindSafe(|| use_folder(&data, &lines)));
        let most = allocations::most_bytes();
        let answers = outcome.unwrap_or_else(|_panic| panic!("mutation {number}: {what}"));
        assert!(most <= MOST_BYTES, "mutation {number}: {what}: {most} bytes at once");
        if mutator.breaks_no_text() {
            for text in answers.iter().flatten().map(|bytes| String::from_utf8_lossy(bytes)) {
                let wrong = text.lines().find(|line| !rights.contains(line));
                assert!(wrong.is_none(), "mutation {number}: {what}: never stored: {wrong:?}");
            }
        }
        if kinds[number % kinds.len()] == "idx" {
            check_text(&data, &lines, &what);
        }
        std::fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn a_changed_index_is_made_again_or_answers_with_what_it_has() {
    check(false, &["idx"]);
}

#[test]
fn changed_commit_records_and_text_end_what_is_whole() {
    check(false, &["commits", "ndjson"]);
}

#[test]
fn a_changed_sealed_file_or_its_index_answers_or_fails() {
    check(true, &["zst", "idx"]);
}

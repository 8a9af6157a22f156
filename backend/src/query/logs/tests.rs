//! Queries against a naive scan of the same lines, before and after restarts, losses and damage.

mod samples;

pub(in crate::query) use samples::{SHORT, TestLine, any_filter, any_lines, line, matching, store_all};

use super::{Cursor, LineCount, LineFilter, LineStream, Reached, StreamOptions, TextFilter};
use crate::patterns::pattern_id;
use crate::query::budget::Budget;
use crate::query::components::ComponentCounts;
use crate::query::histogram::HistogramCounts;
use crate::store::Store;
use crate::store::batch::{Durability, LineBatch};
use proptest::prelude::*;
use sonde_shared::api::Envelope;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use sonde_shared::view::Order;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

fn naive(lines: &[TestLine], filter: &LineFilter, order: Order) -> Vec<String> {
    let mut found = matching(lines, filter);
    found.sort_by_key(|line| line.ts);
    if order == Order::Descending {
        found.reverse();
    }
    found.into_iter().map(|line| line.text.clone()).collect()
}

fn query(
    store: &Store,
    filter: &LineFilter,
    order: Order,
    options: StreamOptions,
    buffer: usize,
) -> Vec<String> {
    let snapshot = store.logs().snapshot(filter.range).unwrap();
    let mut stream = LineStream::new(Cursor::new(snapshot, filter.clone(), order), options);
    let mut out = Vec::new();
    loop {
        let mut part = Vec::new();
        let reached = stream.fill(&mut part, buffer, &mut SHORT.clone(), store.logs().counters());
        out.extend(part);
        if reached == Reached::End {
            break;
        }
    }
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

fn check_answers(store: &Store, lines: &[TestLine], filter: &LineFilter, offset: u64, limit: Option<u64>) {
    for order in [Order::Ascending, Order::Descending] {
        let all = naive(lines, filter, order);
        let page: Vec<String> = all
            .iter()
            .skip(offset as usize)
            .take(limit.map_or(usize::MAX, |limit| limit as usize))
            .cloned()
            .collect();
        let options = StreamOptions { offset, limit, ..StreamOptions::default() };
        assert_eq!(query(store, filter, order, StreamOptions::default(), 200), all);
        assert_eq!(query(store, filter, order, options, 1 << 20), page);
        let enveloped = query(store, filter, order, StreamOptions { envelope: true, ..options }, 1);
        let opened: Vec<String> = enveloped
            .iter()
            .map(|text| {
                serde_json::from_str::<Envelope<Box<serde_json::value::RawValue>>>(text)
                    .unwrap()
                    .line
                    .get()
                    .to_owned()
            })
            .collect();
        assert_eq!(opened, page);
    }
    let snapshot = store.logs().snapshot(filter.range).unwrap();
    let expected = naive(lines, filter, Order::Ascending).len() as u64;
    if let Some(mut count) = LineCount::new(&snapshot, filter) {
        while !count.step(&mut SHORT.clone()) {}
        assert_eq!(count.lines(), expected);
    }
    let counters = store.logs().counters();
    if filter.range != TimeRange::all() {
        let mut counts = HistogramCounts::new(&snapshot, filter.clone(), 3 * NANOS_PER_SEC);
        while !counts.step(&mut SHORT.clone(), counters) {}
        assert_eq!(counts.finish().unwrap().total, expected);
    }
    let mut counts = ComponentCounts::new(&snapshot, filter.range, None);
    while !counts.step(&mut SHORT.clone(), counters) {}
    let in_range = naive(lines, &LineFilter::all(filter.range), Order::Ascending).len() as u64;
    assert_eq!(counts.finish().components.iter().map(|count| count.lines).sum::<u64>(), in_range);
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files_with(dir: &Path, suffix: &str) -> Vec<std::path::PathBuf> {
    let days =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = days.flat_map(|day| std::fs::read_dir(day).unwrap().map(|entry| entry.unwrap().path()));
    files.filter(|path| path.extension().is_some_and(|extension| extension == suffix)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn answers_are_those_of_a_naive_scan_whatever_became_of_the_store(
        lines in any_lines(),
        filters in prop::collection::vec(any_filter(), 3),
        batch_lines in 1_usize..50,
        offset in 0_u64..30,
        limit in prop::option::of(0_u64..30),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("copy");
        let data = dir.path().join("data");
        let store = store_all(&data, &lines, batch_lines);
        let check_all = |store: &Store| filters.iter().for_each(|filter| check_answers(store, &lines, filter, offset, limit));
        check_all(&store);
        // As after a kill: the files of this moment, nothing closed.
        copy_folder(&data, &copy);
        check_all(&Store::open(&copy).unwrap());
        drop(store);
        check_all(&Store::open(&data).unwrap());
        for index in files_with(&data, "idx") {
            std::fs::remove_file(index).unwrap();
        }
        check_all(&Store::open(&data).unwrap());
        for index in files_with(&data, "idx") {
            let mut bytes = std::fs::read(&index).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            std::fs::write(index, bytes).unwrap();
        }
        check_all(&Store::open(&data).unwrap());
    }
}

#[test]
fn what_a_kill_left_half_written_is_not_there_and_everything_before_is() {
    let lines: Vec<TestLine> = (0..7).map(|number| line(number, (3, number % 5, 0, 2))).collect();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let _running = store_all(&data, &lines, 1);
    let whole = std::fs::read(&files_with(&data, "ndjson")[0]).unwrap();
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', &whole).map(|at| at + 1).collect();
    for len in (0..=whole.len()).chain([whole.len() + 5]) {
        let copy = dir.path().join(format!("cut-{len}"));
        copy_folder(&data, &copy);
        let text = files_with(&copy, "ndjson").remove(0);
        let mut bytes = whole.clone();
        bytes.resize(len, b'x');
        std::fs::write(text, bytes).unwrap();
        let store = Store::open(&copy).unwrap();
        let expected: Vec<String> = lines
            .iter()
            .zip(&ends)
            .filter(|(_, end)| **end <= len)
            .map(|(line, _)| line.text.clone())
            .collect();
        let filter = LineFilter::all(TimeRange::all());
        assert_eq!(
            query(&store, &filter, Order::Ascending, StreamOptions::default(), 1 << 20),
            expected,
            "cut to {len}"
        );
        // New lines come behind the torn tail, in a segment of their own.
        drop(store);
        let store = store_all(&copy, &lines[..1], 1);
        let mut expected = expected;
        expected.push(lines[0].text.clone());
        assert_eq!(
            query(&store, &filter, Order::Ascending, StreamOptions::default(), 1 << 20),
            expected,
            "cut to {len}"
        );
    }
}

#[test]
fn an_offset_counts_right_over_blocks_that_overlap_and_blocks_that_do_not() {
    let dir = tempfile::tempdir().unwrap();
    // Each start makes a segment with one block: 0-2 s, 2-4 s, 1-5 s, 8-10 s, 10-12 s.
    let segments = [[0, 2, 1], [4, 2, 3], [1, 5, 3], [8, 9, 10], [12, 11, 10]];
    let mut lines = Vec::new();
    for seconds in segments {
        let new: Vec<TestLine> =
            seconds.iter().enumerate().map(|(i, secs)| line(lines.len() + i, (*secs, 0, 0, 2))).collect();
        drop(store_all(dir.path(), &new, 3));
        lines.extend(new);
    }
    let store = Store::open(dir.path()).unwrap();
    for offset in 0..=lines.len() as u64 {
        check_answers(&store, &lines, &LineFilter::all(TimeRange::all()), offset, None);
    }
}

#[test]
fn a_day_whose_folder_is_deleted_is_forgotten_and_can_begin_anew() {
    let lines: Vec<TestLine> = (0..3).map(|number| line(number, (3, 0, 0, 2))).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = store_all(dir.path(), &lines[..1], 1);
    let all = || {
        query(&store, &LineFilter::all(TimeRange::all()), Order::Ascending, StreamOptions::default(), 1 << 20)
    };
    let append = |line: &TestLine| {
        let mut batch = LineBatch::default();
        batch.push_line(line.text.as_bytes()).unwrap();
        futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged))
    };
    assert_eq!(all().len(), 1);
    std::fs::remove_dir_all(dir.path().join(lines[0].ts.day().to_string())).unwrap();
    assert_eq!(all(), Vec::<String>::new());
    assert!(append(&lines[1]).is_err(), "nothing is acknowledged into a file without a name");
    append(&lines[2]).unwrap();
    assert_eq!(all(), [lines[2].text.clone()]);
}

#[test]
fn a_query_reads_the_text_of_its_own_lines_and_no_other() {
    let lines: Vec<TestLine> =
        (0..20_000).map(|number| line(number, (3, usize::from(number % 100 == 0), 0, 2))).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = store_all(dir.path(), &lines, 3_000);
    let filter = LineFilter {
        components: vec![Selector::parse("app.git.gc").unwrap()],
        ..LineFilter::all(TimeRange::all())
    };
    let found = query(&store, &filter, Order::Ascending, StreamOptions::default(), 4_096);
    let sent: u64 = found.iter().map(|line| line.len() as u64 + 1).sum();
    assert_eq!(found.len(), 200);
    assert_eq!(store.logs().counters().text_bytes_read.load(Ordering::Relaxed), sent);
}

/// The most that one step adds to a counter, and what all steps add.
fn most_of_a_step(counter: &AtomicU64, mut step: impl FnMut() -> bool) -> (u64, u64) {
    let start = counter.load(Ordering::Relaxed);
    let (mut before, mut most) = (start, 0);
    loop {
        let is_done = step();
        let now = counter.load(Ordering::Relaxed);
        (before, most) = (now, most.max(now - before));
        if is_done {
            return (most, now - start);
        }
    }
}

#[test]
fn a_step_reads_so_much_and_no_more_however_little_it_finds() {
    // Blocks of 8,192 lines, each with lines of the host and lines of the level that are asked for, but of none with both.
    let lines: Vec<TestLine> = (0..40_000)
        .map(|number| {
            line(
                number,
                (
                    (number / 4_000) as i64,
                    0,
                    usize::from(number % 4_000 == 0),
                    if number % 4_000 == 1 { 4 } else { 2 },
                ),
            )
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let store = store_all(dir.path(), &lines, 8_192);
    let counters = store.logs().counters();
    let stream = |filter: &LineFilter, options: StreamOptions| {
        let snapshot = store.logs().snapshot(filter.range).unwrap();
        let mut stream = LineStream::new(Cursor::new(snapshot, filter.clone(), Order::Ascending), options);
        move |budget: Budget| {
            stream.fill(&mut Vec::new(), 1 << 20, &mut budget.clone(), counters) == Reached::End
        }
    };
    let range = TimeRange { from: lines[0].ts, until: lines[39_999].ts.plus_nanos(1) };
    let text = LineFilter { text: TextFilter::containing("no such text"), ..LineFilter::all(range) };
    let host =
        LineFilter { hosts: ["n1".to_owned()].into(), level: Some(Level::Error), ..LineFilter::all(range) };
    let all_text: u64 = lines.iter().map(|line| line.text.len() as u64 + 1).sum();
    let check_text = |(most, all): (u64, u64)| assert!(most < 30_000 && all == all_text, "{most} {all}");
    let check_rows = |(most, all): (u64, u64)| assert!(most <= 2 * 8_192 && all == 40_000, "{most} {all}");

    let mut search = stream(&text, StreamOptions::default());
    check_text(most_of_a_step(&counters.text_bytes_read, || search(Budget::of_rows(1_000))));
    let mut counts =
        HistogramCounts::new(&store.logs().snapshot(range).unwrap(), text.clone(), NANOS_PER_SEC);
    let mut count = || counts.step(&mut Budget::of_rows(1_000), counters);
    check_text(most_of_a_step(&counters.text_bytes_read, &mut count));
    let mut skip = stream(&host, StreamOptions { offset: 1_000, ..StreamOptions::default() });
    check_rows(most_of_a_step(&counters.rows_scanned, || skip(Budget::of_rows(1_000))));
    let mut counts =
        HistogramCounts::new(&store.logs().snapshot(range).unwrap(), host.clone(), NANOS_PER_SEC);
    let mut count = || counts.step(&mut Budget::of_rows(1_000), counters);
    check_rows(most_of_a_step(&counters.rows_scanned, &mut count));
}

#[test]
fn lines_that_come_later_are_found_beyond_the_earlier_snapshot() {
    let lines: Vec<TestLine> =
        (0..40).map(|number| line(number, ((number % 7) as i64, number % 5, 0, 2))).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = store_all(dir.path(), &lines[..25], 4);
    let filter =
        LineFilter { components: vec![Selector::parse("app").unwrap()], ..LineFilter::all(TimeRange::all()) };
    let earlier = store.logs().snapshot(filter.range).unwrap();
    let mut batch = LineBatch::default();
    lines[25..].iter().for_each(|line| batch.push_line(line.text.as_bytes()).unwrap());
    futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
    let cursor = Cursor::beyond(&earlier, store.logs().snapshot(filter.range).unwrap(), filter.clone());
    let mut stream = LineStream::new(cursor, StreamOptions::default());
    let mut out = Vec::new();
    stream.fill(&mut out, 1 << 20, &mut Budget::STEP.clone(), store.logs().counters());
    let found: Vec<String> = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(found, naive(&lines[25..], &filter, Order::Ascending));
}

#[test]
fn lines_of_a_day_that_is_begun_anew_are_found_beyond_the_one_that_was_deleted() {
    let lines: Vec<TestLine> = (0..10).map(|number| line(number, (3, 0, 0, 2))).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = store_all(dir.path(), &lines[..5], 5);
    let range = TimeRange::all();
    let earlier = store.logs().snapshot(range).unwrap();
    std::fs::remove_dir_all(dir.path().join(lines[0].ts.day().to_string())).unwrap();
    let append = |line: &TestLine| {
        let mut batch = LineBatch::default();
        batch.push_line(line.text.as_bytes()).unwrap();
        futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged))
    };
    let stored = lines[5..].iter().filter(|line| append(line).is_ok()).cloned().collect::<Vec<_>>();
    assert!(stored.len() > 2, "the day goes on");
    let cursor = Cursor::beyond(&earlier, store.logs().snapshot(range).unwrap(), LineFilter::all(range));
    let mut stream = LineStream::new(cursor, StreamOptions::default());
    let mut out = Vec::new();
    stream.fill(&mut out, 1 << 20, &mut Budget::STEP.clone(), store.logs().counters());
    let found: Vec<String> = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(found, naive(&stored, &LineFilter::all(range), Order::Ascending));
}

#[test]
fn envelopes_of_two_interleaved_segments_name_each_line_by_its_own_names() {
    let dir = tempfile::tempdir().unwrap();
    let at = |secs: i64| Timestamp::from_secs(1_764_979_300 + secs);
    // Each start makes a segment, so the same number names something else in the second.
    let names = [
        [("a\"q", "h\\1", "warn"), ("b\u{fc}", "", "info")],
        [("c\\\\\"", "\u{2028}\"", "fatal"), ("d", "h", "trace")],
    ];
    let mut expected = vec![serde_json::Value::Null; 40];
    for (segment, names) in names.iter().enumerate() {
        let store = Store::open(dir.path()).unwrap();
        let mut batch = LineBatch::default();
        for arrival in 0..20 {
            let (component, host, level) = names[arrival / 3 % 2];
            // The first of the second segment is far behind the last of the first.
            let secs = (arrival * 2 + segment) as i64 * 10;
            let line = serde_json::json!({
                "ts": at(secs).to_string(), "component": component, "host": host, "level": level, "msg": "\"\\"
            });
            batch.push_line(line.to_string().as_bytes()).unwrap();
            expected[arrival * 2 + segment] = serde_json::json!({
                "t": at(secs).as_nanos(), "c": component, "h": host, "l": level, "p": pattern_id(b"\"\\").to_string(),
                "late": segment == 1 && secs < 380 - 60,
                "id": format!("{}~{:04}~{arrival}", at(secs).day(), segment + 1), "line": line,
            });
        }
        futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
    }
    let store = Store::open(dir.path()).unwrap();
    let envelope = StreamOptions { envelope: true, ..StreamOptions::default() };
    let found = query(&store, &LineFilter::all(TimeRange::all()), Order::Ascending, envelope, 1 << 20);
    let found: Vec<serde_json::Value> =
        found.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(found, expected);
}

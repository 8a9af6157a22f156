//! The store as a whole, against a naive oracle; crashes are copies of the folder while the store is running.

mod cataloging;
mod damaged;
mod failing_disk;
mod sealing;

use super::points::DAY_SECS;
use super::*;
use crate::store::batch::PointBatch;
use proptest::prelude::*;
use sonde_shared::glob::Glob;
use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::PathBuf;

/// All points by series, of each second the one that came last.
#[derive(Default)]
struct Oracle(BTreeMap<String, BTreeMap<i64, f64>>);

impl Oracle {
    fn append(&mut self, rows: &[Row]) {
        for (name, time, value) in rows {
            self.0.entry(name.clone()).or_default().insert(*time, *value);
        }
    }

    fn points(&self, name: &str, from: i64, until: i64) -> Points {
        let inside = self.0.get(name).into_iter().flat_map(|series| series.range(from..until.max(from)));
        let (times, values) = inside.map(|(time, value)| (*time, *value)).unzip();
        Points { times, values }
    }
}

type Row = (String, i64, f64);

fn batch(rows: &[Row]) -> PointBatch {
    let mut batch = PointBatch::default();
    for (name, time, value) in rows {
        batch.push(name, *time, *value);
    }
    batch
}

fn row(name: &str, time: i64, value: f64) -> Row {
    (name.to_owned(), time, value)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn append(store: &MetricStore, rows: &[Row]) {
    run(store.append(batch(rows), Durability::Acknowledged)).unwrap();
}

fn read(store: &MetricStore, name: &str, from: i64, until: i64) -> Points {
    let range = TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(until) };
    let snapshot = store.snapshot(range).unwrap();
    let mut all = Points::default();
    for points in snapshot.days(name, range) {
        let points = points.unwrap();
        all.times.extend(points.times);
        all.values.extend(points.values);
    }
    all
}

#[track_caller]
fn check_all(store: &MetricStore, oracle: &Oracle, ranges: &[(i64, i64)]) {
    let everything = store.snapshot(TimeRange::all()).unwrap();
    assert_eq!(everything.names(), oracle.0.keys().cloned().collect::<Vec<_>>());
    for name in oracle.0.keys().map(String::as_str).chain(["none"]) {
        for (from, until) in ranges.iter().copied().chain([(-20 * DAY_SECS, 20 * DAY_SECS)]) {
            let expected = oracle.points(name, from, until);
            assert_eq!(times(store, name, from, until), expected.times, "{name} {from}..{until}");
            assert_eq!(read(store, name, from, until), expected, "{name} {from}..{until}");
        }
    }
}

/// The same points' times, told without the points where that can be.
fn times(store: &MetricStore, name: &str, from: i64, until: i64) -> Vec<i64> {
    let range = TimeRange { from: Timestamp::from_secs(from), until: Timestamp::from_secs(until) };
    let told = store.snapshot(range).unwrap().times(name, range).flat_map(Result::unwrap).collect::<Vec<_>>();
    let each = |times: Times| match times {
        Times::Even(even) => (0..even.count as i64).map(|at| even.first + at * even.step).collect(),
        Times::Each(times) => times,
    };
    told.into_iter().flat_map(each).collect()
}

#[test]
fn times_of_parts_one_after_another_are_told_without_reading_them() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { flush_points: 100, ..Options::default() };
    let store = MetricStore::open_with(dir.path(), options.clone()).unwrap();
    let mut oracle = Oracle::default();
    for stretch in 0..12 {
        let rows: Vec<Row> = (0..50).map(|at| row("even", (stretch * 50 + at) * 10, at as f64)).collect();
        append(&store, &rows);
        oracle.append(&rows);
    }
    check_all(&store, &oracle, &[(0, DAY_SECS), (0, 2_000)]);
    // A stop writes out what is in memory, so that all lies in parts.
    drop(store);
    let store = MetricStore::open_with(dir.path(), options).unwrap();
    let told = store.snapshot(TimeRange::all()).unwrap().times("even", TimeRange::all()).next();
    let told = told.unwrap().unwrap();
    assert!(told.iter().all(|times| matches!(times, Times::Even(_))) && !told.is_empty(), "{told:?}");
    // A point that comes late lies in the midst of them.
    let late = [row("even", 1_005, 7.0), row("even", 2_000, 8.0)];
    append(&store, &late);
    oracle.append(&late);
    check_all(&store, &oracle, &[(0, DAY_SECS)]);
}

/// What lies on the disk now, as after a crash. A flush may move points between two files while they are copied, which a
/// real crash cannot see; then it is copied again.
fn crash(dir: &Path) -> tempfile::TempDir {
    loop {
        let copy = tempfile::tempdir().unwrap();
        let before = list_files(dir);
        let copied = before.iter().all(|file| {
            let to = copy.path().join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(dir.join(file), to).is_ok()
        });
        if copied && list_files(dir) == before {
            return copy;
        }
    }
}

fn list_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for day in layout::list_days(dir).unwrap() {
        let names = fs::read_dir(layout::day_dir(dir, day)).unwrap().map(|file| file.unwrap().file_name());
        files.extend(names.map(|name| Path::new(&day.to_string()).join(name)));
    }
    files.sort();
    files
}

prop_compose! {
    fn any_rows()(rows in prop::collection::vec((0..6_usize, 0..4_i64, 0..50_i64, any::<i16>()), 1..40)) -> Vec<Row> {
        const NAMES: [&str; 6] = ["a", "a.b", "a.b.c", "a.b-c", "é.ü", "tagged;host=x.y"];
        let time = |day: i64, second: i64| (day - 1) * 3 * DAY_SECS + 86_370 + second;
        rows.into_iter().map(|(name, day, second, value)| row(NAMES[name], time(day, second), value.into())).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn answers_are_the_oracles_while_running_after_a_crash_and_after_a_stop(
        batches in prop::collection::vec(any_rows(), 1..8),
        flush_points in 1..60_u64,
        max_open_days in 1..5_usize,
        ranges in prop::collection::vec((-4 * DAY_SECS..11 * DAY_SECS, -4 * DAY_SECS..11 * DAY_SECS), 3),
        reading in prop::sample::select(vec![Reading::Mapped, Reading::Pread]),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { flush_points, max_open_days, reading, ..Options::default() };
        let store = MetricStore::open_with(dir.path(), options).unwrap();
        let mut oracle = Oracle::default();
        for rows in &batches {
            append(&store, rows);
            oracle.append(rows);
        }
        check_all(&store, &oracle, &ranges);
        let crashed = crash(dir.path());
        let reopened = MetricStore::open_reading(crashed.path(), true, reading).unwrap();
        check_all(&reopened, &oracle, &ranges);
        drop(store);
        let stopped = MetricStore::open_reading(dir.path(), true, reading).unwrap();
        check_all(&stopped, &oracle, &ranges);
        prop_assert_eq!(stopped.stats().head_points, 0);
        let last = oracle.0.values().filter_map(|points| points.keys().max()).max().copied();
        prop_assert_eq!(stopped.last_point().unwrap(), last.map(Timestamp::from_secs));
        prop_assert_eq!(reopened.last_point().unwrap(), stopped.last_point().unwrap());
        stopped.seal_all(&mut SealReport::default()).unwrap();
        check_all(&stopped, &oracle, &ranges);
    }
}

const DAY_DIR: &str = "1970-01-02";

/// Rows of one series on 1970-01-02, one a second, each its own acknowledged batch.
fn acknowledged_rows(count: i64) -> Vec<Row> {
    (0..count).map(|at| row(if at % 3 == 0 { "a.b" } else { "c" }, DAY_SECS + at, at as f64)).collect()
}

fn written(rows: &[Row]) -> (tempfile::TempDir, MetricStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = MetricStore::open(dir.path()).unwrap();
    for one in rows {
        append(&store, std::slice::from_ref(one));
    }
    (dir, store)
}

fn file(dir: &Path, name: &str) -> PathBuf {
    dir.join(DAY_DIR).join(name)
}

/// Where each record of a write-ahead log ends.
fn record_ends(wal: &[u8]) -> Vec<usize> {
    let mut ends = vec![12];
    while let Some(frame) = wal.get(ends[ends.len() - 1]..).filter(|rest| rest.len() >= 8) {
        ends.push(ends[ends.len() - 1] + 8 + wal::le_u32(frame) as usize);
    }
    ends
}

#[test]
fn a_log_cut_at_any_byte_gives_all_whole_records_and_is_not_appended_to() {
    let rows = acknowledged_rows(5);
    let (dir, _store) = written(&rows);
    let wal = fs::read(file(dir.path(), "metrics-0001.wal")).unwrap();
    let ends = record_ends(&wal);
    assert_eq!((ends.len(), *ends.last().unwrap()), (6, wal.len()));
    for len in 0..=wal.len() {
        let copy = tempfile::tempdir().unwrap();
        fs::create_dir(copy.path().join(DAY_DIR)).unwrap();
        fs::write(file(copy.path(), "metrics-0001.wal"), &wal[..len]).unwrap();
        let store = MetricStore::open(copy.path()).unwrap();
        let mut oracle = Oracle::default();
        let whole = ends.iter().filter(|end| **end <= len).count().saturating_sub(1);
        oracle.append(&rows[..whole]);
        let added = row("later", DAY_SECS + 50, 1.0);
        append(&store, std::slice::from_ref(&added));
        oracle.append(&[added]);
        check_all(&store, &oracle, &[]);
        check_all(&MetricStore::open(crash(copy.path()).path()).unwrap(), &oracle, &[]);
    }
}

#[test]
fn a_flipped_bit_ends_the_replay_before_its_record() {
    let rows = acknowledged_rows(3);
    let (dir, _store) = written(&rows);
    let wal = fs::read(file(dir.path(), "metrics-0001.wal")).unwrap();
    let ends = record_ends(&wal);
    for at in ends[1]..ends[2] {
        let mut damaged = wal.clone();
        damaged[at] ^= 0x10;
        let copy = crash(dir.path());
        fs::write(file(copy.path(), "metrics-0001.wal"), damaged).unwrap();
        let mut oracle = Oracle::default();
        oracle.append(&rows[..1]);
        check_all(&MetricStore::open(copy.path()).unwrap(), &oracle, &[]);
    }
}

#[test]
fn a_part_that_is_not_whole_is_left_out_and_its_log_used() {
    let rows = acknowledged_rows(4);
    let mut oracle = Oracle::default();
    oracle.append(&rows);
    let (dir, store) = written(&rows);
    let crashed = crash(dir.path());
    drop(store);
    let part = fs::read(file(dir.path(), "metrics-0001.part")).unwrap();
    assert!(!file(dir.path(), "metrics-0001.wal").exists());
    for len in (0..part.len()).chain((0..part.len()).map(|at| at + part.len())) {
        let copy = crash(crashed.path());
        let mut damaged = part.clone();
        if len < part.len() {
            damaged.truncate(len);
        } else {
            damaged[len - part.len()] ^= 1;
        }
        fs::write(file(copy.path(), "metrics-0001.part"), damaged).unwrap();
        fs::write(file(copy.path(), "metrics-0002.tmp"), &part[..len.min(part.len())]).unwrap();
        let store = MetricStore::open(copy.path()).unwrap();
        check_all(&store, &oracle, &[]);
        drop(store);
        assert_eq!(list_files(copy.path()), [Path::new(DAY_DIR).join("metrics-0001.part")], "{len}");
        check_all(&MetricStore::open(copy.path()).unwrap(), &oracle, &[]);
    }
}

#[test]
fn a_damaged_part_without_a_log_hides_no_other_points() {
    let (dir, store) = written(&acknowledged_rows(4));
    drop(store);
    fs::write(file(dir.path(), "metrics-0001.part"), b"gone").unwrap();
    let store = MetricStore::open(dir.path()).unwrap();
    append(&store, &[row("new", DAY_SECS, 1.0)]);
    assert_eq!((read(&store, "new", 0, 2 * DAY_SECS).len(), store.stats().damaged_files), (1, 1));
    drop(store);
    assert_eq!(fs::read(file(dir.path(), "metrics-0001.part")).unwrap(), b"gone");
}

#[test]
fn opening_reads_no_day_that_is_written_out_but_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let store = MetricStore::open(dir.path()).unwrap();
    append(&store, &[row("a", DAY_SECS, 1.0), row("a", 2 * DAY_SECS, 2.0)]);
    drop(store);
    fs::write(file(dir.path(), "metrics-0001.part"), b"gone").unwrap();
    // Who seals opens days that are not sealed.
    let store = MetricStore::open_as(dir.path(), false).unwrap();
    assert_eq!(
        (store.last_point().unwrap(), store.stats().damaged_files),
        (Some(Timestamp::from_secs(2 * DAY_SECS)), 0)
    );
    assert_eq!(read(&store, "a", 0, 3 * DAY_SECS).values, [2.0]);
    assert_eq!(store.stats().damaged_files, 1);
}

#[test]
fn an_idle_day_is_written_out_and_closed() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { idle_after: Duration::ZERO, ..Options::default() };
    let store = MetricStore::open_with(dir.path(), options).unwrap();
    append(&store, &acknowledged_rows(3));
    let started = Instant::now();
    while list_files(dir.path()) != [Path::new(DAY_DIR).join("metrics-0001.part")] {
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", list_files(dir.path()));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((store.stats().head_points, read(&store, "c", 0, 2 * DAY_SECS).len()), (0, 2));
}

#[test]
fn streamed_points_are_synced_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let store = MetricStore::open(dir.path()).unwrap();
    run(store.append(batch(&acknowledged_rows(1)), Durability::Streamed)).unwrap();
    let started = Instant::now();
    while store.stats().last_sync_ms == 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "never synced");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(read(&store, "a.b", 0, 2 * DAY_SECS).len(), 1);
}

#[test]
fn many_clients_share_commits_and_each_finds_its_points() {
    let dir = tempfile::tempdir().unwrap();
    let store = MetricStore::open(dir.path()).unwrap();
    run(async {
        let append = |client: i64| {
            let rows: Vec<Row> = (0..20)
                .map(|at| row(&format!("client{client}"), client % 3 * DAY_SECS + at, at as f64))
                .collect();
            store.append(batch(&rows), Durability::Acknowledged)
        };
        for result in futures::future::join_all((0..50).map(append)).await {
            result.unwrap();
        }
    });
    let crashed = crash(dir.path());
    let reopened = MetricStore::open(crashed.path()).unwrap();
    for client in 0..50 {
        assert_eq!(read(&reopened, &format!("client{client}"), 0, 3 * DAY_SECS).len(), 20, "{client}");
    }
    assert_eq!(store.stats().points_stored, 1_000);
}

#[test]
fn a_reader_sees_every_acknowledged_point_while_heads_become_parts_and_parts_merge() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { flush_points: 7, ..Options::default() };
    let store = MetricStore::open_with(dir.path(), options).unwrap();
    let acknowledged = AtomicI64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for at in 0..300 {
                append(&store, &[row("a", DAY_SECS + at, at as f64)]);
                acknowledged.store(at + 1, Ordering::SeqCst);
            }
        });
        while acknowledged.load(Ordering::SeqCst) < 300 {
            let before = acknowledged.load(Ordering::SeqCst);
            let seen = read(&store, "a", 0, 2 * DAY_SECS);
            assert!(seen.len() as i64 >= before, "{} of {before}", seen.len());
            assert!(
                seen.times.iter().copied().eq(DAY_SECS..DAY_SECS + seen.len() as i64),
                "{:?}",
                seen.times
            );
        }
    });
    assert!(store.stats().parts < 15, "{:?}", store.stats());
}

#[test]
fn a_batch_larger_than_the_queue_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let store = MetricStore::open(dir.path()).unwrap();
    let mut batch = PointBatch::default();
    for at in 0..=QUEUE_POINTS as i64 {
        batch.push("a", at % DAY_SECS, at as f64);
    }
    run(store.append(batch, Durability::Acknowledged)).unwrap();
    assert_eq!(read(&store, "a", 0, DAY_SECS).len() as i64, DAY_SECS);
    assert_eq!(
        read(&MetricStore::open(crash(dir.path()).path()).unwrap(), "a", 0, DAY_SECS).len() as i64,
        DAY_SECS
    );
}

#[test]
fn what_cannot_be_stored_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let store = MetricStore::open(dir.path()).unwrap();
    let long = "n".repeat(wal::MAX_SERIES_BYTES + 1);
    append(
        &store,
        &[
            row("a", i64::MIN, 1.0),
            row("a", i64::MAX, 1.0),
            row("a", 5, f64::NAN),
            row(&long, 5, 1.0),
            row("a", 6, 1.0),
        ],
    );
    assert_eq!((store.stats().points_refused, read(&store, "a", 0, 10).times), (4, vec![6]));
}

#[test]
fn a_deleted_day_is_forgotten_and_can_be_written_again() {
    let (dir, store) = written(&acknowledged_rows(2));
    drop(store);
    // Finished days are sealed in the background: into a folder that is just being deleted.
    let store = MetricStore::open_as(dir.path(), false).unwrap();
    assert_eq!(store.snapshot(TimeRange::all()).unwrap().names(), ["a.b", "c"]);
    fs::remove_dir_all(dir.path().join(DAY_DIR)).unwrap();
    assert_eq!(store.snapshot(TimeRange::all()).unwrap().names(), Vec::<String>::new());
    append(&store, &[row("new", DAY_SECS, 1.0)]);
    assert_eq!(store.snapshot(TimeRange::all()).unwrap().names(), ["new"]);
    fs::remove_dir_all(dir.path().join(DAY_DIR)).unwrap();
    let lost = run(store.append(batch(&[row("new", DAY_SECS, 2.0)]), Durability::Acknowledged));
    assert!(matches!(lost, Err(StoreError::ReadOnly { .. })), "acknowledged into a deleted file: {lost:?}");
}

#[test]
fn find_answers_what_a_scan_of_all_names_finds() {
    let names = ["a", "a.b", "a.b-c", "a.b-c.d", "a.b.c", "a.b.c.d", "a.bb", "ab.c", "é.ü", "t.u;host=x.y"];
    let rows: Vec<Row> = names.iter().map(|name| row(name, DAY_SECS, 1.0)).collect();
    let (dir, store) = written(&rows);
    let globs = [
        "*",
        "a.*",
        "a.b",
        "a.b.*",
        "a.*.c",
        "*.*",
        "a.b*",
        "{a,é}.*",
        "a.*.*.*",
        "z.*",
        "*.u*",
        "a.b.c.d.*",
    ];
    let check = |store: &MetricStore| {
        for glob in globs.map(|glob| Glob::parse(glob).unwrap()) {
            let found = store.find(TimeRange::all(), &glob).unwrap();
            let found: Vec<_> =
                found.into_iter().map(|one| (one.path, one.is_series, one.has_children)).collect();
            assert_eq!(found, scan(&names, &glob), "{}", glob.as_str());
        }
    };
    check(&store);
    drop(store);
    check(&MetricStore::open(dir.path()).unwrap());
}

/// The nodes of a pattern by looking at each name.
fn scan(names: &[&str], glob: &Glob) -> Vec<(String, bool, bool)> {
    let mut nodes: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    for name in names {
        let (path, tags) = name.split_once(';').unwrap_or((name, ""));
        let parts: Vec<&str> = path.split('.').collect();
        let depth = glob.nodes().len();
        if parts.len() < depth {
            continue;
        }
        let (is_series, node) = (parts.len() == depth, parts[..depth].join("."));
        let shown = if is_series && !tags.is_empty() { format!("{node};{tags}") } else { node.clone() };
        if glob.matches(&node) {
            let entry = nodes.entry(shown).or_default();
            *entry = (entry.0 || is_series, entry.1 || !is_series);
        }
    }
    nodes.into_iter().map(|(path, (is_series, has_children))| (path, is_series, has_children)).collect()
}

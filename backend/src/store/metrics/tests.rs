//! The store as a whole, against a naive oracle; crashes are copies of the folder while the store is running.

use super::points::DAY_SECS;
use super::*;
use crate::store::batch::PointBatch;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::future::Future;

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
        for (from, until) in ranges.iter().copied().chain([(0, 20 * DAY_SECS)]) {
            assert_eq!(
                read(store, name, from, until),
                oracle.points(name, from, until),
                "{name} {from}..{until}"
            );
        }
    }
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
        let time = |day: i64, second: i64| day * 3 * DAY_SECS + 86_370 + second;
        rows.into_iter().map(|(name, day, second, value)| row(NAMES[name], time(day, second), value.into())).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn answers_are_the_oracles_while_running_after_a_crash_and_after_a_stop(
        batches in prop::collection::vec(any_rows(), 1..8),
        flush_points in 1..60_u64,
        max_open_days in 1..5_usize,
        ranges in prop::collection::vec((0..11 * DAY_SECS, 0..11 * DAY_SECS), 3),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { flush_points, max_open_days, ..Options::default() };
        let store = MetricStore::open_with(dir.path(), options).unwrap();
        let mut oracle = Oracle::default();
        for rows in &batches {
            append(&store, rows);
            oracle.append(rows);
        }
        check_all(&store, &oracle, &ranges);
        let crashed = crash(dir.path());
        let reopened = MetricStore::open(crashed.path()).unwrap();
        check_all(&reopened, &oracle, &ranges);
        drop(store);
        let stopped = MetricStore::open(dir.path()).unwrap();
        check_all(&stopped, &oracle, &ranges);
        prop_assert_eq!(stopped.stats().head_points, 0);
        let last = oracle.0.values().filter_map(|points| points.keys().max()).max().copied();
        prop_assert_eq!(stopped.last_point(), last.map(Timestamp::from_secs));
        prop_assert_eq!(reopened.last_point(), stopped.last_point());
    }
}

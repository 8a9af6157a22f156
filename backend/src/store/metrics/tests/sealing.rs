//! Finished days become one part with rollups; answers are the same before, after and beside it.

use super::super::column::as_decimals;
use super::super::part::Part;
use super::super::rollup::{Rollup, STEPS};
use super::*;

/// Points of two series at even and uneven distances on 1970-01-02, several commits and parts.
fn rows() -> Vec<Row> {
    let even = (0..2_000).map(|at| row("even", DAY_SECS + at * 10, (at % 97) as f64 / 10.0));
    let uneven = (0..500).map(|at| row("uneven", DAY_SECS + at * 31 + at % 7, (at * at) as f64));
    even.chain(uneven).chain([row("once", DAY_SECS + 5, -0.0)]).collect()
}

fn filled(options: Options) -> (tempfile::TempDir, MetricStore, Oracle) {
    let dir = tempfile::tempdir().unwrap();
    let store = MetricStore::open_with(dir.path(), options).unwrap();
    let mut oracle = Oracle::default();
    for rows in rows().chunks(300) {
        append(&store, rows);
        oracle.append(rows);
    }
    (dir, store, oracle)
}

fn parts_of(dir: &Path) -> Vec<PathBuf> {
    list_files(dir).into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "part")).collect()
}

fn is_sealed(dir: &Path) -> bool {
    matches!(&parts_of(dir)[..], [one] if Part::open(&dir.join(one), Reading::Mapped).is_ok_and(|part| part.has_rollups()))
}

/// Waits until there is one part with rollups, and queries read of every series nothing else. Beside the part the last points of
/// some of them may still be in memory.
#[track_caller]
fn wait_until_sealed(dir: &Path, store: &MetricStore) {
    let started = Instant::now();
    let has_rollups = || {
        let snapshot = store.snapshot(TimeRange::all()).unwrap();
        let has_one = |name: &String| snapshot.rollup(0, name, STEPS[0]).unwrap().is_some();
        snapshot.day_count() > 0 && snapshot.names().iter().all(has_one)
    };
    while !(is_sealed(dir) && has_rollups()) {
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", list_files(dir));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Every series' rollups are those of its points.
#[track_caller]
fn check_rollups(store: &MetricStore, oracle: &Oracle) {
    let snapshot = store.snapshot(TimeRange::all()).unwrap();
    for (name, points) in &oracle.0 {
        let times = points.keys().map(|time| (time - DAY_SECS) as u32).collect();
        let points = points::DayPoints { times, values: points.values().copied().collect() };
        for step in STEPS {
            assert_eq!(
                snapshot.rollup(0, name, step).unwrap(),
                Some(Rollup::of(&points, as_decimals(&points.values).as_ref(), step)),
                "{name} {step}"
            );
        }
        assert_eq!(snapshot.rollup(0, name, 60).unwrap(), None);
    }
}

#[test]
fn an_idle_day_is_sealed_and_again_when_late_points_have_come() {
    let options = Options { flush_points: 400, idle_after: Duration::ZERO, ..Options::default() };
    let (dir, store, mut oracle) = filled(options);
    wait_until_sealed(dir.path(), &store);
    check_all(&store, &oracle, &[(DAY_SECS + 777, DAY_SECS + 7_777)]);
    check_rollups(&store, &oracle);
    let late = [row("even", DAY_SECS + 10, 1e9), row("new", DAY_SECS, 1.0)];
    append(&store, &late);
    oracle.append(&late);
    // Whether the late ones are in memory, in a part beside or in the sealed one again.
    check_all(&store, &oracle, &[]);
    wait_until_sealed(dir.path(), &store);
    check_all(&store, &oracle, &[]);
    let started = Instant::now();
    while store.snapshot(TimeRange::all()).unwrap().rollup(0, "new", 600).unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(30), "the late ones are sealed too");
        std::thread::sleep(Duration::from_millis(5));
    }
    check_rollups(&store, &oracle);
    check_all(&store, &oracle, &[]);
}

#[test]
fn rollups_beside_which_other_points_stand_are_not_told() {
    let (dir, store, _) = filled(Options::default());
    drop(store);
    let store =
        MetricStore::open_with(dir.path(), Options { idle_after: Duration::MAX, ..Options::default() });
    let store = store.unwrap();
    store.seal_all(&mut SealReport::default()).unwrap();
    append(&store, &[row("even", DAY_SECS + 10, 7.0)]);
    let snapshot = store.snapshot(TimeRange::all()).unwrap();
    assert_eq!(snapshot.rollup(0, "even", 600).unwrap(), None);
    assert!(snapshot.rollup(0, "uneven", 600).unwrap().is_some(), "nothing else is known of it");
}

#[test]
fn days_of_earlier_runs_are_sealed_after_the_start() {
    let (dir, store, oracle) = filled(Options { flush_points: 400, ..Options::default() });
    drop(store);
    assert!(!is_sealed(dir.path()));
    let store = MetricStore::open(dir.path()).unwrap();
    wait_until_sealed(dir.path(), &store);
    check_all(&store, &oracle, &[]);
    check_rollups(&store, &oracle);
}

#[test]
fn a_seal_that_is_given_up_leaves_all_as_it_was() {
    let (dir, store, oracle) =
        filled(Options { flush_points: 400, idle_after: Duration::MAX, ..Options::default() });
    drop(store);
    let before = list_files(dir.path());
    let state = day::DayState::load(dir.path(), Day::from_number(1), Reading::Mapped).unwrap().state;
    seal::seal(&state, &AtomicBool::new(true)).unwrap();
    assert_eq!(list_files(dir.path()), before);
    let store = MetricStore::open(dir.path()).unwrap();
    check_all(&store, &oracle, &[]);
}

/// What may happen to a store, in any order.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Row>),
    Stop,
    Crash,
    Seal,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any_rows().prop_map(Step::Append),
        1 => Just(Step::Stop),
        1 => Just(Step::Crash),
        2 => Just(Step::Seal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn answers_are_the_oracles_however_writes_seals_restarts_and_crashes_follow(
        steps in prop::collection::vec(any_step(), 1..14),
        flush_points in 1..60_u64,
        range in (-4 * DAY_SECS..11 * DAY_SECS, -4 * DAY_SECS..11 * DAY_SECS),
    ) {
        let options = Options { flush_points, idle_after: Duration::ZERO, ..Options::default() };
        let mut dir = tempfile::tempdir().unwrap();
        let open = |dir: &Path| Some(MetricStore::open_with(dir, options.clone()).unwrap());
        let mut store = open(dir.path());
        let mut oracle = Oracle::default();
        for step in steps {
            let running = store.take().unwrap();
            match step {
                Step::Append(rows) => {
                    append(&running, &rows);
                    oracle.append(&rows);
                    store = Some(running);
                }
                Step::Stop => {
                    drop(running);
                    store = open(dir.path());
                }
                Step::Crash => {
                    let copy = crash(dir.path());
                    store = open(copy.path());
                    drop(running);
                    dir = copy;
                }
                Step::Seal => {
                    running.seal_all(&mut SealReport::default()).unwrap();
                    store = Some(running);
                }
            }
            check_all(store.as_ref().unwrap(), &oracle, &[range]);
        }
    }
}

/// A part as the version before wrote it: magic, columns as they are, names, a directory, a footer.
fn part_of_before(series: &[(&str, points::DayPoints)]) -> Vec<u8> {
    let (mut file, mut names, mut directory) = (b"SNDPRT01".to_vec(), Vec::new(), Vec::new());
    for (name, points) in series {
        let times = points.times.iter().flat_map(|time| time.to_le_bytes());
        let data: Vec<u8> = times.chain(points.values.iter().flat_map(|value| value.to_le_bytes())).collect();
        directory.extend((file.len() as u64).to_le_bytes());
        let (first, last) = (points.times[0], points.times[points.len() - 1]);
        let (name_at, name_len, count) = (names.len() as u32, name.len() as u32, points.len() as u32);
        let numbers = [name_at, name_len, count, first, last, crc32fast::hash(&data), 0];
        directory.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
        names.extend_from_slice(name.as_bytes());
        file.extend(data);
    }
    let names_at = file.len() as u64;
    let mut tail = [names.as_slice(), &directory].concat();
    tail.extend(names_at.to_le_bytes());
    tail.extend((names_at + names.len() as u64).to_le_bytes());
    tail.extend([series.len() as u32, 1, 1].into_iter().flat_map(u32::to_le_bytes));
    tail.extend(series.iter().map(|(_, points)| points.len() as u64).sum::<u64>().to_le_bytes());
    let times = || series.iter().flat_map(|(_, points)| points.times.iter().copied());
    tail.extend(times().min().unwrap().to_le_bytes());
    tail.extend(times().max().unwrap().to_le_bytes());
    tail.extend(crc32fast::hash(&tail).to_le_bytes());
    file.extend(tail);
    file.extend_from_slice(b"SNDPRT01");
    file
}

#[test]
fn a_part_of_the_version_before_is_read_and_becomes_one_of_this() {
    let dir = tempfile::tempdir().unwrap();
    let mut oracle = Oracle::default();
    let mut by_name: BTreeMap<&str, points::DayPoints> = BTreeMap::new();
    let rows = rows();
    for (name, time, value) in &rows {
        by_name.entry(name.as_str()).or_default().push((time - DAY_SECS) as u32, *value);
    }
    oracle.append(&rows);
    fs::create_dir(dir.path().join(DAY_DIR)).unwrap();
    let bytes = part_of_before(&by_name.into_iter().collect::<Vec<_>>());
    fs::write(file(dir.path(), "metrics-0001.part"), &bytes).unwrap();
    let part = Part::open(&file(dir.path(), "metrics-0001.part"), Reading::Mapped).unwrap();
    assert!(part.problems().is_empty() && !part.has_rollups());
    let ranges = [(DAY_SECS + 777, DAY_SECS + 7_777)];
    let store = MetricStore::open(dir.path()).unwrap();
    check_all(&store, &oracle, &ranges);
    wait_until_sealed(dir.path(), &store);
    check_all(&store, &oracle, &ranges);
    check_rollups(&store, &oracle);
    assert!(file(dir.path(), "metrics-0001.part").metadata().unwrap().len() < bytes.len() as u64 / 3);
}

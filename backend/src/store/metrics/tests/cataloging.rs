//! Which series there are, told by the catalog and by what it does not cover, against a look at each name of each day.

use super::*;
use sonde_shared::time::Day;
use std::collections::BTreeSet;

/// What of a series' seconds is told: its first and its last on a day.
type Spans = BTreeMap<String, (i64, i64)>;

/// The series of each day.
#[derive(Default)]
struct Names(BTreeMap<i64, Spans>);

impl Names {
    fn append(&mut self, rows: &[Row]) {
        for (name, time, _) in rows {
            let day = self.0.entry(time.div_euclid(DAY_SECS)).or_default();
            let span = day.entry(name.clone()).or_insert((*time, *time));
            *span = (span.0.min(*time), span.1.max(*time));
        }
    }

    fn inside(&self, range: TimeRange) -> Spans {
        let mut all = Spans::new();
        let days = self.0.iter().filter(|(day, _)| Day::from_number(**day).range().overlaps(range));
        for (name, (first, last)) in days.flat_map(|(_, series)| series) {
            let span = all.entry(name.clone()).or_insert((*first, *last));
            *span = (span.0.min(*first), span.1.max(*last));
        }
        all
    }
}

const GLOBS: [&str; 8] = ["*", "a.*", "*.*", "a.b*", "a.*.c", "a.b", "{a,é}.*", "*.*.c"];

#[track_caller]
fn check(store: &MetricStore, names: &Names) {
    for (from, until) in [(0, 9), (2, 4), (1, 8), (3, 4), (8, 9), (0, 1)] {
        let at = |day: i64| Timestamp::from_secs(day * DAY_SECS);
        let range = TimeRange { from: at(from), until: at(until) };
        let inside = names.inside(range);
        let list: Vec<&str> = inside.keys().map(String::as_str).collect();
        for glob in GLOBS.map(|glob| Glob::parse(glob).unwrap()) {
            let found = store.find(range, &glob).unwrap().into_iter();
            let found: Vec<_> = found.map(|one| (one.path, one.is_series, one.has_children)).collect();
            assert_eq!(found, scan(&list, &glob), "{} on days {from}..{until}", glob.as_str());
        }
        check_tags(store, range, &list);
        let listed: Vec<String> = store.listing(range).unwrap().collect();
        assert_eq!(listed, list, "days {from}..{until}");
        let spans = store.spans(range, &list).unwrap();
        assert_eq!(spans, inside.values().copied().map(Some).collect::<Vec<_>>(), "days {from}..{until}");
        assert_eq!(store.spans(range, &["none"]).unwrap(), [None]);
    }
}

/// A series' tags, by looking at its name; none of one without.
fn tags_of(name: &str) -> BTreeMap<&str, &str> {
    let Some((metric, tags)) = name.split_once(';') else { return BTreeMap::new() };
    tags.split(';').filter_map(|tag| tag.split_once('=')).chain([("name", metric)]).collect()
}

type Takes = fn(&str) -> bool;

#[track_caller]
fn check_tags(store: &MetricStore, range: TimeRange, names: &[&str]) {
    let lookup = || store.tagged(range).unwrap();
    let tests: [(&str, Takes); 5] = [
        ("a", |value| value == "1"),
        ("a", |value| value != "1"),
        ("b", |value| !value.is_empty()),
        ("name", |value| value.starts_with('t')),
        ("none", |value| !value.is_empty()),
    ];
    let all = names.iter().filter(|name| !tags_of(name).is_empty());
    let mut counts: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (tag, value) in all.clone().flat_map(|name| tags_of(name)) {
        *counts.entry(tag).or_default().entry(value).or_default() += 1;
    }
    assert_eq!(lookup().tags(&[], &|_| true, 9), counts.keys().copied().collect::<Vec<_>>());
    for (tag, values) in &counts {
        let found = lookup().counts(tag, &|_| true, 9);
        let values: Vec<_> = values.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect();
        assert_eq!(found, values, "{tag}");
    }
    for (one, other) in tests.iter().flat_map(|one| tests.iter().map(move |other| (one, other))) {
        let takes = |name: &str, (tag, takes): &(&str, Takes)| {
            takes(tags_of(name).get(tag).copied().unwrap_or_default())
        };
        if one.1("") && other.1("") {
            continue;
        }
        let matches = || [one, other].map(|(tag, takes)| TagMatch::of(tag, *takes));
        let expected: Vec<&str> =
            all.clone().copied().filter(|name| takes(name, one) && takes(name, other)).collect();
        let found: Vec<String> = lookup().series(&matches()).collect();
        assert_eq!(found, expected, "{one:?} {other:?}");
        let tags: BTreeSet<&str> = expected.iter().flat_map(|name| tags_of(name).into_keys()).collect();
        assert_eq!(lookup().tags(&matches(), &|_| true, 9), tags.into_iter().collect::<Vec<_>>());
        let values: BTreeSet<&str> =
            expected.iter().filter_map(|name| tags_of(name).get("a").copied()).collect();
        let values: Vec<&str> = values.into_iter().filter(|value| *value != "2").take(1).collect();
        assert_eq!(lookup().values("a", &matches(), &|value| value != "2", 1), values);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Row>),
    Restart(Reading),
    Seal,
    MakeCatalog,
    Delete(i64),
    /// While the store is closed.
    DeleteByHand(i64),
    /// While the store is closed: what is left of the catalog's bytes, and which is changed.
    Damage(usize, usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    const NAMES: [&str; 12] = [
        "a",
        "a.b",
        "a.b.c",
        "a.b-c",
        "é.ü",
        "a.d.c",
        "z",
        "t;a=1",
        "t;a=1;b=x.y",
        "t;a=2;b=x.y",
        "t.u;b=é",
        "z;a=1",
    ];
    let row = (0..NAMES.len(), 0..8_i64, 0..1_000_i64);
    let row = row.prop_map(|(name, day, second)| row_of(NAMES[name], day, second));
    prop_oneof![
        6 => prop::collection::vec(row, 1..12).prop_map(Step::Append),
        3 => prop::sample::select(vec![Reading::Mapped, Reading::Pread]).prop_map(Step::Restart),
        2 => Just(Step::Seal),
        3 => Just(Step::MakeCatalog),
        1 => (0..8_i64).prop_map(Step::Delete),
        1 => (0..8_i64).prop_map(Step::DeleteByHand),
        1 => (0..400_usize, 0..400_usize).prop_map(|(len, at)| Step::Damage(len, at)),
    ]
}

fn row_of(name: &str, day: i64, second: i64) -> Row {
    row(name, day * DAY_SECS + second, 1.0)
}

fn open(dir: &Path) -> MetricStore {
    open_reading(dir, Reading::Mapped)
}

fn open_reading(dir: &Path, reading: Reading) -> MetricStore {
    MetricStore::open_with(dir, Options { flush_points: 8, reading, ..Options::default() }).unwrap()
}

fn make_catalog(store: &MetricStore) {
    gather::refresh(&store.shared.days, false, &|| false).unwrap();
}

fn day_dir(dir: &Path, day: i64) -> PathBuf {
    layout::day_dir(dir, Day::from_number(day))
}

fn take(step: &Step, dir: &Path, store: MetricStore, names: &mut Names) -> MetricStore {
    let reading = store.shared.days.reading;
    match step {
        Step::Append(rows) => {
            append(&store, rows);
            names.append(rows);
        }
        Step::Restart(reading) => {
            drop(store);
            return open_reading(dir, *reading);
        }
        Step::Seal => store.seal_all(&mut SealReport::default()).unwrap(),
        Step::MakeCatalog => make_catalog(&store),
        Step::Delete(day) => {
            // As retention does, for a merge may be at work in the folder.
            let aside = layout::deleted_dir(dir, Day::from_number(*day));
            let rename = || fs::rename(day_dir(dir, *day), &aside).is_ok();
            let is_there = store.without(Day::from_number(*day), rename).unwrap();
            while aside.exists() {
                drop(fs::remove_dir_all(&aside));
            }
            assert_eq!(names.0.remove(day).is_some(), is_there);
        }
        Step::DeleteByHand(day) => {
            drop(store);
            let is_there = fs::remove_dir_all(day_dir(dir, *day)).is_ok();
            assert_eq!(names.0.remove(day).is_some(), is_there);
            return open_reading(dir, reading);
        }
        Step::Damage(len, at) => {
            drop(store);
            let path = layout::catalog(dir);
            let mut bytes = fs::read(&path).unwrap_or_default();
            bytes.truncate(*len);
            bytes.iter_mut().skip(*at).take(1).for_each(|byte| *byte ^= 1);
            fs::write(&path, bytes).unwrap();
            return open_reading(dir, reading);
        }
    }
    store
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_found_is_what_a_look_at_each_name_finds(steps in prop::collection::vec(any_step(), 1..24)) {
        let dir = tempfile::tempdir().unwrap();
        let mut names = Names::default();
        let mut store = open(dir.path());
        for step in &steps {
            store = take(step, dir.path(), store, &mut names);
            check(&store, &names);
        }
    }
}

/// Five days with a name of each one's own and one of all, sealed, and the store closed.
fn five_days() -> (tempfile::TempDir, Names) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut names = Names::default();
    for day in 0..5 {
        let rows = [row_of("a.b", day, day), row_of(&format!("a.d{day}.c"), day, 7)];
        append(&store, &rows);
        names.append(&rows);
    }
    drop(store);
    open(dir.path()).seal_all(&mut SealReport::default()).unwrap();
    assert!(layout::catalog(dir.path()).exists());
    (dir, names)
}

#[test]
fn a_pattern_over_all_days_opens_no_day_that_the_catalog_covers() {
    let (dir, mut names) = five_days();
    let store = open(dir.path());
    let found = store.find(TimeRange::all(), &Glob::parse("a.*.c").unwrap()).unwrap();
    assert_eq!(found.len(), 5);
    assert_eq!(store.stats().parts, 0);
    let late = [row_of("late.one", 2, 9)];
    append(&store, &late);
    names.append(&late);
    assert_eq!(store.find(TimeRange::all(), &Glob::parse("*.one").unwrap()).unwrap().len(), 1);
    assert_eq!(store.stats().parts, 1);
    check(&store, &names);
}

#[test]
fn a_query_that_meets_uncovered_days_has_the_catalog_made() {
    let (dir, names) = five_days();
    let path = layout::catalog(dir.path());
    for bytes in [None, Some(b"SNDCAT01".as_slice())] {
        match bytes {
            None => fs::remove_file(&path).unwrap(),
            Some(bytes) => fs::write(&path, bytes).unwrap(),
        }
        let store = open(dir.path());
        check(&store, &names);
        let started = Instant::now();
        while !catalog::Catalog::open(&path, Reading::Mapped).is_ok_and(|found| found.is_some()) {
            assert!(started.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(5));
        }
        check(&store, &names);
        drop(store);
        let covered = catalog::Catalog::open(&path, Reading::Mapped).unwrap().unwrap();
        assert_eq!(covered.days().len(), 5);
    }
}

/// What the version before would have written.
fn without_tags(catalog: &[u8]) -> Vec<u8> {
    let footer_at = catalog.len() - 44;
    let tags_len = part::le_u64(&catalog[footer_at + 24..]) as usize;
    let mut before = b"SNDCAT01".to_vec();
    before.extend_from_slice(&catalog[8..footer_at - tags_len]);
    before.extend_from_slice(&catalog[footer_at..footer_at + 24]);
    before.extend(crc32fast::hash(&before).to_le_bytes());
    before.extend_from_slice(b"SNDCAT01");
    before
}

#[test]
fn a_catalog_of_the_version_before_is_read_and_made_anew() {
    let (dir, mut names) = five_days();
    let store = open(dir.path());
    let rows = [row_of("t;a=1", 1, 4), row_of("t;a=1;b=x.y", 2, 4), row_of("t.u;b=c", 1, 3)];
    append(&store, &rows);
    names.append(&rows);
    drop(store);
    open(dir.path()).seal_all(&mut SealReport::default()).unwrap();
    let path = layout::catalog(dir.path());
    let now = fs::read(&path).unwrap();
    fs::write(&path, without_tags(&now)).unwrap();
    let store = open(dir.path());
    let takes = TagMatch::only("a", "1");
    assert_eq!(store.tagged(TimeRange::all()).unwrap().series(&[takes]).count(), 2);
    assert_eq!(store.stats().parts, 0, "no day was opened");
    check(&store, &names);
    make_catalog(&store);
    assert_eq!(fs::read(&path).unwrap(), now);
    check(&store, &names);
}

#[test]
fn a_catalog_that_was_given_up_leaves_the_old_one() {
    let (dir, mut names) = five_days();
    let before = fs::read(layout::catalog(dir.path())).unwrap();
    let store = open(dir.path());
    let rows: Vec<Row> = (0..20_000).map(|at| row_of(&format!("many.{at}"), 6, at)).collect();
    append(&store, &rows);
    names.append(&rows);
    drop(store);
    let store = open(dir.path());
    // Before anything is done, and in the middle of the names.
    for asks in [0, 7] {
        let asked = std::cell::Cell::new(0);
        let is_stopped = || asked.replace(asked.get() + 1) >= asks;
        gather::refresh(&store.shared.days, false, &is_stopped).unwrap();
        assert!(asked.get() > asks, "it was asked {} times", asked.get());
        assert_eq!(fs::read(layout::catalog(dir.path())).unwrap(), before);
        assert!(!dir.path().join("catalog.tmp").exists());
    }
    check(&store, &names);
    make_catalog(&store);
    check(&store, &names);
    assert_ne!(fs::read(layout::catalog(dir.path())).unwrap(), before);
}

#[test]
fn a_part_that_the_catalog_does_not_know_is_looked_through() {
    let (dir, mut names) = five_days();
    // As when a folder of another day was copied in while nothing ran.
    fs::remove_dir_all(day_dir(dir.path(), 1)).unwrap();
    fs::rename(day_dir(dir.path(), 3), day_dir(dir.path(), 1)).unwrap();
    let moved = names.0.remove(&3).unwrap().into_iter();
    names.0.insert(
        1,
        moved.map(|(name, (first, last))| (name, (first - 2 * DAY_SECS, last - 2 * DAY_SECS))).collect(),
    );
    check(&open(dir.path()), &names);
}

#[test]
fn a_day_that_the_catalog_covers_is_gone_with_its_folder_and_may_come_again() {
    let (dir, mut names) = five_days();
    let store = open(dir.path());
    check(&store, &names);
    fs::remove_dir_all(day_dir(dir.path(), 2)).unwrap();
    names.0.remove(&2);
    check(&store, &names);
    let again = [row_of("a.again", 2, 3)];
    append(&store, &again);
    names.append(&again);
    check(&store, &names);
    make_catalog(&store);
    check(&store, &names);
}

#[test]
fn a_day_in_the_making_is_one_list_through_many_logs() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    // Nobody seals today's points.
    let today = writer::today();
    let mut names: Vec<String> = (0..40).map(|at| format!("a.b{at}.c")).collect();
    let check = |store: &MetricStore, names: &[String]| {
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let names: Vec<&str> = names.into_iter().collect();
        for glob in GLOBS.map(|glob| Glob::parse(glob).unwrap()) {
            let found = store.find(TimeRange::all(), &glob).unwrap().into_iter();
            let found: Vec<_> = found.map(|one| (one.path, one.is_series, one.has_children)).collect();
            assert_eq!(found, scan(&names, &glob), "{}", glob.as_str());
        }
    };
    for round in 0..30 {
        names.push(format!("a.new{round}.c"));
        append(&store, &names.iter().map(|name| row_of(name, today.number(), round)).collect::<Vec<_>>());
        check(&store, &names);
    }
    let started = Instant::now();
    while store.stats().parts == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", store.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
    let (runs, parts) = store.shared.days.get(today).unwrap().lists();
    assert!(parts.is_empty() && runs.len() < 5, "{} runs and {} parts", runs.len(), parts.len());
    check(&store, &names);
    drop(store);
    check(&open(dir.path()), &names);
}

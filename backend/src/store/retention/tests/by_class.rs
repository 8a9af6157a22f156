//! Components with ages of their own: what goes within a day and what stays.

use super::*;
use crate::store::file_view::Reading;
use std::collections::BTreeMap;

const DEBUG: &str = "shop.debug";
const AUDIT: &str = "shop.audit";
const SHOP: &str = "shop";

type Rules<'a> = [(&'a str, Option<i64>)];

/// A store that keeps what is of no rule for so many days.
fn open_with(dir: &Path, days: Option<i64>, rules: &Rules<'_>) -> Store {
    with_rules(Store::open_as(dir, false).unwrap(), days, rules)
}

fn with_rules(store: Store, days: Option<i64>, rules: &Rules<'_>) -> Store {
    let age = |days: Option<i64>| days.map(|days| days * NANOS_PER_DAY);
    let limits = Limits { age_nanos: age(days), bytes: None };
    let rules: Vec<_> = rules.iter().map(|(name, days)| ((*name).to_owned(), age(*days))).collect();
    store.with_limits(limits).with_ages_for(&rules).unwrap()
}

const RULES: &Rules<'static> = &[(DEBUG, Some(3)), (AUDIT, Some(700))];

/// Stores lines of three components in turn, a point and an event.
fn fill_mixed(store: &Store, day: Day, lines: usize) {
    let noon = day.start().plus_nanos(NANOS_PER_DAY / 2);
    let mut batch = LineBatch::default();
    for number in 0..lines {
        let component = [SHOP, DEBUG, AUDIT][number % 3];
        let line = format!(r#"{{"ts":"{noon}","component":"{component}","msg":"{number}"}}"#);
        batch.push_line(line.as_bytes()).unwrap();
    }
    block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
    let mut batch = PointBatch::default();
    batch.push("a.b", noon.as_secs(), 1.0);
    block_on(store.append_points(batch, Durability::Acknowledged)).unwrap();
    let event = NewEvent { what: day.to_string(), when: noon.as_secs(), ..NewEvent::default() };
    store.events().append(event).unwrap();
}

/// The lines of each day by their components, each with its numbers.
fn found(store: &Store) -> BTreeMap<Day, BTreeMap<String, Vec<usize>>> {
    let mut all: BTreeMap<Day, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
    for (day, views) in store.logs().snapshot(TimeRange::all()).unwrap().days {
        for view in views {
            for block in view.blocks() {
                let columns = view.segment.columns(&block, &view.published);
                for row in (0..columns.len()).map(|row| columns.row(row)) {
                    let mut reader = TextReader::default();
                    let text = std::str::from_utf8(reader.line(&view.segment, &row).unwrap()).unwrap();
                    let number =
                        text.split("\"msg\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
                    let component =
                        view.published.components.get(usize::from(row.component)).unwrap().to_owned();
                    all.entry(day).or_default().entry(component).or_default().push(number.parse().unwrap());
                }
            }
        }
    }
    all
}

/// The components that have lines on a day.
fn components(store: &Store, day: Day) -> Vec<String> {
    found(store).remove(&day).unwrap_or_default().into_keys().collect()
}

/// Whether a day has its point and its event, which agree.
fn has_rest(store: &Store, day: Day) -> bool {
    let points = store.metrics().snapshot(day.range()).unwrap();
    let points = points.days("a.b", day.range()).map(|day| day.unwrap().times.len()).sum::<usize>();
    let (from, until) = (day.start().as_secs(), day.next().start().as_secs() - 1);
    let events = store.events().read(from, until, 1 << 20).unwrap().unwrap().len();
    assert_eq!(points, events);
    points > 0
}

fn files_of(dir: &Path, day: Day) -> Vec<String> {
    let entries = fs::read_dir(layout::day_dir(dir, day)).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn each_class_has_segments_of_its_own_and_its_lines_keep_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Some(30), RULES);
    fill_mixed(&store, TODAY, 90);
    let views = store.logs().snapshot(TimeRange::all()).unwrap().days.remove(0).1;
    let names: Vec<Vec<String>> = views
        .iter()
        .map(|view| view.published.components.iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(views.iter().map(|view| view.segment.number()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(names, [[SHOP], [DEBUG], [AUDIT]]);
    let expected = |first: usize| (first..90).step_by(3).collect::<Vec<_>>();
    let check = |store: &Store| {
        let today = found(store).remove(&TODAY).unwrap();
        for (first, component) in [SHOP, DEBUG, AUDIT].into_iter().enumerate() {
            assert_eq!(today[component], expected(first), "{component}");
        }
    };
    check(&store);
    drop(store);
    let store = open_with(dir.path(), Some(30), RULES);
    check(&store);
    store.logs().seal_finished().unwrap();
    check(&store);
}

#[test]
fn a_class_goes_at_its_age_and_the_rest_of_its_day_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Some(30), RULES);
    for day in [0, 3, 4, 30, 31, 700, 701] {
        fill_mixed(&store, ago(day), 9);
    }
    // One of the days is sealed; the others are still being written to.
    store.delete_surplus(NOW, NEVER);
    let check = |store: &Store| {
        for day in [0, 3] {
            assert_eq!(components(store, ago(day)), [SHOP, AUDIT, DEBUG], "{day}");
            assert!(has_rest(store, ago(day)));
        }
        for day in [4, 30] {
            assert_eq!(components(store, ago(day)), [SHOP, AUDIT], "{day}");
            assert!(has_rest(store, ago(day)));
        }
        for day in [31, 700] {
            assert_eq!(components(store, ago(day)), [AUDIT], "{day}");
            assert!(!has_rest(store, ago(day)));
        }
        assert_eq!(components(store, ago(701)), [""; 0]);
        assert_eq!(store.metrics().stats().damaged_files, 0);
    };
    let sorted = |names: [&str; 3]| {
        let mut names = names.map(str::to_owned);
        names.sort();
        names
    };
    assert_eq!(sorted([SHOP, AUDIT, DEBUG]), [SHOP, AUDIT, DEBUG].map(str::to_owned));
    check(&store);
    // Of 701 days ago all three with their day; two of 31 and 700 days ago, one of 4 and 30.
    assert_eq!(deleted(&store), (1, 3 + 2 + 2 + 1 + 1));
    assert_eq!(files_of(dir.path(), ago(31)), ["logs-0003.commits", "logs-0003.idx", "logs-0003.ndjson"]);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(deleted(&store), (1, 9), "nothing more is due");
    drop(store);
    let store = open_with(dir.path(), Some(30), RULES);
    check(&store);
    store.logs().seal_finished().unwrap();
    check(&store);
    store.delete_surplus(NOW.plus_nanos(3 * NANOS_PER_DAY), NEVER);
    assert_eq!(components(&store, ago(0)), [SHOP, AUDIT, DEBUG]);
    assert_eq!(components(&store, ago(3)), [SHOP, AUDIT]);
    assert_eq!(components(&store, ago(30)), [AUDIT]);
    assert_eq!(components(&store, ago(700)), [""; 0]);
    assert!(has_rest(&store, ago(4)) && !has_rest(&store, ago(30)));
}

#[test]
fn without_a_general_age_a_class_goes_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), None, &[(DEBUG, Some(3))]);
    fill_mixed(&store, ago(10_000), 9);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(components(&store, ago(10_000)), [SHOP, AUDIT]);
    assert!(has_rest(&store, ago(10_000)));
    assert_eq!(store.earliest(NOW), Timestamp::MIN);
}

#[test]
fn a_component_may_be_kept_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Some(30), &[(AUDIT, None)]);
    fill_mixed(&store, ago(10_000), 9);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(components(&store, ago(10_000)), [AUDIT]);
    assert!(!has_rest(&store, ago(10_000)));
}

#[test]
fn a_segment_from_before_the_rules_stays_until_the_last_of_its_lines_may_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_as(dir.path(), false).unwrap();
    for day in [10, 31] {
        fill_mixed(&store, ago(day), 9);
    }
    drop(store);
    let store = open_with(dir.path(), Some(30), RULES);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(components(&store, ago(10)), [SHOP, AUDIT, DEBUG]);
    assert_eq!(components(&store, ago(31)), [SHOP, AUDIT, DEBUG], "with the lines that are kept 700 days");
    assert!(has_rest(&store, ago(10)) && !has_rest(&store, ago(31)));
    drop(store);
    let store = open_with(dir.path(), Some(30), &[(DEBUG, Some(3)), (AUDIT, Some(3))]);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(components(&store, ago(10)), [SHOP, AUDIT, DEBUG]);
    assert_eq!(components(&store, ago(31)), [""; 0]);
}

#[test]
fn what_is_written_now_is_told_by_the_ages_of_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Some(30), RULES);
    fill_mixed(&store, ago(10), 9);
    drop(store);
    let store = open_with(dir.path(), Some(5), &[(DEBUG, Some(20)), (AUDIT, Some(6))]);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(components(&store, ago(10)), [DEBUG]);
    assert!(!has_rest(&store, ago(10)));
}

#[test]
fn the_earliest_line_that_is_taken_is_a_matter_of_its_component() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Some(30), RULES);
    let earliest = store.earliest_of_lines().unwrap();
    let check = |component: &str, days: i64| {
        assert_eq!(earliest.of(component, NOW), ago(days).start(), "{component}");
    };
    check(SHOP, 30);
    check("shop.debugger", 30);
    check("shop.debug.sql", 3);
    check(AUDIT, 700);
    assert_eq!(store.earliest(NOW), ago(30).start());
    assert!(open(&dir.path().join("other"), 3).earliest_of_lines().is_none());
}

#[test]
fn no_number_is_given_twice_in_a_day() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=3_u32 {
        let store = open_with(dir.path(), Some(30), &[(DEBUG, Some(3))]);
        let mut batch = LineBatch::default();
        let line = format!(r#"{{"ts":"{}","component":"{DEBUG}","msg":"{round}"}}"#, ago(10).start());
        batch.push_line(line.as_bytes()).unwrap();
        block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
        let views = store.logs().snapshot(TimeRange::all()).unwrap().days.remove(0).1;
        assert_eq!(views.iter().map(|view| view.segment.number()).collect::<Vec<_>>(), [round]);
        if round == 2 {
            drop(store);
            let store = open_with(dir.path(), Some(30), &[(DEBUG, Some(3))]);
            store.logs().seal_finished().unwrap();
            store.delete_surplus(NOW, NEVER);
        } else {
            store.delete_surplus(NOW, NEVER);
        }
        assert_eq!(files_of(dir.path(), ago(10)), [format!("logs-{round:04}.idx")]);
    }
}

/// Each line's number, in order of segment and arrival, and whether it is late.
fn late(store: &Store) -> Vec<(usize, bool)> {
    let mut all = Vec::new();
    for view in store.logs().snapshot(TimeRange::all()).unwrap().days.into_iter().flat_map(|(_, views)| views)
    {
        let mut rows = Vec::new();
        for block in view.blocks() {
            let columns = view.segment.columns(&block, &view.published);
            rows.extend((0..columns.len()).map(|row| columns.row(row)));
        }
        rows.sort_by_key(|row| row.arrival);
        for row in rows {
            let text = TextReader::default().line(&view.segment, &row).unwrap().to_vec();
            let text = String::from_utf8(text).unwrap();
            let number = text.split("\"msg\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            all.push((number.parse().unwrap(), row.is_late));
        }
    }
    all
}

/// Lines of components, minutes after noon.
fn send(store: &Store, lines: &[(usize, &str, i64)]) {
    let mut batch = LineBatch::default();
    for (number, component, minutes) in lines {
        let at = ago(10).start().plus_nanos(NANOS_PER_DAY / 2 + minutes * 60_000_000_000);
        let line = format!(r#"{{"ts":"{at}","component":"{component}","msg":"{number}"}}"#);
        batch.push_line(line.as_bytes()).unwrap();
    }
    block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
}

fn remove_indexes(dir: &Path) {
    for name in files_of(dir, ago(10)) {
        let path = layout::day_dir(dir, ago(10)).join(name);
        if path.extension().is_some_and(|kind| kind == "idx") {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn late_lines_stay_what_they_are_when_other_segments_of_their_day_go() {
    let (rules, dir): (&Rules<'_>, _) = (&[(DEBUG, Some(3))], tempfile::tempdir().unwrap());
    let store = open_with(dir.path(), Some(30), rules);
    send(&store, &[(1, DEBUG, 30)]);
    // Begun when the day's latest line was half an hour further.
    send(&store, &[(2, SHOP, 10), (3, SHOP, 30), (4, SHOP, 28)]);
    // Of another file's later lines nothing is known.
    send(&store, &[(5, DEBUG, 60), (6, SHOP, 31), (7, DEBUG, 50)]);
    let expected = [(2, true), (3, false), (4, true), (6, false)];
    assert_eq!(late(&store), [&[(1, false), (5, false), (7, true)], &expected[..]].concat());
    drop(store);
    let (forms, seals) = (["open", "sealed"], [false, true]);
    let store = open_with(dir.path(), Some(30), rules);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(late(&store), expected);
    drop(store);
    for (form, seal) in forms.into_iter().zip(seals) {
        if seal {
            open_with(dir.path(), Some(30), rules).logs().seal_finished().unwrap();
        }
        remove_indexes(dir.path());
        assert_eq!(late(&open_with(dir.path(), Some(30), rules)), expected, "{form}, its index made again");
    }
}

#[test]
fn what_a_crash_has_left_of_a_deletion_is_removed_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Some(30), RULES);
    fill_mixed(&store, ago(40), 9);
    drop(store);
    // The points' end was decided, and one file of them has gone.
    let day = layout::day_dir(dir.path(), ago(40));
    fs::write(layout::lines_only(&day), "").unwrap();
    fs::remove_file(day.join("events.ndjson")).unwrap();
    assert!(files_of(dir.path(), ago(40)).iter().any(|name| name.starts_with("metrics-")));
    // Of one segment the text has gone, of another the index and the records are left.
    fs::remove_file(day.join("logs-0001.ndjson")).unwrap();
    fs::remove_file(day.join("logs-0002.ndjson")).unwrap();
    fs::remove_file(day.join("logs-0002.idx")).unwrap();
    fs::write(day.join("logs-0002.ndjson.tmp"), "of sealing").unwrap();
    fs::write(day.join("logs-0002.idx.tmp"), "of sealing").unwrap();
    let events = crate::store::events::EventStore::open(dir.path()).unwrap();
    assert_eq!(events.read(0, i64::from(u32::MAX), 1 << 20).unwrap(), Some(vec![]));
    let points = crate::store::metrics::MetricStore::open(dir.path()).unwrap();
    assert_eq!(points.last_point().unwrap(), None, "they count no more");
    drop(points);
    let store = open_with(dir.path(), Some(30), RULES);
    assert!(!has_rest(&store, ago(40)));
    assert!(files_of(dir.path(), ago(40)).iter().all(|name| name.starts_with("logs-")));
    store.delete_surplus(NOW, NEVER);
    assert_eq!(files_of(dir.path(), ago(40)), ["logs-0003.commits", "logs-0003.idx", "logs-0003.ndjson"]);
    assert_eq!(components(&store, ago(40)), [AUDIT]);
}

#[test]
fn a_segment_with_more_names_than_it_has_numbers_is_kept_longest() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Some(3), &[(AUDIT, Some(700))]);
    let mut batch = LineBatch::default();
    for number in 0..20_100 {
        let line = format!(r#"{{"ts":"{}","component":"{DEBUG}.c{number}","msg":"x"}}"#, ago(10).start());
        batch.push_line(line.as_bytes()).unwrap();
    }
    block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
    store.delete_surplus(NOW, NEVER);
    let snapshot = store.logs().snapshot(TimeRange::all()).unwrap();
    assert_eq!(snapshot.days[0].1[0].published.rows, 20_100, "`<other>` may be anything");
}

#[test]
fn whoever_reads_a_segment_reads_it_to_its_end_and_queries_find_all_of_a_class_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Some(30), RULES);
    std::thread::scope(|scope| {
        let deleting = scope.spawn(|| {
            for _ in 0..40 {
                fill_mixed(&store, ago(10), 9);
                store.delete_surplus(NOW, NEVER);
            }
        });
        while !deleting.is_finished() {
            let day = found(&store).remove(&ago(10)).unwrap_or_default();
            let debug = day.get(DEBUG).map_or(0, Vec::len);
            assert!([0, 3].contains(&debug), "{debug}");
        }
    });
    assert_eq!(components(&store, ago(10)), [SHOP, AUDIT]);
    assert_eq!(found(&store)[&ago(10)][SHOP].len(), 120);
}

#[test]
fn for_want_of_room_what_is_kept_longer_goes_last() {
    let dir = tempfile::tempdir().unwrap();
    let rules: Vec<_> = RULES
        .iter()
        .map(|(name, days)| ((*name).to_owned(), days.map(|days| days * NANOS_PER_DAY)))
        .collect();
    let open = |bytes: u64| {
        let limits = Limits { age_nanos: Some(30 * NANOS_PER_DAY), bytes: Some(bytes) };
        Store::open_as(dir.path(), false).unwrap().with_limits(limits).with_ages_for(&rules).unwrap()
    };
    let store = open(1 << 30);
    for day in [2, 1, 0] {
        fill_mixed(&store, ago(day), 3_000);
    }
    // A day with nothing that is kept longer.
    fill(&store, ago(3), 30);
    let size = |day: i64| size_on_disk(&layout::day_dir(dir.path(), ago(day))).unwrap();
    let all: u64 = [3, 2, 1, 0].map(size).iter().sum();
    let oldest = size(3) + size(2) / 3;
    drop(store);
    let store = open(all - oldest);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(found(&store).into_keys().collect::<Vec<_>>(), [2, 1, 0].map(ago));
    assert_eq!((components(&store, ago(2)), has_rest(&store, ago(2))), (vec![AUDIT.to_owned()], false));
    assert_eq!((components(&store, ago(1)).len(), has_rest(&store, ago(1))), (3, true));
    let earliest = store.earliest_of_lines().unwrap();
    assert_eq!([SHOP, DEBUG].map(|name| earliest.of(name, NOW)), [ago(1).start(); 2]);
    assert_eq!((earliest.of(AUDIT, NOW), store.earliest(NOW)), (ago(700).start(), ago(1).start()));
    drop(store);
    let store = open(1);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(found(&store).into_keys().collect::<Vec<_>>(), [TODAY], "in the end it goes too");
    assert_eq!(components(&store, TODAY).len(), 3);
    assert_eq!(store.earliest_of_lines().unwrap().of(AUDIT, NOW), TODAY.start());
}

#[test]
fn a_line_that_is_kept_longer_keeps_its_day_whenever_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Some(3), &[(AUDIT, None)]);
    let stored = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            for number in 0..150 {
                send(&store, &[(number, SHOP, 0), (number, AUDIT, 0)]);
                stored.fetch_add(1, Ordering::SeqCst);
            }
        });
        while !sending.is_finished() {
            let before = stored.load(Ordering::SeqCst);
            store.delete_surplus(NOW, NEVER);
            let audit = found(&store).remove(&ago(10)).and_then(|mut day| day.remove(AUDIT));
            assert!(audit.map_or(0, |lines| lines.len()) >= before);
        }
    });
    store.delete_surplus(NOW, NEVER);
    assert_eq!(found(&store)[&ago(10)][AUDIT].len(), 150);
}

/// What nobody has read yet may be kept for long.
#[test]
fn a_segment_that_is_still_to_be_indexed_goes_only_when_its_components_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let (day, rules) = (ago(10), &[(DEBUG, Some(3)), (AUDIT, Some(700))]);
    let store = open_with(dir.path(), Some(5), rules);
    let mut batch = LineBatch::default();
    for number in 0..9_100 {
        let (component, pad) = (if number < 9_000 { DEBUG } else { SHOP }, "x".repeat(500));
        let line = format!(r#"{{"ts":"{}","component":"{component}","msg":"{pad}"}}"#, day.start());
        batch.push_line(line.as_bytes()).unwrap();
    }
    block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
    drop(store);
    let folder = layout::day_dir(dir.path(), day);
    let size = |number: u32| logs::segment_files(&folder, number)[0].metadata().unwrap().len();
    let large =
        logs::segment_numbers(&folder).unwrap().into_iter().max_by_key(|number| size(*number)).unwrap();
    fs::remove_file(&logs::segment_files(&folder, large)[3]).unwrap();
    let store = with_rules(Store::serve(dir.path(), false, Reading::Mapped).unwrap(), Some(5), rules);
    store.logs().hold_indexing(true);
    for _ in 0..2 {
        store.delete_surplus(NOW, NEVER);
        assert_eq!(logs::segment_numbers(&folder).unwrap(), [large], "the other one is known, and has gone");
    }
    store.logs().hold_indexing(false);
    let begun = std::time::Instant::now();
    while store.logs().unindexed().0 > 0 {
        assert!(begun.elapsed().as_secs() < 60, "it is indexed in the end");
        std::thread::yield_now();
    }
    store.delete_surplus(NOW, NEVER);
    assert!(!folder.exists());
}

//! Whole folders under limits, with a clock of the tests' own.

mod by_class;

use super::*;
use crate::store::batch::{Durability, LineBatch, PointBatch};
use crate::store::events::NewEvent;
use crate::store::logs::text::TextReader;
use futures::executor::block_on;
use sonde_shared::time::{NANOS_PER_DAY, TimeRange};

const TODAY: Day = Day::from_number(20_000);
/// In the middle of today.
const NOW: Timestamp = TODAY.start().plus_nanos(NANOS_PER_DAY / 2);
const NEVER: &dyn Fn() -> bool = &|| false;

/// A store of which so many days before today are kept, and today.
fn open(dir: &Path, days: i64) -> Store {
    let limits = Limits { age_nanos: Some(days * NANOS_PER_DAY), bytes: None };
    Store::open_as(dir, false).unwrap().with_limits(limits)
}

/// The day so many days before today.
fn ago(days: i64) -> Day {
    Day::from_number(TODAY.number() - days)
}

/// Stores some lines, a point and an event of a day.
fn fill(store: &Store, day: Day, lines: usize) {
    let noon = day.start().plus_nanos(NANOS_PER_DAY / 2);
    let mut batch = LineBatch::default();
    for number in 0..lines {
        let pad = "x".repeat(1_000);
        batch.push_line(format!(r#"{{"ts":"{noon}","msg":"{number} {pad}"}}"#).as_bytes()).unwrap();
    }
    block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
    let mut batch = PointBatch::default();
    batch.push("a.b", noon.as_secs(), 1.0);
    block_on(store.append_points(batch, Durability::Acknowledged)).unwrap();
    let event = NewEvent { what: day.to_string(), when: noon.as_secs(), ..NewEvent::default() };
    store.events().append(event).unwrap();
}

/// The days of which there is something, by lines, points and events, which agree.
fn days(store: &Store) -> Vec<Day> {
    let range = TimeRange::all();
    let lines = store.logs().snapshot(range).unwrap();
    let lines: Vec<Day> = lines.days.iter().map(|(day, _)| *day).collect();
    let points = store.metrics().snapshot(range).unwrap();
    let points = points.days("a.b", range).map(|day| Timestamp::from_secs(day.unwrap().times[0]).day());
    assert_eq!(points.collect::<Vec<_>>(), lines);
    let events = store.events().read(0, i64::from(u32::MAX), 1 << 20).unwrap().unwrap();
    assert_eq!(events.iter().map(|event| Day::parse(&event.what).unwrap()).collect::<Vec<_>>(), lines);
    let latest = |at: Option<Timestamp>| at.map(Timestamp::day);
    assert_eq!(latest(store.logs().last_time().unwrap()), lines.last().copied());
    assert_eq!(latest(store.metrics().last_point().unwrap()), lines.last().copied());
    assert_eq!(store.metrics().stats().damaged_files, 0);
    lines
}

fn folders(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn deleted(store: &Store) -> (u64, u64) {
    (store.deleted().days.load(Ordering::Relaxed), store.deleted().segments.load(Ordering::Relaxed))
}

#[test]
fn a_day_is_kept_until_it_has_ended_for_as_long_as_the_limit() {
    let limits = Limits { age_nanos: Some(2 * NANOS_PER_DAY), bytes: None };
    let check = |now: Timestamp, first: Day| assert_eq!(limits.first_day(now), Some(first), "{now}");
    check(TODAY.start(), ago(2));
    check(TODAY.start().plus_nanos(-1), ago(3));
    check(NOW, ago(2));
    assert_eq!(
        Limits { age_nanos: Some(i64::MAX), bytes: None }.first_day(NOW),
        Some(NOW.plus_nanos(-i64::MAX).day())
    );
    assert_eq!(Limits::default().first_day(NOW), None);
}

#[test]
fn the_oldest_days_go_until_the_rest_fits_and_today_never() {
    let days: Vec<(Day, u64)> =
        [(3, 10), (2, 20), (1, 30), (0, 40), (-1, 50)].map(|(at, bytes)| (ago(at), bytes)).into();
    let check = |limit: u64, expected: usize| assert_eq!(surplus(&days, limit, TODAY), expected, "{limit}");
    check(150, 0);
    check(149, 1);
    check(140, 1);
    check(139, 2);
    check(0, 3);
    assert_eq!(surplus(&[], 0, TODAY), 0);
}

#[test]
fn old_days_are_gone_for_every_query_and_from_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), 3);
    for day in [9, 4, 3, 1, 0] {
        fill(&store, ago(day), 3);
    }
    assert_eq!(days(&store).len(), 5);
    store.delete_surplus(NOW, NEVER);
    let kept = [3, 1, 0].map(ago);
    assert_eq!((days(&store), deleted(&store)), (kept.to_vec(), (2, 2)));
    assert_eq!(folders(dir.path()), kept.map(|day| day.to_string()));
    assert!(store.deleted().bytes.load(Ordering::Relaxed) > 0);
    assert_eq!(store.earliest(NOW), ago(3).start());
    // A day later by the clock, and with nothing left at all.
    store.delete_surplus(NOW.plus_nanos(NANOS_PER_DAY), NEVER);
    assert_eq!(days(&store), kept[1..]);
    store.delete_surplus(NOW.plus_nanos(30 * NANOS_PER_DAY), NEVER);
    assert_eq!((days(&store), folders(dir.path()).len()), (vec![], 0));
    drop(store);
    assert_eq!(days(&Store::open(dir.path()).unwrap()), []);
}

#[test]
fn without_limits_nothing_is_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    fill(&store, ago(10_000), 1);
    fs::create_dir(layout::deleted_dir(dir.path(), ago(5))).unwrap();
    store.delete_surplus(NOW, NEVER);
    assert_eq!((days(&store).len(), folders(dir.path()).len()), (1, 2));
    assert_eq!(store.earliest(NOW), Timestamp::MIN);
}

#[test]
fn whoever_reads_a_day_reads_it_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), 1);
    fill(&store, ago(5), 20);
    drop(store);
    // One segment is sealed, one is being written.
    Store::open(dir.path()).unwrap().logs().seal_finished().unwrap();
    let store = open(dir.path(), 1);
    fill(&store, ago(5), 30);
    let (lines, points) =
        (store.logs().snapshot(TimeRange::all()), store.metrics().snapshot(TimeRange::all()));
    let (lines, points) = (lines.unwrap(), points.unwrap());
    store.delete_surplus(NOW, NEVER);
    assert_eq!((days(&store), folders(dir.path()).len()), (vec![], 0));
    let mut text = Vec::new();
    for view in &lines.days[0].1 {
        for block in view.blocks() {
            let columns = view.segment.columns(&block, &view.published);
            for row in (0..columns.len()).map(|row| columns.row(row)) {
                text.extend_from_slice(TextReader::default().line(&view.segment, &row).unwrap());
            }
        }
    }
    assert_eq!(text.split(|byte| *byte == b'\n').filter(|line| line.len() > 1_000).count(), 50);
    assert_eq!(points.read_day(0, "a.b", TimeRange::all()).unwrap().len(), 1);
}

#[test]
fn what_is_stored_later_of_a_deleted_day_begins_it_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), 1);
    for _ in 0..3 {
        fill(&store, ago(5), 2);
        assert_eq!(days(&store), [ago(5)]);
        let segments = store.logs().snapshot(TimeRange::all()).unwrap().days.remove(0).1;
        assert_eq!(segments.iter().map(|view| view.published.rows).collect::<Vec<_>>(), [2]);
        store.delete_surplus(NOW, NEVER);
        assert_eq!(days(&store), []);
    }
    fill(&store, ago(5), 2);
    drop(store);
    assert_eq!(days(&Store::open(dir.path()).unwrap()), [ago(5)], "and it is durable");
}

/// A store that has room for so many bytes.
fn with_room(dir: &Path, bytes: u64) -> Store {
    Store::open_as(dir, false).unwrap().with_limits(Limits { age_nanos: None, bytes: Some(bytes) })
}

#[test]
fn days_go_for_want_of_room_and_are_taken_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path(), 1);
    for day in [3, 2, 1, 0] {
        fill(&store, ago(day), 300);
    }
    // A segment's index is written when it is finished.
    drop(store);
    let size = |day: i64| size_on_disk(&layout::day_dir(dir.path(), ago(day))).unwrap();
    assert!(size(3) > 300_000, "{}", size(3));
    let room = size(2) + size(1) + size(0);
    let store = with_room(dir.path(), room);
    assert_eq!(store.earliest(NOW), Timestamp::MIN);
    store.delete_surplus(NOW, NEVER);
    assert_eq!((days(&store), deleted(&store)), ([2, 1, 0].map(ago).to_vec(), (1, 1)));
    assert_eq!(store.earliest(NOW), ago(2).start());
    drop(store);
    let store = with_room(dir.path(), 1);
    store.delete_surplus(NOW, NEVER);
    assert_eq!((days(&store), store.earliest(NOW)), (vec![TODAY], TODAY.start()));
}

#[test]
fn a_day_that_cannot_be_deleted_keeps_its_place_and_no_younger_one_goes_for_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path(), 1);
    for day in [3, 2, 0] {
        fill(&store, ago(day), 300);
    }
    // Something is in the way of its other name, and is no folder that could be removed.
    fs::write(layout::deleted_dir(dir.path(), ago(3)), "").unwrap();
    store.delete_surplus(NOW, NEVER);
    assert_eq!(days(&store), [3, 2, 0].map(ago));
    drop(store);
    let store = open(dir.path(), 1);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(days(&store), [3, 0].map(ago), "by age the others go all the same");
    fs::remove_file(layout::deleted_dir(dir.path(), ago(3))).unwrap();
    store.delete_surplus(NOW, NEVER);
    assert_eq!(days(&store), [TODAY]);
}

#[test]
fn what_a_crash_left_of_a_day_is_no_day_and_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), 2);
    fill(&store, ago(5), 3);
    fill(&store, TODAY, 3);
    drop(store);
    let (day, aside) = (layout::day_dir(dir.path(), ago(5)), layout::deleted_dir(dir.path(), ago(5)));
    fs::rename(day, &aside).unwrap();
    fs::remove_file(aside.join("logs-0001.ndjson")).unwrap();
    let store = open(dir.path(), 2);
    assert_eq!(days(&store), [TODAY]);
    // The day has come again meanwhile.
    fill(&store, ago(5), 3);
    store.delete_surplus(NOW, NEVER);
    assert_eq!((days(&store), folders(dir.path()).len()), (vec![TODAY], 1));
}

#[test]
fn a_stop_leaves_the_rest_for_the_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), 2);
    fill(&store, ago(5), 3);
    fill(&store, ago(4), 3);
    let asked = std::cell::Cell::new(0);
    let is_stopped = || asked.replace(asked.get() + 1) >= 2;
    store.delete_surplus(NOW, &is_stopped);
    assert_eq!(folders(dir.path()), [5, 4].map(|day| format!("{}.deleted", ago(day))));
    assert_eq!(days(&store), []);
    store.delete_surplus(NOW, NEVER);
    assert_eq!(folders(dir.path()).len(), 0);
}

#[test]
fn what_only_looks_like_a_day_is_left_alone() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path(), 1);
    fill(&store, ago(5), 1);
    drop(store);
    let linked = elsewhere.path().join("day");
    fs::rename(layout::day_dir(dir.path(), ago(5)), &linked).unwrap();
    std::os::unix::fs::symlink(&linked, layout::day_dir(dir.path(), ago(5))).unwrap();
    fs::write(dir.path().join("2001-02-30"), "").unwrap();
    fs::create_dir(dir.path().join("views")).unwrap();
    let store = open(dir.path(), 1);
    store.delete_surplus(NOW, NEVER);
    assert_eq!((days(&store), deleted(&store)), (vec![ago(5)], (0, 0)));
    assert_eq!(folders(dir.path()), ["views"]);
}

#[test]
fn queries_beside_a_deletion_find_a_day_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), 1);
    std::thread::scope(|scope| {
        let deleting = scope.spawn(|| {
            for _ in 0..60 {
                fill(&store, ago(5), 2);
                store.delete_surplus(NOW, NEVER);
            }
        });
        while !deleting.is_finished() {
            let lines = store.logs().snapshot(TimeRange::all()).unwrap();
            let views = lines.days.iter().flat_map(|(_, views)| views);
            let rows: u32 = views.map(|view| view.published.rows).sum();
            assert!([0, 2].contains(&rows), "{rows}");
            store.logs().last_time().unwrap();
            store.metrics().snapshot(TimeRange::all()).unwrap();
        }
    });
    assert_eq!(days(&store), []);
}

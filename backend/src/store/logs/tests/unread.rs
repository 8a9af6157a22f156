//! Segments whose index is missing: they are read in the background, and in the end nothing tells that they were.

use super::disk::{Dice, Disk};
use super::power_loss::watched;
use super::sender::{Told, after};
use super::*;
use crate::store::batch::LineBatch;
use crate::store::files;
use crate::store::source::{BatchKey, Source};
use std::fs;
use std::time::Instant;

/// Where a test holds the thread that reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store::logs) enum Gate {
    #[default]
    Open,
    BeforeReading,
    BeforeShowing,
}

impl LogStore {
    /// Nothing is read in the background as long as this is set.
    pub(crate) fn hold_indexing(&self, is_held: bool) {
        set_gate(self, if is_held { Gate::BeforeReading } else { Gate::Open });
    }
}

const RETRY: Duration = Duration::from_millis(20);

/// Opens a folder as a server does; nothing is read at once, and the background waits at a gate.
fn serve(dir: &Path, seals: bool, gate: Gate) -> LogStore {
    let indexing = Arc::new(Indexing::new(Effort::up_to(0, 0), RETRY));
    indexing.set_gate(gate);
    LogStore::open_with(dir, seals, Reading::Mapped, SEGMENT_BYTES, Some(indexing)).unwrap()
}

fn set_gate(store: &LogStore, gate: Gate) {
    store.shared.indexing.as_ref().unwrap().set_gate(gate);
}

#[track_caller]
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what} in vain");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn wait_until_whole(store: &LogStore) {
    wait_for("waited for the index", || store.unindexed().0 == 0);
}

/// Every line with what makes its id, and all that the index says of it.
type Numbered = Vec<(Day, u32, Vec<(block::Row, String, Vec<u8>)>)>;

fn numbered(store: &LogStore) -> Numbered {
    let snapshot = store.snapshot(TimeRange::all()).unwrap();
    let of_day = |(day, views): &(Day, Vec<SegmentView>)| {
        let of_view = |view: &SegmentView| (*day, view.segment.number(), whole_of(view).unwrap());
        views.iter().map(of_view).collect::<Vec<_>>()
    };
    let mut all: Numbered = snapshot.days.iter().flat_map(of_day).collect();
    all.retain(|(_, _, lines)| !lines.is_empty());
    all
}

fn numbers(store: &LogStore) -> Vec<u32> {
    numbered(store).into_iter().map(|(_, number, _)| number).collect()
}

fn indexed_to(store: &LogStore) -> Option<Timestamp> {
    store.snapshot(TimeRange::all()).unwrap().indexed_to
}

/// Seconds after noon, at which the first line comes.
const START: i64 = 1_000;

/// A day with so many segments, each begun by a start, the first ones sealed; with late lines all over.
fn folder(segments: i64, sealed: i64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..segments {
        let store = LogStore::open_as(dir.path(), false).unwrap();
        let first = START + number * 100;
        append(&store, &[first, first + 70, first - 50, first + 5]);
        drop(store);
        if number + 1 == sealed {
            sealed_now(dir.path());
        }
    }
    dir
}

fn remove_index(dir: &Path, number: u32) {
    fs::remove_file(day_file(dir, &format!("logs-{number:04}.idx"))).unwrap();
}

fn remove_indexes(dir: &Path, numbers: &[u32]) {
    for number in numbers {
        remove_index(dir, *number);
    }
}

fn remove_all_indexes(dir: &Path) {
    for path in indexes(dir) {
        files::remove(&path).unwrap();
    }
}

fn synchronously(dir: &Path) -> Numbered {
    numbered(&LogStore::open_as(dir, false).unwrap())
}

#[test]
fn a_day_is_served_without_the_segments_that_are_still_to_be_read_and_then_with_them() {
    for removed in [&[1][..], &[3], &[4], &[1, 4], &[2, 3, 5], &[1, 2, 3, 4, 5]] {
        let dir = folder(5, 2);
        let expected = synchronously(dir.path());
        remove_indexes(dir.path(), removed);
        let store = serve(dir.path(), false, Gate::BeforeReading);
        let others: Numbered =
            expected.iter().filter(|(_, number, _)| !removed.contains(number)).cloned().collect();
        assert!(numbered(&store) == others, "{removed:?}");
        assert_eq!(store.unindexed(), (removed.len() as u64, 0));
        // What the day had when the segment was begun, less the minute by which a line may lag.
        let first = i64::from(removed[0]);
        let latest = NOON.plus_nanos((START + (first - 2) * 100 + 70 - 60) * 1_000_000_000);
        let begins = if first == 1 { NOON.day().start() } else { latest };
        assert_eq!(indexed_to(&store), Some(begins), "{removed:?}");
        set_gate(&store, Gate::Open);
        wait_until_whole(&store);
        assert_eq!(indexed_to(&store), None);
        assert!(numbered(&store) == expected, "{removed:?}");
        drop(store);
        let whole_again = serve(dir.path(), false, Gate::BeforeReading);
        assert!(numbered(&whole_again) == expected, "what was made is on disk");
        assert_eq!(whole_again.unindexed(), (0, 0));
    }
}

#[test]
fn a_damaged_index_is_read_anew_from_where_it_is_damaged() {
    let (dir, expected) = finished(20_000);
    let index = day_file(dir.path(), "logs-0001.idx");
    let mut bytes = fs::read(&index).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    fs::write(&index, bytes).unwrap();
    let store = serve(dir.path(), false, Gate::BeforeReading);
    assert_eq!((whole(&store).unwrap().len(), store.unindexed().0), (0, 1));
    set_gate(&store, Gate::Open);
    wait_until_whole(&store);
    assert!(whole(&store).unwrap() == expected);
}

#[test]
fn the_tail_that_a_crash_has_left_is_read_at_once() {
    let dir = folder(2, 0);
    remove_index(dir.path(), 2);
    let store = LogStore::serve(dir.path(), false, Reading::Mapped).unwrap();
    assert_eq!((numbers(&store), store.unindexed().0), (vec![1, 2], 0));
}

/// Of long lines a crash leaves as many as of short ones.
#[test]
fn a_tail_of_few_long_lines_is_read_at_once_and_as_much_text_of_many_is_not() {
    for (tail_bytes, lines, unread) in [(10 << 20, 8_000, 0), (10 << 20, 9_000, 1), (1 << 20, 8_000, 1)] {
        let (dir, _) = finished(lines);
        remove_index(dir.path(), 1);
        let indexing = Arc::new(Indexing::new(Effort::up_to(1 << 20, tail_bytes), RETRY));
        indexing.set_gate(Gate::BeforeReading);
        let store =
            LogStore::open_with(dir.path(), false, Reading::Mapped, SEGMENT_BYTES, Some(indexing)).unwrap();
        assert_eq!((indexed_to(&store).is_some(), store.unindexed().0), (unread > 0, unread));
    }
}

#[test]
fn lines_that_come_meanwhile_are_stored_at_once_in_a_segment_behind_all() {
    for removed in [&[1][..], &[3], &[1, 2, 3]] {
        let dir = folder(3, 1);
        remove_indexes(dir.path(), removed);
        let store = serve(dir.path(), false, Gate::BeforeReading);
        append(&store, &[START + 900, START + 20, START + 150]);
        let before = numbered(&store);
        let (_, number, lines) = before.last().unwrap();
        assert_eq!((*number, lines.len()), (4, 3), "{removed:?}");
        assert!(lines.iter().skip(1).all(|(row, ..)| row.is_late));
        set_gate(&store, Gate::Open);
        wait_until_whole(&store);
        let after = numbered(&store);
        assert_eq!((after.len(), after.last()), (4, before.last()), "{removed:?}");
        drop(store);
        assert!(synchronously(dir.path()) == after, "after a start");
        remove_all_indexes(dir.path());
        assert!(synchronously(dir.path()) == after, "with indexes made anew");
    }
}

#[test]
fn a_segment_that_is_begun_meanwhile_goes_on_from_what_unread_ones_note_of_those_before_them() {
    let dir = folder(3, 0);
    remove_indexes(dir.path(), &[2, 3]);
    let store = serve(dir.path(), false, Gate::BeforeReading);
    // More than a minute behind the second segment, which the third one notes, and not behind the first.
    append(&store, &[START + 105]);
    assert_eq!(late(&store).last(), Some(&(START + 105)));
}

/// Nothing of what a day has is known, so the lines go on from nothing, and an index that is made anew says the same.
#[test]
fn what_is_late_stays_so_where_a_segment_was_begun_while_nothing_was_known() {
    let dir = folder(1, 0);
    remove_index(dir.path(), 1);
    let store = serve(dir.path(), false, Gate::BeforeReading);
    append(&store, &[START - 200, START, START - 200]);
    assert_eq!(late(&store), [START - 200], "only the second of them");
    let stored = numbered(&store);
    drop(store);
    remove_all_indexes(dir.path());
    assert_eq!(synchronously(dir.path()).last(), stored.last());
}

/// In a segment of an earlier version what is late hangs on all before it.
#[test]
fn a_segment_without_a_head_waits_for_those_before_it() {
    let dir = folder(3, 0);
    let commits = day_file(dir.path(), "logs-0002.commits");
    let with_head = fs::read(&commits).unwrap();
    fs::write(&commits, &with_head[commits::RECORD_BYTES..]).unwrap();
    let expected = synchronously(dir.path());
    remove_index(dir.path(), 1);
    let store = serve(dir.path(), false, Gate::BeforeReading);
    assert_eq!((numbers(&store), store.unindexed().0), (vec![3], 2));
    set_gate(&store, Gate::Open);
    wait_until_whole(&store);
    assert!(numbered(&store) == expected);
    store.seal_finished().unwrap();
    drop(store);
    remove_index(dir.path(), 2);
    assert!(synchronously(dir.path()) == expected, "it was sealed with the right head");
}

#[test]
fn an_unread_segment_is_sealed_only_when_it_is_read() {
    let dir = folder(4, 1);
    let expected = synchronously(dir.path());
    remove_indexes(dir.path(), &[1, 3]);
    let store = serve(dir.path(), true, Gate::BeforeReading);
    let is_sealed = |number: u32| !day_file(dir.path(), &format!("logs-{number:04}.ndjson")).exists();
    wait_for("waited for the sealer", || is_sealed(2) && is_sealed(4));
    store.seal_finished().unwrap();
    assert!(!is_sealed(3), "nobody knows what is in it");
    set_gate(&store, Gate::Open);
    // Nobody has asked for the day: the sealer has.
    wait_for("waited for the last one", || is_sealed(3));
    wait_until_whole(&store);
    assert!(numbered(&store) == expected);
}

#[test]
fn an_unread_segment_is_not_deleted_by_itself_and_keeps_its_number() {
    let dir = folder(2, 0);
    let expected = synchronously(dir.path());
    remove_index(dir.path(), 2);
    let store = serve(dir.path(), false, Gate::BeforeReading);
    let (segments, unread) = store.segments_of(NOON.day()).unwrap();
    assert_eq!((segments.len(), unread), (1, vec![2]));
    store.delete_segment(NOON.day(), 2).unwrap();
    set_gate(&store, Gate::Open);
    wait_until_whole(&store);
    assert!(numbered(&store) == expected);
    store.delete_segment(NOON.day(), 2).unwrap();
    assert_eq!(numbers(&store), [1]);
}

/// The thread has a segment whole and waits to show it.
fn about_to_show(dir: &Path) -> LogStore {
    let store = serve(dir, false, Gate::BeforeShowing);
    assert_eq!(numbers(&store), [2]);
    wait_for("waited for a segment", || day_file(dir, "logs-0001.tmp").exists());
    store
}

#[test]
fn a_day_that_is_deleted_while_it_is_read_does_not_come_back() {
    let dir = folder(2, 0);
    remove_index(dir.path(), 1);
    let store = about_to_show(dir.path());
    let following = store.commits();
    let before = store.snapshot(TimeRange::all()).unwrap();
    assert_eq!(store.set_aside(NOON.day(), None).unwrap(), Aside::Done);
    let after = store.snapshot(TimeRange::all()).unwrap();
    let missed = store.missed_between(&before, &after);
    assert_eq!(missed.iter().map(|missed| missed.lines).collect::<Vec<_>>(), [None], "nobody has got them");
    drop(following);
    // Another folder of the day, with a segment of the same number.
    append(&store, &[7]);
    let index = fs::read(day_file(dir.path(), "logs-0001.idx")).unwrap();
    set_gate(&store, Gate::Open);
    wait_until_whole(&store);
    append(&store, &[8]);
    assert_eq!(lines(&store).iter().map(|(secs, ..)| *secs).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(fs::read(day_file(dir.path(), "logs-0001.idx")).unwrap(), index, "it is its own");
    drop(store);
    assert_eq!(late(&LogStore::open_as(dir.path(), false).unwrap()), [0; 0]);
    assert_eq!(synchronously(dir.path()).len(), 1);
}

#[test]
fn a_folder_that_was_made_anew_by_hand_is_left_alone() {
    let dir = folder(2, 0);
    remove_index(dir.path(), 1);
    let store = about_to_show(dir.path());
    let day = dir.path().join(NOON.day().to_string());
    fs::rename(&day, dir.path().join("aside")).unwrap();
    fs::create_dir(&day).unwrap();
    fs::write(day.join("logs-0001.ndjson"), "another text").unwrap();
    set_gate(&store, Gate::Open);
    wait_until_whole(&store);
    let names =
        |dir: &Path| fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(&day), ["logs-0001.ndjson"]);
    assert_eq!(numbers(&store), [2], "the files that were mapped");
}

#[test]
fn the_day_that_was_asked_for_last_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let days = [0, 1, 2].map(|day| NOON.plus_nanos(day * 86_400_000_000_000));
    append(&LogStore::open_as(dir.path(), false).unwrap(), &[0, 86_400, 2 * 86_400]);
    for day in days {
        fs::remove_file(dir.path().join(day.day().to_string()).join("logs-0001.idx")).unwrap();
    }
    let store = serve(dir.path(), false, Gate::BeforeReading);
    for asked in [0, 2, 1] {
        store.snapshot(days[asked].day().range()).unwrap();
    }
    set_gate(&store, Gate::BeforeShowing);
    let ready = |day: &Timestamp| dir.path().join(day.day().to_string()).join("logs-0001.tmp").exists();
    wait_for("waited for the first", || days.iter().any(ready));
    assert_eq!(days.iter().map(ready).collect::<Vec<_>>(), [false, true, false]);
    set_gate(&store, Gate::Open);
    wait_until_whole(&store);
    assert_eq!(numbered(&store).len(), 3);
}

#[test]
fn a_segment_that_cannot_be_read_is_counted_and_tried_again_and_holds_no_other_up() {
    let dir = folder(3, 0);
    let expected = synchronously(dir.path());
    remove_indexes(dir.path(), &[1, 3]);
    let commits = day_file(dir.path(), "logs-0001.commits");
    let records = fs::read(&commits).unwrap();
    fs::remove_file(&commits).unwrap();
    fs::create_dir(&commits).unwrap();
    let store = serve(dir.path(), false, Gate::Open);
    wait_for("waited for the other", || numbers(&store) == [2, 3]);
    wait_for("waited for failures", || store.unindexed().1 > 1);
    assert_eq!((store.unindexed().0, indexed_to(&store)), (1, Some(NOON.day().start())));
    fs::remove_dir(&commits).unwrap();
    fs::write(&commits, records).unwrap();
    wait_until_whole(&store);
    assert!(numbered(&store) == expected);
}

#[test]
fn what_is_stored_of_a_body_is_known_though_its_segment_is_unread() {
    let dir = tempfile::tempdir().unwrap();
    let key = BatchKey::of(b"a body");
    let store = LogStore::open_as(dir.path(), false).unwrap();
    let source = Source::new(key, NOON, None).with_ages(store.ages());
    let mut batch = LineBatch { source: Some(Box::new(source)), ..LineBatch::default() };
    let line = format!(r#"{{"ts":"{NOON}","msg":"a"}}"#);
    batch.source.as_mut().unwrap().read(line.as_bytes());
    batch.push_line(line.as_bytes()).unwrap();
    futures::executor::block_on(store.append(batch, Durability::Acknowledged)).unwrap();
    let settled = store.remembered().settled(key);
    assert!(settled.is_some());
    drop(store);
    remove_index(dir.path(), 1);
    let store = serve(dir.path(), false, Gate::BeforeReading);
    assert_eq!((store.remembered().settled(key), lines(&store).len()), (settled, 0));
}

/// Whatever moment the power goes at, or the process is killed, the next start finds all lines; it may begin again.
#[test]
fn power_may_go_at_any_moment_while_an_index_is_made_again() {
    let (dir, watching) = watched(None);
    let data = dir.path().join("data");
    files::create_dir(&data).unwrap();
    for offsets in [[1, 2, 3], [100, 10, 200]] {
        append(&LogStore::open_as(&data, false).unwrap(), &offsets);
    }
    let expected = synchronously(&data);
    remove_all_indexes(&data);
    let first = watching.0.steps().len();
    let store = serve(&data, false, Gate::Open);
    wait_for("waited for both", || numbered(&store) == expected);
    wait_until_whole(&store);
    append(&store, &[300]);
    let with_more = numbered(&store);
    drop(store);
    let steps = watching.0.steps();
    drop(watching);
    assert!(steps.len() > first);
    let mut dice = Dice(11);
    for at in first..=steps.len() {
        let (disk, _) = after((Disk::new(), Told::default()), &steps[..at]);
        for chance in [0, 50, 100] {
            let left = tempfile::tempdir().unwrap();
            disk.write_left(left.path(), &mut dice, chance);
            let store = serve(&left.path().join("data"), false, Gate::Open);
            drop(store.snapshot(TimeRange::all()).unwrap());
            wait_until_whole(&store);
            let found = numbered(&store);
            assert!(found == expected || found == with_more, "power lost after {at} changes, {chance} %");
        }
    }
}

#[test]
fn a_stop_does_not_wait_for_what_is_being_read() {
    let dir = folder(2, 1);
    for number in [1, 2] {
        remove_index(dir.path(), number);
        let (stop, opening) = (AtomicBool::new(true), Opening::new(true, Reading::Mapped));
        let effort = Effort { stop: &stop, ..Effort::ALL };
        let dir = dir.path().join(NOON.day().to_string());
        let read = || segment::Segment::read(&dir, NOON.day(), number, Timestamp::MIN, &opening, effort);
        assert!(read().unwrap().is_none());
        stop.store(false, Ordering::Relaxed);
        assert!(read().unwrap().is_some());
    }
    drop(serve(dir.path(), true, Gate::BeforeReading));
}

/// Each of many damaged blocks is made of one reading of the text.
#[test]
fn a_sealed_segment_is_read_once_however_many_blocks_of_its_index_are_damaged() {
    let (dir, expected) = finished(20_000);
    sealed_now(dir.path());
    let index = day_file(dir.path(), "logs-0001.idx");
    let bytes = fs::read(&index).unwrap();
    let blocks = {
        let store = LogStore::open_as(dir.path(), false).unwrap();
        let view = store.snapshot(TimeRange::all()).unwrap().days[0].1[0].clone();
        view.published.blocks.len()
    };
    assert_eq!(blocks, 3);
    let damaged: Vec<u8> = {
        let mut bytes = bytes;
        // Two heads, and the columns between them.
        let heads: Vec<usize> = memchr::memmem::find_iter(&bytes, b"SIB3").collect();
        assert_eq!(heads.len(), blocks);
        for at in [heads[0] + 60, heads[1].midpoint(heads[2]), heads[2] + 60] {
            bytes[at] ^= 1;
        }
        bytes
    };
    fs::write(&index, damaged).unwrap();
    let store = LogStore::open_as(dir.path(), false).unwrap();
    let snapshot = store.snapshot(TimeRange::all()).unwrap();
    let view = &snapshot.days[0].1[0];
    let heads = [0, 1, 2].map(|number| view.published.blocks.head_holds(number));
    assert_eq!((heads, view.block(1).holds()), ([false, true, false], false));
    let first = view.block(0);
    assert_eq!(view.segment.columns(&first, &view.published).len(), segment::BLOCK_ROWS);
    // Whoever opened it once more would find nothing.
    fs::remove_file(day_file(dir.path(), "logs-0001.ndjson.zst")).unwrap();
    assert!(whole_of(view).unwrap() == expected);
}

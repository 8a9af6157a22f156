//! Groups of requests of which some fail: each is answered, and only its own segment let go.

use super::super::LogStore;
use super::*;
use crate::store::files::watch::Watch;
use sonde_shared::time::{TimeRange, Timestamp};
use tokio::sync::Semaphore;

fn request(day: i64) -> (Request, oneshot::Receiver<Result<(), StoreError>>) {
    let mut batch = LineBatch::default();
    let ts = Timestamp::from_secs(day * 86_400);
    batch.push_line(format!(r#"{{"ts":"{ts}","msg":"day {day}"}}"#).as_bytes()).unwrap();
    let (reply, answer) = oneshot::channel();
    let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    (Request { batch, durability: Durability::Acknowledged, reply, _room: room }, answer)
}

/// Commits a line each on so many days as one group, where one day's folder cannot be made; the days stored, by the
/// answers and by what a store finds later.
fn commit_with_a_bad_day(days: i64, bad: i64) -> (Vec<i64>, Vec<i64>) {
    let dir = tempfile::tempdir().unwrap();
    let day_name = Timestamp::from_secs(bad * 86_400).day().to_string();
    std::fs::write(dir.path().join(day_name), "a file where a folder should be").unwrap();
    let shared = LogStore::open(dir.path()).unwrap().shared.clone();
    let mut writer = Writer::new(shared, std::sync::mpsc::channel().0);
    let (group, answers): (Vec<_>, Vec<_>) = (1..=days).map(request).unzip();
    writer.commit_group(group);
    let stored =
        (1..).zip(answers).filter_map(|(day, mut answer)| answer.try_recv().unwrap().ok().map(|()| day));
    let stored = stored.collect();
    drop(writer);
    std::fs::remove_file(dir.path().join(Timestamp::from_secs(bad * 86_400).day().to_string())).unwrap();
    let found = LogStore::open(dir.path()).unwrap().snapshot(TimeRange::all()).unwrap();
    let has_lines = |views: &Vec<super::super::SegmentView>| views.iter().any(|view| view.published.rows > 0);
    let days = found.days.iter().filter(|(_, views)| has_lines(views));
    (stored, days.map(|(day, _)| day.start().as_secs() / 86_400).collect())
}

#[test]
fn a_segment_is_judged_by_the_syncs_of_its_own_files() {
    // Two days are committed together; of the first its text cannot be synced, of the second its records.
    let dir = tempfile::tempdir().unwrap();
    let store = LogStore::open_as(dir.path(), false).unwrap();
    let watching = Watch::begin(dir.path(), None);
    watching.0.fail_syncs_of(&["1970-01-02/logs-0001.ndjson", "1970-01-03/logs-0001.commits"]);
    let mut writer = Writer::new(store.shared.clone(), std::sync::mpsc::channel().0);
    let (group, answers): (Vec<_>, Vec<_>) = (1..=3).map(request).unzip();
    writer.commit_group(group);
    assert!(answers.into_iter().all(|mut answer| answer.try_recv().unwrap().is_err()), "none is stored");
    let open: Vec<String> = writer.open.keys().map(|(day, _)| day.to_string()).collect();
    assert_eq!(open, ["1970-01-04"], "what failed is never written again, and what did not is");
    let snapshot = store.snapshot(TimeRange::all()).unwrap();
    let is_finished: Vec<bool> =
        snapshot.days.iter().map(|(_, views)| views[0].segment.is_finished()).collect();
    assert_eq!(is_finished, [true, true, false], "what is let go may be deleted");
}

#[test]
fn a_day_that_cannot_be_opened_refuses_its_own_lines_alone() {
    assert_eq!(commit_with_a_bad_day(3, 2), (vec![1, 3], vec![1, 3]));
}

#[test]
fn requests_that_were_committed_on_the_way_are_not_refused_for_a_later_one() {
    let days = MAX_OPEN as i64 + 1;
    let expected: Vec<i64> = (1..days).collect();
    assert_eq!(commit_with_a_bad_day(days, days), (expected.clone(), expected));
}

//! Segments that are deleted: whatever happens meanwhile, each is there as a whole or not at all.

use super::disk::{Dice, Disk};
use super::power_loss::watched;
use super::sender::{Told, after, open, send, with_classes};
use super::*;
use crate::store::files;
use crate::store::files::watch::{Fault, Step, Watch};

/// The lines of each segment of the first day, by its number.
fn by_segment(store: &LogStore) -> BTreeMap<u32, Vec<String>> {
    let snapshot = store.snapshot(NOON.day().range()).unwrap();
    let mut reader = TextReader::default();
    let mut found = BTreeMap::new();
    for view in snapshot.days.iter().flat_map(|(_, views)| views) {
        let mut lines = Vec::new();
        for block in view.blocks() {
            let columns = view.segment.columns(&block, &view.published);
            for row in (0..columns.len()).map(|row| columns.row(row)) {
                let line = String::from_utf8(reader.line(&view.segment, &row).unwrap().to_vec()).unwrap();
                lines.push((row.arrival, line));
            }
        }
        lines.sort();
        found.insert(view.segment.number(), lines.into_iter().map(|(_, line)| line).collect());
    }
    found.retain(|_, lines: &mut Vec<String>| !lines.is_empty());
    found
}

/// Leaves behind a segment's text what a crash leaves there of a commit without its record.
fn add_what_never_counted(root: &Path, number: u32) -> Result<(), StoreError> {
    let path = segment::Paths::new(&day_dir(&root.join("data"), NOON.day()), number).text;
    let Ok(file) = std::fs::File::options().write(true).open(&path) else { return Ok(()) };
    let end = file.metadata().unwrap().len();
    files::write_at(&file, &path, format!("{{\"ts\":\"{NOON}\",\"msg\":\"never\"}}\n").as_bytes(), end)?;
    files::sync(&file, &path)
}

/// Some segments of three classes, sealed or not, all of one day, and what they hold.
fn fill(root: &Path, watch: &Watch, seals: bool) -> Result<BTreeMap<u32, Vec<String>>, StoreError> {
    let of_one_day = |first: u32| (first..first + 40).filter(|number| number % 16 < 7);
    let store = open(root)?;
    send(&store, watch, of_one_day(0), None, Durability::Acknowledged)?;
    drop(store);
    let store = open(root)?;
    if seals {
        store.seal_finished()?;
    }
    send(&store, watch, of_one_day(100), None, Durability::Acknowledged)?;
    store.close_day(NOON.day())?;
    let found = by_segment(&store);
    found.keys().try_for_each(|number| add_what_never_counted(root, *number))?;
    assert!(found.len() >= 6, "{found:?}");
    Ok(found)
}

/// Deletes every other segment; those are told.
fn delete(root: &Path, all: &BTreeMap<u32, Vec<String>>) -> (Vec<u32>, Result<(), StoreError>) {
    let chosen: Vec<u32> = all.keys().copied().filter(|number| number % 2 == 0).collect();
    let deleted = open(root).and_then(|store| {
        let outcomes: Vec<_> =
            chosen.iter().map(|number| store.delete_segment(NOON.day(), *number)).collect();
        outcomes.into_iter().collect()
    });
    (chosen, deleted)
}

/// What a start finds: all of each segment, or, of one that was to go, none.
fn check(left: &Path, all: &BTreeMap<u32, Vec<String>>, chosen: &[u32], what: &str) {
    let store = open(left).unwrap();
    let found = by_segment(&store);
    for (number, lines) in all {
        match found.get(number) {
            Some(is) => assert_eq!(is, lines, "{what}: segment {number}"),
            None => assert!(chosen.contains(number), "{what}: segment {number} is lost"),
        }
    }
    assert!(found.keys().all(|number| all.contains_key(number)), "{what}: {found:?}");
    // The deletion is done again, and again nothing else goes.
    for number in chosen {
        store.delete_segment(NOON.day(), *number).unwrap();
    }
    let dir = day_dir(&left.join("data"), NOON.day());
    sweep(&dir).unwrap();
    let (watching, last) = (Watch::begin(left, None), all.keys().last().unwrap());
    send(&store, &watching.0, 900..901, None, Durability::Acknowledged).unwrap();
    let numbers: Vec<u32> = by_segment(&store).into_keys().collect();
    let kept = all.keys().filter(|number| !chosen.contains(number)).copied();
    assert!(numbers.iter().all(|number| number <= last || *number == last + 1), "{what}: {numbers:?}");
    assert!(kept.eq(numbers.into_iter().filter(|number| number <= last)), "{what}");
}

fn lose_power_while_deleting(seals: bool) {
    let (dir, watching) = watched(None);
    let all = fill(dir.path(), &watching.0, seals).unwrap();
    let first = watching.0.steps().len();
    let (chosen, deleted) = delete(dir.path(), &all);
    deleted.unwrap();
    let steps = watching.0.steps();
    drop(watching);
    let mut dice = Dice(7);
    for at in first..=steps.len() {
        let (disk, _) = after((Disk::new(), Told::default()), &steps[..at]);
        for chance in [0, 15, 50, 85, 100] {
            let left = tempfile::tempdir().unwrap();
            disk.write_left(left.path(), &mut dice, chance);
            check(left.path(), &all, &chosen, &format!("power lost after {at} changes, {chance} % kept"));
        }
        let left = tempfile::tempdir().unwrap();
        disk.write_seen(left.path());
        check(left.path(), &all, &chosen, &format!("killed after {at} changes"));
    }
}

#[test]
fn a_segment_that_is_deleted_when_power_is_lost_is_there_as_a_whole_or_not_at_all() {
    with_classes(|| [false, true].map(lose_power_while_deleting));
}

#[test]
fn whatever_fails_while_segments_are_deleted_each_is_there_as_a_whole_or_not_at_all() {
    with_classes(|| {
        for (seals, at) in (0..40).flat_map(|at| [(false, at), (true, at)]) {
            let (dir, watching) = watched(None);
            let all = fill(dir.path(), &watching.0, seals).unwrap();
            drop(watching);
            let watching = Watch::begin(dir.path(), Some(Fault { at, stays: at % 2 == 0 }));
            let (chosen, _) = delete(dir.path(), &all);
            drop(watching);
            check(dir.path(), &all, &chosen, &format!("failed at change {at}"));
        }
    });
}

#[test]
fn a_deletion_between_two_forms_of_a_segment_brings_neither_back() {
    let (dir, watching) = watched(None);
    let all = with_classes(|| fill(dir.path(), &watching.0, false)).unwrap();
    let paths = segment::Paths::new(&day_dir(&dir.path().join("data"), NOON.day()), 2);
    let open_form = [&paths.text, &paths.commits].map(|path| (path.clone(), std::fs::read(path).unwrap()));
    open(dir.path()).unwrap().seal_finished().unwrap();
    // A crash came after the sealed form had its name: both are there.
    for (path, bytes) in &open_form {
        std::fs::write(path, bytes).unwrap();
    }
    drop(watching);
    let watching = Watch::begin(dir.path(), None);
    let (chosen, deleted) = delete(dir.path(), &all);
    deleted.unwrap();
    let of_two = |step: &&Step| matches!(step, Step::Remove(path) if path.to_string_lossy().contains("0002"));
    let removed: Vec<_> = watching.0.steps().iter().filter(of_two).map(|step| format!("{step:?}")).collect();
    assert!(
        removed[0].contains("logs-0002.ndjson\"") && removed[1].contains("0002.ndjson.zst"),
        "{removed:?}"
    );
    drop(watching);
    check(dir.path(), &all, &chosen, "both forms");
}

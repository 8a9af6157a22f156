//! The lines of a day for a copy of the folder, also while a server writes and seals them.
//!
//! A segment that may be open is copied up to its last commit record; the newest one of each class is. Those that are surely
//! finished are shared by hard links. A segment that is sealed meanwhile is found in its other form, so none is lost or there
//! twice.

use super::block::{self, BlockList};
use super::commits::{Commit, RECORD_BYTES};
use super::sealed;
use super::segment::{BLOCK_ROWS, INDEX_MAGIC, INDEX_MAGIC_BEFORE, Paths, all_numbers};
use crate::store::StoreError;
use crate::store::backup::{Transfer, open};
use crate::store::file_view::{FileView, Reading, caught};
use std::io::Read;
use std::path::Path;

/// Takes the lines of a day's folder into another folder.
pub fn back_up(from: &Path, to: &Path, transfer: &mut Transfer) -> Result<(), StoreError> {
    for number in all_numbers(from)? {
        take_segment(&Paths::new(from, number), &Paths::new(to, number), transfer)?;
    }
    Ok(())
}

fn take_segment(from: &Paths, to: &Paths, transfer: &mut Transfer) -> Result<(), StoreError> {
    if !sealed::is_whole(&from.sealed) {
        let so_far = transfer.so_far();
        let is_taken = if is_closed(&from.index) {
            link_open(from, to, transfer)?
        } else {
            copy_open(from, to, transfer)?
        };
        if is_taken {
            return Ok(());
        }
        transfer.undo(&so_far, [&*to.text, &to.commits, &to.index])?;
    }
    // Sealed before or meanwhile, or damaged and without another form. What is not found now either was deleted.
    take_sealed(from, to, transfer)
}

fn take_sealed(from: &Paths, to: &Paths, transfer: &mut Transfer) -> Result<(), StoreError> {
    if transfer.finished(&from.sealed, &to.sealed)? {
        transfer.finished(&from.index, &to.index)?;
    }
    Ok(())
}

/// Takes a segment that is not sealed and never written again; false when it has been sealed or deleted meanwhile.
fn link_open(from: &Paths, to: &Paths, transfer: &mut Transfer) -> Result<bool, StoreError> {
    if !transfer.finished(&from.text, &to.text)? {
        return Ok(false);
    }
    let has_commits = transfer.finished(&from.commits, &to.commits)?;
    transfer.finished(&from.index, &to.index)?;
    // A text that was copied here by hand has no records; one that is being sealed has lost them.
    Ok(has_commits || !from.sealed.exists())
}

/// Copies a segment that may be written to up to its last commit; false when it has been sealed or deleted meanwhile.
fn copy_open(from: &Paths, to: &Paths, transfer: &mut Transfer) -> Result<bool, StoreError> {
    let Some(text) = open(&from.text)? else { return Ok(false) };
    let len = text.metadata().map_err(StoreError::io("read", &from.text))?.len();
    // A block is written after the records of its lines, and a record after its text. So they are read the other way round.
    transfer.growing(&from.index, &to.index)?;
    let Some(mut commits) = open(&from.commits)? else {
        transfer.copy(&text, len, &to.text)?;
        return Ok(!from.sealed.exists());
    };
    let mut records = Vec::new();
    commits.read_to_end(&mut records).map_err(StoreError::io("read", &from.commits))?;
    let (whole, _torn) = records.as_chunks::<RECORD_BYTES>();
    let end = whole.iter().filter_map(Commit::decode).map(|commit| commit.end).max();
    transfer.copy(whole.as_flattened(), u64::MAX, &to.commits)?;
    transfer.copy(&text, end.unwrap_or(0), &to.text)?;
    Ok(true)
}

/// Whether the index tells that its segment was closed: it ends with a summary, which is written then. One of an earlier
/// version may end with a block that is not full, for an open segment has full blocks only.
fn is_closed(index: &Path) -> bool {
    let Ok(view) = Reading::Pread.whole(index) else { return false };
    caught(|| is_closed_index(&view)).unwrap_or(false)
}

fn is_closed_index(view: &FileView) -> bool {
    let head = view.get(0..INDEX_MAGIC.len()).unwrap_or_default();
    if !(head == INDEX_MAGIC || head == INDEX_MAGIC_BEFORE) {
        return false;
    }
    if BlockList::in_file(view.clone(), INDEX_MAGIC.len()).is_some() {
        return true;
    }
    let bytes = view.slice(0..view.len());
    let (mut at, mut is_closed) = (INDEX_MAGIC.len(), false);
    while let Some(found) = block::find(bytes, at) {
        is_closed = (found.meta.rows as usize) < BLOCK_ROWS;
        at = found.body.end;
    }
    is_closed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ages::Ages;
    use crate::store::backup::Report;
    use crate::store::batch::{Durability, LineBatch};
    use crate::store::logs::{LogStore, SegmentReport, check_day};
    use sonde_shared::time::Day;
    use std::fs;

    const DAY: &str = "2025-03-10";

    fn store_lines(dir: &Path, numbers: std::ops::Range<u32>) -> LogStore {
        let store = LogStore::open_as(dir, false).unwrap();
        let mut batch = LineBatch::default();
        for number in numbers {
            let line = format!(r#"{{"ts":"{DAY}T10:00:00Z","component":"shop","msg":"line {number}"}}"#);
            batch.push_line(line.as_bytes()).unwrap();
        }
        futures::executor::block_on(store.append(batch, Durability::Acknowledged)).unwrap();
        store
    }

    /// What a copy of the day holds and what it was made of. Nothing of it may be wrong.
    fn copy(data: &Path) -> (Vec<SegmentReport>, Report) {
        let target = tempfile::tempdir().unwrap();
        let to = target.path().join(DAY);
        fs::create_dir(&to).unwrap();
        let mut transfer = Transfer::default();
        back_up(&data.join(DAY), &to, &mut transfer).unwrap();
        let reports = check_day(target.path(), Day::parse(DAY).unwrap(), Reading::Mapped).unwrap();
        assert!(reports.iter().all(|report| report.problems.is_empty()), "{reports:?}");
        let files = fs::read_dir(&to).unwrap().count() as u64;
        let report = transfer.so_far();
        assert_eq!(report.linked_files + report.copied_files, files, "every file is counted once");
        (reports, report)
    }

    fn lines(reports: &[SegmentReport]) -> Vec<u64> {
        reports.iter().map(|report| report.lines).collect()
    }

    fn paths(data: &Path, number: u32) -> Paths {
        Paths::new(&data.join(DAY), number)
    }

    #[test]
    fn the_open_segment_is_copied_and_the_others_are_linked() {
        let dir = tempfile::tempdir().unwrap();
        drop(store_lines(dir.path(), 0..10));
        let store = store_lines(dir.path(), 10..30);
        let (reports, report) = copy(dir.path());
        assert_eq!((lines(&reports), report.linked_files, report.copied_files), (vec![10, 20], 3, 3));
        drop(store);
        let (reports, report) = copy(dir.path());
        assert_eq!((lines(&reports), report.linked_files, report.copied_files), (vec![10, 20], 6, 0));
    }

    #[test]
    fn a_finished_segment_of_full_blocks_alone_is_linked() {
        let dir = tempfile::tempdir().unwrap();
        let store = store_lines(dir.path(), 0..BLOCK_ROWS as u32);
        assert_eq!(copy(dir.path()).1.copied_files, 3, "it may be written to");
        drop(store);
        assert_eq!(copy(dir.path()).1.linked_files, 3);
    }

    #[test]
    fn every_segment_that_may_be_open_is_copied() {
        let dir = tempfile::tempdir().unwrap();
        drop(store_lines(dir.path(), 0..10));
        let store = LogStore::open_as(dir.path(), false).unwrap();
        let rule = ("shop.audit".to_owned(), Some(1));
        store.set_ages(Ages::with_rules(None, &[rule]).unwrap().into());
        for component in ["shop", "shop.audit", "shop"] {
            let mut batch = LineBatch::default();
            let line = format!(r#"{{"ts":"{DAY}T10:00:00Z","component":"{component}","msg":"m"}}"#);
            batch.push_line(line.as_bytes()).unwrap();
            futures::executor::block_on(store.append(batch, Durability::Acknowledged)).unwrap();
        }
        let (reports, report) = copy(dir.path());
        assert_eq!((lines(&reports), report.linked_files, report.copied_files), (vec![10, 2, 1], 3, 6));
        drop(store);
    }

    #[test]
    fn what_no_record_covers_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let store = store_lines(dir.path(), 0..5);
        let Paths { text, commits, .. } = paths(dir.path(), 1);
        let whole = fs::metadata(&text).unwrap().len();
        for (path, bytes) in [(&text, &b"{\"half a li"[..]), (&commits, &[7; 11])] {
            let mut file = fs::File::options().append(true).open(path).unwrap();
            std::io::Write::write_all(&mut file, bytes).unwrap();
        }
        let (reports, report) = copy(dir.path());
        assert_eq!((lines(&reports), reports[0].text_bytes), (vec![5], whole));
        let index = fs::metadata(paths(dir.path(), 1).index).unwrap().len();
        assert_eq!(report.copied_bytes, whole + RECORD_BYTES as u64 + index);
        drop(store);
    }

    #[test]
    fn a_segment_between_its_two_forms_is_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        drop(store_lines(dir.path(), 0..10));
        let Paths { text, commits, sealed, .. } = paths(dir.path(), 1);
        let open_form = (fs::read(&text).unwrap(), fs::read(&commits).unwrap());
        LogStore::open_as(dir.path(), false).unwrap().seal_finished().unwrap();
        for has_commits in [true, false] {
            fs::write(&text, &open_form.0).unwrap();
            if has_commits {
                fs::write(&commits, &open_form.1).unwrap();
            }
            let (reports, _) = copy(dir.path());
            assert_eq!((lines(&reports), reports[0].is_sealed), (vec![10], true));
            fs::remove_file(&text).unwrap();
            drop(fs::remove_file(&commits));
        }
        // The sealed file is not looked at first: it comes while the open form goes.
        let target = tempfile::tempdir().unwrap();
        let to = Paths::new(target.path(), 1);
        fs::write(&text, &open_form.0).unwrap();
        let mut transfer = Transfer::default();
        assert!(!link_open(&paths(dir.path(), 1), &to, &mut transfer).unwrap(), "its records have gone");
        assert!(
            !copy_open(
                &Paths { text: sealed.with_extension("gone"), ..paths(dir.path(), 1) },
                &to,
                &mut transfer
            )
            .unwrap()
        );
    }

    #[test]
    fn a_text_without_records_is_taken_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        drop(store_lines(dir.path(), 0..10));
        let Paths { commits, index, .. } = paths(dir.path(), 1);
        fs::remove_file(commits).unwrap();
        assert_eq!(lines(&copy(dir.path()).0), [10]);
        fs::remove_file(index).unwrap();
        assert_eq!(lines(&copy(dir.path()).0), [10]);
    }
}

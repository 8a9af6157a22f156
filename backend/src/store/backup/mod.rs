//! A copy of a data folder that opens as one, made while a server may be writing to the original.
//!
//! Files that are never written again share their bytes with the original by hard links; those that still grow are
//! copied up to what is whole. The server is neither asked nor held up: whatever it renames or removes meanwhile is
//! looked for again under its new name. The copy gets its name when all of it is on disk.

mod transfer;

pub use transfer::{Report, Transfer, open};

use super::layout::{day_dir, list_days};
use super::{StoreError, events, files, layout, logs, metrics};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Copies all days of `data` into `beside`, a folder that must not be there yet, and then gives that the name `target`,
/// which is free or an empty folder. When it returns, the copy is on disk. On an error nothing of it stays.
pub fn back_up(data: &Path, beside: &Path, target: &Path) -> Result<Report, StoreError> {
    fs::create_dir(beside).map_err(StoreError::io("create", beside))?;
    let copied = copy_days(data, beside).and_then(|report| {
        fs::rename(beside, target).map_err(StoreError::io("rename", beside))?;
        files::sync_parent(target)?;
        Ok(report)
    });
    copied.inspect_err(|_failed| {
        // It has failed already; what cannot be removed is in the way of the next attempt, which says so.
        drop(fs::remove_dir_all(beside));
    })
}

fn copy_days(data: &Path, target: &Path) -> Result<Report, StoreError> {
    let mut transfer = Transfer::default();
    for day in list_days(data)? {
        copy_day(&day_dir(data, day), &day_dir(target, day), &mut transfer)?;
    }
    copy_settings(data, target, &mut transfer)?;
    sync_dir(target)?;
    Ok(transfer.report)
}

/// Copies what people have made in the page: dashboards, and rules from metrics to components. Who saves renames, so each file is
/// whole.
fn copy_settings(data: &Path, target: &Path, transfer: &mut Transfer) -> Result<(), StoreError> {
    transfer.growing(&layout::links(data), &layout::links(target))?;
    let (from, to) = (layout::dashboards(data), layout::dashboards(target));
    let entries = match fs::read_dir(&from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(StoreError::io("read", &from))?,
    };
    fs::create_dir(&to).map_err(StoreError::io("create", &to))?;
    for entry in entries {
        let path = entry.map_err(StoreError::io("read", &from))?.path();
        if let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|end| end == "toml")) {
            transfer.growing(&path, &to.join(name))?;
        }
    }
    sync_dir(&to)
}

/// Copies a day. One that is deleted meanwhile is not in the copy, for half a day is none; one that is made again then is.
fn copy_day(from: &Path, to: &Path, transfer: &mut Transfer) -> Result<(), StoreError> {
    while let Some(folder) = folder_at(from) {
        let so_far = transfer.so_far();
        fs::create_dir(to).map_err(StoreError::io("create", to))?;
        logs::back_up(from, to, transfer)?;
        metrics::back_up(from, to, transfer)?;
        events::back_up(from, to, transfer)?;
        if folder_at(from) == Some(folder) {
            transfer.report.days += 1;
            return sync_dir(to);
        }
        fs::remove_dir_all(to).map_err(StoreError::io("remove", to))?;
        transfer.undo(&so_far, [])?;
    }
    Ok(())
}

/// Which folder has the name now, if there is one.
fn folder_at(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().filter(fs::Metadata::is_dir).map(|found| (found.dev(), found.ino()))
}

fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::io("sync", dir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_was_made_in_the_page_is_in_the_copy() {
        let dir = tempfile::tempdir().unwrap();
        let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
        fs::create_dir_all(data.join("dashboards")).unwrap();
        fs::write(data.join("dashboards/shop.toml"), "title = \"Shop\"").unwrap();
        fs::write(data.join("dashboards/.new.toml.saving"), "title").unwrap();
        fs::write(data.join("links.toml"), "[[link]]").unwrap();
        back_up(&data, &dir.path().join("beside"), &copy).unwrap();
        assert_eq!(fs::read_to_string(copy.join("dashboards/shop.toml")).unwrap(), "title = \"Shop\"");
        assert_eq!(fs::read_to_string(copy.join("links.toml")).unwrap(), "[[link]]");
        assert_eq!(fs::read_dir(copy.join("dashboards")).unwrap().count(), 1);
    }

    const FILES: usize = 40;

    /// Makes a folder with events that say which folder they are of, in files of their own.
    fn make(folder: &Path, name: usize) {
        fs::create_dir(folder).unwrap();
        for number in 1..=FILES {
            let number = if number == 1 { String::new() } else { format!("-{number:04}") };
            fs::write(folder.join(format!("events{number}.ndjson")), format!("{name}\n")).unwrap();
        }
    }

    #[test]
    fn a_day_that_is_deleted_meanwhile_is_copied_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let day = dir.path().join("2025-03-10");
        std::thread::scope(|scope| {
            let deleting = scope.spawn(|| {
                for name in 0..300 {
                    let (next, aside) = (dir.path().join("next"), dir.path().join("aside"));
                    make(&next, name);
                    fs::rename(&next, &day).unwrap();
                    if name % 3 == 0 {
                        // Another one comes in its place at once.
                        make(&next, name + 1_000);
                        fs::rename(&day, &aside).unwrap();
                        fs::rename(&next, &day).unwrap();
                        fs::remove_dir_all(&aside).unwrap();
                    }
                    fs::rename(&day, &aside).unwrap();
                    fs::remove_dir_all(&aside).unwrap();
                }
            });
            while !deleting.is_finished() {
                let target = tempfile::tempdir().unwrap();
                let (to, mut transfer) = (target.path().join("copy"), Transfer::default());
                copy_day(&day, &to, &mut transfer).unwrap();
                let (days, files) = (transfer.report.days, transfer.report.copied_files as usize);
                assert_eq!((days == 1, FILES * days as usize), (to.exists(), files));
                let entries = fs::read_dir(&to).into_iter().flatten().map(|entry| entry.unwrap().path());
                let texts: BTreeSet<_> = entries.map(|path| fs::read(path).unwrap()).collect();
                assert!(texts.len() == days as usize, "files of two folders: {texts:?}");
            }
        });
    }
}

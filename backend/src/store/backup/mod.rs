//! A copy of a data folder that opens as one, made while a server may be writing to the original.
//!
//! Files that are never written again share their bytes with the original by hard links; those that still grow are
//! copied up to what is whole. The server is neither asked nor held up: whatever it renames or removes meanwhile is
//! looked for again under its new name. The copy gets its name when all of it is on disk.

mod transfer;

pub use transfer::{Report, Transfer, open};

use super::layout::{day_dir, list_days};
use super::{StoreError, events, files, logs, metrics};
use std::fs::{self, File};
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
        let (from, to) = (day_dir(data, day), day_dir(target, day));
        if !from.is_dir() {
            continue;
        }
        fs::create_dir(&to).map_err(StoreError::io("create", &to))?;
        logs::back_up(&from, &to, &mut transfer)?;
        metrics::back_up(&from, &to, &mut transfer)?;
        events::back_up(&from, &to, &mut transfer)?;
        if from.is_dir() {
            transfer.report.days += 1;
            sync_dir(&to)?;
        } else {
            // It was deleted meanwhile; half a day is none.
            fs::remove_dir_all(&to).map_err(StoreError::io("remove", &to))?;
        }
    }
    sync_dir(target)?;
    Ok(transfer.report)
}

fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::io("sync", dir))
}

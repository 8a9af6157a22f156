//! Every file name of a data folder, and the days found in one.

use super::StoreError;
use sonde_shared::time::Day;
use std::path::{Path, PathBuf};

/// Held by the one server that writes.
pub const LOCK_FILE: &str = "lock";

/// The keys of bodies that were stored in the last minutes, as far as no segment has them any more.
pub const BATCHES_FILE: &str = "batches";

/// The names of all finished days' series.
pub fn catalog(data: &Path) -> PathBuf {
    data.join("catalog")
}

/// What is kept of files that another program writes: their index.
pub fn foreign_dir(data: &Path) -> PathBuf {
    data.join("foreign")
}

/// The folder of a day.
pub fn day_dir(data: &Path, day: Day) -> PathBuf {
    data.join(day.to_string())
}

/// What stands behind the day in the name of a folder that is being deleted.
const DELETED_SUFFIX: &str = ".deleted";

/// The folder of a day that is being deleted. It is no day's.
pub fn deleted_dir(data: &Path, day: Day) -> PathBuf {
    data.join(format!("{day}{DELETED_SUFFIX}"))
}

/// The folders of days that are being deleted.
pub fn list_deleted(data: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(data).map_err(StoreError::io("read", data))? {
        let entry = entry.map_err(StoreError::io("read", data))?;
        let name = entry.file_name();
        let day = name.to_str().and_then(|name| name.strip_suffix(DELETED_SUFFIX)).and_then(Day::parse);
        folders.extend(day.map(|_| entry.path()));
    }
    Ok(folders)
}

/// The days that have a folder, in order. Folders of other names are left alone.
pub fn list_days(data: &Path) -> Result<Vec<Day>, StoreError> {
    let entries = std::fs::read_dir(data).map_err(StoreError::io("read", data))?;
    let mut days = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("read", data))?;
        days.extend(entry.file_name().to_str().and_then(Day::parse));
    }
    days.sort_unstable();
    Ok(days)
}

/// The folder of the dashboards that are saved in the page.
pub fn dashboards(data: &Path) -> PathBuf {
    data.join("dashboards")
}

/// The rules that say whose lines belong to a metric.
pub fn links(data: &Path) -> PathBuf {
    data.join("links.toml")
}

/// In a day's folder: of the day lines alone are kept. What lies there of points and events counts no more and is removed.
const LINES_ONLY_FILE: &str = "lines-only";

/// The file that says that of a day lines alone are kept.
pub fn lines_only(dir: &Path) -> PathBuf {
    dir.join(LINES_ONLY_FILE)
}

/// The files of points and events in a day's folder, whether or not they count.
pub fn list_all_but_lines(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let is_one = |name: &str| name.starts_with("metrics-") || name.starts_with("events");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(StoreError::io("read", dir))? {
        let entry = entry.map_err(StoreError::io("read", dir))?;
        if entry.file_name().to_str().is_some_and(is_one)
            && entry.file_type().is_ok_and(|kind| kind.is_file())
        {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// The numbers of the files `PREFIX-NNNN.SUFFIX` in a day's folder, in order; none where the folder is missing.
pub fn list_numbers(dir: &Path, prefix: &str, suffix: &str) -> Result<Vec<u32>, StoreError> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", dir)(error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("read", dir))?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| {
            name.strip_prefix(prefix)?.strip_prefix('-')?.strip_suffix(suffix)?.strip_suffix('.')
        });
        numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// `PREFIX-NNNN.SUFFIX` in a day's folder.
pub fn numbered(dir: &Path, prefix: &str, number: u32, suffix: &str) -> PathBuf {
    dir.join(format!("{prefix}-{number:04}.{suffix}"))
}

//! Verifies a day's points: that every part holds, and how far each write-ahead log goes.

use super::back_up::Listing;
use super::day::{part_path, wal_path};
use super::part::Part;
use super::wal;
use crate::store::StoreError;
use crate::store::file_view::{Reading, caught};
use std::io::ErrorKind;
use std::path::Path;

/// What became of a check of a file of points or events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileReport {
    /// The file's name in its day's folder.
    pub name: String,
    /// What it holds: points or events.
    pub records: u64,
    /// Its length.
    pub bytes: u64,
    /// What does not hold, in words.
    pub problems: Vec<String>,
    /// What a crash may have left and costs nothing that was acknowledged, in words.
    pub notes: Vec<String>,
}

impl FileReport {
    /// Of a file that nothing is known of yet.
    pub(in crate::store) fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let bytes = path.metadata().map_or(0, |found| found.len());
        Self { name: name.unwrap_or_default(), bytes, ..Self::default() }
    }
}

/// Checks the points of a day's folder without changing anything. A file that a server has merged away meanwhile is left out.
pub fn check_day(dir: &Path, reading: Reading) -> Result<Vec<FileReport>, StoreError> {
    let listing = Listing::of(dir)?;
    let parts = listing.parts.iter().map(|number| check_part(&part_path(dir, *number), reading));
    let wals = listing.wals.iter().map(|number| check_wal(&wal_path(dir, *number), *number));
    Ok(parts.chain(wals).flatten().collect())
}

fn check_part(path: &Path, reading: Reading) -> Option<FileReport> {
    let mut report = FileReport::of(path);
    let opened = Part::open(path, reading);
    match opened.and_then(|part| caught(|| (part.points, part.problems()))) {
        Ok((points, problems)) => {
            report.records = points;
            report.problems = problems.iter().map(StoreError::with_source).collect();
        }
        Err(error) if is_gone(&error) => return None,
        Err(error) => report.problems.push(error.with_source()),
    }
    Some(report)
}

fn check_wal(path: &Path, number: u32) -> Option<FileReport> {
    let mut report = FileReport::of(path);
    match wal::replay(path, number) {
        Ok((head, read_bytes)) => {
            report.records = head.point_count();
            if read_bytes < report.bytes {
                report
                    .notes
                    .push(format!("what follows byte {read_bytes} is no whole record and does not count"));
            }
        }
        Err(error) if is_gone(&error) => return None,
        Err(error) => report.problems.push(error.with_source()),
    }
    Some(report)
}

fn is_gone(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}

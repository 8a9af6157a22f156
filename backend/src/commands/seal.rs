//! `sonde seal`: every finished segment gets its compressed form now, and every day's points become one file.

use super::{Folder, counted, read_days};
use crate::store::Store;
use crate::store::layout::day_dir;
use crate::store::seal_report::SealReport;
use anyhow::Context;
use clap::Args;
use sonde_shared::time::Day;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// What `sonde seal` is told.
#[derive(Args, Clone, Debug)]
pub struct SealOptions {
    #[command(flatten)]
    folder: Folder,
}

/// Seals all lines and points of a folder that no server has, and tells what it sealed.
pub fn seal(options: &SealOptions) -> anyhow::Result<()> {
    let data = &options.folder.data;
    // What a crash left in memory's log becomes a file when the folder is opened.
    let before: BTreeMap<Day, u64> =
        read_days(data)?.into_iter().map(|day| (day, bytes_of(data, day))).collect();
    let store = Store::open_reading(data, false, options.folder.reading())?;
    let mut report = SealReport::default();
    let lines = store.logs().seal_all(&mut report);
    let outcome = lines.and(store.metrics().seal_all(&mut report));
    drop(store);
    let bytes = |of: &dyn Fn(Day) -> u64| report.days.iter().map(|day| of(*day)).sum();
    let known = |day| before.get(&day).copied().unwrap_or_default();
    let sizes = (bytes(&known), bytes(&|day| bytes_of(data, day)));
    if outcome.is_ok() || !report.days.is_empty() {
        writeln!(std::io::stdout().lock(), "{}", told(&report, sizes))?;
    }
    outcome.context("not everything could be sealed; what is not stays as it was")
}

fn told(report: &SealReport, (before, after): (u64, u64)) -> String {
    let SealReport { days, segments, lines, points } = report;
    if days.is_empty() {
        return "there was nothing to seal".to_owned();
    }
    format!(
        "sealed {}: {} with {}, {}; {before} bytes became {after}",
        counted(days.len() as u64, "day"),
        counted(*segments, "segment"),
        counted(*lines, "line"),
        counted(*points, "point"),
    )
}

/// What a day's files take.
fn bytes_of(data: &Path, day: Day) -> u64 {
    let files = std::fs::read_dir(day_dir(data, day)).into_iter().flatten().flatten();
    files
        .filter_map(|file| file.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|found| found.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_told_in_a_sentence() {
        let check = |report: &SealReport, expected: &str| assert_eq!(told(report, (1_000, 100)), expected);
        check(&SealReport::default(), "there was nothing to seal");
        let days = [Day::from_number(1), Day::from_number(2)].into();
        let report = SealReport { days, segments: 1, lines: 2, points: 0 };
        check(&report, "sealed 2 days: 1 segment with 2 lines, 0 points; 1000 bytes became 100");
    }
}

//! `sonde check`: whether the lines of a folder are whole.

use super::Folder;
use crate::store::layout::list_days;
use crate::store::logs::{SegmentReport, check_day};
use clap::Args;
use sonde_shared::time::Day;
use std::io::Write;

/// What `sonde check` is told.
#[derive(Args, Clone, Debug)]
pub struct CheckOptions {
    #[command(flatten)]
    folder: Folder,
}

/// Reads every line of a folder and prints a row a segment; an error when something does not hold. Changes nothing, and may
/// run beside a server.
pub fn check(options: &CheckOptions) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut problems = 0;
    writeln!(out, "{:10}  {:>7}  {:6}  {:>12}  {:>14}", "day", "segment", "form", "lines", "bytes")?;
    for day in list_days(&options.folder.data)? {
        match check_day(&options.folder.data, day) {
            Ok(reports) => {
                for report in reports {
                    problems += report.problems.len();
                    print(&mut out, day, &report)?;
                }
            }
            Err(error) => {
                problems += 1;
                writeln!(out, "{day}  {}", error.with_source())?;
            }
        }
    }
    anyhow::ensure!(problems == 0, "{problems} problems were found");
    writeln!(out, "all of it holds")?;
    Ok(())
}

fn print(out: &mut impl Write, day: Day, report: &SegmentReport) -> std::io::Result<()> {
    let SegmentReport { number, is_sealed, lines, text_bytes, problems } = report;
    let form = if *is_sealed { "sealed" } else { "open" };
    writeln!(out, "{day}  {number:>7}  {form:6}  {lines:>12}  {text_bytes:>14}")?;
    problems.iter().try_for_each(|problem| writeln!(out, "            {problem}"))
}

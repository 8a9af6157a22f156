//! `sonde check`: whether what a folder holds is whole.

use super::{Folder, counted, read_days};
use crate::store::layout::day_dir;
use crate::store::metrics::FileReport;
use crate::store::{StoreError, events, logs, metrics};
use clap::Args;
use sonde_shared::time::Day;
use std::fmt;
use std::io::{self, Write};

/// What `sonde check` is told.
#[derive(Args, Clone, Debug)]
pub struct CheckOptions {
    #[command(flatten)]
    folder: Folder,
}

/// Reads every line, point and event of a folder and prints a row a file; an error when something does not hold. Changes
/// nothing, and may run beside a server.
pub fn check(options: &CheckOptions) -> anyhow::Result<()> {
    let (data, reading) = (&options.folder.data, options.folder.reading());
    let mut table = Table { out: io::stdout().lock(), problems: 0 };
    let [records, disk, unpacked] = ["records", "bytes on disk", "unpacked"];
    writeln!(table.out, "{:10}  {:24}  {records:>14}  {disk:>14}  {unpacked:>14}", "day", "file")?;
    for day in read_days(data)? {
        table.lines(day, logs::check_day(data, day, reading))?;
        table.files(day, metrics::check_day(&day_dir(data, day), reading))?;
        table.files(day, events::check_day(&day_dir(data, day)))?;
    }
    let Table { mut out, problems } = table;
    anyhow::ensure!(problems == 0, "{} found", counted(problems as u64, "problem"));
    writeln!(out, "all of it holds")?;
    Ok(())
}

struct Table<W> {
    out: W,
    problems: usize,
}

impl<W: Write> Table<W> {
    fn lines(&mut self, day: Day, found: Result<Vec<logs::SegmentReport>, StoreError>) -> io::Result<()> {
        self.each(day, found, |table, segment| {
            let form = if segment.is_sealed { "ndjson.zst" } else { "ndjson" };
            let name = format!("logs-{:04}.{form}", segment.number);
            table.row(day, &name, segment.lines, (segment.disk_bytes, Some(segment.text_bytes)))?;
            segment.notes.iter().try_for_each(|note| table.remark(note))?;
            table.problems(&segment.problems)
        })
    }

    fn files(&mut self, day: Day, found: Result<Vec<FileReport>, StoreError>) -> io::Result<()> {
        self.each(day, found, |table, file| {
            table.row(day, &file.name, file.records, (file.bytes, None))?;
            file.notes.iter().try_for_each(|note| table.remark(note))?;
            table.problems(&file.problems)
        })
    }

    fn each<T>(
        &mut self,
        day: Day,
        found: Result<Vec<T>, StoreError>,
        tell: impl Fn(&mut Self, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        match found {
            Ok(reports) => reports.iter().try_for_each(|report| tell(self, report)),
            Err(error) => {
                self.problems += 1;
                writeln!(self.out, "{day}  {}", error.with_source())
            }
        }
    }

    /// A file; the bytes are those on the disk and, where it holds text, of this.
    fn row(&mut self, day: Day, name: &str, records: u64, bytes: (u64, Option<u64>)) -> io::Result<()> {
        let (disk, unpacked) = (bytes.0, bytes.1.map_or_else(String::new, |bytes| bytes.to_string()));
        let row = format!("{day}  {name:24}  {records:>14}  {disk:>14}  {unpacked:>14}");
        writeln!(self.out, "{}", row.trim_end())
    }

    fn problems(&mut self, problems: &[String]) -> io::Result<()> {
        self.problems += problems.len();
        problems.iter().try_for_each(|problem| self.remark(problem))
    }

    fn remark(&mut self, what: impl fmt::Display) -> io::Result<()> {
        writeln!(self.out, "            {what}")
    }
}

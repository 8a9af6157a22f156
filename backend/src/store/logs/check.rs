//! Verifies a day's segments: that every frame and column holds, and that the index has the lines that the text has.

use super::commits::{changed_lines, noted_end};
use super::recovery::{indexed_end, records};
use super::segment::{Paths, Published, Segment};
use super::text::{Text, TextReader};
use super::{SegmentView, Snapshot, attach};
use crate::store::StoreError;
use crate::store::file_view::{Reading, caught};
use crate::store::layout::day_dir;
use crate::store::logs::fields;
use sonde_shared::time::Day;
use std::ops::Range;
use std::path::Path;

/// What became of a check of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentReport {
    /// Its number in the day.
    pub number: u32,
    /// Whether it is sealed.
    pub is_sealed: bool,
    /// Its lines.
    pub lines: u64,
    /// Their text, in bytes, line feeds counted.
    pub text_bytes: u64,
    /// What its files take: the text in its form, the records, the index.
    pub disk_bytes: u64,
    /// What does not hold, in words.
    pub problems: Vec<String>,
    /// What may have been lost, or never was there.
    pub notes: Vec<String>,
}

/// Checks a day of a folder without changing anything; also while a server writes there.
pub fn check_day(dir: &Path, day: Day, reading: Reading) -> Result<Vec<SegmentReport>, StoreError> {
    let snapshot = attach(dir, day, reading)?;
    let dir = day_dir(dir, day);
    let views = snapshot.days.iter().flat_map(|(_, views)| views);
    views.map(|view| caught(|| check(&dir, view)).flatten()).collect()
}

fn check(dir: &Path, view: &SegmentView) -> Result<SegmentReport, StoreError> {
    let paths = Paths::new(dir, view.segment.number());
    let Paths { text, sealed, commits, index } = &paths;
    let files = if view.segment.is_sealed() { vec![sealed, index] } else { vec![text, commits, index] };
    let sizes = files.iter().filter_map(|file| file.metadata().ok()).map(|found| found.len());
    let mut report = SegmentReport {
        number: view.segment.number(),
        is_sealed: view.segment.is_sealed(),
        lines: 0,
        text_bytes: 0,
        disk_bytes: sizes.sum(),
        problems: Vec::new(),
        notes: Vec::new(),
    };
    match view.segment.form() {
        Text::Sealed(text) => report.problems.extend(text.problems()),
        _ => check_text(&paths, view, &mut report)?,
    }
    let mut of_index = Vec::new();
    for (number, block) in view.blocks().enumerate() {
        let first = block.meta().first_row;
        if !view.published.blocks.head_holds(number) {
            of_index.push(format!("the index' block from line {first} on does not hold"));
        } else if !block.holds() {
            of_index.push(format!("the index' columns from line {first} on do not hold"));
        }
        check_rows(view, &block, &mut report);
    }
    if !of_index.is_empty() && report.problems.is_empty() {
        of_index.push(
            "its lines are whole, and answers too: what does not hold of the index is made again from them"
                .to_owned(),
        );
    }
    report.problems.splice(0..0, of_index);
    Ok(report)
}

/// Text that is not sealed is what its commits wrote, and all of it is there.
fn check_text(paths: &Paths, view: &SegmentView, report: &mut SegmentReport) -> Result<(), StoreError> {
    let published = &view.published;
    let records = records(paths)?;
    report.problems.extend(changed_text(&records, &view.segment, published)?.iter().map(told));
    let lost = missing_at_end(paths, view)?;
    let noted = noted_end(&records);
    if lost.is_none() && is_cut(paths, view, noted) {
        let bytes = noted - published.blocks.text_end();
        report.notes.push(format!(
            "{bytes} bytes of text are missing that its records tell of: a loss of power leaves that of lines \
            that were not yet acknowledged; without one, lines are lost"
        ));
    }
    report.problems.extend(lost);
    Ok(())
}

/// What is surely missing at the end of a day's segments, in words: what is left could pass for all there was.
pub fn missing_at_ends(dir: &Path, snapshot: &Snapshot) -> Result<Vec<String>, StoreError> {
    let mut missing = Vec::new();
    for (day, view) in snapshot.days.iter().flat_map(|(day, views)| views.iter().map(move |view| (day, view)))
    {
        let paths = Paths::new(&day_dir(dir, *day), view.segment.number());
        let file = if view.segment.is_sealed() { &paths.sealed } else { &paths.text };
        missing.extend(missing_at_end(&paths, view)?.map(|what| format!("{}: {what}", file.display())));
    }
    Ok(missing)
}

fn missing_at_end(paths: &Paths, view: &SegmentView) -> Result<Option<String>, StoreError> {
    match view.segment.form() {
        Text::Sealed(text) => {
            Ok((!text.has_end()?).then(|| "its end is damaged, and lines may be missing".to_owned()))
        }
        Text::Open(text) => {
            // Read behind the segment, to which lines may have come meanwhile.
            let indexed = indexed_end(paths, text.reading())?;
            let bytes = indexed.saturating_sub(view.published.blocks.text_end());
            let is_missing = is_cut(paths, view, indexed);
            Ok(is_missing.then(|| format!("{bytes} bytes of text are missing that the index is of")))
        }
        Text::Foreign(_) => Ok(None),
    }
}

/// Whether the text is shorter than something says that knew it.
fn is_cut(paths: &Paths, view: &SegmentView, known: u64) -> bool {
    let has_less = || paths.text.metadata().is_ok_and(|text| text.len() < known);
    known > view.published.blocks.text_end() && has_less()
}

/// The lines of a segment in its open form whose text has changed since its records were written.
pub(super) fn changed_text(
    records: &[u8],
    segment: &Segment,
    published: &Published,
) -> Result<Vec<Range<u32>>, StoreError> {
    let Text::Open(text) = segment.form() else { return Ok(Vec::new()) };
    let crc = |range: Range<u64>| text.crc(range.start as usize..range.end as usize);
    changed_lines(records, published.blocks.text_end(), crc)
}

/// What is wrong with these lines.
pub(super) fn told(lines: &Range<u32>) -> String {
    format!("the text of lines {} to {} is not what was committed", lines.start, lines.end.saturating_sub(1))
}

/// Each row of the index names a line, and says of it what it says itself.
fn check_rows(view: &SegmentView, block: &super::block::Block, report: &mut SegmentReport) {
    let columns = view.segment.columns(block, &view.published);
    let mut reader = TextReader::default();
    let mut wrong = 0_u32;
    for row in (0..columns.len()).map(|row| columns.row(row)) {
        let is_right = match reader.line(&view.segment, &row) {
            Ok(line) => {
                report.text_bytes += line.len() as u64;
                line.strip_suffix(b"\n").is_some_and(|line| says(view, &row, line))
            }
            Err(_) => false,
        };
        report.lines += 1;
        wrong += u32::from(!is_right);
    }
    if wrong > 0 {
        let first = block.meta().first_row;
        report
            .problems
            .push(format!("{wrong} lines of the block from line {first} on are not what the index says"));
    }
}

fn says(view: &SegmentView, row: &super::block::Row, line: &[u8]) -> bool {
    let names = &view.published;
    let is = |known: Option<&str>, name: &str| {
        known.is_some_and(|known| known == name || known == super::dictionary::OTHER)
    };
    fields::read(line).is_ok_and(|fields| {
        fields.ts == row.ts
            && fields.level == row.level
            && is(names.components.get(usize::from(row.component)), fields.component())
            && is(names.hosts.get(usize::from(row.host)), fields.host())
    })
}

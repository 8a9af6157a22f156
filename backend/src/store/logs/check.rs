//! Verifies a day's segments: that every frame and column holds, and that the index has the lines that the text has.

use super::segment::Paths;
use super::text::{Text, TextReader};
use super::{SegmentView, attach};
use crate::store::StoreError;
use crate::store::file_view::{Reading, caught};
use crate::store::layout::day_dir;
use crate::store::logs::fields;
use sonde_shared::time::Day;
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
}

/// Checks a day of a folder without changing anything; also while a server writes there.
pub fn check_day(dir: &Path, day: Day, reading: Reading) -> Result<Vec<SegmentReport>, StoreError> {
    let snapshot = attach(dir, day, reading)?;
    let dir = day_dir(dir, day);
    let views = snapshot.days.iter().flat_map(|(_, views)| views);
    views.map(|view| caught(|| check(&dir, view))).collect()
}

fn check(dir: &Path, view: &SegmentView) -> SegmentReport {
    let Paths { text, sealed, commits, index } = Paths::new(dir, view.segment.number());
    let files = if view.segment.is_sealed() { vec![sealed, index] } else { vec![text, commits, index] };
    let sizes = files.iter().filter_map(|file| file.metadata().ok()).map(|found| found.len());
    let mut report = SegmentReport {
        number: view.segment.number(),
        is_sealed: view.segment.is_sealed(),
        lines: 0,
        text_bytes: 0,
        disk_bytes: sizes.sum(),
        problems: Vec::new(),
    };
    if let Text::Sealed(text) = view.segment.form() {
        report.problems.extend(text.problems());
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
    report
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

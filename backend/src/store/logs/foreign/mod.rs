//! Foreign files: NDJSON that another program writes, served in place while it grows.
//!
//! A thread looks at the folders several times a second, reads what has come and lists a segment for each day of each stretch
//! of a file; queries find them beside the store's own. The files are only ever read, with `pread`. What is kept of them, the
//! index, lies in `DATA/foreign` and can be deleted with the server stopped.

/// A file that is followed.
mod file;
/// The thread that follows them.
mod follow;
/// The index of a stretch on disk.
mod index;
/// Reading lines.
mod lines;
/// Which files count.
mod names;
/// A file's bytes.
mod source;
/// A stretch that is being read.
mod stretch;
/// Rows in memory.
mod tail;
/// The text of a stretch.
mod text;

pub(super) use follow::Following;
pub(super) use text::ForeignFrames;
pub use text::ForeignText;

use super::SegmentView;
use super::block::{BlockMeta, Row};
use super::dictionary::NameKind;
use super::rows::is_late;
use super::segment::Segment;
use crate::patterns::Masker;
use sonde_shared::time::{Day, TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

/// The segments of all foreign files.
#[derive(Debug, Default)]
pub(super) struct Listed {
    days: RwLock<BTreeMap<Day, Vec<Arc<Segment>>>>,
    /// What is told of them.
    pub(super) counters: ForeignCounters,
}

/// What is known of the foreign files.
#[derive(Debug, Default)]
pub struct ForeignCounters {
    /// Files that are followed.
    pub files: AtomicU64,
    /// Lines that are served.
    pub lines: AtomicU64,
    /// Lines that cannot be served, because they are none.
    pub bad_lines: AtomicU64,
    /// Bytes that are there and were not yet read.
    pub behind_bytes: AtomicU64,
    /// Folders and files that cannot be read.
    pub unreadable: AtomicU64,
    /// Lines that were read since the start.
    pub read_lines: AtomicU64,
    /// Files that were read anew since the start, because they were cut short or written anew.
    pub changed_files: AtomicU64,
}

impl Listed {
    /// Adds segments that have just begun.
    pub(super) fn add(&self, segments: &[Arc<Segment>]) {
        let mut days = self.days.write().unwrap_or_else(PoisonError::into_inner);
        for segment in segments {
            let of_day = days.entry(segment.day()).or_default();
            let at = of_day.partition_point(|other| other.number() < segment.number());
            of_day.insert(at, segment.clone());
        }
    }

    /// Takes segments away. Who has them already keeps them.
    pub(super) fn remove(&self, goes: impl Fn(&Segment) -> bool) {
        let mut days = self.days.write().unwrap_or_else(PoisonError::into_inner);
        days.retain(|_, segments| {
            segments.retain(|segment| !goes(segment));
            !segments.is_empty()
        });
    }

    /// Adds what is whole now in the days that a range touches, behind the store's own segments.
    pub(super) fn add_to(&self, found: &mut Vec<(Day, Vec<SegmentView>)>, range: TimeRange) {
        let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
        let touched = days.range(range.from.day()..=range.until.day());
        for (day, segments) in touched.filter(|(day, _)| day.range().overlaps(range)) {
            let views = segments.iter().cloned().map(SegmentView::now);
            match found.binary_search_by_key(day, |(day, _)| *day) {
                Ok(at) => found[at].1.extend(views),
                Err(at) => found.insert(at, (*day, views.collect())),
            }
        }
    }

    /// The time of the latest line.
    pub(super) fn last_time(&self) -> Option<Timestamp> {
        let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
        days.last_key_value().map(|(_, segments)| super::segment::watermark_of(segments))
    }
}

/// The rows of a block whose columns are damaged; none where the text has changed too.
pub(super) fn rebuild(
    text: &ForeignText,
    day: Day,
    mut watermark: Timestamp,
    meta: &BlockMeta,
    mut number: impl FnMut(NameKind, &str) -> u16,
) -> Vec<Row> {
    let start = meta.text.start as u32;
    let lines = text.copy_all(start..meta.text.end as u32).unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "lines cannot be read again");
        Vec::new()
    });
    let (mut rows, mut masker) = (Vec::new(), Masker::default());
    for (offset, line) in lines::lines(&lines) {
        let Ok(Some(fields)) = lines::read(line) else { continue };
        if fields.ts.day() == day {
            let place = (start + offset as u32, line.len() as u32);
            let row = lines::row_of(&fields, place, &mut masker, &mut number);
            let (arrival, is_late) = (meta.first_row + rows.len() as u32, is_late(row.ts, &mut watermark));
            rows.push(Row { arrival, is_late, ..row });
        }
    }
    rows
}

#[cfg(test)]
mod tests;

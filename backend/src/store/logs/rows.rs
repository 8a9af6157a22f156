//! The rows of lines, read from their text: where an index is missing or damaged.

use super::block::Row;
use super::dictionary::{NameKind, NameList, OTHER};
use super::fields;
use super::segment::Published;
use crate::patterns::Masker;
use sonde_shared::log::Level;
use sonde_shared::time::{Day, NANOS_PER_SEC, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// A line that is so much older than the day's latest before it is late, in nanoseconds.
pub const LATE_NANOS: i64 = 60 * NANOS_PER_SEC;

/// A line's time is so near to its day, or counts as the day's start: a year.
const MOST_NANOS_AWAY: u64 = 366 * 86_400 * NANOS_PER_SEC as u64;

/// Whether a line's time can be told in a block beside that of its neighbours.
pub(super) fn is_near(ts: Timestamp, day: Day) -> bool {
    ts.nanos_since(day.start()).unsigned_abs() < MOST_NANOS_AWAY
}

/// Whether a line comes late, and the time of the latest line with it.
pub(super) fn is_late(ts: Timestamp, watermark: &mut Timestamp) -> bool {
    let is_late = ts.plus_nanos(LATE_NANOS) < *watermark;
    *watermark = ts.max(*watermark);
    is_late
}

/// The numbers of a segment's names, for blocks that are made again.
pub(super) struct KnownNumbers {
    by_kind: [HashMap<Arc<str>, u16>; 3],
}

impl KnownNumbers {
    pub(super) fn of(published: &Published) -> Self {
        let numbers = |names: &NameList| {
            names.iter().enumerate().map(|(number, name)| (name.into(), number as u16)).collect()
        };
        Self { by_kind: [&published.components, &published.hosts, &published.patterns].map(numbers) }
    }

    pub(super) fn find(&self, kind: NameKind, name: &str) -> u16 {
        let numbers = &self.by_kind[kind as usize];
        numbers.get(name).or_else(|| numbers.get(OTHER)).copied().unwrap_or(0)
    }
}

/// Reads the rows of whole lines, in order of arrival.
pub(super) struct RowReader {
    day: Day,
    watermark: Timestamp,
    masker: Masker,
}

impl RowReader {
    pub(super) fn new(day: Day, watermark: Timestamp) -> Self {
        Self { day, watermark, masker: Masker::default() }
    }

    /// `number` gives each name its number.
    pub(super) fn read(
        &mut self,
        text: &[u8],
        text_start: u32,
        first_row: u32,
        mut number: impl FnMut(NameKind, &str) -> u16,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            let line = &text[start..end];
            let fields = fields::read(line);
            let (ts, component, host, level, message) = fields.as_ref().map_or_else(
                |_unreadable| (self.day.start(), fields::UNKNOWN_COMPONENT, "", Level::Info, ""),
                |fields| (fields.ts, fields.component(), fields.host(), fields.level, fields.message),
            );
            // Lines of other days come with a text that was copied here or damaged. A block holds no such distances.
            let ts = if is_near(ts, self.day) { ts } else { self.day.start() };
            rows.push(Row {
                ts,
                arrival: first_row + rows.len() as u32,
                pos: text_start + start as u32,
                len: line.len() as u32,
                component: number(NameKind::Component, component),
                host: number(NameKind::Host, host),
                pattern: number(NameKind::Pattern, self.masker.template(message)),
                level,
                is_late: is_late(ts, &mut self.watermark),
            });
            start = end + 1;
        }
        rows
    }
}

//! The columns of a block, read in place.

use super::{BlockMeta, LATE_BIT, Row};
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::ops::Range;

/// A view of a block's columns; row `i` is the `i`-th by (time, arrival).
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    first_row: u32,
    ts: &'a [[u8; 8]],
    pos: &'a [[u8; 4]],
    len: &'a [[u8; 4]],
    component: &'a [[u8; 2]],
    host: &'a [[u8; 2]],
    pattern: &'a [[u8; 2]],
    arrival: &'a [[u8; 2]],
    level: &'a [u8],
}

impl<'a> Columns<'a> {
    /// Lays the view over bytes of exactly `meta.rows` rows.
    pub fn new(meta: &BlockMeta, bytes: &'a [u8]) -> Self {
        let rows = meta.rows as usize;
        let (ts, rest) = bytes.split_at(rows * 8);
        let (pos, rest) = rest.split_at(rows * 4);
        let (len, rest) = rest.split_at(rows * 4);
        let (component, rest) = rest.split_at(rows * 2);
        let (host, rest) = rest.split_at(rows * 2);
        let (pattern, rest) = rest.split_at(rows * 2);
        let (arrival, level) = rest.split_at(rows * 2);
        Self {
            first_row: meta.first_row,
            ts: ts.as_chunks().0,
            pos: pos.as_chunks().0,
            len: len.as_chunks().0,
            component: component.as_chunks().0,
            host: host.as_chunks().0,
            pattern: pattern.as_chunks().0,
            arrival: arrival.as_chunks().0,
            level,
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.level.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.level.is_empty()
    }

    /// A row's time.
    pub fn ts(&self, row: usize) -> Timestamp {
        Timestamp::from_nanos(i64::from_le_bytes(self.ts[row]))
    }

    /// A row's component.
    pub fn component(&self, row: usize) -> u16 {
        u16::from_le_bytes(self.component[row])
    }

    /// A row's host.
    pub fn host(&self, row: usize) -> u16 {
        u16::from_le_bytes(self.host[row])
    }

    /// A row's level.
    pub fn level(&self, row: usize) -> Level {
        Level::from_number(self.level[row] & !LATE_BIT)
    }

    /// Whether a row's line is late.
    pub fn is_late(&self, row: usize) -> bool {
        self.level[row] & LATE_BIT != 0
    }

    /// A row's pattern.
    pub fn pattern(&self, row: usize) -> u16 {
        u16::from_le_bytes(self.pattern[row])
    }

    /// A row's number in the segment.
    pub fn arrival(&self, row: usize) -> u32 {
        self.first_row + u32::from(u16::from_le_bytes(self.arrival[row]))
    }

    /// A whole row.
    pub fn row(&self, row: usize) -> Row {
        Row {
            ts: self.ts(row),
            arrival: self.arrival(row),
            pos: u32::from_le_bytes(self.pos[row]),
            len: u32::from_le_bytes(self.len[row]),
            component: self.component(row),
            host: self.host(row),
            pattern: self.pattern(row),
            level: self.level(row),
            is_late: self.is_late(row),
        }
    }

    /// The rows whose time lies in the range.
    pub fn rows_in(&self, range: TimeRange) -> Range<usize> {
        let before = |at: Timestamp| self.ts.partition_point(|ts| i64::from_le_bytes(*ts) < at.as_nanos());
        let start = before(range.from);
        start..before(range.until).max(start)
    }
}

//! The columns of a block, read in place.

use super::packed::{Packed, READ_AT_ONCE, pack};
use super::{BlockMeta, Row};
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::ops::Range;

/// Times are mostly whole seconds, milliseconds or microseconds.
pub(super) const TIME_UNITS: [u32; 3] = [1_000_000_000, 1_000_000, 1_000];
/// In the number of a level: the line is late.
const LATE_BIT: i64 = 8;

/// A view of a block's columns; row `i` is the `i`-th by (time, arrival).
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    rows: usize,
    first_row: i64,
    ts: Packed<'a>,
    pos: Packed<'a>,
    len: Packed<'a>,
    component: Packed<'a>,
    host: Packed<'a>,
    pattern: Packed<'a>,
    /// How far a row's arrival lies from its place by time: 0 where lines came in order.
    shift: Packed<'a>,
    level: Packed<'a>,
}

/// Writes the columns of sorted rows.
pub(super) fn encode(rows: &[Row], first_row: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * 12 + 256);
    pack(&rows.iter().map(|row| row.ts.as_nanos()), &TIME_UNITS, &mut out);
    pack(&rows.iter().map(|row| i64::from(row.pos)), &[], &mut out);
    pack(&rows.iter().map(|row| i64::from(row.len)), &[], &mut out);
    pack(&rows.iter().map(|row| i64::from(row.component)), &[], &mut out);
    pack(&rows.iter().map(|row| i64::from(row.host)), &[], &mut out);
    pack(&rows.iter().map(|row| i64::from(row.pattern)), &[], &mut out);
    let shift = |(place, row): (usize, &Row)| i64::from(row.arrival - first_row) - place as i64;
    pack(&rows.iter().enumerate().map(shift), &[], &mut out);
    let level = |row: &Row| row.level as i64 | if row.is_late { LATE_BIT } else { 0 };
    pack(&rows.iter().map(level), &[], &mut out);
    out
}

impl<'a> Columns<'a> {
    /// Lays the view over the bytes that were written for a block.
    pub(super) fn new(meta: &BlockMeta, bytes: &'a [u8]) -> Self {
        let rows = meta.rows as usize;
        let mut rest = bytes;
        // Bytes that hold no column give one of zeros, which names the segment's first line.
        let mut next = || {
            let (column, behind) = Packed::split(rest, rows).unwrap_or_default();
            rest = behind;
            column
        };
        Self {
            rows,
            first_row: i64::from(meta.first_row),
            ts: next(),
            pos: next(),
            len: next(),
            component: next(),
            host: next(),
            pattern: next(),
            shift: next(),
            level: next(),
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// A row's time.
    #[inline]
    pub fn ts(&self, row: usize) -> Timestamp {
        Timestamp::from_nanos(self.ts.get(row))
    }

    /// Where a row's line lies in the segment, without its line feed.
    #[inline]
    pub fn text(&self, row: usize) -> Range<u32> {
        let start = self.pos.get(row) as u32;
        start..start.saturating_add(self.len.get(row) as u32)
    }

    /// A row's component.
    #[inline]
    pub fn component(&self, row: usize) -> u16 {
        self.component.get(row) as u16
    }

    /// The first of some rows whose level is this or worse.
    #[inline]
    pub fn first_of_level(&self, rows: Range<usize>, level: Level) -> Option<usize> {
        self.level.find(rows, |number| Level::from_number((number & !LATE_BIT) as u8) >= level)
    }

    /// A row's host.
    #[inline]
    pub fn host(&self, row: usize) -> u16 {
        self.host.get(row) as u16
    }

    /// A row's level.
    #[inline]
    pub fn level(&self, row: usize) -> Level {
        Level::from_number((self.level.get(row) & !LATE_BIT) as u8)
    }

    /// Whether a row's line is late.
    #[inline]
    pub fn is_late(&self, row: usize) -> bool {
        self.level.get(row) & LATE_BIT != 0
    }

    /// A row's pattern.
    #[inline]
    pub fn pattern(&self, row: usize) -> u16 {
        self.pattern.get(row) as u16
    }

    /// Calls with each row's pattern and level. Reads many at a time.
    pub fn each_pattern(&self, mut each: impl FnMut(u16, Level)) {
        let (mut patterns, mut levels) = ([0; READ_AT_ONCE], [0; READ_AT_ONCE]);
        for start in (0..self.len()).step_by(READ_AT_ONCE) {
            let count = READ_AT_ONCE.min(self.len() - start);
            self.pattern.read(start, &mut patterns[..count]);
            self.level.read(start, &mut levels[..count]);
            for (pattern, level) in patterns.iter().zip(&levels).take(count) {
                each(*pattern as u16, Level::from_number((level & !LATE_BIT) as u8));
            }
        }
    }

    /// A row's number in the segment.
    #[inline]
    pub fn arrival(&self, row: usize) -> u32 {
        (self.first_row + row as i64 + self.shift.get(row)) as u32
    }

    /// A whole row.
    pub fn row(&self, row: usize) -> Row {
        Row {
            ts: self.ts(row),
            arrival: self.arrival(row),
            pos: self.pos.get(row) as u32,
            len: self.len.get(row) as u32,
            component: self.component(row),
            host: self.host(row),
            pattern: self.pattern(row),
            level: self.level(row),
            is_late: self.is_late(row),
        }
    }

    /// The rows whose time lies in the range.
    pub fn rows_in(&self, range: TimeRange) -> Range<usize> {
        let start = self.first_from(range.from, 0);
        start..self.first_from(range.until, start)
    }

    /// The first row from `start` on that is not before an instant.
    pub fn first_from(&self, at: Timestamp, start: usize) -> usize {
        let (mut low, mut high) = (start, self.rows);
        while low < high {
            let middle = low.midpoint(high);
            if self.ts(middle) < at {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

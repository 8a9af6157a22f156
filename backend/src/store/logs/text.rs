//! The text of a segment, whichever form it has.

use super::block::Row;
use super::foreign::{ForeignFrames, ForeignText};
use super::sealed::{SealedText, Text as Frame};
use super::segment::Segment;
use crate::store::StoreError;
use crate::store::file_view::{FileView, Reading};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// Where a segment's lines lie.
#[derive(Debug)]
pub(super) enum Text {
    /// As they came.
    Open(FileView),
    /// In compressed frames.
    Sealed(SealedText),
    /// In a file that somebody else writes.
    Foreign(Arc<ForeignText>),
}

impl Text {
    /// How its file is read; a foreign one never is mapped.
    pub(super) fn reading(&self) -> Reading {
        match self {
            Self::Open(view) => view.reading(),
            Self::Sealed(text) => text.reading(),
            Self::Foreign(_) => Reading::Pread,
        }
    }
}

/// Reads lines of any segments. It keeps the frames it has used, so it lives as long as one buffer is filled and no longer.
#[derive(Debug, Default)]
pub struct TextReader {
    frames: FxHashMap<(u64, u32), Frame>,
    foreign: ForeignFrames,
    ahead: Ahead,
}

/// What follows on a line is read with it, where the one before was near, so much.
const AHEAD_BYTES: usize = 16 << 10;

/// Text of a file that is not mapped, read before it is asked for.
#[derive(Debug, Default)]
struct Ahead {
    segment: Option<u64>,
    start: usize,
    bytes: Vec<u8>,
}

impl Ahead {
    /// Some text of a segment.
    fn text<'a>(
        &'a mut self,
        segment: u64,
        view: &'a FileView,
        range: Range<usize>,
    ) -> Result<&'a [u8], StoreError> {
        if view.reading() == Reading::Mapped {
            return view.get(range).ok_or_else(|| outside("a text"));
        }
        let end = self.start + self.bytes.len();
        let is_of_it = self.segment == Some(segment) && self.start <= range.start;
        if !is_of_it || range.end > end {
            let is_near = is_of_it && range.start <= end + AHEAD_BYTES;
            let until = if is_near { range.end.max(range.start + AHEAD_BYTES) } else { range.end };
            self.segment = None;
            view.read_ahead(range.start..until, &mut self.bytes)?;
            (self.segment, self.start) = (Some(segment), range.start);
        }
        let at = range.start - self.start;
        self.bytes.get(at..at + range.len()).ok_or_else(|| outside("a text"))
    }
}

impl TextReader {
    /// The text of a line, with its line feed.
    pub fn line<'a>(&'a mut self, segment: &'a Segment, row: &Row) -> Result<&'a [u8], StoreError> {
        let start = row.pos as usize;
        let range = start..start + row.len as usize + 1;
        match segment.form() {
            Text::Open(view) => self.ahead.text(segment.id(), view, range),
            Text::Sealed(sealed) => {
                let number = sealed.frame_at(range.start as u64);
                let first = sealed.range(number).start as usize;
                let frame = self.frame(segment, sealed, number)?;
                slice(frame, range.start - first..range.end - first)
            }
            Text::Foreign(text) => self.foreign.line(text, places(&range)),
        }
    }

    /// Looks at text that is about to be copied. Lines of a component lie far apart: the processor fetches several at a time
    /// where one look does not wait for the other, and copies them one by one.
    pub fn fetch(&self, segment: &Segment, start: usize) {
        let text = match segment.form() {
            Text::Open(view) if view.reading() == Reading::Mapped => view.get(start..start + 1),
            Text::Sealed(sealed) => {
                let number = sealed.frame_at(start as u64);
                let first = sealed.range(number).start as usize;
                // One that is yet to be decoded is fetched by that.
                let frame = self.frames.get(&(segment.id(), number));
                frame.and_then(|frame| frame.get(start - first..=start - first))
            }
            // It is read when it is copied.
            Text::Open(_) | Text::Foreign(_) => None,
        };
        std::hint::black_box(text.map_or(0, |text| text[0]));
    }

    /// Bytes of foreign files that were read since this was last asked: of a frame for a line, they are many more than its own.
    pub fn take_read_bytes(&mut self) -> usize {
        self.foreign.take_read_bytes()
    }

    /// Appends text, which begins and ends with a line.
    pub fn copy(
        &mut self,
        segment: &Segment,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let sealed = match segment.form() {
            Text::Open(view) => return view.read_into(range, out),
            Text::Sealed(sealed) => sealed,
            Text::Foreign(text) => return self.foreign.copy(text, places(&range), out),
        };
        let mut start = range.start;
        while start < range.end {
            let number = sealed.frame_at(start as u64);
            let place = sealed.range(number);
            let end = range.end.min(place.end as usize).max(start + 1);
            let first = place.start as usize;
            out.extend_from_slice(slice(self.frame(segment, sealed, number)?, start - first..end - first)?);
            start = end;
        }
        Ok(())
    }

    fn frame(&mut self, segment: &Segment, sealed: &SealedText, number: u32) -> Result<&Frame, StoreError> {
        use std::collections::hash_map::Entry;
        match self.frames.entry((segment.id(), number)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(free) => Ok(free.insert(sealed.frame(number)?)),
        }
    }
}

/// Places in a foreign file count from the start of their stretch, which a row's 32 bits can tell.
fn places(range: &Range<usize>) -> Range<u32> {
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    place(range.start)..place(range.end)
}

fn slice(frame: &[u8], range: Range<usize>) -> Result<&[u8], StoreError> {
    frame.get(range).ok_or_else(|| outside("a frame"))
}

/// An index that somebody has changed names a line where there is none.
fn outside(what: &str) -> StoreError {
    StoreError::Damaged { path: what.into(), why: "a line lies outside of it".into() }
}

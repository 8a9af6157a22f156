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
    /// Text of frames that were decoded for it.
    decoded_bytes: usize,
    foreign: ForeignFrames,
    ahead: Ahead,
}

/// What follows on a line is read with it, so much, where the one before lies no further away than this.
const AHEAD_BYTES: usize = 16 << 10;
const NEAR_BYTES: usize = 4 << 10;
/// Lines of so many segments may follow on one another in turn.
const MOST_AHEAD: usize = 8;

/// Text of files that are not mapped, read before it is asked for.
#[derive(Debug, Default)]
struct Ahead {
    /// One of a segment, the one that was begun last at the end.
    stretches: Vec<Stretch>,
}

#[derive(Debug, Default)]
struct Stretch {
    segment: u64,
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
        let of_segment = self.stretches.iter().position(|stretch| stretch.segment == segment);
        let at = of_segment.unwrap_or_else(|| {
            let is_full = self.stretches.len() >= MOST_AHEAD;
            let mut stretch = if is_full { self.stretches.remove(0) } else { Stretch::default() };
            stretch.segment = segment;
            stretch.bytes.clear();
            self.stretches.push(stretch);
            self.stretches.len() - 1
        });
        self.stretches[at].read(view, range)
    }
}

impl Stretch {
    fn read(&mut self, view: &FileView, range: Range<usize>) -> Result<&[u8], StoreError> {
        let end = self.start + self.bytes.len();
        if range.start < self.start || range.end > end {
            let is_near = !self.bytes.is_empty() && (self.start..=end + NEAR_BYTES).contains(&range.start);
            let until = if is_near { range.end.max(range.start + AHEAD_BYTES) } else { range.end };
            view.read_ahead(range.start..until, &mut self.bytes)?;
            self.start = range.start;
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

    /// Bytes of frames, of foreign files and of decoded text, that were read since this was last asked: of a frame for a line,
    /// they are many more than its own.
    pub fn take_read_bytes(&mut self) -> usize {
        self.foreign.take_read_bytes() + std::mem::take(&mut self.decoded_bytes)
    }

    /// Appends text, which begins and ends with a line.
    pub fn copy(
        &mut self,
        segment: &Segment,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let sealed = match segment.form() {
            Text::Open(view) if view.reading() == Reading::Pread && range.len() <= NEAR_BYTES => {
                out.extend_from_slice(self.ahead.text(segment.id(), view, range)?);
                return Ok(());
            }
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
            Entry::Vacant(free) => Ok(free.insert(sealed.frame(number, &mut self.decoded_bytes)?)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::batch::{Durability, LineBatch};
    use crate::store::logs::LogStore;
    use sonde_shared::time::TimeRange;

    /// More segments than are read ahead of; of each fifth line the text is long.
    fn store_segments(dir: &std::path::Path) -> usize {
        const SEGMENTS: usize = MOST_AHEAD + 2;
        for number in 0..SEGMENTS {
            let store = LogStore::open_as(dir, false).unwrap();
            let mut batch = LineBatch::default();
            for at in 0..200 {
                let pad = "x".repeat(if at % 5 == 0 { 3_000 + at * 30 } else { at % 17 });
                let line = format!(r#"{{"ts":{},"msg":"{number} {at} {pad}"}}"#, 1_741_608_000 + at);
                batch.push_line(line.as_bytes()).unwrap();
            }
            futures::executor::block_on(store.append(batch, Durability::Acknowledged)).unwrap();
        }
        SEGMENTS
    }

    #[test]
    fn text_that_is_read_ahead_is_that_of_the_lines_in_whatever_turn_they_are_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let segments = store_segments(dir.path());
        let [mapped, read] = [Reading::Mapped, Reading::Pread].map(|reading| {
            let store = LogStore::open_reading(dir.path(), false, reading).unwrap();
            store.snapshot(TimeRange::all()).unwrap()
        });
        let rows = |view: &crate::store::logs::SegmentView| {
            let block = view.block(0);
            let columns = view.segment.columns(&block, &view.published);
            (0..columns.len()).map(|row| columns.row(row)).collect::<Vec<_>>()
        };
        let (views, rows) = (&read.days[0].1, rows(&mapped.days[0].1[0]));
        assert_eq!(views.len(), segments);
        let in_turn = (0..200).flat_map(|at| (0..segments).map(move |segment| (segment, at)));
        let one_by_one = (0..segments).flat_map(|segment| (0..200).map(move |at| (segment, at)));
        let order: Vec<(usize, usize)> =
            in_turn.clone().chain(one_by_one.clone()).chain(in_turn.rev()).chain(one_by_one.rev()).collect();
        let (mut reader, mut out) = (TextReader::default(), Vec::new());
        for (segment, at) in order {
            let (of_mapped, row) = (&mapped.days[0].1[segment].segment, rows[at]);
            let Text::Open(view) = of_mapped.form() else { panic!("it is not sealed") };
            let range = row.pos as usize..row.pos as usize + row.len as usize + 1;
            let expected = view.get(range.clone()).unwrap();
            assert!(reader.line(&views[segment].segment, &row).unwrap() == expected, "{segment} {at}");
            out.clear();
            reader.copy(&views[segment].segment, range, &mut out).unwrap();
            assert!(out == expected, "{segment} {at}");
        }
        assert!(reader.ahead.stretches.len() <= MOST_AHEAD);
    }
}

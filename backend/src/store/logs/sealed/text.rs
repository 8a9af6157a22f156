//! The text of a sealed file, a frame at a time.

use super::cache::{FrameCache, Text};
use super::layout::{Footer, Frame};
use super::room::{FrameText, Rooms};
use crate::store::StoreError;
use crate::store::file_view::{FileView, Reading, or_end};
use std::cell::RefCell;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use zstd::zstd_safe;

/// The first bytes of a frame of text (RFC 8878, 3.1.1).
const FRAME_MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// A frame holds at most a quarter of a MiB, or a single longer line: of at most a MiB, unless its text was copied in by hand.
const MAX_FRAME_TEXT: u64 = 2 << 20;

/// How many bytes of text share an entry of the way to their frame, as a power of two.
const STRIDE: u32 = 16;

thread_local! {
    static DECODER: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The lines of a sealed segment in storage order: errors last, both parts by component, each component's in order of arrival.
#[derive(Debug)]
pub struct SealedText {
    path: PathBuf,
    view: FileView,
    /// Which segment it is, in the cache.
    id: u64,
    cache: Arc<FrameCache>,
    /// Made when the first text is read: of most segments of many days none ever is.
    places: OnceLock<Places>,
}

#[derive(Debug)]
struct Places {
    /// Where each frame begins, in the file and in the text, and where the last one ends.
    starts: Vec<(u64, u64)>,
    /// For each [`STRIDE`] of the text the frame that holds its first byte, so that a line's frame is found without a search.
    strides: Vec<u32>,
}

impl Places {
    fn of(frames: &[Frame]) -> Self {
        let mut starts = vec![(0, 0)];
        let (mut packed, mut text) = (0, 0);
        for frame in frames {
            packed += u64::from(frame.packed);
            text += u64::from(frame.text);
            starts.push((packed, text));
        }
        let strides = strides(&starts);
        Self { starts, strides }
    }
}

/// What a sealed file says of its lines.
#[derive(Debug)]
pub(in crate::store::logs) struct Sealed {
    pub(in crate::store::logs) text: SealedText,
    /// The footer's checksum, by which an index knows its file; `None` when the footer is damaged.
    pub(in crate::store::logs) print: Option<u32>,
    /// How many lines there are, where that is known.
    pub(in crate::store::logs) lines: Option<u32>,
}

impl SealedText {
    /// Opens a sealed file. Where its end is damaged, the whole frames before it are its text.
    pub(in crate::store::logs) fn open(
        path: &Path,
        id: u64,
        cache: Arc<FrameCache>,
        reading: Reading,
    ) -> Result<Sealed, StoreError> {
        let view = reading.whole(path)?;
        let found = Footer::find(&view)?;
        let places = OnceLock::new();
        if found.is_none() {
            // Given back at once: nobody knows where a frame ends before all of those before it were looked at.
            let view = view.anew();
            let frames = whole_frames(view.slice(0..view.len()));
            tracing::warn!(file = %path.display(), frames = frames.len(), "a sealed file's end is damaged; its whole frames are read");
            places.get_or_init(|| Places::of(&frames));
        }
        let (lines, print) = (found.as_ref().map(|(footer, _)| footer.lines), found.map(|(_, print)| print));
        Ok(Sealed { text: Self { path: path.to_owned(), view, id, cache, places }, print, lines })
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| {
            let footer = or_end(Footer::find(&self.view));
            Places::of(&footer.map(|(footer, _)| footer.frames).unwrap_or_default())
        })
    }

    /// The order of arrival; `None` when it is damaged: the lines then count in storage order.
    pub(in crate::store::logs) fn order(&self) -> Result<Option<Vec<u32>>, StoreError> {
        Footer::find(&self.view)?.map_or(Ok(None), |(footer, _)| footer.order(&self.view))
    }

    /// Whether the order of arrival is the one that had this checksum before it was packed. It is not unpacked at once.
    pub(super) fn has_order(&self, crc: u32) -> Result<bool, StoreError> {
        Footer::find(&self.view)?.map_or(Ok(false), |(footer, _)| footer.has_order(&self.view, crc))
    }

    /// Opens the same file once more, with what it says of its lines.
    pub(in crate::store::logs) fn reopen(&self) -> Result<Sealed, StoreError> {
        Self::open(&self.path, self.id, self.cache.clone(), self.view.reading())
    }

    /// Whether its end is there, which tells what the file has.
    pub(in crate::store::logs) fn has_end(&self) -> Result<bool, StoreError> {
        Ok(Footer::find(&self.view)?.is_some())
    }

    /// What of the file does not hold, in words.
    pub(in crate::store::logs) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let order = |(footer, _): (Footer, u32)| footer.order(&self.view).map(|order| order.is_some());
        match Footer::find(&self.view).and_then(|found| found.map(order).transpose()) {
            Ok(Some(true)) => {}
            Ok(Some(false)) => problems.push("the order of arrival is damaged".to_owned()),
            Ok(None) => problems.push("the sealed file's end is damaged".to_owned()),
            Err(error) => problems.push(error.with_source()),
        }
        let damaged = (0..self.frames()).filter_map(|frame| self.decode(frame).err());
        problems.extend(damaged.map(|error| error.to_string()));
        problems
    }

    /// How its file is read.
    pub(in crate::store::logs) fn reading(&self) -> Reading {
        self.view.reading()
    }

    /// How many frames there are.
    pub(in crate::store::logs) fn frames(&self) -> u32 {
        self.places().starts.len() as u32 - 1
    }

    /// How much text all frames hold.
    pub(in crate::store::logs) fn text_bytes(&self) -> u64 {
        self.places().starts.last().map_or(0, |(_, text)| *text)
    }

    /// The frame that holds a place of the text.
    pub(in crate::store::logs) fn frame_at(&self, pos: u64) -> u32 {
        let Places { starts, strides } = self.places();
        frame_of(starts, strides, pos) as u32
    }

    /// The text of a frame, as a range of all text.
    pub(in crate::store::logs) fn range(&self, frame: u32) -> Range<u64> {
        let starts = &self.places().starts;
        let at = |frame: usize| starts.get(frame).map_or(0, |(_, text)| *text);
        at(frame as usize)..at(frame as usize + 1)
    }

    /// A frame, from the cache or decoded now; then its length is added to `decoded_bytes`.
    pub(in crate::store::logs) fn frame(
        &self,
        frame: u32,
        decoded_bytes: &mut usize,
    ) -> Result<Text, StoreError> {
        self.cache.get(self.id, frame, || {
            let text = self.decode(frame)?;
            *decoded_bytes += text.len();
            Ok(text)
        })
    }

    /// Decodes a frame, past the cache.
    pub(in crate::store::logs) fn decode(&self, frame: u32) -> Result<Text, StoreError> {
        let index = frame as usize;
        let starts = &self.places().starts;
        let (Some((start, _)), Some((end, _))) = (starts.get(index), starts.get(index + 1)) else {
            return Err(self.damaged("a line lies behind its end"));
        };
        let len = self.range(frame).end - self.range(frame).start;
        let packed = self.view.read(*start as usize..*end as usize)?;
        let text = decode(&packed, len as usize, self.cache.rooms());
        text.ok_or_else(|| self.damaged(&format!("the frame at byte {start} does not hold")))
    }

    fn damaged(&self, why: &str) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), why: why.to_owned() }
    }
}

/// The frame that holds a place of the text, or the number of frames where it lies behind all.
fn frame_of(starts: &[(u64, u64)], strides: &[u32], pos: u64) -> usize {
    let first = strides.get((pos >> STRIDE) as usize).map_or(starts.len() - 1, |frame| *frame as usize);
    first + starts[first + 1..].iter().take_while(|(_, text)| *text <= pos).count()
}

/// For each stride of the text the last frame that begins at its first byte or before; `starts` ends with the end of the last.
fn strides(starts: &[(u64, u64)]) -> Vec<u32> {
    // A line's place has 32 bits, whatever a file says.
    let end = starts.last().map_or(0, |(_, text)| *text).min(u64::from(u32::MAX));
    let mut strides = Vec::with_capacity((end >> STRIDE) as usize + 1);
    let mut frame = 0;
    for pos in (0..end).step_by(1 << STRIDE) {
        while starts.get(frame + 1).is_some_and(|(_, text)| *text <= pos) {
            frame += 1;
        }
        strides.push(frame as u32);
    }
    strides
}

fn decode(packed: &[u8], len: usize, rooms: &Arc<Rooms>) -> Option<Text> {
    if len as u64 > MAX_FRAME_TEXT {
        return decode_long(packed, len);
    }
    DECODER.with_borrow_mut(|decoder| {
        if decoder.is_none() {
            *decoder = zstd::bulk::Decompressor::new().ok();
        }
        let mut text = rooms.take(len);
        let decoded = decoder.as_mut()?.decompress_to_buffer(packed, &mut text);
        let text = FrameText::in_room(text, rooms.clone());
        (decoded.is_ok() && text.len() == len).then(|| text.into())
    })
}

/// A frame of a line that is far too long, or whose length somebody has changed: memory is taken for what comes.
fn decode_long(packed: &[u8], len: usize) -> Option<Text> {
    let mut text = Vec::new();
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).ok()?;
    decoder.take(len as u64 + 1).read_to_end(&mut text).ok()?;
    (text.len() == len).then(|| FrameText::from(text).into())
}

/// The frames of text from the file's start on that hold.
fn whole_frames(file: &[u8]) -> Vec<Frame> {
    let (mut frames, mut all_text) = (Vec::new(), 0_u64);
    let (mut rest, rooms) = (file, Arc::default());
    while rest.starts_with(&FRAME_MAGIC) {
        let Ok(packed) = zstd_safe::find_frame_compressed_size(rest) else { break };
        let Ok(Some(text)) = zstd_safe::get_frame_content_size(rest) else { break };
        let Some((frame, behind)) = rest.split_at_checked(packed) else { break };
        all_text += text;
        let is_too_long = text > MAX_FRAME_TEXT || all_text > u64::from(u32::MAX);
        if is_too_long || decode(frame, text as usize, &rooms).is_none() {
            break;
        }
        frames.push(Frame { packed: packed as u32, text: text as u32 });
        rest = behind;
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocations;

    #[test]
    fn the_way_to_a_frame_leads_where_a_search_would() {
        let stride = 1 << STRIDE;
        let ends = [0, 1, 2, stride - 1, stride, stride + 1, 3 * stride, 3 * stride + 5, 9 * stride + 1];
        for frames in 1..=ends.len() {
            let starts: Vec<(u64, u64)> = ends[..frames].iter().map(|end| (0, *end)).collect();
            let strides = strides(&starts);
            for pos in ends.iter().flat_map(|end| [end.saturating_sub(1), *end, end + 1, end + stride]) {
                let searched = starts.partition_point(|(_, text)| *text <= pos) - 1;
                assert_eq!(frame_of(&starts, &strides, pos), searched, "{pos} of {starts:?}");
            }
        }
    }

    #[test]
    fn a_frame_is_not_taken_at_its_word() {
        // A single segment whose content size has four bytes, and one raw block of one byte (RFC 8878, 3.1.1).
        let frame = |len: u32| [&FRAME_MAGIC[..], &[0xA0], &len.to_le_bytes(), &[0x09, 0, 0], b"x"].concat();
        let rooms = Arc::default();
        assert_eq!(decode(&frame(1), 1, &rooms).as_deref().map(|text| &text[..]), Some(&b"x"[..]));
        for len in [2, 3 << 20, 1 << 30] {
            allocations::begin();
            assert!(decode(&frame(len), len as usize, &rooms).is_none());
            assert!(allocations::most_bytes() < 8 << 20, "{len}: {}", allocations::most_bytes());
        }
    }
}

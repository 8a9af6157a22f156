//! The text of a foreign file, a stretch at a time, each in frames of whole lines with a checksum.
//!
//! A line is only given out when the frame it lies in is, byte for byte, the one that was indexed. So whatever is done to the file,
//! an answer has lines that were in it, or an error.

use super::source::Source;
use crate::store::StoreError;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A frame holds so much text, or one longer line.
const FRAME_BYTES: usize = 16 << 10;
/// So much of neighbouring frames is read at once.
const RUN_BYTES: u32 = 256 << 10;
/// So much text of frames is kept while one buffer is filled.
const KEPT_BYTES: usize = 4 << 20;

/// The text of neighbouring frames.
type Text = Arc<Vec<u8>>;

/// Neighbouring lines; places count from the stretch's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) crc: u32,
}

impl Frame {
    pub(super) fn end(self) -> u32 {
        self.start + self.len
    }
}

/// A part of a foreign file whose places fit into a row's 32 bits.
#[derive(Debug)]
pub struct ForeignText {
    id: u64,
    source: Arc<Source>,
    /// Where it begins in the file.
    base: u64,
    frames: RwLock<Vec<Frame>>,
}

/// How much of the text consists of whole lines and is no longer than that.
fn lines_within(text: &[u8], most: usize) -> usize {
    memchr::memrchr(b'\n', &text[..text.len().min(most)]).map_or(0, |at| at + 1)
}

impl ForeignText {
    pub(super) fn new(source: Arc<Source>, base: u64, frames: Vec<Frame>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { id, source, base, frames: RwLock::new(frames) }
    }

    /// The file's name, for messages.
    pub(in crate::store::logs) fn path(&self) -> PathBuf {
        self.source.path()
    }

    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// The frames from one on.
    pub(super) fn frames_from(&self, first: usize) -> Vec<Frame> {
        self.frames.read().unwrap_or_else(PoisonError::into_inner)[first..].to_vec()
    }

    pub(super) fn frame_count(&self) -> usize {
        self.frames.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn frame(&self, number: usize) -> Option<Frame> {
        self.frames.read().unwrap_or_else(PoisonError::into_inner).get(number).copied()
    }

    /// Takes whole lines in, which begin at `start`. The last frame grows with them unless it is one of the first `closed`.
    pub(super) fn cover(&self, start: u32, text: &[u8], closed: usize) {
        let mut frames = self.frames.write().unwrap_or_else(PoisonError::into_inner);
        let (mut at, mut rest) = (start, text);
        while !rest.is_empty() {
            let is_open = frames.len() > closed;
            let last = frames.last_mut().filter(|last| is_open && last.end() == at);
            let room = last.as_ref().map_or(0, |last| FRAME_BYTES.saturating_sub(last.len as usize));
            let mut taken = lines_within(rest, room);
            if let Some(last) = last.filter(|_| taken > 0) {
                let mut crc = crc32fast::Hasher::new_with_initial_len(last.crc, u64::from(last.len));
                crc.update(&rest[..taken]);
                *last = Frame { len: last.len + taken as u32, crc: crc.finalize(), ..*last };
            } else {
                taken = lines_within(rest, FRAME_BYTES);
                if taken == 0 {
                    taken = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                }
                let crc = crc32fast::hash(&rest[..taken]);
                frames.push(Frame { start: at, len: taken as u32, crc });
            }
            at += taken as u32;
            rest = &rest[taken..];
        }
    }

    /// Reads neighbouring frames at once; an error when the file has other bytes there than it had.
    fn read(&self, frames: &[Frame]) -> Result<Text, StoreError> {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return Ok(Text::default()) };
        let mut text = vec![0; (last.end() - first.start) as usize];
        let len = self.source.read(&mut text, self.base + u64::from(first.start))?;
        let holds = |frame: &Frame| {
            let start = (frame.start - first.start) as usize;
            let bytes = text.get(start..start + frame.len as usize);
            bytes.is_some_and(|bytes| crc32fast::hash(bytes) == frame.crc)
        };
        if len < text.len() || !frames.iter().all(holds) {
            return Err(self.source.suspect());
        }
        Ok(Arc::new(text))
    }

    /// Whether the file still holds a frame; an error where it cannot be read.
    pub(super) fn holds(&self, number: usize) -> Result<bool, StoreError> {
        match self.frame(number).map(|frame| self.read(&[frame])) {
            Some(Err(StoreError::Changed { .. })) => Ok(false),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) | None => Ok(true),
        }
    }

    /// The frame that a place lies in, and its number.
    fn frame_at(&self, pos: u32) -> Option<(usize, Frame)> {
        let frames = self.frames.read().unwrap_or_else(PoisonError::into_inner);
        let number = frames.partition_point(|frame| frame.start <= pos).checked_sub(1)?;
        let frame = frames[number];
        (pos < frame.end()).then_some((number, frame))
    }

    /// From one frame on those that follow without a gap and begin before a place, as far as they are read at once.
    fn frames_before(&self, first: usize, end: u32) -> Vec<Frame> {
        let frames = self.frames.read().unwrap_or_else(PoisonError::into_inner);
        let mut run: Vec<Frame> = Vec::new();
        for frame in &frames[first..] {
            let len = run.first().map_or(0, |first| frame.end() - first.start);
            let follows = run.last().is_none_or(|last| last.end() == frame.start && len <= RUN_BYTES);
            if frame.start >= end || !follows {
                break;
            }
            run.push(*frame);
        }
        run
    }

    /// The text of a range, for what is made again from it.
    pub(super) fn copy_all(&self, range: Range<u32>) -> Result<Vec<u8>, StoreError> {
        let mut out = Vec::new();
        let mut frames = ForeignFrames::default();
        frames.copy(self, range, &mut out)?;
        Ok(out)
    }

    fn outside(&self) -> StoreError {
        let why = "the index names a line where there is none".into();
        StoreError::Damaged { path: self.source.path(), why }
    }
}

/// What lies behind a place, where a line begins.
fn from_line<'a>(text: &ForeignText, read: &'a [u8], offset: u32) -> Result<&'a [u8], StoreError> {
    let (before, lines) = read.split_at_checked(offset as usize).ok_or_else(|| text.outside())?;
    let begins = before.last().is_none_or(|byte| *byte == b'\n');
    begins.then_some(lines).ok_or_else(|| text.outside())
}

/// The first bytes of some lines, which end with one.
fn whole_lines<'a>(text: &ForeignText, lines: &'a [u8], len: u32) -> Result<&'a [u8], StoreError> {
    let lines = lines.get(..len as usize).filter(|lines| lines.last() == Some(&b'\n'));
    lines.ok_or_else(|| text.outside())
}

/// A file that is not there any more has changed as much as one can.
fn gone(error: StoreError) -> StoreError {
    match error {
        StoreError::Io { source, path, .. } if source.kind() == ErrorKind::NotFound => {
            StoreError::Changed { path }
        }
        other => other,
    }
}

/// The frames that were read last, at most some MiB of them.
#[derive(Debug, Default)]
pub(in crate::store::logs) struct ForeignFrames {
    kept: Vec<((u64, usize), Frame, Text)>,
    bytes: usize,
    read_bytes: usize,
}

impl ForeignFrames {
    /// Bytes that were read since this was last asked.
    pub(in crate::store::logs) fn take_read_bytes(&mut self) -> usize {
        std::mem::take(&mut self.read_bytes)
    }

    /// A line with its line feed.
    pub(in crate::store::logs) fn line(
        &mut self,
        text: &ForeignText,
        range: Range<u32>,
    ) -> Result<&[u8], StoreError> {
        let lines = self.lines_from(text, range.start)?;
        let line =
            lines.get(..range.len()).filter(|line| memchr::memchr(b'\n', line) == Some(line.len() - 1));
        line.ok_or_else(|| text.outside())
    }

    /// Appends text, which begins and ends with a line.
    pub(in crate::store::logs) fn copy(
        &mut self,
        text: &ForeignText,
        range: Range<u32>,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let mut start = range.start;
        while start < range.end {
            let (number, frame) = text.frame_at(start).ok_or_else(|| text.outside())?;
            if range.end <= frame.end() {
                let lines = self.lines_from(text, start)?;
                out.extend_from_slice(whole_lines(text, lines, range.end - start)?);
                return Ok(());
            }
            let run = text.frames_before(number, range.end);
            let read = text.read(&run).map_err(gone)?;
            self.read_bytes += read.len();
            let end = run.last().map_or(frame.end(), |last| last.end()).min(range.end);
            let lines = from_line(text, &read, start - frame.start)?;
            out.extend_from_slice(whole_lines(text, lines, end - start)?);
            start = end;
        }
        Ok(())
    }

    /// What a frame holds from the line on that begins at a place.
    fn lines_from(&mut self, text: &ForeignText, start: u32) -> Result<&[u8], StoreError> {
        let (number, frame) = text.frame_at(start).ok_or_else(|| text.outside())?;
        let key = (text.id, number);
        let known = |kept: &((u64, usize), Frame, Text)| kept.0 == key && kept.1 == frame;
        let at = match self.kept.iter().rposition(known) {
            Some(at) => at,
            None => self.add(key, frame, text.read(&[frame]).map_err(gone)?),
        };
        from_line(text, &self.kept[at].2, start - frame.start)
    }

    fn add(&mut self, key: (u64, usize), frame: Frame, text: Text) -> usize {
        if self.bytes + text.len() > KEPT_BYTES {
            self.kept.clear();
            self.bytes = 0;
        }
        self.bytes += text.len();
        self.read_bytes += text.len();
        self.kept.push((key, frame, text));
        self.kept.len() - 1
    }
}

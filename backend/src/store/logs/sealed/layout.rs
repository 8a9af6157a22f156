//! What lies in a sealed file beside its text: in zstd's skippable frames, so that `zstd -dc` gives the lines alone.

use crate::store::StoreError;
use crate::store::file_view::{FileView, Piece};
use std::io::{Read, Write};
use std::ops::{Deref, Range};

/// The first bytes of a skippable frame (RFC 8878, 3.1.2); its length follows.
const SKIPPABLE: [u8; 4] = 0x184D_2A50_u32.to_le_bytes();
/// The last bytes of a sealed file: its kind and version.
const MAGIC: &[u8; 8] = b"SNDSEAL1";
/// Length and checksum of the footer's payload, then the magic.
const TAIL_BYTES: usize = 4 + 4 + MAGIC.len();
const HEAD_BYTES: usize = 4 + 8 + 8 + 4 + 4 + 4;

/// A frame of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Bytes in the file.
    pub(super) packed: u32,
    /// Bytes of text.
    pub(super) text: u32,
}

/// The last frame of a sealed file: how to read all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    /// How many lines.
    pub(super) lines: u32,
    /// The time of the latest line of the day's earlier segments, unix nanoseconds.
    pub(super) watermark: i64,
    /// Where the order of arrival lies in the file, and its checksum.
    pub(super) order_at: u64,
    pub(super) order_len: u32,
    pub(super) order_crc: u32,
    /// The frames, from the file's start.
    pub(super) frames: Vec<Frame>,
}

impl Footer {
    /// The skippable frame as it ends the file, and its checksum, which tells this file from others.
    pub(super) fn encode(&self) -> (Vec<u8>, u32) {
        let mut payload = Vec::with_capacity(HEAD_BYTES + self.frames.len() * 8 + TAIL_BYTES);
        payload.extend_from_slice(&self.lines.to_le_bytes());
        payload.extend_from_slice(&self.watermark.to_le_bytes());
        payload.extend_from_slice(&self.order_at.to_le_bytes());
        for number in [self.order_len, self.order_crc, self.frames.len() as u32] {
            payload.extend_from_slice(&number.to_le_bytes());
        }
        for frame in &self.frames {
            payload.extend_from_slice(&frame.packed.to_le_bytes());
            payload.extend_from_slice(&frame.text.to_le_bytes());
        }
        let (len, crc) = (payload.len() as u32, crc32fast::hash(&payload));
        payload.extend_from_slice(&len.to_le_bytes());
        payload.extend_from_slice(&crc.to_le_bytes());
        payload.extend_from_slice(MAGIC);
        (skippable(&payload), crc)
    }

    /// Reads the footer of a whole file and its checksum; `None` when it is not whole. Nothing else of the file is looked at.
    pub(super) fn find(file: &FileView) -> Result<Option<(Self, u32)>, StoreError> {
        Self::find_by(file.len(), |range| file.read(range))
    }

    /// The same of a file's bytes as `read` gives them, so many.
    fn find_by<T: Deref<Target = [u8]>, E>(
        len: usize,
        read: impl Fn(Range<usize>) -> Result<T, E>,
    ) -> Result<Option<(Self, u32)>, E> {
        let Some(tail_at) = len.checked_sub(TAIL_BYTES) else { return Ok(None) };
        let tail = read(tail_at..len)?;
        let start = tail_at.checked_sub(u32_at(&tail, 0) as usize).filter(|_| &tail[8..] == MAGIC);
        let Some(start) = start else { return Ok(None) };
        let payload = read(start..tail_at)?;
        let crc = Some(u32_at(&tail, 4)).filter(|crc| crc32fast::hash(&payload) == *crc);
        Ok(crc.and_then(|crc| Some((Self::decode(&payload, tail_at as u64)?, crc))))
    }

    /// Reads what the footer says; its end lies at a place of the file.
    fn decode(payload: &[u8], end: u64) -> Option<Self> {
        let (head, frames) = payload.split_at_checked(HEAD_BYTES)?;
        let frames: Vec<Frame> = frames
            .chunks_exact(8)
            .map(|bytes| Frame { packed: u32_at(bytes, 0), text: u32_at(bytes, 4) })
            .collect();
        let footer = Self {
            lines: u32_at(head, 0),
            watermark: u64_at(head, 4) as i64,
            order_at: u64_at(head, 12),
            order_len: u32_at(head, 20),
            order_crc: u32_at(head, 24),
            frames,
        };
        let is_whole = footer.frames.len() == u32_at(head, 28) as usize && footer.fits(end);
        is_whole.then_some(footer)
    }

    /// Whether a file of a length can have such frames and lines, so that no number of it is taken at its word.
    fn fits(&self, file_bytes: u64) -> bool {
        let sum =
            |bytes: fn(&Frame) -> u32| self.frames.iter().map(|frame| u64::from(bytes(frame))).sum::<u64>();
        let text = sum(|frame| frame.text);
        sum(|frame| frame.packed) <= file_bytes
            && u32::try_from(text).is_ok()
            && u64::from(self.lines) <= text
    }

    /// The order of arrival, in which the lines of the file are numbered; `None` when it is damaged.
    pub(super) fn order(&self, file: &FileView) -> Result<Option<Vec<u32>>, StoreError> {
        let packed = self.packed_order(file)?;
        Ok(packed.and_then(|packed| decode_order(&packed, self.lines as usize)))
    }

    /// Whether the order of arrival is the one that had this checksum before it was packed.
    pub(super) fn has_order(&self, file: &FileView, crc: u32) -> Result<bool, StoreError> {
        Ok(self.packed_order(file)?.and_then(|packed| order_crc(&packed)) == Some(crc))
    }

    fn packed_order(&self, file: &FileView) -> Result<Option<Piece>, StoreError> {
        let start = usize::try_from(self.order_at).ok();
        let range = start.and_then(|start| Some(start..start.checked_add(self.order_len as usize)?));
        let Some(range) = range.filter(|range| range.end <= file.len()) else { return Ok(None) };
        let packed = file.read(range)?;
        Ok((crc32fast::hash(&packed) == self.order_crc).then_some(packed))
    }
}

/// A skippable frame.
pub(super) fn skippable(payload: &[u8]) -> Vec<u8> {
    let mut out = SKIPPABLE.to_vec();
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(payload);
    out
}

/// Bytes before a skippable frame's payload.
pub(super) const SKIPPABLE_HEAD: u64 = 8;

/// Writes the order of arrival as it comes: each line's number less the one before and one, as a zigzag varint, then zstd:
/// within a component numbers rise.
pub(super) struct OrderWriter {
    packed: Option<zstd::stream::write::Encoder<'static, Vec<u8>>>,
    expected: i64,
    crc: crc32fast::Hasher,
}

impl OrderWriter {
    pub(super) fn new() -> std::io::Result<Self> {
        let packed = Some(zstd::stream::write::Encoder::new(Vec::new(), 3)?);
        Ok(Self { packed, expected: 0, crc: crc32fast::Hasher::new() })
    }

    /// Adds the next line of the file.
    pub(super) fn add(&mut self, arrival: u32) -> std::io::Result<()> {
        let step = i64::from(arrival) - self.expected;
        let mut rest = ((step << 1) ^ (step >> 63)) as u64;
        let (mut bytes, mut len) = ([0; 5], 0);
        while rest >= 0x80 {
            bytes[len] = rest as u8 | 0x80;
            (rest, len) = (rest >> 7, len + 1);
        }
        bytes[len] = rest as u8;
        self.expected = i64::from(arrival) + 1;
        self.crc.update(&bytes[..=len]);
        self.packed.as_mut().map_or(Ok(()), |packed| packed.write_all(&bytes[..=len]))
    }

    /// All of it, packed, and the checksum of what was packed. Nothing may be added any more.
    pub(super) fn take(&mut self) -> std::io::Result<(Vec<u8>, u32)> {
        let packed = self.packed.take().map_or(Ok(Vec::new()), zstd::stream::write::Encoder::finish)?;
        Ok((packed, self.crc.clone().finalize()))
    }
}

/// The checksum of an order as it was before it was packed.
fn order_crc(packed: &[u8]) -> Option<u32> {
    let mut crc = crc32fast::Hasher::new();
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).ok()?;
    let mut bytes = [0; 8 << 10];
    loop {
        match decoder.read(&mut bytes).ok()? {
            0 => return Some(crc.finalize()),
            len => crc.update(&bytes[..len]),
        }
    }
}

fn decode_order(packed: &[u8], lines: usize) -> Option<Vec<u32>> {
    let mut bytes = Vec::new();
    // Memory is taken for what comes, not for what the frame says of its size.
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).ok()?;
    decoder.take(lines as u64 * 5 + 1).read_to_end(&mut bytes).ok()?;
    let mut order = Vec::with_capacity(lines.min(bytes.len()));
    let (mut expected, mut rest, mut shift) = (0_i64, 0_u64, 0);
    for byte in bytes {
        rest |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            let arrival = expected + ((rest >> 1) as i64 ^ -((rest & 1) as i64));
            order.push(u32::try_from(arrival).ok()?);
            (expected, rest, shift) = (arrival + 1, 0, 0);
        }
        if shift > 35 {
            return None;
        }
    }
    (order.len() == lines && numbers_each_once(&order)).then_some(order)
}

/// Whether the lines are numbered from 0 on, each once.
fn numbers_each_once(order: &[u32]) -> bool {
    let mut seen = vec![false; order.len()];
    order
        .iter()
        .all(|number| seen.get_mut(*number as usize).is_some_and(|seen| !std::mem::replace(seen, true)))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(file: &[u8]) -> Option<(Footer, u32)> {
        let read = |range: Range<usize>| Ok::<_, std::convert::Infallible>(&file[range]);
        Footer::find_by(file.len(), read).unwrap()
    }

    fn encode_order(order: &[u32]) -> (Vec<u8>, u32) {
        let mut writer = OrderWriter::new().unwrap();
        for arrival in order {
            writer.add(*arrival).unwrap();
        }
        writer.take().unwrap()
    }

    proptest! {
        #[test]
        fn an_order_comes_back(order in Just((0..200).collect::<Vec<u32>>()).prop_shuffle(), len in 0_u32..200) {
            let order: Vec<u32> = order.into_iter().filter(|number| *number < len).collect();
            let (packed, crc) = encode_order(&order);
            prop_assert_eq!(decode_order(&packed, order.len()), Some(order.clone()));
            prop_assert_eq!(order_crc(&packed), Some(crc));
            let twice: Vec<u32> = order.iter().map(|number| number / 2).collect();
            let (packed, other_crc) = encode_order(&twice);
            prop_assert_eq!(other_crc == crc, twice == order);
            prop_assert!(len < 2 || decode_order(&packed, twice.len()).is_none());
        }

        #[test]
        fn a_footer_comes_back_and_a_changed_one_does_not(texts in prop::collection::vec(1_u32..1 << 18, 0..9), flip in any::<prop::sample::Index>()) {
            let frames: Vec<Frame> = texts.iter().map(|text| Frame { packed: 3, text: *text }).collect();
            let footer = Footer { lines: texts.len() as u32, watermark: -5, order_at: 9, order_len: 2, order_crc: 1, frames };
            let mut file = vec![0; footer.frames.len() * 3];
            file.extend(footer.encode().0);
            prop_assert_eq!(find(&file).map(|(found, _)| found), Some(footer.clone()));
            let len = file.len();
            prop_assert!(find(&file[..len - 1]).is_none());
            // The skippable frame's own head says nothing that the footer does not say.
            let start = footer.frames.len() * 3 + 8;
            file[start + flip.index(len - start)] ^= 4;
            prop_assert!(find(&file).is_none());
        }
    }

    #[test]
    fn a_footer_is_not_taken_at_its_word() {
        let check = |lines: u32, texts: &[u32], expected: bool| {
            let frames: Vec<Frame> = texts.iter().map(|text| Frame { packed: 3, text: *text }).collect();
            let footer = Footer { lines, watermark: 0, order_at: 0, order_len: 0, order_crc: 0, frames };
            let mut file = vec![0; texts.len() * 3];
            file.extend(footer.encode().0);
            assert_eq!(find(&file).is_some(), expected, "{lines} lines in {} frames", texts.len());
        };
        check(7, &[3, 4], true);
        check(8, &[3, 4], false);
        check(1, &[1 << 31, (1 << 31) - 1], true);
        check(1, &[1 << 31, 1 << 31], false);
    }
}

//! The file that keeps the index of a stretch: where its frames lie, and its blocks of columns. It is written on and never
//! changed, so it may be mapped. What of it holds is taken at a start, and the rest is read from the foreign file again.
//! `docs/file-format.md` has the layout.

use super::text::Frame;
use crate::store::file_view::{FileView, Reading};
use crate::store::logs::block::{self, Encoded, Found};
use crate::store::{StoreError, files};
use sonde_shared::time::Day;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const MAGIC: &[u8; 8] = b"SNDFOR01";
const HEAD_BYTES: usize = 40;
const CHECKPOINT_MAGIC: &[u8; 4] = b"SFC1";
const CHECKPOINT_BYTES: usize = 48;
/// Address space for the index of a stretch; one that would grow beyond this is not written on.
const CAPACITY: usize = 1 << 30;

/// Which stretch of which file an index is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The hash of the file's inode and first line.
    pub(super) key: u64,
    /// The number of its segments.
    pub(super) number: u32,
    /// Where the stretch begins in the file, and where the one before it ends.
    pub(super) base: u64,
    pub(super) previous_end: u64,
}

impl Head {
    fn encode(self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for number in [self.key, self.base, self.previous_end] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.number.to_le_bytes());
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..HEAD_BYTES)?;
        let (said, crc) = head.split_at(HEAD_BYTES - 4);
        if !head.starts_with(MAGIC) || crc32fast::hash(said).to_le_bytes() != crc {
            return None;
        }
        let (key, base, previous_end) = (u64_at(head, 8), u64_at(head, 16), u64_at(head, 24));
        Some(Self { key, number: u32_at(head, 32), base, previous_end })
    }
}

/// How long a file was, and when it was changed last, unix nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) mtime: i64,
}

impl Seen {
    pub(super) fn of(found: &Metadata) -> Self {
        let mtime = found.mtime().wrapping_mul(1_000_000_000).wrapping_add(found.mtime_nsec());
        Self { size: found.len(), mtime }
    }

    /// Whether a further change may have the same time: a file system counts it in ticks of some milliseconds.
    pub(super) fn is_fresh(self) -> bool {
        const TICK_NANOS: u128 = 20_000_000;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        u128::try_from(self.mtime).is_ok_and(|changed| now.abs_diff(changed) < TICK_NANOS)
    }
}

/// What is written at once: all that was read since the one before.
#[derive(Debug)]
pub(super) struct Checkpoint<'a> {
    /// The place in the file up to which it was read.
    pub(super) end: u64,
    pub(super) bad: u32,
    pub(super) seen: Seen,
    pub(super) frames: &'a [Frame],
    pub(super) blocks: &'a [(Day, Encoded)],
}

impl Checkpoint<'_> {
    /// Its bytes, and where the body of each block lies in them.
    fn encode(&self) -> (Vec<u8>, Vec<usize>) {
        let mut out = CHECKPOINT_MAGIC.to_vec();
        let blocks_len: usize = self.blocks.iter().map(|(_, block)| block.bytes.len()).sum();
        let tables = self.frames.len() * 12 + self.blocks.len() * 8;
        let counts = [self.bad, self.frames.len() as u32, self.blocks.len() as u32];
        for number in [CHECKPOINT_BYTES + tables + blocks_len].map(|len| len as u32).iter().chain(&counts) {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.end, self.seen.size, self.seen.mtime as u64] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let mut rest = Vec::with_capacity(tables);
        for number in self.frames.iter().flat_map(|frame| [frame.start, frame.len, frame.crc]) {
            rest.extend_from_slice(&number.to_le_bytes());
        }
        for (day, block) in self.blocks {
            rest.extend_from_slice(&(day.number() as i32).to_le_bytes());
            rest.extend_from_slice(&(block.bytes.len() as u32).to_le_bytes());
        }
        out.extend_from_slice(&checksum(&out, &rest).to_le_bytes());
        out.extend_from_slice(&rest);
        let mut places = Vec::with_capacity(self.blocks.len());
        for (_, block) in self.blocks {
            places.push(out.len());
            out.extend_from_slice(&block.bytes);
        }
        (out, places)
    }
}

fn checksum(head: &[u8], rest: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(head);
    crc.update(rest);
    crc.finalize()
}

/// A checkpoint as it lies in a file.
pub(super) struct FoundCheckpoint {
    pub(super) end: u64,
    pub(super) bad: u32,
    pub(super) seen: Seen,
    pub(super) frames: Vec<Frame>,
    pub(super) blocks: Vec<(Day, Found)>,
    len: usize,
}

/// Reads the checkpoint that begins at `at`; `None` where there is none or it does not hold.
fn find(bytes: &[u8], at: usize) -> Option<FoundCheckpoint> {
    let head = bytes.get(at..at.checked_add(CHECKPOINT_BYTES)?)?;
    let number = |offset| u32_at(head, offset) as usize;
    let (len, frame_count, block_count) = (number(4), number(12), number(16));
    let bytes = bytes.get(..at.checked_add(len)?)?;
    let tables = frame_count.checked_mul(12)?.checked_add(block_count.checked_mul(8)?)?;
    let rest = bytes.get(at + CHECKPOINT_BYTES..)?.get(..tables)?;
    let (said, crc) = head.split_at(CHECKPOINT_BYTES - 4);
    if !head.starts_with(CHECKPOINT_MAGIC) || checksum(said, rest).to_le_bytes() != crc {
        return None;
    }
    let (frames, days) = rest.split_at(frame_count * 12);
    let frame = |part: &[u8]| Frame { start: u32_at(part, 0), len: u32_at(part, 4), crc: u32_at(part, 8) };
    let (mut blocks, mut place) = (Vec::new(), at + CHECKPOINT_BYTES + tables);
    for entry in days.chunks_exact(8) {
        let end = place.checked_add(u32_at(entry, 4) as usize)?;
        let block = block::find(bytes.get(..end)?, place)?;
        blocks.push((Day::from_number(i64::from(u32_at(entry, 0) as i32)), block));
        place = end;
    }
    Some(FoundCheckpoint {
        end: u64_at(head, 20),
        bad: u32_at(head, 8),
        seen: Seen { size: u64_at(head, 28), mtime: u64_at(head, 36) as i64 },
        frames: frames.chunks_exact(12).map(frame).collect(),
        blocks,
        len,
    })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

/// An index on disk that holds, as far as it does.
pub(super) struct LoadedIndex {
    pub(super) head: Head,
    pub(super) checkpoints: Vec<FoundCheckpoint>,
    pub(super) view: FileView,
    pub(super) file: IndexFile,
}

/// Reads an index; `None` when there is none that holds. What does not hold at its end is written over.
pub(super) fn load(path: &Path, reading: Reading) -> Result<Option<LoadedIndex>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let view = reading.whole(path)?;
    let bytes = view.read(0..view.len())?;
    let Some(head) = Head::read(&bytes) else { return Ok(None) };
    let (mut checkpoints, mut len): (Vec<FoundCheckpoint>, _) = (Vec::new(), HEAD_BYTES);
    while let Some(found) = find(&bytes, len) {
        if found.end < checkpoints.last().map_or(head.base, |last| last.end) {
            break;
        }
        len += found.len;
        checkpoints.push(found);
    }
    let file = IndexFile { path: path.to_owned(), head, reading, view: None, len };
    Ok(Some(LoadedIndex { head, checkpoints, view, file }))
}

/// An index that is written on. Its file is open only while that is done, for there may be very many.
#[derive(Debug)]
pub(super) struct IndexFile {
    path: PathBuf,
    head: Head,
    reading: Reading,
    view: Option<FileView>,
    /// How much of it holds; none before it is begun.
    len: usize,
}

impl IndexFile {
    /// One that is begun with its first checkpoint.
    pub(super) fn new(path: PathBuf, head: Head, reading: Reading) -> Self {
        Self { path, head, reading, view: None, len: 0 }
    }

    /// Writes a checkpoint. Returns where its blocks lie, and the view to read them by.
    pub(super) fn append(
        &mut self,
        checkpoint: &Checkpoint<'_>,
    ) -> Result<(FileView, Vec<usize>), StoreError> {
        let (bytes, places) = checkpoint.encode();
        let start = self.len.max(HEAD_BYTES);
        if start + bytes.len() > CAPACITY {
            let why = "the index is too large".into();
            return Err(StoreError::Damaged { path: self.path.clone(), why });
        }
        if self.len == 0 {
            // It may be of what an attempt that failed has left, which is another file.
            self.view = None;
            self.begin()?;
        }
        let file = File::options().read(true).write(true).open(&self.path);
        let file = file.map_err(StoreError::io("open", &self.path))?;
        if self.view.is_none() {
            self.view = Some(self.reading.growing(&file, CAPACITY, &self.path)?);
        }
        files::write_at(&file, &self.path, &bytes, start as u64)?;
        self.len = start + bytes.len();
        let view = self.view.clone().expect("it was made above");
        Ok((view, places.into_iter().map(|place| start + place).collect()))
    }

    /// Makes the file, in the place of what an earlier attempt has left. It is derived, so nothing of it is synced.
    fn begin(&self) -> Result<(), StoreError> {
        files::remove(&self.path)?;
        let file = files::create(&self.path)?;
        files::write_at(&file, &self.path, &self.head.encode(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files::watch::{Fault, Watch};
    use crate::store::logs::block::{NewNames, Row};
    use sonde_shared::time::Timestamp;

    const HEAD: Head = Head { key: 7, number: 1 << 31, base: 100, previous_end: 90 };

    fn block(first: u32, day: i64) -> (Day, Encoded) {
        let row = |arrival| Row {
            ts: Day::from_number(day).start().plus_nanos(i64::from(arrival)),
            arrival,
            pos: arrival * 10,
            len: 9,
            ..Row::default()
        };
        let names = NewNames { components: vec![format!("c{first}")], ..NewNames::default() };
        (Day::from_number(day), block::encode((first..first + 3).map(row).collect(), 0..30, &names))
    }

    /// Writes two checkpoints to a new file and returns it.
    fn write(path: &Path) -> Vec<u8> {
        let mut index = IndexFile::new(path.to_owned(), HEAD, Reading::Mapped);
        for (end, first) in [(130, 0), (160, 3)] {
            let frames = [Frame { start: first * 10, len: 30, crc: first }];
            let blocks = [block(first, -3), block(first, 20_000)];
            let seen = Seen { size: 200, mtime: -5 };
            let checkpoint = Checkpoint { end, bad: 2, seen, frames: &frames, blocks: &blocks };
            let (view, places) = index.append(&checkpoint).unwrap();
            for (place, (_, encoded)) in places.into_iter().zip(blocks) {
                let block = block::Block::in_file(encoded.in_file(place), view.clone());
                assert!(block.holds());
                assert_eq!(block.columns(Vec::new).ts(0).day(), block.meta().min_ts.day());
            }
        }
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_file_that_could_not_be_begun_is_mapped_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = IndexFile::new(dir.path().join("a.idx"), HEAD, Reading::Pread);
        // Created, given its head, mapped, and then there is no room for the first checkpoint.
        let watching = Watch::begin(dir.path(), Some(Fault { at: 3, stays: false }));
        let blocks = [block(0, 1)];
        let frames = [Frame { start: 0, len: 30, crc: 1 }];
        let seen = Seen { size: 200, mtime: 5 };
        let checkpoint = Checkpoint { end: 130, bad: 0, seen, frames: &frames, blocks: &blocks };
        assert!(index.append(&checkpoint).is_err());
        let (view, places) = index.append(&checkpoint).unwrap();
        drop(watching);
        assert!(view.is_at(&dir.path().join("a.idx")), "the view is of the file that has the name");
        let [(_, encoded)] = blocks;
        assert!(block::Block::in_file(encoded.in_file(places[0]), view).holds());
    }

    #[test]
    fn what_was_written_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.idx");
        write(&path);
        let loaded = load(&path, Reading::Mapped).unwrap().unwrap();
        assert_eq!(loaded.head, HEAD);
        let [first, last] = &loaded.checkpoints[..] else { panic!("two checkpoints") };
        assert_eq!((first.end, last.end, last.bad, last.seen), (130, 160, 2, Seen { size: 200, mtime: -5 }));
        assert_eq!(last.frames, [Frame { start: 30, len: 30, crc: 3 }]);
        let days: Vec<i64> = last.blocks.iter().map(|(day, _)| day.number()).collect();
        assert_eq!(days, [-3, 20_000]);
        assert_eq!(last.blocks[1].1.meta.min_ts, Timestamp::from_nanos(20_000 * 86_400_000_000_000 + 3));
        assert!(load(&dir.path().join("none.idx"), Reading::Mapped).unwrap().is_none());
    }

    #[test]
    fn an_index_that_is_cut_or_changed_holds_as_far_as_it_does_and_is_written_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.idx");
        let bytes = write(&path);
        let second = find(&bytes, HEAD_BYTES).unwrap().len + HEAD_BYTES;
        for len in 0..bytes.len() {
            std::fs::write(&path, &bytes[..len]).unwrap();
            let whole = load(&path, Reading::Mapped).unwrap().map(|loaded| loaded.checkpoints.len());
            let expected = if len < HEAD_BYTES { None } else { Some(usize::from(len >= second)) };
            assert_eq!(whole, expected, "{len}");
        }
        let told = |path: &Path| {
            let loaded = load(path, Reading::Mapped).unwrap()?;
            let checkpoint = |c: &FoundCheckpoint| {
                let blocks: Vec<_> = c.blocks.iter().map(|(day, found)| (*day, found.meta.clone())).collect();
                (c.end, c.bad, c.seen, c.frames.clone(), blocks)
            };
            Some((loaded.head, loaded.checkpoints.iter().map(checkpoint).collect::<Vec<_>>()))
        };
        std::fs::write(&path, &bytes).unwrap();
        let (_, whole) = told(&path).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            std::fs::write(&path, changed).unwrap();
            // The columns have a checksum of their own, which is looked at when they are first used.
            let holds = told(&path).is_none_or(|(head, found)| head == HEAD && whole.starts_with(&found));
            assert!(holds, "{at}");
        }
        std::fs::write(&path, &bytes[..second + 10]).unwrap();
        let mut loaded = load(&path, Reading::Mapped).unwrap().unwrap();
        let checkpoint =
            Checkpoint { end: 170, bad: 0, seen: Seen::default(), frames: &[], blocks: &[block(3, -3)] };
        loaded.file.append(&checkpoint).unwrap();
        assert_eq!(load(&path, Reading::Mapped).unwrap().unwrap().checkpoints.len(), 2);
    }
}

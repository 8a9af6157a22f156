//! A part: an immutable file of compressed columns, sorted by series, read through a memory map.
//!
//! The file is the magic, each series' columns, the names, a directory with one fixed entry a series, and a footer. The
//! footer's checksum covers names, directory and footer; each series' columns have their own in the directory, checked when
//! they are read. A part replaces the write-ahead logs of the numbers `first..=last`, and older parts of these numbers.
//!
//! A series' columns are its times, as seconds of the day, and its values, each with its length before it. Times at even
//! distances are told by the first and the distance. In the one part of a finished day rollups follow.

use super::column;
use super::day_names::NO_EPOCH;
use super::note::Note;
use super::points::DayPoints;
use super::rollup::{self, Rollup, take_column, with_length};
use super::tag_index::{TagIndex, TagView, Tagged};
use super::wal::le_u32;
use super::walk::NameList;
use crate::store::{StoreError, files};
use memmap2::Mmap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The first and the last bytes of a part; the last two digits are the version.
pub(super) const MAGIC: &[u8; 8] = b"SNDPRT02";
/// The version before, whose columns are not compressed and which has no rollups.
pub(super) const MAGIC_BEFORE: &[u8; 8] = b"SNDPRT01";
pub(super) const ENTRY_BYTES: usize = 44;
const ENTRY_BYTES_BEFORE: usize = 36;
pub(super) const FOOTER_BYTES: usize = 56;
const POINT_BYTES: usize = 12;
/// Times at even distances.
const EVEN: u8 = 0;
/// Times as a column of whole numbers.
const UNEVEN: u8 = 1;

/// A part, mapped.
#[derive(Debug)]
pub(super) struct Part {
    map: Mmap,
    path: PathBuf,
    is_compressed: bool,
    names_at: usize,
    directory_at: usize,
    series_count: usize,
    /// The first of the write-ahead logs that it replaces.
    pub(super) first: u32,
    /// The last of them, and the number in its name.
    pub(super) last: u32,
    /// How many points it holds.
    pub(super) points: u64,
    /// The latest second of the day that it holds.
    pub(super) max_time: u32,
    /// The epoch of the day's list that has all of its names, if any.
    pub(super) epoch: u64,
    /// Made when it is first asked for, of parts whose names stand nowhere else.
    tags: OnceLock<TagIndex>,
}

/// One series in a part's directory.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    data_at: usize,
    count: usize,
    first: u32,
    last: u32,
    points_len: usize,
    points_crc: u32,
    rollups_len: usize,
    rollups_crc: u32,
}

impl Part {
    /// Maps a part and checks its directory.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let map = map_immutable(&file).map_err(StoreError::io("map", path))?;
        Self::parse(map, path)
            .map_err(|why| StoreError::Damaged { path: path.to_owned(), why: why.to_owned() })
    }

    fn parse(map: Mmap, path: &Path) -> Result<Self, &'static str> {
        let versions = [(MAGIC, true), (MAGIC_BEFORE, false)];
        let version =
            versions.into_iter().find(|(magic, _)| map.starts_with(*magic) && map.ends_with(*magic));
        let (Some((_, is_compressed)), true) = (version, map.len() >= MAGIC.len() + FOOTER_BYTES) else {
            return Err("it is no whole part of a version that this program reads");
        };
        let footer_at = map.len() - FOOTER_BYTES;
        let footer = &map[footer_at..];
        let names_at = le_u64(footer) as usize;
        let checked = map.get(names_at..footer_at + 44).ok_or("its footer points outside the file")?;
        if crc32fast::hash(checked) != le_u32(&footer[44..]) {
            return Err("the checksum of its directory is wrong");
        }
        let part = Self {
            path: path.to_owned(),
            is_compressed,
            names_at,
            directory_at: le_u64(&footer[8..]) as usize,
            series_count: le_u32(&footer[16..]) as usize,
            first: le_u32(&footer[20..]),
            last: le_u32(&footer[24..]),
            points: le_u64(&footer[28..]),
            max_time: le_u32(&footer[40..]),
            epoch: NO_EPOCH,
            tags: OnceLock::new(),
            map,
        };
        let directory_bytes = part.series_count * part.entry_bytes();
        if part.directory_at.checked_add(directory_bytes) != Some(footer_at) {
            return Err("its directory has the wrong length");
        }
        Ok(part)
    }

    /// The same part, whose names the list of an epoch has.
    pub(super) fn with_epoch(self, epoch: u64) -> Self {
        Self { epoch, ..self }
    }

    fn entry_bytes(&self) -> usize {
        if self.is_compressed { ENTRY_BYTES } else { ENTRY_BYTES_BEFORE }
    }

    fn entry(&self, at: usize) -> Option<Entry> {
        let len = self.entry_bytes();
        let bytes = self.map.get(self.directory_at + at * len..)?.get(..len)?;
        let entry = Entry {
            data_at: le_u64(bytes) as usize,
            count: le_u32(&bytes[16..]) as usize,
            first: le_u32(&bytes[20..]),
            last: le_u32(&bytes[24..]),
            points_crc: le_u32(&bytes[28..]),
            ..Entry::default()
        };
        Some(if self.is_compressed {
            Entry {
                points_len: le_u32(&bytes[32..]) as usize,
                rollups_len: le_u32(&bytes[36..]) as usize,
                rollups_crc: le_u32(&bytes[40..]),
                ..entry
            }
        } else {
            Entry { points_len: entry.count.checked_mul(POINT_BYTES)?, ..entry }
        })
    }

    /// How many series there are.
    pub(super) fn series_count(&self) -> usize {
        self.series_count
    }

    /// The name of a series; names rise with their places.
    pub(super) fn name(&self, at: usize) -> &str {
        std::str::from_utf8(self.name_bytes(at)).unwrap_or_default()
    }

    fn name_bytes(&self, at: usize) -> &[u8] {
        self.name_place(at).and_then(|(at, len)| self.map.get(at..)?.get(..len)).unwrap_or_default()
    }

    /// Where a name lies and how long it is, without reading the rest of its entry.
    fn name_place(&self, at: usize) -> Option<(usize, usize)> {
        let bytes = self.map.get(self.directory_at + at * self.entry_bytes() + 8..)?.get(..8)?;
        Some((self.names_at + le_u32(bytes) as usize, le_u32(&bytes[4..]) as usize))
    }

    /// What tells it from other parts.
    pub(super) fn note(&self) -> Note {
        Note::of(&self.map[self.map.len() - FOOTER_BYTES..], self.last, self.map.len() as u64)
    }

    /// The place of a series.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        // Halving is better than galloping for one name anywhere.
        let (mut low, mut high) = (0, self.series_count);
        while low < high {
            let middle = low.midpoint(high);
            if self.name_bytes(middle) < name.as_bytes() { low = middle + 1 } else { high = middle }
        }
        let at = low;
        (at < self.series_count && self.name_bytes(at) == name.as_bytes()).then_some(at)
    }

    /// The first and the last second of the day that a series has a point in.
    pub(super) fn span(&self, at: usize) -> Option<(u32, u32)> {
        self.entry(at).map(|entry| (entry.first, entry.last))
    }

    fn damaged(&self, at: usize, what: &str) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), why: format!("the {what} of `{}`", self.name(at)) }
    }

    /// Adds a series' points with `low <= time < high` to `out`, in time order.
    pub(super) fn read(&self, at: usize, low: u32, high: u32, out: &mut DayPoints) -> Result<(), StoreError> {
        let damaged = || self.damaged(at, "points");
        let entry = self.entry(at).ok_or_else(damaged)?;
        if high <= entry.first || low > entry.last {
            return Ok(());
        }
        let data = self.checked(entry.data_at, entry.points_len, entry.points_crc).ok_or_else(damaged)?;
        let read = if self.is_compressed { read_columns } else { read_plain };
        read(data, entry.count, low..high, out).ok_or_else(damaged)
    }

    /// The first second, the distance and the number of a series' points, where they lie at even distances.
    pub(super) fn even(&self, at: usize) -> Result<Option<(u32, u32, usize)>, StoreError> {
        let damaged = || self.damaged(at, "points");
        let entry = self.entry(at).ok_or_else(damaged)?;
        if !self.is_compressed {
            return Ok(None);
        }
        let mut data = self.checked(entry.data_at, entry.points_len, entry.points_crc).ok_or_else(damaged)?;
        let times = take_column(&mut data).ok_or_else(damaged)?;
        Ok(read_even(times).map(|(first, step)| (first, step, entry.count)))
    }

    /// The rollup of a series in buckets of one of [`rollup::STEPS`]; `None` where the part has none.
    pub(super) fn rollup(&self, at: usize, step: u32) -> Result<Option<Rollup>, StoreError> {
        let damaged = || self.damaged(at, "rollups");
        let entry = self.entry(at).ok_or_else(damaged)?;
        let number = rollup::STEPS.into_iter().position(|other| other == step);
        let (Some(number), true) = (number, entry.rollups_len > 0) else { return Ok(None) };
        let place = entry.data_at.checked_add(entry.points_len).ok_or_else(damaged)?;
        let mut data = self.checked(place, entry.rollups_len, entry.rollups_crc).ok_or_else(damaged)?;
        for _ in 0..number {
            take_column(&mut data).ok_or_else(damaged)?;
        }
        let mut rollup = take_column(&mut data).ok_or_else(damaged)?;
        Rollup::decode(&mut rollup).map(Some).ok_or_else(damaged)
    }

    /// Bytes of columns whose checksum is right.
    fn checked(&self, at: usize, len: usize, crc: u32) -> Option<&[u8]> {
        let data = self.map.get(..self.names_at)?.get(at..)?.get(..len)?;
        (crc32fast::hash(data) == crc).then_some(data)
    }

    /// Whether it has rollups.
    pub(super) fn has_rollups(&self) -> bool {
        self.entry(0).is_some_and(|entry| entry.rollups_len > 0)
    }

    /// Checks every series' columns. Needed only where a write-ahead log still stands beside the part.
    pub(super) fn verify(&self) -> Result<(), StoreError> {
        (0..self.series_count).try_for_each(|at| self.check(at))
    }

    /// What does not hold of every series' columns.
    pub(super) fn problems(&self) -> Vec<StoreError> {
        (0..self.series_count).filter_map(|at| self.check(at).err()).collect()
    }

    fn check(&self, at: usize) -> Result<(), StoreError> {
        self.read(at, 0, u32::MAX, &mut DayPoints::default())?;
        rollup::STEPS.into_iter().try_for_each(|step| self.rollup(at, step).map(drop))
    }
}

impl NameList for Part {
    fn len(&self) -> usize {
        self.series_count
    }

    fn name(&self, at: usize) -> &[u8] {
        self.name_bytes(at)
    }
}

impl Tagged for Part {
    fn tags(&self) -> TagView<'_> {
        self.tags.get_or_init(|| TagIndex::of(self)).view()
    }
}

/// Columns of the version before: times (u32), then values (f64).
fn read_plain(data: &[u8], count: usize, seconds: Range<u32>, out: &mut DayPoints) -> Option<()> {
    let (times, values) = data.split_at_checked(count * 4)?;
    let (times, values) = (times.as_chunks::<4>().0, values.as_chunks::<8>().0);
    let start = times.partition_point(|time| u32::from_le_bytes(*time) < seconds.start);
    let end = times.partition_point(|time| u32::from_le_bytes(*time) < seconds.end);
    out.times.extend(times[start..end].iter().map(|time| u32::from_le_bytes(*time)));
    out.values.extend(values.get(start..end)?.iter().map(|value| f64::from_le_bytes(*value)));
    Some(())
}

fn read_columns(mut data: &[u8], count: usize, seconds: Range<u32>, out: &mut DayPoints) -> Option<()> {
    let times = take_column(&mut data)?;
    let rows = read_times(times, count, seconds, &mut out.times)?;
    column::decode_values(take_column(&mut data)?, count, rows, &mut out.values)
}

/// Adds the times of a range; which rows these are.
fn read_times(times: &[u8], count: usize, seconds: Range<u32>, out: &mut Vec<u32>) -> Option<Range<usize>> {
    if let Some((first, step)) = read_even(times) {
        // How many of them lie before a second.
        let before = |second: u32| match second.checked_sub(first) {
            None => 0,
            Some(distance) => (distance.div_ceil(step.max(1)) as usize).min(count),
        };
        let rows = before(seconds.start)..before(seconds.end);
        out.extend(rows.clone().map(|row| first.wrapping_add((row as u32).wrapping_mul(step))));
        return Some(rows);
    }
    let mut numbers = Vec::with_capacity(count.min(1 << 17));
    column::decode_whole(times.strip_prefix(&[UNEVEN])?, count, 0..count, &mut numbers)?;
    let before = |second: u32| numbers.partition_point(|time| *time < i64::from(second));
    let rows = before(seconds.start)..before(seconds.end);
    out.extend(numbers[rows.clone()].iter().map(|time| *time as u32));
    Some(rows)
}

/// The first of even times and their distance.
fn read_even(times: &[u8]) -> Option<(u32, u32)> {
    let times = times.strip_prefix(&[EVEN])?;
    Some((le_u32(times.get(..4)?), le_u32(times.get(4..8)?)))
}

fn write_times(times: &[u32], out: &mut Vec<u8>) {
    let step = times.get(1).map_or(0, |second| second - times[0]);
    if times.windows(2).all(|pair| pair[1] - pair[0] == step) {
        out.push(EVEN);
        out.extend_from_slice(&times[0].to_le_bytes());
        out.extend_from_slice(&step.to_le_bytes());
        return;
    }
    out.push(UNEVEN);
    let times: Vec<i64> = times.iter().map(|time| i64::from(*time)).collect();
    column::encode_whole(&times, out);
}

#[expect(unsafe_code, reason = "a memory map is the point of the part's format")]
pub(super) fn map_immutable(file: &File) -> io::Result<Mmap> {
    // SAFETY: a part is our own file, in a folder locked by one process. It gets its name when it is complete and is
    // never written or cut afterwards; replacing or deleting it leaves the mapped inode as it was.
    unsafe { Mmap::map(file) }
}

pub(super) fn le_u64(bytes: &[u8]) -> u64 {
    u64::from(le_u32(bytes)) | u64::from(le_u32(&bytes[4..])) << 32
}

/// Writes a part beside its place and puts it there when it is whole and on disk.
pub(super) struct PartWriter {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
    with_rollups: bool,
    at: u64,
    names: Vec<u8>,
    directory: Vec<u8>,
    columns: Vec<u8>,
    series_count: u32,
    points: u64,
    min_time: u32,
    max_time: u32,
}

impl PartWriter {
    /// Begins the part at `path`. Rollups are for the only part of a day that nothing is written to any more.
    pub(super) fn create(path: &Path, with_rollups: bool) -> Result<Self, StoreError> {
        let beside = path.with_extension("tmp");
        let file = File::create(&beside).map_err(StoreError::io("create", &beside))?;
        let mut file = BufWriter::with_capacity(1 << 18, file);
        file.write_all(MAGIC).map_err(StoreError::io("write", &beside))?;
        Ok(Self {
            path: path.to_owned(),
            beside,
            file,
            with_rollups,
            at: MAGIC.len() as u64,
            names: Vec::new(),
            directory: Vec::new(),
            columns: Vec::new(),
            series_count: 0,
            points: 0,
            min_time: u32::MAX,
            max_time: 0,
        })
    }

    /// Adds a series. Names come in order, each once; points are settled.
    pub(super) fn push(&mut self, name: &str, points: &DayPoints) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (points.times.first(), points.times.last()) else {
            return Ok(());
        };
        let points_len = self.encode(points);
        let (columns, rollups) = self.columns.split_at(points_len);
        self.directory.extend_from_slice(&self.at.to_le_bytes());
        let numbers = [
            self.names.len() as u32,
            name.len() as u32,
            points.len() as u32,
            *first,
            *last,
            crc32fast::hash(columns),
            columns.len() as u32,
            rollups.len() as u32,
            crc32fast::hash(rollups),
        ];
        self.directory.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self.names.extend_from_slice(name.as_bytes());
        self.series_count += 1;
        self.points += points.len() as u64;
        self.min_time = self.min_time.min(*first);
        self.max_time = self.max_time.max(*last);
        self.at += self.columns.len() as u64;
        self.file.write_all(&self.columns).map_err(StoreError::io("write", &self.beside))
    }

    /// Makes the columns of a series, its rollups behind its points; the length of the points.
    fn encode(&mut self, points: &DayPoints) -> usize {
        let columns = &mut self.columns;
        columns.clear();
        with_length(columns, |out| write_times(&points.times, out));
        let decimals = column::as_decimals(&points.values);
        let decimals = decimals.as_ref();
        with_length(columns, |out| column::encode_with(&points.values, decimals, out));
        let points_len = columns.len();
        if self.with_rollups {
            for step in rollup::STEPS {
                with_length(columns, |out| Rollup::of(points, decimals, step).encode(out));
            }
        }
        points_len
    }

    /// Completes the part, replacing the write-ahead logs `first..=last`, and opens it.
    pub(super) fn finish(mut self, first: u32, last: u32) -> Result<Part, StoreError> {
        let tail = self.tail(first, last);
        self.file.write_all(&tail).map_err(StoreError::io("write", &self.beside))?;
        let file = self
            .file
            .into_inner()
            .map_err(|error| StoreError::io("write", &self.beside)(error.into_error()))?;
        file.sync_all().map_err(StoreError::io("sync", &self.beside))?;
        fs::rename(&self.beside, &self.path).map_err(StoreError::io("rename", &self.beside))?;
        files::sync_parent(&self.path)?;
        Part::open(&self.path)
    }

    /// Leaves nothing behind.
    pub(super) fn give_up(self) {
        drop(self.file);
        super::day::remove(&self.beside);
    }

    /// Names, directory and footer.
    fn tail(&self, first: u32, last: u32) -> Vec<u8> {
        let mut tail = [self.names.as_slice(), &self.directory].concat();
        tail.extend_from_slice(&self.at.to_le_bytes());
        tail.extend_from_slice(&(self.at + self.names.len() as u64).to_le_bytes());
        tail.extend([self.series_count, first, last].iter().flat_map(|number| number.to_le_bytes()));
        tail.extend_from_slice(&self.points.to_le_bytes());
        tail.extend_from_slice(&self.min_time.to_le_bytes());
        tail.extend_from_slice(&self.max_time.to_le_bytes());
        let crc = crc32fast::hash(&tail);
        tail.extend_from_slice(&crc.to_le_bytes());
        tail.extend_from_slice(MAGIC);
        tail
    }
}

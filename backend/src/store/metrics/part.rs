//! A part: an immutable file of columns, sorted by series, read through a memory map.
//!
//! The file is the magic, each series' columns (times as seconds of the day, u32; values, f64), the names, a directory
//! with one fixed entry a series, and a footer. The footer's checksum covers names, directory and footer; each series'
//! columns have their own in the directory, checked when they are read. A part replaces the write-ahead logs of the
//! numbers `first..=last`, and older parts of these numbers.

use super::points::DayPoints;
use super::wal::le_u32;
use crate::store::{StoreError, files};
use memmap2::Mmap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The first and the last bytes of a part; the last two digits are the version.
pub(super) const MAGIC: &[u8; 8] = b"SNDPRT01";
const ENTRY_BYTES: usize = 36;
const FOOTER_BYTES: usize = 56;
const POINT_BYTES: usize = 12;

/// A part, mapped.
#[derive(Debug)]
pub(super) struct Part {
    map: Mmap,
    path: PathBuf,
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
}

/// One series in a part's directory.
#[derive(Clone, Copy, Debug)]
struct Entry {
    data_at: usize,
    name_at: usize,
    name_len: usize,
    count: usize,
    first: u32,
    last: u32,
    crc: u32,
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
        if map.len() < MAGIC.len() + FOOTER_BYTES || !map.starts_with(MAGIC) || !map.ends_with(MAGIC) {
            return Err("it is no whole part of a version that this program reads");
        }
        let footer_at = map.len() - FOOTER_BYTES;
        let footer = &map[footer_at..];
        let names_at = le_u64(footer) as usize;
        let checked = map.get(names_at..footer_at + 44).ok_or("its footer points outside the file")?;
        if crc32fast::hash(checked) != le_u32(&footer[44..]) {
            return Err("the checksum of its directory is wrong");
        }
        let part = Self {
            path: path.to_owned(),
            names_at,
            directory_at: le_u64(&footer[8..]) as usize,
            series_count: le_u32(&footer[16..]) as usize,
            first: le_u32(&footer[20..]),
            last: le_u32(&footer[24..]),
            points: le_u64(&footer[28..]),
            max_time: le_u32(&footer[40..]),
            map,
        };
        if part.directory_at.checked_add(part.series_count * ENTRY_BYTES) != Some(footer_at) {
            return Err("its directory has the wrong length");
        }
        let fits =
            (0..part.series_count).all(|at| part.entry(at).is_some_and(|entry| part.entry_fits(entry)));
        if fits { Ok(part) } else { Err("its directory points outside the file") }
    }

    fn entry(&self, at: usize) -> Option<Entry> {
        let bytes = self.map.get(self.directory_at + at * ENTRY_BYTES..)?.get(..ENTRY_BYTES)?;
        Some(Entry {
            data_at: le_u64(bytes) as usize,
            name_at: self.names_at + le_u32(&bytes[8..]) as usize,
            name_len: le_u32(&bytes[12..]) as usize,
            count: le_u32(&bytes[16..]) as usize,
            first: le_u32(&bytes[20..]),
            last: le_u32(&bytes[24..]),
            crc: le_u32(&bytes[28..]),
        })
    }

    fn entry_fits(&self, entry: Entry) -> bool {
        let data_end = entry.data_at.checked_add(entry.count * POINT_BYTES);
        let name = self.map.get(entry.name_at..entry.name_at + entry.name_len);
        data_end.is_some_and(|end| end <= self.names_at)
            && entry.name_at + entry.name_len <= self.directory_at
            && name.is_some_and(|name| std::str::from_utf8(name).is_ok())
    }

    /// How many series there are.
    pub(super) fn series_count(&self) -> usize {
        self.series_count
    }

    /// The name of a series; names rise with their places.
    pub(super) fn name(&self, at: usize) -> &str {
        let name =
            self.entry(at).and_then(|entry| self.map.get(entry.name_at..entry.name_at + entry.name_len));
        name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// The first place at or behind `from` whose name is not less.
    pub(super) fn lower_bound(&self, from: usize, name: &str) -> usize {
        let (mut low, mut high) = (from, self.series_count);
        while low < high {
            let middle = low.midpoint(high);
            if self.name(middle) < name { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The place of a series.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let at = self.lower_bound(0, name);
        (at < self.series_count && self.name(at) == name).then_some(at)
    }

    /// The first and the last second of the day that a series has a point in.
    pub(super) fn span(&self, at: usize) -> Option<(u32, u32)> {
        self.entry(at).map(|entry| (entry.first, entry.last))
    }

    /// Adds a series' points with `low <= time < high` to `out`, in time order.
    pub(super) fn read(&self, at: usize, low: u32, high: u32, out: &mut DayPoints) -> Result<(), StoreError> {
        let damaged = || StoreError::Damaged {
            path: self.path.clone(),
            why: format!("the points of `{}`", self.name(at)),
        };
        let entry = self.entry(at).ok_or_else(damaged)?;
        if high <= entry.first || low > entry.last {
            return Ok(());
        }
        let data =
            self.map.get(entry.data_at..entry.data_at + entry.count * POINT_BYTES).ok_or_else(damaged)?;
        if crc32fast::hash(data) != entry.crc {
            return Err(damaged());
        }
        let (times, values) = data.split_at(entry.count * 4);
        let (times, values) = (times.as_chunks::<4>().0, values.as_chunks::<8>().0);
        let start = times.partition_point(|time| u32::from_le_bytes(*time) < low);
        let end = times.partition_point(|time| u32::from_le_bytes(*time) < high);
        out.times.extend(times[start..end].iter().map(|time| u32::from_le_bytes(*time)));
        out.values.extend(values[start..end].iter().map(|value| f64::from_le_bytes(*value)));
        Ok(())
    }

    /// Checks every series' columns. Needed only where a write-ahead log still stands beside the part.
    pub(super) fn verify(&self) -> Result<(), StoreError> {
        (0..self.series_count).try_for_each(|at| self.read(at, 0, u32::MAX, &mut DayPoints::default()))
    }

    /// What does not hold of every series' columns.
    pub(super) fn problems(&self) -> Vec<StoreError> {
        let read = |at| self.read(at, 0, u32::MAX, &mut DayPoints::default()).err();
        (0..self.series_count).filter_map(read).collect()
    }
}

#[expect(unsafe_code, reason = "a memory map is the point of the part's format")]
fn map_immutable(file: &File) -> io::Result<Mmap> {
    // SAFETY: a part is our own file, in a folder locked by one process. It gets its name when it is complete and is
    // never written or cut afterwards; replacing or deleting it leaves the mapped inode as it was.
    unsafe { Mmap::map(file) }
}

fn le_u64(bytes: &[u8]) -> u64 {
    u64::from(le_u32(bytes)) | u64::from(le_u32(&bytes[4..])) << 32
}

/// Writes a part beside its place and puts it there when it is whole and on disk.
pub(super) struct PartWriter {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
    at: u64,
    names: Vec<u8>,
    directory: Vec<u8>,
    series_count: u32,
    points: u64,
    min_time: u32,
    max_time: u32,
}

impl PartWriter {
    /// Begins the part at `path`.
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        let beside = path.with_extension("tmp");
        let file = File::create(&beside).map_err(StoreError::io("create", &beside))?;
        let mut file = BufWriter::with_capacity(1 << 18, file);
        file.write_all(MAGIC).map_err(StoreError::io("write", &beside))?;
        Ok(Self {
            path: path.to_owned(),
            beside,
            file,
            at: MAGIC.len() as u64,
            names: Vec::new(),
            directory: Vec::new(),
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
        let mut data = Vec::with_capacity(points.len() * POINT_BYTES);
        data.extend(points.times.iter().flat_map(|time| time.to_le_bytes()));
        data.extend(points.values.iter().flat_map(|value| value.to_le_bytes()));
        self.directory.extend_from_slice(&self.at.to_le_bytes());
        let numbers = [
            self.names.len() as u32,
            name.len() as u32,
            points.len() as u32,
            *first,
            *last,
            crc32fast::hash(&data),
            0,
        ];
        self.directory.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self.names.extend_from_slice(name.as_bytes());
        self.series_count += 1;
        self.points += points.len() as u64;
        self.min_time = self.min_time.min(*first);
        self.max_time = self.max_time.max(*last);
        self.at += data.len() as u64;
        self.file.write_all(&data).map_err(StoreError::io("write", &self.beside))
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

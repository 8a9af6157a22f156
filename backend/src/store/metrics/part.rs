//! A part: an immutable file of compressed columns, sorted by series, read where they lie.
//!
//! The file is the magic, each series' columns, the names, a directory with one fixed entry a series, and a footer. The
//! footer's checksum covers names, directory and footer; each series' columns have their own in the directory, checked when
//! they are read. A part replaces the write-ahead logs of the numbers `first..=last`, and older parts of these numbers.
//!
//! A series' columns are its times, as seconds of the day, and its values, each with its length before it. Times at even
//! distances are told by the first and the distance. In the one part of a finished day rollups follow.

mod columns;

use super::column;
use super::day_names::NO_EPOCH;
use super::note::Note;
use super::points::DayPoints;
use super::rollup::{self, Rollup, take_column, with_length};
use super::tag_index::{TagIndex, TagView, Tagged};
use super::wal::le_u32;
use super::walk::NameList;
use crate::store::file_view::{FileView, Piece, Reading, or_end};
use crate::store::{StoreError, files};
use columns::{read_columns, read_even, read_plain, write_times};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The first and the last bytes of a part; the last two digits are the version.
pub(super) const MAGIC: &[u8; 8] = b"SNDPRT02";
/// The version before, whose columns are not compressed and which has no rollups.
pub(super) const MAGIC_BEFORE: &[u8; 8] = b"SNDPRT01";
pub(super) const ENTRY_BYTES: usize = 44;
const ENTRY_BYTES_BEFORE: usize = 36;
pub(super) const FOOTER_BYTES: usize = 56;
const POINT_BYTES: usize = 12;

/// A part that is not mapped keeps so much of its names and directory at hand for who looks for a series.
const LOOKED_AT_BYTES: usize = 1 << 20;

/// A part. Cheap to clone: whoever walks its names has one of his own, and gives back what he has looked at.
#[derive(Clone, Debug)]
pub(super) struct Part {
    view: FileView,
    /// What those share who look for a series.
    looked_at: Arc<Mutex<FileView>>,
    path: Arc<Path>,
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
    tags: Arc<OnceLock<TagIndex>>,
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
    /// Opens a part and checks its directory.
    pub(super) fn open(path: &Path, reading: Reading) -> Result<Self, StoreError> {
        let view = reading.whole(path)?;
        let damaged = |why: &str| StoreError::Damaged { path: path.to_owned(), why: why.to_owned() };
        let Some(footer_at) = view.len().checked_sub(FOOTER_BYTES).filter(|at| *at >= MAGIC.len()) else {
            return Err(damaged("it is no whole part of a version that this program reads"));
        };
        let (head, footer) = (view.read(0..MAGIC.len())?, view.read(footer_at..view.len())?);
        let names_at = le_u64(&footer) as usize;
        let is_inside = names_at <= footer_at + 44;
        let crc = if is_inside { Some(view.crc(names_at..footer_at + 44)?) } else { None };
        Self::parse((view, path), &head, &footer, crc).map_err(damaged)
    }

    /// `crc` is the checksum of all from the names on; `None` where these would lie outside the file.
    fn parse(
        (view, path): (FileView, &Path),
        head: &[u8],
        footer: &[u8],
        crc: Option<u32>,
    ) -> Result<Self, &'static str> {
        let versions = [(MAGIC, true), (MAGIC_BEFORE, false)];
        let version = versions.into_iter().find(|(magic, _)| head == *magic && footer.ends_with(*magic));
        let Some((_, is_compressed)) = version else {
            return Err("it is no whole part of a version that this program reads");
        };
        if crc.ok_or("its footer points outside the file")? != le_u32(&footer[44..]) {
            return Err("the checksum of its directory is wrong");
        }
        let (names_at, footer_at) = (le_u64(footer) as usize, view.len() - FOOTER_BYTES);
        let part = Self {
            path: path.into(),
            is_compressed,
            names_at,
            directory_at: le_u64(&footer[8..]) as usize,
            series_count: le_u32(&footer[16..]) as usize,
            first: le_u32(&footer[20..]),
            last: le_u32(&footer[24..]),
            points: le_u64(&footer[28..]),
            max_time: le_u32(&footer[40..]),
            epoch: NO_EPOCH,
            tags: Arc::default(),
            looked_at: Arc::new(Mutex::new(view.anew())),
            view,
        };
        let directory_bytes = part.series_count * part.entry_bytes();
        if part.directory_at.checked_add(directory_bytes) != Some(footer_at) {
            return Err("its directory has the wrong length");
        }
        Ok(part)
    }

    /// The same part for somebody who gives back what he has looked at.
    pub(super) fn for_reader(self: &Arc<Self>) -> Arc<Self> {
        match self.view.reading() {
            Reading::Mapped => self.clone(),
            Reading::Pread => Arc::new(Self { view: self.view.anew(), ..Self::clone(self) }),
        }
    }

    /// A view for who looks at a few places.
    fn looked_at(&self) -> FileView {
        if self.view.reading() == Reading::Mapped {
            return self.view.clone();
        }
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if looked_at.kept_bytes() > LOOKED_AT_BYTES {
            // Those that look at it now keep it as long as they do.
            *looked_at = looked_at.anew();
        }
        looked_at.clone()
    }

    /// The same part, whose names the list of an epoch has.
    pub(super) fn with_epoch(self, epoch: u64) -> Self {
        Self { epoch, ..self }
    }

    fn entry_bytes(&self) -> usize {
        if self.is_compressed { ENTRY_BYTES } else { ENTRY_BYTES_BEFORE }
    }

    fn entry(&self, at: usize) -> Option<Entry> {
        let (len, view) = (self.entry_bytes(), self.looked_at());
        let start = self.directory_at + at * len;
        let bytes = view.get(start..start + len)?;
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
        self.name_in(&self.view, at).unwrap_or_default()
    }

    /// A name, without reading the rest of its entry.
    fn name_in<'a>(&self, view: &'a FileView, at: usize) -> Option<&'a [u8]> {
        let place = self.directory_at + at * self.entry_bytes() + 8;
        let bytes = view.get(place..place + 8)?;
        let (start, len) = (self.names_at + le_u32(bytes) as usize, le_u32(&bytes[4..]) as usize);
        view.get(start..start + len)
    }

    /// What tells it from other parts.
    pub(super) fn note(&self) -> Note {
        let len = self.view.len();
        let footer = or_end(self.view.read(len - FOOTER_BYTES..len));
        Note::of(&footer, self.last, len as u64)
    }

    /// The place of a series.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        // Halving is better than galloping for one name anywhere.
        let view = self.looked_at();
        let name_at = |at: usize| self.name_in(&view, at).unwrap_or_default();
        let (mut low, mut high) = (0, self.series_count);
        while low < high {
            let middle = low.midpoint(high);
            if name_at(middle) < name.as_bytes() { low = middle + 1 } else { high = middle }
        }
        let at = low;
        (at < self.series_count && name_at(at) == name.as_bytes()).then_some(at)
    }

    /// The first and the last second of the day that a series has a point in.
    pub(super) fn span(&self, at: usize) -> Option<(u32, u32)> {
        self.entry(at).map(|entry| (entry.first, entry.last))
    }

    fn damaged(&self, at: usize, what: &str) -> StoreError {
        StoreError::Damaged {
            path: self.path.to_path_buf(),
            why: format!("the {what} of `{}`", self.name(at)),
        }
    }

    /// Adds a series' points with `low <= time < high` to `out`, in time order.
    pub(super) fn read(&self, at: usize, low: u32, high: u32, out: &mut DayPoints) -> Result<(), StoreError> {
        let damaged = || self.damaged(at, "points");
        let entry = self.entry(at).ok_or_else(damaged)?;
        if high <= entry.first || low > entry.last {
            return Ok(());
        }
        let data = self.checked(entry.data_at, entry.points_len, entry.points_crc)?.ok_or_else(damaged)?;
        let read = if self.is_compressed { read_columns } else { read_plain };
        read(&data, entry.count, low..high, out).ok_or_else(damaged)
    }

    /// The first second, the distance and the number of a series' points, where they lie at even distances.
    pub(super) fn even(&self, at: usize) -> Result<Option<(u32, u32, usize)>, StoreError> {
        let damaged = || self.damaged(at, "points");
        let entry = self.entry(at).ok_or_else(damaged)?;
        if !self.is_compressed {
            return Ok(None);
        }
        let data = self.checked(entry.data_at, entry.points_len, entry.points_crc)?.ok_or_else(damaged)?;
        let times = take_column(&mut &*data).ok_or_else(damaged)?;
        Ok(read_even(times).map(|(first, step)| (first, step, entry.count)))
    }

    /// The rollup of a series in buckets of one of [`rollup::STEPS`]; `None` where the part has none.
    pub(super) fn rollup(&self, at: usize, step: u32) -> Result<Option<Rollup>, StoreError> {
        let damaged = || self.damaged(at, "rollups");
        let entry = self.entry(at).ok_or_else(damaged)?;
        let number = rollup::STEPS.into_iter().position(|other| other == step);
        let (Some(number), true) = (number, entry.rollups_len > 0) else { return Ok(None) };
        let place = entry.data_at.checked_add(entry.points_len).ok_or_else(damaged)?;
        let data = self.checked(place, entry.rollups_len, entry.rollups_crc)?.ok_or_else(damaged)?;
        let mut data = &*data;
        for _ in 0..number {
            take_column(&mut data).ok_or_else(damaged)?;
        }
        let mut rollup = take_column(&mut data).ok_or_else(damaged)?;
        Rollup::decode(&mut rollup).map(Some).ok_or_else(damaged)
    }

    /// Bytes of columns; `None` where their checksum is wrong.
    fn checked(&self, at: usize, len: usize, crc: u32) -> Result<Option<Piece>, StoreError> {
        let Some(end) = at.checked_add(len).filter(|end| *end <= self.names_at) else { return Ok(None) };
        let data = self.view.read(at..end)?;
        Ok((crc32fast::hash(&data) == crc).then_some(data))
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

pub(super) fn le_u64(bytes: &[u8]) -> u64 {
    u64::from(le_u32(bytes)) | u64::from(le_u32(&bytes[4..])) << 32
}

/// Writes a part beside its place and puts it there when it is whole and on disk.
pub(super) struct PartWriter {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
    with_rollups: bool,
    reading: Reading,
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
    pub(super) fn create(path: &Path, with_rollups: bool, reading: Reading) -> Result<Self, StoreError> {
        let beside = path.with_extension("tmp");
        let file = File::create(&beside).map_err(StoreError::io("create", &beside))?;
        let mut file = BufWriter::with_capacity(1 << 18, file);
        file.write_all(MAGIC).map_err(StoreError::io("write", &beside))?;
        Ok(Self {
            path: path.to_owned(),
            beside,
            file,
            with_rollups,
            reading,
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
        Part::open(&self.path, self.reading)
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

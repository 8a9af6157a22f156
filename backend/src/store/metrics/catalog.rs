//! The catalog: the names of all finished days in one sorted file, each with the days that it is of.
//!
//! It is derived. It notes which parts of which days it was made of; where these are no longer all there, the day is walked
//! instead. The file is the magic, the names, an entry for each, the sets of days, the days with their parts, the index of
//! tags, and a footer whose checksum covers all. Most series are of the same days, so an entry tells the number of its set.

use super::note::Note;
use super::part::le_u64;
use super::tag_index::{TagIndex, TagIndexBuilder, TagView, Tagged};
use super::wal::le_u32;
use super::walk::NameList;
use crate::store::file_view::{FileView, Reading};
use crate::store::{StoreError, files};
use sonde_shared::time::Day;
use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The first and the last bytes; the last two digits are the version.
const MAGIC: &[u8; 8] = b"SNDCAT02";
/// The version before, which has no index of tags.
const MAGIC_BEFORE: &[u8; 8] = b"SNDCAT01";
const ENTRY_BYTES: usize = 12;
const FOOTER_BYTES: usize = 44;
const FOOTER_BYTES_BEFORE: usize = 36;
/// So many bytes are written at a time.
const CHUNK: usize = 1 << 20;

/// A day that a catalog covers, and the parts it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Covered {
    pub(super) day: Day,
    pub(super) parts: Vec<Note>,
}

impl Covered {
    /// How many names a walk of its parts has to do with.
    pub(super) fn series(&self) -> u64 {
        self.parts.iter().map(|part| u64::from(part.series)).sum()
    }
}

/// A catalog. Cheap to clone: whoever walks its names has one of his own, and gives back what he has looked at.
#[derive(Clone, Debug)]
pub(super) struct Catalog {
    view: FileView,
    places: Places,
    days: Arc<[Covered]>,
    /// The index for that version, made when it is first asked for.
    made_tags: Arc<OnceLock<TagIndex>>,
}

/// Where its parts lie.
#[derive(Clone, Debug)]
struct Places {
    entries_at: usize,
    sets_at: usize,
    /// How many names there are, and how many words a set of days has.
    count: usize,
    words: usize,
    /// The index of tags; nowhere in the version before.
    tags: Option<Range<usize>>,
}

impl Places {
    /// Reads them off a footer that begins at a place; also where the days lie and how many there are.
    fn read(footer: &[u8], footer_at: usize, has_tags: bool) -> Option<(Self, Range<usize>, usize)> {
        let (names, count) = (le_u64(footer) as usize, le_u32(&footer[8..]) as usize);
        let (set_count, day_count) = (le_u32(&footer[12..]) as usize, le_u32(&footer[16..]) as usize);
        let tags_len = has_tags.then(|| le_u64(&footer[24..]) as usize);
        let tags_at = footer_at.checked_sub(tags_len.unwrap_or(0))?;
        let words = day_count.div_ceil(64);
        let entries_at = MAGIC.len().checked_add(names)?;
        let sets_at = entries_at.checked_add(count.checked_mul(ENTRY_BYTES)?)?;
        let days_at = sets_at.checked_add(set_count.checked_mul(words * 8)?)?;
        let tags = tags_len.map(|_| tags_at..footer_at);
        let places = Self { entries_at, sets_at, count, words, tags };
        (days_at <= tags_at).then_some((places, days_at..tags_at, day_count))
    }
}

impl Catalog {
    /// Opens a catalog and checks it; `None` where there is none.
    pub(super) fn open(path: &Path, reading: Reading) -> Result<Option<Self>, StoreError> {
        let view = match reading.whole(path) {
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let damaged = || StoreError::Damaged {
            path: path.to_owned(),
            why: "it is no whole catalog of a version that this program reads".to_owned(),
        };
        Self::parse(view)?.map(Some).ok_or_else(damaged)
    }

    fn parse(view: FileView) -> Result<Option<Self>, StoreError> {
        if view.len() < MAGIC.len() {
            return Ok(None);
        }
        let head = view.read(0..MAGIC.len())?;
        let versions = [(MAGIC, FOOTER_BYTES), (MAGIC_BEFORE, FOOTER_BYTES_BEFORE)];
        let Some((magic, footer_bytes)) = versions.into_iter().find(|(magic, _)| head[..] == magic[..])
        else {
            return Ok(None);
        };
        let footer_at = view.len().checked_sub(footer_bytes).filter(|at| *at >= magic.len());
        let Some(footer_at) = footer_at else { return Ok(None) };
        let footer = view.read(footer_at..view.len())?;
        let checked = footer_bytes - MAGIC.len() - 4;
        let crc = view.crc(0..footer_at + checked)?;
        if !footer.ends_with(magic) || crc != le_u32(&footer[checked..]) {
            return Ok(None);
        }
        let places = Places::read(&footer, footer_at, magic == MAGIC);
        let Some((places, days, day_count)) = places else { return Ok(None) };
        let days = read_days(&view.read(days)?, day_count);
        Ok(days.map(|days| Self { view, places, days: days.into(), made_tags: Arc::default() }))
    }

    /// The same catalog for somebody who gives back what he has looked at.
    pub(super) fn for_reader(self: &Arc<Self>) -> Arc<Self> {
        match self.view.reading() {
            Reading::Mapped => self.clone(),
            Reading::Pread => Arc::new(Self { view: self.view.anew(), ..Self::clone(self) }),
        }
    }

    /// Whether it is of the version that is written now.
    pub(super) fn is_current(&self) -> bool {
        self.places.tags.is_some()
    }

    /// The days that it covers, in order; a day's place is its number in the sets.
    pub(super) fn days(&self) -> &[Covered] {
        &self.days
    }

    /// The place of a day.
    pub(super) fn place_of(&self, day: Day) -> Option<usize> {
        self.days.binary_search_by_key(&day, |covered| covered.day).ok()
    }

    fn entry(&self, at: usize) -> Option<&[u8]> {
        let start = self.places.entries_at + at * ENTRY_BYTES;
        self.view.get(start..start + ENTRY_BYTES)
    }

    /// Whether a name is of one of these days.
    pub(super) fn is_on(&self, at: usize, days: &DaySet) -> bool {
        self.set(at).zip(&days.words).any(|(own, asked)| own & asked != 0)
    }

    /// The set of days of a name, 64 of them a word.
    pub(super) fn set(&self, at: usize) -> impl Iterator<Item = u64> {
        let number = self.entry(at).map_or(usize::MAX, |entry| le_u32(&entry[8..]) as usize);
        let bytes = self.places.words * 8;
        let place = number.checked_mul(bytes).and_then(|place| place.checked_add(self.places.sets_at));
        let set = place.and_then(|place| self.view.get(place..place.checked_add(bytes)?)).unwrap_or_default();
        set.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word))
    }
}

impl NameList for Catalog {
    fn len(&self) -> usize {
        self.places.count
    }

    fn name(&self, at: usize) -> &[u8] {
        let end = |at: usize| Some(MAGIC.len() + le_u64(self.entry(at)?) as usize);
        let start = at.checked_sub(1).map_or(Some(MAGIC.len()), end);
        start.zip(end(at)).and_then(|(start, end)| self.view.get(start..end)).unwrap_or_default()
    }
}

impl Tagged for Catalog {
    fn tags(&self) -> TagView<'_> {
        match &self.places.tags {
            Some(place) => self.view.get(place.clone()).and_then(TagView::of).unwrap_or_default(),
            None => self.made_tags.get_or_init(|| TagIndex::of(self)).view(),
        }
    }
}

/// The names of a catalog that are of some of its days.
pub(super) struct OnDays<'a> {
    pub(super) catalog: &'a Catalog,
    /// The days, as a set.
    pub(super) days: DaySet,
}

impl NameList for OnDays<'_> {
    fn len(&self) -> usize {
        self.catalog.len()
    }

    fn name(&self, at: usize) -> &[u8] {
        self.catalog.name(at)
    }

    fn is_there(&self, at: usize) -> bool {
        self.catalog.is_on(at, &self.days)
    }
}

/// Some of a catalog's days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct DaySet {
    words: Vec<u64>,
}

impl DaySet {
    /// None of so many days.
    pub(super) fn none_of(days: usize) -> Self {
        Self { words: vec![0; days.div_ceil(64)] }
    }

    pub(super) fn insert(&mut self, place: usize) {
        self.words[place / 64] |= 1 << (place % 64);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }
}

fn read_days(mut bytes: &[u8], count: usize) -> Option<Vec<Covered>> {
    let mut days: Vec<Covered> = Vec::new();
    for _ in 0..count {
        let head = bytes.split_off(..8)?;
        let day = Day::from_number(i64::from(le_u32(head) as i32));
        let mut parts = Vec::new();
        for _ in 0..le_u32(&head[4..]) {
            let note = bytes.split_off(..20)?;
            let (number, series) = (le_u32(note), le_u32(&note[4..]));
            parts.push(Note { number, series, bytes: le_u64(&note[8..]), checksum: le_u32(&note[16..]) });
        }
        days.push(Covered { day, parts });
    }
    bytes.is_empty().then_some(days)
}

fn write_days(days: &[Covered]) -> Vec<u8> {
    let mut out = Vec::new();
    for Covered { day, parts } in days {
        out.extend_from_slice(&(day.number() as i32).to_le_bytes());
        out.extend_from_slice(&(parts.len() as u32).to_le_bytes());
        for Note { number, series, bytes, checksum } in parts {
            out.extend_from_slice(&number.to_le_bytes());
            out.extend_from_slice(&series.to_le_bytes());
            out.extend_from_slice(&bytes.to_le_bytes());
            out.extend_from_slice(&checksum.to_le_bytes());
        }
    }
    out
}

/// Writes a catalog beside its place and puts it there when it is whole and on disk.
pub(super) struct CatalogWriter {
    path: PathBuf,
    beside: PathBuf,
    file: File,
    /// Where what waits goes.
    at: u64,
    waiting: Vec<u8>,
    crc: crc32fast::Hasher,
    names_len: u64,
    entries: Vec<u8>,
    numbers: HashMap<DaySet, u32>,
    sets: Vec<u8>,
    tags: TagIndexBuilder,
}

impl CatalogWriter {
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        let beside = path.with_extension("tmp");
        Ok(Self {
            path: path.to_owned(),
            file: files::create(&beside)?,
            beside,
            at: 0,
            waiting: MAGIC.to_vec(),
            crc: crc32fast::Hasher::new(),
            names_len: 0,
            entries: Vec::new(),
            numbers: HashMap::new(),
            sets: Vec::new(),
            tags: TagIndexBuilder::default(),
        })
    }

    /// Adds a name. Names come in order, each once.
    pub(super) fn push(&mut self, name: &[u8], days: &DaySet) -> Result<(), StoreError> {
        let number = match self.numbers.get(days) {
            Some(number) => *number,
            None => self.add_set(days),
        };
        self.tags.push(self.entries.len() / ENTRY_BYTES, name);
        self.names_len += name.len() as u64;
        self.entries.extend_from_slice(&self.names_len.to_le_bytes());
        self.entries.extend_from_slice(&number.to_le_bytes());
        self.write(name)
    }

    fn add_set(&mut self, days: &DaySet) -> u32 {
        let number = self.numbers.len() as u32;
        self.sets.extend(days.words.iter().flat_map(|word| word.to_le_bytes()));
        self.numbers.insert(days.clone(), number);
        number
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK { self.drain() } else { Ok(()) }
    }

    fn drain(&mut self) -> Result<(), StoreError> {
        self.crc.update(&self.waiting);
        files::write_at(&self.file, &self.beside, &self.waiting, self.at)?;
        self.at += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Completes the file.
    pub(super) fn finish(mut self, days: &[Covered]) -> Result<(), StoreError> {
        let count = (self.entries.len() / ENTRY_BYTES) as u32;
        let (entries, sets) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.sets));
        self.write(&entries)?;
        self.write(&sets)?;
        self.write(&write_days(days))?;
        let tags = std::mem::take(&mut self.tags).finish();
        self.write(&tags)?;
        let numbers = [count, self.numbers.len() as u32, days.len() as u32, 0];
        self.write(&self.names_len.to_le_bytes())?;
        self.write(&numbers.map(u32::to_le_bytes).concat())?;
        self.write(&(tags.len() as u64).to_le_bytes())?;
        self.drain()?;
        let crc = self.crc.clone().finalize();
        self.write(&crc.to_le_bytes())?;
        self.write(MAGIC)?;
        self.drain()?;
        files::sync(&self.file, &self.beside)?;
        files::rename(&self.beside, &self.path)?;
        files::sync_parent(&self.path)
    }

    /// Leaves nothing behind.
    pub(super) fn give_up(self) {
        drop(self.file);
        drop(files::remove(&self.beside));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(number: i64) -> Covered {
        let parts = (1..=number as u32 % 3)
            .map(|at| Note { number: at, series: 7 * at, bytes: u64::from(at) << 33, checksum: !at })
            .collect();
        Covered { day: Day::from_number(number), parts }
    }

    /// Names with the numbers of their days.
    fn write(path: &Path, days: &[Covered], names: &[(&str, &[usize])]) {
        let mut writer = CatalogWriter::create(path).unwrap();
        for (name, own) in names {
            let mut set = DaySet::none_of(days.len());
            own.iter().for_each(|day| set.insert(*day));
            writer.push(name.as_bytes(), &set).unwrap();
        }
        writer.finish(days).unwrap();
    }

    #[test]
    fn what_is_written_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalog");
        assert!(Catalog::open(&path, Reading::Mapped).unwrap().is_none());
        let days: Vec<Covered> = (-3..150).map(covered).collect();
        let names: [(&str, &[usize]); 4] =
            [("a", &[0, 63, 64, 152]), ("a.b", &[152]), ("é", &[0, 63, 64, 152]), ("z", &[1])];
        write(&path, &days, &names);
        let catalog = Catalog::open(&path, Reading::Mapped).unwrap().unwrap();
        assert_eq!((catalog.days(), catalog.len()), (&days[..], 4));
        assert_eq!((catalog.place_of(days[7].day), catalog.place_of(Day::from_number(900))), (Some(7), None));
        for (at, (name, own)) in names.iter().enumerate() {
            assert_eq!(catalog.name(at), name.as_bytes());
            for day in 0..days.len() {
                let mut set = DaySet::none_of(days.len());
                set.insert(day);
                let on_day = OnDays { catalog: &catalog, days: set };
                assert_eq!(on_day.is_there(at), own.contains(&day), "{name} on day {day}");
            }
        }
    }

    #[test]
    fn a_catalog_that_is_cut_or_changed_anywhere_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalog");
        let days: Vec<Covered> = (0..3).map(covered).collect();
        write(&path, &days, &[("a", &[0]), ("b.c", &[0, 2])]);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(Catalog::open(&path, Reading::Mapped).is_err(), "cut at {at}");
            let mut changed = whole.clone();
            changed[at] ^= 0x20;
            std::fs::write(&path, changed).unwrap();
            assert!(Catalog::open(&path, Reading::Mapped).is_err(), "changed at {at}");
        }
    }
}

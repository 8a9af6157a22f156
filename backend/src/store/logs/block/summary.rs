//! What an index says of its segment as a whole, at its end: names, where blocks are, and how many lines there are of what.
//!
//! Who asks for no more than that, as a histogram of a month does, looks at no block. Counts by component come in slots of
//! several widths, so that few are added up for a long time; those of all components together are apart from them. All
//! of it is read in place: a segment that is open costs no memory to speak of.

use super::packed::Packed;
use super::{BlockMeta, Counts, MAX_ROWS, u32_at, u64_at};
use crate::store::file_view::{FileView, Piece, or_end};
use crate::store::logs::dictionary::MAX_NAMES;
use sonde_shared::log::Level;
use sonde_shared::time::Timestamp;
use std::ops::Range;
use std::sync::OnceLock;

/// Bytes of its fixed head.
pub(super) const HEAD_BYTES: usize = 64;
/// Its length and checksum and [`MAGIC`] end the file.
pub(super) const TAIL_BYTES: usize = 12;
pub(super) const MAGIC: &[u8; 4] = b"SSM4";
/// Lines by component are counted in slots of so many widths.
pub(super) const WIDTHS: usize = 3;
/// A segment whose lines are of more kinds does not list them: they would take about as much room as its columns.
pub(super) const MAX_KINDS: usize = 1 << 16;
/// In the head, instead of the number of kinds.
pub(super) const NO_KINDS: u32 = u32::MAX;
/// Kinds are listed three times: without hosts, without patterns, with both. What is not told apart has number 0.
pub(super) const TOLD_APART: [(bool, bool); 3] = [(false, true), (true, false), (true, true)];

/// How many lines there are of one component and level, and of one host or pattern or both, as was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The component's number.
    pub component: u16,
    /// The level.
    pub level: Level,
    /// The host's number; 0 where hosts are not told apart.
    pub host: u16,
    /// The pattern's number; 0 where patterns are not told apart.
    pub pattern: u16,
    /// How many; not 0.
    pub lines: u64,
}

/// Names that lie in a file, by number. Who has them from somebody else looks at the file for himself.
#[derive(Debug)]
pub struct FiledNames {
    view: FileView,
    count: usize,
    ends: Range<usize>,
    text: Range<usize>,
    /// Both, once they were looked at; of a mapped file neither is kept.
    kept: [OnceLock<Piece>; 2],
}

impl Clone for FiledNames {
    fn clone(&self) -> Self {
        Self::new(&self.view, self.count, self.ends.clone(), self.text.clone())
    }
}

impl FiledNames {
    fn new(view: &FileView, count: usize, ends: Range<usize>, text: Range<usize>) -> Self {
        Self { view: view.clone(), count, ends, text, kept: Default::default() }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Lays a view over them that is quick to look up many names in.
    pub fn texts(&self) -> FiledTexts<'_> {
        let ends = self.view.lent(self.ends.clone(), &self.kept[0]);
        let text = self.view.lent(self.text.clone(), &self.kept[1]);
        FiledTexts { ends: Packed::split(ends, self.count).unwrap_or_default().0, text, count: self.count }
    }

    /// A name.
    pub fn get(&self, number: usize) -> Option<&str> {
        std::str::from_utf8(self.texts().get(number)?).ok()
    }

    /// All names, by number.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let texts = self.texts();
        let name = move |number| texts.get(number).and_then(|text| std::str::from_utf8(text).ok());
        (0..self.count).map(move |number| name(number).unwrap_or_default())
    }

    /// Whether each has its text.
    fn holds(&self) -> bool {
        let texts = self.texts();
        let is_text = |number| texts.get(number).is_some_and(|text| std::str::from_utf8(text).is_ok());
        self.count <= MAX_NAMES && (0..self.count).all(is_text)
    }
}

/// The bytes of names in a file.
#[derive(Clone, Copy, Debug)]
pub struct FiledTexts<'a> {
    ends: Packed<'a>,
    text: &'a [u8],
    count: usize,
}

impl<'a> FiledTexts<'a> {
    /// Those of a name.
    pub fn get(&self, number: usize) -> Option<&'a [u8]> {
        if number >= self.count {
            return None;
        }
        let start = if number == 0 { 0 } else { self.ends.get(number - 1) as usize };
        self.text.get(start..self.ends.get(number) as usize)
    }
}

/// Where the parts of a summary are in its file.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) rows: u32,
    pub(super) blocks: usize,
    pub(super) times: (Timestamp, Timestamp),
    pub(super) names: [FiledNames; 3],
    table: Range<usize>,
    counts: Range<usize>,
    kinds: [Option<usize>; 3],
}

impl Places {
    /// Finds the summary that ends an index, if it is whole; the index' blocks begin at `head_len`.
    pub(super) fn find(view: &FileView, head_len: usize) -> Option<Self> {
        let tail_at = view.len().checked_sub(TAIL_BYTES)?;
        let tail = or_end(view.read(tail_at..view.len()));
        let start = tail_at.checked_sub(u32_at(&tail, 0) as usize).filter(|start| *start >= head_len)?;
        if &tail[8..] != MAGIC || tail_at - start < HEAD_BYTES {
            return None;
        }
        let bytes = or_end(view.read(start..tail_at));
        if crc32fast::hash(&bytes) != u32_at(&tail, 4) {
            return None;
        }
        let places = Self::read(view, &bytes, start)?;
        // What was looked at for this is given back.
        places.holds(&bytes, start, head_len).then(|| places.clone())
    }

    fn read(view: &FileView, bytes: &[u8], start: usize) -> Option<Self> {
        let number = |at| u32_at(bytes, at) as usize;
        let mut rest = bytes.get(HEAD_BYTES..)?;
        let mut take = |rows: Option<usize>, len: usize| {
            let at = start + bytes.len() - rest.len();
            rest = match rows {
                Some(rows) => Packed::split(rest, rows)?.1,
                None => rest.get(len..)?,
            };
            Some(at..start + bytes.len() - rest.len())
        };
        let counts = [12, 16, 20].map(number);
        let [a, b, c] = counts;
        let ends = [take(Some(a), 0)?, take(Some(b), 0)?, take(Some(c), 0)?];
        let texts = [take(None, number(36))?, take(None, number(40))?, take(None, number(44))?];
        let kinds = [24, 28, 32].map(|at| (u32_at(bytes, at) != NO_KINDS).then(|| number(at)));
        if kinds.iter().flatten().any(|count| *count > MAX_KINDS) {
            return None;
        }
        let (blocks, table_at) = (number(8), start + bytes.len() - rest.len());
        let table_len = Table::read(rest, blocks)?.1;
        let counts_at = table_at + table_len;
        let mut parts = counts.into_iter().zip(ends).zip(texts);
        let mut names = || {
            let ((count, ends), text) = parts.next()?;
            Some(FiledNames::new(view, count, ends, text))
        };
        let time = |at| Timestamp::from_nanos(u64_at(bytes, at) as i64);
        Some(Self {
            rows: u32_at(bytes, 4),
            blocks,
            times: (time(48), time(56)),
            names: [names()?, names()?, names()?],
            table: table_at..counts_at,
            counts: counts_at..start + bytes.len(),
            kinds,
        })
    }

    /// Whether blocks follow on one another, and all else can be read. Numbers of lines are not looked at: they name nothing.
    fn holds(&self, bytes: &[u8], start: usize, head_len: usize) -> bool {
        let part = |range: &Range<usize>| bytes.get(range.start - start..range.end - start);
        let (mut rows, mut place, mut text) = (0_u64, head_len, 0);
        let mut follows = |at: usize, meta: &BlockMeta| {
            let is_next = u64::from(meta.first_row) == rows
                && at >= place
                && at < start
                && meta.rows > 0
                && meta.rows as usize <= MAX_ROWS
                && meta.text.start == text
                && meta.text.end >= text
                && self.times.0 <= meta.min_ts
                && meta.min_ts <= meta.max_ts
                && meta.max_ts <= self.times.1;
            (rows, place, text) = (rows + u64::from(meta.rows), at + 1, meta.text.end);
            is_next
        };
        let table = part(&self.table).and_then(|table| Table::read(table, self.blocks));
        let Some((table, _)) = table else { return false };
        bytes.starts_with(MAGIC)
            && self.names.iter().all(FiledNames::holds)
            && (0..self.blocks).all(|number| follows(table.place(number), &table.meta(number)))
            && rows == u64::from(self.rows)
            && part(&self.counts).is_some_and(|counts| Summary::read(counts, self.rows, self.kinds).is_some())
    }

    pub(super) fn table<'a>(&self, view: &'a FileView, kept: &'a OnceLock<Piece>) -> Table<'a> {
        let table = Table::read(view.lent(self.table.clone(), kept), self.blocks);
        table.expect("it was looked at when it was found").0
    }

    pub(super) fn summary<'a>(&self, view: &'a FileView, kept: &'a OnceLock<Piece>) -> Summary<'a> {
        Summary::read(view.lent(self.counts.clone(), kept), self.rows, self.kinds)
            .expect("it was looked at when it was found")
    }
}

/// Where the blocks are, and which lines they hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    place: Packed<'a>,
    rows: Packed<'a>,
    first_row: Packed<'a>,
    text: [Packed<'a>; 2],
    times: [Packed<'a>; 2],
}

impl<'a> Table<'a> {
    /// The table and its length.
    fn read(bytes: &'a [u8], blocks: usize) -> Option<(Self, usize)> {
        let mut rest = bytes;
        let mut next = || {
            let (column, behind) = Packed::split(rest, blocks)?;
            rest = behind;
            Some(column)
        };
        let table = Self {
            place: next()?,
            rows: next()?,
            first_row: next()?,
            text: [next()?, next()?],
            times: [next()?, next()?],
        };
        Some((table, bytes.len() - rest.len()))
    }

    pub(super) fn place(&self, number: usize) -> usize {
        self.place.get(number) as usize
    }

    pub(super) fn times(&self, number: usize) -> (Timestamp, Timestamp) {
        let [min, max] = self.times.map(|times| Timestamp::from_nanos(times.get(number)));
        (min, max)
    }

    pub(super) fn meta(&self, number: usize) -> BlockMeta {
        let (min_ts, max_ts) = self.times(number);
        let [start, end] = self.text.map(|places| places.get(number) as u64);
        let [rows, first_row] = [&self.rows, &self.first_row].map(|column| column.get(number) as u32);
        BlockMeta { rows, first_row, text: start..end, min_ts, max_ts }
    }
}

/// How many lines a segment has of what.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    all: Counts<'a>,
    by_component: [Counts<'a>; WIDTHS],
    widths: usize,
    kinds: [Option<(usize, [Packed<'a>; 5])>; 3],
}

impl<'a> Summary<'a> {
    fn read(bytes: &'a [u8], rows: u32, counts: [Option<usize>; 3]) -> Option<Self> {
        let (all, rest) = Counts::split(bytes, rows)?;
        let (minutes, rest) = Counts::split(rest, rows)?;
        let (tens, rest) = Counts::split(rest, rows)?;
        let (hours, mut rest) = Counts::split(rest, rows)?;
        let mut kinds = [None; 3];
        for (kinds, count) in kinds.iter_mut().zip(counts) {
            let mut columns = [Packed::default(); 5];
            for column in &mut columns {
                (*column, rest) = Packed::split(rest, count.unwrap_or_default())?;
            }
            *kinds = count.map(|count| (count, columns));
        }
        Some(Self { all, by_component: [minutes, tens, hours], widths: WIDTHS, kinds })
    }

    /// Sums of counts in slots of one width.
    pub(super) fn so_far(all: &Counts<'a>, by_component: &Counts<'a>) -> Self {
        Self { all: *all, by_component: [*by_component; WIDTHS], widths: 1, kinds: [None; 3] }
    }

    /// Whether it is of a segment that is being written.
    pub fn is_so_far(&self) -> bool {
        self.widths < WIDTHS
    }

    /// Lines of all components as if they were one, by minute and level; by host; by pattern.
    pub fn all(&self) -> &Counts<'a> {
        &self.all
    }

    /// Lines by component, slot and level: the same lines in slots of several widths, narrow ones first.
    pub fn by_component(&self) -> &[Counts<'a>] {
        &self.by_component[..self.widths]
    }

    /// Lines by component and level in the widest slots, where times do not matter.
    pub fn components(&self) -> &Counts<'a> {
        &self.by_component[self.widths - 1]
    }

    /// Lines by component and level, and by host or pattern or both where these are to be told apart; `None` where there are
    /// too many such kinds.
    pub fn kinds(&self, by_host: bool, by_pattern: bool) -> Option<impl ExactSizeIterator<Item = Kind>> {
        let tells = |told: &(bool, bool)| told.0 >= by_host && told.1 >= by_pattern;
        let at = TOLD_APART.iter().position(tells)?;
        let (count, [component, level, host, pattern, lines]) = self.kinds[at]?;
        let kind = move |at: usize| Kind {
            component: component.get(at) as u16,
            level: Level::from_number(level.get(at) as u8),
            host: host.get(at) as u16,
            pattern: pattern.get(at) as u16,
            lines: u64::from(lines.get(at) as u32),
        };
        Some((0..count).map(kind))
    }
}

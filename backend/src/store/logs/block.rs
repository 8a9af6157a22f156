//! A block of the index: the columns of some thousand neighbouring lines, sorted by (time, arrival).
//!
//! The same bytes serve in memory (the newest lines) and from the file, so there is one way to read. All numbers
//! are little-endian; the layout is written down in `docs/file-format.md`. Head, names and counts are checked when they are
//! first looked at, the columns when they are first used; what fails is rebuilt from the text. All of it stays in the file:
//! of a finished segment a block that is not looked at costs a byte.

mod all_tally;
mod columns;
mod counts;
mod list;
mod packed;
mod so_far;
mod summarize;
mod summary;

pub use columns::Columns;
pub use counts::{Cell, ComponentCells, Counts};
pub use list::{BlockList, Sums};
pub use so_far::SoFar;
pub use summary::{FiledNames, FiledTexts, Kind, Summary};

pub(super) use so_far::SoFarTally;
pub(super) use summarize::summarize;

use crate::store::file_view::{FileView, Piece, Reading};
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Bytes of a block's fixed head.
pub const HEAD_BYTES: usize = 76;
const MAGIC: &[u8; 4] = b"SIB3";
/// How wide the slots are by which a block counts its lines: a minute.
pub const SLOT_NANOS: i64 = 60_000_000_000;
/// A block never holds more rows than its 16-bit arrival numbers can tell apart.
pub const MAX_ROWS: usize = 1 << 16;

/// One line as the index knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub ts: Timestamp,
    /// Its number in the segment, in order of arrival.
    pub arrival: u32,
    /// Where its text starts in the segment.
    pub pos: u32,
    /// Its length without the line feed.
    pub len: u32,
    /// Its component's number in the segment's dictionary.
    pub component: u16,
    /// Its host's number in the segment's dictionary.
    pub host: u16,
    /// Its message's pattern, by its number in the segment's dictionary.
    pub pattern: u16,
    /// How bad it is.
    pub level: Level,
    /// Whether it came after lines that are much younger.
    pub is_late: bool,
}

/// Which lines a block holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMeta {
    /// How many lines.
    pub rows: u32,
    /// The arrival number of the first line; the block holds this and the next `rows - 1`.
    pub first_row: u32,
    /// The text of its lines in the segment.
    pub text: Range<u64>,
    /// The earliest and the latest line.
    pub min_ts: Timestamp,
    /// See `min_ts`.
    pub max_ts: Timestamp,
}

/// How long the parts behind a block's names are, and the checksum of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    counts_len: u32,
    columns_len: u32,
    columns_crc: u32,
}

impl BlockMeta {
    /// Whether some line may lie in the range.
    pub fn overlaps(&self, range: TimeRange) -> bool {
        self.min_ts < range.until && range.from <= self.max_ts
    }

    /// Whether every line lies in the range.
    pub fn lies_within(&self, range: TimeRange) -> bool {
        range.from <= self.min_ts && self.max_ts < range.until
    }
}

/// A block's names that were not in the segment's dictionary before, in order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewNames {
    /// Components.
    pub components: Vec<String>,
    /// Hosts.
    pub hosts: Vec<String>,
    /// Patterns.
    pub patterns: Vec<String>,
}

/// A block on its way to memory or to a file.
#[derive(Debug)]
pub struct Encoded {
    /// Which lines it holds.
    pub meta: BlockMeta,
    /// All of it, as it lies in a file.
    pub bytes: Vec<u8>,
    parts: Parts,
    body: usize,
}

impl Encoded {
    /// The block as it is found in a file that it was written to at `at`.
    pub fn in_file(self, at: usize) -> Found {
        let body = at + self.body..at + self.bytes.len();
        Found { meta: self.meta, names: NewNames::default(), parts: self.parts, body }
    }
}

/// Sorts rows and writes them as a block. `rows` are neighbours by arrival, not empty, at most [`MAX_ROWS`].
pub fn encode(mut rows: Vec<Row>, text: Range<u64>, names: &NewNames) -> Encoded {
    rows.sort_unstable_by_key(|row| (row.ts, row.arrival));
    let first_row = rows.iter().map(|row| row.arrival).min().unwrap_or(0);
    let mut counts = Vec::new();
    counts::encode_rows(&rows, &mut counts);
    let columns = columns::encode(&rows, first_row);
    let meta = BlockMeta {
        rows: rows.len() as u32,
        first_row,
        text,
        min_ts: rows.first().map_or(Timestamp::MAX, |row| row.ts),
        max_ts: rows.last().map_or(Timestamp::MIN, |row| row.ts),
    };
    let parts = Parts {
        counts_len: counts.len() as u32,
        columns_len: columns.len() as u32,
        columns_crc: crc32fast::hash(&columns),
    };
    let mut bytes = encode_head(&meta, parts, names, &counts);
    let body = bytes.len() - counts.len();
    bytes.extend_from_slice(&columns);
    Encoded { meta, bytes, parts, body }
}

fn encode_head(meta: &BlockMeta, parts: Parts, names: &NewNames, counts: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    for name in names.components.iter().chain(&names.hosts).chain(&names.patterns) {
        rest.extend_from_slice(&(name.len() as u16).to_le_bytes());
        rest.extend_from_slice(name.as_bytes());
    }
    let names_len = rest.len() as u32;
    rest.extend_from_slice(counts);
    let mut out = Vec::with_capacity(HEAD_BYTES + rest.len() + parts.columns_len as usize);
    out.extend_from_slice(MAGIC);
    for number in [meta.rows, meta.first_row, names_len] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for number in [meta.text.start, meta.text.end] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for at in [meta.min_ts, meta.max_ts] {
        out.extend_from_slice(&at.as_nanos().to_le_bytes());
    }
    let new_names = [&names.components, &names.hosts, &names.patterns].map(|names| names.len() as u32);
    for number in new_names.into_iter().chain([parts.counts_len, parts.columns_len, parts.columns_crc]) {
        out.extend_from_slice(&number.to_le_bytes());
    }
    let mut crc = crc32fast::Hasher::new();
    crc.update(&out);
    crc.update(&rest);
    out.extend_from_slice(&crc.finalize().to_le_bytes());
    out.extend_from_slice(&rest);
    out
}

/// A block found in a file: what it says of itself, and where its counts and columns lie.
#[derive(Debug)]
pub struct Found {
    /// Which lines it holds.
    pub meta: BlockMeta,
    /// The names it adds.
    pub names: NewNames,
    /// Its counts and, behind them, its columns, as a range of the bytes that were given.
    pub body: Range<usize>,
    parts: Parts,
}

/// The version before has the same blocks without a summary behind them.
const SEALED_MAGICS: [&[u8; 8]; 2] = [b"SNDIDS04", b"SNDIDS03"];

/// The first bytes of a sealed segment's index: its kind and version, and which sealed file it is of.
pub fn sealed_head(print: u32) -> Vec<u8> {
    sealed_heads(print)[0].clone()
}

/// The same as this version and the one before have it.
pub(super) fn sealed_heads(print: u32) -> [Vec<u8>; 2] {
    SEALED_MAGICS.map(|magic| [&magic[..], &print.to_le_bytes()].concat())
}

/// Reads the block that starts at `at`; `None` when there is none, it is cut short or its head is damaged.
pub fn find(bytes: &[u8], at: usize) -> Option<Found> {
    let head = Head::at(bytes, at)?;
    let names = head.holds().then(|| read_names(head.names, head.new_names))??;
    Some(Found { meta: head.meta, names, body: head.body, parts: head.parts })
}

/// What stands at a block's place in a file. All its parts lie in the file; nothing else is known of it.
struct Head<'a> {
    meta: BlockMeta,
    parts: Parts,
    new_names: [usize; 3],
    /// The head itself, then names and counts.
    fixed: &'a [u8],
    names: &'a [u8],
    counts: &'a [u8],
    body: Range<usize>,
}

impl<'a> Head<'a> {
    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        Self::of(bytes.get(at..)?, at, bytes.len())
    }

    /// How many bytes a head takes with its names and counts; `bytes` begin with it.
    fn len(bytes: &[u8]) -> Option<usize> {
        let head = bytes.get(..HEAD_BYTES)?;
        HEAD_BYTES.checked_add(u32_at(head, 12) as usize)?.checked_add(u32_at(head, 60) as usize)
    }

    /// The same of the bytes from a place on; the file ends at `end`. Where bytes end before, names and counts are not looked at.
    fn of(bytes: &'a [u8], at: usize, end: usize) -> Option<Self> {
        let head = bytes.get(..HEAD_BYTES)?;
        let rows = u32_at(head, 4);
        if &head[..4] != MAGIC || rows == 0 || rows as usize > MAX_ROWS {
            return None;
        }
        let number = |offset| u32_at(head, offset) as usize;
        let (counts_at, columns_at) = (HEAD_BYTES.checked_add(number(12))?, Self::len(head)?);
        let body = at.checked_add(counts_at)?..at.checked_add(columns_at)?.checked_add(number(64))?;
        if body.end > end {
            return None;
        }
        let meta = BlockMeta {
            rows,
            first_row: u32_at(head, 8),
            text: u64_at(head, 16)..u64_at(head, 24),
            min_ts: Timestamp::from_nanos(u64_at(head, 32) as i64),
            max_ts: Timestamp::from_nanos(u64_at(head, 40) as i64),
        };
        let parts = Parts {
            counts_len: u32_at(head, 60),
            columns_len: u32_at(head, 64),
            columns_crc: u32_at(head, 68),
        };
        let part = |part| bytes.get(part).unwrap_or_default();
        let (names, counts) = (part(HEAD_BYTES..counts_at), part(counts_at..columns_at));
        Some(Self { meta, parts, new_names: [48, 52, 56].map(number), fixed: head, names, counts, body })
    }

    /// Whether head, names and counts are what was written.
    fn holds(&self) -> bool {
        let mut crc = crc32fast::Hasher::new();
        for part in [&self.fixed[..HEAD_BYTES - 4], self.names, self.counts] {
            crc.update(part);
        }
        crc.finalize() == u32_at(self.fixed, HEAD_BYTES - 4)
            && self.meta.text.start <= self.meta.text.end
            && Counts::split(self.counts, self.meta.rows).is_some_and(|(counts, _)| counts.holds(&self.meta))
    }
}

fn read_names(mut bytes: &[u8], [components, hosts, patterns]: [usize; 3]) -> Option<NewNames> {
    let mut take = |count: usize| -> Option<Vec<String>> {
        (0..count)
            .map(|_| {
                let len = u16::from_le_bytes(bytes.split_off(..2)?.try_into().ok()?);
                String::from_utf8(bytes.split_off(..usize::from(len))?.to_vec()).ok()
            })
            .collect()
    };
    Some(NewNames { components: take(components)?, hosts: take(hosts)?, patterns: take(patterns)? })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

/// A block and where its counts and columns are.
#[derive(Debug)]
pub struct Block {
    meta: BlockMeta,
    parts: Parts,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Memory(Box<[u8]>),
    /// `mended` is filled at the first use of the columns: with nothing when the file's hold.
    File {
        view: FileView,
        body: Range<usize>,
        /// Counts and columns, once they were looked at; of a mapped file neither is kept.
        kept: [OnceLock<Piece>; 2],
        mended: Arc<OnceLock<Option<Arc<[u8]>>>>,
        /// Where it is noted what came of that, for a block that is not kept itself.
        notes: Option<(Arc<list::Filed>, usize)>,
    },
}

impl Block {
    /// A block that is held in memory.
    pub fn in_memory(encoded: &Encoded) -> Self {
        let body = encoded.bytes[encoded.body..].into();
        Self { meta: encoded.meta.clone(), parts: encoded.parts, source: Source::Memory(body) }
    }

    /// A block of a file.
    pub fn in_file(found: Found, view: FileView) -> Self {
        Self::noted(found.meta, found.parts, view, found.body, None)
    }

    fn noted(
        meta: BlockMeta,
        parts: Parts,
        view: FileView,
        body: Range<usize>,
        notes: Option<(Arc<list::Filed>, usize)>,
    ) -> Self {
        let (kept, mended) = Default::default();
        Self { meta, parts, source: Source::File { view, body, kept, mended, notes } }
    }

    /// The same block for somebody who gives back what he has looked at, where it is not mapped. So one that is kept itself
    /// takes no memory for its counts and columns.
    pub fn for_reader(self: &Arc<Self>) -> Arc<Self> {
        match &self.source {
            Source::File { view, body, mended, notes, .. } if view.reading() == Reading::Pread => {
                let (view, body, kept) = (view.clone(), body.clone(), Default::default());
                let (mended, notes) = (mended.clone(), notes.clone());
                let source = Source::File { view, body, kept, mended, notes };
                Arc::new(Self { meta: self.meta.clone(), parts: self.parts, source })
            }
            _ => self.clone(),
        }
    }

    /// What is known without counts and columns.
    pub fn meta(&self) -> &BlockMeta {
        &self.meta
    }

    fn counts_bytes(&self) -> &[u8] {
        let len = self.parts.counts_len as usize;
        match &self.source {
            Source::Memory(body) => &body[..len],
            Source::File { view, body, kept, .. } => view.lent(body.start..body.start + len, &kept[0]),
        }
    }

    fn column_bytes(&self) -> &[u8] {
        let len = self.parts.counts_len as usize;
        match &self.source {
            Source::Memory(body) => &body[len..],
            Source::File { view, body, kept, .. } => view.lent(body.start + len..body.end, &kept[1]),
        }
    }

    /// How many lines it has of what.
    ///
    /// # Panics
    /// When the file was changed behind our back since it was looked at first.
    pub fn counts(&self) -> Counts<'_> {
        let counts = Counts::split(self.counts_bytes(), self.meta.rows);
        counts.expect("counts are written whole, and looked at before a block is used").0
    }

    /// Whether the columns are those that were written.
    pub fn holds(&self) -> bool {
        matches!(self.source, Source::Memory(_))
            || crc32fast::hash(self.column_bytes()) == self.parts.columns_crc
    }

    /// The columns; where the file's are damaged, those of the rows that `rebuild` reads from the text.
    pub fn columns(&self, rebuild: impl FnOnce() -> Vec<Row>) -> Columns<'_> {
        let columns = self.column_bytes();
        let mended = match &self.source {
            Source::Memory(_) => None,
            Source::File { mended, notes: None, .. } => {
                mended.get_or_init(|| (!self.holds()).then(|| self.mend(rebuild()))).as_deref()
            }
            Source::File { mended, notes: Some((filed, number)), .. } => mended
                .get_or_init(|| filed.mended_columns(*number, || self.holds(), || self.mend(rebuild())))
                .as_deref(),
        };
        Columns::new(&self.meta, mended.unwrap_or(columns))
    }

    /// Columns of rows that were read again.
    fn mend(&self, rows: Vec<Row>) -> Arc<[u8]> {
        columns::encode(&self.meta.completed(rows), self.meta.first_row).into()
    }
}

impl BlockMeta {
    /// Rows that were read again, in order and as many as there are: lines cannot have come or gone. Should the text be
    /// damaged too, no row may point outside it.
    fn completed(&self, mut rows: Vec<Row>) -> Vec<Row> {
        let none = Row { arrival: self.first_row, ts: self.min_ts, ..Row::default() };
        let filler = Row { pos: self.text.start as u32, ..rows.first().copied().unwrap_or(none) };
        rows.resize(self.rows as usize, Row { len: 0, ..filler });
        rows.sort_unstable_by_key(|row| (row.ts, row.arrival));
        rows
    }
}

#[cfg(test)]
mod tests;

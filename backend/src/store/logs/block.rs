//! A block of the index: the columns of some thousand neighbouring lines, sorted by (time, arrival).
//!
//! The same bytes serve in memory (the newest lines) and mapped from the file, so there is one way to read. All numbers
//! are little-endian; the layout is written down in `docs/file-format.md`. Header, names and counts are checked when
//! the file is opened, the columns when they are first used; columns that fail are rebuilt from the text.

mod columns;
mod packed;

pub use columns::Columns;

use super::mapped::Mapped;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

/// Bytes of a block's fixed head.
pub const HEAD_BYTES: usize = 84;
const MAGIC: &[u8; 4] = b"SIB2";
const COMPONENT_COUNT_BYTES: usize = 2 + 4 * Level::COUNT;
/// A host's or a pattern's.
const LINES_BYTES: usize = 6;
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

/// Lines of one component in a block, by level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComponentLines {
    /// The component's number.
    pub component: u16,
    /// Lines a level.
    pub levels: [u32; Level::COUNT],
}

impl ComponentLines {
    /// Lines of a level and worse.
    pub fn at_least(&self, level: Level) -> u64 {
        self.levels[level as usize..].iter().map(|count| u64::from(*count)).sum()
    }
}

/// What is known of a block without its columns.
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
    /// Its components with lines, by number.
    pub components: Vec<ComponentLines>,
    /// Its hosts with lines: number and lines.
    pub hosts: Vec<(u16, u32)>,
    /// Its patterns with lines: number and lines.
    pub patterns: Vec<(u16, u32)>,
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

/// Sorts rows and writes them as a block. `rows` are neighbours by arrival, not empty, at most [`MAX_ROWS`].
pub fn encode(mut rows: Vec<Row>, text: Range<u64>, names: &NewNames) -> (BlockMeta, Vec<u8>) {
    rows.sort_unstable_by_key(|row| (row.ts, row.arrival));
    let first_row = rows.iter().map(|row| row.arrival).min().unwrap_or(0);
    let columns = columns::encode(&rows, first_row);
    let [hosts, patterns] = [count(&rows, |row| row.host), count(&rows, |row| row.pattern)];
    let meta = BlockMeta {
        rows: rows.len() as u32,
        first_row,
        text,
        min_ts: rows.first().map_or(Timestamp::MAX, |row| row.ts),
        max_ts: rows.last().map_or(Timestamp::MIN, |row| row.ts),
        components: count_components(&rows),
        hosts,
        patterns,
        columns_len: columns.len() as u32,
        columns_crc: crc32fast::hash(&columns),
    };
    let mut bytes = encode_head(&meta, names);
    bytes.extend_from_slice(&columns);
    (meta, bytes)
}

fn count_components(rows: &[Row]) -> Vec<ComponentLines> {
    let mut counts: BTreeMap<u16, [u32; Level::COUNT]> = BTreeMap::new();
    for row in rows {
        counts.entry(row.component).or_default()[row.level as usize] += 1;
    }
    counts.into_iter().map(|(component, levels)| ComponentLines { component, levels }).collect()
}

fn count(rows: &[Row], number: impl Fn(&Row) -> u16) -> Vec<(u16, u32)> {
    let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
    for row in rows {
        *counts.entry(number(row)).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn encode_head(meta: &BlockMeta, names: &NewNames) -> Vec<u8> {
    let mut rest = Vec::new();
    for name in names.components.iter().chain(&names.hosts).chain(&names.patterns) {
        rest.extend_from_slice(&(name.len() as u16).to_le_bytes());
        rest.extend_from_slice(name.as_bytes());
    }
    let names_len = rest.len();
    for lines in &meta.components {
        rest.extend_from_slice(&lines.component.to_le_bytes());
        rest.extend(lines.levels.iter().flat_map(|count| count.to_le_bytes()));
    }
    for (number, lines) in meta.hosts.iter().chain(&meta.patterns) {
        rest.extend_from_slice(&number.to_le_bytes());
        rest.extend_from_slice(&lines.to_le_bytes());
    }
    let mut out = Vec::with_capacity(HEAD_BYTES + rest.len());
    out.extend_from_slice(MAGIC);
    for number in [meta.rows, meta.first_row, names_len as u32] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for number in [meta.text.start, meta.text.end] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for at in [meta.min_ts, meta.max_ts] {
        out.extend_from_slice(&at.as_nanos().to_le_bytes());
    }
    let new_names = [&names.components, &names.hosts, &names.patterns].map(Vec::len);
    let with_lines = [meta.components.len(), meta.hosts.len(), meta.patterns.len()];
    for count in new_names.into_iter().chain(with_lines) {
        out.extend_from_slice(&(count as u32).to_le_bytes());
    }
    out.extend_from_slice(&meta.columns_len.to_le_bytes());
    out.extend_from_slice(&meta.columns_crc.to_le_bytes());
    let mut crc = crc32fast::Hasher::new();
    crc.update(&out);
    crc.update(&rest);
    out.extend_from_slice(&crc.finalize().to_le_bytes());
    out.extend_from_slice(&rest);
    out
}

/// A block found in a file: what it says of itself, and where its columns lie.
#[derive(Debug)]
pub struct Found {
    /// Everything but the columns.
    pub meta: BlockMeta,
    /// The names it adds.
    pub names: NewNames,
    /// Its columns, as a range of the bytes that were given.
    pub columns: Range<usize>,
}

/// The first bytes of a sealed segment's index: its kind and version, and which sealed file it is of.
pub fn sealed_head(print: u32) -> Vec<u8> {
    let mut head = b"SNDIDS02".to_vec();
    head.extend_from_slice(&print.to_le_bytes());
    head
}

/// Reads the block that starts at `at`; `None` when there is none, it is cut short or its head is damaged.
pub fn find(bytes: &[u8], at: usize) -> Option<Found> {
    let head = bytes.get(at..at.checked_add(HEAD_BYTES)?)?;
    if &head[..4] != MAGIC {
        return None;
    }
    let [rows, first_row, names_len] = [u32_at(head, 4), u32_at(head, 8), u32_at(head, 12)];
    let number = |offset| u32_at(head, offset) as usize;
    let (new_names, with_lines) = ([48, 52, 56].map(number), [60, 64, 68].map(number));
    let [components, hosts, patterns] = with_lines;
    let rest_len = (names_len as usize)
        .checked_add(components.checked_mul(COMPONENT_COUNT_BYTES)?)?
        .checked_add(hosts.checked_add(patterns)?.checked_mul(LINES_BYTES)?)?;
    let rest_start = at + HEAD_BYTES;
    let rest = bytes.get(rest_start..rest_start.checked_add(rest_len)?)?;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&head[..HEAD_BYTES - 4]);
    crc.update(rest);
    if crc.finalize() != u32_at(head, HEAD_BYTES - 4) {
        return None;
    }
    let columns_start = rest_start + rest_len;
    let columns_len = u32_at(head, 72);
    let columns = columns_start..columns_start.checked_add(columns_len as usize)?;
    bytes.get(columns.clone())?;
    let (names_bytes, count_bytes) = rest.split_at(names_len as usize);
    let (component_bytes, count_bytes) = count_bytes.split_at(components * COMPONENT_COUNT_BYTES);
    let (host_bytes, pattern_bytes) = count_bytes.split_at(hosts * LINES_BYTES);
    let meta = BlockMeta {
        rows,
        first_row,
        text: u64_at(head, 16)..u64_at(head, 24),
        min_ts: Timestamp::from_nanos(u64_at(head, 32) as i64),
        max_ts: Timestamp::from_nanos(u64_at(head, 40) as i64),
        components: component_bytes.chunks_exact(COMPONENT_COUNT_BYTES).map(read_component_lines).collect(),
        hosts: read_lines(host_bytes),
        patterns: read_lines(pattern_bytes),
        columns_len,
        columns_crc: u32_at(head, 76),
    };
    Some(Found { meta, names: read_names(names_bytes, new_names)?, columns })
}

fn read_component_lines(bytes: &[u8]) -> ComponentLines {
    ComponentLines {
        component: u16_at(bytes, 0),
        levels: std::array::from_fn(|level| u32_at(bytes, 2 + 4 * level)),
    }
}

fn read_lines(bytes: &[u8]) -> Vec<(u16, u32)> {
    bytes.chunks_exact(LINES_BYTES).map(|bytes| (u16_at(bytes, 0), u32_at(bytes, 2))).collect()
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

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

/// Whether the columns are those that were written.
pub fn columns_hold(meta: &BlockMeta, columns: &[u8]) -> bool {
    columns.len() == meta.columns_len as usize && crc32fast::hash(columns) == meta.columns_crc
}

/// The columns in the bytes of [`encode`].
fn columns_of<'a>(meta: &BlockMeta, encoded: &'a [u8]) -> &'a [u8] {
    &encoded[encoded.len() - meta.columns_len as usize..]
}

impl BlockMeta {
    /// Bytes of its columns, the last of the block.
    pub fn columns_len(&self) -> usize {
        self.columns_len as usize
    }
}

/// A block and where its columns are.
#[derive(Debug)]
pub struct Block {
    meta: BlockMeta,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Memory(Box<[u8]>),
    /// `mended` is filled at the first use: with nothing when the file's columns hold.
    File {
        map: Mapped,
        columns: Range<usize>,
        mended: OnceLock<Option<Box<[u8]>>>,
    },
}

impl Block {
    /// A block that is held in memory, from the bytes of [`encode`].
    pub fn in_memory(meta: BlockMeta, encoded: &[u8]) -> Self {
        let columns = columns_of(&meta, encoded).into();
        Self { meta, source: Source::Memory(columns) }
    }

    /// A block of a mapped file.
    pub fn mapped(meta: BlockMeta, map: Mapped, columns: Range<usize>) -> Self {
        Self { meta, source: Source::File { map, columns, mended: OnceLock::new() } }
    }

    /// What is known without the columns.
    pub fn meta(&self) -> &BlockMeta {
        &self.meta
    }

    /// Whether the columns are those that were written.
    pub fn holds(&self) -> bool {
        match &self.source {
            Source::Memory(_) => true,
            Source::File { map, columns, .. } => columns_hold(&self.meta, map.slice(columns.clone())),
        }
    }

    /// The columns; where the file's are damaged, those of the rows that `rebuild` reads from the text.
    pub fn columns(&self, rebuild: impl FnOnce() -> Vec<Row>) -> Columns<'_> {
        let bytes = match &self.source {
            Source::Memory(columns) => columns,
            Source::File { map, columns, mended } => {
                let in_file = map.slice(columns.clone());
                let mend = || {
                    (!columns_hold(&self.meta, in_file)).then(|| {
                        let mut rows = rebuild();
                        // Lines cannot have come or gone; should the text be damaged too, no row may point outside it.
                        let filler = Row {
                            pos: self.meta.text.start as u32,
                            ..rows.first().copied().unwrap_or_default()
                        };
                        rows.resize(self.meta.rows as usize, Row { len: 0, ..filler });
                        let (meta, bytes) = encode(rows, self.meta.text.clone(), &NewNames::default());
                        columns_of(&meta, &bytes).into()
                    })
                };
                mended.get_or_init(mend).as_deref().unwrap_or(in_file)
            }
        };
        Columns::new(&self.meta, bytes)
    }
}

#[cfg(test)]
mod tests;

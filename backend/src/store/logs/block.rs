//! A block of the index: the columns of some thousand neighbouring lines, sorted by (time, arrival).
//!
//! The same bytes serve in memory (the newest lines) and mapped from the file, so there is one way to read. All numbers
//! are little-endian; the layout is written down in `docs/file-format.md`. Header, names and counts are checked when
//! the file is opened, the columns when they are first used; columns that fail are rebuilt from the text.

use super::mapped::Mapped;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

/// Bytes of a block's fixed head.
pub const HEAD_BYTES: usize = 72;
const MAGIC: &[u8; 4] = b"SIB1";
const COMPONENT_COUNT_BYTES: usize = 2 + 4 * Level::COUNT;
const HOST_COUNT_BYTES: usize = 6;
/// Bytes that a row takes in all columns.
pub const ROW_BYTES: usize = 8 + 4 + 4 + 2 + 2 + 2 + 1;
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
    /// How bad it is.
    pub level: Level,
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
}

/// Sorts rows and writes them as a block. `rows` are neighbours by arrival, not empty, at most [`MAX_ROWS`].
pub fn encode(mut rows: Vec<Row>, text: Range<u64>, names: &NewNames) -> (BlockMeta, Vec<u8>) {
    rows.sort_unstable_by_key(|row| (row.ts, row.arrival));
    let first_row = rows.iter().map(|row| row.arrival).min().unwrap_or(0);
    let columns = encode_columns(&rows, first_row);
    let (components, hosts) = count(&rows);
    let meta = BlockMeta {
        rows: rows.len() as u32,
        first_row,
        text,
        min_ts: rows.first().map_or(Timestamp::MAX, |row| row.ts),
        max_ts: rows.last().map_or(Timestamp::MIN, |row| row.ts),
        components,
        hosts,
        columns_crc: crc32fast::hash(&columns),
    };
    let mut bytes = encode_head(&meta, names);
    bytes.extend_from_slice(&columns);
    (meta, bytes)
}

fn count(rows: &[Row]) -> (Vec<ComponentLines>, Vec<(u16, u32)>) {
    let mut components: BTreeMap<u16, [u32; Level::COUNT]> = BTreeMap::new();
    let mut hosts: BTreeMap<u16, u32> = BTreeMap::new();
    for row in rows {
        components.entry(row.component).or_default()[row.level as usize] += 1;
        *hosts.entry(row.host).or_default() += 1;
    }
    let components =
        components.into_iter().map(|(component, levels)| ComponentLines { component, levels }).collect();
    (components, hosts.into_iter().collect())
}

fn encode_columns(rows: &[Row], first_row: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * ROW_BYTES);
    out.extend(rows.iter().flat_map(|row| row.ts.as_nanos().to_le_bytes()));
    out.extend(rows.iter().flat_map(|row| row.pos.to_le_bytes()));
    out.extend(rows.iter().flat_map(|row| row.len.to_le_bytes()));
    out.extend(rows.iter().flat_map(|row| row.component.to_le_bytes()));
    out.extend(rows.iter().flat_map(|row| row.host.to_le_bytes()));
    out.extend(rows.iter().flat_map(|row| ((row.arrival - first_row) as u16).to_le_bytes()));
    out.extend(rows.iter().map(|row| row.level as u8));
    out
}

fn encode_head(meta: &BlockMeta, names: &NewNames) -> Vec<u8> {
    let mut rest = Vec::new();
    for name in names.components.iter().chain(&names.hosts) {
        rest.extend_from_slice(&(name.len() as u16).to_le_bytes());
        rest.extend_from_slice(name.as_bytes());
    }
    let names_len = rest.len();
    for lines in &meta.components {
        rest.extend_from_slice(&lines.component.to_le_bytes());
        rest.extend(lines.levels.iter().flat_map(|count| count.to_le_bytes()));
    }
    for (host, lines) in &meta.hosts {
        rest.extend_from_slice(&host.to_le_bytes());
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
    for count in [names.components.len(), names.hosts.len(), meta.components.len(), meta.hosts.len()] {
        out.extend_from_slice(&(count as u32).to_le_bytes());
    }
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

/// Reads the block that starts at `at`; `None` when there is none, it is cut short or its head is damaged.
pub fn find(bytes: &[u8], at: usize) -> Option<Found> {
    let head = bytes.get(at..at.checked_add(HEAD_BYTES)?)?;
    if &head[..4] != MAGIC {
        return None;
    }
    let [rows, first_row, names_len] = [u32_at(head, 4), u32_at(head, 8), u32_at(head, 12)];
    let counts = [48, 52, 56, 60].map(|offset| u32_at(head, offset) as usize);
    let [new_components, new_hosts, components, hosts] = counts;
    let rest_len = (names_len as usize)
        .checked_add(components.checked_mul(COMPONENT_COUNT_BYTES)?)?
        .checked_add(hosts.checked_mul(HOST_COUNT_BYTES)?)?;
    let rest_start = at + HEAD_BYTES;
    let rest = bytes.get(rest_start..rest_start.checked_add(rest_len)?)?;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&head[..HEAD_BYTES - 4]);
    crc.update(rest);
    if crc.finalize() != u32_at(head, HEAD_BYTES - 4) {
        return None;
    }
    let columns_start = rest_start + rest_len;
    let columns = columns_start..columns_start + rows as usize * ROW_BYTES;
    bytes.get(columns.clone())?;
    let (names_bytes, count_bytes) = rest.split_at(names_len as usize);
    let (component_bytes, host_bytes) = count_bytes.split_at(components * COMPONENT_COUNT_BYTES);
    let meta = BlockMeta {
        rows,
        first_row,
        text: u64_at(head, 16)..u64_at(head, 24),
        min_ts: Timestamp::from_nanos(u64_at(head, 32) as i64),
        max_ts: Timestamp::from_nanos(u64_at(head, 40) as i64),
        components: component_bytes.chunks_exact(COMPONENT_COUNT_BYTES).map(read_component_lines).collect(),
        hosts: host_bytes.chunks_exact(HOST_COUNT_BYTES).map(|b| (u16_at(b, 0), u32_at(b, 2))).collect(),
        columns_crc: u32_at(head, 64),
    };
    Some(Found { meta, names: read_names(names_bytes, new_components, new_hosts)?, columns })
}

fn read_component_lines(bytes: &[u8]) -> ComponentLines {
    ComponentLines {
        component: u16_at(bytes, 0),
        levels: std::array::from_fn(|level| u32_at(bytes, 2 + 4 * level)),
    }
}

fn read_names(mut bytes: &[u8], components: usize, hosts: usize) -> Option<NewNames> {
    let mut take = |count: usize| -> Option<Vec<String>> {
        (0..count)
            .map(|_| {
                let len = u16::from_le_bytes(bytes.split_off(..2)?.try_into().ok()?);
                String::from_utf8(bytes.split_off(..usize::from(len))?.to_vec()).ok()
            })
            .collect()
    };
    Some(NewNames { components: take(components)?, hosts: take(hosts)? })
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
    columns.len() == meta.rows as usize * ROW_BYTES && crc32fast::hash(columns) == meta.columns_crc
}

/// A view of a block's columns; row `i` is the `i`-th by (time, arrival).
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    first_row: u32,
    ts: &'a [[u8; 8]],
    pos: &'a [[u8; 4]],
    len: &'a [[u8; 4]],
    component: &'a [[u8; 2]],
    host: &'a [[u8; 2]],
    arrival: &'a [[u8; 2]],
    level: &'a [u8],
}

impl<'a> Columns<'a> {
    /// Lays the view over bytes of exactly `meta.rows` rows.
    pub fn new(meta: &BlockMeta, bytes: &'a [u8]) -> Self {
        let rows = meta.rows as usize;
        let (ts, rest) = bytes.split_at(rows * 8);
        let (pos, rest) = rest.split_at(rows * 4);
        let (len, rest) = rest.split_at(rows * 4);
        let (component, rest) = rest.split_at(rows * 2);
        let (host, rest) = rest.split_at(rows * 2);
        let (arrival, level) = rest.split_at(rows * 2);
        Self {
            first_row: meta.first_row,
            ts: ts.as_chunks().0,
            pos: pos.as_chunks().0,
            len: len.as_chunks().0,
            component: component.as_chunks().0,
            host: host.as_chunks().0,
            arrival: arrival.as_chunks().0,
            level,
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.level.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.level.is_empty()
    }

    /// A row's time.
    pub fn ts(&self, row: usize) -> Timestamp {
        Timestamp::from_nanos(i64::from_le_bytes(self.ts[row]))
    }

    /// A row's component.
    pub fn component(&self, row: usize) -> u16 {
        u16::from_le_bytes(self.component[row])
    }

    /// A row's host.
    pub fn host(&self, row: usize) -> u16 {
        u16::from_le_bytes(self.host[row])
    }

    /// A row's level.
    pub fn level(&self, row: usize) -> Level {
        Level::from_number(self.level[row])
    }

    /// A row's number in the segment.
    pub fn arrival(&self, row: usize) -> u32 {
        self.first_row + u32::from(u16::from_le_bytes(self.arrival[row]))
    }

    /// A whole row.
    pub fn row(&self, row: usize) -> Row {
        Row {
            ts: self.ts(row),
            arrival: self.arrival(row),
            pos: u32::from_le_bytes(self.pos[row]),
            len: u32::from_le_bytes(self.len[row]),
            component: self.component(row),
            host: self.host(row),
            level: self.level(row),
        }
    }

    /// The rows whose time lies in the range.
    pub fn rows_in(&self, range: TimeRange) -> Range<usize> {
        let before = |at: Timestamp| self.ts.partition_point(|ts| i64::from_le_bytes(*ts) < at.as_nanos());
        let start = before(range.from);
        start..before(range.until).max(start)
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
        let columns = &encoded[encoded.len() - meta.rows as usize * ROW_BYTES..];
        Self { meta, source: Source::Memory(columns.into()) }
    }

    /// A block of a mapped file.
    pub fn mapped(meta: BlockMeta, map: Mapped, columns: Range<usize>) -> Self {
        Self { meta, source: Source::File { map, columns, mended: OnceLock::new() } }
    }

    /// What is known without the columns.
    pub fn meta(&self) -> &BlockMeta {
        &self.meta
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
                        let (_, bytes) = encode(rows, self.meta.text.clone(), &NewNames::default());
                        bytes[bytes.len() - self.meta.rows as usize * ROW_BYTES..].into()
                    })
                };
                mended.get_or_init(mend).as_deref().unwrap_or(in_file)
            }
        };
        Columns::new(&self.meta, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn any_rows()(rows in prop::collection::vec((any::<i64>(), 0_u32..1 << 28, 0_u32..1 << 20, 0_u16..9, 0_u16..3, 0_u8..6), 1..200), first in 0_u32..1000) -> Vec<Row> {
            let row = |(i, (ts, pos, len, component, host, level)): (usize, (i64, u32, u32, u16, u16, u8))| Row {
                ts: Timestamp::from_nanos(ts % 50), arrival: first + i as u32, pos, len, component, host, level: Level::from_number(level),
            };
            rows.into_iter().enumerate().map(row).collect()
        }
    }

    proptest! {
        #[test]
        fn a_block_comes_back_sorted_by_time_and_arrival(rows in any_rows(), lead in 0_usize..40) {
            let names = NewNames { components: vec!["a.b".into(), "ü".into()], hosts: vec![String::new()] };
            let (meta, encoded) = encode(rows.clone(), 5..900, &names);
            let mut bytes = vec![7; lead];
            bytes.extend_from_slice(&encoded);
            let found = find(&bytes, lead).unwrap();
            prop_assert_eq!((&found.meta, &found.names, found.columns.end), (&meta, &names, bytes.len()));
            prop_assert!(columns_hold(&meta, &bytes[found.columns.clone()]));
            let columns = Columns::new(&meta, &bytes[found.columns]);
            let mut expected = rows;
            expected.sort_by_key(|row| row.ts);
            let read: Vec<Row> = (0..columns.len()).map(|i| columns.row(i)).collect();
            prop_assert_eq!(&read, &expected);
            let range = TimeRange::between(Timestamp::from_nanos(-10), Timestamp::from_nanos(20));
            let inside = expected.iter().filter(|row| range.contains(row.ts)).count();
            prop_assert_eq!(columns.rows_in(range).len(), inside);
        }

        #[test]
        fn a_cut_or_changed_block_is_noticed(rows in any_rows(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>()) {
            let (meta, bytes) = encode(rows, 0..9, &NewNames::default());
            prop_assert!(find(&bytes[..cut.index(bytes.len())], 0).is_none());
            let mut changed = bytes.clone();
            changed[flip.index(bytes.len())] ^= 0x10;
            let holds = find(&changed, 0).is_some_and(|found| found.meta == meta && columns_hold(&meta, &changed[found.columns]));
            prop_assert!(!holds);
        }
    }
}

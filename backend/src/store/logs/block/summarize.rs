//! Makes the summary that ends an index, of the blocks that lie there.
//!
//! Nothing is kept for it while a segment grows: when it is finished, its blocks are read once more. They are merged
//! component by component, so that what is in hand at a time is a list of at most [`MAX_CELLS`] cells, whatever the lines are.
//! Where there would be more, slots are made wider.

use super::all_tally::MAX_CELLS;
use super::all_tally::{AllTally, WIDTHS_MINUTES};
use super::columns::TIME_UNITS;
use super::counts::{self, CellKey, join};
use super::packed::{fits, pack};
use super::summary::{HEAD_BYTES, MAGIC, MAX_KINDS, NO_KINDS, TOLD_APART, WIDTHS};
use super::{BlockMeta, Columns, Counts, Head, SLOT_NANOS};
use rustc_hash::FxHashMap;

/// So many cells of a component are gathered before they are added up.
const LEAST_JOINED: usize = 1 << 12;

/// A block where it lies in an index.
struct Lying<'a> {
    place: usize,
    meta: BlockMeta,
    counts: Counts<'a>,
    columns: &'a [u8],
}

/// The summary of an index of blocks that hold and follow on one another, and what ends the file. The first block lies at
/// `head_len`. `None` where there is none, or where blocks are further apart in time than a column can tell, as only somebody
/// who has changed a file makes them.
pub(in crate::store::logs) fn summarize(
    index: &[u8],
    head_len: usize,
    names: &[Vec<&str>; 3],
) -> Option<Vec<u8>> {
    let blocks = lying(index, head_len)?;
    let metas = || blocks.iter().map(|block| &block.meta);
    let times: [Vec<i64>; 2] = [
        metas().map(|meta| meta.min_ts.as_nanos()).collect(),
        metas().map(|meta| meta.max_ts.as_nanos()).collect(),
    ];
    let [min, max] = [times[0].iter().min().copied()?, times[1].iter().max().copied()?];
    if !times.iter().all(|times| fits(&times.iter().copied(), &TIME_UNITS)) {
        return None;
    }
    let kinds = kinds(&blocks);
    let mut out = encode_head(&blocks, names, &kinds, [min, max]);
    encode_names(names, &mut out);
    encode_table(&blocks, &times, &mut out);
    encode_all(&blocks, &mut out);
    encode_by_component(&blocks, &mut out);
    for kinds in kinds {
        encode_kinds(&kinds.unwrap_or_default(), &mut out);
    }
    let (len, crc) = (out.len() as u32, crc32fast::hash(&out));
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(MAGIC);
    Some(out)
}

/// The blocks of an index, which are all that lies behind its head.
fn lying(index: &[u8], head_len: usize) -> Option<Vec<Lying<'_>>> {
    let (mut place, mut blocks) = (head_len, Vec::new());
    while place < index.len() {
        let head = Head::at(index, place)?;
        let counts = Counts::split(head.counts, head.meta.rows)?.0;
        let end = head.body.end;
        let columns = &index[head.body.start + head.counts.len()..end];
        blocks.push(Lying { place, meta: head.meta, counts, columns });
        place = end;
    }
    Some(blocks)
}

/// Cells of components, one component after the other, in slots as narrow as there is room for.
struct CellList {
    /// The first is that of the cells at hand.
    widths: &'static [i64],
    cells: Vec<(CellKey, u32)>,
    /// Where those of the component at hand begin, and how many they were when they were last added up.
    start: usize,
    joined: usize,
}

impl CellList {
    fn new() -> Self {
        Self { widths: &WIDTHS_MINUTES, cells: Vec::new(), start: 0, joined: 0 }
    }

    /// Adds a cell of the component at hand, in a slot of a minute.
    fn add(&mut self, (key, lines): (CellKey, u32)) {
        self.cells.push((key.widened(self.widths[0]), lines));
        if self.cells.len() - self.start > 2 * self.joined + LEAST_JOINED {
            self.join();
        }
    }

    /// Adds up the cells of the component at hand, and widens all slots when there are too many.
    fn join(&mut self) {
        join(&mut self.cells, self.start);
        while self.cells.len() > MAX_CELLS && self.widths.len() > WIDTHS {
            let component = self.cells[self.cells.len() - 1].0.component();
            self.widen();
            self.start = self.cells.partition_point(|(key, _)| key.component() < component);
        }
        self.joined = self.cells.len() - self.start;
    }

    fn widen(&mut self) {
        let [narrow, rest @ ..] = self.widths else { return };
        let times = rest.first().map_or(1, |wide| wide / narrow);
        self.widths = rest;
        self.cells.iter_mut().for_each(|(key, _)| *key = key.widened(times));
        join(&mut self.cells, 0);
    }

    fn end_component(&mut self) {
        self.join();
        (self.start, self.joined) = (self.cells.len(), 0);
    }

    fn encode(&self, out: &mut Vec<u8>) {
        counts::encode(SLOT_NANOS * self.widths[0], &self.cells, [&[], &[]], out);
    }
}

/// Counts by component, in slots of three widths.
fn encode_by_component(blocks: &[Lying<'_>], out: &mut Vec<u8>) {
    let mut cells = CellList::new();
    let mut rest: Vec<_> =
        blocks.iter().map(|block| (&block.counts, block.counts.components().peekable())).collect();
    while let Some(next) = rest.iter_mut().filter_map(|(_, rest)| Some(rest.peek()?.component)).min() {
        for (counts, rest) in &mut rest {
            if let Some(of_block) = rest.next_if(|of_block| of_block.component == next) {
                of_block.cells.for_each(|at| cells.add(counts.keyed(next, at)));
            }
        }
        cells.end_component();
    }
    cells.encode(out);
    for _ in 1..WIDTHS {
        cells.widen();
        cells.encode(out);
    }
}

/// Counts of all lines as if they were of one component, with hosts and patterns.
fn encode_all(blocks: &[Lying<'_>], out: &mut Vec<u8>) {
    let mut all = AllTally::default();
    for block in blocks {
        all.add(&block.counts);
    }
    all.encode(out);
}

/// A kind as one number, in whose order kinds lie: component, level, host, pattern.
type KindKey = u64;

const HOST_BITS: KindKey = 0xffff_0000;
const PATTERN_BITS: KindKey = 0xffff;

/// Lines by kind, in three levels of detail; `None` where there are too many.
fn kinds(blocks: &[Lying<'_>]) -> [Option<Vec<(KindKey, u32)>>; 3] {
    let mut tallies = TOLD_APART.map(|_| Some(FxHashMap::<KindKey, u32>::default()));
    for block in blocks {
        if tallies.iter().all(Option::is_none) {
            break;
        }
        let keys = kind_keys(block);
        for (tally, (by_host, by_pattern)) in tallies.iter_mut().zip(TOLD_APART) {
            let mask = !(if by_host { 0 } else { HOST_BITS } | if by_pattern { 0 } else { PATTERN_BITS });
            // Of a block's lines many are of one kind, which is looked up once.
            if let Some(known) = tally {
                let same = keys.chunk_by(|a, b| a == b);
                same.for_each(|same| *known.entry(same[0] & mask).or_insert(0) += same.len() as u32);
            }
            *tally = tally.take().filter(|known| known.len() <= MAX_KINDS);
        }
    }
    tallies.map(|tally| {
        let mut kinds: Vec<_> = tally?.into_iter().collect();
        kinds.sort_unstable();
        Some(kinds)
    })
}

/// The kinds of a block's lines, sorted.
fn kind_keys(block: &Lying<'_>) -> Vec<KindKey> {
    let columns = Columns::new(&block.meta, block.columns);
    let key = |row: usize| {
        let names = KindKey::from(columns.host(row)) << 16 | KindKey::from(columns.pattern(row));
        KindKey::from(columns.component(row)) << 40 | (columns.level(row) as KindKey) << 32 | names
    };
    let mut keys: Vec<KindKey> = (0..columns.len()).map(key).collect();
    keys.sort_unstable();
    keys
}

fn encode_table(blocks: &[Lying<'_>], times: &[Vec<i64>; 2], out: &mut Vec<u8>) {
    let metas = || blocks.iter().map(|block| &block.meta);
    pack(&blocks.iter().map(|block| block.place as i64), &[], out);
    pack(&metas().map(|meta| i64::from(meta.rows)), &[], out);
    pack(&metas().map(|meta| i64::from(meta.first_row)), &[], out);
    pack(&metas().map(|meta| meta.text.start as i64), &[], out);
    pack(&metas().map(|meta| meta.text.end as i64), &[], out);
    for times in times {
        pack(&times.iter().copied(), &TIME_UNITS, out);
    }
}

fn encode_head(
    blocks: &[Lying<'_>],
    names: &[Vec<&str>; 3],
    kinds: &[Option<Vec<(KindKey, u32)>>; 3],
    times: [i64; 2],
) -> Vec<u8> {
    let rows: u32 = blocks.iter().map(|block| block.meta.rows).sum();
    let kinds = kinds.iter().map(|kinds| kinds.as_ref().map_or(NO_KINDS, |kinds| kinds.len() as u32));
    let counts = names.iter().map(|names| names.len() as u32);
    let bytes = names.iter().map(|names| names.iter().map(|name| name.len() as u32).sum());
    let numbers = [rows, blocks.len() as u32].into_iter().chain(counts).chain(kinds).chain(bytes);
    let mut out = Vec::with_capacity(HEAD_BYTES);
    out.extend_from_slice(MAGIC);
    out.extend(numbers.flat_map(u32::to_le_bytes));
    out.extend(times.into_iter().flat_map(i64::to_le_bytes));
    out
}

fn encode_names(names: &[Vec<&str>; 3], out: &mut Vec<u8>) {
    for names in names {
        let end = |end: &mut i64, name: &&str| {
            *end += name.len() as i64;
            Some(*end)
        };
        let ends: Vec<i64> = names.iter().scan(0, end).collect();
        pack(&ends.into_iter(), &[], out);
    }
    names.iter().flatten().for_each(|name| out.extend_from_slice(name.as_bytes()));
}

fn encode_kinds(kinds: &[(KindKey, u32)], out: &mut Vec<u8>) {
    pack(&kinds.iter().map(|(key, _)| (key >> 40) as i64), &[], out);
    pack(&kinds.iter().map(|(key, _)| (key >> 32 & 0xff) as i64), &[], out);
    pack(&kinds.iter().map(|(key, _)| ((key & HOST_BITS) >> 16) as i64), &[], out);
    pack(&kinds.iter().map(|(key, _)| (key & PATTERN_BITS) as i64), &[], out);
    pack(&kinds.iter().map(|(_, lines)| i64::from(*lines)), &[], out);
}

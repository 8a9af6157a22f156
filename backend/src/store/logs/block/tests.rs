//! Blocks come back as they were written.

use super::*;
use crate::allocations;
use crate::store::file_view::Reading;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A block as a file has it.
fn in_file(bytes: &[u8], found: Found) -> Block {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Block::in_file(found, Reading::Mapped.whole(file.path()).unwrap())
}

/// An index of blocks, behind eight bytes.
fn file_of(blocks: impl Iterator<Item = Vec<Row>>) -> Vec<u8> {
    let mut file = vec![7; 8];
    for rows in blocks {
        file.extend_from_slice(&encode(rows, 0..0, &NewNames::default()).bytes);
    }
    file
}

/// The same with its summary, as a reader finds it.
fn summed_up(blocks: &[u8]) -> BlockList {
    let summary = summarize(blocks, 8, &[vec![], vec![""], vec![]]).unwrap();
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), [blocks, &summary].concat()).unwrap();
    BlockList::in_file(Reading::Mapped.whole(path.path()).unwrap(), 8).unwrap().0
}

/// Component, start of the slot and level, each with its lines.
type Cells = Vec<((u16, i64, u8), u32)>;

fn cells(counts: &Counts<'_>) -> Cells {
    let cell = |component: u16, at: usize| {
        let cell = counts.cell(at);
        ((component, cell.from.as_nanos(), cell.level as u8), cell.lines)
    };
    counts.components().flat_map(|of| of.cells.map(move |at| cell(of.component, at))).collect()
}

/// The same by looking at each row.
fn cells_of(rows: &[Row], width: i64, is_of_all: bool) -> Cells {
    let (mut cells, nanos) = (BTreeMap::new(), width * SLOT_NANOS);
    for row in rows {
        let slot = row.ts.as_nanos().div_euclid(nanos) * nanos;
        let component = if is_of_all { 0 } else { row.component };
        *cells.entry((component, slot, row.level as u8)).or_insert(0) += 1;
    }
    cells.into_iter().collect()
}

type AnyRow = (i64, u32, u32, [u16; 3], u8, bool);

fn any_names() -> impl Strategy<Value = [u16; 3]> {
    (0_u16..9, 0_u16..3, 0_u16..400).prop_map(|(component, host, pattern)| [component, host, pattern])
}

prop_compose! {
    fn any_rows()(rows in prop::collection::vec((any::<i64>(), 0_u32..1 << 28, 0_u32..1 << 20, any_names(), 0_u8..6, any::<bool>()), 1..200), first in 0_u32..1000) -> Vec<Row> {
        let row = |(i, (ts, pos, len, names, level, is_late)): (usize, AnyRow)| {
            let [component, host, pattern] = names;
            let (ts, level) = (Timestamp::from_nanos(ts % 50), Level::from_number(level));
            Row { ts, arrival: first + i as u32, pos, len, component, host, pattern, level, is_late }
        };
        rows.into_iter().enumerate().map(row).collect()
    }
}

proptest! {
    #[test]
    fn a_block_comes_back_sorted_by_time_and_arrival(rows in any_rows(), lead in 0_usize..40) {
        let names = NewNames { components: vec!["a.b".into(), "ü".into()], hosts: vec![String::new()], patterns: vec!["GET <*>".into()] };
        let encoded = encode(rows.clone(), 5..900, &names);
        let mut bytes = vec![7; lead];
        bytes.extend_from_slice(&encoded.bytes);
        let found = find(&bytes, lead).unwrap();
        prop_assert_eq!((&found.meta, &found.names, found.body.end), (&encoded.meta, &names, bytes.len()));
        let written = encoded.in_file(lead);
        prop_assert_eq!((&found.body, found.parts), (&written.body, written.parts));
        let block = in_file(&bytes, found);
        prop_assert!(block.holds());
        let columns = block.columns(|| unreachable!("its columns hold"));
        let mut expected = rows;
        expected.sort_by_key(|row| row.ts);
        let read: Vec<Row> = (0..columns.len()).map(|i| columns.row(i)).collect();
        prop_assert_eq!(&read, &expected);
        let range = TimeRange::between(Timestamp::from_nanos(-10), Timestamp::from_nanos(20));
        let inside = expected.iter().filter(|row| range.contains(row.ts)).count();
        prop_assert_eq!(columns.rows_in(range).len(), inside);
    }

    #[test]
    fn a_block_counts_its_lines(rows in any_rows(), minutes in prop::collection::vec(-3_i64..400, 200)) {
        let rows: Vec<Row> = rows.into_iter().zip(minutes).map(|(row, minute)| Row { ts: row.ts.plus_nanos(minute * SLOT_NANOS), ..row }).collect();
        let block = Block::in_memory(&encode(rows.clone(), 0..9, &NewNames::default()));
        let counts = block.counts();
        let (mut cells, mut hosts, mut patterns) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for row in &rows {
            let minute = row.ts.as_nanos().div_euclid(SLOT_NANOS) * SLOT_NANOS;
            *cells.entry((row.component, minute, row.level as u8)).or_insert(0) += 1;
            *hosts.entry(row.host).or_insert(0) += 1;
            *patterns.entry(row.pattern).or_insert(0) += 1;
        }
        let told = counts.components().flat_map(|lines| lines.cells.map(move |at| (lines.component, counts.cell(at))));
        let told: Vec<_> = told.map(|(component, cell)| ((component, cell.from.as_nanos(), cell.level as u8), cell.lines)).collect();
        prop_assert_eq!(told, cells.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(counts.hosts().collect::<Vec<_>>(), hosts.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(counts.patterns().collect::<Vec<_>>(), patterns.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_summary_counts_what_its_blocks_count(rows in any_rows(), minutes in prop::collection::vec(-3_i64..4_000, 200), block_rows in 1_usize..90) {
        let rows: Vec<Row> = (0..).zip(rows).zip(minutes).map(|((arrival, row), minute)| Row { arrival, ts: row.ts.plus_nanos(minute * SLOT_NANOS), ..row }).collect();
        let blocks = summed_up(&file_of(rows.chunks(block_rows).map(<[Row]>::to_vec)));
        let sums = blocks.sums().unwrap();
        let summary = sums.summary().unwrap().0;
        prop_assert_eq!(cells(summary.all()), cells_of(&rows, 1, true));
        for (counts, width) in summary.by_component().iter().zip([1, 10, 60]) {
            prop_assert_eq!(counts.slot_nanos(), width * SLOT_NANOS);
            prop_assert_eq!(cells(counts), cells_of(&rows, width, false));
        }
        let mut kinds = BTreeMap::new();
        for row in &rows {
            *kinds.entry((row.component, row.level as u8, row.host, row.pattern)).or_insert(0) += 1;
        }
        let told = summary.kinds(true, true).unwrap().map(|kind| ((kind.component, kind.level as u8, kind.host, kind.pattern), kind.lines));
        prop_assert_eq!(told.collect::<Vec<_>>(), kinds.into_iter().collect::<Vec<_>>());
        for (told, of) in [(summary.all().hosts().collect::<Vec<_>>(), (|row| row.host) as fn(&Row) -> u16), (summary.all().patterns().collect(), |row| row.pattern)] {
            let mut counts = BTreeMap::new();
            for row in &rows {
                *counts.entry(of(row)).or_insert(0) += 1;
            }
            prop_assert_eq!(told, counts.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_cut_or_changed_block_is_noticed(rows in any_rows(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>()) {
        let Encoded { meta, bytes, .. } = encode(rows, 0..9, &NewNames::default());
        prop_assert!(find(&bytes[..cut.index(bytes.len())], 0).is_none());
        let mut changed = bytes.clone();
        changed[flip.index(bytes.len())] ^= 0x10;
        let holds = find(&changed, 0).is_some_and(|found| found.meta == meta && in_file(&changed, found).holds());
        prop_assert!(!holds);
    }
}

#[test]
fn a_block_whose_columns_and_text_are_damaged_has_its_lines_all_the_same() {
    let rows: Vec<Row> = (5..9).map(|arrival| Row { arrival, ..Row::default() }).collect();
    let mut bytes = encode(rows, 7..99, &NewNames::default()).bytes;
    *bytes.last_mut().unwrap() ^= 1;
    let block = in_file(&bytes, find(&bytes, 0).unwrap());
    let columns = block.columns(Vec::new);
    assert_eq!((columns.len(), columns.row(3).pos, columns.row(3).len), (4, 7, 0));
}

#[test]
fn kinds_are_listed_in_as_much_detail_as_there_is_room_for() {
    let row =
        |at: u32| Row { arrival: at, host: (at % 300) as u16, pattern: (at / 300) as u16, ..Row::default() };
    let check = |lines: u32, expected: [Option<usize>; 3]| {
        let rows: Vec<Row> = (0..lines).map(row).collect();
        let blocks = summed_up(&file_of(rows.chunks(5_000).map(<[Row]>::to_vec)));
        let sums = blocks.sums().unwrap();
        let summary = sums.summary().unwrap().0;
        let told = [(false, true), (true, false), (true, true)];
        let counts = told.map(|(by_host, by_pattern)| {
            let kinds: Vec<Kind> = summary.kinds(by_host, by_pattern)?.collect();
            assert_eq!(kinds.iter().map(|kind| kind.lines).sum::<u64>(), u64::from(lines));
            Some(kinds.len())
        });
        assert_eq!((blocks.rows(), counts), (lines, expected));
    };
    check(60_000, [Some(200), Some(300), Some(60_000)]);
    check(66_000, [Some(220), Some(300), None]);
}

/// A column of equal numbers takes no room however many they are, so that no length of a file refutes a number.
#[test]
fn a_summary_is_not_taken_at_its_word() {
    let rows = vec![Row::default()];
    let blocks = file_of(std::iter::once(rows));
    let summary = summarize(&blocks, 8, &[vec![""], vec![""], vec![""]]).unwrap();
    let check = |at: usize, number: u32| {
        let mut file = [&blocks[..], &summary].concat();
        let (start, tail) = (file.len() - summary.len(), file.len() - 12);
        file[start + at..start + at + 4].copy_from_slice(&number.to_le_bytes());
        let crc = crc32fast::hash(&file[start..tail]);
        file[tail + 4..tail + 8].copy_from_slice(&crc.to_le_bytes());
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(path.path(), &file).unwrap();
        BlockList::in_file(Reading::Mapped.whole(path.path()).unwrap(), 8).is_some()
    };
    assert!(check(4, 1), "as it was written");
    for at in [4, 8, 12, 16, 20, 24, 28, 32, 36] {
        assert!(!check(at, 1 << 31), "the number at {at}");
    }
}

/// As many cells as lines: more than there is room for in slots of a minute.
#[test]
fn a_summary_of_very_many_cells_has_wider_slots_and_is_made_in_bounded_memory() {
    const COMPONENTS: u32 = 20_000;
    let row = |at: u32| Row {
        arrival: at,
        component: (at * 7 % COMPONENTS) as u16,
        ts: Timestamp::from_nanos(i64::from(at / COMPONENTS) * SLOT_NANOS),
        ..Row::default()
    };
    let check = |lines: u32, expected: [i64; 3]| {
        let rows: Vec<Row> = (0..lines).map(row).collect();
        let file = file_of(rows.chunks(50_000).map(<[Row]>::to_vec));
        allocations::begin();
        let len = summarize(&file, 8, &[vec![], vec![], vec![]]).unwrap().len();
        // A list that grows has at most twice the room it needs.
        let bound = 2 * 16 * (all_tally::MAX_CELLS + 50_000);
        assert!(allocations::most_bytes() <= bound, "{} for {len} bytes", allocations::most_bytes());
        let blocks = summed_up(&file);
        let sums = blocks.sums().unwrap();
        let summary = sums.summary().unwrap().0;
        assert_eq!(cells(summary.all()), cells_of(&rows, 1, true));
        for (counts, width) in summary.by_component().iter().zip(expected) {
            assert_eq!(counts.slot_nanos(), width * SLOT_NANOS);
            assert!(cells(counts) == cells_of(&rows, width, false), "{width} minutes");
        }
    };
    check(52 * COMPONENTS, [1, 10, 60]);
    check(100 * COMPONENTS, [10, 60, 1_440]);
}

use super::*;
use crate::store::logs::rows::LATE_NANOS;

const NOON: Timestamp = Timestamp::from_secs(1_764_979_200);

fn append(store: &LogStore, offsets_secs: &[i64]) {
    let mut batch = LineBatch::default();
    for secs in offsets_secs {
        let ts = NOON.plus_nanos(secs * 1_000_000_000);
        let line = format!(r#"{{"ts":"{ts}","component":"shop","msg":"order {secs} took {secs} ms"}}"#);
        batch.push_line(line.as_bytes()).unwrap();
    }
    futures::executor::block_on(store.append(batch, Durability::Acknowledged)).unwrap();
}

/// Each line in order of arrival: seconds after noon, whether it is late, its pattern.
fn lines(store: &LogStore) -> Vec<(i64, bool, String)> {
    let snapshot = store.snapshot(TimeRange::all()).unwrap();
    let mut lines = Vec::new();
    for view in snapshot.days.iter().flat_map(|(_, views)| views) {
        let mut rows = Vec::new();
        for block in view.published.blocks.iter() {
            let columns = view.segment.columns(block, &view.published);
            rows.extend((0..columns.len()).map(|row| columns.row(row)));
        }
        rows.sort_by_key(|row| row.arrival);
        let line = |row: &block::Row| {
            let pattern = view.published.patterns[usize::from(row.pattern)].to_string();
            (row.ts.nanos_since(NOON) / 1_000_000_000, row.is_late, pattern)
        };
        lines.extend(rows.iter().map(line));
    }
    lines
}

fn late(store: &LogStore) -> Vec<i64> {
    lines(store).iter().filter(|(_, is_late, _)| *is_late).map(|(secs, _, _)| *secs).collect()
}

fn indexes(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir.join(NOON.day().to_string())).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|kind| kind == "idx")).collect()
}

#[test]
fn late_lines_are_marked_and_stay_so_through_restarts_and_rebuilds() {
    let dir = tempfile::tempdir().unwrap();
    let minute = LATE_NANOS / 1_000_000_000;
    let store = LogStore::open(dir.path()).unwrap();
    append(&store, &[0, minute, 0, minute + 1, 0]);
    assert_eq!(late(&store), [0], "only the last is more than a minute behind");
    append(&store, &[2 * minute, minute + 5, 30]);
    drop(store);
    let store = LogStore::open(dir.path()).unwrap();
    append(&store, &[minute - 1, 2 * minute, minute]);
    assert_eq!(late(&store), [0, 30, minute - 1], "a new segment goes on where the day's earlier ones stand");
    let expected = lines(&store);
    drop(store);
    assert_eq!(lines(&LogStore::open(dir.path()).unwrap()), expected);
    for index in indexes(dir.path()) {
        std::fs::remove_file(index).unwrap();
    }
    assert_eq!(lines(&LogStore::open(dir.path()).unwrap()), expected, "indexes made anew from the text");
    for index in indexes(dir.path()) {
        let mut bytes = std::fs::read(&index).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&index, bytes).unwrap();
    }
    assert_eq!(lines(&LogStore::open(dir.path()).unwrap()), expected, "columns made anew from the text");
}

#[test]
fn lines_of_one_pattern_share_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let store = LogStore::open(dir.path()).unwrap();
    append(&store, &[1, 20, 300]);
    let patterns: Vec<String> = lines(&store).into_iter().map(|(_, _, pattern)| pattern).collect();
    assert!(patterns[0].starts_with("order ") && !patterns[0].contains('1'), "{}", patterns[0]);
    assert!(patterns.iter().all(|pattern| *pattern == patterns[0]), "{patterns:?}");
    let counts =
        store.snapshot(TimeRange::all()).unwrap().days[0].1[0].published.blocks[0].meta().patterns.clone();
    assert_eq!(counts, [(0, 3)]);
}

#[test]
fn a_text_beyond_four_gib_is_refused_and_not_misread() {
    let dir = tempfile::tempdir().unwrap();
    let day = dir.path().join(NOON.day().to_string());
    std::fs::create_dir(&day).unwrap();
    let text = std::fs::File::create(day.join("logs-0001.ndjson")).unwrap();
    text.set_len(1 << 32).unwrap();
    let error = LogStore::open(dir.path()).unwrap().snapshot(TimeRange::all()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

//! Whole segments: late lines, patterns, sealing.

mod changed;
mod deleting;
mod disk;
mod failing_disk;
mod power_loss;
mod sender;
mod unread;

use super::text::TextReader;
use super::*;
use crate::store::logs::rows::LATE_NANOS;
pub(super) use unread::Gate;

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
        for block in view.blocks() {
            let columns = view.segment.columns(&block, &view.published);
            rows.extend((0..columns.len()).map(|row| columns.row(row)));
        }
        rows.sort_by_key(|row| row.arrival);
        let line = |row: &block::Row| {
            let pattern = view.published.patterns.get(usize::from(row.pattern)).unwrap().to_owned();
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

/// Segments of an earlier version have no head, and go on where the day's earlier ones stand.
#[test]
fn late_lines_are_marked_alike_in_a_segment_without_a_head() {
    let dir = tempfile::tempdir().unwrap();
    for offsets in [[0, 600], [100, 590]] {
        append(&LogStore::open_as(dir.path(), false).unwrap(), &offsets);
    }
    assert_eq!(late(&LogStore::open_as(dir.path(), false).unwrap()), [100]);
    let commits = day_file(dir.path(), "logs-0002.commits");
    let (with_head, head_bytes) = (std::fs::read(&commits).unwrap(), commits::RECORD_BYTES);
    assert_eq!(with_head.len(), 2 * head_bytes, "a head and a record");
    std::fs::write(&commits, &with_head[head_bytes..]).unwrap();
    for index in indexes(dir.path()) {
        std::fs::remove_file(index).unwrap();
    }
    let store = LogStore::open_as(dir.path(), false).unwrap();
    assert_eq!((late(&store), lines(&store).len()), (vec![100], 4));
}

#[test]
fn lines_of_one_pattern_share_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let store = LogStore::open(dir.path()).unwrap();
    append(&store, &[1, 20, 300]);
    let patterns: Vec<String> = lines(&store).into_iter().map(|(_, _, pattern)| pattern).collect();
    assert!(patterns[0].starts_with("order ") && !patterns[0].contains('1'), "{}", patterns[0]);
    assert!(patterns.iter().all(|pattern| *pattern == patterns[0]), "{patterns:?}");
    let view = store.snapshot(TimeRange::all()).unwrap().days[0].1[0].clone();
    assert_eq!(view.block(0).counts().patterns().collect::<Vec<_>>(), [(0, 3)]);
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

#[test]
fn a_line_that_no_sender_may_send_is_sealed_where_it_was_copied_in() {
    let dir = tempfile::tempdir().unwrap();
    let day = dir.path().join(NOON.day().to_string());
    std::fs::create_dir(&day).unwrap();
    let line = format!("{{\"ts\":\"{NOON}\",\"msg\":\"{}\"}}\n", "x".repeat(3 << 20));
    std::fs::write(day.join("logs-0001.ndjson"), &line).unwrap();
    sealed_now(dir.path());
    let found = whole(&LogStore::open(dir.path()).unwrap()).unwrap();
    assert!(found.len() == 1 && found[0].2 == line.as_bytes());
}

/// The text goes when it is sealed, so it is not sealed by an index that is not its own, whatever checksums say.
#[test]
fn an_index_of_another_text_does_not_seal_this_one() {
    let text = "{\"ts\":1764979200,\"msg\":\"a\"}\n".repeat(2);
    let len = text.len() as u32 / 2 - 1;
    let check_at = |times: [Timestamp; 2], places: &[(u32, u32)], may_seal: bool| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(NOON.day().to_string())).unwrap();
        let row = |(arrival, (pos, len)): (u32, &(u32, u32))| block::Row {
            ts: times[arrival as usize],
            arrival,
            pos: *pos,
            len: *len,
            ..block::Row::default()
        };
        let names = [["unknown"], [""], ["a"]].map(|names| names.map(str::to_owned).to_vec());
        let [components, hosts, patterns] = names;
        let names = block::NewNames { components, hosts, patterns };
        let rows = (0..).zip(places).map(row).collect();
        let index = block::encode(rows, 0..text.len() as u64, &names).bytes;
        std::fs::write(day_file(dir.path(), "logs-0001.ndjson"), &text).unwrap();
        let index = [&segment::INDEX_MAGIC[..], &index].concat();
        std::fs::write(day_file(dir.path(), "logs-0001.idx"), index).unwrap();
        let outcome = LogStore::open_as(dir.path(), false).unwrap().seal_finished();
        assert_eq!(outcome.is_ok(), may_seal, "{places:?}: {outcome:?}");
        assert_eq!(day_file(dir.path(), "logs-0001.ndjson").exists(), !may_seal, "{places:?}");
    };
    let check = |places: &[(u32, u32)], may_seal: bool| check_at([NOON; 2], places, may_seal);
    check_at([Timestamp::from_secs(0), NOON], &[(0, len), (len + 1, len)], false);
    check(&[(0, len), (len + 1, len)], true);
    check(&[(0, len), (0, len)], false);
    check(&[(0, len - 1), (len, len + 1)], false);
    check(&[(0, len), (len + 1, len - 1)], false);
    check(&[(0, 0), (1, 2 * len)], false);
    check(&[(0, 2 * len + 1)], false);
}

/// A text that was copied into a day's folder may hold anything.
#[test]
fn lines_of_other_years_in_a_text_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let day = dir.path().join(NOON.day().to_string());
    std::fs::create_dir(&day).unwrap();
    let line = |ts: &str| format!("{{\"ts\":\"{ts}\",\"msg\":\"x\"}}\n");
    let noon = NOON.plus_nanos(1).to_string();
    let text = [line("1985-12-06T12:00:00.000000001Z"), line(&noon), line("2255-12-06T12:00:00.000000002Z")];
    std::fs::write(day.join("logs-0001.ndjson"), text.concat()).unwrap();
    let store = LogStore::open(dir.path()).unwrap();
    let found: Vec<String> =
        whole(&store).unwrap().into_iter().map(|(_, _, text)| String::from_utf8(text).unwrap()).collect();
    assert_eq!(found, text);
    let start = NOON.day().start();
    let times: Vec<Timestamp> = whole(&store).unwrap().iter().map(|(row, ..)| row.ts).collect();
    assert_eq!(times, [start, NOON.plus_nanos(1), start]);
}

const COMPONENTS: [&str; 4] = ["shop", "shop.cart", "db", "mail"];

/// Lines of several components, some long, in no order of time, over one segment.
fn append_mixed(store: &LogStore, lines: usize) {
    let mut batch = LineBatch::default();
    for number in 0..lines {
        let (component, pad) = (COMPONENTS[number * 7 % 5 % 4], "x".repeat(number % 900));
        let level = if number % 11 == 0 { "error" } else { "info" };
        let ts = NOON.plus_nanos((number as i64 * 7_919) % 4_000 * 1_000_000_000);
        let line = format!(
            r#"{{"ts":"{ts}","component":"{component}","host":"n{}","level":"{level}","msg":"{number} {pad}"}}"#,
            number % 3
        );
        batch.push_line(line.as_bytes()).unwrap();
    }
    futures::executor::block_on(store.append(batch, Durability::Acknowledged)).unwrap();
}

/// All lines by arrival, with what the index says of them: the row without its place, and the text.
fn whole(store: &LogStore) -> Result<Vec<(block::Row, String, Vec<u8>)>, StoreError> {
    let snapshot = store.snapshot(TimeRange::all())?;
    let views = snapshot.days.iter().flat_map(|(_, views)| views);
    Ok(views.map(whole_of).collect::<Result<Vec<_>, _>>()?.concat())
}

/// The same of one segment.
fn whole_of(view: &SegmentView) -> Result<Vec<(block::Row, String, Vec<u8>)>, StoreError> {
    let (mut reader, mut lines) = (TextReader::default(), Vec::new());
    for block in view.blocks() {
        let columns = view.segment.columns(&block, &view.published);
        for row in (0..columns.len()).map(|row| columns.row(row)) {
            let text = reader.line(&view.segment, &row)?.to_vec();
            let [component, host, pattern] = [row.component, row.host, row.pattern].map(usize::from);
            let published = &view.published;
            let names = [
                published.components.get(component).unwrap(),
                published.hosts.get(host).unwrap(),
                published.patterns.get(pattern).unwrap(),
            ];
            let names = names.join(" ");
            // Places and numbers of names are each form's own.
            let row = block::Row { pos: 0, component: 0, host: 0, pattern: 0, ..row };
            lines.push((row, names, text));
        }
    }
    lines.sort_by_key(|(row, _, _)| row.arrival);
    Ok(lines)
}

fn day_file(dir: &Path, name: &str) -> PathBuf {
    dir.join(NOON.day().to_string()).join(name)
}

/// A folder with one finished segment, and its lines.
fn finished(lines: usize) -> (tempfile::TempDir, Vec<(block::Row, String, Vec<u8>)>) {
    let dir = tempfile::tempdir().unwrap();
    let store = LogStore::open_as(dir.path(), false).unwrap();
    append_mixed(&store, lines);
    let expected = whole(&store).unwrap();
    drop(store);
    (dir, expected)
}

fn sealed_now(dir: &Path) {
    let store = LogStore::open_as(dir, false).unwrap();
    store.seal_finished().unwrap();
    let snapshot = store.snapshot(TimeRange::all()).unwrap();
    assert!(snapshot.days[0].1.iter().all(|view| view.segment.is_sealed()));
}

#[test]
fn sealed_lines_are_the_same_lines_in_the_same_order() {
    let (dir, expected) = finished(20_000);
    let store = LogStore::open_as(dir.path(), false).unwrap();
    let before = store.snapshot(TimeRange::all()).unwrap();
    store.seal_finished().unwrap();
    assert!(!before.days[0].1[0].segment.is_sealed(), "a query under way keeps what it has");
    assert!(whole(&store).unwrap() == expected, "in the running store");
    drop(store);
    assert!(
        !day_file(dir.path(), "logs-0001.ndjson").exists()
            && !day_file(dir.path(), "logs-0001.commits").exists()
    );
    assert!(whole(&LogStore::open_as(dir.path(), false).unwrap()).unwrap() == expected, "after a restart");
    std::fs::remove_file(day_file(dir.path(), "logs-0001.idx")).unwrap();
    assert!(
        whole(&LogStore::open_as(dir.path(), false).unwrap()).unwrap() == expected,
        "with an index made anew"
    );
    let index = day_file(dir.path(), "logs-0001.idx");
    let mut bytes = std::fs::read(&index).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&index, bytes).unwrap();
    assert!(
        whole(&LogStore::open_as(dir.path(), false).unwrap()).unwrap() == expected,
        "with columns made anew"
    );
}

#[test]
fn a_sealed_file_is_plain_zstd_with_each_component_and_errors_together() {
    let (dir, expected) = finished(3_000);
    sealed_now(dir.path());
    let file = std::fs::File::open(day_file(dir.path(), "logs-0001.ndjson.zst")).unwrap();
    let text = zstd::stream::decode_all(file).unwrap();
    let mut lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    let component = |line: &&[u8]| {
        let text = String::from_utf8_lossy(line).into_owned();
        text.split("\"component\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let is_error = |line: &&[u8]| fields::read(line).unwrap().level >= sonde_shared::log::Level::Error;
    let groups: Vec<_> =
        lines.chunk_by(|a, b| (is_error(a), component(a)) == (is_error(b), component(b))).collect();
    assert!(groups.is_sorted_by_key(|group| is_error(&group[0])), "errors lie behind all others");
    let of_level = |errors| groups.iter().filter(|group| is_error(&group[0]) == errors).count();
    assert_eq!([of_level(false), of_level(true)], [COMPONENTS.len(); 2]);
    lines.sort_unstable();
    let mut stored: Vec<&[u8]> = expected.iter().map(|(_, _, text)| text.as_slice()).collect();
    stored.sort_unstable();
    assert!(lines == stored);
}

/// Whatever a crash leaves between two steps of sealing, each line is there once.
#[test]
fn an_interrupted_seal_loses_and_doubles_nothing() {
    let (dir, expected) = finished(2_000);
    let kept = tempfile::tempdir().unwrap();
    let names = ["logs-0001.ndjson", "logs-0001.commits", "logs-0001.idx"];
    for name in names {
        std::fs::copy(day_file(dir.path(), name), kept.path().join(name)).unwrap();
    }
    sealed_now(dir.path());
    let restore = |names: &[&str]| {
        for name in names {
            std::fs::copy(kept.path().join(name), day_file(dir.path(), name)).unwrap();
        }
    };
    for left in [&names[..], &names[..2], &names[2..], &names[1..2]] {
        restore(left);
        assert!(
            whole(&LogStore::open_as(dir.path(), false).unwrap()).unwrap() == expected,
            "with {left:?} still there"
        );
        sealed_now(dir.path());
        assert!(!day_file(dir.path(), names[0]).exists(), "what a crash left is taken away");
    }
    restore(&names[..2]);
    let sealed = std::fs::read(day_file(dir.path(), "logs-0001.ndjson.zst")).unwrap();
    std::fs::remove_file(day_file(dir.path(), "logs-0001.ndjson.zst")).unwrap();
    std::fs::write(day_file(dir.path(), "logs-0001.ndjson.zst"), &sealed[..sealed.len() - 1]).unwrap();
    assert!(
        whole(&LogStore::open_as(dir.path(), false).unwrap()).unwrap() == expected,
        "with a torn sealed file beside the text"
    );
    restore(&names);
    std::fs::remove_file(day_file(dir.path(), "logs-0001.ndjson.zst")).unwrap();
    std::fs::write(day_file(dir.path(), "logs-0001.ndjson.tmp"), &sealed[..sealed.len() / 2]).unwrap();
    sealed_now(dir.path());
    assert!(
        whole(&LogStore::open_as(dir.path(), false).unwrap()).unwrap() == expected,
        "with half a file beside it"
    );
}

#[test]
fn a_damaged_sealed_file_gives_right_lines_or_an_error() {
    let (dir, expected) = finished(1_500);
    sealed_now(dir.path());
    let path = day_file(dir.path(), "logs-0001.ndjson.zst");
    let sealed = std::fs::read(&path).unwrap();
    let texts: std::collections::HashSet<&[u8]> =
        expected.iter().map(|(_, _, text)| text.as_slice()).collect();
    let check = |bytes: &[u8], what: &str| {
        // A file that a store maps is never written to: the damaged one takes its name.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
        match LogStore::open(dir.path()).and_then(|store| whole(&store)) {
            Ok(lines) => assert!(lines.iter().all(|(_, _, text)| texts.contains(text.as_slice())), "{what}"),
            Err(error) => assert!(matches!(error, StoreError::Damaged { .. }), "{what}: {error}"),
        }
    };
    let step = sealed.len() / 60 + 1;
    for at in (0..sealed.len()).step_by(step).chain(sealed.len() - 30..sealed.len()) {
        check(&sealed[..at], &format!("cut at {at}"));
        let mut flipped = sealed.clone();
        flipped[at] ^= 0x10;
        check(&flipped, &format!("flipped at {at}"));
    }
}

#[test]
fn a_segment_of_a_deleted_folder_is_never_sealed_into_the_one_made_after_it() {
    let dir = tempfile::tempdir().unwrap();
    drop({
        let store = LogStore::open_as(dir.path(), false).unwrap();
        append(&store, &[1, 2, 3]);
        store
    });
    let store = LogStore::open_as(dir.path(), false).unwrap();
    let stale = store.snapshot(TimeRange::all()).unwrap().days[0].1[0].segment.clone();
    assert!(stale.is_finished());
    append(&store, &[4]);
    std::fs::remove_dir_all(dir.path().join(NOON.day().to_string())).unwrap();
    // The first request finds the folder gone, the next one makes it again: its first segment has the old one's number.
    let mut batch = LineBatch::default();
    batch.push_line(format!(r#"{{"ts":"{NOON}","msg":"refused"}}"#).as_bytes()).unwrap();
    futures::executor::block_on(store.append(batch, Durability::Acknowledged)).unwrap_err();
    append(&store, &[7, 8]);
    let expected = lines(&store);
    let sealer = sealer::Sealer::new(store.shared.clone(), Arc::default());
    sealer.seal(&stale).unwrap();
    append(&store, &[9]);
    assert_eq!((lines(&store).len(), &lines(&store)[..2]), (3, &expected[..]));
    drop(store);
    assert_eq!(lines(&LogStore::open_as(dir.path(), false).unwrap())[..2], expected[..]);
    let files = std::fs::read_dir(dir.path().join(NOON.day().to_string())).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.contains("zst") && !name.contains("tmp")));
}

#[test]
fn a_folder_that_is_another_one_once_its_segment_is_ready_to_be_sealed_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = LogStore::open_as(dir.path(), false).unwrap();
    append(&store, &[1, 2, 3]);
    drop(store);
    let store = LogStore::open_as(dir.path(), false).unwrap();
    let segment = store.snapshot(TimeRange::all()).unwrap().days[0].1[0].segment.clone();
    let day = dir.path().join(NOON.day().to_string());
    let cell = store.shared.cell(NOON.day()).unwrap();
    // The sealed form is ready and waits for the day's lock.
    let opened = cell.lock();
    std::thread::scope(|scope| {
        let sealer = sealer::Sealer::new(store.shared.clone(), Arc::default());
        let sealing = scope.spawn(move || sealer.seal(&segment));
        while !sealed::is_whole(&day.join("logs-0001.ndjson.tmp")) {
            assert!(!sealing.is_finished(), "it waits for the lock");
            std::thread::yield_now();
        }
        // Another folder comes in its place, with a text of the same number.
        let next = dir.path().join("next");
        std::fs::create_dir(&next).unwrap();
        std::fs::write(next.join("logs-0001.ndjson"), "another text").unwrap();
        std::fs::copy(day.join("logs-0001.ndjson.tmp"), next.join("logs-0001.ndjson.tmp")).unwrap();
        std::fs::rename(&day, dir.path().join("aside")).unwrap();
        std::fs::rename(&next, &day).unwrap();
        drop(opened);
        sealing.join().unwrap().unwrap();
    });
    assert!(!day.join("logs-0001.ndjson.zst").exists(), "no sealed form takes the place of the other text");
    assert_eq!(std::fs::read_to_string(day.join("logs-0001.ndjson")).unwrap(), "another text");
}

//! What is served of foreign files equals a plain read of them, whatever is done to them.

mod away;

use super::follow::Follower;
use crate::store::logs::block::Row;
use crate::store::logs::text::TextReader;
use crate::store::logs::{LogStore, SegmentView, Snapshot};
use crate::store::{Store, StoreError, layout};
use proptest::prelude::*;
use sonde_shared::time::{Day, TimeRange};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// A data folder, a folder of foreign files, and a follower that takes its steps when it is told to.
struct World {
    dir: tempfile::TempDir,
    store: Option<(LogStore, Follower)>,
    stretch_bytes: u64,
}

impl World {
    fn new() -> Self {
        Self::with_stretches_of(super::file::STRETCH_BYTES)
    }

    fn with_stretches_of(stretch_bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("foreign")).unwrap();
        fs::create_dir(dir.path().join("data")).unwrap();
        let mut this = Self { dir, store: None, stretch_bytes };
        this.open();
        this
    }

    fn open(&mut self) {
        let data = self.dir.path().join("data");
        let logs = LogStore::open(&data).unwrap();
        let folder = layout::foreign_dir(&data);
        crate::store::files::create_dir(&folder).unwrap();
        let dirs = vec![self.dir.path().join("foreign")];
        let follower = Follower::new(logs.shared.clone(), dirs, folder, Arc::new(AtomicBool::new(false)));
        self.store = Some((logs, follower.with_stretches_of(self.stretch_bytes)));
        self.look();
    }

    /// As a stop does, or `kill -9`, and a start.
    fn restart(&mut self, is_clean: bool) {
        let (logs, mut follower) = self.store.take().unwrap();
        if is_clean {
            follower.write_down_all();
        }
        drop((logs, follower));
        self.open();
    }

    fn logs(&self) -> &LogStore {
        &self.store.as_ref().unwrap().0
    }

    fn look(&mut self) {
        self.store.as_mut().unwrap().1.look();
    }

    /// Looks and reads until there is nothing more, as often as it takes to believe that a file is gone.
    fn follow(&mut self) {
        for _ in 0..3 {
            self.look();
            while self.store.as_mut().unwrap().1.read() {
                self.look();
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("foreign").join(name)
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = File::options().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    fn snapshot(&self) -> Snapshot {
        self.logs().snapshot(TimeRange::all()).unwrap()
    }

    /// All lines with their ids, by time and then as their ids are.
    fn served(&self) -> Vec<(String, String)> {
        read(&self.snapshot()).unwrap()
    }

    fn texts(&self) -> Vec<String> {
        self.served().into_iter().map(|(_, line)| line).collect()
    }

    #[track_caller]
    fn check(&mut self) {
        self.follow();
        let mut served = self.texts();
        let mut expected = self.expected();
        served.sort_unstable();
        expected.sort_unstable();
        assert_eq!(served, expected);
    }

    /// The good whole lines of all files, read plainly.
    fn expected(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in fs::read_dir(self.dir.path().join("foreign")).unwrap() {
            let entry = entry.unwrap();
            if !super::names::is_served(entry.file_name().to_str().unwrap()) {
                continue;
            }
            let text = fs::read(entry.path()).unwrap();
            let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            for line in text[..whole].split_inclusive(|b| *b == b'\n') {
                let line = &line[..line.len() - 1];
                if matches!(super::lines::read(line), Ok(Some(_))) {
                    lines.push(String::from_utf8(line.to_vec()).unwrap());
                }
            }
        }
        lines
    }

    fn counter(&self, of: impl Fn(&super::ForeignCounters) -> &std::sync::atomic::AtomicU64) -> u64 {
        of(self.logs().foreign()).load(Ordering::Relaxed)
    }
}

/// Neighbouring lines are copied at once as they are read one by one.
fn check_copies(view: &SegmentView) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for block in view.blocks() {
        let columns = view.segment.columns(&block, &view.published);
        rows.extend((0..columns.len()).map(|row| columns.row(row)));
    }
    rows.sort_unstable_by_key(|row| row.pos);
    let end = |row: &Row| row.pos as usize + row.len as usize + 1;
    for run in rows.chunk_by(|before, row| end(before) == row.pos as usize) {
        let (mut reader, mut alone, mut at_once) = (TextReader::default(), Vec::new(), Vec::new());
        for row in run {
            alone.extend_from_slice(reader.line(&view.segment, row)?);
        }
        let range = run[0].pos as usize..run.last().map_or(0, end);
        TextReader::default().copy(&view.segment, range, &mut at_once)?;
        assert_eq!(alone, at_once);
    }
    Ok(())
}

/// All lines of a snapshot: by time, segment and row.
fn read(snapshot: &Snapshot) -> Result<Vec<(String, String)>, StoreError> {
    let mut reader = TextReader::default();
    let mut lines = Vec::new();
    for (day, views) in &snapshot.days {
        for view in views {
            let number = view.segment.number();
            check_copies(view)?;
            assert_eq!(view.published.rows, view.published.blocks.rows());
            for block in view.blocks() {
                let columns = view.segment.columns(&block, &view.published);
                for row in (0..columns.len()).map(|row| columns.row(row)) {
                    assert_eq!(row.ts.day(), *day);
                    let line = reader.line(&view.segment, &row)?;
                    let text = String::from_utf8(line[..line.len() - 1].to_vec()).unwrap();
                    lines.push((
                        (row.ts, number, row.arrival),
                        (format!("{day}~{number}~{}", row.arrival), text),
                    ));
                }
            }
        }
    }
    lines.sort_unstable_by_key(|(key, _)| *key);
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// A line around a midnight.
fn line(number: u32) -> String {
    let secs = 1_764_979_190 + i64::from(number * 7 % 23);
    format!(r#"{{"ts":{secs},"component":"shop.c{}","msg":"line {number}"}}"#, number % 3) + "\n"
}

#[test]
fn lines_of_a_growing_file_are_served_each_on_its_own_day() {
    let mut world = World::new();
    world.append("2031-01-01.ndjson", line(1) + &line(2));
    world.check();
    world.append("2031-01-01.ndjson", line(3) + "no line\n\n" + &line(4) + &line(5)[..20]);
    world.check();
    world.append("2031-01-01.ndjson", &line(5)[20..]);
    world.check();
    assert_eq!((world.texts().len(), world.counter(|c| &c.bad_lines)), (5, 1));
    let days: Vec<Day> = world.snapshot().days.iter().map(|(day, _)| *day).collect();
    assert_eq!(days, ["2025-12-05", "2025-12-06"].map(|day| Day::parse(day).unwrap()));
}

#[test]
fn a_restart_reads_what_is_new_and_no_more_and_ids_stay() {
    for is_clean in [false, true] {
        let mut world = World::with_stretches_of(1 << 20);
        let mut number = 0;
        let mut more = |count: u32| {
            number += count;
            (number - count..number).map(line).collect::<String>()
        };
        world.append("a.ndjson", more(50_000));
        world.append("b.log", more(20_000));
        world.check();
        let before = world.served();
        world.restart(is_clean);
        assert!(!world.texts().is_empty(), "what is in the index is there at once");
        world.follow();
        assert_eq!(world.served(), before);
        let again = world.counter(|c| &c.read_lines);
        assert!(again < if is_clean { 2_000 } else { 70_000 }, "{again} lines were read again");
        world.append("a.ndjson", more(3));
        world.check();
        assert_eq!(world.counter(|c| &c.read_lines), again + 3);
        assert_eq!(world.counter(|c| &c.lines), 70_003);
    }
}

#[test]
fn a_file_that_is_cut_short_fails_what_reads_it_and_is_read_anew() {
    let mut world = World::new();
    world.append("a.ndjson", (0..3_000).map(line).collect::<String>());
    world.check();
    let before = world.snapshot();
    let file = File::options().write(true).open(world.path("a.ndjson")).unwrap();
    file.set_len(100_000).unwrap();
    assert!(read(&before).is_err());
    world.check();
    file.set_len(0).unwrap();
    world.check();
    assert_eq!(world.texts().len(), 0);
    world.append("a.ndjson", (7_000..7_005).map(line).collect::<String>());
    world.check();
    assert!(read(&before).is_err());
}

#[test]
fn other_content_of_the_same_size_is_never_served_as_the_old() {
    let mut world = World::new();
    let text: String = (0..30_000).map(line).collect();
    world.append("a.ndjson", &text);
    world.check();
    let before = world.snapshot();
    let other = text.replace("line 15", "LINE 15");
    let at = text.find("line 15000").unwrap() as u64;
    // In the middle, where neither the first nor the last frame tells.
    let file = File::options().write(true).open(world.path("a.ndjson")).unwrap();
    file.write_all_at(&other.as_bytes()[at as usize..at as usize + 9], at).unwrap();
    assert!(read(&before).is_err());
    world.check();
    assert!(world.texts().iter().any(|line| line.contains("LINE 15000")));
}

#[test]
fn what_was_written_anew_is_noticed_though_nobody_reads_it() {
    let text: String = (0..30_000).map(line).collect();
    let check = |change: &dyn Fn(&World)| {
        let mut world = World::new();
        world.append("a.ndjson", &text);
        world.check();
        change(&world);
        // Long ago, so that no doubt about its time makes the file be read again.
        let file = File::options().write(true).open(world.path("a.ndjson")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(400_000)).unwrap();
        world.check();
        assert_eq!(world.counter(|c| &c.changed_files), 1);
    };
    // As long as before, and other in the middle.
    let place = text.find("line 15000").unwrap() as u64;
    check(&|world| {
        let file = File::options().write(true).open(world.path("a.ndjson")).unwrap();
        file.write_all_at(b"LINE", place).unwrap();
    });
    // Longer, and with the same first line.
    let longer: String = std::iter::once(0).chain(50_000..90_000).map(line).collect();
    check(&|world| fs::write(world.path("a.ndjson"), &longer).unwrap());
    // Longer, and other only near the start.
    let near_start = text.replacen("line 2", "LINE 2", 1) + &line(30_000);
    check(&|world| fs::write(world.path("a.ndjson"), &near_start).unwrap());
    // Longer, and other only at what was the end.
    let (start, end) = text.split_at(text.len() - 3_000);
    let other = start.to_owned() + &end.replace("line", "LINE") + &line(30_000);
    check(&|world| fs::write(world.path("a.ndjson"), &other).unwrap());
}

#[test]
fn a_change_that_has_the_time_of_the_one_before_is_noticed() {
    let try_once = || {
        let mut world = World::new();
        world.append("a.ndjson", line(1) + &line(2));
        world.look();
        world.store.as_mut().unwrap().1.read();
        let file = File::options().write(true).open(world.path("a.ndjson")).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        file.write_all_at(line(3).as_bytes(), line(1).len() as u64).unwrap();
        file.set_modified(modified).unwrap();
        world.follow();
        read(&world.snapshot()).is_ok_and(|lines| lines.iter().any(|(_, text)| text.contains("line 3")))
    };
    // Where the machine is so busy that the first look comes late, the time tells nothing.
    assert!((0..100).any(|_| try_once()));
}

#[test]
fn a_file_that_is_renamed_stays_the_same_and_a_new_one_takes_its_name() {
    let mut world = World::new();
    world.append("app.log", line(1) + &line(2));
    world.check();
    let before = world.served();
    let snapshot = world.snapshot();
    fs::rename(world.path("app.log"), world.path("app.log.1")).unwrap();
    world.append("app.log", line(3));
    assert_eq!(read(&snapshot).unwrap(), before, "it is read under its new name");
    world.check();
    let after = world.served();
    assert!(before.iter().all(|line| after.contains(line)), "ids stay");
    fs::remove_file(world.path("app.log.1")).unwrap();
    world.check();
    assert_eq!(world.texts().len(), 1);
    fs::remove_file(world.path("app.log")).unwrap();
    world.check();
    assert_eq!(world.snapshot().days.len(), 0);
}

#[test]
fn a_line_that_is_too_long_is_passed_over_in_bounded_memory() {
    let mut world = World::new();
    world.append("a.ndjson", line(1));
    world.append("a.ndjson", vec![b'x'; 5 << 20]);
    world.check();
    world.append("a.ndjson", [&[b'x'; 100][..], b"\n", line(2).as_bytes()].concat());
    let at_most = |len: usize| format!(r#"{{"ts":0,"msg":"{}"}}"#, "y".repeat(len - 17)) + "\n";
    world.append("a.ndjson", at_most(1 << 20));
    world.append("a.ndjson", at_most((1 << 20) + 1));
    world.append("a.ndjson", line(3));
    world.check();
    assert_eq!((world.texts().len(), world.counter(|c| &c.bad_lines)), (4, 2));
    world.restart(true);
    world.check();
}

#[test]
fn a_damaged_index_is_made_again() {
    let mut world = World::new();
    world.append("a.ndjson", (0..40_000).map(line).collect::<String>());
    world.check();
    let before = world.served();
    let folder = layout::foreign_dir(&world.dir.path().join("data"));
    let index = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let len = fs::metadata(&index).unwrap().len();
    for at in [0, 9, 50, 70, 200, len / 2, len - 3] {
        let mut bytes = fs::read(&index).unwrap();
        bytes[at as usize] ^= 0x55;
        fs::write(&index, bytes).unwrap();
        world.restart(false);
        world.follow();
        assert_eq!(world.served(), before, "{at}");
    }
    fs::remove_file(&index).unwrap();
    world.restart(false);
    world.follow();
    assert_eq!(world.served(), before);
    File::options().write(true).open(&index).unwrap().set_len(len / 2).unwrap();
    world.restart(false);
    world.follow();
    assert_eq!(world.served(), before);
}

#[derive(Clone, Debug)]
enum Step {
    Append(usize, usize),
    Follow,
    Restart(bool),
    Cut(usize, u64),
    Replace(usize, u32),
    Rewrite(usize, u32),
    Rename(usize),
    Remove(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let file = 0_usize..2;
    prop_oneof![
        8 => (file.clone(), 1_usize..200).prop_map(|(file, len)| Step::Append(file, len)),
        6 => Just(Step::Follow),
        2 => any::<bool>().prop_map(Step::Restart),
        1 => (file.clone(), 0_u64..400).prop_map(|(file, len)| Step::Cut(file, len)),
        1 => (file.clone(), 0_u32..100).prop_map(|(file, seed)| Step::Replace(file, seed)),
        1 => (file.clone(), 0_u32..100).prop_map(|(file, seed)| Step::Rewrite(file, seed)),
        1 => file.clone().prop_map(Step::Rename),
        1 => file.prop_map(Step::Remove),
    ]
}

const NAMES: [&str; 2] = ["a.ndjson", "b.log"];

fn do_step(world: &mut World, step: &Step, rest: &mut [Vec<u8>; 2]) {
    let write = |path: &Path, seed: u32| {
        let lines: String = (seed..seed + 5).map(line).collect();
        fs::write(path, lines).unwrap();
    };
    match *step {
        Step::Append(file, len) => {
            let part: Vec<u8> = rest[file].drain(..len.min(rest[file].len())).collect();
            world.append(NAMES[file], part);
        }
        Step::Follow => world.follow(),
        Step::Restart(is_clean) => world.restart(is_clean),
        Step::Cut(file, len) => {
            if let Ok(file) = File::options().write(true).open(world.path(NAMES[file])) {
                file.set_len(len.min(file.metadata().unwrap().len())).unwrap();
            }
        }
        Step::Replace(file, seed) => {
            write(&world.path("new.tmp"), seed);
            fs::rename(world.path("new.tmp"), world.path(NAMES[file])).unwrap();
        }
        Step::Rewrite(file, seed) => write(&world.path(NAMES[file]), seed),
        Step::Rename(file) => {
            drop(fs::rename(world.path(NAMES[file]), world.path(&format!("{}.1", NAMES[file]))));
        }
        Step::Remove(file) => drop(fs::remove_file(world.path(NAMES[file]))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_served_is_what_a_plain_read_finds(
        steps in prop::collection::vec(any_step(), 1..40),
        stretch_bytes in prop::sample::select(vec![1_u64, 100, 1_000, 1 << 28]),
    ) {
        let mut world = World::with_stretches_of(stretch_bytes);
        let lines = |from: u32| (from..from + 30).map(|n| if n % 7 == 0 { "bad\n".into() } else { line(n) });
        let mut rest = [0, 500].map(|from| lines(from).collect::<String>().into_bytes());
        for step in &steps {
            do_step(&mut world, step, &mut rest);
            // Whatever is served now was in a file: an answer has right lines, or fails.
            if let Ok(served) = read(&world.snapshot()) {
                for (_, text) in served {
                    prop_assert!(super::lines::read(text.as_bytes()).is_ok_and(|fields| fields.is_some()), "{}", text);
                }
            }
        }
        world.check();
        let before = world.served();
        world.restart(true);
        world.check();
        prop_assert_eq!(world.served(), before);
    }
}

#[tokio::test]
async fn own_lines_come_before_foreign_ones_of_the_same_instant() {
    let dir = tempfile::tempdir().unwrap();
    let foreign = dir.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("a.ndjson"), "{\"ts\":5,\"msg\":\"foreign\"}\n").unwrap();
    let store = Store::open(&dir.path().join("data")).unwrap().with_foreign(vec![foreign]).unwrap();
    let mut batch = crate::store::batch::LineBatch::default();
    batch.push_line(br#"{"ts":5,"msg":"own"}"#).unwrap();
    store.append_lines(batch, crate::store::batch::Durability::Acknowledged).await.unwrap();
    let mut commits = store.logs().commits();
    let texts = || {
        let lines = read(&store.logs().snapshot(TimeRange::all()).unwrap()).unwrap();
        lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>()
    };
    while texts().len() < 2 {
        commits.changed().await.unwrap();
    }
    assert_eq!(texts(), [r#"{"ts":5,"msg":"own"}"#, r#"{"ts":5,"msg":"foreign"}"#]);
    assert_eq!(store.logs().last_time().unwrap().unwrap().as_secs(), 5);
}

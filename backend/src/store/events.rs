//! Notes on the time axis, a file a day: `events.ndjson`, one JSON object a line.
//!
//! Events are few and small, so there is no index: a day's file is read as a whole. An event is on disk before it is
//! acknowledged. A file with a torn last line, and one that a write failed on, is never appended to again; the day goes on
//! in `events-0002.ndjson` and so on.

use super::backup::{self, Transfer};
use super::metrics::FileReport;
use super::{StoreError, files, layout};
use sonde_shared::api::Event;
use sonde_shared::time::{Day, TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const PREFIX: &str = "events";
const SUFFIX: &str = "ndjson";
/// A day's events take no more bytes than this.
const MAX_DAY_BYTES: u64 = 64 << 20;
/// An id is the day's number and the event's number in the day, so ids are unique without a counter of their own. They
/// stay exact in JavaScript's numbers.
const EVENTS_A_DAY: u64 = 1 << 24;

/// All days' events.
#[derive(Debug)]
pub struct EventStore {
    data: PathBuf,
    writer: Mutex<Writer>,
}

/// An event that has no id yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewEvent {
    /// The title.
    pub what: String,
    /// When, unix seconds, not before 1970.
    pub when: i64,
    /// Its tags.
    pub tags: Vec<String>,
    /// Free text.
    pub data: String,
}

#[derive(Debug, Default)]
struct Writer {
    open: Option<OpenFile>,
    /// The least file number that may still be written, for days on which a write failed.
    least_number: BTreeMap<Day, u32>,
}

/// The file that the last event went to.
#[derive(Debug)]
struct OpenFile {
    day: Day,
    number: u32,
    path: PathBuf,
    file: File,
    next_id: u64,
    day_bytes: u64,
}

impl EventStore {
    /// Opens the events of a data folder.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { data: dir.to_owned(), writer: Mutex::default() })
    }

    /// Stores an event; it is on disk when this returns. Blocks for the disk.
    pub fn append(&self, event: NewEvent) -> Result<Event, StoreError> {
        let day = Timestamp::from_secs(event.when).day();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let NewEvent { what, when, tags, data } = event;
        let open = writer.open_day(&self.data, day)?;
        let event = Event { id: open.next_id, what, when, tags, data };
        let written = open.append(&event);
        if written.is_err() {
            writer.fence();
        }
        written.map(|()| event)
    }

    /// Does work that takes the day's folder away, while no event is stored and none of its files is open.
    pub(super) fn without<T>(&self, day: Day, work: impl FnOnce() -> T) -> T {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.open.take_if(|open| open.day == day);
        writer.least_number.remove(&day);
        work()
    }

    /// The events with `from <= when <= until`, by time; `None` when they take more than `max_bytes`. Blocks for the disk.
    pub fn read(&self, from: i64, until: i64, max_bytes: u64) -> Result<Option<Vec<Event>>, StoreError> {
        let range = TimeRange {
            from: Timestamp::from_secs(from),
            until: Timestamp::from_secs(until.saturating_add(1)),
        };
        let (mut events, mut bytes) = (Vec::new(), 0);
        for day in layout::list_days(&self.data)?.into_iter().filter(|day| day.range().overlaps(range)) {
            for (_, path) in day_files(&layout::day_dir(&self.data, day))? {
                for_each_event(&path, |event, len| {
                    if (from..=until).contains(&event.when) && bytes <= max_bytes {
                        bytes += len as u64;
                        events.push(event);
                    }
                })?;
            }
        }
        events.sort_by_key(|event| (event.when, event.id));
        Ok((bytes <= max_bytes).then_some(events))
    }
}

impl Writer {
    fn open_day(&mut self, data: &Path, day: Day) -> Result<&mut OpenFile, StoreError> {
        // Whoever deletes the day's folder takes the file's name away; nothing may be acknowledged into it then.
        if self.open.as_ref().is_none_or(|open| open.day != day || !open.path.exists()) {
            let least = self.least_number.get(&day).copied().unwrap_or(1);
            self.open = Some(OpenFile::open(data, day, least)?);
        }
        let open = self.open.as_mut().expect("it was just opened");
        if open.day_bytes >= MAX_DAY_BYTES || open.next_id % EVENTS_A_DAY == EVENTS_A_DAY - 1 {
            return Err(StoreError::ReadOnly { why: format!("{day} has as many events as a day may have") });
        }
        Ok(open)
    }

    /// After a failure: the file is not written again.
    fn fence(&mut self) {
        if let Some(open) = self.open.take() {
            self.least_number.insert(open.day, open.number + 1);
        }
    }
}

impl OpenFile {
    /// Opens the day's last file, or a new one where that must not be appended to.
    fn open(data: &Path, day: Day, least_number: u32) -> Result<Self, StoreError> {
        let dir = layout::day_dir(data, day);
        files::create_dir(&dir)?;
        let (mut number, mut next_id, mut day_bytes) = (1, day.number().unsigned_abs() * EVENTS_A_DAY, 0);
        let mut is_whole = true;
        for (found, path) in day_files(&dir)? {
            for_each_event(&path, |event, _| next_id = next_id.max(event.id + 1))?;
            day_bytes += fs::metadata(&path).map_err(StoreError::io("read", &path))?.len();
            (number, is_whole) = (found, ends_in_line_feed(&path)?);
        }
        let number = if is_whole { number } else { number + 1 }.max(least_number);
        let path = file_path(&dir, number);
        let file = if path.exists() {
            OpenOptions::new().append(true).open(&path).map_err(StoreError::io("open", &path))?
        } else {
            files::create_new(&path)?
        };
        Ok(Self { day, number, path, file, next_id, day_bytes })
    }

    fn append(&mut self, event: &Event) -> Result<(), StoreError> {
        let mut line = serde_json::to_vec(event).expect("an event is plain text and numbers");
        line.push(b'\n');
        self.file.write_all(&line).map_err(StoreError::io("write", &self.path))?;
        self.file.sync_data().map_err(StoreError::io("sync", &self.path))?;
        self.day_bytes += line.len() as u64;
        self.next_id += 1;
        Ok(())
    }
}

/// The files of a day's events with their numbers, in order.
fn day_files(dir: &Path) -> Result<Vec<(u32, PathBuf)>, StoreError> {
    if layout::lines_only(dir).exists() {
        return Ok(Vec::new());
    }
    let first = file_path(dir, 1);
    let further = layout::list_numbers(dir, PREFIX, SUFFIX)?;
    let first = first.exists().then_some((1, first));
    Ok(first.into_iter().chain(further.into_iter().map(|number| (number, file_path(dir, number)))).collect())
}

/// Copies the events of a day's folder into another folder, up to the last that is whole. Where they are being deleted, all or
/// none are taken.
pub fn back_up(from: &Path, to: &Path, transfer: &mut Transfer) -> Result<(), StoreError> {
    loop {
        let (so_far, found) = (transfer.so_far(), day_files(from)?);
        for (number, path) in &found {
            let Some(mut file) = backup::open(path)? else { continue };
            let mut text = Vec::new();
            file.read_to_end(&mut text).map_err(StoreError::io("read", path))?;
            text.truncate(memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1));
            transfer.copy(&*text, u64::MAX, &file_path(to, *number))?;
        }
        let now = day_files(from)?;
        if found.iter().all(|file| now.contains(file)) || !from.is_dir() {
            return Ok(());
        }
        // Files of events only go, once and all of them.
        let taken: Vec<PathBuf> = found.iter().map(|(number, _)| file_path(to, *number)).collect();
        transfer.undo(&so_far, taken.iter().map(PathBuf::as_path))?;
    }
}

/// Checks the events of a day's folder without changing anything.
pub fn check_day(dir: &Path) -> Result<Vec<FileReport>, StoreError> {
    day_files(dir)?.iter().map(|(_, path)| check_file(path)).collect()
}

fn check_file(path: &Path) -> Result<FileReport, StoreError> {
    let mut report = FileReport::of(path);
    let text = fs::read(path).map_err(StoreError::io("read", path))?;
    let mut lines = text.split(|byte| *byte == b'\n');
    // What follows the last line feed; nothing where the file ends with one.
    if lines.next_back().is_some_and(|rest| !rest.is_empty()) {
        report
            .notes
            .push("its last line has no end: it was never acknowledged and does not count".to_owned());
    }
    for (number, line) in (1..).zip(lines) {
        match serde_json::from_slice::<Event>(line) {
            Ok(_) => report.records += 1,
            Err(error) => report.problems.push(format!("line {number} is no event: {error}")),
        }
    }
    Ok(report)
}

fn file_path(dir: &Path, number: u32) -> PathBuf {
    if number == 1 {
        dir.join(format!("{PREFIX}.{SUFFIX}"))
    } else {
        layout::numbered(dir, PREFIX, number, SUFFIX)
    }
}

fn ends_in_line_feed(path: &Path) -> Result<bool, StoreError> {
    let mut file = File::open(path).map_err(StoreError::io("open", path))?;
    if file.seek(SeekFrom::End(0)).map_err(StoreError::io("read", path))? == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))
        .and_then(|_| file.read_exact(&mut last))
        .map_err(StoreError::io("read", path))?;
    Ok(last == [b'\n'])
}

/// Calls `visit` with each whole event and its line's length. A last line without a line feed was never acknowledged.
fn for_each_event(path: &Path, mut visit: impl FnMut(Event, usize)) -> Result<(), StoreError> {
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(StoreError::io("read", path))? > 0
        && line.ends_with(b"\n")
    {
        match serde_json::from_slice(&line) {
            Ok(event) => visit(event, line.len()),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a line is no event; it is left out");
            }
        }
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::NANOS_PER_SEC;

    const DAY: i64 = 86_400;

    fn event(what: &str, when: i64) -> NewEvent {
        NewEvent { what: what.to_owned(), when, tags: vec!["deploy".to_owned()], data: "ü\n".to_owned() }
    }

    fn whats(store: &EventStore, from: i64, until: i64) -> Vec<String> {
        store.read(from, until, 1 << 20).unwrap().unwrap().into_iter().map(|event| event.what).collect()
    }

    #[test]
    fn events_come_back_by_time_with_ids_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let store = EventStore::open(dir.path()).unwrap();
        for (what, when) in [("b", DAY + 5), ("a", DAY), ("c", 3 * DAY), ("b2", DAY + 5)] {
            store.append(event(what, when)).unwrap();
        }
        let reopened = EventStore::open(dir.path()).unwrap();
        reopened.append(event("d", 3 * DAY)).unwrap();
        assert_eq!(whats(&reopened, 0, 4 * DAY), ["a", "b", "b2", "c", "d"]);
        assert_eq!(whats(&reopened, DAY + 5, 3 * DAY - 1), ["b", "b2"]);
        let all = reopened.read(0, i64::MAX / NANOS_PER_SEC, 1 << 20).unwrap().unwrap();
        let ids: std::collections::BTreeSet<u64> = all.iter().map(|event| event.id).collect();
        assert_eq!((ids.len(), all[0].data.as_str()), (5, "ü\n"));
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_never_appended_to() {
        let dir = tempfile::tempdir().unwrap();
        EventStore::open(dir.path()).unwrap().append(event("a", 10)).unwrap();
        let path = dir.path().join("1970-01-01/events.ndjson");
        let whole = fs::read(&path).unwrap();
        for cut in 1..whole.len() {
            let torn = [whole.as_slice(), &whole[..cut]].concat();
            fs::write(&path, &torn).unwrap();
            let store = EventStore::open(dir.path()).unwrap();
            assert_eq!(whats(&store, 0, DAY), ["a"], "cut to {cut}");
            store.append(event("b", 20)).unwrap();
            assert_eq!(
                (whats(&store, 0, DAY), fs::read(&path).unwrap()),
                (vec!["a".into(), "b".into()], torn)
            );
            fs::remove_file(dir.path().join("1970-01-01/events-0002.ndjson")).unwrap();
        }
    }

    #[test]
    fn more_than_the_bytes_asked_for_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let store = EventStore::open(dir.path()).unwrap();
        store.append(event("a", 10)).unwrap();
        assert_eq!(store.read(0, DAY, 10).unwrap(), None);
        assert_eq!(store.read(11, DAY, 10).unwrap(), Some(vec![]));
    }
}

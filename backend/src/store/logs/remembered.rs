//! What is stored of the bodies that came in the last minutes under a key, so that a body that is sent again is not stored
//! twice; and whose turn it is, where one is sent again while it is still being taken.
//!
//! The notes beside the commit records are the truth, so that a body and its key are durable together. This table is read
//! from them at the start. What a segment's records alone hold is put into a file before sealing takes them away.

use super::commits::{NOTE_BYTES, decode_note, encode_note, read_commits};
use super::recovery::count_lines;
use super::segment::{Paths, open_numbers};
use super::{SEGMENT_AGE, Shared};
use crate::store::StoreError;
use crate::store::files::write_atomically;
use crate::store::layout::{BATCHES_FILE, day_dir, list_days};
use crate::store::source::{BatchKey, Mark, Note, Settled};
use sonde_shared::time::{Day, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, watch};

/// How long a body is remembered after the last of it was stored.
pub const REMEMBERED: Duration = Duration::from_mins(10);
/// The most bodies that are remembered, and the memory that they may take, about.
const MAX_BODIES: usize = 1 << 16;
const MAX_BYTES: usize = 16 << 20;
/// What a body takes, and what each of its days does.
const BODY_BYTES: usize = 208;
const DAY_BYTES: usize = 48;
const MAGIC: &[u8; 8] = b"SNDBAT01";

/// The bodies of the last minutes.
#[derive(Debug, Default)]
pub struct Remembered {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    bodies: HashMap<BatchKey, Body>,
    /// The bodies by the order of their last commits.
    oldest: BTreeMap<u64, BatchKey>,
    next: u64,
    bytes: usize,
    /// Bodies that are being taken.
    tries: HashMap<BatchKey, Arc<Tries>>,
    forgotten: u64,
}

#[derive(Debug)]
struct Body {
    settled: Settled,
    place: u64,
}

/// The requests that bring one body: one at a time takes it, the newest outweighs all others.
#[derive(Debug)]
struct Tries {
    newest: watch::Sender<u64>,
    taking: Arc<tokio::sync::Mutex<()>>,
}

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RememberedCounts {
    /// Bodies.
    pub bodies: u64,
    /// Bodies that were forgotten before their time, for want of room.
    pub forgotten: u64,
}

impl Remembered {
    /// Begins a try to bring a body. Those before it that have not ended are asked to give way.
    pub fn begin(self: &Arc<Self>, key: BatchKey, now: Timestamp) -> Try {
        let mut table = self.lock();
        table.forget_before(now.plus_nanos(-(REMEMBERED.as_nanos() as i64)));
        let fresh = || Arc::new(Tries { newest: watch::Sender::new(0), taking: Arc::default() });
        let tries = table.tries.entry(key).or_insert_with(fresh).clone();
        tries.newest.send_modify(|number| *number += 1);
        let newest = tries.newest.subscribe();
        let number = *newest.borrow();
        Try { remembered: self.clone(), key, number, newest, tries }
    }

    /// What is stored of a body.
    pub fn settled(&self, key: BatchKey) -> Option<Settled> {
        self.lock().bodies.get(&key).map(|body| body.settled.clone())
    }

    /// Notes where a body ends, once all of it is settled. Of one that has nothing stored nothing is known.
    pub fn finish(&self, key: BatchKey, end: Mark) {
        if let Some(body) = self.lock().bodies.get_mut(&key) {
            body.settled.end = Some(end);
        }
    }

    /// How much is remembered.
    pub fn counts(&self) -> RememberedCounts {
        let table = self.lock();
        RememberedCounts { bodies: table.bodies.len() as u64, forgotten: table.forgotten }
    }

    /// Takes up what a commit has settled.
    pub(super) fn note(&self, note: &Note) {
        self.lock().note(note);
    }

    /// Reads what an earlier run has noted, of all days that can be read; an error when one cannot.
    pub(super) fn read(&self, shared: &Shared) -> Result<(), StoreError> {
        let path = shared.dir.join(BATCHES_FILE);
        let mut found = match std::fs::read(&path) {
            Ok(bytes) => read_file(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        };
        let mut outcome = Ok(());
        for day in list_days(&shared.dir)? {
            let dir = day_dir(&shared.dir, day);
            // The last segment was begun in a folder at most so long before its last commit.
            if is_recent(&dir, SEGMENT_AGE * 2) {
                match notes_of_day(shared, day, &dir) {
                    Ok(notes) => found.extend(notes),
                    Err(error) => outcome = Err(error),
                }
            }
        }
        for note in &found {
            self.note(note);
        }
        outcome
    }

    /// Writes down all that is remembered, if there is anything: the records of a segment are about to go.
    pub(super) fn save(&self, data: &Path) -> Result<(), StoreError> {
        let mut bytes = MAGIC.to_vec();
        {
            let table = self.lock();
            for key in table.oldest.values() {
                let Some(Body { settled, .. }) = table.bodies.get(key) else { continue };
                let Settled { begun, at, .. } = *settled;
                let notes = settled.days.iter().map(|(day, mark)| (*day, *mark));
                let note = |((day, lane), mark)| Note { key: *key, begun, at, day, lane, mark };
                let notes = notes.map(|at_day| encode_note(&note(at_day)));
                bytes.extend(notes.flatten());
            }
        }
        if bytes.len() == MAGIC.len() {
            return Ok(());
        }
        write_atomically(&data.join(BATCHES_FILE), &bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The notes of the file, up to the first that is not whole.
fn read_file(bytes: &[u8]) -> Vec<Note> {
    let notes = bytes.strip_prefix(MAGIC).unwrap_or_default().as_chunks::<NOTE_BYTES>().0;
    notes.iter().map_while(decode_note).collect()
}

/// The notes of a day's open segments whose commits count.
fn notes_of_day(shared: &Shared, day: Day, dir: &Path) -> Result<Vec<Note>, StoreError> {
    let mut found = Vec::new();
    for number in open_numbers(dir)? {
        let path = Paths::new(dir, number).commits;
        if !is_recent(&path, REMEMBERED) {
            continue;
        }
        let records = std::fs::read(&path).map_err(StoreError::io("read", &path))?;
        let notes = read_commits(&records).filter_map(|(commit, note)| Some((commit.rows, note?)));
        let notes: Vec<_> = notes.collect();
        if !notes.is_empty() {
            let rows = rows_of(shared, day, number)?;
            found.extend(notes.into_iter().filter(|(end, _)| *end <= rows).map(|(_, note)| note));
        }
    }
    Ok(found)
}

/// The lines of a segment that count, as far as a sender may be told that they are stored.
fn rows_of(shared: &Shared, day: Day, number: u32) -> Result<u32, StoreError> {
    let Some(cell) = shared.cell(day) else { return Ok(0) };
    let logs = shared.open_day(day, &cell)?;
    if logs.is_unread(number) {
        let paths = Paths::new(&day_dir(&shared.dir, day), number);
        return if paths.sync_left().is_ok() { count_lines(&paths) } else { Ok(0) };
    }
    let segments = logs.segments();
    let segment = segments.iter().find(|segment| segment.number() == number && segment.is_synced());
    Ok(segment.map_or(0, |segment| segment.published().rows))
}

/// Whether a file or folder was changed so long ago at most. One that is gone was not.
fn is_recent(path: &Path, age: Duration) -> bool {
    let changed = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|elapsed| elapsed <= age))
}

impl Table {
    fn note(&mut self, note: &Note) {
        let place = self.next;
        self.next += 1;
        let Self { bodies, oldest, bytes, .. } = self;
        let body = bodies.entry(note.key).or_insert_with(|| {
            *bytes += BODY_BYTES;
            let settled = Settled { begun: note.begun, at: note.at, days: BTreeMap::new(), end: None };
            Body { settled, place }
        });
        oldest.remove(&body.place);
        oldest.insert(place, note.key);
        body.place = place;
        let Settled { at, days, begun, .. } = &mut body.settled;
        (*begun, *at) = (note.begun, note.at.max(*at));
        let known = days.entry((note.day, note.lane)).or_insert_with(|| {
            *bytes += DAY_BYTES;
            note.mark
        });
        if note.mark.lines > known.lines {
            *known = note.mark;
        }
        while self.bodies.len() > MAX_BODIES || self.bytes > MAX_BYTES {
            let Some(place) = self.oldest_settled() else { break };
            self.forget(place);
            self.forgotten += 1;
        }
    }

    /// The body at rest whose last commit lies furthest back.
    fn oldest_settled(&self) -> Option<u64> {
        self.oldest.iter().find(|(_, key)| !self.tries.contains_key(key)).map(|(place, _)| *place)
    }

    fn forget_before(&mut self, earliest: Timestamp) {
        while let Some(place) = self.oldest_settled() {
            if self.bodies[&self.oldest[&place]].settled.at >= earliest {
                break;
            }
            self.forget(place);
        }
    }

    fn forget(&mut self, place: u64) {
        let body = self.oldest.remove(&place).and_then(|key| self.bodies.remove(&key));
        self.bytes -= body.map_or(0, |body| BODY_BYTES + body.settled.days.len() * DAY_BYTES);
    }
}

/// A request that brings a body.
#[derive(Debug)]
pub struct Try {
    remembered: Arc<Remembered>,
    key: BatchKey,
    number: u64,
    newest: watch::Receiver<u64>,
    tries: Arc<Tries>,
}

/// As long as this is held no other try takes the body.
#[derive(Debug)]
pub struct Taking {
    _alone: OwnedMutexGuard<()>,
    this: Try,
}

impl Try {
    /// Waits until the try before has given way and what it handed to the store is settled; `None` when a newer try has come.
    pub async fn take(self) -> Option<Taking> {
        let alone = self.tries.taking.clone().lock_owned().await;
        let is_newest = *self.newest.borrow() == self.number;
        is_newest.then_some(Taking { _alone: alone, this: self })
    }
}

impl Taking {
    /// The body.
    pub fn key(&self) -> BatchKey {
        self.this.key
    }

    /// Tells when a newer try has come.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.this.newest.clone()
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        let mut table = self.remembered.lock();
        // The table's and this one.
        if Arc::strong_count(&self.tries) == 2 {
            table.tries.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ages::Lane;

    fn note(number: u64, at_secs: i64, day: i64, lines: u64) -> Note {
        Note {
            key: BatchKey::of(&number.to_le_bytes()),
            begun: Timestamp::from_secs(5),
            at: Timestamp::from_secs(at_secs),
            day: Day::from_number(day),
            lane: Lane::default(),
            mark: Mark { lines, checksum: lines as u32 },
        }
    }

    #[test]
    fn a_body_is_remembered_for_ten_minutes_after_its_last_commit() {
        let remembered = Arc::new(Remembered::default());
        remembered.note(&note(1, 100, 0, 4));
        remembered.note(&note(2, 200, 0, 4));
        remembered.note(&note(1, 300, 3, 9));
        let days = |body: u64| {
            remembered
                .settled(note(body, 0, 0, 0).key)
                .map(|settled| settled.days.into_values().map(|mark| mark.lines).collect::<Vec<_>>())
        };
        drop(remembered.begin(note(3, 0, 0, 0).key, Timestamp::from_secs(800)));
        assert_eq!((days(1), days(2), days(3)), (Some(vec![4, 9]), Some(vec![4]), None));
        drop(remembered.begin(note(3, 0, 0, 0).key, Timestamp::from_secs(801)));
        assert_eq!((days(1), days(2)), (Some(vec![4, 9]), None));
        drop(remembered.begin(note(3, 0, 0, 0).key, Timestamp::from_secs(901)));
        let table = remembered.lock();
        assert!(table.bodies.is_empty() && table.oldest.is_empty() && table.tries.is_empty());
        assert_eq!((table.bytes, table.forgotten), (0, 0));
    }

    #[test]
    fn the_table_is_bounded_and_the_oldest_at_rest_goes_first() {
        let remembered = Arc::new(Remembered::default());
        let running = remembered.begin(note(0, 0, 0, 0).key, Timestamp::from_secs(1));
        let more = 10;
        for number in 0..(MAX_BODIES + more) as u64 {
            remembered.note(&note(number, 1, 0, 1));
        }
        let is_known = |number: u64| remembered.settled(note(number, 0, 0, 0).key).is_some();
        let expected = RememberedCounts { bodies: MAX_BODIES as u64, forgotten: more as u64 };
        assert_eq!(remembered.counts(), expected);
        assert!(is_known(0) && !is_known(1) && !is_known(more as u64) && is_known(more as u64 + 1));
        drop(running);
        for day in 0..(MAX_BYTES / DAY_BYTES) as i64 {
            remembered.note(&note(0, 1, day, 1));
        }
        assert!(remembered.lock().bytes <= MAX_BYTES);
    }

    #[tokio::test]
    async fn a_newer_try_outweighs_those_before_it() {
        let remembered = Arc::new(Remembered::default());
        let begin = || remembered.begin(note(1, 0, 0, 0).key, Timestamp::from_secs(1));
        let first = begin().take().await.unwrap();
        let (second, third) = (begin(), begin());
        assert!(first.newest().has_changed().is_ok() && *first.newest().borrow() == 3);
        drop(first);
        assert!(second.take().await.is_none());
        drop(third.take().await.unwrap());
        assert!(remembered.lock().tries.is_empty());
    }
}

//! Lines: segments, their index, and the snapshots that queries read.
//!
//! Each line's time says which day's folder it lies in, so days never overlap and a query walks them in order. One thread
//! writes (`writer`); readers take a [`Snapshot`] and never wait for it.

mod back_up;
/// A block of the index: columns of neighbouring lines.
pub mod block;
mod check;
mod commits;
mod day;
mod delete;
/// A segment's names and their numbers.
pub mod dictionary;
/// What a stored line says of itself.
pub mod fields;
/// Files that another program writes, served in place.
pub mod foreign;
mod gone;
mod indexer;
mod open_segment;
mod recovery;
/// What is stored of bodies that may be sent again.
pub mod remembered;
/// The rows of lines, read from their text.
pub mod rows;
/// The final, compressed form of a segment.
pub mod sealed;
mod sealer;
/// A segment as its readers see it.
pub mod segment;
mod share;
mod snapshot;
/// The text of a segment, whichever form it has.
pub mod text;
mod unread;
mod unwritten;
mod writer;

pub use back_up::back_up;
pub use check::{SegmentReport, check_day, missing_at_ends};
pub(super) use delete::sweep;
pub use gone::Missed;
pub use snapshot::{SegmentView, Snapshot, attach};
pub(super) use writer::Aside;

use super::StoreError;
use super::ages::Ages;
use super::batch::{Durability, LineBatch};
use super::file_view::Reading;
use super::layout::{day_dir, list_days};
use super::seal_report::SealReport;
use day::{DayCell, DayLogs};
use indexer::Indexing;
use remembered::Remembered;
use segment::{Effort, Opening};
use sonde_shared::time::{Day, TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, mpsc};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot, watch};

/// Lines without an acknowledgement are on disk after this long at the latest.
pub const SYNC_INTERVAL: Duration = Duration::from_millis(900);
/// The longest a segment stays open.
const SEGMENT_AGE: Duration = Duration::from_hours(1);
/// A segment takes no more text than this.
const SEGMENT_BYTES: u64 = 256 << 20;
/// How much may wait for the writer, in units of a KiB; who comes later waits with his data.
const QUEUE_KIB: usize = 64 << 10;

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    /// The most text of a segment.
    segment_bytes: u64,
    /// One seals at a time.
    sealing: Mutex<()>,
    opening: Opening,
    /// Where segments whose index is missing are read in the background; `None` where whoever asks waits for them.
    indexing: Option<Arc<Indexing>>,
    days: RwLock<BTreeMap<Day, Arc<DayCell>>>,
    commits: watch::Sender<u64>,
    counters: Counters,
    refusing: Mutex<Option<String>>,
    remembered: Arc<Remembered>,
    /// Lines of different classes go to different segments.
    ages: RwLock<Arc<Ages>>,
    gone: gone::Gone,
    foreign: foreign::Listed,
}

/// What the store has done since it was opened.
#[derive(Debug, Default)]
pub struct Counters {
    /// Lines that were committed.
    pub stored_lines: AtomicU64,
    /// Bytes of line text that queries have read.
    pub text_bytes_read: AtomicU64,
    /// Index rows that queries have looked at one by one.
    pub rows_scanned: AtomicU64,
    /// Commits.
    pub commits: AtomicU64,
    /// Lines that could not be stored, whose senders were told.
    pub refused_lines: AtomicU64,
    /// Lines of streams that could not be stored.
    pub lost_lines: AtomicU64,
    /// Notices to followers that lines were deleted before they were sent.
    pub follow_gaps: AtomicU64,
}

impl Shared {
    fn ages(&self) -> Arc<Ages> {
        self.ages.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn cell(&self, day: Day) -> Option<Arc<DayCell>> {
        self.days.read().unwrap_or_else(PoisonError::into_inner).get(&day).cloned()
    }

    fn open_day(&self, day: Day, cell: &DayCell) -> Result<Arc<DayLogs>, StoreError> {
        let mut opened = cell.lock();
        if let Some(logs) = &*opened {
            return Ok(logs.clone());
        }
        let logs = self.read_day(day)?;
        *opened = Some(logs.clone());
        if let Some(indexing) = &self.indexing {
            indexing.ask_last(day, &logs);
        }
        Ok(logs)
    }

    fn read_day(&self, day: Day) -> Result<Arc<DayLogs>, StoreError> {
        let at_once = self.indexing.as_ref().map_or(Effort::ALL, |indexing| indexing.at_once);
        let dir = day_dir(&self.dir, day);
        let found = unread::find_all(&dir, day, &self.opening, at_once)?;
        Ok(Arc::new(DayLogs::new(found)))
    }

    fn day_for_writing(&self, day: Day) -> Result<Arc<DayLogs>, StoreError> {
        let cell = self.days.write().unwrap_or_else(PoisonError::into_inner).entry(day).or_default().clone();
        self.open_day(day, &cell)
    }

    /// The day's lines; none when its folder is gone.
    fn open_if_there(&self, day: Day, cell: &DayCell) -> Result<Option<Arc<DayLogs>>, StoreError> {
        // Whoever deletes the folder of a day forgets the day, although its files are still mapped.
        if self.is_deleted(day) {
            return Ok(None);
        }
        let logs = match self.open_day(day, cell) {
            // Its files went while they were opened.
            Err(_) if self.is_deleted(day) => return Ok(None),
            opened => opened?,
        };
        if let Some(indexing) = &self.indexing {
            indexing.ask(day, &logs);
        }
        Ok(Some(logs))
    }

    /// Whether the day's folder is surely gone, not merely out of reach.
    fn is_deleted(&self, day: Day) -> bool {
        let folder = std::fs::metadata(day_dir(&self.dir, day));
        folder.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }

    fn forget_day(&self, day: Day) {
        self.days.write().unwrap_or_else(PoisonError::into_inner).remove(&day);
    }

    /// Whether somebody may follow.
    fn has_followers(&self) -> bool {
        self.commits.receiver_count() > 0
    }

    fn note_commit(&self) {
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        self.commits.send_modify(|count| *count += 1);
    }

    /// A foreign file has grown, or is gone.
    fn note_growth(&self) {
        self.commits.send_modify(|count| *count += 1);
    }

    fn count(&self, lines: u64, durability: Durability, is_stored: bool) {
        let counter = match (is_stored, durability) {
            (true, _) => &self.counters.stored_lines,
            (false, Durability::Streamed) => &self.counters.lost_lines,
            (false, Durability::Acknowledged) => &self.counters.refused_lines,
        };
        counter.fetch_add(lines, Ordering::Relaxed);
    }

    fn note_outcome(&self, why: Option<&str>) {
        *self.refusing.lock().unwrap_or_else(PoisonError::into_inner) = why.map(str::to_owned);
    }
}

/// The numbers of the segments in a day's folder.
pub(super) fn segment_numbers(dir: &Path) -> Result<Vec<u32>, StoreError> {
    segment::all_numbers(dir)
}

/// The files of a segment, whichever are there.
pub(super) fn segment_files(dir: &Path, number: u32) -> [PathBuf; 4] {
    let segment::Paths { text, sealed, commits, index } = segment::Paths::new(dir, number);
    [text, sealed, commits, index]
}

fn gone() -> StoreError {
    StoreError::ReadOnly { why: "the log writer has stopped".into() }
}

/// All days' lines.
#[derive(Debug)]
pub struct LogStore {
    shared: Arc<Shared>,
    queue: Option<mpsc::Sender<writer::Work>>,
    room: Arc<Semaphore>,
    threads: Vec<std::thread::JoinHandle<()>>,
    stop_sealing: Arc<AtomicBool>,
    following: Option<foreign::Following>,
}

impl LogStore {
    /// Opens the lines of a data folder and seals finished segments in the background. Reads the names of its days only.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_as(dir, true)
    }

    /// The same; whether to seal is the caller's choice.
    pub fn open_as(dir: &Path, seals: bool) -> Result<Self, StoreError> {
        Self::open_reading(dir, seals, Reading::Mapped)
    }

    /// The same; how files are read too.
    pub fn open_reading(dir: &Path, seals: bool, reading: Reading) -> Result<Self, StoreError> {
        Self::open_with(dir, seals, reading, SEGMENT_BYTES, None)
    }

    /// The same for whoever serves the folder: where an index is missing it is made again in the background, and answers have
    /// no lines of its segment before.
    pub fn serve(dir: &Path, seals: bool, reading: Reading) -> Result<Self, StoreError> {
        Self::open_with(dir, seals, reading, SEGMENT_BYTES, Some(Arc::default()))
    }

    fn open_with(
        dir: &Path,
        seals: bool,
        reading: Reading,
        segment_bytes: u64,
        indexing: Option<Arc<Indexing>>,
    ) -> Result<Self, StoreError> {
        let days = list_days(dir)?.into_iter().map(|day| (day, Arc::default())).collect();
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            segment_bytes,
            sealing: Mutex::new(()),
            opening: Opening::new(true, reading),
            indexing,
            days: RwLock::new(days),
            commits: watch::Sender::new(0),
            counters: Counters::default(),
            refusing: Mutex::new(None),
            remembered: Arc::default(),
            ages: RwLock::new(Arc::new(Ages::of_all(None))),
            gone: gone::Gone::default(),
            foreign: foreign::Listed::default(),
        });
        // Before anything is sealed, which takes records away.
        if let Err(error) = shared.remembered.read(&shared) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "what came in with a Sonde-Batch before the start may be stored twice if it is sent again"
            );
        }
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
            thread.map_err(StoreError::io("start a thread for", dir))
        };
        let (queue, requests) = mpsc::channel();
        let (finished, to_seal) = mpsc::channel();
        let indexer = shared
            .indexing
            .clone()
            .map(|indexing| indexer::Indexer::new(shared.clone(), indexing, finished.clone()));
        let writer = writer::Writer::new(shared.clone(), finished);
        let stop = Arc::new(AtomicBool::new(false));
        let sealer = sealer::Sealer::new(shared.clone(), stop.clone());
        let mut threads = vec![spawn("log-writer", Box::new(move || writer.run(&requests)))?];
        if seals {
            threads.push(spawn("log-sealer", Box::new(move || sealer.run(&to_seal)))?);
        }
        if let Some(indexer) = indexer {
            threads.push(spawn("log-indexer", Box::new(move || indexer.run()))?);
        }
        Ok(Self {
            shared,
            queue: Some(queue),
            room: Arc::new(Semaphore::new(QUEUE_KIB)),
            threads,
            stop_sealing: stop,
            following: None,
        })
    }

    /// Serves the lines of files in these folders too, which another program writes. They are found before this returns, as
    /// far as they were known before; what is new in them is read in the background.
    pub fn follow_foreign(&mut self, dirs: Vec<PathBuf>) -> Result<(), StoreError> {
        if !dirs.is_empty() {
            self.following = Some(foreign::Following::start(self.shared.clone(), dirs)?);
        }
        Ok(())
    }

    /// What is known of foreign files.
    pub fn foreign(&self) -> &foreign::ForeignCounters {
        &self.shared.foreign.counters
    }

    /// Appends lines to their days; waits while the queue is full. With [`Durability::Acknowledged`] the lines are on disk
    /// when this returns; on an error none of them counts, except for those of an earlier segment that a full one closed.
    pub async fn append(&self, batch: LineBatch, durability: Durability) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let kib = (batch.text.len() / 1_024 + batch.len() / 32 + 1).min(QUEUE_KIB) as u32;
        let room = self.room.clone().acquire_many_owned(kib).await.map_err(|_closed| gone())?;
        let (reply, answer) = oneshot::channel();
        let request = writer::Request { batch, durability, reply, _room: room };
        self.queue
            .as_ref()
            .ok_or_else(gone)?
            .send(writer::Work::Append(Box::new(request)))
            .map_err(|_gone| gone())?;
        if durability == Durability::Acknowledged {
            answer.await.map_err(|_gone| gone())??;
        }
        Ok(())
    }

    /// How long lines are kept from now on; segments that are open stay as they are, so before the first line is sent.
    pub(super) fn set_ages(&self, ages: Arc<Ages>) {
        *self.shared.ages.write().unwrap_or_else(PoisonError::into_inner) = ages;
    }

    /// How long lines are kept.
    pub fn ages(&self) -> Arc<Ages> {
        self.shared.ages()
    }

    /// Waits for whoever is just opening the day, or sealing a segment of it.
    pub(super) fn wait_for_openers(&self, day: Day) {
        if let Some(cell) = self.shared.cell(day) {
            drop(cell.lock());
        }
    }

    /// Gives the folder of a day the name of one that is being deleted, and forgets the day. Nothing is done when somebody is
    /// just opening it: that may take long, and whoever sends lines is not to wait for it; nor when it has other segments than
    /// some, where these are named.
    pub(super) fn set_aside(&self, day: Day, only: Option<&[u32]>) -> Result<Aside, StoreError> {
        let (reply, answer) = mpsc::channel();
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        let order = writer::Order::SetAside(writer::SetAside { day, only: only.map(<[u32]>::to_vec), reply });
        queue.send(writer::Work::Order(order)).map_err(|_gone| gone())?;
        answer.recv().map_err(|_gone| gone())?
    }

    /// What is whole now in the days that the range touches. Opens those that were not yet asked for, which reads files:
    /// not for async threads.
    pub fn snapshot(&self, range: TimeRange) -> Result<Snapshot, StoreError> {
        loop {
            let deletions = self.shared.gone.count();
            let snapshot = self.look(range, deletions)?;
            // Else nobody could tell whether what was deleted meanwhile is in it.
            if deletions == self.shared.gone.count() {
                return Ok(snapshot);
            }
        }
    }

    /// What was deleted between two snapshots, of the same range or a shorter one, and is in neither.
    pub fn missed_between(&self, earlier: &Snapshot, later: &Snapshot) -> Vec<Missed> {
        self.shared.gone.between(earlier, later)
    }

    fn look(&self, range: TimeRange, deletions: u64) -> Result<Snapshot, StoreError> {
        let days: Vec<(Day, Arc<DayCell>)> = {
            let days = self.shared.days.read().unwrap_or_else(PoisonError::into_inner);
            let touched = days.range(range.from.day()..=range.until.day());
            touched
                .filter(|(day, _)| day.range().overlaps(range))
                .map(|(day, cell)| (*day, cell.clone()))
                .collect()
        };
        let (mut found, mut indexed_to) = (Vec::new(), None::<Timestamp>);
        for (day, cell) in days {
            let Some(logs) = self.shared.open_if_there(day, &cell)? else { continue };
            // First: what is not missing any more is in the list below.
            indexed_to = indexed_to.into_iter().chain(logs.indexed_to(day)).min();
            let segments = logs.segments().clone();
            found.push((day, segments.into_iter().map(SegmentView::now).collect()));
        }
        self.shared.foreign.add_to(&mut found, range);
        Ok(Snapshot { days: found, deletions, indexed_to })
    }

    /// Seals every finished segment now; an error is that of the first that could not be sealed.
    pub fn seal_finished(&self) -> Result<(), StoreError> {
        self.seal_all(&mut SealReport::default())
    }

    /// The same, adding what was sealed to a report.
    pub fn seal_all(&self, report: &mut SealReport) -> Result<(), StoreError> {
        let mut sealer = sealer::Sealer::new(self.shared.clone(), Arc::new(AtomicBool::new(false)));
        let outcome = sealer.seal_earlier_runs();
        sealer.add_to(report);
        outcome
    }

    /// Changes with every commit.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.shared.commits.subscribe()
    }

    /// How many segments of the days that were asked for are still to be read before their lines are in answers, and how often
    /// one could not be read.
    pub fn unindexed(&self) -> (u64, u64) {
        let count = |indexing: &Arc<Indexing>| (indexing.unread(), indexing.failures.load(Ordering::Relaxed));
        self.shared.indexing.as_ref().map_or((0, 0), count)
    }

    /// What the store has done since it was opened.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// The bodies of the last minutes that may be sent again.
    pub fn remembered(&self) -> &Arc<Remembered> {
        &self.shared.remembered
    }

    /// Counts lines that were refused before they came here.
    pub(super) fn note_refused(&self, lines: u64, durability: Durability) {
        self.shared.count(lines, durability, false);
    }

    /// Why the last request was not stored; `None` while all is well.
    pub fn refusing(&self) -> Option<String> {
        self.shared.refusing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The time of the latest line. Opens the last days that were not yet asked for: not for async threads.
    pub fn last_time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.last_own_time()?.max(self.shared.foreign.last_time()))
    }

    fn last_own_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let days: Vec<Day> =
            self.shared.days.read().unwrap_or_else(PoisonError::into_inner).keys().rev().copied().collect();
        for day in days {
            let Some(cell) = self.shared.cell(day) else { continue };
            let Some(logs) = self.shared.open_if_there(day, &cell)? else { continue };
            // A day whose lines are all unread has some.
            let unread = logs.indexed_to(day);
            let last = Some(logs.watermark()).filter(|last| *last > Timestamp::MIN);
            if let Some(last) = last.or(unread) {
                return Ok(Some(last));
            }
        }
        Ok(None)
    }
}

impl Drop for LogStore {
    fn drop(&mut self) {
        drop(self.following.take());
        drop(self.queue.take());
        self.stop_sealing.store(true, Ordering::Relaxed);
        if let Some(indexing) = &self.shared.indexing {
            indexing.stop();
        }
        for thread in self.threads.drain(..) {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(thread = name, "a thread of the store has panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests;

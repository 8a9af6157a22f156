//! Points: a write-ahead log, what is in memory, and parts.
//!
//! A point is appended to its UTC day's log by the one writing thread, is then visible in that log's head in memory, and
//! moves with it into a part: an immutable file of columns. Readers take a [`Snapshot`], a list of parts and
//! heads, and never wait for the writer's disk. After a crash the logs that have no part yet are replayed; days
//! without such logs are opened when they are first asked for.

mod back_up;
mod catalog;
mod check;
mod column;
mod day;
mod day_names;
mod days;
mod find;
mod flush;
mod gather;
mod head;
mod lists;
mod note;
mod order;
mod part;
mod points;
mod rollup;
mod seal;
mod snapshot;
mod tag_index;
mod tagged;
#[cfg(test)]
mod tests;
mod wal;
mod walk;
mod writer;

pub use back_up::back_up;
pub use check::{FileReport, check_day};
pub use lists::Listing;
pub use points::{Even, Points, Times};
pub use rollup::{Rollup, STEPS as ROLLUP_STEPS};
pub use snapshot::Snapshot;
pub use tagged::{TagLookup, TagMatch};
pub use walk::Found;

use super::batch::{Durability, PointBatch};
use super::file_view::Reading;
use super::seal_report::SealReport;
use super::series_names::SeriesNames;
use super::{StoreError, layout};
use days::Days;
use flush::{Backlog, Message};
use sonde_shared::glob::Glob;
use sonde_shared::time::{Day, TimeRange, Timestamp};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, mpsc as std_mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, oneshot};
use writer::{Job, LetGo, Work, Writer};

/// What the names of Sonde's own figures begin with.
pub const OWN_FIGURES: &str = "sonde.";
/// How many batches wait for the writer before a sender has to.
const QUEUE_BATCHES: usize = 1_024;
/// How many points the waiting batches hold together, so that the queue's memory is bounded whatever their size.
const QUEUE_POINTS: usize = 1_000_000;
/// So many names of series that are not in use cost too little to begin a new table.
const SPARE_NAMES: usize = 20_000;
/// How often it is looked whether flushing is stuck.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// After a failed write, how long batches are refused before the disk is tried again.
const REFUSE_FOR: Duration = Duration::from_secs(1);

/// All days' points. Dropping it syncs what is queued and writes all that is in memory into parts.
pub struct MetricStore {
    shared: Arc<Shared>,
    jobs: Option<mpsc::Sender<Work>>,
    room: Arc<Semaphore>,
    threads: Vec<JoinHandle<()>>,
    stop_sealing: Arc<AtomicBool>,
}

/// What the store counts, for `/metrics` and for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetricStats {
    /// Points taken since the start.
    pub points_stored: u64,
    /// Points left out since the start: NaN, before 1678 or after 2261, or with a name of over 4,096 bytes.
    pub points_refused: u64,
    /// Points of senders that get no answer, lost to a failure of the disk since the start.
    pub points_lost: u64,
    /// Series that have points in memory, counted once a day and log.
    pub head_series: u64,
    /// Points in memory.
    pub head_points: u64,
    /// Parts that are open.
    pub parts: u64,
    /// Bytes in the write-ahead logs being written.
    pub wal_bytes: u64,
    /// Files that could not be read.
    pub damaged_files: u64,
    /// When a log was last synced, unix ms; 0 before the first time.
    pub last_sync_ms: i64,
}

/// When things happen. Tests set other values than the default ones.
#[derive(Clone)]
struct Options {
    flush_points: u64,
    flush_bytes: u64,
    flush_age: Duration,
    idle_after: Duration,
    sync_every: Duration,
    max_open_days: usize,
    max_backlog_points: u64,
    seals: bool,
    reading: Reading,
    disk: Arc<dyn wal::Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            flush_points: 2_000_000,
            flush_bytes: 48 << 20,
            flush_age: Duration::from_mins(30),
            idle_after: Duration::from_mins(1),
            sync_every: Duration::from_millis(500),
            max_open_days: 64,
            max_backlog_points: 4_000_000,
            seals: true,
            reading: Reading::Mapped,
            disk: Arc::new(wal::RealDisk),
        }
    }
}

/// What the store and its two threads share.
struct Shared {
    days: Days,
    backlog: Arc<Backlog>,
    counters: Counters,
    names: RwLock<Arc<SeriesNames>>,
    refused: Mutex<Option<(String, Instant)>>,
}

#[derive(Debug)]
struct Counters {
    stored: AtomicU64,
    refused: AtomicU64,
    lost: AtomicU64,
    wal_bytes: AtomicU64,
    last_sync_ms: AtomicI64,
}

impl MetricStore {
    /// Opens the points of a data folder: replays the logs that no part replaces, whatever else lies there.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_as(dir, true)
    }

    /// The same; whether finished days are sealed in the background is the caller's choice.
    pub fn open_as(dir: &Path, seals: bool) -> Result<Self, StoreError> {
        Self::open_reading(dir, seals, Reading::Mapped)
    }

    /// The same; how files are read too.
    pub fn open_reading(dir: &Path, seals: bool, reading: Reading) -> Result<Self, StoreError> {
        Self::open_with(dir, Options { seals, reading, ..Options::default() })
    }

    fn open_with(dir: &Path, options: Options) -> Result<Self, StoreError> {
        let (flusher, messages) = std_mpsc::channel();
        let backlog = Arc::new(Backlog::default());
        let days = Days::new(dir, options.reading, flusher, Arc::clone(&backlog));
        days.open_unflushed()?;
        let counters = Counters {
            stored: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            wal_bytes: AtomicU64::new(0),
            last_sync_ms: AtomicI64::new(0),
        };
        let (names, refused) = (RwLock::new(Arc::new(SeriesNames::shared())), Mutex::default());
        let shared = Arc::new(Shared { days, backlog: Arc::clone(&backlog), counters, names, refused });
        let (jobs, queue) = mpsc::channel(QUEUE_BATCHES);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(StoreError::io("start the writer of", dir))?;
        let seals = options.seals;
        let writer = Writer::new(Arc::clone(&shared), options);
        let writing = spawn("metric-writer", move || writer.run(&runtime, queue))
            .map_err(StoreError::io("start the writer of", dir))?;
        let (to_seal, tasks) = std_mpsc::channel();
        shared.days.cataloging().maker = Some(to_seal.clone());
        let flushing = spawn("metric-flusher", move || flush::run(&messages, &to_seal, &backlog));
        let flushing = flushing.map_err(StoreError::io("start the flusher of", dir))?;
        let stop_sealing = Arc::new(AtomicBool::new(false));
        let (of_all, stop) = (Arc::downgrade(&shared), Arc::clone(&stop_sealing));
        let sealing = spawn("metric-sealer", move || seal::run(&tasks, &of_all, seals, &stop));
        let sealing = sealing.map_err(StoreError::io("start the sealer of", dir))?;
        let threads = vec![writing, flushing, sealing];
        let room = Arc::new(Semaphore::new(QUEUE_POINTS));
        Ok(Self { shared, jobs: Some(jobs), room, threads, stop_sealing })
    }

    /// The names of series that batches should be made of at the moment: those that were sent lately are known in it.
    pub fn names(&self) -> Arc<SeriesNames> {
        Arc::clone(&self.shared.names.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends points; waits while the queue is full. A batch that failed may still be found partly stored later.
    pub async fn append(&self, batch: PointBatch, durability: Durability) -> Result<(), StoreError> {
        self.shared.check_writable()?;
        if batch.is_empty() {
            return Ok(());
        }
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        let points = batch.len().min(QUEUE_POINTS) as u32;
        let room = Arc::clone(&self.room).acquire_many_owned(points).await.map_err(|_closed| gone())?;
        if durability == Durability::Streamed {
            let job = Work::Append(Job { batch, ack: None, _room: room });
            return jobs.send(job).await.map_err(|_returned| gone());
        }
        let (ack, answer) = oneshot::channel();
        let job = Work::Append(Job { batch, ack: Some(ack), _room: room });
        jobs.send(job).await.map_err(|_returned| gone())?;
        answer.await.unwrap_or_else(|_dropped| Err(gone()))
    }

    /// Does work that takes the day's folder away, while no point is stored and none of its logs is open. Not for async
    /// threads.
    pub(super) fn without<T>(&self, day: Day, work: impl FnOnce() -> T) -> Result<T, StoreError> {
        let (ready, is_ready) = std_mpsc::channel();
        let (done, is_done) = std_mpsc::channel();
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        let let_go = LetGo { day, ready, is_done };
        jobs.blocking_send(Work::LetGo(let_go)).map_err(|_returned| gone())?;
        is_ready.recv().map_err(|_gone| gone())?;
        let outcome = work();
        drop::<std_mpsc::Sender<()>>(done);
        let has_forgotten = is_ready.recv();
        debug_assert!(
            has_forgotten.is_err(),
            "the writer drops its end when the day is forgotten, and sends nothing"
        );
        Ok(outcome)
    }

    /// Seals all that the folder has, today included, and adds it to a report. Not for async threads, nor beside writers.
    pub fn seal_all(&self, report: &mut SealReport) -> Result<(), StoreError> {
        // Points of a log that a crash left become a part first.
        self.shared.wait_for_flusher()?;
        for day in layout::list_days(&self.shared.days.data)? {
            if let Some(points) = seal::seal(&*self.shared.days.get(day)?, &self.stop_sealing)? {
                report.points += points;
                report.days.insert(day);
            }
        }
        gather::refresh(&self.shared.days, true, &|| self.stop_sealing.load(Ordering::Relaxed))
    }

    /// The nodes that a pattern names on the days that a range touches, by path. What stands behind a name's `;` (tags) belongs
    /// to its last node. May read files: call it where blocking is fine.
    pub fn find(&self, range: TimeRange, glob: &Glob) -> Result<Vec<Found>, StoreError> {
        self.shared.days.find(range, glob)
    }

    /// The names of all series on the days that a range touches, in order, each once. Opens no day that the catalog covers.
    pub fn listing(&self, range: TimeRange) -> Result<Listing, StoreError> {
        Ok(Listing::all(self.shared.days.lists(range)?))
    }

    /// The tagged series on the days that a range touches. Opens no day that the catalog covers.
    pub fn tagged(&self, range: TimeRange) -> Result<TagLookup, StoreError> {
        Ok(TagLookup::of(self.shared.days.lists(range)?))
    }

    /// The first and the last second of the days that a range touches in which a series of each name has a point; `None` where
    /// there is none.
    pub fn spans(&self, range: TimeRange, names: &[&str]) -> Result<Vec<Option<(i64, i64)>>, StoreError> {
        self.shared.days.spans(range, names)
    }

    /// What is stored of the days that a range touches, as of now. May read files: call it where blocking is fine.
    pub fn snapshot(&self, range: TimeRange) -> Result<Snapshot, StoreError> {
        self.shared.days.snapshot(range)
    }

    /// The latest point's time on the last day that has points of others than Sonde itself; `None` while there is none. May read
    /// files: call it where blocking is fine.
    pub fn last_point(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.shared.days.last_point()?.map(Timestamp::from_secs))
    }

    /// Counts points that were refused before they came here.
    pub(super) fn note_refused(&self, points: u64, durability: Durability) {
        if durability == Durability::Streamed {
            self.shared.counters.lost.fetch_add(points, Ordering::Relaxed);
        }
    }

    /// Why points are refused at the moment; `None` while they are taken.
    pub fn refusing(&self) -> Option<String> {
        self.shared.check_writable().err().map(|error| error.to_string())
    }

    /// Points taken since the start. Changes with whatever a query could find new.
    pub fn points_stored(&self) -> u64 {
        self.shared.counters.stored.load(Ordering::Relaxed)
    }

    /// The store's counters.
    pub fn stats(&self) -> MetricStats {
        let counters = &self.shared.counters;
        let mut stats = MetricStats {
            points_stored: counters.stored.load(Ordering::Relaxed),
            points_refused: counters.refused.load(Ordering::Relaxed),
            points_lost: counters.lost.load(Ordering::Relaxed),
            wal_bytes: counters.wal_bytes.load(Ordering::Relaxed),
            damaged_files: self.shared.days.damaged.load(Ordering::Relaxed),
            last_sync_ms: counters.last_sync_ms.load(Ordering::Relaxed),
            ..MetricStats::default()
        };
        self.shared.days.count(&mut stats);
        stats
    }
}

impl Drop for MetricStore {
    fn drop(&mut self) {
        self.stop_sealing.store(true, Ordering::Relaxed);
        // The writer ends when no sender is left, and has then queued all that is in memory to be flushed.
        drop(self.jobs.take());
        let mut threads = self.threads.drain(..);
        let mut join = || threads.next().is_some_and(|thread| thread.join().is_err());
        let mut has_panicked = join();
        self.shared.backlog.close();
        self.shared.flush(Message::Close);
        has_panicked |= join();
        self.shared.days.cataloging().maker = None;
        // With the flusher the last one has gone who tells days to be sealed.
        has_panicked |= threads.next().is_some_and(|thread| thread.join().is_err());
        if has_panicked {
            tracing::error!(
                "a thread of the metric store panicked; its write-ahead logs are replayed at the next start"
            );
        }
    }
}

impl fmt::Debug for MetricStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricStore").field("data", &self.shared.days.data).finish_non_exhaustive()
    }
}

fn gone() -> StoreError {
    writer::read_only("the store is closing")
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

impl Shared {
    fn flush(&self, message: Message) {
        self.days.queue(message);
    }

    /// Waits until what is queued has become parts; fails with the reason when flushing is stuck.
    fn wait_for_flusher(&self) -> Result<(), StoreError> {
        let (waiting, is_dropped) = std_mpsc::channel();
        self.flush(Message::Tell(waiting));
        while is_dropped.recv_timeout(LOOK_AGAIN) == Err(std_mpsc::RecvTimeoutError::Timeout) {
            if let Some(why) = self.backlog.failing() {
                return Err(writer::read_only(&why));
            }
        }
        Ok(())
    }

    fn note_sync(&self) {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        self.counters.last_sync_ms.store(since.as_millis() as i64, Ordering::Relaxed);
    }

    /// Begins a new table of names when most of the old one's are not in use: those of series that are sent no more.
    fn renew_names(&self, in_use: usize) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        if names.len() > 2 * in_use + SPARE_NAMES {
            *names = Arc::new(SeriesNames::shared());
        }
    }

    fn refused(&self) -> MutexGuard<'_, Option<(String, Instant)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse_writes(&self, why: &str) {
        *self.refused() = Some((why.to_owned(), Instant::now()));
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        match &*self.refused() {
            Some((why, since)) if since.elapsed() < REFUSE_FOR => Err(writer::read_only(why)),
            _ => Ok(()),
        }
    }
}

//! The one thread that appends: many clients' batches become one commit.
//!
//! A commit writes each day's rows to that day's write-ahead log, syncs what must be on disk, makes the points visible and
//! answers. After a failed write or sync the log is closed for good: a later commit opens the next number, and until
//! that works writes are refused.

use super::head::{Head, Staged};
use super::points::DAY_SECS;
use super::wal::{MAX_SERIES_BYTES, Records, WalFile};
use super::{Options, Shared, day::DayState, day::remove, day::wal_path, flush::Message};
use crate::store::batch::{PointBatch, PointRow};
use crate::store::series_names::SeriesNames;
use crate::store::{StoreError, files};
use sonde_shared::time::Day;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// The most points of a commit, unless one batch has more.
const MAX_COMMIT_POINTS: usize = 1 << 20;
/// From 1678 to 2261: the whole years that a `Timestamp` reaches.
const STORABLE_SECS: std::ops::Range<i64> = -9_214_560_000..9_214_646_400;
const UNSET: u32 = u32::MAX;
/// A log is not full before it has so many points of each series, on average, or so many bytes for each of these.
const LEAST_EACH: u64 = 8;
const LEAST_BYTES: u64 = 24;

/// A batch and who waits for it to be on disk; nobody where the sender gets no answer.
pub(super) struct Job {
    pub(super) batch: PointBatch,
    pub(super) ack: Option<oneshot::Sender<Result<(), StoreError>>>,
    /// Its share of the queue, free again when it is committed.
    pub(super) _room: OwnedSemaphorePermit,
}

/// What the writer is asked for, in the order in which it is done.
pub(super) enum Work {
    Append(Job),
    LetGo(LetGo),
}

/// To let go of a day whose folder is to be taken away, and to wait meanwhile.
pub(super) struct LetGo {
    pub(super) day: Day,
    /// Told once no file of the day is open; dropped once the day is forgotten.
    pub(super) ready: Sender<()>,
    /// Its sender goes when the folder has.
    pub(super) is_done: Receiver<()>,
}

/// A day that is written to.
struct OpenDay {
    state: Arc<DayState>,
    head: Arc<Head>,
    path: PathBuf,
    file: Box<dyn WalFile>,
    records: Records,
    numbers: KnownNumbers,
    /// Written and not visible yet.
    staged: Vec<Staged>,
    is_dirty: bool,
    bytes: u64,
    opened: Instant,
    last_write: Instant,
}

/// The numbers in a day's log of the names of a table.
#[derive(Default)]
struct KnownNumbers {
    /// The table; it is kept so that no other can take its address.
    names: Arc<SeriesNames>,
    numbers: Vec<u32>,
}

impl KnownNumbers {
    /// What is known of a table's names: all that was learned of the same one before, else nothing.
    fn take(&mut self, names: &Arc<SeriesNames>) -> Self {
        if Arc::ptr_eq(&self.names, names) {
            return std::mem::take(self);
        }
        Self { names: Arc::clone(names), numbers: Vec::new() }
    }

    fn get(&self, series: u32) -> u32 {
        self.numbers.get(series as usize).copied().unwrap_or(UNSET)
    }

    fn set(&mut self, series: u32, number: u32) {
        if self.numbers.len() <= series as usize {
            self.numbers.resize(series as usize + 1, UNSET);
        }
        self.numbers[series as usize] = number;
    }
}

/// Neighbouring rows of one batch that fall on one day.
struct Unit {
    job: usize,
    rows: Range<usize>,
}

/// The writing thread's own.
pub(super) struct Writer {
    shared: Arc<Shared>,
    options: Options,
    open: BTreeMap<Day, OpenDay>,
    unsynced_since: Option<Instant>,
    /// Days whose log failed in the running commit, and why.
    failures: BTreeMap<Day, String>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, options: Options) -> Self {
        Self { shared, options, open: BTreeMap::new(), unsynced_since: None, failures: BTreeMap::new() }
    }

    /// Commits until the senders are gone, then closes every day.
    pub(super) fn run(mut self, runtime: &tokio::runtime::Runtime, mut jobs: mpsc::Receiver<Work>) {
        loop {
            let next = runtime.block_on(async { tokio::time::timeout(self.patience(), jobs.recv()).await });
            match next {
                Ok(Some(Work::Append(job))) => {
                    let (jobs, then) = gather(job, &mut jobs);
                    self.commit(jobs);
                    if let Some(let_go) = then {
                        self.let_go(&let_go);
                    }
                }
                Ok(Some(Work::LetGo(let_go))) => self.let_go(&let_go),
                Ok(None) => break,
                Err(_elapsed) => {}
            }
            self.keep_house();
        }
        let days: Vec<Day> = self.open.keys().copied().collect();
        for day in days {
            self.close(day);
        }
    }

    /// Forgets a day and waits while its folder is taken away.
    fn let_go(&mut self, LetGo { day, ready, is_done }: &LetGo) {
        // Nothing of it is flushed. Should the folder stay, the log in it is replayed when the day is next asked for.
        self.open.remove(day);
        self.shared.days.forget(*day);
        if ready.send(()).is_ok() {
            let gone = is_done.recv();
            debug_assert!(gone.is_err(), "nothing is ever sent: the sender goes when the folder has");
        }
        // A query may have opened the day again before the folder went.
        self.shared.days.forget(*day);
    }

    /// How long to wait for a batch before something else is due.
    fn patience(&self) -> Duration {
        match self.unsynced_since {
            Some(since) => self.options.sync_every.saturating_sub(since.elapsed()),
            None if self.open.is_empty() => Duration::from_mins(1),
            None => Duration::from_secs(1),
        }
    }

    fn commit(&mut self, mut jobs: Vec<Job>) {
        if let Err(why) = self.shared.backlog.wait_for_room(self.options.max_backlog_points) {
            self.shared.refuse_writes(&why);
            return self.answer(&mut jobs, &[], Some(&why));
        }
        let by_day = self.split(&jobs);
        let must_sync = jobs.iter().any(|job| job.ack.is_some());
        for (day, units) in &by_day {
            if let Err(why) = self.write(*day, &jobs, units) {
                self.shared.refuse_writes(&why);
                self.failures.insert(*day, why);
            } else if !must_sync {
                self.apply(*day);
            }
        }
        if must_sync {
            self.sync_all();
        } else if self.unsynced_since.is_none() {
            self.unsynced_since = Some(Instant::now());
        }
        self.answer(&mut jobs, &by_day, None);
    }

    /// Sorts the rows of all batches by day. What cannot be stored is counted and left out.
    fn split(&self, jobs: &[Job]) -> Vec<(Day, Vec<Unit>)> {
        let mut by_day: BTreeMap<Day, Vec<Unit>> = BTreeMap::new();
        let mut refused = 0;
        for (job, Job { batch, .. }) in jobs.iter().enumerate() {
            let mut at = 0;
            while let Some(first) = batch.rows.get(at) {
                let number = first.ts_secs.div_euclid(DAY_SECS);
                let fits =
                    |row: &&PointRow| row.ts_secs.div_euclid(DAY_SECS) == number && is_storable(batch, row);
                let len = batch.rows[at..].iter().take_while(fits).count();
                if len == 0 {
                    refused += 1;
                } else {
                    let units = by_day.entry(Day::from_number(number)).or_default();
                    units.push(Unit { job, rows: at..at + len });
                }
                at += len.max(1);
            }
        }
        self.shared.counters.refused.fetch_add(refused, Ordering::Relaxed);
        by_day.into_iter().collect()
    }

    /// Appends the rows of one day to its log.
    fn write(&mut self, day: Day, jobs: &[Job], units: &[Unit]) -> Result<(), String> {
        self.make_room(day);
        let open = self.open_day(day).map_err(|error| error.with_source())?;
        for unit in units {
            open.stage(&jobs[unit.job].batch, unit.rows.clone());
        }
        open.records.finish();
        open.is_dirty = true;
        open.last_write = Instant::now();
        open.bytes += open.records.bytes.len() as u64;
        let written = open.file.append(&open.records.bytes);
        open.records.bytes.clear();
        written.map_err(|error| self.retire(day, "write", &error))
    }

    /// Closes the day that was written to longest ago, so that the number of open files stays bounded.
    fn make_room(&mut self, wanted: Day) {
        if self.open.len() < self.options.max_open_days || self.open.contains_key(&wanted) {
            return;
        }
        let oldest = self.open.iter().min_by_key(|(_, open)| open.last_write).map(|(day, _)| *day);
        if let Some(day) = oldest {
            self.close(day);
        }
    }

    fn open_day(&mut self, day: Day) -> Result<&mut OpenDay, StoreError> {
        if !self.open.contains_key(&day) {
            let state = self.shared.days.get(day)?;
            let opened = self.create_log(state)?;
            self.open.insert(day, opened);
        }
        Ok(self.open.get_mut(&day).expect("it was just opened"))
    }

    fn create_log(&self, state: Arc<DayState>) -> Result<OpenDay, StoreError> {
        files::create_dir(&state.dir)?;
        let number = state.next_number()?;
        let path = wal_path(&state.dir, number);
        let file = self.options.disk.create(&path)?;
        let head = Arc::new(Head::new(number));
        state.add_head(Arc::clone(&head));
        let records = Records::of_log(number);
        let (opened, last_write) = (Instant::now(), Instant::now());
        Ok(OpenDay {
            state,
            head,
            path,
            file,
            records,
            numbers: KnownNumbers::default(),
            staged: Vec::new(),
            is_dirty: false,
            bytes: 0,
            opened,
            last_write,
        })
    }

    /// Makes what was written to a day visible.
    fn apply(&mut self, day: Day) {
        let Some(open) = self.open.get_mut(&day) else { return };
        open.head.apply(&open.staged);
        self.shared.counters.stored.fetch_add(open.staged.len() as u64, Ordering::Relaxed);
        open.staged.clear();
    }

    /// Syncs every log with unsynced records and makes their points visible.
    fn sync_all(&mut self) {
        let dirty: Vec<Day> =
            self.open.iter().filter(|(_, open)| open.is_dirty).map(|(day, _)| *day).collect();
        for day in dirty {
            self.sync(day);
        }
        self.unsynced_since = None;
    }

    fn sync(&mut self, day: Day) {
        let Some(open) = self.open.get_mut(&day) else { return };
        match open.file.sync() {
            Ok(()) => {
                open.is_dirty = false;
                self.shared.note_sync();
                self.apply(day);
            }
            Err(error) => {
                let why = self.retire(day, "sync", &error);
                self.failures.insert(day, why);
            }
        }
    }

    /// After a failure: the log is never written again. What was visible from it goes into a part; what was not is gone.
    fn retire(&mut self, day: Day, action: &str, error: &std::io::Error) -> String {
        let Some(open) = self.open.remove(&day) else { return String::new() };
        let why = format!("could not {action} {}: {error}", open.path.display());
        tracing::error!(why, "a log of points is closed after a failure");
        self.shared.refuse_writes(&why);
        self.hand_over(&open);
        why
    }

    /// Syncs a day's log and gives its points to be flushed.
    fn close(&mut self, day: Day) {
        if self.open.get(&day).is_some_and(|open| open.is_dirty) {
            self.sync(day);
        }
        if let Some(open) = self.open.remove(&day) {
            self.hand_over(&open);
        }
    }

    fn hand_over(&self, open: &OpenDay) {
        let in_use = self.open.values().map(|open| open.head.series_count()).sum::<usize>();
        self.shared.renew_names(in_use + open.head.series_count());
        if open.head.point_count() > 0 {
            self.shared.flush(Message::Flush(Arc::clone(&open.state), Arc::clone(&open.head)));
        } else {
            open.state.remove_head(open.head.number);
            remove(&open.path);
        }
    }

    /// Syncs in time and closes logs that are full, old or idle.
    fn keep_house(&mut self) {
        if self.unsynced_since.is_some_and(|since| since.elapsed() >= self.options.sync_every) {
            self.sync_all();
        }
        // Nobody waits for these; that they failed was logged, and points not yet visible were counted as lost.
        self.failures.clear();
        let today = today();
        let due = |(day, open): (&Day, &OpenDay)| {
            let is_idle = *day != today && open.last_write.elapsed() >= self.options.idle_after;
            (is_idle || open.is_full(&self.options)).then_some(*day)
        };
        let due: Vec<Day> = self.open.iter().filter_map(due).collect();
        for day in due {
            let to_seal = self.open.get(&day).filter(|_| day != today).map(|open| open.state.to_seal());
            self.close(day);
            if let Some(to_seal) = to_seal {
                self.shared.flush(Message::Idle(to_seal));
            }
        }
        self.shared
            .counters
            .wal_bytes
            .store(self.open.values().map(|open| open.bytes).sum(), Ordering::Relaxed);
    }

    /// Tells each client how its batch went; a batch fails when any of its days did.
    fn answer(&mut self, jobs: &mut [Job], by_day: &[(Day, Vec<Unit>)], refused: Option<&str>) {
        let mut why: Vec<Option<&str>> = vec![refused; jobs.len()];
        for (day, units) in by_day {
            let Some(reason) = self.failures.get(day) else { continue };
            for unit in units {
                why[unit.job] = Some(reason);
                if jobs[unit.job].ack.is_none() {
                    self.shared.counters.lost.fetch_add(unit.rows.len() as u64, Ordering::Relaxed);
                }
            }
        }
        for (job, why) in jobs.iter_mut().zip(why) {
            match (job.ack.take(), why) {
                // A client that went away needs no answer.
                (Some(ack), why) => drop(ack.send(why.map_or(Ok(()), |why| Err(read_only(why))))),
                (None, Some(_)) if refused.is_some() => {
                    self.shared.counters.lost.fetch_add(job.batch.len() as u64, Ordering::Relaxed);
                }
                (None, _) => {}
            }
        }
        self.failures.clear();
    }
}

impl OpenDay {
    fn stage(&mut self, batch: &PointBatch, rows: Range<usize>) {
        let mut numbers = self.numbers.take(&batch.series);
        for PointRow { series, ts_secs, value } in &batch.rows[rows] {
            let mut number = numbers.get(*series);
            if number == UNSET {
                let name = batch.series.name(*series);
                let (given, is_new) = self.head.intern(&name);
                if is_new {
                    self.records.push_name(&name);
                }
                numbers.set(*series, given);
                number = given;
            }
            let row = (number, ts_secs.rem_euclid(DAY_SECS) as u32, *value);
            self.records.push_point(row);
            self.staged.push(row);
        }
        // Nobody else has a name by a number of a table of its own.
        if batch.series.is_shared() {
            self.numbers = numbers;
        }
    }

    fn is_full(&self, options: &Options) -> bool {
        // A part of very many series must have some points of each, or it is nearly all names.
        let least = LEAST_EACH * self.head.series_count() as u64;
        self.head.point_count() >= options.flush_points.max(least)
            || self.bytes >= options.flush_bytes.max(least * LEAST_BYTES)
            || self.opened.elapsed() >= options.flush_age
    }
}

/// The first batch and all that wait behind it, up to a commit's size or to what is not to be committed.
fn gather(first: Job, waiting: &mut mpsc::Receiver<Work>) -> (Vec<Job>, Option<LetGo>) {
    let mut points = first.batch.len();
    let mut jobs = vec![first];
    while points < MAX_COMMIT_POINTS {
        match waiting.try_recv() {
            Ok(Work::Append(job)) => {
                points += job.batch.len();
                jobs.push(job);
            }
            Ok(Work::LetGo(let_go)) => return (jobs, Some(let_go)),
            Err(_none) => break,
        }
    }
    (jobs, None)
}

fn is_storable(batch: &PointBatch, row: &PointRow) -> bool {
    STORABLE_SECS.contains(&row.ts_secs)
        && !row.value.is_nan()
        && (batch.series.longest() <= MAX_SERIES_BYTES
            || batch.series.name(row.series).len() <= MAX_SERIES_BYTES)
}

pub(super) fn read_only(why: &str) -> StoreError {
    StoreError::ReadOnly { why: why.to_owned() }
}

pub(super) fn today() -> Day {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Day::from_number(since.as_secs() as i64 / DAY_SECS)
}

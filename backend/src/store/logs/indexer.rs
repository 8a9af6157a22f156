//! Reads unread segments in the background, one after the other, while all others are served.
//!
//! The day that was asked for last comes first, in it the segments by number. A segment is read without any lock; only when
//! it is whole is the day locked for a moment, and only if it is still the same day and file does the segment take its place.
//! Until then nothing of it is on disk under its name, so a kill in the midst means to begin again.

use super::day::DayLogs;
use super::segment::{Effort, NewIndex, Paths, Segment, tell_unsaved};
use super::unread::Unread;
use super::{DayCell, Shared};
use crate::priority::step_back;
use crate::store::file_view::{Reading, caught};
use crate::store::layout::day_dir;
use crate::store::{StoreError, files};
use sonde_shared::time::Day;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Opening a day reads no more of a segment: some tens of milliseconds. What a crash leaves behind an index mostly is less.
const AT_ONCE: Effort<'static> = Effort::up_to(4 << 20, 64 << 20);
/// When what could not be read is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// The days that have unread segments.
#[derive(Debug)]
pub(super) struct Indexing {
    /// Whoever opens a day goes so far for a segment.
    pub(super) at_once: Effort<'static>,
    retry: Duration,
    days: Mutex<Days>,
    changed: Condvar,
    is_stopped: AtomicBool,
    /// How often a segment could not be read.
    pub(super) failures: AtomicU64,
}

#[derive(Debug, Default)]
struct Days {
    /// The last one comes next.
    waiting: Vec<(Day, Arc<DayLogs>)>,
    /// Tests look around before a segment is begun, or before it is put in its place.
    #[cfg(test)]
    gate: super::tests::Gate,
}

impl Default for Indexing {
    fn default() -> Self {
        Self::new(AT_ONCE, RETRY)
    }
}

impl Indexing {
    pub(super) fn new(at_once: Effort<'static>, retry: Duration) -> Self {
        Self {
            at_once,
            retry,
            days: Mutex::default(),
            changed: Condvar::new(),
            is_stopped: AtomicBool::new(false),
            failures: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Days> {
        self.days.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody asks for a day: it comes next, if it has unread segments.
    pub(super) fn ask(&self, day: Day, logs: &Arc<DayLogs>) {
        if logs.unread().is_empty() {
            return;
        }
        let mut days = self.lock();
        days.waiting.retain(|(_, other)| !Arc::ptr_eq(other, logs));
        days.waiting.push((day, logs.clone()));
        self.changed.notify_all();
    }

    /// Nobody asks for a day, but its segments are to be sealed: it comes after all others.
    pub(super) fn ask_last(&self, day: Day, logs: &Arc<DayLogs>) {
        let mut days = self.lock();
        if !(logs.unread().is_empty() || days.waiting.iter().any(|(_, other)| Arc::ptr_eq(other, logs))) {
            days.waiting.insert(0, (day, logs.clone()));
            self.changed.notify_all();
        }
    }

    /// How many segments of the days that were opened are unread.
    pub(super) fn unread(&self) -> u64 {
        self.lock().waiting.iter().map(|(_, logs)| logs.unread().len() as u64).sum()
    }

    /// Makes the thread end soon.
    pub(super) fn stop(&self) {
        let _days = self.lock();
        self.is_stopped.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    #[cfg(test)]
    pub(super) fn set_gate(&self, gate: super::tests::Gate) {
        self.lock().gate = gate;
        self.changed.notify_all();
    }

    /// Waits while a test holds the thread at such a gate.
    #[cfg(test)]
    fn pass(&self, gate: super::tests::Gate) {
        let is_closed = |days: &mut Days| days.gate == gate && !self.is_stopped.load(Ordering::Relaxed);
        drop(self.changed.wait_while(self.lock(), is_closed));
    }

    /// The segment that is to be read next, once there is one; `None` at the end.
    fn next(&self) -> Option<(Day, Arc<DayLogs>, Unread)> {
        #[cfg(test)]
        self.pass(super::tests::Gate::BeforeReading);
        let mut days = self.lock();
        while !self.is_stopped.load(Ordering::Relaxed) {
            days.waiting.retain(|(_, logs)| !logs.unread().is_empty());
            let now = Instant::now();
            let due = |(day, logs): &(Day, Arc<DayLogs>)| Some((*day, logs.clone(), logs.next_unread(now)?));
            if let Some(due) = days.waiting.iter().rev().find_map(due) {
                return Some(due);
            }
            let waited = self.changed.wait_timeout(days, self.retry);
            days = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }
}

/// The thread that reads them.
pub(super) struct Indexer {
    shared: Arc<Shared>,
    indexing: Arc<Indexing>,
    /// Where segments go that are to be sealed.
    finished: Sender<Arc<Segment>>,
}

impl Indexer {
    pub(super) fn new(shared: Arc<Shared>, indexing: Arc<Indexing>, finished: Sender<Arc<Segment>>) -> Self {
        Self { shared, indexing, finished }
    }

    /// Works until it is told to stop.
    pub(super) fn run(self) {
        step_back();
        while let Some((day, logs, unread)) = self.indexing.next() {
            let read = caught(|| self.index(day, &logs, &unread)).flatten();
            let Err(error) = read else { continue };
            self.indexing.failures.fetch_add(1, Ordering::Relaxed);
            let (number, error) = (unread.number, &error as &dyn std::error::Error);
            tracing::warn!(%day, number, error, "a segment's lines cannot be read yet, and are in no answer");
            logs.put_off(number, Instant::now() + self.indexing.retry);
        }
    }

    fn index(&self, day: Day, logs: &Arc<DayLogs>, unread: &Unread) -> Result<(), StoreError> {
        let dir = day_dir(&self.shared.dir, day);
        let (number, paths) = (unread.number, Paths::new(&dir, unread.number));
        let effort = Effort { stop: &self.indexing.is_stopped, ..Effort::ALL };
        let begun = Instant::now();
        tracing::info!(%day, number, "the index of a segment is made again");
        let watermark = logs.watermark_before(number);
        let read = Segment::read(&dir, day, number, watermark, &self.shared.opening, effort);
        if unread.has_left(&paths) {
            tracing::warn!(%day, number, "a segment has gone before its lines were read");
            logs.forget_unread(number);
            return Ok(());
        }
        // Without one it was stopped.
        let Some((segment, index)) = read? else { return Ok(()) };
        let reading = self.shared.opening.reading;
        let beside = index.and_then(|index| prepare(&paths, &segment, &index, reading));
        let lines = segment.published().rows;
        self.install((day, logs), unread, &paths, Arc::new(segment), beside.as_deref())?;
        let seconds = format!("{:.1}", begun.elapsed().as_secs_f64());
        tracing::info!(%day, number, lines, seconds, "the index of a segment was made again");
        Ok(())
    }

    /// Puts a segment in its place, unless its day has been deleted meanwhile, and perhaps made anew.
    fn install(
        &self,
        (day, logs): (Day, &Arc<DayLogs>),
        unread: &Unread,
        paths: &Paths,
        segment: Arc<Segment>,
        beside: Option<&Path>,
    ) -> Result<(), StoreError> {
        #[cfg(test)]
        self.indexing.pass(super::tests::Gate::BeforeShowing);
        let cell = self.shared.cell(day);
        // Whoever takes the day's folder away has done so or waits.
        let opened = cell.as_deref().map(DayCell::lock);
        let is_same = |opened: &Option<Arc<DayLogs>>| opened.as_ref().is_some_and(|is| Arc::ptr_eq(is, logs));
        let is_current = opened.as_deref().is_some_and(is_same)
            && logs.is_unread(unread.number)
            && !unread.has_left(paths);
        if !is_current {
            logs.forget_unread(unread.number);
            return beside.map_or(Ok(()), files::remove);
        }
        let named = beside.map(|beside| files::rename(beside, &paths.index));
        logs.show(segment.clone());
        drop(opened);
        self.shared.note_growth();
        // At a stop nobody seals any more; the next start does.
        drop(self.finished.send(segment));
        // The blocks are mapped whatever the file is called; the next start tries again.
        if let Some(Err(error)) = named.map(|named| named.and_then(|()| files::sync_parent(&paths.index))) {
            tell_unsaved(&error);
        }
        Ok(())
    }
}

/// Writes a segment's index beside its place, and has the segment read from there. `None` where it cannot be written: the
/// blocks in memory answer as well.
fn prepare(paths: &Paths, segment: &Segment, index: &NewIndex, reading: Reading) -> Option<PathBuf> {
    let written = files::write_beside(&paths.index, &index.bytes);
    let beside = written.inspect_err(tell_unsaved).ok()?;
    if let Ok(Some(published)) = index.in_file(&beside, reading) {
        segment.publish(published);
    }
    Some(beside)
}

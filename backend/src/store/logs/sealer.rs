//! Seals finished segments in the background, one after the other.
//!
//! A segment that cannot be sealed now (a full disk) stays as it is, answers as before, and is tried again later. Segments
//! that an earlier run left are sealed after the start.

use super::segment::{self, Paths, Segment};
use super::text::Text;
use super::{DayLogs, Shared, sealed};
use crate::priority::step_back;
use crate::store::StoreError;
use crate::store::file_view::caught;
use crate::store::layout::{day_dir, list_days};
use crate::store::seal_report::SealReport;
use sonde_shared::time::Day;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// When what could not be sealed is tried again.
const RETRY: Duration = Duration::from_mins(1);

pub(super) struct Sealer {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    /// Finished and not sealed yet.
    waiting: Vec<Arc<Segment>>,
    /// What earlier runs left and was sealed.
    done: SealReport,
}

impl Sealer {
    pub(super) fn new(shared: Arc<Shared>, stop: Arc<AtomicBool>) -> Self {
        Self { shared, stop, waiting: Vec::new(), done: SealReport::default() }
    }

    /// Works until every sender is gone or it is told to stop.
    pub(super) fn run(mut self, finished: &Receiver<Arc<Segment>>) {
        step_back();
        // Each failure was logged, and is tried again below.
        drop(self.seal_earlier_runs());
        loop {
            match finished.recv_timeout(RETRY) {
                Ok(segment) => self.waiting.push(segment),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            for segment in std::mem::take(&mut self.waiting) {
                if self.is_stopped() {
                    return;
                }
                if let Err(error) = self.seal(&segment) {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a segment could not be sealed yet"
                    );
                    self.waiting.push(segment);
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Seals what earlier runs left, each day once; the first error, if there was one.
    pub(super) fn seal_earlier_runs(&mut self) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for day in list_days(&self.shared.dir)? {
            if self.is_stopped() {
                break;
            }
            if let Err(error) = self.seal_day(day) {
                tracing::warn!(%day, error = &error as &dyn std::error::Error, "a day could not be sealed");
                outcome = outcome.and(Err(error));
            }
        }
        outcome
    }

    fn seal_day(&mut self, day: Day) -> Result<(), StoreError> {
        let numbers = segment::open_numbers(&day_dir(&self.shared.dir, day))?;
        if numbers.is_empty() {
            return Ok(());
        }
        let mut outcome = Ok(());
        // Those that are being written come by themselves when they are finished, and unread ones when they are read.
        let segments = self.shared.peek(day)?.segments().clone();
        for segment in segments.iter().filter(|segment| segment.is_finished()) {
            match self.seal(segment) {
                Ok(true) => {
                    self.done.days.insert(day);
                    self.done.segments += 1;
                    self.done.lines += u64::from(segment.published().rows);
                }
                Ok(false) => {}
                Err(error) => {
                    self.waiting.push(segment.clone());
                    outcome = outcome.and(Err(error));
                }
            }
        }
        outcome
    }

    /// Adds what was sealed of earlier runs.
    pub(super) fn add_to(self, report: &mut SealReport) {
        report.days.extend(self.done.days);
        report.segments += self.done.segments;
        report.lines += self.done.lines;
    }

    /// Seals a segment that is not sealed yet and whose folder is still there; whether it has its sealed form only now.
    pub(super) fn seal(&self, segment: &Arc<Segment>) -> Result<bool, StoreError> {
        let _one_at_a_time = self.shared.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = day_dir(&self.shared.dir, segment.day());
        let paths = Paths::new(&dir, segment.number());
        if segment.published().rows == 0 || !is_current(segment, &paths) {
            return Ok(false);
        }
        self.shared.remembered.save(&self.shared.dir)?;
        let prepared = match segment.form() {
            // A crash came between the two forms.
            Text::Sealed(_) => None,
            Text::Foreign(_) => return Ok(false),
            Text::Open(_) => match caught(|| sealed::prepare(&paths, segment, &self.stop)).flatten() {
                Err(_) if !is_current(segment, &paths) => return Ok(false),
                prepared => Some(prepared?),
            },
        };
        let cell = self.shared.cell(segment.day());
        // Whoever opens the day now waits until the files are those of one form. Who takes its folder away has done so or waits.
        let opened = cell.as_ref().map(|cell| cell.lock());
        let Some(opened) = opened.filter(|_| is_current(segment, &paths)) else {
            return prepared.map_or(Ok(()), |prepared| prepared.give_up()).map(|()| false);
        };
        let Some(prepared) = prepared else { return sealed::remove_open_form(&paths).map(|()| false) };
        sealed::install(&paths, &prepared)?;
        opened.as_ref().map_or(Ok(()), |logs| self.swap(logs, &dir, segment.number()))?;
        Ok(true)
    }

    /// Puts the sealed form in the open one's place for queries to come; those under way keep the open one.
    fn swap(&self, logs: &DayLogs, dir: &Path, number: u32) -> Result<(), StoreError> {
        let find = |segments: &[Arc<Segment>]| segments.iter().position(|other| other.number() == number);
        let known = {
            let segments = logs.segments();
            find(&segments).map(|at| segments[at].clone())
        };
        let Some(known) = known else { return Ok(()) };
        let sealed = Arc::new(known.reopened(dir, &self.shared.opening)?);
        let mut segments = logs.segments_mut();
        if let Some(at) = find(&segments) {
            segments[at] = sealed;
        }
        Ok(())
    }
}

/// Whether the files of this number are the segment's own. A folder that was deleted may have been made again, with others.
fn is_current(segment: &Segment, paths: &Paths) -> bool {
    match segment.form() {
        Text::Open(text) => text.is_at(&paths.text),
        // Where there is a sealed form the open one of the same number counts no more, whichever segment it was of.
        Text::Sealed(_) => paths.text.exists() && sealed::is_whole(&paths.sealed),
        // Its files are not here, and it is never sealed.
        Text::Foreign(_) => false,
    }
}

//! Seals finished segments in the background, one after the other.
//!
//! A segment that cannot be sealed now (a full disk) stays as it is, answers as before, and is tried again later. Segments
//! that an earlier run left are sealed after the start.

use super::segment::{self, Paths, Segment};
use super::{Shared, sealed};
use crate::store::StoreError;
use crate::store::layout::{day_dir, list_days};
use sonde_shared::time::Day;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// When what could not be sealed is tried again.
const RETRY: Duration = Duration::from_secs(60);

pub(super) struct Sealer {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    /// Finished and not sealed yet.
    waiting: Vec<Arc<Segment>>,
}

impl Sealer {
    pub(super) fn new(shared: Arc<Shared>, stop: Arc<AtomicBool>) -> Self {
        Self { shared, stop, waiting: Vec::new() }
    }

    /// Works until every sender is gone or it is told to stop.
    pub(super) fn run(mut self, finished: &Receiver<Arc<Segment>>) {
        self.seal_earlier_runs();
        loop {
            match finished.recv_timeout(RETRY) {
                Ok(segment) => self.waiting.push(segment),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.is_stopped() {
                return;
            }
            for segment in std::mem::take(&mut self.waiting) {
                if !self.seal(&segment) {
                    self.waiting.push(segment);
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn seal_earlier_runs(&mut self) {
        let days = list_days(&self.shared.dir).unwrap_or_default();
        for day in days {
            let numbers = segment::open_numbers(&day_dir(&self.shared.dir, day)).unwrap_or_default();
            if numbers.is_empty() || self.is_stopped() {
                continue;
            }
            match self.segments_of(day) {
                // Those that are being written come by themselves when they are finished.
                Ok(segments) => {
                    let earlier = segments
                        .iter()
                        .filter(|found| found.is_finished() && numbers.contains(&found.number()));
                    let failed: Vec<_> = earlier.filter(|segment| !self.seal(segment)).cloned().collect();
                    self.waiting.extend(failed);
                }
                Err(error) => {
                    tracing::warn!(%day, error = &error as &dyn std::error::Error, "a day stays unsealed");
                }
            }
        }
    }

    /// The segments of a day, without keeping the day open.
    fn segments_of(&self, day: Day) -> Result<Vec<Arc<Segment>>, StoreError> {
        let opened = self.shared.cell(day).and_then(|cell| cell.if_open());
        match opened {
            Some(logs) => Ok(logs.segments.read().unwrap_or_else(PoisonError::into_inner).clone()),
            None => segment::open_all(&day_dir(&self.shared.dir, day), day, &self.shared.frames),
        }
    }

    /// Whether the segment is done with, be it sealed or gone.
    fn seal(&self, segment: &Arc<Segment>) -> bool {
        let dir = day_dir(&self.shared.dir, segment.day());
        if segment.is_sealed() || segment.published().rows == 0 || self.shared.is_deleted(segment.day()) {
            return true;
        }
        if self.is_stopped() {
            return false;
        }
        let paths = Paths::new(&dir, segment.number());
        let outcome = sealed::seal(&paths, segment, &self.stop).and_then(|()| self.swap(&dir, segment));
        match outcome {
            Ok(()) => true,
            Err(_) if self.is_stopped() => false,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a segment could not be sealed");
                false
            }
        }
    }

    /// Puts the sealed form in the open one's place for queries to come; those under way keep the open one.
    fn swap(&self, dir: &Path, segment: &Segment) -> Result<(), StoreError> {
        let Some(logs) = self.shared.cell(segment.day()).and_then(|cell| cell.if_open()) else {
            return Ok(());
        };
        let is_it = |other: &&Arc<Segment>| other.number() == segment.number();
        let known = logs.segments.read().unwrap_or_else(PoisonError::into_inner).iter().find(is_it).cloned();
        let Some(known) = known else { return Ok(()) };
        let sealed = Arc::new(known.reopened(dir, &self.shared.frames)?);
        let mut segments = logs.segments.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = segments.iter_mut().find(|other| other.id() == known.id()) {
            *place = sealed;
        }
        Ok(())
    }
}

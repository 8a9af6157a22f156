//! The lines of one day: the segments that queries find, and those that are there and still unread.

use super::segment::{Segment, watermark_of};
use super::unread::Unread;
use sonde_shared::time::{Day, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::time::Instant;

/// The lines of one day. A segment goes from the unread ones to the others, never back, and is in at least one of both: so
/// whoever asks for both takes the unread ones first.
#[derive(Debug, Default)]
pub(super) struct DayLogs {
    segments: RwLock<Vec<Arc<Segment>>>,
    unread: RwLock<Vec<Unread>>,
}

/// A day that has a folder; its segments are opened when first asked for.
#[derive(Debug, Default)]
pub(super) struct DayCell {
    opened: Mutex<Option<Arc<DayLogs>>>,
}

impl DayCell {
    /// The day's lines, if somebody has asked for them. Its files are opened and sealed under this lock.
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Arc<DayLogs>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same without waiting; `None` while somebody else has the lock.
    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, Option<Arc<DayLogs>>>> {
        match self.opened.try_lock() {
            Ok(opened) => Some(opened),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl DayLogs {
    pub(super) fn new((segments, unread): (Vec<Arc<Segment>>, Vec<Unread>)) -> Self {
        Self { segments: RwLock::new(segments), unread: RwLock::new(unread) }
    }

    /// The segments that queries find, in order.
    pub(super) fn segments(&self) -> RwLockReadGuard<'_, Vec<Arc<Segment>>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn segments_mut(&self) -> RwLockWriteGuard<'_, Vec<Arc<Segment>>> {
        self.segments.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are still unread, in order.
    pub(super) fn unread(&self) -> RwLockReadGuard<'_, Vec<Unread>> {
        self.unread.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn unread_mut(&self) -> RwLockWriteGuard<'_, Vec<Unread>> {
        self.unread.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_unread(&self, number: u32) -> bool {
        self.unread().iter().any(|unread| unread.number == number)
    }

    /// Before this instant nothing is missing but lines that came late; `None` where nothing is missing at all.
    pub(super) fn indexed_to(&self, day: Day) -> Option<Timestamp> {
        self.unread().iter().map(|unread| unread.begins(day)).min()
    }

    /// The last number that a segment of it has; 0 without any.
    pub(super) fn last_number(&self) -> u32 {
        let unread = self.unread().last().map_or(0, |last| last.number);
        self.segments().last().map_or(0, |last| last.number()).max(unread)
    }

    /// The time of the latest line, as far as it is known: unread segments tell that of before they were begun.
    pub(super) fn watermark(&self) -> Timestamp {
        let noted = self.unread().iter().filter_map(|unread| unread.watermark).max();
        watermark_of(&self.segments()).max(noted.unwrap_or(Timestamp::MIN))
    }

    /// The time of the latest line of the segments before one.
    pub(super) fn watermark_before(&self, number: u32) -> Timestamp {
        let segments = self.segments();
        watermark_of(&segments[..segments.partition_point(|segment| segment.number() < number)])
    }

    /// The unread segment that is to be read next.
    pub(super) fn next_unread(&self, now: Instant) -> Option<Unread> {
        let unread = self.unread();
        unread.iter().enumerate().find(|(at, one)| one.is_due(*at == 0, now)).map(|(_, one)| one.clone())
    }

    /// Puts off an unread segment that could not be read.
    pub(super) fn put_off(&self, number: u32, until: Instant) {
        let mut unread = self.unread_mut();
        unread.iter_mut().filter(|one| one.number == number).for_each(|one| one.retry_at = Some(until));
    }

    /// Shows a segment that was unread, in its place.
    pub(super) fn show(&self, segment: Arc<Segment>) {
        let number = segment.number();
        {
            let mut segments = self.segments_mut();
            let at = segments.partition_point(|other| other.number() < number);
            segments.insert(at, segment);
        }
        self.forget_unread(number);
    }

    pub(super) fn forget_unread(&self, number: u32) {
        self.unread_mut().retain(|unread| unread.number != number);
    }

    pub(super) fn forget_all_unread(&self) {
        self.unread_mut().clear();
    }
}

//! The days that were opened so far, each once.
//!
//! A day is opened when it is first asked for and kept until its folder goes. Here is no writing: who writes holds the day.

use super::day::{DayState, PREFIX, Source, ToSeal};
use super::find::Cataloging;
use super::flush::{Backlog, Message};
use super::walk::NameList;
use super::{MetricStats, OWN_FIGURES, Snapshot};
use crate::store::file_view::Reading;
use crate::store::{StoreError, layout};
use sonde_shared::time::{Day, TimeRange};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc as std_mpsc};

type Loaded = BTreeMap<Day, Arc<DayState>>;

/// The days that were opened so far.
pub(super) struct Days {
    pub(super) data: PathBuf,
    pub(super) reading: Reading,
    pub(super) loaded: Mutex<Loaded>,
    /// Locked after `loaded`, where both are.
    pub(super) cataloging: Mutex<Cataloging>,
    /// Held by who makes the catalog.
    pub(super) making: Mutex<()>,
    pub(super) flusher: std_mpsc::Sender<Message>,
    pub(super) backlog: Arc<Backlog>,
    pub(super) damaged: AtomicU64,
}

impl Days {
    pub(super) fn new(
        dir: &Path,
        reading: Reading,
        flusher: std_mpsc::Sender<Message>,
        backlog: Arc<Backlog>,
    ) -> Self {
        Self {
            data: dir.to_owned(),
            reading,
            loaded: Mutex::default(),
            cataloging: Mutex::default(),
            making: Mutex::default(),
            flusher,
            backlog,
            damaged: AtomicU64::new(0),
        }
    }

    pub(super) fn loaded(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a head to the flushing thread. Without one (it panicked) the write-ahead log simply stays.
    pub(super) fn queue(&self, message: Message) {
        if let Message::Flush(_, head) = &message {
            self.backlog.add(head.point_count());
        }
        if self.flusher.send(message).is_err() {
            tracing::error!("points can no longer be written into parts; restart to do so");
        }
    }

    /// A day, loaded now if it was not before.
    pub(super) fn get(&self, day: Day) -> Result<Arc<DayState>, StoreError> {
        self.get_from(&mut self.loaded(), day).cloned()
    }

    /// The same for who will seal it.
    pub(super) fn get_to_seal(&self, day: Day) -> Result<ToSeal, StoreError> {
        self.get_from(&mut self.loaded(), day).map(DayState::to_seal)
    }

    pub(super) fn get_from<'a>(
        &self,
        loaded: &'a mut Loaded,
        day: Day,
    ) -> Result<&'a Arc<DayState>, StoreError> {
        let place = match loaded.entry(day) {
            Entry::Occupied(there) => return Ok(there.into_mut()),
            Entry::Vacant(place) => place,
        };
        let found = DayState::load(&self.data, day, self.reading)?;
        self.damaged.fetch_add(found.damaged, Ordering::Relaxed);
        for head in found.unflushed {
            self.queue(Message::Flush(Arc::clone(&found.state), head));
        }
        Ok(place.insert(found.state))
    }

    /// Forgets what was loaded of a day.
    pub(super) fn forget(&self, day: Day) {
        let mut loaded = self.loaded();
        loaded.remove(&day);
        self.cataloging().forget(day);
    }

    /// The second of the latest point of the last day that has points of others than Sonde itself; that point may be its own.
    /// `None` without such a day.
    pub(super) fn last_point(&self) -> Result<Option<i64>, StoreError> {
        for day in layout::list_days(&self.data)?.into_iter().rev() {
            let state = self.get(day)?;
            let (runs, parts) = state.lists();
            if runs.iter().any(|run| has_others(&**run)) || parts.iter().any(|part| has_others(&**part)) {
                return Ok(state.last_point());
            }
        }
        Ok(None)
    }

    /// Loads the days that have a write-ahead log.
    pub(super) fn open_unflushed(&self) -> Result<(), StoreError> {
        for day in layout::list_days(&self.data)? {
            let dir = layout::day_dir(&self.data, day);
            if !layout::list_numbers(&dir, PREFIX, "wal")?.is_empty() {
                self.get(day)?;
            }
        }
        Ok(())
    }

    /// What is stored of the days of a range.
    pub(super) fn snapshot(&self, range: TimeRange) -> Result<Snapshot, StoreError> {
        let days = self.folders(range)?.into_iter();
        let states = days.map(|day| self.get(day)).collect::<Result<Vec<_>, _>>()?;
        Ok(Snapshot::of(&states))
    }

    /// The days of a range that have a folder now. A day whose folder was deleted is forgotten.
    pub(super) fn folders(&self, range: TimeRange) -> Result<Vec<Day>, StoreError> {
        let folders = layout::list_days(&self.data)?;
        // A state that somebody else holds is being written to or flushed: its folder may just be about to be made.
        let mut loaded = self.loaded();
        loaded.retain(|day, state| folders.binary_search(day).is_ok() || state.is_in_use());
        self.cataloging().keep(&folders);
        drop(loaded);
        let mut days: Vec<Day> = folders.into_iter().filter(|day| day.range().overlaps(range)).collect();
        days.dedup();
        Ok(days)
    }

    pub(super) fn count(&self, stats: &mut MetricStats) {
        let days: Vec<Arc<DayState>> = self.loaded().values().cloned().collect();
        for source in days.iter().flat_map(|day| day.sources()) {
            match source {
                Source::Part(_) => stats.parts += 1,
                Source::Head(head) => {
                    stats.head_points += head.point_count();
                    stats.head_series += head.series_count() as u64;
                }
            }
        }
    }
}

/// Whether a list has other names than those of Sonde's own figures, which stand together.
fn has_others(names: &impl NameList) -> bool {
    let is_other = |at: usize| !names.name(at).starts_with(OWN_FIGURES.as_bytes());
    names.len().checked_sub(1).is_some_and(|last| is_other(0) || is_other(last))
}

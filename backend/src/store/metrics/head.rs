//! What is in memory: the points of one write-ahead log, by series.
//!
//! The writer appends while readers read: the table of series is locked for the moment of a look-up or of adding new
//! names, a series only while points are added to it or copied out of it. No lock is held over a disk access.

use super::points::DayPoints;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// A point on its way into a head: series, second of the day, value.
pub(super) type Staged = (u32, u32, f64);

/// The points of the write-ahead log of the same number.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) number: u32,
    table: RwLock<Table>,
    points: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    by_name: HashMap<Arc<str>, u32>,
    list: Vec<Arc<SeriesHead>>,
}

/// One series in memory.
#[derive(Debug)]
pub(super) struct SeriesHead {
    pub(super) name: Arc<str>,
    points: Mutex<DayPoints>,
}

impl SeriesHead {
    /// Locks the points; a panic elsewhere leaves them whole, since a push is two pushes of plain numbers.
    pub(super) fn points(&self) -> MutexGuard<'_, DayPoints> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Head {
    pub(super) fn new(number: u32) -> Self {
        Self { number, table: RwLock::default(), points: AtomicU64::new(0) }
    }

    /// The series' number here, and whether it got it now. A new series is not seen by readers before it has a point.
    pub(super) fn intern(&self, name: &str) -> (u32, bool) {
        let known = self.table.read().unwrap_or_else(PoisonError::into_inner).by_name.get(name).copied();
        if let Some(id) = known {
            return (id, false);
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let id = table.list.len() as u32;
        let name: Arc<str> = name.into();
        table.by_name.insert(Arc::clone(&name), id);
        table.list.push(Arc::new(SeriesHead { name, points: Mutex::default() }));
        (id, true)
    }

    /// Makes committed points visible.
    pub(super) fn apply(&self, staged: &[Staged]) {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        for (series, time, value) in staged {
            table.list[*series as usize].points().push(*time, *value);
        }
        self.points.fetch_add(staged.len() as u64, Ordering::Relaxed);
    }

    /// How many points there are, repeated seconds counted each.
    pub(super) fn point_count(&self) -> u64 {
        self.points.load(Ordering::Relaxed)
    }

    /// One series.
    pub(super) fn get(&self, name: &str) -> Option<Arc<SeriesHead>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.by_name.get(name).map(|id| Arc::clone(&table.list[*id as usize]))
    }

    /// Every series, in order of first appearance.
    pub(super) fn series(&self) -> Vec<Arc<SeriesHead>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).list.clone()
    }

    /// The latest second of the day that has a point.
    pub(super) fn max_time(&self) -> Option<u32> {
        self.series().iter().filter_map(|series| series.points().times.iter().max().copied()).max()
    }

    /// How many series there are.
    pub(super) fn series_count(&self) -> usize {
        self.table.read().unwrap_or_else(PoisonError::into_inner).list.len()
    }
}

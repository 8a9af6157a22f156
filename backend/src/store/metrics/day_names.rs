//! The names that have come to a day since it was opened, in order, whatever becomes of the heads that they came to.
//!
//! A head that is full is followed by one of the same series, and leaves a part of them. All these are one list here, so that a
//! day in the making is walked once, and names are sorted once and not with each head. A part whose names are all here notes
//! the list's epoch; with a new epoch, which begins when the day is sealed, the list is empty and parts tell their own names.

use super::head::Head;
use super::order::{Order, Run};
use foldhash::fast::RandomState;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The epoch of parts whose names are in no list.
pub(super) const NO_EPOCH: u64 = 0;

/// The names of one day.
#[derive(Debug)]
pub(super) struct DayNames(Mutex<List>);

#[derive(Debug)]
struct List {
    epoch: u64,
    known: HashSet<Arc<str>, RandomState>,
    order: Order,
}

impl Default for DayNames {
    fn default() -> Self {
        let first = NO_EPOCH + 1;
        Self(Mutex::new(List { epoch: first, known: HashSet::default(), order: Order::default() }))
    }
}

impl DayNames {
    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the names of heads, as far as they have points; the epoch, and all names in a few sorted runs.
    pub(super) fn with<'a>(&self, heads: impl Iterator<Item = &'a Arc<Head>>) -> (u64, Vec<Arc<Run>>) {
        // It stays locked, for who comes next must not miss what a head has told just now.
        let mut list = self.list();
        heads.for_each(|head| list.add(head));
        (list.epoch, list.order.runs())
    }

    /// Adds the names of a head; the epoch, and all names in one run.
    pub(super) fn whole_with(&self, head: &Head) -> (u64, Arc<Run>) {
        let mut list = self.list();
        list.add(head);
        (list.epoch, list.order.whole())
    }

    /// Forgets them: what is in parts is told by these, and heads tell theirs again.
    pub(super) fn renew(&self) {
        let mut list = self.list();
        let epoch = list.epoch + 1;
        *list = List { epoch, known: HashSet::default(), order: Order::default() };
    }
}

impl List {
    fn add(&mut self, head: &Head) {
        let mut names = head.take_new(self.epoch);
        names.retain(|name| !self.known.contains(name));
        self.known.extend(names.iter().cloned());
        self.order.add(names);
    }
}

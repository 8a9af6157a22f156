//! Names of series, each held once and told by its number.
//!
//! All connections share one such table, so that a point of a known series costs a look-up and no more; a body has a table of
//! its own. Numbers never change and names are never taken out: the store begins a new table when most of one's names are no
//! longer in use.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Parts of the shared table that are locked one by one.
const SHARDS: usize = 16;

type Numbers = HashMap<Arc<str>, u32, RandomState>;

/// A table of names.
#[derive(Debug)]
pub struct SeriesNames {
    shards: Box<[RwLock<Numbers>]>,
    list: RwLock<Vec<Arc<str>>>,
    longest: AtomicUsize,
    hasher: RandomState,
}

impl Default for SeriesNames {
    fn default() -> Self {
        Self::with_shards(1)
    }
}

impl SeriesNames {
    /// A table for many threads.
    pub fn shared() -> Self {
        Self::with_shards(SHARDS)
    }

    fn with_shards(count: usize) -> Self {
        // Each part hashes with keys of its own, none of which a sender knows.
        let shards = (0..count).map(|_| RwLock::default()).collect();
        let (list, longest, hasher) = (RwLock::default(), AtomicUsize::new(0), RandomState::default());
        Self { shards, list, longest, hasher }
    }

    /// Whether it is one for many threads.
    pub fn is_shared(&self) -> bool {
        self.shards.len() > 1
    }

    fn shard(&self, name: &str) -> &RwLock<Numbers> {
        match self.shards.len() {
            1 => &self.shards[0],
            count => &self.shards[(self.hasher.hash_one(name) >> 32) as usize % count],
        }
    }

    /// The number of a name that is known.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.shard(name).read().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    /// The number of a name, given to it now if it is new.
    pub fn intern(&self, name: &str) -> u32 {
        if let Some(number) = self.number(name) {
            return number;
        }
        let mut shard = self.shard(name).write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been here first.
        if let Some(number) = shard.get(name) {
            return *number;
        }
        let name: Arc<str> = name.into();
        self.longest.fetch_max(name.len(), Ordering::Relaxed);
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        let number = list.len() as u32;
        list.push(Arc::clone(&name));
        shard.insert(name, number);
        number
    }

    /// The name of a number that was given.
    pub fn name(&self, number: u32) -> Arc<str> {
        Arc::clone(&self.list.read().unwrap_or_else(PoisonError::into_inner)[number as usize])
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.list.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the longest name there ever was.
    pub fn longest(&self) -> usize {
        self.longest.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number_whoever_asks() {
        for names in [SeriesNames::default(), SeriesNames::shared()] {
            assert_eq!([names.intern("a"), names.intern("b.c"), names.intern("a")], [0, 1, 0]);
            assert_eq!((names.number("b.c"), names.number("b")), (Some(1), None));
            assert_eq!((&*names.name(1), names.len(), names.longest()), ("b.c", 2, 3));
        }
    }

    #[test]
    fn threads_that_meet_the_same_names_agree() {
        let names = SeriesNames::shared();
        let intern =
            || (0..2_000).map(|number| names.intern(&format!("s{}", number % 500))).collect::<Vec<_>>();
        let (one, other) = std::thread::scope(|scope| {
            let [one, other] = [scope.spawn(intern), scope.spawn(intern)];
            (one.join().unwrap(), other.join().unwrap())
        });
        assert_eq!((one, names.len()), (other, 500));
        assert_eq!(&*names.name(names.number("s77").unwrap()), "s77");
    }
}

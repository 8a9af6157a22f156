//! Who follows what comes in: each holds a place, of which there are only so many.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many may follow at once. Each holds some tens of KiB and is looked for twice a second.
const MOST: usize = 256;

/// The places. Cheap to clone; all clones share them.
#[derive(Clone, Debug)]
pub struct FollowerPlaces(Arc<Semaphore>);

impl Default for FollowerPlaces {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl FollowerPlaces {
    /// A place, which is free again when it is dropped; `None` while there is none.
    pub fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }

    /// How many are taken.
    pub fn taken(&self) -> u64 {
        MOST.saturating_sub(self.0.available_permits()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_holder_goes() {
        let places = FollowerPlaces::default();
        let mut all: Vec<_> = std::iter::from_fn(|| places.take()).collect();
        assert_eq!((all.len(), places.taken()), (MOST, MOST as u64));
        all.pop();
        assert!(places.take().is_some());
    }
}

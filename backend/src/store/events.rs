//! Notes on the time axis, a file a day.

use super::StoreError;
use std::path::Path;

/// All days' events.
#[derive(Debug)]
pub struct EventStore;

impl EventStore {
    /// Opens the events of a data folder.
    pub fn open(_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self)
    }
}

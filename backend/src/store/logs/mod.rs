//! Lines: segments, their index, and the snapshots that queries read.

use super::StoreError;
use super::batch::{Durability, LineBatch};
use std::path::Path;

/// All days' lines.
#[derive(Debug)]
pub struct LogStore;

impl LogStore {
    /// Opens the lines of a data folder.
    pub fn open(_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self)
    }

    /// Appends lines.
    pub async fn append(&self, _batch: LineBatch, _durability: Durability) -> Result<(), StoreError> {
        Ok(())
    }
}

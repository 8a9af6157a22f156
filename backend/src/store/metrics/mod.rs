//! Points: a write-ahead log, what is in memory, and parts.

use super::StoreError;
use super::batch::{Durability, PointBatch};
use std::path::Path;

/// All days' points.
#[derive(Debug)]
pub struct MetricStore;

impl MetricStore {
    /// Opens the points of a data folder.
    pub fn open(_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self)
    }

    /// Appends points.
    pub async fn append(&self, _batch: PointBatch, _durability: Durability) -> Result<(), StoreError> {
        Ok(())
    }
}

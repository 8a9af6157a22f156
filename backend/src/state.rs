//! What every handler shares.

use crate::config::Config;
use crate::dashboards::Dashboards;
use crate::ingest::counters::Counters;
use crate::store::Store;
use sonde_shared::time::Timestamp;
use std::sync::Arc;

/// Cheap to clone: a few pointers.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The daily files.
    pub store: Arc<Store>,
    /// The settings in force.
    pub config: Arc<Config>,
    /// What came in by which way.
    pub counters: Arc<Counters>,
    /// The dashboards of files and of the program.
    pub dashboards: Arc<Dashboards>,
}

impl AppState {
    /// The server's clock.
    pub fn now() -> Timestamp {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}

//! What every handler shares.

use crate::config::Config;
use crate::dashboards::Dashboards;
use crate::ingest::counters::Counters;
use crate::ingest::threads::IngestThreads;
use crate::links::Links;
use crate::query::followers::FollowerPlaces;
use crate::query::storage_rules::StorageRules;
use crate::query::threads::QueryThreads;
use crate::store::{Store, layout};
use sonde_shared::time::Timestamp;
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

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
    /// Whose lines belong to which metrics.
    pub links: Arc<Links>,
    /// How Graphite's files say that series are kept.
    pub rules: Arc<StorageRules>,
    /// Where queries run.
    pub queries: QueryThreads,
    /// Who may follow what comes.
    pub followers: FollowerPlaces,
    /// Where long bodies are read.
    pub ingest: IngestThreads,
    /// Holds `true` once the server stops.
    pub stop: watch::Receiver<bool>,
}

impl AppState {
    /// What a server that has just been opened shares; `stop` will hold `true` once it stops.
    pub fn new(
        store: Store,
        config: Config,
        dashboards: Dashboards,
        stop: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let links = config.links.clone().unwrap_or_else(|| layout::links(&config.data));
        Ok(Self {
            links: Arc::new(Links::of(links)),
            store: Arc::new(store),
            config: Arc::new(config),
            counters: Arc::default(),
            dashboards: Arc::new(dashboards),
            rules: Arc::default(),
            queries: QueryThreads::default(),
            followers: FollowerPlaces::default(),
            ingest: IngestThreads::start()?,
            stop,
        })
    }

    /// The same, where series are answered as Graphite's files of rules say.
    #[must_use]
    pub fn with_rules(mut self, rules: StorageRules) -> Self {
        self.rules = Arc::new(rules);
        self
    }

    /// The server's clock.
    pub fn now() -> Timestamp {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}

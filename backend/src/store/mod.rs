//! The daily files: one folder a UTC day, append-only segments, one writer and many readers.
//!
//! `DATA/YYYY-MM-DD/` holds a day's lines (`logs-*`), points (`metrics-*`) and events (`events.ndjson`). The text and the
//! points are the truth; indexes are derived. What was acknowledged is on disk.

/// How long the lines of which component are kept.
pub mod ages;
/// A copy of a data folder, made beside a running server.
pub mod backup;
/// Lines and points on their way in.
pub mod batch;
mod error;
/// Notes on the time axis, a file a day.
pub mod events;
/// Our own files, mapped or read with `pread`.
pub mod file_view;
/// Creating files and folders so that they are there after a power loss.
pub mod files;
/// The days' folders and every file name in them.
pub mod layout;
/// Lines: segments, their index, and the snapshots that queries read.
pub mod logs;
/// Points: a write-ahead log, what is in memory, and parts.
pub mod metrics;
/// A part of the disk that is kept for what must still run when it is full.
pub mod reserve;
/// How long days are kept.
pub mod retention;
/// What sealing a folder by hand has done.
pub mod seal_report;
/// Names of series, told by numbers.
pub mod series_names;
/// Bodies of lines that may be sent again.
pub mod source;

pub use error::StoreError;

use batch::{Durability, LineBatch, PointBatch};
use file_view::Reading;
use sonde_shared::api::Event;
use std::fs::File;
use std::path::{Path, PathBuf};

/// What a point takes of the disk, at most: in the write-ahead log and, before that goes, in a part.
const POINT_BYTES: u64 = 32;

/// An open data folder. Dropping it syncs what is queued and gives the folder free.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    logs: logs::LogStore,
    metrics: metrics::MetricStore,
    events: events::EventStore,
    retention: retention::Retention,
    reserve: reserve::Reserve,
    _lock: Option<File>,
}

impl Store {
    /// Opens a folder for writing, making it if need be, and seals finished segments in the background. Fails with
    /// [`StoreError::Locked`] when a server has it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_as(dir, true)
    }

    /// The same; whether to seal is the caller's choice.
    pub fn open_as(dir: &Path, seals: bool) -> Result<Self, StoreError> {
        Self::open_reading(dir, seals, Reading::Mapped)
    }

    /// The same; how files are read too.
    pub fn open_reading(dir: &Path, seals: bool, reading: Reading) -> Result<Self, StoreError> {
        Self::open_lines(dir, seals, reading, logs::LogStore::open_reading)
    }

    /// The same for whoever serves the folder: missing indexes of lines are made again in the background.
    pub fn serve(dir: &Path, seals: bool, reading: Reading) -> Result<Self, StoreError> {
        Self::open_lines(dir, seals, reading, logs::LogStore::serve)
    }

    fn open_lines(
        dir: &Path,
        seals: bool,
        reading: Reading,
        open: impl FnOnce(&Path, bool, Reading) -> Result<logs::LogStore, StoreError>,
    ) -> Result<Self, StoreError> {
        reading.make_room();
        files::create_dir(dir)?;
        let lock = lock(dir)?;
        retention::finish_days(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            logs: open(dir, seals, reading)?,
            metrics: metrics::MetricStore::open_reading(dir, seals, reading)?,
            events: events::EventStore::open(dir)?,
            retention: retention::Retention::new(retention::Limits::default()),
            reserve: reserve::Reserve::of(dir, reserve::Kept::Nothing),
            _lock: Some(lock),
        })
    }

    /// The same folder, beside whose own lines those of files in other folders are served, which another program writes.
    pub fn with_foreign(mut self, dirs: Vec<PathBuf>) -> Result<Self, StoreError> {
        self.logs.follow_foreign(dirs)?;
        Ok(self)
    }

    /// The same folder, on whose disk so much is kept for compressing and deleting what is stored.
    #[must_use]
    pub fn with_reserve(mut self, kept: reserve::Kept) -> Self {
        self.reserve = reserve::Reserve::of(&self.dir, kept);
        self
    }

    /// How much of the disk is free and how much of that is kept.
    pub fn disk(&self) -> reserve::DiskState {
        self.reserve.state()
    }

    /// Why new lines, points and events are refused at the moment; `None` while they are taken.
    pub fn refusing(&self) -> Option<String> {
        let lines = || self.logs.refusing().map(|why| format!("lines cannot be stored: {why}"));
        let points = || self.metrics.refusing().map(|why| format!("points cannot be stored: {why}"));
        self.reserve.refusing().or_else(lines).or_else(points)
    }

    /// The data folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The lines.
    pub fn logs(&self) -> &logs::LogStore {
        &self.logs
    }

    /// The points.
    pub fn metrics(&self) -> &metrics::MetricStore {
        &self.metrics
    }

    /// The events.
    pub fn events(&self) -> &events::EventStore {
        &self.events
    }

    /// Appends lines to their days; waits while the queue is full.
    pub async fn append_lines(&self, batch: LineBatch, durability: Durability) -> Result<(), StoreError> {
        self.reserve
            .take(batch.text.len() as u64)
            .inspect_err(|_refused| self.logs.note_refused(batch.len() as u64, durability))?;
        self.logs.append(batch, durability).await
    }

    /// Appends points to their days; waits while the queue is full.
    pub async fn append_points(&self, batch: PointBatch, durability: Durability) -> Result<(), StoreError> {
        let points = batch.len() as u64;
        self.reserve
            .take(points * POINT_BYTES)
            .inspect_err(|_refused| self.metrics.note_refused(points, durability))?;
        self.metrics.append(batch, durability).await
    }

    /// Stores an event; it is on disk when this returns. Blocks for the disk.
    pub fn append_event(&self, event: events::NewEvent) -> Result<Event, StoreError> {
        self.reserve.take((event.what.len() + event.data.len()) as u64)?;
        self.events.append(event)
    }
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(layout::LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(StoreError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked { path: dir.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(StoreError::io("lock", &path)(source)),
    }
}

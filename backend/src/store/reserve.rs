//! A reserve of the disk, kept so that what is stored can still be compressed and deleted when the disk is full.
//!
//! While less than the reserve is free, new lines, points and events are refused; sealing, retention and indexes go on and may
//! use it. How much is free is asked once a second at the most, and what was taken since is reckoned: a batch costs a few
//! loads, and a second of fast senders cannot run through the reserve.

use super::StoreError;
use rustix::fs::statvfs;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often it is asked how much is free.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What of a file system is kept if nothing else is said: the hundredth part, and no more than that.
const MOST_BYTES: u64 = 1 << 30;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// A hundredth of the file system, at most 1 GiB: so also of a small one most can be used.
    Share,
    /// So many bytes.
    Bytes(u64),
}

impl Kept {
    fn bytes_of(self, space: Space) -> u64 {
        match self {
            // A file system that tells no size tells nothing of what is free either.
            _ if space.total == 0 => 0,
            Self::Nothing => 0,
            Self::Share => (space.total / 100).min(MOST_BYTES),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The room of a file system, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    pub(super) total: u64,
    /// What a program without privileges may still write.
    pub(super) free: u64,
}

/// What is known of the disk, for `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskState {
    /// Free, in bytes, when it was last looked.
    pub free_bytes: u64,
    /// Kept of that, in bytes; 0 where nothing is.
    pub reserve_bytes: u64,
    /// Whether something was refused since, or would be.
    pub is_refusing: bool,
}

/// Tells how much room there is. Tests put another in its place.
type Look = Box<dyn Fn() -> io::Result<Space> + Send + Sync>;

/// The reserve of a data folder's file system.
pub(super) struct Reserve {
    kept: Kept,
    look: Look,
    every: Duration,
    looked: Mutex<Option<Instant>>,
    /// When it was last looked.
    free: AtomicU64,
    /// What is kept of that.
    floor: AtomicU64,
    /// Taken since then.
    taken: AtomicU64,
    has_refused: AtomicBool,
    /// What the log was told last.
    is_told: AtomicBool,
}

impl Reserve {
    /// The reserve of the file system that a folder lies in.
    pub(super) fn of(dir: &Path, kept: Kept) -> Self {
        let dir = dir.to_owned();
        Self::with(kept, LOOK_EVERY, Box::new(move || space_of(&dir)))
    }

    fn with(kept: Kept, every: Duration, look: Look) -> Self {
        let this = Self {
            kept,
            look,
            every,
            looked: Mutex::default(),
            free: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            has_refused: AtomicBool::new(false),
            is_told: AtomicBool::new(false),
        };
        this.look_if_due();
        this
    }

    /// Takes room for something new, or refuses it with the reason.
    pub(super) fn take(&self, bytes: u64) -> Result<(), StoreError> {
        self.look_if_due();
        let reserve = self.floor.load(Ordering::Relaxed);
        // An empty batch has other things to be told.
        if reserve == 0 || bytes == 0 {
            return Ok(());
        }
        let taken = self.taken.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if self.free.load(Ordering::Relaxed).saturating_sub(taken) >= reserve {
            self.tell(false);
            return Ok(());
        }
        // What is refused takes nothing, so that smaller ones may still fit.
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
        self.has_refused.store(true, Ordering::Relaxed);
        self.tell(true);
        Err(StoreError::ReadOnly { why: self.why() })
    }

    /// Why something was refused since it was last looked, or would be now.
    pub(super) fn refusing(&self) -> Option<String> {
        self.state().is_refusing.then(|| self.why())
    }

    /// What is known now.
    pub(super) fn state(&self) -> DiskState {
        self.look_if_due();
        let (free, reserve) = (self.free.load(Ordering::Relaxed), self.floor.load(Ordering::Relaxed));
        let has_refused = self.has_refused.load(Ordering::Relaxed);
        DiskState {
            free_bytes: free,
            reserve_bytes: reserve,
            is_refusing: reserve > 0 && (has_refused || free < reserve),
        }
    }

    fn why(&self) -> String {
        let [free, taken, reserve] =
            [&self.free, &self.taken, &self.floor].map(|bytes| bytes.load(Ordering::Relaxed));
        // As it is reckoned: when it was last looked there may have been much more.
        let [free, reserve] = [free.saturating_sub(taken), reserve].map(Shown);
        format!(
            "the disk has {free} left, and {reserve} are kept so that stored lines can still be compressed and deleted (--disk-reserve)"
        )
    }

    /// Whoever finds that a look is due looks; all others go on with what was seen before.
    fn look_if_due(&self) {
        if self.kept == Kept::Nothing {
            return;
        }
        let Ok(mut looked) = self.looked.try_lock() else { return };
        if looked.is_some_and(|at| at.elapsed() < self.every) {
            return;
        }
        match (self.look)() {
            Ok(space) => {
                self.free.store(space.free, Ordering::Relaxed);
                self.floor.store(self.kept.bytes_of(space), Ordering::Relaxed);
            }
            Err(error) => {
                // Whether it is full shows when something is written.
                tracing::debug!(%error, "how much of the disk is free could not be told");
                self.floor.store(0, Ordering::Relaxed);
            }
        }
        self.taken.store(0, Ordering::Relaxed);
        self.has_refused.store(false, Ordering::Relaxed);
        *looked = Some(Instant::now());
    }

    /// Tells the log when it begins and when it is over.
    fn tell(&self, is_refusing: bool) {
        if self.is_told.swap(is_refusing, Ordering::Relaxed) == is_refusing {
            return;
        }
        if is_refusing {
            tracing::error!(why = self.why(), "lines and points are refused until there is room");
        } else {
            tracing::info!("there is room on the disk again: lines and points are taken");
        }
    }
}

impl fmt::Debug for Reserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserve").field("kept", &self.kept).finish_non_exhaustive()
    }
}

fn space_of(dir: &Path) -> io::Result<Space> {
    let found = statvfs(dir)?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Ok(Space { total: bytes(found.f_blocks), free: bytes(found.f_bavail) })
}

/// Bytes as people read them.
struct Shown(u64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes < 10 << 20 => write!(f, "{} KiB", bytes >> 10),
            bytes if bytes < 10 << 30 => write!(f, "{} MiB", bytes >> 20),
            bytes => write!(f, "{} GiB", bytes >> 30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::batch::{Durability, LineBatch, PointBatch};
    use super::super::events::NewEvent;
    use super::*;
    use std::sync::Arc;

    const MIB: u64 = 1 << 20;

    /// A disk whose free room is set by the test, and how often it was looked at.
    #[derive(Clone)]
    struct TestDisk {
        total: u64,
        free: Arc<AtomicU64>,
        looks: Arc<AtomicU64>,
    }

    impl TestDisk {
        fn new(total: u64, free: u64) -> Self {
            Self { total, free: Arc::new(AtomicU64::new(free)), looks: Arc::default() }
        }

        fn reserve(&self, kept: Kept, every: Duration) -> Reserve {
            let this = self.clone();
            let look = move || {
                this.looks.fetch_add(1, Ordering::Relaxed);
                Ok(Space { total: this.total, free: this.free.load(Ordering::Relaxed) })
            };
            Reserve::with(kept, every, Box::new(look))
        }
    }

    #[test]
    fn a_share_of_the_disk_is_kept_of_small_ones_too() {
        let check = |kept: Kept, total: u64, expected: u64| {
            assert_eq!(kept.bytes_of(Space { total, free: 0 }), expected, "{kept:?} of {total}");
        };
        check(Kept::Share, 8 * MIB, 8 * MIB / 100);
        check(Kept::Share, 20 << 30, (20 << 30) / 100);
        check(Kept::Share, 10 << 40, 1 << 30);
        check(Kept::Bytes(5), 8 * MIB, 5);
        check(Kept::Nothing, 8 * MIB, 0);
        check(Kept::Bytes(5), 0, 0);
    }

    #[test]
    fn what_would_use_the_reserve_is_refused_and_it_is_looked_once_in_a_while() {
        let disk = TestDisk::new(100 * MIB, 12 * MIB);
        let reserve = disk.reserve(Kept::Bytes(10 * MIB), Duration::from_hours(1));
        assert!(reserve.take(MIB).is_ok());
        let refused = reserve.take(2 * MIB).unwrap_err().to_string();
        assert!(
            refused.contains("11 MiB left, and 10 MiB are kept"),
            "what was taken is no more left: {refused}"
        );
        assert!(reserve.state().is_refusing);
        assert!(reserve.take(MIB).is_ok(), "what fits is taken");
        assert!(reserve.take(1).is_err(), "what was taken since the look counts");
        disk.free.store(99 * MIB, Ordering::Relaxed);
        assert!(reserve.take(1).is_err(), "it is not looked again yet");
        assert!(reserve.take(0).is_ok(), "nothing takes no room");
        assert_eq!(disk.looks.load(Ordering::Relaxed), 1);
        let off = disk.reserve(Kept::Nothing, Duration::ZERO);
        assert!(off.take(u64::MAX).is_ok() && off.refusing().is_none());
        assert_eq!(disk.looks.load(Ordering::Relaxed), 1, "where nothing is kept it is never looked");
    }

    fn lines(second: u32) -> LineBatch {
        let mut batch = LineBatch::default();
        let line = format!(r#"{{"ts":"2025-03-10T10:00:{second:02}Z","component":"shop","msg":"{second}"}}"#);
        batch.push_line(line.as_bytes()).unwrap();
        batch
    }

    fn points() -> PointBatch {
        let mut batch = PointBatch::default();
        batch.push("shop.size", 1_741_600_000, 1.0);
        batch
    }

    #[test]
    fn a_store_that_is_down_to_its_reserve_refuses_what_is_new_and_seals_and_deletes() {
        let dir = tempfile::tempdir().unwrap();
        let disk = TestDisk::new(100 * MIB, 50 * MIB);
        {
            let store = Store::open_as(dir.path(), false).unwrap();
            futures::executor::block_on(store.append_lines(lines(1), Durability::Acknowledged)).unwrap();
        }
        let mut store = Store::open_as(dir.path(), false).unwrap();
        store.reserve = disk.reserve(Kept::Bytes(10 * MIB), Duration::ZERO);
        let run = |store: &Store| {
            let lines = [Durability::Acknowledged, Durability::Streamed]
                .map(|how| futures::executor::block_on(store.append_lines(lines(2), how)).is_ok());
            let points = futures::executor::block_on(store.append_points(points(), Durability::Acknowledged));
            let event = NewEvent { what: "deploy".into(), when: 1_741_600_000, ..NewEvent::default() };
            [lines[0], lines[1], points.is_ok(), store.append_event(event).is_ok()]
        };
        assert_eq!(run(&store), [true; 4]);
        disk.free.store(9 * MIB, Ordering::Relaxed);
        assert_eq!(run(&store), [false; 4]);
        let counters = store.logs().counters();
        let counted = [&counters.refused_lines, &counters.lost_lines].map(|one| one.load(Ordering::Relaxed));
        assert_eq!(counted, [1, 1]);
        assert!(store.refusing().is_some_and(|why| why.contains("--disk-reserve")));
        store.logs().seal_finished().unwrap();
        let sealed = dir.path().join("2025-03-10/logs-0001.ndjson.zst");
        assert!(sealed.exists(), "sealing may use the reserve");
        disk.free.store(50 * MIB, Ordering::Relaxed);
        assert_eq!(run(&store), [true; 4], "it goes on by itself");
        assert_eq!(store.refusing(), None);
    }
}

//! What the store does when a disk fails: the file is closed for good, and writing goes on elsewhere once it can.

use super::*;
use std::sync::atomic::AtomicBool;

/// A disk that fails from some write or sync on, a file or its creation at a time.
#[derive(Default)]
struct FailingDisk {
    fail_writes: Arc<AtomicBool>,
    fail_syncs: Arc<AtomicBool>,
    writes_after_failure: Arc<AtomicU64>,
}

struct FailingFile {
    file: Box<dyn wal::WalFile>,
    has_failed: bool,
    fail_writes: Arc<AtomicBool>,
    fail_syncs: Arc<AtomicBool>,
    writes_after_failure: Arc<AtomicU64>,
}

impl wal::Disk for FailingDisk {
    fn create(&self, path: &Path) -> Result<Box<dyn wal::WalFile>, StoreError> {
        Ok(Box::new(FailingFile {
            file: wal::RealDisk.create(path)?,
            has_failed: false,
            fail_writes: Arc::clone(&self.fail_writes),
            fail_syncs: Arc::clone(&self.fail_syncs),
            writes_after_failure: Arc::clone(&self.writes_after_failure),
        }))
    }
}

impl FailingFile {
    fn fail(&mut self) -> std::io::Result<()> {
        self.has_failed = true;
        Err(std::io::Error::other("made to fail"))
    }
}

impl wal::WalFile for FailingFile {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.writes_after_failure.fetch_add(u64::from(self.has_failed), Ordering::Relaxed);
        if self.fail_writes.load(Ordering::Relaxed) {
            // Half of it reaches the disk, as when it runs full.
            self.file.append(&bytes[..bytes.len() / 2])?;
            return self.fail();
        }
        self.file.append(bytes)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.writes_after_failure.fetch_add(u64::from(self.has_failed), Ordering::Relaxed);
        if self.fail_syncs.load(Ordering::Relaxed) { self.fail() } else { self.file.sync() }
    }
}

#[track_caller]
fn check_failure(which: impl Fn(&FailingDisk) -> &AtomicBool) {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FailingDisk::default());
    let options = Options { disk: Arc::clone(&disk) as Arc<dyn wal::Disk>, ..Options::default() };
    let store = MetricStore::open_with(dir.path(), options).unwrap();
    let before = [row("a", DAY_SECS, 1.0)];
    append(&store, &before);
    which(&disk).store(true, Ordering::Relaxed);
    for _ in 0..2 {
        let refused = run(store.append(batch(&[row("lost", DAY_SECS, 2.0)]), Durability::Acknowledged));
        assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
    }
    assert!(store.refusing().is_some_and(|why| why.contains("made to fail")));
    assert_eq!(read(&store, "a", 0, 2 * DAY_SECS).values, [1.0], "reading goes on");
    assert_eq!(read(&store, "lost", 0, 2 * DAY_SECS).len(), 0, "what was refused is not shown");
    which(&disk).store(false, Ordering::Relaxed);
    std::thread::sleep(REFUSE_FOR);
    let after = [row("a", DAY_SECS + 1, 3.0)];
    append(&store, &after);
    assert_eq!(disk.writes_after_failure.load(Ordering::Relaxed), 0, "a failed file is never touched again");
    for reopened in [MetricStore::open(crash(dir.path()).path()).unwrap(), {
        drop(store);
        MetricStore::open(dir.path()).unwrap()
    }] {
        assert_eq!(read(&reopened, "a", 0, 2 * DAY_SECS).values, [1.0, 3.0]);
    }
}

#[test]
fn after_a_failed_write_a_new_log_is_opened_and_nothing_acknowledged_is_lost() {
    check_failure(|disk| &disk.fail_writes);
}

#[test]
fn after_a_failed_sync_a_new_log_is_opened_and_nothing_acknowledged_is_lost() {
    check_failure(|disk| &disk.fail_syncs);
}

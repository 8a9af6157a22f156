//! The threads on which long bodies are read: apart from those that answer, and behind them where all want a core.
//!
//! A body of a million lines keeps a core busy for a second. On the threads of the connections it would hold up the answers to
//! everybody else for as long as a piece of it takes.

use crate::priority::step_back;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinSet;

/// As many threads as there are cores. Cheap to clone.
#[derive(Clone, Debug)]
pub struct IngestThreads {
    handle: Handle,
    threads: Arc<Threads>,
}

#[derive(Debug)]
struct Threads {
    count: usize,
    runtime: Mutex<Option<Runtime>>,
    /// How many bodies are being read.
    running: AtomicUsize,
}

/// One that counts as running for as long as this is there.
struct Running(Arc<Threads>);

impl Running {
    fn of(threads: &Arc<Threads>) -> Self {
        threads.running.fetch_add(1, Ordering::Relaxed);
        Self(threads.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Threads {
    fn take(&self) -> Option<Runtime> {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Also where the last user is a task, in which nobody may wait for threads.
        if let Some(runtime) = self.take() {
            runtime.shutdown_background();
        }
    }
}

impl IngestThreads {
    /// Starts the threads.
    pub fn start() -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(cores).thread_name("ingest").enable_time();
        let runtime = builder.on_thread_start(step_back).build()?;
        let handle = runtime.handle().clone();
        let threads =
            Threads { count: cores, runtime: Mutex::new(Some(runtime)), running: AtomicUsize::new(0) };
        Ok(Self { handle, threads: Arc::new(threads) })
    }

    /// How many works are under way.
    pub fn running(&self) -> usize {
        self.threads.running.load(Ordering::Relaxed)
    }

    /// How many threads there are for each body that is being read, at least one.
    pub fn at_once(&self) -> usize {
        (self.threads.count / self.running().max(1)).max(1)
    }

    /// Does the work there, and gives it up when nobody waits for it any more. `None` when the work has panicked or the threads
    /// have stopped.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let _running = Running::of(&self.threads);
        // Of its tasks those that are not done end with the set.
        let mut tasks = JoinSet::new();
        tasks.spawn_on(work, &self.handle);
        tasks.join_next().await?.ok()
    }

    /// Gives up all work, and waits until it holds nothing any more, or for so long. Not for async threads.
    pub fn stop(&self, patience: Duration) {
        if let Some(runtime) = self.threads.take() {
            runtime.shutdown_timeout(patience);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    #[tokio::test]
    async fn work_is_done_elsewhere_and_given_up_with_who_waits_for_it() {
        let threads = IngestThreads::start().unwrap();
        let here = std::thread::current().id();
        let there = threads.run(async { std::thread::current().id() }).await.unwrap();
        assert_ne!(here, there);
        let (held, given_up) = oneshot::channel::<()>();
        let endless = threads.run(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        assert_eq!(threads.running(), 0);
        let endless = async {
            tokio::pin!(endless);
            assert!(timeout(Duration::from_millis(10), &mut endless).await.is_err(), "it never ends");
            assert_eq!(threads.running(), 1);
        };
        endless.await;
        assert_eq!(threads.running(), 0);
        let end = timeout(Duration::from_secs(10), given_up).await.expect("the work is dropped");
        assert!(end.is_err());
        assert_eq!(threads.run(async { panic!("a bug") }).await, None::<()>);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn at_the_stop_nothing_is_held_any_more() {
        let threads = IngestThreads::start().unwrap();
        let held = Arc::new(());
        let (begun, has_begun) = oneshot::channel::<()>();
        let work = {
            let (threads, held) = (threads.clone(), held.clone());
            let endless = async move {
                begun.send(()).unwrap();
                std::future::pending::<()>().await;
                drop(held);
            };
            tokio::spawn(async move { threads.run(endless).await })
        };
        has_begun.await.unwrap();
        let stopping = threads.clone();
        tokio::task::spawn_blocking(move || stopping.stop(Duration::from_secs(10))).await.unwrap();
        assert_eq!(Arc::strong_count(&held), 1, "the work is gone when the stop returns");
        assert_eq!(work.await.unwrap(), None);
        assert_eq!(threads.run(async {}).await, None, "no further work begins");
    }
}

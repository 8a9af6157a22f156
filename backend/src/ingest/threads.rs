//! The threads on which long bodies are read: apart from those that answer, and behind them where all want a core.
//!
//! A body of a million lines keeps a core busy for a second. On the threads of the connections it would hold up the answers to
//! everybody else for as long as a piece of it takes.

use std::num::NonZero;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// How much less these threads are worth than the others, in steps of nice(2).
const NICE: i32 = 5;

/// As many threads as there are cores. Cheap to clone.
#[derive(Clone, Debug)]
pub struct IngestThreads(Arc<Threads>);

#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        // Also where the last user is a task, in which nobody may wait for threads.
        if let Some(runtime) = self.0.take() {
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
        Ok(Self(Arc::new(Threads(Some(builder.on_thread_start(step_back).build()?)))))
    }

    /// Does the work there, and gives it up when nobody waits for it any more. `None` when the work has panicked or the threads
    /// have stopped.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let runtime = self.0.0.as_ref()?;
        // Of its tasks those that are not done end with the set.
        let mut tasks = JoinSet::new();
        tasks.spawn_on(work, runtime.handle());
        tasks.join_next().await?.ok()
    }
}

/// Lets other threads go first. Linux takes the calling thread for the process.
fn step_back() {
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(error = &error as &dyn std::error::Error, "a thread keeps its priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
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
        assert!(timeout(Duration::from_millis(10), endless).await.is_err(), "it never ends");
        let end = timeout(Duration::from_secs(10), given_up).await.expect("the work is dropped");
        assert!(end.is_err());
        assert_eq!(threads.run(async { panic!("a bug") }).await, None::<()>);
    }
}

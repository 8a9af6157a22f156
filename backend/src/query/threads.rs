//! The threads that queries run on: they may wait for files, and there are only so many places.
//!
//! A query waits for its place without a thread, and gives the place back after each step. One whose client is gone is
//! dropped where it waits, so at most a step is done for nobody.

use crate::query::budget::Budget;
use crate::store::StoreError;
use crate::store::file_view::unreadable;
use std::any::Any;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};

/// Fewer places would let one long step hold up everybody.
const MIN_PLACES: usize = 2;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
    /// What it asks for cannot be read.
    #[error("what a query asks for cannot be read")]
    Unreadable(#[source] StoreError),
    /// A bug.
    #[error("a query has panicked: {0}")]
    Panicked(String),
}

impl Unfinished {
    /// Why a step has ended that did not come to its end.
    fn of(error: JoinError) -> Self {
        // What has not begun when the program ends never does.
        let Ok(payload) = error.try_into_panic() else { return Self::Stopping };
        unreadable(payload).map_or_else(|panic| Self::Panicked(said(&*panic)), Self::Unreadable)
    }
}

/// What a thread said when it panicked.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

/// Runs queries, as many at once as there are cores. Cheap to clone; all clones share the places.
#[derive(Clone, Debug)]
pub struct QueryThreads {
    places: Arc<Semaphore>,
    running: Arc<AtomicU64>,
    steps: Arc<AtomicU64>,
    busy_micros: Arc<AtomicU64>,
}

impl Default for QueryThreads {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(MIN_PLACES, NonZero::get);
        Self::new(cores.max(MIN_PLACES))
    }
}

impl QueryThreads {
    /// So many places.
    pub fn new(places: usize) -> Self {
        let (running, steps, busy_micros) = (Arc::default(), Arc::default(), Arc::default());
        Self { places: Arc::new(Semaphore::new(places)), running, steps, busy_micros }
    }

    /// How many queries work or wait for their place. An answer that waits for its reader does neither.
    pub fn running(&self) -> u64 {
        self.running.load(Ordering::Relaxed)
    }

    /// How many steps queries have taken.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// How long these took, in microseconds.
    pub fn busy_micros(&self) -> u64 {
        self.busy_micros.load(Ordering::Relaxed)
    }

    /// From now on no step begins.
    pub fn close(&self) {
        self.places.close();
    }

    /// Runs work that is one step.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        self.run_noted(Arc::new(Noted::new(&self.running)), work).await
    }

    /// Runs steps until one says that it was the last, and gives the query back.
    pub async fn run_steps<Q: Send + 'static>(
        &self,
        mut query: Q,
        step: impl Fn(&mut Q, &mut Budget) -> bool + Clone + Send + 'static,
    ) -> Result<Q, Unfinished> {
        let noted = Arc::new(Noted::new(&self.running));
        loop {
            let step = step.clone();
            let work = move || {
                let is_done = step(&mut query, &mut Budget::STEP.clone());
                (query, is_done)
            };
            let is_done;
            (query, is_done) = self.run_noted(noted.clone(), work).await?;
            if is_done {
                return Ok(query);
            }
        }
    }

    async fn run_noted<T: Send + 'static>(
        &self,
        noted: Arc<Noted>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let place = self.places.clone().acquire_owned().await.map_err(|_closed| Unfinished::Stopping)?;
        self.steps.fetch_add(1, Ordering::Relaxed);
        let busy_micros = self.busy_micros.clone();
        let work = move || {
            let begun = Instant::now();
            let result = work();
            busy_micros.fetch_add(begun.elapsed().as_micros() as u64, Ordering::Relaxed);
            drop((place, noted));
            result
        };
        spawn_blocking(work).await.map_err(Unfinished::of)
    }
}

/// Counts as running until dropped.
#[derive(Debug)]
struct Noted(Arc<AtomicU64>);

impl Noted {
    fn new(running: &Arc<AtomicU64>) -> Self {
        running.fetch_add(1, Ordering::Relaxed);
        Self(running.clone())
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file_view::or_end;
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::time::Duration;
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A query that never ends; each step says that it runs and waits for leave to go on.
    struct Endless {
        begun: tokio::sync::mpsc::UnboundedSender<()>,
        leave: mpsc::Receiver<()>,
    }

    fn step(query: &mut Endless, _budget: &mut Budget) -> bool {
        query.begun.send(()).is_err() || query.leave.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout)
    }

    fn endless() -> (Endless, tokio::sync::mpsc::UnboundedReceiver<()>, mpsc::Sender<()>) {
        let (begun, seen) = tokio::sync::mpsc::unbounded_channel();
        let (allow, leave) = mpsc::channel();
        (Endless { begun, leave }, seen, allow)
    }

    async fn until_none_runs(threads: &QueryThreads) {
        let none = async {
            while threads.running() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, none).await.expect("every step ends");
    }

    #[tokio::test]
    async fn a_query_that_is_dropped_begins_no_further_step() {
        let threads = QueryThreads::new(2);
        let (query, mut seen, allow) = endless();
        let running = tokio::spawn({
            let threads = threads.clone();
            async move { threads.run_steps(query, step).await.map(drop) }
        });
        for _ in 0..3 {
            seen.recv().await.unwrap();
            allow.send(()).unwrap();
        }
        seen.recv().await.unwrap();
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        assert_eq!(threads.running(), 1, "its last step");
        allow.send(()).unwrap();
        until_none_runs(&threads).await;
        assert!(seen.recv().await.is_none(), "the query is gone");
    }

    #[tokio::test]
    async fn what_cannot_be_read_ends_its_query_with_the_error_and_gives_the_place_back() {
        let threads = QueryThreads::new(1);
        let unreadable = || StoreError::io("read", "a.idx".as_ref())(std::io::ErrorKind::Other.into());
        let outcome = threads.run(move || or_end::<()>(Err(unreadable()))).await;
        assert!(matches!(outcome, Err(Unfinished::Unreadable(StoreError::Io { .. }))), "{outcome:?}");
        let outcome = threads.run(|| panic!("a {}", "bug")).await;
        assert!(matches!(&outcome, Err(Unfinished::Panicked(said)) if said == "a bug"), "{outcome:?}");
        assert_eq!(timeout(PATIENCE, threads.run(|| 7)).await.unwrap().unwrap(), 7);
        until_none_runs(&threads).await;
    }

    #[tokio::test]
    async fn queries_take_turns_in_the_places_there_are() {
        let threads = QueryThreads::new(1);
        let (query, mut seen, allow) = endless();
        let endless = tokio::spawn({
            let threads = threads.clone();
            async move { threads.run_steps(query, step).await.map(drop) }
        });
        seen.recv().await.unwrap();
        let short = tokio::spawn({
            let threads = threads.clone();
            async move { threads.run(|| 7).await }
        });
        while threads.running() < 2 {
            tokio::task::yield_now().await;
        }
        assert!(!short.is_finished(), "the one place is taken");
        allow.send(()).unwrap();
        assert_eq!(timeout(PATIENCE, short).await.unwrap().unwrap().unwrap(), 7);
        endless.abort();
        drop(allow);
        until_none_runs(&threads).await;
    }

    #[tokio::test]
    async fn nothing_goes_on_after_the_end() {
        let threads = QueryThreads::new(1);
        let (query, mut seen, allow) = endless();
        let running = tokio::spawn({
            let threads = threads.clone();
            async move { threads.run_steps(query, step).await.map(drop) }
        });
        seen.recv().await.unwrap();
        threads.close();
        allow.send(()).unwrap();
        let ended = timeout(PATIENCE, running).await.unwrap().unwrap();
        assert!(matches!(ended, Err(Unfinished::Stopping)));
        assert!(matches!(threads.run(|| ()).await, Err(Unfinished::Stopping)));
    }
}

//! A value from the server of which only the latest request counts.

use super::contact::ask_again_after_silence;
use crate::api::{Abort, ApiError, Awaited};
use crate::rest::Rest;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::sync::Arc;
use std::time::Duration;
use web_sys::AbortSignal;

/// How long a burst of changes (a drag of the axis, say) may go on before it is asked for.
const REST: Duration = Duration::from_millis(50);

/// How something is asked for; boxed, for there are many.
type Ask<T> = Box<dyn FnOnce(AbortSignal) -> Awaited<T>>;

/// A value that is loaded again and again.
pub struct Loaded<T: Send + Sync + 'static> {
    /// The last answer; it stays while the next one is awaited.
    pub value: RwSignal<Option<Arc<T>>>,
    /// Why the last request brought nothing.
    pub error: RwSignal<Option<ApiError>>,
    retries: RwSignal<u32>,
    request: StoredValue<Option<Abort>, LocalStorage>,
    rest: Rest,
}

impl<T: Send + Sync + 'static> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Loaded<T> {}

impl<T: Send + Sync + 'static> Loaded<T> {
    /// Nothing yet.
    pub fn new() -> Self {
        let (error, retries) = (RwSignal::new(None), RwSignal::new(0));
        ask_again_after_silence(error, retries);
        Self {
            value: RwSignal::new(None),
            error,
            retries,
            request: StoredValue::new_local(None),
            rest: Rest::new(),
        }
    }

    /// Asks again.
    pub fn retry(self) {
        self.retries.update(|count| *count += 1);
    }

    /// Follows the retries: an effect that calls this runs again on each.
    pub fn track_retries(self) {
        self.retries.track();
    }

    /// Gives up what is under way and forgets what is there.
    pub fn clear(self) {
        self.rest.stop();
        self.request.set_value(None);
        self.value.set(None);
        self.error.set(None);
    }

    /// Asks once things are at rest, or at once if nothing is there yet.
    pub fn load(
        self,
        ask: impl FnOnce(AbortSignal) -> Awaited<T> + 'static,
        then: impl FnOnce(&T) + 'static,
    ) {
        self.load_boxed(Box::new(ask), Box::new(then));
    }

    fn load_boxed(self, ask: Ask<T>, then: Box<dyn FnOnce(&T)>) {
        self.rest.stop();
        if self.value.with_untracked(Option::is_none) {
            self.ask(ask, then);
            return;
        }
        self.rest.after(REST, move || self.ask(ask, then));
    }

    fn ask(self, ask: Ask<T>, then: Box<dyn FnOnce(&T)>) {
        let abort = Abort::new();
        let signal = abort.signal();
        let answer = ask(abort.signal());
        self.request.set_value(Some(abort));
        spawn_local(async move {
            let answer = answer.await;
            if !signal.aborted() {
                self.take(answer, then);
            }
        });
    }

    fn take(self, answer: Result<T, ApiError>, then: impl FnOnce(&T)) {
        match answer {
            Ok(value) => {
                then(&value);
                self.error.try_set(None);
                self.value.try_set(Some(Arc::new(value)));
            }
            Err(error) if error.aborted => {}
            Err(error) => {
                self.error.try_set(Some(error));
            }
        }
    }
}

impl<T: Send + Sync + 'static> Default for Loaded<T> {
    fn default() -> Self {
        Self::new()
    }
}

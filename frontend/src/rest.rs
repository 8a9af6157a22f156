//! Waiting until a burst of something is over.

use leptos::prelude::*;
use std::time::Duration;

/// One wait at a time: a new one takes the place of the former, and the end of its owner ends it.
#[derive(Clone, Copy)]
pub struct Rest {
    timer: StoredValue<Option<TimeoutHandle>, LocalStorage>,
}

impl Rest {
    /// Nothing is waited for.
    pub fn new() -> Self {
        let rest = Self { timer: StoredValue::new_local(None) };
        on_cleanup(move || rest.stop());
        rest
    }

    /// Acts once so much time has passed without another call.
    pub fn after(self, wait: Duration, act: impl FnOnce() + 'static) {
        self.stop();
        let act = move || {
            self.timer.try_update_value(Option::take);
            act();
        };
        let timer = set_timeout_with_handle(act, wait).ok();
        self.timer.try_update_value(|former| *former = timer);
    }

    /// Acts once so much time has passed, or sooner where that is waited for: unlike [`Self::after`] it comes also where calls
    /// never end.
    pub fn within(self, wait: Duration, act: impl FnOnce() + 'static) {
        if self.timer.try_with_value(Option::is_none).unwrap_or(false) {
            self.after(wait, act);
        }
    }

    /// Waits no longer.
    pub fn stop(self) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }
}

impl Default for Rest {
    fn default() -> Self {
        Self::new()
    }
}

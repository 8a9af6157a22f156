//! What script runs in the page, sampled by the browser itself: for how long it runs without a pause, and what of it. The page
//! does not know that it is watched.

use super::Browser;
use serde_json::{Value, json};

impl Browser {
    /// Has the browser sample what script runs, so many microseconds apart.
    pub fn watch_script(&self, every_us: u32) {
        self.devtools("Profiler.enable", &json!({}));
        self.devtools("Profiler.setSamplingInterval", &json!({"interval": every_us}));
        self.devtools("Profiler.start", &json!({}));
    }

    /// What it has seen since, as its protocol's `Profiler.Profile`.
    pub fn script_watched(&self) -> Value {
        self.devtools("Profiler.stop", &json!({}))["profile"].take()
    }
}

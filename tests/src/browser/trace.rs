//! What the browser itself writes down of what it does: each event with its time and what it took of the processor. The page
//! does not know that it is watched, and nothing is sampled, so nothing holds it up.

use super::{Browser, Settings};
use crate::wait;
use serde_json::json;
use std::time::Duration;
use tempfile::TempDir;

/// A browser that writes down what it does.
#[derive(Debug)]
pub struct TracedBrowser {
    browser: Browser,
    folder: TempDir,
}

impl TracedBrowser {
    /// A browser as most people have it, which writes down events of these categories (of its Trace Event Format).
    ///
    /// # Panics
    /// As [`Browser::with`].
    #[track_caller]
    pub fn open(categories: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let switches = [
            format!("--trace-startup=-*,{categories}"),
            format!("--trace-startup-file={}", folder.path().join("trace.json").display()),
            "--trace-startup-format=json".to_owned(),
            "--trace-startup-duration=0".to_owned(),
        ];
        Self { browser: Browser::start(&Settings::default(), &switches), folder }
    }

    /// The browser.
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// Closes it and tells what it has written: JSON of the Trace Event Format.
    ///
    /// # Panics
    /// When it has written nothing.
    pub fn close(self) -> Vec<u8> {
        // The driver would kill it before it is done with a long trace.
        self.browser.devtools("Browser.close", &json!({}));
        let file = self.folder.path().join("trace.json");
        wait::until_within(Duration::from_mins(2), "the browser's trace", || {
            std::fs::read(&file).ok().filter(|trace| trace.trim_ascii_end().ends_with(b"}")).ok_or(())
        })
    }
}

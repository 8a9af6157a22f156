//! How far a long command is, for a person at a terminal.

use super::say;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

const BAR_CHARS: u64 = 30;
/// How often the progress is shown.
const PROGRESS: Duration = Duration::from_millis(200);

/// A bar of bytes, shown on a terminal alone.
pub(super) struct Progress {
    name: String,
    len: u64,
    done: u64,
    shown: Option<Instant>,
}

impl Progress {
    /// For so many bytes of something.
    pub(super) fn new(name: &impl std::fmt::Display, len: u64) -> Self {
        let is_wanted = std::io::stderr().is_terminal() && len > 0;
        Self { name: name.to_string(), len, done: 0, shown: is_wanted.then(Instant::now) }
    }

    /// Goes on by so many bytes.
    pub(super) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        let Some(shown) = self.shown.filter(|shown| shown.elapsed() >= PROGRESS) else { return };
        let filled = (self.done.min(self.len) * BAR_CHARS / self.len) as usize;
        let bar = "#".repeat(filled) + &".".repeat(BAR_CHARS as usize - filled);
        let mib = |bytes: u64| bytes >> 20;
        say(format_args!("\r{} [{bar}] {} of {} MiB", self.name, mib(self.done), mib(self.len)));
        self.shown = Some(shown + shown.elapsed());
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if self.shown.is_some() {
            say(format_args!("\r\x1b[K"));
        }
    }
}

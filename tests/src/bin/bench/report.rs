//! Rows of the table, and medians.

use sonde_tests::table::Table;
use std::fmt;
use std::time::{Duration, Instant};

/// What was measured so far.
pub(crate) struct Report(Table<5>);

impl Default for Report {
    fn default() -> Self {
        Self(Table::new(["what", "sonde", "peer", "sonde / peer", "to reach"]))
    }
}

impl Report {
    /// Adds a row.
    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        sonde: impl Into<String>,
        peer: impl Into<String>,
        ratio: impl Into<String>,
        goal: impl Into<String>,
    ) {
        self.0.row([what.into(), sonde.into(), peer.into(), ratio.into(), goal.into()]);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The middle one, in seconds.
pub(crate) fn median(times: Vec<Duration>) -> f64 {
    quantile(times, 0.5)
}

/// The time that so large a part of all stays below, in seconds.
pub(crate) fn quantile(mut times: Vec<Duration>, part: f64) -> f64 {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * part) as usize].as_secs_f64()
}

/// How long it takes.
pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Seconds as milliseconds.
pub(crate) fn millis(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1e3)
}

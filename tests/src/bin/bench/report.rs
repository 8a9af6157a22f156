//! Rows of the table, how long answers take, and how numbers are written in it.

use sonde_tests::process::cpu_time;
use sonde_tests::server::TestServer;
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

/// What an answer takes, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    /// The median.
    pub(crate) seconds: f64,
    /// The server's processor time of one.
    pub(crate) cpu: f64,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (CPU {})", millis(self.seconds), millis(self.cpu))
    }
}

/// Asks for a path so many times.
pub(crate) fn time_of(server: &TestServer, path: &str, rounds: usize) -> Asked {
    times_in_turn(&[(server, path)], rounds)[0]
}

/// Asks each server for its path so many times, in turn, so that a machine that grows slower does so for all of them.
pub(crate) fn times_in_turn(asked: &[(&TestServer, &str)], rounds: usize) -> Vec<Asked> {
    let cpu = || asked.iter().map(|(server, _)| cpu_time(server.pid())).collect::<Vec<_>>();
    let (before, mut times) = (cpu(), vec![Vec::with_capacity(rounds); asked.len()]);
    for _ in 0..rounds {
        for ((server, path), times) in asked.iter().zip(&mut times) {
            times.push(timed(|| drop(server.get(path).ok())));
        }
    }
    let cpu = cpu().into_iter().zip(before).map(|(after, before)| after.saturating_sub(before).as_secs_f64());
    let medians = times.into_iter().map(median);
    medians.zip(cpu).map(|(seconds, cpu)| Asked { seconds, cpu: cpu / rounds as f64 }).collect()
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

/// Bytes as whole megabytes.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

/// Bytes as megabytes with a decimal.
pub(crate) fn tenths_of_megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Bytes in so many seconds as a rate.
pub(crate) fn megabytes_a_second(bytes: usize, seconds: f64) -> String {
    format!("{:.0} MB/s", bytes as f64 / 1e6 / seconds)
}

/// Seconds for so many as microseconds for each.
pub(crate) fn micros_each(seconds: f64, count: f64) -> String {
    format!("{:.2} µs", seconds * 1e6 / count)
}

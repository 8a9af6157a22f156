//! What the kernel knows about a running process, and signals to it.

use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Anonymous memory of a process in bytes: its heap and stacks, without mapped files.
///
/// # Panics
/// When the process is gone.
pub fn anonymous_bytes(pid: u32) -> u64 {
    status_kib(pid, "RssAnon:") * 1024
}

/// How many threads a process has.
///
/// # Panics
/// When the process is gone.
pub fn threads(pid: u32) -> u64 {
    status_kib(pid, "Threads:")
}

fn status_kib(pid: u32, field: &str) -> u64 {
    try_status_kib(pid, field).expect("the process is running and the kernel tells the field")
}

fn try_status_kib(pid: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let rest = status.lines().find_map(|line| line.strip_prefix(field))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Asks a process to end, as a service manager does.
///
/// # Panics
/// When the process is gone.
pub fn terminate(child: &Child) {
    signal(child, Signal::TERM);
}

/// Stops a process, which then takes no step, or lets it go on.
///
/// # Panics
/// When the process is gone.
pub fn stand_still(child: &Child, still: bool) {
    signal(child, if still { Signal::STOP } else { Signal::CONT });
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id() as i32).expect("a child has a number");
    kill_process(pid, signal).expect("the child can be signalled");
}

/// How many files, sockets included, a process has open.
///
/// # Panics
/// When the process is gone.
pub fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the process is running").count()
}

/// Watches a process' anonymous memory until dropped or asked.
#[derive(Debug)]
pub struct MemoryWatch {
    peak: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl MemoryWatch {
    /// Looks at the process every few milliseconds, as long as it runs.
    pub fn of(pid: u32) -> Self {
        let watch = Self { peak: Arc::default(), ended: Arc::default() };
        let (peak, ended) = (Arc::clone(&watch.peak), Arc::clone(&watch.ended));
        std::thread::spawn(move || {
            let status = format!("/proc/{pid}/status");
            while !ended.load(Ordering::Relaxed) && std::fs::exists(&status).unwrap_or(false) {
                peak.fetch_max(try_status_kib(pid, "RssAnon:").unwrap_or(0) * 1024, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        watch
    }

    /// The most that was seen so far, in bytes.
    pub fn peak_bytes(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// The processor time that a process has used so far, in user and system mode.
///
/// # Panics
/// When the process is gone.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is running");
    let (_, fields) = stat.rsplit_once(") ").expect("the name is in brackets");
    let ticks = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    // Linux counts these in hundredths of a second for every program.
    Duration::from_millis(ticks * 10)
}

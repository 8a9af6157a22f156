//! What the kernel knows about a running process, and signals to it.

use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;

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
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is running");
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|rest| rest.split_whitespace().next()).and_then(|text| text.parse().ok());
    number.expect("the kernel tells the field")
}

/// Asks a process to end, as a service manager does.
///
/// # Panics
/// When the process is gone.
pub fn terminate(child: &Child) {
    signal(child, Signal::TERM);
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id() as i32).expect("a child has a number");
    kill_process(pid, signal).expect("the child can be signalled");
}

//! Programs that ship logs and metrics elsewhere, started for real with a configuration of our own.

use crate::wait;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The name under which senders on this machine introduce it.
///
/// # Panics
/// When the kernel does not tell it.
pub fn host_name() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").expect("the kernel tells the host's name");
    name.trim().to_owned()
}

/// Runs `logger` (util-linux) with these arguments.
///
/// # Panics
/// When it is missing or fails.
#[track_caller]
pub fn logger(args: &[&str]) {
    let status = Command::new("logger").args(args).stdin(Stdio::null()).status();
    let status = status.expect("logger is installed; `apt-get install bsdutils`");
    assert!(status.success(), "logger {args:?}: {status}");
}

/// A program that runs until it is dropped, with a folder for its configuration.
#[derive(Debug)]
pub struct Sender {
    child: Child,
    folder: TempDir,
}

impl Sender {
    fn run(mut command: Command, folder: TempDir, package: &str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}; `apt-get install {package}`"));
        Self { child, folder }
    }

    /// `rsyslogd` that forwards all that is logged to its own socket.
    ///
    /// # Panics
    /// When it is missing or does not start.
    #[track_caller]
    pub fn rsyslogd(to: SocketAddr, forward: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let socket = folder.path().join("log");
        let config = format!(
            "module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"{}\" RateLimit.Interval=\"0\")\n\
             action(type=\"omfwd\" target=\"{}\" port=\"{}\" {forward})\n",
            socket.display(),
            to.ip(),
            to.port()
        );
        let file = folder.path().join("rsyslog.conf");
        std::fs::write(&file, config).expect("a configuration can be written");
        let mut command = Command::new("/usr/sbin/rsyslogd");
        command.arg("-n").arg("-f").arg(&file).arg("-i").arg(folder.path().join("pid"));
        let sender = Self::run(command, folder, "rsyslog");
        wait::until("rsyslogd to open its socket", || socket.exists().then_some(()).ok_or("no socket"));
        sender
    }

    /// The socket on which [`Sender::rsyslogd`] takes messages.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// `collectd` that measures this machine once a second and writes to a carbon port.
    ///
    /// # Panics
    /// When it is missing.
    #[track_caller]
    pub fn collectd(to: SocketAddr, protocol: &str, host: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let base = folder.path().display();
        let plugins = ["load", "memory", "cpu", "uptime"].map(|name| format!("LoadPlugin {name}\n")).concat();
        let config = format!(
            "Hostname \"{host}\"\nFQDNLookup false\nInterval 1\nBaseDir \"{base}\"\nPIDFile \"{base}/pid\"\n{plugins}\
             LoadPlugin write_graphite\n<Plugin write_graphite>\n<Node \"sonde\">\nHost \"{}\"\nPort \"{}\"\n\
             Protocol \"{protocol}\"\nPrefix \"collectd.\"\nReconnectInterval 2\n</Node>\n</Plugin>\n",
            to.ip(),
            to.port()
        );
        let file = folder.path().join("collectd.conf");
        std::fs::write(&file, config).expect("a configuration can be written");
        let mut command = Command::new("/usr/sbin/collectd");
        command.arg("-f").arg("-C").arg(&file);
        Self::run(command, folder, "collectd-core")
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

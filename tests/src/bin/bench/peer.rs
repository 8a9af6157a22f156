//! A plain file server with the expected answers as files.

use sonde_tests::http::Client;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The file server, in a process of its own.
pub(crate) struct Peer {
    child: Child,
    folder: PathBuf,
    made: Option<TempDir>,
    /// Its client.
    pub(crate) client: Client,
}

impl Peer {
    /// Starts this program as a file server on an empty folder.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut peer = Self::on(folder.path());
        peer.made = Some(folder);
        peer
    }

    /// Starts this program as a file server on a folder.
    pub(crate) fn on(folder: &Path) -> Self {
        let program = std::env::current_exe().expect("a program knows itself");
        let mut child = Command::new(program)
            .arg("static-server")
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the file server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("standard output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the file server tells its address");
        let client = Client::new(line.trim().parse().expect("an address"));
        Self { child, folder: folder.to_owned(), made: None, client }
    }

    /// An empty file for it to serve.
    pub(crate) fn file(&self, name: &str) -> File {
        File::create(self.folder.join(name)).expect("a file can be made")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

//! The real graphite-web, in a process of its own, with a server under test as the one member of its cluster.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running graphite-web. It ends when it is dropped.
#[derive(Debug)]
pub struct GraphiteWeb {
    child: Child,
    /// Without it the other end has no more to do.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl GraphiteWeb {
    /// One that asks a server, in `msgpack` or in `pickle`.
    ///
    /// # Panics
    /// When it is not installed; the message says how to do that.
    #[track_caller]
    pub fn over(server: SocketAddr, form: &str) -> Self {
        let python = python();
        assert!(python.is_file(), "{} is missing; scripts/graphite-web.sh installs it", python.display());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("graphite/ask.py");
        let mut command = Command::new(python);
        command.arg(script).arg(server.port().to_string()).arg(form);
        // What it logs is of use where it fails alone; then its answers say so.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("Python can be started");
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("standard output is piped"));
        Self { child, requests, answers }
    }

    /// The JSON that it answers to a `GET`.
    ///
    /// # Panics
    /// When it answers with another status than 200, or ends.
    #[track_caller]
    pub fn ask(&mut self, path: &str, params: &[(&str, String)]) -> Value {
        let request = serde_json::json!([path, params]);
        let requests = self.requests.as_mut().expect("standard input is piped");
        writeln!(requests, "{request}").expect("graphite-web takes requests");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("graphite-web answers");
        let answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("graphite-web has ended at {request}: {error}"));
        let text = answer[1].as_str().unwrap_or_default();
        assert_eq!(answer[0], 200, "{request}: {text}");
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{request}: {error}: {text}"))
    }
}

impl Drop for GraphiteWeb {
    fn drop(&mut self) {
        drop(self.requests.take());
        drop(self.child.wait());
    }
}

/// What a script of Python's makes of its standard input, read as JSON. It may use graphite-web's own modules.
///
/// # Panics
/// When it fails; what it said is in the message.
#[track_caller]
pub fn run_python(script: &str, input: &[u8]) -> Value {
    let mut command = Command::new(python());
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("Python can be started");
    child.stdin.take().expect("standard input is piped").write_all(input).expect("Python reads");
    let done = child.wait_with_output().expect("Python ends");
    let said = || String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{}", said());
    serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", said()))
}

/// Python with graphite-web, where `scripts/graphite-web.sh` has installed it.
fn python() -> PathBuf {
    let cache = std::env::var_os("SONDE_CACHE").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/sonde");
    cache.unwrap_or_else(home).join("graphite-web/bin/python")
}

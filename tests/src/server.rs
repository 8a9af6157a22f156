//! Starting and killing the real binary.

use crate::http::{Answer, Client};
use crate::{process, wait};
use sonde_shared::api::IngestReport;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to print its addresses: generous, since other tests run beside it.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The binary under test.
///
/// # Panics
/// When it has not been built; the message says how to.
pub fn binary() -> PathBuf {
    let default = || {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in a workspace");
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        target.join("release/sonde")
    };
    let path = std::env::var_os("SONDE_BIN").map_or_else(default, PathBuf::from);
    let how = "build it with `trunk build --release && cargo build --release -p sonde` or name another in SONDE_BIN";
    assert!(path.is_file(), "{} is missing; {how}", path.display());
    path
}

/// How to start a server. The defaults are a fresh folder and free ports.
#[derive(Debug, Default)]
pub struct Setup {
    data: Option<PathBuf>,
    args: Vec<OsString>,
    wrapper: Vec<OsString>,
    without: Vec<&'static str>,
}

impl Setup {
    /// A server on a folder that outlives it.
    pub fn on(data: &Path) -> Self {
        Self { data: Some(data.to_owned()), ..Self::default() }
    }

    /// One more argument of `sonde serve`.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Leaves out a listener's flag, which otherwise names a free port.
    #[must_use]
    pub fn without(mut self, listener: &'static str) -> Self {
        self.without.push(listener);
        self
    }

    /// Starts it through another program, `sh -c '…; exec "$@"' -`.
    #[must_use]
    pub fn through<const N: usize>(mut self, wrapper: [&str; N]) -> Self {
        self.wrapper = wrapper.into_iter().map(OsString::from).collect();
        self
    }

    /// Starts `sonde serve` and waits for its addresses.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn start(self) -> TestServer {
        let temp = tempfile::tempdir().expect("a temporary folder can be made");
        let data = self.data.clone().unwrap_or_else(|| temp.path().join("data"));
        let command = self.command(&data, "serve");
        TestServer::spawn(command, temp, data, &["http", "carbon", "syslog"])
    }

    /// Starts `sonde serve` where it is to end by itself, and returns whether it succeeded and all it said.
    ///
    /// # Panics
    /// When it is still running after the limit.
    #[track_caller]
    pub fn fail_to_start(self) -> (bool, String) {
        let temp = tempfile::tempdir().expect("a temporary folder can be made");
        let data = self.data.clone().unwrap_or_else(|| temp.path().join("data"));
        let said = temp.path().join("said");
        let file = File::create(&said).expect("a file can be made");
        let mut command = self.command(&data, "serve");
        command.stdout(file.try_clone().expect("a file can be shared")).stderr(file);
        let mut child = command.spawn().expect("the binary can be started");
        let ended =
            wait::until("the server to give up", || child.try_wait().transpose().ok_or("still running"));
        let ended = ended.expect("a child can be waited for");
        (ended.success(), std::fs::read_to_string(said).unwrap_or_default())
    }

    fn command(&self, data: &Path, subcommand: &str) -> Command {
        let mut words = self.wrapper.clone();
        words.push(binary().into_os_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(subcommand).arg("--data").arg(data);
        let listeners = ["--listen", "--carbon", "--syslog"];
        for listener in listeners.into_iter().filter(|listener| !self.without.contains(listener)) {
            command.args([listener, "127.0.0.1:0"]);
        }
        command.args(&self.args);
        command
    }
}

/// A running server. It is killed when dropped; when the test has failed, the end of its log is printed.
#[derive(Debug)]
pub struct TestServer {
    child: Child,
    listeners: BTreeMap<String, SocketAddr>,
    lines: Receiver<String>,
    log: PathBuf,
    data: PathBuf,
    client: Client,
    _temp: TempDir,
}

impl TestServer {
    /// `sonde serve` on a fresh folder.
    #[track_caller]
    pub fn start() -> Self {
        Setup::default().start()
    }

    /// `sonde serve` on this folder.
    #[track_caller]
    pub fn on(data: &Path) -> Self {
        Setup::on(data).start()
    }

    /// `sonde demo`, when its history is there; beside it the link it printed.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn demo() -> (Self, String) {
        let temp = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = Command::new(binary());
        command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", temp.path());
        let data = temp.path().to_owned();
        let mut server = Self::spawn(command, temp, data, &["http"]);
        let link = server.wait_for_line("open ");
        (server, link)
    }

    #[track_caller]
    fn spawn(mut command: Command, temp: TempDir, data: PathBuf, wanted: &[&str]) -> Self {
        let log = temp.path().join("sonde.log");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::create(&log).expect("a log file can be made"));
        let mut child = command.spawn().expect("the binary can be started");
        let lines = read_lines(&mut child);
        let client = Client::new(([127, 0, 0, 1], 0).into());
        let mut server = Self { child, listeners: BTreeMap::new(), lines, log, data, client, _temp: temp };
        while !wanted.iter().all(|name| server.listeners.contains_key(*name)) {
            let line = server.wait_for_line("listening ");
            let (name, address) = line.split_once(' ').expect("a listener has a name and an address");
            server.listeners.insert(name.to_owned(), address.parse().expect("an address and port"));
        }
        server.client = Client::new(server.listeners["http"]);
        server
    }

    /// Waits for a line of standard output that starts so, and returns its rest.
    #[track_caller]
    fn wait_for_line(&mut self, start: &str) -> String {
        let end = Instant::now() + START_LIMIT;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(start) {
                        return rest.trim().to_owned();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the server did not print `{start}…` in {START_LIMIT:?}")
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the server ended before it printed `{start}…`")
                }
            }
        }
    }

    /// Its HTTP client.
    pub fn http(&self) -> &Client {
        &self.client
    }

    /// `GET` of a path.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.client.get(path)
    }

    /// The bytes of `/api/logs` with these parameters.
    #[track_caller]
    pub fn logs(&self, query: &str) -> Vec<u8> {
        self.client.get(&format!("/api/logs?{query}")).ok().body
    }

    /// How many lines `/api/logs` sends with these parameters.
    #[track_caller]
    pub fn count_logs(&self, query: &str) -> u64 {
        crate::http::split_lines(&self.logs(query)).len() as u64
    }

    /// Posts NDJSON and returns the report.
    #[track_caller]
    pub fn post_logs(&self, ndjson: &[u8]) -> IngestReport {
        self.client.post("/api/ingest/logs", ndjson).ok().json()
    }

    /// Posts lines of which every one must be stored.
    ///
    /// # Panics
    /// When one is refused.
    #[track_caller]
    pub fn store_logs(&self, ndjson: &[u8]) {
        let report = self.post_logs(ndjson);
        let sent = crate::http::split_lines(ndjson).len() as u64;
        assert_eq!((report.stored, report.refused_total), (sent, 0), "{:?}", report.refused.first());
    }

    /// Where it listens: `http`, `carbon` or `syslog`.
    pub fn listener(&self, name: &str) -> SocketAddr {
        self.listeners[name]
    }

    /// Sends bytes over one TCP connection to a listener, and closes it.
    ///
    /// # Panics
    /// When they are not taken.
    pub fn send_tcp(&self, listener: &str, bytes: &[u8]) {
        let mut stream = TcpStream::connect(self.listener(listener)).expect("the listener takes connections");
        stream.write_all(bytes).expect("the listener reads");
    }

    /// Sends one datagram to a listener.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub fn send_udp(&self, listener: &str, bytes: &[u8]) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        socket.send_to(bytes, self.listener(listener)).expect("a datagram can be sent");
    }

    /// One number of `/metrics`; 0 when it is not there.
    ///
    /// # Panics
    /// When it is no number.
    #[track_caller]
    pub fn counter(&self, name: &str) -> f64 {
        let text = self.get("/metrics").ok().text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.trim().parse().expect("a metric is a number"))
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`: nothing is written any more, not even what was half-way.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server can be waited for");
    }

    /// Lets it stand still, so that what is asked for is not answered, or go on.
    pub fn stand_still(&self, still: bool) {
        process::stand_still(&self.child, still);
    }

    /// Ends it as a service manager does, and waits.
    ///
    /// # Panics
    /// When it does not end in time or fails.
    #[track_caller]
    pub fn stop(mut self) {
        process::terminate(&self.child);
        let ended =
            wait::until("the server to end", || self.child.try_wait().transpose().ok_or("still running"));
        assert!(ended.expect("a child can be waited for").success(), "the server ended with an error");
    }

    /// All that it has said of itself so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn print_log(&self) {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(30)..].join("\n");
        let mut out = std::io::stderr().lock();
        // Nothing can be done about a closed stderr while a test is failing.
        drop(writeln!(out, "--- the end of the server's log ---\n{last}\n---"));
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            self.print_log();
        }
    }
}

/// The lines of a child's standard output, read by a thread of their own so that the child is never held up.
fn read_lines(child: &mut Child) -> Receiver<String> {
    let stdout = child.stdout.take().expect("standard output is piped");
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

//! Debian's VictoriaMetrics, in a process of its own, fed and asked over its own protocols.

use sonde_tests::big_day;
use sonde_tests::http::Client;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server over a folder of its own. It ends when it is dropped.
pub(crate) struct Victoria {
    child: Child,
    /// Where it takes Graphite's plaintext.
    pub(crate) carbon: SocketAddr,
    pub(crate) client: Client,
    _folder: TempDir,
}

/// A series of an answer: its totals are what is compared.
#[derive(serde::Deserialize)]
struct Answered {
    data: Matrix,
}

#[derive(serde::Deserialize)]
struct Matrix {
    result: Vec<Row>,
}

#[derive(serde::Deserialize)]
struct Row {
    values: Vec<(f64, String)>,
}

impl Victoria {
    /// Starts one that keeps all there is and answers from no cache.
    pub(crate) fn start() -> Self {
        let folder = big_day::folder_beside("victoria");
        let (http, carbon) = (free_address(), free_address());
        let mut command = Command::new(program());
        command.arg(format!("-storageDataPath={}", folder.path().display()));
        command.arg(format!("-httpListenAddr={http}")).arg(format!("-graphiteListenAddr={carbon}"));
        command.args([
            "-retentionPeriod=100y",
            "-search.disableCache",
            "-search.latencyOffset=0s",
            "-loggerLevel=ERROR",
        ]);
        let child = command.stdin(Stdio::null()).spawn().expect("VictoriaMetrics starts");
        let client = Client::new(http);
        let begun = Instant::now();
        while client.try_get("/health").is_err() {
            assert!(begun.elapsed() < PATIENCE, "VictoriaMetrics answers within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, carbon, client, _folder: folder }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Points it has taken by Graphite's plaintext.
    pub(crate) fn stored(&self) -> f64 {
        let text = self.client.get("/metrics").ok().text();
        let name = "vm_rows_inserted_total{type=\"graphite\"} ";
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map_or(0.0, |text| text.parse().expect("a number"))
    }

    /// Makes what came in last visible.
    pub(crate) fn flush(&self) {
        let _ = self.client.get("/internal/force_flush");
    }

    /// The address of a query over seconds, both ends included.
    pub(crate) fn path(query: &str, from: i64, until: i64, step: i64) -> String {
        let mut path = url::form_urlencoded::Serializer::new("/api/v1/query_range?".to_owned());
        path.append_pair("query", query).append_pair("nocache", "1");
        path.append_pair("start", &from.to_string()).append_pair("end", &until.to_string());
        path.append_pair("step", &format!("{step}s")).finish()
    }

    /// How many values each series of an answer has, and their total.
    pub(crate) fn totals(&self, path: &str) -> Vec<(usize, f64)> {
        let answered: Answered = self.client.get(path).ok().json();
        let total =
            |row: &Row| row.values.iter().map(|(_, text)| text.parse::<f64>().expect("a number")).sum();
        answered.data.result.iter().map(|row| (row.values.len(), total(row))).collect()
    }
}

impl Drop for Victoria {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has an address")
}

/// Where `scripts/victoria-metrics.sh` has put it.
fn program() -> PathBuf {
    let cache = std::env::var_os("SONDE_CACHE").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/sonde");
    let program = cache.unwrap_or_else(home).join("victoria-metrics/usr/bin/victoria-metrics");
    assert!(program.is_file(), "{} is missing; scripts/victoria-metrics.sh puts it there", program.display());
    program
}

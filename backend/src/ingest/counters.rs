//! What arrived, was stored and was refused, by protocol and reason, as Prometheus text.

use super::refusal_log::RefusalLog;
use super::refused::Refused;
use super::udp_drops;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The ways in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Protocol {
    NdjsonHttp = 0,
    CarbonHttp = 1,
    CarbonTcp = 2,
    CarbonUdp = 3,
    CarbonPickle = 4,
    SyslogTcp = 5,
    SyslogUdp = 6,
}

impl Protocol {
    const LABELS: [&'static str; 7] = [
        "ndjson_http",
        "carbon_http",
        "carbon_tcp",
        "carbon_udp",
        "carbon_pickle",
        "syslog_tcp",
        "syslog_udp",
    ];
    const COUNT: usize = Self::LABELS.len();
}

/// The label for lines that the store did not take.
const STORE_REASON: &str = "store";
const REASONS: usize = Refused::REASONS.len() + 1;

/// One protocol's counters.
#[derive(Debug, Default)]
struct Lane {
    received: AtomicU64,
    stored: AtomicU64,
    repeated: AtomicU64,
    refused: [AtomicU64; REASONS],
}

/// All of ingest's counters. They start at zero with the process.
#[derive(Debug, Default)]
pub struct Counters {
    lanes: [Lane; Protocol::COUNT],
    udp_sockets: Mutex<Vec<(Protocol, u64)>>,
    log: RefusalLog,
}

impl Counters {
    /// Notes lines or messages that arrived, refused ones included.
    pub fn received(&self, protocol: Protocol, lines: u64) {
        self.lane(protocol).received.fetch_add(lines, Ordering::Relaxed);
    }

    /// Notes lines or points that the store has taken.
    pub fn stored(&self, protocol: Protocol, rows: u64) {
        self.lane(protocol).stored.fetch_add(rows, Ordering::Relaxed);
    }

    /// Notes lines that were stored before, under the same key.
    pub fn repeated(&self, protocol: Protocol, lines: u64) {
        self.lane(protocol).repeated.fetch_add(lines, Ordering::Relaxed);
    }

    /// Notes a refused line.
    pub fn refused(&self, protocol: Protocol, why: &Refused) {
        self.lane(protocol).refused[why.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a refused line whose sender gets no answer; now and then one of them is logged, with what there is of it.
    pub(super) fn refused_from(&self, protocol: Protocol, why: &Refused, from: IpAddr, text: &[u8]) {
        self.refused(protocol, why);
        self.log.note(Protocol::LABELS[protocol as usize], why, from, text);
    }

    /// Notes rows that the store did not take.
    pub fn not_stored(&self, protocol: Protocol, rows: u64) {
        self.lane(protocol).refused[REASONS - 1].fetch_add(rows, Ordering::Relaxed);
    }

    /// Notes rows that the store has taken, or has not.
    pub fn settled(&self, protocol: Protocol, rows: u64, is_stored: bool) {
        if is_stored { self.stored(protocol, rows) } else { self.not_stored(protocol, rows) }
    }

    /// From now on `/metrics` says what this socket loses; `None` for one that the kernel does not list.
    pub fn watch_drops(&self, protocol: Protocol, inode: Option<u64>) {
        let mut sockets = self.udp_sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.extend(inode.map(|inode| (protocol, inode)));
    }

    fn inodes(&self, protocol: Protocol) -> Vec<u64> {
        let sockets = self.udp_sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.iter().filter(|(watched, _)| *watched == protocol).map(|(_, inode)| *inode).collect()
    }

    /// How many lines of a protocol were refused, for whatever reason.
    pub fn refused_total(&self, protocol: Protocol) -> u64 {
        self.lane(protocol).refused.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// How many lines or points of a protocol the store has taken.
    pub fn stored_total(&self, protocol: Protocol) -> u64 {
        self.lane(protocol).stored.load(Ordering::Relaxed)
    }

    fn lane(&self, protocol: Protocol) -> &Lane {
        &self.lanes[protocol as usize]
    }
}

/// Appends all counters as Prometheus text.
pub fn render(counters: &Counters, out: &mut String) {
    let lanes = || Protocol::LABELS.iter().zip(&counters.lanes);
    head(out, "sonde_ingest_lines_total", "Lines, points or messages that arrived.");
    for (label, lane) in lanes() {
        sample(
            out,
            "sonde_ingest_lines_total",
            &format!("protocol=\"{label}\""),
            lane.received.load(Ordering::Relaxed),
        );
    }
    head(out, "sonde_ingest_stored_total", "Lines or points that the store has taken.");
    for (label, lane) in lanes() {
        sample(
            out,
            "sonde_ingest_stored_total",
            &format!("protocol=\"{label}\""),
            lane.stored.load(Ordering::Relaxed),
        );
    }
    head(out, "sonde_ingest_repeated_total", "Lines of bodies sent again that were stored before.");
    let repeated = counters.lanes[Protocol::NdjsonHttp as usize].repeated.load(Ordering::Relaxed);
    sample(out, "sonde_ingest_repeated_total", "protocol=\"ndjson_http\"", repeated);
    head(out, "sonde_ingest_refused_total", "Lines that were not taken, by reason.");
    for (label, lane) in lanes() {
        for (reason, count) in Refused::REASONS.iter().chain([&STORE_REASON]).zip(&lane.refused) {
            let labels = format!("protocol=\"{label}\",reason=\"{reason}\"");
            sample(out, "sonde_ingest_refused_total", &labels, count.load(Ordering::Relaxed));
        }
    }
    head(
        out,
        "sonde_udp_dropped_total",
        "Datagrams that the kernel dropped because the socket's buffer was full.",
    );
    for protocol in [Protocol::CarbonUdp, Protocol::SyslogUdp] {
        let labels = format!("protocol=\"{}\"", Protocol::LABELS[protocol as usize]);
        sample(out, "sonde_udp_dropped_total", &labels, udp_drops::dropped(&counters.inodes(protocol)));
    }
}

fn head(out: &mut String, name: &str, help: &str) {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter").expect("a String takes all that is written");
}

fn sample(out: &mut String, name: &str, labels: &str, value: u64) {
    writeln!(out, "{name}{{{labels}}} {value}").expect("a String takes all that is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_rendered_under_its_labels() {
        let counters = Counters::default();
        counters.received(Protocol::CarbonTcp, 3);
        counters.stored(Protocol::CarbonTcp, 1);
        counters.refused(Protocol::CarbonTcp, &Refused::Nan);
        counters.not_stored(Protocol::CarbonTcp, 1);
        let mut text = String::new();
        render(&counters, &mut text);
        for line in [
            "sonde_ingest_lines_total{protocol=\"carbon_tcp\"} 3",
            "sonde_ingest_stored_total{protocol=\"carbon_tcp\"} 1",
            "sonde_ingest_refused_total{protocol=\"carbon_tcp\",reason=\"nan\"} 1",
            "sonde_ingest_refused_total{protocol=\"carbon_tcp\",reason=\"store\"} 1",
            "sonde_ingest_refused_total{protocol=\"syslog_udp\",reason=\"nan\"} 0",
        ] {
            assert!(text.lines().any(|got| got == line), "{line}\n{text}");
        }
        assert_eq!(
            (counters.refused_total(Protocol::CarbonTcp), counters.stored_total(Protocol::CarbonTcp)),
            (2, 1)
        );
    }
}

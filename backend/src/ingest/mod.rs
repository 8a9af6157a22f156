//! From bytes of a protocol to checked lines and points.
//!
//! Parsers are pure functions over bytes and a clock reading; only `listen` touches sockets. What is refused is told
//! to the sender where the protocol has an answer, and counted by reason in every case.

/// Graphite plaintext: one line to one point.
pub mod carbon;
/// Which component a syslog message belongs to.
pub mod component_rule;
/// What arrived, was stored and was refused, for `/metrics`.
pub mod counters;
/// Content encodings undone piece by piece.
pub mod decode;
/// Connections that begin with an HTTP request.
mod first_line;
/// Syslog messages on a TCP stream.
pub mod framing;
/// Chunks of a stream to batches: cut into lines, each parsed, in bounded memory.
pub mod intake;
/// A byte stream cut into lines.
pub mod lines;
/// Carbon and syslog over TCP and UDP.
pub mod listen;
/// NDJSON: the stored line is the line that was sent.
pub mod ndjson;
/// Python pickles of points.
mod pickle;
/// Pickles on a TCP stream.
mod pickle_wire;
/// A stream of text cut behind lines.
mod pieces;
/// Which refused lines are logged.
mod refusal_log;
/// Why a line is not taken.
pub mod refused;
/// The normal form of a metric's path and tags.
pub mod series_path;
/// Long streams of lines, parsed on several threads.
pub mod spread;
/// Syslog messages become lines.
pub mod syslog;
/// The BSD form of syslog messages.
pub mod syslog_3164;
/// The newer form of syslog messages.
pub mod syslog_5424;
/// The stamps of syslog messages.
pub mod syslog_stamp;
/// Where long bodies are read.
pub mod threads;
/// Datagrams that the kernel threw away.
mod udp_drops;
/// Files of whisper, Graphite's store.
pub mod whisper;
/// What carbon and syslog do with the bytes of a socket.
mod wire;
/// The zone of stamps that do not name one.
pub mod zone;

pub use refused::Refused;

use crate::store::Store;
use crate::store::retention::EarliestLines;
use sonde_shared::time::{NANOS_PER_DAY, TimeRange, Timestamp};

/// What the time of a line is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// When the line arrives.
    pub now: Timestamp,
    /// Nothing before this is kept.
    pub earliest: Timestamp,
    /// Where lines are kept for other times, by their component.
    pub lines: Option<EarliestLines>,
}

impl Clock {
    /// The clock for what a store is to keep.
    pub fn of(store: &Store, now: Timestamp) -> Self {
        Self { now, earliest: store.earliest(now), lines: store.earliest_of_lines() }
    }

    /// The stamps that are taken: not later than 24 hours ahead, not before what is kept, nor before 1678, where days are
    /// still whole.
    pub fn accepts(&self) -> TimeRange {
        self.accepts_from(self.earliest)
    }

    /// The stamps that are taken of a component's lines.
    pub fn accepts_of(&self, component: &str) -> TimeRange {
        self.accepts_from(self.lines.as_ref().map_or(self.earliest, |lines| lines.of(component, self.now)))
    }

    fn accepts_from(&self, earliest: Timestamp) -> TimeRange {
        const YEAR_1678_SECS: i64 = -9_214_560_000;
        let from = earliest.max(Timestamp::from_secs(YEAR_1678_SECS));
        TimeRange { from, until: self.now.plus_nanos(NANOS_PER_DAY + 1) }
    }
}

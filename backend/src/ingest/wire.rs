//! What carbon and syslog do with the bytes of a socket: one state a connection, or one for all datagrams.

use super::Clock;
use super::carbon::Plaintext;
use super::counters::{Counters, Protocol};
use super::framing::Framer;
use super::intake::{Intake, LineParser};
use super::lines::Cut;
use super::refused::Refused;
use super::syslog::{SyslogRules, push_message};
use crate::store::batch::{Durability, LineBatch, MAX_LINE_BYTES, PointBatch};
use crate::store::{Store, StoreError};
use memchr::memchr_iter;
use std::net::IpAddr;
use std::sync::Arc;

/// Turns bytes into a batch and the batch over to the store.
pub(super) trait Wire: Send + 'static {
    /// Takes a piece of a stream.
    fn feed(&mut self, bytes: &[u8], clock: Clock);
    /// Ends the stream.
    fn finish(&mut self, clock: Clock);
    /// Counts the whole stream as one refused line.
    fn refuse(&self, why: &Refused);
    /// Whether what comes behind cannot be understood any more, so that the connection is to be closed.
    fn is_lost(&self) -> bool {
        false
    }
    /// Roughly how much memory the batch takes.
    fn batch_bytes(&self) -> usize;
    /// Hands the batch over; waits while the store's queue is full.
    fn flush(&mut self, store: &Store) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A protocol that comes in datagrams too.
pub(super) trait DatagramWire: Wire {
    /// Takes a whole datagram.
    fn datagram(&mut self, bytes: &[u8], from: IpAddr, clock: Clock);
}

/// Graphite plaintext.
pub(super) struct CarbonWire {
    intake: Intake<Plaintext>,
    protocol: Protocol,
    peer: IpAddr,
    counters: Arc<Counters>,
    lines_counted: u64,
}

impl CarbonWire {
    pub(super) fn new(protocol: Protocol, counters: Arc<Counters>, peer: IpAddr) -> Self {
        Self { intake: Intake::default(), protocol, peer, counters, lines_counted: 0 }
    }
}

impl Wire for CarbonWire {
    fn feed(&mut self, bytes: &[u8], clock: Clock) {
        let Self { intake, protocol, peer, counters, .. } = self;
        intake.feed(bytes, clock, |_, why, text| counters.refused_from(*protocol, &why, *peer, text));
    }

    /// A line without its end is not taken: its number may be cut off in the middle. Carbon drops it too.
    fn finish(&mut self, _clock: Clock) {
        if self.intake.has_unfinished() {
            self.refuse(&Refused::Unfinished);
        }
    }

    fn refuse(&self, why: &Refused) {
        self.counters.received(self.protocol, 1);
        self.counters.refused_from(self.protocol, why, self.peer, b"");
    }

    fn batch_bytes(&self) -> usize {
        self.intake.batch_bytes()
    }

    async fn flush(&mut self, store: &Store) -> Result<(), StoreError> {
        let lines = self.intake.lines();
        self.counters.received(self.protocol, lines - std::mem::replace(&mut self.lines_counted, lines));
        let (batch, rows) = self.intake.take_batch();
        self.intake.go_on_with(PointBatch::of(store.metrics().names()));
        if rows == 0 {
            return Ok(());
        }
        let result = Plaintext::append(store, batch, Durability::Streamed).await;
        self.counters.settled(self.protocol, rows, result.is_ok());
        result
    }
}

impl DatagramWire for CarbonWire {
    fn datagram(&mut self, bytes: &[u8], from: IpAddr, clock: Clock) {
        self.peer = from;
        self.feed(bytes, clock.clone());
        let Self { intake, protocol, counters, .. } = self;
        intake.finish(clock, |_, why, text| counters.refused_from(*protocol, &why, from, text));
    }
}

/// Syslog of either form.
pub(super) struct SyslogWire {
    framer: Framer,
    batch: LineBatch,
    peer: String,
    rules: Arc<SyslogRules>,
    protocol: Protocol,
    counters: Arc<Counters>,
}

impl SyslogWire {
    pub(super) fn new(
        protocol: Protocol,
        counters: Arc<Counters>,
        rules: Arc<SyslogRules>,
        peer: IpAddr,
    ) -> Self {
        let peer = peer.to_canonical().to_string();
        Self { framer: Framer::default(), batch: LineBatch::default(), peer, rules, protocol, counters }
    }

    fn take(&mut self, clock: &Clock, frame: impl FnOnce(&mut Framer, &mut dyn FnMut(Cut<'_>))) {
        let Self { framer, batch, peer, rules, protocol, counters } = self;
        frame(framer, &mut |cut| match cut {
            Cut::Line(message) => {
                let was_taken = push_message(batch, message, peer, clock, rules);
                counters.received(*protocol, u64::from(was_taken));
            }
            Cut::TooLong => {
                counters.received(*protocol, 1);
                counters.refused(*protocol, &Refused::TooLong { limit_bytes: MAX_LINE_BYTES });
            }
        });
    }
}

impl Wire for SyslogWire {
    fn feed(&mut self, bytes: &[u8], clock: Clock) {
        self.take(&clock, |framer, each| framer.feed(bytes, each));
    }

    fn finish(&mut self, clock: Clock) {
        self.take(&clock, |framer, each| framer.finish(each));
    }

    fn refuse(&self, why: &Refused) {
        self.counters.received(self.protocol, 1);
        self.counters.refused(self.protocol, why);
    }

    fn batch_bytes(&self) -> usize {
        self.batch.text.len()
    }

    async fn flush(&mut self, store: &Store) -> Result<(), StoreError> {
        let batch = std::mem::take(&mut self.batch);
        let rows = batch.len() as u64;
        if rows == 0 {
            return Ok(());
        }
        let result = store.append_lines(batch, Durability::Streamed).await;
        self.counters.settled(self.protocol, rows, result.is_ok());
        result
    }
}

impl DatagramWire for SyslogWire {
    fn datagram(&mut self, bytes: &[u8], from: IpAddr, clock: Clock) {
        let peer = from.to_canonical().to_string();
        for message in split_datagram(bytes) {
            let was_taken = push_message(&mut self.batch, message, &peer, &clock, &self.rules);
            self.counters.received(self.protocol, u64::from(was_taken));
        }
    }
}

/// The messages of a datagram. One that starts with a priority goes on to the next line that does, so that a stack trace
/// stays whole; without priorities each line is a message.
fn split_datagram(bytes: &[u8]) -> Vec<&[u8]> {
    let has_priority =
        |bytes: &[u8]| bytes.first() == Some(&b'<') && bytes.get(1).is_some_and(u8::is_ascii_digit);
    let starts_anew = |end: &usize| !has_priority(bytes) || has_priority(&bytes[end + 1..]);
    let mut messages = Vec::new();
    let mut start = 0;
    for end in memchr_iter(b'\n', bytes).filter(starts_anew) {
        messages.push(&bytes[start..end]);
        start = end + 1;
    }
    messages.push(&bytes[start..]);
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_holds_one_or_more_messages() {
        let check = |datagram: &str, expected: &[&str]| {
            let messages: Vec<&[u8]> = expected.iter().map(|message| message.as_bytes()).collect();
            assert_eq!(split_datagram(datagram.as_bytes()), messages, "{datagram:?}");
        };
        check("<1>a", &["<1>a"]);
        check("<1>a\n<2>b", &["<1>a", "<2>b"]);
        check("<1>trace\n  at x\n<html>\n<2>b\n", &["<1>trace\n  at x\n<html>", "<2>b\n"]);
        check("a\nb", &["a", "b"]);
        check("", &[""]);
    }
}

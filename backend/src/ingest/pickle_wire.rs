//! Pickles on a TCP stream: a length of four bytes, big-endian, and so many bytes of a pickle.
//!
//! As in carbon a frame is at most 1 MiB. A longer one ends the connection, since what looks like a length then is most likely
//! another protocol's text; a frame that cannot be read is refused, and those behind it are not lost.

use super::Clock;
use super::carbon::check_point;
use super::counters::{Counters, Protocol};
use super::pickle;
use super::refused::Refused;
use super::wire::Wire;
use crate::store::batch::{Durability, PointBatch, PointRow};
use crate::store::{Store, StoreError};
use std::net::IpAddr;
use std::sync::Arc;

/// The longest pickle that is taken, as in carbon.
const MAX_FRAME_BYTES: usize = 1 << 20;
const LENGTH_BYTES: usize = 4;
const PROTOCOL: Protocol = Protocol::CarbonPickle;

/// Points in pickles.
pub(super) struct PickleWire {
    kept: Vec<u8>,
    batch: PointBatch,
    is_lost: bool,
    peer: IpAddr,
    counters: Arc<Counters>,
}

impl PickleWire {
    pub(super) fn new(counters: Arc<Counters>, peer: IpAddr) -> Self {
        Self { kept: Vec::new(), batch: PointBatch::default(), is_lost: false, peer, counters }
    }

    /// Takes the whole frames at the start of `bytes`; how many bytes they are.
    fn take_frames(&mut self, bytes: &[u8], clock: &Clock) -> usize {
        let mut at = 0;
        while let Some((length, rest)) = bytes[at..].split_first_chunk::<LENGTH_BYTES>() {
            let len = u32::from_be_bytes(*length) as usize;
            if len > MAX_FRAME_BYTES {
                self.is_lost = true;
                self.refuse(&Refused::TooLong { limit_bytes: MAX_FRAME_BYTES });
                return bytes.len();
            }
            let Some(frame) = rest.get(..len) else { break };
            self.take_frame(frame, clock);
            at += LENGTH_BYTES + len;
        }
        at
    }

    fn take_frame(&mut self, frame: &[u8], clock: &Clock) {
        let pickled = match pickle::read(frame) {
            Ok(pickled) => pickled,
            Err(why) => {
                self.counters.received(PROTOCOL, 1);
                return self.counters.refused_from(PROTOCOL, &why, self.peer, frame);
            }
        };
        let accepts = clock.accepts();
        for item in pickled.items() {
            self.counters.received(PROTOCOL, 1);
            let text = item.as_ref().map_or(frame, |item| item.path.as_bytes());
            let point = item
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|item| check_point(item.path, item.secs, item.value, clock.now, accepts));
            match point {
                Ok(point) => self.batch.push(&point.path, point.ts_secs, point.value),
                Err(why) => self.counters.refused_from(PROTOCOL, &why, self.peer, text),
            }
        }
    }
}

impl Wire for PickleWire {
    fn feed(&mut self, bytes: &[u8], clock: Clock) {
        if self.is_lost {
            return;
        }
        if self.kept.is_empty() {
            let used = self.take_frames(bytes, &clock);
            self.kept.extend_from_slice(&bytes[used..]);
            return;
        }
        let mut kept = std::mem::take(&mut self.kept);
        kept.extend_from_slice(bytes);
        let used = self.take_frames(&kept, &clock);
        // What one long frame left allocated is not held for the life of the connection.
        self.kept = if used == 0 { kept } else { kept[used..].to_vec() };
    }

    fn finish(&mut self, _clock: Clock) {
        if !self.kept.is_empty() {
            self.refuse(&Refused::Unfinished);
        }
    }

    fn refuse(&self, why: &Refused) {
        self.counters.received(PROTOCOL, 1);
        self.counters.refused_from(PROTOCOL, why, self.peer, b"");
    }

    fn is_lost(&self) -> bool {
        self.is_lost
    }

    fn batch_bytes(&self) -> usize {
        self.batch.rows.len() * size_of::<PointRow>()
    }

    async fn flush(&mut self, store: &Store) -> Result<(), StoreError> {
        let next = PointBatch::of(store.metrics().names());
        let batch = std::mem::replace(&mut self.batch, next);
        let rows = batch.len() as u64;
        if rows == 0 {
            return Ok(());
        }
        let result = store.append_points(batch, Durability::Streamed).await;
        self.counters.settled(PROTOCOL, rows, result.is_ok());
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::Timestamp;

    fn clock() -> Clock {
        Clock { now: Timestamp::from_secs(1_763_647_500), earliest: Timestamp::from_secs(1), lines: None }
    }

    fn frame(pickle: &[u8]) -> Vec<u8> {
        [&(pickle.len() as u32).to_be_bytes(), pickle].concat()
    }

    /// What is gathered of a stream that comes in such pieces: points, how many were refused, whether all is lost.
    fn take(stream: &[u8], piece: usize) -> (Vec<(String, i64, f64)>, u64, bool) {
        let mut wire = PickleWire::new(Arc::default(), IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        stream.chunks(piece).for_each(|bytes| wire.feed(bytes, clock()));
        wire.finish(clock());
        let points = wire
            .batch
            .rows
            .iter()
            .map(|row| (wire.batch.series.name(row.series).to_string(), row.ts_secs, row.value));
        (points.collect(), wire.counters.refused_total(PROTOCOL), wire.is_lost)
    }

    #[test]
    fn frames_are_taken_however_they_are_cut() {
        let one =
            frame(b"](X\x03\0\0\0..aK\x05K\x01\x86\x86X\x07\0\0\0m;b=2;aJ\xff\xff\xff\xffK\x02\x86\x86e.");
        let tagged = frame(b"]X\x09\0\0\0m;b=2;a=1J\xff\xff\xff\xffG?\xf8\0\0\0\0\0\0\x86\x86a.");
        let bad = [frame(b""), frame(b"cos\nsystem\n(tR."), frame(b"].")].concat();
        let spaced =
            frame(b"](X\x03\0\0\0a bK\x05K\x01\x86\x86X\x01\0\0\0aK\x05G\x7f\xf8\0\0\0\0\0\0\x86\x86e.");
        let stream = [one.clone(), bad, spaced, tagged, one[..9].to_vec()].concat();
        let points = vec![("a".to_owned(), 5, 1.0), ("m;a=1;b=2".to_owned(), 1_763_647_500, 1.5)];
        for piece in [1, 2, 3, 7, 64, stream.len()] {
            // A tag without a value, two bad frames, two bad items, and one that is cut off.
            assert_eq!(take(&stream, piece), (points.clone(), 6, false), "{piece}");
        }
    }

    #[test]
    fn a_length_beyond_the_limit_ends_the_connection() {
        let good = frame(b"]X\x01\0\0\0aK\x05K\x01\x86\x86a.");
        let points = vec![("a".to_owned(), 5, 1.0)];
        let longest = frame(&[b"](".as_slice(), &vec![b'N'; MAX_FRAME_BYTES - 4], b"e."].concat());
        let refused = MAX_FRAME_BYTES as u64 - 4;
        assert_eq!(take(&[longest, good.clone()].concat(), 65_536), (points.clone(), refused, false));
        let too_long = (MAX_FRAME_BYTES as u32 + 1).to_be_bytes();
        for text in [too_long.as_slice(), b"a.b 1 1763647500\n"] {
            for piece in [1, 5, 1_000] {
                let stream = [&good, text, &good].concat();
                assert_eq!(take(&stream, piece), (points.clone(), 1, true), "{piece}");
            }
        }
    }
}

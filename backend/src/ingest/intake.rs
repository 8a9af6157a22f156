//! Chunks of a stream become batches: cut into lines, each line parsed, blank ones passed over.
//!
//! Protocol by protocol only [`LineParser`] differs. An intake holds at most one unfinished line and the batch that
//! its owner takes away when it is big enough, so a body of any length needs little memory.

use super::Clock;
use super::lines::{Cut, LineCutter};
use super::refused::Refused;
use crate::store::batch::Durability;
use crate::store::source::Source;
use crate::store::{Store, StoreError};

/// Reads one kind of line into one kind of batch.
pub trait LineParser: Send + Sync {
    /// What the lines are gathered in.
    type Batch: Default + Send;
    /// The longest line that is taken, in bytes without its end.
    const LIMIT_BYTES: usize;

    /// The parser for lines that are judged by this clock.
    fn at(clock: Clock) -> Self;
    /// Adds a line that is not blank to the batch.
    fn parse(&self, line: &[u8], batch: &mut Self::Batch) -> Result<(), Refused>;
    /// Makes room for the lines of so much text.
    fn reserve(_batch: &mut Self::Batch, _bytes: usize) {}
    /// How many rows a batch holds.
    fn rows(batch: &Self::Batch) -> usize;
    /// Roughly how much memory a batch takes.
    fn size_bytes(batch: &Self::Batch) -> usize;
    /// The body that a batch is of, when it may be sent again.
    fn source(_batch: &mut Self::Batch) -> Option<&mut Source> {
        None
    }
    /// Takes the batch away and leaves an empty one of the same body.
    fn take(batch: &mut Self::Batch) -> Self::Batch {
        std::mem::take(batch)
    }
    /// Hands a batch to the store.
    fn append(
        store: &Store,
        batch: Self::Batch,
        durability: Durability,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A stream of lines on its way into batches.
#[derive(Debug)]
pub struct Intake<P: LineParser> {
    cutter: LineCutter,
    batch: P::Batch,
    lines: u64,
}

impl<P: LineParser> Default for Intake<P> {
    fn default() -> Self {
        Self { cutter: LineCutter::new(P::LIMIT_BYTES), batch: P::Batch::default(), lines: 0 }
    }
}

impl<P: LineParser> Intake<P> {
    /// An intake that goes on from a batch.
    pub fn from_batch(batch: P::Batch) -> Self {
        Self { batch, ..Self::default() }
    }

    /// The body that is taken in, when it may be sent again.
    pub fn source(&mut self) -> Option<&mut Source> {
        P::source(&mut self.batch)
    }

    /// Takes a chunk; each refused line is told with its number, from 1, and its text, which an overlong one has none of.
    pub fn feed(&mut self, chunk: &[u8], clock: Clock, mut refuse: impl FnMut(u64, Refused, &[u8])) {
        let parser = P::at(clock);
        let Self { cutter, batch, lines } = self;
        P::reserve(batch, chunk.len());
        cutter.feed(chunk, |number, cut| take(&parser, batch, lines, number, cut, &mut refuse));
    }

    /// Ends the stream; an unterminated last line is a line.
    pub fn finish(&mut self, clock: Clock, mut refuse: impl FnMut(u64, Refused, &[u8])) {
        let parser = P::at(clock);
        let Self { cutter, batch, lines } = self;
        cutter.finish(|number, cut| take(&parser, batch, lines, number, cut, &mut refuse));
    }

    /// How many lines there were so far, blank ones not counted.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The number of the last line that has ended.
    pub fn numbered(&self) -> u64 {
        self.cutter.number()
    }

    /// Whether the stream stands inside a line.
    pub fn has_unfinished(&self) -> bool {
        self.cutter.has_unfinished()
    }

    /// Roughly how much memory the batch takes.
    pub fn batch_bytes(&self) -> usize {
        P::size_bytes(&self.batch)
    }

    /// Gathers in another batch from now on; what was gathered is taken before.
    pub fn go_on_with(&mut self, batch: P::Batch) {
        debug_assert_eq!(P::rows(&self.batch), 0, "nothing that was gathered is lost");
        self.batch = batch;
    }

    /// The batch so far and its number of rows, leaving an empty one.
    pub fn take_batch(&mut self) -> (P::Batch, u64) {
        let batch = P::take(&mut self.batch);
        let rows = P::rows(&batch) as u64;
        (batch, rows)
    }
}

fn take<P: LineParser>(
    parser: &P,
    batch: &mut P::Batch,
    lines: &mut u64,
    number: u64,
    cut: Cut<'_>,
    refuse: &mut impl FnMut(u64, Refused, &[u8]),
) {
    let (taken, text) = match cut {
        Cut::Line(line) if line.trim_ascii().is_empty() => return,
        Cut::Line(line) => (parser.parse(line, batch), line),
        Cut::TooLong => (Err(Refused::TooLong { limit_bytes: P::LIMIT_BYTES }), &[][..]),
    };
    *lines += 1;
    if let Err(why) = taken {
        refuse(number, why, text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::ndjson::Ndjson;
    use super::*;
    use crate::store::batch::LineBatch;
    use proptest::prelude::*;
    use sonde_shared::time::Timestamp;

    const CLOCK: Clock =
        Clock { now: Timestamp::from_secs(1_763_647_500), earliest: Timestamp::from_secs(1), lines: None };

    type Seen =
        (Vec<u8>, Vec<crate::store::batch::LineRow>, Vec<std::sync::Arc<str>>, Vec<(u64, Refused)>, u64);

    fn read(chunks: &[&[u8]]) -> Seen {
        let mut intake = Intake::<Ndjson>::default();
        let mut refused = Vec::new();
        for chunk in chunks {
            intake.feed(chunk, CLOCK, |number, why, _| refused.push((number, why)));
        }
        intake.finish(CLOCK, |number, why, _| refused.push((number, why)));
        let lines = intake.lines();
        let (batch, rows): (LineBatch, u64) = intake.take_batch();
        assert_eq!(rows as usize, batch.len());
        (batch.text, batch.rows, batch.components.list().to_vec(), refused, lines)
    }

    const BODY: &str = "{\"ts\":1,\"msg\":\"a\",\"component\":\"x.y\"}\r\n\n \t\nnonsense\n{\"ts\":\"2025-11-20T14:05:00Z\",\"msg\":\"caf\u{e9}\"} \n{\"ts\":9000000000,\"msg\":\"late\"}\n {\"ts\":3,\"msg\":\"last\"}";

    #[test]
    fn a_body_becomes_its_lines_byte_for_byte() {
        let (text, rows, components, refused, lines) = read(&[BODY.as_bytes()]);
        let kept = "{\"ts\":1,\"msg\":\"a\",\"component\":\"x.y\"}\n{\"ts\":\"2025-11-20T14:05:00Z\",\"msg\":\"caf\u{e9}\"} \n {\"ts\":3,\"msg\":\"last\"}\n";
        assert_eq!(String::from_utf8(text).unwrap(), kept);
        assert_eq!(rows.iter().map(|row| row.ts.as_secs()).collect::<Vec<_>>(), [1, 1_763_647_500, 3]);
        assert_eq!(components.iter().map(|name| &**name).collect::<Vec<_>>(), ["x.y", "unknown"]);
        assert_eq!(
            refused.iter().map(|(number, why)| (*number, why.reason())).collect::<Vec<_>>(),
            [(4, "not_json"), (6, "future")]
        );
        assert_eq!(lines, 5);
    }

    #[test]
    fn a_body_cut_at_every_byte_gives_the_same_batch() {
        let whole = read(&[BODY.as_bytes()]);
        for at in 0..=BODY.len() {
            let (first, second) = BODY.as_bytes().split_at(at);
            assert_eq!(read(&[first, second]), whole, "cut at {at}");
        }
        let bytes: Vec<&[u8]> = BODY.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes), whole);
    }

    proptest! {
        #[test]
        fn any_body_in_any_chunks_gives_the_same_batch(
            lines in proptest::collection::vec("(\\{\"ts\":[0-9]{1,9},\"msg\":\"[a-z\u{e9}]{0,5}\"\\})?[ x]?\r?", 0..8),
            size in 1_usize..20,
        ) {
            let body = lines.join("\n");
            let chunks: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
            prop_assert_eq!(read(&chunks), read(&[body.as_bytes()]));
        }
    }
}

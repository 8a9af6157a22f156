//! A long stream of lines, parsed in pieces on several threads and handed on in its order.

use super::Clock;
use super::intake::{Intake, LineParser};
use super::pieces::Pieces;
use super::refused::Refused;
use std::collections::VecDeque;
use tokio::task::{JoinError, JoinHandle};

/// More pieces are not parsed at once: they would wait for the disk, and take room meanwhile.
const MOST_AT_ONCE: usize = 4;

/// What becomes of the lines of a piece that are refused.
pub trait Refusals: Send + 'static {
    /// Notes a line by its number in the piece, from 1, and its text, which an overlong one has none of.
    fn refuse(&mut self, number: u64, why: &Refused, text: &[u8]);
}

/// Pieces of a stream on their way into batches.
pub struct Spread<P: LineParser, R> {
    pieces: Pieces,
    /// In their order.
    parsing: VecDeque<JoinHandle<(Intake<P>, R)>>,
    numbered: u64,
    lines: u64,
}

/// A piece that is parsed.
pub struct Parsed<B, R> {
    /// What it holds.
    pub batch: B,
    /// The rows of the batch.
    pub rows: u64,
    /// What was refused of it.
    pub refusals: R,
    /// How many lines lie before it, blank ones too.
    pub lines_before: u64,
}

impl<P: LineParser, R> Default for Spread<P, R> {
    fn default() -> Self {
        Self { pieces: Pieces::new(P::LIMIT_BYTES), parsing: VecDeque::new(), numbered: 0, lines: 0 }
    }
}

impl<P: LineParser + 'static, R: Refusals> Spread<P, R> {
    /// Takes what comes next of the text.
    pub fn push(&mut self, text: &[u8]) {
        self.pieces.push(text);
    }

    /// All whole lines of which none is being parsed yet, where they are at least so many bytes.
    pub fn take(&mut self, least_bytes: usize) -> Option<Vec<u8>> {
        self.pieces.take(least_bytes)
    }

    /// What is left at the end of the text, where that is anything.
    pub fn rest(&mut self) -> Option<Vec<u8>> {
        Some(self.pieces.rest()).filter(|rest| !rest.is_empty())
    }

    /// Has the next piece parsed on another thread of the runtime.
    pub fn begin(&mut self, piece: Vec<u8>, clock: Clock, mut refusals: R) {
        let parse = async move {
            let mut intake = Intake::<P>::default();
            let mut refuse = |number, why: Refused, text: &[u8]| refusals.refuse(number, &why, text);
            intake.feed(&piece, clock.clone(), &mut refuse);
            intake.finish(clock, refuse);
            (intake, refusals)
        };
        self.parsing.push_back(tokio::spawn(parse));
    }

    /// Whether so many threads, or as many as are of use, have a piece each; they may wait to be handed on.
    pub fn is_full(&self, threads: usize) -> bool {
        self.parsing.len() >= threads.min(MOST_AT_ONCE)
    }

    /// The first of them, once it is parsed; `None` when there is none.
    pub async fn first(&mut self) -> Option<Result<Parsed<P::Batch, R>, JoinError>> {
        let (mut intake, refusals) = match self.parsing.pop_front()?.await {
            Ok(parsed) => parsed,
            Err(error) => return Some(Err(error)),
        };
        let lines_before = self.numbered;
        self.numbered += intake.numbered();
        self.lines += intake.lines();
        let (batch, rows) = intake.take_batch();
        Some(Ok(Parsed { batch, rows, refusals, lines_before }))
    }
}

impl<P: LineParser, R> Spread<P, R> {
    /// How many lines were handed on or refused, blank ones not counted.
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

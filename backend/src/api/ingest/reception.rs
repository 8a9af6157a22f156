//! One body on its way to the store: its text becomes batches, and each batch is written while the next is read.
//!
//! The pieces of a long body that comes while threads are idle are parsed on these, and stored in their order. A body that may
//! be sent again is read by one thread, for what is known of it so far tells what its next line is.

use super::super::ApiError;
use super::super::resend::{Turn, other_body};
use crate::ingest::Clock;
use crate::ingest::counters::{Counters, Protocol};
use crate::ingest::decode::Decoder;
use crate::ingest::intake::{Intake, LineParser};
use crate::ingest::refused::Refused;
use crate::ingest::spread::{Refusals, Spread};
use crate::state::AppState;
use crate::store::StoreError;
use crate::store::batch::Durability;
use crate::store::source::Source;
use axum::http::StatusCode;
use sonde_shared::api::IngestReport;
use std::io;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A batch goes to the store when it has about this size,
const BATCH_BYTES: usize = 1 << 20;
/// or a smaller one, where so many long bodies come at once that all their batches would be larger than this together: a body has
/// the text of its next batch, at least one that is parsed, and the one before, which is being written.
const ALL_BATCHES_BYTES: usize = 16 << 20;
const LEAST_BATCH_BYTES: usize = 64 << 10;

/// The size of a batch while so many long bodies are read.
fn batch_bytes(bodies: usize) -> usize {
    (ALL_BATCHES_BYTES / bodies.max(1)).clamp(LEAST_BATCH_BYTES, BATCH_BYTES)
}

/// One body on its way to the store.
pub(super) struct Reception<P: LineParser> {
    pub(super) state: AppState,
    pub(super) intake: Intake<P>,
    /// Of a body that is parsed in pieces.
    spread: Option<Spread<P, Account>>,
    account: Account,
    decoded: Vec<u8>,
    in_flight: Option<InFlight>,
    pub(super) turn: Option<Turn>,
}

/// A batch that the store is writing, and its rows.
struct InFlight {
    task: JoinHandle<Result<(), StoreError>>,
    rows: u64,
}

/// What is told of a body, or of a piece of one: to its sender, and on `/metrics`.
struct Account {
    counters: Arc<Counters>,
    protocol: Protocol,
    report: IngestReport,
}

impl Account {
    fn new(counters: Arc<Counters>, protocol: Protocol) -> Self {
        Self { counters, protocol, report: IngestReport::default() }
    }
}

impl Refusals for Account {
    fn refuse(&mut self, number: u64, why: &Refused, _text: &[u8]) {
        self.counters.refused(self.protocol, why);
        self.report.refuse(number, why.to_string());
    }
}

impl<P: LineParser + 'static> Reception<P> {
    /// A body of which nothing has come. `may_spread` says that its lines can be parsed before those before them are stored: they
    /// are where threads have nothing else to do, for pieces that wait for their turn take room.
    pub(super) fn new(state: AppState, protocol: Protocol, may_spread: bool) -> Self {
        let spread = (may_spread && state.ingest.at_once() > 1).then(Spread::default);
        let (intake, account) = (Intake::default(), Account::new(state.counters.clone(), protocol));
        Self { state, intake, spread, account, decoded: Vec::new(), in_flight: None, turn: None }
    }

    pub(super) async fn take(&mut self, decoder: &mut Decoder, mut chunk: &[u8]) -> Result<(), ApiError> {
        if decoder.is_identity() {
            return self.take_text(chunk).await;
        }
        let mut more = true;
        while more {
            let stepped = decoder.step(&mut chunk, &mut self.decoded);
            more = stepped.map_err(|error| self.broken_encoding(&error))?;
            self.take_decoded().await?;
            if more {
                // Unpacking much of little input must not keep other tasks from running.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// What was stored and refused, and how many lines there were, once all of it is on disk.
    pub(super) async fn finish(mut self, decoder: &mut Decoder) -> Result<(IngestReport, u64), ApiError> {
        decoder.finish(&mut self.decoded).map_err(|error| self.broken_encoding(&error))?;
        self.take_decoded().await?;
        if let Some(rest) = self.spread.as_mut().and_then(Spread::rest) {
            self.begin(rest).await?;
        }
        let clock = self.clock();
        let Self { intake, account, .. } = &mut self;
        intake.finish(clock, |number, why, text| account.refuse(number, &why, text));
        self.intake.source().map(Source::finish);
        self.commit_last().await?;
        if let (Some(turn), Some(source)) = (&self.turn, self.intake.source()) {
            turn.finish(&self.state, source);
            self.account.report.stored += source.repeated();
        }
        Ok((std::mem::take(&mut self.account.report), self.lines()))
    }

    /// The clock by which lines are judged: the first try's, where a body is sent again.
    fn clock(&mut self) -> Clock {
        let now = self.intake.source().map_or_else(AppState::now, |source| source.begun());
        Clock::of(&self.state.store, now)
    }

    async fn take_decoded(&mut self) -> Result<(), ApiError> {
        let mut decoded = std::mem::take(&mut self.decoded);
        let taken = self.take_text(&decoded).await;
        decoded.clear();
        self.decoded = decoded;
        taken
    }

    async fn take_text(&mut self, text: &[u8]) -> Result<(), ApiError> {
        let batch_bytes = batch_bytes(self.state.ingest.running());
        let Some(spread) = &mut self.spread else {
            self.parse(text);
            return if self.intake.batch_bytes() >= batch_bytes { self.commit().await } else { Ok(()) };
        };
        spread.push(text);
        match spread.take(batch_bytes) {
            Some(piece) => self.begin(piece).await,
            None => Ok(()),
        }
    }

    fn parse(&mut self, text: &[u8]) {
        let clock = self.clock();
        let Self { intake, account, .. } = self;
        intake.feed(text, clock, |number, why, text| account.refuse(number, &why, text));
    }

    /// Has a piece parsed, beside the ones before it where there are threads for that.
    async fn begin(&mut self, piece: Vec<u8>) -> Result<(), ApiError> {
        let threads = self.state.ingest.at_once();
        while self.spread.as_ref().is_some_and(|spread| spread.is_full(threads)) {
            self.gather_first().await?;
        }
        let clock = self.clock();
        let account = Account::new(self.state.counters.clone(), self.account.protocol);
        if let Some(spread) = &mut self.spread {
            spread.begin(piece, clock, account);
        }
        Ok(())
    }

    /// Waits for the first of the pieces that are being parsed and sends its lines off; whether there was one.
    async fn gather_first(&mut self) -> Result<bool, ApiError> {
        let Some(spread) = &mut self.spread else { return Ok(false) };
        let Some(first) = spread.first().await else { return Ok(false) };
        let first = first.map_err(|error| ApiError::Internal(error.to_string()))?;
        self.account.report.absorb(first.refusals.report, first.lines_before);
        self.send(first.batch, first.rows).await?;
        Ok(true)
    }

    /// Sends all off that has come in whole lines, and returns once what was sent before is on disk.
    pub(super) async fn commit(&mut self) -> Result<(), ApiError> {
        if let Some(piece) = self.spread.as_mut().and_then(|spread| spread.take(0)) {
            self.begin(piece).await?;
        }
        while self.gather_first().await? {}
        let Some((batch, rows)) = self.next_batch().await? else { return Ok(()) };
        self.send(batch, rows).await
    }

    /// Sends a batch off and returns once the one before it is on disk.
    async fn send(&mut self, batch: P::Batch, rows: u64) -> Result<(), ApiError> {
        self.settle().await?;
        if rows == 0 {
            return Ok(());
        }
        let (store, turn) = (self.state.store.clone(), self.turn.clone());
        let task = tokio::spawn(async move {
            let appended = P::append(&store, batch, Durability::Acknowledged).await;
            // Also when nobody waits any more: the next try begins where this ends.
            drop(turn);
            appended
        });
        self.in_flight = Some(InFlight { task, rows });
        Ok(())
    }

    /// Returns once all that was taken in is on disk. A short body that has no key goes on here, for nothing is left to be read
    /// beside it, and it is one batch: a task of its own would cost more than the lines.
    async fn commit_last(&mut self) -> Result<(), ApiError> {
        if self.turn.is_some() || self.spread.is_some() {
            self.commit().await?;
            return self.settle().await;
        }
        let Some((batch, rows)) = self.next_batch().await? else { return Ok(()) };
        let appended = P::append(&self.state.store, batch, Durability::Acknowledged).await;
        self.count(rows, appended)
    }

    /// The batch so far and its rows, once the one before it is on disk; `None` where there is nothing to be stored.
    async fn next_batch(&mut self) -> Result<Option<(P::Batch, u64)>, ApiError> {
        self.settle().await?;
        match self.intake.source() {
            Some(source) if source.is_other() => return Err(other_body()),
            Some(source) if !source.is_compared() => return Ok(None),
            _ => {}
        }
        Ok(Some(self.intake.take_batch()).filter(|(_, rows)| *rows > 0))
    }

    async fn settle(&mut self) -> Result<(), ApiError> {
        let Some(InFlight { task, rows }) = self.in_flight.take() else { return Ok(()) };
        let appended = task.await.map_err(|error| ApiError::Internal(error.to_string()))?;
        self.count(rows, appended)
    }

    fn count(&mut self, rows: u64, appended: Result<(), StoreError>) -> Result<(), ApiError> {
        self.state.counters.settled(self.account.protocol, rows, appended.is_ok());
        appended?;
        self.account.report.stored += rows;
        Ok(())
    }

    fn broken_encoding(&mut self, error: &io::Error) -> ApiError {
        self.broken(&format!("the body could not be unpacked: {error}"))
    }

    pub(super) fn broken(&mut self, why: &str) -> ApiError {
        let stored = self.account.report.stored + self.intake.source().map_or(0, |source| source.repeated());
        let detail = format!("{why}; at least {stored} lines before that are stored and stay");
        ApiError::refused(StatusCode::BAD_REQUEST, detail)
    }
}

impl<P: LineParser> Reception<P> {
    /// How many lines are parsed, blank ones not counted.
    fn lines(&self) -> u64 {
        self.intake.lines() + self.spread.as_ref().map_or(0, Spread::lines)
    }
}

impl<P: LineParser> Drop for Reception<P> {
    /// Counts what arrived, also when the client went away in the middle.
    fn drop(&mut self) {
        self.state.counters.received(self.account.protocol, self.lines());
        let repeated = self.intake.source().map_or(0, |source| source.repeated());
        self.state.counters.repeated(self.account.protocol, repeated);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_bodies_come_at_once_the_smaller_are_their_batches() {
        assert_eq!([0, 1, 16].map(batch_bytes), [BATCH_BYTES; 3]);
        assert_eq!([32, 64].map(batch_bytes), [512 << 10, 256 << 10]);
        assert_eq!([256, 100_000].map(batch_bytes), [LEAST_BATCH_BYTES; 2]);
    }
}

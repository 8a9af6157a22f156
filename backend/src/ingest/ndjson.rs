//! NDJSON: each line one JSON object, checked and stored byte for byte.

use super::Clock;
use super::intake::LineParser;
use super::refused::Refused;
use crate::store::batch::{Durability, LineBatch, MAX_LINE_BYTES};
use crate::store::logs::fields;
use crate::store::source::Source;
use crate::store::{Store, StoreError};

/// What room is made for; where lines are shorter the list of rows grows.
const USUAL_LINE_BYTES: usize = 128;

/// Parses NDJSON lines into a [`LineBatch`].
#[derive(Clone, Debug)]
pub struct Ndjson {
    /// What their stamps are judged by; `None` takes all.
    pub clock: Option<Clock>,
}

impl LineParser for Ndjson {
    type Batch = LineBatch;
    const LIMIT_BYTES: usize = MAX_LINE_BYTES;

    fn at(clock: Clock) -> Self {
        Self { clock: Some(clock) }
    }

    fn parse(&self, line: &[u8], batch: &mut LineBatch) -> Result<(), Refused> {
        if let Some(source) = &mut batch.source {
            source.read(line);
        }
        let fields = fields::read(line)?;
        if let Some(clock) = &self.clock {
            Refused::check_time(fields.ts, clock.accepts_of(fields.component()))?;
        }
        let is_stored = |source: &mut Box<Source>| source.repeats(fields.ts.day(), fields.component());
        if !batch.source.as_mut().is_some_and(is_stored) {
            batch.push(&fields, line);
        }
        Ok(())
    }

    fn reserve(batch: &mut LineBatch, bytes: usize) {
        batch.text.reserve(bytes + 1);
        batch.rows.reserve(bytes / USUAL_LINE_BYTES);
    }

    fn rows(batch: &LineBatch) -> usize {
        batch.len()
    }

    fn size_bytes(batch: &LineBatch) -> usize {
        batch.text.len() + batch.rows.len() * 32
    }

    fn source(batch: &mut LineBatch) -> Option<&mut Source> {
        batch.source.as_deref_mut()
    }

    fn take(batch: &mut LineBatch) -> LineBatch {
        let source = batch.source.as_mut().map(|source| Box::new(source.hand_over()));
        let next = LineBatch { source: batch.source.take(), ..LineBatch::default() };
        LineBatch { source, ..std::mem::replace(batch, next) }
    }

    async fn append(store: &Store, batch: LineBatch, durability: Durability) -> Result<(), StoreError> {
        store.append_lines(batch, durability).await
    }
}

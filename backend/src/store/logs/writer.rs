//! The one thread that writes lines.
//!
//! Requests that wait together are committed together: all texts, then all commit records, then one sync of every file
//! touched, then the answers. A failure before the records leaves nothing behind that counts. After a failed sync the
//! segment is never written again; the next request opens a new one.

use super::open_segment::{OpenSegment, Part};
use super::segment::Segment;
use super::{SYNC_INTERVAL, Shared};
use crate::store::StoreError;
use crate::store::batch::{Durability, LineBatch, LineRow};
use sonde_shared::time::Day;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// One commit takes at most so much text together, so that nobody waits long.
const GROUP_BYTES: usize = 16 << 20;
/// The longest a segment stays open.
const SEGMENT_AGE: Duration = Duration::from_hours(1);
/// How many days may be open for writing at once.
const MAX_OPEN_DAYS: usize = 32;
/// A part is one commit record: at most so many rows and about so much text.
const PART_ROWS: usize = 1 << 15;
const PART_BYTES: usize = 8 << 20;

/// Lines on their way to the writer.
pub(super) struct Request {
    pub(super) batch: LineBatch,
    pub(super) durability: Durability,
    pub(super) reply: oneshot::Sender<Result<(), StoreError>>,
    /// Room in the queue, given back when the request is done.
    pub(super) _room: OwnedSemaphorePermit,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    open: BTreeMap<Day, OpenSegment>,
    unsynced_since: Option<Instant>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, open: BTreeMap::new(), unsynced_since: None }
    }

    /// Works until every sender is gone, then closes all segments.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            match self.next_group(requests) {
                Next::Group(group) => self.commit_group(group),
                Next::SyncIsDue => self.sync_streamed(),
                Next::Done => break,
            }
        }
        for (_, segment) in std::mem::take(&mut self.open) {
            close(segment);
        }
    }

    fn next_group(&self, requests: &Receiver<Request>) -> Next {
        let first = match self.unsynced_since {
            None => {
                requests.recv().map_err(|_gone: std::sync::mpsc::RecvError| RecvTimeoutError::Disconnected)
            }
            Some(since) => requests.recv_timeout(SYNC_INTERVAL.saturating_sub(since.elapsed())),
        };
        let first = match first {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => return Next::SyncIsDue,
            Err(RecvTimeoutError::Disconnected) => return Next::Done,
        };
        let mut bytes = first.batch.text.len();
        let mut group = vec![first];
        while bytes < GROUP_BYTES {
            match requests.try_recv() {
                Ok(request) => {
                    bytes += request.batch.text.len();
                    group.push(request);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        Next::Group(group)
    }

    fn commit_group(&mut self, group: Vec<Request>) {
        let sync = group.iter().any(|request| request.durability == Durability::Acknowledged)
            || self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_INTERVAL);
        let outcome = self.append_all(&group).and_then(|()| self.commit(sync));
        if let Err(error) = &outcome {
            tracing::error!(error = error as &dyn std::error::Error, "lines could not be stored");
            // A segment whose records cannot be taken back is never written again.
            self.open.retain(|_, segment| segment.abandon().is_ok());
        }
        let why = outcome.err().map(|error| error.with_source());
        self.shared.note_outcome(why.as_deref());
        for request in group {
            self.shared.count(&request, why.is_none());
            let answer = why.clone().map_or(Ok(()), |why| Err(StoreError::ReadOnly { why }));
            // Who no longer waits for the answer has it all the same: the lines are stored or they are not.
            drop(request.reply.send(answer));
        }
    }

    fn append_all(&mut self, group: &[Request]) -> Result<(), StoreError> {
        group.iter().try_for_each(|request| self.append(&request.batch))
    }

    fn append(&mut self, batch: &LineBatch) -> Result<(), StoreError> {
        // Nearly always all lines are of one day. Else each day is visited once, so that lines in no order of time do not
        // open and close segments without end.
        let mut by_day: BTreeMap<Day, Vec<&[LineRow]>> = BTreeMap::new();
        for run in batch.rows.chunk_by(|a, b| a.ts.day() == b.ts.day()) {
            by_day.entry(run[0].ts.day()).or_default().push(run);
        }
        by_day
            .into_iter()
            .try_for_each(|(day, runs)| runs.into_iter().try_for_each(|run| self.append_run(batch, run, day)))
    }

    fn append_run(&mut self, batch: &LineBatch, run: &[LineRow], day: Day) -> Result<(), StoreError> {
        let mut rest = run;
        while let Some(first) = rest.first() {
            let fits = |row: &&LineRow| (row.pos - first.pos) as usize + row.len as usize <= PART_BYTES;
            let count = rest.iter().take(PART_ROWS).take_while(fits).count().max(1);
            let (rows, later) = rest.split_at(count);
            let part = Part::new(batch, rows);
            self.segment_for(day, &part)?.append(&part)?;
            rest = later;
        }
        Ok(())
    }

    /// The open segment of a day that has room for the part.
    fn segment_for(&mut self, day: Day, part: &Part<'_>) -> Result<&mut OpenSegment, StoreError> {
        let is_full = |segment: &OpenSegment| segment.age() >= SEGMENT_AGE || !segment.has_room(part);
        if self.open.get(&day).is_some_and(is_full) {
            // What is staged counts before its segment is closed; the whole group's sync comes with it.
            self.commit(true)?;
            if let Some(full) = self.open.remove(&day) {
                close(full);
            }
        }
        if !self.open.contains_key(&day) {
            self.make_room_for_a_day()?;
            let segment = self.open_segment(day)?;
            self.open.insert(day, segment);
        }
        Ok(self.open.get_mut(&day).expect("it was there or was put there above"))
    }

    fn make_room_for_a_day(&mut self) -> Result<(), StoreError> {
        if self.open.len() < MAX_OPEN_DAYS {
            return Ok(());
        }
        self.commit(true)?;
        let idle = self.open.iter().max_by_key(|(_, segment)| segment.idle()).map(|(day, _)| *day);
        if let Some(segment) = idle.and_then(|day| self.open.remove(&day)) {
            close(segment);
        }
        Ok(())
    }

    fn open_segment(&self, day: Day) -> Result<OpenSegment, StoreError> {
        let logs = self.shared.day_for_writing(day)?;
        let last = |segments: &Vec<Arc<Segment>>| segments.last().map_or(0, |last| last.number());
        let mut number = last(&logs.segments.read().unwrap_or_else(PoisonError::into_inner)) + 1;
        // A number may be taken by files that a failed attempt left behind.
        let opened = loop {
            match OpenSegment::create(&self.shared.dir, day, number) {
                Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                    number += 1;
                }
                outcome => break outcome?,
            }
        };
        let mut segments = logs.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.push(opened.segment().clone());
        Ok(opened)
    }

    /// Makes all that is staged count, and shows it to readers.
    fn commit(&mut self, sync: bool) -> Result<(), StoreError> {
        for segment in self.open.values_mut() {
            segment.write_records()?;
        }
        if sync || self.open.values().any(OpenSegment::has_full_block) {
            self.sync_all()?;
        } else if self.unsynced_since.is_none() {
            self.unsynced_since = Some(Instant::now());
        }
        for segment in self.open.values_mut() {
            segment.publish();
        }
        self.shared.note_commit();
        Ok(())
    }

    /// Syncs every segment that has unsynced bytes; one that fails is closed for good.
    fn sync_all(&mut self) -> Result<(), StoreError> {
        self.unsynced_since = None;
        let mut failed = None;
        let days: Vec<Day> = self.open.keys().copied().collect();
        for day in days {
            let Some(segment) = self.open.get_mut(&day) else { continue };
            if let Err(error) = segment.sync() {
                if let Some(Err(error)) = self.open.remove(&day).map(|mut failed| failed.abandon()) {
                    tracing::warn!(error = &error as &dyn std::error::Error, "refused lines may come back");
                }
                if self.shared.is_deleted(day) {
                    self.shared.forget_day(day);
                }
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn sync_streamed(&mut self) {
        if let Err(error) = self.sync_all() {
            tracing::error!(error = &error as &dyn std::error::Error, "streamed lines may be lost");
            self.shared.note_outcome(Some(&error.with_source()));
        }
    }
}

enum Next {
    Group(Vec<Request>),
    SyncIsDue,
    Done,
}

fn close(segment: OpenSegment) {
    if let Err(error) = segment.close() {
        // The lines are safe: only the index lacks its end, and is made again when the segment is next opened.
        tracing::warn!(error = &error as &dyn std::error::Error, "a segment's index could not be finished");
    }
}

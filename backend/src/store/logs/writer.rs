//! The one thread that writes lines.
//!
//! Requests that wait together are committed together: all texts, then all commit records, then one sync of every file
//! touched, then the answers. A request whose day cannot be opened fails alone; a commit that fails does so for all
//! requests it was for, and leaves nothing behind that counts. After a failed sync the segment is never written again; the
//! next request opens a new one.

use super::open_segment::OpenSegment;
use super::segment::{self, Segment};
use super::share::{Place, shares};
use super::{SEGMENT_AGE, SYNC_INTERVAL, Shared};
use crate::store::batch::{Durability, LineBatch};
use crate::store::layout::{day_dir, deleted_dir};
use crate::store::{StoreError, files};
use sonde_shared::time::Day;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// One commit takes at most so much text together, so that nobody waits long.
const GROUP_BYTES: usize = 16 << 20;
/// How often their age is looked at while nothing comes.
const AGE_CHECK: Duration = Duration::from_mins(1);
/// How many segments may be open for writing at once.
const MAX_OPEN: usize = 32;

/// Lines on their way to the writer.
pub(super) struct Request {
    pub(super) batch: LineBatch,
    pub(super) durability: Durability,
    pub(super) reply: oneshot::Sender<Result<(), StoreError>>,
    /// Room in the queue, given back when the request is done.
    pub(super) _room: OwnedSemaphorePermit,
}

/// What the writer is asked for, in the order in which it is done.
pub(super) enum Work {
    Append(Box<Request>),
    Order(Order),
}

/// What is to be done between two commits, and to be told how it went.
pub(super) enum Order {
    /// To take the folder of a day away.
    SetAside(SetAside),
    /// To finish the segments of a day.
    CloseDay(CloseDay),
}

pub(super) struct CloseDay {
    pub(super) day: Day,
    pub(super) reply: Sender<Result<(), StoreError>>,
}

pub(super) struct SetAside {
    pub(super) day: Day,
    /// Only if the day has no other segments than these, and none of them is open.
    pub(super) only: Option<Vec<u32>>,
    pub(super) reply: Sender<Result<Aside, StoreError>>,
}

/// What came of taking a day away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Aside {
    Done,
    /// Somebody is just opening the day.
    IsBusy,
    /// It has lines that were not to go.
    HasMore,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    /// Where segments go that are to be sealed.
    finished: Sender<Arc<Segment>>,
    open: BTreeMap<Place, OpenSegment>,
    sync_threads: files::SyncThreads,
    unsynced_since: Option<Instant>,
    /// Of the group at hand: requests whose lines are all staged or refused, and those whose lines all count or never will.
    staged: usize,
    counted: usize,
    failed_commit: Option<String>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, finished: Sender<Arc<Segment>>) -> Self {
        Self {
            shared,
            finished,
            open: BTreeMap::new(),
            sync_threads: files::SyncThreads::default(),
            unsynced_since: None,
            staged: 0,
            counted: 0,
            failed_commit: None,
        }
    }

    /// Works until every sender is gone, then closes all segments.
    pub(super) fn run(mut self, requests: &Receiver<Work>) {
        loop {
            match self.next_group(requests) {
                Next::Group(group, then) => {
                    self.commit_group(group);
                    if let Some(order) = then {
                        self.carry_out(&order);
                    }
                }
                Next::Order(order) => self.carry_out(&order),
                Next::SyncIsDue => self.sync_streamed(),
                Next::Idle => {}
                Next::Done => break,
            }
            self.close_aged();
        }
        for (_, segment) in std::mem::take(&mut self.open) {
            self.close(segment);
        }
    }

    fn next_group(&self, requests: &Receiver<Work>) -> Next {
        let first = match self.unsynced_since {
            None => requests.recv_timeout(AGE_CHECK),
            Some(since) => requests.recv_timeout(SYNC_INTERVAL.saturating_sub(since.elapsed())),
        };
        let first = match first {
            Ok(Work::Append(first)) => *first,
            Ok(Work::Order(order)) => return Next::Order(order),
            Err(RecvTimeoutError::Timeout) if self.unsynced_since.is_none() => return Next::Idle,
            Err(RecvTimeoutError::Timeout) => return Next::SyncIsDue,
            Err(RecvTimeoutError::Disconnected) => return Next::Done,
        };
        let mut bytes = first.batch.text.len();
        let mut group = vec![first];
        while bytes < GROUP_BYTES {
            match requests.try_recv() {
                Ok(Work::Order(order)) => return Next::Group(group, Some(order)),
                Ok(Work::Append(request)) => {
                    bytes += request.batch.text.len();
                    group.push(*request);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        Next::Group(group, None)
    }

    fn commit_group(&mut self, group: Vec<Request>) {
        let sync = group.iter().any(|request| request.durability == Durability::Acknowledged)
            || self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_INTERVAL);
        let mut outcomes = Outcomes::default();
        self.counted = 0;
        for request in &group {
            self.staged = outcomes.failures.len();
            let appended = self.append(&request.batch);
            self.open.values_mut().for_each(|segment| segment.settle(appended.is_ok()));
            outcomes.push(appended);
            self.fail_with_commit(&mut outcomes);
        }
        self.staged = outcomes.failures.len();
        // A failure is taken up by the outcomes.
        drop(self.commit(sync));
        self.fail_with_commit(&mut outcomes);
        self.shared.note_outcome(outcomes.last.as_deref());
        for (request, failure) in group.into_iter().zip(outcomes.failures) {
            self.shared.count(request.batch.len() as u64, request.durability, failure.is_none());
            let answer = failure.map_or(Ok(()), |why| Err(StoreError::ReadOnly { why }));
            // Who no longer waits for the answer has it all the same: the lines are stored or they are not.
            drop(request.reply.send(answer));
        }
    }

    /// When a commit has failed, so have all requests whose lines it should have made count.
    fn fail_with_commit(&mut self, outcomes: &mut Outcomes) {
        let Some(error) = self.failed_commit.take() else { return };
        outcomes.fail_from(self.counted, &error);
        self.counted = outcomes.failures.len();
        // A segment whose records cannot be taken back is never written again.
        self.open.retain(|_, segment| {
            let stays = segment.abandon().is_ok();
            if !stays {
                segment.segment().note_finished();
            }
            stays
        });
    }

    fn append(&mut self, batch: &LineBatch) -> Result<(), StoreError> {
        let ages = self.shared.ages();
        let shares = shares(batch, &ages);
        // Room is made before the first line is staged, so that a batch is not split by a commit on the way.
        if shares.len() < MAX_OPEN {
            for (place, share) in &shares {
                self.segment_for(*place, share.bytes())?;
            }
        }
        for (place, share) in &shares {
            for part in share.parts() {
                self.segment_for(*place, part.text().len() as u64)?.append(&part)?;
            }
        }
        Ok(())
    }

    /// The open segment of a day and class that has room for so much text.
    fn segment_for(&mut self, place: Place, bytes: u64) -> Result<&mut OpenSegment, StoreError> {
        let has_room = |segment: &OpenSegment| segment.has_room(bytes, self.shared.segment_bytes);
        let is_full = |segment: &OpenSegment| segment.age() >= SEGMENT_AGE || !has_room(segment);
        if self.open.get(&place).is_some_and(is_full) {
            // What is staged counts before its segment is closed; the whole group's sync comes with it.
            self.commit(true)?;
            if let Some(full) = self.open.remove(&place) {
                self.close(full);
            }
        }
        if !self.open.contains_key(&place) {
            self.make_room()?;
            let segment = self.open_segment(place)?;
            self.open.insert(place, segment);
        }
        Ok(self.open.get_mut(&place).expect("it was there or was put there above"))
    }

    /// Closes segments that have been open for long, also of days that get no more lines.
    fn close_aged(&mut self) {
        let is_aged =
            |(_, segment): &(&Place, &OpenSegment)| segment.age() >= SEGMENT_AGE && !segment.is_dirty();
        let aged: Vec<Place> = self.open.iter().filter(is_aged).map(|(place, _)| *place).collect();
        for segment in aged.into_iter().filter_map(|place| self.open.remove(&place)).collect::<Vec<_>>() {
            self.close(segment);
        }
    }

    /// Finishes a segment and hands it on to be sealed.
    fn close(&self, segment: OpenSegment) {
        let finished = segment.segment().clone();
        let closed = segment.close();
        // Whatever came of its index, nothing is written to it any more, and retention may delete it.
        finished.note_finished();
        if let Err(error) = closed {
            // The lines are safe: only the index lacks its end, and is made again when the segment is next opened.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a segment's index could not be finished"
            );
            return;
        }
        // At a stop nobody seals any more; the next start does.
        drop(self.finished.send(finished));
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        if self.open.len() < MAX_OPEN {
            return Ok(());
        }
        self.commit(true)?;
        let idle = self.open.iter().max_by_key(|(_, segment)| segment.idle()).map(|(place, _)| *place);
        if let Some(segment) = idle.and_then(|place| self.open.remove(&place)) {
            self.close(segment);
        }
        Ok(())
    }

    fn open_segment(&self, (day, class): Place) -> Result<OpenSegment, StoreError> {
        let logs = self.shared.day_for_writing(day)?;
        let lane = self.shared.ages().lane(class);
        // The last may have been deleted: no number is given twice, for it is part of its lines' ids.
        let taken = segment::last_taken(&day_dir(&self.shared.dir, day))?;
        let (mut number, watermark) = (logs.last_number().max(taken) + 1, logs.watermark());
        let reading = self.shared.opening.reading;
        // A number may be taken by files that a failed attempt left behind.
        let opened = loop {
            match OpenSegment::create(&self.shared.dir, day, number, watermark, lane, reading) {
                Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                    number += 1;
                }
                outcome => break outcome?,
            }
        };
        logs.segments_mut().push(opened.segment().clone());
        Ok(opened)
    }

    fn carry_out(&mut self, order: &Order) {
        match order {
            Order::SetAside(one) => self.answer_set_aside(one),
            // Who no longer waits for the answer has it all the same.
            Order::CloseDay(CloseDay { day, reply }) => drop(reply.send(self.close_day(*day))),
        }
    }

    fn close_day(&mut self, day: Day) -> Result<(), StoreError> {
        self.sync_all()?;
        let of_day: Vec<Place> = self.open.keys().filter(|(open, _)| *open == day).copied().collect();
        for segment in of_day.into_iter().filter_map(|place| self.open.remove(&place)).collect::<Vec<_>>() {
            self.close(segment);
        }
        Ok(())
    }

    fn answer_set_aside(&mut self, SetAside { day, only, reply }: &SetAside) {
        let dir = day_dir(&self.shared.dir, *day);
        let outcome = match only.as_ref().map(|only| self.has_more(*day, &dir, only)) {
            Some(Err(error)) => Err(error),
            Some(Ok(true)) => Ok(Aside::HasMore),
            _ => self.set_aside(*day, &dir).map_err(StoreError::io("rename", &dir)),
        };
        // Who no longer waits for the answer has it all the same.
        drop(reply.send(outcome));
    }

    /// Whether lines have come to a day beside those of some finished segments. No more come before the next order is done.
    fn has_more(&self, day: Day, dir: &Path, known: &[u32]) -> Result<bool, StoreError> {
        let is_open = self.open.keys().any(|(open, _)| *open == day);
        Ok(is_open || segment::all_numbers(dir)?.iter().any(|number| !known.contains(number)))
    }

    /// Takes the folder of a day away. Its open segment is written no more; who reads it keeps the files.
    fn set_aside(&mut self, day: Day, dir: &Path) -> std::io::Result<Aside> {
        let cell = self.shared.cell(day).unwrap_or_default();
        let Some(mut opened) = cell.try_lock() else { return Ok(Aside::IsBusy) };
        let logs = opened.clone().unwrap_or_default();
        let (gone, has_followers) = (&self.shared.gone, self.shared.has_followers());
        let (unread, segments) = (logs.unread().clone(), logs.segments().clone());
        for segment in &segments {
            gone.note(segment, has_followers);
        }
        for unread in &unread {
            gone.note_unread(day, unread.id, has_followers);
        }
        std::fs::rename(dir, deleted_dir(&self.shared.dir, day)).inspect_err(|_failed| {
            let ids = segments.iter().map(|segment| segment.id());
            ids.chain(unread.iter().map(|unread| unread.id)).for_each(|id| gone.take_back(id));
        })?;
        // What is being read for them comes to nothing.
        logs.forget_all_unread();
        // Who holds on to the cell finds no lines, also when another folder of the day is made.
        *opened = Some(Arc::default());
        self.open.retain(|(open, _), _| *open != day);
        self.shared.forget_day(day);
        Ok(Aside::Done)
    }

    /// Makes all that is staged count, and shows it to readers.
    fn commit(&mut self, sync: bool) -> Result<(), StoreError> {
        if let Err(error) = self.write_and_sync(sync) {
            self.failed_commit = Some(error.with_source());
            return Err(error);
        }
        for note in self.open.values_mut().flat_map(OpenSegment::publish) {
            self.shared.remembered.note(&note);
        }
        self.counted = self.staged;
        self.shared.note_commit();
        Ok(())
    }

    fn write_and_sync(&mut self, sync: bool) -> Result<(), StoreError> {
        for segment in self.open.values_mut() {
            segment.write_staged()?;
        }
        if sync || self.open.values().any(OpenSegment::has_full_block) {
            return self.sync_all();
        }
        self.unsynced_since.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Syncs every segment that has unsynced bytes, all at the same time; one that fails is closed for good.
    fn sync_all(&mut self) -> Result<(), StoreError> {
        self.unsynced_since = None;
        let (mut failed, mut synced, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for (place, segment) in &self.open {
            match segment.unsynced() {
                Ok(None) => {}
                Ok(Some(of_segment)) => {
                    synced.push(*place);
                    waiting.extend(of_segment);
                }
                Err(error) => failed.push((*place, error)),
            }
        }
        let mut outcomes = self.sync_threads.sync(&waiting).into_iter();
        for place in synced {
            // Of text and records. Both are taken where the first has failed too, or the next segment would be judged by the
            // second.
            let both = [outcomes.next(), outcomes.next()];
            match both.into_iter().flatten().collect::<Result<(), StoreError>>() {
                Ok(()) => self.open.get_mut(&place).into_iter().for_each(OpenSegment::note_synced),
                Err(error) => failed.push((place, error)),
            }
        }
        for (place, _) in &failed {
            self.give_up(*place);
        }
        failed.pop().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Lets go of a segment that is never to be written again.
    fn give_up(&mut self, place: Place) {
        if let Some(mut failed) = self.open.remove(&place) {
            if let Err(error) = failed.abandon() {
                tracing::warn!(error = &error as &dyn std::error::Error, "refused lines may come back");
            }
            failed.segment().note_finished();
        }
        if self.shared.is_deleted(place.0) {
            self.shared.forget_day(place.0);
        }
    }

    fn sync_streamed(&mut self) {
        if let Err(error) = self.sync_all() {
            tracing::error!(error = &error as &dyn std::error::Error, "streamed lines may be lost");
            self.shared.note_outcome(Some(&error.with_source()));
        }
    }
}

/// What became of the requests of a group, in their order: why one was not stored.
#[derive(Default)]
struct Outcomes {
    failures: Vec<Option<String>>,
    last: Option<String>,
}

impl Outcomes {
    fn push(&mut self, appended: Result<(), StoreError>) {
        self.failures.push(None);
        if let Err(error) = appended {
            self.fail_from(self.failures.len() - 1, &error.with_source());
        }
    }

    fn fail_from(&mut self, first: usize, why: &str) {
        tracing::error!(error = why, "lines could not be stored");
        for failure in &mut self.failures[first..] {
            failure.get_or_insert_with(|| why.to_owned());
        }
        self.last = Some(why.to_owned());
    }
}

enum Next {
    /// What is committed together, and what comes right behind it.
    Group(Vec<Request>, Option<Order>),
    Order(Order),
    SyncIsDue,
    Idle,
    Done,
}

#[cfg(test)]
mod tests;

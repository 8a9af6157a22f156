//! Deletes segments while their day stays.
//!
//! A segment goes with one name: that of the form that counts. Before it every reader finds the whole segment, after it
//! none; what else there is of it counts for nothing without that name. Queries that have begun keep the files they have
//! mapped. The last number of a day is left behind as an empty index, so that no other segment gets it.

use super::day::DayLogs;
use super::segment::{self, Paths, Segment};
use super::{LogStore, Shared, gone, sealed, writer};
use crate::store::layout::{day_dir, list_numbers};
use crate::store::{StoreError, files};
use sonde_shared::time::Day;
use std::path::Path;
use std::sync::{Arc, mpsc};

impl Shared {
    /// The lines of a day. It is not kept open for that, unless segments of it are unread: then it waits for its turn.
    pub(super) fn peek(&self, day: Day) -> Result<Arc<DayLogs>, StoreError> {
        let Some(cell) = self.cell(day) else { return Ok(Arc::default()) };
        let mut opened = cell.lock();
        if let Some(logs) = &*opened {
            return Ok(logs.clone());
        }
        let logs = self.read_day(day)?;
        if let Some(indexing) = self.indexing.as_ref().filter(|_| logs.indexed_to(day).is_some()) {
            *opened = Some(logs.clone());
            indexing.ask_last(day, &logs);
        }
        Ok(logs)
    }
}

impl LogStore {
    /// The segments of a day, and the numbers of those whose lines are still to be read; it is not kept open for that.
    pub(crate) fn segments_of(&self, day: Day) -> Result<(Vec<Arc<Segment>>, Vec<u32>), StoreError> {
        let logs = self.shared.peek(day)?;
        // First: what is read by now is among the segments.
        let unread = logs.unread().iter().map(|unread| unread.number).collect();
        Ok((logs.segments().clone(), unread))
    }

    /// Finishes the segments of a day that are being written to.
    pub(crate) fn close_day(&self, day: Day) -> Result<(), StoreError> {
        let (reply, answer) = mpsc::channel();
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        let order = writer::Order::CloseDay(writer::CloseDay { day, reply });
        queue.send(writer::Work::Order(order)).map_err(|_gone| gone())?;
        answer.recv().map_err(|_gone| gone())?
    }

    /// Deletes a segment of a day, unless it is being written to. Does nothing when there is none of that number.
    pub(crate) fn delete_segment(&self, day: Day, number: u32) -> Result<(), StoreError> {
        let dir = day_dir(&self.shared.dir, day);
        let Some(cell) = self.shared.cell(day) else { return Ok(()) };
        // Nobody opens or seals it meanwhile.
        let opened = cell.lock();
        let paths = Paths::new(&dir, number);
        let Some(logs) = &*opened else { return remove(&paths, is_last(&dir, number)?) };
        let of_number = |segment: &&Arc<Segment>| segment.number() == number;
        let known = logs.segments().iter().find(of_number).cloned();
        // One that is unread is not among them: nobody knows what would go.
        let Some(known) = known.filter(|segment| segment.is_finished()) else { return Ok(()) };
        self.shared.gone.note(&known, self.shared.has_followers());
        let removed = is_last(&dir, number).and_then(|is_last| remove(&paths, is_last));
        if paths.text.exists() || paths.sealed.exists() {
            self.shared.gone.take_back(known.id());
        } else {
            // Also when what is left of it could not be removed.
            logs.segments_mut().retain(|segment| segment.number() != number);
        }
        removed
    }
}

fn is_last(dir: &Path, number: u32) -> Result<bool, StoreError> {
    Ok(segment::last_taken(dir)? <= number)
}

/// Removes the files of a segment, so that after a loss of power too it is there as a whole or not at all.
fn remove(paths: &Paths, keeps_number: bool) -> Result<(), StoreError> {
    // Of two forms the one that counts goes last, or the other would take its place.
    let (first, last) = if sealed::is_whole(&paths.sealed) {
        (&paths.text, &paths.sealed)
    } else {
        (&paths.sealed, &paths.text)
    };
    if first.exists() {
        files::remove(first)?;
        files::sync_parent(first)?;
    }
    files::remove(last)?;
    // A text whose records had gone before it would count to its end.
    files::sync_parent(last)?;
    remove_rest(paths, keeps_number)
}

/// Removes what is left of a segment whose lines have gone.
fn remove_rest(paths: &Paths, keeps_number: bool) -> Result<(), StoreError> {
    // What a crash has left of sealing it may be large.
    sealed::beside(paths).iter().try_for_each(|path| files::remove(path))?;
    files::remove(&paths.commits)?;
    if keeps_number {
        // In its place: queries may have mapped the old one.
        return files::write_atomically(&paths.index, &[]);
    }
    files::remove(&paths.index)
}

/// Removes what a crash has left of segments whose lines have gone, but the name that keeps the last number.
pub(crate) fn sweep(dir: &Path) -> Result<(), StoreError> {
    let last = segment::last_taken(dir)?;
    let mut numbers = list_numbers(dir, segment::PREFIX, "commits")?;
    numbers.extend(list_numbers(dir, segment::PREFIX, "idx")?.into_iter().filter(|number| *number < last));
    for number in numbers {
        let paths = Paths::new(dir, number);
        // Asked of each, for a list that is read while files are made may lack the first of them.
        if !paths.text.exists() && !paths.sealed.exists() {
            remove_rest(&paths, number >= last)?;
        }
    }
    Ok(())
}

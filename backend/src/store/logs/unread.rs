//! Segments that are there and that nobody sees yet: their index is missing or damaged, and their text is still to be read.
//!
//! Whoever serves a folder does not wait for that. What such a segment says itself is known without reading its lines: its
//! number, and the latest time that its day had when it was begun.

use super::rows::LATE_NANOS;
use super::segment::{self, Effort, Form, Opening, Paths, Segment, watermark_of};
use crate::store::StoreError;
use crate::store::file_view::{FileView, Reading};
use sonde_shared::time::{Day, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// A segment whose lines are still to be read.
#[derive(Clone, Debug)]
pub(super) struct Unread {
    /// Tells it from all segments of this process.
    pub(super) id: u64,
    pub(super) number: u32,
    /// The time of the latest line that the day had when it was begun, where it says so itself. Else it goes on from the
    /// segments before it, and is read after them.
    pub(super) watermark: Option<Timestamp>,
    form: Form,
    /// The file with its lines. As long as it is mapped or open no other one is taken for it.
    file: FileView,
    /// After a failure: when it is tried again.
    pub(super) retry_at: Option<Instant>,
}

impl Unread {
    fn find(paths: &Paths, number: u32, reading: Reading) -> Result<Self, StoreError> {
        let (form, watermark) = paths.form();
        let file = reading.whole(paths.of(form))?;
        Ok(Self { id: segment::next_id(), number, watermark, form, file, retry_at: None })
    }

    /// Whether its file is surely no more where it was.
    pub(super) fn has_left(&self, paths: &Paths) -> bool {
        self.file.has_left(paths.of(self.form))
    }

    /// Before this instant the segment has no lines of its day but such as came late.
    pub(super) fn begins(&self, day: Day) -> Timestamp {
        let watermark = self.watermark.unwrap_or(Timestamp::MIN);
        watermark.plus_nanos(-LATE_NANOS).max(day.start())
    }

    /// Whether it can be read now, where it is the first of those that are not.
    pub(super) fn is_due(&self, is_first: bool, now: Instant) -> bool {
        (is_first || self.watermark.is_some()) && self.retry_at.is_none_or(|at| at <= now)
    }
}

/// The segments of a day's folder, oldest first, and those that take more than the effort allows.
pub(super) fn find_all(
    dir: &Path,
    day: Day,
    opening: &Opening,
    effort: Effort<'_>,
) -> Result<(Vec<Arc<Segment>>, Vec<Unread>), StoreError> {
    let (mut segments, mut unread): (Vec<Arc<Segment>>, Vec<Unread>) = Default::default();
    for number in segment::all_numbers(dir)? {
        let paths = Paths::new(dir, number);
        // What is late in one that does not say where it begins hangs on all before it.
        let must_wait = !unread.is_empty() && paths.form().1.is_none();
        let open = || Segment::open(dir, day, number, watermark_of(&segments), opening, effort);
        match if must_wait { None } else { open()? } {
            Some(segment) => segments.push(Arc::new(segment)),
            None => unread.push(Unread::find(&paths, number, opening.reading)?),
        }
    }
    Ok((segments, unread))
}

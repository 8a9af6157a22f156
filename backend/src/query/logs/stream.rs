//! Fills buffers with matching lines: as they are stored, or each in an envelope that says what was resolved.

use super::{Cursor, Found, Hit, Skipped};
use crate::patterns::pattern_id;
use crate::query::budget::Budget;
use crate::store::StoreError;
use crate::store::logs::block::Row;
use crate::store::logs::dictionary::NameList;
use crate::store::logs::segment::Segment;
use crate::store::logs::text::TextReader;
use crate::store::logs::{Counters, SegmentView};
use sonde_shared::log::Level;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::atomic::Ordering;

/// How a stream begins, ends and looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamOptions {
    /// Lines to pass over first.
    pub offset: u64,
    /// The most lines to send.
    pub limit: Option<u64>,
    /// Whether each line comes in an envelope.
    pub envelope: bool,
    /// Whether lines whose text is damaged are passed over and counted; else the stream fails at the first. Not with
    /// envelopes or a filter that reads text.
    pub passes_over_damage: bool,
}

/// Why [`LineStream::fill`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The buffer is full or the budget spent; there may be more.
    Pause,
    /// There is nothing more.
    End,
    /// A line could not be read; [`LineStream::take_failure`] has why.
    Failed,
}

/// Lines on their way out. Between two calls it holds its place and nothing else.
#[derive(Debug)]
pub struct LineStream {
    cursor: Cursor,
    options: StreamOptions,
    sent: u64,
    matched: u64,
    /// Matches that lie before the walk.
    before: u64,
    skipped: Skipped,
    failure: Option<StoreError>,
}

/// What one call works with.
struct Work<'a> {
    reader: TextReader,
    budget: &'a mut Budget,
    text_bytes: usize,
}

/// So many pieces of text are found before the first of them is copied: few at first, for of a sealed segment each may want a
/// frame, and many later, for the processor fetches the one while it copies the other.
const FIRST_RUNS: usize = 8;
const MOST_RUNS: usize = 64;

/// Neighbouring text that is copied at once.
struct Run {
    at: (usize, usize),
    bytes: Range<usize>,
}

/// Text that was found and is not copied yet.
struct Runs {
    list: Vec<Run>,
    /// How many are found before they are copied.
    room: usize,
    bytes: usize,
    /// Whether a run is one line, which is read or not by itself.
    are_lines: bool,
}

impl Runs {
    fn new(are_lines: bool) -> Self {
        Self { list: Vec::with_capacity(MOST_RUNS), room: FIRST_RUNS, bytes: 0, are_lines }
    }

    fn add(&mut self, hit: &Hit) {
        let at = (hit.day, hit.segment);
        let start = hit.row.pos as usize;
        let bytes = start..start + hit.row.len as usize + 1;
        self.bytes += bytes.len();
        match self.list.last_mut() {
            Some(last) if !self.are_lines && last.at == at && last.bytes.end == bytes.start => {
                last.bytes.end = bytes.end;
            }
            _ => self.list.push(Run { at, bytes }),
        }
    }

    fn is_full(&self) -> bool {
        self.list.len() >= self.room
    }
}

impl LineStream {
    /// A stream over what the cursor finds.
    pub fn new(cursor: Cursor, options: StreamOptions) -> Self {
        let skipped = Skipped::default();
        Self { cursor, options, sent: 0, matched: 0, before: 0, skipped, failure: None }
    }

    /// A stream over the matches from a position on: `before` others come before what the cursor finds.
    pub fn from_position(cursor: Cursor, options: StreamOptions, before: u64) -> Self {
        let options = StreamOptions { offset: before, ..options };
        Self { matched: before, before, ..Self::new(cursor, options) }
    }

    /// Matches that lie before what the cursor finds.
    pub fn before(&self) -> u64 {
        self.before
    }

    /// The walk behind it.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Lines that matched so far, those passed over included.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// Whether the stream ended at its limit rather than at the last match.
    pub fn is_limited(&self) -> bool {
        self.options.limit.is_some_and(|limit| self.sent >= limit)
    }

    /// What was passed over so far.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// Why the last call failed.
    pub fn take_failure(&mut self) -> Option<StoreError> {
        self.failure.take()
    }

    /// Goes on with the lines of another walk, under the same limit.
    pub fn go_on_with(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// Appends lines to `out` until it holds about `size` bytes, or the budget is spent. Reads mapped files: not for async
    /// threads.
    pub fn fill(
        &mut self,
        out: &mut Vec<u8>,
        size: usize,
        budget: &mut Budget,
        counters: &Counters,
    ) -> Reached {
        let mut work = Work { reader: TextReader::default(), budget, text_bytes: 0 };
        let reached = if self.options.envelope {
            self.fill_envelopes(out, size, &mut work)
        } else {
            self.fill_lines(out, size, &mut work)
        };
        let reached = reached.unwrap_or_else(|error| {
            self.failure = Some(error);
            Reached::Failed
        });
        let text_bytes = work.text_bytes as u64 + self.cursor.take_text_bytes_searched();
        counters.text_bytes_read.fetch_add(text_bytes, Ordering::Relaxed);
        counters.rows_scanned.fetch_add(self.cursor.take_rows_scanned(), Ordering::Relaxed);
        reached
    }

    fn fill_lines(
        &mut self,
        out: &mut Vec<u8>,
        size: usize,
        work: &mut Work<'_>,
    ) -> Result<Reached, StoreError> {
        let mut runs = Runs::new(self.options.passes_over_damage);
        let reached = loop {
            if out.len() + runs.bytes >= size {
                break Reached::Pause;
            }
            match self.next(work)? {
                Found::Hit(hit) => runs.add(&hit),
                Found::Spent => break Reached::Pause,
                Found::End => break Reached::End,
            }
            if runs.is_full() {
                self.copy(&mut runs, out, work)?;
            }
        };
        self.copy(&mut runs, out, work)?;
        Ok(reached)
    }

    /// Appends what was found to `out`.
    fn copy(&mut self, runs: &mut Runs, out: &mut Vec<u8>, work: &mut Work<'_>) -> Result<(), StoreError> {
        // With a text filter the lines were read, and counted, when they were searched.
        if self.cursor.filter().text.is_empty() {
            work.text_bytes += runs.bytes;
            for Run { at, bytes } in &runs.list {
                work.reader.fetch(self.segment(*at), bytes.start);
            }
        }
        (runs.bytes, runs.room) = (0, MOST_RUNS.min(2 * runs.room));
        for Run { at, bytes } in runs.list.drain(..) {
            let (start, len) = (out.len(), bytes.len());
            match work.reader.copy(self.segment(at), bytes, out) {
                Err(error @ StoreError::Damaged { .. }) if runs.are_lines => {
                    out.truncate(start);
                    self.skipped.add(error.to_string(), len);
                }
                copied => copied?,
            }
            work.budget.spend_frames(work.reader.take_read_bytes());
        }
        Ok(())
    }

    fn segment(&self, (day, segment): (usize, usize)) -> &Segment {
        &self.cursor.snapshot().days[day].1[segment].segment
    }

    fn fill_envelopes(
        &mut self,
        out: &mut Vec<u8>,
        size: usize,
        work: &mut Work<'_>,
    ) -> Result<Reached, StoreError> {
        while out.len() < size {
            match self.next(work)? {
                Found::Hit(hit) => self.write_envelope(&hit, out, work)?,
                Found::Spent => return Ok(Reached::Pause),
                Found::End => return Ok(Reached::End),
            }
        }
        Ok(Reached::Pause)
    }

    /// The next line to send.
    fn next(&mut self, work: &mut Work<'_>) -> Result<Found, StoreError> {
        if self.is_limited() {
            return Ok(Found::End);
        }
        if self.cursor.filter().text.is_empty() && self.matched < self.options.offset {
            self.matched += self.cursor.skip(self.options.offset - self.matched, work.budget);
        }
        loop {
            let found = self.cursor.next_hit(work.budget);
            let Found::Hit(hit) = found else { return Ok(found) };
            if !self.matches_text(&hit, work)? {
                continue;
            }
            self.matched += 1;
            if self.matched > self.options.offset {
                self.sent += 1;
                return Ok(found);
            }
        }
    }

    /// Whether the text of the line is what is asked for, if anything is.
    fn matches_text(&self, hit: &Hit, work: &mut Work<'_>) -> Result<bool, StoreError> {
        let text = &self.cursor.filter().text;
        if text.is_empty() {
            return Ok(true);
        }
        let line = work.reader.line(&self.cursor.view(hit).segment, &hit.row)?;
        work.budget.spend_text(line.len());
        work.text_bytes += line.len();
        let matches = text.matches(&line[..line.len() - 1]);
        work.budget.spend_frames(work.reader.take_read_bytes());
        Ok(matches)
    }

    fn write_envelope(&self, hit: &Hit, out: &mut Vec<u8>, work: &mut Work<'_>) -> Result<(), StoreError> {
        let (view, row) = (self.cursor.view(hit), &hit.row);
        let line = work.reader.line(&view.segment, row)?;
        work.text_bytes += line.len();
        write_head(view, row, out).expect("a Vec takes all that is written");
        out.extend_from_slice(&line[..line.len() - 1]);
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}

/// An envelope up to the line that it holds, written in place: nothing is allocated for a line.
fn write_head(view: &SegmentView, row: &Row, out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, "{{\"t\":{},\"c\":", row.ts.as_nanos())?;
    write_name(&view.published.components, row.component, out)?;
    out.extend_from_slice(b",\"h\":");
    write_name(&view.published.hosts, row.host, out)?;
    let (level, is_late) = (Level::name(row.level), row.is_late);
    let (day, segment, arrival) = (view.segment.day(), view.segment.number(), row.arrival);
    let pattern =
        pattern_id(view.published.patterns.get(usize::from(row.pattern)).unwrap_or_default().as_bytes());
    write!(out, ",\"l\":\"{level}\",\"p\":\"{pattern}\",\"late\":{is_late},")?;
    write!(out, "\"id\":\"{day}~{segment:04}~{arrival}\",\"line\":")
}

/// A name as a JSON string; the empty one where the number names nothing.
fn write_name(names: &NameList, number: u16, out: &mut Vec<u8>) -> io::Result<()> {
    let name = names.get(usize::from(number)).unwrap_or_default();
    Ok(serde_json::to_writer(out, name)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::logs::LineFilter;
    use crate::store::Store;
    use crate::store::batch::{Durability, LineBatch};
    use sonde_shared::time::TimeRange;
    use sonde_shared::view::Order;

    const COMPONENTS: usize = 64;

    /// Lines of components in turn, each of which has a frame of its own.
    fn sealed(dir: &std::path::Path) -> (Store, Vec<u8>) {
        let mut batch = LineBatch::default();
        for number in 0..COMPONENTS * 40 {
            let (component, pad) = (number % COMPONENTS, "x".repeat(1_000));
            let line = format!(r#"{{"ts":{number},"component":"c{component}","msg":"{number} {pad}"}}"#);
            batch.push_line(line.as_bytes()).unwrap();
        }
        let (store, text) = (Store::open_as(dir, false).unwrap(), batch.text.clone());
        futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
        drop(store);
        let store = Store::open_as(dir, false).unwrap();
        store.logs().seal_finished().unwrap();
        (store, text)
    }

    #[test]
    fn a_step_decodes_no_more_frames_than_its_work_allows() {
        let dir = tempfile::tempdir().unwrap();
        let (store, text) = sealed(dir.path());
        let cursor = Cursor::new(
            store.logs().snapshot(TimeRange::all()).unwrap(),
            LineFilter::all(TimeRange::all()),
            Order::Ascending,
        );
        let mut stream = LineStream::new(cursor, StreamOptions::default());
        let (mut out, counters) = (Vec::new(), store.logs().counters());
        let reached = stream.fill(&mut out, text.len(), &mut Budget::FIRST.clone(), counters);
        assert_eq!((reached, stream.matched()), (Reached::Pause, FIRST_RUNS as u64));
        while stream.fill(&mut out, text.len() + 1, &mut Budget::FIRST.clone(), counters) != Reached::End {}
        assert!(out == text, "each line once, in order");
    }

    /// Short lines of a few components and hosts, in their open form or sealed.
    fn short_lines(dir: &std::path::Path, is_sealed: bool) -> Store {
        let mut batch = LineBatch::default();
        for number in 0..20_000 {
            let (component, host) = (number % 5, number % 3);
            let line = format!(
                r#"{{"ts":{},"component":"c{component}","host":"h{host}","msg":"{number}"}}"#,
                number / 7
            );
            batch.push_line(line.as_bytes()).unwrap();
        }
        let store = Store::open_as(dir, false).unwrap();
        futures::executor::block_on(store.append_lines(batch, Durability::Acknowledged)).unwrap();
        if !is_sealed {
            return store;
        }
        drop(store);
        let store = Store::open_as(dir, false).unwrap();
        store.logs().seal_finished().unwrap();
        store
    }

    #[test]
    fn nothing_is_allocated_for_a_line_on_its_way_out() {
        for (is_sealed, envelope) in [(false, false), (false, true), (true, false), (true, true)] {
            let dir = tempfile::tempdir().unwrap();
            let store = short_lines(dir.path(), is_sealed);
            let snapshot = store.logs().snapshot(TimeRange::all()).unwrap();
            let cursor = Cursor::new(snapshot, LineFilter::all(TimeRange::all()), Order::Ascending);
            let mut stream = LineStream::new(cursor, StreamOptions { envelope, ..StreamOptions::default() });
            let (mut out, counters) = (Vec::with_capacity(8 << 20), store.logs().counters());
            crate::allocations::begin();
            while stream.fill(&mut out, 8 << 20, &mut Budget::STEP.clone(), counters) != Reached::End {}
            let times = crate::allocations::times();
            assert_eq!(stream.matched(), 20_000);
            assert!(times < 1_000, "{times} allocations, sealed: {is_sealed}, in envelopes: {envelope}");
        }
    }
}

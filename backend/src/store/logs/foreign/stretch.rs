//! A stretch of a foreign file that is being read: a segment for each day that its lines are of.
//!
//! Rows wait in memory until there are enough of them for a checkpoint, which writes those of all days down, so that a start
//! knows up to which place of the file everything is in the index.

use super::index::{Checkpoint, FoundCheckpoint, Head, IndexFile, LoadedIndex, Seen};
use super::lines::{self, row_of};
use super::tail::{Tail, text_of};
use super::text::ForeignText;
use crate::patterns::Masker;
use crate::store::StoreError;
use crate::store::file_view::FileView;
use crate::store::logs::block::{self, Block, Encoded, Row};
use crate::store::logs::dictionary::Dictionaries;
use crate::store::logs::rows::is_late;
use crate::store::logs::segment::{BLOCK_ROWS, Published, Segment};
use sonde_shared::time::{Day, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// So much text that was read makes a checkpoint, however few lines it has.
const CHECKPOINT_TEXT: u64 = 16 << 20;
/// So many rows make one.
const CHECKPOINT_ROWS: usize = 4 * BLOCK_ROWS;

/// The time of the latest line of each day, in what was read before.
pub(super) type Watermarks = BTreeMap<Day, Timestamp>;

/// What there is of days.
type OfDays<T> = Vec<(Day, T)>;

/// The lines of one day.
#[derive(Debug)]
struct DayPart {
    segment: Arc<Segment>,
    names: Dictionaries,
    rows: u32,
    in_file: Vec<Arc<Block>>,
    tail: Tail,
    /// Rows of the text at hand.
    pending: Vec<Row>,
    watermark: Timestamp,
}

impl DayPart {
    fn new(day: Day, number: u32, watermark: Timestamp, text: &Arc<ForeignText>) -> Self {
        Self {
            segment: Arc::new(Segment::foreign(day, number, watermark, text.clone())),
            names: Dictionaries::default(),
            rows: 0,
            in_file: Vec::new(),
            tail: Tail::default(),
            pending: Vec::new(),
            watermark,
        }
    }

    fn add(&mut self, row: Row) {
        let is_late = is_late(row.ts, &mut self.watermark);
        self.pending.push(Row { arrival: self.rows, is_late, ..row });
        self.rows += 1;
    }

    /// Adds a block of the index; whether it can be the next.
    fn add_found(&mut self, mut found: block::Found, view: &FileView) -> bool {
        let names = std::mem::take(&mut found.names);
        if found.meta.first_row != self.rows || !self.names.add_from_file(names) {
            return false;
        }
        self.rows += found.meta.rows;
        self.watermark = self.watermark.max(found.meta.max_ts);
        self.in_file.push(Arc::new(Block::in_file(found, view.clone())));
        true
    }

    fn show(&mut self) {
        self.tail.push(std::mem::take(&mut self.pending));
        let blocks = self.in_file.iter().cloned().chain(self.tail.blocks()).collect();
        self.segment.publish(Published::new(self.rows, blocks, &self.names));
    }
}

/// What became of some text.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Good lines.
    pub(super) lines: u64,
    /// Bad ones.
    pub(super) bad: u64,
    /// Where the first bad line lies in the file, and what is wrong with it.
    pub(super) first_bad: Option<(u64, String)>,
    /// Segments that have just begun.
    pub(super) begun: Vec<Arc<Segment>>,
}

/// A stretch and how far it was read.
#[derive(Debug)]
pub(super) struct OpenStretch {
    text: Arc<ForeignText>,
    number: u32,
    days: BTreeMap<Day, DayPart>,
    /// The place in the file up to which it was read, and up to which the index knows it.
    end: u64,
    checkpoint: u64,
    /// Frames that the index has.
    frames: usize,
    /// Bad lines, and rows, since the last checkpoint.
    bad: u32,
    waiting: usize,
    /// Checkpoints of few rows.
    small: u32,
    index: IndexFile,
}

impl OpenStretch {
    /// Begins a stretch.
    pub(super) fn begin(text: Arc<ForeignText>, head: Head, index: IndexFile) -> Self {
        Self {
            text,
            number: head.number,
            days: BTreeMap::new(),
            end: head.base,
            checkpoint: head.base,
            frames: 0,
            bad: 0,
            waiting: 0,
            small: 0,
            index,
        }
    }

    /// Goes on with one that the index knows. `None` when the index cannot be its own.
    pub(super) fn load(
        text: Arc<ForeignText>,
        loaded: LoadedIndex,
        watermarks: &Watermarks,
    ) -> Option<(Self, Taken)> {
        let LoadedIndex { head, checkpoints, view, file } = loaded;
        let mut this = Self::begin(text, head, file);
        let mut taken = Taken::default();
        for found in checkpoints {
            this.add_found(found, &view, watermarks, &mut taken)?;
        }
        this.frames = this.text.frame_count();
        for part in this.days.values_mut() {
            part.show();
            taken.begun.push(part.segment.clone());
        }
        Some((this, taken))
    }

    fn add_found(
        &mut self,
        found: FoundCheckpoint,
        view: &FileView,
        watermarks: &Watermarks,
        taken: &mut Taken,
    ) -> Option<()> {
        let mut rows = 0;
        for (day, block) in found.blocks {
            rows += block.meta.rows as usize;
            if !self.part(day, watermarks).0.add_found(block, view) {
                return None;
            }
        }
        self.small += u32::from(rows < BLOCK_ROWS);
        taken.lines += rows as u64;
        taken.bad += u64::from(found.bad);
        (self.end, self.checkpoint) = (found.end, found.end);
        Some(())
    }

    fn part(&mut self, day: Day, watermarks: &Watermarks) -> (&mut DayPart, bool) {
        use std::collections::btree_map::Entry;
        match self.days.entry(day) {
            Entry::Occupied(known) => (known.into_mut(), false),
            Entry::Vacant(free) => {
                let watermark = watermarks.get(&day).copied().unwrap_or(Timestamp::MIN);
                (free.insert(DayPart::new(day, self.number, watermark, &self.text)), true)
            }
        }
    }

    pub(super) fn text(&self) -> &Arc<ForeignText> {
        &self.text
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn small_checkpoints(&self) -> u32 {
        self.small
    }

    /// Takes whole lines in, which begin at a place of the file. Nobody sees them before [`Self::show`].
    pub(super) fn take(
        &mut self,
        at: u64,
        text: &[u8],
        masker: &mut Masker,
        watermarks: &Watermarks,
    ) -> Taken {
        let start = (at - self.text.base()) as u32;
        self.text.cover(start, text, self.frames);
        let mut taken = Taken::default();
        for (offset, line) in lines::lines(text) {
            let fields = match lines::read(line) {
                Ok(Some(fields)) => fields,
                Ok(None) => continue,
                Err(why) => {
                    taken.bad += 1;
                    taken.first_bad.get_or_insert((at + offset as u64, why));
                    continue;
                }
            };
            let (part, is_new) = self.part(fields.ts.day(), watermarks);
            let place = (start + offset as u32, line.len() as u32);
            let names = &mut part.names;
            let row = row_of(&fields, place, masker, |kind, name| names.number(kind, name));
            part.add(row);
            if is_new {
                taken.begun.push(part.segment.clone());
            }
            taken.lines += 1;
        }
        self.end = at + text.len() as u64;
        self.bad += taken.bad as u32;
        self.waiting += taken.lines as usize;
        taken
    }

    /// Shows readers what was taken in.
    pub(super) fn show(&mut self) {
        for part in self.days.values_mut().filter(|part| !part.pending.is_empty()) {
            part.show();
        }
    }

    /// Whether enough was read since the last checkpoint.
    pub(super) fn wants_checkpoint(&self) -> bool {
        self.waiting >= CHECKPOINT_ROWS || self.unwritten_bytes() >= CHECKPOINT_TEXT
    }

    /// How much was.
    pub(super) fn unwritten_bytes(&self) -> u64 {
        self.end - self.checkpoint
    }

    /// Writes what was read since the last checkpoint to the index. When it cannot be written, it stays in memory.
    pub(super) fn write_checkpoint(&mut self, seen: Seen) -> Result<(), StoreError> {
        self.show();
        if self.unwritten_bytes() == 0 {
            return Ok(());
        }
        let (rows, blocks) = self.encode_tails();
        let frames = self.text.frames_from(self.frames);
        let checkpoint = Checkpoint { end: self.end, bad: self.bad, seen, frames: &frames, blocks: &blocks };
        let written = self.index.append(&checkpoint);
        let outcome = match written {
            Ok((view, places)) => {
                for ((day, encoded), place) in blocks.into_iter().zip(places) {
                    let part = self.days.get_mut(&day).expect("its rows were just taken");
                    part.in_file.push(Arc::new(Block::in_file(encoded.in_file(place), view.clone())));
                    part.names.note_in_file();
                }
                self.small += u32::from(self.waiting < BLOCK_ROWS);
                (self.checkpoint, self.bad, self.waiting) = (self.end, 0, 0);
                self.frames += frames.len();
                Ok(())
            }
            Err(error) => Err(error),
        };
        for (day, rows) in rows {
            let part = self.days.get_mut(&day).expect("its rows were just taken");
            if outcome.is_err() {
                part.tail.push(rows);
            }
            part.show();
        }
        outcome
    }

    /// The rows of all tails, which are taken out, and their blocks.
    fn encode_tails(&mut self) -> (OfDays<Vec<Row>>, OfDays<Encoded>) {
        let (mut all_rows, mut blocks) = (Vec::new(), Vec::new());
        for (day, part) in &mut self.days {
            let rows = part.tail.take();
            let mut names = part.names.new_names();
            for chunk in rows.chunks(BLOCK_ROWS) {
                let names = std::mem::take(&mut names);
                blocks.push((*day, block::encode(chunk.to_vec(), text_of(chunk), &names)));
            }
            if !rows.is_empty() {
                all_rows.push((*day, rows));
            }
        }
        (all_rows, blocks)
    }

    /// Notes the latest lines of its days.
    pub(super) fn note_watermarks(&self, watermarks: &mut Watermarks) {
        for (day, part) in &self.days {
            let known = watermarks.entry(*day).or_insert(Timestamp::MIN);
            *known = part.watermark.max(*known);
        }
    }
}

//! What tells the lines of a body that its sender may send again: a key, and how much of the body is settled.
//!
//! A line counts as settled by its day and lane: a body may fall on several days, and on several files of a day, whose
//! commits can fail one by one. So for each of them it is known up to which of the body's lines all its lines are stored,
//! with a checksum of the body up to there, by which the same body is known again.

use super::ages::{Ages, Lane};
use sha2::{Digest, Sha256};
use sonde_shared::time::{Day, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name that a sender gave to a body, as the first 16 bytes of its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchKey(pub [u8; 16]);

impl BatchKey {
    /// The key of a name.
    pub fn of(name: &[u8]) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&Sha256::digest(name)[..16]);
        Self(key)
    }
}

/// A place in a body, behind one of its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// How many lines come before it, blank and overlong ones not counted.
    pub lines: u64,
    /// CRC-32 of these lines, each with an LF.
    pub checksum: u32,
}

/// What is stored of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The clock by which its lines are judged, so that a later try refuses the same ones. Whole seconds.
    pub begun: Timestamp,
    /// When the last of it was stored. Whole seconds.
    pub at: Timestamp,
    /// For each day and lane the place up to which its lines are stored.
    pub days: BTreeMap<(Day, Lane), Mark>,
    /// The body's end, when it is known.
    pub end: Option<Mark>,
}

impl Settled {
    /// The last place that is known.
    pub fn last(&self) -> Mark {
        self.days.values().copied().max_by_key(|mark| mark.lines).unwrap_or_default()
    }
}

/// What one commit settles of a body, as it lies beside the commit's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The body.
    pub key: BatchKey,
    /// The clock by which the body is judged.
    pub begun: Timestamp,
    /// The time of this commit.
    pub at: Timestamp,
    /// The day of the committed lines.
    pub day: Day,
    /// The lane of the committed lines.
    pub lane: Lane,
    /// The place up to which the body's lines of that day and lane are stored.
    pub mark: Mark,
}

/// A body on its way in: the place that has been read, and where the lines of the batch at hand end.
#[derive(Clone, Debug)]
pub struct Source {
    key: BatchKey,
    begun: Timestamp,
    now: Timestamp,
    settled: Option<Arc<Settled>>,
    lines: u64,
    checksum: crc32fast::Hasher,
    is_other: bool,
    repeated: u64,
    /// The place behind each row of the batch.
    marks: Vec<Mark>,
    /// Which components are in which lane.
    ages: Arc<Ages>,
}

impl Source {
    /// A body that begins now, and what is stored of it.
    pub fn new(key: BatchKey, now: Timestamp, settled: Option<Settled>) -> Self {
        let now = Timestamp::from_secs(now.as_secs());
        Self {
            key,
            begun: settled.as_ref().map_or(now, |settled| settled.begun),
            now,
            settled: settled.map(Arc::new),
            lines: 0,
            checksum: crc32fast::Hasher::new(),
            is_other: false,
            repeated: 0,
            marks: Vec::new(),
            ages: Arc::new(Ages::of_all(None)),
        }
    }

    /// The same body for a store that keeps lines so long.
    #[must_use]
    pub fn with_ages(self, ages: Arc<Ages>) -> Self {
        Self { ages, ..self }
    }

    /// The clock by which the lines are judged.
    pub fn begun(&self) -> Timestamp {
        self.begun
    }

    /// The place behind the last line that was read.
    pub fn place(&self) -> Mark {
        Mark { lines: self.lines, checksum: self.checksum.clone().finalize() }
    }

    /// Lines that were stored before and are not stored again.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Reads a line, whether or not it will be taken.
    pub fn read(&mut self, line: &[u8]) {
        self.lines += 1;
        self.checksum.update(line);
        self.checksum.update(b"\n");
        let Some(settled) = &self.settled else { return };
        let known = [Some(settled.last()), settled.end];
        let differs = |mark: Mark| mark.lines == self.lines && mark.checksum != self.place().checksum;
        self.is_other |=
            known.into_iter().flatten().any(differs) || settled.end.is_some_and(|end| end.lines < self.lines);
    }

    /// Whether the line that was read last, of that day and component, is stored. It is counted then.
    pub fn repeats(&mut self, day: Day, component: &str) -> bool {
        let Some(settled) = &self.settled else { return false };
        // What was noted without lanes is true of every one.
        let lanes = [Lane::default(), self.ages.lane(self.ages.class_of(component))];
        let mut marks = lanes.iter().filter_map(|lane| settled.days.get(&(day, *lane)));
        let is_stored = marks.any(|mark| self.lines <= mark.lines);
        self.repeated += u64::from(is_stored);
        is_stored
    }

    /// Notes that the line that was read last has become a row.
    pub fn mark_row(&mut self) {
        self.marks.push(self.place());
    }

    /// Whether this is another body than the one that has begun to be stored under the key.
    pub fn is_other(&self) -> bool {
        self.is_other
    }

    /// Whether all that is known of the body was read and compared. Before that nothing of it is stored.
    pub fn is_compared(&self) -> bool {
        self.settled.as_ref().is_none_or(|settled| self.lines >= settled.last().lines)
    }

    /// Ends the body.
    pub fn finish(&mut self) {
        let is_short = |end: Mark| self.lines < end.lines;
        let known = self.settled.as_ref().and_then(|settled| settled.end);
        self.is_other |= !self.is_compared() || known.is_some_and(is_short);
    }

    /// What belongs to the batch at hand; this one goes on with the next.
    #[must_use]
    pub fn hand_over(&mut self) -> Self {
        let marks = std::mem::take(&mut self.marks);
        Self { marks, ..self.clone() }
    }

    /// What the commit of a row and all before it of its day and lane settles.
    pub fn note(&self, row: usize, day: Day, lane: Lane) -> Note {
        Note { key: self.key, begun: self.begun, at: self.now, day, lane, mark: self.marks[row] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_763_647_500);

    /// Lines of days 1 and 2 in turn, of which day 1's first three are stored.
    fn again(lines: &[&str]) -> Source {
        let mut first = Source::new(BatchKey::of(b"k"), NOW, None);
        for line in ["a", "b", "c"] {
            first.read(line.as_bytes());
        }
        let days = BTreeMap::from([((Day::from_number(1), Lane::default()), first.place())]);
        let settled = Settled { begun: NOW, at: NOW, days, end: None };
        let mut source = Source::new(BatchKey::of(b"k"), NOW.plus_nanos(1), Some(settled));
        for line in lines {
            source.read(line.as_bytes());
        }
        source
    }

    #[test]
    fn nothing_is_stored_before_all_that_is_known_was_compared() {
        let check = |lines: &[&str], is_compared: bool, is_other: bool| {
            let source = again(lines);
            assert_eq!((source.is_compared(), source.is_other()), (is_compared, is_other), "{lines:?}");
        };
        check(&["x", "b"], false, false);
        check(&["a", "b", "c"], true, false);
        check(&["x", "b", "c"], true, true);
        check(&["a", "b", "c", "d"], true, false);
    }

    #[test]
    fn lines_repeat_by_their_day() {
        let check = |lines: &[&str], day: i64, expected: bool| {
            assert_eq!(again(lines).repeats(Day::from_number(day), "a"), expected, "{lines:?}");
        };
        check(&["a", "b", "c"], 1, true);
        check(&["a", "b", "c"], 2, false);
        check(&["a", "b", "c", "d"], 1, false);
    }
}

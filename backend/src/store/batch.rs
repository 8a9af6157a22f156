//! What the ingest side hands to the store: checked lines and points, gathered into batches.
//!
//! A batch is all or nothing for the clock but not for the days: its rows may fall on several days, and each goes
//! to its own day's folder. Names are interned once a batch, so that a row is a few integers.

use super::logs::fields::{self, FieldError, Fields};
use super::series_names::SeriesNames;
use super::source::Source;
use crate::patterns::Masker;
use foldhash::fast::RandomState;
use sonde_shared::log::Level;
use sonde_shared::time::Timestamp;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// They are asked for with each line. Seeded as the standard library's is, since senders choose the names, and quicker.
type Numbers<K> = HashMap<K, u32, RandomState>;

/// Of no more than so many a list is looked through; most batches are of a few lines, and a table would cost them more.
const FEW: usize = 16;

/// Names, each held once, told by their number in order of first appearance.
#[derive(Debug, Default)]
pub struct Names {
    /// Of all names, where there are more than a few.
    by_name: Numbers<Arc<str>>,
    list: Vec<Arc<str>>,
}

impl Names {
    /// The number of a name, given to it now if it is new.
    pub fn intern(&mut self, name: &str) -> u32 {
        let known = if self.list.len() <= FEW {
            self.list.iter().position(|known| **known == *name).map(|number| number as u32)
        } else {
            self.by_name.get(name).copied()
        };
        known.unwrap_or_else(|| self.add(name))
    }

    fn add(&mut self, name: &str) -> u32 {
        let number = self.list.len() as u32;
        self.list.push(name.into());
        let first = match self.list.len() {
            ..=FEW => return number,
            len if len == FEW + 1 => 0,
            len => len - 1,
        };
        let added = (first as u32..).zip(&self.list[first..]);
        self.by_name.extend(added.map(|(number, name)| (name.clone(), number)));
        number
    }

    /// The names, by number.
    pub fn list(&self) -> &[Arc<str>] {
        &self.list
    }
}

thread_local! {
    /// Its buffers serve all batches that are gathered on a thread.
    static MASKER: RefCell<Masker> = RefCell::default();
}

/// Patterns of messages, each held once, told by their number in order of first appearance.
#[derive(Debug, Default)]
pub struct PatternNames {
    /// Of the first few, by number: they are looked through before the table is asked.
    first: Vec<u64>,
    /// Of all others.
    by_id: Numbers<u64>,
    list: Vec<Box<str>>,
}

impl PatternNames {
    /// The number of a message's pattern, given to it now if it is new.
    fn intern(&mut self, message: &str) -> u32 {
        MASKER.with_borrow_mut(|masker| {
            let id = masker.id(message);
            let known = self.first.iter().position(|known| *known == id).map(|number| number as u32);
            known.or_else(|| self.by_id.get(&id).copied()).unwrap_or_else(|| {
                self.list.push(masker.template(message).into());
                let number = self.list.len() as u32 - 1;
                if self.first.len() < FEW {
                    self.first.push(id);
                } else {
                    self.by_id.insert(id, number);
                }
                number
            })
        })
    }

    /// The patterns, by number.
    pub fn list(&self) -> &[Box<str>] {
        &self.list
    }
}

/// One line of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRow {
    /// When it was logged.
    pub ts: Timestamp,
    /// Where its text starts in the batch's text.
    pub pos: u32,
    /// Its length without the line feed.
    pub len: u32,
    /// Its component's number in the batch's components.
    pub component: u32,
    /// Its host's number in the batch's hosts; the empty name means none.
    pub host: u32,
    /// Its message's pattern, by its number in the batch's patterns.
    pub pattern: u32,
    /// How bad it is.
    pub level: Level,
}

/// Accepted lines in arrival order. `text` holds each line followed by one line feed, and nothing else.
#[derive(Debug, Default)]
pub struct LineBatch {
    /// The lines as they will lie on disk.
    pub text: Vec<u8>,
    /// One row a line, in arrival order.
    pub rows: Vec<LineRow>,
    /// The components that rows refer to.
    pub components: Names,
    /// The hosts that rows refer to.
    pub hosts: Names,
    /// The patterns that rows refer to.
    pub patterns: PatternNames,
    /// The body that the lines are of, when it may be sent again.
    pub source: Option<Box<Source>>,
}

/// The longest line that is taken, in bytes, without its line feed.
pub const MAX_LINE_BYTES: usize = 1 << 20;

impl LineBatch {
    /// Adds a line with the fields that were read from it. The caller has checked that it is one line (no line feed inside,
    /// not empty, at most [`MAX_LINE_BYTES`]).
    pub fn push(&mut self, fields: &Fields<'_>, line: &[u8]) {
        debug_assert!(!line.contains(&b'\n'), "a line holds no line feed");
        let row = LineRow {
            ts: fields.ts,
            pos: self.text.len() as u32,
            len: line.len() as u32,
            component: self.components.intern(fields.component()),
            host: self.hosts.intern(fields.host()),
            pattern: self.patterns.intern(fields.message),
            level: fields.level,
        };
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
        self.rows.push(row);
        if let Some(source) = &mut self.source {
            source.mark_row();
        }
    }

    /// Reads a line's fields and adds it; see [`Self::push`] for what the caller has checked.
    pub fn push_line(&mut self, line: &[u8]) -> Result<(), FieldError> {
        let fields = fields::read(line)?;
        self.push(&fields, line);
        Ok(())
    }

    /// How many lines it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// One point of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointRow {
    /// Its series' number in the batch's names.
    pub series: u32,
    /// Unix seconds.
    pub ts_secs: i64,
    /// The value, never NaN.
    pub value: f64,
}

/// Accepted points in arrival order.
#[derive(Debug, Default)]
pub struct PointBatch {
    /// The points.
    pub rows: Vec<PointRow>,
    /// The series' paths, tagged ones in Graphite's normal form (`name;k=v;…`, tags sorted); other batches may share it.
    pub series: Arc<SeriesNames>,
}

impl PointBatch {
    /// An empty batch of series that are known by these names.
    pub fn of(series: Arc<SeriesNames>) -> Self {
        Self { rows: Vec::new(), series }
    }

    /// Adds a point. The caller has checked the path and dropped NaN.
    pub fn push(&mut self, path: &str, ts_secs: i64, value: f64) {
        let series = self.series.intern(path);
        self.rows.push(PointRow { series, ts_secs, value });
    }

    /// How many points it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// When an append may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// After it is on disk, power loss included.
    Acknowledged,
    /// Once it is queued; it is synced within a second. For senders that get no answer (carbon, syslog).
    Streamed,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of letters alone, so that each is a pattern of its own.
    fn word(number: usize) -> String {
        let letter = char::from(b'a' + (number % 26) as u8);
        std::iter::repeat_n(letter, 3 + number / 26).collect()
    }

    #[test]
    fn names_and_patterns_have_their_numbers_however_many_there_are() {
        for count in [1, FEW, FEW + 1, 4 * FEW] {
            let (mut names, mut patterns) = (Names::default(), PatternNames::default());
            for _ in 0..2 {
                for number in 0..count {
                    assert_eq!(names.intern(&word(number)) as usize, number, "{count}");
                    assert_eq!(patterns.intern(&word(number)) as usize, number, "{count}");
                }
            }
            let words: Vec<String> = (0..count).map(word).collect();
            assert_eq!(names.list().iter().map(|name| &**name).collect::<Vec<_>>(), words);
            assert_eq!(patterns.list().iter().map(|name| &**name).collect::<Vec<_>>(), words);
        }
    }
}

//! Many sealed days, made of the lines of one with other dates and kept in the target folder.

use crate::big_day;
use crate::corpus::{Corpus, Names, Recipe, Style, at};
use sonde_shared::time::{Day, NANOS_PER_SEC, TimeRange};
use std::path::{Path, PathBuf};

const VERSION: &str = "many-days-1";
/// So many days are written before they are sealed: their text takes ten times as much room.
const SEALED_AT_ONCE: usize = 6;
/// What a line has before and in its date.
const DATE: std::ops::Range<usize> = 7..17;

/// How many days, and how many lines each has.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Days.
    pub days: usize,
    /// Lines of a day.
    pub lines: usize,
}

impl Extent {
    /// A day, numbered from 0. The last one lies far enough back that no clock finds it in the future.
    pub fn day(self, number: usize) -> Day {
        Day::from_number(at("2025-01-01T00:00:00Z").day().number() + number as i64)
    }

    /// All of its days.
    pub fn range(self) -> TimeRange {
        TimeRange { from: self.day(0).start(), until: self.day(self.days).start() }
    }

    /// The lines of an hour of the first day. None lies in the day before.
    pub fn hour(self, number: usize) -> Corpus {
        let hour = 3_600 * NANOS_PER_SEC;
        let from = self.day(0).start().plus_nanos(hour * number as i64);
        let until = from.plus_nanos(hour);
        // Stragglers are up to a minute late.
        let from = if number == 0 { from.plus_nanos(60 * NANOS_PER_SEC) } else { from };
        let (seed, range) = (2_000 + number as u64, TimeRange { from, until });
        Corpus::make(Recipe { seed, lines: self.lines / 24, range, style: Style::Plain, names: Names::Many })
    }

    /// The lines of the first day, hour by hour.
    pub fn hours(self) -> impl Iterator<Item = Corpus> {
        (0..24).map(move |number| self.hour(number))
    }

    fn folder(self) -> PathBuf {
        big_day::beside(&format!("{VERSION}-{}-{}", self.days, self.lines))
    }

    /// The folder with the days in it, made now if it is not there yet. `say` hears what goes on.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn ready(self, say: &mut dyn FnMut(&str)) -> PathBuf {
        let (folder, done) = (self.folder(), self.folder().join("done"));
        if done.exists() {
            return folder;
        }
        drop(std::fs::remove_dir_all(&folder));
        let mut hours: Vec<Vec<u8>> = self.hours().map(|corpus| corpus.text).collect();
        for number in 0..self.days {
            self.write_day(&folder, number, &mut hours);
            if (number + 1) % SEALED_AT_ONCE == 0 || number + 1 == self.days {
                say(&format!("{} of {} days of {} lines", number + 1, self.days, self.lines));
                big_day::seal(&folder);
            }
        }
        std::fs::write(done, "").expect("a file can be written");
        folder
    }

    /// Writes a day as somebody does who copies texts into its folder: a segment an hour.
    fn write_day(self, folder: &Path, number: usize, hours: &mut [Vec<u8>]) {
        let day = self.day(number).to_string();
        std::fs::create_dir_all(folder.join(&day)).expect("the target folder can be written");
        for (hour, text) in hours.iter_mut().enumerate() {
            let mut start = 0;
            while start < text.len() {
                text[start + DATE.start..start + DATE.end].copy_from_slice(day.as_bytes());
                let end = text[start..].iter().position(|byte| *byte == b'\n').expect("lines end");
                start += end + 1;
            }
            let path = folder.join(&day).join(format!("logs-{:04}.ndjson", hour + 1));
            std::fs::write(path, text).expect("a file can be written");
        }
    }
}

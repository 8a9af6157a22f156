//! Whisper's files: what a Graphite has stored of one series.
//!
//! All numbers are big-endian (`whisper.py` describes the form): aggregation method and longest retention (u32), xFilesFactor (f32), number of
//! archives (u32); for each archive where its points begin, its seconds a point and how many points it has (u32); then the
//! points, time (u32) and value (f64). An archive is a ring: a point's place is its time's distance from that of the first place, which is
//! 0 in an archive that was never written. What lies further behind the latest point than the ring is long was overwritten in
//! time, if not in place, and counts no more.
//!
//! Nothing of a header is taken at its word: archives must lie one behind the other within the file, so that reading costs no
//! more than the file is long.

use std::ops::RangeInclusive;

const HEADER_BYTES: usize = 16;
const ARCHIVE_BYTES: usize = 12;
const POINT_BYTES: usize = 12;
/// More archives than anybody has; each point is held against the finer ones.
const MAX_ARCHIVES: usize = 64;
/// What go-carbon's compressed files begin with.
const COMPRESSED: &[u8] = b"whisper_compressed";

/// Why a file is none of whisper's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhisperError {
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// Shorter than its header says.
    #[error("it is cut short")]
    Short,
    /// The form of another program.
    #[error(
        "it is in go-carbon's compressed form, which is not read; convert it with go-carbon's tools first"
    )]
    Compressed,
    /// Numbers that no archive can have.
    #[error("its header is damaged")]
    Header,
}

/// What an archive holds that finer ones do not cover.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArchivePoints {
    /// Seconds from one point to the next.
    pub secs: u32,
    /// Unix seconds, rising, and values; never NaN, which is whisper's null.
    pub points: Vec<(u32, f64)>,
    /// Points in places where their times cannot stand: the file is damaged there.
    pub misplaced: u64,
}

/// An archive's place in the file.
struct Ring<'a> {
    secs: u32,
    slots: &'a [u8],
}

/// Reads a file: its archives, the finest first. Of a time that several archives cover the finest counts.
pub fn read(file: &[u8]) -> Result<Vec<ArchivePoints>, WhisperError> {
    let mut covered: Vec<RangeInclusive<i64>> = Vec::new();
    let mut archives = Vec::new();
    for ring in rings(file)? {
        let mut found = ArchivePoints { secs: ring.secs, points: Vec::new(), misplaced: ring.misplaced() };
        if let Some(span) = ring.span() {
            let is_new = |time: i64| !covered.iter().any(|span| span.contains(&time));
            found.points = ring.points(&span).filter(|(time, _)| is_new(i64::from(*time))).collect();
            covered.push(span);
        }
        archives.push(found);
    }
    Ok(archives)
}

fn rings(file: &[u8]) -> Result<Vec<Ring<'_>>, WhisperError> {
    if file.is_empty() {
        return Err(WhisperError::Empty);
    }
    if file.starts_with(COMPRESSED) {
        return Err(WhisperError::Compressed);
    }
    let count = word(file, 12).ok_or(WhisperError::Short)? as usize;
    let header_bytes = HEADER_BYTES + count.min(MAX_ARCHIVES) * ARCHIVE_BYTES;
    if count == 0 || count > MAX_ARCHIVES {
        return Err(WhisperError::Header);
    }
    if header_bytes > file.len() {
        return Err(WhisperError::Short);
    }
    let mut rings: Vec<Ring<'_>> = Vec::new();
    let mut end = header_bytes;
    for at in (HEADER_BYTES..header_bytes).step_by(ARCHIVE_BYTES) {
        let field = |nth: usize| word(file, at + 4 * nth).ok_or(WhisperError::Short);
        let (start, secs, points) = (field(0)? as usize, field(1)?, field(2)? as usize);
        let is_coarser = rings.last().is_none_or(|finer| finer.secs < secs);
        if start < end || secs == 0 || points == 0 || !is_coarser {
            return Err(WhisperError::Header);
        }
        end = start.saturating_add(points.saturating_mul(POINT_BYTES));
        rings.push(Ring { secs, slots: file.get(start..end).ok_or(WhisperError::Short)? });
    }
    Ok(rings)
}

fn word(file: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*file.get(at..)?.first_chunk()?))
}

impl Ring<'_> {
    fn len(&self) -> i64 {
        (self.slots.len() / POINT_BYTES) as i64
    }

    fn time(&self, place: i64) -> i64 {
        word(self.slots, place as usize * POINT_BYTES).map_or(0, i64::from)
    }

    fn value(&self, place: i64) -> f64 {
        let bytes = self.slots.get(place as usize * POINT_BYTES + 4..).and_then(<[u8]>::first_chunk);
        bytes.map_or(f64::NAN, |bytes| f64::from_be_bytes(*bytes))
    }

    /// Where a point of this time stands; nowhere for one between the steps.
    fn place(&self, time: i64) -> Option<i64> {
        let (ahead, secs) = (time - self.time(0), i64::from(self.secs));
        (ahead.rem_euclid(secs) == 0).then(|| ahead.div_euclid(secs).rem_euclid(self.len()))
    }

    /// The times of the points that stand where they must.
    fn placed(&self) -> impl Iterator<Item = i64> {
        let times = (0..self.len()).map(|place| (place, self.time(place)));
        times.filter(|(place, time)| *time > 0 && self.place(*time) == Some(*place)).map(|(_, time)| time)
    }

    fn misplaced(&self) -> u64 {
        let there = (0..self.len()).filter(|place| self.time(*place) > 0).count();
        if self.time(0) == 0 { 0 } else { (there - self.placed().count()) as u64 }
    }

    /// The times from the earliest that the ring can hold beside its latest; none in an archive that was never written.
    fn span(&self) -> Option<RangeInclusive<i64>> {
        let latest = self.placed().max().filter(|_| self.time(0) > 0)?;
        Some(latest - (self.len() - 1) * i64::from(self.secs)..=latest)
    }

    fn points(&self, span: &RangeInclusive<i64>) -> impl Iterator<Item = (u32, f64)> {
        let times = span.clone().step_by(self.secs as usize);
        let points = times.filter_map(|time| {
            let place = self.place(time).filter(|place| time > 0 && self.time(*place) == time)?;
            Some((time as u32, self.value(place)))
        });
        points.filter(|(_, value)| !value.is_nan())
    }
}

#[cfg(test)]
mod tests;

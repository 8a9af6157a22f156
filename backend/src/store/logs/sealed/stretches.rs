//! A segment's lines in the order in which its sealed file has them, one stretch at a time.
//!
//! Lines are clustered within stretches of so much text: whoever asks for all components has the frames of one or two stretches
//! to decode at a time, however many components there are, and whoever asks for a rare one has a frame a stretch. And sealing
//! has the lines of one stretch in hand, however long the segment is.

use crate::store::logs::block::Block;
use crate::store::logs::segment::{Published, Segment};
use sonde_shared::log::Level;

/// The most text of a frame, unless a single line is longer.
pub(super) const FRAME_BYTES: usize = 64 << 10;
/// A component with so much text in a stretch begins a frame of its own; smaller ones share.
const OWN_FRAME_BYTES: u64 = 32 << 10;
/// The text of a stretch.
const STRETCH_BYTES: u64 = 16 << 20;

/// A line on its way to its new place: errors and worse lie together, behind all others, so that who asks for them alone
/// decodes little else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) arrival: u32,
    pub(super) pos: u32,
    pub(super) len: u32,
    pub(super) component: u16,
    pub(super) is_error: bool,
}

/// The lines of a block, by arrival.
pub(super) fn lines_of(block: &Block, segment: &Segment, published: &Published) -> Vec<Line> {
    let columns = segment.columns(block, published);
    let line = |row: usize| {
        let (text, level) = (columns.text(row), columns.level(row));
        Line {
            arrival: columns.arrival(row),
            pos: text.start,
            len: text.end - text.start,
            component: columns.component(row),
            is_error: level >= Level::Error,
        }
    };
    let mut lines: Vec<Line> = (0..columns.len()).map(line).collect();
    lines.sort_unstable_by_key(|line| line.arrival);
    lines
}

/// The lines of one part of a segment, errors or others, a stretch at a time: sorted by component and arrival.
pub(super) fn stretches(
    segment: &Segment,
    published: &Published,
    is_error: bool,
) -> Stretches<impl Iterator<Item = Line>> {
    let blocks = (0..published.blocks.len()).map(move |number| segment.block(number, published));
    let lines = blocks.flat_map(move |block| lines_of(&block, segment, published));
    Stretches { lines: lines.filter(move |line| line.is_error == is_error), bytes: 0 }
}

/// See [`stretches`].
pub(super) struct Stretches<I> {
    /// By arrival.
    lines: I,
    bytes: u64,
}

impl<I: Iterator<Item = Line>> Iterator for Stretches<I> {
    type Item = Vec<Line>;

    fn next(&mut self) -> Option<Vec<Line>> {
        let end = (self.bytes / STRETCH_BYTES + 1) * STRETCH_BYTES;
        let mut stretch = Vec::new();
        while self.bytes < end
            && let Some(line) = self.lines.next()
        {
            self.bytes += u64::from(line.len) + 1;
            stretch.push(line);
        }
        stretch.sort_unstable_by_key(|line| (line.component, line.arrival));
        (!stretch.is_empty()).then_some(stretch)
    }
}

/// The new places of one part's lines, asked for in order of arrival.
pub(super) struct Places<I> {
    stretches: Stretches<I>,
    /// Where the next stretch begins.
    start: u64,
    /// Arrival and place, by arrival.
    ready: std::vec::IntoIter<(u32, u32)>,
}

impl<I: Iterator<Item = Line>> Places<I> {
    /// Places from `start` on.
    pub(super) fn new(stretches: Stretches<I>, start: u64) -> Self {
        Self { stretches, start, ready: Vec::new().into_iter() }
    }

    /// The place of the part's next line; `None` where that has not this number.
    pub(super) fn next(&mut self, arrival: u32) -> Option<u32> {
        if self.ready.as_slice().is_empty() {
            let mut places = Vec::new();
            for line in self.stretches.next().unwrap_or_default() {
                places.push((line.arrival, self.start as u32));
                self.start += u64::from(line.len) + 1;
            }
            places.sort_unstable();
            self.ready = places.into_iter();
        }
        self.ready.next().filter(|(known, _)| *known == arrival).map(|(_, place)| place)
    }
}

/// The lines of each frame of a stretch.
pub(super) fn cut_frames(lines: &[Line]) -> Vec<&[Line]> {
    let mut frames = Vec::new();
    let (mut start, mut bytes) = (0, 0_usize);
    let mut at = 0;
    for group in lines.chunk_by(|a, b| a.component == b.component) {
        let text: u64 = group.iter().map(|line| u64::from(line.len) + 1).sum();
        if text >= OWN_FRAME_BYTES && bytes > 0 {
            frames.push(&lines[start..at]);
            (start, bytes) = (at, 0);
        }
        for line in group {
            let len = line.len as usize + 1;
            if bytes > 0 && bytes + len > FRAME_BYTES {
                frames.push(&lines[start..at]);
                (start, bytes) = (at, 0);
            }
            bytes += len;
            at += 1;
        }
        if text >= OWN_FRAME_BYTES {
            frames.push(&lines[start..at]);
            (start, bytes) = (at, 0);
        }
    }
    if start < at {
        frames.push(&lines[start..at]);
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: u32 = (1 << 20) - 1;

    /// Of each eight lines one is an error.
    fn part(is_error: bool) -> Stretches<impl Iterator<Item = Line>> {
        let line = |arrival: u32| Line {
            is_error: arrival % 8 == 3,
            component: (arrival % 3) as u16,
            arrival,
            pos: 0,
            len: LEN,
        };
        Stretches { lines: (0..150).map(line).filter(move |line| line.is_error == is_error), bytes: 0 }
    }

    #[test]
    fn lines_are_clustered_by_component_within_stretches_of_time() {
        let parts = [false, true].map(|is_error| part(is_error).collect::<Vec<_>>());
        let lens = parts.iter().flatten().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(
            lens,
            [16, 16, 16, 16, 16, 16, 16, 16, 3, 16, 3],
            "eight stretches and a rest, then errors"
        );
        for part in &parts {
            for pair in part.windows(2) {
                let last = pair[0].iter().map(|line| line.arrival).max();
                assert!(pair[1].iter().all(|line| Some(line.arrival) > last), "they follow on one another");
            }
        }
        for stretch in parts.iter().flatten() {
            assert!(stretch.is_sorted_by_key(|line| (line.component, line.arrival)));
        }
        assert_eq!(parts.iter().flatten().flatten().filter(|line| line.is_error).count(), 19);
    }

    #[test]
    fn places_are_those_that_the_lines_are_written_to() {
        let mut start = 0;
        for is_error in [false, true] {
            let mut expected = Vec::new();
            let mut end = start;
            for line in part(is_error).flatten() {
                expected.push((line.arrival, end as u32));
                end += u64::from(line.len) + 1;
            }
            expected.sort_unstable();
            let mut places = Places::new(part(is_error), start);
            for (arrival, place) in expected {
                assert_eq!(places.next(arrival), Some(place), "{arrival}");
            }
            assert_eq!(places.next(0), None);
            start = end;
        }
        assert_eq!(Places::new(part(true), 0).next(4), None, "the first is another one");
    }
}

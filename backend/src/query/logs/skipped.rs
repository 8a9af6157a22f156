//! Lines that could not be read, where whoever asks would rather have the others than none.

use std::collections::BTreeMap;

/// How many lines were passed over, by what is damaged.
#[derive(Debug, Default)]
pub struct Skipped {
    places: BTreeMap<String, Lost>,
}

/// What is lost at one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Lines.
    pub lines: u64,
    /// Bytes of their text.
    pub bytes: u64,
}

impl Skipped {
    /// Notes a line of so many bytes that is lost at a place.
    pub(super) fn add(&mut self, place: String, bytes: usize) {
        let lost = self.places.entry(place).or_default();
        lost.lines += 1;
        lost.bytes += bytes as u64;
    }

    /// What is lost, by place.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Lost)> {
        self.places.iter().map(|(place, lost)| (place.as_str(), *lost))
    }

    /// Lines of all places.
    pub fn lines(&self) -> u64 {
        self.places.values().map(|lost| lost.lines).sum()
    }
}

//! Counts by name, gathered from segments that each have numbers of their own for them.

use crate::store::logs::dictionary::NameList;
use rustc_hash::FxHashMap;

/// Lines by name. Within a segment they are counted by number.
#[derive(Debug, Default)]
pub(super) struct NameCounts {
    by_name: FxHashMap<Box<str>, u64>,
    names: Option<NameList>,
    counts: Vec<u64>,
}

impl NameCounts {
    /// From now on numbers are those of `names`.
    pub(super) fn enter(&mut self, names: &NameList) {
        self.leave();
        self.counts.resize(names.len(), 0);
        self.names = Some(names.clone());
    }

    /// Adds lines of the name with a number.
    pub(super) fn add(&mut self, number: u16, lines: u64) {
        // A column may name what the segment has no name for only where somebody has changed the file.
        if let Some(count) = self.counts.get_mut(usize::from(number)) {
            *count += lines;
        }
    }

    /// Lines of each name that has any, in no order.
    pub(super) fn counted(&mut self) -> Vec<(&str, u64)> {
        if !self.by_name.is_empty() {
            self.leave();
            return self.by_name.iter().map(|(name, lines)| (&**name, *lines)).collect();
        }
        // Of one segment alone nothing is to be joined.
        let counted = self.names.iter().flat_map(NameList::iter).zip(&self.counts);
        counted.map(|(name, lines)| (name, *lines)).filter(|(_, lines)| *lines > 0).collect()
    }

    fn leave(&mut self) {
        let names = self.names.take();
        if self.by_name.is_empty() {
            self.by_name.reserve(self.counts.len());
        }
        let counted = names.iter().flat_map(NameList::iter).zip(self.counts.drain(..));
        for (name, lines) in counted.filter(|(_, lines)| *lines > 0) {
            // A name is kept once, however many segments have it.
            match self.by_name.get_mut(name) {
                Some(sum) => *sum += lines,
                None => drop(self.by_name.insert(name.into(), lines)),
            }
        }
    }
}

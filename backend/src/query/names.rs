//! Counts by name, gathered from segments that each have numbers of their own for them.

use crate::store::logs::dictionary::NameList;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Lines by name. Within a segment they are counted by number.
#[derive(Debug, Default)]
pub(super) struct NameCounts {
    by_name: BTreeMap<Arc<str>, u64>,
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

    /// Lines of each name that has any.
    pub(super) fn finish(mut self) -> BTreeMap<Arc<str>, u64> {
        self.leave();
        self.by_name
    }

    fn leave(&mut self) {
        let names = self.names.take();
        let counted = names.iter().flat_map(|names| names.iter()).zip(self.counts.drain(..));
        for (name, lines) in counted.filter(|(_, lines)| *lines > 0) {
            *self.by_name.entry(name.clone()).or_default() += lines;
        }
    }
}

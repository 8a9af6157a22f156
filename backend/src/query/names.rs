//! Counts by name, gathered from segments that each have numbers of their own for them.

use crate::store::logs::dictionary::{NameList, NameTexts};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Lines by name. Within a segment they are counted by number; no name is copied.
#[derive(Debug, Default)]
pub(super) struct NameCounts {
    /// The names of the segment at hand, and lines by their numbers.
    names: Option<NameList>,
    counts: Vec<u64>,
    /// What the segments before have.
    before: HashTable<Named>,
    /// The names of those of them where a name stands first.
    lists: Vec<NameList>,
    /// Seeded, since senders choose the names.
    hasher: RandomState,
}

/// Lines of a name, and where it stands first.
#[derive(Clone, Copy, Debug)]
struct Named {
    list: u32,
    number: u16,
    lines: u64,
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

    /// Lines of each name that has any, in no order. Names are text, as bytes.
    pub(super) fn counted(&mut self) -> Vec<(&[u8], u64)> {
        if !self.lists.is_empty() {
            self.leave();
            let texts: Vec<_> = self.lists.iter().map(NameList::texts).collect();
            return self.before.iter().map(|named| (named.text(&texts), named.lines)).collect();
        }
        // Of one segment alone nothing is to be joined.
        let Some(texts) = self.names.as_ref().map(NameList::texts) else { return Vec::new() };
        let counted = self.counts.iter().enumerate().filter(|(_, lines)| **lines > 0);
        counted.map(|(number, lines)| (texts.get(number), *lines)).collect()
    }

    /// Adds the counts of the segment at hand to those before.
    fn leave(&mut self) {
        let Some(at_hand) = self.names.take() else { return };
        let (own, list) = (at_hand.texts(), self.lists.len() as u32);
        let texts: Vec<_> = self.lists.iter().map(NameList::texts).chain([own]).collect();
        let hasher = &self.hasher;
        let rehash = |named: &Named| hasher.hash_one(named.text(&texts));
        if self.before.is_empty() {
            self.before.reserve(self.counts.len(), rehash);
        }
        let known = self.before.len();
        for (number, lines) in (0..).zip(self.counts.drain(..)).filter(|(_, lines)| *lines > 0) {
            let text = own.get(usize::from(number));
            let is_it = |named: &Named| named.text(&texts) == text;
            let first = Named { list, number, lines: 0 };
            self.before.entry(hasher.hash_one(text), is_it, rehash).or_insert(first).get_mut().lines += lines;
        }
        if self.before.len() > known {
            self.lists.push(at_hand);
        }
    }
}

impl Named {
    fn text<'a>(&self, texts: &[NameTexts<'a>]) -> &'a [u8] {
        texts[self.list as usize].get(usize::from(self.number))
    }
}

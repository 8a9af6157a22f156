//! The lists that names lie in, and all of their names in order.
//!
//! A day in the making has sorted runs, finished days are in the catalog, and what this does not cover is in parts. The same
//! name may be in several of them. A listing holds only where it stands in each, so that a million names are sent from where
//! they lie.

use super::catalog::{Catalog, DaySet};
use super::order::Run;
use super::part::Part;
use super::tag_index::{TagView, Tagged};
use super::walk::NameList;
use std::sync::Arc;

/// A list of names that are of some days.
#[derive(Clone, Debug)]
pub(super) enum List {
    /// Those of some of the catalog's days.
    Catalog(Arc<Catalog>, DaySet),
    Run(Arc<Run>),
    Part(Arc<Part>),
}

impl NameList for List {
    fn len(&self) -> usize {
        match self {
            Self::Catalog(catalog, _) => catalog.len(),
            Self::Run(run) => run.len(),
            Self::Part(part) => part.len(),
        }
    }

    fn name(&self, at: usize) -> &[u8] {
        match self {
            Self::Catalog(catalog, _) => NameList::name(&**catalog, at),
            Self::Run(run) => run.name(at),
            Self::Part(part) => NameList::name(&**part, at),
        }
    }

    fn is_there(&self, at: usize) -> bool {
        match self {
            Self::Catalog(catalog, days) => catalog.is_on(at, days),
            Self::Run(_) | Self::Part(_) => true,
        }
    }
}

impl Tagged for List {
    fn tags(&self) -> TagView<'_> {
        match self {
            Self::Catalog(catalog, _) => catalog.tags(),
            Self::Run(run) => run.tags(),
            Self::Part(part) => part.tags(),
        }
    }
}

/// Some places of a list.
#[derive(Clone, Debug)]
pub(super) struct PlaceSet {
    words: Vec<u64>,
}

impl PlaceSet {
    pub(super) fn none_of(places: usize) -> Self {
        Self { words: vec![0; places.div_ceil(64)] }
    }

    pub(super) fn insert(&mut self, at: usize) {
        if let Some(word) = self.words.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.words.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    /// Keeps what is in the other one too, or what is not.
    pub(super) fn keep(&mut self, other: &Self, is_in: bool) {
        let flip = if is_in { 0 } else { u64::MAX };
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other ^ flip);
    }

    /// Keeps what a test says.
    pub(super) fn retain(&mut self, keeps: impl Fn(usize) -> bool) {
        let mut at = 0;
        while let Some(here) = self.next(at) {
            if !keeps(here) {
                self.words[here / 64] &= !(1 << (here % 64));
            }
            at = here + 1;
        }
    }

    /// The first of them at or behind a place.
    fn next(&self, at: usize) -> Option<usize> {
        let first = self.words.get(at / 64)? & (u64::MAX << (at % 64));
        let rest = self.words.iter().copied().enumerate().skip(at / 64 + 1);
        let (number, word) = std::iter::once((at / 64, first)).chain(rest).find(|(_, word)| *word > 0)?;
        Some(number * 64 + word.trailing_zeros() as usize)
    }
}

/// Names of some lists in order, each once.
#[derive(Debug)]
pub struct Listing {
    inputs: Vec<Input>,
}

#[derive(Debug)]
struct Input {
    list: List,
    /// Which names; `None` for all that are there.
    chosen: Option<PlaceSet>,
    /// Where it stands; behind the last name at the end.
    at: usize,
}

impl Input {
    /// Goes on to the first name at or behind a place.
    fn seek(&mut self, at: usize) {
        let end = self.list.len();
        self.at = match &self.chosen {
            Some(chosen) => chosen.next(at).unwrap_or(end),
            None => (at..end).find(|at| self.list.is_there(*at)).unwrap_or(end),
        };
    }

    fn name(&self) -> Option<&[u8]> {
        (self.at < self.list.len()).then(|| self.list.name(self.at))
    }
}

impl Listing {
    /// All names.
    pub(super) fn all(lists: Vec<List>) -> Self {
        Self::of(lists.into_iter().map(|list| (list, None)))
    }

    /// Some names of each list.
    pub(super) fn of(lists: impl Iterator<Item = (List, Option<PlaceSet>)>) -> Self {
        let input = |(list, chosen)| {
            let mut input = Input { list, chosen, at: 0 };
            input.seek(0);
            input
        };
        Self { inputs: lists.map(input).collect() }
    }
}

impl Iterator for Listing {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let least = self.inputs.iter().filter_map(Input::name).min()?.to_owned();
        for input in self.inputs.iter_mut().filter(|input| input.name() == Some(&least)) {
            input.seek(input.at + 1);
        }
        // Names came as text.
        Some(String::from_utf8(least).unwrap_or_default())
    }
}

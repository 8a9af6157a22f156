//! Which series have which tags, over the lists that names lie in.
//!
//! A question is answered list by list from its index of tags: an expression is put to each value of its tag, never to each
//! name, and what it takes is a set of places. Names are read only for series that are in the answer.

use super::lists::{List, Listing, PlaceSet};
use super::tag_index::{TagView, Tagged};
use super::walk::NameList;
use std::collections::BTreeSet;
use std::fmt;

/// What a tag's value must be.
pub struct TagMatch {
    tag: String,
    /// The one value that it takes, where that is so.
    only: Option<String>,
    takes: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl fmt::Debug for TagMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TagMatch").field("tag", &self.tag).finish_non_exhaustive()
    }
}

impl TagMatch {
    /// Exactly this value, which is not empty.
    pub fn only(tag: &str, value: &str) -> Self {
        let only = value.to_owned();
        Self {
            takes: Box::new(move |value| value == only),
            only: Some(value.to_owned()),
            tag: tag.to_owned(),
        }
    }

    /// What a test takes. Where it takes the empty text, series without the tag are taken too.
    pub fn of(tag: &str, takes: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { takes: Box::new(takes), only: None, tag: tag.to_owned() }
    }

    /// Its tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether it takes a value.
    pub fn takes(&self, value: &str) -> bool {
        (self.takes)(value)
    }

    /// Whether it takes series that do not have the tag.
    pub fn takes_none(&self) -> bool {
        self.takes("")
    }

    /// Changes a set to the places that it takes of these. Without a set there were all.
    fn apply(&self, view: TagView<'_>, places: usize, before: Option<PlaceSet>) -> Option<PlaceSet> {
        let is_in = !self.takes_none();
        let mut found = PlaceSet::none_of(places);
        let value = self.only.as_deref().map(|value| view.find(&self.tag, value));
        let values = view.values_of(&self.tag).filter(|at| self.takes(view.value(*at)) == is_in);
        let values: Box<dyn Iterator<Item = usize>> = match value {
            Some(value) => Box::new(value.into_iter()),
            None => Box::new(values),
        };
        for at in values.flat_map(|at| view.places(at)) {
            found.insert(at);
        }
        match before {
            None if is_in => Some(found),
            None => None,
            Some(mut before) => {
                before.keep(&found, is_in);
                Some(before)
            }
        }
    }
}

/// The tagged series of some days.
#[derive(Debug)]
pub struct TagLookup {
    lists: Vec<List>,
}

/// The series of a list that a question is about.
struct Chosen<'a> {
    list: &'a List,
    /// `None` for all.
    places: Option<PlaceSet>,
}

impl Chosen<'_> {
    fn has(&self, at: usize) -> bool {
        match &self.places {
            Some(places) => places.has(at),
            None => self.list.is_there(at),
        }
    }

    fn has_value(&self, view: TagView<'_>, value: usize) -> bool {
        view.places(value).any(|at| self.has(at))
    }
}

impl TagLookup {
    pub(super) fn of(lists: Vec<List>) -> Self {
        Self { lists }
    }

    /// The names of the series that all of these take, in order. One of them at least must not take series without its tag.
    pub fn series(self, matches: &[TagMatch]) -> Listing {
        let places = |list: &List| choose(list, matches).places.unwrap_or_else(|| PlaceSet::none_of(0));
        Listing::of(self.lists.into_iter().map(|list| {
            let places = places(&list);
            (list, Some(places))
        }))
    }

    /// The tags of the series that all of these take, of all series where there are none; in order, at most so many of those that a
    /// test takes.
    pub fn tags(&self, matches: &[TagMatch], takes: &dyn Fn(&str) -> bool, most: usize) -> Vec<String> {
        let mut found = BTreeSet::new();
        for list in &self.lists {
            let (chosen, view) = (choose(list, matches), list.tags());
            let has_series = |tag: &usize| view.values_at(*tag).any(|value| chosen.has_value(view, value));
            let tags = (0..view.tag_count()).filter(|tag| takes(view.tag(*tag))).filter(has_series);
            found.extend(tags.take(most).map(|tag| view.tag(tag)));
        }
        found.into_iter().take(most).map(str::to_owned).collect()
    }

    /// The values of a tag of the series that all of these take, of all series where there are none; in order, at most so many
    /// of those that a test takes.
    pub fn values(
        &self,
        tag: &str,
        matches: &[TagMatch],
        takes: &dyn Fn(&str) -> bool,
        most: usize,
    ) -> Vec<String> {
        let mut found = BTreeSet::new();
        for list in &self.lists {
            let (chosen, view) = (choose(list, matches), list.tags());
            let values = view.values_of(tag).filter(|value| takes(view.value(*value)));
            let values = values.filter(|value| chosen.has_value(view, *value));
            found.extend(values.take(most).map(|value| view.value(value)));
        }
        found.into_iter().take(most).map(str::to_owned).collect()
    }

    /// The values of a tag with how many series have each; in order, at most so many of those that a test takes.
    pub fn counts(&self, tag: &str, takes: &dyn Fn(&str) -> bool, most: usize) -> Vec<(String, u64)> {
        let count = |value: &str| {
            let mut count = 0;
            for (number, list) in self.lists.iter().enumerate() {
                let (view, mut known) = (list.tags(), Known::of(&self.lists[..number]));
                let places = view.find(tag, value).into_iter().flat_map(|at| view.places(at));
                // A series may be in several lists.
                count += places.filter(|at| list.is_there(*at) && !known.has(list.name(*at))).count() as u64;
            }
            count
        };
        let values = self.values(tag, &[], takes, most).into_iter();
        values.map(|value| (count(&value), value)).map(|(count, value)| (value, count)).collect()
    }
}

fn choose<'a>(list: &'a List, matches: &[TagMatch]) -> Chosen<'a> {
    let view = list.tags();
    // Those that take a series by a value of its own come first: there are no other series then.
    let (needing, sparing): (Vec<_>, Vec<_>) = matches.iter().partition(|one| !one.takes_none());
    let mut places = None;
    for one in needing.into_iter().chain(sparing) {
        places = one.apply(view, list.len(), places);
    }
    if let Some(places) = &mut places {
        places.retain(|at| list.is_there(at));
    }
    Chosen { list, places }
}

/// Whether names, which rise, are in one of some lists.
struct Known<'a> {
    lists: Vec<(&'a List, usize)>,
}

impl<'a> Known<'a> {
    fn of(lists: &'a [List]) -> Self {
        Self { lists: lists.iter().map(|list| (list, 0)).collect() }
    }

    fn has(&mut self, name: &[u8]) -> bool {
        self.lists.iter_mut().any(|(list, at)| {
            *at = list.lower_bound(*at, name, 0);
            *at < list.len() && list.name(*at) == name && list.is_there(*at)
        })
    }
}

//! A segment's names, numbered in order of their first appearance.

use super::block::{FiledNames, FiledTexts};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::Arc;

/// Names by number, cheap to hand on: at hand, or read where they lie in a file.
#[derive(Clone, Debug)]
pub struct NameList(Names);

#[derive(Clone, Debug)]
enum Names {
    Kept(Arc<[Arc<str>]>),
    Filed(FiledNames),
}

impl NameList {
    /// No names.
    pub fn none() -> Self {
        Self(Names::Kept(Arc::new([])))
    }

    /// How many.
    pub fn len(&self) -> usize {
        match &self.0 {
            Names::Kept(names) => names.len(),
            Names::Filed(names) => names.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name with a number.
    pub fn get(&self, number: usize) -> Option<&str> {
        match &self.0 {
            Names::Kept(names) => names.get(number).map(|name| &**name),
            Names::Filed(names) => names.get(number),
        }
    }

    /// Lays a view over them that is quick to look up many names in.
    pub fn texts(&self) -> NameTexts<'_> {
        NameTexts(match &self.0 {
            Names::Kept(names) => Texts::Kept(names),
            Names::Filed(names) => Texts::Filed(names.texts()),
        })
    }

    /// All names, by number.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (kept, filed) = match &self.0 {
            Names::Kept(names) => (Some(names), None),
            Names::Filed(names) => (None, Some(names)),
        };
        let kept = kept.into_iter().flat_map(|names| names.iter().map(|name| &**name));
        kept.chain(filed.into_iter().flat_map(FiledNames::iter))
    }
}

impl From<FiledNames> for NameList {
    fn from(names: FiledNames) -> Self {
        Self(Names::Filed(names))
    }
}

/// The bytes of a list's names.
#[derive(Clone, Copy, Debug)]
pub struct NameTexts<'a>(Texts<'a>);

#[derive(Clone, Copy, Debug)]
enum Texts<'a> {
    Kept(&'a [Arc<str>]),
    Filed(FiledTexts<'a>),
}

impl<'a> NameTexts<'a> {
    /// Those of the name with a number; none where there is no such name.
    pub fn get(&self, number: usize) -> &'a [u8] {
        let text = match &self.0 {
            Texts::Kept(names) => names.get(number).map(|name| name.as_bytes()),
            Texts::Filed(texts) => texts.get(number),
        };
        text.unwrap_or_default()
    }
}

/// The name that stands for all those a segment has no number left for.
pub const OTHER: &str = "<other>";
/// The most names of a kind in a segment, [`OTHER`] among them.
pub const MAX_NAMES: usize = 20_000;

/// Which of the dictionaries a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Components.
    Component,
    /// Hosts.
    Host,
    /// Patterns of messages.
    Pattern,
}

/// Names of one kind.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// Seeded, since senders choose the names.
    numbers: HashMap<Arc<str>, u16, RandomState>,
    list: Vec<Arc<str>>,
    /// How many of them blocks of the file name.
    in_file: usize,
}

impl Dictionary {
    /// A name's number, given to it now if it is new; that of [`OTHER`] when there are too many names.
    pub(super) fn number(&mut self, name: &str) -> u16 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        if self.list.len() + 1 >= MAX_NAMES && name != OTHER {
            return self.number(OTHER);
        }
        let number = self.list.len() as u16;
        let name: Arc<str> = name.into();
        self.list.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    /// Adds names that a block of the file names, in order of their numbers; `false` when they cannot be its.
    pub(super) fn add_from_file(&mut self, names: Vec<String>) -> bool {
        for name in names {
            let number = self.list.len();
            if number >= MAX_NAMES || usize::from(self.number(&name)) != number {
                return false;
            }
        }
        self.in_file = self.list.len();
        true
    }

    /// The names that no block of the file names yet.
    pub(super) fn new_names(&self) -> Vec<String> {
        self.list[self.in_file..].iter().map(ToString::to_string).collect()
    }

    /// Every name is now named by a block of the file.
    pub(super) fn note_in_file(&mut self) {
        self.in_file = self.list.len();
    }

    /// The names by number.
    pub(super) fn published(&self) -> NameList {
        NameList(Names::Kept(self.list.as_slice().into()))
    }

    /// The same, borrowed.
    fn list(&self) -> Vec<&str> {
        self.list.iter().map(|name| &**name).collect()
    }
}

/// The three kinds of names of a segment.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    pub(super) components: Dictionary,
    pub(super) hosts: Dictionary,
    pub(super) patterns: Dictionary,
}

impl Dictionaries {
    /// A name's number among those of its kind.
    pub(super) fn number(&mut self, kind: NameKind, name: &str) -> u16 {
        match kind {
            NameKind::Component => self.components.number(name),
            NameKind::Host => self.hosts.number(name),
            NameKind::Pattern => self.patterns.number(name),
        }
    }

    /// The names that no block of the file names yet.
    pub(super) fn new_names(&self) -> super::block::NewNames {
        super::block::NewNames {
            components: self.components.new_names(),
            hosts: self.hosts.new_names(),
            patterns: self.patterns.new_names(),
        }
    }

    /// Adds the names of a block of the file; `false` when they cannot be its.
    pub(super) fn add_from_file(&mut self, names: super::block::NewNames) -> bool {
        self.components.add_from_file(names.components)
            && self.hosts.add_from_file(names.hosts)
            && self.patterns.add_from_file(names.patterns)
    }

    /// All names by number: components, hosts, patterns.
    pub(super) fn lists(&self) -> [Vec<&str>; 3] {
        [self.components.list(), self.hosts.list(), self.patterns.list()]
    }

    /// Every name is now named by a block of the file.
    pub(super) fn note_in_file(&mut self) {
        self.components.note_in_file();
        self.hosts.note_in_file();
        self.patterns.note_in_file();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_share_one_number() {
        let mut names = Dictionary::default();
        for i in 0..MAX_NAMES + 10 {
            names.number(&format!("n{i}"));
        }
        assert_eq!(names.published().len(), MAX_NAMES);
        assert_eq!(names.number("n3"), 3);
        assert_eq!(names.number("never seen"), names.number(OTHER));
        assert_eq!(names.published().get(MAX_NAMES - 1), Some(OTHER));
        assert!(!Dictionary::default().add_from_file(vec!["twice".into(), "twice".into()]));
    }
}

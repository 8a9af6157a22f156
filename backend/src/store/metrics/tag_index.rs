//! Which names of a sorted list have which tags: for each value of each tag the places of its series.
//!
//! One block of bytes, the same in memory and in the catalog's file, read where it lies: places (u32) by tag and value,
//! rising; the texts of values, then of tags; an entry for each value and for each tag, in order; and how many of each there
//! are. Tags stand in names, `name;tag=value;…`, and what stands before them is the tag `name`. A series without any is no
//! tagged one and has no place here, as carbon tells none of these to graphite-web.

use super::part::le_u64;
use super::walk::NameList;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::ops::Range;

/// An entry: where its text ends (u64), and where its places or values end (u64).
const ENTRY_BYTES: usize = 16;
/// The numbers of places, bytes of text, values and tags.
const COUNTS_BYTES: usize = 32;
/// The tag that is what stands before the others.
const NAME: &str = "name";

/// An index in memory.
#[derive(Debug)]
pub(super) struct TagIndex(Vec<u8>);

impl TagIndex {
    /// The index of a list.
    pub(super) fn of(list: &impl NameList) -> Self {
        let mut builder = TagIndexBuilder::default();
        for at in 0..list.len() {
            builder.push(at, list.name(at));
        }
        Self(builder.finish())
    }

    pub(super) fn view(&self) -> TagView<'_> {
        TagView::of(&self.0).unwrap_or_default()
    }
}

/// A list whose names' tags are known.
pub(super) trait Tagged: NameList {
    /// Its index.
    fn tags(&self) -> TagView<'_>;
}

/// An index where it lies.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TagView<'a> {
    places: &'a [u8],
    text: &'a [u8],
    values: &'a [u8],
    tags: &'a [u8],
}

impl<'a> TagView<'a> {
    /// The index that bytes are; `None` where they are none.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let counts_at = bytes.len().checked_sub(COUNTS_BYTES)?;
        let count = |at: usize| le_u64(&bytes[counts_at + at..]) as usize;
        let mut rest = &bytes[..counts_at];
        let mut take = |count: usize, size: usize| rest.split_off(..count.checked_mul(size)?);
        let (places, text) = (take(count(0), 4)?, take(count(8), 1)?);
        let (values, tags) = (take(count(16), ENTRY_BYTES)?, take(count(24), ENTRY_BYTES)?);
        rest.is_empty().then_some(Self { places, text, values, tags })
    }

    /// How many tags there are.
    pub(super) fn tag_count(&self) -> usize {
        self.tags.len() / ENTRY_BYTES
    }

    /// The name of a tag; they rise.
    pub(super) fn tag(&self, at: usize) -> &'a str {
        let first = self.values.len() / ENTRY_BYTES;
        let start = if at == 0 { end(self.values, first, 0) } else { end(self.tags, at, 0) };
        self.text(start..end(self.tags, at + 1, 0))
    }

    /// The places of a tag's values; none where there is no such tag.
    pub(super) fn values_of(&self, tag: &str) -> Range<usize> {
        let at = partition_point(0..self.tag_count(), |at| self.tag(at) < tag);
        if at < self.tag_count() && self.tag(at) == tag { self.values_at(at) } else { 0..0 }
    }

    /// The places of the values of a tag by its place.
    pub(super) fn values_at(&self, tag: usize) -> Range<usize> {
        let last = self.values.len() / ENTRY_BYTES;
        end(self.tags, tag, 8).min(last)..end(self.tags, tag + 1, 8).min(last)
    }

    /// A value; those of one tag rise.
    pub(super) fn value(&self, at: usize) -> &'a str {
        self.text(end(self.values, at, 0)..end(self.values, at + 1, 0))
    }

    /// The place of a tag's value.
    pub(super) fn find(&self, tag: &str, value: &str) -> Option<usize> {
        let values = self.values_of(tag);
        let at = partition_point(values.clone(), |at| self.value(at) < value);
        (at < values.end && self.value(at) == value).then_some(at)
    }

    /// The places of the names that have a value, rising.
    pub(super) fn places(&self, value: usize) -> impl Iterator<Item = usize> + use<'a> {
        let range = end(self.values, value, 8) * 4..end(self.values, value + 1, 8) * 4;
        let places = self.places.get(range).unwrap_or_default();
        places.as_chunks::<4>().0.iter().map(|place| u32::from_le_bytes(*place) as usize)
    }

    fn text(&self, range: Range<usize>) -> &'a str {
        std::str::from_utf8(self.text.get(range).unwrap_or_default()).unwrap_or_default()
    }
}

/// Where the entry before a place ends: in the text, or eight bytes further in what it has.
fn end(entries: &[u8], at: usize, offset: usize) -> usize {
    let entry = at.checked_sub(1).and_then(|before| entries.get(before * ENTRY_BYTES + offset..));
    entry.filter(|entry| entry.len() >= 8).map_or(0, |entry| le_u64(entry) as usize)
}

fn partition_point(range: Range<usize>, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low.midpoint(high);
        if is_before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// Makes an index of names that come in order.
#[derive(Default)]
pub(super) struct TagIndexBuilder {
    /// The number of each `tag=value`.
    numbers: HashMap<Box<str>, u32, RandomState>,
    /// Each time that one has come: its number, and the name's place.
    pairs: Vec<(u32, u32)>,
}

impl TagIndexBuilder {
    /// Adds a name. One without tags costs a look.
    pub(super) fn push(&mut self, at: usize, name: &[u8]) {
        if memchr::memchr(b';', name).is_none() {
            return;
        }
        let (metric, tags) =
            std::str::from_utf8(name).ok().and_then(|name| name.split_once(';')).unwrap_or_default();
        self.note(&format!("{NAME}={}", metric.trim_start_matches('~')), at);
        for tag in tags.split(';').filter(|tag| tag.contains('=') && !tag.starts_with("name=")) {
            self.note(tag, at);
        }
    }

    fn note(&mut self, tag: &str, at: usize) {
        let next = self.numbers.len() as u32;
        let number = match self.numbers.get(tag) {
            Some(number) => *number,
            None => *self.numbers.entry(tag.into()).or_insert(next),
        };
        self.pairs.push((number, at as u32));
    }

    /// The block.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut tags: Vec<((&str, &str), u32)> = self
            .numbers
            .iter()
            .map(|(tag, number)| (tag.split_once('=').unwrap_or_default(), *number))
            .collect();
        tags.sort_unstable();
        let mut counts = vec![0_usize; tags.len()];
        self.pairs.iter().for_each(|(number, _)| counts[*number as usize] += 1);
        let mut out = vec![0; self.pairs.len() * 4];
        let (mut next, mut ends, mut at) = (vec![0; tags.len()], Vec::with_capacity(tags.len()), 0);
        for (_, number) in &tags {
            next[*number as usize] = at;
            at += counts[*number as usize];
            ends.push(at);
        }
        for (number, place) in &self.pairs {
            let at = &mut next[*number as usize];
            out[*at * 4..*at * 4 + 4].copy_from_slice(&place.to_le_bytes());
            *at += 1;
        }
        write_entries(&mut out, &tags, &ends);
        out
    }
}

/// Writes what stands behind the places.
fn write_entries(out: &mut Vec<u8>, tags: &[((&str, &str), u32)], ends: &[usize]) {
    let (mut text, mut names) = (Vec::new(), Vec::new());
    let (mut values, mut groups) = (Vec::new(), Vec::new());
    for (((_, value), _), end) in tags.iter().zip(ends) {
        text.extend_from_slice(value.as_bytes());
        values.extend([text.len() as u64, *end as u64].map(u64::to_le_bytes).concat());
    }
    let mut count = 0;
    for group in tags.chunk_by(|one, other| one.0.0 == other.0.0) {
        names.extend_from_slice(group[0].0.0.as_bytes());
        count += group.len();
        groups.extend([(text.len() + names.len()) as u64, count as u64].map(u64::to_le_bytes).concat());
    }
    text.extend(names);
    let counts = [out.len() / 4, text.len(), values.len() / ENTRY_BYTES, groups.len() / ENTRY_BYTES];
    for part in [text, values, groups] {
        out.extend(part);
    }
    out.extend(counts.map(|count| (count as u64).to_le_bytes()).concat());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    type Tags = BTreeMap<String, BTreeMap<String, Vec<usize>>>;

    fn all(view: TagView<'_>) -> Tags {
        let values = |tag: usize| {
            let each = view.values_at(tag).map(|at| (view.value(at).to_owned(), view.places(at).collect()));
            (view.tag(tag).to_owned(), each.collect())
        };
        (0..view.tag_count()).map(values).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(names in prop::collection::btree_set("[ab]{1,2}(;[ab-]{1,2}=[ab=é]{1,2}){0,3}", 0..30)) {
            let mut builder = TagIndexBuilder::default();
            let mut expected = Tags::new();
            for (at, name) in names.iter().enumerate() {
                builder.push(at, name.as_bytes());
                let (metric, tags) = name.split_once(';').unwrap_or_default();
                let tags = tags.split(';').filter_map(|tag| tag.split_once('='));
                for (tag, value) in tags.chain((!metric.is_empty()).then_some(("name", metric))) {
                    expected.entry(tag.to_owned()).or_default().entry(value.to_owned()).or_default().push(at);
                }
            }
            let bytes = builder.finish();
            let view = TagView::of(&bytes).unwrap();
            for (tag, values) in &expected {
                let places: BTreeSet<usize> = view.values_of(tag).collect();
                prop_assert_eq!(places.len(), values.len());
                for value in values.keys() {
                    let at = view.find(tag, value).unwrap();
                    prop_assert!(places.contains(&at) && view.value(at) == value);
                }
                prop_assert_eq!(view.find(tag, "none"), None);
            }
            prop_assert_eq!(view.values_of("none"), 0..0);
            prop_assert_eq!(all(view), expected);
        }

        #[test]
        fn bytes_that_are_no_index_are_none_or_say_something_else(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(view) = TagView::of(&bytes) {
                all(view);
                view.find("a", "b");
            }
        }
    }
}

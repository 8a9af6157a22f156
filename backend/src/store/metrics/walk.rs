//! The nodes that a pattern names, out of a sorted list of names.
//!
//! The list is not searched name by name. Each name that is looked at says where the next one that may match lies: behind
//! the node that does not match, or at the next nodes that the pattern spells out. The walk gallops there, with steps that
//! double, so that its cost goes with the answer and with how far apart its names lie.

use sonde_shared::glob::{Glob, Node};

/// A sorted list of names, each once.
pub(super) trait NameList {
    /// How many there are.
    fn len(&self) -> usize;

    /// The name at a place, in bytes.
    fn name(&self, at: usize) -> &[u8];

    /// Whether the name at a place is to be found at all.
    fn is_there(&self, _at: usize) -> bool {
        true
    }

    /// The first place at or behind `from` whose name is not less. It is looked for `hint` places further first.
    fn lower_bound(&self, from: usize, name: &[u8], hint: usize) -> usize {
        let (mut low, mut step) = (from, 1);
        let guess = from + hint;
        if hint > 0 && guess < self.len() {
            if self.name(guess) < name {
                low = guess + 1;
            } else if self.name(guess - 1) < name {
                return guess;
            }
        }
        while low + step <= self.len() && self.name(low + step - 1) < name {
            low += step;
            step *= 2;
        }
        let mut high = (low + step - 1).min(self.len()).max(low);
        while low < high {
            let middle = low.midpoint(high);
            if self.name(middle) < name { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// A node of the tree of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The path, wildcards replaced.
    pub path: String,
    /// Whether there is a series of this path.
    pub is_series: bool,
    /// Whether there are series below it.
    pub has_children: bool,
}

/// The nodes found so far, in several lists.
#[derive(Debug)]
pub(super) struct Search {
    steps: Vec<Step>,
    found: Vec<Found>,
    /// So many of them are sorted, each path once.
    settled: usize,
}

/// Nodes of a pattern that are looked at together.
#[derive(Debug)]
enum Step {
    /// Nodes without wildcards, joined, with the dot behind them unless they are the last.
    Plain { text: String, is_last: bool },
    /// A node with wildcards.
    Wild { node: Node, is_last: bool },
}

/// How a name stands to a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Fit {
    /// It is a series that the pattern names.
    Series,
    /// The first so many bytes are a node that the pattern names, and there is more below.
    Below(usize),
    No,
}

/// Where the next name that may match lies.
enum Next {
    /// It may be the next one.
    Neighbour,
    /// At or behind the key, in the same node.
    Within,
    /// At or behind the key, behind the node.
    Behind,
    Nowhere,
}

impl Search {
    pub(super) fn new(glob: &Glob) -> Self {
        Self { steps: steps(glob).unwrap_or_default(), found: Vec::new(), settled: 0 }
    }

    /// Adds what a list has.
    pub(super) fn walk(&mut self, list: &impl NameList) {
        let (mut at, mut key) = (0, Vec::new());
        // Neighbouring nodes mostly have the same children: the way is often as long as the last time.
        let (mut within, mut behind) = (0, 0);
        if self.steps.is_empty() {
            return;
        }
        while at < list.len() {
            let name = std::str::from_utf8(list.name(at)).unwrap_or_default();
            let (fit, mut next) = judge(&self.steps, name, &mut key);
            if fit != Fit::No && !list.is_there(at) {
                // The node's next name may be there.
                next = Next::Neighbour;
            } else {
                self.note(&fit, name);
            }
            at = match next {
                Next::Neighbour => at + 1,
                Next::Within => jump(list, at, &key, &mut within),
                Next::Behind => jump(list, at, &key, &mut behind),
                Next::Nowhere => break,
            };
        }
        self.settle_sometimes();
    }

    fn note(&mut self, fit: &Fit, name: &str) {
        let (path, is_series) = match fit {
            Fit::Series => (name, true),
            Fit::Below(end) => (&name[..*end], false),
            Fit::No => return,
        };
        self.found.push(Found { path: path.to_owned(), is_series, has_children: !is_series });
    }

    /// Many lists with the same names do not take more memory than a few.
    fn settle_sometimes(&mut self) {
        const SPARE: usize = 10_000;
        if self.found.len() > 2 * self.settled + SPARE {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.found.sort_by(|one, other| one.path.cmp(&other.path));
        self.found.dedup_by(|later, first| {
            let is_same = later.path == first.path;
            if is_same {
                first.is_series |= later.is_series;
                first.has_children |= later.has_children;
            }
            is_same
        });
        self.settled = self.found.len();
    }

    /// All that was found, by path.
    pub(super) fn finish(mut self) -> Vec<Found> {
        self.settle();
        self.found
    }
}

/// The place of the key, behind a place; the way there is noted for the next time.
fn jump(list: &impl NameList, at: usize, key: &[u8], way: &mut usize) -> usize {
    let next = list.lower_bound(at + 1, key, *way);
    *way = next - at - 1;
    next
}

/// A pattern's steps; `None` where no name matches: what stands behind a name's `;` (tags) belongs to its last node.
fn steps(glob: &Glob) -> Option<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, node) in glob.nodes().iter().enumerate() {
        let is_last = number + 1 == glob.nodes().len();
        let Some(literal) = node.literal() else {
            steps.push(Step::Wild { node: node.clone(), is_last });
            continue;
        };
        if literal.contains(';') && !is_last {
            return None;
        }
        if !matches!(steps.last(), Some(Step::Plain { .. })) {
            steps.push(Step::Plain { text: String::new(), is_last });
        }
        if let Some(Step::Plain { text, is_last: last }) = steps.last_mut() {
            text.push_str(literal);
            text.push_str(if is_last { "" } else { "." });
            *last = is_last;
        }
    }
    Some(steps)
}

/// How a name stands to a pattern, and where to look next; all names between the two do not match.
fn judge(steps: &[Step], name: &str, key: &mut Vec<u8>) -> (Fit, Next) {
    let path_len = name.find(';').unwrap_or(name.len());
    let mut start = 0;
    for step in steps {
        let judged = match step {
            Step::Plain { text, is_last: false } if name[start..].starts_with(text.as_str()) => {
                start += text.len();
                continue;
            }
            Step::Plain { text, is_last } => judge_plain(text, *is_last, name, start, key),
            Step::Wild { node, is_last } => match judge_wild(node, *is_last, name, start..path_len, key) {
                Ok(next_start) => {
                    start = next_start;
                    continue;
                }
                Err(judged) => judged,
            },
        };
        return judged;
    }
    (Fit::No, Next::Neighbour)
}

/// Sets the key.
fn seek(key: &mut Vec<u8>, parts: [&str; 3]) -> Next {
    key.clear();
    for part in parts {
        key.extend_from_slice(part.as_bytes());
    }
    Next::Within
}

/// Behind all names of the node whose children begin at `start`.
fn seek_past(key: &mut Vec<u8>, name: &str, start: usize) -> Next {
    // `/` is the character behind the dot: all of `a.b.…` lies before `a.b/`.
    if start == 0 {
        return Next::Nowhere;
    }
    seek(key, [&name[..start - 1], "/", ""]);
    Next::Behind
}

fn judge_plain(text: &str, is_last: bool, name: &str, start: usize, key: &mut Vec<u8>) -> (Fit, Next) {
    let (before, rest) = name.split_at(start);
    if rest < text {
        return (Fit::No, seek(key, [before, text, ""]));
    }
    let behind = rest.strip_prefix(text).filter(|_| is_last);
    match behind {
        Some("") => (Fit::Series, Next::Neighbour),
        Some(behind) if behind.starts_with('.') && !text.contains(';') => {
            (Fit::Below(start + text.len()), seek_past(key, name, start))
        }
        Some(behind) if behind < "." => (Fit::No, seek(key, [before, text, "."])),
        _ => (Fit::No, seek_past(key, name, start)),
    }
}

/// Where the next node begins, or what is decided by this one.
fn judge_wild(
    node: &Node,
    is_last: bool,
    name: &str,
    path: std::ops::Range<usize>,
    key: &mut Vec<u8>,
) -> Result<usize, (Fit, Next)> {
    let start = path.start;
    let (before, rest) = name.split_at(start);
    let prefixes = node.prefixes();
    let behind = prefixes.partition_point(|prefix| prefix.as_str() <= rest);
    if !prefixes[..behind].last().is_some_and(|prefix| rest.starts_with(prefix.as_str())) {
        let next = match prefixes.get(behind) {
            Some(prefix) => seek(key, [before, prefix, ""]),
            None => seek_past(key, name, start),
        };
        return Err((Fit::No, next));
    }
    let Some(dot) = name[path].find('.').map(|dot| start + dot) else {
        let is_series = is_last && node.matches(rest);
        return Err((if is_series { Fit::Series } else { Fit::No }, Next::Neighbour));
    };
    let is_match = node.matches(&name[start..dot]);
    if is_match && !is_last {
        return Ok(dot + 1);
    }
    Err((if is_match { Fit::Below(dot) } else { Fit::No }, seek_past(key, name, dot + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    struct List(Vec<(String, bool)>);

    impl NameList for List {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn name(&self, at: usize) -> &[u8] {
            self.0[at].0.as_bytes()
        }

        fn is_there(&self, at: usize) -> bool {
            self.0[at].1
        }
    }

    /// The nodes by looking at each name.
    fn scan(list: &List, glob: &Glob) -> Vec<Found> {
        let mut nodes: BTreeMap<String, Found> = BTreeMap::new();
        for (name, _) in list.0.iter().filter(|(_, is_there)| *is_there) {
            let path_len = name.find(';').unwrap_or(name.len());
            let dots = name[..path_len].match_indices('.').map(|(dot, _)| dot);
            let ends: Vec<usize> = dots.chain([name.len()]).collect();
            let Some(end) = ends.get(glob.nodes().len() - 1) else { continue };
            let starts = [0].into_iter().chain(ends.iter().map(|end| end + 1));
            let mut texts = starts.zip(&ends).map(|(start, end)| &name[start..*end]);
            if glob.nodes().iter().all(|node| texts.next().is_some_and(|text| node.matches(text))) {
                let path = name[..*end].to_owned();
                let found = nodes.entry(path.clone()).or_insert(Found {
                    path,
                    is_series: false,
                    has_children: false,
                });
                found.is_series |= *end == name.len();
                found.has_children |= *end < name.len();
            }
        }
        nodes.into_values().collect()
    }

    fn any_name() -> impl Strategy<Value = String> {
        let node = prop::sample::select(vec!["a", "b", "ab", "a-", "a/", "é", "b0", "a;b", "", "aa"]);
        prop::collection::vec(node, 1..5).prop_map(|nodes| nodes.join("."))
    }

    fn any_glob() -> impl Strategy<Value = Glob> {
        let node = prop::sample::select(vec![
            "a", "b", "ab", "a;b", "*", "a*", "*b", "{a,b}", "{ab,b*}", "?", "[!a]*", "{é,a-}", "b0",
        ]);
        prop::collection::vec(node, 1..5).prop_map(|nodes| Glob::parse(&nodes.join(".")).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_walk_finds_what_a_scan_of_all_names_finds(
            names in prop::collection::btree_map(any_name(), prop::bool::weighted(0.8), 0..60),
            others in prop::collection::btree_map(any_name(), prop::bool::weighted(0.8), 0..60),
            glob in any_glob(),
        ) {
            let [one, other] = [names, others].map(|names| List(names.into_iter().collect()));
            let mut search = Search::new(&glob);
            search.walk(&one);
            search.walk(&other);
            let mut all = List(one.0.into_iter().chain(other.0).collect());
            all.0.retain(|(_, is_there)| *is_there);
            prop_assert_eq!(search.finish(), scan(&all, &glob), "{}", glob.as_str());
        }

        #[test]
        fn a_lower_bound_is_where_a_scan_finds_it(
            names in prop::collection::btree_set("[ab]{0,4}", 0..40),
            from in 0..41_usize,
            name in "[ab]{0,4}",
            hint in 0..12_usize,
        ) {
            let names: BTreeSet<String> = names;
            let list = List(names.into_iter().map(|name| (name, true)).collect());
            let from = from.min(list.len());
            let expected = (from..list.len()).find(|at| list.0[*at].0 >= name).unwrap_or(list.len());
            prop_assert_eq!(list.lower_bound(from, name.as_bytes(), hint), expected);
        }
    }

    #[test]
    fn a_walk_looks_at_few_names() {
        struct Counted(List, std::cell::Cell<usize>);
        impl NameList for Counted {
            fn len(&self) -> usize {
                self.0.len()
            }
            fn name(&self, at: usize) -> &[u8] {
                self.1.set(self.1.get() + 1);
                self.0.name(at)
            }
        }
        let name = |at: usize| format!("servers.web{:05}.m{:03}", at / 200, at % 200);
        let list = Counted(List((0..200_000).map(|at| (name(at), true)).collect()), 0.into());
        let check = |pattern: &str, found: usize, looks: usize| {
            list.1.set(0);
            let mut search = Search::new(&Glob::parse(pattern).unwrap());
            search.walk(&list);
            assert_eq!(search.finish().len(), found, "{pattern}");
            assert!(list.1.get() <= looks, "{pattern}: {} looks", list.1.get());
        };
        check("servers.*.m100", 1_000, 8_000);
        check("servers.web00777.m1*", 100, 250);
        check("servers.{web00001,web00999}.m000", 2, 100);
        check("servers.*.m999", 0, 12_000);
        check("*", 1, 50);
    }
}

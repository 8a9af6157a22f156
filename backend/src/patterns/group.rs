//! Joining patterns for display: what differs only where a value stands is shown as one.
//!
//! Masking knows a value by its looks; a user's name or a class looks like any word. Beside its like it can be known:
//! templates that are equal but for names of things, or but for one place that holds many different words, are joined.
//! A join never looks at counts and works on sets, so that neither the order nor the numbers change who is joined.

use super::PatternId;
use super::tokens::{Kind, Token, push, tokens};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// So many plain words must be equal before templates are joined: with fewer there is no telling what the message is.
const LEAST_PLAIN: usize = 2;
/// So many different names in the same places of the same words are values.
const LEAST_NAMES: usize = 2;
/// So many different words in one place are values; fewer may be `started`, `stopped` and `failed`. The longer the rest
/// that is equal, the fewer it takes: see [`least_words`].
const LEAST_WORDS: RangeInclusive<usize> = 3..=6;
/// Joining makes templates alike that were not before. More rounds than this find next to nothing.
const MOST_ROUNDS: usize = 4;
/// Templates with more tokens than this are joined by their names only: no place of theirs is worth the look.
const MOST_TOKENS: usize = 200;

/// A pattern and how many lines have it.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The pattern's id.
    pub id: PatternId,
    /// Its template.
    pub template: &'a str,
    /// How many lines have it.
    pub count: u64,
}

/// Patterns that are shown as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they have in common, with `<*>` where they differ; the template itself where there is one.
    pub template: String,
    /// How many lines they have together.
    pub count: u64,
    /// Their ids, the most frequent first.
    pub members: Vec<PatternId>,
}

/// Joins patterns into groups, the most frequent first. Each pattern is in one group.
#[must_use]
pub fn group(patterns: &[Counted<'_>]) -> Vec<Group> {
    let clusters = patterns.iter().enumerate().map(|(index, pattern)| Cluster::new(index, pattern.template));
    let mut clusters = join_equal(clusters.collect());
    for _ in 0..MOST_ROUNDS {
        let before = clusters.len();
        clusters = join(clusters, by_names);
        clusters = join(clusters, by_words);
        if clusters.len() == before {
            break;
        }
    }
    let mut groups: Vec<_> = clusters.into_iter().map(|cluster| cluster.group(patterns)).collect();
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.members.cmp(&b.members)));
    groups
}

/// Templates that have become one.
struct Cluster<'a> {
    tokens: Vec<Token<'a>>,
    members: Vec<usize>,
}

impl<'a> Cluster<'a> {
    fn new(index: usize, template: &'a str) -> Self {
        Self { tokens: tokens(template), members: vec![index] }
    }

    fn plain_words(&self) -> usize {
        self.tokens.iter().filter(|token| token.kind == Kind::Plain).count()
    }

    /// Takes another with as many tokens; where they differ a hole remains.
    fn take(&mut self, other: Self) {
        for (token, other) in self.tokens.iter_mut().zip(other.tokens) {
            if token.hash != other.hash {
                *token = Token::hole();
            }
        }
        self.members.extend(other.members);
    }

    /// Makes a list of holes one again.
    fn tidy(&mut self) {
        let mut tidied = Vec::with_capacity(self.tokens.len());
        self.tokens.iter().for_each(|token| push(&mut tidied, *token));
        self.tokens = tidied;
    }

    fn group(mut self, patterns: &[Counted<'_>]) -> Group {
        self.members.sort_by_key(|&index| (u64::MAX - patterns[index].count, patterns[index].id));
        let template = match self.members[..] {
            [only] => patterns[only].template.to_owned(),
            _ => self.tokens.iter().map(|token| token.text).collect(),
        };
        let count = self.members.iter().map(|&index| patterns[index].count).sum();
        Group { template, count, members: self.members.iter().map(|&index| patterns[index].id).collect() }
    }
}

/// A set of clusters that may be joined: they are equal but for certain places, and `key` is the hash of the rest.
struct Candidate {
    key: u64,
    cluster: usize,
    /// How many such clusters make a group.
    least: usize,
    /// The place holds a variable part here, so it does in the others.
    is_hole: bool,
}

/// How many clusters of a set are enough to join them.
fn least(set: &[Candidate]) -> usize {
    if set.iter().any(|candidate| candidate.is_hole) { 2 } else { set[0].least }
}

/// A hash of tokens that can be changed at one place without being computed anew: a polynomial, modulo 2⁶⁴.
fn weighted(tokens: &[Token<'_>]) -> impl Iterator<Item = (u64, u64)> {
    let powers = std::iter::successors(Some(1_u64), |power| Some(power.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    tokens.iter().map(|token| token.hash).zip(powers)
}

fn sum(weighted: impl Iterator<Item = (u64, u64)>) -> u64 {
    weighted.fold(0, |sum, (hash, power)| sum.wrapping_add(hash.wrapping_mul(power)))
}

/// Equal but for the names of things.
fn by_names(index: usize, cluster: &Cluster<'_>, candidates: &mut Vec<Candidate>) {
    if cluster.plain_words() < LEAST_PLAIN {
        return;
    }
    let hole = Token::hole().hash;
    let is_name: Vec<_> = cluster.tokens.iter().map(|token| token.kind == Kind::Name).collect();
    let masked = weighted(&cluster.tokens).zip(is_name);
    let key = sum(masked.map(|((hash, power), name)| (if name { hole } else { hash }, power)));
    candidates.push(Candidate { key, cluster: index, least: LEAST_NAMES, is_hole: false });
}

/// How many different words make a place one of values, beside so many equal plain words.
fn least_words(others: usize) -> usize {
    9_usize.saturating_sub(others).clamp(*LEAST_WORDS.start(), *LEAST_WORDS.end())
}

/// Equal but for the word in one place.
fn by_words(index: usize, cluster: &Cluster<'_>, candidates: &mut Vec<Candidate>) {
    let plain = cluster.plain_words();
    if cluster.tokens.len() > MOST_TOKENS {
        return;
    }
    let hole = Token::hole().hash;
    let whole = sum(weighted(&cluster.tokens));
    for (token, (hash, power)) in cluster.tokens.iter().zip(weighted(&cluster.tokens)) {
        let others = plain - usize::from(token.kind == Kind::Plain);
        if token.kind != Kind::Mark && others >= LEAST_PLAIN {
            let key = whole.wrapping_add(hole.wrapping_sub(hash).wrapping_mul(power));
            let is_hole = token.kind == Kind::Hole;
            candidates.push(Candidate { key, cluster: index, least: least_words(others), is_hole });
        }
    }
}

/// Joins clusters that share a key, those with most in common first; a cluster is joined once.
fn join<'a>(
    clusters: Vec<Cluster<'a>>,
    find: impl Fn(usize, &Cluster<'a>, &mut Vec<Candidate>),
) -> Vec<Cluster<'a>> {
    let mut candidates = Vec::new();
    clusters.iter().enumerate().for_each(|(index, cluster)| find(index, cluster, &mut candidates));
    candidates.sort_unstable_by_key(|candidate| (candidate.key, candidate.cluster));
    let mut sets: Vec<_> =
        candidates.chunk_by(|a, b| a.key == b.key).filter(|set| set.len() >= least(set)).collect();
    if sets.is_empty() {
        return clusters;
    }
    sets.sort_unstable_by_key(|set| (usize::MAX - set.len(), set[0].key));
    let mut left: Vec<_> = clusters.into_iter().map(Some).collect();
    let mut joined = Vec::new();
    for set in sets {
        let free = |candidate: &&Candidate| left[candidate.cluster].is_some();
        if set.iter().filter(free).count() >= least(set) {
            let taken = set.iter().filter_map(|candidate| left[candidate.cluster].take());
            joined.extend(taken.reduce(|mut all, other| {
                all.take(other);
                all
            }));
        }
    }
    joined.iter_mut().for_each(Cluster::tidy);
    joined.extend(left.into_iter().flatten());
    join_equal(joined)
}

/// Makes one of clusters with the same tokens.
fn join_equal(clusters: Vec<Cluster<'_>>) -> Vec<Cluster<'_>> {
    let mut by_tokens: BTreeMap<u64, Cluster<'_>> = BTreeMap::new();
    for cluster in clusters {
        let key = sum(weighted(&cluster.tokens));
        match by_tokens.get_mut(&key) {
            Some(first) => first.members.extend(cluster.members),
            None => {
                by_tokens.insert(key, cluster);
            }
        }
    }
    by_tokens.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::super::pattern_id;
    use super::*;
    use proptest::prelude::*;

    fn counted<'a>(templates: &[(&'a str, u64)]) -> Vec<Counted<'a>> {
        let counted = |&(template, count): &(&'a str, u64)| Counted {
            id: pattern_id(template.as_bytes()),
            template,
            count,
        };
        templates.iter().map(counted).collect()
    }

    /// The groups of templates that have one line each.
    fn check(templates: &[&str], expected: &[(&str, u64)]) {
        let templates: Vec<_> = templates.iter().map(|template| (*template, 1)).collect();
        let groups = group(&counted(&templates));
        let mut found: Vec<_> = groups.iter().map(|group| (group.template.as_str(), group.count)).collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn names_of_things_are_joined() {
        check(
            &["job mail.daily.Purge has finished", "job mail.hourly.Index has finished"],
            &[("job <*> has finished", 2)],
        );
        check(
            &["open shard-<*> for reading", "open segment-<*> for reading"],
            &[("open <*> for reading", 2)],
        );
        check(
            &["dial db.example:<*> failed twice", "dial <*> failed twice"],
            &[("dial <*> failed twice", 2)],
        );
    }

    #[test]
    fn few_words_in_one_place_stay_apart() {
        let templates = ["the worker has failed", "the worker has started", "the worker has stopped"];
        check(&templates, &templates.map(|template| (template, 1)));
    }

    #[test]
    fn many_words_in_one_place_are_values() {
        let users = ["ada", "bob", "cleo", "dan", "eve", "finn"];
        let templates = users.map(|user| format!("hello dear user {user}"));
        check(&templates.each_ref().map(String::as_str), &[("hello dear user <*>", 6)]);
        let templates =
            ["ada", "bob", "cleo"].map(|user| format!("the session of user {user} was closed by hand"));
        check(
            &templates.each_ref().map(String::as_str),
            &[("the session of user <*> was closed by hand", 3)],
        );
    }

    #[test]
    fn a_word_beside_a_hole_is_a_value() {
        check(&["cannot bind device <*>", "cannot bind device lo"], &[("cannot bind device <*>", 2)]);
    }

    #[test]
    fn short_templates_are_left_alone() {
        check(&["GET /a", "GET /b", "took <*>"], &[("GET /a", 1), ("GET /b", 1), ("took <*>", 1)]);
    }

    #[test]
    fn lists_of_any_length_and_empty_places_are_alike() {
        check(&["read blocks <*>, <*>", "read blocks <*>, <*>, <*>"], &[("read blocks <*>", 2)]);
        check(&["call from <*> () ended", "call from <*> (<*>) ended"], &[("call from <*> (<*>) ended", 2)]);
    }

    #[test]
    fn the_most_frequent_comes_first() {
        let groups =
            group(&counted(&[("rare", 1), ("often", 5), ("open a.b for me", 2), ("open a.c for me", 4)]));
        let shown: Vec<_> = groups.iter().map(|group| (group.template.as_str(), group.count)).collect();
        assert_eq!(shown, [("open <*> for me", 6), ("often", 5), ("rare", 1)]);
        let first = ["open a.c for me", "open a.b for me"].map(|template| pattern_id(template.as_bytes()));
        assert_eq!(groups[0].members, first);
    }

    fn templates() -> impl Strategy<Value = Vec<(String, u64)>> {
        let word = prop::sample::select(vec!["a", "bee", "sea.d", "<*>", "x-<*>", "()", "e=", "f,", "gee:"]);
        let template = prop::collection::vec(word, 1..6).prop_map(|words| words.join(" "));
        let set = prop::collection::btree_map(template, 1_u64..100, 0..60);
        set.prop_map(|set| set.into_iter().collect::<Vec<_>>()).prop_shuffle()
    }

    proptest! {
        #[test]
        fn counts_add_up_and_order_does_not_matter(templates in templates()) {
            let mut patterns: Vec<_> = templates.iter().map(|(template, count)| (template.as_str(), *count)).collect();
            let groups = group(&counted(&patterns));
            let total: u64 = patterns.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), total);
            prop_assert_eq!(groups.iter().map(|group| group.members.len()).sum::<usize>(), patterns.len());
            patterns.sort_unstable();
            prop_assert_eq!(group(&counted(&patterns)), groups);
        }
    }
}

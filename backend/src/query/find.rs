//! `/metrics/find`: the tree of names, in the shapes that Graphite's clients expect.

use super::pickle::Pickle;
use super::render::{PIECE_BYTES, Pieces};
use crate::store::StoreError;
use crate::store::metrics::{Found, Listing, MetricStore};
use serde_json::{Value, json};
use sonde_shared::api::FindNode;
use sonde_shared::glob::Glob;
use sonde_shared::time::TimeRange;
use std::collections::{BTreeMap, BTreeSet};

/// A JSON list of names, made piece by piece as it is read.
#[derive(Debug)]
pub struct ListingPieces {
    names: Listing,
    has_begun: bool,
    is_done: bool,
}

impl ListingPieces {
    /// Begins a list.
    pub fn of(names: Listing) -> Self {
        Self { names, has_begun: false, is_done: false }
    }
}

impl Pieces for ListingPieces {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_done {
            return Ok(None);
        }
        let mut text = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 8);
        while text.len() < PIECE_BYTES {
            let name = self.names.next();
            self.is_done = name.is_none();
            match (self.has_begun, self.is_done) {
                (false, true) => text.extend_from_slice(b"[]"),
                (true, true) => text.push(b']'),
                (has_begun, false) => text.push(if has_begun { b',' } else { b'[' }),
            }
            self.has_begun = true;
            let Some(name) = name else { break };
            text.extend_from_slice(Value::from(name).to_string().as_bytes());
        }
        Ok(Some(text))
    }
}

/// The page's tree: branches first, then series, each by name; what is both comes once, among the branches. The wildcard is there
/// where there are several nodes, also of one name.
pub fn tree(found: &[Found], query: &str, with_wildcard: bool) -> Vec<FindNode> {
    let base = query.rfind('.').map_or("", |dot| &query[..=dot]);
    let mut by_name: BTreeMap<&str, FindNode> = BTreeMap::new();
    for node in found {
        let text = last_node(&node.path);
        let entry = by_name.entry(text).or_insert_with(|| tree_node(base, text, false, false));
        *entry = tree_node(
            base,
            text,
            entry.leaf == 1 || node.is_series,
            entry.expandable == 1 || node.has_children,
        );
    }
    let (branches, leaves): (Vec<_>, Vec<_>) = by_name.into_values().partition(|node| node.expandable == 1);
    let count: u8 = found
        .iter()
        .map(|one| u8::from(one.is_series) + u8::from(one.has_children))
        .fold(0, u8::saturating_add);
    let wildcard =
        (with_wildcard && count > 1).then(|| tree_node(base, "*", branches.is_empty(), !branches.is_empty()));
    wildcard.into_iter().chain(branches).chain(leaves).collect()
}

fn tree_node(base: &str, text: &str, is_leaf: bool, has_children: bool) -> FindNode {
    let (leaf, below) = (u8::from(is_leaf), u8::from(has_children));
    FindNode {
        text: text.to_owned(),
        id: format!("{base}{text}"),
        leaf,
        expandable: below,
        allow_children: below,
    }
}

/// What a completer asks for: everything that begins like the query.
pub fn completer_query(query: &str) -> String {
    let query = query.replace("..", "*.");
    if query.ends_with('*') { query } else { query + "*" }
}

/// Nodes with commas as alternatives: `a,b` is `{a,b}`.
pub fn with_variants(query: &str) -> String {
    let node = |node: &str| {
        if node.contains(',') && !node.contains('{') { format!("{{{node}}}") } else { node.to_owned() }
    };
    query.split('.').map(node).collect::<Vec<_>>().join(".")
}

/// The completer's list by name; branches end in a dot, what is both comes twice.
pub fn completions(found: &[Found], with_wildcard: bool) -> Value {
    let node = |found: &Found, is_leaf: bool| {
        let dot = if is_leaf { "" } else { "." };
        json!({"path": format!("{}{dot}", found.path), "name": last_node(&found.path), "is_leaf": if is_leaf { "1" } else { "0" }})
    };
    let mut metrics = Vec::new();
    let mut by_name: Vec<&Found> = found.iter().collect();
    by_name.sort_by_key(|one| last_node(&one.path));
    for one in by_name {
        metrics.extend(one.has_children.then(|| node(one, false)));
        metrics.extend(one.is_series.then(|| node(one, true)));
    }
    if metrics.len() > 1 && with_wildcard {
        metrics.push(json!({"name": "*"}));
    }
    json!({ "metrics": metrics })
}

/// A node of the tree that is told with the seconds that it has points in, the first and the last; a branch has none.
#[derive(Debug)]
pub struct Spanned<'a> {
    path: &'a str,
    interval: Option<(i64, i64)>,
}

/// Nodes with the spans of time that series have points in on the days of a range; what is both comes twice.
pub fn spanned<'a>(
    store: &MetricStore,
    range: TimeRange,
    found: &'a [Found],
) -> Result<Vec<Spanned<'a>>, StoreError> {
    let series: Vec<&str> = found.iter().filter(|one| one.is_series).map(|one| one.path.as_str()).collect();
    let mut spans = store.spans(range, &series)?.into_iter();
    let mut nodes = Vec::new();
    for one in found {
        nodes.extend(one.has_children.then_some(Spanned { path: &one.path, interval: None }));
        let leaf = |span| Spanned { path: &one.path, interval: Some(span) };
        // A series may have gone since it was found.
        nodes.extend(one.is_series.then(|| spans.next().flatten()).flatten().map(leaf));
    }
    Ok(nodes)
}

/// `json`, or for `msgpack` with pairs, as graphite-web tells them to the members of its cluster.
pub fn intervals(nodes: &[Spanned<'_>], as_pairs: bool) -> Value {
    let node = |Spanned { path, interval }: &Spanned<'_>| match interval {
        None => json!({"path": path, "is_leaf": false}),
        Some((start, end)) if as_pairs => json!({"path": path, "is_leaf": true, "intervals": [[start, end]]}),
        Some((start, end)) => {
            json!({"path": path, "is_leaf": true, "intervals": [{"start": start, "end": end}]})
        }
    };
    nodes.iter().map(node).collect()
}

/// `pickle`: the same in graphite-web's own classes.
pub fn pickled(nodes: &[Spanned<'_>]) -> Vec<u8> {
    let mut all = Pickle::default();
    all.list(nodes, |pickle, node| {
        pickle.dict(|entries| {
            entries.key("path").text(node.path);
            entries.key("is_leaf").truth(node.interval.is_some());
            if let Some((start, end)) = node.interval {
                entries.key("intervals").interval(start, end);
            }
        });
    });
    all.finish()
}

/// The names at one position of the paths, from the end when it is negative.
pub fn nodes_at(found: &[Found], position: i64) -> Value {
    let node = |found: &Found| {
        let nodes = nodes_of(&found.path);
        let at = if position < 0 { nodes.len() as i64 + position } else { position };
        usize::try_from(at).ok().and_then(|at| nodes.get(at).map(|node| (*node).to_owned()))
    };
    json!({ "nodes": found.iter().filter_map(node).collect::<BTreeSet<String>>() })
}

/// The paths that patterns name, in order, each once.
pub fn expand(store: &MetricStore, globs: &[Glob], leaves_only: bool) -> Result<Vec<String>, StoreError> {
    let mut paths = Vec::new();
    for glob in globs {
        let found = store.find(TimeRange::all(), glob)?.into_iter();
        paths.extend(found.filter(|found| !leaves_only || found.is_series).map(|found| found.path));
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// A path's nodes; tags belong to the last one.
fn nodes_of(path: &str) -> Vec<&str> {
    let end = path.find(';').unwrap_or(path.len());
    let mut nodes: Vec<&str> = path[..end].split('.').collect();
    let last = nodes.pop().map_or(0, str::len);
    nodes.push(&path[end - last..]);
    nodes
}

fn last_node(path: &str) -> &str {
    nodes_of(path).last().copied().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, is_series: bool, has_children: bool) -> Found {
        Found { path: path.to_owned(), is_series, has_children }
    }

    #[test]
    fn branches_come_first_and_what_is_both_comes_once() {
        let list = [found("a.b", true, false), found("a.c", true, true), found("a.d", false, true)];
        let tree: Vec<_> =
            tree(&list, "a.*", true).into_iter().map(|n| (n.id, n.leaf, n.expandable)).collect();
        let expected = [("a.*", 0, 1), ("a.c", 1, 1), ("a.d", 0, 1), ("a.b", 1, 0)];
        assert_eq!(tree, expected.map(|(id, leaf, below)| (id.to_owned(), leaf, below)));
    }

    #[test]
    fn a_completer_asks_for_what_begins_alike() {
        let check = |query: &str, expected: &str| assert_eq!(completer_query(query), expected);
        check("", "*");
        check("web", "web*");
        check("web.*", "web.*");
        check("a..b", "a*.b*");
    }

    #[test]
    fn tags_belong_to_the_last_node() {
        assert_eq!(last_node("disk.used;host=a.b"), "used;host=a.b");
        assert_eq!(nodes_of("a.b"), ["a", "b"]);
    }
}

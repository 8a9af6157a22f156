//! Components as a tree: a parent's numbers include those below it. Which rows there are hangs on what is folded and on the
//! filter; which of them are chosen after a click, on the keys that are held.

use sonde_shared::api::Components;
use sonde_shared::letters::small;
use std::collections::{BTreeMap, BTreeSet};

/// A tree of more nodes begins with its first level alone.
const MOST_OPEN: usize = 200;
/// So many components fit into an address that one can pass on.
pub const MOST_CHOSEN: usize = 100;

/// A component, or what several have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeNode {
    /// The whole path.
    pub path: String,
    /// How many parents it has.
    pub depth: usize,
    /// Lines of it and all below.
    pub lines: u64,
    /// How many of them are errors.
    pub errors: u64,
    /// These lines by bucket of time.
    pub density: Vec<u64>,
    /// Whether there are components below it.
    pub has_children: bool,
}

/// All of them, each parent before what is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentTree {
    /// The nodes.
    pub nodes: Vec<TreeNode>,
}

/// What is folded: all but the first level, or nothing, except for what was turned over by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folds {
    begins_folded: Option<bool>,
    turned: BTreeSet<String>,
}

impl Folds {
    /// Decides by the first tree that has nodes how it begins; what comes later leaves that as it is.
    pub fn begin(&mut self, tree: &ComponentTree) {
        if self.begins_folded.is_none() && !tree.nodes.is_empty() {
            self.begins_folded = Some(tree.nodes.len() > MOST_OPEN);
        }
    }

    /// Whether what is below a path shows.
    pub fn is_open(&self, path: &str) -> bool {
        self.turned.contains(path) == self.begins_folded.unwrap_or_default()
    }

    /// Shows what is below a path, or hides it.
    pub fn set(&mut self, path: &str, open: bool) {
        if self.is_open(path) != open && !self.turned.remove(path) {
            self.turned.insert(path.to_owned());
        }
    }
}

impl ComponentTree {
    /// The tree of components with lines.
    pub fn of(components: &Components) -> Self {
        // Paths as lists of names sort parents directly before their children; as texts `a-b` would come between `a` and `a.b`.
        let mut nodes: BTreeMap<Vec<&str>, TreeNode> = BTreeMap::new();
        for component in &components.components {
            let names: Vec<&str> = component.path.split('.').collect();
            for depth in 1..=names.len() {
                let node = nodes.entry(names[..depth].to_vec()).or_default();
                node.lines += component.lines;
                node.errors += component.errors;
                node.has_children |= depth < names.len();
                node.density.resize(node.density.len().max(component.density.len()), 0);
                node.density.iter_mut().zip(&component.density).for_each(|(sum, lines)| *sum += lines);
            }
        }
        let node = |(names, node): (Vec<&str>, TreeNode)| TreeNode {
            path: names.join("."),
            depth: names.len() - 1,
            ..node
        };
        Self { nodes: nodes.into_iter().map(node).collect() }
    }

    /// The nodes that show: those below open ones; with a filter those whose path has it, in capitals or not, and what is above them.
    pub fn rows(&self, folds: &Folds, filter: &str) -> Vec<usize> {
        if filter.is_empty() { self.open_rows(folds) } else { self.rows_with(&small(filter)) }
    }

    fn open_rows(&self, folds: &Folds) -> Vec<usize> {
        let mut rows = Vec::new();
        // Nothing deeper shows until the next node that is not.
        let mut hidden_below = usize::MAX;
        for (at, node) in self.nodes.iter().enumerate() {
            if node.depth > hidden_below {
                continue;
            }
            rows.push(at);
            let is_folded = node.has_children && !folds.is_open(&node.path);
            hidden_below = if is_folded { node.depth } else { usize::MAX };
        }
        rows
    }

    fn rows_with(&self, text: &str) -> Vec<usize> {
        let mut rows = Vec::new();
        // From the end on, what is above a node that shows comes after it.
        let mut needed_depth = 0;
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let is_parent = needed_depth > 0 && node.depth < needed_depth;
            if is_parent || small(&node.path).contains(text) {
                rows.push(at);
                needed_depth = node.depth;
            }
        }
        rows.reverse();
        rows
    }
}

/// What a click or key means for the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// This one alone; where it is that already, none.
    Alone,
    /// This one too, or no longer.
    Also,
    /// All from the one that was picked last to this one.
    UpTo(usize),
}

/// The components that are chosen once row `at` of `rows` was picked; what lies below one that is chosen comes with it.
pub fn picked(chosen: &[String], rows: &[&str], at: usize, pick: Pick) -> Vec<String> {
    let Some(path) = rows.get(at) else { return chosen.to_vec() };
    let mut next: Vec<String> = match pick {
        Pick::Alone if chosen.len() == 1 && chosen[0] == *path => Vec::new(),
        Pick::Alone => vec![(*path).to_owned()],
        Pick::Also if chosen.iter().any(|one| one == path) => {
            chosen.iter().filter(|one| *one != path).cloned().collect()
        }
        Pick::Also => chosen.iter().cloned().chain([(*path).to_owned()]).collect(),
        Pick::UpTo(from) => {
            let last = rows.len() - 1;
            let (from, at) = (from.min(last), at.min(last));
            without_children(&rows[from.min(at)..=from.max(at)])
        }
    };
    next.truncate(MOST_CHOSEN);
    next
}

fn without_children(rows: &[&str]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for path in rows {
        let is_below =
            |parent: &String| path.strip_prefix(parent.as_str()).is_some_and(|rest| rest.starts_with('.'));
        if !kept.last().is_some_and(is_below) {
            kept.push((*path).to_owned());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::api::ComponentCount;

    fn tree(paths: &[(&str, u64, u64)]) -> ComponentTree {
        let component = |(path, lines, errors): &(&str, u64, u64)| ComponentCount {
            path: (*path).into(),
            lines: *lines,
            errors: *errors,
            density: vec![*lines, 1],
        };
        let components = paths.iter().map(component).collect();
        ComponentTree::of(&Components { components, ..Components::default() })
    }

    fn shop() -> ComponentTree {
        tree(&[("a.b", 3, 1), ("a.b.c", 4, 0), ("a-b", 9, 0), ("a", 1, 0)])
    }

    #[test]
    fn a_parent_counts_what_is_below_it_and_stands_before_it() {
        let nodes = shop().nodes;
        let rows: Vec<_> = nodes
            .iter()
            .map(|row| (row.path.as_str(), row.depth, row.lines, row.errors, &row.density[..]))
            .collect();
        let expected = [
            ("a", 0, 8, 1, &[8, 3][..]),
            ("a.b", 1, 7, 1, &[7, 2]),
            ("a.b.c", 2, 4, 0, &[4, 1]),
            ("a-b", 0, 9, 0, &[9, 1]),
        ];
        assert_eq!(rows, expected);
        assert_eq!(
            nodes.iter().map(|node| node.has_children).collect::<Vec<_>>(),
            [true, true, false, false]
        );
    }

    fn shown(tree: &ComponentTree, folds: &Folds, filter: &str) -> Vec<String> {
        tree.rows(folds, filter).into_iter().map(|at| tree.nodes[at].path.clone()).collect()
    }

    #[test]
    fn what_is_below_a_folded_node_does_not_show() {
        let (tree, mut folds) = (shop(), Folds::default());
        folds.begin(&tree);
        assert_eq!(shown(&tree, &folds, ""), ["a", "a.b", "a.b.c", "a-b"]);
        folds.set("a.b", false);
        assert_eq!(shown(&tree, &folds, ""), ["a", "a.b", "a-b"]);
        folds.set("a", false);
        assert_eq!(shown(&tree, &folds, ""), ["a", "a-b"]);
        folds.set("a", true);
        assert_eq!(shown(&tree, &folds, ""), ["a", "a.b", "a-b"], "what was folded below it stays so");
    }

    #[test]
    fn a_large_tree_begins_with_its_first_level_and_stays_as_it_began() {
        let paths: Vec<String> = (0..300).map(|number| format!("shop.n{number}")).collect();
        let large = tree(&paths.iter().map(|path| (path.as_str(), 1, 0)).collect::<Vec<_>>());
        let mut folds = Folds::default();
        folds.begin(&ComponentTree::default());
        folds.begin(&large);
        assert_eq!(shown(&large, &folds, ""), ["shop"]);
        folds.begin(&shop());
        assert_eq!(shown(&shop(), &folds, ""), ["a", "a-b"]);
        folds.set("shop", true);
        assert_eq!(shown(&large, &folds, "").len(), 301);
    }

    #[test]
    fn a_filter_shows_what_has_it_and_what_is_above_that() {
        let (tree, folds) = (tree(&[("a.b.cart", 1, 0), ("a.d", 1, 0), ("e.f", 1, 0)]), Folds::default());
        assert_eq!(shown(&tree, &folds, "CART"), ["a", "a.b", "a.b.cart"]);
        assert_eq!(shown(&tree, &folds, "d"), ["a", "a.d"]);
        assert_eq!(shown(&tree, &folds, "e"), ["e", "e.f"]);
        assert!(shown(&tree, &folds, "nope").is_empty());
    }

    #[test]
    fn one_or_several_are_picked() {
        let rows = ["a", "a.b", "a.b.c", "a-b", "d"];
        let check = |chosen: &[&str], at: usize, pick: Pick, expected: &[&str]| {
            let chosen: Vec<String> = chosen.iter().map(|path| (*path).to_owned()).collect();
            assert_eq!(picked(&chosen, &rows, at, pick), expected, "{chosen:?} {at} {pick:?}");
        };
        check(&[], 1, Pick::Alone, &["a.b"]);
        check(&["a.b", "d"], 1, Pick::Alone, &["a.b"]);
        check(&["a.b"], 1, Pick::Alone, &[]);
        check(&["a.b"], 4, Pick::Also, &["a.b", "d"]);
        check(&["a.b", "d"], 1, Pick::Also, &["d"]);
        check(&["d"], 1, Pick::UpTo(4), &["a.b", "a-b", "d"]);
        check(&["d"], 4, Pick::UpTo(1), &["a.b", "a-b", "d"]);
        check(&["d"], 9, Pick::Alone, &["d"]);
        let many: Vec<String> = (0..300).map(|number| format!("n{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(picked(&[], &many, 299, Pick::UpTo(0)).len(), MOST_CHOSEN);
    }
}

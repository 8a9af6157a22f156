//! Metrics as a tree that is known as far as it was opened, node by node.

use super::Suggestion;
use std::collections::{BTreeMap, BTreeSet};

/// A row of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricRow {
    /// The whole path.
    pub path: String,
    /// How many parents it has below the root.
    pub depth: usize,
    /// Whether it is a metric: it can be drawn.
    pub is_metric: bool,
    /// Whether there are metrics below it.
    pub is_branch: bool,
    /// Whether what is below it shows.
    pub is_open: bool,
}

/// What is known of the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricTree {
    /// Children by their parent's path; the root's is empty.
    children: BTreeMap<String, Vec<MetricRow>>,
    open: BTreeSet<String>,
}

impl MetricTree {
    /// Whether a node's children were heard of.
    pub fn knows(&self, path: &str) -> bool {
        self.children.contains_key(path)
    }

    /// Takes what there is below a node. A metric with others below it is told twice, and is one row.
    pub fn learn(&mut self, parent: &str, found: &[Suggestion]) {
        let mut rows: BTreeMap<&str, MetricRow> = BTreeMap::new();
        for suggestion in found {
            let (path, is_metric) = match suggestion {
                Suggestion::Metric(path) => (path.as_str(), true),
                Suggestion::Branch(path) => (path.trim_end_matches('.'), false),
                Suggestion::Function(_) | Suggestion::Text(_) => continue,
            };
            let row = rows
                .entry(path)
                .or_insert_with(|| MetricRow { path: path.to_owned(), ..MetricRow::default() });
            row.is_metric |= is_metric;
            row.is_branch |= !is_metric;
        }
        self.children.insert(parent.to_owned(), rows.into_values().collect());
    }

    /// Shows what is below a node, or hides it.
    pub fn set_open(&mut self, path: &str, open: bool) {
        if open {
            self.open.insert(path.to_owned())
        } else {
            self.open.remove(path)
        };
    }

    /// The rows below a root that show.
    pub fn rows(&self, root: &str) -> Vec<MetricRow> {
        let mut rows = Vec::new();
        self.add_rows(root, 0, &mut rows);
        rows
    }

    fn add_rows(&self, parent: &str, depth: usize, rows: &mut Vec<MetricRow>) {
        for row in self.children.get(parent).into_iter().flatten() {
            let is_open = row.is_branch && self.open.contains(&row.path);
            rows.push(MetricRow { depth, is_open, ..row.clone() });
            if is_open {
                self.add_rows(&row.path, depth + 1, rows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_known_as_far_as_it_was_opened() {
        let (metric, branch) =
            (|path: &str| Suggestion::Metric(path.into()), |path: &str| Suggestion::Branch(path.into()));
        let mut tree = MetricTree::default();
        assert!(!tree.knows(""));
        tree.learn("", &[branch("web."), metric("up"), metric("web")]);
        let paths = |tree: &MetricTree, root: &str| {
            let rows = tree.rows(root).into_iter();
            rows.map(|row| (row.path, row.depth, row.is_metric, row.is_branch)).collect::<Vec<_>>()
        };
        let row = |path: &str, depth, is_metric, is_branch| (path.to_owned(), depth, is_metric, is_branch);
        let closed = [row("up", 0, true, false), row("web", 0, true, true)];
        assert_eq!(paths(&tree, ""), closed);
        tree.set_open("web", true);
        tree.learn("web", &[metric("web.ms")]);
        assert_eq!(paths(&tree, "")[2..], [row("web.ms", 1, true, false)]);
        assert_eq!(paths(&tree, "web"), [row("web.ms", 0, true, false)]);
        tree.set_open("web", false);
        assert_eq!(paths(&tree, ""), closed);
    }
}

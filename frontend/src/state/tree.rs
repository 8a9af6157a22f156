//! Components as a tree: a parent's numbers include those below it.

use sonde_shared::api::Components;

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeNode {
    /// The last part of the path.
    pub name: String,
    /// The whole path.
    pub path: String,
    /// Lines of it and all below.
    pub lines: u64,
    /// How many of them are errors.
    pub errors: u64,
    /// What is below, by name.
    pub children: Vec<Self>,
}

/// The tree of the components with lines.
pub fn component_tree(components: &Components) -> Vec<TreeNode> {
    let mut roots = Vec::new();
    for component in &components.components {
        add(&mut roots, "", &component.path, component.lines, component.errors);
    }
    roots
}

fn add(nodes: &mut Vec<TreeNode>, parent: &str, rest: &str, lines: u64, errors: u64) {
    let (name, below) = rest.split_once('.').map_or((rest, None), |(name, below)| (name, Some(below)));
    let at = nodes.binary_search_by(|node| node.name.as_str().cmp(name)).unwrap_or_else(|at| {
        let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
        nodes.insert(at, TreeNode { name: name.to_owned(), path, lines: 0, errors: 0, children: Vec::new() });
        at
    });
    let node = &mut nodes[at];
    node.lines += lines;
    node.errors += errors;
    if let Some(below) = below {
        let path = node.path.clone();
        add(&mut node.children, &path, below, lines, errors);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::api::ComponentCount;

    #[test]
    fn a_parent_counts_what_is_below_it() {
        let component = |path: &str, lines, errors| ComponentCount { path: path.into(), lines, errors };
        let components = vec![
            component("a.b", 3, 1),
            component("a.b.c", 4, 0),
            component("ab", 9, 0),
            component("a", 1, 0),
        ];
        let tree = component_tree(&Components { components, hosts: vec![] });
        let [a, ab] = tree.as_slice() else { panic!("{tree:?}") };
        assert_eq!((a.lines, a.errors, ab.lines), (8, 1, 9));
        assert_eq!((a.children[0].path.as_str(), a.children[0].lines), ("a.b", 7));
        assert_eq!(a.children[0].children[0].path, "a.b.c");
    }
}

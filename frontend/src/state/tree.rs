//! Components as the rows of a tree: a parent's numbers include those below it.

use sonde_shared::api::Components;
use std::collections::BTreeMap;

/// A row of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeRow {
    /// The whole path.
    pub path: String,
    /// How many parents it has.
    pub depth: usize,
    /// Lines of it and all below.
    pub lines: u64,
    /// How many of them are errors.
    pub errors: u64,
}

/// The rows, each parent before what is below it.
pub fn component_rows(components: &Components) -> Vec<TreeRow> {
    // Paths as lists of names sort parents directly before their children; as texts `a-b` would come between `a` and `a.b`.
    let mut rows: BTreeMap<Vec<&str>, (u64, u64)> = BTreeMap::new();
    for component in &components.components {
        let names: Vec<&str> = component.path.split('.').collect();
        for depth in 1..=names.len() {
            let (lines, errors) = rows.entry(names[..depth].to_vec()).or_default();
            *lines += component.lines;
            *errors += component.errors;
        }
    }
    let row = |(names, (lines, errors)): (Vec<&str>, (u64, u64))| TreeRow {
        path: names.join("."),
        depth: names.len() - 1,
        lines,
        errors,
    };
    rows.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::api::ComponentCount;

    #[test]
    fn a_parent_counts_what_is_below_it_and_stands_before_it() {
        let component = |path: &str, lines, errors| ComponentCount { path: path.into(), lines, errors };
        let components = vec![
            component("a.b", 3, 1),
            component("a.b.c", 4, 0),
            component("a-b", 9, 0),
            component("a", 1, 0),
        ];
        let rows = component_rows(&Components { components, hosts: vec![] });
        let rows: Vec<_> =
            rows.iter().map(|row| (row.path.as_str(), row.depth, row.lines, row.errors)).collect();
        assert_eq!(rows, [("a", 0, 8, 1), ("a.b", 1, 7, 1), ("a.b.c", 2, 4, 0), ("a-b", 0, 9, 0)]);
    }
}

//! Dotted component paths and the selectors that pick subtrees of them.

use crate::glob::Glob;

/// The longest component or host name that is kept as it is, in bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// Names a component and all below it: `webapp.backend.git` selects `webapp.backend.git` and
/// `webapp.backend.git.gc`, never its sibling `webapp.backend.gitaly`. Globs work node by node:
/// `webapp.*.git`, `node{1,2}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    glob: Glob,
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a component: {why}; write webapp.backend.git or webapp.*.git")]
pub struct SelectorError {
    /// What was given, shortened to 64 characters.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Selector {
    /// Reads a selector. Blank text, an empty node (`a..b`) or an unclosed bracket is an error.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let error = |why| SelectorError { text: text.chars().take(64).collect(), why };
        if text.trim().is_empty() {
            return Err(error("it is empty"));
        }
        Glob::parse(text).map(|glob| Self { glob }).map_err(error)
    }

    /// Whether the component is the named one or lies below it.
    pub fn matches(&self, component: &str) -> bool {
        self.glob.matches_prefix(component)
    }

    /// The selector as it was written.
    pub fn as_str(&self) -> &str {
        self.glob.as_str()
    }
}

/// A dotted name and all that it is below, the widest first.
pub fn with_all_above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('.').map(|(at, _)| &path[..at]).chain([path])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(selector: &str, component: &str, expected: bool) {
        assert_eq!(Selector::parse(selector).unwrap().matches(component), expected, "{selector} {component}");
    }

    #[test]
    fn a_selector_takes_its_subtree_and_no_sibling() {
        check("webapp.backend.git", "webapp.backend.git", true);
        check("webapp.backend.git", "webapp.backend.git.gc", true);
        check("webapp.backend.git", "webapp.backend.gitaly", false);
        check("webapp.backend.git", "webapp.backend", false);
        check("webapp", "webapp2.x", false);
    }

    #[test]
    fn globs_work_node_by_node() {
        check("webapp.*.git", "webapp.backend.git", true);
        check("webapp.*.git", "webapp.a.b.git", false);
        check("node{1,2}", "node2.io", true);
        check("node{1,2}", "node3", false);
        check("*", "anything.at.all", true);
    }

    #[test]
    fn broken_selectors_say_what_is_wrong() {
        for text in ["", "a..b", ".a", "a.", "a.{b", "a.[b"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }
}

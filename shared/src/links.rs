//! Which component's lines belong to a panel (the way from a chart to its logs).

use crate::component::with_all_above;
use crate::glob::Glob;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A rule of `links.toml`: the lines of this component belong to these metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkRule {
    /// A path or glob; it also holds for what is below it.
    pub metric: String,
    /// The component.
    pub component: String,
}

/// The lines that belong to a panel, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The panel names its component.
    Named(String),
    /// Rules that match its metrics name these components.
    Rule(Vec<String>),
    /// The longest prefixes of its metrics' paths that are components with lines.
    Prefix(Vec<String>),
    /// A node of all paths is this known host.
    Host(String),
    /// Nothing matched: all lines.
    All,
}

impl Link {
    /// The components to select; empty for all of them.
    pub fn components(&self) -> Vec<String> {
        match self {
            Self::Named(component) => vec![component.clone()],
            Self::Rule(components) | Self::Prefix(components) => components.clone(),
            Self::Host(_) | Self::All => Vec::new(),
        }
    }

    /// The host to select.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Host(host) => Some(host),
            _ => None,
        }
    }
}

/// Finds the lines of a panel: its `logs`, else what rules say of its series, else for each series the longest prefix that has
/// lines, else the host that is a node of all of them, else all lines. `components` and `hosts` are those with lines in the visible range.
pub fn link_panel(
    logs: Option<&str>,
    rules: &[LinkRule],
    series: &[String],
    components: &BTreeSet<String>,
    hosts: &BTreeSet<String>,
) -> Link {
    if let Some(component) = logs {
        return Link::Named(component.to_owned());
    }
    let by_rule: BTreeSet<String> =
        series.iter().filter_map(|path| rule_of(path, rules)).map(|rule| rule.component.clone()).collect();
    if !by_rule.is_empty() {
        return Link::Rule(outermost(&by_rule));
    }
    let prefixes: BTreeSet<String> =
        series.iter().filter_map(|path| longest_component(path, components)).map(str::to_owned).collect();
    if !prefixes.is_empty() {
        return Link::Prefix(outermost(&prefixes));
    }
    let mut named = series.iter().map(|path| path.split('.').find(|node| hosts.contains(*node)));
    match named.next().flatten() {
        Some(host) if named.all(|other| other == Some(host)) => Link::Host(host.to_owned()),
        _ => Link::All,
    }
}

/// Those that are below no other one: a component means all below it.
fn outermost(components: &BTreeSet<String>) -> Vec<String> {
    let is_below = |one: &String| with_all_above(one).any(|above| above != one && components.contains(above));
    components.iter().filter(|one| !is_below(one)).cloned().collect()
}

/// The last rule that matches a path or what is above it.
fn rule_of<'a>(path: &str, rules: &'a [LinkRule]) -> Option<&'a LinkRule> {
    let path = path.split(';').next().unwrap_or(path);
    let matches = |glob: &Glob| with_all_above(path).any(|above| glob.matches(above));
    rules.iter().rev().find(|rule| Glob::parse(&rule.metric).is_ok_and(|glob| matches(&glob)))
}

/// The longest prefix of `path`, node by node, that is a component or has components below it.
fn longest_component<'a>(path: &'a str, components: &BTreeSet<String>) -> Option<&'a str> {
    let mut prefix = path.split(';').next().unwrap_or(path);
    loop {
        if has_lines(prefix, components) {
            return Some(prefix);
        }
        prefix = &prefix[..prefix.rfind('.')?];
    }
}

fn has_lines(prefix: &str, components: &BTreeSet<String>) -> bool {
    components.contains(prefix)
        || components
            .range(format!("{prefix}.")..)
            .next()
            .is_some_and(|component| component.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[track_caller]
    fn check(logs: Option<&str>, series: &[&str], expected: &Link) {
        let series: Vec<String> = series.iter().map(|path| (*path).to_owned()).collect();
        let components = set(&["webapp.backend.git", "webapp.backend.gitaly", "shop.db.slow"]);
        assert_eq!(&link_panel(logs, &[], &series, &components, &set(&["node1"])), expected);
    }

    #[test]
    fn the_last_rule_that_matches_wins_over_the_path() {
        let rule =
            |metric: &str, component: &str| LinkRule { metric: metric.into(), component: component.into() };
        let rules =
            [rule("stats.*.git", "shop.git"), rule("stats.timers.git.slow", "shop.db"), rule("a.{", "x")];
        let check = |series: &[&str], expected: &Link| {
            let series: Vec<String> = series.iter().map(|path| (*path).to_owned()).collect();
            assert_eq!(&link_panel(None, &rules, &series, &set(&["stats.timers"]), &set(&[])), expected);
        };
        let linked =
            |components: &[&str]| Link::Rule(components.iter().map(|one| (*one).to_owned()).collect());
        check(&["stats.timers.git.p95"], &linked(&["shop.git"]));
        check(&["stats.timers.git.slow.p95;host=a.b", "stats.timers.git"], &linked(&["shop.db", "shop.git"]));
        check(&["stats.timers.gitaly.p95"], &Link::Prefix(vec!["stats.timers".into()]));
    }

    #[test]
    fn the_nearest_rule_wins() {
        check(Some("x.y"), &["webapp.backend.git.ms"], &Link::Named("x.y".into()));
        check(None, &["webapp.backend.git.tree.ms"], &Link::Prefix(vec!["webapp.backend.git".into()]));
        check(None, &["webapp.backend.gitlab.ms"], &Link::Prefix(vec!["webapp.backend".into()]));
        check(
            None,
            &["shop.db.reads;shard=1", "webapp.backend.git.x"],
            &Link::Prefix(vec!["shop.db".into(), "webapp.backend.git".into()]),
        );
        check(
            None,
            &["shop.x", "shop.db.reads", "shop.db.slow.ms", "webapp.backend.git.x"],
            &Link::Prefix(vec!["shop".into(), "webapp.backend.git".into()]),
        );
        check(None, &["servers.node1.cpu"], &Link::Host("node1".into()));
        check(None, &["servers.node1.cpu", "servers.node1.load"], &Link::Host("node1".into()));
        check(None, &["servers.node1.cpu", "servers.node2.cpu"], &Link::All);
        check(None, &["other.cpu"], &Link::All);
    }
}

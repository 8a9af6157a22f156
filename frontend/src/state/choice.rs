//! Which components the log pane shows: the tree's explicit choice, else those of the active panel.

use super::AppState;
use sonde_shared::api::Components;
use sonde_shared::links::{Link, LinkRule, link_panel};
use std::collections::BTreeSet;

/// Components and hosts by name. They are asked for each panel after each change, and there may be thousands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    components: BTreeSet<String>,
    hosts: BTreeSet<String>,
}

impl AppState {
    pub(super) fn know(&mut self, components: Components) {
        self.known = Known {
            components: components.components.iter().map(|one| one.path.clone()).collect(),
            hosts: components.hosts.iter().map(|one| one.name.clone()).collect(),
        };
        self.components = Some(components);
    }

    /// Whether a component is known of, or none is yet.
    pub fn knows(&self, component: &str) -> bool {
        self.components.is_none() || self.known.components.contains(component)
    }

    /// Makes a panel the active one; its components become the pane's unless some were chosen by hand.
    pub(super) fn activate(&mut self, panel: &str) {
        let linked_host = self.link().and_then(|link| link.host().map(str::to_owned));
        self.view.panel = Some(panel.to_owned());
        if !self.view.chosen {
            self.follow_panel(linked_host.as_deref());
        }
    }

    /// Chooses components by hand, or goes back to the active panel's.
    pub(super) fn choose(&mut self, components: Vec<String>) {
        let linked_host = self.link().and_then(|link| link.host().map(str::to_owned));
        self.view.line = None;
        self.view.near = None;
        self.view.chosen = !components.is_empty();
        self.view.components = components;
        if self.view.chosen {
            self.drop_host(linked_host.as_deref());
        } else {
            self.follow_panel(linked_host.as_deref());
        }
    }

    /// A panel activated before the components were known gets its link now.
    pub(super) fn link_if_pending(&mut self) {
        if self.link_pending && !self.view.chosen {
            self.follow_panel(None);
        }
    }

    /// Whether a panel's components lie outside those that were chosen by hand.
    pub fn is_outside_choice(&self, panel: &str) -> bool {
        let link = self.link_of(panel);
        let Some(link @ (Link::Named(_) | Link::Rule(_) | Link::Prefix(_))) = link else { return false };
        let linked = link.components();
        let related = |one: &String, other: &String| is_at_or_below(one, other) || is_at_or_below(other, one);
        !linked.iter().any(|one| self.view.components.iter().any(|chosen| related(one, chosen)))
    }

    /// Whose lines the pane counts, where a new band on this panel would choose others: a count of them is not what the band will
    /// have.
    pub fn counted_instead(&self, panel: &str) -> Option<String> {
        let link = self.link_of(panel).filter(|_| !self.view.chosen && self.components.is_some())?;
        let same_host = link.host().is_none_or(|host| self.view.host.as_deref() == Some(host));
        if self.view.components == link.components() && same_host {
            return None;
        }
        Some(match self.view.components.as_slice() {
            [] => "all components".to_owned(),
            paths => paths.join(", "),
        })
    }

    /// The rule that would make the component chosen by hand that of the active panel's metrics for good; `None` where it is that
    /// already, where a finding has led to it, or where the metrics have nothing in common that a rule could name.
    pub fn rule_to_keep(&self) -> Option<LinkRule> {
        let panel = self.panel(self.view.panel.as_deref()?)?;
        let [component] = self.view.components.as_slice() else { return None };
        if !self.view.chosen
            || self.view.near.is_some()
            || panel.logs.is_some()
            || self.link_of(&panel.id)?.components() == [component.as_str()]
        {
            return None;
        }
        let metric = common_path(&panel.paths())?;
        Some(LinkRule { metric, component: component.clone() })
    }

    fn link(&self) -> Option<Link> {
        self.link_of(self.view.panel.as_deref()?)
    }

    /// What a panel is linked to.
    fn link_of(&self, panel: &str) -> Option<Link> {
        let panel = self.panel(panel)?;
        let named = self.series.get(&panel.id).filter(|names| !names.is_empty() && !panel.calls_functions());
        let series = named.cloned().unwrap_or_else(|| panel.paths());
        let rules = self.page.as_ref().map_or(&[][..], |page| &page.links);
        let nothing = Known::default();
        let known = if self.components.is_some() { &self.known } else { &nothing };
        Some(link_panel(panel.logs.as_deref(), rules, &series, &known.components, &known.hosts))
    }

    fn follow_panel(&mut self, linked_host: Option<&str>) {
        self.link_pending = self.components.is_none();
        let Some(link) = self.link() else { return };
        self.drop_host(linked_host);
        self.view.components = link.components();
        if let Some(host) = link.host() {
            self.view.host = Some(host.to_owned());
        }
        self.view.line = None;
    }

    /// A host that came with the former panel goes with it; one that was picked by hand stays.
    fn drop_host(&mut self, linked_host: Option<&str>) {
        if linked_host.is_some() && self.view.host.as_deref() == linked_host {
            self.view.host = None;
        }
    }
}

/// The nodes that paths have in common; of one metric alone all of them, for others beside it may be another component's.
fn common_path(paths: &[String]) -> Option<String> {
    let nodes = |path: &str| -> Vec<String> {
        path.split(';').next().unwrap_or(path).split('.').map(str::to_owned).collect()
    };
    let mut all = paths.iter().map(|path| nodes(path));
    let mut common = all.next()?;
    for other in all {
        let shared = common.iter().zip(&other).take_while(|(one, other)| one == other).count();
        common.truncate(shared);
    }
    (!common.is_empty()).then(|| common.join("."))
}

fn is_at_or_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Command;
    use crate::state::tests::opened;

    #[test]
    fn what_was_chosen_by_hand_can_be_kept_as_a_rule() {
        let mut state = opened("/?panel=sun");
        assert_eq!(state.rule_to_keep(), None);
        state.apply(Command::Choose(Some("mail".into())));
        let rule = LinkRule { metric: "sun.spots".into(), component: "mail".into() };
        assert_eq!(state.rule_to_keep(), Some(rule.clone()));
        if let Some(page) = &mut state.page {
            page.links.push(rule);
        }
        assert_eq!(state.rule_to_keep(), None, "it holds");
        let mut linked = opened("/?panel=orders");
        linked.apply(Command::Choose(Some("shop.orders".into())));
        assert_eq!(linked.rule_to_keep(), None, "the path says so");
    }

    #[test]
    fn paths_have_their_first_nodes_in_common() {
        let check = |paths: &[&str], expected: Option<&str>| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            assert_eq!(common_path(&paths).as_deref(), expected);
        };
        check(&["a.b.c"], Some("a.b.c"));
        check(&["a"], Some("a"));
        check(&["a.b.c", "a.b.d;x=1"], Some("a.b"));
        check(&["a.*.c", "a.*.d"], Some("a.*"));
        check(&["a.b", "c.d"], None);
        check(&[], None);
    }
}

//! Which components the log pane shows: the tree's explicit choice, else those of the active panel.

use super::AppState;
use sonde_shared::links::{Link, link_panel};
use std::collections::BTreeSet;

impl AppState {
    /// Makes a panel the active one; its components become the pane's unless some were chosen by hand.
    pub(super) fn activate(&mut self, panel: &str) {
        let linked_host = self.link().and_then(|link| link.host().map(str::to_owned));
        self.view.panel = Some(panel.to_owned());
        if !self.view.chosen {
            self.follow_panel(linked_host.as_deref());
        }
    }

    /// Chooses a component by hand, or goes back to the active panel's.
    pub(super) fn choose(&mut self, component: Option<String>) {
        let linked_host = self.link().and_then(|link| link.host().map(str::to_owned));
        self.view.line = None;
        self.view.chosen = component.is_some();
        if let Some(component) = component {
            self.view.components = vec![component];
            self.drop_host(linked_host.as_deref());
        } else {
            self.view.components.clear();
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
        let Some(Link::Named(_) | Link::Rule(_) | Link::Prefix(_)) = self.link_of(panel) else {
            return false;
        };
        let linked = self.link_of(panel).map(|link| link.components()).unwrap_or_default();
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

    fn link(&self) -> Option<Link> {
        self.link_of(self.view.panel.as_deref()?)
    }

    /// What a panel is linked to.
    fn link_of(&self, panel: &str) -> Option<Link> {
        let panel = self.panel(panel)?;
        let components = self.components.as_ref();
        let paths: BTreeSet<String> = components
            .map(|all| all.components.iter().map(|one| one.path.clone()).collect())
            .unwrap_or_default();
        let hosts: BTreeSet<String> =
            components.map(|all| all.hosts.iter().map(|one| one.name.clone()).collect()).unwrap_or_default();
        let named = self.series.get(&panel.id).filter(|names| !names.is_empty() && !panel.calls_functions());
        let series = named.cloned().unwrap_or_else(|| panel.paths());
        let rules = self.page.as_ref().map_or(&[][..], |page| &page.links);
        Some(link_panel(panel.logs.as_deref(), rules, &series, &paths, &hosts))
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

fn is_at_or_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

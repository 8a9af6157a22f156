//! Where things stand in the tree of names, and how near two of them are. Names count as wholes: equal or not.

use super::observed::{Context, Observed};
use std::collections::{BTreeMap, BTreeSet};

/// Components, hosts, and which runs where.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    components: BTreeSet<&'a str>,
    hosts: BTreeSet<&'a str>,
    hosts_of: BTreeMap<&'a str, BTreeSet<&'a str>>,
    context: Option<&'a Context>,
}

impl<'a> Tree<'a> {
    pub(super) fn of(observed: &'a Observed) -> Self {
        let mut hosts_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for volume in &observed.volumes {
            let host = volume.host.and_then(|host| observed.hosts.get(host as usize));
            let component = observed.components.get(volume.component as usize);
            if let (Some(component), Some(host)) = (component, host) {
                hosts_of.entry(component).or_default().insert(host);
            }
        }
        Self {
            components: observed.components.iter().map(String::as_str).collect(),
            hosts: observed.hosts.iter().map(String::as_str).collect(),
            hosts_of,
            context: Some(&observed.context),
        }
    }

    /// Whose a series is: the longest prefix that is a component, else a node that is a host, else the branch it is a
    /// leaf of. A name without dots is its own.
    pub(super) fn owner(&self, path: &str) -> String {
        let bare = path.split(';').next().unwrap_or(path);
        let mut prefix = bare;
        while let Some((shorter, _)) = prefix.rsplit_once('.') {
            if self.components.contains(shorter) {
                return shorter.to_owned();
            }
            prefix = shorter;
        }
        if let Some(host) = bare.split('.').find(|node| self.hosts.contains(node)) {
            return host.to_owned();
        }
        bare.rsplit_once('.').map_or(path, |(branch, _)| branch).to_owned()
    }

    /// The hosts that a path names.
    pub(super) fn hosts_in(&self, path: &str) -> Vec<String> {
        path.split('.').filter(|node| self.hosts.contains(node)).map(str::to_owned).collect()
    }

    /// The hosts that a component's own lines come from.
    pub(super) fn hosts_of(&self, component: &str) -> Vec<String> {
        self.hosts_of.get(component).into_iter().flatten().map(|host| (*host).to_owned()).collect()
    }

    /// Whether something is of what was selected: a component with what is below it, or a host.
    pub(super) fn is_selected(&self, owner: &str, hosts: &[String]) -> bool {
        self.closeness(owner, hosts) >= 1.0
    }

    /// Whether anything was selected.
    pub(super) fn has_selection(&self) -> bool {
        self.context.is_some_and(|context| !context.components.is_empty() || context.host.is_some())
    }

    /// How near something is to what was selected, from 0 to 1; 0 for all where nothing was.
    pub(super) fn closeness(&self, owner: &str, hosts: &[String]) -> f64 {
        let Some(context) = self.context else { return 0.0 };
        let in_tree = context.components.iter().map(|selected| nearness(selected, owner)).fold(0.0, f64::max);
        let on_host = context.host.iter().any(|host| owner == host || hosts.contains(host));
        // A machine is near a component that runs there.
        let runs_there = context.components.iter().any(|selected| {
            let runs_on = |host: &str| {
                self.hosts_of
                    .iter()
                    .any(|(component, on)| is_within(component, selected) && on.contains(host))
            };
            runs_on(owner) || hosts.iter().any(|host| runs_on(host))
        });
        f64::max(
            in_tree,
            if on_host {
                1.0
            } else if runs_there {
                0.5
            } else {
                0.0
            },
        )
    }
}

/// How much of two paths is common: 1 where one is the other or lies in it.
fn nearness(selected: &str, owner: &str) -> f64 {
    if is_within(owner, selected) {
        return 1.0;
    }
    let common = selected.split('.').zip(owner.split('.')).take_while(|(one, other)| one == other).count();
    common as f64 / selected.split('.').count().max(owner.split('.').count()) as f64
}

/// Whether a path is another one or lies below it.
pub(super) fn is_within(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::super::observed::{Counts, Volume};
    use super::*;

    fn observed() -> Observed {
        let volume =
            Volume { component: 1, host: Some(0), lines: Counts::default(), errors: Counts::default() };
        Observed {
            components: vec!["shop".into(), "shop.cart".into()],
            hosts: vec!["h1".into(), "h2".into()],
            volumes: vec![volume],
            context: Context { components: vec!["shop.cart".into()], ..Context::default() },
            ..Observed::default()
        }
    }

    #[test]
    fn a_series_belongs_to_a_component_else_to_a_host_else_to_its_branch() {
        let observed = observed();
        let tree = Tree::of(&observed);
        let check = |path: &str, owner: &str| assert_eq!(tree.owner(path), owner, "{path}");
        check("shop.cart.add.ms", "shop.cart");
        check("shop.carts.add.ms", "shop");
        check("servers.h1.cpu.user", "h1");
        check("disks.sda.used", "disks.sda");
        check("load", "load");
        check("a.b;k=v.w", "a");
    }

    #[test]
    fn what_is_selected_is_nearest_then_its_host_then_its_kin() {
        let observed = observed();
        let tree = Tree::of(&observed);
        let near = |owner: &str| tree.closeness(owner, &tree.hosts_in(owner));
        assert!((near("shop.cart.add") - 1.0).abs() < 1e-9);
        assert!((near("h1") - 0.5).abs() < 1e-9 && near("h2") < 1e-9);
        assert!((near("shop.mail") - 0.5).abs() < 1e-9);
    }
}

//! A dashboard for whoever has written none: what the names of the metrics alone tell.
//!
//! Metrics that share a parent and, by their names, a unit share a panel. When that makes too many panels, those that
//! differ in one node only (hosts, shards, processors) become one, and where there is room each last name, which may be
//! of any size, gets one of its own; when that is not enough, each part of the tree gets its turn until the page is full.

use crate::store::metrics::OWN_FIGURES;
use sonde_shared::dashboard::{Dashboard, Panel};
use sonde_shared::glob::Glob;
use std::collections::{BTreeMap, BTreeSet};

/// The dashboard's title.
pub(super) const TITLE: &str = "All metrics";
/// As many panels as a page can be read with.
const MAX_PANELS: usize = 12;
/// As many lines as a chart can be read with.
const MAX_SERIES: usize = 24;

/// Series of one panel: every choice of a name in each node of the parent, joined with every leaf.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    parent: Vec<BTreeSet<String>>,
    leaves: BTreeSet<String>,
    unit: &'static str,
}

/// Makes the dashboard. Names that hold a glob's own characters cannot be asked for and are left out.
pub fn from_metrics<S: AsRef<str>>(paths: impl IntoIterator<Item = S>) -> Dashboard {
    let paths: Vec<S> = paths.into_iter().collect();
    let mut groups = by_parent(&paths);
    let depth = groups.iter().map(|group| group.parent.len()).max().unwrap_or(0);
    for position in 0..depth {
        if groups.len() > MAX_PANELS {
            groups = merge_at(position, groups);
        }
    }
    groups = name_by_name(groups, depth);
    let panels = spread(by_leaf(groups)).iter().map(|group| group.panel(&paths)).collect();
    Dashboard { title: TITLE.to_owned(), range: None, panels }.with_ids()
}

fn by_parent<S: AsRef<str>>(paths: &[S]) -> Vec<Group> {
    let mut leaves: BTreeMap<(String, &'static str), BTreeSet<String>> = BTreeMap::new();
    for path in paths {
        let path = path.as_ref();
        // Figures of Sonde itself would come before what is looked for.
        if path.contains(['*', '?', '[', ']', '{', '}', ',']) || path.starts_with(OWN_FIGURES) {
            continue;
        }
        let (parent, leaf) = path.rsplit_once('.').unwrap_or(("", path));
        leaves.entry((parent.to_owned(), unit_of(path))).or_default().insert(leaf.to_owned());
    }
    let group = |((parent, unit), leaves): ((String, &'static str), BTreeSet<String>)| {
        let nodes = parent.split('.').filter(|_| !parent.is_empty());
        Group { parent: nodes.map(|node| BTreeSet::from([node.to_owned()])).collect(), leaves, unit }
    };
    leaves.into_iter().map(group).collect()
}

/// Joins groups that differ in nothing but this node of their parents.
fn merge_at(position: usize, groups: Vec<Group>) -> Vec<Group> {
    let mut merged: BTreeMap<Group, BTreeSet<String>> = BTreeMap::new();
    for mut group in groups {
        let own = group.parent.get_mut(position).map(std::mem::take).unwrap_or_default();
        merged.entry(group).or_default().extend(own);
    }
    let put_back = |(mut group, names): (Group, BTreeSet<String>)| {
        if let Some(node) = group.parent.get_mut(position) {
            *node = names;
        }
        group
    };
    merged.into_iter().map(put_back).collect()
}

/// Also of few hosts, which would have a page: where each says several things whose unit no name tells, these are shown name by name
/// rather than host by host, if all of them find room.
fn name_by_name(groups: Vec<Group>, depth: usize) -> Vec<Group> {
    let is_mixed = |group: &&Group| group.unit.is_empty() && group.leaves.len() > 1;
    let hosts: BTreeSet<_> = groups.iter().filter(is_mixed).map(|group| group.parent.clone()).collect();
    let (mixed, clear) = groups.iter().cloned().partition(|group| hosts.contains(&group.parent));
    let merged = (0..depth).fold(mixed, |mixed: Vec<Group>, position| merge_at(position, mixed));
    let merged: Vec<Group> = [clear, merged].concat();
    let panels = by_leaf(merged.clone());
    let is_readable = |group: &Group| group.len() <= MAX_SERIES;
    if panels.len() <= MAX_PANELS && panels.iter().all(is_readable) { merged } else { groups }
}

/// What several hosts say, name by name: side by side loads, bytes and counts would share a scale. Only where the names tell no
/// unit or a chart cannot show all, and as long as there is room.
fn by_leaf(groups: Vec<Group>) -> Vec<Group> {
    let mut count = groups.len();
    let mut split = Vec::with_capacity(count);
    for group in groups {
        let is_merged = group.parent.iter().any(|names| names.len() > 1);
        let more = group.leaves.len() - 1;
        if is_merged && (group.unit.is_empty() || group.len() > MAX_SERIES) && count + more <= MAX_PANELS {
            count += more;
            let alone = |leaf: &String| Group { leaves: BTreeSet::from([leaf.clone()]), ..group.clone() };
            split.extend(group.leaves.iter().map(alone));
        } else {
            split.push(group);
        }
    }
    split
}

/// At most [`MAX_PANELS`] groups: each first node gets its turn, and in its turns each second node.
fn spread(groups: Vec<Group>) -> Vec<Group> {
    let first_nodes = |count: usize| {
        move |group: &Group| group.title().split('.').take(count).collect::<Vec<_>>().join(".")
    };
    let mut taken = in_turn(in_turn(groups, first_nodes(2)), first_nodes(1));
    taken.truncate(MAX_PANELS);
    taken.sort_by_key(Group::title);
    taken
}

/// The same groups, the first of each key first, then the second of each, and so on.
fn in_turn(groups: Vec<Group>, key: impl Fn(&Group) -> String) -> Vec<Group> {
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    let mut placed: Vec<(usize, String, Group)> = Vec::new();
    for group in groups {
        let key = key(&group);
        let turn = turns.entry(key.clone()).or_default();
        placed.push((*turn, key, group));
        *turn += 1;
    }
    placed.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    placed.into_iter().map(|(_, _, group)| group).collect()
}

impl Group {
    fn panel<S: AsRef<str>>(&self, paths: &[S]) -> Panel {
        let target = self.target(paths);
        // The id is in addresses, so it has no number of series in it, which would change.
        let id = self.title().replace('*', "all");
        let unit = self.unit.to_owned();
        Panel { id, title: self.full_title(), targets: vec![target], unit, ..Panel::default() }
    }

    /// The series as one glob. It has stars, which those that come later fit too, where these say the same as the names.
    fn target<S: AsRef<str>>(&self, paths: &[S]) -> String {
        let mut room = MAX_SERIES;
        let leaves = choice(&self.leaves, &mut room);
        let nodes: Vec<String> = self.parent.iter().map(|names| choice(names, &mut room)).collect();
        let joined = |nodes: &[String]| nodes.iter().chain([&leaves]).cloned().collect::<Vec<_>>().join(".");
        let named = joined(&nodes);
        if self.len() > MAX_SERIES {
            return named;
        }
        let star = |(names, node): (&BTreeSet<String>, &String)| {
            if names.len() > 1 { "*".to_owned() } else { node.clone() }
        };
        let starred = joined(&self.parent.iter().zip(&nodes).map(star).collect::<Vec<_>>());
        let (Ok(wide), Ok(exact)) = (Glob::parse(&starred), Glob::parse(&named)) else { return named };
        let is_more = |path: &S| wide.matches(path.as_ref()) && !exact.matches(path.as_ref());
        if paths.iter().any(is_more) { named } else { starred }
    }

    /// How many series there are at most.
    fn len(&self) -> usize {
        self.parent.iter().map(BTreeSet::len).product::<usize>() * self.leaves.len()
    }

    /// The parent with a star for each node that varies, and the leaves as far as they fit.
    fn title(&self) -> String {
        let node = |names: &BTreeSet<String>| match names.first() {
            Some(name) if names.len() == 1 => name.clone(),
            _ => "*".to_owned(),
        };
        let parent = self.parent.iter().map(node).collect::<Vec<_>>().join(".");
        match (parent.is_empty(), self.leaves.len()) {
            (true, 1..=3) => self.leaves.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            (false, 1) => format!("{parent}.{}", node(&self.leaves)),
            (false, 2..=3) => {
                format!("{parent}: {}", self.leaves.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
            }
            (true, count) => format!("{count} metrics"),
            (false, count) => format!("{parent}: {count} metrics"),
        }
    }

    /// As [`Group::title`], and how many series there are when the chart cannot show all.
    fn full_title(&self) -> String {
        let all = self.len();
        if all > MAX_SERIES { format!("{} (some of {all} series)", self.title()) } else { self.title() }
    }
}

/// A glob node for these names, or for as many of them as there is room for; the room shrinks by what was taken.
fn choice(names: &BTreeSet<String>, room: &mut usize) -> String {
    let taken: Vec<&str> = names.iter().take((*room).max(1)).map(String::as_str).collect();
    *room /= taken.len().max(1);
    match taken.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("{{{}}}", many.join(",")),
    }
}

/// The unit that a path's words tell of; empty when they tell none.
fn unit_of(path: &str) -> &'static str {
    let leaf = path.rsplit('.').next().unwrap_or(path).to_lowercase();
    let words: Vec<&str> = path.split(['.', '_', '-']).collect();
    let is_percent =
        |word: &&str| ["percent", "percentage", "pct"].iter().any(|name| word.eq_ignore_ascii_case(name));
    let unit = leaf.rsplit(['_', '-']).find_map(|word| match word {
        "ms" | "msec" | "msecs" | "millis" | "milliseconds" => Some("ms"),
        "s" | "sec" | "secs" | "seconds" => Some("s"),
        "bytes" | "octets" => Some("bytes"),
        "wait" | "iowait" | "cpu" => Some("%"),
        _ => None,
    });
    if words.iter().any(is_percent) { "%" } else { unit.unwrap_or("") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: &[(&str, &str, &str)]) {
        let board = from_metrics(paths);
        let panels: Vec<_> = board
            .panels
            .iter()
            .map(|panel| (panel.title.as_str(), panel.targets[0].as_str(), panel.unit.as_str()))
            .collect();
        assert_eq!(panels, expected);
    }

    #[test]
    fn a_parent_and_a_unit_make_a_panel() {
        check(
            &["shop.cart.open_ms", "shop.cart.adds", "shop.cart.removes", "shop.cart.pay_ms", "uptime"],
            &[
                ("shop.cart: adds, removes", "shop.cart.{adds,removes}", ""),
                ("shop.cart: open_ms, pay_ms", "shop.cart.{open_ms,pay_ms}", "ms"),
                ("uptime", "uptime", ""),
            ],
        );
    }

    #[test]
    fn no_metrics_make_no_panels() {
        check(&[], &[]);
        check(&["a.{b,c}", "a.*"], &[]);
    }

    #[test]
    fn hosts_that_say_the_same_share_panels() {
        let paths: Vec<String> = (1..=9)
            .flat_map(|host| {
                ["load.short", "df.root.used_bytes"].map(|leaf| format!("collectd.h{host}.{leaf}"))
            })
            .collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let bytes = ("collectd.*.df.root.used_bytes", "collectd.*.df.root.used_bytes", "bytes");
        check(&paths, &[bytes, ("collectd.*.load.short", "collectd.*.load.short", "")]);
        // A star would say more than the names do: this one cannot be asked for, so it is left out.
        let odd = [&paths[..], &["collectd.[h].load.short"]].concat();
        let hosts = "{h1,h2,h3,h4,h5,h6,h7,h8,h9}";
        check(&odd, &[bytes, ("collectd.*.load.short", &format!("collectd.{hosts}.load.short"), "")]);
    }

    #[test]
    fn what_hosts_say_is_shown_name_by_name_where_there_is_room() {
        let hosts = |count: u32, leaves: &[&str]| -> Vec<String> {
            let of_host = |host: u32| leaves.iter().map(move |leaf| format!("web{host}.{leaf}"));
            (1..=count).flat_map(of_host).collect()
        };
        let titles = |paths: &[String]| {
            from_metrics(paths).panels.into_iter().map(|panel| panel.title).collect::<Vec<_>>()
        };
        assert_eq!(
            titles(&hosts(9, &["cpu", "latency", "mem", "requests"])),
            ["*.cpu", "*.latency", "*.mem", "*.requests"]
        );
        // Those of a unit that the names tell share a scale, while a chart can show them all.
        assert_eq!(titles(&hosts(9, &["cpu", "read_ms", "write_ms"])), ["*.cpu", "*: read_ms, write_ms"]);
        let many: Vec<String> = (0..13).map(|number| format!("m{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(titles(&hosts(14, &many)), ["*: 13 metrics (some of 182 series)"]);
    }

    #[test]
    fn of_few_hosts_too_each_name_has_a_chart_and_what_has_no_like_stays_together() {
        let of_host = |host: &'static str| ["cpu", "latency", "mem"].map(|leaf| format!("{host}.{leaf}"));
        let paths: Vec<String> = ["web1", "web2", "web3"].into_iter().flat_map(of_host).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).chain(["db.reads", "db.writes"]).collect();
        check(
            &paths,
            &[
                ("*.cpu", "*.cpu", "%"),
                ("*.latency", "*.latency", ""),
                ("*.mem", "*.mem", ""),
                ("db: reads, writes", "db.{reads,writes}", ""),
            ],
        );
    }

    #[test]
    fn panels_keep_their_ids_while_hosts_come_and_go() {
        let ids = |hosts: u32| {
            let paths = (0..hosts).map(|host| format!("h{host}.load.short"));
            from_metrics(paths).panels.into_iter().map(|panel| panel.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(13), ["all.load.short"]);
        assert_eq!(ids(100), ids(13));
    }

    #[test]
    fn a_big_installation_still_makes_a_page() {
        let paths = (0..20).flat_map(|a| {
            (0..20).flat_map(move |b| (0..100).map(move |c| format!("top{a}.sub{b}.m{a}x{b}.n{c}")))
        });
        let paths: Vec<String> = paths.collect();
        let board = from_metrics(&paths);
        assert_eq!(board.panels.len(), MAX_PANELS);
        for panel in &board.panels {
            let glob = Glob::parse(&panel.targets[0]).unwrap();
            let shown = paths.iter().filter(|path| glob.matches(path)).count();
            assert!((1..=MAX_SERIES).contains(&shown), "{} shows {shown}", panel.title);
            assert!(panel.title.contains("(some of 100 series)"));
        }
        let tops: BTreeSet<&str> =
            board.panels.iter().filter_map(|panel| panel.title.split('.').next()).collect();
        assert_eq!(tops.len(), MAX_PANELS, "every panel is of another part: {tops:?}");
    }

    #[test]
    fn units_are_told_by_words() {
        let check = |path: &str, unit: &str| assert_eq!(unit_of(path), unit, "{path}");
        check("a.pay_ms", "ms");
        check("a.took_seconds", "s");
        check("net.eth0.if_octets", "bytes");
        check("df.root.percent_bytes-free", "%");
        check("box.io.wait", "%");
        check("host.cpu-0.cpu-idle", "%");
        check("a.requests", "");
        check("a.items", "");
        check("ü.ß", "");
    }
}

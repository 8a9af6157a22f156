//! Series that go on under another name: which branches of the tree of names do.

use super::lives::{Life, about, enough, take_overs};
use super::observed::{Grid, Nature, Series};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;

/// Whether things beside each other are of one kind is told from so many of them.
const ENOUGH_BESIDE: usize = 16;

/// Two branches are alike where so large a part of their series is about as high.
const ALIKE: f64 = 0.5;
/// So many former names are shown.
const MOST_IN_A_GLOB: usize = 15;

/// Hosts by their names: for each that took over from another the name of that; none for others.
pub type Hosts<'a> = BTreeMap<&'a str, Option<&'a str>>;

/// Series that go on under other names: the places of each, the earliest first. What is called like a host goes on as that does.
pub fn of_series(series: &[Series], hosts: &Hosts<'_>, grid: &Grid) -> Vec<Vec<usize>> {
    let filled = |series: &Series| {
        Life::of(series.values.iter().enumerate().filter(|(_, value)| value.is_finite()).map(|(at, _)| at))
    };
    let lives: Vec<Option<Life>> = series.iter().map(filled).collect();
    let Some(all) = lives.iter().flatten().copied().reduce(Life::with) else { return Vec::new() };
    if !lives.iter().flatten().any(|life| life.has_begun(&all)) {
        return Vec::new();
    }
    let names: Vec<Cow<'_, str>> = series.iter().map(|series| tags_first(&series.path)).collect();
    let mut order: Vec<usize> = (0..series.len()).filter(|at| lives[*at].is_some()).collect();
    order.sort_unstable_by(|one, other| names[*one].cmp(&names[*other]));
    let heights: Vec<OnceCell<Height>> = vec![OnceCell::new(); series.len()];
    let walk = Walk { series, names: &names, lives: &lives, all: &all, heights: &heights, hosts };
    let mut former = BTreeMap::new();
    walk.descend(&order, 0, about(grid), &mut former);
    chains(&former)
}

/// A name with its tags as the first node, so that all that bears the same ones is one branch.
fn tags_first(path: &str) -> Cow<'_, str> {
    path.split_once(';').map_or(Cow::Borrowed(path), |(bare, tags)| {
        Cow::Owned(format!(";{}.{bare}", tags.replace('.', "\u{1}")))
    })
}

/// The names of a series as one glob, the last ones of many; none where it has but one, or they differ in more than a node.
pub(super) fn glob(series: &Series) -> Option<String> {
    let last = &series.former[series.former.len().saturating_sub(MOST_IN_A_GLOB)..];
    let names = || last.iter().chain([&series.path]).map(|name| name.split('.').collect::<Vec<_>>());
    let path = names().next_back()?;
    let differs = |at: &usize| names().any(|name| name.get(*at) != path.get(*at));
    let mut other = (0..path.len()).filter(differs);
    let (node, None) = (other.next()?, other.next()) else { return None };
    let is_plain = |name: &str| !name.contains(['*', '?', '[', ']', '{', '}', ',', ';', '(', ')', '"', '\'']);
    if names().any(|name| name.len() != path.len()) || !names().all(|name| is_plain(name[node])) {
        return None;
    }
    let each: Vec<&str> = names().map(|name| name[node]).collect();
    let all = format!("{{{}}}", each.join(","));
    Some([&path[..node], &[&*all], &path[node + 1..]].concat().join("."))
}

/// Each that has none after it, with those before it.
fn chains(former: &BTreeMap<usize, usize>) -> Vec<Vec<usize>> {
    let before: BTreeSet<&usize> = former.values().collect();
    let last = former.keys().filter(|new| !before.contains(new));
    let chain = |new: &usize| {
        let mut chain: Vec<usize> = iter::successors(Some(*new), |at| former.get(at).copied()).collect();
        chain.reverse();
        chain
    };
    last.map(chain).collect()
}

/// A branch of the tree, or a leaf.
struct Branch<'a> {
    name: &'a str,
    life: Life,
    /// Its series, each by what of its name is below the branch.
    below: BTreeMap<&'a str, usize>,
}

impl Branch<'_> {
    /// How much of what they hold has the same names.
    fn common(&self, other: &Self) -> Option<f64> {
        let both = self.below.keys().filter(|name| other.below.contains_key(*name)).count();
        enough(both, self.below.len() + other.below.len() - both)
    }
}

/// Between what a series moves.
#[derive(Clone, Copy, Debug)]
struct Height {
    nature: Nature,
    least: f32,
    most: f32,
    middle: f32,
}

impl Height {
    fn of(series: &Series) -> Self {
        let mut known: Vec<f32> = series.values.iter().copied().filter(|value| value.is_finite()).collect();
        let (least, most) = known
            .iter()
            .fold((f32::NAN, f32::NAN), |(least, most), value| (value.min(least), value.max(most)));
        let at = known.len().saturating_sub(1) / 2;
        let middle =
            if known.is_empty() { f32::NAN } else { *known.select_nth_unstable_by(at, f32::total_cmp).1 };
        Self { nature: series.nature, least, most, middle }
    }

    /// Whether another one is about as high; unknown where they are not of one nature.
    fn holds(&self, other: &Self) -> Option<bool> {
        (self.nature == other.nature).then(|| (self.least..=self.most).contains(&other.middle))
    }
}

/// Goes down the tree of names, from the root to what began late or ended early as a whole.
struct Walk<'a> {
    series: &'a [Series],
    names: &'a [Cow<'a, str>],
    lives: &'a [Option<Life>],
    all: &'a Life,
    heights: &'a [OnceCell<Height>],
    hosts: &'a Hosts<'a>,
}

impl<'a> Walk<'a> {
    /// `order` are series by their names, which are the same up to `depth`. What goes on for what is told by their places.
    fn descend(&self, order: &[usize], depth: usize, about: usize, former: &mut BTreeMap<usize, usize>) {
        let rest = |at: usize| &self.names[at][depth..];
        let life = |at: &usize| self.lives[*at];
        let is_part = |below: &[usize]| below.iter().filter_map(life).any(|life| life.is_part(self.all));
        let mut beside: Vec<Branch<'a>> = Vec::new();
        let mut is_any_part = false;
        for below in order.chunk_by(|one, other| node(rest(*one)) == node(rest(*other))) {
            let Some(whole) = below.iter().filter_map(life).reduce(Life::with) else { continue };
            let name = node(&self.names[below[0]][depth..]);
            let end = depth + name.len();
            if whole.is_part(self.all) {
                is_any_part = true;
            } else if below.len() > 1 && is_part(below) {
                self.descend(below, end, about, former);
                continue;
            }
            let names = below.iter().map(|at| (&self.names[*at][end..], *at));
            beside.push(Branch { name: name.trim_end_matches('.'), life: whole, below: names.collect() });
        }
        if is_any_part {
            self.pair(&beside, about, former);
        }
    }

    fn pair(&self, beside: &[Branch<'_>], about: usize, former: &mut BTreeMap<usize, usize>) {
        let lives: Vec<Life> = beside.iter().map(|branch| branch.life).collect();
        let of_one_kind: Vec<OnceCell<bool>> = vec![OnceCell::new(); beside.len()];
        let replaced: BTreeSet<&str> = self.hosts.values().copied().flatten().collect();
        let likeness = |old: usize, new: usize| {
            let (before, after) = (&beside[old], &beside[new]);
            let common = before.common(after)?;
            let goes_on = self.hosts.get(after.name).copied().flatten();
            if goes_on.is_some() || replaced.contains(before.name) {
                return (goes_on == Some(before.name)).then_some(common + 1.0);
            }
            let alike = self.alike(before, after);
            let are_of_one_kind = || {
                *of_one_kind[old]
                    .get_or_init(|| before.below.len() > 1 && self.is_of_one_kind(before, beside))
            };
            (alike >= ALIKE || are_of_one_kind()).then_some(common + alike)
        };
        for (old, new) in take_overs(&lives, self.all, about, likeness) {
            let same = beside[new].below.iter();
            former.extend(same.filter_map(|(name, new)| Some((*new, *beside[old].below.get(name)?))));
        }
    }

    /// Whether all that was beside something before, and holds the same names, is about as high as it: instances of one service.
    fn is_of_one_kind(&self, one: &Branch<'_>, beside: &[Branch<'_>]) -> bool {
        let others = beside.iter().filter(|other| other.name != one.name && !other.life.has_begun(self.all));
        others
            .filter(|other| one.common(other).is_some())
            .take(ENOUGH_BESIDE)
            .all(|other| self.alike(one, other).max(self.alike(other, one)) >= ALIKE)
    }

    /// The part of what both hold that is about as high; none where nothing can be compared.
    fn alike(&self, one: &Branch<'_>, other: &Branch<'_>) -> f64 {
        let height = |at: usize| self.heights[at].get_or_init(|| Height::of(&self.series[at]));
        let both = one.below.iter().filter_map(|(name, at)| Some((*at, *other.below.get(name)?)));
        let (mut held, mut all) = (0.0, 0.0_f64);
        for is_held in both.filter_map(|(one, other)| height(one).holds(height(other))) {
            (held, all) = (held + f64::from(u8::from(is_held)), all + 1.0);
        }
        held / all.max(1.0)
    }
}

/// The next node of a name with its dot, or all that is left.
fn node(rest: &str) -> &str {
    rest.find('.').map_or(rest, |at| &rest[..=at])
}

#[cfg(test)]
mod tests {
    use super::super::observed::Trial;
    use super::*;
    use std::ops::Range;

    fn grid() -> Grid {
        Grid::unbroken(0, 10_000, Trial { selection: 48..60, baseline: 0..47 })
    }

    fn of(path: &str, there: Range<usize>, high: f32) -> Series {
        let value = |at: usize| if there.contains(&at) { high + (at % 3) as f32 } else { f32::NAN };
        Series { path: path.to_owned(), values: (0..60).map(value).collect(), ..Series::default() }
    }

    /// The names of what goes on under others, beside one that is always there.
    fn found(series: &[(&str, Range<usize>, f32)]) -> Vec<String> {
        let series = series.iter().map(|(path, there, high)| of(path, there.clone(), *high));
        let series: Vec<Series> = series.chain([of("still.cpu", 0..60, 5.0)]).collect();
        let name = |at: &usize| &*series[*at].path;
        let mut found: Vec<String> = of_series(&series, &Hosts::new(), &grid())
            .iter()
            .map(|chain| chain.iter().map(name).collect::<Vec<_>>().join(" "))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn an_instance_that_begins_where_its_like_ends_goes_on_for_it() {
        let both = |old: Range<usize>, new: Range<usize>| {
            found(&[
                ("shop.a-1.cpu", old.clone(), 30.0),
                ("shop.a-1.heap", old, 900.0),
                ("shop.a-2.cpu", new.clone(), 90.0),
                ("shop.a-2.heap", new, 500.0),
            ])
        };
        let pairs = ["shop.a-1.cpu shop.a-2.cpu", "shop.a-1.heap shop.a-2.heap"];
        assert_eq!(both(0..52, 52..60), pairs);
        // In the baseline, too, with some time of both or of neither.
        assert_eq!(both(0..32, 30..60), pairs);
        assert_eq!(both(0..30, 33..60), pairs);
        // What begins long after, or was there before, is another one.
        let none: [&str; 0] = [];
        assert_eq!(both(0..30, 50..60), none);
        assert_eq!(both(0..52, 0..60), none);
        assert_eq!(both(0..60, 52..60), none);
    }

    #[test]
    fn each_goes_on_for_one_and_one_after_the_other() {
        let several = [
            ("a-1.cpu", 0..20, 3.0),
            ("a-1.heap", 0..20, 3.0),
            ("a-2.cpu", 20..40, 3.0),
            ("a-2.heap", 20..40, 3.0),
            ("a-3.cpu", 40..60, 3.0),
            ("a-3.heap", 40..60, 3.0),
            ("a-4.cpu", 42..60, 3.0),
            ("a-4.heap", 42..60, 3.0),
        ];
        assert_eq!(found(&several), ["a-1.cpu a-2.cpu a-3.cpu", "a-1.heap a-2.heap a-3.heap"]);
    }

    #[test]
    fn what_holds_something_else_or_stands_elsewhere_does_not() {
        let none: [&str; 0] = [];
        let (old, new) = (0..50, 50..60);
        let other = |new_ones: [&str; 2]| {
            found(&[
                ("shop.a.cpu", old.clone(), 3.0),
                ("shop.a.heap", old.clone(), 3.0),
                (new_ones[0], new.clone(), 3.0),
                (new_ones[1], new.clone(), 3.0),
                ("shop.z.cpu", 0..60, 3.0),
            ])
        };
        assert_eq!(other(["shop.b.cpu", "shop.b.heap"]).len(), 2);
        assert_eq!(other(["shop.b.reads", "shop.b.writes"]), none);
        assert_eq!(other(["mail.b.cpu", "mail.b.heap"]), none);
    }

    #[test]
    fn a_single_series_must_be_about_as_high() {
        let leaf = |high: f32| {
            found(&[("db.used.sda", 0..50, 40.0), ("db.used.sdb", 50..60, high), ("db.n", 0..60, 1.0)])
        };
        assert_eq!(leaf(41.0), ["db.used.sda db.used.sdb"]);
        assert!(leaf(400.0).is_empty());
        let tagged = |new: &str| found(&[("used;pod=a.1", 0..50, 40.0), (new, 50..60, 40.0)]);
        assert_eq!(tagged("used;pod=b.2"), ["used;pod=a.1 used;pod=b.2"]);
        assert!(tagged("free;pod=b.2").is_empty());
    }

    /// Two services' instances beside each other, of which one each ends and begins; `high` are the new ones'.
    fn in_a_flat_tree(high: [f32; 2], hosts: &Hosts<'_>) -> Vec<String> {
        let instance = |name: &str, there: Range<usize>, high: f32| {
            [("cpu", high), ("heap", 10.0 * high)]
                .map(|(leaf, high)| of(&format!("{name}.{leaf}"), there.clone(), high))
        };
        let series = [
            instance("a-1", 0..52, 30.0),
            instance("b-1", 0..52, 300.0),
            instance("a-0", 0..60, 30.0),
            instance("b-0", 0..60, 300.0),
            instance("x-2", 52..60, high[0]),
            instance("y-2", 52..60, high[1]),
        ]
        .concat();
        let chains = of_series(&series, hosts, &grid()).into_iter().map(|chain| {
            let names: Vec<&str> = chain.iter().map(|at| &*series[*at].path).collect();
            names.join(" ")
        });
        chains.filter(|chain| chain.ends_with("cpu")).collect()
    }

    #[test]
    fn beside_things_of_several_kinds_it_goes_on_for_what_was_about_as_high() {
        let none = Hosts::new();
        assert_eq!(in_a_flat_tree([300.0, 30.0], &none), ["b-1.cpu x-2.cpu", "a-1.cpu y-2.cpu"]);
        assert_eq!(in_a_flat_tree([300.0, 9_000.0], &none), ["b-1.cpu x-2.cpu"]);
        // Or for what it goes on for as a host, however high it is.
        let hosts = Hosts::from([("a-1", None), ("b-1", None), ("x-2", Some("a-1")), ("y-2", None)]);
        assert_eq!(in_a_flat_tree([300.0, 9_000.0], &hosts), ["a-1.cpu x-2.cpu"]);
        // Of hosts that are not known to go on for others it is told as of any.
        assert_eq!(in_a_flat_tree([300.0, 300.0], &hosts), ["a-1.cpu x-2.cpu", "b-1.cpu y-2.cpu"]);
    }

    #[test]
    fn what_bears_the_same_tags_goes_on_together() {
        let tagged = |pod: &str, there: Range<usize>, high: f32| {
            [
                of(&format!("shop.ms;pod={pod}"), there.clone(), high),
                of(&format!("shop.heap;pod={pod}"), there, 5.0),
            ]
        };
        let series = [tagged("a.1", 0..52, 30.0), tagged("a.2", 52..60, 90.0)].concat();
        assert_eq!(of_series(&series, &Hosts::new(), &grid()), [[0, 2], [1, 3]]);
    }

    #[test]
    fn all_names_are_one_glob_where_they_differ_in_one_node() {
        let glob = |former: &[&str], path: &str| {
            let former = former.iter().map(|name| (*name).to_owned()).collect();
            glob(&Series { path: path.to_owned(), former, ..Series::default() })
        };
        assert_eq!(glob(&["a.x1.cpu", "a.x2.cpu"], "a.x3.cpu").as_deref(), Some("a.{x1,x2,x3}.cpu"));
        assert_eq!(glob(&[], "a.x3.cpu"), None);
        assert_eq!(glob(&["a.x1.cpu"], "b.x3.cpu"), None);
        assert_eq!(glob(&["a.x1"], "a.x3.cpu"), None);
        assert_eq!(glob(&["a.x,1.cpu"], "a.x3.cpu"), None);
    }
}

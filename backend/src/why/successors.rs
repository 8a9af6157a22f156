//! What goes on under another name.
//!
//! Containers, pods and instances are called otherwise each time that they are started anew: all that bears the name ends, and the like of it
//! begins beside it. Nothing happened otherwise than before, so both are one thing, which may still have more or less than it did. They
//! are one where they stand in one place of the tree, the one begins about when the other ends, and both hold the same. Names count as
//! equal or not; how they are spelled says nothing.

use super::observed::{Grid, Nature, Observed, Pattern, Series, Volume};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;

/// From this part of what both hold in common on they are alike.
const SAME_PARTS: f64 = 0.65;
/// One may begin so large a part of the selection before the other ends, or later.
const ABOUT: usize = 4;
/// What is missing for so many times as long as usual has ended.
const PAUSES: usize = 2;
/// Of what something may go on for so many are kept in mind, the likest.
const MOST_LIKE: usize = 16;
/// Whether things beside each other are of one kind is told from so many of them.
const ENOUGH_BESIDE: usize = 16;
/// Of fewer values or buckets with lines nobody knows when they end.
const LEAST: usize = 3;

/// When there is anything of something: buckets.
#[derive(Clone, Copy, Debug)]
struct Life {
    first: usize,
    last: usize,
    /// The longest time in it without anything.
    pause: usize,
    filled: usize,
}

impl Life {
    fn of(buckets: impl Iterator<Item = usize>) -> Option<Self> {
        let mut life: Option<Self> = None;
        for bucket in buckets {
            let so_far = life.get_or_insert(Self { first: bucket, last: bucket, pause: 0, filled: 0 });
            so_far.pause = so_far.pause.max(bucket - so_far.last);
            (so_far.last, so_far.filled) = (bucket, so_far.filled + 1);
        }
        life
    }

    /// That of both.
    fn with(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            pause: self.pause.max(other.pause),
            filled: self.filled.max(other.filled),
        }
    }

    fn has_begun(&self, all: &Self) -> bool {
        self.filled >= LEAST && self.first > all.first + PAUSES * self.pause
    }

    fn has_ended(&self, all: &Self) -> bool {
        self.filled >= LEAST && self.last + PAUSES * self.pause < all.last
    }

    fn is_part(&self, all: &Self) -> bool {
        self.has_begun(all) || self.has_ended(all)
    }
}

/// Pairs of what ended and what took over from it, each of at most one, the likest first. `likeness` is none for what is not alike.
fn take_overs(
    lives: &[Life],
    all: &Life,
    about: usize,
    likeness: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<(usize, usize)> {
    let ended: Vec<usize> = (0..lives.len()).filter(|at| lives[*at].has_ended(all)).collect();
    let mut pairs: Vec<(f64, usize, usize, usize)> = Vec::new();
    for new in (0..lives.len()).filter(|at| lives[*at].has_begun(all)) {
        let begins = lives[new].first;
        let near = ended.iter().filter_map(|old| {
            let life = &lives[*old];
            let (apart, reach) =
                (life.last.abs_diff(begins), about + PAUSES * life.pause.max(lives[new].pause));
            (*old != new && life.first < begins && apart <= reach).then_some((*old, apart))
        });
        let first = pairs.len();
        pairs.extend(near.filter_map(|(old, apart)| Some((likeness(old, new)?, apart, old, new))));
        pairs[first..].sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        pairs.truncate(first + MOST_LIKE);
    }
    pairs.sort_by(|one, other| {
        other.0.total_cmp(&one.0).then((one.1, one.2, one.3).cmp(&(other.1, other.2, other.3)))
    });
    let (mut replaced, mut taken) = (BTreeSet::new(), BTreeSet::new());
    pairs.retain(|(_, _, old, new)| {
        let is_free = !replaced.contains(old) && !taken.contains(new);
        is_free && replaced.insert(*old) && taken.insert(*new)
    });
    pairs.into_iter().map(|(_, _, old, new)| (old, new)).collect()
}

/// The part that so many in common are of all, if it is enough.
fn enough(both: usize, all: usize) -> Option<f64> {
    let part = both as f64 / all.max(1) as f64;
    Some(part).filter(|part| *part >= SAME_PARTS)
}

fn about(grid: &Grid) -> usize {
    grid.now.selection.len() / ABOUT + 1
}

/// When each of so many has lines. `of` says whose a volume is.
fn lives_of(
    volumes: &[Volume],
    (count, buckets): (usize, usize),
    of: impl Fn(&Volume) -> Option<u32>,
) -> Vec<Option<Life>> {
    let mut filled: Vec<Vec<bool>> = vec![Vec::new(); count];
    for volume in volumes {
        let Some(filled) = of(volume).and_then(|at| filled.get_mut(at as usize)) else { continue };
        filled.resize(buckets, false);
        for (bucket, _) in volume.lines.iter() {
            filled.get_mut(bucket).into_iter().for_each(|filled| *filled = true);
        }
    }
    let life = |filled: Vec<bool>| Life::of((0..filled.len()).filter(|bucket| filled[*bucket]));
    filled.into_iter().map(life).collect()
}

/// Pairs among those of which there is anything, by their places.
fn take_overs_of(
    lives: &[Option<Life>],
    grid: &Grid,
    likeness: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<(usize, usize)> {
    let Some(all) = lives.iter().flatten().copied().reduce(Life::with) else { return Vec::new() };
    let known: Vec<(usize, Life)> =
        lives.iter().enumerate().filter_map(|(at, life)| Some((at, (*life)?))).collect();
    let lives: Vec<Life> = known.iter().map(|(_, life)| *life).collect();
    let pairs = take_overs(&lives, &all, about(grid), |old, new| likeness(known[old].0, known[new].0));
    pairs.into_iter().map(|(old, new)| (known[old].0, known[new].0)).collect()
}

/// The hosts, by their places, that took over from others, and from which: they bear lines of the same components.
pub fn of_hosts(hosts: &[String], volumes: &[Volume], grid: &Grid) -> BTreeMap<usize, usize> {
    let mut components: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); hosts.len()];
    for volume in volumes {
        if let Some(of_host) = volume.host.and_then(|host| components.get_mut(host as usize)) {
            of_host.insert(volume.component);
        }
    }
    let likeness = |old: usize, new: usize| {
        let (one, other) = (&components[old], &components[new]);
        enough(one.intersection(other).count(), one.union(other).count())
    };
    let lives = lives_of(volumes, (hosts.len(), grid.len()), |volume| volume.host);
    take_overs_of(&lives, grid, likeness).into_iter().map(|(old, new)| (new, old)).collect()
}

/// The components, by their places, that go on under other names, and which these are: beside each other in the tree, most of the lines of each
/// are messages that the other has, too.
pub fn of_components(
    names: &[String],
    (patterns, volumes): (&[Pattern], &[Volume]),
    grid: &Grid,
) -> BTreeMap<u32, u32> {
    let lives = lives_of(volumes, (names.len(), grid.len()), |volume| Some(volume.component));
    let mut messages: BTreeMap<u32, BTreeMap<&str, u64>> = BTreeMap::new();
    for pattern in patterns {
        let sum = pattern.counts.iter().map(|(_, count)| u64::from(count)).sum();
        messages.entry(pattern.component).or_default().insert(&pattern.id, sum);
    }
    let parent = |at: usize| names[at].rsplit_once('.').map(|(parent, _)| parent);
    let known = |of: &BTreeMap<&str, u64>, other: &BTreeMap<&str, u64>| {
        let both = of.iter().filter(|(id, _)| other.contains_key(*id)).map(|(_, lines)| lines).sum::<u64>();
        enough(both as usize, of.values().sum::<u64>() as usize)
    };
    let likeness = |old: usize, new: usize| {
        if parent(old) != parent(new) {
            return None;
        }
        let (one, other) = (messages.get(&(old as u32))?, messages.get(&(new as u32))?);
        Some(known(one, other)?.min(known(other, one)?))
    };
    let next: BTreeMap<u32, u32> = take_overs_of(&lives, grid, likeness)
        .into_iter()
        .map(|(old, new)| (old as u32, new as u32))
        .collect();
    let last = |at: u32| iter::successors(Some(at), |at| next.get(at).copied()).last().unwrap_or(at);
    next.keys().map(|old| (*old, last(*old))).collect()
}

/// The names of hosts, and parts of series' names, that took over from others.
pub(super) fn names(observed: &Observed) -> BTreeSet<&str> {
    let hosts = of_hosts(&observed.hosts, &observed.volumes, &observed.grid)
        .into_keys()
        .filter_map(|host| observed.hosts.get(host));
    let nodes = observed.series.iter().flat_map(|series| {
        let former: BTreeSet<&str> = series.former.iter().flat_map(|name| name.split('.')).collect();
        series.path.split('.').filter(move |node| !former.is_empty() && !former.contains(node))
    });
    hosts.map(String::as_str).chain(nodes).collect()
}

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

/// All names of a series as one glob; none where it has but one, or they differ in more than a node.
pub(super) fn glob(series: &Series) -> Option<String> {
    let names = || series.former.iter().chain([&series.path]).map(|name| name.split('.').collect::<Vec<_>>());
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
        let likeness = |old: usize, new: usize| {
            let (before, after) = (&beside[old], &beside[new]);
            let common = before.common(after)?;
            if let (Some(known), true) = (self.hosts.get(after.name), self.hosts.contains_key(before.name)) {
                return (*known == Some(before.name)).then_some(common + 1.0);
            }
            let alike = self.alike(before, after);
            let are_of_one_kind = || {
                *of_one_kind[old]
                    .get_or_init(|| before.below.len() > 1 && self.is_of_one_kind(before, beside))
            };
            (alike >= 0.5 || are_of_one_kind()).then_some(common + alike)
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
            .all(|other| self.alike(one, other).max(self.alike(other, one)) >= 0.5)
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
    use super::super::observed::{Counts, Trial};
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
            ("a-4.cpu", 40..60, 3.0),
            ("a-4.heap", 40..60, 3.0),
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

    fn hosts_of(observed: &Observed) -> BTreeMap<usize, usize> {
        of_hosts(&observed.hosts, &observed.volumes, &observed.grid)
    }

    #[test]
    fn a_host_goes_on_for_another_with_lines_of_the_same_components() {
        let lines = |there: Range<usize>| Counts::new(there.map(|at| (at as u16, 2)).collect());
        let volume = |component, host, there| Volume {
            component,
            host: Some(host),
            lines: lines(there),
            ..Volume::default()
        };
        let observed = |of_new: u32| Observed {
            grid: grid(),
            components: vec!["shop".into(), "mail".into()],
            hosts: vec!["a-1".into(), "a-2".into(), "still".into()],
            volumes: vec![volume(0, 0, 0..52), volume(of_new, 1, 51..60), volume(1, 2, 0..60)],
            ..Observed::default()
        };
        assert_eq!(hosts_of(&observed(0)), BTreeMap::from([(1, 0)]));
        assert!(hosts_of(&observed(1)).is_empty());
        let named = Observed {
            series: vec![Series { former: vec!["db.x1.n".into()], ..of("db.x2.n", 0..60, 1.0) }],
            ..observed(0)
        };
        assert_eq!(names(&named), BTreeSet::from(["a-2", "x2"]));
    }

    #[test]
    fn a_component_goes_on_for_another_with_the_same_messages() {
        let lines = |there: Range<usize>| Counts::new(there.map(|at| (at as u16, 2)).collect());
        let spans = [0..20, 20..52, 52..60, 0..60, 52..60];
        let names = ["c1", "c2", "c3", "still", "other.c4"].map(str::to_owned);
        let volumes: Vec<Volume> = (0..5)
            .map(|at| Volume { component: at, lines: lines(spans[at as usize].clone()), ..Volume::default() })
            .collect();
        let pattern = |component: u32, id: &str| Pattern {
            component,
            id: id.to_owned(),
            counts: lines(spans[component as usize].clone()),
            ..Pattern::default()
        };
        let with = |of_third: &str| {
            let own = ["p", "p", of_third, "p", "p"];
            let patterns: Vec<Pattern> = (0..5).map(|at| pattern(at, own[at as usize])).collect();
            of_components(&names, (&patterns, &volumes), &grid())
        };
        assert_eq!(with("p"), BTreeMap::from([(0, 2), (1, 2)]));
        assert_eq!(with("q"), BTreeMap::from([(0, 1)]));
    }
}

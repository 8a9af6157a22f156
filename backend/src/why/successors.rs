//! What goes on under another name.
//!
//! Containers, pods and instances are called otherwise each time that they are started anew: all that bears the name ends, and the like of it
//! begins beside it. Nothing happened otherwise than before, so both are one thing, which may still have more or less than it did. They
//! are one where they stand in one place of the tree, the one begins about when the other ends, and both hold the same. Names count as
//! equal or not; how they are spelled says nothing.

use super::observed::{Grid, Nature, Observed, Pattern, Series, Volume};
use std::collections::{BTreeMap, BTreeSet};
use std::iter;

/// From this part of what both hold in common on they are alike.
const SAME_PARTS: f64 = 0.65;
/// One may begin so large a part of the selection before the other ends, or later.
const ABOUT: usize = 4;
/// What is missing for so many times as long as usual has ended.
const PAUSES: usize = 2;
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

/// Pairs of what ended and what took over from it, each of at most one, by when that began. `likeness` is none for what is not alike.
fn take_overs(
    lives: &[Life],
    all: &Life,
    about: usize,
    likeness: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<(usize, usize)> {
    let mut by_beginning: Vec<usize> = (0..lives.len()).filter(|at| lives[*at].has_begun(all)).collect();
    by_beginning.sort_by_key(|at| lives[*at].first);
    let (mut pairs, mut taken) = (Vec::new(), BTreeSet::new());
    for new in by_beginning {
        let begins = lives[new].first;
        let is_about = |old: &usize| {
            let life = &lives[*old];
            let reach = about + PAUSES * life.pause.max(lives[new].pause);
            life.first < begins && life.has_ended(all) && life.last.abs_diff(begins) <= reach
        };
        let free = (0..lives.len()).filter(|old| *old != new && !taken.contains(old)).filter(is_about);
        let alike = free.filter_map(|old| likeness(old, new).map(|likeness| (likeness, old)));
        let nearest = |old: usize| std::cmp::Reverse(lives[old].last.abs_diff(begins));
        let best = alike.max_by(|one, other| {
            one.0.total_cmp(&other.0).then_with(|| nearest(one.1).cmp(&nearest(other.1)))
        });
        if let Some((_, old)) = best {
            taken.insert(old);
            pairs.push((old, new));
        }
    }
    pairs
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
pub(super) fn of_hosts(observed: &Observed) -> BTreeMap<usize, usize> {
    let (count, grid) = (observed.hosts.len(), &observed.grid);
    let mut components: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); count];
    for volume in &observed.volumes {
        if let Some(of_host) = volume.host.and_then(|host| components.get_mut(host as usize)) {
            of_host.insert(volume.component);
        }
    }
    let likeness = |old: usize, new: usize| {
        let (one, other) = (&components[old], &components[new]);
        enough(one.intersection(other).count(), one.union(other).count())
    };
    let lives = lives_of(&observed.volumes, (count, grid.len()), |volume| volume.host);
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
    let hosts = of_hosts(observed).into_keys().filter_map(|host| observed.hosts.get(host));
    let nodes = observed.series.iter().flat_map(|series| {
        let former: BTreeSet<&str> = series.former.iter().flat_map(|name| name.split('.')).collect();
        series.path.split('.').filter(move |node| !former.is_empty() && !former.contains(node))
    });
    hosts.map(String::as_str).chain(nodes).collect()
}

/// Series that go on under other names: the places of each, the earliest first.
pub fn of_series(series: &[Series], grid: &Grid) -> Vec<Vec<usize>> {
    let filled = |series: &Series| {
        Life::of(series.values.iter().enumerate().filter(|(_, value)| value.is_finite()).map(|(at, _)| at))
    };
    let lives: Vec<Option<Life>> = series.iter().map(filled).collect();
    let Some(all) = lives.iter().flatten().copied().reduce(Life::with) else { return Vec::new() };
    let mut order: Vec<usize> = (0..series.len()).filter(|at| lives[*at].is_some()).collect();
    order.sort_unstable_by(|one, other| series[*one].path.cmp(&series[*other].path));
    let mut branches = BTreeMap::new();
    Walk { series, lives: &lives, all: &all }.descend(&order, 0, &mut branches);
    let mut former: BTreeMap<usize, usize> = BTreeMap::new();
    for beside in branches.values() {
        let lives: Vec<Life> = beside.iter().map(|branch| branch.life).collect();
        for (old, new) in take_overs(&lives, &all, about(grid), |old, new| beside[old].likeness(&beside[new]))
        {
            let same = beside[new].below.iter();
            former.extend(same.filter_map(|(name, new)| Some((*new, *beside[old].below.get(name)?))));
        }
    }
    chains(&former)
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

/// A branch of the tree, or a leaf, all of which began late or ended early.
struct Branch<'a> {
    life: Life,
    /// Its series, each by what of its name is below the branch.
    below: BTreeMap<&'a str, usize>,
    /// Of one that has a single series, how high that is.
    height: Option<Height>,
}

impl<'a> Branch<'a> {
    fn new(life: Life, below: BTreeMap<&'a str, usize>, all: &[Series]) -> Self {
        let single = below.values().next().filter(|_| below.len() == 1);
        Self { life, height: single.map(|at| Height::of(&all[*at])), below }
    }

    /// How much of what they hold has the same names. One series alone must be about as high as well.
    fn likeness(&self, new: &Self) -> Option<f64> {
        let is_other = |(old, new): (Height, Height)| !old.holds(new);
        if self.height.zip(new.height).is_some_and(is_other) {
            return None;
        }
        let both = self.below.keys().filter(|name| new.below.contains_key(*name)).count();
        enough(both, self.below.len() + new.below.len() - both)
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
        known.sort_unstable_by(f32::total_cmp);
        let at = |place: usize| known.get(place).copied().unwrap_or(f32::NAN);
        let last = known.len().saturating_sub(1);
        Self { nature: series.nature, least: at(0), most: at(last), middle: at(last / 2) }
    }

    fn holds(&self, new: Self) -> bool {
        self.nature == new.nature && (self.least..=self.most).contains(&new.middle)
    }
}

/// Goes down the tree of names, from the root to what began late or ended early as a whole.
struct Walk<'a> {
    series: &'a [Series],
    lives: &'a [Option<Life>],
    all: &'a Life,
}

impl<'a> Walk<'a> {
    /// `order` are series by their names, which are the same up to `depth`. Branches are told by where they stand.
    fn descend(&self, order: &[usize], depth: usize, found: &mut BTreeMap<&'a str, Vec<Branch<'a>>>) {
        let path = |at: usize| &*self.series[at].path;
        let life = |at: &usize| self.lives[*at];
        for below in order.chunk_by(|one, other| node(path(*one), depth) == node(path(*other), depth)) {
            if !below.iter().filter_map(life).any(|life| life.is_part(self.all)) {
                continue;
            }
            let Some(whole) = below.iter().filter_map(life).reduce(Life::with) else { continue };
            let end = depth + node(path(below[0]), depth).len();
            if whole.is_part(self.all) {
                let names = below.iter().map(|at| (&path(*at)[end..], *at));
                let branch = Branch::new(whole, names.collect(), self.series);
                found.entry(beside(path(below[0]), depth)).or_default().push(branch);
            } else if below.len() > 1 {
                self.descend(below, end, found);
            }
        }
    }
}

/// The next node of a name with its dot, or all that is left: a leaf has none, nor have tags.
fn node(path: &str, depth: usize) -> &str {
    let rest = &path[depth..];
    rest.find(['.', ';']).filter(|at| rest[*at..].starts_with('.')).map_or(rest, |at| &rest[..=at])
}

/// What those beside each other have in common: the branch, of tagged series the name, too.
fn beside(path: &str, depth: usize) -> &str {
    let rest = &path[depth..];
    if node(path, depth).ends_with('.') {
        &path[..depth]
    } else {
        rest.find(';').map_or(&path[..depth], |at| &path[..depth + at])
    }
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
        let mut found: Vec<String> = of_series(&series, &grid())
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
        assert_eq!(of_hosts(&observed(0)), BTreeMap::from([(1, 0)]));
        assert!(of_hosts(&observed(1)).is_empty());
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

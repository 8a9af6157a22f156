//! What goes on under another name.
//!
//! Containers, pods and instances are called otherwise each time that they are started anew: all that bears the name ends, and the like of it
//! begins beside it. Nothing happened otherwise than before, so both are one thing, which may still have more or less than it did. They
//! are one where they stand in one place of the tree, the one begins about when the other ends, and both hold the same. Names count as
//! equal or not; how they are spelled says nothing.

use super::lives::{Life, about, enough, take_overs};
use super::observed::{Grid, Observed, Pattern, Volume};
use super::quantity::read_quantity;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;

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

/// The names of hosts, and parts of series' names, that took over from others. A number is none: it may be a status.
pub(super) fn names(observed: &Observed) -> BTreeSet<&str> {
    let hosts = of_hosts(&observed.hosts, &observed.volumes, &observed.grid)
        .into_keys()
        .filter_map(|host| observed.hosts.get(host));
    let nodes = observed.series.iter().flat_map(|series| {
        let former: BTreeSet<&str> = series.former.iter().flat_map(|name| name.split('.')).collect();
        series.path.split('.').filter(move |node| !former.is_empty() && !former.contains(node))
    });
    hosts.map(String::as_str).chain(nodes).filter(|name| read_quantity(name).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::observed::{Counts, Series, Trial};
    use super::*;
    use std::ops::Range;

    fn grid() -> Grid {
        Grid::unbroken(0, 10_000, Trial { selection: 48..60, baseline: 0..47 })
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
            series: vec![
                Series { former: vec!["http.200.n".into()], path: "http.500.n".into(), ..Series::default() },
                Series { former: vec!["db.x1.n".into()], path: "db.x2.n".into(), ..Series::default() },
            ],
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

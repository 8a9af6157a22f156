//! Patterns, components and hosts as candidates: how many lines there are, how many of them are errors, and what stopped.

use super::bursts::{self, BY_CHANCE, Bursts};
use super::candidate::{Candidate, Judged, MOST_CHANGE, onset, shown};
use super::counts::{longest_pause, ratio, share_deviance, silent_tail, size_of};
use super::null::combine;
use super::observed::{Counts, Grid, Observed, Trial};
use super::quotients::Statistic;
use super::reworded;
use super::successors;
use super::tree::{Tree, is_within};
use super::trials::Trials;
use super::words;
use sonde_shared::log::Level;
use sonde_shared::why::{Change, FindingKind, Place};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::ops::Range;

/// Count, silence, share of errors.
const STATISTICS: usize = 3;
/// Fewer lines in a window than this are few.
const RARE: f64 = 4.0;
/// So many lines are not missing by chance.
const MANY: f64 = 8.0;
/// Bursts account for most of what tells streams apart, so their usual size is much the same.
const PRIOR_WINDOWS: f64 = 16.0;
/// One bucket without a line is no silence.
const LEAST_SILENCE: f64 = 2.0;
const SILENCE: u8 = 1;
const ERRORS: u8 = 2;

/// Lines that are counted together.
struct Stream<'a> {
    kind: FindingKind,
    subject: String,
    owner: String,
    hosts: Vec<String>,
    at: Place,
    lines: Cow<'a, Counts>,
    errors: Option<Counts>,
}

/// Candidates among patterns.
pub(super) fn find_patterns(observed: &Observed, trials: &Trials, alive: &[bool], tree: &Tree<'_>) -> Judged {
    let bursts = bursts::of_all(observed.patterns.iter().map(|pattern| &pattern.counts), trials, alive);
    let asked: Vec<Bursts> = bursts.iter().map(|bursts| bursts[0]).collect();
    let former = reworded::find(observed, alive, &asked);
    let replaced: BTreeSet<usize> = former.values().copied().collect();
    let (mut streams, mut of_streams) = (Vec::new(), Vec::new());
    for number in (0..observed.patterns.len()).filter(|number| !replaced.contains(number)) {
        let old = former.get(&number).copied();
        streams.push(pattern_lines(observed, tree, number, old));
        of_streams.push(&*bursts[old.unwrap_or(number)]);
    }
    test(&observed.grid, &streams, &of_streams, trials, alive)
}

/// A pattern's lines, and those of its former wording; told as the one that has more of those in the selection.
fn pattern_lines<'a>(
    observed: &'a Observed,
    tree: &Tree<'_>,
    number: usize,
    former: Option<usize>,
) -> Stream<'a> {
    let selected = |at: &usize| observed.patterns[*at].counts.sum(&observed.grid.now.selection);
    let older = former.filter(|old| selected(old) > selected(&number));
    let pattern = &observed.patterns[older.unwrap_or(number)];
    let owner = observed.components.get(pattern.component as usize).cloned().unwrap_or_default();
    let (component, id) = (Some(owner.clone()), Some(pattern.id.clone()));
    let lines = match former {
        Some(old) => {
            let both = [old, number].map(|at| &observed.patterns[at].counts);
            Cow::Owned(Counts::added(both.into_iter()))
        }
        None => Cow::Borrowed(&pattern.counts),
    };
    Stream {
        kind: FindingKind::Pattern,
        subject: pattern.template.clone(),
        hosts: tree.hosts_of(&owner),
        owner,
        at: Place { component, pattern: id, ..Place::default() },
        lines,
        errors: None,
    }
}

/// Candidates among components, each with all that is below it, and hosts.
pub(super) fn find_places(observed: &Observed, trials: &Trials, alive: &[bool], tree: &Tree<'_>) -> Judged {
    let streams = places(observed, tree);
    let bursts = bursts::of_all(streams.iter().map(|stream| &*stream.lines), trials, alive);
    let bursts: Vec<&[Bursts]> = bursts.iter().map(Vec::as_slice).collect();
    test(&observed.grid, &streams, &bursts, trials, alive)
}

/// The lines of components, each with all that is below it, and of hosts.
fn places<'a>(observed: &Observed, tree: &Tree<'_>) -> Vec<Stream<'a>> {
    let mut streams: Vec<Stream<'_>> =
        nodes(&observed.components).iter().map(|node| component(observed, tree, node)).collect();
    streams.retain(|stream| stream.lines.iter().next().is_some());
    let former = successors::of_hosts(&observed.hosts, &observed.volumes, &observed.grid);
    let replaced: BTreeSet<usize> = former.values().copied().collect();
    let hosts = (0..observed.hosts.len()).filter(|host| !replaced.contains(host));
    streams.extend(hosts.map(|host| host_lines(observed, host, &former)));
    streams
}

/// Components, and the branches that hold several of them.
fn nodes(components: &[String]) -> BTreeSet<&str> {
    let mut children: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for component in components {
        let mut path = component.as_str();
        while let Some((parent, _)) = path.rsplit_once('.') {
            children.entry(parent).or_default().insert(path);
            path = parent;
        }
    }
    let branches = children.into_iter().filter(|(_, below)| below.len() > 1).map(|(branch, _)| branch);
    branches.chain(components.iter().map(String::as_str)).collect()
}

fn component<'a>(observed: &Observed, tree: &Tree<'_>, node: &str) -> Stream<'a> {
    let is_below =
        |number: u32| observed.components.get(number as usize).is_some_and(|path| is_within(path, node));
    let below = || observed.volumes.iter().filter(|volume| is_below(volume.component));
    Stream {
        kind: FindingKind::Component,
        subject: node.to_owned(),
        owner: node.to_owned(),
        hosts: tree.hosts_of(node),
        at: Place { component: Some(node.to_owned()), ..Place::default() },
        lines: Cow::Owned(Counts::added(below().map(|volume| &volume.lines))),
        errors: Some(Counts::added(below().map(|volume| &volume.errors))),
    }
}

/// A host's lines, and those of the hosts that it took over from.
fn host_lines<'a>(observed: &Observed, host: usize, former: &BTreeMap<usize, usize>) -> Stream<'a> {
    let name = observed.hosts[host].clone();
    let names: BTreeSet<u32> =
        iter::successors(Some(host), |at| former.get(at).copied()).map(|at| at as u32).collect();
    let is_of = |host: u32| names.contains(&host);
    let on_host = || observed.volumes.iter().filter(|volume| volume.host.is_some_and(is_of));
    Stream {
        kind: FindingKind::Host,
        subject: name.clone(),
        owner: name.clone(),
        hosts: vec![name.clone()],
        at: Place { host: Some(name), ..Place::default() },
        lines: Cow::Owned(Counts::added(on_host().map(|volume| &volume.lines))),
        errors: Some(Counts::added(on_host().map(|volume| &volume.errors))),
    }
}

/// Tests streams, each with how it varies in all trials.
fn test(
    grid: &Grid,
    streams: &[Stream<'_>],
    bursts: &[&[Bursts]],
    trials: &Trials,
    alive: &[bool],
) -> Judged {
    let windows = trials.null_count();
    let empty = || Statistic {
        now: Vec::with_capacity(streams.len()),
        past: Vec::with_capacity(streams.len() * windows),
        floor: vec![1.0; streams.len()],
        sorts: streams.iter().map(|stream| usize::from(is_rare(grid, stream))).collect(),
        prior: PRIOR_WINDOWS,
        ..Statistic::over(trials)
    };
    let mut statistics: Vec<Statistic> = (0..STATISTICS).map(|_| empty()).collect();
    for (stream, bursts) in streams.iter().zip(bursts) {
        let compare = |trial: &Trial, bursts: Bursts| Seen::of(stream, trial, alive).statistics(bursts);
        let now = trials.middle(|piece| compare(piece, bursts[0]));
        statistics.iter_mut().zip(now).for_each(|(statistic, value)| statistic.now.push(value));
        for (trial, bursts) in trials.all.iter().zip(*bursts).skip(1) {
            let past = compare(trial, *bursts);
            statistics.iter_mut().zip(past).for_each(|(statistic, value)| statistic.past.push(value));
        }
    }
    if streams.iter().all(|stream| stream.errors.is_none()) {
        statistics.truncate(usize::from(ERRORS));
    }
    let combined = combine(&statistics);
    let owners = streams.iter().map(|stream| stream.owner.clone()).collect();
    Judged::of(combined, owners, |item| candidate(grid, &streams[item.at], alive, item.p, item.loudest))
}

/// Whether a window as long as the selection has few lines or none on average: such streams are compared among themselves,
/// for a line or two more or less are nothing there.
fn is_rare(grid: &Grid, stream: &Stream<'_>) -> bool {
    let lines: u64 = stream.lines.iter().map(|(_, count)| u64::from(count)).sum();
    lines as f64 * (grid.now.selection.len() as f64) < RARE * grid.len() as f64
}

/// What a stream has in a window and its baseline.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    lines: f64,
    size: f64,
    lines_before: f64,
    size_before: f64,
    errors: f64,
    errors_before: f64,
    /// Buckets without a line at the window's end …
    silent: f64,
    /// … and whether they are more than any pause before: lines by the clock come to pause where a window happens to end.
    is_silence: bool,
}

impl Seen {
    fn of(stream: &Stream<'_>, trial: &Trial, alive: &[bool]) -> Self {
        let here = |buckets: &Range<usize>| size_of(buckets, alive);
        let errors =
            |buckets: &Range<usize>| stream.errors.as_ref().map_or(0, |errors| errors.sum(buckets)) as f64;
        let tail = silent_tail(&stream.lines, &trial.selection);
        let silent = here(&(trial.selection.end - tail..trial.selection.end));
        let pause = || longest_pause(&stream.lines, &trial.baseline, alive);
        Self {
            lines: stream.lines.sum(&trial.selection) as f64,
            size: here(&trial.selection),
            lines_before: stream.lines.sum(&trial.baseline) as f64,
            size_before: here(&trial.baseline),
            errors: errors(&trial.selection),
            errors_before: errors(&trial.baseline),
            silent,
            is_silence: silent >= LEAST_SILENCE && silent > pause(),
        }
    }

    fn statistics(&self, bursts: Bursts) -> [f32; STATISTICS] {
        let is_silence = self.is_silence && self.silent >= LEAST_SILENCE;
        let missed = if is_silence { self.silent * self.rate_before() } else { 0.0 };
        [
            bursts.deviance(self.lines, self.size, self.lines_before, self.size_before).abs(),
            // Of lines that come by the clock the last are always missing for a while.
            Bursts { tightness: 1.0, ..bursts }.silence(missed, self.silent / self.size.max(1.0)),
            share_deviance(self.errors, self.lines, self.errors_before, self.lines_before).abs(),
        ]
    }

    /// Whether most of the window is a silence in which many lines had to come.
    fn falls_silent(&self) -> bool {
        self.is_silence && 2.0 * self.silent >= self.size && self.silent * self.rate_before() >= MANY
    }

    fn rate_before(&self) -> f64 {
        self.lines_before / self.size_before.max(1.0)
    }
}

fn candidate(grid: &Grid, stream: &Stream<'_>, alive: &[bool], p: f64, loudest: u8) -> Option<Candidate> {
    let seen = Seen::of(stream, &grid.now, alive);
    if seen.lines + seen.lines_before <= 0.0 {
        return None;
    }
    let of_errors = loudest == ERRORS;
    let change = change_of(&seen, loudest);
    let ratio = match change {
        Change::Gone => ratio(0.0, seen.silent.max(1.0), seen.lines_before, seen.size_before),
        _ if of_errors => ratio(seen.errors, seen.lines, seen.errors_before, seen.lines_before),
        _ => ratio(seen.lines, seen.size, seen.lines_before, seen.size_before),
    };
    let counts = if of_errors { stream.errors.as_ref()? } else { &stream.lines };
    let course = course(grid, counts, alive);
    let since = (change == Change::Gone).then(|| silent_since(grid, stream)).flatten();
    let after = seen.lines / seen.size.max(1.0);
    let began =
        since.or_else(|| (!of_errors).then(|| onset(grid, &course, seen.rate_before(), after)).flatten());
    let mut at = stream.at.clone();
    at.level = of_errors.then_some(Level::Error);
    at.at_ms = since.and_then(|bucket| grid.starts_ms.get(bucket).copied());
    let numbers = seen.statistics(BY_CHANCE);
    Some(Candidate {
        kind: stream.kind,
        subject: stream.subject.clone(),
        change,
        p,
        relative: (ratio.max(1.0 / ratio) - 1.0).min(MOST_CHANGE),
        noise: f64::from(numbers[usize::from(loudest)].max(numbers[0])),
        specific: part_beyond(grid, counts, alive, ratio > 1.0, &seen),
        effect: ratio.ln().clamp(-(1.0 + MOST_CHANGE).ln(), (1.0 + MOST_CHANGE).ln()),
        summary: summary(grid, &seen, change, ratio, of_errors, at.at_ms),
        at,
        owner: stream.owner.clone(),
        hosts: stream.hosts.clone(),
        course,
        onset: began,
        twin: None,
    })
}

fn change_of(seen: &Seen, loudest: u8) -> Change {
    let grows = |count: f64, size: f64, before: f64, size_before: f64| count * size_before >= before * size;
    if loudest == ERRORS {
        let up = grows(seen.errors, seen.lines, seen.errors_before, seen.lines_before);
        return if up { Change::Up } else { Change::Down };
    }
    if seen.lines_before <= 0.0 {
        return Change::New;
    }
    if seen.lines <= 0.0 || loudest == SILENCE || seen.falls_silent() {
        return Change::Gone;
    }
    if grows(seen.lines, seen.size, seen.lines_before, seen.size_before) { Change::Up } else { Change::Down }
}

/// The bucket after the last line since the baseline began, which may lie behind the selection: then since that did.
/// The bucket behind that of the last line; unknown where that came between a far baseline and the selection.
fn silent_since(grid: &Grid, stream: &Stream<'_>) -> Option<usize> {
    let shown = shown(grid);
    let bucket = shown.end - silent_tail(&stream.lines, &shown);
    (bucket > shown.start && bucket < grid.starts_ms.len()).then_some(bucket)
}

fn course(grid: &Grid, counts: &Counts, alive: &[bool]) -> Vec<f32> {
    let shown = shown(grid);
    let mut course: Vec<f32> =
        alive[shown.clone()].iter().map(|alive| if *alive { 0.0 } else { f32::NAN }).collect();
    for (bucket, count) in counts.iter().filter(|(bucket, _)| shown.contains(bucket)) {
        course[bucket - shown.start] = count as f32;
    }
    course
}

/// The part of the selection's buckets that have more than the baseline on average; or less.
fn part_beyond(grid: &Grid, counts: &Counts, alive: &[bool], up: bool, seen: &Seen) -> f64 {
    let selection = &grid.now.selection;
    let mean = seen.rate_before();
    let inside = counts.iter().filter(|(bucket, _)| selection.contains(bucket));
    let above = inside.filter(|(_, count)| f64::from(*count) > mean).count() as f64;
    let all = size_of(selection, alive).max(1.0);
    if up { above / all } else { 1.0 - above / all }
}

fn summary(
    grid: &Grid,
    seen: &Seen,
    change: Change,
    ratio: f64,
    of_errors: bool,
    since_ms: Option<i64>,
) -> String {
    if of_errors {
        let share = |errors: f64, lines: f64| words::percent(errors / lines.max(1.0));
        let (after, before) = (share(seen.errors, seen.lines), share(seen.errors_before, seen.lines_before));
        return format!("errors: {after} of the lines, before {before}");
    }
    match change {
        Change::New if seen.lines <= 1.0 => "new: 1 line".to_owned(),
        Change::New => format!("new: {} lines", words::number(seen.lines)),
        Change::Gone => {
            let before = words::rate(seen.lines_before, seen.size_before, grid.step_ms);
            let since = since_ms.map_or_else(|| "gone".to_owned(), words::silent_since);
            format!("{since}; before {before}")
        }
        _ => words::more_often(ratio),
    }
}

#[cfg(test)]
mod tests {
    use super::super::observed::{Pattern, Volume};
    use super::*;

    fn found(lines: &[u32], errors: &[u32], loudest: u8) -> Candidate {
        found_on(
            &Grid::unbroken(50_520_000, 10_000, Trial { selection: 22..34, baseline: 0..20 }),
            lines,
            errors,
            loudest,
        )
    }

    fn found_on(grid: &Grid, lines: &[u32], errors: &[u32], loudest: u8) -> Candidate {
        let stream = Stream {
            kind: FindingKind::Component,
            subject: "a".into(),
            owner: "a".into(),
            hosts: Vec::new(),
            at: Place::default(),
            lines: Cow::Owned(Counts::of_all(lines)),
            errors: Some(Counts::of_all(errors)),
        };
        candidate(grid, &stream, &[true; 34], 0.001, loudest).unwrap()
    }

    fn steps(before: u32, after: u32) -> Vec<u32> {
        (0..34).map(|at| if at < 22 { before } else { after }).collect()
    }

    #[test]
    fn counts_are_put_into_words() {
        assert_eq!(found(&steps(2, 22), &[], 0).summary, "11× more often");
        assert_eq!(found(&steps(0, 3), &[], 0).summary, "new: 36 lines");
        let gone = found(&steps(2, 0), &[], 0);
        assert_eq!(
            (gone.change, gone.summary.as_str()),
            (Change::Gone, "silent since 14:05:40; before 12 a minute")
        );
        assert_eq!((gone.onset, gone.at.at_ms), (Some(22), Some(50_740_000)));
        let failing = found(&steps(10, 10), &steps(0, 4), 2);
        assert_eq!(failing.summary, "errors: 40 % of the lines, before 0 %");
        assert_eq!((failing.at.level, gone.at.level), (Some(Level::Error), None));
    }

    #[test]
    fn since_when_something_is_gone_is_not_known_where_the_baseline_lies_far_away() {
        let mut grid = Grid::unbroken(50_520_000, 10_000, Trial { selection: 22..34, baseline: 0..20 });
        grid.starts_ms[..20].iter_mut().for_each(|start| *start -= 7 * 86_400_000);
        let gone = found_on(&grid, &steps(2, 0), &[], 0);
        assert_eq!((gone.summary.as_str(), gone.at.at_ms), ("gone; before 12 a minute", None));
        // What was last seen in the selection is.
        let later: Vec<u32> = (0..34).map(|at| if at < 25 { 2 } else { 0 }).collect();
        assert_eq!(found_on(&grid, &later, &[], 1).at.at_ms, Some(50_770_000));
    }

    #[test]
    fn a_message_is_told_by_its_wording_with_more_lines() {
        let pattern = |id: &str, there: Range<usize>| Pattern {
            id: id.into(),
            template: id.into(),
            counts: Counts::new(there.map(|at| (at as u16, 2)).collect()),
            ..Pattern::default()
        };
        let told = |new: Range<usize>| {
            let observed = Observed {
                grid: Grid::unbroken(0, 10_000, Trial { selection: 22..34, baseline: 0..20 }),
                patterns: vec![pattern("old", 0..30), pattern("new", new)],
                ..Observed::default()
            };
            let stream = pattern_lines(&observed, &Tree::of(&observed), 1, Some(0));
            (stream.at.pattern.unwrap_or_default(), stream.lines.sum(&(0..34)))
        };
        assert_eq!(told(30..31), ("old".to_owned(), 62));
        assert_eq!(told(24..34), ("new".to_owned(), 80));
    }

    #[test]
    fn a_host_has_the_lines_of_those_that_it_took_over_from() {
        let lines = |there: Range<usize>| Counts::new(there.map(|at| (at as u16, 2)).collect());
        let volume =
            |host, there| Volume { component: 0, host: Some(host), lines: lines(there), ..Volume::default() };
        let observed = Observed {
            grid: Grid::unbroken(0, 10_000, Trial { selection: 22..34, baseline: 0..20 }),
            components: vec!["shop".into()],
            hosts: ["a-1", "a-2", "a-3", "still"].map(str::to_owned).to_vec(),
            volumes: vec![volume(0, 0..10), volume(1, 10..23), volume(2, 23..34), volume(3, 0..34)],
            ..Observed::default()
        };
        let told: Vec<(String, u64)> = places(&observed, &Tree::of(&observed))
            .iter()
            .map(|stream| (stream.subject.clone(), stream.lines.sum(&(0..34))))
            .collect();
        let expected = [("shop", 136), ("a-3", 68), ("still", 68)];
        assert_eq!(told, expected.map(|(name, lines)| (name.to_owned(), lines)));
    }

    #[test]
    fn branches_with_one_child_are_that_child() {
        let names: Vec<String> = ["a.b.c", "a.b.d", "e.f"].map(str::to_owned).to_vec();
        assert_eq!(nodes(&names).into_iter().collect::<Vec<_>>(), ["a.b", "a.b.c", "a.b.d", "e.f"]);
    }

    #[test]
    fn silence_counts_what_is_missing() {
        let seen = Seen {
            lines: 5.0,
            size: 12.0,
            lines_before: 40.0,
            size_before: 20.0,
            silent: 8.0,
            is_silence: true,
            ..Seen::default()
        };
        assert!((seen.statistics(BY_CHANCE)[1] - 32.0_f32.sqrt()).abs() < 1e-6);
        assert!(Seen { silent: 1.0, ..seen }.statistics(BY_CHANCE)[1].abs() < 1e-9);
    }
}

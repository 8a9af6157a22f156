//! Runs everything and prints the tables.
#![expect(clippy::print_stdout, reason = "a report is printed")]

use crate::draw::Draw;
use crate::hash;
use crate::incident::{self, Cause, KINDS, Kind};
use crate::simple;
use crate::system::{Size, System};
use sonde::why::{Observed, UnderNull, Weights, rank_with};
use sonde_shared::why::{Finding, FindingKind};
use std::collections::BTreeMap;
use std::time::Instant;

/// Everything, one table after the other.
pub(crate) fn all(incidents: usize) {
    ranking(incidents, false);
    ranking(incidents, true);
    quiet(incidents * 15);
    power();
    time();
}

/// Where the cause was found: 0 for the first place.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    place: Option<usize>,
    exact: Option<usize>,
}

/// How often within the first 1, 3, 5, and the mean reciprocal rank.
#[derive(Clone, Debug, Default)]
struct Tally {
    ranks: Vec<Option<usize>>,
}

impl Tally {
    fn line(&self) -> String {
        let all = self.ranks.len().max(1) as f64;
        let within = |most: usize| {
            let count = self.ranks.iter().flatten().filter(|rank| **rank < most).count();
            format!("{:3.0}", 100.0 * count as f64 / all)
        };
        // The sum of none is -0.
        let reciprocal =
            0.0 + self.ranks.iter().flatten().map(|rank| 1.0 / (1.0 + *rank as f64)).sum::<f64>() / all;
        format!("{} {} {}  {reciprocal:.2}", within(1), within(3), within(5))
    }
}

pub(crate) fn some_size(draw: &mut Draw) -> Size {
    let components = draw.log_between(5.0, 50.0).round() as usize;
    let minutely = draw.chance(0.35);
    Size {
        components,
        series: (draw.log_between(100.0, 2_500.0) as usize).max(components * 7),
        selection: if minutely { 3 + draw.below(8) } else { 12 + draw.below(25) },
        step_secs: if minutely { 60 } else { 10 },
        past: [0, 2, 8][draw.below(3)],
        days: [0, 0, 1, 3][draw.below(4)],
    }
}

fn made(kind: Kind, number: usize) -> (Observed, Cause) {
    let mut draw = Draw::new(hash::of(&format!("{kind:?}")) ^ number as u64);
    let system = System::new(some_size(&mut draw), &mut draw);
    let mut observed = system.observe(&mut draw);
    let cause = incident::strike(kind, &system, &mut observed, &mut draw);
    if draw.chance(0.3) {
        incident::deploy(&system, &mut observed, &mut draw);
    }
    if draw.chance(0.2) {
        incident::gap(&mut observed, &mut draw);
    }
    if draw.chance(0.7) {
        incident::ask_from(&cause, &system, &mut observed);
    }
    (observed, cause)
}

fn ranking(incidents: usize, hashed: bool) {
    println!(
        "\nincidents{}: cause's place, and the cause itself, within the first 1/3/5 in %, mean reciprocal rank; no findings at all in %",
        if hashed { ", all names hashed" } else { "" }
    );
    let (mut places, mut exacts) = (Tally::default(), Tally::default());
    let mut methods: BTreeMap<&str, BTreeMap<&str, (Tally, Tally)>> = BTreeMap::new();
    for kind in KINDS {
        let (mut place, mut exact, mut none) = (Tally::default(), Tally::default(), 0);
        for number in 0..incidents {
            let (mut observed, mut cause) = made(kind, number);
            if hashed {
                hash::rename(&mut observed);
                cause.place = hash::renamed(&cause.place);
                cause.exact = cause.exact.iter().map(|name| hash::renamed(name)).collect();
            } else {
                for (method, ranked) in simple::rankings(&observed) {
                    let tallies = methods.entry(method).or_default().entry(class(kind)).or_default();
                    let (of_place, itself) = found_in(&ranked, &cause, &observed);
                    tallies.0.ranks.push(of_place);
                    tallies.1.ranks.push(itself);
                }
            }
            let (answer, _) = rank_with(&observed, &Weights::default());
            none += usize::from(answer.findings.is_empty());
            let found = locate(&answer.findings, &cause);
            place.ranks.push(found.place);
            exact.ranks.push(found.exact);
            if !hashed {
                let tallies = methods.entry("why").or_default().entry(class(kind)).or_default();
                tallies.0.ranks.push(found.place);
                tallies.1.ranks.push(found.exact);
            }
            places.ranks.push(found.place);
            exacts.ranks.push(found.exact);
        }
        println!(
            "  {:18} {}   {}   {:3.0}",
            format!("{kind:?}"),
            place.line(),
            exact.line(),
            100.0 * none as f64 / incidents as f64
        );
    }
    println!("  {:18} {}   {}", "all", places.line(), exacts.line());
    for class in ["metrics", "patterns", "fields"] {
        for (method, tallies) in methods.iter().rev() {
            if let Some((place, exact)) = tallies.get(class) {
                println!("  {class:9} by {method:16} {}   {}", place.line(), exact.line());
            }
        }
    }
}

/// What shows a kind of incident.
fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::VanishingPattern | Kind::NewPattern => "patterns",
        Kind::OneClient | Kind::SlowMessages => "fields",
        _ => "metrics",
    }
}

fn locate(findings: &[Finding], cause: &Cause) -> Found {
    let of_place = |finding: &Finding| {
        let at = &finding.at;
        let series = at.target.as_deref().is_some_and(|path| lies_in(path, &cause.place));
        series || at.component.as_deref() == Some(&cause.place) || at.host.as_deref() == Some(&cause.place)
    };
    let itself = |kind: FindingKind, subject: &str, at: &sonde_shared::why::Place| match kind {
        FindingKind::Pattern => at.pattern.as_ref().is_some_and(|id| cause.exact.contains(id)),
        FindingKind::Field => at.component.as_deref() == Some(&cause.place) && cause.exact.contains(subject),
        _ => cause.exact.contains(subject),
    };
    let exact = |finding: &Finding| {
        itself(finding.kind, &finding.subject, &finding.at)
            || finding.members.iter().any(|member| itself(member.kind, &member.subject, &member.at))
    };
    Found { place: findings.iter().position(of_place), exact: findings.iter().position(exact) }
}

fn lies_in(path: &str, place: &str) -> bool {
    path.starts_with(&format!("{place}.")) || path.contains(&format!(".{place}."))
}

/// The same for a list of series or ids of patterns; places are ranked by their best.
fn found_in(ranked: &[String], cause: &Cause, observed: &Observed) -> (Option<usize>, Option<usize>) {
    let place_of = |name: &String| -> String {
        let pattern = observed.patterns.iter().find(|pattern| pattern.id == *name);
        let component = pattern.and_then(|pattern| observed.components.get(pattern.component as usize));
        let own = || observed.components.iter().chain(&observed.hosts).find(|place| lies_in(name, place));
        component.or_else(own).cloned().unwrap_or_default()
    };
    let mut places: Vec<String> = Vec::new();
    for name in ranked.iter().take(400) {
        let place = place_of(name);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let exact = ranked.iter().position(|name| cause.exact.contains(name));
    (places.iter().position(|place| *place == cause.place), exact)
}

/// Windows in which nothing happened.
fn quiet(windows: usize) {
    println!("\nquiet windows: with any finding in % and its interval of 95 %, findings a window");
    let mut under_null = UnderNull::default();
    for (name, what) in [("plain", 0), ("with a gap", 1), ("with a deploy", 2)] {
        let (mut any, mut findings) = (0, 0);
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for number in 0..windows {
            let mut draw = Draw::new(hash::of(name) ^ number as u64);
            let system = System::new(some_size(&mut draw), &mut draw);
            let mut observed = system.observe(&mut draw);
            match what {
                1 => incident::gap(&mut observed, &mut draw),
                2 => incident::deploy(&system, &mut observed, &mut draw),
                _ => {}
            }
            let (answer, null) = rank_with(&observed, &Weights::default());
            assert!(answer.done, "an answer is whole");
            any += usize::from(!answer.findings.is_empty());
            findings += answer.findings.len();
            for finding in &answer.findings {
                *kinds.entry(format!("{:?} {:?}", finding.kind, finding.change)).or_default() += 1;
            }
            if what == 0 {
                let room = |all: &mut Vec<f32>, more: Vec<f32>| all.extend(more.into_iter().step_by(7));
                room(&mut under_null.series, null.series);
                room(&mut under_null.patterns, null.patterns);
                room(&mut under_null.components, null.components);
                room(&mut under_null.fields, null.fields);
            }
        }
        let all = windows as f64;
        let share = any as f64 / all;
        let (percent, error) = (100.0 * share, 196.0 * (share * (1.0 - share) / all).sqrt());
        println!("  {name:14} {percent:5.1} ± {error:3.1}  {:5.2}   {kinds:?}", findings as f64 / all);
    }
    println!(
        "\np-values where nothing was selected, in tenths (10 % each were even), then up to 0.01 and 0.001 in %"
    );
    let kinds = [
        ("series", &under_null.series),
        ("patterns", &under_null.patterns),
        ("components", &under_null.components),
        ("fields", &under_null.fields),
    ];
    for (name, p) in kinds {
        let part = |low: f32, high: f32| {
            100.0 * p.iter().filter(|p| **p > low && **p <= high).count() as f64 / p.len().max(1) as f64
        };
        let tenths: Vec<String> = (0..10)
            .map(|tenth| {
                format!(
                    "{:4.1}",
                    part(tenth as f32 / 10.0 - f32::from(tenth == 0), (tenth as f32 + 1.0) / 10.0)
                )
            })
            .collect();
        println!("  {name:12} {}   {:.2} {:.3}", tenths.join(" "), part(-1.0, 0.01), part(-1.0, 0.001));
    }
}

/// The smallest change that is found in 80 % of trials, in a system of 20 components and 1,000 series.
fn power() {
    println!("\npower: the smallest change found in 80 % of 25 trials, among 1,000 series");
    for (selection, step_secs, past) in [(12, 10, 8), (12, 10, 0), (3, 60, 8), (3, 60, 0)] {
        let size = Size { components: 20, series: 1_000, selection, step_secs, past, days: 0 };
        let series = smallest(&[1.1, 1.2, 1.3, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0], |factor, number| {
            finds_series(size, factor, number)
        });
        let more = smallest(&[1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0], |factor, number| {
            finds_pattern(size, factor, number)
        });
        let less = smallest(&[1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 1e9], |factor, number| {
            finds_pattern(size, 1.0 / factor, number)
        });
        println!(
            "  {selection} points of {step_secs} s, past of {past} lengths: a latency ×{series}, a pattern of 2 lines a bucket ×{more}, ÷{less}"
        );
    }
}

fn smallest(sizes: &[f64], finds: impl Fn(f64, u64) -> bool) -> String {
    let found = |size: f64| (0..25).filter(|number| finds(size, *number)).count() >= 20;
    sizes
        .iter()
        .find(|size| found(**size))
        .map_or("none".into(), |size| if *size > 1e6 { "∞".into() } else { format!("{size}") })
}

fn finds_series(size: Size, factor: f64, number: u64) -> bool {
    let mut draw = Draw::new(number + 77);
    let system = System::new(size, &mut draw);
    let mut observed = system.observe(&mut draw);
    let chosen =
        system.series.iter().position(|plan| plan.measures == crate::system::Measures::Latency).unwrap_or(0);
    let start = observed.grid.now.selection.start;
    observed.series[chosen].values[start..].iter_mut().for_each(|value| *value *= factor as f32);
    let path = observed.series[chosen].path.clone();
    rank_with(&observed, &Weights::default()).0.findings.iter().any(|finding| finding.subject == path)
}

fn finds_pattern(size: Size, factor: f64, number: u64) -> bool {
    let mut draw = Draw::new(number + 177);
    let system = System::new(size, &mut draw);
    let mut observed = system.observe(&mut draw);
    let start = observed.grid.now.selection.start;
    let counts: Vec<u32> = (0..observed.grid.len())
        .map(|at| draw.poisson(if at >= start { 2.0 * factor } else { 2.0 }))
        .collect();
    observed.patterns[0].counts = sonde::why::observed::Counts::of_all(&counts);
    let id = Some(observed.patterns[0].id.clone());
    rank_with(&observed, &Weights::default()).0.findings.iter().any(|finding| finding.at.pattern == id)
}

fn time() {
    println!("\ntime of one answer, in ms, on the cores there are");
    for (series, selection, past) in [(1_000, 12, 8), (10_000, 60, 0), (10_000, 60, 8)] {
        let size = Size { components: 50, series, selection, step_secs: 10, past, days: 0 };
        let mut draw = Draw::new(5);
        let system = System::new(size, &mut draw);
        let mut observed = system.observe(&mut draw);
        incident::strike(Kind::Cpu, &system, &mut observed, &mut draw);
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let begun = Instant::now();
            let answer = rank_with(&observed, &Weights::default());
            best = best.min(begun.elapsed().as_secs_f64());
            assert!(answer.0.done, "an answer is whole");
        }
        println!(
            "  {series} series × {} buckets, {} patterns: {:.0}",
            observed.grid.len(),
            observed.patterns.len(),
            best * 1_000.0
        );
    }
}

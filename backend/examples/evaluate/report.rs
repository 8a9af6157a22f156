//! Runs everything and prints the tables.
#![expect(clippy::print_stdout, reason = "a report is printed")]

use crate::draw::Draw;
use crate::form::Form;
use crate::incident::{self, Kind};
use crate::system::{Size, System};
use crate::{counter, explain, hash, ranking, renamed};
use sonde::why::{UnderNull, Weights, rank, rank_with};
use std::collections::BTreeMap;
use std::time::Instant;

/// What is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) part: &'a dyn Fn(&str) -> bool,
    pub(crate) form: &'a dyn Fn(Form) -> bool,
    /// What came in the place of causes, too.
    pub(crate) is_explained: bool,
}

/// What may be printed.
pub(crate) const PARTS: [&str; 6] = ["incidents", "hashed", "forms", "quiet", "power", "time"];

/// The parts that are asked for, one after the other.
pub(crate) fn print(incidents: usize, asked: &Asked<'_>) {
    let parts: [&dyn Fn(); PARTS.len()] = [
        &|| ranking::incidents(incidents, asked.is_explained),
        &|| ranking::hashed(incidents),
        &|| ranking::forms(incidents, asked),
        &|| quiet(incidents * 15, asked),
        &power,
        &time,
    ];
    for (name, part) in PARTS.into_iter().zip(parts) {
        if (asked.part)(name) {
            part();
        }
    }
}

/// What happens in quiet windows that is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harmless {
    Nothing,
    Gap,
    Deploy,
}

/// Sorts of quiet windows.
const QUIET: [(&str, Form, Harmless); 13] = [
    ("plain", Form::Usual, Harmless::Nothing),
    ("with a gap", Form::Usual, Harmless::Gap),
    ("with a deploy", Form::Usual, Harmless::Deploy),
    ("few points", Form::FewPoints, Harmless::Nothing),
    ("still", Form::Still, Harmless::Nothing),
    ("steps", Form::Steps, Harmless::Nothing),
    ("counters", Form::Counters, Harmless::Nothing),
    ("far", Form::Far, Harmless::Nothing),
    ("far day", Form::FarDay, Harmless::Nothing),
    ("as long", Form::AsLong, Harmless::Nothing),
    ("renamed", Form::Renamed, Harmless::Nothing),
    ("small", Form::Small, Harmless::Nothing),
    ("machine", Form::Machine, Harmless::Nothing),
];

/// Windows in which nothing happened.
fn quiet(windows: usize, asked: &Asked<'_>) {
    println!("\nquiet windows: with any finding in % and its interval of 95 %, findings a window");
    let mut under_null = UnderNull::default();
    for (name, form, harmless) in QUIET.into_iter().filter(|(_, form, _)| (asked.form)(*form)) {
        let (mut any, mut findings) = (0, 0);
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for number in 0..windows {
            let mut draw = Draw::new(hash::of(name) ^ number as u64);
            let system = System::new(form.some_size(&mut draw), &mut draw);
            let mut observed = system.observe(&mut draw);
            match harmless {
                Harmless::Nothing => {}
                Harmless::Gap => incident::gap(&mut observed, &mut draw),
                Harmless::Deploy => incident::deploy(&system, &mut observed, &mut draw),
            }
            if form == Form::Renamed {
                renamed::rename(&system, &mut observed, &mut draw);
            }
            counter::add_up(&system, &mut observed);
            if draw.chance(ranking::ASKED_FROM_A_CHART) {
                incident::ask_from(draw.below(system.components.len()), &system, &mut observed);
            }
            let (answer, null) = rank_with(&observed, &Weights::default());
            assert!(answer.done, "an answer is whole");
            any += usize::from(!answer.findings.is_empty());
            findings += answer.findings.len();
            for finding in &answer.findings {
                *kinds.entry(format!("{:?} {:?}", finding.kind, finding.change)).or_default() += 1;
            }
            if asked.is_explained && !answer.findings.is_empty() {
                explain::false_findings(&format!("{name} {number}"), &observed, &answer.findings);
            }
            if name == "plain" {
                keep_some(&mut under_null, null);
            }
        }
        let all = windows as f64;
        let share = any as f64 / all;
        let (percent, error) = (100.0 * share, 196.0 * (share * (1.0 - share) / all).sqrt());
        println!("  {name:14} {percent:5.1} ± {error:3.1}  {:5.2}   {kinds:?}", findings as f64 / all);
    }
    print_tenths(&under_null);
}

/// One in seven p-values is kept.
fn keep_some(all: &mut UnderNull, more: UnderNull) {
    let keep = |all: &mut Vec<f32>, more: Vec<f32>| all.extend(more.into_iter().step_by(7));
    keep(&mut all.series, more.series);
    keep(&mut all.patterns, more.patterns);
    keep(&mut all.components, more.components);
    keep(&mut all.fields, more.fields);
    keep(&mut all.together, more.together);
}

fn print_tenths(under_null: &UnderNull) {
    println!(
        "\np-values where nothing was selected, in tenths (10 % each were even), then up to 0.01 and 0.001 in %"
    );
    let kinds = [
        ("series", &under_null.series),
        ("patterns", &under_null.patterns),
        ("components", &under_null.components),
        ("fields", &under_null.fields),
        ("places", &under_null.together),
    ];
    for (name, p) in kinds {
        let part = |low: f32, high: f32| {
            100.0 * p.iter().filter(|p| **p > low && **p <= high).count() as f64 / p.len().max(1) as f64
        };
        let tenth = |tenth: u8| {
            let low = f32::from(tenth) / 10.0 - f32::from(u8::from(tenth == 0));
            format!("{:4.1}", part(low, (f32::from(tenth) + 1.0) / 10.0))
        };
        let tenths: Vec<String> = (0..10).map(tenth).collect();
        println!("  {name:12} {}   {:.2} {:.3}", tenths.join(" "), part(-1.0, 0.01), part(-1.0, 0.001));
    }
}

/// The smallest change that is found in 80 % of trials, in a system of 20 components and 1,000 series.
fn power() {
    println!("\npower: the smallest change found in 80 % of 25 trials, among 1,000 series");
    for (selection, step_secs, past) in [(12, 10, 8), (12, 10, 0), (3, 60, 8), (3, 60, 0)] {
        let size = Size { components: 20, series: 1_000, selection, step_secs, past, ..Size::default() };
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
    rank(&observed).findings.iter().any(|finding| finding.subject == path)
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
    rank(&observed).findings.iter().any(|finding| finding.at.pattern == id)
}

fn time() {
    println!("\ntime of one answer, in ms, on the cores there are");
    for (series, selection, past) in [(1_000, 12, 8), (10_000, 60, 0), (10_000, 60, 8)] {
        let size = Size { components: 50, series, selection, step_secs: 10, past, ..Size::default() };
        let mut draw = Draw::new(5);
        let system = System::new(size, &mut draw);
        let mut observed = system.observe(&mut draw);
        incident::strike(Kind::Cpu, &system, &mut observed, &mut draw);
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let begun = Instant::now();
            let answer = rank(&observed);
            best = best.min(begun.elapsed().as_secs_f64());
            assert!(answer.done, "an answer is whole");
        }
        println!(
            "  {series} series × {} buckets, {} patterns: {:.0}",
            observed.grid.len(),
            observed.patterns.len(),
            best * 1_000.0
        );
    }
}

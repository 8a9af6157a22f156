//! Where causes are ranked, by the method itself and by simple ones, in each form that incidents come in.
#![expect(clippy::print_stdout, reason = "a report is printed")]

use crate::draw::Draw;
use crate::form::{Form, OTHERS};
use crate::incident::{self, Cause, KINDS, Kind};
use crate::report::Asked;
use crate::system::System;
use crate::{counter, explain, hash, renamed, simple};
use sonde::why::{Observed, rank};
use sonde_shared::why::{Finding, FindingKind, Place};
use std::collections::BTreeMap;

/// What shows a kind of incident.
const CLASSES: [&str; 3] = ["metrics", "patterns", "fields"];
/// The part of questions that come from a chart, others from nowhere.
pub(crate) const ASKED_FROM_A_CHART: f64 = 0.7;
/// What the method itself is called: all that it lists, and its findings alone.
const OWN: &str = "why";
const FINDINGS: &str = "why, findings";

/// Where the cause was found: 0 for the first place.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    place: Option<usize>,
    exact: Option<usize>,
}

/// How often within the first 1, 3, 5, and the mean reciprocal rank; of the cause's place, and of the cause itself.
#[derive(Clone, Debug, Default)]
struct Tally {
    found: Vec<Found>,
    /// Answers without any finding.
    empty: usize,
}

/// Tallies by class and method.
type Tallies = BTreeMap<(&'static str, &'static str), Tally>;

impl Tally {
    fn line(&self) -> String {
        format!("{}   {}", shown(self.numbers(|found| found.place)), shown(self.numbers(|found| found.exact)))
    }

    /// In %: how many are within the first 1, 3 and 5, and the mean reciprocal rank.
    fn numbers(&self, rank: impl Fn(&Found) -> Option<usize>) -> [f64; 4] {
        let all = self.found.len().max(1) as f64;
        let ranks = || self.found.iter().filter_map(&rank);
        let within = |most: usize| 100.0 * ranks().filter(|rank| *rank < most).count() as f64 / all;
        let reciprocal = 100.0 * ranks().map(|rank| 1.0 / (1.0 + rank as f64)).sum::<f64>() / all;
        // The sum of none is -0.
        [within(1), within(3), within(5), 0.0 + reciprocal]
    }

    /// By how much its first number may be off, in 95 of 100 cases.
    fn error(&self) -> f64 {
        let all = self.found.len().max(1) as f64;
        let first = self.found.iter().filter(|found| found.place == Some(0)).count() as f64 / all;
        196.0 * (first * (1.0 - first) / all).sqrt()
    }

    fn add(&mut self, found: Found) {
        self.found.push(found);
    }
}

fn shown(numbers: [f64; 4]) -> String {
    let [one, three, five, reciprocal] = numbers;
    format!("{one:3.0} {three:3.0} {five:3.0}  {:.2}", reciprocal / 100.0)
}

/// Of all simple methods the best number in each column, wherever it comes from: none of them has them all.
fn best_simple(tallies: &Tallies, class: &str) -> String {
    let simple = || tallies.iter().filter(|((of, method), _)| *of == class && !is_own(method));
    let most = |rank: &dyn Fn(&Found) -> Option<usize>| {
        simple().fold([0.0; 4], |most, (_, tally)| {
            let numbers = tally.numbers(rank);
            std::array::from_fn(|at| f64::max(most[at], numbers[at]))
        })
    };
    format!("{}   {}", shown(most(&|found| found.place)), shown(most(&|found| found.exact)))
}

fn is_own(method: &str) -> bool {
    [OWN, FINDINGS].contains(&method)
}

fn made(form: Form, kind: Kind, number: usize) -> (Observed, Cause) {
    let seed = if form == Form::Usual { format!("{kind:?}") } else { format!("{form:?} {kind:?}") };
    let mut draw = Draw::new(hash::of(&seed) ^ number as u64);
    let system = System::new(form.some_size(&mut draw), &mut draw);
    let mut observed = system.observe(&mut draw);
    let cause = incident::strike(kind, &system, &mut observed, &mut draw);
    if draw.chance(0.3) {
        incident::deploy(&system, &mut observed, &mut draw);
    }
    if draw.chance(0.2) {
        incident::gap(&mut observed, &mut draw);
    }
    if form == Form::Renamed {
        renamed::rename(&system, &mut observed, &mut draw);
    }
    counter::add_up(&system, &mut observed);
    if draw.chance(ASKED_FROM_A_CHART) {
        incident::ask_from_sufferer(&cause, &system, &mut observed);
    }
    if form == Form::Late {
        incident::notice_late(&mut observed);
    }
    (observed, cause)
}

/// Incidents of the usual form, each kind by itself; then by what shows them, beside simple methods.
pub(crate) fn incidents(incidents: usize, is_explained: bool) {
    println!(
        "\nincidents: cause's place, and the cause itself, within the first 1/3/5 in %, mean reciprocal rank; no findings at all in %"
    );
    let mut tallies = Tallies::new();
    of_each_kind(&mut |kind| of_kind(Form::Usual, kind, incidents, is_explained, &mut tallies));
    for class in CLASSES {
        for ((_, method), tally) in tallies.iter().filter(|((of, _), _)| *of == class).rev() {
            println!("  {class:9} by {method:16} {}   ± {:.0}", tally.line(), tally.error());
        }
        println!("  {class:9} by {:16} {}", "simple ones", best_simple(&tallies, class));
    }
}

/// The same under other names.
pub(crate) fn hashed(incidents: usize) {
    println!("\nthe same, all names hashed");
    of_each_kind(&mut |kind| {
        let mut tally = Tally::default();
        for number in 0..incidents {
            let (mut observed, mut cause) = made(Form::Usual, kind, number);
            hash::rename(&mut observed);
            cause.place = hash::renamed(&cause.place);
            cause.exact = cause.exact.iter().map(|name| hash::renamed(name)).collect();
            own(&observed, &cause, &mut tally);
        }
        tally
    });
}

/// The other forms, by what shows incidents, beside the best simple method of each.
pub(crate) fn forms(incidents: usize, asked: &Asked<'_>) {
    println!("\nother forms: the same numbers; below, the best of any simple method in each column");
    for form in OTHERS.into_iter().filter(|form| (asked.form)(*form)) {
        let mut tallies = Tallies::new();
        let kinds = form.kinds();
        // As many in all, whatever can go wrong.
        let incidents = incidents * KINDS.len() / kinds.len();
        for kind in kinds {
            of_kind(form, *kind, incidents, asked.is_explained, &mut tallies);
        }
        for class in CLASSES.into_iter().filter(|class| tallies.contains_key(&(*class, OWN))) {
            let name = form.name();
            for method in [OWN, FINDINGS] {
                let tally = &tallies[&(class, method)];
                let empty = 100.0 * tally.empty as f64 / tally.found.len().max(1) as f64;
                println!(
                    "  {name:10} {class:9} by {method:13} {}   {empty:3.0}   ± {:.0}",
                    tally.line(),
                    tally.error()
                );
            }
            println!("  {name:10} {class:9} by simple ones   {}", best_simple(&tallies, class));
        }
    }
}

/// Prints a line for each kind, and one for all.
fn of_each_kind(tally: &mut dyn FnMut(Kind) -> Tally) {
    let mut all = Tally::default();
    let print = |name: &str, tally: &Tally| {
        let empty = 100.0 * tally.empty as f64 / tally.found.len().max(1) as f64;
        println!("  {name:18} {}   {empty:3.0}", tally.line());
    };
    for kind in KINDS {
        let of_kind = tally(kind);
        print(&format!("{kind:?}"), &of_kind);
        all.found.extend(&of_kind.found);
        all.empty += of_kind.empty;
    }
    print("all", &all);
    println!("  of these the cause's place comes first: ± {:.1}", all.error());
}

/// Incidents of one kind, by the method itself and by simple ones; what the method itself made of it is given back.
fn of_kind(form: Form, kind: Kind, incidents: usize, is_explained: bool, tallies: &mut Tallies) -> Tally {
    let (mut tally, mut of_findings) = (Tally::default(), Tally::default());
    for number in 0..incidents {
        let (observed, cause) = made(form, kind, number);
        for (method, ranked) in simple::rankings(&observed) {
            tallies.entry((class(kind), method)).or_default().add(found_in(&ranked, &cause, &observed));
        }
        let (found, findings, listed) = own(&observed, &cause, &mut tally);
        of_findings.add(locate(&findings[..listed], &cause, &observed));
        if is_explained && found.place != Some(0) {
            let name = format!("{} {kind:?} {number}", form.name());
            explain::missed(&name, &observed, &cause, (&findings, listed), found.place);
        }
    }
    of_findings.empty = tally.empty;
    for (method, tally) in [(OWN, &tally), (FINDINGS, &of_findings)] {
        let of_class = tallies.entry((class(kind), method)).or_default();
        of_class.found.extend(&tally.found);
        of_class.empty += tally.empty;
    }
    tally
}

/// Where the cause is in all that is listed; the list, and how many of it are findings.
fn own(observed: &Observed, cause: &Cause, tally: &mut Tally) -> (Found, Vec<Finding>, usize) {
    let why = rank(observed);
    let findings = why.findings.len();
    let listed: Vec<Finding> = why.findings.into_iter().chain(why.weaker).collect();
    let found = locate(&listed, cause, observed);
    tally.add(found);
    tally.empty += usize::from(findings == 0);
    (found, listed, findings)
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::VanishingPattern | Kind::NewPattern => "patterns",
        Kind::OneClient | Kind::SlowMessages => "fields",
        _ => "metrics",
    }
}

/// Where the cause's place stands among the places that findings are of, each counted once, and the cause itself among findings.
fn locate(findings: &[Finding], cause: &Cause, observed: &Observed) -> Found {
    let places = findings.iter().map(|finding| match finding.kind {
        FindingKind::Metric => place_of(&finding.subject, observed),
        _ => finding.at.component.clone().or_else(|| finding.at.host.clone()).unwrap_or_default(),
    });
    let itself = |kind: FindingKind, subject: &str, at: &Place| match kind {
        FindingKind::Pattern => at.pattern.as_ref().is_some_and(|id| cause.exact.contains(id)),
        FindingKind::Field => at.component.as_deref() == Some(&cause.place) && cause.exact.contains(subject),
        _ => cause.exact.contains(subject),
    };
    let exact = |finding: &Finding| {
        itself(finding.kind, &finding.subject, &finding.at)
            || finding.members.iter().any(|member| itself(member.kind, &member.subject, &member.at))
    };
    Found { place: place_among(places, cause), exact: findings.iter().position(exact) }
}

/// Where the cause's place stands among these, each counted once.
fn place_among(places: impl Iterator<Item = String>, cause: &Cause) -> Option<usize> {
    let mut seen: Vec<String> = Vec::new();
    for place in places {
        if place == cause.place {
            return Some(seen.len());
        }
        if !seen.contains(&place) {
            seen.push(place);
        }
    }
    None
}

/// The component or host of a series or a pattern.
fn place_of(name: &str, observed: &Observed) -> String {
    let pattern = observed.patterns.iter().find(|pattern| pattern.id == name);
    let component = pattern.and_then(|pattern| observed.components.get(pattern.component as usize));
    let own = || observed.components.iter().chain(&observed.hosts).find(|place| lies_in(name, place));
    component.or_else(own).cloned().unwrap_or_default()
}

fn lies_in(path: &str, place: &str) -> bool {
    path.starts_with(&format!("{place}.")) || path.contains(&format!(".{place}."))
}

/// The same for a list of series or ids of patterns; places are ranked by their best.
fn found_in(ranked: &[String], cause: &Cause, observed: &Observed) -> Found {
    let places = ranked.iter().take(400).map(|name| place_of(name, observed));
    let exact = ranked.iter().position(|name| cause.exact.contains(name));
    Found { place: place_among(places, cause), exact }
}

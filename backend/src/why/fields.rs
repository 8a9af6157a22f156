//! Values of fields and of variable parts as candidates: one that is over-represented, numbers that have shifted.
//!
//! A field is one test, by its most over-represented value: of a field whose values never repeat some value always is, and
//! that is so in every slice of the baseline too.

use super::candidate::{Candidate, Judged, MOST_CHANGE, shown};
use super::counts::{interval, ratio};
use super::null::combine;
use super::observed::{Field, Grid, Observed, Part};
use super::quotients::Statistic;
use super::successors;
use super::tree::Tree;
use super::values::{self, Hits, other_slices};
use super::words;
use sonde_shared::why::{Change, FindingKind, Place};
use std::collections::BTreeSet;

/// Values, numbers' distribution, numbers' middle.
const STATISTICS: usize = 3;
/// How many slices' worth of evidence the usual size over all fields is.
const PRIOR_WINDOWS: f64 = 4.0;
/// With fewer sampled lines on a side a share says nothing.
const FEWEST_LINES: u32 = 8;
const FEWEST_NUMBERS: usize = 8;
/// So large a part of what numbers were or are is no shift that noise could not make.
const LEAST_PART: f64 = 0.05;
/// So many letters on either side of a value are looked for with it.
const NEIGHBOURS: usize = 12;

/// Candidates among fields.
pub(super) fn find(observed: &Observed, tree: &Tree<'_>) -> Judged {
    let slices = observed.grid.slices().len();
    let replaced = successors::names(observed);
    let part = |field| Tested { field, replaced: &replaced };
    let usable: Vec<Tested<'_>> =
        observed.fields.iter().filter(|field| is_usable(field, slices)).map(part).collect();
    let windows = slices - 1;
    let mut statistics: Vec<Statistic> = (0..STATISTICS)
        .map(|_| Statistic { windows, prior: PRIOR_WINDOWS, ..Statistic::default() })
        .collect();
    for tested in &usable {
        for slice in (0..slices).rev() {
            let values = tested.compare(slice);
            for (statistic, value) in statistics.iter_mut().zip(values) {
                if slice == windows { &mut statistic.now } else { &mut statistic.past }.push(value);
            }
        }
    }
    let mut combined = combine(&statistics);
    let fields: Vec<&Field> = usable.iter().map(|tested| tested.field).collect();
    for (p, as_often) in combined.p.iter_mut().zip(values::replaced_elsewhere(&fields)) {
        *p = p.max(as_often.unwrap_or_default());
    }
    Judged::of(combined, Vec::new(), |item| {
        let of = if item.loudest == 0 { of_value } else { of_numbers };
        of(observed, tree, &usable[item.at], item.p)
    })
}

/// A field that is tested.
#[derive(Clone, Copy, Debug)]
struct Tested<'a> {
    field: &'a Field,
    /// Names that took over from others.
    replaced: &'a BTreeSet<&'a str>,
}

fn is_usable(field: &Field, slices: usize) -> bool {
    let enough = |lines: u32| lines >= FEWEST_LINES;
    field.lines.len() == slices
        && slices > 1
        && enough(field.lines[slices - 1])
        && enough(field.lines[..slices - 1].iter().sum())
        && field.values.iter().all(|value| value.lines.len() == slices)
        && (field.numbers.is_empty() || field.numbers.len() == slices)
}

impl<'a> Tested<'a> {
    fn most_over(&self, slice: usize) -> Option<(Hits<'a>, f32)> {
        values::most_over(self.field, slice, self.replaced)
    }

    /// A slice with the baseline's other slices. Distances are in what chance makes of so many numbers, so that a few and many compare.
    fn compare(&self, slice: usize) -> [f32; STATISTICS] {
        let field = self.field;
        let best = self.most_over(slice).map_or(0.0, |(_, deviance)| deviance);
        let inside = field.numbers.get(slice).map_or(&[][..], Vec::as_slice);
        let others = other_numbers(field, slice);
        if inside.len() < FEWEST_NUMBERS || others.len() < FEWEST_NUMBERS {
            return [best, 0.0, 0.0];
        }
        let (inside, others) = (ordered(inside), ordered(&others));
        let distance = distance(&inside, &others);
        let size = ((inside.len() * others.len()) as f64 / (inside.len() + others.len()) as f64).sqrt();
        let (before, after) = (quantile(&others, 0.5), quantile(&inside, 0.5));
        let unit = unit(&inside, &others);
        [best, (distance * size) as f32, ((after - before).abs() / unit * size) as f32]
    }
}

/// What a shift of the middle is measured in: how far numbers before lie apart in the middle half of them, or on average from their middle,
/// which more than half of them may be; and at least a part of the larger middle, since what was always nothing says nothing of how far it moves.
fn unit(inside: &[f32], others: &[f32]) -> f64 {
    let (before, after) = (quantile(others, 0.5), quantile(inside, 0.5));
    let quarters = quantile(others, 0.75) - quantile(others, 0.25);
    let apart = others.iter().map(|number| (f64::from(*number) - before).abs()).sum::<f64>();
    let least = LEAST_PART * before.abs().max(after.abs());
    quarters.max(apart / others.len().max(1) as f64).max(least).max(f64::MIN_POSITIVE)
}

fn other_numbers(field: &Field, slice: usize) -> Vec<f32> {
    let others = other_slices(field, slice).filter_map(|other| field.numbers.get(other));
    others.flatten().copied().collect()
}

fn of_value(observed: &Observed, tree: &Tree<'_>, tested: &Tested<'_>, p: f64) -> Option<Candidate> {
    let field = tested.field;
    let last = field.lines.len() - 1;
    let (Hits { value, here, before }, deviance) = tested.most_over(last)?;
    let (hits, lines, hits_before) = (f64::from(here), f64::from(field.lines[last]), f64::from(before));
    let lines_before = field.lines[..last].iter().map(|count| f64::from(*count)).sum::<f64>();
    let (share, share_before) = (hits / lines, hits_before / lines_before.max(1.0));
    let ratio = ratio(hits, lines, hits_before, lines_before);
    let (low, high) = interval(hits, lines);
    let (low, high) = ((low * 100.0).round(), (high * 100.0).round());
    let summary = format!(
        "{}: {} of the lines ({low}–{high} %, {lines} sampled); before {}",
        value.value,
        words::percent(share),
        words::percent(share_before)
    );
    let shares = |slice: usize| value.lines[slice] as f32 / field.lines[slice].max(1) as f32;
    let mut base = candidate(observed, tree, field, p)?;
    match &field.part {
        Part::Named(name) => base.at.field = Some((name.clone(), value.value.clone())),
        Part::Hole { pattern, hole } => {
            let template = template_of(observed, *pattern);
            base.at.contains = Some(among_its_neighbours(template, usize::from(*hole), &value.value));
        }
    }
    Some(Candidate {
        subject: subject(observed, field, Some(&value.value)),
        change: if before > 0 { Change::Up } else { Change::New },
        relative: ((ratio - 1.0).max(0.0) * (share - share_before)).clamp(0.0, MOST_CHANGE),
        noise: f64::from(deviance),
        specific: share - share_before,
        effect: ratio.ln().min((1.0 + MOST_CHANGE).ln()),
        summary,
        course: spread_out(&observed.grid, shares),
        twin: Some(value.value.clone()),
        ..base
    })
}

fn of_numbers(observed: &Observed, tree: &Tree<'_>, tested: &Tested<'_>, p: f64) -> Option<Candidate> {
    let field = tested.field;
    let last = field.lines.len() - 1;
    let (inside, others) = (ordered(&field.numbers[last]), ordered(&other_numbers(field, last)));
    let (before, after) = (quantile(&others, 0.5), quantile(&inside, 0.5));
    let of = unit_of(observed, field);
    let most = (1.0 + MOST_CHANGE).ln();
    let ratio = if before * after > 0.0 { (after / before).ln() } else { (after - before).signum() * most };
    let distance = distance(&inside, &others);
    let medians = |slice: usize| quantile(&ordered(&field.numbers[slice]), 0.5) as f32;
    let mut base = candidate(observed, tree, field, p)?;
    if let Part::Named(name) = &field.part {
        base.at.column = Some(name.clone());
    }
    Some(Candidate {
        subject: subject(observed, field, None),
        change: if ratio > 0.05 {
            Change::Up
        } else if ratio < -0.05 {
            Change::Down
        } else {
            Change::Shape
        },
        relative: ((after - before).abs() / before.abs().max(after.abs() / MOST_CHANGE).max(1e-9))
            .min(MOST_CHANGE)
            * distance,
        noise: (after - before).abs() / unit(&inside, &others),
        specific: distance,
        effect: ratio.clamp(-most, most),
        summary: format!("median {}{}", words::from_to(before, after, of), which(observed, field)),
        course: spread_out(&observed.grid, medians),
        ..base
    })
}

/// Which variable part of a message that has several: told by the word beside it, where there is one.
fn which(observed: &Observed, field: &Field) -> String {
    let Part::Hole { pattern, hole } = field.part else { return String::new() };
    let fixed: Vec<&str> = template_of(observed, pattern).split("<*>").collect();
    if fixed.len() <= 2 {
        return String::new();
    }
    let words = |at: usize| fixed.get(at).copied().unwrap_or_default().split_whitespace();
    match (words(usize::from(hole)).next_back(), words(usize::from(hole) + 1).next()) {
        (Some(before), _) => format!(" (the <*> behind “{before}”)"),
        (None, Some(behind)) => format!(" (the <*> before “{behind}”)"),
        (None, None) => format!(" (<*> number {})", hole + 1),
    }
}

/// The unit of a field's numbers: the one they are written with, else the one that the text behind them or the field's name tells.
fn unit_of(observed: &Observed, field: &Field) -> &'static str {
    let told = field.measure.unit();
    match &field.part {
        _ if !told.is_empty() => told,
        Part::Named(name) => words::unit_of(name),
        Part::Hole { pattern, hole } => {
            words::unit_after(template_of(observed, *pattern), usize::from(*hole))
        }
    }
}

fn template_of(observed: &Observed, pattern: u32) -> &str {
    observed.patterns.get(pattern as usize).map_or("", |pattern| &pattern.template)
}

/// What candidates of values and of numbers have in common.
fn candidate(observed: &Observed, tree: &Tree<'_>, field: &Field, p: f64) -> Option<Candidate> {
    let owner = observed.components.get(field.component as usize)?.clone();
    let pattern = match field.part {
        Part::Hole { pattern, .. } => {
            observed.patterns.get(pattern as usize).map(|pattern| pattern.id.clone())
        }
        Part::Named(_) => None,
    };
    Some(Candidate {
        kind: FindingKind::Field,
        subject: String::new(),
        change: Change::Up,
        p,
        relative: 0.0,
        noise: 0.0,
        specific: 0.0,
        effect: 0.0,
        summary: String::new(),
        at: Place { component: Some(owner.clone()), pattern, ..Place::default() },
        hosts: tree.hosts_of(&owner),
        owner,
        course: Vec::new(),
        onset: None,
        twin: None,
    })
}

/// `field=value`, or the message with the part filled in.
fn subject(observed: &Observed, field: &Field, value: Option<&str>) -> String {
    match (&field.part, value) {
        (Part::Named(name), Some(value)) => format!("{name}={value}"),
        (Part::Named(name), None) => name.clone(),
        (Part::Hole { pattern, hole }, value) => {
            let template = template_of(observed, *pattern);
            let Some(value) = value else { return template.to_owned() };
            let mut filled = String::new();
            for (number, part) in template.split("<*>").enumerate() {
                if number > 0 {
                    filled.push_str(if number == usize::from(*hole) + 1 { value } else { "<*>" });
                }
                filled.push_str(part);
            }
            filled
        }
    }
}

/// A value with the text around it, as far as lines have that as it is: a number alone stands in many places of a line.
fn among_its_neighbours(template: &str, hole: usize, value: &str) -> String {
    let fixed: Vec<&str> = template.split("<*>").collect();
    let [before, behind] = [hole, hole + 1].map(|at| fixed.get(at).copied().unwrap_or_default());
    // JSON writes these otherwise, and of what is not ASCII it may.
    let is_plain = |letter: &char| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\' | '/');
    let before: Vec<char> = before.chars().rev().take(NEIGHBOURS).take_while(is_plain).collect();
    let behind = behind.chars().take(NEIGHBOURS).take_while(is_plain);
    before.into_iter().rev().chain(value.chars()).chain(behind).collect()
}

/// A value for each bucket from one for each slice.
fn spread_out(grid: &Grid, value: impl Fn(usize) -> f32) -> Vec<f32> {
    let shown = shown(grid);
    let mut course = vec![f32::NAN; shown.len()];
    for (slice, buckets) in grid.slices().into_iter().enumerate() {
        let value = value(slice);
        for bucket in buckets.filter(|bucket| shown.contains(bucket)) {
            course[bucket - shown.start] = value;
        }
    }
    course
}

fn ordered(numbers: &[f32]) -> Vec<f32> {
    let mut numbers: Vec<f32> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
    numbers.sort_unstable_by(f32::total_cmp);
    numbers
}

fn quantile(sorted: &[f32], part: f64) -> f64 {
    let at = ((sorted.len().saturating_sub(1)) as f64 * part) as usize;
    sorted.get(at).copied().map_or(0.0, f64::from)
}

/// Kolmogorov and Smirnov's distance of sorted samples.
fn distance(one: &[f32], other: &[f32]) -> f64 {
    let (mut i, mut j, mut most) = (0, 0, 0.0_f64);
    while i < one.len() && j < other.len() {
        let value = one[i].min(other[j]);
        i += one[i..].iter().take_while(|x| **x <= value).count();
        j += other[j..].iter().take_while(|x| **x <= value).count();
        most = most.max((i as f64 / one.len() as f64 - j as f64 / other.len() as f64).abs());
    }
    most
}

#[cfg(test)]
mod tests {
    use super::super::observed::{FieldValue, Pattern, Trial};
    use super::super::quantity::Measure;
    use super::*;

    #[test]
    fn distances_are_scipys() {
        for case in super::super::golden::cases("ks") {
            let found = distance(&ordered(&case.floats("a")), &ordered(&case.floats("b")));
            assert!((found - case.number("statistic")).abs() < 1e-6, "{found}: {case:?}");
        }
    }

    fn observed(field: Field) -> Observed {
        let pattern =
            Pattern { id: "p".into(), template: "GET <*> took <*> ms".into(), ..Pattern::default() };
        Observed {
            grid: Grid::unbroken(0, 10_000, Trial { selection: 10..12, baseline: 0..8 }),
            components: vec!["a".into()],
            patterns: vec![pattern],
            fields: vec![field],
            ..Observed::default()
        }
    }

    static NONE: BTreeSet<&str> = BTreeSet::new();

    fn tested(observed: &Observed) -> Tested<'_> {
        Tested { field: &observed.fields[0], replaced: &NONE }
    }

    #[test]
    fn an_address_that_wrote_most_of_the_lines_is_told_with_its_share() {
        let value = |value: &str, lines: [u32; 5]| FieldValue { value: value.into(), lines: lines.to_vec() };
        let field = Field {
            part: Part::Named("client".into()),
            lines: vec![100; 5],
            values: vec![value("198.51.100.7", [2, 1, 3, 2, 84]), value("192.0.2.1", [30, 31, 28, 29, 5])],
            ..Field::default()
        };
        let observed = observed(field);
        let found = of_value(&observed, &Tree::of(&observed), &tested(&observed), 0.001).unwrap();
        assert_eq!(found.subject, "client=198.51.100.7");
        assert_eq!(found.summary, "198.51.100.7: 84 % of the lines (76–90 %, 100 sampled); before 2 %");
        assert_eq!(found.at.field, Some(("client".into(), "198.51.100.7".into())));
    }

    #[test]
    fn numbers_that_have_shifted_are_told_with_the_unit_of_the_text() {
        let numbers =
            |around: f32| (0..20).map(|at| around + at as f32 * 0.01 * around).collect::<Vec<f32>>();
        let field = Field {
            part: Part::Hole { pattern: 0, hole: 1 },
            lines: vec![20; 5],
            numbers: vec![numbers(11.0), numbers(10.9), numbers(11.1), numbers(11.0), numbers(860.0)],
            ..Field::default()
        };
        let observed = observed(field);
        let found = of_numbers(&observed, &Tree::of(&observed), &tested(&observed), 0.001).unwrap();
        assert_eq!(
            (found.summary.as_str(), found.change),
            ("median 12 → 937 ms (the <*> behind “took”)", Change::Up)
        );
        assert_eq!(found.at.pattern.as_deref(), Some("p"));
    }

    /// What a part says whose numbers are these in four slices and in the selection.
    fn said(slices: [&[f32]; 5]) -> [f32; STATISTICS] {
        let each = |numbers: &[f32]| numbers.iter().copied().cycle().take(40).collect::<Vec<f32>>();
        let field = Field { lines: vec![40; 5], numbers: slices.map(each).to_vec(), ..Field::default() };
        Tested { field: &field, replaced: &NONE }.compare(4)
    }

    #[test]
    fn a_number_that_was_mostly_nothing_shifts_by_what_it_does_else() {
        let usual = said([&[0.0, 0.0, 0.0, 1.0, 1.0]; 5]);
        let more =
            said([&[0.0, 0.0, 0.0, 1.0, 1.0], &[0.0, 0.0, 0.0, 1.0, 1.0], &[0.0], &[0.0], &[0.0, 1.0, 1.0]]);
        assert!(usual[2] <= 0.0 && more[2] > 1.0 && more[2] < 50.0, "{usual:?} {more:?}");
        let from_nothing = said([&[0.0], &[0.0], &[0.0], &[0.0], &[7.0]]);
        assert!(from_nothing[2] > more[2] && from_nothing[2] < 1e3, "{from_nothing:?}");
    }

    #[test]
    fn what_was_replaced_everywhere_is_no_news_of_one() {
        let field = |component: u32, is_replaced: bool| {
            let value = |name: String, lines: [u32; 5]| FieldValue { value: name, lines: lines.to_vec() };
            let (old, new) = (format!("old{component}"), format!("new{component}"));
            let values = if is_replaced {
                vec![value(old, [100, 100, 100, 100, 0]), value(new, [0, 0, 0, 0, 100])]
            } else {
                vec![value(old, [100; 5])]
            };
            Field {
                component,
                part: Part::Named("pod".into()),
                lines: vec![100; 5],
                values,
                ..Field::default()
            }
        };
        let least = |replaced: u32| {
            let observed = Observed {
                fields: (0..40).map(|component| field(component, component < replaced)).collect(),
                components: (0..40).map(|component| format!("c{component}")).collect(),
                ..observed(Field::default())
            };
            find(&observed, &Tree::of(&observed)).combined.p.into_iter().fold(1.0, f64::min)
        };
        assert!(least(1) < 0.01, "{}", least(1));
        assert!(least(40) > 0.9, "{}", least(40));
    }

    #[test]
    fn the_unit_of_numbers_is_the_one_they_are_written_with_or_their_names() {
        let check = |name: &str, measure: Measure, expected: &str| {
            let field = Field { part: Part::Named(name.into()), measure, ..Field::default() };
            assert_eq!(unit_of(&Observed::default(), &field), expected, "{name}");
        };
        check("took", Measure::Time, "s");
        check("took_ms", Measure::Plain, "ms");
        check("took", Measure::Plain, "");
        check("heap", Measure::Size, "B");
    }

    #[test]
    fn a_value_is_looked_for_with_the_text_around_it() {
        let check = |template: &str, hole: usize, expected: &str| {
            assert_eq!(among_its_neighbours(template, hole, "64"), expected, "{template}");
        };
        check("GET <*> took <*> ms", 0, "GET 64 took ");
        check("GET <*> took <*> ms", 1, " took 64 ms");
        check("a very long beginning of a message: <*>, and so on and on", 0, " a message: 64, and so on ");
        check("say \"<*>\" to C:\\<*>", 0, "64");
        check("say \"<*>\" to C:\\<*>", 1, "64");
        check("größe <*>€", 0, "e 64");
        check("", 3, "64");
    }

    #[test]
    fn a_filled_hole_reads_as_the_message() {
        let field = Field { part: Part::Hole { pattern: 0, hole: 0 }, ..Field::default() };
        let observed = observed(field);
        assert_eq!(subject(&observed, &observed.fields[0], Some("/a")), "GET /a took <*> ms");
    }
}

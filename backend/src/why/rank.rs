//! From what was observed to the answer.
//!
//! Of what was judged the promising is scored; what moved together becomes one; of these groups those stay that stand out
//! among all that was tested; and they are told best first, each with when it moved.

use super::candidate::{Candidate, course_of};
use super::collapse::{Group, collapse};
use super::discovery::{discoveries, joined};
use super::judgements::{Judgements, UnderNull, is_received, unusable};
use super::null::Combined;
use super::observed::{Grid, Observed};
use super::score::{Weights, alone, among_others};
use super::share::{Asked, Tests};
use super::together::Places;
use super::tree::Tree;
use super::{events, fields};
use sonde_shared::why::{Finding, FindingKind, Member, QUIET, Tested, Why};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// How many quiet windows may have any finding.
const FALSE_ALARMS: f64 = 0.008;
/// The part of findings that may be false where something happened.
const FALSE_FINDINGS: f64 = 0.1;
/// So many findings are told …
const MOST_FINDINGS: usize = 100;
/// … and of what does not stand out so many …
const MOST_WEAKER: usize = 10;
/// … with so many members each.
const MOST_MEMBERS: usize = 50;

/// What is said of findings where past windows are shorter than the selection.
const DOUBT: &str =
    "Little is known from before, so it is uncertain what is usual: more of these than else may be chance.";

/// What is said where everything is missing, and so nothing in particular.
pub const NOTHING_CAME: &str = "Nothing was received in the selection.";

/// Ranks what differs in the selection, best first; nothing where nothing stands out.
pub fn rank(observed: &Observed) -> Why {
    rank_judged(observed, &Judgements::of(observed), &Weights::default())
}

/// The same with other weights, and with the p-values of past windows.
pub fn rank_with(observed: &Observed, weights: &Weights) -> (Why, UnderNull) {
    let judged = Judgements::of(observed);
    let (why, fields) = rank_fields(observed, &judged, weights);
    (why, judged.under_null(&fields))
}

/// The same where series, patterns and places were judged before: their fields may have come since.
pub fn rank_judged(observed: &Observed, judged: &Judgements, weights: &Weights) -> Why {
    rank_fields(observed, judged, weights).0
}

/// Tests the fields, too, and ranks all of it; and how often the like of each field comes by chance.
fn rank_fields(observed: &Observed, judged: &Judgements, weights: &Weights) -> (Why, Combined) {
    let grid = &observed.grid;
    let answer = Why {
        tested: tested(observed),
        range_ms: range_ms(grid, &grid.now.selection),
        baseline_ms: range_ms(grid, &grid.now.baseline),
        done: true,
        ..Why::default()
    };
    if let Some(note) = unusable(observed) {
        return (Why { note: Some(note), ..answer }, Combined::default());
    }
    let tree = Tree::of(observed);
    let fields = fields::find(observed, &tree);
    let tests = Tests::of(observed, &tree, judged.tests(&fields), &judged.places);
    let (candidates, others) = judged.candidates(&fields);
    let promising = candidates.len();
    let candidates = [candidates, others].map(|part| best_first(part, &tree, weights)).concat();
    let groups = collapse(&candidates[..promising]);
    let charted = charted(observed);
    let p = p_values(&candidates, &groups, &tests, &judged.places, &tree, &charted);
    let count = tests.all() - promising + groups.len();
    let (kept, rest) = keep_discoveries(groups, &p, count);
    let told = Told::new(observed, &tree, &candidates, &kept, charted, weights);
    let findings = told.with_events(&kept);
    let is_received = is_received(observed);
    let weaker =
        if is_received { told.weaker(&rest, || of_the_others(&candidates, promising)) } else { Vec::new() };
    let doubt = judged.is_doubtful.then(|| DOUBT.to_owned());
    let note = if !findings.is_empty() {
        doubt
    } else if is_received {
        Some(quiet(&answer.tested))
    } else {
        Some(NOTHING_CAME.to_owned())
    };
    (Why { findings, weaker, note, ..answer }, fields.combined)
}

/// Candidates by what is known of each alone; equal ones as they come, so that an answer is always the same.
fn best_first(candidates: Vec<Candidate>, tree: &Tree<'_>, weights: &Weights) -> Vec<Candidate> {
    let score =
        |candidate: &Candidate| alone(candidate, tree.closeness(&candidate.owner, &candidate.hosts), weights);
    let mut scored: Vec<(f64, Candidate)> =
        candidates.into_iter().map(|candidate| (score(&candidate), candidate)).collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    scored.into_iter().map(|(_, candidate)| candidate).collect()
}

/// What moved together among those that are not promising, from `promising` on, but not with one that is.
fn of_the_others(candidates: &[Candidate], promising: usize) -> Vec<Group> {
    let is_other =
        |group: &Group| group.members.iter().chain([&group.leader]).all(|member| *member >= promising);
    collapse(candidates).into_iter().filter(is_other).collect()
}

fn quiet(tested: &Tested) -> String {
    let some = |number: u64, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let (patterns, fields) = (some(tested.patterns, "pattern"), some(tested.fields, "field"));
    let components = some(tested.components, "component");
    let series = tested.series;
    format!(
        "{QUIET}{series} series, {patterns}, {fields} and {components} changed no more than happens anyway."
    )
}

/// How often the like of each group comes by chance, beside all that was tested: by its members' p-values; or, of the best group of a place, by
/// what all members of that place say together.
fn p_values(
    candidates: &[Candidate],
    groups: &[Group],
    tests: &Tests,
    places: &Places,
    tree: &Tree<'_>,
    charted: &Charted<'_>,
) -> Vec<f64> {
    let weighted = |member: &Candidate, asked: Asked| (member.p * tests.share(member.kind, asked)).min(1.0);
    let p_of = |group: &Group| {
        let members = group.members.iter().chain([&group.leader]).map(|member| &candidates[*member]);
        let (charted, others): (Vec<_>, Vec<_>) = members.partition(|member| is_charted(charted, member));
        let asked = |member: &Candidate| {
            if tree.is_selected(&member.owner, &member.hosts) { Asked::Near } else { Asked::Elsewhere }
        };
        let charted = joined(charted.into_iter().map(|member| weighted(member, Asked::Charted)).collect());
        joined(others.into_iter().map(|member| weighted(member, asked(member))).collect()).min(charted)
    };
    let mut p: Vec<f64> = groups.iter().map(p_of).collect();
    let mut best: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, group) in groups.iter().enumerate() {
        let leader = &candidates[group.leader];
        if matches!(leader.kind, FindingKind::Metric | FindingKind::Pattern) {
            let best = best.entry(leader.owner.as_str()).or_insert(number);
            if p[number] < p[*best] {
                *best = number;
            }
        }
    }
    for (place, number) in best {
        if let Some(together) = places.get(place) {
            let is_near = tree.is_selected(place, &tree.hosts_of(place));
            p[number] = p[number].min(together * tests.share_together(is_near));
        }
    }
    p
}

/// The groups that stand out among all that was tested, and the others, those first that come nearest. First it is asked whether anything happened at all, then what:
/// where something did, more of what belongs to it may be told.
fn keep_discoveries(groups: Vec<Group>, p: &[f64], count: usize) -> (Vec<Group>, Vec<Group>) {
    let rate = if discoveries(p, count, FALSE_ALARMS).contains(&true) { FALSE_FINDINGS } else { 0.0 };
    let kept = discoveries(p, count, rate);
    let all = groups.into_iter().zip(kept.into_iter().zip(p));
    let (kept, mut rest): (Vec<_>, Vec<_>) = all.partition(|(_, (kept, _))| *kept);
    rest.sort_by(|(_, (_, one)), (_, (_, other))| one.total_cmp(other));
    let groups = |part: Vec<(Group, (bool, &f64))>| part.into_iter().map(|(group, _)| group).collect();
    (groups(kept), groups(rest))
}

/// The paths of the charted series.
type Charted<'a> = BTreeSet<&'a str>;

/// Groups as they are told.
struct Told<'a> {
    observed: &'a Observed,
    tree: &'a Tree<'a>,
    candidates: &'a [Candidate],
    weights: &'a Weights,
    charted: Charted<'a>,
    /// When the charted series moved.
    charted_onset: Option<usize>,
}

impl<'a> Told<'a> {
    /// `kept` are the groups that stand out.
    fn new(
        observed: &'a Observed,
        tree: &'a Tree<'a>,
        candidates: &'a [Candidate],
        kept: &[Group],
        charted: Charted<'a>,
        weights: &'a Weights,
    ) -> Self {
        let charted_onset = charted_onset(&charted, candidates, kept);
        Self { observed, tree, candidates, weights, charted, charted_onset }
    }

    /// The findings of what stands out, best first, and the events just before.
    fn with_events(&self, groups: &[Group]) -> Vec<Finding> {
        let mut findings = self.findings(groups);
        if groups.is_empty() {
            return findings;
        }
        let grid = &self.observed.grid;
        let first = self.onsets(groups).first().and_then(|bucket| grid.starts_ms.get(*bucket)).copied();
        let events = events::find(self.observed, self.tree, first);
        findings.extend(events.iter().map(|event| self.finding(event, &[], self.score(event, 0, &[]))));
        findings.sort_by(|one, other| other.score.total_cmp(&one.score));
        findings.truncate(MOST_FINDINGS);
        findings
    }

    fn findings(&self, groups: &[Group]) -> Vec<Finding> {
        let scored = groups.iter().zip(self.scores(groups));
        scored.map(|(group, score)| self.of_group(group, self.spokesman(group), score)).collect()
    }

    /// The first of groups that do not stand out, which come by rising chance. Where nothing is certain, size alone puts first what jumps now and
    /// then, and chance alone what is steady and hardly moved: so each counts by its places in both orders together. Of what is not even promising
    /// chance says nothing, and the largest fill up what is left.
    fn weaker(&self, groups: &[Group], others: impl FnOnce() -> Vec<Group>) -> Vec<Finding> {
        let scores = self.scores(groups);
        let mut by_both: Vec<(usize, usize)> =
            by_size(&scores).into_iter().enumerate().map(|(place, group)| (place + group, group)).collect();
        by_both.sort_unstable();
        let first = by_both.into_iter().take(MOST_WEAKER);
        let mut told: Vec<Finding> =
            first.map(|(_, group)| self.of_weaker(&groups[group], scores[group])).collect();
        if told.len() < MOST_WEAKER {
            let others = others();
            let scores = self.scores(&others);
            let largest = by_size(&scores).into_iter().take(MOST_WEAKER - told.len());
            told.extend(largest.map(|group| self.of_weaker(&others[group], scores[group])));
        }
        told
    }

    fn scores(&self, groups: &[Group]) -> Vec<f64> {
        let onsets = self.onsets(groups);
        let score = |group: &Group| self.score(&self.candidates[group.leader], group.members.len(), &onsets);
        groups.iter().map(score).collect()
    }

    /// A group, for which one of it stands.
    fn of_group(&self, group: &Group, spokesman: usize, score: f64) -> Finding {
        // Who led before it was replaced stands first among the members.
        let all = [&group.leader].into_iter().chain(&group.members);
        let members: Vec<&Candidate> =
            all.filter(|member| **member != spokesman).map(|member| &self.candidates[*member]).collect();
        self.finding(&self.candidates[spokesman], &members, score)
    }

    /// The charted series of a group, for it was asked about; else of those that are of the leader's kind the one that changed by the largest
    /// part, which says most to a reader.
    fn spokesman(&self, group: &Group) -> usize {
        let larger = |best: usize, other: usize| {
            if self.candidates[other].relative > self.candidates[best].relative { other } else { best }
        };
        self.charted_of(group).unwrap_or_else(|| self.of_a_kind(group).fold(group.leader, larger))
    }

    fn charted_of(&self, group: &Group) -> Option<usize> {
        self.of_a_kind(group).find(|number| is_charted(&self.charted, &self.candidates[*number]))
    }

    /// A group's leader, and its members of the same kind.
    fn of_a_kind(&self, group: &Group) -> impl Iterator<Item = usize> {
        let kind = self.candidates[group.leader].kind;
        let all = [group.leader].into_iter().chain(group.members.iter().copied());
        all.filter(move |number| self.candidates[*number].kind == kind)
    }

    /// A group that does not stand out: where nothing is sure, what is largest in all respects speaks for itself.
    fn of_weaker(&self, group: &Group, score: f64) -> Finding {
        self.of_group(group, self.charted_of(group).unwrap_or(group.leader), score)
    }

    /// When each of these groups began, as far as it is known, ascending.
    fn onsets(&self, groups: &[Group]) -> Vec<usize> {
        let mut onsets: Vec<usize> =
            groups.iter().filter_map(|group| self.candidates[group.leader].onset).collect();
        onsets.sort_unstable();
        onsets
    }

    fn score(&self, candidate: &Candidate, members: usize, onsets: &[usize]) -> f64 {
        let closeness = self.tree.closeness(&candidate.owner, &candidate.hosts);
        let rank = candidate.onset.map(|onset| place_among(onsets, onset));
        alone(candidate, closeness, self.weights) + among_others(rank, members, self.weights)
    }

    fn finding(&self, leader: &Candidate, members: &[&Candidate], score: f64) -> Finding {
        finding(&self.observed.grid, leader, members, score, self.charted_onset)
    }
}

/// Places of scores, the largest first.
fn by_size(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
    order
}

/// Where an onset stands among all: 0 for the first, 1 for the last.
fn place_among(onsets: &[usize], onset: usize) -> f64 {
    let before = onsets.partition_point(|other| *other < onset);
    before as f64 / onsets.len().saturating_sub(1).max(1) as f64
}

fn finding(
    grid: &Grid,
    leader: &Candidate,
    members: &[&Candidate],
    score: f64,
    charted: Option<usize>,
) -> Finding {
    let start = |bucket: usize| grid.starts_ms.get(bucket).copied();
    let began =
        leader.onset.and_then(start).or(leader.at.at_ms.filter(|_| leader.kind == FindingKind::Event));
    let lag_s = charted.and_then(start).zip(began).map(|(charted, began)| (began - charted) as f64 / 1_000.0);
    let member = |candidate: &&Candidate| Member {
        kind: candidate.kind,
        subject: candidate.subject.clone(),
        summary: summary_of(candidate, leader),
        at: candidate.at.clone(),
    };
    Finding {
        kind: leader.kind,
        subject: leader.subject.clone(),
        change: leader.change,
        score,
        p_value: leader.p,
        effect: leader.effect,
        summary: leader.summary.clone(),
        lag_s,
        course: course_of(grid, leader.kind, &leader.course).filter(|course| !course.values.is_empty()),
        at: leader.at.clone(),
        members: members.iter().take(MOST_MEMBERS).map(member).collect(),
        members_total: members.len() as u64,
    }
}

/// A member's summary, which says where it is, where that is elsewhere than its leader and the subject does not say it.
fn summary_of(member: &Candidate, leader: &Candidate) -> String {
    match &member.at.component {
        Some(component) if member.kind == FindingKind::Field && member.owner != leader.owner => {
            format!("in {component}, {}", member.summary)
        }
        _ => member.summary.clone(),
    }
}

/// When the charted series moved: the first of those that are among what stands out. Where none of them is, the rest of a chart
/// is noise, and nothing can be earlier or later than that.
fn charted_onset(charted: &Charted<'_>, candidates: &[Candidate], groups: &[Group]) -> Option<usize> {
    let told = groups.iter().flat_map(|group| group.members.iter().chain([&group.leader]));
    told.filter_map(|number| candidates[*number].onset.filter(|_| is_charted(charted, &candidates[*number])))
        .min()
}

fn charted(observed: &Observed) -> Charted<'_> {
    let places = observed.context.charted.iter();
    places
        .filter_map(|place| observed.series.get(*place as usize))
        .map(|series| series.path.as_str())
        .collect()
}

fn is_charted(charted: &Charted<'_>, candidate: &Candidate) -> bool {
    candidate.kind == FindingKind::Metric && charted.contains(candidate.subject.as_str())
}

fn tested(observed: &Observed) -> Tested {
    // What goes on under another name has no lines of its own.
    let components: BTreeSet<u32> = observed.volumes.iter().map(|volume| volume.component).collect();
    Tested {
        series: observed.series.len() as u64,
        patterns: observed.patterns.len() as u64,
        fields: observed.fields.len() as u64,
        components: components.len() as u64,
        events: observed.events.len() as u64,
        sampled_lines: observed.sampled_lines,
        lines: observed.lines,
    }
}

fn range_ms(grid: &Grid, buckets: &Range<usize>) -> [i64; 2] {
    let start = |bucket: usize| grid.starts_ms.get(bucket).copied();
    let from = start(buckets.start).unwrap_or_default();
    let until = buckets.end.checked_sub(1).and_then(start).map_or(from, |last| last + grid.step_ms);
    [from, until]
}

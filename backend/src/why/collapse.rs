//! What moved together becomes one finding with members.
//!
//! Series of one owner are one where their courses resemble each other. Lines are stricter, for two messages that both
//! stopped may be two facts: patterns are one where they come in the same numbers, values where they are in the same lines, and the same
//! value of a field or message is one in all components. A
//! component goes with the pattern that makes up its change, and patterns go with their component where all of them changed alike.

use super::candidate::Candidate;
use super::tree::is_within;
use sonde_shared::why::{Change, FindingKind};
use std::collections::BTreeMap;

/// From this correlation on two series moved together.
const SERIES_ALIKE: f64 = 0.8;
/// … and two patterns.
const PATTERNS_ALIKE: f64 = 0.95;
/// Numbers of lines, and shares, that differ by less than this part are the same.
const SAME: f64 = 0.15;
/// A candidate is compared with so many findings of its owner: enough, since the best come first.
const MOST_LEADERS: usize = 40;

/// A finding: the place of the candidate that leads, and of its members, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) leader: usize,
    pub(super) members: Vec<usize>,
}

/// Groups candidates, which are sorted best first.
pub(super) fn collapse(candidates: &[Candidate]) -> Vec<Group> {
    let shapes: Vec<Shape> = candidates.iter().map(|candidate| Shape::of(&candidate.course)).collect();
    let mut groups: Vec<Group> = Vec::new();
    let mut by_owner: BTreeMap<(&str, Class), Vec<usize>> = BTreeMap::new();
    let mut by_value: BTreeMap<&str, usize> = BTreeMap::new();
    let mut places = Vec::new();
    for (number, candidate) in candidates.iter().enumerate() {
        let Some(class) = Class::of(candidate) else {
            places.push(number);
            continue;
        };
        let known = by_owner.entry((candidate.owner.as_str(), class)).or_default();
        let together = |group: &usize| {
            let leader = groups[*group].leader;
            class.moved_together((&candidates[leader], &shapes[leader]), (candidate, &shapes[number]))
        };
        // A value is the same one wherever it comes up in that field or message: a client that asks all is one client.
        let value = candidate.twin.as_ref().map(|_| candidate.subject.as_str());
        let elsewhere = value.and_then(|value| by_value.get(value)).copied();
        let group = elsewhere.or_else(|| known.iter().copied().find(together));
        if let Some(group) = group {
            groups[group].members.push(number);
        } else {
            if known.len() < MOST_LEADERS {
                known.push(groups.len());
            }
            groups.push(Group { leader: number, members: Vec::new() });
        }
        if let Some(value) = value {
            by_value.entry(value).or_insert(group.unwrap_or(groups.len() - 1));
        }
    }
    for place in places {
        add_place(candidates, &shapes, place, &mut groups);
    }
    groups
}

/// What is compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Series,
    Pattern,
    Field,
}

impl Class {
    fn of(candidate: &Candidate) -> Option<Self> {
        match candidate.kind {
            FindingKind::Metric => Some(Self::Series),
            // Numbers in lines that shift as a series of their component does tell what that tells.
            FindingKind::Field if candidate.twin.is_none() => Some(Self::Series),
            FindingKind::Pattern => Some(Self::Pattern),
            FindingKind::Field => Some(Self::Field),
            FindingKind::Component | FindingKind::Host | FindingKind::Event => None,
        }
    }

    fn moved_together(self, leader: (&Candidate, &Shape), other: (&Candidate, &Shape)) -> bool {
        let alike = leader.1.correlation(other.1);
        match self {
            Self::Series => {
                alike.abs() >= SERIES_ALIKE || (is_end(leader.0) && leader.0.change == other.0.change)
            }
            Self::Pattern => {
                alike >= PATTERNS_ALIKE && leader.0.change == other.0.change && leader.1.is_as_large(other.1)
            }
            Self::Field => {
                let same_value = leader.0.twin.is_some() && leader.0.twin == other.0.twin;
                let both_values = leader.0.twin.is_some() && other.0.twin.is_some();
                same_value || (both_values && alike >= PATTERNS_ALIKE && leader.1.is_as_large(other.1))
            }
        }
    }
}

fn is_end(candidate: &Candidate) -> bool {
    matches!(candidate.change, Change::Gone | Change::New)
}

/// A component or host joins what explains it, or takes in what it explains, or stands alone.
fn add_place(candidates: &[Candidate], shapes: &[Shape], place: usize, groups: &mut Vec<Group>) {
    let candidate = &candidates[place];
    let alike = |group: &Group| {
        let leader = &candidates[group.leader];
        let same_way = (leader.effect > 0.0) == (candidate.effect > 0.0);
        same_way
            && is_of(leader, candidate)
            && shapes[group.leader].correlation(&shapes[place]) >= SERIES_ALIKE
    };
    let explains = |group: &&mut Group| {
        let leader = &candidates[group.leader];
        leader.kind != FindingKind::Metric
            && (leader.kind != FindingKind::Pattern || shapes[group.leader].rise >= 0.5 * shapes[place].rise)
            && !(candidate.change == Change::Gone && leader.kind == FindingKind::Pattern)
            && alike(group)
    };
    if let Some(group) =
        groups.iter_mut().filter(|group| candidates[group.leader].kind != FindingKind::Field).find(explains)
    {
        group.members.push(place);
        return;
    }
    let is_part = |group: &Group| {
        let leader = &candidates[group.leader];
        let alike_in_size = (leader.effect - candidate.effect).abs() < 1.5_f64.ln();
        let both_gone = candidate.change == Change::Gone && leader.change == Change::Gone;
        let part = is_within(&leader.owner, &candidate.owner);
        leader.kind == FindingKind::Pattern && ((both_gone && part) || (alike_in_size && alike(group)))
    };
    let mut taken = Group { leader: place, members: Vec::new() };
    groups.retain(|group| {
        let part = is_part(group);
        if part {
            taken.members.push(group.leader);
            taken.members.extend(&group.members);
        }
        !part
    });
    taken.members.sort_unstable();
    groups.push(taken);
}

/// Whether a finding is of what a component or host holds, or the other way about.
fn is_of(finding: &Candidate, place: &Candidate) -> bool {
    is_within(&finding.owner, &place.owner)
        || is_within(&place.owner, &finding.owner)
        || (place.kind == FindingKind::Host && finding.hosts.contains(&place.owner))
}

/// A course, ready to be compared.
#[derive(Clone, Debug, Default)]
struct Shape {
    /// Values from their mean in units of their length, 0 where there is none.
    values: Vec<f32>,
    sum: f64,
    /// How far the end lies from the beginning.
    rise: f64,
}

impl Shape {
    fn of(course: &[f32]) -> Self {
        let present = || course.iter().copied().filter(|value| value.is_finite()).map(f64::from);
        let (sum, count) = (present().sum::<f64>(), present().count().max(1) as f64);
        let mean = sum / count;
        let length = present().map(|value| (value - mean).powi(2)).sum::<f64>().sqrt();
        let scaled = |value: &f32| {
            if value.is_finite() && length > 0.0 { ((f64::from(*value) - mean) / length) as f32 } else { 0.0 }
        };
        let end = course.len() / 5;
        let mean_of = |part: &[f32]| {
            part.iter().filter(|value| value.is_finite()).map(|value| f64::from(*value)).sum::<f64>()
                / part.len().max(1) as f64
        };
        let rise = (mean_of(&course[course.len() - end..]) - mean_of(&course[..course.len() - end])).abs();
        Self { values: course.iter().map(scaled).collect(), sum, rise }
    }

    fn correlation(&self, other: &Self) -> f64 {
        self.values.iter().zip(&other.values).map(|(one, other)| f64::from(one * other)).sum()
    }

    fn is_as_large(&self, other: &Self) -> bool {
        (self.sum - other.sum).abs() <= SAME * self.sum.abs().max(other.sum.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::why::Place;

    fn candidate(kind: FindingKind, owner: &str, change: Change, course: Vec<f32>) -> Candidate {
        Candidate {
            kind,
            subject: "s".into(),
            change,
            p: 0.001,
            relative: 1.0,
            noise: 1.0,
            specific: 1.0,
            effect: if matches!(change, Change::Gone | Change::Down) { -3.0 } else { 3.0 },
            summary: String::new(),
            at: Place::default(),
            owner: owner.into(),
            hosts: Vec::new(),
            course,
            onset: None,
            twin: None,
        }
    }

    fn step(size: f32, at: usize) -> Vec<f32> {
        (0..40).map(|bucket| if bucket < at { 1.0 } else { size } + (bucket % 3) as f32 * 0.1).collect()
    }

    #[test]
    fn series_of_one_owner_that_moved_together_are_one_and_others_are_not() {
        let series = |owner: &str, course| candidate(FindingKind::Metric, owner, Change::Up, course);
        let all = [
            series("a", step(9.0, 30)),
            series("b", step(9.0, 30)),
            series("a", step(-400.0, 30)),
            series("a", step(9.0, 15)),
        ];
        let groups = collapse(&all);
        assert_eq!(groups.len(), 3);
        assert_eq!(groups[0], Group { leader: 0, members: vec![2] });
    }

    #[test]
    fn numbers_in_lines_go_with_the_series_of_their_component() {
        let numbers = candidate(FindingKind::Field, "a", Change::Up, step(9.0, 30));
        let value = Candidate { twin: Some("v".into()), ..numbers.clone() };
        let series = candidate(FindingKind::Metric, "a", Change::Up, step(9.0, 30));
        let groups = collapse(&[series, numbers, value]);
        assert_eq!(groups, [Group { leader: 0, members: vec![1] }, Group { leader: 2, members: vec![] }]);
    }

    #[test]
    fn a_value_is_one_in_all_components_and_takes_along_what_it_stands_with() {
        let value = |owner: &str, field: &str, at| {
            let found = candidate(FindingKind::Field, owner, Change::Up, step(9.0, at));
            Candidate { subject: format!("{field}=v"), twin: Some("v".into()), ..found }
        };
        let path = Candidate { twin: Some("w".into()), ..value("a", "path", 30) };
        let all = [value("a", "client", 30), path.clone(), value("b", "client", 20), value("b", "user", 10)];
        let groups = collapse(&all);
        assert_eq!(groups, [Group { leader: 0, members: vec![1, 2] }, Group { leader: 3, members: vec![] }]);
        // What is no value is one in its component alone.
        let numbers = |owner: &str| Candidate { twin: None, ..value(owner, "took", 30) };
        assert_eq!(collapse(&[numbers("a"), numbers("b")]).len(), 2);
    }

    #[test]
    fn patterns_are_one_only_where_they_come_in_the_same_numbers() {
        let pattern = |course| candidate(FindingKind::Pattern, "a", Change::Up, course);
        let groups = collapse(&[pattern(step(9.0, 30)), pattern(step(9.0, 30)), pattern(step(30.0, 30))]);
        assert_eq!(groups, [Group { leader: 0, members: vec![1] }, Group { leader: 2, members: vec![] }]);
    }

    #[test]
    fn a_component_goes_with_the_pattern_that_makes_up_its_change() {
        let pattern = candidate(FindingKind::Pattern, "a.b", Change::New, step(9.0, 30));
        let place = candidate(FindingKind::Component, "a", Change::Up, step(10.0, 30));
        assert_eq!(collapse(&[place, pattern]), [Group { leader: 1, members: vec![0] }]);
    }

    #[test]
    fn what_fell_silent_takes_its_patterns_along() {
        let gone = |kind| candidate(kind, "a", Change::Gone, step(0.0, 30));
        let groups = collapse(&[
            gone(FindingKind::Pattern),
            candidate(FindingKind::Pattern, "a", Change::Gone, step(-5.0, 30)),
            gone(FindingKind::Component),
        ]);
        assert_eq!(groups, [Group { leader: 2, members: vec![0, 1] }]);
    }
}

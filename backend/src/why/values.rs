//! Which value of a part of lines is over-represented in a slice of time.
//!
//! Parts name what lines come from, too: an instance, a version, a thread. Between a baseline that lies far away and the selection
//! many of these were started anew: their names end, and others take their share of the lines, which says nothing of the selection. So what
//! is new there counts for what it has beyond the share of something that ended.

use super::counts::share_deviance;
use super::observed::{Field, FieldValue};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What is true of so large a part of the lines is true of most.
const MOST: f64 = 0.5;
/// What has so many times the share that it had is new, and the other way about has ended: it may have begun just before the selection.
const MUCH: u64 = 10;

/// A value's lines in a slice and in the baseline's other slices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hits<'a> {
    pub(super) value: &'a FieldValue,
    pub(super) here: u32,
    pub(super) before: u32,
    /// Those of another one that it took over from.
    pub(super) taken: u32,
}

/// The most over-represented value of a slice, and by how much. `is_far` tells that nobody looked at what lies between, and `replaced` are
/// names that took over from others, as is known elsewhere.
pub(super) fn most_over<'a>(
    field: &'a Field,
    slice: usize,
    is_far: bool,
    replaced: &BTreeSet<&str>,
) -> Option<(Hits<'a>, f32)> {
    let before = |of: &[u32]| other_slices(field, slice).map(|other| of[other]).sum::<u32>();
    let hits = field.values.iter().filter(|value| !replaced.contains(&*value.value)).map(|value| {
        let lines = &value.lines;
        Hits { value, here: lines[slice], before: before(lines), taken: 0 }
    });
    let mut all: Vec<Hits<'a>> = hits.collect();
    if is_far {
        take_over(&mut all);
    }
    let (lines, lines_before) = (f64::from(field.lines[slice]), f64::from(before(&field.lines)));
    let rated = all.into_iter().map(|hits| {
        (hits, share_deviance(f64::from(hits.here), lines, f64::from(hits.before + hits.taken), lines_before))
    });
    rated.filter(|(_, deviance)| *deviance > 0.0).max_by(|one, other| one.1.total_cmp(&other.1))
}

/// How often other components' parts had most of their values replaced, by the place of the field; none of what kept them.
pub(super) fn replaced_elsewhere(fields: &[&Field]) -> Vec<Option<f64>> {
    let turnovers: Vec<Option<bool>> = fields.iter().map(|field| is_replaced(field)).collect();
    let (mut all, mut by_component) = ([0; 2], BTreeMap::<u32, [usize; 2]>::new());
    for (field, turnover) in fields.iter().zip(&turnovers) {
        let own = by_component.entry(field.component).or_default();
        for counts in [&mut all, own] {
            counts[0] += usize::from(*turnover == Some(true));
            counts[1] += usize::from(turnover.is_some());
        }
    }
    let elsewhere = |(field, turnover): (&&Field, Option<bool>)| {
        let own = by_component.get(&field.component).copied().unwrap_or_default();
        let part = (all[0] - own[0]) as f64 / (all[1] - own[1]).max(1) as f64;
        turnover.filter(|is_replaced| *is_replaced).map(|_| part)
    };
    fields.iter().zip(turnovers).map(elsewhere).collect()
}

/// Whether most of what a part has in the selection is new, and most of what it had before ended; unknown where values seldom repeat.
fn is_replaced(field: &Field) -> Option<bool> {
    let last = field.lines.len().checked_sub(1)?;
    let before = |of: &[u32]| of[..last].iter().sum::<u32>();
    let most = |sum: u32, of: u32| f64::from(sum) >= MOST * f64::from(of);
    let (lines_before, lines) = (before(&field.lines), field.lines[last]);
    let is_more = |one: u32, of: u32, other: u32, of_other: u32| {
        u64::from(one) * u64::from(of_other) >= MUCH * u64::from(other) * u64::from(of)
    };
    let (mut ended, mut begun, mut repeated) = (0, 0, [0; 2]);
    for value in &field.values {
        let (old, new) = (before(&value.lines), value.lines[last]);
        repeated = [repeated[0] + old, repeated[1] + new];
        ended += if is_more(old, lines_before, new, lines) { old } else { 0 };
        begun += if is_more(new, lines, old, lines_before) { new } else { 0 };
    }
    let repeat = most(repeated[0], lines_before) && most(repeated[1], lines);
    repeat.then(|| most(ended, lines_before) && most(begun, lines))
}

/// The slices of the baseline without one.
pub(super) fn other_slices(field: &Field, slice: usize) -> impl Iterator<Item = usize> + use<> {
    (0..field.lines.len() - 1).filter(move |other| *other != slice)
}

/// What is new takes the lines over of what ended, the most frequent those of the most frequent.
fn take_over(all: &mut [Hits<'_>]) {
    let mut ended: Vec<u32> = all
        .iter()
        .filter(|hits| hits.here == 0)
        .map(|hits| hits.before)
        .filter(|before| *before > 0)
        .collect();
    ended.sort_unstable_by_key(|before| Reverse(*before));
    let mut begun: Vec<&mut Hits<'_>> =
        all.iter_mut().filter(|hits| hits.before == 0 && hits.here > 0).collect();
    begun.sort_by_key(|hits| Reverse(hits.here));
    for (hits, taken) in begun.into_iter().zip(ended) {
        hits.taken = taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value that is told of a part with these in two slices and the selection, each of 100 lines.
    fn told(values: &[(&str, [u32; 3])], is_far: bool) -> Option<(String, u32, u32, bool)> {
        let value = |(name, lines): &(&str, [u32; 3])| FieldValue {
            value: (*name).to_owned(),
            lines: lines.to_vec(),
        };
        let field =
            Field { lines: vec![100; 3], values: values.iter().map(value).collect(), ..Field::default() };
        let (hits, deviance) = most_over(&field, 2, is_far, &BTreeSet::from(["known"]))?;
        Some((hits.value.value.clone(), hits.before, hits.taken, deviance > 5.0))
    }

    #[test]
    fn a_name_that_took_over_another_ones_lines_while_nobody_looked_is_no_news() {
        let instances = [("b1", [50, 52, 0]), ("b2", [50, 48, 0]), ("c1", [0, 0, 51]), ("c2", [0, 0, 49])];
        assert_eq!(told(&instances, false), Some(("c1".to_owned(), 0, 0, true)));
        assert_eq!(told(&instances, true), None);
        // Nor is ever one that is known to have done so.
        assert_eq!(told(&[("old", [100, 100, 0]), ("known", [0, 0, 100])], false), None);
    }

    #[test]
    fn who_has_more_than_any_that_ended_is() {
        let clients = [("a", [4, 3, 0]), ("b", [90, 91, 15]), ("x", [0, 0, 84])];
        assert_eq!(told(&clients, true), Some(("x".to_owned(), 0, 7, true)));
        // And so is who was there before.
        let known = [("a", [4, 3, 0]), ("b", [90, 91, 15]), ("x", [1, 1, 84])];
        assert_eq!(told(&known, true), Some(("x".to_owned(), 2, 0, true)));
    }

    #[test]
    fn that_most_values_are_others_is_as_usual_as_elsewhere() {
        let part = |component, values: &[(&str, [u32; 3])]| {
            let value = |(name, lines): &(&str, [u32; 3])| FieldValue {
                value: (*name).to_owned(),
                lines: lines.to_vec(),
            };
            Field {
                component,
                lines: vec![100; 3],
                values: values.iter().map(value).collect(),
                ..Field::default()
            }
        };
        let replaced = [("old", [100, 99, 0]), ("new", [0, 0, 98])];
        let fields = [
            part(0, &replaced),
            part(0, &replaced),
            part(1, &replaced),
            part(1, &[("still", [100; 3])]),
            part(2, &[("old", [100, 100, 60]), ("new", [0, 0, 40])]),
            // These hardly repeat.
            part(2, &[("one", [2, 1, 0])]),
        ];
        let fields: Vec<&Field> = fields.iter().collect();
        let third = Some(1.0 / 3.0);
        assert_eq!(replaced_elsewhere(&fields), [third, third, Some(2.0 / 3.0), None, None, None]);
    }
}

//! Which value of a part of lines is over-represented in a slice of time.
//!
//! Parts name what lines come from, too: an instance, a version, a thread. When that is started anew, its name ends and another takes
//! its share of the lines. Names of what is known to have taken over are left out; and that most values of a part were replaced is as usual
//! as it is for parts of other components.

use super::counts::share_deviance;
use super::observed::{Field, FieldValue, Part};
use std::collections::{BTreeMap, BTreeSet};

/// What is true of so large a part of the lines is true of most.
const MOST: f64 = 0.5;
/// What has so many times the share that it had is new, and the other way about has ended: it may have begun just before the selection.
const MUCH: u64 = 10;
/// Of fewer parts of one name nobody knows how often they are replaced.
const FEW: usize = 3;

/// A value's lines in a slice and in the baseline's other slices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hits<'a> {
    pub(super) value: &'a FieldValue,
    pub(super) here: u32,
    pub(super) before: u32,
}

/// The most over-represented value of a slice, and by how much. `replaced` are names that took over from others.
pub(super) fn most_over<'a>(
    field: &'a Field,
    slice: usize,
    replaced: &BTreeSet<&str>,
) -> Option<(Hits<'a>, f32)> {
    let before = |of: &[u32]| other_slices(field, slice).map(|other| of[other]).sum::<u32>();
    let (lines, lines_before) = (f64::from(field.lines[slice]), f64::from(before(&field.lines)));
    let rated = field.values.iter().filter(|value| !replaced.contains(&*value.value)).map(|value| {
        let hits = Hits { value, here: value.lines[slice], before: before(&value.lines) };
        (hits, share_deviance(f64::from(hits.here), lines, f64::from(hits.before), lines_before))
    });
    rated.filter(|(_, deviance)| *deviance > 0.0).max_by(|one, other| one.1.total_cmp(&other.1))
}

/// How many parts had most of their values replaced, of how many.
#[derive(Clone, Copy, Debug, Default)]
struct Turnover {
    replaced: usize,
    all: usize,
}

impl Turnover {
    fn add(&mut self, is_replaced: bool) {
        self.replaced += usize::from(is_replaced);
        self.all += 1;
    }

    fn without(self, other: Self) -> Self {
        Self { replaced: self.replaced - other.replaced, all: self.all - other.all }
    }
}

/// How often most values were replaced of the like of each field that had most of them replaced: of the fields of that name in other components, of
/// variable parts of messages all; and of any where these are few. By the place of the field; none of one that kept them.
pub(super) fn replaced_elsewhere(fields: &[&Field]) -> Vec<Option<f64>> {
    let turnovers: Vec<Option<bool>> = fields.iter().map(|field| is_replaced(field)).collect();
    // By name, by component, or by both.
    let mut counted: BTreeMap<(Option<&str>, Option<u32>), Turnover> = BTreeMap::new();
    for (field, is_replaced) in fields.iter().zip(&turnovers) {
        let Some(is_replaced) = is_replaced else { continue };
        for name in [None, Some(name(field))] {
            for component in [None, Some(field.component)] {
                counted.entry((name, component)).or_default().add(*is_replaced);
            }
        }
    }
    let elsewhere = |field: &Field| {
        let of = |name: Option<&str>, component| counted.get(&(name, component)).copied().unwrap_or_default();
        let like = |name: Option<&str>| of(name, None).without(of(name, Some(field.component)));
        let named = like(Some(name(field)));
        let Turnover { replaced, all } = if named.all < FEW { like(None) } else { named };
        replaced as f64 / all.max(1) as f64
    };
    let known = fields.iter().zip(turnovers);
    known
        .map(|(field, turnover)| turnover.filter(|is_replaced| *is_replaced).map(|_| elsewhere(field)))
        .collect()
}

fn name(field: &Field) -> &str {
    match &field.part {
        Part::Named(name) => name,
        Part::Hole { .. } => "",
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn value((name, lines): &(&str, [u32; 3])) -> FieldValue {
        FieldValue { value: (*name).to_owned(), lines: lines.to_vec() }
    }

    #[test]
    fn names_that_took_over_from_others_are_left_out() {
        let told = |values: &[(&str, [u32; 3])]| {
            let values = values.iter().map(value).collect();
            let field = Field { lines: vec![100; 3], values, ..Field::default() };
            most_over(&field, 2, &BTreeSet::from(["a-2"]))
                .map(|(hits, _)| (hits.value.value.clone(), hits.before))
        };
        let instances = [("a-1", [100, 100, 0]), ("a-2", [0, 0, 100])];
        assert_eq!(told(&instances), None);
        let versions = [("1.2", [99, 100, 0]), ("1.3", [1, 0, 100])];
        assert_eq!(told(&versions), Some(("1.3".to_owned(), 1)));
    }

    #[test]
    fn that_most_values_are_others_is_as_usual_as_elsewhere() {
        let part = |component, name: &str, values: &[(&str, [u32; 3])]| Field {
            component,
            part: Part::Named(name.to_owned()),
            lines: vec![100; 3],
            values: values.iter().map(value).collect(),
            ..Field::default()
        };
        let (replaced, kept) = ([("old", [100, 99, 0]), ("new", [0, 0, 98])], [("still", [100; 3])]);
        let fields = [
            part(0, "pod", &replaced),
            part(1, "pod", &replaced),
            part(2, "pod", &replaced),
            part(3, "pod", &kept),
            // Of one that kept its values elsewhere that is news, whatever became of the pods.
            part(0, "status", &replaced),
            part(1, "status", &kept),
            part(2, "status", &[("old", [100, 100, 60]), ("new", [0, 0, 40])]),
            part(3, "status", &kept),
            // That is known of no other one; and these hardly repeat.
            part(3, "mode", &replaced),
            part(3, "id", &[("one", [2, 1, 0])]),
        ];
        let fields: Vec<&Field> = fields.iter().collect();
        let pods = Some(2.0 / 3.0);
        let mode = Some(4.0 / 6.0);
        let expected = [pods, pods, pods, None, Some(0.0), None, None, None, mode, None];
        assert_eq!(replaced_elsewhere(&fields), expected);
    }
}

//! Which value of a part of lines is over-represented in a slice of time.
//!
//! Parts name what lines come from, too: an instance, a version, a thread. Between a baseline that lies far away and the selection
//! many of these were started anew: their names end, and others take their share of the lines, which says nothing of the selection. So what
//! is new there counts for what it has beyond the share of something that ended.

use super::counts::share_deviance;
use super::observed::{Field, FieldValue};
use std::cmp::Reverse;
use std::collections::BTreeSet;

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
}

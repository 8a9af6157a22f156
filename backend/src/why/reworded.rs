//! Messages that were only worded anew.
//!
//! After a deploy a message may read otherwise: its pattern ends, and another one of the same component comes as often from then
//! on. Nothing happens otherwise than before, so neither is a finding. Where the new one is of a worse level, or
//! reads quite differently, it is another message, and both stay.

use super::counts::deviance;
use super::observed::{Observed, Pattern};
use std::collections::{BTreeMap, BTreeSet};

/// From this part of common words on it is the same message.
const SAME_WORDS: f64 = 0.65;
/// The new one comes at most so many times as often as the old one did, or as seldom.
const SAME_RATE: f64 = 3.0;
/// Few lines do not tell a rate: then it is enough that both together differ from the old one by no more than chance, in deviations.
const BY_CHANCE: f32 = 2.5;
/// A message of which fewer lines had to come has not ended.
const FEWEST: f64 = 0.5;

/// The lines of a message that may have ended: in the selection, in the baseline, and how many the selection had to have.
#[derive(Clone, Copy, Debug)]
struct Counted {
    after: f64,
    before: f64,
    expected: f64,
}

/// The patterns, by their places, that only took over from one another.
pub(super) fn find(observed: &Observed) -> BTreeSet<usize> {
    let now = &observed.grid.now;
    let mut ended: BTreeMap<u32, Vec<(usize, Counted)>> = BTreeMap::new();
    let mut begun: Vec<(usize, f64)> = Vec::new();
    let (size, size_before) = (now.selection.len() as f64, now.baseline.len().max(1) as f64);
    for (number, pattern) in observed.patterns.iter().enumerate() {
        let (after, before) =
            (pattern.counts.sum(&now.selection) as f64, pattern.counts.sum(&now.baseline) as f64);
        let expected = before * size / size_before;
        // The change may lie within the selection: then the old one has some lines left there.
        if expected >= FEWEST && after < expected {
            ended.entry(pattern.component).or_default().push((number, Counted { after, before, expected }));
        }
        if after > 0.0 && before <= 0.0 {
            begun.push((number, after));
        }
    }
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (new, rate) in begun {
        let pattern = &observed.patterns[new];
        let alike = |old: &Counted| {
            let missing = old.expected - old.after;
            let same_rate = rate <= missing * SAME_RATE && rate * SAME_RATE >= missing;
            let both = deviance(old.after + rate, size, old.before, size_before);
            same_rate || both.abs() <= BY_CHANCE
        };
        let old = ended.get(&pattern.component).into_iter().flatten().filter(|(_, old)| alike(old));
        pairs.extend(old.map(|(old, _)| (likeness(&observed.patterns[*old], pattern), *old, new)));
    }
    // The likest first: messages of one component often resemble each other.
    pairs.retain(|(likeness, _, _)| *likeness >= SAME_WORDS);
    pairs.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut found = BTreeSet::new();
    for (_, old, new) in pairs {
        if !found.contains(&old) && !found.contains(&new) {
            found.extend([old, new]);
        }
    }
    found
}

/// The part of words that two messages have in common; none where the new one is worse.
fn likeness(old: &Pattern, new: &Pattern) -> f64 {
    if new.level > old.level.or(new.level) {
        return 0.0;
    }
    let words = |pattern: &Pattern| -> BTreeSet<String> {
        pattern.template.split_whitespace().filter(|word| *word != "<*>").map(str::to_owned).collect()
    };
    let (one, other) = (words(old), words(new));
    one.intersection(&other).count() as f64 / one.union(&other).count().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::observed::{Counts, Grid, Trial};
    use super::*;
    use sonde_shared::log::Level;

    fn observed(new_template: &str, new_level: Level, new_rate: u32) -> Observed {
        let pattern = |template: &str, level, counts: Vec<u32>| Pattern {
            template: template.into(),
            level: Some(level),
            counts: Counts::of_all(&counts),
            ..Pattern::default()
        };
        Observed {
            grid: Grid::unbroken(0, 10_000, Trial { selection: 10..15, baseline: 0..10 }),
            patterns: vec![
                pattern("sent <*> to <*>", Level::Info, [vec![3; 10], vec![0; 5]].concat()),
                pattern(new_template, new_level, [vec![0; 10], vec![new_rate; 5]].concat()),
            ],
            ..Observed::default()
        }
    }

    #[test]
    fn a_message_that_took_over_from_its_former_wording_is_no_news() {
        assert_eq!(find(&observed("sent <*> to <*> now", Level::Info, 3)).len(), 2);
    }

    #[test]
    fn few_lines_of_a_message_that_hardly_came_are_its_former_wording_too() {
        let mut observed = observed("sent <*> to <*> now", Level::Info, 0);
        let only = |at: &[u16]| Counts::new(at.iter().map(|bucket| (*bucket, 1)).collect());
        observed.patterns[0].counts = only(&[0, 1, 2, 4, 5, 6, 7, 8]);
        observed.patterns[1].counts = only(&[12]);
        assert_eq!(find(&observed).len(), 2);
        observed.patterns[1].counts = Counts::new((10..15).map(|bucket| (bucket, 9)).collect());
        assert!(find(&observed).is_empty());
    }

    #[test]
    fn a_worse_a_different_and_a_more_frequent_message_is() {
        assert!(find(&observed("sent <*> to <*> now", Level::Error, 3)).is_empty());
        assert!(find(&observed("cannot reach <*>", Level::Info, 3)).is_empty());
        assert!(find(&observed("sent <*> to <*> now", Level::Info, 30)).is_empty());
    }
}

//! Messages that were only worded anew.
//!
//! After a deploy a message may read otherwise: its pattern ends, and another one of the same component comes as often from then
//! on. Nothing happens otherwise than before, so both are counted as one message, which may still come more or less often than it did. They are
//! one where both together differ less from before than the old one alone. Where the new one is of a worse level, or reads quite
//! differently, it is another message, and each counts for itself.

use super::bursts::Bursts;
use super::counts::size_of;
use super::observed::{Observed, Pattern, Trial};
use std::collections::{BTreeMap, BTreeSet};

/// From this part of common words on it is the same message.
const SAME_WORDS: f64 = 0.65;

/// The lines of a message in the selection and in the baseline.
#[derive(Clone, Copy, Debug)]
struct Counted {
    after: f64,
    before: f64,
}

/// The patterns, by their places, that took over from others, and from which. `bursts` is how each varies.
pub(super) fn find(observed: &Observed, alive: &[bool], bursts: &[Bursts]) -> BTreeMap<usize, usize> {
    let Trial { selection, baseline } = &observed.grid.now;
    let (size, size_before) = (size_of(selection, alive), size_of(baseline, alive));
    let mut ended: BTreeMap<u32, Vec<(usize, Counted)>> = BTreeMap::new();
    let mut begun: Vec<(usize, f64)> = Vec::new();
    for (number, pattern) in observed.patterns.iter().enumerate() {
        let (after, before) = (pattern.counts.sum(selection) as f64, pattern.counts.sum(baseline) as f64);
        // The change may lie within the selection: then the old one has some lines left there.
        if before > 0.0 && after * size_before < before * size {
            ended.entry(pattern.component).or_default().push((number, Counted { after, before }));
        }
        if after > 0.0 && before <= 0.0 {
            begun.push((number, after));
        }
    }
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (new, lines) in begun {
        let pattern = &observed.patterns[new];
        let takes_over = |(old, counted): &&(usize, Counted)| {
            let off = |lines: f64| bursts[*old].deviance(lines, size, counted.before, size_before).abs();
            off(counted.after + lines) < off(counted.after)
        };
        let old = ended.get(&pattern.component).into_iter().flatten().filter(takes_over);
        pairs.extend(old.map(|(old, _)| (likeness(&observed.patterns[*old], pattern), *old, new)));
    }
    // The likest first: messages of one component often resemble each other.
    pairs.retain(|(likeness, _, _)| *likeness >= SAME_WORDS);
    pairs.sort_by(|one, other| other.0.total_cmp(&one.0));
    let (mut found, mut replaced) = (BTreeMap::new(), BTreeSet::new());
    for (_, old, new) in pairs {
        if !found.contains_key(&new) && replaced.insert(old) {
            found.insert(new, old);
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
    use super::super::bursts::BY_CHANCE;
    use super::super::observed::{Counts, Grid};
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

    /// The pairs that are found where lines come one by one at random, old and new.
    fn pairs(observed: &Observed) -> Vec<(usize, usize)> {
        let alive = vec![true; observed.grid.len()];
        let found = find(observed, &alive, &vec![BY_CHANCE; observed.patterns.len()]);
        found.into_iter().map(|(new, old)| (old, new)).collect()
    }

    #[test]
    fn a_message_that_took_over_from_its_former_wording_is_no_news() {
        assert_eq!(pairs(&observed("sent <*> to <*> now", Level::Info, 3)), [(0, 1)]);
    }

    #[test]
    fn few_lines_of_a_message_that_hardly_came_are_its_former_wording_too() {
        let mut observed = observed("sent <*> to <*> now", Level::Info, 0);
        let only = |at: &[u16]| Counts::new(at.iter().map(|bucket| (*bucket, 1)).collect());
        observed.patterns[0].counts = only(&[0, 1, 2, 4, 5, 6, 7, 8]);
        observed.patterns[1].counts = only(&[12]);
        assert_eq!(pairs(&observed), [(0, 1)]);
        observed.patterns[1].counts = Counts::new((10..15).map(|bucket| (bucket, 9)).collect());
        assert!(pairs(&observed).is_empty());
    }

    #[test]
    fn a_message_in_bursts_may_take_over_with_more_lines() {
        let observed = observed("sent <*> to <*> now", Level::Info, 14);
        assert!(pairs(&observed).is_empty());
        let bursts = Bursts { square: 1.0, tightness: 1.0 };
        assert_eq!(find(&observed, &[true; 15], &[bursts; 2]).len(), 1);
    }

    #[test]
    fn a_worse_a_different_and_a_more_frequent_message_is() {
        assert!(pairs(&observed("sent <*> to <*> now", Level::Error, 3)).is_empty());
        assert!(pairs(&observed("cannot reach <*>", Level::Info, 3)).is_empty());
        assert!(pairs(&observed("sent <*> to <*> now", Level::Info, 30)).is_empty());
    }
}

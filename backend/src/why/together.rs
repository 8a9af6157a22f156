//! What the series and patterns of one component, or of one host, say together.
//!
//! A fault moves several of them a little. Each alone may be within what happens anyway among thousands, and how much they hang together
//! no formula knows. So the evidence of all members of a place is added up for the selection and for each past window alike,
//! and what sums are usual the past windows tell: fewer places than series are asked about, and each by all that it has.

use super::candidate::{Judged, PROMISING};
use super::null::combine;
use super::quotients::{FEWEST, Statistic};
use super::trials::Trials;
use std::collections::BTreeMap;

/// How many windows' worth of evidence the usual sum over all places is.
const PRIOR_WINDOWS: f64 = 4.0;
/// Less than what one member adds that comes by chance a third as often as what is looked at at all is no sum.
const LEAST_SUM: f32 = 1.0;

/// How often the like of what its members say together comes by chance, by place.
pub(super) type Places = BTreeMap<String, f64>;

/// Of all places with at least two members; of none where they have too few past windows.
pub(super) fn find(judged: &[&Judged], trials: &Trials) -> (Places, Vec<f32>) {
    let windows = trials.null_count();
    let mut members: BTreeMap<&str, usize> = BTreeMap::new();
    for owner in judged.iter().flat_map(|part| &part.owners) {
        *members.entry(owner.as_str()).or_default() += 1;
    }
    let mut sums: BTreeMap<&str, Vec<f32>> = BTreeMap::new();
    for part in judged {
        for (item, owner) in part.owners.iter().enumerate().filter(|(_, owner)| members[owner.as_str()] > 1) {
            let rare = PROMISING.min(1.0 / members[owner.as_str()] as f64);
            let sums = sums.entry(owner.as_str()).or_insert_with(|| vec![f32::NAN; windows + 1]);
            let past = &part.combined.past[item * windows..(item + 1) * windows];
            let now = part.combined.p[item] as f32;
            for (sum, p) in sums.iter_mut().zip([now].iter().chain(past)).filter(|(_, p)| !p.is_nan()) {
                let evidence = evidence(*p, rare as f32);
                *sum = if sum.is_nan() { evidence } else { *sum + evidence };
            }
        }
    }
    let past_sums = sums.values().flat_map(|sums| &sums[1..]);
    // Of fewer no law says which are usual: most are nothing, and a few are large. So what has few places, as one machine has, says nothing
    // by them.
    if past_sums.filter(|sum| !sum.is_nan()).count() < FEWEST {
        return (Places::new(), Vec::new());
    }
    let statistic = Statistic {
        now: sums.values().map(|sums| sums[0]).collect(),
        past: sums.values().flat_map(|sums| sums[1..].iter().copied()).collect(),
        floor: vec![LEAST_SUM; sums.len()],
        prior: PRIOR_WINDOWS,
        boundless: true,
        // The p-values that are added up know of it.
        stretch: 1.0,
        ..Statistic::over(trials)
    };
    let combined = combine(&[statistic]);
    (sums.into_keys().map(str::to_owned).zip(combined.p).collect(), combined.past)
}

/// What a p-value adds: nothing where it is not rare. Rare is what one of all members of a place does by chance: what more of them do would
/// hide, in a place of hundreds, the few that moved.
fn evidence(p: f32, rare: f32) -> f32 {
    (rare / p.max(f32::MIN_POSITIVE)).ln().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::null::Combined;
    use super::super::observed::{Grid, Trial};
    use super::*;

    /// Of twenty places.
    fn of_first(p: f64) -> Places {
        of_first_of(20, 4, p)
    }

    /// So many places of so many members each; four of the first one's have this p-value now and all others what comes by chance.
    fn of_first_of(places: usize, each: usize, p: f64) -> Places {
        let members = places * each;
        let trials =
            Trials::of(&Grid::unbroken(0, 10_000, Trial { selection: 162..174, baseline: 112..160 }), &[]);
        let windows = trials.null_count();
        let by_chance = |number: usize| ((number * 7_919 + 13) % 997) as f64 / 997.0 + 1e-3;
        let combined = Combined {
            p: (0..members).map(|item| if item < 4 { p } else { by_chance(item) }).collect(),
            past: (0..members * windows).map(|number| by_chance(3 * number) as f32).collect(),
            loudest: vec![0; members],
        };
        let owners = (0..members).map(|item| format!("c{:02}", item / each)).collect();
        find(&[&Judged { combined, owners, ..Judged::default() }], &trials).0
    }

    #[test]
    fn several_that_each_say_little_say_much_together() {
        let first = |p: f64| of_first(p)["c00"];
        assert!(
            first(0.004) < 0.002 && first(0.000_4) < 0.3 * first(0.004),
            "{} {}",
            first(0.004),
            first(0.000_4)
        );
        assert!(first(0.06) > 0.1, "{}", first(0.06));
    }

    #[test]
    fn of_hundreds_what_some_always_do_by_chance_is_no_evidence() {
        let first = |p: f64| of_first_of(20, 200, p)["c00"];
        assert!(first(0.000_1) < 0.000_5 && first(0.02) > 0.1, "{} {}", first(0.000_1), first(0.02));
    }

    /// Twenty places of two members, and one of one; in past windows as little as this.
    fn of_pairs(past: f32) -> (Places, Vec<f32>) {
        let trials =
            Trials::of(&Grid::unbroken(0, 10_000, Trial { selection: 60..72, baseline: 10..58 }), &[]);
        let past = vec![past; 41 * trials.null_count()];
        let p = [vec![1e-6], [0.01, f64::NAN].repeat(20)].concat();
        let combined = Combined { p, loudest: vec![0; 41], past };
        let owners = (0..41).map(|item| format!("c{}", (item + 1) / 2)).collect();
        find(&[&Judged { combined, owners, ..Judged::default() }], &trials)
    }

    #[test]
    fn one_member_says_nothing_that_it_does_not_say_alone_and_what_is_unknown_is_no_evidence() {
        let (places, past) = of_pairs(0.5);
        assert!(places.len() == 20 && !places.contains_key("c0"), "{places:?}");
        assert!(places.values().all(|p| p.is_finite()) && past.iter().all(|p| *p > 0.5), "{places:?}");
    }

    #[test]
    fn without_a_past_places_say_nothing() {
        assert!(of_pairs(f32::NAN).0.is_empty());
        assert!(of_first_of(2, 4, 1e-6).is_empty(), "two places make no law");
        assert!(!of_first_of(20, 4, 1e-6).is_empty());
    }
}

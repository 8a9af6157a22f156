//! When there is anything of something, and what may go on for what has ended.

use super::observed::Grid;
use std::collections::BTreeSet;

/// From this part of what both hold in common on they are alike.
const SAME_PARTS: f64 = 0.65;
/// One may begin so large a part of the selection before the other ends, or later.
const ABOUT: usize = 4;
/// What is missing for so many times as long as usual has ended.
const PAUSES: usize = 2;
/// Of what something may go on for so many are kept in mind, the likest.
const MOST_LIKE: usize = 16;
/// So many pairs are looked at, of more those that stand at about the same place in their order.
const MOST_PAIRS: usize = 1_000_000;
/// Of fewer values or buckets with lines nobody knows when they end.
const LEAST: usize = 3;

/// When there is anything of something: buckets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    first: usize,
    last: usize,
    /// The longest time in it without anything.
    pause: usize,
    filled: usize,
}

impl Life {
    pub(super) fn of(buckets: impl Iterator<Item = usize>) -> Option<Self> {
        let mut life: Option<Self> = None;
        for bucket in buckets {
            let so_far = life.get_or_insert(Self { first: bucket, last: bucket, pause: 0, filled: 0 });
            so_far.pause = so_far.pause.max(bucket - so_far.last);
            (so_far.last, so_far.filled) = (bucket, so_far.filled + 1);
        }
        life
    }

    /// That of both.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            pause: self.pause.max(other.pause),
            filled: self.filled.max(other.filled),
        }
    }

    pub(super) fn has_begun(&self, all: &Self) -> bool {
        self.filled >= LEAST && self.first > all.first + PAUSES * self.pause
    }

    pub(super) fn has_ended(&self, all: &Self) -> bool {
        self.filled >= LEAST && self.last + PAUSES * self.pause < all.last
    }

    pub(super) fn is_part(&self, all: &Self) -> bool {
        self.has_begun(all) || self.has_ended(all)
    }
}

/// What may have taken over from what.
#[derive(Clone, Copy, Debug)]
struct Pair {
    old: usize,
    new: usize,
    likeness: f64,
    /// How many buckets lie between the one's end and the other's beginning, either way.
    apart: usize,
    /// How far they stand apart, each in the order of its own: of equals those at the same place are one, so that all find one.
    aside: usize,
}

/// The likest first.
fn sort(pairs: &mut [Pair]) {
    let further = |pair: &Pair| (pair.apart, pair.aside, pair.old, pair.new);
    pairs.sort_by(|one, other| {
        other.likeness.total_cmp(&one.likeness).then_with(|| further(one).cmp(&further(other)))
    });
}

/// What ended and what took over from it, each from or by at most one, the likest first. `likeness` is none for what is not alike.
pub(super) fn take_overs(
    lives: &[Life],
    all: &Life,
    about: usize,
    likeness: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<(usize, usize)> {
    let ended: Vec<usize> = (0..lives.len()).filter(|at| lives[*at].has_ended(all)).collect();
    let begun: Vec<usize> = (0..lives.len()).filter(|at| lives[*at].has_begun(all)).collect();
    let each = (MOST_PAIRS / begun.len().max(1)).max(MOST_LIKE);
    let mut pairs: Vec<Pair> = Vec::new();
    for (number, new) in begun.iter().copied().enumerate() {
        let place = number * ended.len() / begun.len();
        let from = place.saturating_sub(each / 2).min(ended.len().saturating_sub(each));
        let pair = |(at, old): (usize, &usize)| {
            let (old, begins) = (*old, lives[new].first);
            let (apart, pause) = (lives[old].last.abs_diff(begins), lives[old].pause.max(lives[new].pause));
            let is_about = old != new && lives[old].first < begins && apart <= about + PAUSES * pause;
            let likeness = is_about.then(|| likeness(old, new)).flatten()?;
            Some(Pair { old, new, likeness, apart, aside: at.abs_diff(place) })
        };
        let first = pairs.len();
        pairs.extend(ended.iter().enumerate().skip(from).take(each).filter_map(pair));
        sort(&mut pairs[first..]);
        pairs.truncate(first + MOST_LIKE);
    }
    sort(&mut pairs);
    let (mut replaced, mut taken) = (BTreeSet::new(), BTreeSet::new());
    pairs.retain(|pair| {
        let is_free = !replaced.contains(&pair.old) && !taken.contains(&pair.new);
        is_free && replaced.insert(pair.old) && taken.insert(pair.new)
    });
    pairs.into_iter().map(|pair| (pair.old, pair.new)).collect()
}

/// The part that so many in common are of all, if it is enough.
pub(super) fn enough(both: usize, all: usize) -> Option<f64> {
    let part = both as f64 / all.max(1) as f64;
    Some(part).filter(|part| *part >= SAME_PARTS)
}

pub(super) fn about(grid: &Grid) -> usize {
    grid.now.selection.len() / ABOUT + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_that_are_alike_each_finds_one() {
        let life = |first, last| Life { first, last, pause: 1, filled: last - first };
        let check = |count: usize| {
            let lives: Vec<Life> = (0..2 * count)
                .map(|at| if at < count { life(0, 50) } else { life(51, 60) })
                .chain([life(0, 60)])
                .collect();
            let pairs = take_overs(&lives, &life(0, 60), 3, |_, _| Some(1.0));
            let expected: Vec<(usize, usize)> = (0..count).map(|at| (at, at + count)).collect();
            assert!(pairs == expected, "{count}: {}", pairs.len());
        };
        check(1);
        check(100);
        // More than all pairs that are looked at.
        check(3_000);
    }
}

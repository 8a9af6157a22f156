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

/// Pairs of what ended and what took over from it, each of at most one, the likest first. `likeness` is none for what is not alike.
pub(super) fn take_overs(
    lives: &[Life],
    all: &Life,
    about: usize,
    likeness: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<(usize, usize)> {
    let ended: Vec<usize> = (0..lives.len()).filter(|at| lives[*at].has_ended(all)).collect();
    let begun: Vec<usize> = (0..lives.len()).filter(|at| lives[*at].has_begun(all)).collect();
    let each = (MOST_PAIRS / begun.len().max(1)).max(MOST_LIKE);
    let mut pairs: Vec<(f64, usize, usize, usize)> = Vec::new();
    for (number, new) in begun.iter().copied().enumerate() {
        let begins = lives[new].first;
        let from = (number * ended.len() / begun.len())
            .saturating_sub(each / 2)
            .min(ended.len().saturating_sub(each));
        let near = ended[from..].iter().take(each).filter_map(|old| {
            let life = &lives[*old];
            let (apart, reach) =
                (life.last.abs_diff(begins), about + PAUSES * life.pause.max(lives[new].pause));
            (*old != new && life.first < begins && apart <= reach).then_some((*old, apart))
        });
        let first = pairs.len();
        pairs.extend(near.filter_map(|(old, apart)| Some((likeness(old, new)?, apart, old, new))));
        pairs[first..].sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        pairs.truncate(first + MOST_LIKE);
    }
    pairs.sort_by(|one, other| {
        other.0.total_cmp(&one.0).then((one.1, one.2, one.3).cmp(&(other.1, other.2, other.3)))
    });
    let (mut replaced, mut taken) = (BTreeSet::new(), BTreeSet::new());
    pairs.retain(|(_, _, old, new)| {
        let is_free = !replaced.contains(old) && !taken.contains(new);
        is_free && replaced.insert(*old) && taken.insert(*new)
    });
    pairs.into_iter().map(|(_, _, old, new)| (old, new)).collect()
}

/// The part that so many in common are of all, if it is enough.
pub(super) fn enough(both: usize, all: usize) -> Option<f64> {
    let part = both as f64 / all.max(1) as f64;
    Some(part).filter(|part| *part >= SAME_PARTS)
}

pub(super) fn about(grid: &Grid) -> usize {
    grid.now.selection.len() / ABOUT + 1
}

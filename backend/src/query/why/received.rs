//! Time in which nothing at all was received is taken out: the server was down, or there are no data yet, and else it would
//! look as if everything had fallen silent.
//!
//! Pure. Sonde's own figures come every ten seconds while it runs, so where there are any, they tell silence of all senders
//! from a server that was down.

use super::lines::Counted;
use crate::why::observed::{Counts, Grid, Restart, Trial};
use sonde_shared::time::Timestamp;
use std::ops::Range;

/// Own figures come more often than this.
const OWN_PAUSE_MS: i64 = 30_000;
/// Without them, a pause that is so many times as long as usual, and as long as this, is one of everything.
const UNUSUAL: usize = 10;
/// Pauses are usual where one of so many buckets is followed by one. A few long ones lie between days of which only some hours are there.
const OFTEN: usize = 20;
const LONG_PAUSE_MS: i64 = 60_000;

/// Points may come so long after their time.
const LONGEST_WAY_MS: i64 = 120_000;

/// The last buckets of a selection that ends about now, of which most series' points are yet to come.
pub(super) fn yet_to_come(grid: &Grid, present: &[u32], now: Timestamp) -> Range<usize> {
    let mut usual = present[grid.now.baseline.clone()].to_vec();
    usual.sort_unstable();
    let usual = usual.get(usual.len() / 2).copied().unwrap_or_default();
    let Range { start, end } = grid.now.selection;
    let is_late = |bucket: &usize| {
        2 * present[*bucket] < usual
            && now.as_millis() - grid.starts_ms[*bucket] - grid.step_ms < LONGEST_WAY_MS
    };
    let late = (start..end).rev().take_while(is_late).count();
    end - late..end
}

/// Which buckets are kept, and their new numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    places: Vec<Option<u16>>,
}

impl Kept {
    /// Keeps buckets but for long runs in which nothing was received.
    pub(super) fn of(received: &[bool], has_own: bool, step_ms: i64) -> Self {
        let runs = || received.chunk_by(|a, b| a == b);
        let least = |pause_ms: i64| (pause_ms / step_ms.max(1)) as usize + 1;
        let longest = if has_own {
            least(OWN_PAUSE_MS)
        } else {
            let mut pauses: Vec<usize> = runs().filter(|run| !run[0]).map(<[bool]>::len).collect();
            pauses.sort_unstable();
            let with = received.iter().filter(|bucket| **bucket).count();
            let are_usual = pauses.len() > 2 && OFTEN * pauses.len() >= with;
            let usual = pauses.get(pauses.len() / 2).copied().filter(|_| are_usual).unwrap_or(0);
            least(LONG_PAUSE_MS).max(UNUSUAL * usual)
        };
        let kept = runs().flat_map(|run| {
            let is_kept = run[0] || run.len() <= longest;
            run.iter().map(move |_| is_kept)
        });
        Self::only(kept)
    }

    /// Keeps the buckets that are marked.
    pub(super) fn only(kept: impl Iterator<Item = bool>) -> Self {
        let mut next = 0;
        let place = |is_kept: bool| {
            let place = is_kept.then_some(next);
            next += u16::from(is_kept);
            place
        };
        Self { places: kept.map(place).collect() }
    }

    fn place(&self, bucket: usize) -> Option<usize> {
        self.places.get(bucket).copied().flatten().map(usize::from)
    }

    /// The same without some more.
    pub(super) fn without(&self, buckets: &Range<usize>) -> Self {
        Self::only(
            self.places.iter().enumerate().map(|(at, place)| place.is_some() && !buckets.contains(&at)),
        )
    }

    /// The new number of each bucket.
    pub(super) fn places(&self) -> impl Iterator<Item = Option<usize>> {
        self.places.iter().map(|place| place.map(usize::from))
    }

    fn range(&self, buckets: &Range<usize>) -> Range<usize> {
        let before = |bucket: usize| self.places[..bucket].iter().flatten().count();
        before(buckets.start)..before(buckets.end)
    }

    /// The grid of the buckets that are kept. An earlier day that misses half of its buckets is no trial any more.
    pub(super) fn grid(&self, grid: &Grid) -> Grid {
        let trial = |trial: &Trial| Trial {
            selection: self.range(&trial.selection),
            baseline: self.range(&trial.baseline),
        };
        let now = trial(&grid.now);
        let is_whole = |day: &Trial| {
            2 * day.selection.len() > now.selection.len() && 2 * day.baseline.len() > now.baseline.len()
        };
        Grid {
            starts_ms: self.values(&grid.starts_ms),
            step_ms: grid.step_ms,
            earlier_days: grid.earlier_days.iter().map(trial).filter(is_whole).collect(),
            now,
        }
    }

    /// What values by bucket are of those that are kept.
    pub(super) fn values<T: Copy>(&self, values: &[T]) -> Vec<T> {
        values
            .iter()
            .zip(&self.places)
            .filter(|(_, place)| place.is_some())
            .map(|(value, _)| *value)
            .collect()
    }

    fn counts(&self, counts: &Counts) -> Counts {
        let pair = |(bucket, lines)| Some((self.place(bucket)? as u16, lines));
        Counts::new(counts.iter().filter_map(pair).collect())
    }

    /// The same in the buckets that are kept.
    pub(super) fn restarts(&self, restarts: &[Restart]) -> Vec<Restart> {
        let kept = |restart: &Restart| {
            Some(Restart { bucket: self.place(usize::from(restart.bucket))? as u16, ..*restart })
        };
        restarts.iter().filter_map(kept).collect()
    }

    /// Numbers the buckets of lines anew.
    pub(super) fn lines(&self, counted: &mut Counted) {
        for pattern in &mut counted.patterns {
            pattern.counts = self.counts(&pattern.counts);
        }
        for volume in &mut counted.volumes {
            (volume.lines, volume.errors) = (self.counts(&volume.lines), self.counts(&volume.errors));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(text: &str) -> Vec<bool> {
        text.chars().map(|c| c == '#').collect()
    }

    #[test]
    fn long_silence_of_everything_is_taken_out() {
        let check = |text: &str, has_own: bool, step_ms: i64, expected: usize| {
            let kept = Kept::of(&received(text), has_own, step_ms);
            assert_eq!(kept.places.iter().flatten().count(), expected, "{text}");
        };
        check("###....####", true, 10_000, 11);
        check("###.....####", true, 10_000, 7);
        check("###.....####", false, 10_000, 12);
        check("###........####", false, 10_000, 7);
        check(
            "..........................................................................##",
            false,
            10_000,
            2,
        );
        // Where lines are rare, pauses are usual.
        check("#.......#......#.......#.........#......#.........#", false, 10_000, 51);
        // Between the hours that are there of some days, they are not, however many.
        let some_hours = format!("{}{}", "#".repeat(80), ".".repeat(90)).repeat(4);
        check(&some_hours, false, 10_000, 4 * 80);
        check("", true, 10_000, 0);
    }

    #[test]
    fn ranges_and_counts_follow_the_buckets_that_stay() {
        let kept = Kept::only(received("..##.###").into_iter());
        let grid = Grid::unbroken(0, 1_000, Trial { selection: 5..8, baseline: 0..4 });
        let now = kept.grid(&grid);
        assert_eq!(now.starts_ms, [2_000, 3_000, 5_000, 6_000, 7_000]);
        assert_eq!(now.now, Trial { selection: 2..5, baseline: 0..2 });
        let counts = kept.counts(&Counts::new(vec![(1, 9), (2, 4), (6, 1)]));
        assert_eq!(counts, Counts::new(vec![(0, 4), (3, 1)]));
        let restart = |bucket: u16| Restart { bucket, at_ms: 5 };
        assert_eq!(kept.restarts(&[restart(1), restart(2), restart(6)]), [restart(0), restart(3)]);
        assert_eq!(kept.values(&[0, 1, 2, 3, 4, 5, 6, 7]), [2, 3, 5, 6, 7]);
    }
}

//! How much the numbers of lines of a stream vary from window to window, beyond what chance makes of lines that come one by one.
//!
//! Requests come in bursts and load goes up and down, so counts vary by a part of themselves: their variance is that of a negative
//! binomial distribution, the mean plus a part of its square. Lines that come by the clock vary less than by chance. Both are read from
//! the stream's own past windows, each against its own baseline, never from the selection. A few windows say little, so what they say
//! is moderated by what the stream's buckets say.

use super::counts::{negative_binomial, size_of};
use super::observed::{Counts, Trial};
use super::trials::Trials;

/// How many windows' worth of evidence the buckets are.
const PRIOR_WINDOWS: f64 = 16.0;
/// However regular lines are, they vary by this part of what chance would make of them.
const LEAST_TIGHTNESS: f64 = 0.3;
/// Streams of which a bucket varies by this part of its mean beyond chance tell how bursts hang together.
const BURSTY: f64 = 0.05;

/// How a stream varies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bursts {
    /// The square of the part of itself by which a window's rate varies.
    pub(super) square: f64,
    /// The part of a random count's variance that lines by the clock have; 1 for all others.
    pub(super) tightness: f64,
}

/// How lines vary that come one by one at random.
pub(super) const BY_CHANCE: Bursts = Bursts { square: 0.0, tightness: 1.0 };

/// What a window, or several, say of how a stream varies.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    /// The squared difference from what the baseline leads one to expect.
    square: f64,
    /// The same if lines came one by one at random.
    by_chance: f64,
    /// The squared number of lines expected.
    expected: f64,
}

/// What is known of one stream: of its buckets, and of each past window.
#[derive(Clone, Debug, Default)]
struct Past {
    /// By which part of itself, squared, a bucket's rate varies.
    of_bucket: f64,
    windows: Vec<Window>,
}

/// How a stream varies: for the selection, and for each past window as the others say, so that none is its own measure.
pub(super) fn of_all<'a>(
    streams: impl Iterator<Item = &'a Counts>,
    trials: &Trials,
    alive: &[bool],
) -> Vec<Vec<Bursts>> {
    let past: Vec<Past> = streams.map(|lines| Past::of(lines, trials, alive)).collect();
    let length = trials.pieces.first().map_or(1, |piece| piece.selection.len().max(1)) as f64;
    let together = hang_together(&past, length);
    past.iter().map(|past| past.bursts(together / length)).collect()
}

/// How many times as much windows vary as if their buckets had nothing to do with one another; between 1 and their number.
fn hang_together(past: &[Past], length: f64) -> f64 {
    let mut sums = (0.0, 0.0);
    for past in past.iter().filter(|past| past.of_bucket > BURSTY) {
        let all = past.sum();
        if all.expected > 0.0 {
            sums.0 += ((all.square - all.by_chance) / all.expected).clamp(0.0, past.of_bucket);
            sums.1 += past.of_bucket;
        }
    }
    if sums.1 > 0.0 { (length * sums.0 / sums.1).clamp(1.0, length) } else { 1.0 }
}

impl Past {
    fn of(lines: &Counts, trials: &Trials, alive: &[bool]) -> Self {
        let window = |trial: &Trial| {
            let (here, before) = (size_of(&trial.selection, alive), size_of(&trial.baseline, alive));
            if here <= 0.0 || before <= 0.0 {
                return Window::default();
            }
            let (count, other) = (lines.sum(&trial.selection) as f64, lines.sum(&trial.baseline) as f64);
            let all = count + other;
            let (part, both) = (here / (here + before), 1.0 + here / before);
            Window {
                square: (count - other * here / before).powi(2),
                by_chance: all * part * both,
                expected: all * (all - 1.0).max(0.0) * part * part * both,
            }
        };
        Self {
            of_bucket: of_bucket(lines, trials, alive),
            windows: trials.all.iter().skip(1).map(window).collect(),
        }
    }

    fn sum(&self) -> Window {
        self.windows.iter().fold(Window::default(), |sum, window| Window {
            square: sum.square + window.square,
            by_chance: sum.by_chance + window.by_chance,
            expected: sum.expected + window.expected,
        })
    }

    fn bursts(&self, of_window: f64) -> Vec<Bursts> {
        let all = self.sum();
        let prior = self.of_bucket.max(0.0) * of_window;
        let number = self.windows.len() as f64;
        let without = |window: &Window| Window {
            square: all.square - window.square,
            by_chance: all.by_chance - window.by_chance,
            expected: all.expected - window.expected,
        };
        let others = self.windows.iter().map(|window| without(window).bursts(prior, number - 1.0));
        [all.bursts(prior, number)].into_iter().chain(others).collect()
    }
}

impl Window {
    /// How a stream varies of which so many windows say this together. `prior` is what buckets lead one to expect.
    fn bursts(self, prior: f64, windows: f64) -> Bursts {
        let each = PRIOR_WINDOWS / windows.max(1.0);
        let square = if self.expected > 0.0 {
            (self.square - self.by_chance + prior * self.expected * each) / (self.expected * (1.0 + each))
        } else {
            prior
        };
        if square > 0.0 || self.by_chance <= 0.0 {
            return Bursts { square: square.max(0.0), tightness: 1.0 };
        }
        let tightness = (self.square / self.by_chance + each) / (1.0 + each);
        Bursts { square: 0.0, tightness: tightness.clamp(LEAST_TIGHTNESS, 1.0) }
    }
}

/// By which part of itself, squared, a bucket's rate varies beyond chance: negative where lines come by the clock.
fn of_bucket(lines: &Counts, trials: &Trials, alive: &[bool]) -> f64 {
    let asked = &trials.unusual;
    let buckets = (size_of(&(0..alive.len()), alive) - size_of(asked, alive)).max(2.0);
    let outside = lines.iter().filter(|(bucket, _)| !asked.contains(bucket));
    let (sum, squares) = outside.fold((0.0, 0.0), |(sum, squares), (_, count)| {
        let count = f64::from(count);
        (sum + count, squares + count * count)
    });
    let mean: f64 = sum / buckets;
    if mean <= 0.0 {
        return 0.0;
    }
    let variance = (squares - sum * mean).max(0.0) / (buckets - 1.0);
    (variance - mean) / (mean * mean)
}

impl Bursts {
    /// The signed root of the likelihood ratio of two counts, for lines that come in such bursts.
    pub(super) fn deviance(self, count: f64, size: f64, other: f64, other_size: f64) -> f32 {
        let root = negative_binomial(count, size, other, other_size, self.square);
        (f64::from(root) / self.tightness.sqrt()) as f32
    }

    /// The same for no line at all where so many had to come, in a part of a window.
    pub(super) fn silence(self, missed: f64, part: f64) -> f32 {
        // Shorter stretches vary more.
        let square = self.square / part.clamp(1e-3, 1.0);
        let ratio = if square > 0.0 { (square * missed).ln_1p() / square } else { missed };
        (2.0 * ratio / self.tightness).sqrt() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::observed::Grid;
    use super::*;

    /// The bursts of the selection for these numbers of lines a bucket, before a selection of six buckets.
    fn bursts(lines: impl Fn(usize) -> u32) -> Bursts {
        let grid = Grid::unbroken(0, 10_000, Trial { selection: 97..103, baseline: 72..96 });
        let counts: Vec<u32> = (0..grid.len()).map(|at| if at < 97 { lines(at) } else { 0 }).collect();
        let alive = vec![true; grid.len()];
        of_all([Counts::of_all(&counts)].iter(), &Trials::of(&grid, &[]), &alive)[0][0]
    }

    #[test]
    fn lines_by_the_clock_vary_less_than_by_chance_and_those_in_bursts_more() {
        let clock = bursts(|_| 5);
        assert!(clock.square <= 0.0 && clock.tightness < 0.7, "{clock:?}");
        let burst = bursts(|at| if at / 7 % 3 == 0 { 12 } else { 1 });
        assert!(burst.square > 0.05 && burst.tightness >= 1.0, "{burst:?}");
    }

    #[test]
    fn a_steady_stream_that_stops_says_more_than_a_bursty_one() {
        let gone = |bursts: Bursts| (bursts.deviance(0.0, 6.0, 120.0, 24.0).abs(), bursts.silence(30.0, 1.0));
        let (clock, burst) = (bursts(|_| 5), bursts(|at| if at / 7 % 3 == 0 { 12 } else { 1 }));
        assert!(gone(clock).0 > 1.2 * gone(BY_CHANCE).0 && gone(burst).0 < 0.7 * gone(BY_CHANCE).0);
        assert!(gone(burst).1 < gone(BY_CHANCE).1);
    }

    #[test]
    fn the_selection_is_no_measure_of_itself() {
        let grid = Grid::unbroken(0, 10_000, Trial { selection: 97..103, baseline: 72..96 });
        let alive = vec![true; grid.len()];
        let of = |last: u32| {
            let counts: Vec<u32> =
                (0..grid.len()).map(|at| if at < 97 { 3 + at as u32 % 4 } else { last }).collect();
            of_all([Counts::of_all(&counts)].iter(), &Trials::of(&grid, &[]), &alive)[0][0]
        };
        assert_eq!(of(0), of(500));
    }
}

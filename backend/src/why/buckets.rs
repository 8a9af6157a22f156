//! The points of a series, put into buckets: the mean of each, or of a counter by how much it grew a second.
//!
//! A counter only grows, or begins again near nothing (requests since the start, bytes sent, seconds of work). Its level says how long it
//! has run, and is higher in any selection than before; what happens is seen by how fast it grows. It is told from a level by how it
//! behaves over all that is looked at, since names may say anything. One that hardly ever grows (errors) looks like a level that
//! rose once or twice: of such the other series of the same system say which is likelier.

use super::observed::{Counts, Grid, Nature, Series, Trial};
use std::ops::{AddAssign, Range};

/// So many buckets in each half of the time outside of the selection must have seen a counter grow: what stood, and then rose to
/// another level, has done so in one of them.
const LEAST_GROWN: usize = 2;
/// A counter begins again at no more than this part of what it was …
const BEGINS_AT: f64 = 0.5;
/// … and grows at least so many times for each time that it does.
const GROWS: u32 = 10;
/// Where that is not known, one such fall outweighs so many rises: levels of nothing or a few fall to nothing, too.
const RISES_OF_RESTART: u32 = 4;
/// What grows by this part more at some times is no clock.
const VARIES: f64 = 1.5;
/// What is the same in so many points stands there.
const STANDS: u32 = 3;
/// What rose for the first time, and by this much in one go, is news if it is a counter, too.
const LEAP: f64 = 3.0;

/// One series' points by bucket, used again for the next one.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    sums: Vec<f64>,
    counts: Vec<u32>,
    /// By how much it grew up to a bucket's points …
    grown: Vec<f64>,
    /// … and in how many seconds.
    secs: Vec<f64>,
    /// In which it began again.
    restarts: Vec<(u16, u32)>,
    /// The point before: unix seconds and value.
    last: Option<(i64, f64)>,
    /// The value before what came next was much later.
    before_pause: Option<f64>,
    seen: Seen,
    seldom: Seldom,
}

/// Of whole numbers, how many are counters beyond doubt, and how many levels that stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seldom {
    counters: u32,
    levels: u32,
}

/// What all points of a series together say.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    rises: u32,
    restarts: u32,
    /// Separate times in which it rose.
    times: u32,
    is_rising: bool,
    /// How many points had the value that the last one has.
    stands: u32,
    /// How often it fell from where it stood.
    steps_down: u32,
    /// It fell, and not to begin again; or is below nothing.
    falls: bool,
    /// It has parts of one.
    is_broken: bool,
    /// How often it rose while nobody looked.
    leaps: u32,
}

impl Buckets {
    /// So many, empty.
    pub fn new(count: usize) -> Self {
        let mut buckets = Self::default();
        buckets.clear(count);
        buckets
    }

    /// So many, empty.
    pub fn clear(&mut self, count: usize) {
        for sums in [&mut self.sums, &mut self.grown, &mut self.secs] {
            sums.clear();
            sums.resize(count, 0.0);
        }
        self.counts.clear();
        self.counts.resize(count, 0);
        self.restarts.clear();
        (self.last, self.before_pause, self.seen) = (None, None, Seen::default());
    }

    /// What comes next does not follow on what came before, but is later.
    pub fn pause(&mut self) {
        self.before_pause = self.last.take().map(|(_, value)| value).or(self.before_pause);
    }

    /// A point just before the first bucket that follows; times ascend.
    pub fn precede(&mut self, secs: i64, value: f64) {
        self.last = Some((secs, value)).filter(|_| value.is_finite()).or(self.last);
    }

    /// Adds a point: its bucket, unix seconds, value. What is no number is left out.
    pub fn add(&mut self, bucket: usize, secs: i64, value: f64) {
        self.add_many(bucket, secs, value, (value, 1));
    }

    /// Adds several points at once: their sum and number, and the last one.
    pub fn add_many(&mut self, bucket: usize, secs: i64, last: f64, (sum, count): (f64, u32)) {
        if !sum.is_finite() || !last.is_finite() {
            return;
        }
        self.sums[bucket] += sum;
        self.counts[bucket] += count;
        if let Some(before) = self.before_pause.take() {
            self.seen.leaps += u32::from(last > before);
            self.seen.growth(before, last);
        }
        let before = self.last.replace((secs, last)).filter(|(before, _)| *before < secs);
        if let Some((before_secs, before)) = before {
            self.secs[bucket] += (secs - before_secs) as f64;
            self.grown[bucket] += self.seen.growth(before, last);
            if last < before {
                self.restarts.push((bucket as u16, 1));
            }
        }
        self.seen.falls |= last < 0.0;
        self.seen.is_broken |= last.fract() != 0.0;
    }

    /// How many points each bucket has.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// What all series so far say of those that hardly ever change.
    pub fn seldom(&self) -> Seldom {
        self.seldom
    }

    /// What is compared. What remains unclear is for [`settle`] to say.
    pub fn series(&mut self, path: String, now: &Trial) -> Series {
        let nature = self.nature(now);
        self.seldom += self.of_seldom(nature, now);
        let mean = |(sum, count): (&f64, &u32)| if *count > 0 { sum / f64::from(*count) } else { f64::NAN };
        let rate = |(grown, secs): (&f64, &f64)| if *secs > 0.0 { grown / secs } else { f64::NAN };
        let values = if nature == Nature::Rate {
            self.grown.iter().zip(&self.secs).map(rate).map(|value| value as f32).collect()
        } else {
            self.sums.iter().zip(&self.counts).map(mean).map(|value| value as f32).collect()
        };
        let restarts = if nature == Nature::Rate { self.restarts.clone() } else { Vec::new() };
        Series { path, values, nature, restarts: Counts::new(restarts) }
    }

    fn nature(&self, now: &Trial) -> Nature {
        let seen = &self.seen;
        if !seen.falls && seen.rises >= GROWS * seen.restarts && self.grows_all_the_time(now) {
            return Nature::Rate;
        }
        let times = seen.times.saturating_sub(RISES_OF_RESTART * seen.restarts);
        let is_news =
            times == 1 && seen.leaps == 0 && self.grown[now.selection.clone()].iter().sum::<f64>() >= LEAP;
        match times {
            0 => Nature::Level,
            _ if seen.is_broken || seen.falls || is_news => Nature::Level,
            times => Nature::Unclear(times.min(u32::from(u8::MAX)) as u8),
        }
    }

    /// Whether it grew over all the time outside of the selection, so that it can be told how fast.
    fn grows_all_the_time(&self, now: &Trial) -> bool {
        let outside: Vec<usize> = self.outside(now).collect();
        let (first, second) = outside.split_at(outside.len() / 2);
        let grows =
            |half: &[usize]| half.iter().filter(|bucket| self.grown[**bucket] > 0.0).count() >= LEAST_GROWN;
        let has_rates = |range: &Range<usize>| {
            let has_points = range.clone().any(|bucket| self.counts[bucket] > 0);
            !has_points || range.clone().any(|bucket| self.secs[bucket] > 0.0)
        };
        grows(first) && grows(second) && has_rates(&now.selection) && has_rates(&now.baseline)
    }

    /// Buckets that have points, without those of the selection.
    fn outside(&self, now: &Trial) -> impl Iterator<Item = usize> {
        (0..self.counts.len()).filter(|bucket| self.counts[*bucket] > 0 && !now.selection.contains(bucket))
    }

    /// What rose on at least two occasions and never fell is a counter, whatever happens in the selection, and so is what grows at a
    /// rate that varies; what stood and fell is none.
    fn of_seldom(&self, nature: Nature, now: &Trial) -> Seldom {
        if self.seen.is_broken {
            return Seldom::default();
        }
        let (mut times, mut is_rising) = (0, false);
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for bucket in self.outside(now).filter(|bucket| self.secs[*bucket] > 0.0) {
            let rate = self.grown[bucket] / self.secs[bucket];
            times += u32::from(rate > 0.0 && !is_rising);
            (is_rising, least, most) = (rate > 0.0, least.min(rate), most.max(rate));
        }
        let never_fell = !self.seen.falls && self.seen.restarts == 0;
        let is_counter = (never_fell && times > 1) || (nature == Nature::Rate && most > VARIES * least);
        Seldom { counters: u32::from(is_counter), levels: self.seen.steps_down.min(1) }
    }
}

impl Seen {
    /// By how much it grew from one point to the next. What begins again does so from nothing.
    fn growth(&mut self, before: f64, after: f64) -> f64 {
        let rises = after > before;
        self.times += u32::from(rises && !self.is_rising);
        self.is_rising = rises;
        if rises {
            self.rises += 1;
        } else if after < before {
            self.steps_down += u32::from(self.stands >= STANDS);
            self.falls |= after > BEGINS_AT * before;
            self.restarts += 1;
        }
        let is_same = !rises && after >= before;
        self.stands = if is_same { self.stands.saturating_add(1) } else { 1 };
        if after < before { after } else { after - before }
    }
}

impl AddAssign for Seldom {
    fn add_assign(&mut self, other: Self) {
        self.counters += other.counters;
        self.levels += other.levels;
    }
}

/// Takes what is unclear for counters where these are likelier: by how many counters and levels hardly ever change, and since a level
/// would as often have fallen as risen, each time that it changed.
pub fn settle(all: &mut [Series], seldom: Seldom, grid: &Grid) {
    for series in all {
        if let Nature::Unclear(times) = series.nature {
            let odds = f64::from(seldom.counters) * f64::from(times).exp2();
            series.nature = if odds > f64::from(seldom.levels) { Nature::Rate } else { Nature::Level };
            if series.nature == Nature::Rate {
                series.restarts = grow(&mut series.values, grid);
            }
        }
    }
}

/// Levels become rates; of what has none before it in its stretch of time it is taken that it did not grow. Where it began again.
fn grow(values: &mut [f32], grid: &Grid) -> Counts {
    let (mut last, mut restarts): (Option<(usize, f32)>, _) = (None, Vec::new());
    for (bucket, rate) in values.iter_mut().enumerate().filter(|(_, value)| value.is_finite()) {
        let value = *rate;
        let steps = |from: usize| (grid.starts_ms[bucket] - grid.starts_ms[from]) / grid.step_ms.max(1);
        let before = last.filter(|(from, _)| steps(*from) == (bucket - from) as i64);
        let (from, before) = before.unwrap_or((bucket, value));
        let secs = (grid.starts_ms[bucket] - grid.starts_ms[from]).max(grid.step_ms) as f32 / 1_000.0;
        if value < before {
            restarts.push((bucket as u16, 1));
        }
        *rate = if value < before { value } else { value - before } / secs;
        last = Some((bucket, value));
    }
    Counts::new(restarts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Trial = Trial { selection: 8..12, baseline: 0..8 };

    /// A point each 10 s.
    fn series(values: [f64; 12]) -> Series {
        let mut buckets = Buckets::new(12);
        values.iter().zip(0..).for_each(|(value, at)| buckets.add(at, 10 * at as i64, *value));
        buckets.series("a".into(), &NOW)
    }

    fn seen(values: [f64; 12]) -> Option<Vec<f32>> {
        Some(series(values))
            .filter(|series| series.nature == Nature::Rate)
            .map(|series| series.values[1..].to_vec())
    }

    #[test]
    fn what_only_grows_is_seen_by_how_fast_it_does() {
        let counter = [7.0, 17.0, 27.0, 27.0, 37.0, 47.0, 57.0, 67.0, 167.0, 267.0, 367.0, 467.0];
        let rates = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 10.0, 10.0, 10.0, 10.0];
        assert_eq!(seen(counter), Some(rates.to_vec()));
        assert!(series(counter).values[0].is_nan());
        // However large it is.
        assert_eq!(seen(counter.map(|value| value + 9e12)), Some(rates.to_vec()));
    }

    #[test]
    fn what_falls_or_is_below_nothing_or_stood_still_before_is_a_level() {
        let level = [7.0, 17.0, 27.0, 27.0, 37.0, 36.0, 57.0, 67.0, 167.0, 267.0, 367.0, 467.0];
        assert_eq!(seen(level), None);
        assert_eq!(series(level).values, level.map(|value| value as f32));
        assert_eq!(seen([-9.0, -8.0, -7.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0]), None);
        assert_eq!(seen([5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 6.0, 7.0, 8.0, 9.0]), None);
        assert_eq!(seen([5.0, 5.0, 5.0, 5.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0, 9.0, 9.0]), None);
        // What goes up and down between nothing and something begins again too often.
        assert_eq!(seen([0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0]), None);
    }

    #[test]
    fn a_counter_that_begins_again_goes_on() {
        let mut buckets = Buckets::new(30);
        let now = Trial { selection: 24..30, baseline: 0..24 };
        for at in 0..30 {
            let value = if at < 20 { 1_000.0 + 50.0 * at as f64 } else { 50.0 * (at - 19) as f64 };
            buckets.add(at, 10 * at as i64, value);
        }
        let series = buckets.series("a".into(), &now);
        assert_eq!(series.nature, Nature::Rate);
        assert_eq!(series.values[1..], [5.0; 29]);
        assert_eq!(series.restarts.iter().collect::<Vec<_>>(), [(20, 1)]);
    }

    #[test]
    fn what_falls_by_less_than_half_does_not_begin_again() {
        let falls = |to: f64| {
            let mut buckets = Buckets::new(30);
            let value = |at: i64| if at < 20 { 1_000 + 50 * at } else { 50 * (at - 20) };
            (0..30).for_each(|at| {
                buckets.add(at as usize, 10 * at, value(at) as f64 + if at < 20 { 0.0 } else { to })
            });
            buckets.series("a".into(), &Trial { selection: 24..30, baseline: 0..24 }).nature
        };
        assert_eq!((falls(900.0), falls(1_100.0)), (Nature::Rate, Nature::Level));
    }

    #[test]
    fn a_pause_is_no_growth_and_what_came_before_the_first_bucket_is_known() {
        let mut buckets = Buckets::new(12);
        buckets.precede(0, 90.0);
        for at in 0..12 {
            if at == 8 {
                buckets.pause();
                buckets.precede(990, 1e6 - 30.0);
            }
            let (secs, value) = if at < 8 { (10, 100.0) } else { (920, 1e6 - 80.0) };
            buckets.add(at, secs + 10 * at as i64, value + 10.0 * at as f64);
        }
        let rates = buckets.series("a".into(), &NOW).values;
        assert_eq!(rates, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn many_points_of_a_bucket_are_known_by_their_sum_and_the_last() {
        let mut buckets = Buckets::new(12);
        for at in 0..12 {
            let first = 600.0 * at as f64;
            buckets.add_many(at, 60 * at as i64, first + 500.0, (6.0 * first + 1_500.0, 6));
        }
        assert_eq!(buckets.series("a".into(), &NOW).values[1..], [10.0; 11]);
        assert_eq!(buckets.counts(), [6; 12]);
    }

    #[test]
    fn what_hardly_ever_grows_is_a_counter_where_others_are() {
        let seldom = [4.0, 4.0, 4.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 6.0, 6.0];
        assert_eq!(series(seldom).nature, Nature::Unclear(2));
        let twice = [4.0, 4.0, 5.0, 5.0, 5.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0];
        let down: [f64; 12] = seldom.map(|value| 9.0 - value);
        let among = |counters: usize, levels: usize| {
            let mut buckets = Buckets::new(12);
            let mut of = |values: [f64; 12]| {
                buckets.clear(12);
                values.iter().zip(0..).for_each(|(value, at)| buckets.add(at, 10 * at as i64, *value));
                buckets.series("a".into(), &NOW)
            };
            (0..counters).for_each(|_| drop(of(twice)));
            (0..levels).for_each(|_| drop(of(down)));
            let mut all = [of(seldom)];
            settle(&mut all, buckets.seldom(), &Grid::unbroken(0, 10_000, NOW));
            let [series] = all;
            (series.nature, series.values)
        };
        let mut rates = [0.0; 12];
        (rates[4], rates[10]) = (0.1, 0.1);
        assert_eq!(among(1, 3), (Nature::Rate, rates.to_vec()));
        assert_eq!(among(1, 4), (Nature::Level, seldom.map(|value| value as f32).to_vec()));
        assert_eq!(among(0, 0).0, Nature::Level);
        let again = [4.0, 5.0, 5.0, 5.0, 6.0, 6.0, 7.0, 7.0, 8.0, 8.0, 0.0, 1.0];
        assert_eq!(series(again).nature, Nature::Unclear(5 - 4));
        assert_eq!(series([7.0; 12]).nature, Nature::Level);
        // To rise for the first time is news where it is by more than a little, and whatever it is.
        let first = |rise: f64| [4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0 + rise, 4.0 + rise];
        assert_eq!(
            (series(first(2.0)).nature, series(first(3.0)).nature),
            (Nature::Unclear(1), Nature::Level)
        );
        // A part of one, or a rise in one go, is no count.
        assert_eq!(series(seldom.map(|value| value / 2.0)).nature, Nature::Level);
        let ramp = [4.0, 4.0, 4.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0, 9.0, 9.0];
        assert_eq!(series(ramp).nature, Nature::Unclear(1));
    }
}

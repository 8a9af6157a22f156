//! The points of a series, put into buckets: the mean of each, or of a counter by how much it grew a second.
//!
//! A counter only grows, or begins again near nothing (requests since the start, bytes sent, seconds of work). Its level says how long it
//! has run, and is higher in any selection than before; what happens is seen by how fast it grows. It is told from a level by how it
//! behaves over all that is looked at, since names may say anything. One that hardly ever grows (errors) looks like a level that
//! rose once or twice: of such the other series of the same system say more ([`super::counters`]).

use super::counters::Seldom;
use super::observed::{Nature, Restart, Series, Trial};

/// So many buckets in each half of the time outside of the selection must have seen a counter grow: what stood, and then rose to
/// another level, has done so in one of them.
const LEAST_GROWN: usize = 2;
/// A counter begins again at no more than this part of what it was …
const BEGINS_AT: f64 = 0.5;
/// … and grows at least so many times for each time that it does.
const GROWS: u32 = 10;
/// Where that is not known, one such fall outweighs so many rises: levels of nothing or a few fall to nothing, too.
const RISES_OF_RESTART: u32 = 4;
/// While nobody looked it may have grown so many times as fast as else.
const FASTER_UNSEEN: f64 = 2.0;
/// What is the same in so many points stands there.
const STANDS: u32 = 3;

/// One series' points by bucket, used again for the next one.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    sums: Vec<f64>,
    counts: Vec<u32>,
    /// By how much it grew up to a bucket's points …
    grown: Vec<f64>,
    /// … and in how many seconds.
    secs: Vec<f64>,
    restarts: Vec<Restart>,
    /// The point before: unix seconds and value.
    last: Option<(i64, f64)>,
    /// The last point before what came next was much later.
    before_pause: Option<(i64, f64)>,
    seen: Seen,
    seldom: Seldom,
}

/// What all points of a series together say.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    rises: u32,
    restarts: u32,
    /// How many points had the value that the last one has.
    stands: u32,
    /// It fell from where it stood.
    steps_down: bool,
    /// It fell, and not to begin again; or is below nothing.
    falls: bool,
    /// By how much a second it must have grown while nobody looked, if it began again and is no lower than it is.
    unseen: f64,
    /// It has parts of one.
    is_broken: bool,
}

impl Buckets {
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
        self.before_pause = self.last.take().or(self.before_pause);
    }

    /// What comes next follows on nothing: it is called otherwise, and was started anew.
    pub fn begin_anew(&mut self) {
        (self.last, self.before_pause) = (None, None);
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
        if let Some((before_secs, before)) = self.before_pause.take() {
            self.seen.pause(before, last, secs - before_secs);
        }
        let before = self.last.replace((secs, last)).filter(|(before, _)| *before < secs);
        if let Some((before_secs, before)) = before {
            self.secs[bucket] += (secs - before_secs) as f64;
            self.grown[bucket] += self.seen.growth(before, last);
            if last < before {
                self.restarts.push(Restart { bucket: bucket as u16, at_ms: secs * 1_000 });
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

    /// What is compared. What remains unclear is for [`settle`](super::counters::settle) to say.
    pub fn series(&mut self, path: String, now: &Trial) -> Series {
        let (nature, seldom) = self.nature(now);
        self.seldom += seldom;
        let mean = |(sum, count): (&f64, &u32)| if *count > 0 { sum / f64::from(*count) } else { f64::NAN };
        let rate = |(grown, secs): (&f64, &f64)| if *secs > 0.0 { grown / secs } else { f64::NAN };
        let values = if nature == Nature::Rate {
            self.grown.iter().zip(&self.secs).map(rate).map(|value| value as f32).collect()
        } else {
            self.sums.iter().zip(&self.counts).map(mean).map(|value| value as f32).collect()
        };
        let restarts = if nature == Nature::Rate { self.restarts.clone() } else { Vec::new() };
        Series { path, values, nature, restarts, ..Series::default() }
    }

    /// What it is, and what it says of others like it.
    fn nature(&self, now: &Trial) -> (Nature, Seldom) {
        let mut seen = self.seen;
        seen.falls |= seen.unseen > FASTER_UNSEEN * self.rate();
        let times = self.separate_rises(now);
        let levels = u32::from(seen.steps_down && !seen.is_broken);
        let seldom = |counters| Seldom { counters, levels };
        if !seen.falls && seen.rises >= GROWS * seen.restarts && self.grows_all_the_time(now) {
            return (Nature::Rate, seldom(u32::from(times > 1 && !seen.is_broken)));
        }
        let likely = times.saturating_sub(RISES_OF_RESTART * seen.restarts);
        if seen.is_broken || seen.falls || seen.rises == 0 || (seen.restarts > 0 && likely == 0) {
            return (Nature::Level, seldom(0));
        }
        (Nature::Unclear(likely.min(u32::from(u8::MAX)) as u8), seldom(u32::from(likely > 1)))
    }

    /// Whether it grew over all the time outside of the selection, so that it can be told how fast.
    fn grows_all_the_time(&self, now: &Trial) -> bool {
        let outside: Vec<usize> = self.outside(now).collect();
        let (first, second) = outside.split_at(outside.len() / 2);
        let grows =
            |half: &[usize]| half.iter().filter(|bucket| self.grown[**bucket] > 0.0).count() >= LEAST_GROWN;
        grows(first) && grows(second)
    }

    /// By how much it grew a second.
    fn rate(&self) -> f64 {
        self.grown.iter().sum::<f64>() / self.secs.iter().sum::<f64>().max(1.0)
    }

    /// On how many occasions it grew before the selection, whatever happens in that.
    fn separate_rises(&self, now: &Trial) -> u32 {
        let mut is_rising = false;
        let rises = self.outside(now).filter(|bucket| {
            let was_rising = std::mem::replace(&mut is_rising, self.grown[*bucket] > 0.0);
            is_rising && !was_rising
        });
        rises.count() as u32
    }

    /// Buckets that have points, without those of the selection.
    fn outside(&self, now: &Trial) -> impl Iterator<Item = usize> {
        (0..self.counts.len()).filter(|bucket| self.counts[*bucket] > 0 && !now.selection.contains(bucket))
    }
}

impl Seen {
    /// What came later, by so many seconds: if it began again, it may have grown since.
    fn pause(&mut self, before: f64, after: f64, secs: i64) {
        let fell = self.falls;
        self.growth(before, after);
        if self.falls && !fell && secs > 0 {
            self.falls = false;
            self.unseen = self.unseen.max(after / secs as f64);
        }
    }

    /// By how much it grew from one point to the next. What begins again does so from nothing.
    fn growth(&mut self, before: f64, after: f64) -> f64 {
        if after < before {
            self.steps_down |= self.stands >= STANDS;
            self.falls |= after > BEGINS_AT * before;
            (self.restarts, self.stands) = (self.restarts + 1, 1);
            return after;
        }
        let rises = after > before;
        self.rises += u32::from(rises);
        self.stands = if rises { 1 } else { self.stands.saturating_add(1) };
        after - before
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const NOW: Trial = Trial { selection: 8..12, baseline: 0..8 };

    /// A point each 10 s.
    pub(in super::super) fn add(buckets: &mut Buckets, values: [f64; 12]) -> Series {
        buckets.clear(12);
        values.iter().zip(0..).for_each(|(value, at)| buckets.add(at, 10 * at as i64, *value));
        buckets.series("a".into(), &NOW)
    }

    pub(in super::super) fn series(values: [f64; 12]) -> Series {
        add(&mut Buckets::default(), values)
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
        let mut buckets = Buckets::default();
        buckets.clear(30);
        let now = Trial { selection: 24..30, baseline: 0..24 };
        for at in 0..30 {
            let value = if at < 20 { 1_000.0 + 50.0 * at as f64 } else { 50.0 * (at - 19) as f64 };
            buckets.add(at, 10 * at as i64, value);
        }
        let series = buckets.series("a".into(), &now);
        assert_eq!(series.nature, Nature::Rate);
        assert_eq!(series.values[1..], [5.0; 29]);
        assert_eq!(series.restarts, [Restart { bucket: 20, at_ms: 200_000 }]);
    }

    #[test]
    fn what_falls_by_less_than_half_does_not_begin_again() {
        let falls = |to: f64| {
            let mut buckets = Buckets::default();
            buckets.clear(30);
            let value = |at: i64| if at < 20 { 1_000 + 50 * at } else { 50 * (at - 20) };
            for at in 0..30 {
                buckets.add(at as usize, 10 * at, value(at) as f64 + if at < 20 { 0.0 } else { to });
            }
            buckets.series("a".into(), &Trial { selection: 24..30, baseline: 0..24 }).nature
        };
        assert_eq!((falls(900.0), falls(1_100.0)), (Nature::Rate, Nature::Level));
    }

    #[test]
    fn a_pause_is_no_growth_and_what_came_before_the_first_bucket_is_known() {
        let mut buckets = Buckets::default();
        buckets.clear(12);
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
    fn a_counter_may_begin_again_and_grow_while_nobody_looks() {
        let nature = |after: f64| {
            let mut buckets = Buckets::default();
            buckets.clear(12);
            for at in 0..12_i32 {
                let (secs, value) = if at < 6 { (0, 2.5e6) } else { (86_400, after) };
                if at == 6 {
                    buckets.pause();
                }
                buckets.add(at as usize, secs + 10 * i64::from(at), value + 100.0 * f64::from(at));
            }
            buckets.series("a".into(), &NOW).nature
        };
        // In a day 10 a second make 864,000, and somewhat more where they were more at other hours.
        assert_eq!([nature(900e3), nature(1.7e6), nature(5e6)], [Nature::Rate; 3]);
        assert_eq!([nature(2.2e6), nature(-5e3)], [Nature::Level; 2]);
    }

    #[test]
    fn many_points_of_a_bucket_are_known_by_their_sum_and_the_last() {
        let mut buckets = Buckets::default();
        buckets.clear(12);
        for at in 0..12 {
            let first = 600.0 * at as f64;
            buckets.add_many(at, 60 * at as i64, first + 500.0, (6.0 * first + 1_500.0, 6));
        }
        assert_eq!(buckets.series("a".into(), &NOW).values[1..], [10.0; 11]);
        assert_eq!(buckets.counts(), [6; 12]);
    }
}

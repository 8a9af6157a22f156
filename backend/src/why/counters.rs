//! Which of the series that hardly ever change are counters, of what is rare, and which are levels: by what the others of the system are, and
//! how many of them did the same.

use super::observed::{Grid, Nature, Restart, Series, Trial};
use std::collections::BTreeMap;
use std::ops::{AddAssign, Range};

/// What rose so many times before may be taken for a counter; what did once or never may be any level.
const ENOUGH_RISES: u8 = 2;
/// Where so many of its like rose as far, a level that did were no news; how fast it grew may be.
const COMMON: f32 = 0.05;

/// Of whole numbers, how many are counters beyond doubt, and how many levels that stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seldom {
    pub(super) counters: u32,
    pub(super) levels: u32,
}

impl AddAssign for Seldom {
    fn add_assign(&mut self, other: Self) {
        self.counters += other.counters;
        self.levels += other.levels;
    }
}

/// Takes what is unclear for counters where these are likelier: by how many counters and levels hardly ever change, and since a level
/// would as often have fallen as risen, each time that it changed. Of the others it is said how many of those like them rose as far.
pub fn settle(all: &mut [Series], seldom: Seldom, grid: &Grid) {
    let (counters, levels) = (f64::from(seldom.counters), f64::from(seldom.levels));
    let firsts = Firsts::of(all, grid);
    for series in &mut *all {
        if let Nature::Unclear(times) = series.nature
            && times >= ENOUGH_RISES
            && counters * f64::from(times).exp2() > levels
        {
            series.take_for_counter(grid);
        }
    }
    let part = counters / (counters + levels).max(1.0);
    let rises = Rises::of(all, &grid.now);
    let is_near = grid.is_near();
    for series in all.iter_mut().filter(|series| matches!(series.nature, Nature::Unclear(_))) {
        let Some(own) = rise(series, &grid.now).filter(|rise| *rise > 0.0) else { continue };
        let (least, most) = extent(series.values[grid.now.selection.clone()].iter());
        let (_, before) = extent(series.values[grid.now.baseline.clone()].iter());
        // What rose while nobody looked says nothing of the selection but where it rises on.
        let rose_unseen = !is_near && least > before;
        // As far, or at all where it may have risen for long.
        let (least_rise, as_often) =
            if is_near { (own, firsts.chance(series, own)) } else { (f32::MIN_POSITIVE, 0.0) };
        let like_others = as_often.max(part as f32 * rises.part_elsewhere(least_rise, series));
        series.chance = if rose_unseen { 1.0 } else { like_others };
        if like_others > COMMON || (rose_unseen && most > least) {
            series.take_for_counter(grid);
        }
    }
}

/// How often what stood rises for the first time, in as long a time as the selection: as many of those that never rose are expected to
/// as rose once, for each such time before (Good 1953, after Turing); and of those that rose once, twice as many as rose twice.
struct Firsts {
    /// How many never rose before.
    never: usize,
    /// How far those rose that did once, ascending.
    once: Vec<f32>,
    twice: usize,
    /// How many times as long as the selection all else is.
    windows: f32,
}

impl Firsts {
    fn of(all: &[Series], grid: &Grid) -> Self {
        let selection = &grid.now.selection;
        let windows = (grid.len() - selection.len()) as f32 / selection.len().max(1) as f32;
        let mut firsts = Self { never: 0, once: Vec::new(), twice: 0, windows };
        for series in all {
            match series.nature {
                Nature::Unclear(0) => firsts.never += 1,
                Nature::Level if rise(series, &grid.now) == Some(0.0) => firsts.never += 1,
                Nature::Unclear(1) => {
                    let outside = [&series.values[..selection.start], &series.values[selection.end..]];
                    let (least, most) = extent(outside.into_iter().flatten());
                    firsts.once.push(most - least);
                }
                Nature::Unclear(2) => firsts.twice += 1,
                _ => {}
            }
        }
        firsts.once.sort_unstable_by(f32::total_cmp);
        firsts
    }

    /// How likely it was to rise as far in the selection.
    fn chance(&self, series: &Series, rise: f32) -> f32 {
        let (as_many, of) = match series.nature {
            Nature::Unclear(0) => {
                (self.once.len() - self.once.partition_point(|once| *once < rise), self.never)
            }
            Nature::Unclear(1) => (2 * self.twice, self.once.len()),
            _ => (0, 1),
        };
        (as_many as f32 / (self.windows * of as f32).max(1.0)).min(1.0)
    }
}

/// The least and the greatest that is known.
fn extent<'a>(values: impl Iterator<Item = &'a f32>) -> (f32, f32) {
    let known = values.copied().filter(|value| value.is_finite());
    known.fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)))
}

/// How far those rose that have one value or are unclear, by where they stand in the tree; ascending.
struct Rises {
    all: Vec<f32>,
    by_parent: BTreeMap<String, Vec<f32>>,
}

impl Rises {
    fn of(all: &[Series], now: &Trial) -> Self {
        let mut rises = Self { all: Vec::new(), by_parent: BTreeMap::new() };
        for series in all {
            if let Some(rise) = rise(series, now) {
                rises.all.push(rise);
                rises.by_parent.entry(parent(series).to_owned()).or_default().push(rise);
            }
        }
        rises.all.sort_unstable_by(f32::total_cmp);
        rises.by_parent.values_mut().for_each(|rises| rises.sort_unstable_by(f32::total_cmp));
        rises
    }

    /// Which part rose so far, of those that stand elsewhere: where it stands, they may have risen for the same reason.
    fn part_elsewhere(&self, least: f32, series: &Series) -> f32 {
        let as_far = |rises: &[f32]| rises.len() - rises.partition_point(|rise| *rise < least);
        let beside = self.by_parent.get(parent(series)).map_or(&[][..], Vec::as_slice);
        (as_far(&self.all) - as_far(beside)) as f32 / (self.all.len() - beside.len()).max(1) as f32
    }
}

fn parent(series: &Series) -> &str {
    series.path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

impl Series {
    fn take_for_counter(&mut self, grid: &Grid) {
        (self.nature, self.chance) = (Nature::Rate, 0.0);
        self.restarts = grow(&mut self.values, grid);
    }
}

/// How far above the baseline's least the selection's greatest lies, of what is unclear or has one value.
fn rise(series: &Series, now: &Trial) -> Option<f32> {
    if series.nature == Nature::Rate {
        return None;
    }
    let known = |range: &Range<usize>| extent(series.values[range.clone()].iter());
    let (before, after) = (known(&now.baseline), known(&now.selection));
    let has_one_value = before.0.min(after.0) >= before.1.max(after.1);
    let rise = after.1 - before.0;
    (rise.is_finite() && (has_one_value || series.nature != Nature::Level)).then_some(rise)
}

/// Levels become rates; of what has none before it in its stretch of time it is taken that it did not grow. Where it began again.
fn grow(values: &mut [f32], grid: &Grid) -> Vec<Restart> {
    let (mut last, mut restarts): (Option<(usize, f32)>, _) = (None, Vec::new());
    for (bucket, rate) in values.iter_mut().enumerate().filter(|(_, value)| value.is_finite()) {
        let value = *rate;
        let steps = |from: usize| (grid.starts_ms[bucket] - grid.starts_ms[from]) / grid.step_ms.max(1);
        let before = last.filter(|(from, _)| steps(*from) == (bucket - from) as i64);
        let (from, before) = before.unwrap_or((bucket, value));
        let secs = (grid.starts_ms[bucket] - grid.starts_ms[from]).max(grid.step_ms) as f32 / 1_000.0;
        if value < before {
            restarts.push(Restart { bucket: bucket as u16, at_ms: grid.starts_ms[bucket] });
        }
        *rate = if value < before { value } else { value - before } / secs;
        last = Some((bucket, value));
    }
    restarts
}

#[cfg(test)]
mod tests {
    use super::super::buckets::Buckets;
    use super::super::buckets::tests::{NOW, add, series};
    use super::*;

    #[test]
    fn what_hardly_ever_grows_is_a_counter_where_others_are() {
        let twice = [4.0, 4.0, 5.0, 5.0, 5.0, 6.0, 6.0, 6.0, 6.0, 6.0, 7.0, 7.0];
        assert_eq!(series(twice).nature, Nature::Unclear(2));
        let (grid, down) = (Grid::unbroken(0, 10_000, NOW), twice.map(|value| 9.0 - value));
        let beside = |levels: usize| {
            let mut buckets = Buckets::default();
            let mut all = vec![add(&mut buckets, twice)];
            all.extend((0..levels).map(|_| add(&mut buckets, down)));
            settle(&mut all, buckets.seldom(), &grid);
            (all[0].nature, all[0].values.clone())
        };
        let mut rates = [0.0; 12];
        (rates[2], rates[5], rates[10]) = (0.1, 0.1, 0.1);
        assert_eq!(beside(3), (Nature::Rate, rates.to_vec()));
        assert_eq!(beside(4), (Nature::Unclear(2), twice.map(|value| value as f32).to_vec()));
        // What has parts of one, stands, or rose in one go, is none.
        let ramp = [4.0, 4.0, 4.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0, 9.0, 9.0];
        let again = [4.0, 5.0, 5.0, 5.0, 6.0, 6.0, 7.0, 7.0, 0.0, 1.0, 1.0, 1.0];
        let natures = [twice.map(|value| value / 2.0), [7.0; 12], ramp, again];
        let natures = natures.map(|values| series(values).nature);
        assert_eq!(natures, [Nature::Level, Nature::Level, Nature::Unclear(1), Nature::Level]);
    }

    #[test]
    fn what_never_rose_does_as_often_as_others_did_once() {
        let first = |rise: f64| std::array::from_fn(|at| if at < 10 { 4.0 } else { 4.0 + rise });
        let once = |rise: f64| std::array::from_fn(|at| if at < 4 { 4.0 } else { 4.0 + rise });
        let chance = |rise: f64, once: &[[f64; 12]]| {
            let mut buckets = Buckets::default();
            let mut all = vec![add(&mut buckets, first(rise))];
            all.extend((0..99).map(|_| add(&mut buckets, [3.0; 12])));
            all.extend(once.iter().map(|values| add(&mut buckets, *values)));
            settle(&mut all, buckets.seldom(), &Grid::unbroken(0, 10_000, NOW));
            all[0].chance
        };
        // Of a hundred two rose once, one of them by more than a little, in twice the selection's length.
        let near = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-6, "{found}");
        near(chance(1.0, &[once(1.0), once(5.0)]), 2.0 / 200.0);
        near(chance(3.0, &[once(1.0), once(5.0)]), 1.0 / 200.0);
        near(chance(9.0, &[once(1.0), once(5.0)]), 0.0);
        near(chance(1.0, &[]), 0.0);
    }

    #[test]
    fn what_may_have_counted_is_no_more_news_than_others_like_it() {
        let first = |rise: f64| std::array::from_fn(|at| if at < 10 { 4.0 } else { 4.0 + rise });
        let twice = [4.0, 4.0, 5.0, 5.0, 5.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0];
        let mut grid = Grid::unbroken(0, 10_000, NOW);
        // Of the first, by what it rose; of 48 others elsewhere two rose by one and one by five.
        let chance = |rise: f64, known: &[[f64; 12]], grid: &Grid| {
            let mut buckets = Buckets::default();
            let mut all = vec![add(&mut buckets, first(rise)), add(&mut buckets, first(rise))];
            let elsewhere =
                [vec![[3.0; 12]; 45], vec![first(1.0), first(1.0), first(5.0)], known.to_vec()].concat();
            for values in elsewhere {
                let series = add(&mut buckets, values);
                all.push(Series { path: "elsewhere.a".into(), ..series });
            }
            settle(&mut all, buckets.seldom(), grid);
            (all[0].chance, all[0].nature == Nature::Rate)
        };
        let near = |found: (f32, bool), part: f32, is_rate: bool| {
            assert!((found.0 - part).abs() < 1e-6 && found.1 == is_rate, "{found:?}");
        };
        let falls = twice.map(|value| 9.0 - value);
        near(chance(2.0, &[twice], &grid), 1.0 / 48.0, false);
        near(chance(6.0, &[twice], &grid), 0.0, false);
        // Half of what is known is levels.
        near(chance(1.0, &[twice, falls], &grid), 0.5 * 3.0 / 48.0, false);
        // Where many did, it is taken for a counter.
        near(chance(1.0, &[twice], &grid), 0.0, true);
        // Where nothing is known to count, a level that rose has risen.
        near(chance(1.0, &[], &grid), 0.0, false);
        // Where the baseline lies far away, all that rose is alike.
        grid.starts_ms[..8].iter_mut().for_each(|start| *start -= 86_400_000);
        near(chance(6.0, &[twice, falls], &grid), 0.5 * 3.0 / 48.0, false);
        // What rose while nobody looked is no news of the selection, but how fast it rises there is.
        let unseen = |rise: f64| {
            let mut buckets = Buckets::default();
            let mut all = vec![add(
                &mut buckets,
                std::array::from_fn(|at| match at {
                    0..8 => 4.0,
                    8..11 => 9.0,
                    _ => 9.0 + rise,
                }),
            )];
            settle(&mut all, Seldom::default(), &grid);
            (all[0].chance, all[0].nature == Nature::Rate)
        };
        assert_eq!([unseen(0.0), unseen(3.0)], [(1.0, false), (0.0, true)]);
    }
}

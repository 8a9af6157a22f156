//! How often the like of it comes by chance.
//!
//! A statistic is known for the selection and for past windows, each as a quotient: how many times its usual size it has. Its p-value is
//! its place among the quotients of all items' past windows, each divided by what the *other* windows of its item say. Beyond the largest of them the tail is continued as a power law (Hill 1975), for otherwise no p-value
//! could be smaller than one over the number of past windows, and all large ones would tie.

use super::quotients::{FEWEST, Statistic};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The part of all past quotients from which the tail's steepness is read.
const TAIL_PART: f64 = 0.03;
const MOST_TAIL: usize = 200;
/// What is assumed of it is what it is so many times as far out as where it begins.
const FURTHER: f64 = 2.0;
/// Sums of inverse p-values have a tail like one over themselves, whatever the p-values are of.
const SUMS_STEEPNESS: f64 = 1.0;
/// How many quotients outweigh what is assumed of the tail's steepness: that it is that of Student's distribution.
const PRIOR_TAIL: f64 = 10.0;
/// Of what may be of any size, the law beyond the largest quotient is so many times less steep than degrees of freedom allow: few windows do
/// not show what a series does once in a long time, and how far it goes then.
const BOUNDLESS: f64 = 4.0;
/// With fewer, items of one sort are compared with all.
const FEWEST_OF_A_SORT: usize = 200;
/// So many of the quotients below the tail are kept.
const BODY: usize = 2_048;

/// What quotients are by chance.
#[derive(Clone, Debug, Default)]
pub(super) struct Null {
    /// All of them, or a part evenly spread, ascending.
    body: Vec<f32>,
    /// Those beyond the threshold, ascending.
    tail: Vec<f32>,
    /// How many there are.
    count: f64,
    /// How steep it is at most beyond the largest of them.
    steepest: f64,
    /// From where on the tail's law holds.
    threshold: f64,
    /// How many of all lie above it.
    tail_part: f64,
    steepness: f64,
    /// Degrees of freedom of Student's distribution where quotients are too few.
    student: Option<f64>,
}

impl Null {
    /// From past quotients. `windows` is how many each item had.
    pub(super) fn of(past: Vec<f32>, freedom: f64) -> Self {
        Self::with_tail(past, Some(freedom), |threshold| student_steepness(threshold, freedom))
    }

    fn with_tail(mut past: Vec<f32>, freedom: Option<f64>, expected: impl Fn(f64) -> f64) -> Self {
        let count = past.len();
        if count < FEWEST {
            return Self {
                body: past,
                threshold: 0.0,
                tail_part: 1.0,
                steepness: 1.0,
                student: freedom,
                ..Self::default()
            };
        }
        let tail = ((count as f64 * TAIL_PART) as usize).clamp(10, MOST_TAIL);
        let cut = count - tail - 1;
        past.select_nth_unstable_by(cut, f32::total_cmp);
        // Up to its usual size nothing is large, also where almost all past windows have nothing at all.
        let threshold = f64::from(past[cut]).max(1.0);
        let steepness = steepness(&past[cut..], threshold, expected(threshold));
        let mut beyond: Vec<f32> =
            past[cut..].iter().copied().filter(|x| f64::from(*x) > threshold).collect();
        beyond.sort_unstable_by(f32::total_cmp);
        let each = (count / BODY).max(1);
        let mut body: Vec<f32> = past.into_iter().step_by(each).collect();
        body.sort_unstable_by(f32::total_cmp);
        let tail_part = tail as f64 / count as f64;
        let steepest = f64::INFINITY;
        Self {
            body,
            tail: beyond,
            count: count as f64,
            steepest,
            threshold,
            tail_part,
            steepness,
            student: None,
        }
    }

    /// How often a quotient is at least this by chance.
    pub(super) fn p_value(&self, quotient: f32) -> f64 {
        let x = f64::from(quotient);
        if x.is_nan() {
            return 1.0;
        }
        if let Some(freedom) = self.student {
            return StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |student| 2.0 * student.sf(x.abs()));
        }
        if x > self.threshold {
            return self.p_of_tail(quotient);
        }
        let below = self.body.partition_point(|y| *y < quotient);
        let part = (self.body.len() - below) as f64 / self.body.len() as f64;
        part.clamp(self.tail_part, 1.0)
    }
}

impl Null {
    /// As the tail's law says, but no less than the part that was as large in past windows: a few series that jump a hundred times further
    /// than all others make no law. Beyond the largest of them the law goes on from there.
    fn p_of_tail(&self, quotient: f32) -> f64 {
        let falls = |from: f64, steepness: f64| (f64::from(quotient) / from).powf(-steepness);
        let larger = self.tail.len() - self.tail.partition_point(|y| *y < quotient);
        let seen = match self.tail.last() {
            _ if larger > 0 => larger as f64 / self.count,
            Some(largest) => falls(f64::from(*largest), self.steepness.min(self.steepest)) / self.count,
            None => 0.0,
        };
        (self.tail_part * falls(self.threshold, self.steepness)).max(seen).max(1e-300)
    }
}

/// How steep the tail beyond a threshold is, as far as so many quotients tell; else as steep as it is expected to be.
fn steepness(tail: &[f32], threshold: f64, expected: f64) -> f64 {
    let beyond = || tail.iter().map(|x| f64::from(*x)).filter(|x| *x > threshold);
    let excess: f64 = beyond().map(|x| (x / threshold).ln()).sum();
    (beyond().count() as f64 + PRIOR_TAIL) / (excess + PRIOR_TAIL / expected)
}

/// How steep Student's distribution is a little further out than the threshold.
fn student_steepness(threshold: f64, freedom: f64) -> f64 {
    let square = (FURTHER * threshold).powi(2);
    (freedom + 1.0) * square / (freedom + square)
}

/// What several statistics of the same items say together.
#[derive(Clone, Debug, Default)]
pub(super) struct Combined {
    /// One an item.
    pub(super) p: Vec<f64>,
    /// Which statistic speaks loudest, one an item.
    pub(super) loudest: Vec<u8>,
    /// p-values of past windows: all of the first item, then all of the second; NaN where a window says nothing.
    pub(super) past: Vec<f32>,
}

/// Joins statistics by the harmonic mean of their p-values (Wilson 2019), which the smallest rules without the others
/// being lost, and takes the p-value of that from past windows again, for the statistics hang together.
pub(super) fn combine(statistics: &[Statistic]) -> Combined {
    let Some(first) = statistics.first() else { return Combined::default() };
    let (items, windows) = (first.now.len(), first.windows);
    let sort_of = |item: usize| first.sorts.get(item).copied().unwrap_or(0);
    let sorts = first.sorts.iter().max().map_or(1, |last| last + 1);
    let mut now = vec![0.0_f32; items];
    let mut past = vec![f32::NAN; items * windows];
    let mut loudest = vec![(1.0_f64, 0_u8); items];
    for (number, statistic) in statistics.iter().enumerate() {
        let quotients = statistic.quotients();
        let freedom = windows as f64 + statistic.prior;
        let steepest = if statistic.boundless { freedom / BOUNDLESS } else { f64::INFINITY };
        let null = |past| Null { steepest, ..Null::of(past, freedom) };
        let nulls: Vec<Null> =
            by_sort(&quotients.past, windows, sorts, sort_of).into_iter().map(null).collect();
        for (item, x) in quotients.now.iter().enumerate() {
            let p = nulls[sort_of(item)].p_value(*x);
            now[item] += (1.0 / p) as f32;
            if p < loudest[item].0 {
                loudest[item] = (p, number as u8);
            }
        }
        for (place, (sum, x)) in past.iter_mut().zip(&quotients.past).enumerate() {
            if !x.is_nan() {
                let inverse = (1.0 / nulls[sort_of(place / windows)].p_value(*x)) as f32;
                *sum = if sum.is_nan() { inverse } else { *sum + inverse };
            }
        }
    }
    let null = |past| Null::of_combined(past, statistics.len());
    let nulls: Vec<Null> = by_sort(&past, windows, sorts, sort_of).into_iter().map(null).collect();
    let p_of = |(item, sum): (usize, &f32)| nulls[sort_of(item)].p_value(*sum);
    let past_p = |(place, sum): (usize, &f32)| {
        if sum.is_nan() { f32::NAN } else { p_of((place / windows, sum)) as f32 }
    };
    Combined {
        p: now.iter().enumerate().map(p_of).collect(),
        loudest: loudest.into_iter().map(|(_, number)| number).collect(),
        past: past.iter().enumerate().map(past_p).collect(),
    }
}

/// Past windows' values of the items of each sort; a sort with too few has them together with the one before it, the first with the next.
fn by_sort(past: &[f32], windows: usize, sorts: usize, sort_of: impl Fn(usize) -> usize) -> Vec<Vec<f32>> {
    let mut parts = vec![Vec::new(); sorts];
    let known = past.iter().enumerate().filter(|(_, x)| !x.is_nan());
    known.for_each(|(place, x)| parts[sort_of(place / windows)].push(*x));
    let mut joined: Vec<(usize, Vec<f32>)> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some((sorts, before)) if part.len().min(before.len()) < FEWEST_OF_A_SORT => {
                *sorts += 1;
                before.extend(part);
            }
            _ => joined.push((1, part)),
        }
    }
    joined.into_iter().flat_map(|(sorts, part)| vec![part; sorts]).collect()
}

impl Null {
    /// The null of sums of inverse p-values. With too few of them the sum itself is taken for one over p, times the number of
    /// statistics, which is never too small.
    fn of_combined(past: Vec<f32>, statistics: usize) -> Self {
        if past.len() < FEWEST {
            let least = statistics as f64;
            return Self {
                body: vec![0.0],
                threshold: least,
                tail_part: 1.0,
                steepness: 1.0,
                ..Self::default()
            };
        }
        Self::with_tail(past, None, |_| SUMS_STEEPNESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splitmix64 as uniform numbers.
    fn uniform(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(state: &mut u64) -> f64 {
        (0..12).map(|_| uniform(state)).sum::<f64>() - 6.0
    }

    /// A statistic of nothing but noise, whose size differs from item to item a hundredfold.
    fn noise(items: usize, windows: usize, seed: u64) -> Statistic {
        let mut state = seed;
        let sizes: Vec<f64> = (0..items).map(|_| 100_f64.powf(uniform(&mut state))).collect();
        let mut draw = |size: f64| (size * normal(&mut state)).abs() as f32;
        let now = sizes.iter().map(|size| draw(*size)).collect();
        let past = sizes.iter().flat_map(|size| [*size].repeat(windows)).map(&mut draw).collect();
        let floor = vec![0.0; items];
        Statistic { now, past, windows, floor, prior: 4.0, ..Statistic::default() }
    }

    #[test]
    fn p_values_of_noise_are_uniform() {
        let statistics = [noise(4_000, 8, 1), noise(4_000, 8, 2), noise(4_000, 8, 3)];
        let combined = combine(&statistics);
        for limit in [0.5, 0.1, 0.01] {
            let part = combined.p.iter().filter(|p| **p <= limit).count() as f64 / 4_000.0;
            assert!(part < limit * 1.35 && part > limit * 0.4, "{part} of p-values are up to {limit}");
        }
        let least = combined.p.iter().copied().fold(1.0, f64::min);
        assert!(least > 2e-6, "the least of 4000 is {least}");
    }

    #[test]
    fn a_large_one_stands_out_and_a_larger_one_more() {
        let mut statistic = noise(300, 8, 4);
        let usual =
            |item: usize, of: &Statistic| of.past[item * 8..item * 8 + 8].iter().copied().fold(0.0, f32::max);
        statistic.now[3] = 20.0 * usual(3, &statistic);
        statistic.now[7] = 80.0 * usual(7, &statistic);
        let combined = combine(&[statistic]);
        assert!(combined.p[7] < combined.p[3] && combined.p[3] < 1e-4, "{} {}", combined.p[7], combined.p[3]);
    }

    #[test]
    fn a_few_that_jump_far_make_no_law_for_others() {
        let mut state = 9;
        let mut past: Vec<f32> = (0..4_000).map(|_| normal(&mut state).abs() as f32).collect();
        past[..4].fill(300.0);
        let null = Null::of(past, 12.0);
        // Four of 4000 were as large.
        assert!((null.p_value(200.0) - 0.001).abs() < 1e-9, "{}", null.p_value(200.0));
        assert!(null.p_value(600.0) < null.p_value(301.0) && null.p_value(301.0) <= 1.0 / 4_000.0);
    }

    #[test]
    fn a_sort_is_compared_with_itself_where_there_is_enough_of_it() {
        let check = |items: [usize; 4], expected: [usize; 4]| {
            let sorts: Vec<usize> = (0..4).flat_map(|sort| vec![sort; items[sort]]).collect();
            let past = vec![1.0; 8 * sorts.len()];
            let found = by_sort(&past, 8, 4, |item| sorts[item]);
            assert_eq!(found.iter().map(|part| part.len() / 8).collect::<Vec<_>>(), expected);
        };
        check([30, 40, 50, 60], [30, 40, 50, 60]);
        check([30, 40, 50, 6], [30, 40, 56, 56]);
        check([3, 40, 50, 0], [43, 43, 50, 50]);
        check([3, 0, 1, 0], [4; 4]);
    }

    #[test]
    fn what_may_be_of_any_size_is_not_much_less_likely_far_out() {
        let mut statistic = noise(300, 8, 8);
        let usual = |of: &Statistic| of.past[24..32].iter().copied().fold(0.0, f32::max);
        statistic.now[3] = 60.0 * usual(&statistic);
        let bounded = combine(std::slice::from_ref(&statistic)).p[3];
        statistic.boundless = true;
        let boundless = combine(&[statistic]).p[3];
        assert!(boundless > 10.0 * bounded && boundless < 1e-3, "{boundless} {bounded}");
    }

    #[test]
    fn what_came_at_the_same_hour_of_an_earlier_day_is_no_news() {
        let mut statistic = noise(300, 8, 5);
        statistic.days = 1;
        statistic.now[3] = 5_000.0;
        assert!(combine(std::slice::from_ref(&statistic)).p[3] < 1e-3);
        statistic.past[3 * 8 + 7] = 5_000.0;
        assert!(combine(&[statistic]).p[3] > 0.05);
    }

    #[test]
    fn what_a_past_window_did_to_others_does_not_make_it_usual() {
        let mut statistic = Statistic {
            now: vec![1.0],
            past: vec![1.0, 9.0, 9.0, 1.0, 1.0, 1.0],
            windows: 6,
            ..noise(0, 6, 6)
        };
        let alone = statistic.quotients().past[1];
        statistic.touched = vec![1, 0b110, 0b100, 0b1000, 0b1_0000, 0b10_0000];
        assert!(statistic.quotients().past[1] > 1.2 * alone);
        // Where all others touch it, nothing is known of it.
        statistic.touched[0] = 0b11_1111;
        assert!(statistic.quotients().past[0].is_nan());
    }

    #[test]
    fn windows_without_a_value_say_nothing() {
        let mut statistic = noise(300, 8, 7);
        let whole = combine(std::slice::from_ref(&statistic)).p[3];
        statistic.past[3 * 8] = f32::NAN;
        let combined = combine(&[statistic]);
        assert!(combined.p.iter().all(|p| (0.0..=1.0).contains(p)));
        assert!((combined.p[3] / whole).ln().abs() < 1.0, "{} {whole}", combined.p[3]);
        assert_eq!(combined.past.iter().filter(|p| !p.is_nan()).count(), 300 * 8 - 1);
    }

    #[test]
    fn few_items_without_a_past_still_have_p_values() {
        let statistic =
            Statistic { now: vec![9.0, 0.5], floor: vec![0.0; 2], prior: 4.0, ..Statistic::default() };
        let combined = combine(&[statistic]);
        assert!(combined.p[0] < 0.01 && combined.p[1] > 0.3, "{:?}", combined.p);
    }

    #[test]
    fn what_all_items_do_in_a_longer_window_is_its_length() {
        let mut statistic = noise(300, 8, 6);
        statistic.now.iter_mut().for_each(|now| *now *= 3.0);
        statistic.now[7] *= 40.0;
        let small = |stretch: f64| {
            let p = combine(&[Statistic { stretch, ..statistic.clone() }]).p;
            (p.iter().filter(|p| **p < 0.01).count(), p[7])
        };
        let (many, sure) = small(1.0);
        let (few, still_sure) = small(4.0);
        assert!(many > 60 && few < 12, "{many} {few}");
        assert!(sure < still_sure && still_sure < 1e-3, "{sure} {still_sure}");
        assert!(small(1.5).0 > 20, "no more than by its length");
    }
}

//! How many times its usual size a statistic has, of each item, in the selection and in past windows.
//!
//! What is usual for an item is moderated by what is usual for all, since a few windows say little (Smyth 2004, "Linear models
//! and empirical Bayes methods").

use super::trials::Trials;

/// With fewer quotients than this, Student's distribution says more than they do.
pub(super) const FEWEST: usize = 30;
/// So many windows that a past one does not touch say what is usual for it.
const FEWEST_OTHERS: usize = 2;
/// What an earlier day had so much of at this hour is no news.
const DAILY_PART: f32 = 0.5;

/// One statistic of all items.
#[derive(Clone, Debug, Default)]
pub(super) struct Statistic {
    /// The selection's value, one an item, never negative.
    pub(super) now: Vec<f32>,
    /// Past windows' values: all of the first item, then all of the second.
    pub(super) past: Vec<f32>,
    /// How many past windows an item has; the last of them may be of earlier days.
    pub(super) windows: usize,
    /// How many of them are of earlier days: what happens each day at this hour is no news.
    pub(super) days: usize,
    /// What an item's usual size is at least.
    pub(super) floor: Vec<f32>,
    /// Of which sort each item is: the past of one sort says nothing of the others'. All are of one where this is empty.
    pub(super) sorts: Vec<usize>,
    /// Of each past window, which others it touches, as bits; itself alone where this is empty. What happened in it is in them too.
    pub(super) touched: Vec<u64>,
    /// How many windows' worth of evidence the usual size over all items is.
    pub(super) prior: f64,
    /// Whether it may be of any size: what resets or jumps once in a long time goes as far as it likes.
    pub(super) boundless: bool,
    /// How many times as long as past windows the selection is, where hardly anything is known from before it.
    pub(super) stretch: f64,
}

/// Quotients: how many times its usual size a statistic has.
#[derive(Clone, Debug, Default)]
pub(super) struct Quotients {
    pub(super) now: Vec<f32>,
    pub(super) past: Vec<f32>,
}

impl Statistic {
    /// Of no item yet, over the windows of these trials.
    pub(super) fn over(trials: &Trials) -> Self {
        Self {
            windows: trials.null_count(),
            days: trials.days,
            touched: trials.touched(),
            stretch: trials.stretch(),
            ..Self::default()
        }
    }

    pub(super) fn quotients(&self) -> Quotients {
        let usual = self.usual_square();
        let excluded = self.excluded();
        let mut quotients = Quotients::default();
        for (item, now) in self.now.iter().enumerate() {
            let past = &self.past[item * self.windows..(item + 1) * self.windows];
            let floor = f64::from(self.floor.get(item).copied().unwrap_or(0.0)).powi(2);
            let days = past[self.windows - self.days..].iter().copied().fold(0.0, f32::max);
            let days = if days >= DAILY_PART * now { square(days) } else { 0.0 };
            let scale =
                |(sum, windows): (f64, f64)| ((sum + self.prior * usual) / (windows + self.prior)).max(floor);
            quotients.now.push(quotient(*now, scale(sum_without(past, 0)).max(days)));
            quotients.past.extend(past.iter().zip(&excluded).map(|(x, excluded)| {
                excluded.map_or(f32::NAN, |excluded| quotient(*x, scale(sum_without(past, excluded))))
            }));
        }
        quotients.stretched(self.stretch)
    }

    /// Which windows say nothing of what is usual for each past window: those that it touches. None where too few are left: as much is to be
    /// known of a past window as of the selection; or, where that leaves hardly any windows, something at all. Without any such window each is
    /// compared with all others.
    fn excluded(&self) -> Vec<Option<u64>> {
        let touched = |window: usize| self.touched.get(window).copied().unwrap_or(1 << window);
        let with_others = |fewest: usize| -> Vec<Option<u64>> {
            let is_known = |marked: &u64| self.windows - marked.count_ones() as usize >= fewest;
            (0..self.windows).map(|window| Some(touched(window)).filter(is_known)).collect()
        };
        let known = |excluded: &[Option<u64>]| excluded.iter().flatten().count();
        let half = with_others(self.windows / 2);
        let excluded = if 2 * known(&half) < self.windows { with_others(FEWEST_OTHERS) } else { half };
        if known(&excluded) > 0 {
            excluded
        } else {
            (0..self.windows).map(|window| Some(1 << window)).collect()
        }
    }

    /// The usual square over all items: the median of their mean squares, or the mean of these where most are still.
    fn usual_square(&self) -> f64 {
        if self.windows == 0 {
            return 1.0;
        }
        let mean = |past: &[f32]| {
            let (sum, windows) = sum_without(past, 0);
            sum / windows.max(1.0)
        };
        let mut means: Vec<f64> =
            self.past.chunks(self.windows).map(mean).filter(|mean| *mean > 0.0).collect();
        if means.is_empty() {
            return 1.0;
        }
        let middle = means.len() / 2;
        *means.select_nth_unstable_by(middle, f64::total_cmp).1
    }
}

impl Quotients {
    /// Where past windows are shorter than the selection, what wanders went further in it than in them. How much further the items tell to
    /// which nothing happened, and that are most (genomic control, Devlin and Roeder 1999); at most so many times, which is as far
    /// as what goes on and on has come.
    fn stretched(mut self, most: f64) -> Self {
        if most > 1.0 && self.now.len() >= FEWEST {
            let (now, past) = (most_are_below(&self.now), most_are_below(&self.past));
            let further = f64::from(now / past).clamp(1.0, most) as f32;
            if past > 0.0 {
                self.now.iter_mut().for_each(|quotient| *quotient /= further);
            }
        }
        self
    }
}

/// The upper quartile of those that have a value; 0 where none has.
fn most_are_below(quotients: &[f32]) -> f32 {
    let mut known: Vec<f32> = quotients.iter().copied().filter(|quotient| !quotient.is_nan()).collect();
    let place = known.len() * 3 / 4;
    if known.is_empty() { 0.0 } else { *known.select_nth_unstable_by(place, f32::total_cmp).1 }
}

/// The sum of squares of windows but the marked ones and those without a value, and how many these are.
fn sum_without(past: &[f32], marked: u64) -> (f64, f64) {
    let others = past.iter().enumerate().filter(|(window, x)| marked >> window & 1 == 0 && !x.is_nan());
    others.fold((0.0, 0.0), |(sum, windows), (_, x)| (sum + square(*x), windows + 1.0))
}

fn square(x: f32) -> f64 {
    f64::from(x) * f64::from(x)
}

fn quotient(x: f32, scale_square: f64) -> f32 {
    if x == 0.0 { 0.0 } else { (f64::from(x) / scale_square.max(1e-18).sqrt()) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_windows_that_a_past_one_does_not_touch_say_what_is_usual_for_it() {
        let known = |touched: [u64; 8]| {
            let past = vec![1.0; 8];
            let statistic = Statistic {
                now: vec![1.0],
                past,
                windows: 8,
                touched: touched.to_vec(),
                ..Statistic::default()
            };
            statistic.quotients().past.into_iter().map(|quotient| !quotient.is_nan()).collect::<Vec<_>>()
        };
        let (four, six, seven) = (0b1111, 0b0011_1111, 0b0111_1111);
        assert_eq!(known([four, six, six, six, seven, seven, seven, seven])[2..5], [true, true, false]);
        // But not where half of them have more.
        assert_eq!(known([four, four, four, four, six, six, six, six])[3..5], [true, false]);
        // Where no window has any, each is compared with all others.
        assert_eq!(known([seven; 8]), [true; 8]);
    }
}

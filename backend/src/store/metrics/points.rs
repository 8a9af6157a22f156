//! Points of one series: as columns of one day in the store, as columns of unix seconds for who asks.

/// Seconds in a UTC day.
pub(super) const DAY_SECS: i64 = 86_400;

/// A series' points in time order, each second at most once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// Unix seconds, strictly rising.
    pub times: Vec<i64>,
    /// One value a time, never NaN.
    pub values: Vec<f64>,
}

impl Points {
    /// How many points there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Time and value of each point.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, f64)> + '_ {
        self.times.iter().copied().zip(self.values.iter().copied())
    }
}

/// When a series has points, as one part or head of a day or all of them have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Times {
    /// At even distances.
    Even(Even),
    /// Unix seconds, strictly rising.
    Each(Vec<i64>),
}

impl Times {
    /// The first and the last one; `None` of none.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        match self {
            Self::Even(Even { first, step, count }) => {
                let behind = i64::try_from(count.checked_sub(1)?).ok()?;
                Some((*first, first.saturating_add(step.saturating_mul(behind))))
            }
            Self::Each(times) => Some((*times.first()?, *times.last()?)),
        }
    }
}

/// Points at even distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Even {
    /// The first one's unix second.
    pub first: i64,
    /// Seconds from one to the next; 0 where there is only one.
    pub step: i64,
    /// How many there are.
    pub count: usize,
}

/// Points of one series on one day, times as seconds since the day's start: 12 bytes a point.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DayPoints {
    pub(super) times: Vec<u32>,
    pub(super) values: Vec<f64>,
}

impl DayPoints {
    pub(super) fn push(&mut self, time: u32, value: f64) {
        self.times.push(time);
        self.values.push(value);
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    pub(super) fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
    }

    /// Sorts by time and keeps, of several points of one second, the one that arrived last.
    pub(super) fn settle(&mut self) {
        if self.times.is_sorted_by(|a, b| a < b) {
            return;
        }
        let mut order: Vec<u32> = (0..self.times.len() as u32).collect();
        // The sort is stable, so that arrival order holds among equals.
        order.sort_by_key(|at| self.times[*at as usize]);
        let mut settled = Self::default();
        for (at, next) in order.iter().zip(order.iter().skip(1).map(Some).chain([None])) {
            let time = self.times[*at as usize];
            if next.is_none_or(|next| self.times[*next as usize] != time) {
                settled.push(time, self.values[*at as usize]);
            }
        }
        *self = settled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_second_the_last_arrival_stays() {
        let mut points = DayPoints { times: vec![5, 3, 5, 1, 3], values: vec![0.0, 1.0, 2.0, 3.0, 4.0] };
        points.settle();
        assert_eq!(points, DayPoints { times: vec![1, 3, 5], values: vec![3.0, 4.0, 2.0] });
    }
}

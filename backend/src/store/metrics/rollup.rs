//! Rollups: of each bucket of ten minutes or an hour that has points, the least, the greatest, the sum, the number and the
//! last of its values.
//!
//! They stand beside a series' points in the one part of a finished day, so they are of settled points and never of some
//! that a later file takes back. Sums are those of the decimals, so 0.1 ten times is 1.

use super::column::{self, Decimals};
use super::points::DayPoints;

/// The lengths of buckets, in seconds, shortest first. Each divides a day.
pub const STEPS: [u32; 2] = [600, 3_600];

/// Buckets in order of time, as columns of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollup {
    /// The second of the day at which each begins.
    pub starts: Vec<u32>,
    /// The least value.
    pub least: Vec<f64>,
    /// The greatest value.
    pub greatest: Vec<f64>,
    /// The sum of the values.
    pub sums: Vec<f64>,
    /// How many values there are, one at least.
    pub counts: Vec<u32>,
    /// The value that came last.
    pub last: Vec<f64>,
}

impl Rollup {
    /// The buckets of settled points, which are `decimals` if they are any.
    pub(super) fn of(points: &DayPoints, decimals: Option<&Decimals>, step: u32) -> Self {
        let mut rollup = Self::default();
        let mut start = 0;
        while let Some(first) = points.times.get(start) {
            let begin = first / step * step;
            let end = start + points.times[start..].partition_point(|time| *time < begin + step);
            let values = &points.values[start..end];
            let sum = decimals.map_or_else(|| values.iter().sum(), |decimals| decimals.sum(start..end));
            rollup.push(begin, values, sum);
            start = end;
        }
        rollup
    }

    fn push(&mut self, begin: u32, values: &[f64], sum: f64) {
        self.starts.push(begin);
        self.least.push(values.iter().copied().fold(f64::INFINITY, f64::min));
        self.greatest.push(values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        self.sums.push(sum);
        self.counts.push(values.len() as u32);
        self.last.push(values[values.len() - 1]);
    }

    /// Appends the columns, each with its length before it.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let starts: Vec<i64> = self.starts.iter().map(|start| i64::from(*start)).collect();
        let counts: Vec<i64> = self.counts.iter().map(|count| i64::from(*count)).collect();
        out.extend_from_slice(&(starts.len() as u32).to_le_bytes());
        with_length(out, |out| column::encode_whole(&starts, out));
        with_length(out, |out| column::encode_whole(&counts, out));
        for values in [&self.least, &self.greatest, &self.sums, &self.last] {
            with_length(out, |out| column::encode_values(values, out));
        }
    }

    /// Reads what [`Self::encode`] has written and moves on behind it; `None` when it is damaged.
    pub(super) fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let count = u32::from_le_bytes(bytes.split_off(..4)?.try_into().ok()?) as usize;
        let mut whole = || {
            let mut numbers = Vec::with_capacity(count.min(1 << 17));
            column::decode_whole(take_column(bytes)?, count, 0..count, &mut numbers)?;
            numbers.into_iter().map(|number| u32::try_from(number).ok()).collect::<Option<Vec<u32>>>()
        };
        let (starts, counts) = (whole()?, whole()?);
        let mut values = || {
            let mut values = Vec::with_capacity(count.min(1 << 17));
            column::decode_values(take_column(bytes)?, count, 0..count, &mut values)?;
            Some(values)
        };
        let (least, greatest, sums) = (values()?, values()?, values()?);
        Some(Self { starts, counts, least, greatest, sums, last: values()? })
    }
}

/// Puts the length of what is appended before it.
pub(super) fn with_length(out: &mut Vec<u8>, append: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    append(out);
    let len = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&len.to_le_bytes());
}

/// What [`with_length`] has put there, and moves on behind it.
pub(super) fn take_column<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::from_le_bytes(bytes.split_off(..4)?.try_into().ok()?) as usize;
    bytes.split_off(..len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollup_of(points: &DayPoints, step: u32) -> Rollup {
        Rollup::of(points, column::as_decimals(&points.values).as_ref(), step)
    }

    #[test]
    fn buckets_hold_what_their_points_say() {
        let points =
            DayPoints { times: vec![0, 599, 600, 4_000], values: vec![0.1, 0.2, -5.0, f64::INFINITY] };
        let rollup = rollup_of(&points, 600);
        assert_eq!(rollup.starts, [0, 600, 3_600]);
        assert_eq!(rollup.counts, [2, 1, 1]);
        assert_eq!(rollup.least, [0.1, -5.0, f64::INFINITY]);
        assert_eq!(rollup.greatest, [0.2, -5.0, f64::INFINITY]);
        assert_eq!(rollup.last, [0.2, -5.0, f64::INFINITY]);
        let tenths = DayPoints { times: (0..10).collect(), values: vec![0.1; 10] };
        assert_eq!(rollup_of(&tenths, 3_600).sums, [1.0]);
        assert_eq!(rollup_of(&DayPoints::default(), 600), Rollup::default());
    }

    #[test]
    fn what_is_encoded_comes_back_and_what_is_cut_off_does_not() {
        let times: Vec<u32> = (0..8_640).map(|at| at * 10).collect();
        let values = times.iter().map(|time| f64::from(time % 977) / 10.0).collect();
        let rollup = rollup_of(&DayPoints { times, values }, 600);
        let mut bytes = Vec::new();
        rollup.encode(&mut bytes);
        assert_eq!(rollup.starts.len(), 144);
        assert_eq!(Rollup::decode(&mut &bytes[..]), Some(rollup));
        for len in 0..bytes.len() {
            assert_eq!(Rollup::decode(&mut &bytes[..len]), None, "{len} bytes");
        }
    }
}

//! The columns of a series in a part: its times, told by the first and the distance where they lie at even ones, and values.

use crate::store::metrics::column;
use crate::store::metrics::points::DayPoints;
use crate::store::metrics::rollup::take_column;
use crate::store::metrics::wal::le_u32;
use std::ops::Range;

/// Times at even distances.
const EVEN: u8 = 0;
/// Times as a column of whole numbers.
const UNEVEN: u8 = 1;

/// Columns of the version before: times (u32), then values (f64).
pub(super) fn read_plain(data: &[u8], count: usize, seconds: Range<u32>, out: &mut DayPoints) -> Option<()> {
    let (times, values) = data.split_at_checked(count * 4)?;
    let (times, values) = (times.as_chunks::<4>().0, values.as_chunks::<8>().0);
    let start = times.partition_point(|time| u32::from_le_bytes(*time) < seconds.start);
    let end = times.partition_point(|time| u32::from_le_bytes(*time) < seconds.end);
    out.times.extend(times[start..end].iter().map(|time| u32::from_le_bytes(*time)));
    out.values.extend(values.get(start..end)?.iter().map(|value| f64::from_le_bytes(*value)));
    Some(())
}

pub(super) fn read_columns(
    mut data: &[u8],
    count: usize,
    seconds: Range<u32>,
    out: &mut DayPoints,
) -> Option<()> {
    let times = take_column(&mut data)?;
    let rows = read_times(times, count, seconds, &mut out.times)?;
    column::decode_values(take_column(&mut data)?, count, rows, &mut out.values)
}

/// Adds the times of a range; which rows these are.
fn read_times(times: &[u8], count: usize, seconds: Range<u32>, out: &mut Vec<u32>) -> Option<Range<usize>> {
    if let Some((first, step)) = read_even(times) {
        // How many of them lie before a second.
        let before = |second: u32| match second.checked_sub(first) {
            None => 0,
            Some(distance) => (distance.div_ceil(step.max(1)) as usize).min(count),
        };
        let rows = before(seconds.start)..before(seconds.end);
        out.extend(rows.clone().map(|row| first.wrapping_add((row as u32).wrapping_mul(step))));
        return Some(rows);
    }
    let mut numbers = Vec::with_capacity(count.min(1 << 17));
    column::decode_whole(times.strip_prefix(&[UNEVEN])?, count, 0..count, &mut numbers)?;
    let before = |second: u32| numbers.partition_point(|time| *time < i64::from(second));
    let rows = before(seconds.start)..before(seconds.end);
    out.extend(numbers[rows.clone()].iter().map(|time| *time as u32));
    Some(rows)
}

/// The first of even times and their distance.
pub(super) fn read_even(times: &[u8]) -> Option<(u32, u32)> {
    let times = times.strip_prefix(&[EVEN])?;
    Some((le_u32(times.get(..4)?), le_u32(times.get(4..8)?)))
}

pub(super) fn write_times(times: &[u32], out: &mut Vec<u8>) {
    let step = times.get(1).map_or(0, |second| second - times[0]);
    if times.windows(2).all(|pair| pair[1] - pair[0] == step) {
        out.push(EVEN);
        out.extend_from_slice(&times[0].to_le_bytes());
        out.extend_from_slice(&step.to_le_bytes());
        return;
    }
    out.push(UNEVEN);
    let times: Vec<i64> = times.iter().map(|time| i64::from(*time)).collect();
    column::encode_whole(&times, out);
}

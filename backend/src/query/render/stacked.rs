//! Columns for drawing series on top of each other.
//!
//! Sums are made of all points and only then reduced: what is highest of a sum need not be highest of any of its parts, so a
//! page that adds up what was reduced for each alone would miss it.

use super::evaluated::column;
use crate::functions::series::Series;
use crate::functions::{FunctionError, MAX_VALUES};
use sonde_shared::api::{Columns, encode_columns};
use sonde_shared::chart::stack::{most_values, stacked};
use sonde_shared::time::TimeRange;

/// A gap of so many slots is none, as for lines: their points are up to three steps apart.
const BRIDGED: usize = 2;

/// The columns of each series, then, in the same order, of each together with all below it. A series of the right axis stands on
/// no other.
pub fn stacked_columns(
    series: &[Series],
    range: TimeRange,
    width: Option<usize>,
) -> Result<Vec<u8>, FunctionError> {
    let whole: Vec<Columns> = series.iter().map(|one| bridged(column(one, range, None))).collect();
    let standing: Vec<usize> = (0..series.len()).filter(|index| !series[*index].look.is_right).collect();
    let parts: Vec<&Columns> = standing.iter().map(|index| &whole[*index]).collect();
    let values = most_values(&parts);
    if values > MAX_VALUES {
        return Err(FunctionError::Fetch(format!(
            "a stack of {} series would have {values} values, more than {MAX_VALUES}; ask for fewer series or a shorter range",
            parts.len()
        )));
    }
    let mut sums: Vec<Columns> = series.iter().map(|one| column(one, range, width)).collect();
    let mut all = sums.clone();
    for (index, sum) in standing.iter().zip(stacked(&parts)) {
        sums[*index] = super::evaluated::reduced(sum, range, width);
    }
    all.append(&mut sums);
    Ok(encode_columns(&all))
}

/// A series without its short gaps, over which a line is drawn.
fn bridged(mut column: Columns) -> Columns {
    let mut is_kept = vec![true; column.values.len()];
    let mut from = 0;
    for end in 0..=column.values.len() {
        if column.values.get(end).is_some_and(|value| value.is_nan()) {
            continue;
        }
        if end - from <= BRIDGED {
            is_kept[from..end].fill(false);
        }
        from = end + 1;
    }
    let mut kept = is_kept.iter();
    column.times_ms.retain(|_| *kept.next().unwrap_or(&true));
    let mut kept = is_kept.iter();
    column.values.retain(|_| *kept.next().unwrap_or(&true));
    column
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::api::decode_columns;
    use sonde_shared::time::Timestamp;

    fn answer(series: &[Series], seconds: i64, width: Option<usize>) -> Vec<Columns> {
        let range = TimeRange::between(Timestamp::from_secs(0), Timestamp::from_secs(seconds));
        decode_columns(&stacked_columns(series, range, width).unwrap()).unwrap()
    }

    #[test]
    fn each_series_comes_alone_and_with_all_below_it() {
        let a = Series::new("a", 0, 10, vec![1.0, 2.0]);
        let right = Series::new("r", 0, 10, vec![7.0, 7.0]).looking(|look| look.is_right = true);
        let b = Series::new("b", 0, 10, vec![10.0, 20.0]);
        let found = answer(&[a, right, b], 100, None);
        let values: Vec<&[f64]> = found.iter().map(|one| one.values.as_slice()).collect();
        let expected: [&[f64]; 6] =
            [&[1.0, 2.0], &[7.0, 7.0], &[10.0, 20.0], &[1.0, 2.0], &[7.0, 7.0], &[11.0, 22.0]];
        assert_eq!(values, expected);
        assert_eq!(found[5].name, "b");
    }

    #[test]
    fn a_spike_of_the_sum_alone_is_kept() {
        let part = |own: usize| {
            let value = move |at: usize| match at {
                4_050 => 90.0,
                at if at == 4_060 + own => 100.0,
                _ => 5.0,
            };
            Series::new("s", 0, 10, (0..10_000).map(value).collect())
        };
        let found = answer(&[part(0), part(1)], 100_000, Some(50));
        assert!(found.iter().all(|one| one.values.len() <= 300));
        let highest = |one: &Columns| one.values.iter().copied().reduce(f64::max);
        assert_eq!((highest(&found[3]), highest(&found[1])), (Some(180.0), Some(100.0)));
    }

    #[test]
    fn a_slot_or_two_that_are_missing_are_no_dip() {
        let gap = f64::NAN;
        let a = Series::new("a", 0, 10, vec![4.0, gap, gap, 1.0, gap, gap, gap, 2.0, gap]);
        let b = Series::new("b", 0, 10, vec![10.0; 9]);
        let sum = answer(&[a, b], 100, None).remove(3);
        assert_eq!(sum.values, [14.0, 13.0, 12.0, 11.0, 10.0, 10.0, 10.0, 12.0, 10.0]);
    }
}

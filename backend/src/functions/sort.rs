//! Functions that put series in another order. Those that are equal in it stay as they were.

use super::aggregate::Aggregate;
use super::call::Call;
use super::registry::{Answer, Function, Group, Param, ParamKind, SERIES};
use super::series::Series;

const REVERSE: Param = Param::optional("reverse", ParamKind::Boolean);

const GROUP: Group = Group("Sorting");

pub(super) const FUNCTIONS: &[Function] = &[
    GROUP.function(
        &["sortBy"],
        &[SERIES, Param::optional("func", ParamKind::AggFunc), REVERSE],
        "By the value that `func` makes of each series, the mean unless it is given; the least first, or the greatest.",
        |call| {
            let by = call.text(1)?.map_or(Ok(Aggregate::Average), |name| Aggregate::of(call, &name))?;
            let is_falling = call.truth(2)?.unwrap_or(false);
            Ok(sorted_by(call.series(0)?, is_falling, |one| by.of_column(&one.values)))
        },
    ),
    GROUP.function(
        &["sortByName"],
        &[SERIES, Param::optional("natural", ParamKind::Boolean), REVERSE],
        "By name; if `natural`, numbers in it count by their size, so that 10 stands behind 9.",
        sort_by_name,
    ),
    GROUP.function(&["sortByMaxima"], &[SERIES], "By the greatest value, the greatest first.", |call| {
        Ok(sorted_by(call.series(0)?, true, |one| Aggregate::Max.apply(&one.values)))
    }),
    GROUP.function(
        &["sortByMinima"],
        &[SERIES],
        "By the least value, the least first, without the series that are never above 0.",
        |call| {
            let mut series = call.series(0)?;
            series.retain(|one| one.known().any(|value| value > 0.0));
            Ok(sorted_by(series, false, |one| Aggregate::Min.apply(&one.values)))
        },
    ),
    GROUP.function(&["sortByTotal"], &[SERIES], "By the sum of the values, the greatest first.", |call| {
        Ok(sorted_by(call.series(0)?, true, |one| Aggregate::Sum.apply(&one.values)))
    }),
];

/// Sorted by a value of each; none counts as the least.
pub(super) fn sorted_by(
    series: Vec<Series>,
    is_falling: bool,
    value: impl Fn(&Series) -> f64,
) -> Vec<Series> {
    let value = |one: Series| {
        let value = value(&one);
        (if value.is_nan() { f64::NEG_INFINITY } else { value + 0.0 }, one)
    };
    let mut valued: Vec<(f64, Series)> = series.into_iter().map(value).collect();
    valued.sort_by(|(a, _), (b, _)| if is_falling { b.total_cmp(a) } else { a.total_cmp(b) });
    valued.into_iter().map(|(_, one)| one).collect()
}

fn sort_by_name(call: &Call<'_>) -> Answer {
    let (mut series, is_natural) = (call.series(0)?, call.truth(1)?.unwrap_or(false));
    let key = |one: &Series| if is_natural { natural(&one.name) } else { one.name.clone() };
    if call.truth(2)?.unwrap_or(false) {
        series.sort_by_cached_key(|one| std::cmp::Reverse(key(one)));
    } else {
        series.sort_by_cached_key(key);
    }
    Ok(series)
}

/// A name in which each number has ten digits at least.
fn natural(name: &str) -> String {
    let (mut out, mut rest) = (String::new(), name);
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        let number = &rest[at..];
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let digits = number[..end].trim_start_matches('0');
        out.extend(std::iter::repeat_n('0', 10_usize.saturating_sub(digits.len())));
        out.push_str(digits);
        rest = &number[end..];
    }
    out + rest
}

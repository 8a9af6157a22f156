//! Functions that leave series out, or values of them.

use super::FunctionError;
use super::aggregate::{Aggregate, is_enough, percentile};
use super::call::Call;
use super::format::general;
use super::nodes::range;
use super::pattern::Pattern;
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::series::Series;
use super::sort::sorted_by;
use std::cmp::Ordering;
use std::collections::HashSet;

const N: Param = Param::needed("n", ParamKind::Float);
const COUNT: Param = Param::needed("n", ParamKind::Integer);
const PATTERN: Param = Param::needed("pattern", ParamKind::Text);
const FUNC: Param = Param::optional("func", ParamKind::AggFunc);
const XFF: Param = Param::optional("xFilesFactor", ParamKind::Float);

macro_rules! function {
    ($name:expr, $parameters:expr, $run:expr, $about:expr) => {
        function!("Filter Series", $name, $parameters, $run, $about)
    };
    ($group:expr, $name:expr, $parameters:expr, $run:expr, $about:expr) => {
        Function { names: &[$name], group: $group, parameters: $parameters, about: $about, run: $run }
    };
}

macro_rules! threshold {
    ($name:expr, $by:ident, $operator:expr, $about:expr) => {
        function!(
            $name,
            &[SERIES, N],
            |call| than(call, Aggregate::$by, $operator, call.needed_number(1)?),
            $about
        )
    };
}

macro_rules! most {
    ($name:expr, $by:ident, $is_highest:expr, $about:expr) => {
        function!($name, &[SERIES, COUNT], |call| most(call, Aggregate::$by, $is_highest), $about)
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    threshold!("averageAbove", Average, ">", "The series whose mean is above n."),
    threshold!("averageBelow", Average, "<=", "The series whose mean is not above n."),
    threshold!("currentAbove", Last, ">", "The series whose last value is above n."),
    threshold!("currentBelow", Last, "<=", "The series whose last value is not above n."),
    threshold!("maximumAbove", Max, ">", "The series whose greatest value is above n."),
    threshold!("maximumBelow", Max, "<=", "The series none of whose values is above n."),
    threshold!("minimumAbove", Min, ">", "The series all of whose values are above n."),
    threshold!("minimumBelow", Min, "<=", "The series whose least value is not above n."),
    most!("highestAverage", Average, true, "The n series with the greatest means."),
    most!("highestCurrent", Last, true, "The n series with the greatest last values."),
    most!("highestMax", Max, true, "The n series with the greatest values."),
    most!("lowestAverage", Average, false, "The n series with the least means."),
    most!("lowestCurrent", Last, false, "The n series with the least last values."),
    function!(
        "highest",
        &[SERIES, Param::optional("n", ParamKind::Integer), FUNC],
        |call| most(call, way(call, 2)?, true),
        "The n series that are the greatest by `func`; one, by the mean, where these are not given."
    ),
    function!(
        "lowest",
        &[SERIES, Param::optional("n", ParamKind::Integer), FUNC],
        |call| most(call, way(call, 2)?, false),
        "The n series that are the least by `func`; one, by the mean, where these are not given."
    ),
    function!(
        "filterSeries",
        &[
            SERIES,
            Param::needed("func", ParamKind::AggFunc),
            Param::needed("operator", ParamKind::Text),
            Param::needed("threshold", ParamKind::Float)
        ],
        |call| than(call, way(call, 1)?, &call.needed_text(2)?, call.needed_number(3)?),
        "The series that, put together by `func`, are `=`, `!=`, `>`, `>=`, `<` or `<=` the threshold."
    ),
    function!("limit", &[SERIES, COUNT], limit, "The first n series."),
    function!(
        "mostDeviant",
        &[SERIES, COUNT],
        most_deviant,
        "The n series that vary most about their mean, the one that does most first."
    ),
    function!(
        "averageOutsidePercentile",
        &[SERIES, N],
        average_outside_percentile,
        "The series whose mean is not between the n-th and the (100 − n)-th percentile of all means."
    ),
    function!(
        "removeBetweenPercentile",
        &[SERIES, N],
        remove_between_percentile,
        "The series that at some moment are not between the n-th and the (100 − n)-th percentile of all values then."
    ),
    function!(
        "grep",
        &[SERIES, PATTERN],
        |call| matching(call, true),
        "The series whose name the regular expression finds."
    ),
    function!(
        "exclude",
        &[SERIES, PATTERN],
        |call| matching(call, false),
        "The series whose name the regular expression does not find."
    ),
    function!(
        "removeEmptySeries",
        &[SERIES, XFF],
        remove_empty,
        "The series that have a value, or at least this part of all values."
    ),
    function!(
        "unique",
        &[Param::needed("seriesLists", ParamKind::SeriesList).repeated()],
        unique,
        "The first series of each name."
    ),
    function!(
        "useSeriesAbove",
        &[
            SERIES,
            Param::needed("value", ParamKind::Float),
            Param::needed("search", ParamKind::Text),
            Param::needed("replace", ParamKind::Text)
        ],
        use_series_above,
        "Of each series that is ever above the value, another one: what its name is when a regular expression's matches \
         are replaced in it."
    ),
    function!(
        "Filter Data",
        "removeAboveValue",
        &[SERIES, N],
        |call| cut_off(call, |value, n| value > n),
        "Without the values above n."
    ),
    function!(
        "Filter Data",
        "removeBelowValue",
        &[SERIES, N],
        |call| cut_off(call, |value, n| value < n),
        "Without the values below n."
    ),
    function!(
        "Filter Data",
        "removeAbovePercentile",
        &[SERIES, N],
        |call| cut_off_percentile(call, |value, n| value > n),
        "Each series without its values above its own n-th percentile."
    ),
    function!(
        "Filter Data",
        "removeBelowPercentile",
        &[SERIES, N],
        |call| cut_off_percentile(call, |value, n| value < n),
        "Each series without its values below its own n-th percentile."
    ),
];

/// The way to put values together that an argument names, else the mean.
fn way(call: &Call<'_>, at: usize) -> Result<Aggregate, FunctionError> {
    call.text(at)?.map_or(Ok(Aggregate::Average), |name| Aggregate::of(call, &name))
}

fn filtered(call: &Call<'_>, is_kept: impl FnMut(&Series) -> bool) -> Answer {
    let mut series = call.series(0)?;
    series.retain(is_kept);
    Ok(series)
}

/// The series whose one value compares so. None at all is less than any.
fn than(call: &Call<'_>, by: Aggregate, operator: &str, threshold: f64) -> Answer {
    let is_kept: fn(Option<Ordering>) -> bool = match operator {
        "=" => |order| order == Some(Ordering::Equal),
        "!=" => |order| order != Some(Ordering::Equal),
        ">" => |order| order == Some(Ordering::Greater),
        ">=" => |order| matches!(order, Some(Ordering::Equal | Ordering::Greater)),
        "<" => |order| matches!(order, None | Some(Ordering::Less)),
        "<=" => |order| order != Some(Ordering::Greater),
        other => return Err(call.wrong(format!("`{other}` is none of =, !=, >, >=, <, <="))),
    };
    filtered(call, |one| is_kept(by.of_column(&one.values).partial_cmp(&threshold)))
}

fn first(mut series: Vec<Series>, count: i64) -> Vec<Series> {
    series.truncate(range(series.len(), 0, count).end);
    series
}

fn most(call: &Call<'_>, by: Aggregate, is_highest: bool) -> Answer {
    let count = call.number(1)?.unwrap_or(1.0) as i64;
    Ok(first(sorted_by(call.series(0)?, is_highest, |one| by.of_column(&one.values)), count))
}

fn limit(call: &Call<'_>) -> Answer {
    let count = call.whole(1)?.ok_or_else(|| call.wrong("`n` is missing"))?;
    Ok(first(call.series(0)?, count))
}

fn most_deviant(call: &Call<'_>) -> Answer {
    let count = call.whole(1)?.ok_or_else(|| call.wrong("`n` is missing"))?;
    let known = filtered(call, |one| one.known().next().is_some())?;
    Ok(first(sorted_by(known, true, |one| Aggregate::StdDev.apply(&one.values)), count))
}

/// Two percentiles as far from both ends.
fn percentiles(values: &[f64], n: f64) -> (f64, f64) {
    let high = if n < 50.0 { 100.0 - n } else { n };
    (percentile(values, 100.0 - high, false), percentile(values, high, false))
}

fn average_outside_percentile(call: &Call<'_>) -> Answer {
    let (series, n) = (call.series(0)?, call.needed_number(1)?);
    let average = |one: &Series| Aggregate::Average.apply(&one.values);
    let averages: Vec<f64> = series.iter().map(average).collect();
    let (low, high) = percentiles(&averages, n);
    // A series without a value has no mean that could be outside.
    let is_outside = |mean: f64| mean <= low || mean >= high;
    Ok(series.into_iter().zip(averages).filter(|(_, mean)| is_outside(*mean)).map(|(one, _)| one).collect())
}

fn remove_between_percentile(call: &Call<'_>) -> Answer {
    let (series, n) = (call.series(0)?, call.needed_number(1)?);
    let mut is_outside = vec![false; series.len()];
    let len = series.iter().map(|one| one.values.len()).max().unwrap_or(0);
    for moment in 0..len {
        let at = |one: &Series| one.values.get(moment).copied().unwrap_or(f64::NAN);
        let row: Vec<f64> = series.iter().map(at).collect();
        let (low, high) = percentiles(&row, n);
        for (is_outside, value) in is_outside.iter_mut().zip(row) {
            *is_outside |= value <= low || value >= high;
        }
    }
    Ok(series.into_iter().zip(is_outside).filter(|(_, is_outside)| *is_outside).map(|(one, _)| one).collect())
}

fn matching(call: &Call<'_>, is_wanted: bool) -> Answer {
    let pattern = Pattern::of(call, 1)?;
    filtered(call, |one| pattern.is_in(&one.name) == is_wanted)
}

fn remove_empty(call: &Call<'_>) -> Answer {
    let least = call.number(1)?.unwrap_or(0.0);
    filtered(call, |one| is_enough(&one.values, least))
}

fn unique(call: &Call<'_>) -> Answer {
    let (mut series, mut seen) = (call.all_series(0)?, HashSet::new());
    series.retain(|one| seen.insert(one.name.clone()));
    Ok(series)
}

fn use_series_above(call: &Call<'_>) -> Answer {
    let least = call.needed_number(1)?;
    let pattern = Pattern::of(call, 2)?;
    let replacement = pattern.replacement(3)?;
    let mut found = Vec::new();
    for one in call.series(0)?.iter().filter(|one| one.known().any(|value| value > least)) {
        found.append(&mut call.evaluate(&pattern.replace(&one.name, &replacement)?)?);
    }
    found.retain(|one| !one.values.is_empty());
    Ok(found)
}

/// Known values become null where they compare so with a number.
fn without(series: Series, is_cut: fn(f64, f64) -> bool, than: f64) -> Series {
    series.map(|value| if is_cut(value, than) { f64::NAN } else { value })
}

fn cut_off(call: &Call<'_>, is_cut: fn(f64, f64) -> bool) -> Answer {
    let n = call.needed_number(1)?;
    let series = call.series(0)?.into_iter();
    let one = |one: Series| {
        let name = format!("{}({}, {})", call.name(), one.name, general(n));
        without(one, is_cut, n).wrapped(name)
    };
    Ok(series.map(one).collect())
}

fn cut_off_percentile(call: &Call<'_>, is_cut: fn(f64, f64) -> bool) -> Answer {
    let n = call.needed_number(1)?;
    if n == 0.0 {
        return Err(call.wrong("the percentile has to be greater than 0"));
    }
    let series = call.series(0)?.into_iter();
    let one = |one: Series| {
        let name = format!("{}({}, {})", call.name(), one.name, general(n));
        let limit = percentile(&one.values, n, false);
        let one = without(one, is_cut, limit).wrapped(name);
        if limit.is_nan() { one } else { one.tagged("nPercentile", super::format::plain(n)) }
    };
    Ok(series.map(one).collect())
}

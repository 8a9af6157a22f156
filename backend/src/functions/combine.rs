//! Functions that make one series of several: sums, means, extremes, shares, groups.

use super::aggregate::{Aggregate, is_enough, percentile};
use super::align::{Aligned, Span};
use super::call::Call;
use super::format::general;
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::series::Series;

const LISTS: Param = Param::needed("seriesLists", ParamKind::SeriesList).repeated();

macro_rules! of_lists {
    ($names:expr, $by:expr, $about:expr) => {
        Function {
            names: $names,
            group: "Combine",
            parameters: &[LISTS],
            about: $about,
            run: |call| aggregated(call, $by),
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["aggregate"],
        group: "Combine",
        parameters: &[
            SERIES,
            Param::needed("func", ParamKind::AggFunc),
            Param::optional("xFilesFactor", ParamKind::Float),
        ],
        about: "One series of all, their values of each moment put together in the named way.",
        run: aggregate,
    },
    of_lists!(&["sumSeries", "sum"], "sum", "The sum of all series."),
    of_lists!(&["averageSeries", "avg"], "average", "The mean of all series."),
    of_lists!(&["minSeries"], "min", "The least of all series."),
    of_lists!(&["maxSeries"], "max", "The greatest of all series."),
    of_lists!(&["diffSeries"], "diff", "The first series less all others."),
    of_lists!(&["multiplySeries"], "multiply", "The product of all series."),
    of_lists!(&["rangeOfSeries"], "rangeOf", "The greatest less the least of all series."),
    of_lists!(&["stddevSeries"], "stddev", "The standard deviation of all series."),
    Function {
        names: &["group"],
        group: "Combine",
        parameters: &[Param::optional("seriesLists", ParamKind::SeriesList).repeated()],
        about: "All series in one list.",
        run: |call| call.all_series(0),
    },
    Function {
        names: &["percentileOfSeries"],
        group: "Combine",
        parameters: &[
            SERIES,
            Param::needed("n", ParamKind::Float),
            Param::optional("interpolate", ParamKind::Boolean),
        ],
        about: "At each moment the value that n percent of the series are not above.",
        run: percentile_of_series,
    },
    Function {
        names: &["countSeries"],
        group: "Combine",
        parameters: &[Param::optional("seriesLists", ParamKind::SeriesList).repeated()],
        about: "How many series there are.",
        run: count_series,
    },
    Function {
        names: &["powSeries"],
        group: "Combine",
        parameters: &[Param::needed("seriesList", ParamKind::SeriesList).repeated()],
        about: "The first series to the power of the second, that to the power of the third, and so on.",
        run: pow_series,
    },
];

fn aggregate(call: &Call<'_>) -> Answer {
    let name = call.text(1)?.unwrap_or_default();
    let short = name.strip_suffix("Series").unwrap_or(&name).to_owned();
    let by = Aggregate::of(call, &short)?;
    let series = call.series(0)?;
    Ok(one_of(&series, &short, by, call.number(2)?.or(call.context.x_files_factor)).into_iter().collect())
}

fn aggregated(call: &Call<'_>, by: &str) -> Answer {
    let series = call.all_series(0)?;
    let way = Aggregate::of(call, by)?;
    // The product of one is that one, under its own name.
    if series.len() == 1 && way == Aggregate::Multiply {
        return Ok(series);
    }
    Ok(one_of(&series, by, way, call.context.x_files_factor).into_iter().collect())
}

/// One series of several, called `nameSeries(paths)`; `None` of none.
pub(super) fn one_of(
    series: &[Series],
    name: &str,
    by: Aggregate,
    x_files_factor: Option<f64>,
) -> Option<Series> {
    let aligned = Aligned::of(series)?;
    let least = x_files_factor.unwrap_or(0.0);
    let values = aligned.each_moment(|row| if is_enough(row, least) { by.apply(row) } else { f64::NAN });
    let title = format!("{name}Series({})", paths_of(series));
    let mut made = Series::new(title.clone(), aligned.start, aligned.step, values);
    made.end = aligned.end;
    made.x_files_factor = least;
    made.tags = shared_tags(series);
    made.tags.entry("name".to_owned()).or_insert(title);
    Some(made.tagged("aggregatedBy", name))
}

/// The tags that all series have with the same value.
pub(super) fn shared_tags(series: &[Series]) -> std::collections::BTreeMap<String, String> {
    let Some((first, others)) = series.split_first() else { return std::collections::BTreeMap::new() };
    let mut tags = first.tags.clone();
    tags.retain(|key, value| others.iter().all(|other| other.tags.get(key) == Some(value)));
    tags
}

/// The paths that series were asked for by, each once.
pub(super) fn paths_of(series: &[Series]) -> String {
    let mut paths: Vec<&str> = Vec::new();
    for one in series {
        if !paths.contains(&one.path_expression.as_str()) {
            paths.push(&one.path_expression);
        }
    }
    paths.join(",")
}

fn percentile_of_series(call: &Call<'_>) -> Answer {
    let percent = call.needed_number(1)?;
    if percent <= 0.0 {
        return Err(call.wrong("the percentile has to be greater than 0"));
    }
    let (series, is_interpolated) = (call.series(0)?, call.truth(2)?.unwrap_or(false));
    let Some(aligned) = Aligned::of(&series) else { return Ok(Vec::new()) };
    let values = aligned.each_moment(|row| percentile(row, percent, is_interpolated));
    let name = format!("percentileOfSeries({},{})", series[0].path_expression, general(percent));
    Ok(vec![call.context.made(name, aligned.span(), values)])
}

/// As many at each moment, known or not; of no list at all a line at 0.
fn count_series(call: &Call<'_>) -> Answer {
    if call.count() == 0 {
        return Ok(vec![Series { path_expression: "countSeries()".to_owned(), ..line(call, 0.0, "0") }]);
    }
    let series = call.all_series(0)?;
    let Some(aligned) = Aligned::of(&series) else { return Ok(Vec::new()) };
    let values = aligned.each_moment(|row| row.len() as f64);
    Ok(vec![call.context.made(format!("countSeries({})", paths_of(&series)), aligned.span(), values)])
}

fn pow_series(call: &Call<'_>) -> Answer {
    let series = call.all_series(0)?;
    let Some(aligned) = Aligned::of(&series) else { return Ok(Vec::new()) };
    // A power that is no number, or too large to be one, is not known, and nothing that is made of it: not even its power of 0.
    let power = |value: f64, exponent: f64| {
        let power = value.powf(exponent);
        let is_known = !value.is_nan()
            && !exponent.is_nan()
            && (power.is_finite() || value.is_infinite() || exponent.is_infinite());
        if is_known { power } else { f64::NAN }
    };
    let values = aligned.each_moment(|row| row.iter().copied().reduce(power).unwrap_or(f64::NAN));
    let names: Vec<&str> = series.iter().map(|one| one.name.as_str()).collect();
    Ok(vec![call.context.made(format!("powSeries({})", names.join(",")), aligned.span(), values)])
}

/// Three values from one end of the range to the other.
fn line(call: &Call<'_>, value: f64, name: &str) -> Series {
    let (start, end) = (call.context.from, call.context.until);
    call.context.made(name, Span { start, end, step: ((end - start) / 2).max(1) }, vec![value; 3])
}

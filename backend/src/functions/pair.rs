//! Functions of two lists of series: quotients, weighted means, sums pair by pair.

use super::FunctionError;
use super::aggregate::Aggregate;
use super::align::Aligned;
use super::call::Call;
use super::combine::one_of;
use super::nodes::{Node, grouped, key};
use super::registry::{Answer, Function, Group, Param, ParamKind};
use super::series::Series;
use std::collections::{BTreeSet, HashMap};

const FIRST: Param = Param::needed("seriesListFirstPos", ParamKind::SeriesList);
const SECOND: Param = Param::needed("seriesListSecondPos", ParamKind::SeriesList);

const GROUP: Group = Group("Combine");

pub(super) const FUNCTIONS: &[Function] = &[
    GROUP.function(
        &["divideSeries"],
        &[
            Param::needed("dividendSeriesList", ParamKind::SeriesList),
            Param::needed("divisorSeries", ParamKind::SeriesList),
        ],
        "Each series divided by one.",
        divide,
    ),
    GROUP.function(
        &["divideSeriesLists"],
        &[
            Param::needed("dividendSeriesList", ParamKind::SeriesList),
            Param::needed("divisorSeriesList", ParamKind::SeriesList),
        ],
        "The first series of one list divided by the first of another, the second by the second, and so on.",
        |call| {
            let quotient = |(one, by): &(Series, Series)| quotient(call, one, by);
            Ok(pairs(call)?.iter().map(quotient).collect())
        },
    ),
    GROUP.function(
        &["aggregateSeriesLists"],
        &[
            FIRST,
            SECOND,
            Param::needed("func", ParamKind::AggFunc),
            Param::optional("xFilesFactor", ParamKind::Float),
        ],
        "The first series of both lists put together, the second of both, and so on.",
        |call| lists(call, &call.needed_text(2)?, call.number(3)?),
    ),
    GROUP.function(
        &["sumSeriesLists"],
        &[FIRST, SECOND],
        "The sums of the first series of both lists, of the second, and so on.",
        |call| lists(call, "sum", None),
    ),
    GROUP.function(
        &["diffSeriesLists"],
        &[FIRST, SECOND],
        "The first series of one list less the first of another, the second less the second, and so on.",
        |call| lists(call, "diff", None),
    ),
    GROUP.function(
        &["multiplySeriesLists"],
        &[FIRST, SECOND],
        "The products of the first series of both lists, of the second, and so on.",
        |call| lists(call, "multiply", None),
    ),
    GROUP.function(
        &["weightedAverage"],
        &[
            Param::needed("seriesListAvg", ParamKind::SeriesList),
            Param::needed("seriesListWeight", ParamKind::SeriesList),
            Param::optional("nodes", ParamKind::NodeOrTag).repeated(),
        ],
        "The mean of the series of one list in which each weighs as much as the one of another list with the same nodes says.",
        weighted_average,
    ),
];

/// Nothing divided by nothing, or by 0, is nothing.
pub(super) fn ratio(value: f64, by: f64) -> f64 {
    if by == 0.0 { f64::NAN } else { value / by }
}

/// A series of two, moment by moment.
pub(super) fn of_two(
    call: &Call<'_>,
    name: String,
    one: &Series,
    other: &Series,
    value: fn(f64, f64) -> f64,
) -> Series {
    let aligned = Aligned::of([one, other]).expect("two series are some");
    call.context.made(name, aligned.span(), aligned.each_moment(|row| value(row[0], row[1])))
}

fn quotient(call: &Call<'_>, one: &Series, by: &Series) -> Series {
    of_two(call, format!("divideSeries({},{})", one.name, by.name), one, by, ratio)
}

fn divide(call: &Call<'_>) -> Answer {
    let (series, by) = (call.series(0)?.into_iter(), call.series(1)?);
    match by.as_slice() {
        [] => {
            let none = |one: Series| {
                let name = format!("divideSeries({},MISSING)", one.name);
                one.wrapped(name).map(|_| f64::NAN)
            };
            Ok(series.map(none).collect())
        }
        [by] => Ok(series.map(|one| quotient(call, &one, by)).collect()),
        more => Err(call.wrong(format!("`divisorSeries` has to be one series, not {}", more.len()))),
    }
}

/// The series of the first two arguments, which have to be as many.
fn pairs(call: &Call<'_>) -> Result<Vec<(Series, Series)>, FunctionError> {
    let (first, second) = (call.series(0)?, call.series(1)?);
    if first.len() != second.len() {
        let (first, second) = (first.len(), second.len());
        return Err(call.wrong(format!("its lists have to be equally long, not {first} and {second} series")));
    }
    Ok(first.into_iter().zip(second).collect())
}

fn lists(call: &Call<'_>, func: &str, x_files_factor: Option<f64>) -> Answer {
    let name = func.strip_suffix("Series").unwrap_or(func);
    let by = Aggregate::of(call, name)?;
    let x_files_factor = x_files_factor.or(call.context.x_files_factor);
    let one = |(first, second): (Series, Series)| {
        let title = format!("{name}Series({},{})", first.name, second.name);
        one_of(&[first, second], name, by, x_files_factor).map(|one| one.named(title))
    };
    Ok(pairs(call)?.into_iter().filter_map(one).collect())
}

fn weighted_average(call: &Call<'_>) -> Answer {
    let (series, weights): (Vec<Series>, Vec<Series>) = pairs(call)?.into_iter().unzip();
    let nodes = Node::all(call, 2)?;
    let weight_of: HashMap<String, &Series> = weights.iter().map(|one| (key(one, &nodes), one)).collect();
    let product = |(key, group): (String, Vec<Series>)| {
        // The last one of a key counts.
        let aligned = Aligned::of([group.last()?, weight_of.get(&key)?])?;
        Some(call.context.made("product", aligned.span(), aligned.each_moment(|row| row[0] * row[1])))
    };
    let products: Vec<Series> =
        grouped(series.clone(), |one| key(one, &nodes)).into_iter().filter_map(product).collect();
    let sum = |series: &[Series]| one_of(series, "sum", Aggregate::Sum, call.context.x_files_factor);
    let (Some(sum_of_products), Some(sum_of_weights)) = (sum(&products), sum(&weights)) else {
        return Ok(Vec::new());
    };
    let sorted = |series: &[Series]| {
        let paths: BTreeSet<&str> = series.iter().map(|one| one.path_expression.as_str()).collect();
        paths.into_iter().collect::<Vec<_>>().join(",")
    };
    let nodes = nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let name = format!("weightedAverage({}, {}, {nodes})", sorted(&series), sorted(&weights));
    Ok(vec![of_two(call, name, &sum_of_products, &sum_of_weights, ratio)])
}

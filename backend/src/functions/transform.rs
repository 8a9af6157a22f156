//! Functions that change each value by itself: factors, powers, logarithms, rounding, what stands for nulls.

use super::FunctionError;
use super::call::{Call, Value};
use super::format::{general, plain};
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::rounding::round;
use super::series::Series;

const FACTOR: Param = Param::needed("factor", ParamKind::Float);

macro_rules! transform {
    ($name:literal, [$($more:expr),*], $run:expr, $about:literal) => {
        Function {
            names: &[$name],
            group: "Transform",
            parameters: &[SERIES, $($more),*],
            about: $about,
            run: $run,
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    transform!("scale", [FACTOR], scale, "Each value times the factor."),
    transform!("offset", [FACTOR], offset, "Each value and the number added up; a negative one takes away."),
    transform!(
        "add",
        [Param::needed("constant", ParamKind::Float)],
        add,
        "Each value and the number added up."
    ),
    transform!("absolute", [], |call| each(call, "absolute", "1", f64::abs), "Each value without its sign."),
    transform!(
        "invert",
        [],
        |call| each(call, "invert", "1", |value| power(value, -1.0)),
        "One divided by each value; null at zero."
    ),
    transform!(
        "squareRoot",
        [],
        |call| each(call, "squareRoot", "1", |value| power(value, 0.5)),
        "The square root of each value; null below zero."
    ),
    transform!(
        "exp",
        [],
        |call| each(call, "exp", "e", |value| finite(value.exp())),
        "e to the power of each value; null where that is too large for a number."
    ),
    transform!(
        "sigmoid",
        [],
        |call| each(call, "sigmoid", "sigmoid", |value| 1.0 / (1.0 + (-value).exp())),
        "The logistic function of each value, which lies between 0 and 1."
    ),
    transform!(
        "logit",
        [],
        |call| each(call, "logit", "logit", logit),
        "The logarithm of each value's odds; null unless it lies between 0 and 1."
    ),
    transform!("pow", [FACTOR], pow, "Each value to a power; null where that is no number."),
    transform!(
        "log",
        [Param::optional("base", ParamKind::Integer)],
        log,
        "The logarithm of each value, to base 10 unless another is named; null for what is not above zero."
    ),
    transform!(
        "round",
        [Param::optional("precision", ParamKind::Integer)],
        rounded,
        "Each value with so many digits behind the point; before it if the number is negative."
    ),
    transform!(
        "scaleToSeconds",
        [Param::needed("seconds", ParamKind::Float)],
        scale_to_seconds,
        "Each value, which counts for one step, as it would count for so many seconds."
    ),
    transform!("offsetToZero", [], offset_to_zero, "Each value less the least one of its series."),
    transform!(
        "minMax",
        [],
        min_max,
        "Each value as its place between the least and the greatest of its series, 0 to 1."
    ),
    transform!("isNonNull", [], is_non_null, "1 where there is a value and 0 where there is none."),
    transform!(
        "transformNull",
        [
            Param::optional("default", ParamKind::Float),
            Param::optional("referenceSeries", ParamKind::SeriesList)
        ],
        transform_null,
        "The default, 0 unless another is named, in the place of each null; with reference series only where one of these has a value."
    ),
];

/// Null for what is no number or beyond them.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

fn power(value: f64, exponent: f64) -> f64 {
    if value.is_finite() { finite(value.powf(exponent)) } else { value.powf(exponent) }
}

fn logit(value: f64) -> f64 {
    if value > 0.0 && value < 1.0 { (value / (1.0 - value)).ln() } else { f64::NAN }
}

/// Functions without arguments: `name(series)`, tagged by the name.
fn each(call: &Call<'_>, name: &str, tag: &str, change: impl Fn(f64) -> f64) -> Answer {
    let one = |series: Series| {
        let title = format!("{name}({})", series.name);
        series.tagged(name, tag).wrapped(title).map(&change)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

/// Functions of a number: `name(series,number)` in which the number is written as told, tagged by the name.
fn by_number(
    call: &Call<'_>,
    number: f64,
    write: impl Fn(f64) -> String,
    change: impl Fn(f64) -> f64,
) -> Answer {
    let one = |series: Series| {
        let title = format!("{}({},{})", call.name(), series.name, write(number));
        series.tagged(call.name(), plain(number)).wrapped(title).map(&change)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

/// A number that must be given, `none` not either.
fn needed(call: &Call<'_>, at: usize, name: &str) -> Result<f64, FunctionError> {
    call.number(at)?.ok_or_else(|| call.wrong(format!("`{name}` must be a number")))
}

/// A number without what is behind its point, as `%d` writes it.
fn whole(number: f64) -> String {
    if number.is_finite() { format!("{:.0}", number.trunc() + 0.0) } else { general(number) }
}

fn scale(call: &Call<'_>) -> Answer {
    let factor = needed(call, 1, "factor")?;
    by_number(call, factor, general, |value| value * factor)
}

fn offset(call: &Call<'_>) -> Answer {
    let factor = needed(call, 1, "factor")?;
    by_number(call, factor, general, |value| value + factor)
}

fn add(call: &Call<'_>) -> Answer {
    let constant = needed(call, 1, "constant")?;
    by_number(call, constant, whole, |value| value + constant)
}

fn pow(call: &Call<'_>) -> Answer {
    let factor = needed(call, 1, "factor")?;
    by_number(call, factor, general, |value| power(value, factor))
}

fn scale_to_seconds(call: &Call<'_>) -> Answer {
    let seconds = needed(call, 1, "seconds")?;
    let one = |series: Series| {
        let title = format!("scaleToSeconds({},{})", series.name, whole(seconds));
        let factor = seconds / series.step as f64;
        series.tagged("scaleToSeconds", plain(seconds)).wrapped(title).map(|value| round(value * factor, 6))
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn log(call: &Call<'_>) -> Answer {
    let base = call.number(1)?.unwrap_or(10.0);
    if !(base > 0.0 && base.is_finite() && base.ln().abs() > 0.0) {
        return Err(call.wrong(format!("`{}` is no base; it must be above 0 and not 1", general(base))));
    }
    let written = match call.value(1)? {
        Some(Value::Number(number)) => plain(number),
        _ => general(base),
    };
    let log = |value: f64| if value > 0.0 { value.ln() / base.ln() } else { f64::NAN };
    let one = |series: Series| {
        let title = format!("log({}, {written})", series.name);
        series.tagged("log", written.clone()).wrapped(title).map(log)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn rounded(call: &Call<'_>) -> Answer {
    let precision = call.whole(1)?;
    let digits = precision.unwrap_or(0).clamp(-1_000, 1_000) as i32;
    let one = |series: Series| {
        let title = match precision {
            Some(given) => format!("round({},{})", series.name, general(given as f64)),
            None => format!("round({})", series.name),
        };
        let tag = precision.unwrap_or(0).to_string();
        series.tagged("round", tag).wrapped(title).map(|value| round(value, digits))
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

/// The least and the greatest known value.
fn extremes(series: &Series) -> Option<(f64, f64)> {
    series.known().fold(None, |found, value| {
        let (least, greatest) = found.unwrap_or((value, value));
        Some((least.min(value), greatest.max(value)))
    })
}

fn offset_to_zero(call: &Call<'_>) -> Answer {
    let one = |series: Series| {
        let least = extremes(&series).map(|(least, _)| least);
        let title = format!("offsetToZero({})", series.name);
        let tag = least.map_or_else(|| "None".to_owned(), plain);
        series.tagged("offsetToZero", tag).wrapped(title).map(|value| value - least.unwrap_or(0.0))
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn min_max(call: &Call<'_>) -> Answer {
    let one = |series: Series| {
        let (least, greatest) = extremes(&series).unwrap_or((0.0, 0.0));
        let title = format!("minMax({})", series.name);
        let width = greatest - least;
        let place = |value: f64| if width > 0.0 { (value - least) / width } else { 0.0 };
        series.wrapped(title).map(place)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn is_non_null(call: &Call<'_>) -> Answer {
    let one = |series: Series| {
        let title = format!("isNonNull({})", series.name);
        let values = series.values.iter().map(|value| f64::from(u8::from(!value.is_nan()))).collect();
        series.tagged("isNonNull", "1").wrapped(title).with_values(values)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn transform_null(call: &Call<'_>) -> Answer {
    let default = call.number(1)?;
    let tag = default.map_or_else(|| "0".to_owned(), plain);
    let default = default.unwrap_or(0.0);
    let references = call.series(2)?;
    let is_known_at = |at: usize| {
        references.is_empty()
            || references.iter().any(|one| one.values.get(at).is_some_and(|value| !value.is_nan()))
    };
    let one = |series: Series| {
        let about = if references.is_empty() { "" } else { ",referenceSeries" };
        let title = format!("transformNull({},{}{about})", series.name, general(default));
        let filled = |(at, value): (usize, &f64)| {
            if value.is_nan() && is_known_at(at) { default } else { *value }
        };
        let values = series.values.iter().enumerate().map(filled).collect();
        let series = series.tagged("transformNull", tag.clone()).wrapped(title).with_values(values);
        if references.is_empty() { series } else { series.tagged("referenceSeries", "1") }
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

//! Functions in which a value depends on those before it: differences, sums that grow, gaps that are filled, delays.
//!
//! Those that make a series of their own stand in other functions' names by their whole name, as graphite-web has it.

use super::call::Call;
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::rounding::round;
use super::series::Series;
use super::times;

const LIMIT: Param = Param::optional("limit", ParamKind::IntOrInf);
const MAX_VALUE: Param = Param::optional("maxValue", ParamKind::Float);
const MIN_VALUE: Param = Param::optional("minValue", ParamKind::Float);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["derivative"],
        group: "Transform",
        parameters: &[SERIES],
        about: "Each value less the one before it.",
        run: derivative,
    },
    Function {
        names: &["nonNegativeDerivative"],
        group: "Transform",
        parameters: &[SERIES, MAX_VALUE, MIN_VALUE],
        about: "By how much a counter grew since the value before; null where it fell, unless the greatest or least value is given at which it starts again.",
        run: |call| growth(call, "nonNegativeDerivative", |delta, _| delta),
    },
    Function {
        names: &["perSecond"],
        group: "Transform",
        parameters: &[SERIES, MAX_VALUE, MIN_VALUE],
        about: "By how much a counter grew a second; as nonNegativeDerivative where it fell.",
        run: |call| growth(call, "perSecond", |delta, step| round(delta / step as f64, 6)),
    },
    Function {
        names: &["integral"],
        group: "Transform",
        parameters: &[SERIES],
        about: "The sum of all values up to each.",
        run: integral,
    },
    Function {
        names: &["integralByInterval"],
        group: "Transform",
        parameters: &[SERIES, Param::needed("intervalUnit", ParamKind::Text)],
        about: "The sum of the values up to each, begun anew at each interval since the start of the range.",
        run: integral_by_interval,
    },
    Function {
        names: &["keepLastValue"],
        group: "Transform",
        parameters: &[SERIES, LIMIT],
        about: "Gaps filled with the value before them, if they are no longer than the limit.",
        run: |call| fill(call, "keepLastValue", true, |before, _, _, _| before),
    },
    Function {
        names: &["interpolate"],
        group: "Transform",
        parameters: &[SERIES, LIMIT],
        about: "Gaps filled with the straight line from the value before to the value behind them, if they are no longer than the limit.",
        run: |call| {
            let line = |before: f64, behind: f64, at: usize, len: usize| {
                before + at as f64 * (behind - before) / (len + 1) as f64
            };
            fill(call, "interpolate", false, line)
        },
    },
    Function {
        names: &["delay"],
        group: "Transform",
        parameters: &[SERIES, Param::needed("steps", ParamKind::Integer)],
        about: "Each value so many steps later, or earlier if the number is negative; the range stays as it is.",
        run: delay,
    },
];

/// A series made of the values of each argument's series, tagged with the name of the function that has made it.
fn each(call: &Call<'_>, name: &str, make: impl Fn(&Series) -> Vec<f64>) -> Answer {
    let one = |series: Series| {
        let values = make(&series);
        let title = format!("{name}({})", series.name);
        series.tagged(name, "1").wrapped(title).with_values(values)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn derivative(call: &Call<'_>) -> Answer {
    each(call, "derivative", |series| {
        let mut before = f64::NAN;
        // A null is a NaN, so that a difference with one is a null.
        series.values.iter().map(|value| *value - std::mem::replace(&mut before, *value)).collect()
    })
}

/// How a counter grew, as a function of that and of the step.
fn growth(call: &Call<'_>, name: &str, show: impl Fn(f64, i64) -> f64) -> Answer {
    let (greatest, least) = (call.number(1)?, call.number(2)?);
    let is_outside =
        |value: f64| greatest.is_some_and(|max| value > max) || least.is_some_and(|min| value < min);
    each(call, name, |series| {
        let mut before = f64::NAN;
        let mut one = |value: f64| {
            if is_outside(value) {
                before = f64::NAN;
                return f64::NAN;
            }
            let previous = std::mem::replace(&mut before, value);
            let delta =
                if value >= previous { value - previous } else { wrapped(value, previous, greatest, least) };
            if delta.is_nan() { delta } else { show(delta, series.step) }
        };
        series.values.iter().map(|value| one(*value)).collect()
    })
}

/// The growth of a counter that has begun again at its least value, where one knows the greatest or the least.
fn wrapped(value: f64, previous: f64, greatest: Option<f64>, least: Option<f64>) -> f64 {
    match (greatest, least) {
        _ if value.is_nan() || previous.is_nan() => f64::NAN,
        (Some(max), _) => max + 1.0 + value - previous - least.unwrap_or(0.0),
        (None, Some(min)) => value - min,
        (None, None) => f64::NAN,
    }
}

fn integral(call: &Call<'_>) -> Answer {
    each(call, "integral", |series| {
        let mut sum = 0.0;
        let mut one = |value: f64| {
            if value.is_nan() {
                return value;
            }
            sum += value;
            sum
        };
        series.values.iter().map(|value| one(*value)).collect()
    })
}

fn integral_by_interval(call: &Call<'_>) -> Answer {
    let text = call.text(1)?.unwrap_or_default();
    let interval = times::offset(call, &text)?.abs();
    if interval == 0 {
        return Err(call.wrong(format!("`{text}` must be longer than nothing")));
    }
    let from = call.context.taken(call.context.from);
    let one = |series: Series| {
        let number = |time: i64| (time - from).div_euclid(interval);
        let mut sum = 0.0;
        let mut add = |(at, value): (usize, &f64)| {
            let time = series.start + at as i64 * series.step;
            if number(time) != number(time - series.step) {
                sum = 0.0;
            }
            sum += if value.is_nan() { 0.0 } else { *value };
            sum
        };
        let values = series.values.iter().enumerate().map(&mut add).collect();
        let title = format!("integralByInterval({},'{text}')", series.name);
        series.tagged("integralByInterval", text.clone()).wrapped(title).with_values(values)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

/// Gaps filled, of which `value` tells each value: of the known ones before and behind, its place from 1 and the gap's length. A gap at
/// the end has nothing behind it and is filled if `to_the_end`.
fn fill(
    call: &Call<'_>,
    name: &str,
    to_the_end: bool,
    value: impl Fn(f64, f64, usize, usize) -> f64,
) -> Answer {
    let limit = call.number(1)?.unwrap_or(f64::INFINITY);
    let one = |series: Series| {
        let mut values = series.values.to_vec();
        let mut last: Option<usize> = None;
        for at in 0..=values.len() {
            let is_end = at == values.len();
            if !is_end && values[at].is_nan() {
                continue;
            }
            if let Some(last) = last
                && (!is_end || to_the_end)
            {
                let len = at - last - 1;
                let (before, behind) = (values[last], values.get(at).copied().unwrap_or(f64::NAN));
                if len as f64 <= limit {
                    (1..=len).for_each(|place| values[last + place] = value(before, behind, place, len));
                }
            }
            last = Some(at);
        }
        let title = format!("{name}({})", series.name);
        series.wrapped(title).with_values(values)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn delay(call: &Call<'_>) -> Answer {
    let steps = call.whole(1)?.ok_or_else(|| call.wrong("`steps` must be a whole number"))?;
    let one = |series: Series| {
        let len = series.values.len();
        let by = (steps.unsigned_abs() as usize).min(len);
        let mut values = series.values.to_vec();
        if steps < 0 {
            values.rotate_left(by);
            values[len - by..].fill(f64::NAN);
        } else {
            values.rotate_right(by);
            values[..by].fill(f64::NAN);
        }
        let title = format!("delay({},{steps})", series.name);
        series.tagged("delay", steps.to_string()).wrapped(title).with_values(values)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

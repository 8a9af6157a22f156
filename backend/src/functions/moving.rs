//! Functions of a window that ends at each moment. They look as far back before the range as the window is wide.

use super::FunctionError;
use super::aggregate::Aggregate;
use super::call::{Call, Value};
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::rounding::round;
use super::series::Series;
use super::shift::{over, placed};
use super::times;
use super::window::{is_share, moving};

const WINDOW: Param = Param::needed("windowSize", ParamKind::IntOrInterval);
const X_FILES_FACTOR: Param = Param::optional("xFilesFactor", ParamKind::Float);

macro_rules! moving {
    ($name:literal, $by:literal, $about:literal) => {
        Function {
            names: &[$name],
            group: "Calculate",
            parameters: &[SERIES, WINDOW, X_FILES_FACTOR],
            about: $about,
            run: |call| moving_by(call, $by, 2),
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    moving!(
        "movingAverage",
        "average",
        "The mean of the values before each moment, of so many of them or of a time, the one at it among them."
    ),
    moving!(
        "movingMedian",
        "median",
        "The median of the values before each moment, of so many of them or of a time, the one at it among them."
    ),
    moving!(
        "movingSum",
        "sum",
        "The sum of the values before each moment, of so many of them or of a time, the one at it among them."
    ),
    moving!(
        "movingMin",
        "min",
        "The least of the values before each moment, of so many of them or of a time, the one at it among them."
    ),
    moving!(
        "movingMax",
        "max",
        "The greatest of the values before each moment, of so many of them or of a time, the one at it among them."
    ),
    Function {
        names: &["movingWindow"],
        group: "Calculate",
        parameters: &[SERIES, WINDOW, Param::optional("func", ParamKind::AggFunc), X_FILES_FACTOR],
        about: "The values before each moment, of so many of them or of a time, put together by their mean unless another way is named.",
        run: |call| {
            let name = call.text(2)?.unwrap_or_else(|| "average".to_owned());
            moving_by(call, &name, 3)
        },
    },
    Function {
        names: &["exponentialMovingAverage"],
        group: "Calculate",
        parameters: &[SERIES, WINDOW],
        about: "A mean in which each value counts less the older it is; the window tells how fast.",
        run: exponential,
    },
    Function {
        names: &["stdev"],
        group: "Calculate",
        parameters: &[
            SERIES,
            Param::needed("points", ParamKind::Integer),
            Param::optional("windowTolerance", ParamKind::Float),
        ],
        about: "The standard deviation of so many values before each moment; null where less than a tenth of them is known, unless another part is named.",
        run: stdev,
    },
];

/// How wide a window is, as it was given.
enum Window {
    Seconds(i64),
    Points(usize),
}

/// The window of a call; how it stands in a name and in a tag.
struct Given {
    window: Window,
    in_name: String,
    in_tag: String,
}

impl Given {
    fn of(call: &Call<'_>) -> Result<Self, FunctionError> {
        let value = call.value(1)?;
        let (window, in_name) = match &value {
            Some(Value::Text(text)) => {
                (Window::Seconds(times::offset(call, text)?.abs()), format!("\"{text}\""))
            }
            Some(number @ (Value::Whole(_) | Value::Number(_))) => {
                let points = call.number(1)?.filter(|points| (0.0..1e9).contains(points));
                let points =
                    points.ok_or_else(|| call.wrong(format!("`{number}` is no number of values")))?;
                (Window::Points(points as usize), number.to_string())
            }
            _ => return Err(call.wrong("`windowSize` is a number of values or a time, as \"5min\"")),
        };
        Ok(Self { window, in_name, in_tag: value.map(|value| value.to_string()).unwrap_or_default() })
    }

    /// The series over the range and the time that the windows at its beginning reach back, and that time's seconds.
    fn look_back(&self, call: &Call<'_>) -> Result<(Vec<Series>, i64), FunctionError> {
        let seconds = match self.window {
            Window::Seconds(seconds) => seconds,
            Window::Points(points) => {
                let longest = call.series(0)?.iter().map(|one| one.step).max().unwrap_or(0);
                longest.saturating_mul(points as i64)
            }
        };
        Ok((series_before(call, seconds)?, seconds))
    }

    /// How many values of a series are in a window.
    fn points(&self, series: &Series) -> usize {
        match self.window {
            Window::Seconds(seconds) => (seconds / series.step) as usize,
            Window::Points(points) => points,
        }
    }
}

/// The first argument's series over a range that begins so many seconds earlier.
pub(super) fn series_before(call: &Call<'_>, seconds: i64) -> Result<Vec<Series>, FunctionError> {
    let from = call.context.from.saturating_sub(seconds);
    call.series_in(0, &over(call, from, call.context.until)?)
}

fn moving_by(call: &Call<'_>, func: &str, x_files_factor_at: usize) -> Answer {
    let (by, given) = (Aggregate::of(call, func)?, Given::of(call)?);
    let least = call.number(x_files_factor_at)?;
    let name = format!("moving{}", capitalized(func));
    let (all, seconds) = given.look_back(call)?;
    let one = |series: Series| {
        call.context.go_on()?;
        let (points, skipped) = (given.points(&series), (seconds / series.step) as usize);
        // A line of three values, however long, has none behind a window of more.
        let len = if series.values.len() > points { series.values.len().saturating_sub(skipped) } else { 0 };
        let mut values = moving(&series.values, points, by, least.unwrap_or(series.x_files_factor));
        // The first window ends one value behind those before the range.
        values.drain(..values.len().saturating_sub(len));
        values.resize(len, f64::NAN);
        let title = format!("{name}({},{})", series.name, given.in_name);
        let start = series.start + seconds;
        let tagged = series.tagged(&name, given.in_tag.clone());
        Ok(Series { start, ..tagged.wrapped(title) }.with_values(values))
    };
    all.into_iter().map(one).collect()
}

/// `rangeOf` as `Rangeof`.
fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars.map(|c| c.to_ascii_lowercase())).collect()
}

fn exponential(call: &Call<'_>) -> Answer {
    let given = Given::of(call)?;
    let (all, seconds) = given.look_back(call)?;
    // A time counts by its seconds, whatever the step.
    let size = match given.window {
        Window::Seconds(seconds) => seconds as f64,
        Window::Points(points) => points as f64,
    };
    let weight = 2.0 / (size + 1.0);
    let one = |series: Series| {
        let skipped = (seconds / series.step) as usize;
        let values = smoothed(&series.values, given.points(&series), skipped, weight);
        let title = format!("exponentialMovingAverage({},{})", series.name, given.in_name);
        let (start, end) = (series.start + seconds, series.end);
        let tagged = series.tagged("exponentialMovingAverage", given.in_tag.clone());
        placed(tagged.wrapped(title).with_values(values), start, end)
    };
    Ok(all.into_iter().map(one).collect())
}

/// The mean of the first window, then each value drawn in with its weight; what is before the range is left out.
fn smoothed(values: &[f64], points: usize, skipped: usize, weight: f64) -> Vec<f64> {
    let (first, others) = values.split_at(points.min(values.len()));
    let mean = Aggregate::Average.apply(first);
    let mut mean = if mean.is_nan() { 0.0 } else { mean };
    let mut made = vec![round(mean, 6)];
    for value in others {
        if !value.is_nan() {
            mean = weight * value + (1.0 - weight) * mean;
        }
        made.push(if value.is_nan() { f64::NAN } else { round(mean, 6) });
    }
    made.drain(..skipped.saturating_sub(points).min(made.len()));
    made
}

fn stdev(call: &Call<'_>) -> Answer {
    let points = call.whole(1)?.filter(|points| (1..1_000_000_000).contains(points));
    let points = points.ok_or_else(|| call.wrong("`points` must be a number of values, 1 or more"))?;
    let tolerance = call.number(2)?.unwrap_or(0.1);
    let one = |series: Series| {
        let title = format!("stdev({},{points})", series.name);
        let values = deviations(&series.values, points as usize, tolerance);
        series.tagged("stdev", points.to_string()).wrapped(title).with_values(values)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

/// By sums of values and of their squares, as graphite-web has them: the last digits of what comes out are those of its rounding.
fn deviations(values: &[f64], points: usize, tolerance: f64) -> Vec<f64> {
    let (mut known, mut sum, mut squares) = (0_usize, 0.0_f64, 0.0_f64);
    // Python's `x**2` is the C library's power, whose last digit is not always that of a product.
    let square = |value: f64| value.powf(std::hint::black_box(2.0));
    let mut one = |(at, value): (usize, &f64)| {
        let dropped = at.checked_sub(points).map(|at| values[at]).filter(|value| !value.is_nan());
        if let Some(dropped) = dropped {
            known -= 1;
            sum -= dropped;
            squares -= square(dropped);
        }
        if !value.is_nan() {
            known += 1;
            sum += value;
            squares += square(*value);
        }
        let n = known as f64;
        // Below zero there is no root, which is a null.
        if is_share(known, points as f64, tolerance) {
            (n * squares - square(sum)).sqrt() / n
        } else {
            f64::NAN
        }
    };
    values.iter().enumerate().map(&mut one).collect()
}

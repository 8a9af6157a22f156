//! Functions that tell how values go on: a straight line through them, and Holt-Winters, which knows seasons.

use super::FunctionError;
use super::call::Call;
use super::moving::series_before;
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::series::Series;
use super::shift::over;
use super::times;

const DELTA: Param = Param::optional("delta", ParamKind::Integer);
const BOOTSTRAP: Param = Param::optional("bootstrapInterval", ParamKind::Interval);
const SEASONALITY: Param = Param::optional("seasonality", ParamKind::Interval);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["linearRegression"],
        group: "Calculate",
        parameters: &[
            SERIES,
            Param::optional("startSourceAt", ParamKind::Date),
            Param::optional("endSourceAt", ParamKind::Date),
        ],
        about: "The straight line that lies nearest to the values, of the range or of another time. Series with fewer than two values are left out.",
        run: linear_regression,
    },
    Function {
        names: &["holtWintersForecast"],
        group: "Calculate",
        parameters: &[SERIES, BOOTSTRAP, SEASONALITY],
        about: "What was to be expected of each value by those before it, from a week before the range on unless another time is named, with a season of a day.",
        run: holt_winters_forecast,
    },
    Function {
        names: &["holtWintersConfidenceBands"],
        group: "Calculate",
        parameters: &[SERIES, DELTA, BOOTSTRAP, SEASONALITY],
        about: "The least and the greatest value that were to be expected, so many usual deviations from the forecast, 3 unless another number is named.",
        run: holt_winters_bands,
    },
    Function {
        names: &["holtWintersConfidenceArea"],
        group: "Calculate",
        parameters: &[SERIES, DELTA, BOOTSTRAP, SEASONALITY],
        about: "The confidence bands of one series, to be drawn as the area between them.",
        run: holt_winters_area,
    },
    Function {
        names: &["holtWintersAberration"],
        group: "Calculate",
        parameters: &[SERIES, DELTA, BOOTSTRAP, SEASONALITY],
        about: "By how much each value lies above or below the confidence bands; 0 within them.",
        run: holt_winters_aberration,
    },
];

fn linear_regression(call: &Call<'_>) -> Answer {
    let instant = |at: usize, otherwise: i64| match call.text(at)? {
        Some(text) => times::utc_instant(call, &text),
        None => Ok(otherwise),
    };
    let (from, until) = (instant(1, call.context.from)?, instant(2, call.context.until)?);
    let sources = call.series_in(0, &over(call, from, until)?)?;
    // What is not given is told as the request's zone shows it.
    let told = |at: usize, time: i64| {
        call.value(at).map(|given| if given.is_none() { call.context.taken(time) } else { time })
    };
    let (from, until) = (told(1, from)?, told(2, until)?);
    let one = |(series, source): (Series, Series)| {
        let (slope, offset) = straight_line(&source)?;
        let value = |at: usize| offset + (series.start + at as i64 * series.step) as f64 * slope;
        let values = (0..series.values.len()).map(value).collect();
        let title = format!("linearRegression({}, {from}, {until})", series.name);
        let tagged = series.tagged("linearRegressions", format!("{from}, {until}"));
        Some(anew(tagged.wrapped(title)).with_values(values))
    };
    Ok(call.series(0)?.into_iter().zip(sources).filter_map(one).collect())
}

/// How steep the line through the known values is a second, and where it is at the second 0; by least squares.
fn straight_line(series: &Series) -> Option<(f64, f64)> {
    let known = || series.values.iter().enumerate().filter(|(_, value)| !value.is_nan());
    let places = || known().map(|(at, _)| at as f64);
    let (n, sum) = (known().count() as f64, places().sum::<f64>());
    let squares = places().map(|at| at * at).sum::<f64>();
    let values = known().map(|(_, value)| value).sum::<f64>();
    let products = known().map(|(at, value)| at as f64 * value).sum::<f64>();
    let denominator = n * squares - sum * sum;
    if denominator == 0.0 {
        return None;
    }
    let slope = (n * products - sum * values) / denominator / series.step as f64;
    Some((slope, (squares * values - products * sum) / denominator - slope * series.start as f64))
}

/// A series whose values mean something else from now on, so that they are put together by their mean again.
fn anew(series: Series) -> Series {
    Series { consolidation: super::series::Consolidation::default(), ..series }
}

/// A series as it was, and what Holt-Winters makes of it over the range.
struct Forecast {
    series: Series,
    start: i64,
    predictions: Vec<f64>,
    deviations: Vec<f64>,
}

impl Forecast {
    /// A series of these values, of the range. The tags are those that graphite-web's analysis leaves.
    fn series(&self, name: String, values: Vec<f64>) -> Series {
        let series = anew(self.series.clone()).with_values(values);
        let tagged = series.tagged("holtWintersForecast", "1").tagged("holtWintersDeviation", "1");
        Series { start: self.start, ..tagged }.named(name)
    }
}

/// What is expected of the first argument's series.
fn forecasts(call: &Call<'_>, bootstrap_at: usize) -> Result<Vec<Forecast>, FunctionError> {
    let text = |at: usize, otherwise: &str| Ok(call.text(at)?.unwrap_or_else(|| otherwise.to_owned()));
    let bootstrap = times::interval(call, &text(bootstrap_at, "7d")?)?;
    let season = times::interval(call, &text(bootstrap_at + 1, "1d")?)?;
    let one = |series: Series| {
        if season < series.step {
            return Err(call.wrong(format!("a season must be longer than the step, {} s", series.step)));
        }
        let (mut predictions, mut deviations) = analyzed(&series.values, (season / series.step) as usize);
        let skipped = ((bootstrap / series.step) as usize).min(predictions.len());
        predictions.drain(..skipped);
        deviations.drain(..skipped);
        Ok(Forecast { start: series.start + bootstrap, series, predictions, deviations })
    };
    series_before(call, bootstrap)?.into_iter().map(one).collect()
}

/// Each value as it was expected, and the usual deviation from that at its place in the season. Additive, after Brutlag 2000, with
/// the weights of graphite-web.
fn analyzed(values: &[f64], season: usize) -> (Vec<f64>, Vec<f64>) {
    const ALPHA: f64 = 0.1;
    const BETA: f64 = 0.0035;
    const GAMMA: f64 = 0.1;
    let (mut predictions, mut deviations) = (Vec::new(), Vec::new());
    let mut seasonals: Vec<f64> = Vec::new();
    let (mut level, mut slope, mut next) = (f64::NAN, 0.0, f64::NAN);
    let ago = |list: &[f64], at: usize| at.checked_sub(season).map_or(0.0, |at| list[at]);
    for (at, actual) in values.iter().copied().enumerate() {
        if actual.is_nan() {
            predictions.push(next);
            seasonals.push(0.0);
            deviations.push(0.0);
            (level, slope, next) = (f64::NAN, 0.0, f64::NAN);
            continue;
        }
        let prediction = if at == 0 { actual } else { next };
        let last_level = if level.is_nan() { actual } else { level };
        let last_seasonal = ago(&seasonals, at);
        level = ALPHA * (actual - last_seasonal) + (1.0 - ALPHA) * (last_level + slope);
        slope = BETA * (level - last_level) + (1.0 - BETA) * slope;
        let expected = if prediction.is_nan() { 0.0 } else { prediction };
        let deviation = GAMMA * (actual - expected).abs() + (1.0 - GAMMA) * ago(&deviations, at);
        seasonals.push(GAMMA * (actual - level) + (1.0 - GAMMA) * last_seasonal);
        predictions.push(prediction);
        deviations.push(deviation);
        next = level + slope + ago(&seasonals, at + 1);
    }
    (predictions, deviations)
}

fn holt_winters_forecast(call: &Call<'_>) -> Answer {
    let one = |mut forecast: Forecast| {
        let title = format!("holtWintersForecast({})", forecast.series.name);
        let values = std::mem::take(&mut forecast.predictions);
        forecast.series(String::new(), values).wrapped(title)
    };
    Ok(forecasts(call, 1)?.into_iter().map(one).collect())
}

/// The lower and the upper band of each series, and the series' name.
fn bands(call: &Call<'_>) -> Result<Vec<(String, [Series; 2])>, FunctionError> {
    let delta = call.number(1)?.unwrap_or(3.0);
    let one = |forecast: Forecast| {
        let band = |which: &str, delta: f64| {
            let pairs = forecast.predictions.iter().zip(&forecast.deviations);
            let values = pairs.map(|(value, deviation)| value + delta * deviation).collect();
            let title = format!("holtWintersConfidence{which}({})", forecast.series.name);
            let series = forecast.series(title, values).tagged("holtWintersConfidenceUpper", "1");
            series.tagged("holtWintersConfidenceLower", "1")
        };
        (forecast.series.name.clone(), [band("Lower", -delta), band("Upper", delta)])
    };
    Ok(forecasts(call, 2)?.into_iter().map(one).collect())
}

fn holt_winters_bands(call: &Call<'_>) -> Answer {
    Ok(bands(call)?.into_iter().flat_map(|(_, bands)| bands).collect())
}

fn holt_winters_area(call: &Call<'_>) -> Answer {
    let mut bands = bands(call)?;
    if bands.len() > 1 {
        return Err(call.wrong(format!("it takes one series, not {}", bands.len())));
    }
    let Some((_, bands)) = bands.pop() else { return Ok(Vec::new()) };
    let title = format!("holtWintersConfidenceArea({})", bands[1].path_expression);
    let one = |band: Series| band.tagged("holtWintersConfidenceArea", "1").wrapped(title.clone());
    Ok(bands.into_iter().map(one).collect())
}

fn holt_winters_aberration(call: &Call<'_>) -> Answer {
    let bands = bands(call)?;
    let one = |series: Series| {
        let found = bands.iter().rev().find(|(name, _)| *name == series.name);
        let at = |which: usize, at: usize| {
            found.and_then(|(_, bands)| bands[which].values.get(at).copied()).unwrap_or(f64::NAN)
        };
        let distance = |(place, value): (usize, &f64)| match (at(0, place), at(1, place)) {
            (_, upper) if *value > upper => value - upper,
            (lower, _) if *value < lower => value - lower,
            _ => 0.0,
        };
        let values = series.values.iter().enumerate().map(distance).collect();
        let title = format!("holtWintersAberration({})", series.name);
        anew(series.tagged("holtWintersAberration", "1")).wrapped(title).with_values(values)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

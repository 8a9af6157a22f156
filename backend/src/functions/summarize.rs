//! Functions that make coarser series: values of an interval put together, hits counted, periodic gaps closed.

use super::FunctionError;
use super::aggregate::Aggregate;
use super::call::{Call, Context};
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::series::Series;
use super::times;
use super::window::is_share;
use sonde_shared::time::{Civil, Day, Timestamp};

const INTERVAL: Param = Param::needed("intervalString", ParamKind::Interval);
const FUNC: Param = Param::optional("func", ParamKind::AggFunc);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["summarize"],
        group: "Transform",
        parameters: &[SERIES, INTERVAL, FUNC, Param::optional("alignToFrom", ParamKind::Boolean)],
        about: "One value an interval, of all values in it, by their sum unless another way is named. Intervals are those of the clock, or begin with the range.",
        run: summarize,
    },
    Function {
        names: &["smartSummarize"],
        group: "Transform",
        parameters: &[SERIES, INTERVAL, FUNC, Param::optional("alignTo", ParamKind::Text)],
        about: "One value an interval, of all values in it. Intervals begin with the range, or with the year, month, week (`weeks3`: on Wednesdays), day, hour or minute in which it begins.",
        run: smart_summarize,
    },
    Function {
        names: &["hitcount"],
        group: "Transform",
        parameters: &[SERIES, INTERVAL, Param::optional("alignToInterval", ParamKind::Boolean)],
        about: "Hits an interval, of series whose values are hits a second. Intervals end with the range, or begin with the day, hour or minute in which it begins.",
        run: hitcount,
    },
    Function {
        names: &["compressPeriodicGaps"],
        group: "Transform",
        parameters: &[SERIES],
        about: "Series that have a value every n-th step only, with the step at which they have values.",
        run: compress_periodic_gaps,
    },
];

/// The values of each interval of `[start, end)` put together, and where the last one ends.
fn buckets(
    call: &Call<'_>,
    series: &Series,
    by: Aggregate,
    interval: i64,
    (start, end): (i64, i64),
) -> Result<(Vec<f64>, i64), FunctionError> {
    let count = (end - start + interval - 1).div_euclid(interval).max(0);
    call.context.spend(count as usize)?;
    let time = |at: usize| series.start + at as i64 * series.step;
    let total = interval as f64 / series.step as f64;
    let mut at = 0;
    let bucket = |begin: i64| {
        let (mut first, mut known) = (at, 0_usize);
        while at < series.values.len() && time(at) < series.end && time(at) < begin + interval {
            // Of the values before the first interval the last one counts with it, unless one stands at its beginning.
            first = if time(at) <= begin { at } else { first };
            known += usize::from(time(at) >= begin && !series.values[at].is_nan());
            at += 1;
        }
        let is_enough = is_share(known, total, series.x_files_factor);
        if is_enough { by.apply(&series.values[first..at]) } else { f64::NAN }
    };
    let values = (0..count).map(|number| start + number * interval).map(bucket).collect();
    Ok((values, start + count * interval))
}

fn summarize(call: &Call<'_>) -> Answer {
    let (text, name) = (call.text(1)?.unwrap_or_default(), call.text(2)?.unwrap_or_else(|| "sum".to_owned()));
    let (interval, by) = (times::interval(call, &text)?, Aggregate::of(call, &name)?);
    let from_start = call.truth(3)?.unwrap_or(false);
    let one = |series: Series| {
        let range = if from_start {
            (series.start, series.end)
        } else {
            let floor = |time: i64| time - time.rem_euclid(interval);
            (floor(series.start), floor(series.end) + interval)
        };
        let (values, end) = buckets(call, &series, by, interval, range)?;
        let about = if from_start { ", true" } else { "" };
        let title = format!("summarize({}, \"{text}\", \"{name}\"{about})", series.name);
        let tagged = series.tagged("summarize", text.clone()).tagged("summarizeFunction", name.clone());
        Ok(Series { start: range.0, end, step: interval, ..tagged.wrapped(title) }.with_values(values))
    };
    call.series(0)?.into_iter().map(one).collect()
}

fn smart_summarize(call: &Call<'_>) -> Answer {
    let (text, name) = (call.text(1)?.unwrap_or_default(), call.text(2)?.unwrap_or_else(|| "sum".to_owned()));
    let (interval, by) = (times::interval(call, &text)?, Aggregate::of(call, &name)?);
    // True and false meant something once and are still written.
    let unit = call.text(3)?.filter(|text| !matches!(text.as_str(), "True" | "False"));
    let series = match unit {
        Some(unit) => {
            let aligned = begun(call.context, |shown| begin_of(shown, &unit))
                .ok_or_else(|| call.wrong(format!("`{unit}` is no unit to align to; write hours or days")))?;
            call.series_in(0, &aligned)?
        }
        None => call.series(0)?,
    };
    let one = |series: Series| {
        let (values, end) = buckets(call, &series, by, interval, (series.start, series.end))?;
        let title = format!("smartSummarize({}, \"{text}\", \"{name}\")", series.name);
        let tagged =
            series.tagged("smartSummarize", text.clone()).tagged("smartSummarizeFunction", name.clone());
        Ok(Series { end, step: interval, ..tagged.wrapped(title) }.with_values(values))
    };
    series.into_iter().map(one).collect()
}

/// The context from the beginning of some unit of the clock in the request's zone on.
fn begun<'a>(context: &Context<'a>, begin: impl Fn(i64) -> Option<i64>) -> Option<Context<'a>> {
    let shown = context.shown(context.from);
    Some(context.over(context.from - (shown - begin(shown)?), context.until))
}

/// When the year, month, week, day, hour, minute or second of an instant has begun; `None` of no unit.
fn begin_of(at: i64, unit: &str) -> Option<i64> {
    let day = Timestamp::from_secs(at).day();
    let civil = Civil::of(Timestamp::from_secs(at));
    let floor = |length: i64| at - at.rem_euclid(length);
    let date = |day: Day| day.start().as_secs();
    Some(match unit {
        _ if unit.starts_with("mon") => date(Day::from_date(civil.year, civil.month, 1)?),
        _ if unit.starts_with("min") => floor(60),
        _ if unit.starts_with('y') => date(Day::from_date(civil.year, 1, 1)?),
        _ if unit.starts_with('w') => {
            let weekday = unit.chars().last().and_then(|c| c.to_digit(10)).unwrap_or(1);
            let back = (i64::from(day.weekday()) + 1 - i64::from(weekday)).rem_euclid(7);
            date(Day::from_number(day.number() - back))
        }
        _ if unit.starts_with('d') => floor(86_400),
        _ if unit.starts_with('h') => floor(3_600),
        _ if unit.starts_with('s') => at,
        _ => return None,
    })
}

fn hitcount(call: &Call<'_>) -> Answer {
    let text = call.text(1)?.unwrap_or_default();
    let interval = times::interval(call, &text)?;
    let is_aligned = call.truth(2)?.unwrap_or(false);
    let series = if is_aligned {
        let unit = match interval {
            86_400.. => 86_400,
            3_600.. => 3_600,
            60.. => 60,
            _ => 1,
        };
        let aligned = begun(call.context, |shown| Some(shown - shown.rem_euclid(unit)));
        call.series_in(0, &aligned.unwrap_or_else(|| call.context.clone()))?
    } else {
        call.series(0)?
    };
    let one = |mut series: Series| {
        if is_aligned {
            let whole = (series.end - series.start).div_euclid(interval);
            series.end = series.start + (whole + 1) * interval;
        }
        let (start, values) = hits(call, &series, interval)?;
        let about = if is_aligned { ", true" } else { "" };
        let title = format!("hitcount({}, \"{text}\"{about})", series.name);
        let tagged = series.tagged("hitcount", text.clone());
        Ok(Series { start, step: interval, ..tagged.wrapped(title) }.with_values(values))
    };
    series.into_iter().map(one).collect()
}

/// Hits an interval and when the first one begins. A value counts for each second of its step.
fn hits(call: &Call<'_>, series: &Series, interval: i64) -> Result<(i64, Vec<f64>), FunctionError> {
    let count = (series.end - series.start + interval - 1).div_euclid(interval).max(0);
    call.context.spend(count as usize)?;
    let start = series.end - count * interval;
    let mut values = vec![f64::NAN; count as usize];
    let mut add = |bucket: i64, hits: f64| {
        let sum = &mut values[bucket as usize];
        *sum = if sum.is_nan() { hits } else { *sum + hits };
    };
    for (at, value) in series.values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
        let begin = series.start + at as i64 * series.step - start;
        // What is behind the last interval does not count.
        let end = (begin + series.step).min(count * interval);
        let mut from = begin;
        while from < end {
            let bucket = from / interval;
            let until = end.min((bucket + 1) * interval);
            add(bucket, value * (until - from) as f64);
            from = until;
        }
    }
    Ok((start, values))
}

fn compress_periodic_gaps(call: &Call<'_>) -> Answer {
    let one = |series: Series| {
        let title = format!("compressPeriodicGaps({})", series.name);
        let series = series.wrapped(title);
        let Some((first, every)) = period(&series.values) else { return Ok(series) };
        let (start, step) = (series.start + first as i64 * series.step, every as i64 * series.step);
        let (values, _) = buckets(call, &series, Aggregate::Last, step, (start, series.end))?;
        // graphite-web ends such a series at its last value, not behind it.
        let end = start + step * (values.len() as i64 - 1);
        Ok(Series { start, end, step, ..series }.with_values(values))
    };
    call.series(0)?.into_iter().map(one).collect()
}

/// Where a series has its first value and how many steps lie between its values, if the first three say so. Zeros count as gaps, and
/// so does the very first value, as graphite-web has it.
fn period(values: &[f64]) -> Option<(usize, usize)> {
    let is_there = |at: usize| values.get(at).is_some_and(|value| !value.is_nan() && *value != 0.0);
    let is_gap = |at: usize| values.get(at).is_some_and(|value| value.is_nan());
    let mut found = (0..values.len()).filter(|at| is_there(*at));
    let mut first = found.next()?;
    if first == 0 {
        first = found.next()?;
    }
    let second = found.next()?;
    let third = second + (second - first);
    let is_periodic = second - first > 1
        && third + 2 <= values.len()
        && is_there(third)
        && is_gap(third - 1)
        && is_gap(third + 1);
    is_periodic.then_some((first, second - first))
}

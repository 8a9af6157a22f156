//! Functions that show another time: shifted ranges, several of them on one another, and a part of the range alone.

use super::FunctionError;
use super::call::{Call, Context};
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::series::Series;
use super::times;
use std::sync::Arc;

/// So many ranges may be put on one another.
const MAX_STACKED: i64 = 1_000;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["timeShift"],
        group: "Transform",
        parameters: &[
            SERIES,
            Param::needed("timeShift", ParamKind::Interval),
            Param::optional("resetEnd", ParamKind::Boolean),
            Param::optional("alignDst", ParamKind::Boolean),
        ],
        about: "Values of another time, as if they were of the range: of before it, or of behind it with a `+`. All times are UTC, so that clocks are never put forward.",
        run: time_shift,
    },
    Function {
        names: &["timeStack"],
        group: "Transform",
        parameters: &[
            SERIES,
            Param::optional("timeShiftUnit", ParamKind::Interval),
            Param::optional("timeShiftStart", ParamKind::Integer),
            Param::optional("timeShiftEnd", ParamKind::Integer),
        ],
        about: "Values of several times, each a unit further back, as if they were of the range: from the first number of units to before the last.",
        run: time_stack,
    },
    Function {
        names: &["timeSlice"],
        group: "Transform",
        parameters: &[
            SERIES,
            Param::needed("startSliceAt", ParamKind::Date),
            Param::optional("endSliceAt", ParamKind::Date),
        ],
        about: "Values between two times, nulls before and behind.",
        run: time_slice,
    },
];

/// A length to shift by: into the past unless it has a sign.
fn backwards(text: String) -> String {
    if text.starts_with(|c: char| c.is_ascii_digit()) { format!("-{text}") } else { text }
}

/// The context over another range, which must be one.
pub(super) fn over<'a>(call: &Call<'a>, from: i64, until: i64) -> Result<Context<'a>, FunctionError> {
    if from < 0 {
        return Err(call.wrong("it looks at a time before 1970"));
    }
    if until < from {
        return Err(call.wrong("it looks at a time that ends before it begins"));
    }
    Ok(call.context.over(from, until))
}

/// The context at another time.
fn shifted<'a>(call: &Call<'a>, by: i64) -> Result<Context<'a>, FunctionError> {
    over(call, call.context.from.saturating_add(by), call.context.until.saturating_add(by))
}

/// A series put into another range. Values behind its end stay, as there: none of them is told, but the last bucket of an answer of
/// few points has its share of them.
pub(super) fn placed(series: Series, start: i64, end: i64) -> Series {
    Series { start, end, ..series }
}

fn time_shift(call: &Call<'_>) -> Answer {
    let text = backwards(call.text(1)?.unwrap_or_default());
    let context = shifted(call, times::offset(call, &text)?)?;
    let resets_end = call.truth(2)?.unwrap_or(true);
    let now = call.series(0)?;
    let Some(first) = now.first() else { return Ok(Vec::new()) };
    let one = |series: Series| {
        let end = if resets_end { first.end } else { series.end - series.start + first.start };
        let title = format!("timeShift({}, \"{text}\")", series.name);
        placed(series, first.start, end).tagged("timeShift", text.clone()).named(title)
    };
    Ok(call.series_in(0, &context)?.into_iter().map(one).collect())
}

fn time_stack(call: &Call<'_>) -> Answer {
    let text = backwards(call.text(1)?.unwrap_or_else(|| "1d".to_owned()));
    let unit = times::offset(call, &text)?;
    let (from, until) = (call.whole(2)?.unwrap_or(0), call.whole(3)?.unwrap_or(7));
    if until.saturating_sub(from) > MAX_STACKED {
        return Err(call.wrong(format!("at most {MAX_STACKED} times can be put on one another")));
    }
    let now = call.series(0)?;
    let Some(first) = now.first() else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for number in from..until {
        let context = shifted(call, unit.saturating_mul(number))?;
        let one = |series: Series| {
            let title = format!("timeShift({}, {text}, {number})", series.name);
            let series = series.tagged("timeShiftUnit", text.clone()).tagged("timeShift", number.to_string());
            placed(series, first.start, first.end).wrapped(title)
        };
        all.extend(call.series_in(0, &context)?.into_iter().map(one));
    }
    Ok(all)
}

fn time_slice(call: &Call<'_>) -> Answer {
    let from = times::utc_instant(call, &call.text(1)?.unwrap_or_default())?;
    let until = times::utc_instant(call, &call.text(2)?.unwrap_or_else(|| "now".to_owned()))?;
    let begin = call.context.taken(call.context.from);
    let one = |mut series: Series| {
        let step = series.step;
        for (at, value) in Arc::make_mut(&mut series.values).iter_mut().enumerate() {
            // graphite-web counts from where the range begins, as the request's zone shows it, not from the first slot.
            let time = begin + at as i64 * step;
            *value = if time < from || time > until { f64::NAN } else { *value };
        }
        let title = format!("timeSlice({}, {from}, {until})", series.name);
        let series = series.tagged("timeSliceStart", from.to_string());
        series.tagged("timeSliceEnd", until.to_string()).named(title)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

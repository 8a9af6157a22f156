//! Functions that make series of nothing, and those that say how series are read.

use super::FunctionError;
use super::align::Span;
use super::call::Call;
use super::format::plain;
use super::registry::{Answer, Function, Group, Param, ParamKind, SERIES};
use super::series::{Consolidation, Series};

const NAME: Param = Param::needed("name", ParamKind::Text);
const STEP: Param = Param::optional("step", ParamKind::Integer);
const FACTOR: Param = Param::needed("xFilesFactor", ParamKind::Float);

const GROUP: Group = Group("Special");

pub(super) const FUNCTIONS: &[Function] = &[
    GROUP.function(
        &["consolidateBy"],
        &[SERIES, Param::needed("consolidationFunc", ParamKind::Text)],
        "Says how values are put together where there are more than are asked for.",
        consolidate_by,
    ),
    GROUP.function(&["cumulative"], &[SERIES], "The same as `consolidateBy` with `sum`.", |call| {
        consolidated(call, "sum")
    }),
    GROUP.function(
        &["setXFilesFactor", "xFilesFactor"],
        &[SERIES, FACTOR],
        "Says how large a part of values must be known for them to be put together.",
        set_x_files_factor,
    ),
    GROUP.function(
        &["changed"],
        &[SERIES],
        "1 where a value is another than the one before, else 0.",
        changed,
    ),
    GROUP.function(
        &["fallbackSeries"],
        &[SERIES, Param::needed("fallback", ParamKind::SeriesList)],
        "The second list where the first one is empty.",
        fallback_series,
    ),
    GROUP.function(
        &["seriesByTag"],
        &[Param::needed("tagExpressions", ParamKind::Text).repeated()],
        "The series that all expressions take, each `tag=value`, `tag!=value`, `tag=~regex` or `tag!=~regex`.",
        series_by_tag,
    ),
    GROUP.function(
        &["constantLine"],
        &[Param::needed("value", ParamKind::Float)],
        "A horizontal line at a value.",
        |call| Ok(vec![constant_line(call)?]),
    ),
    Group("Calculate").function(&["identity"], &[NAME], "A series whose values are its times, once a minute.", identity),
    Group("Transform").function(
        &["time", "timeFunction"],
        &[NAME, STEP],
        "A series whose values are its times.",
        times,
    ),
    Group("Transform").function(
        &["sin", "sinFunction"],
        &[NAME, Param::optional("amplitude", ParamKind::Integer), STEP],
        "The sine of its times, as large as said.",
        sine,
    ),
    GROUP.function(
        &["randomWalk", "randomWalkFunction"],
        &[NAME, STEP],
        "A made-up walk up and down from 0, the same for the same name and range.",
        random_walk,
    ),
    GROUP.function(
        &["events"],
        &[Param::needed("tags", ParamKind::Text).repeated()],
        "How many events there were at each second that have all of these tags; `*` stands for any.",
        events,
    ),
];

fn series_by_tag(call: &Call<'_>) -> Answer {
    call.tagged()
}

fn consolidate_by(call: &Call<'_>) -> Answer {
    let way = call.text(1)?.unwrap_or_default();
    consolidated(call, &way)
}

fn consolidated(call: &Call<'_>, way: &str) -> Answer {
    let by = Consolidation::parse(way)
        .ok_or_else(|| call.wrong(format!("there is no way `{way}` to put values together")))?;
    let one = |series: Series| {
        let name = format!("consolidateBy({},\"{way}\")", series.name);
        let series = series.named(name.as_str()).tagged("consolidateBy", way);
        Series { consolidation: by, path_expression: name, ..series }
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn set_x_files_factor(call: &Call<'_>) -> Answer {
    let factor = call.number(1)?.unwrap_or(0.0);
    let one =
        |series: Series| Series { x_files_factor: factor, ..series.tagged("xFilesFactor", plain(factor)) };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn changed(call: &Call<'_>) -> Answer {
    let one = |series: Series| {
        let mut before = f64::NAN;
        let change = |value: &f64| {
            let is_first = before.is_nan();
            let has_changed = !is_first && !value.is_nan() && before.to_bits() != value.to_bits();
            if is_first || has_changed {
                before = *value;
            }
            f64::from(u8::from(has_changed))
        };
        let values = series.values.iter().map(change).collect();
        let name = format!("changed({})", series.name);
        Series { path_expression: name.clone(), ..series.with_values(values).named(name) }
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn fallback_series(call: &Call<'_>) -> Answer {
    let series = call.series(0)?;
    if series.is_empty() { call.series(1) } else { Ok(series) }
}

/// A line of three values over the whole range, called as the value is written.
pub(super) fn constant_line(call: &Call<'_>) -> Result<Series, FunctionError> {
    let value = call.number(0)?.ok_or_else(|| call.wrong("a number is needed"))?;
    let name = plain(value);
    let (from, until) = (call.context.from, call.context.until);
    let line = Series::new(name.as_str(), from, ((until - from) / 2).max(1), vec![value; 3]);
    let path_expression = format!("constantLine({name})");
    Ok(Series {
        end: until,
        path_expression,
        x_files_factor: call.context.x_files_factor.unwrap_or(0.0),
        ..line
    })
}

fn identity(call: &Call<'_>) -> Answer {
    let name = call.text(0)?.unwrap_or_default();
    let (from, until) = (call.context.from, call.context.until);
    call.context.spend(((until - from).max(0) / 60) as usize)?;
    let values = (from..until).step_by(60).map(|at| at as f64).collect();
    let path_expression = format!("identity(\"{name}\")");
    Ok(vec![Series { end: until, path_expression, ..Series::new(name, from, 60, values) }])
}

/// A series of its times, at the distance that the argument at a place says.
fn over_time(call: &Call<'_>, step_at: usize, mut value: impl FnMut(i64) -> f64) -> Answer {
    let step = call.whole(step_at)?.unwrap_or(60);
    let (from, until) = (call.context.from, call.context.until);
    if !(1..=until - from).contains(&step) {
        return Err(call.wrong(format!("`step` must be from 1 to the length of the range, not {step}")));
    }
    call.context.spend(((until - from) / step) as usize)?;
    let values = (from..until).step_by(step as usize).map(&mut value).collect();
    Ok(vec![Series { end: until, ..Series::new(call.text(0)?.unwrap_or_default(), from, step, values) }])
}

/// Its times are those that the request's zone shows, and so are its ends.
fn times(call: &Call<'_>) -> Answer {
    let context = call.context;
    let ahead = context.taken(context.from) - context.from;
    let mut series = over_time(call, 1, |at| (at + ahead) as f64)?;
    for one in &mut series {
        (one.start, one.end) = (context.taken(one.start), context.taken(one.end));
    }
    Ok(series)
}

fn sine(call: &Call<'_>) -> Answer {
    let (amplitude, context) = (call.number(1)?.unwrap_or(1.0), call.context);
    let ahead = context.taken(context.from) - context.from;
    over_time(call, 2, |at| ((at + ahead) as f64).sin() * amplitude)
}

fn random_walk(call: &Call<'_>) -> Answer {
    let name = call.text(0)?.unwrap_or_default();
    let mut state =
        name.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |seed, byte| (seed ^ u64::from(byte)).rotate_left(9));
    let mut at = 0.0;
    over_time(call, 1, |_| {
        let here = at;
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        at += (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        here
    })
}

fn events(call: &Call<'_>) -> Answer {
    let tags: Vec<String> = call.values(0)?.iter().map(ToString::to_string).collect();
    let name = format!("events(\"{}\")", tags.join("\", \""));
    let (from, until) = (call.context.from, call.context.until);
    let count = (until - from).max(0) as usize;
    call.context.spend(count)?;
    let wanted: Vec<String> = tags.iter().filter(|tag| *tag != "*").cloned().collect();
    let found = if tags.is_empty() { Vec::new() } else { call.context.events(&wanted)? };
    let mut values = vec![f64::NAN; count];
    for at in found {
        if let Some(value) = usize::try_from(at - from).ok().and_then(|slot| values.get_mut(slot)) {
            *value = if value.is_nan() { 1.0 } else { *value + 1.0 };
        }
    }
    let mut series = call.context.made(name, Span { start: from, end: until, step: 1 }, values);
    series.consolidation = Consolidation::Sum;
    Ok(vec![series])
}

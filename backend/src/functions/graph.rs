//! Functions that say how series are drawn. Their values stay as they are, but for stacks.

use super::call::Call;
use super::format::general;
use super::registry::{Answer, Function, Group, Param, ParamKind, SERIES};
use super::series::Series;
use super::special::constant_line;
use super::times;

/// What a stack is called that has no name.
const UNNAMED: &str = "__DEFAULT__";

const GROUP: Group = Group("Graph");

pub(super) const FUNCTIONS: &[Function] = &[
    GROUP.function(
        &["alpha"],
        &[SERIES, Param::needed("alpha", ParamKind::Float)],
        "Draws series half transparent.",
        plain_number,
    ),
    GROUP.function(
        &["color"],
        &[SERIES, Param::needed("theColor", ParamKind::Text)],
        "Draws series in a colour.",
        |call| call.series(0),
    ),
    GROUP.function(
        &["lineWidth"],
        &[SERIES, Param::needed("width", ParamKind::Float)],
        "Draws lines of a width.",
        plain_number,
    ),
    GROUP.function(
        &["dashed"],
        &[SERIES, Param::optional("dashLength", ParamKind::Integer)],
        "Draws lines with dashes, 5 pixels long or as long as said.",
        dashed,
    ),
    GROUP.function(
        &["drawAsInfinite"],
        &[SERIES],
        "Draws a vertical line wherever a value is not 0.",
        |call| marked(call, "drawAsInfinite"),
    ),
    GROUP.function(
        &["secondYAxis"],
        &[SERIES],
        "Draws series against an axis of their own at the right.",
        |call| marked(call, "secondYAxis"),
    ),
    GROUP.function(
        &["stacked"],
        &[SERIES, Param::optional("stack", ParamKind::Text)],
        "Draws series on top of each other, those of a name in one stack.",
        stacked,
    ),
    GROUP.function(&["areaBetween"], &[SERIES], "Draws the area between two series.", area_between),
    GROUP.function(
        &["threshold"],
        &[
            Param::needed("value", ParamKind::Float),
            Param::optional("label", ParamKind::Text),
            Param::optional("color", ParamKind::Text),
        ],
        "Draws a horizontal line at a value, under a name.",
        threshold,
    ),
    GROUP.function(
        &["verticalLine"],
        &[
            Param::needed("ts", ParamKind::Date),
            Param::optional("label", ParamKind::Text),
            Param::optional("color", ParamKind::Text),
        ],
        "Draws a vertical line at a time of the range, under a name.",
        vertical_line,
    ),
];

fn plain_number(call: &Call<'_>) -> Answer {
    call.number(1)?;
    call.series(0)
}

fn dashed(call: &Call<'_>) -> Answer {
    let given = call.value(1)?;
    let length = call.number(1)?.unwrap_or(5.0);
    let tag = given.map_or_else(|| "5".to_owned(), |value| value.to_string());
    let one = |series: Series| {
        let name = format!("dashed({}, {})", series.name, general(length));
        series.named(name).tagged("dashed", tag.as_str())
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

/// Series with a tag of the function's name, called by it.
fn marked(call: &Call<'_>, tag: &str) -> Answer {
    let one = |series: Series| {
        let name = format!("{tag}({})", series.name);
        series.named(name).tagged(tag, "1")
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn stacked(call: &Call<'_>) -> Answer {
    let stack = call.text(1)?.unwrap_or_else(|| UNNAMED.to_owned());
    let series = call.series(0)?;
    Ok(call.context.with_stack(&stack, |sums| {
        let one = |series: Series| {
            sums.resize(sums.len().max(series.values.len()), 0.0);
            let mut at = 0;
            let on_top = series.values.iter().map(|value| {
                let sum = &mut sums[at];
                at += 1;
                *sum += if value.is_nan() { 0.0 } else { *value };
                if value.is_nan() { f64::NAN } else { *sum }
            });
            let values = on_top.collect();
            let series = series.with_values(values);
            if stack != UNNAMED {
                return series;
            }
            let name = format!("stacked({})", series.name);
            series.named(name).tagged("stacked", UNNAMED)
        };
        series.into_iter().map(one).collect()
    }))
}

fn area_between(call: &Call<'_>) -> Answer {
    let [lower, upper] = <[Series; 2]>::try_from(call.series(0)?)
        .map_err(|series| call.wrong(format!("it takes two series, not {}", series.len())))?;
    let name = format!("areaBetween({})", upper.path_expression);
    let upper = upper.named(name.as_str()).tagged("areaBetween", "1");
    let lower = Series { tags: upper.tags.clone(), ..lower.named(name) };
    Ok(vec![lower, upper])
}

fn threshold(call: &Call<'_>) -> Answer {
    let line = constant_line(call)?;
    Ok(vec![match call.text(1)?.filter(|label| !label.is_empty()) {
        Some(label) => line.named(label),
        None => line,
    }])
}

/// A point in time, which graphite-web has two values of.
fn vertical_line(call: &Call<'_>) -> Answer {
    let text = call.needed_text(0)?;
    let at = times::instant(call, &call.context.clock, &text)?;
    if !(call.context.from..=call.context.until).contains(&at) {
        return Err(call.wrong(format!("`{text}` lies outside of the range")));
    }
    let label = call.text(1)?.unwrap_or_else(|| "None".to_owned());
    let line = Series::new(label, at, 1, vec![1.0; 2]);
    Ok(vec![Series { end: at, x_files_factor: call.context.x_files_factor.unwrap_or(0.0), ..line }])
}

//! Functions that say how series are drawn. Their values stay as they are, but for stacks.

use super::call::Call;
use super::format::general;
use super::registry::{Answer, Function, Group, Param, ParamKind, SERIES};
use super::series::{Look, Role, Series};
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
        |call| with_number(call, |look, alpha| look.alpha = Some(alpha)),
    ),
    GROUP.function(
        &["color"],
        &[SERIES, Param::needed("theColor", ParamKind::Text)],
        "Draws series in a colour.",
        color,
    ),
    GROUP.function(
        &["lineWidth"],
        &[SERIES, Param::needed("width", ParamKind::Float)],
        "Draws lines of a width.",
        |call| with_number(call, |look, width| look.line_width = Some(width)),
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
        |call| marked(call, "drawAsInfinite", |look| look.role = Role::Infinite),
    ),
    GROUP.function(
        &["secondYAxis"],
        &[SERIES],
        "Draws series against an axis of their own at the right.",
        |call| marked(call, "secondYAxis", |look| look.is_right = true),
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

/// Series that look otherwise by a number.
fn with_number(call: &Call<'_>, change: impl Fn(&mut Look, f64)) -> Answer {
    let number = call.number(1)?;
    let one =
        |series: Series| series.looking(|look| number.into_iter().for_each(|number| change(look, number)));
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn color(call: &Call<'_>) -> Answer {
    let colour = call.text(1)?;
    let one = |series: Series| series.looking(|look| look.colour.clone_from(&colour));
    Ok(call.series(0)?.into_iter().map(one).collect())
}

fn dashed(call: &Call<'_>) -> Answer {
    let given = call.value(1)?;
    let length = call.number(1)?.unwrap_or(5.0);
    let tag = given.map_or_else(|| "5".to_owned(), |value| value.to_string());
    let one = |series: Series| {
        let name = format!("dashed({}, {})", series.name, general(length));
        series.named(name).tagged("dashed", tag.as_str()).looking(|look| look.dash = Some(length))
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}

/// Series with a tag of the function's name, called by it.
fn marked(call: &Call<'_>, tag: &str, change: impl Fn(&mut Look)) -> Answer {
    let one = |series: Series| {
        let name = format!("{tag}({})", series.name);
        series.named(name).tagged(tag, "1").looking(&change)
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
            let series = series.with_values(values).looking(|look| look.stack = Some(stack.clone()));
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
    let upper =
        upper.named(name.as_str()).tagged("areaBetween", "1").looking(|look| look.role = Role::UpperEdge);
    let lower =
        Series { tags: upper.tags.clone(), ..lower.named(name) }.looking(|look| look.role = Role::LowerEdge);
    Ok(vec![lower, upper])
}

fn threshold(call: &Call<'_>) -> Answer {
    let colour = call.text(2)?;
    let line = constant_line(call)?.looking(|look| look.colour = colour);
    Ok(vec![match call.text(1)?.filter(|label| !label.is_empty()) {
        Some(label) => line.named(label),
        None => line,
    }])
}

/// A point in time, which graphite-web has two values of. It stands where UTC shows what the request's zone shows at that time.
fn vertical_line(call: &Call<'_>) -> Answer {
    let text = call.needed_text(0)?;
    let context = call.context;
    let at = context.taken(times::instant(call, &context.clock, &text)?);
    if !(context.taken(context.from)..=context.taken(context.until)).contains(&at) {
        return Err(call.wrong(format!("`{text}` lies outside of the range")));
    }
    let label = call.text(1)?.unwrap_or_else(|| "None".to_owned());
    let line = Series::new(label, at, 1, vec![1.0; 2]);
    Ok(vec![Series { end: at, x_files_factor: call.context.x_files_factor.unwrap_or(0.0), ..line }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::parse::parse;
    use crate::functions::{Context, Fetch, FunctionError, evaluate};

    struct Two;

    impl Fetch for Two {
        fn fetch(&self, path: &str, from: i64, _until: i64) -> Result<Vec<Series>, FunctionError> {
            let one = |name: &str| Series::new(format!("{path}.{name}"), from, 60, vec![1.0, 2.0]);
            Ok(vec![one("x"), one("y")])
        }
    }

    fn looks(target: &str) -> Vec<Look> {
        let series = evaluate(&parse(target).unwrap(), &Context::new(&Two, 0, 120, 120)).unwrap();
        series.into_iter().map(|one| one.look).collect()
    }

    #[test]
    fn what_functions_say_of_the_look_stays_with_the_series() {
        let check = |target: &str, change: fn(&mut Look)| {
            let mut expected = Look::default();
            change(&mut expected);
            assert_eq!(looks(target), [expected.clone(), expected], "{target}");
        };
        check("a", |_| {});
        check("color(a,'red')", |look| look.colour = Some("red".into()));
        check("alpha(a,0.5)", |look| look.alpha = Some(0.5));
        check("lineWidth(a,3)", |look| look.line_width = Some(3.0));
        check("dashed(a)", |look| look.dash = Some(5.0));
        check("dashed(a,2)", |look| look.dash = Some(2.0));
        check("secondYAxis(a)", |look| look.is_right = true);
        check("drawAsInfinite(a)", |look| look.role = Role::Infinite);
        check("stacked(a,'s')", |look| look.stack = Some("s".into()));
        let within = "alias(scale(alpha(color(a,'red'),0.5),2),'b')";
        check(within, |look| (look.colour, look.alpha) = (Some("red".into()), Some(0.5)));
        let roles: Vec<Role> = looks("areaBetween(a)").iter().map(|look| look.role).collect();
        assert_eq!(roles, [Role::LowerEdge, Role::UpperEdge]);
        assert_eq!(looks("threshold(5,'limit','orange')")[0].colour.as_deref(), Some("orange"));
        assert_eq!(looks("sumSeries(color(a,'red'))"), [Look::default()], "a sum is another series");
    }
}

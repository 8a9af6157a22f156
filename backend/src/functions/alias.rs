//! Functions that name series.

use super::FunctionError;
use super::aggregate::Aggregate;
use super::call::Call;
use super::format::{BINARY, MILLISECONDS, SECONDS, SI, Units, plain, printed, shortened, with_unit};
use super::nodes::{Node, index, key, range};
use super::pattern::Pattern;
use super::registry::{Answer, Function, Group, Param, ParamKind, SERIES};
use super::series::Series;

const NODES: Param = Param::needed("nodes", ParamKind::NodeOrTag).repeated();
const PLACES: Param = Param::optional("pos", ParamKind::Integer).repeated();
const SEARCH: Param = Param::needed("search", ParamKind::Text);
const REPLACE: Param = Param::needed("replace", ParamKind::Text);
const NEW_NAME: Param = Param::needed("newName", ParamKind::Text);

const GROUP: Group = Group("Alias");

pub(super) const FUNCTIONS: &[Function] = &[
    GROUP.function(&["alias"], &[SERIES, NEW_NAME], "Gives each series this name.", alias),
    GROUP.function(&["aliasByMetric"], &[SERIES], "Names each series after the last node of its path.", |call| {
        cut(call, -1, 0)
    }),
    GROUP.function(
        &["aliasByNode"],
        &[SERIES, NODES],
        "Names each series after nodes of its path, counted from 0 or with -1 from the end, and after tags.",
        alias_by_node,
    ),
    GROUP.function(
        &["aliasByTags"],
        &[SERIES, Param::needed("tags", ParamKind::NodeOrTag).repeated()],
        "Names each series after its tags, and after nodes of its path.",
        alias_by_node,
    ),
    GROUP.function(
        &["aliasQuery"],
        &[SERIES, SEARCH, REPLACE, NEW_NAME],
        "Turns each name into another target by a regular expression and names the series after that one's last value, \
         which the new name prints as `%d` or `%g`.",
        alias_query,
    ),
    GROUP.function(
        &["aliasSub"],
        &[SERIES, SEARCH, REPLACE],
        "Replaces what a regular expression finds in the names; `\\1` is its first group.",
        alias_sub,
    ),
    GROUP.function(
        &["legendValue"],
        &[SERIES, Param::optional("valuesTypes", ParamKind::Text).repeated()],
        "Writes values of the whole series behind its name, as `avg`, `max` or `last`; with `si` or `binary` last, in a \
         column and shortened.",
        legend_value,
    ),
    GROUP.function(
        &["upper"],
        &[SERIES, PLACES],
        "Writes names, or their characters at these places, in capitals.",
        |call| in_case(call, str::to_uppercase),
    ),
    GROUP.function(
        &["lower"],
        &[SERIES, PLACES],
        "Writes names, or their characters at these places, in small letters.",
        |call| in_case(call, str::to_lowercase),
    ),
    Function {
        names: &["substr"],
        group: "Special",
        parameters: &[
            SERIES,
            Param::optional("start", ParamKind::Node),
            Param::optional("stop", ParamKind::Node),
        ],
        about: "Names each series after the nodes from one to before another, functions around the path left out.",
        run: |call| cut(call, call.whole(1)?.unwrap_or(0), call.whole(2)?.unwrap_or(0)),
    },
    Function {
        names: &["cactiStyle"],
        group: "Special",
        parameters: &[
            SERIES,
            Param::optional("system", ParamKind::Text),
            Param::optional("units", ParamKind::Text),
        ],
        about: "Writes the last, the greatest and the least value behind each name, in columns; shortened by `si`, `binary`, `sec` or `msec` \
                and with a unit where they are given.",
        run: cacti_style,
    },
];

fn renamed(call: &Call<'_>, name: impl Fn(&Series) -> Result<String, FunctionError>) -> Answer {
    let series = call.series(0)?.into_iter();
    series.map(|one| name(&one).map(|name| one.named(name))).collect()
}

fn alias(call: &Call<'_>) -> Answer {
    let name = call.needed_text(1)?;
    renamed(call, |_| Ok(name.clone()))
}

fn alias_by_node(call: &Call<'_>) -> Answer {
    let nodes = Node::some(call, 1)?;
    renamed(call, |one| Ok(key(one, &nodes)))
}

fn alias_sub(call: &Call<'_>) -> Answer {
    let pattern = Pattern::of(call, 1)?;
    let replacement = pattern.replacement(2)?;
    renamed(call, |one| pattern.replace(&one.name, &replacement))
}

fn alias_query(call: &Call<'_>) -> Answer {
    let pattern = Pattern::of(call, 1)?;
    let (replacement, form) = (pattern.replacement(2)?, call.needed_text(3)?);
    renamed(call, |one| {
        let target = pattern.replace(&one.name, &replacement)?;
        let found = call.evaluate(&target)?;
        let first = found.first().ok_or_else(|| call.wrong(format!("there is no series `{target}`")))?;
        let last = first.known().next_back();
        let last = last.ok_or_else(|| call.wrong(format!("`{target}` has no value")))?;
        let misprint =
            || call.wrong(format!("`{form}` does not print one number; write `%d`, `%g` or `%.2f`"));
        printed(&form, last).ok_or_else(misprint)
    })
}

fn legend_value(call: &Call<'_>) -> Answer {
    let given = call.values(1)?;
    let mut kinds: Vec<String> = given.iter().map(ToString::to_string).collect();
    let units = match kinds.last().map(String::as_str) {
        None => return Err(call.wrong("`valuesTypes` is missing")),
        Some("si") => Some(SI),
        Some("binary") => Some(BINARY),
        Some(_) => None,
    };
    kinds.truncate(kinds.len() - usize::from(units.is_some()));
    renamed(call, |one| {
        let add = |name: String, kind: &String| {
            let value = value_text(one, kind, units);
            match units {
                None => format!("{name} ({kind}: {value})"),
                Some(_) => format!("{name:<20}{kind:<5}{value:<10}"),
            }
        };
        Ok(kinds.iter().fold(one.name.clone(), add))
    })
}

/// A value of a whole series as legends have it.
fn value_text(series: &Series, kind: &str, units: Option<Units>) -> String {
    let Some(by) = Aggregate::parse(kind) else { return "(?)".to_owned() };
    match (by.of_column(&series.values), units) {
        (value, _) if value.is_nan() => "None".to_owned(),
        (value, Some(units)) => with_unit(value, units),
        (value, None) if by == Aggregate::Count => format!("{value:.0}"),
        (value, None) => plain(value),
    }
}

/// A system of units by its name.
fn units(call: &Call<'_>, name: &str) -> Result<Units, FunctionError> {
    Ok(match name {
        "" | "none" => &[],
        "si" => SI,
        "binary" => BINARY,
        "sec" => SECONDS,
        "msec" => MILLISECONDS,
        other => {
            let why = format!("there is no system `{other}`; there are si, binary, sec, msec and none");
            return Err(call.wrong(why));
        }
    })
}

fn cacti_style(call: &Call<'_>) -> Answer {
    let series = call.series(0)?;
    if series.is_empty() {
        return Ok(series);
    }
    let (system, unit) =
        (units(call, &call.text(1)?.unwrap_or_default())?, call.text(2)?.unwrap_or_default());
    let gap = if unit.is_empty() { "" } else { " " };
    let written = |value: f64| {
        let (number, letter) = shortened(value, system);
        format!("{number:.2}{gap}{letter}{unit}")
    };
    let name_width = series.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    let kinds = [("Current", Aggregate::Last), ("Max", Aggregate::Max), ("Min", Aggregate::Min)];
    let columns = kinds.map(|(title, by)| {
        let values: Vec<f64> = series.iter().map(|one| by.of_column(&one.values)).collect();
        // Columns are as wide as the values without their fractions; 3 stands for nothing and for 0.
        let whole = |value: &f64| if value.is_nan() || *value == 0.0 { 3.0 } else { value.trunc() + 0.0 };
        let width = values.iter().map(|value| written(whole(value)).chars().count()).max().unwrap_or(0) + 3;
        (title, values, width)
    });
    let one = |(at, series): (usize, Series)| {
        let cells = columns.iter().map(|(title, values, width)| {
            let value = if values[at].is_nan() { "nan".to_owned() } else { written(values[at]) };
            format!("{title}:{value:<width$} ")
        });
        let name = format!("{:<name_width$} {}", series.name, cells.collect::<String>());
        series.named(name)
    };
    Ok(series.into_iter().enumerate().map(one).collect())
}

fn in_case(call: &Call<'_>, change: fn(&str) -> String) -> Answer {
    let places = call.wholes(1)?;
    renamed(call, |one| {
        if places.is_empty() {
            return Ok(change(&one.name));
        }
        let mut parts: Vec<String> = one.name.chars().map(String::from).collect();
        for at in places.iter().filter_map(|place| index(parts.len(), *place)).collect::<Vec<_>>() {
            parts[at] = change(&parts[at]);
        }
        Ok(parts.concat())
    })
}

/// Named after the nodes of the innermost path; a stop of 0 is the end.
fn cut(call: &Call<'_>, start: i64, stop: i64) -> Answer {
    renamed(call, |one| {
        let name = one.name.as_str();
        let inner = name.rfind('(').map_or(0, |at| at + 1);
        let path = name.get(inner..name.find(')').unwrap_or(name.len())).unwrap_or_default();
        let nodes: Vec<&str> = path.split('.').collect();
        let stop = if stop == 0 { nodes.len() as i64 } else { stop };
        let kept = nodes[range(nodes.len(), start, stop)].join(".");
        Ok(kept.split(',').next().unwrap_or_default().to_owned())
    })
}

//! Functions that put series into groups by parts of their names, and make one series of each group.

use super::FunctionError;
use super::aggregate::Aggregate;
use super::call::Call;
use super::combine::one_of;
use super::nodes::{Node, built, grouped, index, key, range};
use super::registry::{Answer, Function, Group, Param, ParamKind, SERIES, find};
use super::series::Series;
use std::collections::{BTreeMap, BTreeSet};

const CALLBACK: Param = Param::needed("callback", ParamKind::AggOrSeriesFunc);
const POSITION: Param = Param::optional("position", ParamKind::Node).repeated();

const GROUP: Group = Group("Combine");

pub(super) const FUNCTIONS: &[Function] = &[
    GROUP.function(
        &["sumSeriesWithWildcards"],
        &[SERIES, POSITION],
        "The sum of those series that are called alike but for the nodes at these places.",
        |call| with_wildcards(call, "sum", 1),
    ),
    GROUP.function(
        &["averageSeriesWithWildcards"],
        &[SERIES, POSITION],
        "The mean of those series that are called alike but for the nodes at these places.",
        |call| with_wildcards(call, "average", 1),
    ),
    GROUP.function(
        &["multiplySeriesWithWildcards"],
        &[SERIES, POSITION],
        "The product of those series that are called alike but for the nodes at these places.",
        |call| with_wildcards(call, "multiply", 1),
    ),
    GROUP.function(
        &["aggregateWithWildcards"],
        &[SERIES, Param::needed("func", ParamKind::AggFunc), POSITION],
        "One series of those that are called alike but for the nodes at these places, put together by `func`.",
        |call| with_wildcards(call, &call.needed_text(1)?, 2),
    ),
    GROUP.function(
        &["groupByNode"],
        &[
            SERIES,
            Param::needed("nodeNum", ParamKind::NodeOrTag),
            Param::optional("callback", ParamKind::AggOrSeriesFunc),
        ],
        "One series of those that have the same node at a place, or the same tag, put together by `callback`, else their mean.",
        |call| {
            let mut nodes = Node::some(call, 1)?;
            nodes.truncate(1);
            by_nodes(call, &call.text(2)?.unwrap_or_else(|| "average".to_owned()), &nodes)
        },
    ),
    GROUP.function(
        &["groupByNodes"],
        &[SERIES, CALLBACK, Param::optional("nodes", ParamKind::NodeOrTag).repeated()],
        "One series of those that have the same nodes at these places, and the same tags, put together by `callback`.",
        |call| by_nodes(call, &call.needed_text(1)?, &Node::all(call, 2)?),
    ),
    GROUP.function(
        &["groupByTags"],
        &[SERIES, CALLBACK, Param::needed("tags", ParamKind::Tag).repeated()],
        "One series of those that have the same values of these tags, put together by `callback`.",
        by_tags,
    ),
    GROUP.function(
        &["applyByNode"],
        &[
            SERIES,
            Param::needed("nodeNum", ParamKind::Node),
            Param::needed("templateFunction", ParamKind::Text),
            Param::optional("newName", ParamKind::Text),
        ],
        "Evaluates a target for each beginning of the paths up to a node, which stands for `%` in it and in the new name.",
        apply_by_node,
    ),
    GROUP.function(
        &["mapSeries", "map"],
        &[SERIES, Param::needed("mapNodes", ParamKind::NodeOrTag).repeated()],
        "The series in groups of the same nodes, for `reduceSeries`.",
        // The groups stand behind each other in one list: `reduceSeries` finds by the names what belongs together.
        |call| {
            let nodes = Node::some(call, 1)?;
            Ok(grouped(call.series(0)?, |one| key(one, &nodes))
                .into_iter()
                .flat_map(|(_, group)| group)
                .collect())
        },
    ),
    GROUP.function(
        &["reduceSeries", "reduce"],
        &[
            Param::needed("seriesLists", ParamKind::SeriesLists),
            Param::needed("reduceFunction", ParamKind::Text),
            Param::needed("reduceNode", ParamKind::Node),
            Param::needed("reduceMatchers", ParamKind::Text).repeated(),
        ],
        "Calls a function once for each beginning of the paths up to a node, with the series whose node is the first matcher, \
         that whose is the second, and so on. Where one of them is not there nothing is made.",
        reduce,
    ),
];

/// One series of a group, by a function or a way to put values together.
fn put_together(
    call: &Call<'_>,
    group: Vec<Series>,
    callback: &str,
) -> Result<Option<Series>, FunctionError> {
    if find(callback).is_some() {
        return Ok(call.apply(callback, vec![group])?.into_iter().next());
    }
    aggregated(call, &group, callback)
}

fn aggregated(call: &Call<'_>, group: &[Series], func: &str) -> Result<Option<Series>, FunctionError> {
    let name = func.strip_suffix("Series").unwrap_or(func);
    Ok(one_of(group, name, Aggregate::of(call, name)?, call.context.x_files_factor))
}

/// One series of each group, called by its key.
fn each_group(call: &Call<'_>, groups: Vec<(String, Vec<Series>)>, callback: &str) -> Answer {
    let one = |(key, group)| Ok(put_together(call, group, callback)?.map(|one| one.named(key)));
    groups.into_iter().filter_map(|group| one(group).transpose()).collect()
}

fn with_wildcards(call: &Call<'_>, func: &str, from: usize) -> Answer {
    let places = call.wholes(from)?;
    let key = |one: &Series| {
        let nodes = one.name.split('.').enumerate();
        let kept = nodes.filter(|(at, _)| !places.contains(&(*at as i64))).map(|(_, node)| node);
        kept.collect::<Vec<_>>().join(".")
    };
    let one =
        |(key, group): (String, Vec<Series>)| Ok(aggregated(call, &group, func)?.map(|one| one.named(key)));
    grouped(call.series(0)?, key).into_iter().filter_map(|group| one(group).transpose()).collect()
}

fn by_nodes(call: &Call<'_>, callback: &str, nodes: &[Node]) -> Answer {
    each_group(call, grouped(call.series(0)?, |one| key(one, nodes)), callback)
}

fn by_tags(call: &Call<'_>) -> Answer {
    let (series, callback) = (call.series(0)?, call.needed_text(1)?);
    let tags: BTreeSet<String> = call.values(2)?.iter().map(ToString::to_string).collect();
    if tags.is_empty() {
        return Err(call.wrong("`tags` is missing"));
    }
    let tag = |one: &Series, tag: &str| one.tags.get(tag).cloned().unwrap_or_default();
    let names: BTreeSet<String> = series.iter().map(|one| tag(one, "name")).collect();
    let shared = if names.len() == 1 { names.first().cloned() } else { Some(callback.clone()) };
    let key = |one: &Series| {
        let name = if tags.contains("name") { None } else { shared.clone() };
        let mut key = name.unwrap_or_else(|| tag(one, "name"));
        for name in tags.iter().filter(|name| *name != "name") {
            key.extend([";", name, "=", &tag(one, name)]);
        }
        key
    };
    let renamed = |one: Series| {
        let name = one.name.clone();
        Series { tags: tags_of(&name), ..one.wrapped(name) }
    };
    Ok(each_group(call, grouped(series, key), &callback)?.into_iter().map(renamed).collect())
}

/// The tags in `name;tag=value;tag=value`.
fn tags_of(name: &str) -> BTreeMap<String, String> {
    let (name, tags) = name.split_once(';').unwrap_or((name, ""));
    let pairs =
        tags.split(';').filter_map(|pair| pair.split_once('=')).filter(|(_, value)| !value.is_empty());
    pairs.chain([("name", name)]).map(|(tag, value)| (tag.to_owned(), value.to_owned())).collect()
}

fn apply_by_node(call: &Call<'_>) -> Answer {
    let series = call.series(0)?;
    let place = call.whole(1)?.ok_or_else(|| call.wrong("`nodeNum` is missing"))?;
    let (template, new_name) = (call.needed_text(2)?, call.text(3)?);
    let Some(last) = series.last() else { return Ok(Vec::new()) };
    let beginning = |one: &Series| {
        let nodes: Vec<&str> = one.name.split('.').collect();
        nodes[range(nodes.len(), 0, place.saturating_add(1))].join(".")
    };
    let mut found = Vec::new();
    for prefix in series.iter().map(beginning).collect::<BTreeSet<_>>() {
        for mut one in call.evaluate(&built(call, template.replace('%', &prefix))?)? {
            if let Some(new_name) = &new_name {
                one.name = built(call, new_name.replace('%', &prefix))?;
            }
            one.path_expression.clone_from(&prefix);
            (one.start, one.end) = (last.start, last.end);
            found.push(one);
        }
    }
    Ok(found)
}

fn reduce(call: &Call<'_>) -> Answer {
    let function = call.needed_text(1)?;
    let place = call.whole(2)?.ok_or_else(|| call.wrong("`reduceNode` is missing"))?;
    let matchers: Vec<String> = call.values(3)?.iter().map(ToString::to_string).collect();
    if find(&function).is_none() {
        return Err(call.wrong(format!("there is no function `{function}`")));
    }
    let parts = |one: &Series| {
        let nodes: Vec<&str> = one.name.split('.').collect();
        let at = index(nodes.len(), place)?;
        let matcher = matchers.iter().position(|matcher| matcher == nodes[at])?;
        Some((format!("{}.reduce.{function}", nodes[..at].join(".")), matcher))
    };
    let mut series = call.series(0)?;
    series.retain(|one| parts(one).is_some());
    let mut made = Vec::new();
    for (name, group) in grouped(series, |one| parts(one).map_or_else(String::new, |(name, _)| name)) {
        // The last one of a name stands for it.
        let mut lists = vec![Vec::new(); matchers.len()];
        for one in group {
            if let Some((_, matcher)) = parts(&one) {
                lists[matcher] = vec![one];
            }
        }
        if lists.iter().all(|list| !list.is_empty()) {
            made.extend(call.apply(&function, lists)?.into_iter().next().map(|one| one.named(name)));
        }
    }
    Ok(made)
}

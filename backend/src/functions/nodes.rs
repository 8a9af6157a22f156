//! Parts of names: the nodes of a path and the tags by which series are named, grouped and told apart.
//!
//! A name that a function has made, as `scale(a.b,2)`, counts as the first path in it. Places are counted from 0, and from the end
//! where they are negative, as Python counts them.

use super::FunctionError;
use super::call::{Call, Value};
use super::parse::first_path;
use super::series::Series;
use std::collections::HashMap;
use std::ops::Range;

/// Names that functions build of given texts may be so long, in bytes: texts could double them at each call.
const MAX_NAME_BYTES: usize = 65_536;

/// A node by its place, or a tag by its name.
pub(super) enum Node {
    At(i64),
    Tag(String),
}

impl Node {
    /// The nodes and tags that a call names from a place on.
    pub(super) fn all(call: &Call<'_>, from: usize) -> Result<Vec<Self>, FunctionError> {
        let node = |value| match value {
            Value::Whole(place) => Ok(Self::At(place)),
            Value::Number(place) if place.fract() == 0.0 => Ok(Self::At(place as i64)),
            Value::Text(tag) => Ok(Self::Tag(tag)),
            other => Err(call.wrong(format!("`{other}` is neither a node's place nor a tag"))),
        };
        call.values(from)?.into_iter().map(node).collect()
    }

    /// At least one of them.
    pub(super) fn some(call: &Call<'_>, from: usize) -> Result<Vec<Self>, FunctionError> {
        let nodes = Self::all(call, from)?;
        if nodes.is_empty() {
            Err(call.wrong("the places of nodes, or tags, are missing"))
        } else {
            Ok(nodes)
        }
    }

    /// Empty where the path has no such node and the series no such tag.
    fn of<'a>(&self, path: &'a str, series: &'a Series) -> &'a str {
        let tag = |name: &str| series.tags.get(name).map_or("", String::as_str);
        match self {
            Self::Tag(name) => tag(name),
            Self::At(place) => {
                let path = path.split(';').next().unwrap_or_default();
                match index(path.split('.').count(), *place) {
                    Some(at) => path.split('.').nth(at).unwrap_or_default(),
                    None => tag(&place.to_string()),
                }
            }
        }
    }
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(place) => write!(f, "{place}"),
            Self::Tag(name) => f.write_str(name),
        }
    }
}

/// What nodes and tags a series has, with dots between them.
pub(super) fn key(series: &Series, nodes: &[Node]) -> String {
    let made = series.name.ends_with(')').then(|| first_path(&series.name)).flatten();
    let path = made.as_deref().unwrap_or(&series.name);
    nodes.iter().map(|node| node.of(path, series)).collect::<Vec<_>>().join(".")
}

/// Series by their key, both in the order in which they come.
pub(super) fn grouped(series: Vec<Series>, key: impl Fn(&Series) -> String) -> Vec<(String, Vec<Series>)> {
    let mut groups: Vec<(String, Vec<Series>)> = Vec::new();
    let mut places = HashMap::new();
    for one in series {
        let key = key(&one);
        let at = *places.entry(key.clone()).or_insert(groups.len());
        if at == groups.len() {
            groups.push((key, Vec::new()));
        }
        groups[at].1.push(one);
    }
    groups
}

/// A place among so many; `None` where there is none.
pub(super) fn index(len: usize, place: i64) -> Option<usize> {
    let at = if place < 0 { place.checked_add(len as i64)? } else { place };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// The places from one to before another, which may be past the ends.
pub(super) fn range(len: usize, start: i64, stop: i64) -> Range<usize> {
    let within = |place: i64| {
        let place = if place < 0 { place.saturating_add(len as i64) } else { place };
        place.clamp(0, len as i64) as usize
    };
    let (start, stop) = (within(start), within(stop));
    start..stop.max(start)
}

/// A name that was built of given texts, refused where it has grown beyond all measure.
pub(super) fn built(call: &Call<'_>, name: String) -> Result<String, FunctionError> {
    if name.len() > MAX_NAME_BYTES {
        return Err(call.wrong(format!("it makes names longer than {MAX_NAME_BYTES} bytes")));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_counted_from_both_ends_and_found_in_made_names() {
        let check = |name: &str, places: &[i64], expected: &str| {
            let mut series = Series::new(name, 0, 60, vec![]);
            series.tags.insert("dc".to_owned(), "north".to_owned());
            let mut nodes: Vec<Node> = places.iter().map(|place| Node::At(*place)).collect();
            nodes.push(Node::Tag("dc".to_owned()));
            assert_eq!(key(&series, &nodes), expected, "{name}");
        };
        check("a.b.c", &[0, -1], "a.c.north");
        check("a.b.c", &[9, -4], "..north");
        check("a.b;dc=x.y", &[1, 2], "b..north");
        check("scale(sumSeries(a.{b,c}.*,x.y),2)", &[1, 2], "{b,c}.*.north");
        check("a.b (avg: 2.5)", &[1], "b.north");
        check("(a.b)", &[1], "b).north");
        check("", &[0], ".north");
        check("a", &[i64::MIN, i64::MAX], "..north");
    }

    #[test]
    fn ranges_are_python_slices() {
        let check = |start, stop, expected: Range<usize>| assert_eq!(range(5, start, stop), expected);
        check(0, 2, 0..2);
        check(-2, 5, 3..5);
        check(0, -1, 0..4);
        check(3, 1, 3..3);
        check(-9, 9, 0..5);
        check(i64::MIN, i64::MAX, 0..5);
    }
}

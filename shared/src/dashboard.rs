//! Dashboards and panels, as they are written in TOML and as the page receives them.

use crate::decimal::parse_decimal;
use crate::letters::{is_of_word, small};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The tag of a dashboard that is in no file, so that there is nothing to save over.
pub const NO_TEXT: &str = "none";

/// A list of panels that share one time axis.
///
/// ```toml
/// title = "Web application"
/// range = "-1h..now"
/// [[panel]]
/// title = "Tree view"
/// targets = ["webapp.backend.git.tree.render_ms"]
/// logs = "webapp.backend.git"
/// unit = "ms"
/// [[panel.threshold]]
/// at = 500.0
/// level = "warn"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// What to call it.
    pub title: String,
    /// The range to open with, as in the address: `-1h..now`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// The panels, top to bottom.
    #[serde(default, rename = "panel")]
    pub panels: Vec<Panel>,
}

/// One chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// A stable name for addresses; made from the title where it is not given.
    #[serde(default)]
    pub id: String,
    /// The title.
    pub title: String,
    /// Metric paths or globs.
    pub targets: Vec<String>,
    /// The component whose lines belong to the chart, where it is not to be guessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<String>,
    /// The values' unit: `ms`, `s`, `%`, `bytes`, `bytes/s`, `bits/s` or any other text, shown as it is.
    #[serde(default)]
    pub unit: String,
    /// The least value axis, widened where the data goes beyond.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// As `min`, at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How its series are drawn.
    #[serde(default, skip_serializing_if = "Draw::is_line")]
    pub draw: Draw,
    /// Further targets, drawn against an axis at the right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub right: Vec<String>,
    /// The unit of the axis at the right.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub right_unit: String,
    /// Lines that mark a bad value.
    #[serde(default, rename = "threshold", skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
}

/// How series are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Draw {
    /// As lines from point to point.
    #[default]
    Line,
    /// The same over a filled area.
    Area,
    /// As areas on top of each other.
    Stacked,
    /// As dots.
    Points,
    /// As lines that keep a value until the next one.
    Staircase,
}

impl Draw {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Line, Self::Area, Self::Stacked, Self::Points, Self::Staircase];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Area => "area",
            Self::Stacked => "stacked",
            Self::Points => "points",
            Self::Staircase => "staircase",
        }
    }

    /// That of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|draw| draw.name() == name)
    }

    /// Whether it is what a panel is drawn as that says nothing.
    pub fn is_line(&self) -> bool {
        *self == Self::Line
    }
}

/// A value from which on things are bad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The value.
    pub at: f64,
    /// `warn` or `error`.
    pub level: crate::log::Level,
}

impl Dashboard {
    /// Gives each panel without an `id` one made from its title, and makes doubled ids different; those that were given come
    /// first.
    #[must_use]
    pub fn with_ids(mut self) -> Self {
        let mut seen = BTreeSet::new();
        let (given, made): (Vec<_>, Vec<_>) = self.panels.iter_mut().partition(|panel| !panel.id.is_empty());
        for panel in given.into_iter().chain(made) {
            let named = if panel.id.is_empty() { &panel.title } else { &panel.id };
            panel.id = free_id(named, |id| !seen.contains(id));
            seen.insert(panel.id.clone());
        }
        self
    }
}

/// The id that a title or an id makes: its slug, with a number behind it where that is not free.
pub fn free_id(named: &str, is_free: impl Fn(&str) -> bool) -> String {
    let wanted = slug(named);
    let counted = (2..).map(|count: u32| [&wanted, "-", &count.to_string()].concat());
    let free = std::iter::once(wanted.clone()).chain(counted).find(|id| is_free(id));
    free.unwrap_or(wanted)
}

impl Panel {
    /// What is to be asked for: the targets, and behind them those of the right axis, marked as Graphite does.
    pub fn asked(&self) -> Vec<String> {
        let right = self.right.iter().map(|target| format!("{SECOND_AXIS}{target})"));
        self.targets.iter().cloned().chain(right).collect()
    }

    /// The paths that its targets name, also within functions; of lines that are counted, their components.
    pub fn paths(&self) -> Vec<String> {
        self.targets
            .iter()
            .chain(&self.right)
            .flat_map(|target| paths_in(target))
            .map(str::to_owned)
            .collect()
    }

    /// The metrics that its targets name; without what is counted of lines.
    pub fn metrics(&self) -> Vec<String> {
        let all = self.targets.iter().chain(&self.right);
        all.flat_map(|target| metrics_in(target)).map(str::to_owned).collect()
    }

    /// Whether any of its targets calls a function, so that its series have other names than their paths.
    pub fn calls_functions(&self) -> bool {
        !self.right.is_empty() || self.targets.iter().any(|target| calls_function(target))
    }
}

/// How the names of series begin that Graphite draws against the axis at the right.
const SECOND_AXIS: &str = "secondYAxis(";

/// The name of a series without Graphite's mark of the right axis; `None` where it has none.
pub fn right_axis_name(name: &str) -> Option<&str> {
    name.strip_prefix(SECOND_AXIS)?.strip_suffix(')')
}

/// The paths in a target: what stands in it that is no function's name, no number and not in quotes; and the components of
/// `logs("…")`.
pub fn paths_in(target: &str) -> Vec<&str> {
    if !calls_function(target) {
        return vec![target.trim()];
    }
    let mut all = metric_paths_in(target);
    all.extend(target.match_indices("logs(").filter_map(|(at, call)| {
        let argument = target[at + call.len()..].trim_start();
        let quote = argument.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        argument[1..].split_once(quote).map(|(component, _)| component)
    }));
    all
}

/// The same without those components.
pub fn metrics_in(target: &str) -> Vec<&str> {
    if calls_function(target) { metric_paths_in(target) } else { vec![target.trim()] }
}

fn metric_paths_in(target: &str) -> Vec<&str> {
    let (mut paths, mut start, mut quote, mut braces) = (Vec::new(), 0, None, 0_i32);
    for (at, c) in target.char_indices() {
        if let Some(open) = quote {
            if c == open {
                (quote, start) = (None, at + 1);
            }
            continue;
        }
        match c {
            '"' | '\'' => quote = Some(c),
            '{' => braces += 1,
            '}' => braces -= 1,
            '(' => start = at + 1,
            // Of a tagged series it belongs to a tag.
            '=' if !target[start..at].contains(';') => start = at + 1,
            ',' if braces > 0 => {}
            ')' | '|' | ',' => {
                paths.push(&target[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    paths.push(&target[start..]);
    let is_path = |text: &&str| text.contains('.') && parse_decimal(text).is_none();
    paths.into_iter().map(str::trim).filter(is_path).collect()
}

/// Whether a target calls a function, in either of Graphite's ways to write that: `scale(a.b, 2)`, `a.b|scale(2)`.
pub fn calls_function(target: &str) -> bool {
    target.contains(['(', ')', '|', '"', '\''])
}

/// Lower-case letters, digits and dashes: `Tree view (p95)` → `tree-view-p95`.
pub fn slug(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !is_of_word(c) && c != '_' && c != '.')
        .filter(|word| !word.is_empty())
        .map(small)
        .collect();
    if words.is_empty() { "panel".to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_functions_are_told_from_paths() {
        let targets =
            ["a.*.{b,c}", "movingAverage(a.b, 10)", "a.b|scale(2)", "disk.used;host=a"].map(str::to_owned);
        let panel = Panel { targets: targets.to_vec(), ..Panel::default() };
        assert_eq!(panel.paths(), ["a.*.{b,c}", "a.b", "a.b", "disk.used;host=a"]);
        assert!(panel.calls_functions());
        let check = |target: &str, expected: &[&str]| assert_eq!(paths_in(target), expected, "{target}");
        check("sumSeries(a.{b,c}.d,e.f)", &["a.{b,c}.d", "e.f"]);
        check("alias(scale(a.b, 0.5), 'x, y.z (ms)')", &["a.b"]);
        check("a.b.c | movingAverage('5min') | alias(\"p.q\")", &["a.b.c"]);
        check("constantLine(5.5)", &[]);
        check("sumSeries(a.b,logs('shop.cart', \"error\"))", &["a.b", "shop.cart"]);
        check("logs(shop", &[]);
        check("divideSeries(a.b,dividend=c.d)", &["a.b", "c.d"]);
        check("perSecond(disk.bytes;host=a;rack=b.c)", &["disk.bytes;host=a;rack=b.c"]);
        check("((", &[]);
    }

    #[test]
    fn targets_of_the_right_axis_are_asked_for_with_its_mark() {
        let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let panel = Panel { targets: text(&["a.b"]), right: text(&["c.*"]), ..Panel::default() };
        assert_eq!(panel.asked(), ["a.b", "secondYAxis(c.*)"]);
        assert_eq!(panel.paths(), ["a.b", "c.*"]);
        let counted = Panel { targets: text(&["sumSeries(a.b,logs('shop.cart'))"]), ..panel.clone() };
        assert_eq!(counted.metrics(), ["a.b", "c.*"]);
        assert!(panel.calls_functions(), "its names are not its paths");
        assert_eq!(right_axis_name("secondYAxis(alias(c, 'x (y)'))"), Some("alias(c, 'x (y)')"));
        assert_eq!(right_axis_name("c.d"), None);
    }

    #[test]
    fn panels_get_ids_that_differ() {
        let panel = |title: &str| Panel { title: title.to_owned(), ..Panel::default() };
        let board = Dashboard {
            panels: vec![panel("Tree view (p95)"), panel("Tree view: p95"), panel("???")],
            ..Dashboard::default()
        };
        let ids: Vec<String> = board.with_ids().panels.into_iter().map(|panel| panel.id).collect();
        assert_eq!(ids, ["tree-view-p95", "tree-view-p95-2", "panel"]);
    }
}

//! Dashboards and panels, as they are written in TOML and as the page receives them.

use serde::{Deserialize, Serialize};

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
    /// Lines that mark a bad value.
    #[serde(default, rename = "threshold", skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
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
    /// Gives each panel without an `id` one made from its title, and makes doubled ids different.
    #[must_use]
    pub fn with_ids(mut self) -> Self {
        let mut seen = std::collections::BTreeSet::new();
        for panel in &mut self.panels {
            let wanted = slug(if panel.id.is_empty() { &panel.title } else { &panel.id });
            let mut id = wanted.clone();
            let mut count = 1;
            while !seen.insert(id.clone()) {
                count += 1;
                id = format!("{wanted}-{count}");
            }
            panel.id = id;
        }
        self
    }
}

impl Panel {
    /// The targets that name series, which can be asked for.
    pub fn paths(&self) -> Vec<String> {
        self.targets.iter().filter(|target| !calls_function(target)).cloned().collect()
    }

    /// The targets that call functions, which are not there yet.
    pub fn function_calls(&self) -> Vec<&str> {
        self.targets.iter().map(String::as_str).filter(|target| calls_function(target)).collect()
    }
}

/// Whether a target calls a function, in either of Graphite's ways to write that: `scale(a.b, 2)`, `a.b|scale(2)`.
pub fn calls_function(target: &str) -> bool {
    target.contains(['(', ')', '|', '"', '\''])
}

/// Lower-case letters, digits and dashes: `Tree view (p95)` → `tree-view-p95`.
fn slug(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
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
        assert_eq!(panel.paths(), ["a.*.{b,c}", "disk.used;host=a"]);
        assert_eq!(panel.function_calls(), ["movingAverage(a.b, 10)", "a.b|scale(2)"]);
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

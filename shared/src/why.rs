//! `GET /api/why`: what is different in a selection, as it crosses the wire.

use crate::log::Level;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How the note of an answer without findings begins.
pub const QUIET: &str = "Nothing stands out: ";

/// What differs in a selection from its baseline, best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The findings, best first; empty where nothing stands out.
    pub findings: Vec<Finding>,
    /// What comes nearest to standing out and is large, best first, at most ten: it lies within what happens anyway, so none of it is a finding. For
    /// who knows from elsewhere that something happened: behind the findings it goes on with their list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weaker: Vec<Finding>,
    /// What was looked at.
    pub tested: Tested,
    /// The selection, unix milliseconds.
    pub range_ms: [i64; 2],
    /// What it was compared with, unix milliseconds.
    pub baseline_ms: [i64; 2],
    /// One sentence on the answer as a whole: that nothing stands out, or what kept from looking further.
    pub note: Option<String>,
    /// Whether this is the whole answer; of a streamed one all but the last are not.
    pub done: bool,
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// Series.
    pub series: u64,
    /// Patterns of components.
    pub patterns: u64,
    /// Values of fields and of variable parts.
    pub fields: u64,
    /// Components and hosts.
    pub components: u64,
    /// Events near the selection's start.
    pub events: u64,
    /// Lines of which fields were read …
    pub sampled_lines: u64,
    /// … of so many in selection and baseline.
    pub lines: u64,
}

/// What a finding is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// A series.
    Metric,
    /// A pattern of a component's lines.
    Pattern,
    /// A value of a field or of a variable part of lines, or the numbers there.
    Field,
    /// A component and what is below it.
    Component,
    /// A host.
    Host,
    /// An event.
    Event,
}

/// How the selection differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// More, or higher.
    Up,
    /// Less, or lower.
    Down,
    /// There was none before.
    New,
    /// There is none any more.
    Gone,
    /// Other values around the same middle.
    Shape,
    /// It happened just before.
    Before,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is of.
    pub kind: FindingKind,
    /// The series' path, the pattern, `field=value`, the component, the host, the event's text.
    pub subject: String,
    /// How it differs.
    pub change: Change,
    /// Where it stands among all kinds; higher is better.
    pub score: f64,
    /// How often the like of it comes by chance.
    pub p_value: f64,
    /// How large it is: the ratio of after to before as a natural logarithm, infinite ones bounded.
    pub effect: f64,
    /// The size in words: `11× more often`, `80 → 912 ms`, `silent since 14:05:20; before 12 a minute`, by UTC.
    pub summary: String,
    /// Seconds by which it moved after the charted series; negative where it moved before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_s: Option<f64>,
    /// Values over baseline and selection, for a small chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Course>,
    /// Where its chart or lines are.
    pub at: Place,
    /// Others that moved together with it; they are not findings of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// How many members there are, listed or not.
    #[serde(default)]
    pub members_total: u64,
}

/// How the summary of what has fallen silent begins, before the time of day.
pub const SILENT: &str = "silent since ";
/// … and that of a counter whose process has started anew.
pub const AGAIN: &str = "counts from 0 again since ";
/// `14:05:20`.
const CLOCK_LENGTH: usize = 8;

impl Finding {
    /// The size in words, where an instant is as this clock shows it instead of UTC's: `silent since 16:05:20; before …`.
    pub fn summary_by(&self, clock: impl FnOnce(Timestamp) -> String) -> String {
        let begins = [SILENT, AGAIN].into_iter().find(|begins| self.summary.starts_with(begins));
        match (begins, self.at.at_ms) {
            (Some(begins), Some(at)) => {
                let rest = self.summary.get(begins.len() + CLOCK_LENGTH..).unwrap_or_default();
                [begins, &clock(Timestamp::from_millis(at)), rest].concat()
            }
            _ => self.summary.clone(),
        }
    }
}

/// Values at equal steps; `None` where there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The start of the first step, unix milliseconds.
    pub from_ms: i64,
    /// The length of a step.
    pub step_ms: i64,
    /// One value a step.
    pub values: Vec<Option<f64>>,
}

/// What a click on a finding shows: a series' chart, or lines by these filters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The series to chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The component whose lines these are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Their host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Their least level, as in `level=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The pattern's id, as in `pattern=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// A field and its value, as in `field.NAME=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<(String, String)>,
    /// A field whose numbers are worth a column of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// A text in the line, as in `contains=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// An instant to look at, unix milliseconds: an event's, or when something fell silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
}

impl Place {
    /// When an event was; what fell silent or began again has an instant too, but lines or a chart besides.
    pub fn event(&self) -> Option<Timestamp> {
        let is_event = self.component.is_none() && self.host.is_none() && self.target.is_none();
        self.at_ms.filter(|_| is_event).map(Timestamp::from_millis)
    }
}

/// What moved together with a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// What it is of.
    pub kind: FindingKind,
    /// As [`Finding::subject`].
    pub subject: String,
    /// As [`Finding::summary`].
    pub summary: String,
    /// Where its chart or lines are.
    pub at: Place,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_something_fell_silent_is_told_by_the_clock_that_is_shown() {
        let finding = |summary: &str, at_ms: Option<i64>| Finding {
            kind: FindingKind::Component,
            subject: "mill".to_owned(),
            change: Change::Gone,
            score: 1.0,
            p_value: 0.0,
            effect: -1.0,
            summary: summary.to_owned(),
            lag_s: None,
            course: None,
            at: Place { at_ms, ..Place::default() },
            members: Vec::new(),
            members_total: 0,
        };
        let check = |summary: &str, at_ms: Option<i64>, expected: &str| {
            let said = finding(summary, at_ms).summary_by(|at| format!("<{}>", at.as_secs()));
            assert_eq!(said, expected);
        };
        check(
            "silent since 14:05:20; before 12 a minute",
            Some(50_720_000),
            "silent since <50720>; before 12 a minute",
        );
        check("counts from 0 again since 14:05:20", Some(50_720_000), "counts from 0 again since <50720>");
        check("silent since", Some(50_720_000), "silent since");
        check("gone; before 12 a minute", Some(50_720_000), "gone; before 12 a minute");
        check("silent since 14:05:20; before 12 a minute", None, "silent since 14:05:20; before 12 a minute");
    }
}

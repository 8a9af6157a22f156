//! How the numbers that stand in a variable part of lines, or in a field, are spread in a selection and in a baseline.

use serde::{Deserialize, Serialize};

/// Numbers of one unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NumberSpread {
    /// `s`, `B` or `%` where they are written with a unit of time, of size or as hundredths; else empty.
    pub unit: String,
    /// Those of the selection.
    pub selection: Spread,
    /// Those of the baseline, where one was asked for and has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Spread>,
    /// How many lie where, by rising bounds; none where all are the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bins: Vec<Bin>,
}

/// Where the numbers of some lines lie. Quartiles are right within a thousandth or so of themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Lines with a number.
    pub lines: u64,
    /// The smallest.
    pub min: f64,
    /// A quarter are at most this.
    pub p25: f64,
    /// The middle one, the lower of two.
    pub median: f64,
    /// A quarter are at least this.
    pub p75: f64,
    /// The largest.
    pub max: f64,
}

/// The lines whose number is at least `from` and less than `until`; the last bin has its end, too, and those at the ends what lies beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub until: f64,
    /// Lines of the selection.
    pub count: u64,
    /// Lines of the baseline, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_count: Option<u64>,
}

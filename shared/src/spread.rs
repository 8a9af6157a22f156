//! How the numbers that stand in a variable part of lines, or in a field, are spread in a selection and in a baseline.

use serde::{Deserialize, Serialize};

/// Numbers of one unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NumberSpread {
    /// `s`, `B` or `%` where they are written with a unit of time, of size or as hundredths; else empty.
    pub unit: String,
    /// The smallest, the lower quartile, the median (the lower of two), the upper quartile, the largest; those between the ends are right
    /// within a thousandth or so of themselves.
    pub quartiles: Vec<f64>,
    /// Between each two of these, which rise, numbers are counted; at the ends with what lies beyond.
    pub bounds: Vec<f64>,
    /// The selection's lines between each two bounds.
    pub counts: Vec<u64>,
    /// As `quartiles`, of the baseline; empty where none was asked for, or it has no such numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline_quartiles: Vec<f64>,
    /// As `counts`, of the baseline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline_counts: Vec<u64>,
}

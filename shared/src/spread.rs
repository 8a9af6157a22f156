//! How the numbers that stand in a variable part of lines, or in a field, are spread in a selection and in a baseline.

use serde::{Deserialize, Serialize};

/// Numbers of one unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NumberSpread {
    /// `s`, `B` or `%` where they are written with a unit of time, of size or as hundredths; else empty.
    pub unit: String,
    /// Between each two of these, which rise, numbers are counted; at the ends with what lies beyond. None where all are the same.
    pub bounds: Vec<f64>,
    /// Those of the selection.
    pub selection: Spread,
    /// Those of the baseline, where one was asked for and has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Spread>,
}

/// Where the numbers of some lines lie.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Lines with a number.
    pub lines: u64,
    /// The smallest, the lower quartile, the median (the lower of two), the upper quartile, the largest; those between the ends are right
    /// within a thousandth or so of themselves.
    pub quartiles: Vec<f64>,
    /// Lines between each two bounds.
    pub counts: Vec<u64>,
}

impl Spread {
    /// The smallest, the lower quartile, the median, the upper quartile, the largest; zeros where they are not told.
    pub fn five(&self) -> [f64; 5] {
        self.quartiles.as_slice().try_into().unwrap_or_default()
    }
}

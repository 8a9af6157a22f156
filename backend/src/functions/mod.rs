//! Graphite's functions over columns of values: a library that knows no disk, no network and no clock.
//!
//! A target is parsed ([`parse`]), then evaluated: each function asks for its arguments' series, by itself for an earlier range
//! where it looks back. Series come through [`Fetch`], each path and range once. Names, edges and nulls are those of graphite-web
//! 1.1.10; `tests/golden/render.ndjson` has its own answers. A null is a NaN.

/// Summing up values of one moment or of one bucket.
mod aggregate;
/// Series put on one step and range.
mod align;
/// A call's arguments, as functions take them.
mod call;
/// What is wrong with a target as it is written.
mod check;
/// A right target for a wrong one.
mod example;
/// How numbers stand in names.
mod format;
/// Parts of series' names.
mod nodes;
/// Expressions.
pub mod parse;
/// Regular expressions.
mod pattern;
/// The functions there are.
mod registry;
/// One series.
pub mod series;

/// Rounding to so many digits.
mod rounding;
/// Lengths of time and instants.
mod times;
/// Windows that move over values.
mod window;

mod alias;
mod combine;
mod filter;
mod forecast;
mod graph;
mod group;
mod lines;
mod logs;
mod moving;
mod neighbours;
mod pair;
mod percent;
mod shift;
mod sort;
mod special;
mod summarize;
mod transform;

pub use call::{Context, Fetch, MAX_SECS, MAX_VALUES};
pub use check::{Mistake, mistake_in, unknown_function};
pub(crate) use example::example;
pub use pattern::python_regex;
pub use registry::{FUNCTIONS, Function, Param, ParamKind};

use example::did_you_mean;
use parse::Expression;
use series::Series;

/// Why a target has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FunctionError {
    /// It does not parse.
    #[error("`{target}` cannot be read behind its first {at} characters: {why}")]
    Syntax {
        /// The target, cut off if it is long.
        target: String,
        /// Characters that were understood.
        at: usize,
        /// What was expected.
        why: &'static str,
    },
    /// There is no such function.
    #[error("there is no function `{0}`{meant}", meant = did_you_mean(.0))]
    Unknown(String),
    /// An argument is not what the function takes.
    #[error("`{function}`: {why}")]
    Argument {
        /// The function.
        function: String,
        /// What is wrong, with the argument.
        why: String,
    },
    /// The series could not be read.
    #[error("{0}")]
    Fetch(String),
}

/// Evaluates a target.
pub fn evaluate(target: &Expression, context: &Context<'_>) -> Result<Vec<Series>, FunctionError> {
    context.series_of(target)
}

#[cfg(test)]
pub(crate) mod golden;
#[cfg(test)]
mod hostile;

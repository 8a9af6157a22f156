//! Answers over the store: which days, which blocks, in which order.

/// How much one step of a query may do.
pub mod budget;
/// Lines with their volumes: components and hosts of a range.
pub mod components;
#[cfg(test)]
mod damaged;
/// Buckets of time for strips of a few pixels.
pub mod density;
/// Components, hosts and levels of matching lines.
pub mod facets;
/// `/metrics/find`: the tree of names.
pub mod find;
/// Who follows what comes in.
pub mod followers;
/// Counts of lines by level and step.
pub mod histogram;
/// Lines in order, streamed.
pub mod logs;
/// Counts by name over many segments.
mod names;
/// Patterns of matching lines.
pub mod patterns;
/// Python's pickles, written.
mod pickle;
/// Where an instant lies among matching lines.
pub mod position;
/// `/render`: points of the series that targets name.
pub mod render;
/// How numbers among values are spread.
mod spread;
/// Graphite's rules of how series are kept.
pub mod storage_rules;
#[cfg(test)]
mod summaries;
/// `tag=value`: expressions that choose tagged series.
pub mod tags;
/// Counts over matching lines, in steps.
pub mod tally;
/// The threads that queries run on, and how many may at once.
pub mod threads;
/// What stands in the variable parts of a pattern.
pub mod values;
/// What was observed around a selection, for ranking what changed.
pub mod why;

//! Answers over the store: which days, which blocks, in which order.

/// How much one step of a query may do.
pub mod budget;
/// Lines with their volumes: components and hosts of a range.
pub mod components;
/// `/metrics/find`: the tree of names.
pub mod find;
/// Counts of lines by level and step.
pub mod histogram;
/// Lines in order, streamed.
pub mod logs;
/// `/render`: points of the series that targets name.
pub mod render;
/// The threads that queries run on, and how many may at once.
pub mod threads;

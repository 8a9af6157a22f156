//! Answers over the store: which days, which blocks, in which order.

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

//! Answers over the store: which days, which blocks, in which order.

/// `/metrics/find`: the tree of names.
pub mod find;
/// `/render`: points of the series that targets name.
pub mod render;

//! What is different in a selection, ranked across series, patterns, fields, components and events.
//!
//! Pure: what was observed goes in, findings come out. Nothing here reads the store, the network or a clock, and no finding
//! depends on how a name is spelled, only on where it stands in the tree.

/// What ranking gets to see.
pub mod observed;
mod rank;

pub use observed::Observed;
pub use rank::rank;

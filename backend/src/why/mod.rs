//! What is different in a selection, ranked across series, patterns, fields, components and events.
//!
//! Pure: what was observed goes in, findings come out. Nothing here reads the store, the network or a clock, and no finding
//! depends on how a name is spelled, only on where it stands in the tree. `docs/why.md` tells the method and its reasons.

/// Which branches of series go on under another name.
pub mod branches;
/// A series' points by bucket.
pub mod buckets;
/// How the numbers of lines vary.
mod bursts;
/// How often a series has a point.
mod cadence;
/// Something that may be a finding.
mod candidate;
/// What moved together becomes one.
mod collapse;
/// Which series that hardly ever change count something.
pub mod counters;
/// How often something happens, in two stretches of time or among two sets of lines.
mod counts;
/// How many discoveries may be false.
mod discovery;
/// Events just before a change.
mod events;
/// Values of fields and variable parts.
mod fields;
#[cfg(test)]
mod golden;
/// What series, patterns and places say.
mod judgements;
/// How far two samples lie apart.
mod ks;
/// Series as candidates.
mod levels;
/// Patterns, components and hosts.
mod lines;
/// When there is anything of something.
mod lives;
/// What a series was and is.
mod moved;
/// How often the like of it comes by chance.
mod null;
/// What ranking gets to see.
pub mod observed;
/// How a series usually swings.
mod pieces;
/// Numbers with their units.
pub mod quantity;
mod quotients;
/// From what was observed to the answer.
mod rank;
/// Messages that were only worded anew.
mod reworded;
/// One number for all kinds.
mod score;
/// What a series does in a window.
mod series;
mod share;
/// Which hosts and components go on under another name.
pub mod successors;
#[cfg(test)]
mod tests;
/// What the members of one place say together.
mod together;
/// Where things stand in the tree of names.
mod tree;
/// Past windows in which nothing was selected.
mod trials;
/// What changes are measured in.
mod unit;
/// Which value of a part of lines is over-represented.
mod values;
/// Sizes in words.
mod words;

pub use judgements::{Judgements, UnderNull};
pub use observed::Observed;
pub use rank::{NOTHING_CAME, rank, rank_judged, rank_with};
pub use score::Weights;

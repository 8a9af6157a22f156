//! What millions of points come down to: of each pixel column of a chart the first, lowest, highest and last one.
//!
//! A crate of its own, for it is the one part of the page that is compiled for speed and not for size: making the bounds of ten
//! million points takes a fifth of the time so, and the other half of `sonde-shared`, compiled the same way, made the page 6 KB
//! heavier for nothing that could be measured. No I/O, no clock, no other crate.

/// From where to where the blocks of a long series reach.
pub mod bounds;
/// M4 reduction: what one pixel column must keep so that no spike vanishes.
pub mod reduce;

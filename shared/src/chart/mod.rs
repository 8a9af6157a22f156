//! Charts as pure geometry, and their drawing over any plotters backend.
//!
//! The page draws on a canvas, tests draw into SVG text, reports may draw into a bitmap: the same code, fed with
//! values only. `draw` alone knows plotters; the other modules are arithmetic.

/// M4 reduction: what one pixel column must keep so that no spike vanishes.
pub mod reduce;

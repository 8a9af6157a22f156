//! Charts as pure geometry, and their drawing over any plotters backend.
//!
//! The page draws on a canvas, the server and tests draw into SVG text: the same code, fed with
//! values only. `draw` alone knows plotters; the other modules are arithmetic.

/// What of millions of points is looked at, compiled for speed.
pub use sonde_m4::{bounds, reduce};

/// Thin lines on whole pixels.
pub mod crisp;
/// A whole chart, drawn over any plotters backend.
pub mod draw;
/// A series in four numbers.
pub mod figures;
/// The lines by level, drawn over any plotters backend.
mod histogram;
/// What of a series is seen: clipped at the plot's edges, parted at gaps, as pixels.
mod outline;
/// Time to pixel, value to pixel, and back.
pub mod scale;
/// Series on top of each other.
pub mod stack;
/// How each series is drawn.
pub mod style;
/// How much room texts take.
mod text;
/// The colours a chart is drawn with.
pub mod theme;
/// Where the axes have ticks, and what is written there.
pub mod ticks;
/// Values as people read them.
pub mod units;

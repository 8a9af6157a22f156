//! The language that Sonde's server and page both speak.
//!
//! Times and ranges, component selectors, the types that cross the wire, the page's address, and the chart as
//! pure geometry and drawing. Nothing here reads a clock, a file or the network, so every decision can be
//! tested as a function over values.

/// The types that cross the wire as JSON, and the binary columns of `/render`.
pub mod api;
/// The time that a selection is compared with unless another was chosen.
pub mod baseline;
/// Charts as pure geometry, and their drawing over any plotters backend.
pub mod chart;
/// Dotted component paths and the selectors that name a component and all below it.
pub mod component;
/// Dashboards and panels, as the page receives them.
pub mod dashboard;
/// Decimal numbers, each as the nearest `f64`.
pub mod decimal;
/// Graphite globs over dotted metric paths.
pub mod glob;
/// Letters without Unicode's tables.
pub mod letters;
/// Which component's lines belong to a panel.
pub mod links;
/// `GET /api/live`: what comes, as it comes.
pub mod live;
/// Log levels.
pub mod log;
/// The part of an address behind its `?`.
pub mod query_string;
/// How numbers are spread.
pub mod spread;
/// Instants, half-open ranges and their textual forms.
pub mod time;
/// The page's state and the address that encodes it.
pub mod view;
/// `GET /api/why`: what is different in a selection.
pub mod why;

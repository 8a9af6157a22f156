//! HTTP handlers, one file a route family; errors become problem+json here and nowhere else.

mod answer;
/// The page, embedded in the program.
pub mod assets;
/// `/api/dashboards`: the list, and each by its name.
pub mod dashboards;
/// The one place where an error becomes a status and problem+json.
pub mod error;
/// Notes on the time axis.
pub mod events;
/// Components, hosts and levels of lines.
pub mod facets;
/// The tree of metric names.
pub mod find;
/// The functions that targets may call.
pub mod functions;
mod gap;
#[cfg(test)]
mod golden;
/// Who may ask at all: hosts and origins.
pub mod guard;
/// `/health`: the server is up.
pub mod health;
mod indexed_to;
/// Lines and points in over HTTP.
pub mod ingest;
mod line_body;
mod line_filter;
/// Whose lines belong to which metrics.
pub mod links;
/// `/api/live`: what comes, as it comes.
pub mod live;
/// Lines and their volumes.
pub mod logs;
/// `/api/page`: what the page asks first.
pub mod page;
/// Parameters of a query string, read with errors that say how to do it right.
pub mod params;
/// Patterns of lines.
pub mod patterns;
mod picture;
mod pieces;
/// Points out.
pub mod render;
mod resend;
/// Tags, their values and their series.
pub mod tags;
/// Targets as they are typed.
pub mod targets;
#[cfg(test)]
mod testing;
/// What is different in a selection.
pub mod why;

pub use error::ApiError;
pub use indexed_to::INDEXED_TO_HEADER;

//! Sonde's server: lines and points come in, lie in daily files, and are asked for by time range and component.
//!
//! Imports run one way: `cli` → {`server` → `router`, `commands`} → `api` → {`ingest`, `query`} → `store`. The store knows no HTTP;
//! `ingest` and `query` do not know each other.

#[cfg(test)]
mod allocations;
/// HTTP handlers, one file a route family; errors become problem+json here and nowhere else.
pub mod api;
/// The command line.
pub mod cli;
/// What the program does beside serving.
pub mod commands;
/// Flags, environment and `sonde.toml`, in that order of weight.
pub mod config;
/// Dashboards: files of a folder, built-in ones, and one made from the metrics.
pub mod dashboards;
/// A made-up cluster with an incident, for `sonde demo`, tests and benchmarks.
pub mod demo;
/// Graphite's functions over columns. Pure, and knows none of the others.
pub mod functions;
/// Times as Graphite's addresses and functions write them.
pub mod graphite_time;
/// From bytes of a protocol to checked lines and points.
pub mod ingest;
/// Whose lines belong to which metrics, from a file of rules.
pub mod links;
/// The name that was probably meant.
pub mod nearest;
/// Patterns of messages: their variable parts masked. Pure, and knows none of the others.
pub mod patterns;
/// Charts as SVG and PNG. Pure but for the system's fonts and zones.
pub mod picture;
mod priority;
/// Answers over the store: which days, which blocks, in which order.
pub mod query;
/// The one table of routes.
pub mod router;
/// Starts everything and stops it in order.
pub mod server;
/// What every handler shares.
pub mod state;
/// The daily files.
pub mod store;
/// What is different in a selection, ranked. Pure, and knows none of the others.
pub mod why;

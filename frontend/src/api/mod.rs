//! Asking the server. Nothing outside of here knows a path of its API or reads a response.

/// The requests.
pub mod client;
mod error;
mod live;
mod ndjson;
mod send;

pub use client::Abort;
pub use error::ApiError;
pub use live::{LiveEvent, follow as follow_live};
pub use send::Awaited;

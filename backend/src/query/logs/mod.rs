//! Lines in order, streamed.
//!
//! A query is a [`LineStream`]: a cursor over a snapshot that fills one buffer at a time and keeps nothing of what it has
//! sent. Order is (time, arrival) over all components, and exactly reversed when newest comes first.

mod count;
mod cursor;
mod filter;
mod stream;

pub use count::count;
pub use cursor::{Cursor, Hit};
pub use filter::{LineFilter, SegmentFilter};
pub use stream::{LineStream, Reached, StreamOptions};

#[cfg(test)]
mod tests;

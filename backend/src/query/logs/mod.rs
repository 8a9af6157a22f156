//! Lines in order, streamed.
//!
//! A query is a [`LineStream`]: a cursor over a snapshot that fills one buffer at a time and keeps nothing of what it has
//! sent. Order is (time, arrival) over all components, and exactly reversed when newest comes first.

mod blocks;
mod count;
mod cursor;
mod field;
mod filter;
mod search;
mod skipped;
mod stream;
mod text;

pub use blocks::{BlockAt, BlockWalk, SegmentAt, Taken};
pub use count::{LineCount, count_until, lines_in, take_lines};
pub use cursor::{Cursor, Found, Hit};
pub use field::{FieldFilter, plain_text, read_string, value_in};
pub use filter::{LineFilter, SegmentFilter, Without};
pub use search::Candidates;
pub use skipped::{Lost, Skipped};
pub use stream::{LineStream, Reached, StreamOptions};
pub use text::{TextFilter, read_regex};

#[cfg(test)]
pub(super) mod tests;

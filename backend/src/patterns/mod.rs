//! Patterns: a log message with its variable parts masked, `GET <*> took <*> ms`.
//!
//! Masking is a fixed set of rules over the bytes of one message. It learns nothing and remembers nothing, so the same
//! message has the same pattern on every day and machine, and counts of patterns add up. What rules cannot know,
//! that a plain word varies, is seen only beside other messages: [`group`] joins patterns for display, on top, and no
//! id depends on it. Nothing here touches disk, network or clock.

/// What each byte can be part of.
mod bytes;
/// Dates that are written with words.
mod calendar;
/// Joining patterns for display.
mod group;
/// The id of a pattern.
mod id;
/// The text inside a JSON string.
mod json;
/// A message, its template and its variable parts.
mod masked;
/// Masking the messages of stored lines.
mod masker;
/// The scan over one message.
mod scan;
/// Addresses, paths, hosts, quoted names.
mod shapes;
/// A template as words and what stands between them.
mod tokens;

pub use group::{Counted, Group, group};
pub use id::{MASK_VERSION, PatternId, pattern_id};
pub use masked::{Masked, mask, mask_json};
pub use masker::Masker;

/// What stands in a template for a variable part.
pub const HOLE: &str = "<*>";

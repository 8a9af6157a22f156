//! What keeps the page supplied. A feed watches the session, asks the server, and offers what came as signals.
//!
//! Only the latest request of a feed counts: a new one gives up the former, and an answer that comes late all the same
//! is dropped.

mod baseline;
mod boards;
/// The clock that live views follow.
pub mod clock;
mod contact;
mod counts;
mod edit;
mod latest;
/// The lines of the log pane.
pub mod lines;
/// What comes, as it comes.
mod live;
mod metrics;
mod nearest;
mod phase;
/// Everything that hangs on the visible range: components, events, histogram, panels.
pub mod range;
mod seek;
mod start;
mod why;

pub use crate::api::client::Mistake;
pub use baseline::count_baseline;
pub use boards::{BoardChange, Boards};
pub use contact::watch_contact;
pub use counts::{
    Facet, MOST_PATTERNS, PatternFeed, PatternList, PatternRow, load_facets, load_field_values,
    load_template, load_values, sort_patterns,
};
pub use edit::{BoardSaving, Completion, Saving, TargetCheck, add_link, save_dashboard, take_theirs};
pub use latest::Loaded;
pub use lines::{LineFeed, Sought};
pub use live::LiveFeed;
pub use metrics::MetricFeed;
pub use nearest::nearest_line;
pub use phase::Phase;
pub use start::PageFeed;
pub use why::load_why;

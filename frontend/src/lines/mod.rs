//! Log lines as the pane holds them: a row, a window of rows, and where among a million of them the reader is.
//!
//! Pure: no element, no request. Rows are addressed by their position in the whole answer, so nothing here is as large
//! as the answer.

mod cache;
mod find;
mod kept;
mod mark;
mod rate;
mod row;
mod scroll;
mod share;
mod total;

pub use cache::{Cache, WINDOW_ROWS};
pub use find::Find;
pub use kept::Kept;
pub use mark::{MARK_PX, Mark, silence_nanos};
pub use rate::{ends_of_silence, slow_downs};
pub use row::{Field, Row};
pub use scroll::{Extent, Position};
pub use share::share_before;
pub use total::Total;

//! The sealed form of a segment: ordinary zstd frames, clustered by component, with what the text does not say in
//! skippable frames behind them. `docs/file-format.md` has the layout.

mod cache;
mod layout;
mod open;
mod rebuilt;
mod room;
mod seal;
mod stretches;
mod text;

pub use cache::{BUDGET_BYTES, FrameCache, Text};
pub use room::FrameText;
pub use text::SealedText;

pub(super) use open::{is_whole, open, watermark};
pub(super) use rebuilt::Rebuilt;
pub(super) use seal::{beside, install, prepare, remove_open_form};

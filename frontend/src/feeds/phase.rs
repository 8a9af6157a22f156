//! What the log pane is doing.

use crate::api::ApiError;

/// What the pane is doing; `data-state`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Phase {
    /// Nothing came yet.
    #[default]
    Loading,
    /// Rows are coming.
    Streaming,
    /// What was asked for is there.
    Done,
    /// The reader has stopped it; what came is there.
    Stopped,
    /// There are no such lines.
    Empty,
    /// The last request failed.
    Failed(ApiError),
}

impl Phase {
    /// Its name in `data-state`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Streaming => "streaming",
            Self::Done | Self::Stopped => "done",
            Self::Empty => "empty",
            Self::Failed(_) => "error",
        }
    }
}

//! What the program does beside serving: work on a folder of daily files.

mod check;
mod export;
mod import;
mod seal;
mod snapshot;

pub use check::{CheckOptions, check};
pub use export::{ExportOptions, export};
pub use import::{ImportOptions, import};
pub use seal::{SealOptions, seal};
pub use snapshot::{SnapshotOptions, snapshot};

use clap::Args;
use std::path::PathBuf;

/// The folder that a command works on.
#[derive(Args, Clone, Debug)]
pub struct Folder {
    /// The folder of the daily files.
    #[arg(long, env = "SONDE_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
}

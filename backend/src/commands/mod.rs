//! What the program does beside serving: work on a folder of daily files, or ask a server that does.

mod check;
mod export;
mod folder_lines;
mod import;
mod import_whisper;
mod logs;
mod progress;
mod seal;
mod snapshot;
mod whisper_tree;

pub use check::{CheckOptions, check};
pub use export::{ExportOptions, export};
pub use import::{ImportOptions, import};
pub use logs::{LogsOptions, logs};
pub use seal::{SealOptions, seal};
pub use snapshot::{SnapshotOptions, snapshot};

use crate::store::layout::list_days;
use anyhow::Context;
use clap::Args;
use sonde_shared::time::Day;
use std::path::{Path, PathBuf};

/// The folder that a command works on.
#[derive(Args, Clone, Debug)]
pub struct Folder {
    /// The folder of the daily files.
    #[arg(long, env = "SONDE_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
}

/// The days of a folder that is to be read; one that is not there is an error, not an empty one.
fn read_days(data: &Path) -> anyhow::Result<Vec<Day>> {
    list_days(data).with_context(|| format!("--data {}", data.display()))
}

/// A number of things in words: `1 line`, `2 lines`.
fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// Tells the person who waits; nobody may be there.
fn say(text: std::fmt::Arguments<'_>) {
    drop(std::io::Write::write_fmt(&mut std::io::stderr(), text));
}

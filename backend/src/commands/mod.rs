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

use crate::config::{on_or_off, reading};
use crate::store::file_view::Reading;
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
    /// Whether files of the data folder are read with `pread` instead of being mapped into memory: slower, and a disk that fails
    /// ends an answer and not the program.
    #[arg(long, env = "SONDE_NO_MMAP", default_value = "off", default_missing_value = "on", num_args = 0..=1, require_equals = true, value_name = "on|off", value_parser = on_or_off, action = clap::ArgAction::Set)]
    pub no_mmap: bool,
}

impl Folder {
    /// How its files are read.
    pub fn reading(&self) -> Reading {
        reading(self.no_mmap)
    }
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

//! `sonde seal`: every finished segment gets its compressed form now, and every day's points become one file.

use super::{Folder, read_days};
use crate::store::Store;
use anyhow::Context;
use clap::Args;

/// What `sonde seal` is told.
#[derive(Args, Clone, Debug)]
pub struct SealOptions {
    #[command(flatten)]
    folder: Folder,
}

/// Seals all lines and points of a folder that no server has.
pub fn seal(options: &SealOptions) -> anyhow::Result<()> {
    read_days(&options.folder.data)?;
    let store = Store::open_as(&options.folder.data, false)?;
    let lines = store.logs().seal_finished();
    // Points of a log that a crash left become a part first.
    drop(store);
    let points = Store::open_as(&options.folder.data, false)?.metrics().seal_all();
    lines.and(points).context("not everything could be sealed; what is not stays as it was")
}

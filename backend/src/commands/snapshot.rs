//! `sonde snapshot`: a copy of a data folder that opens as one, also while a server writes to it.

use super::Folder;
use super::counted;
use crate::store::backup::{Report, back_up};
use anyhow::{Context, bail, ensure};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What `sonde snapshot` is told.
#[derive(Args, Clone, Debug)]
pub struct SnapshotOptions {
    #[command(flatten)]
    folder: Folder,
    /// Where the copy goes: a folder that is empty or not there yet.
    #[arg(value_name = "DIR")]
    target: PathBuf,
}

/// Copies a folder by hard links. What was acknowledged before the start is in the copy, and the copy is on disk when this
/// returns. Changes nothing in the original, and may run beside a server.
pub fn snapshot(options: &SnapshotOptions) -> anyhow::Result<()> {
    let data = &options.folder.data;
    let inside = fs::canonicalize(data).with_context(|| format!("--data {}", data.display()))?;
    let target = free_place(&options.target, &inside)?;
    let beside = with_ending(&target, ".partial")?;
    ensure!(
        fs::symlink_metadata(&beside).is_err(),
        "{} was left by an attempt that was cut off, or belongs to one that still runs; remove it in the first case",
        beside.display()
    );
    tell(&back_up(data, &beside, &target)?, &options.target)
}

/// The target's full path, when a copy may go there.
fn free_place(target: &Path, data: &Path) -> anyhow::Result<PathBuf> {
    let shown = target.display();
    let full = if fs::symlink_metadata(target).is_ok() {
        empty_folder(target)?
    } else {
        parent_of(target)?.join(target.file_name().context("name a folder for the copy")?)
    };
    ensure!(!full.starts_with(data), "{shown} lies in the data folder; a copy of it goes elsewhere");
    Ok(full)
}

fn empty_folder(target: &Path) -> anyhow::Result<PathBuf> {
    let shown = target.display();
    ensure!(target.is_dir(), "{shown} is there and no folder; name another");
    let mut entries = fs::read_dir(target).with_context(|| format!("{shown}"))?;
    ensure!(entries.next().is_none(), "{shown} is not empty; name a new folder, so that nothing is mixed up");
    let full = fs::canonicalize(target)?;
    let above = fs::metadata(full.parent().context("name a folder for the copy")?)?;
    let is_mounted = fs::metadata(&full)?.dev() != above.dev();
    ensure!(!is_mounted, "{shown} is where a disk is mounted; name a folder below it");
    Ok(full)
}

fn parent_of(target: &Path) -> anyhow::Result<PathBuf> {
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A parent is not made: where a disk is not mounted, the copy would end up below the mount point.
    match fs::canonicalize(parent) {
        Ok(parent) => Ok(parent),
        Err(error) => bail!("{} cannot hold the copy: {error}", parent.display()),
    }
}

fn with_ending(target: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let mut name: OsString = target.file_name().context("name a folder for the copy")?.to_owned();
    name.push(ending);
    Ok(target.with_file_name(name))
}

fn tell(report: &Report, target: &Path) -> anyhow::Result<()> {
    let Report { days, linked_files, copied_files, copied_bytes, no_links } = report;
    let mut out = std::io::stdout().lock();
    if let Some(why) = no_links {
        writeln!(out, "finished files could not be linked, so all were copied: {why}")?;
    }
    let (mib, shown) = (copied_bytes.div_ceil(1 << 20), target.display());
    let (days, linked) = (counted(*days, "day"), counted(*linked_files, "file"));
    writeln!(out, "{shown}: {days}, {linked} linked, {copied_files} copied ({mib} MiB)")?;
    Ok(())
}

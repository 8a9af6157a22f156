//! Creating files and folders so that they are there after a power loss.

use super::StoreError;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Makes a folder and its parents, and syncs the folder that holds it.
pub fn create_dir(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(StoreError::io("create", path))?;
    sync_parent(path)
}

/// Creates a file that must not be there yet, readable and writable, and syncs its folder.
pub fn create_new(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(StoreError::io("create", path))?;
    sync_parent(path)?;
    Ok(file)
}

/// Puts a whole file in place under its name, or nothing: written beside, synced, renamed, folder synced.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let beside = path.with_extension("tmp");
    let mut file = File::create(&beside).map_err(StoreError::io("create", &beside))?;
    file.write_all(bytes).map_err(StoreError::io("write", &beside))?;
    file.sync_all().map_err(StoreError::io("sync", &beside))?;
    fs::rename(&beside, path).map_err(StoreError::io("rename", &beside))?;
    sync_parent(path)
}

/// Makes the names in a file's folder durable.
pub fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(StoreError::io("sync", parent))
}

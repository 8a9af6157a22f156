//! The points of a day for a copy of the folder, also while a server writes, flushes and merges them.
//!
//! Points move from a log to the part of its number and on into merged parts; a file goes only when the one that replaces it
//! is in its place. So what was listed is all there is, once every file of the list was still there when the last was taken.

use super::day::{part_path, wal_path};
use crate::store::StoreError;
use crate::store::backup::Transfer;
use crate::store::layout::{lines_only, list_numbers};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const PREFIX: &str = super::day::PREFIX;
/// How often a day is tried again. A file goes when a log is full or old, so that once more is nearly always enough.
const ATTEMPTS: usize = 50;

/// The numbers of a day's logs and parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) wals: Vec<u32>,
    pub(super) parts: Vec<u32>,
}

impl Listing {
    /// What is there. A name that is replaced while a folder is read may be missed, so two looks must agree.
    pub(super) fn of(dir: &Path) -> Result<Self, StoreError> {
        let look = || {
            if lines_only(dir).exists() {
                return Ok(Self { wals: Vec::new(), parts: Vec::new() });
            }
            Ok(Self { wals: list_numbers(dir, PREFIX, "wal")?, parts: list_numbers(dir, PREFIX, "part")? })
        };
        let mut last = look()?;
        loop {
            let next = look()?;
            if next == last {
                return Ok(next);
            }
            last = next;
        }
    }

    fn is_part_of(&self, other: &Self) -> bool {
        let all_in = |mine: &[u32], theirs: &[u32]| mine.iter().all(|number| theirs.contains(number));
        all_in(&self.wals, &other.wals) && all_in(&self.parts, &other.parts)
    }

    fn paths(&self, dir: &Path) -> Vec<PathBuf> {
        let wals = self.wals.iter().map(|number| wal_path(dir, *number));
        wals.chain(self.parts.iter().map(|number| part_path(dir, *number))).collect()
    }
}

/// Takes the points of a day's folder into another folder.
pub fn back_up(from: &Path, to: &Path, transfer: &mut Transfer) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let so_far = transfer.so_far();
        let listing = Listing::of(from)?;
        take(&listing, from, to, transfer)?;
        if listing.is_part_of(&Listing::of(from)?) || !from.is_dir() {
            return Ok(());
        }
        transfer.undo(&so_far, listing.paths(to).iter().map(PathBuf::as_path))?;
    }
    let busy =
        std::io::Error::new(ErrorKind::ResourceBusy, "its points change faster than they can be copied");
    Err(StoreError::io("copy", from)(busy))
}

fn take(listing: &Listing, from: &Path, to: &Path, transfer: &mut Transfer) -> Result<(), StoreError> {
    for number in &listing.wals {
        // Reading ends at the first record that is not whole, so a log may be copied in mid-write.
        transfer.growing(&wal_path(from, *number), &wal_path(to, *number))?;
    }
    for number in &listing.parts {
        transfer.finished(&part_path(from, *number), &part_path(to, *number))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_counts_while_none_of_its_files_is_gone() {
        let check = |wals: &[u32], parts: &[u32], expected: bool| {
            let before = Listing { wals: vec![3, 4], parts: vec![2] };
            let after = Listing { wals: wals.to_vec(), parts: parts.to_vec() };
            assert_eq!(before.is_part_of(&after), expected, "{after:?}");
        };
        check(&[3, 4], &[2], true);
        check(&[3, 4, 5], &[2, 3], true);
        check(&[4], &[2, 3], false);
        check(&[3, 4], &[3], false);
    }
}

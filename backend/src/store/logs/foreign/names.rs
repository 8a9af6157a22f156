//! Which files of a folder are served, by their names.
//!
//! Whatever ends in `.ndjson`, `.jsonl` or `.log`, and what a rotation has made of such a name: a number or a date behind it
//! (`app.log.1`, `app.ndjson-20261120`). Compressed files are not, nor are hidden ones.

use super::source::FileId;
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

const EXTENSIONS: [&str; 3] = [".ndjson", ".jsonl", ".log"];
/// So deep below the folder files are looked for.
const DEPTH: usize = 4;

/// Whether a file of this name holds lines.
pub(super) fn is_served(name: &str) -> bool {
    let is_stamp = |rest: &str| {
        let begins = rest.is_empty() || rest.starts_with(['.', '-', '_']);
        begins && rest.bytes().all(|b| b.is_ascii_digit() || b"._-:TZ".contains(&b))
    };
    let ends = |extension: &&str| name.rfind(*extension).map(|at| at + extension.len());
    !name.starts_with('.') && EXTENSIONS.iter().filter_map(ends).any(|end| is_stamp(&name[end..]))
}

/// What a look at folders has found.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Each file once, by the first of its names.
    pub(super) files: BTreeMap<FileId, (PathBuf, Metadata)>,
    /// What could not be read, and why.
    pub(super) failed: Vec<(PathBuf, io::Error)>,
}

impl Listing {
    /// Looks at folders and those below them, but not at `except`.
    pub(super) fn of(dirs: &[PathBuf], except: Option<FileId>) -> Self {
        let mut listing = Self::default();
        for dir in dirs {
            listing.add_folder(dir, except, DEPTH);
        }
        listing
    }

    fn add_folder(&mut self, dir: &Path, except: Option<FileId>, depth: usize) {
        let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) => entries.iter().map(fs::DirEntry::path).collect(),
            Err(error) => return self.failed.push((dir.to_owned(), error)),
        };
        // By name, so that what depends on the order is the same each time.
        paths.sort_unstable();
        for path in paths {
            if let Err(error) = self.add(&path, except, depth)
                // Gone since the folder was read, or a link to nowhere.
                && error.kind() != io::ErrorKind::NotFound
            {
                self.failed.push((path, error));
            }
        }
    }

    fn add(&mut self, path: &Path, except: Option<FileId>, depth: usize) -> io::Result<()> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if is_served(name) {
            let found = fs::metadata(path)?;
            if found.is_file() {
                self.files.entry(FileId::of(&found)).or_insert((path.to_owned(), found));
                return Ok(());
            }
        }
        // A link to a folder may lead back to one above it, and is left alone.
        let found = fs::symlink_metadata(path)?;
        if found.is_dir() && depth > 0 && !name.starts_with('.') && except != Some(FileId::of(&found)) {
            self.add_folder(path, except, depth - 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_lines_and_of_what_a_rotation_makes_of_them_are_served() {
        let check = |name: &str, expected: bool| assert_eq!(is_served(name), expected, "{name}");
        for name in [
            "app.ndjson",
            "app-2026-11-20.ndjson",
            "app.log",
            "app.log.1",
            "app.log-20261120",
            "app.jsonl.2026-11-20T09:30:00Z",
            "app.log.ndjson",
            ".ndjson.log".trim_start_matches('.'),
        ] {
            check(name, true);
        }
        for name in [
            "app.ndjson.gz",
            "app.log.1.zst",
            "app.json",
            "app.txt",
            ".app.ndjson",
            "app.log~",
            "app.logs",
            "",
        ] {
            check(name, false);
        }
    }

    #[test]
    fn a_file_is_found_once_however_many_names_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("2026-11-20")).unwrap();
        fs::create_dir(path("own")).unwrap();
        for name in ["2026-11-20/b.ndjson", "own/logs-0001.ndjson", "a.txt"] {
            fs::write(path(name), "x\n").unwrap();
        }
        fs::hard_link(path("2026-11-20/b.ndjson"), path("hard.log")).unwrap();
        std::os::unix::fs::symlink(path("2026-11-20/b.ndjson"), path("current.ndjson")).unwrap();
        std::os::unix::fs::symlink(dir.path(), path("2026-11-20/above")).unwrap();
        std::os::unix::fs::symlink(path("nowhere"), path("broken.log")).unwrap();
        let own = FileId::of(&fs::metadata(path("own")).unwrap());
        let listing = Listing::of(&[dir.path().to_owned(), path("2026-11-20"), path("missing")], Some(own));
        let names: Vec<_> = listing.files.values().map(|(path, _)| path.file_name().unwrap()).collect();
        assert_eq!(names, ["b.ndjson"]);
        assert_eq!(listing.failed.iter().map(|(path, _)| path).collect::<Vec<_>>(), [&path("missing")]);
    }
}

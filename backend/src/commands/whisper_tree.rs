//! A Graphite's folder of whisper files: which there are, and which series each one is.
//!
//! Carbon makes folders of a path's nodes, `a/b/c.wsp`; series with tags lie in `_tagged/`, two folders of a hash and the whole
//! name, dots written `_DOT_` (`TaggedSeries.encode` in its `util.py`).

use crate::ingest::series_path::normal_form;
use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

const TAGGED: &str = "_tagged";
const DOT: &str = "_DOT_";

/// The whisper files of a folder and all below it, folder by folder, each in order. Links are followed; a folder is gone
/// into once, by whatever ways it can be reached.
pub(super) struct Tree {
    /// What is still to be looked at, of each folder on the way.
    open: Vec<std::vec::IntoIter<PathBuf>>,
    seen: HashSet<(u64, u64)>,
}

impl Tree {
    /// The tree below a folder.
    pub(super) fn of(dir: &Path) -> Self {
        Self { open: vec![vec![dir.to_owned()].into_iter()], seen: HashSet::new() }
    }

    fn enter(&mut self, dir: &Path, id: (u64, u64)) -> io::Result<()> {
        if self.seen.insert(id) {
            let entries = fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path()));
            let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
            paths.sort_unstable();
            self.open.push(paths.into_iter());
        }
        Ok(())
    }
}

/// A file and its length, or what could not be looked at.
pub(super) type Entry = (PathBuf, io::Result<u64>);

impl Iterator for Tree {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let Some(path) = self.open.last_mut()?.next() else {
                self.open.pop();
                continue;
            };
            let is_whisper = path.extension() == Some(OsStr::new("wsp"));
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() => {
                    if let Err(error) = self.enter(&path, (found.dev(), found.ino())) {
                        return Some((path, Err(error)));
                    }
                }
                Ok(found) if found.is_file() && is_whisper => return Some((path, Ok(found.len()))),
                // A link to nothing, most likely, or a file that has just gone.
                Err(error) if is_whisper => return Some((path, Err(error))),
                Ok(_) | Err(_) => {}
            }
        }
    }
}

/// The series of a file, told by its path below the tree's folder; why it cannot be told.
pub(super) fn series_of(file: &Path, prefix: Option<&str>) -> Result<String, String> {
    let nodes: Option<Vec<&str>> = file
        .components()
        .map(|one| if let Component::Normal(name) = one { name.to_str() } else { None })
        .collect();
    let nodes = nodes.ok_or("its path is not UTF-8")?;
    let name = match &nodes[..] {
        [TAGGED, _, _, name @ ..] if !name.is_empty() => tagged(&without_ending(&name.join("/")))?,
        nodes => without_ending(&nodes.join(".")),
    };
    let whole = prefix.map_or_else(|| name.clone(), |prefix| format!("{prefix}.{name}"));
    normal_form(&whole).map(Cow::into_owned).map_err(|why| why.to_string())
}

fn without_ending(name: &str) -> String {
    name.strip_suffix(".wsp").unwrap_or(name).to_owned()
}

fn tagged(name: &str) -> Result<String, String> {
    if name.contains(';') {
        return Ok(name.replace(DOT, "."));
    }
    // With TAG_HASH_FILENAMES carbon's names are hashes, and the series' name is nowhere in the file.
    Err("its name is no series' with tags, but perhaps a hash of one; from a hash the name cannot be told"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_path_tells_its_series() {
        let check = |file: &str, prefix: Option<&str>, expected: Option<&str>| {
            assert_eq!(series_of(Path::new(file), prefix).ok().as_deref(), expected, "{file}");
        };
        check("a.wsp", None, Some("a"));
        check("servers/web1/cpu.wsp", None, Some("servers.web1.cpu"));
        check("servers/web1/cpu.wsp", Some("old.graphite"), Some("old.graphite.servers.web1.cpu"));
        check("a/b.wsp.wsp", None, Some("a.b.wsp"));
        let disk = "_tagged/872/252/disk_DOT_used;datacenter=dc1;rack=a_DOT_1.wsp";
        check(disk, None, Some("disk.used;datacenter=dc1;rack=a.1"));
        check(disk, Some("old"), Some("old.disk.used;datacenter=dc1;rack=a.1"));
        check("_tagged/872/252/http;path=/a/b.wsp", None, Some("http;path=/a/b"));
        check("_tagged/872/252/8722524c0b6ee3d4aee2b1a1c0d2d0f1.wsp", None, None);
        check("_tagged/872.wsp", None, Some("_tagged.872"));
        check("_tagged/872/252/m;a=.wsp", None, None);
        check("...wsp", None, None);
    }

    #[test]
    fn every_file_is_found_once_whatever_links_there_are() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("b/c")).unwrap();
        for name in ["b/c/x.wsp", "b/a.wsp", "z.wsp", "z.txt", "b/c/wsp"] {
            fs::write(at(name), "12345").unwrap();
        }
        std::os::unix::fs::symlink(dir.path(), at("b/up")).unwrap();
        std::os::unix::fs::symlink(at("nothing"), at("gone.wsp")).unwrap();
        let found: Vec<_> = Tree::of(dir.path())
            .map(|(path, len)| (path.strip_prefix(dir.path()).unwrap().to_owned(), len.ok()))
            .collect();
        let expected = [("b/a.wsp", Some(5)), ("b/c/x.wsp", Some(5)), ("gone.wsp", None), ("z.wsp", Some(5))];
        assert_eq!(found, expected.map(|(path, len)| (PathBuf::from(path), len)));
    }
}

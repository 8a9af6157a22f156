//! A disk that loses its power: what may be left of the changes that nobody had synced.
//!
//! Each change is known twice: as everybody sees it at once, and as what of it is sure. Of a file's unsynced writes each is
//! lost, kept or torn, by itself; where one is lost the file may still have grown, with zeros. Of a folder's unsynced
//! names each is lost or kept, by itself. So the order of what is not synced is free.

use crate::store::files::watch::Step;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Numbers by chance, the same ones for the same seed (`SplitMix64`).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

#[derive(Clone, Debug)]
enum Edit {
    Write { at: usize, bytes: Vec<u8> },
    Cut(usize),
}

#[derive(Clone, Debug)]
enum Entry {
    Put(OsString, usize),
    Take(OsString),
    Move(OsString, OsString, usize),
}

#[derive(Clone, Debug)]
enum Node {
    /// What is sure, and what is not yet. After a failed sync nothing is sure any more.
    File {
        sure: Vec<u8>,
        edits: Vec<Edit>,
        has_failed: bool,
    },
    Folder {
        seen: BTreeMap<OsString, usize>,
        sure: BTreeMap<OsString, usize>,
        entries: Vec<Entry>,
    },
}

/// A folder and all below it.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    nodes: Vec<Node>,
}

impl Disk {
    /// An empty folder, which is surely there.
    pub(super) fn new() -> Self {
        Self { nodes: vec![folder()] }
    }

    /// Takes up a change.
    pub(super) fn apply(&mut self, step: &Step) {
        match step {
            Step::CreateDir(path) => self.put(path, folder()),
            Step::Create(path) => match self.find(path) {
                Some(file) => self.edit(file, Edit::Cut(0)),
                None => self.put(path, Node::File { sure: Vec::new(), edits: Vec::new(), has_failed: false }),
            },
            Step::Write { path, at, bytes } => {
                let file = self.find(path).expect("a file that is written to has a name");
                self.edit(file, Edit::Write { at: *at as usize, bytes: bytes.clone() });
            }
            Step::Cut { path, len } => {
                let file = self.find(path).expect("a file that is cut has a name");
                self.edit(file, Edit::Cut(*len as usize));
            }
            Step::Sync(path) | Step::SyncDir(path) => {
                let node = self.find(path).expect("what is synced has a name");
                self.sync(node);
            }
            Step::FailedSync(path) => {
                let node = self.find(path).expect("what is synced has a name");
                let Node::File { has_failed, .. } = &mut self.nodes[node] else { return };
                *has_failed = true;
            }
            Step::Rename { path, to } => {
                let node = self.find(path).expect("what is renamed has a name");
                self.enter(path.parent().unwrap(), Entry::Move(name(path), name(to), node));
            }
            Step::Remove(path) => self.enter(path.parent().unwrap(), Entry::Take(name(path))),
            Step::Sent(_) | Step::Acknowledged(_) => {}
        }
    }

    fn find(&self, path: &Path) -> Option<usize> {
        path.iter().try_fold(0, |node, name| match &self.nodes[node] {
            Node::Folder { seen, .. } => seen.get(name).copied(),
            Node::File { .. } => None,
        })
    }

    fn put(&mut self, path: &Path, node: Node) {
        self.nodes.push(node);
        self.enter(path.parent().unwrap(), Entry::Put(name(path), self.nodes.len() - 1));
    }

    fn enter(&mut self, dir: &Path, entry: Entry) {
        let dir = self.find(dir).expect("a name is entered into a folder that is there");
        let Node::Folder { seen, entries, .. } = &mut self.nodes[dir] else { unreachable!("a folder") };
        entry.apply(seen);
        entries.push(entry);
    }

    fn edit(&mut self, file: usize, edit: Edit) {
        let Node::File { edits, has_failed, .. } = &mut self.nodes[file] else { unreachable!("a file") };
        let is_write = matches!(edit, Edit::Write { .. });
        assert!(!(*has_failed && is_write), "a file is never written again after a failed sync");
        edits.push(edit);
    }

    fn sync(&mut self, node: usize) {
        match &mut self.nodes[node] {
            Node::File { has_failed: true, .. } => {}
            Node::File { sure, edits, .. } => edits.drain(..).for_each(|edit| edit.apply(sure)),
            Node::Folder { seen, sure, entries } => {
                entries.clear();
                sure.clone_from(seen);
            }
        }
    }

    /// Writes what everybody sees into a folder: the files as a killed process leaves them.
    pub(super) fn write_seen(&self, to: &Path) {
        self.write(0, to, &mut |_| Fate::Kept);
    }

    /// Writes what a power loss may leave into a folder. Of what is not sure about `chance` per cent is kept.
    pub(super) fn write_left(&self, to: &Path, dice: &mut Dice, chance: usize) {
        self.write(0, to, &mut |may_tear| {
            if dice.percent(chance) {
                return Fate::Kept;
            }
            match dice.below(3) {
                0 => Fate::Lost,
                1 => Fate::Grown,
                _ if may_tear => Fate::Torn([512, 4_096][dice.below(2)], dice.below(usize::MAX) as u64),
                _ => Fate::Lost,
            }
        });
    }

    fn write(&self, node: usize, to: &Path, fate: &mut impl FnMut(bool) -> Fate) {
        match &self.nodes[node] {
            Node::File { sure, edits, .. } => {
                let mut bytes = sure.clone();
                for edit in edits {
                    edit.apply_in_part(&mut bytes, fate(true));
                }
                std::fs::write(to, bytes).unwrap();
            }
            Node::Folder { sure, entries, .. } => {
                let mut names = sure.clone();
                for entry in entries {
                    if fate(false) == Fate::Kept {
                        entry.apply(&mut names);
                    }
                }
                std::fs::create_dir_all(to).unwrap();
                for (name, node) in &names {
                    self.write(*node, &to.join(name), fate);
                }
            }
        }
    }
}

/// What becomes of an unsynced change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Lost,
    /// Lost, but the file's length is that of a write that was kept.
    Grown,
    /// Some blocks of so many bytes are kept, by a seed.
    Torn(usize, u64),
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        self.apply_in_part(bytes, Fate::Kept);
    }

    fn apply_in_part(&self, out: &mut Vec<u8>, fate: Fate) {
        let (at, bytes) = match (self, fate) {
            (_, Fate::Lost) | (Self::Cut(_), Fate::Grown | Fate::Torn(..)) => return,
            (Self::Cut(len), Fate::Kept) => return out.resize(*len, 0),
            (Self::Write { at, bytes }, _) => (*at, bytes),
        };
        out.resize(out.len().max(at + bytes.len()), 0);
        let (block, mut keeps): (_, Box<dyn FnMut() -> bool>) = match fate {
            Fate::Torn(block, seed) => {
                let mut dice = Dice(seed);
                (block, Box::new(move || dice.percent(50)))
            }
            _ => (usize::MAX, Box::new(|| fate == Fate::Kept)),
        };
        let mut start = at;
        while start < at + bytes.len() {
            let end = (at + bytes.len()).min((start / block + 1).saturating_mul(block));
            if keeps() {
                out[start..end].copy_from_slice(&bytes[start - at..end - at]);
            }
            start = end;
        }
    }
}

impl Entry {
    fn apply(&self, names: &mut BTreeMap<OsString, usize>) {
        match self {
            Self::Put(name, node) => drop(names.insert(name.clone(), *node)),
            Self::Take(name) => drop(names.remove(name)),
            Self::Move(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}

fn folder() -> Node {
    Node::Folder { seen: BTreeMap::new(), sure: BTreeMap::new(), entries: Vec::new() }
}

fn name(path: &Path) -> OsString {
    path.file_name().expect("a file has a name").to_owned()
}

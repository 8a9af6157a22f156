//! Our own files, read where they lie: append-only or finished, in a folder that one process owns.
//!
//! They are mapped into memory, or read with `pread` where the operator wants no maps ([`Reading`]). Bytes are borrowed from a
//! view either way. Without a map it has address space of its own, which takes memory as far as the file is looked at and is
//! given back with the last clone of the view. So whoever looks at a lot has a view of his own ([`FileView::anew`]) for as long
//! as he looks, and what is large and used once is read apart ([`FileView::read`]).
//!
//! Where borrowed bytes cannot be read, the work at hand ends there: it unwinds with the error, and [`caught`] has that.

mod region;
mod unwind;

pub use unwind::{caught, or_end, unreadable};

use super::StoreError;
use memmap2::{Mmap, MmapOptions};
use region::{Region, Source};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::ops::{Deref, Range};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// What is read at once for bytes that are borrowed.
const PAGE: usize = 4 << 10;
/// So much is read beyond what lines are asked for, so that the last of them mostly ends in it.
const LINE_ROOM: usize = 4 << 10;

/// How files are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// Mapped into memory.
    #[default]
    Mapped,
    /// With `pread`, into memory of the process.
    Pread,
}

impl Reading {
    /// Lets the process have as many files open as the system allows it where an open file stands for each map.
    pub fn make_room(self) {
        if self == Self::Pread {
            let limit = getrlimit(Resource::Nofile);
            let raised = Rlimit { current: limit.maximum, ..limit };
            if let Err(error) = setrlimit(Resource::Nofile, raised) {
                tracing::warn!(%error, "no more files than usual can be open");
            }
        }
    }

    /// A finished file as long as it is.
    pub fn whole(self, path: &Path) -> Result<FileView, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let found = file.metadata().map_err(StoreError::io("read", path))?;
        self.view(file, found.len() as usize, id_of(&found), path)
    }

    /// A file that will grow up to `capacity` bytes. The caller reads only what has been written.
    pub fn growing(self, file: &File, capacity: usize, path: &Path) -> Result<FileView, StoreError> {
        let found = file.metadata().map_err(StoreError::io("read", path))?;
        let handle = file.try_clone().map_err(StoreError::io("open", path))?;
        self.view(handle, capacity, id_of(&found), path)
    }

    fn view(self, handle: File, len: usize, file: FileId, path: &Path) -> Result<FileView, StoreError> {
        let form = match self {
            _ if len == 0 => Form::Empty,
            Self::Mapped => Form::Mapped(Arc::new(map(&handle, len, path)?)),
            Self::Pread => {
                let source = Arc::new(Source { handle, path: path.to_owned() });
                Form::Read(Arc::new(Region::new(source, len)))
            }
        };
        Ok(FileView { form, len, file })
    }
}

#[expect(unsafe_code, reason = "mapping a file has no safe form; this is the one place")]
fn map(handle: &File, len: usize, path: &Path) -> Result<Mmap, StoreError> {
    // SAFETY: the file is ours, append-only or never written again, in a folder that one process locks; it is never
    // cut short while it is mapped and never written through a map, and no byte is read that was not written before.
    unsafe { MmapOptions::new().len(len).map(handle) }.map_err(StoreError::io("map", path))
}

/// A file's bytes, cheap to share.
#[derive(Clone, Debug)]
pub struct FileView {
    form: Form,
    len: usize,
    file: FileId,
}

#[derive(Clone, Debug)]
enum Form {
    /// There is none.
    Empty,
    Mapped(Arc<Mmap>),
    Read(Arc<Region>),
}

/// Which file it is, whatever its name. No other one has the same as long as this one is mapped or open.
type FileId = (u64, u64);

impl FileView {
    /// How the file is read.
    pub fn reading(&self) -> Reading {
        match self.form {
            Form::Empty | Form::Mapped(_) => Reading::Mapped,
            Form::Read(_) => Reading::Pread,
        }
    }

    /// The same file for somebody who gives back what he has looked at: of a map there is nothing to give back.
    #[must_use]
    pub fn anew(&self) -> Self {
        let form = match &self.form {
            Form::Read(region) => Form::Read(Arc::new(region.anew())),
            other => other.clone(),
        };
        Self { form, ..*self }
    }

    /// Whether this is the file that has the name now. An empty one is not mapped and never is.
    pub fn is_at(&self, path: &Path) -> bool {
        !matches!(self.form, Form::Empty)
            && std::fs::metadata(path).is_ok_and(|found| id_of(&found) == self.file)
    }

    /// Whether the name is surely another file's or nobody's, and not merely out of reach.
    pub fn has_left(&self, path: &Path) -> bool {
        match std::fs::metadata(path) {
            Ok(found) => id_of(&found) != self.file,
            Err(error) => error.kind() == ErrorKind::NotFound,
        }
    }

    /// How many bytes it has, or may come to have.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How much memory it takes for what was looked at.
    pub fn kept_bytes(&self) -> usize {
        match &self.form {
            Form::Read(region) => region.kept_bytes(),
            Form::Empty | Form::Mapped(_) => 0,
        }
    }

    /// Some of the bytes; `None` when the range is not inside the file.
    pub fn get(&self, range: Range<usize>) -> Option<&[u8]> {
        match &self.form {
            Form::Empty => None,
            Form::Mapped(map) => map.get(range),
            Form::Read(region) => {
                (range.start <= range.end && range.end <= self.len).then(|| region.bytes(range))
            }
        }
    }

    /// Some of the bytes; nothing where there are none.
    ///
    /// # Panics
    /// When the range is not inside the file.
    pub fn slice(&self, range: Range<usize>) -> &[u8] {
        if self.is_empty() {
            return &[];
        }
        self.get(range).expect("whoever asks has looked whether the range is inside the file")
    }

    /// Some of the bytes apart from the others: they go when the piece does.
    pub fn read(&self, range: Range<usize>) -> Result<Piece, StoreError> {
        if range.start > range.end || range.end > self.len {
            return Err(self.outside());
        }
        Ok(match &self.form {
            Form::Mapped(map) => Piece { held: Held::Mapped(map.clone()), range },
            Form::Read(region) => {
                let mut bytes = vec![0; range.len()];
                region.source.read(&mut bytes, range.start)?;
                Piece { held: Held::Read(bytes.into()), range: 0..range.len() }
            }
            Form::Empty => Piece { held: Held::Read(Arc::default()), range: 0..0 },
        })
    }

    /// Some of the bytes, which are inside the file, for who uses them again and again: they are kept where he says, unless the
    /// file is mapped.
    ///
    /// # Panics
    /// Where the bytes cannot be read; see [`caught`].
    pub fn lent<'a>(&'a self, range: Range<usize>, kept: &'a OnceLock<Piece>) -> &'a [u8] {
        match &self.form {
            Form::Read(_) => kept.get_or_init(|| or_end(self.read(range))),
            Form::Empty | Form::Mapped(_) => self.slice(range),
        }
    }

    /// Appends some of the bytes.
    pub fn read_into(&self, range: Range<usize>, out: &mut Vec<u8>) -> Result<(), StoreError> {
        if range.start > range.end || range.end > self.len {
            return Err(self.outside());
        }
        let Form::Read(region) = &self.form else {
            out.extend_from_slice(self.slice(range));
            return Ok(());
        };
        let start = out.len();
        out.resize(start + range.len(), 0);
        region.source.read(&mut out[start..], range.start).inspect_err(|_failed| out.truncate(start))
    }

    /// Puts some of the bytes in the place of what is in `out`, as far as the file goes; none where they cannot be read.
    pub fn read_ahead(&self, range: Range<usize>, out: &mut Vec<u8>) -> Result<(), StoreError> {
        out.clear();
        let range = range.start..range.end.min(self.len);
        match &self.form {
            _ if range.is_empty() => {}
            Form::Empty | Form::Mapped(_) => out.extend_from_slice(self.slice(range)),
            Form::Read(region) => {
                out.resize(range.len(), 0);
                let mut filled = 0;
                while filled < out.len() {
                    match region.source.read_some(&mut out[filled..], range.start + filled) {
                        Ok(0) => break,
                        Ok(len) => filled += len,
                        Err(error) => {
                            out.clear();
                            return Err(error);
                        }
                    }
                }
                out.truncate(filled);
            }
        }
        Ok(())
    }

    /// Whole lines from the start of a range on, which ends with one: as far as the line that has its `about`-th byte.
    pub fn lines(&self, range: Range<usize>, about: usize) -> Result<Piece, StoreError> {
        let mut len = if self.reading() == Reading::Mapped { range.len() } else { about + LINE_ROOM };
        loop {
            let end = range.end.min(range.start.saturating_add(len));
            let piece = self.read(range.start..end)?;
            let behind = piece.get(about.saturating_sub(1)..).and_then(|rest| memchr::memchr(b'\n', rest));
            match behind {
                Some(at) => return Ok(piece.part(0..about.saturating_sub(1) + at + 1)),
                None if end == range.end => return Ok(piece),
                None => len = len.saturating_mul(4),
            }
        }
    }

    /// The checksum of some of the bytes, of which little is in hand at a time.
    pub fn crc(&self, range: Range<usize>) -> Result<u32, StoreError> {
        const STEP: usize = 1 << 20;
        let mut crc = crc32fast::Hasher::new();
        for start in range.clone().step_by(STEP) {
            crc.update(&self.read(start..range.end.min(start + STEP))?);
        }
        Ok(crc.finalize())
    }

    fn outside(&self) -> StoreError {
        let path = match &self.form {
            Form::Read(region) => region.source.path.clone(),
            Form::Empty | Form::Mapped(_) => PathBuf::from("a file"),
        };
        StoreError::Damaged { path, why: "what is asked for lies outside of it".to_owned() }
    }
}

/// Some bytes of a file.
#[derive(Clone, Debug)]
pub struct Piece {
    held: Held,
    range: Range<usize>,
}

#[derive(Clone, Debug)]
enum Held {
    Mapped(Arc<Mmap>),
    Read(Arc<[u8]>),
}

impl Piece {
    /// A part of it.
    ///
    /// # Panics
    /// When the range is not inside it.
    #[must_use]
    pub fn part(mut self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.range.len(), "a part lies inside");
        self.range = self.range.start + range.start..self.range.start + range.end;
        self
    }
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.held {
            Held::Mapped(map) => &map[self.range.clone()],
            Held::Read(bytes) => &bytes[self.range.clone()],
        }
    }
}

fn id_of(found: &Metadata) -> FileId {
    (found.dev(), found.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn file(len: usize) -> (tempfile::NamedTempFile, Vec<u8>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..len).map(|at| (at * 31 + at / 251) as u8).collect();
        std::fs::write(file.path(), &bytes).unwrap();
        (file, bytes)
    }

    #[test]
    fn bytes_are_the_same_read_as_mapped() {
        for len in [0, 1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE + 7] {
            let (file, bytes) = file(len);
            for reading in [Reading::Mapped, Reading::Pread] {
                let view = reading.whole(file.path()).unwrap();
                assert_eq!((view.len(), view.is_empty(), view.is_at(file.path())), (len, len == 0, len > 0));
                for start in [0, 1, PAGE / 2, PAGE, 2 * PAGE + 3, len] {
                    for end in [0, 1, PAGE, PAGE + 1, 3 * PAGE, len, len + 1] {
                        let expected = bytes.get(start..end);
                        let case = (reading, len, start, end);
                        assert_eq!(view.get(start..end), expected.filter(|_| len > 0), "{case:?}");
                        assert_eq!(view.read(start..end).ok().as_deref(), expected, "{case:?}");
                        let mut out = b"x".to_vec();
                        let read = view.read_into(start..end, &mut out);
                        assert_eq!(read.is_ok(), expected.is_some(), "{case:?}");
                        assert_eq!(out[1..], *expected.unwrap_or_default());
                    }
                }
                assert_eq!(view.crc(0..len).unwrap(), crc32fast::hash(&bytes));
            }
        }
    }

    #[test]
    fn a_file_that_grows_is_read_on_beside_what_is_lent_out() {
        let (file, _) = file(0);
        let handle = File::options().read(true).write(true).open(file.path()).unwrap();
        let view = Reading::Pread.growing(&handle, 8 * PAGE, file.path()).unwrap();
        let (mut written, mut lent): (Vec<u8>, Vec<&[u8]>) = Default::default();
        for step in [1, 10, PAGE - 11, 1, 3 * PAGE, 100] {
            let start = written.len();
            written.extend((start..start + step).map(|at| (at * 7) as u8));
            handle.write_all_at(&written[start..], start as u64).unwrap();
            lent.push(view.slice(0..written.len()));
        }
        assert!(lent.iter().all(|lent| **lent == written[..lent.len()]));
        assert!(caught(|| view.slice(0..written.len() + 1).len()).is_err(), "that is not written yet");
    }

    #[test]
    fn many_threads_look_at_the_same_pages() {
        let (file, bytes) = file(64 * PAGE);
        let view = Reading::Pread.whole(file.path()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (view, bytes) = (&view, &bytes);
                scope.spawn(move || {
                    for at in 0..500 {
                        let start = (at * 7_919 + thread * 104_729) % (60 * PAGE);
                        assert_eq!(view.slice(start..start + 9_000), &bytes[start..start + 9_000]);
                    }
                });
            }
        });
    }

    #[test]
    fn what_was_looked_at_goes_with_the_view() {
        let (file, _) = file(64 * PAGE);
        let view = Reading::Pread.whole(file.path()).unwrap();
        let of = FileView::kept_bytes;
        view.read(0..64 * PAGE).unwrap();
        assert_eq!(of(&view), 0, "a piece is apart");
        let own = view.anew();
        own.slice(0..3 * PAGE);
        assert_eq!((of(&view), of(&own), of(&own.clone()), of(&own.anew())), (0, 3 * PAGE, 3 * PAGE, 0));
    }

    #[test]
    fn what_cannot_be_read_ends_the_work_with_an_error() {
        let (file, bytes) = file(3 * PAGE);
        let view = Reading::Pread.whole(file.path()).unwrap();
        let first = view.slice(0..PAGE);
        // Stands for a disk that fails: no file of ours is ever cut.
        File::options().write(true).open(file.path()).unwrap().set_len(PAGE as u64).unwrap();
        let error = caught(|| view.slice(0..2 * PAGE).to_vec()).unwrap_err();
        assert!(error.with_source().contains(&file.path().display().to_string()), "{}", error.with_source());
        assert!(view.read(PAGE..PAGE + 1).is_err());
        assert_eq!(first, &bytes[..PAGE]);
        let panic = std::panic::catch_unwind(|| caught(|| std::panic::panic_any("a bug"))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a bug"), "no other panic is swallowed");
    }
}

//! The write-ahead log of one head: an append-only file of framed records.
//!
//! The file starts with [`MAGIC`] and its number. A record is its payload's length (u32), the payload's CRC-32 (u32) and
//! the payload: new series names, then points. Series are numbered in order of first appearance in the file. Replay
//! ends at the first record that is not whole; a file with such a tail is never appended to.

use super::head::{Head, Staged};
use crate::store::{StoreError, files};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The first bytes of a write-ahead log; the last two digits are the version.
pub(super) const MAGIC: &[u8; 8] = b"SNDWAL01";
/// The most points of a record; more go into further records.
const MAX_RECORD_POINTS: usize = 65_536;
/// The longest name of a series, tags included, in bytes.
pub(super) const MAX_SERIES_BYTES: usize = 4_096;
/// No record is longer: one series name at most for each point.
const MAX_RECORD_BYTES: u32 = (8 + MAX_RECORD_POINTS * (16 + 2 + MAX_SERIES_BYTES)) as u32;
const FRAME_BYTES: usize = 8;

/// Where records go. A trait so that tests can make writes and syncs fail.
pub(super) trait WalFile: Send {
    /// Appends all bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// Makes the files that records go to.
pub(super) trait Disk: Send + Sync {
    /// Creates a file that must not be there yet and makes its name durable.
    fn create(&self, path: &Path) -> Result<Box<dyn WalFile>, StoreError>;
}

/// The disk there is.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> Result<Box<dyn WalFile>, StoreError> {
        Ok(Box::new(RealFile(files::create_new(path)?)))
    }
}

struct RealFile(File);

impl WalFile for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // Whoever deletes the day's folder takes the file's name away; nothing may be acknowledged into it then.
        if self.0.metadata()?.nlink() == 0 {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the file was deleted"));
        }
        self.0.sync_data()
    }
}

/// The file's first bytes.
fn header(number: u32) -> Vec<u8> {
    [MAGIC.as_slice(), &number.to_le_bytes()].concat()
}

/// A record being gathered, and the finished ones before it.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Finished records, framed.
    pub(super) bytes: Vec<u8>,
    names: Vec<u8>,
    name_count: u32,
    rows: Vec<u8>,
    row_count: usize,
}

impl Records {
    /// Nothing yet but the first bytes of the log of this number.
    pub(super) fn of_log(number: u32) -> Self {
        Self { bytes: header(number), ..Self::default() }
    }

    /// Adds a series that no earlier record of the file names.
    pub(super) fn push_name(&mut self, name: &str) {
        self.names.extend_from_slice(&(name.len() as u16).to_le_bytes());
        self.names.extend_from_slice(name.as_bytes());
        self.name_count += 1;
    }

    /// Adds a point.
    pub(super) fn push_point(&mut self, (series, time, value): Staged) {
        self.rows.extend_from_slice(&series.to_le_bytes());
        self.rows.extend_from_slice(&time.to_le_bytes());
        self.rows.extend_from_slice(&value.to_le_bytes());
        self.row_count += 1;
        if self.row_count == MAX_RECORD_POINTS {
            self.finish();
        }
    }

    /// Ends the record, if there is anything in it.
    pub(super) fn finish(&mut self) {
        if self.row_count == 0 {
            return;
        }
        let mut payload = Vec::with_capacity(8 + self.names.len() + self.rows.len());
        payload.extend_from_slice(&self.name_count.to_le_bytes());
        payload.append(&mut self.names);
        payload.extend_from_slice(&(self.row_count as u32).to_le_bytes());
        payload.append(&mut self.rows);
        self.bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
        self.bytes.append(&mut payload);
        (self.name_count, self.row_count) = (0, 0);
    }
}

/// What a file holds, up to its first bad record, and where that is.
pub(super) fn replay(path: &Path, number: u32) -> Result<(Head, u64), StoreError> {
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let head = Head::new(number);
    let mut start = vec![0; MAGIC.len() + 4];
    if !read_whole(&mut reader, &mut start).map_err(StoreError::io("read", path))? {
        return Ok((head, 0));
    }
    // A file that was made but never synced may have its length and nothing in it after a power loss.
    if start.iter().all(|byte| *byte == 0) {
        return Ok((head, 0));
    }
    if start != header(number) {
        let why = "it does not start as a write-ahead log of its number".to_owned();
        return Err(StoreError::Damaged { path: path.to_owned(), why });
    }
    let mut end = start.len() as u64;
    while let Some(payload) = next_payload(&mut reader).map_err(StoreError::io("read", path))? {
        if apply_payload(&head, &payload).is_none() {
            let why = "a record with a right checksum does not parse".to_owned();
            return Err(StoreError::Damaged { path: path.to_owned(), why });
        }
        end += (FRAME_BYTES + payload.len()) as u64;
    }
    Ok((head, end))
}

/// The next whole record's payload; `None` at the end and before a torn or damaged record.
fn next_payload(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut frame = [0; FRAME_BYTES];
    if !read_whole(reader, &mut frame)? {
        return Ok(None);
    }
    let (len, crc) = (le_u32(&frame[..4]), le_u32(&frame[4..]));
    if len == 0 || len > MAX_RECORD_BYTES {
        return Ok(None);
    }
    let mut payload = Vec::new();
    reader.take(u64::from(len)).read_to_end(&mut payload)?;
    let whole = payload.len() == len as usize && crc32fast::hash(&payload) == crc;
    Ok(whole.then_some(payload))
}

/// Fills the buffer; false when the file ends before.
fn read_whole(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn apply_payload(head: &Head, payload: &[u8]) -> Option<()> {
    let mut rest = payload;
    for _ in 0..le_u32(rest.split_off(..4)?) {
        let len = u16::from_le_bytes(rest.split_off(..2)?.try_into().ok()?);
        let name = std::str::from_utf8(rest.split_off(..usize::from(len))?).ok()?;
        head.intern(&name.into());
    }
    let count = le_u32(rest.split_off(..4)?) as usize;
    let (rows, beyond) = rest.as_chunks::<16>();
    let staged: Vec<Staged> = rows.iter().map(read_row).collect();
    let series_count = head.series_count() as u32;
    let right = beyond.is_empty() && rows.len() == count && staged.iter().all(|row| row.0 < series_count);
    right.then(|| head.apply(&staged))
}

fn read_row(row: &[u8; 16]) -> Staged {
    let value = f64::from_bits(u64::from(le_u32(&row[8..12])) | u64::from(le_u32(&row[12..])) << 32);
    (le_u32(&row[..4]), le_u32(&row[4..8]), value)
}

pub(super) fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

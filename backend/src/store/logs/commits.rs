//! Commit records: which part of a segment's text is whole.
//!
//! One record of [`RECORD_BYTES`] a commit, at a multiple of its size, so that a failed one is simply written over.
//! A record counts when its own checksum holds and the text it adds has the checksum it names. A note before it tells which
//! body the lines are of, when that may be sent again; it counts with its record, so neither is there without the other.

use crate::store::ages::Lane;
use crate::store::source::{BatchKey, Mark, Note};
use sonde_shared::time::{Day, Timestamp};
use std::ops::{Deref, Range};

/// Bytes of a record.
pub(super) const RECORD_BYTES: usize = 24;

/// The state of a segment after one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    /// Bytes of text that are whole.
    pub(super) end: u64,
    /// Lines in them.
    pub(super) rows: u32,
    /// CRC-32 of the text that this commit added.
    pub(super) text_crc: u32,
}

impl Commit {
    /// The record as it lies in the file.
    pub(super) fn encode(self) -> [u8; RECORD_BYTES] {
        let mut out = [0; RECORD_BYTES];
        out[..8].copy_from_slice(&self.end.to_le_bytes());
        out[8..12].copy_from_slice(&self.rows.to_le_bytes());
        out[12..16].copy_from_slice(&self.text_crc.to_le_bytes());
        out[16..20].copy_from_slice(b"SCR1");
        let crc = crc32fast::hash(&out[..20]);
        out[20..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a record; `None` when it is not whole.
    pub(super) fn decode(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let crc = u32::from_le_bytes(*bytes.last_chunk()?);
        let whole = &bytes[16..20] == b"SCR1" && crc == crc32fast::hash(&bytes[..20]);
        whole.then_some(Self {
            end: u64::from_le_bytes(*bytes.first_chunk()?),
            rows: u32::from_le_bytes(*bytes[8..].first_chunk()?),
            text_crc: u32::from_le_bytes(*bytes[12..].first_chunk()?),
        })
    }
}

/// Bytes of a note: as many as two records.
pub(super) const NOTE_BYTES: usize = 2 * RECORD_BYTES;

/// The number of lines has so many bits; those above it are the lane's.
const LINES_BITS: u32 = 40;
const MAX_LINES: u64 = (1 << LINES_BITS) - 1;

/// A note as it lies in the file.
pub(super) fn encode_note(note: &Note) -> [u8; NOTE_BYTES] {
    let mut out = [0; NOTE_BYTES];
    out[..16].copy_from_slice(&note.key.0);
    out[16..20].copy_from_slice(if note.lane == Lane::default() { b"SBK1" } else { b"SBK2" });
    // Without a lane these are the number's own upper bytes, which are 0 in any body that there is.
    let lines = note.mark.lines & MAX_LINES | u64::from(note.lane.0) << LINES_BITS;
    out[24..32].copy_from_slice(&lines.to_le_bytes());
    out[32..36].copy_from_slice(&note.mark.checksum.to_le_bytes());
    out[36..40].copy_from_slice(&(note.begun.as_secs() as u32).to_le_bytes());
    out[40..44].copy_from_slice(&(note.at.as_secs() as u32).to_le_bytes());
    out[44..].copy_from_slice(&(note.day.number() as i32).to_le_bytes());
    let crc = note_crc(&out);
    out[20..24].copy_from_slice(&crc.to_le_bytes());
    out
}

/// Reads a note; `None` when it is none or not whole.
pub(super) fn decode_note(bytes: &[u8; NOTE_BYTES]) -> Option<Note> {
    let word = |at: usize| bytes[at..].first_chunk().copied().map(u32::from_le_bytes);
    let is_known = matches!(&bytes[16..20], b"SBK1" | b"SBK2");
    let lines = u64::from_le_bytes(*bytes[24..].first_chunk()?);
    let has_lane = &bytes[16..20] == b"SBK2";
    let (lines, lane) = if has_lane { (lines & MAX_LINES, lines >> LINES_BITS) } else { (lines, 0) };
    (is_known && word(20)? == note_crc(bytes)).then_some(Note {
        key: BatchKey(*bytes.first_chunk()?),
        begun: Timestamp::from_secs(i64::from(word(36)?)),
        at: Timestamp::from_secs(i64::from(word(40)?)),
        day: Day::from_number(i64::from(word(44)? as i32)),
        lane: Lane(lane as u32),
        mark: Mark { lines, checksum: word(32)? },
    })
}

/// The checksum of all of a note but the checksum.
fn note_crc(bytes: &[u8; NOTE_BYTES]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[..20]);
    crc.update(&bytes[24..]);
    crc.finalize()
}

const HEAD_MAGIC: &[u8; 4] = b"SHD1";

/// What stands before the first record of a segment that is not its day's first: the time of the latest line that the day
/// had when the segment was begun. So late lines are told by the segment alone, whatever becomes of the others.
pub(super) fn encode_head(watermark: Timestamp) -> [u8; RECORD_BYTES] {
    let mut out = [0; RECORD_BYTES];
    out[..8].copy_from_slice(&watermark.as_nanos().to_le_bytes());
    out[16..20].copy_from_slice(HEAD_MAGIC);
    let crc = crc32fast::hash(&out[..20]);
    out[20..].copy_from_slice(&crc.to_le_bytes());
    out
}

/// Reads the head of a file's records, where they have one.
pub(super) fn decode_head(records: &[u8]) -> Option<Timestamp> {
    let bytes: &[u8; RECORD_BYTES] = records.first_chunk()?;
    let crc = u32::from_le_bytes(*bytes.last_chunk()?);
    let is_whole = bytes[16..20] == *HEAD_MAGIC && crc == crc32fast::hash(&bytes[..20]);
    is_whole.then_some(Timestamp::from_nanos(i64::from_le_bytes(*bytes.first_chunk()?)))
}

/// The commits of a file, each with its note, up to the first that is not whole.
pub(super) fn read_commits(mut records: &[u8]) -> impl Iterator<Item = (Commit, Option<Note>)> {
    // A head that does not hold tells nothing, and hides no record behind it.
    if records.first_chunk::<RECORD_BYTES>().is_some_and(|bytes| bytes[16..20] == *HEAD_MAGIC) {
        records = &records[RECORD_BYTES..];
    }
    std::iter::from_fn(move || {
        let note = records.first_chunk().and_then(decode_note);
        let rest = if note.is_some() { &records[NOTE_BYTES..] } else { records };
        let (record, rest) = rest.split_first_chunk()?;
        records = rest;
        Some((Commit::decode(record)?, note))
    })
    .fuse()
}

/// The last commit whose text is whole, walking from `known`, which an index vouches for. `read` gives the text between
/// two offsets, or `None` when the file is shorter.
///
/// `known` ends where a block of the index ends, mostly in the midst of a commit. A record's checksum is about all that
/// its commit added, so the walk starts at the commit before.
pub(super) fn last_whole<T: Deref<Target = [u8]>>(
    records: &[u8],
    known: Commit,
    read: impl Fn(u64, u64) -> Option<T>,
) -> Commit {
    let mut last = Commit { end: 0, rows: 0, text_crc: 0 };
    for (commit, _) in read_commits(records) {
        let is_covered = last.end <= known.end && commit.end <= known.end;
        let follows = || commit.end > last.end && commit.rows > last.rows;
        let holds =
            || read(last.end, commit.end).is_some_and(|text| crc32fast::hash(&text) == commit.text_crc);
        if !(is_covered || follows() && holds()) {
            break;
        }
        last = commit;
    }
    if last.end < known.end { known } else { last }
}

/// Lines whose text is not what their commit wrote, of those in the first `end` bytes. A record that does not hold ends what can
/// be told; an index vouches for what lies behind it. `crc` gives the checksum of the text between two offsets.
pub(super) fn changed_lines<E>(
    records: &[u8],
    end: u64,
    mut crc: impl FnMut(Range<u64>) -> Result<u32, E>,
) -> Result<Vec<Range<u32>>, E> {
    let (mut changed, mut start, mut first) = (Vec::new(), 0, 0);
    for (commit, _) in read_commits(records) {
        if commit.end <= start || commit.end > end {
            break;
        }
        if crc(start..commit.end)? != commit.text_crc {
            changed.push(first..commit.rows.max(first));
        }
        (start, first) = (commit.end, commit.rows);
    }
    Ok(changed)
}

/// The end of the text that records tell of, whether or not it is whole.
pub(super) fn noted_end(records: &[u8]) -> u64 {
    read_commits(records).map(|(commit, _)| commit.end).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Commit = Commit { end: 0, rows: 0, text_crc: 0 };

    fn three_commits() -> (Vec<u8>, Vec<u8>, Vec<Commit>) {
        let text = b"one\ntwo\nthree\n".to_vec();
        let mut commits = vec![NONE];
        for (rows, end) in [(1, 4), (2, 8), (3, 14)] {
            let start = commits.last().unwrap().end as usize;
            commits.push(Commit { end, rows, text_crc: crc32fast::hash(&text[start..end as usize]) });
        }
        let records = commits[1..].iter().flat_map(|commit| commit.encode()).collect();
        (text, records, commits)
    }

    #[test]
    fn a_note_counts_with_its_record_whatever_is_cut_off() {
        let (text, plain, commits) = three_commits();
        let note = |lines: u64| Note {
            key: BatchKey::of(b"a key"),
            begun: Timestamp::from_secs(1_763_647_500),
            at: Timestamp::from_secs(1_763_647_501),
            day: Day::from_number(-7),
            lane: Lane(lines as u32 % 2 * 0x00ab_cdef),
            mark: Mark { lines, checksum: 9 },
        };
        let (first, rest) = plain.split_at(RECORD_BYTES);
        let (second, third) = rest.split_at(RECORD_BYTES);
        let records = [first, &encode_note(&note(5)), second, &encode_note(&note(6)), third].concat();
        let ends = [24, 96, 168];
        for len in 0..=records.len() {
            let whole = ends.iter().filter(|end| **end <= len).count();
            let found: Vec<_> = read_commits(&records[..len]).collect();
            let expected = [None, Some(note(5)), Some(note(6))];
            assert_eq!(found, commits[1..].iter().copied().zip(expected).take(whole).collect::<Vec<_>>());
            assert_eq!(recover(&text, &records[..len], NONE), commits[whole]);
        }
        let mut damaged = records.clone();
        damaged[50] ^= 1;
        assert_eq!(recover(&text, &damaged, NONE), commits[1], "a damaged note ends what is whole");
    }

    #[test]
    fn a_head_tells_its_time_and_hides_no_record_though_it_is_damaged() {
        let (text, records, commits) = three_commits();
        let head = encode_head(Timestamp::from_secs(-5));
        let with_head = [&head[..], &records].concat();
        assert_eq!(decode_head(&with_head), Some(Timestamp::from_secs(-5)));
        assert_eq!(recover(&text, &with_head, NONE), commits[3]);
        assert_eq!((decode_head(&records), decode_head(&head[..23])), (None, None));
        for at in [0, 8, 21] {
            let mut damaged = with_head.clone();
            damaged[at] ^= 1;
            assert_eq!((decode_head(&damaged), recover(&text, &damaged, NONE)), (None, commits[3]), "{at}");
        }
    }

    fn recover(text: &[u8], records: &[u8], known: Commit) -> Commit {
        last_whole(records, known, |from, until| text.get(from as usize..until as usize))
    }

    #[test]
    fn every_cut_gives_the_last_commit_that_is_whole() {
        let (text, records, commits) = three_commits();
        for text_len in 0..=text.len() {
            for records_len in 0..=records.len() {
                let expected = commits
                    .iter()
                    .enumerate()
                    .rfind(|(i, commit)| commit.end as usize <= text_len && i * RECORD_BYTES <= records_len)
                    .map(|(_, commit)| *commit);
                assert_eq!(Some(recover(&text[..text_len], &records[..records_len], NONE)), expected);
            }
        }
    }

    #[test]
    fn an_index_that_ends_in_the_midst_of_a_commit_loses_nothing_behind_it() {
        let (text, records, commits) = three_commits();
        for end in 0..=text.len() as u64 {
            let known = Commit { end, rows: 0, text_crc: 0 };
            assert_eq!(recover(&text, &records, known).end, commits[3].end, "an index up to {end}");
        }
    }

    #[test]
    fn a_flipped_bit_ends_what_is_whole() {
        let (mut text, records, commits) = three_commits();
        text[5] ^= 1;
        assert_eq!(recover(&text, &records, NONE), commits[1]);
        assert_eq!(
            recover(&text, &records, commits[2]),
            commits[3],
            "what an index vouches for is not read again"
        );
    }

    #[test]
    fn a_changed_byte_is_told_by_the_lines_of_its_commit() {
        let (text, records, commits) = three_commits();
        let check = |text: &[u8], records: &[u8], end: u64| {
            let crc = |range: Range<u64>| Some(&text[range.start as usize..range.end as usize]);
            changed_lines(records, end, |range| crc(range).map(crc32fast::hash).ok_or(())).unwrap()
        };
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 4;
            let of = commits.iter().position(|commit| at < commit.end as usize).unwrap() as u32;
            assert_eq!(check(&changed, &records, 14), std::slice::from_ref(&(of - 1..of)), "{at}");
            let counts: Vec<_> = Some(of - 1..of).filter(|_| of < 3).into_iter().collect();
            assert_eq!(check(&changed, &records, 13), counts, "{at}: what does not count is not looked at");
        }
        assert_eq!((check(&text, &records, 14), noted_end(&records)), (Vec::new(), 14));
        let mut damaged = records.clone();
        damaged[RECORD_BYTES] ^= 1;
        assert_eq!((check(&text, &damaged, 14), noted_end(&damaged)), (Vec::new(), 4));
    }
}

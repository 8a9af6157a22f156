//! Commit records: which part of a segment's text is whole.
//!
//! One record of [`RECORD_BYTES`] a commit, at a multiple of its size, so that a failed one is simply written over.
//! A record counts when its own checksum holds and the text it adds has the checksum it names.

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

/// The last commit whose text is whole, walking from `known`, which an index vouches for. `read` gives the text between
/// two offsets, or `None` when the file is shorter.
///
/// `known` ends where a block of the index ends, mostly in the midst of a commit. A record's checksum is about all that
/// its commit added, so the walk starts at the commit before.
pub(super) fn last_whole<'a>(
    records: &[u8],
    known: Commit,
    read: impl Fn(u64, u64) -> Option<&'a [u8]>,
) -> Commit {
    let (records, _) = records.as_chunks::<RECORD_BYTES>();
    let covered =
        |record: &&[u8; RECORD_BYTES]| Commit::decode(record).is_some_and(|commit| commit.end <= known.end);
    let start = records.iter().take_while(covered).count();
    let before = start.checked_sub(1).and_then(|index| Commit::decode(&records[index]));
    let mut last = before.unwrap_or(Commit { end: 0, rows: 0, text_crc: 0 });
    for record in &records[start..] {
        let Some(commit) = Commit::decode(record) else { break };
        if commit.end <= last.end || commit.rows <= last.rows {
            break;
        }
        let whole = read(last.end, commit.end).is_some_and(|text| crc32fast::hash(text) == commit.text_crc);
        if !whole {
            break;
        }
        last = commit;
    }
    if last.end < known.end { known } else { last }
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
}

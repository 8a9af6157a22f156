//! Changes files by chance, and makes checksums right again where they are known to lie.

/// The bytes of a block's head, as `docs/file-format.md` has them.
const HEAD_BYTES: usize = 76;
/// The bytes behind a sealed file's footer, and of its head.
const TAIL_BYTES: usize = 16;

/// The bytes behind an index' summary: its length and checksum, its kind and version.
const SUMMARY_TAIL_BYTES: usize = 12;

/// Numbers that a reader may not have thought of.
const ODD: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0x100,
    0xffff,
    1 << 20,
    1 << 28,
    1 << 31,
    u32::MAX as u64,
    1 << 40,
    u64::MAX,
    i64::MAX as u64,
];

/// Changes files, the same ones in the same way for the same seed.
pub(super) struct Mutator {
    dice: u64,
    breaks_no_text: bool,
}

type Files = Vec<(String, Vec<u8>)>;

impl Mutator {
    pub(super) fn new(seed: u64) -> Self {
        Self { dice: seed, breaks_no_text: true }
    }

    /// Whether the lines themselves, and where each begins and ends, are as they were: so no answer may have another line.
    pub(super) fn breaks_no_text(&self) -> bool {
        self.breaks_no_text
    }

    fn below(&mut self, limit: usize) -> usize {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }

    /// The files with one of a kind changed, and what was done.
    pub(super) fn change(&mut self, files: &Files, kind: &str) -> (Files, String) {
        let mut files = files.clone();
        let of_kind: Vec<usize> = (0..files.len()).filter(|at| files[*at].0.ends_with(kind)).collect();
        let which = of_kind[self.below(of_kind.len())];
        let changes = 1 + self.below(3);
        let mut what = vec![files[which].0.clone()];
        for _ in 0..changes {
            // A part of an index that chance would rarely find: its first times, or its summary's head and columns.
            let of_index = [first_columns(&files[which].1), summary_start(&files[which].1)];
            let columns = of_index[self.below(2)];
            what.push(self.change_bytes(&mut files[which].1, columns));
        }
        let is_resealed = self.below(3) > 0;
        if is_resealed {
            what.push("checksums right".to_owned());
            make_right(&mut files, which);
        }
        self.breaks_no_text = !(is_resealed && kind != "commits" || kind == "ndjson");
        (files, what.join(", "))
    }

    /// Mostly near the start or the end, where heads and footers are, or at the head of the first column of a block, its times.
    fn place(&mut self, len: usize, columns: Option<usize>) -> usize {
        match (self.below(5), columns) {
            (4, Some(at)) => (at + self.below(80)).min(len - 1),
            (kind, _) => self.any_place(len, kind),
        }
    }

    fn any_place(&mut self, len: usize, kind: usize) -> usize {
        match kind {
            0 => self.below(len.min(100)),
            1 => len.saturating_sub(1 + self.below(len.min(80))),
            _ => self.below(len),
        }
    }

    fn change_bytes(&mut self, bytes: &mut Vec<u8>, columns: Option<usize>) -> String {
        let (at, len) = (self.place(bytes.len(), columns), 1 + self.below(40));
        let end = (at + len).min(bytes.len());
        match self.below(8) {
            0 => bytes[at..end].fill(0),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let from = self.below(bytes.len() - (end - at) + 1);
                bytes.copy_within(from..from + (end - at), at);
            }
            3 => bytes.truncate(at),
            4 => {
                let again: Vec<u8> = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            kind => {
                let number = ODD[self.below(ODD.len())].to_le_bytes();
                // Numbers lie at multiples of four bytes, in heads at least.
                let (width, at) = if kind == 5 { (8, at / 4 * 4) } else { (4, at / 4 * 4) };
                let end = (at + width).min(bytes.len());
                let number = if kind == 7 { (self.below(70_000) as u64).to_le_bytes() } else { number };
                bytes[at..end].copy_from_slice(&number[..end - at]);
            }
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
        format!("{len} bytes at {at}")
    }
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 4).map_or(0, |found| u32::from_le_bytes(found.try_into().unwrap()) as usize)
}

/// Where the columns of an index' first block begin.
fn first_columns(bytes: &[u8]) -> Option<usize> {
    let at = [(b"SNDIDX", 8), (b"SNDIDS", 12)].into_iter().find(|(magic, _)| bytes.starts_with(*magic))?.1;
    let columns = at + HEAD_BYTES + u32_at(bytes, at + 12) + u32_at(bytes, at + 60);
    (columns < bytes.len()).then_some(columns)
}

fn put_crc(bytes: &mut [u8], at: usize, crc: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
}

fn make_right(files: &mut Files, which: usize) {
    let (name, bytes) = &mut files[which];
    if name.ends_with("idx") {
        let head = if bytes.starts_with(b"SNDIDS") { 12 } else { 8 };
        make_index_right(bytes, head);
    } else if name.ends_with("commits") {
        make_records_right(bytes);
    } else if name.ends_with("zst") {
        let print = make_footer_right(bytes);
        let index = files.iter_mut().find(|(name, _)| name.ends_with("idx"));
        if let (Some(print), Some((_, index))) = (print, index) {
            put_crc(index, 8, print);
        }
    }
}

fn make_index_right(bytes: &mut [u8], start: usize) {
    let mut at = start;
    while bytes.len() >= at + HEAD_BYTES {
        let [names, counts, columns] = [12, 60, 64].map(|offset| u32_at(bytes, at + offset));
        if bytes[at..].starts_with(b"SSM4") {
            break;
        }
        let columns_at = at + HEAD_BYTES + names + counts;
        if let Some(found) = bytes.get(columns_at..columns_at + columns) {
            put_crc(bytes, at + 68, crc32fast::hash(found));
        }
        let Some(rest) = bytes.get(at + HEAD_BYTES..columns_at) else { break };
        let mut crc = crc32fast::Hasher::new();
        crc.update(&bytes[at..at + HEAD_BYTES - 4]);
        crc.update(rest);
        put_crc(bytes, at + HEAD_BYTES - 4, crc.finalize());
        at = columns_at + columns;
    }
    make_summary_right(bytes);
}

fn make_summary_right(bytes: &mut [u8]) {
    let Some(tail) = bytes.len().checked_sub(SUMMARY_TAIL_BYTES) else { return };
    if let Some(start) = tail.checked_sub(u32_at(bytes, tail)) {
        let crc = crc32fast::hash(&bytes[start..tail]);
        put_crc(bytes, tail + 4, crc);
    }
}

/// Where the summary at the end of an index begins.
fn summary_start(bytes: &[u8]) -> Option<usize> {
    let tail =
        bytes.len().checked_sub(SUMMARY_TAIL_BYTES).filter(|tail| bytes[*tail..].ends_with(b"SSM4"))?;
    tail.checked_sub(u32_at(bytes, tail)).filter(|start| *start < tail)
}

fn make_records_right(bytes: &mut [u8]) {
    for record in bytes.chunks_exact_mut(24) {
        let crc = crc32fast::hash(&record[..20]);
        put_crc(record, 20, crc);
    }
}

fn make_footer_right(bytes: &mut [u8]) -> Option<u32> {
    let tail = bytes.len().checked_sub(TAIL_BYTES)?;
    let start = tail.checked_sub(u32_at(bytes, tail))?;
    let order_at = u32_at(bytes, start + 12);
    if let Some(order) = bytes.get(order_at..order_at + u32_at(bytes, start + 20)) {
        let crc = crc32fast::hash(order);
        put_crc(bytes, start + 24, crc);
    }
    let crc = crc32fast::hash(&bytes[start..tail]);
    put_crc(bytes, tail + 4, crc);
    Some(crc)
}

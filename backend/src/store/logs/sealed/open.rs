//! Opens a sealed segment: its index from the file, or made again from the text.

use super::layout::Footer;
use super::text::{Sealed, SealedText};
use crate::store::StoreError;
use crate::store::file_view::{FileView, Reading};
use crate::store::logs::block::{self, Block, Found, Row};
use crate::store::logs::dictionary::{Dictionaries, NameKind};
use crate::store::logs::rows::{RowReader, is_late};
use crate::store::logs::segment::{BLOCK_ROWS, Effort, NewIndex, Opening, Paths, Published};
use sonde_shared::time::{Day, Timestamp};
use std::path::Path;
use std::sync::Arc;

/// Whether there is a sealed file with its end.
pub(in crate::store::logs) fn is_whole(path: &Path) -> bool {
    watermark(path).is_some()
}

/// What a sealed file with its end says of the day before it: the time of the latest line there was.
pub(in crate::store::logs) fn watermark(path: &Path) -> Option<Timestamp> {
    if !path.exists() {
        return None;
    }
    let file = Reading::Pread.whole(path).ok()?;
    let (footer, _) = Footer::find(&file).ok()??;
    Some(Timestamp::from_nanos(footer.watermark))
}

/// Opens `logs-NNNN.ndjson.zst` and its index; also what the index should be, for the folder's owner, where it lacked something.
/// `watermark` is the time of the latest line of the day's earlier segments. `None` where reading the lines takes more than the
/// effort allows.
pub(in crate::store::logs) fn open(
    paths: &Paths,
    day: Day,
    watermark: Timestamp,
    id: u64,
    opening: &Opening,
    effort: Effort<'_>,
) -> Result<Option<(SealedText, Published, Option<NewIndex>)>, StoreError> {
    if !is_whole(&paths.sealed) && effort.is_below(text_without_end(&paths.sealed)) {
        return Ok(None);
    }
    let sealed = SealedText::open(&paths.sealed, id, opening.frames.clone(), opening.reading)?;
    if let Some(published) = whole_index(&paths.index, &sealed, opening.reading)? {
        return Ok(Some((sealed.text, published, None)));
    }
    let known = FoundBlocks::read(&paths.index, &sealed, opening)?;
    let (bytes, published) = if let Some(known) = known {
        known.finish()?
    } else {
        if effort.is_below(sealed.text.text_bytes()) {
            return Ok(None);
        }
        let mut names = Dictionaries::default();
        let number = |kind, name: &str| names.number(kind, name);
        let Some(rows) = read_rows(&sealed, day, watermark, number, effort)? else { return Ok(None) };
        let (index, published) = encode_index(&sealed, &rows, names);
        (Some(index), published)
    };
    let head_len = block::sealed_head(sealed.print.unwrap_or(0)).len();
    let index = bytes.filter(|_| opening.is_owner).map(|bytes| NewIndex { bytes, head_len });
    Ok(Some((sealed.text, published, index)))
}

/// How much text may be in a sealed file whose end is damaged, so that all of it must be looked at.
fn text_without_end(path: &Path) -> u64 {
    /// Lines are seldom packed better.
    const USUAL_RATIO: u64 = 16;
    std::fs::metadata(path).map_or(0, |found| found.len().saturating_mul(USUAL_RATIO))
}

/// What the index says, where it is that of this very file and ends with a summary. No block of it is read.
fn whole_index(path: &Path, sealed: &Sealed, reading: Reading) -> Result<Option<Published>, StoreError> {
    let (Some(print), true) = (sealed.print, path.exists()) else { return Ok(None) };
    let (view, head) = (reading.whole(path)?, block::sealed_head(print));
    if view.len() < head.len() || view.read(0..head.len())?[..] != head {
        return Ok(None);
    }
    let published = Published::in_file(view, head.len())?;
    Ok(published.filter(|published| sealed.lines == Some(published.rows)))
}

/// The blocks of an index that is that of this very file and lacks nothing but its summary.
struct FoundBlocks {
    view: FileView,
    /// What the file begins with in this version.
    head: Vec<u8>,
    end: usize,
    rows: u32,
    blocks: Vec<Arc<Block>>,
    names: Dictionaries,
    /// Whether the index is to be made whole: the folder is ours.
    is_owner: bool,
}

impl FoundBlocks {
    fn read(path: &Path, sealed: &Sealed, opening: &Opening) -> Result<Option<Self>, StoreError> {
        let (Some(print), true) = (sealed.print, path.exists()) else { return Ok(None) };
        let view = opening.reading.whole(path)?;
        let bytes = view.read(0..view.len())?;
        let heads = block::sealed_heads(print);
        let Some(head) = heads.iter().find(|head| bytes.starts_with(head)) else { return Ok(None) };
        let mut this = Self {
            view: view.clone(),
            end: head.len(),
            rows: 0,
            blocks: Vec::new(),
            names: Dictionaries::default(),
            is_owner: opening.is_owner,
            head: block::sealed_head(print),
        };
        while let Some(found) = block::find(&bytes, this.end) {
            if !this.take(found) {
                return Ok(None);
            }
        }
        Ok((sealed.lines == Some(this.rows)).then_some(this))
    }

    /// Adds a block of the file; false where it is damaged.
    fn take(&mut self, mut found: Found) -> bool {
        let names = std::mem::take(&mut found.names);
        // Blocks of a sealed segment name no stretch of text.
        let is_next =
            found.meta.first_row == self.rows && found.meta.text == (0..0) && self.names.add_from_file(names);
        let Some(rows) = self.rows.checked_add(found.meta.rows).filter(|_| is_next) else { return false };
        self.end = found.body.end;
        let block = Arc::new(Block::in_file(found, self.view.clone()));
        // Columns that are to be summed up are looked at now; else when they are used.
        if self.is_owner && !block.for_reader().holds() {
            return false;
        }
        self.rows = rows;
        self.blocks.push(block);
        true
    }

    /// What the index should be, for the folder's owner, and what readers see without it.
    fn finish(self) -> Result<(Option<Vec<u8>>, Published), StoreError> {
        let mut index = None;
        if self.is_owner {
            let (old, head_len) = (self.view.read(0..self.end)?, self.head.len());
            let summary = block::summarize(&old, head_len, &self.names.lists());
            index = summary.map(|summary| [&self.head, &old[head_len..], &summary].concat());
        }
        Ok((index, Published::new(self.rows, self.blocks, &self.names)))
    }
}

/// The rows of all lines, by arrival; `None` when it was stopped.
pub(super) fn read_rows(
    sealed: &Sealed,
    day: Day,
    watermark: Timestamp,
    mut number: impl FnMut(NameKind, &str) -> u16,
    effort: Effort<'_>,
) -> Result<Option<Vec<Row>>, StoreError> {
    let mut rows: Vec<Row> = Vec::new();
    let mut reader = RowReader::new(day, Timestamp::MIN);
    for frame in 0..sealed.text.frames() {
        if effort.is_stopped() {
            return Ok(None);
        }
        let text = sealed.text.decode(frame)?;
        let start = sealed.text.range(frame).start as u32;
        rows.extend(reader.read(&text, start, rows.len() as u32, &mut number));
    }
    if let Some(order) = sealed.text.order()?.filter(|order| order.len() == rows.len()) {
        rows.iter_mut().zip(order).for_each(|(row, arrival)| row.arrival = arrival);
        rows.sort_unstable_by_key(|row| row.arrival);
    }
    let mut latest = watermark;
    for row in &mut rows {
        row.is_late = is_late(row.ts, &mut latest);
    }
    Ok(Some(rows))
}

fn encode_index(sealed: &Sealed, rows: &[Row], mut names: Dictionaries) -> (Vec<u8>, Published) {
    let mut index = block::sealed_head(sealed.print.unwrap_or(0));
    let (head_len, mut blocks) = (index.len(), Vec::new());
    for chunk in rows.chunks(BLOCK_ROWS) {
        let encoded = block::encode(chunk.to_vec(), 0..0, &names.new_names());
        names.note_in_file();
        index.extend_from_slice(&encoded.bytes);
        blocks.push(Arc::new(Block::in_memory(&encoded)));
    }
    index.extend(block::summarize(&index, head_len, &names.lists()).unwrap_or_default());
    (index, Published::new(rows.len() as u32, blocks, &names))
}

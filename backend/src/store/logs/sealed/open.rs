//! Opens a sealed segment: its index from the file, or made again from the text.

use super::layout::Footer;
use super::text::{Sealed, SealedText};
use crate::store::logs::block::{self, Block, BlockMeta, Row};
use crate::store::logs::dictionary::{Dictionaries, NameKind};
use crate::store::logs::mapped::Mapped;
use crate::store::logs::rows::{RowReader, is_late};
use crate::store::logs::segment::{BLOCK_ROWS, Opening, Paths, Published};
use crate::store::{StoreError, files};
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
    let map = Mapped::whole(path).ok()?;
    let (footer, _) = Footer::find(map.slice(0..map.len()))?;
    Some(Timestamp::from_nanos(footer.watermark))
}

/// Opens `logs-NNNN.ndjson.zst` and its index. `watermark` is the time of the latest line of the day's earlier segments.
pub(in crate::store::logs) fn open(
    paths: &Paths,
    day: Day,
    watermark: Timestamp,
    id: u64,
    opening: &Opening,
) -> Result<(SealedText, Published), StoreError> {
    let sealed = SealedText::open(&paths.sealed, id, opening.frames.clone())?;
    if let Some(published) = read_index(&paths.index, &sealed)? {
        return Ok((sealed.text, published));
    }
    let mut names = Dictionaries::default();
    let rows = read_rows(&sealed, day, watermark, |kind, name| names.number(kind, name))?;
    let (index, published) = encode_index(&sealed, &rows, names);
    if !opening.is_owner {
        return Ok((sealed.text, published));
    }
    if let Err(error) = files::write_atomically(&paths.index, &index) {
        // The blocks in memory answer as well; the next start tries again.
        tracing::warn!(error = &error as &dyn std::error::Error, "an index stays in memory");
    } else if let Some(published) = read_index(&paths.index, &sealed)? {
        return Ok((sealed.text, published));
    }
    Ok((sealed.text, published))
}

/// The index, if it is that of this very file and whole.
fn read_index(path: &Path, sealed: &Sealed) -> Result<Option<Published>, StoreError> {
    let (Some(print), true) = (sealed.print, path.exists()) else { return Ok(None) };
    let map = Mapped::whole(path)?;
    let bytes = map.slice(0..map.len());
    let head = block::sealed_head(print);
    if !bytes.starts_with(&head) {
        return Ok(None);
    }
    let (mut names, mut blocks, mut rows) = (Dictionaries::default(), Vec::new(), 0_u32);
    let mut at = head.len();
    while let Some(found) = block::find(bytes, at) {
        if found.meta.first_row != rows || !names.add_from_file(found.names) {
            return Ok(None);
        }
        let Some(with) = rows.checked_add(found.meta.rows) else { return Ok(None) };
        rows = with;
        at = found.body.end;
        blocks.push(Arc::new(Block::mapped(found.meta, map.clone(), found.body)));
    }
    let is_whole = at == map.len() && sealed.lines == Some(rows);
    Ok(is_whole.then(|| Published::new(rows, blocks, &names)))
}

/// The rows of all lines, by arrival.
fn read_rows(
    sealed: &Sealed,
    day: Day,
    watermark: Timestamp,
    mut number: impl FnMut(NameKind, &str) -> u16,
) -> Result<Vec<Row>, StoreError> {
    let mut rows: Vec<Row> = Vec::new();
    let mut reader = RowReader::new(day, Timestamp::MIN);
    for frame in 0..sealed.text.frames() {
        let text = sealed.text.decode(frame)?;
        let start = sealed.text.range(frame).start as u32;
        rows.extend(reader.read(&text, start, rows.len() as u32, &mut number));
    }
    if let Some(order) = sealed.order.as_ref().filter(|order| order.len() == rows.len()) {
        rows.iter_mut().zip(order).for_each(|(row, arrival)| row.arrival = *arrival);
        rows.sort_unstable_by_key(|row| row.arrival);
    }
    let mut latest = watermark;
    for row in &mut rows {
        row.is_late = is_late(row.ts, &mut latest);
    }
    Ok(rows)
}

fn encode_index(sealed: &Sealed, rows: &[Row], mut names: Dictionaries) -> (Vec<u8>, Published) {
    let mut index = block::sealed_head(sealed.print.unwrap_or(0));
    let mut blocks = Vec::new();
    for chunk in rows.chunks(BLOCK_ROWS) {
        let encoded = block::encode(chunk.to_vec(), 0..0, &names.new_names());
        names.note_in_file();
        index.extend_from_slice(&encoded.bytes);
        blocks.push(Arc::new(Block::in_memory(&encoded)));
    }
    (index, Published::new(rows.len() as u32, blocks, &names))
}

/// The rows of a block whose columns are damaged; none where the text is damaged too.
pub(in crate::store::logs) fn rebuild(
    text: &SealedText,
    day: Day,
    watermark: Timestamp,
    meta: &BlockMeta,
    number: impl FnMut(NameKind, &str) -> u16,
) -> Vec<Row> {
    let rows = text.reopen().and_then(|sealed| read_rows(&sealed, day, watermark, number));
    let mut rows = rows.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "lines cannot be read again");
        Vec::new()
    });
    rows.retain(|row| (meta.first_row..meta.first_row + meta.rows).contains(&row.arrival));
    rows
}

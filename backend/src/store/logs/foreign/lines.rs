//! Reads the rows of foreign lines, by the rules of the ingest: a line that would be refused there is bad here.

use crate::patterns::Masker;
use crate::store::batch::MAX_LINE_BYTES;
use crate::store::logs::block::Row;
use crate::store::logs::dictionary::NameKind;
use crate::store::logs::fields::{self, Fields};
use sonde_shared::time::Timestamp;

/// Before 1678 days are not whole.
const EARLIEST: Timestamp = Timestamp::from_secs(-9_214_560_000);

/// Whole lines of a text, without their line feeds, and where they begin.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', text).map(move |end| {
        let line = (start, &text[start..end]);
        start = end + 1;
        line
    })
}

/// What a line says of itself; `None` when it is blank, and why it is none when it is bad.
pub(super) fn read(line: &[u8]) -> Result<Option<Fields<'_>>, String> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    if line.len() > MAX_LINE_BYTES {
        return Err("the line is longer than 1 MiB".to_owned());
    }
    let fields = fields::read(line).map_err(|error| error.to_string())?;
    if fields.ts < EARLIEST {
        return Err("the time lies before 1678".to_owned());
    }
    Ok(Some(fields))
}

/// The row of a line that begins at `pos`; arrival and lateness are the caller's. `number` gives each name its number.
pub(super) fn row_of(
    fields: &Fields<'_>,
    (pos, len): (u32, u32),
    masker: &mut Masker,
    mut number: impl FnMut(NameKind, &str) -> u16,
) -> Row {
    Row {
        ts: fields.ts,
        arrival: 0,
        pos,
        len,
        component: number(NameKind::Component, fields.component()),
        host: number(NameKind::Host, fields.host()),
        pattern: number(NameKind::Pattern, masker.template(fields.message)),
        level: fields.level,
        is_late: false,
    }
}

//! Matching lines of a folder, day by day, also while a server writes to it: what `export` and `logs` write.

use super::{read_days, say};
use crate::query::budget::Budget;
use crate::query::logs::{Cursor, LineFilter, LineStream, Reached, StreamOptions};
use crate::store::layout::day_dir;
use crate::store::logs::{Counters, attach};
use sonde_shared::view::Order;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Lines are written in pieces of about so many bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// Writes lines in order and returns how many have matched. A day is opened when the one before it is written, so that
/// memory does not grow with their number.
pub(super) fn write(
    data: &Path,
    filter: &LineFilter,
    order: Order,
    options: StreamOptions,
    out: &mut impl Write,
) -> anyhow::Result<u64> {
    let mut days = read_days(data)?;
    days.retain(|day| day.range().overlaps(filter.range));
    if order == Order::Descending {
        days.reverse();
    }
    let mut lines = LineStream::new(Cursor::empty(order), options);
    for day in days {
        let snapshot = match attach(data, day) {
            // Retention has deleted it since the days were listed.
            Err(_) if !day_dir(data, day).exists() => continue,
            attached => attached?,
        };
        lines.go_on_with(Cursor::new(snapshot, filter.clone(), order));
        write_all(&mut lines, out)?;
        if lines.is_limited() {
            break;
        }
    }
    Ok(lines.matched())
}

fn write_all(lines: &mut LineStream, out: &mut impl Write) -> anyhow::Result<()> {
    let counters = Counters::default();
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    loop {
        buffer.clear();
        let reached = lines.fill(&mut buffer, BUFFER_BYTES, &mut Budget::STEP.clone(), &counters);
        out.write_all(&buffer)?;
        match reached {
            Reached::Pause => {}
            Reached::End => return Ok(out.flush()?),
            Reached::Failed => lines.take_failure().map_or(Ok(()), Err)?,
        }
    }
}

/// Whether whoever reads what is written has gone.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Tells that nothing was written because nothing matches.
pub(super) fn say_none(has_times: bool) {
    let hint = if has_times { "; `--from` and `--until` are in UTC" } else { "" };
    say(format_args!("no lines match{hint}\n"));
}

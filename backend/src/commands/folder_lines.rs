//! Matching lines of a folder, day by day, also while a server writes to it: what `export` and `logs` write.

use super::{Folder, counted, read_days, say};
use crate::nearest::nearest;
use crate::query::budget::Budget;
use crate::query::components::ComponentCounts;
use crate::query::logs::{Cursor, LineFilter, LineStream, Lost, Reached, StreamOptions};
use crate::store::StoreError;
use crate::store::file_view::caught;
use crate::store::layout::day_dir;
use crate::store::logs::{Counters, attach, missing_at_ends};
use anyhow::ensure;
use sonde_shared::component::Selector;
use sonde_shared::view::Order;
use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Write};

/// Lines are written in pieces of about so many bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// How many lines have matched, and which of them could not be read.
pub(super) struct Written {
    pub(super) matched: u64,
    /// Damaged places and what is lost there, in words; where there are some, the lines are not all.
    pub(super) lost: Vec<String>,
}

impl Written {
    /// Tells what is lost, if anything is, which is an error then.
    pub(super) fn all(&self) -> anyhow::Result<()> {
        self.lost.iter().for_each(|lost| say(format_args!("{lost}\n")));
        ensure!(self.lost.is_empty(), "not all lines could be read; `sonde check` tells what is damaged");
        Ok(())
    }
}

/// Writes lines in order. What is damaged is an error, or passed over where the options say so; where a file's end is missing, what is left is written in any case. A day is opened when the one before it is written, so that
/// memory does not grow with their number.
pub(super) fn write(
    folder: &Folder,
    filter: &LineFilter,
    order: Order,
    options: StreamOptions,
    out: &mut impl Write,
) -> anyhow::Result<Written> {
    let (data, reading) = (&folder.data, folder.reading());
    let mut days = read_days(data)?;
    days.retain(|day| day.range().overlaps(filter.range));
    if order == Order::Descending {
        days.reverse();
    }
    let mut lines = LineStream::new(Cursor::empty(order), options);
    let mut lost = Vec::new();
    for day in days {
        let snapshot = match attach(data, day, reading) {
            // Retention has deleted it since the days were listed.
            Err(_) if !day_dir(data, day).exists() => continue,
            Err(error @ StoreError::Damaged { .. }) if options.passes_over_damage => {
                lost.push(format!("{error}: lines of {day} were skipped, their number is not known"));
                continue;
            }
            attached => attached?,
        };
        let missing = missing_at_ends(data, &snapshot)?;
        lines.go_on_with(Cursor::new(snapshot, filter.clone(), order));
        write_all(&mut lines, out)?;
        if lines.is_limited() {
            break;
        }
        lost.extend(missing);
    }
    let told = |(place, Lost { lines, bytes })| {
        let were = if lines == 1 { "was" } else { "were" };
        format!("{place}: {} of {bytes} bytes {were} skipped", counted(lines, "line"))
    };
    lost.extend(lines.skipped().iter().map(told));
    Ok(Written { matched: lines.matched(), lost })
}

fn write_all(lines: &mut LineStream, out: &mut impl Write) -> anyhow::Result<()> {
    let counters = Counters::default();
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    loop {
        buffer.clear();
        let fill = || lines.fill(&mut buffer, BUFFER_BYTES, &mut Budget::STEP.clone(), &counters);
        let reached = caught(fill)?;
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

/// Tells that nothing was written because nothing matches, and what else is to be known of that.
pub(super) fn say_none(has_times: bool, unknown: &[String]) {
    let hint = if has_times { "; `--from` and `--until` are in UTC" } else { "" };
    say(format_args!("no lines match{hint}\n"));
    for name in unknown {
        say(format_args!("{name}\n"));
    }
}

/// The components asked for of which the days of the range have no line, each with the one that was probably meant.
pub(super) fn unknown_components(folder: &Folder, filter: &LineFilter) -> anyhow::Result<Vec<String>> {
    if filter.components.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = BTreeSet::new();
    for day in read_days(&folder.data)?.into_iter().filter(|day| day.range().overlaps(filter.range)) {
        let snapshot = attach(&folder.data, day, folder.reading())?;
        let mut counts = ComponentCounts::new(&snapshot, day.range(), None);
        caught(|| while !counts.step(&mut Budget::STEP.clone(), &Counters::default()) {})?;
        known.extend(counts.finish().components.into_iter().map(|one| one.path));
    }
    Ok(unknown_among(&filter.components, &known))
}

/// Of the components asked for those that no known one lies in, each with the one that was probably meant.
pub(super) fn unknown_among(asked: &[Selector], known: &BTreeSet<String>) -> Vec<String> {
    let is_unknown = |asked: &&Selector| !known.iter().any(|path| asked.matches(path));
    asked.iter().filter(is_unknown).map(|asked| told_unknown(asked.as_str(), known)).collect()
}

fn told_unknown(asked: &str, known: &BTreeSet<String>) -> String {
    // What is asked for may be what stands above.
    let above =
        |path: &str| path.match_indices('.').map(|(dot, _)| path[..dot].to_owned()).collect::<Vec<_>>();
    let names: BTreeSet<String> =
        known.iter().flat_map(|path| above(path)).chain(known.iter().cloned()).collect();
    match nearest(&names, asked) {
        None => "there are no lines at all then".to_owned(),
        Some(nearest) => {
            format!("no line then is of `{asked}`; the nearest component is `{nearest}`")
        }
    }
}

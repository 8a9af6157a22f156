//! `sonde export`: lines out of a folder, in order of time, as they came.

use super::{Folder, read_days, say};
use crate::query::budget::Budget;
use crate::query::logs::{Cursor, LineFilter, LineStream, Reached, StreamOptions};
use crate::state::AppState;
use crate::store::logs::{Counters, attach};
use clap::Args;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp, parse_time};
use sonde_shared::view::Order;
use std::io::{ErrorKind, Write};

/// Lines are written in pieces of about so many bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// What `sonde export` is told.
#[derive(Args, Clone, Debug)]
pub struct ExportOptions {
    #[command(flatten)]
    folder: Folder,
    /// Components, each with all below it; all when none is named.
    #[arg(value_name = "COMPONENT", value_parser = selector)]
    components: Vec<Selector>,
    /// The first instant: RFC 3339, `-2h`, `14:05`.
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    from: Option<Timestamp>,
    /// The instant before which they end.
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    until: Option<Timestamp>,
    /// A host's name; may be repeated.
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// This level and worse.
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    level: Option<Level>,
}

fn selector(text: &str) -> Result<Selector, String> {
    Selector::parse(text).map_err(|error| error.to_string())
}

fn time(text: &str) -> Result<Timestamp, String> {
    parse_time(text, AppState::now()).map_err(|error| error.to_string())
}

fn level(text: &str) -> Result<Level, String> {
    let known = "there are trace, debug, info, warn, error and fatal";
    Level::parse(text).ok_or_else(|| known.to_owned())
}

/// Writes matching lines to standard output, oldest first. Changes nothing, and may run beside a server.
pub fn export(options: &ExportOptions) -> anyhow::Result<()> {
    let range =
        TimeRange::between(options.from.unwrap_or(Timestamp::MIN), options.until.unwrap_or(Timestamp::MAX));
    let filter = LineFilter {
        components: options.components.clone(),
        hosts: options.host.iter().cloned().collect(),
        level: options.level,
        ..LineFilter::all(range)
    };
    let (mut out, mut lines) = (std::io::stdout().lock(), 0);
    for day in read_days(&options.folder.data)? {
        if !day.range().overlaps(range) {
            continue;
        }
        let cursor = Cursor::new(attach(&options.folder.data, day)?, filter.clone(), Order::Ascending);
        let written = write_all(LineStream::new(cursor, StreamOptions::default()), &mut out);
        match written {
            // Whoever reads has enough, as `head` does.
            Err(error) if is_broken_pipe(&error) => return Ok(()),
            written => lines += written?,
        }
    }
    if lines == 0 {
        let has_times = options.from.is_some() || options.until.is_some();
        let hint = if has_times { "; `--from` and `--until` are in UTC" } else { "" };
        say(format_args!("no lines match{hint}\n"));
    }
    Ok(())
}

/// How many lines were written.
fn write_all(mut lines: LineStream, out: &mut impl Write) -> anyhow::Result<u64> {
    let counters = Counters::default();
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    loop {
        buffer.clear();
        let reached = lines.fill(&mut buffer, BUFFER_BYTES, &mut Budget::STEP.clone(), &counters);
        out.write_all(&buffer)?;
        match reached {
            Reached::Pause => {}
            Reached::End => {
                out.flush()?;
                return Ok(lines.matched());
            }
            Reached::Failed => lines.take_failure().map_or(Ok(()), Err)?,
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

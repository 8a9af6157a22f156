//! `sonde export`: lines out of a folder, in order of time, as they came.

use super::Folder;
use super::folder_lines::{self, is_broken_pipe, say_none, unknown_components};
use crate::query::logs::{LineFilter, StreamOptions};
use crate::state::AppState;
use clap::Args;
use sonde_shared::component::Selector;
use sonde_shared::log::Level;
use sonde_shared::time::{TimeRange, Timestamp, parse_time};
use sonde_shared::view::Order;

/// What `sonde export` is told.
#[derive(Args, Clone, Debug)]
pub struct ExportOptions {
    #[command(flatten)]
    folder: Folder,
    /// Components, each with all below it; all when none is named.
    #[arg(value_name = "COMPONENT", value_parser = selector)]
    components: Vec<Selector>,
    /// The first instant: RFC 3339, `-2h`, `14:05`.
    #[arg(long, alias = "since", value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    from: Option<Timestamp>,
    /// The instant before which they end.
    #[arg(long, alias = "to", value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
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

/// Writes matching lines to standard output, oldest first; those that are damaged are passed over, told and make the command
/// fail at its end. Changes nothing, and may run beside a server.
pub fn export(options: &ExportOptions) -> anyhow::Result<()> {
    let folder = &options.folder;
    let range =
        TimeRange::between(options.from.unwrap_or(Timestamp::MIN), options.until.unwrap_or(Timestamp::MAX));
    let filter = LineFilter {
        components: options.components.clone(),
        hosts: options.host.iter().cloned().collect(),
        level: options.level,
        ..LineFilter::all(range)
    };
    let has_times = options.from.or(options.until).is_some();
    // What is taken out of a folder is often all that can be saved of it.
    let options = StreamOptions { passes_over_damage: true, ..StreamOptions::default() };
    match folder_lines::write(folder, &filter, Order::Ascending, options, &mut std::io::stdout().lock()) {
        // Whoever reads has enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        written => {
            let written = written?;
            if written.matched == 0 {
                // What is damaged is told below.
                let unknown = unknown_components(folder, &filter).unwrap_or_default();
                say_none(has_times, &unknown);
            }
            written.all()
        }
    }
}

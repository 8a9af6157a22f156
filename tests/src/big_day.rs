//! A day of ten million lines, fed over HTTP once and kept in the target folder, since feeding takes longer than all that is
//! measured on it.

use crate::corpus::{Corpus, Recipe, Style, at};
use crate::server::TestServer;
use sonde_shared::api::Histogram;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use std::path::{Path, PathBuf};

/// How many lines the day has.
pub const LINES: usize = 10_000_000;
const PARTS: usize = 10;
const VERSION: &str = "big-day-1";

/// When it begins. It lies far enough back that no clock finds it in the future.
fn start() -> Timestamp {
    at("2025-03-10T00:00:00Z")
}

/// A tenth of the day's lines, numbered from 0.
pub fn part(number: usize) -> Corpus {
    let length = 86_400 / PARTS as i64 * NANOS_PER_SEC;
    let from = start().plus_nanos(length * number as i64);
    let range = TimeRange { from, until: from.plus_nanos(length) };
    Corpus::make(Recipe { seed: 1_000 + number as u64, lines: LINES / PARTS, range, style: Style::Plain })
}

/// The number of a part that holds this instant.
pub fn part_at(instant: Timestamp) -> usize {
    (instant.nanos_since(start()) / (86_400 / PARTS as i64 * NANOS_PER_SEC)) as usize
}

/// Where the day is kept.
fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join(VERSION)
}

/// The folder with the day in it, fed now if it is not there yet or not readable any more. `say` hears what goes on.
///
/// # Panics
/// When a server does not take the lines.
pub fn ready(say: &mut dyn FnMut(&str)) -> PathBuf {
    let folder = folder();
    if folder.join("lock").exists() && count(&TestServer::on(&folder)) == LINES as u64 {
        return folder;
    }
    // Nothing to remove is as good as removed.
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let server = TestServer::on(&folder);
    for number in 0..PARTS {
        say(&format!("feeding part {} of {PARTS} of a day of {LINES} lines", number + 1));
        part(number).batches(20_000).for_each(|batch| server.store_logs(batch));
    }
    assert_eq!(count(&server), LINES as u64, "the server counts what it was fed");
    server.stop();
    folder
}

fn count(server: &TestServer) -> u64 {
    server.get("/api/logs/histogram?step=1h").ok().json::<Histogram>().total
}

//! A day of ten million lines, fed over HTTP once and kept in the target folder, since feeding takes longer than all that is
//! measured on it.

use crate::corpus::{Corpus, Names, Recipe, Style, at};
use crate::server::{Setup, TestServer, binary};
use sonde_shared::api::Histogram;
use sonde_shared::time::{NANOS_PER_SEC, TimeRange, Timestamp};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How many lines the day has.
pub const LINES: usize = 10_000_000;
const PARTS: usize = 10;
const VERSION: &str = "big-day-3";

/// When it begins. It lies far enough back that no clock finds it in the future.
fn start() -> Timestamp {
    at("2025-03-10T00:00:00Z")
}

/// A tenth of the day's lines, numbered from 0.
pub fn part(number: usize) -> Corpus {
    let length = 86_400 / PARTS as i64 * NANOS_PER_SEC;
    let from = start().plus_nanos(length * number as i64);
    let range = TimeRange { from, until: from.plus_nanos(length) };
    let seed = 1_000 + number as u64;
    Corpus::make(Recipe { seed, lines: LINES / PARTS, range, style: Style::Plain, names: Names::Many })
}

/// The whole day's lines, part by part.
pub fn parts() -> impl Iterator<Item = Corpus> {
    (0..PARTS).map(part)
}

/// The number of a part that holds this instant.
pub fn part_at(instant: Timestamp) -> usize {
    (instant.nanos_since(start()) / (86_400 / PARTS as i64 * NANOS_PER_SEC)) as usize
}

/// A name in the target folder.
pub fn beside(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join(name)
}

/// Where the day is kept.
fn folder() -> PathBuf {
    beside(VERSION)
}

/// The folder with the day in it, fed now if it is not there yet or not readable any more. `say` hears what goes on.
///
/// # Panics
/// When a server does not take the lines.
pub fn ready(say: &mut dyn FnMut(&str)) -> PathBuf {
    let folder = folder();
    if folder.join("lock").exists() && count(&open_server(&folder)) == LINES as u64 {
        return folder;
    }
    // Nothing to remove is as good as removed.
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let server = open_server(&folder);
    for number in 0..PARTS {
        say(&format!("feeding part {} of {PARTS} of a day of {LINES} lines", number + 1));
        part(number).batches(20_000).for_each(|batch| server.store_logs(batch));
    }
    assert_eq!(count(&server), LINES as u64, "the server counts what it was fed");
    server.stop();
    folder
}

/// A server on the day as it came: nothing is sealed.
pub fn open_server(folder: &Path) -> TestServer {
    Setup::on(folder).arg("--seal=off").start()
}

/// The same day in a folder of its own, to which other files can be added.
///
/// # Panics
/// When it cannot be linked.
pub fn linked(folder: &Path) -> TempDir {
    let copy =
        tempfile::tempdir_in(folder.parent().expect("it lies in the target folder")).expect("a folder");
    // Links: sealing takes names away, and nothing is written to a file that is there.
    let linked = Command::new("cp").arg("-rlT").arg(folder).arg(copy.path()).status().expect("cp is there");
    assert!(linked.success(), "the day is linked");
    drop(std::fs::remove_file(copy.path().join("lock")));
    copy
}

/// The same day with every segment sealed, and how long that took.
///
/// # Panics
/// When it cannot be sealed.
pub fn sealed(folder: &Path) -> (TempDir, Duration) {
    let copy = linked(folder);
    let start = Instant::now();
    seal(copy.path());
    (copy, start.elapsed())
}

/// Seals what a folder holds.
///
/// # Panics
/// When it cannot be sealed.
pub fn seal(folder: &Path) {
    let sealed = Command::new(binary()).args(["seal", "--data"]).arg(folder).status().expect("sonde starts");
    assert!(sealed.success(), "the folder is sealed");
}

/// A new folder on the disk where the day is kept; removed when dropped.
///
/// # Panics
/// When it cannot be made.
pub fn folder_beside(name: &str) -> TempDir {
    tempfile::Builder::new().prefix(name).tempdir_in(beside("")).expect("a folder can be made")
}

/// Bytes of all files of a folder's days.
///
/// # Panics
/// When they cannot be read.
pub fn bytes(folder: &Path) -> u64 {
    let entries =
        |path: &Path| std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    let days = entries(folder).filter(|path| path.is_dir());
    days.flat_map(|day| entries(&day)).map(|file| file.metadata().expect("a file").len()).sum()
}

fn count(server: &TestServer) -> u64 {
    server.get("/api/logs/histogram?step=1h").ok().json::<Histogram>().total
}

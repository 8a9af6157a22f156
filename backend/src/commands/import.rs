//! `sonde import`: files of NDJSON into a folder, of whatever days; or the points of a Graphite.

use super::import_whisper::{WhisperOptions, import_whisper};
use super::progress::Progress;
use super::{counted, say};
use crate::config::{Age, AgeFor, DiskReserve, Room, on_or_off, reading, with_retention};
use crate::ingest::Clock;
use crate::ingest::carbon;
use crate::ingest::decode::Decoder;
use crate::ingest::intake::LineParser;
use crate::ingest::ndjson::Ndjson;
use crate::ingest::refused::Refused;
use crate::ingest::spread::{Parsed, Refusals, Spread};
use crate::state::AppState;
use crate::store::batch::{Durability, LineBatch, MAX_LINE_BYTES};
use crate::store::{Store, StoreError};
use anyhow::Context;
use clap::{Args, Subcommand};
use sonde_shared::time::{TimeRange, Timestamp};
use std::fs::File;
use std::io::Read;
use std::num::NonZero;
use std::path::{Path, PathBuf};

/// A batch goes to the store when its text has this size.
const BATCH_BYTES: usize = 2 << 20;
const READ_BYTES: usize = 256 << 10;
/// The most refused lines that are shown, of each file.
const MAX_SHOWN: u64 = 10;

/// What `sonde import` is told.
#[derive(Args, Clone, Debug)]
#[command(subcommand_negates_reqs = true, disable_help_subcommand = true, subcommand_help_heading = "Or")]
#[command(
    override_usage = "sonde import [OPTIONS] <FILE>...\n       sonde import [OPTIONS] whisper <DIR> [--prefix <PATH>]"
)]
pub struct ImportOptions {
    /// The folder of the daily files.
    #[arg(long, global = true, env = "SONDE_DATA", default_value = "data", value_name = "DIR")]
    data: PathBuf,
    /// Whether files of the data folder are read with `pread` instead of being mapped into memory: slower, and a disk that fails
    /// ends an answer and not the program.
    #[arg(long, global = true, env = "SONDE_NO_MMAP", default_value = "off", default_missing_value = "on", num_args = 0..=1, require_equals = true, value_name = "on|off", value_parser = on_or_off, action = clap::ArgAction::Set)]
    no_mmap: bool,
    #[command(subcommand)]
    other: Option<OtherForm>,
    /// NDJSON files; those that end in `.gz` or `.zst` are unpacked. `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// As the server has it, and for the next flag alone: lines of any age are stored.
    #[arg(long, env = "SONDE_RETENTION", default_value = "off", value_name = "AGE")]
    retention: Age,
    /// As the server has it: lines of these components go to files of their own, each of which can be deleted at its time;
    /// may be repeated.
    #[arg(long, env = "SONDE_RETENTION_FOR", value_name = "COMPONENT=AGE", value_delimiter = ',')]
    retention_for: Vec<AgeFor>,
    /// As the server has it: no more is stored while less of the disk is free.
    #[arg(long, global = true, env = "SONDE_DISK_RESERVE", default_value = "auto", value_name = "BYTES")]
    disk_reserve: DiskReserve,
}

/// What else than lines can be stored.
#[derive(Clone, Debug, Subcommand)]
enum OtherForm {
    /// Stores all points of a Graphite's tree of whisper files. (A file of lines of this name is ./whisper.)
    Whisper(WhisperOptions),
}

/// NDJSON of any day, however old.
struct Bulk(Ndjson);

impl LineParser for Bulk {
    type Batch = LineBatch;
    const LIMIT_BYTES: usize = MAX_LINE_BYTES;

    fn at(_clock: Clock) -> Self {
        Self(Ndjson { clock: None })
    }

    fn parse(&self, line: &[u8], batch: &mut LineBatch) -> Result<(), Refused> {
        self.0.parse(line, batch)
    }

    fn rows(batch: &LineBatch) -> usize {
        Ndjson::rows(batch)
    }

    fn size_bytes(batch: &LineBatch) -> usize {
        Ndjson::size_bytes(batch)
    }

    async fn append(store: &Store, batch: LineBatch, durability: Durability) -> Result<(), StoreError> {
        Ndjson::append(store, batch, durability).await
    }
}

fn open(options: &ImportOptions) -> anyhow::Result<Store> {
    let data = &options.data;
    if !data.exists() {
        say(format_args!("--data {}: a new folder\n", data.display()));
    }
    // Nothing is deleted here: it tells which rules have the age of the rest.
    let store = Store::open_reading(&options.data, false, reading(options.no_mmap))?
        .with_reserve(options.disk_reserve.0);
    with_retention(store, options.retention, Room { bytes: None }, &options.retention_for)
}

/// Stores the lines of files, or the points of a Graphite, in a folder that no server has. What was stored stays when a later file fails; lines that
/// cannot be taken are told and make the command fail at its end.
pub fn import(options: &ImportOptions) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("could not start the runtime")?;
    if let Some(OtherForm::Whisper(whisper)) = &options.other {
        whisper.check()?;
        return import_whisper(whisper, &open(options)?, &runtime);
    }
    // Before anything is stored: a name that is wrong is told at once.
    for path in options.files.iter().filter(|path| *path != Path::new("-")) {
        File::open(path).with_context(|| format!("{} could not be read", path.display()))?;
    }
    let store = open(options)?;
    let mut refused = 0;
    for (number, path) in options.files.iter().enumerate() {
        let mut counts = Counts { path, stored: 0, refused: 0, points: 0, latest: None };
        let outcome = runtime.block_on(Import::of(&store, &mut counts).run());
        let stored = counted(counts.stored, "line");
        outcome.with_context(|| {
            let unread = not_read(&options.files[number + 1..]);
            format!("{}: {stored} stored, and then it failed{unread}", path.display())
        })?;
        say(format_args!("{}: {stored} stored, {} refused\n", path.display(), counts.refused));
        if let Some(latest) =
            counts.latest.filter(|latest| *latest >= Clock::of(&store, AppState::now()).accepts().until)
        {
            say(format_args!(
                "{}: its latest line is of {latest}; a server would refuse that\n",
                path.display()
            ));
        }
        if counts.points > 0 {
            let are = if counts.points == 1 { "line is a point" } else { "lines are points" };
            say(format_args!(
                "{}: {} {are} as Graphite sends them; a server takes these, on its port for Graphite or by \
                `POST /api/ingest/metrics`\n",
                path.display(),
                counts.points
            ));
        }
        refused += counts.refused;
    }
    anyhow::ensure!(refused == 0, "{} refused", counted(refused, "line"));
    Ok(())
}

/// `; not read: b.ndjson, c.ndjson`.
fn not_read(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    if names.is_empty() { String::new() } else { format!("; not read: {}", names.join(", ")) }
}

struct Counts<'a> {
    path: &'a Path,
    stored: u64,
    refused: u64,
    /// Those of the refused ones that are points.
    points: u64,
    /// The time of the latest line that was stored.
    latest: Option<Timestamp>,
}

/// A file on its way to the store.
struct Import<'a, 'b> {
    store: &'a Store,
    counts: &'a mut Counts<'b>,
    spread: Spread<Bulk, RefusedLines>,
    threads: usize,
}

impl<'a, 'b> Import<'a, 'b> {
    fn of(store: &'a Store, counts: &'a mut Counts<'b>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { store, counts, spread: Spread::default(), threads }
    }

    async fn run(mut self) -> anyhow::Result<()> {
        let read = self.read().await;
        // The whole lines that came before a fault are stored.
        if let Some(piece) = self.spread.take(0) {
            self.begin(piece).await?;
        }
        while self.store_first().await? {}
        read
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let path = self.counts.path;
        let (mut file, len): (Box<dyn Read>, u64) = if path == Path::new("-") {
            (Box::new(std::io::stdin().lock()), 0)
        } else {
            let file = File::open(path)?;
            let len = file.metadata()?.len();
            (Box::new(file), len)
        };
        let mut decoder =
            Decoder::for_encoding(encoding_of(path)).context("an encoding that is not known")??;
        let mut progress = Progress::new(&path.display(), len);
        let (mut packed, mut text) = (vec![0; READ_BYTES], Vec::new());
        loop {
            let read = file.read(&mut packed)?;
            progress.add(read as u64);
            if read == 0 {
                break;
            }
            let mut input = &packed[..read];
            let mut more = true;
            while more {
                let stepped = decoder.step(&mut input, &mut text);
                self.take(&mut text).await?;
                more = stepped?;
            }
        }
        let ended = decoder.finish(&mut text);
        self.take(&mut text).await?;
        ended?;
        if let Some(rest) = self.spread.rest() {
            self.begin(rest).await?;
        }
        progress.end();
        Ok(())
    }

    async fn take(&mut self, text: &mut Vec<u8>) -> anyhow::Result<()> {
        self.spread.push(text);
        text.clear();
        match self.spread.take(BATCH_BYTES) {
            Some(piece) => self.begin(piece).await,
            None => Ok(()),
        }
    }

    /// Has a piece parsed while the one before it is written.
    async fn begin(&mut self, piece: Vec<u8>) -> anyhow::Result<()> {
        while self.spread.is_full(self.threads) {
            self.store_first().await?;
        }
        let clock = Clock::of(self.store, AppState::now());
        self.spread.begin(piece, clock, RefusedLines::default());
        Ok(())
    }

    /// Stores the first of the pieces that are being parsed; whether there was one.
    async fn store_first(&mut self) -> anyhow::Result<bool> {
        let Some(first) = self.spread.first().await else { return Ok(false) };
        let Parsed { batch, rows, refusals, lines_before } = first?;
        self.counts.refuse(&refusals, lines_before);
        let latest = batch.rows.iter().map(|row| row.ts).max();
        let appended = Bulk::append(self.store, batch, Durability::Acknowledged).await;
        appended.inspect_err(|_failed| {
            // What lies behind them is not stored without them.
            self.spread = Spread::default();
        })?;
        self.counts.latest = self.counts.latest.max(latest);
        self.counts.stored += rows;
        Ok(true)
    }
}

/// What was refused of a piece.
#[derive(Default)]
struct RefusedLines {
    lines: u64,
    points: u64,
    /// The first ones by their numbers in the piece, and why.
    first: Vec<(u64, String)>,
}

impl Refusals for RefusedLines {
    fn refuse(&mut self, number: u64, why: &Refused, text: &[u8]) {
        self.lines += 1;
        let everywhen = TimeRange::between(Timestamp::MIN, Timestamp::MAX);
        self.points += u64::from(carbon::parse_line(text, AppState::now(), everywhen).is_ok());
        if self.lines <= MAX_SHOWN {
            self.first.push((number, why.to_string()));
        }
    }
}

impl Counts<'_> {
    fn refuse(&mut self, of_piece: &RefusedLines, lines_before: u64) {
        let shown = MAX_SHOWN.saturating_sub(self.refused) as usize;
        for (number, why) in of_piece.first.iter().take(shown) {
            say(format_args!("{}, line {}: {why}\n", self.path.display(), lines_before + number));
        }
        self.refused += of_piece.lines;
        self.points += of_piece.points;
    }
}

fn encoding_of(path: &Path) -> &'static str {
    match path.extension().and_then(|kind| kind.to_str()) {
        Some("gz") => "gzip",
        Some("zst") => "zstd",
        _ => "identity",
    }
}

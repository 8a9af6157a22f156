//! `sonde import whisper`: all that a Graphite has stored.
//!
//! Files are read one after the other, each at once, so that one that carbon is writing to is read as it was at about that moment. A
//! daily folder takes points of all series at best together, and a file has points of hundreds of days: so the points of as many
//! files as fit into memory are gathered and handed over day by day. They are on disk before the summary tells of them, and
//! may be imported again: a point of the same series and second takes the place of the one before.

use super::progress::Progress;
use super::whisper_tree::{Tree, series_of};
use super::{counted, say};
use crate::ingest::series_path::normal_form;
use crate::ingest::whisper;
use crate::store::Store;
use crate::store::batch::{Durability, PointBatch};
use crate::store::series_names::SeriesNames;
use anyhow::Context;
use clap::Args;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So many points are gathered, 16 bytes each; a series counts as some more, for its name.
const GATHERED_POINTS: usize = 4 << 20;
const NAME_POINTS: usize = 64;
/// A batch goes to the store when it has so many points.
const BATCH_POINTS: usize = 500_000;
/// Larger than a year of seconds, and small enough to be read at once.
const MAX_FILE_BYTES: u64 = 512 << 20;
const DAY_SECS: u32 = 86_400;

/// What `sonde import whisper` is told.
#[derive(Args, Clone, Debug)]
pub(super) struct WhisperOptions {
    /// The folder that holds a Graphite's whisper files, such as /var/lib/graphite/whisper.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// What every path is put below.
    #[arg(long, value_name = "PATH", value_parser = prefix)]
    prefix: Option<String>,
}

fn prefix(text: &str) -> Result<String, String> {
    let is_plain = !text.contains([';', '{', '}']) && !text.contains(char::is_whitespace);
    let path = normal_form(text).ok().filter(|_| is_plain);
    path.map(std::borrow::Cow::into_owned)
        .ok_or_else(|| "write a plain path, such as old.graphite".to_owned())
}

impl WhisperOptions {
    /// Told before a folder is made.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let shown = self.dir.display();
        let found = std::fs::metadata(&self.dir).with_context(|| format!("{shown} could not be read"))?;
        anyhow::ensure!(found.is_dir(), "{shown} is no folder; name the one that holds the whisper files");
        Ok(())
    }
}

/// What was taken and what was not.
#[derive(Default)]
struct Counts {
    files: u64,
    points: u64,
    /// Points by the seconds from one to the next.
    by_secs: BTreeMap<u32, u64>,
    failed: u64,
}

/// Points that wait to be stored, of each series in time order.
#[derive(Default)]
struct Gathered {
    series: Vec<(String, Vec<(u32, f64)>)>,
    weight: usize,
}

/// Stores the points of a tree of whisper files. What could not be taken is told and makes the command fail at its end.
pub(super) fn import_whisper(
    options: &WhisperOptions,
    store: &Store,
    runtime: &tokio::runtime::Runtime,
) -> anyhow::Result<()> {
    let shown = options.dir.display();
    let bytes = Tree::of(&options.dir).filter_map(|(_, len)| len.ok()).sum();
    let mut progress = Progress::new(&shown, bytes);
    let (mut gathered, mut counts) = (Gathered::default(), Counts::default());
    for (path, len) in Tree::of(&options.dir) {
        let bytes = len.as_ref().copied().unwrap_or_default();
        let taken = len
            .map_err(|error| error.to_string())
            .and_then(|_| take(options, &path, &mut gathered, &mut counts));
        if let Err(why) = taken {
            progress.end();
            counts.failed += 1;
            say(format_args!("{}: {why}\n", path.display()));
        }
        if gathered.weight >= GATHERED_POINTS {
            runtime
                .block_on(std::mem::take(&mut gathered).store(store))
                .context("points could not be stored")?;
        }
        progress.add(bytes);
    }
    runtime.block_on(gathered.store(store)).context("points could not be stored")?;
    progress.end();
    anyhow::ensure!(counts.files + counts.failed > 0, "{shown} holds no whisper files (*.wsp)");
    let (points, files) = (counted(counts.points, "point"), counted(counts.files, "file"));
    say(format_args!("{shown}: {points} of {files} stored\n"));
    for (secs, points) in &counts.by_secs {
        say(format_args!("  {points} of archives with a point every {secs} s\n"));
    }
    let failed = counted(counts.failed, "file");
    anyhow::ensure!(counts.failed == 0, "{failed} could not be taken, or not as a whole");
    Ok(())
}

/// Gathers a file's points; why it could not be taken as a whole.
fn take(
    options: &WhisperOptions,
    path: &Path,
    gathered: &mut Gathered,
    counts: &mut Counts,
) -> Result<(), String> {
    let below = path.strip_prefix(&options.dir).unwrap_or(path);
    let name = series_of(below, options.prefix.as_deref())?;
    let file = read(path).map_err(|error| error.to_string())?;
    let archives = whisper::read(&file).map_err(|error| error.to_string())?;
    let misplaced: u64 = archives.iter().map(|archive| archive.misplaced).sum();
    let mut points = Vec::with_capacity(archives.iter().map(|archive| archive.points.len()).sum());
    for mut archive in archives {
        *counts.by_secs.entry(archive.secs).or_default() += archive.points.len() as u64;
        points.append(&mut archive.points);
    }
    points.sort_unstable_by_key(|(time, _)| *time);
    counts.files += 1;
    counts.points += points.len() as u64;
    gathered.weight += points.len() + NAME_POINTS;
    gathered.series.push((name, points));
    if misplaced > 0 {
        return Err(format!(
            "{} with times that cannot stand there; the others were taken",
            counted(misplaced, "place")
        ));
    }
    Ok(())
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(std::io::Error::other("it is larger than 512 MiB"));
    }
    Ok(bytes)
}

impl Gathered {
    /// Hands the points to the store, day by day.
    async fn store(self, store: &Store) -> Result<(), crate::store::StoreError> {
        let names = Arc::new(SeriesNames::default());
        let mut batch = PointBatch::of(Arc::clone(&names));
        let mut places = vec![0; self.series.len()];
        let day_of = |time: u32| time / DAY_SECS;
        let next = |at: usize, place: usize| self.series[at].1.get(place).copied();
        while let Some(day) = places
            .iter()
            .enumerate()
            .filter_map(|(at, place)| next(at, *place))
            .map(|(time, _)| day_of(time))
            .min()
        {
            for (at, place) in places.iter_mut().enumerate() {
                while let Some((time, value)) = next(at, *place).filter(|(time, _)| day_of(*time) == day) {
                    batch.push(&self.series[at].0, i64::from(time), value);
                    *place += 1;
                }
                if batch.len() >= BATCH_POINTS {
                    let full = std::mem::replace(&mut batch, PointBatch::of(Arc::clone(&names)));
                    store.append_points(full, Durability::Acknowledged).await?;
                }
            }
        }
        store.append_points(batch, Durability::Acknowledged).await
    }
}

//! Seals days: all that a day has becomes one part with rollups, once nothing is written to it any more.
//!
//! A thread of its own, which stands back behind all others: a day of ten million points takes some seconds. A day that gets
//! late points has a second part until it is sealed again; answers are the same all the while. The thread also makes the
//! catalog of names anew, when it has sealed or when a query has met days that it does not cover.

use super::Shared;
use super::day::{DayState, Source, ToSeal};
use super::find::is_sealed;
use super::flush::merge_parts;
use super::gather;
use crate::priority::step_back;
use crate::store::file_view::caught;
use crate::store::{StoreError, layout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Weak};

/// What the sealing thread is told.
pub(super) enum Task {
    /// Nothing is written to this day for the time being.
    Seal(ToSeal),
    /// A query has met days that the catalog does not cover.
    Catalog,
}

/// The thread's loop: what earlier runs have left, then what is told. Whether days are sealed was the caller's choice.
pub(super) fn run(tasks: &Receiver<Task>, shared: &Weak<Shared>, seals: bool, stop: &AtomicBool) {
    step_back();
    let shared = || shared.upgrade().filter(|_| !stop.load(Ordering::Relaxed));
    let list = |shared: Arc<Shared>| layout::list_days(&shared.days.data).ok();
    let earlier = shared().filter(|_| seals).and_then(list);
    let today = super::writer::today();
    for day in earlier.unwrap_or_default().into_iter().filter(|day| *day != today) {
        let Some(shared) = shared() else { return };
        if is_sealed(&layout::day_dir(&shared.days.data, day)) {
            continue;
        }
        match shared.days.get_to_seal(day) {
            Ok(day) => seal_or_warn(&day, stop),
            Err(error) => warn(&error),
        }
    }
    while let Ok(task) = tasks.recv() {
        // One catalog for all days that wait.
        for task in [task].into_iter().chain(tasks.try_iter()) {
            if let Task::Seal(day) = task
                && seals
            {
                seal_or_warn(&day, stop);
            }
        }
        let Some(shared) = shared() else { return };
        let is_stopped = || stop.load(Ordering::Relaxed);
        if let Err(error) = caught(|| gather::refresh(&shared.days, false, &is_stopped)).flatten() {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the catalog of series could not be made; their days are looked through");
        }
    }
}

fn seal_or_warn(day: &ToSeal, stop: &AtomicBool) {
    let Some(day) = day.day() else { return };
    match caught(|| seal(day, stop)).flatten() {
        // It was deleted meanwhile.
        Err(_) if !day.dir.is_dir() => {}
        Err(error) => warn(&error),
        Ok(_points) => {}
    }
}

fn warn(error: &StoreError) {
    tracing::warn!(error = error as &dyn std::error::Error, "a day's points could not be sealed yet");
}

/// Makes one part of a day that has several, or one without rollups, unless points of it are still in memory or unreadable. The
/// points of the part that was made.
pub(super) fn seal(day: &DayState, stop: &AtomicBool) -> Result<Option<u64>, StoreError> {
    let _alone = day.merging();
    let sources = day.sources();
    let parts: Vec<_> = sources
        .iter()
        .filter_map(|source| if let Source::Part(part) = source { Some(part.clone()) } else { None })
        .collect();
    let is_sealed = matches!(&parts[..], [part] if part.has_rollups());
    if parts.len() < sources.len() || parts.is_empty() || is_sealed || !day.is_whole {
        return Ok(None);
    }
    if !merge_parts(day, &parts, true, || stop.load(Ordering::Relaxed))? {
        return Ok(None);
    }
    day.names.renew();
    Ok(Some(day.parts().iter().map(|part| part.points).sum()))
}

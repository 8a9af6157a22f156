//! Seals days: all that a day has becomes one part with rollups, once nothing is written to it any more.
//!
//! A thread of its own, which stands back behind all others: a day of ten million points takes some seconds. A day that gets
//! late points has a second part until it is sealed again; answers are the same all the while.

use super::Shared;
use super::day::{DayState, Source, ToSeal};
use super::flush::merge_parts;
use crate::priority::step_back;
use crate::store::{StoreError, layout};
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

/// The thread's loop: what earlier runs have left, then the days that are told.
pub(super) fn run(days: &Receiver<ToSeal>, shared: &Weak<Shared>, stop: &AtomicBool) {
    step_back();
    let shared = || shared.upgrade().filter(|_| !stop.load(Ordering::Relaxed));
    let earlier = shared().map(|shared| layout::list_days(&shared.days.data)).and_then(Result::ok);
    let today = super::writer::today();
    for day in earlier.unwrap_or_default().into_iter().filter(|day| *day != today) {
        let Some(shared) = shared() else { return };
        match shared.days.get_to_seal(day) {
            Ok(day) => seal_or_warn(&day, stop),
            Err(error) => warn(&error),
        }
    }
    while let Ok(day) = days.recv() {
        seal_or_warn(&day, stop);
    }
}

fn seal_or_warn(day: &ToSeal, stop: &AtomicBool) {
    let Some(day) = day.day() else { return };
    match seal(day, stop) {
        // It was deleted meanwhile.
        Err(_) if !day.dir.is_dir() => {}
        outcome => outcome.unwrap_or_else(|error| warn(&error)),
    }
}

fn warn(error: &StoreError) {
    tracing::warn!(error = error as &dyn std::error::Error, "a day's points could not be sealed yet");
}

/// Makes one part of a day that has several, or one without rollups, unless points of it are still in memory or unreadable.
pub(super) fn seal(day: &DayState, stop: &AtomicBool) -> Result<(), StoreError> {
    let _alone = day.merging();
    let sources = day.sources();
    let parts: Vec<_> = sources
        .iter()
        .filter_map(|source| if let Source::Part(part) = source { Some(part.clone()) } else { None })
        .collect();
    let is_sealed = matches!(&parts[..], [part] if part.has_rollups());
    if parts.len() < sources.len() || parts.is_empty() || is_sealed || !day.is_whole {
        return Ok(());
    }
    merge_parts(day, &parts, true, || stop.load(Ordering::Relaxed)).map(drop)
}

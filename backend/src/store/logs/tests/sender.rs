//! Sends numbered lines to a store whose disk is watched, and looks for them later.

use super::disk::Disk;
use super::*;
use crate::store::ages::Class;
use crate::store::files;
use crate::store::files::watch::{Step, Watch};
use crate::store::source::{BatchKey, Source};
use std::cell::Cell;
use std::collections::BTreeSet;

/// Small enough that a few batches fill a segment.
const SEGMENT_BYTES: u64 = 4_000;

thread_local! {
    static HAS_CLASSES: Cell<bool> = const { Cell::new(false) };
}

/// Does work in which stores keep some components for other times than the rest, so that each day has several segments at
/// once.
pub(super) fn with_classes<T>(work: impl FnOnce() -> T) -> T {
    HAS_CLASSES.set(true);
    work()
}

/// Opens the store of a folder as a server does.
pub(super) fn open(root: &Path) -> Result<LogStore, StoreError> {
    let data = root.join("data");
    files::create_dir(&data)?;
    let store = LogStore::open_with(&data, false, Reading::Mapped, SEGMENT_BYTES, None)?;
    if HAS_CLASSES.get() {
        let rules = [("shop.cart".to_owned(), None), ("db".to_owned(), Some(7)), ("x".to_owned(), Some(8))];
        store.set_ages(Arc::new(Ages::with_rules(Some(8), &rules).unwrap()));
    }
    Ok(store)
}

fn component(number: u32) -> &'static str {
    COMPONENTS[number as usize % COMPONENTS.len()]
}

/// The numbered line: of three days in turn, most of the first.
fn line(number: u32) -> (Timestamp, String) {
    let day = i64::from(number % 16 / 7);
    let ts = NOON.plus_nanos((day * 86_400 + i64::from(number % 600)) * 1_000_000_000);
    let component = component(number);
    (
        ts,
        format!(
            r#"{{"ts":"{ts}","component":"{component}","msg":"line {number} took {} ms"}}"#,
            number * 7 % 900
        ),
    )
}

/// Sends lines by their numbers and, with a key, as a body that may be sent again.
pub(super) fn send(
    store: &LogStore,
    watch: &Watch,
    numbers: impl Iterator<Item = u32> + Clone,
    key: Option<&str>,
    durability: Durability,
) -> Result<(), StoreError> {
    watch.mark(Step::Sent(numbers.clone().collect()));
    let source = key.map(|key| {
        let key = BatchKey::of(key.as_bytes());
        Box::new(Source::new(key, NOON, store.remembered().settled(key)).with_ages(store.ages()))
    });
    let mut batch = LineBatch { source, ..LineBatch::default() };
    for number in numbers.clone() {
        let (ts, text) = line(number);
        let is_stored = batch.source.as_mut().is_some_and(|source| {
            source.read(text.as_bytes());
            source.repeats(ts.day(), component(number))
        });
        if !is_stored {
            batch.push_line(text.as_bytes()).unwrap();
        }
    }
    futures::executor::block_on(store.append(batch, durability))?;
    // All room is free again when the writer is done with it: so a run has the same changes each time.
    drop(futures::executor::block_on(store.room.acquire_many(QUEUE_KIB as u32)).unwrap());
    if durability == Durability::Acknowledged {
        watch.mark(Step::Acknowledged(numbers.collect()));
    }
    Ok(())
}

/// What senders know.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// When each line was sent first, counted in lines.
    pub(super) sent: BTreeMap<u32, usize>,
    pub(super) acknowledged: BTreeSet<u32>,
    /// Sent more than once.
    again: BTreeSet<u32>,
}

impl Told {
    pub(super) fn apply(&mut self, step: &Step) {
        match step {
            Step::Sent(numbers) => {
                for number in numbers {
                    let place = self.sent.len();
                    if *self.sent.entry(*number).or_insert(place) != place {
                        self.again.insert(*number);
                    }
                }
            }
            Step::Acknowledged(numbers) => self.acknowledged.extend(numbers),
            _ => {}
        }
    }

    /// Every acknowledged line is there, none twice, in the order in which they were sent, and nothing else.
    pub(super) fn check(&self, store: &LogStore, what: &str) {
        let found = numbers(store);
        let seen: BTreeSet<u32> = found.iter().flatten().copied().collect();
        assert_eq!(found.iter().flatten().count(), seen.len(), "{what}: a line is there twice: {found:?}");
        let lost: Vec<_> = self.acknowledged.difference(&seen).collect();
        assert!(lost.is_empty(), "{what}: {lost:?} were acknowledged and are lost of {found:?}");
        let strange: Vec<_> = seen.iter().filter(|number| !self.sent.contains_key(number)).collect();
        assert!(strange.is_empty(), "{what}: {strange:?} were never sent");
        for day in &found {
            let once = day.iter().filter(|number| !self.again.contains(number));
            assert!(once.is_sorted_by_key(|number| self.sent[number]), "{what}: not in order: {day:?}");
        }
    }
}

/// The lines that a store has by their numbers: each day's and class', in order of arrival.
fn numbers(store: &LogStore) -> Vec<Vec<u32>> {
    let lines = whole(store).unwrap();
    let ages = store.ages();
    let mut lines: Vec<((Day, Class), u32)> = lines
        .iter()
        .map(|(row, _, text)| {
            let text = std::str::from_utf8(text).unwrap();
            let number = text.split("\"line ").nth(1).and_then(|rest| rest.split(' ').next());
            let number = number.and_then(|number| number.parse().ok());
            let number = number.unwrap_or_else(|| panic!("no line that was sent: {text:?}"));
            assert_eq!(text.trim_end(), line(number).1);
            ((row.ts.day(), ages.class_of(component(number))), number)
        })
        .collect();
    lines.sort_by_key(|(place, _)| *place);
    let days = lines.chunk_by(|a, b| a.0 == b.0);
    days.map(|day| day.iter().map(|(_, number)| *number).collect()).collect()
}

/// The disk and what senders know after some more steps.
pub(super) fn after((mut disk, mut told): (Disk, Told), steps: &[Step]) -> (Disk, Told) {
    for step in steps {
        disk.apply(step);
        told.apply(step);
    }
    (disk, told)
}

//! Power loss at every change of the disk: of what was not synced by then anything may be left, in any order.
//!
//! A run of the store is written down. For every beginning of it some of the disks that a loss of power may leave are made
//! as folders and opened; each acknowledged line must be there once, in order. `POWER_LOSSES` sets how many disks are made of
//! each moment, `POWER_LOSS_SEED` which ones.

use super::disk::{Dice, Disk};
use super::sender::{Told, after, open, send, with_classes};
use super::*;
use crate::store::files::watch::{Fault, Step, Watch, Watching};

/// How much of what is not synced is kept, in per cent.
const CHANCES: [usize; 4] = [0, 50, 85, 15];
const KEYS: [(&str, std::ops::Range<u32>); 2] = [("a body", 100..130), ("another", 200..220)];

fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |value| value.parse().unwrap())
}

fn dice() -> Dice {
    Dice(setting("POWER_LOSS_SEED", 1) as u64)
}

/// What a server does in some minutes: batches that are acknowledged and streamed, over three days, segments that fill up,
/// sealing, a stop and a start. Goes on where something fails; the first failure.
pub(super) fn work(root: &Path, watch: &Watch) -> Result<(), StoreError> {
    let send = |store: &LogStore, from: u32, until: u32, durability| {
        send(store, watch, from..until, None, durability)
    };
    let (acknowledged, streamed) = (Durability::Acknowledged, Durability::Streamed);
    let store = open(root)?;
    let mut outcomes = vec![
        send(&store, 0, 3, acknowledged),
        send(&store, 3, 33, acknowledged),
        send(&store, 33, 40, streamed),
        send_body(&store, watch, 0),
        send(&store, 40, 44, streamed),
        send(&store, 44, 70, acknowledged),
        store.seal_finished(),
        send(&store, 70, 90, acknowledged),
    ];
    drop(store);
    let store = open(root)?;
    outcomes.extend([
        send(&store, 90, 92, acknowledged),
        store.seal_finished(),
        send_body(&store, watch, 1),
        send(&store, 92, 96, streamed),
    ]);
    outcomes.into_iter().collect()
}

fn send_body(store: &LogStore, watch: &Watch, which: usize) -> Result<(), StoreError> {
    let (key, numbers) = KEYS[which].clone();
    send(store, watch, numbers, Some(key), Durability::Acknowledged)
}

/// Sends those bodies again that were sent.
pub(super) fn send_again(store: &LogStore, watch: &Watch, told: &Told) -> Result<(), StoreError> {
    let mut sent = (0..KEYS.len()).filter(|which| told.sent.contains_key(&KEYS[*which].1.start));
    sent.try_for_each(|which| send_body(store, watch, which))
}

/// A folder in memory, where the system has such: nothing of it need survive the test.
pub(super) fn watched(fault: Option<Fault>) -> (tempfile::TempDir, Watching) {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_none| tempfile::tempdir()).unwrap();
    let watching = Watch::begin(dir.path(), fault);
    (dir, watching)
}

/// The changes of a run that does not fail.
fn steps_of(run: impl FnOnce(&Path, &Watch) -> Result<(), StoreError>) -> Vec<Step> {
    let (dir, watching) = watched(None);
    run(dir.path(), &watching.0).unwrap();
    watching.0.steps()
}

/// The moments at which most is at stake: before something is synced, and at the end. What may be left at any other
/// moment may also be left at the next of these.
fn moments(steps: &[Step]) -> Vec<usize> {
    let is_sync = |at: &usize| matches!(steps.get(*at), None | Some(Step::Sync(_) | Step::SyncDir(_)));
    (0..=steps.len()).filter(is_sync).collect()
}

/// A folder as it may be left is opened, takes more, is closed and opened again; bodies are sent again.
fn check(left: &Path, watching: &Watching, mut told: Told, dice: &mut Dice, what: &str) {
    let watch = &watching.0;
    let first = watch.steps().len();
    let store = open(left).unwrap();
    told.check(&store, what);
    send_again(&store, watch, &told).unwrap();
    send(&store, watch, 900..905, None, Durability::Acknowledged).unwrap();
    watch.steps()[first..].iter().for_each(|step| told.apply(step));
    told.check(&store, &format!("{what}, after more was stored"));
    if dice.below(2) == 0 {
        store.seal_finished().unwrap();
    }
    drop(store);
    told.check(&open(left).unwrap(), &format!("{what}, after a further start"));
}

/// Loses power, after these steps, a few times.
pub(super) fn lose_power((disk, told): &(Disk, Told), times: usize, dice: &mut Dice, what: &str) {
    for _ in 0..times {
        let chance = CHANCES[dice.below(CHANCES.len())];
        let (left, watching) = watched(None);
        disk.write_left(left.path(), dice, chance);
        check(left.path(), &watching, told.clone(), dice, &format!("{what}, {chance} % kept"));
    }
}

#[test]
fn power_loss_after_any_change_loses_nothing_acknowledged() {
    lose_power_after_any_change();
}

#[test]
fn power_loss_loses_nothing_acknowledged_in_the_segments_of_any_class() {
    with_classes(lose_power_after_any_change);
}

fn lose_power_after_any_change() {
    let steps = steps_of(work);
    let (times, mut dice) = (setting("POWER_LOSSES", 6), dice());
    for at in moments(&steps) {
        let what = format!("power lost after {at} of {} changes", steps.len());
        lose_power(&after((Disk::new(), Told::default()), &steps[..at]), times, &mut dice, &what);
    }
}

/// The next start sees what the killed process wrote, synced or not, and must not build on what is not.
fn check_kill(
    steps: &[Step],
    killed_at: usize,
    next: impl FnOnce(&Path, &Watch, &Told) -> Result<(), StoreError>,
    mut losses: impl FnMut(&[usize]) -> Vec<usize>,
    dice: &mut Dice,
) {
    let killed = after((Disk::new(), Told::default()), &steps[..killed_at]);
    let (dir, watching) = watched(None);
    killed.0.write_seen(dir.path());
    next(dir.path(), &watching.0, &killed.1).unwrap();
    let later = watching.0.steps();
    for lost_at in losses(&moments(&later)) {
        let what = format!("killed after {killed_at} changes, power lost after {lost_at} more");
        lose_power(&after(killed.clone(), &later[..lost_at]), 1, dice, &what);
    }
}

#[test]
fn power_loss_after_a_kill_and_a_start_loses_nothing_acknowledged() {
    lose_power_after_a_kill();
}

#[test]
fn power_loss_after_a_kill_loses_nothing_acknowledged_in_the_segments_of_any_class() {
    with_classes(lose_power_after_a_kill);
}

fn lose_power_after_a_kill() {
    let steps = steps_of(work);
    let (times, mut dice) = (setting("POWER_LOSSES", 6), dice());
    for _ in 0..times * 25 {
        let (killed_at, seals_first) = (dice.below(steps.len() + 1), dice.below(2) == 0);
        let next = |root: &Path, watch: &Watch, told: &Told| work_on(root, watch, told, seals_first);
        let mut which = Dice(dice.below(usize::MAX) as u64);
        let some = |moments: &[usize]| (0..4).map(|_| moments[which.below(moments.len())]).collect();
        check_kill(&steps, killed_at, next, some, &mut dice);
    }
}

/// One line, sealed: small enough that the power can be lost at every moment after a kill at every moment.
#[test]
fn a_kill_and_a_power_loss_at_any_two_moments_lose_no_line() {
    let send = |store: &LogStore, watch: &Watch, number: u32| {
        send(store, watch, number..=number, None, Durability::Acknowledged)
    };
    let work = |root: &Path, watch: &Watch| {
        send(&open(root)?, watch, 0)?;
        open(root)?.seal_finished()
    };
    let next = |root: &Path, watch: &Watch, _: &Told| {
        let store = open(root)?;
        store.seal_finished()?;
        send(&store, watch, 1)
    };
    let steps = steps_of(work);
    let (times, mut dice) = (setting("POWER_LOSSES", 6), dice());
    for killed_at in 0..=steps.len() {
        let every = |moments: &[usize]| moments.repeat(times);
        check_kill(&steps, killed_at, next, every, &mut dice);
    }
}

/// A block of the index vouches for its text, which no start reads again.
#[test]
fn a_full_block_is_not_written_before_its_text_is_synced() {
    let of_one_day = (10_000..).filter(|number| number % 16 < 7);
    let numbers = of_one_day.take(segment::BLOCK_ROWS + 100);
    let steps = steps_of(|root, watch| {
        let store = open(root)?;
        send(&store, watch, numbers, None, Durability::Streamed)?;
        watch.mark(Step::Sent(Vec::new()));
        Ok(())
    });
    let is_sent = |step: &Step| *step == Step::Sent(Vec::new());
    let closed_from = steps.iter().position(is_sent).unwrap();
    lose_power(&after((Disk::new(), Told::default()), &steps[..closed_from]), 60, &mut dice(), "power lost");
}

/// What a server does after a start, which seals what an earlier run has left as soon as it can.
pub(super) fn work_on(root: &Path, watch: &Watch, told: &Told, seals_first: bool) -> Result<(), StoreError> {
    let store = open(root)?;
    let outcomes = [
        if seals_first { store.seal_finished() } else { Ok(()) },
        send_again(&store, watch, told),
        send(&store, watch, 300..312, None, Durability::Acknowledged),
        store.seal_finished(),
        send(&store, watch, 312..320, None, Durability::Streamed),
    ];
    outcomes.into_iter().collect()
}

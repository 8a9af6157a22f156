//! A disk that refuses one change, whichever it is, or that is full from some change on: what was acknowledged stays, what
//! was not is refused with the reason, and when the disk is well again lines are taken as before.

use super::disk::{Dice, Disk};
use super::power_loss::{lose_power, send_again, watched, work, work_on};
use super::sender::{Told, after, open, send, with_classes};
use super::*;
use crate::store::files::watch::{Fault, Watch};

/// How many changes a run makes when nothing fails.
fn changes_of(run: impl FnOnce(&Path, &Watch) -> Result<(), StoreError>) -> usize {
    let (dir, watching) = watched(None);
    run(dir.path(), &watching.0).unwrap();
    watching.0.changes()
}

fn check_fault(at: usize, stays: bool, dice: &mut Dice) {
    let what = format!("a disk that {} at change {at}", if stays { "is full" } else { "fails" });
    let (dir, watching) = watched(Some(Fault { at, stays }));
    let watch = &watching.0;
    let told = || after((Disk::new(), Told::default()), &watch.steps());
    if let Err(error) = work(dir.path(), watch) {
        let why = if stays { "no storage space" } else { "other error" };
        assert!(error.with_source().contains(why), "{what}: {}", error.with_source());
    }
    lose_power(&told(), 1, dice, &what);
    watch.heal();
    let store = open(dir.path()).unwrap();
    told().1.check(&store, &format!("{what}, after a start"));
    send_again(&store, watch, &told().1).unwrap();
    store.seal_finished().unwrap();
    told().1.check(&store, &format!("{what}, after all was sent again"));
}

fn check_faults(stays: bool, seed: u64) {
    let mut dice = Dice(seed);
    for at in 0..changes_of(work) {
        check_fault(at, stays, &mut dice);
    }
}

#[test]
fn whatever_fails_once_nothing_acknowledged_is_lost() {
    check_faults(false, 1);
}

#[test]
fn whenever_the_disk_runs_full_nothing_acknowledged_is_lost() {
    check_faults(true, 2);
}

#[test]
fn whatever_fails_nothing_acknowledged_is_lost_in_the_segments_of_any_class() {
    with_classes(|| [false, true].map(|stays| check_faults(stays, 5)));
}

/// The same store goes on, in a new segment where the old one cannot be trusted any more.
#[test]
fn a_store_takes_lines_again_when_its_disk_is_well_again() {
    let send = |store: &LogStore, watch: &Watch, first: u32| {
        send(store, watch, first..first + 20, None, Durability::Acknowledged)
    };
    let run = |root: &Path, watch: &Watch| {
        let store = open(root).unwrap();
        let outcomes = [send(&store, watch, 0), send(&store, watch, 20), store.seal_finished()];
        watch.heal();
        let refusing = store.refusing();
        assert_eq!(refusing.is_some(), outcomes[1].is_err(), "{refusing:?} {outcomes:?}");
        send(&store, watch, 40).unwrap();
        assert_eq!(store.refusing(), None);
        after((Disk::new(), Told::default()), &watch.steps()).1.check(&store, "in the store that goes on");
        store.seal_finished()
    };
    let mut dice = Dice(3);
    // The first changes are those of the start.
    for at in 2..changes_of(run) {
        for stays in [false, true] {
            let (dir, watching) = watched(Some(Fault { at, stays }));
            run(dir.path(), &watching.0).unwrap();
            let left = after((Disk::new(), Told::default()), &watching.0.steps());
            lose_power(&left, 1, &mut dice, &format!("a disk that failed at change {at} (stays: {stays})"));
        }
    }
}

/// What the killed process had not synced cannot be synced now: nobody may be told that it is stored.
#[test]
fn a_start_on_a_full_disk_acknowledges_nothing_that_power_loss_can_take() {
    let (dir, watching) = watched(None);
    work(dir.path(), &watching.0).unwrap();
    let steps = watching.0.steps();
    let mut dice = Dice(4);
    for killed_at in 0..=steps.len() {
        let killed = after((Disk::new(), Told::default()), &steps[..killed_at]);
        let fault = Fault { at: dice.below(12), stays: true };
        let (dir, watching) = watched(Some(fault));
        killed.0.write_seen(dir.path());
        // Much of it fails, as it must.
        drop(work_on(dir.path(), &watching.0, &killed.1, dice.below(2) == 0));
        let what = format!("killed after {killed_at} changes, then {fault:?}, then power lost");
        lose_power(&after(killed, &watching.0.steps()), 1, &mut dice, &what);
    }
}

//! Parts in which bytes were changed or cut off: points are right, or it is told that they cannot be read.

use super::super::column::as_decimals;
use super::super::part::Part;
use super::super::points::DayPoints;
use super::super::rollup::STEPS;
use super::*;

/// A sealed day's part and what it holds.
fn part() -> (tempfile::TempDir, PathBuf, BTreeMap<String, DayPoints>) {
    let dir = tempfile::tempdir().unwrap();
    let store = MetricStore::open_as(dir.path(), false).unwrap();
    let even = (0..1_500).map(|at| row("even", DAY_SECS + at * 10, (at % 13) as f64 / 10.0));
    let uneven = (0..290).map(|at| row("uneven", DAY_SECS + at * at, (at * 37 % 101) as f64));
    let rows: Vec<Row> = even
        .chain(uneven)
        .chain((0..9).map(|at| row(&format!("few.{at}"), DAY_SECS + at, 0.1 / 0.3)))
        .collect();
    append(&store, &rows);
    drop(store);
    let store = MetricStore::open_as(dir.path(), false).unwrap();
    store.seal_all(&mut SealReport::default()).unwrap();
    let mut held: BTreeMap<String, DayPoints> = BTreeMap::new();
    for (name, time, value) in rows {
        held.entry(name).or_default().push((time - DAY_SECS) as u32, value);
    }
    let path = file(dir.path(), "metrics-0001.part");
    (dir, path, held)
}

/// Reads all of a part; the series that could not be read.
#[track_caller]
fn check(path: &Path, held: &BTreeMap<String, DayPoints>) -> Option<usize> {
    let part = Part::open(path, Reading::Mapped).ok()?;
    let mut unread = 0;
    for (name, points) in held {
        let at = part.find(name).expect("a directory whose checksum is right has all names");
        let mut found = DayPoints::default();
        match part.read(at, 0, u32::MAX, &mut found) {
            Ok(()) => assert_eq!(&found, points, "{name}"),
            Err(_) => unread += 1,
        }
        for step in STEPS {
            let rollup = part.rollup(at, step).map(|rollup| rollup.expect("it has rollups"));
            match rollup {
                Ok(rollup) => assert_eq!(
                    rollup,
                    Rollup::of(points, as_decimals(&points.values).as_ref(), step),
                    "{name}"
                ),
                Err(_) => unread += 1,
            }
        }
    }
    Some(unread)
}

#[test]
fn a_changed_byte_gives_right_points_or_an_error() {
    let (_dir, path, held) = part();
    assert_eq!(check(&path, &held), Some(0));
    let whole = fs::read(&path).unwrap();
    let (mut refused, mut unread) = (0, 0);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        match check(&path, &held) {
            None => refused += 1,
            Some(errors) => unread += usize::from(errors > 0),
        }
    }
    // Each byte is under one of the checksums, or is one of them.
    assert_eq!(refused + unread, whole.len(), "{refused} refused");
}

#[test]
fn a_part_that_is_cut_anywhere_is_refused() {
    let (_dir, path, held) = part();
    let whole = fs::read(&path).unwrap();
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        assert_eq!(check(&path, &held), None, "{len} bytes");
    }
}

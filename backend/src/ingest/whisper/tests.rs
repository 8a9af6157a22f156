//! Files made here, slot by slot as whisper does, are read as whisper's fetch reads them; damaged ones are refused.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A file with these archives (seconds, points) whose rings hold what was written at these times, in that order.
fn file(archives: &[(u32, u32)], written: &[&[(u32, f64)]]) -> Vec<u8> {
    let longest = archives.iter().map(|(secs, points)| secs * points).max().unwrap();
    let mut file = [1, longest].map(u32::to_be_bytes).concat();
    file.extend(0.5_f32.to_be_bytes());
    file.extend((archives.len() as u32).to_be_bytes());
    let mut offset = 16 + 12 * archives.len() as u32;
    for (secs, points) in archives {
        file.extend([offset, *secs, *points].map(u32::to_be_bytes).concat());
        offset += 12 * points;
    }
    for ((secs, points), written) in archives.iter().zip(written) {
        let mut ring = vec![(0, 0.0); *points as usize];
        let base = written.first().map_or(0, |(time, _)| time - time % secs);
        for (time, value) in *written {
            let time = time - time % secs;
            let place = (i64::from(time) - i64::from(base)).div_euclid(i64::from(*secs));
            ring[place.rem_euclid(i64::from(*points)) as usize] = (time, *value);
        }
        file.extend(
            ring.iter()
                .flat_map(|(time, value)| [time.to_be_bytes().as_slice(), &value.to_be_bytes()].concat()),
        );
    }
    file
}

fn points(file: &[u8]) -> Vec<Vec<(u32, f64)>> {
    read(file).unwrap().into_iter().map(|archive| archive.points).collect()
}

#[test]
fn a_ring_is_read_in_order_without_what_it_has_outlived() {
    let whole: &[(u32, f64)] = &[(600, 1.0), (660, 2.0), (780, 4.0)];
    assert_eq!(points(&file(&[(60, 5)], &[whole])), [whole]);
    // Around the end of the ring: 900 takes the place of 600.
    let around: &[(u32, f64)] = &[(600, 1.0), (660, 2.0), (840, 5.0), (905, 6.0)];
    assert_eq!(points(&file(&[(60, 5)], &[around])), [[(660, 2.0), (840, 5.0), (900, 6.0)]]);
    // After a silence what was written before still stands in its place, but is too old.
    let silence: &[(u32, f64)] = &[(600, 1.0), (660, 2.0), (720, 3.0), (1_860, 9.0)];
    assert_eq!(points(&file(&[(60, 5)], &[silence])), [[(1_860, 9.0)]]);
    assert_eq!(points(&file(&[(60, 5)], &[&[]])), [[]]);
    let nan: &[(u32, f64)] = &[(600, f64::NAN), (660, f64::INFINITY)];
    assert_eq!(points(&file(&[(60, 5)], &[nan])), [[(660, f64::INFINITY)]]);
}

#[test]
fn coarser_points_are_taken_where_finer_ones_reach_no_more() {
    let fine: Vec<(u32, f64)> = (0..20).map(|at| (60_000 + 60 * at, 1.0)).collect();
    let coarse: Vec<(u32, f64)> = (0..4).map(|at| (60_000 + 300 * at, 5.0)).collect();
    let coarsest = [(57_600, 60.0), (61_200, 7.0)];
    let read = points(&file(&[(60, 10), (300, 10), (3_600, 10)], &[&fine, &coarse, &coarsest]));
    // The minutes cover 60,600 to 61,140, the five minutes all from 58,200 to 60,900.
    assert_eq!(read[0], fine[10..]);
    assert_eq!(read[1], coarse[..2]);
    assert_eq!(read[2], coarsest);
    // Nine minutes begin right behind a coarse point, which is not theirs.
    assert_eq!(points(&file(&[(60, 9), (300, 10)], &[&fine, &coarse]))[1], coarse[..3]);
    let without_fine = points(&file(&[(60, 10), (300, 10)], &[&[], &coarse]));
    assert_eq!(without_fine[1], coarse);
}

#[test]
fn what_is_no_whisper_file_is_refused() {
    let good = file(&[(60, 5), (300, 5)], &[&[(600, 1.0)], &[(600, 1.0)]]);
    assert!(read(&good).is_ok());
    assert_eq!(read(b""), Err(WhisperError::Empty));
    for len in 1..good.len() {
        assert_eq!(read(&good[..len]), Err(WhisperError::Short), "{len}");
    }
    assert_eq!(read(b"whisper_compressed\x01"), Err(WhisperError::Compressed));
    let check = |at: usize, bytes: [u8; 4], expected: WhisperError| {
        let mut bad = good.clone();
        bad[at..at + 4].copy_from_slice(&bytes);
        assert_eq!(read(&bad), Err(expected), "{at}");
    };
    check(12, [0; 4], WhisperError::Header);
    check(12, [0xff; 4], WhisperError::Header);
    check(12, 64_u32.to_be_bytes(), WhisperError::Short);
    check(16, [0; 4], WhisperError::Header);
    check(16, [0xff; 4], WhisperError::Short);
    check(20, [0; 4], WhisperError::Header);
    check(24, [0; 4], WhisperError::Header);
    check(24, [0xff; 4], WhisperError::Short);
    // The second archive over the first, or as fine as it.
    check(28, 40_u32.to_be_bytes(), WhisperError::Header);
    check(32, 60_u32.to_be_bytes(), WhisperError::Header);
}

#[test]
fn points_in_wrong_places_are_counted_and_left_out() {
    let mut damaged = file(&[(60, 5)], &[&[(600, 1.0), (660, 2.0), (720, 3.0)]]);
    damaged[28 + 12..28 + 16].copy_from_slice(&0xdead_beef_u32.to_be_bytes());
    let read = read(&damaged).unwrap();
    assert_eq!((read[0].points.as_slice(), read[0].misplaced), ([(600, 1.0), (720, 3.0)].as_slice(), 1));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(read(&bytes));
    }

    #[test]
    fn a_changed_file_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = file(&[(60, 5), (300, 5)], &[&[(600, 1.0), (960, 2.0)], &[(600, 1.0)]]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for archive in read(&bytes).unwrap_or_default() {
            prop_assert!(archive.points.len() <= 5);
            prop_assert!(archive.points.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    /// Against a plain list of what was written: of each slot the last, none older than the ring is long.
    #[test]
    fn a_ring_holds_what_was_written_last(times in prop::collection::vec(1_000..9_000_u32, 1..60), secs in 1..90_u32, len in 1..40_u32) {
        let mut times = times;
        times.sort_unstable();
        let written: Vec<(u32, f64)> = times.iter().enumerate().map(|(at, time)| (*time, at as f64)).collect();
        let slots: BTreeMap<u32, f64> = written.iter().map(|(time, value)| (time - time % secs, *value)).collect();
        let latest = *slots.keys().last().unwrap();
        let expected: Vec<(u32, f64)> =
            slots.into_iter().filter(|(slot, _)| *slot > 0 && slot + secs * len > latest).collect();
        let found = read(&file(&[(secs, len)], &[&written])).unwrap().remove(0);
        prop_assert_eq!((found.points, found.misplaced), (expected, 0));
    }
}

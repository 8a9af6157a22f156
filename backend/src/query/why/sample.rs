//! Which lines are read for their fields: a bounded part of each component's in each slice of time, by columns alone.
//!
//! Whether a line is read is told by its time and its number alone, so the same lines are read before and after a restart,
//! in whichever form their segment lies. Of a slice with few frames of text lines are taken all over; of a longer one those
//! of a few stretches, evenly spread, so that no more frames are unpacked than that.

use super::lines::Counted;
use super::plan::Stretch;
use super::received::Kept;
use super::walk::{StretchTally, each_bucket};
use crate::query::logs::BlockAt;
use crate::query::tally::Tally;
use crate::store::logs::block::{Columns, Row};
use crate::why::observed::Grid;
use sonde_shared::time::{NANOS_PER_MS, TimeRange};
use std::ops::Range;

/// So many lines are read, about.
pub(super) const SAMPLE_LINES: usize = 60_000;
/// Of a component and slice at least so many, so of no more components than that allows.
const LEAST_LINES: usize = 100;
/// Picks are thinned where they become more than this: bursts that fall into a stretch.
const MOST_PICKS: usize = 3 * SAMPLE_LINES;
/// A slice is read in so many stretches at most …
const STRETCHES: f64 = 8.0;
/// … each of about as many lines as lie in a frame.
const FRAME_LINES: f64 = 1_400.0;
const NO_SLICE: u8 = u8::MAX;

/// How much of a component's lines in a slice is read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Share {
    /// The part of the time.
    time: f64,
    /// The part of the lines in that time, of 2^64.
    lines: u64,
}

impl Share {
    fn of(wanted: usize, lines: u64) -> Self {
        if lines == 0 || wanted == 0 {
            return Self::default();
        }
        let part = (wanted as f64 / lines as f64).min(1.0);
        let time = (STRETCHES * FRAME_LINES / lines as f64).clamp(part, 1.0);
        let of_time = part / time;
        Self { time, lines: if of_time >= 1.0 { u64::MAX } else { (of_time * 2_f64.powi(64)) as u64 } }
    }
}

/// What is to be read.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Of each bucket as it was planned: its slice, and its number among those that are kept.
    slice_of: Vec<(u8, u16)>,
    pub(super) slices: Vec<Range<usize>>,
    /// By component and slice; none of those that are not read.
    by_component: Vec<Option<Box<[Share]>>>,
    /// How many lines there are in all slices.
    pub(super) lines: u64,
}

impl Shares {
    /// Of each of the components that matter most, those asked for and those whose lines changed most, about as many lines in
    /// each slice; `most` of all of them.
    pub(super) fn new(
        grid: &Grid,
        kept: &Kept,
        counted: &Counted,
        most: usize,
        is_asked: impl Fn(&str) -> bool,
    ) -> Self {
        let slices = grid.slices();
        let slice = |bucket: usize| {
            let number = slices.iter().position(|slice| slice.contains(&bucket));
            (number.map_or(NO_SLICE, |number| number as u8), bucket as u16)
        };
        let slice_of = kept.places().map(|place| place.map_or((NO_SLICE, 0), slice)).collect();
        let names = counted.components.as_slice();
        let mut lines = vec![vec![0_u64; slices.len()]; names.len()];
        for volume in &counted.volumes {
            for (slice, sum) in slices.iter().zip(&mut lines[volume.component as usize]) {
                *sum += volume.lines.sum(slice);
            }
        }
        let total = lines.iter().flatten().sum();
        let a_slice = most / slices.len().max(1);
        let mut order: Vec<usize> =
            (0..names.len()).filter(|at| lines[*at].iter().any(|sum| *sum > 0)).collect();
        order.sort_by_cached_key(|at| (!is_asked(&names[*at]), std::cmp::Reverse(changed(&lines[*at]))));
        order.truncate((a_slice / LEAST_LINES).max(1));
        let mut shares: Vec<Option<Box<[Share]>>> = vec![None; names.len()];
        for at in &order {
            shares[*at] = Some(vec![Share::default(); slices.len()].into());
        }
        for slice in 0..slices.len() {
            let level = fair(order.iter().map(|at| lines[*at][slice]).collect(), a_slice as u64);
            for at in &order {
                let share = Share::of(level as usize, lines[*at][slice]);
                shares[*at].as_mut().into_iter().for_each(|shares| shares[slice] = share);
            }
        }
        Self { slice_of, slices, by_component: shares, lines: total }
    }
}

/// How much a component's lines in the last slice differ from those before, for an order.
fn changed(lines: &[u64]) -> u64 {
    let Some((last, before)) = lines.split_last() else { return 0 };
    let usual = before.iter().sum::<u64>() as f64 / before.len().max(1) as f64;
    let surprise = (*last as f64 - usual).abs() / (usual + *last as f64 + 1.0).sqrt();
    (surprise * 1_000.0) as u64
}

/// The number that each gets at most so that all together get so many.
fn fair(mut wants: Vec<u64>, room: u64) -> u64 {
    wants.sort_unstable();
    let (mut room, mut left) = (room, wants.len() as u64);
    for want in wants {
        if want > room / left {
            return room / left;
        }
        (room, left) = (room - want, left - 1);
    }
    u64::MAX
}

/// A line that is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    /// By its place in the answer.
    pub(super) component: u32,
    pub(super) slice: u8,
    /// Which walk it was found on …
    pub(super) walk: u16,
    /// … in which of its segments.
    pub(super) segment: u32,
    pub(super) row: Row,
    /// Where it stands among the lines of its share, so that fewer can be taken.
    chance: u64,
}

/// Picks lines.
#[derive(Debug, Default)]
pub(super) struct PickTally {
    shares: Shares,
    stretch: Option<Stretch>,
    walk: u16,
    /// The segment at hand, and the answer's places of its components.
    inside: Option<(usize, Vec<Option<u32>>)>,
    counted: Counted,
    picks: Vec<Pick>,
    /// How often the picks were halved.
    halved: u32,
}

impl PickTally {
    pub(super) fn new(shares: Shares, counted: Counted) -> Self {
        Self { shares, stretch: None, walk: 0, inside: None, counted, picks: Vec::new(), halved: 0 }
    }

    fn enter(&mut self, at: &BlockAt<'_>) {
        if self.inside.as_ref().is_some_and(|(segment, _)| *segment == at.segment) {
            return;
        }
        let shares = &self.shares.by_component;
        let is_read = |place: &u32| shares.get(*place as usize).is_some_and(Option::is_some);
        let names = at.view.published.components.iter();
        let places = names.map(|name| self.counted.components.find(name).filter(is_read)).collect();
        self.inside = Some((at.segment, places));
    }

    fn add_row(&mut self, at: &BlockAt<'_>, columns: &Columns<'_>, row: usize, bucket: usize) {
        let (slice, place_of_bucket) = self.shares.slice_of[bucket];
        let component = columns.component(row);
        let place = self.inside.as_ref().and_then(|(_, places)| *places.get(usize::from(component))?);
        let (Some(place), Some(stretch)) = (place, self.stretch) else { return };
        let Some(shares) = self.shares.by_component[place as usize].as_ref() else { return };
        let share = shares[usize::from(slice)];
        let ts = columns.ts(row);
        if share.time < 1.0 {
            let begin = stretch.end_of(bucket).plus_nanos(-stretch.step_ms * NANOS_PER_MS);
            let into = ts.nanos_since(begin) as f64 / (stretch.step_ms * NANOS_PER_MS) as f64;
            let of_slice = &self.shares.slices[usize::from(slice)];
            let place_in_slice =
                (f64::from(place_of_bucket) - of_slice.start as f64 + into) / of_slice.len() as f64;
            let shifted = mix(u64::from(place) << 8 | u64::from(slice)) as f64 / 2_f64.powi(64);
            if (place_in_slice * STRETCHES + shifted).fract() >= share.time {
                return;
            }
        }
        let number = u64::from(at.view.segment.number()) << 32 | u64::from(columns.arrival(row));
        let chance = mix(mix(ts.as_nanos() as u64) ^ number);
        let is_taken = share.lines == u64::MAX || chance < share.lines;
        if is_taken && chance <= self.limit(share.lines) {
            let (walk, segment, row) = (self.walk, at.segment as u32, columns.row(row));
            self.picks.push(Pick { component: place, slice, walk, segment, row, chance });
            if self.picks.len() > MOST_PICKS {
                self.halve();
            }
        }
    }

    /// What is left of a share by halving.
    fn limit(&self, share: u64) -> u64 {
        share.checked_shr(self.halved).unwrap_or(0)
    }

    /// Keeps every other pick of each share, whatever came first.
    fn halve(&mut self) {
        self.halved += 1;
        let mut picks = std::mem::take(&mut self.picks);
        picks.retain(|pick| {
            let shares = self.shares.by_component[pick.component as usize].as_ref();
            shares.is_some_and(|shares| pick.chance <= self.limit(shares[usize::from(pick.slice)].lines))
        });
        self.picks = picks;
    }

    /// The picks by component, those of the selection first, and what was counted before.
    pub(super) fn finish(mut self) -> (Vec<Pick>, Shares, Counted) {
        self.picks.sort_unstable_by_key(|pick| {
            let slice = std::cmp::Reverse(pick.slice);
            (pick.component, slice, pick.row.ts, pick.walk, pick.segment, pick.row.arrival)
        });
        (self.picks, self.shares, self.counted)
    }
}

impl StretchTally for PickTally {
    fn begin(&mut self, stretch: Stretch, number: usize) {
        (self.stretch, self.walk, self.inside) = (Some(stretch), number as u16, None);
    }
}

impl Tally for PickTally {
    fn add_block(&mut self, at: &BlockAt<'_>, range: TimeRange) -> u64 {
        let Some(stretch) = self.stretch else { return 0 };
        self.enter(at);
        let columns = at.view.segment.columns(at.block, &at.view.published);
        each_bucket(stretch, &columns, range, |bucket, rows| {
            if self.shares.slice_of[bucket].0 != NO_SLICE {
                rows.for_each(|row| self.add_row(at, &columns, row, bucket));
            }
        })
    }

    fn add_line(&mut self, _at: &BlockAt<'_>, _columns: &Columns<'_>, _row: usize, _line: &[u8]) {}
}

/// Numbers that look like chance (splitmix64's finalizer).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::time::Timestamp;

    #[test]
    fn those_who_want_little_get_it_and_the_others_share_the_rest() {
        let check = |wants: &[u64], room: u64, expected: u64| {
            assert_eq!(fair(wants.to_vec(), room), expected, "{wants:?}");
        };
        check(&[10, 20, 1_000, 2_000], 630, 300);
        check(&[1_000, 1_000], 100, 50);
        check(&[1, 2, 3], 100, u64::MAX);
        check(&[], 100, u64::MAX);
        check(&[0, 0, 500], 100, 100);
    }

    #[test]
    fn lines_are_read_by_component_and_of_each_those_of_the_selection_first() {
        let pick = |(component, slice, secs): (u32, u8, i64)| Pick {
            component,
            slice,
            walk: 0,
            segment: 0,
            row: Row { ts: Timestamp::from_secs(secs), ..Row::default() },
            chance: 0,
        };
        let found = [(1, 0, 5), (0, 0, 1), (0, 2, 9), (1, 2, 8), (0, 2, 7), (0, 1, 3)];
        let tally = PickTally { picks: found.map(pick).into(), ..PickTally::default() };
        let order = tally.finish().0.into_iter();
        let order: Vec<_> = order.map(|pick| (pick.component, pick.slice, pick.row.ts.as_secs())).collect();
        assert_eq!(order, [(0, 2, 7), (0, 2, 9), (0, 1, 3), (0, 0, 1), (1, 2, 8), (1, 0, 5)]);
    }

    #[test]
    fn bursts_are_thinned_alike_whatever_comes_first() {
        let part = |number: u64| Pick {
            component: 0,
            slice: 0,
            walk: 0,
            segment: 0,
            row: Row { arrival: number as u32, ..Row::default() },
            chance: mix(number),
        };
        let thinned = |numbers: &mut dyn Iterator<Item = u64>| {
            let shares = Shares {
                by_component: vec![Some([Share { time: 1.0, lines: u64::MAX }].into())],
                ..Shares::default()
            };
            let mut tally = PickTally { picks: numbers.map(part).collect(), shares, ..PickTally::default() };
            tally.halve();
            tally.finish().0.iter().map(|pick| pick.row.arrival).collect::<Vec<_>>()
        };
        let kept = thinned(&mut (0..1_000));
        assert!((400..600).contains(&kept.len()), "{}", kept.len());
        assert_eq!(kept, thinned(&mut (0..1_000).rev()));
    }

    #[test]
    fn a_share_is_of_lines_where_frames_are_few_and_of_time_and_lines_where_they_are_many() {
        let check = |wanted: usize, lines: u64, time: f64, of_time: f64| {
            let share = Share::of(wanted, lines);
            let part = share.lines as f64 / 2_f64.powi(64);
            assert!((share.time - time).abs() < 1e-9 && (part - of_time).abs() < 1e-9, "{share:?}");
        };
        check(100, 50, 1.0, 1.0);
        check(100, 10_000, 1.0, 0.01);
        check(100, 1_120_000, 0.01, 1.0 / 112.0);
        check(0, 10, 0.0, 0.0);
    }
}

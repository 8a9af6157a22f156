//! What a series does in a window, compared with its baseline.
//!
//! No single test sees everything: a step is seen by the level, a change of shape by the distribution of values, a change of
//! smoothness by that of differences, then there are spread, slope and whether there are values at all. Each is a number
//! that is 0 where nothing differs; what is a large one is for the past to say.

use super::cadence::Cadence;
use super::counts;
use super::ks::Binned;
use super::moved::{All, Jumps, Move, Sides};
use super::observed::{Nature, Restart, Series, Trial};
use super::pieces::Pieces;
use super::trials::Trials;
use super::unit::{LEAST_CHANGE, MAD_TO_SD, Unit};
use std::ops::Range;

/// How many statistics a series has.
pub(super) const STATISTICS: usize = 6;
/// Besides one point, one of so many is left out as extreme.
pub(super) const EXTREME_PART: usize = 10;
/// … and of series in which single points jump, one of so many.
const JUMPS_PART: usize = 3;
/// Through fewer points any line goes.
const LEAST_OF_SLOPE: f64 = 3.0;
/// Fewer points, without the extremes, have no spread.
pub(super) const LEAST_OF_SPREAD: f64 = 3.0;
/// So many deviations off, a single point is a jump.
const FAR: f64 = 6.0;

/// All statistics of a series: the selection's, past windows', and the move itself.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) now: [f32; STATISTICS],
    pub(super) past: Vec<[f32; STATISTICS]>,
    pub(super) moved: Move,
}

/// Memory that is used again from series to series.
#[derive(Debug, Default)]
pub(super) struct Room {
    sorted: Vec<f32>,
    differences: Vec<f32>,
    values: Binned,
    steps: Binned,
    pieces: Pieces,
}

/// Measures one series in all trials. `alive` says which buckets count.
pub(super) fn measure(series: &Series, all: &Trials, alive: &[bool], room: &mut Room) -> Measured {
    let values = &series.values;
    room.differences.clear();
    let mut last = f32::NAN;
    room.differences.extend(values.iter().map(|value| {
        let step = value - last;
        last = if value.is_finite() { *value } else { last };
        step
    }));
    let mut sorted = std::mem::take(&mut room.sorted);
    room.values.fill(values, &mut sorted);
    room.steps.fill(&room.differences, &mut sorted);
    let mut trials = all.all.iter();
    let Some(asked) = trials.next() else { return Measured::default() };
    let weight = weight_of_baseline(&all.pieces[0]);
    let unit = Unit::of(values, &room.differences, &all.unusual, &mut sorted);
    let cadence = Cadence::of(values, &asked.baseline, alive);
    let mut pieces = std::mem::take(&mut room.pieces);
    pieces.begin(values.len());
    let mut moved = move_of(series, asked, &unit, &mut pieces, &mut sorted);
    moved.seldom = cadence.every > 1;
    let is_selected = |restart: &&Restart| asked.selection.contains(&usize::from(restart.bucket));
    moved.restarted = series.restarts.iter().find(is_selected).copied();
    if moved.jumps == Jumps::ByAccident {
        // Of such series more is left out.
        pieces.begin(values.len());
    }
    let mut compare = |trial: &Trial| {
        let even = weight / weight_of_baseline(trial);
        compare(series, room, (trial, even), alive, (&moved, &unit), cadence, (&mut pieces, &mut sorted))
    };
    let now = all.middle(&mut compare);
    let past = trials.map(&mut compare).collect();
    (room.sorted, room.pieces) = (sorted, pieces);
    Measured { now, past, moved }
}

fn compare(
    series: &Series,
    room: &Room,
    (trial, even): (&Trial, f32),
    alive: &[bool],
    (moved, unit): (&Move, &Unit),
    cadence: Cadence,
    (pieces, sorted): (&mut Pieces, &mut Vec<f32>),
) -> [f32; STATISTICS] {
    let (values, selection, baseline) = (&series.values, &trial.selection, &trial.baseline);
    let (is_known, unit) = (unit.is_known(), unit.outside(values, selection));
    let middle = median(&values[baseline.clone()], sorted);
    let part = if moved.jumps == Jumps::ByAccident { JUMPS_PART } else { EXTREME_PART };
    let before = Shape::without_extremes(&values[baseline.clone()], middle, part, sorted);
    let inside = Shape::without_extremes(&values[selection.clone()], middle, part, sorted);
    let points = |window: &Range<usize>| {
        values[window.clone()].iter().filter(|value| value.is_finite()).count() as f64
    };
    let (here, there) = (cadence.expected(selection, alive), cadence.expected(baseline, alive));
    let came = points(selection);
    let of_points = counts::deviance(came, here, points(baseline), there).abs();
    // What begins again is as much news as if all of its points were another series'.
    let restarts = |window: &Range<usize>| {
        let inside = series.restarts.iter().filter(|restart| window.contains(&usize::from(restart.bucket)));
        inside.count() as f64 * came
    };
    let of_restarts = counts::deviance(restarts(selection), here, restarts(baseline), there);
    let presence = of_points.max(of_restarts);
    if inside.points < 1.0 || before.points < 1.0 {
        return [0.0, 0.0, 0.0, 0.0, 0.0, presence];
    }
    // What has lost points to a gap is less sure than past windows are.
    let whole = selection.len() / cadence.every;
    let full = (inside.points / kept_of(whole, part) as f64).min(1.0).sqrt();
    let mean = mean_of(series.nature, &values[selection.clone()], &inside);
    let level = if is_known { full * (mean - middle).abs() / unit } else { f64::NAN };
    let floor = 0.1 * unit + moved.quantum;
    let spread = if inside.points < LEAST_OF_SPREAD || before.points < LEAST_OF_SPREAD {
        f64::NAN
    } else {
        let usual = pieces.deviation(values, baseline, selection.len(), part, sorted);
        full * ((inside.deviation + floor) / (usual.unwrap_or(before.deviation) + floor)).ln().abs()
    };
    let rise = if came < LEAST_OF_SLOPE || !is_known { f64::NAN } else { full * inside.rise.abs() / unit };
    [
        level as f32,
        room.values.distance(selection, baseline) * even,
        room.steps.distance(selection, baseline) * even,
        spread as f32,
        rise as f32,
        presence,
    ]
}

fn move_of(series: &Series, asked: &Trial, unit: &Unit, pieces: &mut Pieces, sorted: &mut Vec<f32>) -> Move {
    let (values, nature) = (&series.values, series.nature);
    let (before, after) = (&values[asked.baseline.clone()], &values[asked.selection.clone()]);
    let medians = Sides { before: median(before, sorted), after: median(after, sorted) };
    let (was, is) = (Shape::of(before), Shape::without_extremes(after, medians.before, EXTREME_PART, sorted));
    let was_steadily = pieces
        .deviation(values, &asked.baseline, after.len(), EXTREME_PART, sorted)
        .unwrap_or_else(|| Shape::without_extremes(before, medians.before, EXTREME_PART, sorted).deviation);
    let points = after.iter().filter(|value| value.is_finite()).count() as f64;
    let mean = Sides { before: was.mean, after: mean_of(nature, after, &is) };
    let deviation = Sides { before: was_steadily, after: is.deviation };
    let usual = (MAD_TO_SD * deviation_of(before, medians.before, sorted)).max(was.deviation).max(unit.least);
    let up = mean.after >= medians.before;
    let is_beyond = |value: &&f32| {
        if up { f64::from(**value) > medians.before } else { f64::from(**value) < medians.before }
    };
    let beyond = after.iter().filter(is_beyond).count() as f64 / points.max(1.0);
    let size = unit.outside(values, &asked.selection);
    let jumps = jumps(values, unit.centre, unit.spread.max(unit.least));
    Move {
        median: medians,
        mean,
        all: All::of(after, medians.before),
        deviation,
        points: Sides { before: was.points, after: points },
        floor: (LEAST_CHANGE * unit.centre).hypot(unit.quantum / points.max(1.0)) / size,
        usual,
        jumps: Jumps::of(jumps, nature),
        seldom: false,
        quantum: unit.quantum,
        beyond,
        at_limit: is_at_limit(before, after),
        restarted: None,
    }
}

/// The mean of a window: without its extremes, but what a counter counted in one point it counted, too.
fn mean_of(nature: Nature, values: &[f32], without_extremes: &Shape) -> f64 {
    if nature == Nature::Rate { Shape::of(values).mean } else { without_extremes.mean }
}

/// What the length of a baseline makes of Smirnov's statistic, beside that of its window: what wanders lies as far off as can be, over whatever
/// length, and were further off than ever only by a longer baseline than others have.
fn weight_of_baseline(trial: &Trial) -> f32 {
    let (window, baseline) = (trial.selection.len() as f32, trial.baseline.len() as f32);
    (baseline / (window + baseline)).sqrt()
}

/// Whether there is a point that lies far from all while its neighbours do not. What stays far off is no jump.
fn jumps(values: &[f32], centre: f64, unit: f64) -> bool {
    let far = |value: f32| (f64::from(value) - centre).abs() > FAR * unit;
    let (mut two_ago, mut last) = (false, false);
    for value in values.iter().filter(|value| value.is_finite()) {
        let now = far(*value);
        if last && !two_ago && !now {
            return true;
        }
        (two_ago, last) = (last, now);
    }
    false
}

/// Whether most points are one and the same value that nothing exceeds, and that was hardly reached before. What stood still before has no
/// limit.
fn is_at_limit(before: &[f32], after: &[f32]) -> bool {
    let most = after
        .iter()
        .chain(before)
        .copied()
        .filter(|value| value.is_finite())
        .fold(f32::NEG_INFINITY, f32::max);
    let part = |values: &[f32]| {
        let at = values.iter().filter(|value| **value >= most).count();
        at as f64 / values.iter().filter(|value| value.is_finite()).count().max(1) as f64
    };
    let steps = before.windows(2).map(|pair| (pair[1] - pair[0]).abs()).filter(|step| step.is_finite());
    let moves = steps.clone().filter(|step| *step > 0.0).count();
    after.len() >= 3 && part(after) >= 0.5 && part(before) < 0.1 && 2 * moves > steps.count()
}

/// How many of so many points are no extremes: all but one and one of `part`, and a single one.
pub(super) fn kept_of(points: usize, part: usize) -> usize {
    points.saturating_sub(1 + points / part).max(1)
}

/// A window's moments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    pub(super) points: f64,
    mean: f64,
    pub(super) deviation: f64,
    /// The slope by least squares times the window's length.
    rise: f64,
}

impl Shape {
    /// The moments without the values that lie furthest from `centre`, one and a tenth of all: what one point does is an
    /// accident. A single point stays.
    pub(super) fn without_extremes(values: &[f32], centre: f64, part: usize, room: &mut Vec<f32>) -> Self {
        room.clear();
        room.extend(values.iter().filter(|value| value.is_finite()));
        if room.len() < 2 {
            return Self::of(values);
        }
        let kept = kept_of(room.len(), part);
        let far = |value: &f32| (f64::from(*value) - centre).abs();
        room.select_nth_unstable_by(kept, |one, other| far(one).total_cmp(&far(other)));
        let furthest = room[..kept].iter().map(far).fold(0.0, f64::max) as f32;
        // For the slope they count as what they may be at most, since without them time would have holes.
        let (least, most) = (centre as f32 - furthest, centre as f32 + furthest);
        let rise = Self::of_values(values.iter().map(|value| value.clamp(least, most))).rise;
        Self { rise, ..Self::of(&room[..kept]) }
    }

    pub(super) fn of(values: &[f32]) -> Self {
        Self::of_values(values.iter().copied())
    }

    fn of_values(values: impl Iterator<Item = f32> + Clone) -> Self {
        let (mut n, mut sum, mut squares, mut t, mut tt, mut tv) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        let origin = values.clone().find(|value| value.is_finite()).map_or(0.0, f64::from);
        let mut length = 0.0;
        for value in values {
            let at = length;
            length += 1.0;
            if !value.is_finite() {
                continue;
            }
            let value = f64::from(value) - origin;
            n += 1.0;
            sum += value;
            squares += value * value;
            t += at;
            tt += at * at;
            tv += at * value;
        }
        if n < 1.0 {
            return Self::default();
        }
        let variance = (squares - sum * sum / n).max(0.0) / (n - 1.0).max(1.0);
        let along = tt - t * t / n;
        let slope = if along > 0.0 && n >= LEAST_OF_SLOPE { (tv - t * sum / n) / along } else { 0.0 };
        Self { points: n, mean: origin + sum / n, deviation: variance.sqrt(), rise: slope * length }
    }
}

/// The median of what is there; the lower of two middle ones. 0 where nothing is.
pub(super) fn median(values: &[f32], room: &mut Vec<f32>) -> f64 {
    room.clear();
    room.extend(values.iter().filter(|value| value.is_finite()));
    middle(room)
}

/// The median absolute deviation from `centre`.
pub(super) fn deviation_of(values: &[f32], centre: f64, room: &mut Vec<f32>) -> f64 {
    room.clear();
    let finite = values.iter().filter(|value| value.is_finite());
    room.extend(finite.map(|value| (f64::from(*value) - centre).abs() as f32));
    middle(room)
}

fn middle(room: &mut [f32]) -> f64 {
    if room.is_empty() {
        return 0.0;
    }
    let at = (room.len() - 1) / 2;
    f64::from(*room.select_nth_unstable_by(at, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_deviations_and_slopes_are_scipys() {
        for case in super::super::golden::cases("robust") {
            let values = case.floats("values");
            let shape = Shape::of(&values);
            let room = &mut Vec::new();
            let centre = median(&values, room);
            let near = |found: f64, key: &str| {
                let expected = case.number(key);
                assert!(
                    (found - expected).abs() <= 1e-5 * expected.abs().max(1.0),
                    "{key}: {found}, {expected}"
                );
            };
            near(shape.mean, "mean");
            near(shape.deviation, "sd");
            near(shape.rise / values.len() as f64, "slope");
            near(centre, "median");
            near(MAD_TO_SD * deviation_of(&values, centre, room), "mad");
        }
    }

    fn measured(values: Vec<f32>, asked: Trial) -> Measured {
        let alive = vec![true; values.len()];
        measured_where(values, asked, &alive)
    }

    fn measured_where(values: Vec<f32>, asked: Trial, alive: &[bool]) -> Measured {
        measured_as(Nature::Level, values, asked, alive)
    }

    fn measured_as(nature: Nature, values: Vec<f32>, asked: Trial, alive: &[bool]) -> Measured {
        let unusual = asked.selection.clone();
        let trials = Trials { all: vec![asked.clone()], pieces: vec![asked], days: 0, unusual };
        measure(&Series { values, nature, ..Series::default() }, &trials, alive, &mut Room::default())
    }

    #[test]
    fn each_statistic_sees_what_it_is_for() {
        let asked = Trial { selection: 40..60, baseline: 0..40 };
        let wave = |at: usize| (at as f32 * 2.4).sin();
        let loudest = |change: fn(usize, f32) -> f32| {
            let values = (0..60).map(|at| if at < 40 { wave(at) } else { change(at, wave(at)) }).collect();
            measured(values, asked.clone()).now
        };
        let still = loudest(|_, wave| wave);
        assert!(loudest(|_, wave| wave + 5.0)[0] > 5.0 * still[0].max(0.3));
        assert!(loudest(|_, wave| wave.signum())[1] > 2.0 * still[1].max(0.3));
        assert!(loudest(|at, _| (at as f32 * 0.3).sin())[2] > 1.5 * still[2].max(0.3));
        assert!(loudest(|_, wave| 5.0 * wave)[3] > 1.0);
        assert!(loudest(|at, wave| wave + at as f32 - 50.0)[4] > 5.0);
        assert!(loudest(|_, _| f32::NAN)[5] > 3.0);
        let new = (0..60).map(|at| if at < 40 { f32::NAN } else { wave(at) }).collect();
        assert!(measured(new, asked).now[5] > 3.0);
    }

    #[test]
    fn what_happens_in_a_window_is_no_part_of_what_it_is_measured_in() {
        let asked = Trial { selection: 48..60, baseline: 0..48 };
        let wave = |at: usize| (at as f32 * 2.4).sin();
        let level = |step: f32| {
            let values = (0..60).map(|at| if at < 48 { wave(at) } else { step + wave(at) }).collect();
            measured(values, asked.clone()).now[0]
        };
        assert!(level(200.0) > 8.0 * level(20.0), "{} {}", level(200.0), level(20.0));
    }

    #[test]
    fn a_change_that_few_points_of_a_window_show_is_less_sure() {
        let asked = Trial { selection: 48..60, baseline: 0..48 };
        let wave = |at: usize| (at as f32 * 2.4).sin();
        let level = |lost: Range<usize>| {
            let step = |at: usize| if at < 48 { wave(at) } else { 5.0 + wave(at) };
            let values = (0..60).map(|at| if lost.contains(&at) { f32::NAN } else { step(at) }).collect();
            measured(values, asked.clone()).now[0]
        };
        assert!(level(50..58) < 0.7 * level(0..0), "{} {}", level(50..58), level(0..0));
    }

    #[test]
    fn a_pause_of_everything_does_not_slow_a_series_down() {
        let asked = Trial { selection: 48..60, baseline: 0..48 };
        let lost = 10..34;
        let value =
            |at: usize| if usize::is_multiple_of(at, 6) && !lost.contains(&at) { 1.0 } else { f32::NAN };
        let values: Vec<f32> = (0..60).map(value).collect();
        let alive: Vec<bool> = (0..60).map(|at| !lost.contains(&at)).collect();
        let presence = measured_where(values, asked, &alive).now[5];
        assert!(presence < 0.2, "{presence}");
    }

    #[test]
    fn a_single_point_makes_no_slope() {
        let asked = Trial { selection: 40..48, baseline: 0..40 };
        let wave = |at: usize| (at as f32 * 2.4).sin();
        let rise = |last: f32| {
            let values = (0..48).map(|at| if at < 47 { wave(at) } else { last }).collect();
            measured(values, asked.clone()).now[4]
        };
        assert!(rise(500.0) <= 2.0 * rise(1.0).max(1.0), "{} {}", rise(500.0), rise(1.0));
    }

    #[test]
    fn what_a_counter_counted_in_one_point_it_counted() {
        let wave = |at: usize| if at == 50 { 500.0 } else { 2.0 + (at as f32 * 2.4).sin() };
        let asked = Trial { selection: 48..60, baseline: 0..48 };
        let level = |nature| measured_as(nature, (0..60).map(wave).collect(), asked.clone(), &[true; 60]);
        let (rate, gauge) = (level(Nature::Rate), level(Nature::Level));
        assert!(rate.now[0] > 30.0 && gauge.now[0] < 1.0, "{rate:?} {gauge:?}");
        assert!(rate.moved.mean.after > 40.0 && gauge.moved.mean.after < 4.0);
    }

    #[test]
    fn two_points_have_no_slope() {
        let values: Vec<f32> = (0..12).map(|at| at as f32).collect();
        let rise = |selection| measured(values.clone(), Trial { selection, baseline: 0..9 }).now[4];
        assert!(rise(10..12).is_nan() && rise(9..12) > 0.0);
    }

    #[test]
    fn two_points_before_do_not_say_how_far_is_far() {
        let level = |before: [f32; 4]| {
            measured([&before[..], &[90.0; 4]].concat(), Trial { selection: 4..8, baseline: 0..4 }).now[0]
        };
        assert!(
            level([f32::NAN, 50.0, f32::NAN, 50.1]).is_nan() && level([50.0, 50.1, f32::NAN, 50.2]) > 9.0
        );
    }

    #[test]
    fn what_lies_off_altogether_is_not_further_off_for_a_longer_baseline() {
        let values: Vec<f32> = (0..60).map(|at| if at < 48 { (at % 7) as f32 } else { 99.0 }).collect();
        let (asked, past) = (48..60, Trial { selection: 48..60, baseline: 24..48 });
        let trials = |baseline| {
            let asked = Trial { selection: asked.clone(), baseline };
            Trials { all: vec![asked.clone(), past.clone()], pieces: vec![asked], days: 0, unusual: 48..60 }
        };
        let of = |baseline| {
            let series = Series { path: String::new(), values: values.clone(), ..Series::default() };
            measure(&series, &trials(baseline), &[true; 60], &mut Room::default())
        };
        let long = of(0..48);
        assert!((long.now[1] - long.past[0][1]).abs() < 1e-6, "{long:?}");
        assert!(long.now[1] > of(36..48).now[1]);
    }

    #[test]
    fn a_ceiling_is_told_from_a_constant() {
        let asked = Trial { selection: 6..12, baseline: 0..6 };
        let mut values = vec![60.0, 61.0, 58.0, 70.0, 66.0, 61.0, 100.0, 100.0, 99.0, 100.0, 100.0, 100.0];
        assert!(measured(values.clone(), asked.clone()).moved.at_limit);
        values[..6].fill(60.0);
        assert!(!measured(values.clone(), asked.clone()).moved.at_limit);
        values.fill(100.0);
        assert!(!measured(values, asked).moved.at_limit);
    }

    #[test]
    fn a_still_series_has_a_unit_and_a_single_blip_is_small() {
        let asked = Trial { selection: 24..36, baseline: 0..24 };
        let mut values = vec![0.0; 36];
        values[30] = 1.0;
        let blip = measured(values.clone(), asked.clone());
        assert!(blip.now[0].is_finite() && blip.now[0] <= 1.1 * blip.moved.floor as f32, "{blip:?}");
        values[24..].fill(5.0);
        let step = measured(values, asked);
        assert!(step.now[0] > 10.0 * step.moved.floor as f32);
    }
}

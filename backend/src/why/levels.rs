//! Series as candidates: measured in all trials, on all cores, and put into words.

use super::branches;
use super::candidate::{By, Candidate, Item, Judged, MOST_CHANGE, onset, shown};
use super::moved::{Jumps, Move, Sides};
use super::null::combine;
use super::observed::{Grid, Nature, Observed, Restart, Series};
use super::quotients::Statistic;
use super::series::{Measured, Room, STATISTICS, measure};
use super::tree::Tree;
use super::trials::Trials;
use super::words;
use sonde_shared::why::{Change, FindingKind, Place};
use std::num::NonZero;
use std::thread;

/// A change of less than this part of the level is small however still the series is; it keeps the number of
/// deviations finite.
const SOFT_CHANGE: f64 = 0.05;
/// What begins or ends counts as a change by so many times itself.
const APPEARED: f64 = 10.0;
/// From so many deviations on it is the level that changed, else the shape.
const LEVEL: f64 = 1.0;
/// How many windows' worth of evidence the usual size over all series is.
const PRIOR_WINDOWS: f64 = 4.0;
const SLOPE: usize = 4;
/// A point at an end of the selection makes a slope of so many times what it does to the level.
const SLOPE_OF_A_POINT: f32 = 6.0;
const PRESENCE: usize = 5;
/// One point that is late is nothing, however regular they are.
const LEAST_PRESENCE: f32 = 0.7;

/// Candidates among series, and what is said of each.
pub(super) fn find(observed: &Observed, trials: &Trials, alive: &[bool], tree: &Tree<'_>) -> Judged {
    let measured = measure_all(observed, trials, alive);
    let statistics: Vec<Statistic> =
        (0..STATISTICS).map(|number| statistic(&measured, trials, number)).collect();
    let mut combined = combine(&statistics);
    for (p, series) in combined.p.iter_mut().zip(&observed.series) {
        *p = p.max(f64::from(series.chance));
    }
    let owners = observed.series.iter().map(|series| tree.owner(&series.path)).collect();
    Judged::of(combined, owners, |item| Some(candidate(observed, tree, item, &measured[item.at])))
}

/// Measures all series, in parts on as many threads as there are cores.
fn measure_all(observed: &Observed, trials: &Trials, alive: &[bool]) -> Vec<Measured> {
    let threads =
        thread::available_parallelism().map_or(1, NonZero::get).min(observed.series.len() / 256 + 1);
    let part = observed.series.len().div_ceil(threads).max(1);
    let measure_part = |series: &[Series]| {
        let mut room = Room::default();
        series.iter().map(|series| measure(series, trials, alive, &mut room)).collect::<Vec<_>>()
    };
    if threads == 1 {
        return measure_part(&observed.series);
    }
    thread::scope(|scope| {
        let workers: Vec<_> =
            observed.series.chunks(part).map(|series| scope.spawn(move || measure_part(series))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("measuring does not panic")).collect()
    })
}

fn statistic(measured: &[Measured], trials: &Trials, number: usize) -> Statistic {
    let floor = |series: &Measured| match number {
        0 => series.moved.floor as f32,
        SLOPE => SLOPE_OF_A_POINT * series.moved.floor as f32,
        PRESENCE => LEAST_PRESENCE,
        _ => 0.0,
    };
    Statistic {
        now: measured.iter().map(|series| series.now[number]).collect(),
        past: measured.iter().flat_map(|series| series.past.iter().map(|window| window[number])).collect(),
        floor: measured.iter().map(floor).collect(),
        sorts: measured.iter().map(|series| sort_of(&series.moved)).collect(),
        prior: PRIOR_WINDOWS,
        boundless: number == 0 || number == SLOPE,
        ..Statistic::over(trials)
    }
}

/// Series in which single points jump are compared among themselves, and so are those that have few points, and counters of what is rare.
fn sort_of(moved: &Move) -> usize {
    let of_jumps = match moved.jumps {
        Jumps::Never => 0,
        Jumps::ByAccident => 1,
        Jumps::Counted => 4,
    };
    of_jumps + 2 * usize::from(moved.seldom)
}

fn candidate(observed: &Observed, tree: &Tree<'_>, item: &Item, measured: &Measured) -> Candidate {
    let (series, moved) = (&observed.series[item.at], &measured.moved.by(item.by));
    let loudest = usize::from(item.loudest);
    let change = change_of(moved, loudest);
    let course = series.values[shown(&observed.grid)].to_vec();
    let (relative, noise, effect) = sizes(moved, change, measured.now[PRESENCE]);
    let began = match change {
        Change::Up | Change::Down => onset(&observed.grid, &course, moved.median.before, moved.mean.after),
        _ => None,
    };
    let usual = Candidate {
        kind: FindingKind::Metric,
        subject: series.path.clone(),
        change,
        p: item.p,
        relative,
        noise,
        specific: moved.beyond,
        effect,
        summary: words::series(series, moved, change),
        at: Place { target: Some(target_of(series)), ..Place::default() },
        owner: tree.owner(&series.path),
        hosts: tree.hosts_in(&series.path),
        course,
        onset: began,
        twin: None,
    };
    match moved.restarted {
        Some(restart) if loudest == PRESENCE => {
            begun_again(usual, series, restart, measured.now[PRESENCE], &observed.grid)
        }
        _ if change == Change::Gone => fallen_silent(usual, series, moved, &observed.grid),
        _ if item.by == By::All && change != Change::New => at_its_peak(usual, series, moved, &observed.grid),
        _ => usual,
    }
}

/// The same told by the point that lies furthest off, where that is more than the mean tells: as many points' noise has one that lies out by the root of
/// twice the logarithm of their number, and one point is a part of them.
fn at_its_peak(usual: Candidate, series: &Series, moved: &Move, grid: &Grid) -> Candidate {
    let (points, peak, before) = (moved.points.after.max(1.0), moved.all.peak, moved.median.before);
    let further = Sides { before: moved.mean.before, after: peak };
    let change = if peak > before { Change::Up } else { Change::Down };
    let (relative, noise, effect) = sizes(&Move { mean: further, beyond: 1.0, ..*moved }, change, 0.0);
    let (relative, noise) = (relative / points.sqrt(), noise / (2.0 * (points + 1.0).ln()).sqrt());
    if relative.ln_1p() + noise.ln_1p() <= usual.relative.ln_1p() + usual.noise.ln_1p() {
        return usual;
    }
    let is_peak = |bucket: &usize| (f64::from(series.values[*bucket]) - peak).abs() <= 0.0;
    let onset = grid.now.selection.clone().find(is_peak);
    let (specific, summary) = (1.0 / points, words::peak(series, moved, change));
    Candidate { change, relative, noise, specific, effect, summary, onset, ..usual }
}

/// The same of a series whose points end in the selection or just before: since when, where they were never missing for so long before, and
/// most of the points that are missing are missing since.
fn fallen_silent(usual: Candidate, series: &Series, moved: &Move, grid: &Grid) -> Candidate {
    let shown = shown(grid);
    let has = |bucket: &usize| series.values[*bucket].is_finite();
    let Some(last) = shown.clone().rev().find(has) else { return usual };
    let baseline: Vec<bool> = grid.now.baseline.clone().map(|bucket| has(&bucket)).collect();
    let pauses = baseline.chunk_by(|one, other| one == other).filter(|run| !run[0]);
    let pause = pauses.map(<[bool]>::len).max().unwrap_or(0);
    let missing = grid.now.selection.clone().filter(|bucket| !has(bucket)).count();
    let silent = shown.end - last - 1;
    let is_end = silent > pause && 2 * silent >= missing;
    let at_ms = grid.starts_ms.get(last + 1).copied().filter(|_| is_end);
    let Some(at_ms) = at_ms else { return usual };
    Candidate {
        summary: words::silent_series(series, moved, at_ms),
        at: Place { at_ms: Some(at_ms), ..usual.at },
        onset: Some(last + 1),
        ..usual
    }
}

/// The same of a counter that has begun again. How fast it counts is another matter.
fn begun_again(usual: Candidate, series: &Series, restart: Restart, presence: f32, grid: &Grid) -> Candidate {
    let Restart { bucket, at_ms } = restart;
    Candidate {
        change: Change::New,
        relative: APPEARED,
        noise: f64::from(presence),
        effect: 0.0,
        summary: words::again_since(at_ms),
        at: Place { target: Some(series.path.clone()), at_ms: Some(at_ms), ..Place::default() },
        course: counted(series, grid),
        onset: Some(usize::from(bucket)),
        ..usual
    }
}

/// What shows the change: of a counter how fast it grows, since itself it only grows on.
fn target_of(series: &Series) -> String {
    let path = branches::glob(series).unwrap_or_else(|| series.path.clone());
    if series.nature == Nature::Rate { format!("perSecond({path})") } else { path }
}

/// What a counter has counted since the first bucket that is shown, or since it began again.
fn counted(series: &Series, grid: &Grid) -> Vec<f32> {
    let begins: Vec<usize> = series.restarts.iter().map(|restart| usize::from(restart.bucket)).collect();
    let mut sum = 0.0;
    let count = |bucket: usize| {
        let grown = series.values[bucket] * grid.step_ms as f32 / 1_000.0;
        if begins.contains(&bucket) {
            sum = 0.0;
        }
        sum += if grown.is_finite() { grown } else { 0.0 };
        sum
    };
    shown(grid).map(count).collect()
}

fn change_of(moved: &Move, loudest: usize) -> Change {
    if moved.points.before < 1.0 {
        return Change::New;
    }
    if moved.points.after < 1.0 || (loudest == PRESENCE && moved.points.after * 2.0 < moved.points.before) {
        return Change::Gone;
    }
    let step = moved.mean.after - moved.median.before;
    match step.abs() >= LEVEL * moved.usual {
        true if step > 0.0 => Change::Up,
        true => Change::Down,
        false => Change::Shape,
    }
}

/// Relative change, change in deviations, and the logarithm of the ratio.
fn sizes(moved: &Move, change: Change, presence: f32) -> (f64, f64, f64) {
    let most = (1.0 + MOST_CHANGE).ln();
    match change {
        Change::New => (APPEARED, f64::from(presence), most),
        Change::Gone => (APPEARED, f64::from(presence), -most),
        Change::Shape => {
            let floor = 0.1 * moved.usual + moved.quantum;
            let ratio = ((moved.deviation.after + floor) / (moved.deviation.before + floor)).ln();
            (ratio.abs().exp_m1().min(MOST_CHANGE) / 2.0, ratio.abs().exp(), ratio.clamp(-most, most))
        }
        Change::Up | Change::Down | Change::Before => {
            let (before, after) = (moved.mean.before, moved.mean.after);
            // From nothing, a counter that goes to 16 has changed more than one that goes to 3.
            let least = moved.quantum.min((after - before).abs() / APPEARED);
            let base = before.abs().max(after.abs() / MOST_CHANGE).max(least).max(1e-30);
            let relative = ((after - before).abs() / base).min(MOST_CHANGE) * moved.beyond;
            let scale = moved.usual.hypot(SOFT_CHANGE * moved.median.before.abs());
            let noise = (after - moved.median.before).abs() / scale;
            let same_sign = before * after > 0.0;
            let ratio = if same_sign { (after / before).ln() } else { (after - before).signum() * most };
            (relative, noise, ratio.clamp(-most, most))
        }
    }
}

//! The simple methods that ranking is held against: each ranks series, or patterns, by one number.

use sonde::why::observed::Observed;

/// A method's name, and what it ranks, best first.
pub(crate) type Ranking = (&'static str, Vec<String>);

/// All of them.
pub(crate) fn rankings(observed: &Observed) -> Vec<Ranking> {
    vec![
        ("volume", series(observed, volume)),
        ("z, 5 % floor", series(observed, z)),
        ("KS, values", series(observed, ks)),
        ("KS, differences", series(observed, |before, after| ks(&steps(before), &steps(after)))),
        ("G, patterns", patterns(observed)),
    ]
}

fn series(observed: &Observed, score: impl Fn(&[f64], &[f64]) -> f64) -> Vec<String> {
    let now = &observed.grid.now;
    let finite = |values: &[f32]| -> Vec<f64> {
        values.iter().filter(|value| value.is_finite()).map(|value| f64::from(*value)).collect()
    };
    let scored = observed.series.iter().map(|series| {
        let (before, after) =
            (finite(&series.values[now.baseline.clone()]), finite(&series.values[now.selection.clone()]));
        let score = if before.is_empty() || after.is_empty() { 0.0 } else { score(&before, &after) };
        (score, series.path.clone())
    });
    sorted(scored.collect())
}

fn sorted(mut scored: Vec<(f64, String)>) -> Vec<String> {
    // Ties are broken by the names' hashes, not in the order in which the system was made.
    scored.sort_by(|one, other| {
        other.0.total_cmp(&one.0).then_with(|| crate::hash::of(&one.1).cmp(&crate::hash::of(&other.1)))
    });
    scored.into_iter().map(|(_, name)| name).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Netdata's: the relative change of the mean, times the part of points beyond it.
fn volume(before: &[f64], after: &[f64]) -> f64 {
    let (was, is) = (mean(before), mean(after));
    if (is - was).abs() <= 0.0 {
        return 0.0;
    }
    let beyond = after.iter().filter(|value| if is > was { **value > was } else { **value < was }).count();
    ((is - was) / was.abs().max(is.abs() / 1_000.0)).abs() * beyond as f64 / after.len() as f64
}

fn z(before: &[f64], after: &[f64]) -> f64 {
    let (was, is) = (mean(before), mean(after));
    let deviation = mean(&before.iter().map(|value| (value - was).powi(2)).collect::<Vec<_>>()).sqrt();
    (is - was).abs() / deviation.max(0.05 * was.abs()).max(1e-9)
}

fn steps(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// 1 - p of Kolmogorov and Smirnov's test, by its limit.
fn ks(before: &[f64], after: &[f64]) -> f64 {
    let ordered = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (before, after) = (ordered(before), ordered(after));
    let below = |values: &[f64], at: f64| {
        values.partition_point(|value| *value <= at) as f64 / values.len().max(1) as f64
    };
    let distance = before
        .iter()
        .chain(&after)
        .map(|at| (below(&before, *at) - below(&after, *at)).abs())
        .fold(0.0, f64::max);
    let size = (before.len() * after.len()) as f64 / (before.len() + after.len()).max(1) as f64;
    let x = distance * size.sqrt();
    let p =
        (1..50).map(|k| 2.0 * (-1_f64).powi(k - 1) * (-2.0 * f64::from(k * k) * x * x).exp()).sum::<f64>();
    if x < 0.2 { 0.0 } else { 1.0 - p.clamp(0.0, 1.0) }
}

/// Masked patterns by G of their counts in the two ranges.
fn patterns(observed: &Observed) -> Vec<String> {
    let now = &observed.grid.now;
    let all = |range: &std::ops::Range<usize>| {
        observed.patterns.iter().map(|pattern| pattern.counts.sum(range)).sum::<u64>() as f64
    };
    let (after_all, before_all) = (all(&now.selection), all(&now.baseline));
    let scored = observed.patterns.iter().map(|pattern| {
        let (after, before) =
            (pattern.counts.sum(&now.selection) as f64, pattern.counts.sum(&now.baseline) as f64);
        let share = (after + before) / (after_all + before_all).max(1.0);
        let term = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
        (2.0 * (term(after, share * after_all) + term(before, share * before_all)), pattern.id.clone())
    });
    sorted(scored.collect())
}

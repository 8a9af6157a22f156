//! Comparing how often something happens in two stretches of time, or among two sets of lines.
//!
//! The statistic is the signed root of the log-likelihood ratio (G) of the two counts given their sum: unlike a ratio it grows
//! with the evidence, and it has a value where one side is 0. Lines come in bursts, so it is far from normal for many
//! patterns; how large it is anyway is seen in past windows.

use super::observed::Counts;
use std::ops::Range;

/// So often the common rate of two counts is improved.
const RATE_STEPS: usize = 4;

/// The signed root of G: `count` in an exposure of `size`, against `other` in `other_size`. Positive where there is more.
pub(super) fn deviance(count: f64, size: f64, other: f64, other_size: f64) -> f32 {
    let (all, sizes) = (count + other, size + other_size);
    if all <= 0.0 || size <= 0.0 || other_size <= 0.0 {
        return 0.0;
    }
    let term =
        |seen: f64, size: f64| if seen > 0.0 { seen * (seen * sizes / (all * size)).ln() } else { 0.0 };
    let root = (2.0 * (term(count, size) + term(other, other_size))).max(0.0).sqrt();
    if count * other_size >= other * size { root as f32 } else { -root as f32 }
}

/// The same for counts whose rate varies by a part of itself, `square` being the square of that part: negative binomial ones. What is
/// longer varies less. The rate that suits both best is found by iteration, which converges at once.
pub(super) fn negative_binomial(count: f64, size: f64, other: f64, other_size: f64, square: f64) -> f32 {
    let all = count + other;
    if square <= 0.0 || all <= 0.0 || size <= 0.0 || other_size <= 0.0 {
        return deviance(count, size, other, other_size);
    }
    let other_square = square * (size / other_size).min(1.0);
    let mut rate = all / (size + other_size);
    for _ in 0..RATE_STEPS {
        let (one, two) = (1.0 / (1.0 + square * rate * size), 1.0 / (1.0 + other_square * rate * other_size));
        rate = (count * one + other * two) / (size * one + other_size * two);
    }
    let term = |seen: f64, expected: f64, square: f64| {
        let own = if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
        own - (seen + 1.0 / square) * ((square * (seen - expected)) / (1.0 + square * expected)).ln_1p()
    };
    let root = 2.0 * (term(count, rate * size, square) + term(other, rate * other_size, other_square));
    let root = root.max(0.0).sqrt() as f32;
    if count * other_size >= other * size { root } else { -root }
}

/// The signed root of G of a share: `hits` of `lines` against `other_hits` of `other_lines`.
pub(super) fn share_deviance(hits: f64, lines: f64, other_hits: f64, other_lines: f64) -> f32 {
    let (found, all) = (hits + other_hits, lines + other_lines);
    if lines <= 0.0 || other_lines <= 0.0 || found <= 0.0 {
        return 0.0;
    }
    let term = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
    let side = |hits: f64, lines: f64| {
        let expected = lines * found / all;
        term(hits, expected) + term(lines - hits, lines - expected)
    };
    let root = (2.0 * (side(hits, lines) + side(other_hits, other_lines))).max(0.0).sqrt();
    if hits * other_lines >= other_hits * lines { root as f32 } else { -root as f32 }
}

/// How many times as often, with half a one added to both sides: one line where there was none is no hundredfold.
pub(super) fn ratio(count: f64, size: f64, other: f64, other_size: f64) -> f64 {
    let scale = if other_size > 0.0 { size / other_size } else { 1.0 };
    let expected = other * scale;
    (count + 0.5) / (expected + 0.5)
}

/// Wilson's interval of a share, 95 %.
pub(super) fn interval(hits: f64, lines: f64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if lines <= 0.0 {
        return (0.0, 1.0);
    }
    let share = hits / lines;
    let square = Z * Z / lines;
    let centre = (share + square / 2.0) / (1.0 + square);
    let half = Z * (share * (1.0 - share) / lines + square / (4.0 * lines)).sqrt() / (1.0 + square);
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// How many buckets of a window have data.
pub(super) fn size_of(window: &Range<usize>, alive: &[bool]) -> f64 {
    alive[window.clone()].iter().filter(|alive| **alive).count() as f64
}

/// How many buckets of a window at its end have none.
pub(super) fn silent_tail(counts: &Counts, window: &Range<usize>) -> usize {
    let last = counts.iter().map(|(bucket, _)| bucket).filter(|bucket| window.contains(bucket)).last();
    window.end - last.map_or(window.start, |last| last + 1)
}

/// The longest stretch of a window without any, in buckets in which something was received.
pub(super) fn longest_pause(counts: &Counts, window: &Range<usize>, alive: &[bool]) -> f64 {
    let (mut longest, mut next) = (0.0_f64, window.start);
    let inside = counts.iter().map(|(bucket, _)| bucket).filter(|bucket| window.contains(bucket));
    for bucket in inside.chain([window.end]) {
        if (bucket - next) as f64 > longest {
            longest = longest.max(size_of(&(next..bucket), alive));
        }
        next = bucket + 1;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviances_of_shares_are_scipys() {
        for case in super::super::golden::cases("g") {
            let table: Vec<f64> = case.floats("table").into_iter().map(f64::from).collect();
            let root = share_deviance(table[0], table[1], table[2], table[3]);
            let expected = case.number("g").sqrt();
            assert!((f64::from(root.abs()) - expected).abs() < 1e-4 * expected.max(1.0), "{root} {expected}");
        }
    }

    #[test]
    fn deviances_of_rates_are_scipys() {
        for case in super::super::golden::cases("rate") {
            let table: Vec<f64> = case.floats("table").into_iter().map(f64::from).collect();
            let root = deviance(table[0], table[1], table[2], table[3]);
            let expected = case.number("g").sqrt();
            assert!((f64::from(root.abs()) - expected).abs() < 1e-4 * expected.max(1.0), "{root} {expected}");
        }
    }

    #[test]
    fn counts_that_vary_by_a_part_of_themselves_say_less_the_more_they_do() {
        let root = |square: f64| negative_binomial(0.0, 6.0, 160.0, 24.0, square);
        assert!((root(0.0) - deviance(0.0, 6.0, 160.0, 24.0)).abs() < 1e-6);
        assert!((root(1e-6) - root(0.0)).abs() < 1e-2, "{} {}", root(1e-6), root(0.0));
        assert!(root(0.0) < root(0.02) && root(0.02) < root(0.2) && root(0.2) < -2.0);
        assert!(negative_binomial(40.0, 6.0, 160.0, 24.0, 0.1).abs() < 1e-3);
        assert!(negative_binomial(90.0, 6.0, 160.0, 24.0, 0.1) > 1.0);
    }

    #[test]
    fn intervals_of_shares_are_scipys() {
        for case in super::super::golden::cases("wilson") {
            let (low, high) = interval(case.number("hits"), case.number("lines"));
            assert!((low - case.number("low")).abs() < 1e-9 && (high - case.number("high")).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_against_nothing_is_nothing() {
        assert!(deviance(0.0, 5.0, 0.0, 20.0).abs() < 1e-9);
        assert!(deviance(3.0, 0.0, 0.0, 20.0).abs() < 1e-9);
        assert!(deviance(5.0, 5.0, 20.0, 20.0).abs() < 1e-3);
        assert!(deviance(50.0, 5.0, 20.0, 20.0) > 5.0 && deviance(0.0, 5.0, 200.0, 20.0) < -5.0);
    }

    #[test]
    fn a_silence_is_counted_from_the_last_line() {
        let counts = Counts::of_all(&[1, 2, 0, 3, 0, 0, 0]);
        assert_eq!(silent_tail(&counts, &(0..7)), 3);
        assert_eq!(silent_tail(&counts, &(4..7)), 3);
        assert_eq!(silent_tail(&counts, &(0..4)), 0);
    }

    #[test]
    fn the_longest_pause_counts_what_was_received_alone() {
        let check = |lines: &[u32], dead: Range<usize>, expected: f64| {
            let alive: Vec<bool> = (0..lines.len()).map(|bucket| !dead.contains(&bucket)).collect();
            let found = longest_pause(&Counts::of_all(lines), &(1..lines.len()), &alive);
            assert!((found - expected).abs() < 1e-9, "{lines:?} {dead:?}: {found}");
        };
        check(&[0, 0, 1, 0, 0, 0, 2, 0, 0], 0..0, 3.0);
        check(&[0, 0, 1, 0, 0, 0, 2, 0, 0], 3..5, 2.0);
        check(&[1, 0, 0, 0], 0..0, 3.0);
        check(&[1, 1, 1], 0..0, 0.0);
    }
}

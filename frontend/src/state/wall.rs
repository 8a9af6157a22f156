//! What a wall shows of a panel: how its last value is to be judged, and whether it is of now at all.

use sonde_shared::chart::units::format_value;
use sonde_shared::dashboard::Threshold;
use sonde_shared::log::Level;

/// A wall has so many places at most.
pub const MOST_PANELS: usize = 9;
/// A value is of now for so long, however often it comes.
const LEAST_AGE_MS: i64 = 30_000;
/// Or for so many times as long as two values lie apart.
const MISSED: i64 = 3;

/// Columns and rows of the grid for so many panels.
pub const fn grid(panels: usize) -> (usize, usize) {
    match panels {
        0 | 1 => (1, 1),
        2 => (2, 1),
        3 | 4 => (2, 2),
        5 | 6 => (3, 2),
        _ => (3, 3),
    }
}

/// The worst threshold that a value has reached; among equally bad ones the highest.
pub fn reached(value: f64, thresholds: &[Threshold]) -> Option<&Threshold> {
    let reached = thresholds.iter().filter(|threshold| value >= threshold.at);
    reached.max_by(|one, other| {
        (one.level as u8, one.at)
            .partial_cmp(&(other.level as u8, other.at))
            .unwrap_or(std::cmp::Ordering::Equal)
    })
}

/// What a value is called, in words: the colour of its frame is not the only sign.
pub fn verdict(value: f64, thresholds: &[Threshold], unit: &str) -> Option<(Level, String)> {
    if thresholds.is_empty() {
        return None;
    }
    Some(match reached(value, thresholds) {
        Some(threshold) => {
            let word = if threshold.level >= Level::Error { "Bad" } else { "Warning" };
            (threshold.level, format!("{word} · from {}", format_value(threshold.at, unit)))
        }
        None => (Level::Info, "Good".to_owned()),
    })
}

/// For how many seconds nothing has come, where that is longer than values usually lie apart; times in unix milliseconds.
pub fn stale_secs(times_ms: &[f64], now_ms: i64) -> Option<i64> {
    let last = *times_ms.last()? as i64;
    let recent = &times_ms[times_ms.len().saturating_sub(8)..];
    // Thinned points lie closer together than they came; the widest of the last gaps does not.
    let apart = recent.windows(2).map(|pair| (pair[1] - pair[0]) as i64).max().unwrap_or_default();
    let age = now_ms - last;
    (age > LEAST_AGE_MS.max(apart * MISSED)).then_some(age / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(at: f64, level: Level) -> Threshold {
        Threshold { at, level }
    }

    #[test]
    fn the_worst_threshold_that_is_reached_is_told_in_words() {
        let thresholds = [threshold(500.0, Level::Error), threshold(100.0, Level::Warn)];
        let check = |value: f64, expected: (Level, &str)| {
            assert_eq!(verdict(value, &thresholds, "ms"), Some((expected.0, expected.1.to_owned())));
        };
        check(99.9, (Level::Info, "Good"));
        check(100.0, (Level::Warn, "Warning · from 100 ms"));
        check(9_000.0, (Level::Error, "Bad · from 500 ms"));
        assert_eq!(verdict(1.0, &[], "ms"), None, "nothing to judge by");
        assert!(reached(f64::NAN, &thresholds).is_none());
    }

    #[test]
    fn a_value_is_stale_once_more_than_one_is_missing() {
        let every = |step: f64| (0..20).map(|number| f64::from(number) * step).collect::<Vec<_>>();
        let check = |step: f64, now_ms: i64, expected: Option<i64>| {
            assert_eq!(stale_secs(&every(step), now_ms), expected, "{step} {now_ms}")
        };
        check(1_000.0, 19_000 + 30_000, None);
        check(1_000.0, 19_000 + 40_500, Some(40));
        check(60_000.0, 19 * 60_000 + 180_000, None);
        check(60_000.0, 19 * 60_000 + 181_000, Some(181));
        check(1_000.0, 0, None);
        assert_eq!(stale_secs(&[], 5), None);
        assert_eq!(stale_secs(&[1_000.0], 32_000), Some(31));
    }
}

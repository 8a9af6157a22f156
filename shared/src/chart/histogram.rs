//! The lines by level as stacked bars: which rectangle has which level.

use super::scale::TimeScale;
use crate::api::Histogram;
use crate::log::Level;
use crate::time::Timestamp;

/// One level's part of a bar, in px.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) level: Level,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// The bars that are seen between `top` and `bottom`, the worst level lowest, and the count of the highest bar.
pub(super) fn bars(histogram: &Histogram, scale: &TimeScale, top: f64, bottom: f64) -> (Vec<Bar>, u64) {
    let columns = columns(histogram, scale);
    let most = columns.iter().map(|column| column.total).max().unwrap_or(0);
    let bars = columns.iter().flat_map(|column| stack(histogram, column, most, top, bottom)).collect();
    (bars, most)
}

/// A bucket with its place.
struct Column {
    bucket: usize,
    left: f64,
    right: f64,
    total: u64,
}

/// The buckets that are seen. Where several share a pixel, the highest stands for them: a spike never vanishes.
fn columns(histogram: &Histogram, scale: &TimeScale) -> Vec<Column> {
    let count = Level::ALL.iter().map(|level| histogram.levels.get(*level).len()).max().unwrap_or(0);
    let step = histogram.step_ms.max(1);
    let x_of = |bucket: usize| {
        let at = histogram.from_ms.saturating_add((bucket as i64).saturating_mul(step));
        scale.x_from_time(Timestamp::from_millis(at))
    };
    let mut columns: Vec<Column> = Vec::new();
    for bucket in 0..count {
        let total = total_of(histogram, bucket);
        let (left, right) = (x_of(bucket).max(scale.left()), x_of(bucket + 1).min(scale.right()));
        if total == 0 || right <= left {
            continue;
        }
        // A pixel between bars that are wide enough to spare it.
        let right = if right - left >= 4.0 { right - 1.0 } else { right.max(left + 1.0) };
        match columns.last_mut().filter(|before| left - before.left < 1.0) {
            Some(before) if before.total >= total => {}
            Some(before) => (before.bucket, before.total) = (bucket, total),
            None => columns.push(Column { bucket, left, right, total }),
        }
    }
    columns
}

fn total_of(histogram: &Histogram, bucket: usize) -> u64 {
    Level::ALL.iter().map(|level| count_of(histogram, *level, bucket)).fold(0, u64::saturating_add)
}

fn count_of(histogram: &Histogram, level: Level, bucket: usize) -> u64 {
    histogram.levels.get(level).get(bucket).copied().unwrap_or(0)
}

/// One bucket's parts. Every level that occurs is at least one pixel high, or a lone error would not be seen under a
/// thousand lines of info.
fn stack(histogram: &Histogram, column: &Column, most: u64, top: f64, bottom: f64) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut base = bottom;
    for level in Level::ALL.into_iter().rev() {
        let count = count_of(histogram, level, column.bucket);
        if count == 0 {
            continue;
        }
        let height = (count as f64 / most as f64 * (bottom - top)).max(1.0);
        let upper = (base - height).max(top);
        bars.push(Bar { level, left: column.left, right: column.right, top: upper, bottom: base });
        base = upper;
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::LevelCounts;
    use crate::time::TimeRange;

    fn bars_of(levels: LevelCounts, step_ms: i64) -> (Vec<Bar>, u64) {
        let range = TimeRange::between(Timestamp::from_millis(0), Timestamp::from_millis(1_000));
        let histogram = Histogram { from_ms: 0, step_ms, total: 0, levels };
        bars(&histogram, &TimeScale::new(range, 0.0, 100.0), 0.0, 40.0)
    }

    #[test]
    fn the_worst_level_is_lowest_and_at_least_a_pixel_high() {
        let levels = LevelCounts { error: vec![1], info: vec![999], ..LevelCounts::default() };
        let (bars, most) = bars_of(levels, 100);
        assert_eq!(most, 1_000);
        assert_eq!(bars[0], Bar { level: Level::Error, left: 0.0, right: 9.0, top: 39.0, bottom: 40.0 });
        assert_eq!((bars[1].level, bars[1].bottom, bars[1].top), (Level::Info, 39.0, 0.0));
    }

    #[test]
    fn of_buckets_that_share_a_pixel_the_highest_is_seen() {
        let mut counts = vec![1; 1_000];
        counts[503] = 50;
        let (bars, most) = bars_of(LevelCounts { warn: counts, ..LevelCounts::default() }, 1);
        assert_eq!(most, 50);
        assert!(bars.len() <= 101, "{} bars on 100 px", bars.len());
        assert_eq!(bars.iter().filter(|bar| bar.top <= 0.0).count(), 1);
    }

    #[test]
    fn what_is_outside_or_empty_has_no_bar() {
        assert_eq!(bars_of(LevelCounts::default(), 100), (Vec::new(), 0));
        let late = LevelCounts { info: [vec![0; 10], vec![7]].concat(), ..LevelCounts::default() };
        assert_eq!(bars_of(late, 100), (Vec::new(), 0));
        assert_eq!(bars_of(LevelCounts { info: vec![3; 3], ..LevelCounts::default() }, 0).1, 3);
    }
}

//! The small chart of a finding, as paths of an SVG whose grid is one unit a step wide and [`HEIGHT`] high.

use sonde_shared::why::Course;

/// The height of the grid; the lowest value lies on it, the highest at 0.
pub const HEIGHT: i32 = 100;

/// What of the grid a range takes: its start and its width, in percent.
pub fn span_percent(course: &Course, range_ms: [i64; 2]) -> (i64, i64) {
    let length = (course.step_ms * course.values.len() as i64).max(1);
    let place = |at_ms: i64| ((at_ms - course.from_ms) * 100 / length).clamp(0, 100);
    let (from, until) = (place(range_ms[0]), place(range_ms[1]));
    (from, (until - from).max(1))
}

/// The values as a line, broken where there are none; a value between two gaps is a short stroke.
pub fn line(course: &Course) -> String {
    let heights = heights(course, false);
    let mut path = String::new();
    let mut is_down = false;
    for (at, height) in heights.iter().enumerate() {
        if let Some(height) = height {
            push(&mut path, if is_down { 'L' } else { 'M' }, at, *height);
            if !is_down && heights.get(at + 1).copied().flatten().is_none() {
                path.push_str("h1");
            }
        }
        is_down = height.is_some();
    }
    path
}

/// The values as bars on zero.
pub fn bars(course: &Course) -> String {
    let mut path = String::new();
    for (at, height) in heights(course, true).into_iter().enumerate() {
        if let Some(height) = height.filter(|height| *height < HEIGHT) {
            push(&mut path, 'M', at, HEIGHT);
            path.push('V');
            path.push_str(&height.to_string());
            path.push_str("h1V100");
        }
    }
    path
}

fn push(path: &mut String, letter: char, x: usize, y: i32) {
    path.push(letter);
    path.push_str(&x.to_string());
    path.push(' ');
    path.push_str(&y.to_string());
}

/// Where each value lies between the lowest (or zero) and the highest; on half the height where all are the same.
fn heights(course: &Course, on_zero: bool) -> Vec<Option<i32>> {
    let finite = || course.values.iter().flatten().copied().filter(|value| value.is_finite());
    let lowest = if on_zero { 0.0 } else { finite().fold(f64::INFINITY, f64::min) };
    let highest = finite().fold(f64::NEG_INFINITY, f64::max);
    let spread = highest - lowest;
    let height = |value: f64| {
        let all_same = if on_zero { 0.0 } else { 0.5 };
        let share = if spread > 0.0 { (value - lowest) / spread } else { all_same };
        HEIGHT - (share * f64::from(HEIGHT)).round() as i32
    };
    course.values.iter().map(|value| value.filter(|value| value.is_finite()).map(height)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(values: &[Option<f64>]) -> Course {
        Course { from_ms: 1_000, step_ms: 100, values: values.to_vec() }
    }

    #[test]
    fn a_line_reaches_from_the_lowest_to_the_highest_value() {
        let check = |values: &[Option<f64>], expected: &str| assert_eq!(line(&course(values)), expected);
        check(&[Some(1.0), Some(3.0), Some(2.0)], "M0 100L1 0L2 50");
        check(&[Some(1.0), None, Some(3.0), None], "M0 100h1M2 0h1");
        check(&[Some(5.0), Some(5.0)], "M0 50L1 50");
        check(&[None, Some(f64::NAN), Some(f64::INFINITY)], "");
        check(&[], "");
    }

    #[test]
    fn bars_stand_on_zero() {
        let check = |values: &[Option<f64>], expected: &str| assert_eq!(bars(&course(values)), expected);
        check(&[Some(0.0), Some(4.0), Some(1.0)], "M1 100V0h1V100M2 100V75h1V100");
        check(&[Some(0.0), None], "");
    }

    #[test]
    fn a_range_is_a_part_of_the_course() {
        let ten = course(&[None; 10]);
        assert_eq!(span_percent(&ten, [1_500, 1_700]), (50, 20));
        assert_eq!(span_percent(&ten, [0, 9_000]), (0, 100));
        assert_eq!(span_percent(&ten, [1_900, 1_901]), (90, 1));
        assert_eq!(span_percent(&course(&[]), [0, 1]), (0, 1));
    }
}

//! Where lines begin to come slower, and where they come again after a silence, told from counts of equal steps.

/// A slow-down has fewer than this share of the lines of the steps before it …
const SLOWER: f64 = 0.5;
/// … which are so many steps, …
const STEPS_BEFORE: usize = 5;
/// … with so many lines each, on average: fewer vary by chance.
const LEAST_LINES: f64 = 4.0;

/// The first step with lines behind each run of steps without.
pub fn ends_of_silence(counts: &[u64]) -> Vec<usize> {
    let is_end =
        |at: &usize| counts[*at] > 0 && counts[at - 1] == 0 && counts[..*at].iter().any(|lines| *lines > 0);
    (1..counts.len()).filter(is_end).collect()
}

/// The first step of each stretch in which lines come slower than before.
pub fn slow_downs(counts: &[u64]) -> Vec<usize> {
    let is_slow = |at: usize| {
        let before = &counts[at - STEPS_BEFORE..at];
        let mean = before.iter().sum::<u64>() as f64 / STEPS_BEFORE as f64;
        mean >= LEAST_LINES && (counts[at] as f64) < mean * SLOWER
    };
    let mut found = Vec::new();
    let mut was_slow = false;
    for at in STEPS_BEFORE..counts.len() {
        let slow = is_slow(at);
        if slow && !was_slow {
            found.push(at);
        }
        was_slow = slow;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_ends_where_lines_come_again() {
        let check =
            |counts: &[u64], expected: &[usize]| assert_eq!(ends_of_silence(counts), expected, "{counts:?}");
        check(&[1, 0, 0, 2, 1, 0, 3], &[3, 6]);
        check(&[0, 0, 2, 1, 0], &[]);
        check(&[1, 1], &[]);
        check(&[], &[]);
    }

    #[test]
    fn a_slow_down_begins_where_lines_are_half_as_many_as_before() {
        let check =
            |counts: &[u64], expected: &[usize]| assert_eq!(slow_downs(counts), expected, "{counts:?}");
        check(&[10, 10, 10, 10, 10, 4, 3, 10, 10, 10, 10, 10, 0], &[5, 12]);
        check(&[10, 10, 10, 10, 10, 6, 7, 10], &[]);
        check(&[3, 3, 3, 3, 3, 0, 0], &[]);
        check(&[9, 9], &[]);
    }
}

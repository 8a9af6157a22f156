//! How many of what looks like a discovery may be false.

/// Which of these p-values are discoveries, out of `tests`, when a part `rate` of discoveries may be false: Benjamini and
/// Hochberg's procedure (1995). Where nothing is going on at all, `rate` is how often anything is found.
pub(super) fn discoveries(p: &[f64], tests: usize, rate: f64) -> Vec<bool> {
    let adjusted = adjusted(p, tests);
    adjusted.into_iter().map(|p| p <= rate).collect()
}

/// Places of p-values, the least first, equal ones as they come.
pub(super) fn by_chance(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    order
}

/// p-values as the part of discoveries that would be false if all up to this one were made.
fn adjusted(p: &[f64], tests: usize) -> Vec<f64> {
    let order = by_chance(p);
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, item) in order.into_iter().enumerate().rev() {
        least = least.min(p[item] * tests.max(p.len()) as f64 / (rank + 1) as f64);
        adjusted[item] = least;
    }
    adjusted
}

/// One p-value for several things that moved together: Simes's (1986), which holds also where they hang together.
pub(super) fn joined(mut p: Vec<f64>) -> f64 {
    p.sort_by(f64::total_cmp);
    let count = p.len() as f64;
    p.iter().enumerate().map(|(rank, p)| p * count / (rank + 1) as f64).fold(1.0, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusted_p_values_are_scipys() {
        for case in super::super::golden::cases("bh") {
            let p: Vec<f64> = case.doubles("p");
            for (found, expected) in adjusted(&p, p.len()).iter().zip(case.doubles("adjusted")) {
                assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            }
        }
    }

    #[test]
    fn a_discovery_has_to_stand_out_among_all_tests() {
        assert_eq!(discoveries(&[1e-6, 0.01], 10, 0.05), [true, true]);
        assert_eq!(discoveries(&[1e-6, 0.01], 1_000, 0.05), [true, false]);
        assert!(discoveries(&[], 1_000, 0.05).is_empty());
    }

    #[test]
    fn a_group_counts_as_much_as_its_members_together() {
        assert!((joined(vec![0.01]) - 0.01).abs() < 1e-12);
        assert!((joined(vec![0.01, 0.01]) - 0.01).abs() < 1e-12);
        assert!((joined(vec![0.9, 0.001]) - 0.002).abs() < 1e-12);
    }
}

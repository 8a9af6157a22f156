//! One number for findings of all kinds, by which they are ranked.
//!
//! Each part of it lies between 0 and 1, and the score is their weighted sum. A sum of logarithms is a product of sizes, so
//! what is large in several respects comes before what is huge in one; `docs/why.md` says why these parts and how the
//! weights were found.

use super::candidate::{Candidate, MOST_CHANGE};

/// Surprise counts up to a chance of one in ten to this.
const MOST_DIGITS: f64 = 6.0;

/// How much each part counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// By which part of itself it changed.
    pub relative: f64,
    /// By how many times its noise.
    pub noise: f64,
    /// How seldom the like of it comes by chance.
    pub surprise: f64,
    /// In how much of the selection it is different.
    pub specific: f64,
    /// How near it is to what was selected.
    pub close: f64,
    /// Whether it moved before others.
    pub early: f64,
    /// How many moved together with it.
    pub company: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            relative: 1.0,
            noise: 1.0,
            surprise: 1.0,
            specific: 0.25,
            close: 0.25,
            early: 0.25,
            company: 0.1,
        }
    }
}

/// The score without what depends on others.
pub(super) fn alone(candidate: &Candidate, closeness: f64, weights: &Weights) -> f64 {
    let logarithm = |size: f64| (1.0 + size.clamp(0.0, MOST_CHANGE)).ln() / (1.0 + MOST_CHANGE).ln();
    let surprise = (-candidate.p.max(1e-300).log10()).clamp(0.0, MOST_DIGITS) / MOST_DIGITS;
    weights.relative * logarithm(candidate.relative)
        + weights.noise * logarithm(candidate.noise)
        + weights.surprise * surprise
        + weights.specific * candidate.specific.clamp(0.0, 1.0)
        + weights.close * closeness
}

/// What is added for moving first and for company. `rank` is 0 for the first mover, 1 for the last.
pub(super) fn among_others(rank: Option<f64>, members: usize, weights: &Weights) -> f64 {
    let early = rank.map_or(0.0, |rank| 1.0 - rank);
    let company = ((1.0 + members as f64).ln() / 20_f64.ln()).min(1.0);
    weights.early * early + weights.company * company
}

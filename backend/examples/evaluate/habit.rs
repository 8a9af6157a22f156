//! What series do when all is well.

use crate::draw::Draw;

/// How a series behaves when all is well.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Habit {
    /// Noise around a level that itself wanders.
    Wandering {
        level: f64,
        noise: f64,
        memory: f64,
    },
    /// Counts.
    Counted(f64),
    /// Mostly 0.
    Rare(f64),
    /// Now and then far up.
    Spiky {
        level: f64,
        noise: f64,
        often: f64,
    },
    /// Rises and falls back.
    Sawtooth {
        level: f64,
        rise: f64,
        period: f64,
    },
    /// A walk without a level.
    Walk {
        level: f64,
        step: f64,
    },
    /// Stays on a level with hardly any noise until it takes another: what a cache or a heap holds.
    Steps {
        level: f64,
        often: f64,
    },
    Constant(f64),
}

impl Habit {
    /// The next value, at a bucket, under a load; `state` is what it remembers.
    pub(crate) fn next(self, at: f64, load: f64, state: &mut f64, draw: &mut Draw) -> f64 {
        match self {
            Self::Wandering { level, noise, memory } => {
                *state = memory * *state + (1.0 - memory * memory).sqrt() * draw.normal();
                (level * load * (1.0 + noise * *state)).max(0.0)
            }
            Self::Counted(level) => f64::from(draw.poisson(level * load)),
            Self::Rare(rate) => f64::from(draw.poisson(rate)),
            Self::Spiky { level, noise, often } => {
                let spike = if draw.chance(often) { level * draw.log_between(1.0, 20.0) } else { 0.0 };
                level * (1.0 + noise * draw.normal()) + spike
            }
            Self::Sawtooth { level, rise, period } => {
                level * (1.0 + rise * (at / period).fract() + 0.005 * draw.normal())
            }
            Self::Walk { level, step } => {
                *state += step * draw.normal();
                level * (1.0 + *state)
            }
            Self::Steps { level, often } => {
                if draw.chance(often) {
                    *state = draw.between(-0.3, 0.3);
                }
                level * (1.0 + *state + 0.002 * draw.normal())
            }
            Self::Constant(level) => level,
        }
    }
}

//! Noise that is a function of where it is asked for, not of what was asked before.
//!
//! A stream of noise is a number made from the seed and a name; a slot of it (a second, a step of ten seconds) starts
//! a short sequence of its own. So any range can be made on its own and still equals the same range cut from a longer
//! one. Only additions, multiplications, divisions and square roots are used: IEEE 754 fixes their last bit, so the numbers are the same
//! on every machine, which `exp` or `cos` of the system's library would not promise.

/// One stream: what a seed makes of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise(u64);

impl Noise {
    /// The stream of a name.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        Self(name.bytes().fold(mix(seed), |state, byte| mix(state ^ u64::from(byte))))
    }

    /// The numbers of a slot.
    pub(super) fn at(self, slot: i64) -> Draw {
        Draw(mix(self.0 ^ mix(slot as u64)))
    }

    /// The numbers of the `index`-th thing in a slot.
    pub(super) fn nth(self, slot: i64, index: u32) -> Draw {
        Draw(mix(self.at(slot).0 ^ mix(u64::from(index) + 1)))
    }

    /// A smooth walk between -1 and 1 that takes a new direction each `period_secs`.
    pub(super) fn wander(self, secs: f64, period_secs: f64) -> f64 {
        let place = secs / period_secs;
        let slot = place.floor();
        let part = place - slot;
        let ease = part * part * (3.0 - 2.0 * part);
        let (a, b) = (self.at(slot as i64).unit(), self.at(slot as i64 + 1).unit());
        2.0 * (a + (b - a) * ease) - 1.0
    }
}

/// A short sequence of numbers (splitmix64).
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    /// Any number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// From 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal with mean 0 and deviation 1: the sum of four uniform numbers, so never beyond ±3.5.
    pub(super) fn normal(&mut self) -> f64 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 1.732_050_807_568_877_2
    }

    /// A factor with mean about 1 and a tail up to 5, as durations have.
    pub(super) fn tail(&mut self) -> f64 {
        let rare = self.unit();
        0.55 + 0.4 * self.unit() + 0.08 * rare / (1.02 - rare)
    }

    /// A whole number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// How often something happens that happens `mean` times on average.
    pub(super) fn count(&mut self, mean: f64) -> u32 {
        if mean > 16.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u32;
        }
        binomial(self.unit(), mean.max(0.0))
    }
}

/// The count at this quantile among 1024 tries that succeed `mean` times on average: as good as Poisson's, without `exp`.
fn binomial(quantile: f64, mean: f64) -> u32 {
    const TRIES: f64 = 1_024.0;
    let success = mean / TRIES;
    let mut probability = (0..10).fold(1.0 - success, |power, _| power * power);
    let mut reached = probability;
    let mut count = 0_u32;
    while quantile > reached && count < 1_024 {
        let done = f64::from(count);
        probability *= (TRIES - done) / (done + 1.0) * success / (1.0 - success);
        reached += probability;
        count += 1;
    }
    count
}

/// The finalizer of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(number: impl Fn(Draw) -> f64) -> f64 {
        let noise = Noise::new(7, "mean");
        (0..20_000).map(|slot| number(noise.at(slot))).sum::<f64>() / 20_000.0
    }

    #[test]
    fn a_slot_gives_the_same_numbers_whenever_it_is_asked() {
        let noise = Noise::new(7, "a");
        assert_eq!(noise.at(42).next(), noise.at(42).next());
        assert_ne!(noise.at(42).next(), noise.at(43).next());
        assert_ne!(noise.at(42).next(), Noise::new(8, "a").at(42).next());
        assert_ne!(noise.at(42).next(), Noise::new(7, "b").at(42).next());
        assert_ne!(noise.nth(42, 0).next(), noise.nth(42, 1).next());
    }

    #[test]
    fn the_means_are_what_they_say() {
        let near = |mean: f64, expected: f64| {
            assert!((mean - expected).abs() < 0.05 * expected.max(1.0), "{mean} is not near {expected}");
        };
        near(mean_of(|mut draw| draw.unit()), 0.5);
        near(mean_of(|mut draw| draw.normal()), 0.0);
        near(mean_of(|mut draw| draw.tail()), 1.0);
        for rate in [0.01, 0.9, 5.0, 15.9, 200.0] {
            near(mean_of(|mut draw| f64::from(draw.count(rate))), rate);
        }
    }

    #[test]
    fn a_walk_is_smooth_and_stays_in_bounds() {
        let noise = Noise::new(7, "walk");
        let at = |secs: i64| noise.wander(secs as f64, 60.0);
        for secs in -1_000..1_000 {
            assert!(at(secs).abs() <= 1.0);
            assert!((at(secs) - at(secs + 1)).abs() < 0.06, "a step at {secs}");
        }
    }
}

//! The id of a pattern: a hash of the mask's version and the template. Written here and not taken from a library,
//! because it lies in files and must be the same for ever, on every machine.

use std::fmt;

/// The version of the masking rules. It is part of every id and goes up when a rule changes, so that ids of before and
/// after cannot be taken for each other.
pub const MASK_VERSION: u8 = 1;

/// Which pattern a message has: the same on every day and machine. Shown and read as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternId(pub u64);

impl fmt::Display for PatternId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The id of a template.
#[must_use]
pub fn pattern_id(template: &[u8]) -> PatternId {
    PatternId(hash(u64::from(MASK_VERSION), template))
}

/// Digits of the golden ratio and of pi: odd, with no order in their bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const PI: u64 = 0x2437_54a7_b8c1_9d3b;

/// Eight bytes a step, each a multiplication to 128 bits whose halves are folded together.
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = fold(seed ^ PI, GOLDEN);
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), GOLDEN);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    state = fold(state ^ u64::from_le_bytes(last), PI);
    fold(state ^ bytes.len() as u64, GOLDEN)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_of_short_and_similar_templates_differ() {
        let mut seen = HashSet::new();
        for length in 0..40 {
            for byte in 0..=255 {
                let mut template = vec![0; length];
                if let Some(last) = template.last_mut() {
                    *last = byte;
                } else if byte > 0 {
                    continue;
                }
                assert!(seen.insert(pattern_id(&template)), "{length} bytes, the last is {byte}");
            }
        }
    }

    #[test]
    fn an_id_is_shown_as_sixteen_digits() {
        assert_eq!(PatternId(0xab).to_string(), "00000000000000ab");
    }
}

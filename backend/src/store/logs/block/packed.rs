//! A column of whole numbers in as many bits as their spread needs, read in place.

use std::ops::Range;

/// Bytes of a column's head: base (8), unit (4), width (1).
const HEAD_BYTES: usize = 13;
/// Behind the bits, so that the last number too is read with one load of eight bytes.
const PADDING: usize = 8;
/// Eight bytes that start at a number's first byte hold at least so many of its bits.
const MAX_WIDTH: u32 = 57;
/// Who reads whole columns reads so many of their numbers into arrays at a time.
pub(super) const READ_AT_ONCE: usize = 64;

/// A number of the column is `base + unit * bits`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packed<'a> {
    base: i64,
    unit: i64,
    width: usize,
    mask: u64,
    bits: &'a [u8],
}

impl<'a> Packed<'a> {
    /// Lays the view over a column of `rows` numbers, and gives back the bytes behind it; `None` where there is no such
    /// column.
    pub(super) fn split(bytes: &'a [u8], rows: usize) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let base = i64::from_le_bytes(*head.first_chunk()?);
        let unit = i64::from(u32::from_le_bytes([head[8], head[9], head[10], head[11]]));
        let width = usize::from(head[12]);
        if width > MAX_WIDTH as usize {
            return None;
        }
        let (bits, rest) = rest.split_at_checked(bit_bytes(rows, width))?;
        Some((Self { base, unit, width, mask: (1 << width) - 1, bits }, rest))
    }

    /// A number. The row is one of the column's.
    #[inline]
    pub(super) fn get(&self, row: usize) -> i64 {
        self.number(self.load(row * self.width))
    }

    /// Reads neighbouring numbers, from a row on. All are the column's. As many are read as one load of eight bytes holds.
    #[inline]
    pub(super) fn read(&self, start: usize, numbers: &mut [i64]) {
        if self.width == 0 {
            numbers.fill(self.base);
            return;
        }
        let mut row = start;
        let mut rest = numbers;
        while !rest.is_empty() {
            let at = row * self.width;
            let mut bits = self.load(at);
            let (now, later) = rest.split_at_mut(rest.len().min((64 - at % 8) / self.width));
            row += now.len();
            for number in now {
                *number = self.number(bits);
                bits >>= self.width;
            }
            rest = later;
        }
    }

    /// The first of some rows whose number is wanted. As many are looked at as one load of eight bytes holds.
    #[inline]
    pub(super) fn find(&self, rows: Range<usize>, wanted: impl Fn(i64) -> bool) -> Option<usize> {
        if self.width == 0 {
            return (!rows.is_empty() && wanted(self.base)).then_some(rows.start);
        }
        let mut row = rows.start;
        while row < rows.end {
            let at = row * self.width;
            let mut bits = self.load(at);
            let behind = rows.end.min(row + (64 - at % 8) / self.width);
            while row < behind {
                if wanted(self.number(bits)) {
                    return Some(row);
                }
                bits >>= self.width;
                row += 1;
            }
        }
        None
    }

    /// The bits from a place on: at least those of one number.
    #[inline]
    fn load(&self, at: usize) -> u64 {
        let word = self.bits[at / 8..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        word >> (at % 8)
    }

    /// The number whose bits are the lowest ones.
    #[inline]
    fn number(&self, bits: u64) -> i64 {
        self.base.wrapping_add(self.unit.wrapping_mul((bits & self.mask) as i64))
    }
}

/// Bytes of a column's bits with what lies behind them.
fn bit_bytes(rows: usize, width: usize) -> usize {
    (rows * width).div_ceil(8) + PADDING
}

/// Whether numbers lie near enough to one another for a column.
pub(super) fn fits(numbers: &(impl Iterator<Item = i64> + Clone), units: &[u32]) -> bool {
    u64::BITS - layout(numbers, units).2.leading_zeros() <= MAX_WIDTH
}

/// The least number, the unit and the most units that one lies from the least.
fn layout(numbers: &(impl Iterator<Item = i64> + Clone), units: &[u32]) -> (i64, u32, u64) {
    let base = numbers.clone().min().unwrap_or(0);
    let spread = || numbers.clone().map(|number| number.wrapping_sub(base) as u64);
    let divides = |unit: &&u32| spread().all(|number| number.is_multiple_of(u64::from(**unit)));
    let unit = units.iter().find(divides).copied().unwrap_or(1);
    (base, unit, spread().max().unwrap_or(0) / u64::from(unit))
}

/// Appends a column. Its numbers lie at most 2^57 units apart; `units` are tried in order, each times that all of
/// them may be whole multiples of.
///
/// # Panics
/// When the numbers lie further apart.
pub(super) fn pack(numbers: &(impl Iterator<Item = i64> + Clone), units: &[u32], out: &mut Vec<u8>) {
    let (base, unit, widest) = layout(numbers, units);
    let width = u64::BITS - widest.leading_zeros();
    assert!(width <= MAX_WIDTH, "the numbers of a block lie close together");
    out.extend_from_slice(&base.to_le_bytes());
    out.extend_from_slice(&unit.to_le_bytes());
    out.push(width as u8);
    let (mut word, mut filled) = (0_u64, 0);
    for number in numbers.clone() {
        let bits = number.wrapping_sub(base) as u64 / u64::from(unit);
        word |= bits << filled;
        filled += width;
        while filled >= 8 {
            out.push(word as u8);
            word >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(word as u8);
    }
    out.extend_from_slice(&[0; PADDING]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(base in any::<i32>(), spread in 0_u32..57, raw in prop::collection::vec(any::<u64>(), 1..300), unit in prop::sample::select(vec![1_i64, 1_000, 1_000_000])) {
            let mask = (1_u64 << spread) - 1;
            let numbers: Vec<i64> = raw.iter().map(|raw| i64::from(base) + unit * ((raw & mask) as i64 / unit)).collect();
            let mut bytes = Vec::new();
            pack(&numbers.iter().copied(), &[1_000_000, 1_000], &mut bytes);
            bytes.push(9);
            let (packed, rest) = Packed::split(&bytes, numbers.len()).unwrap();
            prop_assert!(Packed::split(&bytes[..bytes.len() - 2], numbers.len()).is_none());
            prop_assert_eq!(rest, &[9]);
            let read: Vec<i64> = (0..numbers.len()).map(|row| packed.get(row)).collect();
            for wanted in [numbers[0], numbers[numbers.len() / 2], i64::MIN] {
                for start in [0, numbers.len() / 3, numbers.len()] {
                    let expected = (start..numbers.len()).find(|row| numbers[*row] == wanted);
                    prop_assert_eq!(packed.find(start..numbers.len(), |number| number == wanted), expected);
                }
            }
            for start in [0, numbers.len() / 3, numbers.len()] {
                let mut many = vec![0; numbers.len() - start];
                packed.read(start, &mut many);
                prop_assert_eq!(&many, &numbers[start..]);
            }
            prop_assert_eq!(read, numbers);
        }
    }

    #[test]
    fn equal_numbers_take_no_bits_and_milliseconds_no_nanoseconds() {
        let len = |numbers: &[i64]| {
            let mut bytes = Vec::new();
            pack(&numbers.iter().copied(), &[1_000_000], &mut bytes);
            bytes.len() - HEAD_BYTES - PADDING
        };
        assert_eq!(len(&[7; 1_000]), 0);
        assert_eq!(len(&[5, 5 + 255_000_000]), 2);
    }
}

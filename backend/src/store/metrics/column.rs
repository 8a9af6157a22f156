//! A column of a part: whole numbers or values, compressed in pages that can be read one by one.
//!
//! Values that are decimals of a few digits, as nearly all that are sent, become whole numbers first; pco takes these, or
//! their differences, whichever are smaller. What is no such decimal goes to pco as it is. Every value comes back bit by bit.
//!
//! A column starts with its kind. A constant one is one number. A short one, for which pco would take longer than it is worth,
//! is the least number, the bytes of a difference to it, and these. Else the length of the head (u16) and of each page (u16)
//! follow, then the head, which is that of pco's wrapped format with the metadata of one chunk, then the pages. All is
//! little-endian; how many numbers there are is told by who keeps the column.

use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};
use std::ops::Range;

/// Numbers of a page; only the last one of a column has fewer.
pub(super) const PAGE: usize = 512;
/// Higher levels take longer and save less than a hundredth.
const LEVEL: usize = 4;
/// The most digits behind the point of a value that is kept as a whole number.
const MAX_DIGITS: u8 = 9;
/// Whole numbers up to here are exact as values.
const MAX_WHOLE: f64 = (1_u64 << 53) as f64;

const CONSTANT: u8 = 0;
const PAGES: u8 = 1;
const SHORT: u8 = 2;
/// A short column has at most so many whole numbers.
const MAX_SHORT: usize = 128;
/// Values as pco sees them; decimals have their number of digits instead.
const FLOATS: u8 = 0xff;

/// Appends a column of whole numbers.
pub(super) fn encode_whole(numbers: &[i64], out: &mut Vec<u8>) {
    match numbers {
        [first, rest @ ..] if rest.iter().all(|number| number == first) => {
            out.push(CONSTANT);
            out.extend_from_slice(&first.to_le_bytes());
        }
        _ if numbers.len() <= MAX_SHORT => encode_short(numbers, out),
        _ => encode_pages(numbers, delta_order(numbers), out),
    }
}

/// Adds the numbers of some rows of a column that has `count`; `None` when it is damaged.
pub(super) fn decode_whole(
    column: &[u8],
    count: usize,
    rows: Range<usize>,
    out: &mut Vec<i64>,
) -> Option<()> {
    match column.split_first()? {
        (&CONSTANT, constant) => {
            let number = i64::from_le_bytes(constant.get(..8)?.try_into().ok()?);
            out.resize(out.len() + rows.len(), number);
            Some(())
        }
        (&PAGES, pages) => decode_pages(pages, count, rows, out),
        (&SHORT, short) => decode_short(short, count, rows, out),
        _ => None,
    }
}

fn encode_short(numbers: &[i64], out: &mut Vec<u8>) {
    let least = numbers.iter().copied().min().unwrap_or(0);
    let above = |number: &i64| number.wrapping_sub(least) as u64;
    let greatest = numbers.iter().map(above).max().unwrap_or(0);
    let width = 8 - greatest.leading_zeros() as usize / 8;
    out.push(SHORT);
    out.extend_from_slice(&least.to_le_bytes());
    out.push(width as u8);
    for number in numbers {
        out.extend_from_slice(&above(number).to_le_bytes()[..width]);
    }
}

fn decode_short(mut bytes: &[u8], count: usize, rows: Range<usize>, out: &mut Vec<i64>) -> Option<()> {
    let least = i64::from_le_bytes(bytes.split_off(..8)?.try_into().ok()?);
    let width = usize::from(*bytes.split_off_first()?);
    if width == 0 || width > 8 || bytes.len() != count.checked_mul(width)? {
        return None;
    }
    let numbers = bytes.get(rows.start * width..rows.end * width)?.chunks_exact(width).map(|bytes| {
        let mut above = [0; 8];
        above[..width].copy_from_slice(bytes);
        least.wrapping_add(u64::from_le_bytes(above) as i64)
    });
    out.extend(numbers);
    Some(())
}

/// Appends a column of values.
pub(super) fn encode_values(values: &[f64], out: &mut Vec<u8>) {
    encode_with(values, as_decimals(values).as_ref(), out);
}

/// The same of values that were looked at before: `decimals` is what they are as such, if they are.
pub(super) fn encode_with(values: &[f64], decimals: Option<&Decimals>, out: &mut Vec<u8>) {
    if let Some(Decimals { digits, numbers }) = decimals {
        out.push(*digits);
        return encode_whole(numbers, out);
    }
    out.push(FLOATS);
    match values {
        [first, rest @ ..] if rest.iter().all(|value| value.to_bits() == first.to_bits()) => {
            out.push(CONSTANT);
            out.extend_from_slice(&first.to_le_bytes());
        }
        _ => encode_pages(values, DeltaSpec::Auto, out),
    }
}

/// Adds the values of some rows of a column that has `count`; `None` when it is damaged.
pub(super) fn decode_values(
    column: &[u8],
    count: usize,
    rows: Range<usize>,
    out: &mut Vec<f64>,
) -> Option<()> {
    let (digits, column) = column.split_first()?;
    if *digits == FLOATS {
        return match column.split_first()? {
            (&CONSTANT, constant) => {
                let value = f64::from_le_bytes(constant.get(..8)?.try_into().ok()?);
                out.resize(out.len() + rows.len(), value);
                Some(())
            }
            (&PAGES, pages) => decode_pages(pages, count, rows, out),
            _ => None,
        };
    }
    let parts = parts_of(*digits)?;
    let mut numbers = Vec::with_capacity(rows.len());
    decode_whole(column, count, rows, &mut numbers)?;
    out.extend(numbers.into_iter().map(|number| number as f64 / parts));
    Some(())
}

/// Ten to the power of a number of digits.
fn parts_of(digits: u8) -> Option<f64> {
    (digits <= MAX_DIGITS).then(|| 10_f64.powi(i32::from(digits)))
}

/// Values as whole numbers of their last digit.
pub(super) struct Decimals {
    digits: u8,
    numbers: Vec<i64>,
}

impl Decimals {
    /// The sum of some of them.
    pub(super) fn sum(&self, rows: Range<usize>) -> f64 {
        self.numbers[rows].iter().sum::<i64>() as f64 / 10_f64.powi(i32::from(self.digits))
    }
}

/// The values as whole numbers of the last digit that any of them has, where each comes back from that bit by bit.
pub(super) fn as_decimals(values: &[f64]) -> Option<Decimals> {
    let mut digits = 0;
    let is_exact = |value: f64, digits: u8| {
        let parts = 10_f64.powi(i32::from(digits));
        let whole = (value * parts).round();
        // Through a whole number, which has no negative zero.
        whole.abs() < MAX_WHOLE && (whole as i64 as f64 / parts).to_bits() == value.to_bits()
    };
    for value in values {
        while !is_exact(*value, digits) {
            digits += 1;
            if digits > MAX_DIGITS {
                return None;
            }
        }
    }
    // A value with few digits may not come back from more of them.
    let parts = parts_of(digits)?;
    let all_exact = values.iter().all(|value| is_exact(*value, digits));
    let numbers = || values.iter().map(|value| (value * parts).round() as i64).collect();
    all_exact.then(|| Decimals { digits, numbers: numbers() })
}

/// Whether the numbers, their differences or the differences of these are the smallest, in bits each on average.
fn delta_order(numbers: &[i64]) -> DeltaSpec {
    let bits = |number: i64| u64::from(64 - number.unsigned_abs().leading_zeros());
    let middle =
        numbers.iter().map(|number| i128::from(*number)).sum::<i128>() / numbers.len().max(1) as i128;
    let (mut sums, mut last, mut last_step) = ([0_u64; 3], numbers.first().copied().unwrap_or(0), 0_i64);
    for number in numbers {
        let step = number.wrapping_sub(last);
        sums[0] += bits(number.wrapping_sub(middle as i64));
        sums[1] += bits(step);
        sums[2] += bits(step.wrapping_sub(last_step));
        (last, last_step) = (*number, step);
    }
    // Differences spread a little more than their bits say.
    match sums {
        [whole, first, second] if whole <= first && whole <= second => DeltaSpec::None,
        [_, first, second] if first <= second => DeltaSpec::TryConsecutive(1),
        _ => DeltaSpec::TryConsecutive(2),
    }
}

fn encode_pages<T: Number>(numbers: &[T], delta: DeltaSpec, out: &mut Vec<u8>) {
    let mode = if delta == DeltaSpec::Auto { ModeSpec::Auto } else { ModeSpec::Classic };
    let pages = numbers.chunks(PAGE).map(<[T]>::len).collect();
    let config = ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_mode_spec(mode)
        .with_delta_spec(delta)
        .with_paging_spec(PagingSpec::Exact(pages));
    let file = FileCompressor::default();
    let chunk = file.chunk_compressor(numbers, &config).expect("the pages are those of the numbers");
    let write = "a vector takes every write";
    let mut head = file.write_header(Vec::new()).expect(write);
    head = chunk.write_chunk_meta(head).expect(write);
    out.push(PAGES);
    let lengths_at = out.len();
    out.extend_from_slice(&length(head.len()));
    out.resize(out.len() + 2 * chunk.n_per_page().len(), 0);
    out.append(&mut head);
    for page in 0..chunk.n_per_page().len() {
        let start = out.len();
        *out = chunk.write_page(page, std::mem::take(out)).expect(write);
        let at = lengths_at + 2 + 2 * page;
        let page_len = length(out.len() - start);
        out[at..at + 2].copy_from_slice(&page_len);
    }
}

/// A head has at most a few kilobytes at this level, a page little more than its numbers.
fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).expect("heads and pages are short").to_le_bytes()
}

fn decode_pages<T: Number>(bytes: &[u8], count: usize, rows: Range<usize>, out: &mut Vec<T>) -> Option<()> {
    if rows.is_empty() {
        return Some(());
    }
    let page_count = count.div_ceil(PAGE);
    let lengths = bytes.get(..2 + 2 * page_count)?.as_chunks::<2>().0;
    let length = |at: usize| usize::from(u16::from_le_bytes(lengths[at]));
    let body = &bytes[2 + 2 * page_count..];
    let (file, rest) = FileDecompressor::new(body.get(..length(0))?).ok()?;
    let (chunk, _) = file.chunk_decompressor::<T, _>(rest).ok()?;
    let (first, last) = (rows.start / PAGE, (rows.end - 1) / PAGE);
    let mut start = length(0) + (0..first).map(|page| length(1 + page)).sum::<usize>();
    let begin = out.len();
    for page in first..=last {
        let page_rows = PAGE.min(count.checked_sub(page * PAGE)?);
        let bytes = body.get(start..start + length(1 + page))?;
        let at = out.len();
        out.resize(at + page_rows, T::default());
        let mut reader = chunk.page_decompressor(bytes, page_rows).ok()?;
        let progress = reader.decompress(&mut out[at..]).ok()?;
        if progress.n_processed != page_rows {
            return None;
        }
        start += bytes.len();
    }
    out.truncate(begin + rows.end - first * PAGE);
    out.drain(begin..begin + rows.start - first * PAGE);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Encodes, decodes all and some rows, and returns the bytes of the column.
    #[track_caller]
    fn check(values: &[f64]) -> usize {
        let mut column = Vec::new();
        encode_values(values, &mut column);
        let mut back = Vec::new();
        decode_values(&column, values.len(), 0..values.len(), &mut back).unwrap();
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(values));
        let (low, high) = (values.len() / 3, values.len() - values.len() / 5);
        let mut part = vec![7.0];
        decode_values(&column, values.len(), low..high, &mut part).unwrap();
        assert_eq!(bits(&part[1..]), bits(&values[low..high]), "rows behind what was there");
        column.len()
    }

    #[test]
    fn decimals_take_about_a_byte_and_constants_nothing() {
        let walk = |count: usize, parts: f64| {
            let steps = (0..count).map(|at| ((at * 7_919) % 101) as f64 - 50.0);
            steps
                .scan(5_000.0, |sum: &mut f64, step| {
                    *sum += step;
                    Some(sum.round() / parts)
                })
                .collect::<Vec<f64>>()
        };
        assert!(check(&walk(8_640, 10.0)) < 8_640 * 11 / 10);
        assert!(check(&walk(8_640, 100.0)) < 8_640 * 11 / 10);
        assert_eq!(check(&vec![0.1; 8_640]), 10);
        assert_eq!(check(&vec![f64::INFINITY; 100]), 10);
        assert!(check(&(0..8_640).map(|at| f64::from(at) * 100.0).collect::<Vec<_>>()) < 400);
    }

    #[test]
    fn what_is_no_decimal_comes_back_too() {
        check(&[1.0 / 3.0, 2.0 / 3.0, 0.1 + 0.2, f64::MIN_POSITIVE, -0.0, 0.0]);
        check(&[f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, 5e-324]);
        check(&[9_007_199_254_740_993.0, -9_007_199_254_740_992.0, 1e300]);
        check(&[0.1, 123_456_789.987_654, 1e-9, 1e15]);
        check(&[-0.0; 3]);
        check(&[4.2]);
    }

    #[test]
    fn whole_numbers_of_any_size_come_back() {
        for numbers in
            [vec![i64::MIN, i64::MAX, 0], vec![i64::MAX; 3], (0..2_000).map(|at| at * at).collect()]
        {
            let (mut column, mut back) = (Vec::new(), Vec::new());
            encode_whole(&numbers, &mut column);
            decode_whole(&column, numbers.len(), 0..numbers.len(), &mut back).unwrap();
            assert_eq!(back, numbers);
        }
    }

    proptest! {
        #[test]
        fn any_values_come_back(values in prop::collection::vec(any::<f64>(), 1..1_200)) {
            let values: Vec<f64> = values.into_iter().map(|value| if value.is_nan() { 1.5 } else { value }).collect();
            check(&values);
        }

        #[test]
        fn any_decimals_come_back(values in prop::collection::vec(-1_000_000_i32..1_000_000, 1..1_500), digits in 0..9) {
            check(&values.iter().map(|value| f64::from(*value) / 10_f64.powi(digits)).collect::<Vec<_>>());
        }

        #[test]
        fn damaged_columns_do_not_panic(
            values in prop::collection::vec(-100_i32..100, 2..700),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u8,
            cut in any::<prop::sample::Index>(),
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut column = Vec::new();
            encode_values(&values, &mut column);
            let at = at.index(column.len());
            column[at] ^= 1 << bit;
            let read = |column: &[u8]| decode_values(column, values.len(), 0..values.len(), &mut Vec::new());
            read(&column);
            column.truncate(cut.index(column.len()));
            read(&column);
        }
    }
}

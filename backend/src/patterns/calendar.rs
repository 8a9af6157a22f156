//! Dates that are written with words, `Mon, 10 Mar 2025 14:05:00`, `Mar  3 07:00:01`, `10/Mar/2025:14:05:00`, and the
//! clock behind a date of digits.

use super::bytes::{DIGIT, WORD, is_at, run};

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const WEEKDAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// A part of a date.
#[derive(Clone, Copy)]
enum Part {
    Weekday = 1,
    Month = 2,
    Day = 4,
    Clock = 8,
    Year = 16,
}

/// What a date has had so far, as bits; each part comes once.
#[derive(Default)]
struct Parts(u8);

/// Where the date that begins with this word or number ends. It has a month's name and a day at least.
pub(super) fn date(text: &[u8], start: usize) -> Option<usize> {
    let mut parts = Parts::default();
    let (mut from, mut end) = (start, start);
    while let Some(part_end) = parts.take(text, from) {
        end = part_end;
        from = separated(text, end);
    }
    (parts.has(Part::Month) && parts.has(Part::Day)).then_some(end)
}

/// Whether a date can begin with a word that ends here; a cheap look before the real one.
pub(super) fn may_begin(text: &[u8], start: usize, end: usize) -> bool {
    let word = &text[start..end];
    if word[0].is_ascii_digit() {
        return word.len() <= 2 && text.get(end + 1..end + 4).is_some_and(|next| MONTHS.contains(&next));
    }
    word.len() == 3 && word[0].is_ascii_uppercase() && (MONTHS.contains(&word) || WEEKDAYS.contains(&word))
}

/// Behind the separator of two parts: a blank or two, a comma and a blank, or one of `/`, `-`, `:`.
fn separated(text: &[u8], end: usize) -> usize {
    let rest = &text[end..];
    let length = match rest {
        [b',' | b' ', b' ', ..] => 2,
        [b' ' | b'/' | b'-' | b':', ..] => 1,
        _ => 0,
    };
    end + length
}

impl Parts {
    fn has(&self, part: Part) -> bool {
        self.0 & part as u8 != 0
    }

    /// The end of the part that begins here, if it is one that is still missing.
    fn take(&mut self, text: &[u8], from: usize) -> Option<usize> {
        let (part, end) = part(text, from).filter(|(part, _)| !self.has(*part))?;
        self.0 |= part as u8;
        Some(end)
    }
}

/// Which part of a date begins here, and where it ends.
fn part(text: &[u8], from: usize) -> Option<(Part, usize)> {
    if let Some(end) = clock(text, from) {
        return Some((Part::Clock, end));
    }
    let (end, classes) = run(text, from, WORD);
    let word = &text[from..end];
    let part = match word.len() {
        1 | 2 if classes == DIGIT => Part::Day,
        4 if classes == DIGIT && (word.starts_with(b"19") || word.starts_with(b"20")) => Part::Year,
        3 if MONTHS.contains(&word) => Part::Month,
        3 if WEEKDAYS.contains(&word) => Part::Weekday,
        _ => return None,
    };
    Some((part, end))
}

/// The end of `14:05` or `14:05:00` or `14:05:00.123Z`.
pub(super) fn clock(text: &[u8], from: usize) -> Option<usize> {
    let two = |at: usize| (0..2).all(|offset| is_at(text, at + offset, DIGIT));
    if !(two(from) && text.get(from + 2) == Some(&b':') && two(from + 3)) {
        return None;
    }
    let mut end = from + 5;
    if text.get(end) == Some(&b':') && two(end + 1) {
        end += 3;
    }
    if matches!(text.get(end), Some(b'.' | b',')) && is_at(text, end + 1, DIGIT) {
        end = run(text, end + 1, DIGIT).0;
    }
    let end = end + usize::from(text.get(end) == Some(&b'Z'));
    (!is_at(text, end, WORD)).then_some(end)
}

/// Whether this is a date of digits, `2025-03-10` or `10.03.2025`.
pub(super) fn is_date(value: &[u8]) -> bool {
    let separators = |places: [usize; 2]| {
        value.iter().enumerate().all(|(index, byte)| match byte {
            b'-' | b'/' | b'.' => places.contains(&index),
            _ => byte.is_ascii_digit() && !places.contains(&index),
        })
    };
    value.len() == 10 && (separators([4, 7]) || separators([2, 5]))
}
